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

from rtmptw.limits import Limits, Reached

__all__ = ["CHALLENGE_SECONDS", "Challenge", "Challenges"]

#: How long a challenge waits for its response, seconds. Programs respond at once.
CHALLENGE_SECONDS = 60.0

#: The part of all that wait (L{Limits.challenges}) that one origin can have: one in so many. Who asks and asks makes
#: those of others be forgotten only if he comes from as many origins.
SHARES = 4

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
    """All that wait, oldest first. If there are too many, the oldest is forgotten."""

    def __init__(
        self,
        clock: IReactorTime,
        random: Callable[[int], bytes] = os.urandom,
        *,
        limits: Limits | None = None,
        reached: Reached | None = None,
    ) -> None:
        """
        @param random: gives so many random bytes.
        @param limits: C{challenges} counts here; by default, as L{Limits} has it.
        @param reached: counts what is forgotten before its time.
        """
        self._clock = clock
        self._random = random
        self._most = (limits if limits is not None else Limits()).challenges
        self._mostEach = max(1, self._most // SHARES)
        self._reached = reached if reached is not None else Reached()
        self._waiting: dict[str, Challenge] = {}
        self._origins: dict[str, dict[str, Challenge]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def make(self, user: str, origin: str) -> Challenge:
        """A new challenge, which waits from now on."""
        self._forgetOld()
        if len(self._origins.get(origin, ())) >= self._mostEach:
            self._forgetFirst(self._origins[origin])
        elif len(self._waiting) >= self._most:
            self._forgetFirst(self._waiting)
        salt, text = self._random(SALT_BYTES).hex(), self._random(TEXT_BYTES).hex()
        challenge = Challenge(user, salt, text, origin, self._clock.seconds())
        self._waiting[text] = self._origins.setdefault(origin, {})[text] = challenge
        return challenge

    def take(self, opaque: str, user: str, origin: str) -> Challenge | None:
        """
        The challenge that a response belongs to. It waits no more.

        @param opaque: what the client has given back. Some give back nothing: then it is the newest one from the same
            origin, if possible for the same user.
        @return: L{None} if there is none, or if it is too old.
        """
        self._forgetOld()
        if opaque:
            found = self._waiting.get(opaque)
        else:
            near = [*self._origins.get(origin, {}).values()]
            candidates = [challenge for challenge in near if challenge.user == user] or near
            found = candidates[-1] if candidates else None
        if found is not None:
            self._forget(found)
        return found

    def _forget(self, challenge: Challenge) -> None:
        del self._waiting[challenge.text]
        near = self._origins[challenge.origin]
        del near[challenge.text]
        if not near:
            del self._origins[challenge.origin]

    def _forgetOld(self) -> None:
        before = self._clock.seconds() - CHALLENGE_SECONDS
        while self._waiting:
            oldest = next(iter(self._waiting.values()))
            if oldest.time > before:
                break
            self._forget(oldest)

    def _forgetFirst(self, challenges: dict[str, Challenge]) -> None:
        """Make room for another one."""
        self._forget(next(iter(challenges.values())))
        self._reached.add("challenges")
