# -*- test-case-name: tests.wire.test_fileclock -*-
"""
The time of messages in a file: a file begins at 0, a live stream anywhere.

A tag's time has 32 bits, as on the wire, and begins again at 0 behind them, after 49 days 17 hours. Readers of files do
not take that well: in a file that begins within its first minute, as all of these do, FFmpeg goes back to 0 there; and
for the FLV format the upper 8 bits make it a signed number (annex E.4.1). So who writes a file without an end has to
begin another one before 2^31 ms (L{rtmptw.record.segment}).
"""

from __future__ import annotations

from rtmptw.wire.media import classify
from rtmptw.wire.message import Message
from rtmptw.wire.timestamp import Timeline

__all__ = ["REORDER_MARGIN", "FileClock"]

#: A file begins at 0. If a stream does not, its first frame is put here (ms), so that one which comes a little later
#: with a smaller timestamp (audio and video are not sorted) still has a place.
REORDER_MARGIN = 1000


class FileClock:
    """
    The clock of one file.

    The first frame says where the stream begins: if that is at 0 or up to L{REORDER_MARGIN} later, it stays there, and
    else it is put at L{REORDER_MARGIN}. All messages behind it keep their distance from it. What comes before it,
    metadata and headers as a rule, is put at 0, whatever its own time is: FFmpeg sends headers at 0, however late the
    frames begin.
    """

    def __init__(self) -> None:
        self._timeline = Timeline()
        self._origin: int | None = None

    def time(self, message: Message) -> int:
        """
        The time of the next message in the file.

        @return: ms since the beginning of the file, 0 to 2^32-1 (an FLV tag has no more room). What is earlier than the
            beginning is put at the beginning.
        """
        if self._origin is None:
            if not classify(message.type, message.payload).isFrame:
                return 0
            self._origin = max(0, message.timestamp - REORDER_MARGIN)
        return max(0, self._timeline.place(message.timestamp) - self._origin) & 0xFFFFFFFF
