# -*- test-case-name: tests.benchmarks.test_cases -*-
"""
Under attack: what 20 publishers and 200 viewers notice while somebody does what stands in a row of
SECURITY.rst, row by row.

Attackers share a processor with publishers and viewers, who go first; the server has its own. Two lines are for
comparison: C{none}, where nothing is done, and C{hog}, where somebody is as busy beside the load and does nothing to
the server. What these rise by, the machine is the reason for.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.bench import RAMP, Bench, integrity, megabytes
from benchmarks.case import INTEGRITY, LOAD, Case, Column, Point, Values
from benchmarks.errors import BenchmarkError
from benchmarks.load.attack import HOG, Attack, attackCommand
from benchmarks.load.audience import Audience
from benchmarks.load.child import Child
from benchmarks.runningserver import RunningServer
from benchmarks.servers import SERVERS, ServerKind

if TYPE_CHECKING:
    from tests.attackers.row import Row

__all__ = ["CASE", "ROWS_VARIABLE", "AttackedCase"]

#: The environment variable with the rows that are wanted, such as C{A1,B5}; all, if it is not there.
ROWS_VARIABLE = "RTMPTW_BENCH_ROWS"

PUBLISHERS, VIEWERS = 20, 200
QUICK_PUBLISHERS, QUICK_VIEWERS = 2, 6
BITRATE = 2.5e6

#: How many viewers of each stream check everything.
PARSED = 2

#: How long they are looked at before, and after; and how long the attack goes on before its measurement begins, s.
BEFORE = 4.0
AFTER = 2.0
LEAD = 0.5

#: What is no attack, and how many do it.
CONTROLS = {"none": 0, "hog": 1}

#: To see that everything runs.
QUICK = ("none", "B5")


def _rows() -> dict[str, Row]:
    """The rows. They are among the tests, which are not there where only the benchmarks are."""
    from tests.attackers.rows import ROWS

    return ROWS


@dataclass(frozen=True)
class AttackedCase(Case):
    """Its points are rows, with the number of attackers there are at a time."""

    def points(self, sizes: tuple[int, ...] | None, isQuick: bool) -> list[Point]:
        """
        @param sizes: is not of interest.
        @raise BenchmarkError: for a row that is not known.
        """
        known = {**CONTROLS, **{name: row.connections for name, row in _rows().items()}}
        wanted = os.environ.get(ROWS_VARIABLE)
        names = QUICK if isQuick else tuple(known) if wanted is None else tuple(wanted.split(","))
        unknown = [name for name in names if name not in known]
        if unknown:
            raise BenchmarkError(f"{ROWS_VARIABLE}: {', '.join(unknown)}: there are {', '.join(known)}")
        return [{name: known[name]} for name in names]


def _attack(row: str, server: RunningServer, seconds: float) -> Attack:
    known = _rows().get(row)
    if known is not None:
        port = server.viewersPort if known.isSecure else server.port
        return Attack(attackCommand(row, port, seconds))
    return Attack(["-c", HOG.format(seconds=seconds if row == "hog" else 0)])


def _kind(kind: ServerKind, row: str) -> ServerKind:
    """
    The kind that has what the row needs.

    @raise BenchmarkError: if there is none.
    """
    known = _rows().get(row)
    if known is None or not known.isSecure or kind.isSecure:
        return kind
    if kind.name != "ours":
        raise BenchmarkError(f"{kind.name} is not set up for TLS here")
    return SERVERS["ours-tls"]


def _watched(bench: Bench, server: RunningServer, row: str, players: Audience, publishers: Child) -> Values:
    """Before the attack, during it, and after it."""
    with _attack(row, server, bench.seconds + LEAD) as attack:
        before = bench.window(server, players, publishers, min(BEFORE, bench.seconds))
        attack.begin()
        bench.wait(LEAD)
        during = bench.window(server, players, publishers)
        account = attack.end()
        resident = server.memory().resident
    after = bench.window(server, players, publishers, min(AFTER, bench.seconds))
    windows = (before, during, after)
    p99, p99Before = during.players["p99"], before.players["p99"]
    seen = [integrity(window.players, {"failed": 0, "reasons": []}, window.publishers) for window in windows]
    return {
        **during.common(),
        **seen[1],
        **{key: sum(values[key] for values in seen) for key in ("lost", "reordered", "damaged")},
        "missing": sum(window.players["closed"] + window.publishers["closed"] for window in windows),
        "reasons": sorted({reason for window in windows for reason in window.players["reasons"]}),
        "p99Before": p99Before,
        "p99After": after.players["p99"],
        "p99Rise": None if p99 is None or p99Before is None else p99 - p99Before,
        "cpuBefore": before.cpu / before.seconds * 100,
        "resident": megabytes(resident),
        "attackers": account.get("connections"),
        "attackSent": megabytes(account.get("sent", 0)),
        "account": account,
    }


def measure(bench: Bench, kind: ServerKind, point: Point) -> Values:
    """
    @raise BenchmarkError: if it can't be measured.
    """
    (row,) = point
    count = QUICK_PUBLISHERS if bench.isQuick else PUBLISHERS
    viewers = QUICK_VIEWERS if bench.isQuick else VIEWERS
    with (
        bench.server(_kind(kind, row)) as server,
        bench.publishers(server, count, BITRATE) as publishers,
        bench.audience(server, count) as players,
    ):
        joined = players.join(viewers, count * PARSED, RAMP)
        bench.settle()
        values = _watched(bench, server, row, players, publishers)
    values["missing"] += joined["failed"]
    return values


CASE = AttackedCase(
    "attacked",
    f"20 publishers and 200 viewers while each row of hostile input is done to the server (${ROWS_VARIABLE}: which)",
    measure,
    ("ours",),
    "p99Rise",
    (
        Column("p99Before", "p99 before"),
        Column("p99", "p99 during"),
        Column("p99Rise", "rise ms"),
        Column("worst", "worst ms"),
        Column("p99After", "p99 after"),
        Column("cpuBefore", "CPU % before", "{:.0f}"),
        Column("cpuShare", "CPU %", "{:.0f}"),
        Column("resident", "RSS MB", "{:,.0f}"),
        Column("attackers", "attackers", "{:,.0f}"),
        Column("attackSent", "MB sent", "{:,.1f}"),
        *INTEGRITY,
        LOAD,
    ),
    rounds=1,
    seconds=8.0,
)
