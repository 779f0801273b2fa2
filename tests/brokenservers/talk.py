"""
Somebody who talks to one of these servers without a network, for the unit tests.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.python.failure import Failure

from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.handshake import HANDSHAKE_SIZE
from rtmptw.wire.message import Message
from tests.brokenservers.plain import PlainFactory, PlainServer
from tests.brokenservers.plainstream import PlainStream
from tests.session.dialects import HANDSHAKE, TCPTransport, audio, command, connect, data, told, video

__all__ = ["MEDIA", "PREPARE", "Client", "Server", "differing", "publish", "said"]

#: What FFmpeg says behind connect.
PREPARE = (
    command("releaseStream", 2, None, "test"),
    command("FCPublish", 3, None, "test"),
    command("createStream", 4),
)

#: A stream's beginning.
MEDIA = (
    data("@setDataFrame", "onMetaData", {"width": 320.0}),
    audio(0, b"\xaf\x00\x12\x10"),
    video(0, b"\x17\x00\0\0\0" + bytes(40)),
    video(0),
    audio(23),
    video(40, b"\x27\x01\0\0\0" + bytes(4000)),
)


def publish(transactionId: float = 5, name: object = "test", id: int = 1) -> Message:
    """A publish."""
    return command("publish", transactionId, None, name, "live", id=id, csid=8)


class Server:
    """A server and its clock."""

    def __init__(self, server: type[PlainServer] = PlainServer) -> None:
        self.clock = Clock()
        self.factory = PlainFactory(self.clock, server)

    def stream(self, path: str = "live/test") -> PlainStream:
        """What is known under a name."""
        return self.factory.streams[path]

    def client(self) -> Client:
        """Somebody who has just come."""
        return Client(self)

    def greeted(self) -> Client:
        """Somebody whose handshake is over."""
        client = Client(self)
        client.receive(HANDSHAKE)
        client.raw()
        return client

    def connected(self) -> Client:
        """Somebody who is connected, and has read everything."""
        client = self.greeted()
        client.send(connect())
        client.take()
        return client

    def publisher(self) -> Client:
        """Somebody who publishes, and has read everything."""
        client = self.connected()
        client.send(*PREPARE)
        client.send(publish())
        client.take()
        return client

    def player(self) -> Client:
        """Somebody who plays, and has read everything so far."""
        client = self.connected()
        client.send(command("createStream", 2), command("play", 3, None, "test", -1000, id=1))
        client.take()
        return client


class Client:
    """One connection."""

    def __init__(self, server: Server) -> None:
        self.transport = TCPTransport()
        self.writer = ChunkWriter()
        self.reader = ChunkReader(offset=HANDSHAKE_SIZE)
        self.protocol = server.factory.buildProtocol(None)
        self.protocol.makeConnection(self.transport)

    def receive(self, data: bytes, size: int = 1 << 30) -> None:
        """The server receives bytes from this client, cut into pieces."""
        for start in range(0, len(data), size):
            self.protocol.dataReceived(data[start : start + size])

    def send(self, *messages: Message) -> None:
        """Send messages in one write."""
        self.receive(b"".join(map(self.writer.write, messages)))

    def raw(self) -> bytes:
        """The bytes that the server has sent since."""
        value: bytes = self.transport.value()
        self.transport.clear()
        return value

    def take(self) -> list[Message]:
        """The messages in them."""
        return list(self.reader.feed(self.raw()))

    def told(self) -> list[str]:
        """The same in short words."""
        return [told(message) for message in self.take()]

    def lose(self) -> None:
        """The connection is gone."""
        self.protocol.connectionLost(Failure(ConnectionResetError("gone")))

    @property
    def isClosing(self) -> bool:
        """Whether the server has closed the connection."""
        closing: bool = self.transport.disconnecting
        return closing


def said(server: type[PlainServer]) -> list[Message]:
    """All that a server says to FFmpeg, from connect to publish, whether or not each of them is answered."""
    client = Server(server).greeted()
    for messages in ((connect(),), PREPARE, (publish(),)):
        client.send(*messages)
    return client.take()


def differing(server: type[PlainServer]) -> list[tuple[Message, Message]]:
    """What a server says otherwise than L{PlainServer}: that one's message, and its own."""
    return [(one, other) for one, other in zip(said(PlainServer), said(server), strict=True) if one != other]
