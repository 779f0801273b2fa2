"""
Timestamps beyond 0xFFFFFF ms, a stream that is on for 4 h 39 min: they need the extended timestamp, in which so many
implementations differ (wire facts 2.4).
"""

from __future__ import annotations

from contextlib import ExitStack
from unittest import TestCase

from rtmptw.wire.message import MessageType
from tests.interop.compare import assertSameMedia, mediaOf, readFLV, readRTMP, readWholeFLV
from tests.interop.players import play
from tests.interop.processes import Process
from tests.interop.programs import ffmpeg5, ffmpeg9
from tests.interop.proxy import Proxy
from tests.interop.publishers import ffmpegPublish
from tests.interop.server import Server
from tests.interop.sources import remux, source
from tests.interop.test_players import PLAY

#: FFmpeg keeps its input's times, which begin 1.2 s before it is so far.
BEFORE = ("-copyts", "-itsoffset", "16776")

PATH = "live/old"


class ExtendedTimestampTests(TestCase):
    """From a publisher, into a recording, and out to players."""

    def check(self, program: str, player: str, smallest: int) -> None:
        """
        @param smallest: how short a video message may be that the player keeps: see L{tests.interop.test_players}.
        """
        input = source()
        sent = readWholeFLV(remux(program, input, before=BEFORE))
        self.assertGreater(sent[-1].timestamp, 0xFFFFFF)
        with Server("--verbose") as server, Proxy(server.port) as proxy, ExitStack() as stack:
            directory, file = server.directory, server.directory / "played.flv"
            playing = stack.enter_context(Process(play(player, proxy.url(PATH), file), directory / "player.log"))
            server.waitForLog(PLAY)
            command = ffmpegPublish(program, input, server.url(PATH), before=BEFORE, realTime=False)
            stack.enter_context(Process(command, directory / "publisher.log")).succeed()
            recorded = readWholeFLV(server.recording(PATH))
            playing.succeed()
            received, played = readRTMP(proxy.finished().said(byClient=False)), readFLV(file)
        assertSameMedia(self, mediaOf(recorded), mediaOf(sent), "recorded")
        assertSameMedia(self, mediaOf(received), mediaOf(sent), f"sent to {player}")
        kept = [tag for tag in sent if tag.type != MessageType.VIDEO or len(tag.payload) >= smallest]
        assertSameMedia(self, mediaOf(played), mediaOf(kept), f"written by {player}")

    def test_rtmpdump(self) -> None:
        """From FFmpeg 5.1 to rtmpdump."""
        self.check(ffmpeg5(), "rtmpdumpLive", 6)

    def test_rtmp2src(self) -> None:
        """From FFmpeg 9 to GStreamer's own RTMP."""
        self.check(ffmpeg9(), "rtmp2src", 6)

    def test_ffmpeg(self) -> None:
        """From FFmpeg 9 to FFmpeg 5.1."""
        self.check(ffmpeg9(), "ffmpeg5", 0)
