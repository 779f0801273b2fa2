# -*- test-case-name: tests.compare.test_comparison -*-
"""
Tests for L{rtmptw.compare.comparison}: captured conversations beside themselves, beside each other, and beside what
becomes of them when a server does one thing otherwise.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.capture.saved import SavedTraceError, SavedTraceWriter
from rtmptw.compare import comparison as comparison_
from rtmptw.compare.alignment import WINDOW
from rtmptw.compare.comparison import Comparison, compareConversations, compareTraces, entriesOf
from rtmptw.compare.difference import Difference, How
from rtmptw.compare.noise import Weight
from rtmptw.compare.sidebyside import sideBySide
from rtmptw.trace.entry import Entry
from rtmptw.trace.segment import End, Segment, Side
from rtmptw.wire import amf0
from rtmptw.wire.amf import UNDEFINED, AMFValue, ECMAArray
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.control import UserControl, acknowledgement
from rtmptw.wire.handshake import HANDSHAKE_SIZE
from rtmptw.wire.message import Message, MessageType
from tests.compare.bending import (
    CAPTURES,
    capture,
    change,
    command,
    conversation,
    isCommand,
    messagesOf,
    rewrite,
    told,
)
from tests.compare.test_step import asks

CONNECTED: AMFValue = {
    "level": "status",
    "code": "NetConnection.Connect.Success",
    "description": "Connection succeeded.",
    "objectEncoding": 0.0,
}
PROPERTIES: AMFValue = {"fmsVer": "FMS/3,0,1,123", "capabilities": 31.0}
STARTED = {"level": "status", "code": "NetStream.Publish.Start", "description": "Start publishing"}

Make = Callable[[Message], list[Message]]


def connectResult(make: Make) -> Make:
    """Bend the answer to connect."""
    return lambda message: make(message) if isCommand(message, "_result", "Connect.Success") else [message]


def createStreamResult(make: Make) -> Make:
    """Bend the answer to createStream."""

    def bend(message: Message) -> list[Message]:
        isIt = isCommand(message, "_result") and not isCommand(message, "_result", "Connect.Success")
        return make(message) if isIt else [message]

    return bend


def connectedWith(id: AMFValue) -> Make:
    """Give the answer to connect another transaction ID."""
    return connectResult(lambda message: [change(message, "_result", id, PROPERTIES, CONNECTED)])


def createdWith(*values: AMFValue) -> Make:
    """Give the answer to createStream other values."""
    return createStreamResult(lambda message: [change(message, "_result", *values)])


def started(make: Make) -> Make:
    """Bend the status that publishing has started."""
    return lambda message: make(message) if isCommand(message, "onStatus", "Publish.Start") else [message]


def told_(comparison: Comparison) -> list[str]:
    """The differences, each in a line."""
    return [shortly(difference) for difference in comparison.differences]


def shortly(difference: Difference | None) -> str:
    assert difference is not None
    fields = ",".join(field.name for field in difference.fields)
    causes = [f"!{wrong.violation.cause.name}" for wrong in difference.wrongs]
    words = (difference.weight.name, difference.how.value, difference.side.value, *difference.step.key, fields, *causes)
    return " ".join(filter(None, words))


class CaptureTests(SynchronousTestCase):
    def test_withItself(self) -> None:
        """Nothing differs, and nothing had to be folded away."""
        names = sorted(path.name.removesuffix(".c2s.bin") for path in CAPTURES.glob("*.c2s.bin"))
        self.assertGreater(len(names), 15)
        for name in names:
            entries = told(name)
            comparison = compareConversations(entries, entries)
            self.assertEqual((comparison.differences, comparison.folded.total()), ((), 0), name)
            self.assertIsNone(comparison.first)
            self.assertTrue(comparison.isSameClient)
            self.assertEqual(len(comparison.outline), len(comparison.told[0].inOrder()))

    def test_sameServer(self) -> None:
        """Two versions of FFmpeg publish to the same server: there is nothing but noise."""
        comparison = compareConversations(told("ffmpeg5-publish"), told("ffmpeg9-publish"))
        self.assertEqual(comparison.differences, ())
        self.assertGreater(comparison.folded["random bytes"], 0)
        self.assertEqual(comparison.folded["clients' versions"], 1)
        self.assertTrue(comparison.isSameClient)

    def test_otherServer(self) -> None:
        """FFmpeg at nginx-rtmp and at FFmpeg itself: both work, so nothing matters but what one client would mind."""
        comparison = compareConversations(told("ffmpeg5-publish"), told("ffmpeg5-publish-to-ffmpeg9-listen"))
        lines = told_(comparison)
        mattering = [line for line in lines if not line.startswith("LITTLE")]
        self.assertEqual(mattering, ["ADVICE extra server command onFCPublish !short-command"])
        for expected in (
            "LITTLE extra server command onBWDone",
            "LITTLE extra server answer releaseStream",
            "LITTLE extra client command _checkbw",
            "LITTLE missing server status NetStream.Unpublish.Success",
            "LITTLE other server control set chunk size value",
        ):
            self.assertIn(expected, lines)

    def test_otherClients(self) -> None:
        """If the clients are not the same, what they ask differs, and that does not matter."""
        for one, other in (
            ("ffmpeg5-publish", "gst122-rtmp2sink-publish"),
            ("ffmpeg5-play", "rtmpdump24-play-live"),
            ("gst122-rtmpsrc-librtmp-play", "gst122-rtmp2src-play"),
        ):
            comparison = compareConversations(told(one), told(other))
            self.assertFalse(comparison.isSameClient)
            self.assertEqual([line for line in told_(comparison) if not line.startswith("LITTLE")], [])

    def test_otherPurpose(self) -> None:
        """What was not asked for is not missed."""
        comparison = compareConversations(told("ffmpeg5-publish"), told("ffmpeg5-play"))
        self.assertFalse(comparison.isSameClient)
        lines = told_(comparison)
        self.assertIn("LITTLE missing server status NetStream.Publish.Start", lines)
        self.assertIn("LITTLE extra server data onMetaData", lines)
        self.assertIsNone(comparison.first)

    def test_otherMedia(self) -> None:
        """Which media a client has is its own affair."""
        comparison = compareConversations(told("ffmpeg9-publish"), told("ffmpeg9-publish-av1-flac"))
        self.assertIsNone(comparison.first)
        self.assertIn("LITTLE extra client video color info", told_(comparison))


class SeedTests(SynchronousTestCase):
    """The same client, and a server that does one thing otherwise."""

    def setUp(self) -> None:
        self.client, self.server = capture("ffmpeg5-publish")

    def compare(self, bend: Make, client: bytes | None = None) -> Comparison:
        """nginx-rtmp's words, written anew, beside the same with one of them bent."""
        good = conversation(self.client, rewrite(self.server))
        return compareConversations(good, conversation(client or self.client, rewrite(self.server, bend)))

    def fields(self, difference: Difference | None) -> dict[str, Weight]:
        assert difference is not None
        return {field.name: field.row.weight for field in difference.fields}

    def test_rewritten(self) -> None:
        """Written anew, it is the same but for chunk headers: what is found below comes from the bends."""
        comparison = self.compare(lambda message: [message])
        self.assertEqual((comparison.differences, comparison.folded.total()), ((), 0))

    def test_transactionId(self) -> None:
        """The field that is wrong, in the words that are wrong, and why."""
        for id, cause in (
            (2.0, "connect-transaction-id"),
            (0.0, "connect-transaction-id"),
            ("1", "transaction-id-not-number"),
        ):
            comparison = self.compare(connectedWith(id))
            self.assertEqual(shortly(comparison.first), f"STOPS other server answer connect transactionId !{cause}")
            self.assertEqual(self.fields(comparison.first), {"transactionId": Weight.MATTERS})
            self.assertEqual(len(comparison.differences), 1)

    def test_clientWaits(self) -> None:
        """As it really is: the client goes no further. What it does not ask, and is not answered, is not the first."""
        client = self.client[:3242]
        last = connectResult(lambda m: [change(m, "_result", 2.0, PROPERTIES, CONNECTED)])
        upTo = messagesOf(self.server)[:4]
        comparison = self.compare(lambda m: last(m) if m in upTo else [], client)
        self.assertEqual(
            shortly(comparison.first), "STOPS other server answer connect transactionId !connect-transaction-id"
        )
        lines = told_(comparison)
        self.assertIn("LITTLE missing server answer createStream", lines)
        self.assertIn("LITTLE missing server status NetStream.Publish.Start", lines)
        self.assertIn("MATTERS missing client command createStream", lines)

    def test_inOnePiece(self) -> None:
        """An answer that was not cut into chunks."""
        small: Make = lambda m: [] if m.type == MessageType.SET_CHUNK_SIZE else [m]  # noqa: E731
        good = conversation(self.client, rewrite(self.server, small))
        comparison = compareConversations(good, conversation(self.client, rewrite(self.server, small, uncut="_result")))
        self.assertEqual(shortly(comparison.first), "STOPS other server answer connect chunks !reply-not-chunked")
        self.assertEqual(len(comparison.differences), 1)

    def test_type17(self) -> None:
        comparison = self.compare(connectResult(lambda m: [change(m, type=MessageType.COMMAND_AMF3)]))
        self.assertEqual(shortly(comparison.first), "STOPS other server answer connect type !reply-as-amf3")

    def test_ecmaArray(self) -> None:
        comparison = self.compare(started(lambda m: [change(m, "onStatus", 0.0, None, ECMAArray(STARTED))]))
        self.assertEqual(
            shortly(comparison.first), "STOPS other server status NetStream.Publish.Start [1] !onstatus-ecma"
        )

    def test_harmlessArray(self) -> None:
        """In the answer to connect, nobody minds one."""
        assert isinstance(CONNECTED, dict)
        comparison = self.compare(
            connectResult(lambda m: [change(m, "_result", 1.0, PROPERTIES, ECMAArray(CONNECTED))])
        )
        self.assertEqual(told_(comparison), ["LITTLE other server answer connect [1]"])
        self.assertIsNone(comparison.first)

    def test_messageStream0(self) -> None:
        """rtmp2sink waits on; FFmpeg does not look at it, so for FFmpeg it is a difference like others."""
        for name, weight in (("gst122-rtmp2sink-publish", "STOPS"), ("ffmpeg5-publish", "MATTERS")):
            client, server = capture(name)
            bent = rewrite(server, started(lambda m: [change(m, streamId=0)]))
            comparison = compareConversations(told(name), conversation(client, bent))
            self.assertEqual(
                shortly(comparison.first),
                f"{weight} other server status NetStream.Publish.Start message stream !onstatus-on-stream-0",
            )

    def test_missing(self) -> None:
        for bend, expected in (
            (connectResult(lambda m: []), "answer connect"),
            (createStreamResult(lambda m: []), "answer createStream"),
            (started(lambda m: []), "status NetStream.Publish.Start"),
        ):
            first = self.compare(bend).first
            assert first is not None
            self.assertEqual((first.how, first.side), (How.MISSING, Side.SERVER), expected)
            self.assertEqual(" ".join(first.step.key), expected)

    def test_extra(self) -> None:
        """One answer more is one difference, and it is a harmless one."""
        comparison = self.compare(connectResult(lambda m: [m, command("_result", 2.0, None, UNDEFINED)]))
        self.assertEqual(told_(comparison), ["LITTLE extra server answer releaseStream"])
        comparison = self.compare(connectResult(lambda m: [m, command("onBWDone", 0.0, None)]))
        self.assertEqual(told_(comparison), ["LITTLE extra server command onBWDone"])

    def test_answerToNothing(self) -> None:
        """An answer that nobody has asked for is one that SRS's client leaves at."""
        first = self.compare(createStreamResult(lambda m: [command("_result", 77.0, None), m])).first
        self.assertIn("MATTERS extra server answer", shortly(first))

    def test_order(self) -> None:
        """Control messages may stand behind the answer; a status may not stand before what it needs."""
        saved: list[Message] = []

        def late(message: Message) -> list[Message]:
            if message.type == MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE:
                saved.append(message)
                return []
            return [message, *saved] if isCommand(message, "_result", "Connect.Success") else [message]

        comparison = self.compare(late)
        self.assertEqual(told_(comparison), ["LITTLE order server control window acknowledgement size"])
        self.assertEqual(len(saved), 1)
        status = next(m for m in messagesOf(self.server) if isCommand(m, "onStatus", "Publish.Start"))
        early = createStreamResult(lambda m: [status, m])
        comparison = self.compare(lambda m: [] if m == status else early(m))
        first = comparison.first
        assert first is not None
        self.assertEqual((first.how, first.weight), (How.ORDER, Weight.MATTERS))
        self.assertIsNotNone(first.passed)

    def test_refused(self) -> None:
        """A status in the place of another stands beside it."""
        refusal: AMFValue = {"level": "error", "code": "NetStream.Publish.BadName", "description": "no"}
        first = self.compare(started(lambda m: [change(m, "onStatus", 0.0, None, refusal)])).first
        assert first is not None
        self.assertEqual(first.how, How.FIELDS)
        self.assertEqual(list(self.fields(first)), ["[1].level", "[1].code"])

    def test_createStream(self) -> None:
        for values, name in (((4.0, None, 5.0), "[1]"), ((4.0, UNDEFINED, 1.0), "[0]"), ((4.0, None), "[1]")):
            comparison = self.compare(createdWith(*values))
            self.assertTrue(
                any(d.step.key.detail == "createStream" and name in self.fields(d) for d in comparison.differences)
            )

    def test_toldOnce(self) -> None:
        """If all goes on another message stream, that is told once for each side; then it is counted."""
        comparison = self.compare(createStreamResult(lambda m: [change(m, "_result", 4.0, None, 5.0)]))
        lines = [line for line in told_(comparison) if "message stream" in line]
        self.assertEqual(len(lines), 2)
        self.assertEqual(comparison.folded["message streams once more"], 8)

    def test_wrongInBoth(self) -> None:
        """What is wrong in both is no difference."""
        bad = conversation(self.client, rewrite(self.server, started(lambda m: [change(m, streamId=0)])))
        self.assertEqual(compareConversations(bad, bad).differences, ())

    def test_wrongLater(self) -> None:
        """What is wrong in something that only repeats itself is found, at its first time, and in either of the two."""
        acks: Make = started(lambda m: [m, *(acknowledgement(each) for each in range(1, 4))])
        comparison = self.compare(acks)
        self.assertEqual(shortly(comparison.first), "LOSES extra server repeated acknowledgement !unasked-acks")
        good, bad = self.server, rewrite(self.server, acks)
        comparison = compareConversations(conversation(self.client, bad), conversation(self.client, rewrite(good)))
        self.assertEqual(shortly(comparison.first), "LOSES missing server repeated acknowledgement !unasked-acks")

    def test_unreadable(self) -> None:
        """A server that speaks something else."""
        other = conversation(self.client, b"HTTP/1.1 400 Bad Request\r\n\r\n")
        first = compareConversations(conversation(self.client, self.server), other).first
        assert first is not None
        self.assertEqual(first.side, Side.SERVER)
        self.assertLessEqual(first.weight, Weight.MATTERS)

    def test_silent(self) -> None:
        """A server, or a client, that says nothing at all."""
        good = conversation(self.client, self.server)
        for client, server in ((self.client, b""), (b"", self.server), (b"", b"")):
            other = conversation(client, server)
            self.assertIsNotNone(compareConversations(good, other).first)
            self.assertTrue(list(sideBySide(compareConversations(other, good))))


class PlayerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.client, self.server = capture("ffmpeg5-play")

    def compare(self, bend: Make) -> Comparison:
        good = conversation(self.client, rewrite(self.server))
        return compareConversations(good, conversation(self.client, rewrite(self.server, bend)))

    def first(self, bend: Make) -> str:
        return shortly(self.compare(bend).first)

    def test_noMetadata(self) -> None:
        self.assertIn("missing server data onMetaData", self.first(lambda m: [] if b"onMetaData" in m.payload else [m]))

    def test_undefinedInMetadata(self) -> None:
        def bend(message: Message) -> list[Message]:
            if message.type != MessageType.DATA or b"onMetaData" not in message.payload:
                return [message]
            values = amf0.decode(message.payload)
            assert isinstance(values[1], dict)
            return [change(message, values[0], {**values[1], "width": UNDEFINED})]

        self.assertIn("other server data onMetaData [0].width", self.first(bend))

    def test_noHeader(self) -> None:
        isHeader = bytes.fromhex("17 00")
        first = self.first(lambda m: [] if m.type == MessageType.VIDEO and m.payload[:2] == isHeader else [m])
        self.assertIn("missing server video sequence header", first)

    def test_noEnd(self) -> None:
        """Who has not played to the end was not told of it, and that is all; a rule knows when it is wrong."""
        end = UserControl(1, 1).encode()
        comparison = self.compare(lambda m: [] if (m.type, m.payload) == (end.type, end.payload) else [m])
        self.assertTrue(told_(comparison)[0].startswith("LITTLE missing server control user control stream eof 1"))


