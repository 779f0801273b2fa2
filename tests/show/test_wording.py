# -*- test-case-name: tests.show.test_wording -*-
"""
Tests for L{rtmptw.show.wording}: what each kind of entry is called.
"""

from __future__ import annotations

import math
import random

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.show.wording import (
    MAX_WORDS,
    answered,
    digestOf,
    kindOf,
    printable,
    valueWords,
    versionOf,
    wording,
)
from rtmptw.trace.entry import Ending, HandshakeBlock, Unreadable
from rtmptw.trace.segment import Side
from rtmptw.trace.values import COMMANDS, DATA
from rtmptw.wire.amf import (
    UNDEFINED,
    UNSUPPORTED,
    AMFValue,
    Date,
    Dictionary,
    ECMAArray,
    TypedObject,
    Vector,
    XMLDocument,
)
from rtmptw.wire.digest import (
    CLIENT_KEY,
    CLIENT_SIGNING_KEY,
    SERVER_KEY,
    SERVER_SIGNING_KEY,
    Layout,
    placeDigest,
    readDigest,
    sign,
)
from tests.trace.spoken import payloadMessage


class ValueTests(SynchronousTestCase):
    def test_values(self) -> None:
        rows: list[tuple[AMFValue, str]] = [
            (None, "null"),
            (True, "true"),
            (False, "false"),
            (5.0, "5"),
            (-0.5, "-0.5"),
            (4294967295, "4294967295"),
            (16783159.25, "16783159.25"),
            (1e300, "1e+300"),
            (math.nan, "nan"),
            (math.inf, "inf"),
            ("text", '"text"'),
            ('a "b"\n\x00é\x7f\udcff', '"a \\"b\\"\\n\\u0000\\u00e9\\u007f\\udcff"'),
            (UNDEFINED, "undefined"),
            (UNSUPPORTED, "unsupported"),
            (Date(5.0, 60), "date 5 ms"),
            (b"abc", "3 bytes"),
            (XMLDocument("<a/>"), 'XML "<a/>"'),
            ({}, "{}"),
            ({"a": 1.0, "odd name": None, "": [True]}, '{a: 1, "odd name": null, "": [true]}'),
            (ECMAArray({"a": ECMAArray()}), "ECMA {a: ECMA {}}"),
            (TypedObject("flash.Thing", {"a": 1.0}), "flash.Thing {a: 1}"),
            ([1.0, []], "[1, []]"),
            ((), "[]"),
            (Vector("int", [1, 2]), "vector of int [1, 2]"),
            (Dictionary([(1.0, "a"), ("b", None)]), 'dictionary {1: "a", "b": null}'),
        ]
        for value, words in rows:
            self.assertEqual(valueWords(value), words)

    def test_long(self) -> None:
        """Long texts are cut, and so is everything."""
        self.assertEqual(valueWords("x" * 80), f'"{"x" * 80}"')
        self.assertEqual(valueWords("x" * 1081), f'"{"x" * 80}"... (1,081 characters)')
        words = valueWords([1.0] * 4000)
        self.assertEqual(words, f"{('[1' + ', 1' * 4000)[:MAX_WORDS]}...")

    def test_printable(self) -> None:
        self.assertEqual(printable('a "b" \x7f\n\u202e'), 'a "b" \\u007f\\n\\u202e')


