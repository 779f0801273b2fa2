"""Tests for L{rtmptw.wire.media} and L{rtmptw.wire.enhanced}."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.wire.enhanced import FOURCCS, MAX_MOD_EX, MAX_TRACKS
from rtmptw.wire.media import (
    AudioPacketType,
    FrameType,
    HeaderKey,
    MediaKind,
    Multitrack,
    Track,
    VideoPacketType,
    classify,
    describe,
    headerKeys,
)

CAPTURES = Path(__file__).parent.parent / "captures"
AUDIO, VIDEO, DATA = 8, 9, 18
BODY = b"0123456789abcdef"

SEQUENCE_HEADER = MediaKind.SEQUENCE_HEADER
CONFIGURATION = MediaKind.CONFIGURATION
COLOR_INFO = MediaKind.COLOR_INFO
KEYFRAME = MediaKind.KEYFRAME
INTERFRAME = MediaKind.INTERFRAME
SOUND = MediaKind.AUDIO
END = MediaKind.END
COMMAND = MediaKind.COMMAND
UNKNOWN = MediaKind.UNKNOWN

#: What precedes the body (hex, or text between quotes), what it is, its codec, its composition time.
SINGLE_TRACK: list[tuple[int, str, MediaKind, str, int]] = [
    (VIDEO, "17 00 000000", SEQUENCE_HEADER, "avc1", 0),
    (VIDEO, "27 00 000000", SEQUENCE_HEADER, "avc1", 0),
    (VIDEO, "17 01 000050", KEYFRAME, "avc1", 80),
    (VIDEO, "27 01 ffffd8", INTERFRAME, "avc1", -40),
    (VIDEO, "37 01 800000", INTERFRAME, "avc1", -0x800000),
    (VIDEO, "47 01 7fffff", KEYFRAME, "avc1", 0x7FFFFF),
    (VIDEO, "17 02 000000", END, "avc1", 0),
    (VIDEO, "27 02 000000", END, "avc1", 0),
    (VIDEO, "1c 00 000000", SEQUENCE_HEADER, "hvc1", 0),
    (VIDEO, "1c 01 000028", KEYFRAME, "hvc1", 40),
    (VIDEO, "2c 01 000000", INTERFRAME, "hvc1", 0),
    (VIDEO, "1c 02 000000", END, "hvc1", 0),
    (VIDEO, "11", KEYFRAME, "JPEG", 0),
    (VIDEO, "12", KEYFRAME, "H.263", 0),
    (VIDEO, "22", INTERFRAME, "H.263", 0),
    (VIDEO, "32", INTERFRAME, "H.263", 0),
    (VIDEO, "13", KEYFRAME, "Screen", 0),
    (VIDEO, "24", INTERFRAME, "VP6", 0),
    (VIDEO, "15", KEYFRAME, "VP6 alpha", 0),
    (VIDEO, "16", KEYFRAME, "Screen 2", 0),
    (VIDEO, "2f", INTERFRAME, "video codec 15", 0),
    (AUDIO, "af 00", SEQUENCE_HEADER, "mp4a", 0),
    (AUDIO, "af 01", SOUND, "mp4a", 0),
    (AUDIO, "a2 01", SOUND, "mp4a", 0),
    (AUDIO, "0e", SOUND, "PCM", 0),
    (AUDIO, "1e", SOUND, "ADPCM", 0),
    (AUDIO, "2f", SOUND, ".mp3", 0),
    (AUDIO, "3e", SOUND, "PCM little endian", 0),
    (AUDIO, "42", SOUND, "Nellymoser 16 kHz", 0),
    (AUDIO, "52", SOUND, "Nellymoser 8 kHz", 0),
    (AUDIO, "6a", SOUND, "Nellymoser", 0),
    (AUDIO, "72", SOUND, "G.711 A-law", 0),
    (AUDIO, "82", SOUND, "G.711 mu-law", 0),
    (AUDIO, "b2", SOUND, "speex", 0),
    (AUDIO, "d2", SOUND, "audio format 13", 0),
    (AUDIO, "e2", SOUND, ".mp3", 0),
    (AUDIO, "f2", SOUND, "device specific", 0),
    (VIDEO, "90 'hvc1'", SEQUENCE_HEADER, "hvc1", 0),
    (VIDEO, "91 'hvc1' 000028", KEYFRAME, "hvc1", 40),
    (VIDEO, "a1 'hvc1' fffffe", INTERFRAME, "hvc1", -2),
    (VIDEO, "a1 'avc1' 000001", INTERFRAME, "avc1", 1),
    (VIDEO, "c1 'vvc1' 000001", KEYFRAME, "vvc1", 1),
    (VIDEO, "a3 'hvc1'", INTERFRAME, "hvc1", 0),
    (VIDEO, "93 'hvc1'", KEYFRAME, "hvc1", 0),
    (VIDEO, "b3 'hvc1'", INTERFRAME, "hvc1", 0),
    (VIDEO, "91 'av01'", KEYFRAME, "av01", 0),
    (VIDEO, "a1 'av01'", INTERFRAME, "av01", 0),
    (VIDEO, "91 'vp09'", KEYFRAME, "vp09", 0),
    (VIDEO, "a1 'vp08'", INTERFRAME, "vp08", 0),
    (VIDEO, "91 'new1'", KEYFRAME, "new1", 0),
    (VIDEO, "91 000102ff", KEYFRAME, "0x000102ff", 0),
    (VIDEO, "92 'hvc1'", END, "hvc1", 0),
    (VIDEO, "a2 'av01'", END, "av01", 0),
    (VIDEO, "95 'av01'", SEQUENCE_HEADER, "av01", 0),
    (VIDEO, "d4 'hvc1'", COLOR_INFO, "hvc1", 0),
    (VIDEO, "84 'hvc1'", COLOR_INFO, "hvc1", 0),
    (VIDEO, "94 'av01'", COLOR_INFO, "av01", 0),
    (AUDIO, "90 'Opus'", SEQUENCE_HEADER, "Opus", 0),
    (AUDIO, "91 'Opus'", SOUND, "Opus", 0),
    (AUDIO, "91 'avc1'", SOUND, "avc1", 0),
    (AUDIO, "92 'fLaC'", END, "fLaC", 0),
    (AUDIO, "94 'Opus'", CONFIGURATION, "Opus", 0),
]

#: Payload, what it is, how the tracks are held, and each track's ID, codec, body and composition time.
MULTI_TRACK: list[tuple[int, str, MediaKind, Multitrack, list[tuple[int, str, str, int]]]] = [
    (VIDEO, "96 00 'hvc1' 01 'config'", SEQUENCE_HEADER, Multitrack.ONE_TRACK, [(1, "hvc1", "config", 0)]),
    (VIDEO, "96 01 'hvc1' 01 000028 'frame'", KEYFRAME, Multitrack.ONE_TRACK, [(1, "hvc1", "frame", 40)]),
    (VIDEO, "a6 03 'hvc1' ff 'frame'", INTERFRAME, Multitrack.ONE_TRACK, [(255, "hvc1", "frame", 0)]),
    (VIDEO, "96 02 'av01' 02", END, Multitrack.ONE_TRACK, [(2, "av01", "", 0)]),
    (VIDEO, "96 05 'av01' 02 'ts'", SEQUENCE_HEADER, Multitrack.ONE_TRACK, [(2, "av01", "ts", 0)]),
    (VIDEO, "d6 04 'hvc1' 01 'amf'", COLOR_INFO, Multitrack.ONE_TRACK, [(1, "hvc1", "amf", 0)]),
    (VIDEO, "86 04 'hvc1' 01 'amf and more'", COLOR_INFO, Multitrack.ONE_TRACK, [(1, "hvc1", "amf and more", 0)]),
    (AUDIO, "95 00 'Opus' 01 'OpusHead'", SEQUENCE_HEADER, Multitrack.ONE_TRACK, [(1, "Opus", "OpusHead", 0)]),
    (AUDIO, "95 01 'Opus' 01 'sound'", SOUND, Multitrack.ONE_TRACK, [(1, "Opus", "sound", 0)]),
    (AUDIO, "95 04 'Opus' 01 'order'", CONFIGURATION, Multitrack.ONE_TRACK, [(1, "Opus", "order", 0)]),
    (
        VIDEO,
        "96 10 'hvc1' 00 000001 'A' 01 000002 'BB' 07 000000",
        SEQUENCE_HEADER,
        Multitrack.MANY_TRACKS,
        [(0, "hvc1", "A", 0), (1, "hvc1", "BB", 0), (7, "hvc1", "", 0)],
    ),
    (
        VIDEO,
        "a6 11 'avc1' 00 000004 000028 'A' 01 000005 fffff6 'BB'",
        INTERFRAME,
        Multitrack.MANY_TRACKS,
        [(0, "avc1", "A", 40), (1, "avc1", "BB", -10)],
    ),
    (
        VIDEO,
        "96 21 'hvc1' 00 000005 000028 'AA' 'av01' 01 000003 'BBB'",
        KEYFRAME,
        Multitrack.MANY_TRACKS_MANY_CODECS,
        [(0, "hvc1", "AA", 40), (1, "av01", "BBB", 0)],
    ),
    (
        AUDIO,
        "95 20 'Opus' 00 000002 'OH' 'fLaC' 01 000002 'fL'",
        SEQUENCE_HEADER,
        Multitrack.MANY_TRACKS_MANY_CODECS,
        [(0, "Opus", "OH", 0), (1, "fLaC", "fL", 0)],
    ),
]

#: Payloads that nobody can make sense of, and the words for it.
MALFORMED: list[tuple[int, str, str]] = [
    (VIDEO, "17", "cut in the packet type (at byte 1)"),
    (VIDEO, "17 01 0000", "cut in the composition time (at byte 2)"),
    (VIDEO, "17 00", "cut in the composition time (at byte 2)"),
    (VIDEO, "17 03 000000 '0123456789'", "unknown packet type 3 (at byte 1)"),
    (VIDEO, "57", "cut in the video command (at byte 1)"),
    (VIDEO, "02 '0123456789'", "reserved frame type 0 (at byte 0)"),
    (VIDEO, "67 01 000000 '0123456789'", "reserved frame type 6 (at byte 0)"),
    (AUDIO, "af", "cut in the packet type (at byte 1)"),
    (AUDIO, "af 02 '0123456789'", "unknown packet type 2 (at byte 1)"),
    (VIDEO, "81 'av01' '0123456789'", "reserved frame type 0 (at byte 0)"),
    (VIDEO, "e3 'av01' '0123456789'", "reserved frame type 6 (at byte 0)"),
    (VIDEO, "f6 03 'av01' 01 '0123456789'", "reserved frame type 7 (at byte 0)"),
    (VIDEO, "98 'hvc1' '0123456789'", "unknown packet type 8 (at byte 0)"),
    (AUDIO, "93 'Opus' '0123456789'", "unknown packet type 3 (at byte 0)"),
    (AUDIO, "96 'Opus' '0123456789'", "unknown packet type 6 (at byte 0)"),
    (VIDEO, "91", "cut in the FourCC (at byte 1)"),
    (VIDEO, "91 'hvc'", "cut in the FourCC (at byte 1)"),
    (VIDEO, "91 'hvc1' 0000", "cut in the composition time (at byte 5)"),
    (VIDEO, "d0", "cut in the video command (at byte 1)"),
    (VIDEO, "96", "cut in the multitrack byte (at byte 1)"),
    (VIDEO, "d6", "cut in the video command (at byte 1)"),
    (VIDEO, "96 30 'hvc1' 01 '0123456789'", "unknown multitrack type 3 (at byte 1)"),
    (VIDEO, "96 06 'hvc1' 01 '0123456789'", "MULTITRACK inside of multitrack (at byte 1)"),
    (VIDEO, "96 17 'hvc1' 01 '0123456789'", "MOD_EX inside of multitrack (at byte 1)"),
    (AUDIO, "95 05 'Opus' 01 '0123456789'", "MULTITRACK inside of multitrack (at byte 1)"),
    (AUDIO, "95 03 'Opus' 01 '0123456789'", "unknown packet type 3 (at byte 1)"),
    (VIDEO, "96 00 'hvc1'", "cut in the track ID (at byte 6)"),
    (VIDEO, "96 10 'hvc1'", "cut in the track ID (at byte 6)"),
    (VIDEO, "96 10 'hvc1' 01 0000", "cut in the track size (at byte 7)"),
    (VIDEO, "96 10 'hvc1' 01 000003 'AB'", "cut in the body of track 1 (at byte 10)"),
    (VIDEO, "96 11 'hvc1' 01 000002 'ABCDEF'", "cut in the composition time (at byte 10)"),
    (VIDEO, "96 20 'hvc1' 01 000001 'A' 'hv'", "cut in the FourCC (at byte 11)"),
    (VIDEO, "97", "cut in the ModEx size (at byte 1)"),
    (VIDEO, "97 ff 00", "cut in the ModEx size (at byte 2)"),
    (VIDEO, "97 02 000001", "cut in the ModEx data (at byte 2)"),
    (AUDIO, "97 ff ffff '0123456789'", "cut in the ModEx data (at byte 4)"),
]


def fromText(text: str) -> bytes:
    """Bytes from hex digits and, between quotes, ASCII."""
    parts = text.split("'")
    return b"".join(part.encode() if index % 2 else bytes.fromhex(part) for index, part in enumerate(parts))


def everyPayload() -> Iterator[tuple[int, bytes]]:
    """Every well-formed payload of the tables above."""
    for messageType, head, *_ in SINGLE_TRACK:
        yield messageType, fromText(head) + BODY
    for messageType, text, *_ in MULTI_TRACK:
        yield messageType, fromText(text)


class MediaKindTests(SynchronousTestCase):
    """What follows from a kind."""

    def test_attributes(self) -> None:
        """Three kinds are headers, one is a keyframe, three are frames."""
        self.assertEqual({kind for kind in MediaKind if kind.isHeader}, {SEQUENCE_HEADER, CONFIGURATION, COLOR_INFO})
        self.assertEqual({kind for kind in MediaKind if kind.isKeyframe}, {KEYFRAME})
        self.assertEqual({kind for kind in MediaKind if kind.isFrame}, {KEYFRAME, INTERFRAME, SOUND})


class DescribeTests(SynchronousTestCase):
    """Everything a header tells."""

    def test_singleTrack(self) -> None:
        """All forms with one track, with a body and without, described and classified."""
        for messageType, head, kind, codec, compositionTime in SINGLE_TRACK:
            start = len(fromText(head))
            for body in (BODY, b""):
                payload = fromText(head) + body
                tag = describe(messageType, payload)
                track = Track(0, codec, start, len(payload), compositionTime)
                self.assertEqual((tag.kind, tag.tracks, tag.error), (kind, (track,), ""), head)
                self.assertEqual((tag.codec, tag.compositionTime), (codec, compositionTime), head)
                self.assertEqual((tag.multitrack, tag.nanoseconds), (None, 0), head)
                self.assertIs(classify(messageType, payload), kind, head)

    def test_multitrack(self) -> None:
        """All three ways to hold tracks: each track's bytes are where the description says."""
        for messageType, text, kind, multitrack, tracks in MULTI_TRACK:
            payload = fromText(text)
            tag = describe(messageType, payload)
            found = [(t.id, t.codec, payload[t.start : t.end].decode(), t.compositionTime) for t in tag.tracks]
            self.assertEqual((tag.kind, tag.multitrack, found, tag.error), (kind, multitrack, tracks, ""), text)
            self.assertEqual((tag.codec, tag.compositionTime), (tracks[0][1], tracks[0][3]), text)
            self.assertTrue(tag.isEnhanced, text)
            self.assertIs(classify(messageType, payload), kind, text)

    def test_types(self) -> None:
        """The packet type behind multitrack, the frame type behind bit 7, and the form are told."""
        for messageType, text, isEnhanced, packetType, frameType in [
            (VIDEO, "17 00 000000", False, VideoPacketType.SEQUENCE_START, FrameType.KEY),
            (VIDEO, "22 00", False, None, FrameType.INTER),
            (VIDEO, "52 00", False, None, FrameType.COMMAND),
            (AUDIO, "af 01", False, AudioPacketType.CODED_FRAMES, None),
            (AUDIO, "2f 01", False, None, None),
            (VIDEO, "b3 'hvc1'", True, VideoPacketType.CODED_FRAMES_X, FrameType.DISPOSABLE_INTER),
            (VIDEO, "96 01 'av01' 01", True, VideoPacketType.CODED_FRAMES, FrameType.KEY),
            (AUDIO, "95 14 'Opus' 01 000000", True, AudioPacketType.MULTICHANNEL_CONFIG, None),
        ]:
            tag = describe(messageType, fromText(text))
            self.assertEqual((tag.isEnhanced, tag.packetType, tag.frameType), (isEnhanced, packetType, frameType), text)

    def test_command(self) -> None:
        """Frame type 5 is a seek command, whatever the packet type says, unless that is Metadata."""
        for text in "57 00", "52 01", "5c 00", "d0 00", "d1 01", "d2 00", "d6 00", "d6 01", "d7 00 00 00 00", "d9 00":
            for body in b"", BODY:
                payload = fromText(text) + body
                tag = describe(VIDEO, payload)
                self.assertEqual((tag.kind, tag.tracks, tag.error), (COMMAND, (), ""), text)
                self.assertIs(classify(VIDEO, payload), COMMAND, text)

    def test_empty(self) -> None:
        """No bytes at all: well formed, and nothing."""
        for messageType in AUDIO, VIDEO:
            tag = describe(messageType, b"")
            self.assertEqual((tag.kind, tag.tracks, tag.error), (MediaKind.EMPTY, (), ""))
            self.assertIs(classify(messageType, b""), MediaKind.EMPTY)
            self.assertEqual(headerKeys(messageType, b""), ())

    def test_endWithoutCompositionTime(self) -> None:
        """An end of sequence is one even if it stops behind its packet type; a part of a time is no time."""
        for text in "17 02", "27 02 ff", "1c 02 ffff":
            tag = describe(VIDEO, fromText(text))
            self.assertEqual((tag.kind, tag.compositionTime, tag.error), (END, 0, ""), text)

    def test_otherMessageTypes(self) -> None:
        """Only audio and video can be told apart."""
        for payload in b"", b"\x17\x01", BODY:
            tag = describe(DATA, payload)
            self.assertEqual(tag.error, "message type 18 is neither audio nor video")
            self.assertEqual((tag.kind, classify(DATA, payload), headerKeys(DATA, payload)), (UNKNOWN, UNKNOWN, ()))

    def test_malformed(self) -> None:
        """What is wrong is said, with its place; nothing is raised, nothing is a header."""
        for messageType, text, error in MALFORMED:
            payload = fromText(text)
            tag = describe(messageType, payload)
            self.assertEqual((tag.kind, tag.tracks, tag.error), (UNKNOWN, (), error), text)
            self.assertIs(classify(messageType, payload), UNKNOWN, text)
            self.assertEqual(headerKeys(messageType, payload), (), text)


