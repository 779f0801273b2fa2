# -*- test-case-name: tests.trace.test_entry -*-
"""
What a trace consists of: handshake blocks, messages, and bytes that nobody can read, each with its place in the
stream of its side.

An L{Entry} says where its first byte lies, so that a complaint about it can name that byte; what is wrong with it
stands beside it, as L{Violation}s.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rtmptw.causes.causes import Cause
from rtmptw.trace.segment import Side
from rtmptw.wire.message import Message

__all__ = ["Chunk", "Ending", "Entry", "HandshakeBlock", "ReadMessage", "Unreadable", "Violation"]


@dataclass(frozen=True, slots=True)
class Violation:
    """
    Something that a real peer stops at, or that the specification forbids.

    @ivar cause: which of the known ones.
    @ivar words: what is wrong in this place, in a sentence without its dot; secrets are not in it.
    @ivar offset: the first byte that is to blame, counted from the first byte of its side.
    """

    cause: Cause
    words: str
    offset: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """
    One chunk (RTMP 1.0, section 5.3.1).

    @ivar offset: of its basic header, in the stream of its side.
    @ivar fmt: 0 to 3.
    @ivar chunkStreamId: 2 to 65599.
    @ivar header: all that stands in front of its body.
    @ivar size: of its body, bytes.
    @ivar extended: its extended timestamp, if it has one.
    @ivar lacksExtended: whether it goes on with a message that has an extended timestamp, and does not repeat it (wire
        facts 2.4).
    """

    offset: int
    fmt: int
    chunkStreamId: int
    header: bytes
    size: int
    extended: int | None = None
    lacksExtended: bool = False

    @property
    def headerSize(self) -> int:
        """How much stands in front of its body, bytes."""
        return len(self.header)


@dataclass(slots=True)
class Entry:
    """
    One thing that was said.

    @ivar side: by whom.
    @ivar at: when its last byte came, seconds since the connection began.
    @ivar offset: its first byte, counted from the first byte of its side.
    @ivar violations: what is wrong with it.
    """

    side: Side
    at: float
    offset: int
    violations: list[Violation] = field(default_factory=list, kw_only=True)


@dataclass(slots=True)
class HandshakeBlock(Entry):
    """
    C0, C1, C2, S0, S1 or S2.

    @ivar name: which.
    @ivar data: the whole block.
    """

    name: str
    data: bytes


@dataclass(slots=True)
class ReadMessage(Entry):
    """
    A message.

    @ivar message: as it was read.
    @ivar chunks: the chunks that carried it, in order; chunks of others may have come between.
    @ivar chunkSize: what its side may put into a chunk at its end, bytes, as announced.
    """

    message: Message
    chunks: tuple[Chunk, ...]
    chunkSize: int

    @property
    def fmt(self) -> int:
        """The type of its first chunk."""
        return self.chunks[0].fmt

    def place(self, position: int) -> int:
        """
        Where a byte of its payload stands in the stream of its side.

        @param position: from 0 to the payload's size.
        """
        for chunk in self.chunks:
            if position < chunk.size:
                return chunk.offset + chunk.headerSize + position
            position -= chunk.size
        return self.chunks[-1].offset + self.chunks[-1].headerSize + self.chunks[-1].size


@dataclass(slots=True)
class Unreadable(Entry):
    """
    Bytes that can't be read as RTMP, to the end of their side: what comes later is counted here.

    @ivar data: the first of them, at most L{rtmptw.trace.reading.SHOWN}.
    @ivar size: how many they are by now.
    @ivar reason: why.
    """

    data: bytes
    size: int
    reason: str


@dataclass(slots=True)
class Ending(Entry):
    """
    The end of a side.

    @ivar how: C{"FIN"}, C{"RST"}, or other words.
    @ivar unfinished: what was half said, or how much could not be read, in words, or empty.
    """

    how: str
    unfinished: str = ""
