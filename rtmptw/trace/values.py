# -*- test-case-name: tests.trace.test_values -*-
"""
The AMF0 values of a command or data message, each with the bytes that it stands in: what a real reader looks at by its
place, and what a complaint about it can point to (wire facts 3.2 and 4).
"""

from __future__ import annotations

from dataclasses import dataclass

from rtmptw.errors import AMFDecodeError
from rtmptw.wire.amf import DATA_LIMITS, AMFValue
from rtmptw.wire.amf0 import Decoder
from rtmptw.wire.message import Message, MessageType

__all__ = ["COMMANDS", "DATA", "PlacedValue", "Values", "readValues"]

#: The types whose payload is values, with the byte that may stand in front of them in AMF3's types (wire facts 4).
COMMANDS = frozenset((MessageType.COMMAND, MessageType.COMMAND_AMF3))
DATA = frozenset((MessageType.DATA, MessageType.DATA_AMF3))
_AMF3 = frozenset((MessageType.COMMAND_AMF3, MessageType.DATA_AMF3))


@dataclass(frozen=True, slots=True)
class PlacedValue:
    """
    A value in a payload.

    @ivar value: as decoded.
    @ivar start: its first byte (the marker), from the start of the payload.
    @ivar stop: the byte behind it.
    @ivar marker: its first byte: the AMF0 type.
    """

    value: AMFValue
    start: int
    stop: int
    marker: int


@dataclass(frozen=True, slots=True)
class Values:
    """
    The values of one message.

    @ivar placed: those that can be read, in order.
    @ivar fault: why the next one can't; L{None} if all can.
    """

    placed: tuple[PlacedValue, ...]
    fault: AMFDecodeError | None = None

    def get(self, index: int) -> AMFValue:
        """One value; L{None} also if there are not so many."""
        return self.placed[index].value if index < len(self.placed) else None

    def at(self, index: int) -> PlacedValue | None:
        """One value with its place."""
        return self.placed[index] if index < len(self.placed) else None

    @property
    def name(self) -> str:
        """The name of the command or data; empty if there is none."""
        name = self.get(0)
        return name if isinstance(name, str) else ""

    @property
    def transactionId(self) -> float | None:
        """The second value, if it is a number."""
        value = self.get(1)
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def readValues(message: Message) -> Values:
    """
    Read the values of a command or data message. It does not raise.

    @param message: of one of the types L{COMMANDS} and L{DATA}.
    """
    start = 1 if message.type in _AMF3 and message.payload[:1] == b"\0" else 0
    decoder = Decoder(message.payload, DATA_LIMITS, start)
    placed: list[PlacedValue] = []
    try:
        while decoder.position < decoder.end:
            at = decoder.position
            value = decoder.value()
            placed.append(PlacedValue(value, at, decoder.position, message.payload[at]))
    except AMFDecodeError as fault:
        return Values(tuple(placed), fault)
    return Values(tuple(placed))
