"""
Tests for L{rtmptw.doctor.examination}: all clients and all probes, and what the report makes of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import CancelledError, Deferred

from rtmptw.causes.causes import CAUSES
from rtmptw.dialects.dialect import Dialect
from rtmptw.dialects.finding import Finding, Progress, Step
from rtmptw.doctor.examination import Answer, Report, examine
from rtmptw.doctor.probe import Probe
from rtmptw.doctor.target import Target, Unreachable
from rtmptw.testing import DIALECTS, PROBES
from rtmptw.trace.entry import Entry
from rtmptw.wire.message import Message
from tests.brokenservers.bends import BENDS
from tests.brokenservers.plain import PlainServer
from tests.doctor.network import Network, NetworkTestCase
from tests.doctor.servers import (
    ClosesAtMedia,
    OneConnection,
    PlaysOnlyPublished,
    RefusesPlayers,
    SlowAnswers,
)

_CLIENTS, _PROBES = list(DIALECTS.values()), list(PROBES.values())

#: What a mistake is called that can't be told from another one, or where another word is better.
_OTHERWISE = {
    "announced-chunk-size-not-used:unannounced": "reply-not-chunked",
    "connect-transaction-id:string": "transaction-id-not-number",
}

#: Causes that no client's visit shows, and the probe that does.
_PROBE_OF = {
    "slow-replies": "delay",
    "waits-for-metadata": "start",
    "waits-for-keyframe": "start",
    "unasked-acks": "tail",
    "writes-to-publisher": "tail",
    "stops-reading": "tail",
    "error-without-close": "busy",
    "refusal-without-status": "busy",
    "error-status-unknown-code": "busy",
    "waits-for-pong": "silent",
    "closes-on-unknown-type": "unknown-type",
    "closes-on-junk-data": "junk-data",
    "extended-timestamp-not-expected": "extended",
    "extended-timestamp-always-expected": "extended",
    "extended-timestamp-not-repeated": "extended",
}


def finding(cause: str, dialect: str = "somebody", came: tuple[Entry, ...] = ()) -> Finding:
    """Something that was found."""
    return Finding(CAUSES[cause], "FFmpeg", dialect, Step.CONNECT, "words", None, came)


class ReportTests(NetworkTestCase):
    def report(self) -> Report:
        """Two clients, and three probes."""
        first, second = Progress("first", "a program"), Progress("second", "a program", refusal="it is refused")
        first.findings = [finding("no-answer", "first"), finding("stops-reading", "first")]
        third = Progress("third", "a program")
        third.findings = [finding("no-answer", "third")]
        answers = [
            Answer(PROBES["tail"], [finding("tail-dropped", "tail"), finding("slow-replies", "tail")]),
            Answer(PROBES["start"], untestable="nobody is there"),
            Answer(PROBES["again"], [finding("no-answer", "again")]),
        ]
        return Report([first, second, third], answers)

    def test_findings(self) -> None:
        """Each cause once, the first one first; and whom it concerns."""
        report = self.report()
        self.assertEqual(
            [str(each) for each in report.findings],
            [
                "no-answer (first, connect): words",
                "tail-dropped (tail, connect): words",
            ],
        )
        self.assertEqual(report.concerned(report.findings[0]), ["first", "third", "again"])
        self.assertEqual([each.cause.name for each in report.advice], ["stops-reading", "slow-replies"])

    def test_provenAdvice(self) -> None:
        """What was proven once is no advice any more."""
        report = self.report()
        proven = Finding(CAUSES["stops-reading"], "", "third", Step.MEDIA, "words", proven=True)
        report.progress[2].findings.append(proven)
        self.assertEqual([each.cause.name for each in report.findings], ["no-answer", "stops-reading", "tail-dropped"])
        self.assertEqual([each.cause.name for each in report.advice], ["slow-replies"])

    def test_untested(self) -> None:
        report = self.report()
        self.assertEqual(report.untested, ["second: it is refused", "start: nobody is there"])
        report.unseen, report.interrupted = "nobody can play here", True
        self.assertEqual(report.untested[2:], ["media: nobody can play here", "everything else: it was interrupted"])
        self.assertEqual(Report().untested, [])


class ExamineTests(NetworkTestCase):
    def examine(
        self,
        server: type[PlainServer] | str,
        dialects: Sequence[Dialect] = _CLIENTS,
        probes: Sequence[Probe] = _PROBES,
        latency: float = 0.0,
        plays: bool = True,
    ) -> Report:
        network = self.network(server, latency)
        return network.run(examine(network.target(plays), dialects, probes))

    def causes(self, report: Report) -> tuple[list[str], list[str]]:
        """The names of what was found, and of what is advised."""
        return [each.cause.name for each in report.findings], [each.cause.name for each in report.advice]

    def test_healthy(self) -> None:
        """Nothing is found, and nothing left out."""
        for latency in (0.0, 0.15):
            report = self.examine(PlainServer, latency=latency)
            self.assertEqual((self.causes(report), report.untested), (([], []), []), latency)
            self.assertEqual([each.dialect for each in report.progress], list(DIALECTS))
            self.assertEqual([each.probe.name for each in report.answers], list(PROBES))
        report = self.examine(PlaysOnlyPublished)
        self.assertEqual(self.causes(report), ([], []))
        self.assertEqual([line.partition(":")[0] for line in report.untested], ["start"])

    def test_bends(self) -> None:
        """Each mistake is named; it is the first finding, unless it is only advice."""
        for name, bend in BENDS.items():
            if bend.cause == "tail-dropped":
                # It needs sockets.
                continue
            probes = [PROBES[probe] for cause, probe in _PROBE_OF.items() if cause == bend.cause]
            report = self.examine(name, [] if probes else _CLIENTS, probes, latency=0.05)
            findings, advice = self.causes(report)
            cause = _OTHERWISE.get(name, bend.cause)
            self.assertIn(cause, [*findings[:1], *advice], name)

    def test_slow(self) -> None:
        """A server that takes its time, and has a mistake besides, is not said to have others."""
        self.assertEqual(self.causes(self.examine(SlowAnswers)), (["connect-transaction-id"], ["slow-replies"]))

    def test_nobodyLooks(self) -> None:
        """That is said, if somebody was to look."""
        publisher = [DIALECTS["ffmpeg-publish"]]
        rows: list[tuple[type[PlainServer], bool, list[str]]] = [
            (RefusesPlayers, True, ["media: nobody can play here, so what is lost was not seen"]),
            (RefusesPlayers, False, []),
            (
                OneConnection,
                True,
                ["media: the server takes only one connection at a time, so what is lost was not seen"],
            ),
        ]
        for server, plays, expected in rows:
            report = self.examine(server, publisher, [], plays=plays)
            self.assertEqual((report.findings, report.untested), ([], expected))

    def test_obstacle(self) -> None:
        """Where even the plainest client can't publish, probes tell nothing."""
        report = self.examine(ClosesAtMedia, [], _PROBES)
        self.assertEqual(
            {answer.untestable for answer in report.answers},
            {"even what the plainest client publishes does not come out"},
        )
        self.assertEqual(self.causes(report), ([], []))

    def test_untestable(self) -> None:
        report = self.examine(RefusesPlayers, [], [PROBES["start"]])
        self.assertEqual(len(report.untested), 1)
        self.assertIn("start: nobody can play here", report.untested[0])

    def test_tell(self) -> None:
        network = self.network()
        lines: list[str] = []
        network.run(examine(network.target(), _CLIENTS[:1], [PROBES["delay"]], lines.append))
        self.assertEqual(lines, ["ffmpeg-publish ...", "delay: Do answers come at once?"])


