# -*- test-case-name: tests.live.test_beginning -*-
"""
The beginning of what a new connection brings to a stream that goes on: nothing of it is of use before a place to start.

::

    HHiiiHKiiiKii        H headers, K keyframe, i other frames
    ......^              the place to start

That is a keyframe, or any sound if there is no picture. Headers before it are kept; right before that frame, those that
are new are given out. If a stream had pictures, and the connection brings none for L{PATIENCE}, it starts without; and
with data, if it brings nothing else for as long.
"""

from __future__ import annotations

from rtmptw.live.headers import HeaderCache
from rtmptw.wire import amf0
from rtmptw.wire.data import ON_META_DATA
from rtmptw.wire.media import MediaKind
from rtmptw.wire.message import Message, MessageType
from rtmptw.wire.timestamp import elapsed

__all__ = ["PATIENCE", "Beginning", "isHeader", "see"]

#: How long a connection is waited for to bring a picture again, ms of its own time.
PATIENCE = 10_000

_ON_META_DATA = amf0.encode(ON_META_DATA)


def isHeader(message: Message, kind: MediaKind) -> bool:
    """Whether a player must know this before the first frame."""
    if message.type == MessageType.DATA:
        return message.payload.startswith(_ON_META_DATA)
    return kind.isHeader


def see(headers: HeaderCache, message: Message) -> bool:
    """
    Keep a message, if it is a header.

    @return: whether it is a new one.
    """
    before = headers.changes
    if message.type == MessageType.DATA:
        headers.seeData(message)
    else:
        headers.see(message)
    return headers.changes != before


class Beginning:
    """
    What a connection has brought so far.

    @ivar headers: those of it.
    @ivar hasVideo: whether it has brought a picture, or a header for pictures.
    @ivar waited: how much of its own time has passed, ms, as each track tells it; L{PATIENCE} at most.
    """

    def __init__(self, hadVideo: bool) -> None:
        """
        @param hadVideo: whether the stream has had pictures until now.
        """
        self.headers = HeaderCache()
        self.hasVideo = False
        self.waited = 0
        self._hadVideo = hadVideo
        # By message type: tracks may have clocks of their own.
        self._began: dict[int, int] = {}

    def isStart(self, message: Message, kind: MediaKind) -> bool:
        """
        Take the next message.

        @return: whether it is a place to start.
        """
        if message.type == MessageType.VIDEO and (kind.isHeader or kind.isFrame):
            self.hasVideo = True
        if isHeader(message, kind):
            see(self.headers, message)
            return False
        if not kind.isFrame and message.type != MessageType.DATA:
            return False
        began = self._began.setdefault(message.type, message.timestamp)
        self.waited = min(max(self.waited, elapsed(message.timestamp, began)), PATIENCE)
        if self.waited == PATIENCE:
            return True
        if not (self.hasVideo or self._hadVideo):
            return kind.isFrame
        return kind.isKeyframe

    def newHeaders(self, known: HeaderCache, timestamp: int) -> list[Message]:
        """
        Those of its headers that are new. They are known then.

        @param known: those that were given out.
        @param timestamp: the time of the frame that will follow, ms.
        """
        return [header for header in self.headers.messages(timestamp) if see(known, header)]
