"""
Tests for L{rtmptw.trace.chunkwalker} and L{rtmptw.trace.mark}.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import LimitExceeded, RemoteProtocolError
from rtmptw.trace import chunkwalker
from rtmptw.trace.chunkwalker import MOST_CHUNKS, TRACE_LIMITS, UNCUT, ChunkWalker, Deviation, Mark, StrangeHeader
from rtmptw.trace.entry import Chunk
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.chunkwriter import encodeMessage
from rtmptw.wire.limits import ReadLimits
from rtmptw.wire.message import MAX_MESSAGE_SIZE, Message, MessageType
from tests.wire.chunks import Interleaver, aborted, cutInto, header, sized, video

Read = tuple[Message, tuple[Chunk, ...]]


def walk(walker: ChunkWalker, pieces: Iterable[bytes]) -> list[Read]:
    """All that comes of the pieces; strange headers are taken for real."""
    found = []
    for piece in pieces:
        walker.add(piece)
        while True:
            try:
                read = walker.read()
            except StrangeHeader:
                continue
            if read is None:
                break
            found.append(read)
    return found


def messages(found: Iterable[Read]) -> list[Message]:
    return [message for message, _ in found]


class ReadingTests(SynchronousTestCase):
    def assertCovers(self, data: bytes, found: list[Read]) -> None:
        """Headers and bodies are those bytes, each of them once."""
        places = []
        for message, chunks in found:
            bodies = [(chunk.offset + chunk.headerSize, chunk.size) for chunk in chunks]
            self.assertEqual(b"".join(data[at : at + size] for at, size in bodies), message.payload)
            self.assertEqual({chunk.chunkStreamId for chunk in chunks}, {message.chunkStreamId})
            self.assertEqual([data[chunk.offset] >> 6 for chunk in chunks], [chunk.fmt for chunk in chunks])
            self.assertEqual(
                [data[chunk.offset : chunk.offset + chunk.headerSize] for chunk in chunks],
                [chunk.header for chunk in chunks],
            )
            places += [(chunk.offset, chunk.offset + chunk.headerSize + chunk.size) for chunk in chunks]
        places.sort()
        self.assertEqual([start for start, _ in places], [0, *(stop for _, stop in places[:-1])])
        self.assertEqual(places[-1][1], len(data))

    @settings(deadline=None, max_examples=40)
    @given(st.integers(0, 2**32 - 1))
    def test_everyForm(self, seed: int) -> None:
        """All that the specification allows is read as the server reads it, with places, in any pieces."""
        random = Random(seed)
        interleaver = Interleaver(random)
        interleaver.write(60)
        data = bytes(interleaver.data)
        sizes = random.choices((1, 2, 3, 50, 500, 9000), k=len(data) // 100)
        found = walk(ChunkWalker(), cutInto(data, sizes))
        self.assertEqual(messages(found), interleaver.expected)
        self.assertEqual(found, walk(ChunkWalker(), [data]))
        if not interleaver.dropped:
            self.assertCovers(data, found)

    def test_reach(self) -> None:
        """Where a message or an error is known does not depend on the pieces: it is the byte that makes it known."""
        for seed in range(10):
            interleaver = Interleaver(Random(seed))
            interleaver.write(40)
            data = bytes(interleaver.data) + b"\x3e\0"
            events: list[list[object]] = []
            for size in (1, len(data)):
                walker = ChunkWalker()
                events.append([])
                come = 0
                for piece in cutInto(data, [size] * (len(data) // size)):
                    walker.add(piece)
                    come += len(piece)
                    while True:
                        try:
                            read = walker.read()
                        except StrangeHeader as error:
                            events[-1].append((walker.reach, str(error)))
                        else:
                            if read is None:
                                break
                            events[-1].append((walker.reach, read))
                        if size == 1:
                            self.assertEqual(walker.reach, come)
            self.assertEqual(*events)

    def test_extended(self) -> None:
        """A chunk tells the extended timestamp that it holds, and whether it lacks the one it should repeat."""
        repeated = encodeMessage(video(0xFFFFFF, b"\xaa" * 300), 128)
        lacking = repeated.replace(b"\xc3\0\xff\xff\xff", b"\xc3")
        for data, behind, stamp, lacks in (
            (repeated, b"\xc3\0\xff\xff\xff", 0xFFFFFF, False),
            (lacking, b"\xc3", None, True),
        ):
            ((message, chunks),) = walk(ChunkWalker(7), [data])
            self.assertEqual((message.timestamp, message.payload), (0xFFFFFF, b"\xaa" * 300))
            self.assertEqual(
                chunks,
                (
                    Chunk(7, 0, 3, data[:16], 128, 0xFFFFFF, False),
                    Chunk(151, 3, 3, behind, 128, stamp, lacks),
                    Chunk(279 + len(behind), 3, 3, behind, 44, stamp, lacks),
                ),
            )

    def test_aheadOfTheExtendedTimestamp(self) -> None:
        """
        A body that begins as the timestamp does is known for one by the first byte that differs; a message may only
        then be complete (wire facts 2.4).
        """
        stamp = b"\x01\x03\x03\x00"
        head = header(0, 3, 0xFFFFFF, 129) + stamp + b"\xaa" * 128 + b"\xc3"
        walker = ChunkWalker()
        self.assertEqual(walk(walker, [head + b"\x01", b"\x03"]), [])
        ((message, chunks),) = walk(walker, [b"\x00"])
        self.assertEqual(
            (message.payload, chunks[1]), (b"\xaa" * 128 + b"\x01", Chunk(144, 3, 3, b"\xc3", 1, None, True))
        )
        self.assertEqual((walker.reach, walker.offset), (len(head) + 3, len(head) + 1))

    def test_atTheEnd(self) -> None:
        """
        At the end of a side that byte is the rest of the message, if that is just what is missing; else it begins an
        extended timestamp, whose rest is missing.
        """
        for length, complete in ((129, True), (130, False)):
            head = header(0, 3, 0xFFFFFF, length) + b"\0\xff\xff\xff" + b"\xaa" * 128 + b"\xc3"
            walker = ChunkWalker()
            self.assertEqual(walk(walker, [head + b"\0"]), [])
            walker.finish()
            self.assertEqual([len(m.payload) for m in messages(walk(walker, [b""]))], [length] if complete else [])

    def test_setChunkSize(self) -> None:
        """It holds from the next chunk on; what nobody can use is passed over, what nobody can exceed is cut down."""
        walker = ChunkWalker()
        half = header(0, 3, 0, 300) + b"\xaa" * 128
        rest = b"\xc3" + b"\xaa" * 172
        self.assertEqual(len(walk(walker, [half + sized(4096) + rest])), 2)
        self.assertEqual((walker.announced, walker.chunkSize), (4096, 4096))
        for size, announced in ((0, 4096), (0x80000000, 4096), (0x7FFFFFFF, MAX_MESSAGE_SIZE), (1, 1)):
            # The last of them are cut at 1 themselves, which this has no need of.
            walk(walker, [sized(size)])
            self.assertEqual(walker.announced, announced)

    def test_shortControl(self) -> None:
        walker = ChunkWalker()
        data = header(0, 2, 0, 3, MessageType.SET_CHUNK_SIZE, 0) + b"\0\0\x10"
        self.assertEqual(len(walk(walker, [data])), 1)
        self.assertEqual(walker.announced, 128)

    def test_abort(self) -> None:
        """What was half sent is forgotten; the next header on its chunk stream begins a message."""
        walker = ChunkWalker()
        found = walk(walker, [header(0, 3, 0, 300) + b"\xaa" * 128 + aborted(3) + aborted(9) + b"\xc3" + b"b" * 128])
        self.assertEqual([m.type for m in messages(found)], [2, 2])
        assert walker.unfinished is not None
        self.assertEqual((walker.unfinished.id, walker.unfinished.remaining), (3, 172))

    def test_unfinished(self) -> None:
        """The message that has gone on last; one that waits is told when no other goes on."""
        walker = ChunkWalker()
        self.assertTrue(walker.isBetween)
        self.assertIsNone(walker.unfinished)
        walk(walker, [header(0, 3, 0, 300) + b"\xaa" * 128 + header(0, 4, 0, 200)[:5]])
        assert walker.unfinished is not None
        self.assertEqual((walker.unfinished.id, walker.isInBody, walker.isBetween), (3, False, False))
        self.assertEqual(walker.held, header(0, 4, 0, 200)[:5])
        walk(walker, [header(0, 4, 0, 200)[5:] + b"\xaa" * 100])
        self.assertEqual((walker.unfinished.id, walker.unfinished.remaining, walker.isInBody), (4, 100, True))
        walk(walker, [b"\xaa" * 28 + b"\xc4" + b"\xaa" * 72])
        self.assertEqual((walker.unfinished.id, walker.held), (3, b""))

    def test_strange(self) -> None:
        """A strange header is told once, with its place; who reads on reads the message."""
        walker = ChunkWalker(100)
        data = header(0, 3, 0, 5, 77) + b"abcde"
        walker.add(data)
        error = self.assertRaises(StrangeHeader, walker.read)
        self.assertEqual((error.offset, error.chunkStream, error.messageType, walker.reach), (100, 3, 77, 112))
        self.assertIn("unknown type 77", str(error))
        read = walker.read()
        assert read is not None
        self.assertEqual(read[0].payload, b"abcde")
        walker.credulous = True
        walker.add(data)
        self.assertIsNotNone(walker.read())

    def test_withdraw(self) -> None:
        """What was not read can be taken back."""
        data = header(0, 3, 0, 5, 8) + b"abcde"
        walker = ChunkWalker()
        walker.add(data + data)
        self.assertIsNotNone(walker.read())
        self.assertEqual(walker.withdraw(), data)
        self.assertEqual((walker.held, walker.offset), (b"", 17))
        self.assertIsNone(walker.read())


class BranchTests(SynchronousTestCase):
    def test_branch(self) -> None:
        """
        It reads from the mark on what its trunk has read, with all that was known of the chunk streams there, whether
        they were used since, are new since, or were not used.
        """
        first = header(0, 3, 10, 5, 8) + b"abcde" + header(0, 4, 20, 5, 8) + b"abcde"
        behind = header(1, 3, 1, 3, 9) + b"fgh" + header(0, 5, 7, 3, 9) + b"ijk" + header(2, 4, 9) + b"lmnop"
        walker = ChunkWalker()
        walk(walker, [first])
        mark = walker.mark()
        self.assertEqual(mark, Mark(len(first), 128, 128))
        assert mark is not None
        expected = walk(walker, [behind])
        branches = [walker.branch(mark, size) for size in (UNCUT, 128)]
        for branch in branches:
            self.assertEqual(walk(branch, [behind[:20], behind[20:]]), expected)
        # They do not share what they know.
        self.assertEqual(
            messages(walk(walker, [b"\xc3fgh", b"\xc4lmnop"])), messages(walk(branches[0], [b"\xc3fgh", b"\xc4lmnop"]))
        )
        branches[1].detach()
        branches[1].detach()
        self.assertEqual([m.timestamp for m in messages(walk(branches[1], [b"\xc3fgh\xc4lmnop\xc5ijk"]))], [12, 38, 14])

    def test_unknownInBranch(self) -> None:
        """What was not known at the mark is not known, even if the trunk knows it since."""
        walker = ChunkWalker()
        mark = walker.mark()
        assert mark is not None
        walk(walker, [header(0, 3, 10, 5, 8) + b"abcde"])
        branch = walker.branch(mark, UNCUT)
        branch.add(b"\xc3")
        self.assertRaises(RemoteProtocolError, branch.read)
        branch.detach()
        branch.withdraw()
        branch.add(b"\xc3")
        self.assertRaises(RemoteProtocolError, branch.read)

    def test_noMarkWithinAMessage(self) -> None:
        """And the older mark goes on to hold."""
        walker = ChunkWalker()
        mark = walker.mark()
        assert mark is not None
        walk(walker, [header(0, 3, 10, 500, 8) + b"a" * 128])
        self.assertIsNone(walker.mark())
        branch = walker.branch(mark, UNCUT)
        self.assertEqual(len(walk(branch, [header(0, 3, 10, 500, 8) + b"a" * 500])), 1)

    def test_deviation(self) -> None:
        """The first byte that who obeys the announcements takes for something else."""
        payload = b"\xaa" * 300
        for size, announced, place, expected in ((UNCUT, 128, 128, 128), (128, 200, 128, 200), (200, 128, 128, 128)):
            walker = ChunkWalker()
            start = sized(announced) + header(0, 2, 0, 4, 3, 0) + bytes(4)
            walk(walker, [start])
            mark = walker.mark()
            assert mark is not None
            branch = walker.branch(mark, size)
            walk(branch, [encodeMessage(video(0, payload), size) * 2])
            self.assertEqual(branch.deviation, Deviation(len(start) + 12 + place, expected, 300))

    def test_noDeviation(self) -> None:
        """Small messages are the same; and who obeys does not deviate."""
        walker = ChunkWalker()
        mark = walker.mark()
        assert mark is not None
        for size, length in ((UNCUT, 128), (128, 300)):
            branch = walker.branch(mark, size)
            walk(branch, [encodeMessage(video(0, b"\xaa" * length), 128)])
            self.assertIsNone(branch.deviation)

    def test_announcedInBranch(self) -> None:
        """A branch whose size is fixed keeps it; one that obeys obeys."""
        walker = ChunkWalker()
        mark = walker.mark()
        assert mark is not None
        for size, used in ((UNCUT, UNCUT), (128, 4096)):
            branch = walker.branch(mark, size)
            walk(branch, [sized(4096)])
            self.assertEqual((branch.announced, branch.chunkSize), (4096, used))


class LimitTests(SynchronousTestCase):
    """What is half sent is bounded, and where the bound is broken does not depend on the pieces."""

    def assertTooMuch(self, data: bytes, reason: str) -> None:
        places = []
        for size in (len(data), 1448, 7):
            walker = ChunkWalker()
            walker.credulous = True
            error = self.assertRaises(LimitExceeded, walk, walker, cutInto(data, [size] * (len(data) // size)))
            self.assertIn(reason, str(error))
            places.append((error.offset, walker.reach))
        self.assertEqual(len(set(places)), 1, places)

    def test_messages(self) -> None:
        starts = [header(0, id, 0, 300) + b"\xaa" * 128 for id in range(3, 64)]
        starts += [b"\0" + bytes((id,)) + header(0, 3, 0, 300)[1:] + b"\xaa" * 128 for id in range(10)]
        self.assertTooMuch(b"".join(starts), "more than 64 messages half sent")

    def test_bytes(self) -> None:
        self.patch(chunkwalker, "TRACE_LIMITS", ReadLimits({}, MAX_MESSAGE_SIZE, 3000, 64, 64))
        for size in (128, 4096):
            for length in (2999, 3000):
                self.assertEqual(
                    len(walk(ChunkWalker(), [sized(size) + encodeMessage(video(0, bytes(length)), size)])), 2
                )
            data = sized(size) + encodeMessage(video(0, bytes(5000)), size)
            self.assertTooMuch(data, "more than 3000 bytes of messages half sent")

    def test_chunks(self) -> None:
        self.patch(chunkwalker, "MOST_CHUNKS", 100)
        self.assertEqual(len(walk(ChunkWalker(), [sized(2) + encodeMessage(video(0, bytes(200)), 2)])), 2)
        self.assertTooMuch(sized(2) + encodeMessage(video(0, bytes(5000)), 2), "more than 100 chunks")

    def test_chunksAreGivenBack(self) -> None:
        """Messages that are complete, aborted or begun anew do not count."""
        self.patch(chunkwalker, "MOST_CHUNKS", 10)
        walker = ChunkWalker()
        half = header(0, 3, 0, 400) + b"\xaa" * 128 + b"\xc3" + b"\xaa" * 128
        for _ in range(10):
            walk(walker, [half, half, aborted(3), encodeMessage(video(0, bytes(1280), 4), 128)])
        self.assertEqual(walker._count, 0)

    def test_theyAreNoSmallerThanMessages(self) -> None:
        """The largest message fits, in chunks of 128 bytes."""
        self.assertTrue(MOST_CHUNKS >= MAX_MESSAGE_SIZE // 128 + 1)
        self.assertEqual(TRACE_LIMITS.otherMessageSize, MAX_MESSAGE_SIZE)

    @given(st.binary(max_size=300), st.integers(1, 300))
    def test_anyBytes(self, data: bytes, size: int) -> None:
        """Errors are our own, wherever the bytes are cut, and the same."""
        outcomes = []
        for pieces in ([data], cutInto(data, [size]), cutInto(data, [1] * len(data))):
            walker = ChunkWalker()
            try:
                outcomes.append(repr((walk(walker, pieces), walker.offset, walker.held)))
            except RemoteProtocolError as error:
                outcomes.append(repr((str(error), walker.reach)))
        self.assertEqual(len(set(outcomes)), 1)

    def test_sameAsTheServers(self) -> None:
        """One that the server's reader refuses for its form, this one refuses for the same reason at the same place."""
        for data in (b"\xc3", b"\x83\0\0\0", header(0, 3, 0, 0) + b"\x84\0\0\0"):
            mine = self.assertRaises(RemoteProtocolError, walk, ChunkWalker(5), [data])
            theirs = self.assertRaises(RemoteProtocolError, list, ChunkReader(offset=5).feed(data))
            self.assertEqual(str(mine), str(theirs))
