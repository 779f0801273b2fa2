# -*- test-case-name: tests.benchmarks.test_arguments -*-
"""
Tests for L{benchmarks.arguments}.
"""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
from io import StringIO
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from benchmarks import arguments as module
from benchmarks.arguments import Settings, parse
from benchmarks.cases import CASES
from benchmarks.servers import SERVERS, Places


class ArgumentsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.out, self.err = StringIO(), StringIO()
        self.patch(sys, "stdout", self.out)
        self.patch(sys, "stderr", self.err)
        self.patch(os, "sched_getaffinity", lambda pid: {2, 5, 7})
        self.patch(module, "hasMatplotlib", lambda: True)
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    def refused(self, *arguments: str) -> str:
        """What is said of a mistake."""
        self.err.truncate(0)
        error = self.assertRaises(SystemExit, parse, arguments)
        self.assertEqual(error.code, 2, arguments)
        return self.err.getvalue()

    def names(self, settings: Settings) -> list[str]:
        return [case.name for case in settings.cases]

    def test_nothing(self) -> None:
        """All cases, each with its own sizes, servers, rounds and length; the first two processors."""
        settings = parse([])
        self.assertEqual(self.names(settings), list(CASES))
        self.assertEqual((settings.serverProcessor, settings.loadProcessor), (2, 5))
        fanout, stalled = CASES["fanout"], CASES["stalled"]
        self.assertEqual((settings.roundsOf(fanout), settings.secondsOf(fanout)), (5, 6.0))
        self.assertEqual((settings.roundsOf(stalled), settings.secondsOf(stalled)), (1, 120.0))
        self.assertEqual(
            [kind.name for kind in settings.serversOf(fanout)],
            ["nginx", "tuned", "nms", "ours", "ours-low", "ours-100ms", "ours-350ms"],
        )
        self.assertEqual([kind.name for kind in settings.serversOf(CASES["tls"])], ["ours", "ours-tls"])

    def test_oneProcessor(self) -> None:
        """Where there is but one, it has both."""
        self.patch(os, "sched_getaffinity", lambda pid: {3})
        settings = parse([])
        self.assertEqual((settings.serverProcessor, settings.loadProcessor), (3, 3))

    def test_everything(self) -> None:
        """Each option has its effect."""
        settings = parse(
            shlex.split(
                "join fanout join --rounds 3 --seconds 2.5 --sizes 10,20 --servers ours,nginx --flush 0:80 --nms /x "
                f"--json {self.directory}/a.json --plot {self.directory}/b.png --server-cpu 7 --load-cpu 2"
            )
        )
        self.assertEqual(self.names(settings), ["join", "fanout"])
        fanout = CASES["fanout"]
        self.assertEqual((settings.roundsOf(fanout), settings.secondsOf(fanout), settings.sizes), (3, 2.5, (10, 20)))
        self.assertEqual(settings.serversOf(fanout), (SERVERS["ours"], SERVERS["nginx"]))
        self.assertEqual(settings.places, Places("0:80", "/x"))
        self.assertEqual((settings.json, settings.plot), (self.directory / "a.json", self.directory / "b.png"))
        self.assertEqual((settings.serverProcessor, settings.loadProcessor), (7, 2))

    def test_ownServers(self) -> None:
        """Where no others make sense, a case keeps its own."""
        settings = parse(["tls", "--servers", "nginx"])
        self.assertEqual([kind.name for kind in settings.serversOf(CASES["tls"])], ["ours", "ours-tls"])

    def test_quick(self) -> None:
        """One round of a second, unless it is said otherwise."""
        fanout = CASES["fanout"]
        settings = parse(["--quick"])
        self.assertEqual((settings.roundsOf(fanout), settings.secondsOf(fanout)), (1, 1.0))
        settings = parse(["--quick", "--rounds", "2", "--seconds", "3"])
        self.assertEqual((settings.roundsOf(fanout), settings.secondsOf(fanout)), (2, 3.0))

    def test_read(self) -> None:
        """Several files can be read."""
        self.assertEqual(parse(["--read", "a", "--read", "b"]).read, (Path("a"), Path("b")))

    def test_anyProcessor(self) -> None:
        """Nobody need be bound to one."""
        settings = parse(["--server-cpu", "any", "--load-cpu", "any"])
        self.assertEqual((settings.serverProcessor, settings.loadProcessor), (None, None))

    def test_mistakes(self) -> None:
        """A mistake ends it with status 2, and says what is wrong."""
        for arguments, words in (
            (["fanuot"], "fanuot: there are fanout, most"),
            (["--servers", "ours,apache"], "apache: there are nginx, tuned"),
            (["--flush", "fast"], "fast: it must be MIN:MAX"),
            (["--flush", "45:0"], "45:0: MIN must not be more than MAX"),
            (["--flush", "0:10001"], "0:10001: MIN must not be more than MAX, nor MAX more than 10000 ms"),
            (["--rounds", "0"], "argument --rounds: 0: it must be a whole number, 1 or more"),
            (["--sizes", "5,x"], "argument --sizes: 5,x: it must be whole numbers, 1 or more"),
            (["--sizes", "0"], "argument --sizes: 0: it must be whole numbers, 1 or more"),
            (["--seconds", "-1"], "argument --seconds: -1: it must be seconds, more than 0"),
            (["--seconds", "inf"], "argument --seconds: inf: it must be seconds, more than 0"),
            (["--seconds", "x"], "argument --seconds: x: it must be seconds, more than 0"),
            (["--server-cpu", "4"], "4: this process may use 2, 5, 7, or any"),
            (["--load-cpu", "x"], "argument --load-cpu: x: this process may use 2, 5, 7, or any"),
        ):
            self.assertIn(words, self.refused(*arguments))

    def test_unwritable(self) -> None:
        """Where nothing can be written, it is said before anything is measured."""
        for option in ("--json", "--plot"):
            for file in (self.directory, self.directory / "none" / "x"):
                self.assertIn(f"argument {option}: {file} can't be written: ", self.refused(option, str(file)))

    def test_writable(self) -> None:
        """To try it leaves nothing behind, and changes no file that is there."""
        new, old = self.directory / "new", self.directory / "old"
        old.write_text("old")
        parse(["--json", str(new), "--plot", str(old)])
        self.assertFalse(new.exists())
        self.assertEqual(old.read_text(), "old")

    def test_noPlot(self) -> None:
        """A plot that could not be drawn is refused at once, but earlier results may have what it needs."""
        file = str(self.directory / "x.png")
        self.assertIn("which is not among the cases", self.refused("join", "--plot", file))
        parse(["join", "--plot", file, "--read", "a"])
        self.patch(module, "hasMatplotlib", lambda: False)
        self.assertIn("--plot needs matplotlib", self.refused("fanout", "--plot", file))
        self.assertTrue(parse(["--list", "--plot", file]).isList)

    def test_help(self) -> None:
        """The help names every case, every server and every option, and has examples."""
        error = self.assertRaises(SystemExit, parse, ["--help"])
        self.assertEqual(error.code, 0)
        text = self.out.getvalue()
        options = shlex.split("rounds seconds sizes servers flush nms json plot read server-cpu load-cpu quick list")
        for word in (*CASES, *SERVERS, *(f"--{option}" for option in options), "examples:"):
            self.assertIn(word, text)
