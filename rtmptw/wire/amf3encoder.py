# -*- test-case-name: tests.wire.test_amf3 -*-
"""
AMF3, the writing half. The grammar is told in L{rtmptw.wire.amf3}.

A string that was written before is written as a reference, and so is the same object (the same by identity), and the
same list of names of a class. What goes out as what:

- an int of 29 bits is an integer, any other a double; a float is always a double;
- a dict is an object without a class, its members all dynamic;
- a L{TypedObject} is an object of a sealed class, so that many objects of a class write their names once;
- a list or tuple is an array without names, an L{ECMAArray} one with names only;
- bytes are a byte array, an L{XMLDocument} the older of the two kinds of XML, a L{Date} loses its zone.

    >>> encode(["live", "live"]).hex(" ")
    '09 05 01 06 09 6c 69 76 65 06 00'
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

from rtmptw.errors import LocalProtocolError
from rtmptw.wire.amf import (
    UNDEFINED,
    Absent,
    AMFValue,
    Date,
    Dictionary,
    ECMAArray,
    TypedObject,
    Vector,
    XMLDocument,
)
from rtmptw.wire.amfcoding import Writer, encodeText

__all__ = ["Encoder", "encode"]

_packDouble = struct.Struct(">d").pack

#: By kind of vector: marker and struct code.
_VECTORS = {"int": (0x0D, "i"), "uint": (0x0E, "I"), "double": (0x0F, "d"), "object": (0x10, "")}

_MIN_INTEGER = -(1 << 28)
_MAX_INTEGER = (1 << 28) - 1
_MAX_U29 = (1 << 29) - 1


class Encoder(Writer):
    """Writes values one after another, each with its own tables; L{encode} is the short way."""

    name = "AMF3"

    def value(self, value: AMFValue) -> None:
        self._strings: dict[bytes, int] = {}
        self._objects: dict[int, int] = {}
        self._open: set[int] = set()
        self._traits: dict[tuple[bytes, tuple[str, ...], bool], int] = {}
        self._value(value)

    def _u29(self, value: int) -> None:
        out = self.out
        if value < 0x80:
            out.append(value)
        elif value < 0x4000:
            out += bytes((value >> 7 | 0x80, value & 0x7F))
        elif value < 0x200000:
            out += bytes((value >> 14 | 0x80, value >> 7 & 0x7F | 0x80, value & 0x7F))
        elif value <= _MAX_U29:
            out += bytes((value >> 22 | 0x80, value >> 15 & 0x7F | 0x80, value >> 8 & 0x7F | 0x80, value & 0xFF))
        else:
            raise LocalProtocolError(f"{value} does not fit the 29 bits of an AMF3 size or count")

    def _text(self, value: object) -> None:
        text = encodeText(value)
        if text in self._strings:
            self._u29(self._strings[text] << 1)
            return
        if text:
            self._strings[text] = len(self._strings)
        self._u29(len(text) << 1 | 1)
        self.out += text

    def _doubles(self, *values: float) -> None:
        try:
            for value in values:
                self.out += _packDouble(value)
        except (struct.error, OverflowError) as error:
            raise LocalProtocolError(f"no double: {error}") from None

    def _known(self, marker: int, value: object) -> bool:
        """Write the marker, and the reference if C{value} was written before; else give it its place in the table."""
        self.out.append(marker)
        key = id(value)
        if key in self._open:
            raise LocalProtocolError("a value that contains itself")
        if key in self._objects:
            self._u29(self._objects[key] << 1)
            return True
        self._objects[key] = len(self._objects)
        return False

    def _enter(self, value: object) -> None:
        self.descend()
        self._open.add(id(value))

    def _leave(self, value: object) -> None:
        self._open.discard(id(value))
        self.depth -= 1

    def _absent(self, value: Absent) -> None:
        if value is not UNDEFINED:
            raise LocalProtocolError("AMF3 has no bytes for UNSUPPORTED")
        self.out.append(0x00)

    def _null(self, value: None) -> None:
        self.out.append(0x01)

    def _boolean(self, value: bool) -> None:
        self.out.append(0x03 if value else 0x02)

    def _integer(self, value: int) -> None:
        if _MIN_INTEGER <= value <= _MAX_INTEGER:
            self.out.append(0x04)
            self._u29(value & _MAX_U29)
        else:
            self._number(value)

    def _number(self, value: float) -> None:
        self.out.append(0x05)
        self._doubles(value)

    def _string(self, value: str) -> None:
        self.out.append(0x06)
        self._text(value)

    def _xml(self, value: XMLDocument) -> None:
        if not self._known(0x07, value):
            self._block(encodeText(value))

    def _byteArray(self, value: bytes) -> None:
        if not self._known(0x0C, value):
            self._block(value)

    def _block(self, data: bytes) -> None:
        self._u29(len(data) << 1 | 1)
        self.out += data

    def _date(self, value: Date) -> None:
        if not self._known(0x08, value):
            self._u29(1)
            self._doubles(value.ms)

    def _array(self, value: Sequence[AMFValue]) -> None:
        if self._known(0x09, value):
            return
        self._u29(len(value) << 1 | 1)
        self._text("")
        self._enter(value)
        for item in value:
            self._value(item)
        self._leave(value)

    def _ecmaArray(self, value: ECMAArray) -> None:
        if self._known(0x09, value):
            return
        if "" in value:
            raise LocalProtocolError("an AMF3 array has no bytes for an empty name: it ends the names")
        self._u29(1)
        self._enter(value)
        self._members(value.items())
        self._leave(value)

    def _members(self, members: Iterable[tuple[str, AMFValue]]) -> None:
        for key, value in members:
            self._text(key)
            self._value(value)
        self._text("")

    def _object(self, value: dict[str, AMFValue]) -> None:
        if self._known(0x0A, value):
            return
        # An empty name ends the dynamic members, so it must be a sealed one.
        sealed = ("",) if "" in value else ()
        self._shape("", sealed, dynamic=True)
        self._enter(value)
        for key in sealed:
            self._value(value[key])
        self._members((key, member) for key, member in value.items() if key != "")
        self._leave(value)

    def _typedObject(self, value: TypedObject) -> None:
        if self._known(0x0A, value):
            return
        self._shape(value.className, tuple(value), dynamic=False)
        self._enter(value)
        for member in value.values():
            self._value(member)
        self._leave(value)

    def _shape(self, className: str, names: tuple[str, ...], dynamic: bool) -> None:
        traits = (encodeText(className), names, dynamic)
        if traits in self._traits:
            self._u29(self._traits[traits] << 2 | 0b01)
            return
        self._traits[traits] = len(self._traits)
        self._u29(len(names) << 4 | dynamic << 3 | 0b011)
        self._text(className)
        for name in names:
            self._text(name)

    def _vector(self, value: Vector) -> None:
        if value.kind not in _VECTORS:
            raise LocalProtocolError(f"no vector of the kind {value.kind!r}")
        marker, code = _VECTORS[value.kind]
        if self._known(marker, value):
            return
        self._u29(len(value) << 1 | 1)
        self.out.append(1 if value.fixed else 0)
        if code:
            try:
                self.out += struct.pack(f">{len(value)}{code}", *value)
            except (struct.error, OverflowError) as error:
                raise LocalProtocolError(f"not all are of the kind {value.kind}: {error}") from None
            return
        self._text(value.typeName)
        self._enter(value)
        for item in value:
            self._value(item)
        self._leave(value)

    def _dictionary(self, value: Dictionary) -> None:
        if self._known(0x11, value):
            return
        self._u29(len(value) << 1 | 1)
        self.out.append(1 if value.weak else 0)
        self._enter(value)
        for pair in value:
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise LocalProtocolError("a Dictionary holds pairs, each a tuple of a key and a value")
            self._value(pair[0])
            self._value(pair[1])
        self._leave(value)


Encoder.writers = {
    bool: Encoder._boolean,
    int: Encoder._integer,
    float: Encoder._number,
    str: Encoder._string,
    bytes: Encoder._byteArray,
    type(None): Encoder._null,
    Absent: Encoder._absent,
    Date: Encoder._date,
    XMLDocument: Encoder._xml,
    dict: Encoder._object,
    ECMAArray: Encoder._ecmaArray,
    TypedObject: Encoder._typedObject,
    list: Encoder._array,
    tuple: Encoder._array,
    Vector: Encoder._vector,
    Dictionary: Encoder._dictionary,
}


def encode(*values: AMFValue) -> bytes:
    """
    The bytes of C{values}, one after another, each with its own reference tables.

    Inside an AMF0 message each of them goes behind a marker 0x11 of its own.

    @raise LocalProtocolError: a type that AMF3 has no bytes for; an ECMA array with an empty name; more than 32 levels;
        a cycle; more than 16777215 bytes.
    """
    encoder = Encoder()
    for value in values:
        encoder.value(value)
    return encoder.encoded()
