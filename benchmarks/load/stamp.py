# -*- test-case-name: tests.benchmarks.load.test_stamp -*-
"""
The stamp that every picture and sound carries: who can say, of each message that arrives, whether it is whole, in its
place, and how long it took::

    mark 15 | kind 1 | stream 8 | sequence 8 | time 16 | sum 8        = 56 bytes

All is ASCII, and the numbers are hexadecimal, so that no start code of H.264 can appear. The time is that of the
system's monotonic clock, ns, which all processes share. The sum is a CRC-32 of the whole payload but for itself: what
stands around the stamp never changes, so its part is computed once for a frame that is sent again and again.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple
from zlib import crc32

__all__ = ["MARK", "STAMP_SIZE", "Kind", "Stamp", "frameSum", "makeStamp", "readStamp"]

#: How every stamp begins.
MARK = b"rtmptw.stamp.v1"

#: Bytes.
STAMP_SIZE = 56

_SUM_SIZE = 8


class Kind(Enum):
    """What is stamped; the letter behind the mark."""

    KEYFRAME = b"K"
    PICTURE = b"P"
    SOUND = b"S"


class Stamp(NamedTuple):
    """
    What a stamp says.

    @ivar stream: the number of the stream.
    @ivar sequence: the number of the message among the stream's pictures, or among its sounds, from 0.
    @ivar time: when it was sent, ns of the monotonic clock.
    @ivar isWhole: whether the payload is what was sent, to the last bit.
    """

    stream: int
    sequence: int
    time: int
    isWhole: bool


def frameSum(payload: bytes | bytearray, start: int) -> int:
    """
    The sum of what stands around a stamp.

    @param start: where the stamp begins.
    """
    return crc32(payload[start + STAMP_SIZE :], crc32(payload[:start]))


def makeStamp(head: bytes, stream: int, sequence: int, time: int, around: int) -> bytes:
    """
    @param head: the mark, and the letter of a L{Kind}.
    @param around: the L{frameSum} of the payload that it is for.
    """
    text = b"%b%08x%08x%016x" % (head, stream, sequence & 0xFFFFFFFF, time)
    return b"%b%08x" % (text, crc32(text, around))


def readStamp(payload: bytes, start: int) -> Stamp | None:
    """
    @param start: where it begins.
    @return: L{None} if there is no mark.
    """
    text = payload[start : start + STAMP_SIZE]
    if not text.startswith(MARK) or len(text) != STAMP_SIZE:
        return None
    isWhole = b"%08x" % crc32(text[:-_SUM_SIZE], frameSum(payload, start)) == text[-_SUM_SIZE:]
    try:
        return Stamp(int(text[16:24], 16), int(text[24:32], 16), int(text[32:48], 16), isWhole)
    except ValueError:
        return Stamp(-1, -1, -1, False)
