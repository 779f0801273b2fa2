# -*- test-case-name: tests.tools.test_transfer -*-
"""
Tests for L{rtmptw.tools.transfer}: whole transfers in memory, and every way in which they end.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import CallError, ConnectionClosed
from rtmptw.session import status
from rtmptw.tools import transfer
from rtmptw.tools.flvsink import FLVSink
from rtmptw.tools.flvsource import FLVPlayback, PlaybackError
from rtmptw.tools.transfer import FAREWELL_SECONDS, Playing, Publishing, Transfer
from rtmptw.wire.flv import FLVReader, encodeTag, fileHeader
from rtmptw.wire.message import Message, MessageType
from tests.session.dialects import audio
from tests.session.servers import URL, Script

SOUND = b"\xaf\1sound"
FILE = fileHeader() + b"".join(encodeTag(8, time, SOUND) for time in (0, 1000, 2000))


class TransferTestCase(SynchronousTestCase):
    """A server in memory, and a directory."""

    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.directory = tempfile.mkdtemp()
        self.path = os.path.join(self.directory, "film.flv")
        self.addCleanup(os.rmdir, self.directory)
        self.addCleanup(lambda: os.path.exists(self.path) and os.unlink(self.path))
        self.asked: list[dict[str, Any]] = []
        self.connecting: Deferred[Any] = Deferred()

        def reach(url: object, *arguments: object, **options: Any) -> Deferred[Any]:
            self.assertIs(url, URL)
            self.arguments = arguments
            self.asked.append(options)
            return self.connecting

        self.patch(transfer, "publish", reach)
        self.patch(transfer, "play", reach)
        self.server = Script(self).connected()
        self.server.clock = self.reactor  # type: ignore[assignment]


class TransferTests(SynchronousTestCase):
    def test_directions(self) -> None:
        """What only a direction can know."""
        plain = Transfer(URL, MemoryReactorClock(), {})
        for attribute in ("position", "bytes"):
            self.assertRaises(NotImplementedError, getattr, plain, attribute)
        self.assertIsNone(plain.lag)
        self.assertRaises(NotImplementedError, plain._stop)
        self.failureResultOf(plain.run(), NotImplementedError)


class PublishingTests(TransferTestCase):
    def begin(self, content: bytes = FILE, connected: bool = True) -> None:
        """Begin to publish a file."""
        with open(self.path, "wb") as file:
            file.write(content)
        self.playback = FLVPlayback(self.path, self.reactor)
        self.publishing = Publishing(URL, self.playback, self.reactor, timeout=7)
        self.done = self.publishing.run()
        if connected:
            self.stream = self.server.publishing()
            self.server.take()
            self.connecting.callback(self.stream)

    def sent(self) -> list[tuple[int, bytes]]:
        return [(m.timestamp, m.payload) for m in self.server.take() if m.type == MessageType.AUDIO]

    def test_toTheEnd(self) -> None:
        """In real time, then the farewell; it is over when the server has everything."""
        self.begin()
        self.assertEqual(self.asked, [{"reactor": self.reactor, "timeout": 7}])
        self.reactor.pump([0, 0])
        self.assertEqual(self.sent(), [(0, SOUND)])
        self.reactor.pump([1.5, 0])
        self.assertEqual(self.sent(), [(1000, SOUND)])
        self.assertEqual((self.publishing.position, self.publishing.bytes, self.publishing.lag), (1000, 14, 0))
        self.reactor.pump([1, 0, 0, 0])
        self.assertEqual(self.server.told()[-2:], ["FCUnpublish 6", "deleteStream 7"])
        self.assertNoResult(self.done)
        self.server.finish()
        self.assertEqual(self.successResultOf(self.done), "the file has ended")

    def test_cutFile(self) -> None:
        """What is whole is sent, and it is no success."""
        self.begin(FILE[:-3])
        self.reactor.pump([0, 0, 1.5, 1, 0, 0, 0])
        self.server.finish()
        error = self.failureResultOf(self.done, PlaybackError).value
        whole = len(fileHeader()) + 2 * len(encodeTag(8, 0, SOUND))
        self.assertIn(f"it is cut off or damaged at byte {whole};", str(error))
        self.assertEqual(len(self.sent()), 2)

    def test_interrupted(self) -> None:
        """What was read is sent, and the end is said."""
        self.begin()
        self.reactor.pump([0, 0])
        self.publishing.interrupt()
        self.publishing.interrupt()
        self.assertEqual(self.server.told()[-2:], ["FCUnpublish 6", "deleteStream 7"])
        self.server.finish()
        self.assertEqual(self.successResultOf(self.done), "interrupted")

    def test_interruptedAndStuck(self) -> None:
        """A server that does not close is left after a while."""
        self.begin()
        self.reactor.pump([0, 0])
        self.publishing.interrupt()
        self.reactor.advance(FAREWELL_SECONDS)
        self.assertIn("abortConnection", self.server.transport.calls)
        self.server.lose()
        self.failureResultOf(self.done, ConnectionClosed)

    def test_interruptedBefore(self) -> None:
        """While it connects; the file is closed."""
        self.begin(connected=False)
        self.publishing.interrupt()
        self.failureResultOf(self.done, CancelledError)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_neverBegun(self) -> None:
        with open(self.path, "wb") as file:
            file.write(FILE)
        Publishing(URL, FLVPlayback(self.path, self.reactor), self.reactor).interrupt()
        self.assertEqual(self.asked, [])

    def test_refused(self) -> None:
        self.begin(connected=False)
        self.connecting.errback(CallError("publish", "in use"))
        self.failureResultOf(self.done, CallError)

    def test_lost(self) -> None:
        """The server's reason, and not that of our own producer."""
        self.begin()
        self.reactor.pump([0, 0])
        self.server.status(status.FAILED, "error", 1, "disk full")
        error = self.failureResultOf(self.done, ConnectionClosed).value
        self.assertIn("disk full", str(error))
        self.assertIn("abortConnection", self.server.transport.calls)

    def test_badFile(self) -> None:
        self.begin(b"no FLV at all")
        self.reactor.pump([0, 0, 0])
        self.failureResultOf(self.done, PlaybackError)
        self.assertIn("abortConnection", self.server.transport.calls)


