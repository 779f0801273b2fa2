# -*- test-case-name: tests.compare.test_aspects -*-
"""
Tests for L{rtmptw.compare.aspects}.
"""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.compare.aspects import MOST_FIELDS, Field, aspects, shorten
from rtmptw.compare.step import Step, Told, listen
from rtmptw.show.secrets import Secrets
from rtmptw.trace.entry import Chunk, Ending, Entry, HandshakeBlock, ReadMessage, Unreadable
from rtmptw.trace.segment import Side
from rtmptw.wire import amf0
from rtmptw.wire.amf import UNDEFINED, AMFValue, Date, ECMAArray, TypedObject, XMLDocument
from rtmptw.wire.control import UserControl, setPeerBandwidth
from rtmptw.wire.handshake import ServerHandshake
from rtmptw.wire.message import Message, MessageType
from tests.compare.bending import capture, conversation, told
from tests.compare.test_step import answers, asks, said


def looked(entries: list[Entry], side: Side = Side.SERVER, secrets: Secrets | None = None) -> dict[str, Field]:
    """The fields of a side's last step."""
    told_ = listen(entries)
    return aspects(told_.steps[side][-1], told_, secrets)


def texts(fields: dict[str, Field]) -> dict[str, str]:
    return {name: " ".join(filter(None, (field.text, field.kind, field.meaning))) for name, field in fields.items()}


def find(told_: Told, side: Side, family: str, detail: str) -> Step:
    return next(step for step in told_.steps[side] if step.key == (family, detail))


