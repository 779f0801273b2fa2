# -*- test-case-name: tests.benchmarks.load.test_reel -*-
"""
The reel: a stream as the bytes of its chunks, made before anything is measured.

Sending a message is then to put a stamp into bytes that are there already, and one C{send}. The first group of pictures
differs from the others in its headers (a chunk header says only what is new); behind the second comes the second again,
with the time going on, because a chunk header has the time since the message before::

    headers | group | group | again from the second
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from benchmarks.load.media import Format, groupOfPictures, streamHeaders
from benchmarks.load.stamp import MARK, STAMP_SIZE, Kind, frameSum, makeStamp
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.control import setChunkSize

__all__ = ["SMALLEST_CHUNK", "Reel", "Shot", "cutReel"]

#: The stamp must lie within a message's first chunk, bytes.
SMALLEST_CHUNK = 80


@dataclass(slots=True)
class Shot:
    """
    One message of the reel.

    @ivar due: when it is sent, ns from the begin of the reel's first group.
    @ivar data: its chunks; the stamp is to be replaced for each sending.
    @ivar stampAt: where in C{data} the stamp begins.
    @ivar head: what the stamp begins with.
    @ivar isPicture: whether it counts among the pictures, not the sounds.
    @ivar around: the L{frameSum} of its payload.
    @ivar size: of the payload, bytes.
    """

    due: int
    data: bytearray
    stampAt: int
    head: bytes
    isPicture: bool
    around: int
    size: int

    def stamp(self, stream: int, sequence: int, time: int) -> None:
        """Make it the next message of a stream."""
        start = self.stampAt
        self.data[start : start + STAMP_SIZE] = makeStamp(self.head, stream, sequence, time, self.around)


@dataclass(frozen=True)
class Reel:
    """
    @ivar headers: what is sent first.
    @ivar shots: both groups.
    @ivar again: the index of the second group's first message.
    @ivar length: of a group, ns.
    """

    headers: bytes
    shots: list[Shot]
    again: int
    length: int


@cache
def cutReel(format: Format, chunkSize: int, streamId: int) -> Reel:
    """
    @param chunkSize: the publisher's chunk size, bytes.
    @param streamId: the message stream ID that the server has given.
    @raise ValueError: if the chunk size is too small.
    """
    if chunkSize < SMALLEST_CHUNK:
        raise ValueError(f"a chunk size of {chunkSize}: at least {SMALLEST_CHUNK} are needed")
    writer = ChunkWriter()
    writer.write(setChunkSize(chunkSize))
    headers = b"".join(writer.write(message) for message in streamHeaders(format, streamId))
    shots = []
    for begin in (0.0, format.gop):
        for frame in groupOfPictures(format, streamId, begin):
            data = bytearray(writer.write(frame.message))
            payload = frame.message.payload
            # The first chunk ends with what the message begins with.
            stampAt = data.index(payload[: frame.stampAt]) + frame.stampAt
            due = int((begin + frame.due) * 1e9)
            shots.append(
                Shot(
                    due,
                    data,
                    stampAt,
                    MARK + frame.kind.value,
                    frame.kind is not Kind.SOUND,
                    frameSum(payload, frame.stampAt),
                    len(payload),
                )
            )
    return Reel(headers, shots, len(shots) // 2, int(format.gop * 1e9))
