"""
Limelight's authentication: a server that speaks it (L{tests.interop.limelight}) asks FFmpeg and our client. What FFmpeg
answers is what our function makes of the same nonces, to the letter; and our client is let in as FFmpeg is.
"""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from dataclasses import dataclass
from unittest import TestCase
from urllib.parse import unquote

from rtmptw.session.authentication import nextQuery
from tests.interop.compare import Media, assertSameMedia, mediaOf, readWholeFLV
from tests.interop.limelight import ECHOED, FORGETFUL, LONG
from tests.interop.ourclient import OurClient
from tests.interop.processes import Process, once
from tests.interop.programs import ffmpeg5, ffmpeg9
from tests.interop.publishers import ffmpegPublish
from tests.interop.server import Server
from tests.interop.sources import remux, source

FFMPEGS = {"ffmpeg5": ffmpeg5, "ffmpeg9": ffmpeg9}


@dataclass(frozen=True)
class Case:
    """
    One publish.

    @ivar user: as it stands in the URL, and as FFmpeg says it.
    @ivar password: as it stands in the URL.
    @ivar path: of the URL; C{*} stands for an application of its own.
    @ivar app: what FFmpeg takes for the application.
    @ivar stream: where our server puts it; empty if it does not let it in.
    """

    user: str
    password: str
    path: str
    app: str
    stream: str


#: By name.
CASES = {
    "plain": Case("camera", "sesame", "*/x", "*", "*/x"),
    "instance": Case("camera", "sesame", "*/inst/x", "*/inst", "*/inst/x"),
    "default": Case("camera", "sesame", "*/_definst_/x", "*/_definst_", "*/x"),
    "slash": Case("camera", "sesame", "*//x", "*/", "*/x"),
    "query": Case("camera", "sesame", "*?k=v/x", "*?k=v", "*/x"),
    "slashes": Case("camera", "sesame", "*?k=a/b/x", "*?k=a/b", "*/x"),
    "encoded": Case("al%40b", "p%40ss", "*/x", "*", "*/x"),
    "wrong": Case("camera", "Sesame", "*/x", "*", ""),
}

#: What FFmpeg does in its own way: of a URL it decodes nothing, which it splits at the last @; it cuts passwords; it
#: takes the user from the server's demand.
FFMPEG_CASES = {
    **CASES,
    "raw": Case("al@b", "p@ss", "*/x", "*", "*/x"),
    "long": Case("long", LONG, "*/x", "*", "*/x"),
    "echoed": Case(FORGETFUL, "sesame", "*/x", "*", "*/x"),
    "split": Case("camera", "sesame", "*/y?u=a/x", "*/y?u=a", "*/y/x"),
}

#: Where we do otherwise: we take passwords as they are, and of a query that belongs to the name no slash.
OUR_CASES = {
    **CASES,
    "long": Case("long", LONG, "*/x", "*", ""),
    "short": Case("long", LONG[:49], "*/x", "*", "*/x"),
    "nameQuery": Case("camera", "sesame", "*/x?u=a/b", "*", "*/x"),
}


@dataclass
class Ended:
    """
    How it went.

    @ivar status: the exit status.
    @ivar output: what the program has printed.
    @ivar apps: the application of each connect.
    @ivar tcUrls: the tcUrl of each connect, from the application on.
    @ivar recorded: what was recorded.
    """

    status: int
    output: str
    apps: list[str]
    tcUrls: list[str]
    recorded: list[Media]


def _publisher(program: str, server: Server, name: str, case: Case) -> Process:
    url = server.url(case.path.replace("*", name)).replace("://", f"://{case.user}:{case.password}@")
    log = server.directory / f"{name}.log"
    if program == "ours":
        return OurClient("publish", url, source(), log, "--pace", "push", "--verbose")
    return Process(ffmpegPublish(FFMPEGS[program](), source(), url, realTime=False), log)


@once
def publishAll(program: str) -> dict[str, Ended]:
    """
    Let a program publish every case, all at the same time.

    @return: how it went, by name.
    """
    cases = OUR_CASES if program == "ours" else FFMPEG_CASES
    with Server(arguments=("-m", "tests.interop.limelight")) as server, ExitStack() as stack:
        running = {name: stack.enter_context(_publisher(program, server, name, case)) for name, case in cases.items()}
        statuses = {name: process.wait() for name, process in running.items()}
        connects = [json.loads(line) for line in server.log.splitlines() if line.startswith('{"app"')]
        results = {}
        for name, case in cases.items():
            mine = [said for said in connects if re.split("[/?]", said["app"])[0] == name]
            recorded: list[Media] = []
            if case.stream and not statuses[name]:
                recorded = mediaOf(readWholeFLV(server.recording(case.stream.replace("*", name))))
            results[name] = Ended(
                statuses[name],
                running[name].output,
                [said["app"] for said in mine],
                [re.sub("^rtmp://[^/]+/", "", said["tcUrl"]) for said in mine],
                recorded,
            )
        return results


