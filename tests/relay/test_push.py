# -*- test-case-name: tests.relay.test_push -*-
"""
Tests for L{rtmptw.relay.push}: our server pushes to another one of ours, or to one that does as it is told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rtmptw.errors import ConnectionClosed, StatusError, URLError
from rtmptw.interfaces import IStreamObserver
from rtmptw.limits import Limits
from rtmptw.live.busy import Busy
from rtmptw.live.livestream import LiveStream
from rtmptw.live.tape import MAX_MESSAGES
from rtmptw.live.viewer import END_DELAY
from rtmptw.relay import retry
from rtmptw.relay.push import CONNECT_SECONDS, FAREWELL_SECONDS, Push
from rtmptw.relay.retry import FACTOR, FIRST_DELAY, JITTER, LONGEST_DELAY, STABLE_SECONDS
from rtmptw.session import status
from rtmptw.url import RTMPURL
from rtmptw.wire import amf0
from rtmptw.wire.data import SET_DATA_FRAME
from rtmptw.wire.message import Message
from tests.live.doubles import (
    Content,
    MemoryOutlet,
    content,
    inter,
    key,
    metadata,
    pictureHeader,
    sound,
    soundHeader,
)
from tests.relay.network import Host, Link, Network, Source, Stranger, Strangers

MAX_BEHIND_BYTES = Limits().behindBytes

MEGABYTE = bytes(1024 * 1024)

#: How a publisher usually begins.
BEGINNING = [metadata(0, width=640.0), pictureHeader(0), soundHeader(0)]


def headersAt(timestamp: int) -> list[Message]:
    """L{BEGINNING} for a joiner."""
    return [metadata(timestamp, width=640.0), pictureHeader(timestamp), soundHeader(timestamp)]


class PushTestCase(SynchronousTestCase):
    """Server A is C{here}, and pushes what is published to server B, C{there}."""

    def setUp(self) -> None:
        self.patch(retry, "random", lambda: 0.0)
        self.network = Network(self)
        self.here = Host(self.network, "here")
        self.hub = self.here.hub

    def there(self) -> Host:
        """A target of ours, and that it is pushed to."""
        host = Host(self.network, "there")
        self.here.push.add("live", "rtmp://there/live")
        return host

    def strangers(self, **answers: Callable[[Stranger, Any, int], None]) -> Strangers:
        """A target that does as it is told."""
        self.here.push.add("live", "rtmp://there/live")
        return Strangers(self.network, "there", **answers)

    def connected(self) -> tuple[Host, Source]:
        """A target of ours that has the beginning of a stream."""
        there, source = self.there(), self.here.source()
        source.send(*BEGINNING, key(0), inter(40))
        self.network.pass_()
        self.assertContent(there, *BEGINNING, key(0), inter(40))
        return there, source

    def assertContent(self, host: Host, *expected: Message, index: int = -1) -> None:
        """Assert that this was published there: type, timestamp, payload. The last publish counts."""
        self.assertEqual(content(host.published[index][1].messages), content(expected))

    def media(self, link: Link) -> Content:
        """What a link has brought, by type, timestamp and payload."""
        return content(link.media())

    def lines(self, *words: str) -> list[str]:
        """The lines of the relay's log."""
        return self.network.lines(*words, room="rtmptw.relay.")


