# -*- test-case-name: tests.record.test_lag -*-
"""
The lag: how far a stream has fallen behind the clock while its recording waited for the disk.

Who waits for the disk makes the publisher wait, and so everybody who watches. A file that is sent much faster than it
plays may wait for long, and nobody sees anything of it; a camera may not. What tells them apart is the stream's own
time: it falls behind the clock, or it does not.
"""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime

__all__ = ["Lag"]

#: Times have 32 bits and may run over; a difference has a sign.
_CIRCLE = 1 << 32


class Lag:
    """
    The lag of one stream.

    @ivar timestamp: that of its newest message, ms.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.timestamp = 0
        self._clock = clock
        self._began: tuple[float, int] | None = None

    @property
    def seconds(self) -> float:
        """How far it has fallen behind, seconds; less than nothing, if it comes faster than it plays."""
        if self._began is None:
            return 0.0
        began, timestamp = self._began
        played = (self.timestamp - timestamp + _CIRCLE // 2) % _CIRCLE - _CIRCLE // 2
        return self._clock.seconds() - began - played / 1000

    def begin(self) -> None:
        """The disk makes it wait, or still does: what it loses from the first time on counts."""
        if self._began is None:
            self._began = self._clock.seconds(), self.timestamp

    def end(self) -> None:
        """The disk has taken everything."""
        self._began = None
