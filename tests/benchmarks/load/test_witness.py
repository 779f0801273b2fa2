# -*- test-case-name: tests.benchmarks.load.test_witness -*-
"""
Tests for L{benchmarks.load.witness}: whatever is missing or damaged is seen, and nothing else.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.load.media import Format, groupOfPictures, streamHeaders
from benchmarks.load.stamp import MARK, STAMP_SIZE, Kind, frameSum, makeStamp
from benchmarks.load.tally import Tally
from benchmarks.load.witness import Follower, Scanner, Witness
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.control import setChunkSize
from rtmptw.wire.message import Message

STREAM = 3
FORMAT = Format(bitrate=4e5)
SENT, SEEN = 1_000_000, 6_000_000


def messages() -> list[Message]:
    """Headers, and a group of pictures with stamps."""
    sequences = {True: 0, False: 0}
    found = []
    for frame in groupOfPictures(FORMAT, 1):
        isSound = frame.kind is Kind.SOUND
        payload, start = frame.message.payload, frame.stampAt
        stamp = makeStamp(MARK + frame.kind.value, STREAM, sequences[isSound], SENT, frameSum(payload, start))
        sequences[isSound] += 1
        frame.message.payload = payload[:start] + stamp + payload[start + STAMP_SIZE :]
        found.append(frame.message)
    return streamHeaders(FORMAT, 1) + found


def encode(messages: list[Message], chunkSize: int = 4096) -> bytes:
    writer = ChunkWriter()
    return b"".join(map(writer.write, (setChunkSize(chunkSize), *messages)))


class FollowerTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.tally = Tally()
        self.tally.isMeasuring = True

    def follow(self, follower: Follower, data: bytes, size: int = 1 << 20) -> None:
        for start in range(0, len(data), size):
            follower.feed(data[start : start + size])

    def counts(self) -> tuple[int, int, int, int]:
        tally = self.tally
        return tally.messages, tally.lost, tally.reordered, tally.damaged


class WitnessTests(FollowerTestCase):
    def look(self, messages: list[Message], size: int = 1 << 20) -> None:
        self.follow(Witness(self.tally, STREAM, lambda: SEEN), encode(messages), size)

    def test_all(self) -> None:
        """Every message is whole, in order, and as late as it is; however the bytes are cut."""
        for size in (1 << 20, 1000, 61):
            self.tally.clear()
            self.look(messages(), size)
            self.assertEqual(self.counts(), (146, 0, 0, 0))
            self.assertEqual(set(self.tally.latencies), {SEEN - SENT})

    def test_missing(self) -> None:
        """Two are missing."""
        all = messages()
        self.look(all[:10] + all[12:])
        self.assertEqual(self.counts(), (144, 2, 0, 0))

    def test_damaged(self) -> None:
        """One is damaged: it is not seen, so it is missing as well."""
        all = messages()
        all[20].payload = all[20].payload[:-1] + b"\0"
        self.look(all)
        self.assertEqual(self.counts(), (145, 1, 0, 1))

    def test_noStamp(self) -> None:
        """A picture without any stamp is damage."""
        all = messages()
        all[20].payload = all[20].payload[:2] + bytes(100)
        self.look(all)
        self.assertEqual(self.counts(), (145, 1, 0, 1))

    def test_anotherStream(self) -> None:
        """What belongs to somebody else is damage."""
        self.follow(Witness(self.tally, STREAM + 1), encode(messages()))
        self.assertEqual(self.counts(), (0, 0, 0, 146))

    def test_notMeasured(self) -> None:
        """Before it is measured nothing counts."""
        self.tally.isMeasuring = False
        self.look(messages())
        self.assertEqual(self.counts(), (0, 0, 0, 0))
        self.assertEqual(len(self.tally.latencies), 0)


class ScannerTests(FollowerTestCase):
    def look(self, messages: list[Message], chunkSize: int = 4096, size: int = 1 << 20) -> None:
        self.follow(Scanner(self.tally, FORMAT), encode(messages, chunkSize), size)

    def test_all(self) -> None:
        """Every message is found, at any chunk size, however the bytes are cut."""
        for chunkSize in (128, 4096, 65536):
            for size in (1 << 20, 1448, 61, 7):
                self.tally.clear()
                self.look(messages(), chunkSize, size)
                self.assertEqual(self.counts(), (146, 0, 0, 0), (chunkSize, size))

    def test_missing(self) -> None:
        """A keyframe and more is missing."""
        all = messages()
        self.look([*all[:3], *all[4:30], *all[35:]], size=1448)
        self.assertEqual(self.counts()[:3], (140, 5, 0))

    def test_damaged(self) -> None:
        """A stamp whose kind or number can't be read is damage, and so missing as well; what follows is seen."""
        for at, byte in ((15, b"X"), (15, b"\0"), (24, b"x"), (31, b"\xff")):
            for size in (1 << 20, 61):
                self.tally.clear()
                all = messages()
                payload = all[20].payload
                at += payload.index(MARK)
                all[20].payload = payload[:at] + byte + payload[at + 1 :]
                at -= payload.index(MARK)
                self.look(all, size=size)
                self.assertEqual(self.counts(), (145, 1, 0, 1), (at, byte, size))

    def test_damagedBefore(self) -> None:
        """Before it is measured that does not count."""
        self.tally.isMeasuring = False
        all = messages()
        all[20].payload = all[20].payload.replace(MARK + b"P", MARK + b"X").replace(MARK + b"S", MARK + b"X")
        self.look(all)
        self.assertEqual(self.counts(), (0, 0, 0, 0))

    def test_reordered(self) -> None:
        """Two pictures have changed places."""
        all = messages()
        pictures = [index for index, message in enumerate(all) if message.type == 9][5:7]
        first, second = pictures
        all[first], all[second] = all[second], all[first]
        self.look(all)
        self.assertEqual(self.counts()[:3], (146, 1, 1))
