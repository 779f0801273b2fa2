# -*- test-case-name: tests.dialects.test_statuses -*-
"""
Tests for L{rtmptw.dialects.statuses}: each client's C{onStatus}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.dialects.judgement import Expectation
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
    Requirements,
)
from rtmptw.dialects.statuses import judgeStatus
from rtmptw.trace.entry import ReadMessage
from rtmptw.wire.amf import UNDEFINED, AMFValue, Date, ECMAArray, TypedObject
from rtmptw.wire.message import MessageType
from tests.dialects.answers import ARRAY, BODY, INFORMATION, PLAY, answerTo, command, judged, placeOf

CONNECT, CREATE, PUBLISH, PLAYING = Expectation
WAITING = (FFMPEG, LIBRTMP, OBS, GSTREAMER, MEDIAMTX, FLASH, LENIENT)

#: A reference to the first object of the message, a movie clip, and a typed object.
REFERENCE, MOVIE_CLIP = b"\x07\0\0", b"\x04"


def status(*values: AMFValue, streamId: int = 1, id: AMFValue = 0.0, behind: bytes = b"") -> ReadMessage:
    return command("onStatus", id, *values, streamId=streamId, behind=behind)


class StatusTestCase(SynchronousTestCase):
    def check(
        self,
        who: tuple[Requirements, ...],
        entry: ReadMessage,
        verdict: str,
        cause: str = "",
        at: int | None = None,
        expectation: Expectation = PUBLISH,
    ) -> None:
        place = None if at is None else placeOf(entry, at)
        for requirements in who:
            self.assertEqual(judged(requirements, expectation, entry), (verdict, cause, place), requirements.client)

    def others(self, *who: Requirements) -> tuple[Requirements, ...]:
        return tuple(each for each in WAITING if each not in who)


class StartTests(StatusTestCase):
    def test_right(self) -> None:
        self.check(WAITING, status(None, INFORMATION), "taken")
        self.check((*WAITING, FFMPEG_PLAYER), status(None, PLAY), "taken", expectation=PLAYING)

    def test_array(self) -> None:
        """FFmpeg, librtmp and OBS read an object alone (wire facts 3.6, row 9; 11)."""
        entry = status(None, ARRAY)
        self.check((FFMPEG, LIBRTMP, OBS), entry, "passed_over", "onstatus-ecma", 3)
        self.check(self.others(FFMPEG, LIBRTMP, OBS), entry, "taken")

    def test_undefined(self) -> None:
        """FFmpeg can't skip it, in front of the information or in it."""
        for values, at in (((UNDEFINED, INFORMATION), 2), ((None, UNDEFINED, INFORMATION), 3)):
            entry = status(*values)
            self.check((FFMPEG, FFMPEG_PLAYER), entry, "passed_over", "onstatus-undefined", at)
        entry = status(UNDEFINED, INFORMATION)
        self.check(self.others(FFMPEG), entry, "taken")
        entry = status(None, INFORMATION, id=UNDEFINED)
        self.check((FFMPEG,), entry, "passed_over", "onstatus-undefined", 1)

    def test_undefinedMember(self) -> None:
        """It matters only in front of the code."""
        entry = status(None, {"level": "status", "odd": UNDEFINED, "code": "NetStream.Publish.Start"})
        place = BODY + entry.message.payload.index(b"\0\3odd\6") + 5
        self.assertEqual(judged(FFMPEG, PUBLISH, entry), ("passed_over", "onstatus-undefined", place))
        self.check(self.others(FFMPEG), entry, "taken")
        behind = status(None, {"code": "NetStream.Publish.Start", "odd": UNDEFINED, "level": "status"})
        self.check(WAITING, behind, "taken")

    def test_unskippable(self) -> None:
        """Nor dates, typed objects and references, which librtmp drops whole commands for."""
        entry = status(Date(0.0), INFORMATION)
        self.check((FFMPEG,), entry, "passed_over", "unsupported-marker", 2)
        self.check((LIBRTMP, GSTREAMER), entry, "taken")
        entry = status(TypedObject("C", {}), INFORMATION)
        self.check((FFMPEG, LIBRTMP, OBS), entry, "passed_over", "unsupported-marker", 2)
        self.check((MEDIAMTX,), entry, "fatal", "unsupported-marker", 2)
        nested = status(None, {"a": {"b": TypedObject("C", {})}, **INFORMATION})
        place = BODY + nested.message.payload.index(b"\0\1b\x10") + 3
        for requirements in (FFMPEG, LIBRTMP):
            found = judged(requirements, PUBLISH, nested)
            self.assertEqual(found, ("passed_over", "unsupported-marker", place))

    def test_cutOff(self) -> None:
        """What can't be read hides what would be behind it; what is in front of it FFmpeg has found."""
        entry = status(None, behind=MOVIE_CLIP)
        place = BODY + len(entry.message.payload) - 1
        for requirements in (FFMPEG, LIBRTMP, OBS):
            self.assertEqual(judged(requirements, PUBLISH, entry), ("passed_over", "unsupported-marker", place))
        entry = status(None, INFORMATION, behind=MOVIE_CLIP)
        self.check((FFMPEG, GSTREAMER), entry, "taken")
        place = BODY + len(entry.message.payload) - 1
        self.assertEqual(judged(LIBRTMP, PUBLISH, entry), ("passed_over", "unsupported-marker", place))
        truncated = status(None, behind=b"\x02\0\x09abc")
        place = BODY + len(truncated.message.payload) - 6
        self.assertEqual(judged(FFMPEG, PUBLISH, truncated), ("passed_over", "unsupported-marker", place))

    def test_places(self) -> None:
        """FFmpeg looks behind two values for the next object, the others in the fourth value."""
        entry = status(None, None, INFORMATION)
        self.check((FFMPEG, LENIENT), entry, "taken")
        self.check((LIBRTMP, OBS, FLASH), entry, "passed_over", "onstatus-ecma", 4)
        self.check((GSTREAMER, MEDIAMTX), entry, "fatal", "onstatus-ecma", 4)
        entry = status(INFORMATION)
        self.check((FFMPEG, LIBRTMP, OBS, FLASH), entry, "passed_over", "onstatus-ecma", 2)
        self.check((LENIENT,), entry, "taken")
        entry = status()
        self.check((FFMPEG, LIBRTMP), entry, "passed_over", "onstatus-ecma", 3)
        self.check((GSTREAMER,), entry, "fatal", "onstatus-ecma", 3)
        self.check((MEDIAMTX,), entry, "fatal", "short-command", 2)
        self.check((LENIENT,), entry, "passed_over")

    def test_stream(self) -> None:
        """GStreamer takes a status on its message stream alone."""
        entry = status(None, INFORMATION, streamId=0)
        self.check((GSTREAMER,), entry, "passed_over", "onstatus-on-stream-0", 0)
        self.check(self.others(GSTREAMER), entry, "taken")

    def test_other(self) -> None:
        """The first status decides for GStreamer; gortmplib takes any of level "status"."""
        entry = status(None, {"level": "status", "code": "NetStream.Data.Start"})
        self.check((GSTREAMER,), entry, "fatal", "first-status-not-start", 3)
        self.check((MEDIAMTX, LENIENT), entry, "taken")
        self.check((FFMPEG, LIBRTMP, OBS, FLASH), entry, "passed_over")
        entry = status(None, {"level": "warning", "code": "NetStream.Publish.Start"})
        self.check((MEDIAMTX,), entry, "fatal", "first-status-not-start", 3)
        self.check((FFMPEG, GSTREAMER), entry, "taken")

    def test_transaction(self) -> None:
        """gortmplib wants 0, or publish's."""
        for id, verdict in ((0.0, "taken"), (5.0, "taken"), (3.0, "passed_over")):
            self.check((MEDIAMTX,), status(None, INFORMATION, id=id), verdict)
            self.check((FFMPEG, LIBRTMP, GSTREAMER), status(None, INFORMATION, id=id), "taken")

    def test_playStarts(self) -> None:
        """Reset is enough for GStreamer, PublishNotify for that and librtmp."""
        for code, who in (
            ("NetStream.Play.Reset", (GSTREAMER,)),
            ("NetStream.Play.PublishNotify", (GSTREAMER, LIBRTMP)),
        ):
            entry = status(None, {"level": "status", "code": code})
            self.check(who, entry, "taken", expectation=PLAYING)
            self.check((FFMPEG_PLAYER, FLASH), entry, "passed_over", expectation=PLAYING)

    def test_amf3(self) -> None:
        """Type 17: librtmp, OBS, nginx-rtmp, SRS and Flash read it."""
        entry = command("onStatus", 0.0, None, INFORMATION, type=MessageType.COMMAND_AMF3, streamId=1)
        self.check((FFMPEG, GSTREAMER), entry, "passed_over", "reply-as-amf3", 0)
        self.check((MEDIAMTX,), entry, "fatal", "reply-as-amf3", 0)
        self.check((LIBRTMP, OBS, FLASH, LENIENT), entry, "taken")


