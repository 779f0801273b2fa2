# -*- test-case-name: tests.trace.test_clientrules -*-
"""
Rules for the client (wire facts 3.1, 10.65 to 10.67).
"""

from __future__ import annotations

from collections.abc import Iterator

from rtmptw.trace.entry import ReadMessage, Violation
from rtmptw.trace.notes import MEDIA
from rtmptw.trace.rule import STREAM_ID, Heard, Rule, headerPlace, plain
from rtmptw.trace.segment import Side
from rtmptw.trace.values import COMMANDS

__all__ = ["CLIENT_RULES"]

#: Answers repeat the server's numbers, not the client's.
_ANSWERS = frozenset(("_result", "_error"))

_ON_STREAMS = frozenset(("publish", "play"))


def _reused(heard: Heard[ReadMessage]) -> Iterator[Violation]:
    """A number for each call. 0 asks for no answer, and may be repeated."""
    id, placed = heard.values.transactionId, heard.values.at(1)
    if not id or placed is None or heard.values.name in _ANSWERS:
        return
    earlier = heard.talk.asked(id)
    if earlier is not None:
        name, before = plain(heard.values.name, "a call"), plain(earlier.name, "a call")
        words = f"{name} has transaction ID {id:g}, which {before} had before"
        yield heard.violation("client-transaction-id-reused", words, heard.entry.place(placed.start))


def _stream(heard: Heard[ReadMessage]) -> Iterator[Violation]:
    """A message stream that the server has given, if it has given one yet."""
    used, given = heard.entry.message.streamId, heard.talk.streamIds
    if not given or used in given or (heard.entry.message.type in COMMANDS and heard.values.name not in _ON_STREAMS):
        return
    what = heard.values.name or "media"
    words = f"{what} comes on message stream {used}, and the server has given {given[-1]}"
    yield heard.violation("client-message-stream", words, headerPlace(heard.entry, STREAM_ID))


CLIENT_RULES = (
    Rule(("client-transaction-id-reused",), Side.CLIENT, tuple(COMMANDS), _reused, once=True),
    Rule(("client-message-stream",), Side.CLIENT, (*COMMANDS, *MEDIA), _stream, once=True),
)
