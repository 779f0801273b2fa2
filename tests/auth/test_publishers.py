# -*- test-case-name: tests.auth.test_publishers -*-
"""
Tests for L{rtmptw.auth.publishers}.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable
from pathlib import Path

from twisted.internet.defer import CancelledError, Deferred, ensureDeferred, maybeDeferred, succeed
from twisted.internet.task import Clock
from twisted.internet.testing import EventLoggingObserver
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rtmptw.auth.challenges import CHALLENGE_SECONDS
from rtmptw.auth.failures import FAILURE_SECONDS
from rtmptw.auth.publishers import (
    LONGEST_DELAY,
    SHORTEST_DELAY,
    AuthenticatedRule,
    PublisherAuthentication,
    authenticatedUser,
    mustAuthenticate,
)
from rtmptw.errors import StatusError
from rtmptw.interfaces import IApplication
from rtmptw.limits import Limits, Reached
from rtmptw.requests import ConnectRequest, Granted, PlayRequest, PublishRequest
from rtmptw.session.adobe import authFailed, needAuth
from rtmptw.session.authentication import nextQuery
from rtmptw.session.connect import readConnect
from rtmptw.session.status import CONNECT_REJECTED, PUBLISH_DENIED
from rtmptw.wire import amf0
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.command import Command
from rtmptw.wire.handshake import HANDSHAKE_SIZE
from rtmptw.wire.message import Message, MessageType
from tests.session.dialects import PLAYERS, PUBLISHERS, Application, Client, Stage, command, connect, video

CAPTURES = Path(__file__).parents[1] / "captures"

USERS = {"alice": "sesame", "bob": "p/ss w+rd", "al@b": "x"}

ENCODER = {"type": "nonprivate", "flashVer": "FMLE/3.0 (compatible; a test)"}

HERE, THERE = "192.0.2.1:4000", "192.0.2.2:4000"

COMMANDS = (MessageType.COMMAND, MessageType.COMMAND_AMF3)

HOW = "publishing needs a user and a password: rtmp://user:password@host/application/name"


def encoder(query: str = "", peer: str = HERE) -> ConnectRequest:
    """A connect of a program that publishes."""
    return ConnectRequest(peer, "live", "", query, dict(ENCODER))


def requestOf(messages: list[Message]) -> ConnectRequest:
    """The first connect among messages."""
    commands = [Command.decode(message) for message in messages if message.type in COMMANDS]
    return readConnect(next(command for command in commands if command.name == "connect"), HERE, False)


class WhoTests(SynchronousTestCase):
    """Who is asked, and who is not."""

    def test_captures(self) -> None:
        """Every real publisher that can answer, and no real player. nginx, as a relay, can't."""
        asked, notAsked = [], []
        for path in sorted(CAPTURES.glob("*.c2s.bin")):
            messages = [*ChunkReader().feed(path.read_bytes()[HANDSHAKE_SIZE:])]
            (asked if mustAuthenticate(requestOf(messages)) else notAsked).append(path.name)
        self.assertGreater(len(asked), 10)
        self.assertGreater(len(notAsked), 6)
        self.assertEqual([name for name in asked if "-publish" not in name], [])
        self.assertEqual([name for name in notAsked if "-play" not in name], ["nginxrtmp-relay-push.c2s.bin"])

    def test_dialects(self) -> None:
        """No player that is known from its source either."""
        self.assertEqual(
            [
                player.name
                for player in PLAYERS
                if mustAuthenticate(requestOf([m for step in player.steps for m in step]))
            ],
            [],
        )
        asked = [p.name for p in PUBLISHERS if mustAuthenticate(requestOf([m for step in p.steps for m in step]))]
        for name in ("FFmpeg", "librtmp", "OBS"):
            self.assertIn(name, asked)

    def test_rows(self) -> None:
        rows: list[tuple[dict[str, object], str, bool]] = [
            ({}, "", False),
            ({"flashVer": "LNX 9,0,124,2", "fpad": False}, "", False),
            ({"flashVer": "FMLE/3.0"}, "", True),
            ({"flashVer": "XFMLE/3.0"}, "", False),
            ({"flashVer": 5.0, "type": 5.0}, "", False),
            ({"type": "nonprivate"}, "", True),
            ({"type": "private"}, "", False),
            ({}, "authmod=adobe", True),
            ({}, "authmod=llnw", True),
            ({}, "token=authmod&user=alice", False),
        ]
        for parameters, query, expected in rows:
            request = ConnectRequest(HERE, "live", "", query, parameters)
            self.assertEqual((parameters, query, mustAuthenticate(request)), (parameters, query, expected))


