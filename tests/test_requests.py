# -*- test-case-name: tests.test_requests -*-
"""
Tests for L{rtmptw.requests}.
"""

from __future__ import annotations

from dataclasses import FrozenInstanceError

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.requests import ConnectRequest, PlayRequest, PublishRequest, StreamRequest

CONNECT = ConnectRequest("127.0.0.1:5", "live")


class RequestTests(SynchronousTestCase):
    def test_defaults(self) -> None:
        self.assertEqual((CONNECT.tcUrl, CONNECT.query, CONNECT.parameters, CONNECT.secure), ("", "", {}, False))
        self.assertEqual((CONNECT.hops, CONNECT.notes), ((), {}))
        self.assertEqual(PublishRequest(CONNECT, "live/a").type, "live")
        self.assertEqual(PlayRequest(CONNECT, "live/a").start, -2.0)

    def test_frozen(self) -> None:
        for request, name in (
            (CONNECT, "app"),
            (PublishRequest(CONNECT, "a"), "path"),
            (PlayRequest(CONNECT, "a"), "start"),
        ):
            self.assertRaises(FrozenInstanceError, setattr, request, name, "x")

    def test_notes(self) -> None:
        """Each connect has its own; they are no part of what was asked, nor of how it is written."""
        one, other = ConnectRequest("127.0.0.1:5", "live"), ConnectRequest("127.0.0.1:5", "live")
        one.notes["user"] = "alice"
        self.assertEqual((PublishRequest(one, "live/a").connect.notes, other.notes), ({"user": "alice"}, {}))
        self.assertEqual(one, other)
        self.assertNotIn("alice", repr(one))

    def test_conformance91_parameter(self) -> None:
        """The first of a name, decoded; empty values count; what is no parameter does not."""
        rows = [
            ("token=x", "x"),
            ("token=a%2Fb+c", "a/b c"),
            ("a=1&token=x&token=y", "x"),
            ("token=", ""),
            ("token", ""),
            ("", None),
            ("nottoken=x", None),
            ("&&=&token=x", "x"),
            ("token=%ff", "\ufffd"),
            ("token=%zz", "%zz"),
            ("token=x=y", "x=y"),
            ("&".join(f"a{n}=1" for n in range(600)) + "&token=x", "x"),
        ]
        for query, value in rows:
            self.assertEqual((query, StreamRequest(CONNECT, "a", query).parameter("token")), (query, value))
