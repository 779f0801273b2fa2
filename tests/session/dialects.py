# -*- test-case-name: tests.session.test_serverconnection -*-
"""
A server without sockets or time, and clients that talk to it the way real ones do (wire facts 3.1 and 3.3).

L{Stage} is the server; L{Client} one connection to it; L{PUBLISHERS} and L{PLAYERS} are the dialects.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.task import Clock
from twisted.internet.testing import EventLoggingObserver, StringTransport
from twisted.logger import globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from rtmptw.interfaces import IApplication, IStreamObserver, ISubscriber
from rtmptw.limits import Limits
from rtmptw.live.livestream import LiveStream
from rtmptw.protocol import RTMPProtocol
from rtmptw.requests import StreamRequest
from rtmptw.server import RTMPServerFactory
from rtmptw.wire import amf0
from rtmptw.wire.amf import ECMAArray
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.control import UserControl, UserControlType, setChunkSize, setPeerBandwidth, windowAcknowledgementSize
from rtmptw.wire.handshake import HANDSHAKE_SIZE
from rtmptw.wire.message import Message, MessageType
from tests.live.doubles import atOnce

__all__ = [
    "PLAYERS",
    "PUBLISHERS",
    "Application",
    "Client",
    "Dialect",
    "Stage",
    "StoredStream",
    "TCPTransport",
    "audio",
    "command",
    "connect",
    "data",
    "takeTurns",
    "told",
    "video",
]

HANDSHAKE = b"\3" + bytes(HANDSHAKE_SIZE - 1)


@implementer(ITCPTransport)
class TCPTransport(StringTransport):
    """
    What TCP can do besides. C{calls} has what was asked for, in order.

    @ivar lost: called at once by C{abortConnection}, if set: some transports do that.
    """

    def __init__(self, host: str = "192.168.1.1") -> None:
        super().__init__(peerAddress=IPv4Address("TCP", host, 54321))
        self.calls: list[str] = []
        self.lost: Callable[[Failure], None] | None = None

    def write(self, data: bytes) -> None:
        super().write(data)
        if self.calls[-1:] != ["write"]:
            self.calls.append("write")

    def loseConnection(self) -> None:
        self.calls.append("loseConnection")
        super().loseConnection()

    def loseWriteConnection(self) -> None:
        self.calls.append("loseWriteConnection")
        self.disconnecting = True

    def resumeProducing(self) -> None:
        # As TCP: harmless at the end.
        if not self.disconnecting:
            super().resumeProducing()

    def abortConnection(self) -> None:
        self.calls.append("abortConnection")
        self.disconnecting = self.disconnected = True
        lost, self.lost = self.lost, None
        if lost is not None:
            lost(Failure(ConnectionAbortedError("aborted")))

    def getTcpNoDelay(self) -> bool:
        return "noDelay" in self.calls

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.calls.append("noDelay")

    def getTcpKeepAlive(self) -> bool:
        return "keepAlive" in self.calls

    def setTcpKeepAlive(self, enabled: bool) -> None:
        self.calls.append("keepAlive")


@implementer(IApplication)
class Application:
    """
    Says what it was told to say.

    @ivar answers: by command, what is returned, or raised if it is an exception, or called if it can be.
    @ivar requests: what was asked.
    """

    def __init__(self, **answers: object) -> None:
        self.answers = answers
        self.requests: list[tuple[str, object]] = []

    def _answer(self, what: str, request: object) -> object:
        self.requests.append((what, request))
        answer = self.answers.get(what)
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def connectRequested(self, request: object) -> object:
        return self._answer("connect", request)

    def publishRequested(self, request: object) -> object:
        return self._answer("publish", request)

    def playRequested(self, request: object) -> object:
        return self._answer("play", request)

    @property
    def asked(self) -> list[tuple[str, str]]:
        """What was asked but connects: command and path."""
        return [(what, request.path) for what, request in self.requests if isinstance(request, StreamRequest)]


@implementer(ISubscriber)
class StoredStream:
    """Everything of one publish."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.messages: list[Message] = []
        self.ends: list[str] = []
        self.messagesAtEnd = -1

    def messageReceived(self, message: Message) -> None:
        self.messages.append(message)

    def streamEnded(self, reason: str) -> None:
        self.ends.append(reason)
        self.messagesAtEnd = len(self.messages)

    def media(self) -> list[tuple[int, int, bytes]]:
        """Audio and video: type, timestamp, payload."""
        return [(m.type, m.timestamp, m.payload) for m in self.messages if m.type in (8, 9)]


