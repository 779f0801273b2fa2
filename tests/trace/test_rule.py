# -*- test-case-name: tests.trace.test_rule -*-
"""
Tests for L{rtmptw.trace.rule}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.causes.causes import CAUSES
from rtmptw.trace.entry import Chunk, Ending, Entry, HandshakeBlock, ReadMessage, Unreadable, Violation
from rtmptw.trace.notes import Notes
from rtmptw.trace.rule import ALL_MESSAGES, ENDING, STREAM_ID, TYPE, UNREADABLE, Heard, headerPlace, kindOf, plain
from rtmptw.trace.segment import Side
from rtmptw.trace.talk import Talk
from rtmptw.trace.values import Values
from rtmptw.wire.message import Message


def message(fmt: int, headerSize: int, extended: int | None = None) -> ReadMessage:
    """A message in one chunk at byte 100."""
    chunk = Chunk(100, fmt, 3, bytes(headerSize), 0, extended)
    return ReadMessage(Side.SERVER, 0.0, 100, Message(20, 0, 0, b""), (chunk,), 128)


class KindTests(SynchronousTestCase):
    def test_kinds(self) -> None:
        self.assertEqual(kindOf(message(0, 12)), 20)
        self.assertIn(kindOf(message(0, 12)), ALL_MESSAGES)
        self.assertEqual(kindOf(HandshakeBlock(Side.SERVER, 0.0, 1, "S1", b"")), "S1")
        self.assertEqual(kindOf(Ending(Side.SERVER, 0.0, 1, "FIN")), ENDING)
        self.assertEqual(kindOf(Unreadable(Side.SERVER, 0.0, 1, b"x", 1, "why")), UNREADABLE)

    def test_whatIsNoneOfThem(self) -> None:
        self.assertEqual(kindOf(Entry(Side.SERVER, 0.0, 1)), "")


class HeaderPlaceTests(SynchronousTestCase):
    def test_type0(self) -> None:
        for basic in (1, 2, 3):
            self.assertEqual(headerPlace(message(0, basic + 11), TYPE), 100 + basic + 6)
            self.assertEqual(headerPlace(message(0, basic + 11), STREAM_ID), 100 + basic + 7)

    def test_extended(self) -> None:
        self.assertEqual(headerPlace(message(0, 16, 0x1000000), TYPE), 107)

    def test_shorter(self) -> None:
        """What a header does not have is blamed on its first byte."""
        self.assertEqual(headerPlace(message(1, 8), TYPE), 107)
        self.assertEqual(headerPlace(message(1, 8), STREAM_ID), 100)
        self.assertEqual(headerPlace(message(2, 4), TYPE), 100)
        self.assertEqual(headerPlace(message(3, 1), TYPE), 100)


class WordsTests(SynchronousTestCase):
    def test_plain(self) -> None:
        for text in ("connect", "_result", "NetStream.Play.Start"):
            self.assertEqual(plain(text, "another"), text)

    def test_whatMayBeASecret(self) -> None:
        for text in ("live/key", "key?token=1", "a b", "", "x" * 65, "\u00e9", "1a", 1.0, None):
            self.assertEqual(plain(text, "another"), "another")

    def test_violation(self) -> None:
        heard = Heard(Talk(), Notes(), message(0, 12), Values(()))
        self.assertEqual(heard.violation("abort-sent", "w", 7), Violation(CAUSES["abort-sent"], "w", 7))
