# -*- test-case-name: tests.gate.test_options -*-
"""
Tests for L{rtmptw.gate.options}.
"""

from __future__ import annotations

from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.gate.admission import TRUSTED
from rtmptw.gate.options import AdmissionOptions


class TrustTests(SynchronousTestCase):
    def parse(self, *arguments: str) -> list[str]:
        options = AdmissionOptions()
        options.parseOptions(arguments)
        return [str(network) for network in options["trusted"]]

    def test_default(self) -> None:
        """This machine, and exactly that."""
        self.assertEqual(self.parse(), ["127.0.0.1/32", "::1/128"])
        self.assertEqual(TRUSTED, AdmissionOptions()["trusted"])

    def test_more(self) -> None:
        """Networks come to it, in any form."""
        self.assertEqual(
            self.parse("--trust", "10.0.0.0/8", "--trust=2001:db8::/32", "--trust", "192.0.2.7"),
            ["127.0.0.1/32", "::1/128", "10.0.0.0/8", "2001:db8::/32", "192.0.2.7/32"],
        )

    def test_none(self) -> None:
        """Nobody, and nobody of those before; who comes behind is trusted."""
        self.assertEqual(self.parse("--trust", "none"), [])
        self.assertEqual(self.parse("--trust", "10.0.0.0/8", "--trust", "none", "--trust", "::1"), ["::1/128"])

    def test_bad(self) -> None:
        """The option is named, and what is wrong."""
        for network, wrong in (
            ("10.0.0.1/8", "--trust 10.0.0.1/8 has bits behind its prefix: the network is 10.0.0.0/8"),
            ("example.org", "--trust 'example.org' is no network: 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32"),
        ):
            error = self.assertRaises(UsageError, self.parse, "--trust", network)
            self.assertEqual(str(error), wrong)

    def test_help(self) -> None:
        self.assertIn("--trust=", AdmissionOptions().getUsage(width=200))
