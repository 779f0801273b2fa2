# -*- test-case-name: tests.cli.test_trace -*-
"""
C{rtmptw trace}: what a client and a server say to each other, as it happens, or from a file.

Exit status: 0; with C{--read}, 1 if a client stops at something in it, something is lost by it, or can't be read; 2 if
there is nothing to read.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast

from twisted.internet.endpoints import HostnameEndpoint, serverFromString, wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint, IStreamServerEndpoint
from twisted.python.usage import UsageError

from rtmptw.capture.capturefile import CapturedConnection, CaptureError, readCapture
from rtmptw.capture.saved import readSaved, savedTraces
from rtmptw.cli.options import FAILED, WRONG_USAGE, ServerOptions, fail
from rtmptw.cli.output import standardOutput
from rtmptw.cli.tracing import Tracing
from rtmptw.closereason import explain
from rtmptw.errors import CertificateError, RTMPError, URLError
from rtmptw.show.line import LineOptions
from rtmptw.show.printer import Form, Printer
from rtmptw.show.secrets import Secrets
from rtmptw.tls.endpoint import hardened
from rtmptw.trace.segment import End, Segment, Side, inOrder
from rtmptw.url import RTMPURL

__all__ = ["TraceOptions", "originOf", "run"]

_EXAMPLES = """
With --listen it stands between a client and a server: the client connects to
PORT, and everything goes on to the URL's host and port, and back, byte for
byte. The client says for itself which application and stream it wants; those
of the URL do not matter. But it believes that this here is the server, so its
tcUrl has this host and port in it, and that is passed on as it is. nginx-rtmp
does not look at it; servers that have virtual hosts may.

Stream names, tokens and passwords are masked: the same secret is <key#1> or
<secret#2> wherever it stands. What is saved by --save is not masked. Ctrl-C
ends it.

  rtmptw trace --listen 1936 rtmp://HOST:1935
      then: ffmpeg -re -i film.mp4 -c copy -f flv rtmp://127.0.0.1:1936/live/film
  rtmptw trace --listen tcp:1936:interface=0.0.0.0 --save traces rtmps://HOST
  rtmptw trace --read traces
  rtmptw trace --read capture.pcapng --hex
  rtmptw trace --read traces/1 --json | jq 'select(.violations != [])'

