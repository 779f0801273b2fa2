# -*- test-case-name: tests.attackers.test_account -*-
"""
Tests for L{tests.attackers.account}.
"""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.wire.handshake import HANDSHAKE_SIZE
from tests.attackers.account import Account
from tests.attackers.speech import command, header, media

_BEGIN = bytes(HANDSHAKE_SIZE)


class AccountTests(SynchronousTestCase):
    def test_answers(self) -> None:
        """Codes of statuses, and the names of what has none."""
        account = Account()
        status = command("onStatus", 0.0, None, {"code": "NetStream.Publish.Start"})
        account.hear(_BEGIN + command("_result", 1.0) + status + media() + status)
        self.assertEqual(account.answers, {"_result": 1, "NetStream.Publish.Start": 2})

    def test_cut(self) -> None:
        """It may end anywhere: nothing, within the handshake, within a message."""
        account = Account()
        account.hear(b"")
        self.assertEqual(account.answers, {})
        account.hear(_BEGIN[:-1])
        account.hear(_BEGIN + command("_result", 1.0)[:-1])
        self.assertEqual(account.answers, {"handshake, not whole": 1})

    def test_unreadable(self) -> None:
        """A server that says nonsense is told of."""
        account = Account()
        account.hear(_BEGIN + header(3, 9))
        [said] = account.answers
        self.assertTrue(said.startswith("UNREADABLE: "), said)

    def test_json(self) -> None:
        account = Account()
        account.endings["left"] += 1
        told = json.loads(json.dumps(account.asJSON()))
        self.assertEqual(told["endings"], {"left": 1})
        self.assertEqual(set(told), {"connections", "most", "refused", "sent", "received", "endings", "answers"})
