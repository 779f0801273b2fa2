# -*- test-case-name: tests.test_client -*-
"""
Tests for L{rtmptw.client}: from a URL to a connection, and whatever may happen on the way.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IProtocolFactory, ISSLTransport, IStreamClientEndpoint
from twisted.internet.protocol import Protocol
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from rtmptw.client import CLIENT_LIMITS, CONNECT_SECONDS, RTMPClientFactory, connect, play, publish
from rtmptw.errors import AuthenticationError, CallError, CallTimedOut, ConnectionClosed, URLError
from rtmptw.interfaces import IOwner
from rtmptw.limits import Limits, Reached
from rtmptw.protocol import RTMPProtocol
from rtmptw.session import status
from rtmptw.session.adobe import needAuth, needResponse
from rtmptw.session.clientconnection import ClientConnection
from rtmptw.session.connect import connectParameters
from rtmptw.session.llnw import responseQuery
from rtmptw.url import RTMPURL
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.command import Command
from rtmptw.wire.handshake import HANDSHAKE_SIZE, ServerHandshake
from rtmptw.wire.limits import ReadLimits
from rtmptw.wire.message import Message, MessageType
from tests.session.dialects import TCPTransport, audio
from tests.session.servers import URL, Listener


class Peer:
    """The server's end of one connection that the client has made."""

    def __init__(self, factory: Any) -> None:
        self.protocol: Any = factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 1935))
        self.transport = TCPTransport()
        self.protocol.makeConnection(self.transport)
        self.writer, self.reader = ChunkWriter(), ChunkReader()
        self.greeted = False

    def take(self) -> list[Command]:
        """The commands that the client has said; at first, what comes behind the handshake."""
        if not self.greeted:
            self.greeted = True
            self.protocol.dataReceived(ServerHandshake().feed(self.transport.value())[0])
            self.data = self.transport.value()[HANDSHAKE_SIZE:]
        else:
            self.data = self.transport.value()
        self.transport.clear()
        messages = list(self.reader.feed(self.data))
        return [Command.decode(message) for message in messages if message.type == MessageType.COMMAND]

    def say(self, *messages: Message) -> None:
        self.protocol.dataReceived(b"".join(map(self.writer.write, messages)))

    def accept(self) -> list[Command]:
        """Accept the connect."""
        said = self.take()
        self.say(Command("_result", 1.0, {}, ({"code": status.CONNECT_SUCCESS},)).encode())
        return said

    def refuse(self, description: str) -> Command:
        """Refuse it, and close."""
        [said] = self.take()
        self.say(status.callError(1.0, status.CONNECT_REJECTED, description))
        return said

    def lose(self) -> None:
        self.protocol.connectionLost(Failure(ConnectionDone()))


@implementer(IStreamClientEndpoint)
class Network:
    """
    An endpoint that a test decides about.

    @ivar peers: the connections that were made.
    """

    def __init__(self) -> None:
        self.peers: list[Peer] = []
        self.factories: list[Any] = []
        self.waiting: list[Deferred[Any]] = []

    def connect(self, factory: Any) -> Deferred[Any]:
        self.factories.append(factory)
        self.waiting.append(Deferred())
        return self.waiting[-1]

    def accept(self) -> Peer:
        """The TCP connection is there."""
        peer = Peer(self.factories[-1])
        self.peers.append(peer)
        self.waiting[-1].callback(peer.protocol)
        return peer


class ClientTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.network = Network()

    def connect(self, url: str | RTMPURL = URL, **options: Any) -> Deferred[Any]:
        return connect(url, self.network, reactor=self.reactor, **options)


