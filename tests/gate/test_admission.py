# -*- test-case-name: tests.gate.test_admission -*-
"""
Tests for L{rtmptw.gate.admission}: each limit at one less, at it, and at one more, by a server without sockets.
"""

from __future__ import annotations

import builtins
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress, ISSLTransport
from twisted.logger import LogLevel, formatEvent
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import alsoProvides

from rtmptw.gate import admission
from rtmptw.gate.admission import (
    LOOK_SECONDS,
    MANY_CONNECTIONS,
    MOST_CONNECTIONS,
    PART,
    RESERVE,
    SPARE,
    TRUSTED,
    YOUNG_SECONDS,
    allowedConnections,
    descriptors,
)
from rtmptw.gate.linerate import MOST
from rtmptw.gate.network import Network, readNetwork
from rtmptw.gate.partings import COUNT_SECONDS
from rtmptw.gate.source import MAX_RESTING
from rtmptw.limits import Limits
from rtmptw.server import RTMPServerFactory
from tests.live.doubles import MemoryPublisher, atOnce
from tests.session.dialects import Client, Stage, TCPTransport, command, connect

#: Not this machine.
HERE = "192.0.2.7"


def at(host: str) -> IAddress:
    """An address."""
    return IPv6Address("TCP", host, 40000) if ":" in host else IPv4Address("TCP", host, 40000)


class Guest(Client):
    """A client from somewhere, whose transport tells at once when it is aborted."""

    def __init__(self, stage: Stage, address: IAddress, secure: bool = False) -> None:
        transport = TCPTransport()
        transport.peerAddr = address
        if secure:
            alsoProvides(transport, ISSLTransport)
        super().__init__(stage, transport)
        transport.lost = self.protocol.connectionLost

    @property
    def gone(self) -> bool:
        """Whether it was aborted."""
        return bool(self.transport.disconnected)

    def play(self, name: str = "on") -> Guest:
        """It is no stranger any more, if the stream is on."""
        self.shakeHands()
        self.send(connect(), command("createStream", 2), command("play", 3, None, name, id=1))
        self.take()
        return self

    def publish(self, name: str) -> Guest:
        """It is no stranger any more."""
        self.shakeHands()
        self.send(connect(), command("createStream", 2), command("publish", 3, None, name, id=1))
        self.take()
        return self


class House(Stage):
    """A server with limits, where one stream is on that no connection publishes."""

    def __init__(self, case: SynchronousTestCase, trusted: tuple[Network, ...] = TRUSTED, **limits: Any) -> None:
        super().__init__(case)
        self.factory = RTMPServerFactory(
            self.application, atOnce(self.clock), self.clock, limits=Limits(**limits), trusted=trusted
        )
        self.factory.hub.publish("live/on", MemoryPublisher())

    def admits(self, address: IAddress) -> bool:
        """Somebody comes who is not to be a protocol."""
        return self.factory.buildProtocol(address) is not None

    def come(self, host: str = HERE, secure: bool = False) -> Guest | None:
        """Somebody comes; L{None} if he does not get in."""
        if not self.admits(at(host)):
            return None
        return Guest(self, at(host), secure)

    def guest(self, host: str = HERE, secure: bool = False) -> Guest:
        """Somebody who gets in."""
        guest = self.come(host, secure)
        assert guest is not None, f"{host} does not get in: {self.counts}"
        return guest

    @property
    def counts(self) -> dict[str, int]:
        """What was reached how often."""
        return dict(self.factory.reached.counts)

    def refusals(self) -> list[str]:
        """The lines about them."""
        return [str(formatEvent(event)) for event in self.log if ": refused: " in (event.get("log_format") or "")]


def hosts() -> Any:
    """One address after the other."""
    return (f"10.1.{number >> 8}.{number & 255}" for number in range(65536))


