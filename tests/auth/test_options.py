# -*- test-case-name: tests.auth.test_options -*-
"""
Tests for L{rtmptw.auth.options}.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from time import time
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.python.usage import UsageError

from rtmptw.auth.addresses import readRange
from rtmptw.auth.authoriser import Authoriser
from rtmptw.auth.cred import CredentialsRule
from rtmptw.auth.keyfile import keyLine, readKeys
from rtmptw.auth.options import AccessOptions, hidesNames, makeApplication
from rtmptw.auth.publishers import AuthenticatedRule, PublisherAuthentication
from rtmptw.auth.signedurl import SignedURLs, signedQuery
from rtmptw.auth.streamkeys import KeyIsNoName, StreamKeys
from rtmptw.errors import StatusError
from rtmptw.limits import Limits, Reached
from rtmptw.requests import ConnectRequest, Granted, PlayRequest, PublishRequest
from tests.auth.filecase import FileCase

KEY, SECRET = "correct-horse-battery", "0123456789abcdef"


class _Case(FileCase):
    def parse(self, *arguments: str) -> AccessOptions:
        """Parse a command line."""
        options = AccessOptions()
        options.parseOptions(arguments)
        return options

    def refusal(self, *arguments: str) -> str:
        """What is said about one that is wrong."""
        return str(self.assertRaises(UsageError, self.parse, *arguments))

    def file(self, name: str, content: str) -> str:
        """A file."""
        path = self.path.with_name(name)
        path.write_text(content)
        path.chmod(0o600)
        return str(path)


class OptionsTests(_Case):
    def test_defaults(self) -> None:
        """Everybody may do everything."""
        options = self.parse()
        self.assertIsNone(makeApplication(options, Clock()))
        self.assertFalse(hidesNames(options))

    def test_files(self) -> None:
        """They are made absolute, since twistd may go somewhere else."""
        for option, content in (
            ("publish-user", "camera:sesame"),
            ("publish-keys", keyLine("live/camera", KEY)),
            ("play-keys", keyLine("live/camera", KEY)),
            ("publish-signed", SECRET),
            ("play-signed", SECRET),
        ):
            path = self.file(option, content)
            self.assertEqual(self.parse(f"--{option}", os.path.relpath(path))[option], path)

    def test_badFiles(self) -> None:
        """The error names the option, the file and the line, and nothing that may be a secret."""
        path = self.file("file", "# x\nSESAME")
        for option, words in (
            ("publish-user", "there is no colon between a user and a password"),
            ("publish-keys", "it is not PATH sha256:SALT:HASH, as rtmptw key makes it"),
            ("play-keys", "it is not PATH sha256:SALT:HASH, as rtmptw key makes it"),
            ("publish-signed", "a secret has 16 characters or more; openssl rand -hex 32 makes one"),
            ("play-signed", "a secret has 16 characters or more; openssl rand -hex 32 makes one"),
        ):
            self.assertEqual(self.refusal(f"--{option}", path), f"--{option} {path}, line 2: {words}")
            self.assertEqual(
                self.refusal(f"--{option}", f"{path}.no"), f"--{option} {path}.no: No such file or directory"
            )

    def test_addresses(self) -> None:
        """In the order in which they are given."""
        options = self.parse("--deny", "10.0.0.7", "--allow", "publish:10.0.0.0/8", "--deny=play:all")
        expected = [readRange("10.0.0.7", False), readRange("publish:10.0.0.0/8", True), readRange("play:all", False)]
        self.assertEqual(options["ranges"], expected)
        self.assertIn("--allow 'a.example' is no network: 10.0.0.0/8", self.refusal("--allow", "a.example"))
        self.assertIn("--deny 10.0.0.7/8 has bits behind", self.refusal("--deny", "play:10.0.0.7/8"))

    def test_auth(self) -> None:
        """For the one, the other, or both; of any kind of which Twisted knows that it takes passwords."""
        file = self.file("passwords", "alice:sesame\n")
        options = self.parse(
            "--auth", "memory:alice:sesame", "--auth=play:unix", "--auth", f"publish:file:{os.path.relpath(file)}"
        )
        self.assertEqual([actions for actions, _ in options["auth"]], [("publish", "play"), ("play",), ("publish",)])
        memory, _, fromFile = (checker for _, checker in options["auth"])
        self.assertEqual(memory.users, {b"alice": b"sesame"})
        self.assertEqual(fromFile.filename, file)

    def test_badAuth(self) -> None:
        """What can't be is refused, without what may be a password."""
        for text, words in (
            ("SESAME", "--auth: there is no such kind of checker; --help-auth lists them"),
            ("nothing:SESAME", "--auth nothing:...: there is no such kind"),
            ("memory:alice:SESAME:bob", "--auth memory:...: that is not what it needs; --help-auth-type tells what is"),
            ("publish:memory:SESAME", "--auth memory:...: that is not what it needs"),
            ("memory", "--auth memory: it needs users, as memory:NAME:PASSWORD"),
            ("play:memory:", "--auth memory: it needs users"),
            ("anonymous:SESAME", "--auth anonymous:...: it takes no user and password"),
            ("file:/no/such/file", "--auth file:/no/such/file: there is no such file"),
            ("publish:file:", "--auth file:: there is no such file"),
        ):
            message = self.refusal("--auth", text)
            self.assertIn(words, message)
            self.assertNotIn("SESAME", message)

    def test_helpAuth(self) -> None:
        """The kinds that take passwords are listed, and no others."""
        output = io.StringIO()
        self.patch(AccessOptions, "authOutput", output)
        self.assertRaises(SystemExit, self.parse, "--help-auth")
        self.assertIn("  memory", output.getvalue())
        self.assertIn("  file", output.getvalue())
        self.assertNotIn("anonymous", output.getvalue())


