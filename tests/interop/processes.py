"""
Processes: programs as children of the tests, started, waited for with a deadline, and ended by their own process ID;
and the tests' own, of which there are several where a run's tests are shared out (C{trial -j}, C{pytest -n}). What one
of those has done, the others need not do again (L{once}), and what only one can do at a time, it does L{alone}.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import pickle
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from functools import cache, wraps
from inspect import signature
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, ParamSpec, Self, TypeVar
from unittest import TestCase, skipIf
from uuid import uuid4

__all__ = ["PATIENCE", "Process", "alone", "freePort", "once", "run", "runDirectory", "siege", "waitFor"]

#: How long anything may take that takes a moment where nothing is wrong, seconds.
PATIENCE = 40.0

#: How often a condition is looked at, seconds.
_STEP = 0.02

#: The run that this process belongs to. Under C{trial -j} its name comes from the process that shares out the tests:
#: it has imported them all, and the others have its environment. pytest-xdist's does not, but it gives each run a name.
_RUN = os.environ.setdefault("RTMPTW_TEST_RUN", os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid4().hex)

#: Ports that nobody gets who asks the system for any: with Linux those begin at 32768.
_PORTS = range(20000, 32000)

_T = TypeVar("_T")
_C = TypeVar("_C", bound=TestCase)
_P = ParamSpec("_P")


def siege(tests: type[_C]) -> type[_C]:
    """
    Tests that take much of the machine for long. Where both runners run all tests, one after the other, one of them is
    enough: the one that is named by C{RTMPTW_SIEGES}, C{trial} or C{pytest}. Without it, both run them.
    """
    only = os.environ.get("RTMPTW_SIEGES", "")
    runner = "pytest" if "pytest" in sys.modules else "trial"
    return skipIf(only not in ("", runner), f"{only} runs them (RTMPTW_SIEGES)")(tests)


@cache
def runDirectory() -> Path:
    """A directory that all processes of a run have in common, until the last of them ends."""
    directory = Path(tempfile.gettempdir(), f"rtmptw-run-{_RUN}")
    while True:
        directory.mkdir(mode=0o700, exist_ok=True)
        # If the last one has ended just now, its directory is gone, and the next one has to be made.
        with suppress(FileNotFoundError):
            mark = (directory / "in-use").open("ab")
            flock(mark, LOCK_SH)
            if os.path.samestat(os.fstat(mark.fileno()), (directory / "in-use").stat()):
                atexit.register(_leave, directory, mark)
                return directory


def _leave(directory: Path, mark: BinaryIO) -> None:
    """Remove the directory of the run, if nobody else is in it."""
    with mark, suppress(BlockingIOError):
        flock(mark, LOCK_EX | LOCK_NB)
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def alone(deed: str) -> Iterator[None]:
    """
    Wait until no other process of the run does the same, and keep them from it for the time being. Who waits for
    something L{once} done must not be alone with what that has to be alone with.

    @param deed: its name; what measures is called C{"measuring"}.
    """
    with (runDirectory() / f"{deed}.lock").open("ab") as lock:
        flock(lock, LOCK_EX)
        yield


def once(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """
    Decorate a function that takes its time, and would give the same again: in a run it is called once with the same
    arguments (told apart by their C{repr}), and all processes have the result. If it raises an exception there is none,
    and who comes next tries again.
    """
    parameters = signature(function)

    @cache
    @wraps(function)
    def result(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        bound = parameters.bind(*args, **kwargs)
        bound.apply_defaults()
        digest = hashlib.sha256(repr(bound.arguments).encode()).hexdigest()[:16]
        deed = f"{function.__module__}.{function.__qualname__}-{digest}"
        done = runDirectory() / f"{deed}.pickle"
        with alone(deed):
            if not done.exists():
                done.write_bytes(pickle.dumps(function(*args, **kwargs)))
            value: _T = pickle.loads(done.read_bytes())
            return value

    return result


def freePort() -> int:
    """
    A port of 127.0.0.1 that was free a moment ago, for programs that can't choose one, or don't say which. It is none
    that a connection of another test gets meanwhile.
    """
    while True:
        port = random.SystemRandom().choice(_PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


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
    def pid(self) -> int:
        """Its number."""
        return self._child.pid

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
