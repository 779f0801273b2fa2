"""
Tests for L{rtmptw.trace.complaint}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.trace.chunkwalker import UNCUT
from rtmptw.trace.complaint import complaint
from rtmptw.trace.recut import Recut
from rtmptw.trace.segment import Side


class ComplaintTests(SynchronousTestCase):
    def assertSays(self, recut: Recut, cause: str, words: str, side: Side = Side.SERVER, peer: int = 128) -> None:
        found = complaint(side, recut, peer)
        self.assertEqual((found.cause.name, found.words, found.offset), (cause, words, recut.offset))

    def test_uncut(self) -> None:
        self.assertSays(
            Recut(UNCUT, 128, False, 1190, 3213),
            "reply-not-chunked",
            "the server has written a message of 1,190 bytes in one piece, but its chunk size is still 128: behind "
            "byte 128 of the message a reader expects a chunk header, and takes what stands there for one",
        )
        self.assertSays(
            Recut(UNCUT, 4096, True, 5000, 3213),
            "client-not-chunked",
            "the client has written a message of 5,000 bytes in one piece, but its chunk size is 4,096: behind byte "
            "4,096 of the message a reader expects a chunk header, and takes what stands there for one",
            Side.CLIENT,
        )

    def test_smallerThanAnnounced(self) -> None:
        self.assertSays(
            Recut(128, 4096, True, 190, 3213),
            "announced-chunk-size-not-used",
            "the server has announced chunks of 4,096 bytes, and cuts a message of 190 bytes at 128: a reader takes "
            "the chunk headers there for a part of the message",
            peer=4096,
        )

    def test_notAnnounced(self) -> None:
        """It may have taken the other side's size for its own (wire facts 2.5)."""
        words = (
            "the client cuts a message of 9,000 bytes at 4,096, and has not announced that (Set Chunk Size): a reader "
            "expects a chunk header every 128 bytes"
        )
        recut = Recut(4096, 128, False, 9000, 3213)
        self.assertSays(recut, "announced-chunk-size-not-used", words, Side.CLIENT)
        words += "; 4,096 is what the server has announced, for its own chunks only"
        self.assertSays(recut, "announced-chunk-size-not-used", words, Side.CLIENT, 4096)
