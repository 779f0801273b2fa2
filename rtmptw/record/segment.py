# -*- test-case-name: tests.record.test_segment -*-
"""
Segments: where one file of a recording ends and the next begins.

A recording is one file, until one of these happens:

- It is as long or as large as a file may be. Time is the time on the wall and the time of the media, whichever comes
  first: a publisher whose clock stands still makes no file without an end. The next file begins at the next keyframe
  (of the main track; without video, at any frame); and if none comes for L{OVERDUE_SECONDS}, at any frame.
- A sequence header comes, of whatever track, that differs from the one in the file. The next file begins there. If more
  headers or data follow before the first frame, they are waited for, so that there is one file and not one for each.
  FFmpeg ends FLAC with a header that tells of what was, and an empty frame: those begin no file.
- Writing was impossible for a while (L{rtmptw.record.recording}).

Every file begins with the metadata and all headers of the moment, and with a time of its own. No message is lost
between two files, and none is in both, but for the headers.

A publisher must not fill the disk with files either: those that its clock or its headers ask for are L{CUTS} in
L{CUT_SECONDS}; what it asks for beyond that is put into the file that there is.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import NamedTuple

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from rtmptw.live.headers import MAX_HEADER_SIZE, MAX_HEADERS
from rtmptw.live.livestream import LiveStream
from rtmptw.record.flvfile import Tag
from rtmptw.wire import amf0
from rtmptw.wire.data import ON_META_DATA
from rtmptw.wire.fileclock import FileClock
from rtmptw.wire.media import HeaderKey, MediaKind, classify, describe, headerKeys
from rtmptw.wire.message import Message, MessageType
from rtmptw.wire.timestamp import elapsed

__all__ = ["CUTS", "CUT_SECONDS", "MAX_SECONDS", "OVERDUE_SECONDS", "Beginning", "Entry", "SegmentRule", "Segments"]

#: No file is longer, seconds: many readers take the 32 bits of a time in ms for a signed number.
MAX_SECONDS = 24 * 86400

#: How long a keyframe is waited for when a file has reached its length, seconds.
OVERDUE_SECONDS = 30

#: How many files a publisher may ask for by its clock and its headers, and in what time, seconds.
CUTS, CUT_SECONDS = 10, 60

_ON_META_DATA = amf0.encode(ON_META_DATA)


class Beginning(NamedTuple):
    """
    Here a new file begins.

    @ivar began: when, in UTC.
    @ivar isAgain: whether that is because writing was impossible.
    """

    began: datetime
    isAgain: bool = False


#: What goes into the files, in order.
Entry = Tag | Beginning


@dataclass(frozen=True)
class SegmentRule:
    """
    How long and large a file may be before the next one begins.

    @ivar seconds: its length; never more than L{MAX_SECONDS}.
    @ivar bytes: its size.
    """

    seconds: float = inf
    bytes: float = inf


class Segments:
    """
    The segments of one recording: from messages to what goes into its files.

    @ivar isLive: whether messages come as the stream gets them: only then the stream can tell whether one is a place to
        begin.
    """

    _log = Logger()

    def __init__(self, stream: LiveStream, rule: SegmentRule, clock: IReactorTime, now: Callable[[], datetime]) -> None:
        """
        @param now: tells the time of day, in UTC.
        """
        self.isLive = False
        self._stream = stream
        self._seconds = min(rule.seconds, MAX_SECONDS)
        self._bytes = rule.bytes
        self._clock = clock
        self._now = now
        # When the publish began, which is what its first file is named after.
        self._first: datetime | None = now()
        self._fileClock = FileClock()
        # Where the file begins on the recording's clock, ms; 0 for the first one; None until its first frame has come.
        self._origin: int | None = 0
        self._beganAt = 0.0
        # The time of the latest frame in the file, ms, and its own; None before there is one.
        self._latest = 0
        self._stamp: int | None = None
        self._size = 0
        self._dueSince: float | None = None
        self._headers: dict[HeaderKey, bytes] = {}
        self._held: list[Message] = []
        self._isChanged = False
        self._cuts: deque[float] = deque(maxlen=CUTS)

    def take(self, message: Message) -> list[Entry]:
        """
        The next message.

        @return: what goes into the files now; nothing, if that can't be said yet.
        """
        if self._first is not None:
            # The stream's own beginning is the file's.
            began, self._first = self._first, None
            return [self._begin(began, 0, False), self._tag(message)]
        # Of data, and so of its kind, is nothing to be asked.
        kind = None if message.type == MessageType.DATA else classify(message.type, message.payload)
        if not self._isChanged and kind is MediaKind.SEQUENCE_HEADER and self._differs([message]):
            self._isChanged = self._isCut()
        if self._isChanged:
            isSmall = len(message.payload) <= MAX_HEADER_SIZE and len(self._held) < MAX_HEADERS
            if isSmall and (kind is None or kind.isHeader or _isEmpty(message)):
                self._held.append(message)
                return []
            return self.begin(message)
        if kind is not None and kind.isFrame and self._isDue(message):
            return self.begin(message)
        return [self._tag(message)]

    def begin(self, message: Message, isAgain: bool = False) -> list[Entry]:
        """
        Begin a new file with this message, behind all headers.

        @param isAgain: because writing was impossible.
        """
        held, self._held, self._isChanged = self._held, [], False
        self._first = None
        headers = self._stream.headers.messages(message.timestamp)
        known = {key for header in headers for key in _keys(header)}
        others = [other for other in held if known.isdisjoint(_keys(other))]
        beginning = self._begin(self._now(), None, isAgain)
        return [beginning, *self._tags([*headers, *others]), self._tag(message)]

    def resume(self, message: Message) -> list[Entry]:
        """Go on with this message, behind all headers, where there is a gap; in a new file, if headers differ."""
        headers = self._stream.headers.messages(message.timestamp)
        if self._differs(headers) and self._isCut():
            return self.begin(message)
        return [*self._tags(headers), self._tag(message)]

    def leave(self) -> None:
        """What is held goes into no file: there is a gap."""
        self._held, self._isChanged = [], False

    def end(self) -> list[Entry]:
        """Nothing more comes. What is held has no frames behind it, and goes where it would have gone without."""
        held, self._held = self._held, []
        return self._tags(held)

    def _begin(self, began: datetime, origin: int | None, isAgain: bool) -> Beginning:
        """
        @param origin: where it begins on the recording's clock, if that is known.
        """
        self._origin, self._latest, self._stamp, self._size, self._dueSince = origin, 0, None, 0, None
        self._headers.clear()
        self._beganAt = self._clock.seconds()
        return Beginning(began, isAgain)

    def _tags(self, messages: Iterable[Message]) -> list[Entry]:
        return [self._tag(message) for message in messages]

    def _tag(self, message: Message) -> Tag:
        """A message, with its time in the file."""
        time = self._fileClock.time(message)
        # Of data, and so of its kind, is nothing to be asked.
        kind = None if message.type == MessageType.DATA else classify(message.type, message.payload)
        if self._origin is None and kind is not None and kind.isFrame:
            self._origin = time
        if self._origin is None:
            time = 0
        elif self._origin:
            time = max(0, elapsed(time, self._origin))
        if kind is not None and kind.isFrame:
            # The end of a sequence may be at 0, and says nothing.
            if time >= self._latest:
                self._latest, self._stamp = time, message.timestamp
        elif kind is MediaKind.SEQUENCE_HEADER:
            self._headers.update(_digests(message))
        self._size += len(message.payload)
        return message.type, time, message.payload

    def _differs(self, messages: Iterable[Message]) -> bool:
        """Whether there is a sequence header that is not the one in the file."""
        digests = [item for message in messages for item in _digests(message).items()]
        return any(self._headers.get(key, digest) != digest for key, digest in digests)

    def _isCut(self) -> bool:
        """Whether there is a new file because the old one's headers do not fit any more."""
        mayCut = self._mayCut()
        if mayCut:
            self._log.info("{path}: picture or sound are of another kind now: a new file", path=self._stream.path)
        return mayCut

    def _isDue(self, message: Message) -> bool:
        """Whether the next file begins with this frame."""
        now = self._clock.seconds()
        if self._dueSince is None:
            isLong = now - self._beganAt >= self._seconds or self._size >= self._bytes
            time = self._latest + (0 if self._stamp is None else elapsed(message.timestamp, self._stamp))
            # If only the publisher's clock says so, it is the publisher who asks.
            if not isLong and (time < self._seconds * 1000 or not self._mayCut()):
                return False
            self._dueSince = now
        return (self.isLive and self._stream.isAtKeyframe) or now - self._dueSince >= OVERDUE_SECONDS

    def _mayCut(self) -> bool:
        """Whether the publisher may ask for one more file."""
        now = self._clock.seconds()
        if len(self._cuts) == CUTS and now - self._cuts[0] < CUT_SECONDS:
            return False
        self._cuts.append(now)
        return True


def _keys(message: Message) -> set[object]:
    """What a header is for, so that a newer one takes its place."""
    if message.type == MessageType.DATA:
        return {ON_META_DATA} if message.payload.startswith(_ON_META_DATA) else set()
    return set(headerKeys(message.type, message.payload))


def _isEmpty(message: Message) -> bool:
    """Whether an audio or video message has no bytes for a decoder. Real frames may be very short: silence is."""
    tag = describe(message.type, message.payload)
    return not tag.error and all(track.start >= track.end for track in tag.tracks)


def _digests(message: Message) -> dict[HeaderKey, bytes]:
    """A sequence header, by each track that it is for: what tells it from another one; nothing, if it is none."""
    if message.type == MessageType.DATA:
        return {}
    keys = [key for key in headerKeys(message.type, message.payload) if key.kind is MediaKind.SEQUENCE_HEADER]
    return dict.fromkeys(keys, hashlib.sha256(message.payload).digest()) if keys else {}
