# -*- test-case-name: tests.cli.test_transfer -*-
"""
Tests for L{rtmptw.cli.transfer}: publish and play, their errors, and what they say at the end.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure
from twisted.python.usage import UsageError

from rtmptw.cli import FAILED, OK, WRONG_USAGE
from rtmptw.cli.transfer import PlayOptions, PublishOptions, TransferOptions
from rtmptw.errors import CallError
from tests.cli.commandcase import FILE, PUBLISH, CommandTestCase


class Transfer:
    """What a command runs, as far as a test is concerned."""

    position, bytes, lag = 1500, 70, 0

    def __init__(self) -> None:
        self.done: Deferred[str] = Deferred()
        self.interrupts = 0

    def run(self) -> Deferred[str]:
        return self.done

    def interrupt(self) -> None:
        self.interrupts += 1
        if self.interrupts == 1:
            self.done.callback("interrupted")


class UsageTests(CommandTestCase):
    def test_help(self) -> None:
        """Every option of every command."""
        for name in ("publish", "play"):
            self.assertEqual(self.main(name, "--help"), OK)
            text = self.out.getvalue()
            for option in ("--app=", "--ca=", "--insecure", "--json", "--name=", "--quiet", "--timeout=", "--verbose"):
                self.assertIn(option, text)
        for option in ("--fast", "--loop", "-o, --output=", "--start="):
            self.assertIn(option, self.out.getvalue())

    def test_mistakes(self) -> None:
        """Each is told with its option, and where to look; no secret is shown."""
        rows = [
            (("publish",), "rtmptw publish: publish needs a FILE and a URL"),
            (("publish", "a", "b", "c"), "publish needs a FILE and a URL"),
            (("publish", "a", "http://host/live"), "http"),
            (("publish", "a", "rtmp://me:secret@host:x/live"), "port"),
            (("publish", "--nonsense", "a", PUBLISH), "--nonsense"),
            (("publish", "a", PUBLISH, "--timeout", "soon"), "--timeout soon: it must be a number, and at least 0"),
            (("play", PUBLISH, "-o", "x", "--timeout=-1"), "--timeout -1:"),
            (("play", PUBLISH, "-o", "x", "--start=nan"), "--start nan: it must be a number, and at least -2"),
            (("publish", "a", "rtmps://host/live/x", "--ca", "/nowhere.pem"), "--ca /nowhere.pem"),
            (("publish", "a", "rtmp://host/"), "names no stream"),
            (("play", PUBLISH), "-o FILE"),
            (("play", "-o", "x"), "play needs one URL"),
            (("play", PUBLISH, "-o", "-", "--json"), "--json"),
            (("play", PUBLISH, "-o"), "-o"),
        ]
        for arguments, words in rows:
            self.err.truncate(0)
            self.err.seek(0)
            self.assertEqual(self.main(*arguments), WRONG_USAGE, arguments)
            self.assertIn(words, self.err.getvalue())
            self.assertIn("--help tells more", self.err.getvalue())
            self.assertNotIn("secret", self.err.getvalue())

    def test_orders(self) -> None:
        """Options may stand before, between and behind the others."""
        for arguments in (
            ["-o", "x", "--start=5", "--name", "n", PUBLISH],
            [PUBLISH, "-ox", "--start", "5", "--name=n"],
            ["--start=5", PUBLISH, "--output=x", "--name=n"],
        ):
            options = PlayOptions()
            options.parseOptions(arguments)
            self.assertEqual((options["output"], options["start"], options["url"].name), ("x", "5", "n"))

    def test_dash(self) -> None:
        """Standard input is an argument, and no option."""
        options = PublishOptions()
        options.parseOptions(["--fast", "-", PUBLISH, "--app="])
        self.assertEqual((options["file"], options["fast"], options["app"]), ("-", 1, ""))

    def test_closed(self) -> None:
        """What was closed before we began can't be read or written: its number may be of something else by now."""
        for name, options, arguments, words in (
            ("stdin", PublishOptions(), ["-", PUBLISH], "standard input is closed"),
            ("stdout", PlayOptions(), [PUBLISH, "-o", "-"], "standard output is closed"),
        ):
            self.patch(sys, name, None)
            self.assertIn(words, str(self.assertRaises(UsageError, options.parseOptions, arguments)))

    def test_connectOptions(self) -> None:
        rows: list[tuple[list[str], str, set[str]]] = [
            ([], PUBLISH, {"timeout", "verbose"}),
            (["--insecure"], "rtmps://host/live/x", {"timeout", "verbose", "tls"}),
            ([], "rtmps://host/live/x", {"timeout", "verbose", "tls"}),
        ]
        for arguments, url, names in rows:
            options = PublishOptions()
            options.parseOptions([*arguments, "--timeout=5", "a", url])
            found = options.connectOptions()
            self.assertEqual(set(found), names)
            self.assertEqual((found["timeout"], found["verbose"]), (5.0, False))

    def test_badCA(self) -> None:
        """A file of no use, and a host that can have no certificate."""
        for host, arguments, words in (("host", ["--ca", "/nowhere.pem"], "--ca /nowhere.pem"), ("a..b", [], "a..b")):
            options = PlayOptions()
            arguments = [f"rtmps://{host}/live/x", "-o", "x", *arguments]
            self.assertIn(words, str(self.assertRaises(UsageError, options.parseOptions, arguments)))


