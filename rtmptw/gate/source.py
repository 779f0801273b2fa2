# -*- test-case-name: tests.gate.test_source -*-
"""
Sources: where connections come from. An IPv4 address is one, and so is a /64 of IPv6, which is what one customer gets.

A source has connections, some of them strangers, and a bucket of tokens: each new connection takes one, and they come
back at a steady rate. It is remembered while it has a connection or its bucket is not full again; how many are
remembered for their bucket alone is bounded, so that a flood from many addresses costs no memory. What is forgotten
early is forgiven.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtmptw.limits import Limits

if TYPE_CHECKING:
    from rtmptw.protocol import RTMPProtocol

__all__ = ["MAX_RESTING", "Source", "Sources"]

#: How many sources without a connection are remembered.
MAX_RESTING = 4096

#: How much of an IPv6 address is its network, bytes.
_PREFIX = 8

#: "At once", seconds: who takes all tokens of a full bucket in this time has come to the limit of the burst.
_ONCE = 1.0


class Source:
    """
    One of them.

    @ivar key: what it is known by: the bytes of its address, or of its network.
    @ivar connections: how many there are.
    @ivar strangers: those that were of no use when last looked at, the oldest first.
    """

    __slots__ = ("_filled", "_full", "_tokens", "connections", "key", "strangers")

    def __init__(self, key: bytes, tokens: float, now: float) -> None:
        """
        @param tokens: what is in a full bucket.
        """
        self.key = key
        self.connections = 0
        self.strangers: dict[RTMPProtocol, None] = {}
        self._tokens = tokens
        self._filled = self._full = now

    def fill(self, limits: Limits, now: float) -> bool:
        """
        Give it the tokens that have come back.

        @return: whether its bucket is full.
        """
        self._tokens += max(now - self._filled, 0.0) * limits.addressRate
        self._filled = now
        if self._tokens < limits.addressBurst:
            return False
        self._tokens, self._full = limits.addressBurst, now
        return True

    def exceeded(self, limits: Limits, now: float) -> str:
        """
        @return: the limit that one more connection would exceed, or nothing.
        """
        if self.connections >= limits.addressConnections:
            return "addressConnections"
        if len(self.strangers) >= limits.addressStrangers:
            return "addressStrangers"
        self.fill(limits, now)
        if self._tokens >= 1:
            return ""
        return "addressBurst" if now - self._full < _ONCE else "addressRate"

    def take(self) -> None:
        """A connection takes its token."""
        self._tokens -= 1


class Sources:
    """All that are remembered."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._busy: dict[bytes, Source] = {}
        #: Those without a connection; who has been so the longest comes first.
        self._resting: dict[bytes, Source] = {}

    def __len__(self) -> int:
        return len(self._busy) + len(self._resting)

    def at(self, address: bytes, now: float) -> Source:
        """
        @param address: see L{rtmptw.gate.network.addressBytes}.
        """
        key = address[:_PREFIX]
        source = self._busy.get(key) or self._resting.get(key)
        if source is None:
            source = Source(key, self._limits.addressBurst, now)
            self._rest(source)
        return source

    def came(self, source: Source) -> None:
        """It has one connection more."""
        source.connections += 1
        self._resting.pop(source.key, None)
        self._busy[source.key] = source

    def went(self, source: Source) -> None:
        """It has one less."""
        source.connections -= 1
        if not source.connections:
            del self._busy[source.key]
            self._rest(source)

    def _rest(self, source: Source) -> None:
        self._resting[source.key] = source
        if len(self._resting) > MAX_RESTING:
            del self._resting[next(iter(self._resting))]

    def forget(self, now: float) -> None:
        """Forget those that have no connection, and have their tokens back."""
        self._resting = {key: source for key, source in self._resting.items() if not source.fill(self._limits, now)}
