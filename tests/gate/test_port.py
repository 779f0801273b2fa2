# -*- test-case-name: tests.gate.test_port -*-
"""
Tests for L{rtmptw.gate.port}: in memory, and over the loopback.
"""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet import reactor as installed
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IStreamServerEndpoint, IStreamServerEndpointStringParser
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.tcp import Port
from twisted.internet.testing import EventLoggingObserver, MemoryReactorClock
from twisted.logger import LogLevel, globalLogPublisher
from twisted.plugin import IPlugin, getPlugins
from twisted.protocols.haproxy import proxyEndpoint
from twisted.protocols.policies import WrappingFactory
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface.verify import verifyObject

from rtmptw.gate.port import ACCEPTS, BACKLOG, TURN, PacedPort, PortEndpoint, PortParser, RefusingFactory, isRefused

#: The reactor of the tests; to mypy it is a module.
reactor: Any = installed


class Bouncer(Factory):
    """
    Lets everybody in, or nobody.

    @ivar came: who has come.
    @ivar work: how long that takes, seconds; and how long all has taken so far.
    """

    protocol = Protocol

    def __init__(self, admits: bool, work: float = 0.0) -> None:
        self.admits = admits
        self.work = work
        self.worked = 0.0
        self.came: list[IAddress | None] = []

    def buildProtocol(self, addr: IAddress | None) -> Protocol | None:
        self.came.append(addr)
        self.worked += self.work
        return super().buildProtocol(addr) if self.admits else None


class EndpointTests(SynchronousTestCase):
    """With a reactor that has no sockets."""

    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()

    def test_interfaces(self) -> None:
        self.assertTrue(verifyObject(IStreamServerEndpoint, PortEndpoint(self.reactor, 1935)))
        for prefix in ("rtmp", "rtmp6"):
            parser = PortParser(prefix)
            self.assertTrue(verifyObject(IStreamServerEndpointStringParser, parser))
            self.assertTrue(verifyObject(IPlugin, parser))

    def test_plugins(self) -> None:
        """Twisted finds them, each once."""
        ours = [each for each in getPlugins(IStreamServerEndpointStringParser) if isinstance(each, PortParser)]
        self.assertEqual(sorted(each.prefix for each in ours), ["rtmp", "rtmp6"])

    def test_arguments(self) -> None:
        """Those of C{tcp:} and C{tcp6:}, in their order, with their defaults but for the backlog."""
        factory = Factory.forProtocol(Protocol)
        for description, expected in (
            ("rtmp:1935", (1935, int(BACKLOG), "")),
            ("rtmp:port=1935", (1935, int(BACKLOG), "")),
            ("rtmp:0:127.0.0.1:5", (0, 5, "127.0.0.1")),
            ("rtmp:1935:interface=127.0.0.1:backlog=5", (1935, 5, "127.0.0.1")),
            ("rtmp:1935:interface=\\:\\:1", (1935, int(BACKLOG), "::1")),
            ("rtmp6:1935", (1935, int(BACKLOG), "::")),
            ("rtmp6:1935:7:\\:\\:1", (1935, 7, "::1")),
        ):
            self.successResultOf(serverFromString(self.reactor, description).listen(factory))
            port, listening, backlog, interface = self.reactor.tcpServers[-1]
            self.assertEqual((port, backlog, interface), expected, description)
            self.assertIs(listening, factory)

    def test_bad(self) -> None:
        for description in ("rtmp:x", "rtmp:1:backlog=x", "rtmp6:x"):
            self.assertRaises(ValueError, serverFromString, self.reactor, description)
        for description in ("rtmp", "rtmp:1:mode=777"):
            self.assertRaises(TypeError, serverFromString, self.reactor, description)

    def test_wrapped(self) -> None:
        """What wraps a factory has its wrappers around nobody taken away, and nothing else."""
        bouncer = Bouncer(True)
        self.successResultOf(serverFromString(self.reactor, "haproxy:rtmp:1935").listen(bouncer))
        factory = self.reactor.tcpServers[-1][1]
        address = IPv4Address("TCP", "192.0.2.7", 5)
        protocol = factory.buildProtocol(address)
        self.assertIsInstance(protocol.wrappedProtocol, Protocol)
        bouncer.admits = False
        self.assertIsNone(factory.buildProtocol(address))
        self.assertEqual(bouncer.came, [address, address])


class RefusedTests(SynchronousTestCase):
    def test_isRefused(self) -> None:
        """However deep."""
        for depth in range(3):
            for admits in (True, False):
                factory: Any = Bouncer(admits)
                for _ in range(depth):
                    factory = WrappingFactory(factory)
                self.assertEqual(isRefused(factory.buildProtocol(None)), not admits)

    def test_factory(self) -> None:
        """It starts and stops with what it wraps, and has its name in the log."""
        bouncer = Bouncer(True)
        bouncer.noisy = False
        for wrapped, name in ((bouncer, "Bouncer"), (WrappingFactory(bouncer), "Bouncer")):
            factory = RefusingFactory(wrapped)
            factory.noisy = False
            self.assertIn(name, factory.logPrefix())
            factory.doStart()
            self.assertEqual((wrapped.numPorts, bouncer.numPorts), (1, 1))
            factory.doStop()
            self.assertEqual(bouncer.numPorts, 0)


