# -*- test-case-name: tests.wire.test_amf -*-
"""
What AMF0 and AMF3 have in common: bounded reading, references, and finding who writes a Python type.

A decoder is a L{Reader} with a table of markers, an encoder a L{Writer} with a table of types. All bounds are kept
here, so that both formats, and AMF3 inside AMF0, keep the same ones:

- a size is compared with what is left and with the limit before a byte is taken;
- the depth is checked before going down;
- a reference costs the values and bytes that it stands for, so that a chain of references to references to references
  ends early; one to a value that is still open would make a cycle, and is refused.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, ClassVar

from rtmptw.errors import AMFDecodeError, AMFLimitExceeded, LocalProtocolError
from rtmptw.wire.amf import COMMAND_LIMITS, LIMIT_NAMES, MAX_DEPTH, AMFLimits, AMFValue
from rtmptw.wire.message import MAX_MESSAGE_SIZE

__all__ = ["Entry", "Reader", "Writer", "encodeText"]


class Entry:
    """
    A complex value in a reference table, and what a reference to it costs.

    @ivar isOpen: its members are still being read; a reference to it would make a cycle.
    @ivar depth: how many values it lies in.
    @ivar value: the value, once closed.
    @ivar nodes: values inside it, those repeated by references included. While open: the count at its start.
    @ivar size: its bytes, those repeated by references included. While open: the count at its start.
    """

    __slots__ = ("depth", "isOpen", "nodes", "size", "value")

    def __init__(self, depth: int, nodes: int, size: int) -> None:
        self.isOpen = True
        self.depth = depth
        self.value: AMFValue = None
        self.nodes = nodes
        self.size = size


class Reader:
    """
    What both decoders share: a place in the bytes, the limits, the table of complex values.

    A reader that has raised is finished.

    @ivar data: the bytes.
    @ivar end: how many they are.
    @ivar position: the next byte, counted from the start of C{data}.
    @ivar depth: how many values are open.
    @ivar used: the values read, those repeated by references included.
    @ivar repeated: bytes that references have repeated.
    """

    __slots__ = ("data", "depth", "end", "limits", "maxString", "maxValues", "objects", "position", "repeated", "used")

    def __init__(self, data: bytes, limits: AMFLimits = COMMAND_LIMITS, position: int = 0) -> None:
        self.data = data
        self.end = len(data)
        self.position = position
        self.limits = limits
        self.maxValues = limits.values
        self.maxString = limits.stringBytes
        self.depth = 0
        self.used = 0
        self.repeated = 0
        self.objects: list[Entry] = []

    def value(self) -> AMFValue:
        """
        Read the value at C{position} and move behind it.

        @raise AMFDecodeError: it is cut, malformed, unsupported or over a limit.
        """
        try:
            return self._value()
        except (struct.error, IndexError):
            # Fixed-size fields are read without looking whether they are there; the position stands on the field.
            raise self.fault("the value is cut short") from None

    def _value(self) -> AMFValue:
        raise NotImplementedError

    def follow(self, other: Reader) -> None:
        """Go on where C{other} stands, with what it has left of the limits."""
        self.position = other.position
        self.depth = other.depth
        self.used = other.used
        self.repeated = other.repeated

    def fault(self, reason: str, offset: int | None = None) -> AMFDecodeError:
        """The error to raise; it blames C{position} unless told otherwise."""
        return AMFDecodeError(reason, offset=self.position if offset is None else offset)

    def excess(self, field: str, reason: str, offset: int | None = None) -> AMFLimitExceeded:
        """
        The same, if it is too much of something.

        @param field: of what, as a field of L{AMFLimits}.
        """
        limit = LIMIT_NAMES[self.limits.carrier][field]
        return AMFLimitExceeded(reason, limit=limit, offset=self.position if offset is None else offset)

    def spend(self, values: int, repeated: int = 0) -> None:
        """Count C{values} more values, and C{repeated} bytes that a reference stands for."""
        self.used += values
        self.repeated += repeated
        if self.used > self.maxValues:
            raise self.excess("values", f"more than {self.maxValues} values")
        if self.repeated > self.limits.repeatedBytes:
            raise self.excess("repeatedBytes", f"references repeat more than {self.limits.repeatedBytes} bytes")

    def open(self, levels: int = 1) -> Entry:
        """Begin a complex value: it takes its place in the table before its members do. C{levels}: 0 if it has none."""
        depth = self.depth
        if depth + levels > self.limits.depth:
            raise self.excess("depth", f"values lie more than {self.limits.depth} deep")
        self.depth = depth + levels
        entry = Entry(depth, self.used, self.position + self.repeated)
        self.objects.append(entry)
        return entry

    def close(self, entry: Entry, value: AMFValue) -> AMFValue:
        """End a complex value; from now on it can be referred to."""
        self.depth = entry.depth
        entry.value = value
        entry.nodes = self.used - entry.nodes
        entry.size = self.position + self.repeated - entry.size
        entry.isOpen = False
        return value

    def refer(self, index: int, offset: int) -> AMFValue:
        """The complex value at C{index} in the table, the same object again; C{offset} is blamed."""
        if index >= len(self.objects):
            raise self.fault(f"reference {index} to a value that has not come", offset)
        entry = self.objects[index]
        if entry.isOpen:
            raise self.fault(f"reference {index} makes a cycle", offset)
        self.spend(entry.nodes, entry.size)
        return entry.value

    def take(self, size: int) -> bytes:
        """The next C{size} bytes: looked at only when they are all there and allowed."""
        start = self.position
        stop = start + size
        if stop > self.end:
            raise self.fault(f"{size} bytes announced, {self.end - start} left")
        if size > self.maxString:
            raise self.excess("stringBytes", f"{size} bytes in one string, {self.maxString} allowed")
        self.position = stop
        return self.data[start:stop]

    def text(self, size: int) -> str:
        """The next C{size} bytes as a string. (It is take() in place: most of what is read is strings and keys.)"""
        start = self.position
        stop = start + size
        if stop > self.end or size > self.maxString:
            self.take(size)
        self.position = stop
        return self.data[start:stop].decode("utf-8", "surrogateescape")


class Writer:
    """
    What both encoders share: the bytes so far, the depth, and finding who writes a type.

    A writer that has raised is finished.

    @cvar writers: the function for each Python type; a subclass of a type is written as the nearest one listed.
    """

    name: ClassVar[str]
    writers: ClassVar[dict[type, Callable[[Any, Any], None]]]

    def __init__(self) -> None:
        self.out = bytearray()
        self.depth = 0

    def value(self, value: AMFValue) -> None:
        """
        Append one value.

        @raise LocalProtocolError: the format has no bytes for it.
        """
        self._value(value)

    def _value(self, value: AMFValue) -> None:
        write = self.writers.get(type(value)) or self._inherited(value)
        write(self, value)

    def _inherited(self, value: object) -> Callable[[Any, Any], None]:
        for base in type(value).__mro__:
            if base in self.writers:
                return self.writers[base]
        raise self.refuse(value)

    def refuse(self, value: object) -> LocalProtocolError:
        """The error to raise for a value of a type that has no bytes in this format."""
        return LocalProtocolError(f"{self.name} has no bytes for a {type(value).__name__}")

    def descend(self) -> None:
        """
        Go one level deeper; the caller comes back up by itself.

        A cycle ends here by its depth. A value that contains others many times over has no cycle, yet grows without
        end: it is stopped by its size.
        """
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise LocalProtocolError(f"values lie more than {MAX_DEPTH} deep, or in a cycle")
        self._checkSize()

    def _checkSize(self) -> None:
        if len(self.out) > MAX_MESSAGE_SIZE:
            raise LocalProtocolError(f"more than {MAX_MESSAGE_SIZE} bytes of {self.name}: no message can carry them")

    def encoded(self) -> bytes:
        """All that was written."""
        self._checkSize()
        return bytes(self.out)


def encodeText(text: object) -> bytes:
    """
    The bytes of a string or name.

    @raise LocalProtocolError: not a string, or a surrogate in it that stands for no byte.
    """
    if not isinstance(text, str):
        raise LocalProtocolError(f"a name in AMF is a str, not a {type(text).__name__}")
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise LocalProtocolError(f"no UTF-8 for {text[error.start]!r} in a string") from None
