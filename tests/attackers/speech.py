# -*- test-case-name: tests.attackers.test_speech -*-
"""
What attackers say: handshakes, commands and messages as anybody sends them, and chunk headers that nobody should send,
which L{rtmptw.wire.chunkwriter} would not write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from benchmarks.load.media import AVC_HEADER
from rtmptw.wire import amf0
from rtmptw.wire.amf import AMFValue
from rtmptw.wire.chunkreader import DEFAULT_CHUNK_SIZE
from rtmptw.wire.chunkwriter import encodeMessage
from rtmptw.wire.command import Command
from rtmptw.wire.message import CONTROL_CHUNK_STREAM, Message, MessageType

__all__ = [
    "C0C1",
    "C2",
    "EXTENDED",
    "PICTURE",
    "Speech",
    "chunkSize",
    "command",
    "control",
    "header",
    "media",
    "once",
    "picks",
    "tag",
]

#: What an attacker says, by its number.
Speech = Callable[[int], Iterable[bytes]]

#: A C1 without a digest, and a C2 that echoes nothing: real clients do that (wire facts 1.3).
_NOISE = bytes(number * 7 % 251 + 1 for number in range(1528))
C0C1 = b"\x03" + bytes(8) + _NOISE
C2 = bytes(8) + _NOISE

#: A timestamp field that says that the timestamp stands behind the header.
EXTENDED = 0xFFFFFF

#: The header of a codec and a keyframe, small.
PICTURE = b"\x17\x01\0\0\0" + bytes(4) + b"\x65" + bytes(90)


def header(fmt: int, id: int, length: int = 0, type: int = 9, time: int = 0, streamId: int = 1) -> bytes:
    """
    Any chunk header.

    @param fmt: 0 to 3.
    @param id: of the chunk stream.
    @param time: a timestamp, or its delta; from L{EXTENDED} on, it stands behind the header.
    """
    if id < 64:
        basic = bytes((fmt << 6 | id,))
    elif id < 320:
        basic = bytes((fmt << 6, id - 64))
    else:
        basic = bytes((fmt << 6 | 1,)) + (id - 64).to_bytes(2, "little")
    fields = min(time, EXTENDED).to_bytes(3, "big") + length.to_bytes(3, "big") + bytes((type,))
    fields += streamId.to_bytes(4, "little")
    extension = time.to_bytes(4, "big") if time >= EXTENDED and fmt < 3 else b""
    return basic + fields[: (11, 7, 3, 0)[fmt]] + extension


def command(name: str, transactionId: float, *values: AMFValue, streamId: int = 0) -> bytes:
    """
    A command, in chunks of the usual size.

    @param values: the command object, and arguments.
    """
    commandObject, *arguments = values or (None,)
    message = Command(name, transactionId, commandObject, tuple(arguments)).encode(streamId)
    return encodeMessage(message, DEFAULT_CHUNK_SIZE)


def tag(payload: bytes, type: int = MessageType.VIDEO, streamId: int = 1, time: int = 0, size: int = 128) -> bytes:
    """
    A message on a chunk stream of its type.

    @param size: of chunks.
    """
    return encodeMessage(Message(type, time, streamId, payload, 4 + type % 8), size)


def control(type: int, body: bytes) -> bytes:
    """A control message, whatever its body is."""
    return encodeMessage(Message(type, 0, 0, body, CONTROL_CHUNK_STREAM), DEFAULT_CHUNK_SIZE)


def chunkSize(size: int) -> bytes:
    """Set Chunk Size, to anything."""
    return control(MessageType.SET_CHUNK_SIZE, size.to_bytes(4, "big"))


def media(count: int = 10, streamId: int = 1) -> bytes:
    """The beginning of a stream that is not remarkable at all."""
    metadata: AMFValue = {"width": 320.0, "height": 240.0, "videocodecid": 7.0}
    begin = tag(amf0.encode("@setDataFrame", "onMetaData", metadata), MessageType.DATA, streamId)
    pictures = [tag(PICTURE, streamId=streamId, time=40 * number) for number in range(count)]
    return b"".join([begin, tag(AVC_HEADER, streamId=streamId), *pictures])


def once(*pieces: bytes) -> Speech:
    """The same for all attackers, piece by piece."""
    return lambda number: pieces


def picks(*variants: bytes) -> Speech:
    """One of these for each attacker, in turn."""
    return lambda number: (variants[number % len(variants)],)
