"""
A connection in memory between a L{Contact} and a server, and what stands in for a server: captured bytes, or messages
that a test writes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface import implementer

from rtmptw.dialects.contact import Contact
from rtmptw.dialects.dialect import Dialect
from rtmptw.dialects.players import PLAYERS
from rtmptw.dialects.publishers import PUBLISHERS
from rtmptw.dialects.visit import Visit
from rtmptw.errors import RemoteProtocolError
from rtmptw.trace.entry import ReadMessage
from rtmptw.trace.segment import Side
from rtmptw.url import RTMPURL
from rtmptw.wire.amf import AMFValue
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.command import Command
from rtmptw.wire.handshake import HANDSHAKE_SIZE, ServerHandshake
from rtmptw.wire.message import Message, MessageType

__all__ = ["DIALECTS", "URL", "End", "Meeting", "ScriptedServer", "readAll"]

URL = RTMPURL.parse("rtmp://127.0.0.1:19350/live/test")

#: All of them, by name.
DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (*PUBLISHERS, *PLAYERS)}

_T = TypeVar("_T")


@implementer(ITCPTransport)
class End:
    """
    One end of a connection in memory.

    @ivar protocol: who has it.
    @ivar peer: the other end.
    @ivar written: all that was ever written here.
    @ivar noDelay: what was said about Nagle's algorithm.
    """

    peer: End

    def __init__(self, protocol: Any) -> None:
        self.protocol = protocol
        self.written = bytearray()
        self.noDelay: bool | None = None
        self.isPaused = self.isClosing = self.isLost = False
        self._waiting = bytearray()

    def write(self, data: bytes) -> None:
        """To the peer, at the next L{pump}."""
        if not self.isClosing:
            self.written += data
            self._waiting += data

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """See L{write}."""
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        """FIN behind what was written."""
        self.isClosing = True

    def abortConnection(self) -> None:
        """RST, at once."""
        self.isClosing = True
        self._waiting.clear()
        self.lose(ConnectionAborted())
        self.peer.lose(ConnectionLost())

    def setTcpNoDelay(self, isOn: bool) -> None:
        """See L{ITCPTransport}."""
        self.noDelay = isOn

    def pauseProducing(self) -> None:
        """Do not read."""
        self.isPaused = True

    def resumeProducing(self) -> None:
        """Read."""
        self.isPaused = False

    def lose(self, reason: Exception) -> None:
        """The connection is gone."""
        if not self.isLost:
            self.isLost = self.isClosing = True
            self.protocol.connectionLost(Failure(reason))

    def pump(self, most: int) -> bool:
        """
        Deliver what was written.

        @param most: in how large pieces, bytes.
        @return: whether something has happened.
        """
        if self.isLost or self.peer.isPaused:
            return False
        if self._waiting:
            piece = bytes(self._waiting[:most])
            del self._waiting[:most]
            if not self.peer.isLost:
                self.peer.protocol.dataReceived(piece)
            return True
        if self.isClosing:
            self.lose(ConnectionDone())
            self.peer.lose(ConnectionDone())
            return True
        return False


class Meeting:
    """
    A clock, and all connections that are made in a test.

    @ivar most: in how large pieces bytes arrive at the client.
    """

    def __init__(self, most: int = 65536) -> None:
        self.clock = Clock()
        self.most = most
        self._ends: list[End] = []

    def connect(self, server: Protocol) -> Contact:
        """A connection to a server."""
        contact = Contact(self.clock)
        here, there = End(contact), End(server)
        here.peer, there.peer = there, here
        self._ends += [here, there]
        server.makeConnection(there)  # type: ignore[arg-type]
        contact.makeConnection(here)  # type: ignore[arg-type]
        return contact

    def visit(self, dialect: Dialect | str, server: Protocol, url: RTMPURL = URL, patience: float = 5.0) -> Visit:
        """A client at a server's door."""
        dialect = DIALECTS[dialect] if isinstance(dialect, str) else dialect
        return Visit(dialect, url, self.connect(server), patience)

    def pump(self) -> None:
        """Deliver until nothing is left to be delivered."""
        happened = True
        while happened:
            happened = False
            for end in self._ends:
                happened = end.pump(self.most) or happened

    def run(self, work: Awaitable[_T] | Coroutine[Deferred[Any], Any, _T], seconds: float = 60.0) -> _T:
        """
        Let time go by until something is done.

        @raise AssertionError: if it takes too long.
        """
        done: list[Any] = []
        Deferred.fromCoroutine(work).addBoth(done.append)  # type: ignore[arg-type]
        end = self.clock.seconds() + seconds
        while not done:
            self.pump()
            if not done:
                if self.clock.seconds() >= end:
                    raise AssertionError(f"not done after {seconds} s")
                self.clock.advance(0.05)
        if isinstance(done[0], Failure):
            done[0].raiseException()
        result: _T = done[0]
        return result


class ScriptedServer(Protocol):
    """
    A server that shakes hands, and then does what a test says.

    @ivar heard: the client's messages.
    """

    transport: End

    def __init__(self, answer: Callable[[ScriptedServer, Command], object] = lambda server, command: None) -> None:
        """
        @param answer: is called with each command, and may L{say} something.
        """
        self._answer = answer
        self._handshake: ServerHandshake | None = ServerHandshake()
        self._reader = ChunkReader(offset=HANDSHAKE_SIZE)
        self.writer = ChunkWriter()
        self.heard: list[Message] = []

    def dataReceived(self, data: bytes) -> None:
        """Read."""
        rest: bytes | None = data
        if self._handshake is not None:
            reply, rest = self._handshake.feed(data)
            self.transport.write(reply)
            if rest is None:
                return
            self._handshake = None
        for message in self._reader.feed(rest or b""):
            self.heard.append(message)
            if message.type in (MessageType.COMMAND, MessageType.COMMAND_AMF3):
                self._answer(self, Command.decode(message))

    def say(self, *messages: Message) -> None:
        """Send messages."""
        for message in messages:
            self.transport.write(self.writer.write(message))

    def command(self, name: str, id: float, *values: AMFValue, streamId: int = 0) -> None:
        """Send a command: all that is behind its transaction ID are C{values}."""
        self.say(Command(name, id, values[0] if values else None, values[1:]).encode(streamId))

    def status(self, code: str, level: str = "status", streamId: int = 1) -> None:
        """Send an C{onStatus}."""
        information: AMFValue = {"level": level, "code": code, "description": "in words"}
        self.command("onStatus", 0.0, None, information, streamId=streamId)

    def yes(self, command: Command) -> None:
        """Answer a command as a server should."""
        if command.name == "connect":
            information: AMFValue = {"level": "status", "code": "NetConnection.Connect.Success"}
            self.command("_result", command.transactionId, {}, information)
        elif command.name == "createStream":
            self.command("_result", command.transactionId, None, 1.0)
        elif command.name == "publish":
            self.status("NetStream.Publish.Start")
        elif command.name == "play":
            self.status("NetStream.Play.Start")


def readAll(data: bytes) -> list[Message]:
    """The messages behind a handshake, as far as they are whole."""
    reader = ChunkReader(offset=HANDSHAKE_SIZE)
    try:
        return list(reader.feed(data[HANDSHAKE_SIZE:]))
    except RemoteProtocolError as error:
        raise AssertionError("the client has written nonsense") from error


def said(contact: Contact) -> list[ReadMessage]:
    """What the client has said, as its own trace has it."""
    return [entry for entry in contact.entries if isinstance(entry, ReadMessage) and entry.side is Side.CLIENT]
