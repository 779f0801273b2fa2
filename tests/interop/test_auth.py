"""
C{twistd rtmp --publish-user}: real publishers with the right password, with a wrong one and without any; and players,
who are asked for none.

All of them come to one server at the same time; each test then looks at one of them.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from unittest import SkipTest, TestCase

from tests.interop.compare import Media, assertSameMedia, mediaOf, readFLV, readWholeFLV
from tests.interop.players import play
from tests.interop.processes import Process, once
from tests.interop.programs import ffmpeg5, ffmpeg9
from tests.interop.publishers import ffmpegPublish, gstPublish
from tests.interop.server import Server
from tests.interop.sources import remux, source

#: Two users. What the second one has means something in URLs.
USERS = """\
# who may publish
camera:sesame
al@b:p@ss/w:rd
"""

#: The second one in a URL.
ENCODED = "al%40b:p%40ss%2Fw%3Ard"

PUBLISHERS = ("ffmpeg5", "ffmpeg9", "rtmp2sink")
PLAYERS = ("ffmpeg5", "ffmpeg9", "rtmpdump", "rtmp2src")

#: By name: who publishes, with what in front of the host; and whether that is right.
CASES: dict[str, tuple[str, str, bool]] = {
    **{f"{program} right": (program, "camera:sesame@", True) for program in PUBLISHERS},
    **{f"{program} encoded": (program, f"{ENCODED}@", True) for program in PUBLISHERS},
    **{f"{program} wrong": (program, "camera:Sesame@", False) for program in PUBLISHERS},
    **{f"{program} unknown": (program, "nobody:sesame@", False) for program in ("ffmpeg5", "rtmp2sink")},
    **{f"{program} without": (program, "", False) for program in PUBLISHERS},
    "rtmpsink without": ("rtmpsink", "", False),
    "ffmpeg5 raw": ("ffmpeg5", "al@b:sesame@", False),
}

#: The stream that is played: the first one's.
PLAYED = "live/ffmpeg9-right"


@dataclass
class Ended:
    """
    How it went for one program.

    @ivar status: its exit status.
    @ivar output: what it has printed.
    @ivar sent: what it has sent, or, of a player, what it has got.
    @ivar recorded: what was recorded of it.
    """

    status: int
    output: str
    sent: list[Media]
    recorded: list[Media]


def _command(server: Server, name: str) -> tuple[list[str], Path]:
    """
    A publisher's command line, and the file with what it sends.

    @raise SkipTest: if its program is missing.
    """
    program, credentials, _ = CASES[name]
    url = server.url(_path(name)).replace("://", f"://{credentials}")
    if program.startswith("ffmpeg"):
        executable = ffmpeg5() if program == "ffmpeg5" else ffmpeg9()
        return ffmpegPublish(executable, source(), url), remux(executable, source())
    sent = server.directory / f"{name}.sent.flv".replace(" ", "-")
    return gstPublish(program, source(), sent, url), sent


def _path(name: str) -> str:
    return f"live/{name.replace(' ', '-')}"


@once
def runAll() -> tuple[dict[str, Ended | Exception], str]:
    """
    Let all publish and play, each publisher to a stream of its own.

    @return: how it went, a missing program being the exception that says so; and the server's log.
    """
    results: dict[str, Ended | Exception] = {}
    server = Server("--publish-user", "users")
    file = server.directory / "users"
    file.write_text(USERS)
    file.chmod(0o600)
    with server, ExitStack() as stack:
        running: dict[str, tuple[Process, Path]] = {}

        def start(name: str, command: list[str], file: Path) -> None:
            running[name] = stack.enter_context(Process(command, server.directory / f"{name}.log")), file

        players = []
        for player in PLAYERS:
            name, file = f"{player} plays", server.directory / f"{player}.flv"
            try:
                start(name, play(player, server.url(PLAYED), file), file)
                players.append(name)
            except (SkipTest, AssertionError) as error:
                results[name] = error
        server.waitForLog(r": playing \S+", len(players))
        for name in CASES:
            try:
                start(name, *_command(server, name))
            except (SkipTest, AssertionError) as error:
                results[name] = error
        for name, (process, file) in running.items():
            try:
                results[name] = _finish(server, name, process, file)
            except AssertionError as error:
                results[name] = error
        return results, server.log


def _finish(server: Server, name: str, process: Process, file: Path) -> Ended:
    status = process.wait()
    recorded: list[Media] = []
    if name in CASES and CASES[name][2]:
        recorded = mediaOf(readWholeFLV(server.recording(_path(name))))
    sent = mediaOf(readFLV(file)) if file.exists() else []
    return Ended(status, process.output, sent, recorded)


class _Case(TestCase):
    def ended(self, name: str) -> Ended:
        """How it went for one program."""
        result = runAll()[0][name]
        if isinstance(result, Exception):
            raise result
        return result


class RightTests(_Case):
    """With the right password: the recording is what was sent."""

    def check(self, name: str) -> None:
        result = self.ended(name)
        self.assertEqual(result.status, 0, result.output)
        assertSameMedia(self, result.recorded, result.sent, name)

    def test_ffmpeg5(self) -> None:
        """FFmpeg 5.1."""
        self.check("ffmpeg5 right")

    def test_ffmpeg9(self) -> None:
        """FFmpeg 9."""
        self.check("ffmpeg9 right")

    def test_rtmp2sink(self) -> None:
        """GStreamer's own RTMP."""
        self.check("rtmp2sink right")

    def test_encoded(self) -> None:
        """One URL for all, with percent-encoded characters: rtmp2sink decodes them, FFmpeg does not."""
        for program in PUBLISHERS:
            with self.subTest(program=program):
                self.check(f"{program} encoded")

    def test_log(self) -> None:
        """One line for each who has authenticated, and no password anywhere."""
        results, log = runAll()
        for name, (_, credentials, right) in CASES.items():
            if right and isinstance(results[name], Exception):
                raise results[name]  # type: ignore[misc]
            self.assertNotIn(credentials.partition(":")[2] or "sesame", log)
        self.assertNotIn("response=", log)
        users = re.findall(r"(?m)127\.0\.0\.1:\d+: authenticated as (\S+)$", log)
        self.assertEqual(sorted(users), ["al@b"] * 3 + ["camera"] * 3)


