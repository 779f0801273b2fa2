# -*- test-case-name: tests.benchmarks.test_plot -*-
"""
The plot: the server's CPU for each viewer, over the number of viewers, a line for each server.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.cases.fanout import CASE
from benchmarks.errors import MissingError
from benchmarks.results import Results, rowsOf

__all__ = ["NO_MATPLOTLIB", "curves", "draw", "hasMatplotlib"]

#: What is said without it.
NO_MATPLOTLIB = "--plot needs matplotlib: pip install -e '.[bench]'"

#: Inches, and dots per inch.
_SIZE = (8, 5)
_DENSITY = 120

#: What stands at the axis of the CPU, ms.
_STEPS = (0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5)


def hasMatplotlib() -> bool:
    """Whether it is installed."""
    return find_spec("matplotlib") is not None


def curves(results: Results) -> dict[str, list[tuple[int, float]]]:
    """By server: viewers, and CPU milliseconds for each viewer and second."""
    found: dict[str, list[tuple[int, float]]] = {}
    for row in rowsOf(CASE, results.measurements):
        found.setdefault(row.server, []).append((row.point["viewers"], row.values[CASE.figure]))
    return {server: sorted(points) for server, points in found.items()}


def draw(results: Results, file: Path) -> None:
    """
    Write a PNG.

    @raise MissingError: without matplotlib, or without any measurement of a fan-out.
    @raise OSError: if the file can't be written.
    """
    found = curves(results)
    if not found:
        raise MissingError("nothing to plot: fanout was not measured")
    try:
        pyplot: Any = _pyplot()
    except ImportError:
        raise MissingError(NO_MATPLOTLIB) from None
    figure, axes = pyplot.subplots(figsize=_SIZE, dpi=_DENSITY)
    for server, points in found.items():
        isOurs = server.startswith("ours")
        viewers, costs = zip(*points, strict=True)
        axes.plot(viewers, costs, marker="o", linewidth=2 if isOurs else 1.2, label=server, ls="-" if isOurs else "--")
    axes.set_xscale("log")
    axes.set_yscale("log")
    ticks = sorted({viewers for points in found.values() for viewers, _ in points})
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    spent = [cost for points in found.values() for _, cost in points]
    steps = [step for step in _STEPS if min(spent) * 0.9 <= step <= max(spent) * 1.1]
    axes.set_yticks(steps, [f"{step:g}" for step in steps])
    axes.minorticks_off()
    axes.set_xlabel("viewers of one stream, 4 Mbit/s")
    axes.set_ylabel("server's CPU, ms per viewer and second")
    axes.set_title("Fan-out on one processor (lower is better)")
    axes.grid(True, which="major", alpha=0.3)
    axes.legend()
    figure.text(0.01, 0.01, f"{results.about['processor']}, Linux {results.about['kernel']}", fontsize=7, alpha=0.7)
    figure.tight_layout()
    figure.savefig(file, format="png")
    pyplot.close(figure)


def _pyplot() -> Any:
    """
    @raise ImportError: if it is not installed.
    """
    # No window is opened.
    import_module("matplotlib").use("Agg")
    return import_module("matplotlib.pyplot")
