# -*- test-case-name: tests.cli.test_output -*-
"""
Standard output, for a program that must not wait for whoever reads it.

A pager that nobody pages, or a terminal that was stopped with Ctrl-S, does not read. Who writes to it waits; and if
that is the reactor, the sessions which go through it wait too. So a thread writes, and waits. What is there for it has
a bound: lines beyond that are left out, and counted.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from threading import Condition, Thread

__all__ = ["MAX_PENDING", "PATIENCE", "Output", "standardOutput"]

#: How much may wait for a reader, characters.
MAX_PENDING = 16 * 1024 * 1024

#: How long the end waits for a reader, seconds.
PATIENCE = 2.0


def standardOutput() -> Callable[[str], object]:
    """
    How to write to standard output: at once, and without what is held back by Python, which would be in the way at the
    end of a program.

    @return: takes text; raises OSError.
    """
    try:
        file = sys.stdout.fileno()
    except (OSError, io.UnsupportedOperation):
        return sys.stdout.write

    def write(text: str) -> None:
        rest = memoryview(text.encode("utf-8", "backslashreplace"))
        while rest:
            rest = rest[os.write(file, rest) :]

    return write


class Output:
    """
    What is written by a thread. It begins with the first text.
    """

    def __init__(
        self,
        write: Callable[[str], object],
        failed: Callable[[OSError], object],
        leftOut: Callable[[int], str],
        most: int = MAX_PENDING,
    ) -> None:
        """
        @param write: takes text; may wait, and raise OSError.
        @param failed: called once, in the thread, when nothing more can be written.
        @param leftOut: what to write in the place of a number of lines.
        @param most: how much may wait, characters.
        """
        self._write = write
        self._failed = failed
        self._leftOut = leftOut
        self._most = most
        self._there = Condition()
        self._waiting: list[str] = []
        self._size = self._dropped = 0
        self._isClosed = False
        self._thread: Thread | None = None

    def write(self, text: str) -> None:
        """
        Write, some time.

        @param text: whole lines.
        """
        with self._there:
            if self._isClosed:
                return
            if self._size and self._size + len(text) > self._most:
                self._dropped += text.count("\n")
                return
            self._put(text)
            if self._thread is None:
                # It must not keep the program alive: its reader may never read.
                self._thread = Thread(target=self._run, name="output", daemon=True)
                self._thread.start()
            self._there.notify()

    def close(self, patience: float = PATIENCE) -> bool:
        """
        Write no more than what is there.

        @param patience: how long to wait for that, seconds.
        @return: whether it was written.
        """
        with self._there:
            if not self._isClosed:
                self._isClosed = True
                if self._dropped:
                    self._put("")
            self._there.notify()
        if self._thread is None:
            return True
        self._thread.join(patience)
        return not self._thread.is_alive()

    def _put(self, text: str) -> None:
        if self._dropped:
            text = f"{self._leftOut(self._dropped)}\n{text}"
            self._dropped = 0
        self._waiting.append(text)
        self._size += len(text)

    def _run(self) -> None:
        """The thread."""
        while True:
            with self._there:
                self._there.wait_for(lambda: self._waiting or self._isClosed)
                if not self._waiting:
                    return
                texts, self._waiting = self._waiting, []
            try:
                self._write("".join(texts))
            except OSError as error:
                with self._there:
                    self._isClosed = True
                    self._waiting = []
                self._failed(error)
                return
            with self._there:
                self._size -= sum(map(len, texts))
