# -*- test-case-name: tests.show.test_audience -*-
"""
Several observers of one session, in the place of one. Each is told everything, whatever becomes of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twisted.logger import Logger
from zope.interface import implementer

from rtmptw.capture.tracer import ITraceObserver
from rtmptw.trace.segment import Segment, Side

__all__ = ["Audience"]


@implementer(ITraceObserver)
class Audience:
    """
    The observers, in their order. One that fails is told nothing more, and that is logged once.
    """

    _log = Logger()

    def __init__(self, observers: Iterable[ITraceObserver]) -> None:
        self._observers = list(observers)

    def said(self, segment: Segment) -> None:
        """See L{ITraceObserver.said}."""
        self._tell(lambda observer: observer.said(segment))

    def closed(self, side: Side, how: str, at: float) -> None:
        """See L{ITraceObserver.closed}."""
        self._tell(lambda observer: observer.closed(side, how, at))

    def failed(self, reason: str, at: float) -> None:
        """See L{ITraceObserver.failed}."""
        self._tell(lambda observer: observer.failed(reason, at))

    def gone(self) -> None:
        """See L{ITraceObserver.gone}."""
        self._tell(lambda observer: observer.gone())

    def _tell(self, say: Callable[[Any], object]) -> None:
        for observer in tuple(self._observers):
            try:
                say(observer)
            except Exception:
                self._observers.remove(observer)
                self._log.failure(
                    "a {observer} has failed, and sees no more of its session", observer=type(observer).__name__
                )
