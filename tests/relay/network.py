# -*- test-case-name: tests.relay.test_push -*-
"""
A network without sockets or time: servers of ours that relay to each other (L{Host}), servers that do as a test says
(L{Stranger}), and the connections between them (L{Link}). Nothing moves before C{Network.pump}, as nothing does before
the reactor's turn.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectingCancelledError, ConnectionDone, ConnectionLost, ConnectionRefusedError
from twisted.internet.interfaces import IHalfCloseableProtocol, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import EventLoggingObserver
from twisted.logger import eventAsText, globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from rtmptw import client
from rtmptw.interfaces import IStreamObserver
from rtmptw.live.livestream import LiveStream, Publication
from rtmptw.relay.pull import Pull
from rtmptw.relay.push import Push
from rtmptw.requests import ConnectRequest
from rtmptw.server import RTMPServerFactory
from rtmptw.session import status
from rtmptw.url import RTMPURL
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.command import Command
from rtmptw.wire.handshake import HANDSHAKE_SIZE, ServerHandshake
from rtmptw.wire.message import Message, MessageType
from tests.live.doubles import MemoryPublisher, MemorySubscriber, atOnce
from tests.session.dialects import Application, TCPTransport

__all__ = ["Host", "Link", "Network", "Source", "Stranger", "Strangers"]


class Source:
    """Somebody who publishes at a server, without a connection."""

    def __init__(self, host: Host, path: str) -> None:
        self.publisher = MemoryPublisher()
        self.publication: Publication = host.hub.publish(path, self.publisher)

    def send(self, *messages: Message) -> None:
        """One read of it."""
        for message in messages:
            self.publication.append(message)
        self.publication.flush()

    def end(self) -> None:
        """Say the end."""
        self.publication.end("the publisher has ended")


@implementer(IStreamObserver)
class Host:
    """
    A server of ours.

    @ivar published: what was published, in order: path, and what was sent.
    @ivar hops: of each publish, the servers that it came through.
    """

    def __init__(self, network: Network, name: str, grace: float = 10.0, **answers: object) -> None:
        """
        @param answers: see L{Application}.
        """
        self.network = network
        self.application = Application(**answers)
        self.factory = RTMPServerFactory(self.application, atOnce(network.clock), network.clock)
        self.hub = self.factory.hub
        self.identity = self.factory.identity
        self.push = Push(self.hub, self.identity, network.clock, network.publish)
        self.pull = Pull(self.hub, self.identity, network.clock, network.connect, grace)
        self.hub.observers += [self, self.push]
        self.hub.sources.append(self.pull)
        self.published: list[tuple[str, MemorySubscriber]] = []
        self.hops: list[tuple[str, ...]] = []
        network.servers[name] = self.factory
        network.hosts.append(self)

    def publishStarted(self, stream: LiveStream) -> None:
        """Keep all of it."""
        self.published.append((stream.path, MemorySubscriber()))
        assert stream.publication is not None
        self.hops.append(stream.publication.hops)
        stream.subscribe(self.published[-1][1])

    def source(self, path: str = "live/camera") -> Source:
        """Somebody publishes here."""
        return Source(self, path)

    @property
    def connects(self) -> list[ConnectRequest]:
        """Who has been let in."""
        return [request for _, request in self.application.requests if isinstance(request, ConnectRequest)]


class Link:
    """
    One connection.

    @ivar said: all that the client has said behind the handshake.
    """

    def __init__(self, network: Network, client: Any, server: Any) -> None:
        self._network = network
        self.client, self.server = client, server
        self.near, self.far = TCPTransport(), TCPTransport()
        self.isOpen = True
        self.said: list[Message] = []
        self._sent = 0
        self._reader = ChunkReader(offset=HANDSHAKE_SIZE)
        server.makeConnection(self.far)
        client.makeConnection(self.near)

    def pump(self) -> bool:
        """
        Carry what was written, if it is read; then let closed ends be closed.

        @return: whether there was anything to do.
        """
        if not self.isOpen:
            return False
        if self.near.disconnected or self.far.disconnected:
            self.cut()
            return True
        moved = False
        for source, sink, target in ((self.near, self.far, self.server), (self.far, self.near, self.client)):
            data = source.value()
            if data and sink.producerState != "paused":
                source.clear()
                if source is self.near:
                    self._listen(data)
                target.dataReceived(data)
                moved = True
        if not moved and (self.near.disconnecting or self.far.disconnecting):
            half = IHalfCloseableProtocol(self.client, None)
            if self.near.disconnecting and half is not None:
                half.writeConnectionLost()
            self.cut(ConnectionDone())
            return True
        return moved

    def _listen(self, data: bytes) -> None:
        """C0, C1 and C2, then chunks."""
        start = max(0, HANDSHAKE_SIZE - self._sent)
        self._sent += len(data)
        self.said += self._reader.feed(data[start:])

    def commands(self) -> list[str]:
        """The names of the commands that the client has said."""
        return [Command.decode(message).name for message in self.said if message.type == MessageType.COMMAND]

    def media(self) -> list[Message]:
        """What it has published."""
        return [message for message in self.said if message.type in (8, 9, 18)]

    def clog(self) -> None:
        """The client's writes do not get through any more, for now."""
        self.near.producer.pauseProducing()

    def drain(self) -> None:
        """They do again."""
        self.near.producer.resumeProducing()

    def cut(self, error: Exception | None = None) -> None:
        """The connection is gone."""
        if self.isOpen:
            self.isOpen = False
            for protocol in (self.server, self.client):
                protocol.connectionLost(Failure(error or ConnectionLost("cut")))


