# -*- test-case-name: tests.trace.test_publisherrules -*-
"""
Rules for what the server writes while the client publishes: nothing (wire facts 0.2, 2.8).

"While" is by the server's own order: from its NetStream.Publish.Start to its NetStream.Unpublish.Success.
"""

from __future__ import annotations

from collections.abc import Iterator

from rtmptw.trace.entry import ReadMessage, Violation
from rtmptw.trace.notes import statusCode
from rtmptw.trace.rule import Heard, Rule, plain
from rtmptw.trace.segment import Side
from rtmptw.trace.talk import Role
from rtmptw.trace.values import COMMANDS
from rtmptw.wire.control import UserControl, UserControlType
from rtmptw.wire.message import MessageType

__all__ = ["PUBLISHER_RULES"]

#: A ping is well when media has not come for so long, seconds. nginx-rtmp waits for 60.
_SILENCE = 5.0

#: What answers what the client has asked, or ends the publish.
_ANSWERS = frozenset(("_result", "_error"))
_LAST_WORDS = frozenset(("onFCUnpublish", "FCUnpublish", "deleteStream", "closeStream", "close"))
_LAST_CODES = frozenset(("NetStream.Unpublish.Success", "NetConnection.Connect.ReconnectRequest"))
_ASKED_EVENTS = frozenset((UserControlType.PING_RESPONSE, UserControlType.STREAM_EOF))

_NAMES = {
    MessageType.SET_CHUNK_SIZE: "Set Chunk Size",
    MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE: "Window Acknowledgement Size",
    MessageType.SET_PEER_BANDWIDTH: "Set Peer Bandwidth",
    MessageType.AUDIO: "audio",
    MessageType.VIDEO: "video",
    MessageType.AGGREGATE: "media",
    MessageType.DATA: "data",
    MessageType.DATA_AMF3: "data",
}


def _acknowledgement(heard: Heard[ReadMessage]) -> Iterator[Violation]:
    """Only for who has announced a window."""
    if _publishes(heard) and not heard.talk.asksForAcknowledgements[Side.CLIENT]:
        words = "the server acknowledges, and the client has not sent Window Acknowledgement Size"
        yield heard.violation("unasked-acks", words, heard.entry.place(0))


def _control(heard: Heard[ReadMessage]) -> Iterator[Violation]:
    """No ping while media comes, nor anything else that was not asked for."""
    control = UserControl.decode(heard.entry.message.payload)
    event = -1 if control is None else control.event
    if not _publishes(heard) or event in _ASKED_EVENTS:
        return
    if event == UserControlType.STREAM_BEGIN and heard.talk.media[Side.CLIENT] == heard.notes.mediaAtStart:
        # It belongs to Publish.Start, on whichever side of it (FFmpeg and librtmp read it with their first media).
        return
    if event == UserControlType.PING_REQUEST:
        if _mediaFlows(heard):
            yield _written(heard, "a ping, while media comes")
    else:
        yield _written(heard, f"user control {event}")


def _command(heard: Heard[ReadMessage]) -> Iterator[Violation]:
    """No status, but the last one."""
    values = heard.values
    if not _publishes(heard) or values.name in _LAST_WORDS:
        return
    if values.name in _ANSWERS and heard.talk.asked(values.transactionId) is not None:
        return
    level, code = statusCode(values)
    if values.name == "onStatus" and (level == "error" or code in _LAST_CODES):
        return
    what = plain(values.name, "a command")
    yield _written(heard, f"{what} {plain(code, '')}".strip())


def _other(heard: Heard[ReadMessage]) -> Iterator[Violation]:
    if _publishes(heard):
        yield _written(heard, _NAMES[MessageType(heard.entry.message.type)])


def _publishes(heard: Heard[ReadMessage]) -> bool:
    """Whether the client publishes, and does nothing else."""
    notes = heard.notes
    return heard.talk.role is Role.PUBLISHER and notes.mediaAtStart is not None and not notes.plays


def _mediaFlows(heard: Heard[ReadMessage]) -> bool:
    """Whether the client's media comes. A trace without times does not show it."""
    start, at = heard.notes.mediaAtStart, heard.entry.at
    return start is not None and heard.talk.media[Side.CLIENT] > start and 0 < at < heard.notes.mediaAt + _SILENCE


def _written(heard: Heard[ReadMessage], what: str) -> Violation:
    words = (
        f"behind Publish.Start the server sends {what}: what the client has not read at its end costs its last media"
    )
    return heard.violation("writes-to-publisher", words, heard.entry.place(0))


PUBLISHER_RULES = (
    Rule(("unasked-acks",), Side.SERVER, (MessageType.ACKNOWLEDGEMENT,), _acknowledgement, once=True),
    Rule(("writes-to-publisher",), Side.SERVER, (MessageType.USER_CONTROL,), _control, once=True),
    Rule(("writes-to-publisher",), Side.SERVER, tuple(COMMANDS), _command, once=True),
    Rule(("writes-to-publisher",), Side.SERVER, tuple(_NAMES), _other, once=True),
)
