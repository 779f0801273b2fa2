"""Tests for L{rtmptw.tools.flvrounds}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.tools.flvrounds import DEFAULT_SPACING, MAX_STEP, FLVRounds, Item
from rtmptw.wire import amf0
from rtmptw.wire.flv import FLVTag
from rtmptw.wire.message import Message, MessageType
from tests.live.doubles import inter, key, metadata, pictureHeader, sound, soundHeader, video

SET_DATA_FRAME = amf0.encode("@setDataFrame")
END = "a268766331"


def cuePoint(timestamp: int) -> Message:
    """A data message that is no metadata."""
    return Message(MessageType.DATA, timestamp, 1, b"\2\0\x0aonCuePoint\5", 5)


def tags(*messages: Message) -> list[FLVTag]:
    """Messages as they are in a file."""
    return [FLVTag(int(message.type), message.timestamp, message.payload) for message in messages]


def times(items: list[Item]) -> list[tuple[int, int | None]]:
    """Timestamps, and when they are due."""
    return [(item.message.timestamp, item.due) for item in items]


class MessageTests(SynchronousTestCase):
    """What tags become."""

    def test_messages(self) -> None:
        """Type, timestamp, payload as in the file; each type on its chunk stream; metadata as a publisher says them."""
        sent = [pictureHeader(0), soundHeader(0), key(0), sound(21), cuePoint(30), video("", 40)]
        items = FLVRounds().feed(tags(metadata(0, width=640.0), *sent))
        first = items[0].message
        self.assertEqual(first, Message(18, 0, 0, SET_DATA_FRAME + metadata(0, width=640.0).payload, 7))
        chunkStreams = {8: 4, 9: 6, 18: 7}
        self.assertEqual(
            [item.message for item in items[1:]],
            [Message(m.type, m.timestamp, 0, m.payload, chunkStreams[m.type]) for m in sent],
        )

    def test_prefix(self) -> None:
        """What has the prefix in the file already does not get a second one."""
        payload = SET_DATA_FRAME + metadata().payload
        (item,) = FLVRounds().feed([FLVTag(18, 0, payload)])
        self.assertEqual(item.message.payload, payload)

    def test_passedOver(self) -> None:
        """What RTMP has no message for is passed over, and counted."""
        rounds = FLVRounds()
        odd = [FLVTag(15, 0, b"x"), FLVTag(9, 0, key().payload, isFiltered=True), FLVTag(31, 0, b"")]
        items = rounds.feed([odd[0], *tags(key(0)), *odd[1:]])
        self.assertEqual((times(items), rounds.passedOver, rounds.hasFrames), ([(0, 0)], 3, True))


class DueTests(SynchronousTestCase):
    """When a message is due."""

    def test_table(self) -> None:
        """Timestamps stay as they are; what is due counts from the first frame."""
        for messages, expected in (
            ([metadata(0), pictureHeader(0)], [None, None]),
            ([metadata(0), pictureHeader(0), key(0), sound(21), inter(40)], [None, None, 0, 21, 40]),
            # Headers at 0, and media that begin elsewhere.
            ([metadata(0), soundHeader(0), key(77_000), sound(77_020)], [None, None, 0, 20]),
            ([key(77_000), sound(76_970), inter(77_040)], [0, -30, 40]),
            # The end of 32 bits, and negative times before 0.
            ([key(0xFFFFFFD8), inter(0), cuePoint(30), inter(40)], [0, 40, 70, 80]),
            # Data and headers have times of their own, and never make anybody wait.
            ([key(50_000), cuePoint(50_010), pictureHeader(50_020), inter(50_040)], [0, 10, 20, 40]),
            ([key(50_000), cuePoint(0), pictureHeader(0), inter(50_040), cuePoint(90_000)], [0, 0, 0, 40, 40]),
            # Conformance 86: an end of sequence at 0.
            ([key(0), inter(60), video(END, 0), inter(100)], [0, 60, 0, 100]),
            ([key(50_000), inter(50_040), video(END, 0), inter(50_080)], [0, 40, 40, 80]),
            # A pause is waited for; what is more than that is a jump, in either direction.
            ([key(0), inter(MAX_STEP), inter(MAX_STEP + 40)], [0, MAX_STEP, MAX_STEP + 40]),
            ([key(0), inter(MAX_STEP + 1), inter(MAX_STEP + 41)], [0, 0, 40]),
            ([key(60_000), inter(60_040), key(0), inter(40), sound(30)], [0, 40, 40, 80, 70]),
            ([key(60_000), inter(59_000), key(60_040)], [0, -1000, 40]),
        ):
            items = FLVRounds().feed(tags(*messages))
            self.assertEqual(times(items), [(m.timestamp, due) for m, due in zip(messages, expected, strict=True)])


class RoundTests(SynchronousTestCase):
    """One round after the other."""

    def rounds(self, *messages: Message, count: int = 2) -> list[list[Item]]:
        """What is sent in each round."""
        rounds = FLVRounds(loop=True)
        found = []
        for number in range(count):
            if number:
                self.assertTrue(rounds.hasFrames)
                rounds.nextRound()
                self.assertFalse(rounds.hasFrames)
            found.append(rounds.feed(tags(*messages)))
        return found

    def test_goOn(self) -> None:
        """Each round begins where the one before has ended; headers and metadata are not sent again."""
        media = [key(0), sound(0), inter(40), sound(21), sound(42)]
        first, second, third = self.rounds(metadata(0), pictureHeader(0), soundHeader(0), *media, count=3)
        self.assertEqual(times(first)[3:], [(m.timestamp, m.timestamp) for m in media])
        # The picture lasts until 80, the sound until 63.
        self.assertEqual(times(second), [(80 + m.timestamp, 80 + m.timestamp) for m in media])
        self.assertEqual(times(third), [(160 + m.timestamp, 160 + m.timestamp) for m in media])
        self.assertEqual([item.message.payload for item in second], [m.payload for m in media])

    def test_spacing(self) -> None:
        """A round ends behind its last frame by the distance of that one from the one before."""
        for messages, end in (
            ([key(0)], DEFAULT_SPACING),
            ([key(0), inter(33), inter(67)], 101),
            ([sound(0), sound(21), key(30)], 70),
            ([key(0), inter(33), inter(33)], 66),
            ([key(0), inter(40), key(60_000)], 60_040),
            ([key(500), sound(480), inter(540), sound(501)], 580),
        ):
            second = self.rounds(*messages)[1]
            self.assertEqual(second[0].message.timestamp, end, messages)

    def test_elsewhere(self) -> None:
        """The same if the file does not begin at 0, and at the end of 32 bits."""
        for start in (77_000, 0xFFFFFFD8, 0xFFFFFFB0):
            media = [key(start), inter((start + 40) & 0xFFFFFFFF)]
            first, second, third = self.rounds(metadata(0), *media, count=3)
            self.assertEqual([due for _, due in times(first + second + third)], [None, 0, 40, 80, 120, 160, 200])
            self.assertEqual(
                [stamp for stamp, _ in times(second + third)],
                [(start + due) & 0xFFFFFFFF for due in (80, 120, 160, 200)],
            )

    def test_changed(self) -> None:
        """Headers that change within the file are sent in each round, at a time that does not go back."""
        other, text = pictureHeader(1000, b"other"), metadata(1000, width=1.0)
        messages = [metadata(0), pictureHeader(0), soundHeader(0), key(1000), text, other, key(1040)]
        first, second = self.rounds(*messages)
        self.assertEqual(len(first), 7)
        prefix = SET_DATA_FRAME
        self.assertEqual(
            [(int(m.type), m.timestamp, m.payload, due) for m, due in second],
            [
                (18, 1080, prefix + metadata().payload, 40),
                (9, 1080, pictureHeader().payload, 40),
                (9, 1080, key().payload, 80),
                (18, 1080, prefix + text.payload, 80),
                (9, 1080, other.payload, 80),
                (9, 1120, key().payload, 120),
            ],
        )

    def test_end(self) -> None:
        """An end of sequence is none, if it goes on behind it; other data come in each round."""
        messages = [key(0), cuePoint(20), inter(40), video(END, 0)]
        self.assertEqual([times(found) for found in self.rounds(*messages)][1], [(80, 80), (100, 100), (120, 120)])
        self.assertEqual(len(self.rounds(*messages, count=1)[0]), 3)
        self.assertEqual(len(FLVRounds().feed(tags(*messages))), 4)

    def test_noFrames(self) -> None:
        """Without a frame there is nothing to begin again with."""
        rounds = FLVRounds(loop=True)
        rounds.feed(tags(metadata(0), pictureHeader(0), Message(MessageType.DATA, 5, 0, b"")))
        self.assertFalse(rounds.hasFrames)
