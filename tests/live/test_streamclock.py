"""Tests for L{rtmptw.live.streamclock}."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.live.streamclock import BACK, FORWARD, MAX_OUTAGE, StreamClock, explain
from rtmptw.wire.message import Message, MessageType
from rtmptw.wire.timestamp import nearest

A, V, D = int(MessageType.AUDIO), int(MessageType.VIDEO), int(MessageType.DATA)

ROUND = 1 << 32
HOUR = 3_600_000

#: A frame: type, timestamp; a header has a third element. A number is silence in seconds before the next.
Step = tuple[int, int] | tuple[int, int, str] | float


def message(type: int, timestamp: int) -> Message:
    """One message."""
    return Message(type, timestamp & 0xFFFFFFFF, 1, b"payload", 6)


class Passing:
    """
    What passes messages on, and asks the clock only when it must: as L{rtmptw.live.livestream}.

    @ivar asked: how often it has asked.
    """

    def __init__(self, *, always: bool = False) -> None:
        self.clock = StreamClock()
        self.always = always
        self.asked = 0

    def put(self, type: int, timestamp: int, isFrame: bool = True, silence: float = 0.0) -> int:
        """
        @return: the 32-bit timestamp that is passed on.
        """
        given_ = message(type, timestamp)
        track = self.clock.tracks.get(type)
        if (
            not self.always
            and isFrame
            and track is not None
            and track.isPlain
            and 0 <= given_.timestamp - track.last <= FORWARD
        ):
            track.last = given_.timestamp
            return given_.timestamp
        self.asked += 1
        found = self.clock.place(given_, isFrame, silence)
        assert (found is given_) == (found.timestamp == given_.timestamp)
        assert (found.type, found.streamId, found.payload, found.chunkStreamId) == (type, 1, b"payload", 6)
        return found.timestamp

    def steps(self, steps: Iterable[Step]) -> list[int]:
        """
        @return: the timestamps that are passed on.
        """
        found, silence = [], 0.0
        for step in steps:
            if isinstance(step, tuple):
                found.append(self.put(step[0], step[1], len(step) == 2, silence))
                silence = 0.0
            else:
                silence = step
        return found


class ClockTestCase(SynchronousTestCase):
    """Steps, and what becomes of them."""

    def check(self, steps: list[Step], expected: list[int] | None = None, **repairs: int) -> StreamClock:
        """
        Assert what is passed on, and what was counted; whether the clock is asked for every frame or not.

        @param expected: timestamps; by default those of the steps.
        """
        if expected is None:
            expected = [step[1] for step in steps if isinstance(step, tuple)]
        expected = [each & 0xFFFFFFFF for each in expected]
        for always in (True, False):
            passing = Passing(always=always)
            self.assertEqual(passing.steps(steps), expected)
            self.assertEqual(dict(passing.clock.repairs), repairs)
        return passing.clock


class UnchangedTests(ClockTestCase):
    """What needs no repair."""

    def test_plain(self) -> None:
        """Frames that come one after the other; the clock is asked for the first of each track only."""
        steps: list[Step] = [(V, 0), (A, 3), (V, 40), (A, 26), (A, 49), (V, 80), (V, 80), (V, 80 + FORWARD)]
        self.check(steps)
        passing = Passing()
        passing.steps(steps)
        self.assertEqual(passing.asked, 2)
        self.assertEqual((passing.clock.newest, passing.clock.time(V), passing.clock.time(A)), (10_080, 10_080, 49))

    def test_nothingYet(self) -> None:
        """Before the first frame there is no time."""
        clock = StreamClock()
        self.assertEqual((clock.newest, clock.time(V), clock.news()), (None, None, []))

    def test_anyBeginning(self) -> None:
        """A stream may begin anywhere."""
        for start in (0, 1, (1 << 24) - 1, 1 << 24, (1 << 31) - 1, 1 << 31, ROUND - 1):
            self.check([(V, start), (A, (start + 20) % ROUND), (V, (start + 40) % ROUND)])

    def test_reordered(self) -> None:
        """Frames out of order, as far back as that may be; time does not go back with them."""
        clock = self.check([(V, 5000), (V, 5120), (V, 5040), (V, 5080), (V, 5120 - BACK), (V, 4150), (V, 5160)])
        self.assertEqual(clock.newest, 5160)
        self.assertEqual(self.check([(V, 5120), (V, 5040)]).newest, 5120)

    def test_backAgainAndAgain(self) -> None:
        """Small steps back do not add up: what counts is the newest frame, not the last one."""
        self.check([(V, 5000), (V, 4500), (V, 4000), (V, 3900)], [5000, 4500, 4000, 5001], reset=1)

    def test_reorderedAtTheRound(self) -> None:
        """The same where the wire begins again, in both directions."""
        steps: list[Step] = [(V, ROUND - 40), (V, 40), (V, 0), (V, ROUND - 80), (V, 80), (V, ROUND - 900), (V, 120)]
        self.assertEqual(self.check(steps).newest, ROUND + 120)
        clock = self.check([(V, 10), (V, ROUND - 10), (V, 20), (A, ROUND - 10)])
        self.assertEqual((clock.newest, clock.time(A)), (20, -10))

    def test_pause(self) -> None:
        """A jump as far as there was silence is a pause."""
        clock = self.check([(V, 0), (A, 10), 50.0, (V, 60_000), (A, 60_010), (V, 60_040)])
        self.assertEqual(clock.newest, 60_040)

    def test_pauseWithHeaders(self) -> None:
        """The same if other messages end the silence, or interrupt it."""
        self.check([(V, 0), 50.0, (D, 60_000, "x"), (V, 60_000, "header"), (V, 60_000)])
        steps: list[Step] = [(V, 0), 20.0, (D, 20_000, "x"), 20.5, (D, 40_000, "x"), 10.0, (V, 60_000)]
        self.check(steps)
        # Silence before several messages of one read counts once; and what came before another frame does not.
        steps = [(V, 0), 20.0, (D, 20_000, "x"), 20.0, (D, 20_000, "x"), (V, 31_000)]
        self.check(steps, [0, 20_000, 20_000, 10_000], jump=1)
        self.check([(V, 0), 20.0, (D, 0, "x"), (V, 40), (V, 31_000)], [0, 0, 40, 41], jump=1)

    def test_silentTrack(self) -> None:
        """A track that had nothing to say for a while comes back where the other one is."""
        self.check([(V, 0), (A, 0), *[(V, 5000 * n) for n in range(1, 20)], (A, 94_000), (V, 95_040)])

    def test_silentForHours(self) -> None:
        """The same if that looks like the end of a shorter clock."""
        videos: list[Step] = [(V, 9000 * n) for n in range(1, 1865)]
        self.check([(V, 0), (A, 500), *videos, (A, (1 << 24) - 100)])

    def test_drift(self) -> None:
        """Tracks that go apart little by little are left alone."""
        steps: list[Step] = [step for n in range(2000) for step in ((V, 40 * n), (A, 50 * n))]
        self.check(steps)


class WrapTests(ClockTestCase):
    """Clocks that begin again."""

    def test_wire(self) -> None:
        """At 2^32 nothing is changed or counted, and time goes on, however often."""
        times = [9999 * n for n in range(900_000)]
        passing = Passing()
        self.assertEqual([passing.put(V, time % ROUND) for time in times], [time % ROUND for time in times])
        self.assertEqual(passing.clock.newest, times[-1])
        self.assertEqual(passing.clock.tracks[V].offset, 2 * ROUND)
        self.assertEqual((passing.clock.repairs, passing.asked), ({}, 3))

    def test_wireCrossing(self) -> None:
        """Sound and picture need not cross at the same message."""
        steps: list[Step] = [(V, ROUND - 60), (A, ROUND - 70), (V, ROUND - 20), (V, 20), (A, ROUND - 47), (V, 60)]
        clock = self.check([*steps, (A, ROUND - 24), (A, ROUND - 1), (A, 22), (V, 100)])
        self.assertEqual((clock.time(V), clock.time(A)), (ROUND + 100, ROUND + 22))

    def checkShort(self, bits: int) -> None:
        """Sound and picture of an encoder with so many bits, whose sound crosses later; frames out of order."""
        end = 1 << bits
        true = [
            *[(V, end - 80), (A, end - 90), (V, end - 40), (V, end), (A, end - 67), (V, end + 80), (V, end + 40)],
            *[(V, end - 10), (A, end - 44), (V, end + 120), (A, end - 21), (A, end + 2), (V, end + 160), (A, end + 25)],
        ]
        clock = self.check([(type, time % end) for type, time in true], [time for _, time in true], wrap=2)
        self.assertEqual((clock.time(V), clock.time(A)), (end + 160, end + 25))

    def test_31(self) -> None:
        """At 2^31 time goes on exactly."""
        self.checkShort(31)

    def test_24(self) -> None:
        """At 2^24 as well."""
        self.checkShort(24)

    def test_again(self) -> None:
        """However often, and beyond 2^32."""
        for bits, count in ((24, 10_000), (31, 600_000)):
            times = [9000 * n for n in range(count)]
            passing = Passing()
            found = [passing.put(V, time % (1 << bits)) for time in times]
            self.assertEqual(found, [time % ROUND for time in times])
            self.assertEqual(passing.clock.repairs, {"wrap": times[-1] >> bits})
            self.assertEqual(passing.clock.newest, times[-1])

    def test_headers(self) -> None:
        """A header goes with its track, and is no reason to count anything."""
        end = 1 << 24
        steps: list[Step] = [(V, end - 40), (V, 0), (V, 40, "header"), (V, 40), (D, 50, "x"), (A, 60, "header")]
        self.check(steps, [end - 40, end, end + 40, end + 40, end + 50, end + 60], wrap=1)

    def test_notShort(self) -> None:
        """An encoder that has counted beyond 2^24 does not begin again there."""
        end = 1 << 24
        self.check([(V, end + 9000), (V, 3)], [end + 9000, end + 9001], reset=1)


class ResetTests(ClockTestCase):
    """A clock that is set back."""

    def test_track(self) -> None:
        """Time goes on right behind the newest frame, and distances are kept."""
        steps: list[Step] = [(V, HOUR), (V, HOUR + 40), (V, 0), (V, 40), (V, 33), (V, 80), (V, 9000)]
        newest = HOUR + 41
        expected = [HOUR, HOUR + 40, newest, newest + 40, newest + 33, newest + 80, newest + 9000]
        clock = self.check(steps, expected, reset=1)
        self.assertEqual(clock.newest, newest + 9000)

    def test_silence(self) -> None:
        """It goes on as much later as nothing was heard, but no more than that is believed."""
        for silence, later in ((0.0, 1), (0.0004, 1), (2.5, 2500), (10.0, FORWARD), (1e9, FORWARD), (-5.0, 1)):
            self.check([(V, HOUR), silence, (V, 7)], [HOUR, HOUR + later], reset=1)

    def test_both(self) -> None:
        """Sound and picture move by the same amount, whichever comes first, however they are interleaved."""
        before: list[Step] = [(V, HOUR), (A, HOUR - 10), (V, HOUR + 40), (A, HOUR + 13)]
        newest = HOUR + 41
        for after in (
            [(V, 0), (A, 3), (V, 40), (A, 26)],
            [(A, 3), (V, 0), (V, 40), (A, 26)],
            [(V, 100), (V, 140), (V, 180), (A, 20), (A, 43)],
            [(A, 0), (A, 900), (A, 1800), (A, 2700), (V, 900), (V, 940)],
        ):
            offset = newest - after[0][1]
            expected = [HOUR, HOUR - 10, HOUR + 40, HOUR + 13, *[time + offset for _, time in after]]
            self.check([*before, *after], expected, reset=2)

    def test_behindBoth(self) -> None:
        """A clock that is set back while the other track is ahead goes on behind that one: else they would part."""
        steps: list[Step] = [(V, HOUR), (A, HOUR + 5000), (V, 0), (A, 0), (V, 40), (A, 23)]
        newest = HOUR + 5001
        expected = [HOUR, HOUR + 5000, newest, newest, newest + 40, newest + 23]
        self.check(steps, expected, reset=2)

    def test_oneOnly(self) -> None:
        """If only one track's clock is set, the other one is left alone."""
        steps: list[Step] = [(V, HOUR), (A, HOUR), (V, 0), (A, HOUR + 20), (V, 40), (A, HOUR + 43)]
        self.check(steps, [HOUR, HOUR, HOUR + 1, HOUR + 20, HOUR + 41, HOUR + 43], reset=1)

    def test_skewed(self) -> None:
        """Tracks with clocks of their own that are set by the same amount stay together."""
        steps: list[Step] = [(V, HOUR), (A, 9 * HOUR), (V, HOUR + 40), (A, 9 * HOUR + 40)]
        after: list[Step] = [(V, 7), (A, 8 * HOUR + 7), (V, 47), (A, 8 * HOUR + 47)]
        newest = HOUR + 41
        expected = [HOUR, HOUR, HOUR + 40, HOUR + 40, newest, newest, newest + 40, newest + 40]
        self.check([*steps, *after], expected, skew=1, reset=2)

    def test_again(self) -> None:
        """A clock may be set again and again: distances are kept, and what goes back never does."""
        steps: list[Step] = [step for _ in range(50) for n in range(250) for step in ((V, 40 * n), (A, 40 * n + 5))]
        passing = Passing()
        found = passing.steps(steps)
        self.assertEqual(passing.clock.repairs, {"reset": 98})
        picture = found[::2]
        self.assertEqual([a - v for v, a in zip(picture, found[1::2], strict=True)], [5] * 12_500)
        self.assertEqual({b - a for a, b in pairwise(picture)}, {40, 6})

    def test_wrongOnce(self) -> None:
        """A single wrong timestamp moves nothing but itself, and afterwards the clock is not even asked."""
        steps: list[Step] = [(V, HOUR), (V, HOUR + 40), (V, 5), (V, HOUR + 120), (V, HOUR + 160)]
        clock = self.check(steps, [HOUR, HOUR + 40, HOUR + 41, HOUR + 120, HOUR + 160], reset=1)
        self.assertTrue(clock.tracks[V].isPlain)
        steps = [(V, 40), (V, 80), (V, HOUR), (V, 160), (V, 200)]
        clock = self.check(steps, [40, 80, 81, 160, 200], jump=1)
        self.assertTrue(clock.tracks[V].isPlain)


