"""
Tests for L{rtmptw.gate.linerate}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.gate.linerate import MOST, LineRate


class LineRateTests(SynchronousTestCase):
    def test_takes(self) -> None:
        """So many in a second that begins with the first of them; in the next one as many."""
        rate = LineRate()
        for began in (7.5, 8.5, 100.0):
            taken = [rate.takes(began + index / (2 * MOST)) for index in range(2 * MOST)]
            self.assertEqual(taken, [True] * MOST + [False] * MOST)
