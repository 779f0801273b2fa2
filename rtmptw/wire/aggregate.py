# -*- test-case-name: tests.wire.test_aggregate -*-
"""
Aggregate messages, type 22: FLV tags in one message (RTMP 1.0, section 7.1.6; wire facts 2.6)::

    type (1) | size (3) | timestamp (3 + 1) | stream ID (3) | body (size) | back pointer (4)   ... repeated

The stamps within are relative: the first tag happens at the message's own time.
"""

from __future__ import annotations

from rtmptw.errors import LimitExceeded, RemoteProtocolError
from rtmptw.wire.message import Message, MessageType

__all__ = ["MAX_PARTS", "splitAggregate"]

#: The most messages that one aggregate may hold.
MAX_PARTS = 1024

_HEADER = 11
_BACK_POINTER = 4


def splitAggregate(message: Message) -> list[Message]:
    """
    Take an aggregate message apart.

    @return: its messages in order, with the message stream and chunk stream of the whole.
    @raise RemoteProtocolError: if a part is cut short, or is itself an aggregate.
    @raise LimitExceeded: for more than L{MAX_PARTS} parts.
    """
    data = message.payload
    parts: list[Message] = []
    position = 0
    first: int | None = None
    while position < len(data):
        if len(parts) == MAX_PARTS:
            raise LimitExceeded(
                f"an aggregate of more than {MAX_PARTS} messages", offset=position, messageType=message.type
            )
        body = position + _HEADER
        size = int.from_bytes(data[position + 1 : position + 4], "big")
        # The last back pointer may be missing, a header or a body may not.
        if body + size > len(data):
            raise RemoteProtocolError(
                "a message within an aggregate is cut short", offset=position, messageType=message.type
            )
        type = data[position]
        if type == MessageType.AGGREGATE:
            raise RemoteProtocolError("an aggregate within an aggregate", offset=position, messageType=message.type)
        stamp = int.from_bytes(data[position + 4 : position + 7], "big") | data[position + 7] << 24
        if first is None:
            first = stamp
        timestamp = (message.timestamp + stamp - first) & 0xFFFFFFFF
        parts.append(Message(type, timestamp, message.streamId, data[body : body + size], message.chunkStreamId))
        position = body + size + _BACK_POINTER
    return parts
