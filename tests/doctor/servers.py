"""
Servers that are not broken, and not like L{PlainServer} either; and some that break in ways of which no program of its
own was seen.
"""

from __future__ import annotations

from typing import Any

from rtmptw.wire.command import Command
from rtmptw.wire.message import Message, MessageType
from tests.brokenservers.plain import PlainServer

__all__ = [
    "ClosesAtMedia",
    "Crashes",
    "Garbles",
    "KeepsPublisher",
    "OneByOne",
    "OneConnection",
    "PlaysOnlyPublished",
    "RefusesAll",
    "RefusesPlayers",
    "Remuxes",
    "Silent",
    "SlowAnswers",
]


class RefusesAll(PlainServer):
    """Nobody may publish; the key is wrong."""

    def command_publish(self, command: Command) -> None:
        self.refuse("NetStream.Publish.Denied", "The key is wrong.")


class RefusesPlayers(PlainServer):
    """A server for publishers only."""

    def command_play(self, command: Command) -> None:
        self.refuse("NetStream.Play.Failed", "Nobody may play here.")


class PlaysOnlyPublished(PlainServer):
    """Who comes before the publisher is refused, as by MediaMTX."""

    def command_play(self, command: Command) -> None:
        if self.stream(command.argument(0)).publisher is None:
            self.refuse("NetStream.Play.StreamNotFound", "Nobody publishes it.")
        else:
            super().command_play(command)


class OneByOne(PlainServer):
    """A key is good for one publish."""

    def command_publish(self, command: Command) -> None:
        if self.stream(command.argument(0)).ends:
            self.refuse("NetStream.Publish.Denied", "The key was used.")
        else:
            super().command_publish(command)


class OneConnection(PlainServer):
    """Only one connection at a time; others are closed at connect."""

    def command_connect(self, command: Command) -> None:
        if any(each is not self and each.ended is None for each in self.factory.connections):
            self.close()
        else:
            super().command_connect(command)


class SlowAnswers(PlainServer):
    """Every command takes its time, as with somebody else to be asked; connect's answer is wrong, besides."""

    SECONDS = 2.0

    def flush(self) -> None:
        waiting, self._waiting = b"".join(self._waiting), []
        if waiting and self.played is None:
            self.factory.clock.callLater(self.SECONDS, self.transport.write, waiting)
        elif waiting:
            self.transport.write(waiting)

    def close(self) -> None:
        self.flush()
        self.factory.clock.callLater(self.SECONDS, self.transport.loseConnection)

    def connectResult(self, transactionId: float) -> Message:
        return super().connectResult(0.0)


class Remuxes(PlainServer):
    """Each picture gets one unit more in front."""

    def toMyStream(self, message: Message) -> Message:
        out = super().toMyStream(message)
        if out.type == MessageType.VIDEO and out.payload[1:2] == b"\1":
            payload = out.payload[:5] + b"\0\0\0\2\x09\xf0" + out.payload[5:]
            return Message(out.type, out.timestamp, out.streamId, payload, out.chunkStreamId)
        return out


class Garbles(PlainServer):
    """The last byte of each sound is another one."""

    def toMyStream(self, message: Message) -> Message:
        out = super().toMyStream(message)
        if out.type == MessageType.AUDIO:
            return Message(out.type, out.timestamp, out.streamId, out.payload[:-1] + b"!", out.chunkStreamId)
        return out


class ClosesAtMedia(PlainServer):
    """The first media ends the connection."""

    def mediaReceived(self, message: Message) -> None:
        self.close()


class KeepsPublisher(PlainServer):
    """Nobody who plays is told of the end, or cut off."""

    def finish(self) -> None:
        self.played = None


class Crashes(PlainServer):
    """Nobody is there any more, from the first connect on."""

    network: Any = None

    def command_connect(self, command: Command) -> None:
        self.network.server = None
        self.transport.abortConnection()


class Silent(PlainServer):
    """Nothing is answered."""

    def send(self, *messages: Message) -> None:
        """Not a word."""
