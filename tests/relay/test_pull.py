# -*- test-case-name: tests.relay.test_pull -*-
"""
Tests for L{rtmptw.relay.pull}: our server fetches streams from another one of ours, or one that does as it is told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rtmptw.errors import ConnectionClosed, StatusError, URLError
from rtmptw.interfaces import IStreamSource, ISubscriber
from rtmptw.live.livestream import LiveStream, Publication
from rtmptw.live.viewer import END_DELAY, Viewer
from rtmptw.relay import retry
from rtmptw.relay.pull import CONNECT_SECONDS, LOST_SECONDS, Pull
from rtmptw.relay.retry import FACTOR, FIRST_DELAY, FIRST_REFUSED_DELAY, LONGEST_DELAY
from rtmptw.session import status
from rtmptw.session.clientconnection import ANSWER_SECONDS
from rtmptw.url import RTMPURL
from rtmptw.wire import amf0
from rtmptw.wire.message import Message
from tests.live.doubles import (
    MemoryOutlet,
    MemoryPublisher,
    MemorySubscriber,
    content,
    inter,
    key,
    metadata,
    pictureHeader,
    sound,
    soundHeader,
)
from tests.relay.network import Host, Network, Stranger, Strangers

PATH = "live/camera"

#: How long a stream that nobody wants any more is still fetched here, seconds.
GRACE = 2.0

#: How a publisher usually begins.
BEGINNING = [metadata(0, width=640.0), pictureHeader(0), soundHeader(0)]


def headersAt(timestamp: int) -> list[Message]:
    """L{BEGINNING} for a joiner."""
    return [metadata(timestamp, width=640.0), pictureHeader(timestamp), soundHeader(timestamp)]


class PullTestCase(SynchronousTestCase):
    """Server C{here} pulls from server C{there}."""

    def setUp(self) -> None:
        self.patch(retry, "random", lambda: 0.0)
        self.setNetwork()

    def setNetwork(self) -> None:
        """Nobody is there yet."""
        self.network = Network(self)
        self.here, self.there = Host(self.network, "here", GRACE), Host(self.network, "there")
        self.hub, self.pull = self.here.hub, self.here.pull
        self.ended: list[str] = []

    def strangers(self, **answers: Callable[[Stranger, Any, int], None]) -> Strangers:
        """A source that does as it is told."""
        return Strangers(self.network, "there", **answers)

    def watch(self, path: str = PATH) -> tuple[MemoryOutlet, Viewer]:
        """Somebody watches here."""
        outlet = MemoryOutlet()
        return outlet, self.hub.play(path, outlet, 1, lambda: self.ended.append(path))

    def pulled(self) -> tuple[Any, MemoryOutlet, Viewer]:
        """A stream that is pulled, and watched: the publisher there, and the viewer here."""
        self.pull.add(PATH, "rtmp://there/live/camera")
        source = self.there.source()
        outlet, viewer = self.watch()
        self.network.pass_()
        source.send(*BEGINNING, key(0), inter(40))
        self.network.pass_()
        self.assertContent(outlet, *BEGINNING, key(0), inter(40))
        return source, outlet, viewer

    def assertContent(self, outlet: MemoryOutlet, *expected: Message) -> None:
        """Assert that this was sent since the last time: type, timestamp, payload."""
        self.assertEqual(content(outlet.take()), content(expected))

    @property
    def watchers(self) -> int:
        """How many have a stream at the source."""
        return sum(len(stream._viewers) for stream in self.there.hub)

    def lines(self, *words: str) -> list[str]:
        """The lines of the relay's log."""
        return self.network.lines(*words, room="rtmptw.relay.")

    def failed(self) -> list[str]:
        """The failures that were logged."""
        return [str(failure.value) for failure in self.flushLoggedErrors()]


