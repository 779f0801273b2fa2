"""
Programs as children of the tests: started, waited for with a deadline, and ended by their own process ID.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

__all__ = ["PATIENCE", "Process", "run", "waitFor"]

#: How long anything may take that takes a moment where nothing is wrong, seconds.
PATIENCE = 40.0

#: How often a condition is looked at, seconds.
_STEP = 0.02

_T = TypeVar("_T")


def waitFor(what: str, condition: Callable[[], _T], patience: float = PATIENCE) -> _T:
    """
    Wait until a condition holds.

    @param what: what is waited for, for the error.
    @return: the first true value of the condition.
    @raise AssertionError: if it does not hold in time.
    """
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience:g} s in vain for {what}")
        time.sleep(_STEP)


class Process:
    """
    One child, to be used in a C{with}: at its end the child is gone.

    @ivar command: its command line.
    @ivar log: the file with what it writes to stdout and stderr.
    """

    def __init__(self, command: Sequence[str], log: Path, environment: dict[str, str] | None = None) -> None:
        self.command = [str(part) for part in command]
        self.log = log
        with log.open("wb") as output:
            self._child = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=log.parent,
            )

    @property
    def status(self) -> int | None:
        """Its exit status; L{None} while it runs."""
        return self._child.poll()

    @property
    def output(self) -> str:
        """What it has written."""
        return self.log.read_text(errors="replace")

    def wait(self, patience: float = PATIENCE) -> int:
        """
        Wait until it ends by itself.

        @return: its exit status.
        @raise AssertionError: if it does not.
        """
        try:
            return self._child.wait(patience)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"does not end within {patience:g} s: {self}") from None

    def succeed(self, patience: float = PATIENCE) -> None:
        """
        Wait until it ends by itself.

        @raise AssertionError: if it does not, or fails.
        """
        status = self.wait(patience)
        if status:
            raise AssertionError(f"ended with status {status}: {self}")

    def interrupt(self, patience: float = PATIENCE) -> None:
        """
        Ctrl-C, after which it must end by itself, and well.

        @raise AssertionError: if it does not, or fails.
        """
        self._child.send_signal(signal.SIGINT)
        self.succeed(patience)

    def terminate(self, patience: float = 15.0) -> int:
        """Ask it to end; if it does not, kill it. Harmless when repeated."""
        if self._child.poll() is None:
            self._child.terminate()
            try:
                return self._child.wait(patience)
            except subprocess.TimeoutExpired:
                self.kill()
        return self._child.wait()

    def kill(self) -> None:
        """Kill it (SIGKILL): it has no time for last words."""
        if self._child.poll() is None:
            self._child.kill()
        self._child.wait()

    def __str__(self) -> str:
        return f"{' '.join(self.command)}\n{self.output[-4000:]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, type: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.terminate()


def run(command: Sequence[str], log: Path, patience: float = 2 * PATIENCE) -> str:
    """
    Run a program that must succeed.

    @return: its output.
    """
    with Process(command, log) as process:
        process.succeed(patience)
        return process.output
