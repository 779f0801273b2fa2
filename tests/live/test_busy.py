"""
Tests for L{rtmptw.live.busy}, and for what the hub makes of it.
"""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import formatEvent
from zope.interface import implementer

from rtmptw.errors import StatusError
from rtmptw.interfaces import IPublisher
from rtmptw.limits import Limits
from rtmptw.live.busy import LOOK_SECONDS, SAME_SILENT_SECONDS, SILENT_SECONDS, Busy, patience, quietOf
from rtmptw.live.hub import StreamHub
from rtmptw.live.image import encodeImage
from rtmptw.live.livestream import GRACE_SECONDS
from rtmptw.live.rounds import FlushTimes
from tests.live.doubles import PATH, LiveTestCase, MemoryOutlet, MemoryPublisher, MemorySubscriber, atOnce, inter, key


@implementer(IPublisher)
class TalkingPublisher(MemoryPublisher):
    """One that can tell when it was heard."""

    quiet = 0.0
    origin = ""

    def displaced(self) -> None:
        """Keep that."""
        self.calls.append("displaced")


class BusyTests(LiveTestCase):
    """A name with a publisher."""

    def setUp(self) -> None:
        super().setUp()
        self.hub = atOnce(self.clock, grace=GRACE_SECONDS)
        self.first = self.publish()
        self.subscriber = MemorySubscriber()
        self.hub.subscribe(PATH, self.subscriber)

    def wait(self, principal: str = "", origin: str = "") -> Deferred[None]:
        """Somebody else wants the name."""
        return Deferred.fromCoroutine(self.hub.whenFree(PATH, principal, origin))

    def assertRefused(self, waiting: Deferred[None], words: str = "is published already") -> None:
        """Assert that he is told no."""
        error = self.failureResultOf(waiting, StatusError).value
        self.assertEqual((error.code, words in error.description), ("NetStream.Publish.BadName", True), str(error))

    def test_free(self) -> None:
        """One that nobody has need not be waited for."""
        for busy in Busy:
            self.hub.busy = busy
            self.successResultOf(Deferred.fromCoroutine(self.hub.whenFree("live/other")))

    def test_refuse(self) -> None:
        """The name stays, however silent its publisher is; until he has gone."""
        self.hub.busy = Busy.REFUSE
        self.clock.advance(100)
        self.assertRefused(self.wait())
        self.assertRaises(StatusError, self.publish)
        self.first.suspend("gone")
        self.successResultOf(self.wait())
        self.publish()

    def test_replace(self) -> None:
        """The name is taken at once; who watches stays."""
        self.hub.busy = Busy.REPLACE
        self.send(self.first, key(0))
        self.successResultOf(self.wait())
        second = self.publish()
        self.assertEqual(self.publisher.calls, ["stop"])
        self.send(second, key(0, b"second"))
        self.assertContent(self.subscriber.messages, key(0), key(1, b"second"))
        self.assertEqual(self.subscriber.reasons, [])
        self.assertEqual(self.logged("taken over"), [f"{PATH}: taken over by another connection"])

    def test_replaceWithoutGrace(self) -> None:
        """Where streams end with their publishers, that is the end of one and the begin of another."""
        self.hub = atOnce(self.clock)
        self.hub.busy = Busy.REPLACE
        self.send(self.publish(), key(0))
        self.hub.subscribe(PATH, self.subscriber)
        second = self.publish()
        self.assertEqual(self.subscriber.reasons, ["another connection publishes it"])
        self.send(second, key(0))

    def test_D5_talking(self) -> None:
        """One that is heard keeps it; who wants it is told so soon."""
        self.send(self.first, key(0))
        self.clock.advance(0.01)
        waiting = self.wait()
        self.clock.advance(LOOK_SECONDS / 2)
        self.assertNoResult(waiting)
        self.send(self.first, inter(40))
        self.clock.advance(LOOK_SECONDS / 2)
        self.assertRefused(waiting)
        # Without waiting, at once.
        self.assertRaises(StatusError, self.publish)

    def test_silentLongSince(self) -> None:
        """One that has been silent for long has lost it."""
        self.send(self.first, key(0))
        self.clock.advance(SILENT_SECONDS)
        waiting = self.wait()
        self.clock.advance(0)
        self.successResultOf(waiting)
        self.publish()

    def test_F21_unread(self) -> None:
        """
        Time in which nothing was read is no silence: what the publisher has sent meanwhile is read first, before
        anybody else has his name.
        """
        self.send(self.first, key(0))
        self.clock.advance(SILENT_SECONDS)
        waiting = self.wait()
        # It is read between two turns from now.
        self.clock.callLater(0, self.send, self.first, inter(40))
        self.clock.advance(0)
        self.assertNoResult(waiting)
        self.clock.advance(LOOK_SECONDS / 2)
        self.send(self.first, inter(80))
        self.clock.advance(LOOK_SECONDS / 2)
        self.assertRefused(waiting)

    def test_F21_unreadAgain(self) -> None:
        """It holds for each such time, not only for the first one."""
        self.send(self.first, key(0))
        self.clock.advance(SILENT_SECONDS)
        waiting = self.wait()
        self.clock.callLater(0, self.send, self.first, inter(40))
        self.clock.advance(0)
        self.clock.callLater(SILENT_SECONDS, self.clock.callLater, 0, self.send, self.first, inter(80))
        self.clock.advance(SILENT_SECONDS)
        self.assertRefused(waiting)

    def test_silentNow(self) -> None:
        """One that has just become silent has some time left; that is the most that anybody waits."""
        self.send(self.first, key(0))
        waiting = self.wait()
        for _ in range(int(SILENT_SECONDS / LOOK_SECONDS)):
            self.assertNoResult(waiting)
            self.clock.advance(LOOK_SECONDS)
        self.successResultOf(waiting)
        self.publish()
        self.assertEqual(self.publisher.calls, ["stop"])

    def test_F1_sameAgain(self) -> None:
        """Who is most likely the one who was cut off waits for a moment only, whoever else would wait for how long."""
        self.first.end("")
        for known, principal, origin, seconds in (
            ("", "", "", SILENT_SECONDS),
            ("", "", "192.0.2.1", SILENT_SECONDS),
            ("192.0.2.1", "", "192.0.2.2", SILENT_SECONDS),
            ("192.0.2.1", "", "192.0.2.1", SAME_SILENT_SECONDS),
            ("192.0.2.1", "key 1", "192.0.2.2", SAME_SILENT_SECONDS),
            ("", "key 1", "", SAME_SILENT_SECONDS),
        ):
            publisher = TalkingPublisher()
            publisher.origin, publisher.quiet = known, 100.0
            first = self.hub.publish(PATH, publisher, (), principal)
            self.send(first, key(0))
            self.assertEqual(patience(first, origin), seconds)
            waiting = self.wait(principal, origin)
            for _ in range(int(seconds / LOOK_SECONDS)):
                self.assertNoResult(waiting)
                self.clock.advance(LOOK_SECONDS)
            self.successResultOf(waiting)
            again = TalkingPublisher()
            again.origin = origin
            second = self.hub.publish(PATH, again, (), principal)
            self.assertEqual(publisher.calls, ["displaced"])
            second.end("")

    def test_anotherMeanwhile(self) -> None:
        """Who waits for one that hangs, and sees another one take the name and hang as well, has no worse a right."""
        self.send(self.first, key(0))
        second, third = self.wait().addCallback(lambda _: self.publish()), self.wait()
        for _ in range(2 * int(SILENT_SECONDS / LOOK_SECONDS) - 1):
            self.clock.advance(LOOK_SECONDS)
            self.assertNoResult(third)
        self.assertTrue(second.called)
        self.clock.advance(LOOK_SECONDS)
        self.successResultOf(third)

    def test_oddTimes(self) -> None:
        """What is left of a time, by rounding, is no reason to look again and again in no time."""
        self.clock.advance(0.3)
        self.send(self.first, key(0))
        waiting = self.wait()
        for _ in range(60):
            self.clock.advance(0.05)
        self.successResultOf(waiting)

    def test_parts(self) -> None:
        """One that sends a large message slowly is not silent."""
        self.first.end("")
        publisher = TalkingPublisher()
        self.send(self.hub.publish(PATH, publisher), key(0))
        [stream] = self.hub
        self.clock.advance(100)
        self.assertEqual(quietOf(stream), 0)
        publisher.quiet = 1.0
        self.assertEqual(quietOf(stream), 1)
        publisher.quiet = 2.0
        waiting = self.wait()
        self.clock.advance(0)
        self.successResultOf(waiting)
        self.publish()
        self.assertEqual(publisher.calls, ["displaced"])

    def test_held(self) -> None:
        """One that is not read can't be heard."""
        self.hub.subscribe(PATH, MemorySubscriber()).pauseProducing()
        [stream] = self.hub
        self.clock.advance(100)
        self.assertEqual(quietOf(stream), 0)

    def test_notWaitedFor(self) -> None:
        """Who does not want it any more leaves nothing behind."""
        waiting = self.wait()
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_D5_principal(self) -> None:
        """Nobody is taken for another: neither while he publishes, nor while he is waited for."""
        self.first.end("")
        self.hub.subscribe(PATH, MemorySubscriber())
        alice = self.hub.publish(PATH, self.publisher, (), "user alice")
        for busy in Busy:
            self.hub.busy = busy
            self.clock.advance(5)
            for principal in ("", "user bob"):
                self.assertRefused(self.wait(principal), "that is somebody else")
        alice.suspend("gone")
        for principal in ("", "user bob"):
            self.assertRefused(self.wait(principal), "that is somebody else")
            self.assertRaises(StatusError, self.hub.publish, PATH, MemoryPublisher(), (), principal)
        self.successResultOf(self.wait("user alice"))
        self.hub.publish(PATH, MemoryPublisher(), (), "user alice")

    def test_stopFails(self) -> None:
        """A publisher that can't even be stopped costs the next one nothing."""
        self.hub.busy = Busy.REPLACE
        self.patch(self.publisher, "stopProducing", lambda: 1 / 0)
        self.publish()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertIn(f"{PATH}: whom it was told has failed", [formatEvent(event) for event in self.events])


