# -*- test-case-name: tests.cli.test_trace -*-
"""
Tests for L{rtmptw.cli.trace}: options, files of every kind, and exit statuses.
"""

from __future__ import annotations

import gzip
import json
import os
import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twisted.internet.endpoints import HostnameEndpoint

import tests
from rtmptw.capture.capturefile import CapturedConnection, CaptureError
from rtmptw.capture.saved import SavedTraceWriter
from rtmptw.cli import FAILED, OK, WRONG_USAGE
from rtmptw.cli import trace as command
from rtmptw.cli.trace import TraceOptions, originOf
from rtmptw.show.line import LineOptions
from rtmptw.show.printer import Form, Printer
from rtmptw.show.secrets import Secrets
from rtmptw.trace.segment import Segment, Side
from rtmptw.url import RTMPURL
from tests.cli.commandcase import CommandTestCase

CAPTURES = Path(tests.__file__).parent / "captures"
PUBLISH = str(CAPTURES / "ffmpeg5-publish")

#: A client that speaks HTTP.
HTTP = b"GET / HTTP/1.1\r\n\r\n"


class UsageTests(CommandTestCase):
    def test_help(self) -> None:
        """Every option, and what becomes of tcUrl."""
        self.assertEqual(self.main("trace", "--help"), OK)
        text = self.out.getvalue()
        for option in (
            *("-l, --listen=", "-r, --read=", "-s, --save=", "-x, --hex", "-c, --chunks", "--json", "--show-secrets"),
            *("-q, --quiet", "--insecure", "--ca=", "--once", "--side="),
        ):
            self.assertIn(option, text)
        self.assertIn("tcUrl", text)
        self.assertIn("exit status is 1", " ".join(text.split()))

    def test_mistakes(self) -> None:
        file = self.file()
        saved = self.place()
        SavedTraceWriter(os.path.join(saved, "1"), "", datetime.now(UTC)).close()
        url = "rtmp://me:secret@host"
        rows: list[tuple[tuple[str, ...], str]] = [
            ((), "either --listen PORT and a URL, or --read PATH"),
            (("--listen", "1936", "--read", "x", url), "either --listen"),
            (("--listen", "1936"), "--listen needs a URL"),
            (("--listen", "1936", url, url), "trace needs one URL"),
            (("--listen", "1936", "http://host"), "http"),
            (("--listen", "1936", url, "--side=client"), "--side goes with --read"),
            (("--listen", "1936", url, "--save", file), "it is not a directory"),
            (("--listen", "1936", url, "--save", saved), "there are saved traces in it already"),
            (("--listen", "1936", "rtmps://host", "--ca", "/nowhere.pem"), "--ca /nowhere.pem"),
            (("--read", "x", url), "--read goes without a URL"),
            (("--read", "x", "--save", "y"), "--read goes without --save"),
            (("--read", "x", "--once"), "--read goes without --once"),
            (("--read", "x", "--side=both"), "--side both: it is client or server"),
        ]
        for arguments, words in rows:
            self.err.truncate(0)
            self.err.seek(0)
            self.assertEqual(self.main("trace", *arguments), WRONG_USAGE, arguments)
            self.assertIn(words, self.err.getvalue())
            self.assertNotIn("secret", self.err.getvalue())

    def test_badListen(self) -> None:
        """Only when it is tried."""
        for text, words in (
            ("65536", "no port number is larger than 65535"),
            ("teleport:5", "teleport"),
            ("ssl:443:privateKey=/nowhere.pem", "/nowhere.pem"),
        ):
            done = self.main("trace", "--listen", text, "rtmp://host")
            self.assertEqual(self.failureResultOf(done, SystemExit).value.code, WRONG_USAGE)
            self.assertIn(f"--listen {text}: ", self.err.getvalue())
            self.assertIn(words, self.err.getvalue())

    def options(self, *arguments: str) -> TraceOptions:
        options = TraceOptions()
        options.parseOptions(arguments)
        return options

    def test_endpoint(self) -> None:
        """A number is a port on this machine alone."""
        for text, port, interface in (("1936", 1936, "127.0.0.1"), ("tcp:1937:interface=10.0.0.1", 1937, "10.0.0.1")):
            endpoint: Any = self.options("--listen", text, "rtmp://host").endpoint(self.reactor)
            endpoint.listen(None)
            self.assertEqual(self.reactor.tcpServers[-1][0], port)
            self.assertEqual(self.reactor.tcpServers[-1][3], interface)

    def test_target(self) -> None:
        plain = self.options("--listen", "0", "rtmp://host:1940/a/b").target(self.reactor)
        self.assertIsInstance(plain, HostnameEndpoint)
        self.assertIn("1940", repr(plain) + str(vars(plain)))
        encrypted = self.options("--listen", "0", "rtmps://host", "--insecure").target(self.reactor)
        self.assertNotIsInstance(encrypted, HostnameEndpoint)

    def test_form(self) -> None:
        form = self.options("-cxq", "--json", "--read=x").form
        self.assertTrue(form.quiet and form.json and form.options.hex and form.options.chunks)
        self.assertIsNotNone(form.options.secrets)
        form = self.options("--read=x", "--show-secrets").form
        self.assertFalse(form.quiet or form.json or form.options.hex or form.options.chunks)
        self.assertIsNone(form.options.secrets)

    def test_originOf(self) -> None:
        for text, origin in (
            ("rtmp://me:secret@host/app?k=secret/name?k=secret", "rtmp://host"),
            ("rtmps://[::1]:444/app", "rtmps://[::1]:444"),
        ):
            self.assertEqual(originOf(RTMPURL.parse(text)), origin)


