# -*- test-case-name: tests.doctor.test_paragraphs -*-
"""
A report for people: a table of clients and steps, and for each finding what was sent, what came back, what is wrong
with it, what the client does with it, and how to mend it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from textwrap import wrap

from rtmptw.dialects.finding import STEPS, Finding, Progress
from rtmptw.doctor.examination import Report
from rtmptw.show.hexdump import hexdump
from rtmptw.show.line import LineOptions, lines
from rtmptw.show.secrets import Secrets
from rtmptw.show.wording import printable
from rtmptw.trace.entry import Entry, HandshakeBlock, ReadMessage, Unreadable

__all__ = ["paragraphs"]

_WIDTH = 110
_INDENT = "   "

#: How many of the server's messages are shown, at most, and how many bytes around the one that is to blame.
_SHOWN = 8
_AROUND = 32

#: Where more is said about every cause.
_MORE = "docs/why-ffmpeg-stops.rst"


def paragraphs(
    report: Report, place: str, secrets: Secrets | None = None, about: Callable[[str], str] = str
) -> Iterator[str]:
    """
    Tell it.

    @param place: the server, as it may be shown.
    @param secrets: hides what is to be hidden in what was said; L{None} shows everything.
    @param about: the same for sentences.
    @return: lines.
    """
    findings, advice = report.findings, report.advice
    yield f"{place}: {_count(findings, 'finding')}, {_count(advice, 'piece')} of advice"
    yield ""
    yield from _table(report.progress)
    for number, finding in enumerate([*findings, *advice], 1):
        yield ""
        yield from _paragraph(number, finding, report.concerned(finding), secrets, about)
    untested = report.untested
    if untested:
        yield ""
        yield "Not tested:"
        for line in untested:
            yield from _wrapped(printable(about(line)), _INDENT)


def _count(things: list[Finding], noun: str) -> str:
    return f"{len(things) or 'no'} {noun}{'' if len(things) == 1 else 's'}"


def _table(progress: list[Progress]) -> Iterator[str]:
    if not progress:
        return
    width = max(len(each.dialect) for each in progress) + 2
    yield _row("", width, [step.value for step in STEPS])
    for each in progress:
        yield _row(each.dialect, width, [each.steps[step].value for step in STEPS])


def _row(name: str, width: int, cells: Iterable[str]) -> str:
    columns = [max(len(step.value), 8) + 2 for step in STEPS]
    parts = [f"{cell:<{column}}" for cell, column in zip(cells, columns, strict=True)]
    return f"{_INDENT}{name:<{width}}{''.join(parts)}".rstrip()


def _paragraph(
    number: int, finding: Finding, shownBy: list[str], secrets: Secrets | None, about: Callable[[str], str]
) -> Iterator[str]:
    cause = finding.cause
    kind = "Advice: " if finding.isAdvice else ""
    yield from _wrapped(f"{number}. {kind}{cause.name}: {cause.title}", "", _INDENT)
    yield from _wrapped(f"In the step {finding.step.value} of: {', '.join(dict.fromkeys(shownBy))}.", _INDENT)
    yield from _wrapped(f"{printable(about(finding.words))}.", _INDENT)
    options = LineOptions(secrets)
    if finding.sent is not None:
        yield f"{_INDENT}What was sent:"
        yield from _shown(finding.sent, options)
    if finding.came:
        yield f"{_INDENT}What came back:"
        for entry in finding.came[:_SHOWN]:
            yield from _shown(entry, options)
        if len(finding.came) > _SHOWN:
            yield f"{_INDENT * 2}... and {len(finding.came) - _SHOWN} more"
    yield from _blamed(finding, secrets)
    for client, words in cause.clients.items():
        yield from _wrapped(f"{client}: {words}", _INDENT, _INDENT * 2)
    yield from _wrapped(f"To mend it: {cause.mend}", _INDENT, _INDENT * 2)
    yield from _wrapped(f"See {cause.source}; {cause.name} in {_MORE}.", _INDENT, _INDENT * 2)


def _shown(entry: Entry, options: LineOptions) -> Iterator[str]:
    """The line of an entry; what is wrong with it is said elsewhere."""
    yield f"{_INDENT}{next(lines(entry, options))}"


def _blamed(finding: Finding, secrets: Secrets | None) -> Iterator[str]:
    """The bytes around the one that is to blame."""
    if finding.offset is None:
        return
    for entry in finding.came:
        data, start = _bytes(entry, finding.offset)
        if not start <= finding.offset < start + len(data):
            continue
        first = max(start, finding.offset - finding.offset % 16 - _AROUND)
        hidden = [(a + start, b + start) for a, b in secrets.hidden(entry)] if secrets is not None else []
        yield f"{_INDENT}Byte {finding.offset} of what the server has sent:"
        part = data[first - start : finding.offset - start + _AROUND]
        yield from (f"{_INDENT}{line}" for line in hexdump(part, first, [finding.offset], hidden))
        return


def _bytes(entry: Entry, offset: int) -> tuple[bytes, int]:
    """The bytes of an entry, and the place of the first; of a message's payload the chunk with that byte in it."""
    if isinstance(entry, (HandshakeBlock, Unreadable)):
        return entry.data, entry.offset
    if isinstance(entry, ReadMessage):
        position = 0
        for chunk in entry.chunks:
            start = chunk.offset + chunk.headerSize
            if start <= offset < start + chunk.size:
                return entry.message.payload[position : position + chunk.size], start
            position += chunk.size
    return b"", 0


def _wrapped(text: str, indent: str, behind: str | None = None) -> list[str]:
    behind = indent if behind is None else behind
    return wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=behind, break_on_hyphens=False) or [""]
