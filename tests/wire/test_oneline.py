# -*- test-case-name: tests.wire.test_oneline -*-
"""
Tests for L{rtmptw.wire.oneline}.
"""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.wire import amf0
from rtmptw.wire.amf import UNDEFINED, Dictionary, ECMAArray
from rtmptw.wire.amf3encoder import encode as encodeAMF3
from rtmptw.wire.command import Command
from rtmptw.wire.control import (
    UserControl,
    UserControlType,
    acknowledgement,
    setChunkSize,
    setPeerBandwidth,
    windowAcknowledgementSize,
)
from rtmptw.wire.message import Message, MessageType
from rtmptw.wire.oneline import MAX_LINE, oneLine

CONNECT = amf0.encode("connect", 1.0, {"app": "live", "fpad": False})
#: An object of an externalizable class with a name beyond ASCII: the fault that this is quotes the name.
EXTERNALIZABLE = b"\x11\x0a\x07\x05\xc3\xa9"


class OneLineTests(SynchronousTestCase):
    def assertLines(self, *rows: tuple[Message, str]) -> None:
        for message, line in rows:
            self.assertEqual(oneLine(message), line)

    def test_commands(self) -> None:
        information = {"level": "status", "code": "NetStream.Play.Start"}
        self.assertLines(
            (Message(20, 0, 0, CONNECT), "connect(1, {'app': 'live', 'fpad': False})"),
            (Message(17, 0, 0, b"\0" + CONNECT), "connect(1, {'app': 'live', 'fpad': False})"),
            (Message(17, 0, 0, CONNECT), "connect(1, {'app': 'live', 'fpad': False})"),
            (Command("_result", 4.0, None, (1.0,)).encode(), "_result(4, None, 1.0)"),
            (Command("_result", 2.5, None, (UNDEFINED,)).encode(), "_result(2.5, None, UNDEFINED)"),
            (
                Command("onStatus", 0.0, None, (information,)).encode(1),
                f"onStatus(0, None, {information}), message stream 1",
            ),
            (Message(20, 0, 0, amf0.encode("close")), "close(0, None)"),
        )

    def test_commandsCutOrStrange(self) -> None:
        for size in range(len(CONNECT)):
            line = oneLine(Message(20, 0, 0, CONNECT[:size]))
            readable = {
                10: "connect(0, None)",
                19: "connect(1, None)",
                # An object without its end counts, if it ends behind a member.
                20: "connect(1, {})",
                32: "connect(1, {'app': 'live'})",
                40: "connect(1, {'app': 'live', 'fpad': False})",
            }
            if size in readable:
                self.assertEqual(line, readable[size])
            else:
                self.assertTrue(line.startswith(f"command, {size} bytes, unreadable: "), line)
        self.assertEqual(
            oneLine(Message(17, 0, 3, amf0.encode(1.0))),
            "command amf3, 9 bytes, unreadable: a command that does not begin with a name (at message type 17), "
            "message stream 3",
        )

    def test_data(self) -> None:
        metadata = amf0.encode("@setDataFrame", "onMetaData", ECMAArray({"width": 320.0}))
        self.assertLines(
            (
                Message(18, 7, 1, metadata),
                "data '@setDataFrame', 'onMetaData', {'width': 320.0}, 7 ms, message stream 1",
            ),
            (Message(18, 7, 0, amf0.encode("onMetaData", {})), "data 'onMetaData', {}, 7 ms"),
            (Message(18, 7, 0, b""), "data empty, 7 ms"),
            (Message(15, 7, 0, b"\0" + metadata), f"data amf3, {len(metadata) + 1} bytes"),
        )

    def test_dataCut(self) -> None:
        """What is good is shown, and why there is no more."""
        line = oneLine(Message(18, 7, 1, amf0.encode("onMetaData", {"a": 1.0})[:-4]))
        self.assertTrue(line.startswith("data 'onMetaData', then "), line)
        self.assertTrue(line.endswith(", 7 ms, message stream 1"), line)
        self.assertTrue(oneLine(Message(18, 7, 1, b"\2\0\5ab")).startswith("data then "))

    def test_media(self) -> None:
        self.assertLines(
            (
                Message(9, 2000, 1, b"\x17\1\0\0\0" + bytes(95)),
                "video keyframe avc1, 100 bytes, 2000 ms, message stream 1",
            ),
            (Message(9, 0, 1, b"\x17\0\0\0\0\1"), "video sequence header avc1, 6 bytes, 0 ms, message stream 1"),
            (Message(9, 0, 0, b"\x27\1\0\0\0\1"), "video interframe avc1, 6 bytes, 0 ms"),
            (Message(9, 0, 0, b"\x91hvc1\0\0\x28abc"), "video keyframe hvc1, 11 bytes, 0 ms"),
            (Message(9, 0, 0, b"\x91\x1b[2J\0\0\0abc"), "video keyframe 0x1b5b324a, 11 bytes, 0 ms"),
            (Message(8, 0, 0, b"\xaf\0\x12\x10"), "audio sequence header mp4a, 4 bytes, 0 ms"),
            (Message(8, 23, 0, b"\xaf\1\x21"), "audio mp4a, 3 bytes, 23 ms"),
            (Message(8, 23, 0, b"\x91Opusabc"), "audio Opus, 8 bytes, 23 ms"),
            (Message(8, 0, 0, b""), "audio empty, 0 bytes, 0 ms"),
            (Message(9, 0, 0, b""), "video empty, 0 bytes, 0 ms"),
            (Message(9, 0, 0, b"\x17"), "video unknown avc1, 1 bytes, 0 ms"),
            (Message(9, 0, 0, b"\x91"), "video unknown, 1 bytes, 0 ms"),
        )

    def test_controls(self) -> None:
        self.assertLines(
            (setChunkSize(4096), "set chunk size 4096"),
            (Message(2, 0, 0, b"\0\0\0\6", 2), "abort 6"),
            (acknowledgement(12345), "acknowledgement 12345"),
            (windowAcknowledgementSize(2500000), "window acknowledgement size 2500000"),
            (setPeerBandwidth(2500000), "set peer bandwidth 2500000"),
        )
        for type in (1, 2, 3, 5, 6):
            name = MessageType(type).name.lower().replace("_", " ")
            for size in range(4):
                self.assertEqual(oneLine(Message(type, 0, 0, bytes(size), 2)), f"{name}, {size} bytes")
            self.assertEqual(oneLine(Message(type, 0, 0, b"\0\0\1\0\xff", 2)), f"{name} 256")

    def test_userControls(self) -> None:
        for event in UserControlType:
            name = event.name.lower().replace("_", " ")
            self.assertEqual(oneLine(UserControl(event, 7).encode()), f"user control {name} 7")
        self.assertLines(
            (UserControl(3, 1, 3000).encode(), "user control set buffer length 1 3000"),
            (UserControl(99, 5).encode(), "user control 99 5"),
            (Message(4, 0, 0, b"\0\6", 2), "user control ping request 0"),
            (Message(4, 0, 0, b"\0", 2), "user control, 1 bytes"),
            (Message(4, 0, 0, b"", 2), "user control, 0 bytes"),
        )

    def test_others(self) -> None:
        self.assertLines(
            (Message(22, 0, 1, bytes(12)), "aggregate, 12 bytes, message stream 1"),
            (Message(19, 0, 0, bytes(3)), "shared object, 3 bytes"),
            (Message(99, 0, 0, bytes(3)), "message type 99, 3 bytes"),
            (Message(0, 0, 5, b""), "message type 0, 0 bytes, message stream 5"),
        )

    def test_controlCharacters(self) -> None:
        """A terminal must not obey them, nor a log break its line."""
        text = "\x1b]0;x\7\r\n\0\x7f\x9b\u202eé\udcff'"
        shown = r"\x1b]0;x\x07\r\n\x00\x7f\x9b\u202e\xe9\udcff'"
        for line in (
            oneLine(Message(20, 0, 0, amf0.encode(text, 1.0))),
            oneLine(Message(20, 0, 0, amf0.encode("x", 1.0, {text: None}))),
            oneLine(Message(20, 0, 0, amf0.encode("x", 1.0, None, text))),
            oneLine(Message(18, 0, 0, amf0.encode(text))),
        ):
            self.assertIn(shown, line)
            self.assertTrue(line.isascii() and line.isprintable(), line)

    def test_namesInFaults(self) -> None:
        """A fault that quotes a name is escaped as well."""
        for message in (
            Message(18, 0, 0, amf0.encode("onMetaData") + EXTERNALIZABLE),
            Message(20, 0, 0, amf0.encode("x", 0.0) + EXTERNALIZABLE),
        ):
            line = oneLine(message)
            self.assertTrue(line.isascii() and line.isprintable(), line)
        self.assertIn(r"class '\xe9'", oneLine(Message(18, 0, 0, EXTERNALIZABLE)))

    def test_longest(self) -> None:
        """Exactly MAX_LINE characters are shown whole, one more is cut."""
        frame = len("data '', 0 ms")
        whole = oneLine(Message(18, 0, 0, amf0.encode("x" * (MAX_LINE - frame))))
        self.assertEqual((len(whole), whole[-8:]), (MAX_LINE, "x', 0 ms"))
        cut = oneLine(Message(18, 0, 0, amf0.encode("x" * (MAX_LINE - frame + 1))))
        self.assertEqual((len(cut), cut[-8:]), (MAX_LINE, "xx', ..."))

    @settings(deadline=None, max_examples=300)
    @given(
        st.integers(0, 255) | st.sampled_from((4, 8, 9, 17, 18, 20)),
        st.integers(0, 0xFFFFFFFF),
        st.integers(0, 0xFFFFFFFF),
        st.binary(max_size=200) | st.text(max_size=400).map(amf0.encode),
        st.binary(max_size=50),
    )
    @example(20, 0, 0, b"\3\0\1a" * 5000, b"")
    @example(18, 0, 0, b"\3\0\1a" * 5000, b"")
    @example(18, 0, 0, amf0.encode("onMetaData"), EXTERNALIZABLE)
    def test_anything(self, type: int, timestamp: int, id: int, payload: bytes, tail: bytes) -> None:
        """Any message has one printable line."""
        line = oneLine(Message(type, timestamp, id, payload + tail))
        self.assertTrue(line.isascii() and line.isprintable(), line)
        self.assertTrue(0 < len(line) <= MAX_LINE)


