"""Tests for L{rtmptw.record.segment}."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock

from rtmptw.live.headers import MAX_HEADER_SIZE, MAX_HEADERS
from rtmptw.live.livestream import Publication
from rtmptw.record.segment import (
    CUT_SECONDS,
    CUTS,
    MAX_SECONDS,
    OVERDUE_SECONDS,
    Beginning,
    Entry,
    SegmentRule,
    Segments,
)
from rtmptw.wire import amf0
from rtmptw.wire.fileclock import REORDER_MARGIN
from rtmptw.wire.media import classify
from rtmptw.wire.message import Message
from tests.live.doubles import (
    MemoryOutlet,
    atOnce,
    audio,
    inter,
    key,
    metadata,
    pictureHeader,
    sound,
    soundHeader,
    video,
)
from tests.record.recordcase import BEGINNING, DATA, RecorderTestCase

PICTURE, SOUND = pictureHeader().payload, soundHeader().payload


class TimeTests(RecorderTestCase):
    """Where messages are in the file."""

    def setUp(self) -> None:
        """Work is done at once."""
        super().setUp()
        self.useNoThread()

    def times(self, *messages: Message) -> list[int]:
        """Record, and give the times in the file."""
        for path in self.files():
            path.unlink()
        # Not by way of the hub, which makes good what clocks do.
        self.recorder.publishStarted(atOnce(self.clock)._stream("live/camera"))
        (recording,) = self.recorder._recordings
        for message in messages:
            recording.messageReceived(message)
        recording.streamEnded("")
        return [time for _, time, _ in self.tags()]

    def test_zero(self) -> None:
        """A stream that begins near 0 keeps its times."""
        for start in (0, 1, 40, REORDER_MARGIN):
            self.assertEqual(self.times(key(start), inter(start + 40), sound(start)), [start, start + 40, start])

    def test_later(self) -> None:
        """One that begins later begins a second after 0, so that what is a little earlier has a place."""
        for start in (1001, 0xFFFFFF, 0x1000000, 0x7FFFFFFF, 0x80000000, 0xC0000000, 0xFFFFFFFF - 100):
            found = self.times(metadata(0), pictureHeader(start), key(start), sound(start - 30), inter(start + 40))
            self.assertEqual(found, [0, 1000, 970, 1040], hex(start))
            self.assertEqual(self.duration(), 1.04)

    def test_headersAtZero(self) -> None:
        """FFmpeg's -output_ts_offset: headers at 0, frames from anywhere: the file begins at 0, and is one."""
        for start in (1_000_000, 2_147_480_000, 0xF0000000):
            found = self.times(*BEGINNING, *(key(start + number * 1000) for number in range(10)))
            self.assertEqual(found, [0, 0, *(1000 + number * 1000 for number in range(10))], hex(start))
            self.assertEqual(self.duration(), 10.0)

    def test_tooEarly(self) -> None:
        """What is earlier than the beginning is put at the beginning."""
        self.assertEqual(self.times(key(5000), sound(3999), sound(10), inter(5040)), [1000, 0, 0, 1040])
        self.assertEqual(self.times(key(0), sound(0xFFFFFFD0), inter(40)), [0, 0, 40])

    def test_wrap(self) -> None:
        """Time goes on when 32 bits are over, also if audio and video cross the line one after the other."""
        stamps = [0xFFFFFFC0, 0xFFFFFFD5, 0xFFFFFFE8, 0x10, 0xFFFFFFF0, 0x38, 0x15]
        start = stamps[0]
        expected = [1000 + ((stamp - start) & 0xFFFFFFFF) for stamp in stamps]
        self.assertEqual(self.times(*(inter(stamp) for stamp in stamps)), expected)
        self.assertEqual(self.duration(), max(expected) / 1000)

    def test_negativeStart(self) -> None:
        """A stream that begins a little below 0 (wire facts 2.3) is not four billion ms long."""
        self.assertEqual(self.times(key(0xFFFFFFD8), inter(0), inter(40)), [1000, 1040, 1080])

    def test_86_endOfSequence(self) -> None:
        """Conformance 86: OBS ends with SequenceEnd at 0: it is kept, the duration is right, and so is what follows."""
        end = video("a268766331", 0)
        self.assertEqual(self.times(key(0), inter(60_000), end, inter(60_040)), [0, 60_000, 0, 60_040])
        self.assertEqual(self.duration(), 60.04)
        self.assertEqual(self.times(key(50_000), inter(60_000), end), [1000, 11_000, 0])
        self.assertEqual(self.duration(), 11.0)

    def test_endOfSequenceAfterWeeks(self) -> None:
        """The same when the stream is so old that 0 looks like the next turn of the clock."""
        start = 0xF0000000
        self.assertEqual(self.times(key(start), video("a268766331", 0), inter(start + 40))[::2], [1000, 1040])

    def test_metadataTime(self) -> None:
        """Metadata before the media is at 0 and does not say when the stream begins; later it has its time."""
        text = Message(DATA, 77_000, 1, b"\2\0\x0aonTextData\5")
        self.assertEqual(self.times(metadata(99), text, key(77_000), text), [0, 1000, 1000])