class LimitTests(SynchronousTestCase):
    """Each of them at n - 1, n, and n + 1, with its counter."""

    def test_connections(self) -> None:
        """Active ones; with one more, nobody goes, and it does not get in. When one has gone, there is room."""
        house, host = House(self, connections=3), hosts()
        guests = [house.guest(next(host)).play() for _ in range(3)]
        self.assertEqual(house.counts, {})
        self.assertIsNone(house.come(next(host)))
        self.assertEqual((house.counts, [guest.gone for guest in guests]), ({"connections": 1}, [False] * 3))
        guests[1].lose()
        house.guest(next(host))
        self.assertEqual(house.counts, {"connections": 1})

    def test_connectionsWithAStranger(self) -> None:
        """The oldest stranger makes room, whoever else is older."""
        house, host = House(self, connections=3), hosts()
        guests = [house.guest(next(host)) for _ in range(3)]
        guests[0].play()
        house.clock.advance(YOUNG_SECONDS)
        last = house.guest(next(host))
        self.assertEqual([guest.gone for guest in (*guests, last)], [False, True, False, False])
        self.assertEqual(house.counts, {"connections": 1})
        self.assertEqual(house.lines(), ["neither publishes nor plays what is on, and had to go: too many connections"])

    def test_strangers(self) -> None:
        house, host = House(self, strangers=3), hosts()
        guests = [house.guest(next(host)) for _ in range(3)]
        self.assertEqual((house.counts, [guest.gone for guest in guests]), ({}, [False] * 3))
        house.clock.advance(YOUNG_SECONDS)
        guests.append(house.guest(next(host)))
        self.assertEqual(
            (house.counts, [guest.gone for guest in guests]), ({"strangers": 1}, [True, False, False, False])
        )
        self.assertEqual(
            house.lines(), ["neither publishes nor plays what is on, and had to go: too many such connections"]
        )

    def test_tlsStrangers(self) -> None:
        """Of all who are encrypted the oldest goes; others do not count, and stay."""
        house, host = House(self, tlsStrangers=3), hosts()
        plain = [house.guest(next(host)) for _ in range(5)]
        guests = [house.guest(next(host), True) for _ in range(3)]
        self.assertEqual(house.counts, {})
        house.clock.advance(YOUNG_SECONDS)
        guests.append(house.guest(next(host), True))
        self.assertEqual(
            (house.counts, [guest.gone for guest in guests]), ({"tlsStrangers": 1}, [True, False, False, False])
        )
        self.assertFalse(any(guest.gone for guest in plain))
        self.assertEqual(
            house.lines(), ["neither publishes nor plays what is on, and had to go: too many such connections over TLS"]
        )

    def test_addressConnections(self) -> None:
        """Active or not; another address is another one."""
        house = House(self, addressConnections=3)
        guests = [house.guest().play(), house.guest().play(), house.guest()]
        self.assertEqual(house.counts, {})
        self.assertIsNone(house.come())
        self.assertEqual(house.counts, {"addressConnections": 1})
        house.guest("192.0.2.8")
        guests[0].lose()
        house.guest()
        self.assertIsNone(house.come())
        self.assertEqual(house.counts, {"addressConnections": 2})

    def test_addressStrangers(self) -> None:
        house = House(self, addressStrangers=3)
        guests = [house.guest() for _ in range(3)]
        self.assertEqual(house.counts, {})
        self.assertIsNone(house.come())
        self.assertEqual(house.counts, {"addressStrangers": 1})
        # Who plays is none any more, and who has gone.
        guests[1].play()
        house.guest()
        self.assertIsNone(house.come())
        guests[0].lose()
        house.guest()
        self.assertIsNone(house.come())
        self.assertEqual(house.counts, {"addressStrangers": 3})

    def test_addressBurst(self) -> None:
        house = House(self, addressBurst=3)
        self.assertEqual([house.admits(at(HERE)) for _ in range(3)], [True] * 3)
        self.assertEqual(house.counts, {})
        self.assertFalse(house.admits(at(HERE)))
        self.assertEqual(house.counts, {"addressBurst": 1})
        self.assertTrue(house.admits(at("192.0.2.8")))

    def test_addressRate(self) -> None:
        """In the long run there are so many in a second, and not one more."""
        house = House(self, addressBurst=3, addressRate=4.0)
        for _ in range(3):
            house.admits(at(HERE))
        for second in range(10):
            found = []
            for _ in range(8):
                house.clock.advance(0.125)
                found.append(house.admits(at(HERE)))
            self.assertEqual(found.count(True), 4, second)
        # In the first second it was the burst.
        self.assertEqual(house.counts, {"addressBurst": 4, "addressRate": 36})

    def test_memoryBytes(self) -> None:
        """While the guard says so, nobody gets in, trusted or not; nobody who is inside goes. See its own tests."""
        house = House(self)
        guest = house.guest()
        isShort = [False, True, True, False]
        house.factory._admission._refuses = lambda: isShort.pop(0)  # type: ignore[method-assign]
        found = [house.admits(at(host)) for host in (HERE, HERE, "127.0.0.1", HERE)]
        self.assertEqual((found, house.counts), ([True, False, False, True], {"memoryBytes": 2}))
        self.assertEqual((guest.gone, house.refusals()), (False, []))


