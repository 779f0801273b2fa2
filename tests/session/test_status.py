# -*- test-case-name: tests.session.test_status -*-
"""
Tests for L{rtmptw.session.status}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.session import status
from rtmptw.wire import amf0


class StatusTests(SynchronousTestCase):
    def test_conformance51_bytes(self) -> None:
        """To the byte: name, number 0, null, an object with three strings, its end."""
        message = status.onStatus(5, "A.B", "why", "error")

        def text(value: bytes) -> bytes:
            return len(value).to_bytes(2, "big") + value

        self.assertEqual(
            message.payload,
            b"\x02"
            + text(b"onStatus")
            + bytes(9)
            + b"\x05\x03"
            + text(b"level")
            + b"\x02"
            + text(b"error")
            + text(b"code")
            + b"\x02"
            + text(b"A.B")
            + text(b"description")
            + b"\x02"
            + text(b"why")
            + b"\0\0\x09",
        )
        self.assertEqual((message.type, message.streamId, message.timestamp, message.chunkStreamId), (20, 5, 0, 5))

    def test_level(self) -> None:
        self.assertEqual(status.information("A", "b")["level"], "status")
        self.assertEqual(amf0.decode(status.onStatus(1, "A", "b").payload)[3]["level"], "status")

    def test_codes(self) -> None:
        """Every code begins with the object that it is about; every refusal has one."""
        codes = [value for name, value in vars(status).items() if name.isupper() and isinstance(value, str)]
        self.assertTrue(len(codes) >= 14)
        for code in codes:
            self.assertRegex(code, r"^(NetConnection|NetStream)(\.[A-Z][A-Za-z]+){1,2}$")
        self.assertEqual(set(status.REFUSALS), {"connect", "publish", "play"})
