# -*- test-case-name: tests.hostile.test_application -*-
"""
An application that is broken, late, or gone: rows D12, F8, F9, F10. It is what other servers ask by HTTP.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import StatusError
from rtmptw.limits import Limits
from rtmptw.requests import Granted
from rtmptw.session import status
from tests.live.doubles import MemorySource
from tests.session.dialects import Application, Client, Stage, audio, command, connect, video

LIMITS = Limits()
VERDICT = int(LIMITS.verdictSeconds)

#: What is asked, and what is answered when the application has failed.
ANSWERS = {
    "connect": f"_error 1 {status.CONNECT_REJECTED}",
    "publish": f"onStatus@1 {status.FAILED}",
    "play": f"onStatus@1 {status.FAILED}",
}
COMMANDS = tuple(ANSWERS)


class Backend(ConnectionError):
    """What an application does not catch."""


def ask(stage: Stage, what: str, name: str = "test") -> Client:
    """Somebody wants this."""
    client = stage.client()
    client.shakeHands()
    client.send(connect(), command("createStream", 2))
    if what != "connect":
        client.send(command(what, 3, None, name, id=1))
    return client


class FailingTests(SynchronousTestCase):
    """The application can't decide: that is a no."""

    def assertRefused(self, client: Client, what: str) -> None:
        """It is told so, without what went wrong, and its connection is over."""
        self.assertEqual(client.told()[-1], ANSWERS[what])
        self.assertNotIn(b"password", b"".join(message.payload for message in client.heard))
        self.assertTrue(client.closing)

    def test_F8_raises(self) -> None:
        """Whatever it raises, at once or later: nothing is published or played; the next time it is asked again."""
        for what in COMMANDS:
            for isLate in (False, True):
                answer: Deferred[object] = Deferred()
                failure = Backend("password of the database")
                stage = Stage(self, Application(**{what: answer if isLate else failure}))
                client = ask(stage, what)
                if isLate:
                    self.assertFalse(client.closing)
                    answer.errback(failure)
                self.assertRefused(client, what)
                client.lose()
                self.assertEqual(len(self.flushLoggedErrors(Backend)), 1)
                self.assertEqual((stage.published, list(stage.factory.hub)), ([], []))
                stage.application.answers.clear()
                self.assertFalse(ask(stage, what).closing)

    def test_F8_othersGoOn(self) -> None:
        """Who publishes and plays already does not notice."""
        stage = Stage(self)
        publisher, player = stage.publisher(), stage.player()
        player.take()
        # A new one each time: one that is raised again and again has a longer and longer traceback.
        stage.application.answers = dict.fromkeys(COMMANDS, lambda request: Backend("away"))
        for timestamp in range(100):
            for what in COMMANDS:
                self.assertTrue(ask(stage, what, "other").closing)
            publisher.send(video(timestamp))
            self.assertEqual(player.told(), [f"VIDEO@1 {timestamp}"])
        self.assertEqual(len(self.flushLoggedErrors(Backend)), 300)

    def test_F8_strangeAnswers(self) -> None:
        """A yes for a stream that has no name, or one that can't be, is a no."""
        for path in ("", "/", "..", "a/../b", "x" * 300, "a\0b"):
            stage = Stage(self, Application(publish=Granted(path), play=Granted(path)))
            for what in ("publish", "play"):
                self.assertTrue(ask(stage, what).closing)
            self.assertEqual(list(stage.factory.hub), [])


class LateTests(SynchronousTestCase):
    """The application takes its time."""

    def test_F9_never(self) -> None:
        """After half a minute it is not waited for any more; what came meanwhile was held, and not much of it."""
        for what in COMMANDS:
            asked: Deferred[object] = Deferred()
            stage = Stage(self, Application(**{what: asked}))
            client = ask(stage, what)
            client.send(*[video(n, bytes(1000), id=1) for n in range(50)])
            stage.pass_(VERDICT - 1)
            self.assertFalse(client.closing)
            stage.pass_(1)
            self.assertTrue(client.closing)
            self.assertTrue(asked.called)
            client.lose()
            self.assertEqual((stage.published, list(stage.factory.hub)), ([], []))

    def test_F9_flood(self) -> None:
        """Meanwhile it is read only up to a bound: what comes later waits at the sender."""
        asked: Deferred[object] = Deferred()
        stage = Stage(self, Application(publish=asked))
        client = ask(stage, "publish")
        sent = 0
        while client.transport.producerState == "producing":
            client.send(video(sent, bytes(1000)))
            sent += 1
            self.assertLess(sent, 1000)
        self.assertApproximates(sent * 1000, LIMITS.heldBytes, 3000)
        asked.callback(None)
        self.assertEqual(client.transport.producerState, "producing")
        self.assertEqual(len(stage.published[0].messages), sent)

    def test_F9_othersGoOn(self) -> None:
        """A hundred wait for it; those who do not have to wait do not."""
        stage = Stage(self)
        publisher, player = stage.publisher(), stage.player()
        player.take()
        stage.application.answers = {"publish": lambda request: Deferred()}
        waiting = [ask(stage, "publish", f"late{number}") for number in range(100)]
        for second in range(VERDICT + 1):
            publisher.send(video(second))
            self.assertEqual(player.told(), [f"VIDEO@1 {second}"])
            self.assertIn("onStatus@1 NetStream.Play.Start", ask(stage, "play").told())
            stage.pass_(1)
        self.assertEqual([client.closing for client in waiting], [True] * 100)
        self.assertEqual(len(list(stage.factory.hub)), 1)

    def test_F9_lateYes(self) -> None:
        """A yes that comes after its time changes nothing."""
        asked: Deferred[object] = Deferred(lambda deferred: None)
        stage = Stage(self, Application(publish=asked))
        client = ask(stage, "publish")
        stage.pass_(VERDICT)
        self.assertTrue(client.closing)
        if not asked.called:
            asked.callback(None)
        client.lose()
        self.assertEqual((stage.published, list(stage.factory.hub)), ([], []))
        self.assertEqual(stage.clock.getDelayedCalls(), [])


