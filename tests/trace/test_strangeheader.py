"""
Tests for L{rtmptw.trace.strangeheader}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.trace.strangeheader import strangeness
from rtmptw.wire.chunkstream import ChunkStream
from rtmptw.wire.message import MAX_MESSAGE_SIZE, MessageType


def header(type: int, length: int = 4, streamId: int = 1) -> ChunkStream:
    stream = ChunkStream(3)
    stream.type, stream.length, stream.streamId = type, length, streamId
    return stream


class StrangenessTests(SynchronousTestCase):
    def test_plain(self) -> None:
        """Any size of what is no control message, and any stream that somebody may have made."""
        for type in MessageType:
            size = 44 if type <= 6 else MAX_MESSAGE_SIZE
            self.assertEqual(strangeness(header(type, size, 0xFFFF)), "")

    def test_strange(self) -> None:
        self.assertEqual(strangeness(header(7)), "a message of the unknown type 7")
        self.assertEqual(strangeness(header(0)), "a message of the unknown type 0")
        self.assertEqual(strangeness(header(4, 65)), "a control message of 65 bytes")
        self.assertEqual(strangeness(header(9, 65, 0x10000)), "message stream 65536")
