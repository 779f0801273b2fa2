# -*- test-case-name: tests.capture.test_savedindex -*-
"""
The index of a saved trace, C{segments.jsonl}: one JSON object in each line. The first is::

    {"rtmptw-trace": 1, "url": "rtmp://...", "began": "2024-01-02T03:04:05.678+00:00"}

The others are the segments, and the ends of both sides, in the order in which they came::

    {"side": "client", "at": 0.001234, "size": 1537}
    {"side": "client", "at": 12.345678, "how": "closed"}

How a side has ended is told by L{rtmptw.capture.tracer.ITraceObserver.closed}. Where that is not known, as in a trace
whose program was killed, there is no line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO, NamedTuple

from rtmptw.errors import RTMPError
from rtmptw.trace.segment import Segment, Side

__all__ = [
    "MAX_LINE",
    "MAX_SECONDS",
    "IndexLine",
    "SavedIndex",
    "SavedTraceError",
    "endLine",
    "headerLine",
    "segmentLine",
]

#: The latest time that a line may have, seconds: thirty years.
MAX_SECONDS = 1e9

#: The longest line, bytes: there is a URL in the first.
MAX_LINE = 16 * 1024

#: How much is written of how a side has ended, characters: a sentence.
_MAX_HOW = 1000

#: The version of the format, and the key that it has.
_VERSION = 1
_KEY = "rtmptw-trace"


class SavedTraceError(RTMPError):
    """A trace that can't be read, or written; the text begins with its name."""


class IndexLine(NamedTuple):
    """
    A line that tells of one side.

    @ivar side: which.
    @ivar at: when that was, seconds since the connection began.
    @ivar size: how much it has said, bytes; 0 if this is its end.
    @ivar how: how it has ended; L{None} if it has said something.
    """

    side: Side
    at: float
    size: int
    how: str | None


def headerLine(url: str, began: datetime) -> bytes:
    """The first line."""
    return _encode({_KEY: _VERSION, "url": url, "began": began.isoformat(timespec="milliseconds")})


def segmentLine(segment: Segment) -> bytes:
    """The line that tells of a segment."""
    return _encode({"side": segment.side.value, "at": round(segment.at, 6), "size": len(segment.data)})


def endLine(side: Side, how: str, at: float) -> bytes:
    """The line that tells of the end of a side."""
    return _encode({"side": side.value, "at": round(at, 6), "how": how[:_MAX_HOW]})


def _encode(content: dict[str, object]) -> bytes:
    return json.dumps(content).encode() + b"\n"


class SavedIndex:
    """
    An index that is read.

    @ivar path: its name.
    @ivar number: of the last line that was read, from 1 on.
    """

    def __init__(self, file: BinaryIO, path: str, notes: list[str]) -> None:
        """
        @param notes: it is told there if the last line is not whole.
        """
        self.path = path
        self.number = 0
        self._file = file
        self._notes = notes

    def header(self) -> tuple[str, str]:
        """
        @return: the URL, and when it began.
        """
        first = self._next()
        if first is None:
            return "", ""
        if first.get(_KEY) != _VERSION:
            raise self._wrong(f"this is not a trace of version {_VERSION}")
        url, began = first.get("url", ""), first.get("began", "")
        # They are shown to people.
        if not isinstance(url, str) or not isinstance(began, str) or not (url + began).isprintable():
            raise self._wrong('"url" and "began" are to be text in one line')
        return url, began

    def lines(self) -> Iterator[IndexLine]:
        """The lines behind that."""
        sides = {side.value: side for side in Side}
        ended: set[Side] = set()
        while (line := self._next()) is not None:
            name, at = line.get("side"), line.get("at")
            if not isinstance(name, str) or name not in sides:
                raise self._wrong('"side" is to be "client" or "server"')
            side = sides[name]
            if not isinstance(at, int | float) or isinstance(at, bool) or not 0 <= at <= MAX_SECONDS:
                raise self._wrong('"at" is to be a number of seconds')
            if side in ended:
                raise self._wrong(f"the {name}'s side has ended before")
            if "how" in line:
                ended.add(side)
                yield IndexLine(side, float(at), 0, self._how(line["how"]))
            else:
                yield IndexLine(side, float(at), self._size(line.get("size")), None)

    def _size(self, size: object) -> int:
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise self._wrong('"size" is to be a whole number, 1 or more')
        return size

    def _how(self, how: object) -> str:
        if not isinstance(how, str):
            raise self._wrong('"how" is to be text')
        return how

    def _next(self) -> dict[str, object] | None:
        text = self._file.readline(MAX_LINE)
        if not text:
            return None
        self.number += 1
        if not text.endswith(b"\n") and len(text) < MAX_LINE:
            self._notes.append(f"{self.path}, line {self.number}: it is cut off, and left out")
            return None
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            line = None
        if not isinstance(line, dict):
            raise self._wrong("this is not a JSON object")
        return line

    def _wrong(self, reason: str) -> SavedTraceError:
        return SavedTraceError(f"{self.path}, line {self.number}: {reason}")
