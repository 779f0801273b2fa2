"""Tests for L{rtmptw.capture.tracer} over TCP, on the loopback interface."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Coroutine
from fcntl import ioctl
from functools import wraps
from hashlib import sha256
from termios import FIONREAD
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint, wrapClientTLS
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase
from zope.interface import alsoProvides

from rtmptw.capture import leg
from rtmptw.capture.leg import CLOSED, DROPPED, RESET, Leg
from rtmptw.capture.tracer import TracerFactory
from rtmptw.plainsocket import UNSENT
from rtmptw.tls.client import clientTLS
from rtmptw.trace.segment import Side
from tests.capture.observers import Witness
from tests.tls.authority import NOW, Authority
from tests.tls.handshake import OneCertificate

C, S = Side.CLIENT, Side.SERVER

#: 20 MB, of which no two pieces near each other are the same; and as many others.
MUCH = b"".join(number.to_bytes(4, "big") for number in range(5 << 20))
OTHER = MUCH[::-1]

#: More than the small window of who does not read, so that most of it is in the system if a reset comes; and no more
#: than the system takes, since a side that is not read can't be heard.
SOME = UNSENT * 3 // 2


def asynchronous(test: Callable[[Any], Coroutine[Any, Any, None]]) -> Callable[[Any], Deferred[None]]:
    """A test that is a coroutine."""

    @wraps(test)
    def run(self: Any) -> Deferred[None]:
        return Deferred.fromCoroutine(test(self))

    return run


def receive(peer: socket.socket) -> bytes:
    """Everything, up to the end."""
    data = bytearray()
    while piece := peer.recv(65536):
        data += piece
    return bytes(data)


def receiveUntilReset(peer: socket.socket) -> bytes:
    """
    Everything, up to a reset.

    @raise AssertionError: there is an end instead.
    """
    data = bytearray()
    try:
        while piece := peer.recv(65536):
            data += piece
    except ConnectionResetError:
        return bytes(data)
    raise AssertionError(f"closed, not reset, behind {len(data)} bytes")


def reset(peer: socket.socket) -> None:
    """Break off."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


class Tracing(TestCase):
    """
    A tracer, and what was seen by it.

    @ivar legs: the clients' legs that there were.
    """

    timeout = 60

    def setUp(self) -> None:
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.witness = Witness()
        self.legs: list[Leg] = []
        self.addCleanup(lambda: Deferred.fromCoroutine(self.wait(self.areAllGone)))

    def listen(self, target: IStreamClientEndpoint) -> None:
        """Begin."""
        factory = TracerFactory(target, self.reactor, lambda number: self.witness)
        build = factory.buildProtocol

        def buildProtocol(addr: Any) -> Leg:
            self.legs.append(build(addr))
            return self.legs[-1]

        factory.buildProtocol = buildProtocol  # type: ignore[method-assign]
        port = self.reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        self.port = port.getHost().port

    def serverLeg(self) -> Any:
        """The leg to the target, of the first session."""
        return self.legs[0]._session.server  # type: ignore[attr-defined]

    def areAllGone(self) -> bool:
        """Whether no session is left."""
        servers = [leg._session.server for leg in self.legs]  # type: ignore[attr-defined]
        return all(leg is None or leg.isLost for leg in [*self.legs, *servers])

    async def wait(self, condition: Callable[[], object]) -> None:
        """Until something is so."""
        while not condition():
            await deferLater(self.reactor, 0.01)

    async def settle(self, value: Callable[[], int]) -> int:
        """Until a number has not changed for half a second."""
        before, now = -1, value()
        while before != now:
            await deferLater(self.reactor, 0.5)
            before, now = now, value()
        return now

    def seen(self) -> int:
        """How much was seen, bytes."""
        return sum(len(segment.data) for segment in self.witness.segments)