class MessageTests(SynchronousTestCase):
    def words(self, type: int, payload: bytes = b"", values: tuple[AMFValue, ...] = (), fault: str = "") -> str:
        return wording(payloadMessage(payload, type), values, fault)

    def test_commands(self) -> None:
        rows: list[tuple[tuple[AMFValue, ...], str]] = [
            (("connect", 1.0, {"app": "live"}), 'connect(1, {app: "live"})'),
            (("odd\nname", 1.0), '"odd\\nname"(1)'),
            (("onFCPublish",), "onFCPublish()"),
            ((5.0, None), "data 5, null"),
        ]
        for values, words in rows:
            for type in COMMANDS:
                self.assertEqual(self.words(type, values=values), words)

    def test_data(self) -> None:
        for type in DATA:
            self.assertEqual(self.words(type, values=("@setDataFrame", ECMAArray())), 'data "@setDataFrame", ECMA {}')

    def test_faults(self) -> None:
        self.assertEqual(self.words(20, values=("a", 1.0), fault="it is cut"), "a(1), then unreadable: it is cut")
        self.assertEqual(self.words(18, fault="it is cut"), "unreadable: it is cut")
        self.assertEqual(self.words(20), "command, empty")
        self.assertEqual(self.words(15), "data (AMF3), empty")

    def test_control(self) -> None:
        rows = [
            (1, "00001000", "Set Chunk Size 4096"),
            (2, "00000004", "Abort Message, chunk stream 4"),
            (3, "00000100", "Acknowledgement 256"),
            (5, "004c4b40", "Window Acknowledgement Size 5000000"),
            (6, "004c4b4002", "Set Peer Bandwidth 5000000 dynamic"),
            (6, "004c4b4000", "Set Peer Bandwidth 5000000 hard"),
            (6, "004c4b4009", "Set Peer Bandwidth 5000000 without a known limit type"),
            (6, "004c4b40", "Set Peer Bandwidth 5000000 without a known limit type"),
            (1, "0010", "Set Chunk Size, cut short"),
            (4, "000000000001", "Stream Begin 1"),
            (4, "000100000001", "Stream EOF 1"),
            (4, "000300000001000003e8", "Set Buffer Length 1, 1000 ms"),
            (4, "000600000005", "Ping Request 5"),
            (4, "001a", "SWF Verify Request 0"),
            (4, "006300000005", "user control of the unknown type 99, 5"),
            (4, "00", "user control, cut short"),
        ]
        for type, payload, words in rows:
            self.assertEqual(self.words(type, bytes.fromhex(payload)), words)

    def test_media(self) -> None:
        rows = [
            (9, "1701000050 00", "video keyframe avc1, cts 80 ms"),
            (9, "2701ffffff 00", "video interframe avc1, cts -1 ms"),
            (9, "1700000000 01", "video sequence header avc1"),
            (9, "91 68766331 000000 00", "video keyframe hvc1"),
            (9, "96 00 68766331 01 00", "video sequence header hvc1, track 1 hvc1"),
            (9, "96 21 68766331 01 000003 000000 61763031 02 000000", "video keyframe hvc1, tracks 1 hvc1, 2 av01"),
            (8, "af01 21", "audio mp4a"),
            (8, "af00 1210", "audio sequence header mp4a"),
            (8, "", "audio empty"),
            (9, "17", "video unknown avc1, cut in the packet type (at byte 1)"),
        ]
        for type, payload, words in rows:
            self.assertEqual(self.words(type, bytes.fromhex(payload)), words)

    def test_others(self) -> None:
        self.assertEqual(self.words(19, b"x"), "shared object")
        self.assertEqual(self.words(22, b"x"), "aggregate")
        self.assertEqual(self.words(99, b"x"), "a message of the unknown type 99")
        self.assertEqual((kindOf(3), kindOf(9), kindOf(99)), ("control", "video", "unknown"))

    def test_anything(self) -> None:
        """It is always printable ASCII, and not too much."""
        chance = random.Random(5)
        for type in range(256):
            for size in (0, 1, 2, 5, 40):
                words = self.words(type, chance.randbytes(size))
                self.assertTrue(words.isascii() and words.isprintable() and 0 < len(words) <= MAX_WORDS + 3, words)


