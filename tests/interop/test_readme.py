"""
README.rst, taken at its word: every block of it is run as it is printed.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic, sleep
from unittest import SkipTest, TestCase

from tests.interop.compare import assertSameMedia, mediaOf, readWholeFLV
from tests.interop.processes import alone, siege, waitFor

ROOT = Path(__file__).parents[2]
REQUIRED = os.environ.get("RTMPTW_INTEROP") == "required"
PORT = 1935
#: Any that is free.
TLS_PORT = 18443
#: A user's: without what C{trial -j} tells its processes; a new environment would find in it all that this one has.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

_BLOCK = re.compile(r"^\.\. code-block:: \w+\n   :name: (\S+)\n\n((?:   .*\n|\n)+)", re.MULTILINE)


def blocks() -> dict[str, str]:
    """The named code blocks of the README."""
    text = (ROOT / "README.rst").read_text()
    return {name: re.sub(r"(?m)^   ", "", block) for name, block in _BLOCK.findall(text)}


def isListening(port: int = PORT) -> bool:
    """Whether somebody has a port, by default the one that the README names."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@siege
class ReadmeTests(TestCase):
    """The README's commands, in a copy of the project."""

    def setUp(self) -> None:
        for program in ("ffmpeg", "ffprobe"):
            if shutil.which(program) is None:
                if REQUIRED:
                    raise AssertionError(f"{program} is missing: Debian package ffmpeg")
                raise SkipTest(f"{program} is missing: Debian package ffmpeg")
        self.enterContext(alone(f"port-{PORT}"))
        if isListening():
            raise (AssertionError if REQUIRED else SkipTest)(f"port {PORT}, which the README names, is in use")
        self.directory = Path(tempfile.mkdtemp(prefix="rtmptw-"))
        self.addCleanup(shutil.rmtree, self.directory)
        for name in ("setup.py", "pyproject.toml", "README.rst", "LICENSE"):
            shutil.copy(ROOT / name, self.directory)
        for name in ("rtmptw", "twisted", "benchmarks"):
            shutil.copytree(ROOT / name, self.directory / name, ignore=shutil.ignore_patterns("__pycache__"))
        self.blocks = blocks()

    def start(self, command: str) -> subprocess.Popen[str]:
        """Start a command as a terminal would, and end it with the test."""
        log = self.enterContext(open(self.directory / f"{len(os.listdir(self.directory))}.log", "w+"))
        process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=self.directory,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        process.log = log  # type: ignore[attr-defined]
        self.addCleanup(self.stop, process)
        return process

    def stop(self, process: subprocess.Popen[str]) -> None:
        """Ctrl-C."""
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(15)

    def output(self, process: subprocess.Popen[str]) -> str:
        """What it has printed so far."""
        process.log.seek(0)  # type: ignore[attr-defined]
        return process.log.read()  # type: ignore[attr-defined, no-any-return]

    def waitForPort(self, process: subprocess.Popen[str], seconds: float, port: int = PORT) -> None:
        """Wait until the server listens."""
        deadline = monotonic() + seconds
        while not isListening(port):
            if process.poll() is not None or monotonic() > deadline:
                raise AssertionError(f"nothing listens on {port}:\n{self.output(process)}")
            sleep(0.1)

    def run_(self, command: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.directory,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
        )

    def test_theTour(self) -> None:
        """The first command, whole, and the 60 seconds behind it."""
        command = self.blocks["run"]
        if not REQUIRED:
            # Without root, what apt-get would install must be there.
            command = command.partition("&& \\\n")[2]
        server = self.start(command)
        self.waitForPort(server, 180)
        player = self.start(self.blocks["play"])
        published = self.run_(self.blocks["publish"])
        self.assertEqual(published.returncode, 0, published.stderr)
        self.assertEqual(player.wait(15), 0, self.output(player))
        watched = self.run_("ffprobe -v error -show_entries stream=codec_name -of csv=p=0 watched.flv")
        self.assertEqual(sorted(watched.stdout.split()), ["aac", "h264"])
        recording = self.run_(self.blocks["recording"])
        self.assertEqual(recording.returncode, 0, recording.stderr)
        self.assertRegex(recording.stdout, r"camera-\d{8}T\d{6}\.\d{3}Z\.flv")
        self.assertRegex(recording.stderr, r"Duration: 00:00:(09\.9|10\.)")
        self.publishAndPlay(server)
        self.encrypted()
        self.whoMay()
        self.doctorAndTrace()
        self.stop(server)
        self.assertIn("Server Shut Down", self.output(server))
        measured = self.run_(self.blocks["benchmarks"], 120)
        self.assertEqual(measured.returncode, 0, measured.stderr)
        for case in ("fanout", "join"):
            self.assertRegex(measured.stdout, rf"(?m)^{case}: ")

    def publishAndPlay(self, server: subprocess.Popen[str]) -> None:
        """
        The commands for files: what is published comes back. And the client: what is published as one name is seen
        under the other. Both at the same time.
        """
        name = "copycat.py"
        (self.directory / name).write_text(self.blocks[name])
        play, publish = self.blocks["rtmptw-play"], self.blocks["rtmptw-publish"]
        commands = (play, play.replace("again", "copy"), f".venv/bin/python {name}")
        players = [self.start(command) for command in commands]
        program = players[-1]
        # The first one that plays live/camera has gone already.
        wanted = sorted(("again", "camera", "camera", "copy"))
        waitFor("the players", lambda: sorted(re.findall(r": playing live/(\w+)", self.output(server))) == wanted)
        publishers = [self.start(command) for command in (publish, publish.replace("live/again", "live/camera"))]
        for process, seconds in (*((one, 60) for one in publishers), *((one, 15) for one in players)):
            self.assertEqual(process.wait(seconds), 0, self.output(process))
        self.assertIn("copied, until the server said: ", self.output(program))
        watched = mediaOf(readWholeFLV(self.directory / "watched.flv"))
        for file in ("again.flv", "copy.flv"):
            assertSameMedia(self, mediaOf(readWholeFLV(self.directory / file)), watched, file)

    def doctorAndTrace(self) -> None:
        """The server is healthy, and what a client and it say to each other can be looked at."""
        examined = self.run_(self.blocks["doctor"])
        self.assertEqual(examined.returncode, 0, examined.stdout + examined.stderr)
        self.assertRegex(examined.stdout, r"live: no findings, ")
        tracer = self.start(self.blocks["trace"])
        # Who tried the port would be the one client that it waits for.
        waitFor("the tracer", lambda: "leads to" in self.output(tracer))
        published = self.run_(".venv/bin/rtmptw publish --fast watched.flv rtmp://127.0.0.1:1936/live/traced")
        self.assertEqual(published.returncode, 0, published.stderr)
        self.assertEqual(tracer.wait(15), 0, self.output(tracer))
        self.assertRegex(self.output(tracer), r"C->S  publish\(\d+, null, \"<key#1>\"")
        read = self.run_(".venv/bin/rtmptw trace --read traces/1")
        self.assertEqual(read.returncode, 0, read.stderr)
        self.assertIn("NetStream.Publish.Start", read.stdout)

    def encrypted(self) -> None:
        """The certificate, a server that has it, and a client that trusts it."""
        made = self.run_(self.blocks["certificate"])
        self.assertEqual(made.returncode, 0, made.stderr)
        endpoint = f"ssl:{TLS_PORT}:privateKey=key.pem:certKey=cert.pem"
        server = self.start(f".venv/bin/twistd -n --pidfile= rtmp --port {endpoint}")
        self.waitForPort(server, 30, TLS_PORT)
        for arguments, status, words in (
            ("--ca cert.pem", 0, "the file has ended"),
            ("--insecure", 0, "the file has ended"),
            ("", 1, "self-signed"),
        ):
            url = f"rtmps://localhost:{TLS_PORT}/live/camera"
            published = self.run_(f".venv/bin/rtmptw publish --fast {arguments} watched.flv {url}")
            self.assertEqual(published.returncode, status, published.stderr)
            self.assertIn(words, published.stderr)
        self.stop(server)

    def whoMay(self) -> None:
        """A stream key and a signed URL, and a server that wants them."""
        made, signed = self.run_(self.blocks["key"]), self.run_(self.blocks["sign"])
        for command in (made, signed):
            self.assertEqual(command.returncode, 0, command.stderr)
        options = f"--port tcp:{TLS_PORT}:interface=127.0.0.1 --publish-keys keys --play-signed secrets"
        server = self.start(f".venv/bin/twistd -n --pidfile= rtmp {options}")
        self.waitForPort(server, 30, TLS_PORT)
        url = signed.stdout.strip().replace("127.0.0.1", f"127.0.0.1:{TLS_PORT}")
        player = self.start(f".venv/bin/rtmptw play '{url}' -o signed.flv")
        waitFor("the player", lambda: "playing live/camera" in self.output(server))
        key = made.stdout.strip()
        for name, status, words in ((f"{key}x", 1, "no stream key, or a wrong one"), (key, 0, "the file has ended")):
            published = self.run_(
                f".venv/bin/rtmptw publish --fast watched.flv rtmp://127.0.0.1:{TLS_PORT}/live/{name}"
            )
            self.assertEqual(published.returncode, status, published.stderr)
            self.assertIn(words, published.stderr)
        self.assertEqual(player.wait(15), 0, self.output(player))
        self.stop(server)
        self.assertNotIn(key, self.output(server))

    def test_theExample(self) -> None:
        """The program: one publisher without the key, one with it."""
        name = "keyframes.py"
        (self.directory / name).write_text(self.blocks[name])
        program = self.start(f"{sys.executable} {name}")
        self.waitForPort(program, 30)
        publish = self.blocks["publish"].replace("-t 10", "-t 4")
        refused = self.run_(publish)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("wrong stream key", refused.stderr)
        accepted = self.run_(publish.replace("live/camera", "'live/camera?key=sesame'"))
        self.assertEqual(accepted.returncode, 0, accepted.stderr)
        deadline = monotonic() + 10
        while "keyframes, then" not in self.output(program) and monotonic() < deadline:
            sleep(0.1)
        self.assertRegex(self.output(program), r"(?m)^2 keyframes, then: ")

    def test_theTests(self) -> None:
        """The test case for servers: it passes, and its reactor is clean."""
        (self.directory / "test_every.py").write_text(self.blocks["testing"])
        tested = self.run_(f"{sys.executable} -m twisted.trial test_every")
        self.assertEqual(tested.returncode, 0, tested.stdout + tested.stderr)
        self.assertIn("PASSED (successes=1)", tested.stdout + tested.stderr)
