# -*- test-case-name: tests.live.test_tape -*-
"""
The tape: the newest part of a stream, encoded once for all who watch.

Every message is on it as its image (L{rtmptw.live.image}). A viewer is a position on the tape and no queue of its own,
so a thousand slow viewers cost no memory. Positions count the messages since the stream's start and never change; the
tape forgets from the left.

What it keeps
=============
- Everything from the newest keyframe on, because that is where late joiners start: the GOP cache is the tape itself.
  How far back that keyframe may be for them is bounded by L{CacheLimits}.
- Before that, what a viewer still needs, as long as the whole is within C{maxBytes} and C{maxMessages}.

A group of pictures that is larger than the bounds is not kept; joiners then have no picture until the next keyframe.

Blocks
======
What is sent is not a message but a block: all messages from a position to the end, up to a size, joined. Viewers at the
same position are given the same block, so it is joined once for all of them, however many they are.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from rtmptw.wire.timestamp import elapsed

__all__ = ["FULL", "MAX_BYTES", "MAX_MESSAGES", "CacheLimits", "Entry", "Tape"]

#: What a tape may hold, bytes and messages.
MAX_BYTES = 16 * 1024 * 1024
MAX_MESSAGES = 4096

#: How many bytes make a block that is sent at once: to gather more would make no send any larger.
FULL = 256 * 1024

#: How many different blocks are kept until the next message.
_BLOCKS = 16


@dataclass(frozen=True)
class CacheLimits:
    """
    How far back a late joiner may start. If the newest keyframe is longer ago, joiners have no picture until the next.

    @ivar frames: messages from the keyframe on.
    @ivar bytes: their size on the wire.
    @ivar seconds: the time from the keyframe to the newest message, by their timestamps. 0: nobody is given the past.
    @raise ValueError: if one of them is no limit.
    """

    frames: int = MAX_MESSAGES
    bytes: int = MAX_BYTES
    seconds: float = inf

    def __post_init__(self) -> None:
        if self.frames < 1 or self.bytes < 1 or not self.seconds >= 0:
            raise ValueError(f"{self}: frames and bytes are at least 1, seconds not less than 0")


class Entry(NamedTuple):
    """
    One message on the tape.

    @ivar image: its chunks, see L{rtmptw.live.image}.
    @ivar type: its message type.
    @ivar timestamp: ms, as on the wire.
    @ivar written: when it came, in the clock's seconds.
    @ivar offset: how many bytes the tape has held before it, in all.
    """

    image: bytes
    type: int
    timestamp: int
    written: float
    offset: int


class Tape:
    """
    A bounded sequence of L{Entry}, column by column: an object for each message would cost more than the message.

    @ivar first: the position of the oldest entry kept.
    @ivar end: the position behind the newest entry: where the next one will be.
    @ivar keyframe: the position of the newest keyframe, or L{None} if none is kept.
    @ivar hasKeyframes: whether there has been a keyframe of pictures, kept or not: then there will be another.
    @ivar bytes: the size of all images ever appended.
    """

    def __init__(
        self, maxBytes: int = MAX_BYTES, maxMessages: int = MAX_MESSAGES, cache: CacheLimits | None = None
    ) -> None:
        """
        @param cache: how far back the keyframe may be; the tape is as large as that needs.
        """
        self.first = self.end = 0
        self.keyframe: int | None = None
        self.hasKeyframes = False
        self.bytes = 0
        self._cache = cache or CacheLimits(maxMessages, maxBytes)
        self._maxBytes = max(maxBytes, self._cache.bytes)
        self._maxMessages = max(maxMessages, self._cache.frames)
        self._images: list[bytes] = []
        self._types: list[int] = []
        self._timestamps: list[int] = []
        self._times: list[float] = []
        self._offsets: list[int] = []
        self._blocks: dict[tuple[int, int], tuple[bytes, int]] = {}
        self._forgotten = 0
        self._setBounds()

    def _setBounds(self) -> None:
        """Where the tape will be full, if nothing more is forgotten."""
        self._lastByte = (self._offsets[0] if self._offsets else self.bytes) + self._maxBytes
        self._lastEnd = self.first + self._maxMessages

    @property
    def start(self) -> int | None:
        """Where a joiner starts: the newest keyframe, if it is kept and not too long ago for L{CacheLimits}."""
        if self.keyframe is None:
            return None
        index, cache = self.keyframe - self.first, self._cache
        # One that has just come is not long ago, however large it is.
        if index + 1 < len(self._images) and (
            len(self._images) - index > cache.frames
            or self.bytes - self._offsets[index] > cache.bytes
            or elapsed(self._timestamps[-1], self._timestamps[index]) > cache.seconds * 1000
        ):
            return None
        return self.keyframe

    @property
    def held(self) -> int:
        """The size of all images kept, bytes."""
        return self.bytes - self._offsets[0] if self._offsets else 0

    def hasRoom(self, size: int) -> bool:
        """Whether a message of C{size} bytes can be added and nothing be forgotten."""
        return self.bytes + size <= self._lastByte and self.end < self._lastEnd

    def append(self, image: bytes, type: int, timestamp: int, written: float, isKeyframe: bool) -> None:
        """Add a message at the end, and forget from the left what exceeds the bounds."""
        size = len(image)
        while (self.bytes + size > self._lastByte or self.end >= self._lastEnd) and self._images:
            # A quarter at a time, so that the columns are not moved for every message.
            self.forget(self.first + len(self._images) // 4 + 1)
        if self._blocks:
            self._blocks.clear()
        if isKeyframe:
            self.keyframe = self.end
            self.hasKeyframes |= type == 9  # MessageType.VIDEO
        self._images.append(image)
        self._types.append(type)
        self._timestamps.append(timestamp)
        self._times.append(written)
        self._offsets.append(self.bytes)
        self.bytes += size
        self.end += 1

    def forget(self, position: int) -> None:
        """Forget what is before C{position}."""
        count = min(position, self.end) - self.first
        if count > 0:
            if count == len(self._timestamps):
                self._forgotten = self._timestamps[-1]
            for column in (self._images, self._types, self._timestamps, self._times, self._offsets):
                del column[:count]
            self._blocks.clear()
            self.first += count
            self._setBounds()
            if self.keyframe is not None and self.keyframe < self.first:
                self.keyframe = None

    def entry(self, position: int) -> Entry:
        """
        One entry.

        @raise IndexError: if it is not on the tape.
        """
        if not self.first <= position < self.end:
            raise IndexError(f"position {position} is not on the tape ({self.first} to {self.end})")
        index = position - self.first
        return Entry(
            self._images[index], self._types[index], self._timestamps[index], self._times[index], self._offsets[index]
        )

    def entries(self, position: int, end: int) -> list[Entry]:
        """The entries from C{position} up to C{end}; both must be on the tape."""
        part = slice(position - self.first, end - self.first)
        columns = (self._images, self._types, self._timestamps, self._times, self._offsets)
        return list(map(Entry._make, zip(*(column[part] for column in columns), strict=True)))

    def block(self, position: int, size: int) -> tuple[bytes, int]:
        """
        The messages from C{position} on: at least one, if there is one, and no more than fit into C{size} bytes.

        @return: their images, joined, and the position behind them. Who asks for the same gets the same.
        """
        found = self._blocks.get((position, size))
        if found is None:
            if len(self._blocks) >= _BLOCKS:
                self._blocks.clear()
            end = self.reach(position, size)
            images = self._images[position - self.first : end - self.first]
            found = self._blocks[position, size] = b"".join(images), end
        return found

    def reach(self, position: int, size: int) -> int:
        """The position behind what L{block} would give."""
        start = position - self.first
        if position >= self.end or self.bytes - self._offsets[start] <= size:
            return self.end
        # Offsets count the bytes in front: the last message that begins within the size ends behind it, or at it.
        return self.first + max(bisect_right(self._offsets, self._offsets[start] + size, start) - 1, start + 1)

    def rest(self, position: int, taken: int, images: list[bytes]) -> tuple[memoryview, int]:
        """
        Of a block that was sent in part, the rest of the message in which it stopped.

        @param taken: how many bytes were sent.
        @param images: what the block was made of, from C{position} on; maybe not just as they are on the tape.
        @return: the rest, and the position behind that message.
        """
        for image in images:
            if taken < len(image):
                break
            taken -= len(image)
            position += 1
        # It is the tape's own image, shared by all who wait, if that is the same from here on.
        shared = self._images[position - self.first]
        return memoryview(shared if shared[taken:] == image[taken:] else image)[taken:], position + 1

    def images(self, position: int) -> list[bytes]:
        """All images from C{position} on."""
        return self._images[max(position - self.first, 0) :]

    def behind(self, position: int) -> int:
        """How many bytes there are from C{position} to the end; from before the tape, as many as it has."""
        if position >= self.end or not self._offsets:
            return 0
        return self.bytes - self._offsets[max(position - self.first, 0)]

    def timestamp(self, position: int) -> int:
        """The timestamp of the message at C{position}, ms; if nothing is kept, that of the newest that was."""
        return self._timestamps[position - self.first] if self._timestamps else self._forgotten

    def written(self, position: int) -> float:
        """When the message at C{position} came, in the clock's seconds; for one that was forgotten, the oldest kept."""
        return self._times[max(position - self.first, 0)]
