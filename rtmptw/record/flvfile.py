# -*- test-case-name: tests.record.test_flvfile -*-
"""
An FLV file that grows: playable at every moment, and complete when it is finished.

The first tag is C{onMetaData}. Its first two values are the duration and the size of the file, at known places, where
the true numbers are put at the end. A file that was never finished has zeros there and the ending C{.part}; players
find the duration by themselves.

What is written reaches the system at once, so a process that is killed loses none of it. It is forced to the disk about
once a second, so a power cut loses no more than that; and the name of the file with it, first the one and later the
other.

Everything here may block: it belongs into a thread, one at a time for each file.
"""

from __future__ import annotations

import contextlib
import errno
import os
import struct
from collections.abc import Iterable, Iterator
from time import monotonic

from rtmptw.errors import LocalProtocolError, RemoteProtocolError
from rtmptw.record.filename import PARTIAL, NewFile, createFile
from rtmptw.record.template import ENDING
from rtmptw.wire import amf0
from rtmptw.wire.amf import DATA_LIMITS, AMFValue, ECMAArray
from rtmptw.wire.data import ON_META_DATA
from rtmptw.wire.flv import encodeTag, fileHeader
from rtmptw.wire.message import MessageType

__all__ = ["FRONT_SIZE", "SYNC_BYTES", "SYNC_SECONDS", "FLVFile", "Tag", "isFront", "putNumbers"]

#: How often what was written is forced to the disk, seconds: with the first write after that, so that a second is the
#: most that is lost. And bytes: the system takes as much as there is memory, and then a slow disk would seem quick at
#: first, and stand still for long later.
SYNC_SECONDS = 0.9
SYNC_BYTES = 4 * 1024 * 1024

#: A tag to be written: message type, ms since the beginning, payload.
Tag = tuple[int, int, bytes]

_TAG_HEADER_SIZE = 11
#: The marker and count of an ECMA array; the length of a key and the marker of a number behind it.
_ARRAY, _KEY, _NUMBER = 5, 2, 1
_DURATION = "duration"
_SIZE = "filesize"
_ON_META_DATA = amf0.encode(ON_META_DATA)
_COUNT_AT = len(fileHeader()) + _TAG_HEADER_SIZE + len(_ON_META_DATA) + 1
_DURATION_AT = len(fileHeader()) + _TAG_HEADER_SIZE + len(_ON_META_DATA) + _ARRAY + _KEY + len(_DURATION) + _NUMBER
_SIZE_AT = _DURATION_AT + 8 + _KEY + len(_SIZE) + _NUMBER

#: How many bytes are the same in the front of every file but for the numbers in them.
FRONT_SIZE = _SIZE_AT + 8


