# -*- test-case-name: tests.doctor.test_examination -*-
"""
The whole examination: every client in turn, and then the probes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rtmptw.dialects.dialect import Dialect
from rtmptw.dialects.finding import Finding, Progress
from rtmptw.doctor.playing import examinePlayer
from rtmptw.doctor.probe import Probe, Untestable
from rtmptw.doctor.publishing import examinePublisher
from rtmptw.doctor.second import comesOut
from rtmptw.doctor.target import PLAIN, Target, Unreachable

__all__ = ["Answer", "Report", "examine"]


@dataclass
class Answer:
    """
    What a probe has found.

    @ivar probe: which.
    @ivar findings: what is wrong.
    @ivar untestable: why it could not be asked; empty if it could.
    """

    probe: Probe
    findings: list[Finding] = field(default_factory=list)
    untestable: str = ""


@dataclass
class Report:
    """
    What is known of a server.

    @ivar progress: how far each client came.
    @ivar answers: what the probes have found.
    """

    progress: list[Progress] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    @property
    def findings(self) -> list[Finding]:
        """What real clients stop at or lose something by, in the order in which it was found; each cause once."""
        return self._each(False)

    @property
    def advice(self) -> list[Finding]:
        """What else is to be said, in the same way."""
        found = {finding.cause.name for finding in self.findings}
        return [finding for finding in self._each(True) if finding.cause.name not in found]

    @property
    def untested(self) -> list[str]:
        """What could not be examined, with the reason, a line each."""
        lines = [f"{each.dialect}: {each.refusal}" for each in self.progress if not each.isTested]
        return lines + [f"{each.probe.name}: {each.untestable}" for each in self.answers if each.untestable]

    def concerned(self, finding: Finding) -> list[str]:
        """The names of all dialects and probes that show the same cause."""
        return [each.dialect for each in [*self._all()] if each.cause is finding.cause]

    def _all(self) -> list[Finding]:
        found = [finding for progress in self.progress for finding in progress.findings]
        return found + [finding for answer in self.answers for finding in answer.findings]

    def _each(self, isAdvice: bool) -> list[Finding]:
        first: dict[str, Finding] = {}
        for finding in self._all():
            if finding.isAdvice is isAdvice:
                first.setdefault(finding.cause.name, finding)
        return list(first.values())


async def examine(
    target: Target,
    dialects: Sequence[Dialect],
    probes: Sequence[Probe],
    tell: Callable[[str], object] = lambda line: None,
) -> Report:
    """
    Examine a server.

    @param tell: is told what happens next, a line each time.
    @raise Unreachable: if nobody is there when the first client comes.
    """
    report = Report()
    for dialect in dialects:
        tell(f"{dialect.name} ...")
        examineClient = examinePublisher if dialect.publishes else examinePlayer
        try:
            progress = await examineClient(target, dialect)
        except Unreachable as error:
            if not report.progress:
                raise
            progress = Progress(dialect.name, dialect.program, refusal=f"nobody is there any more ({error})")
        report.progress.append(progress)
    obstacle = await _obstacle(target) if probes else ""
    for probe in probes:
        answer = Answer(probe, untestable=obstacle)
        report.answers.append(answer)
        if obstacle:
            continue
        tell(f"{probe.name}: {probe.question}")
        try:
            answer.findings = await probe.ask(target)
        except Untestable as error:
            answer.untestable = str(error)
        except Unreachable as error:
            answer.untestable = f"nobody is there any more ({error})"
    return report


async def _obstacle(target: Target) -> str:
    """Why probes would tell nothing: they compare with what goes well in a plain case."""
    try:
        return "" if await comesOut(target, PLAIN) else "even what the plainest client publishes does not come out"
    except Unreachable as error:
        return f"nobody is there any more ({error})"
