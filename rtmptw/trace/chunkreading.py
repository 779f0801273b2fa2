# -*- test-case-name: tests.trace.test_chunkreading -*-
"""
Messages from chunks, none of them believed before it makes sense.

The L{ChunkWalker} reads. Each time that it stands between messages and all was well, a mark is set; where something
makes no sense behind it, there is a L{Doubt}::

                 strange header, no header,                   the reading as before
                 seams in a message                           is proven, or is left
      +--------+ ------------------------> +----------+ -----------------------------> as before
      |  well  |                           |  doubt   | ----> cut otherwise, which is told
      +--------+ <------------------------ +----------+ ----> lost: nothing can be read

Messages behind the mark are held back: those that are complete while the chunks of another still come, and those that
came while there is a doubt. They may be no messages. But neither bytes nor messages are held without end: when too many
have come, there is no going back any more.
"""

from __future__ import annotations

from collections.abc import Iterator

from rtmptw.errors import RemoteProtocolError
from rtmptw.trace.chunkwalker import ChunkWalker, Mark
from rtmptw.trace.recut import KEPT, MOST_HELD, Doubt, Found, Reread, chunkSizes
from rtmptw.trace.sense import isDoubtful, makesSense
from rtmptw.trace.strangeheader import StrangeHeader
from rtmptw.wire.chunkheader import DEFAULT_CHUNK_SIZE

__all__ = ["ChunkReading"]


class ChunkReading:
    """
    The chunks of one side.

    @ivar walker: who reads them; while there is a doubt, as before.
    @ivar peerChunkSize: what the other side has announced for its own chunks, bytes.
    @ivar fault: why it can't be read any further, unless there is a doubt.
    """

    def __init__(self, offset: int) -> None:
        """
        @param offset: how many bytes came before.
        """
        self.walker = ChunkWalker(offset)
        self.peerChunkSize = DEFAULT_CHUNK_SIZE
        self.fault: RemoteProtocolError | None = None
        #: The bytes that are not read for good: from the mark on, or else those that are not read at all.
        self._kept, self._base = bytearray(), offset
        #: Where all was well; None if that is too long ago.
        self._mark: Mark | None = self.walker.mark()
        self._held: list[Found] = []
        self._doubt: Doubt | None = None

    @property
    def isLost(self) -> bool:
        """Whether nothing more will be read."""
        return self.fault is not None and self._doubt is None

    @property
    def start(self) -> int:
        """The first byte that is not read for good."""
        return self.walker.offset if self._mark is None else self._mark.offset

    def feed(self, data: bytes) -> Iterator[Found]:
        """Take more bytes, unless it is lost."""
        if self._doubt is not None:
            winner = self._doubt.add(data)
            if winner is None:
                self.fault = self._doubt.before.fault
                return
            yield from self._believe(winner)
        else:
            self._kept += data
            self.walker.add(data)
        yield from self._read()
        self._clear()

    def settle(self) -> Iterator[Found]:
        """Nothing has come for a while: look again at what is half there."""
        winner, walker = None, self.walker
        if self._doubt is not None:
            winner = self._doubt.settle()
        elif self._mark is not None and (walker.held or not walker.isBetween):
            doubt, rest = self._makeDoubt(self._mark)
            winner = doubt.add(rest) or doubt.settle()
        if winner is not None:
            yield from self._believe(winner)
            yield from self._read()
        elif self._doubt is None and self._held:
            # They are shown, and can't be taken back then.
            self._mark = None
            yield from self._release()
        self._clear()

    def finish(self) -> Iterator[Found]:
        """No more bytes will come."""
        self.walker.finish()
        yield from self._read()
        while self._doubt is not None:
            yield from self._believe(self._doubt.finish())
            yield from self._read()
        if self.fault is None:
            yield from self.settle()
            yield from self._release()

    def drop(self) -> None:
        """Keep nothing but what was announced: it is lost."""
        announced = self.walker.announced
        self.walker = ChunkWalker(self.walker.offset)
        self.walker.announced, self._kept = announced, bytearray()

    def _read(self) -> Iterator[Found]:
        """Read as far as it goes without doubt."""
        while self.fault is None and self._doubt is None:
            walker = self.walker
            try:
                read = walker.read()
            except RemoteProtocolError as error:
                yield from self._wonder(error)
                continue
            if read is None:
                self._forgetMark(self._base + len(self._kept))
                break
            found = Found(*read, walker.announced, walker.reach)
            self._held.append(found)
            self._forgetMark(walker.reach)
            if self._mark is not None and self._looksWrong(found):
                yield from self._startDoubt(self._mark)
            elif self._mark is None or walker.isBetween:
                yield from self._release()
                self._mark = walker.mark()
        if self._mark is None:
            yield from self._release()

    def _wonder(self, error: RemoteProtocolError) -> Iterator[Found]:
        """A header is strange, or none at all."""
        self._forgetMark(self.walker.reach)
        # The traceback would keep all that was read.
        fault = None if isinstance(error, StrangeHeader) else error.with_traceback(None)
        # Right behind the mark it reads the same, whatever the chunk size is.
        if self._mark is not None and error.offset != self._mark.offset:
            yield from self._startDoubt(self._mark, fault)
        elif fault is not None:
            self.fault = fault
            yield from self._release()

    def _looksWrong(self, found: Found) -> bool:
        """Whether a message, long enough to depend on the chunk size, may have been cut otherwise."""
        message, walker = found.message, self.walker
        if len(message.payload) <= DEFAULT_CHUNK_SIZE:
            return False
        sizes = chunkSizes(walker.announced, self.peerChunkSize)
        return not makesSense(message) or isDoubtful(message, found.chunks, walker.chunkSize, sizes)

    def _makeDoubt(self, mark: Mark) -> tuple[Doubt, bytes]:
        """
        Look at the bytes behind the mark.

        @return: and the bytes that were not read, to be read by the doubt.
        """
        rest = self.walker.withdraw()
        data = bytes(self._kept[mark.offset - self._base : self.walker.offset - self._base])
        sizes = chunkSizes(mark.announced, self.peerChunkSize)
        return Doubt(self.walker, mark, sizes, self._held, data), rest

    def _startDoubt(self, mark: Mark, fault: RemoteProtocolError | None = None) -> Iterator[Found]:
        doubt, rest = self._makeDoubt(mark)
        if fault is not None:
            self.walker.add(rest)
            doubt.fail(fault)
        winner = doubt.add(rest)
        if winner is None:
            self._doubt, self.fault = doubt, doubt.before.fault
        else:
            yield from self._believe(winner)

    def _believe(self, winner: Reread) -> Iterator[Found]:
        """The doubt is over."""
        self._doubt, self.fault, self._held = None, winner.fault, winner.found
        recut = winner.recut if winner.walker is not self.walker else None
        self.walker = winner.walker
        self.walker.detach()
        for found in self._release():
            if recut is not None and found.holds(recut.offset):
                found, recut = found._replace(recut=recut), None
            yield found
        self._mark = self.walker.mark()
        self._kept, self._base = bytearray(self.walker.held), self.walker.offset

    def _release(self) -> list[Found]:
        """What was held back is believed."""
        held, self._held = self._held, []
        return held

    def _forgetMark(self, offset: int) -> None:
        """Too much may have come since the mark by then."""
        if self._mark is not None and (offset - self._mark.offset > KEPT or len(self._held) > MOST_HELD):
            self._mark = None

    def _clear(self) -> None:
        """Keep only what may have to be read again, or is not read yet."""
        start = self.start
        del self._kept[: start - self._base]
        self._base = start
