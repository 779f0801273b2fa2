# -*- test-case-name: tests.show.test_secrets -*-
"""
Tests for L{rtmptw.show.secrets}: what is masked, how, and where it stands in the bytes.
"""

from __future__ import annotations

import random
import time

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.show import secrets as module
from rtmptw.show.secrets import Secrets
from rtmptw.trace.entry import Ending, Entry, HandshakeBlock, ReadMessage, Unreadable
from rtmptw.trace.segment import Side
from rtmptw.wire import amf0
from rtmptw.wire.amf import AMFValue, ECMAArray
from rtmptw.wire.message import MessageType
from tests.trace.spoken import command, payloadMessage, status

KEY = "c1f3-Geheim"


class MaskTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.secrets = Secrets()

    def shown(self, entry: ReadMessage) -> list[AMFValue]:
        """Its values, but for the name and transaction ID."""
        return list(self.secrets.values(entry)[0][2:])

    def text(self, *values: AMFValue, side: Side = Side.SERVER, name: str = "_result") -> str:
        """The last value of a command."""
        return str(self.shown(command(name, 1.0, *values, side=side))[-1])

    def test_name(self) -> None:
        """The same name has the same mask in every command."""
        for name in ("releaseStream", "FCPublish", "publish", "play", "FCUnpublish"):
            self.assertEqual(self.shown(command(name, 2.0, None, KEY)), [None, "<key#1>"])
        self.assertEqual(self.shown(command("publish", 2.0, None, "other")), [None, "<key#2>"])
        self.assertEqual(self.shown(command("publish", 5.0, None, KEY, "live")), [None, "<key#1>", "live"])

    def test_nameWithQuery(self) -> None:
        """The parameters' names are seen, their values are not; what is no parameter is a value."""
        rows = [
            (f"{KEY}?token=abc=&x=", "<key#1>?token=<secret#1>&x="),
            (f"{KEY}?user=joe?authmod=adobe&bare", "<key#1>?user=<secret#2>?authmod=adobe&<secret#3>"),
            (f"mp4:{KEY}.flv?a/b=c/d", "mp4:<key#1>.flv?a/b=<secret#4>"),
            ("?token=abc=", "?token=<secret#1>"),
            ("", ""),
        ]
        for name, expected in rows:
            self.assertEqual(self.shown(command("play", 4.0, None, name)), [None, expected])

    def test_type(self) -> None:
        """The type of a publish is seen, unless it is none."""
        self.assertEqual(self.shown(command("publish", 5.0, None, KEY, "hunter2"))[-1], "<secret#1>")

    def test_connect(self) -> None:
        rows: list[tuple[dict[str, AMFValue], dict[str, AMFValue]]] = [
            (
                {"app": "live/inst?key=abcd", "tcUrl": "rtmp://joe:hunter2@host:1935/live/inst?key=abcd"},
                {
                    "app": "live/inst?key=<secret#1>",
                    "tcUrl": "rtmp://<secret#2>:<secret#3>@host:1935/live/inst?key=<secret#1>",
                },
            ),
            (
                {"swfUrl": "http://joe@h/x.swf", "flashVer": "FMLE/3.0 hunter2", "password": "abcd"},
                {"swfUrl": "http://<secret#2>@h/x.swf", "flashVer": "FMLE/3.0 hunter2", "password": "<secret#1>"},
            ),
            (
                {"app": "live?authmod=adobe&user=joe&response=Zm9v==&challenge=c2", "type": "nonprivate"},
                {
                    "app": "live?authmod=adobe&user=<secret#2>&response=<secret#4>&challenge=<secret#5>",
                    "type": "nonprivate",
                },
            ),
        ]
        for sent, expected in rows:
            self.assertEqual(self.shown(command("connect", 1.0, sent)), [expected])

    def test_extraArguments(self) -> None:
        """What comes behind connect's object may be a login."""
        self.assertEqual(self.shown(command("connect", 1.0, None, "joe", 5.0)), [None, "<secret#1>", 5.0])

    def test_unknownCommand(self) -> None:
        self.assertEqual(self.shown(command("login", 1.0, None, ["joe"])), [None, ["<secret#1>"]])

    def test_application(self) -> None:
        """The application is no secret; a name that is the same is masked in its place, and not elsewhere."""
        self.shown(command("connect", 1.0, {"app": "/studio/one/?x=y"}))
        self.assertEqual(self.shown(command("publish", 5.0, None, "studio", "live"))[1], "<key#1>")
        self.assertEqual(
            self.text(None, {"description": "studio/one is busy"}), "{'description': 'studio/one is busy'}"
        )

    def test_learned(self) -> None:
        """A server that repeats a name, in words, is masked too; also what it has decoded."""
        self.shown(command("publish", 5.0, None, f"{KEY}%20x?t=1"))
        self.shown(command("publish", 5.0, None, KEY))
        rows = [
            (f"live/{KEY} is published", "live/<key#2> is published"),
            (f"{KEY}%20x and {KEY} x", "<key#1> and <key#3>"),
            (f"x{KEY} {KEY}x", f"x{KEY} {KEY}x"),
            ("The 1 is taken", "The <secret#1> is taken"),
        ]
        for description, expected in rows:
            found = self.shown(status(code="NetStream.Publish.BadName", description=description))
            self.assertEqual(found[1], {"code": "NetStream.Publish.BadName", "description": expected})

    def test_details(self) -> None:
        """A status has the name in its details, alone or with more around it, and perhaps before it in the sentence."""
        found = self.shown(status(description=f"{KEY} is now published", details=KEY))
        self.assertEqual(found[1], {"description": "<key#1> is now published", "details": "<key#1>"})
        found = self.shown(status(description=f"{KEY} is now published", details=f"live/{KEY}?t=abc"))
        self.assertEqual(found[1], {"description": "<key#1> is now published", "details": "live/<key#1>?t=<secret#1>"})

    def test_unheardClient(self) -> None:
        """As long as no name is known, a sentence about one can't be shown; others can."""
        self.assertEqual(self.shown(status(description="cam is live"))[1], {"description": "<text>"})
        self.assertEqual(self.secrets.about("cam is live"), "cam is live")
        rejected = command("_error", 1.0, None, {"description": "no such app"}, side=Side.SERVER)
        self.assertEqual(self.shown(rejected)[1], {"description": "no such app"})
        self.shown(command("play", 5.0, None, "x"))
        self.assertEqual(self.shown(status(description="Start live"))[1], {"description": "Start live"})

    def test_short(self) -> None:
        """A short name is masked where names stand, and in sentences about streams, and nowhere else."""
        self.shown(command("publish", 5.0, None, "1"))
        self.assertEqual(
            self.text(None, {"fmsVer": "FMS/3,0,1,123", "x": "a 1 b"}),
            str({"fmsVer": "FMS/3,0,1,123", "x": "a <key#1> b"}),
        )
        data = command("onMetaData", {"encoder": "x 1 y"}, side=Side.SERVER, type=MessageType.DATA)
        self.assertEqual(self.secrets.values(data)[0][1], {"encoder": "x 1 y"})

    def test_adobe(self) -> None:
        """A server's question: what must be answered is masked, why is not; the client's answer is known again."""
        description = (
            "[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=needauth&user=joe&salt=S4lt"
            "&challenge=Ch4l&opaque=O9"
        )
        expected = (
            "[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=needauth&user=<secret#1>&salt=<secret#2>"
            "&challenge=<secret#3>&opaque=<secret#4>"
        )
        found = self.text(None, {"description": description}, name="_error")
        self.assertEqual(found, str({"description": expected}))
        app = "live?authmod=adobe&user=joe&challenge=xx&response=yy&opaque=O9"
        found = self.text({"app": app}, side=Side.CLIENT, name="connect")
        self.assertIn("user=<secret#1>&challenge=<secret#5>&response=<secret#6>&opaque=<secret#4>", found)

    def test_first(self) -> None:
        """Adobe's first question is seen."""
        text = "[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : "
        self.assertEqual(self.text(None, {"description": text}, name="_error"), str({"description": text}))

    def test_public(self) -> None:
        """What is said to be no secret is none."""
        self.secrets = Secrets(["probe-1", "abc"])
        found = self.shown(command("publish", 5.0, None, "probe-1?t=abc&u=abd"))
        self.assertEqual(found[1], "probe-1?t=abc&u=<secret#1>")
        found = self.shown(status(description="probe-1 is live", details="probe-1?u=x9"))
        self.assertEqual(found[1], {"description": "probe-1 is live", "details": "probe-1?u=<secret#2>"})

    def test_commandsOfAMF3(self) -> None:
        entry = payloadMessage(b"\0" + amf0.encode("publish", 5.0, None, KEY), MessageType.COMMAND_AMF3)
        self.assertEqual(self.shown(entry)[1], "<key#1>")

    def test_kept(self) -> None:
        """Types are kept: which kind of object it is matters."""
        [value] = self.shown(command("_result", 1.0, ECMAArray({"a": "b"}), side=Side.SERVER))
        self.assertIs(type(value), ECMAArray)

    def test_fault(self) -> None:
        """What can be read is shown, and why not more."""
        entry = payloadMessage(amf0.encode("publish", 5.0, None, KEY) + b"\x0e")
        values, fault = self.secrets.values(entry)
        self.assertEqual(values, ("publish", 5.0, None, "<key#1>"))
        self.assertIn("0x0e", fault)

    def test_learnFirst(self) -> None:
        """Learning is for commands and data; other entries have no names."""
        self.secrets.learn(command("publish", 5.0, None, KEY))
        others: list[Entry] = [
            payloadMessage(KEY.encode(), MessageType.VIDEO),
            HandshakeBlock(Side.CLIENT, 0.0, 0, name="C0", data=b"\3"),
            Ending(Side.CLIENT, 0.0, 0, how="closed"),
        ]
        for entry in others:
            self.secrets.learn(entry)
            self.assertEqual(self.secrets.hidden(entry), [])
        self.assertEqual(self.secrets.about(f"there is {KEY}"), "there is <key#1>")

    def test_about(self) -> None:
        """Any sentence: known secrets and those of URLs."""
        self.secrets.learn(command("publish", 5.0, None, "message"))
        self.assertEqual(
            self.secrets.about("a message to //me:pw@host/x?k=abc"),
            "a <key#1> to //<secret#1>:<secret#2>@host/x?k=<secret#3>",
        )

    def test_remark(self) -> None:
        """A name that is a word like others does not spoil our own sentences."""
        for name in ("message", "1", KEY):
            self.secrets.learn(command("publish", 5.0, None, name))
        self.assertEqual(self.secrets.remark(f"message 1 of {KEY}?x=y"), "message 1 of <key#3>?x=<secret#1>")

    def test_many(self) -> None:
        """What is remembered has bounds; what is beyond them is masked all the same, in its place."""
        self.patch(module, "_MOST_MASKS", 600)
        for number in range(700):
            text = f"name-{number:04}"
            [_, shown] = self.shown(command("publish", 5.0, None, text))
            self.assertEqual(shown, f"<key#{number + 1}>" if number < 600 else "<key>")
        self.assertEqual(self.secrets.about("name-0000 name-0699"), "<key#1> name-0699")
        self.assertEqual(self.shown(command("publish", 5.0, None, "name-0001"))[1], "<key#2>")
        for number in range(2000):
            self.secrets.learn(command("connect", 1.0, {"app": f"app-{number}"}))
        self.assertLess(len(self.secrets._applications), 3000)

    def test_long(self) -> None:
        """A long secret is known again where it stands, and not looked for elsewhere."""
        text = "k" * 3000
        for _ in range(2):
            self.assertEqual(self.shown(command("publish", 5.0, None, text))[1], "<key#1>")
        self.assertEqual(self.secrets.about(text), text)


