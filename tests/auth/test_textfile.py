# -*- test-case-name: tests.auth.test_textfile -*-
"""
Tests for L{rtmptw.auth.textfile}.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from twisted.logger import LogLevel

from rtmptw.auth.textfile import MAX_FILE, TextFileError, WatchedFile, readLines
from tests.auth.filecase import FileCase


class OtherError(TextFileError):
    """One of somebody else."""


def read(path: str) -> list[str]:
    """Every line but C{wrong}."""
    lines: list[str] = []

    def take(line: str) -> None:
        if line == "wrong":
            raise ValueError("that is wrong")
        lines.append(line)

    readLines(path, take, OtherError)
    return lines


class ReadTests(FileCase):
    def test_lines(self) -> None:
        """Any line end, a mark of UTF-8; comments and empty lines are passed over, spaces are not."""
        rows: list[tuple[str | bytes, list[str]]] = [
            ("", []),
            ("a\r\n\r\n# b\n \n c \nd", ["a", " c ", "d"]),
            (b"\xef\xbb\xbf\xc3\xa4\n", ["\u00e4"]),
            (b"#\n" * (MAX_FILE // 2), []),
        ]
        for data, lines in rows:
            self.assertEqual(read(self.write(data)), lines)

    def test_broken(self) -> None:
        rows: list[tuple[str | bytes, str]] = [
            ("a\n\nwrong\n", ", line 3: that is wrong"),
            (b"a\n\xff", ", line 2: it is not UTF-8"),
            (b"#\n" * (MAX_FILE // 2) + b"\n", f": it has more than {MAX_FILE} bytes"),
        ]
        for data, problem in rows:
            error = self.assertRaises(OtherError, read, self.write(data))
            self.assertEqual(str(error), f"{self.path}{problem}")

    def test_noFile(self) -> None:
        """A pipe is not waited for."""
        pipe = self.path.with_name("pipe")
        os.mkfifo(pipe)
        for path, problem in (
            (self.path, "No such file or directory"),
            (self.path.parent, "Is a directory"),
            (pipe, "it is not a file"),
            (Path("/dev/null"), "it is not a file"),
        ):
            error = self.assertRaises(OtherError, read, str(path))
            self.assertEqual(str(error), f"{path}: {problem}")


class WatchTests(FileCase):
    def watch(self) -> WatchedFile[list[str]]:
        """What is under test."""
        return WatchedFile(str(self.path), read, "words", len)

    def test_changes(self) -> None:
        """What is written later counts, also with the same size and the same time."""
        self.write("a")
        watched = self.watch()
        self.assertEqual((watched.value(), watched.value(), self.lines()), (["a"], ["a"], []))
        other = self.path.with_name("other")
        before = self.path.stat()
        other.write_text("b")
        os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
        other.rename(self.path)
        self.assertEqual((watched.value(), watched.value()), (["b"], ["b"]))
        self.assertEqual(self.lines(), [f"{self.path}: read again; 1 words"])

    def test_emptyLater(self) -> None:
        """It counts, and is worth a warning; what is there again is none."""
        self.write("a")
        watched = self.watch()
        self.write("# a")
        self.assertEqual((watched.value(), watched.value()), ([], []))
        self.assertEqual([event["log_level"] for event in self.log], [LogLevel.warn])
        self.assertEqual(self.lines(), [f"{self.path}: read again; it has no words any more, so nobody gets through"])
        self.write("a")
        self.assertEqual(watched.value(), ["a"])
        self.assertEqual([event["log_level"] for event in self.log], [LogLevel.info])

    def test_brokenLater(self) -> None:
        """What was read before counts, one line says why; what is good again counts again."""
        self.write("a")
        watched = self.watch()
        self.write("wrong")
        self.assertEqual((watched.value(), watched.value()), (["a"], ["a"]))
        self.assertEqual(self.lines(), [f"{self.path}, line 1: that is wrong; the words are those from before"])
        self.path.unlink()
        self.assertEqual((watched.value(), watched.value()), (["a"], ["a"]))
        self.assertEqual(len(self.lines()), 1)
        self.write("c")
        self.assertEqual(watched.value(), ["c"])

    def test_unopenable(self) -> None:
        """What can't be opened for a while is tried again though it does not change; the log says so once."""
        self.write("a")
        watched = self.watch()
        self.write("b")
        real, failing = os.open, True

        def open_(path: str, flags: int, *more: int) -> int:
            if failing:
                raise OSError(errno.EMFILE, "Too many open files")
            return real(path, flags, *more)

        self.patch(os, "open", open_)
        for _ in range(2):
            self.assertEqual((watched.value(), watched.value()), (["a"], ["a"]))
            self.assertEqual(self.lines(), [f"{self.path}: Too many open files; the words are those from before"])
            failing = False
            self.assertEqual((watched.value(), watched.value()), (["b"], ["b"]))
            self.assertEqual(self.lines(), [f"{self.path}: read again; 1 words"])
            failing = True
            self.write("a")
            self.assertEqual(watched.value(), ["b"])
            self.lines()
            failing = False
            self.assertEqual(watched.value(), ["a"])
            self.lines()
            failing = True
            self.write("b")

    def test_brokenAtFirst(self) -> None:
        self.write("wrong")
        self.assertRaises(OtherError, self.watch)
        self.path.unlink()
        self.assertRaises(OtherError, self.watch)

    def test_isOpen(self) -> None:
        for mode, isOpen in ((0o600, False), (0o640, False), (0o644, True)):
            self.write("a", mode)
            self.assertEqual(self.watch().isOpen, isOpen)
