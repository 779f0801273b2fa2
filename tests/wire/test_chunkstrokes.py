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


class Counted(bytes):
    """Bytes that count how often a slice of them is taken, and how much that copies."""

    slices = 0
    copied = 0

    def __bytes__(self) -> bytes:
        return self

    def __getitem__(self, key: slice | int) -> bytes | int:  # type: ignore[override]
        got = super().__getitem__(key)
        if isinstance(got, bytes):
            Counted.slices += 1
            Counted.copied += len(got)
        return got


class WorkTests(SynchronousTestCase):
    """How much a peer can make us do, counted in slices and copied bytes."""

    def work(self, data: bytes, messages: int) -> tuple[int, int]:
        """Read C{data}, which has so many messages; how many slices that took, and how many bytes they copied."""
        Counted.slices = Counted.copied = 0
        self.assertEqual(len(list(ChunkReader().feed(Counted(data)))), messages)
        return Counted.slices, Counted.copied

    def test_workIsLinear(self) -> None:
        """
        Messages that are given up right behind the first look never cost more than so many copied bytes for each
        byte received, and twice the input costs twice the work.
        """
        for chunkSize in (1, 128, 1000):
            part = b"\xaa" * chunkSize
            start, unit = sized(chunkSize) + header(0, 4), header(1, 3, 0, 60_000) + part + b"\xc3" + part + b"\xc4"
            size = len(start + unit * 1000)
            _, once = self.work(start + unit * 1000, 1002)
            _, twice = self.work(start + unit * 2000, 2002)
            self.assertTrue(size < once < 40 * size, (chunkSize, once, size))
            self.assertTrue(twice < 2.1 * once, (chunkSize, once, twice))

    def test_oneFailedLookForAMessage(self) -> None:
        """With another message behind every chunk we stop looking ahead: the bytes are copied about once."""
        unit = b"\xc3" + b"\xaa" * 10 + b"\xc4"
        data = sized(10) + header(0, 4) + header(0, 3, 0, 60_000) + b"\xaa" * 10 + unit * 5000
        _, copied = self.work(data, 2 + 5000)
        self.assertTrue(copied < 2 * len(data), (copied, len(data)))

    def test_looksGrow(self) -> None:
        """A message of ten thousand chunks is read in a few strokes."""
        data = header(0, 3, 0, 1_280_000) + b"\xc3".join([b"\xaa" * 128] * 10_000)
        slices, copied = self.work(data, 1)
        self.assertTrue(slices < 30, slices)
        self.assertTrue(copied < 1.1 * len(data), copied)
