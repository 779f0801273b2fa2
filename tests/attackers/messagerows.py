# -*- test-case-name: tests.attackers.test_rows -*-
"""
Rows B15 to B21: messages, control messages and media.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.load.media import AAC_HEADER, AVC_HEADER
from rtmptw.wire.chunkwriter import encodeMessage
from rtmptw.wire.control import UserControl, UserControlType
from rtmptw.wire.message import MessageType
from tests.attackers.attacker import Attacker
from tests.attackers.row import Row, saying
from tests.attackers.speech import PICTURE, control, media, tag

__all__ = ["ROWS", "aggregate"]

_WINDOW, _BANDWIDTH = MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE, MessageType.SET_PEER_BANDWIDTH
_AGGREGATE = MessageType.AGGREGATE

#: How often something small is repeated, and how much is said at a time.
_TIMES = 500
_BATCH = 100


def _number(value: int) -> bytes:
    return value.to_bytes(4, "big")


def _user(event: int, value: int, extra: int | None = None) -> bytes:
    return encodeMessage(UserControl(event, value, extra).encode(), 128)


def _unknown(number: int) -> Iterator[bytes]:
    for _ in range(_TIMES):
        for type in (0, 7, 21, 255):
            yield tag(bytes(4096), type)


def _windows(number: int) -> Iterator[bytes]:
    """Each is followed by enough for many acknowledgements, if they were given."""
    for _ in range(20):
        for size in (0, 1, 0xFFFFFFFF):
            yield control(_WINDOW, _number(size))
            yield tag(PICTURE + bytes(20000)) * 10


def _acknowledgements(number: int) -> Iterator[bytes]:
    """Back, ahead, and of what was never sent."""
    yield media()
    for _ in range(_TIMES):
        values = (0xFFFFFFFF, 0, 1 << 31, 5, 1 << 30)
        yield b"".join(control(MessageType.ACKNOWLEDGEMENT, _number(value)) for value in values)


def _pings(number: int) -> Iterator[bytes]:
    batch = b"".join(_user(UserControlType.PING_REQUEST, value) for value in range(_BATCH))
    while True:
        yield batch


def _buffers(number: int) -> Iterator[bytes]:
    for turn in range(_TIMES):
        yield _user(UserControlType.SET_BUFFER_LENGTH, 1, 0xFFFFFFFF - turn % 2)
        yield control(_BANDWIDTH, _number(1 << 31 if turn % 2 else 1) + bytes((turn % 3,)))
        yield control(_BANDWIDTH, _number(turn))


def aggregate(*parts: tuple[int, int, bytes]) -> bytes:
    """
    An aggregate (RTMP 1.0, section 7.1.6).

    @param parts: type, the size that it says that it has, and what is there.
    """
    pieces = []
    for type, size, body in parts:
        pieces += [bytes((type,)) + size.to_bytes(3, "big") + bytes(7), body, _number(len(body) + 11)]
    return b"".join(pieces)


def _aggregates(number: int) -> Iterator[bytes]:
    nested = aggregate((9, len(PICTURE), PICTURE))
    for _ in range(50):
        nested = aggregate((22, len(nested), nested))
    yield media()
    for body in (
        aggregate((9, 0xFFFFFF, PICTURE)),
        aggregate(*[(9, 0, b"")] * 5000),
        aggregate((9, len(PICTURE) + 1, PICTURE), (8, 1, b"")),
        nested,
        PICTURE[:10],
        b"",
    ):
        yield tag(body, _AGGREGATE) * 20


def _tags() -> Iterator[bytes]:
    """Cut and twisted bodies of audio and video."""
    for whole in (PICTURE[:20], AVC_HEADER, AAC_HEADER):
        yield from (whole[:size] for size in range(len(whole)))
    for four in (b"avc1", b"hvc1", b"av01", b"xxxx", b"mp4a", b"Opus", b"\0\0\0\0"):
        for first in range(0x80, 0x100, 7):
            head = bytes((first,))
            yield from (head + four[:cut] for cut in range(5))
            # ModEx without an end (enhanced RTMP 2), and a multitrack whose sizes lead out.
            yield head + b"\xff\xff\xff" * 100 + four
            yield head + b"\x21" + four + b"\0" + b"\xff\xff\xff" + bytes(20)
    # SPS lengths that lead out.
    for size in (b"\xff\xff", b"\0\0", b"\x7f\xff"):
        yield b"\x17\0\0\0\0\x01\x42\xc0\x1f\xff\xe1" + size + b"\x67\x42"
        yield b"\x17\0\0\0\0\x01\x42\xc0\x1f\xff\xff" + size + b"\x67\x42"


_TAGS = tuple(_tags())


def _misshapenMedia(number: int) -> Iterator[bytes]:
    yield media()
    for type in (MessageType.VIDEO, MessageType.AUDIO):
        for at in range(0, len(_TAGS), _BATCH):
            yield b"".join(tag(body, type) for body in _TAGS[at : at + _BATCH])


ROWS = (
    Row("B15", "messages of unknown types", saying(Attacker.connect, _unknown)),
    Row("B16", "acknowledgement windows 0, 1 and 2^32-1", saying(Attacker.publish, _windows)),
    Row("B17", "acknowledgements of what was never sent", saying(Attacker.publish, _acknowledgements)),
    Row("B18", "pings without end, whose answers nobody reads", saying(Attacker.connect, _pings, isDeaf=True)),
    Row("B19", "buffer lengths and bandwidths, back and forth", saying(Attacker.play, _buffers)),
    Row("B20", "aggregates: wrong sizes, nothing in them, one in another", saying(Attacker.publish, _aggregates)),
    Row("B21", "audio and video that is cut anywhere", saying(Attacker.publish, _misshapenMedia)),
)
