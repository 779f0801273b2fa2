# -*- test-case-name: tests.session.test_outcome -*-
"""
Something that happens once, and that anybody may wait for, before and after.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

__all__ = ["Outcome"]

_T = TypeVar("_T")


class Outcome(Generic[_T]):
    """
    What becomes of something. Each who waits has a Deferred of his own: what he does with it is nobody else's business.

    @ivar isDecided: whether it has happened.
    """

    def __init__(self) -> None:
        self.isDecided = False
        self._result: _T | Failure | None = None
        self._waiting: list[Deferred[_T]] = []

    def when(self) -> Deferred[_T]:
        """
        @return: fires when it happens, or at once if it has happened.
        """
        waiting: Deferred[_T] = Deferred()
        if self.isDecided:
            waiting.callback(self._result)  # type: ignore[arg-type]
        else:
            self._waiting.append(waiting)
        return waiting

    def decide(self, result: _T | Failure) -> None:
        """It has happened. What comes later changes nothing."""
        if self.isDecided:
            return
        self.isDecided, self._result = True, result
        waiting, self._waiting = self._waiting, []
        for deferred in waiting:
            deferred.callback(result)