class WantedTests(PullTestCase):
    """When a stream is fetched."""

    def test_interface(self) -> None:
        verifyObject(IStreamSource, self.pull)
        self.pull.add(PATH, "rtmp://there/live", always=True)
        [pulling] = self.pull._pullings.values()
        verifyObject(ISubscriber, pulling)
        verifyObject(IPushProducer, pulling)

    def test_firstViewer(self) -> None:
        """Nothing is fetched before somebody wants it; the first one starts it, and others do not."""
        self.pull.add(PATH, "rtmp://there/live/camera")
        source = self.there.source()
        source.send(*BEGINNING, key(0), inter(40))
        self.network.pass_(1)
        self.assertEqual((self.network.links, self.watchers), ([], 0))
        one, _ = self.watch()
        self.network.pass_()
        other, _ = self.watch()
        self.hub.subscribe(PATH, MemorySubscriber())
        self.network.pass_()
        self.assertEqual((len(self.network.links), self.watchers), (1, 1))
        source.send(inter(80))
        self.network.pass_()
        for outlet in (one, other):
            self.assertContent(outlet, *BEGINNING, key(0), inter(40), inter(80))
        self.assertEqual(self.lines(), ["[rtmptw.relay.pull.Pulling#info] live/camera: pulled from rtmp://there/live"])

    def test_subscriber(self) -> None:
        """Somebody who subscribes by the name wants it as well."""
        self.pull.add(PATH, "rtmp://there/live/camera")
        subscriber = MemorySubscriber()
        self.hub.subscribe(PATH, subscriber)
        self.network.pass_()
        self.there.source().send(*BEGINNING, key(0))
        self.network.pass_()
        self.assertEqual(content(subscriber.messages), content([*BEGINNING, key(0)]))

    def test_everything(self) -> None:
        """Who waits here before the publisher is there has all of it, metadata and other data as well."""
        self.pull.add(PATH, "rtmp://there/live/camera")
        outlet, _ = self.watch()
        self.network.pass_(3)
        cue = Message(18, 45, 1, amf0.encode("onCuePoint", {"a": 1.0}))
        sent = [sound(3), inter(7), *BEGINNING, key(40), cue, inter(80), sound(75)]
        source = self.there.source()
        for message in sent:
            source.send(message)
            self.network.pass_()
        self.assertContent(outlet, *sent)
        source.end()
        self.network.pass_(1)
        self.assertEqual(self.ended, [PATH])

    def test_oneWrite(self) -> None:
        """What comes in one read goes out in one write."""
        source, outlet, _ = self.pulled()
        source.send(key(80), inter(120), sound(121))
        self.network.pass_()
        self.assertEqual(len(outlet.blocks), 1)

    def test_grace(self) -> None:
        """When the last one has gone it is fetched for some time, and then no more; in between, somebody may come."""
        source, _, viewer = self.pulled()
        _, other = self.watch()
        viewer.stop()
        self.network.pass_(2 * GRACE)
        self.assertEqual(self.watchers, 1)
        other.stop()
        self.network.pass_(GRACE - 0.1)
        self.assertEqual(self.watchers, 1)
        outlet, viewer = self.watch()
        self.assertContent(outlet, *BEGINNING, key(0), inter(40))
        self.network.pass_(2 * GRACE)
        self.assertEqual((self.watchers, len(self.network.links)), (1, 1))
        viewer.stop()
        self.network.pass_(GRACE + 0.1)
        self.assertEqual(self.watchers, 0)
        self.assertEqual(len(self.here.published), 1)
        self.assertEqual(self.here.published[0][1].reasons, ["nobody has watched any more"])
        source.end()
        self.network.pass_(1)
        self.network.assertNothingLeft(self.here, self.there)

    def test_again(self) -> None:
        """Somebody who comes after that starts it anew."""
        source, _, viewer = self.pulled()
        viewer.stop()
        self.network.pass_(GRACE + 0.1)
        source.send(key(9000))
        outlet, _ = self.watch()
        self.network.pass_()
        self.assertEqual(len(self.network.links), 2)
        self.assertContent(outlet, *headersAt(9000), key(9000))

    def test_graceBeforeAnything(self) -> None:
        """The same while there is nothing to be seen yet, or nobody to be reached."""
        for state in ("waiting", "refused", "mute"):
            self.setNetwork()
            self.pull.add(PATH, "rtmp://there/live/camera")
            if state == "refused":
                del self.network.servers["there"]
            if state == "mute":
                self.network.mute.add("there")
            _, viewer = self.watch()
            self.network.pass_(1)
            viewer.stop()
            self.network.pass_(GRACE + 0.1)
            self.network.assertNothingLeft(self.here, self.there)

    def test_relaysDoNotKeepIt(self) -> None:
        """A recorder or a push of the pulled stream takes what there is, and does not keep it."""
        target = Host(self.network, "target")
        self.here.push.add("live", "rtmp://target/live")
        source, _, viewer = self.pulled()
        self.network.pass_(1)
        self.assertEqual(len(target.published), 1)
        self.assertGreater(len(self.here.published[0][1].messages), 0)
        viewer.stop()
        self.network.pass_(GRACE + 1)
        self.assertEqual((self.watchers, len(target.published[0][1].reasons)), (0, 1))
        source.end()
        self.network.pass_(1)
        self.network.assertNothingLeft(self.here, self.there, target)

    def test_always(self) -> None:
        """A stream that is always fetched does not ask who wants it."""
        self.pull.add(PATH, "rtmp://there/live/camera", always=True)
        self.network.pass_()
        source = self.there.source()
        source.send(*BEGINNING, key(0))
        self.network.pass_(2 * GRACE)
        outlet, viewer = self.watch()
        self.assertContent(outlet, *BEGINNING, key(0))
        viewer.stop()
        self.network.pass_(0.9 * GRACE)
        source.send(key(9000))
        self.network.pass_(2)
        self.assertEqual((len(self.network.links), self.watchers), (1, 1))

    def test_alwaysAgain(self) -> None:
        """When it has ended, it is asked for again, and is there when it begins again."""
        self.pull.add(PATH, "rtmp://there/live/camera", always=True)
        for number in range(3):
            self.network.pass_(3)
            source = self.there.source()
            source.send(*BEGINNING, key(number))
            self.network.pass_(1)
            source.end()
            self.network.pass_(0.2)
            self.assertEqual([len(stored.reasons) for _, stored in self.here.published], [1] * (number + 1))
            self.assertEqual(content(self.here.published[-1][1].messages), content([*BEGINNING, key(number)]))

    def test_names(self) -> None:
        """The name there is the one here, if the URL has none."""
        rows = [
            ("live/camera", "rtmp://there/live", "live/camera"),
            ("live/camera", "rtmp://there/other/name", "other/name"),
            ("/live/camera/", "rtmp://there/other/name?key=x", "other/name"),
            ("live/a/b", "rtmp://there/copy", "copy/b"),
            ("camera", "rtmp://there/live", "live/camera"),
        ]
        for path, url, asked in rows:
            self.pull.add(path, url)
            _, viewer = self.watch(path.strip("/"))
            self.network.pass_()
            self.assertEqual([stream.path for stream in self.there.hub], [asked])
            self.assertEqual(self.there.application.asked[-1], ("play", asked))
            viewer.stop()
            self.successResultOf(self.pull.remove(path))
            self.network.pass_()
        self.assertEqual(list(self.pull), [])
        self.network.assertNothingLeft(self.here, self.there)

    def test_otherNames(self) -> None:
        """Nobody fetches what has no source."""
        self.pull.add(PATH, "rtmp://there/live/camera")
        for path in ("live/camera2", "live", "live/Camera", "camera"):
            _, viewer = self.watch(path)
            self.network.pass_()
            viewer.stop()
        self.assertEqual(self.network.attempts, [])

    def test_badSources(self) -> None:
        for url in ("there/live", "rtmp://there", "http://there/live"):
            self.assertRaises(URLError, self.pull.add, PATH, url)
        self.assertEqual(list(self.pull), [])
        self.assertRaises(KeyError, self.pull.remove, PATH)

    def test_removeUnwanted(self) -> None:
        """What is not fetched just now is forgotten at once."""
        self.pull.add(PATH, "rtmp://there/live")
        self.successResultOf(self.pull.remove(PATH))
        self.watch()
        self.network.pass_(1)
        self.assertEqual((list(self.pull), self.network.attempts), ([], []))

    def test_alsoWhatTheyWant(self) -> None:
        """A source that is added for what somebody waits for is asked at once; another one takes its place."""
        outlet, viewer = self.watch()
        self.network.pass_(1)
        self.pull.add(PATH, "rtmp://nowhere/live")
        self.network.pass_(1)
        self.pull.add(PATH, RTMPURL.parse("rtmp://there/live"))
        self.assertEqual([(path, str(url)) for path, url in self.pull], [(PATH, "rtmp://there/live/camera")])
        self.network.pass_()
        source = self.there.source()
        source.send(*BEGINNING, key(0))
        self.network.pass_()
        self.assertContent(outlet, *BEGINNING, key(0))
        viewer.stop()
        source.end()
        self.network.pass_(GRACE + 1)
        self.network.assertNothingLeft(self.here, self.there)

    def test_manyStreams(self) -> None:
        """Each is fetched by itself."""
        viewers = []
        for name in "abc":
            self.pull.add(f"live/{name}", "rtmp://there/live")
            self.there.source(f"live/{name}").send(key(ord(name)))
            viewers.append(self.watch(f"live/{name}"))
        self.network.pass_()
        viewers[1][1].stop()
        self.network.pass_(GRACE + 0.1)
        self.assertEqual(sorted(self.pull._pullings), ["live/a", "live/c"])
        for name, (outlet, _) in zip("abc", viewers, strict=True):
            self.assertContent(outlet, *([key(ord(name))] if name != "b" else [])) if name != "b" else None


