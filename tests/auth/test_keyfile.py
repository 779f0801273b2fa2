# -*- test-case-name: tests.auth.test_keyfile -*-
"""
Tests for L{rtmptw.auth.keyfile}.
"""

from __future__ import annotations

from hashlib import sha256

from twisted.logger import LogLevel

from rtmptw.auth import keyfile
from rtmptw.auth.keyfile import (
    MAX_KEY,
    MAX_KEYS,
    MIN_KEY,
    KeyFile,
    KeyFileError,
    StreamKey,
    checkKey,
    checkKeyPath,
    keyLine,
    newKey,
    readKeys,
    saltOf,
)
from tests.auth.filecase import FileCase

KEY, OTHER = "correct-horse-battery", "another.one~of_those-keys"
HASH = sha256(b"\xab\xcd\xef\x01" + KEY.encode()).hexdigest()
LINE = f"live/camera sha256:abcdef01:{HASH}"


class KeyTests(FileCase):
    def test_newKey(self) -> None:
        """Another one each time, of 128 bits or more, and one that a file can have."""
        keys = {newKey() for _ in range(200)}
        self.assertEqual(len(keys), 200)
        for key in keys:
            checkKey(key)
        kinds = len(set("".join(keys)))
        self.assertGreaterEqual(kinds**27, 2**128)
        self.assertEqual({len(key) for key in keys}, {27})

    def test_checkKey(self) -> None:
        for key in ("x" * MIN_KEY, "x" * MAX_KEY, "AZaz09._~-AZaz09._~-"):
            checkKey(key)
        for key in (
            "",
            "x" * (MIN_KEY - 1),
            "x" * (MAX_KEY + 1),
            "sesame sesame sesame",
            "sesame/sesame/sesame",
            "sesame-sesame-sesame.flv",
            "\u00e4" * 20,
        ):
            self.assertNotIn("sesame", str(self.assertRaises(ValueError, checkKey, key)))

    def test_checkKeyPath(self) -> None:
        for path in ("live/camera", "live/a/b", "live/\u00e4"):
            checkKeyPath(path)
        for path in (
            "",
            "camera",
            "/live/camera",
            "live/camera/",
            "live//camera",
            "live/..",
            "live/a b",
            "live/a?b=c",
            "a/\0",
        ):
            self.assertRaises(ValueError, checkKeyPath, path)

    def test_keyLine(self) -> None:
        """What it makes is read, and another one each time."""
        lines = [keyLine("live/camera", KEY) for _ in range(2)]
        self.assertNotEqual(*lines)
        for line in lines:
            self.assertNotIn(KEY, line)
            [found] = readKeys(self.write(line))
            fits = [sha256(found.salt + key.encode()).digest() == found.hash for key in (KEY, OTHER)]
            self.assertEqual((found.path, *fits), ("live/camera", True, False))
        self.assertEqual(keyLine("live/camera", KEY, bytes.fromhex("abcdef01")), LINE)
        self.assertRaises(ValueError, keyLine, "camera", KEY)
        self.assertRaises(ValueError, keyLine, "live/camera", "short")

    def test_saltOf(self) -> None:
        """The first that is as long as ours."""
        keys = [StreamKey("live/a", salt, b"") for salt in (b"short", b"long enough", b"as long!")]
        for some, expected in ((keys, b"long enough"), (keys[2:], b"as long!"), (keys[:1], None), ([], None)):
            self.assertEqual(saltOf(some), expected)


class ReadTests(FileCase):
    def test_lines(self) -> None:
        expected = [StreamKey("live/camera", b"\xab\xcd\xef\x01", bytes.fromhex(HASH))]
        for text in (LINE, f"# a comment\n\n{LINE}  \r\n", LINE.replace(" ", "\t ")):
            self.assertEqual(readKeys(self.write(text)), expected)
        self.assertEqual(readKeys(self.write("")), [])
        self.assertEqual(expected[0].mark, f"{HASH[:8]}...")

    def test_broken(self) -> None:
        """The error names file and line, and shows nothing of what stands there: it may be a key."""
        shape = "it is not PATH sha256:SALT:HASH, as rtmptw key makes it"
        rows = [
            (f"{LINE}\nlive/camera sesame", f", line 2: {shape}"),
            ("live/camera", f", line 1: {shape}"),
            (f"live/camera scrypt:abcdef01:{HASH}", f", line 1: {shape}"),
            (f"live/camera sha256:abcdef01:{HASH[1:]}", f", line 1: {shape}"),
            (f"live/camera sha256:abcdef:{HASH}", f", line 1: {shape}"),
            (f"live/camera sha256:abcdef01:{HASH.upper()}", f", line 1: {shape}"),
            (f"live/camera sha256:abcdef012:{HASH}", ", line 1: the salt is not whole: it has an odd number of digits"),
            (f"sesame sha256:abcdef01:{HASH}", ", line 1: a stream is an application and a name, as live/camera"),
            (f"live/../x sha256:abcdef01:{HASH}", ", line 1: a stream name can't have . or .. between its slashes"),
            (f"{LINE}\n" * (MAX_KEYS + 1), f", line {MAX_KEYS + 1}: a file has {MAX_KEYS} keys at most"),
        ]
        for text, problem in rows:
            error = self.assertRaises(KeyFileError, readKeys, self.write(text))
            self.assertEqual(str(error), f"{self.path}{problem}")
        self.assertEqual(len(readKeys(self.write(f"{LINE}\n" * MAX_KEYS))), MAX_KEYS)


