# -*- test-case-name: tests.auth.test_cred -*-
"""
Tests for L{rtmptw.auth.cred}.
"""

from __future__ import annotations

import hmac
from dataclasses import replace

from twisted.cred.checkers import AllowAnonymousAccess, FilePasswordDB, ICredentialsChecker
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse as Memory
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred
from zope.interface import implementer

from rtmptw.auth import cred
from rtmptw.auth.cred import CredentialsRule
from tests.auth.rulecase import HERE, RuleCase, request

ALICE = request("live/camera", "user=alice&password=sesame")


@implementer(ICredentialsChecker)
class Slow:
    """
    A checker that takes its time.

    @ivar asked: what it was asked, and its answer.
    """

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self) -> None:
        self.asked: list[tuple[bytes, bytes, Deferred[bytes]]] = []

    def requestAvatarId(self, credentials: object) -> Deferred[bytes]:
        """Some time."""
        answer: Deferred[bytes] = Deferred()
        self.asked.append((credentials.username, credentials.password, answer))  # type: ignore[attr-defined]
        return answer


class CredentialsRuleTests(RuleCase):
    def test_right(self) -> None:
        """The log says who, and not the password."""
        rule = CredentialsRule([Memory(alice=b"sesame")])
        self.assertEqual(self.allowed(rule, ALICE), "live/camera")
        self.assertEqual(self.lines(), [f"{HERE}: publish live/camera: right password, user 'alice'"])

    def test_wrong(self) -> None:
        """Known user or not: the same answer."""
        rule = CredentialsRule([Memory(alice=b"sesame")])
        for query, user in (
            ("user=alice&password=Sesame", "'alice'"),
            ("user=bob&password=sesame", "'bob'"),
            ("user=%C3%A4&password=%FF", "'\\xe4'"),
            (f"user={'x' * 200}&password=sesame", f"'{'x' * 64}'"),
        ):
            error = self.wrong(rule, request("live/camera", query))
            self.assertEqual(str(error), "wrong user or password")
            self.assertEqual(error.remark, f"wrong user or password, user {user}")
        self.assertEqual(self.lines(), [])

    def test_missing(self) -> None:
        """That is no guess. Somebody without a password can't come in without one, nor as what was made a comment."""
        rule = CredentialsRule([FilePasswordDB(self.write("alice:\n#bob:sesame\n:sesame\n"))])
        for query in (
            *("", "user=alice", "password=sesame", "user=&password=sesame", "user=alice&password="),
            "user=%23bob&password=sesame",
        ):
            self.assertIn("?user=...&password=...", self.refused(rule, request("live/camera", query)))

    def test_invisible(self) -> None:
        """What no keyboard has is no guess either: to many a checker a NUL is a mistake in the program."""
        slow = Slow()
        for query, words in (
            ("user=a%00&password=b", "the user holds a character"),
            ("user=a%0Ab&password=b", "the user holds a character"),
            ("user=a&password=b%00", "the password holds a character"),
        ):
            self.assertIn(words, self.refused(CredentialsRule([slow]), request("live/camera", query)))
        self.assertEqual(slow.asked, [])

    def test_principal(self) -> None:
        """Whom the checker knows, by the name that it has for him."""
        rows: list[tuple[object, str]] = [
            (b"alice", "user alice"),
            ("\u00e4", "user \u00e4"),
            (b"\xff", "user \ufffd"),
            (b"", "user Alice"),
            ((), "user Alice"),
        ]
        for avatar, who in rows:
            slow = Slow()
            answer = self.ask(CredentialsRule([slow]), request("live/x", "user=Alice&password=x"))
            slow.asked[0][2].callback(avatar)  # type: ignore[arg-type]
            self.assertEqual(self.successResultOf(answer).principal, who)

    def test_encoded(self) -> None:
        """What means something in a URL is percent-encoded there; what is not ASCII is UTF-8."""
        slow = Slow()
        self.ask(CredentialsRule([slow]), request("live/x", "user=a%26b&password=%C3%A4%3D"))
        self.assertEqual([asked[:2] for asked in slow.asked], [(b"a&b", "\u00e4=".encode())])

    def test_constantTime(self) -> None:
        """A password is compared in constant time."""
        compared = []

        class Counting:
            @staticmethod
            def compare_digest(a: bytes, b: bytes) -> bool:
                compared.append((a, b))
                return hmac.compare_digest(a, b)

        self.patch(cred, "hmac", Counting)
        self.wrong(CredentialsRule([Memory(alice=b"open")]), ALICE)
        self.assertEqual(compared, [(b"sesame", b"open")])

    def test_several(self) -> None:
        """One after the other, until one says yes; each may take its time."""
        first, second, third = Slow(), Slow(), Slow()
        answer = self.ask(CredentialsRule([first, second, third]), ALICE)
        self.assertEqual((len(first.asked), len(second.asked)), (1, 0))
        first.asked[0][2].errback(UnauthorizedLogin())
        self.assertNoResult(answer)
        second.asked[0][2].callback(b"alice")
        self.assertEqual(self.successResultOf(answer), replace(ALICE, principal="user alice"))
        self.assertEqual(third.asked, [])

    def test_file(self) -> None:
        """Twisted's own file of users; it is read each time."""
        rule = CredentialsRule([FilePasswordDB(self.write("alice:sesame\n"))])
        self.assertEqual(self.allowed(rule, ALICE), "live/camera")
        self.write("alice:other\n")
        self.wrong(rule, ALICE)

    def test_broken(self) -> None:
        """What goes wrong in a checker is not a wrong password."""
        slow = Slow()
        answer = self.ask(CredentialsRule([slow]), ALICE)
        slow.asked[0][2].errback(ZeroDivisionError())
        self.failureResultOf(answer, ZeroDivisionError)

    def test_otherCredentials(self) -> None:
        self.assertRaises(ValueError, CredentialsRule, [AllowAnonymousAccess()])
