# -*- test-case-name: tests.auth.test_failures -*-
"""
Who has given wrong passwords, keys or signatures: so many, and no more for a while (hostile D13).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from ipaddress import IPv6Address, IPv6Network
from math import ceil

from twisted.internet.interfaces import IReactorTime

from rtmptw.auth.addresses import addressOf
from rtmptw.errors import StatusError
from rtmptw.limits import Limits, Reached

__all__ = [
    "FAILURE_SECONDS",
    "LONGEST_DELAY",
    "MAX_ORIGINS",
    "SHORTEST_DELAY",
    "Failures",
    "answerDelay",
    "originOf",
]

#: For how long a failure counts, seconds: L{Limits.wrongProofs} is how many an origin has in that time.
FAILURE_SECONDS = 60.0

#: How many origins are kept in mind; then the one whose last failure is the oldest is forgotten.
MAX_ORIGINS = 4096

#: After how long a failure is answered, seconds: something in between.
SHORTEST_DELAY = 1.0
LONGEST_DELAY = 3.0


def originOf(peer: str) -> str:
    """
    Where a peer is: what an attacker can't change at will. Of an IPv6 address, whose owner has all of the last 64 bits,
    that is the network. Peers on a UNIX socket are all the same one.

    @param peer: L{rtmptw.requests.ConnectRequest.peer}, such as C{"127.0.0.1:40312"} or C{"[::1]:40312"}.
    """
    address = addressOf(peer)
    if address is None:
        return peer.rpartition(":")[0].strip("[]") or peer
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), 64), strict=False))
    return str(address)


def answerDelay(random: Callable[[int], bytes]) -> float:
    """
    After how long a failure is answered, seconds; another time each time, so that nothing can be learnt from it.

    @param random: gives so many random bytes.
    """
    share = int.from_bytes(random(2), "big") / 0xFFFF
    return SHORTEST_DELAY + share * (LONGEST_DELAY - SHORTEST_DELAY)


class Failures:
    """The failures of late, by origin."""

    def __init__(self, clock: IReactorTime, *, limits: Limits | None = None, reached: Reached | None = None) -> None:
        """
        @param limits: C{wrongProofs} counts here; by default, as L{Limits} has it.
        @param reached: counts who is not heard.
        """
        self._clock = clock
        self._most = (limits if limits is not None else Limits()).wrongProofs
        self._reached = reached if reached is not None else Reached()
        self._times: dict[str, deque[float]] = {}

    def __len__(self) -> int:
        return len(self._times)

    def add(self, origin: str) -> None:
        """One more."""
        now = self._clock.seconds()
        times = self._times.pop(origin, None) or deque(maxlen=self._most)
        times.append(now)
        self._times[origin] = times
        while len(self._times) > MAX_ORIGINS or next(iter(self._times.values()))[-1] <= now - FAILURE_SECONDS:
            del self._times[next(iter(self._times))]

    def wait(self, origin: str) -> float:
        """
        @return: for how many seconds an origin may not try again; 0 if it may.
        """
        times = self._times.get(origin)
        if times is None or len(times) < self._most:
            return 0.0
        return max(0.0, times[0] + FAILURE_SECONDS - self._clock.seconds())

    def check(self, origin: str) -> None:
        """
        Somebody wants to be heard.

        @raise StatusError: if there were too many failures.
        """
        seconds = self.wait(origin)
        if seconds:
            self._reached.add("wrongProofs")
            raise StatusError(f"too many wrong tries from {origin}; try again in {ceil(seconds)} s")
