# -*- test-case-name: tests.compare.test_difference -*-
"""
A difference between two conversations: where it is, what it is, and what it is worth.

What makes most of a difference is not the bytes: it is whether one side of it is wrong. So what a rule has found
(L{rtmptw.trace.rules}) in only one of the two counts first; then what clients are known to look at; and what is not the
same in any two conversations is only counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from rtmptw.compare.aspects import Field
from rtmptw.compare.noise import FIELDS, SEVERITIES, Row, Weight, judge
from rtmptw.compare.step import Key, Step
from rtmptw.trace.entry import Violation
from rtmptw.trace.segment import Side

__all__ = ["Difference", "FieldDifference", "How", "Wrong", "compareFields", "line"]

#: The longest name of a field in a line of L{rtmptw.compare.noise}, characters.
_LONGEST = 100


#: Fields that every message has.
_EVERYWHERE = frozenset(("message stream", "chunk stream"))


class How(Enum):
    """How two conversations differ in a step."""

    FIELDS = "other"  #: Both have it, and it is not the same.
    MISSING = "missing"  #: Only the first has it.
    EXTRA = "extra"  #: Only the second has it.
    ORDER = "order"  #: Both have it, at another place.


@dataclass(frozen=True)
class FieldDifference:
    """
    Two fields that are not the same.

    @ivar name: of both.
    @ivar row: what it is worth, and why.
    """

    name: str
    row: Row


@dataclass(frozen=True)
class Wrong:
    """
    Something that is wrong in one of the two conversations, and nowhere in the other.

    @ivar conversation: 0 for the first, 1 for the second.
    @ivar violation: what.
    @ivar isMinded: whether the client that was there is known to mind it, or is not known itself.
    """

    conversation: int
    violation: Violation
    isMinded: bool = True

    @property
    def weight(self) -> Weight:
        """What it is worth."""
        weight = SEVERITIES[self.violation.cause.severity]
        return weight if self.isMinded else max(weight, Weight.MATTERS)


@dataclass(frozen=True)
class Difference:
    """
    One difference.

    @ivar how: in which way.
    @ivar side: of whom.
    @ivar steps: of the first conversation, and of the second; L{None} where there is none.
    @ivar place: where it is in the order of the first conversation.
    @ivar fields: the fields that are not the same, what is worth most first, noise left out.
    @ivar wrongs: what is wrong in one of the two.
    @ivar row: what it is worth that the step is missing, or stands elsewhere; L{None} if neither.
    @ivar passed: if it stands elsewhere: the first conversation's step which it is behind in one of them only.
    """

    how: How
    side: Side
    steps: tuple[Step | None, Step | None]
    place: float
    fields: tuple[FieldDifference, ...] = ()
    wrongs: tuple[Wrong, ...] = ()
    row: Row | None = None
    passed: Step | None = None

    @property
    def weight(self) -> Weight:
        """What it is worth."""
        weights = [wrong.weight for wrong in self.wrongs]
        weights += [field.row.weight for field in self.fields]
        weights += [self.row.weight] if self.row is not None else []
        return min(weights, default=Weight.LITTLE)

    @property
    def matters(self) -> bool:
        """Whether it is worth more than L{Weight.LITTLE}."""
        return self.weight < Weight.LITTLE

    @property
    def step(self) -> Step:
        """One of its steps: the first conversation's, if there is one."""
        step = self.steps[0] or self.steps[1]
        assert step is not None
        return step

    @property
    def why(self) -> Row | None:
        """The row that tells why it is worth what it is; L{None} if a violation does."""
        rows = [field.row for field in self.fields] + ([self.row] if self.row is not None else [])
        rows = [row for row in rows if row.weight == self.weight]
        return rows[0] if rows else None


def line(side: Side, key: Key, how: str = "", field: str = "") -> str:
    """
    What is looked for in the tables of L{rtmptw.compare.noise}.

    @param how: for a field: C{"value"}, C{"type"} or C{"absent"}.
    """
    detail = key.detail.replace("/", "_").replace("|", "_") if key.family != "data" else key.detail.replace("/", "_")
    return f"{side.value} {key.family} {detail}" + (f"/{how} {field[:_LONGEST]}" if how else "")


def compareFields(
    side: Side,
    key: Key,
    first: Mapping[str, Field],
    second: Mapping[str, Field],
    folded: Counter[str],
    told: set[tuple[str, ...]] | None = None,
) -> Iterator[FieldDifference]:
    """
    Find the fields that are not the same.

    @param key: of the step that they are of.
    @param folded: takes what is noise, by its name.
    @param told: takes what was found of fields that every message has: where media goes to another message stream, all
        of it does, and that is told once.
    """
    told = set() if told is None else told
    for name in dict.fromkeys((*first, *second)):
        one, other = first.get(name), second.get(name)
        if one is None or other is None:
            row = judge(FIELDS, line(side, key, "absent", name))
        elif one.kind != other.kind:
            row = judge(FIELDS, line(side, key, "type", f"{name[:_LONGEST]}: {one.kind}, {other.kind}"))
        elif one.text == other.text and one.meaning == other.meaning:
            continue
        else:
            row = judge(FIELDS, line(side, key, "value", name))
            if one.isSame == other.isSame or row.weight is Weight.NOISE:
                folded[row.name or name] += 1
                continue
        if row.weight is Weight.NOISE:
            folded[row.name] += 1
            continue
        if name in _EVERYWHERE and one is not None and other is not None:
            found = (side.value, name, one.isSame, other.isSame)
            if found in told:
                folded[f"{name}s once more"] += 1
                continue
            told.add(found)
        yield FieldDifference(name, row)
