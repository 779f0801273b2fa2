# -*- test-case-name: tests.test_inlet -*-
"""
Tests for L{rtmptw.inlet}.
"""

from __future__ import annotations

import errno
from itertools import product

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.protocol import Protocol
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import alsoProvides

from rtmptw.inlet import READ, READS, Inlet
from tests.memorysocket import SocketTransport

#: Bytes of which no two pieces near each other are the same.
DATA = b"".join(index.to_bytes(4, "big") for index in range(1 << 18))

WHO = st.sampled_from(("budget", "verdict", "a subscriber"))


class Receiver(Protocol):
    """
    A connection that keeps what it receives.

    @ivar pieces: each time.
    @ivar lost: why it is gone, each time.
    """

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.lost: list[Failure] = []

    def dataReceived(self, data: bytes) -> None:
        self.pieces.append(data)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        self.lost.append(reason)


class Line:
    """One connection, and its way in."""

    def __init__(self) -> None:
        self.transport = SocketTransport()
        self.wire = self.transport.wire
        self.receiver = Receiver()
        self.transport.protocol = self.receiver
        self.inlet = Inlet(self.transport, lambda data: self.receiver.dataReceived(data))


class InletMachine(RuleBasedStateMachine):
    """Whatever happens to it, in any order, beside what should come of that."""

    def __init__(self) -> None:
        super().__init__()
        self.line = Line()
        self.holds: set[str] = set()
        self.isGathered = False
        self.sent = b""

    @rule(who=WHO)
    def hold(self, who: str) -> None:
        self.line.inlet.hold(who)
        self.holds.add(who)

    @rule(who=WHO)
    def release(self, who: str) -> None:
        isLast = self.holds == {who}
        self.holds.discard(who)
        assert self.line.inlet.release(who) is isLast

    @rule()
    def open(self) -> None:
        self.line.inlet.open()
        self.holds.clear()
        self.isGathered = False

    @rule()
    def gather(self) -> None:
        self.line.inlet.gather()
        self.isGathered = True

    @rule()
    def scatter(self) -> None:
        self.line.inlet.scatter()
        self.isGathered = False

    @rule(size=st.sampled_from((1, 100, READ - 1, READ, READ + 1, READS * READ)))
    def send(self, size: int) -> None:
        start = len(self.sent) % 1021
        self.line.wire.arrived += DATA[start : start + size]
        self.sent += DATA[start : start + size]

    @rule()
    def read(self) -> None:
        """It takes what there is, up to its limit, or nothing."""
        there = len(self.line.wire.arrived)
        stays = self.line.inlet.read()
        taken = there - len(self.line.wire.arrived)
        if self.holds or not self.isGathered:
            assert (taken, stays) == (0, self.isGathered)
        else:
            assert (taken, stays) == (min(there, READS * READ), there < READS * READ)

    @rule()
    def turn(self) -> None:
        """So does the reactor."""
        there = len(self.line.wire.arrived)
        self.line.transport.turn()
        taken = there - len(self.line.wire.arrived)
        assert taken == (0 if self.holds or self.isGathered else min(there, READ))

    @invariant()
    def watched(self) -> None:
        """The reactor reads it exactly while nobody holds it and it is not gathered."""
        assert self.line.transport.isWatched is not (bool(self.holds) or self.isGathered)
        assert self.line.inlet.isHeld is bool(self.holds)

    @invariant()
    def received(self) -> None:
        """What was read is what was sent."""
        assert b"".join(self.line.receiver.pieces) + self.line.wire.arrived == self.sent