class BeginningTests(PushTestCase):
    """A publish begins."""

    def test_interface(self) -> None:
        verifyObject(IStreamObserver, self.here.push)

    def test_everything(self) -> None:
        """What comes before it is connected is kept; then all comes as it is published, and in the end the end."""
        there, source = self.there(), self.here.source("live/a/b")
        early = [sound(3), inter(7), *BEGINNING, key(40), inter(80), sound(75), key(120)]
        for message in early:
            source.send(message)
        self.network.pass_()
        self.assertEqual([path for path, _ in there.published], ["live/a/b"])
        self.assertContent(there, *early)
        later = [inter(160), key(200, MEGABYTE), metadata(201, width=1.0), sound(202)]
        for message in later:
            source.send(message)
            self.network.pass_()
        self.assertContent(there, *early, *later)
        source.send(inter(240))
        source.end()
        self.network.pass_(2 * END_DELAY)
        self.assertContent(there, *early, *later, inter(240))
        self.assertEqual(len(there.published[0][1].reasons), 1)
        self.assertEqual(
            self.lines(),
            [
                "[rtmptw.relay.push.Pushing#info] live/a/b: pushed to rtmp://there/live",
                "[rtmptw.relay.push.Pushing#info] live/a/b: pushed to rtmp://there/live, to the end",
            ],
        )
        self.network.assertNothingLeft(self.here, there)

    def test_asEncodersDo(self) -> None:
        """It is published as an encoder publishes: the commands, and metadata behind C{@setDataFrame}."""
        target, source = self.strangers(), self.here.source()
        cue = Message(18, 5, 1, amf0.encode("onCuePoint", {"a": 1.0}))
        source.send(*BEGINNING, cue, key(0))
        source.end()
        self.network.pass_(2 * END_DELAY)
        [link] = self.network.links
        names = ["connect", "releaseStream", "FCPublish", "createStream", "publish", "FCUnpublish", "deleteStream"]
        self.assertEqual(link.commands(), names)
        first, *others = link.media()
        self.assertEqual(first.payload, amf0.encode(SET_DATA_FRAME) + BEGINNING[0].payload)
        self.assertEqual(content(others), content([*BEGINNING[1:], cue, key(0)]))
        self.assertEqual(target.connections[0].heard[-1].type, 20)
        self.network.assertNothingLeft(self.here)

    def test_messageStream(self) -> None:
        """On the message stream that the target says, also the headers."""
        self.strangers(createStream=lambda stranger, command, id: stranger.result(command, 5.0))
        source = self.here.source()
        source.send(*BEGINNING, key(0))
        self.network.pass_()
        self.assertEqual([message.streamId for message in self.network.links[0].media()], [5] * 4)

    def test_names(self) -> None:
        """Application and name, here and there."""
        rows = [
            ("live", "rtmp://there/live", "live/camera", "live/camera"),
            ("live", "rtmp://there/copy", "live/camera", "copy/camera"),
            ("live", "rtmp://there/copy", "live/a/b/c", "copy/a/b/c"),
            ("live/a", "rtmp://there/copy", "live/a/b", "copy/b"),
            ("/live/", "rtmp://there/copy", "live/camera", "copy/camera"),
            ("live", "rtmp://there/copy/fixed", "live/camera", "copy/fixed"),
            ("live", "rtmp://there/copy/fixed?key=x", "live/a/b", "copy/fixed"),
            ("live", "rtmp://there/a/b/", "live/camera", "a/b/camera"),
            ("live", "rtmp://there/copy", "liveX/camera", None),
            ("live", "rtmp://there/copy", "live", None),
            ("live", "rtmp://there/copy", "camera", None),
            ("live", "rtmp://there/copy", "other/live/camera", None),
            ("live/a", "rtmp://there/copy", "live/ab", None),
        ]
        there = Host(self.network, "there")
        for app, url, path, expected in rows:
            self.here.push.add(app, url)
            source = self.here.source(path)
            source.send(key(0))
            self.network.pass_()
            self.assertEqual([path for path, _ in there.published], [expected] if expected else [], (app, url, path))
            source.end()
            self.network.pass_(2 * END_DELAY)
            self.successResultOf(self.here.push.remove(app, url))
            there.published.clear()
        self.network.assertNothingLeft(self.here, there)

    def test_manyTargets(self) -> None:
        """Each target has everything, also if another one is not there; a target may be added twice."""
        hosts = [Host(self.network, name) for name in ("one", "two")]
        for name in ("one", "two", "two", "nowhere"):
            self.here.push.add("live", f"rtmp://{name}/live")
        self.assertEqual(
            [(app, str(url)) for app, url in self.here.push],
            [("live", f"rtmp://{name}/live") for name in ("one", "two", "nowhere")],
        )
        source = self.here.source()
        source.send(*BEGINNING, key(0))
        self.network.pass_(0.2)
        for host in hosts:
            self.assertEqual(len(host.published), 1)
            self.assertContent(host, *BEGINNING, key(0))

    def test_badTargets(self) -> None:
        for url in ("there/live", "rtmp://there", "http://there/live"):
            self.assertRaises(URLError, self.here.push.add, "live", url)
        self.assertEqual(list(self.here.push), [])
        self.assertRaises(KeyError, self.here.push.remove, "live", "rtmp://there/live")

    def test_hops(self) -> None:
        """The target is told where it comes from, and that it is a relay that asks."""
        there, source = self.there(), self.here.source()
        source.send(key(0))
        self.network.pass_()
        self.assertEqual(there.hops, [(self.here.identity,)])
        self.assertEqual([request.hops for request in there.connects], [(self.here.identity,)])

    def test_endedByAnObserver(self) -> None:
        """What another observer has ended already is not pushed."""
        there = self.there()

        class Refusing:
            def publishStarted(self, stream: LiveStream) -> None:
                assert stream.publication is not None
                stream.publication.end("no")

        self.hub.observers.insert(0, Refusing())
        self.hub.observers.remove(self.here)
        self.here.source()
        self.network.pass_(1)
        self.assertEqual((there.published, self.lines()), ([], []))
        self.network.assertNothingLeft(self.here, there)


class SlowTests(PushTestCase):
    """A target that is slow."""

    def test_80_skip(self) -> None:
        """The publisher does not wait, and nothing is queued; the target goes on at the newest keyframe."""
        there, source = self.connected()
        [link] = self.network.open
        link.clog()
        for index in range(1, 12):
            source.send(key(index * 1000, MEGABYTE), inter(index * 1000 + 40))
            self.network.pass_(1, 0.1)
        self.assertEqual((source.publisher.calls, len(there.published[0][1].messages)), ([], 5))
        link.drain()
        source.send(inter(11_080))
        self.network.pass_()
        last = [key(11_000, MEGABYTE), inter(11_040), inter(11_080)]
        self.assertContent(there, *BEGINNING, key(0), inter(40), *last)
        self.assertEqual(len(self.network.lines("rtmp://there/live is too slow a viewer")), 1)

    def test_late(self) -> None:
        """What waits for a first connection for too long is skipped like that."""
        self.network.mute.add("there")
        there, source = self.there(), self.here.source()
        source.send(*BEGINNING)
        for index in range(12):
            source.send(key(index * 1000, MEGABYTE))
            self.network.pass_(1, 0.1)
        self.assertEqual(source.publisher.calls, [])
        self.network.mute.clear()
        source.send(inter(11_040))
        self.network.pass_()
        self.assertContent(there, *headersAt(11_000), key(11_000, MEGABYTE), inter(11_040))

    def test_bounded(self) -> None:
        """What is kept for a target that is never there is bounded."""
        self.network.mute.add("there")
        self.there()
        source = self.here.source()
        for index in range(2 * MAX_MESSAGES):
            source.send(inter(index, bytes(100)))
        [stream] = self.hub
        self.assertLessEqual(len(stream.tape._images), MAX_MESSAGES)
        for index in range(40):
            source.send(key(index, MEGABYTE))
        self.assertLessEqual(stream.tape.held, 2 * MAX_BEHIND_BYTES)

    def test_stall(self) -> None:
        """A target that takes nothing for 15 s is left, and tried again."""
        there, source = self.connected()
        [link] = self.network.open
        link.clog()
        for index in range(1, 17):
            source.send(key(index * 1000))
            self.network.pass_(1, 0.5)
        self.assertFalse(link.isOpen)
        self.network.pass_(1)
        self.assertEqual(len(self.lines("took nothing for 15 s; again in 0.2 s")), 1)
        self.assertEqual(len(there.published), 2)
        self.assertContent(there, *headersAt(16_000), key(16_000))


