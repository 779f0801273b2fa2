"""AMF0: one table both ways, what real senders write, and hostile rows C1-C5, C9, C10."""

from __future__ import annotations

import enum
import math
import random
import struct
import tracemalloc
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import AMFDecodeError, AMFUnsupportedError, LocalProtocolError
from rtmptw.wire import amf0, amf3
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

END = b"\x00\x00\x09"
ONE = b"\x00\x3f\xf0\x00\x00\x00\x00\x00\x00"

#: What is read and written alike: name, value, bytes.
CASES: list[tuple[str, AMFValue, bytes]] = [
    ("zero", 0.0, b"\x00" + bytes(8)),
    ("one", 1.0, ONE),
    ("minus zero", -0.0, b"\x00\x80" + bytes(7)),
    ("infinity", math.inf, b"\x00\x7f\xf0" + bytes(6)),
    ("NaN", math.nan, b"\x00\x7f\xf8" + bytes(6)),
    ("false", False, b"\x01\x00"),
    ("true", True, b"\x01\x01"),
    ("empty string", "", b"\x02\x00\x00"),
    ("string", "live", b"\x02\x00\x04live"),
    ("UTF-8", "é", b"\x02\x00\x02\xc3\xa9"),
    ("not UTF-8", "\udcffx", b"\x02\x00\x02\xffx"),
    ("NUL padding", "Main\0\0", b"\x02\x00\x06Main\0\0"),
    ("longest string", "a" * 65535, b"\x02\xff\xff" + b"a" * 65535),
    ("long string", "a" * 65536, b"\x0c\x00\x01\x00\x00" + b"a" * 65536),
    ("empty object", {}, b"\x03" + END),
    ("object", {"a": 1.0}, b"\x03\x00\x01a" + ONE + END),
    ("empty key", {"": None, "b": True}, b"\x03\x00\x00\x05\x00\x01b\x01\x01" + END),
    ("nested", {"a": {"b": {}}}, b"\x03\x00\x01a\x03\x00\x01b\x03" + END * 3),
    ("null", None, b"\x05"),
    ("undefined", UNDEFINED, b"\x06"),
    ("ECMA array", ECMAArray(a=None, b=True), b"\x08\x00\x00\x00\x02\x00\x01a\x05\x00\x01b\x01\x01" + END),
    ("empty ECMA array", ECMAArray(), b"\x08\x00\x00\x00\x00" + END),
    ("strict array", ["x", None, []], b"\x0a\x00\x00\x00\x03\x02\x00\x01x\x05\x0a\x00\x00\x00\x00"),
    ("date", Date(1.0, -60), b"\x0b" + ONE[1:] + b"\xff\xc4"),
    ("unsupported", UNSUPPORTED, b"\x0d"),
    ("XML", XMLDocument("<a/>"), b"\x0f\x00\x00\x00\x04<a/>"),
    ("typed object", TypedObject("A", {"x": None}), b"\x10\x00\x01A\x00\x01x\x05" + END),
    ("typed object without a name", TypedObject(""), b"\x10\x00\x00" + END),
]

#: What FFmpeg 5 sends to begin, byte for byte.
CONNECT = (
    b"\x02\x00\x07connect" + ONE + b"\x03"
    b"\x00\x03app\x02\x00\x04live"
    b"\x00\x04type\x02\x00\x0anonprivate"
    b"\x00\x08flashVer\x02\x00\x24FMLE/3.0 (compatible; Lavf59.27.100)"
    b"\x00\x05tcUrl\x02\x00\x1brtmp://127.0.0.1:19350/live" + END
)
CONNECT_VALUES: list[AMFValue] = [
    "connect",
    1.0,
    {
        "app": "live",
        "type": "nonprivate",
        "flashVer": "FMLE/3.0 (compatible; Lavf59.27.100)",
        "tcUrl": "rtmp://127.0.0.1:19350/live",
    },
]

