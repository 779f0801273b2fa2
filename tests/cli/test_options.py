# -*- test-case-name: tests.cli.test_options -*-
"""
Tests for L{rtmptw.cli.options}: what all commands do alike.
"""

from __future__ import annotations

from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.python.usage import UsageError

from rtmptw import __version__
from rtmptw.cli.options import FAILED, OK, WRONG_USAGE, CommandOptions, ConnectOptions, ServerOptions, fail
from rtmptw.url import RTMPURL
from tests.cli.commandcase import CommandTestCase


class Dance(CommandOptions):
    """A command."""

    command = "dance"
    synopsis = "[options] PARTNER..."
    examples = "\n  rtmptw dance ANNA\n"
    optFlags = [["wild", "w", "As it comes."]]
    optParameters = [["steps", "s", 3, "How many."]]

    def parseArgs(self, *arguments: str) -> None:
        self["partners"] = arguments


class CommandTests(CommandTestCase):
    def test_anyOrder(self) -> None:
        """Options may stand anywhere; two dashes end them; one is an argument."""
        rows = [
            (["anna", "-w", "-", "--steps", "5"], ("anna", "-"), "5"),
            (["-ws5", "anna", "--", "--wild"], ("anna", "--wild"), "5"),
            (["--steps=-5", "anna", "--wild"], ("anna",), "-5"),
        ]
        for arguments, partners, steps in rows:
            options = Dance()
            options.parseOptions(arguments)
            self.assertEqual((options["partners"], options["steps"], options["wild"]), (partners, steps, 1))

    def test_unknown(self) -> None:
        for arguments in (["--tame"], ["--steps"]):
            self.assertRaises(UsageError, Dance().parseOptions, arguments)

    def test_help(self) -> None:
        """The examples are at its end."""
        usage = Dance().getUsage()
        self.assertIn("As it comes.", usage)
        self.assertTrue(usage.endswith(Dance.examples))
        self.assertEqual(Dance().title, "rtmptw dance")

    def test_version(self) -> None:
        end = self.assertRaises(SystemExit, Dance().parseOptions, ["--version"])
        self.assertEqual(end.code, OK)
        self.assertEqual(self.out.getvalue(), f"rtmptw {__version__}\n")

    def test_readNumber(self) -> None:
        options = Dance()
        options["steps"] = "2.5"
        self.assertEqual(options.readNumber("steps", 2.5), 2.5)
        for text in ("two", "2.4", "nan", "inf", ""):
            options["steps"] = text
            error = self.assertRaises(UsageError, options.readNumber, "steps", 2.5)
            self.assertEqual(str(error), f"--steps {text}: it must be a number, and at least 2.5")

    def test_fail(self) -> None:
        """The reason goes to standard error; the status is 1, or what is wanted."""
        self.assertEqual(self.assertRaises(SystemExit, fail, "tired").code, FAILED)
        self.assertEqual(self.assertRaises(SystemExit, fail, "drunk", WRONG_USAGE).code, WRONG_USAGE)
        self.assertEqual(self.err.getvalue(), "tired\ndrunk\n")


class ServerTests(CommandTestCase):
    def options(self, *arguments: str) -> ServerOptions:
        options = ServerOptions()
        options.parseOptions(arguments)
        return options

    def test_plain(self) -> None:
        """Without TLS there is no certificate to look for."""
        self.assertIsNone(self.options("--ca=/nowhere.pem").tlsTo(RTMPURL.parse("rtmp://host/live")))

    def test_tls(self) -> None:
        for arguments in ((), ("--insecure",)):
            tls = self.options(*arguments).tlsTo(RTMPURL.parse("rtmps://host/live"))
            self.assertTrue(IOpenSSLClientConnectionCreator.providedBy(tls))

    def test_bad(self) -> None:
        """A file of no use, and a host that can have no certificate."""
        for host, arguments, words in (("host", ["--ca=/nowhere.pem"], "--ca /nowhere.pem"), ("a..b", [], "a..b")):
            url = RTMPURL.parse(f"rtmps://{host}/live")
            self.assertIn(words, str(self.assertRaises(UsageError, self.options(*arguments).tlsTo, url)))


class ConnectTests(CommandTestCase):
    def test_readURL(self) -> None:
        """What is given beside the URL is preferred; what names nothing is refused."""
        options = ConnectOptions()
        options.parseOptions(["--app=a/b", "--name=c"])
        options.readURL("rtmp://host/x/y")
        self.assertEqual((options["url"].app, options["url"].name), ("a/b", "c"))
        for text, words in (("rtmp://host/", "names no stream"), ("http://host/live/x", "http")):
            options = ConnectOptions()
            options.parseOptions([])
            self.assertIn(words, str(self.assertRaises(UsageError, options.readURL, text)))
