# -*- test-case-name: tests.auth.test_signedurl -*-
"""
Tests for L{rtmptw.auth.signedurl}.
"""

from __future__ import annotations

import hmac

from rtmptw.auth import signedurl
from rtmptw.auth.keyfile import keyLine
from rtmptw.auth.rule import markOf
from rtmptw.auth.signedurl import (
    MAX_SECRETS,
    MIN_SECRET,
    SKEW_SECONDS,
    SecretFile,
    SecretFileError,
    SignedURLs,
    readSecrets,
    signature,
    signedQuery,
)
from tests.auth.filecase import FileCase
from tests.auth.rulecase import RuleCase, request

SECRET, OLD = "0123456789abcdef-one", "0123456789abcdef-two"
NOW = 1_700_000_000


class SecretTests(FileCase):
    def test_read(self) -> None:
        self.assertEqual(readSecrets(self.write(f"# the first signs\n{SECRET} \n\n{OLD}\r\n")), [SECRET, OLD])
        self.assertEqual(len(readSecrets(self.write(f"{SECRET}\n" * MAX_SECRETS))), MAX_SECRETS)

    def test_broken(self) -> None:
        rows = [
            ("", ": there is no secret in it; openssl rand -hex 32 makes one"),
            ("# nothing\n", ": there is no secret in it; openssl rand -hex 32 makes one"),
            (f"{SECRET}\nsesame\n", f", line 2: a secret has {MIN_SECRET} characters or more; openssl"),
            (keyLine("live/x", SECRET), ", line 1: that is no secret, but a line for a file of stream keys"),
            (f"{SECRET}\n" * (MAX_SECRETS + 1), f", line {MAX_SECRETS + 1}: a file has {MAX_SECRETS} secrets at most"),
        ]
        for text, problem in rows:
            error = str(self.assertRaises(SecretFileError, readSecrets, self.write(text)))
            self.assertTrue(error.startswith(f"{self.path}{problem}"), error)
            self.assertNotIn("sesame", error)

    def test_file(self) -> None:
        """It is read again; one that everybody may read is worth a warning."""
        file = SecretFile(self.write(SECRET))
        self.assertEqual((file.secrets(), self.lines()), ([SECRET], []))
        self.write(f"{OLD}\n{SECRET}")
        self.assertEqual((file.secrets(), self.lines()), ([OLD, SECRET], [f"{self.path}: read again; 2 secrets"]))
        SecretFile(self.write(SECRET, 0o644))
        warning = f"{self.path}: everybody on this machine can read the secrets: chmod o-r"
        self.assertEqual(self.lines(), [warning])


class SignatureTests(FileCase):
    def test_signature(self) -> None:
        """As others can make it: the text is what the documentation says."""
        text = b"play\nlive/camera\n1767225600\n203.0.113.7"
        expected = hmac.new(SECRET.encode(), text, "sha256").hexdigest()
        self.assertEqual(signature(SECRET, "play", "live/camera", 1767225600, "203.0.113.7"), expected)
        self.assertEqual(len(expected), 64)

    def test_signedQuery(self) -> None:
        expected = f"expires=11&sign={signature(SECRET, 'play', 'live/x', 11)}"
        self.assertEqual(signedQuery(SECRET, "play", "live/x", 10.2), expected)
        self.assertEqual(signedQuery(SECRET, "play", "live/x", 11), expected)

    def test_everythingCounts(self) -> None:
        made = {
            signature(SECRET, "play", "live/x", 10),
            signature(OLD, "play", "live/x", 10),
            signature(SECRET, "publish", "live/x", 10),
            signature(SECRET, "play", "live/y", 10),
            signature(SECRET, "play", "live/x", 11),
            signature(SECRET, "play", "live/x", 10, "192.0.2.1"),
        }
        self.assertEqual(len(made), 6)


