# -*- test-case-name: tests.trace.test_endrules -*-
"""
Rules for the end of the server's side: what never came, and what was not said (wire facts 3.6 rows 5, 9, 13; 6).

Only an end that the server has made itself says something: a trace may stop anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from rtmptw.trace.entry import Ending, Violation
from rtmptw.trace.notes import CLOSES, RESETS
from rtmptw.trace.rule import ENDING, Heard, Rule
from rtmptw.trace.segment import Side
from rtmptw.trace.talk import Role
from rtmptw.wire.digest import BLOCK_SIZE

__all__ = ["END_RULES"]

#: How long a client must have waited in vain, seconds: one that looks in and goes has not waited.
_WAITED = 1.0

#: How long behind a refusal the connection may stay open, seconds. librtmp waits for 30.
_PATIENCE = 5.0

#: What a player is to be told at the end, the cause if it is missing, and who needs it.
_END_WORDS = {
    "notify": ("end-without-unpublishnotify", "NetStream.Play.UnpublishNotify", "FFmpeg"),
    "eof": ("end-without-streameof", "StreamEOF", "rtmp2src"),
}


def _never(heard: Heard[Ending]) -> Iterator[Violation]:
    """What the handshake, or connect, has waited for."""
    talk, received = heard.talk, heard.entry.offset
    if "C1" not in talk.blocks or not _waited(heard):
        return
    if received == 0:
        yield heard.violation("no-answer", "C0 and C1 came, and the server has sent nothing", 0)
    elif received == 1 + BLOCK_SIZE and "S1" in talk.blocks and "C2" not in talk.blocks:
        words = "S0 and S1 came, and S2 never did: the client waits for it before it sends C2"
        yield heard.violation("s2-waits-for-c2", words, received)
    elif talk.waiting("connect") is not None and heard.notes.read[Side.SERVER] == 0 and "S2" in talk.blocks:
        yield heard.violation("no-answer", "connect came, and the server has sent nothing behind S2", received)


def _closed(heard: Heard[Ending]) -> Iterator[Violation]:
    """The server goes first, and has not said why."""
    talk, notes = heard.talk, heard.notes
    if Side.CLIENT in notes.ended or talk.leaving or talk.refused or notes.lost or not notes.read[Side.SERVER]:
        return
    verb = "resets" if heard.entry.how in RESETS else "closes"
    wanted = {Role.PUBLISHER: "publish", Role.PLAYER: "play"}.get(talk.role, "connect")
    if talk.media[Side.SERVER]:
        # A player that was given something ends there, and well.
        return
    if not talk.started and (talk.role is not Role.UNKNOWN or talk.waiting("connect") is not None):
        words = f"the server {verb} the connection, and has not answered {wanted}"
        yield heard.violation("refusal-without-status", words, heard.entry.offset)
    elif talk.role is not Role.PLAYER:
        words = f"the server {verb} the connection before the client does, and has not said why"
        yield heard.violation("closed-without-reason", words, heard.entry.offset)


def _leftOver(heard: Heard[Ending]) -> Iterator[Violation]:
    """What would have been well if something had come behind it."""
    talk, notes = heard.talk, heard.notes
    if notes.suspect is not None and talk.waiting("createStream") is not None:
        yield notes.suspect
    if notes.onlyResult is not None and not talk.started and not talk.refused:
        yield notes.onlyResult


def _refused(heard: Heard[Ending]) -> Iterator[Violation]:
    """Who refuses closes."""
    refusal = heard.notes.refusal
    if refusal is not None and _firstEnd(heard) >= refusal + _PATIENCE:
        words = f"the server has refused, and left the connection open for {_firstEnd(heard) - refusal:.0f} s"
        yield heard.violation("error-without-close", words, heard.entry.offset)


def _playersEnd(heard: Heard[Ending]) -> Iterator[Violation]:
    """Both words for the end, if the connection stays open behind it."""
    talk, notes = heard.talk, heard.notes
    said = notes.endWords
    if talk.role is not Role.PLAYER or not talk.media[Side.SERVER] or len(said) != 1 or "pause" in said:
        return
    if _firstEnd(heard) >= notes.endWordsAt + _WAITED:
        missing = next(word for word in _END_WORDS if word not in said)
        cause, name, client = _END_WORDS[missing]
        words = f"the stream's end is told without {name}, and the connection stays open: {client} waits on"
        yield heard.violation(cause, words, next(iter(said.values())))


def _firstEnd(heard: Heard[Ending]) -> float:
    """When one of the two has ended, seconds."""
    return min(heard.entry.at, *heard.notes.ended.values()) if heard.notes.ended else heard.entry.at


def _waited(heard: Heard[Ending]) -> bool:
    """Whether the server has gone first, or the client has waited for it."""
    notes = heard.notes
    return Side.CLIENT not in notes.ended or notes.ended[Side.CLIENT] >= notes.last.get(Side.CLIENT, 0.0) + _WAITED


def _end(heard: Heard[Ending]) -> Iterator[Violation]:
    """All of them."""
    if heard.entry.how in CLOSES | RESETS:
        for rule in (_never, _closed, _leftOver, _refused, _playersEnd):
            yield from rule(heard)


END_RULES = (
    Rule(
        (
            "no-answer",
            "s2-waits-for-c2",
            "refusal-without-status",
            "closed-without-reason",
            "createstream-transaction-id",
            "publish-only-result",
            "error-without-close",
            "end-without-unpublishnotify",
            "end-without-streameof",
        ),
        Side.SERVER,
        (ENDING,),
        _end,
    ),
)
