# -*- test-case-name: tests.benchmarks.load.test_attack -*-
"""
Tests for L{benchmarks.load.attack}. With real attackers it is tested in L{tests.interop.test_benchmarks}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.errors import BenchmarkError
from benchmarks.load.attack import HOG, Attack, attackCommand
from tests.attackers.__main__ import options

#: Somebody who is ready, and ends without a word; and one who does not listen.
_SILENT = ["-c", "print('ready', flush=True); input()"]
_DEAF = ["-c", "import os; os.close(0); print('ready', flush=True)"]


class AttackTests(SynchronousTestCase):
    def test_command(self) -> None:
        """The attackers understand it."""
        module, name, *rest = attackCommand("B5", 1935, 2.5)
        chosen = options(rest)
        self.assertEqual((module, name), ("-m", "tests.attackers"))
        self.assertEqual((chosen.row.name, chosen.port, chosen.seconds, chosen.wait), ("B5", 1935, 2.5, True))

    def test_hog(self) -> None:
        """Ready, busy for a while, and then an account with nothing in it."""
        with Attack(["-c", HOG.format(seconds=0.05)]) as attack:
            attack.begin()
            self.assertEqual(attack.end(), {})

    def test_ends(self) -> None:
        """Who ends early is told."""
        with Attack(_SILENT) as attack:
            attack.begin()
            self.assertRaises(BenchmarkError, attack.end)
        with Attack(_DEAF) as attack:
            self.assertRaises(BenchmarkError, attack.begin)

    def test_neverReady(self) -> None:
        self.assertRaises(BenchmarkError, Attack(["-c", ""]).__enter__)
