# -*- test-case-name: tests.compare.test_valuetree -*-
"""
Tests for L{rtmptw.compare.valuetree}: each value has its place.
"""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.compare.valuetree import ValueNode, readTree
from rtmptw.trace.values import readValues
from rtmptw.wire import amf0
from rtmptw.wire.amf import ECMAArray
from rtmptw.wire.message import Message, MessageType
from tests.compare.bending import CAPTURES, messagesOf


def message(payload: bytes, type: int = MessageType.COMMAND) -> Message:
    return Message(type, 0, 0, payload)


def nodes(roots: tuple[ValueNode, ...]) -> Iterator[ValueNode]:
    for root in roots:
        yield root
        yield from nodes(root.parts)


class ReadTreeTests(SynchronousTestCase):
    def test_places(self) -> None:
        """From its place on, every value reads as what it is, and ends where the next one begins."""
        payload = amf0.encode("onStatus", 0.0, None, {"level": "status", "more": ECMAArray({"x": [1.0, "two"]})})
        roots, fault = readTree(message(payload))
        self.assertIsNone(fault)
        self.assertEqual([root.value for root in roots], amf0.decode(payload))
        found = list(nodes(roots))
        self.assertEqual(len(found), 9)
        for node in found:
            self.assertEqual(amf0.decode(payload[node.start : node.stop]), [node.value])
            self.assertEqual(payload[node.start], node.marker)

    def test_sameAsTheTrace(self) -> None:
        """The outermost values are those that the trace has, in every command and data message of every capture."""
        looked = 0
        for path in sorted(CAPTURES.glob("*.bin")):
            for each in messagesOf(path.read_bytes()):
                if each.type in (MessageType.COMMAND, MessageType.DATA):
                    looked += 1
                    places = [(node.value, node.start, node.stop, node.marker) for node in readTree(each)[0]]
                    values = readValues(each)
                    expected = [(node.value, node.start, node.stop, node.marker) for node in values.placed]
                    self.assertEqual(places, expected)
        self.assertGreater(looked, 100)

    def test_amf3Message(self) -> None:
        """In type 17, a 0 may stand in front of the values."""
        plain = amf0.encode("connect", 1.0, None)
        roots, _ = readTree(message(b"\0" + plain, MessageType.COMMAND_AMF3))
        self.assertEqual([(root.start, root.value) for root in roots], [(1, "connect"), (11, 1.0), (20, None)])
        roots, _ = readTree(message(plain, MessageType.COMMAND_AMF3))
        self.assertEqual([root.start for root in roots], [0, 10, 19])

    def test_behindTheSwitch(self) -> None:
        """What AMF3 holds has no places, and what follows has."""
        payload = amf0.encode("x") + bytes.fromhex("11 09 05 01 04 07 04 08") + amf0.encode(5.0)
        roots, fault = readTree(message(payload))
        self.assertIsNone(fault)
        self.assertEqual([root.value for root in roots], ["x", [7, 8], 5.0])
        self.assertEqual(roots[1].parts, ())
        self.assertEqual(roots[2].start, len(payload) - 9)

    def test_fault(self) -> None:
        """What can be read before a fault is there; what lies in a broken object is not."""
        payload = amf0.encode("x", 1.0) + bytes.fromhex("03 00 01 61 02 00 09 62")
        roots, fault = readTree(message(payload))
        self.assertEqual([root.value for root in roots], ["x", 1.0])
        self.assertIsNotNone(fault)

    @given(st.binary(max_size=200), st.sampled_from((15, 17, 18, 20)))
    def test_anyBytes(self, payload: bytes, type: int) -> None:
        """Whatever the bytes, it does not raise, and it reads what the trace reads."""
        roots, fault = readTree(message(payload, type))
        values = readValues(message(payload, type))
        self.assertEqual([root.start for root in roots], [node.start for node in values.placed])
        self.assertEqual(str(fault), str(values.fault))
