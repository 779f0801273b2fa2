# -*- test-case-name: tests.test_directoutlet -*-
"""
Tests for L{rtmptw.directoutlet}.
"""

from __future__ import annotations

import errno
import socket

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.abstract import FileDescriptor
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IPullProducer, ISSLTransport
from twisted.internet.protocol import Protocol
from twisted.internet.tcp import Server
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import alsoProvides
from zope.interface.verify import verifyObject

from rtmptw.closereason import explain
from rtmptw.directoutlet import PIECE, DirectOutlet, outletFor
from rtmptw.interfaces import IOutlet
from rtmptw.outlet import Outlet

#: Bytes of which no two pieces near each other are the same.
DATA = b"".join(index.to_bytes(4, "big") for index in range(1 << 18))


class System:
    """
    A socket, as the system shows it.

    @ivar room: how many bytes it takes before it is full.
    @ivar received: what it has taken, from whomever, in order.
    @ivar error: what it says when it is asked, if it is broken.
    @ivar asked: how many bytes were offered to it each time.
    """

    def __init__(self) -> None:
        self.room = 0
        self.received = bytearray()
        self.error: OSError | None = None
        self.asked: list[int] = []

    def send(self, data: bytes | memoryview) -> int:
        """As C{socket.send} of one that does not block."""
        self.asked.append(len(data))
        if self.error is not None:
            raise self.error
        taken = min(self.room, len(data))
        if not taken:
            raise BlockingIOError(errno.EAGAIN, "full")
        self.room -= taken
        self.received += data[:taken]
        return taken


class Transport(FileDescriptor):
    """
    A TCP connection of Twisted's above such a socket: all but the socket's part is Twisted's own.

    @ivar written: the size of each write.
    """

    def __init__(self, system: System) -> None:
        self.turns = MemoryReactorClock()
        super().__init__(self.turns)
        self.connected = 1
        self.written: list[int] = []
        self._system = system

    def write(self, data: bytes) -> None:
        """Keep the size."""
        self.written.append(len(data))
        super().write(data)

    def writeSomeData(self, data: bytes) -> int | Exception:
        """As C{twisted.internet.tcp.Connection}."""
        try:
            return self._system.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            return ConnectionLost()

    @property
    def waits(self) -> bool:
        """Whether the reactor is asked to say when the socket has room."""
        return self in self.turns.getWriters()

    @property
    def held(self) -> int:
        """How many bytes wait in it."""
        return len(self.dataBuffer) - self.offset + self._tempDataLen

    def turn(self, room: int) -> None:
        """The reactor's turn: the socket has room for so many bytes."""
        self._system.room += room
        if self.waits:
            error = self.doWrite()
            if error is not None:
                self.connectionLost(Failure(error))