class _Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.inner = Application()
        self.log = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)
        self.application = self.make()

    def make(self, random: Callable[[int], bytes] = os.urandom) -> PublisherAuthentication:
        """The application under test."""
        return PublisherAuthentication(USERS.get, self.clock, self.inner, random)

    def ask(self, request: ConnectRequest) -> Deferred[object]:
        """Connect."""
        return maybeDeferred(self.application.connectRequested, request)

    def refusal(self, request: ConnectRequest) -> str:
        """Connect, and be refused at once."""
        failure = self.failureResultOf(self.ask(request), StatusError)
        self.assertEqual(failure.value.code, "")
        return str(failure.value.description)

    def challenged(self, user: str = "alice", password: str = "sesame", peer: str = HERE) -> str:
        """Go through the first two connects; return the query for the third."""
        query: str | None = ""
        for _ in range(2):
            query = nextQuery(self.refusal(encoder(query or "", peer)), user, password, "live")
        assert query is not None
        return query

    def lines(self) -> list[str]:
        """What was logged since."""
        lines = [formatEvent(event) for event in self.log]
        self.log._events.clear()
        for line in lines:
            for secret in ("response=", "challenge=", *USERS.values()):
                self.assertNotIn(secret, line.replace("al@b", ""))
        return lines


class AuthenticationTests(_Case):
    """Three connects."""

    def test_interface(self) -> None:
        self.assertTrue(verifyObject(IApplication, self.application))

    def test_right(self) -> None:
        """Asked, challenged, let in; then the other application is asked, and knows who it is."""
        self.assertEqual(self.refusal(encoder()), needAuth())
        for user, password in USERS.items():
            request = encoder(self.challenged(user, password))
            self.assertEqual(authenticatedUser(request), "")
            self.successResultOf(self.ask(request))
            self.assertEqual(authenticatedUser(request), user)
            self.assertEqual(self.inner.requests, [("connect", request)])
            self.assertIs(self.inner.requests.pop()[1], request)
            self.assertEqual(self.lines(), [f"{HERE}: authenticated as {user}"])

    def test_wrong(self) -> None:
        """Refused, though not at once; the other application is not asked."""
        for user, password in (("alice", "Sesame"), ("alice", "x"), ("mallory", "sesame"), ("bob", "sesame")):
            request = encoder(self.challenged(user, password))
            answer = self.ask(request)
            self.assertNoResult(answer)
            self.clock.advance(LONGEST_DELAY)
            self.assertEqual(self.failureResultOf(answer, StatusError).value.description, authFailed())
            self.assertEqual((authenticatedUser(request), self.inner.requests), ("", []))
            self.assertEqual(self.lines(), [f"{HERE}: authentication failed: wrong user or password; user {user}"])

    def test_nothingProved(self) -> None:
        """What is no response to the challenge does not count, whatever it is."""
        good = self.challenged()
        fields = dict(field.split("=", 1) for field in good.split("&"))
        for name in ("challenge", "response"):
            for value in ("x", "\u00e4", fields[name][:-1], fields[name] + "="):
                query = self.challenged()
                fields = dict(field.split("=", 1) for field in query.split("&"))
                fields[name] = value
                peer = f"192.0.2.{len(value)}:1"
                answer = self.ask(encoder("&".join(f"{key}={text}" for key, text in fields.items()), peer))
                self.clock.advance(LONGEST_DELAY)
                self.failureResultOf(answer, StatusError)
        self.assertEqual(self.inner.requests, [])

    def test_percentEncoded(self) -> None:
        """FFmpeg sends the password as it stands in a URL, and rtmp2sink decodes it: both are right."""
        for password in ("p/ss w+rd", "p%2Fss%20w%2Brd"):
            self.successResultOf(self.ask(encoder(self.challenged("bob", password))))
        # The user is decoded, and sent back so; both use what they were sent.
        self.assertIn("user=al@b&", self.refusal(encoder("authmod=adobe&user=al%40b")))

    def test_otherSchemes(self) -> None:
        """Whoever comes with another one is told which one we have."""
        for query in ("authmod=llnw&user=alice", "authmod=&user=alice", "authmod=llnw&response=x"):
            self.assertEqual(self.refusal(encoder(query)), needAuth())

    def test_unreadable(self) -> None:
        """A query that can't be is refused with the reason."""
        self.assertIn("the user has 65", self.refusal(encoder(f"authmod=adobe&user={'u' * 65}")))

    def test_conformance90_userOfTheChallenge(self) -> None:
        """Who it is was said before the challenge; what the last connect says does not count, opaque or not."""
        for tail in (True, False):
            query = self.challenged().replace("user=alice", "user=myuser")
            if not tail:
                query = query.partition("&opaque=")[0]
            request = encoder(query)
            self.successResultOf(self.ask(request))
            self.assertEqual(authenticatedUser(request), "alice")

    def test_D13_replay(self) -> None:
        """A response is good once, right or wrong; then there is a new challenge, which rtmp2sink then answers."""
        right, wrong = self.challenged(), self.challenged("alice", "x")
        self.successResultOf(self.ask(encoder(right)))
        self.ask(encoder(wrong)).addErrback(lambda failure: None)
        self.lines()
        for query in (right, wrong, self.challenged()):
            again = query in (right, wrong)
            if not again:
                self.clock.advance(CHALLENGE_SECONDS)
            description = self.refusal(encoder(query))
            self.assertIn("?reason=needauth&user=alice&", description)
            self.assertEqual(self.lines(), [f"{HERE}: the response of alice is too late, or not the first"])
            self.successResultOf(self.ask(encoder(nextQuery(description, "alice", "sesame", "live") or "")))
            self.lines()

    def test_D13_otherPeersChallenge(self) -> None:
        """Without an opaque, a challenge that another address got is not found."""
        query = self.challenged(peer=THERE).partition("&opaque=")[0]
        self.assertIn("?reason=needauth", self.refusal(encoder(query, HERE)))
        self.successResultOf(self.ask(encoder(query, THERE)))

    def test_D13_delay(self) -> None:
        """One to three seconds, as chance will have it."""
        self.assertEqual((SHORTEST_DELAY, LONGEST_DELAY), (1.0, 3.0))
        for byte, seconds in ((b"\0", 1.0), (b"\xff", 3.0)):
            self.application = self.make(lambda count, byte=byte: byte * count)
            self.ask(encoder(self.challenged("alice", "x"))).addErrback(lambda failure: None)
            [call] = self.clock.getDelayedCalls()
            self.assertEqual(call.getTime() - self.clock.seconds(), seconds)
            call.cancel()
        self.application = self.make()
        delays = set()
        for host in range(5):
            self.ask(encoder(self.challenged("alice", "x", f"192.0.2.{host}:1"), f"192.0.2.{host}:1"))
            [call] = self.clock.getDelayedCalls()
            delays.add(call.getTime() - self.clock.seconds())
            call.cancel()
        self.assertEqual(len(delays), 5)
        self.assertTrue(all(SHORTEST_DELAY <= delay <= LONGEST_DELAY for delay in delays))

    def test_cancelled(self) -> None:
        """A client that does not wait for the answer leaves nothing behind."""
        answer = self.ask(encoder(self.challenged("alice", "x")))
        answer.cancel()
        self.failureResultOf(answer, CancelledError)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_D13_tooMany(self) -> None:
        """
        Ten guesses count as soon as they come, not when they are answered. Then nobody there is listened to; after a
        minute they are again.
        """
        right = self.challenged()
        for _ in range(10):
            self.ask(encoder(self.challenged("alice", "x"))).addErrback(lambda failure: None)
        self.clock.advance(0.5)
        reason = "too many wrong tries from 192.0.2.1; try again in 60 s"
        for query in (right, "", "authmod=adobe&user=alice"):
            self.assertEqual(self.refusal(encoder(query, "192.0.2.1:7")), reason)
        self.assertEqual(len(self.clock.getDelayedCalls()), 10)
        self.successResultOf(self.ask(encoder(self.challenged(peer=THERE), THERE)))
        # Nobody stops playing for it.
        self.successResultOf(self.ask(ConnectRequest("192.0.2.1:8", "live")))
        self.clock.advance(FAILURE_SECONDS - 0.5)
        self.successResultOf(self.ask(encoder(self.challenged())))

    def test_wrongProofs(self) -> None:
        """How many, and who counts what is too much."""
        reached = Reached()
        limits = Limits(wrongProofs=2)
        self.application = PublisherAuthentication(USERS.get, self.clock, self.inner, limits=limits, reached=reached)
        queries = [self.challenged("alice", "x") for _ in range(2)]
        for query in queries:
            self.assertEqual(reached.counts, {})
            self.ask(encoder(query)).addErrback(lambda failure: None)
        for count in (1, 2):
            self.assertIn("too many wrong tries", self.refusal(encoder()))
            self.assertEqual(reached.counts, {"wrongProofs": count})

    def test_challenges(self) -> None:
        """How many wait, and who counts what is forgotten: then there is a new one for the response."""
        reached = Reached()
        limits = Limits(challenges=1)
        self.application = PublisherAuthentication(USERS.get, self.clock, self.inner, limits=limits, reached=reached)
        first, second = self.challenged(), self.challenged(peer=THERE)
        self.assertEqual(reached.counts, {"challenges": 1})
        self.successResultOf(self.ask(encoder(second, THERE)))
        self.assertIn("?reason=needauth&user=alice&", self.refusal(encoder(first)))
        self.assertEqual(reached.counts, {"challenges": 1})

    def test_D13_noSuchUser(self) -> None:
        """Nothing tells who exists: the same answers, as many comparisons."""
        compared: list[tuple[bytes, bytes]] = []
        real = hmac.compare_digest
        self.patch(hmac, "compare_digest", lambda a, b: (compared.append((a, b)), real(a, b))[1])
        seen = []
        for user in ("alice", "mallory"):
            self.application = self.make(lambda count: b"\x55" * count)
            descriptions = [self.refusal(encoder(f"authmod=adobe&user={user}")).replace(user, "U")]
            answer = self.ask(encoder(self.challenged(user, "x")))
            [call] = self.clock.getDelayedCalls()
            descriptions.append(f"{call.getTime() - self.clock.seconds():.6f} s")
            self.clock.advance(LONGEST_DELAY)
            descriptions.append(self.failureResultOf(answer, StatusError).value.description)
            seen.append((descriptions, len(compared), {len(text) for pair in compared for text in pair}))
            compared.clear()
        self.assertEqual(seen[0], seen[1])
        self.assertEqual(seen[0][1:], (2, {24}))

    def test_noSuchUserWhoKnows(self) -> None:
        """A user who does not exist does not get in, even with the password that was made up for him."""
        self.application = self.make(lambda count: b"\x55" * count)
        answer = self.ask(encoder(self.challenged("mallory", "55" * 16)))
        self.clock.advance(LONGEST_DELAY)
        self.failureResultOf(answer, StatusError)


