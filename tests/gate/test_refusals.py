# -*- test-case-name: tests.gate.test_refusals -*-
"""
Tests for L{rtmptw.gate.refusals}.
"""

from __future__ import annotations

from twisted.internet.testing import EventLoggingObserver
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.gate.linerate import MOST
from rtmptw.gate.refusals import QUIET_SECONDS, Refusals
from rtmptw.limits import Limits


class RefusalsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.log = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)
        self.refusals = Refusals(Limits(addressRate=7.5))

    def lines(self) -> list[str]:
        return [str(formatEvent(event)) for event in self.log]

    def test_line(self) -> None:
        """It says who, which limit, and what that is."""
        self.refusals.add(b"a", "192.0.2.7", "addressRate", 0)
        self.assertEqual(
            self.lines(),
            [
                "192.0.2.7: refused: 7.5 new connections from one address in a second, in the long run (address-rate); "
                "any more of it in the next 60 s are only counted"
            ],
        )

    def test_forWhomItIs(self) -> None:
        """What is said to who sets a limit is not said of who has reached it."""
        refusals = Refusals(Limits(connections=755))
        refusals.add(b"a", "192.0.2.7", "connections", 0)
        refusals.add(b"b", "192.0.2.8", "addressStrangers", 0)
        self.assertEqual(
            [line.partition("; ")[0] for line in self.lines()],
            [
                "192.0.2.7: refused: 755 connections in all (connections)",
                "192.0.2.8: refused: 16 connections from one address that neither publish nor play yet "
                "(address-strangers)",
            ],
        )

    def test_onceAMinute(self) -> None:
        """A source has one line in a minute, another one its own; that begins with its line, not with the last one."""
        for now in (0, 0.5, 1, QUIET_SECONDS - 1, QUIET_SECONDS, QUIET_SECONDS + 1):
            self.refusals.add(b"a", "192.0.2.7", "addressRate", now)
        self.refusals.add(b"b", "192.0.2.8", "addressBurst", QUIET_SECONDS)
        self.assertEqual([line.split()[0] for line in self.lines()], ["192.0.2.7:", "192.0.2.7:", "192.0.2.8:"])

    def test_mostInASecond(self) -> None:
        """In a second there are that many, however many sources; and what is remembered is bounded by that."""
        for second in range(100):
            for number in range(1000):
                source = (second, number)
                self.refusals.add(repr(source).encode(), "192.0.2.7", "connections", second + number / 1000)
            self.assertEqual(len(self.log), MOST * (second + 1))
        self.assertLessEqual(len(self.refusals._told), MOST * (QUIET_SECONDS + 1))
