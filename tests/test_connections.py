# -*- test-case-name: tests.test_connections -*-
"""
Tests for L{rtmptw.connections}. Most of what it does is tested with a server (L{tests.test_server}).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.task import Clock
from twisted.internet.testing import EventLoggingObserver
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.connections import SLICE, Connections
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
        # Late or not, the rest has its seconds.
        self.assertEqual(len(self.guard.take()), 7)

    def test_log(self) -> None:
        """The log tells that it has stood still: it may be the reason of much else there."""
        events = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)
        self.connections.add(self.protocols[0])
        self.clock.advance(1)
        self.clock.advance(41.5)
        [line] = [str(formatEvent(event)) for event in events]
        self.assertEqual(line, "this process has stood still for 40.5 s: that is nobody's silence")

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
        """Nine connections, of which three are looked at in a turn."""
        self.clock = Clock()
        self.door, self.guard, self.news = Witness(), Witness(), Witness()
        self.worked = 0.0
        told: Any = (self.door, None, self.guard, self.news, self.news.trim, lambda: self.worked)
        self.connections = Connections(self.clock, *told)
        self.protocols: list[Any] = [Witness() for _ in range(9)]
        for protocol in self.protocols:
            protocol.second = self.secondOf(protocol, lambda: None)
            self.connections.add(protocol)

    def secondOf(self, protocol: Witness, act: Callable[[], object]) -> Callable[[], None]:
        """What a second is for it: it takes more than a third of a slice, and something happens besides."""

        def second() -> None:
            self.worked += SLICE * 0.4
            protocol.seen.append(("second",))
            act()

        return second

    def during(self, number: int, act: Callable[[], object]) -> None:
        """While a second passes for this one, do something."""
        self.protocols[number].second = self.secondOf(self.protocols[number], act)

    def passed(self) -> str:
        """Who has had a second since the last time, and whose clock was stopped."""
        second, stop = ("second",), ("clockStopped", 60.0)
        marks = {(): ".", (second,): "s", (second, stop): "S", (stop,): "c", (stop, second): "C"}
        return "".join(marks.get(tuple(protocol.take()), "?") for protocol in self.protocols)

    def stop(self, seconds: float) -> None:
        """The process stands still."""
        self.clock.rightNow += seconds

    def test_turns(self) -> None:
        """As many at once as that takes, and in each turn of the reactor the next ones; the door when all had it."""
        found: list[tuple[str, int]] = []
        for number in (0, 3, 6):
            self.during(
                number, lambda: self.clock.callLater(0, lambda: found.append((self.passed(), len(self.door.seen))))
            )
        self.clock.advance(1)
        self.assertEqual(found, [("sss......", 0), ("...sss...", 0), ("......sss", 0)])
        self.assertEqual([name for name, *_ in self.door.take()], ["second"])
        self.assertEqual(self.news.take(), [("trim",), ("second", 1.0)])
        self.assertEqual([name for name, *_ in self.guard.take()], ["second"])

    def test_goes(self) -> None:
        """Who goes meanwhile is left out."""
        self.during(0, lambda: self.connections.remove(self.protocols[-1]))
        self.clock.advance(1)
        self.assertEqual(self.passed(), "ssssssss.")

    def test_allGo(self) -> None:
        """When all go meanwhile, in a turn or between two, there is nothing left to do; then it begins anew."""

        def empty() -> None:
            for protocol in self.protocols:
                self.connections.remove(protocol)

        for act in (empty, lambda: self.clock.callLater(0, empty)):
            with self.subTest(act=act):
                self.during(0, act)
                self.clock.advance(1)
                self.assertEqual((len(self.connections), self.clock.getDelayedCalls()), (0, []))
                self.during(0, lambda: None)
                self.passed()
                for protocol in self.protocols:
                    self.connections.add(protocol)
                self.clock.advance(1)
                self.assertEqual(self.passed(), "sssssssss")

    def test_stoodStill(self) -> None:
        """
        If it has stood still between two turns, or in one, all are told, once; and what has come is read before the
        others are looked at.
        """
        last, found = self.protocols[-1], list[str]()

        def tell(seconds: float) -> None:
            last.seen.append(("clockStopped", seconds))
            self.clock.callLater(0, found.append, "read")

        last.clockStopped = tell
        for stop in (self.stop, lambda seconds: self.clock.callLater(0, self.stop, seconds)):
            self.during(2, lambda stop=stop: stop(60))
            self.during(3, lambda: found.append(self.passed()))
            self.clock.advance(1)
            self.assertEqual((found, self.passed()), (["read", "SSSCccccc"], "....sssss"))
            self.during(2, lambda: None)
            self.during(3, lambda: None)
            self.clock.advance(1)
            self.assertEqual(self.passed(), "sssssssss")
            found.clear()

    def test_slow(self) -> None:
        """A second that takes longer than one is not begun twice, and nobody is told that it has stood still."""
        for number in (0, 3, 6):
            self.during(number, lambda: self.stop(0.75))
        self.clock.advance(1)
        self.assertEqual(self.passed(), "sssssssss")
        self.assertEqual([name for name, *_ in self.guard.take()], ["second"] * 3)
        self.clock.advance(0.75)
        self.assertEqual(self.passed(), "sssssssss")


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
