# -*- test-case-name: tests.wire.test_chunkreader -*-
"""
The header of a chunk: which chunk stream, and what message begins or goes on there (RTMP 1.0, section 5.3.1; wire
facts 2.1-2.4).

This is the lower half of L{rtmptw.wire.chunkreader}: the bytes that have come, the place in them, and every chunk
stream's last header, on which the next one builds.
"""

from __future__ import annotations

from math import inf

from rtmptw.errors import LimitExceeded, RemoteProtocolError
from rtmptw.wire.chunkstream import FIRST_LOOK, ChunkStream
from rtmptw.wire.limits import ReadLimits

__all__ = ["DEFAULT_CHUNK_SIZE", "EXTENDED", "SMALL_CHUNK", "ChunkHeaderReader"]

#: The chunk size of both directions until a Set Chunk Size (RTMP 1.0, section 5.4.1).
DEFAULT_CHUNK_SIZE = 128

#: Chunks with a body shorter than this (bytes) count as small; see L{ChunkHeaderReader.smallChunks}.
SMALL_CHUNK = 64

#: A timestamp field that says that the timestamp stands behind the header (section 5.3.1.3).
EXTENDED = 0xFFFFFF

#: Bytes of message header by fmt (RTMP 1.0, section 5.3.1.2).
_HEADER_SIZE = (11, 7, 3, 0)


