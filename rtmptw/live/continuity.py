# -*- test-case-name: tests.live.test_continuity -*-
"""
Continuity: what makes one stream of what its publishers send, one after the other, with their clocks.

Within one publication, messages are passed on as they came, but for times that would break a reader
(L{rtmptw.live.streamclock}). When another publication goes on with the stream, nothing of it is passed on before a
place to start (L{rtmptw.live.beginning}); then what is new about the headers comes first, and its time is fitted behind
what was there.
"""

from __future__ import annotations

from twisted.logger import Logger

from rtmptw.live.beginning import Beginning
from rtmptw.live.headers import HeaderCache
from rtmptw.live.streamclock import StreamClock
from rtmptw.wire.media import MediaKind
from rtmptw.wire.message import Message

__all__ = ["Continuity"]


class Continuity:
    """
    The continuity of one stream.

    @ivar times: its clock.
    @ivar isBeginning: whether a publication goes on with it, and there was no place to start yet.
    """

    _log = Logger()

    def __init__(self, path: str) -> None:
        """
        @param path: the stream's identity, for the log.
        """
        self.times = StreamClock()
        self._path = path
        self._beginning: Beginning | None = None
        self._outage = 0
        self.isBeginning = False

    def resume(self, outage: float, hadVideo: bool) -> None:
        """
        Another publication goes on.

        @param outage: for how long nothing has come, seconds.
        @param hadVideo: whether there were pictures.
        """
        if self.times.newest is not None:
            # One that has brought nothing of use was a part of the outage.
            self._outage += int(max(0.0, outage) * 1000) + (self._beginning.waited if self._beginning else 0)
            self._beginning = Beginning(hadVideo)
            self.isBeginning = True

    def take(self, message: Message, kind: MediaKind, silence: float, known: HeaderCache) -> list[Message]:
        """
        Take a message that can't just be passed on.

        @param kind: what it is.
        @param silence: for how long nothing has come before it, seconds.
        @param known: the headers that were passed on; those that are gone are taken out.
        @return: what is to be passed on: the message at its time, maybe with headers before it.
        """
        beginning = self._beginning
        if beginning is None:
            return [self._place(message, kind.isFrame, silence)]
        if not beginning.isStart(message, kind):
            return []
        self.times.resume(self._outage + beginning.waited)
        self._beginning, self._outage, self.isBeginning = None, 0, False
        placed = self._place(message, True, silence)
        # What is known is forgotten only here: a publisher that has brought nothing has changed nothing.
        new = beginning.newHeaders(known, placed.timestamp)
        known.keep(beginning.headers)
        return [*new, placed]

    def _place(self, message: Message, isFrame: bool, silence: float) -> Message:
        placed = self.times.place(message, isFrame, silence)
        for line in self.times.news():
            self._log.warn("{path}: {line}", path=self._path, line=line)
        return placed
