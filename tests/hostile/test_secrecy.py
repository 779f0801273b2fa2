# -*- test-case-name: tests.hostile.test_secrecy -*-
"""
Secrets that are said where they do not belong, or in pieces: row D10. None of them may get into the log.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse as Memory
from twisted.logger import formatEvent
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.auth.authoriser import Authoriser
from rtmptw.auth.cred import CredentialsRule
from rtmptw.auth.keyfile import KeyFile, keyLine
from rtmptw.auth.rule import Rule
from rtmptw.auth.signedurl import SecretFile, SignedURLs, signedQuery
from rtmptw.auth.streamkeys import KeyIsNoName, StreamKeys
from rtmptw.wire.message import Message
from tests.session.dialects import Client, Stage, command, connect, video

KEY = "canary-of-a-stream-key"
PASSWORD = "canary-of-a-password"
SECRET = "canary-of-a-secret-of-the-server"
ALL = (KEY, PASSWORD, SECRET)

#: How much of a key tells too much.
PIECE = 10


class SecretTests(SynchronousTestCase):
    """A server that logs all it may (C{--verbose}), and knows secrets of each kind."""

    def setUp(self) -> None:
        directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (directory / "keys").write_text(keyLine("live/camera", KEY))
        (directory / "secrets").write_text(f"{SECRET}\n")
        keys = KeyFile(str(directory / "keys"))
        self.keys: tuple[list[Rule], list[Rule]] = ([StreamKeys(keys)], [KeyIsNoName(keys)])
        self.signed: list[Rule] = [SignedURLs(SecretFile(str(directory / "secrets")), lambda: 1000.0)]
        self.passwords: list[Rule] = [CredentialsRule([Memory(alice=PASSWORD.encode())])]
        self.stage = Stage(self, verbose=True)

    def guard(self, publish: list[Rule], play: list[Rule], hidesNames: bool = False) -> None:
        """These are the rules of the server now."""
        self.stage.factory.application = Authoriser(self.stage.clock, None, publish, play)
        self.stage.factory.hidesNames = hidesNames

    def assertSecret(self, *more: str, atLeast: int = 5) -> None:
        """No secret is in the log, neither in its lines nor in the parts of them; lines there are."""
        self.stage.pass_(5)
        events = list(self.stage.log)
        self.assertGreaterEqual(len(events), atLeast)
        fields = [{name: value for name, value in event.items() if name != "log_source"} for event in events]
        text = "\n".join([*map(formatEvent, events), *map(repr, fields)])
        for secret in (*ALL, *more):
            for start in range(0, len(secret) - PIECE + 1, PIECE // 2):
                self.assertNotIn(secret[start : start + PIECE], text)

    def ask(self, what: str, name: str, app: str = "live", tcUrl: str | None = None) -> Client:
        """Somebody comes with this, says all that clients say, sends something, and goes."""
        client = self.stage.client()
        client.shakeHands()
        client.send(
            connect(app, tcUrl=f"rtmp://host/{app}" if tcUrl is None else tcUrl, swfUrl=f"rtmp://host/{app}/{name}")
        )
        client.send(command("releaseStream", 2, None, name), command("FCPublish", 3, None, name))
        client.send(command("createStream", 4), command("FCSubscribe", 5, None, name))
        client.send(command("getStreamLength", 6, None, name), command(what, 7, None, name, id=1))
        client.send(video(0))
        self.stage.pass_(4)
        client.lose()
        return client

    def test_D10_keys(self) -> None:
        """As the name, behind it, in the application, in the tcUrl; right, wrong, doubled, for playing."""
        self.guard(*self.keys, hidesNames=True)
        for what in ("publish", "play"):
            for name, app in (
                (KEY, "live"),
                (f"camera?key={KEY}", "live"),
                ("camera", f"live?key={KEY}"),
                ("", f"live/{KEY}"),
                (KEY, f"live/{KEY}"),
                (f"camera?key={KEY}&key=x", "live"),
                (f"mp4:{KEY}.flv", "live"),
                (f"{KEY}?{KEY}={KEY}", KEY),
            ):
                self.ask(what, name, app)
        self.ask("publish", "camera", tcUrl=f"rtmp://user:{PASSWORD}@host/live/{KEY}?x={SECRET}")
        self.assertSecret(atLeast=100)

    def test_D10_signatures(self) -> None:
        """A signed URL is as good as a key until it has expired: right ones, and wrong ones."""
        self.guard(self.signed, self.signed)
        queries = [signedQuery(SECRET, "play", "live/camera", expires) for expires in (2000, 500)]
        for query in queries:
            self.ask("play", f"camera?{query}")
            self.ask("publish", "camera", f"live?{query}")
        self.assertSecret(*[query.rpartition("=")[2] for query in queries], atLeast=40)

    def test_D10_passwords(self) -> None:
        """In a query, right and wrong, also where it can't be decoded."""
        self.guard(self.passwords, self.passwords)
        for query in (
            f"user=alice&password={PASSWORD}",
            f"user=alice&password={PASSWORD}x",
            f"user=bob&password={PASSWORD}",
            f"password={PASSWORD}",
            f"user=alice&password={PASSWORD}%FF&password={PASSWORD}",
        ):
            self.ask("publish", f"camera?{query}")
            self.ask("play", "camera", f"live?{query}")
        self.assertSecret(atLeast=100)

    def everyCut(self, message: Callable[[], Message]) -> None:
        """This message, cut everywhere: what is said about what is wrong with it has nothing of what is in it."""
        whole = message()
        for size in range(len(whole.payload)):
            client = self.stage.connected("live")
            client.send(command("createStream", 2), Message(20, 0, 1, whole.payload[:size], 3))
            client.lose()
            wild = bytearray(whole.payload)
            wild[size] ^= 0xFF
            client = self.stage.connected("live")
            client.send(command("createStream", 2), Message(20, 0, 1, bytes(wild), 3))
            client.lose()

    def test_D10_brokenCommands(self) -> None:
        """A publish with a key that is cut short, or has a wrong byte, anywhere."""
        self.guard(*self.keys, hidesNames=True)
        self.everyCut(lambda: command("publish", 3, None, f"camera?key={KEY}", id=1))
        self.assertSecret(atLeast=200)

    def test_D10_refusedNames(self) -> None:
        """A name that can't be one, with a key in it: the reason, which is in the log, does not repeat it."""
        self.guard(*self.keys, hidesNames=True)
        for name in (f"{KEY}\0", f"../{KEY}", f"{KEY}/..", KEY * 20, f"{KEY}\u202e", f"camera?key={KEY}\n"):
            for what in ("publish", "play"):
                self.ask(what, name)
        self.assertSecret(atLeast=50)
