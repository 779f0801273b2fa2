"""
A TCP connection without a network: Twisted's own transport, above a socket that is only memory.
"""

from __future__ import annotations

import errno
import socket
from typing import Any

from twisted.internet.interfaces import ISSLTransport
from twisted.internet.protocol import Protocol
from twisted.internet.tcp import Server
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from zope.interface import alsoProvides

from tests.session.dialects import Client, Stage, command, connect

__all__ = ["MemorySocket", "SocketTransport", "publisherBySocket"]


class MemorySocket(socket.socket):
    """
    What the system knows of one connection.

    @ivar arrived: what the peer has sent and nobody has read yet.
    @ivar end: what comes behind that: nothing yet (L{None}), the end of file (L{True}), or an error, which the system
        tells once; then it says that this is the end of file.
    @ivar asked: how much was asked for at each read, bytes.
    @ivar sent: what was sent to the peer.
    @ivar broken: what it says to who sends, if it is an error.
    """

    def __init__(self) -> None:
        # Not what it overrides: that asks the system for a socket.
        self.arrived = bytearray()
        self.end: bool | OSError | None = None
        self.asked: list[int] = []
        self.sent = bytearray()
        self.broken: OSError | None = None
        self._isClosed = False

    def recv(self, size: int, flags: int = 0) -> bytes:
        """As much as has arrived, from whatever many sends."""
        self.asked.append(size)
        if self._isClosed:
            raise OSError(errno.EBADF, "Bad file descriptor")
        if self.arrived:
            data = bytes(self.arrived[:size])
            del self.arrived[:size]
            return data
        if self.end is None:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        if isinstance(self.end, OSError):
            error, self.end = self.end, True
            raise error
        return b""

    def send(self, data: Any, flags: int = 0) -> int:
        """Take all of it."""
        if self.broken is not None:
            raise self.broken
        self.sent += data
        return len(data)

    def reset(self) -> None:
        """The peer resets the connection, behind what it has sent."""
        self.end = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")

    def close(self) -> None:
        """Nobody can read it any more."""
        self._isClosed = True

    def setblocking(self, isBlocking: bool) -> None:
        """It never blocks."""

    def shutdown(self, how: int) -> None:
        """Nobody is there to hear it."""

    def setsockopt(self, *option: Any) -> None:
        """There is nothing to set."""

    def fileno(self) -> int:
        """It has none."""
        return -1


class SocketTransport(Server):
    """
    The transport, as Twisted's reactors for sockets make it. Its reactor has turns only when it is told so.
    """

    socket: MemorySocket
    reactor: MemoryReactorClock

    def __init__(self) -> None:
        super().__init__(MemorySocket(), Protocol(), ("192.168.1.1", 54321), None, 0, MemoryReactorClock())  # type: ignore[arg-type]
        self.wire = self.socket

    @property
    def isWatched(self) -> bool:
        """Whether the reactor reads it."""
        return self in self.reactor.getReaders()

    def turn(self) -> None:
        """One turn of the reactor."""
        self.reactor.advance(0)
        for isRead, waiting in ((True, self.reactor.getReaders), (False, self.reactor.getWriters)):
            if self in waiting():
                error = self.doRead() if isRead else self.doWrite()
                if error is not None:
                    self.connectionLost(Failure(error))

    # What a StringTransport has besides

    def value(self) -> bytes:
        """What was sent, after a turn for that."""
        if self in self.reactor.getWriters():
            self.doWrite()
        return bytes(self.wire.sent)

    def clear(self) -> None:
        """Forget what was sent."""
        self.wire.sent.clear()


def publisherBySocket(stage: Stage, name: str = "test", secure: bool = False) -> tuple[Client, MemorySocket]:
    """
    Somebody who publishes, by way of a socket; and that.

    @param secure: whether the transport says that it is encrypted.
    """
    transport = SocketTransport()
    if secure:
        alsoProvides(transport, ISSLTransport)
    client = Client(stage, transport)  # type: ignore[arg-type]
    transport.protocol = client.protocol
    client.shakeHands()
    client.send(connect())
    client.send(command("createStream", 2), command("publish", 3, None, name, "live", id=1))
    stage.case.assertEqual(client.told()[-1], "onStatus@1 NetStream.Publish.Start")
    return client, transport.wire
