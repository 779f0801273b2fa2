# -*- test-case-name: tests.test_steadytime -*-
"""
Tests for L{rtmptw.steadytime}.
"""

from __future__ import annotations

import time

from twisted.internet.base import ReactorBase
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.steadytime import keepSteadyTime

DAY = 24 * 3600.0


class Reactor(ReactorBase):
    """A reactor of Twisted without anything to wait for, and with a wall clock that can be set."""

    def __init__(self) -> None:
        self.wall = time.time()
        super().__init__()
        self.seconds = lambda: self.wall

    def installWaker(self) -> None:
        """Nobody sleeps."""


class SteadyTimeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = Reactor()
        self.monotonic = 1000.0
        self.patch(time, "monotonic", lambda: self.monotonic)
        self.fired: list[str] = []

    def later(self, delay: float, name: str) -> None:
        """Something is to happen."""
        self.reactor.callLater(delay, self.fired.append, name)

    def turn(self, seconds: float = 0.0) -> list[str]:
        """Seconds pass; what happens?"""
        self.monotonic += seconds
        self.fired.clear()
        self.reactor.runUntilCurrent()
        return list(self.fired)

    def test_withoutIt(self) -> None:
        """What is wrong with reactors: when the clock is set back, nothing happens; set forward, everything does."""
        self.later(1, "soon")
        self.reactor.wall -= DAY
        self.assertEqual((self.turn(60), self.reactor.timeout()), ([], DAY + 1))
        self.later(DAY - 1, "tomorrow")
        self.reactor.wall += DAY
        self.assertEqual(self.turn(0), ["tomorrow"])

    def test_steady(self) -> None:
        """Whatever the clock is set to, what is to happen in a second happens in a second."""
        keepSteadyTime(self.reactor)
        for step in (-DAY, DAY, 1.0, -1.0):
            self.later(1, "soon")
            self.reactor.wall += step
            self.assertEqual(self.turn(0.9), [])
            self.assertEqual(self.turn(0.2), ["soon"])

    def test_whatWaitsAlready(self) -> None:
        """What was to happen before does, in the same time as before, in the same order."""
        for delay in (7, 3, 5, 1, 6, 2, 4):
            self.later(delay, f"{delay}")
        self.assertEqual(self.turn(), [])
        # These have not got into the reactor's order yet.
        self.later(2.5, "2.5")
        self.reactor.callLater(3.5, self.fired.append, "cancelled").cancel()
        keepSteadyTime(self.reactor)
        self.assertAlmostEqual(self.reactor.timeout() or 0, 1, 6)
        happened = [self.turn(0.51) for _ in range(16)]
        self.assertEqual([name for names in happened for name in names], ["1", "2", "2.5", "3", "4", "5", "6", "7"])
        self.assertEqual((happened[1], happened[13]), (["1"], ["7"]))

    def test_movedLater(self) -> None:
        """What waits already can still be put off, and be brought forward."""
        off, forward = (self.reactor.callLater(9, self.fired.append, name) for name in ("off", "forward"))
        self.turn()
        keepSteadyTime(self.reactor)
        off.reset(20)
        forward.reset(2)
        self.assertEqual((self.turn(1.9), self.turn(0.2)), ([], ["forward"]))
        self.assertEqual((self.turn(17.8), self.turn(0.2)), ([], ["off"]))

    def test_again(self) -> None:
        self.later(1, "soon")
        for _ in range(3):
            keepSteadyTime(self.reactor)
        self.assertEqual((self.turn(0.9), self.turn(0.2)), ([], ["soon"]))
