# -*- test-case-name: tests.hostile.test_limits -*-
"""
Every limit bites, at the value that it was set to, and is counted. The name of a test is that of the limit; those of
the recorder are shown in C{tests.record}.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.auth.challenges import Challenges
from rtmptw.auth.failures import Failures
from rtmptw.errors import StatusError
from rtmptw.gate import memoryguard
from rtmptw.gate.admission import YOUNG_SECONDS
from rtmptw.limits import Limits, Reached
from rtmptw.live.hub import StreamHub
from rtmptw.live.rounds import FlushTimes
from rtmptw.server import RTMPServerFactory
from rtmptw.wire import amf0
from rtmptw.wire.control import UserControl, UserControlType
from rtmptw.wire.message import Message, MessageType
from tests.live.doubles import MemoryPublisher
from tests.session.dialects import (
    Application,
    Client,
    Stage,
    TCPTransport,
    audio,
    command,
    connect,
    data,
    video,
)
from tests.test_protocol import TLSTransport

#: How old a stranger is that has to make room, seconds.
OLD = int(YOUNG_SECONDS)


class LimitedStage(Stage):
    """A server with other limits than usual."""

    def __init__(self, case: SynchronousTestCase, limits: dict[str, Any]) -> None:
        super().__init__(case, Application())
        chosen, self.reached = Limits(**limits), Reached()
        hub = StreamHub(self.clock, FlushTimes(0, 0), limits=chosen, reached=self.reached)
        self.factory = RTMPServerFactory(self.application, hub, self.clock, limits=chosen, reached=self.reached)
        hub.observers.append(self)


class LimitCase(SynchronousTestCase):
    def stage(self, **limits: Any) -> LimitedStage:
        """A server with these limits, and for the rest the usual ones."""
        return LimitedStage(self, limits)

    def assertReached(self, stage: LimitedStage, limit: str, count: int = 1) -> None:
        """This limit was reached so often, and no other."""
        self.assertEqual(dict(stage.reached.counts), {limit: count} if count else {})

    def assertClosed(self, client: Client, limit: str) -> None:
        """It was closed for this limit, and the log says why."""
        self.assertTrue(client.closing)
        assert isinstance(client.stage, LimitedStage)
        self.assertReached(client.stage, limit)
        client.lose()
        self.assertEqual(len(client.stage.lines()), 1)


class ConnectionTests(LimitCase):
    """How many may come."""

    def come(self, stage: Stage, host: str = "192.0.2.1", transport: TCPTransport | None = None) -> Client | None:
        """Somebody comes; L{None}: he does not get in."""
        transport = TCPTransport() if transport is None else transport
        # A StringTransport has no other way to be told.
        transport.peerAddr = address = IPv4Address("TCP", host, 50000)
        protocol = stage.factory.buildProtocol(address)
        if protocol is None:
            return None
        build, stage.factory.buildProtocol = stage.factory.buildProtocol, lambda _: protocol  # type: ignore[method-assign]
        try:
            return Client(stage, transport)
        finally:
            stage.factory.buildProtocol = build  # type: ignore[method-assign]

    def use(self, client: Client | None) -> Client:
        """He plays a stream that is on, which no stranger does."""
        assert client is not None
        if not list(client.stage.factory.hub):
            client.stage.factory.hub.publish("live/test", MemoryPublisher())
        client.shakeHands()
        client.send(connect(), command("createStream", 2), command("play", 3, None, "test", id=1))
        return client

    def test_connections(self) -> None:
        """Two use it, so there is no room for a third; a stranger makes room for somebody else."""
        stage = self.stage(connections=2)
        for number in range(2):
            self.use(self.come(stage, f"192.0.2.{number}"))
        self.assertIsNone(self.come(stage, "192.0.2.3"))
        self.assertReached(stage, "connections")
        stage = self.stage(connections=2)
        stranger = self.come(stage, "192.0.2.1")
        assert stranger is not None
        self.use(self.come(stage, "192.0.2.2"))
        stage.pass_(OLD)
        self.assertIsNotNone(self.come(stage, "192.0.2.3"))
        self.assertTrue(stranger.transport.disconnected)
        self.assertReached(stage, "connections")

    def test_strangers(self) -> None:
        """The oldest makes room."""
        stage = self.stage(strangers=3)
        clients = [self.come(stage, f"192.0.2.{number}") for number in range(3)]
        stage.pass_(OLD)
        clients.append(self.come(stage, "192.0.2.3"))
        self.assertEqual([each is not None and each.transport.disconnected for each in clients], [True] + [False] * 3)
        self.assertReached(stage, "strangers")

    def test_tlsStrangers(self) -> None:
        """The oldest of those over TLS."""
        stage = self.stage(tlsStrangers=1)
        plain = self.come(stage, "192.0.2.1")
        secure = [self.come(stage, "192.0.2.2", TLSTransport())]
        stage.pass_(OLD)
        secure.append(self.come(stage, "192.0.2.3", TLSTransport()))
        gone = [each is not None and each.transport.disconnected for each in (plain, *secure)]
        self.assertEqual(gone, [False, True, False])
        self.assertReached(stage, "tlsStrangers")

    def test_addressConnections(self) -> None:
        stage = self.stage(addressConnections=2)
        for _ in range(2):
            self.use(self.come(stage))
        self.assertIsNone(self.come(stage))
        self.assertReached(stage, "addressConnections")
        self.assertIsNotNone(self.come(stage, "192.0.2.2"))

    def test_addressStrangers(self) -> None:
        stage = self.stage(addressStrangers=2)
        self.use(self.come(stage))
        for _ in range(2):
            self.assertIsNotNone(self.come(stage))
        self.assertIsNone(self.come(stage))
        self.assertReached(stage, "addressStrangers")

    def test_addressBurst(self) -> None:
        stage = self.stage(addressBurst=3)
        for _ in range(3):
            self.use(self.come(stage))
        self.assertIsNone(self.come(stage))
        self.assertReached(stage, "addressBurst")

    def test_addressRate(self) -> None:
        """One in two seconds, once the burst is used up."""
        stage = self.stage(addressBurst=2, addressRate=0.5)
        came = []
        for _ in range(10):
            client = self.come(stage)
            came.append(client is not None)
            if client is not None:
                client.lose()
            stage.pass_(1)
        self.assertEqual(came, [True, True, True, False, True, False, True, False, True, False])
        self.assertReached(stage, "addressRate", 4)

    def test_memoryBytes(self) -> None:
        """Above 85 % of it nobody gets in."""
        used = [84]
        self.patch(memoryguard, "residentMemory", lambda: lambda: used[0])
        stage = self.stage(memoryBytes=100)
        self.assertIsNotNone(self.come(stage))
        used[0] = 85
        stage.pass_(1)
        self.assertIsNone(self.come(stage))
        self.assertReached(stage, "memoryBytes")


class TimeTests(LimitCase):
    """How long anything may take."""

    def assertDeadline(self, client: Client, seconds: int, limit: str) -> None:
        """This second is the last one."""
        client.stage.pass_(seconds - 1)
        self.assertFalse(client.closing)
        client.stage.pass_(1)
        self.assertClosed(client, limit)

    def test_handshakeSeconds(self) -> None:
        self.assertDeadline(self.stage(handshakeSeconds=4).client(), 4, "handshakeSeconds")

    def test_idleSeconds(self) -> None:
        self.assertDeadline(self.stage(idleSeconds=4).connected(), 4, "idleSeconds")

    def test_verdictSeconds(self) -> None:
        stage = self.stage(verdictSeconds=4)
        stage.application.answers["connect"] = Deferred()
        client = stage.client()
        client.shakeHands()
        client.send(connect())
        self.assertDeadline(client, 4, "verdictSeconds")

    def test_firstMediaSeconds(self) -> None:
        """It says something from time to time, but that is nothing to see."""
        stage = self.stage(firstMediaSeconds=4, silenceSeconds=3)
        client = stage.publisher()
        for _ in range(3):
            client.send(command("FCPublish", 0, None, "test"))
            stage.pass_(1)
        self.assertFalse(client.closing)
        client.send(command("FCPublish", 0, None, "test"))
        stage.pass_(1)
        self.assertClosed(client, "firstMediaSeconds")

    def test_pingSeconds(self) -> None:
        """That is no harm: it is asked whether it is there."""
        stage = self.stage(pingSeconds=4)
        client = stage.publisher()
        client.send(audio(1))
        stage.pass_(3)
        client.assertSilent()
        stage.pass_(1)
        self.assertEqual([word.split()[0] for word in client.told()], ["PING_REQUEST"])
        self.assertFalse(client.closing)
        self.assertReached(stage, "pingSeconds")

    def test_silenceSeconds(self) -> None:
        client = self.stage(silenceSeconds=4).publisher()
        client.send(audio(1))
        self.assertDeadline(client, 4, "silenceSeconds")

    def test_messageSeconds(self) -> None:
        client = self.stage(messageSeconds=4).publisher()
        client.send(audio(1))
        client.receive(client.encode(audio(2))[:5])
        client.stage.pass_(1)
        self.assertDeadline(client, 4, "messageSeconds")

    def test_stallSeconds(self) -> None:
        client = self.stage(stallSeconds=4).player()
        client.transport.producer.pauseProducing()
        self.assertDeadline(client, 4, "stallSeconds")

    def test_lingerSeconds(self) -> None:
        """Our side is closed; after that long, the other one is as well."""
        stage = self.stage(lingerSeconds=2)
        client = stage.connected()
        client.protocol.close("enough")
        self.assertNotIn("loseConnection", client.transport.calls)
        stage.pass_(2)
        self.assertIn("loseConnection", client.transport.calls)
        self.assertReached(stage, "lingerSeconds")


class MessageTests(LimitCase):
    """What may be sent."""

    def send(self, client: Client, limit: str, good: Message, bad: Message) -> None:
        """One is good enough, and another one is too much."""
        client.send(good)
        self.assertFalse(client.closing)
        client.send(bad)
        self.assertClosed(client, limit)

    def partial(self, client: Client, csid: int, size: int) -> None:
        """Half a message: so many bytes of audio, and one to come. At most 128, so that they are one chunk."""
        announced = (size + 200).to_bytes(3, "big")
        client.receive(bytes((csid, 0, 0, 0)) + announced + b"\x08\1\0\0\0" + bytes(size))

    def test_strangerMessageBytes(self) -> None:
        client = self.stage(strangerMessageBytes=2000).connected()
        self.send(client, "strangerMessageBytes", Message(99, 0, 0, bytes(2000), 3), Message(99, 0, 0, bytes(2001), 3))

    def test_strangerPartialBytes(self) -> None:
        client = self.stage(strangerPartialBytes=1024).connected()
        for csid in range(10, 18):
            self.partial(client, csid, 128)
        self.assertFalse(client.closing)
        self.partial(client, 18, 128)
        self.assertClosed(client, "strangerPartialBytes")

    def test_heldBytes(self) -> None:
        stage = self.stage(heldBytes=5000)
        stage.application.answers["publish"] = verdict = Deferred[None]()
        client = stage.connected()
        client.send(command("publish", 3, None, "test", id=1), audio(1, bytes(4000)))
        self.assertEqual(client.transport.producerState, "producing")
        client.send(audio(2, bytes(2000)))
        self.assertEqual(client.transport.producerState, "paused")
        self.assertReached(stage, "heldBytes")
        verdict.callback(None)
        self.assertEqual(client.transport.producerState, "producing")

    def test_sizes(self) -> None:
        """Of a publisher, each type its own."""
        for limit, type in (
            ("commandBytes", 99),
            ("dataBytes", MessageType.DATA),
            ("audioBytes", MessageType.AUDIO),
            ("videoBytes", MessageType.VIDEO),
        ):
            client = self.stage(**{limit: 2000}).publisher()
            body = amf0.encode("x", "y" * 1994)
            self.assertEqual(len(body), 2000 + 1)
            bodies = (body[:-1], body) if type == MessageType.DATA else (bytes(2000), bytes(2001))
            self.send(client, limit, *[Message(type, 0, 1, body, 4) for body in bodies])

    def test_aggregateBytes(self) -> None:
        parts = [b"\x08" + size.to_bytes(3, "big") + bytes(7 + size + 4) for size in (1985, 1986)]
        client = self.stage(aggregateBytes=2000).publisher()
        self.send(client, "aggregateBytes", *[Message(22, 0, 1, part, 4) for part in parts])

    def test_partialBytes(self) -> None:
        client = self.stage(partialBytes=1024).publisher()
        for csid in range(10, 18):
            self.partial(client, csid, 128)
        self.assertFalse(client.closing)
        self.partial(client, 18, 128)
        self.assertClosed(client, "partialBytes")

    def test_allPartialBytes(self) -> None:
        """Who has the most of it goes."""
        stage = self.stage(allPartialBytes=2000)
        small, large = stage.publisher("small"), stage.publisher("large")
        for client, count in ((small, 7), (large, 8)):
            for csid in range(10, 10 + count):
                self.partial(client, csid, 128)
        stage.pass_(1)
        self.assertFalse(large.closing)
        self.partial(large, 20, 128)
        stage.pass_(1)
        self.assertEqual((small.closing, large.closing), (False, True))
        self.assertReached(stage, "allPartialBytes")

    def test_partialMessages(self) -> None:
        client = self.stage(partialMessages=3).publisher()
        for csid in (10, 11, 12):
            self.partial(client, csid, 128)
        self.assertFalse(client.closing)
        self.partial(client, 13, 128)
        self.assertClosed(client, "partialMessages")

    def test_chunkStreams(self) -> None:
        client = self.stage(chunkStreams=8).publisher()
        used = 1
        while used < 8:
            used += 1
            client.send(audio(0, csid=10 + used))
        self.assertFalse(client.closing)
        for csid in (30, 31):
            client.send(audio(0, csid=csid))
        self.assertClosed(client, "chunkStreams")

    def assertPauses(self, client: Client, limit: str, one: bytes, count: int) -> None:
        """After so many it is not read for the rest of the second."""
        for _ in range(2):
            client.receive(one * count)
            self.assertEqual(client.transport.producerState, "producing")
            client.receive(one)
            self.assertEqual(client.transport.producerState, "paused")
            client.stage.pass_(1)
            self.assertEqual(client.transport.producerState, "producing")
        assert isinstance(client.stage, LimitedStage)
        self.assertReached(client.stage, limit, 2)

    def test_smallChunks(self) -> None:
        client = self.stage(smallChunks=50).publisher()
        client.send(audio(0, b"\xaf\x01"))
        client.stage.pass_(1)
        self.assertPauses(client, "smallChunks", b"\xc4\xaf\x01", 50)

    def test_emptyMessages(self) -> None:
        client = self.stage(emptyMessages=50).publisher()
        client.send(audio(0, b""))
        client.stage.pass_(1)
        self.assertPauses(client, "emptyMessages", b"\xc4", 50)

    def test_commands(self) -> None:
        client = self.stage(commands=5).connected()
        # The first one has a longer header than those that follow.
        client.send(command("_checkbw", 5))
        client.stage.pass_(1)
        self.assertPauses(client, "commands", client.encode(command("_checkbw", 5)), 5)

    def test_pings(self) -> None:
        stage = self.stage(pings=3)
        client = stage.connected()
        stage.pass_(1)
        client.send(*[UserControl(UserControlType.PING_REQUEST, n).encode() for n in range(5)])
        self.assertEqual(client.told(), [f"PING_RESPONSE {n}" for n in range(3)])
        self.assertReached(stage, "pings", 2)

    def test_unreadBytes(self) -> None:
        client = self.stage(unreadBytes=1024).connected()
        client.transport.producer.pauseProducing()
        client.send(*[command("_checkbw", 5)] * 25)
        self.assertFalse(client.closing)
        client.send(*[command("_checkbw", 5)] * 25)
        self.assertClosed(client, "unreadBytes")


class ValueTests(LimitCase):
    """What may be in a message."""

    def check(self, limit: str, value: int, good: object, bad: object) -> None:
        """Something in a command, of which a bit more is too much."""
        client = self.stage(**{limit: value}).connected()
        client.send(command("anything", 0, None, good))
        self.assertFalse(client.closing)
        client.send(command("anything", 0, None, bad))
        self.assertClosed(client, limit)

    def test_amfDepth(self) -> None:
        nested: object = []
        for _ in range(3):
            nested = [nested]
        self.check("amfDepth", 4, nested, [nested])

    def test_amfRepeatedBytes(self) -> None:
        """What is repeated by a reference, of AMF0: here a list with a long text in it."""
        text = ["x" * 900]

        def repeat(count: int) -> Message:
            # Reference 0 is the list.
            value = amf0.encode("anything", 0.0, None, text) + b"\x07\0\0" * count
            return Message(20, 0, 0, value, 3)

        client = self.stage(amfRepeatedBytes=4000).connected()
        client.send(repeat(4))
        self.assertFalse(client.closing)
        client.send(repeat(10))
        self.assertClosed(client, "amfRepeatedBytes")

    def test_commandValues(self) -> None:
        self.check("commandValues", 20, [0.0] * 16, [0.0] * 20)

    def test_commandKeys(self) -> None:
        objects = [{f"k{number}": 0.0 for number in range(count)} for count in (20, 21)]
        self.check("commandKeys", 20, *objects)

    def test_commandStringBytes(self) -> None:
        self.check("commandStringBytes", 300, "x" * 300, "x" * 301)

    def unreadable(self, limit: str, value: int, good: object, bad: object) -> None:
        """Something in a data message: one with too much is passed over, and its publisher stays."""
        stage = self.stage(**{limit: value})
        client = stage.publisher()
        for values in (good, bad, good):
            client.send(data("onMetaData", values))
        self.assertEqual(len(stage.published[0].messages), 2)
        self.assertFalse(client.closing)
        self.assertReached(stage, limit)

    def test_dataValues(self) -> None:
        self.unreadable("dataValues", 20, [0.0] * 16, [0.0] * 20)

    def test_dataStringBytes(self) -> None:
        self.unreadable("dataStringBytes", 300, "x" * 300, "x" * 301)


class SessionTests(LimitCase):
    """What may be asked for."""

    def test_streams(self) -> None:
        stage = self.stage(streams=2)
        client = stage.connected()
        client.send(*[command("createStream", number) for number in (2, 3, 4)])
        self.assertEqual([word.split()[0] for word in client.told()], ["_result", "_result", "_error"])
        self.assertReached(stage, "streams")

    def test_createdStreams(self) -> None:
        stage = self.stage(createdStreams=2)
        client = stage.connected()
        for number in (1, 2, 3):
            client.send(command("createStream", number), command("deleteStream", 0, None, number))
        self.assertEqual([word.split()[0] for word in client.told()], ["_result", "_result", "_error"])
        self.assertReached(stage, "createdStreams")

    def again(self, client: Client) -> None:
        client.send(command("closeStream", 0, id=1), command("publish", 0, None, "test", id=1))

    def test_requestsAtOnce(self) -> None:
        client = self.stage(requestsAtOnce=3).publisher()
        for _ in range(2):
            self.again(client)
        self.assertFalse(client.closing)
        self.again(client)
        self.assertClosed(client, "requestsAtOnce")

    def test_requestsPerMinute(self) -> None:
        """Twenty in a minute are one in three seconds."""
        stage = self.stage(requestsAtOnce=2, requestsPerMinute=20)
        client = stage.publisher()
        self.again(client)
        for _ in range(3):
            stage.pass_(3)
            self.again(client)
            self.assertFalse(client.closing)
        self.again(client)
        self.assertClosed(client, "requestsPerMinute")


class ViewerTests(LimitCase):
    """What is kept for viewers."""

    KEY = b"\x17\x01\0\0\0"
    OTHER = b"\x27\x01\0\0\0"

    def slow(self, size: int, seconds: int, **limits: Any) -> tuple[LimitedStage, Client, Client]:
        """A viewer that takes nothing, and so much of a stream, a picture a second; each fifth is a keyframe."""
        stage = self.stage(**limits)
        publisher, player = stage.publisher(), stage.player()
        publisher.send(video(0, self.KEY + bytes(10)))
        player.take()
        player.transport.producer.pauseProducing()
        for second in range(1, seconds + 1):
            publisher.send(video(second * 1000, (self.OTHER if second % 5 else self.KEY) + bytes(size)))
            stage.pass_(1)
        return stage, publisher, player

    def test_behindBytes(self) -> None:
        for size, count in ((900, 0), (2000, 1)):
            stage, publisher, player = self.slow(size, 6, behindBytes=6000, behindSeconds=60)
            player.transport.producer.resumeProducing()
            self.assertReached(stage, "behindBytes", count)
            times = [message.timestamp for message in player.take()]
            self.assertEqual(times[0], 5000 if count else 1000)
            publisher.lose()

    def test_behindSeconds(self) -> None:
        for seconds, count in ((10, 0), (3, 1)):
            stage, publisher, player = self.slow(10, 6, behindSeconds=seconds)
            player.transport.producer.resumeProducing()
            self.assertReached(stage, "behindSeconds", count)
            times = [message.timestamp for message in player.take()]
            self.assertEqual(times[0], 5000 if count else 1000)
            publisher.lose()

    def test_restSeconds(self) -> None:
        """It takes something now and then, so that it is no stall; but not the rest in time."""
        stage, publisher, player = self.slow(200_000, 4, restSeconds=5, stallSeconds=60)
        publisher.send(command("deleteStream", 0, None, 1))
        publisher.lose()
        stage.pass_(4)
        self.assertReached(stage, "restSeconds", 0)
        stage.pass_(2)
        self.assertReached(stage, "restSeconds")
        player.transport.producer.resumeProducing()
        stage.pass_(1)
        self.assertIn("onStatus@1 NetStream.Play.UnpublishNotify", player.told())

    def test_allTapeBytes(self) -> None:
        """The largest forgets: who joins then gets no picture before the next keyframe."""
        stage = self.stage(allTapeBytes=10_000)
        small, large = stage.publisher("small"), stage.publisher("large")
        small.send(video(0, self.KEY + bytes(100)))
        large.send(video(0, self.KEY + bytes(20_000)))
        stage.factory.hub.trim()
        self.assertReached(stage, "allTapeBytes")
        for name, words in (("small", ["VIDEO@1 0"]), ("large", [])):
            told = stage.connected()
            told.send(command("createStream", 2), command("play", 3, None, name, id=1))
            self.assertEqual([word for word in told.told() if word.startswith("VIDEO")], words)


class ProofTests(LimitCase):
    """Who may."""

    def test_wrongProofs(self) -> None:
        reached = Reached()
        failures = Failures(Clock(), limits=Limits(wrongProofs=2), reached=reached)
        for _ in range(2):
            failures.check("192.0.2.1")
            failures.add("192.0.2.1")
        self.assertRaises(StatusError, failures.check, "192.0.2.1")
        failures.check("192.0.2.2")
        self.assertEqual(dict(reached.counts), {"wrongProofs": 1})

    def test_challenges(self) -> None:
        """The oldest is forgotten."""
        reached = Reached()
        challenges = Challenges(
            Clock(), lambda size: number.to_bytes(size), limits=Limits(challenges=8), reached=reached
        )
        made = []
        for number in range(9):
            made.append(challenges.make("user", f"192.0.2.{number}"))
        self.assertEqual((len(challenges), dict(reached.counts)), (8, {"challenges": 1}))
        self.assertIsNone(challenges.take(made[0].text, "user", "192.0.2.0"))
        self.assertIsNotNone(challenges.take(made[1].text, "user", "192.0.2.1"))
