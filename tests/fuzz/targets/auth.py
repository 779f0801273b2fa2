"""
What decides who may, and reads texts of others for that: addresses, files of keys, users and secrets, signed URLs, what
a client says about itself, and what a server demands.

The input: which of them (1 byte), and the text.
"""

from __future__ import annotations

import atexit
import os
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar
from unicodedata import category
from urllib.parse import unquote_plus

from rtmptw.auth.addresses import AddressList, AddressRange, addressOf, readRange
from rtmptw.auth.keyfile import KeyFile, checkKey, checkKeyPath, keyLine, readKeys
from rtmptw.auth.rule import ACTIONS
from rtmptw.auth.signedurl import SecretFile, SignedURLs, readSecrets, signedQuery
from rtmptw.auth.streamkeys import StreamKeys
from rtmptw.auth.textfile import TextFileError
from rtmptw.auth.userfile import readUsers
from rtmptw.errors import AuthenticationError, StatusError
from rtmptw.requests import ConnectRequest, StreamRequest
from rtmptw.session.adobe import readQuery
from rtmptw.session.authentication import nextQuery
from rtmptw.session.streampath import joinQueries, partQuery, streamPath
from tests.fuzz.target import Target

__all__ = ["TARGET", "check"]

_T = TypeVar("_T")

_SECRET = "0123456789abcdef-secret"
_KEY = "0123456789abcdef-key"
_NOW = 1_000_000.0


@cache
def _directory() -> Path:
    """Where texts lie that are read as files."""
    directory = tempfile.TemporaryDirectory(prefix="fuzz-auth-")
    atexit.register(directory.cleanup)
    return Path(directory.name)


def _write(name: str, content: bytes) -> str:
    """Make a file, and give its name."""
    path = _directory() / name
    path.write_bytes(content)
    return str(path)


@cache
def _signedRule() -> SignedURLs:
    path = _write("secrets", _SECRET.encode())
    os.chmod(path, 0o600)
    return SignedURLs(SecretFile(path), lambda: _NOW)


@cache
def _keyRule() -> StreamKeys:
    return StreamKeys(KeyFile(_write("keys", keyLine("live/camera", _KEY).encode())))


def check(data: bytes) -> None:
    """What is wrong with a text is told by the error that is meant for it, and never shows what may be a secret."""
    reader = _READERS[data[0] % len(_READERS)] if data else _READERS[0]
    reader(data[1:])


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _isVisible(text: str) -> bool:
    """Whether it holds no controls, formats, line ends, or what is no character."""
    return not any(category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in text)


def _range(data: bytes) -> None:
    """One address range, and whether it fits its own network."""
    text = _text(data)
    try:
        found = readRange(text, True)
    except ValueError as error:
        # It repeats what the operator has written.
        assert str(error)
        return
    assert isinstance(found, AddressRange) and set(found.actions) <= set(ACTIONS)
    if not isinstance(found.network, str):
        address = found.network.network_address
        peer = f"[{address}]:1" if address.version == 6 else f"{address}:1"
        assert AddressList((found,)).allows(found.actions[0], peer)
        assert not AddressList((replace(found, allows=False),)).allows(found.actions[0], peer)


def _peer(data: bytes) -> None:
    """One peer, against a list."""
    peer = _text(data)
    address = addressOf(peer)
    everybody = AddressList((readRange("0.0.0.0/0", True), readRange("::/0", True)))
    assert everybody.allows("play", peer) is (address is not None)
    assert AddressList().allows("publish", peer)


def _file(read: Callable[[str], _T], data: bytes) -> _T | None:
    """A file of lines; no line of it is in an error."""
    path = _write("file", data)
    try:
        return read(path)
    except TextFileError as error:
        text = str(error)
        assert text.startswith(path) and text.isprintable(), ascii(text)
        lines = [_text(line).strip() for line in data.split(b"\n")]
        assert not any(len(line) >= 16 and line in text for line in lines), "the error shows what stands there"
        return None


def _keys(data: bytes) -> None:
    for key in _file(readKeys, data) or ():
        checkKeyPath(key.path)
        assert sha256(key.salt).digest() != key.hash or key.salt


def _users(data: bytes) -> None:
    for user, password in (_file(readUsers, data) or {}).items():
        assert user and password and _isVisible(user) and _isVisible(password)


def _secrets(data: bytes) -> None:
    secrets = _file(readSecrets, data)
    assert secrets is None or all(len(secret) >= 16 for secret in secrets)


