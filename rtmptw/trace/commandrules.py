# -*- test-case-name: tests.trace.test_commandrules -*-
"""
Rules for the form of the server's commands, whatever they say (wire facts 3.2, 4).
"""

from __future__ import annotations

from collections.abc import Iterator

from rtmptw.trace.entry import ReadMessage, Violation
from rtmptw.trace.markers import AMF3, DROPPED, markersIn, named
from rtmptw.trace.rule import TYPE, Heard, Rule, headerPlace, plain
from rtmptw.trace.segment import Side
from rtmptw.trace.values import COMMANDS
from rtmptw.wire.message import MessageType

__all__ = ["COMMAND_RULES"]

#: What clients wait for; they pass over other commands.
_AWAITED = ("_result", "_error", "onStatus")

#: How many values every command has (RTMP 1.0, section 7.1.1).
_LEAST = 3


def _asAMF3(heard: Heard[ReadMessage]) -> Iterator[Violation]:
    """Type 17 is for who has spoken AMF3."""
    if heard.values.name in _AWAITED and not heard.notes.wantsAMF3:
        words = f"{heard.values.name} goes out as message type 17 (AMF3), and the client has not asked for AMF3"
        yield heard.violation("reply-as-amf3", words, headerPlace(heard.entry, TYPE))


def _short(heard: Heard[ReadMessage]) -> Iterator[Violation]:
    """Name, transaction ID, command object."""
    count = len(heard.values.placed)
    if count < _LEAST and heard.values.fault is None:
        words = f"{plain(heard.values.name, 'a command')} has {count} of the 3 values that every command has"
        yield heard.violation("short-command", words, heard.entry.place(len(heard.entry.message.payload)))


def _markers(heard: Heard[ReadMessage]) -> Iterator[Violation]:
    """Values of types that everybody reads."""
    if heard.values.name not in _AWAITED:
        return
    payload = heard.entry.message.payload
    unwanted = DROPPED - {AMF3} if heard.notes.wantsAMF3 else DROPPED
    found = next(iter(markersIn(payload, unwanted)), None)
    fault = heard.values.fault
    if found is not None:
        words = f"{heard.values.name} holds {named(found[0])}, which clients can't read"
        yield heard.violation("unsupported-marker", words, heard.entry.place(found[1]))
    elif fault is not None:
        words = f"{heard.values.name} holds a value that can't be read: clients do not find what stands behind it"
        yield heard.violation("unsupported-marker", words, heard.entry.place(fault.offset or 0))


COMMAND_RULES = (
    Rule(("reply-as-amf3",), Side.SERVER, (MessageType.COMMAND_AMF3,), _asAMF3),
    Rule(("short-command",), Side.SERVER, tuple(COMMANDS), _short),
    Rule(("unsupported-marker",), Side.SERVER, (MessageType.COMMAND,), _markers),
)
