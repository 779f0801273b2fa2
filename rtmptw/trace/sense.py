# -*- test-case-name: tests.trace.test_sense -*-
"""
Whether a message makes sense as it was read, or was cut otherwise than its reader believes (wire facts 3.6, rows 2 and
3).

Two things can be seen in a message alone. The payload of some types is known so well that wrong bytes in it show. And a
message that was cut into smaller chunks than its reader believes has seams: the headers of those chunks, in equal
distances, in the midst of its payload.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rtmptw.trace.chunkwalker import HEADER_SIZES
from rtmptw.trace.entry import Chunk
from rtmptw.wire import amf0
from rtmptw.wire.amf import DATA_LIMITS
from rtmptw.wire.message import Message, MessageType

__all__ = ["hasSeams", "isDoubtful", "isProof", "makesSense"]

#: Messages whose payload is AMF0 values, to the last byte.
_VALUES = frozenset((MessageType.COMMAND, MessageType.DATA))

#: The sizes of bodies that are always the same, bytes.
_SIZES: dict[int, int] = {
    MessageType.SET_CHUNK_SIZE: 4,
    MessageType.ABORT: 4,
    MessageType.ACKNOWLEDGEMENT: 4,
    MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE: 4,
    MessageType.SET_PEER_BANDWIDTH: 5,
}

#: The size of an extended timestamp, bytes.
_EXTENSION = 4


def makesSense(message: Message) -> bool:
    """Whether nothing in it is wrong, as far as its type is known."""
    payload = message.payload
    if message.type in _VALUES:
        return not payload or _isWhole(payload)
    return len(payload) == _SIZES.get(message.type, len(payload))


def isProof(message: Message) -> bool:
    """Whether its bytes can't make sense by chance, if they do make sense."""
    return message.type in _VALUES and len(message.payload) > 0


def isDoubtful(message: Message, chunks: Sequence[Chunk], chunkSize: int, sizes: Iterable[int]) -> bool:
    """
    Whether a message may have come in smaller chunks than its reader believes.

    @param chunks: as they were read.
    @param chunkSize: the size that its reader believes in, bytes.
    @param sizes: those that come into question.
    """
    size = next((size for size in sizes if size < chunkSize and hasSeams(message, chunks, size)), 0)
    if not size or message.type not in _VALUES:
        return size > 0
    # A text may have that byte in that place, as the first half of a letter.
    return not (_isLetter(message.payload, size) and _isWhole(message.payload))


def hasSeams(message: Message, chunks: Sequence[Chunk], size: int) -> bool:
    """Whether the headers of chunks of that size stand in a message, wherever they would have to."""
    payload, first = message.payload, chunks[0]
    if len(payload) <= size or first.size <= size:
        return False
    extension = b"" if first.extended is None else first.extended.to_bytes(_EXTENSION, "big")
    header = _continuation(first.chunkStreamId, first.headerSize - HEADER_SIZES[first.fmt] - len(extension))
    if payload[size] != header[0]:
        return False
    whole = payload[: first.size]
    return _recurs(whole, size, header) or (extension != b"" and _recurs(whole, size, header + extension))


def _continuation(id: int, size: int) -> bytes:
    """The basic header of a type 3 chunk, in that many bytes (RTMP 1.0, section 5.3.1.1)."""
    return bytes((0xC0 | id,)) if size == 1 else bytes((0xC0 | size - 2,)) + (id - 64).to_bytes(size - 1, "little")


def _recurs(payload: bytes, size: int, header: bytes) -> bool:
    """Whether the header stands behind each C{size} bytes; at the end, as much of it as there is room for."""
    stride = size + len(header)
    if len(header) == 1:
        seen = payload[size::stride]
        return seen.count(header) == len(seen)
    places = range(size, len(payload), stride)
    return all(header.startswith(payload[place : place + len(header)]) for place in places)


def _isLetter(payload: bytes, place: int) -> bool:
    """Whether a letter in two bytes of UTF-8 begins there, and none before it is left without its end."""
    before, first, second = payload[place - 1 : place + 2].ljust(3, b"\0")
    return before < 0xC2 <= first <= 0xDF and 0x80 <= second < 0xC0


def _isWhole(payload: bytes) -> bool:
    """Whether it is AMF0 values to its end, the first of them a name."""
    values, fault = amf0.decodePrefix(payload, DATA_LIMITS)
    return fault is None and isinstance(values[0], str)
