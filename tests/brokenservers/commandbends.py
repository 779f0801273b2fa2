# -*- test-case-name: tests.brokenservers.test_commandbends -*-
"""
Mistakes in the commands on the way to a stream (RTMP 1.0, section 7.2; wire facts 3).
"""

from __future__ import annotations

from rtmptw.wire import amf0
from rtmptw.wire.amf import UNDEFINED, ECMAArray
from rtmptw.wire.command import Command
from rtmptw.wire.control import UserControl, UserControlType
from rtmptw.wire.message import Message, MessageType
from tests.brokenservers.bend import Bend
from tests.brokenservers.plain import PlainServer

__all__ = ["COMMAND_BENDS"]


class ConnectAnswersZero(PlainServer):
    """The yes to connect has transaction ID 0."""

    def connectResult(self, transactionId: float) -> Message:
        return super().connectResult(0.0)


class ConnectAnswersOther(PlainServer):
    """It has that of a call which has not been made yet."""

    def connectResult(self, transactionId: float) -> Message:
        return super().connectResult(transactionId + 3.0)


class ConnectAnswersString(PlainServer):
    """It has the right one, written as a string."""

    def connectResult(self, transactionId: float) -> Message:
        message = super().connectResult(transactionId)
        name, _number, *rest = amf0.decode(message.payload)
        payload = amf0.encode(name, f"{transactionId:g}", *rest)
        return Message(message.type, 0, 0, payload, message.chunkStreamId)


class ReplyAsAMF3(PlainServer):
    """All commands are sent as messages of type 17."""

    def encode(self, message: Message) -> bytes:
        if message.type == MessageType.COMMAND:
            payload = b"\0" + message.payload
            message = Message(MessageType.COMMAND_AMF3, 0, message.streamId, payload, message.chunkStreamId)
        return super().encode(message)


class CreateStreamAnswersOther(PlainServer):
    """The answer to createStream has another transaction ID."""

    def createStreamResult(self, command: Command, streamId: int) -> list[Message]:
        return [Command("_result", command.transactionId + 1.0, None, (float(streamId),)).encode()]


class CreateStreamUndefined(PlainServer):
    """It has undefined where null should be, and what comes on message stream 0 in consequence is thrown away."""

    def createStreamResult(self, command: Command, streamId: int) -> list[Message]:
        return [Command("_result", command.transactionId, UNDEFINED, (float(streamId),)).encode()]

    def mediaReceived(self, message: Message) -> None:
        if message.streamId:
            super().mediaReceived(message)


class CreateStreamIdNotNumber(PlainServer):
    """The message stream ID is a string."""

    def createStreamResult(self, command: Command, streamId: int) -> list[Message]:
        return [Command("_result", command.transactionId, None, (str(streamId),)).encode()]


class CreateStreamIdNotOne(PlainServer):
    """The first message stream is not 1, and what comes on another one is thrown away."""

    FIRST = 5

    def createStreamResult(self, command: Command, streamId: int) -> list[Message]:
        self._lastStreamId = streamId + self.FIRST - 1
        return super().createStreamResult(command, self._lastStreamId)

    def mediaReceived(self, message: Message) -> None:
        if message.streamId == self.streamId:
            super().mediaReceived(message)


class OnStatusECMA(PlainServer):
    """The information of an onStatus is an ECMA array."""

    def status(self, code: str, description: str, level: str = "status") -> Message:
        information = ECMAArray(self.information(code, description, level))
        return Command("onStatus", 0.0, None, (information,)).encode(self.streamId, 5)


class OnStatusUndefined(PlainServer):
    """An onStatus has undefined where null should be."""

    def status(self, code: str, description: str, level: str = "status") -> Message:
        information = self.information(code, description, level)
        return Command("onStatus", 0.0, UNDEFINED, (information,)).encode(self.streamId, 5)


class PublishOnlyResult(PlainServer):
    """publish is answered as other calls are."""

    def publishReplies(self, command: Command) -> list[Message]:
        return self.otherResult(command)


class OnStatusOnStreamZero(PlainServer):
    """An onStatus comes on message stream 0."""

    def status(self, code: str, description: str, level: str = "status") -> Message:
        message = super().status(code, description, level)
        return Message(message.type, 0, 0, message.payload, message.chunkStreamId)


