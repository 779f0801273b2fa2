"""
What clients and servers say: a message for each thing that a session knows, the usual and the odd.
"""

from __future__ import annotations

from rtmptw.session import status
from rtmptw.wire import amf0
from rtmptw.wire.amf import UNDEFINED, ECMAArray
from rtmptw.wire.command import Command
from rtmptw.wire.control import (
    UserControl,
    UserControlType,
    acknowledgement,
    setChunkSize,
    setPeerBandwidth,
    windowAcknowledgementSize,
)
from rtmptw.wire.message import Message, MessageType
from tests.session.dialects import audio, command, connect, data, video

__all__ = ["CLIENT", "MEDIA", "SERVER", "readdressed"]

_NAN = float("nan")
_PART = b"\x08\0\0\x03\0\0\x05\0\0\0\0\xaf\x01a\0\0\0\x0e"

#: Audio, video and data.
MEDIA: tuple[Message, ...] = (
    audio(0, b"\xaf\x00\x12\x10"),
    audio(0, b"\xaf\x01sound"),
    video(0, b"\x17\x00\0\0\0avcC"),
    video(0, b"\x17\x01\0\0\0key"),
    video(0, b"\x27\x01\0\0\0inter"),
    video(0, b"\x17\x00\0\0\0another"),
    video(0, b"\x90hvc1hvcC"),
    video(0, b"\x91hvc1\0\0\0key"),
    video(0, b"\x96\x00hvc1\x01hvcC"),
    video(0, b"\xd4hvc1colour"),
    video(0, b"\x17\x02\0\0\0"),
    video(0, b"\x17\x01\0\0\0" + bytes(40_000)),
    audio(0, b"\x94Opus\0\2"),
    audio(0, b""),
    video(0, b""),
    data("@setDataFrame", "onMetaData", ECMAArray({"width": 320.0})),
    data("@setDataFrame", "onMetaData", {"width": 640.0, "more": [UNDEFINED]}),
    data("@clearDataFrame", "onMetaData"),
    data("onMetaData", {"a": 1.0}),
    data("onTextData", {"text": "x"}),
    data(7.0),
    Message(MessageType.DATA_AMF3, 0, 1, b"\0" + amf0.encode("onCuePoint", None), 4),
    Message(MessageType.AGGREGATE, 0, 1, _PART * 3, 4),
    Message(MessageType.AGGREGATE, 0, 1, _PART + b"\x16" + _PART[1:], 4),
)

_CONTROL: tuple[Message, ...] = (
    setChunkSize(1),
    setChunkSize(128),
    setChunkSize(65536),
    windowAcknowledgementSize(1),
    windowAcknowledgementSize(2500000),
    Message(MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE, 0, 0, bytes(4), 2),
    acknowledgement(0xFFFFFFFF),
    setPeerBandwidth(5000),
    UserControl(UserControlType.PING_REQUEST, 7).encode(),
    UserControl(UserControlType.PING_RESPONSE, 7).encode(),
    UserControl(UserControlType.SET_BUFFER_LENGTH, 1, 0xFFFFFFFF).encode(),
    UserControl(UserControlType.STREAM_EOF, 1).encode(),
    Message(MessageType.USER_CONTROL, 0, 0, b"\0", 2),
    Message(MessageType.SHARED_OBJECT, 0, 0, b"object", 3),
    Message(MessageType.COMMAND, 0, 0, b"", 3),
    Message(0, 0, 0, b"nothing", 3),
)

#: What clients say. Applications of the fuzzer know names that begin with "wait" and "no".
CLIENT: tuple[Message, ...] = (
    connect(),
    command("createStream", 2),
    command("publish", 3, None, "test", "live", id=1),
    command("play", 4, None, "test", -2000, id=1),
    command("publish", 3, None, "wait", "live", id=1),
    command("play", 4, None, "wait", id=1),
    command("publish", 3, None, "no", id=1),
    command("play", 3, None, "no", id=1),
    command("publish", 3, None, "other?key=value", id=1),
    command("play", 4, None, "other", -1, -1, True, id=1),
    command("publish", 0, None, False, id=1),
    command("publish", 0, None, _NAN, id=1),
    command("play", 0, None, None, id=1),
    command("play", 0, None, "..", id=1),
    command("closeStream", 0, id=1),
    command("deleteStream", 5, None, 1),
    command("deleteStream", 5),
    command("deleteStream", 5, None, "test"),
    command("FCUnpublish", 5, None, "test"),
    command("releaseStream", 2, None, "test"),
    command("FCPublish", 2, None, "test"),
    command("pause", 0, None, True, 0, id=1),
    command("pause", 0, None, False, 0, id=1),
    command("pauseRaw", 0, None, True, id=1),
    command("seek", 0, None, 1000, id=1),
    command("receiveAudio", 0, None, False, id=1),
    command("receiveAudio", 0, None, True, id=1),
    command("receiveVideo", 0, None, False, id=1),
    command("receiveVideo", 0, None, True, id=1),
    command("_checkbw", 9),
    command("getStreamLength", 9, None, "test", type=17),
    command("_result", 1, None),
    connect("wait"),
    connect("no"),
    connect("live/test?a=b", objectEncoding=3.0, fourCcList=["hvc1"]),
    command("connect", 1),
    *MEDIA,
    *_CONTROL,
)


def _result(*values: object) -> Message:
    return command("_result", 1, *values)


#: What servers say. The transaction ID of those that have one is put in.
SERVER: tuple[Message, ...] = (
    _result({"fmsVer": "test"}, {"level": "status", "code": status.CONNECT_SUCCESS}),
    _result(None, 1),
    _result(None, 2),
    _result(None, _NAN),
    _result(),
    Command("_error", 1.0, None, ({"level": "error", "code": status.FAILED, "description": "no\x1b"},)).encode(),
    Command("_error", 1.0, None, ("no",)).encode(),
    Command("_error", 1.0, None, ({"ex": {"redirect": "rtmp://elsewhere/live"}},)).encode(),
    status.onStatus(1, status.PUBLISH_START, "go"),
    status.onStatus(1, status.PLAY_START, "go"),
    status.onStatus(0, status.PLAY_START, "go"),
    status.onStatus(1, status.BAD_NAME, "taken", "error"),
    status.onStatus(1, status.UNPUBLISH_NOTIFY, "over"),
    status.onStatus(1, "NetStream.Play.Stop", "over"),
    status.onStatus(0, "NetConnection.Connect.Closed", "over", "error"),
    command("onStatus", 0, None, None),
    command("onStatus", 0, None, "NetStream.Publish.Start", id=1),
    command("onBWDone", 0),
    command("onFCPublish", 0, None, {"code": status.PUBLISH_START}),
    command("close", 0),
    *MEDIA,
    *_CONTROL,
)


def readdressed(message: Message, id: int) -> Message:
    """The same on another message stream."""
    return Message(message.type, message.timestamp, id, message.payload, message.chunkStreamId)
