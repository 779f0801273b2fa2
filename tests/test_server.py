# -*- test-case-name: tests.test_server -*-
"""
Tests for L{rtmptw.server}.
"""

from __future__ import annotations

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IProtocolFactory, IReactorTime
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rtmptw.interfaces import IApplication
from rtmptw.live.hub import StreamHub
from rtmptw.live.viewer import END_DELAY
from rtmptw.protocol import RTMPProtocol
from rtmptw.server import FAREWELL_SECONDS, SHUTDOWN_SECONDS, OpenApplication, RTMPServerFactory
from rtmptw.wire.limits import ReadLimits
from tests.session.dialects import Stage, TCPTransport, audio, command, video


class FactoryTests(SynchronousTestCase):
    def test_defaults(self) -> None:
        """Everybody may do everything, on the reactor's time."""
        from twisted.internet import reactor

        factory = RTMPServerFactory()
        self.assertIs(factory.clock, IReactorTime(reactor))
        self.assertIsInstance(factory.application, OpenApplication)
        self.assertEqual((list(factory.hub), factory.verbose, factory.publisherLimits), ([], False, ReadLimits()))
        self.assertTrue(verifyObject(IProtocolFactory, factory))

    def test_given(self) -> None:
        clock, application = Clock(), OpenApplication()
        hub = StreamHub(clock)
        factory = RTMPServerFactory(application, hub, clock, True)
        self.assertEqual(
            (factory.application, factory.hub, factory.clock, factory.verbose), (application, hub, clock, True)
        )

    def test_openApplication(self) -> None:
        application = OpenApplication()
        self.assertTrue(verifyObject(IApplication, application))
        for what in ("connect", "publish", "play"):
            self.assertIsNone(getattr(application, f"{what}Requested")(None))

    def test_listen(self) -> None:
        """A port that answers."""
        reactor = MemoryReactorClock()
        reactor.listenTCP(1935, RTMPServerFactory(clock=reactor))
        [(port, factory, *_)] = reactor.tcpServers
        self.assertEqual(port, 1935)
        protocol = factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 5))
        self.assertIsInstance(protocol, RTMPProtocol)
        self.assertIs(protocol.factory, factory)
        protocol.makeConnection(TCPTransport())
        self.assertEqual(len(reactor.getDelayedCalls()), 1)

    def test_publisherLimits(self) -> None:
        """How much a publisher may send is an option."""
        stage = Stage(self)
        stage.factory.publisherLimits = ReadLimits(messageSize={9: 1000})
        client = stage.connected()
        client.send(
            video(0, bytes(999)),
            command("publish", 0, None, "test", id=1),
            video(1, bytes(1000)),
            video(2, bytes(1001)),
        )
        self.assertEqual([m.timestamp for m in stage.published[0].messages], [1])
        self.assertTrue(client.closing)


class CloseAllTests(SynchronousTestCase):
    def test_nobody(self) -> None:
        self.successResultOf(Stage(self).factory.closeAll("enough"))

    def test_everybody(self) -> None:
        """Fires when the last is gone; again and again, if asked again."""
        stage = Stage(self)
        clients = [stage.client(), stage.connected(), stage.publisher()]
        first = stage.factory.closeAll("enough")
        second = stage.factory.closeAll("once more")
        stage.clock.advance(0)
        self.assertEqual([client.closing for client in clients], [True] * 3)
        for client in clients:
            self.assertNoResult(first)
            client.lose()
        self.successResultOf(first)
        self.successResultOf(second)
        self.assertEqual(stage.lines(), ["enough"] * 3)
        self.assertEqual([len(p.ends) for p in stage.published], [1])
        self.successResultOf(stage.factory.closeAll("nobody is left"))

    def test_loggedBefore(self) -> None:
        """When it fires, everything has been said."""
        stage = Stage(self)
        client = stage.publisher()
        found: list[int] = []
        stage.factory.closeAll("enough").addCallback(lambda _: found.append(len(stage.lines())))
        client.lose()
        self.assertEqual(found, [1])

    def test_cutOff(self) -> None:
        """Peers that do not go are cut off."""
        stage = Stage(self)
        client = stage.connected()
        client.transport.lost = client.protocol.connectionLost
        gone = stage.factory.closeAll("enough")
        stage.pass_(int(SHUTDOWN_SECONDS) - 1)
        self.assertNoResult(gone)
        stage.pass_(1)
        self.successResultOf(gone)
        self.assertEqual(stage.clock.getDelayedCalls(), [])

    def test_conformance79_viewersAreTold(self) -> None:
        """Publishers go first, so that their viewers get the rest, and the news of the end."""
        stage = Stage(self)
        player, waiting = stage.player(), stage.player("absent")
        publisher = stage.publisher()
        gone = stage.factory.closeAll("enough")
        publisher.send(audio(1))
        stage.clock.advance(0)
        self.assertEqual((publisher.closing, player.closing, waiting.closing), (True, False, False))
        stage.clock.advance(END_DELAY)
        self.assertEqual(player.told(), ["AUDIO@1 1", "onStatus@1 NetStream.Play.UnpublishNotify", "STREAM_EOF 1"])
        self.assertTrue(player.closing)
        stage.clock.advance(FAREWELL_SECONDS)
        self.assertEqual(waiting.told(), ["onStatus@0 NetConnection.Connect.AppShutdown"])
        for client in (publisher, player, waiting):
            client.lose()
        self.successResultOf(gone)


class StoppedClockTests(SynchronousTestCase):
    """The process was stopped or blocked: what has come meanwhile is still to be read, and nobody is late."""

    def test_everybodyStays(self) -> None:
        stage = Stage(self)
        clients = [stage.client(), stage.connected(), stage.publisher(), stage.player()]
        clients[2].receive(clients[2].encode(audio(1))[:5])
        clients[3].transport.producer.pauseProducing()
        stage.pass_(3)
        stage.clock.advance(60)
        self.assertEqual([client.closing for client in clients], [False] * 4)
        self.assertEqual(stage.lines(), [])
        stage.pass_(30)
        self.assertEqual([client.closing for client in clients], [True] * 4)


class OthersTests(SynchronousTestCase):
    """One connection's troubles are not another's."""

    def test_F26_noneIsForgotten(self) -> None:
        """After a thousand connections of all kinds there is nothing left."""
        stage = Stage(self)
        for n in range(250):
            for client in (stage.client(), stage.connected(), stage.publisher(f"test{n}"), stage.player(f"none{n}")):
                client.receive(b"\x02" * (n % 7))
                client.lose()
        self.assertEqual(list(stage.factory.hub), [])
        self.assertEqual(stage.clock.getDelayedCalls(), [])
        self.assertEqual(len(stage.lines()), 1000)

    def test_broken(self) -> None:
        stage = Stage(self)
        good, bad = stage.publisher(), stage.publisher("bad")
        bad.receive(b"\xc9")
        good.send(audio(1))
        self.assertEqual((good.closing, bad.closing, len(stage.published[0].messages)), (False, True, 1))
