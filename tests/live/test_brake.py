"""
Tests for L{rtmptw.live.brake}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.live.brake import Brake
from tests.live.doubles import MemoryPublisher


class BrakeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.brake = Brake()
        self.publisher = MemoryPublisher()
        self.brake.change(self.publisher)

    def test_hold(self) -> None:
        """It is held from the first who holds to the last who lets go."""
        self.brake.hold(1)
        self.brake.hold(1)
        self.brake.hold(2)
        self.assertEqual((self.publisher.calls, self.brake.isOn), (["pause"], True))
        self.brake.release(1)
        self.assertEqual(self.publisher.calls, ["pause"])
        self.brake.release(2)
        self.brake.release(2)
        self.assertEqual((self.publisher.calls, self.brake.isOn), (["pause", "resume"], False))

    def test_change(self) -> None:
        """Whoever holds, holds the next one; the one before is let go."""
        self.brake.hold(1)
        second = MemoryPublisher()
        self.brake.change(second)
        self.assertEqual((self.publisher.calls, second.calls), (["pause", "resume"], ["pause"]))
        self.brake.release(1)
        self.assertEqual((self.publisher.calls, second.calls), (["pause", "resume"], ["pause", "resume"]))

    def test_nobody(self) -> None:
        """One that comes while somebody holds is held; without any, nothing is to be done."""
        self.brake.change(None)
        self.brake.hold(1)
        second = MemoryPublisher()
        self.brake.change(second)
        self.assertEqual(second.calls, ["pause"])
        self.brake.change(None)
        self.brake.release(1)
        self.assertEqual((self.publisher.calls, second.calls), ([], ["pause", "resume"]))
