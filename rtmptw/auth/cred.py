# -*- test-case-name: tests.auth.test_cred -*-
"""
Users and passwords that L{twisted.cred} checks, from wherever it has them.

The client says both behind the stream's name, which every client can::

    rtmp://host/live/camera?user=alice&password=sesame

So they go through the net as they are: that is for RTMPS. What may stand before the host (C{user:password@}) is for
Adobe's scheme (L{rtmptw.auth.publishers}), where the server must know the password itself: no checker can tell it.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword, UsernamePassword
from twisted.cred.error import LoginFailed
from twisted.internet.defer import maybeDeferred
from twisted.logger import Logger

from rtmptw.auth.principal import proven
from rtmptw.auth.rule import WrongProof
from rtmptw.errors import StatusError
from rtmptw.requests import StreamRequest
from rtmptw.session.streampath import MAX_QUERY, checkText

__all__ = ["CredentialsRule"]

_MISSING = "a user and a password are needed: ?user=...&password=... behind the name"
_WRONG = "wrong user or password"

#: How much of a user's name the log shows, characters.
_MAX_SHOWN = 64


class _Credentials(UsernamePassword):
    """What a client says."""

    def checkPassword(self, password: bytes) -> bool:
        """See L{IUsernamePassword}. It takes the same time whatever is wrong."""
        return hmac.compare_digest(self.password, password)


class CredentialsRule:
    """Only for those whom one of the checkers knows. A L{rtmptw.auth.rule.Rule}."""

    _log = Logger()

    guessable = True

    def __init__(self, checkers: Sequence[ICredentialsChecker]) -> None:
        """
        @param checkers: each takes L{IUsernamePassword}. They are asked one after the other.
        @raise ValueError: if one does not.
        """
        for checker in checkers:
            if IUsernamePassword not in checker.credentialInterfaces:
                raise ValueError(f"{checker!r} takes no user and password")
        self._checkers = tuple(checkers)

    async def check(self, action: str, request: StreamRequest) -> StreamRequest:
        """See L{rtmptw.auth.rule.Rule}."""
        user, password = request.parameter("user"), request.parameter("password")
        # An empty password is a login without one to some directories, and a user without one to Twisted's file. There
        # is no comment either in that: who was put behind a # would be a user of that name.
        if not user or not password or user.startswith("#"):
            raise StatusError(_MISSING)
        # What can't be typed makes checkers fail in their own ways.
        checkText("user", user, MAX_QUERY)
        checkText("password", password, MAX_QUERY)
        credentials = _Credentials(*(text.encode("utf-8", "replace") for text in (user, password)))
        shown = ascii(user[:_MAX_SHOWN])
        for checker in self._checkers:
            try:
                avatar = await maybeDeferred(checker.requestAvatarId, credentials)
            except LoginFailed:
                continue
            self._log.info(
                "{peer}: {action} {path}: right password, user {user}",
                peer=request.connect.peer,
                action=action,
                path=request.path,
                user=shown,
            )
            # As the checker knows him, if it says so: to some, Alice is alice.
            known = avatar or user
            name = known.decode("utf-8", "replace") if isinstance(known, bytes) else known
            return proven(request, f"user {name}")
        raise WrongProof(_WRONG, f"wrong user or password, user {shown}")
