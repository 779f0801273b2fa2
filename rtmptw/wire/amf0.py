# -*- test-case-name: tests.wire.test_amf0 -*-
"""
AMF0: the values of commands and metadata, as every RTMP peer writes them.

A value is a marker byte and what the marker asks for (AMF0 section 2; numbers are big-endian)::

    00 number       double                    0A strict array  u32 count, values
    01 boolean      u8                        0B date          double, s16 zone
    02 string       u16 size, UTF-8           0C long string   u32 size, UTF-8
    03 object       members                   0D unsupported
    05 null                                   0F XML           u32 size, UTF-8
    06 undefined                              10 typed object  u16 size, class name, members
    07 reference    u16 index                 11 one AMF3 value
    08 ECMA array   u32 count, members        04, 0E, 12-FF    reserved

    members = *(u16 size, key, value) 00 00 09

What is read leniently, because real senders need it (wire facts 4): the count of an ECMA array means nothing; when
the bytes end where a key could begin, all open objects are closed; when they end where an element of a strict array
could begin, so is the array. What is never forgiven: a value cut in its middle, and anything over the limits.

A reference gives the same Python object again. What it stands for counts towards the limits anew, and a reference to
a value that is still open is refused, so that no value contains itself.

    >>> encode("_checkbw", 2.0, None).hex(" ")
    '02 00 08 5f 63 68 65 63 6b 62 77 00 40 00 00 00 00 00 00 00 05'
    >>> decode(encode("_checkbw", 2.0, None))
    ['_checkbw', 2.0, None]
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence

from rtmptw.errors import AMFDecodeError, AMFUnsupportedError, LocalProtocolError
from rtmptw.wire import amf3
from rtmptw.wire.amf import (
    COMMAND_LIMITS,
    UNDEFINED,
    UNSUPPORTED,
    Absent,
    AMFLimits,
    AMFValue,
    Date,
    Dictionary,
    ECMAArray,
    TypedObject,
    Vector,
    XMLDocument,
)
from rtmptw.wire.amfcoding import Entry, Reader, Writer, encodeText

__all__ = ["Decoder", "Encoder", "decode", "decodePrefix", "encode"]

_u16 = struct.Struct(">H").unpack_from
_u32 = struct.Struct(">I").unpack_from
_double = struct.Struct(">d").unpack_from
_date = struct.Struct(">dh").unpack_from

_OBJECT_END = 0x09
_packU16 = struct.Struct(">H").pack
_packU32 = struct.Struct(">BI").pack
_packNumber = struct.Struct(">Bd").pack
_packString = struct.Struct(">BH").pack
_packDate = struct.Struct(">Bdh").pack


class Decoder(Reader):
    """
    The values of one message, read one after another with L{value}; they share the limits and the references.

    C{position} and C{end} tell whether there is more.
    """

    __slots__ = ()

    def _value(self) -> AMFValue:
        at = self.position
        marker = self.data[at]
        used = self.used = self.used + 1
        if used > self.maxValues:
            raise self.excess("values", f"more than {self.maxValues} values")
        self.position = at + 1
        return _READERS[marker](self)

    def _number(self) -> float:
        value: float = _double(self.data, self.position)[0]
        self.position += 8
        return value

    def _boolean(self) -> bool:
        value = self.data[self.position] != 0
        self.position += 1
        return value

    def _string(self) -> str:
        size = _u16(self.data, self.position)[0]
        self.position += 2
        return self.text(size)

    def _longString(self) -> str:
        size = _u32(self.data, self.position)[0]
        self.position += 4
        return self.text(size)

    def _xml(self) -> XMLDocument:
        return XMLDocument(self._longString())

    def _null(self) -> None:
        return None

    def _undefined(self) -> Absent:
        return UNDEFINED

    def _unsupported(self) -> Absent:
        return UNSUPPORTED

    def _dateValue(self) -> Date:
        ms, zone = _date(self.data, self.position)
        self.position += 10
        return Date(ms, zone)

    def _object(self) -> AMFValue:
        return self._members(self.open(), {})

    def _typedObject(self) -> AMFValue:
        entry = self.open()
        return self._members(entry, TypedObject(self._string()))

    def _ecmaArray(self) -> AMFValue:
        _u32(self.data, self.position)  # the count: it must be there, but OBS writes 20 and nginx-rtmp 0, always
        self.position += 4
        return self._members(self.open(), ECMAArray())

    def _members(self, entry: Entry, members: dict[str, AMFValue]) -> AMFValue:
        data = self.data
        end = self.end
        maxKeys, maxString = self.limits.keys, self.maxString
        while self.position < end:
            start = self.position
            keyStart = start + 2
            keyEnd = keyStart + _u16(data, start)[0]
            if keyEnd == keyStart and data[keyStart] == _OBJECT_END:
                self.position = keyStart + 1
                break
            self.position = keyEnd
            if keyEnd > end or keyEnd - keyStart > maxString:
                self.position = keyStart
                self.take(keyEnd - keyStart)
            # It is text() in place.
            key = data[keyStart:keyEnd].decode("utf-8", "surrogateescape")
            members[key] = self._value()
            if len(members) > maxKeys:
                raise self.excess("keys", f"more than {maxKeys} keys in one object", start)
        return self.close(entry, members)

    def _strictArray(self) -> AMFValue:
        count = _u32(self.data, self.position)[0]
        if count > self.limits.values:
            raise self.excess("values", f"an array announces {count} values, {self.limits.values} allowed")
        self.position += 4
        entry = self.open()
        values: list[AMFValue] = []
        while len(values) < count and self.position < self.end:
            values.append(self._value())
        return self.close(entry, values)

    def _reference(self) -> AMFValue:
        start = self.position
        index = _u16(self.data, start)[0]
        self.position += 2
        return self.refer(index, start)

    def _avmPlus(self) -> AMFValue:
        # One value is AMF3, with tables of its own; then AMF0 goes on (AMF0 section 3.1).
        inner = amf3.Decoder(self.data, self.limits)
        inner.follow(self)
        inner.used -= 1  # the marker 11 is not a value of its own
        value = inner.value()
        self.follow(inner)
        return value

    def _strayEnd(self) -> AMFValue:
        raise self.fault("an object end where a value should be", self.position - 1)

    def _reserved(self) -> AMFValue:
        start = self.position - 1
        raise AMFUnsupportedError(f"AMF0 marker 0x{self.data[start]:02x} is reserved", offset=start)


#: Who reads what, by marker.
_READERS: list[Callable[[Decoder], AMFValue]] = [Decoder._reserved] * 256
_READERS[0x00] = Decoder._number
_READERS[0x01] = Decoder._boolean
_READERS[0x02] = Decoder._string
_READERS[0x03] = Decoder._object
_READERS[0x05] = Decoder._null
_READERS[0x06] = Decoder._undefined
_READERS[0x07] = Decoder._reference
_READERS[0x08] = Decoder._ecmaArray
_READERS[0x09] = Decoder._strayEnd
_READERS[0x0A] = Decoder._strictArray
_READERS[0x0B] = Decoder._dateValue
_READERS[0x0C] = Decoder._longString
_READERS[0x0D] = Decoder._unsupported
_READERS[0x0F] = Decoder._xml
_READERS[0x10] = Decoder._typedObject
_READERS[0x11] = Decoder._avmPlus


class Encoder(Writer):
    """Writes values one after another; L{encode} is the short way."""

    name = "AMF0"

    def _number(self, value: float) -> None:
        try:
            self.out += _packNumber(0x00, value)
        except (struct.error, OverflowError) as error:
            raise LocalProtocolError(f"no double: {error}") from None

    def _boolean(self, value: bool) -> None:
        self.out += b"\x01\x01" if value else b"\x01\x00"

    def _string(self, value: str) -> None:
        text = encodeText(value)
        self.out += _packString(0x02, len(text)) if len(text) <= 0xFFFF else _packU32(0x0C, len(text))
        self.out += text

    def _xml(self, value: XMLDocument) -> None:
        text = encodeText(value)
        self.out += _packU32(0x0F, len(text))
        self.out += text

    def _null(self, value: None) -> None:
        self.out.append(0x05)

    def _absent(self, value: Absent) -> None:
        self.out.append(0x06 if value is UNDEFINED else 0x0D)

    def _date(self, value: Date) -> None:
        try:
            self.out += _packDate(0x0B, value.ms, value.zone)
        except (struct.error, OverflowError) as error:
            raise LocalProtocolError(f"{value!r} does not fit: {error}") from None

    def _object(self, value: Mapping[str, AMFValue]) -> None:
        self.out.append(0x03)
        self._members(value)

    def _typedObject(self, value: TypedObject) -> None:
        self.out.append(0x10)
        self._key(value.className)
        self._members(value)

    def _ecmaArray(self, value: ECMAArray) -> None:
        self.out += _packU32(0x08, len(value))
        self._members(value)

    def _members(self, members: Mapping[str, AMFValue]) -> None:
        self.descend()
        for key, value in members.items():
            self._key(key)
            self._value(value)
        self.out += b"\x00\x00\x09"
        self.depth -= 1

    def _key(self, key: str) -> None:
        text = encodeText(key)
        if len(text) > 0xFFFF:
            raise LocalProtocolError(f"a name of {len(text)} bytes in AMF0, 65535 fit")
        self.out += _packU16(len(text))
        self.out += text

    def _strictArray(self, values: Sequence[AMFValue]) -> None:
        self.out += _packU32(0x0A, len(values))
        self.descend()
        for value in values:
            self._value(value)
        self.depth -= 1

    def _onlyInAMF3(self, value: object) -> None:
        raise self.refuse(value)


Encoder.writers = {
    bool: Encoder._boolean,
    int: Encoder._number,
    float: Encoder._number,
    str: Encoder._string,
    type(None): Encoder._null,
    Absent: Encoder._absent,
    Date: Encoder._date,
    XMLDocument: Encoder._xml,
    dict: Encoder._object,
    ECMAArray: Encoder._ecmaArray,
    TypedObject: Encoder._typedObject,
    list: Encoder._strictArray,
    tuple: Encoder._strictArray,
    Vector: Encoder._onlyInAMF3,
    Dictionary: Encoder._onlyInAMF3,
}


def decode(data: bytes, limits: AMFLimits = COMMAND_LIMITS, offset: int = 0) -> list[AMFValue]:
    """
    All the values of a message.

    @param data: a message's payload.
    @param limits: L{COMMAND_LIMITS} or L{rtmptw.wire.amf.DATA_LIMITS}.
    @param offset: where in C{data} the first value begins, bytes.
    @raise AMFDecodeError: a value is cut, malformed or over a limit; C{offset} counts from the start of C{data}.
    @raise AMFUnsupportedError: a value whose end cannot be known.
    """
    values, fault = decodePrefix(data, limits, offset)
    if fault is not None:
        raise fault
    return values


def decodePrefix(
    data: bytes, limits: AMFLimits = COMMAND_LIMITS, offset: int = 0
) -> tuple[list[AMFValue], AMFDecodeError | None]:
    """
    The values before the first fault, and the fault; for messages that are useful even when their end is not.

    Parameters as for L{decode}.
    """
    decoder = Decoder(data, limits, offset)
    values: list[AMFValue] = []
    read, end = decoder.value, decoder.end
    try:
        while decoder.position < end:
            values.append(read())
    except AMFDecodeError as fault:
        return values, fault
    return values, None


def encode(*values: AMFValue) -> bytes:
    """
    The bytes of C{values}, one after another.

    An int becomes a number, a tuple a strict array. References and AMF3 are never written (wire facts 4).

    @raise LocalProtocolError: a type that AMF0 has no bytes for; a key over 65535 bytes; more than 32 levels; a cycle;
        more than 16777215 bytes.
    """
    encoder = Encoder()
    write = encoder.value
    for value in values:
        write(value)
    return encoder.encoded()
