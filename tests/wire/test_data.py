# -*- test-case-name: tests.wire.test_data -*-
"""
Tests for L{rtmptw.wire.data}.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import LimitExceeded, LocalProtocolError, RemoteProtocolError
from rtmptw.wire import amf0
from rtmptw.wire.amf import UNDEFINED, UNSUPPORTED, AMFLimits, Date, ECMAArray, TypedObject, XMLDocument
from rtmptw.wire.data import MAX_KEY, MAX_NAME, DataMessage, toPublish
from rtmptw.wire.message import Message

SET = amf0.encode("@setDataFrame")
NAME = amf0.encode("onMetaData")


def decode(payload: bytes, type: int = 18) -> DataMessage:
    return DataMessage.decode(Message(type, 0, 1, payload))


def passOver(data: bytes, position: int = 0, depth: int = 0) -> int:
    """What FFmpeg's reader does with one value, from wire facts 3.3 and 4 alone; raises where it stops."""
    marker = data[position]
    if marker in (0, 1, 5, 11):
        end = position + {0: 9, 1: 2, 5: 1, 11: 11}[marker]
    elif marker == 2:
        end = position + 3 + int.from_bytes(data[position + 1 : position + 3], "big")
    elif marker == 12:
        end = position + 5 + int.from_bytes(data[position + 1 : position + 5], "big")
    elif marker == 10:
        end = position + 5
        for _ in range(int.from_bytes(data[position + 1 : end], "big")):
            end = passOver(data, end, depth + 1)
    elif marker in (3, 8):
        end = position + (1 if marker == 3 else 5)
        while data[end : end + 3] != b"\0\0\x09":
            key = int.from_bytes(data[end : end + 2], "big")
            if key >= 128:
                raise ValueError("a long key")
            end = passOver(data, end + 2 + key, depth + 1)
        end += 3
    else:
        raise ValueError(f"marker {marker}")
    if end > len(data):
        raise ValueError("cut short")
    return end


def assertPlayable(payload: bytes) -> None:
    """FFmpeg reads it all: a short name, then values that it knows."""
    assert payload[0] == 2 and payload[1] == 0 and payload[2] <= 63, payload
    position = 0
    while position < len(payload):
        position = passOver(payload, position)


