# -*- test-case-name: tests.live.test_tape -*-
"""
The tape: the newest part of a stream, encoded once for all who watch.

Every message is on it as its image (L{rtmptw.live.image}). A viewer is a position on the tape and no queue of its own,
so a thousand slow viewers cost no memory. Positions count the messages since the stream's start and never change; the
tape forgets from the left.

What it keeps
=============
- Everything from the newest keyframe on, because that is where late joiners start.
- Before that, what a viewer still needs, as long as the whole is within C{maxBytes} and C{maxMessages}.

A group of pictures that is larger than the bounds is not kept; joiners then have no picture until the next keyframe.
"""

from __future__ import annotations

from dataclasses import dataclass

from rtmptw.wire.message import MessageType

__all__ = ["MAX_BYTES", "MAX_MESSAGES", "Entry", "Tape"]

#: What a tape may hold, bytes and messages.
MAX_BYTES = 16 * 1024 * 1024
MAX_MESSAGES = 4096


@dataclass(slots=True)
class Entry:
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
    A bounded sequence of L{Entry}.

    @ivar first: the position of the oldest entry kept.
    @ivar keyframe: the position of the newest keyframe, or L{None} if none is kept.
    @ivar hasKeyframes: whether there has been a keyframe of pictures, kept or not: then there will be another.
    @ivar bytes: the size of all images ever appended.
    """

    def __init__(self, maxBytes: int = MAX_BYTES, maxMessages: int = MAX_MESSAGES) -> None:
        self.first = 0
        self.keyframe: int | None = None
        self.hasKeyframes = False
        self.bytes = 0
        self._maxBytes = maxBytes
        self._maxMessages = maxMessages
        self._entries: list[Entry] = []

    @property
    def end(self) -> int:
        """The position behind the newest entry: where the next one will be."""
        return self.first + len(self._entries)

    @property
    def held(self) -> int:
        """The size of all images kept, bytes."""
        return self.bytes - self._entries[0].offset if self._entries else 0

    def hasRoom(self, size: int) -> bool:
        """Whether a message of C{size} bytes can be added and nothing be forgotten."""
        return len(self._entries) < self._maxMessages and self.held + size <= self._maxBytes

    def append(self, image: bytes, type: int, timestamp: int, written: float, isKeyframe: bool) -> None:
        """Add a message at the end, and forget from the left what exceeds the bounds."""
        while self._entries and not self.hasRoom(len(image)):
            # A quarter at a time, so that the list is not moved for every message.
            self.forget(self.first + len(self._entries) // 4 + 1)
        if isKeyframe:
            self.keyframe = self.end
            self.hasKeyframes |= type == MessageType.VIDEO
        self._entries.append(Entry(image, type, timestamp, written, self.bytes))
        self.bytes += len(image)

    def forget(self, position: int) -> None:
        """Forget what is before C{position}."""
        count = min(position, self.end) - self.first
        if count > 0:
            del self._entries[:count]
            self.first += count
            if self.keyframe is not None and self.keyframe < self.first:
                self.keyframe = None

    def entry(self, position: int) -> Entry:
        """
        One entry.

        @raise IndexError: if it is not on the tape.
        """
        if not self.first <= position < self.end:
            raise IndexError(f"position {position} is not on the tape ({self.first} to {self.end})")
        return self._entries[position - self.first]

    def entries(self, position: int, size: int) -> list[Entry]:
        """
        The entries from C{position} on: at least one, if there is one, and no more than fit into C{size} bytes.
        """
        start = position - self.first
        stop = start
        room = size
        for entry in self._entries[start : start + 256]:
            room -= len(entry.image)
            if room < 0 and stop > start:
                break
            stop += 1
        return self._entries[start:stop]

    def images(self, position: int) -> list[bytes]:
        """All images from C{position} on."""
        return [entry.image for entry in self._entries[max(position - self.first, 0) :]]

    def behind(self, position: int) -> int:
        """How many bytes there are from C{position} to the end."""
        return self.bytes - self.entry(position).offset if position < self.end else 0
