# -*- test-case-name: tests.benchmarks.test_results -*-
"""
Tests for L{benchmarks.results}: medians, the worst, ratios; and the file.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.case import INTEGRITY, Case, Column
from benchmarks.results import Measurement, Results, rowsOf

CASE = Case(
    "c",
    "about",
    lambda bench, kind, point: {},
    ("ours", "nginx"),
    "cpu",
    (Column("cpu", "CPU"), *INTEGRITY),
    "viewers",
    (1, 2),
)


def measured(server: str, viewers: int, number: int = 1, **values: Any) -> Measurement:
    return Measurement("c", server, number, {"viewers": viewers}, values)


class RowsTests(SynchronousTestCase):
    def test_medians(self) -> None:
        """The median of the rounds, but the worst of what must not be at all."""
        rows = rowsOf(CASE, [measured("ours", 1, n, cpu=cpu, lost=cpu == 9) for n, cpu in enumerate((3, 9, 4))])
        (row,) = rows
        self.assertEqual((row.server, row.rounds, row.values["cpu"]), ("ours", 3, 4))
        rows = rowsOf(CASE, [measured("ours", 1, n, lost=lost) for n, lost in enumerate((0, 7, 0))])
        self.assertEqual(rows[0].values["lost"], 7)

    def test_whatIsMissing(self) -> None:
        """What some rounds do not have is the median of the others; what none has is not there."""
        rows = rowsOf(CASE, [measured("ours", 1, n, cpu=cpu, p50=None) for n, cpu in enumerate((3, None, 5))])
        self.assertEqual(rows[0].values, {"cpu": 4})

    def test_truth(self) -> None:
        """What is ever true is true; texts and lists are for the file alone."""
        rows = rowsOf(CASE, [measured("ours", 1, n, limit=limit, words=["x"]) for n, limit in enumerate((False, True))])
        self.assertEqual(rows[0].values, {"limit": True})

    def test_ratios(self) -> None:
        """Each point is compared with the baseline at that point."""
        rows = rowsOf(
            CASE,
            [
                measured("ours", 1, cpu=3),
                measured("nginx", 1, cpu=6),
                measured("ours", 2, cpu=8),
                measured("nginx", 2, cpu=4),
                measured("ours", 3, cpu=8),
            ],
        )
        ratios = {(row.server, row.point["viewers"]): row.ratio for row in rows}
        self.assertEqual(
            ratios, {("ours", 1): 0.5, ("nginx", 1): 1.0, ("ours", 2): 2.0, ("nginx", 2): 1.0, ("ours", 3): None}
        )
        self.assertEqual(rows[0].baseline, {"cpu": 6})

    def test_others(self) -> None:
        """Other cases, and what failed, do not count."""
        failed = Measurement("c", "ours", 1, {"viewers": 1}, error="why")
        other = Measurement("d", "ours", 1, {"viewers": 1}, {"cpu": 1})
        self.assertEqual(rowsOf(CASE, [failed, other]), [])

    def test_pointsTogether(self) -> None:
        """Rows of one point stand together, points in the order in which they came."""
        many = [measured(server, viewers, cpu=1) for server in ("a", "b") for viewers in (5, 1)]
        self.assertEqual(
            [(row.point["viewers"], row.server) for row in rowsOf(CASE, many)], [(5, "a"), (5, "b"), (1, "a"), (1, "b")]
        )


class FileTests(SynchronousTestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.file = Path(directory.name, "results.json")

    def test_roundTrip(self) -> None:
        """What is written is read."""
        failed = Measurement("c", "nms", 2, {"viewers": 1}, error="why")
        results = Results({"kernel": "6"}, [measured("ours", 1, cpu=3.5, steps=[{"viewers": 7}]), failed])
        results.write(self.file)
        self.assertEqual(Results.read(self.file), results)
        self.assertEqual(set(json.loads(self.file.read_text())), {"about", "measurements"})

    def test_somethingElse(self) -> None:
        """Another JSON file is not taken for results."""
        strange = '{"about": {}, "measurements": [{"a": 1}]}'
        for data in (b"[]", b"{}", b'{"about": {}}', b"no", b"\xff", strange.encode()):
            self.file.write_bytes(data)
            error = self.assertRaises(ValueError, Results.read, self.file)
            self.assertIn(f"{self.file} holds no results", str(error))