class DirectOutletCase(SynchronousTestCase):
    """An outlet that has sent nothing yet."""

    def setUp(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Make it."""
        self.clock = MemoryReactorClock()
        self.system = System()
        self.transport = Transport(self.system)
        self.outlet = DirectOutlet(self.transport, self.clock, "peer", self.system.send)
        self.calls: list[str] = []

    def drained(self) -> None:
        """What somebody has attached."""
        self.calls.append("drained")

    def assertIdle(self) -> None:
        """Assert that nothing waits anywhere, and that the transport knows of nothing."""
        self.assertEqual((self.outlet.ready, self.outlet.stalled, len(self.outlet._waiting)), (True, 0, 0))
        self.assertEqual((self.transport.producer, self.transport.waits, self.transport.held), (None, False, 0))


class DirectOutletTests(DirectOutletCase):
    """What is sent, and what waits."""

    def test_interfaces(self) -> None:
        """It is an outlet like the other one, and what a transport asks for more."""
        self.assertTrue(verifyObject(IOutlet, self.outlet))
        self.assertTrue(verifyObject(IPullProducer, self.outlet))
        self.assertEqual((self.outlet.peer, self.outlet.failure), ("peer", ""))
        self.assertIdle()

    def test_direct(self) -> None:
        """As long as the system takes everything, the transport knows nothing of it."""
        self.system.room = 100
        self.outlet.write(b"one")
        self.assertEqual(self.outlet.offer(b"two"), 3)
        self.outlet.answer(memoryview(b"three"))
        self.outlet.write(b"")
        self.assertEqual((bytes(self.system.received), self.transport.written), (b"onetwothree", []))
        self.assertEqual((self.system.asked, self.outlet.excess), ([3, 3, 5], 0))
        self.assertIdle()

    def test_offerInPart(self) -> None:
        """What is not taken of an offer is the caller's; what is written then comes behind it."""
        self.system.room = 3
        self.assertEqual(self.outlet.offer(b"abcdef"), 3)
        self.assertEqual(self.outlet.offer(b"def"), 0)
        self.assertIdle()
        self.outlet.write(b"def")
        self.assertEqual((self.outlet.ready, self.transport.held), (False, 3))
        self.transport.turn(100)
        self.assertEqual(bytes(self.system.received), b"abcdef")
        self.assertIdle()

    def test_piece(self) -> None:
        """
        Of what the system does not take the transport is given a piece; when that has left, the system is asked again
        for all the rest, and so on.
        """
        self.outlet.attach(self.drained)
        self.system.room = 10
        self.outlet.write(DATA)
        self.outlet.write(b"status")
        self.assertEqual((self.transport.written, self.transport.held), ([PIECE], PIECE))
        self.assertIs(self.transport.producer, self.outlet)
        self.assertEqual((self.outlet.ready, self.system.asked), (False, [len(DATA)]))
        left = len(DATA) - 10
        for _ in range(3):
            # It was asked for nothing before the piece has left, also when part of it has.
            self.system.asked.clear()
            self.transport.turn(PIECE - 1)
            self.assertEqual((self.system.asked, self.transport.held), ([PIECE], 1))
            self.transport.turn(1001)
            left -= PIECE
            self.assertEqual(self.system.asked, [PIECE, 1, left])
            left -= 1000
            self.assertEqual((self.transport.held, self.outlet.ready, self.calls), (PIECE, False, []))
        self.transport.turn(len(DATA) * 2)
        self.assertEqual(bytes(self.system.received), DATA + b"status")
        self.assertEqual((self.transport.written, self.calls), ([PIECE] * 4, ["drained"]))
        self.assertIdle()

    def test_gather(self) -> None:
        """What is written behind C{gather} is sent with what is offered next; the part of that is told."""
        for room in range(12):
            self.begin()
            self.outlet.gather()
            self.outlet.answer(b"abc")
            self.outlet.write(memoryview(b"def"))
            self.assertEqual((self.system.asked, self.outlet.ready), ([], True))
            self.system.room = room
            self.assertEqual(self.outlet.offer(b"ghij"), min(max(room - 6, 0), 4))
            self.assertEqual((self.system.asked, self.outlet.ready), ([10], room >= 6))
            self.transport.turn(100)
            self.assertEqual(bytes(self.system.received), b"abcdefghij"[: max(room, 6)])
            self.assertIdle()

    def test_gatherAlone(self) -> None:
        """If nothing is offered, it is sent at C{scatter}; what is written behind an offer is sent at once."""
        self.system.room = 100
        self.outlet.gather()
        self.outlet.write(b"abc")
        self.outlet.write(b"def")
        self.outlet.scatter()
        self.outlet.gather()
        self.outlet.scatter()
        self.outlet.gather()
        self.outlet.offer(b"ghi")
        self.outlet.write(b"j")
        self.outlet.scatter()
        self.assertEqual((self.system.asked, bytes(self.system.received)), ([6, 3, 1], b"abcdefghij"))
        self.assertIdle()

    def test_gatherBroken(self) -> None:
        """A system that is broken says so once, and what was offered counts as sent."""
        self.outlet.gather()
        self.outlet.write(b"abc")
        self.system.error = BrokenPipeError(errno.EPIPE, "pipe")
        self.assertEqual(self.outlet.offer(b"def"), 3)
        self.outlet.scatter()
        self.assertEqual((self.system.asked, self.outlet.ready, len(self.outlet._waiting)), ([6], False, 0))

    def test_noCopy(self) -> None:
        """What waits is no copy, but for the piece."""
        self.system.room = 10
        self.outlet.write(DATA)
        [waiting] = self.outlet._waiting
        assert isinstance(waiting, memoryview)
        self.assertIs(waiting.obj, DATA)

    def test_again(self) -> None:
        """When nothing waits any more it is direct again, and may wait again, any number of times."""
        for count in range(1, 5):
            self.outlet.write(b"ab")
            self.assertEqual((self.outlet.ready, self.transport.held), (False, 2))
            self.transport.turn(1)
            self.assertFalse(self.outlet.ready)
            self.transport.turn(2)
            self.assertIdle()
            self.outlet.write(b"c")
            self.assertEqual(bytes(self.system.received), b"abc" * count)
            self.assertIdle()

    def test_progress(self) -> None:
        """Each piece that leaves is a sign of life (hostile row D14), a part of one is none yet."""
        self.clock.advance(5)
        self.outlet.write(DATA[: 3 * PIECE])
        self.clock.advance(3)
        self.assertEqual(self.outlet.stalled, 3)
        self.transport.turn(PIECE - 1)
        self.outlet.write(b"more")
        self.assertEqual(self.outlet.stalled, 3)
        self.transport.turn(1)
        self.assertEqual((self.outlet.ready, self.outlet.stalled), (False, 0))
        self.clock.advance(2)
        self.assertEqual(self.outlet.stalled, 2)
        self.outlet.clockStopped(1.5)
        self.assertEqual(self.outlet.stalled, 0.5)
        self.transport.turn(10 * PIECE)
        self.clock.advance(7)
        self.assertIdle()

    def test_answers(self) -> None:
        """Answers that wait are counted until nothing waits; the bytes that others write are not."""
        self.outlet.answer(b"abc")
        self.outlet.answer(b"de")
        self.outlet.write(b"fghi")
        self.outlet.answer(b"j")
        self.assertEqual(self.outlet.excess, 3)
        self.transport.turn(3)
        self.assertEqual((self.outlet.ready, self.outlet.excess), (False, 3))
        self.transport.turn(100)
        self.assertEqual((bytes(self.system.received), self.outlet.excess), (b"abcdefghij", 0))

    def test_drained(self) -> None:
        """Everybody who is attached is told, each time that nothing waits any more, and nobody who is detached."""
        self.outlet.attach(self.drained)
        self.outlet.attach(self.drained)
        self.outlet.attach(lambda: self.calls.append("other"))
        for _ in range(2):
            self.outlet.write(DATA[: 2 * PIECE])
            self.transport.turn(PIECE)
            self.assertEqual(self.calls, [])
            self.transport.turn(PIECE)
            self.assertEqual(self.calls, ["drained", "other"])
            self.calls.clear()
        self.outlet.detach(self.drained)
        self.outlet.write(b"a")
        self.transport.turn(1)
        self.assertEqual(self.calls, ["other"])

    def test_drainedFillsIt(self) -> None:
        """Who is told may fill it again at once: the others wait, and are the first next time."""
        order: list[str] = []

        def fill(name: str) -> None:
            order.append(name)
            self.outlet.write(name.encode() * PIECE)

        self.outlet.attach(lambda: fill("a"))
        self.outlet.attach(lambda: fill("b"))
        self.outlet.write(b"begin")
        self.transport.turn(5)
        for expected in (["a"], ["a", "b"], ["a", "b", "a"], ["a", "b", "a", "b"]):
            self.assertEqual((order, self.outlet.ready, self.transport.held), (expected, False, PIECE))
            self.assertIs(self.transport.producer, self.outlet)
            self.transport.turn(PIECE)
        self.assertEqual(bytes(self.system.received), b"begin" + b"".join(name.encode() * PIECE for name in order[:4]))

    @settings(deadline=None, max_examples=300)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["write", "offer", "answer", "turn", "room", "gather", "scatter"]),
                st.one_of(st.integers(0, 40), st.integers(0, 4 * PIECE)),
            ),
            max_size=40,
        )
    )
    def test_order(self, steps: list[tuple[str, int]]) -> None:
        """However much of it the system takes at a time, everything arrives, once and in order."""
        self.begin()
        self.outlet.attach(self.drained)
        sent = 0
        for what, size in steps:
            data, end = DATA[sent : sent + size], sent + size
            if what == "room":
                self.system.room += size
            elif what == "turn":
                self.transport.turn(size)
            elif what in ("gather", "scatter"):
                (self.outlet.gather if what == "gather" else self.outlet.scatter)()
            elif what == "offer":
                if self.outlet.ready:
                    taken = self.outlet.offer(data)
                    self.outlet.write(memoryview(data)[taken:])
                    sent = end
            else:
                (self.outlet.write if what == "write" else self.outlet.answer)(data)
                sent = end
            self.assertLessEqual(self.transport.held, PIECE)
            self.assertEqual(self.outlet.ready, not self.transport.held)
            self.assertEqual(bytes(self.system.received), DATA[: len(self.system.received)])
        self.outlet.scatter()
        waited = not self.outlet.ready
        self.calls.clear()
        self.transport.turn(len(DATA))
        self.assertEqual(bytes(self.system.received), DATA[:sent])
        self.assertEqual(self.calls, ["drained"] * waited)
        self.assertIdle()


