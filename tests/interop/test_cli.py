"""
C{rtmptw publish} and C{rtmptw play} as their user runs them: against our server and nginx, through relays, from and
into pipes, and interrupted.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import TestCase

from rtmptw.wire.message import MessageType
from tests.interop.compare import assertSameMedia, mediaOf, readFLV, readWholeFLV
from tests.interop.processes import PATIENCE, Process, waitFor
from tests.interop.programs import ffmpeg5
from tests.interop.relay import Relay
from tests.interop.server import ROOT, Server
from tests.interop.sources import CODECS, source

RTMPTW = (sys.executable, "-c", "from rtmptw.cli import main; main()")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}

#: What the server logs when somebody plays.
PLAYING = r"playing live/"


def rtmptw(*arguments: object) -> list[str]:
    """A command line."""
    return [*RTMPTW, *map(str, arguments)]


class CommandTestCase(TestCase):
    def setUp(self) -> None:
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="rtmptw-cli-")))

    def start(self, name: str, *arguments: object) -> Process:
        """Start a command."""
        return self.enterContext(Process(rtmptw(*arguments), self.directory / f"{name}.log", ENVIRONMENT))

    def shell(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a shell's command, in which C{rtmptw} is ours."""
        command = f'rtmptw() {{ {shlex.join(RTMPTW)} "$@"; }}\nset -o pipefail\n{command}'
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.directory,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )


class ThereAndBackTests(CommandTestCase):
    """What is published is what is played: type, time and every byte."""

    def test_ourServer(self) -> None:
        """Every codec, all at the same time."""
        sources = {codecs: source(codecs) for codecs in CODECS}
        files = {codecs: self.directory / f"{codecs}.flv" for codecs in CODECS}
        with Server() as server:
            urls = {codecs: server.url(f"live/{codecs}") for codecs in CODECS}
            players = [self.start(f"play-{name}", "play", urls[name], "-o", file) for name, file in files.items()]
            server.waitForLog(PLAYING, len(players))
            publishers = [self.start(f"publish-{name}", "publish", file, urls[name]) for name, file in sources.items()]
            for process in (*publishers, *players):
                process.succeed()
            for codecs, file in files.items():
                sent = mediaOf(readWholeFLV(sources[codecs]))
                assertSameMedia(self, mediaOf(readWholeFLV(file)), sent, codecs)
                assertSameMedia(self, mediaOf(readWholeFLV(server.recording(f"live/{codecs}"))), sent, codecs)

    def test_chain(self) -> None:
        """
        C{rtmptw publish}, our server that pushes, nginx, our server that pulls, C{rtmptw play}. Of each type everything
        arrives, in order and in time; nginx puts the headers elsewhere, right before the first frame of their type.
        """
        with Relay(self.directory, "") as nginx:
            url = f"rtmp://127.0.0.1:{nginx.port}/live"
            with (
                Server("--push", f"live={url}") as first,
                Server("--pull", f"tv/news={url}/camera") as last,
            ):
                player = self.start("play", "play", last.url("tv/news"), "-o", self.directory / "out.flv")
                last.waitForLog("tv/news: pulled from")
                self.start("publish", "publish", source(), first.url("live/camera")).succeed()
                player.succeed()
        played = readWholeFLV(self.directory / "out.flv")
        for type in (MessageType.AUDIO, MessageType.VIDEO):
            found, sent = (
                mediaOf([tag for tag in tags if tag.type == type]) for tags in (played, readWholeFLV(source()))
            )
            assertSameMedia(self, found, sent, type.name)


