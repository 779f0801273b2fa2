# -*- test-case-name: tests.relay.test_splice -*-
"""
One stream made of what several connections bring, one after the other: a relay that has lost its source, and found it
again, goes on as if nothing but time were missing.

::

    first connection     HHKiiiKiiiKii|                    H headers, K keyframe, i other frames
    second connection                   iiHHKiiiKiiiKiii   waits for a keyframe; equal headers are left out
    what is given out    HHKiiiKiiiKii      KiiiKiiiKiii   and time goes on

After a cut, nothing is given out before a place to start: a keyframe, or any sound if the stream has no picture. What a
player must know is given out right before it, if it is new. Then the clocks are compared. There are three ways to go
on, depending on how far that keyframe is from the newest frame that was given out:

- later, by no more than the outage, the wait for the keyframe, and L{TOLERANCE}: the clock has gone on, as that of a
  publisher that never noticed does, and no time is changed;
- earlier, by no more than L{TOLERANCE}: the clock has gone on, and these frames were given out already, as servers
  begin with the last keyframe that they have: they are left out, until there is a keyframe that is new;
- anything else: the clock is another one. All times of this connection are moved by the same amount, so that
  the keyframe comes as much later as the outage was long.

Audio and video are not sorted against each other by real publishers. So a message is left out only while it is not
later than the last one of its own type that was given out before the cut; and otherwise times are not looked at within
one connection.
"""

from __future__ import annotations

from rtmptw.live.headers import HeaderCache
from rtmptw.wire import amf0
from rtmptw.wire.data import ON_META_DATA
from rtmptw.wire.media import MediaKind, classify
from rtmptw.wire.message import Message, MessageType
from rtmptw.wire.timestamp import elapsed

__all__ = ["MAX_OUTAGE", "TOLERANCE", "Splice"]

#: By how much a clock that has gone on may differ from ours; for how long a connection is waited for to bring a picture
#: again; and for how long after it has started its messages may be earlier than what was before the cut. In ms, of the
#: stream's own time.
TOLERANCE = 10_000

#: The longest outage that is believed, ms: timestamps can't tell more than 2^31 ms apart.
MAX_OUTAGE = 0x7FFFFFFF - 3 * TOLERANCE

_ON_META_DATA = amf0.encode(ON_META_DATA)


