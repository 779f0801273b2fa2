# -*- test-case-name: tests.attackers.test_main -*-
"""
Tests for L{tests.attackers.__main__}; as a process of its own it is used by L{tests.interop.test_underattack}.
"""

from __future__ import annotations

import io
import json
import sys
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from tests.attackers.__main__ import attack, options
from tests.attackers.room import Room
from tests.attackers.rows import ROWS


class _Reactor(Room):
    """With an end."""

    def __init__(self) -> None:
        super().__init__()
        self.triggers: list[Any] = []

    def addSystemEventTrigger(self, phase: str, event: str, call: Any) -> None:
        self.triggers.append(call)


class OptionTests(SynchronousTestCase):
    def test_defaults(self) -> None:
        chosen = options(["B5", "--port", "1935"])
        self.assertIs(chosen.row, ROWS["B5"])
        self.assertEqual((chosen.host, chosen.seconds, len(chosen.network)), ("127.0.0.1", 10.0, 254))

    def test_unknown(self) -> None:
        """A row that is not there is told, with those that are."""
        output = io.StringIO()
        self.patch(sys, "stderr", output)
        self.assertRaises(SystemExit, options, ["Z9", "--port", "1"])
        self.assertIn("Z9: there are A1, A2", output.getvalue())


class AttackTests(SynchronousTestCase):
    def test_attack(self) -> None:
        """So many, from so many addresses; the account is told when the process ends."""
        reactor, output = _Reactor(), io.StringIO()
        self.patch(sys, "stdout", output)
        chosen = options(["A1", "--port", "1935", "--seconds", "1", "--connections", "7", "--addresses", "3"])
        done: Deferred[None] = attack(reactor, chosen)
        reactor.advanceBy(1.1)
        self.successResultOf(done)
        for call in reactor.triggers:
            call()
        told = json.loads(output.getvalue())
        self.assertEqual((told["row"], told["addresses"], told["connections"]), ("A1", 3, 7))
        self.assertEqual(told["endings"], {"over": 7})
