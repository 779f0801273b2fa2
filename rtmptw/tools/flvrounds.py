# -*- test-case-name: tests.tools.test_flvrounds -*-
"""
What is published of an FLV file, and when: its tags as messages, once or round after round.

The first round is what is in the file, with the timestamps that are there. In a later one they go on from where the
round before has ended; sequence headers and metadata are left out unless they have changed, and so is an end of
sequence, since there is none.

When each message is due is told in milliseconds since the first frame. If timestamps jump by more than L{MAX_STEP},
which is the end of one recording and the beginning of another rather than a pause, what follows is due at once. A
timestamp that belongs to no frame (an end of sequence at 0, wire facts 7.2) makes nobody wait either.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import NamedTuple

from rtmptw.wire.data import toPublish
from rtmptw.wire.flv import FLVTag
from rtmptw.wire.media import MediaKind, classify, headerKeys
from rtmptw.wire.message import MEDIA_CHUNK_STREAMS, Message, MessageType
from rtmptw.wire.timestamp import Timeline, elapsed

__all__ = ["DEFAULT_SPACING", "MAX_STEP", "FLVRounds", "Item"]

#: The longest pause within a file, ms.
MAX_STEP = 10_000

#: How long a frame lasts that has no other of its type to compare with, ms.
DEFAULT_SPACING = 40


class Item(NamedTuple):
    """
    One message to be sent.

    @ivar due: when, ms since the first frame; L{None} if it comes before that one: at once.
    """

    message: Message
    due: int | None


class FLVRounds:
    """
    Makes messages of tags.

    @ivar hasFrames: whether there was a frame in this round.
    @ivar passedOver: how many tags were passed over: neither audio nor video nor script data, or encrypted.
    """

    def __init__(self, loop: bool = False) -> None:
        """
        @param loop: whether there will be another round.
        """
        self.hasFrames = False
        self.passedOver = 0
        self._loop = loop
        self._known: dict[Hashable, bytes] = {}
        self._timeline = Timeline()
        # By how much this round is moved; not known before its first frame, if it is not the first round.
        self._offset: int | None = 0
        self._isFirst = True
        # Each type's last frame, and its distance from the one before.
        self._last: dict[int, int] = {}
        self._spacing: dict[int, int] = {}
        # The position that is due at 0; when the last frame was due.
        self._origin: int | None = None
        self._due = 0

    def feed(self, tags: Iterable[FLVTag]) -> list[Item]:
        """
        Take the next tags.

        @return: what is to be sent of them, in order.
        """
        items = []
        for tag in tags:
            if tag.type not in MEDIA_CHUNK_STREAMS or tag.isFiltered:
                self.passedOver += 1
                continue
            kind = classify(tag.type, tag.payload)
            payload = toPublish(tag.payload) if tag.type == MessageType.DATA else tag.payload
            if not self._isKnown(tag, payload) and not (self._loop and kind is MediaKind.END):
                position, due = self._place(tag, kind.isFrame)
                chunkStream = MEDIA_CHUNK_STREAMS[tag.type]
                items.append(Item(Message(tag.type, position & 0xFFFFFFFF, 0, payload, chunkStream), due))
        return items

    def nextRound(self) -> None:
        """The file begins again."""
        self._isFirst = False
        self.hasFrames = False
        self._timeline = Timeline()
        self._offset = None

    def _isKnown(self, tag: FLVTag, payload: bytes) -> bool:
        """Remember headers and metadata; tell whether this is one that need not be sent again."""
        keys: tuple[Hashable, ...] = headerKeys(tag.type, tag.payload)
        if payload != tag.payload:
            # What is published in another form than it has in a file is metadata.
            keys = (MessageType.DATA,)
        known = bool(keys) and not self._isFirst and all(self._known.get(key) == payload for key in keys)
        self._known.update(dict.fromkeys(keys, payload))
        return known

    def _place(self, tag: FLVTag, isFrame: bool) -> tuple[int, int | None]:
        """Where a message is in the stream, ms; and when it is due."""
        if isFrame:
            placed = self._timeline.place(tag.timestamp)
            if self._offset is None:
                self._offset = self._end() - placed
            position = placed + self._offset
            self._count(tag.type, position)
            return position, self._time(position)
        if self._offset is None:
            return self._end(), self._due
        newest = self._timeline.newest
        if newest is None or self._origin is None:
            return tag.timestamp + self._offset, None
        position = newest + elapsed(tag.timestamp, newest) + self._offset
        due = position - self._origin
        return position, due if abs(due - self._due) <= MAX_STEP else self._due

    def _time(self, position: int) -> int:
        """When a frame is due."""
        if self._origin is None:
            self._origin = position
        elif abs(position - self._origin - self._due) > MAX_STEP:
            self._origin = position - self._due
        self._due = position - self._origin
        return self._due

    def _count(self, type: int, position: int) -> None:
        """Remember how long frames of this type last."""
        self.hasFrames = True
        last = self._last.get(type)
        if last is not None and 0 < position - last <= MAX_STEP:
            self._spacing[type] = position - last
        self._last[type] = position

    def _end(self) -> int:
        """Where the last frames have ended, and the next round begins."""
        return max(last + self._spacing.get(type, DEFAULT_SPACING) for type, last in self._last.items())
