# -*- test-case-name: tests.record.test_recovery -*-
"""
Recovery: what a crash has left is made into finished recordings.

A file whose name ends in C{.part}, and which nobody writes (whoever writes has it locked), is cut behind its last whole
tag, is given its duration and size, and then its name. What has nothing in it is removed. What is no file of ours is
left alone. Links are not followed, and nothing is overwritten.

A killed process loses nothing of what it had written. After a power cut, what was written since the last time that it
was forced to the disk may be there in parts: some pages of the disk are as they should be, others hold zeros. So each
tag must have its size behind it once more; and the end of a file that the machine has not written since it was started
must have no page of zeros. No codec makes one, but silence that is not compressed is nothing else: PCM is passed over.

Files are large and many: of all but the end, the headers of tags are read only.

Everything here may block: it belongs into a thread.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Generator, Iterator
from typing import NamedTuple

from rtmptw.record.filename import PARTIAL, freeNames, lock, rename, syncDirectory
from rtmptw.record.flvfile import FRONT_SIZE, SYNC_BYTES, isFront, putNumbers
from rtmptw.record.template import ENDING
from rtmptw.wire.flv import fileHeader
from rtmptw.wire.message import MAX_MESSAGE_SIZE, MessageType

__all__ = ["MAX_DEPTH", "PAGE", "TAIL", "Recovered", "Scan", "recover", "scan"]

#: How deep directories may lie in each other; a stream's path has no more parts.
MAX_DEPTH = 256

#: How much of a file may not have been forced to the disk, bytes: what makes it be, and a message more.
TAIL = SYNC_BYTES + MAX_MESSAGE_SIZE + 1024 * 1024

#: What a disk writes as a whole, bytes.
PAGE = 4096

#: How much is read to look at headers, and at what may be zeros, bytes.
_LOOK, _BLOCK = PAGE, 64 * 1024

_TAG_HEADER_SIZE, _BACK_POINTER_SIZE = 11, 4
_TYPE_MASK = 0x1F

# The first byte of audio (annex E.4.2.1): linear PCM of the machine's order, or little endian, whose samples have 16
# bits. With 8 bits silence is 0x80. It is never 0, so a page that holds it is no page of zeros.
_SILENT_FORMATS, _16_BIT = (0, 3), 0x02


class Scan(NamedTuple):
    """
    What is in a file.

    @ivar size: where its last whole tag ends, bytes.
    @ivar tags: how many of them there are.
    @ivar end: the time of the last audio or video, ms.
    """

    size: int
    tags: int
    end: int


class Recovered(NamedTuple):
    """
    What was done about a file.

    @ivar found: its name, relative to the directory of all recordings.
    @ivar file: the name that it has now; nothing, if it was removed or left alone.
    @ivar seconds: its duration.
    @ivar bytes: its size.
    @ivar problem: why it was left alone; nothing, if it was not.
    """

    found: str
    file: str = ""
    seconds: float = 0.0
    bytes: int = 0
    problem: str = ""


def scan(file: int, limit: int | None = None, start: Scan | None = None) -> Scan:
    """
    Find the end of the last whole tag.

    @param file: the descriptor of a file that begins as ours do.
    @param limit: do not look at what is behind this, bytes.
    @param start: what was found already, if something was.
    @raise OSError: if it can't be read.
    """
    size = os.fstat(file).st_size if limit is None else limit
    good, count, end = start or (len(fileHeader()), 0, 0)
    data, front = b"", 0
    if size < good:
        return start or Scan(0, 0, 0)

    def read(position: int, length: int) -> bytes:
        nonlocal data, front
        if not front <= position <= position + length <= front + len(data):
            data, front = os.pread(file, _LOOK, position), position
        return data[position - front : position - front + length]

    while good + _TAG_HEADER_SIZE <= size:
        header = read(good, _TAG_HEADER_SIZE)
        if len(header) < _TAG_HEADER_SIZE:
            # Somebody has made it shorter.
            break
        length = _TAG_HEADER_SIZE + int.from_bytes(header[1:4])
        behind = good + length + _BACK_POINTER_SIZE
        # A tag of ours has a type and no stream ID.
        if not header[0] & _TYPE_MASK or any(header[8:]) or behind > size:
            break
        if int.from_bytes(read(good + length, _BACK_POINTER_SIZE)) != length:
            break
        if header[0] in (MessageType.AUDIO, MessageType.VIDEO):
            end = max(end, int.from_bytes(header[4:7]) | header[7] << 24)
        good, count = behind, count + 1
    return Scan(good, count, end)


def _firstHole(file: int, start: int, size: int) -> int | None:
    """Where the first page is that holds nothing but zeros."""
    position = -(-start // PAGE) * PAGE
    zeros = bytes(PAGE)
    while position + PAGE <= size:
        block = os.pread(file, _BLOCK, position)
        for offset in range(0, min(len(block), size - position) - PAGE + 1, PAGE):
            if block[offset : offset + PAGE] == zeros:
                return position + offset
        position += max(PAGE, len(block) // PAGE * PAGE)
    return None


def _beforeHoles(file: int, found: Scan) -> Scan:
    """
    What is before the first page that never came to the disk.

    @param found: what there is without that.
    """
    good, position = None, max(0, found.size - TAIL)
    while (hole := _firstHole(file, position, found.size)) is not None:
        good = scan(file, hole, good)
        # The tag that the page is in.
        header = os.pread(file, _TAG_HEADER_SIZE + 1, good.size)
        isSound = len(header) > _TAG_HEADER_SIZE and header[0] == MessageType.AUDIO
        if not isSound or header[-1] >> 4 not in _SILENT_FORMATS or not header[-1] & _16_BIT:
            return good
        position = max(hole + PAGE, good.size + _TAG_HEADER_SIZE + int.from_bytes(header[1:4]))
    return found


def _bootTime() -> float:
    """When the machine was started, by the clock that files have their times from, seconds since 1970."""
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


def recover(root: str, booted: float | None = None) -> Generator[Recovered, None, None]:
    """
    Recover what there is, file by file: each step is the work on one of them.

    @param root: the directory of all recordings.
    @param booted: when the machine was started, seconds since 1970; if it is not given, the machine is asked. What was
        written since then has lost nothing.
    @raise OSError: if it can't be read.
    """
    if booted is None:
        booted = _bootTime()
    # Each is a directory, what is still to be looked at in it, and its name with a slash.
    directories: list[tuple[int, Iterator[os.DirEntry[str]], str]] = []

    def enter(directory: int, prefix: str) -> None:
        try:
            entries = os.scandir(directory)
        except BaseException:
            os.close(directory)
            raise
        directories.append((directory, entries, prefix))

    try:
        enter(os.open(root, os.O_RDONLY | os.O_DIRECTORY), "")
        while directories:
            directory, entries, prefix = directories[-1]
            entry = None
            try:
                entry = next(entries, None)
                if entry is None:
                    directories.pop()
                    os.close(directory)
                elif entry.is_dir(follow_symlinks=False):
                    if len(directories) < MAX_DEPTH:
                        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
                        enter(os.open(entry.name, flags, dir_fd=directory), f"{prefix}{entry.name}/")
                elif entry.name.endswith(PARTIAL) and entry.is_file(follow_symlinks=False):
                    result = _recoverFile(directory, entry.name, prefix, booted)
                    if result is not None:
                        yield result
            except OSError as error:
                name = entry.name if entry is not None else ""
                if entry is None and directories and directories[-1][0] == directory:
                    # What can't be read any further is at its end.
                    directories.pop()
                    os.close(directory)
                yield Recovered(f"{prefix}{name}", problem=error.strerror or str(error))
    finally:
        for directory, _, _ in directories:
            os.close(directory)


def _recoverFile(directory: int, name: str, prefix: str, booted: float) -> Recovered | None:
    """
    @return: L{None}, if somebody writes it, or has done something about it just now.
    @raise OSError: if nothing can be done.
    """
    try:
        file = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory)
    except FileNotFoundError:
        return None
    try:
        isOurs = lock(file)
        if isOurs is None:
            return Recovered(f"{prefix}{name}", problem="the file system has no locks: somebody may be writing it")
        status = os.fstat(file)
        if not isOurs or not stat.S_ISREG(status.st_mode) or not _isStill(directory, name, status):
            return None
        front = os.pread(file, FRONT_SIZE, 0)
        if not isFront(front):
            return Recovered(f"{prefix}{name}", problem="it is no recording of ours")
        found = scan(file)
        # A time that is still to come is the time of a clock that was wrong, then or now.
        if not booted <= status.st_mtime <= time.time():
            found = _beforeHoles(file, found)
        if not found.tags:
            os.unlink(name, dir_fd=directory)
            return Recovered(f"{prefix}{name}")
        os.ftruncate(file, found.size)
        putNumbers(file, found.size, found.end)
        os.fdatasync(file)
        last = _rename(directory, name, status)
        syncDirectory(directory)
        return Recovered(f"{prefix}{name}", f"{prefix}{last}", found.end / 1000, found.size)
    finally:
        os.close(file)


def _isStill(directory: int, name: str, status: os.stat_result) -> bool:
    """Whether it is still this file that has the name."""
    try:
        return os.path.samestat(os.stat(name, dir_fd=directory, follow_symlinks=False), status)
    except FileNotFoundError:
        return False


def _rename(directory: int, name: str, status: os.stat_result) -> str:
    """Give a file its name, or one like it that is free."""
    last = name.removesuffix(PARTIAL)
    if _isStill(directory, last, status):
        # It has got its name already, and only the other one was not taken away any more.
        os.unlink(name, dir_fd=directory)
        return last
    ending = ENDING if last.endswith(ENDING) else ""
    for free in freeNames(last.removesuffix(ending), ending):
        with contextlib.suppress(FileExistsError):
            rename(directory, name, free)
            return free
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), last)