class OtherApplicationTests(_Case):
    """What is not about authentication is not decided here."""

    def test_players(self) -> None:
        """They connect and play as ever."""
        request = ConnectRequest(HERE, "live")
        play = PlayRequest(request, "live/a")
        self.successResultOf(self.ask(request))
        self.application.playRequested(play)
        self.assertEqual(self.inner.requests, [("connect", request), ("play", play)])
        self.assertEqual((authenticatedUser(request), authenticatedUser(play), self.lines()), ("", "", []))

    def test_answers(self) -> None:
        """What the other one says is the answer."""
        deferred = succeed(None)
        for answer in (None, False, deferred):
            self.inner.answers = {"connect": answer, "publish": answer, "play": answer}
            free, mine = ConnectRequest(HERE, "live"), encoder(self.challenged())
            for request in (free, mine):
                self.assertIs(self.application.connectRequested(request), answer)
            self.assertIs(self.application.playRequested(PlayRequest(mine, "live/a")), answer)
            said = False if answer is False else Granted("live/a", "user alice")
            self.assertEqual(self.successResultOf(self.publish(PublishRequest(mine, "live/a"))), said)

    def publish(self, request: PublishRequest) -> Deferred[object]:
        """Publish."""
        return ensureDeferred(self.application.publishRequested(request))

    def test_publish(self) -> None:
        """Only of those who have authenticated; the other one knows who, and so does who has asked."""
        request = encoder(self.challenged())
        publish = PublishRequest(request, "live/a", request.query)
        self.failureResultOf(self.publish(publish), StatusError)
        self.assertEqual(self.inner.requests, [])
        self.successResultOf(self.ask(request))
        self.assertEqual(self.successResultOf(self.publish(publish)), Granted("live/a", "user alice"))
        asked = PublishRequest(request, "live/a", request.query, principal="user alice")
        self.assertEqual((self.inner.requests[-1], authenticatedUser(publish)), (("publish", asked), "alice"))

    def test_principal(self) -> None:
        """Somebody else may have proof of more, before or behind."""
        request = encoder(self.challenged())
        self.successResultOf(self.ask(request))
        publish = PublishRequest(request, "live/a", principal="key 1")
        self.assertEqual(self.successResultOf(self.publish(publish)), Granted("live/a", "key 1, user alice"))
        self.inner.answers["publish"] = Granted("live/b", "me")
        self.assertEqual(self.successResultOf(self.publish(publish)), Granted("live/b", "me"))

    def test_publishFree(self) -> None:
        """Who was not asked is told how; what its query says about a user is worth nothing."""
        for query in ("", "user=alice", "authmod=adobe&user=alice&response=x"):
            request = ConnectRequest(HERE, "live", query=query)
            error = self.failureResultOf(self.publish(PublishRequest(request, "live/a")), StatusError).value
            self.assertEqual((error.description, error.code), (HOW, ""))
        self.assertEqual(self.inner.requests, [])

    def test_rule(self) -> None:
        """The same as a rule, for those who have more of them."""
        request = encoder(self.challenged())
        publish = PublishRequest(request, "live/a")
        failure = self.failureResultOf(ensureDeferred(AuthenticatedRule().check("publish", publish)), StatusError)
        self.assertEqual(failure.value.description, HOW)
        self.successResultOf(self.ask(request))
        answer = ensureDeferred(AuthenticatedRule().check("publish", publish))
        self.assertIs(self.successResultOf(answer), publish)

    def test_default(self) -> None:
        """Without another application everything else is allowed."""
        self.application = PublisherAuthentication(USERS.get, self.clock)
        request = encoder(self.challenged())
        self.assertIsNone(self.application.connectRequested(request))
        self.assertIsNone(self.application.playRequested(PlayRequest(request, "live/a")))
        publish = PublishRequest(request, "live/a")
        self.assertEqual(self.successResultOf(self.publish(publish)), Granted("live/a", "user alice"))


