# -*- test-case-name: tests.wire.test_flv -*-
"""
The FLV file: RTMP's messages at rest (FLV file format, annexes E.2 to E.4).

A file is a header and then tags, each followed by its own size, so that a player can step backwards::

    file   = "FLV", version (8 bits), flags (8 bits: 4 audio, 1 video), DataOffset (32 bits: this header's size, 9),
             PreviousTagSize0 (32 bits: 0), *(tag, PreviousTagSize (32 bits: 11 + size))
    tag    = reserved (2 bits), filter (1 bit: encrypted), type (5 bits: 8 audio, 9 video, 18 script data),
             size (24 bits), timestamp (24 bits, ms), timestamp extended (the upper 8 bits), stream ID (24 bits: 0),
             payload

Type and payload are those of an RTMP message, so recording is L{encodeTag} for each message, and playing a file is
L{FLVReader}, which takes it in pieces of any size:

    >>> recording = fileHeader() + encodeTag(8, 40, b"\\xaf\\x01sound")
    >>> reader = FLVReader()
    >>> reader.feed(recording + b"\\x09 and then the power failed")
    [FLVTag(type=8, timestamp=40, payload=b'\\xaf\\x01sound', offset=13, isFiltered=False)]
    >>> reader.goodEnd == len(recording)
    True
"""

from __future__ import annotations

from dataclasses import dataclass

from rtmptw.errors import LocalProtocolError, RemoteProtocolError
from rtmptw.wire.message import MAX_MESSAGE_SIZE

__all__ = ["MAX_DATA_OFFSET", "FLVReader", "FLVTag", "encodeTag", "fileHeader"]

#: The largest file header that a reader skips, bytes. Every known file has 9.
MAX_DATA_OFFSET = 0xFFFF

_SIGNATURE = b"FLV"
_HEADER_SIZE = 9
_TAG_HEADER_SIZE = 11
_BACK_POINTER_SIZE = 4
_FILTER = 0x20
_TYPE_MASK = 0x1F


@dataclass(slots=True)
class FLVTag:
    """
    One tag.

    @ivar type: 8 audio, 9 video, 18 script data (the message types of RTMP), or another number, 1 to 31.
    @ivar timestamp: ms, 0 to 2^32-1.
    @ivar payload: the body, 0 to 16777215 bytes.
    @ivar offset: where in the file the tag begins.
    @ivar isFiltered: the payload is encrypted and no use to a decoder.
    """

    type: int
    timestamp: int
    payload: bytes
    offset: int = 0
    isFiltered: bool = False


def fileHeader(audio: bool = True, video: bool = True) -> bytes:
    """
    Make the beginning of a file, 13 bytes: the header and PreviousTagSize0.

    @param audio: the file will hold audio. Players take this for a hint, so a recorder may promise both.
    @param video: the same for video.
    """
    flags = (4 if audio else 0) | (1 if video else 0)
    return _SIGNATURE + bytes((1, flags)) + _HEADER_SIZE.to_bytes(4) + bytes(_BACK_POINTER_SIZE)


def encodeTag(type: int, timestamp: int, payload: bytes, isFiltered: bool = False) -> bytes:
    """
    Make one tag with the PreviousTagSize behind it: 15 bytes and the payload.

    @param type: 8, 9 or 18; anything from 1 to 31 can be written.
    @param timestamp: ms, 0 to 2^32-1.
    @param isFiltered: say that the payload is encrypted.
    @raise LocalProtocolError: the format has no room for one of these.
    """
    size = len(payload)
    if not 1 <= type <= _TYPE_MASK:
        raise LocalProtocolError(f"FLV has no tag type {type}")
    if not 0 <= timestamp <= 0xFFFFFFFF:
        raise LocalProtocolError(f"an FLV timestamp has 32 bits: {timestamp}")
    if size > MAX_MESSAGE_SIZE:
        raise LocalProtocolError(f"an FLV tag holds at most {MAX_MESSAGE_SIZE} bytes: {size}")
    return b"".join(
        (
            bytes((type | _FILTER if isFiltered else type,)),
            size.to_bytes(3),
            (timestamp & 0xFFFFFF).to_bytes(3),
            bytes((timestamp >> 24, 0, 0, 0)),
            payload,
            (_TAG_HEADER_SIZE + size).to_bytes(_BACK_POINTER_SIZE),
        )
    )


class FLVReader:
    """
    Take a file apart as its bytes come.

    A reader is lenient, as files are old and muxers many: the version, the flags and every PreviousTagSize are read
    over. A tag counts when its PreviousTagSize is there too, so that whatever ends at L{goodEnd} is a proper file. Tags
    of type 0 are read over: they are the zeros that a file system leaves at the end after a crash.

    @ivar goodEnd: the offset behind the last whole tag (or behind the file header; 0 before that). A recording that was
        cut off can be shortened to this and continued.
    """

    def __init__(self) -> None:
        self.goodEnd = 0
        self._buffer = bytearray()
        self._offset = 0  # of the buffer's first byte in the file
        self._hasHeader = False

    @property
    def pending(self) -> int:
        """How many bytes are held that do not make a whole tag; not 0 at the end of a file: its last tag is cut."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[FLVTag]:
        """
        Take the next bytes, any number of them.

        @return: the tags that they complete.
        @raise RemoteProtocolError: this is no FLV file; C{offset} says which byte tells. The reader is of no more use.
        """
        self._buffer += data
        if not self._hasHeader and not self._readHeader():
            return []
        tags: list[FLVTag] = []
        consumed = 0
        with memoryview(self._buffer) as view:
            while consumed + _TAG_HEADER_SIZE <= len(view):
                header = bytes(view[consumed : consumed + _TAG_HEADER_SIZE])
                bodyStart = consumed + _TAG_HEADER_SIZE
                bodyEnd = bodyStart + int.from_bytes(header[1:4])
                if bodyEnd + _BACK_POINTER_SIZE > len(view):
                    break
                tagType = header[0] & _TYPE_MASK
                if tagType:
                    timestamp = int.from_bytes(header[4:7]) | header[7] << 24
                    payload = bytes(view[bodyStart:bodyEnd])
                    isFiltered = bool(header[0] & _FILTER)
                    tags.append(FLVTag(tagType, timestamp, payload, self._offset + consumed, isFiltered))
                    self.goodEnd = self._offset + bodyEnd + _BACK_POINTER_SIZE
                consumed = bodyEnd + _BACK_POINTER_SIZE
        self._drop(consumed)
        return tags

    def _readHeader(self) -> bool:
        """Read over the file header; give whether all of it has come."""
        for offset, (found, expected) in enumerate(zip(self._buffer, _SIGNATURE, strict=False)):
            if found != expected:
                raise RemoteProtocolError("not an FLV file", offset=offset)
        if len(self._buffer) < _HEADER_SIZE:
            return False
        dataOffset = int.from_bytes(self._buffer[5:_HEADER_SIZE])
        if dataOffset > MAX_DATA_OFFSET:
            raise RemoteProtocolError(f"not an FLV file: its header would have {dataOffset} bytes", offset=5)
        size = max(dataOffset, _HEADER_SIZE) + _BACK_POINTER_SIZE
        if len(self._buffer) < size:
            return False
        self._hasHeader = True
        self._drop(size)
        self.goodEnd = size
        return True

    def _drop(self, size: int) -> None:
        """Forget the buffer's first bytes; a bytearray moves its start for this, not the rest of its bytes."""
        del self._buffer[:size]
        self._offset += size