class EndTests(PullTestCase):
    """The stream is over, or the source is gone."""

    def test_announced(self) -> None:
        """When the source says the end, it is the end here at once; those who wait for the next find it."""
        source, outlet, _ = self.pulled()
        source.send(key(80))
        source.end()
        self.network.pass_(3 * END_DELAY)
        self.assertContent(outlet, key(80))
        self.assertEqual(self.ended, [PATH])
        self.assertEqual(self.here.published[0][1].reasons, ["the server said: NetStream.Play.UnpublishNotify"])
        outlet, viewer = self.watch()
        self.network.pass_(2)
        source = self.there.source()
        source.send(*BEGINNING, key(7))
        self.network.pass_()
        self.assertContent(outlet, *BEGINNING, key(7))
        viewer.stop()
        source.end()
        self.network.pass_(2 * GRACE)
        self.network.assertNothingLeft(self.here, self.there)

    def test_lostAndFound(self) -> None:
        """A connection that is lost is made again; the stream goes on at a keyframe, nothing twice, time forward."""
        source, outlet, _ = self.pulled()
        self.network.open[0].cut()
        source.send(inter(80), sound(81))
        self.network.pass_(1)
        self.assertContent(outlet)
        source.send(key(120), sound(121))
        self.network.pass_()
        self.assertContent(outlet, key(120), sound(121))
        self.assertEqual((len(self.here.published), self.ended), (1, []))
        self.assertEqual(len(self.lines("live/camera: pull from rtmp://there/live: ")), 1)
        self.network.pass_(LOST_SECONDS + 1)
        source.send(inter(160))

    def test_clockReset(self) -> None:
        """A source that has begun anew has its times moved, by as long as it was away."""
        source, outlet, _ = self.pulled()
        source.send(inter(10_000), inter(20_000), inter(30_000))
        self.network.pass_()
        self.network.open[0].cut()
        source.end()
        outlet.take()
        source = self.there.source()
        self.network.pass_(1)
        source.send(*BEGINNING, key(0), inter(40))
        self.network.pass_()
        first, second = outlet.take()
        self.assertApproximates(first.timestamp, 30_300, 50)
        self.assertEqual((first.payload, second.payload), (key().payload, inter().payload))
        self.assertEqual(second.timestamp - first.timestamp, 40)

    def test_growingDelays(self) -> None:
        """It is tried again and again, each time somewhat later."""
        self.pull.add(PATH, "rtmp://nowhere/live")
        self.watch()
        self.network.pass_(300, 0.01)
        for number, delay in enumerate(self.network.delays):
            least = min(FIRST_DELAY * FACTOR**number, LONGEST_DELAY)
            self.assertTrue(least <= delay <= least + 0.02, (number, delay))
        self.assertGreater(len(self.network.delays), 20)
        self.assertIn("live/camera: pull from rtmp://nowhere/live: connecting to nowhere, port 1935", self.lines()[0])

    def test_lostForLong(self) -> None:
        """Viewers are kept for so long, and then told the end; whoever comes then is given what there is then."""
        source, outlet, viewer = self.pulled()
        del self.network.servers["there"]
        self.network.open[0].cut()
        self.network.pass_(LOST_SECONDS - 0.1)
        self.assertEqual(self.here.published[0][1].reasons, [])
        self.network.pass_(0.2 + END_DELAY)
        self.assertEqual(self.ended, [PATH])
        [reason] = self.here.published[0][1].reasons
        self.assertTrue(reason.startswith("its source is lost: "), reason)
        outlet, viewer = self.watch()
        self.network.servers["there"] = self.there.factory
        source.send(key(35_000))
        self.network.pass_(30)
        self.assertContent(outlet, *headersAt(35_000), key(35_000))
        viewer.stop()
        self.network.pass_(GRACE + 1)
        source.end()
        self.network.assertNothingLeft(self.here, self.there)

    def test_lostAgain(self) -> None:
        """Connections that bring nothing do not prolong it; one that brings something does."""
        source, _, _ = self.pulled()
        for _ in range(10):
            self.network.pass_(2)
            for link in self.network.open:
                link.cut()
        source.send(key(20_000))
        self.network.pass_(5)
        self.assertEqual(self.here.published[0][1].reasons, [])
        for link in self.network.open:
            link.cut()
        self.network.pass_(LOST_SECONDS - 1)
        self.assertEqual(self.here.published[0][1].reasons, [])
        self.network.pass_(1.1)
        self.assertEqual(len(self.here.published[0][1].reasons), 1)

    def test_pauses(self) -> None:
        """A source that sends nothing for long, but is there, is not lost: who watches it there waits as well."""
        source, outlet, _ = self.pulled()
        self.network.pass_(10 * LOST_SECONDS, 0.5)
        source.send(inter(300_040))
        self.network.pass_()
        self.assertContent(outlet, inter(300_040))
        self.assertEqual((len(self.network.links), len(self.here.published)), (1, 1))

    def test_refused(self) -> None:
        """
        A source that says no is asked again, soon for what it has not got yet, and less often if it does not let us in;
        its reason is logged.
        """
        for command in ("connect", "play"):
            self.setNetwork()
            self.pull.add(PATH, "rtmp://there/live/camera")
            self.there.application.answers[command] = StatusError("not you")
            outlet, _ = self.watch()
            self.network.pass_(1)
            asked = len(self.network.links)
            self.network.pass_(FIRST_REFUSED_DELAY)
            self.assertEqual((asked == 1, len(self.network.links) == 2), (command == "connect",) * 2)
            self.assertEqual((self.network.open, len(self.lines("not you; again in"))), ([], len(self.network.links)))
            del self.there.application.answers[command]
            self.network.pass_(2 * FIRST_REFUSED_DELAY)
            self.there.source().send(key(0))
            self.network.pass_()
            self.assertContent(outlet, key(0))

    def test_neitherYesNorNo(self) -> None:
        """A source that can't be reached, or does not answer, is left after a while, and tried again."""
        rows: list[tuple[str, float, str]] = [
            ("", CONNECT_SECONDS, "no answer to connecting to there, port 1935 within 10 s; again in"),
            ("connect", CONNECT_SECONDS, "within 10 s; again in"),
            ("createStream", ANSWER_SECONDS, "no answer to createStream within 30 s; again in"),
            ("play", ANSWER_SECONDS, "no answer to play within 30 s; again in"),
        ]
        for command, seconds, words in rows:
            self.setNetwork()
            self.pull.add(PATH, "rtmp://there/live/camera")
            if command:
                self.strangers(**{command: lambda *_: None})
            else:
                self.network.mute.add("there")
            self.watch()
            self.network.pass_(seconds - 0.1)
            self.assertEqual((len(self.network.attempts), self.lines()), (1, []), command)
            self.network.pass_(0.5)
            self.assertEqual(len(self.network.attempts), 2, command)
            self.assertEqual(len(self.lines(words)), 1, self.lines())

    def test_D18_garbage(self) -> None:
        """Hostile row D18: what can't be read ends the connection, not the publication; nothing of it is passed on."""
        _, outlet, _ = self.pulled()
        link = self.network.open[0]
        link.far.write(b"\xff" * 1000)
        self.network.pass_(1)
        self.assertEqual((link.isOpen, len(self.network.open), self.ended), (False, 1, []))
        self.assertEqual(len(self.lines("protocol error: ")), 1)
        self.assertContent(outlet)

    def test_notTheirs(self) -> None:
        """What a server says to its players is not passed on; what is no media neither."""
        target = self.strangers()
        self.pull.add(PATH, "rtmp://there/live/camera")
        outlet, _ = self.watch()
        self.network.pass_()
        access = Message(18, 0, 1, amf0.encode("|RtmpSampleAccess", True, True), 5)
        odd = [Message(type, 0, 1, b"\0\0\0\0\0\0", 5) for type in (0, 7, 16, 19, 99)]
        target.connections[0].say(access, *odd, Message(18, 0, 1, b"", 5), key(0))
        self.network.pass_()
        self.assertContent(outlet, key(0))

    def test_endedByAnError(self) -> None:
        """A source that stops to send with an error is lost; its connection is closed."""
        target = self.strangers()
        self.pull.add(PATH, "rtmp://there/live/camera")
        self.watch()
        self.network.pass_()
        target.connections[0].say(key(0))
        self.network.pass_()
        target.connections[0].status("NetStream.Play.Failed", "error", text="disk full")
        self.network.pass_()
        self.assertEqual((self.network.open, self.ended), ([], []))
        self.network.pass_(0.5)
        self.assertEqual((len(self.network.open), len(self.lines("disk full; again in"))), (1, 1))


