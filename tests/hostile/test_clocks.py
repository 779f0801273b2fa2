# -*- test-case-name: tests.hostile.test_clocks -*-
"""
Clocks that jump, processes that are stopped, and code that blocks: rows F20 and F21.
"""

from __future__ import annotations

import time

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.limits import Limits
from rtmptw.live.hub import StreamHub
from rtmptw.server import RTMPServerFactory
from rtmptw.steadytime import keepSteadyTime
from rtmptw.wire.message import Message
from tests.live.doubles import MemorySubscriber
from tests.memorysocket import publisherBySocket
from tests.session.dialects import HANDSHAKE, Application, Client, Stage, audio, command, video
from tests.test_steadytime import DAY, Reactor

LIMITS = Limits()
SILENCE = int(LIMITS.silenceSeconds)


class WallStage(Stage):
    """
    A server that goes by a reactor of Twisted, and that by a wall clock.

    @ivar reactor: which has its turns when it is told so.
    """

    def __init__(self, case: SynchronousTestCase) -> None:
        super().__init__(case)
        self.reactor = Reactor()
        self.monotonic = 5000.0
        case.patch(time, "monotonic", lambda: self.monotonic)  # type: ignore[no-untyped-call]
        keepSteadyTime(self.reactor)
        self.factory = RTMPServerFactory(self.application, StreamHub(self.reactor), self.reactor)
        self.factory.hub.observers.append(self)

    def pass_(self, seconds: int) -> None:
        """Seconds pass, in steps as long as a turn of the reactor may be."""
        for _ in range(seconds * 20):
            self.monotonic += 0.05
            self.reactor.wall += 0.05
            self.reactor.runUntilCurrent()


class WallClockTests(SynchronousTestCase):
    """Somebody sets the clock: by a day, or, as for a leap second, by one second."""

    STEPS = (DAY, -DAY, 1.0, -1.0, 3600.0, -3600.0)

    def test_F20_nobodyGoes(self) -> None:
        """Nobody who sends and takes is closed for it, and viewers are given what comes, when it comes."""
        stage = WallStage(self)
        publisher, player = stage.publisher(), stage.player()
        stage.pass_(1)
        player.take()
        for number, step in enumerate(self.STEPS * 3):
            stage.reactor.wall += step
            publisher.send(video(number))
            stage.pass_(1)
            self.assertEqual(player.told(), [f"VIDEO@1 {number}"])
        self.assertEqual((publisher.closing, player.closing), (False, False))

    def test_F20_deadlinesHold(self) -> None:
        """Who is silent goes in time, wherever the clock is set to: not at once, and not a day later."""
        for step in self.STEPS:
            stage = WallStage(self)
            publisher, stranger = stage.publisher(), stage.client()
            stage.pass_(1)
            stage.reactor.wall += step
            stage.pass_(8)
            self.assertEqual((publisher.closing, stranger.closing), (False, False))
            stage.pass_(3)
            self.assertEqual((publisher.closing, stranger.closing), (False, True))
            stage.pass_(SILENCE - 10)
            self.assertEqual((publisher.closing, stranger.closing), (True, True))


class StoppedTests(SynchronousTestCase):
    """SIGSTOP, and SIGCONT a minute later; or a laptop that was closed."""

    def test_F20_stopped(self) -> None:
        """
        Publishers have sent meanwhile, and nobody has read it; viewers were sent nothing; strangers have waited. All of
        them have their time again, and the order of the media is kept.
        """
        stage = Stage(self)
        bySocket, wire = publisherBySocket(stage)
        held = stage.connected()
        stage.application.answers["publish"] = Deferred()
        held.send(command("publish", 3, None, "held", id=1))
        player, stranger = stage.player(), stage.client()
        bySocket.send(video(0))
        stage.pass_(3)
        wire.arrived += bySocket.encode(*[audio(n) for n in range(1, 60)])
        stage.clock.advance(60)
        self.assertEqual(stage.lines(), [])
        bySocket.transport.turn()  # type: ignore[attr-defined]
        stage.pass_(5)
        self.assertEqual([client.closing for client in (held, player, stranger)], [False] * 3)
        self.assertEqual([m.timestamp for m in stage.published[0].messages], [*range(60)])
        self.assertEqual(stage.lines(), [])

    def test_F20_thenTheRestOfTheTime(self) -> None:
        """Nobody has more time than before the stop."""
        stage = Stage(self)
        publisher = stage.publisher()
        stage.pass_(SILENCE - 2)
        stage.clock.advance(60)
        self.assertFalse(publisher.closing)
        stage.pass_(2)
        self.assertTrue(publisher.closing)

    def test_F20_againAndAgain(self) -> None:
        """A process that is stopped every other second."""
        stage = Stage(self)
        publisher, player = stage.publisher(), stage.player()
        for number in range(50):
            publisher.send(video(number))
            stage.pass_(1)
            stage.clock.advance(30)
        self.assertEqual((publisher.closing, player.closing), (False, False))
        self.assertEqual([m.timestamp for m in stage.published[0].messages], [*range(50)])


