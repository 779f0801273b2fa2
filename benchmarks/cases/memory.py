# -*- test-case-name: tests.benchmarks.test_cases -*-
"""
Memory: of a server that has just been started, for each viewer of a stream that nobody publishes, and for each
publisher.
"""

from __future__ import annotations

import statistics
import time

from benchmarks.bench import Bench, megabytes
from benchmarks.case import Case, Column, Point, Values
from benchmarks.load.media import Format
from benchmarks.load.players import COUNT
from benchmarks.runningserver import RunningServer
from benchmarks.servers import ServerKind

__all__ = ["CASE"]

BITRATE = 2.5e6

#: So many viewers for each publisher.
PER_PUBLISHER = 10

#: How often memory is looked at, s, and over how many groups of pictures.
LOOK = 0.1
GROUPS = 2

_KILO = 1000


def _resident(bench: Bench, server: RunningServer) -> tuple[float, float]:
    """Median and peak over some groups of pictures, bytes."""
    deadline = time.monotonic() + min(GROUPS * Format.gop, bench.seconds)
    seen = []
    while time.monotonic() < deadline:
        seen.append(server.memory().resident)
        time.sleep(LOOK)
    return statistics.median(seen), max(seen)


def measure(bench: Bench, kind: ServerKind, point: Point) -> Values:
    """
    @raise BenchmarkError: if it can't be measured.
    """
    viewers = point["viewers"]
    publishers = max(viewers // PER_PUBLISHER, 1)
    with bench.server(kind) as server, bench.players(server, COUNT) as players:
        empty = server.memory()
        joined = players.ask("join", count=viewers, isIdle=True, ramp=1000)
        bench.settle()
        idle = server.memory().resident - empty.resident
    with bench.server(kind) as server:
        before = server.memory().resident
        # Encoders know nothing of each other: their groups of pictures begin at any time.
        with bench.publishers(server, publishers, BITRATE, spread=Format.gop):
            bench.settle()
            median, peak = _resident(bench, server)
    return {
        "empty": megabytes(empty.proportional),
        "emptyResident": megabytes(empty.resident),
        "perViewer": idle / max(joined["joined"], 1) / _KILO,
        "perPublisher": (median - before) / publishers / _KILO,
        "perPublisherPeak": (peak - before) / publishers / _KILO,
        "gop": Format(BITRATE).gopSize / _KILO,
        "missing": joined["failed"],
        "reasons": joined["reasons"],
    }


CASE = Case(
    "memory",
    "an empty server, an idle viewer, a publisher at 2.5 Mbit/s",
    measure,
    ("nginx", "tuned", "nms", "ours"),
    "perViewer",
    (
        Column("empty", "empty MB"),
        Column("emptyResident", "empty RSS MB"),
        Column("perViewer", "KB/idle viewer"),
        Column("perPublisher", "KB/publisher", "{:,.0f}"),
        Column("perPublisherPeak", "peak KB/publisher", "{:,.0f}"),
        Column("missing", "gone", "{:,.0f}", True),
    ),
    "viewers",
    (1000,),
    (10,),
)