class LostTests(PushTestCase):
    """The connection is lost."""

    def test_growingDelays(self) -> None:
        """It is tried again, each time somewhat later, half a minute in the end, while the publisher is there."""
        self.here.push.add("live", "rtmp://nowhere/live")
        source = self.here.source()
        source.send(key(0))
        self.network.pass_(400, 0.01)
        for number, delay in enumerate(self.network.delays):
            least = min(FIRST_DELAY * FACTOR**number, LONGEST_DELAY)
            self.assertTrue(least <= delay <= least + 0.02, (number, delay))
        self.assertGreater(len(self.network.delays), 25)
        self.assertIn(
            "live/camera: push to rtmp://nowhere/live: connecting to nowhere, port 1935 failed: Connection was refused"
            " by other side; again in 0.2 s",
            self.lines()[0].replace(": 111:", ":").replace(".;", ";"),
        )

    def test_jitter(self) -> None:
        """Two relays that have lost the same server do not come back at the same time."""
        for chance in (0.0, 0.6, 1.0):
            self.patch(retry, "random", lambda chance=chance: chance)
            self.network.attempts.clear()
            self.here.push.add("live", "rtmp://nowhere/live")
            source = self.here.source()
            self.network.pass_(0.6, 0.01)
            self.assertApproximates(self.network.delays[0], FIRST_DELAY + chance * JITTER, 0.03)
            self.here.push.finish()
            source.end()
            self.network.pass_(1)

    def test_resume(self) -> None:
        """
        It goes on with headers and metadata, and the first keyframe that was not sent before; what was sent is not sent
        again, and time does not go back.
        """
        there, source = self.connected()
        self.network.links[0].cut()
        source.send(inter(80))
        self.network.pass_(0.3)
        source.send(inter(120), sound(121))
        self.network.pass_(1)
        self.assertEqual([len(stored.messages) for _, stored in there.published], [5, 0])
        source.send(sound(150), key(160), inter(200))
        self.network.pass_()
        self.assertContent(there, *headersAt(160), key(160), inter(200))
        [link] = self.network.open
        self.assertTrue(link.media()[0].payload.startswith(amf0.encode(SET_DATA_FRAME)))

    def test_keyframeWhileAway(self) -> None:
        """A keyframe that came meanwhile is the place to go on; the newest, if there were more."""
        for count in (1, 2, 5):
            there, source = self.connected()
            self.network.open[0].cut()
            for index in range(1, count + 1):
                source.send(key(index * 1000), inter(index * 1000 + 40), sound(index * 1000 + 41))
            self.network.pass_(0.3)
            last = count * 1000
            self.assertContent(there, *headersAt(last), key(last), inter(last + 40), sound(last + 41))
            source.end()
            self.network.pass_(1)
            self.here.push.remove("live", "rtmp://there/live")

    def test_keyframeWasSent(self) -> None:
        """If a keyframe was the last that was sent, it is not sent again."""
        there, source = self.connected()
        source.send(key(1000))
        self.network.pass_()
        self.network.open[0].cut()
        source.send(inter(1040))
        self.network.pass_(1)
        source.send(key(2000))
        self.network.pass_()
        self.assertContent(there, *headersAt(2000), key(2000))

    def test_newHeadersWhileAway(self) -> None:
        """Headers that have changed while it was away are the new ones."""
        there, source = self.connected()
        self.network.open[0].cut()
        source.send(pictureHeader(50, b"new"), key(60))
        self.network.pass_(1)
        self.assertContent(there, metadata(60, width=640.0), soundHeader(60), pictureHeader(60, b"new"), key(60))

    def test_soundOnly(self) -> None:
        """Without pictures it goes on with the newest sound that was not sent."""
        there, source = self.there(), self.here.source()
        source.send(soundHeader(0), sound(1), sound(20))
        self.network.pass_()
        self.network.open[0].cut()
        self.network.pass_(1)
        source.send(sound(40))
        source.send(sound(60))
        self.network.pass_()
        self.assertContent(there, soundHeader(40), sound(40), sound(60))

    def test_lostBeforeTheFirstMessage(self) -> None:
        """A connection that is lost before anything was published costs nothing."""
        there, source = self.there(), self.here.source()
        self.network.pass_()
        self.network.open[0].cut()
        source.send(*BEGINNING, inter(0), key(40))
        self.network.pass_(1)
        self.assertContent(there, *BEGINNING, inter(0), key(40))

    def test_lostAgain(self) -> None:
        """A connection that has brought nothing changes nothing; time goes on over any number of them."""
        there, source = self.connected()
        for _ in range(4):
            self.network.open[0].cut()
            self.network.pass_(1)
        source.send(inter(80), key(120))
        self.network.pass_()
        self.assertEqual(len(there.published), 5)
        self.assertContent(there, *headersAt(120), key(120))

    def test_neverBack(self) -> None:
        """Whatever is cut, and whenever: for each type, what arrives is later than what arrived before."""
        there, source = self.there(), self.here.source()
        source.send(*BEGINNING)
        for index in range(1, 400):
            source.send((key if index % 25 == 1 else inter)(index * 40), sound(index * 40 - 10))
            self.network.pass_(0.04, 0.01)
            if index % 37 == 0:
                for link in self.network.open:
                    link.cut()
        self.assertGreater(len(there.published), 8)
        for type in (8, 9):
            messages = [m for _, stored in there.published for m in stored.messages if m.type == type]
            times = [message.timestamp for message in messages if message.payload[1] == 1]
            self.assertEqual(times, sorted(set(times)))
        for _, stored in there.published[1:]:
            pictures = [message for message in stored.messages if message.type == 9]
            self.assertEqual([message.payload[:2] for message in pictures[:2]], [b"\x17\0", b"\x17\1"])

    def test_delaysBeginAnew(self) -> None:
        """After a connection that has lasted, the first delay is the shortest one; else they go on to grow."""
        there, source = self.connected()
        for lasts, expected in ((0.5, 0), (0.5, 1), (0.5, 2), (STABLE_SECONDS, 0), (0.1, 1)):
            self.network.pass_(lasts, 0.01)
            self.network.open[0].cut()
            lost = self.network.clock.seconds()
            self.network.pass_(0.5, 0.01)
            self.assertApproximates(self.network.attempts[-1][0] - lost, FIRST_DELAY * FACTOR**expected, 0.02)
        self.assertEqual(len(there.published), 6)
        source.end()

    def test_F12_refused(self) -> None:
        """Hostile row F12: a target that says no is asked again later; its reason is logged; the source goes on."""
        there, source = self.there(), self.here.source()
        there.application.answers["publish"] = StatusError("not you")
        source.send(*BEGINNING, key(0))
        self.network.pass_(40)
        self.assertEqual([round(delay) for delay in self.network.delays], [5, 10, 20])
        self.assertIn("push to rtmp://there/live: publish refused: ", self.lines()[0])
        self.assertIn("not you; again in 5.0 s", self.lines()[0])
        self.assertEqual((source.publisher.calls, len(self.network.open)), ([], 0))
        del there.application.answers["publish"]
        source.send(inter(40))
        self.network.pass_(LONGEST_DELAY)
        self.assertContent(there, *BEGINNING, key(0), inter(40))

    def test_F12_refusedLater(self) -> None:
        """A target that says no when it has said yes: that connection is closed, and not only the stream over."""
        target, source = self.strangers(), self.here.source()
        source.send(*BEGINNING, key(0))
        self.network.pass_()
        target.connections[0].status(status.BAD_NAME, "error", text="somebody else")
        self.network.pass_()
        self.assertEqual(self.network.open, [])
        self.assertEqual(len(self.lines("somebody else; again in")), 1)
        source.send(key(1000))
        self.network.pass_(1)
        self.assertEqual(len(self.network.open), 1)
        self.assertEqual(self.media(self.network.open[0])[-1], content([key(1000)])[0])

    def test_F12_silent(self) -> None:
        """One that accepts connections and says nothing is left after a while, and tried again."""
        self.strangers(connect=lambda stranger, command, id: None)
        source = self.here.source()
        source.send(key(0))
        self.network.pass_(CONNECT_SECONDS + 0.4)
        self.assertEqual([link.isOpen for link in self.network.links], [False, True])
        self.assertEqual(len(self.lines("within 10 s; again in 0.2 s")), 1)

    def test_D18_garbage(self) -> None:
        """Hostile row D18: a server that answers with something else is tried again."""
        self.strangers(createStream=lambda stranger, command, id: stranger.transport.write(b"\xff" * 100))
        source = self.here.source()
        source.send(key(0))
        self.network.pass_(1)
        self.assertGreaterEqual(len(self.network.links), 3)
        self.assertEqual((self.network.open, source.publisher.calls), ([], []))
        self.assertEqual(len(self.lines("protocol error: ")), len(self.network.links))


