# -*- test-case-name: tests.dialects.test_judge -*-
"""
Tests for L{rtmptw.dialects.judge}: what is not an answer, and may do harm nevertheless.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.dialects.judge import judge
from rtmptw.dialects.judgement import Expectation, Verdict
from rtmptw.dialects.requirements import (
    FFMPEG,
    FFMPEG_PLAYER,
    FLASH,
    GSTREAMER,
    LENIENT,
    LIBRTMP,
    MEDIAMTX,
    NGINX,
    OBS,
    SRS,
)
from rtmptw.wire import amf0
from rtmptw.wire.amf import Date
from rtmptw.wire.control import setChunkSize, setPeerBandwidth, windowAcknowledgementSize
from rtmptw.wire.message import MessageType
from tests.dialects.answers import BODY, CONNECTED, asked, command, heard, judged, placeOf

CONNECT, CREATE, PUBLISH, PLAY = Expectation
EVERYBODY = (FFMPEG, FFMPEG_PLAYER, LIBRTMP, OBS, GSTREAMER, MEDIAMTX, NGINX, SRS, FLASH, LENIENT)


class OffenceTests(SynchronousTestCase):
    """Messages that end a client, though it waits for others; the star says that they are no answers."""

    def test_shortCommand(self) -> None:
        """gortmplib and SRS want three values; FFmpeg's own server sends onFCPublish with one."""
        for entry in (command("onFCPublish"), command("onBWDone", 0.0)):
            for requirements in EVERYBODY:
                strict = requirements in (MEDIAMTX, SRS)
                expected = ("fatal*", "short-command", placeOf(entry, 9)) if strict else None
                self.assertEqual(judged(requirements, CONNECT, entry), expected, requirements.client)

    def test_noNumber(self) -> None:
        entry = command("onBWDone", None, None)
        for requirements in EVERYBODY:
            strict = requirements in (MEDIAMTX, SRS)
            expected = ("fatal*", "transaction-id-not-number", placeOf(entry, 1)) if strict else None
            self.assertEqual(judged(requirements, CONNECT, entry), expected, requirements.client)

    def test_unreadable(self) -> None:
        """Types that gortmplib can't read end it, in whatever command."""
        entry = command("onBWDone", 0.0, None, Date(1.0))
        self.assertEqual(judged(MEDIAMTX, CREATE, entry), ("fatal*", "unsupported-marker", placeOf(entry, 3)))
        for requirements in (FFMPEG, LIBRTMP, SRS, LENIENT):
            self.assertIsNone(judged(requirements, CREATE, entry))

    def test_types(self) -> None:
        """Types 15 and 17 end gortmplib."""
        data = heard(MessageType.DATA_AMF3, b"\0" + amf0.encode("onMetaData", {}))
        other = command("onBWDone", 0.0, None, type=MessageType.COMMAND_AMF3)
        self.assertEqual(judged(MEDIAMTX, CONNECT, data), ("fatal*", "type15-to-player", BODY))
        self.assertEqual(judged(MEDIAMTX, CONNECT, other), ("fatal*", "reply-as-amf3", BODY + 1))
        for requirements in (FFMPEG, LIBRTMP, GSTREAMER, LENIENT):
            self.assertIsNone(judged(requirements, CONNECT, data))
            self.assertIsNone(judged(requirements, CONNECT, other))

    def test_control(self) -> None:
        """Sizes that FFmpeg reads as 0 or below (wire facts 2.5)."""
        for type in (1, 5, 6):
            for payload in (bytes(4), b"\x80\0\0\0", b"\xff" * 4, b"\1\2", b""):
                entry = heard(type, payload)
                for requirements in EVERYBODY:
                    minds = requirements in (FFMPEG, FFMPEG_PLAYER)
                    expected = ("fatal*", "control-value", BODY) if minds else None
                    self.assertEqual(judged(requirements, CONNECT, entry), expected)
        for message in (setChunkSize(128), windowAcknowledgementSize(0x7FFFFFFF), setPeerBandwidth(1)):
            self.assertIsNone(judged(FFMPEG, CONNECT, heard(message.type, message.payload)))

    def test_wholeCommandDropped(self) -> None:
        """librtmp drops connect's answer for a typed object in it; FFmpeg looks at its transaction ID alone."""
        payload = amf0.encode("_result", 1.0, {}) + b"\x10\0\1C\0\0\x09"
        entry = heard(MessageType.COMMAND, payload)
        for requirements in (LIBRTMP, OBS):
            place = BODY + len(payload) - 7
            self.assertEqual(judged(requirements, CONNECT, entry), ("passed_over", "unsupported-marker", place))
        self.assertEqual(judged(FFMPEG, CONNECT, entry), ("taken", "", None))

    def test_amf3Answer(self) -> None:
        """The byte to blame is the first behind the leading 0."""
        entry = command("_result", 1.0, {}, CONNECTED, type=MessageType.COMMAND_AMF3)
        for requirements in (FFMPEG, FFMPEG_PLAYER, GSTREAMER):
            self.assertEqual(judged(requirements, CONNECT, entry), ("passed_over", "reply-as-amf3", BODY + 1))
        for requirements in (LIBRTMP, OBS, NGINX, SRS, FLASH, LENIENT):
            self.assertEqual(judged(requirements, CONNECT, entry), ("taken", "", None))

    def test_indifferent(self) -> None:
        """Nobody ends at commands that he does not know, nor at anything else."""
        for entry in (
            command("onFCPublish", 0.0, None, {"code": "NetStream.Publish.Start"}),
            heard(MessageType.COMMAND, b""),
            heard(MessageType.COMMAND, b"\5"),
            heard(MessageType.USER_CONTROL, b""),
            heard(99, b"x"),
            heard(MessageType.AUDIO, b"x"),
        ):
            for requirements in EVERYBODY:
                if requirements not in (MEDIAMTX, SRS):
                    self.assertIsNone(judged(requirements, CONNECT, entry))