METADATA = (
    b"\x02\x00\x0d@setDataFrame\x02\x00\x0aonMetaData\x08\x00\x00\x00\x05"
    b"\x00\x05width\x00\x40\x74\x00\x00\x00\x00\x00\x00"
    b"\x00\x0cvideocodecid\x00\x40\x1c\x00\x00\x00\x00\x00\x00"
    b"\x00\x06stereo\x01\x00"
    b"\x00\x07encoder\x02\x00\x0dLavf59.27.100"
    b"\x00\x08filesize\x00\x00\x00\x00\x00\x00\x00\x00\x00" + END
)
METADATA_VALUES: list[AMFValue] = [
    "@setDataFrame",
    "onMetaData",
    ECMAArray(width=320.0, videocodecid=7.0, stereo=False, encoder="Lavf59.27.100", filesize=0.0),
]

#: Read, but never written so: name, bytes, values.
READ_ONLY: list[tuple[str, bytes, list[AMFValue]]] = [
    ("nothing", b"", []),
    ("true as 2", b"\x01\x02", [True]),
    ("short long string", b"\x0c\x00\x00\x00\x01x", ["x"]),
    ("duplicate key, the last wins", b"\x03\x00\x01a\x05\x00\x01a\x01\x01" + END, [{"a": True}]),
    ("OBS counts 20", b"\x08\x00\x00\x00\x14\x00\x01a\x05" + END + b"\x05", [ECMAArray(a=None), None]),
    ("nginx-rtmp counts 0", b"\x08\x00\x00\x00\x00\x00\x01a\x05" + END + b"\x05", [ECMAArray(a=None), None]),
    ("ECMA count of 2^32-1", b"\x08\xff\xff\xff\xff\x00\x01a\x05" + END, [ECMAArray(a=None)]),
    ("array ends with the bytes", b"\x0a\x00\x00\x00\x05\x05\x05", [[None, None]]),
    ("empty array, count 9", b"\x0a\x00\x00\x00\x09", [[]]),
    ("AMF3 null between AMF0 nulls", b"\x05\x11\x01\x05", [None, None, None]),
    ("AMF3 integer inside an object", b"\x03\x00\x01a\x11\x04\x05" + END, [{"a": 5}]),
    (
        "AMF3 tables are new for each value",
        b"\x11\x09\x03\x01\x06\x03a\x11\x09\x05\x01\x06\x03b\x06\x00",
        [["a"], ["b", "b"]],
    ),
    (
        "AMF3 values are not in the AMF0 table",
        b"\x11\x09\x01\x01\x0a\x00\x00\x00\x00\x07\x00\x00",
        [[], [], []],
    ),
]

#: Faults: name, bytes, the values before it, the offset it blames.
FAULTS: list[tuple[str, bytes, int, int]] = [
    ("number cut", b"\x05\x00\x3f\xf0", 1, 2),
    ("boolean cut", b"\x01", 0, 1),
    ("string size cut", b"\x02\x00", 0, 1),
    ("string cut", b"\x02\x00\x02a", 0, 3),
    ("long string size cut", b"\x0c\x00\x00", 0, 1),
    ("long string cut", b"\x0c\x00\x00\x00\x02a", 0, 5),
    ("XML cut", b"\x0f\x00\x00\x00\x02a", 0, 5),
    ("date cut", b"\x0b" + bytes(9), 0, 1),
    ("ECMA count cut", b"\x08\x00\x00", 0, 1),
    ("array count cut", b"\x0a\x00\x00", 0, 1),
    ("array element cut", b"\x0a\x00\x00\x00\x02\x05\x02\x00", 0, 7),
    ("class name cut", b"\x10\x00\x05A", 0, 3),
    ("key size cut", b"\x03\x00", 0, 1),
    ("object end cut", b"\x03\x00\x00", 0, 1),
    ("key cut", b"\x03\x00\x05abc", 0, 3),
    ("value missing", b"\x03\x00\x01a", 0, 4),
    ("stray object end", b"\x05\x05\x09", 2, 2),
    ("object end as an element", b"\x0a\x00\x00\x00\x02\x09", 0, 5),
    ("reference cut", b"\x07\x00", 0, 1),
    ("reference to nothing", b"\x07\x00\x00", 0, 1),
    ("cycle", b"\x03\x00\x01a\x07\x00\x00" + END, 0, 5),
    ("nothing after 11", b"\x05\x11", 1, 2),
    ("AMF3 cut", b"\x05\x11\x06\x05a", 1, 4),
    ("movie clip", b"\x05\x04", 1, 1),
    ("record set", b"\x0e", 0, 0),
    ("unknown in an object", b"\x05\x03\x00\x01a\x12" + END, 1, 5),
    ("ff", b"\xff\xff\xff\xff", 0, 0),
    ("unknown AMF3", b"\x05\x11\x12", 1, 2),
]


