"""
Tests for streams that outlive their publishers: L{rtmptw.live.livestream}, L{rtmptw.live.publication}.
"""

from __future__ import annotations

from rtmptw.errors import LocalProtocolError
from rtmptw.live.livestream import GRACE_SECONDS
from rtmptw.live.publication import Publication
from rtmptw.live.viewer import END_DELAY, Viewer
from rtmptw.wire.message import Message
from tests.live.doubles import (
    PATH,
    LiveTestCase,
    MemoryObserver,
    MemoryOutlet,
    MemoryPublisher,
    MemorySubscriber,
    atOnce,
    inter,
    key,
    metadata,
    pictureHeader,
    sound,
    soundHeader,
    video,
)

BEGINNING = [metadata(0, width=640.0), pictureHeader(0), soundHeader(0)]


class HandoverTestCase(LiveTestCase):
    """A stream with a viewer and a subscriber, whose publisher has sent something."""

    def setUp(self) -> None:
        super().setUp()
        self.hub = atOnce(self.clock, grace=GRACE_SECONDS)
        self.observer = MemoryObserver()
        self.hub.observers.append(self.observer)
        self.outlet = MemoryOutlet()
        self.viewer = self.play(self.outlet)
        self.first = self.publish()
        [self.stream] = self.hub
        self.subscriber = MemorySubscriber()
        self.hub.subscribe(PATH, self.subscriber)
        self.send(self.first, *BEGINNING, key(1000), sound(1010), inter(1040))
        self.outlet.take()
        self.subscriber.messages.clear()

    def lose(self, seconds: float = 3.0) -> None:
        """The publisher goes without a word, and so much time passes."""
        self.first.suspend("the cable was pulled")
        self.clock.advance(seconds)

    def again(self) -> Publication:
        """He publishes again."""
        self.second = MemoryPublisher()
        return self.hub.publish(PATH, self.second)

    def assertBoth(self, *expected: object) -> None:
        """Assert that the viewer and the subscriber were given this."""
        self.assertContent(self.outlet.take(), *expected)  # type: ignore[arg-type]
        self.assertContent(self.subscriber.messages, *expected)  # type: ignore[arg-type]
        self.subscriber.messages.clear()


