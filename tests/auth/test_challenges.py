# -*- test-case-name: tests.auth.test_challenges -*-
"""
Tests for L{rtmptw.auth.challenges}.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.auth.challenges import CHALLENGE_SECONDS, Challenges
from rtmptw.limits import Limits, Reached

HERE, THERE = "192.0.2.1", "192.0.2.2"


class ChallengeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.challenges = Challenges(self.clock)

    def test_random(self) -> None:
        """Salt and challenge are different each time, and can stand in a URL."""
        made = [self.challenges.make("alice", HERE) for _ in range(20)]
        for name, length in (("salt", 16), ("text", 32)):
            texts = [getattr(challenge, name) for challenge in made]
            self.assertEqual(len(set(texts)), 20)
            for text in texts:
                self.assertRegex(text, f"^[0-9a-f]{{{length}}}$")

    def test_givenRandom(self) -> None:
        """They are made of what the source of random bytes gives."""
        challenge = Challenges(self.clock, lambda count: b"\xab" * count).make("alice", HERE)
        self.assertEqual((challenge.salt, challenge.text), ("ab" * 8, "ab" * 16))
        self.assertEqual((challenge.user, challenge.origin, challenge.time), ("alice", HERE, 0.0))

    def test_conformance90_opaque(self) -> None:
        """It is found by what the client gives back, wherever that comes from, whoever it then says to be; once."""
        first, second = self.challenges.make("alice", HERE), self.challenges.make("bob", HERE)
        self.assertIs(self.challenges.take(first.text, "bob", THERE), first)
        self.assertIsNone(self.challenges.take(first.text, "alice", HERE))
        self.assertIs(self.challenges.take(second.text, "myuser", HERE), second)
        self.assertEqual(len(self.challenges), 0)

    def test_D13_unknownOpaque(self) -> None:
        """One that was never given out finds nothing, and takes nothing away."""
        challenge = self.challenges.make("alice", HERE)
        for opaque in ("x", challenge.text[:-1], challenge.text.upper(), challenge.salt):
            self.assertIsNone(self.challenges.take(opaque, "alice", HERE))
        self.assertIs(self.challenges.take(challenge.text, "alice", HERE), challenge)

    def test_withoutOpaque(self) -> None:
        """The newest from there, for the same user if there is one; never one from somewhere else."""
        old, new = self.challenges.make("alice", HERE), self.challenges.make("alice", HERE)
        bob = self.challenges.make("bob", HERE)
        self.assertIsNone(self.challenges.take("", "alice", THERE))
        self.assertIs(self.challenges.take("", "alice", HERE), new)
        self.assertIs(self.challenges.take("", "myuser", HERE), bob)
        self.assertIs(self.challenges.take("", "bob", HERE), old)
        self.assertIsNone(self.challenges.take("", "alice", HERE))

    def test_age(self) -> None:
        """It waits so long, and no longer."""
        first = self.challenges.make("alice", HERE)
        self.clock.advance(CHALLENGE_SECONDS - 1)
        second = self.challenges.make("alice", HERE)
        self.assertIs(self.challenges.take(first.text, "alice", HERE), first)
        self.clock.advance(CHALLENGE_SECONDS)
        self.assertIsNone(self.challenges.take(second.text, "alice", HERE))
        self.assertEqual(len(self.challenges), 0)

    def test_oldOnesGo(self) -> None:
        """A new one is reason enough to forget those that are too old."""
        for _ in range(10):
            self.challenges.make("alice", HERE)
        self.clock.advance(CHALLENGE_SECONDS)
        self.challenges.make("alice", HERE)
        self.assertEqual(len(self.challenges), 1)

    def test_challenges(self) -> None:
        """There are so many, and no more: the oldest makes room, and each time counts."""
        self.assertEqual(Limits().challenges, 4096)
        for most in (1, 8, 100):
            reached = Reached()
            challenges = Challenges(self.clock, limits=Limits(challenges=most), reached=reached)
            made = [challenges.make("alice", str(number)) for number in range(most - 1)]
            for more in range(3):
                self.assertEqual((len(challenges), reached.counts["challenges"]), (most - (not more), max(0, more - 1)))
                made.append(challenges.make("alice", f"more {more}"))
            self.assertEqual((len(challenges), reached.counts), (most, {"challenges": 2}))
            for challenge in made[:2]:
                self.assertIsNone(challenges.take(challenge.text, "alice", HERE))
            for challenge in made[2:]:
                self.assertIs(challenges.take(challenge.text, "alice", HERE), challenge)

    def test_challengesOfOne(self) -> None:
        """From one origin come a quarter of them at most, one at least: the oldest from there makes room."""
        for most, quarter in ((1, 1), (3, 1), (4, 1), (40, 10), (43, 10)):
            reached = Reached()
            challenges = Challenges(self.clock, limits=Limits(challenges=most), reached=reached)
            first = challenges.make("alice", THERE)
            made = [challenges.make("alice", HERE) for _ in range(quarter - 1)]
            for more in range(3):
                self.assertEqual(reached.counts["challenges"], max(0, more - 1) if most > 1 else more)
                made.append(challenges.make("alice", HERE))
            self.assertEqual(len(challenges), min(most, quarter + 1))
            self.assertIs(challenges.take(first.text, "alice", THERE), None if most == 1 else first)
            self.assertIsNone(challenges.take(made[-quarter - 1].text, "alice", HERE))
            self.assertIs(challenges.take(made[-quarter].text, "alice", HERE), made[-quarter])
            self.assertEqual(len(challenges), quarter - 1)

    def test_nothingStays(self) -> None:
        """What is taken or too old leaves nothing behind, neither in the one order nor in the other."""
        for take in (True, False):
            made = [self.challenges.make("alice", str(number)) for number in range(10)]
            self.clock.advance(1 if take else CHALLENGE_SECONDS)
            for challenge in made:
                found = self.challenges.take(challenge.text, "alice", HERE)
                self.assertIs(found, challenge if take else None)
            self.assertEqual((self.challenges._waiting, self.challenges._origins), ({}, {}))
