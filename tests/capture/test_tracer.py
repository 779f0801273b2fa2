"""Tests for L{rtmptw.capture.tracer}."""

from __future__ import annotations

from typing import Any

from OpenSSL import SSL
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost, ConnectionRefusedError
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rtmptw.capture.leg import CLOSED, DROPPED, LINGER_SECONDS, LOOK_SECONDS, RESET, Leg
from rtmptw.capture.tracer import ITraceObserver, TracerFactory
from rtmptw.trace.segment import Segment, Side
from tests.capture.observers import Witness

C, S = Side.CLIENT, Side.SERVER


class Later(StringTransport):
    """A transport that is gone some time after it was told to go, and not before."""

    protocol: Any

    def connect(self, protocol: Any) -> None:
        """There is a connection."""
        self.protocol = protocol
        protocol.makeConnection(self)

    def lose(self, kind: type[Exception]) -> None:
        """It is gone."""
        self.protocol.connectionLost(Failure(kind()))


class TracerTests(SynchronousTestCase):
    """A client, a target, and the tracer between them, in memory: transports which know no half of a connection."""

    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.reactor.advance(1000)
        self.witnesses: dict[int, Any] = {}
        self.factory = TracerFactory(TCP4ClientEndpoint(self.reactor, "target", 1935), self.reactor, self.observe)

    def observe(self, number: int) -> Any:
        """A new session has an observer."""
        return self.witnesses.setdefault(number, Witness())

    def accept(self) -> Later:
        """A client."""
        transport = Later()
        transport.connect(self.factory.buildProtocol(None))
        return transport

    def join(self) -> Later:
        """The target, for the last client."""
        transport = Later()
        transport.connect(self.reactor.tcpClients[-1][2].buildProtocol(None))
        return transport

    def pair(self) -> tuple[Later, Later]:
        """A whole session."""
        return self.accept(), self.join()

    def test_interface(self) -> None:
        """What tests observe with is what the tracer wants."""
        verifyObject(ITraceObserver, Witness())

    def test_bothWays(self) -> None:
        """What one side says the other one gets; it is seen with its time, since the client was accepted."""
        client = self.accept()
        self.reactor.advance(0.25)
        server = self.join()
        self.assertEqual(self.reactor.tcpClients[0][:2], ("target", 1935))
        client.protocol.dataReceived(b"hello")
        self.reactor.advance(1)
        server.protocol.dataReceived(b"welcome")
        client.protocol.dataReceived(b"bye")
        self.assertEqual((server.value(), client.value()), (b"hellobye", b"welcome"))
        self.assertEqual(
            self.witnesses[1].segments,
            [Segment(C, 0.25, b"hello"), Segment(S, 1.25, b"welcome"), Segment(C, 1.25, b"bye")],
        )
        self.assertEqual(self.witnesses[1].ends, [])

    def test_numbers(self) -> None:
        """Sessions are numbered from 1, and know nothing of each other."""
        pairs = [self.pair() for _ in range(3)]
        for number, (client, _) in enumerate(pairs, 1):
            client.protocol.dataReceived(bytes([number]))
        self.assertEqual([server.value() for _, server in pairs], [b"\1", b"\2", b"\3"])
        self.assertEqual([self.witnesses[number].all(C) for number in (1, 2, 3)], [b"\1", b"\2", b"\3"])

    def test_forwardsFirst(self) -> None:
        """When the observer sees bytes, they have left."""
        client, server = self.pair()
        seen: list[bytes] = []
        self.patch(self.witnesses[1], "said", lambda segment: seen.append(server.value()))
        client.protocol.dataReceived(b"hello")
        self.assertEqual(seen, [b"hello"])

    # Before there is a target

    def test_notReadBefore(self) -> None:
        """The client is not read before there is a connection to the target: what it says stays in the system."""
        client = self.accept()
        self.assertEqual(client.producerState, "paused")
        self.join()
        self.assertEqual(client.producerState, "producing")

    def test_refused(self) -> None:
        """No connection to the target: the observer is told why, the client is gone, and that is all."""
        client = self.accept()
        self.reactor.advance(0.5)
        self.reactor.tcpClients[0][2].clientConnectionFailed(None, Failure(ConnectionRefusedError()))
        self.assertEqual(self.witnesses[1].ends, [(None, "Connection was refused by other side.", 0.5)])
        self.assertTrue(client.disconnected)
        self.assertFalse(self.witnesses[1].isGone)
        client.lose(ConnectionAborted)
        self.assertEqual(len(self.witnesses[1].ends), 1)
        self.assertTrue(self.witnesses[1].isGone)

    def test_clientLeavesBefore(self) -> None:
        """A client that does not wait: the attempt is given up, and the observer hears of both."""
        client = self.accept()
        client.lose(ConnectionLost)
        self.assertEqual(self.witnesses[1].how, [(C, RESET), (None, "the client has left meanwhile")])
        self.assertTrue(self.witnesses[1].isGone)
        self.assertTrue(self.reactor.connectors[0].stoppedConnecting)

    def test_targetComesTooLate(self) -> None:
        """An attempt that can't be given up in time leaves nothing open."""

        class Stubborn:
            """An endpoint that connects all the same."""

            def connect(self, factory: Any) -> Deferred[Any]:
                """Later."""
                self.factory = factory
                return Deferred(lambda cancelled: cancelled.callback(None))

        target: Any = Stubborn()
        self.factory = TracerFactory(target, self.reactor, self.observe)
        client = self.accept()
        client.lose(ConnectionDone)
        server = Later()
        server.connect(target.factory.buildProtocol(None))
        self.assertTrue(server.disconnected)
        self.assertFalse(self.witnesses[1].isGone)
        server.lose(ConnectionAborted)
        self.assertEqual(self.witnesses[1].how, [(C, CLOSED), (S, DROPPED)])
        self.assertTrue(self.witnesses[1].isGone)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    # Flow control

    def test_slowReaders(self) -> None:
        """Who does not read is not written to, and the other one is not read meanwhile: in both directions."""
        for fromClient in (True, False):
            pair = self.pair()
            speaker, listener = pair if fromClient else pair[::-1]
            listener.producer.pauseProducing()
            speaker.protocol.dataReceived(b"one")
            self.assertEqual((listener.value(), speaker.producerState), (b"", "paused"))
            self.assertEqual(listener.producerState, "producing")
            listener.protocol.dataReceived(b"back")
            self.assertEqual(speaker.value(), b"back")
            listener.producer.resumeProducing()
            self.assertEqual((listener.value(), speaker.producerState), (b"one", "producing"))

    def test_readMeanwhile(self) -> None:
        """What a transport brings although it is paused waits as well."""
        client, server = self.pair()
        server.producer.pauseProducing()
        client.protocol.dataReceived(b"one")
        client.protocol.dataReceived(b"two")
        server.producer.resumeProducing()
        self.assertEqual((server.value(), client.producerState), (b"onetwo", "producing"))

    # Ends

    def test_close(self) -> None:
        """A side that closes, without halves: the other one is closed behind what it has to get."""
        for fromClient, first, second in ((True, C, S), (False, S, C)):
            self.witnesses.clear()
            pair = self.pair()
            (witness,) = self.witnesses.values()
            leaver, other = pair if fromClient else pair[::-1]
            other.producer.pauseProducing()
            leaver.protocol.dataReceived(b"last")
            self.reactor.advance(0.5)
            leaver.lose(ConnectionDone)
            self.assertFalse(other.disconnecting)
            other.producer.resumeProducing()
            self.assertEqual((other.value(), other.disconnecting, other.disconnected), (b"last", True, False))
            self.assertIsNone(other.producer)
            self.assertFalse(witness.isGone)
            other.lose(ConnectionDone)
            self.assertEqual(witness.ends, [(first, CLOSED, 0.5), (second, CLOSED, 0.5)])
            self.assertTrue(witness.isGone)
            self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_lastWordsOfTheOther(self) -> None:
        """What is said to a side that is gone is seen, too; it goes nowhere."""
        client, server = self.pair()
        client.lose(ConnectionDone)
        server.protocol.dataReceived(b"are you there?")
        self.assertEqual((client.value(), self.witnesses[1].all(S)), (b"", b"are you there?"))

    def test_goesOnForEver(self) -> None:
        """A side that does not look for a close goes on for a while only."""
        client, server = self.pair()
        server.lose(ConnectionDone)
        for _ in range(round(LINGER_SECONDS / LOOK_SECONDS) - 1):
            self.reactor.advance(LOOK_SECONDS)
            client.protocol.dataReceived(b"more")
        self.assertFalse(client.disconnected)
        self.reactor.pump([LOOK_SECONDS] * 3)
        self.assertTrue(client.disconnected)
        client.lose(ConnectionAborted)
        self.assertEqual(self.witnesses[1].how, [(S, CLOSED), (C, DROPPED)])
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_reset(self) -> None:
        """A reset is passed on as one, behind what came before it."""
        for fromClient, first, second in ((True, C, S), (False, S, C)):
            self.witnesses.clear()
            pair = self.pair()
            (witness,) = self.witnesses.values()
            breaker, other = pair if fromClient else pair[::-1]
            other.producer.pauseProducing()
            breaker.protocol.dataReceived(b"last")
            breaker.lose(ConnectionLost)
            self.reactor.pump([LOOK_SECONDS] * 10)
            self.assertFalse(other.disconnected)
            other.producer.resumeProducing()
            self.assertEqual(other.value(), b"last")
            self.reactor.pump([LOOK_SECONDS] * 3)
            self.assertTrue(other.disconnected)
            self.assertFalse(witness.isGone)
            other.lose(ConnectionAborted)
            self.assertEqual(witness.how, [(first, RESET), (second, DROPPED)])
            self.assertTrue(witness.isGone)
            self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_heldWhenOtherIsLost(self) -> None:
        """A side that was not read is read again when the other one is gone, so that its end is seen."""
        client, server = self.pair()
        server.producer.pauseProducing()
        client.protocol.dataReceived(b"one")
        server.lose(ConnectionLost)
        self.assertEqual(client.producerState, "producing")

    def test_otherFaults(self) -> None:
        """What was wrong with TLS is said in words, and the other side sees it as a reset."""
        client, server = self.pair()
        server.protocol.connectionLost(Failure(SSL.Error([("SSL routines", "", "certificate verify failed")])))
        self.assertEqual(self.witnesses[1].how, [(S, "TLS failed: certificate verify failed")])
        self.reactor.pump([LOOK_SECONDS] * 3)
        self.assertTrue(client.disconnected)

    # Observers that fail

    def test_observerFails(self) -> None:
        """An observer that raises, whenever, is logged once and told nothing more; the session does not notice."""

        class Careless(Witness):
            """Makes mistakes."""

            calls = 0

            def fail(self, *arguments: object) -> None:
                """A mistake."""
                self.calls += 1
                raise ZeroDivisionError

            said = closed = failed = gone = fail

        for end in ("said", "closed", "failed"):
            careless = self.witnesses[self.factory._count + 1] = Careless()
            client = self.accept()
            if end == "failed":
                self.reactor.tcpClients[-1][2].clientConnectionFailed(None, Failure(ConnectionRefusedError()))
                self.assertTrue(client.disconnected)
            else:
                server = self.join()
                if end == "said":
                    for data in (b"one", b"two"):
                        client.protocol.dataReceived(data)
                    self.assertEqual(server.value(), b"onetwo")
                client.lose(ConnectionDone)
                self.assertTrue(server.disconnecting)
                server.lose(ConnectionDone)
            self.assertEqual(careless.calls, 1)
            self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_observerFailsAtLast(self) -> None:
        """That too is logged."""
        client, server = self.pair()

        def gone() -> None:
            raise ZeroDivisionError

        self.patch(self.witnesses[1], "gone", gone)
        client.lose(ConnectionDone)
        server.lose(ConnectionDone)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_noObserver(self) -> None:
        """A session that nobody can be found for goes on all the same."""

        def observe(number: int) -> Any:
            raise ZeroDivisionError

        self.factory = TracerFactory(self.factory.target, self.reactor, observe)
        client, server = self.pair()
        client.protocol.dataReceived(b"hello")
        self.assertEqual(server.value(), b"hello")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_factories(self) -> None:
        """Protocols know their factories, as Twisted's do."""
        leg = self.factory.buildProtocol(None)
        self.assertIsInstance(leg, Leg)
        self.assertIs(leg.factory, self.factory)
        self.assertFalse(self.factory.noisy)
