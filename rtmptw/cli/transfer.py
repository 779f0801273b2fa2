# -*- test-case-name: tests.cli.test_transfer -*-
"""
C{rtmptw publish} and C{rtmptw play}: from a file to a server, and back.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorCore, IReactorTime
from twisted.python.usage import UsageError

from rtmptw.cli.options import STANDARD, ConnectOptions, fail
from rtmptw.errors import RTMPError
from rtmptw.tools.flvsink import FLVSink
from rtmptw.tools.flvsource import FLVPlayback
from rtmptw.tools.progress import Progress, summary
from rtmptw.tools.transfer import Playing, Publishing, Transfer

__all__ = ["PlayOptions", "PublishOptions", "TransferOptions", "run"]

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


class TransferOptions(ConnectOptions):
    """What both commands have in common."""

    def transfer(self, reactor: IReactorTime) -> tuple[Transfer, int | None]:
        """
        @return: what does it, and how many bytes there will be, if that is known.
        @raise OSError: if the file is of no use.
        """
        raise NotImplementedError


class PublishOptions(TransferOptions):
    """rtmptw publish"""

    command = "publish"
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
        if arguments[0] == STANDARD and sys.stdin is None:
            raise UsageError("standard input is closed: there is nothing to publish")
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
            0 if file == STANDARD else file, reactor, fast=bool(self["fast"]), loop=bool(self["loop"])
        )
        isCounted = file != STANDARD and os.path.isfile(file) and not self["loop"]
        return Publishing(self["url"], playback, reactor, **options), os.path.getsize(file) if isCounted else None


class PlayOptions(TransferOptions):
    """rtmptw play"""

    command = "play"
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
        if self["output"] == STANDARD and sys.stdout is None:
            raise UsageError("standard output is closed: there is nowhere to write")
        if self["output"] == STANDARD and self["json"]:
            raise UsageError("--json: standard output is what is played (-o -)")
        self.connectOptions()
        self.readNumber("start", -2.0)

    def transfer(self, reactor: IReactorTime) -> tuple[Transfer, int | None]:
        """
        @return: what does it, and L{None}.
        @raise OSError: if the file can't be written.
        """
        options = self.connectOptions()
        sink = FLVSink(1 if self["output"] == STANDARD else self["output"])
        return Playing(self["url"], sink, reactor, self.readNumber("start", -2.0), **options), None


async def run(reactor: Any, options: TransferOptions) -> None:
    """
    Do it, and say what has become of it.

    @raise SystemExit: if that is not good.
    """
    name = options.title
    began = reactor.seconds()
    try:
        transfer, total = options.transfer(reactor)
    except (OSError, RTMPError) as error:
        fail(f"{name}: {error}")
    done: Deferred[None] = Deferred()

    def interrupted() -> Deferred[None]:
        # Ctrl-C: the reactor stops when everything is in order.
        transfer.interrupt()
        return done

    progress = Progress(transfer, reactor, sys.stderr, total)
    IReactorCore(reactor).addSystemEventTrigger("before", "shutdown", interrupted)
    try:
        reason = await transfer.run()
    except CancelledError:
        reason = "interrupted"
    except BrokenPipeError:
        reason = "nobody reads it any more"
    except (OSError, RTMPError) as error:
        progress.close()
        fail(f"{name}: {error}")
    finally:
        progress.close()
        done.callback(None)
    _report(options, summary(transfer, reactor.seconds() - began, reason))


def _report(options: TransferOptions, result: dict[str, Any]) -> None:
    if options["json"]:
        print(json.dumps(result))
    elif not options["quiet"]:
        print(
            f"{options.title}: {result['seconds']:.1f} s of media, {result['bytes']} bytes, "
            f"in {result['elapsed']:.1f} s: {result['reason']}",
            file=sys.stderr,
        )
