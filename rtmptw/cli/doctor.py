# -*- test-case-name: tests.cli.test_doctor -*-
"""
C{rtmptw doctor}: examine a server.

Exit status: 0 if it is healthy, 1 if a client would stop or lose something, 2 if something could not be tested and
nothing was found. Ctrl-C ends it with what is known by then; that is not everything, so the status is not 0.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Container
from contextlib import suppress
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorCore
from twisted.python.usage import UsageError

from rtmptw.cli.options import FAILED, OK, WRONG_USAGE, ServerOptions, fail
from rtmptw.cli.output import standardOutput
from rtmptw.dialects.dialect import Dialect
from rtmptw.dialects.visit import PATIENCE
from rtmptw.discretion import Discretion
from rtmptw.doctor.examination import Report, examine
from rtmptw.doctor.jsonreport import reportToJSON
from rtmptw.doctor.paragraphs import paragraphs
from rtmptw.doctor.probe import Probe
from rtmptw.errors import URLError
from rtmptw.session.streampath import partQuery
from rtmptw.show.secrets import Secrets
from rtmptw.testing import DIALECTS, PROBES, Unreachable, target
from rtmptw.url import RTMPURL

__all__ = ["DoctorOptions", "run"]

#: What C{--client} and C{--probe} take to leave out all of them.
_NONE = "none"

_T = TypeVar("_T")

_EXAMPLES = """
The stream of the URL is published and played, many times: it must be one that
nobody else uses. Where it can be played at another URL, --play-url says so;
with --no-play, what is lost is not seen.

  rtmptw doctor rtmp://HOST/live/test
  rtmptw doctor --client obs-publish --probe none rtmps://HOST/live/KEY
  rtmptw doctor --no-play --json rtmp://HOST/live/KEY > report.json
  rtmptw doctor --list
