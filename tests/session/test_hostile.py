# -*- test-case-name: tests.session.test_hostile -*-
"""
Hostile input to a whole server: what a stranger or a publisher may say without harm. The names are those of the rows.
"""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.session import status
from rtmptw.wire import amf0
from rtmptw.wire.amf import UNDEFINED
from rtmptw.wire.control import UserControl, UserControlType, acknowledgement, setPeerBandwidth
from rtmptw.wire.message import Message, MessageType
from tests.session.dialects import HANDSHAKE, Application, Client, Stage, audio, command, connect, data, video

# How many small chunks and commands are read in a second, and how many requests are granted at once.
SMALL, COMMANDS, REQUESTS = 50_000, 100, 10

NAN, INF = float("nan"), float("inf")


class HostileTests(SynchronousTestCase):
    def assertGood(self, client: Client) -> None:
        """It has been sent nothing, and may still publish."""
        client.assertSilent()
        client.send(command("publish", 0, None, "after", id=1))
        self.assertEqual(client.told()[-1], "onStatus@1 NetStream.Publish.Start")
        self.assertFalse(client.closing)

    def test_A6_everythingInOneWrite(self) -> None:
        """In order; what stands behind a publish is held until the verdict."""
        verdict: Deferred[None] = Deferred()
        stage = Stage(self, Application(publish=verdict))
        client = stage.client()
        sent = [connect(), command("createStream", 2), command("publish", 3, None, "test", id=1)]
        media = [video(n, bytes(3000)) for n in range(100)]
        client.receive(HANDSHAKE + client.encode(*sent, *media))
        self.assertEqual((stage.published, client.transport.producerState), ([], "paused"))
        verdict.callback(None)
        self.assertEqual(client.transport.producerState, "producing")
        self.assertEqual(stage.published[0].media(), [(9, n, bytes(3000)) for n in range(100)])

    def test_B8_shortControls(self) -> None:
        """Bodies that are too short or too long are passed over (wire facts 10.25)."""
        client = Stage(self).connected()
        # Our own writer refuses to write these two.
        for type in (1, 2):
            for size in range(4):
                client.receive(b"\x02\0\0\0\0\0" + bytes((size, type)) + bytes(4 + size))
        for type in (3, 5, 6):
            for size in range(12):
                client.send(Message(type, 0, 0, bytes(size), 2))
        for size in range(12):
            for event in (1, 3, 4, 26, 99):
                client.send(Message(4, 0, 0, event.to_bytes(2, "big")[:size] + bytes(max(0, size - 2)), 2))
        self.assertGood(client)

    def test_B15_unknownTypes(self) -> None:
        client = Stage(self).connected()
        for type in (0, 7, 10, 16, 19, 21, 23, 128, 255):
            for size in (0, 1, 5000):
                client.send(Message(type, 0, 0, bytes(size), 3))
        self.assertGood(client)

    def test_B16_windows(self) -> None:
        """No window makes us write more than once for a read, or for every byte."""
        for size in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF):
            client = Stage(self).connected()
            client.send(Message(5, 0, 0, size.to_bytes(4, "big"), 2))
            for _ in range(100):
                client.send(Message(99, 0, 0, bytes(100), 3))
            client.assertSilent()
            client.send(*[Message(99, 0, 0, bytes(60000), 3)] * 5)
            self.assertEqual(len(client.told()), int(size == 1))

    def test_B17_acknowledgements(self) -> None:
        client = Stage(self).connected()
        client.send(*[acknowledgement(n) for n in (5, 0, 0xFFFFFFFF, 1, 0x80000000)])
        self.assertGood(client)

    def test_B18_pingFlood(self) -> None:
        client = Stage(self).connected()
        client.send(*[UserControl(UserControlType.PING_REQUEST, n).encode() for n in range(10_000)])
        self.assertEqual(len(client.take()), 10)

    def test_B19_buffersAndBandwidths(self) -> None:
        client = Stage(self).connected()
        for n in range(100):
            length = UserControl(UserControlType.SET_BUFFER_LENGTH, n, 0xFFFFFFFF).encode()
            client.send(length, setPeerBandwidth(1 + n * 1000 % 7), Message(6, 0, 0, b"\xff" * 5, 2))
        self.assertGood(client)

    def test_B20_aggregates(self) -> None:
        """Broken ones end their publisher, with what came before delivered, the good parts included."""
        part = b"\x08" + bytes(14)
        for payload, good in (
            (b"\x08", 0),
            (b"\x08\0\0\x05" + bytes(7), 0),
            (b"\x16" + bytes(14), 0),
            (part * 2 + b"\x16" + bytes(14), 2),
            (part * 1025, 1024),
        ):
            stage = Stage(self)
            client = stage.publisher()
            client.send(audio(1), Message(22, 5, 1, payload, 4), audio(2))
            self.assertEqual(client.told(), [f"onStatus@0 {status.CLOSED}"])
            self.assertTrue(client.closing)
            client.lose()
            self.assertIn("aggregate", stage.lines()[0])
            self.assertEqual([m.timestamp for m in stage.published[0].messages], [1] + [5] * good)

    def test_B21_shortTags(self) -> None:
        """Bodies of no, one and two bytes, of every first byte, go through."""
        stage = Stage(self)
        client, player = stage.publisher(), stage.player()
        sent = [
            Message(type, 0, 1, bytes((first, second))[:size], 4)
            for type in (8, 9)
            for first in range(256)
            for second in (0, 0xFF)
            for size in (0, 1, 2)
        ]
        client.send(*sent)
        self.assertEqual(len(stage.published[0].messages), len(sent))
        self.assertEqual((client.closing, player.closing), (False, False))

    def test_C1_C3_commands(self) -> None:
        """Malformed commands close, with a reason; everybody else stays."""
        head = amf0.encode("connect", 1.0)
        for body in (b"\x03\0\1a" * 10_000, b"\x0c\xff\xff\xff\xff", b"\x02\xff\xff", amf0.encode("x" * 5000)):
            stage = Stage(self)
            client = stage.client()
            client.shakeHands()
            client.send(Message(20, 0, 0, head + body, 3))
            self.assertTrue(client.closing)
            client.lose()
            self.assertIn("protocol error", stage.lines()[0])

    def test_C7_numbers(self) -> None:
        """Every number that is none, wherever a number may stand."""
        for number in (NAN, INF, -INF, -1.0, 1e308, 1.5, 4294967296.0, True, "1", None, UNDEFINED, {}, [0.0]):
            stage = Stage(self)
            client = stage.publisher()
            client.send(command("deleteStream", number, None, number))
            self.assertFalse(client.closing)
            for name in ("createStream", "_checkbw", "getStreamLength", "pause", "seek", "receiveAudio"):
                client.send(command(name, number, None, number, number, id=1))
            player = stage.connected()
            player.send(command("play", number, None, "x", number, number, number, id=1))
            self.assertIn("onStatus@1 NetStream.Play.Start", player.told())
            for name in ("pause", "seek", "receiveVideo", "deleteStream"):
                player.send(command(name, number, None, number, number, id=1))
            self.assertEqual((client.closing, player.closing), (False, False))

    def test_C8_metadata(self) -> None:
        """Bytes that are no UTF-8, controls, and long keys in metadata hurt nobody."""
        stage = Stage(self)
        client, player = stage.publisher(), stage.player()
        player.take()
        values = {"a\udcff": "\udc80\0\r\n\x1b\u202e", "k" * 60_000: 1.0, "": ""}
        client.send(data("@setDataFrame", "onMetaData", values), data("x" * 64), data("x\0\n"))
        found = [amf0.decode(m.payload) for m in player.take()]
        self.assertEqual([values[0] for values in found], ["onMetaData", "x\0\n"])
        self.assertEqual(sorted(found[0][1]), ["", "a\udcff"])
        self.assertFalse(client.closing)

    def test_C11_encodingsMixed(self) -> None:
        """Types 17 and 20, with any first byte, from one message to the next."""
        client = Stage(self).connected(objectEncoding=0.0)
        for type in (17, 20, 17):
            client.send(command("_checkbw", 5, type=type))
            self.assertEqual(client.told(), ["_result 5"])
        for first in range(256):
            other = Stage(self).connected()
            other.send(Message(MessageType.COMMAND_AMF3, 0, 0, bytes((first,)) + amf0.encode("_checkbw", 5.0), 3))
            self.assertEqual(other.closing, first not in (0,))

    def test_D1_anyOrder(self) -> None:
        """Whatever is said in whatever order, there is no exception, and no message after the close."""
        random = Random(5)
        names = [
            "connect",
            "createStream",
            "publish",
            "play",
            "closeStream",
            "deleteStream",
            "FCUnpublish",
            "pause",
            "seek",
        ]
        names += ["receiveAudio", "receiveVideo", "releaseStream", "_result", "onStatus", "getStreamLength"]
        values = [None, False, True, 0.0, 1.0, 2.0, "test", "other", {}, UNDEFINED, NAN]
        stage = Stage(self)
        for _ in range(300):
            client = stage.client()
            client.shakeHands()
            client.send(connect())
            for _ in range(random.randrange(30)):
                arguments = random.choices(values, k=random.randrange(4))
                number, id = random.choice([0, 1, 7]), random.choice([0, 1, 1, 1, 2])
                client.send(command(random.choice(names), number, None, *arguments, id=id))
                client.send(audio(1, id=id), video(1, id=id))
                if random.random() < 0.2:
                    stage.clock.advance(0.3)
            client.lose()
        stage.clock.advance(1)
        self.assertEqual(len(stage.lines()), 300)
        self.assertEqual([len(published.ends) for published in stage.published], [1] * len(stage.published))
        self.assertEqual((list(stage.factory.hub), stage.clock.getDelayedCalls()), ([], []))

    @settings(deadline=None, max_examples=150)
    @given(st.binary(max_size=200), st.sampled_from(("stranger", "connected", "publisher", "player")))
    def test_anyBytes(self, noise: bytes, who: str) -> None:
        """Any bytes at any time: at most a close, and one line."""
        stage = Stage(self)
        client = stage.client() if who == "stranger" else getattr(stage, who)()
        client.receive(noise)
        stage.pass_(1)
        client.receive(noise, 3)
        client.lose()
        stage.clock.advance(1)
        self.assertEqual(len(stage.lines()), 1)
        self.assertEqual(list(stage.factory.hub), [])
        stage.log._events.clear()


