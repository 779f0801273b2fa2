# -*- test-case-name: tests.trace.test_chunkwalker -*-
"""
The chunk stream read slowly: chunk by chunk, each with its place (RTMP 1.0, section 5.3; wire facts 2).

It reads headers as L{rtmptw.wire.chunkheader} does, which the server's own reader stands on; what is added is memory:
where each chunk began, and what its header was. And it can be doubted: L{ChunkWalker.mark} remembers a place between
messages, and L{ChunkWalker.branch} stands there again, to try whether the same bytes make sense when they are cut
otherwise.

A mark costs nothing: from there on, each chunk stream's state is noted before it is changed for the first time.
"""

from __future__ import annotations

from rtmptw.errors import RemoteProtocolError
from rtmptw.trace.entry import Chunk
from rtmptw.trace.mark import Deviation, Mark
from rtmptw.trace.strangeheader import StrangeHeader, strangeness
from rtmptw.wire.chunkheader import DEFAULT_CHUNK_SIZE, EXTENDED, ChunkHeaderReader
from rtmptw.wire.chunkstream import ChunkStream
from rtmptw.wire.control import controlValue
from rtmptw.wire.limits import ReadLimits
from rtmptw.wire.message import MAX_MESSAGE_SIZE, Message, MessageType

__all__ = [
    "HEADER_SIZES",
    "MOST_CHUNKS",
    "TRACE_LIMITS",
    "UNCUT",
    "ChunkWalker",
    "Deviation",
    "Mark",
    "StrangeHeader",
]

#: A chunk size that no message reaches.
UNCUT = MAX_MESSAGE_SIZE

#: How much of a conversation is kept: whoever looks at it must not fall where its parties go on.
TRACE_LIMITS = ReadLimits(
    messageSize={},
    otherMessageSize=MAX_MESSAGE_SIZE,
    partialBytes=64 * 1024 * 1024,
    partialMessages=64,
    chunkStreams=1024,
)

#: How many chunks of messages that are not complete are kept: as many as those bytes are in chunks of 128.
MOST_CHUNKS = TRACE_LIMITS.partialBytes // DEFAULT_CHUNK_SIZE

#: Bytes of a message header by fmt, without its basic header and extended timestamp (RTMP 1.0, section 5.3.1.2).
HEADER_SIZES = (11, 7, 3, 0)

_CHANGES_READING = (MessageType.SET_CHUNK_SIZE, MessageType.ABORT)

#: The size of an extended timestamp, bytes: a type 3 header is shorter without it, whatever its chunk stream ID.
_EXTENSION = 4


