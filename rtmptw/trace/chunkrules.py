# -*- test-case-name: tests.trace.test_chunkrules -*-
"""
Rules for chunks and control messages (wire facts 2). How messages are cut is judged where they are read
(L{rtmptw.trace.reading}).
"""

from __future__ import annotations

from collections.abc import Iterator

from rtmptw.trace.entry import ReadMessage, Violation
from rtmptw.trace.rule import ALL_MESSAGES, Heard, Rule
from rtmptw.trace.segment import Side
from rtmptw.wire.control import controlValue
from rtmptw.wire.message import MessageType

__all__ = ["CHUNK_RULES"]

_REPETITION = {
    Side.SERVER: "extended-timestamp-not-repeated",
    Side.CLIENT: "client-extended-timestamp-not-repeated",
}

_SIZES = {
    MessageType.SET_CHUNK_SIZE: "Set Chunk Size",
    MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE: "Window Acknowledgement Size",
    MessageType.SET_PEER_BANDWIDTH: "Set Peer Bandwidth",
}

#: FFmpeg reads these numbers as signed.
_LARGEST = 0x7FFFFFFF


def _extendedTimestamp(heard: Heard[ReadMessage]) -> Iterator[Violation]:
    """The extended timestamp in every chunk of its message."""
    first = heard.entry.chunks[0]
    if first.extended is None and not first.lacksExtended:
        return
    lacking = next((chunk for chunk in heard.entry.chunks if chunk.lacksExtended), None)
    if lacking is not None:
        words = (
            f"a type 3 chunk on chunk stream {lacking.chunkStreamId} does not repeat the extended timestamp of its "
            "message: most readers take the first 4 bytes of its body for it"
        )
        yield heard.violation(_REPETITION[heard.entry.side], words, lacking.offset + lacking.headerSize)


def _abort(heard: Heard[ReadMessage]) -> Iterator[Violation]:
    words = "the server sends Abort: FFmpeg does not obey it, and fails when the chunk stream goes on"
    yield heard.violation("abort-sent", words, heard.entry.place(0))


def _controlValue(heard: Heard[ReadMessage]) -> Iterator[Violation]:
    """A number that is one."""
    message = heard.entry.message
    name, value = _SIZES[MessageType(message.type)], controlValue(message)
    if value is None:
        words = f"{name} has {len(message.payload)} bytes, and needs 4"
    elif not 1 <= value <= _LARGEST:
        words = f"{name} says {value:,}: it is to be within 1 to 2,147,483,647"
    else:
        return
    yield heard.violation("control-value", words, heard.entry.place(0))


CHUNK_RULES = (
    Rule((_REPETITION[Side.SERVER],), Side.SERVER, ALL_MESSAGES, _extendedTimestamp, once=True),
    Rule((_REPETITION[Side.CLIENT],), Side.CLIENT, ALL_MESSAGES, _extendedTimestamp, once=True),
    Rule(("abort-sent",), Side.SERVER, (MessageType.ABORT,), _abort),
    Rule(("control-value",), None, tuple(_SIZES), _controlValue),
)
