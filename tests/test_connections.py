# -*- test-case-name: tests.test_connections -*-
"""
Tests for L{rtmptw.connections}. Most of what it does is tested with a server (L{tests.test_server}).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.task import Clock
from twisted.logger import formatEvent
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.connections import AT_ONCE, Connections
from rtmptw.gate.admission import Admission
from rtmptw.gate.memoryguard import MemoryGuard
from rtmptw.limits import LimitNews, Limits, Reached
from tests.session.dialects import Stage


class Witness:
    """
    Stands for everything that is told of connections.

    @ivar seen: what it was told.
    """

    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []
        self.session = self
        self.active = self.publishing = self.playing = False

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.seen.append((name, *arguments))

    def take(self) -> list[tuple[Any, ...]]:
        """What it was told since."""
        seen, self.seen = self.seen, []
        return seen


class ConnectionsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.admission, self.guard, self.news = Witness(), Witness(), Witness()
        self.protocols: list[Any] = [Witness(), Witness()]
        told: Any = (self.admission, self.guard, self.news, self.news.trim)
        self.connections = Connections(self.clock, None, *told)

    def test_comings(self) -> None:
        """The admission is told who has come and who has gone."""
        one, two = self.protocols
        for protocol in self.protocols:
            self.connections.add(protocol)
        self.assertEqual(self.admission.take(), [("add", one), ("add", two)])
        self.assertEqual(list(self.connections), [one, two])
        self.connections.remove(one)
        self.assertEqual(self.admission.take(), [("remove", one)])
        self.connections.remove(two)
        self.assertEqual((self.admission.take(), list(self.connections)), ([("remove", two)], []))

    def test_seconds(self) -> None:
        """
        Each second each connection has its own, then the guard, with all of them, and the rest. When all have gone,
        what is new is told, because there may be no next second for long.
        """
        for protocol in self.protocols:
            self.connections.add(protocol)
        self.admission.take()
        for second in (1.0, 2.0):
            self.clock.advance(1)
            self.assertEqual([protocol.take() for protocol in self.protocols], [[("second",)]] * 2)
            self.assertEqual(self.admission.take(), [("second",)])
            self.assertEqual(self.guard.take(), [("second", tuple(self.protocols))])
            self.assertEqual(self.news.take(), [("trim",), ("second", second)])
        for protocol in self.protocols:
            self.connections.remove(protocol)
        self.clock.advance(5)
        left = self.guard.take(), self.news.take(), self.clock.getDelayedCalls()
        self.assertEqual(left, ([], [("second", 2.0)], []))

    def test_clients(self) -> None:
        """Without all that, there are seconds just the same."""
        connections = Connections(self.clock)
        connections.add(self.protocols[0])
        self.clock.advance(1)
        self.assertEqual(self.protocols[0].take(), [("second",)])
        connections.remove(self.protocols[0])
        self.successResultOf(connections.whenEmpty())

    def test_stoodStill(self) -> None:
        """
        A process that has stood still tells its connections for how long, and looks at them a second later: what has
        come meanwhile is read first.
        """
        self.connections.add(self.protocols[0])
        self.clock.advance(1)
        self.protocols[0].take()
        for seconds, expected in (
            (61, [("clockStopped", 60.0)]),
            (1, [("second",)]),
            (1.9, [("second",)]),
            (1.1, [("second",)]),
            (2, [("clockStopped", 1.0)]),
            (1, [("second",)]),
        ):
            self.clock.advance(seconds)
            self.assertEqual(self.protocols[0].take(), expected, seconds)

    def test_alwaysLate(self) -> None:
        """A process that is too busy all the time does look at them, every other time."""
        self.connections.add(self.protocols[0])
        found = []
        for _ in range(6):
            self.clock.advance(3)
            found += self.protocols[0].take()
        self.assertEqual(found, [("clockStopped", 2.0), ("clockStopped", 2.0), ("second",)] * 3)


class TurnsTests(SynchronousTestCase):
    """There may be thousands of connections: others have their turn while a second passes for all of them."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.news = Witness()
        told: Any = (None, None, None, self.news, self.news.trim)
        self.connections = Connections(self.clock, *told)
        self.protocols: list[Any] = [Witness() for _ in range(3 * AT_ONCE)]
        for protocol in self.protocols:
            self.connections.add(protocol)

    def passed(self) -> list[int]:
        """For how many a second has passed, of each L{AT_ONCE}."""
        slices = [self.protocols[start : start + AT_ONCE] for start in range(0, 3 * AT_ONCE, AT_ONCE)]
        return [sum(protocol.seen == [("second",)] for protocol in some) for some in slices]

    def during(self, number: int, act: Callable[[], object]) -> None:
        """While a second passes for this one, do something."""
        self.protocols[number].second = act

    def test_turns(self) -> None:
        """So many at once, and in each turn of the reactor the next ones; the rest of us when all had it."""
        found: list[tuple[list[int], list[tuple[Any, ...]]]] = []

        def look() -> None:
            found.append((self.passed(), self.news.take()))

        for number in (0, AT_ONCE, 2 * AT_ONCE):
            self.during(number, lambda: self.clock.callLater(0, look))
        self.clock.advance(1)
        others = AT_ONCE - 1
        self.assertEqual([passed for passed, _ in found], [[others, 0, 0], [others, others, 0], [others] * 3])
        self.assertEqual([said for _, said in found], [[], [], []])
        self.assertEqual(self.news.take(), [("trim",), ("second", 1.0)])

    def test_goes(self) -> None:
        """Who goes meanwhile is left out."""
        self.during(0, lambda: self.connections.remove(self.protocols[-1]))
        self.clock.advance(1)
        self.assertEqual(self.passed(), [AT_ONCE - 1, AT_ONCE, AT_ONCE - 1])

    def test_allGo(self) -> None:
        """When all go meanwhile, in a turn or between two, there is nothing left to do."""

        def empty() -> None:
            for protocol in self.protocols:
                self.connections.remove(protocol)

        for act in (empty, lambda: self.clock.callLater(0, empty)):
            with self.subTest(act=act):
                self.during(0, act)
                self.clock.advance(1)
                self.assertEqual((len(self.connections), self.clock.getDelayedCalls()), (0, []))
                for protocol in self.protocols:
                    protocol.take()
                    self.connections.add(protocol)
        self.clock.advance(0.5)
        self.assertEqual(self.passed(), [0, 0, 0])

    def test_slow(self) -> None:
        """A second that takes longer than one is not begun twice; the next one knows that it is late."""
        for number, seconds in ((0, 0.75), (AT_ONCE, 1.0)):
            self.during(number, lambda seconds=seconds: setattr(self.clock, "rightNow", self.clock.rightNow + seconds))
        self.clock.advance(1)
        self.assertEqual(self.passed(), [AT_ONCE - 1, AT_ONCE - 1, AT_ONCE])
        for protocol in self.protocols:
            protocol.take()
        self.clock.advance(0.25)
        self.assertEqual([protocol.take() for protocol in self.protocols], [[("clockStopped", 1.0)]] * 3 * AT_ONCE)
        self.clock.advance(1)
        self.assertEqual(self.protocols[-1].take(), [("second",)])