class WaitsForFCPublish(PlainServer):
    """createStream is not answered before FCPublish has come."""

    _asked: Command | None = None

    def commandReceived(self, command: Command, streamId: int) -> None:
        hasFCPublish = any(each.name == "FCPublish" for each in self.heard)
        if command.name == "createStream" and not hasFCPublish:
            self._asked = command
            return
        super().commandReceived(command, streamId)
        asked, self._asked = self._asked, None if hasFCPublish else self._asked
        if hasFCPublish and asked is not None:
            super().commandReceived(asked, 0)


class WaitsForCreateStreamFirst(PlainServer):
    """A createStream that comes behind releaseStream or FCPublish is never answered."""

    def command_createStream(self, command: Command) -> None:
        if not any(each.name in ("releaseStream", "FCPublish") for each in self.heard):
            super().command_createStream(command)


class _Waiting(PlainServer):
    """Nothing is answered before the client has said a certain word."""

    _isHeld = False

    def __init__(self) -> None:
        super().__init__()
        self._held: list[Message] = []

    def request(self) -> Message:
        """What the client should answer."""
        raise NotImplementedError

    def command_connect(self, command: Command) -> None:
        super().command_connect(command)
        super().send(self.request())
        self._isHeld = True

    def send(self, *messages: Message) -> None:
        if self._isHeld:
            self._held += messages
        else:
            super().send(*messages)

    def release(self) -> None:
        """The word has come."""
        self._isHeld = False
        held, self._held = self._held, []
        self.send(*held)


class WaitsForCheckBW(_Waiting):
    """onBWDone is sent, and nothing is answered before a _checkbw."""

    def request(self) -> Message:
        return Command("onBWDone", 0.0, None, (8192.0,)).encode()

    def command__checkbw(self, command: Command) -> None:
        self.release()
        self.send(*self.otherResult(command))


class WaitsForPong(_Waiting):
    """A ping is sent, and nothing is answered before the pong."""

    def request(self) -> Message:
        return UserControl(UserControlType.PING_REQUEST, 1234).encode()

    def controlReceived(self, control: UserControl) -> None:
        if control.event == UserControlType.PING_RESPONSE:
            self.release()
        super().controlReceived(control)


class AnswersTransactionZero(PlainServer):
    """What asks for no answer gets one."""

    def commandReceived(self, command: Command, streamId: int) -> None:
        super().commandReceived(command, streamId)
        if not command.transactionId and self.published is None and self.played is None:
            self.send(*self.otherResult(command))


class ShortCommand(PlainServer):
    """onFCPublish comes as a name and nothing else."""

    def publishReplies(self, command: Command) -> list[Message]:
        return [Message(MessageType.COMMAND, 0, 0, amf0.encode("onFCPublish"), 3), *super().publishReplies(command)]


_FFMPEGS = ("ffmpeg5", "ffmpeg9")
_ALL = (*_FFMPEGS, "rtmp2sink", "rtmpsink")
_RELAY = "nginx-relay"
_AT_CONNECT, _AT_CREATE, _AT_PUBLISH = ("connect",), ("createStream",), ("publish",)
_PLAYERS = ("ffmpeg5-play", "ffmpeg9-play", "rtmpdump", "rtmp2src")

