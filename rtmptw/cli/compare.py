# -*- test-case-name: tests.cli.test_compare -*-
"""
C{rtmptw compare}: two conversations, and the first difference between them that matters.

Exit status: 0 if there is none, 1 if there is one, 2 if they could not be compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, ClassVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorCore
from twisted.python.usage import UsageError

from rtmptw.capture.saved import SavedTraceError, readSaved
from rtmptw.cli.options import FAILED, WRONG_USAGE, ServerOptions, fail
from rtmptw.compare.comparison import Comparison, compareConversations, entriesOf
from rtmptw.compare.jsonform import toJSON
from rtmptw.compare.sidebyside import sideBySide
from rtmptw.dialects.visit import PATIENCE
from rtmptw.discretion import Discretion
from rtmptw.doctor.sample import Unsampled, sample
from rtmptw.errors import URLError
from rtmptw.testing import DIALECTS, Unreachable, target
from rtmptw.trace.entry import Entry
from rtmptw.url import RTMPURL

__all__ = ["CompareOptions", "run"]

_EXAMPLES = """
A and B are traces saved by "rtmptw trace --save", raw streams (X.c2s.bin and
X.s2c.bin), or URLs: a server of a URL is visited by the client of --client.
Name first what works.

  rtmptw compare rtmp://127.0.0.1:1936/live/test rtmp://127.0.0.1/live/test
  rtmptw compare works/1 mine/1
  rtmptw compare --client ffmpeg-play --all works/1 rtmp://127.0.0.1/live/test
"""

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


class CompareOptions(ServerOptions):
    """rtmptw compare"""

    command = "compare"
    synopsis = "[options] A B"
    longdesc = (
        "Show the first difference between two conversations that matters, decoded to the field; what never matters, "
        "such as times, random bytes and names, is left out. Exit status: 0 no such difference, 1 there is one, 2 they "
        "could not be compared."
    )
    examples = _EXAMPLES

    optFlags = [
        ["all", None, "List all that was said, beside each other."],
        ["json", None, "Print the result as JSON."],
        ["show-secrets", None, "Do not mask the streams' names and other secrets."],
    ]
    optParameters: ClassVar[list[list[Any]]] = [
        ["client", None, "ffmpeg-publish", "Who visits a server; rtmptw doctor --list names them."],
        ["timeout", None, PATIENCE, "How long an answer may take, seconds."],
    ]

    def parseArgs(self, *arguments: str) -> None:
        """A and B."""
        if len(arguments) != 2:
            raise UsageError("compare needs two traces or URLs: A and B")
        self["sources"] = [_source(argument) for argument in arguments]

    def postOptions(self) -> None:
        """
        @raise UsageError: if something can't be.
        """
        self.readNumber("timeout", 0.1)
        if self["client"] not in DIALECTS:
            raise UsageError(f"--client {self['client']}: there is none; rtmptw doctor --list names them")
        for source in self["sources"]:
            if isinstance(source, RTMPURL):
                self.tlsTo(source)


def _source(text: str) -> RTMPURL | str:
    if not _URL.match(text):
        return text
    try:
        url = RTMPURL.parse(text)
    except URLError as error:
        raise UsageError(str(error)) from None
    if not url.name and not url.app:
        raise UsageError("the URL names no stream: rtmp://host/application/name")
    return url


def _label(source: RTMPURL | str, shows: bool) -> str:
    """What it is called. A client that did not get as far as the name did not make it known as a secret."""
    return str(source) if shows or isinstance(source, str) else Discretion(source).about(source)


async def run(reactor: Any, options: CompareOptions) -> None:
    """
    Compare, and tell.

    @raise SystemExit: with the status, unless there is no difference.
    """
    told: list[Sequence[Entry]] = []
    notes: list[str] = []
    labels = [_label(source, bool(options["show-secrets"])) for source in options["sources"]]
    for source, label in zip(options["sources"], labels, strict=True):
        try:
            if isinstance(source, RTMPURL):
                server = target(
                    source,
                    patience=options.readNumber("timeout", 0.1),
                    reactor=reactor,
                    tls=options.tlsTo(source),
                )
                work = Deferred.fromCoroutine(sample(server, DIALECTS[options["client"]]))
                IReactorCore(reactor).addSystemEventTrigger("before", "shutdown", work.cancel)
                told.append(await work)
            else:
                trace = readSaved(source)
                notes += [f"{label}: {note}" for note in trace.notes]
                told.append(list(entriesOf(trace.segments, trace.endings)))
        except CancelledError:
            fail(f"{options.title}: interrupted", WRONG_USAGE)
        except (OSError, SavedTraceError, Unreachable, Unsampled) as error:
            fail(f"{options.title}: {label}: {error}", WRONG_USAGE)
    comparison = compareConversations(told[0], told[1], (labels[0], labels[1]))
    _print(comparison, notes, options)
    if comparison.first is not None:
        raise SystemExit(FAILED)


def _print(comparison: Comparison, notes: list[str], options: CompareOptions) -> None:
    shows = bool(options["show-secrets"])
    if options["json"]:
        print(json.dumps({**toJSON(comparison, shows), "traceNotes": notes}, indent=2))
        return
    for note in notes:
        print(f"Note: {note}")
    print("\n".join(sideBySide(comparison, shows, bool(options["all"]))))