def takeTurns(protocol: RTMPProtocol, clock: Clock) -> None:
    """Let the reactor go on, without any time, until all that a connection has brought is read, or must wait."""
    while protocol._appetite.isTurning and clock.getDelayedCalls():
        clock.advance(0)


@implementer(IStreamObserver)
class Stage:
    """
    A server.

    @ivar published: what was published, in order of the publishes.
    """

    def __init__(
        self,
        case: SynchronousTestCase,
        application: Application | None = None,
        verbose: bool = False,
        limits: Limits | None = None,
    ) -> None:
        self.case = case
        self.clock = Clock()
        self.application = application or Application()
        self.factory = RTMPServerFactory(self.application, atOnce(self.clock), self.clock, verbose, limits=limits)
        self.factory.hub.observers.append(self)
        self.published: list[StoredStream] = []
        self.subscriptions: list[object] = []
        self.log = EventLoggingObserver.createWithCleanup(case, globalLogPublisher)

    def publishStarted(self, stream: LiveStream) -> None:
        self.published.append(StoredStream(stream.path))
        self.subscriptions.append(stream.subscribe(self.published[-1]))

    def client(self, transport: StringTransport | None = None) -> Client:
        """Somebody who has just come."""
        return Client(self, transport)

    def connected(self, app: str = "live", **properties: object) -> Client:
        """Somebody who is connected, and has read everything."""
        client = self.client()
        client.shakeHands()
        client.send(connect(app, **properties))
        client.take()
        return client

    def publisher(self, name: str = "test", id: int = 1) -> Client:
        """Somebody who publishes, and has read everything."""
        client = self.connected()
        client.send(command("createStream", 2), command("publish", 3, None, name, "live", id=id))
        self.case.assertEqual(client.told()[-1], f"onStatus@{id} NetStream.Publish.Start")
        return client

    def player(self, name: str = "test", id: int = 1) -> Client:
        """Somebody who plays, and has read everything that is not media."""
        client = self.connected()
        client.send(command("createStream", 2), command("play", 3, None, name, id=id))
        self.case.assertIn(f"onStatus@{id} NetStream.Play.Start", client.told())
        return client

    def pass_(self, seconds: int) -> None:
        """Seconds pass, one by one."""
        self.clock.pump([1.0] * seconds)

    def lines(self) -> list[str]:
        """The reasons of all connections that have ended, from the log."""
        return [event["reason"] for event in self.log if "closed: {reason}" in (event.get("log_format") or "")]


class Client:
    """
    One connection. What it says is cut into chunks by our own writer, at its own chunk size.

    @ivar heard: all that the server has said.
    """

    def __init__(self, stage: Stage, transport: StringTransport | None = None) -> None:
        self.stage = stage
        self.transport = TCPTransport() if transport is None else transport
        self.writer = ChunkWriter()
        self.reader = ChunkReader(offset=HANDSHAKE_SIZE)
        self.protocol = stage.factory.buildProtocol(None)
        self.heard: list[Message] = []
        self.protocol.makeConnection(self.transport)

    def shakeHands(self) -> None:
        self.receive(HANDSHAKE)
        self.stage.case.assertEqual(len(self.transport.value()), HANDSHAKE_SIZE)
        self.transport.clear()

    def receive(self, data: bytes, size: int = 1 << 30) -> None:
        """The server receives bytes from this client, cut into pieces."""
        for start in range(0, len(data), size):
            self.protocol.dataReceived(data[start : start + size])
            takeTurns(self.protocol, self.stage.clock)

    def encode(self, *messages: Message) -> bytes:
        return b"".join(map(self.writer.write, messages))

    def send(self, *messages: Message) -> None:
        """Send messages in one write."""
        self.receive(self.encode(*messages))

    def take(self) -> list[Message]:
        """What the server has said since."""
        messages = list(self.reader.feed(self.transport.value()))
        self.transport.clear()
        self.heard += messages
        return messages

    def told(self) -> list[str]:
        """The same in short words."""
        return [told(message) for message in self.take()]

    def lose(self, reason: Exception | None = None) -> None:
        """The connection is gone."""
        self.protocol.connectionLost(Failure(reason or ConnectionResetError("gone")))

    @property
    def closing(self) -> bool:
        """Whether the server has closed the connection."""
        return self.transport.disconnecting

    def assertSilent(self) -> None:
        """The server has not written a byte."""
        self.stage.case.assertEqual(self.transport.value(), b"")


