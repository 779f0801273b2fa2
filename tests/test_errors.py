# -*- test-case-name: tests.test_errors -*-
"""
Tests for L{rtmptw.errors}: who is to blame, and how it reads in a log line.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw import errors
from rtmptw.errors import (
    AMFDecodeError,
    AMFLimitExceeded,
    AMFUnsupportedError,
    CallError,
    LimitExceeded,
    LocalProtocolError,
    RemoteProtocolError,
    RTMPError,
    StatusError,
)


class ErrorTests(SynchronousTestCase):
    def test_family(self) -> None:
        """Everything is an L{RTMPError}; what a peer's bytes cause is a L{RemoteProtocolError}, and nothing else is."""
        remote = {RemoteProtocolError, LimitExceeded, AMFDecodeError, AMFLimitExceeded, AMFUnsupportedError}
        for name in errors.__all__:
            error = getattr(errors, name)
            self.assertTrue(issubclass(error, RTMPError), name)
            self.assertEqual(issubclass(error, RemoteProtocolError), error in remote, name)
        self.assertTrue(issubclass(AMFUnsupportedError, AMFDecodeError))
        self.assertTrue(issubclass(AMFLimitExceeded, AMFDecodeError) and issubclass(AMFLimitExceeded, LimitExceeded))
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
            for kind in (RemoteProtocolError, LimitExceeded, AMFDecodeError, AMFLimitExceeded, AMFUnsupportedError):
                error = kind("bad", **places)
                self.assertEqual(str(error), text)
                self.assertEqual(error.reason, "bad")
                self.assertEqual(
                    {"offset": error.offset, "chunkStream": error.chunkStream, "messageType": error.messageType},
                    {"offset": None, "chunkStream": None, "messageType": None, **places},
                )

    def test_limit(self) -> None:
        """Which limit, if anybody says so."""
        for kind in (LimitExceeded, AMFLimitExceeded):
            self.assertEqual((kind("much").limit, kind("much", limit="videoBytes").limit), ("", "videoBytes"))

    def test_status(self) -> None:
        """A refusal has a reason for people, and a code if its maker chose one."""
        error = StatusError("the name is taken", "NetStream.Publish.BadName")
        self.assertEqual((error.description, error.code), ("the name is taken", "NetStream.Publish.BadName"))
        self.assertEqual(str(error), "NetStream.Publish.BadName: the name is taken")
        plain = StatusError("closed today")
        self.assertEqual((str(plain), plain.description, plain.code), ("closed today", "closed today", ""))

    def test_call(self) -> None:
        """Whatever a server says becomes one line that can be shown; its own words are kept as they are."""
        rows = [
            ("for you: 5 \u20ac", "for you: 5 \u20ac"),
            ("no\r\n2030-01-01 [server] all is well", r"no\r\n2030-01-01 [server] all is well"),
            ("\x1b[2J\0\u202egnp.exe\udcff", r"\x1b[2J\x00\u202egnp.exe\udcff"),
            ("x" * 1000, "x" * 294 + "..."),
        ]
        for description, shown in rows:
            error = CallError("publish", description, "Code")
            self.assertEqual(error.description, description)
            self.assertEqual(error.words, f"Code: {shown}")
            self.assertEqual(str(error), f"publish refused: Code: {shown}")

    def test_redirect(self) -> None:
        """Where a server would send us is said, without what may be a secret; whatever else stands there, is not."""
        rows: list[tuple[object, str, str]] = [
            ({"code": 302.0, "redirect": "rtmp://b.test/live"}, "rtmp://b.test/live", "rtmp://b.test/live"),
            ({"redirect": "rtmp://me:pw@b.test/live?key=x"}, "rtmp://me:pw@b.test/live?key=x", "b.test/live"),
            ({"redirect": "rtmp://b\n\x1b"}, "rtmp://b\n\x1b", r"rtmp://b\n\x1b"),
            ({"redirect": 302.0}, "", ""),
            ({}, "", ""),
            ("rtmp://b", "", ""),
            (None, "", ""),
        ]
        for extra, redirect, place in rows:
            error = CallError("connect", "moved", "", {"ex": extra})
            self.assertEqual(error.redirect, redirect)
            behind = f"; the peer points to {place}, and is not followed" if place else ""
            self.assertEqual(str(error), f"connect refused: moved{behind}")
