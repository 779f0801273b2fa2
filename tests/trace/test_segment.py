"""
Tests for L{rtmptw.trace.segment}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.trace.segment import Segment, Side


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
