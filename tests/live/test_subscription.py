"""Tests for L{rtmptw.live.subscription}."""

from __future__ import annotations

from zope.interface.verify import verifyObject

from rtmptw.interfaces import ISubscription
from rtmptw.live.tape import MAX_MESSAGES
from rtmptw.wire.message import MAX_MESSAGE_SIZE, Message
from tests.live.doubles import (
    PATH,
    LiveTestCase,
    MemoryOutlet,
    MemorySubscriber,
    inter,
    key,
    metadata,
    pictureHeader,
    sound,
    soundHeader,
    video,
)

BEGINNING = [metadata(0, width=640.0), pictureHeader(0), soundHeader(0)]


class BrokenSubscriber(MemorySubscriber):
    """A subscriber that raises at what it is told to."""

    def __init__(self, at: bytes = b"", atEnd: bool = False) -> None:
        super().__init__()
        self._at = at
        self._atEnd = atEnd

    def messageReceived(self, message: Message) -> None:
        """Keep it, or raise."""
        super().messageReceived(message)
        if self._at and message.payload.endswith(self._at):
            raise ValueError("a bug in a subscriber")

    def streamEnded(self, reason: str) -> None:
        """Keep it, or raise."""
        super().streamEnded(reason)
        if self._atEnd:
            raise ValueError("a bug at the end")


class GivingTests(LiveTestCase):
    """What subscribers are given."""

    def setUp(self) -> None:
        """A subscriber."""
        super().setUp()
        self.subscriber = MemorySubscriber()

    def subscribe(self, subscriber: MemorySubscriber | None = None) -> ISubscription:
        """Subscribe."""
        return self.hub.subscribe(PATH, subscriber or self.subscriber)

    def test_interface(self) -> None:
        """It is what subscribers expect."""
        verifyObject(ISubscription, self.subscribe())

    def test_early(self) -> None:
        """Who subscribes before the publisher is given every message, the very same, at once, and then the end."""
        self.subscribe()
        publication = self.publish()
        sent = [*BEGINNING, key(0), inter(40), sound(41)]
        for index, message in enumerate(sent):
            publication.append(message)
            self.assertIs(self.subscriber.messages[index], message)
        publication.end("FCUnpublish")
        self.assertEqual(self.subscriber.reasons, ["FCUnpublish"])
        self.assertEqual(len(self.subscriber.messages), len(sent))

    def test_late(self) -> None:
        """Who comes late is given metadata and headers with the keyframe's time, and everything from it on."""
        publication = self.publish()
        self.send(publication, *BEGINNING, key(0xFFFF00), inter(0xFFFF28))
        tail = [key(0xFFFFFF, bytes(100_000)), sound(0xFFFFFE), inter(0x1000000)]
        self.send(publication, *tail)
        self.subscribe()
        headers = [metadata(0xFFFFFF, width=640.0), pictureHeader(0xFFFFFF), soundHeader(0xFFFFFF)]
        self.assertContent(self.subscriber.messages, *headers, *tail)
        self.send(publication, inter(0x1000028))
        self.assertContent(self.subscriber.messages[-1:], inter(0x1000028))

    def test_lateNoKeyframe(self) -> None:
        """If there is no keyframe yet and nothing is forgotten, it is given everything, and nothing twice."""
        publication = self.publish()
        self.send(publication, *BEGINNING, inter(40))
        self.subscribe()
        self.assertContent(self.subscriber.messages, *BEGINNING, inter(40))

    def test_lateKeyframeForgotten(self) -> None:
        """If the keyframe is forgotten, it is given the headers, with the time of now, and then what comes."""
        publication = self.publish()
        self.send(publication, *BEGINNING, key(0), *(inter(index) for index in range(MAX_MESSAGES)))
        self.subscribe()
        now = MAX_MESSAGES - 1
        headers = [metadata(now, width=640.0), pictureHeader(now), soundHeader(now)]
        self.assertContent(self.subscriber.messages, *headers)
        self.send(publication, inter(5000))
        self.assertContent(self.subscriber.messages, *headers, inter(5000))

    def test_lateNothingSent(self) -> None:
        """If the publisher has sent nothing, there is nothing to be late for."""
        self.publish()
        self.subscribe()
        self.assertEqual(self.subscriber.messages, [])

    def test_lateLarge(self) -> None:
        """What is on the tape reaches a late subscriber, however large it is."""
        publication = self.publish()
        large = video("1701000000", 0, bytes(MAX_MESSAGE_SIZE - 5))
        self.send(publication, large)
        self.subscribe()
        self.assertContent(self.subscriber.messages, large)

    def test_stop(self) -> None:
        """Who has stopped is given nothing more, not even the end; to stop again is harmless."""
        subscription = self.subscribe()
        publication = self.publish()
        self.send(publication, key(0))
        subscription.stopProducing()
        subscription.stopProducing()
        self.send(publication, inter(40))
        publication.end("")
        self.assertContent(self.subscriber.messages, key(0))
        self.assertEqual(self.subscriber.reasons, [])

    def test_onePublisherOnly(self) -> None:
        """A subscription is over with its publisher: the next one's media is not given."""
        self.subscribe()
        self.publish().end("first")
        publication = self.publish()
        self.send(publication, key(0))
        publication.end("second")
        self.assertEqual((self.subscriber.messages, self.subscriber.reasons), ([], ["first"]))

    def test_raises(self) -> None:
        """A subscriber that raises is logged and dropped; publisher, other subscribers and viewers do not notice."""
        broken, outlet = BrokenSubscriber(at=b"2"), MemoryOutlet()
        self.subscribe(broken)
        self.subscribe()
        self.play(outlet)
        publication = self.publish()
        sent = [key(0, b"1"), inter(40, b"2"), inter(80, b"3")]
        self.send(publication, *sent)
        publication.end("")
        self.assertContent(broken.messages, *sent[:2])
        self.assertEqual(broken.reasons, [])
        self.assertContent(self.subscriber.messages, *sent)
        self.assertContent(outlet.take(), *sent)
        self.assertEqual([str(failure.value) for failure in self.flushLoggedErrors()], ["a bug in a subscriber"])
        self.assertEqual(self.logged("dropped"), ["live/camera: a subscriber has failed and is dropped"])

    def test_raisesWhileLate(self) -> None:
        """One that raises at what it is given for being late is dropped as well."""
        publication = self.publish()
        self.send(publication, key(0, b"1"), inter(40, b"2"), inter(80, b"3"))
        broken = BrokenSubscriber(at=b"2")
        self.subscribe(broken)
        self.send(publication, inter(120, b"4"))
        publication.end("")
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertContent(broken.messages, key(0, b"1"), inter(40, b"2"))
        self.assertEqual((broken.reasons, list(self.hub)), ([], []))

    def test_raisesAtTheEnd(self) -> None:
        """One that raises at the end is logged, and the others are told all the same."""
        self.subscribe(BrokenSubscriber(atEnd=True))
        self.subscribe()
        outlet = MemoryOutlet()
        self.play(outlet)
        self.publish().end("gone")
        self.clock.advance(1)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual((self.subscriber.reasons, self.ended), (["gone"], ["ended"]))

    def test_stoppedAtTheEnd(self) -> None:
        """A subscriber that is told of the end may stop another, which then is not told."""
        other = MemorySubscriber()

        class Stopper(MemorySubscriber):
            """Stops another."""

            def streamEnded(self, reason: str) -> None:
                """Stop it."""
                super().streamEnded(reason)
                subscription.stopProducing()

        stopper = Stopper()
        self.subscribe(stopper)
        subscription = self.subscribe(other)
        self.publish().end("gone")
        self.assertEqual((stopper.reasons, other.reasons), (["gone"], []))


