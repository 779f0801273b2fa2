# -*- test-case-name: tests.attackers.test_row -*-
"""
Tests for L{tests.attackers.row}.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.attackers.account import Account
from tests.attackers.attacker import Attacker, Goal
from tests.attackers.row import REST, atOnce, saying
from tests.attackers.speech import once
from tests.attackers.test_attacker import _Transport


class SayingTests(SynchronousTestCase):
    def say(self, isDeaf: bool) -> _Transport:
        clock, transport = Clock(), _Transport()
        attacker = Attacker(Goal(), 0, Account(), clock)
        attacker.makeConnection(transport)
        done = Deferred.fromCoroutine(saying(atOnce, once(b"a", b"b"), isDeaf)(attacker))
        self.assertNoResult(done)
        clock.advance(REST)
        self.successResultOf(done)
        return transport

    def test_says(self) -> None:
        """Piece by piece, and then it stays a while."""
        transport = self.say(False)
        self.assertEqual((transport.value(), transport.producerState), (b"ab", "producing"))

    def test_deaf(self) -> None:
        self.assertEqual(self.say(True).producerState, "paused")
