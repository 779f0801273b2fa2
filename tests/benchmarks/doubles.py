"""
Stand-ins for what measures, so that everything around it can be tried in memory.
"""

from __future__ import annotations

from typing import Any

from benchmarks.load.line import Line

__all__ = ["FakeLine", "FakeSocket"]


class FakeSocket:
    """
    Takes what is sent.

    @ivar room: how many bytes it takes before it is full.
    @ivar sent: what it has taken.
    """

    def __init__(self, room: int = 1 << 30) -> None:
        self.room = room
        self.sent = bytearray()

    def send(self, data: Any) -> int:
        if not self.room:
            raise BlockingIOError
        taken = bytes(data[: self.room])
        self.room -= len(taken)
        self.sent += taken
        return len(taken)


class FakeLine(Line):
    """
    A connection without a network.

    @ivar coming: what C{receive} gives, piece by piece; nothing at its end means L{None}.
    @ivar isReady: what C{opened} gives.
    """

    def __init__(self, *coming: bytes) -> None:
        self.sockets = FakeSocket()
        self.socket = self.sockets  # type: ignore[assignment]
        self.coming = list(coming)
        self.isReady = True
        self.isClosed = False

    def opened(self) -> bool:
        return self.isReady

    def receive(self, size: int) -> bytes | None:
        return self.coming.pop(0) if self.coming else None

    def close(self) -> None:
        self.isClosed = True
