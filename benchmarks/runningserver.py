# -*- test-case-name: tests.interop.test_benchmarks -*-
"""
A server that runs: started for one measurement, on a processor of its own, and gone behind it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.errors import BenchmarkError
from benchmarks.load.line import LOOPBACK
from benchmarks.servers import Places, ServerKind, Start
from benchmarks.usage import Memory, processorTime, processTree, readMemory, systemShare

__all__ = ["RunningServer", "onProcessor"]

#: How long a server may take to listen, and to end, s.
_PATIENCE = 20.0

#: How often it is looked at meanwhile, and how long it then gets to settle, s.
_STEP = 0.05
_SETTLE = 0.3

#: How much of a log is told.
_TAIL = 1000


@contextmanager
def onProcessor(number: int | None) -> Iterator[None]:
    """
    What is started meanwhile has this processor, and no other.

    @param number: L{None} for any.
    """
    before = os.sched_getaffinity(0)
    if number is not None:
        os.sched_setaffinity(0, {number})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _freePort() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


class RunningServer:
    """
    To be used in a C{with}.

    @ivar port: where it listens.
    @ivar viewersPort: where its viewers go.
    """

    def __init__(self, kind: ServerKind, places: Places, processor: int | None) -> None:
        """
        @param processor: where it runs; L{None} for anywhere.
        """
        self.kind = kind
        self.port = _freePort()
        self.viewersPort = _freePort() if kind.isSecure else self.port
        self._places = places
        self._processor = processor
        self._temporary = tempfile.TemporaryDirectory(prefix="rtmptw-bench-")

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._temporary.cleanup()
            raise
        try:
            for port in {self.port, self.viewersPort}:
                self._waitFor(port)
            time.sleep(_SETTLE)
        except BaseException:
            self._end()
            raise
        return self

    def _start(self) -> None:
        directory = Path(self._temporary.name)
        command = self.kind.command(Start(directory, self.port, self.viewersPort, self._places))
        self._log = directory / "output.log"
        with self._log.open("wb") as output, onProcessor(self._processor):
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=directory,
                # A terminal's Ctrl-C is for this process, which ends that one.
                start_new_session=True,
            )

    def __exit__(
        self, type: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    def _waitFor(self, port: int) -> None:
        deadline = time.monotonic() + _PATIENCE
        while True:
            if self._process.poll() is not None:
                raise BenchmarkError(f"{self.kind.name} has ended: {self._lastWords()}")
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex((LOOPBACK, port)) == 0:
                    return
            if time.monotonic() > deadline:
                raise BenchmarkError(f"{self.kind.name} does not listen on {port}: {self._lastWords()}")
            time.sleep(_STEP)

    def _lastWords(self) -> str:
        logs = sorted(Path(self._temporary.name).glob("*.log"))
        return " ".join(log.read_text(errors="replace")[-_TAIL:].strip() for log in logs) or "without a word"

    def _end(self) -> None:
        """End it and all that it has started, at once: what it would still do is of no interest."""
        for pid in processTree(self._process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._process.wait()
        self._temporary.cleanup()

    @property
    def isRunning(self) -> bool:
        """Whether it has not ended by itself."""
        return self._process.poll() is None

    def processorTime(self) -> float:
        """So far, s."""
        return processorTime(processTree(self._process.pid))

    def systemShare(self) -> tuple[float, float]:
        """User and system time so far, s."""
        return systemShare(processTree(self._process.pid))

    def memory(self) -> Memory:
        """At this moment."""
        return readMemory(processTree(self._process.pid))
