# -*- test-case-name: tests.tools.test_flvsink -*-
"""
A stream that is played into an FLV file, or into a pipe.

Every message is a tag, and every tag is handed to the system at once and as a whole: so a file can be played at every
moment, and a player behind a pipe never waits for what we have. At the end the duration is put into the metadata, if
they have one and the file is one that can be changed.

If the reader of a pipe is slow, this process waits for it, and reads nothing from the server meanwhile. That is what
holds the server back, and what is wanted: there is nothing else to do here.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import stat
import struct

from twisted.internet.defer import Deferred
from zope.interface import implementer

from rtmptw.errors import RemoteProtocolError
from rtmptw.interfaces import ISubscriber
from rtmptw.tools.pieces import describeFile
from rtmptw.wire import amf0
from rtmptw.wire.amf import DATA_LIMITS, AMFValue
from rtmptw.wire.data import ON_META_DATA, SET_DATA_FRAME
from rtmptw.wire.fileclock import FileClock
from rtmptw.wire.flv import encodeTag, fileHeader
from rtmptw.wire.media import classify
from rtmptw.wire.message import MEDIA_CHUNK_STREAMS, Message, MessageType

__all__ = ["FLVSink"]

#: In how many places a number of the metadata is looked for: each costs a decoding of all of them.
MAX_PLACES = 8

_FILE_MODE = 0o666
_TAG_HEADER_SIZE = 11
_PREFIX = amf0.encode(SET_DATA_FRAME)
_ON_META_DATA = amf0.encode(ON_META_DATA)


@implementer(ISubscriber)
class FLVSink:
    """
    Writes what it is given.

    @ivar name: what is written to, for people.
    @ivar finished: fires when all is written, with why the stream has ended. Fails with the L{OSError} that has put an
        end to it: L{BrokenPipeError} if nobody reads the pipe any more. Nothing more is written then; whoever plays the
        stream may stop.
    @ivar position: the time of the newest frame in the file, ms.
    @ivar bytes: how much was written, bytes; whole tags only.
    """

    def __init__(self, file: str | int) -> None:
        """
        Open the file. What is in it stays until there is something to be put in its place.

        @param file: its path; or a descriptor, such as 1 for standard output: that one is not closed.
        @raise OSError: if it can't be opened.
        """
        self.name = describeFile(file)
        self.finished: Deferred[str] = Deferred()
        self.position = 0
        self.bytes = 0
        self._isOver = False
        self._clock = FileClock()
        self._path = file if isinstance(file, str) else None
        self._isNew = False
        self._descriptor = self._open(file) if isinstance(file, str) else file
        isFile = stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        # What is opened to append to writes at the end, wherever it is told to.
        self._canChange = isFile and not fcntl.fcntl(self._descriptor, fcntl.F_GETFL) & os.O_APPEND
        # What is redirected from us need not begin at its beginning.
        self._start = os.lseek(self._descriptor, 0, os.SEEK_CUR) if self._canChange else 0
        # Where the numbers are that are known at the end.
        self._numbers: dict[str, int] = {}
        self._hasMetadata = False

    def _open(self, path: str) -> int:
        flags = os.O_WRONLY | os.O_CREAT
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(path, flags | os.O_EXCL, _FILE_MODE)
            self._isNew = True
            return descriptor
        return os.open(path, flags, _FILE_MODE)

    def messageReceived(self, message: Message) -> None:
        """See L{ISubscriber}. What is neither audio nor video nor data has no place in a file."""
        if self._isOver or message.type not in MEDIA_CHUNK_STREAMS:
            return
        payload = message.payload
        if message.type == MessageType.DATA:
            # Some servers leave to players what was meant for them (wire facts 5).
            payload = payload.removeprefix(_PREFIX)
        time = self._clock.time(message)
        tag = encodeTag(message.type, time, payload)
        try:
            if not self.bytes:
                if self._canChange and self._path is not None:
                    os.ftruncate(self._descriptor, 0)
                self._write(fileHeader())
            if payload.startswith(_ON_META_DATA) and not self._hasMetadata:
                self._hasMetadata = True
                self._find(payload)
            self._write(tag)
        except OSError as error:
            self._fail(error)
            return
        if classify(message.type, payload).isFrame:
            self.position = max(self.position, time)

    def streamEnded(self, reason: str) -> None:
        """See L{ISubscriber}."""
        self.finish(reason)

    def finish(self, reason: str = "") -> None:
        """
        Write no more, and complete what was written. Harmless when repeated.

        @param reason: for L{finished}.
        """
        if self._isOver:
            return
        self._isOver = True
        try:
            self._complete()
        except OSError as error:
            self.finished.errback(OSError(error.errno, error.strerror, self.name))
        else:
            self.finished.callback(reason)

    def _fail(self, error: OSError) -> None:
        self._isOver = True
        with contextlib.suppress(OSError):
            if self._canChange:
                # A part of the last tag may be there.
                os.ftruncate(self._descriptor, self._start + self.bytes)
        with contextlib.suppress(OSError):
            # What is there is good.
            self._complete()
        self.finished.errback(OSError(error.errno, error.strerror, self.name))

    def _write(self, data: bytes) -> None:
        """
        @raise OSError: if not all of it can be written.
        """
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                # Somebody has made it non-blocking; we wait all the same.
                poll = select.poll()
                poll.register(self._descriptor, select.POLLOUT)
                poll.poll()
        self.bytes += len(data)

    def _find(self, payload: bytes) -> None:
        """Find the numbers in the metadata that are to be changed at the end."""
        start = self._start + self.bytes + _TAG_HEADER_SIZE
        for name in ("duration", "filesize"):
            offset = _findNumber(payload, name)
            if offset is not None:
                self._numbers[name] = start + offset

    def _complete(self) -> None:
        """Put the numbers in, and close the file if it is ours."""
        try:
            if self._canChange:
                values = {"duration": self.position / 1000, "filesize": float(self.bytes)}
                for name, offset in self._numbers.items():
                    os.pwrite(self._descriptor, struct.pack(">d", values[name]), offset)
            if self._isNew and not self.bytes and self._path is not None:
                os.unlink(self._path)
        finally:
            if self._path is not None:
                os.close(self._descriptor)


def _findNumber(payload: bytes, name: str) -> int | None:
    """
    Where the value of a number of the metadata is.

    @return: the offset of its eight bytes; C{None} if there is none.
    """
    mark = struct.pack(">H", len(name)) + name.encode() + b"\0"
    at = -1
    for _ in range(MAX_PLACES):
        at = payload.find(mark, at + 1)
        offset = at + len(mark)
        if at < 0 or offset + 8 > len(payload):
            break
        # The same bytes may be part of a text: it is the right place if a change there changes the value.
        for number in (1.0, 2.0):
            if _number(payload[:offset] + struct.pack(">d", number) + payload[offset + 8 :], name) != number:
                break
        else:
            return offset
    return None


def _number(payload: bytes, name: str) -> AMFValue:
    """A value of the metadata; C{None} if they can't be read."""
    try:
        values = amf0.decode(payload, DATA_LIMITS)[1:2]
    except RemoteProtocolError:
        return None
    return values[0].get(name) if values and isinstance(values[0], dict) else None