class TracerTCPTests(Tracing):
    """
    A client and a target that are no reactor's, and the tracer between them.
    """

    def setUp(self) -> None:
        super().setUp()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listener.close)
        # What it is told of is inherited by what it accepts: a small window.
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
        self.listen(TCP4ClientEndpoint(self.reactor, "127.0.0.1", self.listener.getsockname()[1]))

    def connected(self) -> tuple[socket.socket, Deferred[socket.socket]]:
        """
        A client; its own window is small.

        @return: its connection, and the target's, when it is there.
        """
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
        client.connect(("127.0.0.1", self.port))
        client.settimeout(40)
        self.addCleanup(client.close)
        accepted: Deferred[socket.socket] = deferToThread(self.accept)
        return client, accepted

    def accept(self) -> socket.socket:
        """In a thread."""
        self.listener.settimeout(40)
        server, _ = self.listener.accept()
        server.settimeout(40)
        self.addCleanup(server.close)
        return server

    @asynchronous
    async def test_muchBothWays(self) -> None:
        """20 MB in each direction at once; each closes its direction when all is sent, and hears the rest."""
        client, accepted = self.connected()
        server = await accepted

        def send(peer: socket.socket, data: bytes) -> None:
            peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)

        _, _, atServer, atClient = await gatherResults(
            [
                deferToThread(send, client, MUCH),
                deferToThread(send, server, OTHER),
                deferToThread(receive, server),
                deferToThread(receive, client),
            ]
        )
        self.assertEqual(sha256(atServer).digest(), sha256(MUCH).digest())
        self.assertEqual(sha256(atClient).digest(), sha256(OTHER).digest())
        self.assertEqual(sha256(self.witness.all(C)).digest(), sha256(MUCH).digest())
        self.assertEqual(sha256(self.witness.all(S)).digest(), sha256(OTHER).digest())
        self.assertEqual(sorted(how for _, how in self.witness.how), [CLOSED, CLOSED])
        self.assertLessEqual(max(len(segment.data) for segment in self.witness.segments), 64 * 1024)
        times = [segment.at for segment in self.witness.segments]
        self.assertEqual(times, sorted(times))

    @asynchronous
    async def test_halfClose(self) -> None:
        """A client that has closed its direction gets the whole answer, however long that takes."""
        client, accepted = self.connected()
        server = await accepted
        client.sendall(b"question")
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(await deferToThread(receive, server), b"question")
        await deferLater(self.reactor, 0.2)
        self.assertEqual(self.witness.how, [(C, CLOSED)])
        _, answer = await gatherResults([deferToThread(server.sendall, MUCH[:2_000_000]), self.later(server, client)])
        self.assertEqual(answer, MUCH[:2_000_000])
        await self.wait(lambda: len(self.witness.ends) == 2)
        self.assertEqual(self.witness.how, [(C, CLOSED), (S, CLOSED)])
        await self.wait(self.areAllGone)

    async def answer(self, server: socket.socket, client: socket.socket) -> bytes:
        """What the client gets; the target closes when it has seen everything."""
        reading = deferToThread(receive, client)
        await self.wait(lambda: self.seen() >= 2_000_000)
        server.close()
        return await reading

    def later(self, server: socket.socket, client: socket.socket) -> Deferred[bytes]:
        """L{answer}."""
        return Deferred.fromCoroutine(self.answer(server, client))

    @asynchronous
    async def test_slowReader(self) -> None:
        """A target that does not read stops the client; little waits here, and nothing is lost."""
        client, accepted = self.connected()
        server = await accepted
        sending = deferToThread(client.sendall, MUCH)
        read = await self.settle(self.seen)
        # What the system takes of us for the target (rtmptw.plainsocket), and what it has there.
        self.assertLess(read, 2_000_000)
        outlet = self.serverLeg()._outlet
        self.assertFalse(outlet.ready)
        self.assertLessEqual(sum(map(len, outlet._waiting)), 64 * 1024)
        reading = deferToThread(receive, server)
        await sending
        client.close()
        self.assertEqual(sha256(await reading).digest(), sha256(MUCH).digest())

    @asynchronous
    async def test_reset(self) -> None:
        """A reset comes out as a reset, behind everything that had come: also to who reads late."""
        for speaker in (C, S):
            self.witness = Witness()
            client, accepted = self.connected()
            server = await accepted
            breaker, other = (client, server) if speaker is C else (server, client)
            breaker.sendall(MUCH[:SOME])
            await self.wait(lambda: self.seen() == SOME)
            reset(breaker)
            await self.wait(lambda: self.witness.ends)
            await deferLater(self.reactor, 0.3)
            self.assertEqual(await deferToThread(receiveUntilReset, other), MUCH[:SOME])
            await self.wait(lambda: len(self.witness.ends) == 2)
            self.assertEqual(self.witness.how, [(speaker, RESET), (speaker.other, DROPPED)])
            other.close()

    @asynchronous
    async def test_resetToNobody(self) -> None:
        """One who does not read is reset all the same, some time later."""
        self.patch(leg, "STALL_SECONDS", 0.5)
        client, accepted = self.connected()
        server = await accepted
        client.sendall(MUCH[:SOME])
        await self.wait(lambda: self.seen() == SOME)
        reset(client)
        await self.wait(self.areAllGone)
        self.assertEqual(self.witness.how, [(C, RESET), (S, DROPPED)])
        self.assertLess(len(await deferToThread(receiveUntilReset, server)), SOME)

    @asynchronous
    async def test_unreadAnswers(self) -> None:
        """
        A publisher that leaves with answers unread resets its connection. The target sends more; that this can't be
        delivered does not lose what the publisher has sent, and waits in the system still (wire facts 0.2).
        """
        client, accepted = self.connected()
        server = await accepted
        client.setblocking(False)
        try:
            while True:
                client.send(MUCH[:65536])
        except BlockingIOError:
            pass
        await self.settle(self.seen)
        server.sendall(b"answer")
        await self.wait(lambda: self.witness.all(S) == b"answer")
        await deferLater(self.reactor, 0.1)
        incoming = self.legs[0].transport.getHandle()  # type: ignore[union-attr]
        client.close()
        await deferLater(self.reactor, 0.1)
        waiting = struct.unpack("i", ioctl(incoming.fileno(), FIONREAD, bytes(4)))[0]
        self.assertGreater(waiting, 0)
        expected = len(self.witness.all(C)) + waiting
        for _ in range(3):
            server.sendall(b"answer")
            await deferLater(self.reactor, 0.1)
        self.assertEqual(self.witness.how, [])
        self.assertEqual(len(await deferToThread(receiveUntilReset, server)), expected)
        self.assertEqual(len(self.witness.all(C)), expected)
        self.assertEqual(self.witness.all(S), b"answer" * 4)
        self.assertEqual(self.witness.how, [(C, RESET), (S, DROPPED)])

    @asynchronous
    async def test_answersToNobody(self) -> None:
        """A client that has closed for good is not read any more: that it can't be written to tells the target."""
        client, accepted = self.connected()
        server = await accepted
        client.sendall(b"bye")
        client.close()
        self.assertEqual(await deferToThread(receive, server), b"bye")
        for _ in range(2):
            server.sendall(b"wait")
            await deferLater(self.reactor, 0.1)
        await self.wait(self.areAllGone)
        self.assertEqual(self.witness.how, [(C, CLOSED), (S, DROPPED)])
        self.assertRaises(OSError, server.sendall, b"wait")

    @asynchronous
    async def test_refused(self) -> None:
        """Without a target, the client's connection is reset, and the observer is told why."""
        self.listener.close()
        client = socket.create_connection(("127.0.0.1", self.port), 40)
        self.addCleanup(client.close)
        client.sendall(b"hello")
        self.assertEqual(await deferToThread(receiveUntilReset, client), b"")
        ((side, reason, _),) = self.witness.ends
        self.assertIsNone(side)
        self.assertIn("Connection refused", reason)

    @asynchronous
    async def test_noDelay(self) -> None:
        """Nothing waits for more, in either direction; and peers that are gone without a word are asked for."""
        _, accepted = self.connected()
        await accepted
        await self.wait(self.serverLeg)
        for each in (self.legs[0], self.serverLeg()):
            self.assertTrue(each.transport.getTcpNoDelay())
            self.assertTrue(each.transport.getTcpKeepAlive())
            each.transport.abortConnection()