class PlayingTests(TransferTestCase):
    def begin(self, connected: bool = True) -> None:
        """Begin to play into a file."""
        self.sink = FLVSink(self.path)
        self.playing = Playing(URL, self.sink, self.reactor, -1.0, timeout=7)
        self.done = self.playing.run()
        if connected:
            self.stream = self.server.playing(self.sink)
            self.connecting.callback(self.stream)

    def tags(self) -> list[tuple[int, int, bytes]]:
        with open(self.path, "rb") as file:
            return [(tag.type, tag.timestamp, tag.payload) for tag in FLVReader().feed(file.read())]

    def test_toTheEnd(self) -> None:
        self.begin()
        self.assertEqual(self.asked, [{"reactor": self.reactor, "timeout": 7, "start": -1.0}])
        self.server.say(audio(5000, SOUND), audio(5500, SOUND))
        self.assertEqual(self.playing.position, 1500)
        self.assertEqual((self.playing.bytes, self.playing.lag), (os.path.getsize(self.path), None))
        self.server.status(status.UNPUBLISH_NOTIFY)
        self.assertNoResult(self.done)
        self.server.finish()
        self.assertEqual(self.successResultOf(self.done), f"the server said: {status.UNPUBLISH_NOTIFY}")
        self.assertEqual(self.tags(), [(8, 1000, SOUND), (8, 1500, SOUND)])

    def test_interrupted(self) -> None:
        """The file is complete at once."""
        self.begin()
        self.server.say(audio(0, SOUND))
        self.playing.interrupt()
        self.playing.interrupt()
        self.assertEqual(len(self.tags()), 1)
        self.server.lose()
        self.assertEqual(self.successResultOf(self.done), "interrupted")

    def test_interruptedAndStuck(self) -> None:
        """A server that does not close is left after a while."""
        self.begin()
        self.playing.interrupt()
        self.reactor.advance(FAREWELL_SECONDS)
        self.assertIn("abortConnection", self.server.transport.calls)
        self.server.lose()
        self.assertEqual(self.successResultOf(self.done), "interrupted")

    def test_lost(self) -> None:
        """What came is there; and it is told that it is not all."""
        self.begin()
        self.server.say(audio(0, SOUND))
        self.server.lose()
        error = self.failureResultOf(self.done, ConnectionClosed).value
        self.assertEqual(str(error), "play failed: gone")
        self.assertEqual(len(self.tags()), 1)

    def test_interruptedBefore(self) -> None:
        """A file that got nothing does not stay."""
        self.begin(connected=False)
        self.playing.interrupt()
        self.failureResultOf(self.done, CancelledError)
        self.assertFalse(os.path.exists(self.path))

    def test_neverBegun(self) -> None:
        sink = FLVSink(self.path)
        Playing(URL, sink, self.reactor).interrupt()
        sink.finish()
        self.assertEqual(self.asked, [])

    def test_refused(self) -> None:
        self.begin(connected=False)
        self.connecting.errback(CallError("play", "no such stream"))
        self.failureResultOf(self.done, CallError)
        self.assertFalse(os.path.exists(self.path))

    def test_diskFull(self) -> None:
        """The stream is left."""
        self.begin()

        def full(descriptor: int, data: bytes) -> int:
            raise OSError(28, "No space left on device")

        self.patch(os, "write", full)
        self.server.say(Message(MessageType.AUDIO, 0, 1, SOUND, 4))
        error = self.failureResultOf(self.done, OSError).value
        self.assertIn("film.flv", str(error))
        self.assertIn("deleteStream 4", self.server.told())
