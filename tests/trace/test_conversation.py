"""
Tests for L{rtmptw.trace.conversation}.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.causes.causes import CAUSES
from rtmptw.trace import conversation as module
from rtmptw.trace.conversation import Conversation
from rtmptw.trace.entry import Ending, Entry, ReadMessage, Unreadable, Violation
from rtmptw.trace.notes import Notes
from rtmptw.trace.segment import Segment, Side
from rtmptw.trace.talk import Role, Talk
from rtmptw.wire.chunkwriter import encodeMessage
from rtmptw.wire.control import setChunkSize
from rtmptw.wire.message import Message
from tests.trace.miscut import CREATED, HANDSHAKE, RESULT, STARTED, UNCUT, WINDOW, command, written
from tests.wire.chunks import video
from tests.wire.test_captures import ORACLE, capture


class ConversationTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.conversation = Conversation()

    def say(self, side: Side, data: bytes, at: float = 0.0) -> list[Entry]:
        return self.conversation.feed(Segment(side, at, data))

    def test_bothSides(self) -> None:
        """Each side is read by itself, and both are heard."""
        self.say(Side.CLIENT, written([command("connect", 1.0, {}), command("publish", 2.0, None, "x", streamId=1)]))
        entries = self.say(Side.SERVER, written([WINDOW, RESULT, STARTED]), 0.5)
        self.assertEqual({(entry.side, entry.at) for entry in entries}, {(Side.SERVER, 0.5)})
        talk = self.conversation.talk
        self.assertEqual((talk.role, talk.started, len(talk.blocks)), (Role.PUBLISHER, True, 6))

    def test_captures(self) -> None:
        """Both sides of real connections, one behind the other and by turns: the same is told of each side."""
        for name in sorted({name.rpartition(".")[0] for name in ORACLE}):
            sides = {Side.CLIENT: capture(f"{name}.c2s"), Side.SERVER: capture(f"{name}.s2c")}
            told = []
            for size in (1 << 20, 1000):
                conversation = Conversation()
                entries: dict[Side, list[Entry]] = {side: [] for side in Side}
                for start in range(0, max(map(len, sides.values())), size):
                    for side, data in sides.items():
                        if data[start : start + size]:
                            entries[side] += conversation.feed(Segment(side, 0.0, data[start : start + size]))
                told.append([(type(entry), entry.offset) for side in Side for entry in entries[side]])
                self.assertNotEqual(conversation.talk.role, Role.UNKNOWN)
            self.assertEqual(*told)

    def test_sizeOfThePeer(self) -> None:
        """What one side announces is what the other may have taken for its own."""
        self.say(Side.CLIENT, written([setChunkSize(2500)]))
        large = [video(20 * i, Random(i).randbytes(9000), 6) for i in range(3)]
        entries = self.say(Side.SERVER, written([*large, STARTED, STARTED], lambda index, announced: 2500))
        found = [entry for entry in entries if isinstance(entry, ReadMessage)]
        self.assertEqual([entry.message for entry in found], [*large, STARTED, STARTED])
        self.assertIn("2,500 is what the client has announced", found[0].violations[0].words)

    def test_silence(self) -> None:
        """Both sides are looked at again."""
        rest = encodeMessage(video(0, b"\xaa" * 300, 4), 128)[:100]
        self.say(Side.SERVER, written([]) + encodeMessage(CREATED, 128))
        self.say(Side.CLIENT, written([]))
        self.say(Side.CLIENT, rest)
        self.assertEqual(self.conversation.settle(1.0), [])
        # A message that lies between the chunks of another.
        held = encodeMessage(video(0, b"\xaa" * 300, 4), 128)[:140] + encodeMessage(CREATED, 128)
        self.assertEqual(self.say(Side.SERVER, held), [])
        (entry,) = self.conversation.settle(2.0)
        assert isinstance(entry, ReadMessage)
        self.assertEqual((entry.side, entry.message), (Side.SERVER, CREATED))

    def test_end(self) -> None:
        self.say(Side.CLIENT, HANDSHAKE[:5])
        (ending,) = self.conversation.finish(Side.CLIENT, 3.0, "RST")
        assert isinstance(ending, Ending)
        self.assertEqual((ending.how, ending.at, ending.offset), ("RST", 3.0, 5))
        self.assertEqual(ending.unfinished, "C1: 4 of 1,536 bytes")

    def test_rules(self) -> None:
        """What the rules find stands beside what the reading has found; they see what was said before."""
        heard: list[int] = []

        def violations(talk: Talk, notes: Notes, entry: Entry) -> Iterator[Violation]:
            heard.append(len(talk.blocks))
            self.assertIs(notes, self.conversation.notes)
            yield Violation(CAUSES["not-rtmp"], "no reason", entry.offset)

        self.patch(module, "violations", violations)
        entries = self.say(Side.SERVER, written([RESULT], lambda index, announced: UNCUT))
        self.assertEqual(heard, [0, 1, 2, 3])
        causes = [[violation.cause.name for violation in entry.violations] for entry in entries]
        self.assertEqual(causes, [["not-rtmp"]] * 3 + [["reply-not-chunked", "not-rtmp"]])

    def test_anyBytes(self) -> None:
        """No bytes of either side make it raise, in silence, at the end, or behind it."""
        for seed in range(60):
            random = Random(seed)
            conversation = Conversation()
            parts = [HANDSHAKE, encodeMessage(RESULT, 128), encodeMessage(RESULT, UNCUT), encodeMessage(STARTED, 128)]
            parts.append(encodeMessage(Message(20, 0, 0, random.randbytes(40)), 128))
            for side in Side:
                if random.random() < 0.8:
                    conversation.feed(Segment(side, 0.0, HANDSHAKE))
            for at in range(20):
                part = random.choice((*parts, random.randbytes(random.randrange(1, 30))))
                conversation.feed(Segment(random.choice(list(Side)), float(at), part))
                if random.random() < 0.1:
                    conversation.settle(float(at))
            entries = [entry for side in Side for entry in conversation.finish(side, 99.0, "FIN")]
            self.assertTrue(all(isinstance(entry, (ReadMessage, Unreadable, Ending)) for entry in entries))
