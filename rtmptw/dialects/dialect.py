# -*- test-case-name: tests.dialects.test_dialect -*-
"""
A dialect: how one real client speaks, as data (wire facts 3.1 and 3.3).

All clients say the same few things. They differ in the order, in the transaction IDs, in the chunk streams, in what
they announce and when, and in how they take a URL apart: that is what a L{Dialect} holds, and L{rtmptw.dialects.visit}
is the one who speaks it.

::

    shake hands      digest, version, c2, c2BehindS1
    connect          prelude, connect with properties and connectArguments, besideConnect
    its answer       window, behindConnect, calls: with createStream among them
    its answer       behindCreateStream, request, bufferMilliseconds, behindRequest
    its answer       chunkSizeBehindStart, metadata, headers, media
    the end          ending
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum

from rtmptw.dialects.requirements import Requirements
from rtmptw.url import RTMPURL
from rtmptw.wire.amf import AMFValue
from rtmptw.wire.command import Command
from rtmptw.wire.message import Message, MessageType

__all__ = ["C2", "Dialect", "Given", "Line", "Window", "connectMessage", "splitAtLast", "splitAtSecond"]


class Given(StrEnum):
    """What stands for a text or a number that is known only when the command is sent."""

    NAME = "the stream's name"
    STREAM_ID = "the message stream that createStream gave"
    APP = "the application"
    TC_URL = "the URL of the application"


class C2(Enum):
    """
    What is in C2 (wire facts 1.3).

    @cvar ECHO: S1.
    @cvar TIMED: S1, with the client's own time in bytes 4 to 7.
    @cvar SIGNED: if S1 has a digest, random bytes, signed with it; else S1.
    """

    ECHO = "echo"
    TIMED = "timed"
    SIGNED = "signed"


class Window(Enum):
    """
    The Window Acknowledgement Size that follows connect's answer; 2500000 if the server has not said what it copies.

    @cvar NONE: there is none.
    @cvar BANDWIDTH: what the server's Set Peer Bandwidth has said.
    @cvar SERVERS: what the server's own Window Acknowledgement Size has said.
    @cvar DEFAULT: 2500000, if that is not what was announced last.
    """

    NONE = "none"
    BANDWIDTH = "bandwidth"
    SERVERS = "the server's"
    DEFAULT = "default"


@dataclass(frozen=True)
class Line:
    """
    One command.

    @ivar name: such as C{"createStream"}.
    @ivar arguments: what follows the null.
    @ivar transactionId: fixed, or L{None} for the client's next one.
    @ivar chunkStreamId: what it is sent on.
    @ivar onStream: whether it goes to the message stream, or to the NetConnection.
    """

    name: str
    arguments: tuple[AMFValue | Given, ...] = ()
    transactionId: float | None = None
    chunkStreamId: int = 3
    onStream: bool = False

    def message(self, transactionId: float, given: Mapping[Given, AMFValue], amf3: bool = False) -> Message:
        """
        Write it.

        @param given: what is known now.
        @param amf3: whether it goes out as an AMF3 command (type 17), as Flash's do.
        """
        arguments = tuple(given[each] if isinstance(each, Given) else each for each in self.arguments)
        streamId = given[Given.STREAM_ID] if self.onStream else 0
        assert isinstance(streamId, int)
        message = Command(self.name, transactionId, None, arguments).encode(streamId, self.chunkStreamId)
        return _inAMF3(message) if amf3 else message


def _inAMF3(message: Message) -> Message:
    """The same as type 17: a 0, and then AMF0 values (wire facts 4)."""
    return Message(
        MessageType.COMMAND_AMF3, message.timestamp, message.streamId, b"\0" + message.payload, message.chunkStreamId
    )


@dataclass(frozen=True)
class Dialect:
    """
    How one client speaks.

    @ivar name: what it is called at the command line.
    @ivar program: which programs these are, for people.
    @ivar publishes: whether it publishes; else it plays.
    @ivar requirements: what it needs.
    @ivar properties: of connect's object, in their order.
    @ivar request: publish or play.
    @ivar calls: the commands behind connect's answer; with createStream among them.
    @ivar digest: whether C1 has a digest.
    @ivar version: bytes 4 to 7 of a C1 with a digest; without they are zero.
    @ivar c2: what is in C2.
    @ivar c2BehindS1: whether it sends C2 before it has S2.
    @ivar prelude: what it sends in front of connect.
    @ivar connectArguments: behind connect's object.
    @ivar besideConnect: what it sends behind connect before that is answered.
    @ivar amf3: whether its commands behind connect are of type 17.
    @ivar mirrorsChunkSize: whether it announces the server's chunk size as its own.
    @ivar mirrorsBandwidth: whether it answers Set Peer Bandwidth with that window, if it has not announced it already.
    @ivar window: the Window Acknowledgement Size behind connect's answer.
    @ivar behindConnect: control messages behind that.
    @ivar streamId: the message stream that it uses, if it does not look at createStream's answer.
    @ivar behindCreateStream: what it sends in front of the request.
    @ivar bufferMilliseconds: of the Set Buffer Length behind play, ms; 0 if it sends none.
    @ivar behindRequest: control messages behind the request.
    @ivar answersBandwidthDone: whether it answers onBWDone with _checkbw.
    @ivar answersPings: whether it answers them before it publishes.
    @ivar chunkStreams: by message type, the chunk streams of its media.
    @ivar dataFramePrefix: whether its metadata has C{@setDataFrame} in front.
    @ivar soundFirst: whether the sequence header of the sound comes in front of that of the picture.
    @ivar chunkSizeBehindStart: the chunk size that it announces behind Publish.Start, bytes; 0 if none.
    @ivar ending: the commands with which it leaves.
    @ivar split: takes a URL apart: application and name.
    """

    name: str
    program: str
    publishes: bool
    requirements: Requirements
    properties: Mapping[str, AMFValue | Given]
    request: Line
    calls: tuple[Line, ...]
    digest: bool = False
    version: bytes = bytes.fromhex("09007c02")
    c2: C2 = C2.ECHO
    c2BehindS1: bool = False
    prelude: tuple[Message, ...] = ()
    connectArguments: tuple[AMFValue, ...] = ()
    besideConnect: tuple[Message, ...] = ()
    amf3: bool = False
    mirrorsChunkSize: bool = False
    mirrorsBandwidth: bool = False
    window: Window = Window.NONE
    behindConnect: tuple[Message, ...] = ()
    streamId: int = 0
    behindCreateStream: tuple[Line | Message, ...] = ()
    bufferMilliseconds: int = 0
    behindRequest: tuple[Message, ...] = ()
    answersBandwidthDone: bool = False
    answersPings: bool = True
    chunkStreams: Mapping[int, int] = field(default_factory=lambda: dict.fromkeys((8, 9, 18), 4))
    dataFramePrefix: bool = True
    soundFirst: bool = False
    chunkSizeBehindStart: int = 0
    ending: tuple[Line, ...] = ()
    split: Callable[[RTMPURL], tuple[str, str]] = lambda url: (url.app, url.name)

    def atDefaultChunkSize(self) -> Dialect:
        """The same, but its chunks stay as they are in the beginning, at 128 bytes."""
        return replace(
            self,
            prelude=tuple(message for message in self.prelude if not _isChunkSize(message)),
            behindCreateStream=tuple(each for each in self.behindCreateStream if not _isChunkSize(each)),
            mirrorsChunkSize=False,
            chunkSizeBehindStart=0,
        )


def _isChunkSize(said: Line | Message) -> bool:
    return isinstance(said, Message) and said.type == MessageType.SET_CHUNK_SIZE


def connectMessage(dialect: Dialect, app: str, tcUrl: str) -> Message:
    """
    The connect of a dialect. Its transaction ID is 1 with every one of them; and it is always AMF0, since what comes
    behind it depends on its answer.
    """
    given: dict[Given, AMFValue] = {Given.APP: app, Given.TC_URL: tcUrl}
    information: AMFValue = {
        name: given[value] if isinstance(value, Given) else value for name, value in dialect.properties.items()
    }
    return Command("connect", 1.0, information, dialect.connectArguments).encode()


def _path(url: RTMPURL) -> str:
    return f"{url.app}/{url.name}" if url.name else url.app


def splitAtLast(url: RTMPURL) -> tuple[str, str]:
    """librtmp and GStreamer: the name is what follows the last slash, be it one of a query's (wire facts 8)."""
    app, _, name = _path(url).rpartition("/")
    return (app, name) if app else (name, "")


def splitAtSecond(url: RTMPURL) -> tuple[str, str]:
    """gortmplib: the application has at most two parts, if there are three or more."""
    parts = _path(url).split("/")
    count = 2 if len(parts) > 2 else 1
    return "/".join(parts[:count]), "/".join(parts[count:])
