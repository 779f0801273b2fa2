# -*- test-case-name: tests.benchmarks.test_main -*-
"""
Tests for L{benchmarks.__main__}: what is shown and written, and the exit status.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from io import StringIO
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from benchmarks import __main__ as program
from benchmarks import arguments
from benchmarks.arguments import Settings
from benchmarks.errors import MissingError
from benchmarks.results import Measurement, Results
from tests.benchmarks.test_report import ABOUT, measured


class MainTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.out, self.err = StringIO(), StringIO()
        self.patch(sys, "stdout", self.out)
        self.patch(sys, "stderr", self.err)
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        self.found = [measured("nginx", 0.4), measured("ours", 0.1)]
        self.patch(program, "measureAll", self.measureAll)
        self.patch(arguments, "hasMatplotlib", lambda: True)

    def measureAll(self, settings: Settings, results: Results) -> None:
        results.about.update(ABOUT)
        results.measurements += self.found

    def test_measures(self) -> None:
        """The table is printed, the file written."""
        file = self.directory / "a.json"
        self.assertEqual(program.main(["fanout", "--json", str(file)]), program.OK)
        self.assertIn("No goal that was measured is missed.", self.out.getvalue())
        self.assertEqual(Results.read(file).measurements, self.found)

    def test_failed(self) -> None:
        """Something that could not be measured is a failure, and so is nothing at all."""
        self.found.append(Measurement("fanout", "nms", 1, {"viewers": 1}, error="it has ended"))
        self.assertEqual(program.main(["fanout"]), program.FAILED)
        self.found.clear()
        self.assertEqual(program.main(["fanout"]), program.FAILED)
        self.assertTrue(self.out.getvalue().endswith("\nNothing was measured.\n"))

    def test_interrupted(self) -> None:
        """What there is is shown and written; the status says that it is not all."""

        def interrupt(settings: Settings, results: Results) -> None:
            self.measureAll(settings, results)
            raise KeyboardInterrupt

        self.patch(program, "measureAll", interrupt)
        file = self.directory / "a.json"
        self.assertEqual(program.main(["--json", str(file)]), program.FAILED)
        self.assertIn("fanout", self.out.getvalue())
        self.assertEqual(len(Results.read(file).measurements), 2)

    def test_signals(self) -> None:
        """
        Whatever ends it is the same as Ctrl-C; a second signal does not disturb the clean-up, and afterwards all is as
        it was before.
        """
        before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            cleaned: list[int] = []

            def end(settings: Settings, results: Results, number: int = number, cleaned: list[int] = cleaned) -> None:
                try:
                    os.kill(os.getpid(), number)
                finally:
                    os.kill(os.getpid(), signal.SIGTERM)
                    cleaned.append(number)

            self.patch(program, "measureAll", end)
            self.assertEqual(program.main([]), program.FAILED)
            self.assertEqual(cleaned, [number])
            self.assertTrue(self.out.getvalue().endswith("\nInterrupted: this is not all. Nothing was measured.\n"))
        after = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
        self.assertEqual(after, before)

    def test_ignored(self) -> None:
        """What C{nohup} ignores does not end it."""
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self.addCleanup(signal.signal, signal.SIGHUP, before)

        def hangUp(settings: Settings, results: Results) -> None:
            os.kill(os.getpid(), signal.SIGHUP)
            self.measureAll(settings, results)

        self.patch(program, "measureAll", hangUp)
        self.assertEqual(program.main([]), program.OK)

    def test_read(self) -> None:
        """Earlier runs are shown as one, without measuring anything."""
        first, second = self.directory / "a.json", self.directory / "b.json"
        Results({**ABOUT, "servers": {"nginx": "nginx 1"}}, self.found[:1]).write(first)
        Results({**ABOUT, "servers": {"ours": "rtmptw 0"}, "kernel": "7"}, self.found[1:]).write(second)
        self.patch(program, "measureAll", None)
        self.assertEqual(program.main(["--read", str(first), "--read", str(second)]), program.OK)
        text = self.out.getvalue()
        self.assertIn("ratio <= 0.45 ok", text)
        self.assertIn("Linux 7", text)
        self.assertIn("nginx 1; rtmptw 0", text)

    def test_unreadable(self) -> None:
        """A file that is none of ours, or not there, is named."""
        other = self.directory / "other.json"
        other.write_text("{}")
        for file in (other, self.directory / "missing.json"):
            self.assertEqual(program.main(["--read", str(file)]), program.FAILED)
            self.assertIn(str(file), self.err.getvalue())

    def test_plot(self) -> None:
        """The plot is drawn; if that can't be, it is said, and the rest is there."""
        drawn: list[Path] = []
        self.patch(program, "draw", lambda results, file: drawn.append(file))
        file = self.directory / "x.png"
        self.assertEqual(program.main(["--plot", str(file)]), program.OK)
        self.assertEqual(drawn, [file])

        def cannot(results: Results, file: Path) -> None:
            raise MissingError("--plot needs matplotlib")

        self.patch(program, "draw", cannot)
        self.assertEqual(program.main(["--plot", str(file)]), program.FAILED)
        self.assertIn("needs matplotlib", self.err.getvalue())

    def test_list(self) -> None:
        """Nothing is measured."""
        self.patch(program, "measureAll", None)
        self.patch(program, "describeAll", lambda settings: "all that there is")
        self.assertEqual(program.main(["--list"]), program.OK)
        self.assertEqual(self.out.getvalue(), "all that there is\n")
