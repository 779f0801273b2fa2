# -*- test-case-name: tests.record.test_lag -*-
"""
The lag: how far a stream has fallen behind the clock because its recording waited for the disk.

Who waits for the disk makes the publisher wait, and so everybody who watches. A file that is sent much faster than it
plays may wait for long, and nobody sees anything of it; a camera may not. What tells them apart is the stream's own
time: it falls behind the clock, or it does not. And nobody is further behind than he was held.
"""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime

from rtmptw.live.livestream import LiveStream
from rtmptw.wire.message import Message, MessageType
from rtmptw.wire.timestamp import elapsed

__all__ = ["Lag"]


class Lag:
    """
    The lag of one stream.
    """

    def __init__(self, clock: IReactorTime, stream: LiveStream) -> None:
        self._clock = clock
        self._stream = stream
        # The newest time of any track, ms.
        self._timestamp: int | None = None
        # When the disk made it wait for the first time, and its time then; and since when it does now.
        self._began: tuple[float, int] | None = None
        self._since: float | None = None
        self._held = 0.0

    @property
    def isFelt(self) -> bool:
        """Whether there is a publisher to hold, and anybody who watches."""
        stream = self._stream
        return stream.publication is not None and bool(stream.viewers or stream.audience)

    @property
    def seconds(self) -> float:
        """How far those who watch have fallen behind, seconds; 0, if it comes faster than it plays."""
        if self._began is None:
            return 0.0
        began, timestamp = self._began
        played = elapsed(self._timestamp or 0, timestamp) / 1000
        return max(0.0, min(self._held, self._clock.seconds() - began - played))

    def take(self, message: Message) -> None:
        """A message has come. Data has times of its own."""
        if message.type not in (MessageType.AUDIO, MessageType.VIDEO):
            return
        if self._timestamp is None or elapsed(message.timestamp, self._timestamp) > 0:
            self._timestamp = message.timestamp

    def hold(self) -> None:
        """The disk makes the publisher wait."""
        self._since = self._clock.seconds()
        if self._began is None:
            self._began = self._since, self._timestamp or 0

    def look(self) -> None:
        """It still does. What somebody felt of it since the last look, counts."""
        now = self._clock.seconds()
        if self._since is not None:
            self._held += now - self._since if self.isFelt else 0.0
            self._since = now

    def release(self) -> None:
        """It does no longer."""
        self.look()
        self._since = None

    def end(self) -> None:
        """The disk has taken everything."""
        self._began, self._since, self._held = None, None, 0.0
