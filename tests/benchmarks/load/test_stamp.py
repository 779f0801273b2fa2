# -*- test-case-name: tests.benchmarks.load.test_stamp -*-
"""
Tests for L{benchmarks.load.stamp}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.load.stamp import MARK, STAMP_SIZE, Kind, Stamp, frameSum, makeStamp, readStamp

HEAD = MARK + Kind.PICTURE.value
BEFORE, BEHIND = b"before", bytes(range(256))


def stamped(stream: int = 7, sequence: int = 1234, time: int = 5_000_000_000, start: int = len(BEFORE)) -> bytes:
    around = frameSum(BEFORE + bytes(STAMP_SIZE) + BEHIND, start)
    return BEFORE + makeStamp(HEAD, stream, sequence, time, around) + BEHIND


class StampTests(SynchronousTestCase):
    def test_roundTrip(self) -> None:
        """What is stamped is read, at the extremes as well."""
        for stream, sequence, time in ((0, 0, 0), (7, 1234, 5_000_000_000), (0xFFFFFFFF, 0xFFFFFFFF, 2**63)):
            payload = stamped(stream, sequence, time)
            self.assertEqual(readStamp(payload, len(BEFORE)), Stamp(stream, sequence, time, True))

    def test_size(self) -> None:
        """A stamp is as long as it says, and free of zeros: no start code."""
        stamp = makeStamp(HEAD, 1, 2, 3, 4)
        self.assertEqual(len(stamp), STAMP_SIZE)
        self.assertNotIn(0, stamp)

    def test_sequenceWraps(self) -> None:
        """Beyond 32 bits it begins anew."""
        stamp = readStamp(stamped(sequence=2**32 + 5), len(BEFORE))
        assert stamp is not None
        self.assertEqual(stamp.sequence, 5)

    def test_everyBitCounts(self) -> None:
        """A byte that differs anywhere is seen: around the stamp, in it, and in its sum."""
        payload = stamped()
        for place in range(len(payload)):
            if len(BEFORE) <= place < len(BEFORE) + len(MARK):
                continue
            damaged = bytearray(payload)
            damaged[place] ^= 1
            stamp = readStamp(bytes(damaged), len(BEFORE))
            assert stamp is not None
            self.assertFalse(stamp.isWhole, place)

    def test_shortened(self) -> None:
        """Less than all, and more, is not whole."""
        for payload in (stamped()[:-1], stamped() + b"x"):
            stamp = readStamp(payload, len(BEFORE))
            assert stamp is not None
            self.assertFalse(stamp.isWhole)

    def test_noStamp(self) -> None:
        """No mark, a mark elsewhere, or half a stamp: none."""
        for payload in (b"", b"x" * 200, b"x" + stamped(), stamped()[: len(BEFORE) + STAMP_SIZE - 1]):
            self.assertIsNone(readStamp(payload, len(BEFORE)))

    def test_notHexadecimal(self) -> None:
        """What is no number is damage, not an error."""
        payload = bytearray(stamped())
        payload[len(BEFORE) + 16] = ord("z")
        self.assertEqual(readStamp(bytes(payload), len(BEFORE)), Stamp(-1, -1, -1, False))
