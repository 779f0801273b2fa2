"""Tests for L{rtmptw.live.hub}."""

from __future__ import annotations

from twisted.internet.interfaces import IPushProducer
from zope.interface.verify import verifyObject

from rtmptw.errors import StatusError
from rtmptw.interfaces import IOutlet, IStreamHub, IStreamObserver, ISubscriber
from rtmptw.live.livestream import LiveStream
from tests.live.doubles import (
    PATH,
    LiveTestCase,
    MemoryObserver,
    MemoryOutlet,
    MemoryPublisher,
    MemorySubscriber,
    inter,
    key,
)


class StreamHubTests(LiveTestCase):
    """Names to streams."""

    def paths(self) -> list[str]:
        """The streams that there are."""
        return sorted(stream.path for stream in self.hub)

    def test_interface(self) -> None:
        """It is what sessions expect, and the doubles are what they stand for."""
        verifyObject(IStreamHub, self.hub)
        verifyObject(IOutlet, MemoryOutlet())
        verifyObject(IPushProducer, MemoryPublisher())
        verifyObject(ISubscriber, MemorySubscriber())
        verifyObject(IStreamObserver, MemoryObserver())

    def test_badName(self) -> None:
        """A name has one publisher; the second is told so, and the first does not notice."""
        publication = self.publish()
        error = self.assertRaises(StatusError, self.hub.publish, PATH, MemoryPublisher())
        self.assertEqual(error.code, "NetStream.Publish.BadName")
        self.assertIn(PATH, error.description)
        publication.append(key(0))

    def test_otherNames(self) -> None:
        """Other names are other streams, also if they look alike."""
        names = ["live/camera", "live/Camera", "live/camera2", "camera", "live/camera/x"]
        outlets = {name: MemoryOutlet() for name in names}
        for name, outlet in outlets.items():
            self.hub.play(name, outlet, 1, lambda: None)
        for number, name in enumerate(names):
            self.send(self.hub.publish(name, MemoryPublisher()), key(number))
        for number, name in enumerate(names):
            self.assertContent(outlets[name].take(), key(number))

    def test_freeAtOnce(self) -> None:
        """A name is free as soon as its publish has ended, also while old viewers are still sent the rest."""
        slow = MemoryOutlet(room=0)
        self.play(slow)
        first = self.publish()
        self.send(first, key(0))
        first.end("")
        second = self.publish()
        self.send(second, key(1000), inter(1040))
        fresh = MemoryOutlet()
        self.play(fresh)
        slow.drain()
        self.assertContent(slow.take(), key(0))
        self.assertContent(fresh.take(), key(1000), inter(1040))

    def test_forgotten(self) -> None:
        """A stream exists as long as somebody needs it (hostile row D17: names of nothing cost nothing)."""
        viewers = [self.hub.play(f"live/{number}", MemoryOutlet(), 1, lambda: None) for number in range(100)]
        subscriptions = [self.hub.subscribe(f"live/{number}", MemorySubscriber()) for number in range(50, 150)]
        publications = [self.hub.publish(f"live/{number}", MemoryPublisher()) for number in range(120, 200)]
        self.assertEqual(len(self.paths()), 200)
        for viewer in viewers:
            viewer.stop()
        self.assertEqual(len(self.paths()), 150)
        for subscription in subscriptions:
            subscription.stopProducing()
        self.assertEqual(len(self.paths()), 80)
        for publication in publications:
            publication.end("")
        self.assertEqual(self.paths(), [])

    def test_badNameCreatesNothing(self) -> None:
        """A refused publish leaves no stream behind."""
        publication = self.publish()
        self.assertRaises(StatusError, self.publish)
        publication.end("")
        self.assertEqual(self.paths(), [])

    def test_lateLeaver(self) -> None:
        """A viewer of a stream that is forgotten, when it leaves, does not take the next stream of that name along."""
        viewer = self.play(MemoryOutlet(room=0))
        subscription = self.hub.subscribe(PATH, MemorySubscriber())
        first = self.publish()
        self.send(first, key(0))
        first.end("")
        self.publish()
        viewer.stop()
        subscription.stopProducing()
        self.assertEqual(self.paths(), [PATH])
        self.assertRaises(StatusError, self.publish)

    def test_subscribeAgain(self) -> None:
        """A subscriber that is told of the end may subscribe again for the next publisher, with viewers or without."""
        hub = self.hub

        class Faithful(MemorySubscriber):
            """Comes back."""

            def streamEnded(self, reason: str) -> None:
                """Subscribe again."""
                super().streamEnded(reason)
                if reason == "first":
                    hub.subscribe(PATH, self)

        for watched in (False, True):
            faithful = Faithful()
            self.hub.subscribe(PATH, faithful)
            if watched:
                self.play(MemoryOutlet())
            self.publish().end("first")
            publication = self.publish()
            self.send(publication, key(5))
            publication.end("second")
            self.assertContent(faithful.messages, key(5))
            self.assertEqual(faithful.reasons, ["first", "second"])
            self.assertEqual(self.paths(), [])

    def test_observers(self) -> None:
        """Observers are told of every publish, before anything is sent, so that who subscribes then misses nothing."""
        subscriber = MemorySubscriber()

        class Taker(MemoryObserver):
            """Wants everything."""

            def publishStarted(self, stream: LiveStream) -> None:
                """Subscribe."""
                super().publishStarted(stream)
                stream.subscribe(subscriber).pauseProducing()

        observers = [Taker(), MemoryObserver()]
        self.hub.observers += observers
        publication = self.publish()
        self.assertEqual(self.publisher.calls, ["pause"])
        self.send(publication, inter(0), key(40))
        publication.end("gone")
        self.assertContent(subscriber.messages, inter(0), key(40))
        self.assertEqual(subscriber.reasons, ["gone"])
        self.publish("live/other").end("")
        for observer in observers:
            self.assertEqual([stream.path for stream in observer.streams], [PATH, "live/other"])

    def test_observerRaises(self) -> None:
        """An observer that raises is logged; the others are told, and the publish goes on."""

        class Broken(MemoryObserver):
            """Has a bug."""

            def publishStarted(self, stream: LiveStream) -> None:
                """Raise."""
                raise ValueError("a bug in an observer")

        observer = MemoryObserver()
        self.hub.observers += [Broken(), observer]
        publication = self.publish()
        publication.append(key(0))
        self.assertEqual(len(observer.streams), 1)
        self.assertEqual([str(failure.value) for failure in self.flushLoggedErrors()], ["a bug in an observer"])
        self.assertEqual(self.logged("observer"), ["live/camera: an observer has failed"])

    def test_observerLeaves(self) -> None:
        """An observer may remove itself while it is told; the others are told all the same."""
        hub = self.hub

        class Once(MemoryObserver):
            """Wants one."""

            def publishStarted(self, stream: LiveStream) -> None:
                """Be gone."""
                hub.observers.remove(self)

        observer = MemoryObserver()
        hub.observers += [Once(), observer]
        self.publish()
        self.assertEqual((len(observer.streams), hub.observers), (1, [observer]))