class _Patient:
    """In the place of a conversation: remembers what is done with it."""

    done: list[object] = []

    def feed(self, segment: Segment) -> list[Entry]:
        self.done.append(segment.at)
        return []

    def settle(self, at: float) -> list[Entry]:
        self.done.append(f"settle {at:g}")
        return []

    def finish(self, side: Side, at: float, how: str) -> list[Entry]:
        self.done.append(f"finish {side.value} {at:g}")
        return []


class EntriesTests(SynchronousTestCase):
    def test_silence(self) -> None:
        """Where nothing has come for a while, what is half there is looked at again."""
        self.patch(comparison_, "Conversation", _Patient)
        self.patch(_Patient, "done", [])
        list(entriesOf(Segment(Side.CLIENT, at, b"x") for at in (0.0, 0.5, 1.4, 2.4, 9.0)))
        self.assertEqual(
            _Patient.done,
            [0.0, 0.5, 1.4, "settle 2.4", 2.4, "settle 3.4", 9.0, "finish client 9", "finish server 9"],
        )

    def test_endings(self) -> None:
        """A side ends where it has ended; the other one, of which that is not known, with the trace."""
        self.patch(comparison_, "Conversation", _Patient)
        self.patch(_Patient, "done", [])
        segments = [Segment(Side.CLIENT, 0.0, b"x"), Segment(Side.CLIENT, 0.5, b"x")]
        list(entriesOf(segments, [End(Side.SERVER, 0.25, "closed", 1)]))
        self.assertEqual(_Patient.done, [0.0, "finish server 0.25", 0.5, "finish client 0.5"])
        self.patch(_Patient, "done", [])
        list(entriesOf(segments, [End(side, 3.0, "closed", 2) for side in (Side.SERVER, Side.CLIENT)]))
        self.assertEqual(_Patient.done, [0.0, 0.5, "settle 1.5", "finish server 3", "finish client 3"])


