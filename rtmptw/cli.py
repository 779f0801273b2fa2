# -*- test-case-name: tests.test_cli -*-
"""
C{rtmptw}: the command line, from options to what does the work.

Exit status: 0 if all went well (also when it was interrupted), 1 if it did not, 2 if the command line is wrong.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Sequence
from getopt import GetoptError, gnu_getopt
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorCore, IReactorTime
from twisted.internet.task import react
from twisted.logger import (
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    globalLogBeginner,
    textFileLogObserver,
)
from twisted.python.usage import Options as BaseOptions
from twisted.python.usage import UsageError

import rtmptw
from rtmptw.errors import CertificateError, RTMPError, URLError
from rtmptw.tls.client import clientTLS, trustedCertificates
from rtmptw.tools.flvsink import FLVSink
from rtmptw.tools.flvsource import FLVPlayback
from rtmptw.tools.progress import Progress, summary
from rtmptw.tools.transfer import Playing, Publishing, Transfer
from rtmptw.url import RTMPURL

__all__ = ["FAILED", "OK", "WRONG_USAGE", "Options", "main"]

OK, FAILED, WRONG_USAGE = 0, 1, 2

#: What stands for standard input and standard output.
_STANDARD = "-"

_PUBLISH_EXAMPLES = """
FILE is an FLV file, or - for standard input. It is sent at the speed at which
it is to be watched.

  rtmptw publish film.flv rtmp://HOST/live/film
  rtmptw publish --loop film.flv rtmps://USER:PASSWORD@HOST/live/film
  ffmpeg -re -i film.mp4 -c copy -f flv - | rtmptw publish - rtmp://HOST/live/film
"""

_PLAY_EXAMPLES = """
The file can be played while it grows. Ctrl-C ends it in order.

  rtmptw play rtmp://HOST/live/film -o film.flv
  rtmptw play rtmp://HOST/live/film -o - | ffplay -
