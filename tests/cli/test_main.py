# -*- test-case-name: tests.cli.test_main -*-
"""
Tests for L{rtmptw.cli}: the command line, its errors, and its log.
"""

from __future__ import annotations

import signal
import sys
from typing import Any

from rtmptw import __version__, cli
from rtmptw.cli import COMMANDS, OK, WRONG_USAGE
from tests.cli.commandcase import PUBLISH, CommandTestCase


class UsageTests(CommandTestCase):
    def test_help(self) -> None:
        """Every command; examples that fit a terminal."""
        self.assertEqual(self.main("--help"), OK)
        for name, command in COMMANDS.items():
            self.assertIn(f"    {name}", self.out.getvalue())
            self.assertEqual(self.main(name, "--help"), OK)
            self.assertIn(f"Usage: rtmptw {name} [options] ", self.out.getvalue())
            self.assertEqual(command.options.command, name)
            self.assertLessEqual(max(map(len, command.options.examples.splitlines())), 82)

    def test_version(self) -> None:
        for arguments in (("--version",), ("play", "--version")):
            self.assertEqual(self.main(*arguments), OK)
        self.assertEqual(self.out.getvalue(), f"rtmptw {__version__}\n" * 2)

    def test_mistakes(self) -> None:
        """Each is told with its command, and where to look."""
        rows: list[tuple[tuple[str, ...], str]] = [
            ((), "rtmptw: a command is needed: publish, play, doctor, trace, compare"),
            (("dance",), "rtmptw: Unknown command: dance"),
            (("publish",), "rtmptw publish: publish needs a FILE and a URL"),
        ]
        for arguments, words in rows:
            self.err.truncate(0)
            self.err.seek(0)
            self.assertEqual(self.main(*arguments), WRONG_USAGE, arguments)
            self.assertIn(words, self.err.getvalue())
            self.assertIn("--help tells more", self.err.getvalue())


class RunTests(CommandTestCase):
    def test_run(self) -> None:
        """What a command does is given the reactor and its options; what it says is its status."""
        given: list[Any] = []

        async def run(reactor: Any, options: Any) -> None:
            given.append((reactor, options))
            raise SystemExit(7)

        self.patch(cli, "COMMANDS", {**COMMANDS, "publish": COMMANDS["publish"]._replace(run=run)})
        done = self.main("publish", "a", PUBLISH)
        self.assertEqual(self.failureResultOf(done, SystemExit).value.code, 7)
        [(reactor, options)] = given
        self.assertIs(reactor, self.reactor)
        self.assertEqual(options["file"], "a")

    def test_interruptedTwice(self) -> None:
        """Once: it ends in order. Twice: at once, as the system does it."""
        numbers = (signal.SIGINT, signal.SIGTERM)
        for number in numbers:
            self.addCleanup(signal.signal, number, signal.signal(number, lambda *arguments: None))
        self.main("publish", self.file(), PUBLISH)
        self.assertNotIn(signal.SIG_DFL, map(signal.getsignal, numbers))
        for trigger, arguments, keywords in self.reactor.triggers["before"]["shutdown"]:
            trigger(*arguments, **keywords)
        self.assertEqual([signal.getsignal(number) for number in numbers], [signal.SIG_DFL] * 2)

    def test_closed(self) -> None:
        """Where it would say something may be closed: then that goes nowhere, and all else is as ever."""
        self.patch(sys, "stderr", None)
        self.assertEqual(self.main("publish", "a"), WRONG_USAGE)
        self.assertIsNotNone(sys.stderr)
        sys.stderr.close()

    def test_log(self) -> None:
        """Warnings alone, or everything."""

        async def run(reactor: Any, options: Any) -> None:
            pass

        self.patch(cli, "COMMANDS", {**COMMANDS, "publish": COMMANDS["publish"]._replace(run=run)})
        for arguments in (("publish", "a", PUBLISH), ("publish", "a", PUBLISH, "-v")):
            self.main(*arguments)
        self.assertEqual([redirects for _, redirects in self.begun], [False, False])
        for (observers, _), expected in zip(self.begun, (1, 2), strict=True):
            self.err.truncate(0)
            self.err.seek(0)
            for level in (cli.LogLevel.info, cli.LogLevel.warn):
                observers[0]({"log_level": level, "log_format": "words", "log_time": 0.0, "log_namespace": "x"})  # type: ignore[operator]
            self.assertEqual(self.err.getvalue().count("words"), expected)
