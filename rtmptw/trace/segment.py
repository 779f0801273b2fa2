# -*- test-case-name: tests.trace.test_segment -*-
"""
What one side of a connection said at one moment: where every look at a conversation begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["Segment", "Side"]


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