class ModExTests(SynchronousTestCase):
    """ModEx before the header (conformance 85)."""

    def test_nanoseconds(self) -> None:
        """A time offset is read, behind it the header goes on as ever."""
        tag = describe(VIDEO, fromText("97 02 0f423f 01 'hvc1' 000028 'body'"))
        self.assertEqual((tag.nanoseconds, tag.kind, tag.compositionTime), (999_999, KEYFRAME, 40))
        self.assertEqual(tag.tracks, (Track(0, "hvc1", 13, 17, 40),))
        tag = describe(AUDIO, fromText("97 02 000001 00 'Opus' 'body'"))
        self.assertEqual((tag.nanoseconds, tag.kind, tag.packetType), (1, SEQUENCE_HEADER, 0))

    def test_uselessOffsets(self) -> None:
        """An offset that is too large or too short counts for nothing, and an unknown ModEx is skipped."""
        for modEx in "02 0f4240 01", "01 0001 01", "02 000001 11", "00 ff f1":
            tag = describe(VIDEO, fromText(f"97 {modEx} 'av01' 'body'"))
            self.assertEqual((tag.nanoseconds, tag.kind, tag.error), (0, KEYFRAME, ""), modEx)

    def test_sizeEscape(self) -> None:
        """A size of 256 means: read another, of 16 bits."""
        for size, encoded in (1, "00"), (255, "fe"), (256, "ff00ff"), (1, "ff0000"), (300, "ff012b"), (65536, "ffffff"):
            data = bytes((0, 0, 7)).ljust(size, b"\x55")[:size]
            payload = b"\xa7" + bytes.fromhex(encoded) + data + fromText("03 'hvc1' 'body'")
            tag = describe(VIDEO, payload)
            self.assertEqual((tag.kind, tag.nanoseconds), (INTERFRAME, 7 if size >= 3 else 0), size)
            self.assertEqual([payload[t.start : t.end] for t in tag.tracks], [b"body"], size)
            self.assertIs(classify(VIDEO, payload), INTERFRAME, size)

    def test_chain(self) -> None:
        """ModEx may follow ModEx, multitrack may follow, and colour metadata is still told from a command."""
        tag = describe(VIDEO, fromText("97 00 aa 17 02 000005 07 01 bbbb 16 00 'hvc1' 03 'config'"))
        self.assertEqual((tag.kind, tag.nanoseconds, tag.multitrack), (SEQUENCE_HEADER, 5, Multitrack.ONE_TRACK))
        self.assertEqual(tag.tracks, (Track(3, "hvc1", 19, 25),))
        for first in "d7", "87", "97":
            self.assertIs(classify(VIDEO, fromText(f"{first} 02 000005 04 'hvc1' 'amf'")), COLOR_INFO)

    def test_B21_modExChain(self) -> None:
        """A chain is followed up to its limit, and given up beyond it."""
        step = bytes((0, 0xAA, 0x17))
        end = fromText("00 aa 11 'av01' 'body'")
        self.assertIs(classify(VIDEO, b"\x97" + step * (MAX_MOD_EX - 1) + end), KEYFRAME)
        tag = describe(VIDEO, b"\x97" + step * MAX_MOD_EX + end)
        self.assertEqual((tag.kind, tag.error), (UNKNOWN, "more than 64 ModEx in a chain (at byte 193)"))


