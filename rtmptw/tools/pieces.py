# -*- test-case-name: tests.tools.test_pieces -*-
"""
The bytes of a file or a pipe, a piece at a time, when they are asked for; the reactor never waits for them.

A regular file is read at once: it is always ready, and a reactor can't wait for one (epoll refuses it). Anything else,
a pipe as a rule, is read when the reactor says that there is something, and only then: so its descriptor need not be
made non-blocking, which the other programs that have it would notice.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import cast

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

__all__ = ["PIECE", "FilePieces", "PipePieces", "describeFile", "openPieces"]

#: How much is read at a time, bytes.
PIECE = 64 * 1024

_STANDARD = {0: "standard input", 1: "standard output", 2: "standard error"}


def describeFile(file: str | int) -> str:
    """
    A file's name for people.

    @param file: its path, or a descriptor.
    """
    return file if isinstance(file, str) else _STANDARD.get(file, f"file descriptor {file}")


def openPieces(file: str | int, reactor: IReactorFDSet) -> FilePieces | PipePieces:
    """
    Get ready to read.

    @param file: a path, or a descriptor that is open for reading; that one is not closed.
    @raise OSError: if that can't be.
    """
    # Without O_NONBLOCK a named pipe would wait here until somebody writes to it.
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK) if isinstance(file, str) else file
    owned = isinstance(file, str)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), describeFile(file))
        if stat.S_ISREG(mode):
            return FilePieces(descriptor, describeFile(file), owned)
        return PipePieces(descriptor, describeFile(file), owned, reactor)
    except BaseException:
        if owned:
            os.close(descriptor)
        raise


class FilePieces:
    """
    A regular file.

    @ivar name: its name, for people.
    """

    def __init__(self, descriptor: int, name: str, owned: bool) -> None:
        """
        @param owned: whether to close the descriptor at the end.
        """
        self.name = name
        self._descriptor = descriptor
        self._owned = owned
        # What is redirected to us need not begin at its beginning.
        self._start = os.lseek(descriptor, 0, os.SEEK_CUR)

    def read(self) -> Deferred[bytes]:
        """
        Read the next piece.

        @return: fires with at most L{PIECE} bytes; with none at the end. Fails with L{OSError}.
        """
        try:
            return succeed(os.read(self._descriptor, PIECE))
        except OSError as error:
            return fail(_named(error, self.name))

    def rewind(self) -> None:
        """Go back to where reading has begun."""
        os.lseek(self._descriptor, self._start, os.SEEK_SET)

    def close(self) -> None:
        """Read no more. Harmless when repeated."""
        if self._owned:
            self._owned = False
            os.close(self._descriptor)


@implementer(IReadDescriptor)
class PipePieces:
    """
    Anything else that can be read: a pipe, a terminal, a socket.

    @ivar name: its name, for people.
    """

    def __init__(self, descriptor: int, name: str, owned: bool, reactor: IReactorFDSet) -> None:
        """
        @param owned: whether to close the descriptor at the end.
        """
        self.name = name
        self._descriptor = descriptor
        self._owned = owned
        self._reactor = reactor
        self._reading: Deferred[bytes] | None = None

    def read(self) -> Deferred[bytes]:
        """
        Read the next piece; one at a time.

        @return: fires with at most L{PIECE} bytes, as soon as there are any; with none at the end. Fails with
            L{OSError}.
        """
        try:
            self._reactor.addReader(self)
        except OSError as error:
            # Not everything can be waited for.
            return fail(_named(error, self.name))
        self._reading = Deferred()
        return self._reading

    def close(self) -> None:
        """Read no more; what is waited for will not come. Harmless when repeated."""
        if self._reading is not None:
            self._reading = None
            self._reactor.removeReader(self)
        if self._owned:
            self._owned = False
            os.close(self._descriptor)

    # IReadDescriptor, for the reactor

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def logPrefix(self) -> str:
        """For Twisted's log."""
        return "PipePieces"

    def doRead(self) -> None:
        """There is something."""
        try:
            result: bytes | Failure = os.read(self._descriptor, PIECE)
        except BlockingIOError:
            # Somebody else was faster.
            return
        except OSError as error:
            result = Failure(_named(error, self.name))
        self._reactor.removeReader(self)
        self._fire(result)

    def connectionLost(self, reason: Failure) -> None:
        """The other end of the pipe is gone, and there is nothing in it any more."""
        self._fire(b"")

    def _fire(self, result: bytes | Failure) -> None:
        reading, self._reading = self._reading, None
        if reading is not None:
            # A Deferred takes a failure as such.
            reading.callback(cast(bytes, result))


def _named(error: OSError, name: str) -> OSError:
    """The error with the file's name in it."""
    return OSError(error.errno, error.strerror, name)
