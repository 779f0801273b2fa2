# -*- test-case-name: tests.hostile.test_takeovers -*-
"""
Names that are somebody's: rows D5 and F1.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import StatusError
from rtmptw.limits import Limits
from rtmptw.live.busy import SILENT_SECONDS, Busy
from rtmptw.live.hub import StreamHub
from rtmptw.live.livestream import GRACE_SECONDS
from rtmptw.live.rounds import FlushTimes
from rtmptw.requests import Granted, PublishRequest
from rtmptw.server import RTMPServerFactory
from tests.session.dialects import Application, Client, Stage, audio, command, connect, video

LIMITS = Limits()
STARTED = "onStatus@1 NetStream.Publish.Start"
TAKEN = "onStatus@1 NetStream.Publish.BadName"


class Known(Application):
    """An application that knows who somebody is by the user in his query."""

    def publishRequested(self, request: object) -> object:
        answer = super().publishRequested(request)
        assert isinstance(request, PublishRequest)
        return Granted(request.path, request.parameter("user") or "") if answer is None else answer


class TakeoverCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.stage = Stage(self, Known())
        # Those of most tests end with their publishers.
        hub = StreamHub(self.stage.clock, FlushTimes(0, 0))
        self.stage.factory = RTMPServerFactory(self.stage.application, hub, self.stage.clock)
        self.player = self.stage.player("camera")
        self.player.take()

    def publish(self, user: str, step: Callable[[], object] = lambda: None) -> Client:
        """Somebody publishes the name, or wants to."""
        client = self.stage.client()
        client.shakeHands()
        client.send(connect(), command("createStream", 2))
        client.take()
        step()
        client.send(command("publish", 3, None, f"camera?user={user}" if user else "camera", "live", id=1))
        return client

    def live(self, user: str) -> Client:
        """Somebody has published it, and sends."""
        client = self.publish(user)
        self.assertEqual(client.told()[-1], STARTED)
        client.send(video(0))
        self.assertEqual(self.player.told()[-1], "VIDEO@1 0")
        return client

    def pass_(self, seconds: int, client: Client) -> None:
        """Seconds pass in which this one goes on."""
        for second in range(seconds):
            client.send(video((second + 1) * 1000))
            for quarter in range(4):
                self.stage.clock.advance(0.25)
                client.send(audio((second + 1) * 1000 + quarter * 250))

    def assertRefused(self, client: Client) -> None:
        """It is told so, and its connection is over; nobody has seen anything of it."""
        self.assertEqual(client.told()[-1], TAKEN)
        self.assertTrue(client.closing)


class NameTests(TakeoverCase):
    """A second publisher of a name."""

    def test_D5_anotherPrincipal(self) -> None:
        """Never: not while it is sent, not when it is silent, not while it is awaited; whatever the rule is."""
        for busy in Busy:
            self.setUp()
            self.stage.factory.hub.busy = busy
            first = self.live("alice")
            for other in ("bob", ""):
                self.assertRefused(self.publish(other))
            self.stage.pass_(int(SILENT_SECONDS) + 1)
            self.assertRefused(self.publish("bob"))
            first.lose()
            self.assertRefused(self.publish("bob"))
            self.assertFalse(self.player.closing)
            self.assertEqual(self.publish("alice").told()[-1], STARTED)

    def test_D5_afterIt(self) -> None:
        """When it is over, the name is free for everybody."""
        self.live("alice").lose()
        self.stage.pass_(int(GRACE_SECONDS) + 1)
        self.assertEqual(self.publish("bob").told()[-1], STARTED)

    def test_D5_alive(self) -> None:
        """The same principal, but what is there is sent: it keeps the name, and its viewer."""
        first = self.live("alice")
        second = self.publish("alice")
        self.pass_(2, first)
        self.assertRefused(second)
        self.assertFalse(first.closing)
        self.assertEqual(self.player.told()[-1], "AUDIO@1 2750")

    def test_D5_silent(self) -> None:
        """The same principal, and silence: the old connection goes, and the viewer does not notice."""
        first = self.live("alice")
        second = self.publish("alice")
        second.assertSilent()
        self.stage.pass_(int(SILENT_SECONDS) + 1)
        self.assertEqual(second.told()[-1], STARTED)
        self.assertTrue(first.closing)
        second.send(video(0))
        self.assertEqual([word.split()[0] for word in self.player.told()], ["VIDEO@1"])
        self.assertFalse(self.player.closing)

    def test_D5_refuse(self) -> None:
        """Where the operator wants it so, nobody takes over anything."""
        self.stage.factory.hub.busy = Busy.REFUSE
        first = self.live("alice")
        self.stage.pass_(int(SILENT_SECONDS) + 1)
        self.assertRefused(self.publish("alice"))
        self.assertFalse(first.closing)

    def test_D5_applicationFirst(self) -> None:
        """Before the application has agreed nothing happens to the one that is there; nor if it does not."""
        first = self.live("alice")
        asked: Deferred[object] = Deferred()

        def ask() -> None:
            self.stage.application.answers["publish"] = asked

        second = self.publish("alice", ask)
        self.stage.pass_(int(SILENT_SECONDS) + 2)
        self.assertFalse(first.closing)
        asked.errback(StatusError("no"))
        self.assertEqual((first.closing, second.closing), (False, True))
        first.send(video(40))
        self.assertEqual(self.player.told()[-1], "VIDEO@1 40")


class GoneTests(TakeoverCase):
    """A publisher disappears without a word: a cable that was pulled."""

    def test_F1_pinged(self) -> None:
        """It is asked whether it is there, and then it is gone; the viewer waits for it for a while."""
        client = self.live("alice")
        self.stage.pass_(int(LIMITS.pingSeconds))
        self.assertEqual([word.split()[0] for word in client.told()], ["PING_REQUEST"])
        self.stage.pass_(int(LIMITS.silenceSeconds - LIMITS.pingSeconds) - 1)
        self.assertFalse(client.closing)
        self.stage.pass_(1)
        self.assertTrue(client.closing)
        self.assertFalse(self.player.closing)
        self.stage.pass_(int(GRACE_SECONDS) + 1)
        self.assertTrue(self.player.closing)
        self.assertIn("onStatus@1 NetStream.Play.UnpublishNotify", self.player.told())

    def test_F1_back(self) -> None:
        """It comes back by another connection, before the server has noticed or after that: the stream goes on."""
        for seconds in (1, 3, 8, int(LIMITS.silenceSeconds) + 5):
            self.setUp()
            gone = self.live("alice")
            self.stage.pass_(seconds)
            client = self.publish("alice")
            self.stage.pass_(int(SILENT_SECONDS))
            self.assertEqual(client.told()[-1], STARTED)
            self.assertTrue(gone.closing)
            client.send(video(0), audio(1))
            self.stage.pass_(1)
            # A time further back would stop players.
            times = [message.timestamp for message in self.player.take() if message.type == 9]
            self.assertGreaterEqual(times[-1], 0)
            self.assertEqual(len(times), 1)
            self.assertFalse(self.player.closing)
            client.send(video(40))
            [later] = [message.timestamp for message in self.player.take() if message.type == 9]
            self.assertEqual(later - times[0], 40)
