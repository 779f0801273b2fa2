"""
Tests for L{rtmptw.live.beginning}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.live.beginning import PATIENCE, Beginning, isHeader
from rtmptw.live.headers import HeaderCache
from rtmptw.wire.media import classify
from rtmptw.wire.message import Message
from tests.live.doubles import content, inter, key, metadata, pictureHeader, sound, soundHeader, video


class BeginningTests(SynchronousTestCase):
    def start(self, hadVideo: bool, *messages: Message) -> tuple[int | None, Beginning]:
        """Which of these is the place to start."""
        beginning = Beginning(hadVideo)
        for index, message in enumerate(messages):
            if beginning.isStart(message, classify(message.type, message.payload)):
                return index, beginning
        return None, beginning

    def test_picture(self) -> None:
        """A keyframe, and no sound before it."""
        index, beginning = self.start(True, sound(0), inter(10), soundHeader(20), pictureHeader(20), key(40))
        self.assertEqual((index, beginning.waited, beginning.hasVideo), (4, 30, True))
        self.assertEqual(self.start(False, pictureHeader(0), sound(0), key(40))[0], 2)

    def test_sound(self) -> None:
        """Any sound, if there never was a picture; metadata and the end of a sequence are no place."""
        self.assertEqual(self.start(False, metadata(0), soundHeader(0), sound(5))[0], 2)
        self.assertEqual(self.start(False, video("1702000000", 0))[0], None)

    def test_patience(self) -> None:
        """If there was a picture, it is waited for."""
        for last, index in ((PATIENCE - 1, None), (PATIENCE, 1)):
            # The clock may begin anywhere, and end its round meanwhile.
            began = 0xFFFFFFF0
            found, beginning = self.start(True, sound(began), sound((began + last) & 0xFFFFFFFF))
            self.assertEqual((found, beginning.waited, beginning.hasVideo), (index, last, False))

    def test_skew(self) -> None:
        """How much time has passed, each track tells by its own clock; and none of them tells much."""
        index, beginning = self.start(True, sound(0), inter(1_700_000_000), sound(23), key(1_700_000_040))
        self.assertEqual((index, beginning.waited), (3, 40))
        index, beginning = self.start(True, sound(0), sound(0x7FFFFFFF))
        self.assertEqual((index, beginning.waited), (1, PATIENCE))

    def test_dataOnly(self) -> None:
        """A connection that brings nothing but data is waited for as long; then that will do."""
        words = [Message(18, time, 1, b"\x02\x00\x0aonTextData", 5) for time in (0, 5000, PATIENCE)]
        self.assertEqual(self.start(True, *words)[0], 2)
        self.assertEqual(self.start(True, *words[:2])[0], None)

    def test_newHeaders(self) -> None:
        """Those that are new, once, with the time of the frame that follows."""
        known = HeaderCache()
        known.see(soundHeader(0))
        known.seeData(metadata(0, width=1.0))
        _, beginning = self.start(True, metadata(7, width=2.0), soundHeader(8), pictureHeader(9))
        self.assertEqual(
            content(beginning.newHeaders(known, 1000)), content([metadata(1000, width=2.0), pictureHeader(1000)])
        )
        self.assertEqual(beginning.newHeaders(known, 2000), [])

    def test_isHeader(self) -> None:
        """Metadata, and sequence headers; no other data."""
        other = Message(18, 0, 1, b"\x02\x00\x06onCuePoint"[:9], 5)
        for message, expected in (
            *((metadata(0), True), (soundHeader(0), True), (pictureHeader(0), True)),
            *((key(0), False), (sound(0), False), (other, False)),
        ):
            self.assertIs(isHeader(message, classify(message.type, message.payload)), expected)
