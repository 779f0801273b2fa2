# -*- test-case-name: tests.record.test_filename -*-
"""
From a stream's path to a file: safely, whatever the publisher has called it.

Each part of a path becomes the name of a directory, the last one that of the file. A name is made by percent-encoding
whatever is not a letter, a digit or one of C{._~-}; a part can neither be empty nor C{.} or C{..} (those have no stream
path), and a leading dot is encoded as well. The directories are opened one below the other, links not followed, and the
file must be new. The innermost one stays open until the file has its name, which must be new again: so nothing outside
of the recordings can be reached, nothing overwritten, and no path is too long.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from datetime import datetime
from urllib.parse import quote

__all__ = ["MAX_PART", "PARTIAL", "NewFile", "createFile", "safeName"]

#: The ending of a file that is still being written.
PARTIAL = ".part"

#: The longest name that is made from one part of a path, bytes; file systems take 255, and an ending is added.
MAX_PART = 180

_DIRECTORY_MODE = 0o750
_FILE_MODE = 0o640

#: What a file system says that has no links.
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS})


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


class NewFile:
    """
    A file that is being written, and the directory that it is in. Whoever has it must L{close} it once.

    @ivar file: its descriptor, for writing.
    @ivar name: the name of the finished file, relative to the directory of all recordings.
    """

    def __init__(self, file: int, directory: int, name: str) -> None:
        """
        @param directory: the descriptor of the innermost directory.
        """
        self.file = file
        self.name = name
        self._directory = directory
        self._last = os.path.basename(name)

    def keep(self) -> None:
        """
        Give it the name of the finished file.

        @raise OSError: if that can't be, such as L{FileExistsError}: what has the name now is not overwritten.
        """
        directory, last = self._directory, self._last
        partial = last + PARTIAL
        try:
            os.link(partial, last, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            if _exists(last, directory):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), last) from error
            os.rename(partial, last, src_dir_fd=directory, dst_dir_fd=directory)
        else:
            os.unlink(partial, dir_fd=directory)

    def remove(self) -> None:
        """
        Remove it.

        @raise OSError: if that can't be.
        """
        os.unlink(self._last + PARTIAL, dir_fd=self._directory)

    def close(self) -> None:
        """
        Close both descriptors.

        @raise OSError: as L{os.close}; they are closed all the same.
        """
        try:
            os.close(self.file)
        finally:
            os.close(self._directory)


def createFile(root: str, path: str, began: datetime, ending: str) -> NewFile:
    """
    Create a new file for a stream.

    @param root: the directory of all recordings; it must exist.
    @param path: the stream's path.
    @param began: when the publish began, in UTC: part of the name.
    @param ending: such as C{".flv"}; the file has L{PARTIAL} behind it.
    @raise OSError: if that can't be.
    """
    *parents, last = [safeName(part) for part in path.split("/")]
    stem = f"{last}-{began:%Y%m%dT%H%M%S}.{began.microsecond // 1000:03d}Z"
    directory = _openDirectory(root, parents)
    try:
        file, name = _openFile(directory, stem, ending)
    except BaseException:
        os.close(directory)
        raise
    return NewFile(file, directory, os.path.join(*parents, name))


def _openDirectory(root: str, parents: list[str]) -> int:
    """Open the innermost directory; make those that are missing."""
    directory = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    for parent in parents:
        try:
            # Made for an earlier recording; or a file or a link, and then it can't be opened as a directory.
            with contextlib.suppress(FileExistsError):
                os.mkdir(parent, _DIRECTORY_MODE, dir_fd=directory)
            inner = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
        finally:
            os.close(directory)
        directory = inner
    return directory


def _openFile(directory: int, stem: str, ending: str) -> tuple[int, str]:
    """Create the file under the first name that is free; give its descriptor and the name, without L{PARTIAL}."""
    for number in range(100):
        name = f"{stem}-{number}{ending}" if number else f"{stem}{ending}"
        if _exists(name, directory):
            continue
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with contextlib.suppress(FileExistsError):
            return os.open(name + PARTIAL, flags, _FILE_MODE, dir_fd=directory), name
    raise OSError(errno.EEXIST, os.strerror(errno.EEXIST), stem + ending)


def _exists(name: str, directory: int) -> bool:
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