COMMAND_BENDS: dict[str, Bend] = {
    "connect-transaction-id": Bend(
        "connect-transaction-id",
        ConnectAnswersZero,
        (1,),
        "stalls",
        (*_ALL, _RELAY),
        stuck=_AT_CONNECT,
        symptom="New incoming chunk size = 4096",
    ),
    "connect-transaction-id:other": Bend(
        "connect-transaction-id",
        ConnectAnswersOther,
        (1,),
        "stalls",
        _ALL,
        stuck=_AT_CONNECT,
        symptom="New incoming chunk size = 4096",
    ),
    "connect-transaction-id:string": Bend(
        "connect-transaction-id",
        ConnectAnswersString,
        (1,),
        "stalls",
        _ALL,
        otherwise=dict.fromkeys(_FFMPEGS, "fails"),
        symptom="Invalid data found when processing input",
        stuck=_AT_CONNECT,
        # The number is the right one; it is none.
        shown="transaction-id-not-number",
    ),
    "reply-as-amf3": Bend(
        "reply-as-amf3",
        ReplyAsAMF3,
        (7,),
        "stalls",
        (*_FFMPEGS, "rtmp2sink"),
        symptom="Unknown packet type received 0x11",
        stuck=_AT_CONNECT,
    ),
    "createstream-transaction-id": Bend(
        "createstream-transaction-id",
        CreateStreamAnswersOther,
        (8,),
        "stalls",
        (*_ALL, _RELAY),
        stuck=_AT_CREATE,
        symptom="Creating stream...",
    ),
    "createstream-undefined": Bend(
        "createstream-undefined",
        CreateStreamUndefined,
        (8,),
        "loses",
        _FFMPEGS,
        symptom="Unexpected reply on connect()",
    ),
    "createstream-id-not-number": Bend(
        "createstream-id-not-number",
        CreateStreamIdNotNumber,
        (8,),
        "fails",
        ("rtmp2sink",),
        symptom="Failed to connect: 'createStream' cmd failed: _result: \"1\"",
    ),
    "createstream-id-not-1": Bend("createstream-id-not-1", CreateStreamIdNotOne, (8,), "loses", (_RELAY,)),
    "onstatus-ecma": Bend(
        "onstatus-ecma",
        OnStatusECMA,
        (9,),
        "stalls",
        (*_FFMPEGS, "rtmpsink"),
        stuck=_AT_PUBLISH,
        symptom="Sending publish command for 'test'",
    ),
    "onstatus-undefined": Bend(
        "onstatus-undefined",
        OnStatusUndefined,
        (9,),
        "stalls",
        _FFMPEGS,
        stuck=_AT_PUBLISH,
        symptom="Sending publish command for 'test'",
    ),
    "publish-only-result": Bend(
        "publish-only-result",
        PublishOnlyResult,
        (9,),
        "stalls",
        (*_FFMPEGS, "rtmp2sink"),
        stuck=_AT_PUBLISH,
        symptom="Sending publish command for 'test'",
    ),
    "onstatus-on-stream-0": Bend(
        "onstatus-on-stream-0",
        OnStatusOnStreamZero,
        (9,),
        "stalls",
        ("rtmp2sink",),
        stuck=_AT_PUBLISH,
        symptom='got control message "onStatus" transaction 0 size 100',
    ),
    "waits-for-fcpublish": Bend(
        "waits-for-fcpublish",
        WaitsForFCPublish,
        (10,),
        "stalls",
        (*_PLAYERS, _RELAY),
        stuck=_AT_CREATE,
        symptom="Creating stream...",
    ),
    "waits-for-createstream-first": Bend(
        "waits-for-createstream-first",
        WaitsForCreateStreamFirst,
        (10,),
        "stalls",
        _ALL,
        stuck=_AT_CREATE,
        symptom="Creating stream...",
    ),
    "waits-for-checkbw": Bend(
        "waits-for-checkbw",
        WaitsForCheckBW,
        (11,),
        "stalls",
        ("rtmp2sink", "rtmp2src", _RELAY),
        stuck=_AT_CREATE,
        symptom='got control message "onBWDone" transaction 0 size 30',
    ),
    "waits-for-pong": Bend(
        "waits-for-pong",
        WaitsForPong,
        (11,),
        "stalls",
        unproven="FFmpeg, librtmp, rtmp2sink and nginx's relay were run and answer at once",
    ),
    "answers-transaction-0": Bend(
        "answers-transaction-0",
        AnswersTransactionZero,
        (12,),
        "fails",
        unproven="FFmpeg, librtmp, rtmp2sink and nginx's relay were run and go on; SRS's client leaves"
        " (srs, trunk/src/protocol)",
    ),
    "short-command": Bend(
        "short-command",
        ShortCommand,
        (),
        "fails",
        unproven="FFmpeg, librtmp, rtmp2sink and nginx's relay were run and go on; gortmplib leaves (gortmplib,"
        " pkg/message/reader.go)",
    ),
}
