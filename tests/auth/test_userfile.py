# -*- test-case-name: tests.auth.test_userfile -*-
"""
Tests for L{rtmptw.auth.userfile}.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from twisted.internet.testing import EventLoggingObserver
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.auth.userfile import MAX_FILE, MAX_PASSWORD, UserFile, UserFileError, readUsers
from rtmptw.session.adobe import MAX_USER


class _FileCase(SynchronousTestCase):
    def setUp(self) -> None:
        directory = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, directory)
        self.path = directory / "users"

    def write(self, data: str | bytes) -> None:
        """Write the file, for its owner's eyes only."""
        self.path.write_bytes(data.encode() if isinstance(data, str) else data)
        self.path.chmod(0o600)

    def observe(self) -> EventLoggingObserver:
        """What is logged from now on."""
        return EventLoggingObserver.createWithCleanup(self, globalLogPublisher)


class ReadTests(_FileCase):
    def test_users(self) -> None:
        """Lines of any ending, comments, empty lines; colons and spaces in passwords; UTF-8, marked as such or not."""
        rows: list[tuple[str | bytes, dict[str, str]]] = [
            ("", {}),
            ("\n \n# camera:x\n", {}),
            ("camera:sesame", {"camera": "sesame"}),
            ("camera:sesame\n", {"camera": "sesame"}),
            ("camera:sesame\r\n\r\n# no\r\nstudio:x\r\n", {"camera": "sesame", "studio": "x"}),
            ("studio:open:sesame: \n", {"studio": "open:sesame: "}),
            ("a@example.org:#1\nb:=\n", {"a@example.org": "#1", "b": "="}),
            (b"\xef\xbb\xbf\xc3\xa4:\xe2\x82\xac\n", {"\u00e4": "\u20ac"}),
            (f"{'u' * MAX_USER}:{'p' * MAX_PASSWORD}", {"u" * MAX_USER: "p" * MAX_PASSWORD}),
        ]
        for text, users in rows:
            self.write(text)
            self.assertEqual((text, readUsers(str(self.path))), (text, users))

    def test_broken(self) -> None:
        """The error names the file, the line and what is wrong, and never what may be a password."""
        rows: list[tuple[str | bytes, str]] = [
            ("a:sesame\nsesame\n", ", line 2: there is no colon between a user and a password"),
            ("# :\n\n:sesame", ", line 3: there is no user"),
            ("camera:", ", line 1: there is no password"),
            ("a b:sesame", ", line 1: a user can't have spaces"),
            (" # a:sesame", ", line 1: a user can't have spaces"),
            ("a&b:sesame", ", line 1: a user can't have"),
            ("a?b:sesame", ", line 1: a user can't have"),
            ("a%40b:sesame", ", line 1: a user can't have"),
            ("a\tb:sesame", ", line 1: a user can't have"),
            ("a\0b:sesame", ", line 1: the user holds a character"),
            ("a:sesame\0", ", line 1: the password holds a character"),
            (f"{'u' * (MAX_USER + 1)}:sesame", f", line 1: the user has {MAX_USER + 1} characters"),
            (f"a:sesame{'p' * MAX_PASSWORD}", f", line 1: the password has {MAX_PASSWORD + 6} characters"),
            ("a:sesame\nb:x\na:sesame\n", ", line 3: the user a stands there already"),
            (b"a:sesame\n\xff:sesame\n", ", line 2: it is not UTF-8"),
            (b"#\n" * (MAX_FILE // 2) + b"\n", f": it has more than {MAX_FILE} bytes"),
        ]
        for text, problem in rows:
            self.write(text)
            error = str(self.assertRaises(UserFileError, readUsers, str(self.path)))
            self.assertTrue(error.startswith(f"{self.path}{problem}"), error)
            self.assertNotIn("sesame", error)

    def test_largest(self) -> None:
        self.write(b"#\n" * (MAX_FILE // 2))
        self.assertEqual(readUsers(str(self.path)), {})

    def test_noFile(self) -> None:
        """What is no file, or not ours to read. A pipe is not waited for."""
        pipe = self.path.with_name("pipe")
        os.mkfifo(pipe)
        for path, problem in (
            (self.path, "No such file or directory"),
            (self.path.parent, "Is a directory"),
            (pipe, "it is not a file"),
            (Path("/dev/null"), "it is not a file"),
        ):
            error = self.assertRaises(UserFileError, readUsers, str(path))
            self.assertEqual(str(error), f"{path}: {problem}")


class UserFileTests(_FileCase):
    def test_password(self) -> None:
        self.write("camera:sesame\n")
        log = self.observe()
        users = UserFile(str(self.path))
        self.assertEqual([users.password(user) for user in ("camera", "Camera", "")], ["sesame", None, None])
        self.assertEqual(list(log), [])

    def test_broken(self) -> None:
        """At the start that is an error."""
        self.write("sesame")
        self.assertRaises(UserFileError, UserFile, str(self.path))

    def test_changes(self) -> None:
        """What is written later counts, also with the same size and in the same moment; the log says so."""
        self.write("a:1\n")
        users = UserFile(str(self.path))
        self.assertEqual(users.password("a"), "1")
        log = self.observe()
        other = self.path.with_name("other")
        for text, expected in (("a:1\nb:2\n", ["1", "2"]), ("b:3\n", [None, "3"]), ("", [None, None])):
            before = self.path.stat()
            other.write_text(text)
            os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
            other.rename(self.path)
            self.assertEqual([users.password("a"), users.password("b")], expected)
        self.assertEqual(
            [formatEvent(event) for event in log],
            [
                *(f"{self.path}: read again; {count} users" for count in (2, 1)),
                f"{self.path}: read again; it has no users any more, so nobody gets through",
            ],
        )

    def test_brokenLater(self) -> None:
        """The users are those from before, and one line for each change says why, without any password."""
        self.write("a:1\n")
        users = UserFile(str(self.path))
        for text, problem in (("a:2\nsesame\n", ", line 2: there is no colon"), (None, ": No such file")):
            log = self.observe()
            if text is None:
                self.path.unlink()
            else:
                self.write(text)
            for _ in range(3):
                self.assertEqual(users.password("a"), "1")
            [event] = log
            line = formatEvent(event)
            self.assertEqual(event["log_level"].name, "warn")
            self.assertIn(f"{self.path}{problem}", line)
            self.assertIn("from before", line)
            self.assertNotIn("sesame", line)
        self.write("a:3\n")
        self.assertEqual(users.password("a"), "3")

    def test_open(self) -> None:
        """A file that everybody may read is worth a warning; one that the group may read is not."""
        for mode, count in ((0o600, 0), (0o640, 0), (0o644, 1)):
            self.write("a:sesame\n")
            self.path.chmod(mode)
            log = self.observe()
            users = UserFile(str(self.path))
            self.path.write_text("a:sesame2\n")
            users.password("a")
            warnings = [formatEvent(event) for event in log if event["log_level"].name == "warn"]
            self.assertEqual(len(warnings), count)
            for line in warnings:
                self.assertIn(f"{self.path}: everybody", line)
                self.assertNotIn("sesame", line)

    def test_empty(self) -> None:
        """A file without users is no error, but hardly meant so."""
        self.write("# nobody yet\n")
        log = self.observe()
        UserFile(str(self.path))
        self.assertEqual(
            [formatEvent(event) for event in log], [f"{self.path}: it names no user yet, so nobody can publish"]
        )
