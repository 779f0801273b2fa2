# -*- test-case-name: tests.show.test_audience -*-
"""
Tests for L{rtmptw.show.audience}: everybody is told, and nobody suffers from another.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from rtmptw.capture.tracer import ITraceObserver
from rtmptw.show.audience import Audience
from rtmptw.trace.segment import Segment, Side


class Oops(Exception):
    """A mistake."""


@implementer(ITraceObserver)
class Observer:
    """
    Remembers.

    @ivar fails: what it fails at.
    """

    def __init__(self, fails: str = "") -> None:
        self.fails = fails
        self.told: list[tuple[object, ...]] = []

    def _tell(self, *what: object) -> None:
        self.told.append(what)
        if what[0] == self.fails:
            raise Oops

    def said(self, segment: Segment) -> None:
        self._tell("said", segment)

    def closed(self, side: Side, how: str, at: float) -> None:
        self._tell("closed", side, how, at)

    def failed(self, reason: str, at: float) -> None:
        self._tell("failed", reason, at)

    def gone(self) -> None:
        self._tell("gone")


SEGMENT = Segment(Side.CLIENT, 1.0, b"x")
EVERYTHING = [("said", SEGMENT), ("closed", Side.SERVER, "reset", 2.0), ("failed", "no route", 3.0), ("gone",)]


class AudienceTests(SynchronousTestCase):
    def tell(self, audience: Audience) -> None:
        audience.said(SEGMENT)
        audience.closed(Side.SERVER, "reset", 2.0)
        audience.failed("no route", 3.0)
        audience.gone()

    def test_all(self) -> None:
        observers = [Observer(), Observer()]
        audience = Audience(iter(observers))
        self.assertTrue(verifyObject(ITraceObserver, audience))
        self.tell(audience)
        for observer in observers:
            self.assertEqual(observer.told, EVERYTHING)

    def test_failing(self) -> None:
        """One that fails is told no more, and that is logged once; the others are."""
        for number, at in enumerate(("said", "closed", "failed", "gone"), 1):
            observers = [Observer(), Observer(at), Observer()]
            self.tell(Audience(observers))
            self.assertEqual(observers[0].told, EVERYTHING)
            self.assertEqual(observers[1].told, EVERYTHING[:number])
            self.assertEqual(observers[2].told, EVERYTHING)
            self.assertEqual(len(self.flushLoggedErrors(Oops)), 1)
