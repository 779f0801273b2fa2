# -*- test-case-name: tests.auth.test_failures -*-
"""
Who has given wrong passwords, keys or signatures: so many, and no more for a while (hostile D13).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from ipaddress import IPv6Address, IPv6Network

from twisted.internet.interfaces import IReactorTime

from rtmptw.auth.addresses import addressOf

__all__ = [
    "FAILURE_SECONDS",
    "LONGEST_DELAY",
    "MAX_FAILURES",
    "MAX_ORIGINS",
    "SHORTEST_DELAY",
    "Failures",
    "answerDelay",
    "originOf",
]

#: How many failures an origin has in so many seconds.
MAX_FAILURES = 10
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

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._times: dict[str, deque[float]] = {}

    def __len__(self) -> int:
        return len(self._times)

    def add(self, origin: str) -> None:
        """One more."""
        now = self._clock.seconds()
        times = self._times.pop(origin, None) or deque(maxlen=MAX_FAILURES)
        times.append(now)
        self._times[origin] = times
        while len(self._times) > MAX_ORIGINS or next(iter(self._times.values()))[-1] <= now - FAILURE_SECONDS:
            del self._times[next(iter(self._times))]

    def wait(self, origin: str) -> float:
        """
        @return: for how many seconds an origin may not try again; 0 if it may.
        """
        times = self._times.get(origin)
        if times is None or len(times) < MAX_FAILURES:
            return 0.0
        return max(0.0, times[0] + FAILURE_SECONDS - self._clock.seconds())
