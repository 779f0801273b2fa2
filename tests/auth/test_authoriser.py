# -*- test-case-name: tests.auth.test_authoriser -*-
"""
Tests for L{rtmptw.auth.authoriser}.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.internet.testing import EventLoggingObserver
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rtmptw.auth.addresses import AddressList, readRange
from rtmptw.auth.authoriser import Authoriser
from rtmptw.auth.failures import FAILURE_SECONDS, LONGEST_DELAY, SHORTEST_DELAY
from rtmptw.auth.keyfile import KeyFile, keyLine
from rtmptw.auth.principal import proven
from rtmptw.auth.rule import Rule, WrongProof
from rtmptw.auth.streamkeys import KeyIsNoName, StreamKeys
from rtmptw.errors import StatusError
from rtmptw.interfaces import IApplication
from rtmptw.limits import Limits, Reached
from rtmptw.requests import ConnectRequest, Granted, PlayRequest, PublishRequest, StreamRequest
from rtmptw.wire import amf0
from tests.session.dialects import Application, Client, Stage, command, connect, video

HERE, THERE = "192.0.2.1:4000", "192.0.2.2:4000"


class Says:
    """
    A rule that says what it was told to.

    @ivar asked: what it was asked.
    """

    def __init__(self, answer: object = None, guessable: bool = True) -> None:
        self.answer = answer
        self.guessable = guessable
        self.asked: list[tuple[str, str]] = []

    async def check(self, action: str, request: StreamRequest) -> StreamRequest:
        """Raise it, wait for it, put it in the place of the path; or say yes."""
        self.asked.append((action, request.path))
        answer = self.answer
        if isinstance(answer, Deferred):
            answer = await answer
        if isinstance(answer, Exception):
            raise answer
        return replace(request, path=answer) if isinstance(answer, str) else request


class AuthoriserTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.inner = Application()
        self.log = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)

    def make(self, *publish: Rule, play: tuple[Rule, ...] = (), addresses: tuple[str, ...] = ()) -> Authoriser:
        """What is under test; networks are denied."""
        denied = AddressList(tuple(readRange(text, False) for text in addresses))
        return Authoriser(self.clock, denied, publish, play, self.inner)

    def publish(self, authoriser: Authoriser, peer: str = HERE) -> Deferred[object]:
        """Publish."""
        request = PublishRequest(ConnectRequest(peer, "live"), "live/x", "a=b", "record")
        return maybeDeferred(authoriser.publishRequested, request)

    def play(self, authoriser: Authoriser, peer: str = HERE) -> Deferred[object]:
        """Play."""
        return maybeDeferred(authoriser.playRequested, PlayRequest(ConnectRequest(peer, "live"), "live/x", "", 5.0))

    def refusal(self, answer: Deferred[object]) -> str:
        """Why not."""
        return str(self.failureResultOf(answer, StatusError).value)

    def lines(self) -> list[str]:
        """What was logged."""
        return [formatEvent(event) for event in self.log]

    def test_interface(self) -> None:
        self.assertTrue(verifyObject(IApplication, self.make()))

    def test_default(self) -> None:
        """Without anything everybody may."""
        authoriser = Authoriser(self.clock)
        self.assertIsNone(authoriser.connectRequested(ConnectRequest(HERE, "live")))
        for ask in (self.publish, self.play):
            self.assertIsNone(self.successResultOf(ask(authoriser)))

    def test_order(self) -> None:
        """One rule after the other, each when the one before agrees; then the application."""
        wait: Deferred[None] = Deferred()
        first, second = Says(wait), Says()
        answer = self.publish(self.make(first, second))
        self.assertEqual((first.asked, second.asked, self.inner.requests), ([("publish", "live/x")], [], []))
        wait.callback(None)
        self.assertIsNone(self.successResultOf(answer))
        self.assertEqual((second.asked, self.inner.asked), ([("publish", "live/x")], [("publish", "live/x")]))

    def test_refusal(self) -> None:
        """The first no is the answer, and at once if it is no guess; nobody else is asked."""
        second = Says()
        answer = self.publish(self.make(Says(StatusError("no")), second))
        self.assertEqual((self.refusal(answer), second.asked, self.inner.requests), ("no", [], []))

    def test_separate(self) -> None:
        """Rules for publishing are none for playing."""
        authoriser = self.make(Says(StatusError("no")), play=(Says(),))
        self.refusal(self.publish(authoriser))
        self.assertIsNone(self.successResultOf(self.play(authoriser)))
        authoriser = self.make(Says(), play=(Says(StatusError("no")),))
        self.assertIsNone(self.successResultOf(self.publish(authoriser)))
        self.assertEqual(self.refusal(self.play(authoriser)), "no")

    def test_otherPath(self) -> None:
        """What a rule makes of the path is what all behind it see, and what is granted."""
        second = Says()
        authoriser = self.make(Says("live/public"), second, play=(Says("live/public"),))
        self.assertEqual(self.successResultOf(self.publish(authoriser)), Granted("live/public"))
        self.assertEqual(second.asked, [("publish", "live/public")])
        self.assertEqual(self.successResultOf(self.play(authoriser)), Granted("live/public"))
        connect = ConnectRequest(HERE, "live")
        expected = [
            ("publish", PublishRequest(connect, "live/public", "a=b", "record")),
            ("play", PlayRequest(connect, "live/public", "", 5.0)),
        ]
        self.assertEqual(self.inner.requests, expected)

    def test_applicationBehind(self) -> None:
        """It may refuse, or grant yet another path."""
        authoriser = self.make(Says("live/public"))
        rows: list[tuple[object, object]] = [
            (False, False),
            (Granted("live/z"), Granted("live/z")),
            (Granted("live/z", "user bob"), Granted("live/z", "user bob")),
            (None, Granted("live/public")),
            (True, Granted("live/public")),
        ]
        for says, answer in rows:
            self.inner.answers["publish"] = says
            self.assertEqual(self.successResultOf(self.publish(authoriser)), answer)
        self.inner.answers["publish"] = StatusError("not today")
        self.assertEqual(self.refusal(self.publish(authoriser)), "not today")
        self.inner.answers = {"publish": 5}
        self.assertEqual(self.successResultOf(self.publish(self.make())), 5)

    def test_principal(self) -> None:
        """Who it is goes to all behind, and is granted, with the same path or another one."""

        class Knows(Says):
            async def check(self, action: str, request: StreamRequest) -> StreamRequest:
                """Somebody has proven to be this."""
                return proven(await super().check(action, request), "user bob")

        authoriser = self.make(Knows(), play=(Knows("live/public"),))
        self.assertEqual(self.successResultOf(self.publish(authoriser)), Granted("live/x", "user bob"))
        self.assertEqual(self.successResultOf(self.play(authoriser)), Granted("live/public", "user bob"))
        principals = [request.principal for _, request in self.inner.requests if isinstance(request, StreamRequest)]
        self.assertEqual(principals, ["user bob"] * 2)

    def test_connect(self) -> None:
        """The application behind decides, unless the peer may neither publish nor play."""
        self.inner.answers["connect"] = 5
        request = ConnectRequest(HERE, "live")
        for denied in ((), ("publish:all",), ("play:all",), ("198.51.100.0/24",)):
            self.assertEqual(self.make(addresses=denied).connectRequested(request), 5)
        error = self.assertRaises(StatusError, self.make(addresses=("192.0.2.0/24",)).connectRequested, request)
        self.assertEqual(str(error), "nobody may connect from 192.0.2.1")

    def test_addresses(self) -> None:
        """They come first, and are no guess."""
        rule = Says()
        authoriser = self.make(rule, addresses=("publish:192.0.2.1",))
        self.assertEqual(self.refusal(self.publish(authoriser)), "nobody may publish from 192.0.2.1")
        self.assertEqual(rule.asked, [])
        self.assertIsNone(self.successResultOf(self.publish(authoriser, THERE)))
        self.assertIsNone(self.successResultOf(self.play(authoriser)))
        authoriser = self.make(addresses=("play:192.0.2.1",))
        self.assertEqual(self.refusal(self.play(authoriser)), "nobody may play from 192.0.2.1")
        # One address, and not all that are counted as one.
        authoriser = self.make(addresses=("2001:db8::7",))
        self.assertEqual(self.refusal(self.play(authoriser, "[2001:db8::7]:1")), "nobody may play from 2001:db8::7")
        authoriser = self.make(addresses=("unix",))
        self.assertEqual(
            self.refusal(self.play(authoriser, "UNIXAddress(None)")), "nobody may play from UNIXAddress(None)"
        )

    def test_D13_delay(self) -> None:
        """What may be a guess is answered after a random while; the log says at once what it was."""
        for byte, delay in ((b"\0", SHORTEST_DELAY), (b"\xff", LONGEST_DELAY)):

            def random(count: int, byte: bytes = byte) -> bytes:
                return byte * count

            rule = Says(WrongProof("wrong", "the remark"))
            authoriser = Authoriser(self.clock, None, [rule], (), self.inner, random)
            answer = self.publish(authoriser)
            self.assertEqual(self.lines()[-1], f"{HERE}: may not publish: the remark")
            self.clock.advance(delay - 0.01)
            self.assertNoResult(answer)
            self.clock.advance(0.02)
            self.assertEqual(self.refusal(answer), "wrong")
        self.assertEqual(self.inner.requests, [])

    def test_D13_failures(self) -> None:
        """So many, counted when they come, whatever they are for; then nobody from there is heard for a while."""
        rule: Callable[[], Rule] = lambda: Says(WrongProof("wrong", "x"))  # noqa: E731
        play, right = Says(), Says()
        authoriser = self.make(rule(), play=(play,))
        answers = [self.publish(authoriser) for _ in range(10)]
        for ask in (self.publish, self.play):
            words = f"too many wrong tries from 192.0.2.1; try again in {FAILURE_SECONDS:g} s"
            self.assertEqual(self.refusal(ask(authoriser)), words)
        self.assertEqual(play.asked, [])
        self.assertIsNone(self.successResultOf(self.play(authoriser, THERE)))
        self.clock.advance(FAILURE_SECONDS)
        for answer in answers:
            self.assertEqual(self.refusal(answer), "wrong")
        self.assertIsNone(self.successResultOf(self.play(authoriser)))
        # Where nothing can be guessed, nobody is kept out.
        authoriser = self.make(rule(), play=())
        for _ in range(10):
            self.publish(authoriser).addErrback(lambda _: None)
        self.assertIsNone(self.successResultOf(self.play(authoriser)))
        self.assertEqual(right.asked, [])

    def test_wrongProofs(self) -> None:
        """So many, and no fewer; and each who is not heard for it counts."""
        for most in (1, 3, 12):
            reached = Reached()
            rule = Says(WrongProof("wrong", "x"))
            limits = Limits(wrongProofs=most)
            authoriser = Authoriser(self.clock, None, [rule], (), self.inner, limits=limits, reached=reached)
            for count in range(1, most + 3):
                answer = self.publish(authoriser)
                if count <= most:
                    self.assertNoResult(answer)
                    answer.addErrback(lambda _: None)
                else:
                    self.assertIn("too many wrong tries", self.refusal(answer))
                self.assertEqual(
                    (len(rule.asked), reached.counts["wrongProofs"]), (min(count, most), max(0, count - most))
                )
            self.clock.advance(FAILURE_SECONDS)

    def test_neighbour(self) -> None:
        """
        One who is wrong too often keeps out those who may be guessing, of all that come from there; and nobody who has
        what can't be guessed, or is not asked for anything.
        """
        reached = Reached()
        wrong, right = WrongProof("wrong", "x"), Says(guessable=False)
        key, password = Says(wrong, guessable=False), Says()
        authoriser = Authoriser(self.clock, None, [key], [right], self.inner, reached=reached)
        for _ in range(10):
            self.publish(authoriser).addErrback(lambda _: None)
        self.assertEqual(reached.counts, {})
        # Who is wrong once more is not heard, and waits no time.
        self.assertIn("too many wrong tries", self.refusal(self.publish(authoriser)))
        self.assertEqual((len(key.asked), reached.counts), (11, {"wrongProofs": 1}))
        key.answer = None
        self.assertIsNone(self.successResultOf(self.publish(authoriser)))
        self.assertIsNone(self.successResultOf(self.play(authoriser)))
        authoriser._rules["publish"] = (key, password)
        self.assertIn("too many wrong tries", self.refusal(self.publish(authoriser)))
        self.assertEqual((password.asked, reached.counts), ([], {"wrongProofs": 2}))

    def test_D13_manyAtOnce(self) -> None:
        """Of guesses that are made while a slow rule thinks, no more are answered than of others, and no right one."""
        waits: list[Deferred[None]] = [Deferred() for _ in range(12)]
        authoriser = self.make()
        answers = []
        for wait in waits:
            authoriser._rules["publish"] = (Says(wait),)
            answers.append(self.publish(authoriser))
        for wait in waits[:10]:
            wait.errback(WrongProof("wrong", "x"))
        waits[10].errback(WrongProof("wrong", "x"))
        waits[11].callback(None)
        words = "too many wrong tries from 192.0.2.1; try again in 60 s"
        self.assertEqual([self.refusal(answer) for answer in answers[10:]], [words] * 2)
        self.assertEqual(self.inner.requests, [])
        self.clock.advance(LONGEST_DELAY)
        self.assertEqual([self.refusal(answer) for answer in answers[:10]], ["wrong"] * 10)

    def test_gone(self) -> None:
        """Who does not wait for the answer ends the wait; the failure counts."""
        authoriser = self.make(Says(WrongProof("wrong", "x")))
        for _ in range(10):
            answer = self.publish(authoriser)
            answer.cancel()
            self.failureResultOf(answer, CancelledError)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertIn("too many wrong tries", self.refusal(self.publish(authoriser)))


class ConnectionTests(SynchronousTestCase):
    """On connections, with stream keys: nobody but who has one gets through, and no key is anywhere."""

    KEY, OTHER = "canary-of-a-stream-key", "another-of-the-same"

    def setUp(self) -> None:
        file = Path(self.enterContext(tempfile.TemporaryDirectory()), "keys")
        file.write_text("\n".join(keyLine("live/camera", key) for key in (self.KEY, self.OTHER)))
        keys = KeyFile(str(file))
        self.stage = stage = Stage(self, verbose=True)
        stage.factory.application = Authoriser(stage.clock, None, [StreamKeys(keys)], [KeyIsNoName(keys)])
        stage.factory.hidesNames = True
        self.wanted: list[str] = []
        stage.factory.hub.sources.append(self)  # type: ignore[arg-type]

    # IStreamSource

    def streamWanted(self, path: str, hops: tuple[str, ...]) -> None:
        """Somebody wants it."""
        self.wanted.append(path)

    def streamUnwanted(self, path: str) -> None:
        """Nobody does."""

    def publish(self, name: str, app: str = "live", **properties: object) -> Client:
        """Somebody who wants to publish, and says all that encoders say."""
        client = self.stage.client()
        client.shakeHands()
        client.send(connect(app, **properties), command("releaseStream", 2, None, name))
        client.send(command("FCPublish", 3, None, name), command("createStream", 4))
        client.send(command("publish", 5, None, name, "live", id=1))
        return client

    def play(self, name: str, app: str = "live") -> Client:
        """Somebody who wants to play."""
        client = self.stage.client()
        client.shakeHands()
        client.send(connect(app), command("createStream", 2), command("play", 3, None, name, id=1))
        return client

    def assertNoKey(self) -> None:
        """It is nowhere in the log, neither in its lines nor in their parts, nor its halves; lines there are."""
        self.stage.pass_(1)
        events = list(self.stage.log)
        self.assertGreater(len(events), 10)
        fields = [{name: value for name, value in event.items() if name != "log_source"} for event in events]
        text = "\n".join([*map(formatEvent, events), *map(repr, fields)])
        for part in (self.KEY, self.KEY[:12], self.KEY[-12:]):
            self.assertNotIn(part, text)

    def test_right(self) -> None:
        """As the name, or behind it; the stream is known by its public name."""
        for name, app in (
            (self.KEY, "live"),
            (f"camera?key={self.KEY}", "live"),
            ("camera", f"live?key={self.KEY}"),
            ("", f"live/{self.KEY}"),
        ):
            client = self.publish(name, app, tcUrl=f"rtmp://host/{app}/{name}", swfUrl=f"rtmp://host/{app}/{name}")
            self.assertEqual((name, client.told()[-1]), (name, "onStatus@1 NetStream.Publish.Start"))
            client.send(video(0))
            self.assertEqual([stream.path for stream in self.stage.factory.hub], ["live/camera"])
            viewer = self.play("camera")
            self.assertIn("onStatus@1 NetStream.Play.Start", viewer.told())
            for gone in (client, viewer):
                gone.lose()
            said = b"".join(message.payload for message in client.heard + viewer.heard)
            self.assertNotIn(self.KEY.encode(), said)
        self.assertEqual([stream.path for stream in self.stage.published], ["live/camera"] * 4)
        self.assertNoKey()

    def test_wrong(self) -> None:
        """An unknown stream, or a wrong key: the same words after a while, and a close; nothing was published."""
        words = set()
        for name in (f"{self.KEY}x", "camera", f"camera?key={self.KEY}x", f"unknown?key={self.KEY}"):
            client = self.publish(name)
            client.take()
            self.stage.pass_(3)
            [status] = client.take()
            _, _, _, information = amf0.decode(status.payload)
            self.assertEqual((information["code"], information["level"]), ("NetStream.Publish.Denied", "error"))
            words.add(information["description"])
            self.assertTrue(client.closing)
            client.lose()
        [description] = words
        self.assertIn("no stream key, or a wrong one", description)
        self.assertEqual((self.stage.published, list(self.stage.factory.hub)), ([], []))
        self.assertNoKey()

    def test_playedByKey(self) -> None:
        """It waits as for a name that nobody publishes, and is told the same: nobody learns what is a key."""
        almost = f"{self.KEY[:-1]}x"
        for name, app in (("%", "live"), ("a/%", "live"), ("", "%")):
            heard = []
            for said in (self.KEY, almost):
                client = self.play(name.replace("%", said), app.replace("%", said))
                heard.append([(message.type, message.payload.replace(said.encode(), b"")) for message in client.take()])
                self.assertFalse(client.closing)
                client.lose()
            self.assertEqual(*heard)
            self.assertGreater(len(heard[0]), 5)
        self.assertEqual(len(self.wanted), 6)
        self.assertEqual([path for path in self.wanted if self.KEY in path], [])
        self.stage.clock.advance(1)
        # What was only almost the key is in the log; the key is not.
        lines = [formatEvent(event) for event in self.stage.log]
        self.assertEqual([line for line in lines if self.KEY in line], [])

    def test_pull(self) -> None:
        """A stream is fetched for a viewer when all rules have agreed, and not before."""
        wait: Deferred[None] = Deferred()
        rule = Says(wait)
        self.stage.factory.application = Authoriser(self.stage.clock, None, (), [rule])
        self.play("camera")
        self.assertEqual((rule.asked, self.wanted), ([("play", "live/camera")], []))
        wait.callback(None)
        self.assertEqual(self.wanted, ["live/camera"])
        rule.answer = StatusError("no")
        self.play("studio")
        self.assertEqual(self.wanted, ["live/camera"])

    def test_busy(self) -> None:
        """Somebody else, with a right key, is told the public name."""
        self.publish(self.KEY)
        client = self.publish(self.OTHER)
        status = client.take()[-1]
        self.assertIn(b"live/camera is published already", status.payload)
        self.assertNoKey()

    def test_neighbour(self) -> None:
        """Who has a wrong key, and tries and tries, keeps nobody at the same address from publishing or playing."""
        for _ in range(11):
            client = self.publish("wrong-wrong-wrong")
        self.assertIn(b"too many wrong tries from ", client.take()[-1].payload)
        self.assertEqual(self.publish(self.KEY).told()[-1], "onStatus@1 NetStream.Publish.Start")
        self.assertIn("onStatus@1 NetStream.Play.Start", self.play("camera").told())
