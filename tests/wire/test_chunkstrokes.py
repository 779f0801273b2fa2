# -*- test-case-name: tests.wire.test_chunkstrokes -*-
"""
Tests for the strokes of L{rtmptw.wire.chunkreader}: they change nothing but the speed.

The reader is compared with what L{tests.wire.chunks.Interleaver} meant, for any mixture cut anywhere.
"""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.wire.chunkreader import FIRST_LOOK, ChunkReader
from rtmptw.wire.message import Message
from tests.wire.chunks import Interleaver, cutInto, first, header, read, sized, video

ABC = b"abc"

#: The longest header that a chunk can have, bytes: what may be held when all that can be read was read.
LONGEST_HEADER = 3 + 11 + 4


class EquivalenceTests(SynchronousTestCase):
    """The strokes change nothing but the speed."""

    @settings(deadline=None, max_examples=150)
    @given(seed=st.integers(0, 2**32 - 1), steps=st.integers(1, 60))
    def test_everyMixture(self, seed: int, steps: int) -> None:
        """Any messages, interleaved and cut at random: the same messages and the same counts."""
        random = Random(seed)
        chunks = Interleaver(random)
        chunks.write(steps)
        data = bytes(chunks.data)
        sizes = random.choices((1, 2, 3, 7, 50, 129, 1448, 9000), k=len(data) // 3)
        for pieces in ([data], list(cutInto(data, sizes)), list(cutInto(data, [1] * len(data)))):
            reader = ChunkReader()
            self.assertEqual(read(pieces, reader), chunks.expected)
            self.assertEqual(reader.droppedParts, chunks.dropped)
            self.assertEqual(reader.smallChunks, chunks.small)
            self.assertEqual(reader.emptyMessages, sum(not message.payload for message in chunks.expected))
            self.assertEqual((reader.offset, reader.held), (len(data), 0))

    @settings(deadline=None, max_examples=40)
    @given(seed=st.integers(0, 2**32 - 1))
    def test_leftEarly(self, seed: int) -> None:
        """A loop that is left after each message, now with bytes to follow and now without, loses nothing."""
        random = Random(seed)
        chunks = Interleaver(random)
        chunks.write(40)
        reader = ChunkReader(offset=1000)
        messages = []
        for piece in cutInto(bytes(chunks.data), random.choices((1, 40, 700, 9000), k=len(chunks.data) // 40)):
            messages.extend(first(reader.feed(piece)))
            while random.random() < 0.5:
                messages.extend(first(reader.feed(b"")))
        messages += reader.feed(b"")
        messages += reader.end()
        self.assertEqual(messages, chunks.expected)
        self.assertEqual(reader.offset, 1000 + len(chunks.data))

    @settings(deadline=None, max_examples=40)
    @given(seed=st.integers(0, 2**32 - 1))
    def test_heldIsLessThanAHeader(self, seed: int) -> None:
        """Bodies are not held as raw bytes, however little of them is there."""
        random = Random(seed)
        chunks = Interleaver(random)
        chunks.write(20)
        reader = ChunkReader()
        fed = 0
        for piece in cutInto(bytes(chunks.data), random.choices((1, 5, 20, 300), k=len(chunks.data))):
            for _ in reader.feed(piece):
                pass
            fed += len(piece)
            self.assertTrue(0 <= reader.held < LONGEST_HEADER, reader.held)
            self.assertEqual(reader.offset + reader.held, fed)


class StrokeTests(SynchronousTestCase):
    """Where a stroke begins and ends."""

    def test_everyPlaceOfAnIntruder(self) -> None:
        """Whatever chunk the other message stands in front of, both come out."""
        payload = bytes(range(1, 200))
        pieces = [payload[start : start + 10] for start in range(0, len(payload), 10)]
        for place in range(1, len(pieces)):
            separators = [b"\xc3"] * (len(pieces) - 1)
            separators[place - 1] = header(0, 4, 0, 3, 8) + ABC + b"\xc3"
            body = pieces[0] + b"".join(a + b for a, b in zip(separators, pieces[1:], strict=True))
            data = sized(10) + header(0, 3, 0, len(payload)) + body
            for size in (len(data), 1, 7, 11, 64):
                messages = read(cutInto(data, [size] * (len(data) // size)))
                self.assertEqual(messages[1:], [Message(8, 0, 1, ABC, 4), video(0, payload)])

    def test_intruderBehindManyLooks(self) -> None:
        """One that stands beyond the first look, at its edge, and inside the second."""
        for place in (FIRST_LOOK - 1, FIRST_LOOK, FIRST_LOOK + 1, 3 * FIRST_LOOK, 3 * FIRST_LOOK + 1, 5 * FIRST_LOOK):
            before, after = b"\1\xc3" * place, b"\2\xc3" * 2000
            length = (len(before) + len(after)) // 2 + 1
            start = sized(1) + header(0, 3, 0, length) + before[:-1]
            messages = read([start + header(0, 4, 0, 1, 8) + b"\xff" + b"\xc3" + after + b"\3"])
            self.assertEqual(messages[1].payload, b"\xff")
            self.assertEqual(messages[2].payload, b"\1" * place + b"\2" * 2000 + b"\3")

    def test_bodyFullOfHeaders(self) -> None:
        """A body made of bytes that look like its own headers."""
        payload = b"\xc3" * 70_000
        for size in (1, 2, 128, 4096):
            data = sized(size) + header(0, 3, 0, len(payload))
            data += b"\xc3".join(payload[start : start + size] for start in range(0, len(payload), size))
            self.assertEqual(read([data])[1:], [video(0, payload)])

    def test_workIsLinear(self) -> None:
        """
        Messages that are given up right behind the first look never cost more than so many copied bytes for each
        byte received, and twice the input costs twice the work.
        """

        class Counted(bytes):
            copied = 0

            def __bytes__(self) -> bytes:
                return self

            def __getitem__(self, key: slice | int) -> bytes | int:  # type: ignore[override]
                got = super().__getitem__(key)
                if isinstance(got, bytes):
                    Counted.copied += len(got)
                return got

        def work(chunkSize: int, count: int) -> tuple[int, int]:
            part = b"\xaa" * chunkSize
            unit = header(1, 3, 0, 60_000) + part + b"\xc3" + part + b"\xc4"
            data = Counted(sized(chunkSize) + header(0, 4) + unit * count)
            Counted.copied = 0
            reader = ChunkReader()
            self.assertEqual(len(list(reader.feed(data))), 2 + count)
            self.assertEqual(reader.droppedParts, count - 1)
            return Counted.copied, len(data)

        for chunkSize in (1, 128, 1000):
            once, size = work(chunkSize, 1000)
            twice, _ = work(chunkSize, 2000)
            self.assertTrue(size < once < 40 * size, (chunkSize, once, size))
            self.assertTrue(twice < 2.1 * once, (chunkSize, once, twice))