def told(message: Message) -> str:
    """A message in short words."""
    if message.type == MessageType.COMMAND:
        name, transactionId, *rest = amf0.decode(message.payload)
        information = rest[-1] if rest and isinstance(rest[-1], dict) else {}
        code = str(information.get("code", "")) if name != "_result" else ""
        where = f"@{message.streamId}" if name == "onStatus" else f" {transactionId:g}"
        return f"{name}{where} {code}".strip()
    if message.type == MessageType.USER_CONTROL:
        control = UserControl.decode(message.payload)
        assert control is not None
        return f"{UserControlType(control.event).name} {control.value}"
    if message.type in (MessageType.AUDIO, MessageType.VIDEO):
        return f"{MessageType(message.type).name}@{message.streamId} {message.timestamp}"
    if message.type == MessageType.DATA:
        return f"DATA@{message.streamId} {amf0.decode(message.payload)[0]}"
    return f"{MessageType(message.type).name} {int.from_bytes(message.payload[:4], 'big')}"


# What clients say


def command(
    name: object, transactionId: object = 0.0, *values: object, id: int = 0, csid: int = 3, type: int = 20
) -> Message:
    """A command; a whole number is a number, and without values there is a null."""
    numbers = [float(value) if isinstance(value, int) and not isinstance(value, bool) else value for value in values]
    number = float(transactionId) if type_(transactionId) is int else transactionId
    payload = amf0.encode(name, number, *(numbers or [None]))
    return Message(type, 0, id, (b"\0" if type == 17 else b"") + payload, csid)


type_ = type


def connect(app: str = "live", transactionId: float = 1, **properties: object) -> Message:
    return command("connect", transactionId, {"app": app, "tcUrl": f"rtmp://localhost/{app}", **properties})


def data(*values: object, timestamp: int = 0, id: int = 1, type: int = 18, csid: int = 4) -> Message:
    return Message(type, timestamp, id, amf0.encode(*values), csid)


def audio(timestamp: int, payload: bytes = b"\xaf\x01\x21\x10", id: int = 1, csid: int = 4) -> Message:
    return Message(MessageType.AUDIO, timestamp, id, payload, csid)


def video(timestamp: int, payload: bytes = b"\x17\x01\0\0\0" + bytes(300), id: int = 1, csid: int = 6) -> Message:
    return Message(MessageType.VIDEO, timestamp, id, payload, csid)


def _buffer(id: int, length: int) -> Message:
    return UserControl(UserControlType.SET_BUFFER_LENGTH, id, length).encode()


METADATA = ECMAArray({"width": 320.0, "encoder": "a test"})

MEDIA = (
    audio(0, b"\xaf\x00\x12\x10"),
    video(0, b"\x17\x00\0\0\0" + bytes(40)),
    video(0),
    audio(23),
    video(40, b"\x27\x01\0\0\0" + bytes(4000)),
    audio(46, b""),
)


@dataclass(frozen=True)
class Dialect:
    """
    How one client talks.

    @ivar name: who.
    @ivar steps: what it sends, each step in one write and after the answer to the one before.
    @ivar answers: what the server says to all of it, up to the start, in short words.
    @ivar media: what a publisher sends then.
    @ivar ending: how it says that it goes.
    @ivar afterwards: what a player is told when the publisher goes.
    """

    name: str
    steps: tuple[tuple[Message, ...], ...]
    answers: tuple[str, ...]
    media: tuple[Message, ...] = MEDIA
    ending: tuple[Message, ...] = ()
    afterwards: tuple[str, ...] = field(default=())


_CONNECTED = (
    "WINDOW_ACKNOWLEDGEMENT_SIZE 2500000",
    "SET_PEER_BANDWIDTH 2147483647",
    "STREAM_BEGIN 0",
    "SET_CHUNK_SIZE 32000",
    "_result 1",
)
_STARTED = ("STREAM_BEGIN 1", "onStatus@1 NetStream.Publish.Start")
_PLAYING = ("STREAM_BEGIN 1", "onStatus@1 NetStream.Play.Start", "DATA@1 |RtmpSampleAccess")
_ENDED = ("onStatus@1 NetStream.Play.UnpublishNotify", "STREAM_EOF 1")

_PREPARE = (
    command("releaseStream", 2, None, "test"),
    command("FCPublish", 3, None, "test"),
    command("createStream", 4),
)
_GOODBYE = (command("FCUnpublish", 6, None, "test"), command("deleteStream", 7, None, 1))
_SET_DATA = data("@setDataFrame", "onMetaData", METADATA)

