# -*- test-case-name: tests.trace.test_notes -*-
"""
Tests for L{rtmptw.trace.notes}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.trace.notes import statusCode
from rtmptw.trace.segment import Side
from rtmptw.trace.values import Values, readValues
from rtmptw.wire.amf import AMFValue, ECMAArray
from rtmptw.wire.control import UserControl, UserControlType
from rtmptw.wire.message import Message, MessageType
from tests.trace.dialogue import Dialogue, command, media, status


class NotedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.dialogue = Dialogue()
        self.notes = self.dialogue.conversation.notes

    def test_counts(self) -> None:
        self.dialogue.connect()
        self.assertEqual(self.notes.read, {Side.CLIENT: 1, Side.SERVER: 1})
        self.assertEqual(self.notes.lost, set())

    def test_ends(self) -> None:
        """Only those that a side has made itself, and the first one."""
        self.dialogue.connect()
        self.dialogue.end(Side.CLIENT, "dropped")
        self.assertEqual(self.notes.ended, {})
        for how in ("RST", "FIN"):
            self.dialogue.now += 1
            self.dialogue.end(Side.SERVER, how)
        self.assertEqual(self.notes.ended, {Side.SERVER: 2.0})
        self.assertEqual(self.notes.last, {Side.CLIENT: 1.0, Side.SERVER: 1.0})

    def test_amf3(self) -> None:
        self.dialogue.connect(objectEncoding=0.0)
        self.assertFalse(self.notes.wantsAMF3)
        self.dialogue.client(command("x", 0.0, None, type=MessageType.COMMAND_AMF3))
        self.assertTrue(self.notes.wantsAMF3)

    def test_connectWithoutObject(self) -> None:
        self.dialogue.shakeHands()
        self.dialogue.client(command("connect", 1.0, None), command("connect"))
        self.assertFalse(self.notes.wantsAMF3)

    def test_publish(self) -> None:
        self.dialogue.publish()
        self.assertEqual((self.notes.mediaAtStart, self.notes.plays, self.notes.statuses), (0, False, 1))
        self.dialogue.now = 7.0
        self.dialogue.client(media(MessageType.AUDIO))
        self.dialogue.client(media(MessageType.DATA, b"\x02\0\x01x"))
        self.assertEqual(self.notes.mediaAt, 7.0)
        self.dialogue.server(status("NetStream.Unpublish.Success"))
        self.assertIsNone(self.notes.mediaAtStart)

    def test_play(self) -> None:
        self.dialogue.play()
        self.assertEqual((self.notes.mediaAtStart, self.notes.plays, self.notes.statuses), (None, True, 2))

    def test_refusal(self) -> None:
        self.dialogue.createStream()
        self.dialogue.now = 3.0
        self.dialogue.server(command("_error", 2.0, None, None))
        self.assertIsNone(self.notes.refusal)
        self.dialogue.server(command("_error", 4.0, None, None))
        self.assertEqual(self.notes.refusal, 3.0)
        self.dialogue.server(status("NetStream.Play.Start"))
        self.assertIsNone(self.notes.refusal)

    def test_endWords(self) -> None:
        self.dialogue.play()
        eof = UserControl(UserControlType.STREAM_EOF, 1).encode()
        self.dialogue.server(media(), UserControl(UserControlType.STREAM_DRY, 1).encode(), Message(4, 0, 0, b"\0", 2))
        self.assertEqual(self.notes.endWords, {})
        self.dialogue.server(eof)
        first = self.dialogue.place(eof.payload)
        self.dialogue.server(eof)
        self.assertEqual(self.notes.endWords, {"eof": first})
        self.dialogue.server(media())
        self.assertEqual(self.notes.endWords, {})


class StatusCodeTests(SynchronousTestCase):
    def read(self, *values: AMFValue) -> tuple[AMFValue, AMFValue]:
        return statusCode(readValues(command(*values)))

    def test_fourth(self) -> None:
        information: dict[str, AMFValue] = {"level": "status", "code": "a"}
        self.assertEqual(self.read("onStatus", 0.0, None, information), ("status", "a"))
        self.assertEqual(self.read("onStatus", 0.0, {"code": "b"}, ECMAArray(information)), ("status", "a"))

    def test_elsewhere(self) -> None:
        """Where it is not looked for, but meant."""
        self.assertEqual(self.read("onStatus", {"code": "a"}), (None, "a"))

    def test_none(self) -> None:
        self.assertEqual(self.read("onStatus", 0.0, None, "a"), (None, None))
        self.assertEqual(statusCode(Values(())), (None, None))
