"""
Tests for sessions at random: L{tests.fuzz.sessions} with each rule for busy names; and that it finds mistakes.
"""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.deadlines import Deadlines, Overdue
from rtmptw.live import hub
from rtmptw.live.livestream import LiveStream
from rtmptw.live.streamclock import StreamClock
from rtmptw.live.tape import Tape
from rtmptw.live.viewer import Viewer
from tests.fuzz.peers import Kind
from tests.fuzz.sessions import ENDINGS, RefusingSessions, ReplacingSessions, Sessions

_SETTINGS = settings(
    deadline=None,
    max_examples=40,
    stateful_step_count=40,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
    database=None,
    print_blob=True,
)


class SessionTests(SynchronousTestCase):
    """Whatever peers do, and in whatever order."""

    def test_usual(self) -> None:
        """By default, silent publishers can be replaced, and those that have gone are waited for."""
        run_state_machine_as_test(Sessions, settings=_SETTINGS)

    def test_refuse(self) -> None:
        run_state_machine_as_test(RefusingSessions, settings=_SETTINGS)

    def test_replace(self) -> None:
        run_state_machine_as_test(ReplacingSessions, settings=_SETTINGS)


class PlantedTests(SynchronousTestCase):
    """The model notices what is wrong with a server."""

    def make(self, kind: type[Sessions] = Sessions) -> Sessions:
        """A machine that is worked by hand, with two peers: one publishes, and one watches."""
        machine = kind()
        # What is planted may leave something behind.
        self.addCleanup(machine._watching.__exit__, None, None, None)
        for _ in range(2):
            machine.connect()
        machine.ask(machine.peers[0], "one")
        machine.watch(machine.peers[1], "one")
        return machine

    def shoot(self, machine: Sessions) -> None:
        machine.shoot(machine.peers[0], Kind.KEY, Kind.INTER, Kind.SOUND)
        machine.settle()

    def test_nothing(self) -> None:
        """If nothing is wrong, nothing is found."""
        machine = self.make()
        self.shoot(machine)
        machine.setPaused(machine.peers[1], True)
        machine.setPaused(machine.peers[1], False)
        machine.keepOn(30)
        machine.connect()
        machine.ask(machine.peers[2], "one")
        machine.wait(4.0)
        machine.names()
        self.assertIs(machine.shows["one"].holder, machine.peers[2])
        machine.finish(machine.peers[2], ENDINGS[0])
        machine.wait(12.0)
        machine.names()
        machine.teardown()

    def test_frameLost(self) -> None:
        """Of several frames that came in one read, only the first is sent."""
        reach = Tape.reach
        self.patch(Tape, "block", lambda tape, *where: (b"".join(tape.images(where[0])[:1]), reach(tape, *where)))
        self.assertRaises(AssertionError, self.shoot, self.make())

    def test_frameTwice(self) -> None:
        """Who pauses and goes on begins at the keyframe again."""
        machine = self.make()
        self.shoot(machine)
        resume = Viewer.resume

        def again(viewer: Viewer) -> None:
            viewer.position = None
            resume(viewer)

        self.patch(Viewer, "resume", again)
        machine.setPaused(machine.peers[1], True)
        self.assertRaises(AssertionError, machine.setPaused, machine.peers[1], False)

    def test_timeGoesBack(self) -> None:
        """Another publisher's time is passed on as it is."""
        self.patch(StreamClock, "place", lambda clock, message, *others: message)
        machine = self.make(ReplacingSessions)
        machine.keepOn(9)
        machine.connect()
        machine.peers[2].stamp = 0
        self.assertRaises(AssertionError, machine.ask, machine.peers[2], "one")

    def test_nameTaken(self) -> None:
        """A publisher that is not silent loses its name."""
        self.patch(hub, "quietOf", lambda stream: 100.0)
        machine = self.make()
        machine.connect()
        self.assertRaises(AssertionError, machine.ask, machine.peers[2], "one")

    def test_hangs(self) -> None:
        """A silent publisher is never closed."""
        self.patch(Deadlines, "_ofSilence", lambda *arguments: None)
        self.assertRaises(AssertionError, self.make().wait, 20.0)

    def test_closed(self) -> None:
        """Somebody is closed for no reason."""
        self.patch(Deadlines, "ofUse", lambda *arguments: Overdue("idleSeconds", "planted"))
        self.assertRaises(AssertionError, self.make().wait, 2.0)

    def test_endUntold(self) -> None:
        """Nobody is told the end."""
        self.patch(Viewer, "_sayEnd", lambda viewer: None)
        machine = self.make(RefusingSessions)
        machine.finish(machine.peers[0], ENDINGS[0])
        self.assertRaises(AssertionError, machine.wait, 4.0)

    def test_failureLogged(self) -> None:
        """What is caught and logged does not go unnoticed."""
        machine = self.make()
        self.patch(Viewer, "flush", lambda viewer: 1 / 0)
        self.patch(Viewer, "isInStep", False)
        machine.shoot(machine.peers[0], Kind.KEY)
        self.assertRaises(AssertionError, machine.names)

    def test_leftBehind(self) -> None:
        """A viewer that has gone is kept."""
        self.patch(LiveStream, "leave", lambda *arguments: None)
        machine = self.make()
        machine.leave(machine.peers[1])
        self.assertRaises(AssertionError, machine.names)
