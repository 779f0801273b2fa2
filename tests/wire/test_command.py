# -*- test-case-name: tests.wire.test_command -*-
"""
Tests for L{rtmptw.wire.command}.
"""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import LimitExceeded, LocalProtocolError, RemoteProtocolError
from rtmptw.wire import amf0
from rtmptw.wire.amf import AMFLimits, ECMAArray
from rtmptw.wire.command import Command, messageStreamId
from rtmptw.wire.message import Message

NAN, INF = float("nan"), float("inf")


def decode(payload: bytes, type: int = 20) -> Command:
    return Command.decode(Message(type, 0, 0, payload))


class CommandTests(SynchronousTestCase):
    def test_bothWays(self) -> None:
        rows = [
            Command("connect", 1.0, {"app": "live"}),
            Command("_result", 2.0, None, (1.0,)),
            Command("onStatus", 0.0, None, ({"level": "status"},)),
            Command("play", 4.0, None, ("test", -2.0, True, [1.0, "x"])),
        ]
        for command in rows:
            message = command.encode(7, 8)
            self.assertEqual((message.type, message.timestamp, message.streamId, message.chunkStreamId), (20, 0, 7, 8))
            self.assertEqual(Command.decode(message), command)

    def test_bytes(self) -> None:
        """Three values at least, null as 05 (wire facts 10.56)."""
        self.assertEqual(Command("a").encode().payload, b"\x02\0\x01a" + bytes(9) + b"\x05")
        self.assertEqual((Command("a").encode().streamId, Command("a").encode().chunkStreamId), (0, 3))

    def test_missingValues(self) -> None:
        """Only the name must be there."""
        whole = amf0.encode("name", 5.0, {"a": 1.0}, "x")
        for size, command in (
            (7, Command("name")),
            (16, Command("name", 5.0)),
            (len(whole) - 4, Command("name", 5.0, {"a": 1.0})),
            (len(whole), Command("name", 5.0, {"a": 1.0}, ("x",))),
        ):
            self.assertEqual(decode(whole[:size]), command)

    def test_shared(self) -> None:
        """What is the same to the byte, and of the same type, is read once; nothing else is."""
        payload = Command("connect", 1.0, {"app": "shared"}).encode().payload
        first = Command.decodeShared(Message(20, 0, 0, payload))
        self.assertEqual(first, decode(payload))
        self.assertIs(Command.decodeShared(Message(20, 5, 1, bytes(bytearray(payload)), 8)), first)
        self.assertIsNot(decode(payload), first)
        self.assertIsNot(Command.decodeShared(Message(17, 0, 0, payload)), first)
        zeros = [Command("_x", zero).encode().payload for zero in (0.0, -0.0)]
        self.assertEqual(
            [math.copysign(1, Command.decodeShared(Message(20, 0, 0, zero)).transactionId) for zero in zeros], [1, -1]
        )

    def test_sharedLimits(self) -> None:
        """No more of it is kept than the last ones, and nothing that is long."""

        def isKept(payload: bytes) -> bool:
            read = [Command.decodeShared(Message(20, 0, 0, payload)) for _ in range(2)]
            self.assertEqual(read, [decode(payload)] * 2)
            return read[0] is read[1]

        for size, kept in ((10, True), (1024, True), (1025, False), (4000, False)):
            self.assertEqual(isKept(amf0.encode("x" * (size - 3))), kept)
        early = Message(20, 0, 0, amf0.encode("early"))
        first = Command.decodeShared(early)
        for number in range(256):
            self.assertIs(Command.decodeShared(early), first)
            self.assertTrue(isKept(amf0.encode("other", float(number))))
        for number in range(256):
            self.assertTrue(isKept(amf0.encode("late", float(number))))
        self.assertIsNot(Command.decodeShared(early), first)

    def test_sharedByLimits(self) -> None:
        """What the limits of one server allow is not what those of another one do."""
        generous, strict = AMFLimits(), AMFLimits(values=3)
        for name in ("strictFirst", "generousFirst"):
            message = Message(20, 0, 0, amf0.encode(name, 1.0, None, 2.0))
            if name == "strictFirst":
                self.assertRaises(LimitExceeded, Command.decodeShared, message, strict)
            first = Command.decodeShared(message, generous)
            self.assertEqual(first.arguments, (2.0,))
            self.assertRaises(LimitExceeded, Command.decodeShared, message, strict)
            self.assertIs(Command.decodeShared(message, AMFLimits()), first)

    def test_limits(self) -> None:
        for decode in (Command.decode, Command.decodeShared):
            message = Message(20, 0, 0, amf0.encode("name", 1.0, None, 2.0))
            self.assertEqual(decode(message, AMFLimits(values=4)).arguments, (2.0,))
            error = self.assertRaises(LimitExceeded, decode, message, AMFLimits(values=3))
            self.assertEqual(error.limit, "commandValues")

    def test_sharedFaults(self) -> None:
        """What can't be read can't be read again either."""
        for payload in (b"", b"\x02\0\x05ab", amf0.encode(5.0)):
            for _ in range(2):
                self.assertRaises(RemoteProtocolError, Command.decodeShared, Message(20, 0, 0, payload))

    def test_noName(self) -> None:
        for payload in (b"", amf0.encode(5.0), amf0.encode(None, "name"), amf0.encode({}), b"\x0d", b"\xff"):
            for type, data in ((20, payload), (17, payload), (17, b"\0" + payload)):
                error = self.assertRaises(RemoteProtocolError, decode, data, type)
                self.assertTrue(str(error))

    def test_cutShort(self) -> None:
        """A value that is cut is an error, wherever."""
        whole = amf0.encode("name", 5.0, "text")
        for size in (1, 2, 3, 6, 8, 15, 17, len(whole) - 1):
            self.assertRaises(RemoteProtocolError, decode, whole[:size])

    def test_conformance46_AMF3(self) -> None:
        """Type 17: a leading 0, or none; AMF3 values behind 11."""
        payload = amf0.encode("name", 5.0, None)
        for data in (payload, b"\0" + payload):
            self.assertEqual(decode(data, 17), Command("name", 5.0))
            self.assertEqual(decode(data + b"\x11\x06\x05ab\x11\x04\x07", 17), Command("name", 5.0, None, ("ab", 7)))
        # Type 20 has no such byte: there a 0 begins a number.
        self.assertRaises(RemoteProtocolError, decode, b"\0" + payload)

    def test_unknownTypeEndsTheList(self) -> None:
        """What came before a value of unknown length is good (wire facts 3.6, 18)."""
        payload = amf0.encode("name", 5.0, None, "a")
        for unknown in (b"\x04", b"\x0e", b"\xff"):
            self.assertEqual(decode(payload + unknown + b"more"), Command("name", 5.0, None, ("a",)))

    def test_C7_transactionIds(self) -> None:
        """Any finite number is kept; anything else counts as 0."""
        for number in (0.0, 1.0, -1.0, 1.5, 1e308, -0.0):
            self.assertEqual(decode(amf0.encode("a", number)).transactionId, number)
        for value in (NAN, INF, -INF, True, False, "1", None, {}, [1.0], ECMAArray()):
            transactionId = decode(amf0.encode("a", value)).transactionId
            self.assertEqual((transactionId, type(transactionId)), (0.0, float))
        transactionId = decode(amf0.encode("a") + b"\x11\x04\x07", 17).transactionId
        self.assertEqual((transactionId, type(transactionId)), (7.0, float))

    def test_C1_C2_C3_limits(self) -> None:
        """Depth, counts and lengths have bounds."""
        head = amf0.encode("a", 0.0)
        for body in (
            b"\x03\0\1a" * 100_000,
            b"\x0a\0\0\0\1" * 1000,
            b"\x0a\xff\xff\xff\xff" + b"\x05" * 2000,
            b"\x0c\xff\xff\xff\xffabc",
            amf0.encode("x" * 5000),
            amf0.encode(*[None] * 2000),
        ):
            self.assertRaises(RemoteProtocolError, decode, head + body)

    def test_arguments(self) -> None:
        command = Command("a", 0.0, None, ("x", 5.0))
        self.assertEqual([command.argument(n) for n in range(3)], ["x", 5.0, None])
        self.assertEqual([command.text(n) for n in range(3)], ["x", None, None])

    def test_notEncodable(self) -> None:
        self.assertRaises(LocalProtocolError, Command("a", 0.0, None, (b"bytes",)).encode)

    @settings(deadline=None, max_examples=300)
    @given(payload=st.binary(max_size=60), type=st.sampled_from((17, 20)))
    def test_anyBytes(self, payload: bytes, type: int) -> None:
        """A command with a finite number, or the one error."""
        try:
            command = decode(payload, type)
        except RemoteProtocolError:
            return
        self.assertTrue(math.isfinite(command.transactionId))


class MessageStreamIdTests(SynchronousTestCase):
    def test_good(self) -> None:
        for value, id in ((0.0, 0), (1.0, 1), (7, 7), (4294967295.0, 0xFFFFFFFF), (-0.0, 0)):
            self.assertEqual(messageStreamId(value), id)

    def test_C7_bad(self) -> None:
        for value in (-1.0, 1.5, 4294967296.0, 1e308, NAN, INF, -INF, "1", None, True, {}, [1.0]):
            self.assertIsNone(messageStreamId(value))
