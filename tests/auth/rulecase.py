"""
What the tests of rules have in common: requests, and what a rule makes of them.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred, ensureDeferred

from rtmptw.auth.rule import Rule, WrongProof
from rtmptw.errors import StatusError
from rtmptw.requests import ConnectRequest, PublishRequest, StreamRequest
from tests.auth.filecase import FileCase

__all__ = ["HERE", "RuleCase", "request"]

HERE = "192.0.2.1:4000"


def request(path: str, query: str = "", peer: str = HERE) -> StreamRequest:
    """A request for a stream."""
    return PublishRequest(ConnectRequest(peer, "live"), path, query)


class RuleCase(FileCase):
    """The tests of one rule."""

    def ask(self, rule: Rule, asked: StreamRequest, action: str = "publish") -> Deferred[StreamRequest]:
        """Ask the rule."""
        return ensureDeferred(rule.check(action, asked))  # type: ignore[arg-type]

    def allowed(self, rule: Rule, asked: StreamRequest, action: str = "publish") -> str:
        """The path that a rule lets through."""
        result = self.successResultOf(self.ask(rule, asked, action))
        self.assertEqual((result.connect, result.query), (asked.connect, asked.query))
        return result.path

    def wrong(self, rule: Rule, asked: StreamRequest, action: str = "publish") -> WrongProof:
        """How a rule refuses what may be a guess."""
        failure = self.failureResultOf(self.ask(rule, asked, action), WrongProof)
        self.assertEqual(failure.value.code, "")
        error: WrongProof = failure.value
        return error

    def refused(self, rule: Rule, asked: StreamRequest, action: str = "publish") -> str:
        """How a rule refuses what is no guess."""
        failure = self.failureResultOf(self.ask(rule, asked, action), StatusError)
        self.assertNotIsInstance(failure.value, WrongProof)
        return str(failure.value.description)
