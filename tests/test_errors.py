# -*- test-case-name: tests.test_errors -*-
"""
Tests for L{rtmptw.errors}: who is to blame, and how it reads in a log line.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw import errors
from rtmptw.errors import (
    AMFDecodeError,
    AMFUnsupportedError,
    LimitExceeded,
    LocalProtocolError,
    RemoteProtocolError,
    RTMPError,
    StatusError,
)


class ErrorTests(SynchronousTestCase):
    def test_family(self) -> None:
        """Everything is an L{RTMPError}; what a peer's bytes cause is a L{RemoteProtocolError}, and nothing else is."""
        remote = {RemoteProtocolError, LimitExceeded, AMFDecodeError, AMFUnsupportedError}
        for name in errors.__all__:
            error = getattr(errors, name)
            self.assertTrue(issubclass(error, RTMPError), name)
            self.assertEqual(issubclass(error, RemoteProtocolError), error in remote, name)
        self.assertTrue(issubclass(AMFUnsupportedError, AMFDecodeError))
        self.assertFalse(issubclass(LocalProtocolError, RemoteProtocolError))

    def test_places(self) -> None:
        """Each place that is known is named, and zero is a place."""
        for places, text in (
            ({}, "bad"),
            ({"offset": 0}, "bad (at byte 0)"),
            ({"offset": 3073, "chunkStream": 5}, "bad (at byte 3073, chunk stream 5)"),
            ({"messageType": 20}, "bad (at message type 20)"),
            ({"offset": 1, "chunkStream": 2, "messageType": 0}, "bad (at byte 1, chunk stream 2, message type 0)"),
        ):
            for kind in (RemoteProtocolError, LimitExceeded, AMFDecodeError, AMFUnsupportedError):
                error = kind("bad", **places)
                self.assertEqual(str(error), text)
                self.assertEqual(error.reason, "bad")
                self.assertEqual(
                    {"offset": error.offset, "chunkStream": error.chunkStream, "messageType": error.messageType},
                    {"offset": None, "chunkStream": None, "messageType": None, **places},
                )

    def test_status(self) -> None:
        """A refusal has a reason for people, and a code if its maker chose one."""
        error = StatusError("the name is taken", "NetStream.Publish.BadName")
        self.assertEqual((error.description, error.code), ("the name is taken", "NetStream.Publish.BadName"))
        self.assertEqual(str(error), "NetStream.Publish.BadName: the name is taken")
        plain = StatusError("closed today")
        self.assertEqual((str(plain), plain.description, plain.code), ("closed today", "closed today", ""))
