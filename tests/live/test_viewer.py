"""Tests for L{rtmptw.live.viewer}."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from math import inf
from weakref import ref

from zope.interface.verify import verifyObject

from rtmptw.interfaces import IViewing
from rtmptw.limits import Limits
from rtmptw.live.hub import StreamHub
from rtmptw.live.image import encodeImage
from rtmptw.live.livestream import Publication
from rtmptw.live.pace import FASTEST
from rtmptw.live.rounds import FlushTimes
from rtmptw.live.tape import MAX_BYTES, MAX_MESSAGES, CacheLimits
from rtmptw.live.viewer import END_DELAY, Viewer
from rtmptw.session.connect import OUR_CHUNK_SIZE
from rtmptw.wire import amf0
from rtmptw.wire.data import SET_DATA_FRAME
from rtmptw.wire.message import Message, MessageType
from tests.live.doubles import (
    LiveTestCase,
    MemoryOutlet,
    MemorySubscriber,
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

MAX_BEHIND_BYTES = Limits().behindBytes
MAX_BEHIND_SECONDS = Limits().behindSeconds
REST_SECONDS = Limits().restSeconds

HVC1 = "68766331"
MEGABYTE = bytes(1024 * 1024)

#: How a publisher usually begins.
BEGINNING = [metadata(0, width=640.0), pictureHeader(0), soundHeader(0)]


def headersAt(timestamp: int) -> list[Message]:
    """L{BEGINNING} for a joiner."""
    return [metadata(timestamp, width=640.0), pictureHeader(timestamp), soundHeader(timestamp)]


class JoinTests(LiveTestCase):
    """Where a viewer starts."""

    def setUp(self) -> None:
        """A viewer that can be asked."""
        super().setUp()
        self.outlet = MemoryOutlet()

    def test_interface(self) -> None:
        """It is what sessions expect, and says who it is."""
        viewer = self.play(self.outlet)
        verifyObject(IViewing, viewer)
        self.assertEqual(viewer.peer, self.outlet.peer)

    def test_isOn(self) -> None:
        """Whether its stream is published."""
        viewer = self.play(self.outlet)
        self.assertFalse(viewer.isOn)
        publication = self.publish()
        self.assertTrue(viewer.isOn)
        publication.end("over")
        self.assertFalse(viewer.isOn)

    def test_beforeThePublisher(self) -> None:
        """Who waits for the publisher is sent exactly everything, from the first message on."""
        self.play(self.outlet)
        publication = self.publish()
        sent = [sound(5), inter(7), *BEGINNING, key(40), sound(41), inter(80), video("1702000000", 80), audio("", 90)]
        self.send(publication, *sent[:2])
        self.assertContent(self.outlet.take(), *sent[:2])
        self.send(publication, *sent[2:])
        self.assertContent(self.outlet.take(), *sent[2:])

    def test_nothingBeforeTheFlush(self) -> None:
        """Messages of one read leave in one write."""
        self.play(self.outlet)
        publication = self.publish()
        for message in BEGINNING:
            publication.append(message)
        self.assertEqual(self.outlet.blocks, [])
        publication.flush()
        self.assertEqual(len(self.outlet.blocks), 1)

    def test_76_77_78_late(self) -> None:
        """
        Conformance 76 to 78: a late joiner is sent metadata, then every header, all with the time of the keyframe that
        follows; then everything from the newest keyframe on; then what comes live.
        """
        publication = self.publish()
        colour, channels, second = (
            video(f"d4{HVC1}", 0, b"colour"),
            audio("944f707573", 0, b"channels"),
            video(f"9600{HVC1}01", 0, b"hvcC"),
        )
        self.send(publication, *BEGINNING, colour, channels, second, key(16783000), inter(16783040), sound(16783041))
        tail = [key(16783159), sound(16783150), inter(16783199)]
        self.send(publication, *tail)
        self.play(self.outlet)
        headers = [*headersAt(16783159), *(Message(m.type, 16783159, 1, m.payload) for m in (colour, channels, second))]
        self.assertContent(self.outlet.take(), *headers, *tail)
        self.send(publication, inter(16783239))
        self.assertContent(self.outlet.take(), inter(16783239))

    def test_timestampBoundaries(self) -> None:
        """Headers and frames have the same clock around 2^24 and 2^32, where header fields and time overflow."""
        for start in (0xFFFFFE, 0xFFFFFF, 0x1000000, 0xFFFFFFFE, 0xFFFFFFFF):
            publication = self.publish()
            self.send(publication, *BEGINNING, key(start), inter((start + 2) & 0xFFFFFFFF))
            self.play(self.outlet)
            self.assertContent(self.outlet.take(), *headersAt(start), key(start), inter((start + 2) & 0xFFFFFFFF))
            publication.end("")

    def test_beforeTheFirstKeyframe(self) -> None:
        """Who comes while nothing has been forgotten, and there is no keyframe yet, misses nothing."""
        publication = self.publish()
        self.send(publication, *BEGINNING, inter(40))
        self.play(self.outlet)
        self.assertContent(self.outlet.take(), *BEGINNING, inter(40))
        self.send(publication, key(80))
        self.assertContent(self.outlet.take(), key(80))

    def loseKeyframe(self) -> Publication:
        """A publish whose last keyframe the tape has forgotten; the newest message has the time 4095."""
        publication = self.publish()
        self.send(publication, *BEGINNING, key(0), *(inter(index) for index in range(MAX_MESSAGES)))
        return publication

    def test_noKeyframe(self) -> None:
        """
        If the tape has no keyframe any more, a joiner is sent metadata and headers at once, then all but video, and the
        video from the next keyframe on; the headers are not sent again.
        """
        publication = self.loseKeyframe()
        viewer = self.play(self.outlet)
        self.assertContent(self.outlet.take(), *headersAt(4095))
        text = Message(MessageType.DATA, 5002, 1, b"\2\0\x0aonTextData\5")
        self.send(publication, inter(5000), sound(5001), text, inter(5003))
        self.assertContent(self.outlet.take(), sound(5001), text)
        self.send(publication, inter(5004), sound(5005), key(5040), inter(5080), sound(5081))
        self.assertContent(self.outlet.take(), sound(5005), key(5040), inter(5080), sound(5081))
        self.send(publication, inter(5120))
        self.assertContent(self.outlet.take(), inter(5120))
        self.assertEqual((viewer.skipped, self.logged("too slow")), (0, []))
        self.assertEqual(
            self.logged("no picture"),
            [
                "live/camera: 192.0.2.1:4000 has no picture before the next keyframe, because the last one was too long"
                " ago"
            ],
        )

    def test_noKeyframeNewHeaders(self) -> None:
        """Headers that have changed while video was withheld, a withheld one too, come before the keyframe."""
        publication = self.loseKeyframe()
        self.play(self.outlet)
        self.outlet.take()
        self.send(publication, pictureHeader(5000, b"other"), sound(5001))
        self.assertContent(self.outlet.take(), sound(5001))
        self.send(publication, key(5040), inter(5080))
        self.assertContent(
            self.outlet.take(),
            metadata(5040, width=640.0),
            soundHeader(5040),
            pictureHeader(5040, b"other"),
            key(5040),
            inter(5080),
        )

    def test_noKeyframeSameHeaders(self) -> None:
        """A header that is repeated meanwhile is one that the joiner has."""
        publication = self.loseKeyframe()
        self.play(self.outlet)
        self.outlet.take()
        self.send(publication, pictureHeader(5000), sound(5001), key(5040))
        self.assertContent(self.outlet.take(), sound(5001), key(5040))

    def test_noKeyframeTwice(self) -> None:
        """A keyframe that a change of headers has made useless before it was sent is not the one to start at."""
        publication = self.loseKeyframe()
        self.play(self.outlet)
        self.outlet.take()
        self.send(publication, sound(4999), key(5000), pictureHeader(5001, b"other"), inter(5002), sound(5003))
        self.assertContent(self.outlet.take(), sound(4999), sound(5003))
        self.send(publication, key(5040))
        self.assertContent(self.outlet.take()[-2:], pictureHeader(5040, b"other"), key(5040))

    def test_noKeyframeEnd(self) -> None:
        """If no keyframe comes any more, the rest of the sound is sent and the end is told."""
        publication = self.loseKeyframe()
        self.play(self.outlet)
        self.outlet.take()
        publication.append(inter(5000))
        publication.append(sound(5001))
        publication.end("")
        self.assertContent(self.outlet.take(), sound(5001))
        self.clock.advance(END_DELAY)
        self.assertEqual(self.ended, ["ended"])

    def test_neverAKeyframe(self) -> None:
        """A stream that has never had one is not withheld: data alone, odd video alone, video without keyframes."""
        unknown = [Message(MessageType.VIDEO, index, 1, b"\xff nothing known") for index in range(MAX_MESSAGES + 10)]
        data = [metadata(index, n=float(index)) for index in range(MAX_MESSAGES + 10)]
        frames = [pictureHeader(0), *(inter(index) for index in range(MAX_MESSAGES + 10))]
        oneSound = [sound(0), *unknown]
        for sent, headers in (
            (unknown, []),
            (data, [data[-1]]),
            (frames, [pictureHeader(frames[-1].timestamp)]),
            (oneSound, []),
        ):
            publication, outlet = self.publish(), MemoryOutlet()
            self.send(publication, *sent[:-1])
            self.send(publication, sent[-1])
            self.play(outlet)
            self.assertContent(outlet.take(), *headers)
            live = [Message(sent[-1].type, 9000 + index, 1, sent[-1].payload) for index in range(3)]
            self.send(publication, *live)
            self.assertContent(outlet.take(), *live)
            publication.end("")
        self.assertEqual(self.logged("no picture"), [])

    def test_audioOnly(self) -> None:
        """Without video, any audio frame is a place to start."""
        publication = self.publish()
        self.send(publication, metadata(), soundHeader(), *(sound(23 * index) for index in range(500)))
        self.play(self.outlet)
        self.assertContent(self.outlet.take(), metadata(23 * 499), soundHeader(23 * 499), sound(23 * 499))

    def test_audioOnlyOddVideo(self) -> None:
        """An empty video message, or the end of a sequence, makes no video (wire facts 10.27)."""
        publication = self.publish()
        self.send(publication, soundHeader(), video("", 0), video("1702000000", 0), sound(23), sound(46))
        self.play(self.outlet)
        self.assertContent(self.outlet.take(), soundHeader(46), sound(46))

    def test_audioThenVideo(self) -> None:
        """When video begins, audio before it is no place to start any more: a joiner is sent what comes from now on."""
        publication = self.publish()
        self.send(publication, soundHeader(), *(sound(index) for index in range(200)))
        self.send(publication, sound(200), pictureHeader(201), sound(202))
        self.play(self.outlet)
        self.assertContent(self.outlet.take(), soundHeader(202), pictureHeader(202))
        self.send(publication, sound(239), key(240))
        self.assertContent(self.outlet.take(), sound(239), key(240))

    def test_otherTrackIsNoPlace(self) -> None:
        """The keyframe of another track is no place to start; one that holds the main track too is (wire facts 7.1)."""
        publication = self.publish()
        other = video(f"9601{HVC1}01000000", 80, b"keyframe of track 1")
        self.send(publication, pictureHeader(), key(0), inter(40), other)
        self.play(self.outlet)
        self.assertContent(self.outlet.take(), pictureHeader(0), key(0), inter(40), other)
        both = video(f"9611{HVC1}01000004000000aa00000004000000bb", 120)
        self.send(publication, both)
        outlet = MemoryOutlet()
        self.play(outlet)
        self.assertContent(outlet.take(), pictureHeader(120), both)

    def test_lowestTrackIsThePlace(self) -> None:
        """Without a track 0, the lowest track's keyframe is the place to start; track 0's as soon as there is one."""

        def header(track: int, timestamp: int = 0) -> Message:
            return video(f"9600{HVC1}{track:02x}", timestamp, b"hvcC")

        def frame(track: int, timestamp: int) -> Message:
            return video(f"9601{HVC1}{track:02x}000000", timestamp, b"keyframe")

        publication = self.publish()
        colour = video(f"d4{HVC1}", 0, b"colour")
        self.send(publication, colour, header(2), header(1), frame(1, 0), frame(2, 0), frame(1, 40), frame(2, 40))
        self.play(self.outlet)
        self.assertContent(
            self.outlet.take(),
            video(f"d4{HVC1}", 40, b"colour"),
            *(header(2, 40), header(1, 40)),
            *(frame(1, 40), frame(2, 40)),
        )
        self.send(publication, header(0, 60), frame(0, 80), frame(1, 80), frame(2, 80))
        outlet = MemoryOutlet()
        self.play(outlet)
        self.assertContent(outlet.take()[-3:], frame(0, 80), frame(1, 80), frame(2, 80))
        publication.end("")
        publication, outlet = self.publish(), MemoryOutlet()
        self.send(publication, header(3), frame(3, 0), frame(3, 40))
        self.play(outlet)
        self.assertContent(outlet.take(), header(3, 40), frame(3, 40))

    def test_modExKeyframe(self) -> None:
        """A keyframe behind a ModEx is one."""
        publication = self.publish()
        header, frame = video(f"90{HVC1}", 0, b"hvcC"), video(f"9702000001 01{HVC1}000000", 40, b"keyframe")
        self.send(publication, header, inter(0), frame)
        self.play(self.outlet)
        self.assertContent(self.outlet.take(), video(f"90{HVC1}", 40, b"hvcC"), frame)

    def test_headersChange(self) -> None:
        """When a header changes, what is before it is not for the new one: joiners lack a picture for a while."""
        publication = self.publish()
        self.send(publication, *BEGINNING, key(0), *(inter(index) for index in range(100)))
        self.send(publication, key(4000), inter(4040))
        watching = MemoryOutlet()
        self.play(watching)
        watching.take()
        self.send(publication, pictureHeader(5000, b"other"), inter(5010))
        self.assertContent(watching.take(), pictureHeader(5000, b"other"), inter(5010))
        self.play(self.outlet)
        self.assertContent(
            self.outlet.take(), metadata(5010, width=640.0), soundHeader(5010), pictureHeader(5010, b"other")
        )
        self.send(publication, inter(5030), sound(5031), key(5040))
        self.assertContent(watching.take(), inter(5030), sound(5031), key(5040))
        self.assertContent(self.outlet.take(), sound(5031), key(5040))

    def test_headersAgain(self) -> None:
        """A header that is repeated is passed on, and takes no keyframe away."""
        publication = self.publish()
        self.send(publication, *BEGINNING, key(0), pictureHeader(40), inter(40))
        self.play(self.outlet)
        self.assertContent(
            self.outlet.take(),
            metadata(0, width=640.0),
            soundHeader(0),
            pictureHeader(0),
            key(0),
            pictureHeader(40),
            inter(40),
        )

    def test_lateHeader(self) -> None:
        """A header of another kind that comes behind the keyframe takes no keyframe away either."""
        publication = self.publish()
        self.send(publication, pictureHeader(0), key(0), soundHeader(10), sound(10))
        self.play(self.outlet)
        self.assertContent(self.outlet.take(), pictureHeader(0), soundHeader(0), key(0), soundHeader(10), sound(10))

    def test_metadataTakenBack(self) -> None:
        """C{@clearDataFrame}: later joiners are not sent it."""
        publication = self.publish()
        self.send(publication, *BEGINNING, key(0))
        publication.clearMetadata("onMetaData")
        self.play(self.outlet)
        self.assertContent(self.outlet.take(), *headersAt(0)[1:], key(0))

    def test_messageStream(self) -> None:
        """A viewer has the message stream ID that it asked for, others theirs."""
        others = MemoryOutlet()
        publication = self.publish()
        self.play(others)
        self.send(publication, *BEGINNING, key(0x1000000))
        self.play(self.outlet, streamId=0x01020304)
        self.send(publication, inter(0x1000028))
        messages = self.outlet.take()
        self.assertContent(messages, *headersAt(0x1000000), key(0x1000000), inter(0x1000028))
        self.assertEqual({message.streamId for message in messages}, {0x01020304})
        self.assertEqual({message.streamId for message in others.take()}, {1})

    def test_82_unchanged(self) -> None:
        """Conformance 82: payloads are forwarded as they came: any codec, any size, any nonsense."""
        self.play(self.outlet)
        publication = self.publish()
        odd = [
            *(Message(9, 0, 1, bytes([first]) + bytes(range(256))) for first in range(256)),
            *(Message(8, 0, 1, bytes([first]) + bytes(range(256))) for first in range(256)),
            *(Message(type, 0, 1, bytes(size)) for type in (8, 9) for size in (0, 1, 2, 65535, 65536, 65537, 500_000)),
            Message(18, 0, 1, b"\0\1\2 no AMF"),
        ]
        self.send(publication, *odd)
        self.assertContent(self.outlet.take(), *odd)

    def test_86_endOfSequence(self) -> None:
        """
        Conformance 86: the end of a sequence with timestamp 0 resets nothing. It has the time of the newest picture,
        for time must not go back for those who watch.
        """
        publication = self.publish()
        end = video(f"a2{HVC1}", 0)
        self.send(publication, *BEGINNING, key(100_000), inter(100_040), end, inter(100_080))
        self.play(self.outlet)
        end.timestamp = 100_040
        self.assertContent(self.outlet.take(), *headersAt(100_000), key(100_000), inter(100_040), end, inter(100_080))


class SlowTests(LiveTestCase):
    """A viewer whose connection is slow."""

    def setUp(self) -> None:
        """A publisher that has begun, a slow viewer that has seen that, and a quick one."""
        super().setUp()
        self.outlet, self.quick = MemoryOutlet(), MemoryOutlet()
        self.viewer = self.play(self.outlet)
        self.play(self.quick, name="quick")
        self.publication = self.publish()
        self.send(self.publication, *BEGINNING, key(0), inter(40))
        self.outlet.take()
        self.quick.take()
        self.outlet.room = 0

    def test_nothingQueued(self) -> None:
        """While the outlet is full, nothing is written; then everything, if it is not too much."""
        sent = [inter(index, bytes(10_000)) for index in range(80, 180)]
        for message in sent:
            self.send(self.publication, message)
        self.assertEqual(self.outlet.blocks, [])
        self.assertContent(self.quick.take(), *sent)
        self.outlet.drain()
        self.assertContent(self.outlet.take(), *sent)
        self.assertEqual(self.viewer.skipped, 0)

    def test_blocks(self) -> None:
        """As much as the outlet takes is sent, in blocks, whole messages only, and nothing twice."""
        sent = [inter(index, bytes(1000)) for index in range(1000)]
        self.send(self.publication, *sent)
        found: list[Message] = []
        while len(found) < len(sent):
            self.outlet.drain(room=1)
            self.assertEqual(len(self.outlet.blocks), 1)
            self.assertLessEqual(len(self.outlet.blocks[0]), MemoryOutlet.block)
            found += self.outlet.take()
        self.assertContent(found, *sent)
        self.outlet.drain(room=1)
        self.assertEqual(self.outlet.blocks, [])

    def test_largerThanABlock(self) -> None:
        """A message that is larger than a block is a block of its own."""
        sent = [inter(40), inter(80, MEGABYTE), inter(120)]
        self.send(self.publication, *sent)
        for message in sent:
            self.outlet.drain(room=1)
            self.assertContent(self.outlet.take(), message)

    def test_80_bytesBehind(self) -> None:
        """
        Conformance 80: too many bytes behind, it goes on at the newest keyframe; what it misses is counted; nobody else
        notices, and the publisher does not wait.
        """
        groups = [[key(index * 1000, MEGABYTE), inter(index * 1000 + 40)] for index in range(1, 11)]
        self.assertGreater(10 * len(MEGABYTE), MAX_BEHIND_BYTES)
        for group in groups:
            self.clock.advance(2 * len(MEGABYTE) / FASTEST)
            self.send(self.publication, *group)
            self.assertContent(self.quick.take(), *group)
        self.outlet.drain()
        self.assertContent(self.outlet.take(), *groups[-1])
        self.assertEqual(self.viewer.skipped, 18)
        self.assertEqual(self.publisher.calls, [])

    def test_80_secondsBehind(self) -> None:
        """The same for seconds."""
        self.send(self.publication, inter(80), inter(120))
        self.clock.advance(MAX_BEHIND_SECONDS + 0.1)
        self.send(self.publication, key(5000), inter(5040))
        self.outlet.drain()
        self.assertContent(self.outlet.take(), key(5000), inter(5040))
        self.assertEqual(self.viewer.skipped, 2)

    def test_joinedLate(self) -> None:
        """The age of what it starts with is no delay of its own."""
        self.clock.advance(MAX_BEHIND_SECONDS + 1)
        late = MemoryOutlet(room=1)
        viewer = self.play(late)
        self.send(self.publication, key(6000))
        late.drain()
        self.assertContent(late.take(), *headersAt(0), key(0), inter(40), key(6000))
        self.assertEqual(viewer.skipped, 0)

    def test_notTooFarBehind(self) -> None:
        """Up to the bounds nothing is left out, though there are newer keyframes."""
        sent = [inter(80), key(120), *(inter(index, bytes(1 << 20)) for index in range(160, 167))]
        self.send(self.publication, *sent)
        self.clock.advance(MAX_BEHIND_SECONDS)
        self.outlet.drain()
        self.assertContent(self.outlet.take(), *sent)

    def test_sameGroup(self) -> None:
        """Behind the newest keyframe there is nowhere to go, however late it is."""
        sent = [inter(index, MEGABYTE) for index in range(80, 90)]
        self.send(self.publication, *sent)
        self.clock.advance(60)
        self.outlet.drain()
        self.assertContent(self.outlet.take(), *sent)
        self.assertEqual(self.viewer.skipped, 0)

    def test_offTheTape(self) -> None:
        """
        If even the tape has forgotten where it was, it goes on at the end with all but video, and has that from the
        next keyframe on; what it jumped over is counted.
        """
        for index in range(80, 100):
            self.send(self.publication, inter(index, MEGABYTE))
        self.outlet.drain()
        self.assertEqual(self.outlet.take(), [])
        self.assertEqual(self.viewer.skipped, 20)
        self.send(self.publication, inter(100), sound(101))
        self.assertContent(self.outlet.take(), sound(101))
        self.send(self.publication, key(200), inter(240))
        self.assertContent(self.outlet.take(), key(200), inter(240))
        self.assertEqual(self.viewer.skipped, 20)
        self.assertEqual(len(self.logged("no picture")), 1)

    def test_offTheTapeTwice(self) -> None:
        """Left behind again before the next keyframe it goes on at the end again; a keyframe ahead is not missed."""
        for start in (80, 100):
            for index in range(start, start + 20):
                self.send(self.publication, inter(index, MEGABYTE))
            self.outlet.drain(room=0)
            self.outlet.drain(room=1)
            self.assertEqual(self.outlet.take(), [])
            self.outlet.room = 0
        self.assertEqual((self.viewer.skipped, len(self.logged("no picture"))), (40, 1))
        self.send(self.publication, sound(119), inter(120), key(200), pictureHeader(201), inter(240))
        self.outlet.drain(room=1)
        self.assertContent(self.outlet.take(), sound(119))
        self.outlet.drain()
        self.assertContent(self.outlet.take(), key(200), pictureHeader(201), inter(240))
        self.assertEqual(self.viewer.skipped, 40)

    def test_farBehindWithoutPicture(self) -> None:
        """Too far behind while video is withheld, it goes on at the keyframe like everybody."""
        for index in range(80, 100):
            self.send(self.publication, inter(index, MEGABYTE))
        self.outlet.drain(room=1)
        self.outlet.room = 0
        self.send(self.publication, sound(100), pictureHeader(101, b"other"))
        self.clock.advance(MAX_BEHIND_SECONDS + 0.1)
        self.send(self.publication, key(200), inter(240))
        self.outlet.drain()
        self.assertContent(
            self.outlet.take(),
            metadata(200, width=640.0),
            soundHeader(200),
            pictureHeader(200, b"other"),
            key(200),
            inter(240),
        )
        self.assertEqual(self.viewer.skipped, 22)

    def test_oneLine(self) -> None:
        """However often it is left behind, the log says so once, with the stream."""
        for second in range(10, 40, 10):
            self.send(self.publication, inter(second * 1000))
            self.clock.advance(10)
            self.send(self.publication, key(second * 1000 + 40))
            self.outlet.drain(room=1)
            self.assertContent(self.outlet.take(), key(second * 1000 + 40))
        self.assertEqual(self.viewer.skipped, 3)
        line = "live/camera: 192.0.2.1:4000 is too slow a viewer; 1 messages are left out"
        self.assertEqual(self.logged("too slow"), [line])

    def test_total(self) -> None:
        """At the end of the viewing, whoever ends it, the log has the total, once; not for one that kept up."""
        total = "live/camera: 192.0.2.1:4000 was too slow a viewer; 2 messages were left out in all"
        self.play(other := MemoryOutlet(room=0), name="other").flush()
        for second in (10, 20):
            self.send(self.publication, inter(second * 1000))
            self.clock.advance(10)
            self.send(self.publication, key(second * 1000 + 40))
            self.outlet.drain(room=1)
        self.assertEqual(self.logged("in all"), [])
        self.viewer.stop()
        self.viewer.stop()
        self.assertEqual(self.logged("in all"), [total])
        self.publication.end("")
        other.drain()
        self.clock.advance(1)
        self.assertEqual((self.ended, self.logged("in all")), (["quick", "other"], [total]))
        publication, outlet = self.publish(), MemoryOutlet(room=0)
        viewer = self.hub.play("live/camera", outlet, 1, lambda: None)
        self.send(publication, *BEGINNING, key(0), inter(40))
        outlet.drain(room=1)
        outlet.room = 0
        self.send(publication, inter(80), inter(120))
        self.clock.advance(10)
        self.send(publication, key(10_000))
        outlet.drain()
        publication.end("")
        self.clock.advance(1)
        viewer.stop()
        self.assertEqual(self.logged("in all"), [total, total])

    def test_headersOnlyIfChanged(self) -> None:
        """Headers that it has are not sent again; changed ones are, with the new time."""
        self.send(self.publication, inter(80))
        self.clock.advance(10)
        self.send(self.publication, key(10_000))
        self.outlet.drain(room=1)
        self.assertContent(self.outlet.take(), key(10_000))
        self.send(self.publication, pictureHeader(11_000, b"other"), inter(11_000))
        self.clock.advance(10)
        self.send(self.publication, key(20_000))
        self.outlet.drain()
        self.assertContent(
            self.outlet.take(),
            metadata(20_000, width=640.0),
            soundHeader(20_000),
            pictureHeader(20_000, b"other"),
            key(20_000),
        )

    def test_headersJumpedOver(self) -> None:
        """
        A new header that was in a read of which the connection took no more than the begin counts as missed: that it
        was offered is not enough.
        """
        for start, part, room, size in ((0, 20, None, 1000), (6000, None, 1, MemoryOutlet.block)):
            outlet, name = MemoryOutlet(), f"NEW{size}".encode()
            viewer = self.play(outlet)
            self.assertTrue(viewer.isInStep)
            outlet.take()
            outlet.part, outlet.room = part, room
            self.send(
                self.publication, inter(start + 80, bytes(size)), pictureHeader(start + 120, name), key(start + 120)
            )
            self.assertContent(outlet.take(), inter(start + 80, bytes(size)))
            self.assertEqual((outlet.ready, viewer.lagBytes > 0), (False, True))
            self.clock.advance(MAX_BEHIND_SECONDS + 1)
            start += 6000
            self.send(self.publication, key(start))
            outlet.drain()
            self.assertContent(
                outlet.take(),
                metadata(start, width=640.0),
                soundHeader(start),
                pictureHeader(start, name),
                key(start),
            )
            self.assertEqual(viewer.skipped, 2)

    def test_headersSeen(self) -> None:
        """One that went out whole, with all there was behind it, does not come again; a viewer in step has it."""
        outlet = MemoryOutlet()
        viewer = self.play(outlet)
        outlet.take()
        self.send(self.publication, inter(80), pictureHeader(120, b"NEW"), key(120))
        self.assertTrue(viewer.isInStep)
        outlet.take()
        outlet.room = 0
        self.send(self.publication, inter(160))
        self.clock.advance(MAX_BEHIND_SECONDS + 1)
        self.send(self.publication, key(6000))
        outlet.drain()
        self.assertContent(outlet.take(), key(6000))
        self.assertEqual(viewer.skipped, 1)

    def test_headersMissedAtTheStart(self) -> None:
        """Who was slow from the first moment, and has missed the only headers, is sent them."""
        self.publication.end("")
        outlet = MemoryOutlet(room=0)
        viewer = self.play(outlet)
        self.publication = self.publish()
        self.send(self.publication, *BEGINNING, key(0))
        self.clock.advance(10)
        self.send(self.publication, key(10_000), inter(10_040))
        outlet.drain()
        self.assertContent(outlet.take(), *headersAt(10_000), key(10_000), inter(10_040))
        self.assertEqual(viewer.skipped, 4)

    def test_newHeaderMissed(self) -> None:
        """A header of a kind that was not there before counts as a change too: audio that begins later, say."""
        self.publication.end("")
        publication = self.publish()
        outlet = MemoryOutlet()
        self.play(outlet)
        self.send(publication, pictureHeader(0), key(0))
        outlet.take()
        outlet.room = 0
        self.send(publication, soundHeader(40), sound(40))
        self.clock.advance(10)
        self.send(publication, key(10_000))
        outlet.drain()
        self.assertContent(outlet.take(), pictureHeader(10_000), soundHeader(10_000), key(10_000))

    def test_longRead(self) -> None:
        """A viewer that keeps up misses nothing of a read that holds more messages than the tape."""
        sent = [sound(index) for index in range(2 * MAX_MESSAGES + 10)]
        self.send(self.publication, *sent)
        self.assertContent(self.quick.take(), *sent)

    def test_largeRead(self) -> None:
        """The same for bytes."""
        sent = [inter(index, bytes(4 << 20)) for index in range(10)]
        self.send(self.publication, *sent)
        self.assertContent(self.quick.take(), *sent)


class ControlTests(LiveTestCase):
    """Pause, and what is received."""

    def setUp(self) -> None:
        """A viewer that has seen the beginning."""
        super().setUp()
        self.outlet = MemoryOutlet()
        self.viewer = self.play(self.outlet)
        self.publication = self.publish()
        self.send(self.publication, *BEGINNING, key(0), inter(40))
        self.outlet.take()

    def test_pause(self) -> None:
        """While it is paused nothing is sent; then it goes on at the newest keyframe, and does not count as slow."""
        self.viewer.pause()
        self.send(self.publication, inter(80), key(120), inter(160), key(200), inter(240))
        self.outlet.drain()
        self.assertEqual(self.outlet.take(), [])
        self.viewer.resume()
        self.assertContent(self.outlet.take(), *headersAt(200), key(200), inter(240))
        self.send(self.publication, inter(280))
        self.assertContent(self.outlet.take(), inter(280))
        self.assertEqual(self.viewer.skipped, 0)

    def test_pauseWithinAGroup(self) -> None:
        """If no keyframe has come meanwhile, it goes on where it was: time does not go back, nothing comes twice."""
        self.viewer.pause()
        self.send(self.publication, inter(80), sound(81))
        self.viewer.resume()
        self.assertContent(self.outlet.take(), inter(80), sound(81))

    def test_pauseForLong(self) -> None:
        """If the tape has forgotten where it was and has no keyframe, it goes on as a joiner does, and was not slow."""
        self.viewer.pause()
        for index in range(80, 100):
            self.send(self.publication, inter(index, MEGABYTE))
        self.viewer.resume()
        self.assertContent(self.outlet.take(), *headersAt(99))
        self.send(self.publication, sound(199), inter(199))
        self.assertContent(self.outlet.take(), sound(199))
        self.viewer.pause()
        self.send(self.publication, sound(200), inter(200))
        self.viewer.resume()
        self.assertContent(self.outlet.take(), sound(200))
        self.send(self.publication, key(240))
        self.assertContent(self.outlet.take(), key(240))
        self.assertEqual((self.viewer.skipped, self.logged("too slow")), (0, []))

    def test_resumeUnpaused(self) -> None:
        """To resume what was not paused changes nothing, nor does it before a publisher has come."""
        self.viewer.resume()
        self.assertEqual(self.outlet.take(), [])
        waiting = self.hub.play("live/other", self.outlet, 1, lambda: None)
        waiting.pause()
        waiting.resume()
        self.assertEqual(self.outlet.take(), [])

    def test_receive(self) -> None:
        """
        What is not wanted is left out; when it is wanted again, it comes with its headers from where the viewer is,
        video from the next keyframe. Nothing comes twice.
        """
        self.viewer.receive(MessageType.VIDEO, False)
        self.send(self.publication, inter(80), sound(81), metadata(82), key(120), sound(121))
        self.assertContent(self.outlet.take(), sound(81), metadata(82), sound(121))
        self.viewer.receive(MessageType.AUDIO, False)
        self.send(self.publication, inter(160), sound(161))
        self.assertEqual(self.outlet.blocks, [])
        self.viewer.receive(MessageType.AUDIO, True)
        self.assertEqual(self.outlet.blocks, [])
        self.send(self.publication, inter(200), sound(201))
        self.assertContent(self.outlet.take(), soundHeader(200), sound(201))
        self.viewer.receive(MessageType.VIDEO, True)
        self.assertEqual(self.outlet.blocks, [])
        self.send(self.publication, inter(240), sound(241))
        self.assertContent(self.outlet.take(), pictureHeader(240), sound(241))
        self.send(self.publication, sound(279), key(280), inter(320), sound(321))
        self.assertContent(self.outlet.take(), sound(279), key(280), inter(320), sound(321))
        self.assertEqual((self.viewer.skipped, self.logged("no picture")), (0, []))

    def test_receiveSoundAlone(self) -> None:
        """Audio that is wanted again does not stop the pictures."""
        self.viewer.receive(MessageType.AUDIO, False)
        self.send(self.publication, inter(80), sound(81), soundHeader(82, b"other"), inter(120))
        self.assertContent(self.outlet.take(), inter(80), inter(120))
        self.viewer.receive(MessageType.AUDIO, True)
        self.send(self.publication, inter(160), sound(161))
        self.assertContent(self.outlet.take(), soundHeader(160, b"other"), inter(160), sound(161))

    def test_receiveAhead(self) -> None:
        """A slow viewer that wants video again has it from the keyframe that is ahead of it on the tape."""
        self.viewer.receive(MessageType.VIDEO, False)
        self.outlet.room = 0
        self.send(self.publication, inter(80), sound(81), key(120), inter(160), sound(161))
        self.viewer.receive(MessageType.VIDEO, True)
        self.assertEqual(self.outlet.blocks, [])
        self.outlet.drain()
        self.assertContent(self.outlet.take(), pictureHeader(80), sound(81), key(120), inter(160), sound(161))

    def test_receiveNewHeader(self) -> None:
        """A video header that came while none was wanted precedes the next keyframe."""
        self.viewer.receive(MessageType.VIDEO, False)
        self.send(self.publication, pictureHeader(80, b"other"), key(81), sound(82))
        self.assertContent(self.outlet.take(), sound(82))
        self.viewer.receive(MessageType.VIDEO, True)
        self.send(self.publication, key(120))
        self.assertContent(self.outlet.take(), pictureHeader(120, b"other"), key(120))

    def test_receiveWhileFull(self) -> None:
        """Who changes its mind again and again, and reads nothing, is written nothing."""
        self.outlet.room = 0
        self.send(self.publication, inter(80), sound(81))
        for _ in range(100):
            for type in (MessageType.AUDIO, MessageType.VIDEO):
                self.viewer.receive(type, False)
                self.viewer.receive(type, True)
        self.viewer.receive(MessageType.VIDEO, False)
        self.assertEqual(self.outlet.blocks, [])
        self.outlet.drain()
        self.assertContent(self.outlet.take(), soundHeader(80), sound(81))

    def test_receiveFills(self) -> None:
        """If the headers that are due fill the outlet, what is behind them comes later, and they do not come again."""
        self.viewer.receive(MessageType.AUDIO, False)
        self.outlet.room = 1
        self.viewer.receive(MessageType.AUDIO, True)
        self.send(self.publication, inter(80), sound(81))
        self.assertContent(self.outlet.take(), soundHeader(80))
        self.outlet.drain()
        self.assertContent(self.outlet.take(), inter(80), sound(81))

    def test_receiveWithoutKeyframes(self) -> None:
        """If there has never been a keyframe, video that is wanted again comes at once."""
        outlet = MemoryOutlet()
        viewer = self.hub.play("live/other", outlet, 1, lambda: None)
        viewer.receive(MessageType.VIDEO, False)
        viewer.receive(MessageType.VIDEO, True)
        publication = self.publish("live/other")
        self.send(publication, pictureHeader(0), inter(0))
        viewer.receive(MessageType.VIDEO, False)
        self.send(publication, inter(40))
        viewer.receive(MessageType.VIDEO, True)
        self.send(publication, inter(80))
        self.assertContent(outlet.take(), pictureHeader(0), pictureHeader(0), inter(0), pictureHeader(80), inter(80))

    def test_receivePaused(self) -> None:
        """What is wanted again while it is paused comes when it is resumed."""
        self.viewer.receive(MessageType.VIDEO, False)
        self.viewer.pause()
        self.viewer.receive(MessageType.VIDEO, True)
        self.send(self.publication, inter(80), sound(81))
        self.assertEqual(self.outlet.blocks, [])
        self.viewer.resume()
        self.assertContent(self.outlet.take(), pictureHeader(80), sound(81))
        self.viewer.pause()
        self.send(self.publication, inter(120), key(160), inter(200))
        self.viewer.resume()
        self.assertContent(self.outlet.take(), *headersAt(160), key(160), inter(200))

    def test_receiveUnwantedPicture(self) -> None:
        """A keyframe that comes while a joiner without picture does not want any is no news to it."""
        self.viewer.pause()
        for index in range(80, 100):
            self.send(self.publication, inter(index, MEGABYTE))
        self.viewer.resume()
        self.viewer.receive(MessageType.VIDEO, False)
        self.outlet.take()
        self.send(self.publication, pictureHeader(100, b"other"), key(120), sound(121))
        self.assertContent(self.outlet.take(), metadata(120, width=640.0), soundHeader(120), sound(121))
        self.viewer.receive(MessageType.VIDEO, True)
        self.send(self.publication, inter(160), key(200))
        self.assertContent(self.outlet.take(), pictureHeader(160, b"other"), key(200))

    def test_receiveUnchanged(self) -> None:
        """To want what was never unwanted changes nothing."""
        self.viewer.receive(MessageType.AUDIO, True)
        self.assertEqual(self.outlet.blocks, [])

    def test_receiveNothing(self) -> None:
        """A joiner without headers, as it wants neither, is written nothing empty."""
        outlet = MemoryOutlet()
        viewer = self.hub.play("live/other", outlet, 1, lambda: None)
        viewer.receive(MessageType.VIDEO, False)
        publication = self.publish("live/other")
        self.send(publication, pictureHeader(0), key(0), *(inter(index) for index in range(100)), key(50))
        viewer.pause()
        self.send(publication, key(100))
        viewer.resume()
        self.assertEqual(outlet.blocks, [])


class EndTests(LiveTestCase):
    """The publisher goes."""

    def setUp(self) -> None:
        """A viewer that has seen the beginning."""
        super().setUp()
        self.outlet = MemoryOutlet()
        self.viewer = self.play(self.outlet)
        self.publication = self.publish()
        self.send(self.publication, *BEGINNING, key(0), inter(40))
        self.outlet.take()

    def test_79_93_everythingFirst(self) -> None:
        """
        Conformance 79 and 93: all that was appended is written, even if there was no flush, and a little later, so that
        rtmp2src does not throw the last frame away, the end is told, once.
        """
        self.publication.append(inter(80))
        self.publication.append(sound(81))
        self.publication.end("deleteStream")
        self.assertContent(self.outlet.take(), inter(80), sound(81))
        self.clock.advance(END_DELAY - 0.01)
        self.assertEqual(self.ended, [])
        self.clock.advance(0.01)
        self.assertEqual(self.ended, ["ended"])
        self.publication.end("connection lost")
        self.clock.advance(10)
        self.assertEqual(self.ended, ["ended"])
        self.assertEqual(self.outlet.attached, 0)

    def test_slow(self) -> None:
        """A slow viewer is given all the rest, if that is in time, and then told, once."""
        self.outlet.room = 0
        sent = [key(index * 1000, MEGABYTE) for index in range(1, 13)]
        self.send(self.publication, *sent)
        self.publication.end("")
        found: list[Message] = []
        while len(found) < len(sent):
            self.clock.advance(2)
            self.assertEqual(self.ended, [])
            self.outlet.drain(room=1)
            found += self.outlet.take()
        self.assertContent(found, *sent)
        self.clock.advance(END_DELAY)
        self.assertEqual(self.ended, ["ended"])
        self.assertNoMore()

    def assertNoMore(self, *lines: str) -> None:
        """Assert that nothing is to come any more, and which lines the log has of viewers who took too long."""
        self.assertEqual((self.clock.getDelayedCalls(), self.outlet.attached), ([], 0))
        self.assertEqual(self.logged("took too long"), [*lines])

    def test_inTime(self) -> None:
        """Who takes the last of it in the last moment is told then, and nothing is said of it."""
        self.outlet.room = 0
        self.send(self.publication, inter(80))
        self.publication.end("")
        self.clock.advance(REST_SECONDS - 0.01)
        self.outlet.drain()
        self.assertContent(self.outlet.take(), inter(80))
        self.clock.advance(END_DELAY)
        self.assertEqual(self.ended, ["ended"])
        self.clock.advance(1)
        self.assertEqual(self.ended, ["ended"])
        self.assertNoMore()

    def test_tooLong(self) -> None:
        """
        Who drips on for longer than that is told the end, with a line in the log, and what was left for it is not kept:
        neither for it, however long it stays, nor by the stream, for which somebody may wait.
        """
        self.outlet.room = 0
        sent = [inter(index, MEGABYTE) for index in range(14)]
        self.send(self.publication, *sent)
        assert self.viewer._tape is not None
        tape = ref(self.viewer._tape)
        self.publication.end("")
        steps = 10
        for step in range(steps):
            self.assertEqual(self.ended, [])
            self.clock.advance(REST_SECONDS / steps - 0.001)
            self.outlet.drain(room=1)
            self.assertContent(self.outlet.take(), sent[step])
        left = self.viewer.lagBytes
        self.assertEqual(left, sum(len(encodeImage(message)) for message in sent[steps:]))
        self.clock.advance(0.02)
        self.assertEqual((self.viewer.lagBytes, tape()), (0, None))
        self.assertEqual(self.ended, [])
        self.clock.advance(END_DELAY)
        self.assertEqual(self.ended, ["ended"])
        self.outlet.drain()
        self.assertEqual(self.outlet.blocks, [])
        self.assertNoMore(f"live/camera: 192.0.2.1:4000 took too long for the rest; {left} bytes are left out")
        self.viewer.stop()
        self.assertEqual(self.ended, ["ended"])

    def test_offTheTape(self) -> None:
        """A slow viewer that the tape has left behind is given what there is from the keyframe on."""
        self.outlet.room = 0
        for index in range(20):
            self.send(self.publication, inter(index, MEGABYTE))
        self.send(self.publication, key(1000), inter(1040))
        self.publication.end("")
        self.outlet.drain()
        self.assertContent(self.outlet.take(), key(1000), inter(1040))
        self.clock.advance(END_DELAY)
        self.assertEqual(self.ended, ["ended"])

    def test_nothingLeft(self) -> None:
        """If there is nowhere to go on, the end is told as soon as the outlet is ready."""
        self.outlet.room = 0
        for index in range(20):
            self.send(self.publication, inter(index, MEGABYTE))
        self.publication.end("")
        self.clock.advance(1)
        self.assertEqual(self.ended, [])
        self.outlet.drain()
        self.assertEqual(self.outlet.blocks, [])
        self.clock.advance(END_DELAY)
        self.assertEqual((self.ended, self.outlet.attached), (["ended"], 0))

    def test_joinerWhileFull(self) -> None:
        """Who has joined, but whose outlet was full all the time, is given headers and frames before the end."""
        outlet = MemoryOutlet(room=0)
        self.play(outlet, name="joiner")
        self.publication.end("")
        self.clock.advance(1)
        self.assertEqual(self.ended, ["ended"])
        outlet.drain()
        self.assertContent(outlet.take(), *headersAt(0), key(0), inter(40))
        self.clock.advance(END_DELAY)
        self.assertEqual(self.ended, ["ended", "joiner"])

    def test_paused(self) -> None:
        """A paused viewer is told at once."""
        self.viewer.pause()
        self.send(self.publication, inter(80))
        self.publication.end("")
        self.clock.advance(END_DELAY)
        self.assertEqual((self.ended, self.outlet.take()), (["ended"], []))
        self.assertNoMore()

    def test_stop(self) -> None:
        """Who leaves is sent nothing more and not told of the end, however often it leaves."""
        self.viewer.stop()
        self.viewer.stop()
        self.send(self.publication, inter(80))
        self.viewer.flush()
        self.publication.end("")
        self.clock.advance(1)
        self.viewer.stop()
        self.assertEqual((self.ended, self.outlet.blocks, self.outlet.attached), ([], [], 0))

    def test_stopBeforeTheNews(self) -> None:
        """Who leaves in the moment between the last frame and the news of the end is not told."""
        self.publication.end("")
        self.viewer.stop()
        self.clock.advance(1)
        self.assertEqual(self.ended, [])

    def test_stopWhileDraining(self) -> None:
        """Who leaves before it has been given the rest is given no more."""
        self.outlet.room = 0
        self.send(self.publication, inter(80))
        self.publication.end("")
        self.viewer.stop()
        self.assertNoMore()
        self.outlet.drain()
        self.clock.advance(REST_SECONDS + 1)
        self.assertEqual((self.ended, self.outlet.blocks), ([], []))
        self.assertNoMore()

    def test_waiting(self) -> None:
        """Who waits for a publisher that never comes can leave."""
        viewer = self.hub.play("live/other", self.outlet, 1, lambda: None)
        viewer.flush()
        viewer.stop()
        self.assertEqual([stream.path for stream in self.hub], ["live/camera"])

    def test_publisherReturns(self) -> None:
        """A publisher comes back under the same name while a viewer is still given the rest of the first."""
        self.outlet.room = 0
        self.send(self.publication, inter(80))
        self.publication.end("")
        other = self.publish()
        fresh = MemoryOutlet()
        self.play(fresh, name="fresh")
        self.send(other, pictureHeader(0, b"other"), key(0))
        self.outlet.drain()
        self.assertContent(self.outlet.take(), inter(80))
        self.clock.advance(END_DELAY)
        self.assertEqual(self.ended, ["ended"])
        self.assertContent(fresh.take(), pictureHeader(0, b"other"), key(0))
        self.assertEqual(self.outlet.blocks, [])

    def test_publisherReturnsToTheSameStream(self) -> None:
        """The same, when somebody has kept the stream: what is left of the first has the first one's headers."""
        outlet = MemoryOutlet(room=0)
        self.play(outlet, name="joiner")

        class Relay:
            """Comes back for the next publisher."""

            messages = 0

            def messageReceived(relay, message: Message) -> None:
                """Count it."""
                relay.messages += 1

            def streamEnded(relay, reason: str) -> None:
                """Subscribe again, and be the next publisher too."""
                self.hub.subscribe("live/camera", relay)  # type: ignore[arg-type]
                self.other = self.publish()

        self.hub.subscribe("live/camera", Relay())  # type: ignore[arg-type]
        self.publication.append(inter(80))
        self.publication.end("")
        self.send(self.other, pictureHeader(7, b"other"), key(7))
        outlet.drain()
        self.assertContent(outlet.take(), *headersAt(0), key(0), inter(40), inter(80))
        self.assertContent(self.outlet.take(), inter(80))
        self.clock.advance(END_DELAY)
        self.assertEqual(sorted(self.ended), ["ended", "joiner"])