class EndTests(PushTestCase):
    """The publisher ends."""

    def test_whileConnected(self) -> None:
        """The target has everything, and then the end, after the moment that is the last frame's."""
        there, source = self.connected()
        source.send(key(80))
        source.end()
        self.network.pass_(END_DELAY - 0.01, 0.01)
        self.assertEqual(there.published[0][1].reasons, [])
        self.network.pass_(0.02)
        self.assertContent(there, *BEGINNING, key(0), inter(40), key(80))
        self.assertEqual(there.published[0][1].reasons, ["the peer has ended the stream (FCUnpublish)"])
        self.assertEqual(len(self.lines("to the end")), 1)
        self.network.assertNothingLeft(self.here, there)

    def test_whileSlow(self) -> None:
        """A slow target is sent what is left first."""
        there, source = self.connected()
        [link] = self.network.open
        link.clog()
        source.send(key(80), inter(120))
        source.end()
        self.network.pass_(5)
        self.assertEqual(there.published[0][1].reasons, [])
        link.drain()
        self.network.pass_(2 * END_DELAY)
        self.assertContent(there, *BEGINNING, key(0), inter(40), key(80), inter(120))
        self.assertEqual(len(there.published[0][1].reasons), 1)
        self.network.assertNothingLeft(self.here, there)

    def test_neverConnected(self) -> None:
        """A target that is not there is tried once more, and then it is given up."""
        self.here.push.add("live", "rtmp://nowhere/live")
        source = self.here.source()
        source.send(*BEGINNING, key(0))
        source.end()
        self.network.pass_(60)
        self.assertEqual(len(self.network.attempts), 2)
        self.assertEqual(len(self.lines("live/camera: the end was not pushed to rtmp://nowhere/live: connecting")), 1)
        self.network.assertNothingLeft(self.here)

    def test_connectedLater(self) -> None:
        """One that comes with this last try has everything."""
        self.here.push.add("live", "rtmp://there/live")
        source = self.here.source()
        source.send(*BEGINNING, key(0), inter(40))
        self.network.pass_()
        source.end()
        there = Host(self.network, "there")
        self.network.pass_(1)
        self.assertContent(there, *BEGINNING, key(0), inter(40))
        self.assertEqual(len(there.published[0][1].reasons), 1)
        self.network.assertNothingLeft(self.here, there)

    def test_whileConnecting(self) -> None:
        """The same, if it is just being connected to."""
        self.network.mute.add("there")
        there, source = self.there(), self.here.source()
        source.send(*BEGINNING, key(0), inter(40))
        self.network.pass_(1)
        source.end()
        self.network.pass_(1)
        self.network.mute.clear()
        self.network.pass_(1)
        self.assertContent(there, *BEGINNING, key(0), inter(40))
        self.assertEqual(len(there.published[0][1].reasons), 1)
        self.network.assertNothingLeft(self.here, there)

    def test_whileReconnecting(self) -> None:
        """What it has not had yet, from a keyframe on, it gets before the end."""
        there, source = self.connected()
        self.network.open[0].cut()
        source.send(inter(80), key(120), inter(160))
        source.end()
        self.network.pass_(1)
        self.assertContent(there, *headersAt(120), key(120), inter(160))
        self.assertEqual([len(stored.reasons) for _, stored in there.published], [1, 1])
        self.network.assertNothingLeft(self.here, there)

    def test_nothingLeftWhileReconnecting(self) -> None:
        """If there is nothing more to be had, it is not connected to for that."""
        there, source = self.connected()
        self.network.open[0].cut()
        source.send(inter(80))
        source.end()
        self.network.pass_(1)
        self.assertEqual((len(there.published), len(self.network.links)), (1, 1))
        self.assertEqual(len(self.lines("the end was not pushed")), 1)
        self.network.assertNothingLeft(self.here, there)

    def test_nothingAtAll(self) -> None:
        """A publish without a message is one there too."""
        there, source = self.there(), self.here.source()
        source.end()
        self.network.pass_(1)
        self.assertEqual([(path, stored.messages) for path, stored in there.published], [("live/camera", [])])
        self.network.assertNothingLeft(self.here, there)

    def test_nothingAtAllWhileConnecting(self) -> None:
        """The same if it is over before there is a connection."""
        self.network.mute.add("there")
        there, source = self.there(), self.here.source()
        source.end()
        self.network.pass_(1)
        self.network.mute.clear()
        self.network.pass_(1)
        self.assertEqual([(path, stored.messages) for path, stored in there.published], [("live/camera", [])])
        self.network.assertNothingLeft(self.here, there)

    def test_nothingAtAllAndNobodyThere(self) -> None:
        """And if there never is one, that is said."""
        self.here.push.add("live", "rtmp://nowhere/live")
        self.network.mute.add("nowhere")
        source = self.here.source()
        source.end()
        self.network.pass_(1)
        self.network.mute.clear()
        self.network.pass_(1)
        self.assertEqual(len(self.lines("the end was not pushed to rtmp://nowhere/live: connecting")), 1)
        self.network.assertNothingLeft(self.here)

    def test_lostAtTheEnd(self) -> None:
        """A connection that is lost while the rest is sent is not made again: no keyframe will come."""
        there, source = self.connected()
        [link] = self.network.open
        link.clog()
        source.send(key(80))
        source.end()
        link.cut()
        self.network.pass_(1)
        self.assertEqual((len(there.published), len(self.network.links)), (1, 1))
        self.assertEqual(len(self.lines("the end was not pushed to rtmp://there/live: ")), 1)
        self.network.assertNothingLeft(self.here, there)

    def test_lostInTheFarewell(self) -> None:
        """The same after the last frame; and a target that resets the connection then may have missed the end."""
        for wait in (0.05, END_DELAY):
            there, source = self.connected()
            [link] = self.network.open
            source.end()
            self.network.clock.advance(wait)
            link.cut()
            self.network.pass_(1)
            self.assertEqual(len(there.published), 1)
            self.here.push.remove("live", "rtmp://there/live")
            self.network.assertNothingLeft(self.here, there)
        self.assertEqual(len(self.lines("the end was not pushed to rtmp://there/live: ")), 1)
        self.assertEqual(len(self.lines("what was published last may be lost")), 1)

    def test_nextPublish(self) -> None:
        """A new publish of the same name, right behind, comes there behind the first one, and with all that it has."""
        for hurried in (False, True):
            there, source = self.connected()
            source.send(key(80))
            source.end()
            if not hurried:
                self.network.pass_()
            second = self.here.source()
            second.send(*BEGINNING, key(5))
            self.network.pass_(3)
            paths = [(path, len(stored.reasons)) for path, stored in there.published]
            self.assertEqual(paths, [("live/camera", 1), ("live/camera", 0)])
            self.assertContent(there, *BEGINNING, key(0), inter(40), key(80), index=0)
            self.assertContent(there, *BEGINNING, key(5), index=1)
            second.end()
            self.network.pass_(1)
            self.here.push.remove("live", "rtmp://there/live")
            self.network.assertNothingLeft(self.here, there)

    def test_nextPublishWhileAway(self) -> None:
        """The same while the target is away: neither has what is the other's, and the new one has everything."""
        for away, first in ((0.1, [[*headersAt(80), key(80)]]), (0.0, [])):
            there, source = self.connected()
            # Neither may have the name while the other has it, however silent that is.
            there.factory.hub.busy = Busy.REFUSE
            del self.network.servers["there"]
            self.network.open[0].cut()
            source.send(key(80))
            source.end()
            second = self.here.source()
            second.send(*BEGINNING, key(5), inter(45))
            self.network.pass_(away) if away else None
            self.network.servers["there"] = there.factory
            self.network.pass_(3)
            self.assertEqual(
                [content(stored.messages) for _, stored in there.published[1:]],
                [content(messages) for messages in (*first, [*BEGINNING, key(5), inter(45)])],
            )
            second.end()
            self.network.pass_(1)
            self.here.push.remove("live", "rtmp://there/live")
            self.network.assertNothingLeft(self.here, there)


