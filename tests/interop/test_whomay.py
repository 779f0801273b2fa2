"""
Who may publish and play: stream keys, signed URLs, passwords and addresses, with real programs; over TLS as well.

All of them come to one server at the same time, or to another one where that has other rules; each test then looks at
one of them. And no key is anywhere but in the command lines of those who have it.
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from unittest import SkipTest, TestCase

from rtmptw.auth.keyfile import keyLine
from rtmptw.auth.signedurl import signedQuery
from tests.interop.compare import Media, assertSameMedia, mediaOf, readFLV, readWholeFLV
from tests.interop.players import play
from tests.interop.processes import Process, once, run
from tests.interop.programs import ffmpeg5, ffmpeg9
from tests.interop.publishers import ffmpegPublish, gstPublish
from tests.interop.server import ROOT, Server
from tests.interop.sources import LONG, remux, source
from tests.tls.authority import DAY, Authority

CANARY = "canary"
SECRET = f"{CANARY}-of-a-secret"
PASSWORD = f"{CANARY}-of-a-password"

#: What a server says to those without a right key, signature, password or address.
NO_KEY = "no stream key, or a wrong one"
NO_SIGNATURE = "the signature of the URL is wrong"
UNSIGNED = "the URL is not signed"
EXPIRED = "the signed URL has expired"
NO_PASSWORD = "wrong user or password"
NOT_HERE = "nobody may publish from 127.0.0.1"

#: Who publishes to what, behind C{live/}; K is the key of the stream that is called as the case is. How often it may be
#: wrong within a minute is not much: all come from one address.
RIGHT: dict[str, tuple[str, str]] = {
    "played": ("ffmpeg9", "K"),
    "ffmpeg5-query": ("ffmpeg5", "ffmpeg5-query?key=K"),
    "rtmp2sink-key": ("rtmp2sink", "K"),
    "rtmpsink-query": ("rtmpsink", "rtmpsink-query?key=K"),
    "ffmpeg9-tls": ("ffmpeg9", "K"),
}
WRONG: dict[str, tuple[str, str]] = {
    "ffmpeg9-wrong": ("ffmpeg9", "Kx"),
    "ffmpeg5-unknown": ("ffmpeg5", "nothing?key=K"),
    "rtmp2sink-wrong": ("rtmp2sink", "rtmp2sink-wrong?key=Kx"),
    "rtmpsink-none": ("rtmpsink", "rtmpsink-none"),
    "ffmpeg9-tls-wrong": ("ffmpeg9", "ffmpeg9-tls-wrong?key=Kx"),
}

#: Who plays with what signature.
PLAYERS: dict[str, tuple[str, str]] = {
    **{f"{player}-signed": (player, "right") for player in ("ffmpeg9", "ffmpeg5", "rtmpdump", "rtmp2src")},
    **{f"{player}-expired": (player, "expired") for player in ("ffmpeg9", "rtmp2src")},
    "rtmpdump-unsigned": ("rtmpdump", "none"),
    "ffmpeg9-unsigned": ("ffmpeg9", "none"),
    "ffmpeg9-other": ("ffmpeg9", "wrong"),
}


def keyOf(name: str) -> str:
    """The stream key of a case."""
    return f"{CANARY}-{name}-of-a-key"


@dataclass
class Ended:
    """
    How it went for one program.

    @ivar status: its exit status.
    @ivar output: what it has printed.
    @ivar media: what it has sent, or, of a player, what it has got.
    @ivar recorded: what was recorded of it.
    """

    status: int
    output: str
    media: list[Media]
    recorded: list[Media]


class _Server(Server):
    """A server with a second port, for TLS."""

    def __init__(self, *options: str) -> None:
        super().__init__(*options, "--port", "%TLS")
        now = time.time()
        authority = Authority()
        self.authority = self.directory / "authority.pem"
        self.authority.write_bytes(authority.pem)
        credential = authority.certify("127.0.0.1", notBefore=now - DAY, notAfter=now + 30 * DAY)
        both = self.directory / "both.pem"
        both.write_bytes(credential.keyPEM + credential.pem)
        tls = f"ssl:0:interface=127.0.0.1:privateKey={both}"
        self._options = tuple(tls if option == "%TLS" else option for option in self._options)

    def place(self, path: str, isSecure: bool) -> str:
        """The URL of a stream."""
        if not isSecure:
            return self.url(path)
        port = self.waitForLog(r"RTMPServerFactory.* starting on (\d+)", 2)[1]
        return f"rtmps://127.0.0.1:{port}/{path}"


def _publish(server: _Server, name: str, program: str, path: str) -> tuple[list[str], Path]:
    """
    A command line, and the file with what it sends. The one that is played takes its time, so that all players come.

    @raise SkipTest: if the program is missing.
    """
    url = server.place(f"live/{path}", "-tls" in name)
    if program.startswith("ffmpeg"):
        executable = ffmpeg5() if program == "ffmpeg5" else ffmpeg9()
        input = source(seconds=LONG) if name == "played" else source()
        command = ffmpegPublish(executable, input, url)
        if "-tls" in name:
            command[-1:-1] = ["-ca_file", str(server.authority)]
        return command, remux(executable, input)
    sent = server.directory / f"{name}.sent.flv"
    return gstPublish(program, source(), sent, url), sent


def _played(server: _Server, how: str) -> str:
    """The URL of the stream that is played, signed in some way."""
    until = time.time() + (-60 if how == "expired" else 600)
    query = signedQuery(SECRET, "play", "live/other" if how == "wrong" else "live/played", until)
    return server.url("live/played" if how == "none" else f"live/played?{query}")


@once
def runAll() -> tuple[dict[str, Ended | Exception], str, list[str]]:
    """
    Let all publish and play.

    @return: how it went, a missing program being the exception that says so; the server's log; and the names of the
        files that it has made.
    """
    results: dict[str, Ended | Exception] = {}
    server = _Server("--publish-keys", "keys", "--play-signed", "secrets", "--verbose")
    keys = [keyLine(f"live/{name}", keyOf(name)) for name in RIGHT]
    for file, lines in (("keys", keys), ("secrets", [SECRET])):
        path = server.directory / file
        path.write_text("\n".join(lines))
        path.chmod(0o600)
    with server, ExitStack() as stack:
        running: dict[str, tuple[Process, Path]] = {}

        def start(name: str, command: list[str], file: Path) -> None:
            running[name] = stack.enter_context(Process(command, server.directory / f"{name}.log")), file

        for name, (player, how) in PLAYERS.items():
            file = server.directory / f"{name}.flv"
            try:
                start(name, play(player, _played(server, how), file), file)
            except (SkipTest, AssertionError) as error:
                results[name] = error
        server.waitForLog(r": playing live/played", sum(PLAYERS[name][1] == "right" for name in running))
        for name, (program, path) in {**WRONG, **RIGHT}.items():
            try:
                secret = keyOf(name if name in RIGHT else "played")
                start(name, *_publish(server, name, program, path.replace("K", secret)))
            except (SkipTest, AssertionError) as error:
                results[name] = error
        for name, (process, file) in running.items():
            try:
                status = process.wait()
                recorded = mediaOf(readWholeFLV(server.recording(f"live/{name}"))) if name in RIGHT else []
                media = mediaOf(readFLV(file)) if file.exists() else []
                results[name] = Ended(status, process.output, media, recorded)
            except AssertionError as error:
                results[name] = error
        files = [str(path.relative_to(server.recordings)) for path in server.recordings.rglob("*")]
        return results, server.log, files


class _Case(TestCase):
    def ended(self, name: str) -> Ended:
        """How it went for one program."""
        result = runAll()[0][name]
        if isinstance(result, Exception):
            raise result
        return result

    def refused(self, name: str, *words: str) -> None:
        """It has ended by itself, has said these words, and neither published nor got anything."""
        result = self.ended(name)
        if not name.startswith("rtmp2src"):
            self.assertNotEqual(result.status, 0, result.output)
        for word in words:
            self.assertIn(word, result.output)
        if name in PLAYERS:
            self.assertEqual(result.media, [])
        self.assertNotIn(f"publishing live/{name}", runAll()[1])


class KeyTests(_Case):
    """C{--publish-keys}."""

    def check(self, name: str) -> None:
        result = self.ended(name)
        self.assertEqual(result.status, 0, result.output)
        assertSameMedia(self, result.recorded, result.media, name)

    def test_ffmpeg9(self) -> None:
        """FFmpeg 9, with the key for a name: it is recorded by its public name."""
        self.check("played")

    def test_ffmpeg5(self) -> None:
        """FFmpeg 5.1, with the key behind the name."""
        self.check("ffmpeg5-query")

    def test_rtmp2sink(self) -> None:
        """GStreamer's own RTMP."""
        self.check("rtmp2sink-key")

    def test_librtmp(self) -> None:
        """librtmp, in rtmpsink."""
        self.check("rtmpsink-query")

    def test_tls(self) -> None:
        """FFmpeg 9, over TLS."""
        self.check("ffmpeg9-tls")

    def test_wrongFFmpeg(self) -> None:
        """FFmpeg shows the reason: a wrong key, or a right one for an unknown stream; over TLS too."""
        for name in ("ffmpeg9-wrong", "ffmpeg5-unknown", "ffmpeg9-tls-wrong"):
            with self.subTest(name=name):
                self.refused(name, NO_KEY)

    def test_wrongGStreamer(self) -> None:
        """GStreamer shows it as well."""
        self.refused("rtmp2sink-wrong", NO_KEY)

    def test_wrongLibrtmp(self) -> None:
        """librtmp ends; it keeps the reason to itself."""
        self.refused("rtmpsink-none", "rtmpsink")

    def test_log(self) -> None:
        """No key and no secret is in the log, with a line for every message, or in the name of a file."""
        _, log, files = runAll()
        self.assertIn("publish(", log)
        self.assertIn("play(", log)
        self.assertRegex(log, r"publish live/played: right key, [0-9a-f]{8}\.\.\.")
        self.assertRegex(log, r"may not publish: no such stream key, [0-9a-f]{8}\.\.\.")
        for text in (log, *files):
            self.assertNotIn(CANARY, text)
        self.assertNotRegex(log, "[0-9a-f]{64}")
        self.assertIn("live", files)


