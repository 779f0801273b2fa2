"""
Our client and servers that are not ours: nginx-rtmp, and FFmpeg that listens.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import TestCase

from rtmptw.wire.flv import FLVTag
from rtmptw.wire.message import Message
from tests.interop.compare import assertSameMedia, isFrame, mediaOf, readRTMP, readWholeFLV
from tests.interop.ffmpeglisten import FFmpegListening, freeURL, listenAndPlay, listenAndReceive
from tests.interop.ourclient import OurClient
from tests.interop.processes import once
from tests.interop.programs import ffmpeg5, ffmpeg9
from tests.interop.proxy import Proxy
from tests.interop.relay import Relay
from tests.interop.sources import CODECS, LONG, longSource, remux, source

#: How long an end that needs no waiting may take, seconds.
PROMPTLY = 5.0

#: Of what FFmpeg is given and gives: all streams of an input.
ALL = ("-map", "0")


@dataclass
class Carried:
    """
    One stream, from our publisher through nginx to nginx's recorder and our player.

    @ivar problem: why one of the programs did not end well; empty if both did.
    @ivar offered: what nginx has sent to the player.
    @ivar reason: why the player's stream has ended.
    """

    problem: str
    recorded: list[FLVTag]
    offered: list[Message]
    played: list[FLVTag]
    reason: str


@once
def throughNginx() -> dict[str, Carried]:
    """Publish in real time and play, all codecs at the same time."""
    results: dict[str, Carried] = {}
    with TemporaryDirectory() as temporary, ExitStack() as stack:
        directory = Path(temporary)
        relay = stack.enter_context(Relay(directory, f"record all; record_path {directory};"))
        proxies = {codecs: stack.enter_context(Proxy(relay.port)) for codecs in CODECS}
        players = {
            codecs: stack.enter_context(
                OurClient(
                    "play", proxy.url(f"live/{codecs}"), directory / f"played-{codecs}", directory / f"{codecs}.log"
                )
            )
            for codecs, proxy in proxies.items()
        }
        for player in players.values():
            player.started()
        publishers = {
            codecs: stack.enter_context(
                OurClient(
                    "publish",
                    f"rtmp://127.0.0.1:{relay.port}/live/{codecs}",
                    source(codecs),
                    directory / f"publish-{codecs}.log",
                )
            )
            for codecs in CODECS
        }
        for codecs, player in players.items():
            problem = ""
            try:
                publishers[codecs].succeed()
                player.succeed(PROMPTLY)
            except AssertionError as error:
                problem = str(error)
            results[codecs] = Carried(
                problem,
                readWholeFLV(directory / f"{codecs}.flv"),
                readRTMP(proxies[codecs].finished().said(byClient=False)),
                readWholeFLV(directory / f"played-{codecs}"),
                " ".join(player.said("ended")),
            )
    return results


class NginxTests(TestCase):
    """
    nginx writes down and sends the headers that it holds, and then each again as it comes; so frames are compared.
    """

    def check(self, codecs: str) -> Carried:
        """What nginx sends, we have; and the stream's end is known from what nginx says."""
        carried = throughNginx()[codecs]
        self.assertEqual(carried.problem, "")
        assertSameMedia(self, mediaOf(carried.played), mediaOf(carried.offered), f"{codecs}, played")
        self.assertEqual(carried.reason, "the server said: end of the stream")
        return carried

    def checkFrames(self, codecs: str) -> None:
        """All frames arrive at nginx, and come back."""
        carried = self.check(codecs)
        sent = mediaOf(tag for tag in readWholeFLV(source(codecs)) if isFrame(tag))
        assertSameMedia(self, mediaOf(tag for tag in carried.recorded if isFrame(tag)), sent, f"{codecs}, recorded")
        assertSameMedia(self, mediaOf(tag for tag in carried.played if isFrame(tag)), sent, f"{codecs}, played")

    def test_h264AAC(self) -> None:
        self.checkFrames("h264-aac")

    def test_multitrack(self) -> None:
        self.checkFrames("multitrack")

    def test_enhanced(self) -> None:
        """
        nginx throws away video of the enhanced kind, from whomever it comes; sound it carries, with whatever is in it
        (0x91 begins a coded frame).
        """
        for codecs in ("hevc-opus", "av1-flac", "vp9-ac3"):
            carried = self.check(codecs)
            kinds = [
                mediaOf(tag for tag in tags if tag.type == 8 and tag.payload[:1] == b"\x91")
                for tags in (carried.played, carried.recorded, readWholeFLV(source(codecs)))
            ]
            assertSameMedia(self, kinds[0], kinds[2], f"{codecs}, played")
            assertSameMedia(self, kinds[1], kinds[2], f"{codecs}, recorded")

    def test_fullSpeed(self) -> None:
        """Nothing is lost, and the close knows it."""
        with TemporaryDirectory() as temporary:
            directory = Path(temporary)
            with Relay(directory, f"record all; record_path {directory};") as relay:
                url = f"rtmp://127.0.0.1:{relay.port}/live/long"
                with OurClient("publish", url, longSource(), directory / "client.log", "--pace", "push") as client:
                    client.succeed()
            recorded = readWholeFLV(directory / "long.flv")
        assertSameMedia(
            self,
            mediaOf(tag for tag in recorded if isFrame(tag)),
            mediaOf(tag for tag in readWholeFLV(longSource()) if isFrame(tag)),
        )


