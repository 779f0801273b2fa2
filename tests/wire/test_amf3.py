"""AMF3: one table both ways, the three reference tables, and hostile rows C1-C5, C10."""

from __future__ import annotations

import enum
import math
import random
import struct
import tracemalloc
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import AMFDecodeError, AMFUnsupportedError, LocalProtocolError
from rtmptw.wire import amf3
from rtmptw.wire.amf import (
    DATA_LIMITS,
    UNDEFINED,
    UNSUPPORTED,
    AMFLimits,
    AMFValue,
    Date,
    Dictionary,
    ECMAArray,
    TypedObject,
    Vector,
    XMLDocument,
)
from tests.wire.test_amf import same

ONE = b"\x3f\xf0\x00\x00\x00\x00\x00\x00"

#: What is read and written alike: name, value, bytes.
CASES: list[tuple[str, AMFValue, bytes]] = [
    ("undefined", UNDEFINED, b"\x00"),
    ("null", None, b"\x01"),
    ("false", False, b"\x02"),
    ("true", True, b"\x03"),
    ("0", 0, b"\x04\x00"),
    ("1 byte", 0x7F, b"\x04\x7f"),
    ("2 bytes", 0x80, b"\x04\x81\x00"),
    ("2 bytes, most", 0x3FFF, b"\x04\xff\x7f"),
    ("3 bytes", 0x4000, b"\x04\x81\x80\x00"),
    ("3 bytes, most", 0x1FFFFF, b"\x04\xff\xff\x7f"),
    ("4 bytes", 0x200000, b"\x04\x80\xc0\x80\x00"),
    ("most", 0xFFFFFFF, b"\x04\xbf\xff\xff\xff"),
    ("least", -0x10000000, b"\x04\xc0\x80\x80\x00"),
    ("-1", -1, b"\x04\xff\xff\xff\xff"),
    ("double", 1.0, b"\x05" + ONE),
    ("minus zero", -0.0, b"\x05\x80" + bytes(7)),
    ("NaN", math.nan, b"\x05\x7f\xf8" + bytes(6)),
    ("infinity", -math.inf, b"\x05\xff\xf0" + bytes(6)),
    ("empty string", "", b"\x06\x01"),
    ("string", "é", b"\x06\x05\xc3\xa9"),
    ("not UTF-8", "\udcff", b"\x06\x03\xff"),
    ("longer string", "a" * 64, b"\x06\x81\x01" + b"a" * 64),
    ("XML document", XMLDocument("<a/>"), b"\x07\x09<a/>"),
    ("date", Date(1.0), b"\x08\x01" + ONE),
    ("empty array", [], b"\x09\x01\x01"),
    ("array", [1, [True]], b"\x09\x05\x01\x04\x01\x09\x03\x01\x03"),
    ("array with names", ECMAArray(a=None, b=2), b"\x09\x01\x03a\x01\x03b\x04\x02\x01"),
    ("empty object", {}, b"\x0a\x0b\x01\x01"),
    ("object", {"a": None}, b"\x0a\x0b\x01\x03a\x01\x01"),
    ("object with an empty name", {"": 1}, b"\x0a\x1b\x01\x01\x04\x01\x01"),
    ("typed object", TypedObject("A", {"x": 1, "y": None}), b"\x0a\x23\x03A\x03x\x03y\x04\x01\x01"),
    ("empty byte array", b"", b"\x0c\x01"),
    ("byte array", b"\x00\xff", b"\x0c\x05\x00\xff"),
    ("vector of int", Vector("int", [-1, 1], True), b"\x0d\x05\x01\xff\xff\xff\xff\x00\x00\x00\x01"),
    ("vector of uint", Vector("uint", [2**32 - 1]), b"\x0e\x03\x00\xff\xff\xff\xff"),
    ("vector of double", Vector("double", [1.0]), b"\x0f\x03\x00" + ONE),
    ("vector of objects", Vector("object", [None, "x"], False, "A"), b"\x10\x05\x00\x03A\x01\x06\x03x"),
    ("empty vector", Vector("object", [], True), b"\x10\x01\x01\x01"),
    ("dictionary", Dictionary([({}, 1), ([], None)]), b"\x11\x05\x00\x0a\x0b\x01\x01\x04\x01\x09\x01\x01\x01"),
    ("weak dictionary", Dictionary(weak=True), b"\x11\x01\x01"),
    # References: strings, keys too; the index counts from the first string that is not empty.
    ("string again", ["", "x", "x"], b"\x09\x07\x01\x06\x01\x06\x03x\x06\x00"),
    ("key again", [{"a": "a"}, ECMAArray(a="")], b"\x09\x05\x01\x0a\x0b\x01\x03a\x06\x00\x01\x09\x01\x00\x06\x01\x01"),
    ("shape again", [{}, {}], b"\x09\x05\x01\x0a\x0b\x01\x01\x0a\x01\x01"),
    (
        "typed shape again",
        [TypedObject("A", {"x": 1}), TypedObject("A", {"x": 2}), TypedObject("B", {"x": 3})],
        b"\x09\x07\x01\x0a\x13\x03A\x03x\x04\x01\x0a\x01\x04\x02\x0a\x13\x03B\x02\x04\x03",
    ),
]

