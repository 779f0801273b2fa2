# -*- test-case-name: tests.cli.test_key -*-
"""
Tests for L{rtmptw.cli.key}.
"""

from __future__ import annotations

import io
import os
import stat
import sys

from rtmptw.auth.keyfile import MAX_KEYS, KeyFile, checkKey, keyLine, readKeys
from rtmptw.cli import FAILED, WRONG_USAGE
from tests.cli.commandcase import CommandTestCase

KEY = "correct-horse-battery"


class KeyTests(CommandTestCase):
    def pathOf(self, key: str, file: str) -> str | None:
        """The stream that a file names for a key, as the server finds it."""
        found = KeyFile(file).find(key)
        return found and found.path

    def test_new(self) -> None:
        """A key, and the line for it."""
        self.successResultOf(self.main("key", "live/camera"))
        (first, key), (second, line) = (text.split(None, 1) for text in self.out.getvalue().splitlines())
        self.assertEqual((first, second), ("key:", "line:"))
        checkKey(key)
        self.assertEqual(self.pathOf(key, self.file(line.encode())), "live/camera")

    def test_add(self) -> None:
        """Into a file that is made, and then grows; nobody else may read it; only the key is printed."""
        place = self.place()
        for path in ("live/camera", "live/studio"):
            self.successResultOf(self.main("key", path, "--add", place))
        keys = readKeys(place)
        self.assertEqual([key.path for key in keys], ["live/camera", "live/studio"])
        printed = self.out.getvalue().split()
        self.assertEqual([self.pathOf(key, place) for key in printed], ["live/camera", "live/studio"])
        self.assertEqual(len({key.salt for key in keys}), 1)
        self.assertEqual(stat.S_IMODE(os.stat(place).st_mode), 0o600)

    def test_addBehind(self) -> None:
        """A last line without an end gets one."""
        place = self.file(b"# keys")
        self.successResultOf(self.main("key", "live/camera", "--add", place))
        self.assertEqual(len(readKeys(place)), 1)

    def test_own(self) -> None:
        """A key from standard input is not printed."""
        for arguments in ((), ("--add", self.place())):
            self.patch(sys, "stdin", io.StringIO(f"{KEY}\nmore"))
            self.successResultOf(self.main("key", "--key", "-", "live/camera", *arguments))
            file = arguments[1] if arguments else self.file(self.out.getvalue().encode())
            self.assertEqual(self.pathOf(KEY, file), "live/camera")
        self.assertNotIn(KEY, self.out.getvalue())

    def test_badOwn(self) -> None:
        self.patch(sys, "stdin", io.StringIO("sesame\n"))
        done = self.main("key", "--key=-", "live/camera")
        self.assertEqual(self.failureResultOf(done, SystemExit).value.code, FAILED)
        self.assertEqual(self.err.getvalue(), "rtmptw key: a stream key has 16 to 128 characters; this has 6\n")

    def test_badFile(self) -> None:
        done = self.main("key", "--add", "/no/such/file", "live/camera")
        self.assertEqual(self.failureResultOf(done, SystemExit).value.code, FAILED)
        self.assertIn("rtmptw key: /no/such/file: No such file or directory", self.err.getvalue())
        self.assertEqual(self.out.getvalue(), "")

    def test_otherFile(self) -> None:
        """A file that no server would take afterwards stays as it is: one of secrets, or one that is full."""
        full = f"{keyLine('live/x', KEY)}\n" * MAX_KEYS
        for content, words in (
            ("0123456789abcdef\n", ", line 1: it is not PATH sha256:SALT:HASH"),
            (full, f": it has {MAX_KEYS} keys already, and can't have more; nothing was added"),
        ):
            place = self.file(content.encode())
            done = self.main("key", "--add", place, "live/camera")
            self.assertEqual(self.failureResultOf(done, SystemExit).value.code, FAILED)
            self.assertIn(f"rtmptw key: {place}{words}", self.err.getvalue())
            with open(place) as file:
                self.assertEqual(file.read(), content)
        place = self.file(full.partition("\n")[2].encode())
        self.successResultOf(self.main("key", "--add", place, "live/camera"))
        self.assertEqual(len(readKeys(place)), MAX_KEYS)
        self.assertEqual(len(self.out.getvalue().split()), 1)

    def test_mistakes(self) -> None:
        for arguments, words in (
            ((), "key needs a stream, as live/camera"),
            (("a/b", "c/d"), "key needs a stream"),
            (("camera",), "a stream is an application and a name, as live/camera"),
            (("live/..",), "a stream name can't have"),
            (("live/x", "--key", "sesame"), "--key takes only -"),
        ):
            self.err.truncate(0)
            self.err.seek(0)
            self.assertEqual(self.main("key", *arguments), WRONG_USAGE)
            self.assertIn(words, self.err.getvalue())
            self.assertNotIn("sesame", self.err.getvalue())
