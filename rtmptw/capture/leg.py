# -*- test-case-name: tests.capture.test_leg -*-
"""
A leg: one of the two connections of a session that is traced, from us to the client, or to the server.

It ends in steps, as TCP does. Its peer closes its direction (L{Leg.isEnded}); we close ours (L{Leg.shut}), when all
that was written has left; with both, the connection is closed. It may also break off: a reset makes the system throw
away what it has still to deliver, so L{Leg.reset} waits until it has nothing.

When something can't be sent any more, nothing is done about it as long as the peer may be read: it may have said
something before that, and the end is found behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from errno import EAGAIN, ENOBUFS
from fcntl import ioctl
from functools import partial
from struct import unpack
from termios import TIOCOUTQ
from typing import Any, Protocol, cast

from twisted.internet import protocol
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IConsumer,
    IDelayedCall,
    IHalfCloseableDescriptor,
    IHalfCloseableProtocol,
    IReactorTime,
    ISSLTransport,
    ISystemHandle,
    ITCPTransport,
)
from twisted.protocols.policies import ProtocolWrapper
from twisted.python.failure import Failure
from zope.interface import implementer

from rtmptw.closereason import explain
from rtmptw.directoutlet import DirectOutlet
from rtmptw.keepalive import keepAlive
from rtmptw.outlet import Outlet
from rtmptw.plainsocket import plainSocket
from rtmptw.trace.segment import Side

__all__ = ["CLOSED", "DROPPED", "LINGER_SECONDS", "LOOK_SECONDS", "RESET", "STALL_SECONDS", "Leg", "Session"]

#: How a side has ended, if there is no more to say: it has closed its direction; it has broken off; or we have closed
#: its connection, because the other side was gone.
CLOSED = "closed"
RESET = "reset"
DROPPED = "dropped"

#: When the other side is gone for good: how often is looked whether the system has delivered everything, and how long
#: it may make no progress with that, seconds.
LOOK_SECONDS = 0.01
STALL_SECONDS = 30.0

#: How long a side may go on after that, if the other one has closed, seconds: a publisher may not look for a close.
LINGER_SECONDS = 10.0


class Session(Protocol):
    """What a leg belongs to."""

    clock: IReactorTime

    def connected(self, leg: Leg) -> None:
        """There is a connection."""

    def received(self, leg: Leg, data: bytes) -> None:
        """Its side has said something."""

    def drained(self, leg: Leg) -> None:
        """Its side has taken all that there was for it."""

    def ended(self, leg: Leg, how: str) -> None:
        """
        Its side will say no more. If it has L{CLOSED}, it may listen.

        @param how: L{CLOSED}, L{RESET}, L{DROPPED}, or what was wrong, as a sentence.
        """

    def lost(self, leg: Leg, isClean: bool) -> None:
        """
        Its connection is gone.

        @param isClean: whether it was closed, not broken off.
        """


@implementer(IHalfCloseableProtocol)
class Leg(protocol.Protocol):
    """
    One of the two connections of a session.

    @ivar side: who is at its other end.
    @ivar isEnded: whether all was heard that its side has to say.
    @ivar isLost: whether the connection is gone.
    """

    def __init__(self, side: Side, session: Session) -> None:
        self.side = side
        self.isEnded = self.isLost = False
        self._session = session
        self._clock = session.clock
        self._isHeld = self._isShut = self._isAborted = False
        # The end of what is written: whether it is known, whether it has been reached, and what comes then.
        self._isFinishing = self._isEmpty = False
        self._finally: Callable[[], None] = self._shutNow
        self._later: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """See L{protocol.Protocol}."""
        transport = cast(ITCPTransport, self.transport)
        if ITCPTransport.providedBy(transport):
            transport.setTcpNoDelay(True)
            keepAlive(transport)
        socket, consumer = plainSocket(transport), cast(IConsumer, transport)
        self._outlet = (
            Outlet(consumer, self._clock, self.side.value)
            if socket is None
            else DirectOutlet(consumer, self._clock, self.side.value, partial(self._send, socket.send))
        )
        self._outlet.attach(partial(self._session.drained, self))
        self._session.connected(self)

    # In

    def dataReceived(self, data: bytes) -> None:
        """See L{protocol.Protocol}."""
        self._session.received(self, data)

    def hold(self) -> None:
        """Do not read."""
        if not self._isHeld:
            self._isHeld = True
            cast(Any, self.transport).pauseProducing()

    def release(self) -> None:
        """Read. Harmless when repeated."""
        if self._isHeld:
            self._isHeld = False
            # Behind its end, there is nothing to read.
            if not self.isEnded:
                cast(Any, self.transport).resumeProducing()

    def readConnectionLost(self) -> None:
        """The peer has closed its direction; or it is the end behind a reset, of which the system has told who sent."""
        self.isEnded = True
        if self._outlet.failure:
            self._session.ended(self, RESET)
            self.abort()
        else:
            self._session.ended(self, CLOSED)
            self._closeWhenOver()

    def connectionLost(self, reason: Failure = protocol.connectionDone) -> None:
        """See L{protocol.Protocol}."""
        self.isLost = True
        self._outlet.stopProducing()
        if self._later is not None and self._later.active():
            self._later.cancel()
        if not self.isEnded:
            self.isEnded = True
            # TLS does not tell who has broken off.
            self._session.ended(self, DROPPED if self._isAborted else _how(reason))
        self._session.lost(self, bool(reason.check(ConnectionDone)))

    # Out

    def put(self, data: bytes) -> bool:
        """
        Send.

        @return: whether more may come. That is so, too, when it can't be sent any more: then it leads nowhere.
        """
        self._outlet.write(data)
        return self._outlet.ready or bool(self._outlet.failure)

    def _send(self, send: Callable[[bytes | memoryview], int], data: bytes | memoryview) -> int:
        """Ask the system to send; if that can't be, the end is found by reading. But here nobody may read any more."""
        try:
            return send(data)
        except OSError as error:
            if error.errno not in (EAGAIN, ENOBUFS) and self.isEnded:
                self._clock.callLater(0, self.abort)
            raise

    def shut(self) -> None:
        """Close our direction, behind what was written."""
        self._finish(self._shutNow)

    def _shutNow(self) -> None:
        transport = cast(ITCPTransport, self.transport)
        isHalfCloseable = IHalfCloseableDescriptor.providedBy(transport) and not ISSLTransport.providedBy(transport)
        (transport.loseWriteConnection if isHalfCloseable else transport.loseConnection)()

    def writeConnectionLost(self) -> None:
        """Our direction is closed."""
        self._isShut = True
        self._closeWhenOver()

    def _closeWhenOver(self) -> None:
        """Two halves that are closed are not yet a connection that is."""
        if self.isEnded and self._isShut:
            cast(ITCPTransport, self.transport).loseConnection()

    def linger(self) -> None:
        """The other side has closed and is gone for good, as is known here (L{shut}). Do not wait for ever."""
        self._look(None, self._clock.seconds(), LINGER_SECONDS)

    def reset(self) -> None:
        """Break off, behind what was written, and behind what the system still has of that."""
        self._finish(lambda: None)
        self._look(None, self._clock.seconds(), 0.0)

    def _look(self, before: tuple[bool, int] | None, since: float, patience: float) -> None:
        """
        See whether the system has delivered everything, and break off then. What is between us and the system, as over
        TLS, is there for less than two looks.

        @param before: what was seen when we looked last.
        @param since: since when that has been so.
        @param patience: for how long everything must have been delivered.
        """
        seen, now = (self._isEmpty, _unsent(self.transport)), self._clock.seconds()
        if seen != before:
            since = now
        elif now - since >= (patience if seen == (True, 0) else STALL_SECONDS):
            self.abort()
            return
        self._later = self._clock.callLater(LOOK_SECONDS, self._look, seen, since, patience)

    def _finish(self, then: Callable[[], None]) -> None:
        """
        Nothing more will be written.

        @param then: called when everything has left; in place of what was to be called before.
        """
        self._finally = then
        if not self._isFinishing:
            self._isFinishing = True
            self._outlet.finish(self._emptied)

    def _emptied(self) -> None:
        self._isEmpty = True
        self._finally()

    def abort(self) -> None:
        """Break off at once. Harmless when it is gone."""
        if not self.isLost:
            self._isAborted = True
            cast(ITCPTransport, self.transport).abortConnection()


def _how(reason: Failure) -> str:
    """How a side has ended whose connection is gone."""
    if reason.check(ConnectionDone):
        return CLOSED
    return RESET if reason.check(ConnectionLost) else explain(reason.value)


def _unsent(transport: object) -> int:
    """
    How much the system has of a connection that its peer has not confirmed, bytes, also below TLS; 0 if it has no
    system below it.
    """
    while isinstance(transport, ProtocolWrapper):
        transport = transport.transport
    system: Any = ISystemHandle(transport, None)
    if system is None:
        return 0
    return int(unpack("i", ioctl(system.getHandle().fileno(), TIOCOUTQ, bytes(4)))[0])
