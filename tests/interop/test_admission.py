"""
Floods: who gets in, and what those who are in notice of it (hostile rows A1, A7, A8, A9, F15, F17).
"""

from __future__ import annotations

import json
import os
import re
import resource
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from unittest import TestCase, skipUnless

from rtmptw.gate.admission import PART, SPARE
from rtmptw.wire.handshake import HANDSHAKE_SIZE
from tests.interop.compare import assertSameMedia, mediaOf, readFLV
from tests.interop.flood import Flood, address, connectFrom
from tests.interop.processes import PATIENCE, Process, alone, siege, waitFor
from tests.interop.programs import ffmpeg9
from tests.interop.publishers import ffmpegPublish
from tests.interop.server import ROOT, TWISTD, Server
from tests.interop.sources import remux, source
from tests.interop.watcher import Watcher
from tests.tls.authority import DAY, Authority

#: Seconds of a stream that goes on while there is a flood.
SECONDS = 8

#: How soon a newcomer has to be answered once a flood is over, seconds (F15); and while it goes on (A8).
RECOVERY = 1.0
ANSWERED = 5.0

#: How long it takes until publishers are back after a restart, seconds (F17).
BACK = 5.0

#: How late a frame may be in a flood, seconds (A8).
LATE = 1.0

#: A ClientHello that says how long it is, and is not all there.
HALF_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(16)