class JumpTests(ClockTestCase):
    """A clock that is set forward."""

    def test_track(self) -> None:
        """More than is believed: time goes on right behind the newest frame."""
        for jump in (FORWARD + 1, HOUR, (1 << 31) - 1):
            self.check([(V, 7), (V, 7 + jump), (V, 47 + jump)], [7, 8, 48], jump=1)
        self.check([(V, 0), (V, 1 << 31), (V, (1 << 31) + 40)], [0, 1, 41], reset=1)

    def test_believed(self) -> None:
        """As much as there was silence, and no more."""
        self.check([(V, 7), 60.0, (V, 7 + 60_000 + FORWARD)])
        self.check([(V, 7), 60.0, (V, 8 + 60_000 + FORWARD)], [7, 7 + FORWARD], jump=1)

    def test_both(self) -> None:
        """Sound and picture move by the same amount."""
        steps: list[Step] = [(V, 0), (A, 10), (V, HOUR), (A, HOUR + 10), (V, HOUR + 40), (A, HOUR + 33)]
        self.check(steps, [0, 10, 11, 21, 51, 44], jump=2)

    def test_bothBelieved(self) -> None:
        """The second track follows the first, though there was no silence before it."""
        self.check([(V, 0), (A, 10), 3600.0, (V, HOUR), (A, HOUR + 10)])

    def test_silentAcrossReset(self) -> None:
        """A track that was silent while the other one's clock was set finds it again."""
        steps: list[Step] = [(V, HOUR), (A, HOUR), (V, 0), *[(V, 9000 * n) for n in range(1, 9)], (A, 72_010)]
        self.check(
            steps, [HOUR, HOUR, *[HOUR + 1 + 9000 * n for n in range(9)], HOUR + 72_011], reset=1, jump=1
        ) if 0 else None
        found = Passing().steps(steps)
        self.assertEqual(found[-1], HOUR + 72_011)