class Splice:
    """
    Joins what connections bring. Feed it every audio, video and data message, and say when a new connection begins.

    It keeps headers, no frames.

    @ivar isWaiting: whether there was a cut, and no place to start since then.
    @ivar leftOut: how many messages were left out since the last cut.
    @ivar offset: by how much the times of this connection are moved, ms; less than 0 for back.
    """

    def __init__(self) -> None:
        self.isWaiting = False
        self.leftOut = 0
        self.offset = 0
        self._known = HeaderCache()
        self._hasVideo = False
        # Where frames were given out: ms that go on beyond 32 bits; the newest of all, and the newest of each type.
        self._newest: int | None = None
        self._last: dict[int, int] = {}
        # Since the cut:
        self._outage = 0
        self._headers = HeaderCache()
        self._began: int | None = None
        self._waited = 0
        self._broughtVideo = False
        self._sameClock: int | None = None
        # Since the start behind it: what is not later than this is not new, until then.
        self._seen: dict[int, int] = {}
        self._seenUntil = 0

    def cut(self, outage: int) -> None:
        """
        A new connection begins: what is fed from here on comes from it.

        @param outage: for how long nothing has come, ms: from the last message of the connection before until now.
        """
        outage = max(0, outage)
        if self.isWaiting:
            # The connection before has brought nothing that could be used: all of its time is missing.
            outage += self._outage + self._waited
        self._outage = min(outage, MAX_OUTAGE)
        self.isWaiting = self._newest is not None
        self.leftOut = 0
        self._headers = HeaderCache()
        self._began = None
        self._waited = 0
        self._broughtVideo = False
        self._sameClock = None
        self._seen = {}

    def feed(self, message: Message) -> list[Message]:
        """
        Take the next message.

        @param message: audio, video or data.
        @return: what is to be given out now: none, or the message (the same object, if nothing about it is changed),
            maybe with headers before it.
        """
        kind = classify(message.type, message.payload)
        if message.type == MessageType.VIDEO and (kind.isHeader or kind.isFrame):
            self._hasVideo = self._broughtVideo = True
        if self.isWaiting:
            return self._wait(message, kind)
        return self._pass(message, kind)

    # After a cut

    def _wait(self, message: Message, kind: MediaKind) -> list[Message]:
        """See whether this is a place to start."""
        if _isHeader(message, kind):
            _see(self._headers, message)
        elif kind.isFrame and self._mayStart(message, kind) and self._findClock(message.timestamp):
            return self._start(message, kind)
        else:
            self.leftOut += 1
        return []

    def _start(self, message: Message, kind: MediaKind) -> list[Message]:
        """Give out what is new about the headers, and the first frame."""
        self.isWaiting = False
        self._hasVideo = self._broughtVideo
        self._seen = dict(self._last)
        self._seenUntil = self._place(message.timestamp + self.offset) + TOLERANCE
        headers = self._headers.messages(message.timestamp)
        new = [self._moved(header) for header in headers if _see(self._known, header)]
        return [*new, *self._pass(message, kind)]

    def _mayStart(self, message: Message, kind: MediaKind) -> bool:
        """Whether a decoder can start with this frame, or it can't be helped."""
        if self._began is None:
            self._began = message.timestamp
        self._waited = max(self._waited, elapsed(message.timestamp, self._began))
        if not self._hasVideo or self._waited >= TOLERANCE:
            return True
        return kind.isKeyframe

    def _findClock(self, timestamp: int) -> bool:
        """
        Compare the clocks.

        @param timestamp: of a frame to start with.
        @return: whether it is new, so that L{offset} is known.
        """
        assert self._newest is not None
        # It may be that of the connection before, whose times were moved, or that of one before that.
        offsets = (self.offset, 0) if self._sameClock is None else (self._sameClock,)
        furthest = self._outage + min(self._waited, TOLERANCE) + TOLERANCE
        for offset in offsets:
            ahead = elapsed(timestamp + offset, self._newest)
            if 0 < ahead <= furthest:
                self.offset = offset
                return True
            if -TOLERANCE <= ahead <= 0:
                self._sameClock = offset
                return False
        self.offset = elapsed(self._newest + max(1, self._outage), timestamp)
        return True

    # What is given out

    def _pass(self, message: Message, kind: MediaKind) -> list[Message]:
        """Give a message out, if it is not one that was before the cut."""
        isHeader = _isHeader(message, kind)
        moved = self._moved(message)
        at = self._place(moved.timestamp)
        if kind.isFrame and at > self._seenUntil:
            self._seen.clear()
        seen = self._seen.get(message.type)
        if seen is not None and at > seen:
            del self._seen[message.type]
        elif seen is not None:
            if not isHeader:
                self.leftOut += 1
                return []
            moved = _retimed(moved, seen)
        if isHeader:
            _see(self._known, message)
        elif kind.isFrame or message.type == MessageType.DATA:
            self._remember(message.type, at)
        return [moved]

    def _moved(self, message: Message) -> Message:
        """The message at its time in the stream."""
        return _retimed(message, message.timestamp + self.offset) if self.offset else message

    def _place(self, timestamp: int) -> int:
        """Where a time is, beside those that were given out."""
        return timestamp if self._newest is None else self._newest + elapsed(timestamp, self._newest)

    def _remember(self, type: int, at: int) -> None:
        """
        Frames and data have been given out until here. If a publisher has set its clock back, they begin again there;
        if it is only a little earlier, that is a frame out of order.
        """
        last = self._last.get(type)
        if last is None or at > last or at < last - TOLERANCE:
            self._last[type] = at
        if type != MessageType.DATA and (self._newest is None or at > self._newest or at < self._newest - TOLERANCE):
            self._newest = at


def _retimed(message: Message, timestamp: int) -> Message:
    """The same at another time."""
    return Message(message.type, timestamp & 0xFFFFFFFF, message.streamId, message.payload, message.chunkStreamId)


def _isHeader(message: Message, kind: MediaKind) -> bool:
    """Whether a player must know this before the first frame."""
    if message.type == MessageType.DATA:
        return message.payload.startswith(_ON_META_DATA)
    return kind.isHeader


def _see(headers: HeaderCache, message: Message) -> bool:
    """
    Keep a message, if it is a header.

    @return: whether it is a new one.
    """
    before = headers.changes
    if message.type == MessageType.DATA:
        headers.seeData(message)
    else:
        headers.see(message)
    return headers.changes != before
