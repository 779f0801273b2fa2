"""
The plain chunk reader: one turn of the loop for each chunk, and nothing clever.

It is what L{rtmptw.wire.chunkreader} is measured against, and what its tests compare it with. It assumes good input:
no limits, chunk stream IDs below 64, and extended timestamps that are repeated in every chunk.
"""

from __future__ import annotations

from rtmptw.wire.message import Message

__all__ = ["PlainChunkReader"]


class _ChunkStream:
    __slots__ = ("delta", "extended", "length", "parts", "remaining", "streamId", "timestamp", "type")

    def __init__(self) -> None:
        self.timestamp = self.delta = self.length = self.type = self.streamId = self.remaining = 0
        self.extended = False
        self.parts: list[bytes] = []


class PlainChunkReader:
    """Bytes in, messages out; see the module."""

    def __init__(self) -> None:
        self.chunkSize = 128
        self._streams: dict[int, _ChunkStream] = {}
        self._data = b""

    def feed(self, data: bytes) -> list[Message]:
        """
        Take more bytes and give the messages that they complete.

        @raise IndexError: or another error of Python's, for input that is not good.
        """
        self._data = data = self._data + data
        messages = []
        position, end = 0, len(data)
        while position < end:
            start = position
            fmt, id = data[position] >> 6, data[position] & 0x3F
            position += 1
            size = (11, 7, 3, 0)[fmt]
            if end < position + size:
                break
            stream = self._streams.setdefault(id, _ChunkStream())
            stamp, length, type, streamId = stream.delta, stream.length, stream.type, stream.streamId
            extended = stream.extended
            if fmt < 3:
                stamp = int.from_bytes(data[position : position + 3], "big")
                extended = stamp == 0xFFFFFF
            if fmt < 2:
                length = int.from_bytes(data[position + 3 : position + 6], "big")
                type = data[position + 6]
            if fmt == 0:
                streamId = int.from_bytes(data[position + 7 : position + 11], "little")
            position += size
            if extended:
                if fmt < 3:
                    stamp = int.from_bytes(data[position : position + 4], "big")
                position += 4
            remaining = stream.remaining or length
            body = min(self.chunkSize, remaining)
            if end < position + body:
                position = start
                break
            if not stream.remaining:
                stream.timestamp = stamp if fmt == 0 else (stream.timestamp + stamp) & 0xFFFFFFFF
                stream.delta, stream.length, stream.type, stream.streamId = stamp, length, type, streamId
                stream.extended = extended
            stream.parts.append(data[position : position + body])
            position += body
            stream.remaining = remaining - body
            if not stream.remaining:
                payload = b"".join(stream.parts)
                stream.parts = []
                if type == 1:
                    self.chunkSize = int.from_bytes(payload, "big")
                messages.append(Message(type, stream.timestamp, streamId, payload, id))
        else:
            start = position
        self._data = data[start:]
        return messages
