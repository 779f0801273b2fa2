"""The values and limits that AMF0 and AMF3 share; and C{same}, by which their tests compare values."""

from __future__ import annotations

import copy
import struct
from dataclasses import fields, replace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import AMFDecodeError, AMFLimitExceeded, LocalProtocolError
from rtmptw.limits import Limits
from rtmptw.wire import amf0, amf3
from rtmptw.wire.amf import (
    COMMAND_LIMITS,
    DATA_LIMITS,
    LIMIT_NAMES,
    UNDEFINED,
    UNSUPPORTED,
    AMFLimits,
    Date,
    Dictionary,
    ECMAArray,
    TypedObject,
    Vector,
    XMLDocument,
)
from rtmptw.wire.amfcoding import Reader, encodeText


def same(first: Any, second: Any) -> bool:
    """Equal in type, in order and in every bit; NaN equals the same NaN."""
    if type(first) is not type(second):
        return False
    if isinstance(first, float):
        return struct.pack(">d", first) == struct.pack(">d", second)
    if isinstance(first, Date):
        return same(first.ms, second.ms) and first.zone == second.zone
    if isinstance(first, dict):
        names = getattr(first, "className", None) == getattr(second, "className", None)
        return names and list(first) == list(second) and all(same(first[key], second[key]) for key in first)
    if isinstance(first, (list, tuple)):
        for name in ("kind", "fixed", "typeName", "weak"):
            if getattr(first, name, None) != getattr(second, name, None):
                return False
        return len(first) == len(second) and all(same(*pair) for pair in zip(first, second, strict=True))
    return bool(first == second)


class SameTests(SynchronousTestCase):
    """The tests' own yardstick."""

    def test_equal(self) -> None:
        nan = float("nan")
        for value in (nan, [nan, {"a": Date(nan, 1)}], Vector("int", [1]), XMLDocument("x"), None, UNDEFINED, b"x"):
            self.assertTrue(same(value, copy.deepcopy(value)), value)

    def test_different(self) -> None:
        pairs: list[tuple[Any, Any]] = [
            (1, 1.0),
            (0.0, -0.0),
            (False, None),
            ({}, ECMAArray()),
            ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
            (TypedObject("A"), TypedObject("B")),
            ([1.0], [2.0]),
            ([1.0], [1.0, 1.0]),
            ([], ()),
            (Vector("int"), Vector("uint")),
            (Vector("int", fixed=True), Vector("int")),
            (Vector("object", typeName="A"), Vector("object", typeName="B")),
            (Dictionary(weak=True), Dictionary()),
            (Date(1.0, 0), Date(1.0, 1)),
            ("x", XMLDocument("x")),
            (UNDEFINED, UNSUPPORTED),
        ]
        for first, second in pairs:
            self.assertFalse(same(first, second), (first, second))


class ValueTests(SynchronousTestCase):
    """What the types promise to those who read them."""

    def test_absent(self) -> None:
        self.assertEqual([repr(UNDEFINED), repr(UNSUPPORTED)], ["UNDEFINED", "UNSUPPORTED"])
        self.assertFalse(UNDEFINED)
        self.assertFalse(UNSUPPORTED)
        self.assertIs(copy.deepcopy(UNDEFINED), UNDEFINED)
        self.assertIsNot(UNDEFINED, UNSUPPORTED)

    def test_representations(self) -> None:
        self.assertEqual(repr(TypedObject("A", {"x": 1})), "TypedObject('A', {'x': 1})")
        self.assertEqual(repr(Vector("int", [1], True)), "Vector('int', [1], fixed=True, typeName='')")
        self.assertEqual(repr(Dictionary([(1, "x")])), "Dictionary([(1, 'x')], weak=False)")

    def test_objectAndECMAArrayAlike(self) -> None:
        """Wire facts 4: whoever reads may treat the two alike."""
        self.assertEqual(ECMAArray(width=320.0), {"width": 320.0})
        self.assertEqual(TypedObject("A", [("x", 1)]), {"x": 1})

    def test_encodeText(self) -> None:
        self.assertEqual(encodeText("é\udcff"), b"\xc3\xa9\xff")
        for bad in ("\ud800", "a\udc7f", 5, None, b"x"):
            self.assertRaises(LocalProtocolError, encodeText, bad)


