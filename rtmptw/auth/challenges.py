# -*- test-case-name: tests.auth.test_challenges -*-
"""
The challenges that were given out and wait for a response.

Each is for one response, which comes on another connection than the one that got the challenge (wire facts 10.90).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.interfaces import IReactorTime

__all__ = ["CHALLENGE_SECONDS", "MAX_CHALLENGES", "Challenge", "Challenges"]

#: How long a challenge waits for its response, seconds. Programs respond at once.
CHALLENGE_SECONDS = 60.0

#: How many wait at most; then the oldest is forgotten.
MAX_CHALLENGES = 4096

#: How long the random parts are, bytes. In hexadecimal, which nobody decodes or escapes.
SALT_BYTES = 8
TEXT_BYTES = 16


@dataclass(frozen=True)
class Challenge:
    """
    One challenge.

    @ivar user: who said to be this, in the connect that the challenge is the answer to.
    @ivar salt: see L{rtmptw.session.adobe.response}.
    @ivar text: the challenge itself, and the opaque: one and the same, so that it is found again by what a client gives
        back, and the response is the same for those that do not know the opaque.
    @ivar origin: where the connect came from.
    @ivar time: when that was.
    """

    user: str
    salt: str
    text: str
    origin: str
    time: float


class Challenges:
    """All that wait, oldest first."""

    def __init__(self, clock: IReactorTime, random: Callable[[int], bytes] = os.urandom) -> None:
        """
        @param random: gives so many random bytes.
        """
        self._clock = clock
        self._random = random
        self._waiting: dict[str, Challenge] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def make(self, user: str, origin: str) -> Challenge:
        """A new challenge, which waits from now on."""
        self._forget(self._clock.seconds() - CHALLENGE_SECONDS, MAX_CHALLENGES - 1)
        salt, text = self._random(SALT_BYTES).hex(), self._random(TEXT_BYTES).hex()
        challenge = self._waiting[text] = Challenge(user, salt, text, origin, self._clock.seconds())
        return challenge

    def take(self, opaque: str, user: str, origin: str) -> Challenge | None:
        """
        The challenge that a response belongs to. It waits no more.

        @param opaque: what the client has given back. Some give back nothing: then it is the newest one from the same
            origin, if possible for the same user.
        @return: L{None} if there is none, or if it is too old.
        """
        self._forget(self._clock.seconds() - CHALLENGE_SECONDS, MAX_CHALLENGES)
        if not opaque:
            near = [challenge for challenge in self._waiting.values() if challenge.origin == origin]
            candidates = [challenge for challenge in near if challenge.user == user] or near
            opaque = candidates[-1].text if candidates else ""
        return self._waiting.pop(opaque, None)

    def _forget(self, before: float, most: int) -> None:
        while self._waiting:
            oldest = next(iter(self._waiting.values()))
            if oldest.time > before and len(self._waiting) <= most:
                break
            del self._waiting[oldest.text]
