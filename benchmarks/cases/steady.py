# -*- test-case-name: tests.benchmarks.test_cases -*-
"""
The long run: whether memory stays what it is.
"""

from __future__ import annotations

import statistics

from benchmarks.bench import PARSED, RAMP, Bench, integrity, megabytes
from benchmarks.case import INTEGRITY, LOAD, Case, Column, Point, Values
from benchmarks.servers import ServerKind

__all__ = ["CASE", "growth"]

#: How many times memory is looked at.
LOOKS = 600


def growth(resident: list[int]) -> float:
    """
    How much memory has grown: from the second fifth of the run to the last, by their medians; the first is the server's
    to get warm.

    @return: bytes.
    """
    fifth = max(len(resident) // 5, 1)
    return statistics.median(resident[-fifth:]) - statistics.median(resident[fifth : 2 * fifth] or resident)


def measure(bench: Bench, kind: ServerKind, point: Point) -> Values:
    """
    @raise BenchmarkError: if it can't be measured.
    """
    with bench.server(kind) as server, bench.publishers(server) as publishers, bench.audience(server) as players:
        joined = players.join(point["viewers"], PARSED, RAMP)
        bench.settle()
        window = bench.window(server, players, publishers, look=bench.seconds / LOOKS)
    return {
        **window.common(),
        **integrity(window.players, joined, window.publishers),
        "first": megabytes(window.resident[0]),
        "last": megabytes(window.resident[-1]),
        "peak": megabytes(max(window.resident)),
        "growth": megabytes(growth(window.resident)),
        "samples": [round(megabytes(size), 2) for size in window.resident],
    }


CASE = Case(
    "steady",
    "memory over ten minutes",
    measure,
    ("ours",),
    "peak",
    (
        Column("first", "first MB"),
        Column("last", "last MB"),
        Column("peak", "peak MB"),
        Column("growth", "growth MB", "{:,.2f}"),
        Column("cpuShare", "CPU %", "{:.0f}"),
        Column("p99", "p99 ms"),
        Column("slowest", "slowest %", "{:.0f}"),
        *INTEGRITY,
        LOAD,
    ),
    "viewers",
    (200,),
    (5,),
    rounds=1,
    seconds=600.0,
)
