"""Tests for L{rtmptw.capture.leg}."""

from __future__ import annotations

import errno
import socket
from typing import Any

from OpenSSL import SSL
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.internet.tcp import Server
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rtmptw.capture.leg import CLOSED, DROPPED, LINGER_SECONDS, LOOK_SECONDS, RESET, STALL_SECONDS, Leg
from rtmptw.trace.segment import Side
from tests.memorysocket import SocketTransport


class Record:
    """
    A session that only remembers.

    @ivar events: what it was told, each with what else was told of it.
    """

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.events: list[tuple[object, ...]] = []

    def connected(self, leg: Leg) -> None:
        """There is a connection."""
        self.events.append(("connected",))

    def received(self, leg: Leg, data: bytes) -> None:
        """Something was said."""
        self.events.append(("received", data))

    def drained(self, leg: Leg) -> None:
        """All has left."""
        self.events.append(("drained",))

    def ended(self, leg: Leg, how: str) -> None:
        """It says no more."""
        self.events.append(("ended", how))

    def lost(self, leg: Leg, isClean: bool) -> None:
        """It is gone."""
        self.events.append(("lost", isClean))


class LegTests(SynchronousTestCase):
    """A leg on a transport that knows no halves."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.session = Record(self.clock)
        self.leg = Leg(Side.CLIENT, self.session)
        self.transport = StringTransport()
        self.leg.makeConnection(self.transport)
        self.session.events.clear()

    def lose(self, error: Exception) -> None:
        """The connection is gone."""
        self.leg.connectionLost(Failure(error))

    def test_interface(self) -> None:
        """Twisted tells it of halves."""
        verifyObject(IHalfCloseableProtocol, self.leg)

    def test_in(self) -> None:
        """What comes is passed on; whether it is read is decided elsewhere."""
        self.leg.dataReceived(b"hello")
        self.assertEqual(self.session.events, [("received", b"hello")])
        for _ in range(2):
            self.leg.hold()
            self.assertEqual(self.transport.producerState, "paused")
        for _ in range(2):
            self.leg.release()
            self.assertEqual(self.transport.producerState, "producing")

    def test_notReadBehindItsEnd(self) -> None:
        """Who has said all is not read again: the system would tell the end once more."""
        self.leg.hold()
        self.leg.readConnectionLost()
        self.leg.release()
        self.assertEqual(self.transport.producerState, "paused")

    def test_out(self) -> None:
        """It says whether it takes more, and when it does again."""
        self.assertTrue(self.leg.put(b"one"))
        producer: Any = self.transport.producer
        producer.pauseProducing()
        self.assertFalse(self.leg.put(b"two"))
        self.assertEqual((self.transport.value(), self.session.events), (b"one", []))
        producer.resumeProducing()
        self.assertEqual((self.transport.value(), self.session.events), (b"onetwo", [("drained",)]))

    def test_how(self) -> None:
        """How it has ended is said once, in one word if that is enough."""
        for error, how, isClean in (
            (ConnectionDone(), CLOSED, True),
            (ConnectionLost(), RESET, False),
            (SSL.Error(), "TLS failed: the peer broke it off", False),
        ):
            self.setUp()
            self.lose(error)
            self.assertEqual(self.session.events, [("ended", how), ("lost", isClean)])
            self.assertTrue(self.leg.isEnded and self.leg.isLost)
            self.setUp()
            self.leg.readConnectionLost()
            self.assertTrue(self.leg.isEnded)
            self.lose(error)
            self.assertEqual(self.session.events, [("ended", CLOSED), ("lost", isClean)])

    def test_dropped(self) -> None:
        """Who was dropped has not broken off, whatever the transport says of it."""
        self.leg.abort()
        self.lose(ConnectionLost())
        self.assertEqual(self.session.events, [("ended", DROPPED), ("lost", False)])

    def test_shut(self) -> None:
        """It is closed once, behind what was written, with the transport free of its producer."""
        producer: Any = self.transport.producer
        producer.pauseProducing()
        self.leg.put(b"last")
        for _ in range(2):
            self.leg.shut()
        self.leg.put(b"too late")
        self.assertFalse(self.transport.disconnecting)
        producer.resumeProducing()
        self.assertEqual((self.transport.value(), self.transport.disconnecting), (b"last", True))
        self.assertIsNone(self.transport.producer)

    def test_resetBehindShut(self) -> None:
        """If the other side breaks off after it has closed, this one is not closed but reset."""
        producer: Any = self.transport.producer
        producer.pauseProducing()
        self.leg.put(b"last")
        self.leg.shut()
        self.leg.reset()
        producer.resumeProducing()
        self.assertFalse(self.transport.disconnecting)
        self.clock.pump([LOOK_SECONDS] * 2)
        self.assertTrue(self.transport.disconnected)

    def test_resetOfNobody(self) -> None:
        """One who takes nothing is reset after a while."""
        producer: Any = self.transport.producer
        producer.pauseProducing()
        self.leg.put(b"last")
        self.leg.reset()
        self.clock.pump([LOOK_SECONDS] * round(STALL_SECONDS / LOOK_SECONDS - 1))
        self.assertFalse(self.transport.disconnected)
        self.clock.pump([LOOK_SECONDS] * 2)
        self.assertTrue(self.transport.disconnected)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_linger(self) -> None:
        """One who does not go is reset after a while; one who goes is left alone."""
        self.leg.shut()
        self.leg.linger()
        self.clock.pump([LOOK_SECONDS] * round(LINGER_SECONDS / LOOK_SECONDS - 1))
        self.assertFalse(self.transport.disconnected)
        self.clock.pump([LOOK_SECONDS] * 2)
        self.assertTrue(self.transport.disconnected)
        self.setUp()
        self.leg.shut()
        self.leg.linger()
        self.lose(ConnectionDone())
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.leg.abort()
        self.assertFalse(self.transport.disconnected)


class HalfTests(SynchronousTestCase):
    """A leg on Twisted's TCP transport, with a socket that is only memory."""

    def setUp(self) -> None:
        self.transport = SocketTransport()
        self.clock = self.transport.reactor
        self.session = Record(self.clock)
        self.leg = Leg(Side.CLIENT, self.session)
        self.transport.protocol = self.leg
        self.transport.startReading()
        self.leg.makeConnection(self.transport)
        self.session.events.clear()

    def turn(self) -> None:
        """One turn of the reactor; an end of file is told as reactors do."""
        self.clock.advance(0)
        if self.transport in self.clock.getReaders():
            reason = self.transport.doRead()
            if isinstance(reason, ConnectionDone):
                self.transport.stopReading()
                self.transport.readConnectionLost(Failure(reason))
            elif reason is not None:
                self.transport.connectionLost(Failure(reason))
        if self.transport in self.clock.getWriters():
            self.transport.doWrite()

    def test_halves(self) -> None:
        """It is closed when both halves are, whichever is first."""
        wire = self.transport.wire
        wire.end = True
        self.turn()
        self.assertEqual(self.session.events, [("ended", CLOSED)])
        self.leg.put(b"answer")
        self.leg.shut()
        self.turn()
        self.assertEqual(bytes(wire.sent), b"answer")
        self.assertEqual(self.session.events, [("ended", CLOSED), ("lost", True)])
        self.setUp()
        self.leg.shut()
        self.turn()
        self.transport.wire.arrived += b"more"
        self.turn()
        self.assertEqual(self.session.events, [("received", b"more")])
        self.transport.wire.end = True
        self.turn()
        self.assertEqual(self.session.events[1:], [("ended", CLOSED), ("lost", True)])

    def test_brokenWhileItSpeaks(self) -> None:
        """What it has said is read, though nothing can be sent to it; the end behind that is a reset."""
        wire = self.transport.wire
        wire.arrived += bytes(200_000)
        wire.end = True
        wire.broken = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
        self.assertTrue(self.leg.put(b"lost"))
        self.assertTrue(self.leg.put(b"lost"))
        for _ in range(6):
            self.turn()
        received = sum(len(each[1]) for each in self.session.events if each[0] == "received")  # type: ignore[arg-type]
        self.assertEqual(received, 200_000)
        self.assertEqual(self.session.events[-2:], [("ended", RESET), ("lost", False)])

    def test_brokenBehindItsEnd(self) -> None:
        """If nobody reads it any more, it is found by writing."""
        self.transport.wire.end = True
        self.turn()
        self.transport.wire.broken = BrokenPipeError(errno.EPIPE, "Broken pipe")
        self.leg.put(b"lost")
        self.assertEqual(self.session.events, [("ended", CLOSED)])
        self.clock.pump([0, 0])
        self.assertEqual(self.session.events, [("ended", CLOSED), ("lost", False)])

    def test_busyBehindItsEnd(self) -> None:
        """A system that takes nothing for the moment is no broken connection."""
        self.transport.wire.end = True
        self.turn()
        for number in (errno.EAGAIN, errno.ENOBUFS):
            self.transport.wire.broken = OSError(number, "busy")
            self.leg.put(b"wait")
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.transport.wire.broken = None
        for _ in range(3):
            self.turn()
        self.assertEqual(bytes(self.transport.wire.sent), b"waitwait")