class Stranger(Protocol):
    """
    One connection to a server that says yes to everything, but for what L{Strangers.answers} has, and logs nothing.

    @ivar heard: what the client has said.
    """

    def __init__(self, answers: dict[str, Callable[[Stranger, Command, int], None]]) -> None:
        self._answers = answers
        self._handshake = ServerHandshake()
        self._isGreeted = False
        self._reader, self._writer = ChunkReader(offset=HANDSHAKE_SIZE), ChunkWriter()
        self.heard: list[Message] = []

    def dataReceived(self, data: bytes) -> None:
        """Handshake, then messages."""
        if not self._isGreeted:
            reply, rest = self._handshake.feed(data)
            if reply:
                self.transport.write(reply)
            if rest is None:
                return
            self._isGreeted, data = True, rest
        for message in self._reader.feed(data):
            self.heard.append(message)
            if message.type == MessageType.COMMAND:
                command = Command.decode(message)
                self._answers.get(command.name, _YES.get(command.name, _nothing))(self, command, message.streamId)

    def say(self, *messages: Message) -> None:
        """Say messages in one write."""
        self.transport.write(b"".join(map(self._writer.write, messages)))

    def result(self, command: Command, *values: Any) -> None:
        """Answer a call."""
        self.say(Command("_result", command.transactionId, None, values).encode())

    def status(self, code: str, level: str = "status", id: int = 1, text: str = "because") -> None:
        """Say a status."""
        self.say(status.onStatus(id, code, text, level))


def _nothing(stranger: Stranger, command: Command, id: int) -> None:
    """No answer."""


#: What is said by a server that says yes.
_YES: dict[str, Callable[[Stranger, Command, int], None]] = {
    "connect": lambda stranger, command, id: stranger.result(command, {"code": status.CONNECT_SUCCESS}),
    "createStream": lambda stranger, command, id: stranger.result(command, 1.0),
    "publish": lambda stranger, command, id: stranger.status(status.PUBLISH_START, id=id),
    "play": lambda stranger, command, id: stranger.status(status.PLAY_START, id=id),
}


class Strangers(Factory):
    """
    A server that does as a test says.

    @ivar answers: by command: what to do instead of saying yes.
    @ivar connections: all that were made.
    """

    noisy = False

    def __init__(self, network: Network, name: str, **answers: Callable[[Stranger, Command, int], None]) -> None:
        self.answers = dict(answers)
        self.connections: list[Stranger] = []
        network.servers[name] = self

    def buildProtocol(self, addr: object) -> Stranger:
        """Somebody comes."""
        self.connections.append(Stranger(self.answers))
        return self.connections[-1]


