# -*- test-case-name: tests.benchmarks.load.test_media -*-
"""
Tests for L{benchmarks.load.media}: the stream is what it is said to be, and any server takes it for one.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.load.media import AUDIO_STAMP, VIDEO_STAMP, Format, groupOfPictures, streamHeaders
from benchmarks.load.stamp import STAMP_SIZE, Kind
from rtmptw.wire.amf0 import decode
from rtmptw.wire.media import classify
from rtmptw.wire.message import MessageType


class GroupTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.frames = groupOfPictures(Format(), 1)

    def test_rates(self) -> None:
        """Two seconds of 30 pictures and 43 sounds, the first a keyframe and the only one, in the order of time."""
        self.assertEqual([frame.kind for frame in self.frames].count(Kind.SOUND), 86)
        self.assertEqual([frame.kind for frame in self.frames].count(Kind.PICTURE), 59)
        self.assertEqual([frame.kind for frame in self.frames].count(Kind.KEYFRAME), 1)
        self.assertIs(self.frames[0].kind, Kind.KEYFRAME)
        self.assertEqual([frame.due for frame in self.frames], sorted(frame.due for frame in self.frames))
        self.assertTrue(self.frames[-1].due < 2)

    def test_sizes(self) -> None:
        """The bitrate is what was asked for; a keyframe has 119 KB, another picture 15 KB."""
        size = {frame.kind: len(frame.message.payload) for frame in self.frames}
        self.assertEqual(size, {Kind.KEYFRAME: 119_400, Kind.PICTURE: 14_925, Kind.SOUND: 372})
        total = sum(len(frame.message.payload) for frame in self.frames)
        self.assertAlmostEqual(total / Format().gopSize, 1, places=3)
        self.assertEqual(Format(2.5e6).byteRate, 328_500)

    def test_kinds(self) -> None:
        """A server sees keyframes as such, and frames, not headers."""
        for frame in self.frames:
            kind = classify(frame.message.type, frame.message.payload)
            self.assertFalse(kind.isHeader)
            self.assertEqual(kind.isKeyframe, frame.kind is Kind.KEYFRAME)

    def test_nalUnits(self) -> None:
        """A picture is an SEI message with room for the stamp, and a slice, each behind its length."""
        for frame in self.frames[:5]:
            if frame.kind is Kind.SOUND:
                continue
            units, payload = [], frame.message.payload[5:]
            while payload:
                size = int.from_bytes(payload[:4], "big")
                units.append(payload[4 : 4 + size])
                payload = payload[4 + size :]
            sei, slice = units
            self.assertEqual(sei[:3], bytes((6, 5, STAMP_SIZE)))
            self.assertEqual(len(sei), 3 + STAMP_SIZE + 1)
            self.assertEqual(slice[0] & 0x1F, 5 if frame.kind is Kind.KEYFRAME else 1)
            self.assertNotIn(0, slice)
            self.assertEqual(frame.stampAt, VIDEO_STAMP)
            self.assertEqual(frame.message.payload[VIDEO_STAMP : VIDEO_STAMP + STAMP_SIZE], bytes(STAMP_SIZE))

    def test_sounds(self) -> None:
        """A sound has room for the stamp in a data stream element."""
        sound = next(frame for frame in self.frames if frame.kind is Kind.SOUND)
        self.assertEqual(sound.message.payload[:AUDIO_STAMP], bytes((0xAF, 1, 0x81, STAMP_SIZE)))
        self.assertEqual(sound.stampAt, AUDIO_STAMP)

    def test_laterGroup(self) -> None:
        """Another group is the same, but later."""
        later = groupOfPictures(Format(), 1, 2.0)
        self.assertEqual([f.message.payload for f in later], [f.message.payload for f in self.frames])
        self.assertEqual(later[0].message.timestamp, 2000)
        self.assertEqual([f.due for f in later], [f.due for f in self.frames])


class HeaderTests(SynchronousTestCase):
    def test_headers(self) -> None:
        """Metadata, and the headers of both codecs, on the stream that the server has given."""
        metadata, video, audio = streamHeaders(Format(2.5e6), 5)
        self.assertEqual({message.streamId for message in (metadata, video, audio)}, {5})
        name, event, values = decode(metadata.payload)
        self.assertEqual((name, event), ("@setDataFrame", "onMetaData"))
        assert isinstance(values, dict)
        self.assertEqual(values["videodatarate"], 2500.0)
        self.assertEqual((video.type, audio.type), (MessageType.VIDEO, MessageType.AUDIO))
        self.assertTrue(classify(video.type, video.payload).isHeader)
        self.assertTrue(classify(audio.type, audio.payload).isHeader)
