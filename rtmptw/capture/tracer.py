# -*- test-case-name: tests.capture.test_tracer -*-
"""
The tracer: a server that passes everything on to another one, both ways, and has somebody look at it.

::

    client  <-- leg -->  session  <-- leg -->  target
                            |
                        observer

It changes nothing. Bytes leave before the observer sees them, and neither of the two can tell that it is there but by
the time: who does not read is not written to, and the other is not read meanwhile; who closes one direction may still
hear the other; and after a reset the other side is reset, when it has what was said before. What waits here is one read
of each side (64 KiB).

Two things can't be kept up:

- TLS has no half of a connection: over it, one who closes has closed both directions, and hears what is on its way.
- A peer that resets the connection while it neither reads nor is read loses what the system still holds of it.

The observer may fail. That is logged once, it is told nothing more, and the session goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory, ServerFactory
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import Interface

from rtmptw.capture.leg import CLOSED, Leg
from rtmptw.closereason import explain
from rtmptw.trace.segment import Segment, Side

__all__ = ["ITraceObserver", "TracerFactory"]


class ITraceObserver(Interface):
    """
    Somebody who looks at one session.

    All times are seconds since its client was accepted. All was said with L{closed} for the second of both sides, or
    with L{failed}, and then the client's own end is not told. What was said may be still on its way to the other side:
    the last call of all is L{gone}.
    """

    def said(segment):  # type: ignore[no-untyped-def]
        """
        Bytes have come, and were passed on.

        @type segment: L{Segment}
        """

    def closed(side, how, at):  # type: ignore[no-untyped-def]
        """
        One side will say no more.

        @type side: L{Side}
        @param how: one of the words of L{rtmptw.capture.leg}, C{"closed"}, C{"reset"} or C{"dropped"}; or what was
            wrong, as a sentence.
        @type at: L{float}
        """

    def failed(reason, at):  # type: ignore[no-untyped-def]
        """
        There is no connection to the target.

        @param reason: a sentence.
        @type at: L{float}
        """

    def gone():  # type: ignore[no-untyped-def]
        """
        There are no connections any more, to either side.
        """


class TracerFactory(ServerFactory):
    """
    A server that stands for another one.
    """

    noisy = False

    def __init__(
        self,
        target: IStreamClientEndpoint,
        clock: IReactorTime,
        observe: Callable[[int], ITraceObserver],
    ) -> None:
        """
        @param target: where each connection goes.
        @param observe: called for each connection that was accepted, with its number, from 1 on. It may raise: then
            nobody looks.
        """
        self.target = target
        self.clock = clock
        self.observe = observe
        self._count = 0

    def buildProtocol(self, addr: IAddress | None) -> Leg:
        """The client's leg of a new session."""
        self._count += 1
        leg = _Session(self, self._count).client
        leg.factory = self
        return leg


class _Observation:
    """What one observer is told, as long as it can bear it."""

    _log = Logger()

    def __init__(self, observe: Callable[[int], ITraceObserver], number: int) -> None:
        self._number = number
        self._observer: ITraceObserver | None = None
        try:
            self._observer = observe(number)
        except Exception:
            self._log.failure("nobody observes connection {number}", number=number)

    def tell(self, say: Callable[[Any], object]) -> None:
        """
        @param say: calls a method of the observer.
        """
        if self._observer is not None:
            try:
                say(self._observer)
            except Exception:
                self._observer = None
                self._log.failure(
                    "the observer of connection {number} has failed, and sees no more of it", number=self._number
                )


class _Session:
    """
    A client's connection, the one to the target, and what happens between them.
    """

    def __init__(self, factory: TracerFactory, number: int) -> None:
        self.clock = factory.clock
        self.client = Leg(Side.CLIENT, self)
        self.server: Leg | None = None
        self._factory = factory
        self._number = number
        self._began = 0.0
        self._connecting: Deferred[Any] | None = None
        self._isRefused = self._isGone = False

    @property
    def _at(self) -> float:
        return self.clock.seconds() - self._began

    def _other(self, leg: Leg) -> Leg | None:
        """The other leg, as long as it is of use."""
        other = self.server if leg is self.client else self.client
        return None if other is None or other.isLost else other

    def connected(self, leg: Leg) -> None:
        """There is a connection to the client, or then to the target."""
        if leg is self.client:
            self._began = self.clock.seconds()
            self._observation = _Observation(self._factory.observe, self._number)
            # What it says waits in the system.
            leg.hold()
            connecting = self._connecting = self._factory.target.connect(_TargetFactory(self))
            connecting.addErrback(self._refused)
        else:
            self.server = leg
            if self.client.isLost:
                leg.abort()
            self.client.release()

    def _refused(self, failure: Failure) -> None:
        reason, at = "the client has left meanwhile" if self.client.isLost else explain(failure.value), self._at
        self._observation.tell(lambda observer: observer.failed(reason, at))
        self._isRefused = True
        # How it ends is not told behind that.
        self.client.isEnded = True
        self.client.abort()
        self._tellIfGone()

    def received(self, leg: Leg, data: bytes) -> None:
        """A side has said something."""
        other = self._other(leg)
        if other is not None and not other.put(data):
            leg.hold()
        segment = Segment(leg.side, self._at, data)
        self._observation.tell(lambda observer: observer.said(segment))

    def drained(self, leg: Leg) -> None:
        """A side has taken all that there was for it."""
        other = self._other(leg)
        if other is not None:
            other.release()

    def ended(self, leg: Leg, how: str) -> None:
        """A side will say no more, but may listen."""
        at = self._at
        self._observation.tell(lambda observer: observer.closed(leg.side, how, at))
        other = self._other(leg)
        if other is not None and how == CLOSED:
            other.shut()

    def lost(self, leg: Leg, isClean: bool) -> None:
        """A side's connection is gone."""
        if self._connecting is not None:
            # Harmless when it is there, or was refused.
            self._connecting.cancel()
        other = self._other(leg)
        if other is not None:
            # What it says has nowhere to go; its end is to be seen all the same.
            other.release()
            if isClean:
                other.linger()
            else:
                other.reset()
        self._tellIfGone()

    def _tellIfGone(self) -> None:
        """Are both connections gone, or will there be no second one?"""
        isOver = self._isRefused if self.server is None else self.server.isLost
        if isOver and self.client.isLost and not self._isGone:
            self._isGone = True
            self._observation.tell(lambda observer: observer.gone())


class _TargetFactory(Factory):
    """What the target's end of a session is connected by."""

    noisy = False

    def __init__(self, session: _Session) -> None:
        self._session = session

    def buildProtocol(self, addr: IAddress | None) -> Leg:
        """The target's leg."""
        leg = Leg(Side.SERVER, self._session)
        leg.factory = self
        return leg
