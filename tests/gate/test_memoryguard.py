# -*- test-case-name: tests.gate.test_memoryguard -*-
"""
Tests for L{rtmptw.gate.memoryguard}: memory is a number here, and needs none.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.internet.testing import EventLoggingObserver
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.gate.memoryguard import MemoryGuard
from rtmptw.limits import Limits, Reached
from tests.session.dialects import Client, Stage, audio, video

#: The budget, bytes.
ALL = 1_000_000


class Guarded:
    """
    What the guard knows of a connection.

    @ivar reasons: why it was aborted.
    """

    def __init__(self, waiting: int = 0, partial: int = 0, publishing: bool = False) -> None:
        self.held = (waiting, partial)
        self.publishing = publishing
        self.reasons: list[str] = []

    def abort(self, reason: str) -> None:
        self.reasons.append(reason)


class GuardTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.reached = Reached()
        self.used = 0
        self.guard = self.make(memoryBytes=ALL)
        self.log = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)

    def make(self, **limits: Any) -> MemoryGuard:
        return MemoryGuard(self.clock, Limits(**limits), self.reached, lambda: self.used, lambda: 500_000)

    def second(self, used: int, *connections: Guarded) -> list[bool]:
        """
        A second passes.

        @return: of each connection, whether it had to go.
        """
        self.used = used
        self.clock.advance(1)
        before = [len(each.reasons) for each in connections]
        self.guard.second(connections)  # type: ignore[arg-type]
        return [len(each.reasons) > count for each, count in zip(connections, before, strict=True)]

    def lines(self) -> list[str]:
        return [str(formatEvent(event)) for event in self.log]

    def test_memoryBytes(self) -> None:
        """From 85 % on, and until it is less than 80 %; a line when it begins, and when it ends."""
        found = []
        for used in (0, 849_999, 850_000, 940_000, 849_999, 800_000, 799_999, 849_999, 850_001):
            self.second(used)
            found.append(self.guard.refuses())
        self.assertEqual(found, [False, False, True, True, True, True, False, False, True])
        self.assertEqual(
            self.lines(),
            [
                "memory is short, nobody gets in: 85% of 1 MiB",
                "memory is not short any more: 80% of 1 MiB",
                "memory is short, nobody gets in: 85% of 1 MiB",
            ],
        )
        # Whom it keeps out is counted where that is done.
        self.assertEqual(self.reached.counts, {})

    def test_nobodyInside(self) -> None:
        """When somebody comes it is looked at, at most once a second: nobody need be inside for that."""
        self.used = 900_000
        self.assertTrue(self.guard.refuses())
        self.used = 0
        self.clock.advance(0.9)
        self.assertTrue(self.guard.refuses())
        self.clock.advance(0.1)
        self.assertFalse(self.guard.refuses())

    def test_budget(self) -> None:
        """If the limits say nothing, it is what the machine has; if that is not known, there is none."""
        self.guard = self.make()
        self.second(425_000)
        self.assertTrue(self.guard.refuses())
        self.guard = MemoryGuard(self.clock, Limits(), self.reached, lambda: 10**15, lambda: 0)
        connection = Guarded(5, 5)
        self.assertEqual(self.second(0, connection), [False])
        self.assertFalse(self.guard.refuses())

    def test_shed(self) -> None:
        """At 95 %, and not before: one, who holds most; and each second another one."""
        some, most, none = Guarded(5), Guarded(6), Guarded()
        self.assertEqual(self.second(949_999, some, most, none), [False] * 3)
        self.assertEqual(self.second(950_000, some, most, none), [False, True, False])
        self.assertEqual(self.second(950_000, some, none), [True, False])
        self.assertEqual(self.reached.counts, {"memoryBytes": 2})
        self.assertEqual(most.reasons, ["memory is short (95% of 1 MiB): 6 bytes waited for it, 0 were half received"])

    def test_order(self) -> None:
        """Players first; among them, and then among publishers, by what waits, then by what is half received."""
        connections = [
            Guarded(10, 0, True),
            Guarded(10, 10),
            Guarded(0, 99),
            Guarded(20, 0),
            Guarded(10, 20),
            Guarded(0, 90, True),
        ]
        order = []
        left = list(connections)
        while left:
            [number] = [n for n, goes in enumerate(self.second(990_000, *left)) if goes]
            order.append(connections.index(left.pop(number)))
        self.assertEqual(order, [3, 4, 1, 2, 0, 5])

    def test_share(self) -> None:
        """A twentieth of all at once, and no more."""
        for number, expected in ((1, 1), (20, 1), (39, 1), (40, 2), (100, 5)):
            connections = [Guarded(each + 1) for each in range(number)]
            found = self.second(990_000, *connections)
            self.assertEqual(found, [*[False] * (number - expected), *[True] * expected], number)

    def test_holdsNothing(self) -> None:
        """Who holds nothing goes only while the memory still gets more: of those the first."""
        connections = [Guarded(), Guarded(0, 0, True), Guarded()]
        self.assertEqual(self.second(960_000, *connections), [True, False, False])
        self.assertEqual(self.second(960_000, *connections), [False] * 3)
        self.assertEqual(self.second(959_999, *connections), [False] * 3)
        self.assertEqual(self.second(960_001, *connections), [True, False, False])

    def test_nobody(self) -> None:
        """There may be nobody to go."""
        self.assertEqual(self.second(ALL), [])
        self.assertEqual(self.reached.counts, {})

    def test_allPartialBytes(self) -> None:
        """Of all half received messages together: the largest goes, and one is enough if it is."""
        self.guard = self.make(memoryBytes=ALL, allPartialBytes=2000)
        one, two, three = Guarded(0, 600, True), Guarded(0, 900, True), Guarded(5000, 499)
        self.assertEqual(self.second(0, one, two, three), [False] * 3)
        three.held = (5000, 500)
        self.assertEqual(self.second(0, one, two, three), [False] * 3)
        three.held = (5000, 501)
        self.assertEqual(self.second(0, one, two, three), [False, True, False])
        self.assertEqual(self.reached.counts, {"allPartialBytes": 1})
        self.assertEqual(
            two.reasons,
            [
                "it had sent the most of 2001 bytes of messages half sent, of all connections: 900; 2000 are allowed",
            ],
        )

    def test_allPartialBytesOfMany(self) -> None:
        """As many as it takes."""
        self.guard = self.make(memoryBytes=ALL, allPartialBytes=5000)
        connections = [Guarded(0, size) for size in (4000, 3000, 2000, 1000)]
        self.assertEqual(self.second(0, *connections), [True, True, False, False])
        self.assertEqual(self.reached.counts, {"allPartialBytes": 2})


class ConnectionTests(SynchronousTestCase):
    """With real connections."""

    def setUp(self) -> None:
        self.stage = Stage(self)
        self.guard = MemoryGuard(
            self.stage.clock, Limits(memoryBytes=ALL, allPartialBytes=60_000), Reached(), lambda: ALL, lambda: 0
        )

    def second(self, *clients: Client) -> list[bool]:
        for client in clients:
            client.transport.lost = client.protocol.connectionLost
        self.guard.second([client.protocol for client in clients])
        return [client.transport.disconnected for client in clients]

    def test_partial(self) -> None:
        """What was received of a message that is not complete counts; what was announced does not."""
        one, two = self.stage.publisher("one"), self.stage.publisher("two")
        rest = {}
        for client, size in ((one, 30_000), (two, 20_000)):
            message = client.encode(video(0, bytes(100_000)))
            client.receive(message[:size])
            rest[client] = message[size:]
        found = [client.protocol.held for client in (one, two)]
        self.assertEqual([waiting for waiting, _ in found], [0, 0])
        for (_, partial), size in zip(found, (30_000, 20_000), strict=True):
            self.assertTrue(0.98 * size < partial <= size, partial)
        self.guard._used = 0
        self.guard._budget = 0
        self.assertEqual(self.second(one, two), [False, False])
        two.receive(rest[two][:30_000])
        self.assertEqual(self.second(one, two), [False, True])
        self.assertIn("it had sent the most of", self.stage.lines()[0])
        self.assertEqual(self.second(one), [False])

    def test_waiting(self) -> None:
        """A viewer that takes nothing, after its publisher has sent something."""
        publisher, fast, slow = self.stage.publisher(), self.stage.player(), self.stage.player()
        slow.protocol.outlet.pauseProducing()
        slow.protocol.outlet.write(bytes(5000))
        publisher.send(audio(0))
        self.assertEqual([client.protocol.held[0] for client in (publisher, fast)], [0, 0])
        self.assertGreaterEqual(slow.protocol.held[0], 5000)
        self.assertEqual(self.second(publisher, fast, slow), [False, False, True])
        self.assertIn("memory is short", self.stage.lines()[0])
        self.assertEqual(slow.protocol.held[0], 0)