@implementer(IStreamClientEndpoint)
class _Endpoint:
    """The way to one server."""

    def __init__(self, network: Network, host: str) -> None:
        self._network, self._host = network, host

    def connect(self, factory: Any) -> Deferred[Any]:
        """As a real one, it needs a moment, and can be cancelled."""
        attempt: Deferred[Any] = Deferred(self._cancelled)
        self._network.attempts.append((self._network.clock.seconds(), self._host))
        self._network.pending[attempt] = (self._host, factory)
        return attempt

    def _cancelled(self, attempt: Deferred[Any]) -> None:
        del self._network.pending[attempt]
        attempt.errback(ConnectingCancelledError(self._host))  # type: ignore[arg-type]


class Network:
    """
    @ivar servers: by name; who is not here refuses connections.
    @ivar mute: the names of those that nobody hears of: neither yes nor no.
    @ivar links: all connections that were made.
    @ivar attempts: when a connection was asked for, and to whom.
    """

    def __init__(self, case: SynchronousTestCase) -> None:
        self.case = case
        self.clock = Clock()
        self.clock.advance(1000)
        self.log = EventLoggingObserver.createWithCleanup(case, globalLogPublisher)
        self.servers: dict[str, Any] = {}
        self.hosts: list[Host] = []
        self.mute: set[str] = set()
        self.links: list[Link] = []
        self.attempts: list[tuple[float, str]] = []
        self.pending: dict[Deferred[Any], tuple[str, Any]] = {}
        case.addCleanup(self._shutDown)

    def _shutDown(self) -> None:
        """At the end of a test no relay is left in the middle of something."""
        for host in self.hosts:
            host.push.finish()
            host.pull.finish()
        for link in self.open:
            link.cut()

    def connect(self, url: RTMPURL, **options: Any) -> Deferred[Any]:
        """As L{rtmptw.client.connect}."""
        return client.connect(url, _Endpoint(self, url.host), reactor=self.clock, **options)

    def publish(self, url: RTMPURL, **options: Any) -> Deferred[Any]:
        """As L{rtmptw.client.publish}."""
        return client.publish(url, endpoint=_Endpoint(self, url.host), reactor=self.clock, **options)

    def pump(self) -> None:
        """Carry everything, until nobody says any more."""
        moved = True
        while moved:
            waiting = [(attempt, *where) for attempt, where in self.pending.items() if where[0] not in self.mute]
            for attempt, host, factory in waiting:
                if self.pending.pop(attempt, None) is not None:
                    self._reach(attempt, host, factory)
            moved = bool(waiting)
            for link in tuple(self.links):
                moved |= link.pump()

    def _reach(self, attempt: Deferred[Any], host: str, factory: Any) -> None:
        server = self.servers.get(host)
        if server is None:
            attempt.errback(ConnectionRefusedError())  # type: ignore[arg-type]
            return
        link = Link(self, factory.buildProtocol(None), server.buildProtocol(None))
        self.links.append(link)
        attempt.callback(link.client)

    def pass_(self, seconds: float = 0.0, step: float = 0.05) -> None:
        """Time passes, little by little, and everything is carried."""
        end = self.clock.seconds() + seconds
        self.clock.advance(0)
        self.pump()
        while self.clock.seconds() < end - 1e-9:
            self.clock.advance(min(step, end - self.clock.seconds()))
            self.pump()
        self.clock.advance(0)
        self.pump()

    @property
    def open(self) -> list[Link]:
        """The connections that there are now."""
        return [link for link in self.links if link.isOpen]

    @property
    def delays(self) -> list[float]:
        """How long it was from each attempt to the next."""
        times = [at for at, _ in self.attempts]
        return [round(later - at, 3) for at, later in pairwise(times)]

    def lines(self, *words: str, room: str = "rtmptw.") -> list[str]:
        """The lines of the log that have one of these words, from a part of the program."""
        lines = [eventAsText(event, includeTimestamp=False) for event in self.log if _room(event).startswith(room)]
        return [line for line in lines if not words or any(word in line for word in words)]

    def assertNothingLeft(self, *hosts: Host) -> None:
        """Assert that there is no connection, no delayed call, and no stream at these servers."""
        self.case.assertEqual(self.open, [])
        self.case.assertEqual(dict(self.pending), {})
        self.case.assertEqual([str(call) for call in self.clock.getDelayedCalls()], [])
        for host in hosts:
            self.case.assertEqual([stream.path for stream in host.hub], [])


def _room(event: Any) -> str:
    return str(event.get("log_namespace", ""))
