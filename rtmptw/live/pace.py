# -*- test-case-name: tests.live.test_pace -*-
"""
Pace: the only reason for which a publisher waits for a viewer.

Nothing live comes faster than L{FASTEST}. A publisher that is faster is a file on its way, and loses nothing by
waiting; a viewer that can't keep up with it would lose most of it. So while a viewer is L{HOLD_BYTES} behind, such a
publisher is not read, until the viewer has caught up, or until so much time has passed that it is not faster any more.
No viewer can slow a publisher down to less than L{FASTEST}.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.interfaces import IDelayedCall

from rtmptw.live.tape import FULL, Tape

if TYPE_CHECKING:
    from rtmptw.live.livestream import LiveStream

__all__ = ["FASTEST", "HOLD_BYTES", "Haste", "Pace"]

#: How far behind a viewer is when such a publisher waits for it, bytes.
HOLD_BYTES = 4 * 1024 * 1024

#: How fast it must be, bytes per second.
FASTEST = 16 * 1024 * 1024


class Pace:
    """
    One viewer's hold on the publisher.
    """

    def __init__(self, stream: LiveStream) -> None:
        self._stream = stream
        self._call: IDelayedCall | None = None

    def keep(self, tape: Tape, position: int) -> None:
        """
        Hold the publisher, or let it go.

        @param position: where the viewer is.
        """
        behind = tape.behind(position)
        if behind <= HOLD_BYTES:
            self.letGo()
        elif self._call is None:
            clock = self._stream.clock
            least = behind / FASTEST
            early = least - (clock.seconds() - tape.written(position))
            # More than that has nobody to wait, unless the clock was set back.
            if 0 < early <= least:
                self._stream.hold(self)
                self._call = clock.callLater(early, self.letGo)

    def letGo(self) -> None:
        """Hold the publisher no longer. Harmless when repeated."""
        call, self._call = self._call, None
        if call is not None:
            if call.active():
                call.cancel()
            self._stream.release(self)


class Haste:
    """
    How far a publisher is ahead of anything live. Who is not can't make L{Pace} hold it, for longer than L{FULL} takes,
    so viewers that take nothing need not be looked at.
    """

    def __init__(self) -> None:
        self._ahead = self._time = 0.0
        self._bytes = self._told = 0

    def wantsLook(self, tape: Tape, now: float) -> bool:
        """
        To be asked at each round.

        @param now: the time, seconds.
        @return: whether it is faster than anything live; at most once for each L{FULL}.
        """
        size = tape.bytes
        ahead = max(self._ahead - FASTEST * max(now - self._time, 0.0), 0.0) + size - self._bytes
        # Nobody is further behind than the tape reaches; and without viewers there are no rounds for long.
        self._ahead = min(ahead, tape.held)
        self._bytes, self._time = size, now
        if self._ahead < FULL or size - self._told < FULL:
            return False
        self._told = size
        return True