class FLVFile:
    """
    One file on the disk.

    @ivar name: the name of the finished file, relative to the directory of all recordings.
    @ivar place: the name that it has at present: with L{PARTIAL} behind it until it is finished, and empty when it is
        removed.
    @ivar size: how many bytes it has: whole tags only.
    @ivar count: how many of the tags that were given to L{write} it has.
    @ivar end: the time of the last audio or video, ms.
    """

    def __init__(self, root: str, name: str) -> None:
        """
        Create it.

        @param root: the directory of all recordings.
        @param name: where below it, without the ending (L{rtmptw.record.template.NameTemplate.name}).
        @raise OSError: if that can't be.
        """
        self._file: NewFile | None = createFile(root, name, ENDING)
        self.name = self._file.name
        self.place = self.name + PARTIAL
        self.size = 0
        self.count = 0
        self.end = 0
        self._hasMetadata = False
        self._isSettled = False
        self._synced = monotonic()
        self._syncedSize = 0

    def descriptor(self) -> int:
        """
        The descriptor of the file, to ask about the disk that it is on.

        @raise OSError: if nobody will ever find the file, because its name was taken away.
        @raise LocalProtocolError: after L{finish}.
        """
        if self._file is None:
            raise LocalProtocolError(f"{self.name} is finished")
        if not os.fstat(self._file.file).st_nlink:
            raise FileNotFoundError(errno.ENOENT, "the file was removed", self.place)
        return self._file.file

    def write(self, tags: Iterable[Tag]) -> None:
        """
        Add tags.

        @raise OSError: if they can't be written; the file then ends behind the last one that could.
        @raise LocalProtocolError: after L{finish}.
        """
        if self._file is None:
            raise LocalProtocolError(f"{self.name} is finished")
        file = self._file.file
        pieces = list(self._pieces(tags))
        rest = memoryview(b"".join([piece for piece, _, _ in pieces]))
        position = self.size
        try:
            while rest:
                written = os.pwrite(file, rest, position)
                rest = rest[written:]
                position += written
        finally:
            for piece, end, count in pieces:
                if self.size + len(piece) > position:
                    break
                self.size += len(piece)
                self.count += count
                self.end = max(self.end, end)
            if rest:
                with contextlib.suppress(OSError):
                    os.ftruncate(file, self.size)
        if self.size - self._syncedSize >= SYNC_BYTES or monotonic() - self._synced >= SYNC_SECONDS:
            os.fdatasync(file)
            if not self._isSettled:
                self._file.settle()
                self._isSettled = True
            self._synced, self._syncedSize = monotonic(), self.size

    def finish(self) -> None:
        """
        Put duration and size in, and give the file its name; a file with nothing in it is removed. Harmless when
        repeated, also after an error.

        @raise OSError: if that can't be; what was written before is good all the same, at L{place}.
        """
        if self._file is None:
            return
        # Closed once, whatever happens: the numbers may be other files' a moment later.
        file, self._file = self._file, None
        try:
            if self.size:
                putNumbers(file.file, self.size, self.end)
            os.fdatasync(file.file)
            if not os.fstat(file.file).st_nlink:
                self.place = ""
                raise FileNotFoundError(errno.ENOENT, "the file was removed", self.name)
            if self.size:
                file.keep()
                self.place = self.name
                file.settle()
            else:
                file.remove()
                self.place = ""
        finally:
            file.close()

    def _pieces(self, tags: Iterable[Tag]) -> Iterator[tuple[bytes, int, int]]:
        """
        What is to be written, in pieces that can stand at the end of a file; the time that each brings, ms, and how
        many of the tags it is.
        """
        for type, timestamp, payload in tags:
            if not self._hasMetadata:
                self._hasMetadata = True
                isMetadata = type == MessageType.DATA and payload.startswith(_ON_META_DATA)
                metadata = encodeTag(MessageType.DATA, 0, _metadata(payload if isMetadata else b""))
                yield fileHeader() + metadata, 0, int(isMetadata)
                if isMetadata:
                    continue
            yield encodeTag(type, timestamp, payload), 0 if type == MessageType.DATA else timestamp, 1


def putNumbers(file: int, size: int, end: int) -> None:
    """
    Put duration and size into a file that begins as ours do.

    @param file: its descriptor.
    @param size: bytes.
    @param end: the time of the last audio or video, ms.
    @raise OSError: if they can't be written.
    """
    os.pwrite(file, struct.pack(">d", end / 1000), _DURATION_AT)
    os.pwrite(file, struct.pack(">d", size), _SIZE_AT)


def isFront(data: bytes) -> bool:
    """
    Whether a file begins as ours do.

    @param data: its first L{FRONT_SIZE} bytes, or all that it has.
    """
    return all(found == expected for found, expected in zip(data, _FRONT, strict=False) if expected is not None)


def _metadata(payload: bytes) -> bytes:
    """The first tag: the publisher's own metadata, behind a duration and a size."""
    values: ECMAArray = ECMAArray({_DURATION: 0.0, _SIZE: 0.0})
    if payload:
        try:
            published: list[AMFValue] = amf0.decode(payload, DATA_LIMITS)[1:2]
        except RemoteProtocolError:
            published = []
        for value in published:
            if isinstance(value, dict):
                values.update({key: item for key, item in value.items() if key not in values})
    return amf0.encode(ON_META_DATA, values)


def _front() -> tuple[int | None, ...]:
    """The first bytes of each file; L{None} for those that differ."""
    front: list[int | None] = list((fileHeader() + encodeTag(MessageType.DATA, 0, _metadata(b"")))[:FRONT_SIZE])
    # The size of the tag, how many values it has, and the two numbers.
    for position, size in ((len(fileHeader()) + 1, 3), (_COUNT_AT, 4), (_DURATION_AT, 8), (_SIZE_AT, 8)):
        front[position : position + size] = [None] * size
    return tuple(front)


_FRONT = _front()