class EndTests(DirectOutletCase):
    """The end of a connection, whoever wants it."""

    def emptied(self) -> None:
        """What C{finish} calls."""
        self.calls.append("emptied")
        self.assertIs(self.transport.producer, None)

    def test_finish(self) -> None:
        """If nothing waits, it is at once; nothing more is taken."""
        self.outlet.attach(self.drained)
        self.outlet.finish(self.emptied)
        self.assertEqual(self.calls, ["emptied"])
        self.system.room = 10
        self.outlet.write(b"late")
        self.assertEqual((self.system.asked, self.calls), ([], ["emptied"]))

    def test_finishLater(self) -> None:
        """Else when everything has left; then the transport is free of its producer, so that it can close."""
        self.outlet.attach(self.drained)
        self.outlet.write(DATA[: 2 * PIECE])
        self.outlet.finish(self.emptied)
        self.outlet.write(b"late")
        self.transport.turn(PIECE)
        self.assertEqual(self.calls, [])
        self.transport.turn(PIECE)
        self.assertEqual((bytes(self.system.received), self.calls), (DATA[: 2 * PIECE], ["emptied"]))
        self.assertIdle()

    def test_finishAndClose(self) -> None:
        """As connections do it: what waits is sent, then the transport closes."""
        self.outlet.write(b"abc")
        self.outlet.finish(self.transport.loseConnection)
        self.transport.turn(3)
        self.assertTrue(self.transport.connected)
        self.transport.turn(0)
        self.assertEqual((bytes(self.system.received), self.transport.disconnected), (b"abc", 1))

    def test_broken(self) -> None:
        """
        When the system says that nothing can be sent any more, nobody is told to go on, nothing is offered again, and
        nothing is done about the connection: there may be something to read. If that never ends, it has stalled.
        """
        for error in (BrokenPipeError(errno.EPIPE, "pipe"), ConnectionResetError(errno.ECONNRESET, ""), OSError("odd")):
            for write in (self.outlet.offer, self.outlet.write):
                self.begin()
                write = getattr(self.outlet, write.__name__)
                self.clock.advance(100)
                self.outlet.attach(self.drained)
                self.system.error = error
                self.assertIn(write(b"abc"), (None, 3))
                self.assertEqual((self.outlet.ready, self.outlet.stalled), (False, 0))
                self.outlet.write(b"def")
                self.outlet.answer(b"ghi")
                self.clock.advance(4)
                self.assertEqual((self.outlet.ready, self.outlet.stalled), (False, 4))
                self.assertEqual(self.outlet.failure, explain(error))
                self.assertEqual((self.system.asked, self.transport.written, self.calls), ([3], [], []))
                self.assertEqual((self.transport.connected, self.transport.disconnecting), (1, 0))
                self.outlet.finish(self.emptied)
                self.outlet.stopProducing()
                self.assertEqual(self.calls, [])

    def test_brokenWhileWaiting(self) -> None:
        """The same when the rest is sent: the rest is thrown away."""
        self.outlet.attach(self.drained)
        self.outlet.write(DATA[: 3 * PIECE])
        self.clock.advance(8)
        self.system.room = PIECE
        self.transport._system = other = System()
        other.room = PIECE
        self.system.error = BrokenPipeError(errno.EPIPE, "")
        self.transport.doWrite()
        self.assertEqual((bytes(other.received), self.transport.held), (DATA[:PIECE], 0))
        self.assertEqual((self.outlet.ready, self.outlet.stalled, len(self.outlet._waiting)), (False, 0, 0))
        self.assertEqual((self.calls, self.transport.connected), ([], 1))
        self.transport.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(self.calls, [])

    def test_noBuffers(self) -> None:
        """A system that is short of memory for the moment is full, not broken: Twisted says so too."""
        self.system.error = OSError(errno.ENOBUFS, "No buffer space available")
        self.assertEqual(self.outlet.offer(b"abc"), 0)
        self.outlet.write(b"abc")
        self.assertEqual((self.outlet.ready, self.transport.held), (False, 3))
        self.system.error = None
        self.transport.turn(3)
        self.assertEqual(bytes(self.system.received), b"abc")
        self.assertIdle()

    def test_lost(self) -> None:
        """The transport says that the connection is gone: what waits is thrown away, and nobody is told to go on."""
        self.outlet.attach(self.drained)
        self.outlet.write(DATA)
        self.outlet.finish(self.emptied)
        self.transport.connectionLost(Failure(ConnectionLost()))
        self.system.room = len(DATA)
        self.outlet.write(b"late")
        self.assertEqual((self.outlet.ready, len(self.outlet._waiting)), (False, 0))
        self.assertEqual((bytes(self.system.received), self.calls), (b"", []))

    def test_lostBefore(self) -> None:
        """A transport that is gone already stops its producer at once."""
        self.transport.connectionLost(Failure(ConnectionLost()))
        self.outlet.attach(self.drained)
        self.outlet.write(DATA)
        self.assertEqual((self.outlet.ready, len(self.outlet._waiting), self.calls), (False, 0, []))
        self.outlet.resumeProducing()
        self.assertEqual((bytes(self.system.received), self.calls), (b"", []))


