# -*- test-case-name: tests.benchmarks.test_cases -*-
"""
Fan-out: one publisher, many viewers.
"""

from __future__ import annotations

from benchmarks.bench import PARSED, RAMP, Bench, integrity, megabytes
from benchmarks.case import INTEGRITY, LATENCY, LOAD, Case, Column, Point, Values
from benchmarks.servers import ServerKind

__all__ = ["CASE", "COLUMNS", "hold"]


def hold(bench: Bench, kind: ServerKind, viewers: int) -> Values:
    """
    Let so many watch one stream.

    @raise BenchmarkError: if it can't be measured.
    """
    with (
        bench.server(kind) as server,
        bench.publishers(server) as publishers,
        bench.audience(server) as players,
    ):
        joined = players.join(viewers, PARSED, RAMP)
        bench.settle()
        window = bench.window(server, players, publishers)
        memory = server.memory()
    return {
        "cpuMs": window.cpu / window.seconds / viewers * 1000,
        **window.common(),
        **integrity(window.players, joined, window.publishers),
        "rate": megabytes(window.players["bytes"] / window.seconds),
        "resident": megabytes(memory.resident),
        "proportional": megabytes(memory.proportional),
    }


def measure(bench: Bench, kind: ServerKind, point: Point) -> Values:
    """
    @raise BenchmarkError: if it can't be measured.
    """
    return hold(bench, kind, point["viewers"])


COLUMNS = (
    Column("cpuMs", "CPU ms/viewer-s", "{:.3f}"),
    Column("cpuShare", "CPU %", "{:.0f}"),
    *LATENCY,
    Column("slowest", "slowest %", "{:.0f}"),
    *INTEGRITY,
    Column("resident", "RSS MB", "{:,.0f}"),
    LOAD,
)

CASE = Case(
    "fanout",
    "one publisher at 4 Mbit/s, many viewers: the server's CPU for each viewer, and how late they see it",
    measure,
    ("nginx", "tuned", "nms", "ours", "ours-low", "ours-100ms", "ours-350ms"),
    "cpuMs",
    COLUMNS,
    "viewers",
    (1, 50, 200, 500, 1000, 2000),
    (5,),
)
