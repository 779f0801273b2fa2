"""Tests for L{rtmptw.relay.splice}."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.relay.splice import MAX_OUTAGE, TOLERANCE, Splice
from rtmptw.wire.message import Message, MessageType
from rtmptw.wire.timestamp import elapsed
from tests.live.doubles import (
    Content,
    audio,
    content,
    inter,
    key,
    metadata,
    pictureHeader,
    sound,
    soundHeader,
    video,
)

#: A connection as a number of messages, or a cut: how long the outage was, ms.
Steps = list[Message | int]

BEGINNING: Steps = [metadata(0), pictureHeader(0), soundHeader(0), key(0), sound(21), inter(40)]
#: Half a minute later, newest first: 30040.
LATER: Steps = [*BEGINNING, key(30_000), sound(30_021), inter(30_040)]


def cuePoint(timestamp: int) -> Message:
    """A data message that is no metadata."""
    return Message(MessageType.DATA, timestamp, 1, b"\2\0\x0aonCuePoint\5", 5)


def join(*steps: Message | int) -> tuple[Splice, list[Message]]:
    """A splice, and what it has given out since the last cut."""
    splice = Splice()
    found: list[Message] = []
    for step in steps:
        if isinstance(step, int):
            splice.cut(step)
            found = []
        else:
            found += splice.feed(step)
    return splice, found


def moved(messages: Iterable[Message], offset: int) -> Content:
    """What messages are after a change of clocks."""
    return [(int(m.type), (m.timestamp + offset) & 0xFFFFFFFF, m.payload) for m in messages]


class SpliceTestCase(SynchronousTestCase):
    """What comes out."""

    def assertJoins(self, steps: Steps, *expected: Message) -> Splice:
        """Assert that this is given out after the last cut."""
        splice, found = join(*steps)
        self.assertEqual(content(found), content(expected))
        return splice


class BeforeTests(SpliceTestCase):
    """Nothing is changed before a cut."""

    def test_same(self) -> None:
        """Every message comes out as the same object, whatever it is."""
        odd = [video(""), audio("9f"), video("a268766331", 0), cuePoint(7), inter(0), sound(0xFFFFFFF0), key(5)]
        splice = Splice()
        for message in [*BEGINNING, *odd, *BEGINNING]:
            assert isinstance(message, Message)
            (found,) = splice.feed(message)
            self.assertIs(found, message)
        self.assertEqual((splice.isWaiting, splice.leftOut, splice.offset), (False, 0, 0))

    def test_nothingBefore(self) -> None:
        """A cut before the first frame is none: there is nothing to go on from."""
        splice, found = join(metadata(0), pictureHeader(0), 5000, inter(70), metadata(0), key(50))
        self.assertEqual(content(found), content([inter(70), metadata(0), key(50)]))
        self.assertFalse(splice.isWaiting)


class StartTests(SpliceTestCase):
    """Where a stream goes on."""

    def test_keyframe(self) -> None:
        """A stream with a picture goes on at a keyframe; what is before it is left out, and counted."""
        steps = [*LATER, 500, sound(30_600), inter(30_610), cuePoint(30_611), video("17", 30_615), key(30_620)]
        splice = self.assertJoins([*steps, sound(30_630), inter(30_660)], key(30_620), sound(30_630), inter(30_660))
        self.assertEqual((splice.isWaiting, splice.leftOut, splice.offset), (False, 4, 0))

    def test_waiting(self) -> None:
        """Until then it waits."""
        splice = self.assertJoins([*LATER, 500, sound(30_600), metadata(0), pictureHeader(30_600)])
        self.assertEqual((splice.isWaiting, splice.leftOut), (True, 1))

    def test_sound(self) -> None:
        """A stream that never had a picture goes on at any sound."""
        steps = [soundHeader(0), sound(0), sound(21), 500, soundHeader(600), cuePoint(600), sound(600), sound(621)]
        self.assertJoins(steps, sound(600), sound(621))

    def test_firstPicture(self) -> None:
        """If one that had none announces a picture after the cut, it goes on at a keyframe."""
        steps = [soundHeader(0), sound(0), 500, pictureHeader(0), sound(600), key(620), sound(621)]
        self.assertJoins(steps, pictureHeader(620), key(620), sound(621))

    def test_pictureLost(self) -> None:
        """If there is no picture for ten seconds, it goes on without, and does not wait for one after the next cut."""
        sounds = [sound(31_000 + 1000 * index) for index in range(12)]
        splice, found = join(*LATER, 900, *sounds)
        self.assertEqual(content(found), content(sounds[10:]))
        self.assertEqual(splice.leftOut, 10)
        splice.cut(900)
        self.assertEqual(content(splice.feed(sound(43_000))), content([sound(43_000)]))
        # There is one again, and then it is waited for.
        self.assertEqual(content(splice.feed(key(43_020))), content([key(43_020)]))
        splice.cut(900)
        self.assertEqual(splice.feed(sound(44_000)), [])

    def test_noKeyframe(self) -> None:
        """The same if there is a picture, but no keyframe; the next cut waits for one again."""
        frames = [inter(31_000 + 2500 * index) for index in range(6)]
        splice, found = join(*LATER, 900, *frames)
        self.assertEqual(content(found), content(frames[4:]))
        splice.cut(900)
        self.assertEqual(splice.feed(sound(44_000)), [])

    def test_headerTimes(self) -> None:
        """The ten seconds are those of frames: a header at 0 is no beginning, nor does time that goes back count."""
        steps = [*LATER, 900, pictureHeader(0), inter(31_000), inter(25_000), inter(40_999), key(41_000)]
        splice, found = join(*steps)
        self.assertEqual(content(found), content([key(41_000)]))
        self.assertEqual(splice.leftOut, 3)


class HeaderTests(SpliceTestCase):
    """What a player must know."""

    def test_same(self) -> None:
        """Headers that have not changed are not given out again."""
        again = [metadata(0), pictureHeader(0), soundHeader(0)]
        self.assertJoins([*LATER, 500, *again, key(30_600), sound(30_610)], key(30_600), sound(30_610))

    def test_changed(self) -> None:
        """Those that have changed are, metadata first, right before the keyframe and with its time."""
        steps = [*LATER, 500, soundHeader(0), pictureHeader(0, b"other"), metadata(0, width=1.0), inter(30_590)]
        self.assertJoins(
            [*steps, key(30_600)], metadata(30_600, width=1.0), pictureHeader(30_600, b"other"), key(30_600)
        )

    def test_new(self) -> None:
        """One that there was none of before is new; of two the newest counts."""
        config, color = "94" + b"Opus".hex(), "d4" + b"hvc1".hex()
        self.assertJoins(
            [*LATER, 500, pictureHeader(0, b"1"), video(color), audio(config), pictureHeader(9), key(30_600)],
            video(color, 30_600),
            audio(config, 30_600),
            key(30_600),
        )

    def test_known(self) -> None:
        """What has been given out after a cut is known at the next one; what was not given out is not."""
        other = pictureHeader(0, b"other")
        steps = [*LATER, 500, other, key(30_600), 500, other, key(31_200)]
        self.assertJoins(steps, key(31_200))
        steps = [*LATER, 500, other, 500, other, key(31_200)]
        self.assertJoins(steps, pictureHeader(31_200, b"other"), key(31_200))
        steps = [*LATER, 500, other, 500, key(31_200)]
        self.assertJoins(steps, key(31_200))
        steps = [*LATER, 500, key(30_600), pictureHeader(30_610, b"other"), 500, other, key(31_200)]
        self.assertJoins(steps, key(31_200))

    def test_moved(self) -> None:
        """They move with the keyframe."""
        steps = [*LATER, 500, pictureHeader(0, b"other"), key(7)]
        self.assertJoins(steps, pictureHeader(30_540, b"other"), key(30_540))

    def test_later(self) -> None:
        """One that comes after the start is passed on, even if it has not changed; its time does not go back."""
        steps = [*LATER, 500, key(30_600), soundHeader(30_000), metadata(30_600), soundHeader(30_700)]
        self.assertJoins(steps, key(30_600), soundHeader(30_021), metadata(30_600), soundHeader(30_700))


class ClockTests(SpliceTestCase):
    """How time goes on."""

    def test_table(self) -> None:
        """How far a keyframe is from the newest frame, and where it is put, if it is not left out."""
        outage = 3000
        for ahead, expected in (
            (1, 1),
            (40, 40),
            (outage, outage),
            (outage + TOLERANCE, outage + TOLERANCE),
            (outage + TOLERANCE + 1, outage),
            (0x7FFFFFFF, outage),
            (-0x80000000, outage),
            (-TOLERANCE - 1, outage),
            (-TOLERANCE, None),
            (-40, None),
            (0, None),
        ):
            for newest in (0, 60_000, 0x7FFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF - 1000):
                splice, found = join(key(newest), outage, key((newest + ahead) & 0xFFFFFFFF))
                if expected is None:
                    self.assertEqual((found, splice.isWaiting, splice.leftOut), ([], True, 1), ahead)
                else:
                    self.assertEqual([elapsed(m.timestamp, newest) for m in found], [expected], ahead)
                    self.assertEqual(splice.offset, expected - ahead if ahead + 2**31 else outage - 2**31, ahead)

    def test_unchanged(self) -> None:
        """If the clock has gone on, messages come out as the same objects."""
        after = [key(30_600), sound(30_580), inter(30_640), cuePoint(30_640), sound(30_601)]
        _, found = join(*LATER, 500, *after)
        self.assertEqual([id(message) for message in found], [id(message) for message in after])

    def test_newClock(self) -> None:
        """If it is another clock, all is moved by one amount, jitter and all, also across 32 bits."""
        for start in (0, 7, 1_000_000, 0x7FFFFFFF, 0xFFFFFFF0):
            after = [
                make((start + step) & 0xFFFFFFFF)
                for make, step in ((key, 0), (sound, 5), (inter, 40), (sound, 30), (inter, 80), (sound, 51), (key, 120))
            ]
            splice, found = join(*LATER, 500, *after)
            self.assertEqual(content(found), moved(after, 30_540 - start), start)
            self.assertEqual(splice.offset, elapsed(30_540, start))

    def test_noOutage(self) -> None:
        """Time goes on by a millisecond at least; an outage is never less than nothing, nor more than can be told."""
        for outage, expected in ((0, 1), (-5, 1), (1, 1), (2, 2), (2**31, MAX_OUTAGE), (2**40, MAX_OUTAGE)):
            splice, found = join(key(60_000), sound(60_010), outage, key(20_000), sound(20_030))
            self.assertEqual([m.timestamp for m in found], [60_010 + expected, 60_040 + expected])
            self.assertFalse(splice.isWaiting)

    def test_seen(self) -> None:
        """What was given out already is left out, until there is a keyframe that is new; the clock is known by then."""
        after = [key(25_000), inter(29_000), key(30_000), inter(30_040), inter(30_080)]
        self.assertJoins([*LATER, 500, *after, key(33_000), inter(33_040)], key(33_000), inter(33_040))
        # Ten seconds without a keyframe: it goes on with the first frame that is new.
        after = [key(20_040), inter(25_000), inter(30_040), inter(30_041), sound(30_042)]
        self.assertJoins([*LATER, 500, *after], inter(30_041), sound(30_042))

    def test_seenLongAgo(self) -> None:
        """A clock that is known to have gone on is not a new one because its next keyframe is far away."""
        steps: Steps = [*LATER, 0, key(30_030), key(40_100)]
        self.assertEqual(self.assertJoins(steps, key(40_100)).offset, 0)
        # But if it jumps meanwhile, it is a new one.
        for jump in (0, 9_000_000):
            self.assertJoins([*LATER, 700, key(30_030), key(jump)], key(30_740))

    def test_otherKind(self) -> None:
        """Sound that was given out already is left out after the keyframe too, and so is data."""
        before = [*LATER, sound(30_700), cuePoint(30_500)]
        after = [key(30_701), sound(30_690), cuePoint(30_500), sound(30_700), sound(30_711), cuePoint(30_501)]
        splice = self.assertJoins([*before, 0, *after], key(30_701), sound(30_711), cuePoint(30_501))
        self.assertEqual(splice.leftOut, 3)
        # From there on it may jitter.
        self.assertEqual(content(splice.feed(sound(30_699))), content([sound(30_699)]))

    def test_strayClock(self) -> None:
        """Sound with a clock of its own is lost for ten seconds at most, and data at 0 as well."""
        before: Steps = [key(60_000), cuePoint(0), key(60_040), sound(500_000)]
        after = [key(500_100 + 1000 * index) for index in range(12)]
        splice, found = join(*before, 50, *after[:10], sound(430_000), cuePoint(0), *after[10:])
        self.assertEqual((content(found), splice.leftOut), (content(after), 2))
        late = [sound(431_000), cuePoint(0)]
        self.assertEqual([splice.feed(message) for message in late], [[message] for message in late])

    def test_reset(self) -> None:
        """A publisher that has set its clock back before the cut is followed; one frame out of order is not."""
        steps = [*LATER, key(50), sound(60), inter(90), sound(20), inter(70), 500, key(600)]
        self.assertEqual(self.assertJoins(steps, key(600)).offset, 0)
        self.assertJoins([*steps[:-1], key(89)])
        self.assertJoins([*steps[:-1], key(91)], key(91))

    def test_86_endOfSequence(self) -> None:
        """Conformance 86: SequenceEnd at 0 does not set the clock back."""
        end = video("a268766331", 0)
        self.assertJoins([*LATER, end, 500, key(30_600), end], key(30_600), end)
        self.assertJoins([*LATER, end, 500, key(600)], key(30_540))

    def test_cutAgain(self) -> None:
        """A connection that brought nothing to start with is a part of the outage."""
        steps = [*LATER, 1000, sound(500), sound(2500), 3000, key(9)]
        self.assertJoins(steps, key(30_040 + 1000 + 2000 + 3000))
        self.assertJoins([*LATER, 1000, 3000, key(9)], key(34_040))
        # Each outage counts once.
        self.assertJoins([*LATER, 1000, key(9), key(15_009), 3000, key(9)], key(49_040))

    def test_manyCuts(self) -> None:
        """A clock that was moved and goes on is still the same one after the next cut, and so is the first one."""
        steps: Steps = [*LATER, 500, key(7), inter(1007), 500]
        self.assertEqual(self.assertJoins([*steps, key(1600)], key(32_133)).offset, 30_533)
        self.assertEqual(self.assertJoins([*steps, key(500), key(1600)], key(32_133)).offset, 30_533)
        self.assertEqual(self.assertJoins([*steps, key(32_100)], key(32_100)).offset, 0)
        self.assertEqual(self.assertJoins([*steps, key(900_000)], key(32_040)).offset, 32_040 - 900_000)

    def test_after50Days(self) -> None:
        """A kind that has ended long ago says nothing, however often the clock has gone round."""
        splice = Splice()
        splice.feed(sound(1000))
        for index in range(1, 80):
            splice.feed(key(index * 2**26 & 0xFFFFFFFF))
        splice.cut(500)
        newest = 79 * 2**26 & 0xFFFFFFFF
        after = [key(newest + 500), sound(newest + 490), inter(newest + 540)]
        self.assertEqual([splice.feed(message) for message in after], [[message] for message in after])


_makers = st.sampled_from([key, inter, sound])
_connections = st.lists(
    st.tuples(
        st.integers(0, 20_000),
        st.one_of(st.integers(0, 0xFFFFFFFF), st.integers(-12_000, 12_000)),
        st.lists(st.tuples(_makers, st.integers(1, 3000), st.integers(0, 300)), max_size=20),
    ),
    min_size=1,
    max_size=5,
)


class PropertyTests(SynchronousTestCase):
    """What holds for all streams."""

    @given(st.lists(st.tuples(_makers, st.integers(0, 0xFFFFFFFF)), max_size=20))
    def test_identity(self, frames: list[tuple[object, int]]) -> None:
        """Before a cut, what comes out is what went in."""
        messages = [make(timestamp) for make, timestamp in frames]  # type: ignore[operator]
        _, found = join(*messages)
        self.assertEqual([id(message) for message in found], [id(message) for message in messages])

    @given(st.integers(0, 0xFFFFFFFF), _connections)
    def test_forward(self, clock: int, connections: list[tuple[int, int, list[tuple[object, int, int]]]]) -> None:
        """
        For each type, time neither goes back nor repeats, as long as it does not within one connection, whatever the
        clocks, though the types are not sorted; and the distances within a connection stay as they are.
        """
        splice = Splice()
        last: dict[int, int] = {}
        for number, (outage, jump, frames) in enumerate(connections):
            if number:
                splice.cut(outage)
                clock += jump
            own: dict[int, int] = {}
            offsets = set()
            for make, step, jitter in frames:
                clock += step
                at = clock - jitter if make is sound else clock
                type = 8 if make is sound else 9
                if at <= own.get(type, at - 1):
                    continue
                own[type] = at
                message = make(at & 0xFFFFFFFF)  # type: ignore[operator]
                for found in splice.feed(message):
                    if type in last:
                        self.assertGreater(elapsed(found.timestamp, last[type]), 0)
                    last[type] = found.timestamp
                    offsets.add(elapsed(found.timestamp, message.timestamp))
            self.assertLessEqual(len(offsets), 1)