class CommandTests(SynchronousTestCase):
    def test_captured(self) -> None:
        """nginx-rtmp's answer to connect, field by field; each field's place has its bytes."""
        _, server = capture("ffmpeg5-publish")
        told_ = listen(told("ffmpeg5-publish"))
        fields = aspects(find(told_, Side.SERVER, "answer", "connect"), told_)
        self.assertEqual(
            texts(fields),
            {
                "type": "20 command (AMF0)",
                "chunk stream": "3",
                "fmt": "0",
                "timestamp": "0 ms",
                "message stream": "0 the connection's",
                "chunks": "190 bytes as announced",
                "name": '"_result" string',
                "transactionId": "1 number connect's",
                "[0]": "object",
                "[0].fmsVer": '"FMS/3,0,1,123" string',
                "[0].capabilities": "31 number",
                "[1]": "object",
                "[1].level": '"status" string',
                "[1].code": '"NetConnection.Connect.Success" string',
                "[1].description": '"Connection succeeded." string',
                "[1].objectEncoding": "0 number",
            },
        )
        for name, value in (
            ("name", "_result"),
            ("transactionId", 1.0),
            ("[0].capabilities", 31.0),
            ("[1].code", "NetConnection.Connect.Success"),
        ):
            place, wanted = fields[name].place, amf0.encode(value)
            assert place is not None
            self.assertEqual(server[place : place + len(wanted)], wanted, name)
        self.assertEqual(fields["type"].place, 3122)

    def test_whoseTransactionId(self) -> None:
        calls: list[Entry] = [asks("connect", 1.0, None), asks("releaseStream", 2.0, None, "x")]
        for id, meaning in ((1.0, "connect's"), (2.0, "releaseStream's"), (9.0, "no call's"), ("1", "no number")):
            self.assertEqual(looked([*calls, answers("_result", id, {})])["transactionId"].meaning, meaning)
        self.assertEqual(looked([*calls, answers("onBWDone", 0.0)])["transactionId"].meaning, "")
        self.assertNotIn("transactionId", looked([*calls, answers("_result")]))

    def test_messageStream(self) -> None:
        calls: list[Entry] = [asks("createStream", 1.0, None), answers("_result", 1.0, None, 5.0)]
        for id, meaning in ((0, "the connection's"), (5, "as createStream's answer gave"), (1, "that nobody gave")):
            fields = looked([*calls, said(Side.SERVER, Message(MessageType.COMMAND, 0, id, amf0.encode("x")))])
            self.assertEqual(fields["message stream"].meaning, meaning)

    def test_kinds(self) -> None:
        """Each value with its AMF type."""
        plain: list[AMFValue] = [True, False, None, UNDEFINED, 1.5, float("nan"), "t\u00e9\n\\"]
        fields = texts(looked([answers("x", 0.0, *plain)]))
        self.assertEqual(
            [fields[f"[{index}]"] for index in range(7)],
            [
                "true boolean",
                "false boolean",
                "null",
                "undefined",
                "1.5 number",
                "nan number",
                '"t\\xe9\\n\\\\" string',
            ],
        )
        others: list[AMFValue] = [XMLDocument("<x/>"), Date(5.0), [1.0, ["two"]], {"a": 1.0}, ECMAArray({"b": None})]
        fields = texts(looked([answers("x", 0.0, *others, TypedObject("C", {"d": "e"}))]))
        expected = {
            "[0]": '"<x/>" XML',
            "[1]": "Date(ms=5.0, zone=0) date",
            "[2]": "2 elements strict array",
            "[2][0]": "1 number",
            "[2][1]": "1 element strict array",
            "[2][1][0]": '"two" string',
            "[3]": "object",
            "[3].a": "1 number",
            "[4]": "ECMA array",
            "[4].b": "null",
            "[5]": "typed object",
            "[5].d": '"e" string',
        }
        self.assertEqual({name: text for name, text in fields.items() if name.startswith("[")}, expected)

    def test_longString(self) -> None:
        """The marker tells."""
        payload = amf0.encode("x", 0.0) + b"\x0c\0\0\0\1z"
        entry = said(Side.SERVER, Message(MessageType.COMMAND, 0, 0, payload))
        self.assertEqual(looked([entry])["[0]"].kind, "long, string")

    def test_amf3(self) -> None:
        """Behind the switch to AMF3, a reference, and a key that stands there twice: all that is there is told."""
        payload = amf0.encode("x", 0.0) + bytes.fromhex("11 0a 0b 01 03 61 09 05 01 04 07 06 03 7a 03 62 0c 03 55 01")
        fields = texts(looked([said(Side.SERVER, Message(MessageType.COMMAND, 0, 0, payload))]))
        self.assertEqual(fields["[0]"], "AMF3, object")
        self.assertEqual(fields["[0].a"], "2 elements strict array")
        self.assertEqual(fields["[0].a[0]"], "7 integer")
        self.assertEqual(fields["[0].a[1]"], '"z" string')
        self.assertEqual(fields["[0].b"], "b'U' bytes")
        payload = amf0.encode("x", 0.0, {"k": 1.0}) + b"\x07\0\0"
        fields = texts(looked([said(Side.SERVER, Message(MessageType.COMMAND, 0, 0, payload))]))
        self.assertEqual((fields["[1]"], fields["[1].k"]), ("reference, object", "1 number"))
        payload = amf0.encode("x", 0.0) + b"\x03\0\1k\5\0\1k\3\0\1m\6\0\0\x09\0\0\x09"
        fields = texts(looked([said(Side.SERVER, Message(MessageType.COMMAND, 0, 0, payload))]))
        self.assertEqual((fields["[0].k"], fields["[0].k.m"]), ("object", "undefined"))

    def test_dictionary(self) -> None:
        """Its pairs are not looked into, but two that are not the same don't look the same."""
        found = []
        for item in (b"\4\1", b"\4\2"):
            payload = amf0.encode("x", 0.0) + b"\x11\x11\x03\0\4\7" + item
            found.append(looked([said(Side.SERVER, Message(MessageType.COMMAND, 0, 0, payload))])["[0]"])
        self.assertEqual([field.kind for field in found], ["AMF3, dictionary"] * 2)
        self.assertTrue(found[0].text.startswith("1 pair, SHA-256 "))
        self.assertNotEqual(found[0].text, found[1].text)

    def test_fault(self) -> None:
        entry = said(Side.SERVER, Message(MessageType.COMMAND, 0, 0, amf0.encode("x", 1.0) + b"\2\0\5ab"))
        field = looked([entry])["unreadable"]
        self.assertIn("5 bytes", field.text)
        self.assertEqual(field.place, entry.place(13))
        empty = said(Side.SERVER, Message(MessageType.COMMAND, 0, 0, b"\2"))
        self.assertEqual(looked([empty])["unreadable"].place, empty.place(0))

    def test_tooMany(self) -> None:
        """Behind so many fields there is one more, for all the rest."""
        many = looked([answers("x", 0.0, *map(float, range(1000)))])
        self.assertLess(len(many), MOST_FIELDS + 10)
        self.assertEqual(many["more"].text[:11], "6,714 bytes")
        other = looked([answers("x", 0.0, *map(float, range(999)), 7.0)])
        self.assertNotEqual(other["more"].text, many["more"].text)

    def test_secrets(self) -> None:
        """What is masked is the text, and what is only compared has none."""
        entries: list[Entry] = [asks("publish", 5.0, None, "MyKey1?token=abcdef", "live")]
        self.assertEqual(looked(entries, Side.CLIENT)["[1]"].text, '"MyKey1?token=abcdef"')
        secrets = Secrets()
        fields = looked(entries, Side.CLIENT, secrets)
        self.assertEqual(fields["[1]"].text, '"<key#1>?token=<secret#1>"')
        entries = [Unreadable(Side.SERVER, 0.0, 0, b"", 5, "what has MyKey1 to do here")]
        self.assertNotIn("MyKey1", looked(entries, Side.SERVER, secrets)["reason"].text)