class TableTests(SynchronousTestCase):
    """Bytes and values."""

    def test_encode(self) -> None:
        for name, value, data in CASES:
            self.assertEqual(amf0.encode(value), data, name)

    def test_decode(self) -> None:
        for name, value, data in CASES:
            values = amf0.decode(data, DATA_LIMITS)
            self.assertTrue(same(values, [value]), (name, values))

    def test_allAtOnce(self) -> None:
        """The whole table as one message, and again with something before it."""
        values = [value for _, value, _ in CASES]
        data = b"".join(data for _, _, data in CASES)
        self.assertEqual(amf0.encode(*values), data)
        self.assertTrue(same(amf0.decode(data, DATA_LIMITS), values))
        self.assertTrue(same(amf0.decode(b"\x00\xff" + data, DATA_LIMITS, 2), values))

    def test_commands(self) -> None:
        for data, values in ((CONNECT, CONNECT_VALUES), (METADATA, METADATA_VALUES)):
            self.assertTrue(same(amf0.decode(data), values), values)
            self.assertEqual(amf0.encode(*values), data)

    def test_readOnly(self) -> None:
        for name, data, expected in READ_ONLY:
            values = amf0.decode(data)
            self.assertTrue(same(values, expected), (name, values))

    def test_faults(self) -> None:
        for name, data, good, offset in FAULTS:
            values, fault = amf0.decodePrefix(data)
            assert fault is not None, name
            self.assertEqual((len(values), fault.offset), (good, offset), (name, fault))
            error = self.assertRaises(AMFDecodeError, amf0.decode, b"xyz" + data, offset=3)
            self.assertEqual((error.offset, error.reason), (offset + 3, fault.reason), name)

    def test_unsupported(self) -> None:
        """Of what no end can be known, the error says so; what came before is good."""
        for data in (b"\x05\x04", b"\x05\x0e", b"\x05\x12", b"\x05\xff", b"\x05\x03\x00\x01a\x04"):
            values, fault = amf0.decodePrefix(data)
            self.assertEqual(values, [None])
            self.assertIsInstance(fault, AMFUnsupportedError)
        self.assertNotIsInstance(amf0.decodePrefix(b"\x09")[1], AMFUnsupportedError)

    def test_prefixWithoutFault(self) -> None:
        self.assertEqual(amf0.decodePrefix(b"\x05\x05"), ([None, None], None))
        self.assertEqual(amf0.decodePrefix(b"\x05", offset=7), ([], None))

    def test_decoderGoesValueByValue(self) -> None:
        decoder = amf0.Decoder(CONNECT)
        self.assertEqual((decoder.value(), decoder.position), ("connect", 10))
        self.assertEqual((decoder.value(), decoder.position), (1.0, 19))
        self.assertEqual(decoder.value(), CONNECT_VALUES[2])
        self.assertEqual(decoder.position, decoder.end)
        self.assertRaises(AMFDecodeError, decoder.value)


class PrefixTests(SynchronousTestCase):
    """Every way of cutting a command."""

    def test_connect(self) -> None:
        """Only at the places where a value or key could begin is a cut command readable."""
        whole = amf0.decode(CONNECT)
        readable = []
        for size in range(len(CONNECT)):
            values, fault = amf0.decodePrefix(CONNECT[:size])
            self.assertTrue(same(values[:2], whole[: len(values)][:2]), size)
            if fault is None:
                readable.append(size)
            else:
                self.assertTrue(fault.offset is not None and fault.offset <= size, fault)
        # Nothing, the name, the transaction ID, the object with 0 to 4 members.
        self.assertEqual(len(readable), 3 + 5)
        members = [len(amf0.decode(CONNECT[:size])[2]) for size in readable[3:]]  # type: ignore[arg-type]
        self.assertEqual(members, [0, 1, 2, 3, 4])

    def test_everyCase(self) -> None:
        for name, value, data in CASES:
            if len(data) < 1000:
                for size in range(1, len(data)):
                    values, fault = amf0.decodePrefix(data[:size])
                    closed = fault is None and isinstance(value, (dict, list))
                    self.assertTrue(closed or (fault is not None and not values), (name, size))


