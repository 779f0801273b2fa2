"""
A publisher is killed, and comes back: FFmpeg plays over the change, and the recording goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from unittest import TestCase

from rtmptw.wire.flv import FLVTag
from rtmptw.wire.media import classify
from tests.interop.compare import isFrame, mediaOf, readFLV, readWholeFLV, shift
from tests.interop.players import decode, play
from tests.interop.processes import Process, once, run, runDirectory, waitFor
from tests.interop.programs import ffmpeg9
from tests.interop.publishers import ffmpegPublish
from tests.interop.server import Server
from tests.interop.sources import source

#: How long the first publisher sends, at least, before he is killed; and how far a viewer may be behind the outage and
#: the wait for a keyframe, when he is back, seconds. There is a keyframe in every second.
SENT, KEYFRAMES = 1.2, 1.0

PATH = "live/again"

#: Decode with the times of the file. By itself FFmpeg guesses a frame rate, wrongly where there is a gap, and complains
#: of what it makes of that.
AS_THEY_ARE = ("-fps_mode:v", "passthrough", "-enc_time_base:v", "demux")


@once
def otherSize() -> Path:
    """The same film in another size."""
    path = runDirectory() / "other-size.flv"
    command = [ffmpeg9(), "-nostdin", "-v", "error", "-i", str(source()), "-s", "160x90", "-g", "25"]
    run(
        [*command, "-c:v", "libx264", "-preset", "veryfast", "-c:a", "copy", "-f", "flv", str(path)],
        path.with_suffix(".log"),
    )
    return path


@dataclass
class Result:
    """
    @ivar status: how the viewer has ended.
    @ivar viewed: what it has written.
    @ivar recorded: the recordings, in order.
    @ivar problems: what FFmpeg finds when it decodes each of these.
    @ivar log: the server's.
    """

    status: int
    viewed: list[FLVTag]
    recorded: list[list[FLVTag]]
    problems: list[str]
    log: str


@once
def comeback(second: str) -> Result:
    """
    Publish, play, kill the publisher, publish again to the end.

    @param second: what is published then: "same" or "other".
    """
    program = ffmpeg9()
    film = {"same": source, "other": otherSize}[second]()
    with Server() as server:
        log, view = server.directory / "log", server.directory / "view.flv"
        with Process(ffmpegPublish(program, source(), server.url(PATH)), log) as publisher:
            server.waitForLog("publishing")
            with Process(play("ffmpeg9", server.url(PATH), view), server.directory / "view.log") as viewer:
                server.waitForLog("playing")
                partial = server.partial(PATH)
                waitFor("some of the film", lambda: mediaSeconds(partial) >= SENT)
                publisher.kill()
                server.waitForLog("is waited for")
                with Process(ffmpegPublish(program, film, server.url(PATH)), log) as again:
                    again.succeed()
                status = viewer.wait()
        files = waitFor(
            "the recordings",
            lambda: [] if [*server.recordings.glob("live/*.part")] else sorted(server.recordings.glob("live/*.flv")),
        )
        problems = []
        for file in (view, *files):
            with Process(decode(program, str(file), *AS_THEY_ARE), server.directory / "decode.log") as decoder:
                problems.append(f"{decoder.wait()}{decoder.output}")
        return Result(status, readWholeFLV(view), [readWholeFLV(file) for file in files], problems, server.log)


def mediaSeconds(file: Path) -> float:
    """How much time a recording has."""
    return max((tag.timestamp for tag in readFLV(file)), default=0) / 1000


def keyframeOn(tags: list[FLVTag]) -> list[FLVTag]:
    """The frames from the first keyframe on."""
    first = next(index for index, tag in enumerate(tags) if classify(tag.type, tag.payload).isKeyframe)
    return [tag for tag in tags[first:] if isFrame(tag)]


class HandoverTests(TestCase):
    def assertGoesOn(self, result: Result, frames: list[FLVTag], film: Path) -> None:
        """Assert that time goes on, the gap is no longer than the outage, and all of the second film is there."""
        for type in (8, 9):
            times = [tag.timestamp for tag in frames if tag.type == type]
            self.assertEqual(times, sorted(times))
        expected = mediaOf(keyframeOn(readWholeFLV(film)))
        found = mediaOf(frames[-len(expected) :])
        self.assertEqual([digest for *_, digest in found], [digest for *_, digest in expected])
        self.assertEqual(shift(found), shift(expected))
        gap = frames[-len(expected)].timestamp - frames[-len(expected) - 1].timestamp
        [outage] = [float(line.split()[0]) for line in result.log.split("it goes on, after ")[1:]]
        self.assertLess(abs(gap / 1000 - outage), KEYFRAMES)

    def test_sameParameters(self) -> None:
        """The viewer plays over the change, with nothing but a gap; so does the recording, which is one file."""
        result = comeback("same")
        self.assertEqual((result.status, result.problems), (0, ["0", "0"]))
        [recorded] = result.recorded
        viewed, recorded = ([tag for tag in tags if isFrame(tag)] for tags in (result.viewed, recorded))
        self.assertGoesOn(result, recorded, source())
        self.assertGoesOn(result, viewed, source())

    def test_otherParameters(self) -> None:
        """Another size: the viewer is told before the first picture, and the recording goes on in a second file."""
        result = comeback("other")
        self.assertEqual((result.status, result.problems[1:]), (0, ["0", "0"]))
        self.assertEqual(len(result.recorded), 2)
        headers = [tag.payload for tag in result.viewed if tag.type == 9 and tag.payload[1] == 0]
        self.assertEqual(len(set(headers)), 2)
        self.assertGoesOn(result, [tag for tag in result.viewed if isFrame(tag)], otherSize())
        second = mediaOf(keyframeOn(result.recorded[1]))
        self.assertEqual(shift(second), shift(mediaOf(keyframeOn(readWholeFLV(otherSize())))))
