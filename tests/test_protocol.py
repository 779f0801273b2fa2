# -*- test-case-name: tests.test_protocol -*-
"""
Tests for L{rtmptw.protocol}: deadlines, verdicts that take time, closes from every side, and the one line in the log.
"""

from __future__ import annotations

import ast
import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.address import IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from rtmptw.appetite import TURN
from rtmptw.errors import StatusError
from rtmptw.inlet import READ
from rtmptw.interfaces import ILink
from rtmptw.limits import Limits
from rtmptw.protocol import Phase
from rtmptw.wire.control import UserControl, UserControlType
from rtmptw.wire.message import Message
from tests.memorysocket import publisherBySocket
from tests.session.dialects import HANDSHAKE, Application, Client, Stage, TCPTransport, audio, command, connect, video

LIMITS = Limits()


@implementer(ISSLTransport)
class TLSTransport(TCPTransport):
    """TCP with TLS on it, as Twisted shows it: both interfaces."""

    def getPeerCertificate(self) -> None:
        return None


class LaterTransport(TCPTransport):
    """One that tells of its end from within C{loseConnection} or C{loseWriteConnection}."""

    def loseWriteConnection(self) -> None:
        super().loseWriteConnection()
        self.abortConnection()


class StartTests(SynchronousTestCase):
    """The first moments of a connection."""

    def test_interface(self) -> None:
        self.assertTrue(verifyObject(ILink, Stage(self).client().protocol))

    def test_options(self) -> None:
        """No waiting for full segments; dead peers are noticed."""
        self.assertEqual(Stage(self).client().transport.calls, ["noDelay", "keepAlive"])

    def test_writes(self) -> None:
        """What is said in answer to one read leaves in one write, up to the first frames: each write costs much."""
        stage = Stage(self)
        stage.publisher().send(video(1), audio(1))
        client = stage.client()
        writes: list[int] = []
        put = client.protocol.outlet._put
        client.protocol.outlet._put = lambda data: (writes.append(len(data)), put(data))
        client.shakeHands()
        client.send(connect())
        client.send(command("createStream", 2))
        client.send(command("play", 3, None, "test", id=1))
        self.assertEqual(len(writes), 4)
        self.assertEqual(
            client.told()[-5:],
            [
                "STREAM_BEGIN 1",
                "onStatus@1 NetStream.Play.Start",
                "DATA@1 |RtmpSampleAccess",
                "VIDEO@1 1",
                "AUDIO@1 1",
            ],
        )

    def test_peer(self) -> None:
        rows = (
            (None, "192.168.1.1:54321"),
            (IPv6Address("TCP", "::1", 40312), "[::1]:40312"),
            (UNIXAddress("/run/x"), "UNIXAddress('/run/x')"),
        )
        for address, text in rows:
            client = Client(Stage(self), StringTransport(peerAddress=address))
            self.assertEqual(client.protocol.peer, text)

    def test_secure(self) -> None:
        for transport, secure in ((TLSTransport(), True), (TCPTransport(), False), (StringTransport(), False)):
            stage = Stage(self)
            client = stage.client(transport)
            client.shakeHands()
            client.send(connect())
            self.assertEqual(stage.application.requests[0][1].secure, secure)

    def test_A3_notRTMP(self) -> None:
        """The first byte is enough; the log says what it probably was."""
        for first, word in ((b"\0", "not supported"), (b"\6", "RTMPE"), (b"GET /", "HTTP"), (b"\x16\3\1", "TLS")):
            stage = Stage(self)
            client = stage.client()
            client.receive(first)
            self.assertTrue(client.closing)
            client.receive(b"more")
            client.assertSilent()
            client.lose()
            [line] = stage.lines()
            self.assertIn(word, line)


class LogTests(SynchronousTestCase):
    """Conformance 98."""

    def line(self, stage: Stage) -> dict[str, Any]:
        [event] = [event for event in stage.log if "closed: {reason}" in (event.get("log_format") or "")]
        return event

    def test_conformance98_line(self) -> None:
        """Who, why, where, and the last command, once."""
        stage = Stage(self)
        client = stage.publisher()
        client.send(audio(1))
        client.receive(b"\x84\0\0")
        stage.clock.advance(2.5)
        client.lose(ConnectionDone())
        event = self.line(stage)
        self.assertEqual(event["peer"], "192.168.1.1:54321")
        self.assertEqual(event["reason"], "the peer closed the connection")
        self.assertEqual(event["activity"], "it was publishing live/test")
        self.assertEqual(event["command"], "'publish'")
        self.assertEqual(event["seconds"], 2.5)
        whereabouts = f"byte {client.protocol.received - 3}, chunk stream 4, message type 8"
        self.assertEqual(event["whereabouts"], whereabouts)
        self.assertEqual(
            event["log_format"].format(**event),
            "192.168.1.1:54321: closed: the peer closed the connection; "
            f"it was publishing live/test (2.5 s; {whereabouts}; last command 'publish')",
        )

    def test_conformance98_protocolError(self) -> None:
        """The place that is to blame."""
        stage = Stage(self)
        client = stage.connected()
        client.receive(b"\xc9")
        self.assertTrue(client.closing)
        client.lose()
        reason = self.line(stage)["reason"]
        self.assertIn(f"byte {client.protocol.received - 1}, chunk stream 9", reason)

    def test_inTheHandshake(self) -> None:
        for size in (0, 1, 1536, 3072):
            stage = Stage(self)
            client = stage.client()
            client.receive(HANDSHAKE[:size])
            client.lose()
            line = self.line(stage)
            self.assertEqual((line["whereabouts"], line["command"]), (f"byte {size}, in the handshake", "none"))
            self.assertEqual(line["activity"], "it neither published nor played")

    def test_activity(self) -> None:
        """What it has done, also if that has ended in order."""
        for begin, end, activity in (
            (Stage.publisher, command("deleteStream", 6, None, 1.0), "it had been publishing live/test"),
            (Stage.player, command("closeStream", 6, None, id=1), "it had been playing live/test"),
            (Stage.player, audio(1), "it was playing live/test"),
        ):
            stage = Stage(self)
            client = begin(stage)
            client.send(end)
            client.lose()
            self.assertEqual(self.line(stage)["activity"], activity)
            [started] = [event for event in stage.log if (event.get("log_format") or "").startswith("{peer}: {state}")]
            self.assertIn(f"{started['state']} {started['path']}", activity)

    def test_closedByUs(self) -> None:
        """What it was doing when we closed it."""
        stage = Stage(self)
        client = stage.publisher()
        client.protocol.close("enough")
        client.lose()
        self.assertEqual(self.line(stage)["activity"], "it was publishing live/test")

    def test_longCommand(self) -> None:
        """A long name is cut, and shown so that it can't change the log."""
        stage = Stage(self)
        client = stage.connected()
        client.send(command("\r\n\x1b\udcff" + "x" * 4000, 5))
        client.lose()
        shown = self.line(stage)["command"]
        self.assertEqual(len(ast.literal_eval(shown)), 64)
        self.assertTrue(shown.isprintable() and shown.isascii())

    def test_verbose(self) -> None:
        """Every message has a line."""
        stage = Stage(self, verbose=True)
        client = stage.client()
        client.shakeHands()
        client.send(connect())
        lines = [str(event["line"]) for event in stage.log if "{line}" in (event.get("log_format") or "")]
        self.assertEqual(len(lines), 6)
        self.assertIn("connect(1, {'app': 'live'", lines[0])


