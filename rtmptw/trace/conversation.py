# -*- test-case-name: tests.trace.test_conversation -*-
"""
A whole connection, both sides of it: segments in, entries out, each with what is wrong with it.

::

    conversation = Conversation()
    for segment in segments:
        for entry in conversation.feed(segment):
            ...
"""

from __future__ import annotations

from rtmptw.trace.entry import Entry
from rtmptw.trace.notes import Notes
from rtmptw.trace.reading import StreamReading
from rtmptw.trace.rules import violations
from rtmptw.trace.segment import Segment, Side
from rtmptw.trace.talk import Talk

__all__ = ["Conversation"]


class Conversation:
    """
    One connection.

    @ivar readings: each side's.
    @ivar talk: what was said so far.
    @ivar notes: what the rules keep in mind of it.
    """

    def __init__(self) -> None:
        self.readings = {side: StreamReading(side) for side in Side}
        self.talk = Talk()
        self.notes = Notes()

    def feed(self, segment: Segment) -> list[Entry]:
        """Take more bytes of one side. Whatever they are, this does not raise."""
        side = segment.side
        self.readings[side].peerChunkSize = self.readings[side.other].chunkSize
        return self._judge(self.readings[side].feed(segment.data, segment.at))

    def settle(self, at: float) -> list[Entry]:
        """
        Nothing has come for a while (L{rtmptw.trace.reading.SILENCE}): look again at what is half there.

        @param at: now, seconds since the connection began.
        """
        return self._judge([entry for reading in self.readings.values() for entry in reading.settle(at)])

    def finish(self, side: Side, at: float, how: str) -> list[Entry]:
        """
        A side will say nothing any more.

        @param how: such as C{"FIN"} or C{"RST"}.
        """
        return self._judge(self.readings[side].finish(at, how))

    def _judge(self, entries: list[Entry]) -> list[Entry]:
        for entry in entries:
            entry.violations.extend(violations(self.talk, self.notes, entry))
            self.talk.heard(entry)
        return entries
