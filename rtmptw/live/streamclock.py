# -*- test-case-name: tests.live.test_streamclock -*-
"""
The clock of a stream: the timestamps of what a publisher sends, repaired where they would break a reader.

Timestamps are passed on as they came. A reader goes by the differences, and with nearly all publishers these are right,
whatever the clock began with. What readers do not survive is a clock that is set to another time, and encoders do that:
they begin again at 0 after a reconnect of their own camera, count in 24 or 31 bits, or give sound and picture two
different clocks. So each track (the messages of one type) has an offset, which is added to its timestamps, and which is
0 until there is something to repair:

    =========================  ==========================================  ============================
    a frame of a track         is                                          and then
    =========================  ==========================================  ============================
    a little back              up to L{BACK} behind its newest one         unchanged: frames out of order
    on time                    up to L{FORWARD} ahead                      unchanged
    far ahead                  no further than there was silence, or near  unchanged: a pause, or a track
                               the other track                             that had nothing to say
    at 0, behind 2^24 or 2^31  of an encoder with fewer bits               the offset grows by as much
    elsewhere                  of another clock                            a new offset: it goes on behind
                                                                           its own and the others' newest
    the first of its track     near what the others have had               unchanged
    the first of its track     elsewhere: of a clock of its own            put beside the others' newest
    =========================  ==========================================  ============================

Beyond 2^32 ms the wire itself begins again (RTMP 1.0, section 5.3.1.3), which is no repair: inside, times go on.

A frame that is elsewhere is first tried with the offsets that are there already: the one that its track had before, and
those of the other tracks, or what was added to them. So when a publisher's clock is set, sound and picture move by the
same amount, and a single wrong timestamp moves nothing but itself.

What is no frame (sequence headers, ends of sequence, metadata) often has no time of its own, but 0 (wire facts 7.2):
it is put at the newest time, if its own is not near, and moves nobody.

Sound and picture that drift apart little by little are left as they are. Each step of that is within what real frames
do, so it can't be told from late ones; which of the two is wrong can't be told either; and to move one of them would
make a jump of what a player can even out.
"""

from __future__ import annotations

from collections import Counter

from rtmptw.wire.message import Message, MessageType
from rtmptw.wire.timestamp import nearest

__all__ = ["BACK", "FORWARD", "MAX_OUTAGE", "StreamClock", "Track", "explain"]

#: How far ahead of its track's newest a frame is believed to be, ms, even if no time has passed.
FORWARD = 10_000

#: How far behind it, ms. Frames out of order (B-frames sent with the times of their pictures) are less far back.
BACK = 1_000

#: The longest outage that is believed, ms: readers can't tell more than 2^31 ms apart.
MAX_OUTAGE = 0x7FFFFFFF - 3 * FORWARD

_MASK = 0xFFFFFFFF

#: Where encoders begin again that do not count in 32 bits, ms: a signed number; the short field of the chunk header.
_SHORT_CLOCKS = (1 << 31, 1 << 24)

_TRACKS: dict[int, str] = {MessageType.AUDIO: "audio", MessageType.VIDEO: "video", MessageType.DATA: "data"}

_REPAIRS = {
    "reset": "timestamps went back: that track goes on where it was",
    "jump": "timestamps jumped ahead, and no time had passed: that track goes on where it was",
    "wrap": "timestamps began again at 0 before 2^32 ms, as if they had fewer bits: that track goes on",
    "skew": "a track began at a time far from the others': it is put beside them",
    "header": "a header or metadata had a time far from its stream's: it is put at the newest time",
}


def explain(kind: str) -> str:
    """
    What one kind of repair means.

    @param kind: one of those that L{StreamClock.repairs} counts.
    @raise KeyError: if it is none.
    """
    return _REPAIRS[kind]


class Track:
    """
    The frames of one message type; all tracks of a multitrack stream together, as they have one clock.

    A frame that is neither back nor more than L{FORWARD} ahead of C{last} may be passed on without asking the clock, if
    C{isPlain}: nothing but C{last} changes then.

    @ivar last: the timestamp of the last frame as it came, 32 bits, ms.
    @ivar offset: what is added to it, ms: the sum goes on for ever.
    @ivar isPlain: whether timestamps are passed on unchanged: the offset has whole rounds of 2^32 only.
    @ivar high: the newest time up to the last frame that went back, or was placed by the clock, ms.
    @ivar before: the offset before the last that was another one than this, but for whole rounds.
    """

    __slots__ = ("before", "high", "isPlain", "last", "offset")

    def __init__(self, timestamp: int, time: int) -> None:
        """
        @param timestamp: of the first frame, as it came.
        @param time: where that is put.
        """
        self.last = timestamp
        self.high = time
        self.offset = self.before = time - timestamp
        self.isPlain = not self.offset & _MASK

    @property
    def newest(self) -> int:
        """The time of the newest frame, ms, without an end."""
        return max(self.high, self.last + self.offset)

    def put(self, timestamp: int, time: int) -> None:
        """A frame was given this time."""
        self.high = self.newest
        offset = time - timestamp
        if (offset - self.offset) & _MASK:
            self.before = self.offset
        self.last, self.offset = timestamp, offset
        self.isPlain = not offset & _MASK

    def move(self, offset: int) -> None:
        """From now on this is added. What there was stays where it was."""
        high = self.newest
        self.put((high - offset) & _MASK, high)


