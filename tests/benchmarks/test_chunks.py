# -*- test-case-name: tests.benchmarks.test_chunks -*-
"""
Tests for L{benchmarks.chunks} and L{benchmarks.reference}: the script runs, and what it compares is comparable.
"""

from __future__ import annotations

import json
import sys
from io import StringIO

from twisted.trial.unittest import SynchronousTestCase

from benchmarks import chunks
from benchmarks.reference import PlainChunkReader
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.message import MessageType

#: Instead of 8 MB: two of the largest messages.
SMALL_TOTAL = 2 * max(chunks.MESSAGE_SIZES)


class BenchmarkTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.patch(chunks, "TOTAL", SMALL_TOTAL)

    def run_(self, *arguments: str) -> str:
        """What the script prints."""
        output = StringIO()
        self.patch(sys, "stdout", output)
        self.assertEqual(chunks.main(["--runs", "1", *arguments]), 0)
        return output.getvalue()

    def test_table(self) -> None:
        """A head, and a line of the same shape for each case."""
        head, *lines = self.run_().splitlines()
        self.assertEqual(head.split(), ["message", "chunk", "input", "MB/s", "loop", "ratio"])
        self.assertEqual(len(lines), 2 * len(chunks.MESSAGE_SIZES) * len(chunks.CHUNK_SIZES))
        self.assertEqual({len(line) for line in lines}, {len(head)})

    def test_json(self) -> None:
        """The same as JSON: every case once, all figures above zero."""
        rows = json.loads(self.run_("--json"))
        cases = [(row["message"], row["chunk"], row["input"]) for row in rows]
        self.assertEqual(
            cases,
            [
                (message, chunk, how)
                for message in chunks.MESSAGE_SIZES
                for chunk in chunks.CHUNK_SIZES
                for how in ("one piece", "segments")
            ],
        )
        for row in rows:
            self.assertTrue(row["MB/s"] > 0 and row["loop MB/s"] > 0 and row["ratio"] > 0, row)

    def test_bothReadersReadTheSame(self) -> None:
        """The streams that are measured, in one piece and in segments."""
        for messageSize in chunks.MESSAGE_SIZES:
            for chunkSize in chunks.CHUNK_SIZES:
                data, count = chunks._stream(messageSize, chunkSize)
                expected = list(ChunkReader().feed(data))
                self.assertEqual([message.type for message in expected], [1] + [MessageType.VIDEO] * count)
                self.assertEqual({len(message.payload) for message in expected[1:]}, {messageSize})
                self.assertEqual(PlainChunkReader().feed(data), expected)
                segments = [data[start : start + chunks.SEGMENT] for start in range(0, len(data), chunks.SEGMENT)]
                for reader in (ChunkReader(), PlainChunkReader()):
                    self.assertEqual([message for segment in segments for message in reader.feed(segment)], expected)

    def test_missingMessagesAreNoticed(self) -> None:
        """A reader that loses a message is not fast but wrong."""
        data, count = chunks._stream(372, 128)
        self.assertRaises(AssertionError, chunks._rate, lambda: ChunkReader().feed, [data[:-1]], count)