#: A little before the time where headers become longer.
START = 0xFFFFA0


class PartTests(LiveTestCase):
    """A connection that takes a part of what it is offered."""

    def setUp(self) -> None:
        """A publisher that has begun, and what it sends then: around the time where headers become longer too."""
        super().setUp()
        self.publication = self.publish()
        self.send(self.publication, *BEGINNING, key(START + 0), inter(START + 40))
        self.sent = [
            *(inter(START + 80), sound(START + 81), metadata(START + 82, width=1.0)),
            *(inter(0xFFFFFE, b""), sound(0xFFFFFF), metadata(0x1000000, width=2.0), inter(0x1000001)),
        ]

    def images(self, messages: Iterable[Message]) -> list[int]:
        """How long these messages are on the wire."""
        return [len(encodeImage(message)) for message in messages]

    def assertParts(
        self, play: Callable[[MemoryOutlet], Viewer], expected: list[Message], headers: Sequence[Message] = ()
    ) -> None:
        """
        Let one viewer for each byte be cut off behind that byte. Assert that each is written the rest of that message
        and no more, and what comes behind it when it is ready again.

        @param play: begins to watch.
        @param headers: what is written before the first offer.
        """
        sizes = self.images(expected)
        ends = list(accumulate(sizes))
        viewers = []
        for part in range(ends[-1] + 1):
            outlet = MemoryOutlet()
            viewers.append((part, outlet, play(outlet)))
            outlet.take()
            outlet.room = 0
        self.send(self.publication, *self.sent)
        for part, outlet, viewer in viewers:
            self.assertEqual(outlet.blocks, [])
            outlet.part = part
            outlet.drain()
            end = next((end for end in ends if end > part), ends[-1])
            written = sum(map(len, outlet.blocks)) - sum(self.images(headers))
            self.assertEqual((written, outlet.ready), (end, part == ends[-1]), part)
            # The tape goes on meanwhile.
            outlet.drain()
            self.assertContent(outlet.take(), *headers, *expected)
            self.assertEqual((viewer.skipped, viewer.lagBytes), (0, 0))

    def test_plain(self) -> None:
        """What all are sent."""
        self.assertParts(self.play, self.sent)

    def test_otherStream(self) -> None:
        """On another message stream."""
        self.assertParts(lambda outlet: self.play(outlet, streamId=0x01020304), self.sent)
        outlet = MemoryOutlet(part=13)
        self.play(outlet, streamId=0x01020304)
        outlet.drain()
        self.assertEqual({message.streamId for message in outlet.take()}, {0x01020304})

    def test_withoutPictures(self) -> None:
        """Without video, or without audio, or with neither: messages that are not sent are no place to stop."""
        for unwanted in ({MessageType.VIDEO}, {MessageType.AUDIO}, {MessageType.VIDEO, MessageType.AUDIO}):

            def play(outlet: MemoryOutlet, unwanted: set[MessageType] = unwanted) -> Viewer:
                viewer = self.play(outlet)
                for type in unwanted:
                    viewer.receive(type, False)
                return viewer

            self.assertParts(play, [message for message in self.sent if message.type not in unwanted])

    def test_publishes(self) -> None:
        """To a server, for which metadata are longer than on the tape."""
        [stream] = self.hub

        def published(message: Message) -> Message:
            if message.type != MessageType.DATA:
                return message
            return Message(message.type, message.timestamp, 1, amf0.encode(SET_DATA_FRAME) + message.payload)

        self.assertParts(
            lambda outlet: stream.play(outlet, 1, lambda: None, publishes=True), [*map(published, self.sent)]
        )

    def test_picturesAgain(self) -> None:
        """Headers that are due come once, whatever becomes of what is behind them; then sound until the keyframe."""

        def play(outlet: MemoryOutlet) -> Viewer:
            viewer = self.play(outlet)
            viewer.receive(MessageType.VIDEO, False)
            viewer.receive(MessageType.VIDEO, True)
            return viewer

        self.sent = [
            inter(START + 80),
            sound(START + 81),
            inter(START + 82),
            sound(START + 83),
            key(START + 120),
            inter(START + 160),
            sound(START + 161),
        ]
        self.assertParts(
            play,
            [message for message in self.sent if message.timestamp != START + 80 and message.timestamp != START + 82],
            [pictureHeader(START + 80)],
        )

    def test_large(self) -> None:
        """Messages that are larger than a chunk, and than a block."""
        self.sent = [
            inter(START + 80, MEGABYTE),
            sound(START + 81),
            key(0x1000000, MEGABYTE[: 3 * OUR_CHUNK_SIZE]),
            inter(0x1000001),
        ]
        first, second, third, _ = ends = list(accumulate(self.images(self.sent)))
        for streamId in (1, 7):
            for part in (
                *(0, 1, 11, 12, 13, OUR_CHUNK_SIZE + 11, OUR_CHUNK_SIZE + 12, OUR_CHUNK_SIZE + 13, MemoryOutlet.block),
                *(first - 1, first, first + 1, second, second + 15, second + 16, third - 1, third),
            ):
                outlet = MemoryOutlet()
                self.publication.end("")
                self.publication = self.publish()
                self.send(self.publication, *BEGINNING, key(START))
                viewer = self.play(outlet, streamId)
                outlet.take()
                outlet.room = 0
                self.send(self.publication, *self.sent)
                outlet.part = part
                outlet.drain()
                self.assertEqual(sum(map(len, outlet.blocks)), next(end for end in ends if end > part))
                outlet.drain()
                self.assertContent(outlet.take(), *self.sent)
                viewer.stop()

    def test_again(self) -> None:
        """A connection that takes a few bytes each time is sent everything all the same."""
        for streamId in (1, 7):
            outlet = MemoryOutlet()
            viewer = self.play(outlet, streamId)
            outlet.take()
            outlet.room = 0
            self.send(self.publication, *self.sent)
            for _ in self.sent:
                self.assertEqual(viewer.lagBytes > 0, True)
                outlet.part = 5
                outlet.drain()
            self.assertEqual(viewer.lagBytes, 0)
            self.assertContent(outlet.take(), *self.sent)
            viewer.stop()

    def test_slowMeanwhile(self) -> None:
        """One that has stopped within a message, and is too far behind then, goes on at a keyframe; first the rest."""
        outlet = MemoryOutlet()
        viewer = self.play(outlet)
        outlet.take()
        outlet.part = 20
        self.send(self.publication, inter(START + 80), inter(START + 120))
        self.clock.advance(MAX_BEHIND_SECONDS + 0.1)
        self.send(self.publication, inter(START + 160), key(START + 200))
        outlet.drain()
        self.assertContent(outlet.take(), inter(START + 80), key(START + 200))
        self.assertEqual(viewer.skipped, 2)

    def test_end(self) -> None:
        """The end is told when the rest of the last message and all behind it was written."""
        outlet = MemoryOutlet()
        self.play(outlet)
        outlet.take()
        outlet.part = 20
        self.send(self.publication, inter(START + 80), sound(START + 81))
        self.publication.end("")
        self.clock.advance(1)
        self.assertEqual(self.ended, [])
        outlet.drain()
        self.clock.advance(END_DELAY)
        self.assertContent(outlet.take(), inter(START + 80), sound(START + 81))
        self.assertEqual(self.ended, ["ended"])

    def test_shared(self) -> None:
        """
        What waits for a viewer is no copy but a part of what is on the tape, however many wait, and also for those who
        are sent other messages, or on another stream.
        """
        [stream] = self.hub
        # Less than are served before a round looks at the time.
        viewers = [
            *[lambda outlet: self.play(outlet)] * 7,
            *[lambda outlet: self.play(outlet, streamId=7)] * 7,
            *[lambda outlet: self.play(outlet).receive(MessageType.AUDIO, False)] * 7,
            *[lambda outlet: stream.play(outlet, 1, lambda: None, publishes=True)] * 7,
        ]
        outlets = []
        for play in viewers:
            outlets.append(MemoryOutlet())
            play(outlets[-1])
            outlets[-1].take()
            outlets[-1].part = 2 * OUR_CHUNK_SIZE
        self.send(self.publication, inter(START + 80, MEGABYTE), sound(START + 81))
        shared = stream.tape.entry(stream.tape.end - 2).image
        for outlet in outlets:
            [view] = outlet.views
            self.assertIs(view.obj, shared)
            self.assertEqual(len(view), len(shared) - 2 * OUR_CHUNK_SIZE)


