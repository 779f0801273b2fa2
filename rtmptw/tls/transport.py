# -*- test-case-name: tests.tls.test_transport -*-
"""
TLS whose encrypted bytes go straight to the socket, as those of a plain connection do.

::

    Outlet -> TLSTransport (Twisted's TLS) -> Below -> DirectOutlet -> the socket, or the transport when that is full

Twisted's TLS gives every record to the transport below it, which sends it a turn of the reactor later: that is half
of what a viewer over TLS costs, and it is spent outside of the round (L{rtmptw.live.rounds}), which then seems cheap,
so that rounds do not become longer when they should. Here L{Below} stands in for the transport. All that TLS says goes
through it, also what it says on its own (handshakes, alerts), so order can't break; and what the records of one
C{write} make together leaves in one piece.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from twisted.internet.interfaces import IAddress, IConsumer, IProducer, IPushProducer, IReactorTime
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import directlyProvides, providedBy

from rtmptw.directoutlet import DirectOutlet
from rtmptw.gate.port import isRefused
from rtmptw.plainsocket import plainSocket

__all__ = ["Below", "TLSFactory", "TLSTransport"]


class Below:
    """
    What TLS takes for its transport: it is that, but for what is sent.
    """

    def __init__(self, transport: Any, clock: IReactorTime, send: Callable[[bytes | memoryview], int]) -> None:
        """
        @param transport: of TCP.
        @param send: its socket's C{send}.
        """
        self._transport = transport
        self._outlet = DirectOutlet(cast(IConsumer, transport), clock, "", send)
        self._outlet.attach(self._drained)
        self._producer: IPushProducer | None = None
        self._gathered: list[bytes] | None = None
        directlyProvides(self, providedBy(transport))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def gather(self) -> None:
        """Keep what is written, until L{flush}."""
        self._gathered = []

    def flush(self) -> None:
        """Send what was gathered."""
        gathered, self._gathered = self._gathered, None
        if gathered:
            self._send(b"".join(gathered))

    def write(self, data: bytes) -> None:
        """Send, or gather."""
        if self._gathered is None:
            self._send(data)
        else:
            self._gathered.append(data)

    def _send(self, data: bytes) -> None:
        self._outlet.write(data)
        if not self._outlet.ready and self._producer is not None:
            self._producer.pauseProducing()

    def _drained(self) -> None:
        if self._producer is not None:
            self._producer.resumeProducing()

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """TLS makes a push producer of every one, and knows itself when the connection is gone."""
        self._producer = cast(IPushProducer, producer)

    def unregisterProducer(self) -> None:
        """Nobody is to be paused any more."""
        self._producer = None

    def loseConnection(self) -> None:
        """Close, after all that was written."""
        self.flush()
        self._outlet.finish(self._transport.loseConnection)


class TLSTransport(TLSMemoryBIOProtocol):
    """
    Twisted's TLS on L{Below}; over a transport that is no socket's, as it is.
    """

    _below: Below | None = None

    def makeConnection(self, transport: Any) -> None:
        """See L{twisted.internet.interfaces.IProtocol}."""
        socket = plainSocket(transport)
        if socket is not None:
            transport = self._below = Below(transport, cast(TLSFactory, self.factory).clock, socket.send)
        super().makeConnection(transport)

    def _tlsShutdownFinished(self, reason: Failure | None) -> None:
        """
        TLS is over. If it has failed, Twisted makes a failure of that in a method that keeps it in a variable: it keeps
        the frame, and the frame keeps it, and with it the whole connection, until the garbage collector comes. A flood
        of handshakes that fail does not wait for that (hostile row A7). Twisted has no public place for this; without
        it, all goes on, with more memory.
        """
        if reason is not None:
            reason.cleanFailure()
        super()._tlsShutdownFinished(reason)

    def write(self, data: bytes) -> None:
        """Encrypt, and send all of it in one piece."""
        below = self._below
        if below is None:
            super().write(data)
        else:
            below.gather()
            try:
                super().write(data)
            finally:
                below.flush()


class TLSFactory(TLSMemoryBIOFactory):
    """Adds L{TLSTransport} to connections."""

    protocol = TLSTransport

    def __init__(self, contextFactory: Any, isClient: bool, wrappedFactory: Any, clock: IReactorTime) -> None:
        super().__init__(contextFactory, isClient, wrappedFactory, clock)
        self.clock = clock

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """See L{IProtocolFactory.buildProtocol}. For a connection that is refused there is no TLS."""
        protocol = self.wrappedFactory.buildProtocol(addr)
        return None if isRefused(protocol) else self.protocol(self, protocol)
