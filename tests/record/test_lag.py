"""Tests for L{rtmptw.record.lag}."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.record.lag import Lag


class LagTests(SynchronousTestCase):
    """A stream, and the clock."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.lag = Lag(self.clock)

    def test_nothing(self) -> None:
        """Before the disk makes it wait, there is none; and none any more when the disk has taken everything."""
        self.lag.timestamp = 5000
        self.clock.advance(7)
        self.assertEqual(self.lag.seconds, 0)
        self.lag.begin()
        self.clock.advance(1)
        self.lag.end()
        self.assertEqual(self.lag.seconds, 0)

    def test_behind(self) -> None:
        """The clock goes on, and the stream less; from the first time on, not from the last."""
        self.lag.timestamp = 5000
        self.lag.begin()
        self.clock.advance(3)
        self.assertEqual(self.lag.seconds, 3)
        self.lag.timestamp = 6000
        self.assertEqual(self.lag.seconds, 2)
        self.lag.begin()
        self.clock.advance(1)
        self.assertEqual(self.lag.seconds, 3)

    def test_ahead(self) -> None:
        """What comes faster than it plays falls behind by less than nothing."""
        self.lag.begin()
        self.clock.advance(1)
        self.lag.timestamp = 60_000
        self.assertEqual(self.lag.seconds, -59)

    def test_runsOver(self) -> None:
        """Behind 32 bits, times begin again."""
        self.lag.timestamp = 0xFFFFFFFF
        self.lag.begin()
        self.clock.advance(2)
        self.lag.timestamp = 999
        self.assertEqual(self.lag.seconds, 1)
