# -*- test-case-name: tests.auth.test_rule -*-
"""
One rule of those that decide who may publish and play (L{rtmptw.auth.authoriser}).
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable
from hashlib import blake2s
from typing import Protocol

from rtmptw.errors import StatusError
from rtmptw.requests import StreamRequest

__all__ = ["ACTIONS", "PLAY", "PUBLISH", "Rule", "WrongProof", "markOf"]

#: What is asked for.
PUBLISH, PLAY = "publish", "play"
ACTIONS = (PUBLISH, PLAY)

#: Another one in each process: with it a mark says nothing to those who have only the log.
_PEPPER = secrets.token_bytes(32)


class WrongProof(StatusError):
    """
    A key, a signature or a password that is wrong: perhaps a guess. It is counted, and answered after a while.

    @ivar remark: what the log says about it, and the client is not told; no secret.
    """

    def __init__(self, description: str, remark: str) -> None:
        super().__init__(description)
        self.remark = remark


class Rule(Protocol):
    """
    One condition. All of them must hold.

    @ivar guessable: whether what it asks for can be found by trying, as a password. Then whoever has tried too often is
        not heard, even if right. Where it can't, as with a signature, those who are right are always let through: else
        one who is wrong keeps out all others behind the same address.
    """

    guessable: bool

    def check(self, action: str, request: StreamRequest) -> Awaitable[StreamRequest]:
        """
        @param action: L{PUBLISH} or L{PLAY}.
        @return: what the next rule is asked: the same request, or one with another path, or of somebody who has proven
            who it is (L{rtmptw.auth.principal}).
        @raise StatusError: if it must not be. L{WrongProof} if that may be a guess.
        """


def markOf(secret: str) -> str:
    """What the log shows of a secret that came from a client: the same for the same one, as long as we run."""
    return blake2s(secret.encode("utf-8", "surrogatepass"), key=_PEPPER, digest_size=4).hexdigest() + "..."
