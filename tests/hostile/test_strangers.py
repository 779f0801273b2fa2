# -*- test-case-name: tests.hostile.test_strangers -*-
"""
Strangers who are slow, or say what no real client says: rows A2, A5, A9, D8, D17.
"""

from __future__ import annotations

import gc
import tracemalloc

from twisted.internet.error import ConnectionDone
from twisted.logger import formatEvent
from twisted.protocols.haproxy._wrapper import HAProxyWrappingFactory
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.limits import Limits
from rtmptw.relay.pull import Pull
from rtmptw.relay.push import Push
from rtmptw.session import status
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.handshake import HANDSHAKE_SIZE, ClientHandshake
from tests.live.doubles import MemorySource
from tests.relay.network import Network, Stranger, Strangers
from tests.session.dialects import HANDSHAKE, Client, Stage, TCPTransport, command, connect

LIMITS = Limits()

#: What no server should be sent to by a stranger.
INNER = (
    "rtmp://127.0.0.1/live/x",
    "rtmp://169.254.169.254/latest/meta-data",
    "rtmp://[::1]/live/x",
    "http://localhost/",
    "file:///etc/passwd",
)


class SlowTests(SynchronousTestCase):
    """Bytes do not move the deadline of the handshake."""

    def drip(self, every: float) -> float:
        """C0, C1 and C2, a byte at a time: how long until the server has had enough?"""
        stage = Stage(self)
        client = stage.client()
        seconds = 0.0
        for byte in HANDSHAKE:
            client.receive(bytes((byte,)))
            stage.clock.pump([every] if every < 1 else [1.0] * int(every))
            seconds += every
            if client.closing:
                client.lose()
                [line] = stage.lines()
                self.assertIn("no handshake", line)
                return seconds
        raise self.failureException("never closed")

    def test_A2_dripped(self) -> None:
        """A byte in nine seconds, or eight bytes in each: it is over after ten seconds all the same."""
        for every in (0.125, 0.5, 1.0, 9.0):
            seconds = self.drip(every)
            self.assertGreaterEqual(seconds, LIMITS.handshakeSeconds)
            self.assertLessEqual(seconds, LIMITS.handshakeSeconds + max(every, 1))

    def test_A2_inTime(self) -> None:
        """Nine seconds are in time."""
        stage = Stage(self)
        client = stage.client()
        size = len(HANDSHAKE) // 9 + 1
        for start in range(0, len(HANDSHAKE), size):
            client.receive(HANDSHAKE[start : start + size])
            stage.clock.advance(1)
        client.transport.clear()
        client.send(connect())
        self.assertEqual(client.told()[-1], "_result 1")