"""


class DoctorOptions(ServerOptions):
    """rtmptw doctor"""

    command = "doctor"
    synopsis = "[options] URL"
    longdesc = (
        "Act as FFmpeg, OBS, librtmp, GStreamer, MediaMTX, nginx-rtmp, SRS and Flash, each as it really speaks, and "
        "tell where they would stop, why, and how to mend it. Exit status: 0 healthy, 1 findings, 2 could not test."
    )
    examples = _EXAMPLES

    optFlags = [
        ["list", None, "List the clients and the probes, and exit."],
        ["no-play", None, "Only publish."],
        ["json", None, "Print the report as JSON."],
        ["show-secrets", None, "Do not mask the stream's name and other secrets."],
        ["quiet", "q", "Do not say what is done next."],
    ]
    optParameters = [
        ["app", None, None, "The application, if it is not what the URL says."],
        ["name", None, None, "The stream's name, if it is not what the URL says."],
        ["play-url", None, None, "Where the stream can be played, if elsewhere."],
        ["timeout", None, str(PATIENCE), "How long an answer may take, seconds."],
    ]

    def __init__(self) -> None:
        super().__init__()
        self["client"] = []
        self["probe"] = []

    def opt_client(self, name: str) -> None:
        """Only this client, or none; may be repeated."""
        self["client"].append(_known(name, "--client", DIALECTS))

    def opt_probe(self, name: str) -> None:
        """Only this probe, or none; may be repeated."""
        self["probe"].append(_known(name, "--probe", PROBES))

    def opt_list(self) -> None:
        """List the clients and the probes, and exit."""
        print("Clients:")
        print("".join(f"  {name:<20}{dialect.program}\n" for name, dialect in DIALECTS.items()))
        print("Probes:")
        print("".join(f"  {name:<20}{probe.question}\n" for name, probe in PROBES.items()), end="")
        raise SystemExit(OK)

    def parseArgs(self, *arguments: str) -> None:
        """The URL."""
        if len(arguments) != 1:
            raise UsageError("doctor needs one URL")
        self["url"] = self._readURL("", arguments[0], self["app"], self["name"])

    def postOptions(self) -> None:
        """
        @raise UsageError: if something can't be.
        """
        self.readNumber("timeout", 0.1)
        self.tlsTo(self["url"])
        if self["play-url"] is not None:
            if self["no-play"]:
                raise UsageError("--no-play and --play-url: only one of them")
            self["play-url"] = self._readURL("--play-url: ", self["play-url"])
        if not self.dialects and not self.probes:
            raise UsageError("nothing is left to be examined")

    @property
    def dialects(self) -> list[Dialect]:
        """Who visits the server, in the usual order."""
        return [each for each in _chosen(self["client"], DIALECTS) if each.publishes or not self["no-play"]]

    @property
    def probes(self) -> list[Probe]:
        """What it is asked, in the usual order."""
        return [each for each in _chosen(self["probe"], PROBES) if not (each.plays and self["no-play"])]

    def _readURL(self, option: str, text: str, app: str | None = None, name: str | None = None) -> RTMPURL:
        try:
            url = RTMPURL.parse(text, app, name)
        except URLError as error:
            raise UsageError(f"{option}{error}") from None
        if not url.name and not url.app:
            raise UsageError(f"{option}the URL names no stream: rtmp://host/application/name")
        if url.user:
            raise UsageError(
                f"{option}a user and a password in the URL: the doctor can't log in; its server must not ask"
            )
        return url


def _known(name: str, option: str, names: Container[str]) -> str:
    if name != _NONE and name not in names:
        raise UsageError(f"{option} {name}: there is none; --list lists them")
    return name


def _chosen(given: list[str], all: dict[str, _T]) -> list[_T]:
    """What is asked for; all, if nothing is."""
    return [each for name, each in all.items() if not given or name in given]


async def run(reactor: Any, options: DoctorOptions) -> None:
    """
    Examine, and tell.

    @raise SystemExit: with the status, unless the server is healthy.
    """
    url: RTMPURL = options["url"]
    server = target(
        url,
        playURL=options["play-url"],
        patience=options.readNumber("timeout", 0.1),
        reactor=reactor,
        tls=options.tlsTo(url),
    )
    if options["no-play"]:
        server.playURL = None

    def tell(line: str) -> None:
        if not options["quiet"]:
            print(line, file=sys.stderr)

    report = Report()
    work = Deferred.fromCoroutine(examine(server, options.dialects, options.probes, tell, report))
    IReactorCore(reactor).addSystemEventTrigger("before", "shutdown", work.cancel)
    try:
        await work
    except Unreachable as error:
        fail(f"{options.title}: {url.host}, port {url.port}: {error}", WRONG_USAGE)
    except CancelledError:
        print(f"{options.title}: interrupted", file=sys.stderr)
    _print(report, options)
    status = FAILED if report.findings else WRONG_USAGE if report.untested else OK
    if status:
        raise SystemExit(status)


def _print(report: Report, options: DoctorOptions) -> None:
    url: RTMPURL = options["url"]
    app = partQuery(url.app)[0]
    place = f"{url.scheme}://{url.host}:{url.port}/{app}"
    secrets: Secrets | None = None
    about: Callable[[str], str] = str
    if not options["show-secrets"]:
        secrets = shown = Secrets([app])

        def about(text: str) -> str:
            return shown.remark(_discreet(text, options))

    if options["json"]:
        text = json.dumps(reportToJSON(report, place, secrets, about), indent=2)
    else:
        text = "\n".join(paragraphs(report, place, secrets, about))
    if secrets is not None and "/" in url.name:
        # Some clients take what is in front of the last slash for the application, which is no secret elsewhere.
        text = _discreet(text, options).replace("\N{HORIZONTAL ELLIPSIS}", "\\u2026")
    # Who has read enough has read enough.
    with suppress(BrokenPipeError):
        standardOutput()(f"{text}\n")


def _discreet(text: str, options: DoctorOptions) -> str:
    """A text without what the URLs must not tell."""
    for url in (options["url"], options["play-url"]):
        if url is not None:
            text = Discretion(url).about(text)
    return text
