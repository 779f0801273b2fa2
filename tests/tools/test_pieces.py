"""Tests for L{rtmptw.tools.pieces}."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path

from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rtmptw.tools.pieces import PIECE, FilePieces, PipePieces, describeFile, openPieces

CONTENT = bytes(range(256)) * 600


class PiecesTestCase(SynchronousTestCase):
    """A directory, and a reactor that does nothing by itself."""

    def setUp(self) -> None:
        """There is a file."""
        self.reactor = MemoryReactorClock()
        self.directory = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.directory)
        self.path = self.directory / "clip.flv"
        self.path.write_bytes(CONTENT)

    def openDescriptor(self) -> int:
        """The file, as it is redirected to us."""
        descriptor = os.open(self.path, os.O_RDONLY)
        self.addCleanup(os.close, descriptor)
        return descriptor

    def pipe(self) -> tuple[PipePieces, int]:
        """The reading end of a pipe, and the other one."""
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        pieces = openPieces(reading, self.reactor)
        assert isinstance(pieces, PipePieces)
        return pieces, writing


class OpenTests(PiecesTestCase):
    """What there is to read."""

    def test_names(self) -> None:
        """A file has its path for a name, a descriptor says what it is."""
        for file, name in (
            ("a/b.flv", "a/b.flv"),
            (0, "standard input"),
            (1, "standard output"),
            (7, "file descriptor 7"),
        ):
            self.assertEqual(describeFile(file), name)

    def test_missing(self) -> None:
        """What is not there, or is no file, can't be opened; the error names it, and nothing stays open."""
        for path, kind in ((self.directory / "missing", FileNotFoundError), (self.directory, IsADirectoryError)):
            before = os.listdir("/proc/self/fd")
            error = self.assertRaises(kind, openPieces, str(path), self.reactor)
            self.assertEqual(error.filename, str(path))
            self.assertEqual(os.listdir("/proc/self/fd"), before)
        directory = os.open(self.directory, os.O_RDONLY)
        self.addCleanup(os.close, directory)
        self.assertRaises(IsADirectoryError, openPieces, directory, self.reactor)
        os.fstat(directory)

    def test_namedPipe(self) -> None:
        """A named pipe that nobody writes to yet does not hold us up."""
        path = self.directory / "pipe"
        os.mkfifo(path)
        pieces = openPieces(str(path), self.reactor)
        self.addCleanup(pieces.close)
        self.assertIsInstance(pieces, PipePieces)
        found: list[bytes] = []
        pieces.read().addCallback(found.append)
        writing = os.open(path, os.O_WRONLY)
        self.addCleanup(os.close, writing)
        # The reactor may have been wrong.
        pieces.doRead()  # type: ignore[union-attr]
        self.assertEqual((found, len(self.reactor.readers)), ([], 1))
        os.write(writing, b"x")
        pieces.doRead()  # type: ignore[union-attr]
        self.assertEqual((found, len(self.reactor.readers)), ([b"x"], 0))


class FileTests(PiecesTestCase):
    """Regular files."""

    def test_pieces(self) -> None:
        """All of the file comes in pieces, at once, and again after a rewind; then there is nothing."""
        for file in (str(self.path), self.openDescriptor()):
            pieces = openPieces(file, self.reactor)
            assert isinstance(pieces, FilePieces)
            for _ in range(2):
                found = [self.successResultOf(pieces.read()) for _ in range(4)]
                self.assertEqual(b"".join(found), CONTENT)
                self.assertEqual([len(piece) for piece in found], [PIECE, PIECE, len(CONTENT) - 2 * PIECE, 0])
                pieces.rewind()
            self.assertEqual(self.reactor.readers, set())
            pieces.close()
            pieces.close()

    def test_middle(self) -> None:
        """What is redirected to us may begin in the middle."""
        descriptor = self.openDescriptor()
        os.lseek(descriptor, 1000, os.SEEK_SET)
        pieces = FilePieces(descriptor, "x", False)
        for _ in range(2):
            self.assertEqual(self.successResultOf(pieces.read()), CONTENT[1000 : 1000 + PIECE])
            pieces.rewind()

    def test_close(self) -> None:
        """We close what we have opened, and nothing else."""
        before = os.listdir("/proc/self/fd")
        openPieces(str(self.path), self.reactor).close()
        self.assertEqual(os.listdir("/proc/self/fd"), before)
        descriptor = self.openDescriptor()
        openPieces(descriptor, self.reactor).close()
        os.fstat(descriptor)

    def test_error(self) -> None:
        """An error of the disk names the file."""
        pieces = openPieces(str(self.path), self.reactor)
        self.addCleanup(pieces.close)

        def fail(descriptor: int, size: int) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

        self.patch(os, "read", fail)
        failure = self.failureResultOf(pieces.read(), OSError)
        self.assertEqual(str(failure.value), f"[Errno 5] Input/output error: '{self.path}'")


class PipeTests(PiecesTestCase):
    """Pipes."""

    def test_pieces(self) -> None:
        """A pipe is read when there is something in it, only if that was asked for, and a piece at a time."""
        pieces, writing = self.pipe()
        verifyObject(IReadDescriptor, pieces)
        self.assertEqual(pieces.logPrefix(), "PipePieces")
        self.assertEqual(self.reactor.readers, set())
        for data in (b"one", b"two"):
            reading = pieces.read()
            self.assertEqual(self.reactor.readers, {pieces})
            self.assertNoResult(reading)
            os.write(writing, data)
            pieces.doRead()
            self.assertEqual(self.successResultOf(reading), data)
            self.assertEqual(self.reactor.readers, set())
        os.write(writing, b"the rest")
        os.close(writing)
        for expected in (b"the rest", b""):
            reading = pieces.read()
            pieces.doRead()
            self.assertEqual(self.successResultOf(reading), expected)

    def test_hangUp(self) -> None:
        """Reactors may say in another way that the other end is gone."""
        pieces, writing = self.pipe()
        os.close(writing)
        reading = pieces.read()
        pieces.connectionLost(Failure(Exception()))
        self.assertEqual(self.successResultOf(reading), b"")
        pieces.connectionLost(Failure(Exception()))

    def test_close(self) -> None:
        """Once it is closed nothing is waited for; the descriptor was not ours and stays open."""
        pieces, writing = self.pipe()
        self.addCleanup(os.close, writing)
        reading = pieces.read()
        pieces.close()
        pieces.close()
        self.assertEqual(self.reactor.readers, set())
        pieces.connectionLost(Failure(Exception()))
        self.assertNoResult(reading)
        os.fstat(pieces.fileno())

    def test_notForReactors(self) -> None:
        """What a reactor can't wait for is an error like others, and nothing is waited for."""
        pieces, writing = self.pipe()
        self.addCleanup(os.close, writing)

        def addReader(reader: object) -> None:
            raise OSError(errno.EINVAL, "Invalid argument")

        self.patch(self.reactor, "addReader", addReader)
        failure = self.failureResultOf(pieces.read(), OSError)
        self.assertIn("Invalid argument: 'file descriptor ", str(failure.value))
        pieces.close()

    def test_error(self) -> None:
        """An error of the descriptor names it."""
        pieces, writing = self.pipe()
        os.close(writing)
        reading = pieces.read()

        def fail(descriptor: int, size: int) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

        self.patch(os, "read", fail)
        pieces.doRead()
        failure = self.failureResultOf(reading, OSError)
        self.assertIn("Input/output error: 'file descriptor ", str(failure.value))
        self.assertEqual(self.reactor.readers, set())
