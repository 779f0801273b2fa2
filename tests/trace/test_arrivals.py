"""
Tests for L{rtmptw.trace.arrivals}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.trace.arrivals import Arrivals


class ArrivalsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.arrivals = Arrivals()
        for end, at in ((1, 0.0), (10, 0.5), (12, 0.5), (20, 0.75)):
            self.arrivals.add(end, at)

    def test_at(self) -> None:
        """Each byte has the time of the bytes it came with."""
        times = [self.arrivals.at(end) for end in (0, 1, 2, 10, 11, 12, 13, 20)]
        self.assertEqual(times, [0.0, 0.0, 0.5, 0.5, 0.5, 0.5, 0.75, 0.75])

    def test_notYet(self) -> None:
        """Of bytes that have not come, the newest time is told; before any have, none."""
        self.assertEqual(self.arrivals.at(1000), 0.75)
        self.assertEqual(Arrivals().at(1), 0.0)

    def test_forget(self) -> None:
        """What is forgotten leaves the others, and never the newest."""
        self.arrivals.forget(11)
        self.assertEqual([self.arrivals.at(end) for end in (11, 13)], [0.5, 0.75])
        self.arrivals.forget(1000)
        self.assertEqual(self.arrivals.at(20), 0.75)
        self.arrivals.forget(1)
        self.assertEqual(self.arrivals.at(20), 0.75)
        Arrivals().forget(5)
