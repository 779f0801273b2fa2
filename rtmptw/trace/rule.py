# -*- test-case-name: tests.trace.test_rule -*-
"""
A rule: what one side may not say, and the function that sees it.

A rule looks at one entry, L{Heard}, with what was said before it, and yields the violations that it finds, each with
the byte that is to blame. Which rules look at an entry is told by its side and its kind, so media pass few of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from rtmptw.causes.causes import CAUSES
from rtmptw.trace.entry import Ending, Entry, HandshakeBlock, ReadMessage, Unreadable, Violation
from rtmptw.trace.notes import Notes
from rtmptw.trace.segment import Side
from rtmptw.trace.talk import Talk
from rtmptw.trace.values import Values

__all__ = [
    "ALL_MESSAGES",
    "ENDING",
    "STREAM_ID",
    "TYPE",
    "UNREADABLE",
    "Heard",
    "Kind",
    "Rule",
    "headerPlace",
    "kindOf",
    "plain",
]

#: What an entry is: a message type, the name of a handshake block, or one of the two words below.
Kind = int | str
ENDING = "ending"
UNREADABLE = "unreadable"

#: Every message type.
ALL_MESSAGES: tuple[Kind, ...] = tuple(range(256))

#: The sizes of message headers by the chunk's type (RTMP 1.0, section 5.3.1.2), and of the extended timestamp, bytes.
_HEADER_SIZES = (11, 7, 3, 0)
_EXTENSION = 4

#: Where the message type ID and the message stream ID stand in a type 0 header.
TYPE, STREAM_ID = 6, 7

#: A command's name or a status's code that may be shown: no other text of the wire is, because it may be a secret.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,63}")

E = TypeVar("E", bound=Entry, covariant=True)


@dataclass(frozen=True, slots=True)
class Heard(Generic[E]):
    """
    An entry, with all that a rule may look at.

    @ivar talk: what was said before.
    @ivar notes: what else is known of it.
    @ivar values: those of a command or data message; none for the rest.
    """

    talk: Talk
    notes: Notes
    entry: E
    values: Values

    def violation(self, cause: str, words: str, offset: int) -> Violation:
        """
        @param cause: the name.
        @param offset: in the stream of the entry's side.
        """
        return Violation(CAUSES[cause], words, offset)


@dataclass(frozen=True, slots=True)
class Rule:
    """
    One rule.

    @ivar causes: the names of all that it may find.
    @ivar side: whose entries it looks at; L{None}: both.
    @ivar kinds: which of them.
    @ivar find: finds what is wrong.
    @ivar once: whether the first time is enough: what goes on all the time is told once for each side.
    """

    causes: tuple[str, ...]
    side: Side | None
    kinds: tuple[Kind, ...]
    find: Callable[[Heard[Any]], Iterator[Violation]]
    once: bool = False


def kindOf(entry: Entry) -> Kind:
    """What an entry is."""
    if isinstance(entry, ReadMessage):
        return entry.message.type
    if isinstance(entry, HandshakeBlock):
        return entry.name
    return ENDING if isinstance(entry, Ending) else UNREADABLE if isinstance(entry, Unreadable) else ""


def plain(text: object, otherwise: str) -> str:
    """A name or a code to be shown, if it looks like one."""
    return text if isinstance(text, str) and _PLAIN.fullmatch(text) else otherwise


def headerPlace(entry: ReadMessage, field: int) -> int:
    """
    Where a field of the type 0 message header stands (RTMP 1.0, section 5.3.1.2.1); the chunk's first byte if its
    header is shorter.

    @param field: counted from the first byte behind the basic header: L{TYPE} or L{STREAM_ID}.
    """
    chunk = entry.chunks[0]
    size = _HEADER_SIZES[chunk.fmt]
    if field >= size:
        return chunk.offset
    return chunk.offset + chunk.headerSize - (_EXTENSION if chunk.extended is not None else 0) - size + field