class SignedTests(_Case):
    """C{--play-signed}."""

    def check(self, player: str, smallest: int = 0) -> None:
        """
        @param smallest: how short a video message may be that the player keeps (see test_players).
        """
        result = self.ended(f"{player}-signed")
        self.assertEqual(result.status, 0, result.output)
        published = self.ended("played").recorded
        if smallest:
            self.assertGreaterEqual(len(result.media), len(published) - 1)
        else:
            assertSameMedia(self, result.media, published, player)

    def test_ffmpeg9(self) -> None:
        """FFmpeg 9."""
        self.check("ffmpeg9")

    def test_ffmpeg5(self) -> None:
        """FFmpeg 5.1."""
        self.check("ffmpeg5")

    def test_rtmpdump(self) -> None:
        """rtmpdump."""
        self.check("rtmpdump", 6)

    def test_rtmp2src(self) -> None:
        """GStreamer's own RTMP."""
        self.check("rtmp2src", 6)

    def test_expired(self) -> None:
        """FFmpeg and GStreamer say so."""
        self.refused("ffmpeg9-expired", EXPIRED)
        self.refused("rtmp2src-expired", EXPIRED)

    def test_unsigned(self) -> None:
        """FFmpeg says so; rtmpdump ends, and with C{-q} says nothing."""
        self.refused("ffmpeg9-unsigned", UNSIGNED)
        self.refused("rtmpdump-unsigned")

    def test_other(self) -> None:
        """The signature of another stream is a wrong one."""
        self.refused("ffmpeg9-other", NO_SIGNATURE)


