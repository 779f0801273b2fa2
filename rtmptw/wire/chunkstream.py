# -*- test-case-name: tests.wire.test_chunkreader -*-
"""
One chunk stream: what the next header on it may leave out, and what has come of its current message (RTMP 1.0, section
5.3; wire facts 2).
"""

from __future__ import annotations

__all__ = ["FIRST_LOOK", "ChunkStream"]

#: How many chunk headers the first look ahead may cover; doubled by each success within a message.
FIRST_LOOK = 256


class ChunkStream:
    """
    The last header of one chunk stream, and its message while that is not complete.

    @ivar id: the chunk stream ID, 2 to 65599.
    @ivar next: the basic header with fmt 3 as one byte, or -1 for an ID that needs more (section 5.3.1.1).
    @ivar timestamp: of the last message, ms, 32 bits.
    @ivar delta: what a type 3 header that starts a message adds to it, ms.
    @ivar length: of the last message, bytes.
    @ivar type: its message type.
    @ivar streamId: its message stream.
    @ivar extended: the extended timestamp as it stood in the last header that had one, if it was the last (wire facts
        2.4).
    @ivar remaining: bytes of the current message still to come; 0 between messages.
    @ivar body: what has come of it, if it came in parts.
    @ivar look: how many headers to look ahead in this message; 0 after a look that failed.
    """

    __slots__ = (
        "body",
        "delta",
        "extended",
        "id",
        "length",
        "look",
        "next",
        "remaining",
        "streamId",
        "timestamp",
        "type",
    )

    def __init__(self, id: int) -> None:
        self.id = id
        self.next = 0xC0 | id if id < 64 else -1
        self.timestamp = self.delta = self.length = self.type = self.streamId = 0
        self.extended: bytes | None = None
        self.remaining = 0
        self.body: bytearray | None = None
        self.look = FIRST_LOOK