class DeadlineTests(SynchronousTestCase):
    """How long who may take."""

    def assertGone(self, client: Client, seconds: float, word: str, abrupt: bool = False) -> None:
        """Not before so many seconds, but then."""
        stage = client.stage
        stage.pass_(int(seconds) - 1)
        self.assertFalse(client.closing)
        stage.pass_(1)
        self.assertTrue(client.closing)
        self.assertEqual(client.transport.disconnected, abrupt)
        client.lose()
        [line] = stage.lines()
        self.assertIn(word, line)

    def test_A1_A2_handshake(self) -> None:
        """10 s, whatever drips."""
        for drip in (b"", b"\3"):
            client = Stage(self).client()
            for _ in range(5):
                client.receive(drip)
                drip = drip and b"\0"
                client.stage.pass_(1)
            self.assertGone(client, LIMITS.handshakeSeconds - 5, "no handshake", abrupt=True)

    def test_idle(self) -> None:
        """20 s for who neither publishes nor plays, whatever else it says."""
        client = Stage(self).client()
        client.shakeHands()
        self.assertGone(client, LIMITS.idleSeconds, "neither")
        client = Stage(self).connected()
        for _ in range(10):
            client.stage.pass_(1)
            client.send(command("_checkbw", 5))
        self.assertGone(client, LIMITS.idleSeconds - 10, "neither")

    def test_idleAgain(self) -> None:
        """The time counts from the last publish or play."""
        for begin in (Stage.publisher, Stage.player):
            client = begin(Stage(self))
            for _ in range(30):
                client.send(audio(1))
                client.stage.pass_(1)
            client.send(command("closeStream", 0, id=1))
            self.assertGone(client, LIMITS.idleSeconds, "neither")

    def test_playerMayWait(self) -> None:
        """A viewer without a publisher stays, and needs say nothing."""
        client = Stage(self).player()
        client.take()
        client.stage.pass_(300)
        self.assertFalse(client.closing)
        client.assertSilent()

    def test_silentPublisher(self) -> None:
        """One ping at 10 s, the end at 15 s, with the reason."""
        client = Stage(self).publisher()
        client.stage.pass_(int(LIMITS.pingSeconds) - 1)
        client.assertSilent()
        client.stage.pass_(1)
        self.assertEqual(client.told(), ["PING_REQUEST 0"])
        self.assertGone(client, LIMITS.silenceSeconds - LIMITS.pingSeconds, "silent")
        self.assertEqual(client.told(), ["onStatus@0 NetConnection.Connect.IdleTimeOut"])

    def test_conformance43_noPongNeeded(self) -> None:
        """Any byte is a sign of life; a missing pong is none of death."""
        client = Stage(self).publisher()
        client.send(audio(0))
        for number in range(8):
            message = client.encode(audio(number))
            for part in (message[:1], message[1:]):
                client.stage.pass_(10)
                self.assertEqual(len(client.told()), 1)
                client.receive(part)
        client.stage.pass_(4)
        client.assertSilent()
        self.assertFalse(client.closing)

    def test_D14_stalledViewer(self) -> None:
        """Who takes nothing for 15 s is cut off; who takes something in between is not."""
        stage = Stage(self)
        client = stage.player()
        transport = client.transport
        transport.producer.pauseProducing()
        stage.pass_(int(LIMITS.stallSeconds) - 1)
        transport.producer.resumeProducing()
        transport.producer.pauseProducing()
        self.assertGone(client, LIMITS.stallSeconds, "took nothing", abrupt=True)

    def test_lingerAbort(self) -> None:
        """A connection that we have closed has 5 s to close its side, and 15 s more to take what is left."""
        for transport in (TCPTransport(), StringTransport()):
            stage = Stage(self)
            client = stage.client(transport)
            client.shakeHands()
            client.send(command("publish", 5))
            self.assertTrue(client.closing)
            stage.pass_(int(LIMITS.lingerSeconds + LIMITS.stallSeconds) - 1)
            self.assertFalse(transport.disconnected)
            if isinstance(transport, TCPTransport):
                self.assertEqual(transport.calls[-2:], ["loseWriteConnection", "loseConnection"])
            stage.pass_(1)
            self.assertTrue(transport.disconnected)
            client.lose()
            [line] = stage.lines()
            self.assertIn("'publish' refused", line)

    def test_noTimerStays(self) -> None:
        """When all connections are gone nothing waits for time."""
        stage = Stage(self)
        clients = [stage.client(), stage.connected(), stage.publisher(), stage.connected()]
        clients[-1].send(connect())
        for client in clients:
            client.lose()
        self.assertEqual(stage.clock.getDelayedCalls(), [])

    def test_anErrorInOneConnection(self) -> None:
        """Whatever goes wrong with the deadlines of one does not stop those of the others."""
        stage = Stage(self)
        bad, good = stage.connected(), stage.connected()
        bad.protocol.session.second = None  # type: ignore[assignment]
        stage.pass_(1)
        self.assertEqual(len(self.flushLoggedErrors(TypeError)), 1)
        self.assertEqual((bad.closing, good.closing), (True, False))
        self.assertGone(good, LIMITS.idleSeconds - 1, "neither")


