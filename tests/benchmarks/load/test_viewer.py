# -*- test-case-name: tests.benchmarks.load.test_viewer -*-
"""
Tests for L{benchmarks.load.viewer}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.load.stamp import Kind
from benchmarks.load.tally import Tally
from benchmarks.load.viewer import Joined, Viewer
from benchmarks.load.witness import Witness
from benchmarks.load.words import Words
from rtmptw.session import status
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.control import controlValue
from rtmptw.wire.message import MessageType
from tests.benchmarks.doubles import FakeLine
from tests.benchmarks.load.test_talk import Server


class Clock:
    """Nanoseconds, by hand."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


class ViewerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.words = Words("rtmp://host/live", "live", "bench0")
        self.clock = Clock()
        self.server = Server()

    def viewer(self, *coming: bytes, witness: Witness | None = None, isIdle: bool = False) -> tuple[Viewer, FakeLine]:
        line = FakeLine(*coming)
        return Viewer(line, self.words, witness, isIdle, self.clock), line

    def test_open(self) -> None:
        """It speaks when its line is open."""
        viewer, line = self.viewer()
        line.isReady = False
        self.assertFalse(viewer.open())
        self.assertEqual(line.sockets.sent, b"")
        self.assertEqual(viewer.describe(), "no connection in time")
        line.isReady = True
        self.assertTrue(viewer.open())
        self.assertEqual(line.sockets.sent, Words.opening)

    def test_joins(self) -> None:
        """With its first picture it has joined: once, and it is known how long that took, and with what."""
        answers = self.server.all()
        viewer, line = self.viewer(answers[:5000], answers[5000:], self.server.frame(Kind.PICTURE))
        viewer.open()
        self.clock.now = 12_500_000
        self.assertTrue(viewer.read())
        self.assertEqual(viewer.joined, Joined(12.5, True))
        self.assertFalse(viewer.read() or viewer.read() or viewer.read())
        self.assertEqual(self.words.window, 2_500_000)
        self.assertTrue(bytes(line.sockets.sent).endswith(self.words.start(1)))
        self.assertTrue(viewer.counts)
        self.assertEqual(viewer.describe(), "joined")

    def test_idle(self) -> None:
        """Who is content with the word has joined with it."""
        server = self.server
        said = server.handshake + server.connected() + server.created() + server.status(status.PLAY_START)
        viewer, _ = self.viewer(said, isIdle=True)
        viewer.open()
        self.assertTrue(viewer.read())

    def test_witness(self) -> None:
        """A witness sees all from the first message on, however the handshake is cut."""
        answers = self.server.all()
        for size in (1000, 3073, 1 << 20):
            tally = Tally()
            tally.isMeasuring = True
            pieces = [answers[start : start + size] for start in range(0, len(answers), size)]
            viewer, _ = self.viewer(*pieces, witness=Witness(tally, 0))
            viewer.open()
            for _ in pieces:
                viewer.read()
            self.assertFalse(viewer.counts)
            self.assertEqual((tally.messages, tally.lost, tally.damaged), (2, 0, 0), size)

    def test_closed(self) -> None:
        """A server that closes is told of, with what it had said before."""
        viewer, _ = self.viewer(self.server.handshake + self.server.connected(), b"")
        viewer.open()
        viewer.read()
        error = self.assertRaises(ConnectionError, viewer.read)
        self.assertEqual(
            str(error), "closed by the server while joining, after: _result NetConnection.Connect.Success yes"
        )
        viewer, _ = self.viewer(self.server.all(), b"")
        viewer.open()
        viewer.read()
        self.assertEqual(str(self.assertRaises(ConnectionError, viewer.read)), "closed by the server")

    def test_late(self) -> None:
        """Who has not joined in time says how far it came."""
        viewer, _ = self.viewer(self.server.handshake)
        viewer.open()
        viewer.read()
        self.assertIn("no picture in time, after: ", viewer.describe())

    def test_acknowledges(self) -> None:
        """For each half of the window, all bytes are acknowledged; without a window, none."""
        viewer, line = self.viewer()
        viewer.acknowledge(10**9)
        self.words.window = 1000
        for received in (499, 500, 999, 1100):
            viewer.acknowledge(received)
        messages = list(ChunkReader().feed(bytes(line.sockets.sent)))
        self.assertEqual({message.type for message in messages}, {MessageType.ACKNOWLEDGEMENT})
        self.assertEqual([controlValue(message) for message in messages], [500, 1100])
