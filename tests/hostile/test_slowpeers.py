# -*- test-case-name: tests.hostile.test_slowpeers -*-
"""
Peers that are slow on purpose, and those that can't help it: rows D15 and F22.
"""

from __future__ import annotations

from random import Random

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.limits import Limits
from rtmptw.wire.control import UserControl, UserControlType
from tests.session.dialects import HANDSHAKE, METADATA, Client, Stage, audio, command, connect, data, video

LIMITS = Limits()

#: No network that works needs longer for anything than this, seconds: with a fifth of the packets lost and a second for
#: each way and back, TCP sends the same packet after 1, 3 and 7 s.
SLOW = 9


class NeverEndingTests(SynchronousTestCase):
    """Messages that never end, however many bytes come."""

    def closedAfter(self, client: Client, step: bytes, most: int) -> int:
        """These bytes come each second: after how many is it over?"""
        for second in range(most):
            client.receive(step)
            client.stage.pass_(1)
            if client.closing:
                return second + 1
        raise self.failureException("never closed")

    def test_D15_aByteInASecond(self) -> None:
        """Of a video message that is announced with 8 MiB: that is no sign of life."""
        stage = Stage(self)
        client = stage.publisher()
        client.receive(client.encode(video(0, bytes(8 << 20)))[:50])
        seconds = self.closedAfter(client, b"\0", 60)
        self.assertIn(seconds - LIMITS.messageSeconds, (0, 1))
        client.lose()
        [line] = stage.lines()
        self.assertIn("a message was not completed within 30 s", line)

    def test_D15_beginningsOnly(self) -> None:
        """Sixteen messages, of which a chunk comes each second, and none of which is ever completed: the same."""
        client = Stage(self).publisher()
        # Of each, type 0 with 1,000 bytes of audio, and six chunks more, with a byte to come.
        chunks = [bytes((csid, 0, 0, 0, 0, 3, 0xE8, 8, 1, 0, 0, 0)) + bytes(128) for csid in range(10, 26)]
        chunks += [bytes((0xC0 | csid,)) + bytes(128) for _ in range(6) for csid in range(10, 26)]
        seconds = 0
        while not client.closing:
            client.receive(chunks[seconds])
            client.stage.pass_(1)
            seconds += 1
        self.assertIn(seconds - LIMITS.messageSeconds, (0, 1))

    def test_D15_players(self) -> None:
        """Somebody who only plays has no more time for it than a publisher."""
        client = Stage(self).player()
        client.receive(client.encode(audio(0, bytes(120)))[:20])
        self.assertIn(self.closedAfter(client, b"\0", 60) - LIMITS.messageSeconds, (0, 1))

    def test_D15_strangers(self) -> None:
        """Somebody who has neither published nor played has 20 s in any case."""
        client = Stage(self).connected()
        client.receive(client.encode(command("createStream", 2))[:20])
        self.assertLessEqual(self.closedAfter(client, b"\0", 60), LIMITS.idleSeconds + 1)


class AliveTests(SynchronousTestCase):
    """A publisher that is slow, but alive."""

    def start(self, delay: int) -> tuple[Stage, Client]:
        """Publish, with so long between the steps of the conversation."""
        stage = Stage(self)
        client = stage.client()
        half = 1 + (len(HANDSHAKE) - 1) // 2
        client.receive(HANDSHAKE[:half])
        stage.pass_(delay)
        client.receive(HANDSHAKE[half:])
        client.transport.clear()
        for step in (
            [connect()],
            [command("releaseStream", 2, None, "test"), command("createStream", 3)],
            [command("publish", 4, None, "test", "live", id=1)],
        ):
            stage.pass_(min(delay, 3))
            client.send(*step)
        self.assertEqual(client.told()[-1], "onStatus@1 NetStream.Publish.Start")
        stage.pass_(delay)
        client.send(data("@setDataFrame", "onMetaData", METADATA))
        return stage, client

    def assertAlive(self, stage: Stage, client: Client, sent: int) -> None:
        """Everything has come, and it may go on."""
        self.assertFalse(client.closing)
        self.assertEqual(len(stage.published[0].media()), sent)

    def test_F22_slowStart(self) -> None:
        """Nine seconds for the handshake, three for each step of the conversation, nine to the first byte of media."""
        stage, client = self.start(SLOW)
        client.send(audio(0), video(0))
        self.assertAlive(stage, client, 2)

    def test_F22_gaps(self) -> None:
        """Bursts, with nine seconds of nothing between them; it never answers a ping."""
        stage, client = self.start(1)
        for burst in range(20):
            stage.pass_(SLOW)
            client.send(*[audio(burst * 1000 + n) for n in range(10)])
        self.assertAlive(stage, client, 200)

    def test_F22_aByteInFiveSeconds(self) -> None:
        """Small messages, the bytes of which come one by one: each is complete within 30 s."""
        stage, client = self.start(1)
        client.send(audio(0, b"\xaf\x01"))
        for sent in range(2, 20):
            # Type 3: as the one before.
            for byte in b"\xc4\xaf\x01":
                stage.pass_(5)
                client.receive(bytes((byte,)))
            self.assertAlive(stage, client, sent)

    def test_F22_anyCut(self) -> None:
        """Pieces of any size, at any time within nine seconds, as a bad network makes them of 64 kbit/s of sound."""
        random = Random(22)
        stage, client = self.start(3)
        waiting = client.encode(*[audio(n * 23, bytes(random.randrange(100, 300))) for n in range(500)])
        while waiting:
            # No message is longer than 300 bytes, and after SLOW seconds more of it than this has come.
            size = random.randrange(100, 1500)
            piece, waiting = waiting[:size], waiting[size:]
            client.receive(piece)
            stage.pass_(random.randrange(1, SLOW + 1))
            self.assertFalse(client.closing)
        self.assertAlive(stage, client, 500)

    def test_F22_zeroWindow(self) -> None:
        """A publisher that does not read for as long as it likes: we have nothing to say that it must hear."""
        stage, client = self.start(1)
        client.transport.producer.pauseProducing()
        for second in range(14):
            client.send(audio(second))
            stage.pass_(1)
        client.transport.producer.resumeProducing()
        for second in range(14):
            client.send(audio(14 + second))
            stage.pass_(1)
        self.assertAlive(stage, client, 28)

    def test_F22_slowViewer(self) -> None:
        """A viewer that takes something in nine seconds stays; what it could not take is skipped."""
        stage = Stage(self)
        publisher, player = stage.publisher(), stage.player()
        for burst in range(10):
            player.transport.producer.pauseProducing()
            for second in range(SLOW):
                publisher.send(video(burst * SLOW * 1000 + second * 1000))
                stage.pass_(1)
            player.transport.producer.resumeProducing()
            player.transport.producer.pauseProducing()
            player.transport.producer.resumeProducing()
        self.assertFalse(player.closing)
        times = [message.timestamp for message in player.take() if message.type == 9]
        self.assertEqual((times, times[-1]), (sorted(times), 89_000))

    def test_F22_pinged(self) -> None:
        """The ping that it is sent after ten seconds of silence needs no answer, if anything else comes."""
        stage, client = self.start(1)
        client.send(audio(0))
        stage.pass_(14)
        [ping] = client.take()
        control = UserControl.decode(ping.payload)
        assert control is not None
        self.assertEqual(control.event, UserControlType.PING_REQUEST)
        client.send(audio(1))
        stage.pass_(14)
        client.send(audio(2))
        self.assertAlive(stage, client, 3)
