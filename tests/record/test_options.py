"""Tests for L{rtmptw.record.options}."""

from __future__ import annotations

import os
import sys
from math import inf
from typing import Any, cast

from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IReactorProcess
from twisted.internet.task import Clock
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.limits import Limits, Reached
from rtmptw.record.hook import HOOK_SECONDS
from rtmptw.record.options import RecordOptions, makeRecorder
from rtmptw.record.recorder import Recorder
from rtmptw.record.segment import SegmentRule
from tests.record.disk import makeDirectory


class OptionsTestCase(SynchronousTestCase):
    """Command lines."""

    def setUp(self) -> None:
        """A directory for recordings."""
        self.root = str(makeDirectory(self))

    def parse(self, *arguments: str, record: bool = True) -> RecordOptions:
        """Read a command line."""
        options = RecordOptions()
        options.parseOptions([*(["--record", self.root] if record else []), *arguments])
        return options

    def refused(self, *arguments: str, record: bool = True) -> str:
        """Why a command line is none."""
        return str(self.assertRaises(UsageError, self.parse, *arguments, record=record))


class DirectoryTests(OptionsTestCase):
    """C{--record}."""

    def test_none(self) -> None:
        """Without it, nothing is recorded."""
        options = self.parse(record=False)
        self.assertIsNone(options["record"])

    def test_absolute(self) -> None:
        """The directory is found again from everywhere."""
        options = RecordOptions()
        options.parseOptions(["--record", os.path.relpath(self.root)])
        self.assertEqual(options["record"], os.path.abspath(self.root))

    def test_refused(self) -> None:
        """No directory, a file, or one without permission."""
        file = os.path.join(self.root, "file")
        with open(file, "w"):
            pass
        for directory, wrong in (
            (f"{self.root}/nowhere", "there is no such directory"),
            (file, "it is not a directory"),
        ):
            text = self.refused("--record", directory)
            self.assertEqual(text, f"--record {directory}: {wrong}")
        self.patch(os, "access", lambda path, mode: mode != os.W_OK | os.X_OK)
        self.assertEqual(self.refused(), f"--record {self.root}: no permission to write there")

    def test_alone(self) -> None:
        """What is about recordings needs it."""
        for option, value in (("segment", "1h"), ("name", "{path}"), ("done", sys.executable)):
            text = self.refused(f"--record-{option}", value, record=False)
            self.assertEqual(text, f"--record-{option}: there is no --record")


class SegmentTests(OptionsTestCase):
    """C{--record-segment}."""

    def rule(self, *values: str) -> SegmentRule:
        """The rule that is meant."""
        arguments = [part for value in values for part in ("--record-segment", value)]
        rule = self.parse(*arguments)["record-segment"]
        assert isinstance(rule, SegmentRule)
        return rule

    def test_default(self) -> None:
        """There is none."""
        self.assertEqual(self.rule(), SegmentRule(inf, inf))

    def test_time(self) -> None:
        """Times."""
        for text, seconds in (("3600", 3600), ("1", 1), ("90s", 90), ("10m", 600), ("1h", 3600), ("2d", 172_800)):
            self.assertEqual(self.rule(text), SegmentRule(seconds, inf))

    def test_size(self) -> None:
        """Sizes."""
        for text, size in (("64KiB", 65_536), ("500MiB", 500 << 20), ("2GiB", 2 << 30), ("1TiB", 1 << 40)):
            self.assertEqual(self.rule(text), SegmentRule(inf, size))

    def test_several(self) -> None:
        """Of each, the smallest; of both, whichever comes first."""
        self.assertEqual(self.rule("1h", "2GiB", "10m", "500MiB", "1d", "1TiB"), SegmentRule(600, 500 << 20))

    def test_refused(self) -> None:
        """What is neither."""
        for text in ("", "0", "0h", "-1", "1.5h", "1 h", "h", "2GB", "2gib", "63KiB", "1w", "1e3", "\u0661h", "9" * 16):
            self.assertIn(
                f"--record-segment {text}: a time of at least 1 s, as", self.refused("--record-segment", text)
            )


class NameTests(OptionsTestCase):
    """C{--record-name}."""

    def test_name(self) -> None:
        """A template is one."""
        template = self.parse("--record-name", "{app}/{name}")["record-name"]
        self.assertEqual(template.path("live/camera.flv"), "live/camera")

    def test_refused(self) -> None:
        """What is none is told with its text, and an unknown variable with its name."""
        text = self.refused("--record-name", "{stream}-%Y")
        self.assertTrue(text.startswith("--record-name {stream}-%Y: there is no variable {stream}; there are "), text)
        self.assertIn("there is no conversion %j", self.refused("--record-name", "%j"))


