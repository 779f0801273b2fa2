# -*- test-case-name: tests.relay.test_retry -*-
"""
Tests for L{rtmptw.relay.retry}.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import AuthenticationError, CallError, CallTimedOut, ConnectionClosed, StatusError
from rtmptw.relay import retry
from rtmptw.relay.retry import FACTOR, FIRST_DELAY, FIRST_REFUSED_DELAY, JITTER, LONGEST_DELAY, STABLE_SECONDS, Retry


class RetryTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.retry = Retry(self.clock)

    def delays(self, count: int) -> list[float]:
        """What is waited between so many failures."""
        return [self.retry.nextDelay() for _ in range(count)]

    def test_growing(self) -> None:
        """Each is longer than the last by a factor, up to the longest; not one is shorter, or longer by the jitter."""
        for number, delay in enumerate(self.delays(200)):
            least = min(FIRST_DELAY * FACTOR**number, LONGEST_DELAY)
            self.assertTrue(least <= delay <= least + JITTER, (number, delay))

    def test_jitter(self) -> None:
        """It covers its whole range, and two relays do not do the same."""
        for chance, expected in ((0.0, 0.0), (0.5, JITTER / 2), (1.0, JITTER)):
            self.patch(retry, "random", lambda chance=chance: chance)
            self.assertEqual(Retry(self.clock).nextDelay(), FIRST_DELAY + expected)

    def test_random(self) -> None:
        other = Retry(self.clock)
        self.assertNotEqual(self.delays(5), [other.nextDelay() for _ in range(5)])

    def test_promise(self) -> None:
        """A server is found again within a tenth of the time that it was away, and half a second."""
        for chance in (0.0, 1.0):
            self.patch(retry, "random", lambda chance=chance: chance)
            self.retry = Retry(self.clock)
            delays = self.delays(20)
            for number, delay in enumerate(delays):
                self.assertLessEqual(delay, sum(delays[:number]) / 10 + FIRST_DELAY + JITTER)

    def test_refusedPassword(self) -> None:
        """It does not get better, and who tries it often locks out others."""
        self.assertEqual(Retry(self.clock).nextDelay(AuthenticationError("wrong password")), LONGEST_DELAY)
        self.assertEqual(Retry(self.clock).nextDelay(AuthenticationError("wrong password"), True), LONGEST_DELAY)

    def test_refused(self) -> None:
        """Whoever says no is asked seldom, from the first time on; what else goes wrong is counted for itself."""
        self.patch(retry, "random", lambda: 0.0)
        for error in (CallError("publish", "in use"), CallError("connect", "no"), StatusError("no")):
            self.retry = Retry(self.clock)
            found = [self.retry.nextDelay(error) for _ in range(2)]
            self.assertEqual(self.retry.nextDelay(ConnectionClosed("connect", "gone")), FIRST_DELAY)
            found += [self.retry.nextDelay(error) for _ in range(3)]
            self.assertEqual(found, [FIRST_REFUSED_DELAY, 10.0, 20.0, LONGEST_DELAY, LONGEST_DELAY])
            self.retry.connected()
            self.clock.advance(STABLE_SECONDS)
            self.assertEqual(self.retry.nextDelay(error), FIRST_REFUSED_DELAY)
        self.patch(retry, "random", lambda: 1.0)
        self.assertEqual(Retry(self.clock).nextDelay(error), FIRST_REFUSED_DELAY + JITTER)

    def test_notThereYet(self) -> None:
        """What can't be played, a call without an answer, and what is known to be over soon: it is asked again soon."""
        for error in (CallError("play", "not found"), CallTimedOut("publish", 10.0)):
            self.assertLess(Retry(self.clock).nextDelay(error), 1)
        self.assertLess(Retry(self.clock).nextDelay(CallError("publish", "in use"), True), 1)

    def test_stable(self) -> None:
        """A connection that has lasted makes everything begin anew; one that has not, or never was, does not."""
        self.patch(retry, "random", lambda: 0.0)
        third = FIRST_DELAY * FACTOR**2
        for connected, lasted, expected in (
            (True, STABLE_SECONDS, FIRST_DELAY),
            (True, 1000.0, FIRST_DELAY),
            (True, STABLE_SECONDS - 0.01, third),
            (False, 1000.0, third),
        ):
            self.retry = Retry(self.clock)
            self.delays(2)
            if connected:
                self.retry.connected()
            self.clock.advance(lasted)
            self.assertEqual(self.retry.nextDelay(), expected, (connected, lasted))

    def test_once(self) -> None:
        """One success counts once: the failures behind it are not forgotten for it, however long they take."""
        self.patch(retry, "random", lambda: 0.0)
        self.retry.connected()
        self.clock.advance(STABLE_SECONDS)
        found = []
        for _ in range(3):
            found.append(self.retry.nextDelay())
            self.clock.advance(100)
        self.assertEqual(found, [FIRST_DELAY * FACTOR**number for number in range(3)])
