"""
Tests for L{rtmptw.trace.values}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import AMFUnsupportedError
from rtmptw.trace.values import COMMANDS, DATA, PlacedValue, readValues
from rtmptw.wire import amf0
from rtmptw.wire.amf import UNDEFINED, AMFValue
from rtmptw.wire.message import Message, MessageType


def values(*content: AMFValue, tail: bytes = b"", type: int = MessageType.COMMAND, head: bytes = b"") -> Message:
    return Message(type, 0, 0, head + amf0.encode(*content) + tail)


class ReadValuesTests(SynchronousTestCase):
    def test_places(self) -> None:
        """Each value is told with the bytes that it stands in."""
        message = values("_result", 1.0, None, {"a": True})
        read = readValues(message)
        self.assertEqual(
            read.placed,
            (
                PlacedValue("_result", 0, 10, 2),
                PlacedValue(1.0, 10, 19, 0),
                PlacedValue(None, 19, 20, 5),
                PlacedValue({"a": True}, 20, 29, 3),
            ),
        )
        self.assertIsNone(read.fault)
        self.assertEqual((read.name, read.transactionId), ("_result", 1.0))

    def test_amf3(self) -> None:
        """In AMF3's types a first byte of 0 stands in front of the values; without it they begin at once."""
        for type in (MessageType.COMMAND_AMF3, MessageType.DATA_AMF3):
            at = readValues(values("play", 0.0, type=type, head=b"\0")).at(0)
            self.assertEqual(at, PlacedValue("play", 1, 8, 2))
            at = readValues(values("play", 0.0, type=type)).at(0)
            self.assertEqual(at, PlacedValue("play", 0, 7, 2))
        number = readValues(Message(MessageType.DATA, 0, 0, bytes(9)))
        self.assertEqual(number.placed, (PlacedValue(0.0, 0, 9, 0),))

    def test_fault(self) -> None:
        """The values in front of one that can't be read are told, and where it is."""
        read = readValues(values("a", 1.0, tail=b"\x12rest"))
        self.assertEqual([each.value for each in read.placed], ["a", 1.0])
        assert read.fault is not None
        self.assertEqual((read.fault.offset, type(read.fault)), (13, AMFUnsupportedError))

    def test_notThere(self) -> None:
        read = readValues(values("a"))
        self.assertEqual((read.get(0), read.get(1), read.at(1), read.transactionId), ("a", None, None, None))
        self.assertEqual((readValues(Message(20, 0, 0, b"")).name, readValues(values(1.0)).name), ("", ""))

    def test_transactionId(self) -> None:
        """Only a number is one."""
        odd: tuple[AMFValue, ...] = ("1", None, UNDEFINED, True, {}, [1.0])
        for value in odd:
            self.assertIsNone(readValues(values("a", value)).transactionId)
        self.assertEqual(readValues(values("a", float("inf"))).transactionId, float("inf"))
        # An integer of AMF3, in AMF0.
        self.assertEqual(readValues(values("a", tail=b"\x11\x04\x05")).transactionId, 5.0)

    def test_types(self) -> None:
        self.assertEqual((COMMANDS, DATA), ({20, 17}, {18, 15}))

    @given(st.binary(max_size=200), st.sampled_from(sorted(COMMANDS | DATA)))
    def test_anyBytes(self, payload: bytes, type: int) -> None:
        """Nothing raises, and what was read lies side by side."""
        read = readValues(Message(type, 0, 0, payload))
        stops = [each.stop for each in read.placed]
        self.assertEqual([each.start for each in read.placed][1:], stops[:-1])
        if read.fault is None and stops:
            self.assertEqual(stops[-1], len(payload))
