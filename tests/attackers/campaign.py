# -*- test-case-name: tests.attackers.test_campaign -*-
"""
A campaign: the attackers of one row, of whom there are so many at a time, until it is called off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from itertools import cycle, islice
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IConnector, IReactorTime
from twisted.internet.protocol import ClientFactory
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from tests.attackers.account import Account
from tests.attackers.attacker import Attacker, Goal, Gone
from tests.attackers.row import Row

__all__ = ["Campaign", "addresses"]

#: How often new ones are sent, s.
_TICK = 0.01

#: How long a connection may take, s.
_PATIENCE = 10

#: The most addresses of a network that are used.
MOST = 4096


def addresses(network: str) -> list[str]:
    """
    The addresses of a network: where attackers come from.

    @param network: such as 127.0.1.0/24, or one address.
    @raise ValueError: if it is none.
    """
    return [str(address) for address in islice(ip_network(network).hosts(), MOST)]


class Campaign(ClientFactory):
    """
    @ivar account: what it comes to.
    @ivar sources: the addresses that they come from, in turn.
    """

    noisy = False

    def __init__(self, reactor: Any, row: Row, host: str, port: int, sources: Iterable[str], goal: Goal) -> None:
        """
        @param reactor: which connects, and tells the time.
        @param sources: the addresses that they may come from.
        """
        self.account = Account()
        self._tcp, self._clock = reactor, IReactorTime(reactor)
        self._row, self._host, self._port, self._goal = row, host, port, goal
        self.sources = list(sources)[: row.sources]
        self._next: Iterator[str] = cycle(self.sources)
        self._number = 0
        self._due = 0.0
        self._underway = 0
        self._attackers: dict[Attacker, None] = {}
        self._ticks = LoopingCall.withCount(self._tick)
        self._ticks.clock = self._clock
        self._failed: Failure | None = None

    def begin(self) -> None:
        """The first come at once."""
        self._ticks.start(_TICK)

    def end(self) -> Account:
        """
        All go.

        @return: what it has come to.
        @raise Exception: if there is a mistake in a deed.
        """
        self._ticks.stop()
        self.account.endings["over"] += len(self._attackers)
        for attacker in tuple(self._attackers):
            self.account.hear(attacker.heard)
            attacker.heard.clear()
            attacker.leave()
        self.account.endings["left"] -= self.account.endings["over"]
        self.account.endings += type(self.account.endings)()
        if self._failed is not None:
            self._failed.raiseException()
        return self.account

    def _tick(self, ticks: int) -> None:
        # After a pause of this process the lost time is not made up for.
        self._due = min(self._due + self._row.rate * _TICK * min(ticks, 10), self._row.rate)
        while self._due >= 1 and self._underway + len(self._attackers) < self._row.connections:
            self._due -= 1
            self._underway += 1
            source = next(self._next)
            self._tcp.connectTCP(self._host, self._port, self, _PATIENCE, (source, 0))

    def buildProtocol(self, addr: IAddress | None) -> Attacker:
        """One more is there."""
        attacker = _Attacker(self, self._goal, self._number, self.account, self._clock)
        self._number += 1
        return attacker

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        """One less."""
        self._underway -= 1
        self.account.refused[reason.type.__name__ if reason.type else "?"] += 1

    def attack(self, attacker: Attacker) -> None:
        """One has a connection."""
        self._underway -= 1
        self._attackers[attacker] = None
        self.account.most = max(self.account.most, len(self._attackers))
        Deferred.fromCoroutine(self._row.deed(attacker)).addErrback(self._gone).addBoth(lambda _: attacker.leave())

    def lost(self, attacker: Attacker) -> None:
        """One has gone."""
        del self._attackers[attacker]

    def _gone(self, reason: Failure) -> None:
        if not reason.check(Gone):
            self._failed = reason


class _Attacker(Attacker):
    """One that belongs to a campaign."""

    def __init__(self, campaign: Campaign, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._campaign = campaign

    def connectionMade(self) -> None:
        super().connectionMade()
        self._campaign.attack(self)

    def connectionLost(self, reason: Any = None) -> None:
        self._campaign.lost(self)
        super().connectionLost(reason)