class ReferenceTests(SynchronousTestCase):
    """Marker 07: counts objects, typed objects, ECMA arrays, strict arrays in order of their beginning."""

    def test_sameObject(self) -> None:
        data = b"".join(
            (
                b"\x03\x00\x01a\x0a\x00\x00\x00\x00" + END,  # 0, and 1 inside
                b"\x08\x00\x00\x00\x00" + END,  # 2
                b"\x0b" + bytes(10),  # a date is not counted
                b"\x0f\x00\x00\x00\x00",  # nor is XML
                b"\x10\x00\x01A" + END,  # 3
                *(b"\x07\x00" + bytes([index]) for index in range(4)),
            )
        )
        values = amf0.decode(data)
        object0, array2, _, _, typed3 = values[:5]
        assert isinstance(object0, dict)
        for value, expected in zip(values[5:], (object0, object0["a"], array2, typed3), strict=True):
            self.assertIs(value, expected)

    def test_notWritten(self) -> None:
        shared: AMFValue = {"a": None}
        self.assertEqual(amf0.encode(shared, shared), amf0.encode(shared) * 2)

    def test_countsAgain(self) -> None:
        """A reference to an array of 3 nulls costs 4 values."""
        data = amf0.encode([None] * 3) + b"\x07\x00\x00"
        self.assertEqual(amf0.decode(data, AMFLimits(values=8)), [[None] * 3] * 2)
        self.assertRaises(AMFDecodeError, amf0.decode, data, AMFLimits(values=7))

    def test_repeatedBytes(self) -> None:
        """A long string behind references must not become gigabytes when it is written out again."""
        data = amf0.encode(["x" * 4000]) + b"\x07\x00\x00" * 300
        error = self.assertRaises(AMFDecodeError, amf0.decode, data)
        self.assertIn("repeat", error.reason)
        self.assertEqual(len(amf0.decode(data, AMFLimits(repeatedBytes=4007 * 300))), 301)


