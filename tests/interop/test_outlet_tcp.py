"""
The direct outlet over real TCP, with the reactor that there is: readers that are slow, and readers that go away.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Callable
from fcntl import ioctl
from hashlib import sha256
from termios import FIONREAD

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from rtmptw.directoutlet import DirectOutlet, outletFor
from rtmptw.outlet import Outlet

#: 8 MB, of which no two pieces near each other are the same.
DATA = b"".join(index.to_bytes(4, "big") for index in range(1 << 21))

#: What is sent is in messages of this size.
MESSAGE = 50_000

#: What a peer sends before it goes away: less than what the reactor reads in one turn. A transport that has something
#: to send itself reads once, and then finds out.
LAST_WORDS = DATA[:60_000]


class Sender(Protocol):
    """
    A server's side of a connection: it sends L{DATA} as viewers are sent a stream.

    @ivar received: what the peer has sent.
    @ivar waited: how many times there was something to wait for.
    @ivar lost: fires when the connection is gone, with the reason (an exception).
    """

    outlet: Outlet

    def __init__(self, connected: Callable[[Sender], None]) -> None:
        self.received = bytearray()
        self.waited = 0
        self.lost: Deferred[BaseException] = Deferred()
        self.isLost = False
        self._connected = connected
        self._position = 0

    def connectionMade(self) -> None:
        """Begin."""
        from twisted.internet import reactor

        assert self.transport is not None
        self.outlet = outletFor(self.transport, reactor, "peer")  # type: ignore[arg-type]
        self.outlet.attach(self.send)
        self._connected(self)

    def send(self) -> None:
        """Offer blocks as long as the outlet takes them; the rest of the message in which one stopped must follow."""
        outlet = self.outlet
        while outlet.ready and self._position < len(DATA):
            block = DATA[self._position : self._position + outlet.block]
            taken = outlet.offer(block)
            if taken < len(block):
                end = min(taken // MESSAGE * MESSAGE + MESSAGE, len(block))
                outlet.write(memoryview(block)[taken:end])
                taken = end
            self._position += taken
        self.waited += not outlet.ready

    def dataReceived(self, data: bytes) -> None:
        """Keep it."""
        self.received += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """As connections do."""
        self.outlet.stopProducing()
        self.isLost = True
        self.lost.callback(reason.value)


class OutletTests(TestCase):
    """One connection over the loopback interface, with a reader that is no reactor's."""

    timeout = 60

    def setUp(self) -> None:
        """Listen, and connect."""
        from twisted.internet import reactor

        self.reactor = reactor
        self.came: Deferred[Sender] = Deferred()
        factory = Factory.forProtocol(lambda: Sender(self.came.callback))  # type: ignore[arg-type]
        factory.noisy = False
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")  # type: ignore[attr-defined]
        self.addCleanup(port.stopListening)
        self.peer = socket.socket()
        self.addCleanup(self.peer.close)
        # A small window, so that the system does not take all of it.
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
        self.peer.connect(("127.0.0.1", port.getHost().port))
        self.peer.setblocking(False)
        self.addCleanup(lambda: Deferred.fromCoroutine(self.disconnect()))

    async def disconnect(self) -> None:
        """Leave the reactor as it was."""
        sender = await self.came
        if not sender.isLost:
            sender.transport.abortConnection()  # type: ignore[union-attr]
            await sender.lost

    async def turn(self, seconds: float = 0.0) -> None:
        """Let the reactor have some turns."""
        await deferLater(self.reactor, seconds)  # type: ignore[arg-type]

    async def sender(self) -> Sender:
        """The server's side, when it has come."""
        sender = await self.came
        self.came = succeed(sender)
        self.assertIsInstance(sender.outlet, DirectOutlet)
        return sender

    async def read(self, size: int, pause: float = 0.0) -> bytes:
        """Read so much, with a pause whenever there is nothing for the moment and behind each read."""
        received = bytearray()
        while len(received) < size:
            try:
                data = self.peer.recv(min(1 << 17, size - len(received)))
                self.assertNotEqual(data, b"", f"the end, after {len(received)} bytes")
                received += data
            except BlockingIOError:
                pass
            await self.turn(pause)
        return bytes(received)

    def assertSame(self, found: bytes, expected: bytes) -> None:
        """Assert that megabytes are the same, without printing them."""
        self.assertEqual((len(found), sha256(found).hexdigest()), (len(expected), sha256(expected).hexdigest()))

    async def test_slowReader(self) -> None:
        """8 MB to somebody who reads slowly arrive whole and in order, and what is written behind them does."""
        sender = await self.sender()
        sender.send()
        self.assertFalse(sender.outlet.ready)
        await self.turn(0.05)
        self.assertGreater(sender.outlet.stalled, 0)
        self.assertSame(await self.read(len(DATA), 0.001), DATA)
        self.assertGreater(sender.waited, 2)
        self.assertEqual((sender.outlet.ready, sender.outlet.stalled, sender.transport.producer), (True, 0, None))  # type: ignore[union-attr]
        sender.outlet.answer(b"status")
        self.assertEqual(await self.read(6), b"status")

    async def test_atOnce(self) -> None:
        """The same if all of it is written at once, and the connection is closed behind it."""
        sender = await self.sender()
        sender.outlet.write(DATA)
        sender.outlet.answer(b"status")
        assert sender.transport is not None
        sender.outlet.finish(sender.transport.loseConnection)
        self.assertSame(await self.read(len(DATA) + 6), DATA + b"status")
        self.assertIsInstance(await sender.lost, ConnectionDone)
        self.assertEqual(self.peer.recv(1), b"")

    async def test_direct(self) -> None:
        """To somebody who reads, the transport has nothing to do."""
        sender = await self.sender()
        for index in range(100):
            sender.outlet.write(DATA[index * 1000 : index * 1000 + 1000])
            self.assertEqual((sender.outlet.ready, sender.transport.producer), (True, None))  # type: ignore[union-attr]
            self.assertEqual(await self.read(1000), DATA[index * 1000 : index * 1000 + 1000])

    def reset(self) -> None:
        """The peer goes away without a farewell."""
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.peer.close()

    async def test_resetWhileWaiting(self) -> None:
        """A peer that resets while something waits for it: what it had sent before is received first."""
        sender = await self.sender()
        sender.send()
        self.assertFalse(sender.outlet.ready)
        await self.read(100_000)
        self.peer.sendall(LAST_WORDS)
        self.reset()
        await sender.lost
        self.assertSame(bytes(sender.received), LAST_WORDS)
        self.assertFalse(sender.outlet.ready)

    async def test_resetBeforeASend(self) -> None:
        """The same if the outlet is what finds it out: it says nothing to the transport, which reads to the end."""
        sender = await self.sender()
        self.peer.sendall(LAST_WORDS)
        self.reset()
        # Before the reactor has had a turn.
        for _ in range(3):
            sender.outlet.write(b"too late")
        self.assertFalse(sender.outlet.ready)
        self.assertNotEqual(sender.outlet.failure, "")
        self.assertEqual(bytes(sender.received), b"")
        await sender.lost
        self.assertSame(bytes(sender.received), LAST_WORDS)

    def arrived(self, sender: Sender) -> int:
        """How many bytes the system has for the sender that it has not read yet."""
        handle = sender.transport.getHandle()  # type: ignore[union-attr]
        return int.from_bytes(ioctl(handle, FIONREAD, bytes(4)), sys.byteorder)

    async def test_resetBehindMuch(self) -> None:
        """The same if so much has arrived that it takes several turns to read it."""
        sender = await self.sender()
        self.peer.send(DATA)
        arrived = self.arrived(sender)
        self.assertGreater(arrived, len(LAST_WORDS) * 3 // 2)
        self.reset()
        sender.outlet.write(b"too late")
        self.assertFalse(sender.outlet.ready)
        await sender.lost
        self.assertSame(bytes(sender.received), DATA[:arrived])
