"""Tests for L{rtmptw.live.hub}."""

from __future__ import annotations

from twisted.internet.interfaces import IPushProducer
from zope.interface.verify import verifyObject

from rtmptw.errors import StatusError
from rtmptw.interfaces import IOutlet, IStreamHub, IStreamObserver, IStreamSource, ISubscriber
from rtmptw.live.livestream import LiveStream
from tests.live.doubles import (
    PATH,
    LiveTestCase,
    MemoryObserver,
    MemoryOutlet,
    MemoryPublisher,
    MemorySource,
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
        verifyObject(IStreamSource, MemorySource())

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

    def test_hops(self) -> None:
        """A publication knows where it comes from."""
        self.assertEqual(self.publish().hops, ())
        self.assertEqual(self.hub.publish("live/b", MemoryPublisher(), ("a", "b")).hops, ("a", "b"))


class SourceTests(LiveTestCase):
    """Those who can bring a stream are told when it is wanted."""

    def setUp(self) -> None:
        """Two sources."""
        super().setUp()
        self.source, self.other = MemorySource(), MemorySource()
        self.hub.sources += [self.source, self.other]

    def assertTold(self, *expected: object) -> None:
        """Assert that both sources were told this since the last time."""
        for source in (self.source, self.other):
            told, source.told = source.told, []
            self.assertEqual(told, list(expected))

    def test_firstAndLast(self) -> None:
        """The first who wants it, and the last who goes, viewers and subscribers alike; nobody in between."""
        viewer = self.play(MemoryOutlet())
        self.assertTold((PATH, ()))
        subscription = self.hub.subscribe(PATH, MemorySubscriber())
        other = self.play(MemoryOutlet())
        self.assertEqual(self.hub.audience(PATH), 3)
        viewer.stop()
        other.stop()
        other.stop()
        self.assertEqual(self.hub.audience(PATH), 1)
        self.assertTold()
        subscription.stopProducing()
        self.assertTold(PATH)
        self.assertEqual(self.hub.audience(PATH), 0)
        self.hub.subscribe(PATH, MemorySubscriber())
        self.assertTold((PATH, ()))

    def test_eachName(self) -> None:
        """Each stream by itself."""
        viewers = {path: self.hub.play(path, MemoryOutlet(), 1, lambda: None) for path in ("a", "a/b")}
        self.assertTold(("a", ()), ("a/b", ()))
        viewers["a"].stop()
        self.assertTold("a")
        self.assertEqual((self.hub.audience("a"), self.hub.audience("a/b"), self.hub.audience("b")), (0, 1, 0))

    def test_hops(self) -> None:
        """Where the first one takes it on to is told; the next ones make no difference."""
        self.hub.play(PATH, MemoryOutlet(), 1, lambda: None, ("a", "b"))
        self.hub.play(PATH, MemoryOutlet(), 1, lambda: None, ("c",))
        self.assertTold((PATH, ("a", "b")))

    def test_whilePublished(self) -> None:
        """Also if somebody publishes it; the end of the publisher is the end for all, and they are told once."""
        publication = self.publish()
        self.assertTold()
        viewer = self.play(MemoryOutlet(room=0))
        self.hub.subscribe(PATH, MemorySubscriber())
        self.assertTold((PATH, ()))
        self.send(publication, key(0))
        publication.end("")
        self.assertTold(PATH)
        viewer.stop()
        self.assertTold()
        self.play(MemoryOutlet())
        self.assertTold((PATH, ()))

    def test_relaysDoNotCount(self) -> None:
        """Recorders and relays, who take what there is, do not count, neither when they come nor when they go."""
        viewer = self.play(MemoryOutlet())
        publication = self.publish()
        [stream] = self.hub
        relay, recorder = stream.play(MemoryOutlet(), 1, lambda: None), stream.subscribe(MemorySubscriber())
        self.assertEqual((stream.audience, self.hub.audience(PATH)), (1, 1))
        self.assertTold((PATH, ()))
        viewer.stop()
        self.assertTold(PATH)
        relay.stop()
        recorder.stopProducing()
        publication.end("")
        self.assertTold()

    def test_comesBack(self) -> None:
        """Who comes back when told the end wants it anew."""
        hub = self.hub

        class Faithful(MemorySubscriber):
            """Comes back."""

            def streamEnded(self, reason: str) -> None:
                """Subscribe again."""
                hub.subscribe(PATH, self)

        self.hub.subscribe(PATH, Faithful())
        self.assertTold((PATH, ()))
        self.publish().end("")
        self.assertTold(PATH, (PATH, ()))
        self.assertEqual(self.hub.audience(PATH), 1)

    def test_bringsItAtOnce(self) -> None:
        """A source may publish while it is told; nobody misses anything."""
        hub, publisher = self.hub, self.publisher

        class Eager(MemorySource):
            """Has it."""

            def streamWanted(self, path: str, hops: tuple[str, ...]) -> None:
                """Publish."""
                self.publication = hub.publish(path, publisher)
                self.publication.append(key(0))
                self.publication.flush()

        eager, outlet = Eager(), MemoryOutlet()
        self.hub.sources.append(eager)
        self.play(outlet)
        self.assertContent(outlet.take(), key(0))
        eager.publication.end("")
        self.assertTold((PATH, ()), PATH)

    def test_raises(self) -> None:
        """A source that raises is logged, and costs nobody else anything."""

        class Broken(MemorySource):
            """Has bugs."""

            def streamWanted(self, path: str, hops: tuple[str, ...]) -> None:
                """Raise."""
                raise ValueError("wanted")

            def streamUnwanted(self, path: str) -> None:
                """Raise."""
                raise ValueError("unwanted")

        self.hub.sources.insert(0, Broken())
        outlet = MemoryOutlet()
        viewer = self.play(outlet)
        self.send(self.publish(), key(0))
        self.assertContent(outlet.take(), key(0))
        viewer.stop()
        self.assertTold((PATH, ()), PATH)
        self.assertEqual([str(failure.value) for failure in self.flushLoggedErrors()], ["wanted", "unwanted"])
        self.assertEqual(self.logged("whom it was told"), ["live/camera: whom it was told has failed"] * 2)

    def test_leaves(self) -> None:
        """A source may remove itself while it is told; the others are told all the same."""
        hub = self.hub

        class Once(MemorySource):
            """Had enough."""

            def streamWanted(self, path: str, hops: tuple[str, ...]) -> None:
                """Be gone."""
                hub.sources.remove(self)

        self.hub.sources.insert(0, Once())
        self.play(MemoryOutlet())
        self.assertTold((PATH, ()))
        self.assertEqual(self.hub.sources, [self.source, self.other])
