# -*- test-case-name: tests.gate.test_partings -*-
"""
Tests for L{rtmptw.gate.partings}.
"""

from __future__ import annotations

from twisted.internet.testing import EventLoggingObserver
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.gate.linerate import MOST
from rtmptw.gate.partings import COUNT_SECONDS, Partings


class PartingsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.log = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)
        self.partings = Partings()

    def lines(self) -> list[str]:
        return [str(formatEvent(event)) for event in self.log]

    def test_mostInASecond(self) -> None:
        """So many have their line in each second, and no more."""
        for second in range(10):
            told = [self.partings.tells(second + number / 1000) for number in range(1000)]
            self.assertEqual(told, [True] * MOST + [False] * (1000 - MOST))

    def test_count(self) -> None:
        """The others are counted, and told a minute after the first of them, and then from the next one on."""
        for number in range(MOST + 7):
            self.partings.tells(5 + number / 1000)
        for second in range(6, 200):
            self.partings.second(float(second))
            if second == 64:
                self.assertEqual(self.lines(), [])
        expected = "7 more connections were closed that had said nothing, or had to go for others"
        self.assertEqual(self.lines(), [expected])
        for _ in range(MOST + 3):
            self.partings.tells(200.0)
        self.partings.second(200 + COUNT_SECONDS - 1)
        self.assertEqual(self.lines(), [expected])
        self.partings.second(200 + COUNT_SECONDS)
        self.assertEqual(self.lines()[1:], [expected.replace("7", "3")])

    def test_few(self) -> None:
        """Who has his line is not counted."""
        for second in range(200):
            self.assertTrue(self.partings.tells(float(second)))
            self.partings.second(float(second))
        self.assertEqual(self.lines(), [])
