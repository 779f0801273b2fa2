# -*- test-case-name: tests.benchmarks.test_goals -*-
"""
Tests for L{benchmarks.goals}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.cases import CASES
from benchmarks.goals import GOALS, Goal, goalsOf
from benchmarks.servers import SERVERS


class GoalTests(SynchronousTestCase):
    def test_limits(self) -> None:
        """From above and from below; the limit itself is within."""
        most, least = Goal("c", "ours", {}, "x", most=2), Goal("c", "ours", {}, "x", least=2)
        self.assertEqual([most.isMet(value) for value in (1, 2, 2.1)], [True, True, False])
        self.assertEqual([least.isMet(value) for value in (1, 2, 2.1)], [False, True, True])
        self.assertEqual((str(most), str(least)), ("x <= 2", "x >= 2"))

    def test_figure(self) -> None:
        """A value as it is, or its ratio, if there is something to compare it with."""
        plain, ratio = Goal("c", "ours", {}, "x", most=2), Goal("c", "ours", {}, "x", most=2, isRatio=True)
        self.assertEqual(plain.figure({"x": 3}, None), 3)
        self.assertIsNone(plain.figure({}, None))
        self.assertEqual(ratio.figure({"x": 3}, {"x": 2}), 1.5)
        for baseline in (None, {}, {"x": 0}):
            self.assertIsNone(ratio.figure({"x": 3}, baseline))
        self.assertEqual(str(ratio), "ratio <= 2")

    def test_where(self) -> None:
        """A goal holds for its server at its point, and nothing may be lost anywhere."""

        def keys(case: str, server: str, viewers: int, **values: int) -> list[str]:
            return [goal.key for goal in goalsOf(case, server, {"viewers": viewers}, dict(values))]

        self.assertEqual(keys("fanout", "ours", 1000), ["cpuMs", "p50", "p99"])
        self.assertEqual(keys("fanout", "ours", 500), [])
        self.assertEqual(keys("fanout", "ours", 500, lost=1, damaged=0), ["lost", "damaged"])
        self.assertEqual(keys("fanout", "nginx", 1000, lost=1), [])

    def test_knownNames(self) -> None:
        """Each goal is of a case, a server and a size that are measured, and has one limit."""
        for goal in GOALS:
            case = CASES[goal.case]
            self.assertIn(goal.server, SERVERS)
            self.assertIn(goal.server, case.servers)
            points = case.points(None, False)
            self.assertTrue(any(goal.at.items() <= point.items() for point in points), goal)
            self.assertEqual((goal.most is None) + (goal.least is None), 1)
            if not goal.isRatio:
                self.assertIn(goal.key, {column.key for column in case.columns}, goal)