class NameTests(PullTestCase):
    """Somebody else publishes here."""

    def test_taken(self) -> None:
        """A name that somebody publishes here is left to him; when nobody does any more, it is fetched again."""
        self.pull.add(PATH, "rtmp://there/live/camera")
        local, remote = self.here.source(), self.there.source()
        local.send(key(1))
        remote.send(key(2))
        outlet, _ = self.watch()
        self.network.pass_(1)
        self.assertContent(outlet, key(1))
        self.assertEqual(
            self.lines("not pulled"),
            [
                "[rtmptw.relay.pull.Pulling#warn] live/camera: not pulled:"
                " NetStream.Publish.BadName: live/camera is published already, and that is somebody else"
            ],
        )
        self.assertEqual((self.network.open, len(self.pull._pullings)), ([], 0))
        local.end()
        outlet, viewer = self.watch()
        self.network.pass_(1)
        self.assertContent(outlet, key(2))
        viewer.stop()
        remote.end()
        self.network.pass_(GRACE + 1)
        self.network.assertNothingLeft(self.here, self.there)

    def test_takenAlways(self) -> None:
        """What is always fetched is tried again, and then is complete, whatever was seen before."""
        self.pull.add(PATH, "rtmp://there/live/camera", always=True)
        local, remote = self.here.source(), self.there.source()
        remote.send(*BEGINNING, key(0), inter(40))
        self.network.pass_(3)
        self.assertGreater(len(self.lines("not pulled")), 3)
        self.assertEqual(self.network.open, [])
        local.end()
        self.network.pass_(5)
        self.assertEqual(content(self.here.published[-1][1].messages), content([*BEGINNING, key(0), inter(40)]))

    def test_takenAlwaysByFrames(self) -> None:
        """The same, if a frame was the first that came: it was given to nobody."""
        target = self.strangers()
        self.pull.add(PATH, "rtmp://there/live/camera", always=True)
        local = self.here.source()
        self.network.pass_()
        target.connections[0].say(key(1000))
        self.network.pass_()
        local.end()
        self.network.pass_(1)
        target.connections[-1].say(key(1000), inter(1040))
        self.network.pass_()
        self.assertEqual(content(self.here.published[-1][1].messages), content([key(1000), inter(1040)]))

    def test_busy(self) -> None:
        """While it is pulled, the name is taken for others."""
        self.pulled()
        error = self.assertRaises(StatusError, self.hub.publish, PATH, MemoryPublisher())
        self.assertEqual(error.code, status.BAD_NAME)

    def test_notWanted(self) -> None:
        """If somebody who is told of the publish wants none, it is over, and the name is free."""

        class Refusing:
            def publishStarted(self, stream: LiveStream) -> None:
                assert stream.publication is not None
                stream.publication.publisher.stopProducing()

        self.hub.observers.append(Refusing())
        self.pull.add(PATH, "rtmp://there/live/camera")
        self.watch()
        self.network.pass_()
        source = self.there.source()
        source.send(key(0), inter(40))
        self.network.pass_(1)
        self.assertEqual((self.ended, self.network.open, len(self.here.published)), ([PATH], [], 1))
        self.hub.publish(PATH, MemoryPublisher()).end("")
        source.end()
        self.network.assertNothingLeft(self.here, self.there)


