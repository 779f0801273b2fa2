# -*- test-case-name: tests.benchmarks.test_machine -*-
"""
Tests for L{benchmarks.machine}.
"""

from __future__ import annotations

import platform
from datetime import datetime

from twisted.trial.unittest import SynchronousTestCase

from benchmarks import machine


class MachineTests(SynchronousTestCase):
    def test_about(self) -> None:
        """Everything that a result needs to be of use to others."""
        about = machine.aboutMachine()
        self.assertEqual(set(about), {"date", "processor", "processors", "kernel", "python", "twisted"})
        self.assertEqual(about["python"], platform.python_version())
        self.assertTrue(datetime.fromisoformat(about["date"]).tzinfo)
        self.assertTrue(about["processor"])

    def test_processor(self) -> None:
        """The first that Linux names; something, if it names none."""
        text = "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n\nprocessor\t: 1\nmodel name\t: Another\n"
        self.assertEqual(machine._processor(text), "Some CPU @ 2 GHz")
        self.patch(platform, "processor", lambda: "")
        self.assertEqual(machine._processor("CPU architecture: 8\n"), "unknown")
