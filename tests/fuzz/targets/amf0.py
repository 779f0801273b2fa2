"""
AMF0: any bytes as values, within the limits of a command or of data.

The input: which limits (1 byte), and the values.
"""

from __future__ import annotations

from collections.abc import Iterator

from rtmptw.errors import AMFDecodeError, LocalProtocolError
from rtmptw.wire import amf0
from rtmptw.wire.amf import COMMAND_LIMITS, DATA_LIMITS, AMFLimits, AMFValue, Dictionary, TypedObject, Vector
from rtmptw.wire.amfcoding import Reader
from tests.fuzz import captured
from tests.fuzz.target import Target
from tests.wire import test_amf0
from tests.wire.test_amf import same

__all__ = ["TARGET", "check", "checkLimits", "inAMF0"]

#: The last one is reached with few bytes.
LIMITS = (COMMAND_LIMITS, DATA_LIMITS, AMFLimits(4, 20, 4, 30, 60))

#: The most that a value takes written, bytes, besides text: it, and what ends it.
_MOST = 16


def check(data: bytes) -> None:
    """
    Nothing but L{AMFDecodeError} comes, limits hold, and what was read can be written and read again; but for what only
    AMF3 has.
    """
    limits = LIMITS[data[0] % len(LIMITS)] if data else COMMAND_LIMITS
    values, fault = amf0.decodePrefix(data, limits, 1)
    assert fault is None or fault.offset is None or 1 <= fault.offset <= len(data) + 1
    decoder = amf0.Decoder(data, limits, 1)
    try:
        while decoder.position < decoder.end:
            decoder.value()
            checkLimits(decoder, limits)
    except AMFDecodeError as error:
        assert str(error) == str(fault)
    else:
        assert fault is None
    try:
        written = amf0.encode(*values)
    except LocalProtocolError:
        assert any(map(_isOnlyInAMF3, values)), "it was read, and can't be written"
        return
    assert len(written) <= len(data) + limits.repeatedBytes + _MOST * limits.values
    generous = AMFLimits(values=limits.values, keys=limits.values, stringBytes=1 << 24)
    assert same(amf0.decode(written, generous), list(map(inAMF0, values))), "what was written is something else"


def checkLimits(decoder: Reader, limits: AMFLimits) -> None:
    """What it has read is within the limits."""
    assert decoder.used <= limits.values and decoder.repeated <= limits.repeatedBytes and not decoder.depth


def inAMF0(value: AMFValue) -> AMFValue:
    """The same as AMF0 has it: an integer of AMF3 is a number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, TypedObject):
        return TypedObject(value.className, {key: inAMF0(item) for key, item in value.items()})
    if isinstance(value, dict):
        return type(value)({key: inAMF0(item) for key, item in value.items()})
    return list(map(inAMF0, value)) if isinstance(value, list) else value


def _isOnlyInAMF3(value: object) -> bool:
    """Whether AMF0 has no bytes for a value, or for one in it."""
    if isinstance(value, (Vector, Dictionary, bytes)):
        return True
    if isinstance(value, dict):
        return any(map(_isOnlyInAMF3, value.values()))
    return isinstance(value, (list, tuple)) and any(map(_isOnlyInAMF3, value))


def seeds() -> Iterator[bytes]:
    """All commands and data of the captures, and one value of each type."""
    for message in captured.heads((18, 20)):
        yield b"\0" + message.payload
    for _, _, data in test_amf0.CASES:
        if len(data) < 200:
            yield b"\1" + data
    for tail in ("07 00 00", "11 0a 0b 01 03 61 04 01 01", "10 00 01 41 00 00 09", "0a 00 00 00 02 07 00 00 05"):
        yield b"\2" + bytes.fromhex("03 00 00 09" + tail)


TARGET = Target(check, seeds, 200)
