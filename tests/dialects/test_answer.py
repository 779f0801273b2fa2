# -*- test-case-name: tests.dialects.test_answer -*-
"""
Tests for L{rtmptw.dialects.answer}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.dialects.answer import Answer
from rtmptw.dialects.judgement import Expectation, Verdict
from rtmptw.dialects.requirements import FFMPEG, GSTREAMER, LENIENT, LIBRTMP, MEDIAMTX
from rtmptw.trace.values import readValues
from rtmptw.wire.amf import UNDEFINED, AMFValue, Date
from rtmptw.wire.message import MessageType
from tests.dialects.answers import BODY, answerTo, asked, command, heard

CONNECT, CREATE, PUBLISH, PLAY = Expectation


class ExpectedTests(SynchronousTestCase):
    """Which commands are meant as an answer, for somebody who forgives."""

    def test_names(self) -> None:
        for name, expected in (("_result", True), ("_error", True), ("onBWDone", False), ("", False)):
            self.assertEqual(answerTo(LENIENT, CONNECT, command(name, 1.0)).isExpected, expected)

    def test_unknownTransaction(self) -> None:
        """Whoever answers with a number that nobody has sent has meant this call."""
        self.assertTrue(answerTo(LENIENT, CREATE, command("_result", 77.0, None)).isExpected)
        self.assertTrue(answerTo(LENIENT, CREATE, command("_result", "4", None, 1.0)).isExpected)

    def test_otherCalls(self) -> None:
        """Unless there is a stream ID in it, it is for who has that number; also for 0, if that was sent."""
        self.assertFalse(answerTo(LENIENT, CREATE, command("_result", 3.0, None)).isExpected)
        self.assertTrue(answerTo(LENIENT, CREATE, command("_result", 3.0, None, 1.0)).isExpected)
        self.assertFalse(answerTo(LENIENT, PUBLISH, command("_result", 4.0, None, 1.0)).isExpected)
        withZero = asked(CREATE, 2.0)
        for sentZero, expected in ((False, True), (True, False)):
            known = withZero.known | ({0.0} if sentZero else set())
            entry = command("_result", 0.0, None, UNDEFINED)
            awaited = asked(CREATE, 2.0)
            awaited = type(awaited)(CREATE, 2.0, 0, frozenset(known))
            answer = Answer(GSTREAMER, awaited, entry, readValues(entry.message))
            self.assertEqual(answer.isExpected, expected)

    def test_statuses(self) -> None:
        """They answer publish and play; a refusal answers everything."""
        start: AMFValue = {"level": "status", "code": "c"}
        refusal: AMFValue = {"level": "error", "code": "c"}
        for expectation in Expectation:
            isRequest = expectation in (PUBLISH, PLAY)
            self.assertEqual(
                answerTo(LENIENT, expectation, command("onStatus", 0.0, None, start)).isExpected, isRequest
            )
            self.assertTrue(answerTo(LENIENT, expectation, command("onStatus", 0.0, None, refusal)).isExpected)


class WordsTests(SynchronousTestCase):
    def test_description(self) -> None:
        """The code and the text, if they are there; nothing of it can spoil a terminal."""
        for values, expected in (
            (({"code": "a.b", "description": "no"},), "a.b: no"),
            ((None, {"code": "a.b", "description": ""}), "a.b"),
            ((None, {"description": "\x1b[2J\n"}), "\\x1b[2J\\n"),
            (({"fmsVer": "x"}, {"code": "a"}), "a"),
            ((None, {"code": 7.0}), "no reason is given"),
            ((), "no reason is given"),
        ):
            answer = answerTo(LENIENT, CONNECT, command("_error", 1.0, *values))
            self.assertEqual(answer.description, expected)
            self.assertEqual(answer.refused(True).value, expected)

    def test_name(self) -> None:
        """Of the wire only what is known is shown."""
        for name, expected in (("_result", "_result"), ("onStatus", "onStatus"), ("secret", "a command")):
            self.assertEqual(answerTo(LENIENT, CONNECT, command(name, 1.0)).name, expected)

    def test_refused(self) -> None:
        answer = answerTo(LENIENT, CONNECT, command("_error", 1.0))
        self.assertIs(answer.refused(True).verdict, Verdict.REFUSED)
        self.assertIs(answer.refused(False).verdict, Verdict.UNHEARD)


class LenienceTests(SynchronousTestCase):
    def test_streamId(self) -> None:
        """The first number behind the transaction ID; 1 if there is none."""
        for values, expected in (((None, 7.0), 7), ((3.0,), 3), ((None, "7"), 1), ((None, -1.0, 5.0), 5), ((), 1)):
            self.assertEqual(answerTo(LENIENT, CREATE, command("_result", 4.0, *values)).lenientStreamId, expected)

    def test_same(self) -> None:
        for requirements, expected in ((LIBRTMP, True), (GSTREAMER, False)):
            answer = answerTo(requirements, CREATE, command("_result", 4.0))
            self.assertEqual(answer.isSame(4.9, 3.0, 4.0), expected)
            self.assertFalse(answer.isSame(float("nan"), 4.0))
            self.assertFalse(answer.isSame(float("inf"), 4.0))


class PlaceTests(SynchronousTestCase):
    def test_fault(self) -> None:
        """The byte of a value; behind the last, if it is missing; of a message without values, the first."""
        entry = command("_result", 4.0, None, 1.0)
        answer = answerTo(LENIENT, CREATE, entry)
        for at, place in ((0, 0), (1, 10), (2, 19), (3, 20), (4, 29), (99, 29)):
            violation = answer.fault("short-command", "words", at=at).violation
            assert violation is not None
            self.assertEqual((violation.offset, violation.words), (BODY + place, "words"))
        violation = answer.fault("short-command", "words", position=5).violation
        assert violation is not None
        self.assertEqual(violation.offset, BODY + 5)
        violation = answerTo(LENIENT, CREATE, heard(MessageType.COMMAND, b"")).fault("short-command", "").violation
        assert violation is not None
        self.assertEqual(violation.offset, BODY)

    def test_unreadable(self) -> None:
        """In a part of the payload; its end belongs to it only if it is that of all."""
        entry = command("onStatus", 0.0, Date(0.0), Date(0.0))
        answer = answerTo(MEDIAMTX, PUBLISH, entry)
        self.assertEqual(answer.unreadable(), (0x0B, 20))
        self.assertEqual(answer.unreadable(21), (0x0B, 31))
        self.assertEqual(answer.unreadable(21, 32), (0x0B, 31))
        self.assertIsNone(answer.unreadable(21, 31))
        self.assertIsNone(answerTo(LENIENT, PUBLISH, entry).unreadable())
        self.assertIsNone(answerTo(FFMPEG, PUBLISH, command("onStatus", 0.0, None)).unreadable())

    def test_fault_unreadable(self) -> None:
        """What ends too early can't be read by anybody who reads all of it."""
        entry = command("onStatus", 0.0, behind=b"\x02\0\x09abc")
        self.assertEqual(answerTo(FFMPEG, PUBLISH, entry).unreadable(), (-1, 20))
        self.assertEqual(answerTo(FFMPEG, PUBLISH, heard(MessageType.COMMAND, b"\x02")).unreadable(), (-1, 0))
        self.assertIsNone(answerTo(LENIENT, PUBLISH, entry).unreadable())