class SecretTests(SynchronousTestCase):
    """Hostile row D10: keys are not for logs."""

    def test_rows(self) -> None:
        rows = [
            ("live?authmod=adobe&user=me&response=a+b/c==", "live?authmod=***&user=***&response=***"),
            ("camera?key=sesame", "camera?key=***"),
            ("camera?sesame", "camera?sesame"),
            ("plain=5", "plain=5"),
            ("rtmp://h/live?k=v/x&y=z&w", "rtmp://h/live?k=***&y=***&w"),
            ('a?key=se\'same "open" sesame', "a?key=***"),
            ("a?x=KEY?y=KEY&z=KEY", "a?x=***&z=***"),
            ("rtmp://me:KEY@h/live", "rtmp://***@h/live"),
            ("rtmp://me:K@E:Y@h/live/a@b?c=KEY", "rtmp://***@h/live/a@b?c=***"),
            ("rtmp://h/a@b", "rtmp://h/a@b"),
        ]
        for text, shown in rows:
            self.assertEqual(
                oneLine(Message(20, 0, 0, amf0.encode("connect", 1.0, {"app": text}, text))),
                f"connect(1, {{'app': '{shown}'}}, '{shown}')",
            )

    def test_members(self) -> None:
        """Names of members hold no secret either, and the kind of the object stays what it is."""
        for hides in (False, True):
            line = oneLine(Command("x", 1.0, {"a?key=sesame": 1.0, "type": "t"}).encode(), hides)
            self.assertEqual(line, "x(1, {'a?key=***': 1.0, 'type': 't'})")
        line = oneLine(Message(18, 0, 0, amf0.encode("onMetaData", ECMAArray({"a?key=sesame": 1.0}))))
        self.assertEqual(line, f"data 'onMetaData', {ECMAArray({'a?key=***': 1.0})!a}, 0 ms")


