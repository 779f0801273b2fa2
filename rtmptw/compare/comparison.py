# -*- test-case-name: tests.compare.test_comparison -*-
"""
Two conversations beside each other: "it works with that server, and with mine it does not; what is the difference?"

::

    comparison = compareConversations(works, stops, ("nginx-rtmp", "mine"))
    for line in sideBySide(comparison):
        print(line)

Each side is laid beside the same side of the other conversation. The client's questions and the server's answers both
count: where a client stops asking, it has not heard what it waits for. But an answer that nobody asked for is not
missed, and if the clients are not the same program, what they ask differs anyhow.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rtmptw.capture.saved import readSaved
from rtmptw.compare.alignment import Alignment, Pair, align
from rtmptw.compare.aspects import aspects
from rtmptw.compare.difference import Difference, FieldDifference, How, Wrong, compareFields, line
from rtmptw.compare.noise import ORDER, PRESENCE, Row, Weight, judge
from rtmptw.compare.step import Step, Told, listen
from rtmptw.compare.visitor import Visitor, visitor
from rtmptw.trace.conversation import Conversation
from rtmptw.trace.entry import Entry
from rtmptw.trace.reading import SILENCE
from rtmptw.trace.segment import End, Segment, Side, inOrder

__all__ = ["Comparison", "Outline", "compareConversations", "compareTraces", "entriesOf"]

#: What only players are told.
_TO_PLAYERS = frozenset(("data", "audio", "video"))
_STREAM_EOF = "user control stream eof"

#: A step of each, and what the difference is; L{None} if there is none.
Outline = tuple[Step | None, Step | None, Difference | None]


@dataclass(frozen=True)
class Comparison:
    """
    What was found.

    @ivar labels: what the two are called.
    @ivar visitors: their clients.
    @ivar differences: in the order of the first conversation.
    @ivar outline: all steps beside each other, in that order.
    @ivar folded: how often noise was folded away, by its name.
    @ivar told: the two conversations.
    @ivar notes: what else is to be known, in sentences.
    """

    labels: tuple[str, str]
    visitors: tuple[Visitor, Visitor]
    differences: tuple[Difference, ...]
    outline: tuple[Outline, ...]
    folded: Counter[str]
    told: tuple[Told, Told]
    notes: tuple[str, ...] = ()

    @property
    def first(self) -> Difference | None:
        """The first difference that matters; L{None} if there is none."""
        return min(
            (difference for difference in self.differences if difference.matters),
            key=lambda difference: (difference.weight, difference.place),
            default=None,
        )

    @property
    def isSameClient(self) -> bool:
        """Whether both servers were asked by the same program, to do the same."""
        return self.visitors[0].isLike(self.visitors[1])


def compareConversations(a: Sequence[Entry], b: Sequence[Entry], labels: tuple[str, str] = ("A", "B")) -> Comparison:
    """
    Compare two conversations. Whatever was said in them, this does not raise.

    @param a: all entries of one, both sides', as L{rtmptw.trace.conversation.Conversation} gives them; the one that
        works, if one does.
    @param b: of the other.
    @param labels: what they are called.
    """
    told = listen(a), listen(b)
    visitors = visitor(told[0]), visitor(told[1])
    comparing = _Comparing(told, visitors)
    for side in Side:
        comparing.compare(side)
    outline = tuple(sorted(comparing.outline, key=comparing.placeOf))
    return Comparison(
        labels,
        visitors,
        tuple(difference for _, _, difference in outline if difference is not None),
        outline,
        comparing.folded,
        told,
        tuple(comparing.notes),
    )


def compareTraces(a: str | os.PathLike[str], b: str | os.PathLike[str]) -> Comparison:
    """
    Compare two saved traces.

    @param a: in any of the forms that L{rtmptw.capture.saved.readSaved} takes.
    @raise rtmptw.capture.saved.SavedTraceError: one of them can't be understood.
    @raise OSError: one of them can't be read.
    """
    traces = readSaved(a), readSaved(b)
    labels = os.fspath(a), os.fspath(b)
    one, other = (list(entriesOf(trace.segments, trace.endings)) for trace in traces)
    comparison = compareConversations(one, other, labels)
    notes = [f"{label}: {note}" for label, trace in zip(labels, traces, strict=True) for note in trace.notes]
    return replace(comparison, notes=(*comparison.notes, *notes))


def entriesOf(segments: Iterable[Segment], endings: Sequence[End] = ()) -> Iterator[Entry]:
    """
    What was said in a conversation that is over, looked at again at each silence.

    @param endings: how its sides have ended, in order. A side of which that is not known ends with the trace.
    """
    conversation, last = Conversation(), 0.0
    left = dict.fromkeys(Side)
    for each in inOrder(segments, endings):
        if each.at - last >= SILENCE:
            yield from conversation.settle(last + SILENCE)
        last = each.at
        if isinstance(each, Segment):
            yield from conversation.feed(each)
        else:
            left.pop(each.side, None)
            yield from conversation.finish(each.side, each.at, each.how)
    for side in left:
        yield from conversation.finish(side, last, "the end of the trace")


class _Comparing:
    """
    The work.

    @ivar outline: as L{Comparison.outline}, in no order.
    """

    def __init__(self, told: tuple[Told, Told], visitors: tuple[Visitor, Visitor]) -> None:
        self._told = told
        self._visitors = visitors
        self._isSameClient = visitors[0].isLike(visitors[1])
        self.outline: list[Outline] = []
        self.folded: Counter[str] = Counter()
        self.notes: list[str] = []
        self._places: dict[int, float] = {}
        # What is wrong in both is no difference.
        self._both = told[0].causes & told[1].causes
        self._streams: set[tuple[str, ...]] = set()
        self._reported: set[tuple[int, Side, str]] = set()

    def placeOf(self, outline: Outline) -> float:
        """Where a row stands in the order of the first conversation."""
        first, second, _ = outline
        if first is not None:
            return first.place
        assert second is not None
        return self._places[id(second)]

    def compare(self, side: Side) -> None:
        """One side of both."""
        alignment = align(self._told[0].steps[side], self._told[1].steps[side])
        if any(alignment.left):
            one, other = alignment.left
            self.notes.append(
                f"the last {one:,} and {other:,} steps of the {side.value}'s side, but for those that both end with, "
                "were not compared: there are too many"
            )
        moved = dict(_moved(alignment))
        arrived = {id(second) for second in moved.values()}
        self._setPlaces(alignment)
        for first, second in alignment.pairs:
            if first is not None and id(first) in moved:
                elsewhere = moved[id(first)]
                row, passed = _passed(side, first, elsewhere, alignment.between)
                self._add(How.ORDER, side, first, elsewhere, row, passed)
            elif second is not None and id(second) in arrived:
                continue
            elif first is None:
                self._add(How.EXTRA, side, None, second, self._presenceRow(side, second, 0))
            elif second is None:
                self._add(How.MISSING, side, first, None, self._presenceRow(side, first, 1))
            else:
                self._add(How.FIELDS, side, first, second, None)

    def _setPlaces(self, alignment: Alignment) -> None:
        """Say where what only the second conversation has stands in the order of the first: behind its neighbour."""
        place, more = -1.0, 0
        for first, second in alignment.pairs:
            if first is not None:
                place, more = first.place, 0
            elif second is not None:
                more += 1
                self._places[id(second)] = place + more / (more + 1)

    def _add(
        self,
        how: How,
        side: Side,
        first: Step | None,
        second: Step | None,
        row: Row | None,
        passed: Step | None = None,
    ) -> None:
        steps = (first, second)
        fields: tuple[FieldDifference, ...] = ()
        if first is not None and second is not None:
            told = self._told
            fields = tuple(
                field if self._isSameClient or side is Side.SERVER else replace(field, row=_OTHER_CLIENT)
                for field in compareFields(
                    side, first.key, aspects(first, told[0]), aspects(second, told[1]), self.folded, self._streams
                )
            )
        wrongs = tuple(self._wrongs(side, steps))
        if not fields and not wrongs and row is None:
            self.outline.append((first, second, None))
            return
        fields = tuple(sorted(fields, key=lambda field: field.row.weight))
        difference = Difference(how, side, steps, 0.0, fields, wrongs, row, passed)
        outline = (first, second, difference)
        self.outline.append((first, second, replace(difference, place=self.placeOf(outline))))

    def _wrongs(self, side: Side, steps: tuple[Step | None, Step | None]) -> Iterator[Wrong]:
        """What is wrong in one of the two conversations only, where it is so for the first time."""
        for conversation, step in enumerate(steps):
            for violation in () if step is None else step.entry.violations:
                cause = violation.cause.name
                key = (conversation, side, cause)
                if (side, cause) not in self._both and key not in self._reported:
                    self._reported.add(key)
                    yield Wrong(conversation, violation, self._visitors[conversation].minds(violation.cause))

    def _presenceRow(self, side: Side, step: Step | None, absent: int) -> Row:
        """
        What it is worth that a step is not there.

        @param absent: the conversation that does not have it.
        """
        assert step is not None
        if side is Side.CLIENT:
            return judge(PRESENCE, line(side, step.key)) if self._isSameClient else _OTHER_CLIENT
        calls = self._told[absent].calls
        isToPlayer = step.key.family in _TO_PLAYERS or step.key.detail.startswith(_STREAM_EOF)
        asked = "play" if isToPlayer else "" if step.called is None else step.called.name
        if asked and not calls.has(asked):
            return _NOT_ASKED
        return judge(PRESENCE, line(side, step.key))


def _own(reason: str) -> Row:
    row = judge(PRESENCE, "client")
    return replace(row, weight=Weight.LITTLE, reason=reason)


_OTHER_CLIENT = _own("the clients are not the same")
_NOT_ASKED = _own("the other client did not ask for it")


def _moved(alignment: Alignment) -> Iterator[tuple[int, Step]]:
    """What both have, but each at another place: the first's step, by its identity, and the second's."""
    extra: dict[tuple[str, str], list[Step]] = {}
    for first, second in alignment.between:
        if first is None and second is not None:
            extra.setdefault(second.key, []).append(second)
    for first, second in alignment.between:
        if second is None and first is not None and extra.get(first.key):
            yield id(first), extra[first.key].pop(0)


def _passed(side: Side, first: Step, second: Step, pairs: Sequence[Pair]) -> tuple[Row, Step]:
    """
    What it is worth that a step stands elsewhere: as much as it is for the most important that it has passed. It has
    passed something: if it had not, the best alignment would have it beside itself.

    @return: that, and the first conversation's step that it has passed.
    """
    passed = [
        (judge(ORDER, f"{line(side, first.key)} | {line(side, one.key)}"), one)
        for one, other in pairs
        if one is not None and other is not None and (one.index < first.index) != (other.index < second.index)
    ]
    return min(passed, key=lambda each: each[0].weight)