class ConnectionTests(SynchronousTestCase):
    """The same on connections."""

    def setUp(self) -> None:
        self.stage = Stage(self)
        self.inner = self.stage.application
        self.stage.factory.application = PublisherAuthentication(USERS.get, self.stage.clock, self.inner)

    def connect(self, app: str, **properties: object) -> Client:
        """A new connection that has said connect."""
        client = self.stage.client()
        client.shakeHands()
        client.send(connect(app, **properties))
        return client

    def description(self, client: Client) -> str:
        """Why it was refused."""
        [error] = client.take()
        name, _, _, information = amf0.decode(error.payload)
        self.assertEqual(
            (name, information["level"], information["code"]), ("_error", "error", "NetConnection.Connect.Rejected")
        )
        self.assertTrue(client.closing)
        return str(information["description"])

    def test_conformance90_threeConnections(self) -> None:
        """From the first connect to the first frame."""
        query: str | None = None
        for _ in range(2):
            client = self.connect(f"live?{query}" if query else "live", **ENCODER)
            query = nextQuery(self.description(client), "alice", "sesame", "live")
            client.lose()
        # These were no refusals, and what was asked is for nobody else to read.
        self.assertEqual(
            self.stage.lines(), ["asked for a user and a password; whoever has them comes again with them"] * 2
        )
        client = self.connect(f"live?{query}", **ENCODER)
        client.send(command("createStream", 2), command("publish", 3, None, "a", "live", id=1))
        self.assertEqual(client.told()[-1], "onStatus@1 NetStream.Publish.Start")
        client.send(video(0))
        self.assertEqual([stream.path for stream in self.stage.published], ["live/a"])
        [(_, request)] = [asked for asked in self.inner.requests if asked[0] == "publish"]
        assert isinstance(request, PublishRequest)
        self.assertEqual(authenticatedUser(request), "alice")

    def test_wrong(self) -> None:
        """Nothing is said before the time has come; then why, and the connection closes."""
        client = self.connect("live", **ENCODER)
        for _ in range(2):
            query = nextQuery(self.description(client), "alice", "wrong", "live")
            client = self.connect(f"live?{query}", **ENCODER)
        client.assertSilent()
        self.stage.pass_(3)
        self.assertEqual(self.description(client), authFailed())
        self.assertEqual(self.endings(client)[-1], f"connect refused: {CONNECT_REJECTED}: {authFailed()}")

    def test_denied(self) -> None:
        """Who connects as a player does may play, and is told how to publish."""
        client = self.stage.connected()
        client.send(command("createStream", 2), command("play", 3, None, "a", id=1))
        self.assertIn("onStatus@1 NetStream.Play.Start", client.told())
        client = self.stage.connected()
        client.send(command("createStream", 2), command("publish", 3, None, "a", "live", id=1))
        self.assertEqual(client.told()[-1], f"onStatus@1 {PUBLISH_DENIED}")
        self.assertIn(f"publish refused: {PUBLISH_DENIED}: {HOW}", str(self.endings(client)))
        self.assertEqual(self.stage.published, [])

    def endings(self, client: Client) -> list[str]:
        """What the log says about the end of it."""
        client.lose()
        return self.stage.lines()
