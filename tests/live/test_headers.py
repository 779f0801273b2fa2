"""Tests for L{rtmptw.live.headers}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.live.headers import MAX_HEADER_SIZE, MAX_HEADERS, HeaderCache
from rtmptw.wire.message import Message, MessageType
from tests.live.doubles import (
    audio,
    content,
    inter,
    key,
    metadata,
    pictureHeader,
    sound,
    soundHeader,
    video,
)

#: "hvc1", "av01" and "Opus" as hex.
HVC1, AV01, OPUS = "68766331", "61763031", "4f707573"


class HeaderCacheTests(SynchronousTestCase):
    """What is remembered, and what is not."""

    def setUp(self) -> None:
        """Nothing is known."""
        self.cache = HeaderCache()

    def see(self, *messages: Message) -> None:
        """Look at messages as a stream does."""
        for message in messages:
            if message.type == MessageType.DATA:
                self.cache.seeData(message)
            else:
                self.cache.see(message)

    def assertKept(self, *messages: Message) -> None:
        """Assert that these are kept, in this order."""
        self.assertEqual(
            [(message.type, message.payload) for message in self.cache.messages(0)],
            [(message.type, message.payload) for message in messages],
        )

    def test_nothing(self) -> None:
        """Frames are no headers, nor is an empty message or one that nobody understands."""
        self.see(key(), inter(), sound(), video(""), audio(""), video("ff"), audio("9f"), video("1702000000"))
        self.assertKept()
        self.assertEqual(self.cache.changes, 0)

    def test_order(self) -> None:
        """Metadata first, whenever it came; then the others as they came."""
        self.see(soundHeader(), pictureHeader(), metadata())
        self.assertKept(metadata(), soundHeader(), pictureHeader())

    def test_78_time(self) -> None:
        """
        Conformance 78: headers have the time of the frame that follows, not the one at which they came, and are
        otherwise the same.
        """
        self.see(metadata(0), pictureHeader(0), soundHeader(3))
        for timestamp in (0, 40, 0xFFFFFF, 0x1000001, 0xFFFFFFFF):
            headers = self.cache.messages(timestamp)
            self.assertEqual(
                content(headers), content([metadata(timestamp), pictureHeader(timestamp), soundHeader(timestamp)])
            )
            self.assertEqual([header.chunkStreamId for header in headers], [5, 6, 4])

    def test_newest(self) -> None:
        """The newest of a kind is kept; whether it is another is told and counted."""
        self.assertFalse(self.cache.see(pictureHeader(0, b"1")))
        self.assertEqual(self.cache.changes, 1)
        self.assertFalse(self.cache.see(pictureHeader(50, b"1")))
        self.assertEqual(self.cache.changes, 1)
        self.assertFalse(self.cache.see(soundHeader()))
        self.assertEqual(self.cache.changes, 2)
        self.assertTrue(self.cache.see(pictureHeader(90, b"2")))
        self.assertEqual(self.cache.changes, 3)
        self.assertKept(soundHeader(), pictureHeader(90, b"2"))

    def test_metadata(self) -> None:
        """Of the metadata the newest is kept, and a change counts; other data is not kept."""
        self.see(metadata(width=640.0))
        self.see(metadata(width=640.0))
        self.assertEqual(self.cache.changes, 1)
        self.see(metadata(width=1280.0), Message(MessageType.DATA, 0, 1, b"\2\0\x0aonTextData\5"))
        self.assertEqual(self.cache.changes, 2)
        self.assertKept(metadata(width=1280.0))

    def test_forgetData(self) -> None:
        """What the publisher takes back is not sent any more; other names mean nothing."""
        self.see(metadata(), soundHeader())
        self.cache.forgetData("onTextData")
        self.assertKept(metadata(), soundHeader())
        self.cache.forgetData("onMetaData")
        self.assertKept(soundHeader())
        self.cache.forgetData("onMetaData")

    def test_77_kinds(self) -> None:
        """Conformance 77: every track's SequenceStart, MultichannelConfig and colour metadata, old form and new."""
        headers = [
            metadata(),
            pictureHeader(),
            soundHeader(),
            video(f"9600{HVC1}01", body=b"hvcC of track 1"),
            video(f"9600{AV01}02", body=b"av1C of track 2"),
            audio(f"9500{OPUS}01", body=b"OpusHead of track 1"),
            audio(f"94{OPUS}", body=b"channels"),
            video(f"d4{HVC1}", body=b"colour from FFmpeg"),
            video(f"84{AV01}", body=b"colour from OBS"),
        ]
        self.see(*headers, key(), sound(), video(f"9601{HVC1}01000000", body=b"keyframe of track 1"))
        self.assertKept(*headers)

    def test_manyTracks(self) -> None:
        """One message that is the header of two tracks is sent once."""
        both = video(f"9610{HVC1}00000001aa01000001bb")
        self.see(both)
        self.assertKept(both)
        other = video(f"9600{HVC1}01", body=b"cc")
        self.see(other)
        self.assertKept(both, other)

    def test_bounded(self) -> None:
        """A peer can't make us keep many headers: tracks over the limit are not kept, but known ones are renewed."""
        for track in range(256):
            self.see(video(f"9600{HVC1}{track:02x}", body=b"1"))
        self.assertEqual(len(self.cache.messages(0)), MAX_HEADERS)
        self.see(video(f"9600{HVC1}00", body=b"2"))
        headers = self.cache.messages(0)
        self.assertEqual(len(headers), MAX_HEADERS)
        self.assertEqual(headers[-1].payload[-1:], b"2")

    def test_tooLarge(self) -> None:
        """A header of megabytes is passed on, but not kept."""
        large = bytes(MAX_HEADER_SIZE)
        self.assertFalse(self.cache.see(pictureHeader(0, large)))
        self.see(metadata(title="x" * MAX_HEADER_SIZE))
        self.assertKept()
        self.assertEqual(self.cache.changes, 0)
        fitting = pictureHeader(0, large[5:])
        self.see(fitting)
        self.assertKept(fitting)

    def test_tooLargeReplaces(self) -> None:
        """The one that it replaces is not kept either: it is not what the stream is like now."""
        self.see(metadata(), pictureHeader(), soundHeader())
        changes = self.cache.changes
        self.see(metadata(title="x" * MAX_HEADER_SIZE))
        self.assertKept(pictureHeader(), soundHeader())
        self.assertTrue(self.cache.see(pictureHeader(40, bytes(MAX_HEADER_SIZE))))
        self.assertKept(soundHeader())
        self.assertEqual(self.cache.changes, changes + 2)
        self.see(metadata(title="x" * MAX_HEADER_SIZE), pictureHeader(40, bytes(MAX_HEADER_SIZE)))
        self.assertEqual(self.cache.changes, changes + 2)
        self.see(metadata(), pictureHeader())
        self.assertKept(metadata(), soundHeader(), pictureHeader())
        self.assertEqual(self.cache.changes, changes + 4)
