# -*- test-case-name: tests.attackers.test_rows -*-
"""
Rows C1 to C11: values, in commands and metadata.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from rtmptw.wire import amf0
from rtmptw.wire.amf import AMFValue, ECMAArray
from rtmptw.wire.message import MessageType
from tests.attackers.attacker import Attacker
from tests.attackers.row import Row, saying
from tests.attackers.speech import Speech, command, picks, tag

__all__ = ["ROWS"]

_COMMAND, _AMF3, _DATA = MessageType.COMMAND, MessageType.COMMAND_AMF3, MessageType.DATA

_CONNECT = amf0.encode("connect", 1.0)
_CREATE = amf0.encode("createStream", 2.0)
_METADATA = amf0.encode("@setDataFrame", "onMetaData")
_END = b"\0\0\x09"


def _key(name: bytes) -> bytes:
    return len(name).to_bytes(2, "big") + name


def _object(*members: tuple[bytes, bytes]) -> bytes:
    return b"\x03" + b"".join(_key(name) + value for name, value in members) + _END


def _nested(levels: int) -> bytes:
    """Objects in objects, and arrays in arrays."""
    return (b"\x03" + _key(b"a")) * levels + (b"\x0a\0\0\0\x01") * levels + b"\x05"


def _everywhere(*values: bytes) -> Speech:
    """
    Each value in a command of each kind, on a connection each; then in metadata, which the publisher may send.
    """
    commands = [tag(head + value, _COMMAND, streamId=0) for head in (_CONNECT, _CREATE) for value in values]
    commands += [tag(b"\0" + _CREATE + value, _AMF3, streamId=0) for value in values]
    metadata = [tag(_METADATA + value, _DATA) for value in values]
    return picks(*commands, *metadata)


def _references(depth: int = 28) -> bytes:
    """Objects that hold their predecessor twice: 2^depth values when all are written out."""
    value = b"\x03" + b"".join(
        _key(b"k%d" % number) + _object((b"a", b"\x07" + number.to_bytes(2, "big")), (b"b", b"\x07\0\0"))
        for number in range(depth)
    )
    return value + _END


def _amf3Tables() -> bytes:
    """In AMF3 (by the marker 0x11): an array that refers to itself, again and again."""
    return b"\x11\x09" + bytes((0x41,)) + b"\x01" + b"\x09\x00" * 32


def _doubling(depth: int = 25) -> bytes:
    """AMF3 arrays, each of which holds the one before twice, by reference."""
    body = b"\x09\x05\x01\x04\x01\x04\x01"
    for number in range(depth):
        body = b"\x09\x05\x01" + body + b"\x09" + bytes(((number % 60) << 1,))
    return b"\x11" + body


def _double(value: float) -> bytes:
    return b"\0" + struct.pack(">d", value)


_CLASSES = (
    b"\x10" + _key(b"java.lang.Runtime") + _key(b"command") + amf0.encode("id") + _END,
    b"\x10" + _key(b"") + _END,
    b"\x11\x0a\x07\x11os.system" + b"\x06\x05id",
    b"\x0f" + (300).to_bytes(4, "big") + b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>".ljust(300),
    b"\x11\x0b\x07<x>",
)

_NUMBERS = [_double(value) for value in (float("nan"), float("inf"), float("-inf"), -1.0, 1e308, 1.5, 2.0**32)]

_NAMES = (b"\xff\xfe\xfd", b"a\0b", b"a\r\nb", b"\x1b[2Jx", "a\u202eb".encode(), b"..", b"k" * 60000, b"")


def _wrongTypes() -> Iterator[bytes]:
    yield command("connect", 1.0)
    yield command("connect", 1.0, "live")
    yield command("connect", 1.0, {"app": 5.0})
    yield command("connect", 1.0, {"app": {"app": None}})
    yield tag(amf0.encode("connect"), _COMMAND, streamId=0)
    yield tag(amf0.encode(5.0, "connect"), _COMMAND, streamId=0)
    yield tag(b"", _COMMAND, streamId=0)


def _wrongArguments(number: int) -> Iterator[bytes]:
    """What is behind the names of a stream's commands; one of them for each connection."""
    values: tuple[AMFValue, ...] = (False, 5.0, None, {}, [1.0, 2.0], {"name": "x"})
    names = ("publish", "play", "deleteStream", "closeStream", "seek", "pause", "releaseStream", "FCPublish", "play2")
    value, name = values[number % len(values)], names[number // len(values) % len(names)]
    yield command(name, 5.0, None, value, value, value, streamId=1)
    yield command(name, 5.0, value, streamId=1)
    yield command(name, 5.0, streamId=1)


async def _wrong(attacker: Attacker) -> None:
    opening, speech = (Attacker.enter, picks(*_wrongTypes())) if attacker.number % 2 else (_stream, _wrongArguments)
    await saying(opening, speech)(attacker)


async def _stream(attacker: Attacker) -> None:
    await attacker.connect()
    await attacker.say(command("createStream", 2.0))


def _ids() -> Iterator[bytes]:
    for number in _NUMBERS:
        yield tag(amf0.encode("createStream") + number + b"\x05", _COMMAND, streamId=0)
        yield tag(amf0.encode("deleteStream", 0.0, None) + number, _COMMAND, streamId=0)
        yield tag(amf0.encode("play", 0.0, None, "x") + number * 2, _COMMAND)


def _wireNames(number: int) -> Iterator[bytes]:
    name = _NAMES[number % len(_NAMES)]
    string = b"\x02" + _key(name)
    verb = "publish" if number // len(_NAMES) % 2 else "play"
    yield tag(amf0.encode(verb, 3.0, None) + string, _COMMAND)
    yield tag(_METADATA + _object((name, string)), _DATA)
    yield tag(amf0.encode("FCPublish", 4.0, None) + string, _COMMAND, streamId=0)


def _many(count: int) -> bytes:
    return _object(*((b"k%d" % number, b"\x05") for number in range(count)))


_COUNTS = (
    b"\x0a\xff\xff\xff\xff",
    b"\x08\xff\xff\xff\xff" + _key(b"a") + b"\x05" + _END,
    b"\x08\0\0\0\0" + b"".join(_key(b"k%d" % number) + b"\x05" for number in range(900)) + _END,
    b"\x0a" + (60000).to_bytes(4, "big") + b"\x05" * 60000,
    b"\x11\x09\x1f\xff\xff\xff",
)

_LONG = (
    b"\x02\xff\xffx",
    b"\x0c\xff\xff\xff\xffx",
    b"\x0c\0\x0f\xff\xffx",
    b"\x03\xff\xffx",
    b"\x11\x06\xff\xff\xff\xff",
)

_UNENDED = (
    b"\x03" + _key(b"app") + amf0.encode("live"),
    amf0.encode({"app": "live"}) + b"\x05" * 20,
    b"\x03\0\0",
    b"\x03",
)

_KEYS = (
    _many(10_000),
    _many(1000),
    _object(*[(b"app", amf0.encode("live"))] * 200),
    b"\x0b" + struct.pack(">dh", 1e300, 32767),
    amf0.encode(ECMAArray({f"k{number}": None for number in range(3000)})),
)

_FIRST = [tag(bytes((first,)) + _CREATE + b"\x05", _AMF3, streamId=0) for first in range(0, 256, 3)]
_MIXED = [tag(_CREATE + b"\x05", _COMMAND, streamId=0), tag(b"\0" + _CREATE + b"\x11\x01", _AMF3, streamId=0)]

_DEEP = [_nested(levels) for levels in (100_000, 6000, 300, 33)]


async def _publisher(attacker: Attacker) -> None:
    """Every fourth does not publish, so that a message is a stranger's."""
    await (attacker.connect() if attacker.number % 4 == 3 else attacker.publish())


def _row(name: str, about: str, *values: bytes) -> Row:
    return Row(name, about, saying(_publisher, _everywhere(*values)))


ROWS = (
    _row("C1", "objects and arrays nested 100,000 deep", *_DEEP),
    _row("C2", "counts that lie", *_COUNTS),
    _row("C3", "strings longer than their message", *_LONG),
    _row("C4", "references in circles, and doubled", _references(), b"\x07\0\0", _amf3Tables(), _doubling()),
    _row("C5", "typed objects, and XML", *_CLASSES),
    Row("C6", "values of the wrong type, and none", _wrong),
    Row("C7", "transaction and stream IDs that are no IDs", saying(Attacker.publish, picks(*_ids()))),
    Row("C8", "names that are no names", saying(_stream, _wireNames)),
    _row("C9", "objects without an end, and more behind one", *_UNENDED),
    _row("C10", "10,000 keys, the same key again, dates out of time", *_KEYS),
    Row("C11", "AMF3 commands with any first byte", saying(Attacker.connect, picks(*_FIRST, b"".join(_MIXED * 10)))),
)
