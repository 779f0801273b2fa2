# -*- test-case-name: tests.benchmarks.load.test_audience -*-
"""
An audience: a crowd that only counts what it gets, and among it a few viewers that check everything. The two are
processes of their own; here they are one.
"""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from benchmarks.load.orders import Answer

__all__ = ["Audience", "Load", "mergeJoined", "mergeSeen"]

#: What only those can tell who check everything.
_CHECKED = ("messages", "lost", "reordered", "duplicated", "damaged", "p50", "p99", "worst")


class Load(Protocol):
    """What gets orders: a L{benchmarks.load.child.Child}, or several."""

    def tell(self, do: str, **order: object) -> None:
        """Give an order."""

    def hear(self) -> Answer:
        """Wait for the answer."""

    def ask(self, do: str, **order: object) -> Answer:
        """Both."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, type: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


def mergeJoined(crowd: Answer, checking: Answer) -> Answer:
    """The answers of both to a join as one."""
    times = [answer[key] for answer in (crowd, checking) for key in ("joinWorst",) if answer[key] is not None]
    return {
        **{key: crowd[key] + checking[key] for key in ("joined", "failed", "keyframes", "reasons")},
        "joinP50": crowd["joinP50"] if crowd["joined"] else checking["joinP50"],
        "joinWorst": max(times, default=None),
        "allMs": max(crowd["allMs"], checking["allMs"]),
    }


def mergeSeen(crowd: Answer, checking: Answer) -> Answer:
    """What both have seen as one."""
    slowest = [answer["slowest"] for answer in (crowd, checking) if answer["slowest"] is not None]
    return {
        **{key: checking[key] for key in _CHECKED},
        **{key: crowd[key] + checking[key] for key in ("bytes", "cpu", "closed", "reasons")},
        "seconds": crowd["seconds"],
        "slowest": min(slowest, default=None),
    }


class Audience:
    """Both, to be used in a C{with}; its orders are those of L{benchmarks.load.players.Players}."""

    def __init__(self, crowd: Load, checking: Load) -> None:
        self._crowd = crowd
        self._checking = checking

    def join(self, count: int, parsed: int, ramp: float) -> Answer:
        """
        Let viewers join.

        @param parsed: how many of them check everything: they come spread evenly, because a server has an order of
            serving.
        @param ramp: how many come per second.
        @raise BenchmarkError: if a process has ended.
        """
        parsed = min(parsed, count)
        self._crowd.tell("join", count=count - parsed, ramp=ramp)
        self._checking.tell("join", count=parsed, ramp=ramp * parsed / count)
        return mergeJoined(self._crowd.hear(), self._checking.hear())

    def ask(self, do: str, **order: object) -> Answer:
        """
        C{begin} or C{end}.

        @raise BenchmarkError: if a process has ended.
        """
        for load in (self._crowd, self._checking):
            load.tell(do, **order)
        crowd, checking = self._crowd.hear(), self._checking.hear()
        return mergeSeen(crowd, checking) if crowd else {}

    def __enter__(self) -> Self:
        self._crowd.__enter__()
        self._checking.__enter__()
        return self

    def __exit__(
        self, type: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._checking.__exit__(type, value, traceback)
        finally:
            self._crowd.__exit__(type, value, traceback)
