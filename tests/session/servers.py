# -*- test-case-name: tests.session.test_clientconnection -*-
"""
A client without sockets or time, and servers for it: one that says what a test tells it to (L{Script}), and our own,
face to face (L{Facing}).
"""

from __future__ import annotations

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.task import Clock
from twisted.internet.testing import EventLoggingObserver
from twisted.logger import globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.client import RTMPClientFactory
from rtmptw.limits import Limits
from rtmptw.protocol import RTMPProtocol
from rtmptw.session import status
from rtmptw.session.clientconnection import ClientConnection
from rtmptw.session.clientstream import PlayedStream, PublishedStream
from rtmptw.url import RTMPURL
from rtmptw.wire.amf import AMFValue
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.command import Command
from rtmptw.wire.handshake import HANDSHAKE_SIZE, ServerHandshake
from rtmptw.wire.message import Message, MessageType
from tests.live.doubles import MemorySubscriber
from tests.session.dialects import Client, Stage, TCPTransport, takeTurns, told

__all__ = ["URL", "Facing", "Listener", "Script"]

URL = RTMPURL.parse("rtmp://server.test/live/test")


class Listener(MemorySubscriber):
    """A subscriber that keeps what it is given."""

    @property
    def content(self) -> list[tuple[int, int, bytes]]:
        return [(int(m.type), m.timestamp, m.payload) for m in self.messages]


class Script:
    """
    A server that does nothing by itself.

    @ivar heard: all that the client has said.
    """

    def __init__(
        self, case: SynchronousTestCase, transport: TCPTransport | None = None, limits: Limits | None = None
    ) -> None:
        self.case = case
        self.clock = Clock()
        self.log = EventLoggingObserver.createWithCleanup(case, globalLogPublisher)
        self.factory = RTMPClientFactory(URL, self.clock, publishing=True, limits=limits)
        self.transport = transport or TCPTransport()
        protocol = self.factory.buildProtocol(None)
        self.protocol: RTMPProtocol = protocol
        self.writer = ChunkWriter()
        self.reader = ChunkReader(offset=HANDSHAKE_SIZE)
        self.heard: list[Message] = []
        protocol.makeConnection(self.transport)
        assert isinstance(protocol.session, ClientConnection)
        self.connection = protocol.session

    def shakeHands(self) -> None:
        """The client's C0 and C1, our answer, its C2."""
        handshake = ServerHandshake()
        reply, _ = handshake.feed(self.transport.value())
        self.transport.clear()
        self.protocol.dataReceived(reply)
        value = self.transport.value()
        _, rest = handshake.feed(value)
        self.transport.clear()
        assert rest is not None
        self.heard += self.reader.feed(rest)

    def say(self, *messages: Message) -> None:
        """Say messages in one write."""
        self.protocol.dataReceived(b"".join(map(self.writer.write, messages)))
        takeTurns(self.protocol, self.clock)

    def answer(self, id: float, *values: AMFValue, name: str = "_result") -> None:
        """Answer a call."""
        self.say(Command(name, id, None, values).encode())

    def status(self, code: str, level: str = "status", id: int = 1, text: str = "because") -> None:
        """Say a status."""
        self.say(status.onStatus(id, code, text, level))

    def take(self) -> list[Message]:
        """What the client has said since."""
        messages = list(self.reader.feed(self.transport.value()))
        self.transport.clear()
        self.heard += messages
        return messages

    def told(self) -> list[str]:
        """The same in short words."""
        return [told(message) for message in self.take()]

    def commands(self) -> list[Command]:
        """The commands of it."""
        return [Command.decode(message) for message in self.take() if message.type == MessageType.COMMAND]

    def connected(self) -> Script:
        """Accept the connect."""
        self.shakeHands()
        information: AMFValue = {"level": "status", "code": status.CONNECT_SUCCESS}
        self.say(Command("_result", 1.0, {"fmsVer": "test"}, (information,)).encode())
        self.case.successResultOf(self.connection.whenConnected())
        return self

    def publishing(self, id: int = 1) -> PublishedStream:
        """Accept a publish."""
        publish = self.connection.publish("test?key=x")
        create = self.commands()[-1]
        self.answer(create.transactionId, float(id))
        self.take()
        self.status(status.PUBLISH_START, id=id)
        stream: PublishedStream = self.case.successResultOf(publish)
        return stream

    def playing(self, listener: Listener, id: int = 1) -> PlayedStream:
        """Accept a play."""
        play = self.connection.play("test", listener)
        create = self.commands()[-1]
        self.answer(create.transactionId, float(id))
        self.take()
        self.status(status.PLAY_START, id=id)
        stream: PlayedStream = self.case.successResultOf(play)
        return stream

    def lose(self, error: Exception | None = None) -> None:
        """The connection is gone."""
        self.protocol.connectionLost(Failure(error or ConnectionResetError("gone")))

    def finish(self) -> None:
        """Do what a transport and a good server do after a close: all is sent, and then the server closes as well."""
        half = IHalfCloseableProtocol(self.protocol, None)
        if half is not None:
            half.writeConnectionLost()
        self.lose(ConnectionDone())

    def lines(self) -> list[str]:
        """What was logged."""
        return [event["log_format"].format(**event) for event in self.log if event.get("log_format")]


class Facing:
    """
    Our client and our server, face to face.

    @ivar stage: the server.
    """

    def __init__(self, case: SynchronousTestCase, stage: Stage | None = None) -> None:
        self.case = case
        self.stage = stage or Stage(case)
        self.client = RTMPClientFactory(URL, self.stage.clock, publishing=True).buildProtocol(None)
        self.here, self.there = TCPTransport(), TCPTransport()
        self.server = Client(self.stage, self.there)
        self.client.makeConnection(self.here)
        assert isinstance(self.client.session, ClientConnection)
        self.connection = self.client.session
        self._lost = False

    def pump(self) -> None:
        """Carry what has been said, to and fro, until nobody says any more; then let closed ends be closed."""
        while self.here.value() or self.there.value():
            for source, target in ((self.here, self.server.protocol), (self.there, self.client)):
                data = source.value()
                source.clear()
                if data:
                    target.dataReceived(data)
        if self.here.disconnecting and not self._lost:
            self._lost = True
            half = IHalfCloseableProtocol(self.client, None)
            if half is not None:
                half.writeConnectionLost()
            self.server.protocol.connectionLost(Failure(ConnectionDone()))
            self.client.connectionLost(Failure(ConnectionDone()))