class OutletForTests(SynchronousTestCase):
    """Which outlet is for which transport."""

    def connection(self) -> tuple[Server, socket.socket]:
        """A connection as Twisted's reactors for sockets make them, and the other end of it."""
        near, far = socket.socketpair()
        self.addCleanup(near.close)
        self.addCleanup(far.close)
        far.settimeout(5)
        return Server(near, Protocol(), ("192.0.2.1", 4000), None, 0, MemoryReactorClock()), far  # type: ignore[arg-type]

    def test_TCP(self) -> None:
        """For TCP, one that asks the socket itself."""
        transport, far = self.connection()
        outlet = outletFor(transport, MemoryReactorClock(), "peer")
        self.assertIsInstance(outlet, DirectOutlet)
        self.assertEqual((outlet.peer, outlet.offer(b"abc"), far.recv(10)), ("peer", 3, b"abc"))
        self.assertEqual((transport.producer, transport.reactor.getWriters()), (None, []))

    def test_everythingArrives(self) -> None:
        """With a real socket: more than it takes at once arrives, in order."""
        transport, far = self.connection()
        outlet = outletFor(transport, MemoryReactorClock(), "peer")
        outlet.write(DATA * 2)
        self.assertFalse(outlet.ready)
        received = bytearray()
        while len(received) < 2 * len(DATA):
            received += far.recv(1 << 20)
            if transport.reactor.getWriters():
                self.assertIs(transport.doWrite(), None)
        self.assertEqual(bytes(received), DATA * 2)
        self.assertEqual((outlet.ready, transport.producer, transport.reactor.getWriters()), (True, None, []))

    def test_TLS(self) -> None:
        """Not for a connection that was TCP and is TLS now."""
        transport, _ = self.connection()
        alsoProvides(transport, ISSLTransport)
        outlet = outletFor(transport, MemoryReactorClock(), "peer")
        self.assertIs(type(outlet), Outlet)
        self.assertIs(transport.producer, outlet)

    def test_others(self) -> None:
        """For all that has no socket, by what every transport has."""
        transport = StringTransport()
        outlet = outletFor(transport, MemoryReactorClock(), "peer")
        self.assertIs(type(outlet), Outlet)
        outlet.write(b"abc")
        self.assertEqual((transport.value(), transport.producer, outlet.peer), (b"abc", outlet, "peer"))
