# -*- test-case-name: tests.brokenservers.test_plain -*-
"""
What L{tests.brokenservers.plain} knows under one name: a publisher, players, and all that was published, in memory.
"""

from __future__ import annotations

from typing import Protocol

from rtmptw.errors import RemoteProtocolError
from rtmptw.wire.data import ON_META_DATA, DataMessage
from rtmptw.wire.media import HeaderKey, headerKeys
from rtmptw.wire.message import MEDIA_CHUNK_STREAMS, Message, MessageType

__all__ = ["MEDIA", "IPlayer", "PlainStream", "forPlayers"]

#: What publishers send besides commands and control.
MEDIA = frozenset({MessageType.AUDIO, MessageType.VIDEO, MessageType.DATA, MessageType.DATA_AMF3})


class IPlayer(Protocol):
    """Who plays."""

    def deliver(self, message: Message) -> None:
        """Take a message of the stream."""

    def finish(self) -> None:
        """The stream has ended."""


class PlainStream:
    """
    What is known under one name.

    @ivar publisher: who publishes it now.
    @ivar players: who plays it, or waits for it.
    @ivar stored: all media of the current or last publish, as they came.
    @ivar ends: how many publishes have ended.
    """

    def __init__(self) -> None:
        self.publisher: object | None = None
        self.players: list[IPlayer] = []
        self.stored: list[Message] = []
        self.ends = 0
        self._metadata: Message | None = None
        self._headers: dict[HeaderKey, Message] = {}

    def begin(self, publisher: object) -> None:
        """A publish begins, and nothing is left of the one before."""
        self.publisher = publisher
        self.stored, self._metadata, self._headers = [], None, {}

    def add(self, message: Message) -> None:
        """Store a message, remember it if those who come later need it, and pass it on."""
        self.stored.append(message)
        out = forPlayers(message)
        if out is None:
            return
        if out.type == MessageType.DATA and DataMessage.decode(out).name == ON_META_DATA:
            self._metadata = out
        for key in headerKeys(out.type, out.payload):
            self._headers.pop(key, None)
            self._headers[key] = out
        for player in tuple(self.players):
            player.deliver(out)

    def headers(self) -> list[Message]:
        """What a late joiner needs first, with the time at which it joins."""
        now = self.stored[-1].timestamp if self.stored else 0
        first = [] if self._metadata is None else [self._metadata]
        for message in self._headers.values():
            if not any(message is each for each in first):
                first.append(message)
        return [Message(each.type, now, each.streamId, each.payload, each.chunkStreamId) for each in first]

    def end(self) -> None:
        """The publish is over: the players are told, behind all that was stored."""
        self.publisher = None
        self.ends += 1
        players, self.players = self.players, []
        for player in players:
            player.finish()


def forPlayers(message: Message) -> Message | None:
    """
    A message as players get it: the same bytes, but for C{@setDataFrame}; nothing of data that say nothing.
    """
    payload = message.payload
    if message.type in (MessageType.DATA, MessageType.DATA_AMF3):
        try:
            data = DataMessage.decode(message)
        except RemoteProtocolError:
            return None
        if data.clears:
            return None
        return Message(MessageType.DATA, message.timestamp, 0, data.payload, MEDIA_CHUNK_STREAMS[MessageType.DATA])
    return Message(message.type, message.timestamp, 0, payload, MEDIA_CHUNK_STREAMS[message.type])
