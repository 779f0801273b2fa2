# -*- test-case-name: tests.attackers.test_rows -*-
"""
Rows B1 to B14: chunks.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from rtmptw.wire.message import MAX_MESSAGE_SIZE, MessageType
from tests.attackers.attacker import Attacker
from tests.attackers.row import Row, saying
from tests.attackers.speech import EXTENDED, PICTURE, chunkSize, command, control, header, media, once, picks, tag

__all__ = ["ROWS", "byteForByte"]

#: How much is said at a time by those who never end, bytes.
_PIECE = 65536

#: How long one stays whose message never ends, s: longer than the deadline.
_WAIT = 40.0

#: How often something small is repeated.
_TIMES = 500

_ABORT = MessageType.ABORT


def _idsWithoutEnd(number: int) -> Iterator[bytes]:
    """The first byte of a message as large as may be, on every chunk stream that there is."""
    yield chunkSize(1)
    for first in range(2, 65600, 500):
        ids = range(first, min(first + 500, 65600))
        yield b"".join(header(0, id, MAX_MESSAGE_SIZE) + b"\x17" for id in ids)


def _midMessage(number: int) -> Iterator[bytes]:
    """A header within a message: longer, shorter, of another type, and then whole."""
    begin = header(0, 6, 1000) + bytes(128)
    others = header(0, 6, 2000) + bytes(128), header(1, 6, 500, 8) + bytes(128), header(2, 6) + bytes(128)
    yield media()
    for _ in range(_TIMES):
        yield begin + b"".join(others) + tag(PICTURE)


@cache
def _crumbs(size: int) -> tuple[bytes, ...]:
    """A video message in chunks of one byte."""
    body = b"\x17\x01\0\0\0" + bytes(size - 5)
    data = header(0, 6, size) + bytes(2 * size - 1)
    crumbs = bytearray(data)
    start = len(header(0, 6, size))
    crumbs[start::2] = body
    crumbs[start + 1 :: 2] = header(3, 6) * (size - 1)
    return tuple(bytes(crumbs[at : at + _PIECE]) for at in range(0, len(crumbs), _PIECE))


def _oneByteChunks(number: int) -> Iterator[bytes]:
    yield media()
    yield chunkSize(1)
    # 8 MiB; what is in front of it counts as well.
    yield from _crumbs(8 << 20)


def _hugeChunkSizes(number: int) -> Iterator[bytes]:
    for size in (134_217_728, 2_147_483_647):
        yield chunkSize(size) + tag(PICTURE + bytes(5000), size=8000)


def _changingSizes(number: int) -> Iterator[bytes]:
    """Another chunk size while a picture and a sound are half sent."""
    yield media()
    for turn in range(_TIMES):
        size = 4 + turn * 37 % 500
        parts = [chunkSize(128), header(0, 6, 300) + bytes(128), header(0, 4, 200, 8) + bytes(128), chunkSize(size)]
        for id, left in ((6, 172), (4, 72)):
            while left > 0:
                parts.append(header(3, id) + bytes(min(left, size)))
                left -= size
        yield b"".join(parts)


#: Bodies of the wrong length, of every control message.
_MISSHAPEN = [
    control(type, (b"\0\0\1\0" * 25)[:size]) for type in (1, 2, 3, 4, 5, 6) for size in (0, 1, 2, 3, 5, 7, 100)
]


def _emptyMessages(number: int) -> Iterator[bytes]:
    yield header(0, 6, 0)
    while True:
        yield header(3, 6) * _PIECE


def _aborts(number: int) -> Iterator[bytes]:
    """Of the chunk stream that is half read, of one that nobody knows, of the wrong length, of itself."""
    half, known, unknown = header(0, 6, 1000) + bytes(128), (6).to_bytes(4, "big"), (60000).to_bytes(4, "big")
    yield media()
    for _ in range(_TIMES):
        for body in (known, unknown, b"\0\0", known * 2, (2).to_bytes(4, "big")):
            yield half + control(_ABORT, body)
        yield tag(PICTURE)


def _extended(number: int) -> Iterator[bytes]:
    """Timestamps about 2^24-1 and beyond, repeated in type 3 and not; and one that says it is extended, and is not."""
    body = bytes(1000)
    yield media()
    for time in (EXTENDED - 1, EXTENDED, EXTENDED + 1, 0x7FFFFFFF, 0xFFFFFFFF):
        for repeated in (time.to_bytes(4, "big") if time >= EXTENDED else b"", b"", b"\xff\xff\xff\xff"):
            chunks = [body[at : at + 128] for at in range(0, len(body), 128)]
            yield header(0, 6, len(body), time=time) + (header(3, 6) + repeated).join(chunks)


def _ids(number: int) -> Iterator[bytes]:
    """All forms of a chunk stream's ID, the largest, and short ones in a long form."""
    yield media()
    for id in (2, 63, 64, 319, 320, 65599):
        yield header(0, id, 5) + PICTURE[:5]
    for basic in (b"\0\0", b"\x01\0\0", b"\x01\x3f\0"):
        yield basic + header(0, 6, 5)[1:] + PICTURE[:5]
    for id in range(1000, 1060):
        yield header(0, id, 5) + PICTURE[:5]


