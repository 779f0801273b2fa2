# -*- test-case-name: tests.compare.test_totals -*-
"""
What there is of everything that comes often: media, metadata, acknowledgements, pings. Two conversations differ in it,
and mostly that says nothing; so it is told at the end, in numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from rtmptw.trace.entry import Entry, ReadMessage
from rtmptw.trace.segment import Side

__all__ = ["Total", "Totals"]

_COUNTED = ("audio", "video", "data", "repeated")


class Total:
    """
    The messages of one kind.

    @ivar count: how many.
    @ivar size: their payloads, bytes.
    """

    def __init__(self) -> None:
        self.count = 0
        self.size = 0
        self._hash = hashlib.sha256()

    def add(self, payload: bytes) -> None:
        """One more."""
        self.count += 1
        self.size += len(payload)
        self._hash.update(payload)

    @property
    def digest(self) -> str:
        """The first 12 hex digits of the SHA-256 over all payloads, in order."""
        return self._hash.hexdigest()[:12]

    def __str__(self) -> str:
        if not self.count:
            return "none"
        messages = "1 message" if self.count == 1 else f"{self.count:,} messages"
        return f"{messages}, {self.size:,} bytes, SHA-256 {self.digest}"


class Totals:
    """All of one conversation."""

    def __init__(self) -> None:
        self._totals: dict[tuple[Side, str], Total] = {}

    def count(self, entry: Entry, family: str) -> None:
        """
        Take an entry into account.

        @param family: of its key.
        """
        if family in _COUNTED and isinstance(entry, ReadMessage):
            name = "acknowledgements and pings" if family == "repeated" else family
            self._totals.setdefault((entry.side, name), Total()).add(entry.message.payload)

    def get(self, side: Side, name: str) -> Total:
        """One of them; an empty one if there is none."""
        return self._totals.get((side, name)) or Total()

    def beside(self, other: Totals) -> Iterator[tuple[Side, str, Total, Total]]:
        """Both: of which side, of what, here and there."""
        for side, name in sorted({*self._totals, *other._totals}, key=lambda key: (key[0].value, key[1])):
            yield side, name, self.get(side, name), other.get(side, name)
