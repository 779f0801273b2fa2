# -*- test-case-name: tests.gate.test_processmemory -*-
"""
The memory of this process: how much of it there is (resident), and how much there may be.

There may be what the machine has, or what the control group (cgroups(7)) allows, whichever is less. In a container the
path of the group is often not the one that the process is told, so its root is looked at, too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

__all__ = ["PEAK_SECONDS", "PeakMemory", "ResidentMemory", "memoryBudget", "residentMemory"]

#: For how many readings a peak counts as what there is now.
PEAK_SECONDS = 10

#: By the version of control groups: where they are, one place or another, and the file with the limit.
_GROUPS = {
    2: (("sys/fs/cgroup", "sys/fs/cgroup/unified"), "memory.max"),
    1: (("sys/fs/cgroup/memory",), "memory.limit_in_bytes"),
}


class ResidentMemory:
    """
    Linux, by C{/proc}. The file stays open: it has to be read when there are no descriptors left, too.
    """

    def __init__(self, path: str = "/proc/self/statm") -> None:
        self._path = path
        self._page = os.sysconf("SC_PAGE_SIZE")
        self._file: int | None = None

    def __call__(self) -> int:
        """
        @return: bytes; 0 if it can't be known now.
        """
        try:
            if self._file is None:
                # Not before it is needed: until then a daemon may have become another process.
                self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            return int(os.pread(self._file, 128, 0).split()[1]) * self._page
        except OSError:
            return 0

    def __del__(self) -> None:
        if self._file is not None:
            os.close(self._file)


class PeakMemory:
    """
    Other systems tell only how much it was at most. That is what there is now if it has grown of late; otherwise nobody
    knows, and nobody should have to go for it.
    """

    def __init__(self, peak: Callable[[], int]) -> None:
        """
        @param peak: gives the most that there has been, bytes.
        """
        self._peak = peak
        self._known = 0
        self._readings = 0

    def __call__(self) -> int:
        """
        @return: bytes; 0 if it is not known. To be called once a second.
        """
        peak = self._peak()
        self._readings = 0 if peak > self._known else self._readings + 1
        self._known = peak
        return peak if self._readings < PEAK_SECONDS else 0


def residentMemory(path: str = "/proc/self/statm") -> Callable[[], int]:
    """
    What tells how much memory this process has.

    @param path: where Linux says so.
    """
    if os.path.exists(path):
        return ResidentMemory(path)
    try:
        import resource
    except ImportError:
        return lambda: 0
    # Bytes on macOS, kibibytes elsewhere.
    unit = 1 if sys.platform == "darwin" else 1024
    return PeakMemory(lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


def memoryBudget(root: Path = Path("/")) -> int:
    """
    How much memory there may be.

    @param root: of the file system.
    @return: bytes; 0 if nobody knows.
    """
    return min([*_physical(), *_groupLimits(root)], default=0)


def _physical() -> Iterator[int]:
    names = ("SC_PHYS_PAGES", "SC_PAGE_SIZE")
    if all(name in getattr(os, "sysconf_names", ()) for name in names):
        yield os.sysconf(names[0]) * os.sysconf(names[1])


def _groupLimits(root: Path) -> Iterator[int]:
    """The limits of our group and all above it."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        version = 2 if number == "0" and not controllers else 1
        if version == 1 and "memory" not in controllers.split(","):
            continue
        places, name = _GROUPS[version]
        group = PurePosixPath(path.lstrip("/"))
        for place in places:
            for directory in (group, *group.parents):
                try:
                    yield int((root / place / directory / name).read_text())
                except (OSError, ValueError):
                    # It has none: no such group, or "max".
                    continue
