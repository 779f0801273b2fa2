# -*- test-case-name: tests.benchmarks.load.test_attack -*-
"""
An attack as the one sees it that orders it; the other end is L{tests.attackers}, a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from select import select
from types import TracebackType
from typing import Self

from benchmarks.errors import BenchmarkError
from benchmarks.load.child import PATIENCE, ROOT
from benchmarks.load.orders import Answer

__all__ = ["HOG", "NICE", "SOURCES", "Attack", "attackCommand"]

#: Where attackers come from; publishers and viewers come from 127.0.0.1.
SOURCES = "127.0.1.0/24"

#: How nice attackers are: what they do to the server is measured, and not what they do to the load beside them.
NICE = 19

#: Somebody who is as nice and as busy, and does nothing to anybody.
HOG = (
    "import os, time; "
    "os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0)); "
    f"os.nice({NICE}); print('ready', flush=True); input(); end = time.monotonic() + {{seconds}}\n"
    "while time.monotonic() < end: pass\n"
    "print('{{}}')"
)


def attackCommand(row: str, port: int, seconds: float) -> list[str]:
    """
    What Python is started with.

    @param row: of L{tests.attackers.rows.ROWS}.
    """
    options = ["--port", str(port), "--seconds", str(seconds), "--from", SOURCES, "--nice", str(NICE), "--wait"]
    return ["-m", "tests.attackers", row, *options]


class Attack:
    """
    To be used in a C{with}: there it is ready, and at its end it is gone.
    """

    def __init__(self, arguments: list[str]) -> None:
        """
        @param arguments: what Python is started with: it says that it is ready, waits for a line, and says at its end
            what has come of it, in JSON.
        """
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
            # A terminal's Ctrl-C is for this process, which ends that one.
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        try:
            self._hear(PATIENCE)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def begin(self) -> None:
        """
        Let it begin.

        @raise BenchmarkError: if it is gone.
        """
        assert self._process.stdin is not None
        try:
            os.write(self._process.stdin.fileno(), b"\n")
        except OSError:
            raise BenchmarkError("the attackers have ended") from None

    def end(self) -> Answer:
        """
        Wait for its end.

        @return: what it says of itself.
        @raise BenchmarkError: if it says nothing.
        """
        account: Answer = json.loads(self._hear(PATIENCE))
        return account

    def _hear(self, patience: float) -> bytes:
        """A line; there are only two in all, so no more than that is ever in the buffer."""
        stdout = self._process.stdout
        assert stdout is not None
        line = stdout.readline() if select([stdout], [], [], patience)[0] else b""
        if not line:
            raise BenchmarkError("the attackers say nothing")
        return line

    def __exit__(
        self, type: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