class HostileTests(SynchronousTestCase):
    """Rows of the hostile list; each is a handful of bytes or a bounded wait."""

    def refused(self, data: bytes, limits: AMFLimits = DATA_LIMITS) -> AMFDecodeError:
        """C{data} is refused, and in less than 1 MB beyond itself."""
        tracemalloc.start()
        try:
            error: AMFDecodeError = self.assertRaises(AMFDecodeError, amf0.decode, data, limits)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        self.assertLess(peak, 1_000_000)
        return error

    def test_C1_deepNesting(self) -> None:
        levels = {
            "objects": b"\x03\x00\x01a",
            "ECMA arrays": b"\x08\x00\x00\x00\x01\x00\x01a",
            "typed objects": b"\x10\x00\x01A\x00\x01a",
            "strict arrays": b"\x0a\x00\x00\x00\x01",
            "AMF3 arrays": b"\x09\x03\x01",
            "AMF3 objects": b"\x0a\x0b\x01\x03a",
        }
        for name, level in levels.items():
            switch = b"\x11" if "AMF3" in name else b""
            error = self.refused(switch + level * 100_000)
            self.assertIn("32 deep", error.reason, name)
            assert error.offset is not None
            self.assertLessEqual(error.offset, 33 * len(level) + 1, name)

    def test_C1_depthIsShared(self) -> None:
        """20 levels of AMF0 and 20 of AMF3 inside are 40."""
        self.refused(b"\x0a\x00\x00\x00\x01" * 20 + b"\x11" + b"\x09\x03\x01" * 20 + b"\x01")
        amf0.decode(b"\x0a\x00\x00\x00\x01" * 20 + b"\x11" + b"\x09\x03\x01" * 12 + b"\x01")

    def test_C1_allowedDepth(self) -> None:
        """32 levels are read, and the depth is given back after each value."""
        value: AMFValue = None
        for _ in range(32):
            value = {"a": value}
        data = amf0.encode(value, value)
        self.assertEqual(amf0.decode(data), [value, value])

    def test_C2_counts(self) -> None:
        for count in (4097, 2**31, 2**32 - 1):
            announced = struct.pack(">I", count)
            self.refused(b"\x0a" + announced)
            self.refused(b"\x0a" + announced + b"\x05" * 5000)
            self.refused(b"\x11\x09\xff\xff\xff\xff\x01")
        self.refused(b"\x0a\x00\x00\x10\x00" + b"\x05" * 4096)
        # An ECMA array's count is no promise.
        self.assertEqual(amf0.decode(b"\x08\xff\xff\xff\xff" + END), [ECMAArray()])

    def test_C2_valuesAcrossAMF3(self) -> None:
        """AMF0 and AMF3 draw on one budget."""
        data = amf0.encode([None] * 600) + b"\x11" + amf3.encode([None] * 600)
        error = self.refused(data, AMFLimits(values=1024))
        self.assertIn("1024 values", error.reason)

    def test_C3_stringsBeyondTheMessage(self) -> None:
        for data in (
            b"\x02\xff\xffab",
            b"\x0c\xff\xff\xff\xffab",
            b"\x0f\xff\xff\xff\xffab",
            b"\x10\xff\xffab",
            b"\x03\xff\xffab",
            b"\x11\x06\xff\xff\xff\xffab",
            b"\x11\x0c\xff\xff\xff\xffab",
            b"\x11\x07\xff\xff\xff\xffab",
        ):
            self.assertIn("announced", self.refused(data).reason)

    def test_C3_longStrings(self) -> None:
        """Complete, but longer than allowed."""
        for data in (amf0.encode("x" * 4097), b"\x0f\x00\x01\x00\x00" + b"x" * 65536, amf0.encode({"k" * 5000: 1})):
            self.refused(data, AMFLimits())

    def test_C4_cycles(self) -> None:
        for data in (
            b"\x03\x00\x01a\x07\x00\x00" + END,
            b"\x08\x00\x00\x00\x01\x00\x01a\x07\x00\x00" + END,
            b"\x0a\x00\x00\x00\x01\x07\x00\x00",
            b"\x10\x00\x01A\x00\x01a\x07\x00\x00" + END,
            b"\x0a\x00\x00\x00\x01\x0a\x00\x00\x00\x01\x07\x00\x00",
        ):
            self.assertIn("cycle", self.refused(data).reason)

    def test_C4_doublingChain(self) -> None:
        """Each array holds the one before it twice: 40 of them would be 2^40 values."""
        chain = b"\x0a\x00\x00\x00\x00" + b"".join(
            b"\x0a\x00\x00\x00\x02" + (b"\x07" + struct.pack(">H", index)) * 2 for index in range(40)
        )
        self.assertIn("4096 values", self.refused(chain).reason)

    def test_C5_namesAreOnlyText(self) -> None:
        doctype = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
        data = amf0.encode(XMLDocument(doctype), TypedObject("os.system", {"__class__": "x"}))
        text, typed = amf0.decode(data)
        self.assertTrue(same(text, XMLDocument(doctype)))
        self.assertTrue(same(typed, TypedObject("os.system", {"__class__": "x"})))
        self.assertIs(type(typed), TypedObject)

    def test_C8_anyBytesInStrings(self) -> None:
        for raw in (b"\xff\xfe", b"\xed\xa0\x80", b"\0\r\n\x1b[0m", "\u202e".encode(), b"\xc3"):
            data = b"\x02" + struct.pack(">H", len(raw)) + raw
            self.assertEqual(amf0.encode(*amf0.decode(data)), data)

    def test_C9_missingEnd(self) -> None:
        """At the end of the message all that is open is closed (wire facts 4)."""
        data = (
            b"\x02\x00\x0aonMetaData"
            b"\x08\x00\x00\x00\x02\x00\x01a\x03\x00\x01b\x0a\x00\x00\x00\x02\x10\x00\x01A\x00\x01c\x05"
        )
        expected = ["onMetaData", ECMAArray(a={"b": [TypedObject("A", {"c": None})]})]
        self.assertTrue(same(amf0.decode(data), expected))
        # Not in the middle of a value, and not when something follows.
        self.assertEqual(amf0.decodePrefix(data[:-1])[0], ["onMetaData"])
        self.assertEqual(amf0.decodePrefix(data + b"\x00")[0], ["onMetaData"])

    def test_C9_trailingBytes(self) -> None:
        """Values and then junk: the values are there for who wants them."""
        values, fault = amf0.decodePrefix(METADATA + b"\xff\x00\x01")
        self.assertTrue(same(values, METADATA_VALUES))
        self.assertEqual(fault.offset if fault else None, len(METADATA))

    def test_C10_manyKeys(self) -> None:
        members = b"".join(b"\x00\x05%05d\x05" % index for index in range(10_000))
        self.assertIn("256 keys", self.refused(b"\x03" + members + END, AMFLimits()).reason)
        self.refused(b"\x03" + members + END)
        # The same key again and again is one key, but each value counts.
        self.assertIn("1024 values", self.refused(b"\x03" + b"\x00\x01k\x05" * 10_000 + END, AMFLimits()).reason)
        self.assertEqual(amf0.decode(b"\x03" + b"\x00\x01k\x05" * 300 + b"\x00\x01k\x01\x01" + END), [{"k": True}])

    def test_C10_dates(self) -> None:
        for ms in (1e300, -1e300, math.inf, math.nan):
            data = b"\x0b" + struct.pack(">dh", ms, -32768)
            self.assertTrue(same(amf0.decode(data), [Date(ms, -32768)]))
            self.assertEqual(amf0.encode(Date(ms, -32768)), data)

    def test_70_dataThatIsNoMetadata(self) -> None:
        """A data message that begins with a number, or is 4 bytes of junk (conformance 70)."""
        self.assertEqual(amf0.decode(ONE), [1.0])
        for junk in (b"\x00\x00\x00\x01", b"\xde\xad\xbe\xef", b"\x01\x02\x03\x04"):
            self.assertIsInstance(amf0.decodePrefix(junk)[1], AMFDecodeError)


