# -*- test-case-name: tests.auth.test_rule -*-
"""
Tests for L{rtmptw.auth.rule}.
"""

from __future__ import annotations

import re
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.auth.rule import WrongProof, markOf


class RuleTests(SynchronousTestCase):
    def test_markOf(self) -> None:
        """The same for the same, whatever it is; short; and of no use to somebody who tries words elsewhere."""
        for secret in ("", "sesame", "\u00e4", "\ud800", "x" * 5000):
            self.assertTrue(re.fullmatch(r"[0-9a-f]{8}\.\.\.", markOf(secret)))
            self.assertEqual(markOf(secret), markOf(secret))
        self.assertNotEqual(markOf("sesame"), markOf("Sesame"))
        program = "from rtmptw.auth.rule import markOf; print(markOf('sesame'))"
        environment = {"PYTHONPATH": ":".join(sys.path)}
        other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment).stdout
        self.assertTrue(other.strip())
        self.assertNotEqual(other.strip(), markOf("sesame"))

    def test_WrongProof(self) -> None:
        """The client is told the one, the log the other."""
        error = WrongProof("wrong", "user alice")
        self.assertEqual(
            (error.description, error.code, str(error), error.remark), ("wrong", "", "wrong", "user alice")
        )
