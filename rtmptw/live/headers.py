# -*- test-case-name: tests.live.test_headers -*-
"""
What a late joiner must know before the first frame: metadata, and every track's headers (wire facts 6 and 7.2).
"""

from __future__ import annotations

from rtmptw.wire import amf0
from rtmptw.wire.data import ON_META_DATA
from rtmptw.wire.media import HeaderKey, headerKeys
from rtmptw.wire.message import Message

__all__ = ["MAX_HEADERS", "MAX_HEADER_SIZE", "HeaderCache"]

#: How many different headers a stream may have: what a peer can make us keep is bounded.
MAX_HEADERS = 64

#: The largest header that is kept for late joiners, bytes. Real ones have some dozens.
MAX_HEADER_SIZE = 64 * 1024

_ON_META_DATA = amf0.encode(ON_META_DATA)


class HeaderCache:
    """
    The newest header of each kind and track.

    @ivar changes: how many times a header came that was new or different: who has missed one needs them all again.
    """

    def __init__(self) -> None:
        self.changes = 0
        self._metadata: Message | None = None
        self._headers: dict[HeaderKey, Message] = {}

    def see(self, message: Message) -> bool:
        """
        Look at an audio or video message, and keep it if it is a header.

        @return: whether it has taken the place of a different one.
        """
        replaces = False
        fits = len(message.payload) <= MAX_HEADER_SIZE
        for key in headerKeys(message.type, message.payload):
            # One that is too large still takes its place: an old header is worse than none.
            old = self._headers.pop(key, None)
            if old is not None and old.payload != message.payload:
                replaces = True
                self.changes += 1
            elif old is None and fits:
                self.changes += 1
            if fits and (old is not None or len(self._headers) < MAX_HEADERS):
                self._headers[key] = message
        return replaces

    def seeData(self, message: Message) -> None:
        """Look at a data message, and keep it if it is C{onMetaData}; one that is too large takes its place only."""
        if message.payload.startswith(_ON_META_DATA):
            old, self._metadata = self._metadata, message if len(message.payload) <= MAX_HEADER_SIZE else None
            if (old and old.payload) != (self._metadata and self._metadata.payload):
                self.changes += 1

    def forgetData(self, name: str) -> None:
        """The publisher has taken something back that it had set (C{@clearDataFrame})."""
        if name == ON_META_DATA:
            self._metadata = None

    def keep(self, others: HeaderCache) -> None:
        """Forget what C{others} have nothing like: the publisher that has come now does without."""
        self._headers = {key: header for key, header in self._headers.items() if key in others._headers}
        if others._metadata is None:
            self._metadata = None

    def messages(self, timestamp: int) -> list[Message]:
        """
        The headers for a joiner, metadata first, then the others, older ones first.

        @param timestamp: the time of the first frame that will follow, ms: headers must not jump (wire facts 10.78).
        """
        # One multitrack message may be the header of several tracks.
        headers = {id(message): message for message in self._headers.values()}
        first = [] if self._metadata is None else [self._metadata]
        return [
            Message(header.type, timestamp, header.streamId, header.payload, header.chunkStreamId)
            for header in [*first, *headers.values()]
        ]