class GoneTests(SynchronousTestCase):
    """The client does not wait for the answer."""

    def setUp(self) -> None:
        self.asked: Deferred[object] = Deferred()
        self.stage = Stage(self, Application(publish=self.asked, play=self.asked))

    def assertNoGhost(self) -> None:
        """The name is free, nobody is in the hub, and nothing is to happen."""
        self.assertEqual(list(self.stage.factory.hub), [])
        self.assertEqual(self.stage.clock.getDelayedCalls(), [])
        self.assertEqual(len(self.stage.lines()), 1)
        self.stage.application.answers.clear()
        self.stage.publisher()

    def test_F10_yes(self) -> None:
        """What it had sent is passed on, and the stream ends: once begun, once ended."""
        client = ask(self.stage, "publish")
        client.send(audio(1), video(2), audio(3))
        client.lose()
        self.stage.pass_(5)
        self.asked.callback(None)
        [published] = self.stage.published
        self.assertEqual([message.timestamp for message in published.messages], [1, 2, 3])
        self.assertEqual((len(published.ends), published.messagesAtEnd), (1, 3))
        self.assertNoGhost()

    def test_F10_no(self) -> None:
        client = ask(self.stage, "publish")
        client.send(audio(1))
        client.lose()
        self.asked.errback(StatusError("not you"))
        self.assertEqual(self.stage.published, [])
        self.assertNoGhost()

    def test_F10_never(self) -> None:
        """Nobody decides about somebody who is not there: it is over after the same time."""
        client = ask(self.stage, "publish")
        client.send(audio(1))
        client.lose()
        self.stage.pass_(VERDICT)
        self.assertEqual(self.stage.published, [])
        self.assertNoGhost()

    def test_F10_player(self) -> None:
        """Who wanted to play and has gone is no viewer, and nothing is fetched for it."""
        source = MemorySource()
        self.stage.factory.hub.sources.append(source)
        ask(self.stage, "play").lose()
        self.asked.callback(None)
        self.assertIn(source.told, ([], [("live/test", ()), "live/test"]))
        self.assertNoGhost()


class OneAuthoriserTests(SynchronousTestCase):
    """There is no way to a stream but by the application."""

    def setUp(self) -> None:
        self.stage = Stage(self, Application(play=StatusError("no"), publish=StatusError("no")))
        self.source = MemorySource()
        self.stage.factory.hub.sources.append(self.source)

    def assertAsked(self, *asked: tuple[str, str]) -> None:
        """It was asked this, and nothing came of it: no stream, nothing fetched, nobody told of a publish."""
        self.assertEqual(self.stage.application.asked, [*asked])
        self.assertEqual((list(self.stage.factory.hub), self.source.told, self.stage.published), ([], [], []))

    def test_D12_play(self) -> None:
        """No viewer, and nothing is fetched for one that is refused."""
        ask(self.stage, "play")
        self.assertAsked(("play", "live/test"))

    def test_D12_publish(self) -> None:
        """No observer (a recorder, a push) is told of a publish that is refused; nor is its media anybody's."""
        client = ask(self.stage, "publish")
        client.send(audio(1), video(1))
        self.assertAsked(("publish", "live/test"))

    def test_D12_everyWayToAsk(self) -> None:
        """However the name is written, in whichever command, over whichever message stream: the same question."""
        for app, name in (
            ("live", "test"),
            ("live/test", ""),
            ("live", "mp4:test"),
            ("live/", "/test?x"),
            ("", "live/test"),
        ):
            for id in (1, 2, 7):
                self.stage.application.requests.clear()
                client = self.stage.connected(app)
                client.send(command("createStream", 2), command("FCSubscribe", 3, None, name))
                client.send(command("getStreamLength", 4, None, name))
                self.assertAsked()
                client.send(command("play", 5, None, name, id=id))
                self.assertAsked(("play", "live/test"))

    def test_D12_commandsThatAskNobody(self) -> None:
        """Commands about what is played do nothing for somebody who does not play."""
        client = self.stage.connected()
        client.send(command("createStream", 2))
        for name in ("play2", "pause", "seek", "receiveVideo", "receiveAudio", "FCSubscribe", "getStreamLength"):
            client.send(command(name, 5, None, "test", id=1))
        client.send(audio(1), video(1))
        self.assertAsked()

    def test_D12_theNextToo(self) -> None:
        """Who may play one stream may not play another on the same connection, unasked; nor publish."""
        self.stage.application.answers["play"] = lambda request: request.path == "live/free"
        for what in ("play", "publish"):
            client = self.stage.player("free")
            client.send(command("createStream", 4), command(what, 5, None, "secret", id=2))
            self.assertTrue(client.closing)
            client.lose()
        client = self.stage.player("free")
        client.send(command("play", 5, None, "secret", id=1))
        self.assertTrue(client.closing)
        client.lose()
        self.assertEqual([path for path, *_ in map(_told, self.source.told)], ["live/free"] * 6)


def _told(told: object) -> tuple[str, ...]:
    """What a source was told: the path first."""
    return (told,) if isinstance(told, str) else (told[0],)  # type: ignore[index]
