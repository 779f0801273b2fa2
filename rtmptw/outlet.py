# -*- test-case-name: tests.test_outlet -*-
"""
The one way out of a connection.

Flow control
============
The outlet is the transport's push producer for as long as the connection is in use: when more than the transport
likes is waiting there it is paused, and when all of that has left it is resumed. It produces nothing by itself; it
tells those who do. A transport takes one producer only, so everything that is sent must go through here, and the
producer must be gone before the connection is closed: over TLS it would otherwise stay open.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IConsumer, IPushProducer, IReactorTime
from zope.interface import implementer

from rtmptw.interfaces import IOutlet

__all__ = ["Outlet"]


@implementer(IOutlet, IPushProducer)
class Outlet:
    """
    What leaves one connection.

    @ivar ready: whether the connection takes more.
    """

    def __init__(self, transport: IConsumer, clock: IReactorTime) -> None:
        self.ready = True
        self._transport = transport
        self._clock = clock
        self._fullSince = 0.0
        self._drained: dict[Callable[[], None], None] = {}
        self._open = True
        transport.registerProducer(self, True)

    @property
    def stalled(self) -> float:
        """For how many seconds the connection has taken nothing more; 0 if it is ready."""
        return 0.0 if self.ready else self._clock.seconds() - self._fullSince

    def write(self, data: bytes) -> None:
        """See L{IOutlet.write}."""
        if self._open:
            self._transport.write(data)

    def attach(self, drained: Callable[[], None]) -> None:
        """See L{IOutlet.attach}."""
        self._drained[drained] = None

    def detach(self, drained: Callable[[], None]) -> None:
        """See L{IOutlet.detach}."""
        self._drained.pop(drained, None)

    def close(self) -> None:
        """Take nothing more. What was written is still on its way."""
        if self._open:
            self._open = False
            self._drained.clear()
            self._transport.unregisterProducer()

    # IPushProducer, for the transport

    def pauseProducing(self) -> None:
        """The transport holds as much as it likes."""
        self.ready = False
        self._fullSince = self._clock.seconds()

    def resumeProducing(self) -> None:
        """The transport has sent all of it."""
        self.ready = True
        for drained in tuple(self._drained):
            if self.ready and drained in self._drained:
                drained()

    def stopProducing(self) -> None:
        """The connection is gone."""
        self.ready = False
        self._open = False
        self._drained.clear()
