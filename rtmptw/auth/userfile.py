# -*- test-case-name: tests.auth.test_userfile -*-
"""
A file of users and their passwords.

::

    # who may publish
    camera:sesame
    studio:open:sesame

A line is a user, a colon and a password: all the rest of it, further colons and spaces too. What begins with C{#}, and
what is empty, is passed over. The file is UTF-8, and read again when it has changed.

The passwords stand there as they are, since authentication by challenge needs them so (L{rtmptw.session.adobe}): nobody
else should be able to read the file.
"""

from __future__ import annotations

import os
import stat

from twisted.logger import Logger

from rtmptw.errors import RTMPError, StatusError
from rtmptw.session.adobe import MAX_USER
from rtmptw.session.streampath import checkText

__all__ = ["MAX_FILE", "MAX_PASSWORD", "UserFile", "UserFileError", "readUsers"]

#: The largest file, bytes: it is read in the reactor's thread.
MAX_FILE = 1024 * 1024

#: The longest password, characters. FFmpeg takes only the first 49 bytes of one.
MAX_PASSWORD = 256

#: What can't be in a user's name: what ends it in a query, and what begins an encoded character there.
_NO_USER = " \t&?%"


class UserFileError(RTMPError):
    """The file can't be read, or says something else than users and passwords. The error names file and line."""


def readUsers(path: str) -> dict[str, str]:
    """
    Read a file of users.

    @return: passwords by user.
    @raise UserFileError: if that is not what it is. No password is ever part of the error.
    """
    try:
        with open(path, "rb", opener=_open) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UserFileError(f"{path}: it is not a file")
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise UserFileError(f"{path}: {error.strerror}") from None
    if len(data) > MAX_FILE:
        raise UserFileError(f"{path}: it has more than {MAX_FILE} bytes")
    users: dict[str, str] = {}
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        try:
            text = line.decode().removesuffix("\r")
            if text.strip() and not text.startswith("#"):
                user, password = _readLine(text)
                if user in users:
                    raise ValueError(f"the user {user} stands there already")
                users[user] = password
        except UnicodeDecodeError:
            raise UserFileError(f"{path}, line {number}: it is not UTF-8") from None
        except ValueError as error:
            raise UserFileError(f"{path}, line {number}: {error}") from None
    return users


def _open(path: str, flags: int) -> int:
    """Open without waiting, as for the other end of a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _readLine(text: str) -> tuple[str, str]:
    """
    @raise ValueError: if a line is not what it should be.
    """
    user, colon, password = text.partition(":")
    # What has no colon may be a password: it is not shown.
    if not colon:
        raise ValueError("there is no colon between a user and a password")
    if not user or not password:
        raise ValueError(f"there is no {'password' if user else 'user'}")
    if any(character in _NO_USER for character in user):
        raise ValueError("a user can't have spaces, &, ? or % in its name")
    try:
        checkText("user", user, MAX_USER)
        checkText("password", password, MAX_PASSWORD)
    except StatusError as error:
        raise ValueError(error.description) from None
    return user, password


class UserFile:
    """
    The users of a file, as it is now.

    If it can't be read after a change, the users are those from before; the log says so.
    """

    _log = Logger()

    def __init__(self, path: str) -> None:
        """
        @raise UserFileError: if it can't be read.
        """
        self._path = path
        self._state = self._look()
        self._users = readUsers(path)
        if not self._users:
            self._log.warn("{path}: it names no user yet, so nobody can publish", path=path)
        if self._state and self._state[0] & stat.S_IROTH:
            self._log.warn("{path}: everybody on this machine can read the passwords: chmod o-r", path=path)

    def password(self, user: str) -> str | None:
        """The password of a user; L{None} if there is no such user."""
        state = self._look()
        if state != self._state:
            self._state = state
            try:
                self._users = readUsers(self._path)
            except UserFileError as error:
                self._log.warn("{error}; the users are those from before", error=error)
            else:
                self._log.info("{path}: read again; {count} users", path=self._path, count=len(self._users))
        return self._users.get(user)

    def _look(self) -> tuple[int, ...]:
        """Its mode, and what changes when the file does: more than a time, which may be the same after two changes."""
        try:
            now = os.stat(self._path)
        except OSError:
            return ()
        return now.st_mode, now.st_mtime_ns, now.st_ctime_ns, now.st_size, now.st_ino