class NginxRefusalTests(TestCase):
    """The ways in which nginx says no. It has words for one of them only; in the others it just closes."""

    def check(self, action: str, directives: str, expected: str, app: str = "live") -> None:
        """
        @param directives: nginx's.
        @param expected: a regular expression.
        """
        with TemporaryDirectory() as temporary:
            directory = Path(temporary)
            file = source() if action == "publish" else directory / "played.flv"
            with Relay(directory, directives) as relay:
                url = f"rtmp://127.0.0.1:{relay.port}/{app}/x"
                with OurClient(action, url, file, directory / "client.log") as client:
                    self.assertRegex(client.failure(PROMPTLY), expected)

    def test_hook(self) -> None:
        """Port 9 (discard) has nobody who would allow it."""
        for action in ("publish", "play"):
            self.check(action, f"on_{action} http://127.0.0.1:9/;", f"^ConnectionClosed: {action} failed: .")

    def test_denied(self) -> None:
        """nginx says yes first, and then closes."""
        expected = "^ConnectionClosed: close failed: .+; what was published last may be lost$"
        self.check("publish", "deny publish all;", expected)

    def test_application(self) -> None:
        """One that there is not."""
        self.check("publish", "", "^ConnectionClosed: connect failed: the peer closed the connection$", "other")

    def test_nameInUse(self) -> None:
        """nginx keeps the connection; we do not."""
        with TemporaryDirectory() as temporary:
            directory = Path(temporary)
            with Relay(directory, "") as relay:
                url = f"rtmp://127.0.0.1:{relay.port}/live/busy"
                with OurClient("publish", url, source(seconds=LONG), directory / "first.log") as first:
                    first.started()
                    with OurClient("publish", url, source(), directory / "second.log") as second:
                        failure = second.failure(PROMPTLY)
                    first.succeed()
        self.assertEqual(failure, "CallError: publish refused: NetStream.Publish.BadName: Already publishing")


class FFmpegTests(TestCase):
    """
    FFmpeg makes tags of its own of what it gets: the same ones as of a file with the same content.
    """

    def receive(self, program: str, input: Path, pace: str) -> None:
        """Publish to FFmpeg."""
        with TemporaryDirectory() as temporary:
            directory = Path(temporary)
            url, file = freeURL(), directory / "received.flv"
            with FFmpegListening(listenAndReceive(program, url, file), url, directory / "ffmpeg.log") as ffmpeg:
                with OurClient("publish", url, input, directory / "client.log", "--pace", pace) as client:
                    client.succeed()
                # That we close is an error of its input, for FFmpeg; it is an end all the same.
                ffmpeg.succeed(PROMPTLY)
            received = mediaOf(readWholeFLV(file))
        assertSameMedia(self, received, mediaOf(readWholeFLV(remux(program, input, *ALL))), str(input))

    def play(self, program: str, input: Path) -> None:
        """Play from FFmpeg, which sends as fast as we read; at the end it just closes."""
        with TemporaryDirectory() as temporary:
            directory = Path(temporary)
            url, file = freeURL(), directory / "played.flv"
            with FFmpegListening(listenAndPlay(program, url, input), url, directory / "ffmpeg.log") as ffmpeg:
                with OurClient("play", url, file, directory / "client.log") as client:
                    client.succeed()
                    self.assertEqual(client.said("ended"), ["the peer closed the connection"])
                ffmpeg.succeed(PROMPTLY)
            played = mediaOf(readWholeFLV(file))
        assertSameMedia(self, played, mediaOf(readWholeFLV(remux(program, input, *ALL))), str(input))

    def test_receives9(self) -> None:
        """FFmpeg 9, all codecs."""
        for codecs in CODECS:
            self.receive(ffmpeg9(), source(codecs), "push")

    def test_receives5(self) -> None:
        self.receive(ffmpeg5(), source(), "pull")

    def test_receivesInRealTime(self) -> None:
        self.receive(ffmpeg9(), source(), "real")

    def test_receivesFullSpeed(self) -> None:
        """Both, the long one."""
        for program in (ffmpeg9(), ffmpeg5()):
            self.receive(program, longSource(), "push")

    def test_plays9(self) -> None:
        """FFmpeg 9, all codecs."""
        for codecs in CODECS:
            self.play(ffmpeg9(), source(codecs))

    def test_plays5(self) -> None:
        self.play(ffmpeg5(), source())

    def test_playsFullSpeed(self) -> None:
        """Both, the long one."""
        for program in (ffmpeg9(), ffmpeg5()):
            self.play(program, longSource())