class ReadTests(CommandTestCase):
    def read(self, *arguments: str) -> int:
        """
        Read.

        @return: the exit status.
        """
        done = self.main("trace", "--read", *arguments)
        if isinstance(done, int):
            return done
        status: list[Any] = []
        done.addCallbacks(lambda _: status.append(OK), lambda failure: status.append(failure.value.code))
        [code] = status
        return int(code)

    def test_pair(self) -> None:
        self.assertEqual(self.read(PUBLISH), OK)
        lines = self.out.getvalue().splitlines()
        self.assertEqual(lines[0], f"--- connection 1: {PUBLISH}")
        self.assertIn('publish(5, null, "<key#1>", "live")', self.out.getvalue())
        self.assertIn("S->C  nothing more is there", lines[-1])
        self.assertEqual(self.err.getvalue(), "")

    def test_oneSide(self) -> None:
        """A single file; it is known whose it is, or said."""
        raw = (CAPTURES / "ffmpeg5-publish.s2c.bin").read_bytes()
        file = self.file(raw)
        self.assertEqual(self.read(file), OK)
        self.assertIn("S->C  _result(1, ", self.out.getvalue())
        self.assertIn("--- there is nothing of the client's side", self.out.getvalue())
        self.read(file, "--side", "client")
        self.assertIn("C->S  _result(1, ", self.out.getvalue())

    def test_unheardClient(self) -> None:
        """Without the client's side, no name is known, and a server's sentences may have it."""
        self.read(self.file((CAPTURES / "ffmpeg5-publish.s2c.bin").read_bytes()))
        self.assertIn('description: "<text>"', self.out.getvalue())

    def saved(self, *sessions: list[Segment]) -> str:
        """Saved traces."""
        directory = self.place()
        for number, segments in enumerate(sessions, 1):
            began = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
            writer = SavedTraceWriter(os.path.join(directory, str(number)), "rtmp://host", began)
            for segment in segments:
                writer.said(segment)
            writer.close()
        return directory

    def test_saved(self) -> None:
        """All connections of a directory, or one."""
        directory = self.saved([Segment(Side.CLIENT, 0.25, b"\3")], [Segment(Side.SERVER, 0.5, b"\3")])
        self.assertEqual(self.read(directory), OK)
        lines = self.out.getvalue().splitlines()
        title = f"--- connection 1: {directory}/1 2024-01-02T03:04:05.000+00:00 to rtmp://host"
        self.assertEqual(lines[0], title)
        self.assertIn("   0.2500 C->S  C0: version 3", lines[1])
        self.assertIn("#2    0.5000 S->C  S0: version 3", self.out.getvalue())
        self.out.truncate(0)
        self.assertEqual(self.read(os.path.join(directory, "2")), OK)
        self.assertNotIn("#2", self.out.getvalue())

    def test_endings(self) -> None:
        """What was saved is told as it was when it happened, to the ends of both sides, and what is wrong there."""
        directory = self.place()
        client, server = ((CAPTURES / f"ffmpeg5-publish.{end}.bin").read_bytes() for end in ("c2s", "s2c"))
        live: list[str] = []
        printer = Printer(1, Form(LineOptions(Secrets())), live.append)
        writer = SavedTraceWriter(os.path.join(directory, "1"), "rtmp://host", datetime.now(UTC))
        for observer in (printer, writer):
            observer.said(Segment(Side.CLIENT, 0.25, client[:3373]))
            observer.said(Segment(Side.SERVER, 0.5, server[:3089]))
            observer.closed(Side.SERVER, "reset", 0.5)
            observer.said(Segment(Side.CLIENT, 0.5, client[3373:4000]))
            observer.closed(Side.CLIENT, "dropped", 2.75)
        self.assertEqual(self.read(directory), FAILED)
        _, *lines = self.out.getvalue().splitlines(keepends=True)
        self.assertEqual("".join(lines), "".join(live))
        self.assertIn("   0.5000 S->C  reset (RST)", self.out.getvalue())
        self.assertIn("   2.7500 C->S  dropped, as the other side was gone; left over: ", self.out.getvalue())
        self.assertIn("!! refusal-without-status at byte 3089: ", self.out.getvalue())

    def test_noEndings(self) -> None:
        """Where they are not known, that is said, and nothing follows from it."""
        directory = self.saved([Segment(Side.CLIENT, 0.0, b"\3" + bytes(1536)), Segment(Side.CLIENT, 2.0, bytes(5))])
        self.assertEqual(self.read(directory), OK)
        self.assertEqual(self.out.getvalue().count("nothing more is there"), 2)

    def test_grave(self) -> None:
        """What can't be read, anywhere, is exit status 1; everything is shown."""
        directory = self.saved([Segment(Side.CLIENT, 0.0, HTTP)], [Segment(Side.CLIENT, 0.0, b"\3")])
        self.assertEqual(self.read(directory, "--quiet"), FAILED)
        lines = self.out.getvalue().splitlines()
        self.assertIn("can't be read from here on", lines[0])
        self.assertNotIn("---", self.out.getvalue())
        self.assertEqual(self.err.getvalue(), "")

    def test_json(self) -> None:
        self.assertEqual(self.read(PUBLISH, "--json"), OK)
        kinds = [json.loads(line)["kind"] for line in self.out.getvalue().splitlines()]
        self.assertEqual(kinds[:2], ["note", "handshake"])
        self.assertEqual(len(kinds), 1 + 246 + 7 + 6 + 2)

    def test_nothing(self) -> None:
        """What is not there, or can't be understood."""
        rows = [
            ("/nowhere", "/nowhere"),
            (self.file(b"hello"), "it does not begin as a side of RTMP does"),
            (self.place(), ""),
        ]
        for path, words in rows:
            self.assertEqual(self.read(path), WRONG_USAGE)
            self.assertTrue(self.err.getvalue().splitlines()[-1].startswith("rtmptw trace: "))
            self.assertIn(words, self.err.getvalue())

    def test_interrupted(self) -> None:
        """Ctrl-C, and a reader that has had enough, are no fault; what was found until then is told."""
        directory = self.saved([Segment(Side.CLIENT, 0.0, HTTP)], [Segment(Side.CLIENT, 0.0, b"\3")])
        for error in (KeyboardInterrupt(), BrokenPipeError()):
            for path, expected in ((directory, FAILED), (PUBLISH, OK)):
                written: list[str] = []

                def write(text: str, written: list[str] = written, error: BaseException = error) -> None:
                    written.append(text)
                    if "connection 2" in text or "C0" in text:
                        raise error

                self.patch(command, "standardOutput", lambda write=write: write)
                self.assertEqual(self.read(path), expected, error)
                self.assertEqual(self.err.getvalue(), "")


