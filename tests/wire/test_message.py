# -*- test-case-name: tests.wire.test_message -*-
"""
Tests for L{rtmptw.wire.message}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.wire.message import CONTROL_CHUNK_STREAM, MAX_MESSAGE_SIZE, Message, MessageType


class MessageTests(SynchronousTestCase):
    """A message is a plain value."""

    def test_numbers(self) -> None:
        """The type IDs of RTMP 1.0, sections 5.4, 6.2 and 7.1; what the wire can hold; where control messages go."""
        self.assertEqual(sorted(MessageType), [1, 2, 3, 4, 5, 6, 8, 9, 15, 16, 17, 18, 19, 20, 22])
        self.assertEqual((MAX_MESSAGE_SIZE, CONTROL_CHUNK_STREAM), (2**24 - 1, 2))

    def test_plainNumberOrName(self) -> None:
        """A type as a number is the type by its name."""
        self.assertEqual(Message(9, 40, 1, b"abc"), Message(MessageType.VIDEO, 40, 1, b"abc", 3))
        self.assertNotEqual(Message(9, 40, 1, b"abc"), Message(9, 40, 1, b"abc", 4))

    def test_small(self) -> None:
        """A message has no room for anything else: there are many of them."""
        self.assertRaises(AttributeError, setattr, Message(9, 0, 1, b""), "keyframe", True)