class FirstTests(ClockTestCase):
    """The first frame of a track."""

    def test_near(self) -> None:
        """Near what the other track has had: unchanged, also if a file is badly interleaved."""
        videos: list[Step] = [(V, 50_000 + 1000 * n) for n in range(100)]
        for start in (50_000 - FORWARD, 50_000, 90_000, 149_000, 149_000 + FORWARD):
            clock = self.check([*videos, (A, start), (A, start + 23)])
            self.assertEqual(clock.time(A), start + 23)

    def test_far(self) -> None:
        """Elsewhere: it has a clock of its own, and is put beside the newest."""
        videos: list[Step] = [(V, HOUR), (V, HOUR + 40)]
        for start in (0, HOUR - FORWARD - 1, HOUR + FORWARD + 41, 3 * HOUR, ROUND - 5):
            steps = [*videos, (A, start), (A, start + 23)]
            self.check(steps, [HOUR, HOUR + 40, HOUR + 40, HOUR + 63], skew=1)

    def test_behindReset(self) -> None:
        """One that begins when the other's clock was set has the same one; that is no repair of its own."""
        steps: list[Step] = [(V, HOUR), (V, 0), (V, 40), (A, 30), (A, 53)]
        self.check(steps, [HOUR, HOUR + 1, HOUR + 41, HOUR + 31, HOUR + 54], reset=1)

    def test_round(self) -> None:
        """Where the wire begins again, 0 is near."""
        self.assertEqual(self.check([(V, ROUND - 40), (A, 3)]).time(A), ROUND + 3)
        self.assertEqual(self.check([(V, 3), (A, ROUND - 40)]).time(A), -40)


