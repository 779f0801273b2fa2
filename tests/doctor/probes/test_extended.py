"""
Tests for L{rtmptw.doctor.probes.extended}.
"""

from __future__ import annotations

from rtmptw.doctor.probes.extended import withoutRepeating
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.chunkwriter import encodeMessage
from rtmptw.wire.message import Message
from tests.doctor.probes.asking import ProbeTestCase
from tests.doctor.servers import PlaysOnlyPublished, RefusesAll, RefusesPlayers


class ExtendedTests(ProbeTestCase):
    def test_healthy(self) -> None:
        self.healthy("extended")
        self.assertEqual(self.causes("extended", PlaysOnlyPublished), [])

    def test_rows(self) -> None:
        rows = [
            ("extended-timestamp-not-expected", "of 30 messages from 16777215 ms on, these did not come out"),
            ("extended-timestamp-always-expected", "whose extended timestamp is not repeated in their later chunks"),
            ("extended-timestamp-not-repeated", "extended timestamp"),
        ]
        for name, words in rows:
            [finding] = self.ask("extended", name)
            self.assertEqual(finding.cause.name, name)
            self.assertIn(words, finding.words)

    def test_untestable(self) -> None:
        self.assertEqual(self.untestable("extended", RefusesAll), "nobody can publish here")
        for server, plays in ((RefusesPlayers, True), (RefusesAll.__base__, False)):
            assert server is not None
            self.assertEqual(self.untestable("extended", server, plays=plays), "nobody can play what is published here")

    def test_gone(self) -> None:
        self.gone("extended", 4)


class WithoutRepeatingTests(ProbeTestCase):
    def test_chunks(self) -> None:
        """Only the first chunk has it; a message without a body is a header."""
        for size, repeats in ((0, 0), (100, 0), (128, 0), (129, 1), (300, 2)):
            message = Message(9, 0x1000000, 1, b"x" * size, 6)
            data = withoutRepeating(message, 128)
            self.assertEqual(data.count(b"\1\0\0\0"), encodeMessage(message, 1000).count(b"\1\0\0\0"))
            self.assertEqual(len(encodeMessage(message, 128)) - len(data), 4 * repeats)

    def test_read(self) -> None:
        """A tolerant reader reads it."""
        message = Message(9, 0x1000000, 1, b"x" * 300, 6)
        reader = ChunkReader()
        self.assertEqual(list(reader.feed(withoutRepeating(message, 128))), [message])
