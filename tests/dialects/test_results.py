# -*- test-case-name: tests.dialects.test_results -*-
"""
Tests for L{rtmptw.dialects.results}: each client's C{_result} and C{_error}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

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
    Requirements,
)
from rtmptw.dialects.results import judgeResult
from rtmptw.trace.entry import ReadMessage
from rtmptw.wire.amf import UNDEFINED, AMFValue, ECMAArray
from tests.dialects.answers import CONNECTED, answerTo, command, judged, placeOf

CONNECT, CREATE, PUBLISH, PLAY = Expectation
EVERYBODY = (FFMPEG, FFMPEG_PLAYER, LIBRTMP, OBS, GSTREAMER, MEDIAMTX, NGINX, SRS, FLASH, LENIENT)

TAKEN = ("taken", "", None)


class ResultsTestCase(SynchronousTestCase):
    def check(
        self,
        who: tuple[Requirements, ...],
        expectation: Expectation,
        entry: ReadMessage,
        verdict: str,
        cause: str = "",
        at: int | None = None,
    ) -> None:
        """
        @param at: the number of the value that is to blame.
        """
        place = None if at is None else placeOf(entry, at)
        for requirements in who:
            found = judged(requirements, expectation, entry)
            self.assertEqual(found, (verdict, cause, place), requirements.client)

    def value(self, requirements: Requirements, expectation: Expectation, entry: ReadMessage) -> AMFValue:
        return judgeResult(answerTo(requirements, expectation, entry)).value

    def others(self, *who: Requirements) -> tuple[Requirements, ...]:
        return tuple(each for each in EVERYBODY if each not in who)


class TransactionTests(ResultsTestCase):
    def test_right(self) -> None:
        self.check(EVERYBODY, CONNECT, command("_result", 1.0, {}, CONNECTED), "taken")
        self.check(EVERYBODY, CREATE, command("_result", 4.0, None, 1.0), "taken")

    def test_wrongForConnect(self) -> None:
        """Passed over; SRS leaves. FFmpeg stalls so for ever (wire facts 3.6, row 1)."""
        entry = command("_result", 2.0, {}, CONNECTED)
        self.check(self.others(SRS), CONNECT, entry, "passed_over", "connect-transaction-id", 1)
        self.check((SRS,), CONNECT, entry, "fatal", "connect-transaction-id", 1)

    def test_zeroForConnect(self) -> None:
        """gortmplib takes 0 for its own."""
        entry = command("_result", 0.0, {}, CONNECTED)
        self.check(self.others(SRS, MEDIAMTX), CONNECT, entry, "passed_over", "connect-transaction-id", 1)
        self.check((MEDIAMTX,), CONNECT, entry, "taken")

    def test_wrongForCreateStream(self) -> None:
        """Also the ID of another call, if there is a stream ID in the answer."""
        for id in (9.0, 2.0):
            entry = command("_result", id, None, 1.0)
            self.check(self.others(SRS), CREATE, entry, "passed_over", "createstream-transaction-id", 1)
            self.check((SRS,), CREATE, entry, "fatal", "createstream-transaction-id", 1)
            self.assertEqual(self.value(FFMPEG, CREATE, entry), 1)

    def test_anotherCalls(self) -> None:
        """An answer to releaseStream or FCPublish is nothing to who waits for another."""
        for values in ((None,), (None, UNDEFINED), ()):
            for name in ("_result", "_error"):
                entry = command(name, 2.0, *values)
                for requirements in self.others(MEDIAMTX, SRS):
                    self.assertIsNone(judged(requirements, CREATE, entry), (requirements.client, values))

    def test_notANumber(self) -> None:
        """FFmpeg, and those who want a number in each command, end there."""
        for value in ("1", None, True):
            entry = command("_result", value, {}, CONNECTED)
            ending = (FFMPEG, FFMPEG_PLAYER, MEDIAMTX, SRS)
            self.check(ending, CONNECT, entry, "fatal", "transaction-id-not-number", 1)
            rest = self.others(*ending)
            self.check(rest, CONNECT, entry, "passed_over", "transaction-id-not-number", 1)

    def test_none(self) -> None:
        """A name, and nothing behind it."""
        entry = command("_result")
        self.check((FFMPEG,), CONNECT, entry, "fatal", "transaction-id-not-number", 1)
        self.check((MEDIAMTX, SRS), CONNECT, entry, "fatal", "short-command", 1)

    def test_fraction(self) -> None:
        """librtmp, gortmplib and nginx-rtmp make it a whole number."""
        entry = command("_result", 1.5, {}, CONNECTED)
        whole = (LIBRTMP, OBS, MEDIAMTX, NGINX)
        self.check(whole, CONNECT, entry, "taken")
        self.check(self.others(*whole, SRS), CONNECT, entry, "passed_over", "connect-transaction-id", 1)
        for odd in (float("nan"), float("inf")):
            entry = command("_result", odd, {}, CONNECTED)
            self.check(self.others(SRS), CONNECT, entry, "passed_over", "connect-transaction-id", 1)


class ConnectTests(ResultsTestCase):
    def test_code(self) -> None:
        """GStreamer alone looks for it (wire facts 3.2); the first argument may be null, the second an array."""
        for values in (({}, {}), ({}, {"code": "x"}), ({}, None), (CONNECTED,), ()):
            entry = command("_result", 1.0, *values)
            self.check((GSTREAMER,), CONNECT, entry, "fatal", "connect-without-code", 3)
            self.check(self.others(GSTREAMER, MEDIAMTX, SRS), CONNECT, entry, "taken")
        for information in (CONNECTED, ECMAArray(CONNECTED)):
            self.check((GSTREAMER,), CONNECT, command("_result", 1.0, None, information), "taken")

    def test_object(self) -> None:
        """SRS wants an object, whatever it says."""
        for values in (({}, None), ({}, ECMAArray(CONNECTED)), ({},)):
            entry = command("_result", 1.0, *values)
            self.check((SRS,), CONNECT, entry, "fatal", "connect-without-code", 3)
            self.check((MEDIAMTX, FFMPEG, NGINX), CONNECT, entry, "taken")
        self.check((SRS,), CONNECT, command("_result", 1.0, None, {}), "taken")


class CreateStreamTests(ResultsTestCase):
    """By client: what it takes for the stream ID."""

    def row(
        self, who: tuple[Requirements, ...], entry: ReadMessage, verdict: str, cause: str, at: int | None, id: int
    ) -> None:
        self.check(who, CREATE, entry, verdict, cause, at)
        for requirements in who:
            self.assertEqual(self.value(requirements, CREATE, entry), id, requirements.client)

    def test_undefined(self) -> None:
        """FFmpeg goes on with message stream 0, SRS ends, nobody else minds."""
        for value in (UNDEFINED, {}, "x"):
            entry = command("_result", 4.0, value, 1.0)
            self.row((FFMPEG, FFMPEG_PLAYER), entry, "taken", "createstream-undefined", 2, 0)
            self.row((SRS,), entry, "fatal", "createstream-undefined", 2, 1)
            self.row(self.others(FFMPEG, FFMPEG_PLAYER, SRS), entry, "taken", "", None, 1)

    def test_notANumber(self) -> None:
        for value in ("1", True, None):
            entry = command("_result", 4.0, None, value)
            goingOn = (FFMPEG, FFMPEG_PLAYER, LIBRTMP, OBS, FLASH)
            self.row(goingOn, entry, "taken", "createstream-id-not-number", 3, 0)
            self.row((GSTREAMER, MEDIAMTX, SRS), entry, "fatal", "createstream-id-not-number", 3, 1)
            self.row((NGINX,), entry, "taken", "", None, 1)

    def test_missing(self) -> None:
        entry = command("_result", 4.0, None)
        self.row((FFMPEG, LIBRTMP), entry, "taken", "createstream-id-not-number", 3, 0)
        self.row((GSTREAMER, MEDIAMTX), entry, "fatal", "createstream-id-not-number", 3, 1)
        self.row((NGINX,), entry, "taken", "", None, 1)

    def test_zero(self) -> None:
        entry = command("_result", 4.0, None, 0.0)
        self.row((FFMPEG, LIBRTMP), entry, "taken", "createstream-id-not-number", 3, 0)
        self.row((GSTREAMER, MEDIAMTX), entry, "fatal", "createstream-id-not-number", 3, 0)
        self.row((NGINX,), entry, "taken", "createstream-id-not-1", 3, 1)
        self.row((SRS,), entry, "taken", "", None, 0)

    def test_another(self) -> None:
        entry = command("_result", 4.0, None, 7.0)
        self.row((MEDIAMTX,), entry, "fatal", "createstream-id-not-1", 3, 7)
        self.row((NGINX,), entry, "taken", "createstream-id-not-1", 3, 1)
        self.row(self.others(MEDIAMTX, NGINX), entry, "taken", "", None, 7)

    def test_odd(self) -> None:
        """What is no message stream's number."""
        for value in (-1.0, 1e300, float("nan"), float("inf"), 0.5):
            entry = command("_result", 4.0, None, value)
            self.check((FFMPEG, LIBRTMP), CREATE, entry, "taken", "createstream-id-not-number", 3)
            self.check((GSTREAMER, MEDIAMTX), CREATE, entry, "fatal", "createstream-id-not-number", 3)

    def test_fraction(self) -> None:
        """All but gortmplib cut it."""
        entry = command("_result", 4.0, None, 1.5)
        self.row((FFMPEG, GSTREAMER, LIBRTMP), entry, "taken", "", None, 1)
        self.row((MEDIAMTX,), entry, "fatal", "createstream-id-not-1", 3, 1)

    def test_zeroForMediaMTX(self) -> None:
        """It takes an answer with transaction ID 0 for that to createStream, whatever was meant."""
        self.row((MEDIAMTX,), command("_result", 0.0, None, 1.0), "taken", "", None, 1)
        entry = command("_result", 0.0, None, None)
        self.row((MEDIAMTX,), entry, "fatal", "createstream-id-not-number", 3, 1)


