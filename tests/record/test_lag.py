"""Tests for L{rtmptw.record.lag}."""

from __future__ import annotations

from rtmptw.live.publication import Publication
from rtmptw.record.lag import Lag
from tests.live.doubles import PATH, LiveTestCase, MemoryOutlet, MemorySubscriber, inter, metadata, sound


class LagTests(LiveTestCase):
    """A stream that is watched, and the clock."""

    def setUp(self) -> None:
        super().setUp()
        self.publication: Publication = self.publish()
        self.viewer = self.play(MemoryOutlet())
        [stream] = self.hub
        self.lag = Lag(self.clock, stream)

    def pass_(self, seconds: float) -> float:
        """Time passes, and the disk is looked at. How far behind is the stream?"""
        self.clock.advance(seconds)
        self.lag.look()
        return self.lag.seconds

    def test_nothing(self) -> None:
        """Before the disk makes it wait, there is none; and none any more when the disk has taken everything."""
        self.lag.take(inter(5000))
        self.assertEqual(self.pass_(7), 0)
        self.lag.hold()
        self.assertEqual(self.pass_(1), 1)
        self.lag.end()
        self.assertEqual(self.pass_(1), 0)

    def test_behind(self) -> None:
        """The clock goes on, and the stream less; all times together count."""
        self.lag.take(inter(5000))
        self.lag.hold()
        self.assertEqual(self.pass_(3), 3)
        self.lag.take(inter(6000))
        self.assertEqual(self.lag.seconds, 2)
        self.lag.release()
        self.lag.hold()
        self.assertEqual(self.pass_(1), 3)

    def test_ahead(self) -> None:
        """What comes faster than it plays is not behind."""
        self.lag.hold()
        self.pass_(1)
        self.lag.take(inter(60_000))
        self.assertEqual(self.lag.seconds, 0)

    def test_runsOver(self) -> None:
        """Behind 32 bits, times begin again."""
        self.lag.take(inter(0xFFFFFFFF))
        self.lag.hold()
        self.pass_(2)
        self.lag.take(inter(999))
        self.assertEqual(self.lag.seconds, 1)

    def test_tracks(self) -> None:
        """One track may be behind another, and data has times of its own: the newest frame counts."""
        self.lag.take(inter(9000))
        self.lag.hold()
        self.pass_(1)
        for message in (inter(10_000), sound(1000), metadata(0)):
            self.lag.take(message)
        self.assertEqual(self.lag.seconds, 0)
        self.lag.take(metadata(100_000))
        self.assertEqual(self.pass_(2), 2)

    def test_heldOnly(self) -> None:
        """A stream with times that stand still is not further behind than it was held."""
        self.lag.hold()
        self.pass_(1)
        self.lag.release()
        self.assertEqual(self.pass_(100), 1)
        self.lag.hold()
        self.assertEqual(self.pass_(1), 2)

    def test_unwatched(self) -> None:
        """What nobody has felt is nothing: neither before somebody came, nor without a publisher."""
        self.viewer.stop()
        self.lag.hold()
        self.assertEqual((self.lag.isFelt, self.pass_(100)), (False, 0))
        viewer = self.play(MemoryOutlet())
        self.assertEqual((self.lag.isFelt, self.pass_(1)), (True, 1))
        viewer.stop()
        self.hub.subscribe(PATH, MemorySubscriber())
        self.assertEqual((self.lag.isFelt, self.pass_(1)), (True, 2))
        [stream] = self.hub
        stream.grace = 100.0
        self.publication.suspend("gone")
        self.assertEqual((self.lag.isFelt, self.pass_(50)), (False, 2))

    def test_otherRecorder(self) -> None:
        """Who only keeps it does not watch."""
        self.viewer.stop()
        [stream] = self.hub
        stream.subscribe(MemorySubscriber())
        self.assertFalse(self.lag.isFelt)
