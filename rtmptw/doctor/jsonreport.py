# -*- test-case-name: tests.doctor.test_jsonreport -*-
"""
A report for programs: one JSON object. Its keys stay what they are.

::

    server      where
    healthy     whether all was tested, and there are no findings
    clients     for each client: {"name", "program", "steps": {step: state}, "findings": [...], "refusal"}
    probes      for each probe: {"name", "question", "findings": [...], "untestable"}
    untested    what could not be examined, a line each

A finding is {"cause", "title", "severity", "step", "client", "words", "offset", "sent", "came", "needs", "mend",
"source"}; C{sent} and C{came} are as in a trace (L{rtmptw.show.jsonlines}); C{needs} is what each client does there.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from rtmptw.dialects.finding import Finding
from rtmptw.doctor.examination import Report
from rtmptw.show.jsonlines import jsonLine
from rtmptw.show.line import LineOptions
from rtmptw.show.secrets import Secrets
from rtmptw.trace.entry import Entry

__all__ = ["reportToJSON"]


def reportToJSON(
    report: Report, place: str, secrets: Secrets | None = None, about: Callable[[str], str] = str
) -> dict[str, Any]:
    """
    Tell it.

    @param place: the server, as it may be shown.
    @param secrets: hides what is to be hidden in what was said; L{None} shows everything.
    @param about: the same for sentences.
    """
    options = LineOptions(secrets)
    return {
        "server": place,
        "healthy": not report.findings and not report.untested,
        "clients": [
            {
                "name": each.dialect,
                "program": each.program,
                "steps": {step.value: state.value for step, state in each.steps.items()},
                "findings": [_finding(finding, options, about) for finding in each.findings],
                "refusal": about(each.refusal),
            }
            for each in report.progress
        ],
        "probes": [
            {
                "name": each.probe.name,
                "question": each.probe.question,
                "findings": [_finding(finding, options, about) for finding in each.findings],
                "untestable": about(each.untestable),
            }
            for each in report.answers
        ],
        "untested": [about(line) for line in report.untested],
    }


def _finding(finding: Finding, options: LineOptions, about: Callable[[str], str]) -> dict[str, Any]:
    cause = finding.cause
    return {
        "cause": cause.name,
        "title": cause.title,
        "severity": cause.severity.value,
        "step": finding.step.value,
        "client": finding.client,
        "words": about(finding.words),
        "offset": finding.offset,
        "sent": None if finding.sent is None else _entry(finding.sent, options),
        "came": [_entry(entry, options) for entry in finding.came],
        "needs": dict(cause.clients),
        "mend": cause.mend,
        "source": cause.source,
    }


def _entry(entry: Entry, options: LineOptions) -> Any:
    return json.loads(jsonLine(entry, options))
