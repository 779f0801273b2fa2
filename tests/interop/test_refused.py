"""
A second publisher of a name that is taken is told so, and goes, whatever it is; the first one notices nothing.
"""

from __future__ import annotations

from contextlib import ExitStack
from unittest import SkipTest, TestCase

from tests.interop.compare import Media, assertSameMedia, mediaOf, readWholeFLV
from tests.interop.processes import Process, once
from tests.interop.programs import ffmpeg5, ffmpeg9
from tests.interop.publishers import ffmpegPublish, gstPublish
from tests.interop.server import Server
from tests.interop.sources import LONG, remux, source

PATH = "live/busy"

#: How long a refused publisher's connection may last, and then the publisher, seconds. librtmp takes 30 where the
#: refusal or the close is missing.
PROMPTLY = 5.0

#: The server's line in the log about a connection that it has closed, and how long that lasted, seconds.
CLOSED = r"closed: publish refused: .* \((\d+\.\d) s; "


@once
def refuseAll() -> tuple[list[Media], dict[str, tuple[int, str] | Exception]]:
    """
    Publish, and let the others try to.

    @return: the recording of the first, and for each of the others its exit status and what it has said.
    """
    program, input = ffmpeg9(), source(seconds=LONG)
    results: dict[str, tuple[int, str] | Exception] = {}
    with Server() as server, ExitStack() as stack:
        url, directory = server.url(PATH), server.directory
        first = stack.enter_context(Process(ffmpegPublish(program, input, url), directory / "first.log"))
        server.partial(PATH)
        running = {}
        for name in ("ffmpeg9", "ffmpeg5", "rtmpsink", "rtmp2sink"):
            try:
                if name.startswith("ffmpeg"):
                    command = ffmpegPublish({"ffmpeg9": ffmpeg9, "ffmpeg5": ffmpeg5}[name](), input, url)
                else:
                    command = gstPublish(name, input, directory / f"{name}.flv", url)
            except (SkipTest, AssertionError) as error:
                results[name] = error
            else:
                running[name] = stack.enter_context(Process(command, directory / f"{name}.log"))
        lasted = [float(seconds) for seconds in server.waitForLog(CLOSED, len(running))]
        if max(lasted, default=0) > PROMPTLY:
            raise AssertionError(f"the refused connections were closed after {lasted} s")
        for name, process in running.items():
            try:
                results[name] = process.wait(PROMPTLY), process.output
            except AssertionError as error:
                results[name] = error
        first.succeed()
        # The only recording of this name.
        recorded = mediaOf(readWholeFLV(server.recording(PATH)))
    return recorded, results


class BusyNameTests(TestCase):
    """The name is taken."""

    def check(self, name: str) -> str:
        _, results = refuseAll()
        result = results[name]
        if isinstance(result, Exception):
            raise result
        status, output = result
        self.assertNotEqual(status, 0, output)
        return output

    def test_ffmpeg9(self) -> None:
        """FFmpeg 9 ends at once and shows the reason."""
        self.assertIn(f"{PATH} is published already", self.check("ffmpeg9"))

    def test_ffmpeg5(self) -> None:
        """FFmpeg 5.1 ends at once and shows the reason."""
        self.assertIn(f"{PATH} is published already", self.check("ffmpeg5"))

    def test_librtmp(self) -> None:
        """librtmp ends at once, in rtmpsink."""
        self.assertIn("rtmpsink", self.check("rtmpsink"))

    def test_rtmp2sink(self) -> None:
        """GStreamer's own RTMP ends at once and shows the reason."""
        self.assertIn("published already", self.check("rtmp2sink"))

    def test_first(self) -> None:
        """The first one's recording is complete, and nothing of the others is in it."""
        recorded, _ = refuseAll()
        assertSameMedia(self, recorded, mediaOf(readWholeFLV(remux(ffmpeg9(), source(seconds=LONG)))))
