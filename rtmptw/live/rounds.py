# -*- test-case-name: tests.live.test_rounds -*-
"""
Rounds: when viewers are given what has come.

Sending to a viewer costs the same few microseconds for one message as for ten that lie in one block. So the load of a
server depends on how often it sends much more than on how much, and the time between is the one thing to regulate:

- There is one row of rounds for all streams of a process. A round gives every viewer of every stream on which something
  has come since the last one all there is for it; but for those who take nothing more (L{rtmptw.live.viewers}).
- A round that took T seconds of processor time is not followed by the next one before T * (1 / L{SHARE} - 1) have
  passed: rounds take no more than that share of a processor. With a few viewers every message leaves at once. With
  thousands the rounds become longer by themselves, so each sends more, until the load fits.
- Not all of that time need be waited if it is little: small rounds may follow each other at once until they owe
  L{TOLERANCE}. A timer for less costs more than it saves.
- Of the last three rounds the middle one counts: one that took long by chance (the garbage collector's turn, say) is
  late enough by itself.
- The time between is at least C{least} and at most C{most}: behind C{most} the share grows, for lateness would be
  worse.
- What fills a block need not wait, and is no reason for others not to: a stream that is read at full speed is sent at
  full speed, in rounds of its own.
- A round that is long lets others have their turn, publishers first of all, each L{SLICE}. Who comes last in it is sent
  what has come meanwhile too.
- Nobody who watches, no round; unless publishers are read in rounds (L{rtmptw.door}), which then is done first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf
from time import thread_time
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

if TYPE_CHECKING:
    from rtmptw.live.livestream import LiveStream

__all__ = ["SHARE", "SLICE", "TOLERANCE", "UNWATCHED", "FlushTimes", "Rounds"]

#: How much of a processor rounds may take, before they become longer.
SHARE = 0.15

#: How much of the time between rounds may be owed, seconds.
TOLERANCE = 0.001

#: The time between rounds, seconds, that only read publishers whom nobody watches.
UNWATCHED = 0.1

#: How long a round goes on at a time, seconds of processor time; it is looked at behind so many viewers.
SLICE = 0.01
_LOOK = 32


@dataclass(frozen=True)
class FlushTimes:
    """
    How much time is between rounds.

    @ivar least: seconds; what comes in this time leaves together, also with few viewers.
    @ivar most: seconds; 0: every message leaves at once, whatever that costs.
    @raise ValueError: if these are no times, or the least is more than the most.
    """

    least: float = 0.0
    most: float = 0.045

    def __post_init__(self) -> None:
        if not 0 <= self.least <= self.most < inf:
            raise ValueError(f"{self.least} and {self.most} s: not two times, the lesser one first")


class Rounds:
    """
    The rounds of one process.

    @ivar times: how much time may be between them.
    """

    _log = Logger()

    def __init__(
        self, clock: IReactorTime, times: FlushTimes | None = None, processorTime: Callable[[], float] = thread_time
    ) -> None:
        """
        @param processorTime: how much this thread has worked, seconds.
        """
        self.times = times or FlushTimes()
        self._clock = clock
        self._processorTime = processorTime
        self._due: dict[LiveStream, None] = {}
        self._readers: dict[Callable[[], Iterator[None]], float] = {}
        self._round: Iterator[None] = iter(())
        self._timer: IDelayedCall | None = None
        self._isRunning = self._isServing = self._isWhole = False
        self._cost = 0.0
        # Those of the last three rounds.
        self._costs: deque[float] = deque(maxlen=3)
        self._owed = 0.0
        self._next = 0.0

    def due(self, stream: LiveStream, isFull: bool = False) -> None:
        """
        Something has come on a stream. Its viewers are given it now, or soon.

        @param isFull: whether it is so much that it need not wait: then a round for this stream alone begins.
        """
        self._due[stream] = None
        if self._isRunning:
            return
        if isFull:
            self._begin(stream)
            return
        now = self._clock.seconds()
        if self._timer is not None:
            # The clock may have been set back: then it would not go off for as long.
            if self._timer.getTime() - now <= self.times.most + UNWATCHED:
                return
            self._timer.cancel()
            self._timer, self._next = None, now
        wait = self._next - now
        if TOLERANCE < wait <= self.times.most + UNWATCHED:
            self._timer = self._clock.callLater(wait, self._goOff)
        else:
            self._begin()

    def gather(self, read: Callable[[], Iterator[None]], least: float) -> None:
        """
        Begin every round by reading publishers, and let rounds follow each other without end.

        @param read: reads one of them at each step.
        @param least: at least so many seconds are between rounds then.
        """
        self._readers[read] = least
        if self._timer is None and not self._isRunning:
            self._timer = self._clock.callLater(least, self._goOff)

    def scatter(self, read: Callable[[], Iterator[None]]) -> None:
        """Undo L{gather}. Harmless when repeated."""
        self._readers.pop(read, None)

    def _goOff(self) -> None:
        self._timer = None
        if not self._isRunning:
            self._begin()

    def _begin(self, only: LiveStream | None = None) -> None:
        self._isRunning, self._isWhole = True, only is None
        self._round = self._steps() if only is None else self._serve(only)
        self._cost = 0.0
        # What is owed is owed behind this round: the round itself is no pause.
        self._owed = min(max(self._next - self._clock.seconds(), 0.0), TOLERANCE)
        self._isServing = False
        self._go()

    def _steps(self) -> Iterator[None]:
        """The whole round."""
        for read in tuple(self._readers):
            yield from read()
        for stream in tuple(self._due):
            yield from self._serve(stream)

    def _serve(self, stream: LiveStream) -> Iterator[None]:
        self._due.pop(stream, None)
        self._isServing = True
        return stream.round()

    def _go(self) -> None:
        """Begin the round, or go on with it."""
        began, isOver = self._processorTime(), True
        try:
            for count, _ in enumerate(self._round, 1):
                if not count % _LOOK and self._processorTime() - began > SLICE:
                    isOver = False
                    break
        except Exception:
            # Whoever was not given anything is still due.
            self._log.failure("a round was broken off")
        self._cost += self._processorTime() - began
        if isOver:
            self._end()
        else:
            self._clock.callLater(0, self._go)

    def _end(self) -> None:
        self._isRunning = False
        now, times = self._clock.seconds(), self.times
        if self._isWhole:
            least = max([times.least, *self._readers.values()])
            self._costs.append(self._cost)
            pause = min(max(sorted(self._costs)[len(self._costs) // 2] * (1 / SHARE - 1), least), times.most)
            if self._readers and not self._isServing:
                # Nobody waits for it.
                pause = max(pause, UNWATCHED)
            self._next = now + self._owed + pause
        if (self._due or self._readers) and self._timer is None:
            self._timer = self._clock.callLater(max(self._next - now, 0.0), self._goOff)
