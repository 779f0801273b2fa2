# -*- test-case-name: tests.wire.test_chunkreader -*-
"""
Chunks for tests, made from the specification alone: single headers, and L{Interleaver}, which writes every header form
and every mixture that RTMP 1.0, section 5.3, allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

from rtmptw.wire.chunkreader import SMALL_CHUNK, ChunkReader
from rtmptw.wire.message import Message, MessageType

__all__ = ["Interleaver", "aborted", "cutInto", "first", "header", "read", "sized", "video"]


def cutInto(data: bytes, sizes: Iterable[int]) -> Iterator[bytes]:
    """C{data} in pieces of these sizes, and the rest."""
    start = 0
    for size in sizes:
        yield data[start : start + size]
        start += size
    yield data[start:]


def read(pieces: Iterable[bytes], reader: ChunkReader | None = None) -> list[Message]:
    """All messages from pieces of one stream of chunks, up to its end."""
    reader = reader or ChunkReader()
    messages = [message for piece in pieces for message in reader.feed(piece)]
    return messages + list(reader.end())


def header(fmt: int, id: int, stamp: int = 0, length: int = 0, type: int = 9, streamId: int = 1) -> bytes:
    """A chunk header below the extended timestamp."""
    basic = bytes((fmt << 6 | id,))
    fields = stamp.to_bytes(3, "big") + length.to_bytes(3, "big") + bytes((type,)) + streamId.to_bytes(4, "little")
    return basic + fields[: (11, 7, 3, 0)[fmt]]


def sized(size: int) -> bytes:
    """A Set Chunk Size message."""
    return header(0, 2, 0, 4, MessageType.SET_CHUNK_SIZE, 0) + size.to_bytes(4, "big")


def aborted(id: int) -> bytes:
    """An Abort message."""
    return header(0, 2, 0, 4, MessageType.ABORT, 0) + id.to_bytes(4, "big")


def video(timestamp: int, payload: bytes, id: int = 3, streamId: int = 1) -> Message:
    return Message(MessageType.VIDEO, timestamp, streamId, payload, id)


def first(messages: Iterator[Message]) -> list[Message]:
    """The first message, if there is one; the loop is left behind it."""
    for message in messages:
        return [message]
    return []


class Interleaver:
    """
    Writes chunks of several messages at a time, as oddly as the specification allows, and knows what they mean.

    @ivar data: the chunks.
    @ivar expected: the messages that a reader must find.
    @ivar dropped: how many messages were given up half written.
    @ivar small: how many chunks have a body of less than L{SMALL_CHUNK} bytes, but some.
    @ivar ends: where each message of C{expected} ends in C{data}.
    """

    STAMPS = (0, 1, 33, 1000, 0xFFFFFE, 0xFFFFFF, 0x1000000, 0xF0000000, 0xFFFFFFFD, 0xFFFFFFFF)
    SIZES = (1, 2, 5, 17, 63, 64, 65, 128, 128, 500, 4096, 0x7FFFFFFF)
    IDS = (3, 4, 63, 64, 319, 320, 65599)

    def __init__(self, random: Random) -> None:
        self.random = random
        self.data = bytearray()
        self.expected: list[Message] = []
        self.ends: list[int] = []
        self.dropped = self.small = 0
        self._chunkSize = 128
        #: By chunk stream: the last message's fields, its delta, and the extended timestamp if it had one.
        self._known: dict[int, tuple[Message, int, bytes]] = {}
        #: By chunk stream: what is still to be written of the message.
        self._left: dict[int, bytes] = {}

    def write(self, steps: int) -> None:
        """Start, continue, drop and abort messages at random; then end all that are open."""
        random = self.random
        id = 3
        for _ in range(steps):
            if random.random() < 0.4:
                id = random.choice(self.IDS)
            if random.random() < 0.15:
                while 2 in self._left:
                    self._continue(2)
                self._start(2)
            elif id not in self._left or random.random() < 0.05:
                self._start(id)
            else:
                for _ in range(random.choice((1, 1, 2, 700))):
                    if id in self._left:
                        self._continue(id)
        for id in list(self._left):
            while id in self._left:
                self._continue(id)

    def _basic(self, fmt: int, id: int) -> bytes:
        if id < 64:
            return bytes((fmt << 6 | id,))
        if id < 320 and self.random.random() < 0.5:
            return bytes((fmt << 6, id - 64))
        return bytes((fmt << 6 | 1, (id - 64) & 0xFF, (id - 64) >> 8))

    def _start(self, id: int) -> None:
        random = self.random
        known = self._known.get(id)
        open = id in self._left
        fmt = random.randrange(2 if known is None else 3 if open else 4)
        last, delta, extended = known or (Message(0, 0, 0, b"", id), 0, b"")
        type, length, streamId = last.type, len(last.payload), last.streamId
        if fmt < 2:
            type, length = self._shape(id)
        if fmt == 0:
            streamId = random.choice((0, 1, 0x01020304))
        if fmt < 3:
            delta = random.choice(self.STAMPS)
            extended = delta.to_bytes(4, "big") if delta >= 0xFFFFFF else b""
        timestamp = delta if fmt == 0 else (last.timestamp + delta) & 0xFFFFFFFF
        message = Message(type, timestamp, streamId, self._payload(type, length), id)
        fields = min(delta, 0xFFFFFF).to_bytes(3, "big") + length.to_bytes(3, "big") + bytes((type,))
        fields = (fields + streamId.to_bytes(4, "little"))[: (11, 7, 3, 0)[fmt]]
        self.dropped += open
        self._known[id] = (message, delta, extended)
        self._left[id] = message.payload
        if fmt < 3:
            self._chunk(self._basic(fmt, id) + fields + extended, id)
        else:
            self._continue(id)

    def _shape(self, id: int) -> tuple[int, int]:
        if id == 2:
            return self.random.choice((MessageType.SET_CHUNK_SIZE, MessageType.ABORT)), 4
        length = self.random.choice((0, 1, 3, 4, 5, 63, 128, 129, self.random.randrange(2000)))
        return self.random.choice((0, 4, 8, 9, 18, 20, 22, 255)), length

    def _payload(self, type: int, length: int) -> bytes:
        if type == MessageType.SET_CHUNK_SIZE:
            return self.random.choice(self.SIZES).to_bytes(4, "big")
        if type == MessageType.ABORT:
            return self.random.choice((2, *self.IDS)).to_bytes(4, "big")
        # None that any extended timestamp begins with.
        return bytes(self.random.choices(range(0x10, 0xF0), k=length))

    def _continue(self, id: int) -> None:
        # Only a body that can't be taken for an extended timestamp may stand without it.
        repeated = id == 2 or not self._left[id] or self.random.random() < 0.5
        extended = self._known[id][2] if repeated else b""
        self._chunk(self._basic(3, id) + extended, id)

    def _chunk(self, header: bytes, id: int) -> None:
        left = self._left.pop(id)
        body, rest = left[: self._chunkSize], left[self._chunkSize :]
        self.data += header + body
        self.small += 0 < len(body) < SMALL_CHUNK
        if rest:
            self._left[id] = rest
            return
        message = self._known[id][0]
        self.expected.append(message)
        self.ends.append(len(self.data))
        if message.type == MessageType.SET_CHUNK_SIZE:
            self._chunkSize = int.from_bytes(message.payload, "big")
        elif message.type == MessageType.ABORT:
            self.dropped += self._left.pop(int.from_bytes(message.payload, "big"), None) is not None
