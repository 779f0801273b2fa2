# -*- test-case-name: tests.test_server -*-
"""
The connections of a factory, and the second hand that moves their deadlines, and all that goes by seconds besides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import thread_time

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from rtmptw.door import Door
from rtmptw.gate.admission import Admission
from rtmptw.gate.memoryguard import MemoryGuard
from rtmptw.limits import LimitNews
from rtmptw.protocol import RTMPProtocol

__all__ = ["SLICE", "Connections"]

#: How long connections are looked at before the reactor has its turn, and what comes is read, seconds of processor
#: time. All of thousands, in one go, would make everybody wait for longer than a frame lasts, once a second.
SLICE = 0.001


class Connections:
    """
    Those that there are now. While there is any, each has its C{second()} called every second, some of them in each
    turn of the reactor.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        door: Door | None = None,
        admission: Admission | None = None,
        guard: MemoryGuard | None = None,
        news: LimitNews | None = None,
        trim: Callable[[], None] | None = None,
        processorTime: Callable[[], float] = thread_time,
    ) -> None:
        """
        @param door: where publishers are read together, if there are many.
        @param admission: what has to know who is there.
        @param guard: what lets go of some when memory is short.
        @param news: what tells the log of limits.
        @param trim: what sees to it that not too much is kept for viewers.
        @param processorTime: how much this thread has worked, seconds.
        """
        self._clock = clock
        self._door = door
        self._admission = admission
        self._guard = guard
        self._news = news
        self._trim = trim
        self._processorTime = processorTime
        self._protocols: dict[RTMPProtocol, None] = {}
        self._seconds = LoopingCall(self._second)
        self._seconds.clock = clock
        self._turn: IDelayedCall | None = None
        self._lastSecond = 0.0
        self._isLate = False
        self._emptied: list[Deferred[None]] = []

    def __iter__(self) -> Iterator[RTMPProtocol]:
        return iter(tuple(self._protocols))

    def __len__(self) -> int:
        return len(self._protocols)

    def add(self, protocol: RTMPProtocol) -> None:
        """A connection has come."""
        self._protocols[protocol] = None
        if not self._seconds.running:
            self._lastSecond = self._clock.seconds()
            self._seconds.start(1.0, now=False)
        if self._admission is not None:
            self._admission.add(protocol)

    def remove(self, protocol: RTMPProtocol) -> None:
        """A connection has gone, and is done with."""
        self._protocols.pop(protocol, None)
        if self._admission is not None:
            self._admission.remove(protocol)
        if not self._protocols:
            if self._seconds.running:
                self._seconds.stop()
            if self._turn is not None:
                self._turn.cancel()
                self._turn = None
            if self._door is not None:
                self._door.close()
            if self._news is not None:
                # There may be no next second for long.
                self._news.second(self._clock.seconds())
            emptied, self._emptied = self._emptied, []
            for deferred in emptied:
                deferred.callback(None)

    def whenEmpty(self) -> Deferred[None]:
        """
        @return: fires when there is none any more.
        """
        if not self._protocols:
            return succeed(None)
        emptied: Deferred[None] = Deferred()
        self._emptied.append(emptied)
        return emptied

    def _second(self) -> None:
        now = self._clock.seconds()
        late, self._lastSecond = now - self._lastSecond - 1, now
        # This is called late if the process was stopped or busy: then what has come is still to be read, and it is the
        # next time that anybody is looked at. But not if it is always so.
        self._isLate = late >= 1 and not self._isLate
        if late >= 1:
            self._stoodStill(late)
        if self._admission is not None:
            self._admission.second()
        if self._guard is not None:
            self._guard.second(tuple(self))
        if self._trim is not None:
            self._trim()
        if self._news is not None:
            self._news.second(now)
        # With very many, the last second may not have passed for all of them yet.
        if not self._isLate and self._turn is None:
            self._look(iter(self), now)

    def _look(self, protocols: Iterator[RTMPProtocol], asked: float) -> None:
        """
        A second passes for some of those that are left, and for the others in the next turns.

        @param asked: when this turn was asked for, seconds.
        """
        self._turn, now = None, self._clock.seconds()
        stopped = now - max(asked, self._lastSecond)
        if stopped >= 1:
            # The next second shall not count it again; and here as well, what has come is still to be read.
            self._lastSecond += stopped
            self._stoodStill(stopped)
        else:
            began = self._processorTime()
            for protocol in protocols:
                if protocol in self._protocols:
                    protocol.second()
                if self._processorTime() - began > SLICE:
                    break
            else:
                self._gather()
                return
        if self._protocols:
            self._turn = self._clock.callLater(0, self._look, protocols, now)

    def _stoodStill(self, seconds: float) -> None:
        """Nobody could be heard for so long."""
        self._log.warn("this process has stood still for {seconds:.1f} s: that is nobody's silence", seconds=seconds)
        for protocol in self:
            protocol.clockStopped(seconds)

    def _gather(self) -> None:
        """A second has passed for all, so it is known how much each publisher sends."""
        if self._door is not None:
            # Who plays as well may have something that waits to be sent. If such a connection is reset while it is not
            # watched for reading, the reactor closes it, and what has come would be lost.
            self._door.second(protocol.inlet for protocol in self if protocol.publishing and not protocol.playing)
