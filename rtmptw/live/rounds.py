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
- A round that is long lets others have their turn, publishers first of all, each L{SLICE}. Who comes last in it is sent
  what has come meanwhile too.
- Nobody who watches, no round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from time import thread_time
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rtmptw.live.viewer import Viewer

if TYPE_CHECKING:
    from rtmptw.live.livestream import LiveStream

__all__ = ["SHARE", "SLICE", "TOLERANCE", "FlushTimes", "Rounds"]

#: How much of a processor rounds may take, before they become longer.
SHARE = 0.15

#: How much of the time between rounds may be owed, seconds.
TOLERANCE = 0.001

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
    most: float = 0.1


class Rounds:
    """
    The rounds of one process.
    """

    def __init__(
        self, clock: IReactorTime, times: FlushTimes | None = None, processorTime: Callable[[], float] = thread_time
    ) -> None:
        """
        @param processorTime: how much this thread has worked, seconds.
        """
        self._clock = clock
        self._times = times or FlushTimes()
        self._processorTime = processorTime
        self._due: dict[LiveStream, None] = {}
        self._round: Iterator[tuple[LiveStream, Viewer]] = iter(())
        self._call: IDelayedCall | None = None
        self._isRunning = False
        self._cost = 0.0
        self._next = 0.0

    def due(self, stream: LiveStream) -> None:
        """Something has come on a stream. Its viewers are given it now, or soon."""
        self._due[stream] = None
        if self._call is None and not self._isRunning:
            wait = self._next - self._clock.seconds()
            if wait > TOLERANCE:
                self._call = self._clock.callLater(wait, self._begin)
            else:
                self._begin()

    def _begin(self) -> None:
        due, self._due = self._due, {}
        self._round = self._viewers(due)
        self._cost = 0.0
        self._go()

    @staticmethod
    def _viewers(streams: Iterable[LiveStream]) -> Iterator[tuple[LiveStream, Viewer]]:
        for stream in streams:
            for viewer in stream.viewers:
                yield stream, viewer
            stream.forgetSurplus()

    def _go(self) -> None:
        """Begin the round, or go on with it."""
        self._call, self._isRunning = None, True
        began, isOver = self._processorTime(), True
        for count, (stream, viewer) in enumerate(self._round, 1):
            stream.serve(viewer, viewer.flush)
            if not count % _LOOK and self._processorTime() - began > SLICE:
                isOver = False
                break
        self._isRunning = False
        self._cost += self._processorTime() - began
        if isOver:
            self._end()
        else:
            self._call = self._clock.callLater(0, self._go)

    def _end(self) -> None:
        now, times = self._clock.seconds(), self._times
        pause = min(max(self._cost * (1 / SHARE - 1), times.least), times.most)
        self._next = max(self._next, now) + pause
        if self._due:
            self._call = self._clock.callLater(max(self._next - now, 0.0), self._begin)