class HostileTests(SynchronousTestCase):
    """Bad input, row B21."""

    def test_B21_cutEverywhere(self) -> None:
        """Cut at any byte, a payload is unknown until its header is whole; then it is what it always was."""
        for messageType, payload in everyPayload():
            whole = describe(messageType, payload)
            for size in range(1, len(payload)):
                cut = payload[:size]
                tag = describe(messageType, cut)
                self.assertIs(classify(messageType, cut), tag.kind)
                if tag.kind is not UNKNOWN:
                    self.assertIs(tag.kind, whole.kind, cut)
                    self.assertEqual(tag.error, "")
                    self.assertNotEqual(tag.tracks, ())
                else:
                    self.assertNotEqual(tag.error, "")

    def test_B21_cutHeaderIsUnknown(self) -> None:
        """Cut inside of its header, an ordinary frame or header is unknown."""
        for messageType, head, kind, *_ in SINGLE_TRACK:
            if kind is not END:
                for size in range(1, len(fromText(head))):
                    self.assertIs(classify(messageType, fromText(head)[:size]), UNKNOWN, head)

    def test_B21_shortTags(self) -> None:
        """Every payload of one or two bytes has an answer, the same from both."""
        for messageType in AUDIO, VIDEO:
            for first in range(256):
                for payload in [bytes((first,))] + [bytes((first, second)) for second in range(0, 256, 5)]:
                    tag = describe(messageType, payload)
                    self.assertIs(classify(messageType, payload), tag.kind)
                    self.assertEqual(bool(tag.error), tag.kind is UNKNOWN)

    def test_B21_tracks(self) -> None:
        """As many tracks as there are IDs, and no more."""
        track = bytes(4)
        tag = describe(VIDEO, fromText("96 10 'av01'") + track * MAX_TRACKS)
        self.assertEqual((tag.kind, len(tag.tracks)), (SEQUENCE_HEADER, MAX_TRACKS))
        tag = describe(VIDEO, fromText("96 10 'av01'") + track * (MAX_TRACKS + 1))
        self.assertEqual((tag.kind, tag.error), (UNKNOWN, "more than 256 tracks (at byte 1030)"))

    def test_B21_timePerTag(self) -> None:
        """The worst payloads, 16 MB of them, cost what their limits allow: a fixed number of steps."""
        worst = [
            (VIDEO, b"\x97" + bytes((0, 0xAA, 0x17)) * 5_000_000),
            (VIDEO, fromText("96 20") + fromText("'hvc1' 01 000000") * 2_000_000),
            (AUDIO, fromText("95 10 'Opus'") + bytes(16_000_000)),
        ]
        for messageType, payload in worst:
            started = perf_counter()
            self.assertIs(classify(messageType, payload), UNKNOWN)
            # Without the limits this would take seconds; the bound is generous, for slow machines.
            self.assertLess(perf_counter() - started, 0.2)

    def test_firstTwoBytes(self) -> None:
        """The tables of the hot path agree with the description for every pair of first bytes."""
        for messageType in AUDIO, VIDEO:
            for first in range(256):
                for second in (*range(0x30), 0x61, 0xFF):
                    payload = bytes((first, second)) + b"\x00\x00\x01hvc1\x00\x00\x03abc"
                    self.assertIs(classify(messageType, payload), describe(messageType, payload).kind, payload)

    @given(st.sampled_from((AUDIO, VIDEO)), st.binary(max_size=60))
    @settings(deadline=None, max_examples=300)
    def test_anyBytes(self, messageType: int, payload: bytes) -> None:
        """Any bytes at all: never an exception, always one answer, and tracks lie inside of the payload in order."""
        self.checkTag(messageType, payload)

    @given(
        st.sampled_from((AUDIO, VIDEO)),
        st.sampled_from((0x90, 0x91, 0x95, 0x96, 0x97, 0xA1, 0xD6, 0xD7)),
        st.lists(
            st.one_of(
                st.sampled_from([b"hvc1", b"Opus", b"\0\0\3", b"\x02\0\0\7\x16", b"\x10", b"\x21", b"\xff\0\4"]),
                st.binary(max_size=3),
            ),
            max_size=12,
        ),
    )
    @settings(deadline=None, max_examples=300)
    def test_anyEnhancedParts(self, messageType: int, first: int, parts: list[bytes]) -> None:
        """The same for bytes that look like enhanced headers, which random bytes seldom do."""
        self.checkTag(messageType, bytes((first,)) + b"".join(parts))

    def checkTag(self, messageType: int, payload: bytes) -> None:
        """What holds for every payload."""
        tag = describe(messageType, payload)
        self.assertIs(classify(messageType, payload), tag.kind)
        self.assertEqual(bool(tag.error), tag.kind is UNKNOWN)
        self.assertEqual(bool(tag.tracks), tag.kind not in (UNKNOWN, COMMAND, MediaKind.EMPTY))
        self.assertEqual(bool(headerKeys(messageType, payload)), tag.kind.isHeader)
        place = 0
        for track in tag.tracks:
            self.assertTrue(place <= track.start <= track.end <= len(payload), tag)
            place = track.end


