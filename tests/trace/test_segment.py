"""
Tests for L{rtmptw.trace.segment}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.trace.segment import End, Segment, Side, inOrder


class SegmentTests(SynchronousTestCase):
    def test_other(self) -> None:
        """Each side listens to the other."""
        self.assertEqual([side.other for side in (Side.CLIENT, Side.SERVER)], [Side.SERVER, Side.CLIENT])

    def test_value(self) -> None:
        """Segments with the same content are the same."""
        one = Segment(Side.CLIENT, 0.5, b"\x03")
        self.assertEqual(one, Segment(side=Side.CLIENT, at=0.5, data=b"\x03"))
        self.assertNotEqual(one, Segment(Side.SERVER, 0.5, b"\x03"))
        self.assertEqual(len({one, Segment(Side.CLIENT, 0.5, b"\x03")}), 1)


class InOrderTests(SynchronousTestCase):
    def test_places(self) -> None:
        """Ends stand where they came: before all, between, behind."""
        one, other = Segment(Side.CLIENT, 0.5, b"1"), Segment(Side.SERVER, 0.5, b"2")
        for first in range(3):
            for second in range(first, 3):
                ends = [End(Side.CLIENT, 0.5, "closed", first), End(Side.SERVER, 0.5, "closed", second)]
                expected: list[Segment | End] = [one, other]
                expected.insert(second, ends[1])
                expected.insert(first, ends[0])
                self.assertEqual(list(inOrder([one, other], ends)), expected, (first, second))

    def test_none(self) -> None:
        self.assertEqual(list(inOrder([], ())), [])
