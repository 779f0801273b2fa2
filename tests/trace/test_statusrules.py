# -*- test-case-name: tests.trace.test_statusrules -*-
"""
Tests for L{rtmptw.trace.statusrules}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.causes.causes import CAUSES
from rtmptw.trace.segment import Side
from rtmptw.wire.amf import UNDEFINED, AMFValue, ECMAArray, XMLDocument
from rtmptw.wire.message import Message
from tests.trace.dialogue import Dialogue, command, status

START: dict[str, AMFValue] = {"level": "status", "code": "NetStream.Publish.Start"}


def onStatus(*values: AMFValue, streamId: int = 1, tail: bytes = b"") -> Message:
    return command("onStatus", *values, streamId=streamId, tail=tail)


def answered(*messages: Message, name: str = "publish", streamId: int = 1) -> Dialogue:
    """publish or play, and what is said to it."""
    dialogue = Dialogue()
    dialogue.createStream()
    dialogue.client(command(name, 0.0, None, "key", streamId=streamId))
    dialogue.server(*messages)
    return dialogue


class UndefinedTests(SynchronousTestCase):
    def test_inFront(self) -> None:
        for values, sought in (
            ((0.0, UNDEFINED, START), b"\x06\x03\0\x05level"),
            ((UNDEFINED, None, START), b"\x06\x05\x03\0\x05level"),
            ((XMLDocument("x"), None, START), b"\x0f\0\0\0\x01x"),
        ):
            dialogue = answered(onStatus(*values))
            (violation,) = dialogue.found
            self.assertEqual(violation.cause, CAUSES["onstatus-undefined"])
            self.assertEqual(violation.offset, dialogue.place(sought))

    def test_inTheInformation(self) -> None:
        dialogue = answered(onStatus(0.0, None, {"details": UNDEFINED, **START}))
        (violation,) = dialogue.found
        self.assertEqual(violation.cause, CAUSES["onstatus-undefined"])
        self.assertEqual(violation.offset, dialogue.place(b"details\x06") + 7)

    def test_behindTheCode(self) -> None:
        """FFmpeg has found the code by then."""
        self.assertEqual(answered(onStatus(0.0, None, {**START, "details": UNDEFINED})).found, [])

    def test_whatCanBeSkipped(self) -> None:
        skipped: list[tuple[AMFValue, ...]] = [(0.0, None), (0.0, {}), ("0", "x"), (None, ECMAArray({"a": [1.0]}))]
        for values in skipped:
            self.assertEqual(answered(onStatus(*values, START)).found, [])

    def test_theClientMay(self) -> None:
        dialogue = answered(status("NetStream.Publish.Start"))
        dialogue.client(onStatus(0.0, UNDEFINED, ECMAArray()))
        self.assertEqual(dialogue.found, [])


class InformationTests(SynchronousTestCase):
    def test_ecmaArray(self) -> None:
        dialogue = answered(onStatus(0.0, None, ECMAArray(START)))
        (violation,) = dialogue.found
        self.assertEqual(violation.cause, CAUSES["onstatus-ecma"])
        self.assertEqual(violation.offset, dialogue.place(b"\x08\0\0\0\x02"))
        self.assertIn("an ECMA array (08)", violation.words)

    def test_otherTypes(self) -> None:
        others: list[AMFValue] = [None, "NetStream.Publish.Start", [START]]
        for value in others:
            self.assertIn("onstatus-ecma", answered(onStatus(0.0, None, value)).causes)

    def test_none(self) -> None:
        dialogue = answered(onStatus(0.0, None))
        (violation,) = dialogue.found
        self.assertEqual(
            (violation.cause, violation.offset), (CAUSES["onstatus-ecma"], len(dialogue.sent[Side.SERVER]))
        )

    def test_unreadable(self) -> None:
        """That has a name of its own."""
        self.assertEqual(answered(onStatus(0.0, None, tail=b"\x04")).causes, ["unsupported-marker"])
        self.assertNotIn("onstatus-ecma", answered(onStatus(0.0, None, tail=b"\x10\0\0\0\0\x09")).causes)


class StreamTests(SynchronousTestCase):
    def test_stream0(self) -> None:
        for name, code in (("publish", "NetStream.Publish.Start"), ("play", "NetStream.Play.Start")):
            dialogue = answered(status(code, streamId=0), name=name)
            (violation,) = dialogue.found
            self.assertEqual(violation.cause, CAUSES["onstatus-on-stream-0"])
            # The last 4 bytes of the header.
            self.assertEqual(violation.offset, dialogue.place(b"\x02\0\x08onStatus") - 4)
            self.assertEqual(violation.words, f"onStatus comes on message stream 0, and {name} came on 1")

    def test_anotherStream(self) -> None:
        dialogue = answered(status("NetStream.Publish.Start", streamId=2))
        self.assertEqual(dialogue.causes, ["onstatus-on-stream-0"])

    def test_theClientIsOn0(self) -> None:
        """FFmpeg publishes there when it has found no stream ID."""
        dialogue = answered(status("NetStream.Publish.Start", streamId=0), streamId=0)
        self.assertEqual(dialogue.causes, ["client-message-stream"])

    def test_theClientIsWhereNobodySentIt(self) -> None:
        """nginx-rtmp's relay is on 1, whatever the answer was."""
        dialogue = Dialogue()
        dialogue.connect()
        dialogue.client(command("createStream", 2.0, None))
        dialogue.server(command("_result", 2.0, None, 3.0))
        dialogue.client(command("publish", 0.0, None, "key", streamId=1))
        dialogue.server(status("NetStream.Publish.Start", streamId=3))
        self.assertEqual(dialogue.causes, ["createstream-id-not-1", "client-message-stream"])

    def test_whatIsNotOfTheStream(self) -> None:
        dialogue = answered(
            status("NetConnection.Connect.ReconnectRequest", streamId=0), status("NetStream.Publish.Start")
        )
        self.assertEqual(dialogue.found, [])

    def test_nobodyHasAsked(self) -> None:
        dialogue = Dialogue()
        dialogue.connect()
        dialogue.server(status("NetStream.Publish.Start", streamId=0))
        self.assertEqual(dialogue.found, [])


