# -*- test-case-name: tests.benchmarks.load.test_child -*-
"""
Tests for L{benchmarks.load.child} and L{benchmarks.runningserver}: how their processes are started. What they do then
is tried in L{tests.interop.test_benchmarks}.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.load.child import Child
from benchmarks.runningserver import RunningServer
from benchmarks.servers import Places, ServerKind


@dataclass(frozen=True)
class Nothing:
    """Settings of a process that needs none."""


class StartTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.started: list[dict[str, Any]] = []
        self.patch(subprocess, "Popen", self.start)

    def start(self, command: list[str], **options: Any) -> None:
        self.started.append(options)
        raise FileNotFoundError(command[0])

    def test_terminal(self) -> None:
        """A terminal's Ctrl-C reaches neither the load nor the server: it is the parent that ends them, in order."""
        self.assertRaises(FileNotFoundError, Child, "some.module", Nothing())
        kind = ServerKind("one", "the first", lambda start: ["one"], lambda places: "one 1.0")
        server = RunningServer(kind, Places(), None)
        self.assertRaises(FileNotFoundError, server.__enter__)
        self.assertEqual([options["start_new_session"] for options in self.started], [True, True])
        # Its directory is gone at once, although it has never run.
        self.assertFalse(self.started[1]["cwd"].exists())
