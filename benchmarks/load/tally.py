# -*- test-case-name: tests.benchmarks.load.test_tally -*-
"""
The tally: what is missing, out of place, twice or damaged among all that viewers get, and how late it is.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Sequence

__all__ = ["Order", "Tally", "percentile"]


def percentile(values: Sequence[float], percent: float) -> float | None:
    """
    @param values: in order.
    @return: L{None} if there are none.
    """
    return values[min(int(len(values) * percent / 100), len(values) - 1)] if values else None


class Tally:
    """
    What the viewers of a process have seen, while it is measured.

    @ivar isMeasuring: whether what comes is counted.
    @ivar messages: how many pictures and sounds have come.
    @ivar lost: how many are missing in between.
    @ivar reordered: how many came behind a later one.
    @ivar duplicated: how many came twice.
    @ivar damaged: how many differ from what was sent.
    @ivar latencies: of each, ns.
    """

    def __init__(self) -> None:
        self.isMeasuring = False
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.messages = self.lost = self.reordered = self.duplicated = self.damaged = 0
        self.latencies = array("q")

    def results(self) -> dict[str, float | None]:
        """The counts, and latencies in ms; L{None} where nothing has come."""
        ordered = sorted(self.latencies)
        p50, p99, worst = (percentile(ordered, percent) for percent in (50, 99, 100))
        return {
            "messages": self.messages,
            "lost": self.lost,
            "reordered": self.reordered,
            "duplicated": self.duplicated,
            "damaged": self.damaged,
            "p50": None if p50 is None else p50 / 1e6,
            "p99": None if p99 is None else p99 / 1e6,
            "worst": None if worst is None else worst / 1e6,
        }


class Order:
    """Follows the sequence numbers that one viewer sees: those of pictures, and those of sounds."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._last: dict[Hashable, int] = {}

    def take(self, kind: Hashable, sequence: int) -> None:
        """
        The next one.

        @param kind: what is numbered on its own.
        """
        last = self._last.get(kind)
        if last is None or sequence > last:
            self._last[kind] = sequence
        tally = self._tally
        if not tally.isMeasuring:
            return
        tally.messages += 1
        if last is None or sequence == last + 1:
            return
        if sequence > last:
            tally.lost += sequence - last - 1
        elif sequence == last:
            tally.duplicated += 1
        else:
            tally.reordered += 1