class OtherTests(SynchronousTestCase):
    def test_timestamp(self) -> None:
        for stamp, meaning in (
            (0, ""),
            (1, "not 0"),
            (0xFFFFFE, "not 0"),
            (0xFFFFFF, "extended"),
            (0xFFFFFFFF, "extended"),
        ):
            fields = looked([said(Side.SERVER, Message(9, stamp, 1, b"x"))])
            self.assertEqual((fields["timestamp"].text, fields["timestamp"].meaning), (f"{stamp} ms", meaning))

    def test_chunks(self) -> None:
        for sizes, chunkSize, text, meaning in (
            ((128, 62), 128, "128 + 62 bytes", "as announced"),
            ((62,), 128, "62 bytes", "as announced"),
            ((190,), 128, "190 bytes", "not at the chunk size, 128"),
            ((128, 62), 4096, "128 + 62 bytes", "not at the chunk size, 4096"),
            ((128, 4096, 20), 4096, "128 + 4096 + 20 bytes", "as announced"),
            ((128,) * 9, 128, "128 + 128 + 128 + ... (9) bytes", "as announced"),
            ((0,), 128, "0 bytes", "as announced"),
        ):
            chunks = tuple(Chunk(0, 0, 3, bytes(12), size) for size in sizes)
            entry = ReadMessage(Side.SERVER, 0.0, 0, Message(9, 0, 1, bytes(sum(sizes))), chunks, chunkSize)
            field = looked([entry])["chunks"]
            self.assertEqual((field.text, field.meaning), (text, meaning))

    def test_extendedTimestamp(self) -> None:
        """Where it has to be repeated, whether it is."""
        self.assertNotIn("extended timestamp", looked([said(Side.SERVER, Message(9, 5, 1, b"x"))]))
        for lacks, text, place in ((False, "repeated in each chunk", 10), (True, "not repeated in 1 chunk", 200)):
            chunks = (
                Chunk(10, 0, 3, bytes(16), 128, 0xFFFFFF),
                Chunk(200, 3, 3, bytes(1 if lacks else 5), 4, None if lacks else 0xFFFFFF, lacks),
            )
            entry = ReadMessage(Side.SERVER, 0.0, 10, Message(9, 0xFFFFFF, 1, bytes(132)), chunks, 128)
            field = looked([entry])["extended timestamp"]
            self.assertEqual((field.text, field.place), (text, place))

    def test_control(self) -> None:
        fields = texts(looked([said(Side.SERVER, setPeerBandwidth(2_500_000))]))
        self.assertEqual((fields["value"], fields["limit"]), ("2,500,000", "02"))
        fields = texts(looked([said(Side.SERVER, UserControl(3, 1, 300).encode())]))
        self.assertEqual((fields["event"], fields["value"], fields["second value"]), ("3", "1", "300"))
        self.assertNotIn("second value", looked([said(Side.SERVER, UserControl(0, 1).encode())]))
        self.assertNotIn("event", looked([said(Side.SERVER, Message(4, 0, 0, b"\0"))]))
        self.assertEqual(texts(looked([said(Side.SERVER, Message(5, 0, 0, b"\1"))]))["payload"][:7], "1 bytes")

    def test_media(self) -> None:
        payload = bytes.fromhex("17 00 00 00 00 01")
        fields = texts(looked([said(Side.SERVER, Message(9, 0, 1, payload))]))
        self.assertEqual((fields["codec"], fields["enhanced"]), ("avc1", "no"))
        self.assertEqual(fields["payload"], f"6 bytes, SHA-256 {hashlib.sha256(payload).hexdigest()[:12]}")
        many = bytes.fromhex("96 00") + b"hvc1\1xyz"
        self.assertEqual(texts(looked([said(Side.SERVER, Message(9, 0, 1, many))]))["tracks"], "1")

    def test_data(self) -> None:
        for values, expected in (
            (("@setDataFrame", "onMetaData", {"a": 1.0}), ["prefix", "name", "[0]", "[0].a"]),
            (("onMetaData", {"a": 1.0}), ["name", "[0]", "[0].a"]),
        ):
            fields = looked([said(Side.SERVER, Message(MessageType.DATA, 0, 1, amf0.encode(*values)))])
            self.assertEqual(list(fields)[6:], expected)

    def test_unknown(self) -> None:
        fields = texts(looked([said(Side.SERVER, Message(99, 0, 0, b"abc"))]))
        self.assertEqual((fields["type"], fields["payload"]), ("99 unknown", "3 bytes, SHA-256 ba7816bf8f01"))

    def test_ends(self) -> None:
        self.assertEqual(
            texts(looked([Unreadable(Side.SERVER, 0.0, 7, b"HTTP", 400, "why")])),
            {"reason": "why", "size": "400 bytes"},
        )
        self.assertEqual(texts(looked([Ending(Side.SERVER, 0.0, 7, "FIN")])), {"how": "FIN", "half said": "nothing"})

    def test_shorten(self) -> None:
        self.assertEqual([shorten("abcdef", width) for width in (6, 5)], ["abcdef", "ab..."])