class NextSecondTests(SynchronousTestCase):
    """Budgets are per second: whoever has rested may go on, as far as before."""

    def assertBudget(self, client: Client, count: int, one: bytes) -> None:
        """In this second C{count} of these are read, and no more; and in the next second the same."""
        for _ in range(3):
            client.receive(one * count)
            self.assertEqual(client.transport.producerState, "producing")
            client.receive(one)
            self.assertEqual(client.transport.producerState, "paused")
            client.stage.pass_(1)
            self.assertEqual(client.transport.producerState, "producing")

    def test_B5_smallChunks(self) -> None:
        client = Stage(self).connected()
        client.receive(b"\x03\0\0\0\0\0\1\x63\0\0\0\0\0")
        client.stage.pass_(1)
        self.assertBudget(client, SMALL, b"\xc3\0")

    def test_commands(self) -> None:
        client = Stage(self).connected()
        # The first one has a longer header than those that follow.
        client.send(command("_checkbw", 5))
        client.stage.pass_(1)
        self.assertBudget(client, COMMANDS, client.encode(command("_checkbw", 5)))

    def publishAgain(self, client: Client) -> int:
        """Publish until it is refused, and say how often it was granted."""
        for count in range(3 * REQUESTS):
            client.send(command("closeStream", 0, id=1), command("publish", 0, None, "test", id=1))
            if client.closing:
                return count
        raise self.failureException("never refused")

    def test_requestsAtOnce(self) -> None:
        """Ten at once, with the first one; the next is refused, with a status."""
        stage = Stage(self)
        client = stage.publisher()
        self.assertEqual(self.publishAgain(client), REQUESTS - 1)
        self.assertEqual(client.told()[-1], "onStatus@1 NetStream.Publish.Denied")
        client.lose()
        self.assertIn("too many requests", stage.lines()[0])
        self.assertEqual((len(stage.application.asked), len(stage.published)), (REQUESTS, REQUESTS))

    def test_requestsLater(self) -> None:
        """One more for every eight seconds; two minutes later ten, and ten minutes later still ten."""
        for seconds, granted in ((7, REQUESTS - 1), (8, REQUESTS), (120, REQUESTS), (600, REQUESTS)):
            stage = Stage(self)
            client = stage.publisher()
            for second in range(seconds):
                client.send(audio(second))
                stage.pass_(1)
            self.assertEqual((seconds, self.publishAgain(client)), (seconds, granted))

    def test_requestsSlowly(self) -> None:
        """Who has used all of them gets one back in time, and only one."""
        for seconds, granted in ((7, 0), (8, 1), (16, 2)):
            stage = Stage(self)
            client = stage.publisher()
            for _ in range(REQUESTS - 1):
                client.send(command("closeStream", 0, id=1), command("publish", 0, None, "test", id=1))
            self.assertFalse(client.closing)
            for second in range(seconds):
                client.send(audio(second))
                stage.pass_(1)
            self.assertEqual((seconds, self.publishAgain(client)), (seconds, granted))