class FindTests(FileCase):
    def file(self) -> KeyFile:
        """Two keys of one stream, and one of another."""
        rows = [("live/camera", KEY), ("live/camera", OTHER), ("studio/a", KEY[::-1])]
        return KeyFile(self.write("\n".join(keyLine(path, key) for path, key in rows)))

    def test_find(self) -> None:
        """The right key for the stream, or in its application; nothing else."""
        file = self.file()
        rows: list[tuple[str, str | None, str | None, str | None]] = [
            (KEY, "live/camera", None, "live/camera"),
            (OTHER, "live/camera", None, "live/camera"),
            (KEY[::-1], "live/camera", None, None),
            (KEY, "studio/a", None, None),
            (KEY, "live/unknown", None, None),
            (KEY, None, "live", "live/camera"),
            (KEY, None, "studio", None),
            (KEY, None, "", None),
            (KEY[::-1], None, "studio", "studio/a"),
            (KEY, None, None, "live/camera"),
            ("", None, None, None),
            (KEY[:-1], None, None, None),
            ("\ud800", None, None, None),
        ]
        for key, path, application, expected in rows:
            found = file.find(key, path, application)
            self.assertEqual((key, path, application, found and found.path), (key, path, application, expected))

    def test_longest(self) -> None:
        """What is longer than a key can be is none, not even with a hash of just so many characters."""
        key = "k" * MAX_KEY
        file = KeyFile(self.write(f"{keyLine('live/a', key)}\nlive/b {LINE.split()[1]}"))
        for more, expected in (("", "live/a"), ("k", None), ("kk", None), ("k" * 5000, None)):
            found = file.find(f"{key}{more}")
            self.assertEqual((len(more), found and found.path), (len(more), expected))

    def test_lastLine(self) -> None:
        """Of two lines with the same key the last one counts, whether they have the same salt or not."""
        for salts in (b"a" * 8, b"a" * 8), (b"a" * 8, b"b" * 8), (b"b" * 8, b"a" * 8):
            # The salt of the second line is also that of a line before.
            rows = (("live/x", OTHER, salts[1]), ("live/a", KEY, salts[0]), ("live/b", KEY, salts[1]))
            file = KeyFile(self.write("\n".join(keyLine(*row) for row in rows)))
            for path, expected in ((None, "live/b"), ("live/a", "live/a"), ("live/b", "live/b"), ("live/x", None)):
                found = file.find(KEY, path)
                self.assertEqual((salts, path, found and found.path), (salts, path, expected))

    def hashing(self) -> list[tuple[int, bytes]]:
        """What is hashed from now on: of how many bytes, and the salt."""
        hashed: list[tuple[int, bytes]] = []

        def hash(data: bytes) -> object:
            hashed.append((len(data), data[:8]))
            return sha256(data)

        self.patch(keyfile, "sha256", hash)
        return hashed

    def test_oneSalt(self) -> None:
        """However many keys have the same salt, there is one hash for all; each is found."""
        keys = [newKey() for _ in range(MAX_KEYS)]
        salt = b"one salt"
        file = KeyFile(self.write("\n".join(keyLine(f"live/{n}", key, salt) for n, key in enumerate(keys))))
        hashed = self.hashing()
        for number in (0, 1, MAX_KEYS // 2, MAX_KEYS - 1):
            hashed.clear()
            found = file.find(keys[number])
            self.assertEqual((found and found.path, len(hashed)), (f"live/{number}", 1))
        self.assertIsNone(file.find(newKey()))

    def test_time(self) -> None:
        """Whatever is asked, it is hashed with every salt, and with each once."""
        file = self.file()
        salts = sorted(key.salt for key in readKeys(str(self.path)))
        hashed = self.hashing()
        for key, path, application in (
            (KEY, "live/camera", None),
            (KEY, "live/unknown", None),
            ("x", "live/camera", None),
            ("x" * 2000, None, "unknown"),
            (OTHER, None, "live"),
        ):
            hashed.clear()
            file.find(key, path, application)
            size = 8 + min(len(key), MAX_KEY + 1)
            self.assertEqual(sorted(hashed), [(size, salt) for salt in salts])

    def test_changes(self) -> None:
        """It is read again, and the log says how many."""
        file = self.file()
        self.assertEqual(self.lines(), [])
        self.write(keyLine("live/camera", OTHER))
        self.assertIsNone(file.find(KEY))
        self.assertIsNotNone(file.find(OTHER))
        self.assertEqual(self.lines(), [f"{self.path}: read again; 1 stream keys"])

    def test_empty(self) -> None:
        """That is no error, but hardly meant so."""
        self.assertIsNone(KeyFile(self.write("")).find(KEY))
        self.assertEqual(self.lines(), [f"{self.path}: it has no stream key yet, so nobody gets through"])

    def test_emptyLater(self) -> None:
        """Neither is that an error, but a warning as well; and it counts."""
        file = self.file()
        for text in ("", "# nobody\n"):
            self.assertIsNotNone(file.find(KEY))
            self.lines()
            self.write(text)
            self.assertEqual((file.find(KEY), file.find(KEY)), (None, None))
            self.assertEqual([event["log_level"] for event in self.log], [LogLevel.warn])
            self.assertEqual(
                self.lines(), [f"{self.path}: read again; it has no stream keys any more, so nobody gets through"]
            )
            self.write(keyLine("live/camera", KEY))

    def test_broken(self) -> None:
        self.assertRaises(KeyFileError, KeyFile, self.write("x"))