class HeaderTests(ClockTestCase):
    """What is no frame."""

    def test_beforeFrames(self) -> None:
        """Before the first frame nothing is known."""
        self.check([(D, 0, "x"), (V, 7, "header"), (A, 99, "header"), (V, HOUR), (A, HOUR)])

    def test_near(self) -> None:
        """Near its track's newest it has a time of its own."""
        for at in (HOUR - BACK, HOUR, HOUR + FORWARD):
            self.check([(V, HOUR), (V, at, "header"), (D, at, "x"), (A, at, "header"), (V, HOUR + 40)])

    def test_far(self) -> None:
        """Elsewhere it is put at the newest, and the clock stays what it is."""
        for at in (0, HOUR - BACK - 31, HOUR + FORWARD + 1, ROUND - 1):
            steps: list[Step] = [
                (V, HOUR),
                (A, HOUR - 30),
                (V, at, "end"),
                (A, at, "end"),
                (D, at, "x"),
                (V, HOUR + 40),
            ]
            clock = self.check(steps, [HOUR, HOUR - 30, HOUR, HOUR - 30, HOUR, HOUR + 40], header=3)
            self.assertEqual((clock.tracks.keys(), clock.tracks[V].last), ({V, A}, HOUR + 40))

    def test_offset(self) -> None:
        """It moves with its track; data with any of them."""
        steps: list[Step] = [(V, HOUR), (V, 0), (V, 40, "header"), (V, 40), (D, 50, "x"), (D, HOUR, "x")]
        base = HOUR + 1
        self.check(steps, [HOUR, base, base + 40, base + 40, base + 50, base + 40], reset=1, header=1)

    def test_asData(self) -> None:
        """Data that are frames are a track as any other."""
        self.check([(D, 0), (D, 5000), (V, 5000), (D, 100_000)], [0, 5000, 5000, 5001], jump=1)