class ApplicationTests(_Case):
    def make(self, *arguments: str) -> Authoriser:
        """What a command line makes."""
        application = makeApplication(self.parse(*arguments), Clock())
        assert isinstance(application, Authoriser)
        return application

    def kinds(self, rules: Sequence[object]) -> list[type]:
        """Which rules these are."""
        return [type(rule) for rule in rules]

    def result(self, answer: Deferred[Any]) -> object:
        """An answer, or what is wrong."""
        result: list[object] = []
        answer.addErrback(lambda failure: failure.trap(StatusError) and str(failure.value)).addCallback(result.append)
        return result[0]

    def test_order(self) -> None:
        """User, key, signature; each for what it is for; Adobe's scheme, which asks at connect, stands behind."""
        users, keys = self.file("users", "camera:sesame"), self.file("keys", keyLine("live/camera", KEY))
        secrets = self.file("secrets", SECRET)
        made = self.make(
            *("--play-signed", secrets, "--publish-signed", secrets, "--publish-keys", keys),
            *("--publish-user", users, "--auth", "memory:alice:sesame"),
        )
        expected = [AuthenticatedRule, CredentialsRule, StreamKeys, SignedURLs]
        self.assertEqual(self.kinds(made._rules["publish"]), expected)
        self.assertEqual(self.kinds(made._rules["play"]), [CredentialsRule, KeyIsNoName, SignedURLs])
        self.assertIsInstance(made._application, PublisherAuthentication)
        self.assertIs(made._rules["publish"][2]._file, made._rules["play"][1]._file)  # type: ignore[attr-defined]

    def test_onlyUsers(self) -> None:
        """Where nothing else is asked for, nothing else is there."""
        options = self.parse("--publish-user", self.file("users", "camera:sesame"))
        application = makeApplication(options, Clock())
        self.assertIsInstance(application, PublisherAuthentication)
        self.assertFalse(hidesNames(options))

    def test_keys(self) -> None:
        """Keys hide names, and whoever plays by a key for playing may."""
        keys = self.file("keys", keyLine("live/camera", KEY))
        for option in ("publish-keys", "play-keys"):
            self.assertTrue(hidesNames(self.parse(f"--{option}", keys)))
        self.assertTrue(hidesNames(self.parse("--auth", "memory:alice:sesame")))
        made = self.make("--publish-keys", keys, "--play-keys", keys)
        self.assertEqual(self.kinds(made._rules["play"]), [StreamKeys])
        connect = ConnectRequest("192.0.2.1:4000", "live")
        answer = maybeDeferred(made.playRequested, PlayRequest(connect, f"live/{KEY}"))
        self.assertEqual(self.result(answer), Granted("live/camera", f"key {readKeys(keys)[0].label}"))

    def test_together(self) -> None:
        """All of it must hold: address, password, key, signature. The signature is that of the public name."""
        keys, secrets = self.file("keys", keyLine("live/camera", KEY)), self.file("secrets", SECRET)
        made = self.make(
            *("--publish-keys", keys, "--publish-signed", secrets, "--auth", "publish:memory:alice:sesame"),
            *("--allow", "publish:192.0.2.0/24"),
        )
        signed = signedQuery(SECRET, "publish", "live/camera", time() + 60)
        granted = Granted("live/camera", f"user alice, key {readKeys(keys)[0].label}")
        rows: list[tuple[str, str, str, object]] = [
            ("192.0.2.1:1", f"live/{KEY}", f"user=alice&password=sesame&{signed}", granted),
            ("192.0.2.1:1", "live/camera", f"user=alice&password=sesame&{signed}&key={KEY}", granted),
            (
                "192.0.2.1:1",
                f"live/{KEY}",
                "user=alice&password=sesame",
                "the URL is not signed: expires=TIME&sign=SIGNATURE must follow the name",
            ),
            (
                "192.0.2.1:1",
                f"live/{KEY}",
                signed,
                "a user and a password are needed: ?user=...&password=... behind the name",
            ),
            ("198.51.100.1:1", f"live/{KEY}", signed, "nobody may publish from 198.51.100.1"),
        ]
        for peer, path, query, expected in rows:
            request = PublishRequest(ConnectRequest(peer, "live"), path, query)
            self.assertEqual(self.result(maybeDeferred(made.publishRequested, request)), expected)
        play = PlayRequest(ConnectRequest("198.51.100.1:1", "live"), "live/camera")
        self.assertIsNone(self.result(maybeDeferred(made.playRequested, play)))

    def test_limits(self) -> None:
        """Both ways to guess have them, and count in the same place."""
        users, limits, reached = self.file("users", "camera:sesame"), Limits(wrongProofs=1, challenges=1), Reached()
        options = self.parse("--publish-user", users, "--auth", "memory:alice:sesame")
        made = makeApplication(options, Clock(), limits, reached)
        assert isinstance(made, Authoriser)
        wrong = PlayRequest(ConnectRequest("192.0.2.1:4000", "live"), "live/x", "user=alice&password=x")
        for _ in range(2):
            self.assertEqual(reached.counts["wrongProofs"], 0)
            maybeDeferred(made.playRequested, wrong).addErrback(lambda failure: None)
        for _ in range(2):
            self.assertEqual(reached.counts["challenges"], 0)
            request = ConnectRequest("192.0.2.1:4000", "live", "", "authmod=adobe&user=camera")
            self.assertRaises(StatusError, made.connectRequested, request)
        self.assertEqual(reached.counts, {"wrongProofs": 1, "challenges": 1})
