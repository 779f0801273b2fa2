# -*- test-case-name: tests.brokenservers.test_playbends -*-
"""
Mistakes toward players (wire facts 3.3, 5 and 6).
"""

from __future__ import annotations

from rtmptw.wire import amf0
from rtmptw.wire.amf import DATA_LIMITS, UNDEFINED, ECMAArray
from rtmptw.wire.control import UserControl, UserControlType
from rtmptw.wire.data import ON_META_DATA
from rtmptw.wire.message import Message, MessageType
from tests.brokenservers.bend import Bend, Scene
from tests.brokenservers.plain import PlainServer

__all__ = [
    "PLAY_BENDS",
    "EndWithoutStreamEOF",
    "EndWithoutUnpublishNotify",
    "MediaBeforeStart",
    "MetadataUndefined",
    "Type15ToPlayer",
]

#: How many messages come before Play.Start where that is late.
EARLY = 20


class MediaBeforeStart(PlainServer):
    """Play.Start comes behind the first media."""

    _early = 0

    def playReplies(self) -> list[Message]:
        return super().playReplies()[:1]

    def deliver(self, message: Message) -> None:
        super().deliver(message)
        self._early += 1
        if self._early == EARLY:
            self.send(*super().playReplies()[1:])
            self.flush()


class MetadataUndefined(PlainServer):
    """The metadata that a player gets have an undefined value in them."""

    def toMyStream(self, message: Message) -> Message:
        out = super().toMyStream(message)
        if out.type != MessageType.DATA:
            return out
        name, *values = amf0.decode(out.payload, DATA_LIMITS)
        if name != ON_META_DATA or not values or not isinstance(values[0], dict):
            return out
        payload = amf0.encode(name, ECMAArray({"audiodelay": UNDEFINED, **values[0]}))
        return Message(out.type, out.timestamp, out.streamId, payload, out.chunkStreamId)


class Type15ToPlayer(PlainServer):
    """Data are sent to players as messages of type 15."""

    def toMyStream(self, message: Message) -> Message:
        out = super().toMyStream(message)
        if out.type == MessageType.DATA:
            payload = b"\0" + out.payload
            out = Message(MessageType.DATA_AMF3, out.timestamp, out.streamId, payload, out.chunkStreamId)
        return out


class EndWithoutUnpublishNotify(PlainServer):
    """At the end a player gets StreamEOF and nothing else."""

    def finish(self) -> None:
        self.played = None
        self.send(UserControl(UserControlType.STREAM_EOF, self.streamId).encode())
        self.flush()


class EndWithoutStreamEOF(PlainServer):
    """At the end a player gets UnpublishNotify and nothing else."""

    def finish(self) -> None:
        self.played = None
        self.send(self.status("NetStream.Play.UnpublishNotify", "The publisher has gone."))
        self.flush()


_FFMPEGS = ("ffmpeg5-play", "ffmpeg9-play")
_PLAY = Scene.PLAY

PLAY_BENDS: dict[str, Bend] = {
    "media-before-start": Bend(
        "media-before-start", MediaBeforeStart, (), "loses", ("rtmpdump", "rtmp2src"), scene=_PLAY
    ),
    "metadata-undefined": Bend(
        "metadata-undefined",
        MetadataUndefined,
        (),
        "fails",
        _FFMPEGS,
        scene=_PLAY,
        symptom="Invalid data found when processing input",
    ),
    "type15-to-player": Bend("type15-to-player", Type15ToPlayer, (), "loses", ("rtmpdump", "rtmp2src"), scene=_PLAY),
    "end-without-unpublishnotify": Bend(
        "end-without-unpublishnotify",
        EndWithoutUnpublishNotify,
        (),
        "stalls",
        (*_FFMPEGS, "rtmpdump"),
        scene=_PLAY,
        symptom="HandleCtrl, Stream EOF 1",
    ),
    "end-without-streameof": Bend(
        "end-without-streameof", EndWithoutStreamEOF, (), "stalls", ("rtmp2src",), scene=_PLAY
    ),
}
