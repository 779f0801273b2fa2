"""
C{rtmptw compare} as its user runs it: where a server that works and one that does not differ, seen on living servers,
and in what C{rtmptw trace} has saved of FFmpeg's visits.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any
from unittest import TestCase

from tests.brokenservers.child import PATH, BrokenServers
from tests.interop.processes import Process, waitFor
from tests.interop.programs import ffmpeg9
from tests.interop.publishers import ffmpegPublish
from tests.interop.relay import Relay
from tests.interop.server import Server
from tests.interop.sources import source
from tests.interop.test_cli import ENVIRONMENT, rtmptw
from tests.interop.test_trace import Tracer

#: By the cause, where the first difference from the sound server is: whose words, which field, and what the two say.
FIRST = {
    "connect-transaction-id": ("the answer to connect", "_result.transactionId", "1 number", "0 number"),
    "createstream-undefined": ("the answer to createStream", "_result[0]", " null", " undefined"),
    "onstatus-ecma": ("onStatus NetStream.Publish.Start", "onStatus[1]", " object", " ECMA array"),
}

#: What counts.
GRAVE = {"stops", "loses"}


def text(field: dict[str, Any]) -> str:
    """A field in short."""
    return f"{field['text']} {field['type']}"


class CompareTestCase(TestCase):
    def setUp(self) -> None:
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="rtmptw-compare-")))

    def compare(self, name: str, a: object, b: object, *options: str) -> Process:
        """Begin to compare."""
        command = rtmptw("compare", *options, a, b)
        return self.enterContext(Process(command, self.directory / f"{name}.txt", ENVIRONMENT))

    def brokenServers(self) -> BrokenServers:
        """A sound server, and those that are told from it."""
        return self.enterContext(BrokenServers(["plain", *FIRST], self.directory / "servers.log"))

    def assertTold(self, cause: str, comparison: Process) -> None:
        """The first difference is the mistake, by its name."""
        self.assertEqual(comparison.wait(), 1, comparison)
        told = json.loads(comparison.output)
        first = told["differences"][told["first"]]
        what, name, one, other = FIRST[cause]
        self.assertEqual((first["side"], first["what"]), ("server", what))
        (field,) = (field for field in first["fields"] if field["weight"] != "little")
        self.assertEqual((field["name"], text(field["a"]), text(field["b"])), (name, one, other))
        self.assertEqual([(wrong["in"], wrong["cause"]) for wrong in first["violations"]], [("B", cause)])
        self.assertEqual(first["violations"][0]["offset"], field["b"]["offset"])

    def assertAlike(self, comparison: Process) -> None:
        """No difference is one that anybody stops at, or loses something by."""
        self.assertIn(comparison.wait(), (0, 1), comparison)
        told = json.loads(comparison.output)
        self.assertEqual([each for each in told["differences"] if each["weight"] in GRAVE], [])
        self.assertTrue(told["sameClient"])
        sent = {each["what"]: each for each in told["totals"] if each["side"] == "client"}
        for kind in ("audio", "video"):
            self.assertGreater(sent[kind]["a"]["count"], 20)
            self.assertEqual(sent[kind]["a"], sent[kind]["b"])


class LivingTests(CompareTestCase):
    """Two servers, visited by the same client."""

    def test_itself(self) -> None:
        """A server does not differ from itself, whoever comes."""
        url = self.brokenServers().url("plain", "live/{}")
        clients = ("ffmpeg-publish", "obs-publish", "ffmpeg-play", "gstreamer-play")
        comparisons = [
            self.compare(client, url.format(client), url.format(client), "--client", client) for client in clients
        ]
        for comparison in comparisons:
            self.assertEqual(comparison.wait(), 0, comparison)
            self.assertIn("There is no difference that matters.\n", comparison.output)
            self.assertNotIn("What matters little", comparison.output)

    def test_nginx(self) -> None:
        """nginx and our server tell a publisher the same, in all that matters."""
        relay, server = self.enterContext(Relay(self.directory, "")), self.enterContext(Server())
        self.assertAlike(self.compare("both", f"rtmp://127.0.0.1:{relay.port}/{PATH}", server.url(PATH), "--json"))

    def test_broken(self) -> None:
        """What is wrong is the first difference; for people, too, and without the stream's name."""
        servers = self.brokenServers()
        told = {
            cause: self.compare(cause, servers.url("plain", f"live/{cause}-0"), servers.url(cause), "--json")
            for cause in FIRST
        }
        shown = self.compare("shown", servers.url("plain", "live/sesame"), servers.url("onstatus-ecma", "live/sesame"))
        for cause, comparison in told.items():
            self.assertTold(cause, comparison)
        self.assertEqual(shown.wait(), 1)
        for words in (
            "The first difference that matters: the server: onStatus NetStream.Publish.Start: onStatus[1]: object | "
            "ECMA array\n",
            "In B: onstatus-ecma: The information in onStatus is not an AMF0 object\n",
        ):
            self.assertIn(words, shown.output)
        self.assertNotIn("sesame", shown.output)

    def test_nobodyThere(self) -> None:
        """Nothing to compare with."""
        comparison = self.compare("nobody", self.directory, self.directory / "nothing")
        self.assertEqual(comparison.wait(), 2)
        self.assertIn("rtmptw compare: ", comparison.output)