class VerdictTests(SynchronousTestCase):
    """Applications that take their time."""

    def setUp(self) -> None:
        self.verdict: Deferred[None] = Deferred()
        self.stage = Stage(self, Application(publish=lambda request: self.verdict))

    def asking(self) -> Client:
        client = self.stage.connected()
        client.send(command("publish", 5, None, "test", id=1), audio(1))
        return client

    def kinds(self) -> list[tuple[Callable[[], object], Callable[[], object]]]:
        """Deferreds and coroutines: what the application returns."""

        async def coroutine() -> None:
            await self.verdict

        return [lambda: self.verdict, coroutine]

    def test_grant(self) -> None:
        """What came behind the publish is held, and comes in order."""
        for kind in self.kinds():
            self.setUp()
            self.stage.application.answers["publish"] = lambda request, kind=kind: kind()
            client = self.asking()
            client.send(audio(2))
            client.assertSilent()
            self.assertEqual(self.stage.published, [])
            self.verdict.callback(None)
            self.assertEqual(client.told(), ["STREAM_BEGIN 1", "onStatus@1 NetStream.Publish.Start"])
            client.send(audio(3))
            self.assertEqual([m.timestamp for m in self.stage.published[0].messages], [1, 2, 3])

    def test_refusal(self) -> None:
        for kind in self.kinds():
            self.setUp()
            self.stage.application.answers["publish"] = lambda request, kind=kind: kind()
            client = self.asking()
            self.verdict.errback(StatusError("not you"))
            self.assertEqual(client.told(), ["onStatus@1 NetStream.Publish.Denied"])
            self.assertTrue(client.closing)
            client.send(audio(2))
            self.assertEqual(self.stage.published, [])
            client.lose()
            [line] = self.stage.lines()
            self.assertIn("not you", line)

    def test_D3_held(self) -> None:
        """No more than 128 KiB are held; then the peer is not read."""
        client = self.asking()
        block = client.encode(*[video(n, bytes(1000)) for n in range(64)])
        client.receive(block)
        self.assertEqual(client.transport.producerState, "producing")
        client.receive(block + block[: LIMITS.heldBytes - len(block)])
        self.assertEqual(client.transport.producerState, "paused")
        self.verdict.callback(None)
        self.assertEqual(client.transport.producerState, "producing")
        self.assertTrue(len(self.stage.published[0].messages) > 120)

    def test_heldFromTheStart(self) -> None:
        """It does not matter that all of it came with the publish."""
        client = self.stage.connected()
        client.send(command("publish", 5, None, "test", id=1), *[video(n, bytes(60000)) for n in range(3)])
        self.assertEqual(client.transport.producerState, "paused")
        self.verdict.callback(None)
        self.assertEqual(client.transport.producerState, "producing")
        self.assertEqual(len(self.stage.published[0].messages), 3)

    def test_lostBeforeGrant(self) -> None:
        """What had come is delivered once the application agrees, and then the stream ends (F10)."""
        client = self.asking()
        client.lose()
        self.assertEqual((self.stage.published, self.stage.lines()), ([], []))
        self.verdict.callback(None)
        [published] = self.stage.published
        self.assertEqual([m.timestamp for m in published.messages], [1])
        self.assertEqual((published.messagesAtEnd, len(published.ends), len(self.stage.lines())), (1, 1, 1))
        self.stage.application.answers.clear()
        self.stage.publisher()

    def test_lostBeforeRefusal(self) -> None:
        """Nothing is delivered, nor is anything else asked; the reason is the refusal."""
        client = self.asking()
        client.send(command("publish", 6, None, "other", id=2), audio(2, id=2))
        client.lose()
        self.verdict.errback(StatusError("not you"))
        self.assertEqual((self.stage.published, self.stage.application.asked), ([], [("publish", "live/test")]))
        [line] = self.stage.lines()
        self.assertIn("not you", line)

    def test_lostBeforeTwoVerdicts(self) -> None:
        """Verdict by verdict."""
        first = self.verdict
        client = self.asking()
        client.send(command("publish", 6, None, "other", id=2), audio(2, id=2))
        client.lose()
        second = self.verdict = Deferred()
        first.callback(None)
        self.assertEqual(([len(p.ends) for p in self.stage.published], self.stage.lines()), ([0], []))
        second.callback(None)
        self.assertEqual([len(p.ends) for p in self.stage.published], [1, 1])
        self.assertEqual([[m.timestamp for m in p.messages] for p in self.stage.published], [[1], [2]])
        self.assertEqual(len(self.stage.lines()), 1)

    def test_lostWithABrokenRest(self) -> None:
        """An error in what a lost connection has left is its reason, after all that came before."""
        client = self.asking()
        client.receive(b"\xc9")
        client.lose()
        self.verdict.callback(None)
        self.assertEqual([m.timestamp for m in self.stage.published[0].messages], [1])
        self.assertEqual(len(self.stage.published[0].ends), 1)
        [line] = self.stage.lines()
        self.assertIn("protocol error", line)

    def test_closedBeforeTheVerdict(self) -> None:
        """A close by the server does not wait; the verdict comes too late, and does nothing."""
        for error in (None, StatusError("no"), ValueError("oops")):
            for lostFirst in (False, True):
                self.setUp()
                client = self.asking()
                gone = self.stage.factory.closeAll("shutting down")
                self.stage.clock.advance(0)
                self.assertEqual(client.told(), ["onStatus@0 NetConnection.Connect.AppShutdown"])
                self.assertTrue(client.closing)
                if lostFirst:
                    client.lose()
                if error is None:
                    self.verdict.callback(None)
                else:
                    self.verdict.errback(error)
                if not lostFirst:
                    client.lose()
                self.successResultOf(gone)
                self.assertEqual((self.stage.lines(), self.stage.published), (["shutting down"], []))
                client.assertSilent()

    def test_closeAllWhileLost(self) -> None:
        """Nor does a lost connection that is not decided hold up the end of the server."""
        client = self.asking()
        client.lose()
        gone = self.stage.factory.closeAll("shutting down")
        self.stage.clock.advance(0)
        self.successResultOf(gone)
        self.assertEqual(self.stage.lines(), ["shutting down"])
        self.assertEqual(self.stage.clock.getDelayedCalls(), [])
        self.verdict.callback(None)
        self.assertEqual((len(self.stage.lines()), self.stage.published), (1, []))
        client.protocol.abort("again")
        self.assertFalse(client.transport.disconnected)

    def test_deadlinesRest(self) -> None:
        """The application's time is not the peer's: neither while it decides nor right after."""
        connected: Deferred[None] = Deferred()
        self.stage.application.answers["connect"] = connected
        client = self.stage.client()
        client.shakeHands()
        client.send(connect())
        self.stage.pass_(int(LIMITS.verdictSeconds) - 1)
        connected.callback(None)
        self.stage.pass_(int(LIMITS.idleSeconds) - 1)
        self.assertFalse(client.closing)
        client.take()
        client.send(command("publish", 5, None, "test", id=1))
        self.stage.pass_(int(LIMITS.verdictSeconds) - 1)
        self.verdict.callback(None)
        self.assertEqual(len(client.take()), 2)
        self.stage.pass_(4)
        client.assertSilent()
        self.assertFalse(client.closing)

    def test_noVerdict(self) -> None:
        """An application that never answers refuses, with a reason, and its Deferred is cancelled."""
        for isLost in (False, True):
            self.setUp()
            client = self.asking()
            if isLost:
                client.lose()
            self.stage.pass_(int(LIMITS.verdictSeconds) - 1)
            self.assertEqual((client.closing, self.stage.lines()), (False, []))
            self.stage.pass_(1)
            self.assertTrue(self.verdict.called)
            if not isLost:
                self.assertEqual(client.told(), ["onStatus@1 NetStream.Failed"])
                self.assertTrue(client.closing)
                client.lose()
            [line] = self.stage.lines()
            self.assertIn("no decision within 30 s", line)
            self.assertEqual((self.stage.published, list(self.stage.factory.hub)), ([], []))

    def test_grantFails(self) -> None:
        """A hub that breaks is our mistake: it is logged, and the client is told that much and no more."""
        for asynchronous in (False, True):
            self.setUp()

            def publish(path: str, publisher: object, hops: object, principal: str) -> None:
                raise ValueError("secret")

            self.stage.factory.hub.publish = publish  # type: ignore[assignment, method-assign]
            if not asynchronous:
                self.verdict.callback(None)
            client = self.asking()
            if asynchronous:
                self.verdict.callback(None)
            [message] = client.take()
            self.assertIn(b"internal error", message.payload)
            self.assertNotIn(b"secret", message.payload)
            self.assertTrue(client.closing)
            self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_false(self) -> None:
        """Who returns False does not mean yes."""
        client = self.asking()
        self.verdict.callback(False)  # type: ignore[arg-type]
        self.assertEqual(client.told(), ["onStatus@1 NetStream.Publish.Denied"])
        self.assertTrue(client.closing)

    def test_deleteStreamDuringTheVerdict(self) -> None:
        """It is read after the verdict, like everything else."""
        client = self.asking()
        client.send(command("FCUnpublish", 6, None, "test"), command("deleteStream", 7, None, 1))
        client.lose()
        self.verdict.callback(None)
        self.assertEqual([len(p.messages) for p in self.stage.published], [1])
        self.assertEqual(self.stage.published[0].ends, ["the peer has ended the stream (FCUnpublish)"])

    def test_playBeforeTheOtherEnds(self) -> None:
        """A stream that ends while another is asked for does not close the connection."""
        decision: Deferred[None] = Deferred()
        stage = Stage(self)
        publisher = stage.publisher()
        client = stage.player()
        stage.application.answers["play"] = decision
        client.send(command("play", 9, None, "other", id=2))
        publisher.lose()
        stage.clock.advance(1)
        self.assertFalse(client.closing)
        client.take()
        decision.callback(None)
        self.assertEqual(client.told()[0], "STREAM_BEGIN 2")


