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

from rtmptw.live.tape import Tape

if TYPE_CHECKING:
    from rtmptw.live.livestream import LiveStream

__all__ = ["FASTEST", "HOLD_BYTES", "Pace"]

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
