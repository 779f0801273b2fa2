# -*- test-case-name: tests.tls.test_transport -*-
"""
Tests for L{rtmptw.tls.transport}: over a pair of sockets, with a reactor that does nothing by itself.
"""

from __future__ import annotations

import contextlib
import gc
import socket
from typing import Any
from weakref import ref

from OpenSSL import SSL
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator, IPushProducer, ITCPTransport
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.tcp import Connection
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.protocols.policies import WrappingFactory
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from rtmptw.directoutlet import outletFor
from rtmptw.outlet import Outlet
from rtmptw.tls.certificatefiles import PEMFiles
from rtmptw.tls.servercertificates import ServerCertificates
from rtmptw.tls.transport import TLSFactory
from tests.tls.authority import DAY, NOW, Authority
from tests.tls.directory import Directory


class TLSTransportTests(SynchronousTestCase):
    def setUp(self) -> None:
        files, own = Directory(self), Authority().certify("a.example", notBefore=0, notAfter=NOW + 3650 * DAY)
        files.write(own=own.keyPEM + own.pem)
        self.reactor = MemoryReactorClock()
        self.application = Protocol()
        self.certificates = ServerCertificates(PEMFiles(files("own.pem"), files("own.pem")))
        factory = TLSFactory(self.certificates, False, Factory.forProtocol(lambda: self.application), self.reactor)
        self.tls: Any = factory.buildProtocol(None)
        ours, self.theirs = socket.socketpair()
        for end in (ours, self.theirs):
            end.setblocking(False)
            self.addCleanup(end.close)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32 * 1024)
        self.below = Connection(ours, self.tls, self.reactor)
        self.below.connected = 1
        self.client = SSL.Connection(SSL.Context(SSL.TLS_METHOD), None)
        self.client.set_connect_state()
        self.tls.makeConnection(self.below)
        for _ in range(3):
            with contextlib.suppress(SSL.WantReadError):
                self.client.do_handshake()
            with contextlib.suppress(SSL.WantReadError):
                self.tls.dataReceived(self.client.bio_read(1 << 20))
            self.received()
        self.outlet: Outlet = outletFor(self.application.transport, self.reactor, "peer")  # type: ignore[arg-type]

    def test_A7_nothingLeft(self) -> None:
        """A handshake that fails leaves nothing for the garbage collector: no connection, and nothing behind it."""
        factory = TLSFactory(self.certificates, False, Factory.forProtocol(Protocol), self.reactor)
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        for words in (b"this is not TLS, but something else entirely", b"\x16\x03\x01\x00"):
            tls: Any = factory.buildProtocol(None)
            tls.makeConnection(StringTransport())
            tls.dataReceived(words)
            tls.connectionLost(Failure(ConnectionLost()))
            left = ref(tls)
            del tls
            self.assertIsNone(left(), words)

    def received(self) -> bytes:
        """What has reached the client."""
        data = b""
        with contextlib.suppress(BlockingIOError):
            while encrypted := self.theirs.recv(1 << 20):
                self.client.bio_write(encrypted)
        with contextlib.suppress(SSL.WantReadError, SSL.ZeroReturnError, SSL.Error):
            while True:
                data += self.client.recv(1 << 16)
        return data

    def drain(self, size: int) -> bytes:
        """What reaches the client, up to so many bytes, while the reactor turns."""
        got, turns = b"", 0
        while len(got) < size and turns < 1000:
            got += self.received()
            self.below.doWrite()
            turns += 1
        return got

    def test_atOnce(self) -> None:
        """What is sent is on the socket before the reactor does anything; it is TLS's outlet that sends it."""
        self.assertIs(type(self.outlet), Outlet)
        self.outlet.offer(b"hello")
        self.assertEqual(self.received(), b"hello")
        self.assertEqual((self.reactor.getDelayedCalls(), self.reactor.getWriters()), ([], []))

    def test_interfaces(self) -> None:
        """To those above it is the transport."""
        self.assertTrue(ITCPTransport.providedBy(self.tls.transport))
        self.assertIs(self.tls.transport.getHandle(), self.below.getHandle())

    def test_refused(self) -> None:
        """For a connection that is refused no TLS is made, also if something is wrapped around what refuses it."""

        class Refusing(Factory):
            def buildProtocol(self, addr: object) -> None:
                return None

        for refusing in (Refusing(), WrappingFactory(Refusing())):
            self.assertIsNone(TLSFactory(self.certificates, False, refusing, self.reactor).buildProtocol(None))

    def test_full(self) -> None:
        """When the system takes no more, the transport waits, TLS's producer is paused, and nothing is lost."""
        data = bytes(range(256)) * 4096
        self.outlet.write(data)
        self.outlet.write(b"behind")
        self.assertFalse(self.outlet.ready)
        got = self.drain(len(data) + 6)
        self.assertTrue(got == data + b"behind")
        self.assertTrue(self.outlet.ready)
        self.assertIsNone(self.below.producer)

    def test_unregistered(self) -> None:
        """A producer is paused and resumed as long as it is one, and not any more when it is none."""
        self.outlet.finish(lambda: None)
        transport: Any = self.application.transport
        producer, data = Producer(), bytes(range(256)) * 1024
        transport.registerProducer(producer, True)
        transport.write(data)
        self.assertEqual(producer.calls, ["pause"])
        self.assertTrue(self.drain(len(data)) == data)
        self.assertEqual(producer.calls, ["pause", "resume"])
        transport.unregisterProducer()
        transport.write(data)
        self.assertFalse(self.tls.transport._outlet.ready)
        self.assertTrue(self.drain(len(data)) == data)
        self.assertEqual(producer.calls, ["pause", "resume"])

    def test_onePiece(self) -> None:
        """All records of one write are one send; each write is its own."""
        sizes, send = [], self.tls.transport._outlet._send

        def count(data: bytes) -> int:
            sizes.append(len(data))
            taken: int = send(data)
            return taken

        self.tls.transport._outlet._send = count
        data = bytes(40_000)
        for _ in range(2):
            self.application.transport.write(data)  # type: ignore[union-attr]
            self.assertTrue(self.received() == data)
        self.assertEqual(len(sizes), 2)
        self.assertGreater(min(sizes), len(data) + 2 * 20)

    def test_failure(self) -> None:
        """What goes wrong within a write keeps nothing back: neither what came before, nor what comes after."""
        below = self.tls.transport

        def write(data: bytes) -> None:
            below.write(b"before, ")
            raise ValueError("a bug in TLS")

        self.patch(TLSMemoryBIOProtocol, "write", lambda tls, data: write(data))
        self.assertRaises(ValueError, self.tls.write, b"data")
        below.write(b"after")
        self.assertEqual(self.theirs.recv(100), b"before, after")

    def test_closedWithinAWrite(self) -> None:
        """What was gathered when the connection is closed leaves before that."""
        below = self.tls.transport
        below.gather()
        below.write(b"last words")
        below.loseConnection()
        self.assertTrue(self.below.disconnecting or self.below.disconnected)
        self.assertEqual(self.theirs.recv(100), b"last words")
        # The write goes on, and finds nothing left to do.
        below.flush()
        self.assertRaises(BlockingIOError, self.theirs.recv, 100)

    def test_close(self) -> None:
        """What waits is sent before the connection is closed."""
        data = bytes(range(256)) * 512
        self.outlet.write(data)
        self.assertFalse(self.outlet.ready)
        self.outlet.finish(self.application.transport.loseConnection)  # type: ignore[union-attr]
        got, turns, over = b"", 0, None
        while over is None and turns < 1000:
            got += self.received()
            over = self.below.doWrite()
            turns += 1
        got += self.received()
        self.assertTrue(got == data)
        # The alert that says so has come as well.
        self.assertTrue(self.client.get_shutdown() & SSL.RECEIVED_SHUTDOWN)

    def test_gone(self) -> None:
        """The connection is lost while something waits: nobody keeps that, or is asked to go on."""
        reasons: list[Failure] = []
        self.application.connectionLost = reasons.append  # type: ignore[method-assign,assignment]
        self.outlet.finish(lambda: None)
        transport: Any = self.application.transport
        producer = Producer()
        transport.registerProducer(producer, True)
        transport.write(bytes(1 << 20))
        self.assertEqual((producer.calls, len(self.reactor.getWriters())), (["pause"], 1))
        below = self.tls.transport._outlet
        self.assertTrue(below._waiting)
        self.below.connectionLost(Failure(ConnectionError("it is gone")))
        self.assertEqual([reason.type for reason in reasons], [ConnectionLost])
        self.assertEqual((below._waiting, below.ready), ([], False))
        transport.write(b"late")
        self.tls.transport.write(b"late")
        self.assertEqual((below._waiting, below.ready), ([], False))
        self.assertEqual(producer.calls, ["pause"])
        self.assertEqual((self.reactor.getDelayedCalls(), self.reactor.getWriters()), ([], []))


@implementer(IPushProducer)
class Producer:
    """
    Produces nothing.

    @ivar calls: what it was told, in order.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []

    def pauseProducing(self) -> None:
        self.calls.append("pause")

    def resumeProducing(self) -> None:
        self.calls.append("resume")

    def stopProducing(self) -> None:
        self.calls.append("stop")


class OtherTransportTests(SynchronousTestCase):
    def test_noSocket(self) -> None:
        """Over any other transport it is Twisted's TLS."""
        factory = TLSFactory(_Client(), True, Factory.forProtocol(Protocol), MemoryReactorClock())
        tls: Any = factory.buildProtocol(None)
        transport = StringTransport()
        tls.makeConnection(transport)
        self.assertIs(tls.transport, transport)
        # It shakes hands.
        self.assertEqual(transport.value()[:1], b"\x16")
        tls.write(b"later")


@implementer(IOpenSSLClientConnectionCreator)
class _Client:
    def clientConnectionForTLS(self, protocol: object) -> SSL.Connection:
        return SSL.Connection(SSL.Context(SSL.TLS_METHOD), None)
