# -*- test-case-name: tests.doctor.test_witness -*-
"""
A player that stands beside: it takes whatever answers it gets, and counts what comes out of the server.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from rtmptw.dialects.contact import Contact
from rtmptw.dialects.footage import numbers
from rtmptw.dialects.players import PLAYERS
from rtmptw.dialects.requirements import LENIENT, Early
from rtmptw.dialects.visit import Visit
from rtmptw.trace.entry import Entry, ReadMessage
from rtmptw.trace.segment import Side
from rtmptw.trace.values import COMMANDS, readValues
from rtmptw.url import RTMPURL
from rtmptw.wire.control import UserControl, UserControlType
from rtmptw.wire.message import Message, MessageType

__all__ = ["STREAM_EOF", "UNPUBLISH", "Witness", "arrived", "endSigns"]

_MEDIA = frozenset((MessageType.AUDIO, MessageType.VIDEO, MessageType.AGGREGATE))

#: What tells a player that a stream is over.
UNPUBLISH, STREAM_EOF = "UnpublishNotify", "Stream EOF"
_END_CODES = ("NetStream.Play.UnpublishNotify", "NetStream.Play.Stop", "NetStream.Play.Complete")

#: Among how many of the last messages one is looked for: what comes in one piece may be many.
_LAST = 512

#: Where sound and picture begin in what we publish (L{rtmptw.dialects.footage}), and how long the size of a unit is.
_SOUND, _PICTURE, _UNIT_SIZE = 2, 5, 4

#: It asks as FFmpeg does; and who comes late takes media for a start, as FFmpeg does, too.
_DIALECT = replace(PLAYERS[0], name="witness", digest=False, requirements=LENIENT)
_LATE = replace(_DIALECT, requirements=replace(LENIENT, early=Early.START))


class Witness:
    """
    One player.

    @ivar visit: what it has said and heard.
    """

    def __init__(self, url: RTMPURL, contact: Contact, patience: float, isLate: bool = False) -> None:
        """
        @param isLate: whether somebody publishes already, so that media may come.
        """
        self.visit = Visit(_LATE if isLate else _DIALECT, url, contact, patience)
        self._take = 0
        self._seen: list[int] = []
        self._read = 0

    async def open(self) -> bool:
        """
        Begin to play.

        @return: whether the server lets it.
        """
        return await self.visit.open()

    def follow(self, publisher: Visit) -> None:
        """Count from now on what this one publishes."""
        self._take, self._seen, self._read = publisher.take, [], 0

    @property
    def seen(self) -> list[int]:
        """The numbers of the messages that came, in order."""
        entries = self.visit.contact.entries
        self._seen += arrived(entries[self._read :], self._take)
        self._read = len(entries)
        return self._seen

    @property
    def isOver(self) -> bool:
        """Whether the server has told it that something is over, or has closed the connection."""
        contact = self.visit.contact
        return bool(contact.closed or endSigns(contact.received()[-_LAST:]))

    async def sees(self, number: int, seconds: float) -> bool:
        """
        Wait for a message, as long as others come.

        @param seconds: how long nothing may come; the first one may take as long as an answer.
        @return: whether it came.
        """
        contact = self.visit.contact
        while True:
            before = len(self.seen)
            patience = seconds if before else max(seconds, self.visit.patience)
            if await contact.until(lambda: number in self.seen[-_LAST:] or None, patience):
                return True
            if contact.closed or len(self.seen) == before:
                return False

    def missing(self, count: int) -> list[int]:
        """
        What has not come.

        @param count: how many were sent: numbers from 0.
        """
        return sorted(set(range(count)) - set(self.seen))

    def damaged(self, publisher: Visit, count: int) -> list[int]:
        """
        What has come otherwise than it was sent. A server may add to a message (parameter sets, in front of a
        keyframe), but has to hand on what was in it.

        @param publisher: who has sent it.
        @param count: how many were sent: numbers from 0.
        """
        sent = dict(enumerate(publisher.footage.frames(count)))
        found = []
        for entry in self.visit.contact.received():
            payload = entry.message.payload
            marks = numbers(payload, self._take) if entry.message.type in _MEDIA else []
            if len(marks) != 1 or entry.message.type == MessageType.AGGREGATE:
                continue
            message = sent.get(marks[0])
            if message is None or not (payload == message.payload or all(part in payload for part in _parts(message))):
                found.append(marks[0])
        return found

    async def hearsEnd(self, seconds: float) -> bool:
        """
        Wait until the server has told it that the stream is over, or has closed the connection.

        @param seconds: how long.
        @return: whether it has.
        """
        return bool(await self.visit.contact.until(lambda: self.isOver or None, seconds))

    def leave(self) -> None:
        """It is not needed any more."""
        self.visit.contact.close()


def endSigns(entries: Iterable[ReadMessage]) -> set[str]:
    """What tells players that a stream is over (wire facts 3.3): L{UNPUBLISH}, L{STREAM_EOF}."""
    found = set()
    for entry in entries:
        message = entry.message
        if message.type == MessageType.USER_CONTROL:
            control = UserControl.decode(message.payload)
            if control is not None and control.event == UserControlType.STREAM_EOF:
                found.add(STREAM_EOF)
        elif message.type in COMMANDS:
            for placed in readValues(message).placed:
                if isinstance(placed.value, dict) and placed.value.get("code") in _END_CODES:
                    found.add(UNPUBLISH)
    return found


def arrived(entries: Iterable[Entry], take: int) -> list[int]:
    """
    The numbers of the messages that the server has sent, in order.

    @param take: whose messages (L{Visit.take}).
    """
    return [
        number
        for entry in entries
        if isinstance(entry, ReadMessage) and entry.side is Side.SERVER and entry.message.type in _MEDIA
        for number in numbers(entry.message.payload, take)
    ]


def _parts(message: Message) -> list[bytes]:
    """What is in a message of ours besides its head: the units of a picture, each behind its size, or the sound."""
    if message.type == MessageType.AUDIO:
        return [message.payload[_SOUND:]]
    units, rest = [], message.payload[_PICTURE:]
    while rest:
        size = _UNIT_SIZE + int.from_bytes(rest[:_UNIT_SIZE], "big")
        units.append(rest[_UNIT_SIZE:size])
        rest = rest[size:]
    return units
