# -*- test-case-name: tests.record.test_options -*-
"""
Recording, at the command line of C{twistd rtmp}: from options to a recorder.
"""

from __future__ import annotations

import os
import re
import shutil
from math import inf
from typing import Any, ClassVar

from twisted.internet.interfaces import IReactorProcess, IReactorTime
from twisted.python.usage import Options, UsageError

from rtmptw.limits import Limits, Reached
from rtmptw.record.hook import HOOK_SECONDS, Hook, readCommand
from rtmptw.record.recorder import Recorder
from rtmptw.record.recording import Run
from rtmptw.record.segment import SegmentRule
from rtmptw.record.template import DEFAULT_TEMPLATE, NameTemplate

__all__ = ["RecordOptions", "makeRecorder"]

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_BYTES = {"KiB": 1024, "MiB": 1024**2, "GiB": 1024**3, "TiB": 1024**4}

#: The shortest and the smallest file that can be asked for, seconds and bytes.
MIN_SECONDS, MIN_BYTES = 1, 64 * 1024

#: The longest that a hook may be allowed, seconds.
MAX_HOOK_SECONDS = 86400


class RecordOptions(Options):
    """The options. They are a part of L{rtmptw.tap.Options}."""

    optParameters: ClassVar[list[list[Any]]] = [
        ["record", None, None, "Record every publish into this directory, as FLV files. It must exist."],
    ]

    def __init__(self) -> None:
        super().__init__()
        self.update({"record-segment": SegmentRule(), "record-name": None, "record-done": None})
        self["record-done-timeout"] = None

    # One line, because the help shows line breaks as they are here.
    def opt_record_segment(self, limit: str) -> None:
        """TIME|SIZE: begin a new file after it, as 3600, 10m, 1h, 500MiB or 2GiB; repeatable: whichever comes first."""
        rule: SegmentRule = self["record-segment"]
        match = re.fullmatch(r"(\d{1,15})([A-Za-z]*)", limit, re.ASCII)
        number, unit = (int(match[1]), match[2]) if match else (0, "?")
        if unit in _SECONDS and number * _SECONDS[unit] >= MIN_SECONDS:
            rule = SegmentRule(min(rule.seconds, number * _SECONDS[unit]), rule.bytes)
        elif unit in _BYTES and number * _BYTES[unit] >= MIN_BYTES:
            rule = SegmentRule(rule.seconds, min(rule.bytes, number * _BYTES[unit]))
        else:
            raise UsageError(
                f"--record-segment {limit}: a time of at least {MIN_SECONDS} s, as 3600, 90s, 10m, 1h or 1d, "
                f"or a size of at least {MIN_BYTES // 1024} KiB, as 500MiB or 2GiB"
            )
        self["record-segment"] = rule

    def opt_record_name(self, template: str) -> None:
        """With {path} {app} {name} {ms} {start_ms} {segment}, as strftime. [default: {path}-%Y%m%dT%H%M%S.{ms}Z]"""
        try:
            self["record-name"] = NameTemplate(template)
        except ValueError as error:
            raise UsageError(f"--record-name {template}: {error}; the default is {DEFAULT_TEMPLATE}") from None

    def opt_record_done(self, command: str) -> None:
        """Run this for every finished file, without a shell; {file} {path} {seconds} {bytes} are replaced in it."""
        try:
            words = readCommand(command)
        except ValueError as error:
            raise UsageError(f"--record-done {command}: {error}") from None
        program = shutil.which(words[0])
        if program is None:
            raise UsageError(f"--record-done {command}: {_whyNot(words[0])}")
        # twistd may change its working directory.
        self["record-done"] = (os.path.abspath(program), *words[1:])

    def opt_record_done_timeout(self, seconds: str) -> None:
        """How long the program of --record-done may take before it is killed, seconds. [default: 10]"""
        try:
            number = float(seconds)
            if not 0 < number <= MAX_HOOK_SECONDS < inf:
                raise ValueError
        except ValueError:
            raise UsageError(
                f"--record-done-timeout {seconds}: a number of seconds, {MAX_HOOK_SECONDS} at most"
            ) from None
        self["record-done-timeout"] = number

    def postOptions(self) -> None:
        """
        Check what can be checked before anything starts.

        @raise UsageError: which names the option.
        """
        directory = self["record"]
        if directory is None:
            self._refuseAlone()
        else:
            if not os.path.isdir(directory):
                wrong = "it is not a directory" if os.path.exists(directory) else "there is no such directory"
                raise UsageError(f"--record {directory}: {wrong}")
            if not os.access(directory, os.W_OK | os.X_OK):
                raise UsageError(f"--record {directory}: no permission to write there")
            # twistd may change its working directory.
            self["record"] = os.path.abspath(directory)
        if self["record-done"] is None and self["record-done-timeout"] is not None:
            raise UsageError("--record-done-timeout: there is no --record-done")
        super().postOptions()

    def _refuseAlone(self) -> None:
        for option, nothing in (("record-segment", SegmentRule()), ("record-name", None), ("record-done", None)):
            if self[option] != nothing:
                raise UsageError(f"--{option}: there is no --record")


def _whyNot(program: str) -> str:
    """Why this is no program that can be run."""
    # As the system does: what has a slash is looked for there, everything else where all programs are.
    file = shutil.which(program, os.F_OK)
    if file is not None:
        return f"{file} is there, but it is not executable"
    if os.path.dirname(program) and os.path.isdir(program):
        return f"{program} is a directory"
    return f"there is no program {program}"


def makeRecorder(
    options: RecordOptions,
    clock: IReactorTime,
    process: IReactorProcess,
    run: Run[Any],
    limits: Limits,
    reached: Reached,
) -> Recorder | None:
    """
    The recorder that the options ask for.

    @param process: the reactor, which starts the hook's children.
    @param run: runs a blocking function in a thread.
    @return: L{None} if nothing is to be recorded.
    """
    if options["record"] is None:
        return None
    hook = None
    if options["record-done"] is not None:
        hook = Hook(options["record-done"], process, clock, options["record-done-timeout"] or HOOK_SECONDS)
    return Recorder(
        options["record"],
        clock,
        run,
        limits=limits,
        reached=reached,
        rule=options["record-segment"],
        template=options["record-name"],
        hook=hook,
    )
