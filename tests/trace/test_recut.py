"""
Tests for L{rtmptw.trace.recut}: the readings that a doubt weighs. What whole streams become is tested with
L{rtmptw.trace.reading}.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import RemoteProtocolError
from rtmptw.trace.chunkwalker import ChunkWalker
from rtmptw.trace.entry import Chunk
from rtmptw.trace.recut import KEPT, MOST_HELD, PROOF, Doubt, Found, Recut, Reread, chunkSizes
from rtmptw.wire.chunkwriter import encodeMessage
from rtmptw.wire.message import Message, MessageType
from tests.trace.miscut import CREATED, RESULT, UNCUT, command
from tests.wire.chunks import header, video

SIZES = (128, UNCUT, 4096)

#: A message that every reading reads alike, and that counts.
SMALL = encodeMessage(video(0, b"small", 6), 128)
LARGE = video(0, b"\xaa" * 5000, 6)


def start(data: bytes = b"", sizes: Sequence[int] = SIZES) -> Doubt:
    """A doubt about a reader who has read nothing, and in whose sight those bytes lie."""
    walker = ChunkWalker()
    mark = walker.mark()
    assert mark is not None
    doubt = Doubt(walker, mark, tuple(sizes), [], b"")
    if data:
        doubt.add(data)
    return doubt


def payloads(reading: Reread | None) -> list[bytes]:
    assert reading is not None
    return [found.message.payload for found in reading.found]


class ChunkSizeTests(SynchronousTestCase):
    def test_all(self) -> None:
        self.assertEqual(chunkSizes(500, 2500), (128, UNCUT, 500, 2500, 4096, 65536, 60000))

    def test_noneTwice(self) -> None:
        self.assertEqual(chunkSizes(128, 4096), (128, UNCUT, 4096, 65536, 60000))


class FoundTests(SynchronousTestCase):
    def test_holds(self) -> None:
        """A byte of its chunks, or that behind one, where the next header was to be."""
        found = Found(RESULT, (Chunk(100, 0, 3, bytes(12), 128), Chunk(500, 3, 3, b"\xc3", 62)), 128, 563)
        holds = [offset for offset in range(600) if found.holds(offset)]
        self.assertEqual(holds, [*range(101, 241), *range(501, 564)])


class VerdictTests(SynchronousTestCase):
    def test_values(self) -> None:
        """Values that make sense to the last byte, and are long enough to depend on the cut, prove it alone."""
        doubt = start()
        data = encodeMessage(RESULT, UNCUT)
        self.assertIsNone(doubt.add(data[:-1]))
        winner = doubt.add(data[-1:])
        assert winner is not None
        self.assertEqual((winner.size, winner.until), (UNCUT, len(data)))
        self.assertEqual(winner.recut, Recut(UNCUT, 128, False, 190, 12 + 128))
        self.assertEqual(payloads(winner), [RESULT.payload])

    def test_theSameInOnePiece(self) -> None:
        """What comes behind the verdict is not read any more, and not lost either."""
        data = encodeMessage(RESULT, UNCUT)
        winner = start().add(data + b"more")
        assert winner is not None
        self.assertEqual((winner.size, winner.until, winner.walker.held), (UNCUT, len(data), b"more"))

    def test_media(self) -> None:
        """A long message of other bytes proves it with others behind it."""
        doubt = start()
        self.assertIsNone(doubt.add(encodeMessage(LARGE, UNCUT)))
        for _ in range(PROOF - 2):
            self.assertIsNone(doubt.add(SMALL))
        winner = doubt.add(SMALL)
        assert winner is not None
        self.assertEqual((winner.size, payloads(winner)), (UNCUT, [LARGE.payload] + [b"small"] * (PROOF - 1)))
        self.assertEqual(winner.recut, Recut(UNCUT, 128, False, 5000, 12 + 128))

    def test_cuts(self) -> None:
        """Or by its own chunk headers, each of which stands where this reading alone expects it."""
        doubt = start()
        self.assertIsNone(doubt.add(encodeMessage(LARGE, 4096)))
        winner = doubt.add(SMALL)
        assert winner is not None
        self.assertEqual((winner.size, winner.recut), (4096, Recut(4096, 128, False, 5000, 12 + 128)))
        winner = start().add(encodeMessage(video(0, b"\xaa" * 9000, 6), 4096))
        assert winner is not None
        self.assertEqual(winner.size, 4096)

    def test_shortHeadersProveNothing(self) -> None:
        """Any byte is a type 3 header of some chunk stream: only headers that say something count."""
        doubt = start()
        self.assertIsNone(doubt.add(SMALL + encodeMessage(video(0, b"\xaa" * 150), UNCUT)))
        self.assertIsNone(doubt.add(b"\xc6small" * 50))

    def test_asBefore(self) -> None:
        """The reading in doubt is proven by messages that every reading reads alike; it says nothing of them."""
        winner = start().add(SMALL * PROOF + b"\x06")
        assert winner is not None
        self.assertEqual((winner.size, winner.recut, winner.fault, len(winner.found)), (128, None, None, PROOF))
        self.assertEqual(winner.walker.held, b"\x06")

    def test_strangeAsBefore(self) -> None:
        """What is strange in it starts the proof again, and fails the others."""
        doubt = start()
        strange = encodeMessage(Message(77, 0, 1, b"?", 6), 128)
        winner = doubt.add(SMALL + strange + SMALL)
        self.assertIs(winner, doubt.before)
        self.assertEqual(payloads(winner), [b"small"])
        # It goes on where the others failed: the header is read once more as it came.
        assert winner is not None
        self.assertTrue(winner.walker.held.endswith(SMALL))

    def test_nonsenseFails(self) -> None:
        """A command that makes no sense speaks against a reading."""
        doubt = start()
        self.assertIs(doubt.add(encodeMessage(Message(MessageType.COMMAND, 0, 0, b"\0" * 9), 128)), doubt.before)

    def test_seamsProveNothing(self) -> None:
        """A reading that finds the headers of smaller chunks in a message has read it wrongly."""
        doubt = start()
        raw = encodeMessage(LARGE, 128)
        self.assertIsNone(doubt.add(raw[: 12 + 5000]))
        self.assertEqual(payloads(doubt._others[0]), [raw[12 : 12 + 5000]])
        winner = doubt.add(raw[12 + 5000 :] + SMALL * PROOF)
        self.assertIs(winner, doubt.before)
        read = doubt.before.walker.read()
        assert read is not None
        self.assertEqual(read[0].payload, LARGE.payload)

    def test_noneIsLeft(self) -> None:
        """When all have failed, it was what it was before, and has failed."""
        doubt = start()
        fault = RemoteProtocolError("no")
        doubt.fail(fault)
        winner = doubt.add(b"\xc3" + bytes(50))
        self.assertIs(winner, doubt.before)
        assert winner is not None
        self.assertEqual((winner.fault, winner.holds), (fault, False))

    def test_failsLater(self) -> None:
        """The reading in doubt can fail, and another one be right."""
        doubt = start()
        data = encodeMessage(LARGE, UNCUT).replace(b"\xaa" * 5000, b"\xaa" * 128 + b"\xff" * 4872)
        self.assertIsNone(doubt.add(data[:200]))
        assert doubt.before.fault is not None
        self.assertEqual(doubt.before.fault.offset, 12 + 128)
        winner = doubt.add(data[200:] + SMALL * 2)
        assert winner is not None
        self.assertEqual(winner.size, UNCUT)

    def test_earliestWins(self) -> None:
        """Of two that are proven in the same piece, the one that was first, whatever the order."""
        # Cut at 4096 with one seam: without the cut, the first message seems to end one byte early.
        data = encodeMessage(LARGE, 4096) + SMALL * PROOF
        for sizes in ((128, UNCUT, 4096), (128, 4096, UNCUT)):
            winner = None
            for step in (1, 100, len(data)):
                doubt = start(sizes=sizes)
                for place in range(0, len(data), step):
                    winner = doubt.add(data[place : place + step])
                    if winner is not None:
                        break
                assert winner is not None
                self.assertEqual((winner.size, winner.until), (4096, len(data) - 2 * len(SMALL)))

    def test_tooMuch(self) -> None:
        """A doubt does not go back without end: by bytes."""
        doubt = start()
        data = encodeMessage(video(0, b"\xff" * 2 * KEPT, 6), UNCUT)
        self.assertIsNone(doubt.add(data[: KEPT - 1]))
        self.assertIs(doubt.add(data[KEPT - 1 : KEPT]), doubt.before)

    def test_tooMuchAtOnce(self) -> None:
        """Proof that comes behind that is none, even if it has come already."""
        doubt = start()
        self.assertIs(doubt.add(encodeMessage(video(0, b"\xff" * KEPT, 6), UNCUT) + SMALL * PROOF), doubt.before)

    def test_tooMany(self) -> None:
        """By messages: the others are given up, the reading in doubt is believed."""
        doubt = start()
        empty = header(0, 6) + b"\xc6" * (MOST_HELD - 1)
        self.assertIsNone(doubt.add(empty))
        self.assertIs(doubt.add(b"\xc6"), doubt.before)
        self.assertTrue(doubt.before.holds)


class SilenceTests(SynchronousTestCase):
    def test_asBefore(self) -> None:
        """If nothing is half said in the reading in doubt, that is it."""
        doubt = start(SMALL)
        self.assertIs(doubt.settle(), doubt.before)

    def test_wait(self) -> None:
        """If something is half said in all, nobody knows."""
        self.assertIsNone(start(SMALL[:7]).settle())
        self.assertIsNone(start(SMALL[:14]).settle())

    def test_noAccident(self) -> None:
        """
        One message that would be whole without cuts is no reason to believe that there are none: the silence may be
        in its midst.
        """
        first = b"\xaa" * 128 + header(0, 9, 0, 1000, 8)
        doubt = start(encodeMessage(video(0, first.ljust(200), 4), UNCUT))
        self.assertEqual([each.fits for each in doubt._others], [True, True])
        self.assertIsNone(doubt.settle())

    def test_nothingElseIsLeft(self) -> None:
        """But it is when the bytes can't be read as before."""
        data = encodeMessage(video(0, b"\xaa" * 128 + b"\xff" * 200, 4), UNCUT)
        doubt = start(data)
        winner = doubt.settle()
        assert winner is not None
        self.assertEqual((winner.size, payloads(winner)), (UNCUT, [data[12:]]))

    def test_proven(self) -> None:
        """What is proven is believed, although more was begun."""
        doubt = start()
        walker, mark = ChunkWalker(), doubt.before.walker.mark()
        assert mark is not None
        walker.add(encodeMessage(RESULT, UNCUT))
        doubt = Doubt(walker, mark, SIZES, [], encodeMessage(RESULT, UNCUT) + b"\x03\0")
        winner = doubt.settle()
        assert winner is not None
        self.assertEqual(winner.size, UNCUT)

    def test_finish(self) -> None:
        """At the end somebody is believed; what only waited for the end has come."""
        doubt = start(SMALL[:14])
        self.assertIs(doubt.finish(), doubt.before)
        stamp = b"\x01\0\0\0"
        data = header(0, 3, 0xFFFFFF, 129, 8) + stamp + b"\xaa" * 128 + b"\xc3" + stamp[:1]
        doubt = start(data)
        self.assertIsNone(doubt.settle())
        self.assertIs(doubt.finish(), doubt.before)
        self.assertEqual(payloads(doubt.before), [b"\xaa" * 128 + stamp[:1]])

    def test_finishProven(self) -> None:
        doubt = start(encodeMessage(LARGE, 128)[:3000])
        doubt.fail(RemoteProtocolError("no"))
        self.assertIs(doubt.finish(), doubt.before)


class PeaceTests(SynchronousTestCase):
    def test_anyBytes(self) -> None:
        """Whatever comes, there is a verdict at last, it is the same in other pieces, and it does not raise."""
        for seed in range(60):
            random = Random(seed)
            data = b"".join(
                random.choice((SMALL, encodeMessage(CREATED, 128), random.randbytes(random.randrange(30)), bytes(9)))
                for _ in range(30)
            )
            verdicts = []
            for step in (1, 50, len(data)):
                doubt = start()
                verdict = None
                for place in range(0, len(data), step):
                    verdict = doubt.add(data[place : place + step])
                    if verdict is not None:
                        break
                verdict = verdict or doubt.finish()
                verdicts.append((verdict.size, verdict.found, str(verdict.fault)))
            self.assertEqual(verdicts, verdicts[:1] * 3, seed)

    def test_long(self) -> None:
        """A long name with the byte of a chunk header in it is not taken for two chunks."""
        release = command("releaseStream", 2.0, None, "x" * 150)
        raw = encodeMessage(release, 128)
        for end in range(13, len(raw)):
            winner = start(raw[:end]).settle()
            self.assertIsNone(winner, end)
