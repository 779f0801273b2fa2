"""
What real clients and servers have said, to begin with: parts of C{tests/captures}.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.handshake import HANDSHAKE_SIZE
from rtmptw.wire.message import Message

__all__ = ["CLIENTS", "SERVERS", "blocks", "chunks", "heads", "messages"]

_CAPTURES = Path(__file__).parents[1] / "captures"

#: What is taken of a long payload, bytes: what a frame has inside means nothing to us.
_HEAD = 48

CLIENTS = tuple(sorted(path.stem for path in _CAPTURES.glob("*.c2s.bin")))
SERVERS = tuple(sorted(path.stem for path in _CAPTURES.glob("*.s2c.bin")))


@cache
def _read(name: str) -> bytes:
    return (_CAPTURES / f"{name}.bin").read_bytes()


def blocks(name: str) -> bytes:
    """The handshake of a capture."""
    return _read(name)[:HANDSHAKE_SIZE]


def chunks(name: str) -> bytes:
    """What follows its handshake."""
    return _read(name)[HANDSHAKE_SIZE:]


@cache
def messages(name: str) -> tuple[Message, ...]:
    """Its messages."""
    return tuple(ChunkReader().feed(chunks(name)))


def heads(types: tuple[int, ...]) -> Iterator[Message]:
    """Of all captures, messages of these types, one of each kind; of a long payload only the beginning."""
    seen: set[tuple[int, bytes]] = set()
    for name in (*CLIENTS, *SERVERS):
        for message in messages(name):
            key = message.type, message.payload[:6] if message.type in (8, 9) else message.payload
            if message.type in types and key not in seen:
                seen.add(key)
                size = _HEAD if message.type in (8, 9) else len(message.payload)
                yield Message(message.type, message.timestamp, message.streamId, message.payload[:size])
