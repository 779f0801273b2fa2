"""
Tests for L{rtmptw.doctor.probes.oddities}.
"""

from __future__ import annotations

from rtmptw.doctor.probes.oddities import ODDITIES
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.command import Command
from rtmptw.wire.control import UserControl
from rtmptw.wire.handshake import HANDSHAKE_SIZE
from rtmptw.wire.message import Message, MessageType
from tests.brokenservers.plain import PlainServer
from tests.doctor.probes.asking import ProbeTestCase
from tests.doctor.servers import PlaysOnlyPublished, RefusesAll, RefusesPlayers


class MindsCommands(PlainServer):
    """A command that it does not know is the end."""

    def commandReceived(self, command: Command, streamId: int) -> None:
        if command.name.startswith("something"):
            self.close()
        super().commandReceived(command, streamId)


class MindsControl(PlainServer):
    """So is a user control message that it can't read."""

    def messageReceived(self, message: Message) -> None:
        if message.type == MessageType.USER_CONTROL and UserControl.decode(message.payload) is None:
            self.close()
        super().messageReceived(message)


class MindsEmpty(PlainServer):
    """So is a message without a body."""

    def messageReceived(self, message: Message) -> None:
        if not message.payload and message.type in (MessageType.AUDIO, MessageType.VIDEO):
            self.close()
        super().messageReceived(message)


class _ShortIDs(ChunkReader):
    """Knows no chunk stream IDs but those of one byte."""

    __slots__ = ()

    def _readHeader(self) -> bool:
        if self._data[self._position] & 0x3F < 2:
            raise _Confused
        return super()._readHeader()


class _Confused(Exception):
    pass


class MindsFarChunkStreams(PlainServer):
    """It reads nothing behind an ID in two bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.reader = _ShortIDs(offset=HANDSHAKE_SIZE)

    def readChunks(self, data: bytes) -> None:
        try:
            super().readChunks(data)
        except _Confused:
            self.problem = "an ID in two bytes"


class MindsInterleaving(PlainServer):
    """A chunk of another message than the one that is not complete ends it."""

    def mediaReceived(self, message: Message) -> None:
        if message.chunkStreamId in (20, 21):
            self.close()
        super().mediaReceived(message)


class MindsOnce(PlainServer):
    """The first unknown message of all ends it, by chance."""

    hasMinded = False

    def messageReceived(self, message: Message) -> None:
        if message.type == 99 and not type(self).hasMinded:
            type(self).hasMinded = True
            self.close()
        super().messageReceived(message)


class IsDeafThen(PlainServer):
    """Behind an unknown message it passes nothing on."""

    isDeaf = False

    def messageReceived(self, message: Message) -> None:
        self.isDeaf = self.isDeaf or message.type == 99
        if not self.isDeaf:
            super().messageReceived(message)


class PassesNothingOn(PlainServer):
    """All media is lost."""

    def mediaReceived(self, message: Message) -> None:
        """Not a message."""


class OddityTests(ProbeTestCase):
    def test_healthy(self) -> None:
        for probe in ODDITIES:
            self.healthy(probe.name)
            self.assertEqual(self.causes(probe.name, PlaysOnlyPublished), [])
            self.assertEqual(self.causes(probe.name, RefusesPlayers), [])
            self.assertEqual(self.causes(probe.name, plays=False), [])

    def test_rows(self) -> None:
        """Whoever minds it is found, by that question and no other; with somebody who plays, and without."""
        rows: dict[str, tuple[type[PlainServer] | str, str]] = {
            "unknown-type": ("closes-on-unknown-type", "closes-on-unknown-type"),
            "junk-data": ("closes-on-junk-data", "closes-on-junk-data"),
            "empty": (MindsEmpty, "closes-on-unknown-type"),
            "chunk-size": ("client-chunk-size-ignored", "client-chunk-size-ignored"),
            "user-control": (MindsControl, "closes-on-unknown-type"),
            "unknown-command": (MindsCommands, "closes-on-unknown-type"),
            "far-chunk-stream": (MindsFarChunkStreams, "unusual-chunks"),
            "interleaved": (MindsInterleaving, "unusual-chunks"),
        }
        self.assertEqual(set(rows), {probe.name for probe in ODDITIES})
        for name, (server, cause) in rows.items():
            for plays in (True, False):
                [finding] = self.ask(name, server, plays=plays)
                self.assertEqual((finding.cause.name, finding.dialect), (cause, name))
                self.assertIn("the server closes the connection", finding.words)
            for other in rows:
                if other != name and name != "chunk-size":
                    self.assertEqual(self.causes(other, server), [], (other, name))

    def test_deaf(self) -> None:
        [finding] = self.ask("unknown-type", IsDeafThen)
        self.assertEqual(
            finding.words, "behind a message of an unknown type (99), nothing that is sent behind it comes out"
        )

    def test_byChance(self) -> None:
        """What happens once counts for nothing."""
        self.patch(MindsOnce, "hasMinded", False)
        self.assertEqual(self.causes("unknown-type", MindsOnce), [])
        self.assertTrue(MindsOnce.hasMinded)

    def test_untestable(self) -> None:
        self.assertEqual(self.untestable("empty", RefusesAll), "nobody can publish here")
        words = "what is published in front of it does not come out"
        self.assertEqual(self.untestable("empty", PassesNothingOn), words)

    def test_gone(self) -> None:
        self.gone("interleaved", 2)
