# -*- test-case-name: tests.trace.test_answerrules -*-
"""
Rules for the server's answers to calls: C{_result} and C{_error} (wire facts 3.2, 3.6 rows 1 and 8).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from rtmptw.trace.entry import ReadMessage, Violation
from rtmptw.trace.markers import AMF3, NULL, NUMBER, UNDEFINED, named
from rtmptw.trace.rule import Heard, Rule, plain
from rtmptw.trace.segment import Side
from rtmptw.trace.talk import Call, Talk
from rtmptw.trace.values import COMMANDS, Values

__all__ = ["ANSWER_RULES"]

_ANSWERS = ("_result", "_error")
_SUCCESS = "NetConnection.Connect.Success"

#: Calls that always want an answer, whatever their transaction ID.
_ANSWERED = ("connect", "createStream")

#: What may stand in the place of the command object.
_NOTHING = (NULL, UNDEFINED)

#: Calls that may be answered by a number that is no stream ID.
_NUMBERED = ("createStream", "getStreamLength")


def _transactionId(heard: Heard[ReadMessage]) -> Iterator[Violation]:
    """The transaction ID of the call that is answered."""
    talk, values = heard.talk, heard.values
    if values.name not in _ANSWERS:
        return
    placed, id = values.at(1), values.transactionId
    if id is None:
        waiting = talk.waiting()
        to = f" to {plain(waiting.name, 'a call')}" if waiting is not None else ""
        what = "has no transaction ID" if placed is None else f"has {named(placed.marker)} for its transaction ID"
        words = f"the answer{to} {what}, and not a number"
        yield heard.violation("transaction-id-not-number", words, _place(heard, 1))
    elif talk.calls and Side.CLIENT not in heard.notes.lost:
        asked = talk.asked(id)
        meant = _meant(talk, values, asked)
        if meant is not None and meant.transactionId != id:
            violation = _wrong(heard, meant, id)
            if asked is None or asked.answered is not None or meant.name == "connect":
                yield violation
            else:
                # It may be another call's answer; the end shows it.
                heard.notes.suspect = violation
        elif asked is None or (id == 0 and not any(c.name in _ANSWERED and c.transactionId == 0 for c in talk.calls)):
            words = f"{values.name} answers transaction ID {id:g}, and no call waits for an answer with that"
            yield heard.violation("answers-transaction-0", words, _place(heard, 1))


def _meant(talk: Talk, values: Values, asked: Call | None) -> Call | None:
    """The call that an answer must have been meant for, by what it holds."""
    connect = talk.waiting("connect")
    if connect is not None and (asked is None or _isForConnect(values)):
        return connect
    third, fourth = values.at(2), values.at(3)
    givesStream = fourth is not None and fourth.marker == NUMBER and third is not None and third.marker in _NOTHING
    if givesStream and (asked is None or asked.name not in _NUMBERED):
        return talk.waiting("createStream")
    return None


def _isForConnect(values: Values) -> bool:
    """Whether it says something of the connection."""
    codes = (placed.value.get("code") for placed in values.placed if isinstance(placed.value, dict))
    return any(isinstance(code, str) and code.startswith("NetConnection.") for code in codes)


def _wrong(heard: Heard[ReadMessage], meant: Call, id: float) -> Violation:
    cause = "connect-transaction-id" if meant.name == "connect" else "createstream-transaction-id"
    words = (
        f"the answer to {meant.name} (transaction ID {meant.transactionId:g}) has transaction ID {id:g}: the client "
        "does not take it for its answer"
    )
    return heard.violation(cause, words, _place(heard, 1))


def _connectResult(heard: Heard[ReadMessage]) -> Iterator[Violation]:
    """The code that says yes, where rtmp2 looks for it."""
    if not _answers(heard, "connect"):
        return
    information = heard.values.get(3)
    code = information.get("code") if isinstance(information, dict) else None
    if code != _SUCCESS:
        found = plain(code, "none") if isinstance(code, str) else "none"
        words = f"the answer to connect is to say {_SUCCESS} in its fourth value; the code there is {found}"
        yield heard.violation("connect-without-code", words, _place(heard, 3))


def _createStreamResult(heard: Heard[ReadMessage]) -> Iterator[Violation]:
    """Null, and a stream ID: FFmpeg looks at these bytes, and at no others."""
    if not _answers(heard, "createStream"):
        return
    values = heard.values
    third, fourth = values.at(2), values.at(3)
    if third is not None and third.marker != NULL:
        words = (
            f"the third value of createStream's answer is {named(third.marker)}, not null: FFmpeg finds no stream ID"
        )
        yield heard.violation("createstream-undefined", words, _place(heard, 2))
    if fourth is not None and fourth.marker == AMF3 and heard.notes.wantsAMF3:
        return
    if fourth is None or fourth.marker != NUMBER:
        found = "not there" if fourth is None else named(fourth.marker)
        words = f"the stream ID in createStream's answer is {found}, and is to be a number"
        yield heard.violation("createstream-id-not-number", words, _place(heard, 3))
        return
    id = values.get(3)
    assert isinstance(id, float)
    if not math.isfinite(id) or id < 1 or id != int(id):
        words = f"the stream ID in createStream's answer is {id:g}, and is to be 1 or more"
        yield heard.violation("createstream-id-not-number", words, _place(heard, 3))
    elif id != 1 and not heard.talk.streamIds:
        words = f"the first stream ID is {id:g}: some clients take nothing but 1"
        yield heard.violation("createstream-id-not-1", words, _place(heard, 3))


def _publishResult(heard: Heard[ReadMessage]) -> Iterator[Violation]:
    """publish and play are answered by statuses."""
    name = next((name for name in ("publish", "play") if _answers(heard, name)), None)
    if name is None or not heard.values.transactionId:
        return
    place = _place(heard, 0)
    yield heard.violation("result-to-publish", f"{name} is answered by _result", place)
    if not heard.talk.started:
        words = f"{name} is answered by _result, and no onStatus says that it has started: FFmpeg waits for that"
        heard.notes.onlyResult = heard.violation("publish-only-result", words, place)


def _answers(heard: Heard[ReadMessage], name: str) -> bool:
    """Whether it is the C{_result} that such a call waits for."""
    call = heard.talk.asked(heard.values.transactionId) if heard.values.name == "_result" else None
    return call is not None and call.name == name and call.answered is None


def _place(heard: Heard[ReadMessage], index: int) -> int:
    """Of a value, or where it is missing."""
    placed = heard.values.at(index)
    return heard.entry.place(len(heard.entry.message.payload) if placed is None else placed.start)


ANSWER_RULES = (
    Rule(
        ("transaction-id-not-number", "connect-transaction-id", "createstream-transaction-id", "answers-transaction-0"),
        Side.SERVER,
        tuple(COMMANDS),
        _transactionId,
    ),
    Rule(("connect-without-code",), Side.SERVER, tuple(COMMANDS), _connectResult),
    Rule(
        ("createstream-undefined", "createstream-id-not-number", "createstream-id-not-1"),
        Side.SERVER,
        tuple(COMMANDS),
        _createStreamResult,
    ),
    Rule(("result-to-publish",), Side.SERVER, tuple(COMMANDS), _publishResult),
)
