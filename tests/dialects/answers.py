"""
Messages of a server, as a reader has them, for tests of those who judge them.
"""

from __future__ import annotations

from rtmptw.dialects.answer import Answer
from rtmptw.dialects.judge import judge
from rtmptw.dialects.judgement import Awaited, Expectation, Judgement
from rtmptw.dialects.requirements import Requirements
from rtmptw.trace.entry import Chunk, ReadMessage
from rtmptw.trace.segment import Side
from rtmptw.trace.values import readValues
from rtmptw.wire import amf0
from rtmptw.wire.amf import UNDEFINED, AMFValue, ECMAArray
from rtmptw.wire.message import Message, MessageType

__all__ = ["BODY", "TX", "answerTo", "asked", "command", "heard", "judged", "placeOf"]

#: Where the body of each message begins, in the stream of the server.
BODY = 4000

#: The transaction IDs of what is waited for here.
TX = {Expectation.CONNECT: 1.0, Expectation.CREATE_STREAM: 4.0, Expectation.PUBLISH: 5.0, Expectation.PLAY: 5.0}


def heard(type: int, payload: bytes, streamId: int = 0) -> ReadMessage:
    """A message."""
    message = Message(type, 0, streamId, payload)
    chunk = Chunk(BODY - 12, 0, 3, bytes(12), len(payload))
    return ReadMessage(Side.SERVER, 1.0, BODY - 12, message, (chunk,), 4096)


def command(*values: AMFValue, type: int = MessageType.COMMAND, streamId: int = 0, behind: bytes = b"") -> ReadMessage:
    """
    A command.

    @param behind: bytes behind its values.
    """
    payload = amf0.encode(*values) + behind
    return heard(type, b"\0" + payload if type == MessageType.COMMAND_AMF3 else payload, streamId)


def asked(expectation: Expectation, transactionId: float | None = None) -> Awaited:
    """What is waited for by a client that numbers its calls from 1 on, and uses message stream 1."""
    known = {Expectation.CONNECT: {1.0}, Expectation.CREATE_STREAM: {1.0, 2.0, 3.0, 4.0}}
    id = TX[expectation] if transactionId is None else transactionId
    streamId = 1 if expectation in (Expectation.PUBLISH, Expectation.PLAY) else 0
    return Awaited(expectation, id, streamId, frozenset(known.get(expectation, {1.0, 2.0, 3.0, 4.0, 5.0}) | {id}))


def answerTo(requirements: Requirements, expectation: Expectation, entry: ReadMessage) -> Answer:
    """The command of a message, towards one client."""
    return Answer(requirements, asked(expectation), entry, readValues(entry.message))


def judged(
    requirements: Requirements, expectation: Expectation, entry: ReadMessage, transactionId: float | None = None
) -> tuple[str, str, int | None] | None:
    """In short: verdict, cause, and the byte that is to blame."""
    judgement: Judgement | None = judge(requirements, asked(expectation, transactionId), entry)
    if judgement is None:
        return None
    violation = judgement.violation
    verdict = judgement.verdict.name.lower() + ("" if judgement.isAnswer else "*")
    return (verdict, "", None) if violation is None else (verdict, violation.cause.name, violation.offset)


def placeOf(entry: ReadMessage, index: int) -> int:
    """Where a value stands, in the stream of the server; the end of the last if there are not so many."""
    placed = readValues(entry.message).placed
    return BODY + (placed[index].start if index < len(placed) else placed[-1].stop)


#: What may stand in an answer.
INFORMATION: dict[str, AMFValue] = {"level": "status", "code": "NetStream.Publish.Start", "description": "d"}
PLAY: dict[str, AMFValue] = {"level": "status", "code": "NetStream.Play.Start", "description": "d"}
CONNECTED: dict[str, AMFValue] = {"level": "status", "code": "NetConnection.Connect.Success"}
ARRAY = ECMAArray(INFORMATION)
NOTHING = UNDEFINED
