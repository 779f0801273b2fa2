# -*- test-case-name: tests.benchmarks.load.test_talk -*-
"""
The talk of a client with a server until its stream runs::

    handshake -> connected -> created -> started

Each step waits for some bytes, and then says the next of its L{Words}.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from benchmarks.load.words import CONNECTED, CREATED, REFUSALS, Words
from rtmptw.errors import RTMPError
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.command import Command
from rtmptw.wire.control import controlValue
from rtmptw.wire.handshake import HANDSHAKE_SIZE
from rtmptw.wire.message import MessageType

__all__ = ["Refused", "Talk"]

#: Where S1 is among the bytes of the handshake.
_S1 = slice(1, 1537)

#: Behind C{CREATED}: a null, and a number with its marker.
_STREAM_ID = struct.Struct(">xxd")


class Refused(Exception):
    """The server has said no; the text is what it said."""


class Talk:
    """
    One client's side.

    @ivar answers: all that the server has said, while that is of interest.
    @ivar streamId: the message stream ID that it has given.
    @ivar found: which of the awaited bytes have come, once all is said.
    """

    def __init__(self, words: Words, until: tuple[bytes, ...]) -> None:
        """
        @param until: the bytes, any of which shows that the stream runs.
        """
        self.answers = bytearray()
        self.streamId = 0
        self.found: bytes | None = None
        self._words = words
        self._until = until
        self._step: Callable[[], bytes | None] = self._shakeHands

    def feed(self, data: bytes) -> bytes:
        """
        Take what the server says.

        @return: what to say now.
        @raise Refused: if it will not.
        """
        self.answers += data
        said = b""
        while self.found is None:
            more = self._step()
            if more is None:
                break
            said += more
        if self.found is None and self._step != self._shakeHands:
            self._checkRefusal()
        return said

    def _shakeHands(self) -> bytes | None:
        if len(self.answers) < HANDSHAKE_SIZE:
            return None
        c2 = bytes(self.answers[_S1])
        self._step = self._connected
        return c2 + self._words.connect

    def _connected(self) -> bytes | None:
        if self.answers.find(CONNECTED, HANDSHAKE_SIZE) < 0:
            return None
        self._step = self._created
        return self._words.create

    def _created(self) -> bytes | None:
        found = self.answers.find(CREATED, HANDSHAKE_SIZE)
        start = found + len(CREATED)
        if found < 0 or len(self.answers) < start + _STREAM_ID.size:
            return None
        (number,) = _STREAM_ID.unpack_from(self.answers, start)
        self.streamId = int(number)
        self._step = self._started
        return self._words.start(self.streamId)

    def _started(self) -> bytes | None:
        for sign in self._until:
            if self.answers.find(sign, HANDSHAKE_SIZE) >= 0:
                self.found = sign
                break
        return None

    def _checkRefusal(self) -> None:
        if any(self.answers.find(no, HANDSHAKE_SIZE) >= 0 for no in REFUSALS):
            raise Refused(self.describe())

    def describe(self) -> str:
        """What the server has said, for people: its commands."""
        return "; ".join(_outline(command) for command in self._commands()) or f"{len(self.answers)} bytes"

    def _commands(self) -> list[Command]:
        commands = []
        try:
            for message in ChunkReader().feed(bytes(self.answers[HANDSHAKE_SIZE:])):
                if message.type == MessageType.COMMAND:
                    commands.append(Command.decode(message))
        except RTMPError:
            pass  # What could be read is enough to tell.
        return commands

    @property
    def window(self) -> int:
        """After how many bytes the server wants an acknowledgement; 0 if it has not said so."""
        window = 0
        try:
            for message in ChunkReader().feed(bytes(self.answers[HANDSHAKE_SIZE:])):
                if message.type == MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE:
                    window = controlValue(message) or 0
        except RTMPError:
            pass  # It stands at the begin.
        return window


def _outline(command: Command) -> str:
    information = command.argument(0)
    if isinstance(information, dict):
        words = [information.get("code"), information.get("description")]
        return " ".join([command.name, *(word for word in words if isinstance(word, str))])
    return command.name
