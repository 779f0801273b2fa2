# -*- test-case-name: tests.live.test_tape -*-
"""
The image of a message: its chunks, made once for all who watch.

A type 0 header needs no memory of what was sent before, and the chunk size is the same for everybody: so these bytes
are good for every viewer, but for the message stream ID. That is 1 on the tape and for nearly all viewers.
"""

from __future__ import annotations

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


def encodeImage(message: Message) -> bytes:
    """
    The image of a message, for message stream 1.

    @raise LocalProtocolError: if it is neither audio nor video nor data, or a field does not fit the wire.
    """
    chunkStream = MEDIA_CHUNK_STREAMS.get(message.type)
    if chunkStream is None:
        raise LocalProtocolError(f"a stream has audio, video and data, and no message type {message.type}")
    return encodeMessage(Message(message.type, message.timestamp, 1, message.payload, chunkStream), OUR_CHUNK_SIZE)


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