#: Read, but never written so: name, bytes, values.
READ_ONLY: list[tuple[str, bytes, list[AMFValue]]] = [
    ("nothing", b"", []),
    ("integer in more bytes than needed", b"\x04\x80\x80\x80\x01", [1]),
    ("XML", b"\x0b\x09<a/>", [XMLDocument("<a/>")]),
    ("names and places", b"\x09\x05\x03a\x01\x01\x02\x03", [ECMAArray({"a": None, "0": False, "1": True})]),
    ("the place wins over the name", b"\x09\x03\x030\x01\x01\x02", [ECMAArray({"0": False})]),
    ("name twice, the last wins", b"\x0a\x0b\x01\x03a\x02\x00\x03\x01", [{"a": True}]),
    ("sealed without a class", b"\x0a\x13\x01\x03a\x01", [{"a": None}]),
    ("sealed and dynamic", b"\x0a\x1b\x03A\x03x\x01\x03y\x02\x01", [TypedObject("A", {"x": None, "y": False})]),
    ("ArrayCollection", b"\x0a\x07\x43flex.messaging.io.ArrayCollection\x09\x03\x01\x04\x07", [[7]]),
    ("ObjectProxy", b"\x0a\x07\x3bflex.messaging.io.ObjectProxy\x0a\x0b\x01\x03a\x01\x01", [{"a": None}]),
    (
        "wrapper again by its traits, and by reference",
        b"\x09\x07\x01\x0a\x07\x37flex.messaging.io.ArrayList\x09\x01\x01\x0a\x01\x09\x01\x01\x0a\x02",
        [[[], [], []]],
    ),
    ("tables are new for each value", b"\x06\x03a\x09\x05\x01\x06\x03b\x06\x00", ["a", ["b", "b"]]),
]

#: Faults: name, bytes, the offset they blame.
FAULTS: list[tuple[str, bytes, int]] = [
    ("integer missing", b"\x04", 1),
    ("integer cut", b"\x04\xff\xff\xff", 1),
    ("double cut", b"\x05" + bytes(7), 1),
    ("string header missing", b"\x06", 1),
    ("string cut", b"\x06\x05a", 2),
    ("no such string", b"\x06\x00", 1),
    ("the empty string is in no table", b"\x09\x05\x01\x06\x01\x06\x00", 6),
    ("no such value", b"\x08\x00", 1),
    ("no such array", b"\x09\x04", 1),
    ("cycle", b"\x09\x03\x01\x09\x00", 4),
    ("no such traits", b"\x0a\x01", 2),
    ("XML cut", b"\x0b\x09<a/", 2),
    ("bytes cut", b"\x0c\x05a", 2),
    ("date cut", b"\x08\x01" + bytes(7), 2),
    ("names cut", b"\x09\x01\x03a", 4),
    ("names not ended", b"\x09\x01\x03a\x01", 5),
    ("array count beyond the bytes", b"\x09\x07\x01\x01\x01", 3),
    ("traits beyond the bytes", b"\x0a\x53\x01\x03a", 3),
    ("member missing", b"\x0a\x13\x01\x03a", 5),
    ("vector flag missing", b"\x0d\x03", 2),
    ("vector cut", b"\x0d\x05\x00\x00\x00\x00\x01\x00\x00\x00", 3),
    ("vector of doubles cut", b"\x0f\x03\x00" + bytes(7), 3),
    ("vector of objects cut", b"\x10\x05\x00\x01\x01", 4),
    ("dictionary cut", b"\x11\x03\x00\x01", 3),
]


