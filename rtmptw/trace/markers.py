# -*- test-case-name: tests.trace.test_markers -*-
"""
Where values of certain AMF0 types stand in a payload, at any depth: some clients can't read past them (wire facts 4).
"""

from __future__ import annotations

from collections.abc import Set

from rtmptw.errors import AMFDecodeError
from rtmptw.wire.amf import DATA_LIMITS, AMFValue
from rtmptw.wire.amf0 import Decoder

__all__ = [
    "AMF3",
    "DROPPED",
    "ECMA_ARRAY",
    "NULL",
    "NUMBER",
    "OBJECT",
    "STRING",
    "UNDEFINED",
    "UNSKIPPABLE",
    "FoundMarker",
    "markersIn",
    "named",
]

NUMBER, STRING, OBJECT, NULL, UNDEFINED, ECMA_ARRAY, AMF3 = 0x00, 0x02, 0x03, 0x05, 0x06, 0x08, 0x11

#: The types by their markers (AMF0, section 2.1).
_NAMES = {
    0x00: "a number",
    0x01: "a boolean",
    0x02: "a string",
    0x03: "an object",
    0x04: "a movie clip",
    0x05: "null",
    0x06: "undefined",
    0x07: "a reference",
    0x08: "an ECMA array",
    0x0A: "a strict array",
    0x0B: "a date",
    0x0C: "a long string",
    0x0D: "unsupported",
    0x0E: "a record set",
    0x0F: "XML",
    0x10: "a typed object",
    0x11: "an AMF3 value",
}

#: What FFmpeg can't skip: it does not find what stands behind.
UNSKIPPABLE = frozenset((0x04, 0x06, 0x07, 0x0D, 0x0E, 0x0F, 0x10, 0x11))

#: What librtmp drops a whole command for, or FFmpeg and librtmp can't read at all.
DROPPED = frozenset((0x04, 0x07, 0x10, 0x11))

#: A marker and its place in the payload.
FoundMarker = tuple[int, int]


class _Search(Decoder):
    """
    A decoder that notes where it meets what is searched for.
    """

    __slots__ = ("found", "wanted")

    found: list[FoundMarker]
    wanted: Set[int]

    def _value(self) -> AMFValue:
        marker = self.data[self.position]
        if marker in self.wanted:
            self.found.append((marker, self.position))
        return super()._value()


def markersIn(payload: bytes, wanted: Set[int], start: int = 0) -> list[FoundMarker]:
    """
    Find markers, in order, as far as the values can be read.

    @param wanted: which.
    @param start: where the first value begins.
    """
    search = _Search(payload, DATA_LIMITS, start)
    search.found, search.wanted = [], wanted
    try:
        while search.position < search.end:
            search.value()
    except AMFDecodeError:
        # What is in front of it counts; if it is the type that can't be read, it was found before.
        return search.found
    return search.found


def named(marker: int) -> str:
    """A type and its marker, for people."""
    return f"{_NAMES.get(marker, 'a value of an unknown type')} ({marker:02x})"
