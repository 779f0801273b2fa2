# -*- test-case-name: tests.trace.test_chunkrules -*-
"""
Tests for L{rtmptw.trace.chunkrules}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.causes.causes import CAUSES, Severity
from rtmptw.trace.segment import Side
from rtmptw.wire.chunkwriter import encodeMessage
from rtmptw.wire.control import setChunkSize, setPeerBandwidth, windowAcknowledgementSize
from rtmptw.wire.message import Message, MessageType
from tests.trace.dialogue import Dialogue, control

STAMP = 0x01000001
REPEATED = STAMP.to_bytes(4, "big")


def late() -> bytes:
    """A message with an extended timestamp, in three chunks."""
    return encodeMessage(Message(MessageType.VIDEO, STAMP, 1, b"\x27" + b"v" * 299, 6), 128)


class ExtendedTimestampTests(SynchronousTestCase):
    def test_notRepeated(self) -> None:
        for side, cause in (
            (Side.SERVER, CAUSES["extended-timestamp-not-repeated"]),
            (Side.CLIENT, CAUSES["client-extended-timestamp-not-repeated"]),
        ):
            dialogue = Dialogue()
            dialogue.play()
            before = len(dialogue.sent[side])
            data = late().replace(b"\xc6" + REPEATED, b"\xc6")
            dialogue.feed(side, data)
            (violation,) = dialogue.found
            self.assertEqual((violation.cause, violation.offset), (cause, before + data.index(b"\xc6v") + 1))

    def test_repeated(self) -> None:
        for side in Side:
            dialogue = Dialogue()
            dialogue.play()
            dialogue.feed(side, late())
            self.assertEqual(dialogue.found, [])

    def test_notInTheSecondOnly(self) -> None:
        """One chunk that lacks it is enough."""
        dialogue = Dialogue()
        dialogue.play()
        head, separator, tail = late().rpartition(b"\xc6" + REPEATED)
        dialogue.feed(Side.SERVER, head + separator[:1] + tail)
        self.assertEqual([v.offset for v in dialogue.found], [dialogue.place(b"\xc6v") + 1])

    def test_onceForEachSide(self) -> None:
        dialogue = Dialogue()
        dialogue.play()
        for _ in range(3):
            dialogue.feed(Side.SERVER, late().replace(b"\xc6" + REPEATED, b"\xc6"))
            dialogue.feed(Side.CLIENT, late().replace(b"\xc6" + REPEATED, b"\xc6"))
        self.assertEqual(
            sorted(dialogue.causes), ["client-extended-timestamp-not-repeated", "extended-timestamp-not-repeated"]
        )

    def test_ofTheClientItIsAdvice(self) -> None:
        self.assertIs(CAUSES["client-extended-timestamp-not-repeated"].severity, Severity.ADVICE)
        self.assertIs(CAUSES["extended-timestamp-not-repeated"].severity, Severity.STOPS)


class AbortTests(SynchronousTestCase):
    def test_abort(self) -> None:
        dialogue = Dialogue()
        dialogue.play()
        dialogue.server(control(MessageType.ABORT, b"\0\0\0\x09"))
        (violation,) = dialogue.found
        self.assertEqual((violation.cause, violation.offset), (CAUSES["abort-sent"], dialogue.place(b"\0\0\0\x09")))

    def test_theClientMay(self) -> None:
        dialogue = Dialogue()
        dialogue.play()
        dialogue.client(control(MessageType.ABORT, b"\0\0\0\x09"))
        self.assertEqual(dialogue.found, [])


class ControlValueTests(SynchronousTestCase):
    def test_bad(self) -> None:
        for type in (
            MessageType.SET_CHUNK_SIZE,
            MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE,
            MessageType.SET_PEER_BANDWIDTH,
        ):
            for body in ("00000000", "80000000", "ffffffff", "000010", ""):
                for side in Side:
                    dialogue = Dialogue()
                    dialogue.connect()
                    dialogue.feed(side, encodeMessage(control(type, bytes.fromhex(body)), 128))
                    (violation,) = dialogue.found
                    self.assertEqual(violation.cause, CAUSES["control-value"], (type, body))
                    self.assertEqual(violation.offset, len(dialogue.sent[side]) - len(body) // 2)

    def test_words(self) -> None:
        dialogue = Dialogue()
        dialogue.connect()
        dialogue.server(control(MessageType.SET_CHUNK_SIZE, bytes(4)), control(MessageType.SET_PEER_BANDWIDTH, b"\1"))
        self.assertIn("Set Chunk Size says 0", dialogue.found[0].words)
        self.assertIn("Set Peer Bandwidth has 1 bytes", dialogue.found[1].words)

    def test_good(self) -> None:
        """The smallest, the largest, and what servers say."""
        dialogue = Dialogue()
        dialogue.connect()
        dialogue.server(
            control(MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE, b"\0\0\0\1"),
            control(MessageType.SET_PEER_BANDWIDTH, b"\x7f\xff\xff\xff\2"),
            windowAcknowledgementSize(2_500_000),
            setPeerBandwidth(2_500_000),
            setChunkSize(4096),
        )
        self.assertEqual(dialogue.found, [])
