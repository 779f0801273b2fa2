# -*- test-case-name: tests.benchmarks.load.test_publisher -*-
"""
Tests for L{benchmarks.load.publisher}: what a server gets is the stream, whatever it takes at a time.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.load.media import AUDIO_STAMP, VIDEO_STAMP, Format
from benchmarks.load.publisher import FlatOutPublisher, LivePublisher, Sent
from benchmarks.load.stamp import Stamp, readStamp
from benchmarks.load.tally import Tally
from benchmarks.load.witness import Scanner
from benchmarks.load.words import Words
from rtmptw.session import status
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.command import Command
from rtmptw.wire.message import MessageType
from tests.benchmarks.doubles import FakeLine
from tests.benchmarks.load.test_talk import Server

FORMAT = Format(bitrate=4e5)
CHUNK = 4096
STREAM = 2
HANDSHAKE_SIZE = 3073


def answers() -> bytes:
    server = Server()
    return server.handshake + server.connected() + server.created() + server.status(status.PUBLISH_START)


def received(line: FakeLine) -> list[Stamp]:
    """The stamps of all frames that a server has got."""
    stamps = []
    for message in ChunkReader().feed(bytes(line.sockets.sent[HANDSHAKE_SIZE:])):
        if message.type in (MessageType.VIDEO, MessageType.AUDIO) and message.payload[1] == 1:
            stamp = readStamp(message.payload, VIDEO_STAMP if message.type == MessageType.VIDEO else AUDIO_STAMP)
            assert stamp is not None
            stamps.append(stamp)
    return stamps


class LivePublisherTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.line = FakeLine(answers())
        self.sent = Sent(lateness=[])
        self.publisher = LivePublisher(self.line, Words("u", "live", "bench2", CHUNK), STREAM, self.sent)
        self.assertTrue(self.publisher.open())
        self.assertTrue(self.publisher.isOpen)
        self.assertTrue(self.publisher.read(FORMAT, CHUNK))
        self.publisher.startAt(1_000_000_000)

    def test_begins(self) -> None:
        """When it may publish, the headers are sent."""
        self.assertTrue(self.publisher.isPublishing)
        messages = list(ChunkReader().feed(bytes(self.line.sockets.sent[HANDSHAKE_SIZE:])))
        self.assertEqual([message.type for message in messages[-3:]], [18, 9, 8])
        self.assertEqual(Command.decode(messages[-4]).name, "publish")

    def test_inTime(self) -> None:
        """Messages are due as in a stream of 30 pictures and 43 sounds a second, for ever, and stamped when sent."""
        dues = []
        for _ in range(146 * 3):
            dues.append(self.publisher.due)
            self.assertTrue(self.publisher.sendNext(self.publisher.due + 1000))
        self.assertEqual(dues[0], 1_000_000_000)
        self.assertEqual(dues, sorted(dues))
        self.assertEqual(self.publisher.due, 7_000_000_000)
        stamps = received(self.line)
        self.assertEqual([stamp.time for stamp in stamps], [due + 1000 for due in dues])
        self.assertTrue(all(stamp.isWhole and stamp.stream == STREAM for stamp in stamps))
        self.assertEqual(sorted(stamp.sequence for stamp in stamps), sorted([*range(180), *range(258)]))
        self.assertEqual(self.sent.messages, 146 * 3)
        self.assertEqual(self.sent.lateness, [1000] * 146 * 3)

    def test_held(self) -> None:
        """What a server takes late is as old as it is, and still whole."""
        self.line.sockets.room = 5000
        first = self.publisher.due
        self.assertFalse(self.publisher.sendNext(first))
        self.assertTrue(self.publisher.isHeld)
        self.assertFalse(self.publisher.drain(lambda: 2_000_000_000))
        self.line.sockets.room = 1 << 30
        self.assertTrue(self.publisher.drain(lambda: 2_000_000_000))
        second = self.publisher.due
        self.assertTrue(self.publisher.sendNext(2_000_000_000))
        self.assertEqual([stamp.time for stamp in received(self.line)], [first, second])
        while self.publisher.due < 2_000_000_000:
            self.publisher.sendNext(2_000_000_000)
        self.publisher.sendNext(2_100_000_000)
        self.assertEqual(received(self.line)[-1].time, 2_100_000_000)

    def test_reads(self) -> None:
        """What a server says meanwhile does not matter, but that it closes does."""
        self.line.coming = [b"anything"]
        self.assertFalse(self.publisher.read(FORMAT, CHUNK))
        self.assertFalse(self.publisher.read(FORMAT, CHUNK))
        self.line.coming = [b""]
        error = self.assertRaises(ConnectionError, self.publisher.read, FORMAT, CHUNK)
        self.assertIn("onStatus NetStream.Publish.Start words", str(error))

    def test_step(self) -> None:
        """As long as the server has not said yes, nothing is sent but words."""
        line = FakeLine(answers()[:4000])
        publisher = LivePublisher(line, Words("u", "live", "bench2", CHUNK), STREAM, self.sent)
        line.isReady = False
        self.assertFalse(publisher.open())
        line.isReady = True
        publisher.open()
        line.coming = [answers()[:3100]]
        self.assertFalse(publisher.read(FORMAT, CHUNK))
        self.assertFalse(publisher.isPublishing)
        self.assertIn("bytes", publisher.describe())


class FlatOutPublisherTests(SynchronousTestCase):
    def test_flatOut(self) -> None:
        """As fast as the server takes it: whole, without a gap, whatever it takes at a time."""
        line = FakeLine(answers())
        publisher = FlatOutPublisher(line, Words("u", "live", "bench2", CHUNK), STREAM, Sent())
        publisher.open()
        publisher.read(FORMAT, CHUNK)
        done = []
        for turn in range(20):
            line.sockets.room = 100_000 if turn < 19 else 1 << 30
            done.append(publisher.sendMore(turn))
        self.assertTrue(done[-1])
        self.assertIn(False, done)
        stamps = received(line)
        self.assertTrue(all(stamp.isWhole for stamp in stamps))
        # More than both groups of the reel, so the second was sent again.
        self.assertTrue(len(stamps) > 3 * 146)
        tally = Tally()
        tally.isMeasuring = True
        scanner = Scanner(tally, FORMAT)
        scanner.feed(bytes(line.sockets.sent[HANDSHAKE_SIZE:]))
        self.assertEqual((tally.messages, tally.lost, tally.reordered), (len(stamps), 0, 0))
