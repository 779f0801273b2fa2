# -*- test-case-name: tests.relay.test_retry -*-
"""
When to try again.

The first time soon, then less and less often, and never at the same time as everybody else who has lost the same
server: each delay is a little longer than the last, so that it is about a tenth of the time that the server has been
away, and a part of it is random. A server that is back after three seconds is found within less than one; one that
never comes back is tried twice a minute.

A server that is there and says no, because the key is wrong or somebody else has the name, is asked less often from
the first time on: it has to do with each of these connections what it does with a good one.
"""

from __future__ import annotations

from random import random

from twisted.application.internet import backoffPolicy
from twisted.internet.interfaces import IReactorTime

from rtmptw.errors import AuthenticationError, CallError, RTMPError, StatusError

__all__ = ["FIRST_DELAY", "FIRST_REFUSED_DELAY", "LONGEST_DELAY", "STABLE_SECONDS", "Retry"]

#: Seconds between tries: before the second one, and at the most.
FIRST_DELAY = 0.25
LONGEST_DELAY = 30.0

#: Each delay is longer than the last by this.
FACTOR = 1.1

#: The same after a refusal.
FIRST_REFUSED_DELAY = 5.0
REFUSED_FACTOR = 2.0

#: Up to so many seconds more, by chance.
JITTER = 0.2

#: A connection that has lasted so long was a success: after it, everything begins anew, seconds.
STABLE_SECONDS = 2.0

_lost = backoffPolicy(FIRST_DELAY, LONGEST_DELAY, FACTOR, lambda: random() * JITTER)
_refused = backoffPolicy(FIRST_REFUSED_DELAY, LONGEST_DELAY, REFUSED_FACTOR, lambda: random() * JITTER)


class Retry:
    """
    The delays of one relay.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._failures = self._refusals = 0
        self._connected: float | None = None

    def connected(self) -> None:
        """A try has succeeded, for now."""
        self._connected = self._clock.seconds()

    def nextDelay(self, error: RTMPError | None = None, isPassing: bool = False) -> float:
        """
        A try has failed, or its connection is gone.

        @param error: why. A password that was refused does not get better, and who tries it often is locked out, with
            everybody at his address: then the longest delay is the next one. Other refusals have delays of their own,
            but for one of play: a stream that is not there may be there soon.
        @param isPassing: whether it is known that a refusal will soon be over; not that of a password.
        @return: how long to wait before the next one, seconds.
        """
        connected, self._connected = self._connected, None
        if connected is not None and self._clock.seconds() - connected >= STABLE_SECONDS:
            self._failures = self._refusals = 0
        if isinstance(error, AuthenticationError):
            return LONGEST_DELAY
        isPassing = isPassing or (isinstance(error, CallError) and error.command == "play")
        if isinstance(error, StatusError) and not isPassing:
            delay = _refused(self._refusals)
            self._refusals += 1
            return float(delay)
        delay = _lost(self._failures)
        self._failures += 1
        return float(delay)
