# -*- test-case-name: tests.relay.test_splice -*-
"""
One stream made of what several connections bring, one after the other: a relay that has lost its source, and found it
again, goes on as if nothing but time were missing.

::

    first connection     HHKiiiKiiiKii|                    H headers, K keyframe, i other frames
    second connection                   iiHHKiiiKiiiKiii   waits for a keyframe; equal headers are left out
    what is given out    HHKiiiKiiiKii      KiiiKiiiKiii   and time goes on

After a cut, nothing is given out before a place to start (L{rtmptw.live.beginning}), and right before it, what is new
about the headers. Then the clocks are compared. There are three ways to go on, depending on how far that keyframe is
from the newest frame that was given out:

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

from rtmptw.live.beginning import Beginning, isHeader, see
from rtmptw.live.headers import HeaderCache
from rtmptw.wire.media import MediaKind, classify
from rtmptw.wire.message import Message, MessageType
from rtmptw.wire.timestamp import elapsed

__all__ = ["MAX_OUTAGE", "TOLERANCE", "Splice"]

#: By how much a clock that has gone on may differ from ours; and for how long after a connection has started its
#: messages may be earlier than what was before the cut. In ms, of the stream's own time.
TOLERANCE = 10_000

#: The longest outage that is believed, ms: timestamps can't tell more than 2^31 ms apart.
MAX_OUTAGE = 0x7FFFFFFF - 3 * TOLERANCE


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
        self._beginning = Beginning(False)
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
            outage += self._outage + self._beginning.waited
        self._outage = min(outage, MAX_OUTAGE)
        self.isWaiting = self._newest is not None
        self.leftOut = 0
        self._beginning = Beginning(self._hasVideo)
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
        if self.isWaiting:
            return self._wait(message, kind)
        if message.type == MessageType.VIDEO and (kind.isHeader or kind.isFrame):
            self._hasVideo = True
        return self._pass(message, kind)

    # After a cut

    def _wait(self, message: Message, kind: MediaKind) -> list[Message]:
        """See whether this is a place to start."""
        if self._beginning.isStart(message, kind) and self._findClock(message.timestamp):
            return self._start(message, kind)
        if not isHeader(message, kind):
            self.leftOut += 1
        return []

    def _start(self, message: Message, kind: MediaKind) -> list[Message]:
        """Give out what is new about the headers, and the first frame."""
        self.isWaiting = False
        self._hasVideo = self._beginning.hasVideo
        self._seen = dict(self._last)
        self._seenUntil = self._place(message.timestamp + self.offset) + TOLERANCE
        new = [self._moved(header) for header in self._beginning.newHeaders(self._known, message.timestamp)]
        return [*new, *self._pass(message, kind)]

    def _findClock(self, timestamp: int) -> bool:
        """
        Compare the clocks.

        @param timestamp: of a frame to start with.
        @return: whether it is new, so that L{offset} is known.
        """
        assert self._newest is not None
        # It may be that of the connection before, whose times were moved, or that of one before that.
        offsets = (self.offset, 0) if self._sameClock is None else (self._sameClock,)
        furthest = self._outage + min(self._beginning.waited, TOLERANCE) + TOLERANCE
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
        isHead = isHeader(message, kind)
        moved = self._moved(message)
        at = self._place(moved.timestamp)
        if kind.isFrame and at > self._seenUntil:
            self._seen.clear()
        seen = self._seen.get(message.type)
        if seen is not None and at > seen:
            del self._seen[message.type]
        elif seen is not None:
            if not isHead:
                self.leftOut += 1
                return []
            moved = _retimed(moved, seen)
        if isHead:
            see(self._known, message)
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
