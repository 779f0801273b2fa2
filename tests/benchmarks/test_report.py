# -*- test-case-name: tests.benchmarks.test_report -*-
"""
Tests for L{benchmarks.report}.
"""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.cases import CASES
from benchmarks.report import misses, report, table
from benchmarks.results import Measurement, Results, rowsOf

ABOUT = {
    "date": "2026-01-01T00:00:00+00:00",
    "processor": "Some CPU",
    "processors": 2,
    "kernel": "6.1",
    "python": "3.11",
    "twisted": "26",
    "servers": {"nginx": "nginx 1", "tuned": "nginx 1", "ours": "rtmptw 0"},
    "missing": {"nms": "not installed"},
}

FANOUT = CASES["fanout"]


def measured(server: str, cpuMs: float, viewers: int = 1000, **values: Any) -> Measurement:
    intact = {"lost": 0, "reordered": 0, "damaged": 0, "missing": 0}
    return Measurement(
        "fanout", server, 1, {"viewers": viewers}, {"cpuMs": cpuMs, "p50": 20.0, "p99": 90.0, **intact, **values}
    )


class TableTests(SynchronousTestCase):
    def test_table(self) -> None:
        """A head, a rule, a line for each server: figures, ratio, goals."""
        rows = rowsOf(FANOUT, [measured("nginx", 0.4), measured("ours", 0.152)])
        head, rule, nginx, ours = table(FANOUT, rows).splitlines()
        self.assertEqual(head.split()[:5], ["viewers", "server", "CPU", "ms/viewer-s", "CPU"])
        self.assertTrue(head.rstrip().endswith("must"))
        self.assertEqual(set(rule), {"-"})
        self.assertEqual(nginx.split()[:3], ["1,000", "nginx", "0.400"])
        self.assertEqual(ours.split()[:3], ["1,000", "ours", "0.152"])
        self.assertIn(" 0.38  1  ratio <= 0.45 ok; p50 <= 40 ok; p99 <= 100 ok", ours)
        self.assertEqual(misses(FANOUT, rows), 0)

    def test_columnsStandBelowTheirHeads(self) -> None:
        rows = rowsOf(FANOUT, [measured("nginx", 0.4), measured("ours", 12345.678, lost=1234567)])
        head, _, *lines = table(FANOUT, rows).splitlines()
        for line in lines:
            end = head.index("CPU ms/viewer-s") + len("CPU ms/viewer-s")
            self.assertTrue(line[:end].split()[-1] in ("0.400", "12345.678"), line)

    def test_missed(self) -> None:
        """What is missed is marked, also where something must not be at all."""
        rows = rowsOf(FANOUT, [measured("nginx", 0.4), measured("ours", 0.2, p50=41.0, lost=3)])
        last = table(FANOUT, rows).splitlines()[-1]
        self.assertIn("ratio <= 0.45 MISSED; p50 <= 40 MISSED; p99 <= 100 ok; lost <= 0 MISSED", last)
        self.assertEqual(misses(FANOUT, rows), 3)

    def test_notMeasured(self) -> None:
        """Without a baseline there is no ratio, and without latencies none are within a limit."""
        rows = rowsOf(FANOUT, [measured("ours", 0.2, p50=None)])
        last = table(FANOUT, rows).splitlines()[-1]
        self.assertIn(" -  1  ratio <= 0.45 not measured; p50 <= 40 not measured; p99 <= 100 ok", last)
        self.assertEqual(misses(FANOUT, rows), 0)

    def test_truth(self) -> None:
        """What is true or not is said in words."""
        most = CASES["most"]
        values = {"held": 12000, "isLimitOfLoad": True, "isLimitOfFiles": False}
        rows = rowsOf(most, [Measurement("most", "ours", 1, {"viewers": 1000}, values)])
        cells = table(most, rows).splitlines()[-1].split()
        self.assertEqual(cells[:3], ["1,000", "ours", "12,000"])
        self.assertIn("yes", cells)
        self.assertIn("no", cells)


class ReportTests(SynchronousTestCase):
    def test_report(self) -> None:
        """The machine, who is left out, a table for each case that was measured, what failed, the sum."""
        failed = Measurement("mixed", "nms", 2, {"streams": 100}, error="it has ended")
        results = Results(dict(ABOUT), [measured("nginx", 0.4), measured("ours", 0.2), failed])
        text = report(CASES.values(), results)
        first, second, *_ = text.splitlines()
        self.assertEqual(
            first,
            "2 x Some CPU, Linux 6.1; Python 3.11, Twisted 26; nginx 1; rtmptw 0; 2026-01-01T00:00:00+00:00",
        )
        self.assertEqual(second, "nms is left out: not installed")
        self.assertIn("\nfanout: ", text)
        self.assertIn("\nmixed: ", text)
        self.assertNotIn("\ningest: ", text)
        self.assertIn("nms, streams 100, round 2: it has ended", text)
        self.assertTrue(text.endswith("\nOne goal is missed."))

    def test_allMet(self) -> None:
        results = Results(dict(ABOUT), [measured("nginx", 0.4), measured("ours", 0.1)])
        self.assertTrue(report(CASES.values(), results).endswith("No goal that was measured is missed."))

    def test_nothing(self) -> None:
        """No goal is said to be met where nothing was measured."""
        self.assertTrue(report(CASES.values(), Results(dict(ABOUT))).endswith("\nNothing was measured."))

    def test_interrupted(self) -> None:
        """It is said that there is not all, even if nothing is known yet."""
        results = Results(dict(ABOUT), [measured("nginx", 0.4), measured("ours", 0.2)])
        text = report(CASES.values(), results, isWhole=False)
        self.assertTrue(text.endswith("\nInterrupted: this is not all. One goal is missed."))
        text = report(CASES.values(), Results({}), isWhole=False)
        self.assertEqual(text, "\nInterrupted: this is not all. Nothing was measured.")
