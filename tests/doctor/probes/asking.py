"""
What the tests of probes have in common: a probe, asked at a server in memory.
"""

from __future__ import annotations

from rtmptw.dialects.finding import Finding
from rtmptw.doctor.probe import Untestable
from rtmptw.doctor.target import Unreachable
from rtmptw.testing import PROBES
from tests.brokenservers.plain import PlainServer
from tests.doctor.network import Network, NetworkTestCase

__all__ = ["ProbeTestCase"]


class ProbeTestCase(NetworkTestCase):
    def ask(
        self,
        name: str,
        server: type[PlainServer] | str = PlainServer,
        plays: bool = True,
        latency: float = 0.0,
        touched: bool = False,
        network: Network | None = None,
    ) -> list[Finding]:
        """
        Ask a probe.

        @param touched: whether somebody has published before.
        @raise Untestable: if it can't be asked.
        """
        network = self.network(server, latency) if network is None else network
        target = network.target(plays)
        target.isUntouched = not touched
        try:
            return network.run(PROBES[name].ask(target))
        finally:
            target.abort()

    def causes(self, name: str, server: type[PlainServer] | str = PlainServer, **options: bool | float) -> list[str]:
        """The names of what it has found."""
        return [each.cause.name for each in self.ask(name, server, **options)]  # type: ignore[arg-type]

    def untestable(self, name: str, server: type[PlainServer] | str, **options: bool | float) -> str:
        """Why it can't be asked."""
        with self.assertRaises(Untestable) as caught:
            self.ask(name, server, **options)  # type: ignore[arg-type]
        return str(caught.exception)

    def healthy(self, name: str) -> None:
        """Nothing is found at a server that is well: near by, far away, and where players are not told of the end."""
        self.assertEqual(self.causes(name), [])
        self.assertEqual(self.causes(name, latency=0.15), [])
        self.assertEqual(self.causes(name, "end-without-streameof"), [])

    def gone(self, name: str, most: int) -> None:
        """
        The server goes away in the midst of it.

        @param most: how many connections it takes before.
        """
        for count in range(most):
            network = self.network()
            network.most = count
            with self.assertRaises(Unreachable):
                self.ask(name, network=network)
