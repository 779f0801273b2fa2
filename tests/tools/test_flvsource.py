"""Tests for L{rtmptw.tools.flvsource}."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.internet.testing import EventLoggingObserver, MemoryReactorClock
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

import rtmptw
from rtmptw.errors import LocalProtocolError
from rtmptw.tools.flvsource import FLVPlayback, PlaybackError
from rtmptw.tools.pieces import PIECE
from rtmptw.wire.data import toPublish
from rtmptw.wire.flv import encodeTag, fileHeader
from rtmptw.wire.message import Message, MessageType
from tests.live.doubles import Content, content, inter, key, metadata, pictureHeader, sound, soundHeader

HEADERS = [metadata(0), pictureHeader(0), soundHeader(0)]
MEDIA = [key(0), sound(0), sound(21), inter(40), sound(42), inter(80)]


def flv(*messages: Message) -> bytes:
    """A file."""
    return fileHeader() + b"".join(encodeTag(m.type, m.timestamp, m.payload) for m in messages)


def published(*messages: Message) -> Content:
    """What is sent of messages that are in a file."""
    return [
        (int(m.type), m.timestamp, toPublish(m.payload) if m.type == MessageType.DATA else m.payload) for m in messages
    ]


class PlaybackTestCase(SynchronousTestCase):
    """A file, a clock, and somebody who takes messages."""

    def setUp(self) -> None:
        """There is no file yet."""
        self.reactor = MemoryReactorClock()
        self.reactor.advance(1000)
        self.directory = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.directory)
        self.path = self.directory / "clip.flv"
        self.events = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)
        self.sent: list[Message] = []
        self.onSend: Callable[[Message], None] = lambda message: None

    def send(self, message: Message) -> None:
        """Take a message."""
        self.sent.append(message)
        self.onSend(message)

    def play(self, data: bytes, fast: bool = False, loop: bool = False) -> FLVPlayback:
        """Begin to play a file with this content."""
        self.path.write_bytes(data)
        playback = FLVPlayback(str(self.path), self.reactor, fast=fast, loop=loop)
        self.assertIs(playback.start(self.send), playback.finished)
        return playback

    def pipe(self) -> tuple[FLVPlayback, int]:
        """Begin to play what is written into the descriptor."""
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        playback = FLVPlayback(reading, self.reactor)
        playback.start(self.send)
        return playback, writing

    def settle(self) -> None:
        """Let the reactor do what it has to do now, and let no time pass."""
        for _ in range(20):
            self.reactor.advance(0)

    def take(self) -> Content:
        """What was sent since the last time."""
        sent, self.sent = self.sent, []
        return content(sent)

    def logged(self) -> list[str]:
        """The lines of the log."""
        return [event["log_format"].format(**event) for event in self.events]


class RealTimeTests(PlaybackTestCase):
    """At the pace of the timestamps."""

    def test_interface(self) -> None:
        """It is what it says, and has a name; it can be begun once."""
        playback = self.play(flv(*HEADERS))
        verifyObject(IPushProducer, playback)
        self.assertEqual(playback.name, str(self.path))
        self.assertRaises(LocalProtocolError, playback.start, self.send)
        playback.stopProducing()

    def test_pace(self) -> None:
        """Headers come at once, each frame as long after the first as its timestamp says."""
        playback = self.play(flv(*HEADERS, *MEDIA))
        self.assertEqual(self.sent, [])
        self.settle()
        self.assertEqual(self.take(), published(*HEADERS, *MEDIA[:2]))
        for wait, expected in ((20, []), (1, [sound(21)]), (18, []), (1, [inter(40)]), (2, [sound(42)]), (37, [])):
            self.reactor.advance(wait / 1000)
            self.assertEqual(self.take(), published(*expected))
        self.assertEqual((playback.position, playback.lag), (42, 0))
        self.assertNoResult(playback.finished)
        self.reactor.advance(0.001)
        self.assertEqual(self.take(), published(inter(80)))
        self.settle()
        self.successResultOf(playback.finished)
        everything = published(*HEADERS, *MEDIA)
        self.assertEqual((playback.position, playback.bytes), (80, sum(len(payload) for *_, payload in everything)))
        self.assertEqual((self.reactor.getDelayedCalls(), self.logged()), ([], []))

    def test_later(self) -> None:
        """Media that begin later than at 0 are not waited for, and keep their timestamps."""
        playback = self.play(flv(*HEADERS, key(77_000), inter(77_040)))
        self.settle()
        self.assertEqual(self.take(), published(*HEADERS, key(77_000)))
        self.reactor.advance(0.04)
        self.assertEqual(self.take(), published(inter(77_040)))
        self.assertEqual(playback.position, 40)

    def test_pause(self) -> None:
        """While it is paused nothing is sent; then what is late comes at once, and it is on time again."""
        playback = self.play(flv(*MEDIA, *(inter(time) for time in range(120, 1000, 40))))
        self.settle()
        playback.pauseProducing()
        playback.pauseProducing()
        self.take()
        self.reactor.advance(0.1)
        self.assertEqual((self.take(), playback.lag), ([], 79))
        playback.resumeProducing()
        playback.resumeProducing()
        self.assertEqual(self.take(), [])
        self.settle()
        self.assertEqual(self.take(), content(MEDIA[2:]))
        self.assertEqual(playback.lag, 0)
        self.reactor.advance(0.02)
        self.assertEqual(self.take(), content([inter(120)]))

    def test_pauseWhileSending(self) -> None:
        """Who is full says so while it is given something: the next one does not come."""
        playback = self.play(flv(*HEADERS, *MEDIA))
        self.onSend = lambda message: playback.pauseProducing()
        for message in [*HEADERS, *MEDIA[:2]]:
            self.settle()
            self.assertEqual(self.take(), published(message))
            playback.resumeProducing()
        # One that does not stay full is sent the next one in another turn.
        self.onSend = lambda message: (playback.pauseProducing(), playback.resumeProducing())[0]
        self.reactor.advance(1)
        self.settle()
        self.assertEqual(self.take(), content(MEDIA[2:]))
        self.successResultOf(playback.finished)

    def test_pauseBefore(self) -> None:
        """It may be paused, resumed and stopped before it has begun."""
        self.path.write_bytes(flv(*HEADERS))
        playback = FLVPlayback(str(self.path), self.reactor)
        playback.pauseProducing()
        playback.start(self.send)
        self.settle()
        self.assertEqual((self.take(), playback.lag), ([], 0))
        playback.resumeProducing()
        self.settle()
        self.assertEqual(self.take(), published(*HEADERS))
        playback = FLVPlayback(str(self.path), self.reactor)
        playback.resumeProducing()
        playback.stopProducing()
        self.successResultOf(playback.finished)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_stop(self) -> None:
        """When it is stopped it is over, also from within, and the file is closed."""
        before = os.listdir("/proc/self/fd")
        playback = self.play(flv(*MEDIA))
        self.settle()
        playback.stopProducing()
        self.successResultOf(playback.finished)
        self.assertEqual((self.reactor.getDelayedCalls(), playback.lag), ([], 0))
        playback.resumeProducing()
        playback.stopProducing()
        self.settle()
        self.assertEqual(len(self.take()), 2)
        playback = self.play(flv(*MEDIA))
        self.onSend = lambda message: playback.stopProducing()
        self.settle()
        self.assertEqual(len(self.take()), 1)
        self.successResultOf(playback.finished)
        self.assertEqual(os.listdir("/proc/self/fd"), before)

    def test_sendFails(self) -> None:
        """If the receiver raises, it is over, and that is the reason."""
        playback = self.play(flv(*MEDIA))

        def fail(message: Message) -> None:
            raise ValueError("no more")

        self.onSend = fail
        self.settle()
        self.assertEqual(self.failureResultOf(playback.finished, ValueError).getErrorMessage(), "no more")
        self.assertEqual(len(self.sent), 1)


class FastTests(PlaybackTestCase):
    """As fast as can be."""

    def test_fast(self) -> None:
        """No time passes, whatever the timestamps; the reactor has a turn after each piece of the file."""
        body = bytes(PIECE // 4)
        sent = [key(time, body) for time in range(0, 100_000, 1000)]
        playback = self.play(flv(*HEADERS, *sent), fast=True)
        counts = []
        while self.reactor.getDelayedCalls():
            self.reactor.advance(0)
            counts.append(len(self.sent))
        self.assertEqual(self.take(), published(*HEADERS, *sent))
        self.assertTrue(all(later - earlier <= 6 for earlier, later in pairwise(counts)))
        self.successResultOf(playback.finished)
        self.assertEqual((playback.position, playback.lag), (99_000, 0))

    def test_memory(self) -> None:
        """No more is held than a piece of the file and the tag that it ends in, even if nobody takes anything."""
        playback = self.play(flv(*(key(time, bytes(1000)) for time in range(20_000))), fast=True)
        self.onSend = lambda message: playback.pauseProducing() if len(self.sent) == 500 else None
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        for _ in range(200):
            self.reactor.advance(0)
        self.assertEqual(len(self.sent), 500)
        self.sent, self.onSend = [], lambda message: None
        self.assertLess(tracemalloc.get_traced_memory()[0], 8 * PIECE)
        playback.resumeProducing()
        while self.reactor.getDelayedCalls():
            self.reactor.advance(0)
        self.assertEqual(len(self.sent), 19_500)


class LoopTests(PlaybackTestCase):
    """Round after round."""

    def test_loop(self) -> None:
        """Time goes on, and headers are sent once; it ends when it is stopped."""
        playback = self.play(flv(*HEADERS, key(0), inter(40)), loop=True)
        self.settle()
        self.assertEqual(self.take(), published(*HEADERS, key(0)))
        for time in range(40, 2000, 40):
            self.reactor.advance(0.04)
            self.settle()
            frame = inter if time % 80 else key
            self.assertEqual(self.take(), content([frame(time)]))
            self.assertEqual((playback.position, playback.lag), (time, 0))
        self.assertNoResult(playback.finished)
        playback.stopProducing()
        self.successResultOf(playback.finished)

    def test_fast(self) -> None:
        """The receiver alone holds it back."""
        playback = self.play(flv(key(0)), fast=True, loop=True)
        self.onSend = lambda message: playback.pauseProducing() if len(self.sent) == 5 else None
        for _ in range(50):
            self.reactor.advance(0)
        self.assertEqual(self.take(), content(key(time) for time in range(0, 200, 40)))

    def test_noFrames(self) -> None:
        """Without a frame there is one round."""
        playback = self.play(flv(*HEADERS), loop=True)
        self.settle()
        self.successResultOf(playback.finished)
        self.assertEqual(self.take(), published(*HEADERS))

    def test_cutOff(self) -> None:
        """A file that is cut off is complained about once, and loops what is whole."""
        playback = self.play(flv(key(0), inter(40))[:-1], loop=True)
        for _ in range(5):
            self.reactor.advance(0.04)
            self.settle()
        self.assertEqual({payload for *_, payload in self.take()}, {key().payload})
        self.assertEqual(len(self.logged()), 1)
        playback.stopProducing()

    def test_pipe(self) -> None:
        """A pipe can't be looped."""
        reading, writing = os.pipe()
        for descriptor in (reading, writing):
            self.addCleanup(os.close, descriptor)
        error = self.assertRaises(PlaybackError, FLVPlayback, reading, self.reactor, loop=True)
        self.assertEqual(str(error), f"file descriptor {reading}: it can be read only once, and not be looped")


