"""
Tests for L{rtmptw.doctor.probes.again}.
"""

from __future__ import annotations

from rtmptw.dialects.finding import Step
from rtmptw.wire.command import Command
from tests.brokenservers.plain import PlainServer
from tests.doctor.probes.asking import ProbeTestCase
from tests.doctor.servers import OneByOne, RefusesAll, Silent


class FreesLate(PlainServer):
    """The name of a publisher that has gone is free two seconds later."""

    def command_publish(self, command: Command) -> None:
        ends = [each.ended for each in self.factory.connections if each.ended is not None]
        if ends and self.factory.clock.seconds() - ends[0] < 2.0:
            self.refuse("NetStream.Publish.BadName", "The name is in use.")
        else:
            super().command_publish(command)


class AgainTests(ProbeTestCase):
    def test_healthy(self) -> None:
        self.healthy("again")
        self.assertEqual(self.causes("again", FreesLate), [])

    def test_taken(self) -> None:
        [finding] = self.ask("again", "name-stays-taken")
        self.assertEqual((finding.cause.name, finding.step), ("name-stays-taken", Step.REQUEST))
        self.assertIn("5 s after its publisher has closed the connection (without FCUnpublish)", finding.words)
        self.assertIn("NetStream.Publish.BadName: The name is in use.", finding.words)
        self.assertNotEqual(finding.came, ())

    def test_oneByOne(self) -> None:
        """Whatever the server says to it."""
        [finding] = self.ask("again", OneByOne)
        self.assertIn("The key was used.", finding.words)

    def test_neverPublished(self) -> None:
        """Who could publish before, and can't any more, is told why; who could never is not."""
        self.assertEqual(self.untestable("again", RefusesAll), "nobody can publish here")
        self.assertEqual(self.untestable("again", Silent, touched=True), "nobody can publish here")
        [finding] = self.ask("again", RefusesAll, touched=True)
        self.assertEqual(finding.cause.name, "name-stays-taken")
        self.assertIn("was published before can't be published again: the server refuses publish", finding.words)

    def test_gone(self) -> None:
        self.gone("again", 2)
