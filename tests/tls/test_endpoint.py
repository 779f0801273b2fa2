# -*- test-case-name: tests.tls.test_endpoint -*-
"""
Tests for L{rtmptw.tls.endpoint}: from an endpoint string to a handshake.
"""

from __future__ import annotations

from typing import Any

from OpenSSL import SSL
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IStreamServerEndpoint, IStreamServerEndpointStringParser
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.plugin import IPlugin, getPlugins
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rtmptw.errors import CertificateError
from rtmptw.limits import Limits
from rtmptw.server import RTMPServerFactory
from rtmptw.tls.endpoint import BACKLOG, DirectoryParser, FilesParser, RTMPSEndpoint, hardened
from tests.session.dialects import TCPTransport
from tests.tls.authority import DAY, NOW, Authority
from tests.tls.directory import Directory
from tests.tls.handshake import clientContext, outcome

AUTHORITY = Authority()
#: These run by the system's own clock.
ONE = AUTHORITY.certify("a.example", notBefore=0, notAfter=NOW + 3650 * DAY)
TWO = AUTHORITY.certify("b.example", notBefore=0, notAfter=NOW + 3650 * DAY)


class HardenedTests(SynchronousTestCase):
    def test_prefix(self) -> None:
        """Twisted's TLS is ours, and so is its TCP; all else stays as it is."""
        for description, expected in (
            ("ssl:443:privateKey=k.pem", "rtmps:443:privateKey=k.pem"),
            ("SSL:443", "rtmps:443"),
            ("ssl", "rtmps"),
            ("tls:/etc/certificates:443", "rtmps-directory:/etc/certificates:443"),
            ("haproxy:ssl:443", "haproxy:rtmps:443"),
            ("tcp:443", "rtmp:443"),
            ("tcp6:443:interface=\\:\\:1", "rtmp6:443:interface=\\:\\:1"),
            ("haproxy:tcp:443", "haproxy:rtmp:443"),
            ("systemd:domain=INET:index=0", "systemd:domain=INET:index=0"),
            ("rtmp:443", "rtmp:443"),
            ("rtmps:443", "rtmps:443"),
            ("unix:ssl:tls:", "unix:ssl:tls:"),
            ("sslx:1", "sslx:1"),
            ("\nssl:1", "\nssl:1"),
            ("", ""),
        ):
            self.assertEqual(hardened(description), expected)


class EndpointTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.files = Directory(self)
        self.files.write(key=ONE.keyPEM, cert=ONE.pem, chain=AUTHORITY.pem, all=TWO.keyPEM + TWO.pem)
        self.reactor = MemoryReactorClock()

    def endpoint(self, description: str) -> RTMPSEndpoint:
        """From a string; C{%} stands for the directory."""
        endpoint = serverFromString(self.reactor, description.replace("%", self.files.path))
        assert isinstance(endpoint, RTMPSEndpoint)
        return endpoint

    def listen(self, description: str) -> tuple[int, Any, int, str]:
        """Listen: the port, the factory, the backlog and the interface."""
        factory = Factory.forProtocol(Protocol)
        self.successResultOf(self.endpoint(description).listen(factory))
        port, listening, backlog, interface = self.reactor.tcpServers[-1]
        self.assertIs(listening.wrappedFactory, factory)
        return port, listening, backlog, interface

    def connect(self, factory: Any, host: str) -> int:
        """Shake hands with a factory: the serial number of the certificate."""
        server = factory.buildProtocol(None)
        transport = StringTransport()
        server.makeConnection(transport)
        client = SSL.Connection(clientContext())
        client.set_connect_state()
        client.set_tlsext_host_name(host.encode())
        for _ in range(3):
            try:
                client.do_handshake()
            except SSL.WantReadError:
                server.dataReceived(client.bio_read(1 << 16))
                client.bio_write(transport.value())
                transport.clear()
        return outcome(client).serial

    def test_interfaces(self) -> None:
        endpoint = self.endpoint("rtmps:443:privateKey=%/key.pem:certKey=%/cert.pem")
        self.assertTrue(verifyObject(IStreamServerEndpoint, endpoint))
        for parser in (FilesParser(), DirectoryParser()):
            self.assertTrue(verifyObject(IStreamServerEndpointStringParser, parser))
            self.assertTrue(verifyObject(IPlugin, parser))

    def test_plugins(self) -> None:
        """Twisted finds them, each once."""
        ours = [each for each in getPlugins(IStreamServerEndpointStringParser) if each.prefix.startswith("rtmps")]
        self.assertEqual(
            sorted((each.prefix, type(each)) for each in ours),
            [
                ("rtmps", FilesParser),
                ("rtmps-directory", DirectoryParser),
            ],
        )

    def test_arguments(self) -> None:
        """Those of Twisted's own endpoints, with their defaults but for the backlog."""
        files = "privateKey=%/key.pem:certKey=%/cert.pem"
        for description, expected in (
            (f"rtmps:443:{files}", (443, int(BACKLOG), "")),
            (f"rtmps:{files}", (443, int(BACKLOG), "")),
            (f"rtmps:8443:{files}:interface=127.0.0.1:backlog=5", (8443, 5, "127.0.0.1")),
            (f"rtmps:8443:{files}:interface=\\:\\:1", (8443, int(BACKLOG), "::1")),
            (f"rtmps:1:{files}:extraCertChain=%/chain.pem", (1, int(BACKLOG), "")),
            ("rtmps:2:%/key.pem:%/cert.pem", (2, int(BACKLOG), "")),
            ("rtmps:3:%/all.pem", (3, int(BACKLOG), "")),
            ("rtmps-directory:%", (443, int(BACKLOG), "::")),
            ("rtmps-directory:%:8443:7:127.0.0.1", (8443, 7, "127.0.0.1")),
            ("rtmps-directory:%:port=4:interface=\\:\\:1:backlog=9", (4, 9, "::1")),
        ):
            port, _, backlog, interface = self.listen(description)
            self.assertEqual((port, backlog, interface), expected, description)

    def test_bad(self) -> None:
        for description, kind, wrong in (
            ("rtmps:443", CertificateError, "server.pem: No such file"),
            ("rtmps:443:privateKey=%/key.pem", CertificateError, "key.pem: not a PEM certificate"),
            ("rtmps:x:privateKey=%/all.pem", ValueError, "invalid literal"),
            ("rtmps:1:privateKey=%/all.pem:backlog=x", ValueError, "invalid literal"),
            ("rtmps:1:privateKey=%/all.pem:sslmethod=TLSv1_METHOD", TypeError, "sslmethod"),
            ("rtmps-directory", TypeError, "path"),
            ("rtmps-directory:%/none:443", CertificateError, "none: no such directory"),
        ):
            error = self.assertRaises(kind, self.endpoint, description)
            self.assertIn(wrong, str(error))

    def test_announced(self) -> None:
        """The log says what is used when it is, not before."""
        with capturedLogs() as events:
            endpoint = self.endpoint("rtmps:1:privateKey=%/all.pem")
        self.assertEqual(events, [])
        with capturedLogs() as events:
            self.successResultOf(endpoint.listen(Factory.forProtocol(Protocol)))
        said = [formatEvent(event) for event in events if event["log_level"] is LogLevel.info]
        self.assertIn("using the certificate for b.example", said[0])

    def test_handshake(self) -> None:
        """Both show the right certificate; a directory, to each host its own."""
        _, factory, _, _ = self.listen("rtmps:1:privateKey=%/key.pem:certKey=%/cert.pem")
        self.assertEqual(self.connect(factory, "b.example"), ONE.serial)
        _, factory, _, _ = self.listen("rtmps-directory:%:1")
        self.assertEqual(self.connect(factory, "a.example"), ONE.serial)
        self.assertEqual(self.connect(factory, "b.example"), TWO.serial)


class DeadlineTests(SynchronousTestCase):
    """A7: who does not finish the handshake is closed in time, and the log says so."""

    def setUp(self) -> None:
        files = Directory(self)
        files.write(all=TWO.keyPEM + TWO.pem)
        self.clock = MemoryReactorClock()
        endpoint = serverFromString(self.clock, f"rtmps:1:privateKey={files('all.pem')}")
        self.successResultOf(endpoint.listen(RTMPServerFactory(clock=self.clock)))
        self.server = self.clock.tcpServers[-1][1].buildProtocol(None)
        self.transport = TCPTransport()
        # As the reactor does it.
        self.transport.lost = lambda reason: self.clock.callLater(0, self.server.connectionLost, reason)
        self.server.makeConnection(self.transport)
        self.client = SSL.Connection(clientContext())
        self.client.set_connect_state()

    def hello(self) -> bytes:
        """What the client begins with."""
        self.assertRaises(SSL.WantReadError, self.client.do_handshake)
        return bytes(self.client.bio_read(1 << 16))

    def check(self, dribble: bytes = b"") -> None:
        """
        Assert that this is the end of it after ten seconds.

        @param dribble: what comes in that time, a byte in a second.
        """
        for second in range(int(Limits().handshakeSeconds) - 1):
            self.clock.advance(1)
            if dribble:
                self.server.dataReceived(dribble[second : second + 1])
            self.assertFalse(self.transport.disconnecting)
        with capturedLogs() as events:
            self.clock.advance(1)
            self.clock.advance(0)
        self.assertTrue(self.transport.disconnected)
        said = " ".join(formatEvent(event) for event in events)
        self.assertIn("closed: no handshake within 10 s; it neither published nor played (10.0 s; byte 0, in the", said)

    def test_A7_silent(self) -> None:
        self.check()

    def test_A7_dribble(self) -> None:
        self.check(self.hello())

    def test_A7_halfWay(self) -> None:
        """The server has answered, and the client says nothing more."""
        self.server.dataReceived(self.hello())
        self.assertNotEqual(self.transport.value(), b"")
        self.check()