class SignedURLsTests(RuleCase):
    def setUp(self) -> None:
        super().setUp()
        self.now = float(NOW)
        self.rule = SignedURLs(SecretFile(self.write(f"{SECRET}\n{OLD}")), lambda: self.now)
        self.lines()

    def test_right(self) -> None:
        for query in (
            signedQuery(SECRET, "publish", "live/camera", NOW + 60),
            signedQuery(OLD, "publish", "live/camera", NOW + 60),
            "a=b&" + signedQuery(SECRET, "publish", "live/camera", NOW + 60) + "&c=d",
            signedQuery(SECRET, "publish", "live/camera", NOW + 60, "192.0.2.1"),
        ):
            self.assertEqual(self.allowed(self.rule, request("live/camera", query)), "live/camera")

    def test_address(self) -> None:
        """An address in any form of a peer's; one that has none is C{unix}."""
        for address, peer in (
            ("192.0.2.7", "192.0.2.7:1"),
            ("192.0.2.7", "[::ffff:192.0.2.7]:1"),
            ("2001:db8::7", "[2001:db8::7]:1"),
            ("unix", "UNIXAddress('/run/rtmp')"),
        ):
            query = signedQuery(SECRET, "play", "live/camera", NOW + 60, address)
            self.assertEqual(self.allowed(self.rule, request("live/camera", query, peer), "play"), "live/camera")
            self.wrong(self.rule, request("live/camera", query, "192.0.2.8:1"), "play")

    def test_wrong(self) -> None:
        """
        Each part of it that is another one; all who ask for the same get the same answer, also where it has expired
        besides.
        """
        right = signedQuery(SECRET, "publish", "live/camera", NOW + 60)
        sign = right.partition("sign=")[2]
        answers: dict[str, set[str]] = {"publish": set(), "play": set()}
        for path, query, action in (
            ("live/other", right, "publish"),
            ("live/camera", right, "play"),
            ("live/camera", right.replace(str(NOW + 60), str(NOW + 61)), "play"),
            ("live/other", signedQuery(SECRET, "play", "live/camera", NOW + 60), "play"),
            ("live/camera", signedQuery(SECRET, "play", "live/camera", NOW + 60), "publish"),
            ("live/camera", right.replace(str(NOW + 60), str(NOW + 61)), "publish"),
            ("live/camera", right.replace(str(NOW + 60), f"0{NOW + 60}x"), "publish"),
            ("live/camera", right.replace(str(NOW + 60), "1" * 5000), "publish"),
            ("live/camera", right.replace(str(NOW + 60), "-1"), "publish"),
            ("live/camera", right.replace(str(NOW + 60), ""), "publish"),
            ("live/camera", f"expires={NOW + 60}&sign=", "publish"),
            ("live/camera", f"expires={NOW + 60}&sign={sign[:-1]}", "publish"),
            ("live/camera", f"expires={NOW + 60}&sign={sign.upper()}", "publish"),
            ("live/camera", f"expires={NOW + 60}&sign=%C3%A4", "publish"),
            ("live/camera", signedQuery("0123456789abcdef-three", "publish", "live/camera", NOW + 60), "publish"),
            ("live/camera", signedQuery("0123456789abcdef-three", "publish", "live/camera", 1), "publish"),
            ("live/camera", f"expires=-1&sign={signature(SECRET, 'publish', 'live/camera', -1)}", "publish"),
        ):
            error = self.wrong(self.rule, request(path, query), action)
            answers[action].add(str(error))
            self.assertIn("wrong signature, ", error.remark)
        words = "the signature of the URL is wrong: it is for another stream, time or address, or for "
        self.assertEqual(answers["publish"], {f"{words}playing, not publishing"})
        self.assertEqual(answers["play"], {f"{words}publishing, not playing"})
        self.assertEqual(self.wrong(self.rule, request("live/camera", "expires=1&sign=ab")).remark[-11:], markOf("ab"))

    def test_unsigned(self) -> None:
        """That is no guess."""
        for query in ("", "expires=1", "sign=abc", "key=x"):
            self.assertIn("the URL is not signed", self.refused(self.rule, request("live/camera", query)))

    def test_expired(self) -> None:
        """Neither is that; a clock may be a little late."""
        asked = request("live/camera", signedQuery(SECRET, "publish", "live/camera", NOW))
        self.assertEqual(self.allowed(self.rule, asked), "live/camera")
        self.now = NOW + SKEW_SECONDS - 0.1
        self.assertEqual(self.allowed(self.rule, asked), "live/camera")
        self.now = NOW + SKEW_SECONDS
        self.assertEqual(self.refused(self.rule, asked), "the signed URL has expired: a new one is needed")

    def test_rotation(self) -> None:
        """A secret that is removed signs no more, without a restart."""
        asked = request("live/camera", signedQuery(OLD, "publish", "live/camera", NOW + 60))
        self.assertEqual(self.allowed(self.rule, asked), "live/camera")
        self.write(SECRET)
        self.wrong(self.rule, asked)

    def test_time(self) -> None:
        """Whatever is wrong, all secrets are tried, with and without the address, and in constant time."""
        compared = []

        class Counting:
            new = staticmethod(hmac.new)

            @staticmethod
            def compare_digest(a: bytes, b: bytes) -> bool:
                compared.append(len(a))
                return hmac.compare_digest(a, b)

        self.patch(signedurl, "hmac", Counting)
        right = signedQuery(SECRET, "publish", "live/camera", NOW + 60)
        for path, query in (("live/camera", right), ("live/x", right), ("live/camera", "expires=x&sign=y")):
            compared.clear()
            self.ask(self.rule, request(path, query)).addErrback(lambda _: None)
            self.assertEqual(compared, [64] * 4)