class EchoTests(SynchronousTestCase):
    """C2 should be the echo of S1. Real clients send what they like."""

    def check(self, hello: bytes, echo: bytes) -> None:
        """Such a C0, C1 and C2 are good enough."""
        stage = Stage(self)
        client = stage.client()
        client.receive(hello)
        self.assertFalse(client.closing)
        client.receive(echo)
        client.transport.clear()
        client.send(connect())
        self.assertEqual(client.told()[-1], "_result 1")
        self.assertFalse(client.closing)

    def test_A5_anyEcho(self) -> None:
        """Whatever is in it, after a plain C1 and after one with a digest."""
        size = (HANDSHAKE_SIZE - 1) // 2
        for hello in (HANDSHAKE[: 1 + size], ClientHandshake().start()):
            self.assertEqual(len(hello), 1 + size)
            for echo in (bytes(size), b"\xff" * size, bytes(n % 256 for n in range(size)), hello[1:]):
                self.check(hello, echo)

    def test_A5_noIndex(self) -> None:
        """No four bytes of it are an offset to anything: each place at its largest and its smallest."""
        size = (HANDSHAKE_SIZE - 1) // 2
        hello = ClientHandshake().start()
        for place in (0, 4, 8, 12, 764, 768, 772, 1532):
            for value in (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"):
                echo = bytearray(size)
                echo[place : place + 4] = value
                self.check(hello, bytes(echo))


class ForgedTests(SynchronousTestCase):
    """Somebody says who he is by the header of a proxy."""

    HEADER = b"PROXY TCP4 198.51.100.9 192.0.2.1 56324 1935\r\n"

    def test_A9_plainPort(self) -> None:
        """That is no RTMP."""
        stage = Stage(self)
        client = stage.client()
        client.receive(self.HEADER + HANDSHAKE)
        self.assertTrue(client.closing)
        client.lose()
        self.assertEqual(len(stage.lines()), 1)

    def test_A9_behindAProxy(self) -> None:
        """Where there may be a proxy (C{haproxy:}), what its header says is not used, for rules or in the log."""
        stage = Stage(self)
        factory = HAProxyWrappingFactory(stage.factory)
        transport = TCPTransport()
        protocol = factory.buildProtocol(transport.getPeer())
        assert protocol is not None
        protocol.makeConnection(transport)
        writer = ChunkWriter()
        protocol.dataReceived(self.HEADER + HANDSHAKE + writer.write(connect()))
        [(_, request)] = stage.application.requests
        self.assertEqual(getattr(request, "peer", ""), "192.168.1.1:54321")
        protocol.connectionLost(Failure(ConnectionDone()))
        [event] = [event for event in stage.log if "closed: {reason}" in (event.get("log_format") or "")]
        self.assertNotIn("198.51.100.9", formatEvent(event))


class URLTests(SynchronousTestCase):
    """No stranger, and no other server, makes us connect to where he likes."""

    def setUp(self) -> None:
        self.network = network = Network(self)
        self.stage = stage = Stage(self)
        hub, identity = stage.factory.hub, stage.factory.identity
        self.push = Push(hub, identity, network.clock, network.publish)
        self.pull = Pull(hub, identity, network.clock, network.connect)
        hub.observers.append(self.push)
        hub.sources.append(self.pull)

    def assertStaysHere(self) -> None:
        """Nobody was asked for a connection."""
        self.network.pass_(5)
        self.assertEqual(self.network.attempts, [])

    def say(self, client: Client, url: str) -> None:
        """Say this URL wherever one may say something."""
        client.shakeHands()
        urls = dict.fromkeys(("tcUrl", "swfUrl", "pageUrl", "redirect", "url"), url)
        client.send(connect("live", **urls))
        client.send(command("createStream", 2), command("FCSubscribe", 3, None, url))
        client.send(command("releaseStream", 4, None, url), command("FCPublish", 5, None, url))
        client.send(command("onStatus", 0, None, {"code": "NetConnection.Connect.Rejected", "ex": {"redirect": url}}))

    def test_D8_clients(self) -> None:
        """URLs in a connect, and as the name of what is published or played."""
        self.pull.add("live/camera", "rtmp://origin/live/camera")
        self.push.add("other", "rtmp://target/other")
        for url in INNER:
            for action in ("publish", "play"):
                client = self.stage.client()
                self.say(client, url)
                client.send(command(action, 6, None, url, id=1))
                self.assertStaysHere()
                client.lose()
        self.assertEqual(list(self.stage.factory.hub), [])

    def test_D8_redirect(self) -> None:
        """A server that sends us elsewhere is one that has refused."""

        def redirect(stranger: Stranger, command_: object, id: int) -> None:
            information = {"code": status.CONNECT_REJECTED, "level": "error", "description": "there"}
            stranger.say(command("_error", 1, None, {**information, "ex": {"code": 302, "redirect": INNER[0]}}))

        Strangers(self.network, "origin", connect=redirect)
        self.pull.add("live/camera", "rtmp://origin/live/camera", always=True)
        # A refusal is asked about again after 5 s, 10 s, and so on.
        self.network.pass_(20)
        self.assertEqual({host for _, host in self.network.attempts}, {"origin"})
        self.assertGreater(len(self.network.attempts), 2)
        self.pull.finish()


class AbsentTests(SynchronousTestCase):
    """Names that nobody publishes."""

    def test_D17_onlyWhileTheyWait(self) -> None:
        """A name is there as long as somebody waits for it, and no longer: not in the hub, not at its sources."""
        stage = Stage(self)
        source = MemorySource()
        stage.factory.hub.sources.append(source)
        for round in range(20):
            players = [stage.player(f"absent-{round}-{number}") for number in range(25)]
            self.assertEqual(len(list(stage.factory.hub)), 25)
            for player in players:
                player.lose()
            self.assertEqual(list(stage.factory.hub), [])
        self.assertEqual(len(source.told), 1000)
        self.assertEqual(stage.factory.hub._wanted, set())
        self.assertEqual(stage.clock.getDelayedCalls(), [])

    def test_D17_oneAfterTheOther(self) -> None:
        """One connection that plays name after name has one of them at a time, and is slowed down soon."""
        stage = Stage(self)
        player = stage.player("absent-0")
        granted = 1
        for number in range(1, 1000):
            player.send(command("play", 3, None, f"absent-{number}", id=1))
            self.assertLessEqual(len(list(stage.factory.hub)), 1)
            if player.closing:
                break
            granted += 1
        self.assertEqual(granted, LIMITS.requestsAtOnce)

    def test_D17_memory(self) -> None:
        """A name that is waited for costs some kilobytes, and when it is not any more, nothing."""
        stage = Stage(self)
        outlet = stage.player("absent").protocol.outlet
        hub = stage.factory.hub

        def wait(count: int) -> None:
            viewings = [hub.play(f"live/absent-{number}", outlet, 1, lambda: None) for number in range(count)]
            self.assertLess(tracemalloc.get_traced_memory()[0] - before, count * 8192)
            for viewing in viewings:
                viewing.stop()

        gc.collect()
        tracemalloc.start()
        try:
            before = 0
            wait(10)
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
            wait(1000)
            gc.collect()
            self.assertLess(tracemalloc.get_traced_memory()[0] - before, 64 * 1024)
        finally:
            tracemalloc.stop()
