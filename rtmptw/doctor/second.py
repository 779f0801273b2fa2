# -*- test-case-name: tests.doctor.test_second -*-
"""
Second opinions: when all that is known is that a server did not answer, the same is asked in another way, and the
difference tells why.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from rtmptw.causes.causes import CAUSES
from rtmptw.dialects.dialect import Dialect, Line
from rtmptw.dialects.finding import Finding, Step, StepState
from rtmptw.dialects.visit import Visit
from rtmptw.doctor.target import APART, Target, Unreachable

__all__ = ["comesOut", "secondOpinion"]

#: What says only that nothing came, or not all.
_VAGUE = frozenset(("no-answer", "closed-without-reason", "media-lost"))

#: How many messages are published to see whether they come out: as many as every client publishes.
_COUNT = 80

#: How long a server that minds them may take to show it, seconds.
_PAUSE = 1.0


async def secondOpinion(target: Target, visit: Visit) -> None:
    """
    Ask again in another way.

    @param visit: one that has ended badly; its last finding is replaced if the reason is found.
    """
    findings = visit.progress.findings
    if not findings or findings[-1].cause.name not in _VAGUE:
        return
    finding = findings[-1]
    try:
        cause, words = await _reason(target, visit.dialect, finding)
    except Unreachable as error:
        cause, words = "", f"After that, nobody is there any more: {error}"
    if words:
        findings[-1] = replace(finding, cause=CAUSES.get(cause, finding.cause), words=f"{finding.words}. {words}")


async def _reason(target: Target, dialect: Dialect, finding: Finding) -> tuple[str, str]:
    """
    What is behind a finding.

    @return: the cause, and words; empty if that is not known.
    @raise Unreachable: if nobody is there any more.
    """
    for cause, step, words, isIt in _OPINIONS:
        if finding.step is step and await isIt(target, dialect):
            # What goes well by itself the second time says nothing about how it was asked.
            isSame = step is not Step.MEDIA and await _getsTo(target, dialect, step)
            if isSame or (step is Step.MEDIA and await comesOut(target, dialect, whole=True)):
                return "", "The second time, it went well"
            return cause, words
    return "", ""


async def _getsTo(target: Target, dialect: Dialect, step: Step, pause: float = 0.0) -> bool:
    """
    Whether a client gets as far as through a step.

    @param pause: between C2 and connect, seconds.
    @raise Unreachable: if nobody is there.
    """
    visit = await target.visit(dialect)
    visit.pauseBehindC2 = pause
    await visit.open()
    visit.contact.abort()
    return visit.progress.steps[step] in (StepState.OK, StepState.LENIENT)


async def _isC2TailDropped(target: Target, dialect: Dialect) -> bool:
    return await _getsTo(target, dialect, Step.CONNECT, APART)


async def _isExtraArgumentFatal(target: Target, dialect: Dialect) -> bool:
    plain = {name: value for name, value in dialect.properties.items() if isinstance(value, (str, float, bool))}
    if not dialect.connectArguments and plain == dict(dialect.properties):
        return False
    return await _getsTo(target, replace(dialect, connectArguments=(), properties=plain), Step.CONNECT)


def _calls(dialect: Dialect, *names: str) -> tuple[Line, ...]:
    """Its commands in front of the request, but these only, in this order."""
    known = {line.name: line for line in dialect.calls}
    name = dialect.request.arguments[:1]
    return tuple(known.get(each) or Line(each, () if each == "createStream" else name) for each in names)


async def _waitsForPublish(target: Target, dialect: Dialect) -> bool:
    if any(line.name == "FCPublish" for line in dialect.calls):
        return False
    calls = _calls(dialect, "releaseStream", "FCPublish", "createStream")
    return await _getsTo(target, replace(dialect, calls=calls), Step.CREATE_STREAM)


async def _waitsForCreateStream(target: Target, dialect: Dialect) -> bool:
    if len(dialect.calls) == 1:
        return False
    return await _getsTo(target, replace(dialect, calls=_calls(dialect, "createStream")), Step.CREATE_STREAM)


async def _waitsForBandwidth(target: Target, dialect: Dialect) -> bool:
    if dialect.answersBandwidthDone:
        return False
    dialect = replace(dialect, answersBandwidthDone=True)
    return await _getsTo(target, dialect, Step.CONNECT) and await _getsTo(target, dialect, Step.CREATE_STREAM)


async def _waitsForPong(target: Target, dialect: Dialect) -> bool:
    if dialect.answersPings:
        return False
    return await _getsTo(target, replace(dialect, answersPings=True), Step.CREATE_STREAM)


async def _ignoresChunkSize(target: Target, dialect: Dialect) -> bool:
    """Whether media arrives in small chunks."""
    plain = dialect.atDefaultChunkSize()
    return dialect.publishes and plain != dialect and await comesOut(target, plain, whole=True)


async def _ignoresChunkSizeBefore(target: Target, dialect: Dialect) -> bool:
    """Whether connect is answered that comes in small chunks."""
    plain = dialect.atDefaultChunkSize()
    return plain != dialect and await _getsTo(target, plain, Step.CONNECT)


async def comesOut(target: Target, dialect: Dialect, whole: bool = False) -> bool:
    """
    Whether what a client publishes comes out; if nobody can play, whether the server keeps the connection.

    @param whole: whether nothing may be missing; else, the last of it is enough.
    @raise Unreachable: if nobody is there.
    """
    witness = await target.witness()
    visit = await target.publisher(dialect)
    if visit is None:
        return False
    visit.begin()
    witness = await target.attend(visit, witness)
    visit.send(visit.footage.frames(_COUNT))
    if witness is None:
        await visit.contact.rest(_PAUSE)
        arrives = not visit.contact.closed
    else:
        arrives = await witness.sees(_COUNT - 1, target.delay) and not (whole and witness.missing(_COUNT))
    await target.part(visit, witness)
    return arrives


#: What may be behind it, in which step, in words, and how to know. In this order.
_OPINIONS: tuple[tuple[str, Step, str, Callable[[Target, Dialect], Awaitable[bool]]], ...] = (
    (
        "c2-tail-dropped",
        Step.CONNECT,
        "When connect comes a moment after C2, in a segment of its own, it is answered: the server throws away what "
        "comes in the same segment as C2",
        _isC2TailDropped,
    ),
    (
        "closes-on-extra-argument",
        Step.CONNECT,
        "The same connect is answered when there is nothing behind its object and nothing uncommon in it",
        _isExtraArgumentFatal,
    ),
    (
        "client-chunk-size-ignored",
        Step.CONNECT,
        "When the client leaves its chunk size at 128 bytes, connect is answered: the server does not obey the "
        "client's Set Chunk Size",
        _ignoresChunkSizeBefore,
    ),
    (
        "waits-for-checkbw",
        Step.CONNECT,
        "When the client answers onBWDone with _checkbw, the server goes on",
        _waitsForBandwidth,
    ),
    (
        "waits-for-checkbw",
        Step.CREATE_STREAM,
        "When the client answers onBWDone with _checkbw, the server goes on",
        _waitsForBandwidth,
    ),
    ("waits-for-pong", Step.CREATE_STREAM, "When the client answers the server's ping, it goes on", _waitsForPong),
    (
        "waits-for-fcpublish",
        Step.CREATE_STREAM,
        "When releaseStream and FCPublish come first, createStream is answered",
        _waitsForPublish,
    ),
    (
        "waits-for-createstream-first",
        Step.CREATE_STREAM,
        "When createStream comes alone, it is answered",
        _waitsForCreateStream,
    ),
    (
        "client-chunk-size-ignored",
        Step.MEDIA,
        "When the client leaves its chunk size at 128 bytes, everything arrives: the server does not obey the client's "
        "Set Chunk Size",
        _ignoresChunkSize,
    ),
)
