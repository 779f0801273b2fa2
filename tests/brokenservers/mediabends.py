# -*- test-case-name: tests.brokenservers.test_mediabends -*-
"""
Mistakes toward a publisher that publishes: what is dropped, said or not read meanwhile (wire facts 0.2, 2.8, 3.6, 9).

Most of them cost nothing as long as the server reads as fast as the publisher sends. So all that is about reading is
made on L{SlowReader}, which is no mistake: it only takes its time.
"""

from __future__ import annotations

import select

from rtmptw.wire.command import Command
from rtmptw.wire.control import UserControl, UserControlType, acknowledgement
from rtmptw.wire.media import classify
from rtmptw.wire.message import Message, MessageType
from tests.brokenservers.bend import Bend, Scene
from tests.brokenservers.plain import PlainServer

__all__ = [
    "MEDIA_BENDS",
    "PingsPublisher",
    "SlowReader",
    "SlowReplies",
    "StatusToPublisher",
    "StopsReading",
    "TailDropped",
    "UnaskedAcks",
    "WaitsForKeyframe",
    "WaitsForMetadata",
]

#: How long a slow reader takes for each read of a publisher, seconds. A read is 64 kB at most.
READ_TIME = 0.05

#: After how many bytes something is said to a publisher that has not asked.
INTERVAL = 100_000

#: How long the server that stops reading does that, seconds; and after how many bytes of media.
STOPPED, BEFORE_STOP = 2.0, 64_000

#: Slow replies: the pieces of a message, and the time between them, seconds: one delayed acknowledgement.
PIECES, PIECE_TIME = 4, 0.04

#: How often the server that drops the tail looks for the end, seconds.
LOOK_TIME = 0.01


class SlowReader(PlainServer):
    """Reads slowly from a publisher, and loses nothing: a control, not a bend."""

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        if self.published is not None:
            self.transport.pauseProducing()
            self.factory.clock.callLater(READ_TIME, self.readOn)

    def readOn(self) -> None:
        """The time is over."""
        if self.ended is None:
            self.transport.resumeProducing()


class _Talkative(SlowReader):
    """Says something to a publisher after each so many bytes."""

    _bytes = 0

    def word(self) -> Message:
        """What is said."""
        raise NotImplementedError

    def mediaReceived(self, message: Message) -> None:
        super().mediaReceived(message)
        before, self._bytes = self._bytes, self._bytes + len(message.payload)
        if before // INTERVAL != self._bytes // INTERVAL:
            self.send(self.word())


class UnaskedAcks(_Talkative):
    """Acknowledgements that the publisher did not ask for."""

    def word(self) -> Message:
        return acknowledgement(self._bytes)


class PingsPublisher(_Talkative):
    """Pings while media flow."""

    def word(self) -> Message:
        return UserControl(UserControlType.PING_REQUEST, self._bytes).encode()


class StatusToPublisher(_Talkative):
    """Statuses while media flow."""

    def word(self) -> Message:
        return self.status("NetStream.Data.Start", "Receiving.")


class TailDropped(SlowReader):
    """When the publisher has ended, what is not read yet is thrown away: its FIN is seen before what came before it."""

    def hasEnded(self) -> bool:
        """Whether the publisher's FIN has come, read or not. Without a socket there is no way to tell."""
        getHandle = getattr(self.transport, "getHandle", None)
        if getHandle is None:
            return False
        poll = select.poll()
        poll.register(getHandle(), select.POLLRDHUP)
        return bool(poll.poll(0))

    def publishReplies(self, command: Command) -> list[Message]:
        self.look()
        return super().publishReplies(command)

    def look(self) -> None:
        """Look at the connection now and then."""
        if self.ended is not None:
            return
        if self.hasEnded():
            self.transport.abortConnection()
        else:
            self.factory.clock.callLater(LOOK_TIME, self.look)


class StopsReading(PlainServer):
    """Once in a publish nothing is read for seconds, as when something blocks."""

    _bytes = 0

    def mediaReceived(self, message: Message) -> None:
        super().mediaReceived(message)
        before, self._bytes = self._bytes, self._bytes + len(message.payload)
        if before < BEFORE_STOP <= self._bytes:
            self.transport.pauseProducing()
            self.factory.clock.callLater(STOPPED, self.readOn)

    def readOn(self) -> None:
        """The time is over."""
        if self.ended is None:
            self.transport.resumeProducing()


class SlowReplies(PlainServer):
    """Each reply leaves in small pieces, with a pause between, as Nagle's algorithm and a delayed ACK do it."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._isBusy = self._isClosing = False

    def flush(self) -> None:
        messages, self._waiting = self._waiting, []
        for data in messages:
            size = max(-(-len(data) // PIECES), 1) if self.played is None else len(data)
            self._pieces += [data[start : start + size] for start in range(0, len(data), size)]
        if not self._isBusy:
            self._write()

    def close(self) -> None:
        self._isClosing = True
        self.flush()

    def _write(self) -> None:
        self._isBusy = bool(self._pieces) and self.ended is None
        if self._isBusy:
            self.transport.write(self._pieces.pop(0))
            self.factory.clock.callLater(PIECE_TIME if self.played is None else 0, self._write)
        elif self._isClosing:
            self.transport.loseConnection()


class WaitsForMetadata(PlainServer):
    """All is dropped before the first metadata."""

    _isOpen = False

    def mediaReceived(self, message: Message) -> None:
        self._isOpen = self._isOpen or (message.type == MessageType.DATA and b"onMetaData" in message.payload[:40])
        if self._isOpen:
            super().mediaReceived(message)


class WaitsForKeyframe(PlainServer):
    """All is dropped before the first keyframe: metadata and headers, too."""

    _isOpen = False

    def mediaReceived(self, message: Message) -> None:
        isVideo = message.type == MessageType.VIDEO
        self._isOpen = self._isOpen or (isVideo and classify(message.type, message.payload).isKeyframe)
        if self._isOpen:
            super().mediaReceived(message)


_FFMPEGS = ("ffmpeg5", "ffmpeg9")
_ALL = (*_FFMPEGS, "rtmp2sink", "rtmpsink")

_FULL_SPEED = Scene.FULL_SPEED

MEDIA_BENDS: dict[str, Bend] = {
    "slow-replies": Bend("slow-replies", SlowReplies, (14,), "slow", _ALL),
    "waits-for-metadata": Bend(
        "waits-for-metadata", WaitsForMetadata, (15,), "loses", _FFMPEGS, options=("-flvflags", "no_metadata")
    ),
    "waits-for-keyframe": Bend("waits-for-keyframe", WaitsForKeyframe, (15,), "loses", _ALL),
    "unasked-acks": Bend("unasked-acks", UnaskedAcks, (16,), "loses", _ALL, scene=_FULL_SPEED, media="long"),
    "writes-to-publisher": Bend(
        "writes-to-publisher", PingsPublisher, (16,), "loses", _ALL, scene=_FULL_SPEED, media="long"
    ),
    "writes-to-publisher:status": Bend(
        "writes-to-publisher", StatusToPublisher, (16,), "loses", _ALL, scene=_FULL_SPEED, media="long"
    ),
    "stops-reading": Bend("stops-reading", StopsReading, (17,), "slow", _FFMPEGS, scene=_FULL_SPEED, media="heavy"),
    "tail-dropped": Bend("tail-dropped", TailDropped, (21,), "loses", _ALL, scene=_FULL_SPEED, media="long"),
}
