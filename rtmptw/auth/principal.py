# -*- test-case-name: tests.auth.test_principal -*-
"""
The principal: who asks, as far as that is proven (L{rtmptw.requests.StreamRequest.principal}).

::

    user alice                          has said, or proven to know, the password of this user
    key 0d6fa1c27be04f53                has said a stream key; two keys of one stream are two principals
    key 0d6fa1c27be04f53, user alice    both, where both were asked for

A signed URL can be given to anybody, and an address is that of many: they prove nothing about a person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from twisted.internet.defer import maybeDeferred

from rtmptw.requests import Granted, StreamRequest

__all__ = ["decide", "proven"]

_T = TypeVar("_T", bound=StreamRequest)


def proven(request: _T, who: str) -> _T:
    """The same request, of somebody who has also proven to be this."""
    return replace(request, principal=", ".join(filter(None, (request.principal, who))))


async def decide(ask: Callable[[Any], object], asked: StreamRequest, allowed: StreamRequest) -> object:
    """
    Let an application decide about what others allow already.

    @param ask: the question to the application; see L{rtmptw.interfaces.IApplication}. It may know nothing of paths and
        principals: its plain yes is one to what is allowed.
    @param asked: the request as it came.
    @param allowed: what the others have made of it: perhaps with another path, and with a principal.
    """
    answer: object = await maybeDeferred(ask, allowed)
    if isinstance(answer, Granted):
        return answer if answer.principal else replace(answer, principal=allowed.principal)
    if answer is False or (allowed.path, allowed.principal) == (asked.path, asked.principal):
        return answer
    return Granted(allowed.path, allowed.principal)