class LimitsTests(SynchronousTestCase):
    """The numbers themselves, and that each of them holds at its exact edge."""

    def test_numbers(self) -> None:
        self.assertEqual(COMMAND_LIMITS, AMFLimits(depth=32, values=1024, keys=256, stringBytes=4096))
        data = AMFLimits(depth=32, values=4096, keys=4096, stringBytes=65536, carrier="data")
        self.assertEqual(DATA_LIMITS, data)

    def test_depthRange(self) -> None:
        self.assertEqual(AMFLimits(depth=128).depth, 128)
        for depth in (0, -1, 129, 100_000):
            self.assertRaises(LocalProtocolError, AMFLimits, depth=depth)

    def test_deepestAllowed(self) -> None:
        """The most generous limits still end in our own error, not in Python's RecursionError."""
        limits = AMFLimits(depth=128)
        with self.assertRaises(AMFDecodeError):
            amf0.decode(b"\x0a\x00\x00\x00\x01" * 5000, limits)
        self.assertEqual(len(amf0.decode(b"\x0a\x00\x00\x00\x01" * 127 + b"\x05", limits)), 1)

    def test_edges(self) -> None:
        """The limit itself passes, one more does not."""
        null, number = b"\x05", b"\x00" + bytes(8)
        cases: list[tuple[AMFLimits, bytes, bytes]] = [
            (AMFLimits(values=3), null * 3, null * 4),
            (AMFLimits(values=3), b"\x0a\x00\x00\x00\x02" + null * 2, b"\x0a\x00\x00\x00\x03" + null * 3),
            (AMFLimits(depth=2), amf0.encode([[]]), amf0.encode([[[]]])),
            (AMFLimits(keys=2), amf0.encode({"a": 1, "b": 2}), amf0.encode({"a": 1, "b": 2, "c": 3})),
            (AMFLimits(stringBytes=3), amf0.encode("abc"), amf0.encode("abcd")),
            (AMFLimits(stringBytes=3), amf0.encode({"abc": 1}), amf0.encode({"abcd": 1})),
            (AMFLimits(stringBytes=3), b"\x0c\x00\x00\x00\x03abc", b"\x0c\x00\x00\x00\x04abcd"),
            (AMFLimits(values=1), number, number + number),
            (AMFLimits(values=2), b"\x11\x01" * 2, b"\x11\x01" * 3),
        ]
        for limits, good, bad in cases:
            self.assertTrue(amf0.decode(good, limits), good)
            [field] = {name for name in LIMIT_NAMES["data"] if getattr(limits, name) != getattr(AMFLimits(), name)}
            for carrier, names in LIMIT_NAMES.items():
                with self.assertRaises(AMFLimitExceeded, msg=str((limits, bad))) as raised:
                    amf0.decode(bad, replace(limits, carrier=carrier))
                self.assertEqual(raised.exception.limit, names[field])

    def test_edgesOfAMF3(self) -> None:
        """The same there; and each has its name."""
        text = "x" * 100
        cases: list[tuple[AMFLimits, str, bytes, bytes]] = [
            (AMFLimits(values=3), "commandValues", amf3.encode([1, 2]), amf3.encode([1, 2, 3])),
            (AMFLimits(values=3), "commandValues", amf3.encode([1, 2]), amf3.encode([1, 2, 3, 4])),
            (AMFLimits(depth=2), "amfDepth", amf3.encode([[]]), amf3.encode([[[]]])),
            (AMFLimits(keys=1), "commandKeys", amf3.encode(ECMAArray(a=1)), amf3.encode(ECMAArray(a=1, b=2))),
            (AMFLimits(keys=1), "commandKeys", b"\x0a\x13\x01\x03a\x01", b"\x0a\x23\x01\x03a\x03b\x01\x01"),
            (AMFLimits(stringBytes=100), "commandStringBytes", amf3.encode(text), amf3.encode(text + "x")),
            (AMFLimits(repeatedBytes=100), "amfRepeatedBytes", amf3.encode([text] * 2), amf3.encode([text] * 3)),
        ]
        for limits, limit, good, bad in cases:
            self.assertTrue(amf3.decode(good, limits), good)
            with self.assertRaises(AMFLimitExceeded, msg=str((limits, bad))) as raised:
                amf3.decode(bad, limits)
            self.assertEqual(raised.exception.limit, limit)

    def test_names(self) -> None:
        """Every limit has a name, and is one that can be set."""
        carriers = {"command": Limits().ofCommands, "data": Limits().ofData}
        self.assertEqual(carriers, {"command": COMMAND_LIMITS, "data": DATA_LIMITS})
        for carrier, limits in carriers.items():
            names = LIMIT_NAMES[carrier]
            self.assertEqual(set(names) | {"carrier"}, {field.name for field in fields(AMFLimits)})
            for field, name in names.items():
                self.assertEqual(getattr(Limits(), name), getattr(limits, field), name)

    def test_readerIsABase(self) -> None:
        self.assertRaises(NotImplementedError, Reader(b"\x05").value)
