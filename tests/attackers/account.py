# -*- test-case-name: tests.attackers.test_account -*-
"""
The account: what a row's attackers have done, and what the server has answered.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from rtmptw.errors import RTMPError
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.command import Command
from rtmptw.wire.handshake import HANDSHAKE_SIZE
from rtmptw.wire.message import MessageType

__all__ = ["Account"]


class Account:
    """
    @ivar connections: how many were made.
    @ivar refused: how many were not, by the reason.
    @ivar sent: bytes that were given to the system, or wait for it.
    @ivar received: bytes.
    @ivar endings: how connections have ended: C{closed} and C{reset} by the server, C{left} by the attacker, and
        C{over} when the time was.
    @ivar answers: what the server has said: codes of statuses, names of other commands.
    @ivar most: how many connections there were at a time.
    """

    def __init__(self) -> None:
        self.connections = self.sent = self.received = self.most = 0
        self.refused: Counter[str] = Counter()
        self.endings: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()

    def hear(self, data: bytes | bytearray) -> None:
        """
        Count what was said on one connection.

        @param data: from its first byte; it may end anywhere.
        """
        if data and len(data) < HANDSHAKE_SIZE:
            self.answers["handshake, not whole"] += 1
        try:
            for message in ChunkReader().feed(bytes(data[HANDSHAKE_SIZE:])):
                if message.type == MessageType.COMMAND:
                    self.answers[_outline(Command.decode(message))] += 1
        except RTMPError as error:
            # What the server says must always be readable.
            self.answers[f"UNREADABLE: {error}"] += 1

    def asJSON(self) -> dict[str, Any]:
        """For a line of JSON."""
        return {
            "connections": self.connections,
            "most": self.most,
            "refused": dict(self.refused.most_common()),
            "sent": self.sent,
            "received": self.received,
            "endings": dict(self.endings.most_common()),
            "answers": dict(self.answers.most_common()),
        }


def _outline(command: Command) -> str:
    information = command.argument(0)
    code = information.get("code") if isinstance(information, dict) else None
    return code if isinstance(code, str) else command.name