class DataMessageTests(SynchronousTestCase):
    def test_conformance73_prefix(self) -> None:
        """The prefix goes; the bytes behind it stay, an untrue count and double keys too."""
        members = b"\0\1a\0" + bytes(8) + b"\0\1a\1\1"
        for value in (
            amf0.encode({"a": 1.0}),
            amf0.encode(ECMAArray(a=1.0, b=[Date(5.0, 60), None, "x" * 70000][:2])),
            b"\x08\0\0\0\x14" + members + b"\0\0\x09",
            b"\x08\0\0\0\0" + members + b"\0\0\x09",
            amf0.encode("text", 1.0, True),
            b"",
        ):
            for head in (b"", SET):
                message = decode(head + NAME + value)
                self.assertEqual((message.name, message.payload, message.clears), ("onMetaData", NAME + value, False))
                self.assertEqual(["onMetaData", *message.values], amf0.decode(NAME + value))

    def test_toPublish(self) -> None:
        """Metadata gets its prefix, once; and what a server makes of it is what there was."""
        metadata = NAME + amf0.encode(ECMAArray(a=1.0))
        rows = [
            (metadata, SET + metadata),
            (SET + metadata, SET + metadata),
            (NAME, SET + NAME),
            (NAME[:-1], NAME[:-1]),
            (amf0.encode("onMetaDataX", 1.0), amf0.encode("onMetaDataX", 1.0)),
            (amf0.encode("onCuePoint", {"a": 1.0}), amf0.encode("onCuePoint", {"a": 1.0})),
            (amf0.encode("@clearDataFrame", "onMetaData"), amf0.encode("@clearDataFrame", "onMetaData")),
            (b"", b""),
        ]
        for payload, expected in rows:
            self.assertEqual(toPublish(payload), expected)
        self.assertEqual(decode(toPublish(metadata)).payload, metadata)

    def test_clear(self) -> None:
        message = decode(amf0.encode("@clearDataFrame", "onMetaData"))
        self.assertEqual((message.name, message.clears), ("onMetaData", True))

    def test_conformance70_unreadable(self) -> None:
        long = amf0.encode("x" * (MAX_NAME + 1))
        for payload in (b"", b"\0\0\0\0", amf0.encode(5.0, "a"), SET, SET + amf0.encode(1.0), NAME[:-1], b"\xff", long):
            for type in (15, 18):
                self.assertRaises(RemoteProtocolError, decode, payload, type)
        self.assertEqual(len(decode(amf0.encode("x" * MAX_NAME)).name), MAX_NAME)

    def test_limits(self) -> None:
        message = Message(18, 0, 1, NAME + amf0.encode(1.0, 2.0))
        self.assertEqual(DataMessage.decode(message, AMFLimits(values=3)).values, (1.0, 2.0))
        error = self.assertRaises(LimitExceeded, DataMessage.decode, message, AMFLimits(values=2, carrier="data"))
        self.assertEqual(error.limit, "dataValues")

    def test_notEncodableAgain(self) -> None:
        """Limits more generous than our own encoder's still let nothing out but our own error."""
        deep = b"\x0a\0\0\0\1" * 40 + b"\x05"
        message = Message(18, 0, 1, NAME + deep + b"\x06")
        error = self.assertRaises(RemoteProtocolError, DataMessage.decode, message, AMFLimits(depth=128))
        self.assertIn("no AMF0 for this data: values lie more than 32 deep", error.reason)

    def test_nameIsCountedInBytes(self) -> None:
        self.assertRaises(RemoteProtocolError, decode, amf0.encode("\u20ac" * 22))
        self.assertEqual(decode(amf0.encode("\u20ac" * 21)).name, "\u20ac" * 21)

    def test_conformance75_encodedAnew(self) -> None:
        """Whatever some player stops at becomes the nearest that none stops at."""
        reference = b"\x03\0\1a\x03\0\0\x09\0\1b\x07\0\1\0\0\x09"
        rows: list[tuple[bytes, list[object]]] = [
            (amf0.encode(UNDEFINED), [None]),
            (amf0.encode(UNSUPPORTED), [None]),
            (amf0.encode({"a": UNDEFINED, "b": [UNDEFINED]}), [{"a": None, "b": [None]}]),
            (amf0.encode(XMLDocument("<a/>")), ["<a/>"]),
            (amf0.encode(TypedObject("C", {"a": 1.0})), [{"a": 1.0}]),
            (amf0.encode(ECMAArray(a=TypedObject("C"))), [ECMAArray(a={})]),
            (reference, [{"a": {}, "b": {}}]),
            (b"\x03\0\1a\1\1", [{"a": True}]),
            (b"\x11\x06\x05ab", ["ab"]),
            (b"\x11\x04\x07", [7.0]),
            (b"\x11\x0c\x05ab", [None]),
            (b"\x11\x0d\x03\0\0\0\0\7", [[7.0]]),
            (b"\x11\x11\x03\0\x04\1\x04\2", [[None]]),
            (b"\x11\x03", [True]),
            (b"\x11\x09\x03\x01\x06\x03a", [["a"]]),
            (b"\x11\x0a\x0b\x01\x03a\x04\x05\x01" + amf0.encode(1.0), [{"a": 5.0}, 1.0]),
            (amf0.encode({"k" * (MAX_KEY + 1): 1.0, "k" * MAX_KEY: 2.0}), [{"k" * MAX_KEY: 2.0}]),
        ]
        for value, expected in rows:
            for head in (b"", SET):
                message = decode(head + NAME + value)
                assertPlayable(message.payload)
                self.assertEqual(amf0.decode(message.payload), ["onMetaData", *expected])
                self.assertEqual(["onMetaData", *message.values], ["onMetaData", *expected])

    def test_longForms(self) -> None:
        """Prefix and name as long strings, or in AMF3, mean the same, and go out in the short form."""
        value = amf0.encode({"a": 1.0})
        prefixes = [SET, b"\x0c\0\0\0\x0d@setDataFrame", b"\x11\x06\x1b@setDataFrame"]
        names = [NAME, b"\x0c\0\0\0\x0aonMetaData", b"\x11\x06\x15onMetaData"]
        for prefix in ("", *prefixes):
            for name in names:
                payload = (prefix or b"") + name + value
                self.assertEqual(decode(payload).payload, NAME + value)

    def test_AMF3Message(self) -> None:
        """Type 15, with and without its leading 0."""
        payload = SET + NAME + b"\x11\x0a\x0b\x01\x03a\x04\x05\x01"
        for data in (payload, b"\0" + payload):
            self.assertEqual(decode(data, 15).payload, NAME + amf0.encode({"a": 5.0}))

    def test_missingEnd(self) -> None:
        """An array without its end is completed (Envivio; wire facts 4)."""
        message = decode(NAME + b"\x08\0\0\0\1\0\1a\0" + bytes(8))
        assertPlayable(message.payload)
        self.assertEqual(message.values, ({"a": 0.0},))

    def test_C2_counts(self) -> None:
        """A count that lies is no reason to loop."""
        for value in (
            b"\x0a\xff\xff\xff\xff",
            b"\x0a\xff\xff\xff\xff\x05\x05",
            b"\x0a\0\0\0\2\x0a\xff\xff\xff\xff\x05",
        ):
            try:
                message = decode(NAME + value)
            except RemoteProtocolError:
                continue
            assertPlayable(message.payload)

    @settings(deadline=None, max_examples=300)
    @given(
        st.recursive(
            st.one_of(
                st.none(),
                st.booleans(),
                st.floats(allow_nan=False),
                st.text(max_size=140),
                st.sampled_from([UNDEFINED, UNSUPPORTED, Date(1.0), XMLDocument("x")]),
            ),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3),
                st.dictionaries(st.text(max_size=140), inner, max_size=3),
                st.dictionaries(st.text(max_size=5), inner, max_size=3).map(ECMAArray),
                st.dictionaries(st.text(max_size=5), inner, max_size=3).map(lambda members: TypedObject("C", members)),
            ),
            max_leaves=8,
        ),
        st.booleans(),
    )
    def test_anyValue(self, value: object, prefixed: bool) -> None:
        """Whatever a publisher sends, players can read it; what they could read already is not touched."""
        try:
            sent = NAME + amf0.encode(value)
        except LocalProtocolError:
            return
        message = decode((SET if prefixed else b"") + sent)
        assertPlayable(message.payload)
        try:
            assertPlayable(sent)
        except ValueError:
            return
        self.assertEqual(message.payload, sent)

    @settings(deadline=None, max_examples=300)
    @given(st.binary(max_size=60), st.sampled_from((b"", NAME, SET + NAME)), st.sampled_from((15, 18)))
    def test_anyBytes(self, payload: bytes, head: bytes, type: int) -> None:
        """Playable, or the one error."""
        try:
            message = decode(head + payload, type)
        except RemoteProtocolError:
            return
        assertPlayable(message.payload)
