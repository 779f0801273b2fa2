"""
Players: who joined before the stream began gets the sequence that is recorded, and ends by itself when the stream ends.

What counts is what the server has sent to each: a proxy in between has kept it. What the players make of it is looked
at too, as far as they are without loss themselves: librtmp and rtmp2src throw away video messages of less than 6 bytes
(wire facts 3.3), which is H.264's mark of the end.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from unittest import SkipTest, TestCase

from rtmptw.session.status import PLAY_START, UNPUBLISH_NOTIFY
from rtmptw.wire.command import Command
from rtmptw.wire.control import UserControl, UserControlType
from rtmptw.wire.flv import FLVTag
from rtmptw.wire.message import Message, MessageType
from tests.interop.compare import assertSameMedia, mediaOf, readFLV, readRTMP, readWholeFLV
from tests.interop.players import PLAYERS, play
from tests.interop.processes import Process, once, waitFor
from tests.interop.programs import ffmpeg9
from tests.interop.proxy import Proxy
from tests.interop.publishers import ffmpegPublish
from tests.interop.server import Server
from tests.interop.sources import source

#: The server's line in the log about somebody who has begun to play.
PLAY = r": playing \S+"

PATH = "live/played"

#: How long a player may go on after the publisher has gone, seconds. Those that do not understand that the stream has
#: ended take 30 or more.
PROMPTLY = 5.0


@dataclass
class Played:
    """
    How it went for one player.

    @ivar problem: why it did not end by itself; empty if it did.
    @ivar received: what the server has sent to it.
    @ivar file: what it has made of that.
    @ivar connections: how many times it has connected.
    """

    problem: str
    received: list[Message]
    file: list[FLVTag]
    connections: int


@once
def playAll() -> tuple[list[FLVTag], dict[str, Played | Exception]]:
    """
    Let all wait for a stream, publish it, and wait until they have ended.

    @return: the recording, and for each player how it went; a missing program stands as the exception that says so.
    """
    publisher = ffmpeg9()
    results: dict[str, Played | Exception] = {}
    with Server("--verbose") as server, ExitStack() as stack:
        running = {}
        for player in PLAYERS:
            proxy = stack.enter_context(Proxy(server.port))
            file = server.directory / f"{player}.flv"
            try:
                command = play(player, proxy.url(PATH), file)
            except (SkipTest, AssertionError) as error:
                results[player] = error
            else:
                process = stack.enter_context(Process(command, server.directory / f"{player}.log"))
                running[player] = process, proxy, file
        server.waitForLog(PLAY, len(running))
        command = ffmpegPublish(publisher, source(), server.url(PATH))
        with Process(command, server.directory / "publisher.log") as process:
            process.succeed()
        recording = readWholeFLV(server.recording(PATH))
        for player, (process, proxy, file) in running.items():
            results[player] = _finish(player, process, proxy, file)
    return recording, results


def _finish(player: str, process: Process, proxy: Proxy, file: Path) -> Played | Exception:
    try:
        if player == "rtmpsrc":
            # It never ends by itself, but connects again when librtmp has closed the connection (GStreamer 1.22).
            waitFor("rtmpsrc to come back", lambda: len(proxy.conversations) > 1, PROMPTLY)
            process.terminate()
        elif process.wait(PROMPTLY):
            raise AssertionError(f"ended with {process.status}: {process}")
        problem = ""
    except AssertionError as error:
        problem = str(error)
        process.terminate()
    received = readRTMP(proxy.finished().said(byClient=False))
    return Played(problem, received, readFLV(file), len(proxy.conversations))


class EarlyPlayerTests(TestCase):
    """Who waits for the stream gets all of it."""

    def check(self, player: str, smallest: int) -> Played:
        """
        @param smallest: how short a video message may be that the player keeps.
        """
        recording, results = playAll()
        result = results[player]
        if isinstance(result, Exception):
            raise result
        assertSameMedia(self, mediaOf(result.received), mediaOf(recording), f"sent to {player}")
        kept = [tag for tag in recording if tag.type != MessageType.VIDEO or len(tag.payload) >= smallest]
        assertSameMedia(self, mediaOf(result.file), mediaOf(kept), f"written by {player}")
        self.assertEqual(result.problem, "")
        return result

    def test_ffmpeg9(self) -> None:
        """FFmpeg 9."""
        self.assertEqual(self.check("ffmpeg9", 0).connections, 1)

    def test_ffmpeg5(self) -> None:
        """FFmpeg 5.1."""
        self.assertEqual(self.check("ffmpeg5", 0).connections, 1)

    def test_rtmpdump(self) -> None:
        """rtmpdump, which asks for a recorded stream if there is one."""
        self.assertEqual(self.check("rtmpdump", 6).connections, 1)

    def test_rtmpdumpLive(self) -> None:
        """rtmpdump, which says FCSubscribe first."""
        self.assertEqual(self.check("rtmpdumpLive", 6).connections, 1)

    def test_rtmp2src(self) -> None:
        """GStreamer's own RTMP."""
        self.assertEqual(self.check("rtmp2src", 6).connections, 1)

    def test_librtmp(self) -> None:
        """librtmp in GStreamer's rtmpsrc."""
        self.check("rtmpsrc", 6)

    def test_order(self) -> None:
        """Each is told first that it plays, and then gets media; at the end it is told of the end in both ways."""
        _, results = playAll()
        for player, result in results.items():
            if isinstance(result, Exception):
                continue
            types = [message.type for message in result.received]
            media = [i for i, type in enumerate(types) if type in (MessageType.AUDIO, MessageType.VIDEO)]
            before, after = result.received[: media[0]], result.received[media[-1] + 1 :]
            self.assertEqual(_codes(before)[-1:], [PLAY_START], player)
            self.assertEqual(_codes(after), [UNPUBLISH_NOTIFY], player)
            controls = [UserControl.decode(m.payload) for m in after if m.type == MessageType.USER_CONTROL]
            self.assertEqual([(c.event, c.value) for c in controls if c], [(UserControlType.STREAM_EOF, 1)], player)


def _codes(messages: list[Message]) -> list[str]:
    """The codes of the statuses among messages."""
    commands = [Command.decode(message) for message in messages if message.type == MessageType.COMMAND]
    codes = []
    for command in commands:
        if command.name == "onStatus":
            information = command.argument(0)
            assert isinstance(information, dict)
            codes.append(str(information["code"]))
    return codes
