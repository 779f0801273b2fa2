# -*- test-case-name: tests.dialects.test_diary -*-
"""
The diary of a visit: in which step it is, what was asked last, and what was found.
"""

from __future__ import annotations

from dataclasses import replace

from rtmptw.causes.causes import CAUSES, Cause, Severity
from rtmptw.dialects.contact import Contact
from rtmptw.dialects.dialect import Dialect
from rtmptw.dialects.finding import Finding, Progress, Step, StepState
from rtmptw.trace.entry import Entry, Violation
from rtmptw.trace.segment import Side

__all__ = ["UNREADABLE", "Diary"]

#: Faults of chunks: whatever the message says, no client can read it.
UNREADABLE = frozenset(("reply-not-chunked", "announced-chunk-size-not-used"))


class Diary:
    """
    What becomes of one client at one server.

    @ivar dialect: how it speaks.
    @ivar contact: its connection.
    @ivar progress: how far it came.
    @ivar step: where it is.
    @ivar sent: what was asked last.
    @ivar asked: when that was, seconds since the connection began.
    @ivar doubt: what this client does not mind, if the server goes on as the client then expects; if the server does
        not, that is why.
    """

    def __init__(self, dialect: Dialect, contact: Contact) -> None:
        self.dialect = dialect
        self.contact = contact
        self.progress = Progress(dialect.name, dialect.program)
        self.step = Step.HANDSHAKE
        self.sent: Entry | None = None
        self.asked = 0.0
        self.doubt: Finding | None = None
        self._asked = 0
        self._stopped = False

    def enter(self, step: Step) -> None:
        """What is found from now on belongs to this step."""
        self.step = step

    def asks(self) -> None:
        """What comes from now on is what is said to what is asked now."""
        self._asked = len(self.contact.entries)

    def since(self) -> tuple[Entry, ...]:
        """What the server has said since it was asked last."""
        return tuple(entry for entry in self.contact.entries[self._asked :] if entry.side is Side.SERVER)

    def passed(self, step: Step, state: StepState = StepState.OK) -> None:
        """A step is done. Behind one where the client stops, it is done only by leniency."""
        if state is StepState.OK and self._stopped:
            state = StepState.LENIENT
        if self.progress.steps[step] is StepState.UNTESTED:
            self.progress.steps[step] = state

    def note(self, violation: Violation, came: tuple[Entry, ...] | None = None) -> None:
        """Keep what is wrong as a finding of the current step."""
        self.progress.note(self.finding(violation, came))

    def stops(self, violation: Violation, came: tuple[Entry, ...] | None = None) -> None:
        """The client stops in this step; or is said to, where nobody has seen it."""
        self.note(violation, came)
        if violation.cause.severity is Severity.ADVICE:
            self.passed(self.step, StepState.UNPROVEN)
        else:
            self._stop()

    def blame(self, cause: str, words: str) -> None:
        """The client stops in this step, and no byte of the server's is to blame: it should have said something."""
        self.progress.note(self._finding(CAUSES[cause], words, None, None))
        self._stop()

    def doubted(self) -> bool:
        """
        Something does not go as the client expects: if something was in doubt, that is why, and the client stops.

        @return: whether there was.
        """
        if self.doubt is None:
            return False
        self.progress.note(replace(self.doubt, proven=True))
        # What is lost of the media, its counting shows.
        if self.step is not Step.MEDIA or self.contact.closed:
            self._stop()
        return True

    def loses(self, cause: str, words: str) -> None:
        """The client goes on, and something of what it sends is lost."""
        self.step = Step.MEDIA
        self.progress.note(self._finding(CAUSES[cause], words, (), None))
        self.passed(Step.MEDIA, StepState.LOSES)

    def drops(self, violation: Violation, came: tuple[Entry, ...] | None = None) -> None:
        """The client goes on, and loses what it was sent."""
        self.progress.note(replace(self.finding(violation, came), step=Step.MEDIA))
        self.passed(Step.MEDIA, StepState.LOSES)

    def advise(self, cause: str, words: str) -> None:
        """Something to be said that stops nobody for certain."""
        self.progress.note(self._finding(CAUSES[cause], words, None, None))
        self.passed(self.step)

    def look(self) -> None:
        """Note what else the server has done wrong, as far as this client minds."""
        for entry in self.contact.entries:
            if entry.side is Side.SERVER:
                for violation in entry.violations:
                    if violation.cause.name in UNREADABLE:
                        self.stops(violation, (entry,))
                        continue
                    isAdvice = violation.cause.severity is Severity.ADVICE
                    if isAdvice or violation.cause.name in self.dialect.requirements.minds:
                        self.note(violation, came=(entry,))

    def finding(self, violation: Violation, came: tuple[Entry, ...] | None = None) -> Finding:
        """
        What is wrong, as a finding of the current step.

        @param came: the messages that show it; L{None}: all that came since the server was asked last.
        """
        return self._finding(violation.cause, violation.words, came, violation.offset)

    def _stop(self) -> None:
        self.passed(self.step, StepState.STOPS)
        self._stopped = True

    def _finding(self, cause: Cause, words: str, came: tuple[Entry, ...] | None, offset: int | None) -> Finding:
        client = self.dialect.requirements.client
        came = self.since() if came is None else came
        return Finding(cause, client, self.dialect.name, self.step, words, self.sent, came, offset)
