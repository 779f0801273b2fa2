# -*- test-case-name: tests.wire.test_chunkreader -*-
"""
How much of what a peer sends is kept, before and after it has been allowed to publish.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rtmptw.wire.message import MessageType

__all__ = ["STRANGER_LIMITS", "ReadLimits"]


@dataclass(frozen=True)
class ReadLimits:
    """
    How much a peer may make us keep.

    @ivar messageSize: the largest message, bytes, for each type that has its own limit.
    @ivar otherMessageSize: the largest message of any other type, bytes.
    @ivar partialBytes: the sum of all messages of a connection that are not complete yet, bytes received.
    @ivar partialMessages: how many messages may be incomplete at a time.
    @ivar chunkStreams: how many chunk streams may be in use; any IDs.
    @ivar isStranger: whether these are the limits of somebody who may not publish yet; it decides only what they are
        called.
    """

    messageSize: Mapping[int, int] = field(
        default_factory=lambda: {
            MessageType.AUDIO: 512 * 1024,
            MessageType.VIDEO: 8 * 1024 * 1024,
            MessageType.DATA: 256 * 1024,
            MessageType.DATA_AMF3: 256 * 1024,
            MessageType.AGGREGATE: 2 * 1024 * 1024,
        }
    )
    otherMessageSize: int = 64 * 1024
    partialBytes: int = 16 * 1024 * 1024
    partialMessages: int = 16
    chunkStreams: int = 64
    isStranger: bool = False

    def sizeLimit(self, type: int) -> str:
        """
        What the limit of a message's size is called.

        @param type: the message's.
        @return: a field of L{rtmptw.limits.Limits}.
        """
        return "strangerMessageBytes" if self.isStranger else _SIZE_LIMITS.get(type, "commandBytes")

    @property
    def partialLimit(self) -> str:
        """What the limit L{partialBytes} is called."""
        return "strangerPartialBytes" if self.isStranger else "partialBytes"


#: By message type.
_SIZE_LIMITS: dict[int, str] = {
    MessageType.AUDIO: "audioBytes",
    MessageType.VIDEO: "videoBytes",
    MessageType.DATA: "dataBytes",
    MessageType.DATA_AMF3: "dataBytes",
    MessageType.AGGREGATE: "aggregateBytes",
}

#: What somebody may send who has not been allowed to publish.
STRANGER_LIMITS = ReadLimits(messageSize={}, partialBytes=128 * 1024, isStranger=True)
