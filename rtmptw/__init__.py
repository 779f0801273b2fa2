"""
RTMP for Python on Twisted: the wire, sessions, live streams, a server, a client, a recorder and relays.

The names here are the public ones; L{rtmptw.wire} has the formats, for tools.
"""

from rtmptw.client import RTMPClientFactory, connect, play, publish
from rtmptw.errors import (
    AuthenticationError,
    CallError,
    CallTimedOut,
    ConnectionClosed,
    LimitExceeded,
    LocalProtocolError,
    RemoteProtocolError,
    RTMPError,
    StatusError,
    URLError,
)
from rtmptw.interfaces import IApplication, IStreamObserver, IStreamSource, ISubscriber, ISubscription
from rtmptw.live.hub import StreamHub
from rtmptw.live.livestream import LiveStream
from rtmptw.live.rounds import FlushTimes
from rtmptw.live.tape import CacheLimits
from rtmptw.relay.pull import Pull
from rtmptw.relay.push import Push
from rtmptw.requests import ConnectRequest, Granted, PlayRequest, PublishRequest
from rtmptw.server import OpenApplication, RTMPServerFactory
from rtmptw.session.clientconnection import ClientConnection
from rtmptw.session.clientstream import PlayedStream, PublishedStream
from rtmptw.url import RTMPURL
from rtmptw.wire.media import MediaKind, MediaTag, classify, describe
from rtmptw.wire.message import Message, MessageType

__version__ = "0.1.0"

__all__ = [
    "RTMPURL",
    "AuthenticationError",
    "CacheLimits",
    "CallError",
    "CallTimedOut",
    "ClientConnection",
    "ConnectRequest",
    "ConnectionClosed",
    "FlushTimes",
    "Granted",
    "IApplication",
    "IStreamObserver",
    "IStreamSource",
    "ISubscriber",
    "ISubscription",
    "LimitExceeded",
    "LiveStream",
    "LocalProtocolError",
    "MediaKind",
    "MediaTag",
    "Message",
    "MessageType",
    "OpenApplication",
    "PlayRequest",
    "PlayedStream",
    "PublishRequest",
    "PublishedStream",
    "Pull",
    "Push",
    "RTMPClientFactory",
    "RTMPError",
    "RTMPServerFactory",
    "RemoteProtocolError",
    "StatusError",
    "StreamHub",
    "URLError",
    "__version__",
    "classify",
    "connect",
    "describe",
    "play",
    "publish",
]
