"""Tests for L{rtmptw.wire.fileclock}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.wire.fileclock import REORDER_MARGIN, FileClock
from rtmptw.wire.message import Message

#: A sound, a picture, data; and what is no frame: a header, colours, the end, nothing, and what nobody knows.
A, V, D = "8 af01 21", "9 2701000000 41", "18 02"
HEADER, COLORS, END, NOTHING, UNKNOWN = "9 1700000000", "9 9468766331", "9 1702000000", "8", "8 9f"

#: Messages (what, timestamp), and their times in a file.
FILES: list[tuple[list[tuple[str, int]], list[int]]] = [
    ([], []),
    ([(V, 0), (A, 21), (V, 40)], [0, 21, 40]),
    ([(V, 1000), (A, 990), (V, 1040)], [1000, 990, 1040]),
    ([(V, 1001), (A, 990), (V, 1041)], [1000, 989, 1040]),
    ([(A, 77_000), (V, 76_001), (V, 76_000), (V, 75_000), (V, 77_040)], [1000, 1, 0, 0, 1040]),
    ([(D, 99), (D, 77_000), (V, 77_000), (D, 77_020)], [0, 0, 1000, 1020]),
    ([(HEADER, 0), (V, 77_000), (A, 77_021)], [0, 1000, 1021]),
    ([(HEADER, 77_000), (V, 77_000), (HEADER, 77_010)], [0, 1000, 1010]),
    ([(HEADER, 0), (HEADER, 40), (V, 40), (HEADER, 0)], [0, 0, 40, 0]),
    ([(each, 5) for each in (HEADER, COLORS, END, NOTHING, UNKNOWN)], [0] * 5),
    ([(HEADER, 0), (V, 2_147_480_000), (V, 2_147_490_000), (V, 0xC0000000)], [0, 1000, 11_000, 1_073_746_472]),
    ([(HEADER, 0), (V, 0xFFFFFFD8), (V, 0)], [0, 1000, 1040]),
    ([(V, 0), (A, 0xFFFFFFD0), (V, 40)], [0, 0, 40]),
    ([(V, 0xFFFFFFD8), (V, 0), (V, 40)], [1000, 1040, 1080]),
    ([(V, 60_000), (V, 120_000), (V, 0), (V, 120_040)], [1000, 61_000, 0, 61_040]),
    ([(V, 0), (V, 0x7FFFFFFF), (V, 0xFFFFFFFE), (V, 0x10)], [0, 0x7FFFFFFF, 0xFFFFFFFE, 0x10]),
]


def message(what: str, timestamp: int) -> Message:
    """One message."""
    type, _, payload = what.partition(" ")
    return Message(int(type), timestamp, 1, bytes.fromhex(payload))


class FileClockTests(SynchronousTestCase):
    """Where messages are in a file."""

    def test_files(self) -> None:
        """A file begins at 0, with a margin for what is a little late; before the first frame everything is at 0."""
        for given_, expected in FILES:
            clock = FileClock()
            self.assertEqual([clock.time(message(*one)) for one in given_], expected)

    @given(st.integers(0, 0xFFFFFFFF), st.lists(st.integers(-REORDER_MARGIN, 1_000_000), max_size=20))
    def test_distances(self, start: int, steps: list[int]) -> None:
        """What is not earlier than the beginning keeps its distance from it."""
        clock = FileClock()
        first = clock.time(message(V, start))
        self.assertEqual(first, min(start, REORDER_MARGIN))
        for step in steps:
            found = clock.time(message(A, (start + step) & 0xFFFFFFFF))
            self.assertEqual(found, max(0, first + step))
