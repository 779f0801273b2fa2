# -*- test-case-name: tests.benchmarks.test_cases -*-
"""
Throughput: one publisher as fast as it goes, and one viewer.

A viewer that only counts is the quickest there is, so it shows how much goes through. Then one looks for what is
missing, and at last one checks every byte, which takes longer than to send it: it may miss what it has no time for, so
only what is damaged counts there.
"""

from __future__ import annotations

from benchmarks.bench import Bench, integrity, megabytes
from benchmarks.case import INTEGRITY, LOAD, Case, Column, Point, Values
from benchmarks.load.players import COUNT, PARSE, SCAN
from benchmarks.servers import ServerKind

__all__ = ["CASE"]

#: How long every byte is checked, s.
CHECK = 1.0


def measure(bench: Bench, kind: ServerKind, point: Point) -> Values:
    """
    @raise BenchmarkError: if it can't be measured.
    """
    with (
        bench.server(kind) as server,
        bench.publishers(server, chunk=point["chunk"], isFlatOut=True) as publishers,
    ):
        with bench.players(server, COUNT) as players:
            counting = players.ask("join", count=1)
            bench.settle()
            window = bench.window(server, players, publishers)
        with bench.players(server, SCAN) as players:
            scanning = players.ask("join", count=1)
            bench.settle()
            scanned = bench.window(server, players, publishers)
            memory = server.memory()
        with bench.players(server, PARSE) as players:
            parsing = players.ask("join", count=1)
            parsed = bench.window(server, players, seconds=min(CHECK, bench.seconds))
    sent, got = window.publishers, window.players
    values = integrity(scanned.players, scanning)
    values["damaged"] = parsed.players["damaged"]
    values["missing"] += counting["failed"] + got["closed"] + parsing["failed"] + parsed.players["closed"]
    return {
        **window.common(),
        **values,
        "in": megabytes(sent["bytes"] / sent["seconds"]),
        "out": megabytes(got["bytes"] / got["seconds"]),
        "scanned": megabytes(scanned.players["bytes"] / scanned.players["seconds"]),
        "loadShareScanned": scanned.common()["loadShare"],
        "cpuPerGB": window.cpu / window.seconds / (sent["bytes"] / sent["seconds"]) * 1e9 if sent["bytes"] else None,
        "resident": megabytes(memory.resident),
        "proportional": megabytes(memory.proportional),
    }


CASE = Case(
    "throughput",
    "one publisher as fast as it goes, one viewer: MB/s in and out",
    measure,
    ("nginx", "tuned", "nms", "ours"),
    "out",
    (
        Column("in", "in MB/s", "{:,.0f}"),
        Column("out", "out MB/s", "{:,.0f}"),
        Column("scanned", "checked MB/s", "{:,.0f}"),
        Column("cpuShare", "CPU %", "{:.0f}"),
        Column("cpuPerGB", "CPU s/GB", "{:.2f}"),
        *INTEGRITY,
        Column("resident", "RSS MB", "{:,.0f}"),
        LOAD,
    ),
    chunks=(128, 4096),
)
