"""
Peers of a server, and what each of them must have been sent: the model that L{tests.fuzz.test_sessions} compares with.

A frame is known by a number of its own, which is in its payload. A L{Show} is what a name brings from its first
publisher until it is over: the frames that were passed on, in order. A L{Peer} that plays is at a place in one, and is
to be sent all that follows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from math import inf

from twisted.internet.error import ConnectionDone

from rtmptw.limits import Limits
from rtmptw.live.busy import SILENT_SECONDS
from rtmptw.server import RTMPServerFactory
from rtmptw.wire import amf0
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.control import UserControl, UserControlType
from rtmptw.wire.handshake import HANDSHAKE_SIZE
from rtmptw.wire.message import Message, MessageType
from tests.fuzz.connection import Connection
from tests.session.dialects import HANDSHAKE, audio, command, connect, video

__all__ = ["HEADER", "LATE", "Kind", "Peer", "Role", "Show", "frame"]


#: Where they come from: some of them share an address.
HOSTS = ("192.0.2.1", "192.0.2.2")

#: The second hand moves once in a second, so anything may be late by that, and some.
LATE = 2.0


class Kind(Enum):
    """What a frame is; the value is what its payload begins with."""

    KEY = b"\x17\x01\0\0\0"
    INTER = b"\x27\x01\0\0\0"
    SOUND = b"\xaf\x01"


#: What every publisher says first.
HEADER = video(0, b"\x17\x00\0\0\0avcC")


def frame(kind: Kind, number: int, timestamp: int, size: int = 0) -> Message:
    """A frame, of more than one chunk if C{size} is large."""
    payload = kind.value + number.to_bytes(4, "big") + bytes(size)
    return audio(timestamp, payload) if kind is Kind.SOUND else video(timestamp, payload)


class Role(Enum):
    """What a peer is doing."""

    IDLE = "connected"
    ASKING = "waiting for a name"
    PUBLISHING = "publishing"
    PLAYING = "playing"
    GONE = "gone"


@dataclass(eq=False)
class Show:
    """
    What a name brings.

    @ivar frames: those that were passed on, by their numbers.
    @ivar key: where the newest keyframe among them is.
    @ivar holder: who publishes it.
    @ivar awaited: whether the publisher has gone, and may come back.
    @ivar until: when it is over then, seconds.
    @ivar saidEnd: who has ended it by his word, and is still connected: with him, it is over.
    @ivar isResuming: whether another publisher goes on with it, and nothing is passed on before a keyframe.
    """

    frames: list[int] = field(default_factory=list)
    key: int = 0
    holder: Peer | None = None
    awaited: bool = False
    until: float = 0.0
    saidEnd: Peer | None = None
    isResuming: bool = False

    @property
    def isOn(self) -> bool:
        """Whether it has begun and is not over."""
        return self.holder is not None or self.awaited

    def add(self, kind: Kind, number: int) -> None:
        """The publisher has sent a frame."""
        if self.isResuming and kind is not Kind.KEY:
            return
        self.isResuming = False
        if kind is Kind.KEY:
            self.key = len(self.frames)
        self.frames.append(number)


class Peer:
    """
    Somebody who is connected.

    @ivar host: where it comes from.
    @ivar role: what it does.
    @ivar name: the name that it publishes, plays or asks for.
    @ivar show: what it plays.
    @ivar place: where it is in that; its frames before are in C{due}.
    @ivar due: the frames that it must have been sent, by number.
    @ivar got: those that it was sent.
    @ivar isPaused: whether it has said so.
    @ivar isSlow: whether it has not read for some time: then it may have been spared some.
    @ivar codes: the codes of the statuses that it was sent.
    @ivar reason: why the server may close the connection now; empty, if there is no reason.
    @ivar since: since when that reason is one, seconds.
    @ivar heard: when it has last sent anything.
    @ivar idleSince: since when it has neither published nor played; what took less than a second may not count.
    @ivar activeSince: since when it has done so last.
    @ivar half: the frame that it has begun to say.
    @ivar halfSince: since when it owes the rest of that; L{None}: it does not.
    @ivar fullSince: since when it does not read; L{None}: it does.
    @ivar stamp: its own clock, ms.
    @ivar requests: how often it has asked to publish or play.
    """

    def __init__(self, factory: RTMPServerFactory, number: int, now: float) -> None:
        self.number = number
        self.host = HOSTS[number % len(HOSTS)]
        self.role = Role.IDLE
        self.name = ""
        self.show: Show | None = None
        self.place = 0
        self.due: list[int] = []
        self.got: list[int] = []
        self.isPaused = self.isSlow = False
        self.codes: list[str] = []
        self.reason = ""
        self.since = self.heard = self.activeSince = now
        self.idleSince = now, now
        self.halfSince: float | None = None
        self.fullSince: float | None = None
        self.stamp = 1000 * number
        self.requests = 0
        self.half: tuple[Kind, int] | None = None
        self._newest: dict[int, int] = {}
        self._rest = b""
        self._writer = ChunkWriter()
        self._reader = ChunkReader(offset=HANDSHAKE_SIZE)
        protocol = factory.buildProtocol(None)
        assert protocol is not None
        self.connection = Connection(protocol, self.host)
        self.connection.receive(HANDSHAKE)
        assert len(self.connection.transport.value()) == HANDSHAKE_SIZE
        self.connection.transport.clear()
        self.say(now, connect(), command("createStream", 2))

    def __repr__(self) -> str:
        return f"<peer {self.number}: {self.role.value} {self.name}>"

    @property
    def isHere(self) -> bool:
        """Whether it is still connected."""
        return self.role is not Role.GONE

    @property
    def isClosed(self) -> bool:
        """Whether the server has closed the connection."""
        return self.connection.isOver or self.connection.transport.disconnecting

    def say(self, now: float, *messages: Message, most: int | None = None) -> None:
        """Say these, or only so many bytes of them, and the rest in front of what is said next."""
        data = self._rest + b"".join(map(self._writer.write, messages))
        stop = len(data) if most is None else min(most, len(data))
        self._rest = data[stop:]
        self.halfSince = now if self._rest else None
        self.heard = now
        self.connection.receive(data[:stop])

    def sayBytes(self, now: float, data: bytes) -> None:
        """Say bytes; nothing may be half said."""
        assert not self._rest
        self.heard = now
        self.connection.receive(data)

    def encode(self, message: Message) -> bytes:
        """A message as it would be said."""
        return self._writer.write(message)

    def rest(self, now: float) -> None:
        """It publishes and plays no more."""
        self.role = Role.IDLE
        self.idleSince = (now if now - self.activeSince >= 1 else self.idleSince[0]), now

    def tick(self) -> int:
        """The time of the next frame."""
        self.stamp += 40
        return self.stamp

    def watch(self, show: Show) -> None:
        """Be at the place in a show where a joiner begins."""
        self.show, self.place = show, show.key if show.isOn else 0
        self.due, self.got, self.codes = [], [], []
        self.isPaused = self.isSlow = False
        self._newest.clear()

    def follow(self) -> None:
        """What there is for it by now, it must have been sent, unless it does not want or take it."""
        if self.show is not None and not self.isPaused and self.fullSince is None:
            self.due += self.show.frames[self.place :]
            self.place = len(self.show.frames)

    def hear(self) -> None:
        """Read what it was sent."""
        data = self.connection.transport.value()
        self.connection.transport.clear()
        for message in self._reader.feed(data):
            if message.type == MessageType.COMMAND:
                information = amf0.decode(message.payload)[-1]
                if isinstance(information, dict):
                    self.codes.append(str(information.get("code")))
            elif message.type == MessageType.USER_CONTROL:
                control = UserControl.decode(message.payload)
                assert control is not None
                if control.event == UserControlType.STREAM_EOF:
                    self.codes.append("EOF")
            elif message.type in (MessageType.AUDIO, MessageType.VIDEO):
                self._hearMedia(message)

    def _hearMedia(self, message: Message) -> None:
        assert self.role is Role.PLAYING, f"{self} is sent media"
        assert message.timestamp >= self._newest.get(message.type, 0), f"{self}: time goes back"
        self._newest[message.type] = message.timestamp
        for kind in Kind:
            if message.payload.startswith(kind.value):
                start = len(kind.value)
                self.got.append(int.from_bytes(message.payload[start : start + 4], "big"))

    def deadline(self, now: float, limits: Limits) -> tuple[float, float]:
        """When the server may close it, and when it must have, if nothing changes."""
        if self.fullSince is not None:
            return self.fullSince + limits.stallSeconds, self.fullSince + limits.stallSeconds + LATE
        if self.reason:
            return now, inf
        if self.role is Role.PUBLISHING:
            return self.heard + limits.silenceSeconds, self.heard + limits.silenceSeconds + LATE
        if self.role is Role.IDLE:
            # It is looked at once in a second.
            return self.idleSince[0] + limits.idleSeconds - 1, self.idleSince[1] + limits.idleSeconds + LATE
        return inf, self.since + SILENT_SECONDS + LATE if self.role is Role.ASKING else inf

    def check(self) -> None:
        """
        @raise AssertionError: if it was not sent what it must have been.
        """
        if self.role is not Role.PLAYING or self.show is None:
            return
        if not self.isSlow:
            assert self.got == self.due, f"{self}: was sent {self.got}, and not {self.due}"
            return
        frames = iter(self.show.frames)
        assert all(number in frames for number in self.got), f"{self}: {self.got} is not in order, or not once"
        if self.place == len(self.show.frames) > 0 and self.due and not self.isPaused and self.fullSince is None:
            assert self.got[-1] == self.due[-1], f"{self}: has not caught up"

    def leave(self) -> None:
        """It is gone, or as good as."""
        self.connection.lose(ConnectionDone)
        self.role, self.show = Role.GONE, None
