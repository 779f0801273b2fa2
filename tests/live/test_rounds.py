"""Tests for L{rtmptw.live.rounds}."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import thread_time
from typing import Any

from twisted.internet.base import DelayedCall
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.live.livestream import LiveStream, Publication
from rtmptw.live.rounds import SHARE, SLICE, TOLERANCE, UNWATCHED, FlushTimes, Rounds
from rtmptw.live.viewer import Viewer
from rtmptw.wire.message import Message
from tests.live.doubles import PATH, LiveTestCase, MemoryOutlet, MemoryPublisher, content, key, sound

#: How long must pass after so much work, in its own length.
PAUSE = 1 / SHARE - 1

#: A moment that is too short to matter, seconds.
MOMENT = 0.00001

#: Rounds that are never too late.
PATIENT = FlushTimes(0, 1000)


class Processor:
    """
    The time that a thread has worked. It passes on the clock too, while nobody else has a turn.

    @ivar worked: seconds.
    @ivar asked: how many times somebody has wanted to know.
    """

    def __init__(self, clock: MemoryReactorClock) -> None:
        self.worked = 0.0
        self.asked = 0
        self._clock = clock

    def work(self, seconds: float) -> None:
        """Be busy."""
        self.worked += seconds
        self._clock.rightNow += seconds

    def __call__(self) -> float:
        self.asked += 1
        return self.worked


class CostlyOutlet(MemoryOutlet):
    """
    An outlet to which it takes time to send.

    @ivar cost: how much, seconds of processor time.
    @ivar sent: called when something was sent.
    """

    def __init__(self, processor: Processor, cost: float) -> None:
        super().__init__()
        self.cost = cost
        self.sent: Callable[[], None] = lambda: None
        self._processor = processor

    def write(self, data: bytes | memoryview) -> None:
        """Take time."""
        super().write(data)
        self._processor.work(self.cost)
        self.sent()


class BrokenOutlet(MemoryOutlet):
    """An outlet that raises at what it is given."""

    def write(self, data: bytes | memoryview) -> None:
        """Raise."""
        raise ValueError("a bug in an outlet")


class RoundsCase(LiveTestCase):
    """Streams whose viewers cost time."""

    def setUp(self) -> None:
        """No stream yet."""
        super().setUp()
        self.processor = Processor(self.clock)
        self.begin(PATIENT)

    def begin(self, times: FlushTimes | None) -> None:
        """Begin again."""
        for call in self.clock.getDelayedCalls():
            call.cancel()
        self.rounds = Rounds(self.clock, times, self.processor)
        self.outlets: list[Any] = []

    def stream(self, viewers: int = 1, cost: float = 0.0, path: str = PATH) -> Publication:
        """A stream that is published."""
        return self.live(viewers, cost, path).publish(MemoryPublisher())

    def live(self, viewers: int = 1, cost: float = 0.0, path: str = PATH) -> LiveStream:
        """A stream, with its viewers; they are the last of C{outlets}."""
        stream = LiveStream(path, self.clock, lambda stream: None, self.rounds)
        for _ in range(viewers):
            self.watch(stream, CostlyOutlet(self.processor, cost))
        return stream

    def watch(self, stream: LiveStream, outlet: Any) -> Viewer:
        """One more viewer."""
        self.outlets.append(outlet)
        return stream.play(outlet, 1, lambda: None)

    def assertSent(self, *expected: list[Message]) -> None:
        """Assert what each viewer was sent since the last time, each all at once."""
        blocks = [len(outlet.blocks) for outlet in self.outlets]
        self.assertEqual([content(outlet.take()) for outlet in self.outlets], [content(each) for each in expected])
        self.assertEqual(blocks, [min(len(each), 1) for each in expected])

    @property
    def pause(self) -> float | None:
        """How long it is until the next round, seconds; L{None} if none will be."""
        waits = self.waits
        self.assertLessEqual(len(waits), 1)
        return waits[0] if waits else None

    @property
    def waits(self) -> list[float]:
        """How long it is until each call, seconds."""
        return sorted(call.getTime() - self.clock.seconds() for call in self.clock.getDelayedCalls())

    def turn(self) -> None:
        """One turn of the reactor, when the time for the next call has come; C{advance} goes on with what that adds."""
        call = min(self.clock.getDelayedCalls(), key=DelayedCall.getTime)
        self.clock.rightNow = max(self.clock.rightNow, call.getTime())
        self.clock.calls.remove(call)
        call.called = 1
        call.func(*call.args, **call.kw)


class RoundsTests(RoundsCase):
    """When viewers are given what has come."""

    def test_times(self) -> None:
        """If nothing else is said, media waits no longer than 100 ms, and the time is that of this thread."""
        self.assertEqual(FlushTimes().least, 0)
        self.assertTrue(0 < FlushTimes().most <= 0.1)
        rounds = Rounds(self.clock)
        self.assertEqual((rounds.times, rounds._processorTime), (FlushTimes(), thread_time))

    def test_atOnce(self) -> None:
        """With a few viewers every message leaves at once, in the turn in which it came."""
        self.begin(None)
        publication = self.stream(viewers=3, cost=0.00002)
        for index in range(100):
            self.clock.advance(0.02)
            self.send(publication, key(index))
            self.assertSent(*[[key(index)]] * 3)
            self.assertIs(self.pause, None)

    def test_pause(self) -> None:
        """A round that has taken T is not followed by the next one before T * (1 / SHARE - 1) have passed."""
        for cost in (0.001, 0.009, 0.5, 20.0):
            self.begin(PATIENT)
            publication = self.stream(cost=cost)
            self.send(publication, key(0))
            self.assertSent([key(0)])
            self.send(publication, sound(1))
            self.clock.advance(cost * PAUSE / 2)
            self.send(publication, sound(2))
            self.clock.advance(cost * PAUSE / 2 - MOMENT)
            self.assertSent([])
            self.clock.advance(2 * MOMENT)
            self.assertSent([sound(1), sound(2)])
            self.assertIs(self.pause, None)

    def test_pauseIsOver(self) -> None:
        """What comes after the pause leaves at once; time without a round is no credit for the one after."""
        publication = self.stream(cost=0.01)
        self.send(publication, key(0))
        for index in range(3):
            self.clock.advance(60)
            self.send(publication, sound(index))
            self.assertIs(self.pause, None)
        for outlet in self.outlets:
            outlet.take()
        self.send(publication, sound(9))
        self.assertSent([])
        self.assertAlmostEqual(self.pause or 0, 0.01 * PAUSE)

    def test_byChance(self) -> None:
        """A round that takes long once is late enough; if that is so again, rounds do cost that much, up and down."""
        publication = self.stream()
        costs = (0.01, 0.01, 0.1, 0.01, 0.1, 0.1, 0.01, 0.01)
        pauses = (0.01, 0.01, 0.01, 0.01, 0.1, 0.1, 0.1, 0.01)
        self.outlets[0].cost = costs[0]
        self.send(publication, sound(0))
        for cost, pause in zip((*costs[1:], 0), pauses, strict=True):
            self.outlets[0].cost = cost
            self.send(publication, sound(0))
            self.assertAlmostEqual(self.pause or 0, pause * PAUSE)
            self.clock.advance(self.pause or 0)

    def test_tolerance(self) -> None:
        """Small rounds follow each other at once, until they owe more than TOLERANCE; then all of it is waited."""
        cost = TOLERANCE / PAUSE / 2.5
        publication = self.stream(cost=cost)
        for index in range(3):
            self.send(publication, sound(index))
            self.assertSent([sound(index)])
        self.send(publication, sound(3))
        self.assertSent([])
        self.assertAlmostEqual(self.pause or 0, 3 * cost * PAUSE)
        self.clock.advance(3 * cost * PAUSE)
        self.assertSent([sound(3)])

    def test_share(self) -> None:
        """However much it is, rounds take no more of the processor than they may, and no less if that is needed."""
        step, end = 0.0003, 3.0
        for viewers, cost in ((3, 0.00001), (1, 0.0001), (100, 0.0002), (2, 0.003)):
            self.begin(PATIENT)
            publication = self.stream(viewers, cost)
            began, worked, one = self.clock.seconds(), self.processor.worked, viewers * cost
            while self.clock.seconds() < began + end:
                self.send(publication, sound(0))
                self.clock.advance(step)
            worked, passed = self.processor.worked - worked, self.clock.seconds() - began
            # There is no more to do than a round for each message, and the last one may have just begun.
            needed = min(SHARE, one / (one + step))
            self.assertLess(worked, SHARE * passed + one + MOMENT, one)
            self.assertGreater(worked, needed * passed * 0.95 - one, one)

    def test_most(self) -> None:
        """However long a round was, the next one is no later than C{most} after it."""
        self.begin(FlushTimes(0, 0.1))
        publication = self.stream(cost=5.0)
        for _ in range(3):
            self.send(publication, sound(0))
            self.send(publication, sound(1))
            self.assertAlmostEqual(self.pause or 0, 0.1)
            self.clock.advance(0.2)

    def test_least(self) -> None:
        """What comes within C{least} of the last round leaves together, also if that has cost nothing."""
        self.begin(FlushTimes(0.05, 0.1))
        publication = self.stream()
        self.send(publication, key(0))
        self.assertSent([key(0)])
        for _ in range(2):
            for index in range(4):
                self.clock.advance(0.01)
                self.send(publication, sound(index))
            self.assertSent([])
            self.clock.advance(0.01 + MOMENT)
            self.assertSent([sound(0), sound(1), sound(2), sound(3)])
        self.clock.advance(1)
        self.send(publication, sound(5))
        self.assertSent([sound(5)])

    def test_leastAndMore(self) -> None:
        """C{least} is no addition to what the work asks for."""
        self.begin(FlushTimes(0.05, 10))
        publication = self.stream(cost=0.1)
        self.send(publication, key(0))
        self.send(publication, sound(1))
        self.assertAlmostEqual(self.pause or 0, 0.1 * PAUSE)

    def test_everyMessageAtOnce(self) -> None:
        """C{FlushTimes(0, 0)}: whatever it costs, no message waits for another one."""
        self.begin(FlushTimes(0, 0))
        publication = self.stream(viewers=2, cost=7.0)
        for index in range(10):
            self.send(publication, sound(index))
            self.assertSent([sound(index)], [sound(index)])
            self.assertIs(self.pause, None)

    def test_slices(self) -> None:
        """
        A long round lets others have their turn; who comes later in it is sent what has come meanwhile as well, and the
        others are sent that in the next one, which waits for the work of all parts.
        """
        cost = SLICE / 30
        publication = self.stream(viewers=80, cost=cost)
        self.send(publication, key(0))
        self.assertSent(*[[key(0)]] * 32, *[[]] * 48)
        self.assertEqual(self.pause, 0)
        self.send(publication, sound(1))
        self.assertSent(*[[]] * 80)
        self.turn()
        self.assertSent(*[[]] * 32, *[[key(0), sound(1)]] * 32, *[[]] * 16)
        self.assertEqual(self.pause, 0)
        self.send(publication, sound(2))
        self.turn()
        self.assertSent(*[[]] * 64, *[[key(0), sound(1), sound(2)]] * 16)
        self.assertAlmostEqual(self.pause or 0, 80 * cost * PAUSE)
        for outlet in self.outlets:
            outlet.cost = 0
        self.clock.advance(80 * cost * PAUSE + MOMENT)
        self.assertSent(*[[sound(1), sound(2)]] * 32, *[[sound(2)]] * 32, *[[]] * 16)
        self.assertIs(self.pause, None)

    def test_noSlices(self) -> None:
        """A round that is shorter is not cut, however many it serves."""
        publication = self.stream(viewers=1000, cost=SLICE / 1010)
        self.send(publication, key(0))
        self.assertSent(*[[key(0)]] * 1000)
        self.assertIs(self.pause, None)

    def test_goneBetweenSlices(self) -> None:
        """Who leaves while a round is interrupted is sent nothing more; who comes then does not wait for its end."""
        stream = self.live(viewers=0)
        viewers = [self.watch(stream, CostlyOutlet(self.processor, SLICE / 30)) for _ in range(40)]
        publication = stream.publish(MemoryPublisher())
        self.send(publication, key(0))
        viewers[35].stop()
        self.watch(stream, CostlyOutlet(self.processor, 0))
        self.assertSent(*[[key(0)]] * 32, *[[]] * 8, [key(0)])
        self.turn()
        self.assertSent(*[[]] * 32, *[[key(0)]] * 3, [], *[[key(0)]] * 4, [])

    def test_endBetweenSlices(self) -> None:
        """A stream that ends while a round is interrupted: everything reaches everybody, and nothing twice."""
        publication = self.stream(viewers=40, cost=SLICE / 30)
        other = self.stream(path="live/other")
        self.send(publication, key(0))
        self.send(other, key(5))
        self.assertSent(*[[key(0)]] * 32, *[[]] * 9)
        publication.append(sound(1))
        publication.end("")
        self.assertSent(*[[sound(1)]] * 32, *[[key(0), sound(1)]] * 8, [])
        self.clock.advance(0)
        self.clock.advance(10)
        self.assertSent(*[[]] * 40, [key(5)])

    def test_nextPublisherBetweenSlices(self) -> None:
        """The same, when the next publisher has come to the stream before the round goes on."""
        stream = self.live(viewers=40, cost=SLICE / 30)
        publication = stream.publish(MemoryPublisher())
        self.send(publication, key(0))
        publication.end("")
        self.assertSent(*[[key(0)]] * 40)
        self.watch(stream, CostlyOutlet(self.processor, 0))
        self.send(stream.publish(MemoryPublisher()), key(7))
        self.assertSent(*[[]] * 41)
        self.clock.advance(0)
        self.clock.advance(10)
        self.assertSent(*[[]] * 40, [key(7)])

    def test_endBeforeTheRound(self) -> None:
        """A stream that has ended before its round comes needs none; the others have theirs."""
        publication, other = self.stream(cost=0.01), self.stream(path="live/other")
        self.send(publication, key(0))
        self.send(publication, sound(1))
        self.send(other, key(5))
        publication.end("")
        self.assertEqual([len(outlet.blocks) for outlet in self.outlets], [2, 0])
        self.outlets[0].take()
        self.clock.advance(1)
        self.assertSent([], [key(5)])
        self.assertIs(self.pause, None)

    def test_oneRoundForAll(self) -> None:
        """All streams on which something has come have one round, in which each is served once, and pay together."""
        order: list[int] = []
        publications = [self.stream(viewers=2, cost=0.002, path=f"live/{index}") for index in range(4)]
        for index, outlet in enumerate(self.outlets):
            outlet.sent = lambda index=index: order.append(index)  # type: ignore[misc]
        self.send(publications[3], key(0))
        self.assertEqual(order, [6, 7])
        for index in (2, 0, 2, 3):
            self.send(publications[index], sound(index))
        self.assertSent(*[[]] * 6, *[[key(0)]] * 2)
        self.assertAlmostEqual(self.pause or 0, 0.004 * PAUSE)
        self.turn()
        self.assertEqual(order[2:], [4, 5, 0, 1, 6, 7])
        self.assertSent(*[[sound(0)]] * 2, *[[]] * 2, *[[sound(2), sound(2)]] * 2, *[[sound(3)]] * 2)
        self.assertIs(self.pause, None)
        self.send(publications[1], key(1))
        self.assertAlmostEqual(self.pause or 0, 0.012 * PAUSE)

    def test_withinARound(self) -> None:
        """What comes in a round, on whatever stream, waits for the next one."""
        for times, pause in ((FlushTimes(0, 0), 0.0), (PATIENT, 0.04 * PAUSE)):
            self.begin(times)
            publication, other = self.stream(viewers=2, cost=0.02), self.stream(path="live/other")

            def more(publication: Publication = publication, other: Publication = other) -> None:
                self.outlets[1].sent = lambda: None
                self.outlets[1].cost = 0
                self.send(publication, sound(1))
                self.send(other, key(5))

            self.outlets[1].sent = more
            self.send(publication, key(0))
            self.assertEqual([len(outlet.blocks) for outlet in self.outlets], [1, 2, 0])
            self.assertAlmostEqual(self.pause, pause)
            for outlet in self.outlets:
                outlet.take()
            self.clock.advance(pause + MOMENT)
            self.assertSent([sound(1)], [], [key(5)])

    def test_failure(self) -> None:
        """A viewer that fails is dropped, with a line in the log; nobody else notices."""
        stream = self.live(viewers=2)
        broken = self.watch(stream, BrokenOutlet())
        self.watch(stream, CostlyOutlet(self.processor, 0))
        other = self.stream(path="live/other")
        publication = stream.publish(MemoryPublisher())
        publication.append(key(0))
        self.send(other, key(5))
        self.assertSent([], [], [], [], [key(5)])
        self.send(publication, sound(1))
        [error] = self.flushLoggedErrors(ValueError)
        self.assertEqual(error.getErrorMessage(), "a bug in an outlet")
        self.assertEqual(self.logged("is dropped"), ["live/camera: a viewer has failed and is dropped"])
        self.assertNotIn(broken, stream.viewers)
        self.assertSent(*[[key(0), sound(1)]] * 2, [], [key(0), sound(1)], [])
        self.send(publication, sound(2))
        self.assertSent(*[[sound(2)]] * 2, [], [sound(2)], [])

    def test_brokenOff(self) -> None:
        """A round that breaks off costs those who had not had their turn no more than a round."""
        streams = [self.live(cost=0.01, path=f"live/{index}") for index in range(4)]
        publications = [stream.publish(MemoryPublisher()) for stream in streams]
        self.send(publications[0], key(0))
        for publication in publications:
            self.send(publication, sound(1))
        self.assertSent([key(0)], [], [], [])

        def round() -> Iterator[None]:
            yield
            raise ValueError("a bug in a stream")

        streams[1].round = round  # type: ignore[method-assign]
        self.turn()
        self.assertEqual([str(each.value) for each in self.flushLoggedErrors(ValueError)], ["a bug in a stream"])
        self.assertEqual(self.logged("broken off"), ["a round was broken off"])
        self.assertSent([sound(1)], [], [], [])
        self.assertAlmostEqual(self.pause or 0, 0.01 * PAUSE)
        self.turn()
        self.assertSent([], [], [sound(1)], [sound(1)])
        self.assertIs(self.pause, None)

    def test_clockSetBack(self) -> None:
        """Whoever sets the clock back an hour stops nobody, whether a round is waited for then or not."""
        for times in (None, FlushTimes(0.02, 0.045), FlushTimes(0, 1), FlushTimes(0.5, 0.5)):
            for isPending in (True, False):
                self.begin(times)
                publication = self.stream(cost=0.001)
                self.clock.advance(10_000)
                self.send(publication, key(0))
                sent = [sound(1)] if isPending else []
                if isPending:
                    self.send(publication, *sent)
                self.assertSent([key(0)])
                self.assertEqual(len(self.waits), isPending)
                self.clock.rightNow -= 3600
                self.send(publication, sound(2))
                self.assertSent([*sent, sound(2)])
                self.assertIs(self.pause, None)
                # Then it goes on as ever.
                self.send(publication, sound(3))
                pause = self.pause or 0
                self.assertTrue(0 < pause <= (times or FlushTimes()).most + TOLERANCE, pause)
                self.turn()
                self.assertSent([sound(3)])

    def test_nobody(self) -> None:
        """If nobody watches, there is no round."""
        publication = self.stream(viewers=0)
        self.send(publication, key(0))
        self.assertEqual((self.processor.asked, self.pause), (0, None))

    def test_surplus(self) -> None:
        """When all viewers of a stream have been served, what nobody needs any more is forgotten."""
        stream = self.live(viewers=40, cost=SLICE / 30)
        publication = stream.publish(MemoryPublisher())
        self.send(publication, key(0), *(sound(index) for index in range(100)), key(1))
        self.assertEqual(stream.tape.first, 0)
        self.turn()
        self.assertEqual((stream.tape.first, stream.tape.end), (101, 102))


class FullTests(RoundsCase):
    """What fills a block."""

    def setUp(self) -> None:
        """A stream whose viewer has just been served, and another one that waits for the next round."""
        super().setUp()
        self.full = self.live(viewers=40, cost=SLICE / 30, path="live/full")
        self.fullPublication = self.full.publish(MemoryPublisher())
        self.other = self.stream(cost=0.01)
        self.reads = 0
        self.send(self.other, key(0))
        self.send(self.other, sound(1))
        self.assertSent(*[[]] * 40, [key(0)])
        self.wait = 0.01 * PAUSE

    def gather(self) -> Iterator[None]:
        """Count."""
        self.reads += 1
        yield

    def come(self, *messages: Message) -> None:
        """So much comes that it need not wait."""
        for message in messages:
            self.fullPublication.append(message)
        self.rounds.due(self.full, isFull=True)

    def test_alone(self) -> None:
        """It leaves at once; the others keep their time, and nobody is read for it, however often that is so."""
        self.rounds.gather(self.gather, 0.02)
        for outlet in self.outlets[:40]:
            outlet.cost = 0
        for index in range(100):
            self.come(key(index))
            self.assertSent(*[[key(index)]] * 40, [])
        self.assertEqual(self.reads, 0)
        self.assertAlmostEqual(self.pause or 0, self.wait)
        self.turn()
        self.assertEqual(self.reads, 1)
        self.assertSent(*[[]] * 40, [sound(1)])

    def test_noPause(self) -> None:
        """What it has cost is not paid for: neither by itself nor by others."""
        self.turn()
        self.assertSent(*[[]] * 40, [sound(1)])
        self.clock.advance(self.wait + MOMENT)
        for index in range(3):
            self.come(key(index))
            self.turn()
            self.assertSent(*[[key(index)]] * 40, [])
            self.assertIs(self.pause, None)
        self.send(self.other, sound(2))
        self.assertSent(*[[]] * 40, [sound(2)])

    def test_slices(self) -> None:
        """It is cut as others are; what comes meanwhile, on whatever stream, is for the next round, at its time."""
        began = self.clock.seconds()
        self.come(key(5))
        self.assertSent(*[[key(5)]] * 32, *[[]] * 9)
        self.assertEqual(len(self.waits), 2)
        self.assertEqual(self.waits[0], 0)
        self.come(sound(6))
        self.send(self.other, sound(2))
        self.assertSent(*[[]] * 41)
        self.turn()
        self.assertSent(*[[]] * 32, *[[key(5), sound(6)]] * 8, [])
        self.assertAlmostEqual(self.pause or 0, self.wait - (self.clock.seconds() - began))
        for outlet in self.outlets:
            outlet.cost = 0
        self.turn()
        self.assertSent(*[[sound(6)]] * 32, *[[]] * 8, [sound(1), sound(2)])

    def test_timerWithin(self) -> None:
        """If the others' time comes while it is cut, they have it when it is over, and need wait no longer."""
        self.rounds.gather(self.gather, 0.02)
        self.come(key(5))
        self.assertSent(*[[key(5)]] * 32, *[[]] * 9)
        [go, timer] = sorted(self.clock.getDelayedCalls(), key=DelayedCall.getTime)
        self.clock.rightNow = timer.getTime()
        self.clock.calls.remove(timer)
        timer.called = 1
        timer.func()
        self.assertSent(*[[]] * 41)
        self.assertEqual((self.reads, self.clock.getDelayedCalls()), (0, [go]))
        self.turn()
        self.assertSent(*[[]] * 32, *[[key(5)]] * 8, [])
        self.assertEqual((self.reads, self.pause), (0, 0))
        self.turn()
        self.assertEqual(self.reads, 1)
        self.assertSent(*[[]] * 40, [sound(1)])

    def test_nothingElse(self) -> None:
        """If nothing else waits, there is no round behind it; what has come within it has one."""
        self.turn()
        self.assertSent(*[[]] * 40, [sound(1)])
        self.come(key(5))
        self.send(self.other, sound(2))
        self.turn()
        self.assertSent(*[[key(5)]] * 40, [])
        self.turn()
        self.assertSent(*[[]] * 40, [sound(2)])
        self.assertIs(self.pause, None)