class HandoverTests(PushTestCase):
    """The publisher goes, and comes back: the relay goes on."""

    def again(self) -> Source:
        """He is gone for 3 seconds."""
        self.here.hub.grace = 10.0
        self.there_, source = self.connected()
        source.publication.suspend("the cable was pulled")
        self.network.pass_(3)
        return self.here.source()

    def test_goesOn(self) -> None:
        """The target knows nothing of it: one connection, one publish, and times that go on."""
        again = self.again()
        again.send(*BEGINNING, key(0), inter(40))
        self.network.pass_()
        self.assertEqual((len(self.there_.published), len(self.network.open)), (1, 1))
        expected = [*BEGINNING, key(0), inter(40), key(0), inter(40)]
        found = self.there_.published[0][1].messages
        self.assertEqual([message.payload for message in found], [message.payload for message in expected])
        self.assertEqual(found[-1].timestamp - found[-2].timestamp, 40)
        self.assertApproximates(found[-2].timestamp, 3040, 100)

    def test_awayMeanwhile(self) -> None:
        """The target is lost while the publisher is away too: both come back, and nothing is sent twice."""
        self.here.hub.grace = 10.0
        there, source = self.connected()
        source.publication.suspend("the cable was pulled")
        self.network.open[0].cut()
        self.network.pass_(3)
        again = self.here.source()
        again.send(pictureHeader(0, b"other"), soundHeader(0), key(0), inter(40))
        self.network.pass_(1)
        payloads = [message.payload for message in there.published[-1][1].messages]
        self.assertEqual(payloads[-2:], [key().payload, inter().payload])
        self.assertIn(pictureHeader(0, b"other").payload, payloads)
        self.assertEqual(len([payload for payload in payloads if payload == key().payload]), 1)

    def test_end(self) -> None:
        """He does not come back: the target is told the end, once."""
        self.here.hub.grace = 10.0
        there, source = self.connected()
        source.publication.suspend("the cable was pulled")
        self.network.pass_(9)
        self.assertEqual(there.published[0][1].reasons, [])
        self.network.pass_(2)
        self.assertEqual(len(there.published[0][1].reasons), 1)
        self.network.assertNothingLeft(self.here, there)


