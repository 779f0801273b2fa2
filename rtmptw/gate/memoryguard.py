# -*- test-case-name: tests.gate.test_memoryguard -*-
"""
The memory guard: a server that runs out of memory loses everybody; one that lets go of some in time does not (hostile
row F16).

Once a second the memory of the process is compared with what there may be:

- From 85 % on nobody gets in any more, until it is less than 80 %.
- From 95 % on some have to go each second: players first, then publishers, and among either of them who holds most:
  bytes that wait to be sent, then bytes half received. Never more than a twentieth of all at once, since it takes some
  time until the memory is free. Who holds nothing goes only while it still gets more: Python does not always give back
  what it has, and then it would be everybody's turn in the end, and for nothing.

Messages that are half received have a limit of their own, all together: who has the most of them goes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from rtmptw.gate.processmemory import memoryBudget, residentMemory
from rtmptw.limits import Limits, Reached

if TYPE_CHECKING:
    from rtmptw.protocol import RTMPProtocol

__all__ = ["REFUSE", "RELENT", "SHARE", "SHED", "MemoryGuard"]

#: Parts of the budget: above which nobody gets in; below which they do again; above which some have to go.
REFUSE, RELENT, SHED = 0.85, 0.80, 0.95

#: Which part of all connections may have to go in a second; one may, anyway.
SHARE = 0.05

_MIB = 1024 * 1024


class MemoryGuard:
    """
    The guard of one server.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        limits: Limits,
        reached: Reached,
        resident: Callable[[], int] | None = None,
        budget: Callable[[], int] = memoryBudget,
    ) -> None:
        """
        @param resident: tells how much memory there is, bytes; by default, as this system does it.
        @param budget: tells how much there may be, if the limits don't; 0 for any amount.
        """
        self._clock = clock
        self._limits = limits
        self._reached = reached
        self._resident = resident or residentMemory()
        self._budget = limits.memoryBytes or budget()
        self._used = self._before = 0
        self._looked = float("-inf")
        self._isShort = False

    def refuses(self) -> bool:
        """Whether nobody gets in. It is looked at here as well: there need not be anybody inside, to pass seconds."""
        if self._clock.seconds() - self._looked >= 1:
            self._look()
        return self._isShort

    def second(self, protocols: Sequence[RTMPProtocol]) -> None:
        """
        A second has passed.

        @param protocols: all connections.
        """
        self._look()
        held = {protocol: protocol.held for protocol in protocols}
        self._closeLargest(held)
        if self._budget and self._used >= SHED * self._budget:
            self._shed(held)

    def _look(self) -> None:
        self._looked = self._clock.seconds()
        self._before, self._used = self._used, self._resident()
        share = self._used / self._budget if self._budget else 0.0
        if share >= REFUSE and not self._isShort:
            self._isShort = True
            self._log.warn("memory is short, nobody gets in: {share}", share=self._share)
        elif share < RELENT and self._isShort:
            self._isShort = False
            self._log.info("memory is not short any more: {share}", share=self._share)

    @property
    def _share(self) -> str:
        return f"{self._used / self._budget:.0%} of {self._budget / _MIB:.0f} MiB"

    def _closeLargest(self, held: dict[RTMPProtocol, tuple[int, int]]) -> None:
        """Too much may be half received, of all together."""
        most = self._limits.allPartialBytes
        total = sum(partial for _, partial in held.values())
        if total <= most:
            return
        for protocol in sorted(held, key=lambda protocol: held[protocol][1], reverse=True):
            partial = held[protocol][1]
            self._reached.add("allPartialBytes")
            protocol.abort(
                f"it had sent the most of {total} bytes of messages half sent, of all connections: {partial}; "
                f"{most} are allowed"
            )
            total -= partial
            if total <= most:
                break

    def _shed(self, held: dict[RTMPProtocol, tuple[int, int]]) -> None:
        """Some have to go."""
        isGrowing = self._used > self._before
        candidates = [protocol for protocol in held if isGrowing or any(held[protocol])]
        candidates.sort(key=lambda protocol: (protocol.publishing, -held[protocol][0], -held[protocol][1]))
        for protocol in candidates[: max(1, int(len(held) * SHARE))]:
            waiting, partial = held[protocol]
            self._reached.add("memoryBytes")
            protocol.abort(
                f"memory is short ({self._share}): {waiting} bytes waited for it, {partial} were half received"
            )
