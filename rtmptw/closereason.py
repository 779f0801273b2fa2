# -*- test-case-name: tests.test_closereason -*-
"""
Why a connection is gone, in words.
"""

from __future__ import annotations

from OpenSSL.SSL import Error as TLSError
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.python.failure import Failure

__all__ = ["explain", "reasonsOf", "whyLost"]

#: What OpenSSL's words mean, by how they end: the words before differ from version to version. A peer that breaks off
#: says so in an alert (RFC 8446, section 6).
_MEANINGS = {
    "wrong version number": "what came is not TLS: does the peer speak without encryption?",
    "http request": "what came is not TLS: does the peer speak without encryption?",
    "alert unknown ca": "the peer does not trust the issuer of our certificate",
    "alert bad certificate": "the peer does not accept our certificate",
    "alert certificate unknown": "the peer does not accept our certificate",
    "alert certificate expired": "the peer finds our certificate expired; is its clock right?",
    "alert certificate revoked": "the peer finds our certificate revoked",
    "alert protocol version": "the peer knows no TLS as new as ours, 1.2 or 1.3",
    "unsupported protocol": "the peer knows no TLS as new as ours, 1.2 or 1.3",
    "version too low": "the peer knows no TLS as new as ours, 1.2 or 1.3",
    "alert handshake failure": "the peer and we have no encryption in common",
    "no shared cipher": "the peer and we have no encryption in common",
    "unrecognized name": "the peer has no certificate for this host",
}


def whyLost(reason: Failure) -> str:
    """
    What Twisted's C{connectionLost} was told, for the log.
    """
    if reason.check(ConnectionDone):
        # Not "cleanly": a killed process closes its connections just so.
        return "the peer closed the connection"
    return explain(reason.value)


def explain(error: BaseException | None) -> str:
    """
    An error as a sentence. OpenSSL has lists of tuples instead of words.
    """
    if isinstance(error, TLSError):
        reasons = reasonsOf(error)
        text = "TLS failed: " + (", ".join(reasons) or "the peer broke it off")
        meanings = [meaning for end, meaning in _MEANINGS.items() if any(each.endswith(end) for each in reasons)]
        return f"{text} ({meanings[0]})" if meanings else text
    if type(error) is ConnectionLost and not error.args:
        # Twisted's own words for whatever a system says of it.
        return "the connection broke off: it was reset, or nobody answers any more"
    return str(error) or type(error).__name__


def reasonsOf(error: TLSError) -> list[str]:
    """
    What OpenSSL says. Its errors hold either a list of tuples (library, function, reason), or a number and a text, or
    nothing.
    """
    reasons = []
    for argument in error.args:
        if isinstance(argument, str):
            reasons.append(argument)
        elif isinstance(argument, list):
            reasons += [str(part[-1]) for part in argument if isinstance(part, tuple) and part]
    return [reason for reason in reasons if reason]
