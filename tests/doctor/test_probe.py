"""
Tests for L{rtmptw.doctor.probe} and L{rtmptw.doctor.probes}.
"""

from __future__ import annotations

from rtmptw.causes.causes import CAUSES
from rtmptw.dialects.finding import Step
from rtmptw.doctor.probe import finding
from rtmptw.doctor.probes import PROBES
from rtmptw.testing import DIALECTS
from rtmptw.trace.segment import Side
from tests.doctor.network import NetworkTestCase


class ProbeTests(NetworkTestCase):
    def test_names(self) -> None:
        """They can be told from each other, and from the clients, at the command line; each asks something."""
        names = [probe.name for probe in PROBES]
        self.assertEqual(len(set(names)), len(names))
        self.assertEqual(set(names) & {*DIALECTS, "none"}, set())
        for probe in PROBES:
            self.assertRegex(probe.question, r"^[A-Z].*\?$")

    def test_finding(self) -> None:
        """What came last is shown, if somebody has seen it."""
        network = self.network()
        visit = network.run(network.target().publisher())
        assert visit is not None
        found = finding("a probe", "stops-reading", "words", visit, Step.REQUEST)
        self.assertIs(found.cause, CAUSES["stops-reading"])
        self.assertEqual(
            (found.client, found.dialect, found.step, found.words), ("FFmpeg", "a probe", Step.REQUEST, "words")
        )
        self.assertTrue(found.came)
        self.assertEqual({entry.side for entry in found.came}, {Side.SERVER})
        self.assertEqual(finding("a probe", "stops-reading", "words").came, ())
        visit.contact.entries *= 10
        self.assertEqual(len(finding("a probe", "stops-reading", "words", visit).came), 8)
        visit.leave()
