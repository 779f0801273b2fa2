# -*- test-case-name: tests.trace.test_reading -*-
"""
Reading what one side says, whatever it says: nothing here raises, and nothing is believed before it makes sense.

The handshake is three blocks of fixed size; what comes behind it is read by a L{ChunkReading}. This makes entries of
what it finds, and says what was wrong with the chunks that carried it. If nothing makes sense, the rest is unreadable,
and is counted.

A message that is half there may be waited for, or may be what a missing chunk header has left over. Only silence tells:
whoever owns the clock calls L{StreamReading.settle} when nothing has come for a while.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rtmptw.errors import RemoteProtocolError
from rtmptw.trace.arrivals import Arrivals
from rtmptw.trace.chunkreading import ChunkReading
from rtmptw.trace.complaint import complaint
from rtmptw.trace.entry import Ending, Entry, HandshakeBlock, ReadMessage, Unreadable
from rtmptw.trace.recut import Found
from rtmptw.trace.segment import Side
from rtmptw.wire.chunkheader import DEFAULT_CHUNK_SIZE
from rtmptw.wire.digest import BLOCK_SIZE
from rtmptw.wire.handshake import HANDSHAKE_SIZE, ClientHandshake, ServerHandshake

__all__ = ["SHOWN", "SILENCE", "StreamReading"]

#: How many unreadable bytes an entry holds.
SHOWN = 256

#: How long nothing comes before what is half there is looked at again, seconds.
SILENCE = 1.0

#: The sizes of C0, C1, C2, and of S0, S1, S2, bytes (RTMP 1.0, section 5.2).
_BLOCKS = (1, BLOCK_SIZE, BLOCK_SIZE)

#: How much is read at a time, bytes: a doubt copies what has come and was not read yet.
_PIECE = 16 * 1024


class StreamReading:
    """
    One side of a connection.

    @ivar side: whose.
    @ivar received: how many bytes have come.
    @ivar peerChunkSize: what the other side has announced for its own chunks, bytes; whoever reads both sides sets it.
    """

    def __init__(self, side: Side) -> None:
        self.side = side
        self.received = 0
        self.peerChunkSize = DEFAULT_CHUNK_SIZE
        self._arrivals = Arrivals()
        self._blocks = list(_BLOCKS)
        #: What has come of the next block.
        self._start = b""
        self._chunks = ChunkReading(HANDSHAKE_SIZE)
        #: What can't be read, unless a doubt ends well; why; and whether that is told.
        self._unreadable: Unreadable | None = None
        self._fault: RemoteProtocolError | None = None
        self._isLost = False

    @property
    def chunkSize(self) -> int:
        """What this side has announced for its chunks, bytes."""
        return self._chunks.walker.announced

    @property
    def unfinished(self) -> str:
        """What is half there, or how much can't be read, in words; empty between messages."""
        if self._unreadable is not None:
            return f"{self._unreadable.size:,} bytes that can't be read"
        if self._blocks:
            size = self._blocks[0]
            return f"{self._blockName}: {len(self._start):,} of {size:,} bytes" if self._start else ""
        walker = self._chunks.walker
        stream, held = walker.unfinished, len(walker.held)
        if stream is not None:
            have = stream.length - stream.remaining
            return f"a message of type {stream.type}: {have:,} of {stream.length:,} bytes have come"
        return f"{held} bytes of a chunk header" if held else ""

    def feed(self, data: bytes, at: float) -> list[Entry]:
        """
        Take more bytes. All that can't be read make one entry, whose size still grows then.

        @param at: when they came, seconds since the connection began.
        """
        entries: list[Entry] = []
        for start in range(0, len(data), _PIECE):
            entries += self._take(data[start : start + _PIECE], at)
        return entries

    def settle(self, at: float) -> list[Entry]:
        """
        Nothing has come for a while: look again at what is half there.

        @param at: when that is, seconds since the connection began.
        """
        return [] if self._blocks or self._isLost else list(self._told(self._chunks.settle()))

    def finish(self, at: float, how: str) -> list[Entry]:
        """
        Nothing will come any more.

        @param at: when that was clear, seconds since the connection began.
        @param how: such as C{"FIN"} or C{"RST"}.
        """
        entries = [] if self._blocks or self._isLost else list(self._told(self._chunks.finish()))
        return [*entries, Ending(self.side, at, self.received, how, self.unfinished)]

    def _take(self, data: bytes, at: float) -> Iterator[Entry]:
        self.received += len(data)
        if self._unreadable is not None:
            self._unreadable.size += len(data)
            self._unreadable.data += data[: SHOWN - len(self._unreadable.data)]
        if self._isLost:
            return
        self._arrivals.add(self.received, at)
        if self._blocks:
            self._start += data
            yield from self._shakeHands()
            if self._blocks or self._isLost:
                return
            data, self._start = self._start, b""
        self._chunks.peerChunkSize = self.peerChunkSize
        yield from self._told(self._chunks.feed(data))
        self._arrivals.forget(self._chunks.start)

    def _shakeHands(self) -> Iterator[Entry]:
        if len(self._blocks) == len(_BLOCKS):
            try:
                # The first byte tells what else it may be.
                handshake = ServerHandshake() if self.side is Side.CLIENT else ClientHandshake()
                handshake.start()
                handshake.feed(self._start[:1])
            except RemoteProtocolError as error:
                self._isLost = True
                self._unreadable = self._refuse(0, error.reason, self._start)
                yield self._unreadable
                return
        while self._blocks and len(self._start) >= self._blocks[0]:
            name = self._blockName
            size = self._blocks.pop(0)
            offset = self.received - len(self._start)
            block, self._start = self._start[:size], self._start[size:]
            yield HandshakeBlock(self.side, self._arrivals.at(offset + size), offset, name, block)

    @property
    def _blockName(self) -> str:
        """Of the block that comes next."""
        letter = "C" if self.side is Side.CLIENT else "S"
        return f"{letter}{len(_BLOCKS) - len(self._blocks)}"

    def _told(self, messages: Iterable[Found]) -> Iterator[Entry]:
        """Entries for what was found, and for what can't be read."""
        for found in messages:
            at = self._arrivals.at(found.reach)
            message, chunks = found.message, found.chunks
            entry = ReadMessage(self.side, at, chunks[0].offset, message, chunks, found.announced)
            if found.recut is not None:
                entry.violations.append(complaint(self.side, found.recut, self.peerChunkSize))
            yield entry
        fault = self._chunks.fault
        if fault is not self._fault:
            self._fault = fault
            walker = self._chunks.walker
            self._unreadable = None if fault is None else self._refuse(walker.offset, str(fault), walker.held)
        if self._unreadable is not None and self._chunks.isLost:
            self._isLost = True
            self._chunks.drop()
            yield self._unreadable

    def _refuse(self, offset: int, reason: str, data: bytes) -> Unreadable:
        """An entry for what can't be read."""
        at = self._arrivals.at(offset + 1)
        return Unreadable(self.side, at, offset, data[:SHOWN], self.received - offset, reason)
