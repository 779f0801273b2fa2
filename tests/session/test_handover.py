"""
Tests for publishers that come back, as they and their viewers see it: by the same connection, by another one, while the
old one hangs.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.live.busy import LOOK_SECONDS, SAME_SILENT_SECONDS, SILENT_SECONDS, Busy
from rtmptw.live.livestream import GRACE_SECONDS
from rtmptw.requests import Granted
from tests.session.dialects import Application, Client, Stage, TCPTransport, audio, command, connect, video

PUBLISH = command("publish", 3, None, "test", "live", id=1)
START = "onStatus@1 NetStream.Publish.Start"
OVER = "onStatus@1 NetStream.Play.UnpublishNotify"


class HandoverTests(SynchronousTestCase):
    """A server whose streams outlive their publishers."""

    def setUp(self) -> None:
        self.stage = Stage(self)
        self.stage.factory.hub.grace = GRACE_SECONDS
        self.publisher = self.stage.publisher()
        self.player = self.stage.player()
        self.publisher.send(video(0), audio(1))
        self.player.told()

    def again(self, client: Client | None = None) -> Client:
        """Publish the same name, by the same or another connection."""
        client = client or self.stage.connected()
        client.send(command("createStream", 2), PUBLISH)
        return client

    def watch(self, client: Client) -> list[str]:
        """What the player is told when this publisher sends something."""
        client.send(video(40))
        return self.player.told()

    def test_lost(self) -> None:
        """A connection that is lost: the player knows nothing of it, and goes on with the next one."""
        self.publisher.lose()
        self.stage.pass_(int(GRACE_SECONDS) - 1)
        self.assertEqual(self.player.told(), [])
        second = self.again()
        self.assertEqual(second.told()[-1], START)
        self.assertEqual(len(self.watch(second)), 1)
        self.assertEqual(len(self.stage.published), 1)

    def test_lostForGood(self) -> None:
        """Nobody comes back: the player is told the end."""
        self.publisher.lose()
        self.stage.pass_(int(GRACE_SECONDS) + 1)
        self.assertEqual(self.player.told()[:1], [OVER])

    def test_saidAndLeft(self) -> None:
        """Who says the end and leaves has ended: nobody waits for him."""
        for words in (
            [command("FCUnpublish", 6, None, "test"), command("deleteStream", 7, None, 1)],
            [command("closeStream", 6, None, id=1)],
            [command("deleteStream", 6, None, 1)],
            [command("publish", 6, None, False, id=1)],
        ):
            self.publisher.send(*words)
            self.stage.pass_(1)
            self.assertEqual(self.player.told(), [])
            self.publisher.lose()
            self.stage.pass_(1)
            self.assertEqual(self.player.told()[:1], [OVER])
            self.publisher = self.stage.publisher()
            self.player = self.stage.player()
            self.publisher.send(video(0), audio(1))
            self.player.told()

    def test_sameConnection(self) -> None:
        """Who says the end and publishes again, on the same connection, goes on."""
        self.publisher.send(command("FCUnpublish", 6, None, "test"), command("deleteStream", 7, None, 1))
        self.stage.pass_(3)
        self.publisher.send(command("createStream", 8), command("publish", 9, None, "test", "live", id=2))
        self.assertIn("onStatus@2 NetStream.Publish.Start", self.publisher.told())
        self.publisher.send(video(40, id=2))
        self.assertEqual(len(self.player.told()), 1)
        self.publisher.lose()
        self.stage.pass_(1)
        # He has said the end of the one before, not of this one.
        self.assertEqual(self.player.told(), [])

    def test_withoutEnding(self) -> None:
        """Who publishes the same name on another message stream, without a word about the first, goes on there."""
        self.publisher.send(command("createStream", 8), command("publish", 9, None, "test", "live", id=2))
        self.assertIn("onStatus@2 NetStream.Publish.Start", self.publisher.told())
        self.publisher.send(video(40, id=2))
        self.assertEqual(len(self.player.told()), 1)

    def test_F1_hangs(self) -> None:
        """The old connection hangs, and nobody has noticed: the name is free as soon as it has been silent for long."""
        self.stage.pass_(int(SILENT_SECONDS))
        second = self.again()
        self.stage.clock.advance(0)
        self.assertEqual(second.told()[-1], START)
        self.assertEqual(len(self.watch(second)), 1)
        self.publisher.take()
        self.assertIn(b"another connection publishes live/test", self.publisher.heard[-1].payload)
        self.assertTrue(self.publisher.transport.disconnecting)

    def test_F1_hangsAtOnce(self) -> None:
        """Who is back before that waits, and nothing that he sends meanwhile is lost."""
        second = self.again()
        second.send(video(40))
        self.assertNotIn(START, second.told())
        self.assertEqual(self.player.told(), [])
        for _ in range(int(SILENT_SECONDS / LOOK_SECONDS)):
            self.stage.clock.advance(LOOK_SECONDS)
        self.assertIn(START, second.told())
        self.assertEqual(len(self.player.told()), 1)

    def test_F1_sameAddress(self) -> None:
        """Who comes back from the same address waits for a moment; from another one, longer."""
        self.stage.clock.advance(SAME_SILENT_SECONDS)
        client = self.stage.client(TCPTransport("192.0.2.1"))
        client.shakeHands()
        client.send(connect())
        other = self.again(client)
        self.assertNotIn(START, other.told())
        second = self.again()
        self.stage.clock.advance(0)
        self.assertEqual(second.told()[-1], START)
        for _ in range(int(SILENT_SECONDS / LOOK_SECONDS)):
            self.stage.clock.advance(LOOK_SECONDS)
        self.assertIn(START, other.told())

    def test_F1_sharedAddress(self) -> None:
        """Whose address is trusted may be anybody behind that: nobody is taken for the same."""
        first = self.stage.client(TCPTransport("127.0.0.1"))
        first.shakeHands()
        first.send(connect(), command("createStream", 2), command("publish", 3, None, "shared", "live", id=1))
        self.stage.clock.advance(SAME_SILENT_SECONDS)
        second = self.stage.client(TCPTransport("127.0.0.1"))
        second.shakeHands()
        second.send(connect(), command("createStream", 2), command("publish", 3, None, "shared", "live", id=1))
        self.stage.clock.advance(LOOK_SECONDS)
        self.assertNotIn(START, second.told())
        for _ in range(int(SILENT_SECONDS / LOOK_SECONDS)):
            self.stage.clock.advance(LOOK_SECONDS)
        self.assertIn(START, second.told())

    def test_D5_refused(self) -> None:
        """One that is heard keeps the name; who wants it is told why not."""
        second = self.again()
        self.stage.clock.advance(0.1)
        self.publisher.send(video(40))
        self.stage.clock.advance(LOOK_SECONDS)
        self.assertEqual(second.told()[-1], "onStatus@1 NetStream.Publish.BadName")
        self.assertTrue(second.transport.disconnecting)

    def test_replace(self) -> None:
        """By another rule, it is taken from him all the same."""
        self.stage.factory.hub.busy = Busy.REPLACE
        second = self.again()
        self.assertEqual(second.told()[-1], START)
        self.assertTrue(self.publisher.transport.disconnecting)
        self.assertEqual(len(self.watch(second)), 1)

    def test_leavesMeanwhile(self) -> None:
        """Who waits for the name and leaves is decided about all the same: what he has sent is passed on."""
        second = self.again()
        second.send(video(40))
        second.lose()
        self.stage.pass_(3)
        self.assertEqual(len(self.player.told()), 1)
        self.stage.pass_(int(GRACE_SECONDS) + 1)
        self.assertEqual(self.player.told()[:1], [OVER])


class ManyTests(SynchronousTestCase):
    """Connections that publish more than one stream."""

    def setUp(self) -> None:
        self.stage = Stage(self)
        self.stage.factory.hub.grace = GRACE_SECONDS

    def test_othersGoOn(self) -> None:
        """Who loses one name to another connection keeps the others, and is told which one it was."""
        self.stage.factory.hub.busy = Busy.REPLACE
        both = self.stage.publisher("one")
        both.send(command("createStream", 4), command("publish", 5, None, "two", "live", id=2))
        both.take()
        self.stage.publisher("one")
        self.assertEqual(both.told(), ["onStatus@1 NetConnection.Connect.Closed"])
        self.assertFalse(both.closing)
        both.send(video(0, id=2))
        self.assertEqual([len(stored.messages) for stored in self.stage.published if stored.path == "live/two"], [1])

    def test_F26_manyEnds(self) -> None:
        """Who publishes one name after the other leaves nothing of those that are over."""
        client = self.stage.connected()
        for number in range(20):
            name = f"test{number}"
            client.send(command("publish", 3, None, name, "live", id=1))
            self.assertIn(START, client.told())
            self.stage.pass_(2)
            client.send(command("closeStream", 4, None, id=1))
            self.stage.pass_(12)
        self.assertEqual(len(client.protocol.session._said), 1)
        self.assertEqual(list(self.stage.factory.hub), [])


class PrincipalTests(SynchronousTestCase):
    """Who has proven to be whom."""

    def test_D5_takeOver(self) -> None:
        """A name is taken over by the same one only, and only once the application has said yes."""
        answers = [Granted("live/test", "alice"), Granted("live/test", "bob"), Granted("live/test", "alice")]
        stage = Stage(self, Application(publish=lambda request: answers.pop(0)))
        stage.factory.hub.grace = GRACE_SECONDS
        alice = stage.publisher()
        alice.send(video(0))
        stage.pass_(int(SILENT_SECONDS))
        bob = stage.connected()
        bob.send(command("createStream", 2), PUBLISH)
        self.assertEqual(bob.told()[-1], "onStatus@1 NetStream.Publish.BadName")
        again = stage.connected()
        again.send(command("createStream", 2), PUBLISH)
        stage.clock.advance(0)
        self.assertEqual(again.told()[-1], START)
