# -*- test-case-name: tests.test_errors -*-
"""
What can go wrong, and whose fault it is.

- L{LocalProtocolError}: our own side misused a layer; a mistake in a program.
- L{RemoteProtocolError}: the peer broke the wire; names the place.
- L{StatusError}: a request that is refused with a status the peer understands.

Only the first two leave L{rtmptw.wire}.
"""

from __future__ import annotations

__all__ = [
    "AMFDecodeError",
    "AMFUnsupportedError",
    "LimitExceeded",
    "LocalProtocolError",
    "RTMPError",
    "RemoteProtocolError",
    "StatusError",
]


class RTMPError(Exception):
    """The base of every error that rtmptw raises by its own will."""


class LocalProtocolError(RTMPError):
    """The caller asked a layer for something that the protocol has no bytes for."""


class RemoteProtocolError(RTMPError):
    """
    The peer sent bytes that cannot be understood.

    @ivar reason: what is wrong, in words.
    @ivar offset: where: bytes since the first byte of the handshake (or, for an AMF value or a file, since its own
        first byte); C{None} if no single place is to blame.
    @ivar chunkStream: the chunk stream ID concerned, if one is.
    @ivar messageType: the message type ID concerned, if one is.
    """

    def __init__(
        self,
        reason: str,
        *,
        offset: int | None = None,
        chunkStream: int | None = None,
        messageType: int | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset
        self.chunkStream = chunkStream
        self.messageType = messageType

    def __str__(self) -> str:
        places = [
            f"{name} {value}"
            for name, value in (
                ("byte", self.offset),
                ("chunk stream", self.chunkStream),
                ("message type", self.messageType),
            )
            if value is not None
        ]
        return f"{self.reason} (at {', '.join(places)})" if places else self.reason


class LimitExceeded(RemoteProtocolError):
    """What the peer sent may be well formed, but it is more than one of our limits allows."""


class AMFDecodeError(RemoteProtocolError):
    """An AMF value is cut short, malformed, or larger than its limits; C{offset} counts from the first byte
    of the payload."""


class AMFUnsupportedError(AMFDecodeError):
    """An AMF value of unknown length (reserved marker, externalizable class); what came before it is good."""


class StatusError(RTMPError):
    """
    A refusal, as the peer will see it.

    Raise it from L{rtmptw.interfaces.IApplication} to refuse a connect, publish or play with a reason. The peer gets
    C{_error} (connect) or C{onStatus} (publish, play), level "error", with this description, and then the connection
    closes: some clients hang for half a minute if it does not (wire facts 3.6, 13).

    @ivar description: the reason, for people.
    @ivar code: such as C{"NetStream.Publish.BadName"}; if empty, the usual one for what was asked
        (L{rtmptw.session.status.REFUSALS}).
    """

    def __init__(self, description: str, code: str = "") -> None:
        super().__init__(f"{code}: {description}" if code else description)
        self.description = description
        self.code = code
