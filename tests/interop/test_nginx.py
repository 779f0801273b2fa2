"""
nginx-rtmp between FFmpeg and us: as a publisher (C{push}), and as a player (C{pull}).
"""

from __future__ import annotations

from unittest import TestCase

from rtmptw.wire.message import MessageType
from tests.interop.compare import assertRecorded, assertSameMedia, isFrame, mediaOf, readRTMP, readWholeFLV
from tests.interop.processes import Process
from tests.interop.programs import ffmpeg9
from tests.interop.proxy import Proxy
from tests.interop.publishers import ffmpegPublish
from tests.interop.relay import Relay
from tests.interop.server import Server
from tests.interop.sources import remux, source
from tests.interop.test_players import PLAY


class PushTests(TestCase):
    """FFmpeg publishes to nginx, and nginx to us."""

    def test_push(self) -> None:
        """
        Everything that nginx sends is recorded, and from where it begins, that is everything that FFmpeg sent: nginx
        connects to us only when FFmpeg has begun, and so leaves out the beginning itself.
        """
        program = ffmpeg9()
        with (
            Server() as server,
            Proxy(server.port) as proxy,
            Relay(server.directory, f"push rtmp://127.0.0.1:{proxy.port}/live;") as relay,
        ):
            command = ffmpegPublish(program, source(), f"rtmp://127.0.0.1:{relay.port}/live/pushed")
            with Process(command, server.directory / "ffmpeg.log") as process:
                process.succeed()
            recorded = readWholeFLV(server.recording("live/pushed"))
            sent = readRTMP(proxy.finished().said(byClient=True))
        assertRecorded(self, recorded, sent)
        for type in (MessageType.AUDIO, MessageType.VIDEO):
            frames = [tag for tag in recorded if tag.type == type and isFrame(tag)]
            source_ = [tag for tag in readWholeFLV(remux(program, source())) if tag.type == type and isFrame(tag)]
            self.assertGreater(len(frames), len(source_) // 2)
            assertSameMedia(self, mediaOf(frames), mediaOf(source_[-len(frames) :]), type.name)


class PullTests(TestCase):
    """We have what FFmpeg publishes, and nginx gets it from us."""

    def test_pull(self) -> None:
        """nginx is sent, and records, what we have recorded."""
        with Server("--verbose") as server, Proxy(server.port) as proxy:
            directives = (
                f"pull rtmp://127.0.0.1:{proxy.port}/live/pulled name=pulled static;"
                f"record all; record_path {server.directory};"
            )
            with Relay(server.directory, directives):
                server.waitForLog(PLAY)
                command = ffmpegPublish(ffmpeg9(), source(), server.url("live/pulled"))
                with Process(command, server.directory / "ffmpeg.log") as process:
                    process.succeed()
                received = readRTMP(proxy.finished().said(byClient=False))
            recorded = readWholeFLV(server.recording("live/pulled"))
            theirs = readWholeFLV(server.directory / "pulled.flv")
        assertSameMedia(self, mediaOf(received), mediaOf(recorded), "sent to nginx")
        # It writes the headers that it holds, and then each again as it comes.
        assertSameMedia(
            self,
            mediaOf(tag for tag in theirs if isFrame(tag)),
            mediaOf(tag for tag in recorded if isFrame(tag)),
            "recorded by nginx",
        )
