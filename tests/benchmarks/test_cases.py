# -*- test-case-name: tests.benchmarks.test_cases -*-
"""
Tests for L{benchmarks.cases}: the arithmetic between what was counted and what is shown. That they run is tested in
L{tests.interop.test_benchmarks}.
"""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.bench import Window, integrity
from benchmarks.cases import CASES, attacked, steady
from benchmarks.cases.most import holds, search
from benchmarks.errors import BenchmarkError
from benchmarks.servers import SERVERS
from tests.attackers.rows import ROWS
from tests.benchmarks.load.test_audience import JOINED, SEEN

SENT = {"bytes": 2000, "seconds": 2.0, "publishers": 2, "cpu": 0.2, "lateP99": 1.5, "lateWorst": 2.5}


class NamesTests(SynchronousTestCase):
    def test_names(self) -> None:
        """All cases are there, and what they name is known."""
        names = "fanout most mixed ingest throughput join memory tls stalled steady attacked"
        self.assertEqual(" ".join(CASES), names)
        for name, case in CASES.items():
            self.assertEqual(case.name, name)
            self.assertTrue(set(case.servers) <= set(SERVERS), name)
            self.assertIn(case.figure, {column.key for column in case.columns}, name)
            self.assertTrue(case.points(None, True) and case.points(None, False), name)


class IntegrityTests(SynchronousTestCase):
    def test_counts(self) -> None:
        """What came twice is out of order as well; who did not come, or did not stay, is missing."""
        seen = {**SEEN, "reordered": 1, "duplicated": 2, "closed": 3, "reasons": ["a"], "lost": 4}
        values = integrity(seen, {**JOINED, "failed": 5, "reasons": ["b"]})
        self.assertEqual((values["lost"], values["reordered"], values["missing"]), (4, 3, 8))
        self.assertEqual(values["reasons"], ["b", "a"])
        self.assertNotIn("slowest", values)

    def test_slowest(self) -> None:
        """The slowest viewer is compared with what one stream was at the same time."""
        for slowest, sent, expected in (
            (450.0, SENT, 90.0),
            (None, SENT, None),
            (450.0, {**SENT, "bytes": 0}, None),
            (450.0, {**SENT, "publishers": 0}, 45.0),
        ):
            self.assertEqual(integrity({**SEEN, "slowest": slowest}, JOINED, sent)["slowest"], expected)


class WindowTests(SynchronousTestCase):
    def test_common(self) -> None:
        """Shares of a processor in percent; the load is viewers and publishers together."""
        values = Window(2.0, 0.5, 0.25, SEEN, SENT).common()
        self.assertEqual((values["cpuShare"], values["userShare"], values["loadShare"]), (25.0, 25.0, 35.0))
        self.assertEqual((values["lateP99"], values["lateWorst"]), (1.5, 2.5))
        values = Window(2.0, 0.5, 0.25).common()
        self.assertEqual((values["loadShare"], values["lateP99"]), (0, None))


class MostTests(SynchronousTestCase):
    def test_holds(self) -> None:
        """Nothing lost, nobody too late, nobody too slow."""
        good = {"missing": 0, "lost": 0, "reordered": 0, "damaged": 0, "p99": 999.0, "slowest": 90.0}
        self.assertTrue(holds(good))
        for key, value in (
            ("missing", 1),
            ("lost", 1),
            ("reordered", 1),
            ("damaged", 1),
            ("p99", 1000.0),
            ("p99", None),
            ("slowest", 89.9),
            ("slowest", None),
        ):
            self.assertFalse(holds({**good, key: value}), (key, value))

    def test_search(self) -> None:
        """Whatever the limit is, it is found to one in twenty; none at all, and more than there may be, as well."""
        for limit in (0, 7, 999, 1000, 1001, 2900, 12_800, 19_799, 50_000):
            tried: list[int] = []

            def attempt(number: int, limit: int = limit, tried: list[int] = tried) -> bool:
                tried.append(number)
                return number <= limit

            good, bad = search(1000, 19_800, attempt)
            self.assertEqual(len(tried), len(set(tried)), limit)
            self.assertTrue(len(tried) < 14, (limit, tried))
            if limit >= 19_800:
                self.assertEqual((good, bad), (19_800, None))
            else:
                assert bad is not None
                self.assertTrue(good <= limit < bad, (limit, good, bad))
                self.assertTrue(bad - good <= max(25, good * 0.05), (limit, good, bad))


class SteadyTests(SynchronousTestCase):
    def test_growth(self) -> None:
        """From the second fifth to the last; what was before does not count, and neither does a moment."""
        self.assertEqual(steady.growth([5, 7, *[10] * 4, 99, 10, 13, 13]), 3)
        self.assertEqual(steady.growth([0, 0, 10, 10, 10, 10, 10, 10, 10, 10]), 0)
        self.assertEqual(steady.growth([10, 20]), 0)
        self.assertEqual(steady.growth([10]), 0)


class AttackedTests(SynchronousTestCase):
    def points(self, wanted: str | None, isQuick: bool = False) -> list[dict[str, int]]:
        """With what the environment says."""
        environment = dict(os.environ)
        environment.pop(attacked.ROWS_VARIABLE, None)
        if wanted is not None:
            environment[attacked.ROWS_VARIABLE] = wanted
        self.patch(os, "environ", environment)
        return attacked.CASE.points(None, isQuick)

    def test_points(self) -> None:
        """All rows, behind what they are compared with; or a few; or those that are wanted, with their attackers."""
        self.assertEqual([name for point in self.points(None) for name in point], ["none", "hog", *ROWS])
        self.assertEqual(self.points(None, True), [{"none": 0}, {"B5": 8}])
        self.assertEqual(self.points("A1,hog"), [{"A1": 10_000}, {"hog": 1}])
        error = self.assertRaises(BenchmarkError, self.points, "A1,Z9")
        self.assertIn("Z9", str(error))

    def test_kinds(self) -> None:
        """What goes to the port for TLS needs a server that has one."""
        ours, secure, nginx = SERVERS["ours"], SERVERS["ours-tls"], SERVERS["nginx"]
        self.assertEqual([attacked._kind(ours, row) for row in ("none", "B5", "A7")], [ours, ours, secure])
        self.assertIs(attacked._kind(secure, "A7"), secure)
        self.assertIs(attacked._kind(nginx, "B5"), nginx)
        self.assertRaises(BenchmarkError, attacked._kind, nginx, "A7")