class RequestTests(ResultsTestCase):
    def test_onlyResult(self) -> None:
        """librtmp takes it for the start; gortmplib ends; the rest waits on."""
        for expectation in (PUBLISH, PLAY):
            entry = command("_result", 5.0, None)
            self.check((LIBRTMP, OBS, LENIENT), expectation, entry, "taken")
            self.check((MEDIAMTX,), expectation, entry, "fatal", "publish-only-result", 0)
            self.check((FFMPEG, GSTREAMER, FLASH), expectation, entry, "passed_over", "publish-only-result", 0)

    def test_wrongTransaction(self) -> None:
        """It may have been meant for it; SRS never waits here, but it would leave."""
        entry = command("_result", 9.0, None)
        who = self.others(SRS)
        self.check(who, PUBLISH, entry, "passed_over", "publish-only-result", 0)
        self.check((SRS,), PUBLISH, entry, "fatal", "answers-transaction-0", 1)

    def test_zeroIsNoAnswerToPublish(self) -> None:
        """gortmplib takes onStatus alone with 0."""
        entry = command("_result", 0.0, None, None)
        self.check((MEDIAMTX,), PUBLISH, entry, "passed_over", "publish-only-result", 0)

    def test_toTransactionZero(self) -> None:
        """GStreamer publishes with 0, and waits for onStatus."""
        entry = command("_result", 0.0, None, None)
        self.assertEqual(
            judged(GSTREAMER, PUBLISH, entry, 0.0), ("passed_over", "publish-only-result", placeOf(entry, 0))
        )


