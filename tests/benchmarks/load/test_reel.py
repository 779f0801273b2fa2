# -*- test-case-name: tests.benchmarks.load.test_reel -*-
"""
Tests for L{benchmarks.load.reel}: what is prepared is read as what it stands for.
"""

from __future__ import annotations

from itertools import pairwise

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.load.media import AUDIO_STAMP, VIDEO_STAMP, Format
from benchmarks.load.reel import SMALLEST_CHUNK, cutReel
from benchmarks.load.stamp import readStamp
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.control import setChunkSize
from rtmptw.wire.message import Message, MessageType

FORMAT = Format(bitrate=4e5)


def read(chunkSize: int, laps: int) -> list[Message]:
    """The reel as a server gets it, stamped with the numbers of messages and of laps."""
    reel = cutReel(FORMAT, chunkSize, 1)
    pieces = [ChunkWriter().write(setChunkSize(chunkSize)), reel.headers]
    for lap in range(laps):
        for number, shot in enumerate(reel.shots if lap == 0 else reel.shots[reel.again :]):
            shot.stamp(3, number, lap)
            pieces.append(bytes(shot.data))
    return list(ChunkReader().feed(b"".join(pieces)))


class ReelTests(SynchronousTestCase):
    def test_whole(self) -> None:
        """Every message is whole at any chunk size; time goes on from lap to lap."""
        for chunkSize in (SMALLEST_CHUNK, 128, 4096, 65536):
            messages = read(chunkSize, 3)[1:]
            self.assertEqual([message.type for message in messages[:3]], [MessageType.DATA, 9, 8])
            frames = messages[3:]
            self.assertEqual(len(frames), 4 * 146)
            for message in frames:
                isVideo = message.type == MessageType.VIDEO
                stamp = readStamp(message.payload, VIDEO_STAMP if isVideo else AUDIO_STAMP)
                assert stamp is not None
                self.assertTrue(stamp.isWhole)
                self.assertEqual(stamp.stream, 3)
            for type in (MessageType.VIDEO, MessageType.AUDIO):
                times = [message.timestamp for message in frames if message.type == type]
                steps = {later - earlier for earlier, later in pairwise(times)}
                self.assertTrue(min(steps) >= 22 and max(steps) <= 34, steps)

    def test_sizes(self) -> None:
        """A shot knows the size of its payload, and what it is."""
        messages = read(4096, 1)[4:]
        for shot, message in zip(cutReel(FORMAT, 4096, 1).shots, messages, strict=True):
            self.assertEqual(shot.size, len(message.payload))
            self.assertEqual(shot.isPicture, message.type == MessageType.VIDEO)

    def test_length(self) -> None:
        """The second group is due when the first is over."""
        reel = cutReel(FORMAT, 128, 1)
        self.assertEqual(reel.shots[reel.again].due, reel.length)
        self.assertEqual(reel.length, 2_000_000_000)

    def test_tooSmall(self) -> None:
        """A stamp must lie within one chunk."""
        self.assertRaises(ValueError, cutReel, FORMAT, SMALLEST_CHUNK - 1, 1)
