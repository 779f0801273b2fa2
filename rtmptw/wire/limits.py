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


#: What somebody may send who has not been allowed to publish.
STRANGER_LIMITS = ReadLimits(messageSize={}, partialBytes=128 * 1024)
