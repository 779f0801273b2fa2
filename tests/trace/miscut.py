# -*- test-case-name: tests.trace.test_recut -*-
"""
Streams whose sides cut their messages otherwise than they have announced, and their reading in any pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from random import Random

from rtmptw.trace.entry import Entry, ReadMessage, Violation
from rtmptw.trace.reading import StreamReading
from rtmptw.trace.segment import Side
from rtmptw.wire import amf0
from rtmptw.wire.amf import AMFValue
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.control import windowAcknowledgementSize
from rtmptw.wire.message import MAX_MESSAGE_SIZE, Message, MessageType
from tests.wire.chunks import cutInto

__all__ = [
    "CREATED",
    "HANDSHAKE",
    "RESULT",
    "STARTED",
    "UNCUT",
    "WINDOW",
    "asAnnounced",
    "command",
    "facts",
    "messages",
    "pieces",
    "readAll",
    "someMedia",
    "violations",
    "written",
]

HANDSHAKE = b"\x03" + bytes(3072)
UNCUT = MAX_MESSAGE_SIZE


def command(*values: AMFValue, streamId: int = 0, id: int = 3) -> Message:
    return Message(MessageType.COMMAND, 0, streamId, amf0.encode(*values), id)


WINDOW = windowAcknowledgementSize(2500000)

#: The answer to connect of most servers: 190 bytes (wire facts 0.1).
RESULT = command(
    "_result",
    1.0,
    {"fmsVer": "FMS/3,0,1,123", "capabilities": 31.0},
    {
        "level": "status",
        "code": "NetConnection.Connect.Success",
        "description": "Connection succeeded.",
        "objectEncoding": 0.0,
    },
)
CREATED = command("_result", 4.0, None, 1.0)
STARTED = command("onStatus", 0.0, None, {"level": "status", "code": "NetStream.Publish.Start"}, streamId=1, id=5)


def someMedia(random: Random, count: int, largest: int = 20000) -> list[Message]:
    """Audio and video of random bytes, with sizes as they are."""
    found = []
    timestamp = 0
    for _ in range(count):
        timestamp += random.randrange(1, 40)
        if random.random() < 0.5:
            size = random.randrange(400)
            found.append(Message(MessageType.AUDIO, timestamp, 1, b"\xaf\x01" + random.randbytes(size), 4))
        else:
            size = random.choice((10, 200, 3000, random.randrange(largest)))
            found.append(Message(MessageType.VIDEO, timestamp, 1, b"\x27\x01" + random.randbytes(size), 6))
    return found


def asAnnounced(index: int, announced: int) -> int:
    """The chunk size of who does it right."""
    return announced


def written(messages: Sequence[Message], chunkSize: Callable[[int, int], int] = asAnnounced) -> bytes:
    """
    Handshake and messages as bytes.

    @param chunkSize: what is used for a message, by its index and the announced size.
    """
    writer, announced, data = ChunkWriter(), 128, [HANDSHAKE]
    for index, message in enumerate(messages):
        writer.chunkSize = chunkSize(index, announced)
        data.append(writer.write(message))
        if message.type == MessageType.SET_CHUNK_SIZE:
            announced = int.from_bytes(message.payload, "big")
    return b"".join(data)


def pieces(random: Random, size: int) -> list[int]:
    """The sizes of pieces to read so many bytes in: one by one, whole, as segments, anyhow."""
    kind = random.randrange(4)
    if kind == 0:
        return [1] * size
    if kind == 1:
        return []
    if kind == 2:
        return [1448] * (size // 1448)
    found: list[int] = []
    while sum(found) < size:
        found.append(random.choice((1, 2, 7, 100, 1000, 9000)))
    return found


def readAll(
    data: bytes, sizes: Iterable[int] = (), side: Side = Side.SERVER, peer: int = 128, settled: bool = False
) -> list[Entry]:
    """
    Read to the end.

    @param sizes: of the pieces.
    @param peer: the other side's chunk size.
    @param settled: whether there is silence behind each piece.
    """
    reading = StreamReading(side)
    reading.peerChunkSize = peer
    entries: list[Entry] = []
    for at, piece in enumerate(cutInto(data, sizes)):
        entries += reading.feed(piece, float(at))
        if settled:
            entries += reading.settle(float(at))
    return entries + reading.finish(1e9, "FIN")


def facts(entries: Iterable[Entry]) -> list[str]:
    """All that entries say, but for the time."""
    found = []
    for entry in entries:
        entry.at = 0.0
        found.append(repr(entry))
    return found


def messages(entries: Iterable[Entry]) -> list[Message]:
    return [entry.message for entry in entries if isinstance(entry, ReadMessage)]


def violations(entries: Iterable[Entry]) -> list[Violation]:
    return [violation for entry in entries for violation in entry.violations]
