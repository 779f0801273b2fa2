"""
Every publisher in real time: what is recorded is what it sent, to the last message.

They publish at the same time, to one server; each test then looks at one of them.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from unittest import SkipTest, TestCase

from tests.interop.compare import Media, assertSameMedia, mediaOf, readFLV, readWholeFLV
from tests.interop.processes import Process, once
from tests.interop.programs import ffmpeg5, ffmpeg9
from tests.interop.publishers import ffmpegPublish, gstPublish
from tests.interop.server import Server
from tests.interop.sources import CODECS, MAPS, remux, source


@dataclass
class Published:
    """
    How it went.

    @ivar problem: why the publisher did not end well; empty if it did.
    @ivar sent: what it sent.
    @ivar recorded: what was recorded of that.
    @ivar metadata: how many script data tags the recording has.
    """

    problem: str
    sent: list[Media]
    recorded: list[Media]
    metadata: int


class _Case:
    """
    One publisher.

    @raise SkipTest: if its program is missing.
    """

    def __init__(self, server: Server, name: str) -> None:
        program, codecs = name.split(" ")
        self.path = f"live/{program}-{codecs}"
        url = server.url(self.path)
        if program.startswith("ffmpeg"):
            executable = ffmpeg5() if program == "ffmpeg5" else ffmpeg9()
            options = MAPS.get(codecs, ())
            self.sent = remux(executable, source(codecs), *options)
            announced = ANNOUNCED if program == "ffmpeg9announced" else ()
            self.command = ffmpegPublish(executable, source(codecs), url, *options, *announced)
        else:
            self.sent = server.directory / f"{program}.flv"
            self.command = gstPublish(program, source(codecs), self.sent, url)


#: FFmpeg 9 can say in its connect which codecs it may send. It sends them in any case.
ANNOUNCED = ("-rtmp_enhanced_codecs", "hvc1,av01,vp09,Opus")

NAMES = (
    *(f"ffmpeg9 {codecs}" for codecs in CODECS),
    "ffmpeg9announced hevc-opus",
    "ffmpeg5 h264-aac",
    "rtmp2sink h264-aac",
    "rtmpsink h264-aac",
)


@once
def publishAll() -> dict[str, Published | Exception]:
    """Let all publish, each to a stream of its own. A missing program stands as the exception that says so."""
    results: dict[str, Published | Exception] = {}
    with Server() as server, ExitStack() as stack:
        cases = {}
        for name in NAMES:
            try:
                cases[name] = _Case(server, name)
            except (SkipTest, AssertionError) as error:
                results[name] = error
        running = {
            name: stack.enter_context(Process(case.command, server.directory / f"{name}.log"))
            for name, case in cases.items()
        }
        for name, case in cases.items():
            try:
                results[name] = _finish(server, case.path, case.sent, running[name])
            except AssertionError as error:
                results[name] = error
    return results


def _finish(server: Server, path: str, sent: Path, process: Process) -> Published:
    problem = f"ended with {process.status}: {process}" if process.wait() else ""
    tags = readWholeFLV(server.recording(path))
    metadata = sum(tag.type == 18 for tag in tags)
    return Published(problem, mediaOf(readFLV(sent)), mediaOf(tags), metadata)


class RealTimeTests(TestCase):
    """100 %: the recording holds the sequence that was sent."""

    def check(self, name: str) -> Published:
        result = publishAll()[name]
        if isinstance(result, Exception):
            raise result
        self.assertEqual(result.problem, "")
        assertSameMedia(self, result.recorded, result.sent, name)
        self.assertGreaterEqual(result.metadata, 1)
        return result

    def test_ffmpeg9(self) -> None:
        """FFmpeg 9, H.264 and AAC."""
        self.check("ffmpeg9 h264-aac")

    def test_ffmpeg5(self) -> None:
        """FFmpeg 5.1, H.264 and AAC."""
        self.check("ffmpeg5 h264-aac")

    def test_rtmp2sink(self) -> None:
        """GStreamer's own RTMP, H.264 and AAC."""
        self.check("rtmp2sink h264-aac")

    def test_librtmp(self) -> None:
        """librtmp, in GStreamer's rtmpsink, H.264 and AAC: chunks of 128 bytes for ever."""
        self.check("rtmpsink h264-aac")

    def test_hevcOpus(self) -> None:
        """FFmpeg 9, HEVC and Opus: enhanced RTMP that nobody has negotiated."""
        self.check("ffmpeg9 hevc-opus")

    def test_hevcOpusAnnounced(self) -> None:
        """FFmpeg 9, HEVC and Opus, which it has announced (wire facts 7.2)."""
        self.check("ffmpeg9announced hevc-opus")

    def test_av1FLAC(self) -> None:
        """FFmpeg 9, AV1 and FLAC."""
        self.check("ffmpeg9 av1-flac")

    def test_vp9AC3(self) -> None:
        """FFmpeg 9, VP9 and AC-3: its audio begins messages with type 3 chunks."""
        self.check("ffmpeg9 vp9-ac3")

    def test_multitrack(self) -> None:
        """FFmpeg 9, two tracks of each kind: H.264 and AAC as ever, HEVC and Opus as multitrack."""
        result = self.check("ffmpeg9 multitrack")
        h264 = publishAll()["ffmpeg9 h264-aac"]
        assert isinstance(h264, Published)
        self.assertGreater(len(result.recorded), 1.8 * len(h264.recorded))