def _demand(user: str, nonce: str) -> str:
    return f"[ AccessManager.Reject ] : [ authmod=llnw ] : ?reason=needauth&user={user}&nonce={nonce}"


class FFmpegTests(TestCase):
    """FFmpeg's three connects, and ours from the same nonces."""

    def check(self, program: str, name: str) -> None:
        case, ended = FFMPEG_CASES[name], publishAll(program)[name]
        self.assertEqual(ended.apps, ended.tcUrls)
        first, second, third = ended.apps
        app = case.app.replace("*", name)
        self.assertEqual(first, app)
        need = "[ AccessManager.Reject ] : [ code=403 need auth; authmod=llnw ] : "
        # Even where there is a query already, FFmpeg's begins with a question mark.
        self.assertEqual(second, f"{app}?{nextQuery(need, case.user, case.password, app)}")
        user = ECHOED if case.user == FORGETFUL else case.user
        found = re.search("&nonce=([0-9a-f]{24})&cnonce=([0-9a-f]{8})&", third)
        assert found is not None, third
        nonce, own = found.groups()
        expected = nextQuery(_demand(user, nonce), user, case.password[:49], app, lambda count: bytes.fromhex(own))
        self.assertEqual(third, f"{app}?{expected}")

    def test_same(self) -> None:
        """To the letter, whatever the application looks like."""
        for program in FFMPEGS:
            for name in FFMPEG_CASES:
                with self.subTest(program=program, case=name):
                    self.check(program, name)

    def test_letIn(self) -> None:
        """The server, which works it out in its own way, lets in who is right."""
        for program, executable in FFMPEGS.items():
            for name, case in FFMPEG_CASES.items():
                with self.subTest(program=program, case=name):
                    ended = publishAll(program)[name]
                    if case.stream:
                        self.assertEqual(ended.status, 0, ended.output)
                        sent = mediaOf(readWholeFLV(remux(executable(), source())))
                        assertSameMedia(self, ended.recorded, sent, name)
                    else:
                        self.assertNotEqual(ended.status, 0)
                        self.assertIn("Incorrect username/password", ended.output)

    def test_everyTimeAnother(self) -> None:
        """FFmpeg takes another nonce of its own each time: what is compared is not one answer only."""
        for program in FFMPEGS:
            with self.subTest(program=program):
                ended = publishAll(program)
                own = {one.apps[2].partition("&cnonce=")[2][:8] for one in ended.values()}
                self.assertEqual(len(own), len(FFMPEG_CASES))


class OurClientTests(TestCase):
    """Our own client, through its public names."""

    def test_letIn(self) -> None:
        """Three connects, and then everything arrives."""
        sent = mediaOf(readWholeFLV(source()))
        for name, case in OUR_CASES.items():
            if case.stream:
                with self.subTest(case=name):
                    ended = publishAll("ours")[name]
                    self.assertEqual(ended.status, 0, ended.output)
                    self.assertEqual(len(ended.apps), 3)
                    self.assertEqual(ended.apps, ended.tcUrls)
                    self.assertEqual(ended.apps[0], case.app.replace("*", name))
                    assertSameMedia(self, ended.recorded, sent, name)

    def test_refused(self) -> None:
        """With another password the client says so, and does not say which."""
        for name, case in OUR_CASES.items():
            if not case.stream:
                with self.subTest(case=name):
                    ended = publishAll("ours")[name]
                    self.assertEqual(ended.status, 1)
                    self.assertRegex(ended.output, "(?m)^failed: AuthenticationError: .* this password for the user")
                    self.assertNotIn(case.password, ended.output)

    def test_log(self) -> None:
        """In its log, a line for every message: neither password nor response."""
        for name, case in OUR_CASES.items():
            with self.subTest(case=name):
                ended = publishAll("ours")[name]
                self.assertRegex(ended.output, "< connect.*authmod=[*]{3}")
                for secret in (case.password, unquote(case.password), ended.apps[2].partition("&response=")[2]):
                    self.assertNotIn(secret, ended.output)