class ChunkHeaderReader:
    """
    One direction of a connection, as far as its headers tell.

    @ivar chunkSize: the peer's current chunk size, bytes.
    @ivar smallChunks: how many chunks with less than L{SMALL_CHUNK} bytes have come: a measure of work that bytes do
        not show. Whoever owns the clock may reset it.
    @ivar emptyMessages: how many messages without a body have come; the same.
    @ivar droppedParts: how many messages were given up half read.
    @ivar turnEnd: at how many such chunks and messages, together, somebody else is to have his turn: then no other
        chunk header is read. Whoever sees to turns sets it, by C{beginTurn}.
    """

    __slots__ = (
        "_base",
        "_chunkLeft",
        "_data",
        "_ended",
        "_harmless",
        "_last",
        "_limits",
        "_partialBytes",
        "_partialMessages",
        "_position",
        "_stream",
        "_streams",
        "chunkSize",
        "droppedParts",
        "emptyMessages",
        "smallChunks",
        "turnEnd",
    )

    def __init__(self, limits: ReadLimits, offset: int) -> None:
        """
        @param offset: how many bytes came before.
        """
        self.limits = limits
        self.chunkSize = DEFAULT_CHUNK_SIZE
        self.smallChunks = self.emptyMessages = self.droppedParts = 0
        self.turnEnd: float = inf
        self._streams: dict[int, ChunkStream] = {}
        self._data = b""
        self._position = 0
        self._base = offset
        self._stream: ChunkStream | None = None
        self._chunkLeft = 0
        self._partialBytes = self._partialMessages = 0
        self._ended = False
        self._last: ChunkStream | None = None

    @property
    def limits(self) -> ReadLimits:
        """What the peer may make us keep; may be replaced at any time."""
        return self._limits

    @limits.setter
    def limits(self, limits: ReadLimits) -> None:
        self._limits = limits
        # A message of this size is allowed whatever its type is.
        self._harmless = min([limits.otherMessageSize, *limits.messageSize.values()])

    @property
    def offset(self) -> int:
        """The place of the next byte to be read, counted as the constructor's C{offset} says."""
        return self._base + self._position

    def _readHeader(self) -> bool:
        """
        Read one chunk header, if it is there whole, and stand in front of the chunk's body.

        Nothing is changed before all of its bytes are known. To be called with at least one byte in sight.
        """
        data, position = self._data, self._position
        end = len(data)
        fmt, id = data[position] >> 6, data[position] & 0x3F
        position += 1
        if id < 2:
            # Two and three byte forms (section 5.3.1.1). Either may hold an ID that fits a shorter one.
            if end < position + 1 + id:
                return False
            id = 64 + int.from_bytes(data[position : position + 1 + id], "little")
            position += 1 + (data[position - 1] & 0x3F)
        body = position + _HEADER_SIZE[fmt]
        if end < body:
            return False
        stream = self._streams.get(id)
        if fmt == 3:
            if stream is None:
                raise self._error("a type 3 header on a chunk stream that has had none to repeat", id)
            if stream.extended is not None:
                ahead = data[position : position + 4]
                if ahead == stream.extended:
                    body = position + 4
                elif len(ahead) < 4 and not self._ended and stream.extended.startswith(ahead):
                    return False
            starts = not stream.remaining
            if starts:
                # Also straight behind a type 0 header, whose timestamp then counts as the delta (5.3.1.2.4).
                stream.timestamp = (stream.timestamp + stream.delta) & 0xFFFFFFFF
        else:
            # Three bytes of time and, but for type 2, three of length and one of type: read as one number.
            fields = int.from_bytes(data[position : position + (7 if fmt < 2 else 3)], "big")
            stamp = fields >> 32 if fmt < 2 else fields
            extended = None
            if stamp == EXTENDED:
                extended = data[body : body + 4]
                if len(extended) < 4:
                    return False
                stamp = int.from_bytes(extended, "big")
                body += 4
            if stream is None:
                stream = self._newStream(id, fmt)
            elif stream.remaining:
                # A new header in mid-message starts a new message; the old part is dropped (wire facts 2.6).
                self.droppedParts += 1
                self._forget(stream)
            if fmt < 2:
                stream.length = fields >> 8 & 0xFFFFFF
                stream.type = fields & 0xFF
                if fmt == 0:
                    stream.streamId = int.from_bytes(data[position + 7 : position + 11], "little")
            stream.extended = extended
            stream.delta = stamp
            # Deltas are added modulo 2^32: librtmp and OBS send negative ones (wire facts 2.3).
            stream.timestamp = stamp if fmt == 0 else (stream.timestamp + stamp) & 0xFFFFFFFF
            starts = True
        length = stream.length
        if starts:
            limit = self._limits.messageSize.get(stream.type, self._limits.otherMessageSize)
            if length > limit:
                reason = f"a message of {length} bytes, where {limit} are allowed"
                raise self._excess(reason, stream, self._limits.sizeLimit(stream.type))
            stream.remaining, stream.look = length, FIRST_LOOK
            if not length:
                self.emptyMessages += 1
        self._stream = self._last = stream
        self._position = body
        self._chunkLeft = left = min(self.chunkSize, stream.remaining)
        if left < SMALL_CHUNK and (left or length):
            self.smallChunks += 1
        return True

    def _newStream(self, id: int, fmt: int) -> ChunkStream:
        if fmt == 2:
            raise self._error("a type 2 header on a chunk stream that has had none to build on", id)
        # A type 1 header may be the first: librtmp and OBS do that (wire facts 2.3).
        if len(self._streams) >= self._limits.chunkStreams:
            reason = f"more than {self._limits.chunkStreams} chunk streams in use"
            raise LimitExceeded(reason, limit="chunkStreams", offset=self.offset, chunkStream=id)
        stream = self._streams[id] = ChunkStream(id)
        return stream

    def _forget(self, stream: ChunkStream) -> None:
        if stream.body is not None:
            self._partialBytes -= len(stream.body)
            self._partialMessages -= 1
            stream.body = None

    def _error(self, reason: str, chunkStream: int, type: int | None = None) -> RemoteProtocolError:
        return RemoteProtocolError(reason, offset=self.offset, chunkStream=chunkStream, messageType=type)

    def _excess(self, reason: str, stream: ChunkStream, limit: str = "") -> LimitExceeded:
        return LimitExceeded(reason, limit=limit, offset=self.offset, chunkStream=stream.id, messageType=stream.type)