class EncodeTests(SynchronousTestCase):
    """What can be written, and what can't."""

    def test_integersAreNumbers(self) -> None:
        self.assertEqual(amf0.encode(1), ONE)
        self.assertEqual(amf0.encode(True), b"\x01\x01")

    def test_subclasses(self) -> None:
        class Level(enum.StrEnum):
            ERROR = "error"

        class Number(enum.IntEnum):
            ONE = 1

        self.assertEqual(amf0.encode(Level.ERROR, Number.ONE), b"\x02\x00\x05error" + ONE)

    def test_tuple(self) -> None:
        self.assertEqual(amf0.encode((1, "x")), amf0.encode([1.0, "x"]))

    def test_longestKey(self) -> None:
        key = "é" * 32767 + "x"
        data = amf0.encode({key: None})
        self.assertEqual(data, b"\x03\xff\xff" + key.encode() + b"\x05" + END)
        self.assertEqual(amf0.decode(data, DATA_LIMITS), [{key: None}])
        for value in ({key + "x": None}, ECMAArray({key + "x": None}), TypedObject(key + "x")):
            self.assertRaises(LocalProtocolError, amf0.encode, value)

    def test_refusedTypes(self) -> None:
        cases: list[tuple[str, Any]] = [
            ("bytes", b"x"),
            ("Vector", Vector("int")),
            ("Dictionary", Dictionary()),
            ("set", set()),
            ("object", object()),
            ("complex", 1j),
        ]
        for name, value in cases:
            for nested in (value, [value], {"a": value}):
                error = self.assertRaises(LocalProtocolError, amf0.encode, nested)
                self.assertIn(name, str(error))

    def test_refusedValues(self) -> None:
        cases: list[Any] = [
            {1: None},
            TypedObject(None, {}),  # type: ignore[arg-type]
            "\ud800",
            10**400,
            Date(10**400),
            Date("x"),  # type: ignore[arg-type]
            Date(0.0, 32768),
        ]
        for value in cases:
            self.assertRaises(LocalProtocolError, amf0.encode, value)

    def test_cycles(self) -> None:
        loop: list[Any] = []
        loop.extend([loop, loop])
        ring: dict[str, Any] = {}
        ring["a"] = TypedObject("A", {"b": ECMAArray(c=ring)})
        for value in (loop, ring):
            self.assertRaises(LocalProtocolError, amf0.encode, value)

    def test_depth(self) -> None:
        value: AMFValue = []
        for _ in range(31):
            value = [value]
        self.assertEqual(amf0.decode(amf0.encode(value)), [value])
        self.assertRaises(LocalProtocolError, amf0.encode, [value])

    def test_size(self) -> None:
        """More than a message can carry."""
        self.assertEqual(len(amf0.encode("x" * (0xFFFFFF - 5))), 0xFFFFFF)
        self.assertRaises(LocalProtocolError, amf0.encode, "x" * (0xFFFFFF - 4))
        value: AMFValue = "x" * 1_000_000
        for _ in range(31):
            value = [value, value]
        self.assertRaises(LocalProtocolError, amf0.encode, value)


