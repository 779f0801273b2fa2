# -*- test-case-name: tests.test_errors -*-
"""
What can go wrong, and whose fault it is.

- L{LocalProtocolError}: our own side misused a layer; a mistake in a program.
- L{RemoteProtocolError}: the peer broke the wire; names the place.
- L{StatusError}: a request that is refused with a status the peer understands.
- L{URLError}: a URL that does not say where a stream is.
- L{CallError}, L{CallTimedOut}, L{ConnectionClosed}: how a call that waits for its answer may end otherwise.
- L{CertificateError}: a certificate that can't be used, or a server that is not trusted.
- L{PortError}: a port that can't be opened.

Only the first two leave L{rtmptw.wire}.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "AMFDecodeError",
    "AMFLimitExceeded",
    "AMFUnsupportedError",
    "AuthenticationError",
    "CallError",
    "CallTimedOut",
    "CertificateError",
    "ConnectionClosed",
    "LimitExceeded",
    "LocalProtocolError",
    "PortError",
    "RTMPError",
    "RemoteProtocolError",
    "StatusError",
    "URLError",
]


#: How much of a peer's text stands in an error, characters.
_MAX_WORDS = 300


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
    """
    What the peer sent may be well formed, but it is more than one of our limits allows.

    @ivar limit: which: the name of a field of L{rtmptw.limits.Limits}; empty, if it is none of these.
    """

    def __init__(
        self,
        reason: str,
        *,
        limit: str = "",
        offset: int | None = None,
        chunkStream: int | None = None,
        messageType: int | None = None,
    ) -> None:
        super().__init__(reason, offset=offset, chunkStream=chunkStream, messageType=messageType)
        self.limit = limit


class AMFDecodeError(RemoteProtocolError):
    """An AMF value is cut short, malformed, or larger than its limits; C{offset} counts from the first byte
    of the payload."""


class AMFLimitExceeded(AMFDecodeError, LimitExceeded):
    """An AMF value is larger than its limits."""


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


class AuthenticationError(StatusError):
    """
    A server wants a user and a password, and there are none, or not these, or it is not clear what it wants.

    @ivar isQuestion: whether that is no refusal yet: encoders answer with another connection (wire facts 8).
    """

    def __init__(self, description: str, code: str = "", isQuestion: bool = False) -> None:
        super().__init__(description, code)
        self.isQuestion = isQuestion


class CallError(StatusError):
    """
    The peer has refused a call: by C{_error}, or by a status of level "error".

    Its text is for people and logs, whatever the peer has sent: one line that can be printed, and not too long.

    @ivar command: the call, such as C{"publish"}.
    @ivar information: the whole information object, as decoded; empty if there was none.
    """

    def __init__(
        self, command: str, description: str, code: str = "", information: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(description, code)
        self.command = command
        self.information = information or {}

    @property
    def words(self) -> str:
        """What the peer says."""
        return _inOneLine(super().__str__())

    @property
    def redirect(self) -> str:
        """
        Where the peer would have us go instead: a URL, as it was sent, or empty. Nobody follows it: a server must not
        send its clients to hosts that only they can reach.
        """
        extra = self.information.get("ex")
        url = extra.get("redirect") if isinstance(extra, Mapping) else None
        return url if isinstance(url, str) else ""

    def __str__(self) -> str:
        text = f"{self.command} refused: {self.words}"
        # What is in front of an @ and behind a question mark may be secrets.
        place = _inOneLine(self.redirect.partition("?")[0].rpartition("@")[2])
        return f"{text}; the peer points to {place}, and is not followed" if place else text


class CallTimedOut(RTMPError):
    """
    The peer has not answered a call in time.

    @ivar command: the call.
    """

    def __init__(self, command: str, seconds: float) -> None:
        super().__init__(f"no answer to {command} within {seconds:g} s")
        self.command = command


class CertificateError(RTMPError):
    """
    A certificate, or its key, is of no use: a file of ours, which the text begins with, or that of a server which is
    not trusted, and then the text says why not.
    """


class PortError(SystemExit, RTMPError):
    """
    A port that can't be opened: which, and why.

    Nobody need catch it: it ends the process, and Python prints its text alone. But it is an L{Exception} as well: only
    of those C{twistd} tells whoever has started it in the background.
    """


class ConnectionClosed(RTMPError):
    """
    The connection is over, and with it what it was used for.

    @ivar reason: why it is over.
    @ivar command: the call that has waited, or what else could not be done.
    """

    def __init__(self, command: str, reason: str) -> None:
        super().__init__(f"{command} failed: {reason}")
        self.command = command
        self.reason = reason


class URLError(RTMPError, ValueError):
    """A URL that is wrong, and what is wrong with it; without any part of it that may be a secret."""


def _inOneLine(text: str) -> str:
    """A peer's text, as it can be shown: controls, line ends, and what changes the direction of writing are escaped."""
    shown = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text[:_MAX_WORDS]
    )
    return shown if len(text) <= _MAX_WORDS else f"{shown}..."