class GoneTests(NetworkTestCase):
    def test_nobody(self) -> None:
        """With whatever it begins."""
        for dialects, probes in ((_CLIENTS, []), ([], _PROBES)):
            network = self.network()
            network.server = None
            with self.assertRaises(Unreachable):
                network.run(examine(network.target(), dialects, probes))

    def test_later(self) -> None:
        """What was found before is told, and what could not be tested any more."""
        publisher, probe = DIALECTS["ffmpeg-publish"], PROBES["delay"]
        seen = set()
        for most in range(2, 12):
            network = self.network()
            network.most = most
            report = network.run(examine(network.target(), [publisher, DIALECTS["obs-publish"]], [probe, probe]))
            self.assertEqual(report.findings, [], most)
            seen |= {line.partition(" (")[0].replace("delay, delay", "delay") for line in report.untested}
        words = "nobody is there any more"
        self.assertEqual(seen, {f"obs-publish: {words}", f"delay: {words}"})


class Echoes(PlainServer):
    """A player gets the first message again and again, and nothing else."""

    def deliver(self, message: Message) -> None:
        if b"-00000000" not in message.payload or self.ended is not None:
            return
        super().deliver(message)
        self.factory.clock.callLater(0.5, self.deliver, message)


class LimitTests(NetworkTestCase):
    def limited(self, server: type[PlainServer], dialects: Sequence[Dialect], probes: Sequence[Probe]) -> list[str]:
        """What is said of what takes too long."""
        network = self.network(server)
        report = network.run(examine(network.target(patience=1.0), dialects, probes), 1000.0)
        self.assertEqual(report.findings, [])
        self.assertLess(network.clock.seconds(), 130.0 * (len(dialects) + len(probes)))
        return report.untested

    def test_limit(self) -> None:
        """A server that never comes to an end is given up: with clients, with probes, and with what is in front."""

        async def forEver(target: Target) -> list[Finding]:
            visit = await target.visit()
            while True:
                await visit.contact.rest(1.0)

        words = "it was not over after 120 s, and was given up"
        probe = Probe("for-ever", "When?", forEver)
        self.assertEqual(self.limited(PlainServer, [], [probe]), [f"for-ever: {words}"])
        self.assertEqual(
            self.limited(Echoes, [DIALECTS["ffmpeg-publish"]], [probe]),
            [f"ffmpeg-publish: {words}", f"for-ever: {words}"],
        )

    def test_patience(self) -> None:
        """Who waits long for each answer waits long for all."""
        network = self.network(Echoes)
        report = network.run(examine(network.target(patience=10.0), [DIALECTS["ffmpeg-publish"]], []), 1000.0)
        self.assertEqual(report.untested, ["ffmpeg-publish: it was not over after 400 s, and was given up"])


class CancelTests(NetworkTestCase):
    def cancelled(self, seconds: float) -> tuple[Network, Report]:
        """An examination that is interrupted after some time."""
        network, report = self.network("connect-transaction-id"), Report()
        work = Deferred.fromCoroutine(examine(network.target(), _CLIENTS, _PROBES, report=report))
        network.advance(seconds)
        self.assertNoResult(work)
        work.cancel()
        self.failureResultOf(work, CancelledError)
        return network, report

    def test_cancel(self) -> None:
        """All leave at once, whenever it is; and what is known stays known."""
        for seconds in range(17):
            network, report = self.cancelled(float(seconds))
            self.assertEqual([each for each in network.contacts if not each.closed], [])
            self.assertTrue(report.interrupted)
            self.assertEqual(report.untested[-1], "everything else: it was interrupted")
        self.assertEqual([each.cause.name for each in report.findings], ["connect-transaction-id"])
