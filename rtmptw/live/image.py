# -*- test-case-name: tests.live.test_tape -*-
"""
The image of a message: its chunks, made once for all who watch.

A type 0 header needs no memory of what was sent before, and the chunk size is the same for everybody: so these bytes
are good for every viewer, but for the message stream ID. That is 1 on the tape and for nearly all viewers.
"""

from __future__ import annotations

from struct import Struct

from rtmptw.errors import LocalProtocolError
from rtmptw.session.connect import OUR_CHUNK_SIZE
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.chunkwriter import encodeMessage
from rtmptw.wire.data import toPublish as payloadToPublish
from rtmptw.wire.limits import ReadLimits
from rtmptw.wire.message import MAX_MESSAGE_SIZE, MEDIA_CHUNK_STREAMS, Message

__all__ = ["address", "decodeImages", "encodeImage", "toPublish"]

#: We read only what we have written.
_NO_LIMITS = ReadLimits(messageSize={}, otherMessageSize=MAX_MESSAGE_SIZE, partialBytes=MAX_MESSAGE_SIZE)


_EXTENDED = 0xFFFFFF

#: A type 0 header in words (RTMP 1.0, section 5.3.1.2.1): basic header and timestamp; length and type; message stream.
#: Then, if the timestamp is too large for its field, the extended one.
_HEADER = Struct(">III").pack
_LONG_HEADER = Struct(">IIII").pack

#: Message stream 1, little-endian.
_STREAM_1 = 1 << 24


def encodeImage(message: Message) -> bytes:
    """
    The image of a message, for message stream 1. This runs for every message, so the usual one is made in one step.

    @raise LocalProtocolError: if it is neither audio nor video nor data, or a field does not fit the wire.
    """
    type, stamp, payload = message.type, message.timestamp, message.payload
    chunkStream = MEDIA_CHUNK_STREAMS.get(type)
    if chunkStream is None:
        raise LocalProtocolError(f"a stream has audio, video and data, and no message type {type}")
    length = len(payload)
    if length <= OUR_CHUNK_SIZE:
        if 0 <= stamp < _EXTENDED:
            return _HEADER(chunkStream << 24 | stamp, length << 8 | type, _STREAM_1) + payload
        if _EXTENDED <= stamp <= 0xFFFFFFFF:
            # All the time, once a stream is older than 4 hours and 39 minutes.
            return _LONG_HEADER(chunkStream << 24 | _EXTENDED, length << 8 | type, _STREAM_1, stamp) + payload
    return encodeMessage(Message(type, stamp, 1, payload, chunkStream), OUR_CHUNK_SIZE)


def decodeImages(images: list[bytes]) -> list[Message]:
    """The messages again."""
    reader = ChunkReader(_NO_LIMITS)
    reader.chunkSize = OUR_CHUNK_SIZE
    return list(reader.feed(b"".join(images)))


def toPublish(image: bytes) -> bytes:
    """The image of a data message, for a server that we publish to."""
    [message] = decodeImages([image])
    message.payload = payloadToPublish(message.payload)
    return encodeImage(message)


def address(image: bytes, streamId: bytes) -> bytes:
    """
    An image for another message stream.

    @param streamId: bytes 8 to 11 of a type 0 header (RTMP 1.0, section 5.3.1.2.1): little-endian.
    """
    return image if image[8:12] == streamId else image[:8] + streamId + image[12:]