class DoneTests(OptionsTestCase):
    """C{--record-done} and C{--record-done-timeout}."""

    def test_command(self) -> None:
        """The program is found now, because the working directory may change."""
        self.assertEqual(
            self.parse("--record-done", "sh -c 'x y' -- {file}")["record-done"][1:], ("-c", "x y", "--", "{file}")
        )
        program = self.parse("--record-done", "sh")["record-done"][0]
        self.assertTrue(os.path.isabs(program) and os.access(program, os.X_OK), program)
        here = os.path.relpath(sys.executable)
        self.assertEqual(self.parse("--record-done", here)["record-done"], (os.path.abspath(here),))

    def test_refused(self) -> None:
        """No command, no such program, or no such value."""
        for command, wrong in (
            ("", "there is no program"),
            ("'", "No closing quotation"),
            ("/nowhere/at/all {file}", "there is no program /nowhere/at/all"),
            ("sh {name}", "there is no value {name}"),
        ):
            self.assertIn(f"--record-done {command}: {wrong}", self.refused("--record-done", command))

    def test_notExecutable(self) -> None:
        """A program that is there and can't be run is told as such, with or without a path; a directory, too."""
        program = os.path.join(self.root, "done.sh")
        with open(program, "w") as file:
            file.write("#!/bin/sh\n")
        os.chmod(program, 0o644)
        wrong = f"{program} is there, but it is not executable"
        self.assertEqual(
            self.refused("--record-done", f"{program} {{file}}"), f"--record-done {program} {{file}}: {wrong}"
        )
        self.patch(os, "environ", {**os.environ, "PATH": f"/nowhere:{self.root}"})
        self.assertEqual(self.refused("--record-done", "done.sh"), f"--record-done done.sh: {wrong}")
        os.chmod(program, 0o755)
        self.assertEqual(self.parse("--record-done", "done.sh")["record-done"], (program,))
        text = self.refused("--record-done", str(self.root))
        self.assertEqual(text, f"--record-done {self.root}: {self.root} is a directory")

    def test_timeout(self) -> None:
        """A time."""
        for text, seconds in (("0.5", 0.5), ("60", 60.0), ("86400", 86_400.0)):
            options = self.parse("--record-done", "sh", "--record-done-timeout", text)
            self.assertEqual(options["record-done-timeout"], seconds)

    def test_badTimeout(self) -> None:
        """What is none; and one for nothing."""
        for text in ("0", "-1", "x", "", "nan", "inf", "86401"):
            refused = self.refused("--record-done", "sh", "--record-done-timeout", text)
            self.assertIn(f"--record-done-timeout {text}: a number of seconds", refused)
        self.assertIn("there is no --record-done", self.refused("--record-done-timeout", "5"))


class MakeRecorderTests(OptionsTestCase):
    """From options to a recorder."""

    def make(self, *arguments: str, record: bool = True) -> Recorder | None:
        """Make one."""
        self.limits, self.reached = Limits(recordings=3), Reached()
        options = self.parse(*arguments, record=record)
        process = cast(IReactorProcess, object())
        return makeRecorder(options, Clock(), process, cast(Any, maybeDeferred), self.limits, self.reached)

    def test_none(self) -> None:
        """Nothing is to be recorded."""
        self.assertIsNone(self.make(record=False))

    def test_plain(self) -> None:
        """With the directory alone: no hook, no rule, the usual names."""
        recorder = self.make()
        assert recorder is not None
        self.assertEqual((recorder._directory, recorder._hook, recorder._rule), (self.root, None, SegmentRule()))
        self.assertIs(recorder._limits, self.limits)
        self.assertIs(recorder._reached, self.reached)
        self.assertEqual(recorder._template.path("a/b-20240102T030405.678Z.flv"), "a/b")

    def test_everything(self) -> None:
        """With everything."""
        recorder = self.make("--record-segment", "1h", "--record-name", "{path}", "--record-done", "sh {file}")
        assert recorder is not None and recorder._hook is not None
        self.assertEqual(recorder._rule, SegmentRule(3600, inf))
        self.assertEqual(recorder._template.path("a/b.flv"), "a/b")
        self.assertEqual((recorder._hook._words[1:], recorder._hook._seconds), (("{file}",), HOOK_SECONDS))
        recorder = self.make("--record-done", "sh", "--record-done-timeout", "3")
        assert recorder is not None and recorder._hook is not None
        self.assertEqual(recorder._hook._seconds, 3.0)
