# -*- test-case-name: tests.benchmarks.test_run -*-
"""
Tests for L{benchmarks.run}: the order of things, and what becomes of failures.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from io import StringIO

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.arguments import Settings
from benchmarks.bench import Bench
from benchmarks.case import Case, Column, Point, Values
from benchmarks.errors import BenchmarkError, MissingError
from benchmarks.results import Results
from benchmarks.run import describeAll, findServers, measureAll
from benchmarks.servers import Places, ServerKind


def gone(places: Places) -> str:
    raise MissingError("not installed")


ONE = ServerKind("one", "the first", lambda start: [], lambda places: "one 1.0")
TWO = ServerKind("two", "the second", lambda start: [], lambda places: "two 2.0")
GONE = ServerKind("gone", "not there", lambda start: [], gone)


class RunTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.err = StringIO()
        self.patch(sys, "stderr", self.err)
        self.calls: list[tuple[str, int]] = []
        self.failing: set[str] = set()
        case = Case("c", "about", self.measure, ("one",), "x", (Column("x", "X"),), "viewers", (5, 9), rounds=2)
        self.settings = Settings((case,), (ONE, GONE, TWO), seconds=0.5)

    def measure(self, bench: Bench, kind: ServerKind, point: Point) -> Values:
        self.calls.append((kind.name, point["viewers"]))
        if kind.name in self.failing:
            raise BenchmarkError("it has ended")
        return {"x": bench.seconds}

    def test_interleaved(self) -> None:
        """All servers in turn, round by round, size by size; who is not there is left out, and named."""
        results = measureAll(self.settings)
        self.assertEqual(self.calls, [(name, size) for size in (5, 9) for _ in range(2) for name in ("one", "two")])
        self.assertEqual([one.round for one in results.measurements], [1, 1, 2, 2] * 2)
        self.assertEqual({one.values["x"] for one in results.measurements}, {0.5})
        self.assertEqual(results.about["servers"], {"one": "one 1.0", "two": "two 2.0"})
        self.assertEqual(results.about["missing"], {"gone": "not installed"})
        self.assertEqual(results.about["settings"]["cases"], ["c"])
        self.assertIn("gone is left out: not installed\n1/8 c viewers 5 one, round 1\n", self.err.getvalue())

    def test_failure(self) -> None:
        """One that fails does not end the others."""
        self.failing = {"one"}
        results = measureAll(self.settings)
        self.assertEqual(len(self.calls), 8)
        self.assertEqual([one.error for one in results.measurements][:2], ["it has ended", None])
        self.assertIn("    it has ended\n", self.err.getvalue())

    def test_interrupted(self) -> None:
        """What was measured before is not lost."""

        def interrupt(bench: Bench, kind: ServerKind, point: Point) -> Values:
            if kind is TWO:
                raise KeyboardInterrupt
            return {"x": 1}

        results = Results({})
        settings = replace(self.settings, cases=(replace(self.settings.cases[0], measure=interrupt),))
        self.assertRaises(KeyboardInterrupt, measureAll, settings, results)
        self.assertEqual([one.server for one in results.measurements], ["one"])
        self.assertIn("kernel", results.about)

    def test_describe(self) -> None:
        """What would be measured, and who is there."""
        self.assertEqual(
            describeAll(self.settings).splitlines(),
            [
                "c: about",
                "    viewers 5; viewers 9",
                "    2 x 0.5 s; one, gone, two",
                "one: one 1.0",
                "two: two 2.0",
                "gone is left out: not installed",
            ],
        )
        self.assertEqual(findServers(self.settings)[1], {"gone": "not installed"})
