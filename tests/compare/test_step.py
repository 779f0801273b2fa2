# -*- test-case-name: tests.compare.test_step -*-
"""
Tests for L{rtmptw.compare.step}.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.causes.cause import Cause, Severity
from rtmptw.compare.step import Told, listen
from rtmptw.trace.entry import Chunk, Ending, Entry, HandshakeBlock, ReadMessage, Unreadable, Violation
from rtmptw.trace.segment import Side
from rtmptw.wire import amf0
from rtmptw.wire.amf import AMFValue
from rtmptw.wire.control import UserControl, UserControlType, acknowledgement, setChunkSize
from rtmptw.wire.message import Message, MessageType
from tests.compare.bending import capture, conversation, told


def said(side: Side, message: Message, at: float = 0.0) -> ReadMessage:
    chunk = Chunk(3073, 0, message.chunkStreamId, bytes(12), len(message.payload))
    return ReadMessage(side, at, 3073, message, (chunk,), 4096)


def asks(*values: AMFValue, at: float = 0.0, streamId: int = 0) -> ReadMessage:
    return said(Side.CLIENT, Message(MessageType.COMMAND, 0, streamId, amf0.encode(*values)), at)


def answers(*values: AMFValue, at: float = 0.0, type: int = MessageType.COMMAND) -> ReadMessage:
    return said(Side.SERVER, Message(type, 0, 0, amf0.encode(*values)), at)


def keys(told: Told, side: Side = Side.SERVER) -> list[str]:
    return [" ".join(step.key) for step in told.steps[side]]


class KeyTests(SynchronousTestCase):
    def test_publisher(self) -> None:
        """FFmpeg and nginx-rtmp: media and what belongs to it is there once of each kind."""
        told_ = listen(told("ffmpeg5-publish"))
        self.assertEqual(
            keys(told_, Side.CLIENT),
            [
                *("handshake C0", "handshake C1", "handshake C2", "command connect", "control set chunk size"),
                *("command releaseStream", "command FCPublish", "command createStream", "command publish"),
                *("data onMetaData", "video sequence header", "audio sequence header", "video keyframe"),
                *("video interframe", "audio audio", "video end", "command FCUnpublish", "command deleteStream"),
                "ending ",
            ],
        )
        self.assertEqual(
            keys(told_),
            [
                *("handshake S0", "handshake S1", "handshake S2", "control window acknowledgement size"),
                *("control set peer bandwidth", "control set chunk size", "answer connect", "answer createStream"),
                *("status NetStream.Publish.Start", "status NetStream.Unpublish.Success", "ending "),
            ],
        )
        self.assertEqual(told_.streamIds, {1})
        self.assertEqual(sorted(told_.blocks), ["C0", "C1", "C2", "S0", "S1", "S2"])
        self.assertEqual(told_.totals.get(Side.CLIENT, "video").count, 62)
        self.assertEqual(told_.totals.get(Side.CLIENT, "audio").count, 175)

    def test_repeatedMetadata(self) -> None:
        """GStreamer says it 18 times."""
        told_ = listen(told("gst122-rtmp2sink-publish"))
        self.assertEqual(keys(told_, Side.CLIENT).count("data onMetaData"), 1)
        self.assertEqual(told_.totals.get(Side.CLIENT, "data").count, 18)

    def test_answers(self) -> None:
        """FFmpeg as a server: each answer is known by its call, and short ones are no trouble."""
        told_ = listen(told("ffmpeg5-publish-to-ffmpeg9-listen"))
        self.assertEqual(
            keys(told_)[3:],
            [
                *("control window acknowledgement size", "control set peer bandwidth"),
                *("control user control stream begin 0", "control set chunk size", "answer connect"),
                *("command onBWDone", "answer releaseStream", "command onFCPublish", "answer createStream"),
                *("answer _checkbw", "control user control stream begin 1", "status NetStream.Publish.Start"),
                "ending ",
            ],
        )

    def test_others(self) -> None:
        entries: list[Entry] = [
            said(Side.SERVER, message)
            for message in (
                acknowledgement(5),
                acknowledgement(6),
                UserControl(UserControlType.PING_REQUEST, 7).encode(),
                UserControl(UserControlType.PING_REQUEST, 8).encode(),
                UserControl(77, 1).encode(),
                Message(MessageType.USER_CONTROL, 0, 0, b"\0"),
                Message(MessageType.ABORT, 0, 0, b"\0\0\0\5"),
                Message(MessageType.AGGREGATE, 0, 1, b"x"),
                Message(MessageType.SHARED_OBJECT, 0, 0, b"x"),
                Message(99, 0, 0, b"x"),
                Message(MessageType.DATA, 0, 1, amf0.encode("@clearDataFrame", "onMetaData")),
                Message(MessageType.DATA, 0, 1, amf0.encode("@setDataFrame", 1.0)),
                Message(MessageType.DATA, 0, 1, b""),
                Message(MessageType.COMMAND, 0, 0, b""),
                Message(MessageType.COMMAND, 0, 0, amf0.encode("n" * 100)),
            )
        ]
        entries.append(Unreadable(Side.SERVER, 0.0, 9, b"x", 1, "why"))
        self.assertEqual(
            keys(listen(entries)),
            [
                *("repeated acknowledgement", "repeated user control ping request", "control user control event 77"),
                *("control user control, too short", "control abort", "other aggregate", "other shared object"),
                *("other message type 99", "data onMetaData", "data ", "command ", f"command {'n' * 64}"),
                "unreadable ",
            ],
        )

    def test_oddStatuses(self) -> None:
        """A status without a code is about what the client does; one whose code is no text, too."""
        entries = [
            asks("publish", 5.0, None, "x"),
            answers("onStatus", 0.0, None),
            answers("onStatus", 0.0, {"code": 1.0}),
        ]
        steps = listen(entries).steps[Side.SERVER]
        self.assertEqual([step.key.detail for step in steps], ["", ""])
        self.assertEqual([step.called and step.called.name for step in steps], ["publish", "publish"])

    def test_values(self) -> None:
        """What a step says of its values, whatever they are."""
        step = listen([answers("_result", "1", None)]).steps[Side.SERVER][0]
        self.assertEqual((step.name, step.value(1), step.value(9), step.transactionId), ("_result", "1", None, None))
        step = listen([answers(1.0, True)]).steps[Side.SERVER][0]
        self.assertEqual((step.name, step.transactionId), ("", None))
        self.assertIsNone(listen([Ending(Side.SERVER, 0.0, 0, "FIN")]).steps[Side.SERVER][0].called)

    def test_fault(self) -> None:
        entry = said(Side.SERVER, Message(MessageType.COMMAND, 0, 0, amf0.encode("x") + b"\0\0"))
        self.assertIn("cut short", listen([entry]).steps[Side.SERVER][0].fault)

    def test_calls(self) -> None:
        """What a client answers is no call."""
        told_ = listen([asks("_result", 1.0, None), asks("connect", 1.0, None)])
        self.assertTrue(told_.calls.has("connect"))
        self.assertFalse(told_.calls.has("_result"))

    def test_whatIsWrongIsAStep(self) -> None:
        """Media in which something is wrong for the first time is a step of its own; for the second time not."""
        cause = Cause("a-cause", "title", Severity.STOPS, "mend", "3.6")
        entries = [said(Side.SERVER, Message(8, 0, 1, b"\xaf\1x")) for _ in range(5)]
        for entry in entries[2:4]:
            entry.violations.append(Violation(cause, "words", 0))
        told_ = listen(entries)
        self.assertEqual([step.index for step in told_.steps[Side.SERVER]], [0, 2])
        self.assertEqual(told_.causes, {(Side.SERVER, "a-cause")})


class OrderTests(SynchronousTestCase):
    def order(self, entries: Sequence[Entry]) -> list[str]:
        return [f"{step.entry.side.value[0]} {step.key.detail}" for step in listen(entries).inOrder()]

    def test_withoutTimes(self) -> None:
        """Saved bytes have no times: answers stand behind their calls, and what is before an answer before it."""
        order = self.order(conversation(*capture("ffmpeg5-publish")))
        self.assertEqual(
            order[:23],
            [
                *("c C0", "c C1", "s S0", "s S1", "s S2", "c C2", "c connect", "s window acknowledgement size"),
                *("s set peer bandwidth", "s set chunk size", "s connect", "c set chunk size", "c releaseStream"),
                *("c FCPublish", "c createStream", "s createStream", "c publish", "s NetStream.Publish.Start"),
                *("c onMetaData", "c sequence header", "c sequence header", "c keyframe", "c interframe"),
            ],
        )
        self.assertEqual(order[-4:], ["c deleteStream", "s NetStream.Unpublish.Success", "c ", "s "])

    def test_withTimes(self) -> None:
        entries = [
            HandshakeBlock(Side.CLIENT, 0.1, 0, "C0", b"\3"),
            answers("onBWDone", 0.0, at=0.2),
            asks("connect", 1.0, None, at=0.3),
            answers("_result", 1.0, {}, at=0.4),
        ]
        self.assertEqual(self.order(entries), ["c C0", "s onBWDone", "c connect", "s connect"])

    def test_lateControl(self) -> None:
        """What nothing else follows is at the end."""
        entries = [asks("connect", 1.0, None), answers("_result", 1.0, {}), said(Side.SERVER, setChunkSize(128))]
        self.assertEqual(self.order([*entries, asks("createStream", 2.0, None)])[-1], "s set chunk size")
