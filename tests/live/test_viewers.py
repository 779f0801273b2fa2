# -*- test-case-name: tests.live.test_viewers -*-
"""
Tests for L{rtmptw.live.viewers}: who sleeps, and who wakes. What each is given is tested with a stream
(L{tests.live.test_livestream}).
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.live.livestream import GRACE_SECONDS
from rtmptw.live.pace import FASTEST, Haste
from rtmptw.live.tape import FULL, Tape
from rtmptw.live.viewer import Viewer
from tests.live.doubles import LiveTestCase, MemoryOutlet, MemoryPublisher, atOnce, inter, key, sound
from tests.live.test_viewer import BEGINNING


class AskedOutlet(MemoryOutlet):
    """
    Counts how often it is asked whether it is ready.

    @ivar asked: so often.
    """

    asked = 0

    @property
    def ready(self) -> bool:
        """See L{MemoryOutlet.ready}."""
        self.asked += 1
        return super().ready


class SleepTests(LiveTestCase):
    """One viewer that takes nothing more, and one that takes everything."""

    def setUp(self) -> None:
        super().setUp()
        self.hub = atOnce(self.clock, grace=GRACE_SECONDS)
        self.awake, self.sleeper = MemoryOutlet(), AskedOutlet()
        self.play(self.awake)
        self.viewer: Viewer = self.play(self.sleeper)
        self.publication = self.publish()
        self.send(self.publication, *BEGINNING, key(0))
        self.sleeper.room = 0
        # It is seen that it takes nothing, once.
        self.send(self.publication, inter(40))
        self.awake.take()
        self.sleeper.take()
        [self.stream] = self.hub

    def asked(self) -> int:
        """How often the sleeper was asked since the last time."""
        asked, self.sleeper.asked = self.sleeper.asked, 0
        return asked

    def test_D14_sleeps(self) -> None:
        """Who takes nothing is not asked again; the other has everything."""
        self.asked()
        sent = [inter(time) for time in range(80, 480, 40)]
        for message in sent:
            self.send(self.publication, message)
        self.assertContent(self.awake.take(), *sent)
        self.assertEqual((self.asked(), self.viewer.lagBytes > 0), (0, True))

    def test_wakes(self) -> None:
        """When it takes something again it has all that it has not had, and is asked in each round again."""
        self.send(self.publication, inter(80))
        self.sleeper.drain()
        self.assertContent(self.sleeper.take(), inter(40), inter(80))
        self.asked()
        self.send(self.publication, inter(120))
        self.assertContent(self.sleeper.take(), inter(120))
        self.assertGreater(self.asked(), 0)

    def test_wakesWithoutPublisher(self) -> None:
        """It wakes as well while the publisher is lost, and has what comes from the next one on."""
        self.publication.suspend("the cable was pulled")
        self.sleeper.drain()
        self.assertContent(self.sleeper.take(), inter(40))
        self.publisher = MemoryPublisher()
        again = self.publish()
        self.send(again, *BEGINNING, key(0))
        self.assertEqual([message.payload for message in self.sleeper.take()[-1:]], [key(0).payload])

    def test_wakesBeforeItsKeyframe(self) -> None:
        """A relay that waits for a keyframe wakes as well, and has the keyframe when it comes."""
        outlet = MemoryOutlet(room=0)
        self.stream.play(outlet, 1, lambda: None, after=self.stream.tape.end)
        self.send(self.publication, inter(80))
        outlet.drain()
        self.send(self.publication, inter(120))
        self.assertContent(outlet.take())
        self.send(self.publication, key(160))
        self.assertContent(outlet.take()[-1:], key(160))

    def test_paused(self) -> None:
        """Who has paused sleeps as well, and is woken by going on."""
        self.sleeper.drain()
        self.viewer.pause()
        self.send(self.publication, key(80))
        self.sleeper.take()
        self.asked()
        self.send(self.publication, inter(120))
        self.assertEqual((self.asked(), self.sleeper.take()), (0, []))
        self.viewer.resume()
        self.assertContent(self.sleeper.take(), key(80), inter(120))
        self.send(self.publication, sound(130))
        self.assertContent(self.sleeper.take(), sound(130))

    def test_goes(self) -> None:
        """Who has gone is neither asked nor woken, whether it slept or not."""
        other = AskedOutlet()
        second = self.play(other)
        self.viewer.stop()
        second.stop()
        self.sleeper.room = None
        self.viewer.flush()
        self.stream.wake(self.viewer)
        self.asked()
        other.asked = 0
        self.send(self.publication, inter(80), inter(120))
        self.assertEqual((self.asked(), other.asked, len(self.stream.viewers)), (0, 0, 1))

    def test_hasty(self) -> None:
        """Where a publisher is faster than anything live, those who sleep are asked for once in a while."""
        self.asked()
        self.send(self.publication, inter(80, bytes(FULL)))
        self.assertGreater(self.asked(), 0)
        self.send(self.publication, inter(120))
        self.assertEqual(self.asked(), 0)

    def test_atTheEnd(self) -> None:
        """It has its rest when the stream has ended."""
        self.send(self.publication, inter(80))
        self.publication.end("")
        self.sleeper.drain()
        self.assertContent(self.sleeper.take(), inter(40), inter(80))


class HasteTests(SynchronousTestCase):
    """L{Haste}: a publisher that is ahead of the fastest that is live."""

    def setUp(self) -> None:
        self.haste = Haste()
        self.tape = Tape(maxBytes=64 * FULL, maxMessages=1 << 20)

    def come(self, size: int, now: float) -> bool:
        """So much comes, and there is a round."""
        self.tape.append(bytes(size), 9, 0, now, False)
        return self.haste.wantsLook(self.tape, now)

    def test_live(self) -> None:
        """Who is no faster than that is never ahead, in whatever blocks it comes; who is a little faster is at last."""
        for block, speed, isAhead in ((1 << 15, 0.99, False), (FULL - 1, 0.99, False), (1 << 15, 1.05, True)):
            self.setUp()
            found = {self.come(block, 100 + block * count / FASTEST / speed) for count in range(1, 400)}
            self.assertEqual(True in found, isAhead, (block, speed))

    def test_limit(self) -> None:
        """At L{FULL} it is ahead, and below it is not."""
        for size, isAhead in ((FULL - 1, False), (FULL, True), (FULL + 1, True)):
            self.setUp()
            self.assertIs(self.come(size, 0.0), isAhead)

    def test_once(self) -> None:
        """It is told once for each L{FULL}, for as long as it is ahead."""
        found = [self.come(FULL // 4, 5.0) for _ in range(12)]
        self.assertEqual(found, [False, False, False, True] * 3)

    def test_rest(self) -> None:
        """After a pause it is not ahead any more, however far it was."""
        self.assertTrue(self.come(8 * FULL, 5.0))
        self.assertTrue(self.come(FULL, 5.0 + 7.9 * FULL / FASTEST))
        self.assertFalse(self.come(FULL // 2, 5.0 + 9 * FULL / FASTEST))

    def test_unwatched(self) -> None:
        """What came while there were no rounds, since nobody was there, is forgotten as soon as it is on the tape."""
        for _ in range(1000):
            self.tape.append(bytes(FULL), 9, 0, 1.0, False)
        self.assertTrue(self.come(1, 1.0))
        later = 1.0 + self.tape.held / FASTEST
        self.assertFalse(self.come(FULL - 1, later))
        self.assertFalse(self.come(FULL - 1, later + 1))

    def test_clockSetBack(self) -> None:
        """After the clock was set back it is ahead by what comes, and not by the time that it was set back."""
        self.come(FULL // 2, 1000.0)
        self.assertFalse(self.come(FULL // 4, 1.0))
        self.assertFalse(self.come(FULL - 1, 2.0))
        self.assertFalse(self.come(FULL - 1, 3.0))
