"""
Tests for L{rtmptw.doctor.probes.start}.
"""

from __future__ import annotations

from rtmptw.wire.command import Command
from tests.brokenservers.plain import PlainServer
from tests.doctor.probes.asking import ProbeTestCase
from tests.doctor.servers import PlaysOnlyPublished, RefusesAll, RefusesPlayers


class LosesPlayers(PlainServer):
    """Who plays before somebody publishes is sent away then; others may not play at all."""

    def command_publish(self, command: Command) -> None:
        super().command_publish(command)
        for player in self.stream(command.argument(0)).players:
            player.finish()

    def command_play(self, command: Command) -> None:
        if self.stream(command.argument(0)).publisher is not None:
            self.refuse("NetStream.Play.Failed", "Too late.")
        else:
            super().command_play(command)


class StartTests(ProbeTestCase):
    def test_healthy(self) -> None:
        self.healthy("start")

    def test_rows(self) -> None:
        rows = [
            ("waits-for-metadata", "of 80 messages without metadata in front of them, these did not come out: 0-79"),
            (
                "waits-for-keyframe",
                "of a stream that does not begin with a keyframe, these messages did not come out: 0-49",
            ),
        ]
        for name, words in rows:
            [finding] = self.ask("start", name)
            self.assertEqual((finding.cause.name, finding.words), (name, words))

    def test_untestable(self) -> None:
        for server in (RefusesAll, RefusesPlayers, PlaysOnlyPublished):
            self.assertIn("nobody can play here before", self.untestable("start", server))
        self.assertIn("nobody can play here before", self.untestable("start", PlainServer, plays=False))
        self.assertEqual(self.untestable("start", LosesPlayers), "nobody can play what is published here")

    def test_gone(self) -> None:
        self.gone("start", 4)