class HeaderKeysTests(SynchronousTestCase):
    """What a late joiner needs (conformance 77)."""

    def test_keys(self) -> None:
        """Audio and video, the three roles, the track, and for colour metadata the FourCC make different keys."""
        for messageType, text, keys in [
            (VIDEO, "17 00 000000 'config'", [(SEQUENCE_HEADER, 0, "")]),
            (VIDEO, "1c 00 000000 'config'", [(SEQUENCE_HEADER, 0, "")]),
            (VIDEO, "90 'hvc1' 'config'", [(SEQUENCE_HEADER, 0, "")]),
            (VIDEO, "95 'av01' 'ts'", [(SEQUENCE_HEADER, 0, "")]),
            (VIDEO, "96 00 'hvc1' 01 'config'", [(SEQUENCE_HEADER, 1, "")]),
            (VIDEO, "d4 'hvc1' 'amf'", [(COLOR_INFO, 0, "hvc1")]),
            (VIDEO, "84 'av01' 'amf'", [(COLOR_INFO, 0, "av01")]),
            (VIDEO, "86 04 'hvc1' 02 'amf'", [(COLOR_INFO, 2, "hvc1")]),
            (AUDIO, "af 00 1210", [(SEQUENCE_HEADER, 0, "")]),
            (AUDIO, "90 'Opus' 'OpusHead'", [(SEQUENCE_HEADER, 0, "")]),
            (AUDIO, "90 'ac-3'", [(SEQUENCE_HEADER, 0, "")]),
            (AUDIO, "94 'Opus' 'order'", [(CONFIGURATION, 0, "")]),
            (AUDIO, "95 04 'Opus' 01 'order'", [(CONFIGURATION, 1, "")]),
            (AUDIO, "97 02 000001 00 'Opus' 'OpusHead'", [(SEQUENCE_HEADER, 0, "")]),
            (VIDEO, "96 10 'hvc1' 00 000001 'A' 01 000001 'B'", [(SEQUENCE_HEADER, 0, ""), (SEQUENCE_HEADER, 1, "")]),
            (VIDEO, "96 10 'hvc1' 01 000001 'A' 01 000001 'B'", [(SEQUENCE_HEADER, 1, "")]),
        ]:
            expected = tuple(HeaderKey(messageType, *key) for key in keys)
            self.assertEqual(headerKeys(messageType, fromText(text)), expected, text)

    def test_noKeys(self) -> None:
        """Frames, ends and commands are nothing to remember."""
        for messageType, payload in everyPayload():
            isHeader = describe(messageType, payload).kind.isHeader
            self.assertEqual(bool(headerKeys(messageType, payload)), isHeader, payload)
        for text in "17 02 000000", "27 02", "92 'hvc1'", "96 02 'hvc1' 01", "d0 00", "91 'hvc1' 000000 'frame'":
            self.assertEqual(headerKeys(VIDEO, fromText(text)), (), text)

    def test_inventedFourCCs(self) -> None:
        """However many FourCCs a publisher invents, one track's colour metadata has few keys."""
        keys = {headerKeys(VIDEO, b"\xd4" + number.to_bytes(4) + BODY) for number in range(0, 2**32, 2**22)}
        self.assertEqual(keys, {(HeaderKey(VIDEO, COLOR_INFO, 0, "other"),)})
        keys = {headerKeys(VIDEO, b"\xd4" + code.encode() + BODY) for code in FOURCCS}
        self.assertEqual(len(keys), len(FOURCCS))

    @given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True), max_size=12))
    @settings(deadline=None, max_examples=200)
    def test_lateJoiner(self, history: list[list[int]]) -> None:
        """
        Whoever gets the remembered messages knows of every track what one who was there from the start knows.

        Each message of C{history} holds a new header for some tracks.
        """
        cache: dict[HeaderKey, bytes] = {}
        early: dict[int, bytes] = {}
        for number, tracks in enumerate(history):
            payload = fromText("96 10 'hvc1'") + b"".join(bytes((track, 0, 0, 1, number)) for track in tracks)
            self.apply(early, payload)
            for key in headerKeys(VIDEO, payload):
                cache.pop(key, None)
                cache[key] = payload
        late: dict[int, bytes] = {}
        for payload in dict.fromkeys(cache.values()):
            self.apply(late, payload)
        self.assertEqual(late, early)

    def apply(self, decoder: dict[int, bytes], payload: bytes) -> None:
        """What a player does with headers."""
        for track in describe(VIDEO, payload).tracks:
            decoder[track.id] = payload[track.start : track.end]