class LagTests(LiveTestCase):
    """How far behind a viewer is."""

    def lag(self, viewer: Viewer) -> tuple[int, float]:
        """In bytes, and milliseconds."""
        return viewer.lagBytes, round(viewer.lagMilliseconds, 3)

    def test_lag(self) -> None:
        """All that has come and was not handed to the outlet, and the age of the oldest of it."""
        outlet = MemoryOutlet()
        viewer = self.play(outlet)
        self.assertEqual(self.lag(viewer), (0, 0))
        publication = self.publish()
        self.assertEqual(self.lag(viewer), (0, 0))
        self.send(publication, *BEGINNING, key(0))
        self.clock.advance(2)
        self.assertEqual(self.lag(viewer), (0, 0))
        outlet.room = 0
        messages = [inter(80), sound(90, bytes(1000)), inter(120)]
        sizes = [len(encodeImage(message)) for message in messages]
        for message in messages:
            self.send(publication, message)
            self.clock.advance(0.25)
        self.assertEqual(self.lag(viewer), (sum(sizes), 750))
        outlet.drain(room=0)
        self.assertEqual(self.lag(viewer), (sum(sizes), 750))
        outlet.part = 1
        outlet.drain()
        self.assertEqual(self.lag(viewer), (sum(sizes[1:]), 500))
        outlet.drain()
        self.assertEqual(self.lag(viewer), (0, 0))

    def test_withoutPlace(self) -> None:
        """Who has no place yet is behind by nothing: nothing has been missed."""
        publication = self.publish()
        self.send(publication, *BEGINNING, key(0))
        viewer = self.play(MemoryOutlet(room=0))
        self.clock.advance(1)
        self.assertEqual(self.lag(viewer), (0, 0))

    def test_offTheTape(self) -> None:
        """Who was left behind by the tape is behind by all that is on it."""
        viewer = self.play(MemoryOutlet(room=0))
        publication = self.publish()
        for index in range(20):
            self.send(publication, inter(index, MEGABYTE))
            self.clock.advance(1)
        [stream] = self.hub
        tape = stream.tape
        self.assertGreater(tape.first, 0)
        self.assertEqual(self.lag(viewer), (tape.held, (20 - tape.first) * 1000))


