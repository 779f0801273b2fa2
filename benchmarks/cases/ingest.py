# -*- test-case-name: tests.benchmarks.test_cases -*-
"""
Ingest: many publishers, and nobody to see it. Behind the window a few viewers come, to check that the streams are good.
"""

from __future__ import annotations

from benchmarks.bench import Bench, integrity, megabytes
from benchmarks.case import INTEGRITY, LOAD, Case, Column, Point, Values
from benchmarks.load.media import Format
from benchmarks.load.players import PARSE
from benchmarks.servers import ServerKind

__all__ = ["CASE"]

BITRATE = 2.5e6

#: How many viewers look at a stream each behind the window, and how long, s.
CHECKED = 5
CHECK = 1.0


def measure(bench: Bench, kind: ServerKind, point: Point) -> Values:
    """
    @raise BenchmarkError: if it can't be measured.
    """
    count = point["publishers"]
    checked = min(CHECKED, count)
    with (
        bench.server(kind) as server,
        bench.publishers(server, count, BITRATE, point["chunk"]) as publishers,
        bench.players(server, PARSE, count) as players,
    ):
        bench.settle()
        window = bench.window(server, publishers=publishers)
        memory = server.memory()
        joined = players.ask("join", count=checked)
        check = bench.window(server, players, seconds=min(CHECK, bench.seconds))
    sent = window.publishers["bytes"] / window.publishers["seconds"]
    values = {**window.common(), **integrity(check.players, joined)}
    values["missing"] += window.publishers["closed"]
    return {
        **values,
        "cpuMs": window.cpu / window.seconds / count * 1000,
        "cpuPerGB": window.cpu / window.seconds / sent * 1e9,
        "rate": sent / count / Format(BITRATE).byteRate * 100,
        "resident": megabytes(memory.resident),
        "proportional": megabytes(memory.proportional),
    }


CASE = Case(
    "ingest",
    "300 publishers at 2.5 Mbit/s and no viewers: the server's CPU for each publisher",
    measure,
    ("nginx", "tuned", "nms", "ours"),
    "cpuMs",
    (
        Column("cpuMs", "CPU ms/publisher-s", "{:.3f}"),
        Column("cpuShare", "CPU %", "{:.0f}"),
        Column("rate", "rate %", "{:.0f}"),
        Column("lateP99", "late p99 ms"),
        *INTEGRITY,
        Column("resident", "RSS MB", "{:,.0f}"),
        LOAD,
    ),
    "publishers",
    (300,),
    (3,),
    (128, 4096),
)
