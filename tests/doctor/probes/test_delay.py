"""
Tests for L{rtmptw.doctor.probes.delay}.
"""

from __future__ import annotations

from tests.brokenservers.plain import PlainServer
from tests.doctor.probes.asking import ProbeTestCase
from tests.doctor.servers import RefusesAll


class SlowOnce(PlainServer):
    """Something comes between in the first of all connections."""

    def flush(self) -> None:
        waiting, self._waiting = b"".join(self._waiting), []
        late = 0.5 if self is self.factory.connections[0] and self.published is None else 0
        if waiting:
            self.factory.clock.callLater(late, self.transport.write, waiting)


class DelayTests(ProbeTestCase):
    def test_healthy(self) -> None:
        """However far away it is, and whatever comes between once."""
        self.healthy("delay")
        self.assertEqual(self.causes("delay", latency=0.5), [])
        self.assertEqual(self.causes("delay", SlowOnce), [])

    def test_heldBack(self) -> None:
        for latency in (0.0, 0.15):
            [finding] = self.ask("delay", "slow-replies", latency=latency)
            self.assertEqual(finding.cause.name, "slow-replies")
            milliseconds = int(finding.words.split(" takes ")[1].split(" ms")[0])
            self.assertTrue(120 <= milliseconds <= 700, finding.words)

    def test_untestable(self) -> None:
        self.assertEqual(self.untestable("delay", RefusesAll), "nobody can publish here")

    def test_gone(self) -> None:
        self.gone("delay", 3)