class HiddenNamesTests(SynchronousTestCase):
    def assertHidden(self, message: Message, line: str) -> None:
        """A line, and that of nobody who hides nothing."""
        self.assertEqual(oneLine(message, True), line)
        self.assertNotIn("KEY", line)

    def test_clients(self) -> None:
        """What a client calls a stream is left out, wherever it stands; what else it says stays."""
        properties = {
            "app": "live/KEY",
            "tcUrl": "rtmp://h/live/KEY",
            "flashVer": "FMLE/3.0",
            "type": "nonprivate",
            "fpad": False,
            "capsEx": 14.0,
            "x": {"y": ["KEY", 1.0]},
        }
        self.assertHidden(
            Command("connect", 1.0, properties).encode(),
            "connect(1, {'app': '***', 'tcUrl': '***', 'flashVer': 'FMLE/3.0', 'type': 'nonprivate', 'fpad': False, "
            "'capsEx': 14.0, 'x': {'y': ['***', 1.0]}})",
        )
        self.assertHidden(
            Command("publish", 5.0, None, ("KEY?key='KEY", "live")).encode(1),
            "publish(5, None, '***', 'live'), message stream 1",
        )
        self.assertHidden(
            Command("play", 5.0, None, ("KEY", -2.0, -1.0, True)).encode(1),
            "play(5, None, '***', -2.0, -1.0, True), message stream 1",
        )
        for name in ("releaseStream", "FCPublish", "FCUnpublish", "getStreamLength", "anything"):
            self.assertHidden(Command(name, 2.0, None, ("KEY",)).encode(), f"{name}(2, None, '***')")
        self.assertHidden(Command("deleteStream", 2.0, "KEY", (1.0,)).encode(), "deleteStream(2, '***', 1.0)")
        self.assertHidden(Command("createStream", 2.0).encode(), "createStream(2, None)")
        amf3 = amf0.encode("publish", 5.0, None, "KEY")
        self.assertHidden(Message(17, 0, 1, b"\0" + amf3), "publish(5, None, '***'), message stream 1")
        pairs = amf0.encode("x", 1.0, None) + b"\x11" + encodeAMF3(Dictionary([("KEY", "KEY")]))
        self.assertHidden(Message(17, 0, 0, b"\0" + pairs), "x(1, None, [['***', '***']])")

    def test_servers(self) -> None:
        """The sentence of a status, which may repeat the name, is left out; the rest stays, and what is no command."""
        status = {"level": "status", "code": "NetStream.Play.Start", "description": "Started playing live/KEY."}
        self.assertHidden(
            Command("onStatus", 0.0, None, (status,)).encode(1),
            "onStatus(0, None, {'level': 'status', 'code': 'NetStream.Play.Start', 'description': '***'}), "
            "message stream 1",
        )
        for message in (
            Command("_result", 1.0, {"fmsVer": "FMS/3,0,1,123"}).encode(),
            Message(18, 0, 1, amf0.encode("onMetaData", {"encoder": "a test"})),
            setChunkSize(4096),
        ):
            self.assertEqual(oneLine(message, True), oneLine(message))
