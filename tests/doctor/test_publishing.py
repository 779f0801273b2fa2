"""
Tests for L{rtmptw.doctor.publishing}: each publisher, at servers that are well, and at some that are not.
"""

from __future__ import annotations

from rtmptw.dialects import contact
from rtmptw.dialects.finding import STEPS, Progress, Step, StepState
from rtmptw.dialects.publishers import PUBLISHERS
from rtmptw.doctor.publishing import FRAMES, examinePublisher, ranges
from rtmptw.testing import DIALECTS
from rtmptw.wire.command import Command
from rtmptw.wire.message import Message, MessageType
from tests.brokenservers.plain import PlainServer
from tests.doctor.network import Network, NetworkTestCase
from tests.doctor.servers import (
    ClosesAtMedia,
    Crashes,
    Garbles,
    OneConnection,
    PlaysOnlyPublished,
    RefusesAll,
    RefusesPlayers,
    Remuxes,
)

_ALL_OK = dict.fromkeys(STEPS, StepState.OK)


class RefusesMedia(PlainServer):
    """Media is refused with a reason."""

    def mediaReceived(self, message: Message) -> None:
        self.refuse("NetStream.Publish.Denied", "The picture is too small.")


class Floods(PlainServer):
    """It writes without end to a publisher."""

    def mediaReceived(self, message: Message) -> None:
        self.send(*(Message(MessageType.AUDIO, 0, 1, bytes(60000), 4) for _ in range(50)))


class Forgets(PlainServer):
    """The second publisher of a name is closed once, without a word, and is welcome then."""

    closed = 0

    def command_publish(self, command: Command) -> None:
        if self.stream(command.argument(0)).ends and not type(self).closed:
            type(self).closed += 1
            self.close()
        else:
            super().command_publish(command)


