# -*- test-case-name: tests.cli.test_output -*-
"""
Tests for L{rtmptw.cli.output}: a reader that does not read is nobody's concern.
"""

from __future__ import annotations

import io
import os
import sys
from threading import Event

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.cli.output import Output, standardOutput

#: How long a test waits for the thread, seconds.
PATIENCE = 20.0


class OutputTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.written: list[str] = []
        self.failures: list[OSError] = []
        self.asked, self.goOn = Event(), Event()
        self.error: OSError | None = None

    def write(self, text: str) -> None:
        """Where it is written: waits until it may."""
        self.asked.set()
        self.assertTrue(self.goOn.wait(PATIENCE))
        if self.error is not None:
            raise self.error
        self.written.append(text)

    def output(self, most: int = 100) -> Output:
        return Output(self.write, self.failures.append, lambda count: f"({count} lines)", most)

    def test_order(self) -> None:
        """Everything, in order, and the end waits for it."""
        self.goOn.set()
        output = self.output()
        for number in range(20):
            output.write(f"{number}\n")
        self.assertTrue(output.close(PATIENCE))
        self.assertEqual("".join(self.written), "".join(f"{number}\n" for number in range(20)))

    def test_nothing(self) -> None:
        """Without anything to write there is no thread."""
        output = self.output()
        self.assertTrue(output.close())
        self.assertIsNone(output._thread)

    def test_slow(self) -> None:
        """Who writes does not wait; what is too much is left out, and counted, where it would stand."""
        output = self.output(10)
        output.write("first\n")
        self.assertTrue(self.asked.wait(PATIENCE))
        for text in ("a\n", "b\nc\nd\n", "e\nf\n", "x\n"):
            output.write(text)
        self.assertFalse(output.close(0.01))
        self.goOn.set()
        self.assertTrue(output.close(PATIENCE))
        # The bound counts what is being written, too.
        self.assertEqual("".join(self.written), "first\na\n(5 lines)\nx\n")

    def test_slowAtTheEnd(self) -> None:
        """What was left out is told at the end, too."""
        output = self.output(10)
        output.write("first\n")
        output.write("a\nb\nc\n")
        self.goOn.set()
        self.assertTrue(output.close(PATIENCE))
        self.assertEqual("".join(self.written), "first\n(3 lines)\n")

    def test_large(self) -> None:
        """A text that is larger than the bound is written if nothing waits."""
        self.goOn.set()
        output = self.output(10)
        output.write("x" * 50 + "\n")
        self.assertTrue(output.close(PATIENCE))
        self.assertEqual(self.written, ["x" * 50 + "\n"])

    def test_failure(self) -> None:
        """Nobody reads it any more: that is told once, and nothing is kept."""
        self.error = BrokenPipeError(32, "Broken pipe")
        self.goOn.set()
        output = self.output()
        output.write("a\n")
        assert output._thread is not None
        output._thread.join(PATIENCE)
        output.write("b\n")
        self.assertTrue(output.close())
        self.assertEqual((self.failures, output._waiting), ([self.error], []))


class StandardOutputTests(SynchronousTestCase):
    def test_file(self) -> None:
        """At once, and all of it, whatever the encoding of the terminal is."""
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        with os.fdopen(writer, "w") as file:
            self.patch(sys, "stdout", file)
            write = standardOutput()
            write("one\n")
            self.assertEqual(os.read(reader, 100), b"one\n")
            write("\u00e4\udcff\n")
            self.assertEqual(os.read(reader, 100), b"\xc3\xa4\\udcff\n")

    def test_other(self) -> None:
        """What is no file of the system."""
        self.patch(sys, "stdout", io.StringIO())
        standardOutput()("one\n")
        self.assertEqual(sys.stdout.getvalue(), "one\n")  # type: ignore[attr-defined]
