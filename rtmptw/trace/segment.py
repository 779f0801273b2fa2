# -*- test-case-name: tests.trace.test_segment -*-
"""
What one side of a connection said at one moment: where every look at a conversation begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

__all__ = ["End", "Segment", "Side", "inOrder"]


class Side(Enum):
    """Who speaks."""

    CLIENT = "client"
    SERVER = "server"

    @property
    def other(self) -> Side:
        """Who listens."""
        return Side.SERVER if self is Side.CLIENT else Side.CLIENT


@dataclass(frozen=True, slots=True)
class Segment:
    """
    Bytes that came together.

    @ivar side: who has sent them.
    @ivar at: when they came, seconds since the connection began.
    @ivar data: the bytes, one or more.
    """

    side: Side
    at: float
    data: bytes


@dataclass(frozen=True, slots=True)
class End:
    """
    The end of a side.

    @ivar side: which.
    @ivar at: when it came, seconds since the connection began.
    @ivar how: such as C{"closed"} or C{"reset"} (L{rtmptw.capture.leg}).
    @ivar place: how many segments, of both sides, came before it.
    """

    side: Side
    at: float
    how: str
    place: int


def inOrder(segments: Iterable[Segment], ends: Sequence[End]) -> Iterator[Segment | End]:
    """
    All that happened.

    @param ends: in order.
    """
    waiting = list(reversed(ends))
    for place, segment in enumerate(segments):
        while waiting and waiting[-1].place <= place:
            yield waiting.pop()
        yield segment
    yield from reversed(waiting)
