# -*- test-case-name: tests.auth.test_signedurl -*-
"""
Signed URLs: who has one may publish, or play, one stream until some time, and perhaps from one address only.

::

    rtmp://host/live/camera?expires=1767225600&sign=3b1f...

The signature is HMAC-SHA256, in hexadecimal digits, of the lines: what may be done, the stream, the time (seconds since
1970), and the address, which is empty if any will do::

    play
    live/camera
    1767225600
    203.0.113.7

The address is not in the URL: the server tries the signature without one, and with that of the client. C{rtmptw sign},
or L{signedQuery} in a program, makes them. Who has the secret can make any: it is in a file with a secret in each line,
the first of which signs; all of them count, so a secret can be replaced by one above it, and removed later.

A server's clock that is fast by up to L{SKEW_SECONDS} does no harm.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from math import ceil
from time import time

from twisted.logger import Logger

from rtmptw.auth.addresses import addressOf
from rtmptw.auth.rule import WrongProof, markOf
from rtmptw.auth.textfile import TextFileError, WatchedFile, readLines
from rtmptw.errors import StatusError
from rtmptw.requests import StreamRequest

__all__ = [
    "MAX_SECRETS",
    "MIN_SECRET",
    "SKEW_SECONDS",
    "SecretFile",
    "SecretFileError",
    "SignedURLs",
    "readSecrets",
    "signature",
    "signedQuery",
]

#: For how long a URL still counts when its time is over, seconds.
SKEW_SECONDS = 30.0

#: The shortest secret, characters, and how many a file may have: all are tried each time.
MIN_SECRET = 16
MAX_SECRETS = 16

_EXPIRES, _SIGN = "expires", "sign"
_TIME = re.compile("[0-9]{1,12}")

_UNSIGNED = "the URL is not signed: expires=TIME&sign=SIGNATURE must follow the name"

#: By what was asked for. What is wrong is not told: the same is said whichever part it is.
_WRONG = {
    action: f"the signature of the URL is wrong: it is for another stream, time or address, or for {other}"
    for action, other in (("publish", "playing, not publishing"), ("play", "publishing, not playing"))
}


class SecretFileError(TextFileError):
    """The file can't be read, or says something else than secrets. The error names file and line."""


def readSecrets(path: str) -> list[str]:
    """
    Read a file of secrets.

    @return: one or more; the first one signs.
    @raise SecretFileError: if that is not what it is. No secret is ever part of the error.
    """
    found: list[str] = []

    def take(line: str) -> None:
        secret = line.strip()
        if len(secret) < MIN_SECRET:
            raise ValueError(f"a secret has {MIN_SECRET} characters or more; openssl rand -hex 32 makes one")
        if " sha256:" in secret:
            raise ValueError("that is no secret, but a line for a file of stream keys")
        if len(found) == MAX_SECRETS:
            raise ValueError(f"a file has {MAX_SECRETS} secrets at most")
        found.append(secret)

    readLines(path, take, SecretFileError)
    if not found:
        raise SecretFileError(f"{path}: there is no secret in it; openssl rand -hex 32 makes one")
    return found


def signature(secret: str, action: str, path: str, expires: int, address: str = "") -> str:
    """
    The signature, in hexadecimal digits.

    @param action: C{"publish"} or C{"play"}.
    @param path: the stream, as C{"live/camera"}.
    @param expires: seconds since 1970.
    @param address: the only one that it is good for; as text, in its usual form.
    """
    # A path has no line ends: L{rtmptw.session.streampath.checkText}.
    message = f"{action}\n{path}\n{expires}\n{address}"
    return hmac.new(secret.encode(), message.encode("utf-8", "surrogatepass"), "sha256").hexdigest()


def signedQuery(secret: str, action: str, path: str, expires: float, address: str = "") -> str:
    """
    What to put behind a stream's name and a C{?}; see L{signature}.

    @param expires: a fraction of a second is a second more.
    """
    until = ceil(expires)
    return f"{_EXPIRES}={until}&{_SIGN}={signature(secret, action, path, until, address)}"


class SecretFile:
    """The secrets of a file, as it is now."""

    _log = Logger()

    def __init__(self, path: str) -> None:
        """
        @raise SecretFileError: if it can't be read.
        """
        self._file = WatchedFile(path, readSecrets, "secrets", len)
        if self._file.isOpen:
            self._log.warn("{path}: everybody on this machine can read the secrets: chmod o-r", path=path)

    def secrets(self) -> list[str]:
        """All of them; the first one signs."""
        return self._file.value()


class SignedURLs:
    """Only with a signed URL. A L{rtmptw.auth.rule.Rule}."""

    guessable = False

    def __init__(self, file: SecretFile, now: Callable[[], float] = time) -> None:
        """
        @param now: gives the time, seconds since 1970.
        """
        self._file = file
        self._now = now

    async def check(self, action: str, request: StreamRequest) -> StreamRequest:
        """See L{rtmptw.auth.rule.Rule}. That a URL has expired is told only if nothing else is wrong with it."""
        expires, sign = request.parameter(_EXPIRES), request.parameter(_SIGN)
        if expires is None or sign is None:
            raise StatusError(_UNSIGNED)
        until = int(expires) if _TIME.fullmatch(expires) else -1
        if not self._isRight(action, request, until, sign):
            raise WrongProof(_WRONG[action], f"wrong signature, {markOf(sign)}")
        if self._now() >= until + SKEW_SECONDS:
            raise StatusError("the signed URL has expired: a new one is needed")
        return request

    def _isRight(self, action: str, request: StreamRequest, until: int, sign: str) -> bool:
        """It takes the same time whatever is wrong."""
        address = addressOf(request.connect.peer)
        given = sign.encode("utf-8", "surrogatepass")
        right = False
        for secret in self._file.secrets():
            for origin in ("", "unix" if address is None else str(address)):
                expected = signature(secret, action, request.path, until, origin)
                right |= hmac.compare_digest(expected.encode("ascii"), given)
        return right and until >= 0
