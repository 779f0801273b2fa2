# -*- test-case-name: tests.benchmarks.test_cases -*-
"""
Stalled viewers: a thousand that stop reading beside a hundred that do not, who must not notice.

The kernel keeps for each what the server could send before it was full. When that is more than C{net.ipv4.tcp_mem}
allows for all connections of the machine, all of them become slow, whatever the server does; so it is shown.

A server may close who takes nothing for long; ours does. Another one comes in its place at once, so that they are as
many all the time; how many there are at the end is shown as well.
"""

from __future__ import annotations

from benchmarks.bench import RAMP, Bench, integrity, megabytes
from benchmarks.case import INTEGRITY, LOAD, Case, Column, Point, Values
from benchmarks.load.players import COUNT, PARSE
from benchmarks.servers import ServerKind

__all__ = ["CASE"]

BITRATE = 6e6

#: So many stall for each who does not.
PER_HEALTHY = 10

#: How long the healthy ones are looked at before the others come, s.
BEFORE = 5.0

#: How often memory is looked at, s.
LOOK = 0.5


def measure(bench: Bench, kind: ServerKind, point: Point) -> Values:
    """
    @raise BenchmarkError: if it can't be measured.
    """
    stalled = point["stalled"]
    healthy = max(stalled // PER_HEALTHY, 1)
    with (
        bench.server(kind) as server,
        bench.publishers(server, bitrate=BITRATE) as publishers,
        bench.players(server, PARSE) as players,
        bench.players(server, COUNT) as others,
    ):
        joined = players.ask("join", count=healthy, ramp=RAMP)
        bench.settle()
        before = bench.window(server, players, publishers, min(BEFORE, bench.seconds), LOOK)
        stopped = others.ask("join", count=stalled, stalls=True, ramp=RAMP)
        during = bench.window(server, players, publishers, look=LOOK)
        left = others.ask("end")["stalled"]
    p99, p99Before = during.players["p99"], before.players["p99"]
    values = integrity(during.players, joined, during.publishers)
    values["missing"] += stopped["failed"]
    return {
        **during.common(),
        **values,
        "p99Before": p99Before,
        "p99Rise": None if p99 is None or p99Before is None else p99 - p99Before,
        "residentBefore": megabytes(max(before.resident)),
        "kernel": megabytes(max(during.kernel)),
        "growth": megabytes(max(during.resident) - max(before.resident)),
        "stalledAtEnd": left,
        "reasons": values["reasons"] + stopped["reasons"],
    }


CASE = Case(
    "stalled",
    "1,000 viewers that stop reading beside 100 healthy ones at 6 Mbit/s",
    measure,
    ("nginx", "ours"),
    "growth",
    (
        Column("residentBefore", "RSS before MB", "{:,.0f}"),
        Column("growth", "growth MB"),
        Column("kernel", "kernel's TCP MB", "{:,.0f}"),
        Column("stalledAtEnd", "stalled at end", "{:,.0f}"),
        Column("cpuShare", "CPU %", "{:.0f}"),
        Column("p99Before", "p99 before"),
        Column("p99", "p99 during"),
        Column("p99Rise", "rise ms"),
        Column("slowest", "slowest %", "{:.0f}"),
        *INTEGRITY,
        LOAD,
    ),
    "stalled",
    (1000,),
    (20,),
    rounds=1,
    seconds=120.0,
)