PUBLISHERS = (
    Dialect(
        "FFmpeg",
        (
            (connect(type="nonprivate", flashVer="FMLE/3.0 (compatible; Lavf60.3.100)"),),
            (setChunkSize(65536), *_PREPARE),
            (command("publish", 5, None, "test", "live", id=1, csid=8),),
        ),
        (*_CONNECTED, "_result 2", "_result 3", "_result 4", *_STARTED),
        (_SET_DATA, *MEDIA),
        _GOODBYE,
    ),
    Dialect(
        "FFmpeg with -rtmp_enhanced_codecs, and _checkbw",
        (
            (connect(type="nonprivate", fourCcList=["hvc1", "av01", "vp09", "Opus"]),),
            (setChunkSize(65536), *_PREPARE, command("_checkbw", 5)),
            (command("publish", 6, None, "test", "live", id=1, csid=8),),
        ),
        (*_CONNECTED, "_result 2", "_result 3", "_result 4", "_result 5", *_STARTED),
        (_SET_DATA, *MEDIA),
        _GOODBYE,
    ),
    Dialect(
        "librtmp",
        (
            (connect(type="nonprivate"),),
            _PREPARE,
            (command("publish", 5, None, "test", "live", id=1, csid=4),),
        ),
        (*_CONNECTED, "_result 2", "_result 3", "_result 4", *_STARTED),
        tuple(Message(m.type, m.timestamp, 1, m.payload, 4) for m in (_SET_DATA, *MEDIA)),
        _GOODBYE,
    ),
    Dialect(
        "OBS",
        (
            (
                setChunkSize(4096),
                connect(type="nonprivate", flashVer="FMLE/3.0 (compatible; FMSc/1.0)", swfUrl="rtmp://localhost/live"),
            ),
            _PREPARE,
            (command("publish", 5, None, "test", "live", id=1, csid=4),),
        ),
        (*_CONNECTED, "_result 2", "_result 3", "_result 4", *_STARTED),
        (_SET_DATA, *MEDIA, video(0, b"\x92hvc1")),
        _GOODBYE,
    ),
    Dialect(
        "GStreamer rtmp2sink",
        (
            (connect(type="nonprivate"),),
            (
                windowAcknowledgementSize(0x7FFFFFFF),
                command("releaseStream", 0, None, "test"),
                command("FCPublish", 0, None, "test"),
                command("createStream", 2),
            ),
            (command("publish", 0, None, "test", "live", id=1),),
        ),
        (*_CONNECTED, "_result 2", *_STARTED),
        (setChunkSize(128), _SET_DATA, *MEDIA, _SET_DATA, audio(70)),
        (command("FCUnpublish", 0, None, "test"), command("deleteStream", 0, None, "test")),
    ),
    Dialect(
        "gortmplib",
        (
            (
                windowAcknowledgementSize(2500000),
                setPeerBandwidth(2500000),
                setChunkSize(65536),
                connect("live/test", flashVer="LNX 9,0,124,2", objectEncoding=0.0),
            ),
            _PREPARE,
            (command("publish", 5, None, "", "live", id=1, csid=4),),
        ),
        (*_CONNECTED, "_result 2", "_result 3", "_result 4", *_STARTED),
        (_SET_DATA, *MEDIA),
    ),
    Dialect(
        "nginx relay, which does not wait",
        (
            (setChunkSize(4096), windowAcknowledgementSize(5000000), connect(pageUrl="", audioCodecs=3191.0)),
            (
                command("createStream", 2),
                command("publish", 0, None, "test", "live", id=1, csid=5),
                UserControl(UserControlType.STREAM_BEGIN, 1).encode(),
            ),
        ),
        (*_CONNECTED, "_result 2", *_STARTED),
        (data("onMetaData", {"width": 320.0}, timestamp=179, csid=5), *MEDIA),
    ),
    Dialect(
        "SRS",
        (
            (connect(),),
            (windowAcknowledgementSize(2500000), *_PREPARE),
            (setChunkSize(60000), command("publish", 0, None, "test", "live", id=1, csid=5)),
        ),
        (*_CONNECTED, "_result 2", "_result 3", "_result 4", *_STARTED),
        (_SET_DATA, *MEDIA),
        _GOODBYE,
    ),
    Dialect(
        "Haivision: createStream first",
        (
            (connect(),),
            (
                command("createStream", 2),
                command("releaseStream", 3, None, "test"),
                command("FCPublish", 4, None, "test"),
                command("_checkbw", 5),
            ),
            (command("publish", 6, None, "test", "live", id=1),),
        ),
        (*_CONNECTED, "_result 2", "_result 3", "_result 4", "_result 5", *_STARTED),
        (_SET_DATA, *MEDIA),
    ),
    Dialect(
        "Flash: type 17, encoding 3, no FCPublish, stops with publish(false)",
        (
            (
                Message(
                    17,
                    0,
                    0,
                    b"\0"
                    + amf0.encode("connect", 1.0)
                    # An anonymous, dynamic AMF3 object: app is a string, objectEncoding an integer.
                    + b"\x11\x0a\x0b\x01\x07app\x06\x09live\x1dobjectEncoding\x04\x03\x01"
                    + amf0.encode("an argument", True),
                    3,
                ),
            ),
            (command("createStream", 2, type=17),),
            (command("publish", 3, None, "test", type=17, id=1, csid=8),),
        ),
        (*_CONNECTED, "_result 2", *_STARTED),
        (data("@setDataFrame", "onMetaData", METADATA), *MEDIA),
        (command("publish", 4, None, False, type=17, id=1, csid=8), command("closeStream", 0, type=17, id=1)),
    ),
    Dialect(
        "RootEncoder: connect is transaction 2",
        (
            (connect(transactionId=2),),
            (
                command("releaseStream", 3, None, "test"),
                command("FCPublish", 4, None, "test"),
                command("createStream", 5),
            ),
            (command("publish", 6, None, "test", "live", id=1),),
        ),
        (*_CONNECTED[:-1], "_result 2", "_result 3", "_result 4", "_result 5", *_STARTED),
        (_SET_DATA, *MEDIA),
        _GOODBYE,
    ),
)

