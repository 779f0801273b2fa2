# -*- test-case-name: tests.trace.test_commandrules -*-
"""
Tests for L{rtmptw.trace.commandrules}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.causes.causes import CAUSES
from rtmptw.trace.segment import Side
from rtmptw.wire.amf import TypedObject
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.message import MessageType
from tests.trace.dialogue import SUCCESS, Dialogue, command, status

AMF3 = MessageType.COMMAND_AMF3


class AMF3Tests(SynchronousTestCase):
    def answered(self, type: int, **parameters: float) -> Dialogue:
        """A connect with such parameters, answered by such a message."""
        dialogue = Dialogue()
        dialogue.shakeHands()
        dialogue.client(command("connect", 1.0, {"app": "live", **parameters}))
        dialogue.server(command("_result", 1.0, None, SUCCESS, type=type))
        return dialogue

    def test_type17(self) -> None:
        dialogue = self.answered(AMF3)
        (violation,) = dialogue.found
        self.assertEqual(violation.cause, CAUSES["reply-as-amf3"])
        # The type: behind basic header, timestamp and length.
        self.assertEqual(violation.offset, 3073 + 7)
        self.assertEqual(dialogue.sent[Side.SERVER][violation.offset], AMF3)

    def test_type20(self) -> None:
        self.assertEqual(self.answered(MessageType.COMMAND).found, [])

    def test_theClientHasAskedForIt(self) -> None:
        self.assertEqual(self.answered(AMF3, objectEncoding=3.0).found, [])
        self.assertEqual(self.answered(AMF3, objectEncoding=0.0).causes, ["reply-as-amf3"])

    def test_theClientHasSpokenIt(self) -> None:
        dialogue = Dialogue()
        dialogue.connect()
        dialogue.client(command("createStream", 2.0, None, type=AMF3))
        dialogue.server(command("_result", 2.0, None, 1.0, type=AMF3))
        self.assertEqual(dialogue.found, [])

    def test_whatNobodyWaitsFor(self) -> None:
        dialogue = Dialogue()
        dialogue.connect()
        dialogue.server(command("onBWDone", 0.0, None, type=AMF3))
        self.assertEqual(dialogue.found, [])

    def test_inAType1Header(self) -> None:
        """The byte to blame has another place there, and none at all in a type 2 header."""
        dialogue = Dialogue()
        dialogue.connect()
        writer = ChunkWriter()
        for code in ("Reset", "Start"):
            message = status(f"NetStream.Play.{code}")
            message.type, message.chunkStreamId = AMF3, 70
            dialogue.feed(Side.SERVER, writer.write(message))
        first, second = (violation.offset for violation in dialogue.found)
        self.assertEqual(dialogue.sent[Side.SERVER][first], AMF3)
        # Nothing has changed but the payload: type 2, which stands on two bytes.
        self.assertEqual(dialogue.sent[Side.SERVER][second : second + 2], bytes((0x80, 70 - 64)))


class ShortTests(SynchronousTestCase):
    def test_short(self) -> None:
        for values in ((), ("onFCPublish",), ("onFCPublish", 0.0)):
            dialogue = Dialogue()
            dialogue.connect()
            dialogue.server(command(*values))
            (violation,) = dialogue.found
            self.assertEqual(violation.cause, CAUSES["short-command"])
            self.assertEqual(violation.offset, len(dialogue.sent[Side.SERVER]))
            self.assertIn(f"{len(values)} of the 3", violation.words)

    def test_three(self) -> None:
        dialogue = Dialogue()
        dialogue.connect()
        dialogue.server(command("onFCPublish", 0.0, None))
        self.assertEqual(dialogue.found, [])

    def test_theClientMay(self) -> None:
        dialogue = Dialogue()
        dialogue.connect()
        dialogue.client(command("createStream", 2.0))
        self.assertEqual(dialogue.found, [])


class MarkerTests(SynchronousTestCase):
    def found(self, *messages: bytes, name: str = "onBWDone") -> Dialogue:
        dialogue = Dialogue()
        dialogue.connect()
        for tail in messages:
            dialogue.server(command(name, 0.0, None, tail=tail))
        return dialogue

    def test_typedObject(self) -> None:
        dialogue = Dialogue()
        dialogue.shakeHands()
        dialogue.client(command("connect", 1.0, None))
        dialogue.server(command("_result", 1.0, None, {**SUCCESS, "data": TypedObject("T", {"x": 1.0})}))
        (violation,) = dialogue.found
        self.assertEqual(violation.cause, CAUSES["unsupported-marker"])
        self.assertEqual(violation.offset, dialogue.place(b"\x10\x00\x01T"))

    def test_reference(self) -> None:
        dialogue = self.found(bytes.fromhex("03 000009 07 0000"), name="_error")
        self.assertIn("unsupported-marker", dialogue.causes)
        violation = next(v for v in dialogue.found if v.cause.name == "unsupported-marker")
        self.assertEqual(violation.offset, dialogue.place(b"\x07\0\0"))

    def test_movieClip(self) -> None:
        """It can't even be read."""
        dialogue = self.found(b"\x04", name="_error")
        violation = next(v for v in dialogue.found if v.cause.name == "unsupported-marker")
        self.assertEqual(violation.offset, dialogue.place(b"\x05\x04") + 1)
        self.assertIn("a movie clip (04)", violation.words)

    def test_cut(self) -> None:
        dialogue = self.found(b"\x02\x00\x09cut", name="_error")
        violation = next(v for v in dialogue.found if v.cause.name == "unsupported-marker")
        self.assertTrue(dialogue.place(b"\x05\x02\0\x09") < violation.offset <= len(dialogue.sent[Side.SERVER]))

    def test_whatNobodyWaitsFor(self) -> None:
        self.assertEqual(self.found(b"\x04", b"\x02\x00").found, [])

    def test_amf3Value(self) -> None:
        """Behind 11: for who has spoken AMF3."""
        for encoding, causes in ((0.0, ["unsupported-marker"]), (3.0, [])):
            dialogue = Dialogue()
            dialogue.shakeHands()
            dialogue.client(command("connect", 1.0, {"objectEncoding": encoding}))
            dialogue.server(command("_result", 1.0, None, SUCCESS, tail=bytes.fromhex("11 06 03 61")))
            self.assertEqual(dialogue.causes, causes)

    def test_everydayTypes(self) -> None:
        dialogue = Dialogue()
        dialogue.shakeHands()
        dialogue.client(command("connect", 1.0, None))
        dialogue.server(command("_result", 1.0, {"a": [1.0, "x", None, True]}, {**SUCCESS, "data": {"v": "1"}}))
        self.assertEqual(dialogue.found, [])
