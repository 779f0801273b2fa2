# -*- test-case-name: tests.dialects.test_answer -*-
"""
A command that may be the answer to another: its values, and who waits for it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rtmptw.causes.causes import CAUSES
from rtmptw.dialects.judgement import Awaited, Expectation, Judgement, Verdict
from rtmptw.dialects.requirements import Requirements
from rtmptw.trace.entry import ReadMessage, Violation
from rtmptw.trace.markers import FoundMarker, markersIn
from rtmptw.trace.values import Values
from rtmptw.wire.amf import AMFValue

__all__ = ["RESULTS", "Answer"]

#: The two commands that answer calls.
RESULTS = ("_result", "_error")

#: The number of the value that says what it is about, in C{_result}, C{_error} and C{onStatus}.
_INFORMATION = 3


@dataclass(frozen=True)
class Answer:
    """
    One command of the server.

    @ivar requirements: the client's.
    @ivar awaited: what it waits for.
    @ivar entry: the message.
    @ivar values: what is in it.
    """

    requirements: Requirements
    awaited: Awaited
    entry: ReadMessage
    values: Values

    @property
    def call(self) -> str:
        """What is waited for: a command."""
        return self.awaited.call

    @property
    def name(self) -> str:
        """What it is, for people."""
        return self.values.name if self.values.name in (*RESULTS, "onStatus") else "a command"

    @property
    def isExpected(self) -> bool:
        """Whether it is meant as the answer, for somebody who forgives."""
        awaited, transactionId = self.awaited, self.values.transactionId
        if self.values.name == "onStatus":
            return awaited.isRequest or self.information.get("level") == "error"
        if self.values.name not in RESULTS:
            return False
        others = awaited.known - {awaited.transactionId}
        # An answer to another call is that call's; but a number is what only createStream's answer has.
        if transactionId is not None and self.isSame(transactionId, *others):
            return awaited.expectation is Expectation.CREATE_STREAM and isinstance(self.values.get(3), float)
        return True

    def isSame(self, transactionId: float, *sent: float) -> bool:
        """Whether the client takes it for one that it has sent."""
        if self.requirements.wholeIds and math.isfinite(transactionId):
            transactionId = math.trunc(transactionId)
        return transactionId in sent

    @property
    def information(self) -> dict[str, AMFValue]:
        """What it says, wherever that is; empty if it says nothing."""
        return next((each.value for each in self.values.placed[1:] if isinstance(each.value, dict)), {})

    @property
    def description(self) -> str:
        """Why a server refuses, in its words: the code, and a text."""
        behind = (each.value for each in self.values.placed[_INFORMATION - 1 :] if isinstance(each.value, dict))
        texts = [
            ": ".join(ascii(part)[1:-1] for part in (each.get("code"), each.get("description")) if _isText(part))
            for each in behind
        ]
        return next(filter(None, texts), "no reason is given")

    @property
    def lenientStreamId(self) -> int:
        """The message stream ID that is meant, for somebody who forgives."""
        for placed in self.values.placed[2:]:
            if isinstance(placed.value, float) and 0 <= placed.value <= 0xFFFFFFFF:
                return int(placed.value)
        return 1

    def unreadable(self, start: int = 0, stop: int | None = None) -> FoundMarker | None:
        """
        What the client can't read first, in a part of the payload: its marker, -1 if that is not known, and its place.

        @param stop: the byte behind that part; L{None}: the end.
        """
        end = len(self.entry.message.payload) if stop is None else stop
        first = self.values.placed[0].start if self.values.placed else 0
        found = markersIn(self.entry.message.payload, self.requirements.unreadable, first)
        fault = self.values.fault
        if fault is not None and self.requirements.unreadable:
            found = [*found, (-1, self.values.placed[-1].stop if self.values.placed else 0)]
        return next((each for each in found if start <= each[1] <= end and each[1] != stop), None)

    def refused(self, isUnderstood: bool) -> Judgement:
        """
        The server does not want it.

        @param isUnderstood: whether the client knows that.
        """
        return Judgement(Verdict.REFUSED if isUnderstood else Verdict.UNHEARD, value=self.description)

    def fault(
        self,
        cause: str,
        words: str,
        verdict: Verdict = Verdict.PASSED_OVER,
        at: int = 0,
        value: AMFValue = None,
        isAnswer: bool = True,
        position: int | None = None,
    ) -> Judgement:
        """
        Something is wrong with it.

        @param at: the number of the value that is to blame. If there are not so many, it is the place behind the last.
        @param position: the place of the byte that is to blame, in the payload; L{None}: that of the value.
        """
        placed = self.values.placed
        if position is None:
            position = placed[at].start if at < len(placed) else placed[-1].stop if placed else 0
        return Judgement(verdict, Violation(CAUSES[cause], words, self.entry.place(position)), value, isAnswer)


def _isText(value: AMFValue) -> bool:
    return isinstance(value, str) and value != ""
