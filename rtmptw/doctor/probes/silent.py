# -*- test-case-name: tests.doctor.probes.test_silent -*-
"""
Does the server wait for answers that many clients never give? (Wire facts 3.6, row 11.)
"""

from __future__ import annotations

from dataclasses import replace

from rtmptw.dialects.finding import Finding, Step
from rtmptw.doctor.probe import Probe, finding
from rtmptw.doctor.target import PLAIN, Target

__all__ = ["SILENT"]

_NAME = "silent"

#: What is left unanswered, by cause.
_SILENCE = (
    ("waits-for-pong", "a ping", replace(PLAIN, answersPings=False)),
    ("waits-for-checkbw", "onBWDone", replace(PLAIN, answersBandwidthDone=False)),
)


async def _ask(target: Target) -> list[Finding]:
    found = []
    for cause, what, dialect in _SILENCE:
        visit = await target.publisher(dialect)
        if visit is not None:
            await target.part(visit, None)
        else:
            words = f"a client that does not answer {what} can't publish; the same client that does can"
            found.append(finding(_NAME, cause, words, step=Step.REQUEST))
    return found


SILENT = Probe(_NAME, "Does it go on when a client answers neither its ping nor onBWDone?", _ask)