class RefusalTests(StatusTestCase):
    """Of level "error": who knows that it was refused, ends; who does not, waits for the end of the connection."""

    def error(self, code: str, streamId: int = 1, array: bool = False) -> ReadMessage:
        information: dict[str, AMFValue] = {"level": "error", "code": code, "description": "d"}
        return status(None, ECMAArray(information) if array else information, streamId=streamId)

    def test_codes(self) -> None:
        """FFmpeg and GStreamer end at any; librtmp and OBS know some."""
        for code, knowing in (
            ("NetStream.Publish.BadName", (OBS,)),
            ("NetStream.Publish.Denied", (OBS,)),
            ("NetStream.Failed", (OBS, LIBRTMP)),
            ("NetStream.Odd", ()),
        ):
            entry = self.error(code)
            self.check((FFMPEG, GSTREAMER, MEDIAMTX, FLASH, *knowing), entry, "refused")
            deaf = tuple(each for each in (LIBRTMP, OBS, NGINX, LENIENT) if each not in knowing)
            self.check(deaf, entry, "unheard")
        self.assertEqual(judgeStatus(answerTo(OBS, PUBLISH, self.error("NetStream.Odd"))).value, "NetStream.Odd: d")

    def test_levelIsNotAll(self) -> None:
        """librtmp looks at the code, whatever the level is."""
        entry = status(None, {"level": "status", "code": "NetStream.Play.StreamNotFound"})
        self.check((LIBRTMP, OBS), entry, "refused", expectation=PLAYING)

    def test_notSeen(self) -> None:
        """FFmpeg sees nothing in an array, nor GStreamer on another stream."""
        self.check((FFMPEG, LIBRTMP, OBS), self.error("NetStream.Failed", array=True), "unheard")
        self.check((GSTREAMER,), self.error("NetStream.Failed", streamId=0), "unheard")
        self.check((FFMPEG, OBS), self.error("NetStream.Failed", streamId=0), "refused")
        late = status(None, {"odd": UNDEFINED, "level": "error", "code": "NetStream.Failed"})
        self.check((FFMPEG,), late, "unheard")
        early = status(None, {"level": "error", "odd": UNDEFINED, "code": "NetStream.Failed"})
        self.check((FFMPEG,), early, "refused")

    def test_before(self) -> None:
        """In answer to connect or createStream: GStreamer and gortmplib do not look at a status there."""
        entry = self.error("NetConnection.Connect.Rejected", streamId=0)
        for expectation in (CONNECT, CREATE):
            self.check((FFMPEG, FLASH), entry, "refused", expectation=expectation)
            self.check((GSTREAMER, MEDIAMTX, LIBRTMP, OBS, NGINX), entry, "unheard", expectation=expectation)
            self.assertIsNone(judged(FFMPEG, expectation, status(None, INFORMATION)))

    def test_twoMinds(self) -> None:
        """An error in front of what they look at: it is not read as one, nor does it start anything."""
        entry = status({"level": "error"}, INFORMATION, streamId=0)
        for expectation in (CONNECT, CREATE):
            who = (FFMPEG, FFMPEG_PLAYER, LIBRTMP, OBS, GSTREAMER, FLASH)
            self.check(who, entry, "passed_over", expectation=expectation)
            # It looks at the first object, wherever that is.
            self.check((LENIENT,), entry, "unheard", expectation=expectation)