class TargetTLS(Protocol):
    """
    A target over TLS.

    @ivar received: what has come.
    @ivar lost: why the connection is gone.
    """

    lost: Failure | None = None

    def __init__(self) -> None:
        self.received = bytearray()

    def dataReceived(self, data: bytes) -> None:
        """Keep it."""
        self.received += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Remember."""
        self.lost = reason


class TracerTLSTests(Tracing):
    """A client without TLS, and a target with it."""

    def setUp(self) -> None:
        super().setUp()
        self.target = TargetTLS()
        credential = Authority.selfSigned("localhost", notBefore=0, notAfter=2 * NOW)
        creator: Any = OneCertificate(credential)
        alsoProvides(creator, IOpenSSLServerConnectionCreator)
        factory = TLSMemoryBIOFactory(creator, False, Factory.forProtocol(lambda: self.target))  # type: ignore[arg-type]
        factory.noisy = False
        port = self.reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        self.address = port.getHost().port

    def start(self, verify: bool = False) -> socket.socket:
        """A client, and the tracer that is to connect to the target."""
        plain = TCP4ClientEndpoint(self.reactor, "127.0.0.1", self.address)
        self.listen(wrapClientTLS(clientTLS("localhost", verify=verify), plain))
        client = socket.create_connection(("127.0.0.1", self.port), 40)
        self.addCleanup(client.close)
        return client

    @asynchronous
    async def test_close(self) -> None:
        """All that is said arrives, in both directions, and then the end."""
        client = self.start()
        reading = deferToThread(receive, client)
        await deferToThread(client.sendall, MUCH[:3_000_000])
        await self.wait(lambda: len(self.target.received) == 3_000_000)
        transport: Any = self.target.transport
        transport.write(OTHER[:3_000_000])
        transport.loseConnection()
        self.assertEqual(await reading, OTHER[:3_000_000])
        self.assertEqual(bytes(self.target.received), MUCH[:3_000_000])
        client.close()
        await self.wait(self.areAllGone)
        self.assertEqual(self.witness.how, [(S, CLOSED), (C, CLOSED)])
        self.assertEqual((self.witness.all(C), self.witness.all(S)), (MUCH[:3_000_000], OTHER[:3_000_000]))

    @asynchronous
    async def test_clientCloses(self) -> None:
        """A client that closes its direction closes the target's connection, behind what it has said."""
        client = self.start()
        await deferToThread(client.sendall, MUCH[:3_000_000])
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(await deferToThread(receive, client), b"")
        await self.wait(lambda: self.target.lost)
        self.assertEqual(bytes(self.target.received), MUCH[:3_000_000])
        assert self.target.lost is not None
        self.assertTrue(self.target.lost.check(ConnectionDone))
        await self.wait(self.areAllGone)
        self.assertEqual(self.witness.how, [(C, CLOSED), (S, CLOSED)])

    @asynchronous
    async def test_reset(self) -> None:
        """A reset is one below TLS, behind everything, also when the target reads late."""
        client = self.start()
        client.sendall(b"hello")
        await self.wait(lambda: self.target.received)
        transport: Any = self.target.transport
        transport.pauseProducing()
        await deferToThread(client.sendall, MUCH[:300_000])
        await self.wait(lambda: self.seen() == 300_005)
        reset(client)
        await self.wait(lambda: self.witness.ends)
        await deferLater(self.reactor, 0.3)
        transport.resumeProducing()
        await self.wait(lambda: self.target.lost)
        self.assertEqual(bytes(self.target.received), b"hello" + MUCH[:300_000])
        assert self.target.lost is not None
        self.assertFalse(self.target.lost.check(ConnectionDone))
        self.assertEqual(self.witness.how, [(C, RESET), (S, DROPPED)])

    @asynchronous
    async def test_notTrusted(self) -> None:
        """A target that is not trusted: the observer is told why."""
        client = self.start(verify=True)
        client.sendall(b"hello")
        self.assertEqual(await deferToThread(receiveUntilReset, client), b"")
        await self.wait(self.areAllGone)
        (server, reason), (side, how) = self.witness.how
        self.assertEqual((server, side, how), (S, C, DROPPED))
        self.assertIn("localhost is not trusted: its certificate is self-signed", reason.replace("it is", "its"))
