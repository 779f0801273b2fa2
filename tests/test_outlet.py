# -*- test-case-name: tests.test_outlet -*-
"""
Tests for L{rtmptw.outlet}.
"""

from __future__ import annotations

import contextlib
import socket

from OpenSSL import SSL
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.tcp import Connection
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.protocols.haproxy._wrapper import HAProxyWrappingFactory
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rtmptw.directoutlet import DirectOutlet, outletFor
from rtmptw.interfaces import IOutlet
from rtmptw.outlet import PIECE, Outlet
from rtmptw.tls.certificatefiles import PEMFiles
from rtmptw.tls.servercertificates import ServerCertificates
from tests.tls.authority import DAY, NOW, Authority
from tests.tls.directory import Directory


class OutletTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.transport = StringTransport()
        self.clock = Clock()
        self.outlet = Outlet(self.transport, self.clock, "peer")
        self.calls: list[str] = []

    def test_interfaces(self) -> None:
        self.assertTrue(verifyObject(IOutlet, self.outlet))
        self.assertTrue(verifyObject(IPushProducer, self.outlet))
        self.assertIs(self.transport.producer, self.outlet)
        self.assertTrue(self.transport.streaming)

    def test_write(self) -> None:
        """What is written while it is not ready comes behind what waits; answers are counted."""
        self.outlet.answer(b"a")
        self.outlet.write(b"")
        self.outlet.pauseProducing()
        self.outlet.answer(b"b")
        self.outlet.answer(b"cd")
        self.outlet.write(b"e")
        self.assertEqual((self.transport.value(), self.outlet.excess), (b"a", 3))
        self.outlet.resumeProducing()
        self.assertEqual((self.transport.value(), self.outlet.excess), (b"abcde", 0))

    def test_offer(self) -> None:
        """All that is offered is taken: what the transport has no room for waits here."""
        self.assertEqual(self.outlet.offer(b"abc"), 3)
        self.outlet.pauseProducing()
        self.assertEqual(self.outlet.offer(b"def"), 3)
        self.assertEqual(self.transport.value(), b"abc")
        self.outlet.resumeProducing()
        self.assertEqual(self.transport.value(), b"abcdef")

    def test_gather(self) -> None:
        """What is written behind C{gather} leaves together: at C{scatter}, before it ends, or with what is offered."""
        for leave, expected in (
            (lambda: self.outlet.scatter(), [b"abcd"]),
            (lambda: self.outlet.finish(lambda: self.calls.append("emptied")), [b"abcd"]),
            (lambda: self.outlet.offer(b"ef"), [b"abcdef"]),
        ):
            self.setUp()
            outlet, writes = self.outlet, self.writes()
            outlet.gather()
            outlet.answer(b"ab")
            outlet.gather()
            outlet.write(memoryview(b"c"))
            outlet.write(b"")
            outlet.write(b"d")
            self.assertEqual((writes, outlet.excess), ([], 0))
            self.assertIn(leave(), (None, 2))
            self.assertEqual(writes, expected)
            outlet.scatter()
            outlet.write(b"!")
            self.assertEqual(writes, expected + [b"!"] * (self.calls == []))

    def test_gatherNothing(self) -> None:
        """Nothing is sent if nothing was written."""
        writes = self.writes()
        for _ in range(2):
            self.outlet.gather()
            self.outlet.scatter()
        self.outlet.gather()
        self.assertEqual((self.outlet.offer(b"a"), writes), (1, [b"a"]))

    def test_gatherOnce(self) -> None:
        """What is written behind an offer does not wait for the end of the turn: it may be large."""
        writes = self.writes()
        self.outlet.gather()
        self.outlet.offer(b"a")
        self.outlet.write(b"b")
        self.assertEqual(writes, [b"a", b"b"])

    def test_gatherWhileFull(self) -> None:
        """Order holds, whenever the transport has enough."""
        self.outlet.pauseProducing()
        self.outlet.gather()
        self.outlet.answer(b"a")
        self.assertEqual(self.outlet.excess, 1)
        self.outlet.resumeProducing()
        self.assertEqual(self.transport.value(), b"a")
        self.outlet.write(b"b")
        self.outlet.pauseProducing()
        self.outlet.write(b"c")
        self.outlet.scatter()
        self.outlet.write(b"d")
        self.outlet.resumeProducing()
        self.assertEqual(self.transport.value(), b"abcd")

    def test_gatherMuch(self) -> None:
        """With what is offered it may be more than a piece: that is handed over in pieces."""
        writes = self.writes()
        self.outlet.gather()
        self.outlet.write(b"ab")
        self.assertEqual(self.outlet.offer(bytes(PIECE)), PIECE)
        self.assertEqual([len(data) for data in writes], [PIECE, 2])
        self.assertEqual(self.transport.value(), b"ab" + bytes(PIECE))

    def test_gatherGone(self) -> None:
        """What was gathered is gone with the connection."""
        self.outlet.gather()
        self.outlet.write(b"a")
        self.outlet.stopProducing()
        self.outlet.scatter()
        self.assertEqual(self.transport.value(), b"")

    def writes(self) -> list[bytes]:
        """What the transport will be given, write by write."""
        writes: list[bytes] = []
        put = self.outlet._put
        self.outlet._put = lambda data: (writes.append(data), put(data))
        return writes

    def test_pieces(self) -> None:
        """A transport that has enough is given no more; each piece that leaves is progress (hostile row D14)."""

        class Slow(StringTransport):
            """As Twisted's: it says that it has enough whenever more than 64 KiB wait in it."""

            def write(self, data: bytes) -> None:
                super().write(data)
                if len(self.value()) > 65536:
                    self.producer.pauseProducing()

        transport = self.transport = Slow()
        outlet = self.outlet = Outlet(transport, self.clock, "peer")
        outlet.attach(lambda: self.calls.append("drained"))
        data = bytes(range(256)) * 4 * 1024
        outlet.write(data)
        outlet.write(b"status")
        taken = b""
        for _ in range(len(data) // PIECE):
            self.assertEqual((len(transport.value()), self.calls), (PIECE, []))
            self.clock.advance(14)
            self.assertEqual(outlet.stalled, 14)
            taken += transport.value()
            transport.clear()
            outlet.resumeProducing()
        self.assertEqual((taken, transport.value()), (data, b"status"))
        self.assertEqual((self.calls, outlet.ready, outlet.stalled), (["drained"], True, 0))

    def test_ready(self) -> None:
        self.assertTrue(self.outlet.ready)
        self.outlet.pauseProducing()
        self.assertFalse(self.outlet.ready)
        self.outlet.resumeProducing()
        self.assertTrue(self.outlet.ready)

    def test_stalled(self) -> None:
        """The time since it was full, not since it was made."""
        self.clock.advance(5)
        self.assertEqual(self.outlet.stalled, 0)
        self.outlet.pauseProducing()
        self.clock.advance(3)
        self.assertEqual(self.outlet.stalled, 3)
        self.outlet.resumeProducing()
        self.assertEqual(self.outlet.stalled, 0)

    def test_drained(self) -> None:
        """Each that is attached is called, in order, each time."""
        first, second = (lambda: self.calls.append("first")), (lambda: self.calls.append("second"))
        self.outlet.attach(first)
        self.outlet.attach(second)
        self.outlet.attach(first)
        self.outlet.resumeProducing()
        self.assertEqual(self.calls, ["first", "second"])
        self.outlet.detach(first)
        self.outlet.detach(first)
        self.outlet.resumeProducing()
        self.assertEqual(self.calls, ["first", "second", "second"])

    def test_fullAgain(self) -> None:
        """Who comes after one that has filled it waits, and is the first one next time."""

        def fill(name: str) -> None:
            self.calls.append(name)
            self.outlet.pauseProducing()

        for name in ("first", "second", "third"):
            self.outlet.attach(lambda name=name: fill(name))  # type: ignore[misc]
        for count in range(1, 7):
            self.outlet.resumeProducing()
            self.assertEqual((self.calls, self.outlet.ready), ((["first", "second", "third"] * 2)[:count], False))

    def test_detachedMeanwhile(self) -> None:
        """One that another has detached is not called any more."""

        def second() -> None:
            self.calls.append("second")

        self.outlet.attach(lambda: self.outlet.detach(second))
        self.outlet.attach(second)
        self.outlet.resumeProducing()
        self.assertEqual(self.calls, [])

    def test_pausedAgain(self) -> None:
        """A transport that says twice that it has enough has had enough since the first time."""
        self.outlet.pauseProducing()
        self.clock.advance(3)
        self.outlet.pauseProducing()
        self.assertEqual(self.outlet.stalled, 3)
        self.outlet.clockStopped(2)
        self.assertEqual(self.outlet.stalled, 1)

    def test_finish(self) -> None:
        """Nothing more is taken, and the transport is free of its producer."""
        self.outlet.attach(lambda: self.calls.append("late"))
        self.outlet.write(b"a")
        self.outlet.finish(lambda: self.calls.append("emptied"))
        self.outlet.write(b"b")
        self.outlet.resumeProducing()
        self.assertEqual((self.transport.value(), self.transport.producer, self.calls), (b"a", None, ["emptied"]))

    def test_finishLater(self) -> None:
        """What waits is sent before."""
        self.outlet.pauseProducing()
        self.outlet.write(b"a")
        self.outlet.finish(lambda: self.calls.append("emptied"))
        self.assertEqual((self.calls, self.transport.producer), ([], self.outlet))
        self.outlet.resumeProducing()
        self.assertEqual((self.transport.value(), self.transport.producer, self.calls), (b"a", None, ["emptied"]))

    def test_gone(self) -> None:
        """The transport says that it is over: it has let go of its producer itself."""
        self.outlet.attach(lambda: self.calls.append("late"))
        self.transport.producer = None
        self.outlet.pauseProducing()
        self.outlet.write(b"a")
        self.outlet.finish(lambda: self.calls.append("emptied"))
        self.outlet.stopProducing()
        self.outlet.write(b"b")
        self.outlet.resumeProducing()
        self.assertEqual((self.transport.value(), self.calls), (b"", []))

    def test_goneFromTheStart(self) -> None:
        """A transport that is disconnected already stops its producer at once."""

        class Gone(StringTransport):
            def registerProducer(self, producer: Outlet, streaming: bool) -> None:
                producer.stopProducing()

        outlet = Outlet(Gone(), self.clock, "peer")
        self.assertFalse(outlet.ready)


class WrappedTests(SynchronousTestCase):
    def test_wrapped(self) -> None:
        """A transport that is wrapped, in what C{haproxy:} is for an endpoint, is written to by its C{write} alone."""
        ends = socket.socketpair()
        for end in ends:
            self.addCleanup(end.close)
        reactor = MemoryReactorClock()
        connection = Connection(ends[0], Protocol(), reactor)
        wrapper = HAProxyWrappingFactory(Factory.forProtocol(Protocol)).buildProtocol(None)
        assert wrapper is not None
        wrapper.makeConnection(connection)
        self.assertIsInstance(outletFor(connection, reactor, "peer"), DirectOutlet)
        self.assertIs(type(outletFor(wrapper, reactor, "peer")), Outlet)


class TLSOutletTests(SynchronousTestCase):
    """Over Twisted's TLS, in memory, to a client that is OpenSSL itself."""

    def setUp(self) -> None:
        files, own = Directory(self), Authority().certify("a.example", notBefore=0, notAfter=NOW + 3650 * DAY)
        files.write(own=own.keyPEM + own.pem)
        self.clock = Clock()
        self.outlets: list[Outlet] = []
        certificates = ServerCertificates(PEMFiles(files("own.pem"), files("own.pem")))
        factory = TLSMemoryBIOFactory(certificates, False, Factory.forProtocol(self.protocol), clock=self.clock)  # type: ignore[arg-type]
        tls = factory.buildProtocol(None)
        assert tls is not None
        self.tls, self.transport = tls, StringTransport()
        self.client = SSL.Connection(SSL.Context(SSL.TLS_METHOD), None)
        self.client.set_connect_state()
        self.tls.makeConnection(self.transport)
        self.outlet = self.outlets[0]

    def protocol(self) -> Protocol:
        """A protocol that has an outlet, and begins to speak at once."""
        test = self

        class Speaking(Protocol):
            def connectionMade(self) -> None:
                outlet = Outlet(self.transport, test.clock, "peer")  # type: ignore[arg-type]
                outlet.write(b"early")
                test.outlets.append(outlet)

        return Speaking()

    def shakeHands(self) -> None:
        for _ in range(3):
            with contextlib.suppress(SSL.WantReadError):
                self.client.do_handshake()
            self.exchange()

    def exchange(self) -> None:
        """Give each side what the other has sent."""
        with contextlib.suppress(SSL.WantReadError):
            self.tls.dataReceived(self.client.bio_read(1 << 20))
        if self.transport.value():
            self.client.bio_write(self.transport.value())
            self.transport.clear()

    def received(self) -> bytes:
        """What the client can read."""
        self.exchange()
        data = b""
        while True:
            try:
                data += self.client.recv(1 << 16)
            except SSL.WantReadError:
                return data

    def test_handshake(self) -> None:
        """What was written before the handshake was over waits for it, and whoever would write more is told."""
        self.assertFalse(self.outlet.ready)
        self.outlet.write(b", late")
        self.shakeHands()
        self.assertTrue(self.outlet.ready)
        self.assertEqual(self.received(), b"early, late")

    def test_atOnce(self) -> None:
        """What is sent is encrypted at once, in order, however small or large, and no timer is set."""
        self.shakeHands()
        self.received()
        data = bytes(range(256)) * 300
        for way in (self.outlet.offer, self.outlet.write, self.outlet.answer):
            for each in (b"small", data):
                way(each)
                self.assertGreater(len(self.transport.value()), len(each))
                self.assertEqual(self.received(), each)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_order(self) -> None:
        """More than a piece, and what comes behind it."""
        self.shakeHands()
        data = bytes(range(256)) * (3 * PIECE // 256)
        self.received()
        self.outlet.offer(data)
        self.outlet.offer(b"behind")
        self.assertEqual(self.received(), data + b"behind")

    def test_gone(self) -> None:
        """Who writes to a connection that is gone writes to nobody."""
        self.shakeHands()
        self.received()
        self.outlet.stopProducing()
        self.assertEqual(self.outlet.offer(b"late"), 4)
        self.assertEqual(self.received(), b"")