class Blocker(MemorySubscriber):
    """A subscriber that takes its time, and all of the reactor's."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        super().__init__()
        self._clock = clock
        self._seconds = seconds

    def messageReceived(self, message: Message) -> None:
        """Nothing else happens meanwhile."""
        super().messageReceived(message)
        self._clock.rightNow += self._seconds


class BlockedTests(SynchronousTestCase):
    """Code of the application that blocks: what counts is what was read, and not what could have been."""

    def others(self, stage: Stage) -> list[Client]:
        """A publisher that is in the middle of a message, a viewer, and one in the handshake."""
        publisher = stage.publisher("other")
        publisher.receive(publisher.encode(audio(1))[:5])
        stranger = stage.client()
        stranger.receive(HANDSHAKE[:100])
        return [publisher, stage.player(), stranger]

    def check(self, seconds: float, times: int) -> None:
        """A subscriber blocks for so long, so often: nobody is closed for it, and nothing is lost."""
        stage = Stage(self)
        publisher = stage.publisher()
        blocker = Blocker(stage.clock, seconds)
        stage.factory.hub.subscribe("live/test", blocker)
        others = self.others(stage)
        for timestamp in range(times):
            publisher.send(audio(timestamp))
            stage.clock.advance(0.01)
        self.assertEqual((stage.lines(), [client.closing for client in (publisher, *others)]), ([], [False] * 4))
        self.assertEqual([m.timestamp for m in blocker.messages], [*range(times)])
        # What all of them had sent meanwhile is read now.
        others[0].receive(others[0].encode(audio(1))[5:])
        others[2].receive(HANDSHAKE[100:])
        stage.pass_(1)
        self.assertEqual(stage.lines(), [])

    def test_F21_halfASecond(self) -> None:
        self.check(0.5, 1)
        self.check(0.5, 10)

    def test_F21_long(self) -> None:
        """Longer than any deadline, once or more than once."""
        self.check(60, 1)
        self.check(20, 5)

    def test_F21_verdict(self) -> None:
        """An application that blocks while it decides takes none of anybody's time either."""

        def decide(request: object) -> None:
            stage.clock.rightNow += 40

        stage = Stage(self)
        others = self.others(stage)
        stage.application.answers["publish"] = decide
        client = stage.publisher()
        stage.clock.advance(0)
        self.assertEqual([each.closing for each in (client, *others)], [False] * 4)
        stage.pass_(5)
        self.assertEqual([each.closing for each in (client, *others)], [False] * 4)

    def test_F21_readFirst(self) -> None:
        """A publisher that has sent while the process was blocked is no silent one, whatever is looked at first."""
        stage = Stage(self, Application())
        client, wire = publisherBySocket(stage)
        stage.pass_(SILENCE - 1)
        wire.arrived += client.encode(audio(1))
        stage.clock.advance(5)
        self.assertEqual(stage.lines(), [])
        client.transport.turn()  # type: ignore[attr-defined]
        stage.pass_(SILENCE - 1)
        self.assertEqual((stage.lines(), len(stage.published[0].messages)), ([], 1))

    def test_F21_idleStranger(self) -> None:
        """After it, the deadlines go on where they were."""
        stage = Stage(self)
        stranger = stage.client()
        stage.pass_(5)
        stage.clock.advance(60)
        stage.pass_(3)
        self.assertFalse(stranger.closing)
        stage.pass_(3)
        self.assertTrue(stranger.closing)