class InletTests(SynchronousTestCase):
    """Who reads it, and what."""

    def setUp(self) -> None:
        self.begin()

    def begin(self) -> None:
        """A new one, which is gathered."""
        self.line = Line()
        self.inlet, self.wire, self.receiver = self.line.inlet, self.line.wire, self.line.receiver
        self.inlet.gather()

    def test_anyOrder(self) -> None:
        """Holds, gathering and reads in any order."""
        checks = (HealthCheck.too_slow, HealthCheck.data_too_large)
        run_state_machine_as_test(
            InletMachine,
            settings=settings(max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=checks),
        )

    def test_start(self) -> None:
        """In the beginning the reactor reads it, and nobody else does."""
        line = Line()
        line.wire.arrived += b"abc"
        self.assertFalse(line.inlet.read())
        self.assertEqual((line.inlet.messages, line.inlet.filled, line.inlet.failure), (0, False, ""))
        self.assertEqual((line.inlet.isHeld, line.transport.isWatched, line.wire.asked), (False, True, []))

    def test_read(self) -> None:
        """How often it reads, and whether it stays: by what has arrived."""
        for size, sizes, asks, stays in (
            (0, [], 1, True),
            (1, [1], 1, True),
            (READ - 1, [READ - 1], 1, True),
            (READ, [READ], 2, True),
            (READ + 1, [READ, 1], 2, True),
            (READS * READ - 1, [READ] * (READS - 1) + [READ - 1], READS, True),
            (READS * READ, [READ] * READS, READS, False),
            (READS * READ + 1, [READ] * READS, READS, False),
        ):
            self.begin()
            self.wire.arrived += DATA[:size]
            self.assertIs(self.inlet.read(), stays, size)
            self.assertEqual([len(piece) for piece in self.receiver.pieces], sizes)
            self.assertEqual((self.wire.asked, b"".join(self.receiver.pieces)), ([READ] * asks, DATA[: sum(sizes)]))
            self.assertEqual((self.inlet.filled, self.inlet.canGather, self.inlet.failure), (not stays, stays, ""))

    def test_end(self) -> None:
        """Everything before the end is passed on, nothing for the end itself; the reactor is told the end again."""
        for size in (0, 1, READ, READ + 1, READS * READ - 1):
            self.begin()
            self.wire.arrived += DATA[:size]
            self.wire.end = True
            # Behind a full read the end is seen at once, behind a part of one the next time.
            self.assertIs(self.inlet.read(), size % READ > 0, size)
            self.assertIs(self.inlet.read(), False)
            self.assertEqual((b"".join(self.receiver.pieces), self.receiver.lost), (DATA[:size], []))
            self.assertNotIn(b"", self.receiver.pieces)
            self.inlet.scatter()
            self.line.transport.turn()
            [reason] = self.receiver.lost
            self.assertEqual((reason.type.__name__, self.inlet.failure), ("ConnectionDone", ""))

    def test_reset(self) -> None:
        """The system tells an error once, so it is kept; the reactor still finds an end."""
        for size in (0, 1, READ, READ + 1):
            self.begin()
            self.wire.arrived += DATA[:size]
            self.wire.reset()
            self.assertIs(self.inlet.read(), size % READ > 0, size)
            self.assertIs(self.inlet.read(), False)
            self.assertIn("Connection reset by peer", self.inlet.failure)
            self.assertEqual((b"".join(self.receiver.pieces), self.receiver.lost), (DATA[:size], []))
            self.inlet.scatter()
            self.line.transport.turn()
            self.assertEqual(len(self.receiver.lost), 1)

    def test_closed(self) -> None:
        """A connection that is gone: nothing more comes of it, whoever asks."""
        self.line.transport.abortConnection()
        self.line.transport.turn()
        self.assertEqual(len(self.receiver.lost), 1)
        self.wire.arrived += b"late"
        self.assertIs(self.inlet.read(), False)
        self.inlet.scatter()
        self.assertEqual((self.receiver.pieces, self.line.transport.isWatched), ([], False))

    def test_otherErrors(self) -> None:
        """Every error is a reason, in words."""
        for error in (TimeoutError(errno.ETIMEDOUT, "Connection timed out"), OSError(errno.EHOSTUNREACH, "No route")):
            self.begin()
            self.wire.end = error
            self.assertIs(self.inlet.read(), False)
            self.assertEqual(self.inlet.failure, str(error))

    def test_heldMeanwhile(self) -> None:
        """Whoever holds it because of what it brings gets no more of it, and the rest later; it stays gathered."""
        self.wire.arrived += DATA[: 3 * READ]
        self.receiver.dataReceived = lambda data: (  # type: ignore[method-assign]
            self.receiver.pieces.append(data),
            self.inlet.hold("budget"),
        )
        for count in (1, 2, 3):
            self.assertIs(self.inlet.read(), True)
            self.assertIs(self.inlet.read(), True)
            self.assertEqual([len(piece) for piece in self.receiver.pieces], [READ] * count)
            self.assertIs(self.inlet.release("budget"), True)
            self.assertFalse(self.line.transport.isWatched)
        self.assertEqual(b"".join(self.receiver.pieces), DATA[: 3 * READ])

    def test_openedMeanwhile(self) -> None:
        """Whoever gives it back to the reactor meanwhile leaves the rest to it."""
        for name, size in product(("open", "scatter"), (1, READ, 2 * READ)):
            self.begin()
            self.wire.arrived += DATA[:size]
            act = getattr(self.inlet, name)
            self.receiver.dataReceived = lambda data, act=act: (  # type: ignore[misc, method-assign]
                self.receiver.pieces.append(data),
                act(),
            )
            self.assertIs(self.inlet.read(), False)
            self.assertEqual(len(self.receiver.pieces), 1)
            self.line.transport.turn()
            self.assertEqual(b"".join(self.receiver.pieces), DATA[:size])

    def test_drain(self) -> None:
        """What has come is read at once, whoever reads it else, and then the reactor reads it; but nobody who holds."""
        for gathered, end in product((True, False), (False, True)):
            self.begin()
            if not gathered:
                self.inlet.scatter()
            self.wire.arrived += DATA[: READ + 1]
            self.wire.end = end or None
            self.inlet.drain()
            self.assertEqual(b"".join(self.receiver.pieces), DATA[: READ + 1])
            self.assertEqual((self.line.transport.isWatched, self.receiver.lost), (True, []))
        self.begin()
        self.wire.arrived += b"abc"
        self.inlet.hold("budget")
        self.inlet.drain()
        self.assertEqual((self.receiver.pieces, self.line.transport.isWatched), ([], False))
        self.inlet.release("budget")
        self.assertTrue(self.line.transport.isWatched)

    def test_canGather(self) -> None:
        """Only plain TCP may; and who has filled its reads should not, until that is reset."""
        TLS = SocketTransport()
        alsoProvides(TLS, ISSLTransport)
        for transport, can in ((SocketTransport(), True), (TLS, False), (StringTransport(), False)):
            inlet = Inlet(transport, self.fail)
            self.assertIs(inlet.canGather, can)
            inlet.filled = True
            self.assertIs(inlet.canGather, False)

    def test_withoutASocket(self) -> None:
        """There is nothing to read, and holds are what they are anywhere."""
        transport = StringTransport()
        inlet = Inlet(transport, self.fail)
        inlet.gather()
        self.assertIs(inlet.read(), True)
        inlet.hold("budget")
        inlet.scatter()
        self.assertEqual(transport.producerState, "paused")
        self.assertIs(inlet.release("budget"), True)
        self.assertEqual(transport.producerState, "producing")