class GatherTests(RoundsCase):
    """Publishers that are read in rounds."""

    def setUp(self) -> None:
        """Nothing is to be read."""
        super().setUp()
        self.read: list[Callable[[], None]] = []
        self.reads = 0

    def gather(self) -> Iterator[None]:
        """Read all that there is, each in a step."""
        self.reads += 1
        for read in self.read:
            read()
            yield

    def test_readFirst(self) -> None:
        """A round begins with reading, and what was read leaves in it."""
        first, second = self.stream(viewers=2), self.stream(path="live/other")
        self.read = [lambda: self.send(first, key(0)), lambda: self.send(second, key(5), sound(6))]
        self.rounds.gather(self.gather, 0.02)
        self.assertSent([], [], [])
        self.clock.advance(0.02 - MOMENT)
        self.assertEqual(self.reads, 0)
        self.turn()
        self.assertEqual(self.reads, 1)
        self.assertSent([key(0)], [key(0)], [key(5), sound(6)])

    def test_withoutEnd(self) -> None:
        """Rounds follow each other, so far apart as was said and as their work asks for, until nothing is read."""
        for cost, pause in ((0.0, 0.02), (0.001, 0.02), (0.03, 0.03 * PAUSE)):
            self.begin(PATIENT)
            publication = self.stream(cost=cost)
            self.read = [lambda publication=publication: self.send(publication, key(0))]  # type: ignore[misc]
            self.rounds.gather(self.gather, 0.02)
            for _ in range(5):
                self.turn()
                self.assertAlmostEqual(self.pause, pause)
                self.assertSent([key(0)])
            self.rounds.scatter(self.gather)
            self.reads = 0
            self.turn()
            self.assertEqual((self.reads, self.pause), (0, None))
            self.assertSent([])

    def test_reading(self) -> None:
        """What reading costs is paid for as well."""
        publication = self.stream()
        self.read = [lambda: self.processor.work(0.01), lambda: self.send(publication, key(0))]
        self.rounds.gather(self.gather, 0.02)
        self.turn()
        self.assertAlmostEqual(self.pause, 0.01 * PAUSE)

    def test_nobodyServed(self) -> None:
        """If nobody was sent anything, the next round is not soon, whatever the times are."""
        self.begin(FlushTimes(0, 0.05))
        publication = self.stream(viewers=0)
        self.read = [lambda: self.send(publication, key(0))]
        self.rounds.gather(self.gather, 0.02)
        for _ in range(3):
            self.turn()
            self.assertAlmostEqual(self.pause, UNWATCHED)
        self.rounds.times = FlushTimes(0, 1000)
        self.read.append(lambda: self.processor.work(UNWATCHED))
        for _ in range(2):
            self.turn()
        self.assertAlmostEqual(self.pause, UNWATCHED * PAUSE)
        self.read.pop()
        stream = publication._stream
        assert stream is not None
        viewer = self.watch(stream, CostlyOutlet(self.processor, 0))
        self.outlets[0].take()
        self.turn()
        self.outlets[0].take()
        self.turn()
        self.assertAlmostEqual(self.pause, 0.02)
        self.assertSent([key(0)])
        viewer.stop()
        self.turn()
        self.assertAlmostEqual(self.pause, UNWATCHED)

    def test_least(self) -> None:
        """What was said for all rounds holds for these, too; when nothing is read any more, it holds again."""
        self.begin(FlushTimes(0.05, 1))
        publication = self.stream()
        self.read = [lambda: self.send(publication, key(0))]
        for least, pause in ((0.02, 0.05), (0.3, 0.3)):
            self.rounds.gather(self.gather, least)
            self.turn()
            self.assertAlmostEqual(self.pause, pause)
        self.rounds.scatter(self.gather)
        self.turn()
        self.clock.advance(1)
        self.send(publication, sound(1))
        self.send(publication, sound(2))
        self.assertAlmostEqual(self.pause, 0.05)

    def test_oneRow(self) -> None:
        """There is one row of rounds: what comes by itself waits for the next of them, and needs none of its own."""
        publication = self.stream(cost=0.01)
        self.send(publication, key(0))
        self.send(publication, sound(1))
        self.assertSent([key(0)])
        self.rounds.gather(self.gather, 0.02)
        self.rounds.gather(self.gather, 0.02)
        self.assertAlmostEqual(self.pause, 0.01 * PAUSE)
        self.turn()
        self.assertEqual(self.reads, 1)
        self.assertSent([sound(1)])
        self.send(publication, sound(2))
        self.turn()
        self.assertEqual(self.reads, 2)
        self.assertSent([sound(2)])

    def test_several(self) -> None:
        """Several read, each in its turn and once a round, as far apart as all of them want; each leaves for itself."""
        order: list[str] = []

        def reader(name: str) -> Callable[[], Iterator[None]]:
            def read() -> Iterator[None]:
                order.append(name)
                yield

            return read

        one, two = reader("one"), reader("two")
        publication = self.stream()
        self.read = [lambda: self.send(publication, key(0))]
        self.rounds.gather(self.gather, 0.01)
        for read, least, pause, names in (
            (one, 0.02, 0.02, ["one"]),
            (two, 0.05, 0.05, ["one", "two"]),
            (one, 0.07, 0.07, ["one", "two"]),
        ):
            self.rounds.gather(read, least)
            self.turn()
            self.assertAlmostEqual(self.pause or 0, pause)
            self.assertEqual(order, names)
            order.clear()
        for read, pause, names in ((one, 0.05, ["two"]), (one, 0.05, ["two"]), (two, 0.01, [])):
            self.rounds.scatter(read)
            self.turn()
            self.assertAlmostEqual(self.pause or 0, pause)
            self.assertEqual(order, names)
            order.clear()
        self.rounds.scatter(two)
        self.rounds.scatter(self.gather)
        self.turn()
        self.assertIs(self.pause, None)

    def test_readerFails(self) -> None:
        """If reading breaks a round off, everybody is served in the next one."""
        publication = self.stream()

        def fail() -> None:
            self.send(publication, key(0))
            raise ValueError("a bug in a reader")

        self.read = [fail]
        self.rounds.gather(self.gather, 0.02)
        self.turn()
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertSent([])
        self.read = []
        self.turn()
        self.assertSent([key(0)])

    def test_clockSetBack(self) -> None:
        """When the clock was set back, what comes by itself lets the others be read again as well."""
        self.begin(None)
        publication = self.stream()
        self.clock.advance(10_000)
        self.read = [lambda: self.send(publication, key(0))]
        self.rounds.gather(self.gather, 0.02)
        self.turn()
        self.assertSent([key(0)])
        self.clock.rightNow -= 3600
        self.send(publication, sound(1))
        self.assertEqual(self.reads, 2)
        self.assertSent([sound(1), key(0)])
        self.assertAlmostEqual(self.pause or 0, 0.02)

    def test_changedWithinARound(self) -> None:
        """Whoever decides within a round that publishers are read, or not any more, decides for the next one."""
        publication = self.stream()
        self.outlets[0].sent = lambda: self.rounds.gather(self.gather, 0.02)
        self.send(publication, key(0))
        self.assertEqual(self.reads, 0)
        self.assertAlmostEqual(self.pause, 0.02)
        self.outlets[0].sent = lambda: self.rounds.scatter(self.gather)
        self.read = [lambda: self.send(publication, sound(1))]
        self.turn()
        self.assertEqual((self.reads, self.pause), (1, None))

    def test_slices(self) -> None:
        """A long reading lets others have their turn, as a long round does; viewers are served when it is over."""
        publication = self.stream()
        self.read = [
            *[lambda: self.processor.work(SLICE / 30)] * 40,
            lambda: self.send(publication, key(0)),
        ]
        self.rounds.gather(self.gather, 0.02)
        self.turn()
        self.assertEqual(self.pause, 0)
        self.send(publication, key(7))
        self.assertSent([])
        self.turn()
        self.assertSent([key(7), key(0)])
        self.assertAlmostEqual(self.pause, 40 * SLICE / 30 * PAUSE)


class FlushTimesTests(SynchronousTestCase):
    """What is no pair of times."""

    def test_values(self) -> None:
        """Times are not less than 0, and the least is not more than the most."""
        for least, most in ((-1, 0), (1, 0), (0, float("nan")), (float("nan"), 1), (0, float("inf"))):
            with self.assertRaises(ValueError, msg=(least, most)):
                FlushTimes(least, most)
        for least, most in ((0, 0), (0, 0.1), (0.35, 0.35)):
            FlushTimes(least, most)
