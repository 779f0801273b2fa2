"""
Conversations for tests: captures, with the bytes of one side bent in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rtmptw.compare.comparison import entriesOf
from rtmptw.trace.entry import Entry
from rtmptw.trace.segment import Segment, Side
from rtmptw.wire import amf0
from rtmptw.wire.amf import AMFValue
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.chunkwriter import ChunkWriter, encodeMessage
from rtmptw.wire.handshake import HANDSHAKE_SIZE
from rtmptw.wire.message import MAX_MESSAGE_SIZE, Message, MessageType

__all__ = ["CAPTURES", "capture", "change", "command", "conversation", "isCommand", "messagesOf", "rewrite", "told"]

CAPTURES = Path(__file__).parent.parent / "captures"

#: What is to be there instead of a message.
Bend = Callable[[Message], Sequence[Message]]


def capture(name: str) -> tuple[bytes, bytes]:
    """
    @return: what the client has sent, and what the server has.
    """
    client, server = ((CAPTURES / f"{name}.{end}.bin").read_bytes() for end in ("c2s", "s2c"))
    return client, server


def conversation(client: bytes, server: bytes) -> list[Entry]:
    """All entries, without times."""
    streams = ((Side.CLIENT, client), (Side.SERVER, server))
    return list(entriesOf(Segment(side, 0.0, data) for side, data in streams if data))


def told(name: str) -> list[Entry]:
    """All entries of a capture."""
    return conversation(*capture(name))


def messagesOf(data: bytes) -> list[Message]:
    """All messages of one side."""
    return list(ChunkReader().feed(data[HANDSHAKE_SIZE:]))


def rewrite(data: bytes, bend: Bend = lambda message: [message], uncut: str = "") -> bytes:
    """
    One side anew.

    @param data: the side, with its handshake.
    @param bend: what becomes of each message.
    @param uncut: the command that is written in one piece, whatever the chunk size.
    """
    writer = ChunkWriter()
    parts = [data[:HANDSHAKE_SIZE]]
    for message in messagesOf(data):
        for each in bend(message):
            parts.append(
                encodeMessage(each, MAX_MESSAGE_SIZE) if uncut and isCommand(each, uncut) else writer.write(each)
            )
    return b"".join(parts)


def isCommand(message: Message, name: str, code: str = "") -> bool:
    """
    Whether a message is that command.

    @param code: what is to be in it, anywhere.
    """
    if message.type not in (MessageType.COMMAND, MessageType.COMMAND_AMF3):
        return False
    return message.payload.startswith(amf0.encode(name)) and code.encode() in message.payload


def change(message: Message, *values: AMFValue, **fields: int) -> Message:
    """
    The same message with other values, or other fields.

    @param values: all of them; none to keep the payload.
    """
    payload = amf0.encode(*values) if values else message.payload
    parts = {"type": message.type, "timestamp": message.timestamp, "streamId": message.streamId}
    parts["chunkStreamId"] = message.chunkStreamId
    return Message(payload=payload, **{**parts, **fields})


def command(*values: AMFValue, streamId: int = 0) -> Message:
    """A command of a server."""
    return Message(MessageType.COMMAND, 0, streamId, amf0.encode(*values), 3)
