# -*- test-case-name: tests.auth.test_keyfile -*-
"""
A file of stream keys: who knows one may publish, or play, the stream that it is for.

::

    # PATH HASH; "rtmptw key live/camera" makes such a line
    live/camera sha256:5f0c6d3a9b1e4c72:0d6fa1...
    live/studio sha256:...

A stream may have more lines than one, for several people or while a key is replaced. The file has no key in it, but
SHA-256 of a salt and the key. That is fast, and so no protection for a word that can be guessed: it takes a key made at
random, which L{newKey} is (128 bits and more). Others must have L{MIN_KEY} characters at least.

What else is said of such files is in L{rtmptw.auth.textfile}.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from twisted.logger import Logger

from rtmptw.auth.textfile import TextFileError, WatchedFile, readLines
from rtmptw.errors import StatusError
from rtmptw.session.streampath import streamPath

__all__ = [
    "KEY_CHARACTERS",
    "MAX_KEY",
    "MAX_KEYS",
    "MIN_KEY",
    "KeyFile",
    "KeyFileError",
    "StreamKey",
    "checkKey",
    "checkKeyPath",
    "keyLine",
    "newKey",
    "readKeys",
    "saltOf",
]

#: How long a key is, characters.
MIN_KEY = 16
MAX_KEY = 128

#: How many keys a file may have: if each has a salt of its own, all are tried each time, which takes some ms.
MAX_KEYS = 2000

#: How long new ones are. 27 characters of 32 kinds are 135 bits.
_KEY_LENGTH = 27
_SALT_BYTES = 8

#: What new keys are made of: nothing that looks like something else, or means something in a URL.
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"

#: What keys are made of: what every client sends as it stands in the URL, and nobody encodes.
KEY_CHARACTERS = "[A-Za-z0-9._~-]"
_KEY = re.compile(f"{KEY_CHARACTERS}+")
#: What clients leave out at the end of a name, or do not (L{streamPath}).
_ENDING = ".flv"

_LINE = re.compile(r"(\S+)\s+sha256:([0-9a-f]{8,64}):([0-9a-f]{64})\s*")


class KeyFileError(TextFileError):
    """The file can't be read, or says something else than stream keys. The error names file and line."""


@dataclass(frozen=True)
class StreamKey:
    """
    One line.

    @ivar path: the stream that the key is for.
    @ivar salt: what was hashed before the key.
    @ivar hash: SHA-256 of both.
    """

    path: str
    salt: bytes
    hash: bytes

    @property
    def mark(self) -> str:
        """What the log says about it: how its hash begins, as it stands in the file."""
        return f"{self.hash.hex()[:8]}..."

    @property
    def label(self) -> str:
        """What it is known by among all others: as its mark, but long enough to be that of no other."""
        return self.hash.hex()[:16]