class SegmentTestCase(RecorderTestCase):
    """Files that follow each other."""

    rule = SegmentRule()

    def setUp(self) -> None:
        """Work is done at once."""
        super().setUp()
        self.useNoThread(rule=self.rule)

    def contents(self) -> list[list[tuple[int, bytes]]]:
        """What is in each file, in the order of their names: time and payload; the first is no metadata."""
        return [[(time, payload) for _, time, payload in self.tagsOf(path)] for path in self.files()]

    def assertNothingLost(self, sent: list[Message]) -> None:
        """Assert that every frame is in one file, and in its place; that each file begins as it should."""
        found = []
        for path in self.files():
            tags = self.tagsOf(path)
            kinds = [classify(type, payload) for type, _, payload in tags if type != DATA]
            self.assertTrue(kinds[0].isHeader, path)
            frames = [(type, payload) for type, _, payload in tags if type != DATA and classify(type, payload).isFrame]
            self.assertTrue(classify(*frames[0]).isKeyframe, path)
            found += frames
        expected = [(int(m.type), m.payload) for m in sent if m.type != DATA and classify(m.type, m.payload).isFrame]
        self.assertEqual(len(found), len(expected))
        digest = [hashlib.sha256(payload).hexdigest() for _, payload in found]
        self.assertEqual(digest, [hashlib.sha256(payload).hexdigest() for _, payload in expected])

    def play_(self, publication: Publication, seconds: int, wall: float = 1.0, start: int = 0) -> list[Message]:
        """
        Publish a keyframe, a sound and an interframe for each second, no two alike.

        @param wall: how long a second is on the wall.
        """
        sent = []
        for second in range(start, start + seconds):
            body = str(second).encode()
            some = [key(second * 1000, body), sound(second * 1000 + 20, body), inter(second * 1000 + 500, body)]
            for message in some:
                self.send(publication, message)
            self.clock.advance(wall)
            sent += some
        return sent