class ConnectTests(ClientTestCase):
    def test_factory(self) -> None:
        factory = RTMPClientFactory(URL, self.reactor)
        self.assertTrue(verifyObject(IProtocolFactory, factory))
        self.assertTrue(verifyObject(IOwner, factory))
        self.assertTrue(factory.tells(factory.buildProtocol(None)))
        self.assertEqual(factory.publisherLimits, ReadLimits())
        self.assertEqual(factory.limits, CLIENT_LIMITS)
        self.assertEqual((CLIENT_LIMITS.lingerSeconds, Limits().lingerSeconds), (30.0, 5.0))

    def test_limits(self) -> None:
        """They may be given, and then count also for what a server may send us when we play."""
        limits, reached = Limits(videoBytes=1000), Reached()
        factory = RTMPClientFactory(URL, self.reactor, limits=limits, reached=reached)
        self.assertEqual((factory.limits, factory.reached), (limits, reached))
        self.assertEqual(factory.publisherLimits.messageSize[9], 1000)
        own = ReadLimits(messageSize={9: 7})
        self.assertIs(RTMPClientFactory(URL, self.reactor, limits=limits, publisherLimits=own).publisherLimits, own)

    def test_limitsOfConnect(self) -> None:
        reached = Reached()
        self.connect(limits=Limits(handshakeSeconds=2), reached=reached).addErrback(lambda failure: None)
        peer = self.network.accept()
        self.reactor.pump([1.0] * 2)
        self.assertEqual((peer.transport.disconnecting, dict(reached.counts)), (True, {"handshakeSeconds": 1}))

    def test_connected(self) -> None:
        connected = self.connect()
        peer = self.network.accept()
        self.assertNoResult(connected)
        [said] = peer.accept()
        self.assertEqual(said.name, "connect")
        connection = self.successResultOf(connected)
        self.assertEqual(connection.peer, "192.168.1.1:54321")
        # No deadline is left, only the second hand.
        self.assertEqual(len(self.reactor.getDelayedCalls()), 1)
        peer.lose()
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_parameters(self) -> None:
        """As a player, as an encoder, with a user as an encoder; and whatever else is asked for."""
        rows: list[tuple[str, dict[str, Any], bool]] = [
            ("rtmp://server.test/live", {}, False),
            ("rtmp://server.test/live", {"publishing": True}, True),
            ("rtmp://me:secret@server.test/live", {}, True),
        ]
        for url, options, encoder in rows:
            self.connect(url, parameters={"pageUrl": "http://example.com", "capabilities": 1.0}, **options)
            [said] = self.network.accept().accept()
            expected = connectParameters("live", "rtmp://server.test/live", encoder)
            self.assertEqual(
                said.commandObject, {**expected, "pageUrl": "http://example.com", "capabilities": 1.0}, (url, options)
            )
            self.assertEqual(str(expected["flashVer"]).startswith("FMLE/"), encoder)

    def test_refused(self) -> None:
        """With the server's own words; and the connection is not left behind."""
        connected = self.connect()
        peer = self.network.accept()
        peer.refuse("not today")
        error = self.failureResultOf(connected, CallError).value
        self.assertEqual((error.code, error.description), (status.CONNECT_REJECTED, "not today"))
        self.assertIn("abortConnection", peer.transport.calls)

    def test_unreachable(self) -> None:
        connected = self.connect()
        self.network.waiting[-1].errback(ConnectError(string="no route"))
        error = self.failureResultOf(connected, ConnectionClosed).value
        self.assertIn("connecting to server.test, port 1935 failed: ", str(error))
        self.assertIn("no route", str(error))

    def test_timeouts(self) -> None:
        """The error says how far it has come."""
        connected = self.connect()
        self.reactor.advance(CONNECT_SECONDS)
        error = self.failureResultOf(connected, CallTimedOut).value
        self.assertEqual(str(error), "no answer to connecting to server.test, port 1935 within 30 s")
        connected = self.connect(timeout=5)
        peer = self.network.accept()
        self.reactor.advance(5)
        error = self.failureResultOf(connected, CallTimedOut).value
        self.assertEqual(str(error), "no answer to connect to rtmp://server.test/live within 5 s")
        self.assertIn("abortConnection", peer.transport.calls)

    def test_cancelled(self) -> None:
        connected = self.connect()
        connected.cancel()
        self.failureResultOf(connected, CancelledError)
        connected = self.connect()
        peer = self.network.accept()
        connected.cancel()
        self.failureResultOf(connected, CancelledError)
        self.assertIn("abortConnection", peer.transport.calls)

    def test_cancelledOnTheWay(self) -> None:
        """Endpoints have an error of their own for it; it is the same to our callers."""
        connected = connect("rtmp://127.0.0.1:1936/live", reactor=self.reactor)
        connected.cancel()
        self.failureResultOf(connected, CancelledError)

    def test_lost(self) -> None:
        connected = self.connect()
        self.network.accept().lose()
        error = self.failureResultOf(connected, ConnectionClosed).value
        words = "connect failed: the peer closed the connection without a word; does it want TLS (rtmps)?"
        self.assertEqual(str(error), words)

    def test_lostSecure(self) -> None:
        """Over TLS, it is the other way round."""

        @implementer(ISSLTransport)
        class TLSTransport(TCPTransport):
            def getPeerCertificate(self) -> None:
                """None in a test."""

        protocol = RTMPClientFactory(URL, self.reactor).buildProtocol(None)
        protocol.makeConnection(TLSTransport())
        assert isinstance(protocol.session, ClientConnection)
        protocol.connectionLost(Failure(ConnectionLost()))
        error = self.failureResultOf(protocol.session.whenConnected(), ConnectionClosed).value
        self.assertIn("without a word; does it speak without TLS (rtmp)?", str(error))

    def test_badURL(self) -> None:
        for function in (lambda: connect("http://x"), lambda: publish("http://x"), lambda: play("x", Listener())):
            self.assertRaises(URLError, function)