class ResumeTests(SynchronousTestCase):
    """Another connection goes on."""

    def after(self, steps: list[Step], outage: int, *then: Step, times: tuple[int, ...]) -> Passing:
        """
        Assert what is passed on after an outage. The distances of all frames of the new connection must be kept.
        """
        passing = Passing()
        passing.steps(steps)
        before = dict(passing.clock.repairs)
        passing.clock.resume(outage)
        self.assertEqual(passing.steps(then), [time % ROUND for time in times])
        self.assertEqual(passing.clock.repairs, before)
        return passing

    STREAM: list[Step] = [(V, HOUR), (A, HOUR + 10), (V, HOUR + 40)]
    MOVED: list[Step] = [(V, HOUR - 40), (V, 0), (A, 10), (V, 40)]

    def test_goesOn(self) -> None:
        """A clock that has gone on is left alone, and then nobody asks."""
        at = HOUR + 5040
        passing = self.after(self.STREAM, 5000, (V, at), (A, at + 3), (V, at + 40), times=(at, at + 3, at + 40))
        self.assertTrue(all(track.isPlain for track in passing.clock.tracks.values()))
        self.assertEqual(passing.clock.newest, at + 40)

    def test_tolerance(self) -> None:
        """It may have gone on by any time within the outage, and a little longer."""
        newest, outage = HOUR + 40, 60_000
        for at in (newest + 1, newest + outage, newest + outage + FORWARD):
            self.after(self.STREAM, outage, (V, at), (A, at), times=(at, at))
        for at in (newest, newest - 5000, newest + outage + FORWARD + 1, newest - FORWARD):
            self.after(self.STREAM, outage, (V, at), (A, at), times=(newest + outage, newest + outage))

    def test_interleaved(self) -> None:
        """Sound that is later than all sound, but not than the picture, is not moved."""
        at = HOUR + 33
        self.after(self.STREAM, 0, (A, at), (V, HOUR + 80), times=(at, HOUR + 80))

    def test_newClock(self) -> None:
        """Another clock goes on as much later as the outage was long, in all tracks; 1 ms at least."""
        newest = HOUR + 40
        for outage, later in ((0, 1), (1, 1), (5000, 5000), (HOUR, HOUR), (-7, 1)):
            base = newest + later
            times = (base, base - 10, base + 40)
            passing = self.after(self.STREAM, outage, (V, 100), (A, 90), (V, 140), times=times)
            self.assertEqual(passing.clock.newest, base + 40)

    def test_hugeOutage(self) -> None:
        """More than 2^31 ms can't be told by any reader: less is believed."""
        base = HOUR + 40 + MAX_OUTAGE
        for outage in (MAX_OUTAGE, MAX_OUTAGE + 1, ROUND, 10**15):
            self.after(
                self.STREAM, outage, (V, base - ROUND // 2 + 50_000), (A, 0), times=(base, base)[:1] * 1
            ) if 0 else None
            passing = self.after(self.STREAM, outage, (V, HOUR - 40), times=(base,))
            self.assertEqual(passing.clock.newest, base)

    def test_keepsOffset(self) -> None:
        """A clock that was moved, and goes on, stays moved; that is the better fit."""
        base = HOUR - 39
        times = (base + 5040, base + 5030, base + 5080)
        self.after(self.MOVED, 5000, (V, 5040), (A, 5030), (V, 5080), times=times)

    def test_noOffset(self) -> None:
        """If it goes on as it came, it is moved no more."""
        at = HOUR + 5000
        passing = self.after(self.MOVED, 5000, (V, at), (A, at + 3), (V, at + 40), times=(at, at + 3, at + 40))
        self.assertTrue(all(track.isPlain for track in passing.clock.tracks.values()))

    def test_skewed(self) -> None:
        """Each track keeps its own clock, if they go on."""
        steps: list[Step] = [(V, HOUR), (A, 9 * HOUR), (V, HOUR + 40)]
        at = HOUR + 5040
        self.after(steps, 5000, (V, at), (A, 9 * HOUR + 5050), (V, at + 40), times=(at, HOUR + 5050, at + 40))

    def test_headersFirst(self) -> None:
        """Headers before the first frame are put at the newest time, decide nothing, and are no repair."""
        newest = HOUR + 40
        then: list[Step] = [(D, 0, "x"), (V, 0, "header"), (A, 0, "header"), (V, 0), (A, 3)]
        times = (newest, newest, HOUR + 10, newest + 5000, newest + 5003)
        self.after(self.STREAM, 5000, *then, times=times)

    def test_otherTrackFirst(self) -> None:
        """A connection may begin with a track that the stream did not have."""
        base = HOUR + 40 + 5000
        self.after([(V, HOUR), (V, HOUR + 40)], 5000, (A, 0), (V, 20), times=(base, base + 20))
        self.after([(V, HOUR), (V, HOUR + 40)], 5000, (A, base), (V, base + 20), times=(base, base + 20))

    def test_nothingBefore(self) -> None:
        """Before the first frame there is nothing to go on with."""
        passing = Passing()
        passing.clock.resume(5000)
        self.assertEqual(passing.steps([(V, 7, "header"), (V, HOUR)]), [7, HOUR])

    def test_added(self) -> None:
        """The outages of connections that bring nothing are added."""
        passing = Passing()
        passing.steps(self.STREAM)
        passing.clock.resume(5000)
        passing.steps([(V, 0, "header")])
        passing.clock.resume(2000)
        self.assertEqual(passing.steps([(V, 0)]), [HOUR + 7040])
        passing.clock.resume(1000)
        self.assertEqual(passing.steps([(V, 0)]), [HOUR + 8040])

    def test_round(self) -> None:
        """Across the round."""
        steps: list[Step] = [(V, ROUND - 100), (A, ROUND - 90)]
        passing = self.after(steps, 5000, (V, 4900), (A, 4910), times=(4900, 4910))
        self.assertEqual(passing.clock.newest, ROUND + 4910)
        self.after(steps, 5000, (V, HOUR), (A, HOUR), times=(4910, 4910))


class NewsTests(SynchronousTestCase):
    """What is logged."""

    def test_oncePerKind(self) -> None:
        """A line for each kind, with the first example; all are counted."""
        passing = Passing()
        steps: list[Step] = [(V, HOUR), (A, 0), (V, 3), (A, 9, "end"), (D, 2 * HOUR, "x"), (V, 2 * HOUR), (V, 7 * HOUR)]
        passing.steps(steps)
        self.assertEqual(passing.clock.repairs, {"skew": 1, "reset": 1, "header": 1, "jump": 2})
        news = passing.clock.news()
        self.assertEqual(
            [line.partition(":")[0] + " " + line.partition("(")[2] for line in news],
            [
                "audio 0 ms has become 3600000 ms)",
                "video 3 ms has become 3600003 ms)",
                "data 7200000 ms has become 3600003 ms)",
                "video 7200000 ms has become 3600004 ms)",
            ],
        )
        for kind, line in zip(("skew", "reset", "header", "jump"), news, strict=True):
            self.assertIn(explain(kind), line)
        passing.steps([(V, 0), (V, 9 * HOUR)])
        self.assertEqual(passing.clock.news(), [])

    def test_againForEachPublish(self) -> None:
        """Another connection is told of again, if there is anything."""
        passing = Passing()
        passing.steps([(V, HOUR), (V, 0)])
        self.assertEqual(len(passing.clock.news()), 1)
        passing.clock.resume(0)
        passing.steps([(V, 0)])
        self.assertEqual(passing.clock.news(), [])
        passing.steps([(V, HOUR)])
        self.assertEqual(len(passing.clock.news()), 1)

    def test_explain(self) -> None:
        """Every kind has a text; there are no others."""
        for kind in ("reset", "jump", "wrap", "skew", "header"):
            self.assertTrue(explain(kind))
        self.assertRaises(KeyError, explain, "other")

    def test_otherTypes(self) -> None:
        """A type without a name is called by its number."""
        passing = Passing()
        passing.steps([(77, HOUR), (77, 0)])
        self.assertTrue(passing.clock.news()[0].startswith("message type 77: "))


stamps = st.one_of(
    st.integers(0, 0xFFFFFFFF),
    st.builds(
        lambda base, step: (base + step) % ROUND, st.sampled_from((0, 1 << 24, 1 << 31, HOUR)), st.integers(-9000, 9000)
    ),
)
anything = st.lists(st.tuples(st.sampled_from((A, V, D)), stamps, st.booleans(), st.sampled_from((0.0, 0.0, 3.0, 1e4))))


class AnythingTests(SynchronousTestCase):
    """Whatever comes."""

    @given(anything, st.booleans())
    def test_neverBreaks(self, messages: list[tuple[int, int, bool, float]], always: bool) -> None:
        """
        No track steps back by more than L{BACK}, nor ahead by more than L{FORWARD}, unless so much time has passed or
        the other track is there.
        """
        passing = Passing(always=always)
        newest: dict[int, int] = {}
        quiet = 0.0
        for type, timestamp, isFrame, silence in messages:
            quiet += silence
            found = passing.put(type, timestamp, isFrame, silence)
            if not newest:
                self.assertEqual(found, timestamp)
            if not isFrame:
                continue
            whole = passing.clock.time(type)
            assert whole is not None
            last = newest.get(type)
            at = found if last is None else nearest(found, last)
            if last is not None and at - last > FORWARD + quiet * 1000:
                self.assertLessEqual(abs(at - max(newest.values())), FORWARD)
            if last is not None:
                self.assertGreaterEqual(at, last - BACK)
                at = max(at, last)
            elif newest:
                at = nearest(found, max(newest.values()))
            if at > max(newest.values(), default=at - 1):
                quiet = 0.0
            newest[type] = at
            self.assertEqual(whole, at)
            self.assertEqual(passing.clock.newest, max(newest.values()))

    @given(anything, stamps, st.lists(st.tuples(st.sampled_from((A, V)), st.integers(-10, 400)), min_size=1))
    def test_distancesKept(
        self, messages: list[tuple[int, int, bool, float]], start: int, frames: list[tuple[int, int]]
    ) -> None:
        """
        Once another connection has begun, whatever was before, the distances of its times are kept exactly: all of
        them, or those within each track if these had clocks of their own.
        """
        passing = Passing()
        for each in messages:
            passing.put(*each)
        tracks = passing.clock.tracks.values()
        isOne = len({track.offset % ROUND for track in tracks}) < 2
        passing.clock.resume(1000)
        time = start
        offsets: dict[int, set[int]] = {V: set(), A: set()}
        for type, step in ((V, 0), (A, 0), *frames):
            time = max(start, time + step)
            offsets[type].add((passing.put(type, time % ROUND) - time) % ROUND)
        self.assertEqual((len(offsets[V]), len(offsets[A])), (1, 1))
        if isOne:
            self.assertEqual(offsets[V], offsets[A])

    @given(stamps, st.lists(st.tuples(st.sampled_from((A, V)), st.integers(-BACK // 2, FORWARD // 2))))
    def test_goodClock(self, start: int, steps: list[tuple[int, int]]) -> None:
        """Nothing is changed of a clock that goes on."""
        passing = Passing()
        at = high = start
        for type, step in steps:
            at = max(high - BACK // 2, at + step)
            high = max(high, at)
            self.assertEqual(passing.put(type, at % ROUND), at % ROUND)
        self.assertEqual(passing.clock.repairs, {})
