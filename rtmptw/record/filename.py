# -*- test-case-name: tests.record.test_filename -*-
"""
From a name to a file: safely, whatever a publisher has called its stream.

A name is made by percent-encoding whatever is not a letter, a digit or one of C{._~-}; a part of a stream's path can
neither be empty nor C{.} or C{..}, and a leading dot is encoded as well. How the names of a recording are put together
is a template's business (L{rtmptw.record.template}). The directories are opened one below the other, links not
followed, and the file must be new. The innermost one stays open until the file has its name, which must be new again:
so nothing outside of the recordings can be reached, nothing overwritten, and no path is too long.

A file that is being written is locked (C{flock}): so who cleans up after a crash knows which ones are nobody's any more
(L{rtmptw.record.recovery}).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from urllib.parse import quote

__all__ = [
    "MAX_NAME",
    "MAX_PART",
    "PARTIAL",
    "NewFile",
    "createFile",
    "fitName",
    "freeNames",
    "lock",
    "rename",
    "safeName",
    "syncDirectory",
]

#: The ending of a file that is still being written.
PARTIAL = ".part"

#: The longest name that is made from one part of a path, bytes.
MAX_PART = 180

#: The longest name of a file or directory, bytes; file systems take 255, and a number and endings are added.
MAX_NAME = 220

#: How many numbers are tried for a name that is taken, before it is one that nobody can have.
MAX_NUMBER = 100

_DIRECTORY_MODE = 0o750
_FILE_MODE = 0o640

#: What a file system says that has no links; no locks; nothing to be done to force a directory to the disk.
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS})
_NO_LOCKS = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL})
_NO_SYNC = frozenset({errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EBADF})


def safeName(part: str) -> str:
    """
    A file name for one part of a stream's path. Different parts have different names.

    A name that would be too long is cut, and ends in a hash of the part; no other name is as long as these are.
    """
    name = quote(part, safe="", errors="surrogateescape")
    if name.startswith("."):
        name = "%2E" + name[1:]
    return _cut(name, part, MAX_PART - 1)


def fitName(name: str) -> str:
    """A name that fits: as it is, or cut, and with a hash of what it was."""
    return _cut(name, name, MAX_NAME)


def _cut(name: str, whole: str, longest: int) -> str:
    if len(os.fsencode(name)) > longest:
        mark = hashlib.sha256(whole.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        room = longest + 1 - 17
        while len(os.fsencode(name)) > room:
            name = name[: min(room, len(name) - 1)]
        name = f"{name}-{mark}"
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
        rename(self._directory, self._last + PARTIAL, self._last)

    def remove(self) -> None:
        """
        Remove it.

        @raise OSError: if that can't be.
        """
        os.unlink(self._last + PARTIAL, dir_fd=self._directory)

    def settle(self) -> None:
        """
        Force the name that it has to the disk.

        @raise OSError: if that can't be.
        """
        syncDirectory(self._directory)

    def close(self) -> None:
        """
        Close both descriptors; with that, the lock is gone.

        @raise OSError: as L{os.close}; they are closed all the same.
        """
        try:
            os.close(self.file)
        finally:
            os.close(self._directory)


def createFile(root: str, name: str, ending: str) -> NewFile:
    """
    Create a new file.

    @param root: the directory of all recordings; it must exist.
    @param name: where below it, without the ending; what is between its slashes is a directory each.
    @param ending: such as C{".flv"}; the file has L{PARTIAL} behind it.
    @raise OSError: if that can't be, or if it is no name.
    """
    *parents, stem = name.split("/")
    if any(part in ("", ".", "..") for part in (*parents, stem)):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), name)
    directory = _openDirectory(root, parents)
    try:
        file, last = _openFile(directory, stem, ending)
    except BaseException:
        os.close(directory)
        raise
    return NewFile(file, directory, os.path.join(*parents, last))


def _openDirectory(root: str, parents: list[str]) -> int:
    """Open the innermost directory; make those that are missing."""
    directory = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    for parent in parents:
        try:
            # Made for an earlier recording; or a file or a link, and then it can't be opened as a directory.
            with contextlib.suppress(FileExistsError):
                os.mkdir(parent, _DIRECTORY_MODE, dir_fd=directory)
                syncDirectory(directory)
            inner = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
        finally:
            os.close(directory)
        directory = inner
    return directory


def freeNames(stem: str, ending: str) -> Iterator[str]:
    """The names that a file may have, best first; the last one is one that no other file has."""
    yield f"{stem}{ending}"
    for number in range(1, MAX_NUMBER):
        yield f"{stem}-{number}{ending}"
    yield f"{stem}-{secrets.token_hex(8)}{ending}"


def _openFile(directory: int, stem: str, ending: str) -> tuple[int, str]:
    """Create the file under the first name that is free; give its descriptor and the name, without L{PARTIAL}."""
    for name in freeNames(stem, ending):
        if _exists(name, directory):
            continue
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with contextlib.suppress(FileExistsError):
            file = os.open(name + PARTIAL, flags, _FILE_MODE, dir_fd=directory)
            try:
                # Who cleans up may have taken it for an old one, and have locked or removed it meanwhile.
                isOurs = lock(file) is not False and os.fstat(file).st_nlink > 0
            except BaseException:
                os.close(file)
                raise
            if isOurs:
                return file, name
            os.close(file)
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), stem + ending)


def lock(file: int) -> bool | None:
    """
    Lock a file, until its descriptor is closed.

    @return: L{False} if somebody else has locked it; L{None} if the file system has no locks.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return None
        raise
    return True


def rename(directory: int, old: str, new: str) -> None:
    """
    Give a file another name in the same directory.

    @param directory: its descriptor.
    @raise OSError: if that can't be, such as L{FileExistsError}: what has the name now is not overwritten.
    """
    try:
        os.link(old, new, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if _exists(new, directory):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new) from error
        os.rename(old, new, src_dir_fd=directory, dst_dir_fd=directory)
    else:
        # A power cut must not take the one name and not leave the other.
        syncDirectory(directory)
        os.unlink(old, dir_fd=directory)


def syncDirectory(directory: int) -> None:
    """
    Force what names there are in a directory to the disk.

    @param directory: its descriptor.
    @raise OSError: if that can't be; but not if the file system knows no such thing.
    """
    try:
        os.fsync(directory)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def _exists(name: str, directory: int) -> bool:
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
