# -*- test-case-name: tests.wire.test_control -*-
"""
Tests for L{rtmptw.wire.control}: one table in both directions, bodies that are too short or too long, and what we
refuse to write.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import LocalProtocolError
from rtmptw.wire.control import (
    BandwidthLimit,
    UserControl,
    UserControlType,
    acknowledgement,
    controlValue,
    setChunkSize,
    setPeerBandwidth,
    windowAcknowledgementSize,
)
from rtmptw.wire.message import Message

#: Messages of RTMP 1.0, section 5.4: what is written, its type ID, its body, the number in it.
CONTROLS = (
    (setChunkSize(1), 1, "00000001", 1),
    (setChunkSize(4096), 1, "00001000", 4096),
    (setChunkSize(0xFFFFFF), 1, "00ffffff", 0xFFFFFF),
    (acknowledgement(0), 3, "00000000", 0),
    (acknowledgement(0xFFFFFFFF), 3, "ffffffff", 0xFFFFFFFF),
    (acknowledgement((1 << 32) + 5), 3, "00000005", 5),
    (windowAcknowledgementSize(1), 5, "00000001", 1),
    (windowAcknowledgementSize(2_500_000), 5, "002625a0", 2_500_000),
    (windowAcknowledgementSize(0x7FFFFFFF), 5, "7fffffff", 0x7FFFFFFF),
    (setPeerBandwidth(2_500_000), 6, "002625a002", 2_500_000),
    (setPeerBandwidth(1, BandwidthLimit.HARD), 6, "0000000100", 1),
    (setPeerBandwidth(0x7FFFFFFF, BandwidthLimit.SOFT), 6, "7fffffff01", 0x7FFFFFFF),
)

#: User control messages (section 7.1.7; wire facts 2.6): the value, its body.
USER_CONTROLS = (
    (UserControl(UserControlType.STREAM_BEGIN), "0000 00000000"),
    (UserControl(UserControlType.STREAM_BEGIN, 1), "0000 00000001"),
    (UserControl(UserControlType.STREAM_EOF, 1), "0001 00000001"),
    (UserControl(UserControlType.STREAM_DRY, 0xFFFFFFFF), "0002 ffffffff"),
    (UserControl(UserControlType.SET_BUFFER_LENGTH, 1, 3000), "0003 00000001 00000bb8"),
    (UserControl(UserControlType.SET_BUFFER_LENGTH, 0, 0xFFFFFFFF), "0003 00000000 ffffffff"),
    (UserControl(UserControlType.STREAM_IS_RECORDED, 1), "0004 00000001"),
    (UserControl(UserControlType.PING_REQUEST, 0x01020304), "0006 01020304"),
    (UserControl(UserControlType.PING_RESPONSE, 0x01020304), "0007 01020304"),
    (UserControl(UserControlType.BUFFER_EMPTY, 1), "001f 00000001"),
    (UserControl(UserControlType.BUFFER_READY, 1), "0020 00000001"),
    (UserControl(0xFFFF, 7, 0), "ffff 00000007 00000000"),
)


class ControlTests(SynchronousTestCase):
    """Protocol control messages."""

    def test_table(self) -> None:
        """Each has its type and body, on chunk stream 2 and message stream 0, without a time."""
        for message, type, body, value in CONTROLS:
            self.assertEqual(message, Message(type, 0, 0, bytes.fromhex(body), 2))
            self.assertEqual(controlValue(message), value)

    def test_conformance35_whatIsNeverWritten(self) -> None:
        """Sizes of zero, negative ones, and those with the top bit: FFmpeg stops at them."""
        for make in (setChunkSize, windowAcknowledgementSize, setPeerBandwidth):
            for size in (0, -1, 0x80000000, 0xFFFFFFFF, 1 << 32):
                self.assertRaises(LocalProtocolError, make, size)
        self.assertRaises(LocalProtocolError, setChunkSize, 0x1000000)
        self.assertEqual(sorted(BandwidthLimit), [0, 1, 2])

    def test_B8_shortBodies(self) -> None:
        """Bodies of 0 to 3 bytes have no number, and are to be passed over; Peer Bandwidth may lack its limit type."""
        for type in (1, 2, 3, 5, 6):
            for size in range(4):
                self.assertIsNone(controlValue(Message(type, 0, 0, b"\1" * size, 2)))
            self.assertEqual(controlValue(Message(type, 0, 0, b"\1\2\3\4", 2)), 0x01020304)

    def test_B8_longBodies(self) -> None:
        """The first four bytes count."""
        self.assertEqual(controlValue(Message(5, 0, 0, b"\1\2\3\4\5\6\7", 2)), 0x01020304)


class UserControlTests(SynchronousTestCase):
    """User control messages."""

    def test_table(self) -> None:
        for control, digits in USER_CONTROLS:
            body = bytes.fromhex(digits)
            self.assertEqual(control.encode(), Message(4, 0, 0, body, 2))
            self.assertEqual(UserControl.decode(body), control)

    def test_everyTypeHasItsNumber(self) -> None:
        self.assertEqual(sorted(UserControlType), [0, 1, 2, 3, 4, 6, 7, 26, 27, 31, 32])

    def test_B8_shortBodies(self) -> None:
        """Without an event type there is nothing; numbers that are missing or cut short count as 0, or as none."""
        body = bytes.fromhex("0003 01020304 05060708")
        for size, expected in (
            (0, None),
            (1, None),
            (2, UserControl(3)),
            (3, UserControl(3)),
            (5, UserControl(3)),
            (6, UserControl(3, 0x01020304)),
            (9, UserControl(3, 0x01020304)),
            (10, UserControl(3, 0x01020304, 0x05060708)),
        ):
            self.assertEqual(UserControl.decode(body[:size]), expected)

    def test_B8_longBodies(self) -> None:
        """What stands behind the numbers (an answer to SWF verification has 42 bytes) is passed over."""
        self.assertEqual(UserControl.decode(b"\0\x1b" + b"\1" * 40), UserControl(27, 0x01010101, 0x01010101))

    def test_whatDoesNotFit(self) -> None:
        for control in (
            UserControl(-1),
            UserControl(0x10000),
            UserControl(0, -1),
            UserControl(0, 1 << 32),
            UserControl(3, 0, -1),
            UserControl(3, 0, 1 << 32),
        ):
            error = self.assertRaises(LocalProtocolError, control.encode)
            self.assertIn("does not fit", str(error))

    @given(st.binary(max_size=12))
    def test_anyBody(self, body: bytes) -> None:
        """Decoding never fails, and says what stands there whole."""
        control = UserControl.decode(body)
        self.assertEqual(control is None, len(body) < 2)
        if control is not None:
            whole = body[: max(size for size in (2, 6, 10) if size <= len(body))]
            self.assertEqual(control.encode().payload, whole.ljust(6, b"\0"))
