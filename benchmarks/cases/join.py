# -*- test-case-name: tests.benchmarks.test_cases -*-
"""
Joining: how soon the first picture is there, for one viewer at any moment, and for many at once; and what those notice
who were there before.
"""

from __future__ import annotations

import random
import statistics

from benchmarks.bench import Bench, integrity
from benchmarks.case import INTEGRITY, Case, Column, Point, Values
from benchmarks.load.media import Format
from benchmarks.load.players import COUNT, PARSE
from benchmarks.servers import ServerKind

__all__ = ["CASE"]

#: How many viewers come alone, each at a moment of its own within a group of pictures.
ALONE = 12
QUICK_ALONE = 2

#: How long the others are looked at when all have joined, s.
AFTER = 1.0


def measure(bench: Bench, kind: ServerKind, point: Point) -> Values:
    """
    @raise BenchmarkError: if it can't be measured.
    """
    # The same moments for every server.
    moments = random.Random(1)
    with (
        bench.server(kind) as server,
        bench.publishers(server) as publishers,
        bench.players(server, PARSE) as watchers,
        bench.players(server, COUNT) as players,
    ):
        before = watchers.ask("join", count=1)
        bench.settle()
        alone = []
        for _ in range(QUICK_ALONE if bench.isQuick else ALONE):
            bench.wait(moments.uniform(0, Format.gop))
            alone.append(players.ask("join", count=1))
        bench.settle()
        for child in (watchers, publishers):
            child.ask("begin")
        cpu = server.processorTime()
        crowd = players.ask("join", count=point["viewers"])
        cpu = server.processorTime() - cpu
        bench.wait(AFTER)
        seen, sent = watchers.ask("end"), publishers.ask("end")
    first = [each["joinWorst"] for each in alone if each["joined"]]
    values = integrity(seen, before)
    values["missing"] += crowd["failed"] + sum(each["failed"] for each in alone)
    return {
        **values,
        "first": statistics.median(first) if first else None,
        "firstWorst": max(first, default=None),
        "onKeyframe": crowd["keyframes"] + sum(each["keyframes"] for each in alone),
        "all": None if crowd["failed"] else crowd["allMs"],
        "crowdP50": crowd["joinP50"],
        "cpuPerJoin": cpu / point["viewers"] * 1000,
        "lateP99": sent["lateP99"],
        "lateWorst": sent["lateWorst"],
        "reasons": values["reasons"] + crowd["reasons"],
    }


CASE = Case(
    "join",
    "the first picture after the TCP connect, alone and for 500 at once, and what others notice of these",
    measure,
    ("nginx", "tuned", "nms", "ours"),
    "all",
    (
        Column("first", "first ms"),
        Column("firstWorst", "worst ms"),
        Column("all", "all ms", "{:,.0f}"),
        Column("crowdP50", "median ms", "{:,.0f}"),
        Column("cpuPerJoin", "CPU ms/join", "{:.2f}"),
        Column("p99", "others p99"),
        Column("lateP99", "late p99"),
        Column("lateWorst", "late worst"),
        *INTEGRITY,
    ),
    "viewers",
    (500,),
    (5,),
)
