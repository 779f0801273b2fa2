# -*- test-case-name: tests.trace.test_playerrules -*-
"""
Tests for L{rtmptw.trace.playerrules}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.causes.causes import CAUSES
from rtmptw.trace.segment import Side
from rtmptw.wire import amf0
from rtmptw.wire.amf import UNDEFINED, AMFValue, ECMAArray, TypedObject
from rtmptw.wire.message import Message, MessageType
from tests.trace.dialogue import Dialogue, command, media, status

SAMPLE_ACCESS = amf0.encode("|RtmpSampleAccess", True, True)


def data(*values: AMFValue) -> Message:
    return media(MessageType.DATA, amf0.encode(*values))


def given(*messages: Message) -> Dialogue:
    """A player gets such messages."""
    dialogue = Dialogue()
    dialogue.play()
    dialogue.server(*messages)
    return dialogue


class BeforeStartTests(SynchronousTestCase):
    def asked(self, *messages: Message) -> Dialogue:
        dialogue = Dialogue()
        dialogue.createStream()
        dialogue.client(command("play", 0.0, None, "key", streamId=1))
        dialogue.server(*messages)
        return dialogue

    def test_before(self) -> None:
        for type in (MessageType.AUDIO, MessageType.VIDEO, MessageType.AGGREGATE):
            dialogue = self.asked(media(type), media(type), status("NetStream.Play.Start"), media(type))
            (violation,) = dialogue.found
            self.assertEqual(violation.cause, CAUSES["media-before-start"])
            self.assertEqual(violation.offset, dialogue.sent[Side.SERVER].index(b"\x27\x01\0\0\0media"))

    def test_resetIsNoStart(self) -> None:
        dialogue = self.asked(status("NetStream.Play.Reset"), media())
        self.assertEqual(dialogue.causes, ["media-before-start"])

    def test_behind(self) -> None:
        self.assertEqual(given(media(), media(MessageType.AUDIO)).found, [])

    def test_metadataMay(self) -> None:
        self.assertEqual(self.asked(data("onMetaData", {}), status("NetStream.Play.Start")).found, [])

    def test_nothingIsNoMedia(self) -> None:
        self.assertEqual(self.asked(media(payload=b""), status("NetStream.Play.Start")).found, [])


class AMF3Tests(SynchronousTestCase):
    message = media(MessageType.DATA_AMF3, b"\0" + amf0.encode("onMetaData", {}))

    def test_type15(self) -> None:
        dialogue = given(self.message, self.message)
        (violation,) = dialogue.found
        self.assertEqual(violation.cause, CAUSES["type15-to-player"])
        place = dialogue.sent[Side.SERVER].index(b"\0\x02\0\x0aonMetaData")
        self.assertEqual(violation.offset, place - 5)
        self.assertEqual(dialogue.sent[Side.SERVER][violation.offset], MessageType.DATA_AMF3)

    def test_asked(self) -> None:
        dialogue = Dialogue()
        dialogue.play(objectEncoding=3.0)
        dialogue.server(self.message)
        self.assertEqual(dialogue.found, [])

    def test_publishersMay(self) -> None:
        dialogue = Dialogue()
        dialogue.publish()
        dialogue.client(self.message)
        self.assertEqual(dialogue.found, [])


class DataTests(SynchronousTestCase):
    def test_noString(self) -> None:
        for payload in (b"\0\0\0\0", b"\0" + bytes(8), b"\x05", b"\x03\0\0\x09", b"\x02\0\x09cut", b"\x55"):
            dialogue = given(media(MessageType.DATA, payload))
            (violation,) = dialogue.found
            self.assertEqual(violation.cause, CAUSES["data-without-name"], payload)
            self.assertEqual(violation.offset, len(dialogue.sent[Side.SERVER]) - len(payload))

    def test_lengths(self) -> None:
        self.assertEqual(given(data("n" * 64)).causes, ["data-without-name"])
        self.assertIn("of 64 bytes", given(data("n" * 64)).found[0].words)
        self.assertEqual(given(data("n" * 63)).found, [])

    def test_usual(self) -> None:
        for message in (
            media(MessageType.DATA, SAMPLE_ACCESS),
            media(MessageType.DATA, b""),
            data("onMetaData", {"a": UNDEFINED}),
            data("onMetaData"),
            data("onTextData", ECMAArray({"a": UNDEFINED})),
            data("@setDataFrame", "onMetaData", ECMAArray({"a": 1.0})),
        ):
            self.assertEqual(given(message).found, [])

    def test_publishersMay(self) -> None:
        dialogue = Dialogue()
        dialogue.publish()
        dialogue.client(media(MessageType.DATA, b"\0\0\0\0"))
        self.assertEqual(dialogue.found, [])


class MetadataTests(SynchronousTestCase):
    def test_values(self) -> None:
        odd: list[tuple[AMFValue, str]] = [
            (UNDEFINED, "undefined (06)"),
            ({"deep": [UNDEFINED]}, "undefined (06)"),
            (TypedObject("T"), "a typed object (10)"),
        ]
        for value, name in odd:
            dialogue = given(data("onMetaData", ECMAArray({"width": 320.0, "odd": value, "height": 180.0})))
            (violation,) = dialogue.found
            self.assertEqual(violation.cause, CAUSES["metadata-undefined"])
            self.assertIn(name, violation.words)
            marker = bytes.fromhex(name[-3:-1])
            self.assertEqual(violation.offset, dialogue.sent[Side.SERVER].index(marker, dialogue.place(b"odd")))

    def test_unreadable(self) -> None:
        dialogue = given(media(MessageType.DATA, amf0.encode("onMetaData") + b"\x08\0\0\0\1\0\5width\0\x40"))
        (violation,) = dialogue.found
        self.assertEqual(violation.cause, CAUSES["metadata-undefined"])
        self.assertEqual(violation.offset, dialogue.place(b"\x08\0\0\0\1"))

    def test_noEnd(self) -> None:
        dialogue = given(media(MessageType.DATA, data("onMetaData", ECMAArray({"width": 320.0})).payload[:-3]))
        (violation,) = dialogue.found
        self.assertEqual(violation.cause, CAUSES["metadata-undefined"])
        self.assertEqual(violation.offset, len(dialogue.sent[Side.SERVER]))

    def test_longName(self) -> None:
        dialogue = given(data("onMetaData", ECMAArray({"a": 1.0, "n" * 128: 1.0})))
        (violation,) = dialogue.found
        self.assertEqual(violation.cause, CAUSES["metadata-undefined"])
        self.assertEqual(violation.offset, dialogue.sent[Side.SERVER].index(b"\0\x80nnn"))
        self.assertIn("a name of 128 bytes", violation.words)

    def test_usual(self) -> None:
        """As FFmpeg writes it; the longest name; what the array ends with may be followed by more."""
        values: dict[str, AMFValue] = {
            "width": 320.0,
            "stereo": True,
            "encoder": "Lavf",
            "n" * 127: None,
            "list": [1.0, {"x": "y"}],
        }
        for message in (
            data("onMetaData", ECMAArray(values)),
            data("onMetaData", ECMAArray()),
            data("onMetaData", values),
        ):
            self.assertEqual(given(message).found, [])
