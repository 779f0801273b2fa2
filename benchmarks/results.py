# -*- test-case-name: tests.benchmarks.test_results -*-
"""
Results: every single measurement, and what they come to.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.case import Case, Point, Values

__all__ = ["Measurement", "Results", "Row", "rowsOf"]


@dataclass(frozen=True)
class Measurement:
    """
    One server, measured once.

    @ivar case: the name of the case.
    @ivar server: the name of the server.
    @ivar round: from 1.
    @ivar error: why there are no values; L{None} if there are.
    """

    case: str
    server: str
    round: int
    point: Point
    values: Values = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True)
class Row:
    """
    All rounds of one server at one point.

    @ivar values: medians, or the worst, by L{benchmarks.case.Column.isWorst}.
    @ivar ratio: of the case's figure to that of the baseline; L{None} without one.
    @ivar baseline: the values of that.
    """

    server: str
    point: Point
    rounds: int
    values: Values
    ratio: float | None
    baseline: Values | None


def _isNumber(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _combine(case: Case, several: list[Values]) -> Values:
    """Medians of all numbers; what is not a number is told if it is ever true."""
    worst = case.worst()
    combined: Values = {}
    for key in dict.fromkeys(key for values in several for key in values):
        found = [values[key] for values in several if values.get(key) is not None]
        numbers = [value for value in found if _isNumber(value)]
        if numbers:
            combined[key] = max(numbers) if key in worst else statistics.median(numbers)
        elif found and all(isinstance(value, bool) for value in found):
            combined[key] = any(found)
    return combined


def rowsOf(case: Case, measurements: Iterable[Measurement]) -> list[Row]:
    """
    What the measurements of one case come to, point by point, and in the case's order of servers.
    """
    groups: dict[tuple[tuple[tuple[str, int], ...], str], list[Values]] = {}
    for one in measurements:
        if one.case == case.name and one.error is None:
            groups.setdefault((tuple(one.point.items()), one.server), []).append(one.values)
    combined = {key: _combine(case, several) for key, several in groups.items()}
    rows = []
    for (point, server), values in combined.items():
        baseline = combined.get((point, case.baseline))
        own, other = values.get(case.figure), baseline.get(case.figure) if baseline else None
        ratio = own / other if own is not None and other else None
        rows.append(Row(server, dict(point), len(groups[point, server]), values, ratio, baseline))
    points = list(dict.fromkeys(tuple(row.point.items()) for row in rows))
    return sorted(rows, key=lambda row: points.index(tuple(row.point.items())))


@dataclass
class Results:
    """
    @ivar about: where, when and with what it was measured.
    @ivar measurements: all of them.
    """

    about: dict[str, Any]
    measurements: list[Measurement] = field(default_factory=list)

    def write(self, file: Path) -> None:
        """
        @raise OSError: if that does not go.
        """
        file.write_text(
            json.dumps({"about": self.about, "measurements": [asdict(m) for m in self.measurements]}, indent=1)
        )

    @classmethod
    def read(cls, file: Path) -> Results:
        """
        @raise OSError: if the file can't be read.
        @raise ValueError: if it is none of ours.
        """
        try:
            found = json.loads(file.read_text())
            if not isinstance(found, Mapping) or not {"about", "measurements"} <= found.keys():
                raise ValueError("it has no measurements")
            return cls(dict(found["about"]), [Measurement(**each) for each in found["measurements"]])
        except (TypeError, ValueError) as error:
            # Of any other JSON, or of none at all.
            raise ValueError(f"{file} holds no results: {error}") from None
