# -*- test-case-name: tests.record.test_flvfile -*-
"""
An FLV file that grows: playable at every moment, and complete when it is finished.

The first tag is C{onMetaData}. Its first two values are the duration and the size of the file, at known places, where
the true numbers are put at the end. A file that was never finished has zeros there and the ending C{.part}; players
find the duration by themselves.

Everything here may block: it belongs into a thread, one at a time for each file.
"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterable
from datetime import datetime
from time import monotonic

from rtmptw.errors import RemoteProtocolError
from rtmptw.record.filename import PARTIAL, createFile
from rtmptw.wire import amf0
from rtmptw.wire.amf import DATA_LIMITS, AMFValue, ECMAArray
from rtmptw.wire.data import ON_META_DATA
from rtmptw.wire.flv import encodeTag, fileHeader
from rtmptw.wire.message import MessageType

__all__ = ["SYNC_SECONDS", "FLVFile", "Tag"]

#: How often what was written is forced to the disk, seconds.
SYNC_SECONDS = 1.0

#: A tag to be written: message type, ms since the beginning, payload.
Tag = tuple[int, int, bytes]

_TAG_HEADER_SIZE = 11
#: The marker and count of an ECMA array; the length of a key and the marker of a number behind it.
_ARRAY, _KEY, _NUMBER = 5, 2, 1
_DURATION = "duration"
_SIZE = "filesize"
_DURATION_AT = (
    len(fileHeader()) + _TAG_HEADER_SIZE + len(amf0.encode(ON_META_DATA)) + _ARRAY + _KEY + len(_DURATION) + _NUMBER
)
_SIZE_AT = _DURATION_AT + 8 + _KEY + len(_SIZE) + _NUMBER


class FLVFile:
    """
    One recording on the disk.

    @ivar name: the name of the finished file, relative to the directory of all recordings.
    @ivar size: how many bytes it has: whole tags only.
    """

    def __init__(self, root: str, path: str, began: datetime) -> None:
        """
        Create it.

        @param root: the directory of all recordings.
        @param path: the stream's path.
        @param began: when the publish began, in UTC.
        @raise OSError: if that can't be.
        """
        self._root = root
        self._file, self.name = createFile(root, path, began, ".flv")
        self.size = 0
        self._end = 0
        self._hasMetadata = False
        self._synced = monotonic()

    def write(self, tags: Iterable[Tag]) -> None:
        """
        Add tags.

        @raise OSError: if they can't be written; the file then ends behind the last one that could.
        """
        blocks = []
        end = self._end
        for type, timestamp, payload in tags:
            if not self._hasMetadata:
                self._hasMetadata = True
                isMetadata = type == MessageType.DATA and payload.startswith(amf0.encode(ON_META_DATA))
                blocks += [fileHeader(), encodeTag(MessageType.DATA, 0, _metadata(payload if isMetadata else b""))]
                if isMetadata:
                    continue
            if type != MessageType.DATA:
                end = max(end, timestamp)
            blocks.append(encodeTag(type, timestamp, payload))
        try:
            self._writeAll(b"".join(blocks))
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self.size)
            raise
        self._end = end
        if monotonic() - self._synced >= SYNC_SECONDS:
            os.fdatasync(self._file)
            self._synced = monotonic()

    def finish(self) -> None:
        """
        Put duration and size in, and give the file its name.

        @raise OSError: if that can't be; what was written before is good all the same.
        """
        try:
            if self.size:
                os.pwrite(self._file, struct.pack(">d", self._end / 1000), _DURATION_AT)
                os.pwrite(self._file, struct.pack(">d", self.size), _SIZE_AT)
            os.fdatasync(self._file)
        finally:
            os.close(self._file)
        name = os.path.join(self._root, self.name)
        os.rename(name + PARTIAL, name)

    def _writeAll(self, block: bytes) -> None:
        """As L{os.write}, but all of it, at the end of the whole tags."""
        rest = memoryview(block)
        position = self.size
        while rest:
            written = os.pwrite(self._file, rest, position)
            rest = rest[written:]
            position += written
        self.size = position


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
