# -*- test-case-name: tests.gate.test_linerate -*-
"""
How many lines the log has in a second of what strangers can bring about as often as they like.
"""

from __future__ import annotations

__all__ = ["MOST", "LineRate"]

#: So many; the others are only counted.
MOST = 20


class LineRate:
    """The lines of one kind."""

    def __init__(self) -> None:
        self._second = float("-inf")
        self._lines = 0

    def takes(self, now: float) -> bool:
        """Whether there may be one more line now; if so, there is."""
        if now - self._second >= 1:
            self._second, self._lines = now, 0
        if self._lines >= MOST:
            return False
        self._lines += 1
        return True
