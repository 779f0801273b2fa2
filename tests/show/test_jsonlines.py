# -*- test-case-name: tests.show.test_jsonlines -*-
"""
Tests for L{rtmptw.show.jsonlines}: the keys, and values that JSON has no word for.
"""

from __future__ import annotations

import json
import math
import random
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.causes.cause import Cause, Severity
from rtmptw.show.jsonlines import amfToJSON, jsonLine, jsonNote
from rtmptw.show.line import MAX_BYTES, SHOWN_HANDSHAKE, LineOptions
from rtmptw.show.secrets import Secrets
from rtmptw.trace.entry import Ending, Entry, HandshakeBlock, Unreadable, Violation
from rtmptw.trace.segment import Side
from rtmptw.wire import amf0
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
from tests.trace.spoken import command, payloadMessage

KEY = "c1f3-Geheim"


class ValueTests(SynchronousTestCase):
    def test_values(self) -> None:
        rows: list[tuple[AMFValue, Any]] = [
            (None, None),
            (True, True),
            (5.5, 5.5),
            ("text", "text"),
            (math.nan, {"number": "NaN"}),
            (math.inf, {"number": "Infinity"}),
            (-math.inf, {"number": "-Infinity"}),
            (UNDEFINED, {"undefined": True}),
            (UNSUPPORTED, {"unsupported": True}),
            (Date(5.0, 60), {"date": 5.0, "zone": 60}),
            (Date(math.nan), {"date": {"number": "NaN"}, "zone": 0}),
            (XMLDocument("<a/>"), {"xml": "<a/>"}),
            (b"abc", {"bytes": 3}),
            ({"a": UNDEFINED}, {"a": {"undefined": True}}),
            (ECMAArray({"a": [1.0]}), {"ecma": {"a": [1.0]}}),
            (TypedObject("class", {"a": 1.0}), {"typed": "class", "members": {"a": 1.0}}),
            ((1.0, None), [1.0, None]),
            (Vector("int", [1, 2]), {"vector": "int", "items": [1, 2]}),
            (Dictionary([(1.0, "a")]), {"dictionary": [[1.0, "a"]]}),
        ]
        for value, expected in rows:
            found = amfToJSON(value)
            self.assertEqual(found, expected)
            json.dumps(found, allow_nan=False)