class CloseTests(SynchronousTestCase):
    """Ends from every side, and from within."""

    def test_TCPAndOthers(self) -> None:
        """TCP closes its writing side; TLS and others have no half."""
        for transport, call in ((TCPTransport(), "loseWriteConnection"), (TLSTransport(), "loseConnection")):
            client = Stage(self).client(transport)
            client.protocol.close("enough")
            self.assertEqual(transport.calls[-1], call)
            self.assertIsNone(transport.producer)

    def test_onlyTheFirstReason(self) -> None:
        stage = Stage(self)
        client = stage.connected()
        client.protocol.close("the first")
        client.protocol.close("the second")
        client.protocol.abort("the third")
        client.lose()
        self.assertEqual(stage.lines(), ["the first"])
        self.assertEqual(client.transport.calls.count("loseWriteConnection"), 1)

    def test_transportsThatTellAtOnce(self) -> None:
        """C{connectionLost} from within C{abortConnection} or C{loseWriteConnection}."""
        for transport in (TCPTransport(), LaterTransport()):
            for act in ("abort", "close"):
                stage = Stage(self)
                client = stage.client(transport)
                transport.lost = client.protocol.connectionLost
                client.shakeHands()
                getattr(client.protocol, act)("enough")
                stage.pass_(int(LIMITS.lingerSeconds + LIMITS.stallSeconds))
                self.assertEqual(stage.lines(), ["enough"])
                self.assertEqual(stage.clock.getDelayedCalls(), [])
                transport = type(transport)()

    def test_abortInTheMiddle(self) -> None:
        """A subscriber may end the connection that it is being fed from."""
        for act in ("abort", "close"):
            stage = Stage(self)
            client = stage.publisher()
            client.transport.lost = client.protocol.connectionLost
            published = stage.published[0]

            def take(message: Message, published: Any = published, client: Client = client, act: str = act) -> None:
                published.messages.append(message)
                getattr(client.protocol, act)("enough")

            published.messageReceived = take
            client.send(*[audio(n) for n in range(5)])
            if act == "close":
                client.lose()
            self.assertEqual((stage.lines(), len(published.ends)), (["enough"], 1))
            self.assertTrue(published.messages)
            stage.publisher()

    def test_observerDoesNotWantIt(self) -> None:
        """Who is told of a publish may end it at once; the name is free again."""
        for isLost in (False, True):
            verdict: Deferred[None] = Deferred()
            stage = Stage(self, Application(publish=verdict))
            client = stage.connected()
            client.send(command("publish", 5, None, "test", id=1), audio(1))
            original = stage.publishStarted

            def publishStarted(stream: Any, original: Any = original) -> None:
                original(stream)
                stream.publication.publisher.stopProducing()

            stage.publishStarted = publishStarted  # type: ignore[method-assign]
            if isLost:
                client.lose()
            verdict.callback(None)
            if not isLost:
                self.assertTrue(client.closing)
                client.lose()
            stage.publishStarted = original  # type: ignore[method-assign]
            stage.application.answers.clear()
            stage.publisher()
            self.assertEqual([len(p.ends) for p in stage.published], [1, 0])

    def test_resumeAfterTheClose(self) -> None:
        """Whoever holds or releases a publisher late does no harm."""
        stage = Stage(self)
        client = stage.publisher()
        subscription: Any = stage.subscriptions[0]
        subscription.pauseProducing()
        self.assertEqual(client.transport.producerState, "paused")
        client.protocol.close("enough")
        self.assertEqual(client.transport.producerState, "producing")
        subscription.resumeProducing()
        client.protocol.hold("somebody")
        client.protocol.release("somebody")
        client.lose()
        client.protocol.hold("somebody")
        client.protocol.release("somebody")
        self.assertEqual((client.transport.producerState, stage.lines()), ("producing", ["enough"]))

    def test_heldPublisherEnds(self) -> None:
        """A hold does not outlive its publication: the connection is read on."""
        stage = Stage(self)
        client = stage.publisher()
        stage.published[0].messageReceived = lambda message: stage.subscriptions[0].pauseProducing()  # type: ignore
        client.send(audio(1), command("FCUnpublish", 6, None, "test"))
        self.assertEqual(client.transport.producerState, "producing")

    def test_messageWithoutEnd(self) -> None:
        """A byte now and then keeps a publisher, but not one that never completes a message (hostile row D15)."""
        stage = Stage(self)
        client, other = stage.publisher(), stage.publisher("other")
        part = client.encode(Message(9, 0, 1, bytes(100), 6))
        client.receive(part[:20])
        for second in range(31):
            self.assertFalse(client.closing, second)
            client.receive(part[20 + second : 21 + second])
            other.send(audio(second))
            other.receive(other.encode(audio(second))[:5] if second == 30 else b"")
            stage.pass_(1)
        self.assertTrue(client.closing)
        client.lose()
        self.assertEqual(stage.lines(), ["a message was not completed within 30 s"])
        self.assertFalse(other.closing)

    def test_heldInAMessage(self) -> None:
        """Nor does the time count in which it could not complete a message."""
        stage = Stage(self)
        client = stage.publisher()
        client.receive(client.encode(audio(1))[:5])
        subscription: Any = stage.subscriptions[0]
        stage.pass_(1)
        subscription.pauseProducing()
        stage.pass_(60)
        subscription.resumeProducing()
        stage.pass_(9)
        self.assertFalse(client.closing)

    def test_unreadAnswers(self) -> None:
        """Who asks on and on and reads nothing is cut off, though it sends all the time."""
        stage = Stage(self)
        client = stage.player()
        client.transport.producer.pauseProducing()
        seconds = 0
        while not client.transport.disconnected and seconds < 5:
            client.transport.producer.pauseProducing()
            client.send(*[command("seek", 0, None, 0.0, id=1)] * 90)
            stage.pass_(1)
            seconds += 1
        self.assertTrue(client.transport.disconnected)
        self.assertEqual(client.transport.value(), b"")
        client.lose()
        self.assertEqual(stage.lines(), ["does not read the answers that it asks for"])

    def test_closedWithSomethingToSend(self) -> None:
        """A close waits for what is still on its way, as long as it moves."""
        stage = Stage(self)
        client = stage.player()
        client.transport.producer.pauseProducing()
        client.protocol.close("enough", "NetConnection.Connect.Closed")
        stage.pass_(int(LIMITS.stallSeconds) - 1)
        self.assertFalse(client.closing)
        client.transport.producer.resumeProducing()
        self.assertEqual(client.told(), ["onStatus@0 NetConnection.Connect.Closed"])
        self.assertEqual(client.transport.calls[-1], "loseWriteConnection")
        other = stage.player("other")
        other.transport.producer.pauseProducing()
        other.protocol.close("enough")
        stage.pass_(int(LIMITS.stallSeconds))
        self.assertEqual(other.transport.calls[-1], "abortConnection")

    def test_twoPublications(self) -> None:
        """Each message stream holds the peer for itself."""
        stage = Stage(self)
        client = stage.publisher()
        client.send(command("createStream", 4), command("publish", 5, None, "other", "live", id=2))
        first, second = stage.subscriptions
        first.pauseProducing()
        second.pauseProducing()
        first.resumeProducing()
        self.assertEqual(client.transport.producerState, "paused")
        second.resumeProducing()
        self.assertEqual(client.transport.producerState, "producing")

    def test_unwanted(self) -> None:
        """A publisher may be sent away as a producer is."""
        stage = Stage(self)
        client = stage.publisher()
        publication = next(iter(stage.factory.hub)).publication
        assert publication is not None
        publication.publisher.stopProducing()
        self.assertTrue(client.closing)
        client.lose()
        self.assertEqual(stage.lines(), ["nobody wants what is published"])

    def test_heldPublisherIsNotSilent(self) -> None:
        """Who is not read can't be heard: its silence counts from the release on."""
        stage = Stage(self)
        client = stage.publisher()
        subscription: Any = stage.subscriptions[0]
        subscription.pauseProducing()
        stage.pass_(60)
        subscription.resumeProducing()
        stage.pass_(4)
        client.assertSilent()
        self.assertFalse(client.closing)

    def test_writesAfterTheClose(self) -> None:
        """Nothing leaves a connection that is closed."""
        client = Stage(self).connected()
        client.protocol.close("enough")
        client.protocol.send(Message(20, 0, 0, b"late", 3))
        client.protocol.outlet.write(b"late")
        client.protocol.proceed()
        client.send(command("createStream", 2))
        client.assertSilent()

    def test_playerIsTold(self) -> None:
        """When the server closes, publishers' viewers get all, and the news of the end."""
        stage = Stage(self)
        publisher, player = stage.publisher(), stage.player()
        player.take()
        publisher.send(audio(1))
        publisher.protocol.close("enough")
        stage.clock.advance(1)
        self.assertEqual(player.told()[-3:], ["AUDIO@1 1", "onStatus@1 NetStream.Play.UnpublishNotify", "STREAM_EOF 1"])

    def test_playEndsWhileClosing(self) -> None:
        """A stream that ends when its viewer's connection is closed already is no news."""
        stage = Stage(self)
        publisher, player = stage.publisher(), stage.player()
        publisher.lose()
        player.protocol.close("enough")
        player.take()
        stage.clock.advance(1)
        player.assertSilent()
        player.lose()
        self.assertEqual(stage.lines()[1:], ["enough"])

    def test_internalError(self) -> None:
        """An exception from anywhere ends this connection, is logged, and leaves nothing behind."""
        stage = Stage(self)
        for isLost in (False, True):
            client = stage.publisher()
            if isLost:
                # An ambiguous last chunk, which is read only at the end (wire facts 2.4).
                client.receive(b"\x09\xff\xff\xff\0\0\x81\x08\1\0\0\0\1\1\1\1" + bytes(128) + b"\xc9\1")
            client.protocol.session.messageReceived = None  # type: ignore[assignment]
            if not isLost:
                client.send(audio(1))
            client.lose()
            self.assertEqual(len(self.flushLoggedErrors(TypeError)), 1)
            self.assertEqual(len(stage.published[-1].ends), 1)
            self.assertEqual(stage.lines()[-1], "internal error")

    def test_conformance93_ambiguousLastChunk(self) -> None:
        """The last message counts though its last chunk might have gone on."""
        stage = Stage(self)
        client = stage.publisher()
        client.receive(b"\x09\xff\xff\xff\0\0\x81\x08\1\0\0\0\1\1\1\1" + bytes(128) + b"\xc9\1")
        client.lose()
        self.assertEqual([(m.timestamp, len(m.payload)) for m in stage.published[0].messages], [(0x01010101, 129)])
        self.assertEqual(stage.published[0].messagesAtEnd, 1)

    def test_phases(self) -> None:
        """The states as the diagram has them."""
        client = Stage(self).client()
        phases = [client.protocol._phase]
        client.shakeHands()
        phases.append(client.protocol._phase)
        client.protocol.close("")
        phases.append(client.protocol._phase)
        client.lose()
        phases.append(client.protocol._phase)
        self.assertEqual(phases, [Phase.HANDSHAKE, Phase.SESSION, Phase.CLOSING, Phase.CLOSED])