class SourceTests(SynchronousTestCase):
    """Who is an address, and who is trusted."""

    ONE = {"addressConnections": 1}

    def test_IPv6(self) -> None:
        """A /64 is one source; an IPv4 address in IPv6 form is an IPv4 one."""
        house = House(self, **self.ONE)
        house.guest("2001:db8:0:1::1")
        self.assertIsNone(house.come("2001:db8:0:1:ffff::1"))
        house.guest("2001:db8:0:2::1")
        house.guest(HERE)
        self.assertIsNone(house.come(f"::ffff:{HERE}"))

    def test_noAddress(self) -> None:
        """A Unix socket has no limits of an address, but those of all."""
        house = House(self, connections=5, **self.ONE)
        address = UNIXAddress("/run/rtmp.sock")
        for _ in range(5):
            self.assertTrue(house.admits(address))
            Guest(house, address).play()
        self.assertFalse(house.admits(address))
        self.assertEqual(house.counts, {"connections": 1})
        self.assertIn("rtmp.sock", house.refusals()[0])

    def test_origin(self) -> None:
        """What an address says of who it is: of IPv6 the network does; nothing, of who is trusted or has none."""
        house = House(self)

        def origin(host: str) -> str:
            return house.factory.origin(house.guest(host).protocol)

        one = origin("192.0.2.1")
        self.assertEqual([origin("192.0.2.1") == one, origin("192.0.2.2") == one], [True, False])
        self.assertEqual(origin("2001:db8::1"), origin("2001:db8::2"))
        self.assertNotIn("", (one, origin("2001:db8::1")))
        self.assertEqual((origin("127.0.0.1"), origin("::1")), ("", ""))
        guest = house.guest("192.0.2.1")
        guest.lose()
        self.assertEqual(house.factory.origin(guest.protocol), "")

    def test_trusted(self) -> None:
        """This machine is, by two addresses, and nobody else: not even 127.0.0.2."""
        house = House(self, strangers=6, **self.ONE)
        guests = [house.guest(host) for host in ("127.0.0.1", "::1", "::ffff:127.0.0.1") for _ in range(2)]
        self.assertEqual(house.counts, {})
        house.clock.advance(YOUNG_SECONDS)
        house.guest("127.0.0.2")
        self.assertIsNone(house.come("127.0.0.2"))
        # The limits of all are theirs, too.
        self.assertEqual(house.counts, {"strangers": 1, "addressConnections": 1})
        self.assertEqual([guest.gone for guest in guests], [True, *[False] * 5])

    def test_othersTrusted(self) -> None:
        house = House(self, (readNetwork("192.0.2.0/24"),), **self.ONE)
        for host in (HERE, "192.0.2.8", HERE, "127.0.0.1"):
            house.guest(host)
        self.assertIsNone(house.come("127.0.0.1"))

    def test_nobodyTrusted(self) -> None:
        house = House(self, (), **self.ONE)
        for host in ("127.0.0.1", "::1"):
            house.guest(host)
            self.assertIsNone(house.come(host))

    def test_boundedMemory(self) -> None:
        """A flood from any number of addresses leaves no more than a bounded number behind, and in the end nothing."""
        house = House(self, strangers=50, addressRate=0.1)
        for number, host in zip(range(2 * MAX_RESTING), hosts(), strict=False):
            house.clock.advance(0.05)
            house.guest(host)
            if number == MAX_RESTING:
                self.assertLessEqual(len(house.factory._admission._sources), MAX_RESTING + 50)
        last = house.guest()
        admission = house.factory._admission
        self.assertEqual((len(admission._inside), len(admission._strangers), len(admission._leaving)), (50, 50, 0))
        self.assertLessEqual(len(admission._sources), MAX_RESTING + 50)
        for client in list(house.factory._connections):
            if client is not last.protocol:
                client.abort("enough")
        house.pass_(15)
        last.lose()
        admission.second()
        self.assertEqual(len(admission._sources), 0)
        self.assertEqual((admission._inside, admission._strangers, admission._tlsStrangers), ({}, {}, {}))


