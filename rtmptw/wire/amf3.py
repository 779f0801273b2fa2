# -*- test-case-name: tests.wire.test_amf3 -*-
"""
AMF3: what Flash sends behind the AMF0 marker 0x11, one value at a time.

A value is a marker byte and what the marker asks for (AMF3 section 3)::

    00 undefined    06 string  text             0B XML          header, UTF-8
    01 null         07 XMLDocument  as 0B       0C byte array   header, bytes
    02 false        08 date    header, double   0D-0F vector    header, u8 fixed, s32s, u32s or doubles
    03 true         09 array   header, members, values
    04 integer      0A object  header, [traits], values, [members]
    05 double       10 vector  header, u8 fixed, type name as text, values
                    11 dictionary  header, u8 weak, (key, value)s

    text    = header, UTF-8            members = *(text, value) and an empty text
    header  = U29: (index << 1) for a reference, (size or count << 1 | 1) for what follows
    traits  = class name as text, names as texts; the object's header says which (section 3.12)

A U29 has 1 to 4 bytes: 7 bits in each of the first three, top bit set if more come, 8 bits in the fourth.

There are three tables that references point into: texts, complex values, traits. They last for one value on the wire
(wire facts 4), so here for one value of L{decode} and one of L{encode}. As in AMF0, a reference gives the same Python
object again, costs as much of the limits as what it stands for, and may not point to a value that is still open.

Arrays: without names a list, with names an L{ECMAArray<rtmptw.wire.amf.ECMAArray>}, its values without names under
"0", "1" and so on. (An empty ECMA array thus comes back as an empty list.) A class that writes itself
("externalizable") has no known end, and the value is given up: but for Flex's three wrappers, whose body is one value.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from rtmptw.errors import AMFUnsupportedError
from rtmptw.wire.amf import (
    COMMAND_LIMITS,
    UNDEFINED,
    Absent,
    AMFLimits,
    AMFValue,
    Date,
    Dictionary,
    ECMAArray,
    TypedObject,
    Vector,
    VectorKind,
    XMLDocument,
)
from rtmptw.wire.amf3encoder import Encoder, encode
from rtmptw.wire.amfcoding import Reader

__all__ = ["Decoder", "Encoder", "decode", "encode"]

_double = struct.Struct(">d").unpack_from

#: Externalizable classes whose body is one AMF3 value: the array or object inside. They are read as that value.
_WRAPPERS = frozenset(
    {
        "flex.messaging.io.ArrayCollection",
        "flex.messaging.io.ArrayList",
        "flex.messaging.io.ObjectProxy",
    }
)

#: By marker: kind, struct code and size in bytes of an element.
_NUMBER_VECTORS: dict[int, tuple[VectorKind, str, int]] = {
    0x0D: ("int", "i", 4),
    0x0E: ("uint", "I", 4),
    0x0F: ("double", "d", 8),
}


@dataclass(slots=True)
class _Traits:
    """The shape of an object (section 3.12); C{size} is its bytes, for objects that repeat it."""

    className: str
    names: list[str]
    dynamic: bool
    externalizable: bool
    size: int


class Decoder(Reader):
    """Reads values one after another with L{value}; they share the limits, and each has its own tables."""

    def value(self) -> AMFValue:
        self.objects = []
        self._strings: list[tuple[str, int]] = []
        self._traits: list[_Traits] = []
        return super().value()

    def _value(self) -> AMFValue:
        marker = self.data[self.position]
        self.position += 1
        self.spend(1)
        return _READERS[marker](self)

    def _u29(self) -> int:
        start = self.position
        result = 0
        for at in range(start, start + 3):
            byte = self.data[at]
            result = result << 7 | byte & 0x7F
            if byte < 0x80:
                self.position = at + 1
                return result
        result = result << 8 | self.data[start + 3]
        self.position = start + 4
        return result

    def _flag(self) -> bool:
        value = self.data[self.position] != 0
        self.position += 1
        return value

    def _undefined(self) -> Absent:
        return UNDEFINED

    def _null(self) -> None:
        return None

    def _false(self) -> bool:
        return False

    def _true(self) -> bool:
        return True

    def _integer(self) -> int:
        value = self._u29()
        return value - 0x20000000 if value & 0x10000000 else value

    def _number(self) -> float:
        value: float = _double(self.data, self.position)[0]
        self.position += 8
        return value

    def _string(self) -> str:
        start = self.position
        header = self._u29()
        if header & 1:
            text = self.text(header >> 1)
            if text:  # the empty string is never in the table (section 1.3.2)
                self._strings.append((text, header >> 1))
            return text
        if header >> 1 >= len(self._strings):
            raise self.fault(f"reference {header >> 1} to a string that has not come", start)
        text, size = self._strings[header >> 1]
        self.spend(0, size)
        return text

    def _complex(self, read: Callable[[int], AMFValue], levels: int = 1) -> AMFValue:
        """A value with a header: a reference, or whatever C{read} makes of the rest of the header."""
        start = self.position
        header = self._u29()
        if not header & 1:
            return self.refer(header >> 1, start)
        entry = self.open(levels)
        return self.close(entry, read(header >> 1))

    def _checkCount(self, count: int, size: int, field: str = "values") -> None:
        """Before any loop: each of C{count} things, a field of the limits, takes at least C{size} bytes."""
        limit: int = getattr(self.limits, field)
        if count > limit:
            raise self.excess(field, f"{count} values announced, {limit} allowed")
        if count * size > self.end - self.position:
            raise self.fault(f"{count} values announced, {self.end - self.position} bytes left")

    def _xml(self) -> AMFValue:
        return self._complex(lambda size: XMLDocument(self.text(size)), 0)

    def _byteArray(self) -> AMFValue:
        return self._complex(self.take, 0)

    def _date(self) -> AMFValue:
        return self._complex(lambda _: Date(self._number()), 0)

    def _array(self) -> AMFValue:
        return self._complex(self._arrayBody)

    def _arrayBody(self, count: int) -> AMFValue:
        named = ECMAArray()
        self._members(named)
        self._checkCount(count, 1)
        values = [self._value() for _ in range(count)]
        if not named:
            return values
        named.update((str(index), value) for index, value in enumerate(values))
        return named

    def _members(self, members: dict[str, AMFValue]) -> None:
        while key := self._string():
            members[key] = self._value()
            if len(members) > self.limits.keys:
                raise self.excess("keys", f"more than {self.limits.keys} keys in one object")

    def _object(self) -> AMFValue:
        return self._complex(self._objectBody)

    def _objectBody(self, header: int) -> AMFValue:
        start = self.position
        traits = self._newTraits(header >> 1) if header & 1 else self._oldTraits(header >> 1)
        if traits.externalizable:
            if traits.className not in _WRAPPERS:
                name = traits.className[:64]
                raise AMFUnsupportedError(f"the externalizable class {name!r} has no known end", offset=start)
            return self._value()
        members: dict[str, AMFValue] = TypedObject(traits.className) if traits.className else {}
        for name in traits.names:
            members[name] = self._value()
        if traits.dynamic:
            self._members(members)
        return members

    def _newTraits(self, flags: int) -> _Traits:
        mark = self.position + self.repeated
        externalizable = bool(flags & 1)
        count = 0 if externalizable else flags >> 2
        className = self._string()
        self._checkCount(count, 1, "keys")
        names = [self._string() for _ in range(count)]
        size = self.position + self.repeated - mark
        traits = _Traits(className, names, bool(flags & 2), externalizable, size)
        self._traits.append(traits)
        return traits

    def _oldTraits(self, index: int) -> _Traits:
        if index >= len(self._traits):
            raise self.fault(f"reference {index} to traits that have not come")
        traits = self._traits[index]
        self.spend(0, traits.size)
        return traits

    def _numberVector(self) -> AMFValue:
        kind, code, size = _NUMBER_VECTORS[self.data[self.position - 1]]

        def body(count: int) -> Vector:
            fixed = self._flag()
            self._checkCount(count, size)
            self.spend(count)
            vector = Vector(kind, struct.unpack_from(f">{count}{code}", self.data, self.position), fixed)
            self.position += count * size
            return vector

        return self._complex(body, 0)

    def _objectVector(self) -> AMFValue:
        return self._complex(self._objectVectorBody)

    def _objectVectorBody(self, count: int) -> AMFValue:
        fixed = self._flag()
        typeName = self._string()
        self._checkCount(count, 1)
        return Vector("object", (self._value() for _ in range(count)), fixed, typeName)

    def _dictionary(self) -> AMFValue:
        return self._complex(self._dictionaryBody)

    def _dictionaryBody(self, count: int) -> AMFValue:
        weak = self._flag()
        self._checkCount(count, 2, "keys")
        return Dictionary(((self._value(), self._value()) for _ in range(count)), weak)

    def _unknown(self) -> AMFValue:
        start = self.position - 1
        raise AMFUnsupportedError(f"AMF3 marker 0x{self.data[start]:02x} is unknown", offset=start)


#: Who reads what, by marker.
_READERS: list[Callable[[Decoder], AMFValue]] = [
    Decoder._undefined,
    Decoder._null,
    Decoder._false,
    Decoder._true,
    Decoder._integer,
    Decoder._number,
    Decoder._string,
    Decoder._xml,
    Decoder._date,
    Decoder._array,
    Decoder._object,
    Decoder._xml,
    Decoder._byteArray,
    Decoder._numberVector,
    Decoder._numberVector,
    Decoder._numberVector,
    Decoder._objectVector,
    Decoder._dictionary,
    *[Decoder._unknown] * (256 - 0x12),
]


def decode(data: bytes, limits: AMFLimits = COMMAND_LIMITS, offset: int = 0) -> list[AMFValue]:
    """
    All the values in C{data}, each with tables of its own.

    @param limits: for all of them together.
    @param offset: where in C{data} the first value begins, bytes.
    @raise AMFDecodeError: a value is cut, malformed or over a limit; C{offset} counts from the start of C{data}.
    @raise AMFUnsupportedError: a value whose end cannot be known.
    """
    decoder = Decoder(data, limits, offset)
    values: list[AMFValue] = []
    while decoder.position < decoder.end:
        values.append(decoder.value())
    return values
