# -*- test-case-name: tests.benchmarks.test_goals -*-
"""
What our own server must reach, as plain numbers.

A ratio is that of medians to the case's baseline (nginx-rtmp as most have it) in the same run. All other limits are
those of the figure itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.case import Point, Values

__all__ = ["GOALS", "INTACT", "Goal", "goalsOf"]


@dataclass(frozen=True)
class Goal:
    """
    One limit.

    @ivar case: its name.
    @ivar server: whose.
    @ivar at: where: part of a point.
    @ivar key: of the value.
    @ivar most: the value, or its ratio, must not be above.
    @ivar least: the same from below.
    @ivar isRatio: whether it is the ratio to the baseline.
    """

    case: str
    server: str
    at: Mapping[str, int]
    key: str
    most: float | None = None
    least: float | None = None
    isRatio: bool = False

    def isMet(self, value: float) -> bool:
        """Whether a value, or a ratio, is within the limit."""
        return (self.most is None or value <= self.most) and (self.least is None or value >= self.least)

    def figure(self, values: Values, baseline: Values | None) -> float | None:
        """
        What is compared with the limit.

        @param values: the medians of the server.
        @param baseline: those of the baseline, if there are any.
        """
        value = values.get(self.key)
        if value is None or not self.isRatio:
            return value
        other = baseline.get(self.key) if baseline else None
        return value / other if other else None

    def __str__(self) -> str:
        bound = f"<= {self.most:g}" if self.most is not None else f">= {self.least:g}"
        return f"{'ratio' if self.isRatio else self.key} {bound}"


_THOUSAND = {"viewers": 1000}
_HUNDREDS = {"viewers": 200}

GOALS = (
    Goal("fanout", "ours", _THOUSAND, "cpuMs", most=0.45, isRatio=True),
    Goal("fanout", "ours", _THOUSAND, "p50", most=40),
    Goal("fanout", "ours", _THOUSAND, "p99", most=100),
    Goal("fanout", "ours-100ms", _THOUSAND, "cpuMs", most=0.33, isRatio=True),
    Goal("fanout", "ours-100ms", _THOUSAND, "p99", most=150),
    Goal("fanout", "ours-350ms", _THOUSAND, "cpuMs", most=0.2, isRatio=True),
    Goal("fanout", "ours-low", _HUNDREDS, "cpuMs", most=1.3, isRatio=True),
    Goal("fanout", "ours-low", _HUNDREDS, "p50", most=1),
    Goal("fanout", "ours-low", _HUNDREDS, "p99", most=10),
    Goal("most", "ours", _THOUSAND, "held", least=2, isRatio=True),
    Goal("mixed", "ours", {"streams": 100}, "cpuMs", most=0.8, isRatio=True),
    Goal("mixed", "ours", {"streams": 100}, "p50", most=40),
    Goal("ingest", "ours", {"publishers": 300, "chunk": 128}, "cpuMs", most=0.85, isRatio=True),
    Goal("ingest", "ours", {"publishers": 300, "chunk": 4096}, "cpuMs", most=2.0, isRatio=True),
    Goal("throughput", "ours", {"chunk": 128}, "out", least=1.1, isRatio=True),
    Goal("throughput", "ours", {"chunk": 4096}, "out", least=0.45, isRatio=True),
    Goal("join", "ours", {"viewers": 500}, "first", most=4),
    Goal("join", "ours", {"viewers": 500}, "all", most=200),
    Goal("join", "ours", {"viewers": 500}, "p99", most=100),
    Goal("join", "ours", {"viewers": 500}, "lateP99", most=100),
    Goal("memory", "ours", {"viewers": 1000}, "perViewer", most=12),
    # A group of pictures at 2.5 Mbit/s is 657 KB.
    Goal("memory", "ours", {"viewers": 1000}, "perPublisher", most=757),
    Goal("memory", "ours", {"viewers": 1000}, "empty", most=50),
    Goal("tls", "ours-tls", {"viewers": 500}, "cpuMs", most=3, isRatio=True),
    Goal("stalled", "ours", {"stalled": 1000}, "growth", most=64),
    Goal("stalled", "ours", {"stalled": 1000}, "p99Rise", most=20),
    Goal("steady", "ours", {}, "growth", most=4),
    Goal("attacked", "ours", {}, "p99Rise", most=20),
)

#: What must be zero of our own server everywhere.
INTACT = ("lost", "reordered", "damaged", "missing")


def goalsOf(case: str, server: str, point: Point, values: Values) -> list[Goal]:
    """
    The goals for one line of a table.

    @param values: what was measured there.
    """
    goals = [
        goal
        for goal in GOALS
        if (goal.case, goal.server) == (case, server) and all(point.get(key) == goal.at[key] for key in goal.at)
    ]
    if server.startswith("ours"):
        goals += [Goal(case, server, {}, key, most=0) for key in INTACT if key in values]
    return goals