class PortTests(TestCase):
    """Over the loopback."""

    if not isinstance(reactor, PosixReactorBase):
        skip = "this reactor makes ports of its own"

    def setUp(self) -> None:
        self.log = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)
        self.sockets: list[socket.socket] = []
        self.addCleanup(lambda: [each.close() for each in self.sockets])

    def listen(self, factory: Factory, endpoint: Any = None) -> PacedPort:
        endpoint = endpoint or PortEndpoint(reactor, 0, "127.0.0.1")
        port: PacedPort = self.successResultOf(endpoint.listen(factory))
        self.addCleanup(port.stopListening)
        return port

    def connect(self, port: Port, count: int) -> list[socket.socket]:
        """So many wait to be accepted."""
        new = [socket.create_connection(("127.0.0.1", port.getHost().port), timeout=5) for _ in range(count)]
        self.sockets += new
        return new

    def assertClosed(self, *sockets: socket.socket) -> None:
        """They were closed by the other side."""
        for each in sockets:
            try:
                self.assertEqual(each.recv(1), b"")
            except ConnectionResetError:
                continue

    def bugs(self) -> list[Any]:
        return [event for event in self.log if event["log_level"] >= LogLevel.warn]

    def test_A8_paced(self) -> None:
        """However many wait, and for however many turns: none takes longer than that, and what the last few take."""
        for work, expected in (
            (TURN, [ACCEPTS] * 7),
            (TURN / (2 * ACCEPTS), [2 * ACCEPTS] * 3),
            (TURN / (2 * ACCEPTS - 1), [2 * ACCEPTS] * 3),
            (TURN / (2 * ACCEPTS + 1), [3 * ACCEPTS] * 2),
            (0, [7 * ACCEPTS]),
        ):
            bouncer = Bouncer(False, work)
            port = self.listen(bouncer)
            port.seconds = lambda bouncer=bouncer: bouncer.worked  # type: ignore[method-assign]
            sockets = self.connect(port, sum(expected))
            self.assertEqual(self.turns(port, bouncer, len(sockets)), expected)
            self.assertClosed(*sockets)
        self.assertEqual(self.bugs(), [])

    def turns(self, port: PacedPort, bouncer: Bouncer, count: int) -> list[int]:
        """How many are accepted in each turn, until it is so many."""
        found: list[int] = []
        while sum(found) < count:
            before = len(bouncer.came)
            port.doRead()
            found.append(len(bouncer.came) - before)
        return found

    def test_few(self) -> None:
        """Few are accepted at once, and there is no wait for others; that there were few is no reason to be slower."""
        bouncer = Bouncer(False)
        port = self.listen(bouncer)
        for count in (1, ACCEPTS - 1, ACCEPTS, ACCEPTS + 1):
            self.connect(port, count)
            self.assertEqual(self.turns(port, bouncer, count), [count])
        # Nobody has come: the reactor may have been wrong.
        port.doRead()
        self.assertEqual((len(bouncer.came), self.bugs()), (3 * ACCEPTS + 1, []))

    def test_twisted(self) -> None:
        """The reason for all this: Twisted's own accepts twenty more each time."""
        bouncer = Bouncer(False)
        port = Port(0, bouncer, 512, "127.0.0.1", reactor)
        port.startListening()
        self.addCleanup(port.stopListening)
        self.connect(port, 230)
        port.doRead()
        port.doRead()
        self.assertEqual(len(bouncer.came), 220)

    def test_backlog(self) -> None:
        """The kernel keeps more of those that wait than Twisted's fifty."""
        self.assertEqual(self.listen(Bouncer(True)).backlog, 1024)

    def test_inUse(self) -> None:
        """A port that is taken is an error of the Deferred, as with Twisted's."""
        port = self.listen(Bouncer(True)).getHost().port
        taken = PortEndpoint(reactor, port, "127.0.0.1").listen(Bouncer(True))
        self.failureResultOf(taken, CannotListenError)

    def test_refusedBehindProxy(self) -> None:
        """Behind C{haproxy:}, too, the socket is closed, and nothing is logged."""
        bouncer = Bouncer(False)
        endpoint = serverFromString(reactor, "rtmp:0:interface=127.0.0.1")
        port = self.listen(bouncer, proxyEndpoint(endpoint))
        sockets = self.connect(port, 3)
        while len(bouncer.came) < 3:
            port.doRead()
        self.assertClosed(*sockets)
        self.assertEqual(self.bugs(), [])

    @inlineCallbacks
    def test_reads(self) -> Any:
        """The reactor reads it."""
        arrived: Deferred[bytes] = Deferred()

        class Arrival(Protocol):
            def dataReceived(self, data: bytes) -> None:
                assert self.transport is not None
                self.transport.loseConnection()
                arrived.callback(data)

        port = self.listen(Factory.forProtocol(Arrival))
        self.connect(port, 1)[0].sendall(b"hello")
        self.assertEqual((yield arrived), b"hello")
