"""
Tests for L{rtmptw.doctor.probes.tail}. A server that throws away what it has not read needs a socket to know of; here,
that comes of what it writes.
"""

from __future__ import annotations

from rtmptw.testing import PROBES
from rtmptw.wire.message import Message
from tests.brokenservers.mediabends import SlowReader
from tests.brokenservers.plain import PlainServer
from tests.doctor.network import Network
from tests.doctor.probes.asking import ProbeTestCase
from tests.doctor.servers import ClosesAtMedia, PlaysOnlyPublished, RefusesAll


class LosesTheEnd(PlainServer):
    """The last messages are lost."""

    def mediaReceived(self, message: Message) -> None:
        if not any(b"-%08d" % number in message.payload for number in range(2990, 3000)):
            super().mediaReceived(message)


class LosesTheMiddle(PlainServer):
    """Some messages in the midst are lost."""

    def mediaReceived(self, message: Message) -> None:
        if not any(b"-%08d" % number in message.payload for number in range(1000, 1003)):
            super().mediaReceived(message)


class NeverReads(PlainServer):
    """From the first media on it reads nothing."""

    def mediaReceived(self, message: Message) -> None:
        super().mediaReceived(message)
        self.transport.pauseProducing()


class LeavesLater(NeverReads):
    """It is gone a second later."""

    def mediaReceived(self, message: Message) -> None:
        super().mediaReceived(message)
        if self.published is not None and len(self.published.stored) == 1:
            self.factory.clock.callLater(1.0, self.transport.abortConnection)


class TailTests(ProbeTestCase):
    def test_healthy(self) -> None:
        """One that reads slowly is well, too."""
        self.healthy("tail")
        self.assertEqual(self.causes("tail", SlowReader), [])
        self.assertEqual(self.causes("tail", PlaysOnlyPublished), [])
        self.assertEqual(self.causes("tail", plays=False), [])

    def test_writes(self) -> None:
        """What the server writes, and what is lost by that, are one finding."""
        for server, name in (
            ("unasked-acks", "unasked-acks"),
            ("writes-to-publisher", "writes-to-publisher"),
            ("writes-to-publisher:status", "writes-to-publisher"),
        ):
            [finding] = self.ask("tail", server)
            self.assertEqual(finding.cause.name, name)
            self.assertIn("; of 3000 messages from a fast publisher that does not read, as FFmpeg", finding.words)
            self.assertTrue(finding.words.endswith("-2999"), finding.words)
        [finding] = self.ask("tail", "unasked-acks", plays=False)
        self.assertEqual(finding.cause.name, "unasked-acks")
        self.assertNotIn("3000", finding.words)

    def test_lost(self) -> None:
        rows = [
            (LosesTheEnd, "tail-dropped", "2990 came out; missing: 2990-2999"),
            (LosesTheMiddle, "media-lost-in-the-middle", "2997 came out; missing: 1000-1002"),
        ]
        for server, cause, words in rows:
            [finding] = self.ask("tail", server)
            self.assertEqual(finding.cause.name, cause)
            self.assertEqual(finding.words, f"of 3000 messages from a fast publisher that waits for it, {words}")

    def test_stopsReading(self) -> None:
        """It is said for how long; and the others wait longer from then on."""
        network = self.network("stops-reading")
        target = network.target()
        [finding] = network.run(PROBES["tail"].ask(target))
        self.assertEqual(finding.cause.name, "stops-reading")
        self.assertIn("for 2.", finding.words)
        self.assertGreaterEqual(target.delay, 4.0)

    def test_neverReads(self) -> None:
        """It is given up, and nobody stays behind."""
        network: Network = self.network(NeverReads)
        found = [finding.cause.name for finding in self.ask("tail", network=network)]
        self.assertEqual(found, ["stops-reading", "tail-dropped"])
        self.assertLess(network.clock.seconds(), 90)

    def test_closed(self) -> None:
        """A server that leaves in the midst of it: that is what is said, not that it lost what it had not read."""
        for server in (ClosesAtMedia, LeavesLater):
            found = self.ask("tail", server)
            self.assertEqual([each.cause.name for each in found], ["closed-without-reason"])

    def test_untestable(self) -> None:
        self.assertEqual(self.untestable("tail", RefusesAll), "nobody can publish here")

    def test_gone(self) -> None:
        self.gone("tail", 4)
