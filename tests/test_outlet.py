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
from rtmptw.outlet import Outlet


class OutletTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.transport = StringTransport()
        self.clock = Clock()
        self.outlet = Outlet(self.transport, self.clock)
        self.calls: list[str] = []

    def test_interfaces(self) -> None:
        self.assertTrue(verifyObject(IOutlet, self.outlet))
        self.assertTrue(verifyObject(IPushProducer, self.outlet))
        self.assertIs(self.transport.producer, self.outlet)
        self.assertTrue(self.transport.streaming)

    def test_write(self) -> None:
        """Also when it is not ready: what a session says must arrive."""
        self.outlet.write(b"a")
        self.outlet.pauseProducing()
        self.outlet.write(b"b")
        self.assertEqual(self.transport.value(), b"ab")

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

    def test_close(self) -> None:
        """Nothing more is taken, and the transport is free of its producer. Once."""
        self.outlet.attach(lambda: self.calls.append("late"))
        self.outlet.write(b"a")
        self.outlet.close()
        self.outlet.close()
        self.outlet.write(b"b")
        self.outlet.resumeProducing()
        self.assertEqual((self.transport.value(), self.transport.producer, self.calls), (b"a", None, []))

    def test_gone(self) -> None:
        """The transport says that it is over: it has let go of its producer itself."""
        self.outlet.attach(lambda: self.calls.append("late"))
        self.transport.producer = None
        self.outlet.stopProducing()
        self.outlet.write(b"b")
        self.outlet.close()
        self.outlet.resumeProducing()
        self.assertEqual((self.transport.value(), self.calls), (b"", []))

    def test_goneFromTheStart(self) -> None:
        """A transport that is disconnected already stops its producer at once."""

        class Gone(StringTransport):
            def registerProducer(self, producer: Outlet, streaming: bool) -> None:
                producer.stopProducing()

        outlet = Outlet(Gone(), self.clock)
        self.assertFalse(outlet.ready)
        outlet.close()
