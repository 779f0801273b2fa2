"""
Tests for L{rtmptw.cli.doctor}: its options, what it prints, its exit status, and what it must not tell.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.python.usage import UsageError

from rtmptw import testing
from rtmptw.cli import FAILED, OK, WRONG_USAGE, doctor
from rtmptw.cli.doctor import DoctorOptions
from rtmptw.testing import DIALECTS, PROBES
from tests.brokenservers.plain import PlainServer
from tests.cli.commandcase import CommandTestCase
from tests.doctor.network import Network
from tests.doctor.servers import RefusesPlayers

PLACE = "rtmp://127.0.0.1:19350/live"
URL = f"{PLACE}/sesame-open"

#: Enough for most tests: one client, and no probe.
ONE = ("--client", "ffmpeg-publish", "--probe", "none")


class Reactor:
    """The time of a network, and the end of a program."""

    def __init__(self, network: Network) -> None:
        self.seconds = network.clock.seconds
        self.callLater = network.clock.callLater
        self.getDelayedCalls = network.clock.getDelayedCalls
        self.interrupt: Callable[[], object] = lambda: None

    def addSystemEventTrigger(self, phase: str, event: str, call: Callable[[], object]) -> None:
        assert (phase, event) == ("before", "shutdown")
        self.interrupt = call


class OptionTests(CommandTestCase):
    def options(self, *arguments: str) -> DoctorOptions:
        options = DoctorOptions()
        options.parseOptions([*arguments, URL])
        return options

    def test_default(self) -> None:
        options = self.options()
        self.assertEqual(options["url"].name, "sesame-open")
        self.assertEqual([each.name for each in options.dialects], list(DIALECTS))
        self.assertEqual([each.name for each in options.probes], list(PROBES))
        self.assertEqual(options.readNumber("timeout", 0.1), 5.0)
        for flag in ("json", "quiet", "no-play", "show-secrets", "insecure"):
            self.assertFalse(options[flag])
        self.assertIsNone(options["play-url"])

    def test_chosen(self) -> None:
        """In the usual order, whatever the order of the options; those that play not, if nobody is to play."""
        options = self.options("--client", "srs-publish", "--client", "ffmpeg-publish", "--probe", "none")
        self.assertEqual([each.name for each in options.dialects], ["ffmpeg-publish", "srs-publish"])
        self.assertEqual(options.probes, [])
        options = self.options("--client=none", "--probe=tail", "--probe=again")
        self.assertEqual(options.dialects, [])
        self.assertEqual([each.name for each in options.probes], ["tail", "again"])
        publishers = [each.name for each in self.options("--no-play").dialects]
        self.assertEqual(publishers, [name for name, each in DIALECTS.items() if each.publishes])

    def test_values(self) -> None:
        options = self.options("--app=a", "--name=b", "--timeout=2", "--play-url", "rtmp://other/c/d", "-q", "--json")
        self.assertEqual((options["url"].app, options["url"].name), ("a", "b"))
        self.assertEqual(str(options["play-url"]), "rtmp://other/c/d")
        self.assertTrue(options["quiet"] and options["json"])

    def test_mistakes(self) -> None:
        """Each is told with its option; no secret is shown."""
        rows: list[tuple[tuple[str, ...], str]] = [
            ((), "doctor needs one URL"),
            ((URL, URL), "doctor needs one URL"),
            (("rtmp://host",), "the URL names no stream"),
            (("http://host/live/sesame",), "http"),
            (("rtmp://me:sesame@host/live/x",), "a user and a password in the URL"),
            ((URL, "--play-url", "rtmp://host"), "--play-url: the URL names no stream"),
            ((URL, "--play-url", "x"), "--play-url: "),
            ((URL, "--play-url", URL, "--no-play"), "--no-play and --play-url: only one of them"),
            ((URL, "--timeout", "0"), "--timeout 0: it must be a number, and at least 0.1"),
            ((URL, "--timeout", "soon"), "--timeout soon"),
            ((URL, "--client", "nobody"), "--client nobody: there is none; --list lists them"),
            ((URL, "--probe", "nothing"), "--probe nothing: there is none; --list lists them"),
            ((URL, "--client", "none", "--probe", "none"), "nothing is left to be examined"),
            ((URL, "--client", "ffmpeg-play", "--probe", "none", "--no-play"), "nothing is left to be examined"),
            (("rtmps://host/live/x", "--ca", "/nowhere"), "--ca "),
            ((URL, "--nonsense"), "nonsense"),
        ]
        for arguments, words in rows:
            with self.assertRaises(UsageError) as caught:
                DoctorOptions().parseOptions(arguments)
            self.assertIn(words, str(caught.exception), arguments)
            self.assertNotIn("sesame", str(caught.exception))

    def test_list(self) -> None:
        with self.assertRaises(SystemExit) as caught:
            DoctorOptions().parseOptions(["--list"])
        self.assertEqual(caught.exception.code, OK)
        for name, each in DIALECTS.items():
            self.assertIn(f"  {name:<20}{each.program}\n", self.out.getvalue())
        for name, probe in PROBES.items():
            self.assertIn(f"  {name:<20}{probe.question}\n", self.out.getvalue())


class DoctorTestCase(CommandTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.asked: list[tuple[Any, Any]] = []
        self.patch(doctor, "IReactorCore", lambda reactor: reactor)
        self.patch(testing, "IReactorTime", lambda reactor: reactor)

    def doctor(self, server: type[PlainServer] | str, *arguments: str, network: Network | None = None) -> int:
        """
        Examine a server.

        @return: the exit status.
        """
        network = Network(server) if network is None else network
        status: list[Any] = []
        self.begin(network, *arguments).addBoth(status.append)
        while not status:
            network.advance(1.0)
            self.assertLess(network.clock.seconds(), 1000)
        [result] = status
        self.assertEqual([each for each in network.contacts if not each.closed], [])
        return self.status(result)

    def status(self, result: Any) -> int:
        """The exit status of what a command has come to."""
        if result is None:
            return OK
        assert isinstance(result, Failure)
        result.trap(SystemExit)
        code: int = result.value.code
        return code

    def begin(self, network: Network, *arguments: str) -> Deferred[None]:
        """The same, without waiting for it."""

        def endpointOf(url: object, reactor: object, tls: object) -> Any:
            self.asked.append((url, tls))

            class Endpoint:
                def connect(self, factory: object) -> Any:
                    return network.connect()

            return Endpoint()

        self.patch(testing, "endpointOf", endpointOf)
        options = DoctorOptions()
        options.parseOptions(arguments if any("rtmp" in each for each in arguments) else [*arguments, URL])
        self.machine = Reactor(network)
        return Deferred.fromCoroutine(doctor.run(self.machine, options))


class RunTests(DoctorTestCase):
    def test_healthy(self) -> None:
        self.assertEqual(self.doctor(PlainServer, *ONE), OK)
        self.assertTrue(self.out.getvalue().startswith(f"{PLACE}: no findings, no pieces of advice\n"))
        self.assertEqual(self.err.getvalue(), "ffmpeg-publish ...\n")

    def test_advice(self) -> None:
        """That is no reason to fail."""
        self.assertEqual(self.doctor("end-without-streameof", "--client=gstreamer-play", "--probe=none"), OK)
        self.assertIn("no findings, 1 piece of advice", self.out.getvalue())

    def test_findings(self) -> None:
        self.assertEqual(self.doctor("connect-transaction-id", *ONE, "--quiet"), FAILED)
        self.assertIn("connect was sent with transaction ID 1, and the _result that came has 0", self.out.getvalue())
        self.assertEqual(self.err.getvalue(), "")

    def test_untested(self) -> None:
        """What could not be tested is not healthy."""
        self.assertEqual(self.doctor(RefusesPlayers, *ONE), WRONG_USAGE)
        self.assertIn("Not tested:\n   media: nobody can play here", self.out.getvalue())
        self.assertEqual(self.doctor(RefusesPlayers, *ONE, "--no-play"), OK)

    def test_unreachable(self) -> None:
        network = Network()
        network.server = None
        self.assertEqual(self.doctor(PlainServer, *ONE, "--timeout=1", network=network), WRONG_USAGE)
        self.assertEqual(self.out.getvalue(), "")
        self.assertIn("rtmptw doctor: 127.0.0.1, port 19350: Connection was refused", self.err.getvalue())

    def test_json(self) -> None:
        self.assertEqual(self.doctor("connect-transaction-id", *ONE, "--json"), FAILED)
        report = json.loads(self.out.getvalue())
        self.assertEqual((report["server"], report["healthy"]), (PLACE, False))
        self.assertEqual(report["clients"][0]["findings"][0]["cause"], "connect-transaction-id")
        self.assertNotIn("sesame", self.out.getvalue())

    def test_playURL(self) -> None:
        """Players go there, publishers do not."""
        network = Network()
        arguments = (
            URL,
            "--play-url",
            "rtmp://127.0.0.1/watch/it",
            "--client=ffmpeg-play",
            "--probe=none",
            "--timeout=1",
        )
        self.assertEqual(self.doctor(PlainServer, *arguments, network=network), FAILED)
        assert network.server is not None
        self.assertEqual({each.app for each in network.server.connections}, {"live", "watch"})

    def test_tls(self) -> None:
        """How to check the server is said to whoever connects."""
        self.begin(Network(), *ONE, "rtmps://127.0.0.1/live/x", "--insecure").addErrback(lambda failure: None)
        [(url, tls)] = self.asked
        self.assertTrue(url.secure)
        self.assertIsNotNone(tls)

    def test_interrupted(self) -> None:
        """Everybody leaves at once; what is known is told; and it is not healthy."""
        rows: list[tuple[type[PlainServer] | str, float, int, str]] = [
            (PlainServer, 2.0, WRONG_USAGE, "no findings"),
            ("connect-transaction-id", 5.0, FAILED, "1 finding"),
            (PlainServer, 0.0, WRONG_USAGE, "no findings"),
        ]
        for server, seconds, expected, words in rows:
            self.out.truncate(0)
            self.out.seek(0)
            network = Network(server)
            done: list[Any] = []
            self.begin(network).addBoth(done.append)
            network.advance(seconds)
            self.assertEqual(done, [])
            self.machine.interrupt()
            self.assertEqual([each for each in network.contacts if not each.closed], [])
            [result] = done
            self.assertEqual(self.status(result), expected)
            self.assertIn(words, self.out.getvalue())
            self.assertIn("everything else: it was interrupted", self.out.getvalue())
            self.assertIn("rtmptw doctor: interrupted\n", self.err.getvalue())
            network.advance(3.0)
            self.assertEqual(network.clock.getDelayedCalls(), [])
        self.machine.interrupt()

    def test_interruptedTooLate(self) -> None:
        """When it is over, that does no harm."""
        self.assertEqual(self.doctor(PlainServer, *ONE), OK)
        self.machine.interrupt()

    def test_nobodyReads(self) -> None:
        """Who has read enough has read enough."""

        class Closed:
            def write(self, text: str) -> None:
                raise BrokenPipeError

            def fileno(self) -> int:
                raise OSError

        self.patch(sys, "stdout", Closed())
        self.assertEqual(self.doctor("connect-transaction-id", *ONE), FAILED)


class SecretTests(DoctorTestCase):
    URLS = (
        URL,
        f"{URL}?token=zauber",
        f"{URL}?token=zau/ber",
        f"{PLACE}/instance/sesame-open",
        f"{PLACE}?auth=zauber/sesame-open",
    )

    def test_hidden(self) -> None:
        """Neither the name nor its query stands in a report, whatever the server says."""
        clients = ("--client=ffmpeg-publish", "--client=librtmp-publish", "--client=flash-publish", "--probe=busy")
        for url in self.URLS:
            for server in ("connect-transaction-id", "error-without-close", "closes-on-extra-argument"):
                for form in ((), ("--json",)):
                    self.out.truncate(0)
                    self.out.seek(0)
                    self.assertEqual(self.doctor(server, url, *clients, *form), FAILED)
                    for secret in ("sesame", "-open", "zau"):
                        self.assertNotIn(secret, self.out.getvalue(), (url, server, form))

    def test_playURL(self) -> None:
        """Nor that of the other URL."""
        play = "rtmp://127.0.0.1/live/sesame-other?token=zauber"
        self.doctor("connect-transaction-id", URL, "--play-url", play, "--client=ffmpeg-play", "--probe=none")
        self.assertNotIn("sesame", self.out.getvalue())
        self.assertNotIn("zauber", self.out.getvalue())

    def test_shown(self) -> None:
        """Unless that is wanted."""
        for form in ((), ("--json",)):
            self.doctor("onstatus-ecma", *ONE, "--show-secrets", *form)
            self.assertIn("sesame-open", self.out.getvalue())
