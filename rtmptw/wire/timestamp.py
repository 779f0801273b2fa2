# -*- test-case-name: tests.wire.test_timestamp -*-
"""
Timestamps: 32 bits of milliseconds, which begin again at 0 after 49 days 17 hours (RTMP 1.0, section 5.3.1.3).

So one timestamp is never later than another by itself, only nearer in one direction than in the other (serial number
arithmetic, as in RFC 1982). L{elapsed} is the difference of two, L{nearest} puts one beside a time that goes on for
ever, and a L{Timeline} does so with many, each beside the one before:

    >>> elapsed(16, 0xFFFFFFF0)
    32
    >>> nearest(16, 0x1FFFFFFF0)
    8589934608
    >>> timeline = Timeline()
    >>> [timeline.place(timestamp) for timestamp in (0xFFFFFFF0, 16, 0xFFFFFFF8)]
    [4294967280, 4294967312, 4294967288]
"""

from __future__ import annotations

__all__ = ["Timeline", "elapsed", "nearest"]

_HALF = 0x80000000
_MASK = 0xFFFFFFFF


def elapsed(later: int, earlier: int) -> int:
    """
    The time from one timestamp to another.

    @param later: ms; of this and of C{earlier} only the lower 32 bits count.
    @return: ms, from -2^31 to 2^31-1; less than 0 if C{later} is the earlier one after all.
    """
    return ((later - earlier + _HALF) & _MASK) - _HALF


def nearest(timestamp: int, time: int) -> int:
    """
    The time with this timestamp that is nearest to another time.

    @param timestamp: ms; only its lower 32 bits count.
    @param time: ms, without an end.
    @return: ms, without an end; from 2^31 before C{time} to 2^31-1 behind it.
    """
    return time + ((timestamp - time + _HALF) & _MASK) - _HALF


class Timeline:
    """
    Timestamps without their end: each is placed where it is nearest to the one before, in either direction.

    @ivar newest: where the last timestamp was placed, ms; C{None} before the first.
    """

    def __init__(self) -> None:
        self.newest: int | None = None

    def place(self, timestamp: int) -> int:
        """
        Place the next timestamp.

        @param timestamp: ms, 0 to 2^32-1.
        @return: ms; the first timestamp is placed at its own value. May be less than 0, if time goes back from there.
        """
        self.newest = timestamp if self.newest is None else nearest(timestamp, self.newest)
        return self.newest
