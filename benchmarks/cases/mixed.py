# -*- test-case-name: tests.benchmarks.test_cases -*-
"""
Many streams with a few viewers each.
"""

from __future__ import annotations

from benchmarks.bench import RAMP, Bench, integrity, megabytes
from benchmarks.case import Case, Point, Values
from benchmarks.cases.fanout import COLUMNS
from benchmarks.servers import ServerKind

__all__ = ["CASE"]

#: Viewers of each stream, and the stream's bitrate.
VIEWERS = 10
BITRATE = 2.5e6


def measure(bench: Bench, kind: ServerKind, point: Point) -> Values:
    """
    @raise BenchmarkError: if it can't be measured.
    """
    streams = point["streams"]
    viewers = streams * VIEWERS
    with (
        bench.server(kind) as server,
        bench.publishers(server, streams, BITRATE) as publishers,
        bench.audience(server, streams) as players,
    ):
        joined = players.join(viewers, streams, RAMP)
        bench.settle()
        window = bench.window(server, players, publishers)
        memory = server.memory()
    return {
        "cpuMs": window.cpu / window.seconds / viewers * 1000,
        **window.common(),
        **integrity(window.players, joined, window.publishers),
        "resident": megabytes(memory.resident),
        "proportional": megabytes(memory.proportional),
    }


CASE = Case(
    "mixed",
    "100 streams of 2.5 Mbit/s with 10 viewers each",
    measure,
    ("nginx", "tuned", "nms", "ours"),
    "cpuMs",
    COLUMNS,
    "streams",
    (100,),
    (3,),
)