class OtherTests(SynchronousTestCase):
    def test_unreadable(self) -> None:
        entry = Unreadable(Side.CLIENT, 1.0, 5, data=b"x", size=1234, reason="no\nchunk")
        self.assertEqual(wording(entry), "can't be read from here on: no\\nchunk")

    def test_endings(self) -> None:
        rows = [
            ("closed", "", "closed (FIN)"),
            ("reset", "", "reset (RST)"),
            ("dropped", "", "dropped, as the other side was gone"),
            (
                "TLS failed: \u202e",
                "3 bytes of a chunk header",
                "TLS failed: \\u202e; left over: 3 bytes of a chunk header",
            ),
        ]
        for how, unfinished, words in rows:
            entry = Ending(Side.SERVER, 1.0, 5, how=how, unfinished=unfinished)
            self.assertEqual(wording(entry), words)


class HandshakeTests(SynchronousTestCase):
    """Versions, digests, and answers to them."""

    def setUp(self) -> None:
        chance = random.Random(3)
        # Time, version, and the rest.
        self.plain = bytes(8) + chance.randbytes(1528)
        start = bytes.fromhex("00000005 09007c02")
        self.c1 = placeDigest(start + chance.randbytes(1528), Layout.DIGEST_FIRST, CLIENT_KEY)
        self.s1 = placeDigest(start + chance.randbytes(1528), Layout.KEY_FIRST, SERVER_KEY)
        self.random = chance.randbytes(1504)

    def block(self, name: str, data: bytes) -> HandshakeBlock:
        return HandshakeBlock(Side.CLIENT if name[0] == "C" else Side.SERVER, 0.0, 0, name=name, data=data)

    def test_versions(self) -> None:
        self.assertEqual(wording(self.block("C0", b"\3")), "C0: version 3")
        self.assertEqual(wording(self.block("S0", b"\6")), "S0: version 6")
        self.assertEqual(wording(self.block("C1", self.plain)), "C1: time 0, version 0.0.0.0, no digest")
        self.assertEqual(versionOf(self.block("C2", self.plain)), "")

    def test_digests(self) -> None:
        self.assertEqual(wording(self.block("C1", self.c1)), "C1: time 5, version 9.0.124.2, digest (digest first)")
        self.assertEqual(wording(self.block("S1", self.s1)), "S1: time 5, version 9.0.124.2, digest (key first)")
        # That of the other side counts for nothing.
        self.assertEqual(digestOf(self.block("S1", self.c1)), "")
        self.assertEqual(digestOf(self.block("C2", self.c1)), "")
        self.assertEqual(digestOf(self.block("C1", self.c1[:-1])), "")

    def test_answers(self) -> None:
        signedS2 = sign(self.random, SERVER_SIGNING_KEY, readDigest(self.c1, Layout.DIGEST_FIRST))
        signedC2 = sign(self.random, CLIENT_SIGNING_KEY, readDigest(self.s1, Layout.KEY_FIRST))
        timed = self.plain[:4] + b"time" + self.plain[8:]
        rows = [
            ("S2", self.c1, {"C1": self.c1}, "copy", "S2: a copy of C1"),
            ("S2", timed, {"C1": self.plain}, "copy", "S2: a copy of C1"),
            ("S2", signedS2, {"C1": self.c1}, "signed", "S2: signed, as an answer to C1's digest"),
            ("C2", signedC2, {"S1": self.s1}, "signed", "C2: signed, as an answer to S1's digest"),
            ("C2", signedC2, {"S1": self.plain}, "neither", "C2: neither a copy of S1 nor an answer to its digest"),
            ("S2", signedC2, {"C1": self.c1}, "neither", "S2: neither a copy of C1 nor an answer to its digest"),
            ("C2", self.s1, {}, None, "C2: S1 is not known"),
        ]
        for name, data, blocks, answer, words in rows:
            block = self.block(name, data)
            self.assertEqual(answered(block, blocks), answer)
            self.assertEqual(wording(block, blocks=blocks), words)
        self.assertEqual(wording(self.block("C2", self.s1)), "C2: S1 is not known")
