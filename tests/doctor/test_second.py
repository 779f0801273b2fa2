"""
Tests for L{rtmptw.doctor.second}: what is behind it when a server does not answer.
"""

from __future__ import annotations

from dataclasses import replace

from rtmptw.dialects.dialect import Dialect
from rtmptw.dialects.finding import Finding
from rtmptw.doctor.publishing import examinePublisher
from rtmptw.doctor.second import comesOut, secondOpinion
from rtmptw.doctor.target import PLAIN
from rtmptw.testing import DIALECTS
from rtmptw.wire.command import Command
from rtmptw.wire.message import Message
from tests.brokenservers.plain import PlainServer
from tests.doctor.network import NetworkTestCase
from tests.doctor.servers import ClosesAtMedia, PlaysOnlyPublished, RefusesAll, Silent


class NeedsSmallChunks(PlainServer):
    """A connect that comes in larger chunks than 128 bytes is not answered."""

    def command_connect(self, command: Command) -> None:
        if self.reader.chunkSize == 128:
            super().command_connect(command)


class AnswersOnce(PlainServer):
    """The first connect of all is lost, as if by a fault of the net."""

    def command_connect(self, command: Command) -> None:
        if self is not self.factory.connections[0]:
            super().command_connect(command)


class LosesOnce(PlainServer):
    """The first publish of all is lost."""

    def mediaReceived(self, message: Message) -> None:
        if self.published is not None and self.published.ends:
            super().mediaReceived(message)


class MuteAtCreate(PlainServer):
    """createStream is not answered."""

    def command_createStream(self, command: Command) -> None:
        """Not a word."""


class LosesTheFirst(PlainServer):
    """One message is lost."""

    def mediaReceived(self, message: Message) -> None:
        if b"-00000000" not in message.payload:
            super().mediaReceived(message)


def step(name: str, **changes: object) -> Dialect:
    """A client that is a little different."""
    return replace(DIALECTS[name], **changes)  # type: ignore[arg-type]


class OpinionTests(NetworkTestCase):
    def finding(self, server: type[PlainServer] | str, dialect: Dialect, plays: bool = True) -> Finding:
        """What the only finding is."""
        network = self.network(server)
        progress = network.run(examinePublisher(network.target(plays), dialect))
        [finding] = progress.findings
        return finding

    def test_rows(self) -> None:
        """Each reason, found by asking in another way."""
        silent = step("gstreamer-publish", answersPings=False)
        rows: list[tuple[str, type[PlainServer] | str, Dialect, str]] = [
            ("c2-tail-dropped", "c2-tail-dropped", DIALECTS["ffmpeg-publish"], "in a segment of its own"),
            ("closes-on-extra-argument", "closes-on-extra-argument", DIALECTS["flash-publish"], "nothing behind its"),
            ("client-chunk-size-ignored", NeedsSmallChunks, DIALECTS["obs-publish"], "at 128 bytes, connect"),
            ("waits-for-checkbw", "waits-for-checkbw", DIALECTS["gstreamer-publish"], "onBWDone with _checkbw"),
            ("waits-for-pong", "waits-for-pong", silent, "the server's ping"),
            ("waits-for-fcpublish", "waits-for-fcpublish", DIALECTS["nginx-publish"], "FCPublish come first"),
            (
                "waits-for-createstream-first",
                "waits-for-createstream-first",
                DIALECTS["ffmpeg-publish"],
                "comes alone",
            ),
            ("client-chunk-size-ignored", "client-chunk-size-ignored", DIALECTS["ffmpeg-publish"], "everything"),
        ]
        for cause, server, dialect, words in rows:
            finding = self.finding(server, dialect)
            self.assertEqual(finding.cause.name, cause, finding.words)
            self.assertIn(words, finding.words)
            self.assertIn(". ", finding.words)

    def test_noReason(self) -> None:
        """Then it stays what it was."""
        for name in ("ffmpeg-publish", "flash-publish", "gstreamer-publish", "nginx-publish"):
            finding = self.finding(Silent, DIALECTS[name])
            self.assertEqual(finding.cause.name, "no-answer")
            self.assertNotIn(". ", finding.words)
        for name in ("ffmpeg-publish", "gstreamer-publish", "nginx-publish"):
            self.assertEqual(self.finding(MuteAtCreate, DIALECTS[name]).cause.name, "no-answer")
        self.assertEqual(self.finding(ClosesAtMedia, DIALECTS["flash-publish"]).cause.name, "closed-without-reason")

    def test_byItself(self) -> None:
        """What goes well the second time in the same way says nothing about another way."""
        finding = self.finding(AnswersOnce, DIALECTS["ffmpeg-publish"], plays=False)
        self.assertEqual(finding.cause.name, "no-answer")
        self.assertTrue(finding.words.endswith(". The second time, it went well"), finding.words)
        finding = self.finding(LosesOnce, DIALECTS["ffmpeg-publish"])
        self.assertEqual(finding.cause.name, "media-lost")
        self.assertTrue(finding.words.endswith(". The second time, it went well"), finding.words)

    def test_notAsked(self) -> None:
        """Nobody comes again for what is known, or where nothing was found."""
        network = self.network()
        target = network.target()
        visit = network.run(target.visit(DIALECTS["ffmpeg-publish"]))
        for cause in ("", "result-to-publish"):
            if cause:
                visit.advise(cause, "words")
            before = list(visit.progress.findings)
            network.run(secondOpinion(target, visit))
            self.assertEqual(visit.progress.findings, before)
        self.assertEqual(len(network.contacts), 1)
        target.abort()


class ComesOutTests(NetworkTestCase):
    def test_rows(self) -> None:
        """With somebody who plays, and without."""
        rows: list[tuple[type[PlainServer] | str, bool, bool]] = [
            (PlainServer, True, True),
            (PlainServer, False, True),
            (PlaysOnlyPublished, True, True),
            (ClosesAtMedia, True, False),
            (ClosesAtMedia, False, False),
            (RefusesAll, True, False),
            (LosesTheFirst, True, True),
        ]
        for server, plays, expected in rows:
            network = self.network(server)
            target = network.target(plays)
            self.assertEqual(network.run(comesOut(target, PLAIN)), expected, server)
            target.abort()

    def test_whole(self) -> None:
        for server, expected in ((PlainServer, True), (LosesTheFirst, False)):
            network = self.network(server)
            self.assertEqual(network.run(comesOut(network.target(), PLAIN, whole=True)), expected)