class HiddenTests(SynchronousTestCase):
    """Which bytes are hidden."""

    def setUp(self) -> None:
        self.secrets = Secrets()

    def hidden(self, entry: ReadMessage | Unreadable) -> bytes:
        """The bytes that are shown, with stars for the others."""
        data = bytearray(entry.data if isinstance(entry, Unreadable) else entry.message.payload)
        for start, stop in self.secrets.hidden(entry):
            self.assertTrue(0 <= start < stop <= len(data))
            data[start:stop] = b"*" * (stop - start)
        return bytes(data)

    def assertHides(self, entry: ReadMessage, *secrets: bytes) -> None:
        payload = entry.message.payload
        for secret in secrets:
            self.assertIn(secret, payload)
            payload = payload.replace(secret, b"*" * len(secret))
        self.assertEqual(self.hidden(entry), payload)

    def test_publish(self) -> None:
        self.assertHides(command("publish", 5.0, None, f"{KEY}?token=abcd", "live"), KEY.encode(), b"abcd")

    def test_short(self) -> None:
        """One byte, where it is meant, and not where it is by chance."""
        entry = command("connect", 1.0, {"user": "1", "flashVer": "FMLE/3.1 1"})
        self.assertEqual(self.hidden(entry), entry.message.payload.replace(b"\x02\x00\x011", b"\x02\x00\x01*"))
        entry = command("publish", 5.0, None, "e", "live")
        self.assertEqual(self.hidden(entry), entry.message.payload.replace(b"\x00\x01e", b"\x00\x01*"))

    def test_multibyte(self) -> None:
        """Characters are not bytes."""
        self.assertHides(command("play", 4.0, None, "ä?ü=ö€&z"), "ä".encode(), "ö€".encode(), b"z")

    def test_notUTF8(self) -> None:
        entry = payloadMessage(amf0.encode("publish", 5.0, None) + b"\x02\x00\x03\xff\xfea")
        self.assertTrue(self.hidden(entry).endswith(b"\x02\x00\x03***"))

    def test_longString(self) -> None:
        entry = payloadMessage(amf0.encode("publish", 5.0, None) + b"\x0c\x00\x00\x00\x02ab")
        self.assertTrue(self.hidden(entry).endswith(b"\x0c\x00\x00\x00\x02**"))

    def test_amf3(self) -> None:
        """Behind the switch to AMF3 the size is written in another way, for long strings in two bytes."""
        for text, size in ((b"abc", b"\x07"), (b"n" * 80, b"\x81\x21")):
            entry = payloadMessage(amf0.encode("publish", 5.0, None) + b"\x11\x06" + size + text)
            self.assertTrue(self.hidden(entry).endswith(size + b"*" * len(text)))

    def test_strangeSize(self) -> None:
        """A reference of AMF3 names a string whose size is not in front of it there: it is hidden all the same."""
        payload = amf0.encode("publish", 5.0, None, "abc")
        entry = payloadMessage(payload)
        # A size in four bytes where three would do.
        entry.message.payload = payload[:-6] + b"\x11\x06\x80\x80\x07abc"
        self.assertTrue(self.hidden(entry).endswith(b"***"))

    def test_learned(self) -> None:
        self.secrets.learn(command("publish", 5.0, None, KEY))
        self.assertHides(status(description=f"live/{KEY} is published", details=KEY), KEY.encode())

    def test_faulty(self) -> None:
        """Behind what can't be read, whatever looks like a secret."""
        name = b"\x02\x00\x04" + b"name"
        entry = payloadMessage(amf0.encode("publish", 5.0) + b"\x0e" + name + amf0.encode("live") + b"?k=vvv ?code=1")
        expected = entry.message.payload.replace(b"name", b"****").replace(b"vvv", b"***")
        self.assertEqual(self.hidden(entry), expected)
        self.assertEqual(self.hidden(payloadMessage(b"\x0e" + name)), b"\x0e\x02\x00\x04****")

    def test_unreadable(self) -> None:
        """The same for bytes that are no messages; the end may cut it."""
        self.secrets.learn(command("publish", 5.0, None, KEY))
        data = (
            b"\x17\x02\x00\x0areleaseStr"
            + b"\x02\x00\x02ab"
            + KEY.encode()
            + b"\x02\x00\x00\x02\x00\x07publish\x02\x00\x20se"
        )
        entry = Unreadable(Side.CLIENT, 0.0, 5000, data=data, size=9999, reason="x")
        shown = self.hidden(entry)
        self.assertEqual(shown.count(b"*"), 10 + 2 + len(KEY) + 2)
        self.assertIn(b"publish", shown)
        http = Unreadable(Side.CLIENT, 0.0, 0, data=b"GET /live?token=abc HTTP/1.1\r\n", size=30, reason="x")
        self.assertEqual(self.hidden(http), b"GET /live?token=*** HTTP/1.1\r\n")

    def test_otherTypes(self) -> None:
        """Shared objects and unknown types are looked through; media and control messages are not."""
        payload = b"\x02\x00\x04name"
        for type, expected in (
            (19, b"\x02\x00\x04****"),
            (99, b"\x02\x00\x04****"),
            (8, payload),
            (22, payload),
            (4, payload),
        ):
            self.assertEqual(self.hidden(payloadMessage(payload, type)), expected, type)

    def test_limit(self) -> None:
        """Only what is shown is looked through."""
        entry = payloadMessage(b"\x02\x00\x04name\x02\x00\x04more", 99)
        self.assertEqual(self.secrets.hidden(entry, 8), [(3, 7)])

    def test_anyBytes(self) -> None:
        """Whatever it is, nothing is raised, and what is to be hidden lies in it."""
        chance = random.Random(7)
        start = amf0.encode("publish", 5.0, None, KEY)
        for _ in range(150):
            data = bytearray(start + chance.randbytes(40))
            for _ in range(3):
                data[chance.randrange(len(data))] = chance.randrange(256)
            for type in (20, 17, 18, 15, 19, 99):
                for side in Side:
                    entry = payloadMessage(bytes(data), type, side)
                    self.secrets.values(entry)
                    self.hidden(entry)

    def test_quick(self) -> None:
        """The worst that a peer can send costs a bounded time."""
        for number in range(300):
            self.secrets.learn(command("publish", 5.0, None, f"{number:03}" + "1 " * 400))
        self.secrets.learn(command("publish", 5.0, None, "1"))
        payloads = [
            amf0.encode("x", 1.0, None, ["1"] * 2000),
            amf0.encode("x", 1.0, None, *(str(number) for number in range(2000))),
            b"\x02\xff\xff" * 300_000,
            amf0.encode("onStatus", 0.0, None, {"description": "1 " * 30_000}),
            amf0.encode("onStatus", 0.0, None, {"details": "?a=1" * 8_000}),
            amf0.encode("connect", 0.0, {"tcUrl": "//a:b" * 12_000}),
        ]
        for payload in payloads:
            for side in Side:
                began = time.process_time()
                entry = payloadMessage(payload, MessageType.COMMAND, side, chunkSize=1 << 24)
                self.secrets.values(entry)
                self.secrets.hidden(entry, 1024)
                self.assertLess(time.process_time() - began, 5.0, payload[:40])
