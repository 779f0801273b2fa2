# -*- test-case-name: tests.test_server -*-
"""
The server: a factory of connections that share an application and a hub.

::

    from twisted.internet import reactor
    from twisted.internet.endpoints import serverFromString
    from rtmptw import RTMPServerFactory

    serverFromString(reactor, "tcp:1935").listen(RTMPServerFactory())
    reactor.run()
"""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import ServerFactory
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from zope.interface import implementer

from rtmptw.interfaces import IApplication, IServer
from rtmptw.live.hub import StreamHub
from rtmptw.protocol import RTMPProtocol
from rtmptw.requests import ConnectRequest, PlayRequest, PublishRequest
from rtmptw.wire.limits import ReadLimits

__all__ = ["OpenApplication", "RTMPServerFactory"]


@implementer(IApplication)
class OpenApplication:
    """The default application: everybody may do everything. A base for others."""

    def connectRequested(self, request: ConnectRequest) -> object:
        """Yes."""
        return None

    def publishRequested(self, request: PublishRequest) -> object:
        """Yes."""
        return None

    def playRequested(self, request: PlayRequest) -> object:
        """Yes."""
        return None


@implementer(IServer)
class RTMPServerFactory(ServerFactory):
    """
    Makes the server's side of connections.

    @ivar application: the rules.
    @ivar hub: the streams.
    @ivar clock: what tells the time.
    @ivar verbose: whether every message has a line in the log.
    @ivar publisherLimits: how much a publisher may make us keep.
    """

    noisy = False
    _log = Logger()

    def __init__(
        self,
        application: IApplication | None = None,
        hub: StreamHub | None = None,
        clock: IReactorTime | None = None,
        verbose: bool = False,
        publisherLimits: ReadLimits | None = None,
    ) -> None:
        """
        @param application: by default, L{OpenApplication}.
        @param hub: by default, a new one.
        @param clock: by default, the reactor.
        """
        if clock is None:
            from twisted.internet import reactor

            clock = IReactorTime(reactor)
        self.clock = clock
        self.application = application if application is not None else OpenApplication()
        self.hub = hub if hub is not None else StreamHub(clock)
        self.verbose = verbose
        self.publisherLimits = publisherLimits or ReadLimits()
        self._connections: dict[RTMPProtocol, None] = {}
        self._seconds = LoopingCall(self._second)
        self._seconds.clock = clock
        self._emptied: list[Deferred[None]] = []

    def buildProtocol(self, addr: IAddress | None) -> RTMPProtocol:
        """A protocol for one connection."""
        protocol = RTMPProtocol(self)
        protocol.factory = self
        return protocol

    def connectionMade(self, protocol: RTMPProtocol) -> None:
        """A connection has come."""
        self._connections[protocol] = None
        if not self._seconds.running:
            self._seconds.start(1.0, now=False)

    def connectionLost(self, protocol: RTMPProtocol) -> None:
        """A connection has gone, and is done with."""
        self._connections.pop(protocol, None)
        if not self._connections:
            if self._seconds.running:
                self._seconds.stop()
            emptied, self._emptied = self._emptied, []
            for deferred in emptied:
                deferred.callback(None)

    def closeAll(self, reason: str) -> Deferred[None]:
        """
        Close every connection.

        @return: fires when all are gone.
        """
        if not self._connections:
            return succeed(None)
        emptied: Deferred[None] = Deferred()
        self._emptied.append(emptied)
        for protocol in tuple(self._connections):
            protocol.close(reason)
        return emptied

    def _second(self) -> None:
        for protocol in tuple(self._connections):
            protocol.second()