class HoldTests(PullTestCase):
    """Somebody who must not lose anything can't keep up."""

    def test_hold(self) -> None:
        """The source's connection is not read until he can again; nothing is lost."""
        source, outlet, _ = self.pulled()
        subscriber = MemorySubscriber()
        subscription = self.hub.subscribe(PATH, subscriber)
        [link] = self.network.open
        for _ in range(2):
            subscription.pauseProducing()
            self.assertEqual(link.near.producerState, "paused")
            source.send(inter(80))
            self.network.pass_(1)
            self.assertContent(outlet)
            subscription.resumeProducing()
            self.assertEqual(link.near.producerState, "producing")
            self.network.pass_()
            self.assertContent(outlet, inter(80))

    def test_holdWhileConnecting(self) -> None:
        """The same while the source is just being connected to."""
        source, outlet, _ = self.pulled()
        subscription = self.hub.subscribe(PATH, MemorySubscriber())
        self.network.mute.add("there")
        self.network.open[0].cut()
        self.network.pass_(1)
        subscription.pauseProducing()
        self.network.mute.clear()
        source.send(key(1000))
        self.network.pass_(1)
        [link] = self.network.open
        self.assertEqual(link.near.producerState, "paused")
        source.send(inter(1040))
        self.network.pass_(1)
        subscription.resumeProducing()
        self.network.pass_()
        self.assertContent(outlet, key(1000), inter(1040))

    def test_releasedWhileConnecting(self) -> None:
        """Who can again by then, has not held it."""
        source, outlet, _ = self.pulled()
        subscription = self.hub.subscribe(PATH, MemorySubscriber())
        subscription.pauseProducing()
        self.network.mute.add("there")
        self.network.open[0].cut()
        self.network.pass_(1)
        subscription.resumeProducing()
        self.network.mute.clear()
        source.send(key(1000))
        self.network.pass_(1)
        self.assertContent(outlet, key(1000))


