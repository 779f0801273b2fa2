# -*- test-case-name: tests.record.test_space -*-
"""
The space that is left on the disk of the recordings.

A disk that is full to the last byte harms more than recordings. So before a file is begun, and each second while one
is written, the system is asked how much is free; what is to be left counts as full. Asking may block: it belongs into
the thread that writes.
"""

from __future__ import annotations

import errno
import os

from rtmptw.limits import Limits

__all__ = ["MAX_LEFT", "SPARE", "NoSpace", "Space", "sizeText"]

#: However large a disk is, a percentage of it means no more than this, bytes.
MAX_LEFT = 50 * 1024**3

#: A disk that was full must have so much more, bytes, before recording goes on: or it would be full again at once, and
#: every try would leave a tiny file.
SPARE = 1024**2

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


class NoSpace(OSError):
    """
    There is less space than is to be left.

    @ivar limit: the limit that says so, the name of a field of L{Limits}.
    """

    def __init__(self, limit: str, free: int, left: int) -> None:
        super().__init__(errno.ENOSPC, f"{sizeText(free)} of the disk are free, and {sizeText(left)} are to be left")
        self.limit = limit

    def __str__(self) -> str:
        return str(self.args[1])


class Space:
    """What is to be left on a disk."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def require(self, place: str | int, spare: int = 0) -> None:
        """
        Ask whether there is space.

        @param place: a path, or a descriptor, on the disk in question.
        @param spare: how much more than what is to be left there must be, bytes.
        @raise NoSpace: if there is too little.
        @raise OSError: if the system can't tell.
        """
        found = os.statvfs(place)
        free = found.f_bavail * found.f_frsize
        part = min(int(found.f_blocks * found.f_frsize * self._limits.diskFreePercent / 100), MAX_LEFT)
        left = max(self._limits.diskFreeBytes, part)
        if free < left + spare:
            limit = "diskFreeBytes" if self._limits.diskFreeBytes >= part else "diskFreePercent"
            raise NoSpace(limit, free, left + spare)


def sizeText(size: float) -> str:
    """
    A number of bytes for people.

        >>> sizeText(1536)
        '1.5 KiB'
    """
    unit = 0
    while size >= 1024 and unit < len(_UNITS) - 1:
        size /= 1024
        unit += 1
    return f"{size:.{1 if unit else 0}f} {_UNITS[unit]}"
