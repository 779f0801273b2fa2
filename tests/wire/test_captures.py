# -*- test-case-name: tests.wire.test_captures -*-
"""
Tests for L{rtmptw.wire.chunkreader} against real clients: what C{tests/captures/README.md} says of each capture, which
was found by another parser, must come out however the bytes are cut.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from benchmarks.reference import PlainChunkReader
from rtmptw.wire.chunkreader import DEFAULT_CHUNK_SIZE, ChunkReader
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.handshake import HANDSHAKE_SIZE
from rtmptw.wire.message import MAX_MESSAGE_SIZE, Message, MessageType
from tests.wire.chunks import cutInto, read

CAPTURES = Path(__file__).parents[1] / "captures"

#: How the table writes that there is nothing.
DASH = "\u2013"

#: A segment of TCP on Ethernet, bytes.
SEGMENT = 1448


def oracle() -> dict[str, list[str]]:
    """The rows of the table: by file, the other columns as they stand."""
    rows = {}
    for line in (CAPTURES / "README.md").read_text().splitlines():
        if re.match(r"\| \S+\.(c2s|s2c) \|", line):
            name, *columns = (column.strip() for column in line.strip("|").split("|"))
            rows[name] = columns
    return rows


ORACLE = oracle()


@cache
def capture(name: str) -> bytes:
    return (CAPTURES / f"{name}.bin").read_bytes()


def chunks(name: str) -> bytes:
    return capture(name)[HANDSHAKE_SIZE:]


def row(name: str, messages: list[Message], chunkSize: int) -> list[str]:
    """What the table says of such messages."""
    count = {type: sum(message.type == type for message in messages) for type in (20, 18, 8, 9)}
    media = [message for message in messages if message.type in (8, 9)]
    payload = b"".join(message.payload for message in media)
    numbers = [len(capture(name)), len(messages), *count.values(), len(payload)]
    return [
        *map(str, numbers),
        f"{media[0].timestamp}…{media[-1].timestamp}" if media else DASH,
        hashlib.sha256(payload).hexdigest()[:12] if media else DASH,
        str(chunkSize),
    ]


class OracleTests(SynchronousTestCase):
    """The table, with the bytes cut in different ways."""

    def assertOracle(self, name: str, reader: ChunkReader, messages: list[Message]) -> None:
        """These messages, and the state in which the reader was left, are what the table says."""
        *columns, chunkSize = ORACLE[name]
        self.assertEqual([name, *row(name, messages, reader.chunkSize)], [name, *columns, chunkSize.split()[0]])
        self.assertEqual(reader.offset + reader.held, len(capture(name)))
        self.assertEqual((name, reader.droppedParts), (name, 0))

    def assertReads(self, name: str, sizes: Iterable[int]) -> None:
        """The file, cut into such pieces, reads as the table says."""
        reader = ChunkReader(offset=HANDSHAKE_SIZE)
        self.assertOracle(name, reader, read(cutInto(chunks(name), sizes), reader))

    def test_everyFileHasItsRow(self) -> None:
        self.assertEqual(sorted(ORACLE), sorted(path.stem for path in CAPTURES.glob("*.bin")))
        self.assertTrue(len(ORACLE) >= 38, len(ORACLE))

    def test_whole(self) -> None:
        for name in ORACLE:
            self.assertReads(name, [])

    def test_segments(self) -> None:
        """As they come from Ethernet, and in the chunk sizes themselves: the cuts fall on the same places each time."""
        for size in (SEGMENT, 128, 129, 4096, 4097):
            for name in ORACLE:
                self.assertReads(name, [size] * (len(chunks(name)) // size))

    @settings(deadline=None, max_examples=15)
    @given(seed=st.integers(0, 2**32 - 1))
    def test_randomCuts(self, seed: int) -> None:
        random = Random(seed)
        for name in ORACLE:
            self.assertReads(name, random.choices((1, 2, 3, 50, 500, 9000), k=len(chunks(name)) // 500))

    def test_byteByByteAndEveryPrefix(self) -> None:
        """
        One byte at a time, the table still holds; and at any place the messages that are complete are those that
        come out when all bytes up to there are given at once.
        """
        random = Random(11)
        for name in ORACLE:
            data = chunks(name)
            reader = ChunkReader(offset=HANDSHAKE_SIZE)
            found: list[Message] = []
            complete = [0]
            for place in range(len(data)):
                found += reader.feed(data[place : place + 1])
                complete.append(len(found))
            self.assertOracle(name, reader, found)
            ends = [place for place in range(1, len(complete)) if complete[place] > complete[place - 1]]
            for place in (*random.sample(range(1, len(data)), 10), *random.sample(ends, 3)):
                for start in (data[: place - 1], data[:place]):
                    self.assertEqual(list(ChunkReader().feed(start)), found[: complete[len(start)]], (name, place))


class PlainReaderTests(SynchronousTestCase):
    """The reader that benchmarks compare with reads the same."""

    def test_sameMessages(self) -> None:
        """
        In all captures: none has a chunk stream ID above 63, and all that have extended timestamps repeat them. The
        plain one needs whole chunks, so it may be one chunk behind, but not a message.
        """
        for name in ORACLE:
            data = chunks(name)
            expected = read([data])
            plain = PlainChunkReader()
            self.assertEqual((name, plain.feed(data)), (name, expected))
            plain = PlainChunkReader()
            pieces = cutInto(data, [SEGMENT] * (len(data) // SEGMENT))
            self.assertEqual([message for piece in pieces for message in plain.feed(piece)], expected)


class WrittenAgainTests(SynchronousTestCase):
    """What real clients send goes through our writer and comes out the same."""

    def test_writtenAgain(self) -> None:
        for name in ORACLE:
            sent = read([chunks(name)])
            for size in (DEFAULT_CHUNK_SIZE, 4096, MAX_MESSAGE_SIZE):
                writer = ChunkWriter()
                media = [message for message in sent if message.type != MessageType.SET_CHUNK_SIZE]
                announced = Message(MessageType.SET_CHUNK_SIZE, 0, 0, size.to_bytes(4, "big"), 2)
                data = b"".join(map(writer.write, [announced, *media]))
                self.assertEqual(read([data]), [announced, *media], (name, size))