class StrangerTests(SynchronousTestCase):
    def test_active(self) -> None:
        """Who publishes or plays, or has done so, never goes for somebody else, however old it is."""
        house, host = House(self, strangers=2), hosts()
        player, was = house.guest(next(host)).play(), house.guest(next(host)).play()
        publisher = house.guest(next(host)).publish("test")
        house.pass_(1)
        was.send(command("closeStream", 0, id=1))
        flood = [house.guest("127.0.0.1") for _ in range(20)]
        self.assertEqual([guest.gone for guest in (player, was, publisher)], [False] * 3)
        self.assertEqual([guest.gone for guest in flood], [*[True] * 18, False, False])
        self.assertEqual(house.counts, {"strangers": 18})

    def test_activeMeanwhile(self) -> None:
        """All are looked at before the oldest has to go: if one has become active, none has to."""
        house, host = House(self, strangers=3), hosts()
        guests = [house.guest(next(host)) for _ in range(3)]
        guests[1].play()
        guests.append(house.guest(next(host)))
        self.assertEqual((house.counts, [guest.gone for guest in guests]), ({}, [False] * 4))

    def test_lookedAtNowAndThen(self) -> None:
        """In a flood not for each new one; but whose turn it is, is."""
        house = House(self, strangers=3)
        guests = [house.guest("127.0.0.1") for _ in range(4)]
        self.assertEqual(house.counts, {"strangers": 1})
        guests[2].play()
        guests.append(house.guest("127.0.0.1"))
        self.assertEqual([guest.gone for guest in guests], [True, True, False, False, False])
        # The oldest is active by now, and so nobody is too many.
        guests.append(house.guest("127.0.0.1"))
        guests[4].play()
        house.clock.advance(LOOK_SECONDS)
        guests.append(house.guest("127.0.0.1"))
        self.assertEqual((house.counts, guests[3].gone), ({"strangers": 2}, False))
        # Not looked at, there seem to be too many, and the oldest of all goes.
        guests[5].play()
        guests.append(house.guest("127.0.0.1"))
        self.assertEqual((house.counts, guests[3].gone), ({"strangers": 3}, True))

    def test_young(self) -> None:
        """Who has just come need not go: the new one does not get in; and the log says why."""
        house, host = House(self, strangers=2), hosts()
        guests = [house.guest(next(host))]
        house.clock.advance(0.1)
        guests.append(house.guest(next(host)))
        house.clock.advance(YOUNG_SECONDS - 0.2)
        self.assertIsNone(house.come(next(host)))
        self.assertEqual(house.counts, {"strangers": 1})
        self.assertIn(
            "10.1.0.2: refused: 2 connections that neither publish nor play yet (strangers); ", house.refusals()[0]
        )
        house.clock.advance(0.1)
        house.guest(next(host))
        self.assertIsNone(house.come(next(host)))
        self.assertEqual([guest.gone for guest in guests], [True, False])

    def test_youngOverTLS(self) -> None:
        """The same; but it is the new one that goes, since it is not known to be encrypted until it is there."""
        house, host = House(self, tlsStrangers=2), hosts()
        guests = [house.guest(next(host), True) for _ in range(3)]
        self.assertEqual([guest.gone for guest in guests], [False, False, True])
        self.assertEqual(house.counts, {"tlsStrangers": 1})
        house.guest(next(host))

    def test_youngAndAll(self) -> None:
        """The same if there are as many connections as there may be."""
        house, host = House(self, connections=2), hosts()
        guests = [house.guest(next(host)) for _ in range(2)]
        self.assertIsNone(house.come(next(host)))
        self.assertEqual(house.counts, {"connections": 1})
        house.clock.advance(YOUNG_SECONDS)
        house.guest(next(host))
        self.assertEqual([guest.gone for guest in guests], [True, False])

    def test_oneOfMany(self) -> None:
        """Who has more strangers than the new one would have makes room at once, by the oldest of them."""
        house = House(self, strangers=4)
        flood = [house.guest("10.0.0.1") for _ in range(3)]
        one = house.guest("10.0.0.2")
        self.assertIsNone(house.come("10.0.0.1"))
        two = house.guest("10.0.0.2")
        self.assertEqual([guest.gone for guest in (*flood, one, two)], [True, False, False, False, False])
        # Two each: nobody is one of many any more, but for somebody who is alone.
        self.assertIsNone(house.come("10.0.0.2"))
        three = house.guest("10.0.0.3")
        self.assertEqual([guest.gone for guest in (*flood, one, two)], [True, True, False, False, False])
        self.assertIsNone(house.come("10.0.0.4"))
        self.assertEqual((three.gone, house.counts), (False, {"strangers": 5}))

    def test_trustedGetsIn(self) -> None:
        """Who is trusted, at once; or who comes by a Unix socket."""
        house, host = House(self, strangers=2), hosts()
        guests = [house.guest(next(host)) for _ in range(2)]
        guests.append(house.guest("127.0.0.1"))
        self.assertTrue(house.admits(UNIXAddress("/run/rtmp.sock")))
        self.assertEqual([guest.gone for guest in guests], [True, False, False])
        # Nobody else at once, in its place: it has just come.
        self.assertIsNone(house.come(next(host)))

    def test_A8_encoderInAFlood(self) -> None:
        """
        However fast a flood is, an encoder gets in, if the flood has not as many addresses as there may be strangers;
        and it stays until it publishes, though that takes time.
        """
        house = House(self, strangers=100, addressRate=1e6, addressBurst=10**6)
        sources = [f"10.1.0.{number}" for number in range(50)]
        for _ in range(4):
            for source in sources:
                house.come(source)
        encoder = house.guest("192.0.2.7")
        for step in range(15):
            house.clock.advance(0.1)
            for source in sources:
                house.come(source)
            if step == 10:
                encoder.shakeHands()
                encoder.send(connect())
            self.assertFalse(encoder.gone, step)
        encoder.send(command("createStream", 2), command("publish", 3, None, "test", id=1))
        for _ in range(100):
            house.clock.advance(0.1)
            for source in sources:
                house.come(source)
        self.assertFalse(encoder.gone)

    def test_eachSecond(self) -> None:
        """Once a second those that are active are found anyway."""
        house = House(self)
        guest = house.guest(secure=True).play()
        self.assertIn(guest.protocol, house.factory._admission._tlsStrangers)
        house.pass_(1)
        admission = house.factory._admission
        self.assertEqual((admission._strangers, admission._tlsStrangers), ({}, {}))

    def test_lateTransport(self) -> None:
        """A transport that takes a turn for an abort: it is counted once, and when it is gone nothing is left of it."""
        house = House(self, strangers=1, connections=2)
        guests = [house.guest()]
        guests[0].transport.lost = None
        for _ in range(3):
            house.clock.advance(YOUNG_SECONDS)
            guests.append(house.guest())
        self.assertEqual([guest.gone for guest in guests], [True, True, True, False])
        admission = house.factory._admission
        self.assertEqual((len(admission._inside), len(admission._leaving)), (1, 1))
        guests[0].lose()
        self.assertEqual((len(admission._inside), len(admission._leaving)), (1, 0))
        admission.remove(guests[0].protocol)
        guests[3].lose()
        house.pass_(3)
        admission.second()
        self.assertEqual((admission._inside, len(admission._sources)), ({}, 0))

    def test_lonely(self) -> None:
        """If only active ones are there by the time that one has come, it is the one that goes."""
        house, host = House(self, connections=2), hosts()
        guests = [house.guest(next(host)) for _ in range(2)]
        house.clock.advance(YOUNG_SECONDS)
        last, transport = house.factory.buildProtocol(at(next(host))), TCPTransport()
        for guest in guests:
            guest.play()
        last.makeConnection(transport)
        self.assertEqual((transport.disconnected, [guest.gone for guest in guests]), (True, [False, False]))

    def test_withoutTransport(self) -> None:
        """What has no transport has no address."""
        house = House(self)
        guest = house.guest()
        admission = house.factory._admission
        admission.remove(guest.protocol)
        guest.protocol.transport = None
        admission.add(guest.protocol)
        self.assertEqual(admission._inside, {guest.protocol: None})


