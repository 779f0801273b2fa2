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

from collections.abc import Iterable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import ServerFactory
from twisted.logger import Logger
from zope.interface import implementer

from rtmptw.connections import Connections
from rtmptw.door import Door
from rtmptw.gate.admission import TRUSTED, Admission
from rtmptw.gate.memoryguard import MemoryGuard
from rtmptw.gate.network import Network
from rtmptw.interfaces import IApplication, ILink, IOwner
from rtmptw.limits import LimitNews, Limits, Reached
from rtmptw.live.hub import StreamHub
from rtmptw.protocol import RTMPProtocol
from rtmptw.requests import ConnectRequest, PlayRequest, PublishRequest
from rtmptw.session.hops import newIdentity
from rtmptw.session.serverconnection import ServerConnection
from rtmptw.session.status import APP_SHUTDOWN
from rtmptw.wire.handshake import ServerHandshake
from rtmptw.wire.limits import ReadLimits

__all__ = ["OpenApplication", "RTMPServerFactory"]

#: At the end of the server: seconds that viewers have for what they still get, and that everybody has to go.
FAREWELL_SECONDS = 1.0
SHUTDOWN_SECONDS = 5.0


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


@implementer(IOwner)
class RTMPServerFactory(ServerFactory):
    """
    Makes the server's side of connections.

    @ivar application: the rules.
    @ivar hub: the streams.
    @ivar clock: what tells the time.
    @ivar verbose: whether every message has a line in the log.
    @ivar hidesNames: whether that line leaves out what clients call a stream: where stream keys are names
        (L{rtmptw.auth.streamkeys}), these are secrets.
    @ivar identity: its name among relays (L{rtmptw.session.hops}); another one each time.
    @ivar publisherLimits: how much a publisher may make us keep.
    @ivar limits: how much anybody may ask, and how long anything may take.
    @ivar reached: how often each of the limits was reached.
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
        hidesNames: bool = False,
        limits: Limits | None = None,
        reached: Reached | None = None,
        trusted: Iterable[Network] = TRUSTED,
    ) -> None:
        """
        @param application: by default, L{OpenApplication}.
        @param hub: by default, a new one.
        @param clock: by default, the reactor.
        @param publisherLimits: by default, what C{limits} say.
        @param reached: by default, a new one; to be shared with what else counts.
        @param trusted: networks whose addresses have no limits of their own; by default, 127.0.0.1 and ::1. Behind a
            proxy, that is where all connections come from.
        """
        if clock is None:
            from twisted.internet import reactor

            clock = IReactorTime(reactor)
        self.clock = clock
        self.application = application if application is not None else OpenApplication()
        self.limits = limits if limits is not None else Limits()
        self.reached = reached if reached is not None else Reached()
        self.hub = hub if hub is not None else StreamHub(clock, limits=self.limits, reached=self.reached)
        self.verbose = verbose
        self.hidesNames = hidesNames
        self.identity = newIdentity()
        self.publisherLimits = publisherLimits or self.limits.ofPublishers
        self._door = Door(self.hub.rounds)
        guard = MemoryGuard(clock, self.limits, self.reached)
        self._admission = Admission(clock, self.limits, self.reached, trusted, guard.refuses)
        self._news = LimitNews(self.reached)
        self._connections = Connections(clock, self._door, self._admission, guard, self._news, self.hub.trim)

    def buildProtocol(self, addr: IAddress | None) -> RTMPProtocol | None:
        """A protocol for one connection; none if it does not get in (L{rtmptw.gate.admission})."""
        if not self._admission.admits(addr):
            return None
        protocol = RTMPProtocol(self)
        protocol.factory = self
        return protocol

    def handshake(self) -> ServerHandshake:
        """See L{IOwner.handshake}."""
        return ServerHandshake()

    def session(self, link: ILink) -> ServerConnection:
        """See L{IOwner.session}."""
        return ServerConnection(link, self.application, self.hub, self.identity)

    def tells(self, protocol: RTMPProtocol) -> bool:
        """See L{IOwner.tells}."""
        return self._admission.tells(protocol)

    def origin(self, protocol: RTMPProtocol) -> str:
        """See L{IOwner.origin}."""
        return self._admission.origin(protocol)

    def connectionMade(self, protocol: RTMPProtocol) -> None:
        """A connection has come."""
        self._connections.add(protocol)

    def connectionLost(self, protocol: RTMPProtocol) -> None:
        """A connection has gone, and is done with."""
        self._connections.remove(protocol)

    def closeAll(self, reason: str) -> Deferred[None]:
        """
        Close every connection: publishers after what they have sent; viewers, who are told the end, some time later.

        @return: fires when all are gone, L{SHUTDOWN_SECONDS} later at most.
        """
        emptied = self._connections.whenEmpty()
        # No stream waits for its publisher any more.
        self.hub.finish()
        self._door.close()
        if emptied.called:
            return emptied
        waits = [
            # One turn of the reactor reads what has come already.
            self.clock.callLater(0, self._closeAll, reason, False),
            self.clock.callLater(FAREWELL_SECONDS, self._closeAll, reason, True),
            self.clock.callLater(SHUTDOWN_SECONDS, self.abortAll, reason),
        ]

        def cancel(result: None) -> None:
            for wait in waits:
                if wait.active():
                    wait.cancel()

        return emptied.addCallback(cancel)

    @property
    def connected(self) -> int:
        """How many connections there are."""
        return len(self._connections)

    def tellLimits(self) -> None:
        """Tell the log which limits were reached since it was last told; otherwise that is done once in a minute."""
        self._news.tell()

    def _closeAll(self, reason: str, alsoViewers: bool) -> None:
        for protocol in self._connections:
            if alsoViewers or not protocol.playing:
                if protocol.publishing:
                    # The turn may have left something, most of all of a publisher that was gathered until then.
                    protocol.drain()
                protocol.close(reason, APP_SHUTDOWN)

    def abortAll(self, reason: str) -> None:
        """Cut every connection off."""
        for protocol in self._connections:
            protocol.abort(reason)
