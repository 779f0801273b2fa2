# -*- test-case-name: tests.dialects.test_finding -*-
"""
Tests for L{rtmptw.dialects.finding}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.causes.causes import CAUSES
from rtmptw.dialects.finding import STEPS, Finding, Progress, Step, StepState


def finding(cause: str, proven: bool = False) -> Finding:
    return Finding(CAUSES[cause], "FFmpeg", "ffmpeg-publish", Step.CONNECT, "words", proven=proven)


class FindingTests(SynchronousTestCase):
    def test_advice(self) -> None:
        """By the cause, unless it was seen to do harm here."""
        self.assertFalse(finding("connect-transaction-id").isAdvice)
        self.assertTrue(finding("createstream-undefined").isAdvice)
        self.assertFalse(finding("createstream-undefined", proven=True).isAdvice)

    def test_text(self) -> None:
        self.assertEqual(str(finding("no-answer")), "no-answer (ffmpeg-publish, connect): words")


class ProgressTests(SynchronousTestCase):
    def test_beginning(self) -> None:
        progress = Progress("name", "program")
        self.assertEqual(progress.steps, dict.fromkeys(STEPS, StepState.UNTESTED))
        self.assertFalse(progress.isTested)

    def test_once(self) -> None:
        """Each cause, the first time."""
        progress = Progress("name", "program")
        first = finding("no-answer")
        for each in (first, finding("no-answer", proven=True), finding("short-command")):
            progress.note(each)
        self.assertEqual([each.cause.name for each in progress.findings], ["no-answer", "short-command"])
        self.assertIs(progress.findings[0], first)
        self.assertTrue(progress.isTested)

    def test_tested(self) -> None:
        """Also when nothing is wrong."""
        progress = Progress("name", "program")
        progress.steps[Step.REQUEST] = StepState.OK
        self.assertTrue(progress.isTested)
        progress.steps[Step.REQUEST] = StepState.REFUSED
        self.assertFalse(progress.isTested)
