# -*- test-case-name: tests.trace.test_arrivals -*-
"""
When bytes came: kept for those that may be looked at again.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left

__all__ = ["Arrivals"]


class Arrivals:
    """The times at which the bytes of one side came."""

    def __init__(self) -> None:
        self._ends = array("Q")
        self._times = array("d")

    def add(self, end: int, at: float) -> None:
        """
        Bytes have come.

        @param end: how many have come by then.
        @param at: when, seconds; not less than before.
        """
        if self._times and self._times[-1] == at:
            self._ends[-1] = end
        else:
            self._ends.append(end)
            self._times.append(at)

    def at(self, end: int) -> float:
        """When there were so many bytes, seconds; of those that have not come, when the last has."""
        return self._times[min(bisect_left(self._ends, end), len(self._times) - 1)] if self._times else 0.0

    def forget(self, end: int) -> None:
        """Nobody will ask for the first C{end} bytes any more."""
        count = min(bisect_left(self._ends, end), len(self._ends) - 1)
        if count > 0:
            del self._ends[:count], self._times[:count]
