# -*- test-case-name: tests.gate.test_partings -*-
"""
What the log says of connections that were closed before they had said anything, or that had to go for others.

Each connection has a line at its end. A flood of silent ones is thousands of ends in a second, from as many addresses,
and would fill the disk with them. So all such ends together have a L{LineRate}; the others are counted, and
told once in L{COUNT_SECONDS}.
"""

from __future__ import annotations

from twisted.logger import Logger

from rtmptw.gate.linerate import LineRate

__all__ = ["COUNT_SECONDS", "Partings"]

#: How many seconds are between two lines with a count, at least.
COUNT_SECONDS = 60.0


class Partings:
    """
    The ends of one server's strangers.
    """

    _log = Logger()

    def __init__(self) -> None:
        self._rate = LineRate()
        self._untold = 0
        #: When the first of those that are not told yet went.
        self._since = 0.0

    def tells(self, now: float) -> bool:
        """
        One more goes.

        @return: whether it has its line.
        """
        if self._rate.takes(now):
            return True
        self._since = self._since if self._untold else now
        self._untold += 1
        return False

    def second(self, now: float) -> None:
        """A second has passed, more or less: if a minute has, tell how many had no line."""
        if self._untold and now - self._since >= COUNT_SECONDS:
            self._log.info(
                "{count} more connections were closed that had said nothing, or had to go for others",
                count=self._untold,
            )
            self._untold = 0