class TableTests(SynchronousTestCase):
    """Bytes and values."""

    def test_encode(self) -> None:
        for name, value, data in CASES:
            self.assertEqual(amf3.encode(value), data, name)

    def test_decode(self) -> None:
        for name, value, data in CASES:
            values = amf3.decode(data)
            self.assertTrue(same(values, [value]), (name, values))

    def test_allAtOnce(self) -> None:
        """One after another, each with tables of its own, also behind other bytes."""
        values = [value for _, value, _ in CASES]
        data = b"".join(data for _, _, data in CASES)
        self.assertEqual(amf3.encode(*values), data)
        self.assertTrue(same(amf3.decode(data), values))
        self.assertTrue(same(amf3.decode(b"\x00\xff" + data, DATA_LIMITS, 2), values))

    def test_readOnly(self) -> None:
        for name, data, expected in READ_ONLY:
            values = amf3.decode(data)
            self.assertTrue(same(values, expected), (name, values))

    def test_faults(self) -> None:
        for name, data, offset in FAULTS:
            error = self.assertRaises(AMFDecodeError, amf3.decode, data)
            self.assertEqual(error.offset, offset, (name, error))
            self.assertIs(type(error), AMFDecodeError, name)
            error = self.assertRaises(AMFDecodeError, amf3.decode, b"\x01\x02" + data, offset=1)
            self.assertEqual(error.offset, offset + 2, (name, error))

    def test_everyPrefix(self) -> None:
        """Unlike in AMF0, nothing that is cut can be read."""
        for name, _, data in CASES:
            for size in range(1, len(data)):
                with self.assertRaises(AMFDecodeError, msg=str((name, size))):
                    amf3.decode(data[:size])

    def test_unsupported(self) -> None:
        for marker in range(0x12, 0x100):
            error = self.assertRaises(AMFUnsupportedError, amf3.decode, bytes([1, marker]))
            self.assertEqual(error.offset, 1)

    def test_C5_externalizable(self) -> None:
        """No class is looked up; where such a value ends is known to its class alone."""
        error = self.assertRaises(AMFUnsupportedError, amf3.decode, b"\x01\x0a\x07\x13os.system\x01\x01")
        self.assertEqual(error.offset, 3)
        self.assertIn("os.system", error.reason)
        name = b"\x1b[2J" + b"x" * 4000
        header = len(name) << 1 | 1
        hostile = b"\x0a\x07" + bytes([header >> 7 | 0x80, header & 0x7F]) + name
        error = self.assertRaises(AMFUnsupportedError, amf3.decode, hostile)
        self.assertLess(len(error.reason), 200)
        self.assertNotIn("\x1b", error.reason)

    def test_C5_xmlIsText(self) -> None:
        doctype = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
        for marker in (b"\x07", b"\x0b"):
            data = marker + bytes([len(doctype) >> 6 | 0x80, (len(doctype) << 1 | 1) & 0x7F]) + doctype.encode()
            self.assertTrue(same(amf3.decode(data), [XMLDocument(doctype)]))


