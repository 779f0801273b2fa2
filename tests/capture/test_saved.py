"""Tests for L{rtmptw.capture.saved}."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from twisted.logger import LogLevel, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rtmptw.capture import saved
from rtmptw.capture.saved import (
    PIECE,
    SavedTrace,
    SavedTraceError,
    SavedTraceWriter,
    readSaved,
    savedTraces,
)
from rtmptw.capture.savedindex import endLine, segmentLine
from rtmptw.capture.tracer import ITraceObserver
from rtmptw.trace.segment import End, Segment, Side
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.command import Command
from rtmptw.wire.message import Message, MessageType
from tests.record.disk import makeDirectory

CAPTURES = Path(__file__).parent.parent / "captures"
BEGAN = datetime(2024, 1, 2, 3, 4, 5, 678_900, UTC)
URL = "rtmp://example.com/live/…"
C, S = Side.CLIENT, Side.SERVER

SEGMENTS = [
    Segment(C, 0.0, b"\3" + bytes(1536)),
    Segment(S, 0.001234, b"\3" + bytes(3072)),
    Segment(C, 12.5, bytes(range(256))),
]

#: What is to be run in a process that is killed: it writes for ever.
ENDLESS = """
import sys
from datetime import UTC, datetime
from rtmptw.capture.saved import SavedTraceWriter
from rtmptw.trace.segment import Segment, Side

writer = SavedTraceWriter(sys.argv[1], "", datetime.now(UTC))
number = 0
while True:
    number += 1
    writer.said(Segment(Side.CLIENT if number % 3 else Side.SERVER, number / 1000, number.to_bytes(4, "big") * 50))
    if number == 1000:
        print("go", flush=True)
