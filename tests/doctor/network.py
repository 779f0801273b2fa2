"""
A network in memory between L{Contact}s and servers, driven by a clock: latency, buffers of a bounded size, and the
manners of Twisted's TCP.

::

    write             a buffer here, then the wire, then a buffer there
    the wire          holds so much and no more; a registered producer is paused when the buffer here is long
    pauseProducing    what comes stays in the buffer there
    loseConnection    nothing is read any more; FIN behind all that was written; a reset, if something came meanwhile
    abortConnection   a reset, at once; what is in the buffers is gone
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost, ConnectionRefusedError
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from rtmptw.dialects.contact import Contact, ContactFactory
from rtmptw.doctor.target import Target
from rtmptw.url import RTMPURL
from tests.brokenservers.bends import BENDS
from tests.brokenservers.plain import PlainFactory, PlainServer

__all__ = ["URL", "End", "Network", "NetworkTestCase"]

URL = RTMPURL.parse("rtmp://127.0.0.1:19350/live/sesame")

#: How much the buffer of a socket holds, how much may wait in front of it before a producer is paused, and how much is
#: read at a time, bytes.
SOCKET, WAITING, READ = 131072, 65536, 65536

#: How far the clock goes at a time, seconds.
TICK = 0.01

_T = TypeVar("_T")


@implementer(ITCPTransport)
class End:
    """
    One end of a connection.

    @ivar protocol: who has it.
    @ivar peer: the other end.
    @ivar reason: why it is over; L{None} while it is not.
    """

    peer: End

    def __init__(self, network: Network, protocol: Any) -> None:
        self.protocol = protocol
        self.reason: Exception | None = None
        self.disconnecting = False
        self._network = network
        self._out, self._underway, self._in = bytearray(), 0, bytearray()
        self._isPaused = self._hasFIN = self._isReset = self._isPumping = False
        self._producer: Any = None
        self._producerPaused = False

    # What a protocol does with it

    def write(self, data: bytes) -> None:
        if self.reason is None:
            self._out += data
            if self._producer is not None and len(self._out) > WAITING and not self._producerPaused:
                self._producerPaused = True
                self._producer.pauseProducing()
            self.pump()

    def writeSequence(self, data: Any) -> None:
        self.write(b"".join(data))

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        assert streaming
        if self.reason is None:
            self._producer = producer
        else:
            producer.stopProducing()

    def unregisterProducer(self) -> None:
        self._producer = None
        self.pump()

    def loseConnection(self) -> None:
        self.disconnecting = True
        self.pump()

    def abortConnection(self) -> None:
        if self.reason is None:
            self._network.later(self.peer.reset)
            self._lost(ConnectionAborted())

    def pauseProducing(self) -> None:
        self._isPaused = True

    def resumeProducing(self) -> None:
        self._isPaused = False
        self.pump()

    def setTcpNoDelay(self, isOn: bool) -> None:
        """It makes no difference here."""

    # What the network does with it

    def pump(self) -> None:
        """Something is to be done at the next turn."""
        if not self._isPumping:
            self._isPumping = True
            self._network.clock.callLater(0, self._pump)

    def arrive(self, data: bytes) -> None:
        """Bytes have come."""
        self.peer._underway -= len(data)
        if self.reason is None:
            self._in += data
            self.pump()
        elif data:
            # Nobody is there any more.
            self._network.later(self.peer.reset)

    def fin(self) -> None:
        """The other side has ended."""
        self._hasFIN = True
        self.pump()

    def reset(self) -> None:
        """The other side is gone, and with it what was not read."""
        self._lost(ConnectionLost())

    def _pump(self) -> None:
        self._isPumping = False
        if self.reason is None:
            self._push()
            self._read()
        if self.reason is None:
            self._end()

    def _push(self) -> None:
        room = SOCKET - self._underway - len(self.peer._in)
        piece = bytes(self._out[: max(room, 0)])
        if piece:
            del self._out[: len(piece)]
            self._underway += len(piece)
            self._network.later(lambda: self.peer.arrive(piece))
        if not self._out and self._producerPaused and self._producer is not None:
            self._producerPaused = False
            self._producer.resumeProducing()

    def _read(self) -> None:
        if self._in and not self._isPaused and not self.disconnecting:
            piece = bytes(self._in[:READ])
            del self._in[:READ]
            self.peer.pump()
            self.protocol.dataReceived(piece)
            self.pump()

    def _end(self) -> None:
        if self.disconnecting and not self._out and self._producer is None:
            self._network.later(self.peer.reset if self._in else self.peer.fin)
            self._lost(ConnectionDone())
        elif self._hasFIN and not self._in and not self._isPaused:
            self._lost(ConnectionDone())

    def _lost(self, reason: Exception) -> None:
        if self.reason is None:
            self.reason = reason
            self._out.clear()
            self._in.clear()
            if self._producer is not None:
                self._producer.stopProducing()
            self.protocol.connectionLost(Failure(reason))


class Network:
    """
    A clock, a server, and all connections to it.

    @ivar server: L{None} if nobody listens.
    @ivar latency: how long bytes are underway, seconds.
    @ivar most: how many connections the server takes before it is gone; L{None} without end.
    @ivar contacts: all clients that were there.
    """

    def __init__(self, server: type[PlainServer] | str = PlainServer, latency: float = 0.0) -> None:
        """
        @param server: a kind of server, or the name of a bend.
        """
        self.clock = Clock()
        kind = BENDS[server].connection if isinstance(server, str) else server
        self.server: PlainFactory | None = PlainFactory(self.clock, kind)
        self.latency = latency
        self.most: int | None = None
        self.contacts: list[Contact] = []
        self.ends: list[End] = []

    def later(self, call: Callable[[], object]) -> None:
        """After the time that bytes take."""
        self.clock.callLater(self.latency, call)

    def connect(self) -> Deferred[Protocol]:
        """As an endpoint does it, with a factory of contacts."""
        connected: Deferred[Protocol] = Deferred(lambda _: timer.cancel())
        timer = self.clock.callLater(2 * self.latency, self._connect, connected)
        return connected

    def _connect(self, connected: Deferred[Protocol]) -> None:
        if self.server is None or (self.most is not None and len(self.contacts) >= self.most):
            connected.errback(ConnectionRefusedError())
            return
        contact, server = ContactFactory(self.clock).buildProtocol(None), self.server.buildProtocol(None)
        near, far = End(self, contact), End(self, server)
        near.peer, far.peer = far, near
        self.contacts.append(contact)
        self.ends += [near, far]
        server.makeConnection(far)  # type: ignore[arg-type]
        contact.makeConnection(near)  # type: ignore[arg-type]
        connected.callback(contact)

    def target(self, plays: bool = True, patience: float = 5.0, url: RTMPURL = URL) -> Target:
        """The server, to be examined."""
        return Target(url, self.connect, self.clock, url if plays else None, patience)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds / TICK)):
            self.clock.advance(TICK)

    def run(self, work: Coroutine[Deferred[Any], Any, _T], seconds: float = 600.0) -> _T:
        """
        Let time go by until something is done.

        @raise AssertionError: if it takes too long.
        """
        done: list[Any] = []
        Deferred.fromCoroutine(work).addBoth(done.append)
        end = self.clock.seconds() + seconds
        while not done:
            if self.clock.seconds() >= end:
                raise AssertionError(f"not done after {seconds} s")
            self.clock.advance(TICK)
        if isinstance(done[0], Failure):
            done[0].raiseException()
        result: _T = done[0]
        return result


class NetworkTestCase(SynchronousTestCase):
    """
    Tests with a network, of which nothing is to be left.
    """

    def network(self, server: type[PlainServer] | str = PlainServer, latency: float = 0.0) -> Network:
        """A server."""
        network = Network(server, latency)
        self.addCleanup(self._isClean, network)
        return network

    def _isClean(self, network: Network) -> None:
        """All clients have gone, and nothing waits for the time."""
        network.advance(0.5)
        self.assertEqual([each for each in network.contacts if not each.closed], [], "still connected")
        network.advance(2.5)
        self.assertEqual(network.clock.getDelayedCalls(), [])

    def assertNear(self, value: float, expected: float, most: float) -> None:
        """How long something has taken; ticks and turns come on top."""
        self.assertLessEqual(abs(value - expected), most, f"{value} is not about {expected}")
