# -*- test-case-name: tests.session.test_hops -*-
"""
Tests for L{rtmptw.session.hops}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import StatusError
from rtmptw.session.hops import (
    MAX_HOPS,
    checkHops,
    hopParameters,
    hopProperties,
    identityOf,
    newIdentity,
    readHops,
)
from rtmptw.wire import amf0

A, B, C, D, E, F = (digit * 16 for digit in "abcdef")

#: What a peer may send in the place of a text.
OTHERS: list[object] = [None, True, 5.0, float("nan"), [A], {"a": A}, (A,), b"a" * 16, object()]


class HopsTests(SynchronousTestCase):
    def test_identities(self) -> None:
        """Each is another one, and can be read."""
        identities = {newIdentity() for _ in range(100)}
        self.assertEqual(len(identities), 100)
        for identity in identities:
            self.assertEqual(identityOf({"relayId": identity}), (identity,))
            self.assertEqual(readHops({"relayPath": identity}), (identity,))

    def test_path(self) -> None:
        """What a relay says is what a server reads, behind AMF0."""
        for hops in ((), (A,), (A, B), (A, B, C, D), (A, B, C, D, E), (A, A)):
            [parameters] = amf0.decode(amf0.encode(hopParameters(hops)))
            self.assertEqual(readHops(parameters), hops)

    def test_read(self) -> None:
        """Whatever else there is, is passed over; of too many, one too many is enough."""
        rows: list[tuple[object, tuple[str, ...]]] = [
            ("", ()),
            (A, (A,)),
            (f"  {A}\n{B},{C}", (A, B, C)),
            (f"x {A} y", (A,)),
            (A.upper(), ()),
            (A[:-1], ()),
            ("\u0661" * 16, ()),
            (" ".join([A, B, C, D, E, F]), (A, B, C, D, E)),
            (" ".join([A] * 100_000), (A,) * (MAX_HOPS + 1)),
            ("a" * 10_000_000, (A,) * (MAX_HOPS + 1)),
            (" " * 10_000_000 + A, ()),
            *[(value, ()) for value in OTHERS],
        ]
        for value, expected in rows:
            self.assertEqual(readHops({"relayPath": value}), expected, repr(value)[:40])
        self.assertEqual(readHops({}), ())

    def test_identityOf(self) -> None:
        rows: list[tuple[object, tuple[str, ...]]] = [
            (A, (A,)),
            *[(value, ()) for value in ("", A[:-1], f"{A}a", f"{A}\n", f" {A}", A.upper(), "a" * 10_000_000, *OTHERS)],
        ]
        for value, expected in rows:
            self.assertEqual(identityOf({"relayId": value}), expected, repr(value)[:40])
        self.assertEqual(identityOf({}), ())

    def test_F13_check(self) -> None:
        """Hostile row F13: what has been here, and what has come too far, is refused with a reason."""
        for hops in ((), (A,), (A, B, C, D), (A, A, A)):
            checkHops(hops, F)
        for hops, words in (
            ((F,), "circle"),
            ((A, F, B), "circle"),
            ((A, B, C, F), "circle"),
            ((A, B, C, D, E), "more than 4 servers"),
            (readHops({"relayPath": "a" * 10_000_000}), "more than 4 servers"),
        ):
            self.assertIn(words, self.assertRaises(StatusError, checkHops, hops, F).description)

    def test_answer(self) -> None:
        """A relay is told who we are, nobody else."""
        self.assertEqual(hopProperties((), A), {})
        self.assertEqual(identityOf(hopProperties((B,), A)), (A,))