"""


class SavedCase(SynchronousTestCase):
    """A directory."""

    def setUp(self) -> None:
        self.root = makeDirectory(self)
        self.path = self.root / "1"

    def save(self, segments: list[Segment] = SEGMENTS) -> SavedTraceWriter:
        """Something that is saved."""
        writer = SavedTraceWriter(self.path, URL, BEGAN)
        self.addCleanup(writer.close)
        for segment in segments:
            writer.said(segment)
        return writer

    def errors(self) -> list[str]:
        """What is logged from now on, and worse than a remark: a list that grows."""
        found: list[str] = []

        def observe(event: object) -> None:
            if event["log_level"] >= LogLevel.warn:  # type: ignore[index]
                found.append(event["log_format"].format(**event))  # type: ignore[index]

        globalLogPublisher.addObserver(observe)  # type: ignore[arg-type]
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        return found


class SavedTraceWriterTests(SavedCase):
    """What is written."""

    def test_interface(self) -> None:
        """It may look at a session."""
        verifyObject(ITraceObserver, self.save())

    def test_files(self) -> None:
        """The files are what the module's text says, after every segment."""
        writer = self.save([])
        lines = [{"rtmptw-trace": 1, "url": URL, "began": "2024-01-02T03:04:05.678+00:00"}]
        said = {C: b"", S: b""}
        for segment in SEGMENTS:
            writer.said(segment)
            lines.append({"side": segment.side.value, "at": segment.at, "size": len(segment.data)})
            said[segment.side] += segment.data
            self.assertEqual((self.path / "client.bin").read_bytes(), said[C])
            self.assertEqual((self.path / "server.bin").read_bytes(), said[S])
            text = (self.path / "segments.jsonl").read_text()
            self.assertTrue(text.isascii() and text.endswith("\n"))
            self.assertEqual([json.loads(line) for line in text.splitlines()], lines)
        self.assertEqual(sorted(os.listdir(self.path)), ["client.bin", "segments.jsonl", "server.bin"])

    def test_roundTrip(self) -> None:
        """What was saved is read as it was."""
        self.save().close()
        self.assertEqual(
            readSaved(self.path),
            SavedTrace(SEGMENTS, timed=True, url=URL, began="2024-01-02T03:04:05.678+00:00", notes=[]),
        )

    def test_endings(self) -> None:
        """How each side has ended, when, and what was said before that."""
        writer = self.save(SEGMENTS[:2])
        writer.closed(S, "reset", 0.01)
        writer.said(SEGMENTS[2])
        writer.closed(C, "The certificate is not valid…\n", 13.0000004)
        trace = readSaved(self.path)
        self.assertEqual(trace.segments, SEGMENTS)
        self.assertEqual(trace.endings, [End(S, 0.01, "reset", 2), End(C, 13.0, "The certificate is not valid…\n", 3)])
        self.assertEqual(trace.notes, [])

    def test_nothingSaid(self) -> None:
        """A connection on which nothing was said is a trace, too."""
        self.save([]).failed("refused", 0.1)
        trace = readSaved(str(self.path))
        self.assertEqual((trace.segments, trace.timed, trace.notes), ([], True, []))

    def test_ends(self) -> None:
        """It is closed when both sides are, or when there is no session, or before; then nothing more is written."""

        def bothClose(writer: SavedTraceWriter) -> None:
            writer.closed(C, "closed", 1.0)
            writer.said(Segment(S, 1.0, b"the last"))
            writer.closed(S, "reset", 2.0)

        for number, (end, rest) in enumerate(
            (
                (bothClose, b"the last"),
                (lambda writer: writer.failed("refused", 1.0), b""),
                (SavedTraceWriter.gone, b""),
                (SavedTraceWriter.close, b""),
            )
        ):
            self.path = self.root / str(number)
            before = len(os.listdir("/proc/self/fd"))
            writer = self.save()
            end(writer)
            self.assertEqual(len(os.listdir("/proc/self/fd")), before)
            writer.said(Segment(S, 3.0, b"too late"))
            writer.close()
            self.assertEqual((self.path / "server.bin").read_bytes(), SEGMENTS[1].data + rest)

    def test_refusesToOverwrite(self) -> None:
        """A directory that has any file of a trace in it is left alone."""
        self.save()
        text = str(self.assertRaises(SavedTraceError, SavedTraceWriter, self.path, URL, BEGAN))
        self.assertEqual(text, f"{self.path}: there is a saved trace in it already (segments.jsonl)")
        self.assertEqual(readSaved(self.path).segments, SEGMENTS)
        for name in ("client.bin", "server.bin"):
            directory = self.root / name
            directory.mkdir()
            (directory / name).write_bytes(b"precious")
            text = str(self.assertRaises(SavedTraceError, SavedTraceWriter, directory, URL, BEGAN))
            self.assertEqual(text, f"{directory}: there is a saved trace in it already ({name})")
            self.assertEqual(os.listdir(directory), [name])
            self.assertEqual((directory / name).read_bytes(), b"precious")

    def test_otherFiles(self) -> None:
        """Other files, and directories above, are no matter."""
        self.path = self.root / "a" / "b"
        self.path.mkdir(parents=True)
        (self.path / "notes.txt").write_text("mine")
        self.save()
        self.assertEqual(len(os.listdir(self.path)), 4)

    def test_cantBegin(self) -> None:
        """What can't be created is told to who asks for it, and nothing stays open."""
        (self.root / "file").write_bytes(b"")
        self.assertRaises(OSError, SavedTraceWriter, self.root / "file" / "1", URL, BEGAN)
        before = len(os.listdir("/proc/self/fd"))

        def full(file: int, data: object, position: int) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        self.patch(os, "pwrite", full)
        self.assertRaises(OSError, SavedTraceWriter, self.path, URL, BEGAN)
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)

    def test_diskFull(self) -> None:
        """On a disk that is full, wherever in a segment, that is logged once, and what was saved before is whole."""
        write = os.pwrite
        found = self.errors()
        header = len(json.dumps({"rtmptw-trace": 1, "url": URL, "began": "2024-01-02T03:04:05.678+00:00"})) + 1
        ends = [header]
        for each in SEGMENTS:
            ends += [ends[-1] + len(each.data), ends[-1] + len(each.data) + len(segmentLine(each))]
        last = ends[-1] + len(endLine(C, "closed", 13.0))
        for room in {
            *range(header, last + 37, 37),
            last - 1,
            last,
            *ends,
            *(end - 1 for end in ends[1:]),
            *(end + 1 for end in ends),
        }:
            self.path = self.root / str(room)
            left = room

            def pwrite(file: int, data: memoryview, position: int) -> int:
                nonlocal left
                if not left:
                    raise OSError(errno.ENOSPC, "No space left on device")
                written = write(file, data[:left], position)
                left -= written
                return written

            found.clear()
            self.patch(os, "pwrite", pwrite)
            writer = self.save()
            writer.closed(C, "closed", 13.0)
            writer.close()
            self.patch(os, "pwrite", write)
            trace = readSaved(self.path)
            # The last one may lack its line.
            count = sum(end <= room for end in ends[1::2])
            lines = sum(end <= room for end in ends[2::2])
            self.assertEqual([each.data for each in trace.segments], [each.data for each in SEGMENTS[:count]])
            self.assertEqual(len(trace.notes), count - lines)
            full = [f"{self.path}: No space left on device; what follows is not saved"]
            self.assertEqual(found, full if room < last else [])
            self.assertEqual(trace.endings, [End(C, 13.0, "closed", 3)] if room >= last else [])

    def test_killed(self) -> None:
        """Killed at any moment, it leaves a trace that can be read."""
        with subprocess.Popen([sys.executable, "-c", ENDLESS, str(self.path)], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()
            child.send_signal(signal.SIGKILL)
        trace = readSaved(self.path)
        self.assertGreaterEqual(len(trace.segments), 1000)
        self.assertLessEqual(len(trace.notes), 1)
        for number, segment in enumerate(trace.segments[:-1], 1):
            self.assertEqual(segment.data, number.to_bytes(4, "big") * 50)


class SavedTracesTests(SavedCase):
    """Which traces there are."""

    def test_numbers(self) -> None:
        """They are in the order of their numbers; what is no trace is none."""
        for name in ("10", "2", "1", "other"):
            SavedTraceWriter(self.root / name, URL, BEGAN).close()
        (self.root / "3").mkdir()
        (self.root / "²").mkdir()
        self.assertEqual(savedTraces(self.root), [str(self.root / name) for name in ("1", "2", "10")])

    def test_nothing(self) -> None:
        """In what is not there, there are none."""
        self.assertEqual(savedTraces(self.root / "nothing"), [])


class ReadDirectoryTests(SavedCase):
    """Directories that are damaged, or made by somebody else."""

    def setUp(self) -> None:
        super().setUp()
        self.save().close()
        self.index = self.path / "segments.jsonl"
        self.lines = self.index.read_bytes().splitlines(keepends=True)

    def test_noTrace(self) -> None:
        """A directory without a trace; if there are some below, that is said."""
        text = str(self.assertRaises(SavedTraceError, readSaved, self.root))
        self.assertEqual(
            text, f"{self.root}: there is no segments.jsonl in it: is it one of {self.path} to {self.path}?"
        )
        empty = self.root / "empty"
        empty.mkdir()
        text = str(self.assertRaises(SavedTraceError, readSaved, empty))
        self.assertEqual(text, f"{empty}: there is no segments.jsonl in it")

    def test_missingFile(self) -> None:
        """Without one of its files it is no trace."""
        (self.path / "server.bin").unlink()
        self.assertRaises(FileNotFoundError, readSaved, self.path)

    def test_shortHeader(self) -> None:
        """URL and time need not be there."""
        self.index.write_bytes(b'{"rtmptw-trace": 1}\n' + b"".join(self.lines[1:]))
        trace = readSaved(self.path)
        self.assertEqual((trace.url, trace.began, trace.segments), ("", "", SEGMENTS))

    def test_cutOffLine(self) -> None:
        """A last line that is cut off is left out; its bytes are there all the same."""
        whole = self.index.read_bytes()
        for size in range(len(whole) - len(self.lines[-1]) + 1, len(whole)):
            self.index.write_bytes(whole[:size])
            trace = readSaved(self.path)
            self.assertEqual(trace.notes[0], f"{self.index}, line 4: it is cut off, and left out")
            self.assertEqual(trace.notes[1:], [f"no line tells of the last 256 bytes in {self.path / 'client.bin'}"])
            self.assertEqual([each.data for each in trace.segments], [each.data for each in SEGMENTS])
            self.assertEqual(trace.segments[-1].at, SEGMENTS[1].at)

    def test_noLines(self) -> None:
        """Killed before there was a line."""
        self.index.write_bytes(b"")
        trace = readSaved(self.path)
        self.assertEqual([each.side for each in trace.segments], [C, S])
        self.assertEqual(len(trace.notes), 2)

    def test_badLine(self) -> None:
        """A line that is none: which, and where."""
        self.index.write_bytes(b"".join([*self.lines[:2], b"hello\n", *self.lines[2:]]))
        text = str(self.assertRaises(SavedTraceError, readSaved, self.path))
        self.assertEqual(text, f"{self.index}, line 3: this is not a JSON object")

    def test_behindTheEnd(self) -> None:
        """Bytes of a side that has ended, of which no line tells, are left out."""
        self.index.write_bytes(self.index.read_bytes() + b'{"side": "server", "at": 13.0, "how": "closed"}\n')
        for end in ("client", "server"):
            with (self.path / f"{end}.bin").open("ab") as file:
                file.write(b"more")
        trace = readSaved(self.path)
        self.assertEqual(trace.segments, [*SEGMENTS, Segment(C, 12.5, b"more")])
        self.assertEqual(
            trace.notes,
            [
                f"no line tells of the last 4 bytes in {self.path / 'client.bin'}",
                f"there is more in {self.path / 'server.bin'}, which is left out",
            ],
        )

    def test_missingBytes(self) -> None:
        """If there is less than the lines say, that much is read, and not what follows."""
        for size in (1536, 0):
            with (self.path / "client.bin").open("r+b") as file:
                file.truncate(size)
            trace = readSaved(self.path)
            self.assertEqual([each.data for each in trace.segments], [SEGMENTS[0].data[:size]] if size else [])
            self.assertEqual(
                trace.notes,
                [
                    f"{self.index}, line 2: {1537 - size:,} of 1,537 bytes are missing in client.bin; "
                    "what follows is left out"
                ],
            )

    def test_moreBytes(self) -> None:
        """If there is much more, that is something else."""
        with (self.path / "server.bin").open("ab") as file:
            file.write(bytes(PIECE + 1))
        trace = readSaved(self.path)
        self.assertEqual(len(trace.segments[-1].data), PIECE)
        self.assertEqual(
            trace.notes,
            [
                f"no line tells of the last 65,536 bytes in {self.path / 'server.bin'}",
                f"there is more in {self.path / 'server.bin'}, which is left out",
            ],
        )

    def test_tooLarge(self) -> None:
        """There are bounds to what is read: bytes, and segments."""
        for name, bound in (("MAX_BYTES", 1537 + 3073), ("MAX_SEGMENTS", 2)):
            self.patch(saved, name, bound)
            trace = readSaved(self.path)
            self.assertEqual(trace.segments, SEGMENTS[:2])
            self.assertEqual(trace.notes, ["only the first 2 segments are read: it is too large"])
            self.patch(saved, name, 10**9)

    def test_noise(self) -> None:
        """Whatever is in the lines, they are read, or there is our error."""
        random = Random(5)
        whole = self.index.read_bytes()
        wrong = 0
        for _ in range(500):
            text = bytearray(whole)
            for _ in range(random.randrange(1, 5)):
                text[random.randrange(len(text))] = random.randrange(256)
            self.index.write_bytes(text)
            try:
                readSaved(self.path)
            except SavedTraceError:
                wrong += 1
        self.assertGreater(wrong, 50)


class ReadStreamsTests(SavedCase):
    """Streams without times."""

    def check(
        self, trace: SavedTrace, name: str, sides: tuple[Side, ...] = (C, S), notes: list[str] | None = None
    ) -> None:
        """It is a real capture: all of the client, then all of the server, in pieces that are not too large."""
        self.assertFalse(trace.timed)
        self.assertEqual((trace.url, trace.began, trace.notes), ("", "", notes or []))
        self.assertEqual(
            [each.side for each in trace.segments], sorted((each.side for each in trace.segments), key=sides.index)
        )
        self.assertEqual({each.at for each in trace.segments}, {0.0})
        self.assertLessEqual(max(len(each.data) for each in trace.segments), PIECE)
        for side, end in ((C, "c2s"), (S, "s2c")):
            data = b"".join(each.data for each in trace.segments if each.side is side)
            expected = (CAPTURES / f"{name}.{end}.bin").read_bytes() if side in sides else b""
            self.assertEqual(data, expected)

    def test_pair(self) -> None:
        """A pair, by what both names begin with, or by either."""
        for path in (
            CAPTURES / "ffmpeg9-publish",
            CAPTURES / "ffmpeg9-publish.c2s.bin",
            str(CAPTURES / "ffmpeg9-publish.s2c.bin"),
        ):
            self.check(readSaved(path), "ffmpeg9-publish")

    def test_half(self) -> None:
        """Half a pair is known by its name, and it is said what is missing."""
        for end, side in (("c2s", C), ("s2c", S)):
            content = (CAPTURES / f"ffmpeg5-play.{end}.bin").read_bytes()
            (self.root / f"{end}.{end}.bin").write_bytes(content)
            notes = [f"there is nothing of the {side.other.value}'s side"]
            for path in (self.root / end, self.root / f"{end}.{end}.bin"):
                self.check(readSaved(path), "ffmpeg5-play", (side,), notes)
            other = {"c2s": "s2c", "s2c": "c2s"}[end]
            self.assertRaises(FileNotFoundError, readSaved, self.root / f"{end}.{other}.bin")

    def test_guess(self) -> None:
        """Whose a single file is is found out, for every capture that there is."""
        count = 0
        for path in sorted(CAPTURES.glob("*.bin")):
            side = C if ".c2s." in path.name else S
            single = self.root / "single"
            single.write_bytes(path.read_bytes())
            trace = readSaved(single)
            self.check(trace, path.name[:-8], (side,), [f"there is nothing of the {side.other.value}'s side"])
            count += 1
        self.assertGreater(count, 30)

    def test_told(self) -> None:
        """It may be told; then it may be anything."""
        for side in Side:
            (self.root / "single").write_bytes(b"anything")
            self.assertEqual(readSaved(self.root / "single", side).segments, [Segment(side, 0.0, b"anything")])

    def guess(self, *messages: Message, rest: bytes = b"") -> Side:
        """Whose it is, if this is said behind the handshake."""
        writer = ChunkWriter()
        content = b"\3" + bytes(3072) + b"".join(writer.write(message) for message in messages) + rest
        (self.root / "single").write_bytes(content)
        (segment,) = readSaved(self.root / "single").segments
        return segment.side

    def test_guessByMessages(self) -> None:
        """A client says connect before any other command; who says other things only is a server."""
        size = Message(MessageType.SET_CHUNK_SIZE, 0, 0, b"\0\0\x10\0")
        connect = Command("connect", 1.0).encode()
        result = Command("_result", 1.0).encode()
        self.assertIs(self.guess(size, connect), C)
        self.assertIs(self.guess(size, result, connect), S)
        self.assertIs(self.guess(size), S)
        self.assertIs(self.guess(size, rest=b"\xff" * 100), S)
        self.assertIs(self.guess(Message(MessageType.COMMAND, 0, 0, b"\xff")), S)

    def test_noGuess(self) -> None:
        """A file of which it can't be told."""
        path = self.root / "single"
        for content in (b"\3" + bytes(3072), b"\3", b"\3" + bytes(3072) + b"\x03\0\0"):
            path.write_bytes(content)
            text = str(self.assertRaises(SavedTraceError, readSaved, path))
            self.assertTrue(text.startswith(f"{path}: it can't be told whose side this is"), text)
        for content in (b"", b"GET /", b"\6" + bytes(4000)):
            path.write_bytes(content)
            text = str(self.assertRaises(SavedTraceError, readSaved, path))
            self.assertTrue(text.startswith(f"{path}: it does not begin as a side of RTMP does"), text)
        self.assertRaises(FileNotFoundError, readSaved, self.root / "nothing")

    def test_tooLarge(self) -> None:
        """There is a bound to what is read."""
        self.patch(saved, "MAX_BYTES", 100_000)
        (self.root / "x.c2s.bin").write_bytes(bytes(100_000))
        (self.root / "x.s2c.bin").write_bytes(bytes(1))
        trace = readSaved(self.root / "x")
        self.assertEqual([len(each.data) for each in trace.segments], [PIECE, 100_000 - PIECE])
        self.assertEqual(trace.notes, [f"{self.root / 'x.s2c.bin'} is read up to its byte 0 only: it is too large"])
