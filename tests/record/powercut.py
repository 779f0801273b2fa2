"""
A disk that can lose its power: every call that changes it is kept, and what would be left of them after a power cut can
be built, as often as one likes, each time otherwise.

What was forced to the disk (C{fdatasync}, C{fsync}) is there. Of what came behind that, each page of 4 KiB may be there
or not (then it is what it was before, or zeros), the size may be the old one or any that it had; and each name that was
given or taken, in whatever order, may be there or not.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

__all__ = ["PAGE", "PowerCut"]

PAGE = 4096


@dataclass
class _Content:
    """
    A file's bytes.

    @ivar safe: what is forced to the disk.
    @ivar now: what the system says there is.
    """

    safe: bytearray = field(default_factory=bytearray)
    now: bytearray = field(default_factory=bytearray)


class PowerCut:
    """
    Watches the calls of one test.

    @ivar steps: how many changes there were.
    @ivar onStep: called after each of them; what it does itself is not watched.
    @ivar isAsleep: whether nothing is watched.
    """

    def __init__(self, test: SynchronousTestCase, root: Path) -> None:
        self._root = root
        #: By number: a file's content; by device and inode, its number.
        self._contents: list[_Content] = []
        self._numbers: dict[tuple[int, int], int] = {}
        #: By path: the file's number, or L{None} for a directory. What is safe, and what was done since.
        self._names: dict[str, int | None] = {}
        self._changes: list[tuple[str, str, int | None]] = []
        self.steps = 0
        self.isAsleep = False
        self.onStep = lambda: None
        for name in ("open", "mkdir", "pwrite", "ftruncate", "fdatasync", "fsync", "link", "unlink", "rename"):
            setattr(self, f"_{name}", getattr(os, name))
            # What is done to the disks that are built need not take its time.
            real = (lambda file: None) if "sync" in name else getattr(os, name)
            test.patch(os, name, self._watch(real, getattr(self, f"do_{name}")))

    def _watch(self, real: Callable[..., Any], watched: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            return (real if self.isAsleep else watched)(*arguments, **options)

        return call

    def _path(self, directory: int | None, name: str) -> str:
        above = os.readlink(f"/proc/self/fd/{directory}") if directory is not None else ""
        return os.path.relpath(os.path.join(above, name), self._root)

    def _number(self, file: int) -> int:
        status = os.fstat(file)
        return self._numbers[status.st_dev, status.st_ino]

    def _step(self) -> None:
        self.steps += 1
        self.isAsleep = True
        self.onStep()
        self.isAsleep = False

    # What is called

    def do_open(self, path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        """Remember new files."""
        file: int = self._open(path, flags, mode, dir_fd=dir_fd)  # type: ignore[attr-defined]
        if flags & os.O_CREAT:
            status = os.fstat(file)
            self._numbers[status.st_dev, status.st_ino] = len(self._contents)
            self._changes.append(("name", self._path(dir_fd, path), len(self._contents)))
            self._contents.append(_Content())
            self._step()
        return file

    def do_mkdir(self, path: str, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        """Remember new directories."""
        self._mkdir(path, mode, dir_fd=dir_fd)  # type: ignore[attr-defined]
        self._changes.append(("name", self._path(dir_fd, path), None))
        self._step()

    def do_pwrite(self, file: int, data: Any, position: int) -> int:
        """Remember what was written."""
        written: int = self._pwrite(file, data, position)  # type: ignore[attr-defined]
        now = self._contents[self._number(file)].now
        now.extend(bytes(max(0, position + written - len(now))))
        now[position : position + written] = bytes(data[:written])
        self._step()
        return written

    def do_ftruncate(self, file: int, size: int) -> None:
        """Remember what was cut off."""
        self._ftruncate(file, size)  # type: ignore[attr-defined]
        del self._contents[self._number(file)].now[size:]
        self._step()

    def do_fdatasync(self, file: int) -> None:
        """What is there, is safe."""
        self._fdatasync(file)  # type: ignore[attr-defined]
        content = self._contents[self._number(file)]
        content.safe = bytearray(content.now)
        self._step()

    def do_fsync(self, directory: int) -> None:
        """What names there are in a directory, is safe."""
        self._fsync(directory)  # type: ignore[attr-defined]
        here = os.path.relpath(os.readlink(f"/proc/self/fd/{directory}"), self._root)
        rest = []
        for change in self._changes:
            if os.path.dirname(change[1]) == ("" if here == "." else here):
                self._apply(self._names, change)
            else:
                rest.append(change)
        self._changes = rest
        self._step()

    def do_link(self, old: str, new: str, *, src_dir_fd: int, dst_dir_fd: int, follow_symlinks: bool) -> None:
        """Remember the name."""
        self._link(old, new, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd, follow_symlinks=follow_symlinks)  # type: ignore[attr-defined]
        self._changes.append(("name", self._path(dst_dir_fd, new), self._find(self._path(src_dir_fd, old))))
        self._step()

    def do_unlink(self, name: str, *, dir_fd: int) -> None:
        """Remember that it is gone."""
        path = self._path(dir_fd, name)
        self._unlink(name, dir_fd=dir_fd)  # type: ignore[attr-defined]
        self._changes.append(("forget", path, None))
        self._step()

    def do_rename(self, old: str, new: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        """Remember the one name, and that the other is gone: both or none."""
        self._rename(old, new, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)  # type: ignore[attr-defined]
        path = self._path(src_dir_fd, old)
        self._changes.append((f"move {self._path(dst_dir_fd, new)}", path, self._find(path)))
        self._step()

    def _find(self, path: str) -> int | None:
        names = dict(self._names)
        for change in self._changes:
            self._apply(names, change)
        return names[path]

    @staticmethod
    def _apply(names: dict[str, int | None], change: tuple[str, str, int | None]) -> None:
        what, path, number = change
        if what == "name":
            names[path] = number
        else:
            names.pop(path, None)
            if what.startswith("move "):
                names[what.removeprefix("move ")] = number

    # What is left

    def build(self, root: Path, random: Random) -> None:
        """Build what may be left, in an empty directory."""
        names = dict(self._names)
        for change in self._changes:
            if random.random() < 0.5:
                self._apply(names, change)
        places: dict[int, Path] = {}
        for path, number in sorted(names.items(), key=lambda item: (item[1] is not None, item[0])):
            place = root / path
            if number is None:
                if place.parent.is_dir():
                    place.mkdir()
            elif place.parent.is_dir():
                if number in places:
                    self._link(places[number], place)  # type: ignore[attr-defined]
                else:
                    place.write_bytes(_left(self._contents[number], random))
                    places[number] = place


def _left(content: _Content, random: Random) -> bytes:
    safe, now = bytes(content.safe), bytes(content.now)
    left = bytearray(safe)
    highest = len(safe)
    probability = random.choice((0.0, 0.2, 0.5, 0.8, 1.0))
    for start in range(0, len(now), PAGE):
        page = now[start : start + PAGE]
        if page != safe[start : start + PAGE] and random.random() < probability:
            left.extend(bytes(max(0, start + len(page) - len(left))))
            left[start : start + len(page)] = page
            highest = max(highest, start + len(page))
    size = random.choice((highest, len(now), random.randint(len(safe), max(len(safe), len(now)))))
    left.extend(bytes(max(0, size - len(left))))
    return bytes(left[:size])
