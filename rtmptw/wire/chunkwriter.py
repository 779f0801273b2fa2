# -*- test-case-name: tests.wire.test_chunkwriter -*-
"""
From messages to bytes: the writing half of the chunk stream (RTMP 1.0, section 5.3; wire facts 2.3-2.7).

Every message is written whole, cut at our own chunk size, whatever its type: a reply of 190 bytes that was not cut at
128 is the best known way to make FFmpeg wait for ever (wire facts 0.1).

What is written is what every known reader understands:

- type 0 on first use of a chunk stream, when time goes back, and when a delta would need an extension;
- type 1 and 2 otherwise; never type 3 to start a message, because readers disagree on what it means (2.3);
- the extended timestamp repeated in every chunk of its message (2.4).

L{encodeMessage} always writes a type 0 header: its bytes depend on nothing that was sent before, so they can be shared
by all the players of a stream.
"""

from __future__ import annotations

from struct import Struct

from rtmptw.errors import LocalProtocolError
from rtmptw.wire.chunkreader import DEFAULT_CHUNK_SIZE
from rtmptw.wire.message import MAX_MESSAGE_SIZE, Message, MessageType

__all__ = ["ChunkWriter", "encodeMessage"]

_EXTENDED = 0xFFFFFF

#: The last type that tells the reader how to read on (section 5.4).
_ABORT = int(MessageType.ABORT)

#: From chunks of this size on, bytes, slices that are views cost less than copies.
_VIEWS = 512

#: Parts of a type 0 header in words (section 5.3.1.2.1): a basic header of one byte and the timestamp; length and type;
#: the message stream, which alone is little-endian.
_SHAPE = Struct(">I").pack
_TIME_SHAPE = Struct(">II").pack
_STREAM = Struct("<I").pack


def _basicHeader(fmt: int, id: int) -> bytes:
    """The shortest form (RTMP 1.0, section 5.3.1.1)."""
    if 2 <= id < 64:
        return bytes((fmt << 6 | id,))
    if 64 <= id < 320:
        return bytes((fmt << 6, id - 64))
    if 320 <= id < 65600:
        return bytes((fmt << 6 | 1,)) + (id - 64).to_bytes(2, "little")
    raise LocalProtocolError(f"chunk stream ID {id}: not within 2 to 65599")


def _cut(header: bytes, id: int, extension: bytes, payload: bytes, chunkSize: int) -> bytes:
    """Put the header in front, and a type 3 header between chunks."""
    if len(payload) <= chunkSize:
        return header + extension + payload
    separator = _basicHeader(3, id) + extension
    body = payload if chunkSize < _VIEWS else memoryview(payload)
    chunks = [body[start : start + chunkSize] for start in range(0, len(payload), chunkSize)]
    chunks[0] = b"".join((header, extension, chunks[0]))
    return separator.join(chunks)


def _check(message: Message) -> None:
    if not 0 <= message.type <= 0xFF:
        raise LocalProtocolError(f"message type {message.type}: not within 8 bits")
    if len(message.payload) > MAX_MESSAGE_SIZE:
        raise LocalProtocolError(f"a message of {len(message.payload)} bytes: no more than {MAX_MESSAGE_SIZE} fit")
    if not 0 <= message.timestamp <= 0xFFFFFFFF:
        raise LocalProtocolError(f"timestamp {message.timestamp}: not within 32 bits")
    if not 0 <= message.streamId <= 0xFFFFFFFF:
        raise LocalProtocolError(f"message stream ID {message.streamId}: not within 32 bits")


def encodeMessage(message: Message, chunkSize: int) -> bytes:
    """
    Encode a message as a type 0 chunk and the type 3 chunks that it needs.

    @param chunkSize: the chunk size last announced to all who will read this, bytes.
    @raise LocalProtocolError: if a field does not fit the wire, or for a chunk size below 1.
    """
    _check(message)
    if chunkSize < 1:
        raise LocalProtocolError(f"a chunk size of {chunkSize}: no message can be cut to that")
    return _encode(message, chunkSize)


def _encode(message: Message, chunkSize: int) -> bytes:
    """L{encodeMessage} for a message that was checked."""
    type, stamp, id, payload = message.type, message.timestamp, message.chunkStreamId, message.payload
    shape = len(payload) << 8 | type
    if stamp < _EXTENDED and 2 <= id < 64:
        return _cut(_TIME_SHAPE(id << 24 | stamp, shape) + _STREAM(message.streamId), id, b"", payload, chunkSize)
    extension = b"" if stamp < _EXTENDED else stamp.to_bytes(4, "big")
    header = _basicHeader(0, id) + min(stamp, _EXTENDED).to_bytes(3, "big") + _SHAPE(shape) + _STREAM(message.streamId)
    return _cut(header, id, extension, payload, chunkSize)


class ChunkWriter:
    """
    One direction of a connection, with the memory that short headers need.

    @ivar chunkSize: our chunk size, bytes. It changes only when a Set Chunk Size message is written.
    """

    __slots__ = ("_last", "chunkSize")

    def __init__(self) -> None:
        self.chunkSize = DEFAULT_CHUNK_SIZE
        #: By chunk stream: timestamp, length and type as on the wire, message stream ID of the last message.
        self._last: dict[int, tuple[int, int, int]] = {}

    def write(self, message: Message) -> bytes:
        """
        Encode a message, with the shortest header that is safe.

        @raise LocalProtocolError: if a field does not fit the wire, or for an Abort or a chunk size out of range: some
            readers can't go on after those (wire facts 10.35). Nothing has changed then.
        """
        _check(message)
        type, id, payload = message.type, message.chunkStreamId, message.payload
        chunkSize = self.chunkSize
        sizeBehind = chunkSize if type > _ABORT else self._sizeBehind(message)
        shape = len(payload) << 8 | type
        last = self._last.get(id)
        delta = message.timestamp - last[0] if last is not None else -1
        if last is None or last[2] != message.streamId or not 0 <= delta < _EXTENDED:
            encoded = _encode(message, chunkSize)
        else:
            fmt = 2 if last[1] == shape else 1
            header = _basicHeader(fmt, id) + delta.to_bytes(3, "big") + (b"" if fmt == 2 else _SHAPE(shape))
            encoded = _cut(header, id, b"", payload, chunkSize)
        self._last[id] = (message.timestamp, shape, message.streamId)
        self.chunkSize = sizeBehind
        return encoded

    def _sizeBehind(self, message: Message) -> int:
        """The chunk size that holds once C{message} has been written."""
        if message.type == MessageType.ABORT:
            raise LocalProtocolError("an Abort: FFmpeg's reader fails behind one")
        if message.type != MessageType.SET_CHUNK_SIZE:
            return self.chunkSize
        size = int.from_bytes(message.payload, "big") if len(message.payload) == 4 else 0
        if not 1 <= size <= MAX_MESSAGE_SIZE:
            raise LocalProtocolError(f"a chunk size of {size}: not within 1 to {MAX_MESSAGE_SIZE}")
        return size
