"""
Tests for streams that are on for weeks: past 2^24 ms (4 h 39 min), 2^31 ms (24 days 20 h) and 2^32 ms (49 days 17 h),
by way of bytes, through everything that a stream goes through: to viewers, into recordings, and by push and pull to
other servers.

The time is simulated, and the stream is sparse where nothing happens: an hour from one group of frames to the next, of
which all servers hear by their clocks. It is dense, 25 pictures a second and their sound, wherever something might.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.limits import Limits
from rtmptw.live.streamclock import FORWARD
from rtmptw.record.recorder import Recorder
from rtmptw.wire.message import Message, MessageType
from tests.live.doubles import MemorySubscriber
from tests.record.disk import makeDirectory, readTags
from tests.relay.network import Host, Network
from tests.session.dialects import Client, audio, command, video

ROUND = 1 << 32
HOUR = 3_600_000
DAY = 24 * HOUR
SIXTY_DAYS = 60 * DAY

#: Where something might happen, ms.
EDGES = (1 << 24, 1 << 31, ROUND)

#: How long the dense part is, before an edge and behind it, ms.
DENSE = 2000

PATH = "live/camera"

#: Type, time without an end, payload.
Frame = tuple[int, int, bytes]

SOUND_HEADER, PICTURE_HEADER = b"\xaf\x00\x12\x10", b"\x17\x00\0\0\0avcC"


class Schedule:
    """
    What a publisher sends: every frame is another one.

    @ivar frames: all so far, in order.
    """

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self._number = 0

    def dense(self, start: int, end: int) -> list[Frame]:
        """All frames of a part of the stream, sorted by time; it begins with a keyframe."""
        pictures = [(MessageType.VIDEO, at) for at in range(start, end, 40)]
        sounds = [(MessageType.AUDIO, at) for at in range(start + 3, end, 23)]
        return [
            self._frame(type, at, at == start) for type, at in sorted([*pictures, *sounds], key=lambda each: each[1])
        ]

    def group(self, at: int) -> list[Frame]:
        """A keyframe and its sound."""
        return [self._frame(MessageType.VIDEO, at, True), self._frame(MessageType.AUDIO, at + 3, False)]

    def _frame(self, type: int, at: int, isKeyframe: bool) -> Frame:
        self._number += 1
        begin = (b"\x17\x01\0\0\0" if isKeyframe else b"\x27\x01\0\0\0") if type == MessageType.VIDEO else b"\xaf\x01"
        self.frames.append((int(type), at, begin + self._number.to_bytes(4, "big") + bytes(200)))
        return self.frames[-1]

    def around(self, start: int, end: int) -> Iterator[list[Frame]]:
        """The frames of each 200 ms, from a time just before an edge to one behind it."""
        for _, frames in groupby(self.dense(start, end), lambda frame: frame[1] // 200):
            yield list(frames)

    def sixtyDays(self) -> Iterator[list[Frame]]:
        """Sixty days from 0 on: dense at both ends and at each edge, before which steps are just what is believed."""
        at = 0
        for edge in (DENSE, *EDGES, SIXTY_DAYS):
            while at + HOUR < edge - DENSE:
                yield self.group(at)
                at += HOUR
            while at + FORWARD - 1000 < edge - DENSE:
                yield self.group(at)
                at += FORWARD - 1000
            yield from self.around(max(at, edge - DENSE), edge + DENSE)
            at = edge + DENSE + 40


class Outputs:
    """
    A server that is published to; one that it pushes to; one that pulls from it; a viewer; recordings.
    """

    def __init__(self, case: SynchronousTestCase) -> None:
        self.case = case
        self.network = Network(case)
        self.clock = self.network.clock
        self.here, self.target, self.edge = (Host(self.network, name) for name in ("here", "target", "edge"))
        for host in (self.here, self.target, self.edge):
            # Nobody answers pings here, and nobody is to be closed for an hour of silence.
            host.factory.limits = Limits(pingSeconds=86400, silenceSeconds=86400)
        self.directory = makeDirectory(case)

        def run(work: Callable[[], Any]) -> Deferred[Any]:
            return succeed(work())

        self.recorder = Recorder(str(self.directory), self.clock, run, now=self._now)
        self.here.hub.observers.append(self.recorder)
        self.here.push.add("live", "rtmp://target/live")
        self.edge.pull.add(PATH, "rtmp://here/live", always=True)
        self.viewers = [self.join()]
        self.publisher = self._client("publish")

    def _now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.clock.seconds())

    def _client(self, word: str) -> Client:
        client = Client(SimpleNamespace(factory=self.here.factory, case=self.case, clock=self.here.factory.clock))  # type: ignore[arg-type]
        client.shakeHands()
        client.send(command("connect", 1, {"app": "live", "tcUrl": "rtmp://here/live"}))
        client.send(command("createStream", 2), command(word, 3, None, "camera", id=1))
        client.take()
        return client

    def join(self) -> Client:
        """One more viewer."""
        return self._client("play")

    def begin(self, timestamp: int) -> None:
        """Headers."""
        self.publisher.send(audio(timestamp, SOUND_HEADER), video(timestamp, PICTURE_HEADER))
        self.network.pass_(1, step=1)

    def send(self, frames: list[Frame], stamps: int) -> None:
        """
        One read of the publisher's, and everybody is served.

        @param stamps: modulo which the publisher counts.
        """
        self.publisher.send(*[Message(type, at % stamps, 1, payload, 4) for type, at, payload in frames])
        self.network.pump()
        for viewer in self.viewers:
            viewer.take()

    def end(self) -> None:
        """The publisher says the end."""
        self.publisher.send(command("deleteStream", 4, None, 1))
        self.network.pass_(2, step=1)

    def files(self) -> list[Path]:
        """The recordings, in order."""
        return sorted(self.directory.rglob("*.flv"))

    @property
    def received(self) -> dict[str, list[Message]]:
        """What has come out, by way."""

        def published(host: Host) -> MemorySubscriber:
            ((path, subscriber),) = host.published
            self.case.assertEqual(path, PATH)
            return subscriber

        return {
            "viewer": self.viewers[0].heard,
            "push": published(self.target).messages,
            "pull": published(self.edge).messages,
        }


def media(messages: list[Message]) -> list[tuple[int, int, bytes]]:
    """Frames: type, timestamp, payload."""
    return [(int(m.type), m.timestamp, m.payload) for m in messages if m.type in (8, 9) and m.payload[1] == 1]


class WeeksTests(SynchronousTestCase):
    """Everything arrives once, in order, and at its time."""

    def stream(self, frames: Iterator[list[Frame]], start: int, stamps: int = ROUND) -> Outputs:
        """Send it; time passes as it should."""
        outputs = Outputs(self)
        outputs.begin(start % stamps)
        at = start
        for read in frames:
            outputs.clock.advance((read[-1][1] - at) / 1000)
            at = read[-1][1]
            outputs.send(read, stamps)
        return outputs

    def check(self, schedule: Schedule, outputs: Outputs) -> None:
        """Assert that all of it has come out everywhere."""
        outputs.end()
        expected = [(type, at % ROUND, payload) for type, at, payload in schedule.frames]
        for way, messages in outputs.received.items():
            found = media(messages)
            self.assertEqual(len(found), len(expected), way)
            for one, other in zip(found, expected, strict=True):
                self.assertEqual(one, other, way)
            self.assertEqual(len([m for m in messages if m.payload in (SOUND_HEADER, PICTURE_HEADER)]), 2, way)
        self.checkFiles(schedule, outputs)

    def checkFiles(self, schedule: Schedule, outputs: Outputs) -> None:
        """
        Assert that the recordings have every frame once, in order, and each file its distances; that none goes back,
        and none beyond 2^31 ms, where readers differ.
        """
        frames = iter(schedule.frames)
        for file in outputs.files():
            tags = [tag for tag in readTags(file) if tag.type in (8, 9) and tag.payload[1] == 1]
            self.assertEqual((tags[0].type, tags[0].payload[0]), (9, 0x17), file.name)
            origin: int | None = None
            for tag in tags:
                type, at, payload = next(frames)
                self.assertEqual((tag.type, tag.payload), (type, payload), file.name)
                origin = at - tag.timestamp if origin is None else origin
                self.assertEqual(tag.timestamp, at - origin, file.name)
                self.assertLess(tag.timestamp, 1 << 31)
        self.assertEqual(list(frames), [])

    def test_sixtyDays(self) -> None:
        """From 0 on, past all three edges, without a repair; who joins then gets headers at the time of the frames."""
        schedule = Schedule()
        outputs = self.stream(schedule.sixtyDays(), 0)
        outputs.viewers.append(outputs.join())
        last = schedule.group(SIXTY_DAYS + DENSE + 40)
        outputs.send(last, ROUND)
        joined = [(m.type, m.timestamp) for m in outputs.viewers[1].heard if m.type in (8, 9) and m.payload[1] == 0]
        keyframe = SIXTY_DAYS - DENSE
        self.assertEqual(sorted(joined), [(8, keyframe % ROUND), (9, keyframe % ROUND)])
        found = media(outputs.viewers[1].heard)
        self.assertEqual(found[0][:2], (9, keyframe % ROUND))
        self.assertEqual([each[2] for each in found], [each[2] for each in schedule.frames[-len(found) :]])
        self.check(schedule, outputs)
        self.assertGreater(len(outputs.files()), 2)
        self.assertEqual(outputs.network.lines("timestamps"), [])

    def test_beginsBefore(self) -> None:
        """A stream that begins just before an edge, as one does whose clock is that of a machine, passes it as well."""
        for edge in EDGES:
            for start in (edge - DENSE, edge - 80, edge - 1, edge):
                schedule = Schedule()
                outputs = self.stream(schedule.around(start, edge + DENSE), start)
                self.check(schedule, outputs)
                self.assertEqual(outputs.network.lines("timestamps"), [])

    def test_shortClocks(self) -> None:
        """An encoder that counts in 24 or 31 bits begins again at 0: nobody sees that, and the log says it once."""
        for stamps in (1 << 24, 1 << 31):
            schedule = Schedule()
            outputs = self.stream(schedule.around(stamps - DENSE, stamps + DENSE), stamps - DENSE, stamps)
            self.check(schedule, outputs)
            self.assertEqual(len(outputs.network.lines("timestamps began again at 0")), 1)

    def test_shortClockForWeeks(self) -> None:
        """One with 31 bits, for sixty days: it begins again twice, and the second time the wire does as well."""
        schedule = Schedule()
        self.check(schedule, self.stream(schedule.sixtyDays(), 0, 1 << 31))
