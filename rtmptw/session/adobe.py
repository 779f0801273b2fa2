# -*- test-case-name: tests.session.test_adobe -*-
"""
Adobe's authentication, both sides of it: text and hashes (wire facts 8).

It is said in three connects, each on a connection of its own. What the server has to say is the description of its
C{_error}; what the client has to say is a query behind its application, and behind its tcUrl::

    client: connect, live
    server: [ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] :
    client: connect, live?authmod=adobe&user=U
    server: [ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=needauth&user=U&salt=S&challenge=C&opaque=O
    client: connect, live?authmod=adobe&user=U&challenge=C2&response=R&opaque=O
    server: _result, or [ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=authfailed

C2 is the client's own challenge; R proves that it knows the password (L{response}). The opaque may be missing.

A server must say it in this long form, without which rtmp2 understands nothing (wire facts 10.89). What a client makes
of it is in L{rtmptw.session.authentication}.

What a listener hears is enough to try passwords at home, with MD5, which is fast: it takes RTMPS to keep a weak one.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import unquote

from rtmptw.session.streampath import checkText

__all__ = [
    "MAX_USER",
    "MAX_VALUE",
    "AuthenticationQuery",
    "authFailed",
    "needAuth",
    "needResponse",
    "readFields",
    "readQuery",
    "response",
    "responseQuery",
]

#: The longest user name, characters. FFmpeg keeps only 255 bytes of a description, and 49 of a name.
MAX_USER = 64

#: The longest value of any parameter, characters.
MAX_VALUE = 256

#: What begins every description (wire facts 10.89).
_REJECT = "[ AccessManager.Reject ] : "

#: FFmpeg writes its own question mark, even behind a query that the application has already.
_SEPARATORS = re.compile("[&?]")


def response(user: str, password: str, salt: str, challenge: str, opaque: str, clientChallenge: str) -> str:
    """
    The proof that one knows the password.

    @param challenge: the server's; it counts only if there is no opaque.
    @return: base64, so it may hold C{+}, C{/} and C{=}.
    """
    return _digest(_digest(user + salt + password) + (opaque or challenge) + clientChallenge)


def _digest(text: str) -> str:
    # Nobody is asked to believe in MD5 here: it is what the scheme is made of.
    return b64encode(hashlib.md5(text.encode("utf-8", "replace"), usedforsecurity=False).digest()).decode("ascii")


# The client


def responseQuery(user: str, password: str, salt: str, challenge: str, opaque: str, clientChallenge: str) -> str:
    """
    What a client says in the third connect, with its L{response}.

    @param clientChallenge: eight hexadecimal digits.
    @return: what to put behind application and tcUrl, and a C{?}.
    """
    proof = response(user, password, salt, challenge, opaque, clientChallenge)
    query = f"authmod=adobe&user={user}&challenge={clientChallenge}&response={proof}"
    return f"{query}&opaque={opaque}" if opaque else query


# The server


@dataclass(frozen=True)
class AuthenticationQuery:
    """
    What a client says about itself in a connect. Nothing of it is true until the response was looked at.

    @ivar scheme: its C{authmod}; L{readQuery} reads those of every scheme.
    @ivar user: who it says it is.
    @ivar challenge: the client's own.
    @ivar response: its proof; empty in its second connect.
    @ivar opaque: the server's, given back; empty if the client leaves it out.
    """

    scheme: str
    user: str = ""
    challenge: str = ""
    response: str = ""
    opaque: str = ""


def readQuery(query: str) -> AuthenticationQuery | None:
    """
    Find what a connect says about authentication.

    A C{+} is a C{+} here, since base64 has it; what is percent-encoded is decoded: rtmp2 sends a user as it is, FFmpeg
    as it stands in the URL.

    @param query: L{rtmptw.requests.ConnectRequest.query}.
    @return: L{None} if it says nothing.
    @raise StatusError: if a value is too long, or holds what can't be seen.
    """
    fields = readFields(query)
    if "authmod" not in fields:
        return None
    values = {}
    for name in ("user", "challenge", "response", "opaque"):
        values[name] = unquote(fields.get(name, ""))
        checkText(name, values[name], MAX_USER if name == "user" else MAX_VALUE)
    return AuthenticationQuery(fields["authmod"], **values)


def needAuth() -> str:
    """The answer to a connect that says nothing: authenticate."""
    return f"{_REJECT}[ code=403 need auth; authmod=adobe ] : "


def needResponse(user: str, salt: str, challenge: str, opaque: str) -> str:
    """
    The answer to a connect that says who: prove it.

    @param user: as the client has said it: FFmpeg takes it from here (wire facts 8).
    """
    return (
        f"{_REJECT}[ authmod=adobe ] : ?reason=needauth&user={user}&salt={salt}&challenge={challenge}&opaque={opaque}"
    )


def authFailed(reason: str = "authfailed") -> str:
    """
    The answer to a wrong response.

    @param reason: C{nosuchuser} is known too, but tells a stranger who exists.
    """
    return f"{_REJECT}[ authmod=adobe ] : ?reason={reason}"


def readFields(query: str) -> dict[str, str]:
    """The parameters of a query as they stand there; the first of a name counts."""
    fields: dict[str, str] = {}
    for field in _SEPARATORS.split(query):
        name, _, value = field.partition("=")
        fields.setdefault(name, value)
    return fields
