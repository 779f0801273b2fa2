"""
Entries for tests, made of values.
"""

from __future__ import annotations

from rtmptw.trace.entry import Chunk, ReadMessage
from rtmptw.trace.segment import Side
from rtmptw.wire import amf0
from rtmptw.wire.amf import AMFValue
from rtmptw.wire.message import Message, MessageType

__all__ = ["command", "payloadMessage", "status"]


def payloadMessage(
    payload: bytes,
    type: int = MessageType.COMMAND,
    side: Side = Side.CLIENT,
    offset: int = 3073,
    chunkSize: int = 128,
    streamId: int = 0,
    at: float = 0.0,
) -> ReadMessage:
    """A message that is cut into chunks: a header of 12 bytes, then headers of 1."""
    pieces = [payload[start : start + chunkSize] for start in range(0, len(payload), chunkSize)] or [b""]
    first = b"\x03\0\0\0" + len(payload).to_bytes(3, "big") + bytes((type,)) + streamId.to_bytes(4, "little")
    chunks, place = [], offset
    for number, piece in enumerate(pieces):
        chunks.append(Chunk(place, 3 if number else 0, 3, b"\xc3" if number else first, len(piece)))
        place += chunks[-1].headerSize + len(piece)
    return ReadMessage(side, at, offset, Message(type, 0, streamId, payload, 3), tuple(chunks), chunkSize)


def command(*values: AMFValue, side: Side = Side.CLIENT, type: int = MessageType.COMMAND) -> ReadMessage:
    """A command, or data."""
    return payloadMessage(amf0.encode(*values), type, side)


def status(**members: AMFValue) -> ReadMessage:
    """A server's onStatus."""
    return command("onStatus", 0.0, None, dict(members), side=Side.SERVER)