class LengthTests(SegmentTestCase):
    """As long as a file may be."""

    rule = SegmentRule(seconds=10)

    def test_time(self) -> None:
        """Every so many seconds a new file begins, at a keyframe, with all headers and at 0; no frame is lost."""
        publication = self.publish()
        self.send(publication, *BEGINNING)
        sent = self.play_(publication, 35)
        publication.end("")
        self.assertFinished(*[".flv"] * 4)
        self.assertNothingLost(sent)
        contents = self.contents()
        self.assertEqual([len(content) for content in contents], [32, 32, 32, 17])
        for number, content in enumerate(contents):
            self.assertEqual([payload for _, payload in content[:2]], [PICTURE, SOUND])
            times = [0, 0, *(second * 1000 + offset for second in range(10) for offset in (0, 20, 500))]
            self.assertEqual([time for time, _ in content], times[: len(content)], number)
            self.assertEqual(content[2][1], key(0, str(number * 10).encode()).payload)
        names = [path.name for path in self.files()]
        self.assertEqual(len(set(names)), 4)
        self.assertEqual(len(self.logged("recorded as")), 4)

    def test_metadata(self) -> None:
        """Each file begins with the metadata of the moment."""
        publication = self.publish()
        self.send(publication, *BEGINNING)
        self.play_(publication, 5)
        self.send(publication, metadata(5000, width=1920.0))
        self.play_(publication, 10, start=5)
        publication.end("")
        first, second = self.files()
        self.assertIn(amf0.encode(640.0), first.read_bytes()[:200])
        self.assertIn(amf0.encode(1920.0), second.read_bytes()[:200])

    def test_betweenKeyframes(self) -> None:
        """The next file begins at the first keyframe behind the end."""
        publication = self.publish()
        self.send(publication, *BEGINNING, key(0))
        for second in range(1, 14):
            self.clock.advance(1)
            self.send(publication, inter(second * 1000), sound(second * 1000 + 1))
        self.assertEqual(len(self.files()), 1)
        self.send(publication, key(13_500))
        self.assertEqual(len(self.files()), 2)
        publication.end("")
        self.assertEqual([len(content) for content in self.contents()], [29, 3])

    def test_D16_noKeyframe(self) -> None:
        """Hostile row D16: without keyframes there is no file without an end either; nothing is lost."""
        publication = self.publish()
        self.send(publication, *BEGINNING, key(0))
        sent = [key(0)]
        for second in range(1, 100):
            self.clock.advance(1)
            sent.append(inter(second * 1000, str(second).encode()))
            self.send(publication, sent[-1])
        publication.end("")
        self.assertEqual([len(content) for content in self.contents()], [42, 42, 22])
        self.assertEqual(42 - 2, 10 + OVERDUE_SECONDS)
        frames = [payload for content in self.contents() for _, payload in content[2:]]
        self.assertEqual(frames, [m.payload for m in sent])

    def test_D16_clockStands(self) -> None:
        """Hostile row D16: the publisher's clock stands still: the clock on the wall counts."""
        publication = self.publish()
        self.send(publication, *BEGINNING)
        for second in range(35):
            self.send(publication, key(7, bytes([second])))
            self.clock.advance(1)
        publication.end("")
        self.assertEqual([len(content) for content in self.contents()], [12, 12, 12, 7])

    def test_mediaTime(self) -> None:
        """A publisher that is faster than the clock on the wall: the time of the media counts."""
        publication = self.publish()
        self.send(publication, *BEGINNING)
        sent = self.play_(publication, 35, wall=0.25)
        publication.end("")
        self.assertNothingLost(sent)
        self.assertEqual([content[-1][0] for content in self.contents()], [9500, 9500, 9500, 4500])

    def test_lateStart(self) -> None:
        """Where a stream begins is no length: neither metadata at 0 nor the first frame makes a file longer."""
        self.recorder.publishStarted(atOnce(self.clock)._stream("live/camera"))
        (recording,) = self.recorder._recordings
        for message in (metadata(0), pictureHeader(7_000_000), key(7_000_000), inter(7_008_000)):
            recording.messageReceived(message)
        recording.streamEnded("")
        self.assertFinished(".flv")

    def test_D16_clockRuns(self) -> None:
        """Hostile row D16: the publisher's clock leaps with every frame: so many files and no more, nothing lost."""
        clock = Clock()
        segments = Segments(next(iter(self.hub_())), SegmentRule(seconds=10), clock, lambda: datetime.now(UTC))
        segments.isLive = True
        count = 0
        for number in range(6000):
            clock.advance(0.04)
            entries = segments.take(sound(number * 11_000))
            count += sum(isinstance(entry, Beginning) for entry in entries)
        # Those that the clock on the wall asks for come beside.
        self.assertAlmostEqual(clock.seconds(), 240)
        self.assertGreater(count, CUTS)
        self.assertLessEqual(count, 1 + 240 / 10 + CUTS * 240 / CUT_SECONDS + CUTS)

    def hub_(self) -> list:  # type: ignore[type-arg]
        """A stream, whose newest message is a place to begin."""
        publication = self.publish("live/sound")
        self.send(publication, sound(0))
        return [next(iter(self.hub))]

    def test_audioOnly(self) -> None:
        """Without video, the next file begins with any frame."""
        publication = self.publish()
        self.send(publication, soundHeader())
        for second in range(25):
            self.send(publication, sound(second * 1000))
            self.clock.advance(1)
        publication.end("")
        self.assertEqual([len(content) for content in self.contents()], [11, 11, 6])
        for content in self.contents():
            self.assertEqual(content[0], (0, SOUND))

    def test_otherTrack(self) -> None:
        """Another track's keyframe is no place to begin."""
        publication = self.publish()
        self.send(publication, pictureHeader(), key(0))
        self.clock.advance(10)
        self.send(publication, video("96016876633101000000", 9_000), video("9601687663310100000000", 9_001))
        self.assertEqual(len(self.files()), 1)
        self.send(publication, key(9_500))
        self.assertEqual(len(self.files()), 2)
        publication.end("")

    def test_past(self) -> None:
        """A recording that begins late is not cut within what it is given at once, where nothing tells keyframes."""
        self.hub.observers.clear()
        publication = self.publish()
        self.send(publication, *BEGINNING, key(0), inter(6000), inter(12_000), inter(12_001))
        self.recorder.publishStarted(next(iter(self.hub)))
        self.assertEqual(len(self.files()), 1)
        self.send(publication, key(12_100))
        self.assertEqual(len(self.files()), 2)
        publication.end("")

    def test_F20_clock(self) -> None:
        """Fault F20: the time of day leaps by a day, there and back: the order is kept, and no name is there twice."""
        publication = self.publish()
        self.send(publication, *BEGINNING)
        sent = []
        for number, leap in enumerate((0, 86_400, 0, -86_400, 0)):
            self.seconds = leap
            sent += self.play_(publication, 10, start=number * 10)
        publication.end("")
        self.assertFinished(*[".flv"] * 5)
        found: list[bytes] = []
        for path in sorted(self.files(), key=lambda path: path.stat().st_ino):
            found += [p for type, _, p in self.tagsOf(path) if type != DATA and classify(type, p).isFrame]
        self.assertEqual(Counter(found), Counter(m.payload for m in sent))
        days = Counter(path.name[7:15] for path in self.files())
        self.assertEqual(sorted(days.values()), [1, 1, 3])

    def test_F20_sameTime(self) -> None:
        """Fault F20: files that begin at the same time of day have names of their own."""
        self.useNoThread(now=lambda: datetime(2024, 1, 2, tzinfo=UTC))
        publication = self.publish()
        self.send(publication, *BEGINNING)
        sent = self.play_(publication, 30)
        publication.end("")
        stem = "camera-20240102T000000.000Z"
        names = sorted(os.listdir(self.root / "live"))
        self.assertEqual(names, [f"{stem}-1.flv", f"{stem}-2.flv", f"{stem}.flv"])
        found = []
        for name in (f"{stem}.flv", f"{stem}-1.flv", f"{stem}-2.flv"):
            found += [p for _, _, p in self.tagsOf(self.root / "live" / name)[2:]]
        self.assertEqual(found, [m.payload for m in sent])

    def test_viewers(self) -> None:
        """Who watches sees nothing of it."""
        outlet = MemoryOutlet()
        self.play(outlet)
        publication = self.publish()
        sent = self.play_(publication, 25)
        self.assertContent(outlet.take(), *sent)
        publication.end("")