class ErrorTests(ResultsTestCase):
    """C{_error}: FFmpeg ends at one with a description, librtmp and nginx-rtmp at none."""

    def test_described(self) -> None:
        for expectation, id in ((CONNECT, 1.0), (CREATE, 4.0), (PUBLISH, 5.0)):
            entry = command("_error", id, None, {"level": "error", "code": "a.b", "description": "no"})
            deaf = (LIBRTMP, OBS, NGINX, LENIENT)
            self.check(self.others(*deaf), expectation, entry, "refused")
            self.check(deaf, expectation, entry, "unheard")
            self.assertEqual(self.value(FFMPEG, expectation, entry), "a.b: no")

    def test_notDescribed(self) -> None:
        """FFmpeg waits on, for ever; also at a description that it does not find."""
        for values in ((None, {"code": "a.b"}), (None, ECMAArray({"description": "no"})), ()):
            entry = command("_error", 1.0, *values)
            self.check((FFMPEG, FFMPEG_PLAYER), CONNECT, entry, "unheard")
            self.check((GSTREAMER, FLASH), CONNECT, entry, "refused")

    def test_exempt(self) -> None:
        """An C{_error} to releaseStream, FCPublish, getStreamLength, FCSubscribe or _checkbw ends nobody."""
        entry = command("_error", 2.0, None, {"level": "error", "description": "Method not found"})
        for requirements in EVERYBODY:
            self.assertIsNone(judged(requirements, CREATE, entry), requirements.client)

    def test_wrongTransaction(self) -> None:
        entry = command("_error", 7.0, None, {"description": "no"})
        self.check((FFMPEG,), CONNECT, entry, "passed_over", "connect-transaction-id", 1)
        self.check((FFMPEG,), PUBLISH, entry, "passed_over", "publish-only-result", 0)

    def test_noReason(self) -> None:
        self.assertEqual(self.value(GSTREAMER, CONNECT, command("_error", 1.0)), "no reason is given")

    def test_harmless(self) -> None:
        """A fixed transaction ID 1 in connect's answer: all send 1 (wire facts 11)."""
        self.check(EVERYBODY, CONNECT, command("_result", 1.0, {}, CONNECTED), "taken")
        self.assertIs(judgeResult(answerTo(FFMPEG, CONNECT, command("_result", 1.0))).verdict, Verdict.TAKEN)
