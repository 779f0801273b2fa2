# -*- test-case-name: tests.gate.test_limitoptions -*-
"""
Tests for L{rtmptw.gate.limitoptions}.
"""

from __future__ import annotations

import os
from contextlib import redirect_stdout
from io import StringIO

from twisted.internet.testing import EventLoggingObserver
from twisted.logger import formatEvent, globalLogPublisher
from twisted.python.usage import Options, UsageError
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.auth.options import AccessOptions
from rtmptw.gate import limitoptions
from rtmptw.gate.limitoptions import LimitOptions, limitTable, makeLimits
from rtmptw.limits import Limits, describeLimits

#: What no limit may be.
_WRONG = ("--limit", "handshake-seconds=0")


class Both(AccessOptions, LimitOptions):
    """As they stand in a command line."""


class LimitOptionsTests(SynchronousTestCase):
    def parse(self, *arguments: str) -> Limits:
        options = LimitOptions()
        options.parseOptions(arguments)
        return makeLimits(options)

    def refuse(self, setting: str) -> str:
        return str(self.assertRaises(UsageError, self.parse, "--limit", setting))

    def test_none(self) -> None:
        self.assertEqual(self.parse(), Limits())

    def test_set(self) -> None:
        """Several; of one that is set twice the last counts."""
        limits = self.parse("--limit", "handshake-seconds=5", "--limit=streams=3", "--limit", "handshake-seconds=2.5")
        self.assertEqual(limits, Limits(handshakeSeconds=2.5, streams=3))

    def test_noSense(self) -> None:
        """Two that make no sense together are warned of, with what follows; each pair at its edge."""
        log = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)
        self.parse()
        known = {limit.name: limit for limit in describeLimits()}
        for less, more, consequence in limitoptions._ORDER:
            top = max(known[less].least, known[more].least)
            for excess in (0, 1):
                log._events.clear()
                settings = (f"{known[more].option}={top:.10g}", f"{known[less].option}={top + excess:.10g}")
                self.parse("--limit", settings[0], "--limit", settings[1])
                words = f"--limit {settings[1]} is more than {settings[0]}: {consequence}"
                self.assertEqual([formatEvent(event) for event in log].count(words), excess)

    def test_everyLimit(self) -> None:
        """Each can be set by its name, to its bounds, and to nothing beyond them."""
        for limit in describeLimits():
            for value in (limit.least, limit.most if limit.most < float("inf") else limit.value):
                limits = self.parse("--limit", f"{limit.option}={value:.10g}")
                self.assertEqual(limits, Limits(**{limit.name: int(value) if limit.isWhole else value}))
            self.assertIn(f"--limit {limit.option}=", self.refuse(f"{limit.option}={limit.least - 1:.10g}"))

    def test_bounds(self) -> None:
        """An error names the option, the limit, its bounds and its unit."""
        for setting, words in (
            ("handshake-seconds=0", "--limit handshake-seconds=0: it must be a number from 0.1 to 86400, s"),
            ("handshake-seconds=nan", "--limit handshake-seconds=nan: it must be a number from 0.1 to 86400, s"),
            ("handshake-seconds=inf", "--limit handshake-seconds=inf: it must be a number from 0.1 to 86400, s"),
            ("amf-depth=129", "--limit amf-depth=129: it must be a whole number from 4 to 128"),
            ("amf-depth=8.5", "--limit amf-depth=8.5: it must be a whole number from 4 to 128"),
            ("streams=many", "--limit streams=many: it must be a whole number, 1 or more"),
            ("streams=", "--limit streams=: it must be a whole number, 1 or more"),
            ("streams=" + "9" * 5000, "it must be a whole number, 1 or more"),
        ):
            self.assertTrue(self.refuse(setting).endswith(words), (setting, self.refuse(setting)))

    def test_unknown(self) -> None:
        """What is meant is guessed, if anything is near."""
        for setting, word in (
            ("handshake-second=5", "did you mean handshake-seconds?"),
            ("handshakeSeconds=5", "did you mean handshake-seconds"),
            ("comands=5", "did you mean commands"),
            ("xyzzy=5", "as --limit handshake-seconds=5; --limits shows them all"),
            ("=5", "--limit : there is no such limit"),
        ):
            self.assertIn(word, self.refuse(setting))
            self.assertIn("there is no such limit", self.refuse(setting))

    def test_noValue(self) -> None:
        self.assertIn("--limit streams: it needs a value", self.refuse("streams"))

    def shown(self, *arguments: str) -> list[str]:
        """The lines of --limits; then it exits."""
        output = StringIO()
        with redirect_stdout(output):
            error = self.assertRaises(SystemExit, self.parse, *arguments)
        self.assertEqual(error.code, 0)
        return output.getvalue().splitlines()

    def test_limits(self) -> None:
        """The table has every limit, and then there is nothing more to do."""
        lines = self.shown("--limits")
        self.assertEqual(lines, limitTable(Limits()))
        self.assertEqual([line.split()[0] for line in lines], [limit.option for limit in describeLimits()])
        [line] = [line for line in lines if line.startswith("handshake-seconds ")]
        self.assertEqual(line.split()[:4], ["handshake-seconds", "10", "s", "0.1..86400"])
        [line] = [line for line in lines if line.startswith("streams ")]
        self.assertEqual(line.split()[:3], ["streams", "8", "1.."])
        [line] = [line for line in lines if line.startswith("video-bytes ")]
        self.assertEqual(line.split()[:3], ["video-bytes", "8388608", "bytes"])
        for line in lines:
            self.assertTrue(len(line) <= 140, line)

    def test_effective(self) -> None:
        """They are what the other options make them, before it or behind it."""
        setting = ("--limit", "handshake-seconds=2.5")
        before, after = self.shown(*setting, "--limits"), self.shown("--limits", *setting)
        self.assertEqual((before, after), (after, limitTable(Limits(handshakeSeconds=2.5))))
        [line] = [line for line in after if line.startswith("handshake-seconds ")]
        self.assertEqual(line.split()[1], "2.5")
        self.assertIn("handshake-seconds=0", str(self.assertRaises(UsageError, self.parse, "--limits", *_WRONG)))

    def test_whatZeroIs(self) -> None:
        """What 0 stands for on this machine; and what is kept of what it has not."""
        self.patch(limitoptions, "descriptors", lambda: 1024)
        self.patch(limitoptions, "memoryBudget", lambda: 8 << 30)
        for limits, connections, memory in (
            (Limits(), "0 = 755", f"0 = {8 << 30}"),
            (Limits(connections=7, memoryBytes=9), "7", "9"),
            (Limits(connections=5000), "5000, but 872", f"0 = {8 << 30}"),
        ):
            found = {line.split()[0]: " ".join(line.split()[1:]) for line in limitTable(limits)}
            self.assertTrue(found["connections"].startswith(f"{connections} 0.. "), found["connections"])
            self.assertTrue(found["memory-bytes"].startswith(f"{memory} bytes 0.. "), found["memory-bytes"])
        # Nobody knows how much there is.
        self.patch(limitoptions, "memoryBudget", lambda: 0)
        [line] = [line for line in limitTable(Limits()) if line.startswith("memory-bytes")]
        self.assertEqual(line.split()[:3], ["memory-bytes", "0", "bytes"])

    def test_nobodyReads(self) -> None:
        """The reader may have gone: no traceback, neither then nor when Python ends."""
        for number in range(2):
            read, write = os.pipe()
            os.close(read)
            with self.subTest(number), os.fdopen(write, "w") as output, redirect_stdout(output):
                error = self.assertRaises(SystemExit, self.parse, "--limits")
                self.assertEqual(error.code, 0)
                output.write("more")
                output.flush()

    def test_together(self) -> None:
        """They go together with other options, and are in the help."""
        options = Both()
        options.parseOptions(["--limit", "streams=3", "--allow", "all"])
        self.assertEqual((makeLimits(options).streams, len(options["ranges"])), (3, 1))
        self.assertIn("--limits", options.getUsage())
        self.assertIsInstance(options, Options)
