# -*- test-case-name: tests.wire.test_data -*-
"""
Data messages, types 18 and 15: metadata, captions, cue points (RTMP 1.0, section 7.1.2; wire facts 5).

A publisher says C{@setDataFrame, onMetaData, {...}}: "remember this for who comes later". Players are sent
C{onMetaData, {...}}. The bytes behind the prefix are kept as they came, unless a player is known to stop at them
(wire facts 3.3): then the same values are encoded anew from what every player reads.
"""

from __future__ import annotations

from dataclasses import dataclass

from rtmptw.errors import LocalProtocolError, RemoteProtocolError
from rtmptw.wire import amf0
from rtmptw.wire.amf import DATA_LIMITS, UNDEFINED, UNSUPPORTED, AMFLimits, AMFValue, ECMAArray, XMLDocument
from rtmptw.wire.message import Message, MessageType

__all__ = ["CLEAR_DATA_FRAME", "ON_META_DATA", "SET_DATA_FRAME", "DataMessage", "toPublish"]

SET_DATA_FRAME = "@setDataFrame"
CLEAR_DATA_FRAME = "@clearDataFrame"
ON_META_DATA = "onMetaData"

#: FFmpeg stops playing at a longer name, and at longer keys (wire facts 3.3), bytes.
MAX_NAME = 63
MAX_KEY = 127

#: The AMF0 types that FFmpeg knows (wire facts 4): number, boolean, null and date, with their sizes, and the others.
_FIXED = {0x00: 9, 0x01: 2, 0x05: 1, 0x0B: 11}
_STRING, _OBJECT, _ECMA_ARRAY, _STRICT_ARRAY, _LONG_STRING = 0x02, 0x03, 0x08, 0x0A, 0x0C
_OBJECT_END = b"\0\0\x09"

_PREFIX, _METADATA = amf0.encode(SET_DATA_FRAME), amf0.encode(ON_META_DATA)


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
    def decode(cls, message: Message, limits: AMFLimits = DATA_LIMITS) -> DataMessage:
        """
        @param limits: how much it may hold.
        @raise RemoteProtocolError: if it does not begin with a name, or is malformed: to be logged and passed over
            (wire facts 10.70), the connection is still good.
        """
        payload = message.payload
        if message.type == MessageType.DATA_AMF3 and payload[:1] == b"\0":
            payload = payload[1:]
        values = amf0.decode(payload, limits)
        prefix = values[0] if values else None
        plain = message.type == MessageType.DATA
        if prefix in (SET_DATA_FRAME, CLEAR_DATA_FRAME):
            head = amf0.encode(prefix)
            # The same text may have come as a long string, or in AMF3.
            plain = plain and payload.startswith(head)
            payload = payload[len(head) :]
            values = values[1:]
        if not values or not isinstance(values[0], str):
            raise RemoteProtocolError("a data message that does not begin with a name", messageType=message.type)
        if _size(values[0]) > MAX_NAME:
            raise RemoteProtocolError("a data message with a name that players stop at", messageType=message.type)
        if not plain or not _isPlain(payload):
            values = [_plain(value) for value in values]
            try:
                payload = amf0.encode(*values)
            except LocalProtocolError as error:
                # Limits may be so generous that what was read can't be written again.
                raise RemoteProtocolError(f"no AMF0 for this data: {error}", messageType=message.type) from None
        return cls(str(values[0]), tuple(values[1:]), payload, prefix == CLEAR_DATA_FRAME)


def toPublish(payload: bytes) -> bytes:
    """
    The payload of a data message, as a publisher sends it.

    @param payload: AMF0, as L{DataMessage.payload}, or with its prefix already.
    @return: C{onMetaData} behind C{@setDataFrame}, which some servers need to keep it for those who come later (wire
        facts 5); anything else as it is.
    """
    return _PREFIX + payload if payload.startswith(_METADATA) else payload


def _size(text: str) -> int:
    """The length of a string on the wire, bytes."""
    return len(text.encode("utf-8", "surrogateescape"))


def _isPlain(payload: bytes) -> bool:
    """Whether every known player can read these values, in these very bytes; they are known to be AMF0."""
    position = 0
    while position < len(payload):
        position = _skip(payload, position)
    return payload[0] == _STRING and position == len(payload)


def _skip(data: bytes, position: int) -> int:
    """
    Pass over one value as FFmpeg does.

    @return: where the next one begins; beyond the end, if FFmpeg would stop.
    """
    marker = data[position] if position < len(data) else None
    if marker in _FIXED:
        return position + _FIXED[marker]
    if marker == _STRING:
        return position + 3 + int.from_bytes(data[position + 1 : position + 3], "big")
    if marker == _LONG_STRING:
        return position + 5 + int.from_bytes(data[position + 1 : position + 5], "big")
    if marker == _STRICT_ARRAY:
        count = int.from_bytes(data[position + 1 : position + 5], "big")
        position += 5
        while count and position < len(data):
            count, position = count - 1, _skip(data, position)
        return len(data) + 1 if count else position
    if marker in (_OBJECT, _ECMA_ARRAY):
        position += 1 if marker == _OBJECT else 5
        while data[position : position + 3] != _OBJECT_END:
            key = int.from_bytes(data[position : position + 2], "big")
            if position >= len(data) or key > MAX_KEY:
                return len(data) + 1
            position = _skip(data, position + 2 + key)
        return position + 3
    return len(data) + 1


def _plain(value: AMFValue) -> AMFValue:
    """The nearest value that is plain."""
    if value is UNDEFINED or value is UNSUPPORTED or isinstance(value, (bytes, tuple)):
        return None
    if isinstance(value, XMLDocument):
        return str(value)
    if isinstance(value, dict):
        members = {key: _plain(item) for key, item in value.items() if _size(key) <= MAX_KEY}
        return ECMAArray(members) if isinstance(value, ECMAArray) else members
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