class FirstTests(SynchronousTestCase):
    def test_notTheStart(self) -> None:
        dialogue = answered(status("NetStream.Data.Start"), status("NetStream.Play.Start"), name="play")
        (violation,) = dialogue.found
        self.assertEqual(violation.cause, CAUSES["first-status-not-start"])
        self.assertEqual(
            violation.offset,
            dialogue.sent[Side.SERVER].index(b"\x03\0\x05level", dialogue.place(b"NetStream.Data") - 60),
        )
        self.assertIn("NetStream.Data.Start", violation.words)

    def test_noCode(self) -> None:
        dialogue = answered(onStatus(0.0, None, {"level": "status"}))
        self.assertEqual(dialogue.causes, ["first-status-not-start"])
        self.assertIn("the code none", dialogue.found[0].words)

    def test_starts(self) -> None:
        for code in ("NetStream.Play.Start", "NetStream.Play.Reset", "NetStream.Play.PublishNotify"):
            dialogue = answered(status(code), status("NetStream.Data.Start"), name="play")
            self.assertEqual(dialogue.found, [])

    def test_refusal(self) -> None:
        self.assertEqual(answered(status("NetStream.Publish.BadName", "error")).found, [])

    def test_onStream0ItIsNotLookedAt(self) -> None:
        dialogue = answered(status("NetStream.Data.Start", streamId=0), status("NetStream.Play.Start"), name="play")
        self.assertEqual(dialogue.found, [])

    def test_beforeAnybodyHasAsked(self) -> None:
        dialogue = Dialogue()
        dialogue.createStream()
        dialogue.server(status("NetStream.Data.Start"))
        self.assertEqual(dialogue.found, [])


class RefusalTests(SynchronousTestCase):
    def test_unknownCode(self) -> None:
        for code in ("NetStream.Publish.Forbidden", "NetStream.Publish.Start"):
            dialogue = answered(status(code, "error"))
            (violation,) = dialogue.found
            self.assertEqual(violation.cause, CAUSES["error-status-unknown-code"])
            self.assertEqual(violation.offset, dialogue.place(b"\x03\0\x05level"))
            self.assertIn(code, violation.words)

    def test_noCode(self) -> None:
        dialogue = answered(onStatus(0.0, None, {"level": "error", "description": "live/secret"}))
        (violation,) = dialogue.found
        self.assertEqual(violation.words, "the refusal has the code none, which clients do not know")

    def test_known(self) -> None:
        for code in ("NetStream.Publish.BadName", "NetStream.Publish.Denied", "NetStream.Play.StreamNotFound"):
            self.assertEqual(answered(status(code, "error")).found, [])