class ComebackTests(HandoverTestCase):
    """He comes back."""

    def test_sameParameters(self) -> None:
        """For those who watch, it goes on: from the first keyframe, with no header, later by the outage."""
        self.lose()
        self.assertEqual((self.ended, self.subscriber.reasons), ([], []))
        publication = self.again()
        self.send(publication, *BEGINNING, inter(0), sound(1), key(40), sound(41), inter(80))
        # Later by the outage, and by what came before the keyframe.
        self.assertBoth(key(4080), sound(4081), inter(4120))
        self.send(publication, inter(120))
        self.assertBoth(inter(4160))
        self.assertEqual(len(self.observer.streams), 1)
        self.assertEqual(self.logged("goes on"), [f"{PATH}: it goes on, after 3.0 s"])

    def test_otherParameters(self) -> None:
        """Headers that have changed come right before the keyframe, with its time."""
        self.lose()
        other = [metadata(0, width=1280.0), pictureHeader(0, b"other"), soundHeader(0)]
        self.send(self.again(), *other, key(0), inter(40))
        self.assertBoth(metadata(4040, width=1280.0), pictureHeader(4040, b"other"), key(4040), inter(4080))

    def test_whereToStart(self) -> None:
        """Headers that come again in front of the first keyframe are no place to start at; that keyframe is."""
        self.lose()
        second = self.again()
        places: list[tuple[bytes, bool]] = []
        keep = self.subscriber.messageReceived

        def look(message: Message) -> None:
            keep(message)
            places.append((message.payload[:2], self.stream.isAtKeyframe))

        self.patch(self.subscriber, "messageReceived", look)
        self.send(second, pictureHeader(0, b"another"), key(0), inter(40))
        self.assertEqual(places, [(b"\x17\0", False), (b"\x17\1", True), (b"\x27\1", False)])

    def test_clockGoesOn(self) -> None:
        """If his clock has gone on, no time is changed."""
        self.lose()
        self.send(self.again(), *BEGINNING, key(4300), sound(4301), inter(4340))
        self.assertBoth(key(4300), sound(4301), inter(4340))

    def test_withoutSound(self) -> None:
        """What he does not bring any more, late joiners are not told."""
        self.lose()
        self.send(self.again(), pictureHeader(0), key(0))
        self.assertBoth(key(4040))
        late = MemoryOutlet()
        self.play(late)
        self.assertContent(late.take(), pictureHeader(4040), key(4040))

    def test_withoutPicture(self) -> None:
        """Without a picture for long, sound alone goes on."""
        self.lose()
        self.send(self.again(), soundHeader(0), *(sound(time) for time in range(50_000, 60_001, 1000)), sound(60_020))
        self.assertBoth(sound(14040), sound(14060))
        late = MemoryOutlet()
        self.play(late)
        self.assertContent(late.take(), soundHeader(14060), sound(14060))

    def test_manyTimes(self) -> None:
        """Every time; also if he brings nothing in between."""
        publication = self.first
        for count in range(1, 6):
            publication.suspend("again")
            self.clock.advance(1)
            self.again().suspend("without anything")
            self.clock.advance(1)
            publication = self.again()
            self.send(publication, *BEGINNING, key(0, b"%d" % count), inter(40))
            time = 1040 + count * 2000 + (count - 1) * 40
            self.assertBoth(key(time, b"%d" % count), inter(time + 40))
        self.assertEqual((self.ended, len(self.observer.streams)), ([], 1))

    def test_nothingYet(self) -> None:
        """A publisher that had sent nothing: the next one begins."""
        self.first.end("")
        self.clock.advance(1)
        viewer = self.play(self.outlet)
        self.publish().suspend("too early")
        publication = self.again()
        self.send(publication, *BEGINNING, key(7), inter(47))
        self.assertContent(self.outlet.take(), *BEGINNING, key(7), inter(47))
        self.assertFalse(viewer.isOver)

    def test_tellsOnce(self) -> None:
        """After the comeback, the publisher before has nothing to say any more."""
        self.lose()
        publication = self.again()
        with self.assertRaises(LocalProtocolError):
            self.first.append(key(0))
        self.first.clearMetadata("onMetaData")
        self.first.flush()
        self.first.suspend("again")
        self.first.end("again")
        self.send(publication, *BEGINNING, key(0))
        self.assertBoth(key(4040))
        self.assertEqual(len(self.stream.headers.messages(0)), 3)

    def test_lateJoiner(self) -> None:
        """Who comes meanwhile is given what there is, and stays too."""
        self.lose(1)
        late = MemoryOutlet()
        self.play(late, name="late")
        expected = [metadata(1000, width=640.0), pictureHeader(1000), soundHeader(1000), key(1000), sound(1010)]
        self.assertContent(late.take(), *expected, inter(1040))
        self.clock.advance(2)
        self.send(self.again(), *BEGINNING, key(0))
        self.assertContent(late.take(), key(4040))

    def test_slowViewer(self) -> None:
        """One that has not been sent all of it goes on at the new keyframe, with the headers that have changed."""
        slow = MemoryOutlet()
        viewer: Viewer = self.play(slow, name="slow")
        slow.take()
        slow.room = 0
        self.send(self.first, inter(1080))
        self.lose()
        self.send(self.again(), pictureHeader(0, b"other"), soundHeader(0), key(0), inter(40))
        self.clock.advance(6)
        self.send(self.stream.publication, inter(6000))  # type: ignore[arg-type]
        slow.drain()
        headers = [soundHeader(4080), pictureHeader(4080, b"other")]
        found = slow.take()
        self.assertContent(sorted(found[:2], key=lambda each: each.type), *headers)
        self.assertContent(found[2:], key(4080), inter(4120), inter(10080))
        # The frame before the outage, and the header that was sent anew.
        self.assertEqual(viewer.skipped, 2)

    def test_held(self) -> None:
        """Who holds the publisher holds the next one as well; the one before is let go, and has more to say."""
        subscription = self.hub.subscribe(PATH, MemorySubscriber())
        subscription.pauseProducing()
        self.assertEqual(self.publisher.calls, ["pause"])
        self.lose()
        self.assertEqual(self.publisher.calls, ["pause", "resume"])
        self.again()
        self.assertEqual(self.second.calls, ["pause"])
        subscription.resumeProducing()
        self.assertEqual(self.second.calls, ["pause", "resume"])

    def test_hops(self) -> None:
        """The way of the newest one counts."""
        self.lose()
        self.hub.publish(PATH, MemoryPublisher(), ("origin",))
        self.assertEqual(self.stream.hops, ("origin",))


