"""
Somebody who looks at a session, and remembers.
"""

from __future__ import annotations

from zope.interface import implementer

from rtmptw.capture.tracer import ITraceObserver
from rtmptw.trace.segment import Segment, Side

__all__ = ["Witness"]


@implementer(ITraceObserver)
class Witness:
    """
    Remembers everything.

    @ivar segments: what was said.
    @ivar ends: what else has happened: the side and how it has closed, or the reason of a failure; and when.
    @ivar isGone: whether both connections are gone.
    """

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self.ends: list[tuple[Side | None, str, float]] = []
        self.isGone = False

    def said(self, segment: Segment) -> None:
        """See L{ITraceObserver.said}."""
        self._expectNotGone()
        self.segments.append(segment)

    def closed(self, side: Side, how: str, at: float) -> None:
        """See L{ITraceObserver.closed}."""
        self._expectNotGone()
        self.ends.append((side, how, at))

    def failed(self, reason: str, at: float) -> None:
        """See L{ITraceObserver.failed}."""
        self._expectNotGone()
        self.ends.append((None, reason, at))

    def gone(self) -> None:
        """See L{ITraceObserver.gone}."""
        self._expectNotGone()
        self.isGone = True

    def _expectNotGone(self) -> None:
        if self.isGone:
            raise AssertionError("it was gone before")

    def all(self, side: Side) -> bytes:
        """All that one side has said."""
        return b"".join(segment.data for segment in self.segments if segment.side is side)

    @property
    def how(self) -> list[tuple[Side | None, str]]:
        """The ends, without their times."""
        return [(side, how) for side, how, _ in self.ends]
