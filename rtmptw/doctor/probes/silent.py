# -*- test-case-name: tests.doctor.probes.test_silent -*-
"""
Does the server wait for answers that many clients never give? (Wire facts 3.6, row 11.)
"""

from __future__ import annotations

from dataclasses import replace

from rtmptw.dialects.dialect import Dialect
from rtmptw.dialects.finding import Finding, Step
from rtmptw.doctor.probe import Probe, Untestable, finding
from rtmptw.doctor.target import PLAIN, Target

__all__ = ["SILENT"]

_NAME = "silent"

#: What is left unanswered, by cause.
_SILENCE = (
    ("waits-for-pong", "a ping", replace(PLAIN, answersPings=False)),
    ("waits-for-checkbw", "onBWDone", replace(PLAIN, answersBandwidthDone=False)),
)


async def _ask(target: Target) -> list[Finding]:
    """
    @raise Untestable: if nobody can publish.
    """
    found = []
    for cause, what, dialect in _SILENCE:
        if await _canPublish(target, dialect):
            continue
        if target.refusal or not await _canPublish(target, PLAIN):
            raise Untestable(f"nobody can publish here{': ' if target.refusal else ''}{target.refusal}")
        if not await _canPublish(target, dialect):
            words = f"a client that does not answer {what} can't publish; the same client that does can"
            found.append(finding(_NAME, cause, words, step=Step.REQUEST))
    return found


async def _canPublish(target: Target, dialect: Dialect) -> bool:
    visit = await target.publisher(dialect)
    if visit is not None:
        await target.part(visit, None)
    return visit is not None


SILENT = Probe(_NAME, "Does it go on when a client answers neither its ping nor onBWDone?", _ask)
