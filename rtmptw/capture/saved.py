# -*- test-case-name: tests.capture.test_saved -*-
"""
A saved trace: what both sides of one connection have said, byte for byte, and when.

It is a directory, with three files that only grow:

- C{client.bin}, C{server.bin}: the raw stream of each side, from the first byte of the handshake;
- C{segments.jsonl}: when each segment came, and how each side has ended (L{rtmptw.capture.savedindex}).

Bytes are written before the line that tells of them, and both at once, so that whatever ends the program leaves a trace
that can be read. Other tools save only streams: a pair C{NAME.c2s.bin} (client to server) and C{NAME.s2c.bin}, or a
single one. There is no time in them, nor an order between the sides, and none is made up.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

from twisted.logger import Logger
from zope.interface import implementer

from rtmptw.capture.savedindex import (
    MAX_LINE,
    MAX_SECONDS,
    SavedIndex,
    SavedTraceError,
    endLine,
    headerLine,
    segmentLine,
)
from rtmptw.capture.tracer import ITraceObserver
from rtmptw.errors import RemoteProtocolError
from rtmptw.trace.segment import End, Segment, Side
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.command import Command
from rtmptw.wire.message import MessageType

__all__ = [
    "MAX_BYTES",
    "MAX_LINE",
    "MAX_SECONDS",
    "MAX_SEGMENTS",
    "PIECE",
    "SavedTrace",
    "SavedTraceError",
    "SavedTraceWriter",
    "readSaved",
    "savedTraces",
]

#: How much of a trace is read: bytes, and segments. A trace is held in memory as a whole.
MAX_BYTES = 1024 * 1024 * 1024
MAX_SEGMENTS = 4_000_000

#: How a stream without times is cut, bytes.
PIECE = 64 * 1024

_SEGMENTS = "segments.jsonl"
_RAW = {side: f"{side.value}.bin" for side in Side}
_PAIR = {Side.CLIENT: ".c2s.bin", Side.SERVER: ".s2c.bin"}

#: The handshake: C0, C1 and C2, or S0, S1 and S2; the first byte of the version that is not encrypted; and how much is
#: read behind it to see who speaks, bytes.
_HANDSHAKE = 1 + 2 * 1536
_PLAIN = 3
_ENOUGH = 64 * 1024


@dataclass
class SavedTrace:
    """
    A trace that was read.

    @ivar segments: what was said, in the order in which it came; if it is not timed, first all of the client, then all
        of the server.
    @ivar endings: how sides have ended, in order; none if that is not known.
    @ivar timed: whether times and order are known. If not, all happens at 0.
    @ivar url: where the client wanted to go, as it was given to who saved it; empty if not known.
    @ivar began: when the connection was accepted, in ISO 8601; empty if not known.
    @ivar notes: what is to be known about it, in sentences: what is missing.
    """

    segments: list[Segment] = field(default_factory=list)
    timed: bool = False
    url: str = ""
    began: str = ""
    notes: list[str] = field(default_factory=list)
    endings: list[End] = field(default_factory=list)


class _Growing:
    """One file that is written, and is never longer than what was told."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        self._size = 0

    def append(self, data: bytes) -> None:
        """
        @raise OSError: not all could be written.
        """
        rest, position = memoryview(data), self._size
        while rest:
            written = os.pwrite(self._file, rest, position)
            rest, position = rest[written:], position + written
        self._size = position

    def close(self) -> None:
        """Close it; what is only a part of something goes."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, self._size)
        os.close(self._file)


@implementer(ITraceObserver)
class SavedTraceWriter:
    """
    Saves a session as it goes on. What can't be written, as on a disk that is full, is logged once; what was written
    before stays, and the rest is not saved.

    It writes in the reactor's thread: the system takes it into its memory.

    @ivar path: the directory.
    """

    _log = Logger()

    def __init__(self, path: str | os.PathLike[str], url: str, began: datetime) -> None:
        """
        Begin.

        @param path: the directory; it is made if it is not there.
        @param url: where the client goes, without secrets.
        @param began: when the session began, with its time zone.
        @raise SavedTraceError: there is a trace in it already.
        @raise OSError: it can't be written.
        """
        self.path = os.fspath(path)
        self._open = dict.fromkeys(Side, True)
        self._files: dict[Side, _Growing] = {}
        os.makedirs(path, exist_ok=True)
        for name in (_SEGMENTS, *_RAW.values()):
            if os.path.lexists(os.path.join(path, name)):
                raise SavedTraceError(f"{path}: there is a saved trace in it already ({name})")
        self._index: _Growing | None = _Growing(os.path.join(path, _SEGMENTS))
        try:
            for side, name in _RAW.items():
                self._files[side] = _Growing(os.path.join(path, name))
            self._index.append(headerLine(url, began))
        except OSError:
            self.close()
            raise

    def said(self, segment: Segment) -> None:
        """See L{ITraceObserver.said}."""
        self._save(segmentLine(segment), segment)

    def closed(self, side: Side, how: str, at: float) -> None:
        """See L{ITraceObserver.closed}."""
        self._save(endLine(side, how, at))
        self._open[side] = False
        if not any(self._open.values()):
            self.close()

    def failed(self, reason: str, at: float) -> None:
        """See L{ITraceObserver.failed}."""
        self.close()

    def gone(self) -> None:
        """See L{ITraceObserver.gone}."""
        self.close()

    def close(self) -> None:
        """Nothing more is saved. Harmless when repeated."""
        if self._index is not None:
            for file in (self._index, *self._files.values()):
                file.close()
            self._index = None

    def _save(self, line: bytes, segment: Segment | None = None) -> None:
        """
        Save something.

        @param segment: whose bytes come first.
        """
        if self._index is None:
            return
        try:
            if segment is not None:
                self._files[segment.side].append(segment.data)
            self._index.append(line)
        except OSError as error:
            self._log.error("{path}: {error}; what follows is not saved", path=self.path, error=error.strerror)
            self.close()


def savedTraces(path: str | os.PathLike[str]) -> list[str]:
    """
    @return: the traces in a directory with one for each connection, in their order; none if it is not there.
    """
    names = os.listdir(path) if os.path.isdir(path) else []
    numbers = sorted(int(name) for name in names if name.isascii() and name.isdecimal())
    found = [os.path.join(path, str(number)) for number in numbers]
    return [each for each in found if os.path.exists(os.path.join(each, _SEGMENTS))]


def readSaved(path: str | os.PathLike[str], side: Side | None = None) -> SavedTrace:
    """
    Read what was saved.

    @param path: the directory of one connection; or what the names of a pair begin with, or either of the two; or a
        single file of one side.
    @param side: who has said what is in a single file; by default, it is found out. A pair is known by its names.
    @raise SavedTraceError: it can't be understood; names the file, and the line in it.
    @raise OSError: it can't be read.
    """
    path = os.fspath(path)
    if os.path.isdir(path):
        return _readDirectory(path)
    base = next((path.removesuffix(end) for end in _PAIR.values() if path.endswith(end)), path)
    there = {speaker: base + end for speaker, end in _PAIR.items() if os.path.isfile(base + end)}
    if there and (base != path) == os.path.exists(path):
        return _readStreams(there)
    return _readStreams({side or _guess(path): path})


def _readStreams(paths: dict[Side, str]) -> SavedTrace:
    """Streams without times."""
    trace, room = SavedTrace(), MAX_BYTES
    for side in Side:
        if side not in paths:
            trace.notes.append(f"there is nothing of the {side.value}'s side")
            continue
        with open(paths[side], "rb") as file:
            while room and (data := file.read(min(PIECE, room))):
                room -= len(data)
                trace.segments.append(Segment(side, 0.0, data))
            if not room and file.read(1):
                trace.notes.append(f"{paths[side]} is read up to its byte {file.tell() - 1:,} only: it is too large")
    return trace


def _guess(path: str) -> Side:
    """Who has said what is in a file: a client's first command is C{connect}, and a server never says that."""
    with open(path, "rb") as file:
        data = file.read(_HANDSHAKE + _ENOUGH)
    if data[:1] != bytes([_PLAIN]):
        raise SavedTraceError(f"{path}: it does not begin as a side of RTMP does, with a byte of {_PLAIN}")
    messages = ChunkReader(offset=_HANDSHAKE).feed(data[_HANDSHAKE:])
    isAnything = False
    # Behind what can't be understood is nothing that we need.
    with contextlib.suppress(RemoteProtocolError):
        for message in messages:
            isAnything = True
            if message.type in (MessageType.COMMAND, MessageType.COMMAND_AMF3):
                return Side.CLIENT if Command.decode(message).name == "connect" else Side.SERVER
    if not isAnything:
        raise SavedTraceError(f"{path}: it can't be told whose side this is: there is no message behind the handshake")
    return Side.SERVER


