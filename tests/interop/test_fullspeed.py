"""
Publishers at full speed against a server that is held up: N of N messages (wire facts 0.2).

FFmpeg hardly reads while it publishes, and librtmp not at all; both close the socket as soon as they have written
everything. What the server has not read by then is lost if anything that it has sent was not read either, and the exit
status is 0 all the same. So a server that says anything meanwhile loses the end. rtmp2sink does read, and yet loses its
end to acknowledgements (wire facts 2.8).
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from unittest import SkipTest, TestCase

from tests.interop.compare import Media, assertSameMedia, mediaOf, readWholeFLV
from tests.interop.processes import Process, once, siege, waitFor
from tests.interop.programs import ffmpeg5, ffmpeg9
from tests.interop.publishers import ffmpegPublish, gstPublish
from tests.interop.server import Server
from tests.interop.sources import longSource, remux

#: As in wire facts 0.2: what FFmpeg sent when it lost a third of it to a server that acknowledged.
AT_LEAST = 35_337

#: The publishers.
NAMES = ("ffmpeg9", "ffmpeg5", "rtmp2sink", "rtmpsink")


@dataclass
class Published:
    """
    How it went.

    @ivar problem: why the publisher did not end well; empty if it did.
    @ivar wasBehind: whether the server had still something to read when the publisher had gone.
    @ivar sent: what it sent.
    @ivar recorded: what was recorded of that.
    """

    problem: str
    wasBehind: bool
    sent: list[Media]
    recorded: list[Media]


def _prepare(server: Server, name: str) -> tuple[list[str], Path]:
    """
    @return: how to publish, and where afterwards is what was sent.
    """
    url = server.url(f"live/{name}")
    if name in ("ffmpeg9", "ffmpeg5"):
        program = {"ffmpeg9": ffmpeg9, "ffmpeg5": ffmpeg5}[name]()
        return ffmpegPublish(program, longSource(), url, realTime=False), remux(program, longSource())
    sent = server.directory / f"{name}.flv"
    return gstPublish(name, longSource(), sent, url, realTime=False), sent


@once
def publishAll() -> dict[str, Published | Exception]:
    """Let all publish at once. A missing program stands as the exception that says so."""
    results: dict[str, Published | Exception] = {}
    running: dict[str, Process] = {}
    wasBehind: dict[str, bool] = {}
    sources: dict[str, Path] = {}

    with Server(arguments=("-m", "tests.interop.heldup")) as server, ExitStack() as stack:

        def allEnded() -> bool:
            for name, process in running.items():
                if name not in wasBehind and process.status is not None:
                    wasBehind[name] = not list(server.recordings.glob(f"live/{name}-*.flv"))
            return len(wasBehind) == len(running)

        commands = {}
        for name in NAMES:
            try:
                commands[name], sources[name] = _prepare(server, name)
            except (SkipTest, AssertionError) as error:
                results[name] = error
        for name, command in commands.items():
            running[name] = stack.enter_context(Process(command, server.directory / f"{name}.log"))
        waitFor("all publishers to end", allEnded)
        for name, process in running.items():
            problem = f"ended with {process.status}: {process}" if process.status else ""
            sent, recorded = readWholeFLV(sources[name]), readWholeFLV(server.recording(f"live/{name}"))
            results[name] = Published(problem, wasBehind[name], mediaOf(sent), mediaOf(recorded))
    return results


@siege
class FullSpeedTests(TestCase):
    """100 %, however fast it comes and however slowly it is read."""

    def check(self, name: str) -> Published:
        result = publishAll()[name]
        if isinstance(result, Exception):
            raise result
        self.assertEqual(result.problem, "")
        self.assertGreaterEqual(len(result.sent), AT_LEAST)
        assertSameMedia(self, result.recorded, result.sent, name)
        return result

    def test_ffmpeg9(self) -> None:
        """FFmpeg 9, which has gone long before the server has read all."""
        self.assertTrue(self.check("ffmpeg9").wasBehind)

    def test_ffmpeg5(self) -> None:
        """FFmpeg 5.1, which has gone long before the server has read all."""
        self.assertTrue(self.check("ffmpeg5").wasBehind)

    def test_rtmp2sink(self) -> None:
        """GStreamer's own RTMP, which is slowed down by the server."""
        self.check("rtmp2sink")

    def test_librtmp(self) -> None:
        """librtmp, in rtmpsink."""
        self.check("rtmpsink")