class LimitedServer(Server):
    """A server with few descriptors."""

    def __init__(self, descriptors: int = 0, *, endpoint: str = "tcp:0:interface=127.0.0.1") -> None:
        """
        @param descriptors: how many; 0 for as many as there are.
        """
        code = TWISTD[1]
        if descriptors:
            code = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({descriptors},) * 2); {code}"
        super().__init__(endpoint=endpoint, arguments=("-c", code, *TWISTD[2:], "rtmp"))

    @property
    def descriptors(self) -> int:
        """How many it has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    @property
    def resident(self) -> int:
        """Its memory, bytes."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * resource.getpagesize()

    @property
    def worked(self) -> float:
        """How long a processor has worked for it, seconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def lines(self, pattern: str) -> int:
        """How many lines of the log have it."""
        return sum(1 for line in self.log.splitlines() if re.search(pattern, line))


@contextmanager
def streaming(server: LimitedServer, path: str = "live/steady") -> Iterator[tuple[Process, Watcher]]:
    """A publisher that has begun, and a viewer."""
    with Watcher(server.url(path), server.directory / "watcher.log") as watcher:
        watcher.started()
        command = ffmpegPublish(ffmpeg9(), source("h264-aac", SECONDS), server.url(path))
        with Process(command, server.directory / "publisher.log") as publisher:
            waitFor("the stream", lambda: len(watcher.seen) > 10)
            yield publisher, watcher


def answered(port: int) -> float:
    """How long it takes a newcomer to be answered, seconds."""
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
            connection.sendall(b"\3" + bytes(HANDSHAKE_SIZE - 1))
            if connection.recv(1):
                return time.monotonic() - began
        time.sleep(0.01)
    return PATIENCE


def lateness(watcher: Watcher) -> float:
    """By how much the latest frame was later than most were, seconds. FFmpeg takes some time for the first ones."""
    delays = [seen.at - seen.timestamp / 1000 for seen in watcher.seen if seen.isFrame and seen.timestamp >= 500]
    return max(delays) - median(delays)


@skipUnless(sys.platform == "linux", "the loopback has but one address, and there is no /proc")
@siege
class FloodTests(TestCase):
    """Each of them with a stream that goes on meanwhile, and loses nothing."""

    def assertComplete(self, server: LimitedServer, publisher: Process, watcher: Watcher) -> None:
        """The stream ends, and the recording has all of it; and its viewer has seen each frame."""
        publisher.succeed()
        media = mediaOf(readFLV(server.recording("live/steady")))
        assertSameMedia(self, media, mediaOf(readFLV(remux(ffmpeg9(), source("h264-aac", SECONDS)))), "recorded")
        seen = waitFor("the viewer", lambda: watcher.ends and watcher.seen)
        media_ = [one for one in seen if one.type in (8, 9)]
        self.assertEqual(
            [(one.type, one.timestamp - media_[0].timestamp) for one in media_], [(type, at) for type, at, _ in media]
        )

    def test_A1_silentConnections(self) -> None:
        """Thousands that say nothing: the oldest go when there are too many of them, and one costs little memory."""
        with alone("measuring"), LimitedServer() as server, streaming(server) as (publisher, watcher):
            before, memory = server.descriptors, server.resident
            with Flood(server.port, 1000, 500, 3.0, server.directory / "flood.log") as flood:
                self.assertGreater(flood.over(), 1500)
                time.sleep(0.5)
                strangers = server.descriptors - before
                cost = (server.resident - memory) / strangers
                self.assertLess(answered(server.port), ANSWERED)
            self.assertLessEqual(strangers, 1024 + 16)
            self.assertGreater(strangers, 900)
            self.assertLess(cost, 24 * 1024)
            self.assertComplete(server, publisher, watcher)
            # More than 400 had to, and 20 in a second of them have a line.
            self.assertGreater(server.lines("had to go: too many such connections"), 20)

    def test_A7_halfHandshakes(self) -> None:
        """TLS that never gets anywhere: no more than 512 of them, and 16 from each address."""
        authority = Authority()
        own = authority.certify("127.0.0.1", notBefore=time.time() - DAY, notAfter=time.time() + DAY)
        endpoint = "ssl:0:interface=127.0.0.1:privateKey=%/own.pem"
        server = LimitedServer(endpoint=endpoint)
        (server.directory / "own.pem").write_bytes(own.keyPEM + own.pem)
        context = ssl.create_default_context(cadata=authority.pem.decode())
        with alone("measuring"), server:
            before = server.descriptors
            with Flood(server.port, 500, 100, 2.5, server.directory / "flood.log", HALF_HELLO) as flood:
                self.assertGreater(flood.over(), 700)
                time.sleep(0.5)
                self.assertLessEqual(server.descriptors - before, 512 + 16)
                self.assertGreater(server.descriptors - before, 400)
                began = time.monotonic()
                with (
                    socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection,
                    context.wrap_socket(connection, server_hostname="127.0.0.1") as client,
                ):
                    client.sendall(b"\3" + bytes(HANDSHAKE_SIZE - 1))
                    self.assertEqual(client.recv(1), b"\3")
                self.assertLess(time.monotonic() - began, ANSWERED)
            self.assertGreater(server.lines("had to go: too many such connections over TLS"), 10)

    def test_A8_oneAddress(self) -> None:
        """5,000 in a second from one address: frames are in time, others get in, and the log has few lines of it."""
        with alone("measuring"), LimitedServer() as server, streaming(server) as (publisher, watcher):
            with Flood(server.port, 5000, 1, 3.0, server.directory / "flood.log") as flood:
                time.sleep(1)
                self.assertLess(answered(server.port), ANSWERED)
                self.assertGreater(flood.over(), 5000)
            self.assertLess(lateness(watcher), LATE)
            self.assertComplete(server, publisher, watcher)
            self.assertEqual(server.lines(f"{address(0)}: refused"), 1)
            self.assertLess(server.lines(address(0)), 200)

    def test_A8_manyAddresses(self) -> None:
        """The same from a thousand: each gets in now and then, and nobody who publishes or plays is any the worse."""
        with alone("measuring"), LimitedServer() as server, streaming(server) as (publisher, watcher):
            with Flood(server.port, 5000, 1000, 3.0, server.directory / "flood.log") as flood:
                time.sleep(1)
                self.assertLess(answered(server.port), ANSWERED)
                flood.over()
            self.assertLess(lateness(watcher), LATE)
            self.assertComplete(server, publisher, watcher)
            # Some hundred of them get in each second, and have their line when they go.
            self.assertLess(len(server.log.splitlines()), 6000)

    def test_A9_PROXYLine(self) -> None:
        """Where no C{haproxy:} is asked for, the header of a proxy is nonsense, and nobody is who it says."""
        headers = (
            b"PROXY TCP4 198.51.100.9 192.0.2.1 56324 1935\r\n",
            b"PROXY UNKNOWN\r\n",
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc6\x33\x64\x09\xc0\0\2\1\xdc\x04\x07\x8f",
        )
        with LimitedServer() as server:
            for header in headers:
                with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
                    connection.sendall(header + b"\3" + bytes(HANDSHAKE_SIZE - 1))
                    # It may be reset, because of what comes behind.
                    with suppress(ConnectionResetError):
                        self.assertEqual(connection.recv(1), b"")
            server.waitForLog(r"127\.0\.0\.1:\d+: closed: protocol error", len(headers))
            self.assertNotIn("198.51.100.9", server.log)

    def test_F15_default(self) -> None:
        """
        By default connections can't use up the descriptors: in a flood recordings are begun, certificates read, and
        newcomers answered.
        """
        descriptors = 256
        with alone("measuring"), LimitedServer(descriptors) as server, streaming(server) as (publisher, watcher):
            flood = [connectFrom(number % 100, server.port) for number in range(3 * descriptors)]
            try:
                waitFor("all to be taken", lambda: "(connections)" in server.log)
                time.sleep(0.5)
                self.assertLessEqual(server.descriptors, descriptors - SPARE)
                self.assertGreater(server.descriptors, int(descriptors * PART) - SPARE)
                self.assertLess(answered(server.port), RECOVERY)
                command = ffmpegPublish(ffmpeg9(), source(), server.url("live/another"), realTime=False)
                with Process(command, server.directory / "another.log") as another:
                    another.succeed()
                expected = mediaOf(readFLV(remux(ffmpeg9(), source())))
                assertSameMedia(self, mediaOf(readFLV(server.recording("live/another"))), expected, "another")
            finally:
                for connection in flood:
                    connection.close()
            self.assertComplete(server, publisher, watcher)
            self.assertNotIn("EMFILE", server.log)

    def test_F15_certificates(self) -> None:
        """A new certificate is read with all connections taken."""
        authority = Authority()
        server = LimitedServer(256, endpoint="ssl:0:interface=127.0.0.1:privateKey=%/own.pem")

        def certify() -> int:
            own = authority.certify("127.0.0.1", notBefore=time.time() - DAY, notAfter=time.time() + DAY)
            (server.directory / "new.pem").write_bytes(own.keyPEM + own.pem)
            os.replace(server.directory / "new.pem", server.directory / "own.pem")
            return own.serial

        def shown() -> int:
            with (
                socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection,
                context.wrap_socket(connection, server_hostname="127.0.0.1") as client,
            ):
                certificate = client.getpeercert()
            assert certificate is not None
            return int(str(certificate["serialNumber"]), 16)

        first = certify()
        context = ssl.create_default_context(cadata=authority.pem.decode())
        with server:
            flood = [connectFrom(number % 100, server.port) for number in range(400)]
            try:
                waitFor("all to be taken", lambda: "(connections)" in server.log)
                self.assertEqual(shown(), first)
                second = certify()
                waitFor("the new certificate", lambda: shown() == second, 9)
            finally:
                for connection in flood:
                    connection.close()

    def test_F15_EMFILE(self) -> None:
        """
        And if they run out all the same, because somebody takes them away: the streams that there are lose nothing, and
        as soon as some are free, all is well.
        """
        with alone("measuring"), LimitedServer() as server, streaming(server) as (publisher, watcher):
            limit = server.descriptors + 40
            resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (limit, limit))
            flood = [connectFrom(number % 50, server.port) for number in range(200)]
            try:
                waitFor("the descriptors to run out", lambda: "EMFILE encountered" in server.log)
                time.sleep(2)
                # The last one is Twisted's, to close with it whom there is none for.
                self.assertGreaterEqual(server.descriptors, limit - 1)
            finally:
                for connection in flood:
                    connection.close()
            self.assertLess(answered(server.port), RECOVERY)
            self.assertComplete(server, publisher, watcher)


@skipUnless(sys.platform == "linux", "the loopback has but one address")
@siege
class RestartTests(TestCase):
    def test_F17_everybodyAtOnce(self) -> None:
        """2,000 come back at once, as after a restart, each from its own address: publishers are soon back."""
        with alone("measuring"), LimitedServer() as server:
            results, before = server.directory / "results.json", server.worked
            environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
            command = [sys.executable, "-m", "tests.interop.comeback", str(server.port), "40", "1960", str(results)]
            with Process(command, server.directory / "comeback.log", environment) as comeback:
                comeback.succeed()
            found = json.loads(results.read_text())
            worked = server.worked - before
            self.assertEqual([len(found[kind]) for kind in ("publishers", "players")], [40, 1960])
            # How long that is depends on what else the machine does, and most of it is the clients' own work.
            self.assertLess(worked, BACK / 2)
            self.assertLess(max(found["publishers"]), 4 * BACK)
