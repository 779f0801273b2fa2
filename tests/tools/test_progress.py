# -*- test-case-name: tests.tools.test_progress -*-
"""
Tests for L{rtmptw.tools.progress}: the line on a terminal, and the summary.
"""

from __future__ import annotations

import io
import sys

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.tools.progress import INTERVAL, Progress, clockTime, summary


class Terminal(io.StringIO):
    """A terminal that keeps what is written."""

    def isatty(self) -> bool:
        return True


class Transfer:
    """One that a test moves."""

    def __init__(self, lag: int | None) -> None:
        self.position = self.bytes = 0
        self.lag = lag


class ProgressTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.terminal = Terminal()

    def last(self) -> str:
        """What the terminal shows."""
        return self.terminal.getvalue().rstrip("\n").rpartition("\r")[2].strip()

    def test_bar(self) -> None:
        """Time, bitrate and lag, and how much of it is done."""
        transfer = Transfer(0)
        progress = Progress(transfer, self.clock, self.terminal, 1_000_000)
        self.assertIn("0:00:00.0    0.00 Mbit/s  lag 0.0 s", self.last())
        transfer.position, transfer.bytes, transfer.lag = 61_250, 250_000, 1_260
        self.clock.advance(INTERVAL)
        self.assertIn("0:01:01.2    4.00 Mbit/s  lag 1.3 s", self.last())
        self.assertIn(" 25 %", self.last())
        transfer.bytes = 2_000_000
        progress.close()
        progress.close()
        self.assertIn("100 %", self.last())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_noBar(self) -> None:
        """It is not known how much there will be, and nothing can be late."""
        transfer = Transfer(None)
        progress = Progress(transfer, self.clock, self.terminal)
        transfer.position, transfer.bytes = 3_725_000, 500_000
        self.clock.advance(INTERVAL)
        self.assertEqual(self.last(), "1:02:05.0    8.00 Mbit/s")
        progress.close()

    def test_noTerminal(self) -> None:
        """A file, or a pipe, has no line drawn into it."""
        stream = io.StringIO()
        progress = Progress(Transfer(0), self.clock, stream, 5)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        progress.close()
        self.assertEqual(stream.getvalue(), "")

    def test_noTqdm(self) -> None:
        self.patch(sys, "modules", {**sys.modules, "tqdm": None})
        progress = Progress(Transfer(0), self.clock, self.terminal, 5)
        progress.close()
        self.assertEqual((self.terminal.getvalue(), self.clock.getDelayedCalls()), ("", []))


class WordTests(SynchronousTestCase):
    def test_clockTime(self) -> None:
        for ms, text in ((0, "0:00:00.0"), (99, "0:00:00.0"), (59_999, "0:00:59.9"), (36_000_000, "10:00:00.0")):
            self.assertEqual(clockTime(ms), text)

    def test_summary(self) -> None:
        transfer = Transfer(0)
        transfer.position, transfer.bytes = 1500, 77
        self.assertEqual(
            summary(transfer, 2.00049, "enough"),
            {"seconds": 1.5, "bytes": 77, "elapsed": 2.0, "reason": "enough"},
        )