class LogTests(SynchronousTestCase):
    def test_refused(self) -> None:
        """Nobody is told, but the log has a line for the first of an address in a minute."""
        house = House(self, addressConnections=1)
        house.guest()
        for _ in range(1000):
            self.assertIsNone(house.come())
        self.assertEqual(house.counts, {"addressConnections": 1000})
        self.assertEqual(
            house.refusals(),
            [
                f"{HERE}: refused: 1 connections from one address (IPv6: from one /64) (address-connections); "
                "any more of it in the next 60 s are only counted"
            ],
        )


class DescriptorTests(SynchronousTestCase):
    def test_allowed(self) -> None:
        """By default a fifth of the descriptors, and some more, are left for others; and it is never none."""
        for limit, number, expected in (
            (0, 1024, 755),
            (0, 256, 140),
            (0, 20000, MOST_CONNECTIONS),
            (0, 5200, MOST_CONNECTIONS),
            (0, 5199, MOST_CONNECTIONS - 1),
            (0, 64, 1),
            (0, None, MOST_CONNECTIONS),
            (7, 1024, 7),
            (872, 1024, 872),
            (873, 1024, 872),
            (100_000, 1024, 872),
            (100_000, 64, 1),
            (100_000, None, 100_000),
        ):
            self.assertEqual(allowedConnections(limit, number), expected, (limit, number))
        self.assertEqual(int(1024 * PART) - SPARE, 755)
        self.assertLessEqual(872 + 872 // RESERVE, 1024 - SPARE)

    def test_descriptors(self) -> None:
        import resource

        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self.assertEqual(descriptors(), soft if soft != resource.RLIM_INFINITY else None)
        self.patch(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY, 0))
        self.assertIsNone(descriptors())

    def test_otherSystems(self) -> None:
        """Not every one has such limits."""
        imports = builtins.__import__

        def withoutResource(name: str, *rest: Any) -> Any:
            if name == "resource":
                raise ImportError(name)
            return imports(name, *rest)

        self.patch(builtins, "__import__", withoutResource)
        self.assertIsNone(descriptors())

    def test_server(self) -> None:
        self.patch(admission, "descriptors", lambda: 256)
        self.assertEqual(House(self).factory._admission.most, 140)
        self.assertEqual(House(self, connections=9).factory._admission.most, 9)

    def test_tooMany(self) -> None:
        """More than there are descriptors for: as many as there are, and the log says so once, at the start."""
        self.patch(admission, "descriptors", lambda: 256)
        house = House(self, connections=174)
        self.assertEqual((house.factory._admission.most, list(house.log)), (174, []))
        for connections in (175, 5000):
            house = House(self, connections=connections)
            house.guest()
            self.assertEqual(house.factory._admission.most, 174)
            self.assertEqual(self.told(house), [(LogLevel.warn, f"connections {connections}", 256, 174)])

    def test_fewByDefault(self) -> None:
        """Fewer than there are by default: a line as well, a warning if they are few."""
        for number, most, level in (
            (5200, MOST_CONNECTIONS, None),
            (None, MOST_CONNECTIONS, None),
            (5199, MOST_CONNECTIONS - 1, LogLevel.info),
            (1332, MANY_CONNECTIONS + 1, LogLevel.info),
            (1331, MANY_CONNECTIONS, LogLevel.warn),
            (90, 8, LogLevel.warn),
            (10, 1, LogLevel.warn),
        ):
            self.patch(admission, "descriptors", lambda number=number: number)
            house = House(self)
            house.guest()
            self.assertEqual(house.factory._admission.most, most)
            told = [] if level is None else [(level, "connections 4096 (by default)", number, most)]
            self.assertEqual(self.told(house), told)
        # Who has asked for few has them.
        self.assertEqual(self.told(House(self, connections=1)), [])

    def told(self, house: House) -> list[tuple[object, str, int | None, int]]:
        """What the log says of the descriptors: how loud, of what, how many there are, and what follows."""
        events = [event for event in house.log if "ulimit -n" in event["log_format"]]
        for event in events:
            self.assertIn(
                f": this process may have but {event['descriptors']} files and connections open (ulimit -n); "
                f"there will be {event['most']} connections at most",
                formatEvent(event),
            )
        return [
            (event["log_level"], formatEvent(event).partition(":")[0], event["descriptors"], event["most"])
            for event in events
        ]