class StopTests(PullTestCase):
    """A source is removed, or everything is."""

    def enter(self, state: str) -> Any:
        """Bring a pull into a state."""
        self.pull.add(PATH, "rtmp://there/live/camera")
        if state == "connecting":
            self.network.mute.add("there")
        if state == "shaking hands":
            self.strangers(connect=lambda *_: None)
        if state == "asking":
            self.strangers(play=lambda *_: None)
        if state == "retrying":
            del self.network.servers["there"]
        _, viewer = self.watch()
        self.network.pass_(0.1)
        if state in ("waiting", "connecting", "shaking hands", "asking", "retrying"):
            return viewer
        self.source = self.there.source()
        self.source.send(key(0))
        self.network.pass_(0.1)
        self.assertEqual(len(self.here.published), 1)
        if state == "just come":
            self.source.send(key(40))
            self.network.pump()
        if state == "lost":
            del self.network.servers["there"]
            self.network.open[0].cut()
        if state == "ended":
            self.source.end()
            self.network.pass_(0.2)
        if state == "unwanted":
            viewer.stop()
        return viewer

    def test_everyState(self) -> None:
        """It is over at once; viewers of what there was are told; nothing is left behind."""
        states = ["connecting", "shaking hands", "asking", "retrying", "waiting"]
        for state in [*states, "playing", "just come", "lost", "ended", "unwanted"]:
            for stop in ("remove", "finish", "both"):
                self.setNetwork()
                viewer = self.enter(state)
                done = [self.pull.remove(PATH)] if stop != "finish" else []
                done += [self.pull.finish()] if stop != "remove" else []
                where = (state, stop)
                for deferred in done:
                    self.successResultOf(deferred)
                self.assertEqual((list(self.pull), self.pull._pullings, self.pull._ending), ([], {}, {}), where)
                self.network.pass_(END_DELAY + 0.1)
                hasEnded = state in ("playing", "just come", "lost", "ended")
                self.assertEqual(self.ended, [PATH] if hasEnded else [], where)
                viewer.stop()
                if hasattr(self, "source"):
                    self.source.publication.end("")
                self.network.pass_(0.2)
                self.network.assertNothingLeft(self.here, self.there)
                _, viewer = self.watch()
                self.assertEqual(dict(self.network.pending), {})
                viewer.stop()
        self.assertEqual(self.network.lines("#error", "#critical"), [])

    def test_finishWhileEnding(self) -> None:
        """It waits for what was removed before, if that needs a while."""
        stubborn: Deferred[Any] = Deferred(lambda _: None)
        attempt: Deferred[Any] = Deferred(lambda deferred: deferred.callback(None))
        attempt.addCallback(lambda _: stubborn)
        pull = Pull(self.hub, "me", self.network.clock, lambda url, **options: attempt)
        pull.add(PATH, "rtmp://there/live/camera", always=True)
        removed = pull.remove(PATH)
        finished = pull.finish()
        self.assertNoResult(removed)
        self.assertNoResult(finished)
        stubborn.errback(ConnectionClosed("connect", "at last"))
        self.successResultOf(removed)
        self.successResultOf(finished)

    def test_finishNothing(self) -> None:
        self.successResultOf(self.pull.finish())

    def test_whenFinished(self) -> None:
        """Also for those who ask when it is over already."""
        self.pull.add(PATH, "rtmp://there/live/camera", always=True)
        [pulling] = self.pull._pullings.values()
        first = pulling.whenFinished()
        self.assertNoResult(first)
        pulling.stop("enough")
        pulling.stop("enough")
        self.successResultOf(first)
        self.successResultOf(pulling.whenFinished())

    def test_leavesAnother(self) -> None:
        """Whoever is told the end of one stream at the end of all may leave another one."""
        subscriptions = []

        class Leaving(MemorySubscriber):
            def streamEnded(self, reason: str) -> None:
                super().streamEnded(reason)
                for subscription in subscriptions:
                    subscription.stopProducing()

        for name in "abc":
            self.pull.add(f"live/{name}", "rtmp://there/live")
            subscriptions.append(self.hub.subscribe(f"live/{name}", Leaving()))
            self.there.source(f"live/{name}").send(key(0))
        self.network.pass_()
        self.assertEqual(len(self.here.published), 3)
        self.successResultOf(self.pull.finish())
        self.assertEqual((self.failed(), len(self.here.published)), ([], 3))
        self.network.pass_(1)
        self.network.assertNothingLeft(self.here)

    def test_removedInTheMiddle(self) -> None:
        """A subscriber may remove the source while it is given a message; what comes after that is not published."""
        for isLost, messages in (
            (False, [key(1000), inter(1000), inter(1080)]),
            # What a splice gives out at once: two headers and a keyframe.
            (True, [metadata(0, width=1.0), pictureHeader(0, b"new"), key(1000)]),
        ):
            self.setNetwork()
            source, _, _ = self.pulled()
            pull = self.pull

            class Enough(MemorySubscriber):
                def messageReceived(self, message: Message, pull: Pull = pull) -> None:
                    super().messageReceived(message)
                    if message.timestamp == 1000:
                        pull.remove(PATH)

            enough = Enough()
            [stream] = self.hub
            stream.subscribe(enough)
            enough.messages.clear()
            if isLost:
                self.network.open[0].cut()
            source.send(*messages)
            self.network.pass_(1)
            self.assertEqual((len(enough.messages), len(self.here.published)), (1, 1))
            self.assertEqual((self.ended, self.network.open, self.failed()), ([PATH], [], []))
            source.end()
            self.network.pass_(1)
            self.network.assertNothingLeft(self.here, self.there)


