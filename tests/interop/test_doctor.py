"""
The doctor against everything: servers that are broken in one way each, of which it has to name the way; servers that
are sound; and real ones, of which it must say nothing that the real programs do not confirm.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest import TestCase

from twisted.internet.defer import Deferred, gatherResults
from twisted.trial.unittest import TestCase as ReactorTestCase

from rtmptw.causes.causes import CAUSES, Severity
from rtmptw.doctor.examination import examine
from rtmptw.testing import DIALECTS, PROBES, Report, StepState, examineServer, target
from rtmptw.tls.client import clientTLS, trustedCertificates
from tests.brokenservers.bends import BENDS
from tests.brokenservers.child import PATH, BrokenServers
from tests.brokenservers.films import FILMS
from tests.interop.compare import readFLV
from tests.interop.ffmpeglisten import FFmpegListening, freeURL, listenAndReceive
from tests.interop.processes import Process, alone, freePort, waitFor
from tests.interop.programs import ffmpeg5, ffmpeg9
from tests.interop.publishers import ffmpegPublish, gstPublish
from tests.interop.relay import Relay
from tests.interop.server import Server
from tests.interop.sources import source
from tests.interop.test_cli import ENVIRONMENT, rtmptw
from tests.tls.authority import DAY, Authority

#: How many broken servers are examined at a time, and how long an answer of theirs may take, seconds.
AT_A_TIME = 12
PATIENCE = 1.0

#: By cause: who is needed to see it beside FFmpeg as a publisher, and which probe.
SEEN_BY: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "s1-version-without-digest": (("ffmpeg-play",), ()),
    "extended-timestamp-not-expected": ((), ("extended",)),
    "extended-timestamp-always-expected": ((), ("extended",)),
    "extended-timestamp-not-repeated": ((), ("extended",)),
    "createstream-id-not-1": (("nginx-publish",), ()),
    "createstream-id-not-number": (("gstreamer-publish",), ()),
    "onstatus-on-stream-0": (("gstreamer-publish",), ()),
    "waits-for-fcpublish": (("ffmpeg-play",), ()),
    "waits-for-checkbw": (("gstreamer-publish",), ()),
    "waits-for-pong": ((), ("silent",)),
    "answers-transaction-0": (("gstreamer-publish",), ()),
    "short-command": (("mediamtx-publish",), ()),
    "error-without-close": ((), ("busy",)),
    "refusal-without-status": ((), ("busy",)),
    "error-status-unknown-code": ((), ("busy",)),
    "closes-on-unknown-type": ((), ("unknown-type",)),
    "closes-on-junk-data": ((), ("junk-data",)),
    "closes-on-extra-argument": (("flash-publish",), ()),
    "name-stays-taken": (("obs-publish",), ()),
    "slow-replies": ((), ("delay",)),
    "waits-for-metadata": ((), ("start",)),
    "waits-for-keyframe": ((), ("start",)),
    "unasked-acks": ((), ("tail",)),
    "writes-to-publisher": ((), ("tail",)),
    "stops-reading": ((), ("tail",)),
    "tail-dropped": ((), ("tail",)),
    "media-before-start": (("librtmp-play",), ()),
    "type15-to-player": (("librtmp-play",), ()),
    "metadata-undefined": (("ffmpeg-play",), ()),
    "end-without-unpublishnotify": (("ffmpeg-play",), ()),
    "end-without-streameof": (("gstreamer-play",), ()),
}

#: What takes longest, and so is begun first.
SLOW = ("slow-replies", "stops-reading", "reply-as-amf3", "tail-dropped")

#: Its answer to connect takes 0.64 s on an idle machine.
PATIENT = {"slow-replies": 10.0}

#: By bend: what else is named, and why it may be.
ALSO: dict[str, dict[str, str]] = {
    "publish-only-result": {"result-to-publish": "that a _result comes is advice of its own"},
}

#: What the doctor finds in nginx-rtmp 1.2.2, and why it is true.
NGINX = {
    "error-without-close": "TruthTests.test_nginxLeavesTheRefusedConnected",
    "closes-on-junk-data": "TruthTests.test_nginxClosesAtTimeCodes",
    "extended-timestamp-always-expected": "ngx_rtmp_recv takes 4 bytes from each type 3 chunk, unless publish_time_fix "
    "is off; yasea issue 16. All programs here repeat the timestamp, so they can't show it",
}

#: What it finds in FFmpeg as a server, in which part, and who stops there. Flash sends createStream as type 17, which
#: FFmpeg passes over; the other is true by L{TruthTests.test_ffmpegLosesTheTail}.
FFMPEG: dict[str, tuple[dict[str, set[str]], set[str]]] = {
    "publishers": ({"no-answer": {"flash-publish"}}, {"flash-publish"}),
    "tail": ({"unasked-acks": {"tail"}}, set()),
}

#: What can't be examined there, because there is only one connection.
UNTESTED = {"tail": ["extended"], "start": ["start", "busy"]}


def names(findings: list[Any]) -> list[str]:
    """The causes of findings."""
    return [finding.cause.name for finding in findings]


def mistakes(name: str, report: Report) -> str:
    """What is wrong with what the doctor says of a bend."""
    bend = BENDS[name]
    cause = bend.shown or bend.cause
    found, advice = names(report.findings), names(report.advice)
    isSaid = cause in found + advice if CAUSES[cause].severity is Severity.ADVICE else found[:1] == [cause]
    tooMuch = {*found, *advice} - {cause, *ALSO.get(name, ())}
    return "" if isSaid and not tooMuch else f"{name}: {found}, advice {advice}, not tested {report.untested}"


class BendTests(ReactorTestCase):
    """What is wrong is named, and nothing else."""

    def setUp(self) -> None:
        # Who is late because of what else runs is silent to the doctor.
        self.enterContext(alone("measuring"))

    def test_tables(self) -> None:
        """They speak of what there is."""
        self.assertEqual(set(SEEN_BY) - {bend.cause for bend in BENDS.values()}, set())
        self.assertEqual({*SLOW, *ALSO, *PATIENT} - set(BENDS), set())
        self.assertEqual((set(NGINX) | {"unasked-acks", "no-answer"}) - set(CAUSES), set())

    async def test_everyBend(self) -> None:
        """Whatever a client stops at or loses something by is the first thing that is said."""
        directory = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="rtmptw-doctor-")))
        wrong: list[str] = []
        waiting = [*SLOW, *(name for name in BENDS if name not in SLOW)]
        with BrokenServers(BENDS, directory / "servers.log") as servers:

            async def work() -> None:
                while waiting:
                    name = waiting.pop(0)
                    clients, probes = SEEN_BY.get(BENDS[name].cause, ((), ()))
                    chosen = ("ffmpeg-publish", *clients)
                    patience = PATIENT.get(name, PATIENCE)
                    report = await examineServer(servers.url(name), chosen, probes, patience=patience)
                    wrong.append(mistakes(name, report))

            await gatherResults([Deferred.fromCoroutine(work()) for _ in range(AT_A_TIME)], consumeErrors=True)
        self.assertEqual(len(wrong), len(BENDS))
        self.assertEqual([*filter(None, wrong)], [])


PUBLISHERS = [name for name, dialect in DIALECTS.items() if dialect.publishes]
PLAYERS = [name for name in DIALECTS if name not in PUBLISHERS]

#: A whole examination, in parts that take less if they are made at the same time: clients and probes.
PARTS: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "publishers": (PUBLISHERS, ()),
    "players": (PLAYERS, ()),
    "tail": ((), [*PROBES][::2]),
    "start": ((), [*PROBES][1::2]),
}


class Said(NamedTuple):
    """
    A report in short.

    @ivar findings: the causes of what stops a client or loses something, with who has shown them.
    @ivar advice: the other causes.
    @ivar stopped: the clients that do not get on.
    @ivar untested: who and what could not be examined.
    """

    findings: dict[str, set[str]]
    advice: set[str]
    stopped: set[str]
    untested: list[str]

    @classmethod
    def of(cls, report: Report) -> Said:
        return cls(
            {finding.cause.name: set(report.concerned(finding)) for finding in report.findings},
            set(names(report.advice)),
            {each.dialect for each in report.progress if StepState.STOPS in each.steps.values()},
            [line.partition(":")[0] for line in report.untested],
        )


#: Of a sound server.
NOTHING = Said({}, set(), set(), [])


async def examined(
    url: str, part: str, plays: bool = True, patience: float = PATIENCE, tls: Any = None
) -> tuple[str, Said]:
    """
    Examine a real server.

    @param part: one of L{PARTS}.
    @param plays: whether what is published can be played at the same time.
    @return: the part, and what was found.
    """
    clients, probes = PARTS[part]
    server = target(f"{url}-{part}", patience=patience, tls=tls)
    if not plays:
        server.playURL = None
    report = await examine(server, [DIALECTS[name] for name in clients], [PROBES[name] for name in probes])
    return part, Said.of(report)


#: FFmpeg's server takes one connection and ends; this begins it again, until it is told to end.
_AGAIN = 'trap "exit" TERM; trap \'kill $child\' EXIT; while :; do "$@" & child=$!; wait $child; done'


@contextmanager
def ffmpegListening(program: str, log: Path) -> Iterator[str]:
    """
    FFmpeg as a server, again and again.

    @return: its URL.
    """
    url = f"rtmp://127.0.0.1:{freePort()}/{PATH}"
    command = [program, "-nostdin", "-v", "error", "-listen", "1", "-i", url, "-c", "copy", "-f", "null", "-"]
    with Process(["bash", "-c", _AGAIN, "bash", *command], log):
        yield url


class FalseAlarmTests(ReactorTestCase):
    """Every client and every probe."""

    def setUp(self) -> None:
        self.enterContext(alone("measuring"))
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="rtmptw-doctor-")))

    def secure(self) -> tuple[str, Any]:
        """Our server with TLS, and who trusts it."""
        authority = Authority("Interop Authority")
        credential = authority.certify("127.0.0.1", notBefore=time.time() - DAY, notAfter=time.time() + DAY)
        server = Server(endpoint="ssl:0:interface=127.0.0.1:privateKey=%/key.pem:certKey=%/certificate.pem")
        (server.directory / "key.pem").write_bytes(credential.keyPEM)
        (server.directory / "certificate.pem").write_bytes(credential.pem)
        (self.directory / "ca.pem").write_bytes(authority.pem)
        self.enterContext(server)
        return server.url(PATH, "rtmps"), clientTLS("127.0.0.1", trustedCertificates(str(self.directory / "ca.pem")))

    async def test_sound(self) -> None:
        """Of our server, plain and encrypted, and of those that the broken ones are made from, nothing is said."""
        urls = [self.enterContext(Server()).url(PATH)]
        servers = self.enterContext(BrokenServers(["plain", "slow-reader"], self.directory / "servers.log"))
        urls += [servers.url("plain"), servers.url("slow-reader")]
        secure, tls = self.secure()
        # What, of which server.
        work: list[tuple[str, str, Any]] = [(url, part, None) for url in urls for part in PARTS]
        work += [(secure, part, tls) for part in PARTS]
        deferreds = [Deferred.fromCoroutine(examined(url, part, tls=tls)) for url, part, tls in work]
        results = await gatherResults(deferreds, consumeErrors=True)
        for (url, part, tls), (_, said) in zip(work, results, strict=True):
            if said != NOTHING:
                # Four servers at a time on a busy machine: late may be taken for never. So once more, by itself.
                _, said = await examined(url, part, tls=tls)
            self.assertEqual(said, NOTHING, f"{part} of {url}")

    async def test_others(self) -> None:
        """
        Of nginx, and of FFmpeg as a server, nothing is said that is not true. FFmpeg takes one connection at a time, so
        that nobody can play meanwhile.
        """
        relay = self.enterContext(Relay(self.directory, ""))
        work = [examined(f"rtmp://127.0.0.1:{relay.port}/{PATH}", part) for part in PARTS]
        for version, program in (("5.1", ffmpeg5()), ("9", ffmpeg9())):
            for part in set(PARTS) - {"players"}:
                url = self.enterContext(ffmpegListening(program, self.directory / f"{version}-{part}.log"))
                work.append(examined(url, part, plays=False))
        results = await gatherResults([*map(Deferred.fromCoroutine, work)], consumeErrors=True)
        nginx, ffmpeg = results[: len(PARTS)], results[len(PARTS) :]
        for name, results in (("nginx", nginx), ("FFmpeg", ffmpeg)):
            print(f"{name}, advice: {sorted({cause for _, said in results for cause in said.advice})}")
        self.assertEqual({cause for _, said in nginx for cause in said.findings}, set(NGINX))
        self.assertEqual([(said.stopped, said.untested) for _, said in nginx], [(set(), [])] * len(PARTS))
        for part, said in ffmpeg:
            self.assertEqual((said.findings, said.stopped), FFMPEG.get(part, ({}, set())), part)
            self.assertEqual(said.untested, UNTESTED.get(part, []))


class DoctorTestCase(TestCase):
    def setUp(self) -> None:
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="rtmptw-doctor-")))


class CommandLineTests(DoctorTestCase):
    """C{rtmptw doctor} as its user runs it."""

    def doctor(self, word: str, *arguments: object) -> Process:
        """Begin to examine."""
        return self.enterContext(Process(rtmptw("doctor", *arguments), self.directory / f"{word}.txt", ENVIRONMENT))

    def first(self, report: str) -> str:
        """The first finding, in one line."""
        found = re.search(r"^1\. .*?(?=^2\. |\Z)", report, re.MULTILINE | re.DOTALL)
        assert found is not None, report
        return " ".join(found[0].split())

    def test_seedCase(self) -> None:
        """
        Who does not know RTMP, and whose server never gets beyond connect, is told which number is wrong and where it
        stands, or after which byte the header is missing, and what to do.
        """
        names = ("connect-transaction-id", "reply-not-chunked")
        servers = self.enterContext(BrokenServers(names, self.directory / "servers.log"))
        options = ("--timeout", 1, "--client", "ffmpeg-publish", "--probe", "none")
        reports = [self.doctor(name, *options, servers.url(name)) for name in names]
        for report in reports:
            self.assertEqual(report.wait(), 1)
        transaction, chunks = (self.first(report.output) for report in reports)
        for words in (
            "1. connect-transaction-id: The answer to connect has another transaction ID than connect had",
            "connect was sent with transaction ID 1, and the _result that came has 0.",
            'C->S connect(1, {app: "live"',
            "S->C _result(0, {",
            "Byte 3136 of what the server has sent:",
            "73 75 6c 74[00]00 00",
            "FFmpeg: It ignores a _result whose transaction ID is not one that it has sent; it waits here for ever",
            "To mend it: Copy the transaction ID from the connect you answer",
        ):
            self.assertIn(words, transaction)
        for words in (
            "1. reply-not-chunked: A message that is longer than a chunk is written in one piece",
            "a message of 190 bytes in one piece, but its chunk size is still 128: behind byte 128 of the message a "
            "reader expects a chunk header",
            "Byte 3242 of what the server has sent:",
            "0b 64[65]73 63",
            "behind each 128 bytes of payload write the one byte 0xC0 + chunk stream ID",
        ):
            self.assertIn(words, chunks)
        for report in reports:
            self.assertNotIn(PATH, report.output)

    def test_exitStatus(self) -> None:
        """0: healthy; 1: not; 2: nobody is there. JSON says the same."""
        servers = self.enterContext(BrokenServers(["plain", "onstatus-ecma"], self.directory / "servers.log"))
        few = ("--json", "-q", "--timeout", 1, "--client", "ffmpeg-publish", "--probe", "empty")
        healthy = self.doctor("healthy", *few, servers.url("plain"))
        broken = self.doctor("broken", *few, servers.url("onstatus-ecma"))
        nobody = self.doctor("nobody", *few, freeURL())
        self.assertEqual([each.wait() for each in (healthy, broken, nobody)], [0, 1, 2])
        reports = [json.loads(each.output) for each in (healthy, broken)]
        self.assertEqual([report["healthy"] for report in reports], [True, False])
        found = [finding["cause"] for client in reports[1]["clients"] for finding in client["findings"]]
        self.assertEqual(found[0], "onstatus-ecma")
        self.assertIn("Connection was refused", nobody.output)


class TruthTests(DoctorTestCase):
    """What the doctor says of nginx and of FFmpeg, seen with real programs."""

    def test_nginxLeavesTheRefusedConnected(self) -> None:
        """Of three publishers of a name that is taken, two end at once, and librtmp waits."""
        relay = self.enterContext(Relay(self.directory, ""))
        url = f"rtmp://127.0.0.1:{relay.port}/{PATH}"
        endless = ffmpegPublish(ffmpeg5(), source(), url, before=("-stream_loop", "-1"))
        self.enterContext(Process(endless, self.directory / "first.log"))
        waitFor("the name to be taken", lambda: "publish: name='test'" in relay.output)
        commands = {
            "ffmpeg": ffmpegPublish(ffmpeg9(), source(), url),
            **{name: gstPublish(name, source(), self.directory / name, url) for name in ("rtmp2sink", "rtmpsink")},
        }
        second = {
            name: self.enterContext(Process(command, self.directory / f"{name}.log"))
            for name, command in commands.items()
        }
        self.addCleanup(second["rtmpsink"].kill)
        for name in ("ffmpeg", "rtmp2sink"):
            self.assertNotEqual(second[name].wait(), 0)
        waitFor("the third to ask", lambda: relay.output.count("publish: name='test'") == 4)
        time.sleep(2.0)
        self.assertIsNone(second["rtmpsink"].status)

    def test_nginxClosesAtTimeCodes(self) -> None:
        """FFmpeg publishes a track of time codes, and is disconnected."""
        relay = self.enterContext(Relay(self.directory, f"record all; record_path {self.directory};"))
        film = FILMS["timecode"]()
        counts: list[int] = []
        for name, tracks in (("without", ("-map", "0:v", "-map", "0:a")), ("with", ("-map", "0"))):
            command = ffmpegPublish(
                ffmpeg5(), film, f"rtmp://127.0.0.1:{relay.port}/live/{name}", *tracks, realTime=False
            )
            with Process(command, self.directory / f"{name}.log") as publisher:
                publisher.succeed()
            waitFor("nginx to be done", lambda: relay.output.count(" disconnect, ") > len(counts))
            counts.append(sum(tag.type in (8, 9) for tag in readFLV(self.directory / f"{name}.flv")))
        self.assertLess(counts[1], counts[0] / 2)

    def test_ffmpegLosesTheTail(self) -> None:
        """FFmpeg as a server acknowledges every MiB, which a fast publisher does not read."""
        lost = {}
        for sink in ("rtmpsink", "rtmp2sink"):
            url, received, sent = freeURL(), self.directory / f"{sink}.flv", self.directory / f"{sink}.sent"
            log = self.directory / f"{sink}-server.log"
            with FFmpegListening(listenAndReceive(ffmpeg9(), url, received), url, log) as server:
                command = gstPublish(sink, FILMS["heavy"](), sent, url, realTime=False)
                with Process(command, self.directory / f"{sink}.log") as publisher:
                    publisher.succeed()
                server.wait()
            lost[sink] = len(readFLV(sent)) - len(readFLV(received))
        print(f"lost: {lost}")
        self.assertGreater(max(lost.values()), 10)
