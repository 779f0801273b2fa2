# -*- test-case-name: tests.benchmarks.load.test_joining -*-
"""
Tests for L{benchmarks.load.joining}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.load.joining import Crowd, Joining
from benchmarks.load.viewer import Joined


class JoiningTests(SynchronousTestCase):
    def test_ramp(self) -> None:
        """So many per second, the first at once, and no more than there are; all at once without a ramp."""
        joining = Joining(Crowd(10, ramp=2.0), 100.0)
        self.assertEqual([joining.due(100.0 + later) for later in (0, 0.4, 0.5, 3, 60)], [1, 1, 2, 7, 10])
        self.assertEqual(Joining(Crowd(10), 100.0).due(100.0), 10)
        self.assertEqual(Joining(Crowd(0, ramp=0.5), 100.0).due(100.0), 0)

    def test_over(self) -> None:
        """It is over when all have come or failed, or it has taken too long."""
        joining = Joining(Crowd(2), 0.0)
        self.assertFalse(joining.isOver(1.0, 5.0))
        joining.opened = 2
        joining.waiting = {7, 8}
        self.assertFalse(joining.isOver(1.0, 5.0))
        joining.joined(7, Joined(20.0, True))
        self.assertFalse(joining.isOver(1.0, 5.0))
        self.assertTrue(joining.isOver(5.1, 5.0))
        joining.failed(8, "why")
        self.assertTrue(joining.isOver(1.0, 5.0))

    def test_patienceBeginsWithTheLast(self) -> None:
        """Those who come later are waited for as long."""
        joining = Joining(Crowd(10, ramp=2.0), 0.0)
        self.assertFalse(joining.isOver(9.9, 5.0))
        self.assertTrue(joining.isOver(10.1, 5.0))

    def test_result(self) -> None:
        joining = Joining(Crowd(4), 10.0)
        for fd, ms in ((1, 30.0), (2, 10.0), (3, 20.0)):
            joining.joined(fd, Joined(ms, ms > 15))
        joining.failed(4, "why")
        self.assertEqual(
            joining.result(10.25),
            {
                "joined": 3,
                "failed": 1,
                "keyframes": 2,
                "joinP50": 20.0,
                "joinWorst": 30.0,
                "allMs": 250.0,
                "reasons": ["why"],
            },
        )

    def test_nobody(self) -> None:
        """Nobody is soon there."""
        joining = Joining(Crowd(0), 10.0)
        self.assertTrue(joining.isOver(10.0, 5.0))
        self.assertEqual((joining.result(10.0)["joined"], joining.result(10.0)["joinWorst"]), (0, None))