A line has the time in seconds, the direction, what it is; then chunk stream
ID, chunk type, message stream ID, timestamp, message type, size, and the byte
at which it begins in the stream of its side. Below it, !! is what clients stop
at, or what loses something, and ! is what is good to know. With --read the
exit status is 1 if there is any !!, or something can't be read.
"""

_MAX_PORT = 65535

#: What the captures' formats begin with: pcap in both orders, with microseconds and nanoseconds; pcapng; gzip.
_CAPTURES = tuple(bytes.fromhex(each) for each in ("d4c3b2a1", "a1b2c3d4", "4d3cb2a1", "a1b23c4d", "0a0d0d0a", "1f8b"))


class TraceOptions(ServerOptions):
    """rtmptw trace"""

    command = "trace"
    synopsis = "[options] --listen PORT URL | --read PATH"
    examples = _EXAMPLES
    optFlags = [
        ["hex", "x", "Show the bytes as well, each with its place in the stream of its side."],
        ["chunks", "c", "Show the chunks of each message."],
        ["json", None, "Print a JSON object for each line."],
        ["quiet", "q", "Print only what something is wrong with."],
        ["show-secrets", None, "Mask nothing."],
        ["once", None, "End after the first connection."],
    ]
    optParameters = [
        ["listen", "l", None, "A port on 127.0.0.1, or a server endpoint like tcp:1936:interface=0.0.0.0."],
        ["read", "r", None, "A pcap or pcapng file, what --save has saved, or the raw bytes of one side."],
        ["save", "s", None, "Save the raw bytes of each connection in this directory, each in one of its own."],
        ["side", None, None, "Whose raw bytes --read reads: client or server; by default, it is found out."],
    ]

    def parseArgs(self, *arguments: str) -> None:
        """The URL."""
        if len(arguments) > 1:
            raise UsageError("trace needs one URL")
        self["url"] = None
        if arguments:
            try:
                self["url"] = RTMPURL.parse(arguments[0])
            except URLError as error:
                raise UsageError(str(error)) from None

    def postOptions(self) -> None:
        """
        @raise UsageError: if something is missing, or does not go with something else.
        """
        if (self["listen"] is None) is (self["read"] is None):
            raise UsageError("trace needs either --listen PORT and a URL, or --read PATH")
        if self["listen"] is not None:
            if self["url"] is None:
                raise UsageError("--listen needs a URL: where everything goes, as rtmp://HOST:1935")
            self.tlsTo(self["url"])
            if self["side"]:
                raise UsageError("--side goes with --read")
            if self["save"] is not None:
                self._checkDirectory(self["save"])
            return
        for option in ("save", "once", "url"):
            if self[option]:
                raise UsageError(f"--read goes without {'a URL' if option == 'url' else f'--{option}'}")
        if self["side"] not in (None, *(side.value for side in Side)):
            raise UsageError(f"--side {self['side']}: it is client or server")

    def _checkDirectory(self, path: str) -> None:
        if os.path.exists(path) and not os.path.isdir(path):
            raise UsageError(f"--save {path}: it is not a directory")
        if savedTraces(path):
            raise UsageError(f"--save {path}: there are saved traces in it already")

    def endpoint(self, reactor: Any) -> IStreamServerEndpoint:
        """
        Where to listen.

        @raise UsageError: if that is none.
        """
        text = self["listen"]
        try:
            if text.isdigit() and int(text) > _MAX_PORT:
                raise ValueError(f"no port number is larger than {_MAX_PORT}")
            description = f"tcp:{text}:interface=127.0.0.1" if text.isdigit() else hardened(text)
            return cast(IStreamServerEndpoint, serverFromString(reactor, description))
        except CertificateError as error:
            raise UsageError(f"--listen {text}: {error}") from None
        except Exception as error:
            # Every kind of endpoint has its own way to complain.
            raise UsageError(
                f"--listen {text}: {explain(error)}. "
                "It is a port number, or an endpoint such as tcp:1936:interface=0.0.0.0"
            ) from None

    def target(self, reactor: Any) -> IStreamClientEndpoint:
        """Where everything goes."""
        url = self["url"]
        tls = self.tlsTo(url)
        plain = HostnameEndpoint(reactor, url.host, url.port)
        return plain if tls is None else wrapClientTLS(tls, plain)

    def say(self, text: str) -> None:
        """Say something that is not a part of the trace."""
        print(f"{self.title}: {text}", file=sys.stderr)

    @property
    def form(self) -> Form:
        """How entries are written."""
        secrets = None if self["show-secrets"] else Secrets()
        return Form(
            LineOptions(secrets, bool(self["chunks"]), bool(self["hex"])), bool(self["json"]), bool(self["quiet"])
        )


def originOf(url: RTMPURL) -> str:
    """The URL without what is behind its port."""
    return str(replace(url, app="", name="")).rstrip("/")


async def run(reactor: Any, options: TraceOptions) -> None:
    """
    Do it.

    @raise SystemExit: see above.
    """
    if options["read"] is not None:
        _read(options)
        return
    url = options["url"]
    try:
        endpoint = options.endpoint(reactor)
    except UsageError as error:
        fail(f"{options.title}: {error}", WRONG_USAGE)
    tracing = Tracing(reactor, options.form, standardOutput(), options.say, bool(options["once"]))
    if options["save"] is not None:
        tracing.save(options["save"], originOf(url))
    try:
        await tracing.begin(endpoint, options.target(reactor))
    except Exception as error:
        fail(f"{options.title}: --listen {options['listen']}: {explain(error)}")
    options.say(f"{tracing.place} leads to {originOf(url)}; Ctrl-C ends it")
    await tracing.done


@dataclass
class _Past:
    """
    A session that is over.

    @ivar title: what it is called.
    @ivar notes: what is to be known about it.
    @ivar endings: how its sides have ended, as far as that is known.
    """

    title: str
    segments: list[Segment]
    notes: list[str]
    endings: list[End] = field(default_factory=list)


def _read(options: TraceOptions) -> None:
    """
    Show what is in a file. It is done before the reactor runs, so that Ctrl-C ends it at once.

    @raise SystemExit: see above.
    """
    form, write = options.form, standardOutput()
    printers: list[Printer] = []
    wrong = ""
    try:
        try:
            sessions = _open(options["read"], options["side"])
        except CaptureError as error:
            wrong, sessions = str(error), [_captured(each) for each in error.connections]
        for number, session in enumerate(sessions, 1):
            printer = Printer(number, form, write)
            printers.append(printer)
            if not form.quiet:
                for text in (f"connection {number}: {session.title}", *session.notes):
                    printer.remark(text)
            for each in inOrder(session.segments, session.endings):
                if isinstance(each, Segment):
                    printer.said(each)
                else:
                    printer.closed(each.side, each.how, each.at)
            printer.over("nothing more is there")
    except (BrokenPipeError, KeyboardInterrupt):
        # Who has read enough has read enough.
        wrong = ""
    except (OSError, RTMPError) as error:
        wrong = str(error)
    if wrong:
        fail(f"{options.title}: {wrong}", WRONG_USAGE)
    if any(printer.grave for printer in printers):
        raise SystemExit(FAILED)


def _open(path: str, side: str | None) -> list[_Past]:
    """
    @raise RTMPError: it can't be understood.
    @raise OSError: it can't be read.
    """
    if os.path.isfile(path):
        with open(path, "rb") as file:
            if file.read(4).startswith(_CAPTURES):
                return [_captured(each) for each in readCapture(path)]
    sessions = []
    for each in savedTraces(path) or [path]:
        trace = readSaved(each, None if side is None else Side(side))
        title = " ".join(filter(None, (each, trace.began, f"to {trace.url}" if trace.url else "")))
        sessions.append(_Past(title, trace.segments, trace.notes, trace.endings))
    return sessions


def _captured(connection: CapturedConnection) -> _Past:
    began = f"{datetime.fromtimestamp(connection.began, UTC).isoformat(timespec='milliseconds')} "
    title = f"{began if connection.began else ''}{connection.client} to {connection.server}"
    return _Past(title, connection.segments, connection.notes)