class HandshakeTests(SynchronousTestCase):
    def blocks(self, name: str) -> dict[str, dict[str, str]]:
        told_ = listen(told(name))
        steps = [*told_.steps[Side.CLIENT][:3], *told_.steps[Side.SERVER][:3]]
        return {step.key.detail: texts(aspects(step, told_)) for step in steps}

    def test_digest(self) -> None:
        """FFmpeg and nginx-rtmp: digests, and S2 is signed; FFmpeg's publisher copies S1 nevertheless (1.3)."""
        blocks = self.blocks("ffmpeg5-publish")
        self.assertEqual(blocks["C0"], {"version": "03"})
        self.assertEqual(blocks["C1"]["version"], "09 00 7c 02")
        self.assertEqual(blocks["C1"]["digest"], "right, digest first (base 8)")
        self.assertEqual(blocks["C2"]["is"], "a copy of S1")
        self.assertEqual(blocks["S1"]["version"], "0d 0e 0a 0d")
        self.assertEqual(blocks["S2"]["is"], "signed, for C1's digest")
        self.assertEqual(self.blocks("ffmpeg5-play")["C2"]["is"], "signed, for S1's digest")

    def test_plain(self) -> None:
        """GStreamer has its own time in C2."""
        blocks = self.blocks("gst122-rtmp2sink-publish")
        self.assertEqual(blocks["S1"]["digest"], "none, or a wrong one")
        self.assertEqual((blocks["S2"]["is"], blocks["C2"]["is"]), ("a copy of C1", "a copy of S1"))

    def test_neither(self) -> None:
        client, _ = capture("ffmpeg5-publish")
        reply, _ = ServerHandshake(bytes).feed(client[:1537])
        told_ = listen(conversation(client[:3073], reply[:1537] + bytes(1536)))
        fields = texts(aspects(told_.steps[Side.SERVER][2], told_))
        self.assertEqual(fields["is"], "neither a copy of C1 nor signed for its digest")

    def test_alone(self) -> None:
        """One side only, or a block of another size."""
        told_ = listen([HandshakeBlock(Side.SERVER, 0.0, 1537, "S2", bytes(1536))])
        self.assertEqual(texts(aspects(told_.steps[Side.SERVER][0], told_))["is"], "there is no C1")
        told_ = listen([HandshakeBlock(Side.SERVER, 0.0, 1, "S1", bytes(3))])
        self.assertEqual(texts(aspects(told_.steps[Side.SERVER][0], told_)), {"version": "000000"})


class HostileTests(SynchronousTestCase):
    @given(st.binary(max_size=120), st.integers(0, 255), st.sampled_from(Side))
    def test_anyMessage(self, payload: bytes, type: int, side: Side) -> None:
        """Whatever a message holds, it has fields, in printable ASCII."""
        told_ = listen([said(side, Message(type, 5, 1, payload))])
        for secrets in (None, Secrets()):
            for field in aspects(told_.steps[side][0], told_, secrets).values():
                for text in (field.name, field.text, field.kind, field.meaning):
                    self.assertTrue(text.isascii() and (text.isprintable() or not text), text)
