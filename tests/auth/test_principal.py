# -*- test-case-name: tests.auth.test_principal -*-
"""
Tests for L{rtmptw.auth.principal}.
"""

from __future__ import annotations

from dataclasses import replace

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.auth.principal import decide, proven
from rtmptw.errors import StatusError
from rtmptw.requests import ConnectRequest, Granted, PublishRequest, StreamRequest

ASKED = PublishRequest(ConnectRequest("192.0.2.1:4000", "live"), "live/x", "a=b", "record")


class ProvenTests(SynchronousTestCase):
    def test_proven(self) -> None:
        """One thing, or one more; the rest stays."""
        alice = proven(ASKED, "user alice")
        self.assertEqual(alice, replace(ASKED, principal="user alice"))
        self.assertEqual(proven(alice, "key 1").principal, "user alice, key 1")


class DecideTests(SynchronousTestCase):
    def decide(self, says: object, allowed: StreamRequest) -> object:
        """What comes of an answer."""
        asked: list[object] = []

        def ask(request: object) -> object:
            asked.append(request)
            return says

        result = self.successResultOf(ensureDeferred(decide(ask, ASKED, allowed)))
        self.assertEqual(asked, [allowed])
        return result

    def test_answers(self) -> None:
        """A plain yes is one to what is allowed; what it says itself counts."""
        alice, public = replace(ASKED, principal="user alice"), replace(ASKED, path="live/public")
        both = replace(public, principal="user alice")
        later: Deferred[object] = Deferred()
        later.callback(None)
        rows: list[tuple[object, StreamRequest, object]] = [
            (5, ASKED, 5),
            (None, alice, Granted("live/x", "user alice")),
            (True, public, Granted("live/public")),
            (later, both, Granted("live/public", "user alice")),
            (False, both, False),
            (Granted("live/z"), both, Granted("live/z", "user alice")),
            (Granted("live/z", "me"), both, Granted("live/z", "me")),
            (Granted("live/z"), ASKED, Granted("live/z")),
        ]
        for says, allowed, expected in rows:
            self.assertEqual(self.decide(says, allowed), expected)

    def test_refusal(self) -> None:
        """A no is a no."""
        answer = ensureDeferred(decide(self.no, ASKED, ASKED))
        self.assertEqual(str(self.failureResultOf(answer, StatusError).value), "no")

    def no(self, request: object) -> None:
        """Refuse."""
        raise StatusError("no")