class CacheTests(LiveTestCase):
    """How far back a joiner may start."""

    def limit(self, flush: FlushTimes | None = None, **limits: float) -> None:
        """Begin again, with these limits."""
        self.hub = StreamHub(self.clock, flush or FlushTimes(0, 0), CacheLimits(**limits), grace=0)  # type: ignore[arg-type]
        self.publication = self.publish()

    def joined(self) -> list[Message]:
        """What a viewer is sent who comes now, and leaves."""
        outlet = MemoryOutlet()
        self.play(outlet).stop()
        return outlet.take()

    def assertLimit(self, sent: list[Message], last: Message) -> None:
        """Assert that who comes behind C{sent} is given it all, and behind C{last} nothing but headers."""
        self.send(self.publication, *BEGINNING, *sent)
        self.assertContent(self.joined(), *headersAt(sent[0].timestamp), *sent)
        self.send(self.publication, last)
        self.assertContent(self.joined(), *headersAt(last.timestamp))

    def test_frames(self) -> None:
        """By messages, the keyframe too."""
        self.limit(frames=4)
        self.assertLimit([key(0), inter(40), sound(41), inter(80)], sound(81))

    def test_bytes(self) -> None:
        """By their size on the wire."""
        sent = [key(0), inter(40), sound(41)]
        self.limit(bytes=sum(len(encodeImage(message)) for message in sent))
        self.assertLimit(sent, Message(MessageType.AUDIO, 42, 1, b""))

    def test_seconds(self) -> None:
        """By time, also where timestamps begin again."""
        for start in (0, 0xFFFFFC00):
            self.limit(seconds=2.5)
            sent = [key(start), inter(start + 1000 & 0xFFFFFFFF), sound(start + 2500 & 0xFFFFFFFF)]
            self.assertLimit(sent, inter(start + 2501 & 0xFFFFFFFF))

    def test_newest(self) -> None:
        """One that has just come is not too long ago, whatever the limits are."""
        for limits in ({"seconds": 0}, {"frames": 1}, {"bytes": 1}):
            self.limit(**limits)
            self.send(self.publication, *BEGINNING, key(0))
            self.assertContent(self.joined(), *headersAt(0), key(0))
            self.send(self.publication, inter(40))
            self.assertContent(self.joined(), *headersAt(40))
            self.send(self.publication, key(80))
            self.assertContent(self.joined(), *headersAt(80), key(80))

    def test_noSeconds(self) -> None:
        """C{seconds=0}: what has the keyframe's time, or is before it, is not the past."""
        self.limit(seconds=0)
        self.assertLimit([key(1000), sound(1000), sound(999)], sound(1001))

    def test_noLimits(self) -> None:
        """By default age does not matter; nor the size, as far as the tape reaches."""
        self.assertEqual(CacheLimits(), CacheLimits(MAX_MESSAGES, MAX_BYTES, inf))
        self.hub = atOnce(self.clock)
        self.publication = self.publish()
        sent = [key(0), *(inter(index * 10_000, MEGABYTE) for index in range(1, 16))]
        self.send(self.publication, *BEGINNING, *sent)
        self.assertContent(self.joined(), *headersAt(0), *sent)

    def test_more(self) -> None:
        """Limits that are larger than the tape is otherwise make it larger."""
        self.limit(frames=2 * MAX_MESSAGES)
        sent = [key(0), *(inter(index) for index in range(1, 2 * MAX_MESSAGES - len(BEGINNING)))]
        self.send(self.publication, *BEGINNING, *sent)
        self.assertContent(self.joined(), *headersAt(0), *sent)
        self.limit(bytes=2 * MAX_BYTES)
        sent = [key(0), *(inter(index, MEGABYTE) for index in range(1, 31))]
        self.send(self.publication, *BEGINNING, *sent)
        self.assertContent(self.joined(), *headersAt(0), *sent)

    def test_everyPublisher(self) -> None:
        """The limits are for every publisher of a stream."""
        self.limit(seconds=1)
        self.play(MemoryOutlet())
        self.hub.subscribe("live/camera", MemorySubscriber())
        for _ in range(2):
            self.assertLimit([key(0), inter(1000)], inter(1001))
            self.publication.end("")
            self.publication = self.publish()

    def test_waiting(self) -> None:
        """Who has come too late for a keyframe is sent sound, and has the next one, also if that is long ago then."""
        self.limit(FlushTimes(0.5, 0.5), seconds=0)
        self.send(self.publication, *BEGINNING, key(0), inter(40))
        outlet = MemoryOutlet()
        self.play(outlet)
        self.assertContent(outlet.take(), *headersAt(40))
        self.send(self.publication, inter(80), sound(81))
        self.assertContent(outlet.take(), sound(81))
        sent = [inter(120), sound(121), key(4000), inter(4040), sound(9000)]
        for message in sent:
            self.send(self.publication, message)
        self.assertEqual(outlet.blocks, [])
        self.clock.advance(0.5)
        self.assertContent(outlet.take(), *sent[1:])
        self.assertEqual(len(self.logged("no picture")), 1)

    def test_slow(self) -> None:
        """Who is here already, and too slow, goes on at the newest keyframe, however long ago that is."""
        self.limit(seconds=0, frames=1, bytes=1)
        outlet = MemoryOutlet()
        viewer = self.play(outlet)
        self.send(self.publication, *BEGINNING, key(0))
        outlet.take()
        outlet.room = 0
        self.send(self.publication, inter(40))
        self.clock.advance(MAX_BEHIND_SECONDS + 0.1)
        self.send(self.publication, key(5000), inter(5040), inter(9000))
        outlet.drain()
        self.assertContent(outlet.take(), key(5000), inter(5040), inter(9000))
        self.assertEqual((viewer.skipped, self.logged("no picture")), (1, []))

    def test_resumed(self) -> None:
        """The same for one that has paused, whether it was here from the beginning or has come late."""
        self.limit(seconds=0)
        outlets = [MemoryOutlet(), MemoryOutlet()]
        viewers = [self.play(outlets[0])]
        self.send(self.publication, *BEGINNING, key(0))
        viewers.append(self.play(outlets[1]))
        for viewer, outlet in zip(viewers, outlets, strict=True):
            outlet.take()
            viewer.pause()
        self.send(self.publication, inter(40), key(80), inter(120))
        for viewer, outlet in zip(viewers, outlets, strict=True):
            viewer.resume()
            self.assertContent(outlet.take(), *headersAt(80), key(80), inter(120))
        self.assertEqual(self.logged("no picture"), [])

    def test_relayReturns(self) -> None:
        """The same for a relay that has lost its connection."""
        self.limit(seconds=0)
        self.send(self.publication, *BEGINNING, key(0), inter(40), key(80), inter(120))
        [stream] = self.hub
        outlet = MemoryOutlet()
        stream.play(outlet, 1, lambda: None, after=4)
        self.assertContent(outlet.take(), *headersAt(80), key(80), inter(120))

    def test_subscriber(self) -> None:
        """A late subscriber is given no more of the past than a late viewer."""
        for sent, past in (([key(0)], [key(0)]), ([key(0), inter(40)], [])):
            self.limit(seconds=0)
            self.send(self.publication, *BEGINNING, *sent)
            subscriber = MemorySubscriber()
            self.hub.subscribe("live/camera", subscriber)
            self.assertContent(subscriber.messages, *headersAt(sent[-1].timestamp), *past)