class CaptureTests(SynchronousTestCase):
    """Real publishers: no message of theirs is unknown (conformance 83-87)."""

    #: Video: headers, colour metadata, keyframes, interframes, ends. Audio: headers, configurations, frames.
    COUNTS = {
        "ffmpeg5-publish": ((1, 0, 4, 56, 1), (1, 0, 174)),
        "ffmpeg9-publish": ((1, 0, 4, 56, 1), (1, 0, 174)),
        "ffmpeg8lib-publish-hevc-opus": ((1, 1, 3, 42, 0), (1, 1, 151)),
        "ffmpeg9-publish-av1-flac": ((1, 1, 3, 42, 0), (1, 1, 141)),
        "ffmpeg9-publish-hevc-opus-fourcclist": ((1, 1, 3, 42, 0), (1, 1, 151)),
        "ffmpeg9-publish-multitrack": ((2, 1, 7, 85, 1), (2, 1, 281)),
        "ffmpeg9-publish-vp9-ac3": ((1, 1, 2, 28, 0), (1, 1, 63)),
        "gst122-rtmp2sink-publish": ((1, 0, 4, 56, 1), (1, 0, 170)),
        "librtmp24-publish-exttimestamp": ((1, 0, 2, 14, 0), (1, 0, 47)),
        "nginxrtmp-relay-push": ((1, 0, 3, 29, 1), (1, 0, 126)),
    }

    def test_counts(self) -> None:
        """Headers, keyframes, frames and ends are as many as there are; sums are those of the captures' README."""
        for name, (video, audio) in self.COUNTS.items():
            counts = Counter((messageType, classify(messageType, payload)) for messageType, payload in media(name))
            videoKinds = (SEQUENCE_HEADER, COLOR_INFO, KEYFRAME, INTERFRAME, END)
            expected = {(VIDEO, kind): count for kind, count in zip(videoKinds, video, strict=True)}
            expected |= {
                (AUDIO, kind): count for kind, count in zip((SEQUENCE_HEADER, CONFIGURATION, SOUND), audio, strict=True)
            }
            self.assertEqual(counts, Counter(expected), name)

    def test_sameAnswer(self) -> None:
        """The fast answer is the slow one, and all bytes of a message belong to its header or to its track."""
        for name in self.COUNTS:
            for messageType, payload in media(name):
                tag = describe(messageType, payload)
                self.assertIs(classify(messageType, payload), tag.kind)
                self.assertEqual((tag.error, len(tag.tracks), tag.tracks[0].end), ("", 1, len(payload)))

    def test_multitrackHeaders(self) -> None:
        """Two tracks of each kind leave six headers; the wrapped track's colour comes as if it were track 0's."""
        messages = media("ffmpeg9-publish-multitrack")
        keys = {key for messageType, payload in messages for key in headerKeys(messageType, payload)}
        self.assertEqual(
            keys,
            {
                HeaderKey(VIDEO, SEQUENCE_HEADER, 0, ""),
                HeaderKey(VIDEO, SEQUENCE_HEADER, 1, ""),
                HeaderKey(VIDEO, COLOR_INFO, 0, "hvc1"),
                HeaderKey(AUDIO, SEQUENCE_HEADER, 0, ""),
                HeaderKey(AUDIO, SEQUENCE_HEADER, 1, ""),
                HeaderKey(AUDIO, CONFIGURATION, 1, ""),
            },
        )