class CommandTests(TestCase):
    """What the commands make is what the server takes."""

    def rtmptw(self, server: Server, *arguments: str) -> str:
        """What C{rtmptw} prints."""
        command = [sys.executable, "-c", "from rtmptw.cli import main; main()", *arguments]
        environment = {"PYTHONPATH": str(ROOT)}
        with Process(command, server.directory / "rtmptw.log", environment) as process:
            process.succeed()
            return process.output.strip()

    def test_keyAndSign(self) -> None:
        """A key that is made while the server runs counts at once, as OBS says it; a signed URL plays it."""
        server = Server("--publish-keys", "keys", "--play-signed", "secrets")
        keys, secrets = server.directory / "keys", server.directory / "secrets"
        keys.write_text("")
        secrets.write_text(f"{SECRET}\n")
        with server:
            key = self.rtmptw(server, "key", "live/camera", "--add", str(keys))
            signed = self.rtmptw(server, "sign", "--secret", str(secrets), "--play", server.url("live/camera"))
            doctor = ["doctor", "--client", "obs-publish", "--probe", "none", "--quiet", "--play-url", signed]
            for wrong, status, words in (("", 0, "no findings"), ("x", 2, NO_KEY)):
                command = [sys.executable, "-c", "from rtmptw.cli import main; main()", *doctor]
                with Process([*command, server.url(f"live/{key}{wrong}")], server.directory / "doctor.log") as process:
                    self.assertEqual(process.wait(), status, process.output)
                    self.assertIn(words, " ".join(process.output.split()))
            self.assertIn("publishing live/camera", server.log)
            # Who plays by the key is one who plays without a signature, and is told no more.
            player = play("ffmpeg9", server.url(f"live/{key}"), server.directory / "played.flv")
            with Process(player, server.directory / "player.log") as process:
                self.assertNotEqual(process.wait(), 0)
                self.assertIn(UNSIGNED, process.output)
            server.waitForLog("wants to play by the key for publishing, [0-9a-f]{8}")
            self.assertNotIn(key, server.log)


