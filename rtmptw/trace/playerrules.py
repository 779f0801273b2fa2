# -*- test-case-name: tests.trace.test_playerrules -*-
"""
Rules for what players are sent (wire facts 3.3, 5, 6).
"""

from __future__ import annotations

from collections.abc import Iterator

from rtmptw.trace.entry import ReadMessage, Violation
from rtmptw.trace.markers import ECMA_ARRAY, STRING, UNSKIPPABLE, markersIn, named
from rtmptw.trace.notes import MEDIA
from rtmptw.trace.rule import TYPE, Heard, Rule, headerPlace
from rtmptw.trace.segment import Side
from rtmptw.trace.talk import Role
from rtmptw.trace.values import PlacedValue
from rtmptw.wire.data import ON_META_DATA
from rtmptw.wire.message import MessageType

__all__ = ["PLAYER_RULES"]

#: The longest name of data, and of a member of the metadata, that FFmpeg's player takes, bytes.
_LONGEST_NAME = 63
_LONGEST_MEMBER = 127

_END = b"\x00\x00\x09"


def _beforeStart(heard: Heard[ReadMessage]) -> Iterator[Violation]:
    """No media before Play.Start. Nobody minds an empty message."""
    if _plays(heard) and not heard.talk.started and heard.entry.message.payload:
        words = "media comes before NetStream.Play.Start"
        yield heard.violation("media-before-start", words, heard.entry.place(0))


def _asAMF3(heard: Heard[ReadMessage]) -> Iterator[Violation]:
    if _plays(heard) and not heard.notes.wantsAMF3:
        words = "data for the player goes out as message type 15 (AMF3), and the player has not asked for AMF3"
        yield heard.violation("type15-to-player", words, headerPlace(heard.entry, TYPE))


def _data(heard: Heard[ReadMessage]) -> Iterator[Violation]:
    """A short string, and behind C{onMetaData} what FFmpeg can go through."""
    payload = heard.entry.message.payload
    if not _plays(heard) or not payload:
        return
    first, second = heard.values.at(0), heard.values.at(1)
    if first is None or first.marker != STRING or first.stop - first.start > 3 + _LONGEST_NAME:
        found = "can't be read" if first is None else f"is {named(first.marker)}"
        if first is not None and first.marker == STRING:
            found += f" of {first.stop - first.start - 3:,} bytes"
        words = f"the first value of a data message {found}: FFmpeg's player wants a string of at most 63 bytes"
        yield heard.violation("data-without-name", words, heard.entry.place(0))
    elif first.value == ON_META_DATA and payload[first.stop : first.stop + 1] == bytes((ECMA_ARRAY,)):
        yield from _metadata(heard, first.stop, second)


def _metadata(heard: Heard[ReadMessage], start: int, array: PlacedValue | None) -> Iterator[Violation]:
    """
    What FFmpeg's player goes through.

    @param start: where the array begins.
    @param array: the array, if it can be read.
    """
    payload = heard.entry.message.payload
    found = next(iter(markersIn(payload, UNSKIPPABLE, start)), None)
    if found is not None:
        words, position = f"onMetaData holds {named(found[0])}", found[1]
    elif array is None:
        words, position = "onMetaData holds a value that can't be read", start
    elif not payload.endswith(_END) and array.stop == len(payload):
        words, position = "onMetaData has no end marker (00 00 09)", len(payload)
    else:
        members = array.value if isinstance(array.value, dict) else {}
        names = (name.encode("utf-8", "surrogateescape") for name in members)
        long = next((name for name in names if len(name) > _LONGEST_MEMBER), None)
        if long is None:
            return
        words = f"a member of onMetaData has a name of {len(long):,} bytes"
        position = payload.find(len(long).to_bytes(2, "big") + long, start)
    yield heard.violation("metadata-undefined", f"{words}: FFmpeg's player fails there", heard.entry.place(position))


def _plays(heard: Heard[ReadMessage]) -> bool:
    return heard.talk.role is Role.PLAYER


PLAYER_RULES = (
    Rule(("media-before-start",), Side.SERVER, tuple(MEDIA), _beforeStart, once=True),
    Rule(("type15-to-player",), Side.SERVER, (MessageType.DATA_AMF3,), _asAMF3, once=True),
    Rule(("data-without-name", "metadata-undefined"), Side.SERVER, (MessageType.DATA,), _data),
)
