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
        if len(message.payload) <= MAX_HEADER_SIZE:
            for key in headerKeys(message.type, message.payload):
                old = self._headers.pop(key, None)
                if old is None or old.payload != message.payload:
                    self.changes += 1
                    replaces |= old is not None
                if old is not None or len(self._headers) < MAX_HEADERS:
                    self._headers[key] = message
        return replaces

    def seeData(self, message: Message) -> None:
        """Look at a data message, and keep it if it is C{onMetaData}."""
        if message.payload.startswith(_ON_META_DATA) and len(message.payload) <= MAX_HEADER_SIZE:
            if self._metadata is None or self._metadata.payload != message.payload:
                self.changes += 1
            self._metadata = message

    def forgetData(self, name: str) -> None:
        """The publisher has taken something back that it had set (C{@clearDataFrame})."""
        if name == ON_META_DATA:
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