def media(name: str) -> Iterator[tuple[int, bytes]]:
    """The audio and video payloads of a capture; just enough of a chunk reader for these files."""
    data = (CAPTURES / f"{name}.c2s.bin").read_bytes()
    offset, chunkSize = 3073, 128
    streams: dict[int, ChunkState] = {}
    while offset < len(data):
        state = streams.setdefault(data[offset] & 63, ChunkState())
        headerSize = (11, 7, 3, 0)[data[offset] >> 6]
        header = data[offset + 1 : offset + 1 + headerSize]
        offset += 1 + headerSize
        if headerSize:
            state.isExtended = header[:3] == b"\xff\xff\xff"
        if headerSize >= 7:
            state.size, state.type = int.from_bytes(header[3:6]), header[6]
        offset += 4 if state.isExtended else 0
        wanted = min(chunkSize, state.size - len(state.payload))
        state.payload += data[offset : offset + wanted]
        offset += wanted
        if len(state.payload) == state.size and offset <= len(data):
            payload, state.payload = state.payload, b""
            if state.type == 1:
                chunkSize = int.from_bytes(payload)
            elif state.type in (AUDIO, VIDEO):
                yield state.type, payload


class ChunkState:
    """What a chunk stream remembers."""

    size = type = 0
    isExtended = False
    payload = b""
