"""
What the tests of commands have in common: a command line that runs in memory.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from rtmptw import cli
from rtmptw.cli import main
from rtmptw.wire.flv import encodeTag, fileHeader

__all__ = ["FILE", "PUBLISH", "CommandTestCase"]

FILE = fileHeader() + encodeTag(8, 0, b"\xaf\1sound")
PUBLISH = "rtmp://host/live/x"


class CommandTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.out, self.err = io.StringIO(), io.StringIO()
        self.patch(sys, "stdout", self.out)
        self.patch(sys, "stderr", self.err)
        self.reactor = MemoryReactorClock()
        self.begun: list[tuple[list[object], bool]] = []

        class Beginner:
            """Logs nothing, so that the tests' own log is left alone."""

            @staticmethod
            def beginLoggingTo(observers: list[object], redirectStandardIO: bool) -> None:
                self.begun.append((observers, redirectStandardIO))

        self.patch(cli, "globalLogBeginner", Beginner)

    def file(self, content: bytes = FILE) -> str:
        """A file."""
        descriptor, path = tempfile.mkstemp()
        os.write(descriptor, content)
        os.close(descriptor)
        self.addCleanup(lambda: os.path.exists(path) and os.unlink(path))
        return path

    def place(self) -> str:
        """A name for something new."""
        return os.path.join(self.enterContext(tempfile.TemporaryDirectory()), "new")

    def main(self, *arguments: str) -> Any:
        """
        Run a command.

        @return: its exit status, or the Deferred of what it does.
        """
        result: list[Any] = []

        def run(function: Any, arguments: tuple[Any, ...]) -> None:
            result.append(function(self.reactor, *arguments))

        try:
            main(arguments, run)
        except SystemExit as end:
            return end.code
        return result[0]
