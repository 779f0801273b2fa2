# -*- test-case-name: tests.wire.test_data -*-
"""
Data messages, types 18 and 15: metadata, captions, cue points (RTMP 1.0, section 7.1.2; wire facts 5).

A publisher says C{@setDataFrame, onMetaData, {...}}: "remember this for who comes later". Players are sent
C{onMetaData, {...}}. The bytes behind the prefix are kept as they came, unless a player is known to stop at them
(wire facts 3.3): then the same values are encoded anew from what every player reads.
"""

from __future__ import annotations

from dataclasses import dataclass

from rtmptw.errors import RemoteProtocolError
from rtmptw.wire import amf0
from rtmptw.wire.amf import DATA_LIMITS, UNDEFINED, UNSUPPORTED, AMFValue, Date, ECMAArray, TypedObject, XMLDocument
from rtmptw.wire.message import Message, MessageType

__all__ = ["CLEAR_DATA_FRAME", "ON_META_DATA", "SET_DATA_FRAME", "DataMessage"]

SET_DATA_FRAME = "@setDataFrame"
CLEAR_DATA_FRAME = "@clearDataFrame"
ON_META_DATA = "onMetaData"

#: FFmpeg stops playing at a longer name (wire facts 3.3), bytes.
MAX_NAME = 63

_OBJECT_END = b"\0\0\x09"


@dataclass(frozen=True)
class DataMessage:
    """
    What a data message says.

    @ivar name: such as C{"onMetaData"}; behind C{@clearDataFrame}, the name of what is to be forgotten.
    @ivar values: what follows the name.
    @ivar payload: the AMF0 bytes for players and files: name and values without the prefix.
    @ivar clears: whether it came behind C{@clearDataFrame}: then there is nothing to pass on.
    """

    name: str
    values: tuple[AMFValue, ...]
    payload: bytes
    clears: bool = False

    @classmethod
    def decode(cls, message: Message) -> DataMessage:
        """
        @raise RemoteProtocolError: if it does not begin with a name, or is malformed: to be logged and passed over
            (wire facts 10.70), the connection is still good.
        """
        payload = message.payload
        if message.type == MessageType.DATA_AMF3 and payload[:1] == b"\0":
            payload = payload[1:]
        values = amf0.decode(payload, DATA_LIMITS)
        prefix = values[0] if values else None
        if prefix in (SET_DATA_FRAME, CLEAR_DATA_FRAME):
            payload = payload[len(amf0.encode(prefix)) :]
            values = values[1:]
        if not values or not isinstance(values[0], str):
            raise RemoteProtocolError("a data message that does not begin with a name", messageType=message.type)
        if len(values[0].encode("utf-8", "surrogateescape")) > MAX_NAME:
            raise RemoteProtocolError("a data message with a name that players stop at", messageType=message.type)
        if message.type == MessageType.DATA_AMF3 or not _isPlain(values, payload):
            values = [_plain(value) for value in values]
            payload = amf0.encode(*values)
        return cls(str(values[0]), tuple(values[1:]), payload, prefix == CLEAR_DATA_FRAME)


def _isPlain(values: list[AMFValue], payload: bytes) -> bool:
    """Whether every known player reads these values, in these bytes."""
    if isinstance(values[-1], dict) and not payload.endswith(_OBJECT_END):
        return False
    return all(_isPlainValue(value) for value in values)


def _isPlainValue(value: AMFValue) -> bool:
    """Whether FFmpeg's reader knows the type (wire facts 4)."""
    if isinstance(value, list):
        return type(value) is list and all(_isPlainValue(item) for item in value)
    if isinstance(value, dict):
        return not isinstance(value, TypedObject) and all(_isPlainValue(item) for item in value.values())
    return value is None or (isinstance(value, (bool, float, str, Date)) and not isinstance(value, XMLDocument))


def _plain(value: AMFValue) -> AMFValue:
    """The nearest value that is plain."""
    if value is UNDEFINED or value is UNSUPPORTED or isinstance(value, bytes):
        return None
    if isinstance(value, XMLDocument):
        return str(value)
    if isinstance(value, ECMAArray):
        return ECMAArray({key: _plain(item) for key, item in value.items()})
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) if not isinstance(item, tuple) else None for item in value]
    return value
