# -*- test-case-name: tests.auth.test_failures -*-
"""
Tests for L{rtmptw.auth.failures}.
"""

from __future__ import annotations

import os

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.auth.failures import (
    FAILURE_SECONDS,
    LONGEST_DELAY,
    MAX_ORIGINS,
    SHORTEST_DELAY,
    Failures,
    answerDelay,
    originOf,
)
from rtmptw.errors import StatusError
from rtmptw.limits import Limits, Reached


class OriginTests(SynchronousTestCase):
    def test_origin(self) -> None:
        """The host; of IPv6 the network; and whatever else a peer is called."""
        rows = [
            ("127.0.0.1:40312", "127.0.0.1"),
            ("[2001:db8:1:2:3:4:5:6]:40312", "2001:db8:1:2::/64"),
            ("[2001:db8:1:2:ffff::1]:1", "2001:db8:1:2::/64"),
            ("[::ffff:192.0.2.1]:40312", "192.0.2.1"),
            ("[fe80::1%eth0]:40312", "fe80::/64"),
            ("example.org:40312", "example.org"),
            ("UNIXAddress('/run/x')", "UNIXAddress('/run/x')"),
            ("", ""),
        ]
        for peer, origin in rows:
            self.assertEqual((peer, originOf(peer)), (peer, origin))


class FailureTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.failures = Failures(self.clock)

    def test_D13_perMinute(self) -> None:
        """The tenth failure is the last one for a minute, counted from the first; others do not notice."""
        self.assertEqual((Limits().wrongProofs, FAILURE_SECONDS), (10, 60.0))
        for _ in range(10):
            self.assertEqual(self.failures.wait("a"), 0)
            self.failures.add("a")
            self.clock.advance(1)
        self.assertEqual(self.failures.wait("a"), 50)
        self.assertEqual(self.failures.wait("b"), 0)
        self.clock.advance(49.5)
        self.assertEqual(self.failures.wait("a"), 0.5)
        self.clock.advance(0.5)
        self.assertEqual(self.failures.wait("a"), 0)

    def test_sliding(self) -> None:
        """Each failure counts for a minute of its own: after one more, it is the second one that is waited for."""
        for _ in range(10):
            self.failures.add("a")
            self.clock.advance(1)
        self.clock.advance(50)
        self.failures.add("a")
        self.assertEqual(self.failures.wait("a"), 1)

    def test_bounded(self) -> None:
        """So many origins: the one that was quiet longest is forgotten. Each more failure is a sign of life."""
        for number in range(MAX_ORIGINS):
            self.failures.add(str(number))
        for _ in range(10):
            self.failures.add("0")
        for number in range(10):
            self.failures.add(f"new {number}")
        self.assertEqual(len(self.failures), MAX_ORIGINS)
        self.assertGreater(self.failures.wait("0"), 0)

    def test_oldOnesGo(self) -> None:
        """What is older than it counts is not kept."""
        for number in range(10):
            self.failures.add(str(number))
        self.clock.advance(FAILURE_SECONDS)
        self.failures.add("new")
        self.assertEqual(len(self.failures), 1)

    def test_wrongProofs(self) -> None:
        """After so many failures, and no fewer, nobody there is heard, and each time counts."""
        for most in (1, 3, 25):
            reached = Reached()
            failures = Failures(self.clock, limits=Limits(wrongProofs=most), reached=reached)
            for count in range(1, most + 2):
                failures.add("a")
                if count < most:
                    failures.check("a")
                else:
                    error = self.assertRaises(StatusError, failures.check, "a")
                    self.assertEqual(str(error), "too many wrong tries from a; try again in 60 s")
                self.assertEqual(reached.counts["wrongProofs"], max(0, count - most + 1))
            failures.check("b")
            self.clock.advance(FAILURE_SECONDS)
            failures.check("a")
            self.assertEqual(reached.counts, {"wrongProofs": 2})


class DelayTests(SynchronousTestCase):
    def test_answerDelay(self) -> None:
        """Something in between, as chance will have it."""
        for number, delay in ((0, SHORTEST_DELAY), (0xFFFF, LONGEST_DELAY)):
            self.assertEqual(answerDelay(lambda count, number=number: number.to_bytes(count, "big")), delay)
        self.assertEqual(len({answerDelay(os.urandom) for _ in range(20)} - {SHORTEST_DELAY}) > 1, True)