class FailureTests(PullTestCase):
    """What should not happen."""

    def test_connectFails(self) -> None:
        """A bug below is logged, and ends it."""

        def broken(url: RTMPURL, **options: Any) -> Deferred[Any]:
            raise ValueError("a bug")

        pull = Pull(self.hub, "me", self.network.clock, broken)
        self.hub.sources.append(pull)
        pull.add(PATH, "rtmp://there/live/key")
        _, viewer = self.watch()
        self.assertEqual(self.failed(), ["a bug"])
        self.assertEqual(len(self.lines("live/camera: pull from rtmp://there/live has failed")), 1)
        self.successResultOf(pull.finish())
        viewer.stop()
        self.network.assertNothingLeft(self.here)

    def test_hubFails(self) -> None:
        """The same above: viewers are told the end, the connection is closed, and nothing is tried again."""
        source, _, _ = self.pulled()
        source.send(key(80))

        def broken(publication: Publication, message: Message) -> None:
            raise ValueError("a bug")

        self.patch(Publication, "append", broken)
        self.network.pass_(1)
        self.assertEqual(self.failed(), ["a bug"])
        self.assertEqual((self.ended, self.network.open, self.pull._pullings), ([PATH], [], {}))
        self.assertEqual(self.here.published[0][1].reasons, ["internal error"])
        source.end()
        self.network.pass_(1)
        self.network.assertNothingLeft(self.here, self.there)


class SecretTests(PullTestCase):
    """What is in the URL of a source may be a key."""

    def test_log(self) -> None:
        """Neither name nor query nor password is in the relay's log, or told to those who watch."""
        text = "live/STREAMKEY?token=TOKEN is not there (user me, PASSWORD, auth=QUERY)"

        def refuse(stranger: Stranger, command: Any, id: int) -> None:
            stranger.status("NetStream.Play.Failed", "error", id, text)

        def reject(stranger: Stranger, command: Any, id: int) -> None:
            stranger.say(status.callError(command.transactionId, status.CONNECT_REJECTED, text))

        source = self.strangers()
        self.pull.add(PATH, "rtmp://me:PASSWORD@there/live?auth=QUERY/STREAMKEY?token=TOKEN")
        self.watch()
        for answers, seconds in (
            ({"play": refuse}, 2),
            ({"connect": lambda *_: None}, CONNECT_SECONDS + 2),
            ({"connect": reject}, 4),
            ({"createStream": reject}, 4),
            ({}, 10),
        ):
            source.answers.clear()
            source.answers.update(answers)
            self.network.pass_(seconds)
        source.connections[-1].say(key(0))
        self.network.pass_()
        source.connections[-1].status("NetStream.Play.Failed", "error", text=text)
        self.network.pass_(1)
        source.answers["connect"] = reject
        self.network.open[0].cut()
        self.network.pass_(LOST_SECONDS + 1)
        [reason] = self.here.published[0][1].reasons
        found = [*self.lines(), *self.network.lines(room="rtmptw.live."), reason]
        self.assertGreater(len(found), 8)
        for line in found:
            for secret in ("PASSWORD", "QUERY", "STREAMKEY", "TOKEN"):
                self.assertNotIn(secret, line)
        self.assertIn("is not there", "".join(found))


