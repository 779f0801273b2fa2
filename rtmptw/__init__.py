"""
RTMP for Python on Twisted: the wire, sessions, live streams, a server and a recorder.

The names here are the public ones; L{rtmptw.wire} has the formats, for tools.
"""

from rtmptw.errors import LimitExceeded, LocalProtocolError, RemoteProtocolError, RTMPError, StatusError
from rtmptw.interfaces import IApplication, IStreamObserver, ISubscriber, ISubscription
from rtmptw.live.hub import StreamHub
from rtmptw.live.livestream import LiveStream
from rtmptw.requests import ConnectRequest, PlayRequest, PublishRequest
from rtmptw.server import OpenApplication, RTMPServerFactory
from rtmptw.wire.media import MediaKind, MediaTag, classify, describe
from rtmptw.wire.message import Message, MessageType

__version__ = "0.1.0"

__all__ = [
    "ConnectRequest",
    "IApplication",
    "IStreamObserver",
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
    "PublishRequest",
    "RTMPError",
    "RTMPServerFactory",
    "RemoteProtocolError",
    "StatusError",
    "StreamHub",
    "__version__",
    "classify",
    "describe",
]
