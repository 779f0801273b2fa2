"""
Who joins in the middle: metadata, every header and a keyframe come first, and FFmpeg decodes it without a complaint.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from unittest import SkipTest, TestCase

from rtmptw.wire import amf0
from rtmptw.wire.flv import FLVTag
from rtmptw.wire.media import classify
from rtmptw.wire.message import Message, MessageType
from tests.interop.compare import assertSameMedia, mediaOf, readFLV, readRTMP, readWholeFLV, shift
from tests.interop.players import decode
from tests.interop.processes import Process, once, waitFor
from tests.interop.programs import ffmpeg5, ffmpeg9
from tests.interop.proxy import Proxy
from tests.interop.publishers import ffmpegPublish
from tests.interop.server import Server
from tests.interop.sources import CODECS, MAPS, source

#: Seconds of a stream.
SECONDS = 6

#: How far a stream is when the others join, ms. There is a keyframe in every second.
LATE = 1300

#: What is decoded, where it is not FFmpeg's own choice of one track of each kind.
DECODED = {"multitrack": ("-map", "0:v:0", "-map", "0:v:1", "-map", "0:a:0", "-map", "0:a:1")}

ON_META_DATA = amf0.encode("onMetaData")


@dataclass
class Joined:
    """
    How it went for one player.

    @ivar problem: what it has said; empty if all was well.
    @ivar received: what the server has sent to it.
    @ivar recording: what it could have got.
    """

    problem: str
    received: list[Message]
    recording: list[FLVTag]


@once
def joinAll() -> dict[str, Joined | Exception]:
    """Publish all kinds of streams, join each in its middle, decode it to its end."""
    publisher = ffmpeg9()
    results: dict[str, Joined | Exception] = {}
    # All before the first is published: they take time to make.
    inputs = {codecs: source(codecs, SECONDS) for codecs in CODECS}
    with Server() as server, ExitStack() as stack:
        for codecs, input in inputs.items():
            command = ffmpegPublish(publisher, input, server.url(f"live/{codecs}"), *MAPS.get(codecs, ()))
            stack.enter_context(Process(command, server.directory / f"{codecs}.log"))
        running = {}
        for player, find in (("ffmpeg9", ffmpeg9), ("ffmpeg5", ffmpeg5)):
            # FFmpeg 5.1 knows no enhanced RTMP.
            for codecs in CODECS if player == "ffmpeg9" else ("h264-aac",):
                name = f"{player} {codecs}"
                try:
                    program = find()
                except (SkipTest, AssertionError) as error:
                    results[name] = error
                    continue
                _waitUntilLate(server, f"live/{codecs}")
                proxy = stack.enter_context(Proxy(server.port))
                command = decode(program, proxy.url(f"live/{codecs}"), *DECODED.get(codecs, ()))
                process = stack.enter_context(Process(command, server.directory / f"{name}.log"))
                running[name] = process, proxy, codecs
        for name, (process, proxy, codecs) in running.items():
            status = process.wait()
            problem = f"ended with {status}: {process}" if status or process.output else ""
            received = readRTMP(proxy.finished().said(byClient=False))
            results[name] = Joined(problem, received, readWholeFLV(server.recording(f"live/{codecs}")))
    return results


def _waitUntilLate(server: Server, path: str) -> None:
    file = server.partial(path)

    def isLate() -> bool:
        media = mediaOf(readFLV(file))
        return bool(media) and media[-1][1] >= LATE

    waitFor(f"the middle of {path}", isLate)


class LateJoinerTests(TestCase):
    """Late, but complete from a keyframe on."""

    def check(self, name: str) -> None:
        result = joinAll()[name]
        if isinstance(result, Exception):
            raise result
        self.checkReceived(result, name)
        self.assertEqual(result.problem, "")

    def checkReceived(self, result: Joined, name: str) -> None:
        """What was sent: metadata, every header there is, a keyframe and everything behind it."""
        received = [m for m in result.received if m.type in (MessageType.AUDIO, MessageType.VIDEO)]
        first = next(i for i, message in enumerate(received) if not classify(message.type, message.payload).isHeader)
        headers, rest = received[:first], received[first:]
        self.assertEqual(rest[0].type, MessageType.VIDEO)
        self.assertTrue(classify(rest[0].type, rest[0].payload).isKeyframe)

        recorded = [tag for tag in result.recording if tag.type in (MessageType.AUDIO, MessageType.VIDEO)]
        self.assertLess(len(rest), len(recorded) - first)
        assertSameMedia(self, mediaOf(rest), shift(mediaOf(recorded)[-len(rest) :]), name)

        everyHeader = {tag.payload for tag in recorded if classify(tag.type, tag.payload).isHeader}
        self.assertEqual({message.payload for message in headers}, everyHeader)
        self.assertEqual(len(headers), len(everyHeader))
        self.assertEqual({message.timestamp for message in headers}, {rest[0].timestamp})

        before = result.received[: result.received.index(headers[0])]
        metadata = [m for m in before if m.type == MessageType.DATA and m.payload.startswith(ON_META_DATA)]
        self.assertEqual(len(metadata), 1)

    def test_h264AAC(self) -> None:
        """H.264 and AAC, FFmpeg 9."""
        self.check("ffmpeg9 h264-aac")

    def test_h264AACffmpeg5(self) -> None:
        """H.264 and AAC, FFmpeg 5.1."""
        self.check("ffmpeg5 h264-aac")

    def test_hevcOpus(self) -> None:
        """HEVC and Opus."""
        self.check("ffmpeg9 hevc-opus")

    def test_av1FLAC(self) -> None:
        """AV1 and FLAC."""
        self.check("ffmpeg9 av1-flac")

    def test_vp9AC3(self) -> None:
        """VP9 and AC-3."""
        self.check("ffmpeg9 vp9-ac3")

    def test_multitrack(self) -> None:
        """Two tracks of each kind."""
        self.check("ffmpeg9 multitrack")
