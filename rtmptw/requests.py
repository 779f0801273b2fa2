# -*- test-case-name: tests.test_requests -*-
"""
What a client asks for, as an application sees it: plain values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

__all__ = ["ConnectRequest", "Granted", "PlayRequest", "PublishRequest", "StreamRequest"]


@dataclass(frozen=True)
class ConnectRequest:
    """
    A connect (RTMP 1.0, section 7.2.1.1).

    @ivar peer: who asks, as text, such as C{"127.0.0.1:40312"}.
    @ivar app: the application as sent, without its query; may be empty, or hold the whole path (wire facts 8).
    @ivar tcUrl: the URL as sent, or C{""}.
    @ivar query: what followed a C{?} in the application or the tcUrl; never part of a stream's name.
    @ivar parameters: every property of the command object, as decoded.
    @ivar secure: whether the connection is encrypted by TLS.
    @ivar hops: if it is a relay that connects, the identities of the servers on its way (L{rtmptw.session.hops}).
    @ivar notes: what the application wants to know again when this connection publishes or plays; empty at first. Who
        has authenticated is such a note: L{rtmptw.auth.publishers.authenticatedUser}.
    """

    peer: str
    app: str
    tcUrl: str = ""
    query: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
    secure: bool = False
    hops: tuple[str, ...] = ()
    notes: dict[str, object] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True)
class StreamRequest:
    """
    What publish and play have in common.

    @ivar connect: the connect that came before.
    @ivar path: the stream's identity: application and name, as C{"live/camera"}, without any query (wire facts 8).
    @ivar query: everything that followed a C{?} in the name, the application or the tcUrl, joined with C{&}.
    @ivar principal: who asks, as far as that is proven, such as C{"user alice"}; C{""}: nothing is. A name that is busy
        can be taken over by nobody else.
    """

    connect: ConnectRequest
    path: str
    query: str = ""
    principal: str = field(default="", kw_only=True)

    def parameter(self, name: str) -> str | None:
        """The value of one parameter of the query (the first, if there are more), percent-decoded, or L{None}."""
        for key, value in parse_qsl(self.query, keep_blank_values=True, max_num_fields=None):
            if key == name:
                return value
        return None


@dataclass(frozen=True)
class PublishRequest(StreamRequest):
    """
    A publish (RTMP 1.0, section 7.2.2.6).

    @ivar type: C{"live"}, C{"record"}, C{"append"} or whatever else was sent.
    """

    type: str = "live"


@dataclass(frozen=True)
class PlayRequest(StreamRequest):
    """
    A play (RTMP 1.0, section 7.2.2.1).

    @ivar start: the start that was asked for, as sent: -2, -1 or seconds (some send ms); live streams ignore it.
    """

    start: float = -2.0


@dataclass(frozen=True)
class Granted:
    """
    A yes of an application to a publish or a play that says more: that it is for another stream than the one that was
    asked for, so that what a client says may be a secret, and the stream is known by a public name to viewers,
    recordings, relays and the log; and who it is for.

    @ivar path: that stream's identity, as L{StreamRequest.path}.
    @ivar principal: who has asked, see L{StreamRequest.principal}.
    """

    path: str
    principal: str = ""
