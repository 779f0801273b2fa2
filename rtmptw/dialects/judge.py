# -*- test-case-name: tests.dialects.test_judge -*-
"""
One message of the server, as one client sees it while it waits for an answer: taken, passed over, or the end.

A client that passes an answer over says nothing about it, and waits for another that will not come: that is what a
stall is. So what was passed over, and why, is worth more than that nothing else came.
"""

from __future__ import annotations

from rtmptw.causes.causes import CAUSES
from rtmptw.dialects.answer import RESULTS, Answer
from rtmptw.dialects.judgement import Awaited, Expectation, Judgement, Verdict
from rtmptw.dialects.requirements import Early, Requirements
from rtmptw.dialects.results import judgeResult
from rtmptw.dialects.statuses import judgeStatus
from rtmptw.trace.entry import ReadMessage, Violation
from rtmptw.trace.values import COMMANDS, DATA, readValues
from rtmptw.wire.control import controlValue
from rtmptw.wire.data import ON_META_DATA
from rtmptw.wire.message import MessageType

__all__ = ["Awaited", "Expectation", "Judgement", "Verdict", "judge"]

#: What has a number as its body that must be above 0, and below 2^31 (RTMP 1.0, section 5.4).
_POSITIVE = {
    MessageType.SET_CHUNK_SIZE: "chunk size",
    MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE: "window",
    MessageType.SET_PEER_BANDWIDTH: "bandwidth",
}
_MOST = 0x7FFFFFFF

_MEDIA = frozenset((MessageType.AUDIO, MessageType.VIDEO, MessageType.AGGREGATE))


def judge(requirements: Requirements, awaited: Awaited, entry: ReadMessage) -> Judgement | None:
    """
    Judge one message of the server.

    @return: L{None} if it has nothing to do with what is waited for, and does no harm.
    """
    type = entry.message.type
    if type in COMMANDS:
        return _command(Answer(requirements, awaited, entry, readValues(entry.message)))
    if type in requirements.fatalTypes:
        words = f"a message of type {type} came, which ends this client"
        return _offence("type15-to-player", words, entry)
    if type in _POSITIVE and requirements.positiveControl:
        value = controlValue(entry.message)
        if value is None or not 1 <= value <= _MOST:
            words = f"the server announces a {_POSITIVE[MessageType(type)]} of {'nothing' if value is None else value}"
            return _offence("control-value", words, entry)
    if awaited.expectation is Expectation.PLAY:
        return _early(requirements, entry)
    return None


def _offence(cause: str, words: str, entry: ReadMessage) -> Judgement:
    """It ends the client, whatever that waits for."""
    violation = Violation(CAUSES[cause], words, entry.place(0))
    return Judgement(Verdict.FATAL, violation, isAnswer=False)


def _early(requirements: Requirements, entry: ReadMessage) -> Judgement | None:
    """Media in front of Play.Start."""
    message, early = entry.message, requirements.early
    isMetadata = message.type in DATA and readValues(message).name == ON_META_DATA
    violation = None
    if message.type in _MEDIA or isMetadata:
        words = f"a message of type {message.type} came in front of NetStream.Play.Start, and is lost"
        violation = Violation(CAUSES["media-before-start"], words, entry.place(0))
    if early is Early.START and (violation is not None or message.type == MessageType.DATA):
        return Judgement(Verdict.TAKEN, violation)
    return Judgement(Verdict.LOST, violation, isAnswer=False) if early is Early.DROPPED and violation else None


def _command(answer: Answer) -> Judgement | None:
    """A command."""
    isAnswer = answer.isExpected
    judgement = _unreadable(answer, isAnswer)
    if judgement is not None:
        return judgement
    if not isAnswer:
        return None
    return judgeResult(answer) if answer.values.name in RESULTS else judgeStatus(answer)


def _unreadable(answer: Answer, isAnswer: bool) -> Judgement | None:
    """What keeps the client from reading a command, or ends it, whatever the command says."""
    requirements, values, type = answer.requirements, answer.values, answer.entry.message.type
    what = f"the answer to {answer.call}" if isAnswer else answer.name
    isFatal = type in requirements.fatalTypes
    lenient = answer.lenientStreamId
    if (isAnswer or isFatal) and type not in requirements.commandTypes:
        words = f"{what} is a message of type {type} (AMF3 command), not of type {int(MessageType.COMMAND)}"
        return answer.fault(
            "reply-as-amf3", words, Verdict.FATAL if isFatal else Verdict.PASSED_OVER, 0, lenient, isAnswer
        )
    found = answer.unreadable()
    if found is not None and (requirements.endsAtUnreadable or (isAnswer and requirements.dropsUnreadable)):
        words = f"{what} has a value that this client can't read: it {_fate(requirements)}"
        verdict = Verdict.FATAL if requirements.endsAtUnreadable else Verdict.PASSED_OVER
        return answer.fault("unsupported-marker", words, verdict, 0, lenient, isAnswer, found[1])
    if len(values.placed) < requirements.leastValues:
        words = f"{what} has {len(values.placed)} values"
        return answer.fault("short-command", words, Verdict.FATAL, len(values.placed), lenient, isAnswer)
    if requirements.leastValues and values.transactionId is None:
        words = f"the transaction ID of {what} is not a number"
        return answer.fault("transaction-id-not-number", words, Verdict.FATAL, 1, lenient, isAnswer)
    return None


def _fate(requirements: Requirements) -> str:
    return "ends" if requirements.endsAtUnreadable else "passes over the whole command"