def _interleaved(number: int) -> Iterator[bytes]:
    """16 messages at a time, a byte of each in turn."""
    size, ids = 500, range(10, 26)
    yield media() + chunkSize(1)
    while True:
        yield b"".join(header(0, id, size) + b"\x27" for id in ids)
        yield b"".join(header(3, id) + b"\1" for _ in range(size - 1) for id in ids)


async def byteForByte(attacker: Attacker) -> None:
    """A session of which every byte comes alone, as far as the system allows."""
    await attacker.enter()
    words = command("connect", 1.0, {"app": attacker.goal.app}) + command("createStream", 2.0)
    words += command("publish", 3.0, None, f"attack{attacker.number}", "live", streamId=1) + media(3)
    for position in range(len(words)):
        await attacker.say(words[position : position + 1])
        await attacker.rest(0.001)
    await attacker.hearOf(b"NetStream.Publish.")


async def _interleave(attacker: Attacker) -> None:
    await (byteForByte if attacker.number % 4 == 3 else saying(Attacker.publish, _interleaved))(attacker)


_ENDLESS = header(0, 6, MAX_MESSAGE_SIZE) + bytes(128)
_LARGE = header(0, 6, 8 << 20) + bytes(128)

ROWS = (
    Row("B1", "65,598 chunk streams, each with the first byte of 16 MiB", saying(Attacker.enter, _idsWithoutEnd)),
    Row("B2", "a large message, whose body never comes", saying(Attacker.publish, picks(_LARGE, _ENDLESS), rest=_WAIT)),
    Row("B3", "headers of another message within a message", saying(Attacker.publish, _midMessage)),
    Row(
        "B4", "Set Chunk Size 0, or with its top bit", saying(Attacker.connect, picks(chunkSize(0), chunkSize(1 << 31)))
    ),
    Row("B5", "chunks of 1 byte, 8 MiB of video", saying(Attacker.publish, _oneByteChunks)),
    Row("B6", "Set Chunk Size 2^27 and 2^31-1", saying(Attacker.publish, _hugeChunkSizes)),
    Row("B7", "another chunk size within messages", saying(Attacker.publish, _changingSizes)),
    Row("B8", "control messages of wrong lengths", saying(Attacker.connect, once(*_MISSHAPEN))),
    Row(
        "B9",
        "chunk streams that begin with types 1, 2 and 3",
        saying(Attacker.connect, picks(*(header(fmt, 9, 10, 9, 5) + bytes(10) for fmt in (1, 2, 3)))),
    ),
    Row("B10", "messages without a body, a byte each", saying(Attacker.publish, _emptyMessages)),
    Row("B11", "Abort of all kinds", saying(Attacker.publish, _aborts)),
    Row("B12", "extended timestamps, repeated and not", saying(Attacker.publish, _extended)),
    Row("B13", "chunk stream IDs of all forms", saying(Attacker.publish, _ids)),
    Row("B14", "16 messages interleaved, and a session byte for byte", _interleave),
)
