# -*- test-case-name: tests.attackers.test_attacker -*-
"""
Tests for L{tests.attackers.attacker}.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rtmptw.wire.handshake import HANDSHAKE_SIZE
from tests.attackers.account import Account
from tests.attackers.attacker import PATIENCE, Attacker, Goal, Gone
from tests.attackers.speech import C0C1, C2, command


class _Transport(StringTransport):
    """As that of TCP."""

    def setTcpNoDelay(self, isOn: bool) -> None:
        """It makes no difference here."""


class AttackerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock, self.account = Clock(), Account()
        self.attacker = Attacker(Goal(), 3, self.account, self.clock)
        self.transport = _Transport()
        self.attacker.makeConnection(self.transport)

    def said(self) -> bytes:
        data: bytes = self.transport.value()
        self.transport.clear()
        return data

    def start(self, deed: Any) -> Deferred[None]:
        return Deferred.fromCoroutine(deed)

    def test_interface(self) -> None:
        self.assertTrue(verifyObject(IPushProducer, self.attacker))
        self.assertIs(self.transport.producer, self.attacker)

    def test_say(self) -> None:
        """What is said is counted; when the transport is full, the next waits."""
        self.successResultOf(self.attacker.say(b"abc"))
        self.attacker.pauseProducing()
        saying = self.attacker.say(b"d")
        self.clock.advance(1000)
        self.assertNoResult(saying)
        self.attacker.resumeProducing()
        self.successResultOf(saying)
        self.assertEqual((self.said(), self.account.sent), (b"abcd", 4))
        self.attacker.stopProducing()

    def test_hear(self) -> None:
        """In all, and words among it; not for ever."""
        hearing = self.attacker.hear(3)
        self.attacker.dataReceived(b"ab")
        self.assertNoResult(hearing)
        self.attacker.dataReceived(b"cd")
        self.successResultOf(hearing)
        self.successResultOf(self.attacker.hearOf(b"x", b"bc"))
        late = self.attacker.hearOf(b"x")
        self.clock.advance(PATIENCE)
        self.failureResultOf(late, Gone)
        self.assertEqual((self.account.received, self.clock.getDelayedCalls()), (4, []))

    def test_keptIsBounded(self) -> None:
        for _ in range(10):
            self.attacker.dataReceived(bytes(10_000))
        self.assertEqual((len(self.attacker.heard), self.account.received), (65536, 100_000))

    def test_rest(self) -> None:
        """Time passes, or the connection ends."""
        resting = self.attacker.rest(2.0)
        self.attacker.dataReceived(b"x")
        self.clock.advance(1.9)
        self.assertNoResult(resting)
        self.clock.advance(0.1)
        self.successResultOf(resting)

    def test_endings(self) -> None:
        """Each is told, and ends what waits, and what would."""
        for reason, ending in ((ConnectionDone(), "closed"), (ConnectionLost(), "reset")):
            self.setUp()
            resting = self.attacker.rest(2.0)
            self.attacker.connectionLost(Failure(reason))
            self.failureResultOf(resting, Gone)
            for more in (self.attacker.say(b"x"), self.attacker.rest(1.0)):
                self.failureResultOf(more, Gone)
            self.attacker.leave()
            self.assertEqual((dict(self.account.endings), self.clock.getDelayedCalls()), ({ending: 1}, []))
            self.assertFalse(self.transport.disconnecting)

    def test_leave(self) -> None:
        self.attacker.leave()
        self.attacker.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(dict(self.account.endings), {"left": 1})

    def test_deafen(self) -> None:
        self.attacker.deafen()
        self.assertEqual(self.transport.producerState, "paused")

    def _enter(self) -> None:
        self.assertEqual(self.said(), C0C1)
        self.attacker.dataReceived(bytes(HANDSHAKE_SIZE))

    def test_publish(self) -> None:
        """Step by step, under its own number, or under a name."""
        for name, expected in ((None, "attack3"), ("x", "x")):
            self.setUp()
            publishing = self.start(self.attacker.publish(name))
            self._enter()
            self.assertTrue(self.said().startswith(C2 + command("connect", 1.0, {})[:1]))
            self.attacker.dataReceived(b"_result")
            self.assertIn(command("publish", 3.0, None, expected, "live", streamId=1), self.said())
            self.assertNoResult(publishing)
            self.attacker.dataReceived(b"NetStream.Publish.Start")
            self.successResultOf(publishing)

    def test_play(self) -> None:
        """The victim, or another one."""
        for name, expected in ((None, "bench0"), ("x", "x")):
            self.setUp()
            playing = self.start(self.attacker.play(name))
            self._enter()
            self.attacker.dataReceived(b"_result")
            self.assertIn(command("play", 3.0, None, expected, streamId=1), self.said())
            self.attacker.dataReceived(b"NetStream.Play.Start")
            self.successResultOf(playing)
