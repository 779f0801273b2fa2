# -*- test-case-name: tests.doctor.test_feed -*-
"""
A stream that goes on, for those who play: faster than real time, so that nobody waits long for a keyframe.
"""

from __future__ import annotations

from twisted.internet.task import LoopingCall

from rtmptw.dialects.visit import Visit
from rtmptw.doctor.target import Target

__all__ = ["Feed"]

#: How many messages at a time (it has to be even: pictures and sound come by turns), and how often, seconds.
_PIECE = 10
_INTERVAL = 0.05


class Feed:
    """
    One publisher.

    @ivar visit: it.
    @ivar sent: how many messages it has sent: they have the numbers from 0 on.
    """

    def __init__(self, target: Target, visit: Visit) -> None:
        """
        @param visit: a publisher that is past Publish.Start.
        """
        self.visit = visit
        self.sent = 0
        visit.begin()
        self._loop = LoopingCall(self._send)
        self._loop.clock = target.clock
        self._loop.start(_INTERVAL)

    @property
    def isAlive(self) -> bool:
        """Whether the server lets it publish still."""
        return not self.visit.contact.closed

    def leave(self) -> None:
        """End the stream."""
        if self._loop.running:
            self._loop.stop()
        self.visit.leave()

    def _send(self) -> None:
        if self.isAlive:
            self.visit.send(self.visit.footage.frames(_PIECE, self.sent))
            self.sent += _PIECE