class SizeTests(SegmentTestCase):
    """As large as a file may be."""

    rule = SegmentRule(bytes=10_000)

    def test_size(self) -> None:
        """The next file begins at the first keyframe when so many bytes are there."""
        publication = self.publish()
        self.send(publication, *BEGINNING)
        sent = []
        for number in range(30):
            some = [key(number * 40, bytes([number]) * 995), inter(number * 40 + 20, bytes([number]) * 95)]
            self.send(publication, *some)
            sent += some
        publication.end("")
        self.assertNothingLost(sent)
        self.assertEqual([len(content) for content in self.contents()], [22, 22, 22])

    def test_whicheverFirst(self) -> None:
        """With a size and a time, it is what comes first."""
        self.useNoThread(rule=SegmentRule(seconds=5, bytes=10_000))
        publication = self.publish()
        self.send(publication, *BEGINNING)
        for number in range(20):
            self.send(publication, key(number * 1000, bytes(3995 if number < 10 else 5)))
            self.clock.advance(1)
        publication.end("")
        self.assertEqual([len(content) - 2 for content in self.contents()], [3, 3, 3, 5, 5, 1])


class DefaultTests(SegmentTestCase):
    """If nobody says anything."""

    def test_oneFile(self) -> None:
        """A publish is one file, however long."""
        publication = self.publish()
        self.send(publication, *BEGINNING)
        sent = self.play_(publication, 50, wall=3600)
        publication.end("")
        self.assertFinished(".flv")
        self.assertNothingLost(sent)

    def test_whatReadersTake(self) -> None:
        """But not longer than the 31 bits that many readers take for the time of a tag."""
        self.assertLess(MAX_SECONDS * 1000 + OVERDUE_SECONDS * 1000, 1 << 31)
        publication = self.publish()
        self.send(publication, *BEGINNING, key(0))
        self.clock.advance(MAX_SECONDS - 1)
        self.send(publication, key(1000))
        self.assertEqual(len(self.files()), 1)
        self.clock.advance(1)
        self.send(publication, key(2000))
        publication.end("")
        self.assertEqual(len(self.files()), 2)

    def test_whatReadersTakeOfMedia(self) -> None:
        """The same for the time of the media; and a file of any length of it has no time that goes back."""
        clock = Clock()
        segments = Segments(self.stream(), SegmentRule(), clock, lambda: datetime.now(UTC))
        segments.isLive = True
        step = 10 * 86_400_000
        entries: list[Entry] = []
        for number in range(8):
            entries += segments.take(sound(number * step & 0xFFFFFFFF))
        times = ["begin" if isinstance(entry, Beginning) else entry[1] for entry in entries]
        self.assertEqual(times, ["begin", 0, step, 2 * step] * 2 + ["begin", 0, step])

    def stream(self):  # type: ignore[no-untyped-def]
        """A stream, whose newest message is a place to begin."""
        publication = self.publish("live/sound")
        self.send(publication, sound(0))
        return next(iter(self.hub))


