# -*- test-case-name: tests.compare.test_valuetree -*-
"""
The AMF0 values of a message with the place of each, also of those that lie in others: C{code} in the information of an
C{onStatus} has an offset of its own, so that two of them can be shown beside each other to the byte.

L{rtmptw.trace.values} has the places of the outermost values, which is what real readers go by; this is the same
decoder, watched at every step. What lies behind a switch to AMF3 (marker 11) has no places.
"""

from __future__ import annotations

from dataclasses import dataclass

from rtmptw.errors import AMFDecodeError
from rtmptw.trace.values import PlacedValue
from rtmptw.wire import amf0
from rtmptw.wire.amf import DATA_LIMITS, AMFValue
from rtmptw.wire.message import Message, MessageType

__all__ = ["ValueNode", "readTree"]

_AMF3 = frozenset((MessageType.COMMAND_AMF3, MessageType.DATA_AMF3))


@dataclass(frozen=True, slots=True)
class ValueNode(PlacedValue):
    """
    A value, and what lies in it.

    @ivar parts: its members or elements, in order, also those that a later one with the same key has replaced.
    """

    parts: tuple[ValueNode, ...] = ()


class _WatchedDecoder(amf0.Decoder):
    """A decoder that remembers where each value stood."""

    __slots__ = ("open_",)

    def __init__(self, message: Message) -> None:
        start = 1 if message.type in _AMF3 and message.payload[:1] == b"\0" else 0
        super().__init__(message.payload, DATA_LIMITS, start)
        self.open_: list[list[ValueNode]] = [[]]

    def _value(self) -> AMFValue:
        start = self.position
        self.open_.append([])
        value = super()._value()
        parts = tuple(self.open_.pop())
        self.open_[-1].append(ValueNode(value, start, self.position, self.data[start], parts))
        return value


def readTree(message: Message) -> tuple[tuple[ValueNode, ...], AMFDecodeError | None]:
    """
    Read the values of a command or data message. It does not raise.

    @return: those that can be read, and why the next one can't; L{None} if all can.
    """
    decoder = _WatchedDecoder(message)
    fault = None
    try:
        while decoder.position < decoder.end:
            decoder.value()
    except AMFDecodeError as error:
        fault = error
    return tuple(decoder.open_[0]), fault
