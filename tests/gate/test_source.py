# -*- test-case-name: tests.gate.test_source -*-
"""
Tests for L{rtmptw.gate.source}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.gate.network import addressBytes
from rtmptw.gate.source import MAX_RESTING, Source, Sources
from rtmptw.limits import Limits

LIMITS = Limits(addressRate=2.0, addressBurst=3, addressConnections=5)


def address(host: str) -> bytes:
    found = addressBytes(host)
    assert found is not None
    return found


class SourceTests(SynchronousTestCase):
    def take(self, source: Source, now: float) -> str:
        """Somebody comes, if it may: the limit that keeps it out."""
        limit = source.exceeded(LIMITS, now)
        if not limit:
            source.take()
        return limit

    def test_burst(self) -> None:
        """So many at once, and then by the rate."""
        source = Source(b"", 3, 100.0)
        found = [self.take(source, now) for now in (100, 100, 100, 100, 100.4, 100.5, 100.5, 101.5, 101.5, 101.5)]
        at = "addressBurst"
        self.assertEqual(found, ["", "", "", at, at, "", at, "", "", "addressRate"])

    def test_full(self) -> None:
        """No more tokens come back than there were, however long it takes; then it is at once again."""
        source = Source(b"", 3, 0.0)
        self.assertEqual([self.take(source, 0) for _ in range(2)], ["", ""])
        self.assertFalse(source.fill(LIMITS, 0.9))
        self.assertTrue(source.fill(LIMITS, 1.0))
        self.assertTrue(source.fill(LIMITS, 1e9))
        self.assertEqual([self.take(source, 1e9) for _ in range(4)], ["", "", "", "addressBurst"])

    def test_clockGoesBack(self) -> None:
        """That takes nothing away, and gives nothing."""
        source = Source(b"", 3, 100.0)
        self.assertEqual([self.take(source, 50.0) for _ in range(4)], ["", "", "", "addressBurst"])
        self.assertEqual(self.take(source, 50.5), "")


class SourcesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.sources = Sources(LIMITS)

    def test_sameSource(self) -> None:
        """An IPv4 address is one, in either form; and 64 bits of IPv6."""
        for one, other, isSame in (
            ("192.0.2.7", "192.0.2.7", True),
            ("192.0.2.7", "::ffff:192.0.2.7", True),
            ("192.0.2.7", "192.0.2.8", False),
            ("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", True),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
            ("::192.0.2.7", "192.0.2.7", False),
        ):
            first, second = self.sources.at(address(one), 0), self.sources.at(address(other), 0)
            self.assertEqual(first is second, isSame, (one, other))

    def test_forgotten(self) -> None:
        """With its last connection gone, and its bucket full: not before."""
        source = self.sources.at(address("192.0.2.7"), 0)
        for _ in range(2):
            source.take()
            self.sources.came(source)
        for connections in (1, 0):
            self.sources.forget(1e6)
            self.assertEqual((len(self.sources), source.connections), (1, connections + 1))
            self.sources.went(source)
        source.fill(LIMITS, 1e6)
        source.take()
        self.sources.forget(1e6 + 0.4)
        self.assertIs(self.sources.at(address("192.0.2.7"), 0), source)
        self.sources.forget(1e6 + 0.5)
        self.assertEqual(len(self.sources), 0)

    def test_bounded(self) -> None:
        """However many addresses there are, no more are remembered; those with a connection always."""
        busy = self.sources.at(address("192.0.2.7"), 0)
        self.sources.came(busy)
        for number in range(MAX_RESTING + 100):
            self.sources.at(number.to_bytes(4), 0).take()
        self.assertEqual(len(self.sources), MAX_RESTING + 1)
        self.assertIs(self.sources.at(address("192.0.2.7"), 0), busy)
        # The oldest are forgotten: this one is new.
        self.assertTrue(self.sources.at((0).to_bytes(4), 0).fill(LIMITS, 0))
        self.assertFalse(self.sources.at((MAX_RESTING + 99).to_bytes(4), 0).fill(LIMITS, 0))
        self.sources.went(busy)
        self.assertEqual(len(self.sources), MAX_RESTING)
