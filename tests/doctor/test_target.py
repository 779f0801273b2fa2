"""
Tests for L{rtmptw.doctor.target}: how to come to a server, what is learned of it, and that nobody stays behind.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol

from rtmptw.causes.causes import CAUSES
from rtmptw.dialects.finding import Finding, Progress, Step, StepState
from rtmptw.doctor.target import Target, Unreachable
from rtmptw.doctor.witness import Witness
from rtmptw.testing import DIALECTS
from rtmptw.trace.entry import Unreadable
from rtmptw.trace.segment import Side
from rtmptw.url import RTMPURL
from tests.brokenservers.plain import PlainServer
from tests.doctor.network import URL, Network, NetworkTestCase
from tests.doctor.servers import KeepsPublisher, OneByOne, PlaysOnlyPublished, RefusesAll, RefusesPlayers, Silent


class ContactTests(NetworkTestCase):
    def test_connects(self) -> None:
        network = self.network()
        target = network.target()
        contact = network.run(target.contact())
        self.assertEqual(network.contacts, [contact])
        target.abort()
        self.assertTrue(contact.closed)

    def test_nobody(self) -> None:
        """It is tried again for as long as an answer may take."""
        network = self.network()
        network.server = None
        with self.assertRaises(Unreachable) as caught:
            network.run(network.target(patience=2.0).contact())
        self.assertEqual(str(caught.exception), "Connection was refused by other side")
        self.assertNear(network.clock.seconds(), 2.0, 0.3)

    def test_comesBack(self) -> None:
        """One that takes a moment is waited for."""
        network = self.network()
        server, network.server = network.server, None
        network.clock.callLater(1.0, setattr, network, "server", server)
        target = network.target()
        network.run(target.contact())
        self.assertNear(network.clock.seconds(), 1.0, 0.3)
        network.run(target.clear())

    def test_wasThere(self) -> None:
        network = self.network()
        target = network.target()
        network.run(target.contact())
        network.run(target.clear())
        network.server = None
        with self.assertRaises(Unreachable) as caught:
            network.run(target.contact())
        self.assertIn("somebody was there before", str(caught.exception))

    def test_noConnection(self) -> None:
        """A host that says nothing at all is given up, and the attempt is ended."""
        network = self.network()
        attempts: list[Deferred[Protocol]] = []

        def connect() -> Deferred[Protocol]:
            attempts.append(Deferred())
            return attempts[-1]

        with self.assertRaises(Unreachable) as caught:
            network.run(Target(URL, connect, network.clock).contact())
        self.assertEqual(str(caught.exception), "An error occurred while connecting: there is no connection after 10 s")
        self.assertEqual([attempt.called for attempt in attempts], [True])

    def test_clear(self) -> None:
        """Who has left already is left alone."""
        network = self.network()
        target = network.target()
        first, second = network.run(target.contact()), network.run(target.contact())
        first.close()
        network.advance(0.1)
        network.run(target.clear())
        self.assertEqual([first.closed, second.closed], ["closed", "reset"])
        self.assertEqual(target.abort(), [])


class VisitTests(NetworkTestCase):
    def test_urls(self) -> None:
        """Publishers and players go where each of them has to go."""
        network = self.network()
        target = network.target()
        target.playURL = RTMPURL.parse("rtmp://127.0.0.1/watch/sesame")
        apps = []
        for name in ("ffmpeg-publish", "ffmpeg-play"):
            visit = network.run(target.visit(DIALECTS[name]))
            network.run(visit.open())
            apps.append(network.server and network.server.connections[-1].app)
            network.run(target.clear())
        self.assertEqual(apps, ["live", "watch"])

    def test_takes(self) -> None:
        """Each has its own, as far as there are numbers."""
        network = self.network()
        target = network.target()
        target._takes = 9999
        self.assertEqual([network.run(target.visit()).take for _ in range(2)], [9999, 0])
        target.abort()


def progress(cause: str, state: StepState, delays: tuple[float, ...] = (), late: float = 0.0) -> Progress:
    """What becomes of a client."""
    found = Progress("somebody", "a program", delays=list(delays))
    found.steps[Step.CONNECT] = state
    sent, came = Unreadable(Side.CLIENT, 1.0, 0, b"", 0, ""), Unreadable(Side.SERVER, 1.0 + late, 0, b"", 0, "")
    found.note(Finding(CAUSES[cause], "", "somebody", Step.CONNECT, "words", sent, (came,) if late else ()))
    return found


class LearnTests(NetworkTestCase):
    def test_whatHelps(self) -> None:
        """It is done at once by those who come later: also by who only looks."""
        for cause, expected in (("no-answer", (False, False)), ("s2-waits-for-c2", (True, False))):
            network = self.network()
            target = network.target()
            self.assertTrue(target.isUntouched)
            target.learn(progress(cause, StepState.STOPS))
            # Nobody has published yet: who finds the name busy has met somebody else.
            self.assertTrue(target.isUntouched)
            visit = network.run(target.visit())
            self.assertEqual((visit.earlyC2, visit.pauseBehindC2 > 0), expected)
            target.abort()
        published = progress("slow-replies", StepState.OK)
        published.steps[Step.REQUEST] = StepState.LENIENT
        target.learn(published)
        self.assertFalse(target.isUntouched)
        target = network.target()
        target.learn(progress("c2-tail-dropped", StepState.STOPS))
        witness = network.run(target.witness())
        assert witness is not None
        self.assertGreater(witness.visit.pauseBehindC2, 0)
        target.abort()

    def test_patience(self) -> None:
        """It is short with a server that does not answer, and never shorter than that server is slow."""
        rows: list[tuple[Progress, float]] = [
            (progress("no-answer", StepState.OK), 5.0),
            (progress("no-answer", StepState.STOPS), 1.25),
            (progress("no-answer", StepState.STOPS, (0.1, 1.0)), 3.0),
            (progress("no-answer", StepState.STOPS, (0.1, 4.0)), 5.0),
            (progress("connect-transaction-id", StepState.STOPS, (0.1,), late=1.5), 4.5),
        ]
        for found, expected in rows:
            target = Network().target()
            target.learn(found)
            self.assertAlmostEqual(target.patience, expected)
        other = Network().target()
        for _ in range(5):
            target.learn(progress("no-answer", StepState.STOPS))
            other.learn(progress("no-answer", StepState.STOPS))
        self.assertAlmostEqual(target.patience, 4.5)
        self.assertAlmostEqual(other.patience, 1.0)


class PublisherTests(NetworkTestCase):
    def test_refused(self) -> None:
        """It is tried again, and it is known why it was not let in."""
        network = self.network(RefusesAll)
        target = network.target()
        self.assertIsNone(network.run(target.publisher()))
        self.assertIn("The key is wrong", target.refusal)
        self.assertTrue(target.isUntouched)
        self.assertGreaterEqual(network.clock.seconds(), 5.0)

    def test_silent(self) -> None:
        """Once is enough."""
        network = self.network(Silent)
        target = network.target()
        self.assertIsNone(network.run(target.publisher()))
        self.assertEqual(target.refusal, "")
        self.assertEqual(len(network.contacts), 1)

    def test_busyForAMoment(self) -> None:
        network = self.network()
        target = network.target()
        first = network.run(target.publisher())
        assert first is not None
        network.clock.callLater(1.0, first.contact.abort)
        second = network.run(target.publisher())
        assert second is not None
        self.assertGreaterEqual(network.clock.seconds(), 1.0)
        self.assertEqual(target.refusal, "")
        network.run(target.part(second, None))


class AttendTests(NetworkTestCase):
    def watch(self, network: Network, target: Target) -> Witness | None:
        """Publish to somebody, if there can be somebody."""

        async def show() -> Witness | None:
            witness = await target.witness()
            publisher = await target.publisher()
            assert publisher is not None
            publisher.begin()
            witness = await target.attend(publisher, witness)
            publisher.send(publisher.footage.frames(4))
            if witness is not None:
                await witness.sees(3, 1.0)
            await target.part(publisher, witness)
            return witness

        return network.run(show())

    def test_early(self) -> None:
        network = self.network()
        target = network.target()
        witness = self.watch(network, target)
        assert witness is not None
        self.assertEqual(witness.seen, [0, 1, 2, 3])
        self.assertTrue(target.isWatched)

    def test_late(self) -> None:
        """Who can't play before somebody publishes comes then, and does not try before again."""
        network = self.network(PlaysOnlyPublished)
        target = network.target()
        counts = []
        for _ in range(2):
            before = len(network.contacts)
            witness = self.watch(network, target)
            assert witness is not None
            self.assertEqual(witness.seen, [0, 1, 2, 3])
            counts.append(len(network.contacts) - before)
        self.assertEqual(counts, [3, 2])

    def test_endOfBefore(self) -> None:
        """Who was told that something is over has met the end of the stream before: another one looks."""
        network = self.network()
        target = network.target()

        async def show() -> bool:
            first = await target.publisher()
            witness = await target.witness()
            assert first is not None and witness is not None
            first.leave()
            await witness.hearsEnd(5.0)
            second = await target.publisher()
            assert second is not None
            second.begin()
            other = await target.attend(second, witness)
            second.send(second.footage.frames(2))
            assert other is not None and other is not witness
            sees = await other.sees(1, 1.0)
            await target.part(second, other)
            return sees

        self.assertTrue(network.run(show()))
        self.assertIsNotNone(self.watch(network, target))

    def test_never(self) -> None:
        """After some times nobody tries any more."""
        network = self.network(RefusesPlayers)
        target = network.target()
        for _ in range(3):
            self.assertIsNone(self.watch(network, target))
        before = len(network.contacts)
        self.assertIsNone(self.watch(network, target))
        self.assertEqual(len(network.contacts) - before, 1)
        self.assertFalse(target.isWatched)

    def test_notAllowed(self) -> None:
        """With no URL, or where only one connection is taken, nobody looks."""
        for solitary in (False, True):
            network = self.network()
            target = network.target(plays=solitary)
            target.isSolitary = solitary
            self.assertIsNone(self.watch(network, target))
            self.assertEqual(len(network.contacts), 1)

    def test_publisherGone(self) -> None:
        """There is nothing to look at."""
        network = self.network()
        target = network.target()

        async def show() -> Witness | None:
            publisher = await target.publisher()
            assert publisher is not None
            publisher.contact.abort()
            return await target.attend(publisher, None)

        self.assertIsNone(network.run(show()))


class PartTests(NetworkTestCase):
    def test_neverTold(self) -> None:
        """A server that tells nobody of the end is waited for once."""
        network = self.network(KeepsPublisher)
        target = network.target()

        async def show() -> float:
            witness, publisher = await target.witness(), await target.publisher()
            assert publisher is not None
            began = network.clock.seconds()
            await target.part(publisher, witness)
            return network.clock.seconds() - began

        self.assertNear(network.run(show()), 4.0, 0.2)
        self.assertNear(network.run(show()), 0.3, 0.2)

    def test_left(self) -> None:
        """Whoever has gone before does not mind; and both are gone when it is over."""
        for kind in (PlainServer, OneByOne):
            network = self.network(kind)
            target = network.target()
            publisher = network.run(target.publisher())
            assert publisher is not None
            publisher.leave()
            network.run(target.part(publisher, None))
            self.assertEqual(publisher.contact.closed, "closed")
