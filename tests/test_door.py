# -*- test-case-name: tests.test_door -*-
"""
Tests for L{rtmptw.door}.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import ISSLTransport
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import alsoProvides

from rtmptw.door import FEW, LEAST, MANY, MOST_EACH, Door
from rtmptw.inlet import READ, READS, Inlet
from rtmptw.live.rounds import UNWATCHED, FlushTimes, Rounds
from tests.memorysocket import SocketTransport

#: How many publishers there are: as many as it takes, if each sends what an encoder does.
COUNT = 20


class Publisher:
    """
    One connection, as far as the door knows it.

    @ivar received: the size of what was received, each time.
    @ivar acts: called with each.
    """

    def __init__(self, secure: bool = False) -> None:
        self.transport = SocketTransport()
        if secure:
            alsoProvides(self.transport, ISSLTransport)
        self.wire = self.transport.wire
        self.transport.protocol = self  # type: ignore[assignment]
        self.inlet = Inlet(self.transport, self.dataReceived)
        self.received: list[int] = []
        self.acts: Callable[[], None] = lambda: None

    def dataReceived(self, data: bytes) -> None:
        """Keep its size."""
        self.received.append(len(data))
        self.acts()

    def connectionLost(self, reason: Failure) -> None:
        """The transport tells."""

    @property
    def isGathered(self) -> bool:
        """Whether the reactor does not read it."""
        return not self.transport.isWatched


class DoorCase(SynchronousTestCase):
    """Publishers before the door."""

    def setUp(self) -> None:
        self.begin()

    def begin(self, times: FlushTimes | None = None, count: int = COUNT) -> None:
        """Begin again."""
        self.clock = Clock()
        # The work of a test takes no time.
        self.rounds = Rounds(self.clock, times, lambda: 0.0)
        self.door = Door(self.rounds)
        self.publishers = [Publisher() for _ in range(count)]

    def second(self, messages: int = MANY) -> None:
        """A second has passed, in which so many came in all, from each about as many."""
        for index, publisher in enumerate(self.publishers):
            publisher.inlet.messages = (messages + index) // len(self.publishers)
        self.door.second(publisher.inlet for publisher in self.publishers)

    def gathered(self) -> list[int]:
        """Which are."""
        return [index for index, publisher in enumerate(self.publishers) if publisher.isGathered]

    def assertOpen(self) -> None:
        """Assert that all are gathered, and that they will be read."""
        self.assertEqual((self.gathered(), len(self.door)), ([*range(len(self.publishers))], len(self.publishers)))
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)

    def assertShut(self) -> None:
        """Assert that nobody is gathered, and that no round follows the one that may still be due."""
        self.assertEqual((self.gathered(), len(self.door)), ([], 0))
        for _ in range(2):
            self.clock.advance(10)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class DecisionTests(DoorCase):
    """Who is gathered."""

    def test_many(self) -> None:
        """All, when so many messages come from them together; one less is not enough, however long that goes on."""
        for _ in range(3):
            self.second(MANY - 1)
            self.assertShut()
        self.second(MANY)
        self.assertOpen()

    def test_upload(self) -> None:
        """Files that are sent at full speed are not many encoders: few publishers are never gathered."""
        needed = -(-MANY // MOST_EACH)
        for count in (0, 1, needed - 1, needed):
            self.begin(count=count)
            self.second(1000 * MANY)
            if count == needed:
                self.assertOpen()
            else:
                self.assertShut()
        # Some uploads beside as many encoders as are just not enough.
        self.begin(count=3)
        encoders = [Publisher() for _ in range(COUNT)]
        for publisher in self.publishers:
            publisher.inlet.messages = 100_000
        for publisher in encoders:
            publisher.inlet.messages = (MANY - 1 - 3 * MOST_EACH) // COUNT
        self.publishers += encoders
        self.door.second(publisher.inlet for publisher in self.publishers)
        self.assertShut()

    def test_hysteresis(self) -> None:
        """Once gathered they stay so with less; until it is few. Then it takes as many again as at first."""
        for _ in range(2):
            self.second(MANY - 1)
            self.assertShut()
            self.second(MANY)
            for _ in range(3):
                self.second(FEW + 1)
                self.assertOpen()
            self.second(FEW)
            self.assertShut()

    def test_loadGoes(self) -> None:
        """It is what comes that counts, not who is there: they are let go when they are silent, or too few are left."""
        self.second()
        self.second(0)
        self.assertShut()
        self.second()
        gone, self.publishers = self.publishers[10:], self.publishers[:10]
        self.assertLessEqual(len(self.publishers) * MOST_EACH, FEW)
        self.second(1000 * MANY)
        self.assertShut()
        self.assertEqual([publisher.isGathered for publisher in gone], [False] * 10)

    def test_newcomers(self) -> None:
        """Who comes later is gathered with the next second; who publishes no more is not."""
        self.second()
        self.publishers.append(Publisher())
        self.assertEqual(self.gathered(), [*range(COUNT)])
        self.second()
        self.assertOpen()
        gone = self.publishers.pop(0)
        self.second()
        self.assertFalse(gone.isGathered)
        self.assertOpen()

    def test_TLS(self) -> None:
        """Over TLS nobody is, and they do not count."""
        self.publishers += [Publisher(secure=True) for _ in range(COUNT)]
        self.second(2 * MANY - 2)
        self.assertShut()
        self.second(2 * MANY)
        self.assertEqual(self.gathered(), [*range(COUNT)])

    def test_twoDoors(self) -> None:
        """Two servers may have one hub: neither opens nor closes the other's door, and each is read once a round."""
        other, others = Door(self.rounds), [Publisher() for _ in range(COUNT)]
        self.second()

        def assertRead(publishers: list[Publisher]) -> None:
            for publisher in publishers:
                publisher.wire.arrived += b"abc"
            self.clock.advance(UNWATCHED)
            self.assertEqual([publisher.received for publisher in publishers], [[3]] * len(publishers))
            for publisher in publishers:
                publisher.received.clear()

        for leave in (lambda: other.second([]), other.close):
            leave()
            assertRead(self.publishers)
            self.assertOpen()
        for publisher in others:
            publisher.inlet.messages = MOST_EACH
        other.second(publisher.inlet for publisher in others)
        self.assertOpen()
        for _ in range(3):
            assertRead(self.publishers + others)
        self.second(0)
        self.assertEqual((self.gathered(), len(self.door), len(other)), ([], 0, COUNT))
        for _ in range(3):
            assertRead(others)
        other.close()
        self.assertShut()

    def test_times(self) -> None:
        """Nobody is where rounds may not be so far apart."""
        for most, opens in ((0, False), (LEAST - 0.001, False), (LEAST, True), (10, True)):
            self.begin(FlushTimes(0, most))
            self.second()
            if opens:
                self.assertOpen()
            else:
                self.assertShut()

    def test_changedTimes(self) -> None:
        """The same when the times change meanwhile."""
        self.second()
        self.rounds.times = FlushTimes(0, 0)
        self.second()
        self.assertShut()

    def test_close(self) -> None:
        """All are given back; harmless when repeated, and no end for ever."""
        self.second()
        for _ in range(2):
            self.door.close()
            self.assertShut()
        self.second()
        self.assertOpen()

    def test_held(self) -> None:
        """Who is held when it is given back is not read before it is released."""
        self.second()
        publisher = self.publishers[0]
        publisher.inlet.hold("budget")
        self.door.close()
        self.assertTrue(publisher.isGathered)
        publisher.inlet.release("budget")
        self.assertShut()