class ServerTests(SynchronousTestCase):
    """A server has them all."""

    def test_parts(self) -> None:
        factory = Stage(self).factory
        parts = factory._connections
        self.assertIsInstance(parts._admission, Admission)
        self.assertIs(parts._admission, factory._admission)
        self.assertIsInstance(parts._guard, MemoryGuard)
        self.assertIsInstance(parts._news, LimitNews)

    def test_F16_memory(self) -> None:
        """Nobody gets in while memory is short, and somebody goes; when it is not any more, all is as before."""
        stage = Stage(self)
        factory, used = stage.factory, [50]
        guard = MemoryGuard(stage.clock, Limits(memoryBytes=1024**3), Reached(), lambda: used[0] * 1024**3 // 100)
        factory._connections._guard = guard
        factory._admission._refuses = guard.refuses  # type: ignore[method-assign]
        publisher, player, slow = stage.publisher(), stage.player(), stage.player()
        slow.protocol.outlet.pauseProducing()
        slow.protocol.outlet.write(bytes(1000))
        slow.transport.lost = slow.protocol.connectionLost
        used[0] = 86
        stage.pass_(1)
        self.assertIsNone(factory.buildProtocol(None))
        self.assertEqual(dict(factory.reached.counts), {"memoryBytes": 1})
        used[0] = 96
        stage.pass_(1)
        found = [client.transport.disconnected for client in (publisher, player, slow)]
        self.assertEqual(found, [False, False, True])
        self.assertEqual(
            stage.lines(), ["memory is short (96% of 1024 MiB): 1000 bytes waited for it, 0 were half received"]
        )
        used[0] = 70
        stage.pass_(1)
        self.assertIsNotNone(factory.buildProtocol(None))
        said = [str(formatEvent(event)) for event in stage.log if "memory is" in str(event.get("log_format"))]
        self.assertEqual(len(said), 2, said)

    def test_news(self) -> None:
        """The log tells which limits were reached."""
        stage = Stage(self)
        stage.client()
        stage.factory.reached.add("strangers", 12)
        stage.pass_(1)
        said = [str(formatEvent(event)) for event in stage.log]
        self.assertTrue(any("strangers 12" in line for line in said), said)
