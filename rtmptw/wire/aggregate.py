# -*- test-case-name: tests.wire.test_aggregate -*-
"""
Aggregate messages, type 22: FLV tags in one message (RTMP 1.0, section 7.1.6; wire facts 2.6)::

    type (1) | size (3) | timestamp (3 + 1) | stream ID (3) | body (size) | back pointer (4)   ... repeated

The stamps within are relative: the first tag happens at the message's own time.
"""

from __future__ import annotations

from collections.abc import Iterator

from rtmptw.errors import LimitExceeded, RemoteProtocolError
from rtmptw.wire.message import Message, MessageType

__all__ = ["MAX_PARTS", "splitAggregate"]

#: The most messages that one aggregate may hold.
MAX_PARTS = 1024

_HEADER = 11
_BACK_POINTER = 4


def splitAggregate(message: Message) -> Iterator[Message]:
    """
    Take an aggregate message apart.

    @return: its messages in order, with the message stream and chunk stream of the whole. Nothing is looked at before
        it is asked for: what is wrong with a part is raised behind the good ones that stand before it.
    @raise RemoteProtocolError: if a part is cut short, or is itself an aggregate. The C{offset} of this error and the
        next is where the part begins, counted from the beginning of the aggregate's payload.
    @raise LimitExceeded: for more than L{MAX_PARTS} parts, when that many have been given.
    """
    data = message.payload
    position = count = 0
    first: int | None = None
    while position < len(data):
        if count == MAX_PARTS:
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
        yield Message(type, timestamp, message.streamId, data[body : body + size], message.chunkStreamId)
        position = body + size + _BACK_POINTER
        count += 1
