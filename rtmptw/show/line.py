# -*- test-case-name: tests.show.test_line -*-
"""
A trace for people: a line for each entry, with time, direction, what it is, and where it stands::

       0.0132 C->S  createStream(4, null)            csid 3 fmt 1 msid 0 ts 0 20 command 25 bytes @3263
       0.0139 S->C  _result(4, undefined, 1)         csid 3 fmt 0 msid 0 ts 0 20 command 29 bytes @3329
                !! createstream-undefined at byte 3350: ... (see docs/why-ffmpeg-stops.rst)

What is wrong with an entry stands below it: behind C{!!} if a client stops at it, or something is lost; behind C{!} if
it is good to know. Below that, if that is wanted, its chunks and its bytes. All is printable ASCII.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from rtmptw.causes.causes import Severity
from rtmptw.show.hexdump import hexdump
from rtmptw.show.secrets import Hidden, Secrets
from rtmptw.show.wording import kindOf, printable, wording
from rtmptw.trace.entry import Chunk, Entry, HandshakeBlock, ReadMessage, Unreadable, Violation
from rtmptw.trace.segment import Side
from rtmptw.trace.values import COMMANDS, DATA, readValues
from rtmptw.wire.amf import AMFValue

__all__ = ["ARROWS", "MAX_BYTES", "SHOWN_HANDSHAKE", "SHOWN_UNREADABLE", "LineOptions", "contentOf", "isGrave", "lines"]

#: Who speaks to whom.
ARROWS = {Side.CLIENT: "C->S", Side.SERVER: "S->C"}

#: How many bytes are shown of a message; of a block of the handshake, which is random mostly; and of what nobody can
#: read, if bytes were not asked for.
MAX_BYTES = 1024
SHOWN_HANDSHAKE = 48
SHOWN_UNREADABLE = 64

#: How much room there is for what an entry is, in front of where it stands, characters; it takes more if it needs it.
_CONTENT = 52

#: What is below a line begins here.
_MARGIN = " " * 9

#: Where more stands about each cause.
_MORE = "(see docs/why-ffmpeg-stops.rst)"

#: What leads to a line that C{!!} is in front of.
_GRAVE = frozenset((Severity.STOPS, Severity.LOSES))


@dataclass(frozen=True)
class LineOptions:
    """
    What is shown.

    @ivar secrets: hides what is to be hidden; L{None} shows everything.
    @ivar chunks: whether the chunks of each message are shown.
    @ivar hex: whether the bytes are shown.
    @ivar label: what each line begins with, to know the connection.
    """

    secrets: Secrets | None = None
    chunks: bool = False
    hex: bool = False
    label: str = ""


def lines(entry: Entry, options: LineOptions, blocks: Mapping[str, bytes] | None = None) -> Iterator[str]:
    """
    Show an entry.

    @param blocks: the handshake so far, by the names of its blocks (L{rtmptw.trace.talk.Talk.blocks}).
    """
    values, fault = contentOf(entry, options.secrets)
    words = wording(entry, values, fault, blocks)
    if options.secrets is not None and isinstance(entry, Unreadable):
        words = options.secrets.about(words)
    yield f"{options.label}{entry.at:9.4f} {ARROWS[entry.side]}  {words:{_CONTENT}}  {_place(entry)}"
    for violation in entry.violations:
        yield f"{options.label}{_MARGIN}{_violationWords(violation, options.secrets)}"
    yield from (f"{options.label}{line}" for line in _details(entry, options))


def contentOf(entry: Entry, secrets: Secrets | None) -> tuple[tuple[AMFValue, ...], str]:
    """
    The values of a command or data message, as they may be shown, and why they can't be read to the end; nothing for
    other entries.

    @param secrets: L{None} shows everything.
    """
    if not isinstance(entry, ReadMessage) or entry.message.type not in COMMANDS | DATA:
        return (), ""
    if secrets is not None:
        return secrets.values(entry)
    values = readValues(entry.message)
    return tuple(placed.value for placed in values.placed), str(values.fault or "")


def isGrave(violation: Violation) -> bool:
    """Whether a client stops at it, or something is lost."""
    return violation.cause.severity in _GRAVE


def _place(entry: Entry) -> str:
    """Where an entry stands, in the stream of its side, and in its messages."""
    if isinstance(entry, ReadMessage):
        message = entry.message
        return (
            f"csid {message.chunkStreamId} fmt {entry.fmt} msid {message.streamId} ts {message.timestamp} "
            f"{message.type} {kindOf(message.type)} {len(message.payload)} bytes @{entry.offset}"
        )
    if isinstance(entry, HandshakeBlock):
        return f"{len(entry.data)} bytes @{entry.offset}"
    return f"@{entry.offset}"


def _violationWords(violation: Violation, secrets: Secrets | None) -> str:
    words = violation.words if secrets is None else secrets.remark(violation.words)
    sign = "!!" if isGrave(violation) else "! "
    return f"{sign} {violation.cause.name} at byte {violation.offset}: {printable(words)} {_MORE}"


def _details(entry: Entry, options: LineOptions) -> Iterator[str]:
    """The bytes of an entry, in the order in which they stand in the stream."""
    marks = [violation.offset for violation in entry.violations]
    if isinstance(entry, ReadMessage):
        hidden = _hidden(entry, options, MAX_BYTES) if options.hex else []
        left, position = MAX_BYTES, 0
        for chunk in entry.chunks if options.chunks or options.hex else ():
            if options.chunks:
                yield f"{_MARGIN}{_chunkWords(chunk, marks)}"
            if options.hex:
                place = chunk.offset + chunk.headerSize
                data = entry.message.payload[position : position + min(chunk.size, left)]
                here = [(start - position + place, stop - position + place) for start, stop in hidden]
                yield from hexdump(data, place, marks, here)
                position, left = position + chunk.size, left - len(data)
        yield from _rest(len(entry.message.payload) if options.hex else 0, MAX_BYTES)
    elif isinstance(entry, HandshakeBlock) and options.hex:
        yield from hexdump(entry.data[:SHOWN_HANDSHAKE], entry.offset, marks)
        yield from _rest(len(entry.data), SHOWN_HANDSHAKE)
    elif isinstance(entry, Unreadable):
        shown = entry.data[: None if options.hex else SHOWN_UNREADABLE]
        hidden = [(start + entry.offset, stop + entry.offset) for start, stop in _hidden(entry, options, len(shown))]
        yield from hexdump(shown, entry.offset, marks or [entry.offset], hidden)
        # The end tells how much it was.
        yield from _rest(entry.size, len(shown), " so far")


def _hidden(entry: Entry, options: LineOptions, limit: int) -> Collection[Hidden]:
    return [] if options.secrets is None else options.secrets.hidden(entry, limit)


def _rest(size: int, shown: int, until: str = "") -> Iterator[str]:
    if size > shown:
        yield f"{_MARGIN}... and {size - shown:,} bytes more{until}"


def _chunkWords(chunk: Chunk, marks: Collection[int]) -> str:
    """A chunk header, a byte of it that is to blame in brackets, and the size of what is behind it."""
    words = f"chunk @{chunk.offset}: fmt {chunk.fmt} csid {chunk.chunkStreamId} header"
    for place, byte in enumerate(chunk.header, chunk.offset):
        words += f" [{byte:02x}]" if place in marks else f" {byte:02x}"
    words += f" body {chunk.size}"
    if chunk.extended is not None:
        words += f" extended timestamp {chunk.extended}"
    return f"{words} without its extended timestamp" if chunk.lacksExtended else words
