"""
C{python -m benchmarks}, as its user runs it: a few viewers for a second, of our own server.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import TestCase

from tests.interop.processes import Process, alone, once
from tests.interop.server import ROOT

#: How long it may take, s.
PATIENCE = 120.0


@dataclass(frozen=True)
class Run:
    """
    @ivar output: what it has printed.
    @ivar results: what it has written.
    """

    output: str
    results: dict[str, Any]


@once
def quickRun() -> Run:
    """Run two cases."""
    with tempfile.TemporaryDirectory(prefix="rtmptw-interop-") as directory:
        file = Path(directory, "results.json")
        options = ("--quick", "--servers", "ours", "--json", str(file))
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "benchmarks", "fanout", "join", *options]
        with alone("measuring"), Process(command, Path(directory, "output.log"), environment) as process:
            process.succeed(PATIENCE)
            return Run(process.output, json.loads(file.read_text()))


class BenchmarkTests(TestCase):
    """Everything runs together: servers, publishers, viewers, windows, report and file."""

    def values(self, case: str) -> dict[str, Any]:
        (one,) = [one for one in quickRun().results["measurements"] if one["case"] == case]
        self.assertIsNone(one["error"])
        self.assertEqual((one["server"], one["round"]), ("ours", 1))
        values: dict[str, Any] = one["values"]
        return values

    def test_about(self) -> None:
        """The file says where, when and with what."""
        about = quickRun().results["about"]
        for key in ("date", "processor", "kernel", "python", "twisted", "servers", "settings"):
            self.assertTrue(about[key], key)
        self.assertEqual(list(about["servers"]), ["ours"])

    def test_fanout(self) -> None:
        """All viewers came, and got every message, whole and in order, at the rate of the stream."""
        values = self.values("fanout")
        self.assertEqual([values[key] for key in ("lost", "reordered", "damaged", "missing")], [0, 0, 0, 0])
        # Five viewers, 73 messages a second.
        self.assertGreater(values["messages"], 5 * 73 / 2)
        self.assertGreater(values["slowest"], 50)
        self.assertGreater(values["cpuMs"], 0)
        self.assertGreater(values["resident"], 5)
        self.assertTrue(0 < values["p50"] <= values["p99"] <= values["worst"] < 5000, values)

    def test_join(self) -> None:
        """Everybody saw a picture, and a keyframe first: those who came alone, and those who came together."""
        values = self.values("join")
        self.assertEqual([values[key] for key in ("lost", "reordered", "damaged", "missing")], [0, 0, 0, 0])
        self.assertEqual(values["onKeyframe"], 7)
        self.assertTrue(0 < values["first"] <= values["firstWorst"] < 5000, values)
        self.assertTrue(0 < values["all"] < 5000, values)
        self.assertIsNotNone(values["lateP99"])

    def test_table(self) -> None:
        """A table for each case, with a line for the server."""
        for words in ("\nfanout: ", "\njoin: ", "ours"):
            self.assertIn(words, quickRun().output)
