# -*- test-case-name: tests.interop.test_benchmarks -*-
"""
A load process as the one sees it that gives the orders; the other end is L{benchmarks.load.orders}.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from select import select
from types import TracebackType
from typing import TYPE_CHECKING, Self

from benchmarks.errors import BenchmarkError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from benchmarks.load.orders import Answer

__all__ = ["PATIENCE", "ROOT", "Child"]

#: Where the packages are.
ROOT = Path(__file__).parents[1]

#: How long an answer may take that takes a moment where nothing is wrong, s.
PATIENCE = 60.0

_READ_SIZE = 1 << 16


class Child:
    """
    A process of its own, to be used in a C{with}: at its end it is gone.
    """

    def __init__(self, module: str, settings: DataclassInstance) -> None:
        """
        @param module: what it runs.
        @param settings: what it is told at the begin.
        """
        self._name = module
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, json.dumps(asdict(settings))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
            bufsize=0,
            # A terminal's Ctrl-C is for this process, which ends that one.
            start_new_session=True,
        )
        self._data = b""

    def tell(self, do: str, **order: object) -> None:
        """
        Give an order.

        @raise BenchmarkError: if the process has ended.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **order}).encode() + b"\n")
        except OSError:
            raise self._gone() from None

    def hear(self, patience: float = PATIENCE) -> Answer:
        """
        Wait for the next answer.

        @param patience: how long, s.
        @raise BenchmarkError: if it does not come.
        """
        assert self._process.stdout is not None
        deadline = time.monotonic() + patience
        while b"\n" not in self._data:
            if not select([self._process.stdout], [], [], max(deadline - time.monotonic(), 0))[0]:
                raise BenchmarkError(f"{self._name}: no answer within {patience:g} s")
            data = os.read(self._process.stdout.fileno(), _READ_SIZE)
            if not data:
                raise self._gone()
            self._data += data
        line, _, self._data = self._data.partition(b"\n")
        answer: Answer = json.loads(line)
        return answer

    def ask(self, do: str, **order: object) -> Answer:
        """
        Give an order, and wait for its answer.

        @raise BenchmarkError: if there is none.
        """
        self.tell(do, **order)
        return self.hear()

    def _gone(self) -> BenchmarkError:
        return BenchmarkError(f"{self._name} has ended with status {self._process.wait()}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, type: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
