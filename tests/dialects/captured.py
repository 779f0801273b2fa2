"""
The captured streams of real clients, and a server that says what the captured one said, when the client has asked it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from twisted.internet.protocol import Protocol

from rtmptw.trace.values import COMMANDS, readValues
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.digest import BLOCK_SIZE
from rtmptw.wire.handshake import HANDSHAKE_SIZE
from rtmptw.wire.message import Message, MessageType
from tests.dialects.doubles import End

__all__ = ["CapturedServer", "Said", "c1Of", "c2Of", "client", "said", "server"]

_CAPTURES = Path(__file__).parent.parent / "captures"

#: How much of what a server has sent is used: all up to the first pictures, bytes.
_ENOUGH = 8000

_MEDIA = (MessageType.AUDIO, MessageType.VIDEO)


def client(name: str) -> bytes:
    """What the client of a capture has sent."""
    return (_CAPTURES / f"{name}.c2s.bin").read_bytes()


def server(name: str) -> bytes:
    """What its server has sent."""
    return (_CAPTURES / f"{name}.s2c.bin").read_bytes()


def c1Of(data: bytes) -> bytes:
    """C1 or S1."""
    return data[1 : 1 + BLOCK_SIZE]


def c2Of(data: bytes) -> bytes:
    """C2 or S2."""
    return data[1 + BLOCK_SIZE : HANDSHAKE_SIZE]


class Said(NamedTuple):
    """
    One message, as far as dialects differ in it.

    @ivar content: of a command, all its values, each with its AMF0 type; of data, the first two; of control, the bytes.
    """

    type: int
    chunkStreamId: int
    streamId: int
    content: Any


def said(data: bytes) -> list[Said]:
    """
    A client's messages; of its media, the two sequence headers only.

    @param data: from C0 on; may end within a message.
    """
    found: list[Said] = []
    for message in ChunkReader(offset=HANDSHAKE_SIZE).feed(data[HANDSHAKE_SIZE:]):
        content: Any = message.payload
        if message.type in COMMANDS or message.type == MessageType.DATA:
            content = [(each.marker, _plain(each.value)) for each in readValues(message).placed]
            if message.type == MessageType.DATA:
                # What is in the metadata is the source's business.
                content = [content[0], *((marker, "") for marker, _ in content[1:])]
        elif message.type in _MEDIA:
            if message.payload[1] != 0 or any(each.type == message.type for each in found):
                continue
            content = "header"
        one = Said(message.type, message.chunkStreamId, message.streamId, content)
        # GStreamer sends its metadata again and again.
        if message.type != MessageType.DATA or one not in found:
            found.append(one)
    return found


def _plain(value: Any) -> Any:
    """A value that shows the order of an object's members, without the version of an encoder."""
    if isinstance(value, dict):
        return [(name, _plain(each)) for name, each in value.items()]
    return "FMLE (Lavf)" if isinstance(value, str) and "Lavf" in value else value


class CapturedServer(Protocol):
    """Says what the server of a capture has said."""

    transport: End

    def __init__(self, name: str) -> None:
        self._pieces = list(_pieces(server(name)))
        self._received = bytearray()
        self._reader = ChunkReader(offset=HANDSHAKE_SIZE)
        self._read = 0
        self._asked: set[tuple[str, float]] = set()

    def dataReceived(self, data: bytes) -> None:
        """Say what follows what was asked now."""
        self._received += data
        if self._read == 0 and len(self._received) > BLOCK_SIZE:
            self.transport.write(self._pieces.pop(0)[1])
            self._read = HANDSHAKE_SIZE
        if len(self._received) > self._read >= HANDSHAKE_SIZE:
            messages = self._reader.feed(bytes(self._received[self._read :]))
            self._read = len(self._received)
            for message in messages:
                if message.type in COMMANDS:
                    values = readValues(message)
                    self._asked |= {(values.name, 0.0), ("", values.transactionId or 0.0)}
        while self._pieces and self._isDue(self._pieces[0][0]):
            self.transport.write(self._pieces.pop(0)[1])

    def _isDue(self, message: Message | None) -> bool:
        """Whether the captured server would say it now."""
        if not self._asked or message is None:
            return False
        if message.type in COMMANDS:
            values = readValues(message)
            if values.name in ("_result", "_error"):
                return ("", values.transactionId) in self._asked
            if values.name == "onStatus":
                return bool({("publish", 0.0), ("play", 0.0)} & self._asked)
        return message.type not in (*_MEDIA, MessageType.DATA) or ("play", 0.0) in self._asked


def _pieces(data: bytes) -> Iterator[tuple[Message | None, bytes]]:
    """The handshake, and then each message with its bytes."""
    yield None, data[:HANDSHAKE_SIZE]
    reader, start = ChunkReader(offset=HANDSHAKE_SIZE), HANDSHAKE_SIZE
    for position in range(HANDSHAKE_SIZE, min(len(data), _ENOUGH)):
        for message in reader.feed(data[position : position + 1]):
            yield message, data[start : position + 1]
            start = position + 1
