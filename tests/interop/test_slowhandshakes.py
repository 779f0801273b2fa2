"""
Thousands of handshakes that never end, and what honest publishers notice of them (rows A1, A2, A7). This is small, so
that it takes half a minute; C{python -m tests.attackers.siege} is the same at full size.
"""

from __future__ import annotations

from typing import Any
from unittest import TestCase

from tests.attackers.siege import Siege, Stood, besiege
from tests.interop.processes import alone, once, siege

#: How much the server's memory may grow, bytes.
GROWTH = 60_000_000

#: How many descriptors there may be more than before, when everything is over: what a log or a resolver needs.
FEW = 5

SMALL = Siege("A2", 1200, 100, 20)
OVER_TLS = Siege("A7", 600, 100, 10)

#: C{strangers} and C{tlsStrangers} of L{rtmptw.limits.Limits}; what the publishers need comes on top.
MOST, MOST_TLS = 1024 + 40, 512 + 40


@once
def stood(siege: Siege) -> Stood:
    """How a siege ends."""
    with alone("measuring"):
        return besiege(siege)


@siege
class SlowHandshakeTests(TestCase):
    """A1, A2: C0, and then a byte in nine seconds."""

    siege = SMALL
    most = MOST

    def test_everybodyPublishes(self) -> None:
        """All honest publishers: from this machine, from another address, and behind it from the attackers' own."""
        seen = stood(self.siege)
        for when in ("before", "trusted", "strangers", "after"):
            found: dict[str, Any] = getattr(seen, when)
            self.assertEqual((found["published"], found["failed"]), (self.siege.honest, {}), f"{when}: {seen}")

    def test_memory(self) -> None:
        """It does not grow much, and there are never more connections than there may be."""
        seen = stood(self.siege)
        self.assertLess(seen.residentMost - seen.residentBefore, GROWTH, seen)
        self.assertLess(seen.descriptorsMost - seen.descriptorsBefore, self.most, seen)

    def test_allPlacesAreFreeAgain(self) -> None:
        """Though the attackers have not gone: they only say nothing more."""
        seen = stood(self.siege)
        self.assertLess(seen.descriptorsAfter - seen.descriptorsBefore, FEW, seen)

    def test_itWasAnAttack(self) -> None:
        """The server has ended connections, and the attackers came again."""
        seen = stood(self.siege)
        self.assertGreater(seen.attack["connections"], self.siege.connections / 2, seen)
        self.assertGreater(seen.descriptorsMost - seen.descriptorsBefore, self.most / 4, seen)


@siege
class SlowTLSHandshakeTests(SlowHandshakeTests):
    """A7: the same over TLS: all of a first flight, or a part of it and a byte in nine seconds."""

    siege = OVER_TLS
    most = MOST_TLS
