"""
Stream keys with a query, and paths of more than two parts: one stream, one file, wherever the client parts the URL.
"""

from __future__ import annotations

from contextlib import ExitStack
from unittest import TestCase

from tests.interop.compare import assertSameMedia, mediaOf, readWholeFLV
from tests.interop.processes import Process
from tests.interop.programs import ffmpeg5, ffmpeg9
from tests.interop.publishers import ffmpegPublish
from tests.interop.server import Server
from tests.interop.sources import remux, source

#: What is in the URL behind the server, and what the recording is called.
PATHS = (
    ("live/key?token=x", "live/key"),
    ("live/a/b", "live/a/b"),
    ("live/a/b/c?token=x&expires=1/2", "live/a/b/c"),
    ("live/a%2F..%2Fb", "live/a%252F..%252Fb"),
    ("live/d:e*f", "live/d%3Ae%2Af"),
)


class PathTests(TestCase):
    """What a URL becomes."""

    def check(self, program: str) -> None:
        sent = mediaOf(readWholeFLV(remux(program, source())))
        with Server() as server, ExitStack() as stack:
            running = []
            for number, (path, _) in enumerate(PATHS):
                command = ffmpegPublish(program, source(), server.url(path), realTime=False)
                running.append(stack.enter_context(Process(command, server.directory / f"{number}.log")))
            for process in running:
                process.succeed()
            for path, name in PATHS:
                recorded = server.recording(name)
                assertSameMedia(self, mediaOf(readWholeFLV(recorded)), sent, path)
            files = [file for file in server.recordings.rglob("*") if file.is_file()]
            self.assertEqual(len(files), len(PATHS), files)
            outside = {file.name for file in server.directory.iterdir()}
            self.assertEqual(outside, {"recordings", "server.log", *(f"{n}.log" for n in range(len(PATHS)))})
            for file in files:
                self.assertNotIn("token", str(file.relative_to(server.recordings)))

    def test_ffmpeg9(self) -> None:
        """FFmpeg 9."""
        self.check(ffmpeg9())

    def test_ffmpeg5(self) -> None:
        """FFmpeg 5.1."""
        self.check(ffmpeg5())
