# -*- test-case-name: tests.test_outlet -*-
"""
Tests for L{rtmptw.outlet}.
"""

from __future__ import annotations

from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rtmptw.interfaces import IOutlet
from rtmptw.outlet import PIECE, Outlet


class OutletTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.transport = StringTransport()
        self.clock = Clock()
        self.outlet = Outlet(self.transport, self.clock, "peer")
        self.calls: list[str] = []

    def test_interfaces(self) -> None:
        self.assertTrue(verifyObject(IOutlet, self.outlet))
        self.assertTrue(verifyObject(IPushProducer, self.outlet))
        self.assertIs(self.transport.producer, self.outlet)
        self.assertTrue(self.transport.streaming)

    def test_write(self) -> None:
        """What is written while it is not ready comes behind what waits; answers are counted."""
        self.outlet.answer(b"a")
        self.outlet.write(b"")
        self.outlet.pauseProducing()
        self.outlet.answer(b"b")
        self.outlet.answer(b"cd")
        self.outlet.write(b"e")
        self.assertEqual((self.transport.value(), self.outlet.excess), (b"a", 3))
        self.outlet.resumeProducing()
        self.assertEqual((self.transport.value(), self.outlet.excess), (b"abcde", 0))

    def test_pieces(self) -> None:
        """A transport that has enough is given no more; each piece that leaves is progress (hostile row D14)."""

        class Slow(StringTransport):
            """As Twisted's: it says that it has enough whenever more than 64 KiB wait in it."""

            def write(self, data: bytes) -> None:
                super().write(data)
                if len(self.value()) > 65536:
                    self.producer.pauseProducing()

        transport = self.transport = Slow()
        outlet = self.outlet = Outlet(transport, self.clock, "peer")
        outlet.attach(lambda: self.calls.append("drained"))
        data = bytes(range(256)) * 4 * 1024
        outlet.write(data)
        outlet.write(b"status")
        taken = b""
        for _ in range(len(data) // PIECE):
            self.assertEqual((len(transport.value()), self.calls), (PIECE, []))
            self.clock.advance(14)
            self.assertEqual(outlet.stalled, 14)
            taken += transport.value()
            transport.clear()
            outlet.resumeProducing()
        self.assertEqual((taken, transport.value()), (data, b"status"))
        self.assertEqual((self.calls, outlet.ready, outlet.stalled), (["drained"], True, 0))

    def test_ready(self) -> None:
        self.assertTrue(self.outlet.ready)
        self.outlet.pauseProducing()
        self.assertFalse(self.outlet.ready)
        self.outlet.resumeProducing()
        self.assertTrue(self.outlet.ready)

    def test_stalled(self) -> None:
        """The time since it was full, not since it was made."""
        self.clock.advance(5)
        self.assertEqual(self.outlet.stalled, 0)
        self.outlet.pauseProducing()
        self.clock.advance(3)
        self.assertEqual(self.outlet.stalled, 3)
        self.outlet.resumeProducing()
        self.assertEqual(self.outlet.stalled, 0)

    def test_drained(self) -> None:
        """Each that is attached is called, in order, each time."""
        first, second = (lambda: self.calls.append("first")), (lambda: self.calls.append("second"))
        self.outlet.attach(first)
        self.outlet.attach(second)
        self.outlet.attach(first)
        self.outlet.resumeProducing()
        self.assertEqual(self.calls, ["first", "second"])
        self.outlet.detach(first)
        self.outlet.detach(first)
        self.outlet.resumeProducing()
        self.assertEqual(self.calls, ["first", "second", "second"])

    def test_fullAgain(self) -> None:
        """Who comes after one that has filled it waits."""
        self.outlet.attach(self.outlet.pauseProducing)
        self.outlet.attach(lambda: self.calls.append("second"))
        self.outlet.resumeProducing()
        self.assertEqual((self.calls, self.outlet.ready), ([], False))

    def test_detachedMeanwhile(self) -> None:
        """One that another has detached is not called any more."""

        def second() -> None:
            self.calls.append("second")

        self.outlet.attach(lambda: self.outlet.detach(second))
        self.outlet.attach(second)
        self.outlet.resumeProducing()
        self.assertEqual(self.calls, [])

    def test_pausedAgain(self) -> None:
        """A transport that says twice that it has enough has had enough since the first time."""
        self.outlet.pauseProducing()
        self.clock.advance(3)
        self.outlet.pauseProducing()
        self.assertEqual(self.outlet.stalled, 3)
        self.outlet.clockStopped(2)
        self.assertEqual(self.outlet.stalled, 1)

    def test_finish(self) -> None:
        """Nothing more is taken, and the transport is free of its producer."""
        self.outlet.attach(lambda: self.calls.append("late"))
        self.outlet.write(b"a")
        self.outlet.finish(lambda: self.calls.append("emptied"))
        self.outlet.write(b"b")
        self.outlet.resumeProducing()
        self.assertEqual((self.transport.value(), self.transport.producer, self.calls), (b"a", None, ["emptied"]))

    def test_finishLater(self) -> None:
        """What waits is sent before."""
        self.outlet.pauseProducing()
        self.outlet.write(b"a")
        self.outlet.finish(lambda: self.calls.append("emptied"))
        self.assertEqual((self.calls, self.transport.producer), ([], self.outlet))
        self.outlet.resumeProducing()
        self.assertEqual((self.transport.value(), self.transport.producer, self.calls), (b"a", None, ["emptied"]))

    def test_gone(self) -> None:
        """The transport says that it is over: it has let go of its producer itself."""
        self.outlet.attach(lambda: self.calls.append("late"))
        self.transport.producer = None
        self.outlet.pauseProducing()
        self.outlet.write(b"a")
        self.outlet.finish(lambda: self.calls.append("emptied"))
        self.outlet.stopProducing()
        self.outlet.write(b"b")
        self.outlet.resumeProducing()
        self.assertEqual((self.transport.value(), self.calls), (b"", []))

    def test_goneFromTheStart(self) -> None:
        """A transport that is disconnected already stops its producer at once."""

        class Gone(StringTransport):
            def registerProducer(self, producer: Outlet, streaming: bool) -> None:
                producer.stopProducing()

        outlet = Outlet(Gone(), self.clock, "peer")
        self.assertFalse(outlet.ready)
