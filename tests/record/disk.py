"""
What stands for the disk and its thread.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.wire.flv import FLVReader, FLVTag

_T = TypeVar("_T")


def makeDirectory(test: SynchronousTestCase) -> Path:
    """A directory for recordings, with nothing else beside it, that is removed after the test."""
    outer = Path(tempfile.mkdtemp())
    test.addCleanup(shutil.rmtree, outer, ignore_errors=True)
    root = outer / "recordings"
    root.mkdir()
    return root


def listing(root: Path) -> list[str]:
    """Every file, link and directory that there is below a directory, but for the directory itself."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def readTags(path: Path) -> list[FLVTag]:
    """
    The tags of a file.

    @raise AssertionError: if the file does not end behind one.
    """
    reader = FLVReader()
    tags = reader.feed(path.read_bytes())
    if reader.pending:
        raise AssertionError(f"{path} ends within a tag")
    return tags


class HandThread:
    """
    A thread that does a thing only when it is told to.

    @ivar waiting: what is to be done.
    """

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[[], object], Deferred[object]]] = []

    def run(self, work: Callable[[], _T]) -> Deferred[_T]:
        """Take work."""
        done: Deferred[_T] = Deferred()
        self.waiting.append((work, done))  # type: ignore[arg-type]
        return done

    def step(self) -> None:
        """Do the first thing that waits."""
        work, done = self.waiting.pop(0)
        try:
            result = work()
        except Exception:
            done.errback(Failure())
        else:
            done.callback(result)

    def finish(self) -> None:
        """Do everything."""
        while self.waiting:
            self.step()


class DescriptorWatch:
    """
    Watches L{os.open} and L{os.close} during a test.

    @ivar open: the descriptors that are open.
    @ivar failing: the descriptor that gives an error when it is closed (it is closed all the same, as a real one is).
    """

    def __init__(self, test: SynchronousTestCase) -> None:
        self.open: list[int] = []
        self.failing: int | None = None
        self._open, self._close = os.open, os.close
        test.patch(os, "open", self._opened)
        test.patch(os, "close", self._closed)

    def _opened(self, *arguments: Any, **options: Any) -> int:
        file = self._open(*arguments, **options)
        self.open.append(file)
        return file

    def _closed(self, file: int) -> None:
        self._close(file)
        # Fails if it is closed for the second time.
        self.open.remove(file)
        if file == self.failing:
            raise OSError(errno.EIO, os.strerror(errno.EIO))


class FullDisk:
    """
    A disk that is full after so many bytes: put it in the place of L{os.pwrite}.

    A write that does not fit is written in part first, as a real one is, and fails when it is tried again.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self._pwrite = os.pwrite

    def __call__(self, file: int, data: bytes, position: int) -> int:
        """See L{os.pwrite}."""
        if len(data) == 8 and position < 100:
            # The numbers at the end have their place already.
            return self._pwrite(file, data, position)
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self._pwrite(file, data[: self.room], position)
        self.room -= written
        return written
