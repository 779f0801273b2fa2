# -*- test-case-name: tests.session.test_authentication -*-
"""
What a client answers when a server wants it to authenticate, whichever scheme the server speaks (wire facts 8).

A server refuses the connect and says in the description of its C{_error} what it wants; the client connects again, with
the answer as a query behind its application and behind its tcUrl. The frame is the same in both schemes, with C{M} for
C{adobe} or C{llnw}; what is in it, and what the answer is, is told in L{rtmptw.session.adobe} and
L{rtmptw.session.llnw}::

    client: connect, live
    server: [ AccessManager.Reject ] : [ code=403 need auth; authmod=M ] :
    client: connect, live?authmod=M&user=U
    server: [ AccessManager.Reject ] : [ authmod=M ] : ?reason=needauth&user=U&...
    client: connect, live?authmod=M&user=U&...&response=R
    server: _result, or [ AccessManager.Reject ] : [ authmod=M ] : ?reason=authfailed

A client also meets shorter descriptions: C{code=403 need auth; authmod=adobe}, and C{authmod=adobe ?reason=...}.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping

from rtmptw.errors import AuthenticationError
from rtmptw.session import adobe, llnw
from rtmptw.session.adobe import MAX_USER, MAX_VALUE, readFields

__all__ = ["CONNECTS", "nextQuery"]

#: How many connects it takes. Whoever is still asked after so many is to give up: a server could go on for ever.
CONNECTS = 3

#: How much of a description is looked at, characters.
MAX_DESCRIPTION = 2048

_SCHEME = re.compile(r"authmod=(\w{0,32})", re.ASCII)

#: What can't be in a query as a value: what ends one, and what nobody can see.
_NO_VALUE = re.compile(r"[^!-%'->@-~]")
_NO_USER = re.compile(r"[\0- \x7f&?]")

#: By reason, what a server's refusal means.
_REFUSALS = {
    "authfailed": "the server does not accept this password for the user {user}",
    "nosuchuser": "the server knows no user {user}",
}


def nextQuery(
    description: str, user: str, password: str, app: str, random: Callable[[int], bytes] = os.urandom
) -> str | None:
    """
    What a client has to say next.

    It keeps nothing in mind, so it answers whatever is asked: count the connects (L{CONNECTS}).

    @param description: what the server's C{_error} to a connect says.
    @param app: the application as the URL has it, the same each time.
    @param random: gives so many random bytes.
    @return: what to put behind application and tcUrl, and a C{?}, in the next connect; L{None} if the server does not
        ask for authentication.
    @raise AuthenticationError: if there is no user, if they were refused, or if it is not clear what the server wants.
    """
    description = description[:MAX_DESCRIPTION]
    found = _SCHEME.search(description)
    if found is None:
        return None
    scheme = found[1]
    if scheme not in _RESPONSES:
        known = " and ".join(f"authmod={name}" for name in _RESPONSES)
        raise AuthenticationError(f"the server wants authmod={scheme}, which is not supported; {known} are")
    if not user or not password:
        raise AuthenticationError("the server wants a user and a password: rtmp://user:password@host/application/name")
    if _NO_USER.search(user) or len(user) > MAX_USER:
        raise AuthenticationError(f"a user can't have spaces, & or ?, and no more than {MAX_USER} characters")
    demand = readFields(description.partition("?")[2])
    reason = demand.get("reason")
    if reason is None and "need auth" in description:
        return f"authmod={scheme}&user={user}"
    if reason in _REFUSALS:
        raise AuthenticationError(_REFUSALS[reason].format(user=ascii(user)))
    if reason != "needauth":
        raise AuthenticationError(f"the server's demand is not understood: {description[:MAX_VALUE]!a}")
    return _RESPONSES[scheme](demand, user, password, app, random(4).hex())


def _adobe(demand: Mapping[str, str], user: str, password: str, app: str, own: str) -> str:
    salt, challenge, opaque = (_value(demand, name) for name in ("salt", "challenge", "opaque"))
    _require(salt=salt, challenge=opaque or challenge)
    return adobe.responseQuery(user, password, salt, challenge, opaque, own)


def _llnw(demand: Mapping[str, str], user: str, password: str, app: str, own: str) -> str:
    nonce = _value(demand, "nonce")
    _require(nonce=nonce)
    return llnw.responseQuery(user, password, app, nonce, own)


#: By scheme: what proves that one knows the password, given also what is random about it.
_RESPONSES: dict[str, Callable[[Mapping[str, str], str, str, str, str], str]] = {"adobe": _adobe, "llnw": _llnw}


def _value(demand: Mapping[str, str], name: str) -> str:
    """
    A value that goes back to the server, or C{""} if it is not there.

    @raise AuthenticationError: if it can't.
    """
    value = demand.get(name, "")
    if len(value) > MAX_VALUE or _NO_VALUE.search(value):
        raise AuthenticationError(f"the {name} in the server's demand is too long, or can't be part of a URL")
    return value


def _require(**values: str) -> None:
    """
    @raise AuthenticationError: if a value is not there, with its name.
    """
    for name, value in values.items():
        if not value:
            raise AuthenticationError(f"the server's demand has no {name}")
