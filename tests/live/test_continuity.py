"""
Tests for L{rtmptw.live.continuity}. What it does for those who watch is in L{tests.live.test_handover}.
"""

from __future__ import annotations

from twisted.internet.testing import EventLoggingObserver
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.live.continuity import Continuity
from rtmptw.live.headers import HeaderCache
from rtmptw.wire.media import classify
from rtmptw.wire.message import Message
from tests.live.doubles import content, inter, key, pictureHeader, soundHeader


class ContinuityTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.continuity = Continuity("live/camera")
        self.known = HeaderCache()

    def take(self, *messages: Message) -> list[Message]:
        """What is passed on."""
        return [
            placed
            for message in messages
            for placed in self.continuity.take(message, classify(message.type, message.payload), 0.04, self.known)
        ]

    def test_asTheyCame(self) -> None:
        """Within one publication, the same objects."""
        messages = [pictureHeader(0), key(7), inter(47)]
        for message, placed in zip(messages, self.take(*messages), strict=True):
            self.assertIs(placed, message)

    def test_repaired(self) -> None:
        """A time that would break a reader is changed, and that is said once."""
        log = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)
        found = self.take(key(50_000), inter(0), inter(40))
        self.assertEqual([message.timestamp for message in found], [50_000, 50_040, 50_080])
        [line] = [formatEvent(event) for event in log]
        self.assertIn("live/camera: video: timestamps went back", line)
        self.assertEqual(self.continuity.times.repairs["reset"], 1)

    def test_resume(self) -> None:
        """Nothing before the keyframe; then the headers that are new, and the clock goes on behind the outage."""
        self.known.see(soundHeader(0))
        self.take(key(50_000))
        self.continuity.resume(2.0, True)
        self.assertTrue(self.continuity.isBeginning)
        self.assertEqual(self.take(soundHeader(0), pictureHeader(0), inter(0)), [])
        found = self.take(key(40), inter(80))
        self.assertEqual(content(found), content([pictureHeader(52_040), key(52_040), inter(52_080)]))
        self.assertFalse(self.continuity.isBeginning)

    def test_nothingYet(self) -> None:
        """Without a frame there is nothing to go on with."""
        self.take(pictureHeader(0))
        self.continuity.resume(2.0, True)
        self.assertFalse(self.continuity.isBeginning)
