"""
Tests for L{rtmptw.doctor.probes.busy}.
"""

from __future__ import annotations

from rtmptw.wire.command import Command
from tests.brokenservers.plain import PlainServer
from tests.doctor.probes.asking import ProbeTestCase
from tests.doctor.servers import OneConnection, RefusesAll


class TakesOver(PlainServer):
    """The second publisher of a name is let in, and the first one goes."""

    def command_publish(self, command: Command) -> None:
        first = self.stream(command.argument(0)).publisher
        if isinstance(first, PlainServer) and first is not self:
            first.endPublish()
            first.close()
        super().command_publish(command)


class IgnoresSecond(PlainServer):
    """A second publisher hears nothing."""

    def refuse(self, code: str, description: str) -> None:
        """Not a word."""


class BusyTests(ProbeTestCase):
    def test_healthy(self) -> None:
        self.healthy("busy")
        self.assertEqual(self.causes("busy", TakesOver), [])

    def test_rows(self) -> None:
        rows: list[tuple[type[PlainServer] | str, str, str]] = [
            ("error-without-close", "error-without-close", "NetStream.Publish.BadName: The name is in use.), and left"),
            ("refusal-without-status", "refusal-without-status", "is disconnected without a status"),
            (IgnoresSecond, "refusal-without-status", "hears nothing at all"),
        ]
        for server, cause, words in rows:
            [finding] = self.ask("busy", server)
            self.assertEqual(finding.cause.name, cause)
            self.assertIn(words, finding.words)

    def test_unknownCode(self) -> None:
        [finding] = self.ask("busy", "error-status-unknown-code")
        self.assertEqual(finding.cause.name, "error-status-unknown-code")
        self.assertTrue(finding.isAdvice)

    def test_untestable(self) -> None:
        self.assertEqual(self.untestable("busy", RefusesAll), "nobody can publish here")
        self.assertEqual(self.untestable("busy", OneConnection), "a second connection does not get as far as publish")

    def test_gone(self) -> None:
        self.gone("busy", 2)
