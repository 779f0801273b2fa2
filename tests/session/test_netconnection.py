# -*- test-case-name: tests.session.test_netconnection -*-
"""
Tests for L{rtmptw.session.netconnection}: what both sides have in common. Most of it is seen at work in the tests of
the two sides.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.session.netconnection import NetConnection, Phase
from rtmptw.wire.control import UserControl, UserControlType
from rtmptw.wire.message import Message, MessageType
from tests.session.dialects import Stage


class BaseTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.client = Stage(self).client()
        self.connection = NetConnection(self.client.protocol)
        self.client.shakeHands()

    def test_defaults(self) -> None:
        """A side that has nothing to say about itself."""
        connection = self.connection
        self.assertEqual(
            (connection.waiting, connection.connected, connection.publishing, connection.playing, connection.active),
            (False, False, False, False, True),
        )
        self.assertTrue(connection.isOfUse)
        self.assertEqual(connection.farewell("", ""), ())
        connection.begin()
        connection.gone("", True)
        connection.messageReceived(UserControl(UserControlType.STREAM_EOF, 1).encode())
        self.client.assertSilent()

    def test_sides(self) -> None:
        """What only a side can know."""
        connection = self.connection
        self.assertRaises(NotImplementedError, lambda: connection.activity)
        for type, payload in ((8, b""), (18, b""), (20, b"\2\0\1a")):
            self.assertRaises(NotImplementedError, connection.messageReceived, Message(type, 0, 1, payload))

    def test_ended(self) -> None:
        """Nothing is taken any more."""
        self.connection.end("over")
        self.assertIs(self.connection.phase, Phase.ENDED)
        self.connection.messageReceived(Message(MessageType.AUDIO, 0, 1, b""))
