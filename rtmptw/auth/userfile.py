# -*- test-case-name: tests.auth.test_userfile -*-
"""
A file of users and their passwords.

::

    # who may publish
    camera:sesame
    studio:open:sesame

A line is a user, a colon and a password: all the rest of it, further colons and spaces too. What else is said of such
files is in L{rtmptw.auth.textfile}.

The passwords stand there as they are, since authentication by challenge needs them so (L{rtmptw.session.adobe}): nobody
else should be able to read the file.
"""

from __future__ import annotations

from twisted.logger import Logger

from rtmptw.auth.textfile import MAX_FILE, TextFileError, WatchedFile, readLines
from rtmptw.errors import StatusError
from rtmptw.session.adobe import MAX_USER
from rtmptw.session.streampath import checkText

__all__ = ["MAX_FILE", "MAX_PASSWORD", "UserFile", "UserFileError", "readUsers"]

#: The longest password, characters. FFmpeg takes only the first 49 bytes of one.
MAX_PASSWORD = 256

#: What can't be in a user's name: what ends it in a query, and what begins an encoded character there.
_NO_USER = " \t&?%"


class UserFileError(TextFileError):
    """The file can't be read, or says something else than users and passwords. The error names file and line."""


def readUsers(path: str) -> dict[str, str]:
    """
    Read a file of users.

    @return: passwords by user.
    @raise UserFileError: if that is not what it is. No password is ever part of the error.
    """
    users: dict[str, str] = {}

    def take(line: str) -> None:
        user, password = _readLine(line)
        if user in users:
            raise ValueError(f"the user {user} stands there already")
        users[user] = password

    readLines(path, take, UserFileError)
    return users


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
        self._file = WatchedFile(path, readUsers, "users", len)
        if not self._file.value():
            self._log.warn("{path}: it names no user yet, so nobody can publish", path=path)
        if self._file.isOpen:
            self._log.warn("{path}: everybody on this machine can read the passwords: chmod o-r", path=path)

    def password(self, user: str) -> str | None:
        """The password of a user; L{None} if there is no such user."""
        return self._file.value().get(user)