def _ask(question: Coroutine[Any, Any, _T]) -> _T | None:
    """Ask a rule, which has to answer at once."""
    try:
        question.send(None)
    except StopIteration as answer:
        found: _T = answer.value
        return found
    except StatusError as error:
        assert error.description.isprintable()
        return None
    raise AssertionError("a rule waits for something")


def _request(query: str, path: str = "live/camera", peer: str = "127.0.0.1:1") -> StreamRequest:
    return StreamRequest(ConnectRequest(peer, "live"), path, query)


def _signed(data: bytes) -> None:
    """The query of a URL: only the right one is good, which is put in at a mark."""
    rule = _signedRule()
    right = signedQuery(_SECRET, "play", "live/camera", _NOW + 5)
    text = _text(data)
    found = _ask(rule.check("play", _request(text.replace("\1", right))))
    if found is not None:
        assert "\1" in text, "a signature that nobody has made"
    assert _ask(rule.check("publish", _request(text))) is None


def _named(data: bytes) -> None:
    """A stream key, as a name or in the query."""
    text = _text(data)
    name, query = partQuery(text)
    try:
        path = streamPath("live", name)
    except StatusError as error:
        assert error.description.isprintable()
        return
    assert path.startswith("live") and ".." not in path.split("/")
    found = _ask(_keyRule().check("publish", _request(joinQueries(query, query), path)))
    assert found is None or (_KEY in unquote_plus(text) and found.path == "live/camera"), "a key that there is not"


def _key(data: bytes) -> None:
    text = _text(data)
    for read in (checkKey, checkKeyPath):
        try:
            read(text)
        except ValueError as error:
            assert str(error).isprintable()


def _query(data: bytes) -> None:
    """What a client says about itself."""
    try:
        found = readQuery(_text(data))
    except StatusError as error:
        assert error.description.isprintable()
        return
    if found is not None:
        assert all(map(_isVisible, (found.user, found.challenge, found.response, found.opaque)))


def _demand(data: bytes) -> None:
    """What a server demands of us; our answer fits into a URL, and never has the password in it."""
    text = _text(data).replace(_SECRET, "")
    try:
        query = nextQuery(text, "camera", _SECRET, "live", bytes)
    except AuthenticationError as error:
        assert error.description.isprintable() and _SECRET not in error.description
        return
    if query is not None:
        assert query.startswith("authmod=") and _SECRET not in query
        assert query.isascii() and query.isprintable() and " " not in query and "?" not in query


_READERS: tuple[Callable[[bytes], None], ...] = (
    _range,
    _peer,
    _keys,
    _users,
    _secrets,
    _signed,
    _named,
    _key,
    _query,
    _demand,
)


def seeds() -> Iterator[bytes]:
    """Some of each."""
    hash = b"0" * 64
    right = signedQuery(_SECRET, "play", "live/other", _NOW + 5).encode()
    texts: tuple[tuple[Callable[[bytes], None], tuple[bytes, ...]], ...] = (
        (
            _range,
            (b"publish:10.0.0.0/8", b"play:all", b"2001:db8::/32", b"unix", b"::ffff:10.0.0.0/104", b"10.0.0.1/8"),
        ),
        (_peer, (b"127.0.0.1:40312", b"[::1]:40312", b"[fe80::1%eth0]:1", b"[::ffff:192.0.2.7]:1", b"unix")),
        (_keys, (b"# x\nlive/a sha256:0011223344556677:" + hash + b"\n", b"live/a sha256:" + hash + b":" + hash)),
        (_users, (b"camera:sesame\nstudio:open:sesame\r\n", b"\xef\xbb\xbf# users\n:x", b"a:b\na:c", b"user")),
        (_secrets, (b"0123456789abcdef\n# old\n0123456789abcdefg", b"short", b"")),
        (_signed, (right, b"\1", b"a=b&\1&c", b"expires=1&sign=2", b"expires=999999999999&sign=" + hash)),
        (_named, (b"camera?key=" + _KEY.encode(), _KEY.encode(), b"mp4:a/b.flv", b"..", b"_definst_/a?b?authmod=c")),
        (_key, (_KEY.encode(), b"live/camera", b"a.flv", b"/")),
        (_query, (b"authmod=adobe&user=a%20b&challenge=c&response=d&opaque=e", b"authmod=llnw", b"user=x")),
        (
            _demand,
            (
                b"[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : ",
                b"[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=needauth&user=U&salt=S&challenge=C&opaque=O",
                b"[ AccessManager.Reject ] : [ authmod=llnw ] : ?reason=needauth&user=U&nonce=N",
                b"[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=authfailed",
            ),
        ),
    )
    for reader, each in texts:
        for text in each:
            yield bytes((_READERS.index(reader),)) + text


TARGET = Target(check, seeds, 400)
