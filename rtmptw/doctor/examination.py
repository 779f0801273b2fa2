# -*- test-case-name: tests.doctor.test_examination -*-
"""
The whole examination: every client in turn, and then the probes.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred, TimeoutError

from rtmptw.dialects.dialect import Dialect
from rtmptw.dialects.finding import Finding, Progress
from rtmptw.doctor.playing import examinePlayer
from rtmptw.doctor.probe import Probe, Untestable
from rtmptw.doctor.publishing import examinePublisher
from rtmptw.doctor.second import comesOut
from rtmptw.doctor.target import PLAIN, Target, Unreachable

__all__ = ["Answer", "Report", "examine"]

#: How long one client or one probe may take, seconds, and how many times as long as one answer: a client whose server
#: does not answer is followed by others, to know why.
_LIMIT, _PATIENCES = 120.0, 40

_T = TypeVar("_T")


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
    @ivar unseen: why nobody could look at what came out of what was published; empty if somebody could, or none was to.
    @ivar interrupted: whether there should have been more.
    """

    progress: list[Progress] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    unseen: str = ""
    interrupted: bool = False

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
        reasons: dict[str, list[str]] = {}
        for each in self.answers:
            if each.untestable:
                reasons.setdefault(each.untestable, []).append(each.probe.name)
        lines += [f"{', '.join(names)}: {reason}" for reason, names in reasons.items()]
        lines += [f"media: {self.unseen}"] if self.unseen else []
        return [*lines, "everything else: it was interrupted"] if self.interrupted else lines

    def concerned(self, finding: Finding) -> list[str]:
        """The names of all dialects and probes that show the same cause."""
        return [each.dialect for each in self._all() if each.cause is finding.cause]

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
    report: Report | None = None,
) -> Report:
    """
    Examine a server. If that is cancelled, the clients leave, and the report holds what is known by then.

    @param tell: is told what happens next, a line each time.
    @param report: where to write it.
    @raise Unreachable: if nobody is there when the first client comes.
    """
    report = Report() if report is None else report
    try:
        await _visits(target, dialects, tell, report)
        await _questions(target, probes, tell, report)
    except CancelledError:
        report.interrupted = True
        raise
    finally:
        target.abort()
    return report


async def _visits(target: Target, dialects: Sequence[Dialect], tell: Callable[[str], object], report: Report) -> None:
    for dialect in dialects:
        tell(f"{dialect.name} ...")
        examineClient = examinePublisher if dialect.publishes else examinePlayer
        try:
            progress = await _limited(target, examineClient(target, dialect))
        except Unreachable as error:
            if not report.progress:
                raise
            progress = Progress(dialect.name, dialect.program, refusal=f"nobody is there any more ({error})")
        except TimeoutError:
            progress = Progress(dialect.name, dialect.program, refusal=_tooLong(target))
        report.progress.append(progress)
        await target.clear()
    hasPublished = any(each.publishes for each in dialects) and not target.isUntouched
    if target.playURL is not None and hasPublished and not target.isWatched:
        why = "the server takes only one connection at a time" if target.isSolitary else "nobody can play here"
        report.unseen = f"{why}, so what is lost was not seen"


async def _questions(target: Target, probes: Sequence[Probe], tell: Callable[[str], object], report: Report) -> None:
    obstacle = await _obstacle(target, not report.progress) if probes else ""
    for probe in probes:
        answer = Answer(probe, untestable=obstacle)
        report.answers.append(answer)
        if obstacle:
            continue
        tell(f"{probe.name}: {probe.question}")
        try:
            answer.findings = await _limited(target, probe.ask(target))
        except Untestable as error:
            answer.untestable = str(error)
        except Unreachable as error:
            answer.untestable = f"nobody is there any more ({error})"
        except TimeoutError:
            answer.untestable = _tooLong(target)
        await target.clear()


async def _obstacle(target: Target, isFirst: bool) -> str:
    """
    Why probes would tell nothing: they compare with what goes well in a plain case.

    @raise Unreachable: if nobody is there, and nobody was before.
    """
    try:
        isPlain = await _limited(target, comesOut(target, PLAIN))
    except Unreachable as error:
        if isFirst:
            raise
        return f"nobody is there any more ({error})"
    except TimeoutError:
        return _tooLong(target)
    finally:
        await target.clear()
    return "" if isPlain else "even what the plainest client publishes does not come out"


def _limited(target: Target, work: Coroutine[Deferred[Any], Any, _T]) -> Deferred[_T]:
    """
    Work that is given up after some time: a server may go on for ever with something.

    @return: fails with L{TimeoutError} then.
    """
    seconds = _limit(target)
    return Deferred.fromCoroutine(work).addTimeout(seconds, target.clock)


def _limit(target: Target) -> float:
    return max(_LIMIT, _PATIENCES * target.patience)


def _tooLong(target: Target) -> str:
    return f"it was not over after {_limit(target):g} s, and was given up"
