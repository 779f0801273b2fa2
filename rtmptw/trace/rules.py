# -*- test-case-name: tests.trace.test_rules -*-
"""
What may not be said, and when: every rule that can be held against the wire alone.

L{RULES} is the table. What no rule can see, because it shows only in what a server does with what it was sent (as
C{waits-for-keyframe}), is for whoever talks to it.
"""

from __future__ import annotations

from collections.abc import Iterator

from rtmptw.trace.answerrules import ANSWER_RULES
from rtmptw.trace.chunkrules import CHUNK_RULES
from rtmptw.trace.clientrules import CLIENT_RULES
from rtmptw.trace.commandrules import COMMAND_RULES
from rtmptw.trace.endrules import END_RULES
from rtmptw.trace.entry import Entry, ReadMessage, Violation
from rtmptw.trace.handshakerules import HANDSHAKE_RULES
from rtmptw.trace.notes import Notes
from rtmptw.trace.playerrules import PLAYER_RULES
from rtmptw.trace.publisherrules import PUBLISHER_RULES
from rtmptw.trace.rule import Heard, Kind, Rule, kindOf
from rtmptw.trace.segment import Side
from rtmptw.trace.statusrules import STATUS_RULES
from rtmptw.trace.talk import Talk
from rtmptw.trace.values import COMMANDS, DATA, Values, readValues

__all__ = ["RULES", "violations"]

RULES: tuple[Rule, ...] = (
    *HANDSHAKE_RULES,
    *CHUNK_RULES,
    *COMMAND_RULES,
    *ANSWER_RULES,
    *STATUS_RULES,
    *PUBLISHER_RULES,
    *PLAYER_RULES,
    *CLIENT_RULES,
    *END_RULES,
)

_NO_VALUES = Values(())
_WITH_VALUES = COMMANDS | DATA


def _byKind() -> dict[tuple[Side, Kind], tuple[Rule, ...]]:
    """Which rules look at what."""
    table: dict[tuple[Side, Kind], tuple[Rule, ...]] = {}
    for rule in RULES:
        for side in Side if rule.side is None else (rule.side,):
            for kind in rule.kinds:
                table[side, kind] = (*table.get((side, kind), ()), rule)
    return table


_BY_KIND = _byKind()


def violations(talk: Talk, notes: Notes, entry: Entry) -> Iterator[Violation]:
    """
    What is wrong with an entry, but for what its reading has found. To be called once for each entry, in order.

    @param talk: what was said before it.
    @param notes: what else is known of that; the entry is noted there.
    """
    hasValues = isinstance(entry, ReadMessage) and entry.message.type in _WITH_VALUES
    values = readValues(entry.message) if isinstance(entry, ReadMessage) and hasValues else _NO_VALUES
    heard = Heard(talk, notes, entry, values)
    found: list[Violation] = []
    for rule in _BY_KIND.get((entry.side, kindOf(entry)), ()):
        told = (rule.causes, entry.side)
        if told in notes.told:
            continue
        said = list(rule.find(heard))
        if said and rule.once:
            notes.told.add(told)
        found += said
    notes.heard(talk, entry, values)
    return iter(found)
