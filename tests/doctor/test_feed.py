"""
Tests for L{rtmptw.doctor.feed}.
"""

from __future__ import annotations

from rtmptw.doctor.feed import Feed
from rtmptw.doctor.witness import arrived
from tests.doctor.network import NetworkTestCase
from tests.doctor.servers import ClosesAtMedia


class FeedTests(NetworkTestCase):
    def test_goesOn(self) -> None:
        """All numbers, in order, for as long as it lasts; and then it is over."""
        network = self.network()
        target = network.target()
        witness, publisher = network.run(target.witness()), network.run(target.publisher())
        assert witness is not None and publisher is not None
        feed = Feed(target, publisher)
        network.advance(1.0)
        self.assertTrue(feed.isAlive)
        feed.leave()
        feed.leave()
        network.advance(0.1)
        self.assertFalse(feed.isAlive)
        seen = arrived(witness.visit.contact.entries, publisher.take)
        self.assertEqual(seen, list(range(feed.sent)))
        self.assertGreaterEqual(feed.sent, 200)
        witness.leave()

    def test_sentAway(self) -> None:
        """Nothing is sent to nobody."""
        network = self.network(ClosesAtMedia)
        target = network.target()
        publisher = network.run(target.publisher())
        assert publisher is not None
        feed = Feed(target, publisher)
        network.advance(1.0)
        self.assertFalse(feed.isAlive)
        self.assertLessEqual(feed.sent, 20)
        feed.leave()
