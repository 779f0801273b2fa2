# -*- test-case-name: tests.benchmarks.test_usage -*-
"""
Tests for L{benchmarks.usage}, of this very process.
"""

from __future__ import annotations

import os
import time

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.usage import Memory, kernelMemory, processorTime, processTree, readMemory, systemShare

#: No process has this number (Linux, PID_MAX_LIMIT).
NOBODY = 2**22 + 1


class UsageTests(SynchronousTestCase):
    def test_processorTime(self) -> None:
        """It is the clock of the process."""
        pids = [os.getpid()]
        before, read, after = time.process_time(), processorTime(pids), time.process_time()
        self.assertTrue(before <= read <= after, (before, read, after))

    def test_systemShare(self) -> None:
        """User and system time are what the process itself is told, to a hundredth of a second."""
        user, system = systemShare([os.getpid()])
        times = os.times()
        self.assertTrue(abs(times.user - user) < 0.1 and abs(times.system - system) < 0.1)

    def test_memory(self) -> None:
        """What is taken is seen."""
        before = readMemory([os.getpid()])
        block = b"x" * 50_000_000
        after = readMemory([os.getpid()])
        self.assertTrue(45e6 < after.resident - before.resident < 80e6, len(block))
        self.assertTrue(0 < after.proportional <= after.resident)

    def test_gone(self) -> None:
        """Who has ended uses nothing."""
        self.assertEqual(processTree(NOBODY), [NOBODY])
        self.assertEqual(processorTime([NOBODY]), 0)
        self.assertEqual(systemShare([NOBODY]), (0, 0))
        self.assertEqual(readMemory([NOBODY]), Memory(0, 0))

    def test_kernel(self) -> None:
        """Pages become bytes."""
        text = "sockets: used 9\nTCP: inuse 5 orphan 0 tw 7 alloc 9 mem 3\nUDP: inuse 1 mem 8\n"
        self.assertEqual(kernelMemory(text), 3 * os.sysconf("SC_PAGESIZE"))
        self.assertEqual(kernelMemory("something else"), 0)
        self.assertTrue(kernelMemory() >= 0)