class LoopTests(PullTestCase):
    """Hostile row F13: relays in a circle."""

    REASON = "connect refused: NetConnection.Connect.Rejected: the relays run in a circle: this stream comes from this"

    def test_hops(self) -> None:
        """The source is told who is to have it; what is published here is known to have been there."""
        source, _, _ = self.pulled()
        self.assertEqual([request.hops for request in self.there.connects], [(self.here.identity,)])
        self.assertEqual(self.here.hops, [(self.there.identity,)])
        source.end()

    def test_stranger(self) -> None:
        """A source that is no relay of ours has no identity."""
        source = self.strangers()
        self.pull.add(PATH, "rtmp://there/live/camera")
        self.watch()
        self.network.pass_()
        source.connections[0].say(key(0))
        self.network.pass_()
        self.assertEqual(self.here.hops, [()])

    def test_F13_eachOther(self) -> None:
        """A pulls from B, and B from A: B refuses by A's word; who publishes at one of them is seen at both."""
        self.pull.add(PATH, "rtmp://there/live/camera")
        self.there.pull.add(PATH, "rtmp://here/live/camera")
        outlet, _ = self.watch()
        self.network.pass_(40)
        self.assertEqual((len(self.here.connects), len(self.there.connects)), (0, 1))
        self.assertGreater(len(self.lines(self.REASON)), 2)
        self.assertEqual(len(self.network.open), 1)
        source = self.there.source()
        source.send(*BEGINNING, key(0))
        self.network.pass_(1)
        self.assertContent(outlet, *BEGINNING, key(0))
        source.end()
        self.network.pass_(2 * GRACE + LONGEST_DELAY)
        self.network.assertNothingLeft(self.here, self.there)

    def test_F13_eachOtherAtOnce(self) -> None:
        """The same if it is wanted at both at the same time: both wait, and nothing is published twice."""
        self.pull.add(PATH, "rtmp://there/live/camera")
        self.there.pull.add(PATH, "rtmp://here/live/camera")
        outlet, viewer = self.watch()
        other = MemoryOutlet()
        otherViewer = self.there.hub.play(PATH, other, 1, lambda: self.ended.append("other"))
        self.network.pass_(5)
        self.assertEqual((self.here.published, self.there.published), ([], []))
        source = self.there.source()
        source.send(*BEGINNING, key(0))
        self.network.pass_(1)
        source.send(inter(40))
        self.network.pass_(1)
        for found in (outlet, other):
            self.assertContent(found, *BEGINNING, key(0), inter(40))
        self.assertEqual((len(self.here.published), len(self.there.published)), (1, 1))
        viewer.stop()
        otherViewer.stop()
        source.end()
        self.network.pass_(2 * GRACE + LONGEST_DELAY + 20, 0.2)
        self.network.assertNothingLeft(self.here, self.there)

    def test_F13_chain(self) -> None:
        """Through four servers, and not through a fifth."""
        names = ["here", "there", "c", "d", "e", "f"]
        hosts = [self.here, self.there, *(Host(self.network, name) for name in names[2:])]
        for host, name in zip(hosts, names[1:], strict=False):
            host.pull.add(PATH, f"rtmp://{name}/live/camera")
        self.watch()
        self.network.pass_(3)
        self.assertEqual([len(host.connects) for host in hosts], [0, 1, 1, 1, 1, 0])
        self.assertIn("the stream has come through more than 4 servers; again in", "".join(self.lines()))

    def test_F13_pushBack(self) -> None:
        """What was pulled from a server is not pushed to it."""
        self.here.push.add("live", "rtmp://there/copy")
        source, _, _ = self.pulled()
        self.network.pass_(FIRST_REFUSED_DELAY + 1)
        # It is tried again; each time with the same reason.
        self.assertGreater(len(self.lines(self.REASON)), 1)
        self.assertEqual([path for path, _ in self.there.published], [PATH])
        source.end()

    def test_F13_ourselves(self) -> None:
        """A server that is its own source is refused by itself."""
        self.pull.add(PATH, "rtmp://here/live/camera")
        self.watch()
        self.network.pass_(1)
        self.assertEqual(self.network.open, [])
        self.assertEqual(len(self.lines(self.REASON)), len(self.network.links))
