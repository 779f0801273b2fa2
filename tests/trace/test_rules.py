# -*- test-case-name: tests.trace.test_rules -*-
"""
Tests for L{rtmptw.trace.rules}: the table, and that nothing is found where nothing is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from random import Random
from time import process_time

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.causes.causes import CAUSES, Severity
from rtmptw.trace.conversation import Conversation
from rtmptw.trace.entry import Entry, Violation
from rtmptw.trace.notes import Notes
from rtmptw.trace.rules import RULES, violations
from rtmptw.trace.segment import Segment, Side
from rtmptw.trace.talk import Talk
from rtmptw.wire.chunkwriter import encodeMessage
from rtmptw.wire.message import Message
from tests.session.dialects import HANDSHAKE, Stage
from tests.trace.dialogue import C1, Dialogue, media
from tests.trace.orders import CAPTURES, Pair, clientFirst, interleaved, pair

NAMES = sorted({path.name.removesuffix(".c2s.bin") for path in CAPTURES.glob("*.c2s.bin")})

#: FFmpeg as a server sends this, and MediaMTX would not take it.
KNOWN = {"ffmpeg5-publish-to-ffmpeg9-listen": ["short-command"]}

#: What no rule sees: it shows in what becomes of the media or of the connection, not in what is written.
UNSEEN = {
    *("c2-tail-dropped", "client-chunk-size-ignored", "closes-on-extra-argument"),
    *("closes-on-junk-data", "closes-on-unknown-type", "extended-timestamp-always-expected"),
    *("extended-timestamp-not-expected", "media-damaged", "media-lost", "media-lost-in-the-middle"),
    *("name-stays-taken", "slow-replies", "stops-reading", "tail-dropped", "waits-for-checkbw", "unusual-chunks"),
    "waits-for-createstream-first",
    *("waits-for-fcpublish", "waits-for-keyframe", "waits-for-metadata", "waits-for-pong"),
}

#: What the reading of chunks finds.
READ = {"reply-not-chunked", "announced-chunk-size-not-used", "client-not-chunked"}


def found(segments: Iterable[Segment], ends: Iterable[Side] = (), how: str = "FIN") -> list[Violation]:
    """What is wrong with a conversation."""
    conversation = Conversation()
    entries: list[Entry] = []
    at = 0.0
    for segment in segments:
        entries += conversation.feed(segment)
        at = segment.at
    for side in ends:
        entries += conversation.finish(side, at, how)
    return [violation for entry in entries for violation in entry.violations]


def names(violations: Iterable[Violation]) -> list[str]:
    return [violation.cause.name for violation in violations]


class TableTests(SynchronousTestCase):
    def test_theCausesExist(self) -> None:
        for rule in RULES:
            self.assertTrue(rule.causes and rule.kinds)
            for cause in rule.causes:
                self.assertIn(cause, CAUSES)

    def test_whatNoRuleSees(self) -> None:
        seen = {cause for rule in RULES for cause in rule.causes}
        self.assertEqual(set(CAUSES) - seen - READ, UNSEEN)

    def test_everyRuleHasATest(self) -> None:
        """Its causes are named in the tests of its module."""
        for rule in RULES:
            module = rule.find.__module__.rpartition(".")[2]
            source = (CAPTURES.parent / "trace" / f"test_{module}.py").read_text()
            source += (CAPTURES.parent / "trace" / "test_answerrules.py").read_text()
            for cause in rule.causes:
                self.assertIn(f'"{cause}"', source)


class NothingWrongTests(SynchronousTestCase):
    """Real clients with servers that they get on with."""

    def test_theyAreThere(self) -> None:
        self.assertTrue(len(NAMES) >= 19, NAMES)

    def test_filesWithoutTimes(self) -> None:
        for name in NAMES:
            for ends in ((), (Side.CLIENT, Side.SERVER)):
                self.assertEqual((name, names(found(clientFirst(pair(name)), ends))), (name, KNOWN.get(name, [])))

    def test_inOrder(self) -> None:
        for name in NAMES:
            for how in ("FIN", "reset", "end of the file"):
                segments = list(interleaved(pair(name)))
                self.assertEqual({s: b"".join(x.data for x in segments if x.side is s) for s in Side}, pair(name))
                result = names(found(segments, (Side.CLIENT, Side.SERVER), how))
                self.assertEqual((name, result), (name, KNOWN.get(name, [])))

    def test_slowly(self) -> None:
        """Minutes between two messages."""
        for name in NAMES:
            result = names(found(interleaved(pair(name), 100.0), (Side.CLIENT, Side.SERVER)))
            self.assertEqual((name, result), (name, KNOWN.get(name, [])))

    def test_cutOff(self) -> None:
        """A trace may stop anywhere; the client has gone first."""
        random = Random(5)
        for name in NAMES:
            for _ in range(6):
                sent = {side: data[: random.randrange(len(data))] for side, data in pair(name).items()}
                result = names(found(clientFirst(sent), (Side.CLIENT, Side.SERVER)))
                self.assertEqual((name, set(result) - set(KNOWN.get(name, []))), (name, set()))

    def test_oneSideOnly(self) -> None:
        for name in NAMES:
            for side in Side:
                result = names(found([Segment(side, 0.0, pair(name)[side])], (side,), "end of the file"))
                self.assertEqual((name, set(result) - set(KNOWN.get(name, []))), (name, set()))

    def test_ourOwnServer(self) -> None:
        """To all that the captured clients say, whatever server they spoke to: no more than advice."""
        for name in NAMES:
            stage = Stage(self)
            client = stage.client()
            sent = {Side.CLIENT: pair(name)[Side.CLIENT], Side.SERVER: b""}
            client.receive(sent[Side.CLIENT], 1448)
            sent[Side.SERVER] = client.transport.value()
            self.assertTrue(len(sent[Side.SERVER]) > 3073)
            result = [v for v in found(clientFirst(sent)) if v.cause.severity is not Severity.ADVICE]
            self.assertEqual((name, names(result)), (name, []))


class HostileTests(SynchronousTestCase):
    """Whatever is said, no rule raises, and each place is within what was said."""

    def assertHolds(self, sent: Pair) -> None:
        for segments in (clientFirst(sent), reversed(list(clientFirst(sent)))):
            for violation in found(segments, (Side.CLIENT, Side.SERVER)):
                self.assertTrue(0 <= violation.offset <= max(map(len, sent.values())), violation)
                self.assertTrue(violation.words.isascii() and violation.words.isprintable(), violation.words)

    @settings(max_examples=90, deadline=None)
    @given(st.data())
    def test_messages(self, data: st.DataObject) -> None:
        """Payloads of any bytes, many of which begin like what a rule looks at."""
        starts = [b"", *(b"\x02" + len(n).to_bytes(2, "big") + n for n in (b"_result", b"_error", b"onStatus"))]
        starts += [
            b"\x02\0\x0aonMetaData\x08\0\0\0\x01",
            b"\x02\0\x07connect",
            b"\x02\0\x0ccreateStream",
            b"\x02\0\x04play",
        ]
        message = st.builds(
            lambda type, streamId, start, tail: Message(type, 0, streamId, start + tail, 5),
            st.sampled_from([1, 2, 3, 4, 5, 6, 8, 9, 15, 17, 18, 20, 22, 99]),
            st.integers(0, 3),
            st.sampled_from(starts),
            st.binary(max_size=40),
        )
        dialogue = Dialogue()
        getattr(dialogue, data.draw(st.sampled_from(["shakeHands", "createStream", "publish", "play"])))()
        for one in data.draw(st.lists(message, max_size=12)):
            dialogue.feed(data.draw(st.sampled_from(list(Side))), encodeMessage(one, 128))
        for violation in dialogue.found:
            self.assertTrue(0 <= violation.offset <= max(map(len, dialogue.sent.values())), violation)
        self.assertHolds(dialogue.sent)

    @settings(max_examples=50, deadline=None)
    @given(st.sampled_from(NAMES), st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 255)), max_size=5))
    def test_damagedCaptures(self, name: str, damage: list[tuple[int, int]]) -> None:
        sent = {side: bytearray(data[:5000]) for side, data in pair(name).items()}
        for place, mask in damage:
            for data in sent.values():
                data[place % len(data)] ^= mask
        self.assertHolds({side: bytes(data) for side, data in sent.items()})

    def test_noSecrets(self) -> None:
        """Stream names and what stands behind question marks are in no words."""
        dialogue = Dialogue()
        dialogue.connect(tcUrl="rtmp://h/live?token=SECRET")
        said = re.compile(r"SECRET|key")
        for type in (15, 17, 18, 20):
            for name in (b"_result", b"onStatus", b"onMetaData", b"SECRET"):
                for tail in (
                    b"",
                    b"\0" + bytes(8),
                    b"\x02\0\x06SECRET",
                    b"\x05\x03\0\x04code\x02\0\x06?=SECRET\0\0\x09",
                ):
                    payload = b"\x02" + len(name).to_bytes(2, "big") + name + tail
                    for side in Side:
                        dialogue.feed(side, encodeMessage(Message(type, 0, 1, payload, 3), 128))
        dialogue.end(Side.SERVER)
        self.assertTrue(len(dialogue.found) > 10)
        for violation in dialogue.found:
            if violation.cause.name != "short-command":
                self.assertNotRegex(violation.words, said)


class CostTests(SynchronousTestCase):
    def test_media(self) -> None:
        """10 Mbit/s in messages of a kilobyte are 1250 a second: to judge them costs little of it."""
        talk, notes = Talk(), Notes()
        entries: list[Entry] = []
        conversation = Conversation()
        conversation.feed(Segment(Side.CLIENT, 0.0, HANDSHAKE))
        data = encodeMessage(media(payload=b"\x27\x01" + bytes(1000)), 128)
        for _ in range(1250):
            entries += conversation.feed(Segment(Side.CLIENT, 0.0, data))
        self.assertEqual(len(entries), 1250)
        began = process_time()
        for entry in entries:
            self.assertEqual(list(violations(talk, notes, entry)), [])
        self.assertTrue(process_time() - began < 0.2, process_time() - began)

    def test_manyCalls(self) -> None:
        """A flood of commands costs no more than so much each."""
        dialogue = Dialogue()
        dialogue.shakeHands(C1)
        flood = b"".join(
            encodeMessage(Message(20, 0, 0, b"\x02\0\x01x\0\x40" + number.to_bytes(7, "big") + b"\x05", 3), 128)
            for number in range(5000)
        )
        began = process_time()
        dialogue.feed(Side.CLIENT, flood)
        self.assertTrue(process_time() - began < 5.0, process_time() - began)
        self.assertEqual(dialogue.found, [])
