"""
Tests for L{rtmptw.doctor.sample}: a visit to be compared with another.
"""

from __future__ import annotations

from rtmptw.doctor.sample import Unsampled, sample
from rtmptw.doctor.target import Unreachable
from rtmptw.doctor.witness import arrived
from rtmptw.testing import DIALECTS
from rtmptw.trace.entry import Entry, ReadMessage
from rtmptw.trace.segment import Side
from rtmptw.trace.values import COMMANDS, readValues
from tests.brokenservers.plain import PlainServer
from tests.doctor.network import NetworkTestCase
from tests.doctor.servers import RefusesAll, RefusesPlayers


class SampleTests(NetworkTestCase):
    def sample(self, name: str, server: type[PlainServer] = PlainServer) -> list[Entry]:
        network = self.network(server)
        return network.run(sample(network.target(), DIALECTS[name]))

    def commands(self, entries: list[Entry], side: Side) -> list[str]:
        """What one side has said, in order."""
        return [
            readValues(entry.message).name
            for entry in entries
            if isinstance(entry, ReadMessage) and entry.side is side and entry.message.type in COMMANDS
        ]

    def test_publisher(self) -> None:
        """From the handshake to the end, both sides."""
        entries = self.sample("ffmpeg-publish")
        said = ["connect", "releaseStream", "FCPublish", "createStream", "publish", "FCUnpublish", "deleteStream"]
        self.assertEqual(self.commands(entries, Side.CLIENT), said)
        self.assertEqual(self.commands(entries, Side.SERVER), [*["_result"] * 4, "onStatus"])
        media = [entry for entry in entries if isinstance(entry, ReadMessage) and entry.message.type in (8, 9)]
        self.assertEqual(len(media), 82)

    def test_player(self) -> None:
        """It gets something to play, and hears the end."""
        entries = self.sample("ffmpeg-play")
        self.assertEqual(self.commands(entries, Side.SERVER)[-1], "onStatus")
        self.assertGreater(len(arrived(entries, 0)), 40)

    def test_refused(self) -> None:
        """What is said to that is worth comparing, too."""
        self.assertEqual(self.commands(self.sample("ffmpeg-publish", RefusesAll), Side.SERVER)[-1], "onStatus")
        self.assertEqual(self.commands(self.sample("ffmpeg-play", RefusesPlayers), Side.SERVER)[-1], "onStatus")

    def test_nothingToPlay(self) -> None:
        with self.assertRaises(Unsampled):
            self.sample("ffmpeg-play", RefusesAll)

    def test_gone(self) -> None:
        for name, most in (("ffmpeg-publish", 0), ("ffmpeg-play", 0), ("ffmpeg-play", 1)):
            network = self.network()
            network.most = most
            with self.assertRaises(Unreachable):
                network.run(sample(network.target(), DIALECTS[name]))
