# -*- test-case-name: tests.benchmarks.load.test_joining -*-
"""
Viewers that are about to join: who they are, and how it goes.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.load.orders import Answer
from benchmarks.load.tally import percentile
from benchmarks.load.viewer import Joined

__all__ = ["Crowd", "Joining"]

#: How many different reasons for a failure are told.
_REASONS = 3


@dataclass(frozen=True)
class Crowd:
    """
    Who is to join; what an order says.

    @ivar count: how many.
    @ivar ramp: how many of them come per second; 0 for all at once.
    @ivar isIdle: whether they are content without a picture.
    @ivar stalls: whether they read nothing behind the first picture.
    @ivar isReplacement: whether they come in the place of others, and nobody waits to hear that they have.
    """

    count: int = 1
    ramp: float = 0.0
    isIdle: bool = False
    stalls: bool = False
    isReplacement: bool = False


class Joining:
    """
    How it goes for them.

    @ivar crowd: who they are.
    @ivar began: when, s.
    @ivar opened: how many have been sent on their way.
    @ivar waiting: the file descriptors of those who have not joined yet.
    @ivar reasons: why others never will.
    """

    def __init__(self, crowd: Crowd, now: float) -> None:
        self.crowd = crowd
        self.began = now
        self.opened = 0
        self.waiting: set[int] = set()
        self.reasons: list[str] = []
        self._ms: list[float] = []
        self._keyframes = 0

    def due(self, now: float) -> int:
        """How many should be on their way by now."""
        crowd = self.crowd
        return min(int((now - self.began) * crowd.ramp) + 1, crowd.count) if crowd.ramp else crowd.count

    def isOver(self, now: float, patience: float) -> bool:
        """
        @param patience: how long to wait for the last, s.
        """
        if now - self.began > patience + (self.crowd.count / self.crowd.ramp if self.crowd.ramp else 0):
            return True
        return self.opened == self.crowd.count and not self.waiting

    def joined(self, fd: int, how: Joined) -> None:
        """One has."""
        self.waiting.discard(fd)
        self._ms.append(how.ms)
        self._keyframes += how.onKeyframe

    def failed(self, fd: int, reason: str) -> None:
        """One will not."""
        self.waiting.discard(fd)
        self.reasons.append(reason)

    def result(self, now: float) -> Answer:
        """What is answered in the end; times in ms."""
        ms = sorted(self._ms)
        return {
            "joined": len(ms),
            "failed": self.crowd.count - len(ms),
            "keyframes": self._keyframes,
            "joinP50": percentile(ms, 50),
            "joinWorst": percentile(ms, 100),
            "allMs": (now - self.began) * 1000,
            "reasons": sorted(set(self.reasons))[:_REASONS],
        }
