# -*- test-case-name: tests.capture.test_savedindex -*-
"""
Tests for L{rtmptw.capture.savedindex}.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import BytesIO

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.capture.savedindex import (
    MAX_LINE,
    MAX_SECONDS,
    IndexLine,
    SavedIndex,
    SavedTraceError,
    endLine,
    headerLine,
    segmentLine,
)
from rtmptw.trace.segment import Segment, Side

BEGAN = datetime(2024, 1, 2, 3, 4, 5, 678_900, UTC)
HEADER = headerLine("rtmp://host", BEGAN)
SAID = segmentLine(Segment(Side.CLIENT, 0.0, b"abc"))


class LineTests(SynchronousTestCase):
    """What is written."""

    def test_lines(self) -> None:
        """They are what the module's text says."""
        for line, expected in (
            (HEADER, {"rtmptw-trace": 1, "url": "rtmp://host", "began": "2024-01-02T03:04:05.678+00:00"}),
            (segmentLine(Segment(Side.SERVER, 1.23456789, b"x" * 9)), {"side": "server", "at": 1.234568, "size": 9}),
            (endLine(Side.CLIENT, "reset", 2.0000001), {"side": "client", "at": 2.0, "how": "reset"}),
        ):
            self.assertTrue(line.endswith(b"\n") and line.count(b"\n") == 1)
            self.assertEqual(json.loads(line), expected)

    def test_longHow(self) -> None:
        """Whatever a side's end is called, its line can be read."""
        line = endLine(Side.CLIENT, "\U0001f600" * 99_999, 1.0)
        self.assertLess(len(line), MAX_LINE)
        self.assertTrue(line.isascii())


class SavedIndexTests(SynchronousTestCase):
    """What is read."""

    def read(self, *lines: bytes) -> list[IndexLine]:
        """The lines behind the header."""
        self.notes: list[str] = []
        self.index = SavedIndex(BytesIO(b"".join(lines)), "index", self.notes)
        self.header = self.index.header()
        return list(self.index.lines())

    def fails(self, *lines: bytes) -> str:
        """
        It can't be read, because of the last line.

        @return: why.
        """
        reason = str(self.assertRaises(SavedTraceError, self.read, *lines))
        start = f"index, line {len(lines)}: "
        self.assertTrue(reason.startswith(start), reason)
        return reason.removeprefix(start)

    def test_all(self) -> None:
        ends = [endLine(Side.SERVER, "closed", 1.5), endLine(Side.CLIENT, "reset", 2.0)]
        found = self.read(HEADER, SAID, segmentLine(Segment(Side.SERVER, 1.0, b"x")), ends[0], SAID, ends[1])
        self.assertEqual(self.header, ("rtmp://host", "2024-01-02T03:04:05.678+00:00"))
        self.assertEqual(
            found,
            [
                IndexLine(Side.CLIENT, 0.0, 3, None),
                IndexLine(Side.SERVER, 1.0, 1, None),
                IndexLine(Side.SERVER, 1.5, 0, "closed"),
                IndexLine(Side.CLIENT, 0.0, 3, None),
                IndexLine(Side.CLIENT, 2.0, 0, "reset"),
            ],
        )
        self.assertEqual((self.notes, self.index.number), ([], 6))

    def test_nothing(self) -> None:
        self.assertEqual(self.read(), [])
        self.assertEqual((self.header, self.notes), (("", ""), []))

    def test_shortHeader(self) -> None:
        """URL and time need not be there."""
        self.assertEqual(len(self.read(b'{"rtmptw-trace": 1}\n', SAID)), 1)
        self.assertEqual(self.header, ("", ""))

    def test_cutOff(self) -> None:
        """A last line that is cut off is left out, and that is told."""
        for size in range(1, len(SAID)):
            self.assertEqual(len(self.read(HEADER, SAID, SAID[:size])), 1)
            self.assertEqual(self.notes, ["index, line 3: it is cut off, and left out"])

    def test_notJSON(self) -> None:
        """Lines that are something else: which, and where."""
        for text in (b"\n", b"hello\n", b"[]\n", b"\xff\n", b"[" * (MAX_LINE - 1) + b"\n", b"9" * 9999 + b"\n"):
            self.assertEqual(self.fails(HEADER, SAID, text), "this is not a JSON object")

    def test_longLine(self) -> None:
        """A line without an end is not read to it."""
        self.assertEqual(self.fails(HEADER, b'{"a": "' + b"x" * MAX_LINE), "this is not a JSON object")

    def test_header(self) -> None:
        """The first line must be that of this version."""
        for header in ({}, {"rtmptw-trace": 2}, {"side": "client", "at": 0, "size": 1}):
            self.assertEqual(self.fails(json.dumps(header).encode() + b"\n"), "this is not a trace of version 1")
        for header in ({"url": 1}, {"began": None}, {"url": "\x1b[2J"}, {"began": "1\n2"}):
            text = json.dumps({"rtmptw-trace": 1} | header).encode()
            self.assertEqual(self.fails(text + b"\n"), '"url" and "began" are to be text in one line')

    def test_values(self) -> None:
        """What is in a line must be what it is to be."""
        side, at = '"side" is to be "client" or "server"', '"at" is to be a number of seconds'
        size, how = '"size" is to be a whole number, 1 or more', '"how" is to be text'
        rows: list[tuple[dict[str, object], str]] = [
            ({"side": "nobody"}, side),
            ({"side": ["client"]}, side),
            ({"at": "1"}, at),
            ({"at": True}, at),
            ({"at": -1}, at),
            ({"at": MAX_SECONDS * 2}, at),
            ({"at": 10**4000}, at),
            ({"at": float("nan")}, at),
            ({"at": float("inf")}, at),
            ({"size": 0}, size),
            ({"size": True}, size),
            ({"size": 1.0}, size),
            ({"size": None}, size),
            ({"how": None}, how),
            ({"how": 1}, how),
            ({"how": ["closed"]}, how),
        ]
        for wrong, reason in rows:
            line: dict[str, object] = {"side": "client", "at": 0.0, "size": 1}
            self.assertEqual(self.fails(HEADER, SAID, json.dumps(line | wrong).encode() + b"\n"), reason)
        self.assertEqual(self.fails(HEADER, b'{"side": "client", "at": 1}\n'), size)

    def test_behindTheEnd(self) -> None:
        """A side that has ended says nothing, and does not end again; the other one may."""
        end = endLine(Side.CLIENT, "closed", 1.0)
        for line in (SAID, end):
            self.assertEqual(self.fails(HEADER, end, line), "the client's side has ended before")
        self.assertEqual(len(self.read(HEADER, end, endLine(Side.SERVER, "closed", 1.0))), 2)