class ChunkWalker(ChunkHeaderReader):
    """
    One direction of a connection, from the first byte behind the handshake.

    @ivar announced: the chunk size that this side has announced last, bytes, or the default.
    @ivar fixed: a chunk size that is used whatever is announced, bytes; L{None} if what is announced holds.
    @ivar deviation: where C{fixed} first made a difference.
    @ivar credulous: whether strange headers are taken for what they say at once.
    @ivar reach: the byte behind the last one that had to be seen for what was read or raised last.
    """

    __slots__ = (
        "_before",
        "_chunk",
        "_chunks",
        "_count",
        "_seen",
        "_trunk",
        "announced",
        "credulous",
        "deviation",
        "fixed",
        "reach",
    )

    def __init__(self, offset: int = 0) -> None:
        """
        @param offset: how many bytes came before.
        """
        super().__init__(TRACE_LIMITS, offset)
        self.announced = self.chunkSize
        self.fixed: int | None = None
        self.deviation: Deviation | None = None
        self.credulous = False
        self.reach = offset
        #: By chunk stream: the chunks of the message that is not complete; and how many they are in all.
        self._chunks: dict[int, list[Chunk]] = {}
        self._count = 0
        #: The chunk that is being read: its place, fmt, header, size of its body.
        self._chunk = (0, 0, b"", 0)
        #: How far one had to look to know whether its extended timestamp is there.
        self._seen = 0
        #: What the chunk streams were at the mark, of those that have changed; None for those that were not there.
        self._before: dict[int, ChunkStream | None] = {}
        #: The walker at whose mark this one began.
        self._trunk: ChunkWalker | None = None

    @property
    def held(self) -> bytes:
        """The bytes that have come and were not read."""
        return self._data[self._position :]

    @property
    def isBetween(self) -> bool:
        """Whether it stands between messages: none has begun and is not complete."""
        return not self._chunks

    @property
    def isInBody(self) -> bool:
        """Whether the next byte is of a chunk's body, not of a header."""
        return self._stream is not None

    @property
    def unfinished(self) -> ChunkStream | None:
        """The chunk stream of a message that has begun and is not complete, the last that has gone on."""
        if self._last is not None and self._last.id in self._chunks:
            return self._last
        return next((self._streams[id] for id in self._chunks), None)

    def mark(self) -> Mark | None:
        """
        Remember where it stands; an older mark is of no use from then on.

        @return: L{None} in the middle of a message; then the older mark still holds.
        """
        if self._chunks:
            return None
        self._before.clear()
        return Mark(self.offset, self.chunkSize, self.announced)

    def branch(self, mark: Mark, size: int) -> ChunkWalker:
        """
        Another walker, which stands at the mark, and has no bytes yet. It leans on this one, which may read on but must
        set no other mark, until L{detach}.

        @param size: the chunk size that it uses, bytes; if that is the announced one, it obeys announcements.
        """
        walker = ChunkWalker(mark.offset)
        walker.announced = mark.announced
        walker.fixed = None if size == mark.announced else size
        walker.chunkSize = size
        walker._trunk = self
        return walker

    def detach(self) -> None:
        """Take over from the walker that this one leans on, which is of no use from then on."""
        trunk = self._trunk
        if trunk is not None:
            old = {**trunk._streams, **trunk._before, **self._streams}
            self._streams = {id: stream for id, stream in old.items() if stream is not None}
            self._trunk = None

    def add(self, data: bytes) -> None:
        """Take more bytes, and read nothing yet."""
        rest = self._data
        if self._position:
            self._base += self._position
            rest, self._position = rest[self._position :], 0
        self._data = rest + data if rest else data

    def withdraw(self) -> bytes:
        """Give back the bytes that were not read."""
        rest = self.held
        self._base += self._position
        self._data, self._position = b"", 0
        return rest

    def finish(self) -> None:
        """
        No more bytes will come.

        The last ones may begin an extended timestamp, or stand where it was left out (wire facts 2.4): that is believed
        if they are just what is missing of a message.
        """
        rest = self.held
        if self._stream is None and rest and rest[0] >> 6 == 3:
            stream = self._streams.get(self._chunkStreamId())
            left = len(rest) - _headerSize(rest, 0)
            self._ended = stream is not None and left == (stream.remaining or stream.length)

    def read(self) -> tuple[Message, tuple[Chunk, ...]] | None:
        """
        Read the next message.

        @return: the message and its chunks, or L{None} while no other is complete.
        @raise StrangeHeader: unless it is credulous.
        @raise RemoteProtocolError: these are no chunks; it stands in front of what is none.
        """
        while self._stream is not None or self._position < len(self._data):
            stream = self._stream or self._begin()
            if stream is None or not self._take(stream):
                return None
            if not stream.remaining:
                return self._complete(stream)
        return None

    def _begin(self) -> ChunkStream | None:
        """Read the header of a chunk."""
        start, position = self.offset, self._position
        fmt, id = self._data[position] >> 6, self._chunkStreamId()
        if self._trunk is not None and id not in self._streams:
            self._inherit(id, self._trunk)
        known = self._streams.get(id)
        isNew = fmt < 3 or known is None or not known.remaining
        before = None if known is None or id in self._before else _copy(known)
        try:
            if not self._readHeader():
                return None
        except RemoteProtocolError:
            self.reach = start + _headerSize(self._data, position)
            raise
        stream = self._stream
        assert stream is not None
        header = self._data[position : self._position]
        self._chunk = (start, fmt, header, self._chunkLeft)
        self._seen = 0
        if fmt == 3 and stream.extended is not None and len(header) < _EXTENSION:
            ahead = self._data[self._position : self._position + _EXTENSION]
            self._seen = self.offset + _common(ahead, stream.extended) + 1
        if self.fixed is not None and self.deviation is None:
            self._compare(stream)
        if isNew:
            self._before.setdefault(id, before)
            self._start(stream)
        return stream

    def _start(self, stream: ChunkStream) -> None:
        """A message begins."""
        dropped = self._chunks.get(stream.id)
        self._chunks[stream.id] = []
        self._count -= len(dropped or ())
        self.reach = max(self.offset, self._seen)
        if len(self._chunks) > self._limits.partialMessages:
            raise self._excess(f"more than {self._limits.partialMessages} messages half sent", stream)
        # A new message in the midst of another drops that (wire facts 2.6): nobody does it, but what is none may.
        why = "" if dropped is None else "a message begins where another was to go on"
        why = why or strangeness(stream)
        if why and not self.credulous:
            raise StrangeHeader(why, offset=self._chunk[0], chunkStream=stream.id, messageType=stream.type)

    def _inherit(self, id: int, trunk: ChunkWalker) -> None:
        """Take over what a chunk stream was at the mark."""
        known = trunk._before[id] if id in trunk._before else trunk._streams.get(id)
        if known is not None:
            self._streams[id] = _copy(known)

    def _compare(self, stream: ChunkStream) -> None:
        """Whether who obeys the announcements reads this chunk otherwise."""
        size = min(self.announced, self.chunkSize)
        if stream.remaining > size and self.announced != self.chunkSize:
            self.deviation = Deviation(self.offset + size, self.announced, stream.length)

    def _chunkStreamId(self) -> int:
        """Of the next header; as far as its bytes are there."""
        data, position = self._data, self._position
        id = data[position] & 0x3F
        return id if id > 1 else 64 + int.from_bytes(data[position + 1 : position + 2 + id], "little")

    def _take(self, stream: ChunkStream) -> bool:
        """
        Take what is here of the chunk's body, and of the plain chunks that go on with the message.

        @return: whether the last of them is complete.
        """
        data, position, left = self._data, self._position, self._chunkLeft
        size = min(left, len(data) - position)
        allowed = self._limits.partialBytes - self._partialBytes
        if size > allowed:
            self._position += allowed
            self.reach = self.offset + 1
            raise self._excess(f"more than {self._limits.partialBytes} bytes of messages half sent", stream)
        body = stream.body
        if body is None:
            body = stream.body = bytearray()
            self._partialMessages += 1
        body += data[position : position + size]
        stream.remaining -= size
        self._partialBytes += size
        self._position = position + size
        self._chunkLeft = left - size
        if size < left:
            return False
        self._note(stream)
        if stream.remaining and stream.extended is None and stream.next >= 0:
            self._takePlain(stream, body)
        return True

    def _takePlain(self, stream: ChunkStream, body: bytearray) -> None:
        """The chunks behind it, as long as each is here whole, and has the header of one byte that goes on."""
        data, position, base, size = self._data, self._position, self._base, self.chunkSize
        remaining, id, next, end = stream.remaining, stream.id, stream.next, len(data)
        chunks, header = self._chunks[id], bytes((next,))
        # Too near to a limit, it is done one by one.
        count = min((self._limits.partialBytes - self._partialBytes) // size, MOST_CHUNKS - self._count)
        start, known = position, len(chunks)
        while remaining and count > 0 and position < end and data[position] == next:
            part = size if size < remaining else remaining
            stop = position + 1 + part
            if stop > end:
                break
            body += data[position + 1 : stop]
            chunks.append(Chunk(base + position, 3, id, header, part))
            remaining -= part
            count -= 1
            position = stop
        added = len(chunks) - known
        self._count += added
        self._partialBytes += position - start - added
        self._position, stream.remaining = position, remaining

    def _note(self, stream: ChunkStream) -> None:
        """A chunk is complete."""
        start, fmt, header, size = self._chunk
        self._stream = None
        self._count += 1
        if self._count > MOST_CHUNKS:
            self.reach = self.offset
            raise self._excess(f"more than {MOST_CHUNKS} chunks of messages half sent", stream)
        lacks = fmt == 3 and stream.extended is not None and len(header) < _EXTENSION
        extended = None if stream.extended is None or lacks else int.from_bytes(stream.extended, "big")
        self._chunks[stream.id].append(Chunk(start, fmt, stream.id, header, size, extended, lacks))

    def _complete(self, stream: ChunkStream) -> tuple[Message, tuple[Chunk, ...]]:
        message = Message(stream.type, stream.timestamp, stream.streamId, bytes(stream.body or b""), stream.id)
        self._forget(stream)
        self.reach = max(self.offset, self._seen)
        chunks = tuple(self._chunks.pop(stream.id))
        self._count -= len(chunks)
        if stream.type in _CHANGES_READING:
            self._obey(message)
        return message, chunks

    def _obey(self, message: Message) -> None:
        """Set Chunk Size and Abort (sections 5.4.1, 5.4.2)."""
        value = controlValue(message)
        if value is None:
            return
        if message.type == MessageType.ABORT:
            if value in self._chunks:
                aborted = self._streams[value]
                aborted.remaining = 0
                self._forget(aborted)
                self._count -= len(self._chunks.pop(value))
        elif 1 <= value <= 0x7FFFFFFF:
            self.announced = min(value, MAX_MESSAGE_SIZE)
            self.chunkSize = self.announced if self.fixed is None else self.fixed


def _copy(stream: ChunkStream) -> ChunkStream:
    """What a chunk stream's next header builds on; its message is not copied."""
    new = ChunkStream(stream.id)
    new.timestamp, new.delta, new.length = stream.timestamp, stream.delta, stream.length
    new.type, new.streamId, new.extended = stream.type, stream.streamId, stream.extended
    return new


def _headerSize(data: bytes, position: int) -> int:
    """The size of the header there, bytes; but for type 3, with its extended timestamp."""
    fmt, id = data[position] >> 6, data[position] & 0x3F
    basic = 1 if id > 1 else 2 + id
    stamp = data[position + basic : position + basic + 3]
    isExtended = fmt < 3 and int.from_bytes(stamp, "big") == EXTENDED
    return basic + HEADER_SIZES[fmt] + (_EXTENSION if isExtended else 0)


def _common(one: bytes, other: bytes) -> int:
    """How many bytes are the same at the beginning."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
