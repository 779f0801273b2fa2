# -*- test-case-name: tests.session.test_outcome -*-
"""
Tests for L{rtmptw.session.outcome}.
"""

from __future__ import annotations

from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.session.outcome import Outcome


class OutcomeTests(SynchronousTestCase):
    def test_beforeAndAfter(self) -> None:
        """Everybody is told, once, and what one makes of it does not concern the others."""
        outcome: Outcome[str] = Outcome()
        first, second = outcome.when(), outcome.when()
        changed = first.addCallback(lambda result: result + " changed")
        self.assertNoResult(second)
        outcome.decide("done")
        outcome.decide("something else")
        self.assertEqual(self.successResultOf(changed), "done changed")
        self.assertEqual(self.successResultOf(second), "done")
        self.assertEqual(self.successResultOf(outcome.when()), "done")

    def test_failure(self) -> None:
        """Nobody has to wait: a failure that nobody wants to know is not logged."""
        outcome: Outcome[str] = Outcome()
        waiting = outcome.when()
        cancelled = outcome.when()
        cancelled.addErrback(lambda _: None)
        cancelled.cancel()
        outcome.decide(Failure(ValueError("no")))
        self.failureResultOf(waiting, ValueError)
        self.failureResultOf(outcome.when(), ValueError)
        unheeded: Outcome[str] = Outcome()
        unheeded.decide(Failure(ValueError("no")))
        self.assertTrue(unheeded.isDecided)
