# -*- test-case-name: tests.benchmarks.test_case -*-
"""
A case: what is measured, of which servers, at which sizes, and how it is shown. Each module of L{benchmarks.cases} has
one or more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.bench import Bench
    from benchmarks.servers import ServerKind

__all__ = ["INTEGRITY", "LATENCY", "LOAD", "Case", "Column", "Point", "Values", "placeOf"]

#: At which size something is measured, such as C{{"viewers": 200}}.
Point = dict[str, int]

#: What was measured: numbers, L{None} where there was nothing, and whatever else is of interest in the JSON file.
Values = dict[str, Any]


def placeOf(point: Point) -> str:
    """A point as people write it: C{"publishers 300 chunk 4,096"}."""
    return " ".join(f"{name} {value:,}" for name, value in point.items())


@dataclass(frozen=True)
class Column:
    """
    One figure in a case's table.

    @ivar key: in the values.
    @ivar heading: with its unit.
    @ivar format: of the number.
    @ivar isWorst: whether the worst round counts, not the median.
    """

    key: str
    heading: str
    format: str = "{:,.1f}"
    isWorst: bool = False


#: What viewers that check everything have found; the same in all tables that have viewers.
INTEGRITY = (
    Column("lost", "lost", "{:,.0f}", True),
    Column("reordered", "reord.", "{:,.0f}", True),
    Column("damaged", "dam.", "{:,.0f}", True),
    Column("missing", "gone", "{:,.0f}", True),
)

LATENCY = (Column("p50", "p50 ms"), Column("p99", "p99 ms"))

#: How busy the load's processor was: near 100, it is the load that is measured.
LOAD = Column("loadShare", "load %", "{:.0f}")


@dataclass(frozen=True)
class Case:
    """
    One kind of measurement.

    @ivar name: on the command line.
    @ivar about: what it is, one line.
    @ivar measure: measures one server, started afresh, at one point.
    @ivar servers: whom it measures if the command line does not say.
    @ivar figure: the key of the value that is compared.
    @ivar columns: of its table.
    @ivar parameter: what its sizes are; empty if it has none.
    @ivar sizes: at which it is measured.
    @ivar quickSizes: the same, to see whether everything runs.
    @ivar chunks: the publisher's chunk sizes at which it is measured; empty if that is no matter.
    @ivar baseline: the server that the others are compared with.
    @ivar rounds: how many times each server is measured.
    @ivar seconds: how long one measurement is.
    @ivar isOwn: whether no other servers make sense.
    """

    name: str
    about: str
    measure: Callable[[Bench, ServerKind, Point], Values]
    servers: tuple[str, ...]
    figure: str
    columns: tuple[Column, ...]
    parameter: str = ""
    sizes: tuple[int, ...] = ()
    quickSizes: tuple[int, ...] = ()
    chunks: tuple[int, ...] = ()
    baseline: str = "nginx"
    rounds: int = 5
    seconds: float = 6.0
    isOwn: bool = False

    def points(self, sizes: tuple[int, ...] | None, isQuick: bool) -> list[Point]:
        """
        Where it is measured.

        @param sizes: the command line's.
        """
        chosen = sizes or (self.quickSizes if isQuick else self.sizes)
        points: list[Point] = [{self.parameter: size} for size in chosen] if self.parameter else [{}]
        if self.chunks:
            points = [{**point, "chunk": chunk} for point in points for chunk in self.chunks]
        return points

    def worst(self) -> set[str]:
        """The keys of which the worst round counts."""
        return {column.key for column in self.columns if column.isWorst}
