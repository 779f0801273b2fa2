# -*- test-case-name: tests.dialects.test_statuses -*-
"""
How each client takes an C{onStatus} (wire facts 3.2 and 3.3).
"""

from __future__ import annotations

from rtmptw.dialects.answer import Answer
from rtmptw.dialects.judgement import Expectation, Judgement, Verdict
from rtmptw.dialects.requirements import Information
from rtmptw.dialects.results import STARTS
from rtmptw.trace.markers import UNDEFINED, FoundMarker, named
from rtmptw.wire.amf import AMFValue, ECMAArray

__all__ = ["judgeStatus"]

#: Where the information stands: behind the name, the transaction ID, and null.
_PLACE = 3


def judgeStatus(answer: Answer) -> Judgement:
    """Judge one."""
    requirements, awaited = answer.requirements, answer.awaited
    index = _find(answer)
    information = answer.information if index is None else answer.values.get(index)
    assert isinstance(information, dict)
    fault = _elsewhere(answer) or _unread(answer, index, information)
    code, level, fails = information.get("code"), information.get("level"), requirements.statusFails
    if level == "error" or (fails is not None and code in fails):
        # Those who look at the first status alone do that behind publish and play.
        isHeard = fault is None and (awaited.isRequest or not requirements.firstDecides)
        return answer.refused(isHeard and (fails is None or code in fails))
    if not awaited.isRequest:
        # Another object in it is of level "error", at which this client does not look.
        return Judgement(Verdict.PASSED_OVER)
    if fault is not None or not _isForMe(answer):
        return fault or Judgement(Verdict.PASSED_OVER)
    starts = requirements.playStarts if awaited.expectation is Expectation.PLAY else (STARTS[answer.call],)
    if level == "status" if requirements.anyStatusStarts else code in starts:
        return Judgement(Verdict.TAKEN)
    if requirements.firstDecides:
        words = f"the first status on the message stream is {code!a}, of level {level!a}"
        return answer.fault("first-status-not-start", words, Verdict.FATAL, _PLACE if index is None else index)
    return Judgement(Verdict.PASSED_OVER)


def _isForMe(answer: Answer) -> bool:
    """gortmplib looks at a status' transaction ID, too: 0, or that of its request."""
    if not answer.requirements.zeroAnswers:
        return True
    transactionId = answer.values.transactionId
    return transactionId is not None and answer.isSame(transactionId, 0, answer.awaited.transactionId)


def _find(answer: Answer) -> int | None:
    """The number of the value in which the client finds what it says; L{None} if it does not find it."""
    where, placed = answer.requirements.information, answer.values.placed
    if where is Information.NEXT_OBJECT:
        return next((i for i, each in enumerate(placed) if i >= _PLACE and _isObject(each.value)), None)
    if where is Information.ANYWHERE:
        return next((i for i, each in enumerate(placed) if isinstance(each.value, dict)), None)
    value = answer.values.get(_PLACE)
    return _PLACE if _isObject(value) or (isinstance(value, dict) and where is Information.FOURTH) else None


def _isObject(value: AMFValue) -> bool:
    return isinstance(value, dict) and not isinstance(value, ECMAArray)


def _elsewhere(answer: Answer) -> Judgement | None:
    """What is wrong with where it came."""
    came, awaited = answer.entry.message.streamId, answer.awaited
    if not answer.requirements.statusOnStream or not awaited.isRequest or came == awaited.streamId:
        return None
    words = f"onStatus came on message stream {came}, and {answer.call} was sent on {awaited.streamId}"
    return answer.fault("onstatus-on-stream-0", words)


def _unread(answer: Answer, index: int | None, information: dict[str, AMFValue]) -> Judgement | None:
    """Why the client does not find what it says."""
    where, values = answer.requirements.information, answer.values
    if where is Information.ANYWHERE:
        return None
    if where is Information.NEXT_OBJECT:
        found = answer.unreadable(0, None if index is None else values.placed[index].start)
        if found is None and index is not None:
            found = _inFrontOf("level" if information.get("level") == "error" else "code", answer, index)
        if found is not None:
            return _unskippable(answer, found)
    if index is not None:
        return None
    at = next((i for i, each in enumerate(values.placed) if isinstance(each.value, dict)), _PLACE)
    isArray = isinstance(values.get(at), ECMAArray) and at >= _PLACE
    what = "an ECMA array (08), not an object (03)" if isArray else "not an object in its fourth value"
    verdict = Verdict.FATAL if answer.requirements.firstDecides else Verdict.PASSED_OVER
    return answer.fault("onstatus-ecma", f"the information of onStatus is {what}", verdict, at)


def _inFrontOf(name: str, answer: Answer, index: int) -> FoundMarker | None:
    """What FFmpeg, which looks for a member of the information, can't skip in front of it."""
    placed = answer.values.placed[index]
    key = len(name).to_bytes(2, "big") + name.encode()
    found = answer.entry.message.payload.find(key, placed.start, placed.stop)
    return answer.unreadable(placed.start, placed.stop if found < 0 else found)


def _unskippable(answer: Answer, found: FoundMarker) -> Judgement:
    marker, position = found
    cause = "onstatus-undefined" if marker == UNDEFINED else "unsupported-marker"
    what = "a value that can't be read" if marker < 0 else named(marker)
    return answer.fault(cause, f"onStatus has {what} in front of its code", position=position)
