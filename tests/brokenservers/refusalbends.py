# -*- test-case-name: tests.brokenservers.test_refusalbends -*-
"""
Mistakes in saying no: to whom, for what, and how (wire facts 3.5 and 3.6).
"""

from __future__ import annotations

from rtmptw.wire.amf import AMFValue
from rtmptw.wire.command import Command
from rtmptw.wire.message import Message, MessageType
from tests.brokenservers.bend import Bend, Scene
from tests.brokenservers.plain import PlainServer

__all__ = [
    "REFUSAL_BENDS",
    "ClosesOnExtraArgument",
    "ClosesOnJunkData",
    "ClosesOnUnknownType",
    "ErrorStatusUnknownCode",
    "ErrorWithoutClose",
    "NameStaysTaken",
    "RefusalWithoutStatus",
]


class ErrorWithoutClose(PlainServer):
    """A publisher that is refused is told so, and the connection stays open."""

    def refuse(self, code: str, description: str) -> None:
        self.streamId = max(self._lastStreamId, 1)
        self.send(self.status(code, description, "error"))


class RefusalWithoutStatus(PlainServer):
    """A publisher that is refused is told nothing."""

    def refuse(self, code: str, description: str) -> None:
        self.close()


class ErrorStatusUnknownCode(PlainServer):
    """It is told so with a code that nobody knows."""

    def refuse(self, code: str, description: str) -> None:
        super().refuse("Application.Stream.NotNow", description)


class ClosesOnUnknownType(PlainServer):
    """A message of a type that RTMP 1.0 does not know ends the connection."""

    def messageReceived(self, message: Message) -> None:
        if message.type not in set(MessageType):
            self.close()
        super().messageReceived(message)


class ClosesOnExtraArgument(PlainServer):
    """So does a connect with more than its object, without it, or with a value in it that is no plain one."""

    def command_connect(self, command: Command) -> None:
        values: list[AMFValue] = list(command.commandObject.values()) if isinstance(command.commandObject, dict) else []
        if command.arguments or not values or not all(isinstance(each, (bool, float, str)) for each in values):
            self.close()
            return
        super().command_connect(command)


class ClosesOnJunkData(PlainServer):
    """A data message that does not begin with a name ends the connection."""

    def mediaReceived(self, message: Message) -> None:
        if message.type == MessageType.DATA and message.payload[:1] != b"\x02":
            self.close()
            return
        super().mediaReceived(message)


class NameStaysTaken(PlainServer):
    """The name of a publisher that has gone is never free again."""

    def endPublish(self) -> None:
        stream = self.published
        super().endPublish()
        if stream is not None:
            stream.publisher = self


_FFMPEGS = ("ffmpeg5", "ffmpeg9")
_ALL = (*_FFMPEGS, "rtmp2sink", "rtmpsink")

REFUSAL_BENDS: dict[str, Bend] = {
    "error-without-close": Bend(
        "error-without-close",
        ErrorWithoutClose,
        (13,),
        "stalls",
        ("rtmpsink",),
        symptom="HandleInvoke, onStatus: NetStream.Publish.BadName",
        scene=Scene.BUSY,
    ),
    "refusal-without-status": Bend(
        "refusal-without-status",
        RefusalWithoutStatus,
        (13,),
        "fails",
        (*_FFMPEGS, "rtmp2sink"),
        symptom="Input/output error",
        scene=Scene.BUSY,
    ),
    "error-status-unknown-code": Bend(
        "error-status-unknown-code",
        ErrorStatusUnknownCode,
        (13,),
        "fails",
        unproven="FFmpeg and rtmp2sink were run and tell the description of any error; librtmp only looks at codes that"
        " it knows (librtmp/rtmp.c, HandleInvoke), and ends when the connection does",
        scene=Scene.BUSY,
    ),
    "closes-on-unknown-type": Bend(
        "closes-on-unknown-type",
        ClosesOnUnknownType,
        (18,),
        "fails",
        unproven="no client here sends a type that RTMP 1.0 does not know; gortmplib, as a server, does this"
        " (gortmplib, pkg/message/reader.go)",
    ),
    "closes-on-extra-argument": Bend(
        "closes-on-extra-argument",
        ClosesOnExtraArgument,
        (18,),
        "fails",
        _FFMPEGS,
        symptom="Input/output error",
        options=("-rtmp_conn", "S:authMe"),
    ),
    "closes-on-junk-data": Bend(
        "closes-on-junk-data",
        ClosesOnJunkData,
        (18,),
        "loses",
        _FFMPEGS,
        symptom="Broken pipe",
        options=("-map", "0"),
        media="timecode",
    ),
    "name-stays-taken": Bend(
        "name-stays-taken",
        NameStaysTaken,
        (20,),
        "fails",
        _ALL,
        symptom="Server error: The name is in use.",
        scene=Scene.TWICE,
    ),
}