class EndpointTests(ClientTestCase):
    """From a URL to an endpoint."""

    def test_plain(self) -> None:
        connect("rtmp://127.0.0.1:1936/live", reactor=self.reactor)
        [(host, port, *_)] = self.reactor.tcpClients
        self.assertEqual((host, port), ("127.0.0.1", 1936))

    def test_secure(self) -> None:
        """TLS on the port of rtmps."""
        connect("rtmps://127.0.0.1/live", reactor=self.reactor)
        [(host, port, factory, *_)] = self.reactor.tcpClients
        self.assertEqual((host, port), ("127.0.0.1", 443))
        protocol = factory.buildProtocol(None)
        transport = TCPTransport()
        protocol.makeConnection(transport)
        # A TLS handshake record, and no C0.
        self.assertEqual(transport.value()[:1], b"\x16")

    def test_text(self) -> None:
        """The text of an endpoint."""
        connect("rtmp://server.test/live", "unix:/run/rtmp", reactor=self.reactor)
        [(path, *_)] = self.reactor.unixClients
        self.assertEqual(path, "/run/rtmp")

    def test_reactor(self) -> None:
        """By default, the reactor."""
        from twisted.internet import reactor

        connected = connect("rtmp://server.test/live", self.network, timeout=1000)
        self.assertTrue(self.network.factories[0].clock is reactor)
        connected.cancel()
        self.failureResultOf(connected, CancelledError)


class AuthenticationTests(ClientTestCase):
    """Either scheme takes three connections (wire facts 8)."""

    def test_threeSteps(self) -> None:
        connected = self.connect("rtmp://me:secret@server.test/live/test")
        first = self.network.accept().refuse(needAuth())
        second = self.network.accept().refuse(needResponse("me", "salt", "challenge", "opaque"))
        [third] = self.network.accept().accept()
        self.successResultOf(connected)
        apps = []
        for said in (first, second, third):
            parameters = said.commandObject
            assert isinstance(parameters, dict)
            app, tcUrl = str(parameters["app"]), str(parameters["tcUrl"])
            apps.append(app)
            self.assertEqual(tcUrl, f"rtmp://server.test/{app}")
            self.assertNotIn("secret", f"{parameters}")
        self.assertEqual(apps[:2], ["live", "live?authmod=adobe&user=me"])
        self.assertRegex(apps[2], r"^live\?authmod=adobe&user=me&challenge=\w+&response=[\w+/=]+&opaque=opaque$")
        self.assertTrue(all("abortConnection" in peer.transport.calls for peer in self.network.peers[:2]))

    def test_llnw(self) -> None:
        """Limelight's: each time it is the application of the URL that is said, hashed, and added to."""
        connected = self.connect("rtmp://me:secret@server.test/live?key=x/test")
        prefix = "[ AccessManager.Reject ] : [ "
        first = self.network.accept().refuse(f"{prefix}code=403 need auth; authmod=llnw ] : ")
        second = self.network.accept().refuse(f"{prefix}authmod=llnw ] : ?reason=needauth&user=me&nonce=n0nce")
        [third] = self.network.accept().accept()
        self.successResultOf(connected)
        apps = []
        for said in (first, second, third):
            assert isinstance(said.commandObject, dict)
            apps.append(str(said.commandObject["app"]))
        self.assertEqual(apps[:2], ["live?key=x", "live?key=x&authmod=llnw&user=me"])
        own = apps[2].partition("&cnonce=")[2][:8]
        self.assertEqual(apps[2], f"live?key=x&{responseQuery('me', 'secret', 'live?key=x', 'n0nce', own)}")

    def test_noEnd(self) -> None:
        """A server that asks again and again is left after the third time."""
        connected = self.connect("rtmp://me:secret@server.test/live/test")
        for _ in range(3):
            self.assertNoResult(connected)
            self.network.accept().refuse(needAuth())
        self.failureResultOf(connected, CallError)
        self.assertEqual(len(self.network.peers), 3)

    def test_nobody(self) -> None:
        """Without a user, the error says what to write."""
        connected = self.connect()
        self.network.accept().refuse(needAuth())
        error = self.failureResultOf(connected, AuthenticationError).value
        self.assertIn("rtmp://user:password@host", str(error))


