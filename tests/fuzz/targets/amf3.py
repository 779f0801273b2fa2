"""
AMF3: any bytes as values, within the limits of a command or of data.

The input: which limits (1 byte), and the values.
"""

from __future__ import annotations

from collections.abc import Iterator

from rtmptw.errors import AMFDecodeError
from rtmptw.wire import amf3
from rtmptw.wire.amf import COMMAND_LIMITS, AMFLimits, AMFValue, Date, Dictionary, ECMAArray, TypedObject, Vector
from tests.fuzz.target import Target
from tests.fuzz.targets.amf0 import LIMITS, checkLimits
from tests.wire import test_amf3
from tests.wire.test_amf import same

__all__ = ["TARGET", "check"]

#: The most that a value takes written, bytes, besides text.
_MOST = 20


def check(data: bytes) -> None:
    """Nothing but L{AMFDecodeError} comes, limits hold, and what was read can be written and read again."""
    limits = LIMITS[data[0] % len(LIMITS)] if data else COMMAND_LIMITS
    decoder = amf3.Decoder(data, limits, 1)
    values: list[AMFValue] = []
    fault = ""
    try:
        while decoder.position < decoder.end:
            values.append(decoder.value())
            checkLimits(decoder, limits)
    except AMFDecodeError as error:
        assert error.offset is None or 1 <= error.offset <= len(data) + 1
        fault = str(error)
    try:
        assert same(amf3.decode(data, limits, 1), values) and not fault
    except AMFDecodeError as error:
        assert str(error) == fault
    written = amf3.encode(*map(_writable, values))
    assert len(written) <= len(data) + limits.repeatedBytes + _MOST * limits.values
    generous = AMFLimits(values=limits.values, keys=limits.values, stringBytes=1 << 24, repeatedBytes=1 << 24)
    assert same(amf3.decode(written, generous), list(map(_writable, values))), "what was written is something else"


def _writable(value: AMFValue) -> AMFValue:
    """The same, as it comes back."""
    if isinstance(value, ECMAArray):
        # An empty one is an empty list.
        return ECMAArray({key: _writable(item) for key, item in value.items()}) if value else []
    if isinstance(value, TypedObject):
        return TypedObject(value.className, {key: _writable(item) for key, item in value.items()})
    if isinstance(value, dict):
        # An empty name is written first.
        names = sorted(value, key=bool)
        return {name: _writable(value[name]) for name in names}
    if isinstance(value, Vector):
        return Vector(value.kind, map(_writable, value), value.fixed, value.typeName)
    if isinstance(value, Dictionary):
        return Dictionary([(_writable(key), _writable(item)) for key, item in value], value.weak)
    if isinstance(value, (list, tuple)):
        return [_writable(item) for item in value]
    return Date(value.ms) if isinstance(value, Date) else value


def seeds() -> Iterator[bytes]:
    """One value of each type, and references of each kind."""
    for _, _, data in test_amf3.CASES:
        if len(data) < 200:
            yield b"\1" + data
    for text in ("09 05 01 06 03 61 06 00", "09 05 01 0a 0b 01 01 0a 01 01", "0a 13 03 41 03 62 01 01"):
        yield b"\0" + bytes.fromhex(text)


TARGET = Target(check, seeds, 160)