class ReferenceTests(SynchronousTestCase):
    """The tables of strings, complex values and traits."""

    def test_identity(self) -> None:
        """What is one object in Python is one on the wire, and one again."""
        shared: list[AMFValue] = [
            {"a": 1},
            ECMAArray(b=1),
            TypedObject("A", {"c": 1}),
            [1],
            b"bytes",
            XMLDocument("x"),
            Date(1.0),
            Vector("int", [1]),
            Vector("object", [1]),
            Dictionary([(1, 2)]),
        ]
        data = amf3.encode([shared, *shared])
        (values,) = amf3.decode(data)
        assert isinstance(values, list)
        self.assertTrue(same(values, [shared, *shared]), values)
        first = values[0]
        assert isinstance(first, list)
        for one, other in zip(first, values[1:], strict=True):
            self.assertIs(one, other)
        self.assertEqual(amf3.encode(values), data)
        self.assertTrue(
            data.endswith(b"\x0a\x04\x09\x06\x0a\x08\x09\x0a\x0c\x0c\x07\x0e\x08\x10\x0d\x12\x10\x14\x11\x16")
        )

    def test_equalIsNotIdentical(self) -> None:
        (values,) = amf3.decode(amf3.encode([[1], [1]]))
        assert isinstance(values, list)
        self.assertIsNot(values[0], values[1])

    def test_manyReferences(self) -> None:
        """Indices that need two bytes."""
        value: AMFValue = [[f"s{index}" for index in range(100)], [f"s{index}" for index in range(100)]]
        data = amf3.encode(value)
        self.assertIn(b"\x06\x81\x46", data)
        self.assertTrue(same(amf3.decode(data), [value]))

    def test_countsAgain(self) -> None:
        data = b"\x09\x05\x01" + b"\x09\x07\x01\x01\x01\x01" + b"\x09\x02"
        self.assertEqual(amf3.decode(data, AMFLimits(values=9)), [[[None] * 3] * 2])
        self.assertRaises(AMFDecodeError, amf3.decode, data, AMFLimits(values=8))

    def test_repeatedBytes(self) -> None:
        """References to long strings, values and shapes must not become gigabytes when written out again."""
        name = "n" * 4000
        repeating: list[AMFValue] = [
            [name] * 300,
            [{name: None}] * 300,
            [{name: None} for _ in range(300)],
            [TypedObject("A", {name: None}) for _ in range(300)],
            [b"b" * 4000] * 300,
        ]
        for value in repeating:
            data = amf3.encode(value)
            self.assertLess(len(data), 8000)
            self.assertIn("repeat", self.assertRaises(AMFDecodeError, amf3.decode, data).reason)
            self.assertTrue(same(amf3.decode(data, AMFLimits(repeatedBytes=2_000_000)), [value]))


class HostileTests(SynchronousTestCase):
    """Rows of the hostile list."""

    def refused(self, data: bytes, limits: AMFLimits = DATA_LIMITS) -> AMFDecodeError:
        """C{data} is refused, and in less than 1 MB beyond itself."""
        tracemalloc.start()
        try:
            error: AMFDecodeError = self.assertRaises(AMFDecodeError, amf3.decode, data, limits)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        self.assertLess(peak, 1_000_000)
        return error

    def test_C1_deepNesting(self) -> None:
        levels = {
            "arrays": b"\x09\x03\x01",
            "names": b"\x09\x01\x03a",
            "objects": b"\x0a\x0b\x01\x03a",
            "sealed": b"\x0a\x13\x01\x03a",
            "vectors": b"\x10\x03\x00\x01",
            "dictionary keys": b"\x11\x03\x00",
            "wrappers": b"\x0a\x07\x3bflex.messaging.io.ObjectProxy",
        }
        for name, level in levels.items():
            error = self.refused(level * 100_000 if len(level) < 10 else level * 1000)
            self.assertIn("32 deep", error.reason, name)

    def test_C1_allowedDepth(self) -> None:
        """What has no members may lie at the bottom of the deepest value, read and written."""
        for leaf in (Date(1.0), b"x", XMLDocument("x"), Vector("double", [1.0]), "x"):
            value: AMFValue = leaf
            for _ in range(32):
                value = [value]
            self.assertTrue(same(amf3.decode(amf3.encode(value, value)), [value, value]))

    def test_C2_counts(self) -> None:
        most = b"\xff\xff\xff\xff"
        for name, data in {
            "array": b"\x09" + most + b"\x01",
            "int": b"\x0d" + most + b"\x00",
            "uint": b"\x0e" + most + b"\x00",
            "double": b"\x0f" + most + b"\x00",
            "object": b"\x10" + most + b"\x00\x01",
            "dictionary": b"\x11" + most + b"\x00",
            "traits": b"\x0a\xff\xff\xff\xfb\x01",
        }.items():
            self.assertIn("allowed", self.refused(data).reason, name)
            self.assertIn("allowed", self.refused(data + bytes(5000)).reason, name)

    def test_C2_vectorsCount(self) -> None:
        """The numbers in a vector are values like others."""
        vector = Vector("int", [0] * 1000)
        self.assertTrue(amf3.decode(amf3.encode(vector), AMFLimits(values=1001)))
        self.refused(amf3.encode(vector), AMFLimits(values=1000))
        self.refused(amf3.encode(vector, vector), AMFLimits(values=1024))

    def test_C3_stringsBeyondTheMessage(self) -> None:
        for marker in (b"\x06", b"\x07", b"\x0b", b"\x0c", b"\x0a\x0b", b"\x0a\x13", b"\x09\x01"):
            self.assertIn("bytes announced", self.refused(marker + b"\xff\xff\xff\xffab").reason)

    def test_C3_longStrings(self) -> None:
        long = "x" * 4097
        values: list[AMFValue] = [long, long.encode(), XMLDocument(long), {long: 1}, TypedObject(long)]
        for value in values:
            self.refused(amf3.encode(value), AMFLimits())
            self.assertTrue(same(amf3.decode(amf3.encode(value), DATA_LIMITS), [value]))

    def test_C4_cycles(self) -> None:
        for data in (
            b"\x09\x03\x01\x09\x00",
            b"\x09\x01\x03a\x09\x00\x01",
            b"\x0a\x0b\x01\x03a\x0a\x00\x01",
            b"\x0a\x13\x01\x03a\x0a\x00",
            b"\x10\x03\x00\x01\x10\x00",
            b"\x11\x03\x00\x11\x00\x01",
            b"\x0a\x07\x3bflex.messaging.io.ObjectProxy\x0a\x00",
            b"\x09\x03\x01\x09\x03\x01\x0c\x00",
        ):
            self.assertIn("cycle", self.refused(data).reason)

    def test_C4_doublingChain(self) -> None:
        """40 arrays, each holding the one before it twice."""
        links = b"".join(b"\x09\x05\x01" + bytes([9, index << 1]) * 2 for index in range(1, 41))
        self.assertIn("4096 values", self.refused(b"\x09\x53\x01" + b"\x09\x01\x01" + links).reason)

    def test_C10_manyKeys(self) -> None:
        members = b"".join(b"\x0b%05d\x01" % index for index in range(10_000)) + b"\x01"
        for start in (b"\x0a\x0b\x01", b"\x09\x01"):
            self.assertIn("256 keys", self.refused(start + members, AMFLimits()).reason)
            self.refused(start + members)
        self.refused(amf3.encode(TypedObject("A", {str(index): None for index in range(257)})), AMFLimits())
        self.refused(amf3.encode(Dictionary([(index, None) for index in range(257)])), AMFLimits())

    def test_C10_dates(self) -> None:
        for ms in (1e300, math.inf, math.nan):
            self.assertTrue(same(amf3.decode(b"\x08\x01" + struct.pack(">d", ms)), [Date(ms)]))


