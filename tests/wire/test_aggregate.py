# -*- test-case-name: tests.wire.test_aggregate -*-
"""
Tests for L{rtmptw.wire.aggregate}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import LimitExceeded, RemoteProtocolError
from rtmptw.wire.aggregate import MAX_PARTS, splitAggregate
from rtmptw.wire.message import Message, MessageType

STAMPS = st.one_of(st.sampled_from((0, 0xFFFFFF, 0x1000000, 0xFFFFFFFF)), st.integers(0, 0xFFFFFFFF))


def tag(type: int, stamp: int, body: bytes, back: bytes | None = None) -> bytes:
    """One part as RTMP 1.0, section 7.1.6, shows it; the stamp's highest byte stands behind the other three."""
    size, low, high = len(body).to_bytes(3, "big"), (stamp & 0xFFFFFF).to_bytes(3, "big"), bytes((stamp >> 24,))
    pointer = (11 + len(body)).to_bytes(4, "big") if back is None else back
    return bytes((type,)) + size + low + high + b"\0\0\0" + body + pointer


def aggregate(payload: bytes, timestamp: int = 1000) -> Message:
    return Message(MessageType.AGGREGATE, timestamp, 1, payload, 7)


def split(message: Message) -> list[Message]:
    """All parts."""
    return list(splitAggregate(message))


class SplitTests(SynchronousTestCase):
    """Aggregates come apart."""

    def test_conformance28_stampsAreRebased(self) -> None:
        """The first part happens at the time of the whole, the others as far behind it as their stamps say."""
        payload = bytes.fromhex(
            "08 000002 001388 00 000000 af01 0000000d"
            "09 000003 00139c 00 000000 170100 0000000e"
            "12 000001 001385 00 000000 02 0000000c"
        )
        self.assertEqual(
            split(aggregate(payload)),
            [
                Message(8, 1000, 1, b"\xaf\1", 7),
                Message(9, 1020, 1, b"\x17\1\0", 7),
                Message(18, 997, 1, b"\2", 7),
            ],
        )

    def test_stampsOf32Bits(self) -> None:
        """The fourth stamp byte is the highest, and sums wrap."""
        payload = tag(8, 0x01FFFFFF, b"a") + tag(8, 0x02000000, b"b")
        self.assertEqual([part.timestamp for part in split(aggregate(payload, 0xFFFFFFFF))], [0xFFFFFFFF, 0])

    def test_streamIdOfTheWhole(self) -> None:
        """Whatever stream ID a part carries, the message stream and chunk stream are the whole's."""
        payload = bytes.fromhex("08 000001 000000 00 0a0b0c aa 0000000c")
        self.assertEqual(split(aggregate(payload)), [Message(8, 1000, 1, b"\xaa", 7)])

    def test_backPointers(self) -> None:
        """Their content is not looked at, and the last may be missing, whole or in part."""
        wrong = tag(8, 0, b"a", b"\xff\xff\xff\xff") + tag(9, 0, b"b")
        for left in range(5):
            parts = split(aggregate(wrong[: len(wrong) - left]))
            self.assertEqual([(part.type, part.payload) for part in parts], [(8, b"a"), (9, b"b")])

    def test_empty(self) -> None:
        self.assertEqual(split(aggregate(b"")), [])

    @given(st.lists(st.tuples(st.sampled_from((8, 9, 18)), STAMPS, st.binary(max_size=30)), max_size=8), STAMPS)
    def test_anyParts(self, parts: list[tuple[int, int, bytes]], timestamp: int) -> None:
        whole = aggregate(b"".join(tag(*part) for part in parts), timestamp)
        first = parts[0][1] if parts else 0
        self.assertEqual(
            split(whole),
            [Message(type, (timestamp + stamp - first) % 2**32, 1, body, 7) for type, stamp, body in parts],
        )


class HostileTests(SynchronousTestCase):
    """Row B20 of the list of hostile input."""

    def test_B20_cutShort(self) -> None:
        """Cut anywhere within a header or a body: an error that names where this part begins."""
        first, second = tag(8, 0, b"abc"), tag(9, 0, b"defg")
        for length in range(len(first) + 1, len(first) + 11 + 4):
            error = self.assertRaises(RemoteProtocolError, split, aggregate((first + second)[:length]))
            self.assertEqual((error.offset, error.messageType), (len(first), MessageType.AGGREGATE))

    def test_B20_goodPartsFirst(self) -> None:
        """Whatever is wrong with a part, those before it are given first, and the error says where it begins."""
        good = tag(8, 0, b"abc") + tag(9, 20, b"defg")
        for bad in (tag(8, 40, b"hij")[:13], b"\x08", tag(22, 0, b""), bytes.fromhex("09ffffff00000000000000")):
            given: list[tuple[int, int, bytes]] = []
            parts = splitAggregate(aggregate(good + bad))
            error = self.assertRaises(
                RemoteProtocolError,
                lambda: given.extend((part.type, part.timestamp, part.payload) for part in parts),  # noqa: B023
            )
            self.assertEqual(given, [(8, 1000, b"abc"), (9, 1020, b"defg")])
            self.assertEqual(error.offset, len(good))

    def test_B20_lyingSize(self) -> None:
        """A size beyond the end, also the largest."""
        for size in ("000004", "00ffff", "ffffff"):
            payload = bytes.fromhex(f"08 {size} 000000 00 000000 616263")
            error = self.assertRaises(RemoteProtocolError, split, aggregate(payload))
            self.assertEqual(error.offset, 0)

    def test_B20_partsOfNoSize(self) -> None:
        """They are messages, as many as are allowed, and not one more."""
        parts = split(aggregate(tag(8, 0, b"") * MAX_PARTS))
        self.assertEqual(parts, [Message(8, 1000, 1, b"", 7)] * MAX_PARTS)
        error = self.assertRaises(LimitExceeded, split, aggregate(tag(8, 0, b"") * (MAX_PARTS + 1)))
        self.assertEqual((error.offset, error.messageType), (MAX_PARTS * 15, MessageType.AGGREGATE))
        self.assertEqual(MAX_PARTS, 1024)

    def test_B20_aggregateInsideAggregate(self) -> None:
        """Not even an empty one, or behind good parts."""
        for inner in (b"", tag(8, 0, b"a")):
            good = tag(8, 0, b"abc")
            error = self.assertRaises(RemoteProtocolError, split, aggregate(good + tag(22, 0, inner)))
            self.assertEqual(error.offset, len(good))

    @given(st.binary(max_size=80))
    def test_B20_anyBytes(self, payload: bytes) -> None:
        """Parts or a L{RemoteProtocolError}; never more bytes than there were."""
        try:
            parts = split(aggregate(payload))
        except RemoteProtocolError:
            return
        self.assertTrue(sum(11 + len(part.payload) for part in parts) <= len(payload))