class StopTests(PushTestCase):
    """A target is removed, or everything is."""

    def enter(self, state: str) -> tuple[Host, Source]:
        """Bring a push into a state."""
        if state == "connecting":
            self.network.mute.add("there")
        there = self.there()
        if state == "waiting":
            del self.network.servers["there"]
        if state == "refused":
            there.application.answers["publish"] = StatusError("no")
        if state == "asked":
            there.application.answers["publish"] = Deferred()
        source = self.here.source()
        source.send(*BEGINNING, key(0))
        self.network.pass_(0.1)
        if state == "slow":
            self.network.open[0].clog()
            source.send(key(40))
        if state == "lost":
            self.network.open[0].cut()
        if state == "ending":
            source.end()
        if state == "farewell":
            source.end()
            self.network.clock.advance(END_DELAY)
        return there, source

    def test_everyState(self) -> None:
        """It is over at once, or when the target has heard the end; once; and nothing is left behind."""
        states = ("connecting", "waiting", "refused", "asked", "connected", "slow", "lost", "ending", "farewell")
        for state in states:
            for stop in ("remove", "finish"):
                self.network = Network(self)
                self.here = Host(self.network, "here")
                there, source = self.enter(state)
                if stop == "remove":
                    done = self.here.push.remove("live", "rtmp://there/live")
                else:
                    done = self.here.push.finish()
                again = self.here.push.finish()
                fired: list[str] = []
                done.addCallback(lambda _, fired=fired: fired.append("done"))
                self.assertEqual(list(self.here.push), [])
                if state == "slow":
                    self.network.open[0].drain()
                self.network.pass_(2 * END_DELAY)
                where = (state, stop)
                self.assertEqual(fired, ["done"], where)
                self.successResultOf(again)
                self.assertEqual(list(self.here.push._pushings), [], where)
                source.send(key(2000)) if state not in ("ending", "farewell") else None
                source.end()
                self.network.pass_(0.1)
                self.assertEqual([len(stored.reasons) for _, stored in there.published], [1] * len(there.published))
                if state != "asked":
                    self.network.assertNothingLeft(self.here, there)
                self.network.pass_(30)
                self.assertEqual(self.network.lines("#error", "#critical", "was not pushed"), [], where)

    def test_deaf(self) -> None:
        """A target that takes nothing more is left after a while."""
        for stops in (1, 2):
            there, source = self.connected()
            [link] = self.network.open
            link.clog()
            source.send(key(40))
            source.send(key(80))
            done = [self.here.push.finish() for _ in range(stops)]
            self.network.pass_(FAREWELL_SECONDS - 0.1)
            for deferred in done:
                self.assertNoResult(deferred)
            self.network.pass_(0.2)
            for deferred in done:
                self.successResultOf(deferred)
            source.end()
            self.network.assertNothingLeft(self.here, there)

    def behind(self) -> tuple[Host, Link, list[Message], Deferred[None]]:
        """The publisher has gone, and so do we, while the target is behind: what it has still to get."""
        there, source = self.connected()
        [link] = self.network.open
        link.clog()
        rest = [inter(80 + 40 * index, bytes(5000)) for index in range(50)]
        source.send(*rest)
        source.end()
        return there, link, rest, self.here.push.finish()

    def test_rest(self) -> None:
        """A target that is not ready for a moment has all that is left, and then the end."""
        there, link, rest, done = self.behind()
        self.network.pass_(0.5)
        self.assertNoResult(done)
        link.drain()
        self.network.pass_(2 * END_DELAY)
        self.successResultOf(done)
        self.assertContent(there, *BEGINNING, key(0), inter(40), *rest)
        self.assertEqual(len(there.published[0][1].reasons), 1)
        self.assertEqual(self.lines("left out", "was not pushed"), [])
        self.network.assertNothingLeft(self.here, there)

    def test_restTooLate(self) -> None:
        """One that takes nothing for longer is only told the end; the log says how much it has not got."""
        there, link, _, done = self.behind()
        self.network.pass_(FAREWELL_SECONDS - 0.1)
        self.assertEqual(self.lines("left out"), [])
        self.network.pass_(0.2)
        self.assertNoResult(done)
        [line] = self.lines("left out")
        self.assertRegex(line, r"push to rtmp://there/live: it took too long for the rest; 25\d{4} bytes are left out$")
        link.drain()
        self.network.pass_()
        self.successResultOf(done)
        self.assertContent(there, *BEGINNING, key(0), inter(40))
        self.assertEqual(len(there.published[0][1].reasons), 1)
        self.network.assertNothingLeft(self.here, there)

    def test_restAndNotTheEnd(self) -> None:
        """One that has taken the rest, but does not take the end, is left when the time is over."""
        there, link, _, done = self.behind()
        link.drain()
        self.network.pump()
        link.clog()
        self.network.pass_(FAREWELL_SECONDS - 0.1)
        self.assertNoResult(done)
        self.network.pass_(0.2)
        self.successResultOf(done)
        self.assertEqual(self.lines("left out"), [])
        self.network.assertNothingLeft(self.here, there)

    def test_restAndLost(self) -> None:
        """If the connection is lost meanwhile, it is over."""
        there, link, _, done = self.behind()
        link.cut()
        self.network.pass_(0.1)
        self.successResultOf(done)
        self.assertEqual(len(self.lines("the end was not pushed to rtmp://there/live: ")), 1)
        self.network.assertNothingLeft(self.here, there)

    def test_finishNothing(self) -> None:
        self.successResultOf(self.here.push.finish())

    def test_onlyThisOne(self) -> None:
        """Only what goes to this target ends."""
        there, other = self.there(), Host(self.network, "other")
        self.here.push.add("live", "rtmp://other/live")
        self.here.push.add("live", "rtmp://there/fixed/name")
        sources = [self.here.source(path) for path in ("live/a", "live/b")]
        for source in sources:
            source.send(key(0))
        self.network.pass_()
        done = self.here.push.remove("live", "rtmp://there/live")
        self.network.pass_()
        self.successResultOf(done)
        for source in sources:
            source.send(key(40))
        self.network.pass_()
        counts = {path: len(stored.messages) for path, stored in there.published}
        self.assertEqual(counts, {"live/a": 1, "live/b": 1, "fixed/name": 2})
        self.assertEqual({path: len(stored.messages) for path, stored in other.published}, {"live/a": 2, "live/b": 2})

    def test_addWhilePublished(self) -> None:
        """A target that is added is sent what is being published, as a late viewer is."""
        there, source = Host(self.network, "there"), self.here.source()
        waiting = self.hub.play("live/waiting", MemoryOutlet(), 1, lambda: None)
        source.send(*BEGINNING, key(0), inter(40), key(1000), inter(1040))
        self.here.push.add("live", "rtmp://there/live")
        self.network.pass_()
        source.send(inter(1080))
        self.network.pass_()
        self.assertEqual(len(there.published), 1)
        self.assertContent(there, *headersAt(1000), key(1000), inter(1040), inter(1080))
        waiting.stop()

    def test_removeAndAdd(self) -> None:
        """A target that is removed and added again is sent it again."""
        there, source = self.connected()
        done = self.here.push.remove("live", "rtmp://there/live")
        self.network.pass_()
        self.successResultOf(done)
        self.here.push.add("live", RTMPURL.parse("rtmp://there/live"))
        source.send(key(80))
        self.network.pass_()
        self.assertEqual(len(there.published), 2)
        self.assertContent(there, *headersAt(80), key(80))


