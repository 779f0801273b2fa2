# -*- test-case-name: tests.cli.test_sign -*-
"""
Tests for L{rtmptw.cli.sign}.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs

from rtmptw.auth.signedurl import signature
from rtmptw.cli import WRONG_USAGE, sign
from tests.cli.commandcase import CommandTestCase

SECRET, OLD = "0123456789abcdef-one", "0123456789abcdef-two"
NOW = 1_700_000_000.25
URL = "rtmp://host/live/camera"


class SignTests(CommandTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.patch(sign, "time", lambda: NOW)
        self.secrets = self.file(f"# secrets\n{SECRET}\n{OLD}\n".encode())

    def sign(self, *arguments: str) -> str:
        """The URL."""
        self.out.truncate(0)
        self.out.seek(0)
        self.successResultOf(self.main("sign", "--secret", self.secrets, *arguments))
        return self.out.getvalue().removesuffix("\n")

    def test_url(self) -> None:
        """The first secret signs, for an hour; what the URL has besides stays."""
        until = int(NOW) + 3601
        for url, path, mark in (
            (URL, "live/camera", "?"),
            ("rtmps://me:pass@host:444/live/camera?a=b/c", "live/camera", "&"),
            ("rtmp://host/live?a=b/camera", "live/camera", "?"),
            ("rtmp://[::1]/live/a/b/camera.flv", "live/a/b/camera", "?"),
        ):
            for action in ("publish", "play"):
                expected = f"{url}{mark}expires={until}&sign={signature(SECRET, action, path, until)}"
                self.assertEqual(self.sign(f"--{action}", url), expected)

    def test_for(self) -> None:
        for text, seconds in (
            ("90", 90),
            ("90s", 90),
            ("30m", 1800),
            ("12h", 43200),
            ("7d", 604800),
            ("0", 0),
            ("36500d", 3153600000),
        ):
            [until] = re.findall(r"expires=(\d+)", self.sign("--play", "--for", text, URL))
            self.assertEqual(int(until), int(NOW) + seconds + 1)

    def test_address(self) -> None:
        """In the form in which the server sees it."""
        for text, address in (
            ("192.0.2.7", "192.0.2.7"),
            ("2001:DB8:0::7", "2001:db8::7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
        ):
            query = parse_qs(self.sign("--play", URL, "--address", text).partition("?")[2])
            expected = signature(SECRET, "play", "live/camera", int(query["expires"][0]), address)
            self.assertEqual(query["sign"], [expected])

    def test_mistakes(self) -> None:
        short = self.file(b"sesame")
        right = ("--secret", self.secrets, "--play")
        for arguments, words in (
            ((), "sign needs a URL"),
            ((URL, URL), "sign needs a URL"),
            ((URL,), "--publish or --play, one of them"),
            ((URL, "--play", "--publish"), "--publish or --play, one of them"),
            ((URL, "--play"), "--secret FILE is needed"),
            ((URL, "--play", "--secret", "/no/such"), "--secret /no/such: No such file"),
            ((URL, "--play", "--secret", short), f"--secret {short}, line 1: a secret has"),
            ((URL, *right, "--for", "1w"), "--for 1w: a time is 90, 30m, 12h or 7d"),
            ((URL, *right, "--for", "36501d"), "--for 36501d: no URL is good for more than 36500d"),
            ((URL, *right, "--for", "-1"), "--for -1: a time is"),
            ((URL, *right, "--address", "host"), "--address host: an address is"),
            (("http://host/live/camera", *right), "the scheme http:// is unknown"),
            (("rtmp://host/live", *right), "the URL names no stream"),
            (("rtmp://host/live/..", *right), "a stream name can't have"),
        ):
            self.err.truncate(0)
            self.err.seek(0)
            self.assertEqual(self.main("sign", *arguments), WRONG_USAGE, arguments)
            self.assertIn(words, self.err.getvalue())
            self.assertNotIn("sesame", self.err.getvalue())