class StreamClock:
    """
    The clock of one stream.

    @ivar tracks: by message type; a track begins with its first frame.
    @ivar repairs: how many timestamps were changed for which reason, see L{explain}. What only follows an offset that
        is there already is not counted again.
    """

    def __init__(self) -> None:
        self.tracks: dict[int, Track] = {}
        self.repairs: Counter[str] = Counter()
        self._first = 0
        self._outage: int | None = None
        # For how long nothing but headers and data have come, ms; the newest time then, and the last silence.
        self._quiet = 0
        self._quietAt: int | None = None
        self._silence = -1.0
        self._told: set[str] = set()
        self._news: list[str] = []

    @property
    def newest(self) -> int | None:
        """The time of the newest frame of all tracks, ms, without an end; C{None} before the first."""
        return max((track.newest for track in self.tracks.values()), default=None)

    def time(self, type: int) -> int | None:
        """The same of one track."""
        track = self.tracks.get(type)
        return None if track is None else track.newest

    def resume(self, outage: int) -> None:
        """
        Another connection goes on with this stream. Its first frame tells how.

        If that is later than the newest one, by no more than the outage and L{FORWARD}, the clock has gone on, and no
        offset changes, or there is none any more. Else it is another clock: all tracks get the same new offset, so that
        the frame comes as much later as the outage was long.

        @param outage: for how long nothing has come, ms. If one connection after the other brings no frame, their
            outages are added.
        """
        if self.tracks:
            self._outage = min((self._outage or 0) + max(0, outage), MAX_OUTAGE)
            self._told.clear()
            for track in self.tracks.values():
                # Nothing is passed on without us until it is known how.
                track.isPlain = False

    def place(self, message: Message, isFrame: bool, silence: float) -> Message:
        """
        Give a message its time.

        @param isFrame: whether it is a moment of the media itself; see L{rtmptw.wire.media.MediaKind}.
        @param silence: for how long nothing has come before it, seconds.
        @return: the same object, if its timestamp is right.
        """
        type, timestamp = message.type, message.timestamp
        if not isFrame:
            time = self._placeBeside(type, timestamp, silence)
            return message if not (time - timestamp) & _MASK else _retimed(message, time)
        track = self.tracks.get(type)
        if track is None or self._outage is not None:
            time = self._begin(type, timestamp) if self._outage is None else self._goOn(type, timestamp, self._outage)
            return message if self.tracks[type].isPlain else _retimed(message, time)
        # Written out, as this is what each frame needs whose track was moved.
        last, high = track.last + track.offset, track.high
        newest = high if high > last else last
        time = nearest(timestamp + track.offset, last)
        if -BACK <= time - newest <= FORWARD:
            track.last, track.high, track.offset = timestamp, newest, time - timestamp
        else:
            time = self._find(type, track, timestamp, time, silence)
            track.put(timestamp, time)
        return message if track.isPlain else _retimed(message, time)

    def news(self) -> list[str]:
        """What is to be logged: a line for each kind of repair, once for each publish."""
        news, self._news = self._news, []
        return news

    def _count(self, kind: str, type: int, timestamp: int, time: int) -> int:
        """
        A time was repaired.

        @return: that time.
        """
        self.repairs[kind] += 1
        if kind not in self._told:
            self._told.add(kind)
            name = _TRACKS.get(type, f"message type {type}")
            self._news.append(f"{name}: {explain(kind)} ({timestamp} ms has become {time & _MASK} ms)")
        return time

    # Where messages are

    def _offsets(self) -> list[int]:
        """What is added now."""
        return [track.offset for track in self.tracks.values()]

    def _begin(self, type: int, timestamp: int) -> int:
        """The first frame of a track."""
        newest = self.newest
        if newest is None:
            self._first = time = timestamp
        else:
            # The offsets of the others, then none. Near their newest is better than among all that they have had: that
            # is a file whose tracks are badly interleaved.
            times = [nearest(timestamp + offset, newest) for offset in (*self._offsets(), 0)]
            near = [time for time in times if abs(time - newest) <= FORWARD]
            among = [time for time in times if self._first - FORWARD <= time <= newest]
            time = (near or among or [newest])[0]
            if not near and not among:
                self._count("skew", type, timestamp, time)
        self.tracks[type] = Track(timestamp, time)
        return time

    def _find(self, type: int, track: Track, timestamp: int, time: int, silence: float) -> int:
        """
        A frame that is far from its track's newest.

        @param time: where it would be.
        @return: where it is.
        """
        tracks = [other for other in self.tracks.values() if other is not track]
        newest = track.newest
        others = max([other.newest for other in tracks], default=newest)
        quiet = self._sinceFrames(max(newest, others), silence)
        if _fits(time, newest, others, quiet):
            return time
        for modulus in _SHORT_CLOCKS:
            behind = time + modulus
            if timestamp < track.last < modulus and -BACK <= behind - newest <= FORWARD:
                # The first frame behind may have been followed by a late one from before.
                isKnown = behind - timestamp == track.before
                return behind if isKnown else self._count("wrap", type, timestamp, behind)
        known = nearest(timestamp + track.before, newest)
        if _fits(known, newest, others, quiet):
            return known
        kind = "reset" if time < newest else "jump"
        # The others' offsets; or its own, moved as theirs were.
        for offset in [
            *(each.offset for each in tracks),
            *(track.offset + each.offset - each.before for each in tracks),
        ]:
            known = nearest(timestamp + offset, newest)
            if _fits(known, newest, others, quiet):
                return self._count(kind, type, timestamp, known)
        return self._count(kind, type, timestamp, max(newest + max(1, min(quiet, FORWARD)), others + 1))

    def _sinceFrames(self, newest: int, silence: float) -> int:
        """
        For how long no frame has come, ms; what is no frame may have come in between.

        @param newest: the newest time of all tracks.
        """
        if newest != self._quietAt:
            self._quiet, self._quietAt, self._silence = 0, newest, -1.0
        if silence != self._silence:
            # Messages of one read have all the same silence before them; it counts once.
            self._quiet += max(0, int(silence * 1000))
            self._silence = silence
        return self._quiet

    def _placeBeside(self, type: int, timestamp: int, silence: float) -> int:
        """What is no frame."""
        newest = self.newest
        if newest is None:
            return timestamp
        track = self.tracks.get(type)
        reference = newest if track is None else track.newest
        quiet = self._sinceFrames(newest, silence)
        for offset in self._offsets() if track is None else [track.offset]:
            time = nearest(timestamp + offset, reference)
            if -BACK <= time - reference <= FORWARD + quiet:
                return time
        if self._outage is not None:
            return reference
        return self._count("header", type, timestamp, reference)

    def _goOn(self, type: int, timestamp: int, outage: int) -> int:
        """The first frame of another connection."""
        newest, self._outage = self.newest, None
        assert newest is not None
        track = self.tracks.get(type)
        # No frame may come again, but sound and picture are not sorted against each other.
        earliest = newest - BACK if track is None else max(newest - BACK, track.newest + 1)
        kept = [] if track is None else [track.offset]
        times = [(offset, nearest(timestamp + offset, newest)) for offset in [*kept, *self._offsets(), 0]]
        fitting = [each for each in times if earliest <= each[1] <= newest + outage + FORWARD]
        if fitting:
            offset, time = min(fitting, key=lambda each: abs(each[1] - newest - outage))
        else:
            time = newest + max(1, outage)
            offset = time - timestamp
        isKept = track is not None and offset == track.offset
        for each in self.tracks.values():
            # If the clock has gone on, each track has its own offset still.
            each.move(each.offset if isKept else offset)
        if track is None:
            self.tracks[type] = Track(timestamp, time)
        else:
            track.put(timestamp, time)
        return time


def _fits(time: int, newest: int, others: int, quiet: int) -> bool:
    """
    Whether a frame may be here.

    @param newest: its track's newest.
    @param others: that of the other tracks.
    @param quiet: for how long nothing has come, ms.
    """
    ahead = time - newest
    return -BACK <= ahead <= FORWARD or (ahead > 0 and (ahead <= quiet + FORWARD or abs(time - others) <= FORWARD))


def _retimed(message: Message, time: int) -> Message:
    """The same at another time."""
    return Message(message.type, time & _MASK, message.streamId, message.payload, message.chunkStreamId)
