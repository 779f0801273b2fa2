# -*- test-case-name: tests.test_directoutlet -*-
"""
The way out of a TCP connection: straight to the system.

A transport's C{write} only puts the bytes into a buffer of its own, asks the reactor to watch the socket, and sends
them a turn later: for a server with many viewers that is twice the work of the sending itself. So as long as nothing
waits, this outlet asks the socket at once, by the public C{getHandle()}, and the transport knows nothing of it.

What the system did not take
============================
- The first L{PIECE} bytes of it go to the transport, whose buffer is empty otherwise, and this outlet becomes its pull
  producer: so it is asked for more exactly when the system has taken that piece.
- Then the socket is asked again for all that waits, and so on, until nothing does. Meanwhile the outlet is not ready.
- A viewer that does not read costs a piece, and a reference to the rest of one message that all viewers share.

What can't be sent any more
===========================
The system says so when it is asked. What the peer has sent before is still to be read: so nothing is done about it
here, and the transport finds the end by reading, after everything that came.
"""

from __future__ import annotations

from collections.abc import Callable
from errno import ENOBUFS

from twisted.internet.interfaces import IConsumer, IPullProducer, IReactorTime
from zope.interface import implementer

from rtmptw.closereason import explain
from rtmptw.interfaces import IOutlet
from rtmptw.outlet import Outlet
from rtmptw.plainsocket import plainSocket

__all__ = ["PIECE", "DirectOutlet", "outletFor"]

#: How much of what waits is given to the transport, bytes: something to wait for.
PIECE = 16 * 1024


@implementer(IOutlet, IPullProducer)
class DirectOutlet(Outlet):
    """
    What leaves one TCP connection; see L{Outlet}.
    """

    #: What the system takes at once if it can send it at once; and a block is joined once for all who are at one place.
    block = 256 * 1024

    def __init__(
        self, transport: IConsumer, clock: IReactorTime, peer: str, send: Callable[[bytes | memoryview], int]
    ) -> None:
        """
        @param send: a non-blocking socket's C{send}.
        """
        self._send = send
        self._isRegistered = self._isBeginning = False
        super().__init__(transport, clock, peer)

    def _begin(self) -> None:
        """There is nothing to ask the transport for until something waits."""

    def _release(self) -> None:
        if self._isRegistered:
            self._isRegistered = False
            self._transport.unregisterProducer()

    def offer(self, data: bytes | memoryview) -> int:
        """See L{IOutlet.offer}."""
        if self._gathered is not None:
            return self._offerBehind(self._takeGathered(), data)
        try:
            return self._send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            if error.errno == ENOBUFS:
                # Some systems are short of memory for a moment; transports of Twisted's wait then, too.
                return 0
            # See the module's text. Whoever offers shall not do so again.
            self.failure = explain(error)
            self.stopProducing()
            self._fullSince = self._clock.seconds()
            return len(data)

    def _offerBehind(self, words: bytes, data: bytes | memoryview) -> int:
        """L{offer}, but C{words} go first, and are taken anyway."""
        taken = self.offer(words + data)
        if taken < len(words):
            self._waiting.append(words[taken:])
            self._drain()
        return max(taken - len(words), 0)

    def _hand(self) -> None:
        """Send what waits; what the system does not take, the transport has to wait for."""
        while self._waiting:
            data = self._waiting.pop(0)
            taken = self.offer(data)
            if taken < len(data):
                self._waiting.insert(0, memoryview(data)[taken:])
                self._drain()
                return

    def _drain(self) -> None:
        self.pauseProducing()
        self._handPiece(PIECE)
        if not self._isRegistered:
            self._isRegistered = self._isBeginning = True
            self._transport.registerProducer(self, False)
            self._isBeginning = False

    def _allGone(self) -> None:
        self._release()
        super()._allGone()

    # IPullProducer, for the transport

    def resumeProducing(self) -> None:
        """The system has taken the piece. A transport asks at once when it gets its producer; that means nothing."""
        if not self._isBeginning:
            super().resumeProducing()


def outletFor(transport: IConsumer, clock: IReactorTime, peer: str) -> Outlet:
    """
    The best way out of a connection: direct where that is possible (L{plainSocket}), by the transport's C{write} over
    TLS and for everything else.
    """
    socket = plainSocket(transport)
    return Outlet(transport, clock, peer) if socket is None else DirectOutlet(transport, clock, peer, socket.send)
