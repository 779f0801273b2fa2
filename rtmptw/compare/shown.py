# -*- test-case-name: tests.compare.test_shown -*-
"""
A comparison in words that may be shown: secrets masked (L{rtmptw.show.secrets}), names of steps and fields as people
say them, everything in printable ASCII.
"""

from __future__ import annotations

from collections import Counter

from rtmptw.compare.aspects import Field, aspects
from rtmptw.compare.comparison import Comparison
from rtmptw.compare.difference import Difference, How
from rtmptw.compare.step import Step
from rtmptw.show.secrets import Secrets
from rtmptw.trace.entry import ReadMessage
from rtmptw.trace.values import COMMANDS

__all__ = ["Shown", "describe", "excerpt"]

#: How many steps of each conversation are searched for secrets; those of real ones are all.
_SEARCHED = 1000

#: The longest text of a field in a line of its own, characters.
_LONGEST = 40

_CUT = "..."

#: What stands in front of the name of a step, and what stands for a step without a name.
_NAMED = {
    "status": ("onStatus ", "onStatus without a code"),
    "data": ("data ", "data without a name"),
    "command": ("", "a command without a name"),
}


class Shown:
    """
    How a comparison is shown.

    @ivar comparison: which.
    """

    def __init__(self, comparison: Comparison, showSecrets: bool = False) -> None:
        """
        @param showSecrets: whether names of streams, tokens and passwords are shown as they are.
        """
        self.comparison = comparison
        self._secrets = None if showSecrets else Secrets()
        if self._secrets is not None:
            # The same secret has the same mask on both sides.
            for told in comparison.told:
                for step in told.inOrder()[:_SEARCHED]:
                    self._secrets.learn(step.entry)

    def remark(self, text: str) -> str:
        """A sentence of ours, or of a rule."""
        text = text if self._secrets is None else self._secrets.remark(text)
        return _printable(text)

    def about(self, text: str) -> str:
        """A text of theirs."""
        text = text if self._secrets is None else self._secrets.about(text)
        return _printable(text)

    def title(self, step: Step) -> str:
        """What a step is."""
        family, detail = step.key
        if family == "answer":
            return f"the answer to {self.about(detail)}" if detail else "an answer that nobody has asked for"
        if family in ("status", "data", "command"):
            word, nothing = _NAMED[family]
            return f"{word}{self.about(detail)}" if detail else nothing
        if family in ("audio", "video"):
            return detail if detail == family else f"{family} {detail}"
        return {"unreadable": "bytes that can't be read", "ending": "the end"}.get(family, self.about(detail))

    def fields(self, step: Step, conversation: int) -> dict[str, Field]:
        """
        All its fields.

        @param conversation: 0 for the first, 1 for the second.
        """
        return aspects(step, self.comparison.told[conversation], self._secrets)

    def fieldName(self, step: Step, name: str) -> str:
        """The name of a field, with that of its command: C{_result[1].code}."""
        isCommand = isinstance(step.entry, ReadMessage) and step.entry.message.type in COMMANDS
        if name.startswith("["):
            return self.about(step.name if isCommand else step.key.detail) + self.about(name)
        return f"{self.about(step.name)}.{name}" if name == "transactionId" else self.about(name)

    def headline(self, difference: Difference) -> str:
        """A difference in one line, without what it is worth."""
        title = self.title(difference.step)
        side = difference.side.value
        if difference.how is How.MISSING:
            return f"the {side}: {title}: only A has it"
        if difference.how is How.EXTRA:
            return f"the {side}: {title}: only B has it"
        if difference.how is How.ORDER:
            return f"the {side}: {title}: {self._order(difference)}"
        if difference.fields:
            return f"the {side}: {title}: {self.change(difference, difference.fields[0].name)}"
        return f"the {side}: {title}"

    def _order(self, difference: Difference) -> str:
        """Where it stands."""
        first, passed = difference.steps[0], difference.passed
        assert first is not None and passed is not None
        here, there = ("behind", "before") if passed.index < first.index else ("before", "behind")
        return f"in A it comes {here} {self.title(passed)}, in B {there} it"

    def change(self, difference: Difference, name: str) -> str:
        """One field of it, here and there."""
        one, other = (
            "-" if step is None else describe(self.fields(step, index).get(name))
            for index, step in enumerate(difference.steps)
        )
        fieldName = self.fieldName(difference.step, name)
        return f"{fieldName}: {excerpt(one, other, _LONGEST)} | {excerpt(other, one, _LONGEST)}"

    def folded(self) -> str:
        """What was folded away."""
        folded: Counter[str] = self.comparison.folded
        if not folded:
            return "nothing"
        return ", ".join(f"{name} ({count:,})" for name, count in sorted(folded.items()))


def describe(field: Field | None) -> str:
    """What a field holds, with its AMF type and its meaning."""
    if field is None:
        return "-"
    kind = "" if field.kind == "string" else field.kind
    more = ", ".join(filter(None, (kind, field.meaning)))
    if not field.text:
        return more or "nothing"
    return f"{field.text} ({more})" if more else field.text


def excerpt(text: str, other: str, width: int) -> str:
    """
    A text that fits. If it is too long, what is shown of it is where it begins to be another than the other text.
    """
    if len(text) <= width:
        return text
    pairs = zip(text, other, strict=False)
    same = next((index for index, (one, two) in enumerate(pairs) if one != two), min(len(text), len(other)))
    if text == other or same <= width - 2 * len(_CUT):
        return f"{text[: width - len(_CUT)]}{_CUT}"
    rest = f"{_CUT}{text[same - width // 4 :]}"
    return rest if len(rest) <= width else f"{rest[: width - len(_CUT)]}{_CUT}"


def _printable(text: str) -> str:
    """In ASCII, on one line."""
    return text if text.isascii() and text.isprintable() else text.encode("unicode_escape").decode("ascii")