"""


class _ConnectOptions(BaseOptions):
    """What both commands have in common."""

    longdesc = ""
    examples = ""

    optFlags = [
        ["insecure", None, "Do not check the server's certificate and for whom it is (rtmps)."],
        ["json", None, "Print the result as JSON."],
        ["quiet", "q", "Say nothing if all goes well."],
        ["verbose", "v", "Log every message to standard error, a line each."],
    ]
    optParameters = [
        ["app", None, None, "The application, if it is not what the URL says."],
        ["name", None, None, "The stream's name, if it is not what the URL says."],
        ["ca", None, None, "Trust the certificates in this PEM file, and no others (rtmps)."],
        ["timeout", None, 30.0, "How long the server may take to accept the connection, seconds."],
    ]

    compData: Any = None

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """
        Options may stand behind the URL as well.

        @raise UsageError: if one is unknown, or lacks its value.
        """
        try:
            found, arguments = gnu_getopt(list(options or ()), self.shortOpt, self.longOpt)
        except GetoptError as error:
            raise UsageError(str(error)) from None
        takesValue = {f"--{name[:-1]}" for name in self.longOpt if name.endswith("=")}
        ordered = [f"{name}={value}" if name in takesValue else f"{name}{value}" for name, value in found]
        super().parseOptions([*ordered, "--", *arguments])

    def getUsage(self, width: int | None = None) -> str:
        """The options, and examples."""
        return f"{super().getUsage(width)}{self.examples}"

    def opt_version(self) -> None:
        """Print the version of rtmptw, and exit."""
        print(f"rtmptw {rtmptw.__version__}")
        raise SystemExit(OK)

    def readNumber(self, name: str, least: float) -> float:
        """
        @raise UsageError: which names the option, if its value is no number.
        """
        try:
            number = float(self[name])
        except ValueError:
            number = math.nan
        if not least <= number < math.inf:
            raise UsageError(f"--{name} {self[name]}: it must be a number, and at least {least:g}")
        return number

    def readURL(self, text: str) -> None:
        """
        @raise UsageError: if it is none.
        """
        try:
            url = RTMPURL.parse(text, self["app"], self["name"])
        except URLError as error:
            raise UsageError(str(error)) from None
        if not url.name and not self["name"] and not url.app:
            raise UsageError("the URL names no stream: rtmp://host/application/name")
        self["url"] = url

    def connectOptions(self) -> dict[str, Any]:
        """
        What L{rtmptw.client.connect} is to be told.

        @raise UsageError: if the file of C{--ca} is of no use.
        """
        options: dict[str, Any] = {"timeout": self.readNumber("timeout", 0.0), "verbose": bool(self["verbose"])}
        if self["url"].secure:
            try:
                trustRoot = None if self["ca"] is None else trustedCertificates(self["ca"])
                options["tls"] = clientTLS(self["url"].host, trustRoot, not self["insecure"])
            except CertificateError as error:
                raise UsageError(f"--ca {error}" if self["ca"] else str(error)) from None
        return options


class PublishOptions(_ConnectOptions):
    """rtmptw publish"""

    synopsis = "[options] FILE URL"
    examples = _PUBLISH_EXAMPLES
    optFlags = [
        ["fast", None, "Send it as fast as the server takes it."],
        ["loop", None, "Begin again at the end, for ever."],
    ]

    def parseArgs(self, *arguments: str) -> None:
        """The file and the URL."""
        if len(arguments) != 2:
            raise UsageError("publish needs a FILE and a URL")
        self["file"] = arguments[0]
        self.readURL(arguments[1])

    def postOptions(self) -> None:
        """
        @raise UsageError: if something can't be.
        """
        self.connectOptions()

    def transfer(self, reactor: IReactorTime) -> tuple[Transfer, int | None]:
        """
        @return: what does it, and how many bytes there will be, if that is known.
        @raise OSError: if the file can't be read.
        """
        file = self["file"]
        options = self.connectOptions()
        playback = FLVPlayback(
            0 if file == _STANDARD else file, reactor, fast=bool(self["fast"]), loop=bool(self["loop"])
        )
        isCounted = file != _STANDARD and os.path.isfile(file) and not self["loop"]
        return Publishing(self["url"], playback, reactor, **options), os.path.getsize(file) if isCounted else None


class PlayOptions(_ConnectOptions):
    """rtmptw play"""

    synopsis = "[options] URL -o FILE"
    examples = _PLAY_EXAMPLES
    optParameters = [
        ["output", "o", None, "The FLV file to write, or - for standard output."],
        ["start", None, -2.0, "-2: live, else recorded; -1: only live; else seconds in the recording."],
    ]

    def parseArgs(self, *arguments: str) -> None:
        """The URL."""
        if len(arguments) != 1:
            raise UsageError("play needs one URL")
        self.readURL(arguments[0])

    def postOptions(self) -> None:
        """
        @raise UsageError: if something is missing.
        """
        if self["output"] is None:
            raise UsageError("play needs a file to write: -o FILE, or -o - for standard output")
        if self["output"] == _STANDARD and self["json"]:
            raise UsageError("--json: standard output is what is played (-o -)")
        self.connectOptions()
        self.readNumber("start", -2.0)

    def transfer(self, reactor: IReactorTime) -> tuple[Transfer, int | None]:
        """
        @return: what does it, and L{None}.
        @raise OSError: if the file can't be written.
        """
        options = self.connectOptions()
        sink = FLVSink(1 if self["output"] == _STANDARD else self["output"])
        return Playing(self["url"], sink, reactor, self.readNumber("start", -2.0), **options), None


#: By name: what reads the rest of the command line, and what it does.
COMMANDS: dict[str, tuple[type[_ConnectOptions], str]] = {
    "publish": (PublishOptions, "Send an FLV file to a server."),
    "play": (PlayOptions, "Write what a server sends into an FLV file."),
}


class Options(BaseOptions):
    """The command line."""

    longdesc = "RTMP at the command line. rtmptw COMMAND --help tells more."
    subCommands = [[name, None, parser, words] for name, (parser, words) in COMMANDS.items()]

    compData: Any = None

    def getSynopsis(self) -> str:
        """The first line of the help; a command adds its own words."""
        return "Usage: rtmptw" if self.subCommand else "Usage: rtmptw COMMAND [options] ..."

    def opt_version(self) -> None:
        """Print the version of rtmptw, and exit."""
        print(f"rtmptw {rtmptw.__version__}")
        raise SystemExit(OK)

    def postOptions(self) -> None:
        """
        @raise UsageError: without a command.
        """
        if self.subCommand is None:
            raise UsageError("a command is needed: " + ", ".join(COMMANDS))


def main(arguments: Sequence[str] | None = None, run: Callable[..., None] = react) -> None:
    """
    The command.

    @param arguments: by default, those of the process.
    @param run: what runs the reactor, as L{twisted.internet.task.react}.
    @raise SystemExit: always; see above.
    """
    options = Options()
    try:
        options.parseOptions(sys.argv[1:] if arguments is None else list(arguments))
    except UsageError as error:
        name = f"rtmptw {options.subCommand}" if options.subCommand else "rtmptw"
        print(f"{name}: {error}\n{name} --help tells more.", file=sys.stderr)
        raise SystemExit(WRONG_USAGE) from None
    command: PublishOptions | PlayOptions = options.subOptions
    _beginLog(LogLevel.info if command["verbose"] else LogLevel.warn)
    run(_transfer, (command, f"rtmptw {options.subCommand}"))


def _beginLog(level: Any) -> None:
    predicate = LogLevelFilterPredicate(defaultLogLevel=level)
    observer = FilteringLogObserver(textFileLogObserver(sys.stderr), [predicate])
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False)


def _transfer(reactor: Any, command: PublishOptions | PlayOptions, name: str) -> Deferred[None]:
    return Deferred.fromCoroutine(_run(reactor, command, name))


async def _run(reactor: Any, command: PublishOptions | PlayOptions, name: str) -> None:
    """
    Do it, and say what has become of it.

    @raise SystemExit: if that is not good.
    """
    began = reactor.seconds()
    try:
        transfer, total = command.transfer(reactor)
    except (OSError, RTMPError) as error:
        _fail(f"{name}: {error}", FAILED)
    done: Deferred[None] = Deferred()

    def interrupted() -> Deferred[None]:
        # Ctrl-C: the reactor stops when everything is in order.
        transfer.interrupt()
        return done

    IReactorCore(reactor).addSystemEventTrigger("before", "shutdown", interrupted)
    progress = Progress(transfer, reactor, sys.stderr, total)
    try:
        reason = await transfer.run()
    except CancelledError:
        reason = "interrupted"
    except BrokenPipeError:
        reason = "nobody reads it any more"
    except (OSError, RTMPError) as error:
        progress.close()
        _fail(f"{name}: {error}", FAILED)
    finally:
        progress.close()
        done.callback(None)
    _report(command, name, summary(transfer, reactor.seconds() - began, reason))


def _report(command: PublishOptions | PlayOptions, name: str, result: dict[str, Any]) -> None:
    if command["json"]:
        print(json.dumps(result))
    elif not command["quiet"]:
        print(
            f"{name}: {result['seconds']:.1f} s of media, {result['bytes']} bytes, in {result['elapsed']:.1f} s: "
            f"{result['reason']}",
            file=sys.stderr,
        )


def _fail(reason: str, status: int) -> Any:
    print(reason, file=sys.stderr)
    raise SystemExit(status)
