"""
What is the same: the sequence of (type, timestamp since the first, SHA-256 of the payload) of all audio and video.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol
from unittest import TestCase

from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.flv import FLVReader, FLVTag
from rtmptw.wire.handshake import HANDSHAKE_SIZE
from rtmptw.wire.message import Message, MessageType

__all__ = [
    "Media",
    "assertRecorded",
    "assertSameMedia",
    "isFrame",
    "mediaOf",
    "readFLV",
    "readRTMP",
    "readWholeFLV",
    "shift",
]

#: Type, ms since the first one, SHA-256 of the payload.
Media = tuple[int, int, str]

_AUDIO_AND_VIDEO = (MessageType.AUDIO, MessageType.VIDEO)


class _Timed(Protocol):
    """What FLV tags and RTMP messages have in common."""

    type: int
    timestamp: int
    payload: bytes


def readFLV(path: Path) -> list[FLVTag]:
    """Every whole tag of a file."""
    return FLVReader().feed(path.read_bytes())


def readWholeFLV(path: Path) -> list[FLVTag]:
    """
    Every tag of a file.

    @raise AssertionError: if the file ends within one, or is empty.
    """
    reader = FLVReader()
    tags = reader.feed(path.read_bytes())
    if reader.pending or not tags:
        raise AssertionError(f"{path}: {len(tags)} tags, then {reader.pending} bytes of one")
    return tags


def readRTMP(data: bytes) -> list[Message]:
    """Every whole message of what one side of a connection has sent, handshake first."""
    reader = ChunkReader()
    return [*reader.feed(data[HANDSHAKE_SIZE:]), *reader.end()]


def mediaOf(messages: Iterable[_Timed]) -> list[Media]:
    """What is compared. Timestamps have 32 bits and may wrap."""
    media = [message for message in messages if message.type in _AUDIO_AND_VIDEO]
    return [
        (
            int(message.type),
            _signed(message.timestamp - media[0].timestamp),
            hashlib.sha256(message.payload).hexdigest(),
        )
        for message in media
    ]


def shift(media: list[Media]) -> list[Media]:
    """A part of a sequence, with its times counted from its own first message."""
    return [(type, time - media[0][1], digest) for type, time, digest in media]


def isFrame(message: _Timed) -> bool:
    """Whether it is an H.264 picture or an AAC frame: no header, and no mark of the end."""
    return message.type in _AUDIO_AND_VIDEO and len(message.payload) > 1 and message.payload[1] == 1


def assertSameMedia(test: TestCase, found: list[Media], expected: list[Media], where: str = "") -> None:
    """
    Assert that two sequences are the same, and that there is something in them.

    @param where: what is found, for the error.
    """
    test.assertGreater(len(expected), 0, f"{where}: nothing was expected")
    for position, (one, other) in enumerate(zip(found, expected, strict=False)):
        if one != other:
            test.fail(f"{where}: message {position}: {one} instead of {other} ({len(found)} of {len(expected)} in all)")
    test.assertEqual(len(found), len(expected), f"{where}: {len(found)} messages of {len(expected)}")


def assertRecorded(
    test: TestCase, found: Iterable[_Timed], expected: Iterable[_Timed], where: str = "recorded"
) -> None:
    """
    Assert that a recording has everything, and the times of the frames. Its headers are at 0, wherever the frames were.
    """
    recorded, sent = list(found), list(expected)
    test.assertEqual([digest for *_, digest in mediaOf(recorded)], [digest for *_, digest in mediaOf(sent)], where)
    assertSameMedia(test, mediaOf(filter(isFrame, recorded)), mediaOf(filter(isFrame, sent)), where)


def _signed(difference: int) -> int:
    difference &= 0xFFFFFFFF
    return difference if difference < 0x80000000 else difference - 0x100000000
