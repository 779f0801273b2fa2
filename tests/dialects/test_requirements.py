# -*- test-case-name: tests.dialects.test_requirements -*-
"""
Tests for L{rtmptw.dialects.requirements}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.causes.causes import CAUSES, CLIENTS
from rtmptw.dialects import requirements
from rtmptw.dialects.requirements import FFMPEG, FFMPEG_PLAYER, LENIENT, Requirements

ALL = {name: value for name, value in vars(requirements).items() if isinstance(value, Requirements)}


class TableTests(SynchronousTestCase):
    def test_clients(self) -> None:
        """Each client that the causes speak of has its requirements, and is named as there."""
        self.assertEqual({each.client for each in ALL.values() if each.client}, set(CLIENTS))

    def test_minds(self) -> None:
        """What each minds is a cause. What stops nobody is not minded: that is the business of advice."""
        for each in ALL.values():
            self.assertLessEqual(each.minds, set(CAUSES))

    def test_harmless(self) -> None:
        """What is known to do no harm to those that were run (wire facts 11)."""
        for each in (FFMPEG, FFMPEG_PLAYER, requirements.LIBRTMP, requirements.OBS, requirements.GSTREAMER):
            harmless = {"answers-transaction-0", "createstream-undefined", "waits-for-pong", "s2-not-an-echo"}
            self.assertEqual(each.minds & harmless, set(), each.client)

    def test_lenient(self) -> None:
        """It minds nothing at all."""
        self.assertEqual(LENIENT.minds, set())
        self.assertEqual(LENIENT.client, "")

    def test_both(self) -> None:
        """FFmpeg's two ways differ in the digest and in what they read, not in how they read answers."""
        self.assertTrue(FFMPEG_PLAYER.digest and not FFMPEG.digest)
        for name in ("numberOrFail", "streamId", "errors", "information", "unreadable", "positiveControl"):
            self.assertEqual(getattr(FFMPEG, name), getattr(FFMPEG_PLAYER, name))