class EncodeTests(SynchronousTestCase):
    """What goes out as what, and what can't."""

    def test_numbers(self) -> None:
        self.assertEqual(amf3.encode(1 << 28), b"\x05" + struct.pack(">d", 1 << 28))
        self.assertEqual(amf3.encode(-(1 << 28) - 1), b"\x05" + struct.pack(">d", -(1 << 28) - 1))
        self.assertEqual(amf3.encode(True, 1, 1.0), b"\x03\x04\x01\x05" + ONE)

    def test_tuple(self) -> None:
        self.assertEqual(amf3.encode((1, "x")), amf3.encode([1, "x"]))

    def test_subclasses(self) -> None:
        class Level(enum.StrEnum):
            ERROR = "error"

        self.assertEqual(amf3.encode(Level.ERROR), amf3.encode("error"))

    def test_dateLosesZone(self) -> None:
        self.assertEqual(amf3.encode(Date(1.0, 60)), amf3.encode(Date(1.0)))

    def test_emptyNameAmongOthers(self) -> None:
        (value,) = amf3.decode(amf3.encode({"a": 1, "": 2, "b": 3}))
        self.assertEqual(value, {"a": 1, "": 2, "b": 3})

    def test_refusedTypes(self) -> None:
        for value in (set(), object(), 1j):
            error = self.assertRaises(LocalProtocolError, amf3.encode, [value])
            self.assertIn(type(value).__name__, str(error))

    def test_refusedValues(self) -> None:
        badDictionary: Any = Dictionary()
        badDictionary.append(5)
        cases: list[Any] = [
            UNSUPPORTED,
            10**400,
            "\ud800",
            {1: None},
            ECMAArray({"": 1}),
            TypedObject("A", {1: None}),  # type: ignore[arg-type]
            TypedObject([]),  # type: ignore[arg-type]
            Date("x"),  # type: ignore[arg-type]
            Vector("int", [2**31]),
            Vector("uint", [-1]),
            Vector("int", [1.5]),
            Vector("double", ["x"]),
            Vector("double", [10**400]),
            Vector("text", []),  # type: ignore[arg-type]
            Vector("object", [], typeName=None),  # type: ignore[arg-type]
            badDictionary,
        ]
        for value in cases:
            self.assertRaises(LocalProtocolError, amf3.encode, value)

    def test_cycles(self) -> None:
        loop: list[Any] = []
        loop.append(loop)
        ring: dict[str, Any] = {}
        ring["a"] = TypedObject("A", {"b": ECMAArray(c=Vector("object", [Dictionary([(1, ring)])]))})
        for value in (loop, ring):
            error = self.assertRaises(LocalProtocolError, amf3.encode, value)
            self.assertIn("contains itself", str(error))

    def test_depth(self) -> None:
        value: AMFValue = []
        for _ in range(31):
            value = [value]
        self.assertEqual(amf3.decode(amf3.encode(value)), [value])
        self.assertRaises(LocalProtocolError, amf3.encode, [value])

    def test_sizes(self) -> None:
        self.assertRaises(LocalProtocolError, amf3.encode, b"x" * 0xFFFFFF)
        self.assertRaises(LocalProtocolError, amf3.encode, b"x" * (1 << 28))


