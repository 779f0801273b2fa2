# -*- test-case-name: tests.test_server -*-
"""
Tests for L{rtmptw.server}.
"""

from __future__ import annotations

from ipaddress import IPv4Network

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolFactory, IReactorTime
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import formatEvent
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rtmptw.door import FEW, MANY
from rtmptw.interfaces import IApplication
from rtmptw.limits import Limits
from rtmptw.live.hub import StreamHub
from rtmptw.live.rounds import UNWATCHED, FlushTimes
from rtmptw.live.viewer import END_DELAY
from rtmptw.protocol import RTMPProtocol
from rtmptw.server import FAREWELL_SECONDS, SHUTDOWN_SECONDS, OpenApplication, RTMPServerFactory
from rtmptw.wire.limits import ReadLimits
from rtmptw.wire.message import Message
from tests.memorysocket import publisherBySocket
from tests.session.dialects import Stage, TCPTransport, audio, command, video

#: How many publishers it takes, if each sends what an encoder does.
COUNT = 20


class FactoryTests(SynchronousTestCase):
    def test_defaults(self) -> None:
        """Everybody may do everything, on the reactor's time."""
        from twisted.internet import reactor

        factory = RTMPServerFactory()
        self.assertIs(factory.clock, IReactorTime(reactor))
        self.assertIsInstance(factory.application, OpenApplication)
        self.assertEqual(
            (list(factory.hub), factory.verbose, factory.hidesNames, factory.publisherLimits),
            ([], False, False, ReadLimits()),
        )
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

    def test_trusted(self) -> None:
        """Who has no limits of an address is an option; by default, this machine."""
        for trusted, host, isTrusted in (
            (None, "127.0.0.1", True),
            (None, "192.0.2.7", False),
            ([IPv4Network("192.0.2.0/24")], "192.0.2.7", True),
            ([], "127.0.0.1", False),
        ):
            options = {} if trusted is None else {"trusted": trusted}
            factory = RTMPServerFactory(clock=Clock(), limits=Limits(addressBurst=1), **options)
            found = [factory.buildProtocol(IPv4Address("TCP", host, 5)) is not None for _ in range(2)]
            self.assertEqual(found, [True, isTrusted])

    def test_refused(self) -> None:
        """Who does not get in has no protocol: the port closes the socket."""
        stage = Stage(self)
        stage.factory = RTMPServerFactory(clock=stage.clock, limits=Limits(connections=1))
        stage.publisher()
        self.assertIsNone(stage.factory.buildProtocol(None))
        self.assertEqual(stage.factory.reached.counts, {"connections": 1})

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
    def test_account(self) -> None:
        """How many there are, and which limits were reached: what the end of a process wants to know."""
        stage = Stage(self)
        client = stage.connected()
        stage.connected()
        self.assertEqual(stage.factory.connected, 2)
        client.lose()
        self.assertEqual(stage.factory.connected, 1)
        stage.factory.reached.add("pings")
        for _ in range(2):
            stage.factory.tellLimits()
        lines = [line for line in map(formatEvent, stage.log) if "pings" in line]
        self.assertEqual(lines, ["limits reached since the last such line: pings 1"])

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


