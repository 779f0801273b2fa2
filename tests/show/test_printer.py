# -*- test-case-name: tests.show.test_printer -*-
"""
Tests for L{rtmptw.show.printer}: real captures, silence, and what is wrong.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

import tests
from rtmptw.capture.tracer import ITraceObserver
from rtmptw.show.line import LineOptions
from rtmptw.show.printer import Form, Printer
from rtmptw.show.secrets import Secrets
from rtmptw.trace.reading import SILENCE
from rtmptw.trace.segment import Segment, Side
from rtmptw.wire import amf0
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.message import Message, MessageType

CAPTURES = Path(tests.__file__).parent / "captures"
CLIENT, SERVER = Side.CLIENT, Side.SERVER
HANDSHAKE = b"\3" + bytes(3072)

#: An answer that is longer than a chunk by two bytes, of which the first looks like the header that should be there.
RESULT = amf0.encode("_result", 1.0, None, "x" * 105 + "\xe9")


def chunked(*values: Any) -> bytes:
    """A command, cut as it should be."""
    return ChunkWriter().write(Message(MessageType.COMMAND, 0, 0, amf0.encode(*values), 3))


def inOnePiece() -> bytes:
    """The answer with one chunk header only."""
    return b"\x03\0\0\0" + len(RESULT).to_bytes(3, "big") + b"\x14\0\0\0\0" + RESULT


class PrinterTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.written: list[str] = []

    def printer(self, number: int = 1, clock: Clock | None = None, **options: Any) -> Printer:
        lineOptions = {name: options.pop(name) for name in ("hex", "chunks", "secrets") if name in options}
        form = Form(LineOptions(**{"secrets": Secrets(), **lineOptions}), **options)
        return Printer(number, form, self.written.append, clock)

    @property
    def text(self) -> str:
        text = "".join(self.written)
        self.assertTrue(not text or text.endswith("\n"))
        return text


class CaptureTests(PrinterTestCase):
    def read(self, name: str, most: int | None = None, **options: Any) -> Printer:
        """
        Read a capture.

        @param most: up to which byte of each side.
        """
        printer = self.printer(**options)
        for side, end in ((CLIENT, "c2s"), (SERVER, "s2c")):
            printer.said(Segment(side, 0.0, (CAPTURES / f"{name}.{end}.bin").read_bytes()[:most]))
        printer.over("that is all")
        return printer

    def test_publish(self) -> None:
        """A line for every block, message and end; nothing is wrong with FFmpeg and nginx."""
        printer = self.read("ffmpeg5-publish")
        lines = self.text.splitlines()
        self.assertEqual(len(lines), 246 + 7 + 6 + 2)
        self.assertFalse(printer.grave)
        self.assertNotIn("!", self.text)
        for words in ("connect(1, {", 'publish(5, null, "<key#1>", "live")', "video keyframe avc1, cts 133 ms"):
            self.assertIn(words, self.text)
        self.assertTrue(lines[-1].startswith("   0.0000 S->C  that is all"), lines[-1])

    def test_all(self) -> None:
        """Every capture, in both forms, with everything: nobody's name is shown."""
        names = sorted(path.name.removesuffix(".c2s.bin") for path in CAPTURES.glob("*.c2s.bin"))
        self.assertGreater(len(names), 15)
        for name in names:
            for isJSON in (False, True):
                self.written.clear()
                printer = self.read(name, 40_000, json=isJSON, hex=True, chunks=True)
                self.assertFalse(printer.grave, name)
                self.assertTrue(self.text.isascii())
                self.assertIn("<key#1>", self.text)
                if isJSON:
                    kinds = {json.loads(line)["kind"] for line in self.text.splitlines()}
                    self.assertEqual(kinds, {"handshake", "message", "ending"})

    def test_key(self) -> None:
        """The name of this one is "test", and stands nowhere but in what is saved."""
        self.read("gst122-rtmp2sink-publish")
        raw = (CAPTURES / "gst122-rtmp2sink-publish.c2s.bin").read_bytes()
        start = raw.index(b"publish\0") + 7 + 9 + 1
        name = raw[start + 3 : start + 3 + raw[start + 2]].decode()
        self.assertNotIn(f'"{name}"', self.text)
        self.written.clear()
        self.read("gst122-rtmp2sink-publish", secrets=None)
        self.assertIn(f'"{name}"', self.text)

    def test_quiet(self) -> None:
        """Only what is wrong; of FFmpeg's server, that is a short command. Names are learned all the same."""
        printer = self.read("ffmpeg5-publish-to-ffmpeg9-listen", quiet=True)
        self.assertFalse(printer.grave)
        lines = self.text.splitlines()
        self.assertEqual(len(lines), 2)
        self.assertIn("onFCPublish()", lines[0])
        self.assertIn("!  short-command", lines[1])


