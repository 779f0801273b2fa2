# -*- test-case-name: tests.trace.test_markers -*-
"""
Tests for L{rtmptw.trace.markers}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.trace.markers import DROPPED, UNSKIPPABLE, markersIn, named
from rtmptw.wire import amf0
from rtmptw.wire.amf import UNDEFINED, ECMAArray, TypedObject, XMLDocument


class MarkersInTests(SynchronousTestCase):
    def test_places(self) -> None:
        """At any depth, in order, and not where the same byte is part of a value."""
        payload = amf0.encode(
            "\x06\x07", {"a": UNDEFINED}, 6.0, [1.0, UNDEFINED], ECMAArray({"b": {"c": XMLDocument("\x06")}})
        )
        found = markersIn(payload, UNSKIPPABLE)
        self.assertEqual([marker for marker, _ in found], [0x06, 0x06, 0x0F])
        self.assertEqual([payload[position] for _, position in found], [0x06, 0x06, 0x0F])
        self.assertEqual(found[0][1], payload.index(b"a\x06") + 1)

    def test_onlyWhatIsWanted(self) -> None:
        payload = amf0.encode(UNDEFINED, TypedObject("T", {"x": 1.0}))
        self.assertEqual(markersIn(payload, DROPPED), [(0x10, 1)])

    def test_from(self) -> None:
        payload = amf0.encode(UNDEFINED, UNDEFINED)
        self.assertEqual(markersIn(payload, UNSKIPPABLE, 1), [(0x06, 1)])

    def test_insideAMF3NothingIsFound(self) -> None:
        """The value behind 11 has markers of its own."""
        self.assertEqual(markersIn(bytes.fromhex("11 06 07 61 62 63 06"), UNSKIPPABLE), [(0x11, 0), (0x06, 6)])

    def test_whatCannotBeReadIsFound(self) -> None:
        """A movie clip can't be read; what is in front of it, and itself, counts."""
        self.assertEqual(markersIn(b"\x06\x04\x06", UNSKIPPABLE), [(0x06, 0), (0x04, 1)])

    def test_cut(self) -> None:
        self.assertEqual(markersIn(b"\x06\x02\x00", UNSKIPPABLE), [(0x06, 0)])
        self.assertEqual(markersIn(b"", UNSKIPPABLE), [])

    def test_named(self) -> None:
        self.assertEqual(named(0x08), "an ECMA array (08)")
        self.assertEqual(named(0x55), "a value of an unknown type (55)")
