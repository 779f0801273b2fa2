"""
Tests for L{rtmptw.doctor.probes.silent}.
"""

from __future__ import annotations

from rtmptw.wire.control import UserControl, UserControlType
from rtmptw.wire.message import Message
from tests.brokenservers.bends import BENDS
from tests.brokenservers.plain import PlainServer
from tests.doctor.probes.asking import ProbeTestCase
from tests.doctor.servers import RefusesAll, Silent


class MuteOnce(PlainServer):
    """The first connection of all gets no answer."""

    def send(self, *messages: Message) -> None:
        if self is not self.factory.connections[0]:
            super().send(*messages)


class Breaks(BENDS["waits-for-pong"].connection):  # type: ignore[misc]
    """After the first pong nobody is answered any more."""

    hasBroken = False

    def controlReceived(self, control: UserControl) -> None:
        if control.event == UserControlType.PING_RESPONSE and not type(self).hasBroken:
            type(self).hasBroken = True

    def send(self, *messages: Message) -> None:
        if not self.hasBroken:
            super().send(*messages)


class SilentTests(ProbeTestCase):
    def test_healthy(self) -> None:
        self.healthy("silent")
        self.assertEqual(self.causes("silent", MuteOnce), [])

    def test_waits(self) -> None:
        for name, words in (("waits-for-pong", "a ping"), ("waits-for-checkbw", "onBWDone")):
            [finding] = self.ask("silent", name)
            self.assertEqual(finding.cause.name, name)
            self.assertEqual(
                finding.words, f"a client that does not answer {words} can't publish; the same client that does can"
            )

    def test_untestable(self) -> None:
        """Where the client that answers can't publish either, that is not why."""
        self.assertEqual(self.untestable("silent", Silent), "nobody can publish here")
        self.assertIn(
            "nobody can publish here: the server refuses publish: NetStream", self.untestable("silent", RefusesAll)
        )
        self.patch(Breaks, "hasBroken", False)
        self.assertEqual(self.untestable("silent", Breaks), "nobody can publish here")

    def test_gone(self) -> None:
        self.gone("silent", 2)
