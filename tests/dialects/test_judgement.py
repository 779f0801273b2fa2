# -*- test-case-name: tests.dialects.test_judgement -*-
"""
Tests for L{rtmptw.dialects.judgement}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.dialects.judgement import Awaited, Expectation, Judgement, Verdict


class AwaitedTests(SynchronousTestCase):
    def test_request(self) -> None:
        """Publish and play are answered by a status, the others by a result."""
        expected = {"connect": False, "createStream": False, "publish": True, "play": True}
        found = {}
        for expectation in Expectation:
            awaited = Awaited(expectation, 1.0)
            found[awaited.call] = awaited.isRequest
        self.assertEqual(found, expected)

    def test_judgement(self) -> None:
        """Nothing is wrong unless it is said."""
        judgement = Judgement(Verdict.TAKEN)
        self.assertEqual((judgement.violation, judgement.value, judgement.isAnswer), (None, None, True))