class CaptureTests(ReadTests):
    """Files of packets; scapy itself is not asked."""

    def setUp(self) -> None:
        super().setUp()
        self.asked: list[str] = []
        self.error: CaptureError | None = None
        self.patch(command, "readCapture", self.readCapture)

    def readCapture(self, path: str) -> list[CapturedConnection]:
        self.asked.append(path)
        segments = [Segment(Side.CLIENT, 0.5, b"\3")]
        found = [
            CapturedConnection("10.0.0.1:5", "10.0.0.2:1935", 1704164645.5, segments, ["3 bytes are missing"]),
            CapturedConnection("10.0.0.1:6", "10.0.0.2:1935", 0.0, segments, []),
        ]
        if self.error is not None:
            self.error.connections = (found[0],)
            raise self.error
        return found

    def test_formats(self) -> None:
        """They are known by what they begin with."""
        for number, start in enumerate(
            (
                struct.pack("<I", 0xA1B2C3D4),
                struct.pack(">I", 0xA1B2C3D4),
                struct.pack("<I", 0xA1B23C4D),
                struct.pack(">I", 0xA1B23C4D),
                b"\n\r\r\n",
                gzip.compress(b"x"),
            ),
            1,
        ):
            self.assertEqual(self.read(self.file(start + bytes(40))), OK)
            self.assertEqual(len(self.asked), number)

    def test_connections(self) -> None:
        self.assertEqual(self.read(self.file(b"\n\r\r\n")), OK)
        lines = self.out.getvalue().splitlines()
        self.assertEqual(
            [line for line in lines if "---" in line],
            [
                "--- connection 1: 2024-01-02T03:04:05.500+00:00 10.0.0.1:5 to 10.0.0.2:1935",
                "--- 3 bytes are missing",
                "#2 --- connection 2: 10.0.0.1:6 to 10.0.0.2:1935",
            ],
        )
        self.assertIn("   0.5000 C->S  C0: version 3", lines[2])

    def test_cut(self) -> None:
        """What was found before the fault is shown, then the fault."""
        self.error = CaptureError("x.pcap, packet 7: it is cut")
        self.assertEqual(self.read(self.file(b"\n\r\r\n")), WRONG_USAGE)
        self.assertIn("C0: version 3", self.out.getvalue())
        self.assertEqual(self.err.getvalue(), "rtmptw trace: x.pcap, packet 7: it is cut\n")