class ParametersTests(SegmentTestCase):
    """Sequence headers that change (fault F25)."""

    def test_F25_changed(self) -> None:
        """Fault F25: another header: a new file begins there, with it and all others; no frame is lost."""
        publication = self.publish()
        self.send(publication, *BEGINNING)
        sent = self.play_(publication, 3)
        self.send(publication, pictureHeader(3000, b"other"))
        sent += self.play_(publication, 3, start=3)
        publication.end("")
        self.assertFinished(".flv", ".flv")
        self.assertNothingLost(sent)
        first, second = self.contents()
        self.assertEqual(len(first), 2 + 9)
        self.assertEqual(Counter(p for _, p in second[:2]), Counter([SOUND, pictureHeader(0, b"other").payload]))
        self.assertEqual([time for time, _ in second[:4]], [0, 0, 0, 20])

    def test_F25_sound(self) -> None:
        """Fault F25: the same for sound, in the middle of pictures: there, not at the next keyframe."""
        publication = self.publish()
        self.send(
            publication, *BEGINNING, key(0), sound(1), inter(40), soundHeader(60, b"\x11\x90"), sound(61), inter(80)
        )
        publication.end("")
        first, second = self.contents()
        self.assertEqual([time for time, _ in first], [0, 0, 0, 1, 40])
        self.assertEqual([time for time, _ in second], [0, 0, 0, 19])
        self.assertEqual(second[2][1], sound().payload)
        self.assertEqual(len(self.logged(": picture or sound are of another kind now: a new file")), 1)

    def test_F25_equal(self) -> None:
        """Fault F25: the same headers once more change nothing, and are recorded like all that comes."""
        publication = self.publish()
        sent = [*BEGINNING, key(0), *BEGINNING, key(1000), metadata(1040, other=1.0), soundHeader(1041), inter(1042)]
        self.send(publication, *sent)
        publication.end("")
        (content,) = self.contents()
        self.assertEqual([payload for _, payload in content], [m.payload for m in sent[1:]])

    def test_F25_metadataAlone(self) -> None:
        """Fault F25: metadata alone is no reason for a new file."""
        publication = self.publish()
        self.send(publication, *BEGINNING, key(0), metadata(40, width=1.0), key(80))
        publication.end("")
        self.assertEqual(len(self.files()), 1)

    def test_F25_newTrack(self) -> None:
        """Fault F25: a track that was not there before differs from nothing."""
        publication = self.publish()
        self.send(publication, pictureHeader(), key(0), inter(40), soundHeader(60), sound(61))
        publication.end("")
        (content,) = self.contents()
        self.assertEqual(len(content), 5)

    def test_F25_secondTrack(self) -> None:
        """Fault F25: any track's header counts."""
        publication = self.publish()
        one, other = (video(f"9600687663310100{byte}") for byte in ("01", "02"))
        self.send(publication, pictureHeader(), one, key(0), other, key(40))
        publication.end("")
        first, second = self.contents()
        self.assertEqual([p for _, p in first], [PICTURE, one.payload, key().payload])
        self.assertEqual([p for _, p in second], [PICTURE, other.payload, key().payload])

    def test_F25_several(self) -> None:
        """Fault F25: several headers and metadata that follow each other begin one file; other data is not lost."""
        publication = self.publish()
        text = Message(DATA, 1002, 1, amf0.encode("onTextData", {"text": "x"}))
        self.send(publication, *BEGINNING, key(0))
        self.send(publication, pictureHeader(1000, b"new"), metadata(1001, width=99.0), text, soundHeader(1003, b"new"))
        self.assertEqual(len(self.files()), 1)
        self.send(publication, key(1004), sound(1005))
        publication.end("")
        self.assertEqual(len(self.files()), 2)
        second = self.contents()[1]
        self.assertEqual(
            second,
            [
                (0, pictureHeader(0, b"new").payload),
                (0, soundHeader(0, b"new").payload),
                (0, text.payload),
                (0, key().payload),
                (1, sound().payload),
            ],
        )
        self.assertIn(amf0.encode(99.0), self.files()[1].read_bytes()[:200])

    def test_F25_headerAtTheEnd(self) -> None:
        """Fault F25: a header with nothing behind it makes no file; it stands at the end of the one that there is."""
        publication = self.publish()
        self.send(publication, *BEGINNING, key(0), pictureHeader(40, b"new"))
        publication.end("")
        (content,) = self.contents()
        self.assertEqual([p for _, p in content], [PICTURE, SOUND, key().payload, pictureHeader(0, b"new").payload])

    def test_F25_hugeHeader(self) -> None:
        """Fault F25: a header that is too large to be kept for late joiners is not lost, and is not waited behind."""
        publication = self.publish()
        huge = pictureHeader(40, bytes(MAX_HEADER_SIZE))
        self.send(publication, *BEGINNING, key(0), huge)
        self.assertEqual(len(self.files()), 2)
        self.send(publication, key(80))
        publication.end("")
        self.assertEqual([p for _, p in self.contents()[1]], [SOUND, huge.payload, key().payload])

    def test_F25_manyHeaders(self) -> None:
        """Fault F25: what is waited for is bounded: then the file begins without a frame."""
        publication = self.publish()
        self.send(publication, *BEGINNING, key(0))
        text = [Message(DATA, 50 + number, 1, amf0.encode("onTextData", number)) for number in range(MAX_HEADERS)]
        self.send(publication, pictureHeader(40, b"new"), *text[:-1])
        self.assertEqual(len(self.files()), 1)
        self.send(publication, text[-1], key(500))
        publication.end("")
        self.assertEqual(len(self.files()), 2)
        self.assertEqual(len(self.contents()[1]), 2 + MAX_HEADERS + 1)

    def test_F25_shortFrames(self) -> None:
        """Fault F25: frames of one byte, as silence has them, are frames; nothing is held behind a header."""
        publication = self.publish()
        self.send(publication, *BEGINNING, sound(0, b"0"), soundHeader(20, b"new"), sound(40, b"1"))
        self.assertEqual(len(self.files()), 2)
        publication.end("")
        self.assertEqual([p for _, p in self.contents()[1]], [PICTURE, b"\xaf\0new", b"\xaf\0011"])

    def test_F25_emptyFrame(self) -> None:
        """Fault F25: FFmpeg ends FLAC with another header and an empty frame: that is no file of its own."""
        publication = self.publish()
        flac = [audio("90664c6143", 0, b"first"), audio("91664c6143", 0, b"frame"), audio("90664c6143", 40, b"last")]
        self.send(publication, *flac, audio("91664c6143", 40))
        publication.end("")
        (content,) = self.contents()
        self.assertEqual([len(p) for _, p in content], [10, 10, 9, 5])

    def test_F25_emptyFirst(self) -> None:
        """Fault F25: an empty frame that is held is the first of the new file, and keeps its distance."""
        publication = self.publish()
        self.send(publication, *BEGINNING, sound(0), soundHeader(20, b"new"), sound(20, b""), sound(40), sound(60))
        publication.end("")
        second = self.contents()[1]
        self.assertEqual([time for time, _ in second], [0, 0, 0, 20, 40])
        self.assertEqual([len(p) for _, p in second[2:]], [2, 7, 7])

    def test_F25_flood(self) -> None:
        """Fault F25: a publisher that sends another header with every frame does not fill the disk with files."""
        publication = self.publish()
        sent = []
        for number in range(100):
            self.send(publication, pictureHeader(number * 40, bytes([number])), key(number * 40, bytes([number])))
            sent.append(key(number * 40, bytes([number])))
            self.clock.advance(0.04)
        self.assertEqual(len(self.files()), 1 + CUTS)
        self.assertNothingLost(sent)
        self.clock.advance(CUT_SECONDS)
        self.send(publication, pictureHeader(4000, b"x"), key(4000))
        publication.end("")
        self.assertEqual(len(self.files()), 2 + CUTS)

    def test_F25_inGap(self) -> None:
        """Fault F25: the header changes while there is a gap: the recording goes on in a new file."""
        self.useThread()
        publication = self.publish()
        self.send(publication, *BEGINNING, key(0))
        (recording,) = self.recorder._recordings
        recording._beginGap()
        self.thread.finish()
        self.send(publication, pictureHeader(40, b"new"), key(80), inter(120))
        publication.end("")
        self.thread.finish()
        self.assertFinished(".flv", ".flv")
        second = self.contents()[1]
        self.assertEqual([time for time, _ in second], [0, 0, 0, 40])
        self.assertIn(pictureHeader(0, b"new").payload, [p for _, p in second])


