"""
Fault F4: the power is cut at every moment of a recording, and what is left is recovered.
"""

from __future__ import annotations

import errno
import math
import os
import shutil
import tempfile
from pathlib import Path
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.record import flvfile
from rtmptw.record.flvfile import FLVFile, Tag
from rtmptw.record.recovery import recover
from tests.record.disk import makeDirectory, readTags
from tests.record.powercut import PowerCut

VIDEO = 9

#: How much time is between two writes, seconds.
STEP = 0.1

#: How often what may be left is built, after each change.
IMAGES = 6


class PowerCutTests(SynchronousTestCase):
    """A file from its beginning to its end, on a disk that can lose its power."""

    def setUp(self) -> None:
        """The time is ours."""
        self.root = makeDirectory(self)
        self.left = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.left)
        self.time = 0.0
        self.patch(flvfile, "monotonic", lambda: self.time)
        self.random = Random(4)
        self.noise = self.random.randbytes(200_000).replace(b"\0", b"\1")
        self.cut = PowerCut(self, self.root)
        self.cut.onStep = self.check
        #: Every tag, and when it was written.
        self.sent: list[tuple[float, Tag]] = []
        self.isFinished = False
        self.worst = 0.0
        self.images = 0

    def check(self) -> None:
        """Build what may be left, and see what becomes of it."""
        for _ in range(IMAGES):
            self.checkOne()

    def checkOne(self) -> None:
        """Once."""
        self.cut.build(self.left, self.random)
        # The machine has been started since.
        results = list(recover(str(self.left), booted=math.inf))
        files = [path for path in self.left.rglob("*") if path.is_file()]
        self.assertLessEqual(len(files), 1, results)
        count = 0
        if files:
            front = files[0].read_bytes()[:100]
            # If not so much as the first page has come to the disk, nobody can tell whose file it is.
            self.assertEqual(files[0].suffix, ".flv" if any(front) else ".part", results)
            tags = [] if not any(front) else [(tag.type, tag.timestamp, tag.payload) for tag in readTags(files[0])[1:]]
            count = len(tags)
            self.assertEqual(tags, [tag for _, tag in self.sent[:count]])
        if count < len(self.sent):
            self.assertFalse(self.isFinished)
            self.worst = max(self.worst, self.time - self.sent[count][0])
        self.images += 1
        for path in self.left.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def record(self, sizes: list[int]) -> None:
        """Record frames of these sizes, and finish."""
        # The disks that are built need not be forced to anything.
        file = FLVFile(str(self.root), "live/deep/camera")
        for number, size in enumerate(sizes):
            start = number * 31 % 100_000
            tag = (VIDEO, int(self.time * 1000), self.noise[start : start + size])
            self.sent.append((self.time, tag))
            file.write([tag])
            self.time += STEP
        file.finish()
        self.isFinished = self.cut.isAsleep = True
        self.check()

    def assertLossBounded(self) -> None:
        """Assert that no more than a second was ever lost, and that there was something to lose."""
        self.assertGreater(self.worst, 0.5)
        self.assertLessEqual(self.worst, 1.0 + 1e-6)

    def test_F4_smallFrames(self) -> None:
        """Fault F4: frames that are smaller than a page."""
        self.record([self.random.randint(1, 3000) for _ in range(45)])
        self.assertLossBounded()
        self.assertGreater(self.images, 300)

    def test_F4_largeFrames(self) -> None:
        """Fault F4: frames of many pages, of which each may be there or not."""
        self.record([self.random.randint(5_000, 60_000) for _ in range(45)])
        self.assertLossBounded()

    def test_F4_noLinks(self) -> None:
        """Fault F4: the same on a file system that can only rename."""

        def refuse(*arguments: object, **options: object) -> None:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))

        self.patch(os, "link", refuse)
        self.record([self.random.randint(1, 20_000) for _ in range(25)])
        self.assertLossBounded()
