# -*- test-case-name: tests.session.test_serverconnection -*-
"""
When to acknowledge what has been received (RTMP 1.0, sections 5.4.3 and 5.4.4; wire facts 2.8).
"""

from __future__ import annotations

from rtmptw.wire.control import acknowledgement, controlValue
from rtmptw.wire.message import Message

__all__ = ["MIN_WINDOW", "Acknowledgements"]

#: The smallest acknowledgement window that we honour, bytes. There is no largest: rtmp2's, which is what we have called
#: its bandwidth, is meant never to be full (wire facts 2.8).
MIN_WINDOW = 32 * 1024


class Acknowledgements:
    """What one peer is to be told. One that has named no window wants none, and some are harmed by them."""

    def __init__(self) -> None:
        self._window = 0
        self._acknowledged = 0

    def windowReceived(self, message: Message) -> None:
        """A Window Acknowledgement Size."""
        window = controlValue(message)
        if window:
            self._window = max(window, MIN_WINDOW)

    def due(self, received: int) -> tuple[Message, ...]:
        """
        @param received: all bytes received so far.
        @return: an Acknowledgement, if a window is full, or nothing.
        """
        if not self._window or received - self._acknowledged < self._window:
            return ()
        self._acknowledged = received
        return (acknowledgement(received),)