class FileErrorTests(PlaybackTestCase):
    """Files that are not as they should be."""

    def test_table(self) -> None:
        """What is wrong is said, with the file's name and the place."""
        for data, words in (
            (b"", "it is empty"),
            (b"FLV\1\5", "it ends within its header (at byte 5)"),
            (fileHeader()[:-1], "it ends within its header (at byte 12)"),
            (fileHeader(), "there is nothing in it that could be sent (it ends at byte 13)"),
            (flv(key(0))[:-1], "there is nothing in it that could be sent (it ends at byte 13)"),
            (b"FLx" + bytes(100), "not an FLV file (at byte 2)"),
            (b"\0\0\0\x18ftypmp42", "not an FLV file (at byte 0)"),
            (b"FLV\1\5\1\0\0\0" + bytes(100), "not an FLV file: its header would have 16777216 bytes (at byte 5)"),
        ):
            playback = self.play(data)
            self.settle()
            failure = self.failureResultOf(playback.finished, PlaybackError)
            self.assertEqual(failure.getErrorMessage(), f"{self.path}: {words}")
            self.assertEqual((self.sent, self.reactor.getDelayedCalls()), ([], []))

    def test_cutOff(self) -> None:
        """A tag that is not whole at the end is left out; the log says where that is."""
        whole = flv(*HEADERS, *MEDIA)
        for cut in (1, 4, 5, 20):
            playback = self.play(whole + encodeTag(9, 120, inter().payload)[:-cut], fast=True)
            self.settle()
            self.assertEqual(self.take(), published(*HEADERS, *MEDIA))
            self.successResultOf(playback.finished)
            self.assertEqual(
                self.logged().pop(),
                f"{self.path}: it is cut off: the tag at byte {len(whole)} is not whole; all before it was sent",
            )

    def test_passedOver(self) -> None:
        """Tags that can't be sent are counted in the log."""
        playback = self.play(flv(key(0)) + encodeTag(9, 0, b"x", isFiltered=True) + encodeTag(15, 0, b"x"))
        self.settle()
        self.successResultOf(playback.finished)
        self.assertEqual(self.take(), content([key(0)]))
        self.assertEqual(
            self.logged(),
            [f"{self.path}: 2 tags were passed over: neither audio nor video nor data, or encrypted"],
        )

    def test_missing(self) -> None:
        """A file that is not there can't be opened."""
        self.assertRaises(FileNotFoundError, FLVPlayback, str(self.path), self.reactor)

    def test_diskFails(self) -> None:
        """An error of the disk ends it, behind what was read before."""
        sent = [key(time, bytes(1000)) for time in range(100)]
        playback = self.play(flv(*sent), fast=True)
        read = os.read

        def fail(descriptor: int, size: int) -> bytes:
            if self.sent:
                raise OSError(errno.EIO, "Input/output error")
            return read(descriptor, size)

        self.patch(os, "read", fail)
        self.settle()
        failure = self.failureResultOf(playback.finished, OSError)
        self.assertEqual(failure.getErrorMessage(), f"[Errno 5] Input/output error: '{self.path}'")
        self.assertGreater(len(self.sent), 50)


