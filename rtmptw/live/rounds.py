# -*- test-case-name: tests.live.test_rounds -*-
"""
Rounds: when viewers are given what has come.

Sending to a viewer costs the same few microseconds for one message as for ten that lie in one block. So the load of a
server depends on how often it sends much more than on how much, and the time between is the one thing to regulate:

- There is one row of rounds for all streams of a process. A round gives every viewer of every stream on which something
  has come since the last one all there is for it.
- A round that took T seconds of processor time is not followed by the next one before T * (1 / L{SHARE} - 1) have
  passed: rounds take no more than that share of a processor. With a few viewers every message leaves at once. With
  thousands the rounds become longer by themselves, so each sends more, until the load fits.
- Not all of that time need be waited if it is little: small rounds may follow each other at once until they owe
  L{TOLERANCE}. A timer for less costs more than it saves.
- The time between is never less than C{least} and never more than C{most}: behind C{most} the share grows, for lateness
  would be worse.
- What fills a block need not wait: a publisher that is read at full speed is sent at full speed.
- A round that is long lets others have their turn, publishers first of all, each L{SLICE}. Who comes last in it is sent
  what has come meanwhile too.
- Nobody who watches, no round; unless publishers are read in rounds (L{rtmptw.door}), which then is done first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
    """

    least: float = 0.0
    most: float = 0.045


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
        self._gather: Callable[[], Iterator[None]] | None = None
        self._least = self.times.least
        self._round: Iterator[None] = iter(())
        self._call: IDelayedCall | None = None
        self._isRunning = False
        self._isServing = False
        self._cost = 0.0
        self._owed = 0.0
        self._next = 0.0

    def due(self, stream: LiveStream, isFull: bool = False) -> None:
        """
        Something has come on a stream. Its viewers are given it now, or soon.

        @param isFull: whether it is so much that it need not wait.
        """
        self._due[stream] = None
        if self._isRunning or (self._call is not None and not isFull):
            return
        wait = 0.0 if isFull else self._next - self._clock.seconds()
        if wait > TOLERANCE:
            self._call = self._clock.callLater(wait, self._begin)
            return
        if self._call is not None:
            self._call.cancel()
        self._begin()

    def gather(self, read: Callable[[], Iterator[None]] | None, least: float = 0.0) -> None:
        """
        Begin every round by reading publishers, and let rounds follow each other without end; or do not any more.

        @param read: reads one of them at each step.
        @param least: at least so many seconds are between rounds then.
        """
        self._gather = read
        self._least = max(self.times.least, least)
        if read is not None and self._call is None and not self._isRunning:
            self._call = self._clock.callLater(self._least, self._begin)

    def _begin(self) -> None:
        self._round = self._steps()
        self._cost = 0.0
        # What is owed is owed behind this round: the round itself is no pause.
        self._owed = min(max(self._next - self._clock.seconds(), 0.0), TOLERANCE)
        self._isServing = False
        self._go()

    def _steps(self) -> Iterator[None]:
        """The round itself."""
        if self._gather is not None:
            yield from self._gather()
        due, self._due = self._due, {}
        for stream in due:
            self._isServing = True
            yield from stream.round()

    def _go(self) -> None:
        """Begin the round, or go on with it."""
        self._call, self._isRunning = None, True
        began, isOver = self._processorTime(), True
        try:
            for count, _ in enumerate(self._round, 1):
                if not count % _LOOK and self._processorTime() - began > SLICE:
                    isOver = False
                    break
        except Exception:
            # Every stream waits for the next round.
            self._log.failure("a round was broken off")
        self._cost += self._processorTime() - began
        if isOver:
            self._isRunning = False
            self._end()
        else:
            self._call = self._clock.callLater(0, self._go)

    def _end(self) -> None:
        now, most = self._clock.seconds(), self.times.most
        pause = min(max(self._cost * (1 / SHARE - 1), self._least), most)
        if self._gather is not None and not self._isServing:
            # Nobody waits for it.
            pause = max(pause, UNWATCHED)
        self._next = now + self._owed + pause
        if self._due or self._gather is not None:
            self._call = self._clock.callLater(max(self._next - now, 0.0), self._begin)
