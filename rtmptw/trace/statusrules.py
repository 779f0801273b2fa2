# -*- test-case-name: tests.trace.test_statusrules -*-
"""
Rules for onStatus (wire facts 3.2, 3.6 row 9).
"""

from __future__ import annotations

from collections.abc import Iterator

from rtmptw.trace.entry import ReadMessage, Violation
from rtmptw.trace.markers import DROPPED, OBJECT, UNSKIPPABLE, markersIn, named
from rtmptw.trace.notes import statusCode
from rtmptw.trace.rule import STREAM_ID, Heard, Rule, headerPlace, plain
from rtmptw.trace.segment import Side
from rtmptw.trace.talk import Role
from rtmptw.wire.message import MessageType

__all__ = ["STATUS_RULES"]

#: What begins a publish or a play for every client (wire facts 3.2).
_STARTS = frozenset(
    ("NetStream.Publish.Start", "NetStream.Play.Start", "NetStream.Play.Reset", "NetStream.Play.PublishNotify")
)

#: Refusals that librtmp or OBS know by their codes.
_REFUSALS = frozenset(
    (
        "NetConnection.Connect.InvalidApp",
        "NetConnection.Connect.Rejected",
        "NetStream.Failed",
        "NetStream.Play.Failed",
        "NetStream.Play.StreamNotFound",
        "NetStream.Publish.BadName",
        "NetStream.Publish.Denied",
        "NetStream.Publish.Rejected",
    )
)

#: The member that FFmpeg looks for, as it stands in an object.
_CODE = b"\x00\x04code"

_PLACES = {1: "second", 2: "third"}


def _undefined(heard: Heard[ReadMessage]) -> Iterator[Violation]:
    """FFmpeg skips what is in front of the code, and must know the types to do so."""
    values = heard.values
    for index, place in _PLACES.items():
        placed = values.at(index)
        if placed is not None and placed.marker in UNSKIPPABLE:
            words = f"the {place} value of onStatus is {named(placed.marker)}: FFmpeg can't skip it"
            yield heard.violation("onstatus-undefined", words, heard.entry.place(placed.start))
            return
    information = values.at(3)
    if information is None or information.marker != OBJECT:
        return
    payload = heard.entry.message.payload
    code = payload.find(_CODE, information.start, information.stop)
    # The types that whole commands are dropped for are told by another rule.
    for marker, position in markersIn(payload, UNSKIPPABLE - DROPPED, information.start):
        if position < code:
            words = f"in onStatus {named(marker)} stands in front of the code: FFmpeg can't skip it"
            yield heard.violation("onstatus-undefined", words, heard.entry.place(position))
            return


def _information(heard: Heard[ReadMessage]) -> Iterator[Violation]:
    """An object, no other type."""
    information = heard.values.at(3)
    if information is None and heard.values.fault is None:
        place = heard.entry.place(len(heard.entry.message.payload))
        yield heard.violation("onstatus-ecma", "onStatus has no fourth value, and so says nothing", place)
    elif information is not None and information.marker != OBJECT and information.marker not in DROPPED:
        words = f"the information in onStatus is {named(information.marker)}, not an object (03)"
        yield heard.violation("onstatus-ecma", words, heard.entry.place(information.start))


def _stream(heard: Heard[ReadMessage]) -> Iterator[Violation]:
    """The message stream of the publish or play that it answers."""
    call = next((call for call in reversed(heard.talk.calls) if call.name in ("publish", "play")), None)
    used = heard.entry.message.streamId
    if call is None or statusCode(heard.values)[1] not in _STARTS or used == call.streamId:
        return
    # A client that publishes on a stream that it was not given does not wait for a status on it either.
    if call.streamId and call.streamId in heard.talk.streamIds:
        words = f"onStatus comes on message stream {used}, and {call.name} came on {call.streamId}"
        yield heard.violation("onstatus-on-stream-0", words, headerPlace(heard.entry, STREAM_ID))


def _first(heard: Heard[ReadMessage]) -> Iterator[Violation]:
    """rtmp2 takes the first status on its message stream for the answer."""
    level, code = statusCode(heard.values)
    isFirst = heard.talk.role is not Role.UNKNOWN and not heard.notes.statuses and heard.entry.message.streamId != 0
    information = heard.values.at(3)
    if isFirst and information is not None and level != "error" and code not in _STARTS:
        words = f"the first status on the stream has the code {plain(code, 'none')}: rtmp2 wants the start first"
        yield heard.violation("first-status-not-start", words, heard.entry.place(information.start))


def _refusal(heard: Heard[ReadMessage]) -> Iterator[Violation]:
    """A code that says no to all."""
    level, code = statusCode(heard.values)
    information = heard.values.at(3)
    if level == "error" and code not in _REFUSALS and information is not None:
        words = f"the refusal has the code {plain(code, 'none')}, which clients do not know"
        yield heard.violation("error-status-unknown-code", words, heard.entry.place(information.start))


def _onStatus(heard: Heard[ReadMessage]) -> Iterator[Violation]:
    """All of them."""
    if heard.values.name == "onStatus":
        for rule in (_undefined, _information, _stream, _first, _refusal):
            yield from rule(heard)


STATUS_RULES = (
    Rule(
        (
            "onstatus-undefined",
            "onstatus-ecma",
            "onstatus-on-stream-0",
            "first-status-not-start",
            "error-status-unknown-code",
        ),
        Side.SERVER,
        (MessageType.COMMAND,),
        _onStatus,
    ),
)
