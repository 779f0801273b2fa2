# -*- test-case-name: tests.cli.test_main -*-
"""
C{rtmptw}: the command line, from options to what does the work.

Exit status: 0 if all went well (also when it was interrupted), 1 if it did not, 2 if the command line is wrong.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorCore
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
from rtmptw.cli import compare, doctor, key, sign, trace, transfer
from rtmptw.cli.compare import CompareOptions
from rtmptw.cli.doctor import DoctorOptions
from rtmptw.cli.key import KeyOptions
from rtmptw.cli.options import FAILED, OK, WRONG_USAGE, CommandOptions
from rtmptw.cli.sign import SignOptions
from rtmptw.cli.trace import TraceOptions
from rtmptw.cli.transfer import PlayOptions, PublishOptions

__all__ = ["COMMANDS", "FAILED", "OK", "WRONG_USAGE", "Command", "Options", "main"]


class Command(NamedTuple):
    """
    One command.

    @ivar options: reads the rest of the command line.
    @ivar run: does it, with the reactor and these options.
    @ivar words: what it does, for the help.
    """

    options: type[CommandOptions]
    run: Callable[[Any, Any], Coroutine[Deferred[Any], Any, None]]
    words: str


#: By name.
COMMANDS: dict[str, Command] = {
    "publish": Command(PublishOptions, transfer.run, "Send an FLV file to a server."),
    "play": Command(PlayOptions, transfer.run, "Write what a server sends into an FLV file."),
    "doctor": Command(DoctorOptions, doctor.run, "Tell why clients stop at a server, and how to mend it."),
    "trace": Command(TraceOptions, trace.run, "Show what a client and a server say to each other."),
    "compare": Command(CompareOptions, compare.run, "Show where two conversations differ."),
    "key": Command(KeyOptions, key.run, "Make a stream key."),
    "sign": Command(SignOptions, sign.run, "Sign a URL, for some time."),
}


class Options(BaseOptions):
    """The command line."""

    longdesc = "RTMP at the command line. rtmptw COMMAND --help tells more."
    subCommands = [[name, None, command.options, command.words] for name, command in COMMANDS.items()]

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
    if sys.stderr is None:
        # It was closed before we began: what is said goes nowhere.
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    options = Options()
    try:
        options.parseOptions(sys.argv[1:] if arguments is None else list(arguments))
    except UsageError as error:
        name = f"rtmptw {options.subCommand}" if options.subCommand else "rtmptw"
        print(f"{name}: {error}\n{name} --help tells more.", file=sys.stderr)
        raise SystemExit(WRONG_USAGE) from None
    command: CommandOptions = options.subOptions
    _beginLog(LogLevel.info if command.get("verbose") else LogLevel.warn)
    run(_run, (COMMANDS[command.command].run, command))


def _beginLog(level: Any) -> None:
    predicate = LogLevelFilterPredicate(defaultLogLevel=level)
    observer = FilteringLogObserver(textFileLogObserver(sys.stderr), [predicate])
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False)


def _run(
    reactor: Any, run: Callable[..., Coroutine[Deferred[Any], Any, None]], command: CommandOptions
) -> Deferred[None]:
    IReactorCore(reactor).addSystemEventTrigger("before", "shutdown", _endAtOnceNextTime)
    return Deferred.fromCoroutine(run(reactor, command))


def _endAtOnceNextTime() -> None:
    """Who asks again, while what was begun is brought to an end in order, does not want to wait for that."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