class PipeTests(PlaybackTestCase):
    """What comes from another program."""

    def drain(self) -> None:
        """The pipe has something."""
        for reader in tuple(self.reactor.readers):
            reader.doRead()
        self.settle()

    def test_pipe(self) -> None:
        """It is read when there is something, and no earlier than it is needed; the clock starts with a frame."""
        playback, writing = self.pipe()
        self.settle()
        data = flv(*HEADERS, *MEDIA)
        os.write(writing, data[:100])
        self.drain()
        self.reactor.advance(5)
        os.write(writing, data[100:])
        self.drain()
        self.assertEqual(self.take(), published(*HEADERS, *MEDIA[:2]))
        self.assertEqual(self.reactor.readers, set())
        os.close(writing)
        self.reactor.advance(0.079)
        self.assertEqual((len(self.take()), playback.lag, self.reactor.readers), (3, 0, set()))
        self.reactor.advance(0.001)
        self.assertEqual(len(self.reactor.readers), 1)
        self.assertNoResult(playback.finished)
        self.drain()
        self.successResultOf(playback.finished)

    def test_late(self) -> None:
        """If the other program is slower than real time, that is a lag."""
        playback, writing = self.pipe()
        self.addCleanup(os.close, writing)
        self.settle()
        os.write(writing, flv(key(0)))
        self.drain()
        self.reactor.advance(0.5)
        self.assertEqual(playback.lag, 500)
        os.write(writing, encodeTag(9, 40, inter().payload))
        self.drain()
        self.assertEqual((self.take(), playback.lag), (content([key(0), inter(40)]), 460))
        playback.stopProducing()

    def test_stop(self) -> None:
        """It can be stopped while it waits, or paused and resumed; what comes then is not sent."""
        playback, writing = self.pipe()
        self.addCleanup(os.close, writing)
        self.settle()
        (reader,) = self.reactor.readers
        playback.pauseProducing()
        playback.resumeProducing()
        self.settle()
        self.assertEqual(self.reactor.readers, {reader})
        playback.pauseProducing()
        os.write(writing, flv(key(0)))
        self.drain()
        self.assertEqual(self.take(), [])
        playback.resumeProducing()
        self.settle()
        self.assertEqual(self.take(), content([key(0)]))
        playback.stopProducing()
        self.successResultOf(playback.finished)
        self.assertEqual(self.reactor.readers, set())

    def test_takenTooLate(self) -> None:
        """A piece that arrives when all is over is nothing to anybody."""
        playback = self.play(flv(key(0)))
        waiting: Deferred[bytes] = Deferred()
        self.patch(playback._pieces, "read", lambda: waiting)
        self.settle()
        playback.stopProducing()
        waiting.callback(flv(key(0)))
        self.settle()
        self.assertEqual(self.sent, [])


