# -*- test-case-name: tests.dialects.test_finding -*-
"""
What was found out about a server: how far each client came, and why it came no further.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from rtmptw.causes.causes import Cause, Severity
from rtmptw.trace.entry import Entry

__all__ = ["STEPS", "Finding", "Progress", "Step", "StepState"]


class Step(Enum):
    """What every client does, in this order."""

    HANDSHAKE = "handshake"
    CONNECT = "connect"
    CREATE_STREAM = "createStream"
    REQUEST = "publish/play"
    MEDIA = "media"
    END = "end"


STEPS = tuple(Step)


class StepState(Enum):
    """
    How a step went.

    @cvar OK: as the client needs it.
    @cvar STOPS: the client would stop here, or wait for ever.
    @cvar UNPROVEN: its source says that it would stop here, or it is not known to everybody; nobody has seen it.
    @cvar LOSES: it goes on, and something is lost.
    @cvar LENIENT: behind a step where the client stops: it would have gone well.
    @cvar REFUSED: the server does not want it, and says so.
    @cvar UNTESTED: it was not come to.
    """

    OK = "ok"
    STOPS = "STOPS"
    UNPROVEN = "stops?"
    LOSES = "LOSES"
    LENIENT = "(ok)"
    REFUSED = "refused"
    UNTESTED = "-"


@dataclass(frozen=True)
class Finding:
    """
    Something that is wrong with a server.

    @ivar cause: what.
    @ivar client: whom it concerns, as the causes name it; empty if it is not about one client.
    @ivar dialect: the name of the dialect, or of the experiment, that showed it.
    @ivar step: where.
    @ivar words: what is wrong, in a sentence without its dot.
    @ivar sent: what the server was asked, if it was asked something.
    @ivar came: what it said to that, in order.
    @ivar offset: the first byte that is to blame, counted from the server's first, or L{None} if no single one is.
    @ivar proven: whether it was seen here that something stops, or is lost, whatever the cause leads to mostly.
    """

    cause: Cause
    client: str
    dialect: str
    step: Step
    words: str
    sent: Entry | None = None
    came: tuple[Entry, ...] = ()
    offset: int | None = None
    proven: bool = False

    @property
    def isAdvice(self) -> bool:
        """Whether no client is known to stop or to lose anything by it."""
        return self.cause.severity is Severity.ADVICE and not self.proven

    def __str__(self) -> str:
        return f"{self.cause.name} ({self.dialect}, {self.step.value}): {self.words}"


@dataclass
class Progress:
    """
    How far one client came.

    @ivar dialect: the name of the dialect.
    @ivar program: which programs these are.
    @ivar steps: how each step went.
    @ivar findings: why, the first one first.
    @ivar handshake: how long S2 took, seconds, if it came before C2 went out.
    @ivar delays: how long the answers took that were waited for, seconds.
    @ivar refusal: why the server did not want it, in its own words, or why nothing could be tested.
    """

    dialect: str
    program: str
    steps: dict[Step, StepState] = field(default_factory=lambda: dict.fromkeys(STEPS, StepState.UNTESTED))
    findings: list[Finding] = field(default_factory=list)
    handshake: float = 0.0
    delays: list[float] = field(default_factory=list)
    refusal: str = ""

    @property
    def isTested(self) -> bool:
        """Whether anything could be said about the server."""
        return bool(self.findings) or self.steps[Step.REQUEST] is StepState.OK

    def note(self, finding: Finding) -> None:
        """Keep a finding, each cause once."""
        if all(finding.cause is not other.cause for other in self.findings):
            self.findings.append(finding)
