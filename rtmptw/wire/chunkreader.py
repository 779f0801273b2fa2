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
limits, say) holds from the next byte on, and a loop that is left early loses nothing: C{feed(b"")} goes on. Where every
step counts, L{ChunkReader.add} and L{ChunkReader.read} do the same without an iterator.

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
from struct import Struct

from rtmptw.errors import LocalProtocolError, RemoteProtocolError
from rtmptw.wire.chunkheader import DEFAULT_CHUNK_SIZE, EXTENDED, SMALL_CHUNK, ChunkHeaderReader
from rtmptw.wire.chunkstream import FIRST_LOOK, ChunkStream
from rtmptw.wire.control import controlValue
from rtmptw.wire.limits import ReadLimits
from rtmptw.wire.message import MAX_MESSAGE_SIZE, Message, MessageType

__all__ = ["DEFAULT_CHUNK_SIZE", "FIRST_LOOK", "SMALL_CHUNK", "ChunkReader"]

#: A number, because a look-up in an IntEnum costs more than reading a header.
_ABORT = int(MessageType.ABORT)

#: A type 1 header as two words: fmt, ID and time; length and message type. And what a type 0 header has behind it.
_HEADER = Struct(">II").unpack_from
_STREAM_ID = Struct("<I").unpack_from


class ChunkReader(ChunkHeaderReader):
    """
    One direction of a connection, from the first byte behind the handshake.

    @ivar droppedParts: how many messages were given up half read, by Abort or by a new header.
    """

    __slots__ = ("_failed",)

    def __init__(self, limits: ReadLimits | None = None, offset: int = 0) -> None:
        """
        @param limits: by default, those of a publisher.
        @param offset: how many bytes came before, for the places that errors name.
        """
        super().__init__(limits or ReadLimits(), offset)
        self._failed = False

    @property
    def held(self) -> int:
        """Bytes that were fed and not read yet: less than one chunk header, unless a loop was left early."""
        return len(self._data) - self._position

    @property
    def partial(self) -> int:
        """Bytes that are kept of what is not complete: of messages that have begun, and what was not read yet."""
        return self._partialBytes + self.held

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

    def beginTurn(self, small: float) -> None:
        """
        Read no more than so many small chunks and empty messages, until this is called again: they are the work that
        bytes do not show, and who sends them in masses is not to keep others waiting. What was fed stays.
        """
        self.turnEnd = self.smallChunks + self.emptyMessages + small

    @property
    def isTurnOver(self) -> bool:
        """Whether so many have come."""
        return self.smallChunks + self.emptyMessages >= self.turnEnd

    def feed(self, data: bytes) -> Iterator[Message]:
        """
        Take more bytes and give the messages that they complete.

        @raise RemoteProtocolError: from the iterator; the connection can't be read any further.
        @raise LocalProtocolError: if it is fed after that.
        """
        self.add(data)
        return self._messages()

    def add(self, data: bytes) -> None:
        """
        Take more bytes, and read nothing yet.

        @raise LocalProtocolError: after a failure.
        """
        if self._failed:
            raise LocalProtocolError("this chunk stream has failed; nothing more can be read from it")
        if data:
            rest = self._data
            if self._position:
                rest = rest[self._position :]
                self._base += self._position
                self._position = 0
            self._data = rest + data if rest else data if type(data) is bytes else bytes(data)

    def read(self) -> Message | None:
        """
        Read the next message: the hot path.

        A message is plain if its chunk stream is known, its header is of type 0, 1 or 2 and has no extension, and all
        of it is here, back to back. It is looked at before anything is changed. Whatever is not plain: L{_readOn}.

        @return: the message, or L{None} while no other is complete.
        @raise RemoteProtocolError: if the connection can't be read any further.
        """
        data, position = self._data, self._position
        within = self._stream
        if within is None:
            if position + 8 <= len(data):
                head, shape = _HEADER(data, position)
                fmt, stamp = head >> 30, head & EXTENDED
                # IDs in two and three byte forms look like 0 and 1 here, and nothing has these.
                stream = self._streams.get(head >> 24 & 0x3F)
                if stream is not None and fmt < 3 and stamp != EXTENDED and not stream.remaining:
                    if fmt == 2:
                        length, type, start = stream.length, stream.type, position + 4
                    else:
                        length, type, start = shape >> 8, shape & 0xFF, position + (8 if fmt else 12)
                    stop = start + length
                    if stop > len(data) or length > self._harmless or type <= _ABORT:
                        payload = None
                    elif length > self.chunkSize:
                        payload = self._readChunks(start, length, stream.next)
                    else:
                        payload = data[start:stop]
                        self._position = stop
                        if length < SMALL_CHUNK:
                            self._countSmall(length)
                    if payload is not None:
                        if fmt:
                            stamp, stream.delta = (stream.timestamp + stamp) & 0xFFFFFFFF, stamp
                        else:
                            stream.delta = stamp
                            (stream.streamId,) = _STREAM_ID(data, position + 8)
                        stream.timestamp, stream.length, stream.type, stream.extended = stamp, length, type, None
                        self._last = stream
                        return Message(type, stamp, stream.streamId, payload, stream.id)
            elif position == len(data):
                # All is read, as a rule at the end of a message: keep nothing.
                self._base += position
                self._data, self._position = b"", 0
                return None
        elif len(data) - position < self._chunkLeft and self._readMiddle(within):
            return None
        return self._readOn()

    def end(self) -> Iterator[Message]:
        """
        Say that no more bytes will come (L{finish}), and give what was only waiting for them.

        @raise RemoteProtocolError: as L{feed}.
        """
        self.finish()
        return self._messages()

    def finish(self) -> None:
        """
        No more bytes will come. This decides what was only waiting for the four bytes behind an ambiguous header.

        A type 3 chunk that has less than four bytes may repeat the extended timestamp or not; at the end it did not.

        @raise LocalProtocolError: after a failure.
        """
        self._ended = True
        self.add(b"")

    def _messages(self) -> Iterator[Message]:
        read = self.read
        while (message := read()) is not None:
            yield message

    def _readChunks(self, start: int, length: int, next: int) -> bytes | None:
        """
        Read the body of a plain message of several chunks in one stroke (see the module's text).

        @param start: where it begins in the buffer.
        @param next: the header between its chunks.
        @return: the payload, or L{None} if it is not plain after all.
        """
        data, chunkSize = self._data, self.chunkSize
        headers = (length - 1) // chunkSize
        stop = start + length + headers
        if stop > len(data) or headers > FIRST_LOOK or chunkSize < SMALL_CHUNK:
            return None
        if data[start + chunkSize : stop : chunkSize + 1].count(next) != headers:
            return None
        self._position = stop
        if length - headers * chunkSize < SMALL_CHUNK:
            self.smallChunks += 1
        body = bytearray(memoryview(data)[start:stop])
        del body[chunkSize :: chunkSize + 1]
        return bytes(body)

    def _readMiddle(self, stream: ChunkStream) -> bool:
        """
        Read on in a large chunk that comes in many reads: all that is here is in the middle of it.

        @return: whether that could be done: not at the start of a message, nor beyond the limits.
        """
        data, position, body = self._data, self._position, stream.body
        size = len(data) - position
        kept = self._partialBytes + size
        if body is None or kept > self._limits.partialBytes:
            return False
        self._partialBytes = kept
        body += data[position:] if position else data
        stream.remaining -= size
        self._chunkLeft -= size
        self._base += len(data)
        self._data, self._position = b"", 0
        return True

    def _countSmall(self, length: int) -> None:
        if length:
            self.smallChunks += 1
        else:
            self.emptyMessages += 1

    def _readOn(self) -> Message | None:
        """Read header, body, header, body, until a message is complete or the bytes run out."""
        try:
            while self._position < len(self._data):
                stream = self._stream
                if stream is None:
                    if self.isTurnOver or not self._readHeader():
                        break
                    stream = self._stream
                    assert stream is not None
                left, position = self._chunkLeft, self._position
                available = len(self._data) - position
                if stream.remaining > left:
                    if available > left + 1 and stream.look and stream.next >= 0 and stream.extended is None:
                        payload = self._readStroke(stream, available)
                    else:
                        payload = self._readPart(stream, min(left, available))
                elif stream.body is None and left <= available:
                    # One chunk, and all of it is here.
                    payload = self._data[position : position + left]
                    stream.remaining = 0
                    self._position = position + left
                else:
                    payload = self._readPart(stream, min(left, available))
                if payload is None:
                    continue
                self._stream = None
                message = Message(stream.type, stream.timestamp, stream.streamId, payload, stream.id)
                if stream.type <= _ABORT:
                    self._obey(message)
                return message
        except RemoteProtocolError:
            self._failed = True
            self._base += self._position
            self._data, self._position = b"", 0
            raise
        position = self._position
        self._base += position
        self._data, self._position = self._data[position:], 0
        return None

    def _readPart(self, stream: ChunkStream, size: int) -> bytes | None:
        """
        Read on in a chunk: the rest of it, or all that is here of it.

        @return: the whole payload, or L{None} while it is incomplete; then C{_stream} is L{None} at a chunk header.
        """
        position = self._position
        self._position = stop = position + size
        self._chunkLeft -= size
        if not self._chunkLeft:
            self._stream = None
        stream.remaining -= size
        body = stream.body
        if body is None:
            return self._keep(stream, bytearray(self._data[position:stop]), size) if size else None
        body += self._data[position:stop]
        return self._keep(stream, body, size)

    def _readStroke(self, stream: ChunkStream, available: int) -> bytes | None:
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
        # A view spares a copy, and costs as much as some kilobytes of it.
        part = data[position : position + size] if size < 16384 else memoryview(data)[position : position + size]
        block = stream.body
        if block is None:
            block = bytearray(part)
        else:
            left += len(block)
            block += part
        # In place, so that no byte of a message that comes in many reads is moved more than once.
        del block[left::stride]
        taken = size - good
        remaining -= taken
        stream.remaining = remaining
        # What is here of the last chunk, and what is missing.
        body = taken - self._chunkLeft - (good - 1) * (stride - 1)
        self._chunkLeft = min(self.chunkSize - body, remaining)
        if not self._chunkLeft:
            self._stream = None
        self._position = position + size
        if stride <= SMALL_CHUNK:
            self.smallChunks += good
        elif body + self._chunkLeft < SMALL_CHUNK:
            self.smallChunks += 1
        return self._keep(stream, block, taken)

    def _keep(self, stream: ChunkStream, body: bytearray, size: int) -> bytes | None:
        """
        Keep what has come of a message, within the limits.

        @param size: how many bytes of it are new.
        @return: the payload, if it is whole.
        """
        if not stream.remaining:
            if stream.body is not None:
                self._partialBytes += size
                self._forget(stream)
            return bytes(body)
        if stream.body is None:
            stream.body = body
            self._partialMessages += 1
            if self._partialMessages > self._limits.partialMessages:
                reason = f"more than {self._limits.partialMessages} messages half sent"
                raise self._excess(reason, stream, "partialMessages")
        self._partialBytes += size
        if self._partialBytes > self._limits.partialBytes:
            reason = f"more than {self._limits.partialBytes} bytes of messages half sent"
            raise self._excess(reason, stream, self._limits.partialLimit)
        return None

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
