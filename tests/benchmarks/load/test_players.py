# -*- test-case-name: tests.benchmarks.load.test_players -*-
"""
Tests for L{benchmarks.load.players}: those who stall. All else of it is tested in L{tests.interop.test_benchmarks}.
"""

from __future__ import annotations

from select import EPOLLIN, EPOLLOUT, EPOLLRDHUP
from time import monotonic
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.load import players
from benchmarks.load.orders import Answer
from benchmarks.load.players import Players, PlayersSettings
from benchmarks.load.viewer import Joined
from tests.benchmarks.doubles import FakeLine


class FakePoll:
    """
    @ivar watched: by file descriptor, what for.
    """

    def __init__(self) -> None:
        self.watched: dict[int, int] = {}

    def register(self, fd: int, events: int) -> None:
        self.watched[fd] = events

    def modify(self, fd: int, events: int) -> None:
        self.watched[fd] = events


class FakeOrders:
    """
    @ivar answers: what was answered.
    """

    def __init__(self) -> None:
        self.answers: list[Answer] = []

    def answer(self, answer: Answer) -> None:
        self.answers.append(answer)


class StallTests(SynchronousTestCase):
    """Viewers that read nothing."""

    def setUp(self) -> None:
        self.lines: list[FakeLine] = []
        self.patch(players, "openLine", self.openLine)
        self.poll, self.orders = FakePoll(), FakeOrders()
        self.players: Any = Players(PlayersSettings(1935), self.poll, 100)  # type: ignore[arg-type]

    def openLine(self, port: int, isSecure: bool) -> FakeLine:
        line, fd = FakeLine(), 10 + len(self.lines)
        line.socket.fileno = lambda: fd  # type: ignore[method-assign]
        self.lines.append(line)
        return line

    def join(self) -> None:
        """Let all join who are on their way."""
        self.players._tick(monotonic(), self.orders)
        for fd, viewer in list(self.players._viewers.items()):
            self.assertEqual(self.poll.watched[fd], EPOLLIN | EPOLLOUT)
            viewer.joined = Joined(1.0, True)
            self.players._joined(fd, viewer)
        self.players._tick(monotonic(), self.orders)

    def stalled(self) -> int:
        """How many there are, as it is answered."""
        count: int = self.players.end({})["stalled"]
        return count

    def test_replaced(self) -> None:
        """As many come as were closed, once, and nobody is told; nothing is read of anybody."""
        self.players.join({"do": "join", "count": 3, "stalls": True})
        self.join()
        self.assertEqual([answer["joined"] for answer in self.orders.answers], [3])
        self.assertEqual((self.stalled(), self.poll.watched), (3, dict.fromkeys((10, 11, 12), EPOLLRDHUP)))
        for fd in (10, 12):
            self.players._replace(fd)
        self.assertEqual([line.isClosed for line in self.lines], [True, False, True])
        self.assertEqual(self.stalled(), 1)
        self.join()
        self.assertEqual((self.stalled(), len(self.lines), len(self.orders.answers)), (3, 5, 1))
        self.join()
        self.assertEqual((self.stalled(), len(self.lines), len(self.orders.answers)), (3, 5, 1))
