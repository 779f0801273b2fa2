# -*- test-case-name: tests.session.test_connect -*-
"""
Tests for L{rtmptw.session.connect}.
"""

from __future__ import annotations

import operator

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import StatusError
from rtmptw.requests import ConnectRequest
from rtmptw.session.connect import OUR_CHUNK_SIZE, acceptConnect, checkConnect, readConnect
from rtmptw.session.hops import MAX_HOPS, identityOf
from rtmptw.wire import amf0
from rtmptw.wire.command import Command
from tests.session.dialects import told

A, B = "a" * 16, "b" * 16


class ConnectTests(SynchronousTestCase):
    def test_read(self) -> None:
        """Application, URL, query, and everything else as it came."""
        rows = [
            ({"app": "live", "tcUrl": "rtmp://h/live"}, ("live", "rtmp://h/live", "")),
            ({"app": "/live/a/"}, ("live/a", "", "")),
            ({"app": "live?a=1", "tcUrl": "rtmp://h/live?a=1"}, ("live", "rtmp://h/live?a=1", "a=1")),
            ({"app": "live?a=1", "tcUrl": "rtmp://h/live?b=2"}, ("live", "rtmp://h/live?b=2", "a=1&b=2")),
            ({"app": 5.0, "tcUrl": None}, ("", "", "")),
            ({}, ("", "", "")),
            (None, ("", "", "")),
            ("live", ("", "", "")),
        ]
        for object, expected in rows:
            request = readConnect(Command("connect", 1.0, object), "peer", True)
            self.assertEqual((request.app, request.tcUrl, request.query), expected)
            self.assertEqual(request.parameters, object if isinstance(object, dict) else {})
            self.assertEqual((request.peer, request.secure, request.hops), ("peer", True, ()))

    def test_readHops(self) -> None:
        """If it is a relay, the servers on its way; from hostile ones too many at most."""
        rows: list[tuple[object, tuple[str, ...]]] = [
            ("", ()),
            (f"{A} {B}", (A, B)),
            (None, ()),
            (5.0, ()),
            ({"a": A}, ()),
            ([A], ()),
            (f"{A} " * 100_000, (A,) * (MAX_HOPS + 1)),
        ]
        for value, expected in rows:
            request = readConnect(Command("connect", 1.0, {"app": "live", "relayPath": value}), "peer", False)
            self.assertEqual((request.app, request.hops), ("live", expected))

    def test_F13_checkHops(self) -> None:
        """Hostile row F13: a relay in a circle, or too far from the encoder, is told so."""
        for hops, words in (
            ((), ""),
            ((A,), ""),
            ((A,) * MAX_HOPS, ""),
            ((A, B), "circle"),
            ((A,) * (MAX_HOPS + 1), f"more than {MAX_HOPS}"),
        ):
            request = ConnectRequest("peer", "live", hops=hops)
            if words:
                self.assertIn(words, self.assertRaises(StatusError, checkConnect, request, B).description)
            else:
                checkConnect(request, B)

    def test_acceptRelay(self) -> None:
        """A relay is told who we are, and nobody else."""
        for hops, expected in (((), ()), ((A,), (B,))):
            *_, result = acceptConnect(1.0, ConnectRequest("peer", "live", hops=hops), B)
            self.assertEqual(identityOf(amf0.decode(result.payload)[2]), expected)

    def test_check(self) -> None:
        checkConnect(ConnectRequest("peer", "x" * 128, query="q" * 4096), "me")
        for request in (
            ConnectRequest("peer", "x" * 129),
            ConnectRequest("peer", "", query="q" * 4097),
            ConnectRequest("peer", "a\n"),
            ConnectRequest("peer", "a", query="\0"),
        ):
            self.assertRaises(StatusError, checkConnect, request, "me")

    def test_accept(self) -> None:
        """The order of wire facts 3.5; a bandwidth that rtmp2's mirrored window never fills (2.8)."""
        messages = acceptConnect(3.0, ConnectRequest("peer", "live"), "me")
        self.assertEqual(
            [told(message) for message in messages],
            [
                "WINDOW_ACKNOWLEDGEMENT_SIZE 2500000",
                "SET_PEER_BANDWIDTH 2147483647",
                "STREAM_BEGIN 0",
                f"SET_CHUNK_SIZE {OUR_CHUNK_SIZE}",
                "_result 3",
            ],
        )
        self.assertEqual([(m.chunkStreamId, m.streamId, m.timestamp) for m in messages], [(2, 0, 0)] * 4 + [(3, 0, 0)])

    def test_readShared(self) -> None:
        """What a connect held may belong to others too: it can't be changed through the request."""
        request = readConnect(Command("connect", 1.0, {"app": "live"}), "peer", True)
        self.assertRaises(TypeError, operator.setitem, request.parameters, "app", "other")

    def test_acceptToTheByte(self) -> None:
        """What was answered to others changes nothing: numbers go back as they came, and relays alone are told more."""
        enhanced = {"fourCcList": ["av01"]}
        for _ in range(2):
            for number in (1.0, 0.0, -0.0, 2.5, -1.0, 1.0):
                for encoding in (0.0, -0.0, 3.0):
                    for parameters, hops in (({}, ()), (enhanced, ()), ({}, (A,)), (enhanced, (A,))):
                        request = ConnectRequest(
                            "peer", "live", parameters={"objectEncoding": encoding, **parameters}, hops=hops
                        )
                        *_, result = acceptConnect(number, request, B)
                        name, id, properties, information = amf0.decode(result.payload)
                        self.assertEqual(
                            (name, amf0.encode(id), amf0.encode(information["objectEncoding"])),
                            ("_result", amf0.encode(number), amf0.encode(encoding)),
                        )
                        self.assertEqual(
                            ("capsEx" in properties, "relayId" in properties), (bool(parameters), bool(hops))
                        )

    def test_objectEncoding(self) -> None:
        """Theirs, if it is a number."""
        for value, expected in ((3.0, 3.0), (0.0, 0.0), (3, 3.0), ("3", 0.0), (None, 0.0)):
            request = ConnectRequest("peer", "live", parameters={"objectEncoding": value})
            *_, result = acceptConnect(1.0, request, "me")
            self.assertEqual(amf0.decode(result.payload)[3]["objectEncoding"], expected)