class DoorTests(SynchronousTestCase):
    """Many publishers, who are read in rounds (L{rtmptw.door})."""

    def setUp(self) -> None:
        """So many that they are."""
        self.begin()

    def begin(self, times: FlushTimes | None = None, secure: bool = False) -> None:
        """Begin again."""
        self.stage = Stage(self)
        self.stage.factory.hub.rounds.times = times or FlushTimes()
        self.publishers = [publisherBySocket(self.stage, str(number), secure) for number in range(COUNT)]

    def busy(self, first: int = 0, total: int = MANY) -> None:
        """
        A busy second passes.

        @param first: who sends; the ones before are silent.
        @param total: how many messages come from all, at least.
        """
        publishers = self.publishers[first:]
        for client, wire in publishers:
            wire.arrived += client.encode(*map(audio, range(-(-total // len(publishers)))))
        self.turn()
        self.stage.pass_(1)

    def open(self) -> None:
        """The first busy second passes."""
        self.busy()
        self.assertGathered(COUNT)
        for published in self.stage.published:
            published.messages.clear()

    def turn(self) -> None:
        """One turn of the reactor, for the sockets."""
        for client, _ in self.publishers:
            client.transport.turn()  # type: ignore[attr-defined]

    def arrive(self, number: int = 0, size: int = 100) -> None:
        """A message comes from each."""
        for client, wire in self.publishers:
            wire.arrived += client.encode(video(number, bytes(size)))

    def assertGathered(self, count: int) -> None:
        """So many are not read by the reactor."""
        watched = [client.transport.isWatched for client, _ in self.publishers]  # type: ignore[attr-defined]
        self.assertEqual((watched.count(False), len(self.stage.factory._door)), (count, count))

    def timestamps(self) -> list[list[int]]:
        """What of each was published."""
        return [[message.timestamp for message in published.messages] for published in self.stage.published]

    def test_quiet(self) -> None:
        """With little to read, the reactor reads them."""
        for number in range(3):
            self.arrive(number)
            self.turn()
            self.stage.pass_(1)
            self.assertGathered(0)
        self.assertEqual(self.timestamps(), [[0, 1, 2]] * COUNT)

    def test_open(self) -> None:
        """With much they are read in rounds, and viewers get what has come in the same one."""
        self.open()
        player = self.stage.player("3")
        player.take()
        for number in range(5):
            self.arrive(number)
            self.turn()
            self.assertEqual(self.timestamps(), [[*range(number)]] * COUNT)
            self.stage.clock.advance(UNWATCHED)
            self.assertEqual(self.timestamps(), [[*range(number + 1)]] * COUNT)
            self.assertIn(f"VIDEO@1 {number}", player.told())

    def test_onlyPublishers(self) -> None:
        """Whoever plays, or is only connected, is read as ever; who has ended its stream is so again."""
        others = [self.stage.player("3"), self.stage.connected()]
        self.open()
        self.assertEqual([client.transport.producerState for client in others], ["producing"] * 2)
        client, wire = self.publishers.pop(0)
        wire.arrived += client.encode(command("closeStream", 0, id=1))
        self.publishers.append(publisherBySocket(self.stage, "another"))
        self.busy()
        self.assertTrue(client.transport.isWatched)  # type: ignore[attr-defined]
        self.assertGathered(COUNT)

    def test_playsAsWell(self) -> None:
        """
        Who plays as well is not gathered: its connection may be watched for writing, and a reset would then be found
        before what has come is read.
        """
        self.open()
        client, wire = self.publishers.pop(0)
        wire.arrived += client.encode(command("play", 5, None, "another", id=2))
        self.publishers.append(publisherBySocket(self.stage, "another"))
        self.busy()
        self.assertTrue(client.transport.isWatched)  # type: ignore[attr-defined]
        self.assertTrue(client.protocol.publishing and client.protocol.playing)
        self.assertGathered(COUNT)

    def test_TLSOrEverythingAtOnce(self) -> None:
        """Nobody is gathered over TLS, nor where messages must leave at once."""
        for times, secure in ((FlushTimes(0, 0), False), (FlushTimes(), True)):
            self.begin(times, secure)
            self.busy()
            self.assertGreaterEqual(sum(client.protocol.inlet.messages for client, _ in self.publishers), MANY)
            self.assertGathered(0)

    def test_loadGoes(self) -> None:
        """When less comes they are read as ever; what had come is not lost."""
        self.open()
        self.busy(total=FEW + 1)
        self.assertGathered(COUNT)
        for published in self.stage.published:
            published.messages.clear()
        self.arrive(1)
        self.stage.pass_(1)
        self.assertGathered(0)
        self.arrive(2)
        self.turn()
        self.assertEqual(self.timestamps(), [[1, 2]] * COUNT)

    def test_FIN(self) -> None:
        """Everything of everybody, when half of them leave at once, so that the others are too few."""
        self.open()
        self.arrive(1)
        for _, wire in self.publishers[::2]:
            wire.end = True
        self.stage.clock.advance(UNWATCHED)
        self.stage.clock.advance(UNWATCHED)
        self.turn()
        self.assertEqual(self.timestamps(), [[1]] * COUNT)
        self.assertEqual(self.stage.lines(), ["the peer closed the connection"] * (COUNT // 2))
        del self.publishers[::2]
        self.assertGathered(COUNT // 2)
        self.stage.clock.advance(1)
        self.assertGathered(0)
        self.arrive(2)
        self.turn()
        self.assertEqual(self.timestamps(), [[1], [1, 2]] * (COUNT // 2))

    def test_allGone(self) -> None:
        """When the last has gone, nothing waits for time any more."""
        self.open()
        for _, wire in self.publishers:
            wire.reset()
        self.stage.clock.advance(UNWATCHED)
        self.turn()
        self.assertEqual(len(self.stage.lines()), COUNT)
        self.assertTrue(all("reset" in line for line in self.stage.lines()))
        # A round that was due does not follow itself.
        self.stage.clock.advance(1)
        self.assertEqual(self.stage.clock.getDelayedCalls(), [])

    def test_closeAll(self) -> None:
        """The end of the server: what has come of those who are gathered is passed on, and then they are closed."""
        self.open()
        # Keyframes: more than one turn of the reactor reads.
        self.arrive(1, 200_000)
        gone = self.stage.factory.closeAll("enough")
        self.assertGathered(0)
        self.assertEqual(self.timestamps(), [[]] * COUNT)
        self.turn()
        self.stage.clock.advance(0)
        self.assertEqual(self.timestamps(), [[1]] * COUNT)
        self.assertEqual([len(published.ends) for published in self.stage.published], [1] * COUNT)
        for _, wire in self.publishers:
            wire.end = True
        for _ in range(3):
            self.turn()
        self.successResultOf(gone)
        self.assertEqual(self.stage.lines(), ["enough"] * COUNT)
        self.stage.clock.advance(1)
        self.assertEqual(self.stage.clock.getDelayedCalls(), [])

    def test_closeAllInARound(self) -> None:
        """The same if it is the application that ends it all, from within a round: nobody is read twice at once."""
        self.open()
        self.arrive(1, 200_000)
        self.arrive(2)
        gone: list[Deferred[None]] = []
        published = self.stage.published[3]

        def take(message: Message) -> None:
            published.messages.append(message)
            if not gone:
                gone.append(self.stage.factory.closeAll("enough"))

        published.messageReceived = take  # type: ignore[method-assign]
        self.stage.clock.advance(UNWATCHED)
        self.assertEqual(len(gone), 1)
        self.turn()
        self.stage.clock.advance(0)
        self.assertEqual(self.timestamps(), [[1, 2]] * COUNT)
        self.assertEqual([len(published.ends) for published in self.stage.published], [1] * COUNT)

    def test_flood(self) -> None:
        """Who sends without end is left to the reactor, and nobody else waits for it."""
        self.open()
        flood = self.publishers[0][1]
        for number in range(5):
            flood.arrived += self.publishers[0][0].encode(*[video(number, bytes(60_000))] * 10)
            self.arrive(number)
            self.stage.clock.advance(UNWATCHED)
            self.turn()
            self.assertEqual(self.timestamps()[1:], [[*range(number + 1)]] * (COUNT - 1))
            self.assertGathered(COUNT - 1)

    def test_deadlines(self) -> None:
        """Silence ends who is silent, also there, and nobody else."""
        self.open()
        for _ in range(14):
            self.assertGathered(COUNT)
            self.busy(1, FEW + 1)
        self.turn()
        self.publishers[0][1].end = True
        self.turn()
        self.assertEqual(self.stage.lines(), ["the publisher was silent for 15 s"])
        self.assertTrue(all(client.protocol.publishing for client, _ in self.publishers[1:]))

    def test_stoppedClock(self) -> None:
        """A process that was stopped finds nobody silent, and everything that came meanwhile."""
        self.open()
        self.arrive(1)
        self.stage.clock.advance(60)
        self.stage.clock.advance(UNWATCHED)
        self.turn()
        self.assertEqual((self.timestamps(), self.stage.lines()), ([[1]] * COUNT, []))


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
            # Of those that say nothing only some have a line, if they are many in a second.
            stage.clock.advance(0.1)
        self.assertEqual(list(stage.factory.hub), [])
        self.assertEqual(stage.clock.getDelayedCalls(), [])
        self.assertEqual(len(stage.lines()), 1000)

    def test_broken(self) -> None:
        stage = Stage(self)
        good, bad = stage.publisher(), stage.publisher("bad")
        bad.receive(b"\xc9")
        good.send(audio(1))
        self.assertEqual((good.closing, bad.closing, len(stage.published[0].messages)), (False, True, 1))
