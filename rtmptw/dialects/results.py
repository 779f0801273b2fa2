# -*- test-case-name: tests.dialects.test_results -*-
"""
How each client takes a C{_result} or an C{_error} (wire facts 3.2).
"""

from __future__ import annotations

from collections.abc import Callable

from rtmptw.dialects.answer import Answer
from rtmptw.dialects.judgement import Expectation, Judgement, Verdict
from rtmptw.dialects.requirements import Errors, StreamID
from rtmptw.wire.amf import AMFValue, ECMAArray

__all__ = ["STARTS", "judgeResult"]

_NULL, _OBJECT = 0x05, 0x03

#: The largest message stream ID.
_MOST = 0xFFFFFFFF

#: The statuses that publish and play are answered with.
STARTS = {"publish": "NetStream.Publish.Start", "play": "NetStream.Play.Start"}


def judgeResult(answer: Answer) -> Judgement:
    """Judge one."""
    requirements, values, awaited = answer.requirements, answer.values, answer.awaited
    transactionId = values.transactionId
    if transactionId is None:
        verdict = Verdict.FATAL if requirements.numberOrFail else Verdict.PASSED_OVER
        words = f"the transaction ID in the answer to {answer.call} is not a number"
        return answer.fault("transaction-id-not-number", words, verdict, 1, answer.lenientStreamId)
    isZero = transactionId == 0 and requirements.zeroAnswers and not awaited.isRequest
    if not isZero and not answer.isSame(transactionId, awaited.transactionId):
        return _wrongTransaction(answer, transactionId)
    if values.name == "_error":
        return answer.refused(_isUnderstood(answer))
    return _JUDGES[awaited.expectation](answer)


def _wrongTransaction(answer: Answer, transactionId: float) -> Judgement:
    """It is for another call, or for none."""
    awaited, fails = answer.awaited, answer.requirements.unknownAnswerFails
    if awaited.isRequest and not fails:
        # They are answered by a status. If that does not come, this was meant for it.
        return _onlyResult(answer, Verdict.PASSED_OVER)
    cause = "answers-transaction-0" if awaited.isRequest else f"{answer.call.lower()}-transaction-id"
    words = (
        f"{answer.call} was sent with transaction ID {awaited.transactionId:g}, and the {answer.name} that came has "
        f"{transactionId:g}"
    )
    return answer.fault(cause, words, Verdict.FATAL if fails else Verdict.PASSED_OVER, 1, answer.lenientStreamId)


def _isUnderstood(answer: Answer) -> bool:
    """Whether the client ends at an C{_error}."""
    errors = answer.requirements.errors
    if errors is not Errors.DESCRIBED:
        return errors is Errors.END
    first = next((each.value for each in answer.values.placed[1:] if each.marker == _OBJECT), None)
    description = first.get("description") if isinstance(first, dict) else None
    return isinstance(description, (str, float, bool))


def _connected(answer: Answer) -> Judgement:
    information = answer.values.get(3)
    isObject = isinstance(information, dict)
    if answer.requirements.connectObject and (not isObject or isinstance(information, ECMAArray)):
        words = "the answer to connect has no object as its second argument"
        return answer.fault("connect-without-code", words, Verdict.FATAL, 3)
    code: AMFValue = information.get("code") if isinstance(information, dict) else None
    if answer.requirements.connectCode and code != "NetConnection.Connect.Success":
        words = "the answer to connect has no code NetConnection.Connect.Success in its second argument"
        return answer.fault("connect-without-code", words, Verdict.FATAL, 3)
    return Judgement(Verdict.TAKEN)


def _streamCreated(answer: Answer) -> Judgement:
    how = answer.requirements.streamId
    null, fourth = answer.values.at(2), answer.values.get(3)
    number = fourth if isinstance(fourth, float) else None
    id = int(number) if number is not None and 0 <= number <= _MOST else 0
    if how is StreamID.IGNORED:
        # It goes on with message stream 1; whether that is the end is the server's affair.
        return _otherThan1(answer, Verdict.TAKEN, answer.lenientStreamId, 1)
    needsNull = how in (StreamID.FIXED_PLACES, StreamID.NULL_AND_NUMBER)
    if needsNull and (null is None or null.marker != _NULL):
        # FFmpeg goes on with message stream 0.
        goesOn = how is StreamID.FIXED_PLACES
        words = "the third value in the answer to createStream is not null (05)"
        verdict, value = (Verdict.TAKEN, 0) if goesOn else (Verdict.FATAL, answer.lenientStreamId)
        return answer.fault("createstream-undefined", words, verdict, 2, value)
    if number is not None and (id or how is StreamID.NULL_AND_NUMBER):
        return _otherThan1(answer, Verdict.FATAL, number, id) if how is StreamID.EXACTLY_1 else _taken(id)
    goesOn = how in (StreamID.FIXED_PLACES, StreamID.FOURTH)
    words = "the message stream ID in the answer to createStream is not a number above 0"
    verdict, value = (Verdict.TAKEN, 0) if goesOn else (Verdict.FATAL, answer.lenientStreamId)
    return answer.fault("createstream-id-not-number", words, verdict, 3, value)


def _taken(id: int) -> Judgement:
    return Judgement(Verdict.TAKEN, value=id)


def _otherThan1(answer: Answer, verdict: Verdict, given: float, value: int) -> Judgement:
    """Whoever needs 1 minds whatever else it is."""
    if given == 1:
        return _taken(1)
    words = f"createStream gave message stream {given:g}, not 1"
    return answer.fault("createstream-id-not-1", words, verdict, 3, value)


def _started(answer: Answer) -> Judgement:
    """A C{_result} to publish or play."""
    if answer.requirements.resultStarts:
        return Judgement(Verdict.TAKEN)
    return _onlyResult(answer, Verdict.FATAL if answer.requirements.resultFails else Verdict.PASSED_OVER)


def _onlyResult(answer: Answer, verdict: Verdict) -> Judgement:
    words = f"{answer.call} was answered by {answer.name}: a client waits for onStatus with {STARTS[answer.call]}"
    return answer.fault("publish-only-result", words, verdict)


_JUDGES: dict[Expectation, Callable[[Answer], Judgement]] = {
    Expectation.CONNECT: _connected,
    Expectation.CREATE_STREAM: _streamCreated,
    Expectation.PUBLISH: _started,
    Expectation.PLAY: _started,
}