PROGRAM = """
from twisted.internet.task import react
from rtmptw.tools.flvsource import FLVPlayback

async def main(reactor):
    playback = FLVPlayback(0, reactor, fast=True)
    await playback.start(lambda message: print(message.type, message.timestamp, len(message.payload)))
    print(playback.name, type(reactor).__name__)

react(main)
"""


class StandardInputTests(PlaybackTestCase):
    """With a real reactor, which can wait for a pipe and not for a file."""

    def test_standardInput(self) -> None:
        """C{< file} and C{cat file |} bring the same."""
        sent = [*HEADERS, *(key(time, bytes(10_000)) for time in range(0, 4000, 40))]
        self.path.write_bytes(flv(*sent))
        expected = [f"{type} {timestamp} {len(payload)}" for type, timestamp, payload in published(*sent)]
        environment = {**os.environ, "PYTHONPATH": str(Path(rtmptw.__file__).parents[1])}
        for form in ('exec "$0" -c "$1" < "$2"', 'cat "$2" | "$0" -c "$1"'):
            done = subprocess.run(
                ["sh", "-c", form, sys.executable, PROGRAM, str(self.path)],
                env=environment,
                capture_output=True,
                text=True,
                timeout=60,
            )
            *lines, last = done.stdout.splitlines()
            self.assertEqual((lines, done.stderr), (expected, ""), form)
            self.assertIn("standard input", last)
