"""Tests for L{rtmptw.live.livestream}."""

from __future__ import annotations

from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from rtmptw.errors import LocalProtocolError
from rtmptw.interfaces import IPublication
from rtmptw.live.image import encodeImage
from rtmptw.live.livestream import LiveStream
from rtmptw.live.rounds import TOLERANCE, FlushTimes, Rounds
from rtmptw.live.tape import FULL
from rtmptw.wire.message import Message
from tests.live.doubles import (
    PATH,
    LiveTestCase,
    MemoryOutlet,
    MemoryPublisher,
    MemorySubscriber,
    inter,
    key,
    metadata,
    pictureHeader,
    sound,
    soundHeader,
    video,
)


class BrokenOutlet(MemoryOutlet):
    """An outlet that raises at what it is given."""

    def write(self, data: bytes) -> None:
        """Raise."""
        raise ValueError("a bug in an outlet")


class CountingOutlet(MemoryOutlet):
    """
    An outlet that keeps what it is offered, too.

    @ivar offered: each block, itself.
    """

    def __init__(self) -> None:
        super().__init__()
        self.offered: list[bytes] = []

    def offer(self, data: bytes) -> int:
        """Keep it."""
        self.offered.append(data)
        return super().offer(data)


class LiveStreamTests(LiveTestCase):
    """A stream and its publisher."""

    def setUp(self) -> None:
        """A stream of its own, without a hub."""
        super().setUp()
        self.unused: list[LiveStream] = []
        self.stream = LiveStream(PATH, self.clock, self.left, Rounds(self.clock, FlushTimes(0, 0)))

    def left(self, stream: LiveStream) -> None:
        """What a hub does."""
        if stream.isUnused:
            self.unused.append(stream)

    def test_interface(self) -> None:
        """A publication is what sessions expect."""
        publication = self.stream.publish(self.publisher)
        verifyObject(IPublication, publication)
        self.assertEqual(publication.path, PATH)
        self.assertIs(self.stream.publication, publication)

    def test_onePublisher(self) -> None:
        """There is one publisher at a time, and the next when it has ended."""
        first = self.stream.publish(self.publisher)
        self.assertRaises(LocalProtocolError, self.stream.publish, MemoryPublisher())
        first.end("")
        second = self.stream.publish(MemoryPublisher())
        self.assertIs(self.stream.publication, second)

    def test_95_endOnce(self) -> None:
        """Conformance 95: the end is announced once, whatever comes: FCUnpublish, then deleteStream, then a FIN."""
        subscriber = MemorySubscriber()
        self.stream.subscribe(subscriber)
        publication = self.stream.publish(self.publisher)
        for reason in ("FCUnpublish", "deleteStream", "connection lost"):
            publication.end(reason)
        self.assertEqual(subscriber.reasons, ["FCUnpublish"])
        self.assertIn(self.stream, self.unused)

    def test_endOfTheFirst(self) -> None:
        """To end a publication again does not end the next one."""
        first = self.stream.publish(self.publisher)
        first.end("")
        second = self.stream.publish(self.publisher)
        first.end("again")
        second.append(key(0))
        self.assertIs(self.stream.publication, second)

    def test_afterTheEnd(self) -> None:
        """After the end nothing can be appended; flush and clearMetadata do nothing."""
        publication = self.stream.publish(self.publisher)
        publication.end("")
        self.assertRaises(LocalProtocolError, publication.append, key(0))
        publication.flush()
        publication.clearMetadata("onMetaData")

    def test_notForStreams(self) -> None:
        """What is no message for a stream is refused, and leaves nothing behind."""
        subscriber = MemorySubscriber()
        self.stream.subscribe(subscriber)
        publication = self.stream.publish(self.publisher)
        for message in (Message(20, 0, 1, b"\2\0\0"), Message(9, 1 << 32, 1, pictureHeader().payload)):
            self.assertRaises(LocalProtocolError, publication.append, message)
        self.assertEqual((subscriber.messages, self.stream.headers.messages(0)), ([], []))

    def test_endWithinAMessage(self) -> None:
        """A subscriber may end the publish in the middle of a message; the others have ended with it."""
        publication = self.stream.publish(self.publisher)
        after = MemorySubscriber()

        class Ender(MemorySubscriber):
            """Has enough."""

            def messageReceived(self, message: Message) -> None:
                """End it."""
                publication.end("enough")

        self.stream.subscribe(Ender())
        self.stream.subscribe(after)
        publication.append(key(0))
        self.assertEqual((after.messages, after.reasons), ([], ["enough"]))

    def test_isAtKeyframe(self) -> None:
        """Whether one can start with the newest message."""
        publication = self.stream.publish(self.publisher)
        self.assertFalse(self.stream.isAtKeyframe)
        for message, expected in (
            (metadata(), False),
            (soundHeader(), False),
            (sound(), True),
            (video("1702000000"), False),
            (sound(), True),
            (pictureHeader(), False),
            (sound(), False),
            (key(), True),
            (inter(), False),
            (video("96016876633101000000"), False),
            (key(), True),
        ):
            publication.append(message)
            self.assertIs(self.stream.isAtKeyframe, expected, str(message))

    def test_fresh(self) -> None:
        """A new publisher has nothing of the last one's: no headers, no keyframe, no video."""
        first = self.stream.publish(self.publisher)
        self.send(first, metadata(), pictureHeader(), key())
        self.assertTrue(self.stream.isAtKeyframe)
        first.end("")
        second = self.stream.publish(self.publisher)
        self.send(second, sound())
        # Without a picture, a sound is a place to start.
        self.assertTrue(self.stream.isAtKeyframe)
        self.assertEqual(self.stream.headers.messages(0), [])
        self.send(second, sound(0))
        outlet = MemoryOutlet()
        self.stream.play(outlet, 1, lambda: None)
        self.assertContent(outlet.take(), sound(0))
        self.send(second, video("96006876633103", 40), video("96016876633103000000", 40))
        self.assertTrue(self.stream.isAtKeyframe)

    def test_viewers(self) -> None:
        """A stream is used until its last viewer has left, however often another leaves."""
        one = self.stream.play(MemoryOutlet(), 1, lambda: None)
        two = self.stream.play(MemoryOutlet(), 1, lambda: None)
        one.stop()
        one.stop()
        self.assertEqual(self.unused, [])
        two.stop()
        self.assertEqual(self.unused, [self.stream])

    def test_viewerFails(self) -> None:
        """A viewer that goes wrong is logged once and dropped; the others are served, and told of the end."""
        first, broken, last = MemoryOutlet(), BrokenOutlet(), MemoryOutlet()
        for name, outlet in (("first", first), ("broken", broken), ("last", last)):
            self.stream.play(outlet, 1, lambda name=name: self.ended.append(name))  # type: ignore[misc]
        publication = self.stream.publish(self.publisher)
        sent = [key(0), inter(40), inter(80)]
        self.send(publication, *sent[:1])
        self.send(publication, *sent[1:])
        publication.end("")
        self.clock.advance(1)
        self.assertContent(first.take(), *sent)
        self.assertContent(last.take(), *sent)
        self.assertEqual((self.ended, broken.attached), (["first", "last"], 0))
        self.assertEqual([str(failure.value) for failure in self.flushLoggedErrors()], ["a bug in an outlet"])
        self.assertEqual(self.logged("dropped"), ["live/camera: a viewer has failed and is dropped"])

    def test_viewerFailsAtTheEnd(self) -> None:
        """The same, if it goes wrong with what is sent at the end."""
        first, broken, last = MemoryOutlet(), BrokenOutlet(), MemoryOutlet()
        for name, outlet in (("first", first), ("broken", broken), ("last", last)):
            self.stream.play(outlet, 1, lambda name=name: self.ended.append(name))  # type: ignore[misc]
        publication = self.stream.publish(self.publisher)
        publication.append(key(0))
        publication.end("")
        self.clock.advance(1)
        self.assertContent(first.take(), key(0))
        self.assertContent(last.take(), key(0))
        self.assertEqual((self.ended, broken.attached), (["first", "last"], 0))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertIn(self.stream, self.unused)

    def test_unused(self) -> None:
        """A stream is unused when nobody publishes, plays or subscribes any more, in any order."""
        viewer = self.stream.play(MemoryOutlet(), 1, lambda: None)
        subscription = self.stream.subscribe(MemorySubscriber())
        publication = self.stream.publish(self.publisher)
        viewer.stop()
        subscription.stopProducing()
        self.assertEqual(self.unused, [])
        publication.end("")
        self.assertEqual(self.unused, [self.stream])

    def test_fullBlock(self) -> None:
        """What fills a block is sent at once, however long rounds may gather; what is left waits for the round."""
        clock = Clock()
        stream = LiveStream(PATH, clock, self.left, Rounds(clock, FlushTimes(1, 1)))
        outlet = MemoryOutlet()
        stream.play(outlet, 1, lambda: None)
        publication = stream.publish(self.publisher)
        self.send(publication, key(0))
        self.assertContent(outlet.take(), key(0))
        large = bytes(FULL // 4)
        self.send(publication, inter(1, large), inter(2, large), inter(3, large))
        self.assertContent(outlet.take())
        self.send(publication, inter(4, large))
        self.assertContent(outlet.take(), *(inter(time, large) for time in range(1, 5)))
        self.send(publication, inter(5))
        self.assertContent(outlet.take())
        clock.advance(1 + TOLERANCE)
        self.assertContent(outlet.take(), inter(5))

    def test_blocks(self) -> None:
        """In one round each outlet is given blocks of its own size, whoever comes before it, and as few as possible."""
        outlets = [MemoryOutlet() for _ in range(6)]
        for outlet, block in zip(outlets, (1 << 20, 1000, 5000, 1000, 100, 1 << 20), strict=True):
            outlet.block = block
            self.stream.play(outlet, 1, lambda: None)
        publication = self.stream.publish(self.publisher)
        self.send(publication, key(0))
        for outlet in outlets:
            outlet.take()
        sent = [inter(index, bytes(400)) for index in range(20)]
        size = len(encodeImage(sent[0]))
        for _ in range(2):
            self.send(publication, *sent)
            for outlet in outlets:
                full, rest = divmod(20, max(outlet.block // size, 1))
                blocks = [max(outlet.block // size, 1) * size] * full + [rest * size] * bool(rest)
                self.assertEqual([len(block) for block in outlet.blocks], blocks, outlet.block)
                self.assertContent(outlet.take(), *sent)

    def test_oneOffer(self) -> None:
        """Who is in step is offered one block in a round, the one that the others are, whatever comes meanwhile."""
        outlets = [CountingOutlet() for _ in range(4)]
        for outlet in outlets:
            self.stream.play(outlet, 1, lambda: None)
        publication = self.stream.publish(self.publisher)
        self.send(publication, key(0))

        def assertOffered(*expected: list[Message]) -> None:
            for outlet, messages in zip(outlets, expected, strict=True):
                self.assertEqual(len(outlet.offered), bool(messages))
                self.assertContent(outlet.take(), *messages)

        assertOffered(*[[key(0)]] * 4)
        for outlet in outlets:
            outlet.offered.clear()
        publication.append(inter(40))
        round = self.stream.round()
        next(round)
        publication.append(sound(41))
        joiner = CountingOutlet()
        self.stream.play(joiner, 1, lambda: None)
        for _ in round:
            pass
        others = [outlet.offered[0] for outlet in outlets[1:]]
        self.assertTrue(all(other is others[0] for other in others))
        assertOffered([inter(40)], *[[inter(40), sound(41)]] * 3)
        self.assertContent(joiner.take(), key(0), inter(40), sound(41))
        for outlet in (*outlets, joiner):
            outlet.offered.clear()
        for _ in self.stream.round():
            pass
        assertOffered([sound(41)], [], [], [])
        self.assertEqual(joiner.offered, [])

    def test_little(self) -> None:
        """While viewers keep up, no more than the newest group of pictures is kept, and a little before it."""
        outlet = MemoryOutlet()
        self.stream.play(outlet, 1, lambda: None)
        publication = self.stream.publish(self.publisher)
        for group in range(20):
            self.send(publication, key(group * 1000), *(inter(group * 1000 + index) for index in range(100)))
        self.assertLess(self.stream.tape.end - self.stream.tape.first, 101 + 64)
        self.assertEqual(len(outlet.take()), 20 * 101)

    def test_slowKeeps(self) -> None:
        """What one slow viewer still needs is kept."""
        slow = MemoryOutlet(room=0)
        self.stream.play(slow, 1, lambda: None)
        publication = self.stream.publish(self.publisher)
        sent = [key(group, bytes([index])) for group in range(20) for index in range(100)]
        for start in range(0, len(sent), 100):
            self.send(publication, *sent[start : start + 100])
        slow.drain()
        self.assertContent(slow.take(), *sent)

    def test_audience(self) -> None:
        """Who wants the stream by its name counts; all go with the publisher, also who is still being served."""
        self.stream.play(MemoryOutlet(), 1, lambda: None)
        self.stream.subscribe(MemorySubscriber())
        self.assertEqual(self.stream.audience, 0)
        viewer = self.stream.play(MemoryOutlet(), 1, lambda: None, isAudience=True)
        slow = self.stream.play(MemoryOutlet(room=0), 1, lambda: None, isAudience=True)
        subscription = self.stream.subscribe(MemorySubscriber(), isAudience=True)
        self.assertEqual(self.stream.audience, 3)
        for leave in (viewer.stop, viewer.stop, subscription.stopProducing, subscription.stopProducing):
            leave()
        self.assertEqual(self.stream.audience, 1)
        publication = self.stream.publish(self.publisher)
        self.send(publication, key(0))
        publication.end("")
        self.assertEqual(self.stream.audience, 0)
        slow.stop()
        self.assertEqual(self.stream.audience, 0)

    def test_hops(self) -> None:
        """A publication knows where it comes from."""
        self.assertEqual(self.stream.publish(self.publisher, ("a", "b")).hops, ("a", "b"))

    def test_93_97_everythingInOrder(self) -> None:
        """
        Conformance 93 and 97: all that is appended reaches subscribers and viewers, in order, before they are told of
        the end, in whatever pieces it is flushed.
        """
        sent = [make(40 * index) for index in range(300) for make in (key, sound, inter, metadata)]
        for piece in (1, 7, 100, len(sent)):
            stream = LiveStream(PATH, self.clock, self.left, Rounds(self.clock, FlushTimes(0, 0)))
            subscriber, outlet = MemorySubscriber(), MemoryOutlet()
            stream.subscribe(subscriber)
            stream.play(outlet, 1, lambda: None)
            publication = stream.publish(self.publisher)
            for index, message in enumerate(sent, 1):
                publication.append(message)
                if index % piece == 0:
                    publication.flush()
            publication.end("")
            self.assertContent(subscriber.messages, *sent)
            self.assertContent(outlet.take(), *sent)
            self.assertEqual(subscriber.reasons, [""])
