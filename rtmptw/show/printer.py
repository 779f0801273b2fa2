# -*- test-case-name: tests.show.test_printer -*-
"""
Who looks at one session, and writes down what is said in it, entry by entry.

It reads a session that goes on, and one that was saved, in the same way, and so writes the same: what time does is
decided by the times of the segments. Only where a session goes on and nobody says anything does a clock tell that they
are silent, which shows what is half said (L{rtmptw.trace.reading.SILENCE}).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer

from rtmptw.capture.tracer import ITraceObserver
from rtmptw.show.jsonlines import jsonLine, jsonNote
from rtmptw.show.line import LineOptions, isGrave, lines
from rtmptw.show.wording import printable
from rtmptw.trace.conversation import Conversation
from rtmptw.trace.entry import Entry, Unreadable
from rtmptw.trace.reading import SILENCE
from rtmptw.trace.segment import Segment, Side

__all__ = ["Form", "Printer"]


@dataclass(frozen=True)
class Form:
    """
    How entries are written.

    @ivar options: what is shown of each.
    @ivar json: for programs, not for people.
    @ivar quiet: only entries that something is wrong with.
    """

    options: LineOptions
    json: bool = False
    quiet: bool = False


@implementer(ITraceObserver)
class Printer:
    """
    One session.

    @ivar number: the session's.
    @ivar grave: whether something has been found that clients stop at, or that loses something, or can't be read.
    """

    def __init__(
        self, number: int, form: Form, write: Callable[[str], object], clock: IReactorTime | None = None
    ) -> None:
        """
        @param write: takes text, one or more whole lines.
        @param clock: tells when nobody says anything; not needed for a session that is over.
        """
        self.number = number
        self.grave = False
        label = "" if number == 1 else f"#{number} "
        self._form = replace(form, options=replace(form.options, label=label))
        self._write = write
        self._clock = clock
        self._conversation = Conversation()
        # The time of the last segment, in the session's time and in the clock's.
        self._last = self._heard = 0.0
        self._isSettled = True
        self._silence: IDelayedCall | None = None
        self._ended: set[Side] = set()

    def said(self, segment: Segment) -> None:
        """See L{ITraceObserver.said}."""
        if len(self._ended) == len(Side):
            return
        at = round(segment.at, 6)
        if at - self._last >= SILENCE:
            self._settle()
        self._last, self._isSettled = at, False
        self._print(self._conversation.feed(replace(segment, at=at)))
        if self._clock is not None:
            self._heard = self._clock.seconds()
            if self._silence is None:
                self._silence = self._clock.callLater(SILENCE, self._listen, self._clock)

    def closed(self, side: Side, how: str, at: float) -> None:
        """See L{ITraceObserver.closed}."""
        if side not in self._ended:
            self._finish(side, how, round(at, 6))

    def failed(self, reason: str, at: float) -> None:
        """See L{ITraceObserver.failed}."""
        self.remark(f"there is no connection to the server: {reason}")
        self._ended.update(Side)
        self._hush()

    def gone(self) -> None:
        """See L{ITraceObserver.gone}. All was told."""

    def over(self, how: str) -> None:
        """
        Nothing more will be known. Harmless when repeated.

        @param how: why, for the sides whose end was not told.
        """
        for side in Side:
            if side not in self._ended:
                self._finish(side, how, self._last)

    def remark(self, text: str) -> None:
        """Say something about the session as a whole."""
        text = printable(text)
        line = jsonNote(text, self.number) if self._form.json else f"{self._form.options.label}--- {text}"
        self._write(f"{line}\n")

    def _finish(self, side: Side, how: str, at: float) -> None:
        self._ended.add(side)
        if at - self._last >= SILENCE:
            self._settle()
        self._print(self._conversation.finish(side, at, how))
        if len(self._ended) == len(Side):
            self._hush()

    def _hush(self) -> None:
        """Listen no more."""
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    def _listen(self, clock: IReactorTime) -> None:
        """Is it silent?"""
        self._silence = None
        left = self._heard + SILENCE - clock.seconds()
        if left > 0:
            self._silence = clock.callLater(left, self._listen, clock)
        else:
            self._settle()

    def _settle(self) -> None:
        """Nobody says anything: what is half said is looked at again."""
        if not self._isSettled:
            self._isSettled = True
            self._print(self._conversation.settle(self._last + SILENCE))

    def _print(self, entries: Iterable[Entry]) -> None:
        text = "".join(f"{line}\n" for entry in entries for line in self._lines(entry))
        if text:
            self._write(text)

    def _lines(self, entry: Entry) -> Iterator[str]:
        options = self._form.options
        isUnreadable = isinstance(entry, Unreadable)
        self.grave |= isUnreadable or any(map(isGrave, entry.violations))
        if self._form.quiet and not entry.violations and not isUnreadable:
            if options.secrets is not None:
                options.secrets.learn(entry)
            return
        blocks = self._conversation.talk.blocks
        if self._form.json:
            yield jsonLine(entry, options, blocks, self.number)
        else:
            yield from lines(entry, options, blocks)