class PasswordTests(TestCase):
    """C{--auth}."""

    def test_auth(self) -> None:
        """FFmpeg with the right password publishes; with a wrong one it is told so; players are not asked."""
        with Server("--auth", f"publish:memory:alice:{PASSWORD}", "--verbose") as server:
            program, directory = ffmpeg9(), server.directory
            file = directory / "played.flv"
            with Process(play("ffmpeg9", server.url("live/a"), file), directory / "player.log") as player:
                server.waitForLog(": playing live/a")
                # Where FFmpeg cuts a URL, a part of the password is a name.
                for password in (f"{PASSWORD}x", f"{CANARY}/{PASSWORD}", f"{CANARY} {PASSWORD}"):
                    wrong = server.url(f"live/a?user=alice&password={password}")
                    with Process(ffmpegPublish(program, source(), wrong), directory / "wrong.log") as process:
                        self.assertNotEqual(process.wait(), 0)
                        self.assertIn(NO_PASSWORD, process.output)
                right = server.url(f"live/a?user=alice&password={PASSWORD}")
                run(ffmpegPublish(program, source(), right), directory / "right.log")
                player.succeed()
            recorded = mediaOf(readWholeFLV(server.recording("live/a")))
            assertSameMedia(self, recorded, mediaOf(readFLV(remux(program, source()))), "recorded")
            assertSameMedia(self, mediaOf(readFLV(file)), recorded, "played")
            self.assertIn("publish live/a: right password, user 'alice'", server.log)
            self.assertNotIn(CANARY, server.log)


class AddressTests(TestCase):
    """C{--allow} and C{--deny}."""

    def test_publish(self) -> None:
        """Who may not publish from here is told so; who may only play, plays."""
        with Server("--allow", "publish:192.0.2.0/24", "--deny", "play:192.0.2.7") as server:
            command = ffmpegPublish(ffmpeg9(), source(), server.url("live/a"))
            with Process(command, server.directory / "publisher.log") as process:
                self.assertNotEqual(process.wait(), 0)
                self.assertIn(NOT_HERE, process.output)
            player = play("ffmpeg9", server.url("live/a"), server.directory / "played.flv")
            with Process(player, server.directory / "player.log"):
                server.waitForLog(": playing live/a")

    def test_connect(self) -> None:
        """Who may do nothing from here is refused at once, and told so."""
        with Server("--deny", "127.0.0.0/8") as server:
            command = ffmpegPublish(ffmpeg9(), source(), server.url("live/a"))
            with Process(command, server.directory / "publisher.log") as process:
                self.assertNotEqual(process.wait(), 0)
                self.assertIn("nobody may connect from 127.0.0.1", process.output)