class UnsentTests(SynchronousTestCase):
    """A leg on a real socket, of which the system may have something."""

    def check(self, isWrapped: bool) -> None:
        """It is reset when the peer has everything, and not before. This is no TCP: here, that is when it was read."""
        reactor = MemoryReactorClock()
        ours, peer = socket.socketpair()
        self.addCleanup(peer.close)
        self.addCleanup(ours.close)
        transport = Server(ours, None, ("", 0), None, 0, reactor)  # type: ignore[arg-type]
        transport.setTcpNoDelay = lambda enabled: None  # type: ignore[method-assign]
        session = Record(reactor)
        leg = Leg(Side.CLIENT, session)
        inner: Any = leg
        if isWrapped:
            inner = ProtocolWrapper(WrappingFactory(Factory()), leg)
            inner.factory.registerProtocol = lambda protocol: None
            inner.factory.unregisterProtocol = lambda protocol: None
        transport.protocol = inner
        inner.makeConnection(transport)
        leg.put(b"hello")
        reactor.advance(0)
        if isWrapped:
            transport.doWrite()
        leg.reset()
        reactor.pump([LOOK_SECONDS] * 10)
        self.assertEqual(session.events, [("connected",)])
        self.assertEqual(peer.recv(100), b"hello")
        reactor.pump([LOOK_SECONDS] * 3)
        self.assertEqual(session.events, [("connected",), ("ended", DROPPED), ("lost", False)])

    def test_plain(self) -> None:
        """The socket of the transport itself."""
        self.check(False)

    def test_wrapped(self) -> None:
        """The socket below something like TLS."""
        self.check(True)
