# -*- test-case-name: tests.compare.test_sidebyside -*-
"""
A comparison for people: the first difference that matters, decoded to the field, both sides beside each other as
C{diff -y} does, with the place of each field; then the others in a line each.

::

                                A: nginx-rtmp                              B: mine
    _result.transactionId       1 (number, connect's)               @3139 | 2 (number, no call's)             @3139

In the middle: C{|} where a difference matters, C{:} where it does not, C{<} and C{>} where only one side has it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from rtmptw.causes.cause import Cause
from rtmptw.compare.aspects import Field
from rtmptw.compare.comparison import Comparison
from rtmptw.compare.difference import Difference
from rtmptw.compare.noise import Weight
from rtmptw.compare.shown import Shown, describe, excerpt
from rtmptw.compare.step import Step
from rtmptw.compare.visitor import Visitor

__all__ = ["WIDTH", "sideBySide"]

#: The widest line, columns.
WIDTH = 120

#: How many differences have a line each; the rest is counted.
_MOST_LINES = 20

#: How many steps have.
_MOST_STEPS = 500

#: How many fields of a step are shown that are the same in both.
_MOST_SAME = 24

_NAME, _MARK = 27, 3


def sideBySide(comparison: Comparison, showSecrets: bool = False, outline: bool = False) -> Iterator[str]:
    """
    Tell what was found, in lines of at most L{WIDTH} columns.

    @param showSecrets: whether names of streams, tokens and passwords are shown as they are.
    @param outline: whether all steps are listed beside each other, in a line each.
    """
    shown = Shown(comparison, showSecrets)
    for line in _lines(comparison, shown, outline):
        yield line[:WIDTH].rstrip()


def _lines(comparison: Comparison, shown: Shown, outline: bool) -> Iterator[str]:
    a, b = (shown.about(label) for label in comparison.labels)
    yield f"A: {a}"
    yield f"B: {b}"
    yield from _wrapped(_clients(comparison))
    for note in comparison.notes:
        yield from _wrapped(f"Note: {shown.remark(note)}.")
    if outline:
        yield ""
        yield from _outline(comparison, shown)
    yield ""
    first = comparison.first
    if first is None:
        yield "There is no difference that matters."
    else:
        yield from _wrapped(f"The first difference that matters: {shown.headline(first)}")
        yield ""
        yield from _table(first, shown)
        yield ""
        yield from _why(first, shown)
    rest = [difference for difference in comparison.differences if difference is not first]
    yield from _listed("Others that matter", [each for each in rest if each.matters], shown)
    yield from _listed("What matters little", [each for each in rest if not each.matters], shown)
    yield ""
    yield from _wrapped(f"Folded away: {shown.folded()}.")
    yield from _totals(comparison)


def _clients(comparison: Comparison) -> str:
    one, other = comparison.visitors
    if comparison.isSameClient:
        if one == other:
            return f"The client of both: {one}; it {one.role}."
        return f"The client: {one} with A, where it {one.role}; {other} with B, where it {other.role}."
    return (
        f"A's client is {one}, which {one.role}; B's is {other}, which {other.role}: they ask other questions, so what "
        "the servers answer can't be the same in all."
    )


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ")


def _columns(name: str, one: str, mark: str, other: str) -> str:
    width = (WIDTH - _NAME - _MARK) // 2
    return f"{name[: _NAME - 1]:<{_NAME}}{one:<{width}} {mark} {other}"


def _cell(field: Field | None, other: Field | None) -> str:
    """A field, and its place at the right."""
    width = (WIDTH - _NAME - _MARK) // 2
    if field is None:
        return ""
    place = "" if field.place is None else f" @{field.place}"
    text = excerpt(describe(field), "" if other is None else describe(other), width - len(place))
    return f"{text:<{width - len(place)}}{place}"


def _table(difference: Difference, shown: Shown) -> Iterator[str]:
    """All fields of a difference, beside each other."""
    first, second = difference.steps
    yield _columns("", "A" if first is not None else "A: nothing", " ", "B" if second is not None else "B: nothing")
    fields = [{} if step is None else shown.fields(step, index) for index, step in enumerate(difference.steps)]
    weights = {field.name: field.row.weight for field in difference.fields}
    same = 0
    for name in dict.fromkeys((*fields[0], *fields[1])):
        one, other = fields[0].get(name), fields[1].get(name)
        isSame = one is not None and other is not None and (one.text, one.kind) == (other.text, other.kind)
        if isSame and name not in weights:
            same += 1
            if same > _MOST_SAME:
                continue
        mark = _mark(weights.get(name), first, second, one, other)
        yield _columns(shown.fieldName(difference.step, name), _cell(one, other), mark, _cell(other, one))
    if same > _MOST_SAME:
        yield f"({same - _MOST_SAME} more fields, the same in both)"


def _mark(
    weight: Weight | None, first: Step | None, second: Step | None, one: Field | None, other: Field | None
) -> str:
    if second is None or (other is None and first is not None):
        return "<"
    if first is None or one is None:
        return ">"
    if weight is not None and weight < Weight.LITTLE:
        return "|"
    assert other is not None
    return " " if (one.text, one.kind, one.meaning) == (other.text, other.kind, other.meaning) else ":"


def _why(difference: Difference, shown: Shown) -> Iterator[str]:
    """What it is worth, and what is to be done."""
    wrongs = sorted(difference.wrongs, key=lambda wrong: wrong.weight)
    visitors = shown.comparison.visitors
    for wrong in wrongs:
        violation, cause = wrong.violation, wrong.violation.cause
        yield from _wrapped(f"In {'AB'[wrong.conversation]}: {cause.name}: {cause.title}")
        yield from _wrapped(f"At byte {violation.offset}: {shown.remark(violation.words)}.", "  ")
        for client, does in _clientsOf(cause, visitors[wrong.conversation]):
            yield from _wrapped(f"{client}: {does}", "  ")
        yield from _wrapped(f"What to do: {cause.mend}", "  ")
        yield from _wrapped(f"See: {cause.source}", "  ")
    row = difference.why
    if row is not None and (not wrongs or row.weight < Weight.ADVICE):
        yield from _wrapped(f"Why it matters: {row.reason} ({row.section}).")


def _clientsOf(cause: Cause, visitor: Visitor) -> list[tuple[str, str]]:
    """What clients do there: first the one that was there, and last those that do not mind."""
    return sorted(cause.clients.items(), key=lambda item: (item[0] not in visitor.names, item[0] in cause.unharmed))


def _listed(title: str, differences: list[Difference], shown: Shown) -> Iterator[str]:
    if differences:
        yield ""
        yield f"{title} ({len(differences):,}):"
        for difference in differences[:_MOST_LINES]:
            wrongs = (f"  !! {wrong.violation.cause.name} in {'AB'[wrong.conversation]}" for wrong in difference.wrongs)
            yield f"  {shown.headline(difference)}{''.join(wrongs)}"
        if len(differences) > _MOST_LINES:
            yield f"  and {len(differences) - _MOST_LINES:,} more"


def _outline(comparison: Comparison, shown: Shown) -> Iterator[str]:
    """Every step in a line."""
    for first, second, difference in comparison.outline[:_MOST_STEPS]:
        step = first or second
        assert step is not None
        mark = " " if difference is None else "|" if difference.matters else ":"
        if first is None or second is None:
            mark = "<" if second is None else ">"
        yield _columns(step.entry.side.value, _step(first, shown), mark, _step(second, shown))


def _step(step: Step | None, shown: Shown) -> str:
    width = (WIDTH - _NAME - _MARK) // 2
    if step is None:
        return ""
    place = f" @{step.entry.offset}"
    return f"{excerpt(shown.title(step), '', width - len(place)):<{width - len(place)}}{place}"


def _totals(comparison: Comparison) -> Iterator[str]:
    one, other = (told.totals for told in comparison.told)
    rows = list(one.beside(other))
    if rows:
        yield "In all:"
    for side, name, first, second in rows:
        same = str(first) == str(second)
        yield from _wrapped(f"the {side.value}'s {name}: {first}{', in both' if same else f' | {second}'}", "  ")