def newKey() -> str:
    """A key that nobody guesses."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_KEY_LENGTH))


def checkKey(key: str) -> None:
    """
    @raise ValueError: if that can't be a key. It does not show it.
    """
    if not MIN_KEY <= len(key) <= MAX_KEY:
        raise ValueError(f"a stream key has {MIN_KEY} to {MAX_KEY} characters; this has {len(key)}")
    if not _KEY.fullmatch(key):
        raise ValueError("a stream key has letters, digits and ._~- only")
    if key.endswith(_ENDING):
        raise ValueError(f"a stream key can't end in {_ENDING}, which no part of a name is")


def checkKeyPath(path: str) -> None:
    """
    @raise ValueError: if a stream with a key can't have this path.
    """
    try:
        known = streamPath("", path)
    except StatusError as error:
        raise ValueError(error.description) from None
    if known != path or "/" not in path or re.search(r"[\s?]", path):
        raise ValueError("a stream is an application and a name, as live/camera")


def saltOf(keys: Iterable[StreamKey]) -> bytes | None:
    """
    The salt for one more key of a file: that of the first line that has one as we make them, since what a client says
    is hashed once for each salt. That several keys share one makes it easier to guess them all at once, but only by
    their number, and it takes 2**128 guesses for one.
    """
    return next((key.salt for key in keys if len(key.salt) >= _SALT_BYTES), None)


def keyLine(path: str, key: str, salt: bytes | None = None) -> str:
    """
    The line for a key, without an end.

    @param salt: see L{saltOf}; L{None}: a new one.
    @raise ValueError: if path or key can't be that.
    """
    checkKeyPath(path)
    checkKey(key)
    if salt is None:
        salt = secrets.token_bytes(_SALT_BYTES)
    return f"{path} sha256:{salt.hex()}:{sha256(salt + key.encode('ascii')).hexdigest()}"


def readKeys(path: str) -> list[StreamKey]:
    """
    Read a file of keys.

    @raise KeyFileError: if that is not what it is. Nothing that may be a key is part of the error.
    """
    keys: list[StreamKey] = []

    def take(line: str) -> None:
        found = _LINE.fullmatch(line)
        if found is None:
            raise ValueError("it is not PATH sha256:SALT:HASH, as rtmptw key makes it")
        checkKeyPath(found[1])
        if len(found[2]) % 2:
            raise ValueError("the salt is not whole: it has an odd number of digits")
        if len(keys) == MAX_KEYS:
            raise ValueError(f"a file has {MAX_KEYS} keys at most")
        keys.append(StreamKey(found[1], bytes.fromhex(found[2]), bytes.fromhex(found[3])))

    readLines(path, take, KeyFileError)
    return keys


class _KeyTable:
    """
    The keys of a file, by salt and then by hash.

    To look a hash up takes as long as it takes, and that tells nothing: which hashes there are is no secret that a
    client could come nearer to, since he does not know the salt, and so not what the hash of anything he says begins
    with. How much is hashed depends on the file and on the length of what he says, not on what it is.
    """

    def __init__(self, keys: list[StreamKey]) -> None:
        self._count = len(keys)
        self._lines: dict[bytes, dict[bytes, list[tuple[int, StreamKey]]]] = {}
        for line in enumerate(keys):
            key = line[1]
            self._lines.setdefault(key.salt, {}).setdefault(key.hash, []).append(line)

    @classmethod
    def read(cls, path: str) -> _KeyTable:
        """See L{readKeys}."""
        return cls(readKeys(path))

    def __len__(self) -> int:
        return self._count

    def fitting(self, secret: bytes) -> list[StreamKey]:
        """All that this is the key of, as they stand in the file."""
        found: list[tuple[int, StreamKey]] = []
        for salt, hashes in self._lines.items():
            found += hashes.get(sha256(salt + secret).digest(), ())
        return [key for _, key in sorted(found, key=lambda line: line[0])]


class KeyFile:
    """The keys of a file, as it is now."""

    _log = Logger()

    def __init__(self, path: str) -> None:
        """
        @raise KeyFileError: if it can't be read.
        """
        self._file = WatchedFile(path, _KeyTable.read, "stream keys", len)
        if not len(self._file.value()):
            self._log.warn("{path}: it has no stream key yet, so nobody gets through", path=path)

    def find(self, key: str, path: str | None = None, application: str | None = None) -> StreamKey | None:
        """
        Look a key up. Every salt of the file is tried, whichever key it is and whether the stream is known or not. If
        more lines than one fit, the last one counts.

        @param path: the stream that it must be for, if that is known.
        @param application: otherwise, the application that the stream must belong to; L{None}: any.
        """
        # What is longer is none, and costs as much as the longest that may be one.
        secret = key[: MAX_KEY + 1].encode("utf-8", "surrogatepass")
        found = None
        for each in self._file.value().fitting(secret):
            if path in (None, each.path) and application in (None, each.path.rpartition("/")[0]):
                found = each
        return found
