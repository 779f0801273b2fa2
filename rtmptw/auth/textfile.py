# -*- test-case-name: tests.auth.test_textfile -*-
"""
A file of lines that somebody writes by hand: users, stream keys, secrets.

What begins with C{#}, and what is empty, is passed over. The file is UTF-8, and read again when it has changed
(L{WatchedFile}); if that goes wrong, what was read before counts, and the log says so, as it does if nothing is left in
it. An error names file and line, and never shows what stands there.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import Generic, TypeVar

from twisted.logger import Logger

from rtmptw.errors import RTMPError

__all__ = ["MAX_FILE", "TextFileError", "WatchedFile", "readLines"]

#: The largest file, bytes: it is read in the reactor's thread.
MAX_FILE = 1024 * 1024

_T = TypeVar("_T")


class TextFileError(RTMPError):
    """The file can't be read, or says something else than it should. The error names file and line."""


def readLines(path: str, take: Callable[[str], None], error: type[TextFileError] = TextFileError) -> None:
    """
    Read a file.

    @param take: given each line that says something; it raises ValueError with what is wrong with it.
    @param error: what to raise.
    @raise TextFileError: or what C{error} is, if the file is not what it should be.
    """
    try:
        with open(path, "rb", opener=_open) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise error(f"{path}: it is not a file")
            data = file.read(MAX_FILE + 1)
    except OSError as failure:
        raise error(f"{path}: {failure.strerror}") from failure
    if len(data) > MAX_FILE:
        raise error(f"{path}: it has more than {MAX_FILE} bytes")
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        try:
            text = line.decode().removesuffix("\r")
            if text.strip() and not text.startswith("#"):
                take(text)
        except UnicodeDecodeError:
            raise error(f"{path}, line {number}: it is not UTF-8") from None
        except ValueError as failure:
            raise error(f"{path}, line {number}: {failure}") from None


def _open(path: str, flags: int) -> int:
    """Open without waiting, as for the other end of a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


class WatchedFile(Generic[_T]):
    """
    What a file says, as it is now.

    @ivar path: where it is.
    @ivar isOpen: whether everybody on this machine could read it when it was read first.
    """

    _log = Logger()

    def __init__(self, path: str, read: Callable[[str], _T], what: str, count: Callable[[_T], int]) -> None:
        """
        @param read: reads it; raises L{TextFileError}.
        @param what: what is in it, for the log, as "users".
        @param count: how many there are.
        @raise TextFileError: if it can't be read.
        """
        self.path = path
        self._read = read
        self._what = what
        self._count = count
        self._state = self._look()
        self._told: tuple[int, ...] | None = None
        self.isOpen = bool(self._state and self._state[0] & stat.S_IROTH)
        self._value = read(path)

    def value(self) -> _T:
        """What it says. If it can't be read after a change, that is what it said before."""
        state = self._look()
        if state != self._state:
            try:
                self._value = self._read(self.path)
            except TextFileError as error:
                # What can't be opened, perhaps for want of descriptors, is tried again though it does not change.
                if not isinstance(error.__cause__, OSError):
                    self._state = state
                if state != self._told:
                    self._told = state
                    self._log.warn("{error}; the {what} are those from before", error=error, what=self._what)
            else:
                self._state, self._told = state, None
                self._tell(self._count(self._value))
        return self._value

    def _tell(self, count: int) -> None:
        """It was read again. That nothing is left is no error, but hardly meant so."""
        if count:
            self._log.info("{path}: read again; {count} {what}", path=self.path, count=count, what=self._what)
        else:
            self._log.warn(
                "{path}: read again; it has no {what} any more, so nobody gets through", path=self.path, what=self._what
            )

    def _look(self) -> tuple[int, ...]:
        """Its mode, and what changes when the file does: more than a time, which may be the same after two changes."""
        try:
            now = os.stat(self.path)
        except OSError:
            return ()
        return now.st_mode, now.st_mtime_ns, now.st_ctime_ns, now.st_size, now.st_ino
