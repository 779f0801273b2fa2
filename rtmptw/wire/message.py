# -*- test-case-name: tests.wire.test_message -*-
"""
The message: what chunks carry (RTMP 1.0, section 6), and its type IDs.

A message is a plain value. Its payload is bytes that nobody changes: whatever passes a message on passes these same
bytes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

__all__ = ["CONTROL_CHUNK_STREAM", "MAX_MESSAGE_SIZE", "MEDIA_CHUNK_STREAMS", "Message", "MessageType"]

#: The largest message that a chunk header can announce, bytes (24 bits; section 5.3.1.2.1).
MAX_MESSAGE_SIZE = 0xFFFFFF

#: The chunk stream that protocol control messages use (section 5.4), always with message stream ID 0.
CONTROL_CHUNK_STREAM = 2


class MessageType(IntEnum):
    """The message type IDs of RTMP 1.0, sections 5.4, 6.2 and 7.1."""

    SET_CHUNK_SIZE = 1
    ABORT = 2
    ACKNOWLEDGEMENT = 3
    USER_CONTROL = 4
    WINDOW_ACKNOWLEDGEMENT_SIZE = 5
    SET_PEER_BANDWIDTH = 6
    AUDIO = 8
    VIDEO = 9
    DATA_AMF3 = 15
    SHARED_OBJECT_AMF3 = 16
    COMMAND_AMF3 = 17
    DATA = 18
    SHARED_OBJECT = 19
    COMMAND = 20
    AGGREGATE = 22


@dataclass(slots=True)
class Message:
    """
    One message. Treat it as frozen.

    @ivar type: the message type ID, 0-255; a L{MessageType} or an unknown number.
    @ivar timestamp: ms, 0 to 2^32-1, as on the wire (it wraps; RTMP 1.0, section 5.3.1.3).
    @ivar streamId: the message stream ID; 0 for the NetConnection.
    @ivar payload: the body, 0 to 16777215 bytes.
    @ivar chunkStreamId: the chunk stream it came on or is to go out on, 2 to 65599.
    """

    type: int
    timestamp: int
    streamId: int
    payload: bytes
    chunkStreamId: int = 3


#: The chunk streams that we send media on: not those of commands and statuses, whose headers depend on each other.
MEDIA_CHUNK_STREAMS: dict[int, int] = {MessageType.AUDIO: 4, MessageType.VIDEO: 6, MessageType.DATA: 7}