class ViolationTests(PrinterTestCase):
    def test_grave(self) -> None:
        """An answer in one piece: it is found when it is clear that nothing more comes."""
        printer = self.printer(clock=self.clock)
        printer.said(Segment(CLIENT, 0.0, HANDSHAKE + chunked("connect", 1.0, {"app": "live"})))
        printer.said(Segment(SERVER, 0.1, HANDSHAKE + inOnePiece()))
        self.assertNotIn("_result", self.text)
        self.assertFalse(printer.grave)
        self.clock.advance(SILENCE + 0.01)
        self.assertIn("!! reply-not-chunked at byte 3213: ", self.text)
        self.assertTrue(printer.grave)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_unreadable(self) -> None:
        """That is told once, and how much it was at the end."""
        printer = self.printer()
        for at in range(3):
            printer.said(Segment(CLIENT, float(at), b"GET / HTTP/1.1\r\n"))
        printer.closed(CLIENT, "closed", 9.0)
        self.assertTrue(printer.grave)
        self.assertEqual(self.text.count("can't be read from here on"), 1)
        self.assertIn("closed (FIN); left over: 48 bytes", self.text)

    def test_quiet(self) -> None:
        """What can't be read is told."""
        printer = self.printer(quiet=True)
        printer.said(Segment(CLIENT, 0.0, b"GET / HTTP/1.1\r\n"))
        self.assertIn("can't be read", self.text)


class SilenceTests(PrinterTestCase):
    """What time does to what is half said."""

    def setUp(self) -> None:
        super().setUp()
        self.segments = [
            Segment(CLIENT, 0.0000004, HANDSHAKE),
            Segment(SERVER, 0.25, HANDSHAKE + inOnePiece()),
            Segment(CLIENT, 0.25 + 2 * SILENCE, chunked("createStream", 2.0, None)),
            Segment(SERVER, 0.5 + 2 * SILENCE, chunked("_result", 2.0, None, 1.0)),
        ]

    def test_sameAgain(self) -> None:
        """A session that was saved gives the same lines as it did when it went on."""
        printer = self.printer(clock=self.clock)
        self.assertTrue(verifyObject(ITraceObserver, printer))
        for segment in self.segments:
            self.clock.pump([0.01] * round((segment.at - self.clock.seconds()) / 0.01))
            printer.said(segment)
        printer.over("that is all")
        printer.gone()
        live = self.text
        self.written.clear()
        again = self.printer()
        for segment in self.segments:
            again.said(Segment(segment.side, round(segment.at, 6), segment.data))
        again.over("that is all")
        self.assertEqual(self.text, live)
        self.assertIn("reply-not-chunked", live)
        self.assertEqual(live.count("_result("), 2)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_notSilent(self) -> None:
        """As long as somebody speaks, nothing is looked at again, and no clock is asked more than once in a while."""
        printer = self.printer(clock=self.clock)
        for segment in self.segments[:2]:
            printer.said(segment)
        for _ in range(20):
            printer.said(Segment(CLIENT, self.clock.seconds(), chunked("ping", 0.0, None)))
            self.assertEqual(len(self.clock.getDelayedCalls()), 1)
            self.clock.advance(SILENCE / 2)
        self.assertNotIn("_result", self.text)
        self.clock.advance(SILENCE / 2)
        self.assertIn("_result", self.text)

    def test_end(self) -> None:
        """The end of a session that was silent comes behind that."""
        printer = self.printer()
        for segment in self.segments[:2]:
            printer.said(segment)
        printer.closed(CLIENT, "closed", 5.0)
        lines = self.text.splitlines()
        self.assertIn(f"{0.25 + SILENCE:9.4f} S->C  _result", lines[-3].replace("   0.2500", f"{0.25 + SILENCE:9.4f}"))
        self.assertIn("5.0000 C->S  closed (FIN)", lines[-1])


class EndTests(PrinterTestCase):
    def test_ends(self) -> None:
        """Each side ends once, and then it is over."""
        printer = self.printer(clock=self.clock)
        printer.said(Segment(CLIENT, 0.0, b"\3" + bytes(100)))
        printer.closed(CLIENT, "reset", 1.00000049)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        printer.closed(CLIENT, "closed", 2.0)
        printer.closed(SERVER, "dropped", 2.0)
        printer.over("too late")
        printer.said(Segment(CLIENT, 3.0, bytes(100)))
        lines = [" ".join(line.split()) for line in self.text.splitlines()]
        self.assertEqual(
            lines[1:],
            [
                "1.0000 C->S reset (RST); left over: C1: 100 of 1,536 bytes @101",
                "2.0000 S->C dropped, as the other side was gone @0",
            ],
        )
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_failed(self) -> None:
        """Without a server there is nothing more to tell."""
        printer = self.printer(clock=self.clock)
        printer.said(Segment(CLIENT, 0.0, b"\3"))
        printer.failed("refused\n", 0.5)
        printer.over("that is all")
        self.assertEqual(self.text.splitlines()[1:], ["--- there is no connection to the server: refused\\n"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_numbers(self) -> None:
        """Every connection but the first is marked."""
        for number in (1, 2):
            printer = self.printer(number)
            printer.remark("it is so")
            printer.said(Segment(CLIENT, 0.0, b"\3"))
        lines = self.text.splitlines()
        self.assertEqual(lines[0], "--- it is so")
        self.assertEqual(lines[2], "#2 --- it is so")
        self.assertEqual(lines[3], f"#2 {lines[1]}")

    def test_json(self) -> None:
        """Every line is an object, and has the number."""
        printer = self.printer(7, json=True)
        printer.remark("it is so")
        printer.said(Segment(CLIENT, 0.0, b"\3"))
        printer.over("that is all")
        found = [json.loads(line) for line in self.text.splitlines()]
        self.assertEqual([each["kind"] for each in found], ["note", "handshake", "ending", "ending"])
        self.assertEqual({each["connection"] for each in found}, {7})
