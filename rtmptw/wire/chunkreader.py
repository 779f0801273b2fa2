# -*- test-case-name: tests.wire.test_chunkreader -*-
"""
From bytes to messages: the reading half of the chunk stream (RTMP 1.0, section 5.3; wire facts 2).

A chunk is a basic header, a message header, perhaps an extended timestamp, and at most I{chunk size} bytes of body::

    +-------------+----------------+----------------------+------------+
    | fmt | csid  | 11, 7, 3 or 0  | 4, if the timestamp  | chunk data |
    | 1-3 bytes   | bytes          | field is 0xFFFFFF    |            |
    +-------------+----------------+----------------------+------------+

The chunk layer obeys Set Chunk Size and Abort by itself; both are also reported like any other message::

    reader = ChunkReader(offset=3073)
    for message in reader.feed(data):
        ...

Messages come out lazily, one at a time, in the order of their completion. Whatever the loop's body changes (the
limits, say) holds from the next byte on, and a loop that is left early loses nothing: C{feed(b"")} goes on.

How a long message is read in one stroke
========================================
While the chunks of one message lie in the buffer back to back, every header but the first is the single byte
C{0xC0 | csid}, and these bytes stand at equal distances. So they are looked at as one slice with a stride, and removed
by one C{del} of that slice: a pass of C{memmove} instead of a turn of the interpreter for each chunk. The stroke ends
at the first byte that is not that header (another chunk stream, or a new message), and whatever is not plain goes chunk
by chunk. How far it may look ahead is bounded, and grows only by success, so that a peer can't make us look at the same
bytes again and again.
"""

from __future__ import annotations

from collections.abc import Iterator

from rtmptw.errors import LimitExceeded, LocalProtocolError, RemoteProtocolError
from rtmptw.wire.control import controlValue
from rtmptw.wire.limits import ReadLimits
from rtmptw.wire.message import MAX_MESSAGE_SIZE, Message, MessageType

__all__ = ["DEFAULT_CHUNK_SIZE", "ChunkReader"]

#: The chunk size of both directions until a Set Chunk Size (RTMP 1.0, section 5.4.1).
DEFAULT_CHUNK_SIZE = 128

#: Chunks with a body shorter than this (bytes) count as small; see L{ChunkReader.smallChunks}.
SMALL_CHUNK = 64

#: How many chunk headers the first look ahead may cover; doubled by each success within a message.
FIRST_LOOK = 256

#: Bytes of message header by fmt (RTMP 1.0, section 5.3.1.2).
_HEADER_SIZE = (11, 7, 3, 0)

_EXTENDED = 0xFFFFFF


class _ChunkStream:
    """The last header of one chunk stream, and what has come of its current message."""

    __slots__ = (
        "body",
        "delta",
        "extended",
        "id",
        "length",
        "look",
        "next",
        "remaining",
        "streamId",
        "timestamp",
        "type",
    )

    def __init__(self, id: int) -> None:
        self.id = id
        #: The basic header with fmt 3 as one byte, or -1 for an ID that needs more (section 5.3.1.1).
        self.next = 0xC0 | id if id < 64 else -1
        self.timestamp = self.delta = self.length = self.type = self.streamId = 0
        #: The extended timestamp as it stood in the last header that had one, if it was the last (wire facts 2.4).
        self.extended: bytes | None = None
        #: Bytes of the current message still to come; 0 between messages.
        self.remaining = 0
        self.body: bytearray | None = None
        #: How many headers to look ahead in this message; 0 after a look that failed.
        self.look = FIRST_LOOK


