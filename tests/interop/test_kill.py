"""
The server is killed while it records: what is on the disk plays, and is complete but for the last moment.
"""

from __future__ import annotations

import time
from unittest import TestCase

from tests.interop.compare import assertSameMedia, mediaOf, readFLV, readRTMP
from tests.interop.players import decode
from tests.interop.processes import Process, alone, run, waitFor
from tests.interop.programs import ffmpeg5, ffmpeg9
from tests.interop.proxy import Proxy
from tests.interop.publishers import ffmpegPublish
from tests.interop.server import Server
from tests.interop.sources import source

#: How much of the end may be missing, seconds.
LOSS = 0.2

#: When it is killed, ms of the stream.
MIDDLE = 1500


class KillTests(TestCase):
    """kill -9."""

    def check(self, decoder: str) -> None:
        """
        @param decoder: the FFmpeg that plays what is left.
        """
        with alone("measuring"), Server() as server, Proxy(server.port) as proxy:
            command = ffmpegPublish(ffmpeg9(), source(), proxy.url("live/killed"))
            with Process(command, server.directory / "ffmpeg.log"):
                file = server.partial("live/killed")
                waitFor("the middle of the stream", lambda: (mediaOf(readFLV(file)) or [(0, 0, "")])[-1][1] >= MIDDLE)
                killed = time.monotonic()
                server.kill()
            left = mediaOf(readFLV(file))
            output = run(decode(decoder, str(file)), server.directory / "decode.log")
            segments = [s for s in proxy.conversations[0].segments if s.fromClient]
        self.assertEqual(output, "")
        sent = mediaOf(readRTMP(b"".join(segment.data for segment in segments)))
        safe = mediaOf(readRTMP(b"".join(segment.data for segment in segments if segment.at < killed - LOSS)))
        self.assertGreater(safe[-1][1], MIDDLE // 2)
        assertSameMedia(self, left, sent[: len(left)])
        self.assertGreaterEqual(len(left), len(safe))

    def test_ffmpeg9(self) -> None:
        """FFmpeg 9 plays what is left."""
        self.check(ffmpeg9())

    def test_ffmpeg5(self) -> None:
        """FFmpeg 5.1 plays what is left."""
        self.check(ffmpeg5())
