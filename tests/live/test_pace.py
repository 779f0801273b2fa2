"""Tests for L{rtmptw.live.pace}, as a viewer uses it."""

from __future__ import annotations

from rtmptw.limits import Limits
from rtmptw.live.image import encodeImage
from rtmptw.live.pace import FASTEST, HOLD_BYTES
from rtmptw.live.tape import FULL
from tests.live.doubles import LiveTestCase, MemoryOutlet, MemoryPublisher, inter, key
from tests.live.test_viewer import BEGINNING, MEGABYTE

REST_SECONDS = Limits().restSeconds


class HoldTests(LiveTestCase):
    """A publisher that is faster than anything live, and a viewer that is not."""

    def setUp(self) -> None:
        """A viewer that has seen the beginning, and takes no more."""
        super().setUp()
        self.outlet = MemoryOutlet()
        self.viewer = self.play(self.outlet)
        self.publication = self.publish()
        self.send(self.publication, *BEGINNING, key(0))
        self.outlet.take()
        self.outlet.room = 0
        self.clock.advance(1)

    def burst(self, megabytes: int = 5) -> None:
        """So much comes in one moment."""
        self.send(self.publication, *(inter(index, MEGABYTE) for index in range(megabytes)))

    def test_bytes(self) -> None:
        """It is held when the viewer is more than HOLD_BYTES behind, and not before; it is looked at now and then."""
        # Without their bodies.
        rest = HOLD_BYTES - 256 * len(encodeImage(inter(0, b"")))
        self.send(self.publication, *(inter(40, bytes(rest // 256)) for _ in range(255)))
        self.send(self.publication, inter(40, bytes(rest - 255 * (rest // 256))))
        self.assertEqual((self.viewer.lagBytes, self.publisher.calls), (HOLD_BYTES, []))
        self.send(self.publication, inter(80, bytes(FULL)))
        self.assertEqual(self.publisher.calls, ["pause"])
        self.send(self.publication, inter(120))
        self.assertEqual(self.publisher.calls, ["pause"])

    def test_early(self) -> None:
        """It is let go at the moment at which so much may have come, and held again if there is more again."""
        self.burst()
        early = self.viewer.lagBytes / FASTEST
        self.clock.advance(early - 0.001)
        self.assertEqual(self.publisher.calls, ["pause"])
        self.clock.advance(0.002)
        self.assertEqual(self.publisher.calls, ["pause", "resume"])
        self.burst(1)
        self.assertEqual(self.publisher.calls, ["pause", "resume", "pause"])
        self.clock.advance(self.viewer.lagBytes / FASTEST - early)
        self.assertEqual(self.publisher.calls, ["pause", "resume"] * 2)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_pace(self) -> None:
        """A file on its way is read as fast as the fastest stream, also when the tape has forgotten where it began."""
        sent, began = 0, self.clock.seconds()
        while self.clock.seconds() < began + 4:
            for _ in range(4):
                if not self.publisher.paused:
                    self.send(self.publication, inter(0, MEGABYTE[: 1 << 18]))
                    sent += 1 << 18
            self.clock.advance(0.005)
        self.assertGreater(sent, 0.97 * 4 * FASTEST)
        self.assertLess(sent, 1.03 * 4 * FASTEST)

    def test_live(self) -> None:
        """What comes no faster than that is never held, however far behind the viewer is; a little faster is."""
        for speed, isHeld in ((0.97, False), (1.05, True)):
            for index in range(300):
                self.send(self.publication, inter(index, MEGABYTE[: 1 << 15]))
                self.clock.advance((1 << 15) / FASTEST / speed)
            self.assertGreater(self.viewer.lagBytes, 2 * HOLD_BYTES)
            self.assertEqual("pause" in self.publisher.calls, isHeld)
            self.outlet.drain()
            self.outlet.take()
            self.outlet.room = 0

    def test_clockSetBack(self) -> None:
        """After the clock was set back nobody knows how fast it is: nobody is held."""
        for index in range(20):
            self.send(self.publication, inter(index, MEGABYTE[: 1 << 18]))
            self.clock.advance(0.5)
        self.assertGreater(self.viewer.lagBytes, HOLD_BYTES)
        self.clock.rightNow -= 60
        for _ in range(2):
            self.send(self.publication, inter(999))
            self.assertEqual((self.publisher.calls, self.clock.getDelayedCalls()), ([], []))

    def test_quick(self) -> None:
        """Nobody is held for a viewer that takes everything, or the half of it."""
        self.outlet.drain()
        self.outlet.take()
        self.burst(15)
        self.outlet.part = 8 << 20
        self.assertEqual((self.publisher.calls, self.viewer.lagBytes), ([], 0))
        self.send(self.publication, *(inter(index, MEGABYTE) for index in range(11)))
        self.assertLess(self.viewer.lagBytes, HOLD_BYTES)
        self.assertEqual((self.publisher.calls, self.outlet.ready), ([], False))

    def test_drained(self) -> None:
        """It is let go at once when the viewer has taken everything."""
        self.burst()
        self.outlet.drain()
        self.assertEqual((self.publisher.calls, self.clock.getDelayedCalls()), (["pause", "resume"], []))

    def test_catchesUp(self) -> None:
        """It is let go as soon as the viewer is no more than HOLD_BYTES behind; that it is ready is not enough."""
        self.burst(8)
        for _ in range(8):
            self.assertEqual(self.publisher.paused, self.viewer.lagBytes > HOLD_BYTES)
            self.outlet.drain(room=1)
        self.assertEqual((self.viewer.lagBytes, self.publisher.calls), (0, ["pause", "resume"]))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop(self) -> None:
        """It is let go when the viewer stops."""
        self.burst()
        self.viewer.stop()
        self.assertEqual((self.publisher.calls, self.clock.getDelayedCalls()), (["pause", "resume"], []))
        self.burst()
        self.assertEqual(self.publisher.calls, ["pause", "resume"])

    def test_pause(self) -> None:
        """It is let go when the viewer pauses, and is not held for it before it goes on."""
        self.burst()
        self.viewer.pause()
        self.assertEqual((self.publisher.calls, self.clock.getDelayedCalls()), (["pause", "resume"], []))
        self.burst()
        self.assertEqual(self.publisher.calls, ["pause", "resume"])
        self.viewer.resume()
        self.assertEqual(self.publisher.calls, ["pause", "resume", "pause"])

    def test_failure(self) -> None:
        """It is let go when the viewer fails."""
        self.burst()

        def offer(data: bytes) -> int:
            raise ValueError("a bug in an outlet")

        self.outlet.offer = offer  # type: ignore[method-assign]
        self.outlet.room = None
        self.burst(1)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual((self.publisher.calls, self.clock.getDelayedCalls()), (["pause", "resume"], []))

    def test_end(self) -> None:
        """It is let go when it ends; nobody is held for what is left, nor is the next publisher."""
        self.burst()
        self.publication.end("")
        self.assertEqual(self.publisher.calls, ["pause", "resume"])
        # That is how long the viewer has for it.
        [call] = self.clock.getDelayedCalls()
        self.assertEqual(call.getTime() - self.clock.seconds(), REST_SECONDS)
        self.outlet.drain(room=1)
        self.publisher = MemoryPublisher()
        self.send(self.publish(), *BEGINNING, key(0), *(inter(index, MEGABYTE) for index in range(5)))
        self.outlet.drain(room=1)
        self.assertEqual(self.publisher.calls, [])
        self.outlet.drain()
        self.assertEqual(len(self.outlet.take()), 5)

    def test_next(self) -> None:
        """The next publisher is held like the first one, however much that one has sent."""
        self.burst(8)
        self.publication.end("")
        self.outlet.drain()
        self.publisher = MemoryPublisher()
        outlet = MemoryOutlet()
        self.play(outlet)
        self.publication = self.publish()
        self.send(self.publication, *BEGINNING, key(0))
        outlet.room = 0
        self.send(self.publication, inter(40))
        self.burst(5)
        self.assertEqual(self.publisher.calls, ["pause"])

    def test_several(self) -> None:
        """It is held until all viewers have caught up, or it is not early any more for any of them."""
        other = MemoryOutlet()
        second = self.play(other)
        # A message that waits in its outlet is no part of how far it is behind.
        other.part = 20
        self.burst(6)
        self.assertEqual(self.publisher.calls, ["pause"])
        self.assertGreater(self.viewer.lagBytes, second.lagBytes)
        self.viewer.stop()
        self.assertEqual(self.publisher.calls, ["pause"])
        self.clock.advance(second.lagBytes / FASTEST)
        self.assertEqual(self.publisher.calls, ["pause", "resume"])

    def test_withoutPlace(self) -> None:
        """Who has not begun yet, because its outlet has never been ready, holds nobody; when it has, it does."""
        self.outlet.drain()
        joiner = MemoryOutlet(room=0)
        viewer = self.play(joiner)
        self.send(self.publication, key(40), *(inter(80 + index, MEGABYTE) for index in range(10)))
        self.assertEqual((viewer.position, self.publisher.calls), (None, []))
        joiner.drain(room=1)
        # It has its headers, and is at the keyframe.
        self.assertEqual(self.publisher.calls, ["pause"])

    def test_waitsForThePublisher(self) -> None:
        """A relay that is not connected yet holds a publisher that is that fast, too: nothing is lost by it."""
        self.publication.end("")
        self.publisher = MemoryPublisher()
        outlet = MemoryOutlet(room=0)
        self.play(outlet)
        self.publication = self.publish()
        self.burst()
        self.assertEqual(self.publisher.calls, ["pause"])
