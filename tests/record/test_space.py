"""Tests for L{rtmptw.record.space}."""

from __future__ import annotations

import errno
import os
from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.limits import Limits
from rtmptw.record.space import MAX_LEFT, SPARE, NoSpace, Space, sizeText

GIB = 1024**3


class SpaceTests(SynchronousTestCase):
    """Disks of every size."""

    def setUp(self) -> None:
        """A disk of 100 GiB."""
        self.free, self.size = 50 * GIB, 100 * GIB
        self.asked: list[object] = []
        self.patch(os, "statvfs", self.statvfs)

    def statvfs(self, place: object) -> SimpleNamespace:
        """What the system says."""
        self.asked.append(place)
        # For root more is free than for others.
        return SimpleNamespace(f_bavail=self.free // 512, f_bfree=self.size, f_blocks=self.size // 512, f_frsize=512)

    def assertLimit(self, limits: Limits, left: int, name: str, spare: int = 0) -> None:
        """Assert that so much is to be left, exactly."""
        space = Space(limits)
        for self.free in (left + 512, left):
            space.require("/recordings", spare)
        self.free = left - 512
        error = self.assertRaises(NoSpace, space.require, "/recordings", spare)
        self.assertEqual((error.errno, error.limit), (errno.ENOSPC, name))
        self.assertEqual(
            str(error), f"{sizeText(left - 512)} of the disk are free, and {sizeText(left)} are to be left"
        )

    def test_diskFreeBytes(self) -> None:
        """C{diskFreeBytes}: so much is to be left."""
        self.assertLimit(Limits(diskFreeBytes=10 * GIB, diskFreePercent=0), 10 * GIB, "diskFreeBytes")
        self.assertEqual(self.asked, ["/recordings"] * 3)

    def test_diskFreePercent(self) -> None:
        """C{diskFreePercent}: such a part is to be left."""
        self.assertLimit(Limits(diskFreeBytes=0, diskFreePercent=25), 25 * GIB, "diskFreePercent")

    def test_larger(self) -> None:
        """Of both, what is more."""
        self.assertLimit(Limits(diskFreeBytes=1 * GIB, diskFreePercent=10), 10 * GIB, "diskFreePercent")
        self.assertLimit(Limits(diskFreeBytes=11 * GIB, diskFreePercent=10), 11 * GIB, "diskFreeBytes")

    def test_default(self) -> None:
        """By default: a GiB, or 5 percent."""
        self.assertLimit(Limits(), 5 * GIB, "diskFreePercent")
        self.size = 10 * GIB
        self.assertLimit(Limits(), GIB, "diskFreeBytes")

    def test_huge(self) -> None:
        """Of a huge disk, no more than 50 GiB."""
        self.size = 100_000 * GIB
        self.assertLimit(Limits(), MAX_LEFT, "diskFreePercent")
        self.assertEqual(MAX_LEFT, 50 * GIB)

    def test_spare(self) -> None:
        """What is asked for beyond that."""
        self.assertLimit(Limits(diskFreeBytes=GIB, diskFreePercent=0), GIB + SPARE, "diskFreeBytes", SPARE)

    def test_none(self) -> None:
        """With limits of 0 there is always enough."""
        self.free = 0
        Space(Limits(diskFreeBytes=0, diskFreePercent=0)).require("/recordings")

    def test_gone(self) -> None:
        """A directory that is gone is an error, and not a full disk."""
        self.patch(os, "statvfs", os.stat)
        error = self.assertRaises(FileNotFoundError, Space(Limits()).require, "/nowhere/at/all")
        self.assertNotIsInstance(error, NoSpace)

    def test_text(self) -> None:
        """Sizes, for people."""
        sizes = [0, 1023, 1024, 1536, 1024**2, 2.5 * 1024**3, 1024**4, 5000 * 1024**4]
        texts = ["0 bytes", "1023 bytes", "1.0 KiB", "1.5 KiB", "1.0 MiB", "2.5 GiB", "1.0 TiB", "5000.0 TiB"]
        self.assertEqual([sizeText(size) for size in sizes], texts)