class UseTests(SynchronousTestCase):
    """Who plays what nobody publishes is a stranger, however long it waits."""

    def test_waiting(self) -> None:
        """It makes room; who plays what is on does not."""
        house, host = House(self, connections=3), hosts()
        guests = [house.guest(next(host)).play(name) for name in ("on", "none", "nothing")]
        self.assertEqual([guest.protocol.session.isOfUse for guest in guests], [True, False, False])
        house.pass_(int(YOUNG_SECONDS))
        house.guest(next(host))
        self.assertEqual([guest.gone for guest in guests], [False, True, False])

    def test_mayWait(self) -> None:
        """But it may wait as long as it likes if there is room."""
        house = House(self)
        guest = house.guest().play("none")
        house.pass_(3600)
        self.assertEqual((guest.gone, guest.closing, house.counts), (False, False, {}))

    def test_perAddress(self) -> None:
        """Many viewers of one house wait for a show: they are viewers, and no strangers, as long as there is room."""
        house = House(self, addressStrangers=2)
        for _ in range(5):
            house.guest().play("late")
        self.assertIsNotNone(house.come())
        self.assertEqual(house.counts, {})

    def test_lockedOut(self) -> None:
        """From 20 addresses, all that there may be: they play names that do not exist, and others get in."""
        house = House(self, connections=300)
        for number in range(20):
            for _ in range(64):
                guest = house.come(f"203.0.113.{number}")
                if guest is not None:
                    guest.play("none")
                house.clock.advance(0.06)
        house.pass_(60)
        self.assertEqual(len(house.factory._admission._inside), 300)
        encoder = house.guest("198.51.100.1").publish("camera")
        house.pass_(5)
        for number in range(100):
            house.guest(f"198.51.100.{number}")
        self.assertEqual((encoder.gone, encoder.protocol.publishing), (False, True))

    def test_over(self) -> None:
        """Whose stream is over is a stranger again when the server is full, and a young one."""
        house, host = House(self, connections=3), hosts()
        encoder, viewer, other = (house.guest(next(host)) for _ in range(3))
        encoder.publish("one")
        viewer.play("one")
        other.play()
        house.pass_(1)
        self.assertIsNone(house.come(next(host)))
        encoder.send(command("closeStream", 0, id=1))
        viewer.send(command("play", 4, None, "two", id=1))
        house.pass_(1)
        self.assertIsNone(house.come(next(host)))
        house.pass_(int(YOUNG_SECONDS))
        house.guest(next(host))
        house.guest(next(host))
        self.assertEqual([guest.gone for guest in (encoder, viewer, other)], [True, True, False])

    def test_overAndOnAgain(self) -> None:
        """Who publishes again in time is none; nobody becomes one while there is room."""
        house, host = House(self, connections=2), hosts()
        encoder = house.guest(next(host)).publish("one")
        house.pass_(1)
        encoder.send(command("closeStream", 0, id=1))
        house.pass_(1)
        self.assertEqual(house.factory._admission._strangers, {})
        house.guest(next(host), True).play().send(command("closeStream", 0, id=1))
        house.pass_(1)
        self.assertEqual(len(house.factory._admission._strangers), 2)
        self.assertEqual(len(house.factory._admission._tlsStrangers), 1)
        encoder.send(command("publish", 4, None, "two", id=1))
        house.pass_(int(YOUNG_SECONDS))
        house.guest(next(host))
        self.assertFalse(encoder.gone)