class WrongTests(_Case):
    """Without the right password: they end by themselves, and say why."""

    def check(self, name: str, *words: str) -> None:
        result = self.ended(name)
        self.assertNotEqual(result.status, 0, result.output)
        for word in words:
            self.assertIn(word, result.output)
        _, log = runAll()
        self.assertNotIn(f"publishing {_path(name)}", log)

    def test_ffmpeg5(self) -> None:
        """FFmpeg 5.1."""
        self.check("ffmpeg5 wrong", "Incorrect username/password", "reason=authfailed")

    def test_ffmpeg9(self) -> None:
        """FFmpeg 9."""
        self.check("ffmpeg9 wrong", "Incorrect username/password", "reason=authfailed")

    def test_rtmp2sink(self) -> None:
        """GStreamer's own RTMP."""
        self.check("rtmp2sink wrong", "authentication failed", "reason=authfailed")

    def test_unknown(self) -> None:
        """A user who does not exist is told the same."""
        self.check("ffmpeg5 unknown", "Incorrect username/password")
        self.check("rtmp2sink unknown", "authentication failed")

    def test_otherPassword(self) -> None:
        """Another user's password is a wrong one. FFmpeg splits a URL at the last @."""
        self.check("ffmpeg5 raw", "Incorrect username/password")

    def test_withoutFFmpeg(self) -> None:
        """FFmpeg that has none says so, and shows what the server wants."""
        for program in ("ffmpeg5", "ffmpeg9"):
            with self.subTest(program=program):
                self.check(f"{program} without", "No credentials set", "code=403 need auth")

    def test_withoutGStreamer(self) -> None:
        """rtmp2sink says so as well."""
        self.check("rtmp2sink without", "no username for adobe authentication")

    def test_withoutLibrtmp(self) -> None:
        """librtmp, in rtmpsink, ends at once; it keeps the reason to itself."""
        self.check("rtmpsink without", "rtmpsink")

    def test_log(self) -> None:
        """One line for each failure, with the user's name."""
        results, log = runAll()
        users = re.findall(r"authentication failed: wrong user or password; user (\S+)", log)
        tried = [credentials for name, (_, credentials, right) in CASES.items() if credentials and not right]
        missing = [error for error in results.values() if isinstance(error, Exception)]
        if missing:
            raise missing[0]
        self.assertEqual(sorted(users), sorted(credentials.split(":")[0] for credentials in tried))


class PlayerTests(_Case):
    """Everybody may play, without any password."""

    def check(self, player: str, smallest: int) -> None:
        """
        @param smallest: how short a video message may be that the player keeps (see test_players).
        """
        result = self.ended(f"{player} plays")
        self.assertEqual(result.status, 0, result.output)
        _, log = runAll()
        self.assertIn(f"playing {PLAYED}", log)
        published = self.ended("ffmpeg9 right").recorded
        if smallest:
            self.assertGreaterEqual(len(result.sent), len(published) - 1)
        else:
            assertSameMedia(self, result.sent, published, player)

    def test_ffmpeg5(self) -> None:
        """FFmpeg 5.1."""
        self.check("ffmpeg5", 0)

    def test_ffmpeg9(self) -> None:
        """FFmpeg 9."""
        self.check("ffmpeg9", 0)

    def test_rtmpdump(self) -> None:
        """rtmpdump, which leaves out H.264's mark of the end."""
        self.check("rtmpdump", 6)

    def test_rtmp2src(self) -> None:
        """GStreamer's own RTMP, which leaves it out as well."""
        self.check("rtmp2src", 6)