class ListenTests(CommandTestCase):
    def test_listen(self) -> None:
        """Where it listens, and where that leads; it goes on until the reactor stops."""
        directory = self.place()
        done = self.main("trace", "--listen", "1936", "rtmp://me:secret@host:1940/live/name", "--save", directory)
        self.assertNoResult(done)
        self.assertEqual(self.err.getvalue().count("\n"), 1)
        self.assertRegex(self.err.getvalue(), r"^rtmptw trace: .* leads to rtmp://host:1940; Ctrl-C ends it\n$")
        _, trigger = self.reactor.triggers["before"]["shutdown"]
        trigger[0](*trigger[1], **trigger[2])
        self.assertIsNone(self.successResultOf(done))

    def test_saves(self) -> None:
        directory = self.place()
        self.main("trace", "--listen", "1936", "rtmp://me:secret@host:1940/live/name", "--save", directory)
        leg = self.reactor.tcpServers[-1][1]
        leg.observe(1)
        with open(os.path.join(directory, "1", "segments.jsonl")) as file:
            self.assertEqual(json.loads(file.readline())["url"], "rtmp://host:1940")

    def test_cannot(self) -> None:
        def listenTCP(*arguments: object, **options: object) -> None:
            raise OSError(98, "Address already in use")

        self.patch(self.reactor, "listenTCP", listenTCP)
        done = self.main("trace", "--listen", "1936", "rtmp://host")
        self.assertEqual(self.failureResultOf(done, SystemExit).value.code, FAILED)
        self.assertIn("--listen 1936: [Errno 98] Address already in use", self.err.getvalue())
