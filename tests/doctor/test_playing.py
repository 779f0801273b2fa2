"""
Tests for L{rtmptw.doctor.playing}: each player, at servers that are well, and at some that are not.
"""

from __future__ import annotations

from rtmptw.dialects.finding import STEPS, Progress, Step, StepState
from rtmptw.dialects.players import PLAYERS
from rtmptw.doctor.playing import examinePlayer
from rtmptw.testing import DIALECTS
from rtmptw.wire.command import Command
from rtmptw.wire.message import MAX_MESSAGE_SIZE, Message, MessageType
from tests.brokenservers.plain import PlainServer
from tests.doctor.network import NetworkTestCase
from tests.doctor.servers import (
    ClosesAtMedia,
    KeepsPublisher,
    PlaysOnlyPublished,
    RefusesAll,
    RefusesPlayers,
)

_ALL_OK = dict.fromkeys(STEPS, StepState.OK)


class Quiet(PlainServer):
    """Players get nothing."""

    def deliver(self, message: Message) -> None:
        """Not a message."""


class UncutMedia(PlainServer):
    """Messages are cut well, but for those that are larger than what it has announced."""

    def encode(self, message: Message) -> bytes:
        announced, isMedia = self.writer.chunkSize, message.type == MessageType.VIDEO
        self.writer.chunkSize = MAX_MESSAGE_SIZE if isMedia else announced
        encoded = super().encode(message)
        if isMedia:
            self.writer.chunkSize = announced
        return encoded


class Takes(PlainServer):
    """A stream that has just begun is not known for half a second."""

    def command_play(self, command: Command) -> None:
        publisher = self.stream(command.argument(0)).publisher
        assert isinstance(publisher, PlainServer)
        if self.factory.clock.seconds() - publisher.began < 0.5:
            self.refuse("NetStream.Play.StreamNotFound", "What?")
        else:
            super().command_play(command)


class MuteAtPlay(PlainServer):
    """play is not answered."""

    def command_play(self, command: Command) -> None:
        """Not a word."""


class PlayerTests(NetworkTestCase):
    def examine(self, server: type[PlainServer] | str, *names: str, latency: float = 0.0) -> list[Progress]:
        network = self.network(server, latency)
        target = network.target()
        found = [network.run(examinePlayer(target, DIALECTS[name])) for name in names]
        target.abort()
        return found

    def causes(self, server: type[PlainServer] | str, name: str) -> list[str]:
        [progress] = self.examine(server, name)
        return [finding.cause.name for finding in progress.findings]

    def test_healthy(self) -> None:
        names = [dialect.name for dialect in PLAYERS]
        for progress in (
            *self.examine(PlainServer, *names),
            *self.examine(PlainServer, *names, latency=0.15),
            *self.examine(PlaysOnlyPublished, *names),
            *self.examine(Takes, *names),
        ):
            self.assertEqual((progress.steps, progress.findings, progress.refusal), (_ALL_OK, [], ""), progress.dialect)

    def test_uncutMedia(self) -> None:
        """A keyframe is always larger than a chunk of the server, so who does not cut it is found out."""
        for name in ("ffmpeg-play", "librtmp-play"):
            [progress] = self.examine(UncutMedia, name)
            self.assertEqual([finding.cause.name for finding in progress.findings], ["reply-not-chunked"])
            self.assertEqual(progress.steps[Step.MEDIA], StepState.STOPS)

    def test_nothingToPlay(self) -> None:
        """Where nobody publishes, or only one connection is taken, nothing can be said."""
        for server, words in ((RefusesAll, "nobody can publish here"), (ClosesAtMedia, "closed the publisher's")):
            [progress] = self.examine(server, "ffmpeg-play")
            self.assertIn(words, progress.refusal)
            self.assertFalse(progress.isTested)
        network = self.network()
        target = network.target()
        target.isSolitary = True
        progress = network.run(examinePlayer(target, DIALECTS["ffmpeg-play"]))
        self.assertEqual(progress.refusal, "the server takes only one connection at a time")
        self.assertEqual(network.contacts, [])

    def test_refused(self) -> None:
        [progress] = self.examine(RefusesPlayers, "ffmpeg-play")
        self.assertEqual(progress.findings, [])
        self.assertIn("Nobody may play here", progress.refusal)

    def test_unanswered(self) -> None:
        self.assertEqual(self.causes(MuteAtPlay, "ffmpeg-play"), ["no-answer"])
        self.assertEqual(self.causes("waits-for-fcpublish", "ffmpeg-play"), ["waits-for-fcpublish"])
        self.assertEqual(self.causes("waits-for-checkbw", "gstreamer-play"), ["waits-for-checkbw"])

    def test_noPictures(self) -> None:
        """The words say how many came. With the chunk size, which this client announces, it has nothing to do."""
        [progress] = self.examine(Quiet, "mediamtx-play")
        [finding] = progress.findings
        self.assertEqual(finding.cause.name, "media-lost")
        self.assertEqual(finding.words, "of a stream that was published all the time, 0 messages came")
        self.assertEqual(progress.steps[Step.MEDIA], StepState.LOSES)

    def test_ends(self) -> None:
        """What is missing at the end is said of who waits for it."""
        rows: list[tuple[type[PlainServer] | str, str, list[str]]] = [
            ("end-without-unpublishnotify", "ffmpeg-play", ["end-without-unpublishnotify"]),
            ("end-without-unpublishnotify", "librtmp-play", ["end-without-unpublishnotify"]),
            ("end-without-unpublishnotify", "gstreamer-play", []),
            ("end-without-streameof", "ffmpeg-play", []),
            ("end-without-streameof", "gstreamer-play", ["end-without-streameof"]),
            (KeepsPublisher, "ffmpeg-play", ["end-without-unpublishnotify"]),
            (KeepsPublisher, "mediamtx-play", []),
        ]
        for server, name, expected in rows:
            self.assertEqual(self.causes(server, name), expected, (server, name))
        [progress] = self.examine("end-without-unpublishnotify", "ffmpeg-play")
        self.assertEqual(
            progress.findings[0].words,
            "the publisher has left, and the player hears: Stream EOF; the connection stays open",
        )
        [progress] = self.examine(KeepsPublisher, "ffmpeg-play")
        self.assertIn("hears: nothing;", progress.findings[0].words)

    def test_bends(self) -> None:
        """What a player minds."""
        for name, dialect in (
            ("media-before-start", "librtmp-play"),
            ("metadata-undefined", "ffmpeg-play"),
            ("type15-to-player", "librtmp-play"),
            ("s1-version-without-digest", "ffmpeg-play"),
        ):
            self.assertIn(name, self.causes(name, dialect))

    def test_interrupted(self) -> None:
        """The publisher leaves with it."""
        network = self.network(MuteAtPlay)
        target = network.target()
        with self.assertRaises(AssertionError):
            network.run(examinePlayer(target, DIALECTS["ffmpeg-play"]), 1.0)
        target.abort()