class SavedTests(CompareTestCase):
    """What was saved of FFmpeg's visits."""

    def visit(self, name: str, url: str) -> tuple[Tracer, Process]:
        """FFmpeg publishes through a tracer that saves everything."""
        directory = self.directory / name
        directory.mkdir()
        tracer = self.enterContext(
            Tracer(directory, url.removesuffix(f"/{PATH}"), "--once", "--save", directory / "saved")
        )
        command = ffmpegPublish(ffmpeg9(), source(), tracer.url(PATH), realTime=False)
        publisher = self.enterContext(Process(command, directory / "ffmpeg.log"))
        self.addCleanup(publisher.kill)
        return tracer, publisher

    def killAt(self, words: str, tracer: Tracer, publisher: Process) -> None:
        """End a publisher that waits for something else than what has come."""
        waitFor(f"{words!r} in the trace", lambda: words in tracer.text)
        publisher.kill()

    def saved(self, name: str) -> Path:
        """What the tracer has saved."""
        return self.directory / name / "saved" / "1"

    def test_nginx(self) -> None:
        """nginx and our server again."""
        relay, server = self.enterContext(Relay(self.directory, "")), self.enterContext(Server())
        visits = [self.visit("nginx", f"rtmp://127.0.0.1:{relay.port}"), self.visit("ours", server.url(PATH))]
        for tracer, publisher in visits:
            publisher.succeed()
            tracer.process.succeed()
        self.assertAlike(self.compare("both", self.saved("nginx"), self.saved("ours"), "--json"))

    def test_broken(self) -> None:
        """FFmpeg gets no further than each of them, or, where it does, has lost all: the trace tells where it began."""
        servers = self.brokenServers()
        visits = {name: self.visit(name, servers.url(name)) for name in ("plain", *FIRST)}
        for name in ("plain", "createstream-undefined"):
            visits[name][1].succeed()
        self.killAt("S->C  _result(", *visits["connect-transaction-id"])
        self.killAt("S->C  onStatus(", *visits["onstatus-ecma"])
        for tracer, _ in visits.values():
            tracer.process.succeed()
        told = {cause: self.compare(cause, self.saved("plain"), self.saved(cause), "--json") for cause in FIRST}
        for cause, comparison in told.items():
            self.assertTold(cause, comparison)
        live = self.compare("live", self.saved("plain"), servers.url("connect-transaction-id", "live/other"), "--json")
        self.assertTold("connect-transaction-id", live)
