# -*- test-case-name: tests.attackers.test_campaign -*-
"""
Tests for L{tests.attackers.campaign}.
"""

from __future__ import annotations

from twisted.internet.error import ConnectionRefusedError
from twisted.trial.unittest import SynchronousTestCase

from tests.attackers.attacker import Attacker, Deed, Goal
from tests.attackers.campaign import MOST, Campaign, addresses
from tests.attackers.room import Room
from tests.attackers.row import Row, atOnce


async def _stay(attacker: Attacker) -> None:
    await attacker.rest(1000.0)


async def _mistake(attacker: Attacker) -> None:
    raise ZeroDivisionError


class AddressTests(SynchronousTestCase):
    def test_addresses(self) -> None:
        """Those of hosts, and not too many; or one."""
        self.assertEqual(addresses("127.0.1.0/30"), ["127.0.1.1", "127.0.1.2"])
        self.assertEqual(addresses("127.0.0.1"), ["127.0.0.1"])
        self.assertEqual(len(addresses("127.0.0.0/8")), MOST)
        self.assertRaises(ValueError, addresses, "here")


class CampaignTests(SynchronousTestCase):
    def campaign(self, deed: Deed, connections: int = 5, rate: float = 100.0, sources: int | None = None) -> Campaign:
        self.room = Room()
        row = Row("X1", "a test", deed, connections, rate, sources=sources)
        campaign = Campaign(self.room, row, "127.0.0.1", 1935, ["127.0.1.1", "127.0.1.2"], Goal())
        campaign.begin()
        return campaign

    def test_soManyAtATime(self) -> None:
        """No more than that; all are told of, and gone at the end."""
        campaign = self.campaign(_stay)
        self.room.advanceBy(1.0)
        account = campaign.end()
        self.assertEqual((account.connections, account.most, dict(account.endings)), (5, 5, {"over": 5}))
        self.room.advanceBy(30.0, 0.1)
        self.assertEqual(self.room.getDelayedCalls(), [])

    def test_soManyInASecond(self) -> None:
        """Who goes is followed by another, but only at the rate of the row."""
        campaign = self.campaign(atOnce, rate=20.0)
        self.room.advanceBy(2.0)
        account = campaign.end()
        self.assertTrue(38 <= account.connections <= 41, account.connections)
        self.assertEqual(dict(account.endings), {"left": account.connections})

    def test_pauses(self) -> None:
        """What was not sent while the process stood still is not sent all at once."""
        campaign = self.campaign(_stay, 1000)
        self.room.advance(5.0)
        self.room.advanceBy(0.05)
        self.assertLess(campaign.end().connections, 20)

    def test_sources(self) -> None:
        """All in turn, or as many as the row has."""
        for number, expected in ((None, ["127.0.1.1", "127.0.1.2"]), (1, ["127.0.1.1"])):
            self.assertEqual(self.campaign(_stay, sources=number).sources, expected)

    def test_refused(self) -> None:
        """Nobody is there: it is told, and tried again."""
        campaign = self.campaign(_stay)
        self.room.refused = ConnectionRefusedError()
        self.room.advanceBy(1.0)
        account = campaign.end()
        self.assertEqual(account.connections, 0)
        self.assertGreater(account.refused["ConnectionRefusedError"], 50)

    def test_mistake(self) -> None:
        """One in a deed comes out at the end."""
        campaign = self.campaign(_mistake)
        self.room.advanceBy(0.1)
        self.assertRaises(ZeroDivisionError, campaign.end)
