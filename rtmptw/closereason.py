# -*- test-case-name: tests.test_closereason -*-
"""
Why a connection is gone, in words.
"""

from __future__ import annotations

from OpenSSL.SSL import Error as TLSError
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

__all__ = ["explain", "whyLost"]


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
        details = _details(error)
        text = "TLS failed: " + (", ".join(details) or "the peer broke it off")
        if "wrong version number" in details or "http request" in details:
            text += " (what came is not TLS: is it a client without encryption?)"
        return text
    return str(error) or type(error).__name__


def _details(error: TLSError) -> list[str]:
    """
    Either a list of tuples (library, function, reason), or a number and a text, or nothing.
    """
    details = []
    for argument in error.args:
        if isinstance(argument, str):
            details.append(argument)
        elif isinstance(argument, list):
            details += [str(part[-1]) for part in argument if isinstance(part, tuple) and part]
    return [detail for detail in details if detail]
