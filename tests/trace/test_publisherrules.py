# -*- test-case-name: tests.trace.test_publisherrules -*-
"""
Tests for L{rtmptw.trace.publisherrules}: what is written to a publisher, and what may be.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.causes.causes import CAUSES
from rtmptw.trace.segment import Side
from rtmptw.wire.control import (
    UserControl,
    UserControlType,
    acknowledgement,
    setChunkSize,
    windowAcknowledgementSize,
)
from rtmptw.wire.message import Message, MessageType
from tests.trace.dialogue import Dialogue, command, media, status

PING = UserControl(UserControlType.PING_REQUEST, 7).encode()


def written(*messages: Message) -> list[str]:
    """What is found when such messages are written to a publisher."""
    dialogue = Dialogue()
    dialogue.publish()
    dialogue.server(*messages)
    return dialogue.causes


class AcknowledgementTests(SynchronousTestCase):
    def test_unasked(self) -> None:
        dialogue = Dialogue()
        dialogue.publish()
        dialogue.server(acknowledgement(100_000))
        (violation,) = dialogue.found
        self.assertEqual(violation.cause, CAUSES["unasked-acks"])
        self.assertEqual(violation.offset, dialogue.place((100_000).to_bytes(4, "big")))

    def test_once(self) -> None:
        self.assertEqual(written(acknowledgement(1), acknowledgement(2), acknowledgement(3)), ["unasked-acks"])

    def test_asked(self) -> None:
        dialogue = Dialogue()
        dialogue.publish()
        dialogue.client(windowAcknowledgementSize(2_500_000))
        dialogue.server(acknowledgement(100_000))
        self.assertEqual(dialogue.found, [])

    def test_beforeStart(self) -> None:
        """It still reads all."""
        dialogue = Dialogue()
        dialogue.createStream()
        dialogue.client(command("publish", 5.0, None, "key", streamId=1))
        dialogue.server(acknowledgement(3073), status("NetStream.Publish.Start"))
        self.assertEqual(dialogue.found, [])

    def test_aPlayerReadsAll(self) -> None:
        dialogue = Dialogue()
        dialogue.play()
        dialogue.server(acknowledgement(3073))
        self.assertEqual(dialogue.found, [])

    def test_whoPlaysTooReadsAll(self) -> None:
        dialogue = Dialogue()
        dialogue.play()
        dialogue.client(command("publish", 0.0, None, "other", streamId=1))
        dialogue.server(status("NetStream.Publish.Start"), acknowledgement(3073), PING, media())
        self.assertEqual(dialogue.found, [])

    def test_byTheServersOwnOrder(self) -> None:
        """All of the client, then all of the server, as from two files."""
        dialogue = Dialogue()
        dialogue.publish()
        whole = Dialogue()
        whole.feed(Side.CLIENT, dialogue.sent[Side.CLIENT])
        whole.feed(Side.SERVER, dialogue.sent[Side.SERVER])
        self.assertEqual(whole.found, [])
        whole.server(acknowledgement(1))
        self.assertEqual(whole.causes, ["unasked-acks"])


class PingTests(SynchronousTestCase):
    def pinged(self, silence: float, frames: int = 2) -> Dialogue:
        """A ping so long after the last frame."""
        dialogue = Dialogue()
        dialogue.publish()
        for _ in range(frames):
            dialogue.client(media())
        dialogue.now += silence
        dialogue.server(PING)
        return dialogue

    def test_whileMediaComes(self) -> None:
        dialogue = self.pinged(0.5)
        (violation,) = dialogue.found
        self.assertEqual(violation.cause, CAUSES["writes-to-publisher"])
        self.assertEqual(violation.offset, dialogue.place(b"\0\x06\0\0\0\x07"))
        self.assertIn("a ping, while media comes", violation.words)

    def test_afterSilence(self) -> None:
        """nginx-rtmp pings after 60 s."""
        self.assertEqual(self.pinged(60).found, [])

    def test_withoutTimes(self) -> None:
        """It may have been after silence."""
        dialogue = Dialogue()
        dialogue.now = 0.0
        dialogue.publish()
        dialogue.client(media())
        dialogue.server(PING)
        self.assertEqual(dialogue.found, [])

    def test_beforeMedia(self) -> None:
        dialogue = Dialogue()
        dialogue.createStream()
        dialogue.client(command("publish", 5.0, None, "key", streamId=1))
        dialogue.server(status("NetStream.Publish.Start"), PING)
        self.assertEqual(dialogue.found, [])


class WrittenTests(SynchronousTestCase):
    def test_anything(self) -> None:
        for message in (
            status("NetStream.Publish.Start"),
            status("NetStream.Data.Start"),
            command("onBWDone", 0.0, None),
            command("_result", 77.0, None, None),
            Message(MessageType.USER_CONTROL, 0, 0, b"", 2),
            setChunkSize(4096),
            windowAcknowledgementSize(1000),
            media(),
            media(MessageType.DATA, b"\x02\0\x01x"),
        ):
            self.assertEqual([c for c in written(message) if c != "answers-transaction-0"], ["writes-to-publisher"])

    def test_streamBegin(self) -> None:
        """It belongs to Publish.Start, also when it stands behind it; not any more when media has come."""
        begin = UserControl(UserControlType.STREAM_BEGIN, 1).encode()
        for before, expected in ((False, []), (True, ["writes-to-publisher"])):
            dialogue = Dialogue()
            dialogue.createStream()
            dialogue.client(command("publish", 5.0, None, "key", streamId=1))
            dialogue.server(status("NetStream.Publish.Start"))
            if before:
                dialogue.client(media())
            dialogue.server(begin)
            self.assertEqual([violation.cause.name for violation in dialogue.found], expected)

    def test_once(self) -> None:
        self.assertEqual(written(setChunkSize(4096), media(), status("x.y")), ["writes-to-publisher"])

    def test_words(self) -> None:
        for message, words in (
            (status("NetStream.Data.Start"), "onStatus NetStream.Data.Start: "),
            (setChunkSize(4096), "Set Chunk Size: "),
            (UserControl(3, 1).encode(), "user control 3: "),
            (command("live/secret", 0.0, None), "sends a command: "),
            (status("live/secret"), "sends onStatus: "),
        ):
            dialogue = Dialogue()
            dialogue.publish()
            dialogue.server(message)
            self.assertIn(words, dialogue.found[0].words)
            self.assertEqual(dialogue.found[0].offset, dialogue.place(message.payload))

    def test_whatEndsIt(self) -> None:
        """As nginx-rtmp and SRS do it; and a refusal in the middle."""
        for message in (
            status("NetStream.Unpublish.Success"),
            status("NetStream.Publish.Denied", "error"),
            command("onFCUnpublish", 0.0, None),
            command("_result", 5.0, None, None, type=MessageType.COMMAND),
            UserControl(UserControlType.STREAM_EOF, 1).encode(),
            status("NetConnection.Connect.ReconnectRequest", streamId=0),
        ):
            self.assertEqual([c for c in written(message) if c != "result-to-publish"], [])

    def test_pong(self) -> None:
        self.assertEqual(written(UserControl(UserControlType.PING_RESPONSE, 7).encode()), [])

    def test_behindTheEnd(self) -> None:
        self.assertEqual(written(status("NetStream.Unpublish.Success"), setChunkSize(4096), PING), [])