def _readDirectory(path: str) -> SavedTrace:
    """A directory of one connection."""
    index = os.path.join(path, _SEGMENTS)
    if not os.path.exists(index):
        inside = savedTraces(path)
        hint = f": is it one of {inside[0]} to {inside[-1]}?" if inside else ""
        raise SavedTraceError(f"{path}: there is no {_SEGMENTS} in it{hint}")
    trace = SavedTrace(timed=True)
    with contextlib.ExitStack() as stack:
        files = {side: stack.enter_context(open(os.path.join(path, name), "rb")) for side, name in _RAW.items()}
        lines = stack.enter_context(open(index, "rb"))
        if _readSegments(trace, SavedIndex(lines, index, trace.notes), files):
            _readRest(trace, path, files)
    return trace


def _readSegments(trace: SavedTrace, index: SavedIndex, files: Mapping[Side, BinaryIO]) -> bool:
    """
    @return: whether all lines were read.
    """
    trace.url, trace.began = index.header()
    room = MAX_BYTES
    for line in index.lines():
        if line.how is not None:
            trace.endings.append(End(line.side, line.at, line.how, len(trace.segments)))
            continue
        if line.size > room or len(trace.segments) == MAX_SEGMENTS:
            trace.notes.append(f"only the first {len(trace.segments):,} segments are read: it is too large")
            return False
        room -= line.size
        data = files[line.side].read(line.size)
        if data:
            trace.segments.append(Segment(line.side, line.at, data))
        if len(data) < line.size:
            trace.notes.append(
                f"{index.path}, line {index.number}: {line.size - len(data):,} of {line.size:,} bytes are missing in "
                f"{_RAW[line.side]}; what follows is left out"
            )
            return False
    return True


def _readRest(trace: SavedTrace, path: str, files: Mapping[Side, BinaryIO]) -> None:
    """Bytes that no line tells of: the last ones before the program was killed."""
    at = trace.segments[-1].at if trace.segments else 0.0
    ended = {end.side for end in trace.endings}
    for side, file in files.items():
        # Behind its end, a side says nothing.
        data = b"" if side in ended else file.read(PIECE)
        if data:
            trace.segments.append(Segment(side, at, data))
            trace.notes.append(f"no line tells of the last {len(data):,} bytes in {os.path.join(path, _RAW[side])}")
        if file.read(1):
            trace.notes.append(f"there is more in {os.path.join(path, _RAW[side])}, which is left out")
