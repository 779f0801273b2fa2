# -*- test-case-name: tests.record.test_reel -*-
"""
The reel: the files of one recording, one after another, at the side of the disk.

Everything here may block: it belongs into a thread, one at a time for each reel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import NamedTuple

from twisted.python.failure import Failure

from rtmptw.record.flvfile import FLVFile, Tag
from rtmptw.record.segment import Beginning, Entry
from rtmptw.record.space import SPARE, Space

__all__ = ["LOOK_SECONDS", "Finished", "Reel"]

#: How often the disk is asked whether there is space, and whether the file is still there, seconds.
LOOK_SECONDS = 1.0


class Finished(NamedTuple):
    """
    A file that is done with.

    @ivar file: its name, relative to the directory of recordings; with C{.part} behind it if it could not be finished;
        nothing, if somebody has removed it.
    @ivar seconds: its duration.
    @ivar bytes: its size.
    @ivar failure: why it could not be finished.
    """

    file: str
    seconds: float
    bytes: int
    failure: Failure | None = None


class Reel:
    """
    The files of one recording.

    @ivar count: how many there are that hold something, and that nothing will be added to.
    @ivar written: how many tags were written, in all of them.
    """

    def __init__(self, root: str, create: Callable[[Beginning, int], FLVFile], space: Space) -> None:
        """
        @param root: the directory of all recordings.
        @param create: makes a new file; it is given what begins, and which of the files it is, from 1 on.
        """
        self._root = root
        self._create = create
        self._space = space
        self._file: FLVFile | None = None
        self._before = 0
        self._looked = 0.0
        self._finished: list[Finished] = []
        self.count = 0

    @property
    def written(self) -> int:
        """See the class."""
        return self._before + (self._file.count if self._file is not None else 0)

    @property
    def name(self) -> str:
        """The name that the file which is being written will have; nothing, if there is none."""
        return self._file.name if self._file is not None else ""

    def write(self, entries: Sequence[Entry]) -> None:
        """
        Write what belongs into one file; or what begins the next one, and belongs into that.

        @raise OSError: if something could not be written. What was before is good, and to be L{finish}ed.
        """
        tags: list[Tag] = []
        for entry in entries:
            if isinstance(entry, Beginning):
                self.finish()
                self._begin(entry)
            else:
                tags.append(entry)
        assert self._file is not None
        if monotonic() - self._looked >= LOOK_SECONDS:
            self._space.require(self._file.descriptor())
            self._looked = monotonic()
        self._file.write(tags)

    def _begin(self, beginning: Beginning) -> None:
        self._space.require(self._root, SPARE if beginning.isAgain else 0)
        self._file = self._create(beginning, self.count + 1)
        self._looked = monotonic()

    def finish(self) -> None:
        """Finish the file that is being written, if there is one."""
        file, self._file = self._file, None
        if file is None:
            return
        failure = None
        try:
            file.finish()
        except Exception:
            failure = Failure()
        self._before += file.count
        if file.size:
            self.count += 1
            self._finished.append(Finished(file.place, file.end / 1000, file.size, failure))

    def takeFinished(self) -> list[Finished]:
        """What was finished since the last time."""
        finished, self._finished = self._finished, []
        return finished