text = st.one_of(st.text(max_size=8), st.binary(max_size=8).map(lambda raw: raw.decode("utf-8", "surrogateescape")))
text = text.filter(
    lambda value: not any(0xD800 <= ord(char) < 0xDC80 or 0xDD00 <= ord(char) < 0xE000 for char in value)
)
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(),
    text,
    st.sampled_from([UNDEFINED, UNSUPPORTED]),
    st.builds(Date, st.floats(), st.integers(-32768, 32767)),
    text.map(XMLDocument),
)


def containers(inner: Any) -> Any:
    members = st.dictionaries(text, inner, max_size=4)
    return st.one_of(
        members,
        members.map(ECMAArray),
        st.builds(TypedObject, text, members),
        st.lists(inner, max_size=4),
    )


values = st.recursive(leaves, containers, max_leaves=20)


class PropertyTests(SynchronousTestCase):
    """Whatever it is: it comes back, or it is refused in one way."""

    @settings(deadline=None, max_examples=150)
    @given(st.lists(values, max_size=4))
    @example([{"": UNDEFINED}])
    def test_roundTrip(self, several: list[AMFValue]) -> None:
        data = amf0.encode(*several)
        again = amf0.decode(data)
        self.assertTrue(same(again, several), (several, again))
        self.assertEqual(amf0.encode(*again), data)

    @settings(deadline=None, max_examples=150)
    @given(st.lists(values, min_size=1, max_size=3), st.data())
    def test_mutated(self, several: list[AMFValue], draw: st.DataObject) -> None:
        data = bytearray(amf0.encode(*several))
        for _ in range(3):
            data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
        readOrRefused(self, bytes(data))

    def test_random(self) -> None:
        """Random bytes, half of them small so that they are markers; and connect with random damage."""
        dice = random.Random(1935)
        for _ in range(4000):
            size = dice.randrange(60)
            readOrRefused(
                self, bytes(dice.randrange(0x13) if dice.random() < 0.8 else dice.randrange(256) for _ in range(size))
            )
        for _ in range(4000):
            data = bytearray(CONNECT if dice.random() < 0.5 else METADATA)
            for _ in range(dice.randrange(1, 4)):
                data[dice.randrange(len(data))] = dice.randrange(0x13) if dice.random() < 0.5 else dice.randrange(256)
            readOrRefused(self, bytes(data[: dice.randrange(len(data) + 1)]))


def readOrRefused(case: SynchronousTestCase, data: bytes) -> None:
    """Reading gives values and at most one fault, which lies inside C{data}; what was read can be written again."""
    several, fault = amf0.decodePrefix(data)
    if fault is not None:
        case.assertTrue(fault.offset is not None and 0 <= fault.offset <= len(data), fault)
        case.assertRaises(AMFDecodeError, amf0.decode, data)
    try:
        written = amf0.encode(*several)
    except LocalProtocolError as error:
        case.assertIn("AMF0 has no bytes for", str(error))  # a value that came through marker 11
    else:
        case.assertEqual(len(amf0.decode(written, DATA_LIMITS)), len(several))