class FailureTests(PushTestCase):
    """What should not happen."""

    def failed(self) -> list[str]:
        """The failures that were logged."""
        return [str(failure.value) for failure in self.flushLoggedErrors()]

    def test_connectFails(self) -> None:
        """A bug below is logged, ends this push, and leaves nothing behind."""

        def broken(url: RTMPURL, **options: Any) -> Deferred[Any]:
            raise ValueError("a bug")

        push = Push(self.hub, self.here.identity, self.network.clock, broken)
        self.hub.observers.append(push)
        push.add("live", "rtmp://there/live/key")
        source = self.here.source()
        source.send(key(0))
        self.successResultOf(push.finish())
        self.assertEqual(self.failed(), ["a bug"])
        self.assertEqual(len(self.lines("live/camera: push to rtmp://there/live has failed")), 1)
        source.end()
        self.network.assertNothingLeft(self.here)

    def test_cancelledAsAnError(self) -> None:
        """A connect that tells of its cancelling as of any other failure is not tried again."""
        attempts: list[Deferred[Any]] = []

        def slow(url: RTMPURL, **options: Any) -> Deferred[Any]:
            attempts.append(Deferred(lambda attempt: attempt.errback(ConnectionClosed("connect", "given up"))))
            return attempts[-1]

        push = Push(self.hub, self.here.identity, self.network.clock, slow)
        self.hub.observers.append(push)
        push.add("live", "rtmp://there/live/key")
        source = self.here.source()
        self.successResultOf(push.finish())
        source.end()
        self.network.pass_(LONGEST_DELAY)
        self.assertEqual((len(attempts), self.failed(), self.lines()), (1, [], []))
        self.network.assertNothingLeft(self.here)

    def test_sendFails(self) -> None:
        """The same, with a connection: it is closed."""
        there, source = self.there(), self.here.source()
        source.send(key(0))

        def broken(self_: object, data: bytes) -> int:
            raise ValueError("a bug")

        from rtmptw.relay.outlet import RelayOutlet

        self.patch(RelayOutlet, "offer", broken)
        self.network.pass_(1)
        self.assertEqual(self.failed(), ["a bug"])
        self.assertEqual(list(self.here.push._pushings), [])
        self.assertEqual(self.network.open, [])
        source.end()
        self.network.assertNothingLeft(self.here, there)


