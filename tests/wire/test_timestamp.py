"""Tests for L{rtmptw.wire.timestamp}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.wire.timestamp import Timeline, elapsed, nearest

#: Later, earlier, ms between them.
DIFFERENCES = [
    (0, 0, 0),
    (40, 0, 40),
    (0, 40, -40),
    (0xFFFFFFFF, 0xFFFFFFFF, 0),
    (0, 0xFFFFFFFF, 1),
    (0xFFFFFFFF, 0, -1),
    (16, 0xFFFFFFF0, 32),
    (0xFFFFFFF0, 16, -32),
    (0x1000000, 0xFFFFFF, 1),
    (0x7FFFFFFF, 0, 0x7FFFFFFF),
    (0x80000000, 0, -0x80000000),
    (0, 0x80000000, -0x80000000),
    (0x80000001, 0, -0x7FFFFFFF),
    (0x90000000, 0x20000000, 0x70000000),
]

stamps = st.integers(0, 0xFFFFFFFF)


class ElapsedTests(SynchronousTestCase):
    """The difference of two timestamps."""

    def test_table(self) -> None:
        """It is that of the shorter way round."""
        for later, earlier, expected in DIFFERENCES:
            self.assertEqual(elapsed(later, earlier), expected, (later, earlier))

    @given(stamps, st.integers(-(2**31), 2**31 - 1), st.integers(-3, 3))
    def test_inverse(self, earlier: int, step: int, turns: int) -> None:
        """It is what was added, however often the clock has gone round."""
        self.assertEqual(elapsed((earlier + step) & 0xFFFFFFFF, earlier), step)
        self.assertEqual(elapsed(earlier + step + (turns << 32), earlier), step)


class NearestTests(SynchronousTestCase):
    """A timestamp beside a time without an end."""

    def test_table(self) -> None:
        """It is before or behind, whichever is the shorter way; the round does not matter."""
        for timestamp, time, expected in (
            (7, 0, 7),
            (7, 7, 7),
            (0xFFFFFFFF, 0, -1),
            (0, 0xFFFFFFFF, 0x100000000),
            (0x10, 0x5FFFFFFF0, 0x600000010),
            (0xFFFFFFF0, 0x600000010, 0x5FFFFFFF0),
            (0x7FFFFFFF, 0, 0x7FFFFFFF),
            (0x80000000, 0, -0x80000000),
            (0x1_00000007, 0, 7),
        ):
            self.assertEqual(nearest(timestamp, time), expected, (timestamp, time))

    @given(stamps, st.integers(-(2**40), 2**40))
    def test_anyTime(self, timestamp: int, time: int) -> None:
        """It has that timestamp, and nothing with it is nearer."""
        found = nearest(timestamp, time)
        self.assertEqual(found & 0xFFFFFFFF, timestamp)
        self.assertEqual(found - time, elapsed(timestamp, time))


class TimelineTests(SynchronousTestCase):
    """Timestamps in a row."""

    def test_rows(self) -> None:
        """It goes on when 32 bits are over, and back across that line as well."""
        for given_, expected in (
            ([], []),
            ([7], [7]),
            ([0xFFFFFFFF], [0xFFFFFFFF]),
            ([0, 40, 20, 60], [0, 40, 20, 60]),
            ([0xFFFFFFF0, 0, 0xFFFFFFF8, 16], [0xFFFFFFF0, 0x100000000, 0xFFFFFFF8, 0x100000010]),
            ([5, 0xFFFFFFFF, 5], [5, -1, 5]),
            ([0, 0x7FFFFFFF, 0xFFFFFFFE, 0x7FFFFFFD], [0, 0x7FFFFFFF, 0xFFFFFFFE, 0x17FFFFFFD]),
        ):
            timeline = Timeline()
            self.assertIs(timeline.newest, None)
            self.assertEqual([timeline.place(timestamp) for timestamp in given_], expected)
            self.assertEqual(timeline.newest, expected[-1] if expected else None)

    @given(stamps, st.lists(st.integers(-(2**31), 2**31 - 1)))
    def test_anySteps(self, start: int, steps: list[int]) -> None:
        """Where a timestamp is placed is the sum of the steps, whatever their number."""
        timeline = Timeline()
        position = timeline.place(start)
        self.assertEqual(position, start)
        for step in steps:
            position += step
            self.assertEqual(timeline.place(position & 0xFFFFFFFF), position)
