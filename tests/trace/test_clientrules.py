# -*- test-case-name: tests.trace.test_clientrules -*-
"""
Tests for L{rtmptw.trace.clientrules}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.causes.causes import CAUSES
from rtmptw.trace.segment import Side
from rtmptw.wire.message import MessageType
from tests.trace.dialogue import Dialogue, command, media, status


class TransactionIdTests(SynchronousTestCase):
    def test_reused(self) -> None:
        dialogue = Dialogue()
        dialogue.connect()
        dialogue.client(command("createStream", 1.0, None), command("createStream", 1.0, None))
        (violation,) = dialogue.found
        self.assertEqual(violation.cause, CAUSES["client-transaction-id-reused"])
        first = dialogue.sent[Side.CLIENT].index(b"\x02\0\x0ccreateStream")
        self.assertEqual(violation.offset, first + 15)
        self.assertEqual(violation.words, "createStream has transaction ID 1, which connect had before")

    def test_0(self) -> None:
        """GStreamer: no answer is asked for."""
        dialogue = Dialogue()
        dialogue.connect()
        dialogue.client(command("releaseStream", 0.0, None, "key"), command("FCPublish", 0.0, None, "key"))
        self.assertEqual(dialogue.found, [])

    def test_notANumber(self) -> None:
        dialogue = Dialogue()
        dialogue.connect()
        dialogue.client(command("a", "1", None), command("b", "1", None), command("c"), command("d"))
        self.assertEqual(dialogue.found, [])

    def test_answersRepeatTheServersNumbers(self) -> None:
        dialogue = Dialogue()
        dialogue.connect()
        dialogue.client(command("_result", 1.0, None), command("_error", 1.0, None))
        self.assertEqual(dialogue.found, [])


class StreamTests(SynchronousTestCase):
    def test_stream0(self) -> None:
        dialogue = Dialogue()
        dialogue.createStream()
        dialogue.client(command("publish", 5.0, None, "key", streamId=0), media(streamId=0))
        (violation,) = dialogue.found
        self.assertEqual(violation.cause, CAUSES["client-message-stream"])
        self.assertEqual(violation.offset, dialogue.place(b"\x02\0\x07publish", Side.CLIENT) - 4)
        self.assertEqual(violation.words, "publish comes on message stream 0, and the server has given 1")

    def test_media(self) -> None:
        dialogue = Dialogue()
        dialogue.publish()
        dialogue.client(media(streamId=9), media(MessageType.AUDIO, streamId=9))
        (violation,) = dialogue.found
        self.assertEqual(violation.offset, dialogue.sent[Side.CLIENT].index(b"\x09\0\0\0\x27"))
        self.assertEqual(violation.words, "media comes on message stream 9, and the server has given 1")

    def test_nothingWasGivenYet(self) -> None:
        """nginx-rtmp's relay does not wait; and two files one after the other say nothing of the order."""
        dialogue = Dialogue()
        dialogue.connect()
        dialogue.client(command("createStream", 2.0, None), command("publish", 0.0, None, "key", streamId=1), media())
        dialogue.server(command("_result", 2.0, None, 1.0), status("NetStream.Publish.Start"))
        dialogue.client(media())
        self.assertEqual(dialogue.found, [])

    def test_severalStreams(self) -> None:
        dialogue = Dialogue()
        dialogue.createStream()
        dialogue.client(command("createStream", 5.0, None))
        dialogue.server(command("_result", 5.0, None, 3.0))
        dialogue.client(command("publish", 0.0, None, "key", streamId=3), command("play", 0.0, None, "key", streamId=1))
        self.assertEqual(dialogue.found, [])

    def test_otherCommandsMayBeAnywhere(self) -> None:
        """FFmpeg's deleteStream and getStreamLength are on 0."""
        dialogue = Dialogue()
        dialogue.publish()
        dialogue.client(command("getStreamLength", 7.0, None, "key"), command("deleteStream", 8.0, None, 1.0))
        self.assertEqual(dialogue.found, [])