class RunTests(CommandTestCase):
    def run_(self, *arguments: str) -> tuple[Transfer, Any]:
        """Run a command with a transfer of ours."""
        transfer = Transfer()
        for parser in (PublishOptions, PlayOptions):
            self.patch(parser, "transfer", lambda options, reactor: (transfer, 100))
        return transfer, self.main(*arguments)

    def test_done(self) -> None:
        transfer, done = self.run_("publish", "a", PUBLISH)
        self.reactor.advance(2)
        self.assertNoResult(done)
        transfer.done.callback("the file has ended")
        self.successResultOf(done)
        self.assertEqual(
            self.err.getvalue(), "rtmptw publish: 1.5 s of media, 70 bytes, in 2.0 s: the file has ended\n"
        )
        self.assertEqual(self.out.getvalue(), "")

    def test_json(self) -> None:
        transfer, done = self.run_("play", "-o", "x", PUBLISH, "--json")
        transfer.done.callback("over")
        self.successResultOf(done)
        self.assertEqual(
            json.loads(self.out.getvalue()), {"seconds": 1.5, "bytes": 70, "elapsed": 0.0, "reason": "over"}
        )
        self.assertEqual(self.err.getvalue(), "")

    def test_quiet(self) -> None:
        transfer, done = self.run_("publish", "-q", "a", PUBLISH)
        transfer.done.callback("over")
        self.successResultOf(done)
        self.assertEqual((self.out.getvalue(), self.err.getvalue()), ("", ""))

    def test_failed(self) -> None:
        """The reason, and the exit status."""
        for error in (CallError("publish", "in use"), OSError(28, "No space left on device", "x.flv")):
            transfer, done = self.run_("publish", "--quiet", "a", PUBLISH)
            transfer.done.errback(error)
            self.assertEqual(self.failureResultOf(done, SystemExit).value.code, FAILED)
            self.assertIn(f"rtmptw publish: {error}\n", self.err.getvalue())

    def test_brokenPipe(self) -> None:
        """Who has read enough has read enough."""
        transfer, done = self.run_("play", "-o", "-", PUBLISH)
        transfer.done.errback(BrokenPipeError(32, "Broken pipe"))
        self.successResultOf(done)
        self.assertIn("nobody reads it any more", self.err.getvalue())

    def test_interrupted(self) -> None:
        """Ctrl-C: the reactor stops when everything is in order."""
        transfer, done = self.run_("play", "-o", "x", PUBLISH)
        _, trigger = self.reactor.triggers["before"]["shutdown"]
        stopped = trigger[0](*trigger[1], **trigger[2])
        self.assertEqual(transfer.interrupts, 1)
        self.successResultOf(stopped)
        self.successResultOf(done)
        self.assertIn(": interrupted\n", self.err.getvalue())

    def test_cancelled(self) -> None:
        """Ctrl-C before there was a connection."""
        transfer, done = self.run_("play", "-o", "x", PUBLISH)
        transfer.done.errback(Failure(CancelledError()))
        self.successResultOf(done)
        self.assertIn(": interrupted\n", self.err.getvalue())


class TransferTests(CommandTestCase):
    """From options to what does the work."""

    def test_publish(self) -> None:
        path = self.file()
        for arguments, total in (([], len(FILE)), (["--loop"], None)):
            options = PublishOptions()
            options.parseOptions([*arguments, path, PUBLISH])
            transfer, found = options.transfer(self.reactor)
            self.assertEqual(found, total)
            self.assertEqual(transfer.position, 0)

    def test_play(self) -> None:
        path = self.file()
        options = PlayOptions()
        options.parseOptions([PUBLISH, "-o", path])
        transfer, total = options.transfer(self.reactor)
        self.assertEqual((transfer.bytes, transfer.lag, total), (0, None, None))

    def test_impossible(self) -> None:
        """A file that is not there; a directory that is not."""
        rows = [
            (("publish", "/nowhere.flv", PUBLISH), "/nowhere.flv"),
            (("play", "-o", "/nowhere/x.flv", PUBLISH), "/nowhere/x.flv"),
        ]
        for arguments, words in rows:
            done = self.main(*arguments)
            self.assertEqual(self.failureResultOf(done, SystemExit).value.code, FAILED)
            self.assertIn(words, self.err.getvalue())

    def test_abstract(self) -> None:
        self.assertRaises(NotImplementedError, TransferOptions().transfer, self.reactor)
