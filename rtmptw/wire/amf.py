# -*- test-case-name: tests.wire.test_amf -*-
"""
Action Message Format: the Python values that AMF0 and AMF3 become, and the bounds on both.

A command or data message carries a row of these values (RTMP 1.0, sections 7.1.1 and 7.1.2). L{rtmptw.wire.amf0} and
L{rtmptw.wire.amf3} turn bytes into them and back::

    number, double   float                 object           dict
    integer (AMF3)   int                   typed object     TypedObject, a dict
    boolean          bool                  ECMA array       ECMAArray, a dict
    string           str                   strict array     list
    null             None                  date             Date
    undefined        UNDEFINED             XML              XMLDocument, a str
    unsupported      UNSUPPORTED           AMF3 only        bytes, Vector, Dictionary

Strings are UTF-8; other bytes become lone surrogates ("surrogateescape") and are written back as they were, so
nothing is lost. The classes compare as the dict, list or str they are: an ECMA array equals an object with the same
members, which is how a reader should treat the two (wire facts 4).

No class is looked up by a name from the wire, and no XML is parsed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal, TypeAlias

from rtmptw.errors import LocalProtocolError

__all__ = [
    "COMMAND_LIMITS",
    "DATA_LIMITS",
    "LIMIT_NAMES",
    "MAX_DEPTH",
    "UNDEFINED",
    "UNSUPPORTED",
    "AMFLimits",
    "AMFValue",
    "Absent",
    "Date",
    "Dictionary",
    "ECMAArray",
    "TypedObject",
    "Vector",
    "VectorKind",
    "XMLDocument",
]

#: How deep values may lie in one another, written or read (wire facts 4). FFmpeg reads 16 levels.
MAX_DEPTH = 32

#: Each level costs Python frames, so not even a generous program may ask for more than this.
_DEEPEST = 128


class Absent(Enum):
    """The two values that say only that there is none. Both are false."""

    UNDEFINED = "undefined"
    UNSUPPORTED = "unsupported"

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return self.name


#: AMF0 06, AMF3 00. Never send it to players (wire facts 5).
UNDEFINED: Final = Absent.UNDEFINED

#: AMF0 0D: the sender had a value that it could not write.
UNSUPPORTED: Final = Absent.UNSUPPORTED


@dataclass(frozen=True, slots=True)
class Date:
    """
    A point in time (AMF0 section 2.13, AMF3 section 3.10).

    @ivar ms: milliseconds since 1970-01-01 UTC; any double, so also NaN or 1e300.
    @ivar zone: minutes, -32768 to 32767; reserved by AMF0, not written in AMF3.
    """

    ms: float
    zone: int = 0


class ECMAArray(dict[str, "AMFValue"]):
    """An associative array (AMF0 section 2.10; AMF3 section 3.11 when it has names). It reads like an object."""

    __slots__ = ()


class TypedObject(dict[str, "AMFValue"]):
    """
    An object of a named class (AMF0 section 2.18, AMF3 section 3.12). The name is only a text.

    @ivar className: as the sender wrote it.
    """

    __slots__ = ("className",)

    def __init__(self, className: str, members: Mapping[str, AMFValue] | Iterable[tuple[str, AMFValue]] = ()) -> None:
        super().__init__(members)
        self.className = className

    def __repr__(self) -> str:
        return f"TypedObject({self.className!r}, {super().__repr__()})"


class XMLDocument(str):
    """The text of an XML document (AMF0 section 2.17, AMF3 sections 3.9 and 3.13). Nobody here parses it."""

    __slots__ = ()


VectorKind: TypeAlias = Literal["int", "uint", "double", "object"]


class Vector(list["AMFValue"]):
    """
    A list of one type (AMF3 section 3.15).

    @ivar kind: what the elements are: 32-bit numbers with or without a sign, doubles, or any values.
    @ivar fixed: the sender's list cannot grow.
    @ivar typeName: the class of the elements, for the kind "object"; empty or "*" for any.
    """

    __slots__ = ("fixed", "kind", "typeName")

    def __init__(
        self, kind: VectorKind, items: Iterable[AMFValue] = (), fixed: bool = False, typeName: str = ""
    ) -> None:
        super().__init__(items)
        self.kind = kind
        self.fixed = fixed
        self.typeName = typeName

    def __repr__(self) -> str:
        return f"Vector({self.kind!r}, {super().__repr__()}, fixed={self.fixed}, typeName={self.typeName!r})"


class Dictionary(list[tuple["AMFValue", "AMFValue"]]):
    """
    Pairs of a key and a value (AMF3 section 3.16). The key may be of any type, so this is a list.

    @ivar weak: the sender holds the keys by weak references.
    """

    __slots__ = ("weak",)

    def __init__(self, pairs: Iterable[tuple[AMFValue, AMFValue]] = (), weak: bool = False) -> None:
        super().__init__(pairs)
        self.weak = weak

    def __repr__(self) -> str:
        return f"Dictionary({super().__repr__()}, weak={self.weak})"


AMFValue: TypeAlias = (
    "bool | int | float | str | bytes | Absent | Date | Dictionary"
    " | dict[str, AMFValue] | list[AMFValue] | tuple[AMFValue, ...] | None"
)


@dataclass(frozen=True, slots=True)
class AMFLimits:
    """
    How much one message may hold.

    @ivar depth: values that lie in one another, 1 to 128.
    @ivar values: all values together; what a reference repeats counts again.
    @ivar keys: the members of one object, array or Dictionary.
    @ivar stringBytes: the length of one string, key, XML or byte array, bytes.
    @ivar repeatedBytes: what references repeat, bytes as if written out: a long string that is referred to a thousand
        times must not fill the memory of whoever writes the values out again.
    @ivar carrier: what the message is, for the names of the limits.
    @raise LocalProtocolError: C{depth} is out of range.
    """

    depth: int = MAX_DEPTH
    values: int = 1024
    keys: int = 256
    stringBytes: int = 4096
    repeatedBytes: int = 1 << 20
    carrier: Literal["command", "data"] = "command"

    def __post_init__(self) -> None:
        if not 1 <= self.depth <= _DEEPEST:
            raise LocalProtocolError(f"the depth of AMF values is 1 to {_DEEPEST}, not {self.depth}")


#: What the fields of L{AMFLimits} are called in L{rtmptw.limits.Limits}, by carrier. What has no name of its own there
#: is bounded by another one.
LIMIT_NAMES: dict[str, dict[str, str]] = {
    "command": {
        "depth": "amfDepth",
        "values": "commandValues",
        "keys": "commandKeys",
        "stringBytes": "commandStringBytes",
        "repeatedBytes": "amfRepeatedBytes",
    },
    "data": {
        "depth": "amfDepth",
        "values": "dataValues",
        "keys": "dataValues",
        "stringBytes": "dataStringBytes",
        "repeatedBytes": "amfRepeatedBytes",
    },
}

#: For commands: real clients stay far below.
COMMAND_LIMITS = AMFLimits()

#: For data messages and script tags: metadata may be long. Their keys are bounded by the values.
DATA_LIMITS = AMFLimits(values=4096, keys=4096, stringBytes=65536, carrier="data")