class PipeTests(CommandTestCase):
    def test_pipes(self) -> None:
        """From a pipe, from a file as standard input, and into pipes; as fast as it goes."""
        film = source()
        with Server() as server:
            rows = (f"cat {film} | rtmptw publish --fast - URL", f"rtmptw publish --fast - URL < {film}")
            for number, command in enumerate(rows):
                url = server.url(f"live/{number}")
                with Process(
                    ["bash", "-c", f"{shlex.join(rtmptw('play', url, '-o', '-'))} | cat > out{number}.flv"],
                    self.directory / "play.log",
                    ENVIRONMENT,
                ) as player:
                    server.waitForLog(f"playing live/{number}")
                    published = self.shell(command.replace("URL", url))
                    self.assertEqual(published.returncode, 0, published.stderr)
                    player.succeed()
                found = mediaOf(readWholeFLV(self.directory / f"out{number}.flv"))
                assertSameMedia(self, found, mediaOf(readWholeFLV(film)))

    def test_ffmpeg(self) -> None:
        """FFmpeg at both ends: what it muxes is published, and what is played can be decoded without a fault."""
        with Server() as server:
            url = server.url("live/film")
            play = f"rtmptw play {url} -o - | {ffmpeg5()} -v error -xerror -i - -f null -"
            with Process(
                ["bash", "-c", f'rtmptw() {{ {shlex.join(RTMPTW)} "$@"; }}; set -o pipefail; {play}'],
                self.directory / "play.log",
                ENVIRONMENT,
            ) as player:
                server.waitForLog(PLAYING)
                published = self.shell(
                    f"{ffmpeg5()} -nostdin -v error -re -i {source()} -c copy -f flv - | rtmptw publish - {url}"
                )
                self.assertEqual(published.returncode, 0, published.stderr)
                player.succeed()

    def test_enough(self) -> None:
        """A reader that has had enough ends it, and that is no fault."""
        with Server() as server:
            url = server.url("live/film")
            with Process(rtmptw("publish", "--loop", source(), url), self.directory / "publish.log", ENVIRONMENT):
                server.waitForLog("publishing live/film")
                played = self.shell(f"rtmptw play {url} -o - | head -c 10000 | wc -c")
        self.assertEqual((played.returncode, played.stdout.strip()), (0, "10000"), played.stderr)
        self.assertIn("nobody reads it any more", played.stderr)


class EndTests(CommandTestCase):
    """Ctrl-C, and servers that say no."""

    def test_interrupted(self) -> None:
        """Both end in order: the file is whole, and the server has all that was sent."""
        file = self.directory / "out.flv"
        with Server() as server:
            url = server.url("live/film")
            player = self.start("play", "play", url, "-o", file)
            server.waitForLog(PLAYING)
            publisher = self.start("publish", "publish", "--loop", source(), url)
            waitFor("some seconds of it", lambda: file.exists() and len(mediaOf(readFLV(file))) > 400)
            player.interrupt()
            played = mediaOf(readWholeFLV(file))
            publisher.interrupt()
            recorded = mediaOf(readWholeFLV(server.recording("live/film")))
        self.assertIn("interrupted", player.output)
        self.assertIn("interrupted", publisher.output)
        assertSameMedia(self, played, recorded[: len(played)])
        # It went round, in time that does not go back.
        self.assertGreater(len(recorded), len(mediaOf(readWholeFLV(source()))))
        for type in (8, 9):
            times = [time for found, time, _ in recorded if found == type]
            self.assertEqual(times, sorted(times))

    def test_refused(self) -> None:
        """The server's reason, and exit status 1."""
        with Server() as server:
            url = server.url("live/film")
            self.start("first", "publish", "--loop", source(), url)
            server.waitForLog("publishing live/film")
            second = self.start("second", "publish", source(), url)
            self.assertEqual(second.wait(), 1)
        self.assertIn("live/film is published already", second.output)

    def test_json(self) -> None:
        with Server() as server:
            done = self.shell(f"rtmptw publish --fast --json {source()} {server.url('live/film')}")
        self.assertEqual(done.returncode, 0, done.stderr)
        result = json.loads(done.stdout)
        self.assertEqual(result["reason"], "the file has ended")
        self.assertGreater(result["seconds"], 2.5)
