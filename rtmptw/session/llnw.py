# -*- test-case-name: tests.session.test_llnw -*-
"""
Limelight's authentication, the client's side of it: hashes and text (wire facts 8).

It is said in three connects, as Adobe's (L{rtmptw.session.adobe}); only what the server wants in the second, and what
the client says in the third, are others::

    server: [ AccessManager.Reject ] : [ authmod=llnw ] : ?reason=needauth&user=U&nonce=N
    client: connect, live?authmod=llnw&user=U&nonce=N&cnonce=C&nc=00000001&response=R

C is the client's own nonce. R is HTTP's digest (RFC 2617, section 3.2.2.1, with C{qop=auth}) of a request that nobody
makes: C{publish}, in place of C{GET}, of the application (L{response}).

The server has no name of its own in this, so it takes RTMPS to know to whom it is said.
"""

from __future__ import annotations

import hashlib

__all__ = ["response", "responseQuery"]

_REALM = "live"
_METHOD = "publish"
_QUALITY = "auth"

#: How often the client's nonce has been used. It is another one each time.
_COUNT = "00000001"

#: The instance of an application that is named without one.
_INSTANCE = "/_definst_"


def response(user: str, password: str, app: str, nonce: str, clientNonce: str) -> str:
    """
    The proof that one knows the password.

    @param app: the application as the URL has it, without what authentication puts behind it.
    @return: 32 hexadecimal digits.
    """
    # Word for word what FFmpeg does, however it looks: any slash makes an instance, be it at the end or in a query, and
    # a query is part of the application, so that _definst_ stands behind it. (librtmp, as OBS has it, leaves the query
    # out: with one, the two can't both be right. Who can, leaves it away.)
    place = app if "/" in app else app + _INSTANCE
    secret = _digest(f"{user}:{_REALM}:{password}")
    return _digest(f"{secret}:{nonce}:{_COUNT}:{clientNonce}:{_QUALITY}:" + _digest(f"{_METHOD}:/{place}"))


def responseQuery(user: str, password: str, app: str, nonce: str, clientNonce: str) -> str:
    """
    What a client says in the third connect, with its L{response}, in FFmpeg's order.

    @param clientNonce: eight hexadecimal digits.
    @return: what to put behind application and tcUrl, and a C{?}.
    """
    proof = response(user, password, app, nonce, clientNonce)
    return f"authmod=llnw&user={user}&nonce={nonce}&cnonce={clientNonce}&nc={_COUNT}&response={proof}"


def _digest(text: str) -> str:
    # Nobody is asked to believe in MD5 here: it is what the scheme is made of.
    return hashlib.md5(text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
