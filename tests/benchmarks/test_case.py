# -*- test-case-name: tests.benchmarks.test_case -*-
"""
Tests for L{benchmarks.case}.
"""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.case import INTEGRITY, Case, Column

CASE = Case(
    "c",
    "about",
    lambda bench, kind, point: {},
    ("ours",),
    "x",
    (Column("x", "X"),),
    "viewers",
    (1, 2),
    (3,),
    (128, 4096),
)


class CaseTests(SynchronousTestCase):
    def test_points(self) -> None:
        """Every size with every chunk size; the command line's sizes go before, and quick ones before its own."""
        sizes = [(point["viewers"], point["chunk"]) for point in CASE.points(None, False)]
        self.assertEqual(sizes, [(1, 128), (1, 4096), (2, 128), (2, 4096)])
        self.assertEqual([point["viewers"] for point in CASE.points(None, True)], [3, 3])
        self.assertEqual([point["viewers"] for point in CASE.points((9,), True)], [9, 9])
        self.assertEqual(replace(CASE, chunks=()).points(None, False), [{"viewers": 1}, {"viewers": 2}])
        self.assertEqual(replace(CASE, chunks=(), parameter="").points((9,), False), [{}])

    def test_worst(self) -> None:
        """Where something is lost in one round of five, it is lost."""
        self.assertEqual(CASE.worst(), set())
        self.assertEqual(replace(CASE, columns=INTEGRITY).worst(), {"lost", "reordered", "damaged", "missing"})
