# -*- test-case-name: tests.wire.test_command -*-
"""
Command messages (RTMP 1.0, sections 7.1.1 and 7.2; wire facts 3 and 4)::

    name (string) | transaction ID (number) | command object | argument ...

Read leniently: type 20 and 17, a transaction ID that is not a number or missing, any number of arguments of any type.
Written strictly: always type 20, AMF0, and never fewer than three values, because some clients stop at anything else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from rtmptw.errors import AMFUnsupportedError, RemoteProtocolError
from rtmptw.wire import amf0
from rtmptw.wire.amf import COMMAND_LIMITS, AMFLimits, AMFValue
from rtmptw.wire.message import Message, MessageType

__all__ = ["Command", "messageStreamId"]

#: The longest payload that is remembered, bytes (real commands have 20 to 500), and how many are.
_LONGEST = 1024
_REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class Command:
    """
    One command.

    @ivar name: such as C{"connect"}, C{"_result"}, C{"onStatus"}.
    @ivar transactionId: the number to repeat in the answer, exactly as it came; 0 asks for none.
    @ivar commandObject: the third value: an object (C{dict}) in connect and its answer, mostly L{None} elsewhere.
    @ivar arguments: what follows.
    """

    name: str
    transactionId: float = 0.0
    commandObject: AMFValue = None
    arguments: tuple[AMFValue, ...] = ()

    @classmethod
    def decode(cls, message: Message, limits: AMFLimits = COMMAND_LIMITS) -> Command:
        """
        Read a message of type 20 or 17.

        A value whose type is unknown ends the list of arguments; those before it are good (wire facts 3.6, 18).

        @param limits: how much it may hold.
        @raise RemoteProtocolError: if it has no name, or a value is malformed or too large.
        """
        return _read(message.payload, message.type, limits)

    @classmethod
    def decodeShared(cls, message: Message, limits: AMFLimits = COMMAND_LIMITS) -> Command:
        """
        As L{decode}, for a server: clients of one kind say the same to the byte, and many may come at once. What is
        among the last that came is not read again, so what is returned is shared, and must not be changed.
        """
        return (_remember if len(message.payload) <= _LONGEST else _read)(message.payload, message.type, limits)

    def encode(self, streamId: int = 0, chunkStreamId: int = 3) -> Message:
        """
        @raise LocalProtocolError: if a value has no AMF0 form.
        """
        payload = amf0.encode(self.name, self.transactionId, self.commandObject, *self.arguments)
        return Message(MessageType.COMMAND, 0, streamId, payload, chunkStreamId)

    def argument(self, index: int) -> AMFValue:
        """One argument, or L{None} if there are not so many."""
        return self.arguments[index] if index < len(self.arguments) else None

    def text(self, index: int) -> str | None:
        """One argument if it is a string, else L{None}."""
        value = self.argument(index)
        return value if isinstance(value, str) else None


def _read(payload: bytes, type: int, limits: AMFLimits) -> Command:
    """L{Command.decode}."""
    # A leading 0 announces AMF3 encoding, but AMF0 values follow (some small clients leave it out; wire facts 4).
    start = 1 if type == MessageType.COMMAND_AMF3 and payload[:1] == b"\0" else 0
    values, fault = amf0.decodePrefix(payload, limits, start)
    if fault is not None and not isinstance(fault, AMFUnsupportedError):
        raise fault
    if not values or not isinstance(values[0], str):
        raise RemoteProtocolError("a command that does not begin with a name", messageType=type)
    return Command(
        values[0],
        _transactionId(values[1] if len(values) > 1 else None),
        values[2] if len(values) > 2 else None,
        tuple(values[3:]),
    )


_remember = lru_cache(maxsize=_REMEMBERED)(_read)


def _transactionId(value: AMFValue) -> float:
    """Any number but NaN and the infinities; 0 for whatever else was sent in its place (wire facts 4)."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return 0.0
    return float(value)


def messageStreamId(value: AMFValue) -> int | None:
    """
    A message stream ID that came as an AMF number.

    @return: 0 to 2^32-1, or L{None} for anything else (a name, NaN, a fraction, a negative number).
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if not 0 <= value <= 0xFFFFFFFF or value != int(value):
        return None
    return int(value)