class ReserveTests(SynchronousTestCase):
    def test_reserve(self) -> None:
        """A tenth more is for who is trusted; nobody has to go for him, and nobody else gets in by it."""
        house, host = House(self, connections=20), hosts()
        guests = [house.guest(next(host)).play() for _ in range(20)]
        self.assertIsNone(house.come(next(host)))
        trusted = [house.guest("127.0.0.1").play()]
        self.assertIsNone(house.come(next(host)))
        trusted.append(house.guest("127.0.0.1"))
        # Full to the last. The third is in for the stranger among them.
        trusted.append(house.guest("127.0.0.1").play())
        self.assertEqual([guest.gone for guest in (*guests, *trusted)], [*[False] * 21, True, False])
        self.assertIsNone(house.come("127.0.0.1"))
        self.assertEqual(house.counts, {"connections": 4})

    def test_strangersFirst(self) -> None:
        """As long as there is a stranger, it goes, and the reserve stays."""
        house, host = House(self, connections=10), hosts()
        guests = [house.guest(next(host)) for _ in range(10)]
        house.guest("127.0.0.1").play()
        self.assertEqual([guest.gone for guest in guests], [True, *[False] * 9])


class PartingTests(SynchronousTestCase):
    """Whose ends the log tells."""

    def test_silent(self) -> None:
        """A thousand silent ones in a second have 20 lines, and a minute later one for all of the rest."""
        self.patch(admission, "descriptors", lambda: None)
        house = House(self)
        guests = [house.guest("127.0.0.1") for _ in range(1000)]
        publisher = house.guest().publish("camera")
        for guest in guests:
            guest.lose()
        publisher.lose()
        self.assertEqual(len(house.lines()), MOST + 1)
        house.guest().play()
        house.pass_(int(COUNT_SECONDS) + 1)
        counts = [event for event in house.log if "count" in event and "more connections" in event["log_format"]]
        self.assertEqual([event["count"] for event in counts], [980])

    def test_evicted(self) -> None:
        """The same if they have said something, and had to go."""
        house = House(self, strangers=10)
        for _ in range(100):
            guest = house.guest("127.0.0.1")
            guest.shakeHands()
            guest.send(connect())
        self.assertEqual(house.counts, {"strangers": 90})
        self.assertEqual(len(house.lines()), MOST)

    def test_others(self) -> None:
        """Who has said something and goes by himself has his line, however many there are."""
        house = House(self)
        for _ in range(100):
            house.guest("127.0.0.1").play().lose()
        self.assertEqual(len(house.lines()), 100)