class ReadTests(DoorCase):
    """What a round reads."""

    def setUp(self) -> None:
        super().setUp()
        self.second()

    def round(self) -> None:
        """The next round."""
        [call] = self.clock.getDelayedCalls()
        self.clock.advance(call.getTime() - self.clock.seconds())

    def received(self) -> list[list[int]]:
        """What was received since the last time."""
        received = [publisher.received[:] for publisher in self.publishers]
        for publisher in self.publishers:
            publisher.received.clear()
        return received

    def test_round(self) -> None:
        """The first round comes soon, and gives each what has come, all at once; the others follow."""
        for index, publisher in enumerate(self.publishers):
            publisher.wire.arrived += bytes(index)
        self.clock.advance(LEAST - 0.001)
        self.assertEqual(self.received(), [[]] * COUNT)
        self.clock.advance(0.001)
        self.assertEqual(self.received(), [[], *([index] for index in range(1, COUNT))])
        for _ in range(3):
            self.publishers[3].wire.arrived += b"abc"
            self.publishers[3].wire.arrived += b"d"
            self.clock.advance(UNWATCHED)
            self.assertEqual(self.received(), [[]] * 3 + [[4]] + [[]] * (COUNT - 4))
        self.assertOpen()

    def test_end(self) -> None:
        """Who has ended is given back at once, and the reactor finds the end."""
        for finish in (lambda wire: setattr(wire, "end", True), lambda wire: wire.reset()):
            self.begin()
            self.second()
            publisher = self.publishers[5]
            publisher.wire.arrived += b"last words"
            finish(publisher.wire)
            self.round()
            self.assertOpen()
            self.round()
            self.assertEqual((publisher.isGathered, len(self.door)), (False, COUNT - 1))
            self.assertEqual(publisher.received, [10])
            publisher.transport.turn()
            self.assertFalse(publisher.transport.connected)

    def test_flood(self) -> None:
        """
        Who sends more than its reads take is given back, with the rest; the others have their turn in that round, too.
        It may try again, but not before it has had a second as itself.
        """
        flood = self.publishers[0]
        flood.wire.arrived += bytes(READ * READS + 5)
        for publisher in self.publishers[1:]:
            publisher.wire.arrived += b"abc"
        self.publishers.append(Publisher())
        self.second()
        self.round()
        self.assertEqual(self.received(), [[READ] * READS, *[[3]] * (COUNT - 1), []])
        self.assertEqual((self.gathered(), len(self.door)), ([*range(1, COUNT + 1)], COUNT))
        flood.transport.turn()
        self.assertEqual(self.received()[0], [5])
        self.second()
        self.assertEqual(self.gathered(), [*range(1, COUNT + 1)])
        self.second()
        self.assertOpen()

    def test_allFlood(self) -> None:
        """If all do, the door is shut: reading them together saves nothing."""
        for publisher in self.publishers:
            publisher.wire.arrived += bytes(READ * READS)
        self.round()
        self.assertEqual((self.gathered(), len(self.door)), ([], 0))
        self.second()
        self.assertShut()

    def test_closedMeanwhile(self) -> None:
        """When a message that comes in a round is the end of it all, nobody else is read by it any more."""
        self.publishers[2].acts = self.door.close
        for publisher in self.publishers:
            publisher.wire.arrived += b"abc"
        self.round()
        self.assertEqual(self.received(), [[3]] * 3 + [[]] * (COUNT - 3))
        self.assertShut()
        for publisher in self.publishers:
            publisher.transport.turn()
        self.assertEqual(self.received(), [[]] * 3 + [[3]] * (COUNT - 3))

    def test_openedMeanwhile(self) -> None:
        """Whoever is closed by what another one sends is left to the reactor, and forgotten."""
        self.publishers[2].acts = self.publishers[4].inlet.open
        for publisher in self.publishers:
            publisher.wire.arrived += b"abc"
        self.round()
        self.assertEqual(self.received(), [[3]] * 4 + [[]] + [[3]] * (COUNT - 5))
        self.assertEqual((self.publishers[4].isGathered, len(self.door)), (False, COUNT - 1))

    def test_failure(self) -> None:
        """Whoever makes the reading fail is left to the reactor, with a line in the log; the others notice nothing."""

        def fail() -> None:
            raise ValueError("a bug in a session")

        self.publishers[2].acts = fail
        for publisher in self.publishers:
            publisher.wire.arrived += b"abc"
        self.round()
        self.assertEqual(self.received(), [[3]] * COUNT)
        self.assertEqual([str(failure.value) for failure in self.flushLoggedErrors(ValueError)], ["a bug in a session"])
        self.assertEqual((self.publishers[2].isGathered, len(self.door)), (False, COUNT - 1))
        self.publishers[7].wire.arrived += b"d"
        self.round()
        self.assertEqual(self.publishers[7].received, [1])

    def test_lost(self) -> None:
        """A connection that was aborted is forgotten, and not read again."""
        publisher = self.publishers[1]
        publisher.transport.abortConnection()
        publisher.transport.turn()
        publisher.wire.arrived += b"abc"
        self.round()
        self.assertEqual((publisher.received, publisher.transport.isWatched), ([], False))
        self.assertEqual(len(self.door), COUNT - 1)

    def test_heldInARound(self) -> None:
        """Who is held is not read; it stays, and is read when it is released."""
        publisher = self.publishers[1]
        publisher.wire.arrived += b"abc"
        publisher.inlet.hold("budget")
        self.round()
        self.assertEqual(publisher.received, [])
        publisher.inlet.release("budget")
        self.assertOpen()
        self.round()
        self.assertEqual(publisher.received, [3])
