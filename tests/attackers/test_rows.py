# -*- test-case-name: tests.attackers.test_rows -*-
"""
Tests for L{tests.attackers.rows}: every attack, against the real server, in memory. Whatever is done, the server logs
no error, what it says can be read, an honest publisher and its viewer go on, and nothing is left behind.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.attackers.account import Account
from tests.attackers.attacker import Attacker, Goal
from tests.attackers.campaign import Campaign, addresses
from tests.attackers.chunkrows import byteForByte
from tests.attackers.handshakerows import clientHello
from tests.attackers.messagerows import aggregate
from tests.attackers.room import Room
from tests.attackers.row import Row
from tests.attackers.rows import ROWS
from tests.attackers.speech import PICTURE, media, tag

#: How many attack in memory, and for how long, s.
FEW = 4
SECONDS = 1.5

#: How long the server may take until all is as before, s: a handshake's 10 s, a close's 5 s and 15 s.
PEACE = 60.0

#: A picture in so many seconds, from the honest publisher.
PACE = 0.1


async def _honest(attacker: Attacker) -> None:
    """A publisher as it should be."""
    await attacker.publish(attacker.goal.victim)
    await attacker.say(media(1))
    for number in range(1, 10_000):
        await attacker.rest(PACE)
        await attacker.say(tag(PICTURE, time=int(PACE * 1000) * number))


async def _watch(attacker: Attacker) -> None:
    await attacker.play()
    await attacker.rest(10_000.0)


class Peace:
    """The honest publisher, and its viewer."""

    def __init__(self, room: Room) -> None:
        self.campaigns = [
            Campaign(room, Row(name, name, deed, 1, 100.0), "127.0.0.1", 1935, ["127.0.0.1"], Goal())
            for name, deed in (("publisher", _honest), ("viewer", _watch))
        ]
        for campaign in self.campaigns:
            campaign.begin()
            room.advanceBy(0.5)

    @property
    def received(self) -> int:
        """How much the viewer has."""
        return self.campaigns[1].account.received

    def end(self) -> list[dict[str, Any]]:
        """What has come of both."""
        return [campaign.end().asJSON() for campaign in self.campaigns]


class RowTests(SynchronousTestCase):
    """A test for each row; they are made below."""

    def attack(self, row: Row) -> None:
        """Attack."""
        room = Room()
        peace = Peace(room)
        before = peace.received
        campaign = Campaign(room, row, "127.0.0.1", 1935, addresses("127.0.1.0/24"), Goal())
        campaign.begin()
        room.advanceBy(SECONDS)
        account = campaign.end()
        self.assertGreater(account.connections, 0)
        self.assertEqual([said for said in account.answers if said.startswith("UNREADABLE")], [])
        # The viewer has what the publisher has sent meanwhile, but for what is still on its way.
        self.assertGreater(peace.received - before, (SECONDS / PACE - 3) * len(PICTURE))
        room.advanceBy(2.0)
        for told in peace.end():
            self.assertEqual((told["connections"], told["endings"]), (1, {"over": 1}), told)
        room.advanceBy(PEACE, 0.1)
        self.assertEqual((list(room.server.hub), room.getDelayedCalls()), ([], []))
        self.assertEqual(self.flushLoggedErrors(), [])

    def _longer(self, row: Row, seconds: float, connections: int = FEW, rate: float = 100.0) -> Account:
        """Attack for long, without anybody else."""
        room, short = Room(), replace(row, connections=connections, rate=rate)
        campaign = Campaign(room, short, "127.0.0.1", 1935, addresses("127.0.1.0/24"), Goal())
        campaign.begin()
        room.advanceBy(seconds)
        account = campaign.end()
        room.advanceBy(PEACE, 0.1)
        self.assertEqual(room.getDelayedCalls(), [])
        return account

    def test_A2_deadline(self) -> None:
        """The deadline is not moved by a byte: nobody is there after 11 s who came at the beginning."""
        for seconds, closed in ((9.5, 0), (11.5, FEW)):
            self.assertEqual(self._longer(ROWS["A2"], seconds).endings["reset"], closed)

    def test_A8_oneAddress(self) -> None:
        """Most of a flood from one address is refused at the accept."""
        account = self._longer(ROWS["A8-one"], 2.0, 200, 1000.0)
        self.assertGreater(account.endings["reset"], account.connections / 2)

    def test_B14_byteForByte(self) -> None:
        """A session of which every byte comes alone is a session as any other."""
        self.assertGreater(
            self._longer(replace(ROWS["B14"], deed=byteForByte), 12.0).answers["NetStream.Publish.Start"], 0
        )

    def test_names(self) -> None:
        """Every row that comes over the network to a server, and who attacks with many from one address."""
        names = [f"A{number}" for number in range(1, 9)] + ["A8-one"]
        names += [f"B{number}" for number in range(1, 22)] + [f"C{number}" for number in range(1, 12)]
        names += [f"D{number}" for number in (1, 2, 3, 4, 14, 15, 17)]
        self.assertEqual(list(ROWS), names)
        for row in ROWS.values():
            self.assertTrue(row.about and row.connections and row.rate, row)

    def test_clientHello(self) -> None:
        """A record of TLS, with a handshake in it."""
        self.assertEqual(clientHello()[:2], b"\x16\x03")

    def test_aggregate(self) -> None:
        """Headers like those of an FLV tag, and a back pointer behind each part."""
        self.assertEqual(aggregate((9, 2, b"ab")), b"\x09\0\0\2" + bytes(7) + b"ab" + b"\0\0\0\x0d")


def _test(row: Row) -> Any:
    def test(self: RowTests) -> None:
        self.attack(Row(row.name, row.about, row.deed, min(row.connections, FEW), max(row.rate, 50.0)))

    test.__doc__ = row.about
    return test


for _name, _row in ROWS.items():
    setattr(RowTests, f"test_{_name.replace('-', '_')}", _test(_row))
