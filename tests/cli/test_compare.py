"""
Tests for L{rtmptw.cli.compare}: what is compared, what is told of it, and what must not be told.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.python.usage import UsageError

from rtmptw import testing
from rtmptw.cli import FAILED, OK, WRONG_USAGE, compare
from rtmptw.cli.compare import CompareOptions
from tests.cli.commandcase import CommandTestCase
from tests.cli.test_doctor import Reactor
from tests.doctor.network import Network

CAPTURES = Path(__file__).parents[1] / "captures"
FIVE, NINE = (str(CAPTURES / f"ffmpeg{version}-publish.c2s.bin") for version in (5, 9))
URL = "rtmp://127.0.0.1:19350/live/sesame-open?token=let-me-in"


class OptionTests(CommandTestCase):
    def test_wrong(self) -> None:
        rows: list[tuple[tuple[str, ...], str]] = [
            (("one",), "compare needs two"),
            ((URL, "rtmp://"), "rtmp://"),
            ((URL, "rtmp://host/"), "the URL names no stream"),
            ((URL, "x", "--client", "nobody"), "--client nobody: there is none"),
            ((URL, "x", "--timeout", "0"), "--timeout 0: "),
            (("rtmps://host/live/x", "x", "--ca", "/nowhere"), "--ca "),
        ]
        for arguments, words in rows:
            with self.assertRaises(UsageError) as caught:
                CompareOptions().parseOptions(arguments)
            self.assertIn(words, str(caught.exception), arguments)


class RunTests(CommandTestCase):
    def compare(self, networks: list[Network], *arguments: str, seconds: float = 60.0) -> int | None:
        """
        Compare; the networks are those of the URLs, in order.

        @return: the exit status; L{None} if it is not over.
        """
        waiting = list(networks)

        def endpointOf(url: object, reactor: object, tls: object) -> Any:
            network = waiting.pop(0)

            class Endpoint:
                def connect(self, factory: object) -> Any:
                    return network.connect()

            return Endpoint()

        self.patch(testing, "endpointOf", endpointOf)
        self.patch(testing, "IReactorTime", lambda reactor: reactor)
        self.patch(compare, "IReactorCore", lambda reactor: reactor)
        options = CompareOptions()
        options.parseOptions(arguments)
        # All networks have one clock.
        for network in networks[1:]:
            network.clock = networks[0].clock
        self.machine = Reactor(networks[0] if networks else Network())
        self.status: list[int] = []
        Deferred.fromCoroutine(compare.run(self.machine, options)).addBoth(self._ended)
        for _ in range(int(seconds)):
            if not self.status and networks:
                networks[0].advance(1.0)
        return self.status[0] if self.status else None

    def _ended(self, result: object) -> None:
        if isinstance(result, Failure):
            result.trap(SystemExit)
        self.status.append(result.value.code if isinstance(result, Failure) else OK)

    def test_traces(self) -> None:
        """Two captures of FFmpeg that differ in nothing that matters; as JSON; and a file that is none."""
        self.assertEqual(self.compare([], FIVE, NINE), OK)
        self.assertIn("There is no difference that matters.", self.out.getvalue())
        self.out.truncate(0)
        self.out.seek(0)
        self.assertEqual(self.compare([], "--json", FIVE, NINE), OK)
        self.assertIsNone(json.loads(self.out.getvalue())["first"])
        self.assertEqual(self.compare([], FIVE, self.place()), WRONG_USAGE)
        self.assertIn("rtmptw compare: ", self.err.getvalue())

    def test_servers(self) -> None:
        """The first difference is the one that stops the client; and a player is given something to play."""
        networks = [Network(), Network("connect-transaction-id")]
        self.assertEqual(self.compare(networks, URL, URL), FAILED)
        self.assertIn("_result.transactionId: 1 (number, connect's) | 0", self.out.getvalue())
        self.out.truncate(0)
        self.out.seek(0)
        networks = [Network(), Network()]
        self.assertEqual(self.compare(networks, "--client", "ffmpeg-play", URL, URL), OK)
        self.assertIn("it plays", self.out.getvalue())

    def test_secrets(self) -> None:
        """They are not in the labels either, not even when no client has come as far as to say them."""
        nobody = Network()
        nobody.server = None
        self.assertEqual(self.compare([nobody], URL, FIVE), WRONG_USAGE)
        self.compare([Network("s2-waits-for-c2"), Network()], "--all", URL, URL)
        self.assertIn("live/", self.out.getvalue())
        for secret in ("sesame-open", "let-me-in"):
            self.assertNotIn(secret, self.out.getvalue() + self.err.getvalue())
        self.compare([Network()], "--show-secrets", URL, FIVE)
        self.assertIn("sesame-open", self.out.getvalue())

    def test_interrupted(self) -> None:
        """That is no "no difference"."""
        self.assertIsNone(self.compare([Network("s2-waits-for-c2")], "--timeout", "100", URL, FIVE, seconds=2))
        self.machine.interrupt()
        self.assertEqual(self.status, [WRONG_USAGE])
        self.assertEqual(self.err.getvalue(), "rtmptw compare: interrupted\n")
