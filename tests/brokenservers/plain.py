# -*- test-case-name: tests.brokenservers.test_plain -*-
"""
A small RTMP server that real clients get on with, written from wire facts 3.5, and so that it can be bent.

Every step that a server can get wrong is a method of its own, so a server with one mistake is a subclass with one
method (L{tests.brokenservers.bends}). Nothing here is the server that users run: only L{rtmptw.wire} is shared, so
what is said of a mistake does not depend on what that one happens to do.

::

    client                                          server
    C0 C1            shakeHands                     S0 S1 S2 at once
    C2, connect      connectReplies                 WinAck, PeerBW, SetChunkSize, then connectResult
    releaseStream..  otherResult                    _result, if it has a transaction ID and nothing is published yet
    createStream     createStreamResult             _result, 1
    publish          publishReplies                 StreamBegin, onStatus Publish.Start; from here on silence
    play             playReplies, opening           StreamBegin, onStatus Play.Start; metadata, headers, then all media
    its end          endReplies, to players         onStatus UnpublishNotify, StreamEOF, then FIN

It stores what is published, in memory and without bounds, and players may come before their publisher. One connection
publishes or plays one stream at a time. Nothing is limited by time, and a player that does not read is written to
nevertheless: this is a server for tests.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from twisted.internet.interfaces import ITCPTransport
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.python.failure import Failure

from rtmptw.errors import RemoteProtocolError
from rtmptw.wire.amf import UNDEFINED, AMFValue
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.command import Command
from rtmptw.wire.control import UserControl, UserControlType, setChunkSize, setPeerBandwidth, windowAcknowledgementSize
from rtmptw.wire.handshake import HANDSHAKE_SIZE, ServerHandshake
from rtmptw.wire.message import Message, MessageType
from tests.brokenservers.plainstream import MEDIA, PlainStream

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime
    from twisted.internet.tcp import Server

__all__ = ["CHUNK_SIZE", "PlainFactory", "PlainServer"]

#: What the server announces, bytes.
CHUNK_SIZE = 4096
WINDOW = 2_500_000

_COMMANDS = (MessageType.COMMAND, MessageType.COMMAND_AMF3)

#: Where the statuses of a message stream go (wire facts 3.5).
_STATUS_CHUNK_STREAM = 5


class PlainServer(Protocol):
    """
    One connection.

    @ivar heard: all commands that came, and were read.
    @ivar times: when each of them came, seconds.
    @ivar began: when the connection was made.
    @ivar ended: when it was lost; L{None} before.
    @ivar received: how many messages came, by type.
    @ivar problem: why the client's bytes can't be read any further; empty while they can.
    """

    factory: PlainFactory
    transport: Server

    def __init__(self) -> None:
        self.handshake: ServerHandshake | None = ServerHandshake()
        self.reader = ChunkReader(offset=HANDSHAKE_SIZE)
        self.writer = ChunkWriter()
        self.app = ""
        self.heard: list[Command] = []
        self.times: list[float] = []
        self.began = 0.0
        self.ended: float | None = None
        self.received: Counter[int] = Counter()
        self.problem = ""
        self.streamId = 0
        self.published: PlainStream | None = None
        self.played: PlainStream | None = None
        self._lastStreamId = 0
        self._waiting: list[bytes] = []

    # The bytes

    def connectionMade(self) -> None:
        """Nothing is to wait for more (wire facts 1.4)."""
        self.began = self.factory.clock.seconds()
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)

    def dataReceived(self, data: bytes) -> None:
        """Read, and answer a burst with one write."""
        if self.problem:
            return
        try:
            rest = data if self.handshake is None else self.shakeHands(data)
            if rest is not None:
                self.readChunks(rest)
        except RemoteProtocolError as error:
            self.problem = str(error)
        self.flush()
        if self.problem:
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """All that came was read before this."""
        self.ended = self.factory.clock.seconds()
        self.endPublish()
        self.endPlay()

    def shakeHands(self, data: bytes) -> bytes | None:
        """
        @return: what came behind C2; L{None} before its end.
        """
        assert self.handshake is not None
        reply, rest = self.handshake.feed(data)
        if reply:
            self.transport.write(reply)
        if rest is not None:
            self.handshake = None
        return rest

    def readChunks(self, data: bytes) -> None:
        """What came behind the handshake."""
        for message in self.reader.feed(data):
            self.received[message.type] += 1
            self.messageReceived(message)

    def encode(self, message: Message) -> bytes:
        """A message in chunks."""
        return self.writer.write(message)

    def send(self, *messages: Message) -> None:
        """Say something, at the next L{flush}."""
        self._waiting += map(self.encode, messages)

    def flush(self) -> None:
        """Write what was said."""
        waiting, self._waiting = b"".join(self._waiting), []
        if waiting:
            self.transport.write(waiting)

    def close(self) -> None:
        """Say the last words, then FIN."""
        self.flush()
        self.transport.loseConnection()

    # The messages

    def messageReceived(self, message: Message) -> None:
        """A whole message. What is not known is passed over (wire facts 2.6)."""
        if message.type in _COMMANDS:
            try:
                command = Command.decode(message)
            except RemoteProtocolError:
                return
            self.heard.append(command)
            self.times.append(self.factory.clock.seconds())
            self.commandReceived(command, message.streamId)
        elif message.type in MEDIA:
            self.mediaReceived(message)
        elif message.type == MessageType.USER_CONTROL:
            control = UserControl.decode(message.payload)
            if control is not None:
                self.controlReceived(control)

    def commandReceived(self, command: Command, streamId: int) -> None:
        """
        A command, in any order: each stands for itself (wire facts 3.6, 10).

        @param streamId: the message stream that it came on; a client may send it on another one than it should.
        """
        step = getattr(self, f"command_{command.name}", None)
        if step is not None:
            step(command)
        elif command.transactionId and self.published is None:
            self.send(*self.otherResult(command))

    def controlReceived(self, control: UserControl) -> None:
        """A user control message. Only a ping wants an answer."""
        if control.event == UserControlType.PING_REQUEST:
            self.send(UserControl(UserControlType.PING_RESPONSE, control.value).encode())

    def mediaReceived(self, message: Message) -> None:
        """Audio, video or data, from a publisher or from somebody who is none."""
        if self.published is not None:
            self.published.add(message)

    # The commands

    def command_connect(self, command: Command) -> None:
        """Everybody is welcome."""
        parameters = command.commandObject
        app = parameters.get("app") if isinstance(parameters, dict) else None
        self.app = app.partition("?")[0].strip("/") if isinstance(app, str) else ""
        self.send(*self.connectReplies(command))

    def command_createStream(self, command: Command) -> None:
        """There are as many as are asked for, from 1 on."""
        self._lastStreamId += 1
        self.send(*self.createStreamResult(command, self._lastStreamId))

    def command_publish(self, command: Command) -> None:
        """A name, or false for the end (wire facts 3.1, Flash)."""
        name = command.argument(0)
        if name is False:
            self.endPublish()
            return
        stream = self.stream(name)
        if stream.publisher is not None and stream.publisher is not self:
            self.refuse("NetStream.Publish.BadName", "The name is in use.")
            return
        self.endPublish()
        self.streamId = max(self._lastStreamId, 1)
        self.published = stream
        stream.begin(self)
        self.send(*self.publishReplies(command))

    def command_play(self, command: Command) -> None:
        """Who comes before the publisher waits."""
        self.endPlay()
        self.streamId = max(self._lastStreamId, 1)
        self.played = self.stream(command.argument(0))
        self.played.players.append(self)
        self.send(*self.playReplies(), *map(self.toMyStream, self.played.headers()))

    def command_getStreamLength(self, command: Command) -> None:
        """A live stream has none. FFmpeg's player complains about an answer that is no number."""
        self.send(Command("_result", command.transactionId, None, (0.0,)).encode())

    def command_FCUnpublish(self, command: Command) -> None:
        """The first of several words for the end (wire facts 9)."""
        self.endPublish()

    def command_deleteStream(self, command: Command) -> None:
        """The second one."""
        self.endPublish()
        self.endPlay()

    command_closeStream = command_deleteStream

    def stream(self, name: AMFValue) -> PlainStream:
        """The stream of a name, without its query."""
        path = f"{self.app}/{name.partition('?')[0] if isinstance(name, str) else ''}".strip("/")
        return self.factory.streams.setdefault(path, PlainStream())

    def endPublish(self) -> None:
        """This publisher has ended. Harmless when repeated."""
        stream, self.published = self.published, None
        if stream is not None:
            stream.end()

    def endPlay(self) -> None:
        """This player has gone. Harmless when repeated."""
        stream, self.played = self.played, None
        if stream is not None and self in stream.players:
            stream.players.remove(self)

    # The replies

    def connectReplies(self, command: Command) -> list[Message]:
        """What is said to connect."""
        return [
            windowAcknowledgementSize(WINDOW),
            setPeerBandwidth(WINDOW),
            setChunkSize(CHUNK_SIZE),
            self.connectResult(command.transactionId),
        ]

    def connectResult(self, transactionId: float) -> Message:
        """The yes to connect: 190 bytes, so that it needs two chunks of 128."""
        information = self.information("NetConnection.Connect.Success", "Connection succeeded.")
        server: dict[str, AMFValue] = {"fmsVer": "FMS/3,0,1,123", "capabilities": 31.0}
        return Command("_result", transactionId, server, ({**information, "objectEncoding": 0.0},)).encode()

    def createStreamResult(self, command: Command, streamId: int) -> list[Message]:
        """The yes to createStream."""
        return [Command("_result", command.transactionId, None, (float(streamId),)).encode()]

    def otherResult(self, command: Command) -> list[Message]:
        """The answer to every other call, as releaseStream, FCPublish, _checkbw, FCSubscribe."""
        return [Command("_result", command.transactionId, None, (UNDEFINED,)).encode()]

    def publishReplies(self, command: Command) -> list[Message]:
        """The yes to publish."""
        begin = UserControl(UserControlType.STREAM_BEGIN, self.streamId).encode()
        return [begin, self.status("NetStream.Publish.Start", "Publishing.")]

    def playReplies(self) -> list[Message]:
        """The yes to play."""
        begin = UserControl(UserControlType.STREAM_BEGIN, self.streamId).encode()
        return [begin, self.status("NetStream.Play.Start", "Playing.")]

    def endReplies(self) -> list[Message]:
        """What a player is told at the end: one word for FFmpeg and librtmp, one for rtmp2 (wire facts 6)."""
        end = UserControl(UserControlType.STREAM_EOF, self.streamId).encode()
        return [self.status("NetStream.Play.UnpublishNotify", "The publisher has gone."), end]

    def status(self, code: str, description: str, level: str = "status") -> Message:
        """A status on the message stream in use."""
        information = self.information(code, description, level)
        return Command("onStatus", 0.0, None, (information,)).encode(self.streamId, _STATUS_CHUNK_STREAM)

    def information(self, code: str, description: str, level: str = "status") -> dict[str, AMFValue]:
        """An information object."""
        return {"level": level, "code": code, "description": description}

    def refuse(self, code: str, description: str) -> None:
        """Say no, and go: librtmp waits for 30 s otherwise (wire facts 3.6, 13)."""
        self.streamId = max(self._lastStreamId, 1)
        self.send(self.status(code, description, "error"))
        self.close()

    # The players

    def deliver(self, message: Message) -> None:
        """Give a player a message of its stream."""
        self.send(self.toMyStream(message))
        self.flush()

    def toMyStream(self, message: Message) -> Message:
        """The same on the message stream that is played here."""
        return Message(message.type, message.timestamp, self.streamId, message.payload, message.chunkStreamId)

    def finish(self) -> None:
        """Tell a player that its stream has ended."""
        self.played = None
        self.send(*self.endReplies())
        self.close()


class PlainFactory(ServerFactory):
    """
    The server.

    @ivar streams: by path: app, slash, name.
    @ivar connections: all that there ever were, in order.
    @ivar clock: for servers that take their time.
    """

    noisy = False

    def __init__(self, clock: IReactorTime, server: type[PlainServer] = PlainServer) -> None:
        """
        @param server: what each connection is.
        """
        self.clock = clock
        self.server = server
        self.streams: dict[str, PlainStream] = {}
        self.connections: list[PlainServer] = []

    def buildProtocol(self, address: object) -> PlainServer:  # type: ignore[override]
        """Somebody has come."""
        connection = self.server()
        connection.factory = self
        self.connections.append(connection)
        return connection