class LineTests(SynchronousTestCase):
    def read(self, entry: Entry, **options: Any) -> dict[str, Any]:
        """A line, read again."""
        line = jsonLine(entry, LineOptions(options.pop("secrets", Secrets()), **options), {}, 3)
        self.assertTrue(line.isascii() and "\n" not in line)
        found: dict[str, Any] = json.loads(line)
        return found

    def test_note(self) -> None:
        self.assertEqual(json.loads(jsonNote("it is so", 2)), {"kind": "note", "connection": 2, "words": "it is so"})

    def test_command(self) -> None:
        entry = command("publish", 5.0, None, KEY, "live")
        entry.at = 1.23456789
        self.assertEqual(
            self.read(entry),
            {
                "kind": "message",
                "connection": 3,
                "at": 1.234568,
                "side": "client",
                "offset": 3073,
                "type": 20,
                "typeName": "command",
                "timestamp": 0,
                "messageStream": 0,
                "chunkStream": 3,
                "fmt": 0,
                "size": len(entry.message.payload),
                "chunkSize": 128,
                "name": "publish",
                "transactionId": 5.0,
                "values": ["publish", 5.0, None, "<key#1>", "live"],
                "fault": None,
                "violations": [],
            },
        )
        self.assertEqual(self.read(entry, secrets=None)["values"][3], KEY)

    def test_oddCommands(self) -> None:
        rows: list[tuple[bytes, Any, Any]] = [
            (amf0.encode("onBWDone"), "onBWDone", None),
            (amf0.encode("x", "1"), "x", None),
            (amf0.encode("x", True), "x", None),
            (amf0.encode("x", math.nan), "x", {"number": "NaN"}),
            (amf0.encode(5.0, 6.0), "", 6.0),
            (b"", "", None),
        ]
        for payload, name, transactionId in rows:
            found = self.read(payloadMessage(payload))
            self.assertEqual((found["name"], found["transactionId"]), (name, transactionId))
        self.assertIn("0x0e", self.read(payloadMessage(b"\x0e"))["fault"])

    def test_data(self) -> None:
        found = self.read(command("onMetaData", ECMAArray({"width": 320.0}), type=18))
        self.assertEqual((found["name"], found["values"]), ("onMetaData", ["onMetaData", {"ecma": {"width": 320.0}}]))
        self.assertNotIn("transactionId", found)

    def test_media(self) -> None:
        found = self.read(payloadMessage(bytes.fromhex("1701000050 00"), 9))
        media = {
            "media": "keyframe",
            "codec": "avc1",
            "enhanced": False,
            "compositionTime": 80,
            "tracks": [0],
            "error": None,
        }
        self.assertEqual((found["typeName"], found["media"]), ("video", media))
        self.assertIn("cut", self.read(payloadMessage(b"\x17", 9))["media"]["error"])

    def test_control(self) -> None:
        rows = [
            (1, "00001000", {"value": 4096, "extra": None}),
            (6, "004c4b4002", {"value": 5000000, "extra": 2}),
            (6, "004c", {"value": None, "extra": None}),
            (4, "000300000001000003e8", {"event": 3, "value": 1, "extra": 1000}),
            (4, "00", {"event": None, "value": None, "extra": None}),
        ]
        for type, payload, expected in rows:
            found = self.read(payloadMessage(bytes.fromhex(payload), type))
            self.assertEqual({key: found[key] for key in expected}, expected)

    def test_chunks(self) -> None:
        found = self.read(payloadMessage(bytes(200), 99), chunks=True)
        self.assertEqual(
            found["chunks"][1],
            {
                "offset": 3213,
                "fmt": 3,
                "chunkStream": 3,
                "header": "c3",
                "headerSize": 1,
                "size": 72,
                "extended": None,
                "lacksExtended": False,
            },
        )
        self.assertEqual(len(found["chunks"]), 2)
        self.assertEqual(found["chunks"][0]["header"], "03000000" + "0000c8" + "63" + "00000000")
        self.assertEqual([chunk["headerSize"] for chunk in found["chunks"]], [12, 1])

    def test_hex(self) -> None:
        """With what is hidden, and not more than people are shown."""
        entry = command("publish", 5.0, None, KEY, "live")
        self.assertEqual(
            self.read(entry, hex=True)["hex"].replace("**", ""), entry.message.payload.replace(KEY.encode(), b"").hex()
        )
        self.assertEqual(self.read(entry, hex=True, secrets=None)["hex"], entry.message.payload.hex())
        self.assertEqual(len(self.read(payloadMessage(bytes(9999), 9), hex=True)["hex"]), 2 * MAX_BYTES)
        long = command("play", 5.0, None, "k" * 9999)
        self.assertEqual(len(self.read(long, hex=True)["hex"]), 2 * MAX_BYTES)
        self.assertEqual(self.read(long, hex=True)["hex"].count("**"), MAX_BYTES - 20)
        block = HandshakeBlock(Side.CLIENT, 0.0, 1, name="C1", data=bytes(1536))
        self.assertEqual(self.read(block, hex=True)["hex"], "00" * SHOWN_HANDSHAKE)
        self.assertNotIn("hex", self.read(Ending(Side.CLIENT, 0.0, 1, how="closed"), hex=True))

    def test_handshake(self) -> None:
        rows: list[tuple[str, bytes, dict[str, Any]]] = [
            ("C0", b"\3", {"size": 1, "version": 3}),
            ("S1", bytes(1536), {"size": 1536, "version": "0.0.0.0", "digest": None}),
            ("S2", bytes(1536), {"size": 1536, "answer": None}),
        ]
        for name, data, expected in rows:
            side = Side.CLIENT if name[0] == "C" else Side.SERVER
            found = self.read(HandshakeBlock(side, 0.5, 1, name=name, data=data))
            common = {
                "kind": "handshake",
                "connection": 3,
                "at": 0.5,
                "side": side.value,
                "offset": 1,
                "violations": [],
            }
            self.assertEqual(found, {**common, "name": name, **expected})
        block = HandshakeBlock(Side.SERVER, 0.5, 1, name="S2", data=bytes(1536))
        self.assertEqual(json.loads(jsonLine(block, LineOptions(), {"C1": bytes(1536)}))["answer"], "copy")
        self.assertIsNone(json.loads(jsonLine(block, LineOptions()))["answer"])

    def test_others(self) -> None:
        secrets = Secrets()
        secrets.learn(command("publish", 5.0, None, KEY))
        unreadable = Unreadable(Side.CLIENT, 0.0, 1, data=KEY.encode(), size=99, reason=f"no {KEY}")
        found = self.read(unreadable, secrets=secrets, hex=True)
        self.assertEqual((found["kind"], found["size"], found["reason"]), ("unreadable", 99, "no <key#1>"))
        self.assertEqual(found["hex"], "**" * len(KEY))
        self.assertEqual(self.read(unreadable, secrets=None)["reason"], f"no {KEY}")
        found = self.read(Ending(Side.CLIENT, 0.0, 1, how="closed", unfinished="a bit"))
        self.assertEqual((found["kind"], found["how"], found["unfinished"]), ("ending", "closed", "a bit"))

    def test_violations(self) -> None:
        entry = command("publish", 5.0, None, KEY)
        entry.violations.append(
            Violation(Cause("a-name", "title", Severity.LOSES, "mend", "10"), f"{KEY} is wrong", 77)
        )
        expected = {"cause": "a-name", "severity": "loses", "words": "<key#1> is wrong", "offset": 77}
        self.assertEqual(self.read(entry)["violations"], [expected])
        self.assertEqual(self.read(entry, secrets=None)["violations"][0]["words"], f"{KEY} is wrong")

    def test_anything(self) -> None:
        chance = random.Random(12)
        for _ in range(300):
            payload = amf0.encode("publish", 5.0, {"a": [KEY]}) + chance.randbytes(30)
            entry = payloadMessage(payload, chance.choice((20, 17, 18, 9, 8, 6, 4, 19, 77)), chance.choice(list(Side)))
            self.read(entry, hex=True, chunks=True)
