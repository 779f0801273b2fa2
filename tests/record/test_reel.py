"""Tests for L{rtmptw.record.reel}."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.limits import Limits
from rtmptw.record import reel as module
from rtmptw.record.flvfile import FLVFile
from rtmptw.record.reel import Reel
from rtmptw.record.segment import Beginning
from rtmptw.record.space import SPARE, NoSpace, Space
from tests.record.disk import FullDisk, listing, makeDirectory, readTags

BEGIN = Beginning(datetime(2024, 1, 2, tzinfo=UTC))
AGAIN = Beginning(datetime(2024, 1, 2, tzinfo=UTC), isAgain=True)
ONE, TWO = (9, 0, b"\x17\1one"), (9, 40, b"\x17\1two")


class ReelTests(SynchronousTestCase):
    """Files in a real directory."""

    def setUp(self) -> None:
        """A reel, and a disk that is large enough."""
        self.root = makeDirectory(self)
        self.time = 1000.0
        self.patch(module, "monotonic", lambda: self.time)
        self.free = 1024**3
        self.asked: list[object] = []
        self.patch(os, "statvfs", self.statvfs)
        self.reel = Reel(str(self.root), self.create, Space(Limits(diskFreeBytes=SPARE, diskFreePercent=0)))
        self.addCleanup(self.reel.finish)

    def create(self, beginning: Beginning, number: int) -> FLVFile:
        """Make a file."""
        return FLVFile(str(self.root), f"file{number}")

    def statvfs(self, place: object) -> SimpleNamespace:
        """What the system says."""
        self.asked.append(place)
        return SimpleNamespace(f_bavail=self.free, f_blocks=1024**3, f_frsize=1)

    def payloads(self, name: str) -> list[bytes]:
        """What is in a file, but for the metadata in front."""
        return [tag.payload for tag in readTags(self.root / name)][1:]

    def test_files(self) -> None:
        """One file after another, each finished before the next one begins."""
        self.reel.write([BEGIN, ONE])
        self.assertEqual((self.reel.name, self.reel.count, self.reel.written), ("file1.flv", 0, 1))
        self.reel.write([TWO])
        self.reel.write([BEGIN, TWO])
        self.assertEqual((self.reel.name, self.reel.count, self.reel.written), ("file2.flv", 1, 3))
        self.assertEqual(listing(self.root), ["file1.flv", "file2.flv.part"])
        self.reel.finish()
        self.assertEqual((self.reel.name, self.reel.count, self.reel.written), ("", 2, 3))
        self.assertEqual((self.payloads("file1.flv"), self.payloads("file2.flv")), ([ONE[2], TWO[2]], [TWO[2]]))
        one, two = self.reel.takeFinished()
        self.assertEqual(one, ("file1.flv", 0.04, (self.root / "file1.flv").stat().st_size, None))
        self.assertEqual(two[:2], ("file2.flv", 0.04))
        self.assertEqual(self.reel.takeFinished(), [])

    def test_finishNothing(self) -> None:
        """Without a file there is nothing to finish."""
        self.reel.finish()
        self.assertEqual((self.reel.takeFinished(), self.reel.count), ([], 0))

    def test_empty(self) -> None:
        """A file in which nothing is counts for nothing: the next one has its number."""
        self.patch(os, "pwrite", FullDisk(0))
        self.assertRaises(OSError, self.reel.write, [BEGIN, ONE])
        self.reel.finish()
        self.assertEqual((listing(self.root), self.reel.takeFinished(), self.reel.count), ([], [], 0))

    def test_cantFinish(self) -> None:
        """A file that can't be finished does not keep the next one from its beginning."""
        self.reel.write([BEGIN, ONE])
        (self.root / "file1.flv").write_text("precious")
        self.reel.write([BEGIN, TWO])
        (finished,) = self.reel.takeFinished()
        assert finished.failure is not None
        finished.failure.trap(FileExistsError)
        self.assertEqual(finished.file, "file1.flv.part")
        self.assertEqual(listing(self.root), ["file1.flv", "file1.flv.part", "file2.flv.part"])

    def test_noSpaceToBegin(self) -> None:
        """Before a file is begun there must be space; the one before is finished all the same."""
        self.reel.write([BEGIN, ONE])
        self.free = SPARE - 1
        self.assertRaises(NoSpace, self.reel.write, [BEGIN, TWO])
        self.assertEqual(listing(self.root), ["file1.flv"])
        self.assertEqual((self.reel.written, len(self.reel.takeFinished())), (1, 1))

    def test_again(self) -> None:
        """Where it was full there must be more."""
        for self.free in (SPARE, 2 * SPARE - 1):
            self.assertRaises(NoSpace, self.reel.write, [AGAIN, ONE])
        self.reel.write([BEGIN, ONE])
        self.free = 2 * SPARE
        self.reel.write([AGAIN, ONE])
        self.assertEqual(self.asked[:3], [str(self.root)] * 3)

    def test_noSpaceWhileWriting(self) -> None:
        """Each second the disk that the file is on is asked; not for every write."""
        self.reel.write([BEGIN, ONE])
        self.asked.clear()
        self.free = SPARE - 1
        for self.time in (1000.5, 1000.9):
            self.reel.write([ONE])
        self.assertEqual(self.asked, [])
        self.time = 1001.0
        self.assertRaises(NoSpace, self.reel.write, [TWO])
        self.assertEqual(len(self.asked), 1)
        self.assertIsInstance(self.asked[0], int)
        self.reel.finish()
        self.assertEqual(self.payloads("file1.flv"), [ONE[2]] * 3)

    def test_F7_removed(self) -> None:
        """Fault F7: the file is removed: that is noticed within a second, and nobody is told of a file."""
        self.reel.write([BEGIN, ONE])
        (self.root / "file1.flv.part").unlink()
        self.time += 1
        self.assertRaises(FileNotFoundError, self.reel.write, [TWO])
        self.reel.finish()
        (finished,) = self.reel.takeFinished()
        assert finished.failure is not None
        finished.failure.trap(FileNotFoundError)
        self.assertEqual((finished.file, listing(self.root)), ("", []))
