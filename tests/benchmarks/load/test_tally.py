# -*- test-case-name: tests.benchmarks.load.test_tally -*-
"""
Tests for L{benchmarks.load.tally}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.load.tally import Order, Tally, percentile


class PercentileTests(SynchronousTestCase):
    def test_table(self) -> None:
        hundred = list(range(100))
        for values, percent, expected in (
            ([], 50, None),
            ([7], 50, 7),
            ([7], 100, 7),
            ([1, 2], 50, 2),
            (hundred, 0, 0),
            (hundred, 50, 50),
            (hundred, 99, 99),
            (hundred, 100, 99),
            (list(range(1000)), 99, 990),
        ):
            self.assertEqual(percentile(values, percent), expected, (values, percent))


class OrderTests(SynchronousTestCase):
    def follow(self, *sequences: int, measuring: bool = True) -> Tally:
        tally = Tally()
        tally.isMeasuring = measuring
        order = Order(tally)
        for sequence in sequences:
            order.take("picture", sequence)
        return tally

    def test_table(self) -> None:
        """What came, and what that means: lost, reordered, twice."""
        for sequences, lost, reordered, duplicated in (
            ((5, 6, 7), 0, 0, 0),
            ((5, 8), 2, 0, 0),
            ((5, 7, 6), 1, 1, 0),
            ((5, 5), 0, 0, 1),
            ((5, 9, 9, 10), 3, 0, 1),
            ((5, 3, 6), 0, 1, 0),
        ):
            tally = self.follow(*sequences)
            self.assertEqual((tally.lost, tally.reordered, tally.duplicated), (lost, reordered, duplicated), sequences)
            self.assertEqual(tally.messages, len(sequences))

    def test_onlyWhileMeasured(self) -> None:
        """What is missing before does not count, but is not forgotten either."""
        tally = self.follow(5, 9, measuring=False)
        self.assertEqual((tally.lost, tally.messages), (0, 0))

    def test_gapAtTheBegin(self) -> None:
        """What is missing between the last message before and the first while it is measured counts."""
        tally = Tally()
        order = Order(tally)
        order.take("picture", 5)
        tally.isMeasuring = True
        order.take("picture", 7)
        self.assertEqual(tally.lost, 1)

    def test_kindsAreNumberedApart(self) -> None:
        tally = Tally()
        tally.isMeasuring = True
        order = Order(tally)
        for kind, sequence in (("picture", 1), ("sound", 50), ("picture", 2), ("sound", 51)):
            order.take(kind, sequence)
        self.assertEqual((tally.lost, tally.reordered, tally.messages), (0, 0, 4))


class TallyTests(SynchronousTestCase):
    def test_results(self) -> None:
        """Counts, and latencies in ms."""
        tally = Tally()
        tally.lost, tally.damaged = 3, 1
        tally.latencies.extend(range(1_000_000, 101_000_000, 1_000_000))
        results = tally.results()
        self.assertEqual((results["lost"], results["damaged"]), (3, 1))
        self.assertEqual((results["p50"], results["p99"], results["worst"]), (51.0, 100.0, 100.0))

    def test_nothing(self) -> None:
        """Without any message there is no latency."""
        results = Tally().results()
        self.assertEqual((results["messages"], results["p50"], results["worst"]), (0, None, None))

    def test_clear(self) -> None:
        tally = Tally()
        tally.lost = 5
        tally.latencies.append(1)
        tally.clear()
        self.assertEqual((tally.lost, len(tally.latencies)), (0, 0))
