# -*- test-case-name: tests.session.test_status -*-
"""
What a server says about a request: C{onStatus} and its codes (RTMP 1.0, sections 7.2.1 and 7.2.2; wire facts 3.4-3.6).

The information object is an AMF0 object, never an ECMA array, and what stands before it is null, never undefined:
FFmpeg, librtmp and OBS wait for ever at anything else (wire facts 3.6, 9). The transaction ID is 0.
"""

from __future__ import annotations

from rtmptw.wire.amf import AMFValue
from rtmptw.wire.command import Command
from rtmptw.wire.message import Message

__all__ = [
    "APP_SHUTDOWN",
    "BAD_NAME",
    "CALL_FAILED",
    "CLOSED",
    "CONNECT_REJECTED",
    "CONNECT_SUCCESS",
    "ERRORS",
    "FAILED",
    "IDLE_TIME_OUT",
    "PAUSE_NOTIFY",
    "PLAY_FAILED",
    "PLAY_RESET",
    "PLAY_START",
    "PUBLISH_DENIED",
    "PUBLISH_START",
    "REFUSALS",
    "SEEK_NOTIFY",
    "STATUS_CHUNK_STREAM",
    "UNPAUSE_NOTIFY",
    "UNPUBLISH_NOTIFY",
    "callError",
    "information",
    "onStatus",
]

CONNECT_SUCCESS = "NetConnection.Connect.Success"
CONNECT_REJECTED = "NetConnection.Connect.Rejected"
CALL_FAILED = "NetConnection.Call.Failed"
CLOSED = "NetConnection.Connect.Closed"
IDLE_TIME_OUT = "NetConnection.Connect.IdleTimeOut"
APP_SHUTDOWN = "NetConnection.Connect.AppShutdown"
PUBLISH_START = "NetStream.Publish.Start"
PUBLISH_DENIED = "NetStream.Publish.Denied"
BAD_NAME = "NetStream.Publish.BadName"
PLAY_START = "NetStream.Play.Start"
PLAY_RESET = "NetStream.Play.Reset"
PLAY_FAILED = "NetStream.Play.Failed"
UNPUBLISH_NOTIFY = "NetStream.Play.UnpublishNotify"
PAUSE_NOTIFY = "NetStream.Pause.Notify"
UNPAUSE_NOTIFY = "NetStream.Unpause.Notify"
SEEK_NOTIFY = "NetStream.Seek.Notify"
FAILED = "NetStream.Failed"

#: The code of a refusal that names none, by command: codes at which OBS and librtmp stop at once (wire facts 3.2).
REFUSALS = {"connect": CONNECT_REJECTED, "publish": PUBLISH_DENIED, "play": PLAY_FAILED}

#: Codes that are refusals whatever level they come with; librtmp and OBS take them so (wire facts 3.2).
ERRORS = frozenset(
    {
        "NetConnection.Connect.InvalidApp",
        "NetStream.Failed",
        "NetStream.Play.Failed",
        "NetStream.Play.StreamNotFound",
        "NetStream.Publish.BadName",
        "NetStream.Publish.Denied",
        "NetStream.Publish.Rejected",
    }
)

#: Where statuses of message streams go (wire facts 3.5); no client cares, and media have others.
STATUS_CHUNK_STREAM = 5


def information(code: str, description: str, level: str = "status") -> dict[str, AMFValue]:
    """
    An information object.

    @param level: "status", "warning" or "error".
    """
    return {"level": level, "code": code, "description": description}


def callError(transactionId: float, code: str, description: str) -> Message:
    """An C{_error}: the refusal of a call."""
    return Command("_error", transactionId, None, (information(code, description, "error"),)).encode()


def onStatus(streamId: int, code: str, description: str, level: str = "status") -> Message:
    """
    A status on a message stream. rtmp2 takes it only on the stream that it is about (wire facts 3.2).
    """
    command = Command("onStatus", 0.0, None, (information(code, description, level),))
    return command.encode(streamId, STATUS_CHUNK_STREAM)
