# -*- test-case-name: tests.dialects.test_reflexes -*-
"""
Reflexes: what a client does at once when it reads a message, whatever it waits for (wire facts 0, 2.5, 2.8, 3.1).

::

    Set Chunk Size           FFmpeg announces the same
    Set Peer Bandwidth       GStreamer announces the same window, unless it has announced it before
    ping                     is answered
    onBWDone                 FFmpeg and librtmp send _checkbw, with their next transaction ID
"""

from __future__ import annotations

from collections.abc import Callable

from rtmptw.dialects.contact import Contact
from rtmptw.dialects.dialect import Dialect, Line, Window
from rtmptw.trace.values import COMMANDS, readValues
from rtmptw.wire.control import UserControl, UserControlType, controlValue, setChunkSize, windowAcknowledgementSize
from rtmptw.wire.message import MAX_MESSAGE_SIZE, Message, MessageType

__all__ = ["DEFAULT_WINDOW", "Reflexes"]

#: What all clients take for the window until the server has named one, bytes.
DEFAULT_WINDOW = 2_500_000

_MOST_WINDOW = 0x7FFFFFFF


class Reflexes:
    """
    Those of one client.
    """

    def __init__(self, dialect: Dialect, contact: Contact, say: Callable[[Line], object]) -> None:
        """
        @param say: sends a command.
        """
        self._dialect = dialect
        self._contact = contact
        self._say = say
        #: What the server has said, and what the client has announced; 0 before.
        self._window = self._bandwidth = DEFAULT_WINDOW
        self._announced = 0

    def react(self, message: Message) -> None:
        """Do at once what this client does at once."""
        value = controlValue(message)
        if message.type == MessageType.SET_PEER_BANDWIDTH and value:
            self._bandwidth = min(value, _MOST_WINDOW)
            if self._dialect.mirrorsBandwidth:
                self._announce(self._bandwidth)
        elif message.type == MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE and value:
            self._window = min(value, _MOST_WINDOW)
        elif message.type == MessageType.SET_CHUNK_SIZE and value and self._dialect.mirrorsChunkSize:
            self._contact.send(setChunkSize(min(value, MAX_MESSAGE_SIZE)))
        elif message.type == MessageType.USER_CONTROL and self._dialect.answersPings:
            control = UserControl.decode(message.payload)
            if control is not None and control.event == UserControlType.PING_REQUEST:
                self._contact.send(UserControl(UserControlType.PING_RESPONSE, control.value).encode())
        elif self._dialect.answersBandwidthDone and _isBandwidthDone(message):
            self._say(Line("_checkbw"))

    def announceWindow(self) -> None:
        """Connect has been answered."""
        window = self._dialect.window
        if window is Window.DEFAULT:
            self._announce(DEFAULT_WINDOW)
        elif window is not Window.NONE:
            value = self._bandwidth if window is Window.BANDWIDTH else self._window
            self._contact.send(windowAcknowledgementSize(value))

    def _announce(self, window: int) -> None:
        """Announce a window, unless that is known."""
        if window != self._announced:
            self._announced = window
            self._contact.send(windowAcknowledgementSize(window))


def _isBandwidthDone(message: Message) -> bool:
    return message.type in COMMANDS and readValues(message).name == "onBWDone"