class ChunkReader:
    """
    One direction of a connection, from the first byte behind the handshake.

    @ivar limits: what the peer may make us keep; may be replaced at any time.
    @ivar chunkSize: the peer's current chunk size, bytes.
    @ivar smallChunks: how many chunks with less than L{SMALL_CHUNK} bytes have come: a measure of work that bytes do
        not show. Whoever owns the clock may reset it.
    @ivar emptyMessages: how many messages without a body have come; the same.
    @ivar droppedParts: how many messages were given up half read, by Abort or by a new header.
    """

    def __init__(self, limits: ReadLimits | None = None, offset: int = 0) -> None:
        """
        @param limits: by default, those of a publisher.
        @param offset: how many bytes came before, for the places that errors name.
        """
        self.limits = limits or ReadLimits()
        self.chunkSize = DEFAULT_CHUNK_SIZE
        self.smallChunks = self.emptyMessages = self.droppedParts = 0
        self._streams: dict[int, _ChunkStream] = {}
        self._data = b""
        self._position = 0
        self._base = offset
        self._stream: _ChunkStream | None = None
        self._chunkLeft = 0
        self._partialBytes = self._partialMessages = 0
        self._ended = False
        self._last: _ChunkStream | None = None
        self._failed = False

    @property
    def offset(self) -> int:
        """The place of the next byte to be read, counted as the constructor's C{offset} says."""
        return self._base + self._position

    @property
    def held(self) -> int:
        """Bytes that were fed and not read yet: less than one chunk header, unless a loop was left early."""
        return len(self._data) - self._position

    @property
    def isWithinMessage(self) -> bool:
        """Whether any message has begun and is not complete."""
        return self._stream is not None or self._partialMessages > 0

    @property
    def whereabouts(self) -> str:
        """Where the reader stands, for a log line: byte offset, and the chunk stream and type of the last header."""
        if self._last is None:
            return f"byte {self.offset}"
        return f"byte {self.offset}, chunk stream {self._last.id}, message type {self._last.type}"

    def feed(self, data: bytes) -> Iterator[Message]:
        """
        Take more bytes and give the messages that they complete.

        @raise RemoteProtocolError: from the iterator; the connection can't be read any further.
        @raise LocalProtocolError: if it is fed after that.
        """
        if self._failed:
            raise LocalProtocolError("this chunk stream has failed; nothing more can be read from it")
        if data:
            rest = self._data[self._position :] if self._position else self._data
            self._base += self._position
            self._data = rest + data if rest else bytes(data)
            self._position = 0
        return self._messages()

    def end(self) -> Iterator[Message]:
        """
        No more bytes will come: give what was only waiting for the four bytes behind an ambiguous header.

        A type 3 chunk that has less than four bytes may repeat the extended timestamp or not; at the end it did not.

        @raise RemoteProtocolError: as L{feed}.
        """
        self._ended = True
        return self.feed(b"")

    def _messages(self) -> Iterator[Message]:
        """The hot loop: header, body, header, body, until the bytes run out."""
        try:
            while True:
                stream = self._stream
                if stream is None:
                    if not self._readHeader():
                        break
                    stream = self._stream
                    assert stream is not None
                left, position = self._chunkLeft, self._position
                stop = position + left
                if stream.remaining == left and stream.body is None and stop <= len(self._data):
                    # The usual small message: one chunk, and all of it is here.
                    payload = self._data[position:stop]
                    stream.remaining = 0
                    self._position = stop
                else:
                    whole = self._readBody(stream)
                    if whole is None and self._stream is None:
                        continue
                    if whole is None:
                        break
                    payload = whole
                self._stream = None
                message = Message(stream.type, stream.timestamp, stream.streamId, payload, stream.id)
                if stream.type <= MessageType.ABORT:
                    self._obey(message)
                yield message
        except RemoteProtocolError:
            self._failed = True
            raise
        self._base += self._position
        self._data = self._data[self._position :]
        self._position = 0

    def _readBody(self, stream: _ChunkStream) -> bytes | None:
        """
        Read on in the body of C{stream}'s message.

        @return: the whole payload, or L{None} while it is incomplete; then C{_stream} is L{None} at a chunk header.
        """
        data, position = self._data, self._position
        remaining, left = stream.remaining, self._chunkLeft
        available = len(data) - position
        if remaining > left and available > left + 1 and stream.look and stream.next >= 0 and stream.extended is None:
            return self._readStroke(stream, available)
        if left <= available:
            taken = left
            self._stream = None
        else:
            taken = available
            self._chunkLeft = left - taken
        self._position = position + taken
        stream.remaining = remaining = remaining - taken
        part = data[position : position + taken]
        if not remaining:
            return self._complete(stream, part)
        if taken:
            self._keep(stream, part)
        return None

    def _readStroke(self, stream: _ChunkStream, available: int) -> bytes | None:
        """
        Read as many back to back chunks of one message as the buffer holds (see the module's text).

        To be called with at least one more chunk header in sight.
        """
        data, position = self._data, self._position
        remaining, left = stream.remaining, self._chunkLeft
        stride = self.chunkSize + 1
        headers = (remaining - left + stride - 2) // (stride - 1)
        size = min(remaining + headers, left + stream.look * stride, available)
        seen = data[position + left : position + size : stride]
        good = seen.count(stream.next)
        if good == len(seen):
            stream.look *= 2
        else:
            stream.look = 0
            good = len(seen) - len(seen.lstrip(bytes((stream.next,))))
            size = left + good * stride
        block = bytearray(data[position : position + size])
        del block[left::stride]
        stream.remaining = remaining = remaining - len(block)
        # What is here of the last chunk, and what is missing.
        body = size - left - (good - 1) * stride - 1
        self._chunkLeft = min(self.chunkSize - body, remaining)
        if not self._chunkLeft:
            self._stream = None
        self._position = position + size
        if stride <= SMALL_CHUNK:
            self.smallChunks += good
        elif body + self._chunkLeft < SMALL_CHUNK:
            self.smallChunks += 1
        if remaining:
            self._keep(stream, block)
            return None
        return bytes(block) if stream.body is None else self._complete(stream, block)

    def _keep(self, stream: _ChunkStream, part: bytes | bytearray) -> None:
        """Keep a part of a message that is not complete, within the limits."""
        if stream.body is None:
            stream.body = bytearray()
            self._partialMessages += 1
            if self._partialMessages > self.limits.partialMessages:
                raise self._excess(f"more than {self.limits.partialMessages} messages half sent", stream)
        stream.body += part
        self._partialBytes += len(part)
        if self._partialBytes > self.limits.partialBytes:
            raise self._excess(f"more than {self.limits.partialBytes} bytes of messages half sent", stream)

    def _complete(self, stream: _ChunkStream, last: bytes | bytearray) -> bytes:
        """Give the payload of a message that was kept in parts."""
        assert stream.body is not None
        body = stream.body
        self._forget(stream)
        body += last
        return bytes(body)

    def _forget(self, stream: _ChunkStream) -> None:
        if stream.body is not None:
            self._partialBytes -= len(stream.body)
            self._partialMessages -= 1
            stream.body = None

    def _readHeader(self) -> bool:
        """
        Read one chunk header, if it is there whole, and stand in front of the chunk's body.

        Nothing is changed before all of its bytes are known.
        """
        data, position = self._data, self._position
        end = len(data)
        if position >= end:
            return False
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
            if stamp == _EXTENDED:
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
            limit = self.limits.messageSize.get(stream.type, self.limits.otherMessageSize)
            if length > limit:
                raise self._excess(f"a message of {length} bytes, where {limit} are allowed", stream)
            stream.remaining, stream.look = length, FIRST_LOOK
            if not length:
                self.emptyMessages += 1
        self._stream = self._last = stream
        self._position = body
        self._chunkLeft = left = min(self.chunkSize, stream.remaining)
        if left < SMALL_CHUNK and (left or length):
            self.smallChunks += 1
        return True

    def _newStream(self, id: int, fmt: int) -> _ChunkStream:
        if fmt == 2:
            raise self._error("a type 2 header on a chunk stream that has had none to build on", id)
        # A type 1 header may be the first: librtmp and OBS do that (wire facts 2.3).
        if len(self._streams) >= self.limits.chunkStreams:
            reason = f"more than {self.limits.chunkStreams} chunk streams in use"
            raise LimitExceeded(reason, offset=self.offset, chunkStream=id)
        stream = self._streams[id] = _ChunkStream(id)
        return stream

    def _obey(self, message: Message) -> None:
        """Set Chunk Size and Abort (sections 5.4.1, 5.4.2). A short body is passed over (wire facts 10.25)."""
        value = controlValue(message)
        if value is None:
            return
        if message.type == MessageType.SET_CHUNK_SIZE:
            if not 1 <= value <= 0x7FFFFFFF:
                raise self._error(f"a chunk size of {value}", message.chunkStreamId, message.type)
            self.chunkSize = min(value, MAX_MESSAGE_SIZE)
        elif message.type == MessageType.ABORT:
            aborted = self._streams.get(value)
            if aborted is not None and aborted.remaining:
                aborted.remaining = 0
                self.droppedParts += 1
                self._forget(aborted)

    def _error(self, reason: str, chunkStream: int, type: int | None = None) -> RemoteProtocolError:
        return RemoteProtocolError(reason, offset=self.offset, chunkStream=chunkStream, messageType=type)

    def _excess(self, reason: str, stream: _ChunkStream) -> LimitExceeded:
        return LimitExceeded(reason, offset=self.offset, chunkStream=stream.id, messageType=stream.type)
