"""
Tests for L{rtmptw.trace.chunkreading}: what is held back, and for how long. What comes out in the end is tested with
L{rtmptw.trace.reading}.
"""

from __future__ import annotations

from random import Random

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.trace import chunkreading
from rtmptw.trace.chunkreading import ChunkReading
from rtmptw.trace.recut import KEPT, MOST_HELD, Found
from rtmptw.wire.chunkwriter import encodeMessage
from rtmptw.wire.message import Message, MessageType
from tests.trace.miscut import CREATED, RESULT, UNCUT
from tests.wire.chunks import cutInto, header, sized, video

SMALL = encodeMessage(video(0, b"small", 6), 128)
HALF = header(0, 3, 0, 300) + b"\xaa" * 128
REST = b"\xc3" + b"\xaa" * 128 + b"\xc3" + b"\xaa" * 44


def payloads(found: list[Found]) -> list[bytes]:
    return [each.message.payload for each in found]


class HoldingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reading = ChunkReading(3073)

    def feed(self, data: bytes) -> list[bytes]:
        return payloads(list(self.reading.feed(data)))

    def test_atOnce(self) -> None:
        """Between messages each is told with its last byte."""
        self.assertEqual(self.feed(SMALL[:-1]), [])
        self.assertEqual(self.feed(SMALL[-1:]), [b"small"])
        self.assertEqual(self.reading.start, 3073 + len(SMALL))

    def test_withinAMessage(self) -> None:
        """What comes between another message's chunks is told with it, in the order of their ends."""
        self.assertEqual(self.feed(HALF + SMALL), [])
        self.assertEqual(self.reading.start, 3073)
        self.assertEqual(self.feed(SMALL + REST), [b"small", b"small", b"\xaa" * 300])

    def test_silence(self) -> None:
        """In silence it is told."""
        self.feed(HALF + SMALL)
        self.assertEqual(payloads(list(self.reading.settle())), [b"small"])
        self.assertEqual(self.feed(SMALL), [b"small"])
        self.assertEqual(self.feed(REST + SMALL), [b"\xaa" * 300, b"small"])

    def test_silenceBetweenMessages(self) -> None:
        """There is nothing to look at again."""
        self.feed(SMALL)
        self.assertEqual(list(self.reading.settle()), [])
        self.assertEqual(self.feed(SMALL), [b"small"])

    def test_silenceKeepsTheMark(self) -> None:
        """If nothing was held back, what is half there may still be cut otherwise."""
        raw = encodeMessage(RESULT, UNCUT)
        self.feed(raw[:100])
        self.assertEqual(list(self.reading.settle()), [])
        self.assertEqual(self.feed(raw[100:]), [RESULT.payload])

    def test_end(self) -> None:
        self.feed(HALF + SMALL)
        self.assertEqual(payloads(list(self.reading.finish())), [b"small"])

    def test_notTooMany(self) -> None:
        self.assertEqual(self.feed(HALF + SMALL * MOST_HELD), [])
        self.assertEqual(len(self.feed(SMALL)), MOST_HELD + 1)
        self.assertEqual(self.feed(SMALL), [b"small"])

    def test_notTooFar(self) -> None:
        """Behind so many bytes there is no going back, and nothing is kept for it."""
        self.feed(sized(65536))
        body = b"\xaa" * 65536
        chunk = b"\xc3" + body
        self.assertEqual(self.feed(header(0, 3, 0, 2 * KEPT) + body + SMALL), [])
        told = [len(self.feed(chunk)) for _ in range(2 * KEPT // len(body) - 1)]
        self.assertEqual([(index, count) for index, count in enumerate(told) if count], [(14, 1), (30, 1)])
        self.assertEqual((len(self.reading._kept), self.reading._held), (0, []))
        # From there on one can go back again.
        self.assertEqual(self.feed(HALF + b"\xaa" * 100 + SMALL), [])

    def test_keepsLittle(self) -> None:
        """The largest message in any chunks: what is kept besides it is bounded."""
        for size in (128, UNCUT):
            reading = ChunkReading(0)
            list(reading.feed(sized(size)))
            data = encodeMessage(video(0, b"\xaa" * 0xFFFFFF), size)
            most = 0
            for piece in cutInto(data, [16384] * (len(data) // 16384)):
                list(reading.feed(piece))
                most = max(most, len(reading._kept))
            self.assertTrue(most <= KEPT + 16384, most)
            self.assertEqual(len(reading._kept), 0)


class DoubtTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reading = ChunkReading(0)

    def feed(self, data: bytes) -> list[Found]:
        return list(self.reading.feed(data))

    def test_pending(self) -> None:
        """While it is open, only what came before it is told, and the old reading is shown."""
        raw = encodeMessage(RESULT, UNCUT)
        self.assertEqual(payloads(self.feed(SMALL + raw[:170])), [b"small"])
        self.assertFalse(self.reading.walker.isBetween)
        self.assertEqual(payloads(self.feed(raw[170:])), [RESULT.payload])
        self.assertTrue(self.reading.walker.isBetween)

    def test_fault(self) -> None:
        """What can't be read may be read yet; if not, that is said."""
        raw = encodeMessage(video(0, b"\xaa" * 128 + b"\xff" * 372), UNCUT)
        self.assertEqual(self.feed(raw[:200]), [])
        assert self.reading.fault is not None
        self.assertEqual((self.reading.fault.offset, self.reading.isLost), (12 + 128, False))
        self.assertEqual(list(self.reading.settle()), [])
        (found, *_) = self.feed(raw[200:] + SMALL + SMALL)
        self.assertEqual(found.message.payload, raw[12:])
        self.assertEqual((self.reading.fault, self.reading.isLost), (None, False))

    def test_lost(self) -> None:
        raw = encodeMessage(video(0, b"\xaa" * 128 + b"\xff" * 372), UNCUT)
        self.assertEqual(self.feed(raw[:200]), [])
        self.assertEqual(list(self.reading.finish()), [])
        self.assertTrue(self.reading.isLost)

    def test_lostAtOnce(self) -> None:
        """A header that every reading reads alike needs no doubt."""
        self.patch(chunkreading, "Doubt", None)
        self.assertEqual(payloads(self.feed(SMALL + b"\xff")), [b"small"])
        assert self.reading.fault is not None
        self.assertEqual((self.reading.fault.offset, self.reading.isLost), (len(SMALL), True))

    def test_strangeAtOnce(self) -> None:
        """Nor does a strange one right behind a message."""
        self.patch(chunkreading, "Doubt", None)
        strange = encodeMessage(Message(77, 0, 1, b"?", 3), 128)
        self.assertEqual(payloads(self.feed(SMALL + strange * 2 + SMALL)), [b"small", b"?", b"?", b"small"])

    def test_strangeWithinAMessage(self) -> None:
        """There it is looked at, and if no other reading makes sense, it is real; with what came before it."""
        strange = encodeMessage(Message(77, 0, 1, b"?", 5), 128)
        found = payloads(self.feed(HALF + SMALL + strange + SMALL + REST))
        self.assertEqual(found, [b"small", b"?", b"small", b"\xaa" * 300])

    def test_nonsense(self) -> None:
        """A long command that makes no sense is looked at; a short one is told."""
        for size in (100, 200):
            junk = encodeMessage(Message(MessageType.DATA, 0, 1, bytes(size), 4), 128)
            found = payloads(self.feed(junk + SMALL * 3))
            self.assertEqual(found, [bytes(size), b"small", b"small", b"small"])

    def test_faultWithoutMark(self) -> None:
        """Too far behind the mark there is nothing to try."""
        self.feed(HALF + SMALL * (MOST_HELD + 1))
        self.assertEqual(payloads(self.feed(SMALL + b"\xff")), [b"small"])
        self.assertTrue(self.reading.isLost)

    def test_recut(self) -> None:
        """The message that was cut wrongly tells it, once."""
        raw = encodeMessage(RESULT, UNCUT)
        found = self.feed(SMALL + raw + encodeMessage(CREATED, 128) + raw)
        self.assertEqual(payloads(found), [b"small", RESULT.payload, CREATED.payload, RESULT.payload])
        self.assertEqual([found.recut is not None for found in found], [False, True, False, False])
        assert found[1].recut is not None
        self.assertEqual((found[1].recut.offset, found[1].recut.size), (len(SMALL) + 12 + 128, UNCUT))
        self.assertEqual(self.reading.walker.announced, 128)

    def test_work(self) -> None:
        """A doubt is not begun again where one has failed: strange headers cost no more than their bytes."""
        begun = []
        make = ChunkReading._makeDoubt

        def makeDoubt(reading: ChunkReading, mark: object) -> object:
            begun.append(mark)
            return make(reading, mark)  # type: ignore[arg-type]

        self.patch(ChunkReading, "_makeDoubt", makeDoubt)
        strange = encodeMessage(Message(77, 0, 1, b"?", 5), 128)
        self.assertEqual(len(self.feed(HALF + strange * 1000)), 1000)
        self.assertEqual(len(begun), 1)


class AnyBytesTests(SynchronousTestCase):
    def test_anyMixture(self) -> None:
        """Messages, cut in one way or another, halves, and nonsense: the same, whatever the pieces; nothing raises."""
        parts = [
            SMALL,
            HALF,
            REST,
            encodeMessage(RESULT, UNCUT),
            encodeMessage(RESULT, 128),
            encodeMessage(CREATED, 128),
            encodeMessage(video(5, b"\xaa" * 5000, 6), 4096),
            encodeMessage(video(5, b"\xaa" * 5000, 6), 128),
            sized(4096),
            sized(200),
            b"\xff" * 5,
            b"\xc6small",
        ]
        recuts = losses = 0
        for seed in range(40):
            random = Random(seed)
            data = b"".join(random.choice(parts) for _ in range(random.randrange(2, 25)))
            outcomes = []
            for step in (1, 77, 1448, len(data)):
                reading = ChunkReading(0)
                found: list[Found] = []
                for piece in cutInto(data, [step] * (len(data) // step)):
                    if not reading.isLost:
                        found += reading.feed(piece)
                if not reading.isLost:
                    found += reading.finish()
                outcomes.append((found, str(reading.fault)))
                if reading.fault is None:
                    self.assertFalse(reading._held)
            self.assertEqual(outcomes, outcomes[:1] * 4, seed)
            recuts += any(each.recut for each in outcomes[0][0])
            losses += reading.isLost
        # It was not always the same case.
        self.assertTrue(10 < recuts < 40 and 5 < losses < 40, (recuts, losses))
