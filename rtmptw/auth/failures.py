# -*- test-case-name: tests.auth.test_failures -*-
"""
Who has given wrong passwords: so many, and no more for a while (hostile D13).
"""

from __future__ import annotations

from collections import deque
from ipaddress import IPv6Address, IPv6Network, ip_address

from twisted.internet.interfaces import IReactorTime

__all__ = ["FAILURE_SECONDS", "MAX_FAILURES", "MAX_ORIGINS", "Failures", "originOf"]

#: How many failures an origin has in so many seconds.
MAX_FAILURES = 10
FAILURE_SECONDS = 60.0

#: How many origins are kept in mind; then the one whose last failure is the oldest is forgotten.
MAX_ORIGINS = 4096


def originOf(peer: str) -> str:
    """
    Where a peer is: what an attacker can't change at will. Of an IPv6 address, whose owner has all of the last 64 bits,
    that is the network. Peers on a UNIX socket are all the same one.

    @param peer: L{rtmptw.requests.ConnectRequest.peer}, such as C{"127.0.0.1:40312"} or C{"[::1]:40312"}.
    """
    host = peer.rpartition(":")[0].strip("[]")
    try:
        address = ip_address(host)
    except ValueError:
        return host or peer
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    # An address of a link has its interface behind it.
    return str(IPv6Network((int(address), 64), strict=False))


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