class PurityTests(RecorderTestCase):
    """What a file makes of messages."""

    @settings(deadline=None, max_examples=30)
    @given(
        st.integers(0, 0xFFFFFFFF),
        st.lists(st.tuples(st.sampled_from([key, inter, sound]), st.integers(-900, 1_000_000)), max_size=12),
    )
    def test_sameUpToAConstant(self, start: int, steps: list[tuple[object, int]]) -> None:
        """Type, payload, and time up to one constant are what was sent, if nothing is earlier than the beginning."""
        clock, sent = start, [key(start)]
        for make, step in steps:
            clock = max(clock + step, start + (-start if start < 1000 else -1000))
            sent.append(make(clock & 0xFFFFFFFF))  # type: ignore[operator]
        segments = Segments(atOnce(self.clock)._stream("x"), SegmentRule(), self.clock, lambda: datetime.now(UTC))
        entries = [entry for message in sent for entry in segments.take(message)]
        self.assertIsInstance(entries.pop(0), Beginning)
        self.assertEqual(len(entries), len(sent))
        constant = entries[0][1] - start  # type: ignore[operator]
        for tag, message in zip(entries, sent, strict=True):
            self.assertEqual(tag, (message.type, (message.timestamp + constant) & 0xFFFFFFFF, message.payload))
            self.assertTrue(classify(tag[0], tag[2]).isFrame)  # type: ignore[arg-type]
