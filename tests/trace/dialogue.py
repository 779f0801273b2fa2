"""
Two sides that speak as they like, heard by a L{Conversation}: for tests of what is found wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterable

from rtmptw.trace.conversation import Conversation
from rtmptw.trace.entry import Entry, Violation
from rtmptw.trace.segment import Segment, Side
from rtmptw.wire import amf0
from rtmptw.wire.amf import UNDEFINED, AMFValue
from rtmptw.wire.chunkwriter import encodeMessage
from rtmptw.wire.control import UserControl, UserControlType
from rtmptw.wire.message import Message, MessageType

__all__ = ["C1", "SUCCESS", "Dialogue", "command", "control", "media", "status"]

#: A block without version and digest.
C1 = bytes(8) + b"c" * 1528
S1 = bytes(8) + b"s" * 1528

SUCCESS: dict[str, AMFValue] = {"level": "status", "code": "NetConnection.Connect.Success", "objectEncoding": 0.0}


def command(
    *values: AMFValue, streamId: int = 0, type: int = MessageType.COMMAND, chunkStreamId: int = 3, tail: bytes = b""
) -> Message:
    """A command of any values, whether it makes sense or not, and bytes behind them."""
    return Message(type, 0, streamId, amf0.encode(*values) + tail, chunkStreamId)


def status(code: str, level: str = "status", streamId: int = 1) -> Message:
    """A status as it should be."""
    return command("onStatus", 0.0, None, {"level": level, "code": code}, streamId=streamId, chunkStreamId=5)


def media(type: int = MessageType.VIDEO, payload: bytes = b"\x27\x01\0\0\0media", streamId: int = 1) -> Message:
    """A frame."""
    return Message(type, 0, streamId, payload, 6)


def control(type: int, body: bytes) -> Message:
    """A control message."""
    return Message(type, 0, 0, body, 2)


class Dialogue:
    """
    One connection.

    @ivar now: the time, seconds.
    @ivar sent: what each side has sent.
    @ivar found: what was found wrong, in order.
    """

    def __init__(self) -> None:
        self.now = 1.0
        self.sent = dict.fromkeys(Side, b"")
        self.found: list[Violation] = []
        self.conversation = Conversation()

    @property
    def causes(self) -> list[str]:
        """The names of what was found."""
        return [violation.cause.name for violation in self.found]

    def feed(self, side: Side, data: bytes) -> None:
        """Bytes as they are."""
        self.sent[side] += data
        self._hear(self.conversation.feed(Segment(side, self.now, data)))

    def shakeHands(self, c1: bytes = C1, s1: bytes = S1, s2: bytes | None = None) -> None:
        """The handshake, to its end."""
        self.feed(Side.CLIENT, b"\x03" + c1)
        self.feed(Side.SERVER, b"\x03" + s1 + (c1 if s2 is None else s2))
        self.feed(Side.CLIENT, s1)

    def client(self, *messages: Message) -> None:
        """The client speaks."""
        self._speak(Side.CLIENT, messages)

    def server(self, *messages: Message) -> None:
        """The server speaks."""
        self._speak(Side.SERVER, messages)

    def end(self, side: Side, how: str = "FIN") -> None:
        """A side ends."""
        self._hear(self.conversation.finish(side, self.now, how))

    def place(self, found: bytes, side: Side = Side.SERVER) -> int:
        """Where the last of these bytes stand in what a side has sent."""
        return self.sent[side].rindex(found)

    # What goes well

    def connect(self, **parameters: AMFValue) -> None:
        """To the answer to connect."""
        self.shakeHands()
        self.client(command("connect", 1.0, {"app": "live", **parameters}))
        self.server(command("_result", 1.0, {"fmsVer": "FMS/3,0,1,123"}, SUCCESS))

    def createStream(self, **parameters: AMFValue) -> None:
        """To the answer to createStream."""
        self.connect(**parameters)
        self.client(command("releaseStream", 2.0, None, "key"), command("FCPublish", 3.0, None, "key"))
        self.client(command("createStream", 4.0, None))
        self.server(command("_result", 2.0, None, UNDEFINED), command("_result", 4.0, None, 1.0))

    def publish(self) -> None:
        """To Publish.Start, and the first frame."""
        self.createStream()
        self.client(command("publish", 5.0, None, "key", "live", streamId=1))
        begin = UserControl(UserControlType.STREAM_BEGIN, 1).encode()
        self.server(begin, status("NetStream.Publish.Start"))
        self.client(media())

    def play(self, **parameters: AMFValue) -> None:
        """To Play.Start."""
        self.createStream(**parameters)
        self.client(command("play", 0.0, None, "key", -2000.0, streamId=1))
        self.server(UserControl(UserControlType.STREAM_BEGIN, 1).encode())
        self.server(status("NetStream.Play.Reset"), status("NetStream.Play.Start"))

    def _speak(self, side: Side, messages: Iterable[Message]) -> None:
        for message in messages:
            self.feed(side, encodeMessage(message, 128))

    def _hear(self, entries: list[Entry]) -> None:
        self.found += [violation for entry in entries for violation in entry.violations]
