# -*- test-case-name: tests.benchmarks.test_report -*-
"""
The report: a table for each case, with what must be reached beside what is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from benchmarks.case import Case, Column, placeOf
from benchmarks.goals import INTACT, goalsOf
from benchmarks.results import Results, Row, rowsOf

__all__ = ["misses", "report", "table"]

_NOTHING = "-"


def _cell(column: Column, row: Row) -> str:
    value = row.values.get(column.key)
    if value is None:
        return _NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return column.format.format(value)


def _goals(case: Case, row: Row) -> str:
    """Each goal and whether it is met; what must be zero is named only where it is not."""
    words = []
    for goal in goalsOf(case.name, row.server, row.point, row.values):
        figure = goal.figure(row.values, row.baseline)
        isMet = figure is not None and goal.isMet(figure)
        if goal.key in INTACT and isMet:
            continue
        mark = "ok" if isMet else "not measured" if figure is None else "MISSED"
        words.append(f"{goal} {mark}")
    return "; ".join(words)


def misses(case: Case, rows: Iterable[Row]) -> int:
    """How many goals were measured and not met."""
    count = 0
    for row in rows:
        for goal in goalsOf(case.name, row.server, row.point, row.values):
            figure = goal.figure(row.values, row.baseline)
            count += figure is not None and not goal.isMet(figure)
    return count


def table(case: Case, rows: list[Row]) -> str:
    """
    The table of a case; lines of text.
    """
    isUniform = all(row.point.keys() == rows[0].point.keys() for row in rows)
    # Where points are of different kinds, each says itself what it is.
    parameters = list(rows[0].point) if isUniform else ["at"]
    head = [*parameters, "server", *(column.heading for column in case.columns), f"x {case.baseline}", "n", "must"]
    lines = [head]
    for row in rows:
        ratio = _NOTHING if row.ratio is None else f"{row.ratio:.2f}"
        cells = [_cell(column, row) for column in case.columns]
        point = [f"{row.point[parameter]:,}" for parameter in parameters] if isUniform else [placeOf(row.point)]
        lines.append([*point, row.server, *cells, ratio, str(row.rounds), _goals(case, row)])
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    text = []
    leftAligned = {len(parameters), len(head) - 1}
    for line in lines:
        cells = [
            cell.ljust(width) if index in leftAligned else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        text.append("  ".join(cells).rstrip())
    text.insert(1, "-" * max(map(len, text)))
    return "\n".join(text)


def _about(about: dict[str, Any]) -> str:
    if not about:
        # It was interrupted before anything was known.
        return ""
    words = [
        f"{about['processors']} x {about['processor']}, Linux {about['kernel']}",
        f"Python {about['python']}, Twisted {about['twisted']}",
        *dict.fromkeys(about.get("servers", {}).values()),
        about["date"],
    ]
    return "; ".join(words)


def _sum(missed: int, isAny: bool, isWhole: bool) -> str:
    if not isAny:
        words = "Nothing was measured."
    elif missed:
        words = "One goal is missed." if missed == 1 else f"{missed} goals are missed."
    else:
        words = "No goal that was measured is missed."
    return f"\n{words}" if isWhole else f"\nInterrupted: this is not all. {words}"


def report(cases: Iterable[Case], results: Results, isWhole: bool = True) -> str:
    """
    All that was measured, for people.

    @param isWhole: whether it was not interrupted.
    """
    parts = list(filter(None, [_about(results.about)]))
    parts += [f"{name} is left out: {why}" for name, why in results.about.get("missing", {}).items()]
    missed, isAny = 0, False
    for case in cases:
        rows = rowsOf(case, results.measurements)
        failed = [one for one in results.measurements if one.case == case.name and one.error is not None]
        if not rows and not failed:
            continue
        parts.append(f"\n{case.name}: {case.about}")
        if rows:
            parts.append(table(case, rows))
            missed += misses(case, rows)
            isAny = True
        parts += [f"{one.server}, {placeOf(one.point)}, round {one.round}: {one.error}" for one in failed]
    parts.append(_sum(missed, isAny, isWhole))
    return "\n".join(parts)