class BudgetTests(SynchronousTestCase):
    """Much work for few bytes is done slowly."""

    def test_B5_smallChunks(self) -> None:
        """After 50,000 small chunks in a second reading rests until the next."""
        stage = Stage(self)
        client = stage.publisher()
        client.receive(b"\x02\0\0\0\0\0\4\1\0\0\0\0\0\0\0\1")
        client.receive(b"\x06\0\0\0\0\xff\xff\x09\1\0\0\0" + b"\0" + b"\xc6\0" * 0xFFFE)
        self.assertEqual(client.transport.producerState, "paused")
        stage.pass_(1)
        self.assertEqual(client.transport.producerState, "producing")
        self.assertEqual(len(stage.published[0].messages[0].payload), 0xFFFF)

    def test_B10_emptyMessages(self) -> None:
        """After 2,000 messages without a body the same, and no line in the log for each."""
        stage = Stage(self)
        client = stage.connected()
        lines = len(stage.log)
        client.receive(b"\x03\0\0\0\0\0\0\x14\0\0\0\0" + b"\xc3" * 2100)
        self.assertEqual((client.transport.producerState, len(stage.log)), ("paused", lines))
        stage.pass_(1)
        self.assertEqual(client.transport.producerState, "producing")
        client.receive(b"\xc3" * 100)
        self.assertEqual(client.transport.producerState, "producing")

    def test_turns(self) -> None:
        """
        Many small messages in one read: after L{TURN} the others have their turn, and nothing more is read meanwhile;
        then it goes on. None is lost, none waits for more to come, and a close does not wait.
        """
        for end in ("", "lose", "closeAll"):
            stage = Stage(self)
            client = stage.publisher()
            frames = [audio(time, b"\xaf\x01" + bytes([time % 251])) for time in range(3 * TURN)]
            client.protocol.dataReceived(client.encode(*frames))
            [stored] = stage.published
            self.assertEqual((len(stored.messages), client.transport.producerState), (TURN, "paused"))
            if end == "lose":
                client.lose()
            elif end == "closeAll":
                stage.factory.closeAll("the end")
                stage.clock.advance(0)
            else:
                others: list[int] = []
                stage.clock.callLater(0, self._note, others, stored.messages)
                stage.clock.advance(0)
                self.assertEqual((others, client.transport.producerState), ([2 * TURN], "producing"))
            self.assertEqual([message.payload for message in stored.messages], [frame.payload for frame in frames])

    @staticmethod
    def _note(others: list[int], messages: list[object]) -> None:
        """Somebody else has his turn, and sees how far it is."""
        others.append(len(messages))

    def test_turnsAndVerdict(self) -> None:
        """While the application decides there are no turns: nothing would be done in them. Then it goes on."""
        verdict: Deferred[None] = Deferred()
        stage = Stage(self, Application(publish=verdict))
        client = stage.connected()
        # So many empty messages that a turn is over just when the question is asked.
        empty = b"\x04\0\0\0\0\0\0\x12\0\0\0\0" + b"\xc4" * (TURN - 2)
        publish = client.encode(command("publish", 3, None, "test", id=1))
        client.protocol.dataReceived(empty + publish + client.encode(*[audio(time) for time in range(2 * TURN)]))
        self.assertEqual((stage.published, client.transport.producerState), ([], "producing"))
        calls = [call for call in stage.clock.getDelayedCalls() if call.getTime() <= stage.clock.seconds()]
        self.assertEqual(calls, [])
        verdict.callback(None)
        stage.clock.advance(0)
        self.assertEqual(len(stage.published[0].messages), 2 * TURN)

    def test_turnsOfLargeMessages(self) -> None:
        """Ordinary media in one read, however much it is, has no turns."""
        stage = Stage(self)
        client = stage.publisher()
        client.protocol.dataReceived(client.encode(*[audio(time, bytes(100)) for time in range(3 * TURN)]))
        self.assertEqual(len(stage.published[0].messages), 3 * TURN)

    def test_turnsAndDeadlines(self) -> None:
        """Who is always in the middle of a turn is not exempt from deadlines: one message that never ends."""
        stage = Stage(self)
        client = stage.publisher()
        client.receive(b"\x02\0\0\0\0\0\4\1\0\0\0\0\0\0\0\1")
        client.receive(b"\x06\0\0\0\0\xff\xff\x09\1\0\0\0" + b"\0")
        for _ in range(int(LIMITS.messageSeconds) + 1):
            # So much that its turn is not over at the second.
            client.protocol.dataReceived(b"\xc6\0" * TURN)
            stage.pass_(1)
        self.assertTrue(client.closing)
        client.lose()
        self.assertIn("a message was not completed within 30 s", stage.lines()[0])

    def test_commands(self) -> None:
        """After 100 commands the same: answers must not pile up."""
        stage = Stage(self)
        client = stage.connected()
        client.send(*[command("_checkbw", 5)] * 99)
        self.assertEqual(client.transport.producerState, "producing")
        client.send(*[command("_checkbw", 5)] * 5)
        self.assertEqual(client.transport.producerState, "paused")
        stage.pass_(1)
        self.assertEqual(client.transport.producerState, "producing")

    def test_twoHolds(self) -> None:
        """All who hold must let go."""
        stage = Stage(self)
        client = stage.publisher()
        client.protocol.hold("somebody")
        client.receive(b"\x03\0\0\0\0\0\0\x14\0\0\0\0" + b"\xc3" * 2100)
        stage.pass_(1)
        self.assertEqual(client.transport.producerState, "paused")
        client.protocol.release("somebody")
        self.assertEqual(client.transport.producerState, "producing")

    def test_B18_pings(self) -> None:
        """Ten answers in a second, and none to who does not read."""
        stage = Stage(self)
        client = stage.connected()
        pings = [UserControl(UserControlType.PING_REQUEST, n).encode() for n in range(30)]
        client.send(*pings)
        self.assertEqual(client.told(), [f"PING_RESPONSE {n}" for n in range(10)])
        stage.pass_(1)
        client.transport.producer.pauseProducing()
        client.send(*pings)
        client.assertSilent()
        client.transport.producer.resumeProducing()
        client.send(*pings)
        self.assertEqual(len(client.told()), 10)

    def test_trust(self) -> None:
        """A stranger may send little; somebody who publishes, much (A6)."""
        big = video(1, bytes(200_000))
        client = Stage(self).connected()
        client.send(big)
        self.assertTrue(client.closing)
        stage = Stage(self)
        client = stage.connected()
        client.send(command("publish", 0, None, "test", id=1), big)
        self.assertEqual(stage.published[0].media(), [(9, 1, bytes(200_000))])