class EndTests(HandoverTestCase):
    """He does not."""

    def assertOver(self, reason: str) -> None:
        """Assert that everybody was told, and nothing is left."""
        self.assertEqual(self.subscriber.reasons, [reason])
        self.clock.advance(END_DELAY)
        self.assertEqual((self.ended, list(self.hub), self.clock.getDelayedCalls()), (["ended"], [], []))

    def test_graceOver(self) -> None:
        """Those who watch are told when his time is over; and so is the log."""
        self.lose(GRACE_SECONDS - 0.1)
        self.assertEqual(self.subscriber.reasons, [])
        self.clock.advance(0.1)
        self.assertOver("the cable was pulled")
        self.assertEqual(len(self.logged("is waited for, 10 s at most")), 1)
        self.assertEqual(self.logged("come back"), [f"{PATH}: nobody has come back in 10 s"])

    def test_saidEnd(self) -> None:
        """He has said the end, and has left then: the log does not speak of waiting."""
        self.first.suspend("bye", isSaid=True)
        self.assertFalse(self.first.isOver)
        self.first.end("bye")
        self.assertTrue(self.first.isOver)
        self.assertOver("bye")
        self.assertEqual(self.logged("waited"), [])

    def test_emptiedTape(self) -> None:
        """Who subscribes when nothing is kept is given the headers, with the time of now, and what comes."""
        self.stream.tape.forget(self.stream.tape.end)
        late = MemorySubscriber()
        self.hub.subscribe(PATH, late)
        self.assertContent(late.messages, metadata(1040, width=640.0), pictureHeader(1040), soundHeader(1040))

    def test_nobodyLeft(self) -> None:
        """Nobody waits for him any more."""
        self.lose(1)
        self.viewer.stop()
        self.assertEqual(len(list(self.hub)), 1)
        self.hub.subscribe(PATH, MemorySubscriber()).stopProducing()
        [subscription] = self.stream._subscriptions
        subscription.stopProducing()
        self.assertEqual((list(self.hub), self.clock.getDelayedCalls()), ([], []))

    def test_nobodyThere(self) -> None:
        """Nobody has watched at all: then it is over at once."""
        publication = self.hub.publish("live/other", MemoryPublisher())
        self.send(publication, *BEGINNING, key(0))
        publication.suspend("gone")
        self.assertEqual([stream.path for stream in self.hub], [PATH])

    def test_noGrace(self) -> None:
        """Streams that end with their publishers."""
        self.stream.grace = 0.0
        self.first.suspend("gone")
        self.assertOver("gone")

    def test_finish(self) -> None:
        """The server stops: what waits is over, and what comes later does not wait."""
        other = self.hub.publish("live/other", MemoryPublisher())
        watcher = MemorySubscriber()
        self.hub.subscribe("live/other", watcher)
        self.lose(1)
        self.hub.finish()
        self.assertEqual((self.subscriber.reasons, watcher.reasons), (["the server is shutting down"], []))
        other.suspend("gone")
        self.assertEqual(watcher.reasons, ["gone"])

    def test_restIsSent(self) -> None:
        """What a viewer has not been sent yet when he goes, it still gets; and what the last read has brought."""
        slow = MemoryOutlet(room=0)
        self.play(slow, name="slow")
        self.first.append(inter(1080))
        self.lose(1)
        self.assertContent(self.outlet.take(), inter(1080))
        slow.drain()
        self.assertContent(slow.take()[3:], key(1000), sound(1010), inter(1040), inter(1080))


class RepairTests(HandoverTestCase):
    """Times that would break those who watch, within one publication."""

    def test_D16_reset(self) -> None:
        """A publisher whose clock begins anew goes on; that is said once, and counted."""
        self.clock.advance(0.04)
        self.send(self.first, inter(5000), inter(0), sound(2), inter(40))
        found = self.outlet.take()
        self.assertEqual([each.timestamp for each in found], [5000, 5040, 5042, 5080])
        self.assertEqual(len(self.logged("went back")), 1)
        self.assertEqual(self.stream.continuity.times.repairs["reset"], 2)

    def test_headerAhead(self) -> None:
        """A header is no moment of the stream: the frame behind it is not taken for one that goes back."""
        self.send(self.first, pictureHeader(5000, b"avcC"), inter(1080), pictureHeader(0, b"avcC"), inter(1120))
        self.assertEqual([each.timestamp for each in self.outlet.take()], [5000, 1080, 1080, 1120])

    def test_D16_endOfSequence(self) -> None:
        """OBS ends a sequence with a message at 0: time does not go back for it."""
        self.send(self.first, inter(5000), video("1702000000", 0), inter(5040))
        self.assertEqual([each.timestamp for each in self.outlet.take()], [5000, 5000, 5040])
