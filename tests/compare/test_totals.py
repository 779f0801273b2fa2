# -*- test-case-name: tests.compare.test_totals -*-
"""
Tests for L{rtmptw.compare.totals}.
"""

from __future__ import annotations

import hashlib

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.compare.totals import Totals
from rtmptw.trace.entry import Chunk, Ending, ReadMessage
from rtmptw.trace.segment import Side
from rtmptw.wire.message import Message


def entry(payload: bytes, side: Side = Side.CLIENT) -> ReadMessage:
    return ReadMessage(side, 0.0, 0, Message(9, 0, 1, payload), (Chunk(0, 0, 6, bytes(12), len(payload)),), 128)


class TotalsTests(SynchronousTestCase):
    def test_counted(self) -> None:
        """By side and family; what comes once is not counted, nor is an end."""
        one, other = Totals(), Totals()
        for payload in (b"abc", b"de"):
            one.count(entry(payload), "video")
        one.count(entry(b"x", Side.SERVER), "repeated")
        one.count(entry(b"x"), "command")
        one.count(Ending(Side.CLIENT, 0.0, 0, "FIN"), "video")
        other.count(entry(b"f"), "audio")
        rows = [(side.value, name, str(here), str(there)) for side, name, here, there in one.beside(other)]
        digest = hashlib.sha256(b"abcde").hexdigest()[:12]
        self.assertEqual(
            [(side, name) for side, name, _, _ in rows],
            [("client", "audio"), ("client", "video"), ("server", "acknowledgements and pings")],
        )
        self.assertEqual(rows[1][2:], (f"2 messages, 5 bytes, SHA-256 {digest}", "none"))
        self.assertEqual(one.get(Side.CLIENT, "video").size, 5)
        self.assertEqual(one.get(Side.SERVER, "video").count, 0)