class EarlyTests(SynchronousTestCase):
    """Media in front of Play.Start (wire facts 3.3)."""

    def test_media(self) -> None:
        metadata = heard(MessageType.DATA, amf0.encode("onMetaData", {}))
        for entry in (heard(8, b"\xaf\1x"), heard(9, b"\x27\1"), heard(22, b"x"), metadata):
            lost = ("media-before-start", BODY)
            self.assertEqual(judged(FFMPEG_PLAYER, PLAY, entry), ("taken", *lost))
            for requirements in (LIBRTMP, GSTREAMER):
                self.assertEqual(judged(requirements, PLAY, entry), ("lost*", *lost))
            for requirements in (MEDIAMTX, FLASH, LENIENT):
                self.assertIsNone(judged(requirements, PLAY, entry))
            for expectation in (CONNECT, CREATE, PUBLISH):
                self.assertIsNone(judged(FFMPEG_PLAYER, expectation, entry))

    def test_sampleAccess(self) -> None:
        """Nothing is lost by it, but FFmpeg goes on."""
        entry = heard(MessageType.DATA, amf0.encode("|RtmpSampleAccess", True, True))
        self.assertEqual(judged(FFMPEG_PLAYER, PLAY, entry), ("taken", "", None))
        self.assertIsNone(judged(LIBRTMP, PLAY, entry))


class AnyBytesTests(SynchronousTestCase):
    @given(
        st.sampled_from([1, 2, 3, 4, 5, 6, 8, 9, 15, 17, 18, 20, 22, 99]),
        st.one_of(st.binary(max_size=80), st.binary(max_size=60).map(lambda rest: amf0.encode("_result", 4.0) + rest)),
        st.sampled_from(list(Expectation)),
        st.sampled_from(EVERYBODY),
    )
    def test_anything(self, type: int, payload: bytes, expectation: Expectation, requirements: object) -> None:
        """Whatever comes, it is judged, and a place in it is blamed."""
        entry = heard(type, payload)
        judgement = judge(requirements, asked(expectation), entry)  # type: ignore[arg-type]
        if judgement is not None:
            self.assertIn(judgement.verdict, Verdict)
            if judgement.violation is not None:
                self.assertTrue(BODY <= judgement.violation.offset <= BODY + len(payload))