class PublisherTests(NetworkTestCase):
    def examine(
        self, server: type[PlainServer] | str, *names: str, plays: bool = True, latency: float = 0.0
    ) -> list[Progress]:
        """Let some publish, one after the other."""
        network = self.network(server, latency)
        target = network.target(plays)
        found = [network.run(examinePublisher(target, DIALECTS[name])) for name in names]
        target.abort()
        return found

    def one(self, server: type[PlainServer] | str, name: str = "ffmpeg-publish", plays: bool = True) -> Progress:
        """Let one publish."""
        [progress] = self.examine(server, name, plays=plays)
        return progress

    def causes(self, progress: Progress) -> list[str]:
        return [finding.cause.name for finding in progress.findings]

    def test_wrongKey(self) -> None:
        """Who refuses everybody does not keep a name from us that we have had."""

        class WrongKey(PlainServer):
            def command_publish(self, command: Command) -> None:
                self.refuse("NetStream.Publish.BadName", "wrong key")

        for progress in self.examine(WrongKey, "ffmpeg-publish", "gstreamer-publish"):
            self.assertEqual(progress.findings, [])
            self.assertIn("wrong key", progress.refusal)

    def test_healthy(self) -> None:
        """Nothing is wrong: near by, far away, and without somebody who plays."""
        names = [dialect.name for dialect in PUBLISHERS]
        for progress in (
            *self.examine(PlainServer, *names),
            *self.examine(PlainServer, *names, latency=0.15),
            *self.examine(PlainServer, *names, plays=False),
            *self.examine(PlaysOnlyPublished, *names),
            *self.examine(RefusesPlayers, *names[:4]),
            *self.examine(Remuxes, *names),
        ):
            self.assertEqual((progress.steps, progress.findings, progress.refusal), (_ALL_OK, [], ""), progress.dialect)

    def test_refused(self) -> None:
        """That is no finding; and nobody is asked twice for it when nobody was there before."""
        progress = self.one(RefusesAll)
        self.assertEqual(progress.steps[Step.REQUEST], StepState.REFUSED)
        self.assertEqual(progress.findings, [])
        self.assertIn("The key is wrong", progress.refusal)

    def test_refusedLater(self) -> None:
        """Media may be refused as well."""
        progress = self.one(RefusesMedia, "nginx-publish")
        self.assertEqual(progress.steps[Step.MEDIA], StepState.REFUSED)
        self.assertIn("The picture is too small", progress.refusal)
        self.assertEqual(progress.findings, [])

    def test_closed(self) -> None:
        progress = self.one(ClosesAtMedia)
        self.assertEqual(self.causes(progress), ["closed-without-reason"])
        self.assertEqual(progress.steps[Step.MEDIA], StepState.STOPS)

    def test_floods(self) -> None:
        """Nobody reads without end."""
        self.patch(contact, "MOST_BYTES", 1_000_000)
        progress = self.one(Floods)
        self.assertEqual(self.causes(progress), ["writes-to-publisher"])
        self.assertIn("without end", progress.findings[0].words)

    def test_lost(self) -> None:
        """What is missing is said; where the client's own doubts tell why, they do."""
        progress = self.one("waits-for-keyframe", "ffmpeg-publish")
        self.assertEqual(progress.findings, [])
        progress = self.one("createstream-undefined", "ffmpeg-publish")
        self.assertEqual(self.causes(progress), ["createstream-undefined"])
        self.assertEqual(progress.steps[Step.MEDIA], StepState.LOSES)
        progress = self.one(DropsSome)
        self.assertEqual(self.causes(progress), ["media-lost"])
        self.assertEqual(progress.findings[0].words, "of 80 messages that were sent, 78 came out; missing: 5, 7")

    def test_damaged(self) -> None:
        progress = self.one(Garbles)
        self.assertEqual(self.causes(progress), ["media-damaged"])
        self.assertEqual(progress.steps[Step.MEDIA], StepState.LOSES)
        self.assertIn("1, 3, 5, 7, 9, ...", progress.findings[0].words)

    def test_stops(self) -> None:
        """Behind it, it is gone on with."""
        progress = self.one("connect-transaction-id")
        self.assertEqual(self.causes(progress), ["connect-transaction-id"])
        self.assertEqual(progress.steps[Step.CONNECT], StepState.STOPS)
        self.assertEqual(progress.steps[Step.MEDIA], StepState.LENIENT)

    def test_nameStaysTaken(self) -> None:
        """The first is let in; the second is told that the name is taken, for as long as it asks."""
        first, second = self.examine("name-stays-taken", "ffmpeg-publish", "obs-publish")
        self.assertEqual(self.causes(first), [])
        self.assertEqual(self.causes(second), ["name-stays-taken"])
        self.assertIn("5 s after its publisher has left", second.findings[0].words)

    def test_busyWithAnother(self) -> None:
        """If nobody of ours was there, somebody else publishes it: no finding."""
        network = self.network()
        target, other = network.target(), network.target()
        publisher = network.run(other.publisher())
        progress = network.run(examinePublisher(target, DIALECTS["ffmpeg-publish"]))
        self.assertEqual(progress.findings, [])
        self.assertIn("BadName", progress.refusal)
        assert publisher is not None
        publisher.leave()

    def test_busyForAMoment(self) -> None:
        """The end of the client before may not have been noticed, whatever the server says to that."""
        Forgets.closed = 0
        for progress in self.examine(Forgets, "ffmpeg-publish", "obs-publish"):
            self.assertEqual(progress.findings, [], progress.dialect)
        self.assertEqual(Forgets.closed, 1)

    def test_oneConnection(self) -> None:
        """A server that takes only one connection is no broken one: nobody looks."""
        network = self.network(OneConnection)
        target = network.target()
        for name in ("ffmpeg-publish", "obs-publish"):
            progress = network.run(examinePublisher(target, DIALECTS[name]))
            self.assertEqual(progress.findings, [])
            self.assertEqual(progress.steps, _ALL_OK)
        self.assertTrue(target.isSolitary)

    def test_crash(self) -> None:
        """A server that is not there any more keeps its finding."""
        network = self.network(Crashes)
        self.patch(Crashes, "network", network)
        progress = network.run(examinePublisher(network.target(plays=False), DIALECTS["ffmpeg-publish"]))
        [finding] = progress.findings
        self.assertEqual(finding.cause.name, "closed-without-reason")
        self.assertIn("After that, nobody is there any more", finding.words)

    def test_learns(self) -> None:
        network = Network("s2-waits-for-c2")
        target = network.target()
        network.run(examinePublisher(target, DIALECTS["ffmpeg-publish"]))
        self.assertFalse(target.isUntouched)
        self.assertLess(target.patience, 5.0)
        self.assertTrue(network.run(target.visit()).earlyC2)


class DropsSome(PlainServer):
    """Two messages in the midst are lost."""

    def mediaReceived(self, message: Message) -> None:
        if not any(b"-%08d" % number in message.payload for number in (5, 7)):
            super().mediaReceived(message)


class RangesTests(NetworkTestCase):
    def test_ranges(self) -> None:
        rows: list[tuple[list[int], str]] = [
            ([], ""),
            ([3], "3"),
            ([0, 1, 2], "0-2"),
            ([0, 2, 3, 9], "0, 2-3, 9"),
            ([0, 2, 4, 6, 8], "0, 2, 4, 6, 8"),
            (list(range(0, FRAMES, 2)), "0, 2, 4, 6, 8, ..."),
        ]
        for numbers, words in rows:
            self.assertEqual(ranges(numbers), words)
