"""
Timestamps of streams that are on for long, or whose clock is set.

Beyond 0xFFFFFF ms, which is 4 h 39 min, they need the extended timestamp, in which so many implementations differ (wire
facts 2.4). At 2^24, 2^31 and 2^32 ms one encoder or another begins again at 0.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from unittest import TestCase

from rtmptw.wire.flv import FLVTag, encodeTag, fileHeader
from rtmptw.wire.message import MessageType
from tests.interop.compare import assertRecorded, assertSameMedia, isFrame, mediaOf, readFLV, readRTMP, readWholeFLV
from tests.interop.ourclient import OurClient
from tests.interop.players import play
from tests.interop.processes import Process, once
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
        assertRecorded(self, recorded, sent)
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


#: How long before the edge a crafted stream begins, ms.
_AHEAD = 1500

#: Where its second round begins that has another clock, ms.
_HOUR = 3_600_000

_ROUND = 1 << 32

#: By name: where streams begin, and modulo which their publishers count.
EDGES = {
    "24": ((1 << 24) - _AHEAD, _ROUND),
    "31": ((1 << 31) - _AHEAD, _ROUND),
    "32": (_ROUND - _AHEAD, _ROUND),
    "24-short": ((1 << 24) - _AHEAD, 1 << 24),
    "31-short": ((1 << 31) - _AHEAD, 1 << 31),
}

#: What a player has made of a frame: which stream (0 is the picture), DTS in ms, bytes.
Packet = tuple[int, int, int]


def _crafted(name: str) -> list[tuple[int, FLVTag]]:
    """The tags of one stream: the true time, and what its publisher sends."""
    tags = readWholeFLV(source())
    if name == "set":
        # One clock, and then another one: two rounds of the same.
        return [(start + tag.timestamp, _at(tag, start + tag.timestamp)) for start in (_HOUR, 0) for tag in tags]
    start, stamps = EDGES[name]
    return [(start + tag.timestamp, _at(tag, (start + tag.timestamp) % stamps)) for tag in tags]


def _at(tag: FLVTag, timestamp: int) -> FLVTag:
    return FLVTag(tag.type, timestamp, tag.payload)


def _frames(player: Callable[[], str], url: str, file: Path) -> list[str]:
    """FFmpeg, which copies, and writes a line for each frame that it would write into a file."""
    return [player(), "-nostdin", "-v", "warning", "-i", url, "-c", "copy", "-copyts", "-f", "framecrc", str(file)]


def _packets(file: Path) -> list[Packet]:
    """What L{_frames} has written; times are in ms, since that is what FLV has."""
    rows = [line.split(",") for line in file.read_text().splitlines() if not line.startswith("#")]
    return [(int(stream), int(dts), int(size)) for stream, dts, _, _, size, *_ in rows]


@once
def playedAll() -> dict[str, tuple[list[Packet], list[Packet], str, list[str]]]:
    """By name: what FFmpeg 5.1 and 9 have played, what they have said, and what the server's log says of times."""
    players = {"ffmpeg5": ffmpeg5, "ffmpeg9": ffmpeg9}
    results = {}
    with Server() as server, ExitStack() as stack:
        directory = server.directory
        for number, name in enumerate((*EDGES, "set"), 1):
            url, file = server.url(f"live/{name}"), directory / f"{name}.flv"
            tags = [encodeTag(tag.type, tag.timestamp, tag.payload) for _, tag in _crafted(name)]
            file.write_bytes(fileHeader() + b"".join(tags))
            processes = [
                stack.enter_context(
                    Process(_frames(find, url, directory / f"{name}-{player}"), directory / f"{name}-{player}.log")
                )
                for player, find in players.items()
            ]
            server.waitForLog(PLAY, number * len(players))
            log = directory / f"{name}-publisher.log"
            stack.enter_context(OurClient("publish", url, file, log, "--pace", "push")).succeed()
            for process in processes:
                process.succeed()
            results[name] = (
                _packets(directory / f"{name}-ffmpeg5"),
                _packets(directory / f"{name}-ffmpeg9"),
                "".join(process.output for process in processes),
                [line for line in server.log.splitlines() if f"live/{name}: " in line and "timestamps" in line],
            )
    return results


class PlayedTestCase(TestCase):
    """FFmpeg plays: every frame comes, at its time, and it has nothing to complain about."""

    def check(self, name: str, repairs: int) -> None:
        *played, said, lines = playedAll()[name]
        sent = [(time, tag) for time, tag in _crafted(name) if isFrame(tag)]
        for packets in played:
            for stream, type, header in ((0, MessageType.VIDEO, 5), (1, MessageType.AUDIO, 2)):
                frames = [(time, len(tag.payload) - header) for time, tag in sent if tag.type == type]
                found = [(dts, size) for number, dts, size in packets if number == stream]
                self.assertEqual([size for _, size in found], [size for _, size in frames])
                self.checkTimes(name, [dts for dts, _ in found], [time for time, _ in frames])
        self.assertEqual(said, "")
        self.assertEqual(len(lines), repairs, lines)

    def checkTimes(self, name: str, found: list[int], true: list[int]) -> None:
        """Distances are kept."""
        self.assertEqual([time - found[0] for time in found], [time - true[0] for time in true])


class EdgeTests(PlayedTestCase):
    """Streams that cross an edge."""

    def test_24(self) -> None:
        """2^24 ms, where the timestamp needs its extension."""
        self.check("24", 0)

    def test_31(self) -> None:
        """2^31 ms, where a signed number would be less than 0."""
        self.check("31", 0)

    def test_32(self) -> None:
        """2^32 ms, where the wire begins again."""
        self.check("32", 0)

    def test_24Short(self) -> None:
        """2^24 ms, where a publisher begins again that knows no extension."""
        self.check("24-short", 1)

    def test_31Short(self) -> None:
        """2^31 ms, where one begins again whose numbers have a sign."""
        self.check("31-short", 1)


class SetClockTests(PlayedTestCase):
    """A stream whose publisher's clock is set back, by an hour."""

    def test_back(self) -> None:
        """Sound and picture go on together."""
        self.check("set", 1)

    def checkTimes(self, name: str, found: list[int], true: list[int]) -> None:
        """Distances are kept on both sides of that moment; there time goes on, behind the sound, which ends last."""
        middle = next(index for index, (one, other) in enumerate(pairwise(true), 1) if other < one)
        for part in (slice(0, middle), slice(middle, None)):
            self.assertEqual([t - found[part][0] for t in found[part]], [t - true[part][0] for t in true[part]])
        self.assertTrue(0 < found[middle] - found[middle - 1] <= 200, found[middle - 1 : middle + 1])
