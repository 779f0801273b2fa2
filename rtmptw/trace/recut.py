# -*- test-case-name: tests.trace.test_recut -*-
"""
When chunks make no sense: the same bytes, cut otherwise (wire facts 3.6, rows 2 and 3).

Who forgets to cut a message into chunks, or cuts it at another size than it has announced, writes bytes that its reader
takes for headers, and from there on all is nonsense. What was meant shows when the bytes are read with other chunk
sizes: a L{Doubt} reads them with all that come into question, until one reading is proven, or all but one have failed::

                     |  fails by                       |  is proven by
    -----------------+---------------------------------+--------------------------------------------------
    as before        |  bytes that are no chunk        |  PROOF chunk headers without anything strange, or
                     |                                 |  AMF values, long enough to depend on the cut
    otherwise        |  that, a strange header, or a   |  the same, but the first message of them must be
                     |  message that makes no sense    |  longer than one of the two chunk sizes

Whatever pieces the bytes come in, the verdict is the same: it falls at the first byte at which it can. So each reading
goes as far as its own verdict, and the one as before no further than the earliest of the others'.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from rtmptw.errors import RemoteProtocolError
from rtmptw.trace.chunkwalker import UNCUT, ChunkWalker, Mark
from rtmptw.trace.entry import Chunk
from rtmptw.trace.sense import isDoubtful, isProof, makesSense
from rtmptw.trace.strangeheader import StrangeHeader
from rtmptw.wire.chunkheader import DEFAULT_CHUNK_SIZE
from rtmptw.wire.message import Message

__all__ = ["KEPT", "MOST_HELD", "PROOF", "Doubt", "Found", "Recut", "Reread", "chunkSizes"]

#: How many chunk headers must make sense before that is no accident.
PROOF = 3

#: How far behind a mark a doubt may reach, bytes.
KEPT = 1024 * 1024

#: How many messages may be held back while it is in doubt whether they are any.
MOST_HELD = 1024

#: What servers and clients announce, bytes (wire facts 2.5).
_CUSTOMARY = (4096, 65536, 60000)


@dataclass(frozen=True, slots=True)
class Recut:
    """
    How it was meant.

    @ivar size: the chunk size that fits, bytes; L{UNCUT} if messages are not cut at all.
    @ivar expected: the chunk size that a reader has to use there, bytes.
    @ivar announced: whether that was announced; else it is the default.
    @ivar length: the size of the first message that this concerns, bytes.
    @ivar offset: the first byte where a reader goes wrong, in the stream of its side.
    """

    size: int
    expected: int
    announced: bool
    length: int
    offset: int


class Found(NamedTuple):
    """
    A message that a reading has found.

    @ivar message: as it was read.
    @ivar chunks: its chunks.
    @ivar announced: the chunk size that was announced when it was complete, bytes.
    @ivar reach: the byte behind the last one that had to come for it.
    @ivar recut: what was wrong with its chunks.
    """

    message: Message
    chunks: tuple[Chunk, ...]
    announced: int
    reach: int
    recut: Recut | None = None

    def holds(self, offset: int) -> bool:
        """Whether that byte is in its chunks, or right behind one."""
        return any(chunk.offset < offset <= chunk.offset + chunk.headerSize + chunk.size for chunk in self.chunks)


def chunkSizes(announced: int, peer: int) -> tuple[int, ...]:
    """
    The chunk sizes that come into question, the likeliest first, and none twice.

    @param announced: what the side has announced, bytes.
    @param peer: what the other side has announced for its own chunks, bytes.
    """
    return tuple(dict.fromkeys((DEFAULT_CHUNK_SIZE, UNCUT, announced, peer, *_CUSTOMARY)))


class Reread:
    """
    The bytes behind a mark, cut at one size.

    @ivar walker: who reads them.
    @ivar size: the chunk size, bytes.
    @ivar found: the messages.
    @ivar holds: whether this is how it was meant; L{None} while that is open.
    @ivar until: the byte behind the last one that had to come for that.
    @ivar fault: why it can't be read.
    """

    def __init__(self, walker: ChunkWalker, size: int, sizes: Iterable[int], least: int) -> None:
        """
        @param sizes: those that come into question, bytes.
        @param least: the size of the largest message that every reading reads alike, bytes.
        """
        self.walker = walker
        self.size = size
        self.found: list[Found] = []
        self.holds: bool | None = None
        self.until = 0
        self.fault: RemoteProtocolError | None = None
        self._sizes = tuple(each for each in sizes if each < size)
        self._least = least
        self._proof = 0

    @property
    def fits(self) -> bool:
        """Whether something speaks for it, and nothing is half there."""
        return self.holds is not False and self._proof > 0 and self.isAtEnd

    @property
    def isAtEnd(self) -> bool:
        """Whether nothing is half there."""
        return self.walker.isBetween and not self.walker.held

    @property
    def recut(self) -> Recut | None:
        """What its side has done; L{None} if it has done as announced."""
        deviation = self.walker.deviation
        if deviation is None:
            return None
        expected = deviation.expected
        return Recut(self.size, expected, expected != DEFAULT_CHUNK_SIZE, deviation.length, deviation.offset)

    def add(self, data: bytes) -> None:
        """Take more bytes, and read as far as it is open whether this is how it was meant."""
        if self.holds is not False:
            self.walker.add(data)
        self._read()

    def finish(self) -> None:
        """No more bytes will come."""
        if self.holds is None:
            self.walker.finish()
            self._read()

    def _read(self) -> None:
        walker = self.walker
        while self.holds is None:
            try:
                read = walker.read()
            except StrangeHeader:
                self._refute()
            except RemoteProtocolError as error:
                # The traceback would keep all that was read.
                self.fault = error.with_traceback(None)
                self._decide(False)
            else:
                if read is None:
                    return
                self.found.append(Found(*read, walker.announced, walker.reach))
                self._weigh(*read)

    def _weigh(self, message: Message, chunks: tuple[Chunk, ...]) -> None:
        """What a message says of the reading."""
        if not makesSense(message):
            self._refute()
        elif isDoubtful(message, chunks, self.size, self._sizes):
            self._suspect()
        elif self.walker.isBetween:
            isLong = len(message.payload) > self._least
            if isLong and isProof(message):
                self._proof = PROOF
            elif isLong or self._counts:
                # Each chunk header that stands in its place counts. But whatever stands where a message may begin can
                # be one of type 2 or 3.
                self._proof += len(chunks) - (chunks[0].fmt > 1)
        if self.holds is None and self._proof >= PROOF:
            self._decide(True)
        elif self.holds is None and len(self.found) > MOST_HELD:
            self._tire()

    @property
    def _counts(self) -> bool:
        """Whether messages that every reading reads alike count by now."""
        return self._proof > 0

    def _refute(self) -> None:
        """Something makes no sense."""
        self._decide(False)

    def _suspect(self) -> None:
        """A message may have been cut otherwise: it proves nothing."""

    def _tire(self) -> None:
        """Too many messages have come without proof."""
        self._decide(False)

    def _decide(self, holds: bool) -> None:
        self.holds, self.until = holds, self.walker.reach


class _AsBefore(Reread):
    """The reading that is in doubt: it needs no long message, and what is strange in it may be real."""

    @property
    def _counts(self) -> bool:
        return True

    def _refute(self) -> None:
        self._proof = 0

    _suspect = _refute

    def _tire(self) -> None:
        self._decide(True)


class Doubt:
    """
    All readings of the bytes behind a mark.

    @ivar before: the reading that is in doubt.
    """

    def __init__(
        self, walker: ChunkWalker, mark: Mark, sizes: tuple[int, ...], found: list[Found], data: bytes
    ) -> None:
        """
        @param walker: who has read on from the mark until doubt came, and holds no more bytes.
        @param sizes: the chunk sizes that come into question, bytes (L{chunkSizes}).
        @param found: what it has read.
        @param data: the bytes that it has read.
        """
        self._end = mark.offset + KEPT
        self._offset = walker.offset
        size = mark.chunkSize
        self.before = _AsBefore(walker, size, sizes, min((size, *sizes)))
        self.before.found = found
        self._others = [
            Reread(walker.branch(mark, other), other, sizes, min(other, size)) for other in sizes if other != size
        ]
        for each in self._others:
            each.add(data)

    def fail(self, fault: RemoteProtocolError) -> None:
        """The reading in doubt can't go on."""
        self.before.fault, self.before.holds, self.before.until = fault, False, self.before.walker.reach

    def add(self, data: bytes) -> Reread | None:
        """
        Take more bytes.

        @return: the reading that is to be believed, or L{None} while that is open. If it is L{before}, it may have
            failed as well, and then there is none.
        """
        for each in self._others:
            each.add(data)
        start = self._offset
        self._offset += len(data)
        limit = self._limit()
        if limit is None:
            self.before.add(data)
            return self.before if self.before.holds else None
        share, canRead = max(0, limit - start), self.before.holds is None
        self.before.add(data[:share])
        winner = self._winner(limit)
        if winner is self.before and canRead:
            self.before.walker.add(data[share:])
        return winner

    def settle(self) -> Reread | None:
        """No bytes have come for a while: believe what leaves nothing half said, unless it may do so by accident."""
        before = self.before
        if before.holds is None and before.isAtEnd:
            return before
        isLost = before.holds is False
        return next((each for each in self._others if each.holds or (each.fits and isLost)), None)

    def finish(self) -> Reread:
        """No more bytes will come."""
        for each in (*self._others, self.before):
            each.finish()
        return self.settle() or self.before

    def _limit(self) -> int | None:
        """Where it is clear what the other readings are worth, if that is seen by now."""
        proven = [each.until for each in self._others if each.holds]
        if proven:
            limit = min(proven)
        elif all(each.holds is False for each in self._others):
            limit = max((each.until for each in self._others), default=0)
        else:
            limit = self._end
        limit = min(limit, self._end)
        return limit if limit <= self._offset else None

    def _winner(self, limit: int) -> Reread:
        if self.before.holds:
            return self.before
        return next((each for each in self._others if each.holds and each.until <= limit), self.before)