class HoldTests(LiveTestCase):
    """Subscribers that can't keep up."""

    def setUp(self) -> None:
        """A publisher and two subscribers."""
        super().setUp()
        self.one = self.hub.subscribe(PATH, MemorySubscriber())
        self.two = self.hub.subscribe(PATH, MemorySubscriber())
        self.publication = self.publish()

    def test_hold(self) -> None:
        """The publisher is not read until it is released; to say it twice changes nothing."""
        self.one.pauseProducing()
        self.one.pauseProducing()
        self.assertEqual(self.publisher.calls, ["pause"])
        self.one.resumeProducing()
        self.one.resumeProducing()
        self.assertEqual(self.publisher.calls, ["pause", "resume"])

    def test_both(self) -> None:
        """Two that hold must both release."""
        self.one.pauseProducing()
        self.two.pauseProducing()
        self.one.resumeProducing()
        self.assertEqual(self.publisher.calls, ["pause"])
        self.two.resumeProducing()
        self.assertEqual(self.publisher.calls, ["pause", "resume"])

    def test_notHolding(self) -> None:
        """Who does not hold can't release for another."""
        self.one.pauseProducing()
        self.two.resumeProducing()
        self.assertTrue(self.publisher.paused)

    def test_stopReleases(self) -> None:
        """To stop releases, and who has stopped can't hold."""
        self.one.pauseProducing()
        self.one.stopProducing()
        self.assertEqual(self.publisher.calls, ["pause", "resume"])
        self.one.pauseProducing()
        self.assertFalse(self.publisher.paused)

    def test_failureReleases(self) -> None:
        """A subscriber that raises holds nobody any more."""
        subscription = self.hub.subscribe(PATH, BrokenSubscriber(at=b"1"))
        subscription.pauseProducing()
        self.publication.append(key(0, b"1"))
        self.assertEqual(self.publisher.calls, ["pause", "resume"])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_endReleases(self) -> None:
        """When the publish ends the publisher's connection is read again: it may have more to say, once."""
        self.one.pauseProducing()
        self.two.pauseProducing()
        self.publication.end("FCUnpublish")
        self.assertEqual(self.publisher.calls, ["pause", "resume"])
        self.one.resumeProducing()
        self.assertEqual(self.publisher.calls, ["pause", "resume"])

    def test_endWithoutHold(self) -> None:
        """Who was not held is not released."""
        self.publication.end("")
        self.assertEqual(self.publisher.calls, [])

    def test_nextPublisher(self) -> None:
        """The holds of one publish are not those of the next."""
        self.one.pauseProducing()
        self.publication.end("")
        self.publisher.calls.clear()
        self.publish()
        self.assertEqual(self.publisher.calls, [])

    def test_beforeThePublisher(self) -> None:
        """Who holds before there is a publisher holds the one that comes."""
        subscription = self.hub.subscribe("live/other", MemorySubscriber())
        subscription.pauseProducing()
        self.publish("live/other")
        self.assertEqual(self.publisher.calls, ["pause"])
        subscription.resumeProducing()
        self.assertEqual(self.publisher.calls, ["pause", "resume"])

    def test_releasedBeforeThePublisher(self) -> None:
        """Who holds and releases before there is a publisher holds nobody."""
        subscription = self.hub.subscribe("live/other", MemorySubscriber())
        subscription.pauseProducing()
        subscription.resumeProducing()
        self.publish("live/other")
        self.assertEqual(self.publisher.calls, [])