text = st.one_of(st.text(max_size=8), st.binary(max_size=8).map(lambda raw: raw.decode("utf-8", "surrogateescape")))
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 28), (1 << 28) - 1),
    st.floats(),
    text,
    st.just(UNDEFINED),
    st.builds(Date, st.floats()),
    text.map(XMLDocument),
    st.binary(max_size=8),
    st.builds(Vector, st.just("int"), st.lists(st.integers(-(1 << 31), (1 << 31) - 1), max_size=3), st.booleans()),
    st.builds(Vector, st.just("uint"), st.lists(st.integers(0, (1 << 32) - 1), max_size=3)),
    st.builds(Vector, st.just("double"), st.lists(st.floats(), max_size=3)),
)


def containers(inner: Any) -> Any:
    members = st.dictionaries(text.filter(bool), inner, max_size=4)
    return st.one_of(
        members,
        members.filter(bool).map(ECMAArray),
        st.builds(TypedObject, text.filter(bool), st.dictionaries(text, inner, max_size=4)),
        st.lists(inner, max_size=4),
        inner.map(lambda value: [value, value]),
        st.builds(Vector, st.just("object"), st.lists(inner, max_size=3), st.booleans(), text),
        st.builds(Dictionary, st.lists(st.tuples(inner, inner), max_size=3), st.booleans()),
    )


values = st.recursive(leaves, containers, max_leaves=15)


class PropertyTests(SynchronousTestCase):
    """Whatever it is: it comes back, or it is refused in one way."""

    @settings(deadline=None, max_examples=150)
    @given(st.lists(values, max_size=3))
    def test_roundTrip(self, several: list[AMFValue]) -> None:
        again = amf3.decode(amf3.encode(*several), DATA_LIMITS)
        self.assertTrue(same(again, several), (several, again))

    @settings(deadline=None, max_examples=150)
    @given(values, st.data())
    def test_mutated(self, value: AMFValue, draw: st.DataObject) -> None:
        data = bytearray(amf3.encode(value))
        for _ in range(3):
            data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
        self.readOrRefused(bytes(data))

    def test_random(self) -> None:
        """Random bytes, most of them small so that they are markers and short headers; and damaged cases."""
        dice = random.Random(1935)
        whole = b"\x09\x81\x01\x01" + b"".join(data for _, _, data in CASES)
        for _ in range(6000):
            size = dice.randrange(60)
            small = bytes(dice.randrange(0x13) if dice.random() < 0.8 else dice.randrange(256) for _ in range(size))
            self.readOrRefused(small)
            damaged = bytearray(dice.choice(CASES)[2][:200] if dice.random() < 0.8 else whole)
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
            self.readOrRefused(bytes(damaged))

    def readOrRefused(self, data: bytes) -> None:
        """Decoding gives values, which can be written again, or one error that blames a place inside C{data}."""
        try:
            several = amf3.decode(data)
        except AMFDecodeError as fault:
            self.assertTrue(fault.offset is not None and 0 <= fault.offset <= len(data), fault)
            return
        self.assertEqual(len(amf3.decode(amf3.encode(*several), DATA_LIMITS)), len(several))
