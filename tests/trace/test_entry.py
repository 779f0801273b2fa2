"""
Tests for L{rtmptw.trace.entry}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.trace.entry import Chunk, Ending, HandshakeBlock, ReadMessage, Unreadable
from rtmptw.trace.segment import Side
from rtmptw.wire.message import Message, MessageType


class ReadMessageTests(SynchronousTestCase):
    def setUp(self) -> None:
        chunks = (Chunk(3073, 1, 3, bytes(8), 128), Chunk(3300, 3, 3, b"\xc3", 128), Chunk(3429, 3, 3, b"\xc3", 44))
        message = Message(MessageType.COMMAND, 0, 0, bytes(300), 3)
        self.entry = ReadMessage(Side.CLIENT, 0.0, 3073, message, chunks, 128)

    def test_place(self) -> None:
        """Each byte of the payload is where its chunk's body is; other chunks may lie between."""
        places = [self.entry.place(position) for position in (0, 127, 128, 255, 256, 299)]
        self.assertEqual(places, [3081, 3208, 3301, 3428, 3430, 3473])

    def test_placeBehindTheEnd(self) -> None:
        self.assertEqual([self.entry.place(position) for position in (300, 5000)], [3474, 3474])

    def test_placeInNothing(self) -> None:
        """An empty payload ends behind its header."""
        entry = ReadMessage(Side.CLIENT, 0.0, 50, Message(8, 0, 1, b"", 4), (Chunk(50, 0, 4, bytes(12), 0),), 128)
        self.assertEqual(entry.place(0), 62)

    def test_fmt(self) -> None:
        self.assertEqual(self.entry.fmt, 1)


class EntryTests(SynchronousTestCase):
    def test_violationsAreItsOwn(self) -> None:
        """Nothing is wrong with an entry at first, and no two share what is."""
        one = HandshakeBlock(Side.SERVER, 0.0, 0, "S0", b"\x03")
        other = Ending(Side.SERVER, 1.0, 1, "FIN")
        third = Unreadable(Side.SERVER, 1.0, 1, b"x", 5, "why")
        self.assertEqual([each.violations for each in (one, other, third)], [[], [], []])
        self.assertIsNot(one.violations, other.violations)
        self.assertEqual(other.unfinished, "")