class TracesTests(SynchronousTestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    def test_captures(self) -> None:
        """Two saved conversations, by their names."""
        names = [str(CAPTURES / name) for name in ("ffmpeg5-publish", "ffmpeg9-publish")]
        comparison = compareTraces(*names)
        self.assertEqual((comparison.labels, comparison.differences), (tuple(names), ()))

    def test_notes(self) -> None:
        """What is missing in one is told."""
        one = self.directory
        (one / "x.s2c.bin").write_bytes(capture("ffmpeg5-publish")[1])
        comparison = compareTraces(CAPTURES / "ffmpeg5-publish", one / "x")
        self.assertEqual(comparison.notes, (f"{one / 'x'}: there is nothing of the client's side",))

    def test_endings(self) -> None:
        """Saved traces tell who has closed: a server that does so first, and has not said why, is at fault."""
        client, server = (
            data[: HANDSHAKE_SIZE + size] for data, size in zip(capture("ffmpeg5-publish"), (300, 16), strict=True)
        )
        paths = []
        for name, order in (("good", (Side.CLIENT, Side.SERVER)), ("bad", (Side.SERVER, Side.CLIENT))):
            paths.append(self.directory / name)
            writer = SavedTraceWriter(paths[-1], "", datetime.now(UTC))
            writer.said(Segment(Side.CLIENT, 0.0, client))
            writer.said(Segment(Side.SERVER, 0.0, server))
            for at, side in enumerate(order, 1):
                writer.closed(side, "closed", float(at))
        comparison = compareTraces(*paths)
        wrongs = [
            (wrong.conversation, wrong.violation.cause.name) for d in comparison.differences for wrong in d.wrongs
        ]
        self.assertEqual(wrongs, [(1, "refusal-without-status")])

    def test_trouble(self) -> None:
        path = self.directory / "x"
        self.assertRaises(OSError, compareTraces, CAPTURES / "ffmpeg5-publish", path)
        path.write_bytes(b"HTTP/1.1 200 OK")
        self.assertRaises(SavedTraceError, compareTraces, path, CAPTURES / "ffmpeg5-publish")


class HostileTests(SynchronousTestCase):
    def assertTold(self, one: list[Entry], other: list[Entry]) -> Comparison:
        comparison = compareConversations(one, other)
        for line in sideBySide(comparison, outline=True):
            self.assertTrue(len(line) <= 120 and line.isascii() and (line.isprintable() or not line), line)
        return comparison

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.binary(max_size=300), min_size=4, max_size=4))
    def test_anyBytes(self, streams: list[bytes]) -> None:
        self.assertTold(conversation(*streams[:2]), conversation(*streams[2:]))

    def test_flipped(self) -> None:
        """Captures with bits that have fallen over, beside what they were."""
        chance = random.Random(5)
        client, server = (data[:9000] for data in capture("ffmpeg5-play"))
        good = conversation(client, server)
        for _ in range(60):
            broken = [bytearray(client), bytearray(server)]
            for data in broken:
                for _ in range(chance.randint(1, 4)):
                    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
                if chance.random() < 0.3:
                    del data[chance.randrange(3000, len(data)) :]
            self.assertTold(good, conversation(bytes(broken[0]), bytes(broken[1])))

    def test_reversed(self) -> None:
        """The order that costs most: everything has passed everything else."""
        calls = [asks(f"call{each}", float(each), None) for each in range(400)]
        turned = [asks(f"call{each}", float(each), None) for each in (*range(200), *range(399, 199, -1))]
        started = time.process_time()
        comparison = compareConversations(calls, turned)
        self.assertEqual({difference.how for difference in comparison.differences}, {How.ORDER})
        self.assertEqual(len(comparison.differences), 199)
        self.assertLess(time.process_time() - started, 20)

    def test_many(self) -> None:
        """Thousands of commands, none like the other, on both sides: bounded, and that is said."""
        client, server = (data[:HANDSHAKE_SIZE] for data in capture("ffmpeg5-publish"))
        streams = []
        for beginning in ("a", "b"):
            writer = ChunkWriter()
            messages = (command(f"{beginning}{each}", float(each), None) for each in range(5_000))
            streams.append(b"".join(writer.write(message) for message in messages))
        one, other = (conversation(client + data, server + data) for data in streams)
        started = time.process_time()
        comparison = compareConversations(one, other)
        lines = list(sideBySide(comparison))
        spent = time.process_time() - started
        self.assertEqual(len([note for note in comparison.notes if "too many" in note]), 2)
        self.assertLess(len(comparison.differences), 4 * WINDOW + 10)
        self.assertTrue(any("too many" in line for line in lines))
        self.assertLess(spent, 20)
