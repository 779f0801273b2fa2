# -*- test-case-name: tests.gate.test_refusals -*-
"""
What the log says of connections that were refused: of each source something, of all together not much.

A flood is thousands of refusals in a second, and with a line for each of them it would fill the disk. So a source has
one line in a minute, and all together have a L{LineRate}; how many there were, the counters tell
(L{rtmptw.limits.Reached}).
"""

from __future__ import annotations

from twisted.logger import Logger

from rtmptw.gate.linerate import LineRate
from rtmptw.limits import Limits, describeLimits

__all__ = ["QUIET_SECONDS", "Refusals"]

#: For how many seconds nothing more is said of a source.
QUIET_SECONDS = 60.0


class Refusals:
    """
    The refusals of one server.
    """

    _log = Logger()

    def __init__(self, limits: Limits) -> None:
        """
        @param limits: with the numbers that are kept, where 0 stands for one.
        """
        #: What stands behind a semicolon is for who sets the limit.
        self._texts = {
            each.name: f"{each.value:.10g} {each.text.partition(';')[0]} ({each.option})"
            for each in describeLimits(limits)
        }
        #: When something was said of whom, as long as that matters. No more come to it than there are lines.
        self._told: dict[bytes, float] = {}
        self._rate = LineRate()

    def add(self, source: bytes, host: str, limit: str, now: float) -> None:
        """
        A connection was refused.

        @param source: what it is known by (L{rtmptw.gate.source.Source.key}); empty for one that has none.
        @param host: the address.
        @param limit: the name of the limit.
        """
        if now - self._told.get(source, float("-inf")) < QUIET_SECONDS or not self._rate.takes(now):
            return
        self._told = {key: then for key, then in self._told.items() if now - then < QUIET_SECONDS}
        self._told[source] = now
        self._log.warn(
            "{host}: refused: {limit}; any more of it in the next {seconds:g} s are only counted",
            host=host,
            limit=self._texts[limit],
            seconds=QUIET_SECONDS,
        )
