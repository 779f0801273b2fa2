# -*- test-case-name: tests.benchmarks.test_plot -*-
"""
Tests for L{benchmarks.plot}. Where matplotlib is installed, a PNG is drawn; else what it is told is looked at.
"""

from __future__ import annotations

import builtins
import tempfile
from importlib import util
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from benchmarks import plot
from benchmarks.errors import MissingError
from benchmarks.results import Results
from tests.benchmarks.test_report import ABOUT, measured

RESULTS = Results(
    dict(ABOUT),
    [
        measured(server, cpu * 100 / viewers, viewers)
        for server, cpu in (("nginx", 4), ("ours", 2))
        for viewers in (200, 50)
    ],
)


class Recorder:
    """Takes any call, and remembers it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            self.calls.append((name, arguments, options))
            return (self, self) if name == "subplots" else self

        return call


class PlotTests(SynchronousTestCase):
    def test_curves(self) -> None:
        """A curve for each server, from few viewers to many."""
        self.assertEqual(plot.curves(RESULTS), {"nginx": [(50, 8.0), (200, 2.0)], "ours": [(50, 4.0), (200, 1.0)]})

    def test_draw(self) -> None:
        """Each server has its line, and the file is written."""
        recorder = Recorder()
        self.patch(plot, "_pyplot", lambda: recorder)
        plot.draw(RESULTS, Path("x.png"))
        lines = {options["label"]: arguments for name, arguments, options in recorder.calls if name == "plot"}
        self.assertEqual(lines, {"nginx": ((50, 200), (8.0, 2.0)), "ours": ((50, 200), (4.0, 1.0))})
        self.assertIn(("savefig", (Path("x.png"),), {"format": "png"}), recorder.calls)

    def test_nothing(self) -> None:
        """Without a fan-out there is nothing to draw."""
        error = self.assertRaises(MissingError, plot.draw, Results(dict(ABOUT)), Path("x.png"))
        self.assertIn("fanout was not measured", str(error))

    def test_noMatplotlib(self) -> None:
        """It is said how to get it."""

        def missing() -> None:
            raise builtins.ImportError

        self.patch(plot, "_pyplot", missing)
        error = self.assertRaises(MissingError, plot.draw, RESULTS, Path("x.png"))
        self.assertIn("[bench]", str(error))

    def test_png(self) -> None:
        """A picture, with matplotlib itself."""
        if util.find_spec("matplotlib") is None:
            raise SkipTest("matplotlib is not installed: pip install -e '.[bench]'")
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory, "x.png")
            plot.draw(RESULTS, file)
            self.assertTrue(file.read_bytes().startswith(b"\x89PNG"))