class StreamTests(ClientTestCase):
    """publish and play."""

    def publish(self) -> tuple[Deferred[Any], Peer]:
        published = publish(URL, endpoint=self.network, reactor=self.reactor, type="record")
        peer = self.network.accept()
        [connect] = peer.accept()
        assert isinstance(connect.commandObject, dict)
        self.assertEqual(connect.commandObject["type"], "nonprivate")
        return published, peer

    def test_publish(self) -> None:
        published, peer = self.publish()
        self.assertEqual([c.name for c in peer.take()], ["releaseStream", "FCPublish", "createStream"])
        peer.say(Command("_result", 4.0, None, (1.0,)).encode())
        [command] = peer.take()
        self.assertEqual(command.arguments, ("test", "record"))
        peer.say(status.onStatus(1, status.PUBLISH_START, ""))
        self.assertEqual(self.successResultOf(published).name, "test")

    def test_publishRefused(self) -> None:
        """The connection is of no use then."""
        published, peer = self.publish()
        peer.say(status.callError(4.0, "X", "no"))
        error = self.failureResultOf(published, CallError).value
        self.assertIn("abortConnection", peer.transport.calls)
        # What the log says of the end of this connection.
        protocol: RTMPProtocol = peer.protocol
        peer.lose()
        self.assertEqual(self.successResultOf(protocol.session.whenClosed()), str(error))  # type: ignore[attr-defined]

    def test_play(self) -> None:
        listener = Listener()
        played = play("rtmp://server.test/live/test", listener, endpoint=self.network, reactor=self.reactor, start=5)
        peer = self.network.accept()
        [connect] = peer.accept()
        assert isinstance(connect.commandObject, dict)
        self.assertNotIn("type", connect.commandObject)
        peer.take()
        peer.say(Command("_result", 2.0, None, (1.0,)).encode())
        [command] = peer.take()
        self.assertEqual(command.arguments, ("test", 5.0))
        peer.say(status.onStatus(1, status.PLAY_START, ""), audio(0))
        self.successResultOf(played)
        self.assertEqual(len(listener.messages), 1)

    def test_cancelled(self) -> None:
        played = play(URL, Listener(), endpoint=self.network, reactor=self.reactor)
        peer = self.network.accept()
        peer.accept()
        played.cancel()
        self.failureResultOf(played, CancelledError)
        self.assertIn("abortConnection", peer.transport.calls)


class HalfCloseTests(ClientTestCase):
    """What a transport that can close one side tells."""

    def test_serverFirst(self) -> None:
        connected = self.connect()
        peer = self.network.accept()
        peer.accept()
        connection = self.successResultOf(connected)
        protocol: Protocol = peer.protocol
        protocol.readConnectionLost()  # type: ignore[attr-defined]
        self.assertEqual(peer.transport.calls[-1], "loseConnection")
        peer.lose()
        self.assertEqual(self.successResultOf(connection.whenClosed()), "the peer closed the connection")