PLAYERS = (
    Dialect(
        "FFmpeg",
        (
            (connect(fpad=False, capabilities=15.0, audioCodecs=4071.0, videoCodecs=252.0, videoFunction=1.0),),
            (windowAcknowledgementSize(0x7FFFFFFF), command("createStream", 2)),
            (command("FCSubscribe", 3, None, "test"), command("getStreamLength", 4, None, "test", csid=8)),
            (command("play", 5, None, "test", -2000, id=1, csid=8), _buffer(1, 3000)),
        ),
        (*_CONNECTED, "_result 2", "_result 3", "_result 4", *_PLAYING),
        afterwards=_ENDED,
    ),
    Dialect(
        "rtmpdump",
        (
            (connect(),),
            (windowAcknowledgementSize(0x7FFFFFFF), _buffer(0, 300), command("createStream", 2)),
            (
                command("FCSubscribe", 3, None, "test"),
                command("play", 4, None, "test", -1000, id=1, csid=8),
                _buffer(1, 36000000),
            ),
        ),
        (*_CONNECTED, "_result 2", "_result 3", *_PLAYING),
        afterwards=_ENDED,
    ),
    Dialect(
        "GStreamer rtmp2src",
        (
            (connect(),),
            (
                windowAcknowledgementSize(0x7FFFFFFF),
                windowAcknowledgementSize(0x7FFFFFFF),
                _buffer(0, 300),
                command("createStream", 2),
            ),
            (command("play", 0, None, "test", -2, id=1), _buffer(1, 30000)),
        ),
        (*_CONNECTED, "_result 2", *_PLAYING),
        afterwards=_ENDED,
    ),
    Dialect(
        "gortmplib",
        (
            (connect("live/test", fourCcList=["av01", "hvc1"]),),
            (command("createStream", 2),),
            (_buffer(0, 100), command("play", 3, None, "", id=1, csid=4)),
        ),
        (*_CONNECTED, "_result 2", *_PLAYING),
        afterwards=_ENDED,
    ),
    Dialect(
        "Flash: type 17, with a reset",
        (
            (connect(objectEncoding=3.0),),
            (command("createStream", 2, type=17), command("FCSubscribe", 0, None, "test", type=17)),
            (command("play", 3, None, "test", -1, -1, True, type=17, id=1, csid=8),),
        ),
        (
            *_CONNECTED,
            "_result 2",
            "STREAM_BEGIN 1",
            "onStatus@1 NetStream.Play.Reset",
            "onStatus@1 NetStream.Play.Start",
            "DATA@1 |RtmpSampleAccess",
        ),
        afterwards=_ENDED,
    ),
)
