# -*- test-case-name: tests.record.test_filename -*-
"""
From a stream's path to a file: safely, whatever the publisher has called it.

Each part of a path becomes the name of a directory, the last one that of the file. A name is made by percent-encoding
whatever is not a letter, a digit or one of C{._~-}; a part can neither be empty nor C{.} or C{..} (those have no stream
path), and a leading dot is encoded as well. The directories are opened one below the other, links not followed, and the
file must be new: so nothing outside of the recordings can be reached, and nothing overwritten.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from datetime import datetime
from urllib.parse import quote

__all__ = ["MAX_PART", "PARTIAL", "createFile", "safeName"]

#: The ending of a file that is still being written.
PARTIAL = ".part"

#: The longest name that is made from one part of a path, bytes; file systems take 255, and an ending is added.
MAX_PART = 180

_DIRECTORY_MODE = 0o750
_FILE_MODE = 0o640


def safeName(part: str) -> str:
    """
    A file name for one part of a stream's path. Different parts have different names.

    A name that would be too long is cut, and ends in a hash of the part; no other name is as long as these are.
    """
    name = quote(part, safe="", errors="surrogateescape")
    if name.startswith("."):
        name = "%2E" + name[1:]
    if len(name) >= MAX_PART:
        mark = hashlib.sha256(part.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        name = f"{name[: MAX_PART - 17]}-{mark}"
    return name


def createFile(root: str, path: str, began: datetime, ending: str) -> tuple[int, str]:
    """
    Create a new file for a stream.

    @param root: the directory of all recordings; it must exist.
    @param path: the stream's path.
    @param began: when the publish began, in UTC: part of the name.
    @param ending: such as C{".flv"}; the file has L{PARTIAL} behind it.
    @return: a file descriptor for writing, and the name of the finished file, relative to C{root}.
    @raise OSError: if that can't be.
    """
    *parents, last = [safeName(part) for part in path.split("/")]
    stem = f"{last}-{began:%Y%m%dT%H%M%S}.{began.microsecond // 1000:03d}Z"
    directory = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for parent in parents:
            # Made for an earlier recording; or a file or a link, and then it can't be opened as a directory.
            with contextlib.suppress(FileExistsError):
                os.mkdir(parent, _DIRECTORY_MODE, dir_fd=directory)
            inner = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
            os.close(directory)
            directory = inner
        for number in range(100):
            name = f"{stem}-{number}{ending}" if number else f"{stem}{ending}"
            if _exists(name, directory):
                continue
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            try:
                return os.open(name + PARTIAL, flags, _FILE_MODE, dir_fd=directory), os.path.join(*parents, name)
            except FileExistsError:
                continue
        raise OSError(errno.EEXIST, os.strerror(errno.EEXIST), stem + ending)
    finally:
        os.close(directory)


def _exists(name: str, directory: int) -> bool:
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