class RelayTests(LiveTestCase):
    """A viewer that is a server: it is sent the stream for others to play."""

    def setUp(self) -> None:
        """An outlet that is not connected yet."""
        super().setUp()
        self.outlet = MemoryOutlet(room=0)
        self.publication = self.publish()
        [self.stream] = self.hub

    def relay(self, after: int = 0) -> Viewer:
        """Begin to relay."""
        return self.stream.play(self.outlet, 1, lambda: self.ended.append("ended"), after=after, publishes=True)

    def published(self, message: Message) -> Message:
        """As a publisher says it."""
        return Message(message.type, message.timestamp, 1, amf0.encode(SET_DATA_FRAME) + message.payload)

    def test_publishes(self) -> None:
        """Metadata goes behind C{@setDataFrame}, on its way and as a header; other data, and media, as they are."""
        cue = Message(MessageType.DATA, 5, 1, amf0.encode("onCuePoint", {"a": 1.0}))
        self.relay()
        self.send(self.publication, *BEGINNING, cue, key(40))
        self.outlet.drain()
        self.assertContent(self.outlet.take(), self.published(BEGINNING[0]), *BEGINNING[1:], cue, key(40))
        late = self.outlet = MemoryOutlet()
        self.relay()
        first, *others = headersAt(40)
        self.assertContent(late.take(), self.published(first), *others, key(40))

    def test_largeMetadata(self) -> None:
        """The same if they are larger than a chunk."""
        large = metadata(0, text="x" * (2 * OUR_CHUNK_SIZE))
        self.relay()
        self.send(self.publication, large)
        self.outlet.drain()
        self.assertContent(self.outlet.take(), self.published(large))

    def test_readdress(self) -> None:
        """It can be told later on which message stream to send: messages, metadata, and headers."""
        viewer = self.relay()
        self.send(self.publication, *BEGINNING, key(0))
        viewer.readdress(0x01020304)
        self.outlet.drain()
        late = self.stream.play(self.outlet, 1, lambda: None, after=3, publishes=True)
        late.readdress(7)
        late.flush()
        self.assertEqual([m.streamId for m in self.outlet.take()], [0x01020304] * 4 + [1] * 4)
        viewer.stop()
        self.send(self.publication, inter(40))
        self.assertEqual([m.streamId for m in self.outlet.take()], [7])

    def test_waits(self) -> None:
        """It is kept until the outlet is ready, from the first message on, however late; nobody is held for it."""
        viewer = self.relay()
        sent = [sound(1), inter(2), *BEGINNING, key(40), inter(80), key(120)]
        self.send(self.publication, *sent)
        self.clock.advance(MAX_BEHIND_SECONDS)
        self.assertEqual((self.outlet.blocks, viewer.position, self.publisher.calls), ([], 0, []))
        self.outlet.drain()
        self.assertContent(self.outlet.take(), *sent[:2], self.published(sent[2]), *sent[3:])

    def test_after(self) -> None:
        """Nothing is sent before the first keyframe at or behind this position, and then headers first."""
        self.outlet.drain()
        # Positions: 0 to 2 headers, 3 keyframe, 4 other, 5 keyframe, 6 other.
        messages = [*BEGINNING, key(0), inter(40), key(80), inter(120)]
        self.send(self.publication, *messages)
        for after, hasOne in ((1, True), (4, True), (5, True), (6, False), (7, False)):
            outlet = self.outlet = MemoryOutlet()
            viewer = self.relay(after)
            first, *others = headersAt(80)
            expected = [self.published(first), *others, key(80), inter(120)] if hasOne else []
            self.assertContent(outlet.take(), *expected)
            self.assertEqual(viewer.position, 7 if hasOne else None)
            viewer.stop()

    def test_afterLater(self) -> None:
        """It comes when that keyframe comes, or the newest one when there is somebody to send it to."""
        self.send(self.publication, *BEGINNING, key(0), inter(40))
        outlet = self.outlet = MemoryOutlet()
        self.relay(after=5)
        self.send(self.publication, inter(80), sound(81))
        self.assertEqual(outlet.blocks, [])
        self.send(self.publication, key(120), sound(121))
        first, *others = headersAt(120)
        self.assertContent(outlet.take(), self.published(first), *others, key(120), sound(121))
        self.outlet = MemoryOutlet(room=0)
        self.relay(after=6)
        self.send(self.publication, key(160), inter(200), key(240), inter(280))
        self.outlet.drain()
        first, *others = headersAt(240)
        self.assertContent(self.outlet.take(), self.published(first), *others, key(240), inter(280))

    def test_afterWithoutTape(self) -> None:
        """If the keyframe has been forgotten, it waits for the next one, and does not go on without a picture."""
        self.send(self.publication, *BEGINNING, key(0), *(inter(index) for index in range(MAX_MESSAGES)))
        outlet = self.outlet = MemoryOutlet()
        self.relay(after=3)
        self.send(self.publication, sound(5000), inter(5001))
        self.assertEqual(outlet.blocks, [])
        self.send(self.publication, key(5040))
        first, *others = headersAt(5040)
        self.assertContent(outlet.take(), self.published(first), *others, key(5040))

    def test_afterWithoutKeyframes(self) -> None:
        """If there never is a keyframe, it goes on at the end."""
        text = Message(MessageType.DATA, 5, 1, amf0.encode("onTextData", "a"))
        self.send(self.publication, text)
        self.outlet.drain()
        self.relay(after=1)
        self.send(self.publication, text)
        self.assertContent(self.outlet.take(), text)

    def test_end(self) -> None:
        """The end comes when all is sent that is for it; if there is nothing, then at once."""
        self.send(self.publication, *BEGINNING, key(0), inter(40))
        one, other, nothing = MemoryOutlet(room=0), MemoryOutlet(room=0), MemoryOutlet(room=0)
        viewers = []
        for self.outlet, after in ((one, 0), (other, 3), (nothing, 5)):
            viewers.append(self.relay(after))
        self.assertEqual([viewer.isOver for viewer in viewers], [False] * 3)
        self.publication.end("")
        self.clock.advance(END_DELAY)
        self.assertEqual(([viewer.isOver for viewer in viewers], self.ended), ([True] * 3, ["ended"]))
        for count, outlet in ((2, one), (3, other)):
            outlet.drain()
            self.assertEqual(len(outlet.take()), 5)
            self.clock.advance(END_DELAY)
            self.assertEqual(len(self.ended), count)
        self.assertEqual((nothing.blocks, nothing.attached), ([], 0))