class GatheredTests(SynchronousTestCase):
    """
    The same connection when it is not the reactor that reads it (L{rtmptw.door}): L{Inlet.read} stands for a round.
    """

    def setUp(self) -> None:
        self.begin()

    def begin(self, application: Application | None = None) -> None:
        """A publisher who is gathered."""
        self.stage = Stage(self, application)
        self.client, self.wire = publisherBySocket(self.stage)
        self.transport: Any = self.client.transport
        self.inlet = self.client.protocol.inlet
        self.inlet.gather()

    def arrive(self, *messages: Message) -> None:
        """The system has them now."""
        self.wire.arrived += self.client.encode(*messages)

    def timestamps(self) -> list[int]:
        """Of what was published."""
        return [message.timestamp for message in self.stage.published[0].messages]

    def pass_(self, seconds: int) -> None:
        """Seconds pass, with a round in each."""
        for _ in range(seconds):
            self.inlet.read()
            self.stage.pass_(1)

    def assertGivenBack(self) -> None:
        """Assert that it is gone as soon as the reactor reads it."""
        self.assertIs(self.inlet.read(), False)
        self.assertEqual(self.stage.lines(), [])
        self.inlet.scatter()
        self.transport.turn()
        self.assertEqual((len(self.stage.lines()), self.stage.published[0].messagesAtEnd), (1, len(self.timestamps())))

    def test_read(self) -> None:
        """The reactor does not read it; a round does."""
        self.arrive(audio(1), audio(2))
        self.transport.turn()
        self.assertEqual(self.timestamps(), [])
        self.assertIs(self.inlet.read(), True)
        self.assertEqual(self.timestamps(), [1, 2])

    def test_messages(self) -> None:
        """Each second it is known how many messages came in it, whoever has read them; a part of one is none yet."""
        self.stage.pass_(1)
        for isGathered, count in ((True, 3), (False, 5), (True, 0), (False, 0), (True, 1)):
            if isGathered:
                self.inlet.gather()
            else:
                self.inlet.scatter()
            self.arrive(*map(audio, range(count)))
            self.inlet.read()
            self.transport.turn()
            self.stage.pass_(1)
            self.assertEqual(self.inlet.messages, count)
        encoded = self.client.encode(audio(1))
        for part, count in ((encoded[:-1], 0), (encoded[-1:], 1)):
            self.wire.arrived += part
            self.inlet.read()
            self.stage.pass_(1)
            self.assertEqual(self.inlet.messages, count)

    def test_FIN(self) -> None:
        """A publisher that closes behind its last bytes: all of them count, and the reason is the usual one."""
        for size in (1, 300, 60_000):
            self.begin()
            self.arrive(*[video(n, bytes(size)) for n in range(4)])
            self.wire.end = True
            if size == 300:
                self.assertIs(self.inlet.read(), True)
            while self.wire.arrived:
                self.inlet.read()
            self.assertGivenBack()
            self.assertEqual(self.timestamps(), [0, 1, 2, 3])
            self.assertEqual(self.stage.lines(), ["the peer closed the connection"])

    def test_reset(self) -> None:
        """One that is reset: all that came before counts, and the reason is the reset, also if a round has found it."""
        for read in (0, 1):
            self.begin()
            self.arrive(audio(1), audio(2))
            self.wire.reset()
            for _ in range(read):
                self.assertIs(self.inlet.read(), True)
            while self.wire.arrived:
                self.inlet.read()
            self.assertGivenBack()
            self.assertEqual(self.timestamps(), [1, 2])
            [line] = self.stage.lines()
            self.assertIn("Connection reset by peer", line)

    def test_cleanly(self) -> None:
        """No end is clean behind an error, whoever has found it, though it looks so to the transport."""
        for act, clean in (
            (lambda wire: None, True),
            (lambda wire: setattr(wire, "broken", BrokenPipeError(32, "Broken pipe")), False),
            (lambda wire: wire.reset(), False),
        ):
            self.begin()
            found: list[tuple[str, bool]] = []
            self.client.protocol.session.gone = lambda *how, found=found: found.append(how)  # type: ignore
            act(self.wire)
            self.client.protocol.send(UserControl(UserControlType.PING_REQUEST, 1).encode())
            # A client learns that it was all sent: see L{rtmptw.client}.
            self.client.protocol.allSent = True
            self.wire.end = self.wire.end or True
            self.assertGivenBack()
            [(reason, cleanly)] = found
            self.assertEqual((cleanly, reason == "the peer closed the connection"), (clean, clean))

    def test_firstFailure(self) -> None:
        """If reading and sending have failed, reading says more."""
        self.wire.broken = BrokenPipeError(32, "Broken pipe")
        self.client.protocol.send(UserControl(UserControlType.PING_REQUEST, 1).encode())
        self.wire.reset()
        self.assertGivenBack()
        [line] = self.stage.lines()
        self.assertIn("reset", line)

    def test_brokenSendLosesNothing(self) -> None:
        """What was sent before the peer broke is still read."""
        self.arrive(audio(1), audio(2))
        self.wire.broken = BrokenPipeError(32, "Broken pipe")
        self.wire.end = True
        self.client.protocol.send(UserControl(UserControlType.PING_REQUEST, 1).encode())
        self.assertIs(self.inlet.read(), True)
        self.assertGivenBack()
        self.assertEqual(self.timestamps(), [1, 2])
        [line] = self.stage.lines()
        self.assertIn("Broken pipe", line)

    def test_silent(self) -> None:
        """Silence is the same: one ping at 10 s, the end at 15 s; and no end for who says something."""
        for _ in range(3):
            self.pass_(int(LIMITS.pingSeconds) - 1)
            self.client.assertSilent()
            self.arrive(audio(1))
        self.inlet.read()
        self.pass_(int(LIMITS.pingSeconds) - 1)
        self.client.assertSilent()
        self.pass_(1)
        self.assertEqual(len(self.client.told()), 1)
        self.pass_(int(LIMITS.silenceSeconds - LIMITS.pingSeconds) - 1)
        self.assertFalse(self.client.told())
        self.pass_(1)
        self.assertEqual(self.client.told(), ["onStatus@0 NetConnection.Connect.IdleTimeOut"])
        self.assertTrue(self.transport.isWatched)
        self.transport.turn()
        self.wire.end = True
        self.transport.turn()
        [line] = self.stage.lines()
        self.assertIn("silent", line)

    def test_messageWithoutEnd(self) -> None:
        """So is a message that is never completed (hostile row D15)."""
        part = self.client.encode(Message(9, 0, 1, bytes(100), 6))
        self.wire.arrived += part[:20]
        for second in range(31):
            self.assertFalse(self.transport.isWatched, second)
            self.wire.arrived += part[20 + second : 21 + second]
            self.pass_(1)
        self.assertTrue(self.transport.isWatched)
        self.wire.end = True
        self.transport.turn()
        self.assertEqual(self.stage.lines(), ["a message was not completed within 30 s"])

    def test_budget(self) -> None:
        """Who is held for its budget is not read for the rest of the second, and stays gathered."""
        self.wire.arrived += b"\x03\0\0\0\0\0\0\x14\0\0\0\0" + b"\xc3" * 2100
        self.assertIs(self.inlet.read(), True)
        self.arrive(audio(1))
        self.assertIs(self.inlet.read(), True)
        self.assertEqual((self.inlet.isHeld, self.timestamps()), (True, []))
        self.stage.pass_(1)
        self.assertEqual((self.inlet.isHeld, self.transport.isWatched), (False, False))
        self.inlet.read()
        self.assertEqual(self.timestamps(), [1])

    def test_verdict(self) -> None:
        """Who waits for a verdict while it publishes something else: no more is held than else, and all comes."""
        verdict: Deferred[None] = Deferred()
        self.stage.application.answers["publish"] = verdict
        self.arrive(command("publish", 5, None, "other", "live", id=2))
        count = 3 * LIMITS.heldBytes // 10_000
        self.arrive(*[video(n, bytes(10_000)) for n in range(count)])
        for _ in range(3):
            self.assertIs(self.inlet.read(), True)
        self.assertEqual((self.inlet.isHeld, self.timestamps()), (True, []))
        self.assertLess(self.client.protocol._reader.held, LIMITS.heldBytes + READ)
        verdict.callback(None)
        self.assertEqual((self.inlet.isHeld, self.transport.isWatched), (False, False))
        self.inlet.read()
        self.assertEqual(self.timestamps(), [*range(count)])

    def test_subscriberHolds(self) -> None:
        """Subscribers hold it as any other; the time does not count as silence."""
        subscription: Any = self.stage.subscriptions[0]
        subscription.pauseProducing()
        self.arrive(audio(1))
        self.pass_(60)
        self.assertEqual(self.timestamps(), [])
        subscription.resumeProducing()
        self.client.assertSilent()
        self.assertFalse(self.transport.isWatched)
        self.pass_(4)
        self.client.assertSilent()
        self.assertEqual(self.timestamps(), [1])

    def test_close(self) -> None:
        """A close by us gives it back to the reactor, which throws away what comes, and finds the end."""
        self.arrive(audio(1))
        self.inlet.read()
        self.client.protocol.hold("somebody")
        self.client.protocol.close("enough")
        self.assertTrue(self.transport.isWatched)
        self.arrive(audio(2))
        self.transport.turn()
        self.wire.end = True
        self.transport.turn()
        self.assertEqual((self.timestamps(), self.stage.lines()), ([1], ["enough"]))
        self.assertEqual(self.stage.clock.getDelayedCalls(), [])

    def test_closedInARound(self) -> None:
        """Who breaks the protocol in a round is closed as else; what is behind it is not read by that round."""
        self.arrive(audio(1))
        self.wire.arrived += b"\xc9" + bytes(READ)
        self.assertIs(self.inlet.read(), False)
        self.assertEqual((self.timestamps(), self.transport.isWatched), ([1], True))
        self.wire.end = True
        for _ in range(2):
            self.transport.turn()
        [line] = self.stage.lines()
        self.assertIn("protocol error", line)

    def test_abort(self) -> None:
        """An abort is at once; who reads it later finds nothing, and breaks nothing."""
        self.arrive(audio(1))
        self.client.protocol.abort("enough")
        self.transport.turn()
        self.assertEqual((self.stage.lines(), self.timestamps()), (["enough"], []))
        self.assertIs(self.inlet.read(), False)
        self.inlet.scatter()
        self.transport.turn()
        self.assertEqual((self.stage.lines(), self.transport.isWatched), (["enough"], False))

    def test_internalError(self) -> None:
        """A mistake of ours in a round ends this connection; the round goes on."""
        self.client.protocol.session.messageReceived = None  # type: ignore[assignment]
        self.arrive(audio(1))
        self.assertIs(self.inlet.read(), False)
        self.assertEqual(len(self.flushLoggedErrors(TypeError)), 1)
        self.wire.end = True
        self.transport.turn()
        self.assertEqual(self.stage.lines(), ["internal error"])

    def test_others(self) -> None:
        """Other transports have nothing that could be gathered: they are read as ever."""
        for transport, can in ((TLSTransport(), False), (TCPTransport(), False), (StringTransport(), False)):
            self.assertIs(Stage(self).client(transport).protocol.inlet.canGather, can)
        self.assertTrue(self.inlet.canGather)


class SocketlessTests(SynchronousTestCase):
    """The tests of this file need no network."""

    def test_noSockets(self) -> None:
        self.patch(socket, "socket", None)
        Stage(self).publisher().send(audio(1))
