# -*- test-case-name: tests.benchmarks.test_cases -*-
"""
The most viewers that a server holds on one processor: found by doubling, then by halving what is between.
"""

from __future__ import annotations

import resource
from collections.abc import Callable
from dataclasses import replace

from benchmarks.bench import Bench
from benchmarks.case import Column, Point, Values
from benchmarks.cases import fanout
from benchmarks.servers import ServerKind

__all__ = ["CASE", "holds", "search"]

#: What counts as held: the slowest viewer's share of the stream, %, and the worst but 1 % of latencies, ms.
SLOWEST = 90.0
LATEST = 1000.0

#: The search ends when the answer is known to this share, or this many.
PRECISION = 0.05
LEAST_STEP = 25

#: What a process needs besides its viewers' connections.
_OTHER_FILES = 200

#: Above this the load's processor has nothing left, %.
_BUSY = 90.0


def holds(values: Values) -> bool:
    """Whether nothing was lost and nobody too late."""
    clean = not any(values[key] for key in ("missing", "lost", "reordered", "damaged"))
    p99, slowest = values["p99"], values["slowest"]
    return clean and p99 is not None and p99 < LATEST and slowest is not None and slowest >= SLOWEST


def search(first: int, last: int, attempt: Callable[[int], bool]) -> tuple[int, int | None]:
    """
    Find the largest number that goes well.

    @param first: where to begin.
    @param last: where to end.
    @return: it, and the smallest that does not; L{None} if all went well.
    """
    good, bad, number = 0, None, min(first, last)
    while bad is None or bad - good > max(LEAST_STEP, int(good * PRECISION)):
        if attempt(number):
            good = number
        else:
            bad = number
        if bad is None and good == last:
            break
        number = min(number * 2, last) if bad is None else (good + bad) // 2
        if number <= good:
            break
    return good, bad


def measure(bench: Bench, kind: ServerKind, point: Point) -> Values:
    """
    @raise BenchmarkError: if it can't be measured.
    """
    steps: dict[int, Values] = {}

    def attempt(viewers: int) -> bool:
        steps[viewers] = fanout.hold(bench, kind, viewers)
        return holds(steps[viewers])

    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    last = point["viewers"] * 2 if bench.isQuick else files - _OTHER_FILES
    held, failed = search(point["viewers"], last, attempt)
    at = steps.get(held, {})
    return {
        **{key: at.get(key) for key in ("cpuMs", "cpuShare", "p50", "p99", "slowest", "resident", "loadShare")},
        "held": held,
        "isLimitOfFiles": failed is None,
        "isLimitOfLoad": failed is not None and steps[failed]["loadShare"] > _BUSY,
        "steps": [{"viewers": viewers, "holds": holds(values), **values} for viewers, values in steps.items()],
    }


CASE = replace(
    fanout.CASE,
    name="most",
    about="the most viewers held: nothing lost, p99 below 1 s, the slowest at 90 % of the stream's rate",
    measure=measure,
    servers=("nginx", "tuned", "ours"),
    figure="held",
    columns=(
        Column("held", "viewers", "{:,.0f}"),
        Column("cpuMs", "CPU ms/viewer-s", "{:.3f}"),
        Column("cpuShare", "CPU %", "{:.0f}"),
        Column("p50", "p50 ms"),
        Column("p99", "p99 ms"),
        Column("resident", "RSS MB", "{:,.0f}"),
        Column("loadShare", "load %", "{:.0f}"),
        Column("isLimitOfLoad", "load's limit", "{}"),
        Column("isLimitOfFiles", "files' limit", "{}"),
    ),
    sizes=(1000,),
    quickSizes=(5,),
    rounds=1,
)
