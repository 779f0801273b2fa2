# -*- test-case-name: tests.benchmarks.test_arguments -*-
"""
Tests for L{benchmarks.arguments}.
"""

from __future__ import annotations

import os
import shlex
import sys
from io import StringIO
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.arguments import Settings, parse
from benchmarks.cases import CASES
from benchmarks.servers import SERVERS, Places


class ArgumentsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.out, self.err = StringIO(), StringIO()
        self.patch(sys, "stdout", self.out)
        self.patch(sys, "stderr", self.err)
        self.patch(os, "sched_getaffinity", lambda pid: {2, 5, 7})

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
                "--json a.json --plot b.png --server-cpu 7 --load-cpu 2"
            )
        )
        self.assertEqual(self.names(settings), ["join", "fanout"])
        fanout = CASES["fanout"]
        self.assertEqual((settings.roundsOf(fanout), settings.secondsOf(fanout), settings.sizes), (3, 2.5, (10, 20)))
        self.assertEqual(settings.serversOf(fanout), (SERVERS["ours"], SERVERS["nginx"]))
        self.assertEqual(settings.places, Places("0:80", "/x"))
        self.assertEqual((settings.json, settings.plot), (Path("a.json"), Path("b.png")))
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
            (["--rounds", "0"], "argument --rounds"),
            (["--sizes", "5,x"], "argument --sizes"),
            (["--seconds", "-1"], "argument --seconds"),
            (["--seconds", "inf"], "argument --seconds"),
            (["--server-cpu", "4"], "4: this process may use 2, 5, 7, or any"),
            (["--load-cpu", "x"], "argument --load-cpu"),
        ):
            error = self.assertRaises(SystemExit, parse, arguments)
            self.assertEqual(error.code, 2, arguments)
            self.assertIn(words, self.err.getvalue())

    def test_help(self) -> None:
        """The help names every case, every server and every option, and has examples."""
        error = self.assertRaises(SystemExit, parse, ["--help"])
        self.assertEqual(error.code, 0)
        text = self.out.getvalue()
        options = shlex.split("rounds seconds sizes servers flush nms json plot read server-cpu load-cpu quick list")
        for word in (*CASES, *SERVERS, *(f"--{option}" for option in options), "examples:"):
            self.assertIn(word, text)