class SecretTests(PushTestCase):
    """What is in the URL of a target may be a key."""

    URL = "rtmp://me:PASSWORD@there/live?auth=QUERY/STREAMKEY?token=TOKEN"
    SECRETS = ("PASSWORD", "QUERY", "STREAMKEY", "TOKEN")

    def test_log(self) -> None:
        """Neither name nor query nor password is in the relay's log, whatever happens and whatever the target says."""
        text = "live/STREAMKEY?token=TOKEN is published already (user me, PASSWORD, auth=QUERY)"

        def refuse(stranger: Stranger, command: Any, id: int) -> None:
            stranger.status(status.BAD_NAME, "error", id, text)

        def reject(stranger: Stranger, command: Any, id: int) -> None:
            stranger.say(status.callError(command.transactionId, status.CONNECT_REJECTED, text))

        target = Strangers(self.network, "there")
        self.here.push.add("live", self.URL)
        source = self.here.source()
        for answers, seconds in (
            ({"publish": refuse}, 2),
            ({"connect": lambda *_: None}, CONNECT_SECONDS + 2),
            ({"connect": reject}, 2),
            ({"createStream": reject}, 4),
            ({}, 8),
        ):
            target.answers.clear()
            target.answers.update(answers)
            source.send(key(0))
            self.network.pass_(seconds)
        [link] = self.network.open
        link.clog()
        for index in range(12):
            source.send(key(index * 1000, MEGABYTE))
        self.network.pass_(1)
        link.drain()
        self.network.pass_(1)
        target.connections[-1].status(status.BAD_NAME, "error", text=text)
        self.network.pass_(1)
        source.end()
        self.network.pass_(1)
        lines = self.network.lines(room="rtmptw.relay.") + self.network.lines(room="rtmptw.live.")
        self.assertGreater(len(lines), 6)
        for line in lines:
            for secret in self.SECRETS:
                self.assertNotIn(secret, line)
        self.assertIn("is published already", "".join(lines))
        self.network.assertNothingLeft(self.here)


class LoopTests(PushTestCase):
    """Hostile row F13: relays in a circle."""

    def test_F13_eachOther(self) -> None:
        """A pushes to B, and B to A: B is refused by A, with a reason; the stream is at both, once."""
        there, source = self.there(), None
        there.push.add("live", "rtmp://here/live")
        source = self.here.source()
        source.send(*BEGINNING, key(0))
        self.network.pass_(5)
        source.send(inter(40))
        self.network.pass_()
        self.assertEqual((len(self.here.published), len(there.published)), (1, 1))
        self.assertContent(there, *BEGINNING, key(0), inter(40))
        reason = "the relays run in a circle: this stream comes from this server"
        self.assertIn(f"connect refused: NetConnection.Connect.Rejected: {reason}; again in", "".join(self.lines()))
        self.assertEqual(self.here.connects, [])
        source.end()
        self.network.pass_(1)
        self.assertEqual([len(stored.reasons) for _, stored in there.published], [1])
        self.network.pass_(30)
        self.network.assertNothingLeft(self.here, there)

    def test_F13_chain(self) -> None:
        """Through four servers it goes, and the fifth does not take it."""
        names = ["here", "b", "c", "d", "e", "f"]
        hosts = [self.here, *(Host(self.network, name) for name in names[1:])]
        for host, name in zip(hosts, names[1:], strict=False):
            host.push.add("live", f"rtmp://{name}/live")
        source = self.here.source()
        source.send(*BEGINNING, key(0))
        self.network.pass_(3)
        self.assertEqual([len(host.published) for host in hosts], [1, 1, 1, 1, 1, 0])
        self.assertEqual(hosts[4].hops, [tuple(host.identity for host in hosts[:4])])
        self.assertContent(hosts[4], *BEGINNING, key(0))
        self.assertIn("the stream has come through more than 4 servers; again in", "".join(self.lines()))

    def test_F13_three(self) -> None:
        """A circle of three ends where it began."""
        hosts = [self.here, Host(self.network, "b"), Host(self.network, "c")]
        for host, name in zip(hosts, ("b", "c", "here"), strict=True):
            host.push.add("live", f"rtmp://{name}/live")
        for host in hosts:
            source = host.source(f"live/{host.identity}")
            source.send(*BEGINNING, key(0))
        self.network.pass_(3)
        for host in hosts:
            self.assertEqual(sorted(path for path, _ in host.published), sorted(f"live/{h.identity}" for h in hosts))
