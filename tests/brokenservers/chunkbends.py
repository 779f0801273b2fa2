# -*- test-case-name: tests.brokenservers.test_chunkbends -*-
"""
Mistakes in the chunk stream (RTMP 1.0, sections 5.3 and 5.4.1; wire facts 2).
"""

from __future__ import annotations

from rtmptw.wire.chunkreader import DEFAULT_CHUNK_SIZE, ChunkReader
from rtmptw.wire.chunkwriter import encodeMessage
from rtmptw.wire.command import Command
from rtmptw.wire.handshake import HANDSHAKE_SIZE
from rtmptw.wire.message import MAX_MESSAGE_SIZE, Message, MessageType
from tests.brokenservers.bend import Bend, Scene
from tests.brokenservers.plain import CHUNK_SIZE, PlainServer

__all__ = [
    "CHUNK_BENDS",
    "AnnouncedChunkSizeNotUsed",
    "ClientChunkSizeIgnored",
    "ExtendedTimestampAlwaysExpected",
    "ExtendedTimestampNotExpected",
    "ExtendedTimestampNotRepeated",
    "ReplyNotChunked",
    "UnannouncedChunkSize",
]

_EXTENDED = 0xFFFFFF

#: A type 0 header on a chunk stream below 64, with its extended timestamp.
_EXTENDED_HEADER_SIZE = 1 + 11 + 4


class ReplyNotChunked(PlainServer):
    """The yes to connect goes out in one piece, before a chunk size is announced; all else is cut as it should."""

    def connectReplies(self, command: Command) -> list[Message]:
        window, bandwidth, chunkSize, result = super().connectReplies(command)
        return [window, bandwidth, result, chunkSize]

    def encode(self, message: Message) -> bytes:
        if message.type == MessageType.COMMAND and self.writer.chunkSize == DEFAULT_CHUNK_SIZE:
            return encodeMessage(message, MAX_MESSAGE_SIZE)
        return super().encode(message)


class AnnouncedChunkSizeNotUsed(PlainServer):
    """A chunk size is announced, and messages are cut at 128 bytes nevertheless."""

    def encode(self, message: Message) -> bytes:
        return encodeMessage(message, DEFAULT_CHUNK_SIZE)


class UnannouncedChunkSize(PlainServer):
    """Messages are cut at a size that was never announced."""

    def encode(self, message: Message) -> bytes:
        return b"" if message.type == MessageType.SET_CHUNK_SIZE else encodeMessage(message, CHUNK_SIZE)


class ClientChunkSizeIgnored(PlainServer):
    """The client's Set Chunk Size is passed over."""

    def readChunks(self, data: bytes) -> None:
        for message in self.reader.feed(data):
            self.reader.chunkSize = DEFAULT_CHUNK_SIZE
            self.received[message.type] += 1
            self.messageReceived(message)


class _Unexpecting(ChunkReader):
    """Takes what a type 3 chunk repeats for its body."""

    __slots__ = ()

    def _readHeader(self) -> bool:
        found = super()._readHeader()
        if self._stream is not None:
            self._stream.extended = None
        return found


class _Expecting(ChunkReader):
    """Takes four bytes of a type 3 chunk's body for what it should repeat, if they are not that."""

    __slots__ = ()

    def _readHeader(self) -> bool:
        first = self._data[self._position]
        stream = self._streams.get(first & 0x3F)
        if first >> 6 == 3 and stream is not None and stream.extended is not None:
            ahead = self._data[self._position + 1 : self._position + 5]
            if len(ahead) < 4:
                return False
            stream.extended = ahead
        return super()._readHeader()


class ExtendedTimestampNotExpected(PlainServer):
    """The reader does not know that type 3 chunks repeat the extended timestamp."""

    def __init__(self) -> None:
        super().__init__()
        self.reader = _Unexpecting(offset=HANDSHAKE_SIZE)


class ExtendedTimestampAlwaysExpected(PlainServer):
    """The reader does not know that some clients don't repeat it."""

    def __init__(self) -> None:
        super().__init__()
        self.reader = _Expecting(offset=HANDSHAKE_SIZE)


class ExtendedTimestampNotRepeated(PlainServer):
    """The writer does not repeat it."""

    def encode(self, message: Message) -> bytes:
        size = self.writer.chunkSize
        if message.timestamp < _EXTENDED or len(message.payload) <= size:
            return super().encode(message)
        whole = encodeMessage(message, MAX_MESSAGE_SIZE)
        body = whole[_EXTENDED_HEADER_SIZE:]
        separator = bytes((0xC0 | message.chunkStreamId,))
        return whole[:_EXTENDED_HEADER_SIZE] + separator.join(
            body[start : start + size] for start in range(0, len(body), size)
        )


#: Beyond 0xFFFFFF ms, 4 h 39 min.
_LATE, _COPY = ("-itsoffset", "16780"), ("-copyts",)

_FFMPEGS = ("ffmpeg5", "ffmpeg9")
_ALL = (*_FFMPEGS, "rtmp2sink", "rtmpsink")

CHUNK_BENDS: dict[str, Bend] = {
    "reply-not-chunked": Bend(
        "reply-not-chunked",
        ReplyNotChunked,
        (2,),
        "stalls",
        (*_ALL, "nginx-relay"),
        otherwise={"nginx-relay": "fails"},
        stuck=("connect",),
        symptom="Max sent, unacked = 2500000",
    ),
    "announced-chunk-size-not-used": Bend(
        "announced-chunk-size-not-used",
        AnnouncedChunkSizeNotUsed,
        (3,),
        "stalls",
        _ALL,
        symptom="Unknown packet type received 0x15",
        stuck=("connect", "createStream"),
    ),
    "announced-chunk-size-not-used:unannounced": Bend(
        "announced-chunk-size-not-used",
        UnannouncedChunkSize,
        (3,),
        "stalls",
        _ALL,
        stuck=("connect",),
        symptom="Max sent, unacked = 2500000",
        # The first message that is longer than 128 bytes fits into a chunk of the size that is used.
        shown="reply-not-chunked",
    ),
    "client-chunk-size-ignored": Bend(
        "client-chunk-size-ignored",
        ClientChunkSizeIgnored,
        (4,),
        "fails",
        _FFMPEGS,
        symptom="av_interleaved_write_frame(): Broken pipe",
    ),
    "extended-timestamp-not-expected": Bend(
        "extended-timestamp-not-expected",
        ExtendedTimestampNotExpected,
        (19,),
        "fails",
        _FFMPEGS,
        before=_LATE,
        options=_COPY,
        symptom="av_interleaved_write_frame(): Broken pipe",
    ),
    "extended-timestamp-always-expected": Bend(
        "extended-timestamp-always-expected",
        ExtendedTimestampAlwaysExpected,
        (19,),
        "fails",
        unproven="all clients here repeat it; OBS up to 30.0 does not (obs-studio PR #10097)",
        before=_LATE,
        options=_COPY,
    ),
    "extended-timestamp-not-repeated": Bend(
        "extended-timestamp-not-repeated",
        ExtendedTimestampNotRepeated,
        (19,),
        "loses",
        ("ffmpeg5-play", "ffmpeg9-play", "rtmpdump"),
        symptom="RTMP packet size mismatch",
        scene=Scene.PLAY,
        before=_LATE,
        options=_COPY,
    ),
}