class TrimTests(LiveTestCase):
    """What all streams together keep."""

    def test_allTapeBytes(self) -> None:
        """Above the limit the largest forgets; nobody else does, and who watches misses nothing."""
        sizes = {"small": 1000, "large": 5000, "medium": 2000}
        total = sum(len(encodeImage(key(0, bytes(size)))) for size in sizes.values())
        for limit, expected in ((total - 1, 1), (total, 0), (total + 1, 0)):
            hub = StreamHub(self.clock, grace=0, limits=Limits(allTapeBytes=limit))
            for name, size in sizes.items():
                self.send(hub.publish(name, MemoryPublisher()), key(0, bytes(size)))
            held = {stream.path: stream.tape.held for stream in hub}
            self.assertEqual(sum(held.values()), total)
            hub.trim()
            self.assertEqual(hub.reached.counts["allTapeBytes"], expected)
            self.assertEqual([stream.path for stream in hub if not stream.tape.held], ["large"] * expected)
            hub.trim()
            self.assertEqual(hub.reached.counts["allTapeBytes"], expected)

    def test_deaf(self) -> None:
        """Who does not read at that time loses what was forgotten, and stays."""
        hub = StreamHub(self.clock, FlushTimes(0, 0), grace=0, limits=Limits(allTapeBytes=1024))
        publication, outlet = hub.publish(PATH, MemoryPublisher()), MemoryOutlet()
        viewer = hub.play(PATH, outlet, 1, lambda: None)
        self.send(publication, key(0))
        outlet.room = 0
        self.send(publication, inter(40, bytes(2000)))
        hub.trim()
        self.assertEqual((viewer.lagBytes, viewer.lagMilliseconds), (0, 0))
        viewer.flush()
        self.send(publication, inter(80), key(120))
        outlet.take()
        outlet.drain()
        self.assertContent(outlet.take(), key(120))
        self.assertEqual(self.logged("failed"), [])

    def test_ended(self) -> None:
        """A stream that is over counts as long as somebody is sent the rest; it may forget, and he is told the end."""
        hub = StreamHub(self.clock, FlushTimes(0, 0), grace=0, limits=Limits(allTapeBytes=1024))
        publication, outlet, ends = hub.publish(PATH, MemoryPublisher()), MemoryOutlet(), []
        hub.play(PATH, outlet, 1, lambda: ends.append("end"))
        self.send(publication, key(0))
        outlet.room = 0
        self.send(publication, inter(40, bytes(2000)))
        publication.end("")
        hub.trim()
        self.assertEqual(hub.reached.counts["allTapeBytes"], 1)
        outlet.drain()
        self.clock.advance(1)
        self.assertEqual((ends, self.logged("failed")), (["end"], []))
        hub.trim()
        self.assertEqual(hub.reached.counts["allTapeBytes"], 1)

    def test_more(self) -> None:
        """If that is not enough, the next one forgets as well."""
        hub = StreamHub(self.clock, grace=0, limits=Limits(allTapeBytes=1024))
        for name in "abc":
            self.send(hub.publish(name, MemoryPublisher()), key(0, bytes(800)))
        hub.trim()
        self.assertEqual(sum(1 for stream in hub if stream.tape.held), 1)
