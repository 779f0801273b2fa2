"""
Tests for L{rtmptw.wire.chunkreader.ChunkReader.read}: messages that are read at once, and those that just can't be.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import LimitExceeded, LocalProtocolError, RemoteProtocolError
from rtmptw.wire.chunkreader import FIRST_LOOK, ChunkReader
from rtmptw.wire.limits import STRANGER_LIMITS, ReadLimits
from rtmptw.wire.message import Message, MessageType
from tests.wire.chunks import cutInto, header, read, sized, video

#: A chunk stream is known once a message has come on it.
KNOWN = header(0, 3, 1000, 1) + b"k"


def chunked(payload: bytes, size: int = 128, next: bytes = b"\xc3") -> bytes:
    return next.join(payload[start : start + size] for start in range(0, len(payload), size))


class Watched(ChunkReader):
    """One that counts how often it takes the longer way."""

    longer = 0

    def _readOn(self) -> Message | None:
        self.longer += 1
        return super()._readOn()


class PlainTests(SynchronousTestCase):
    """What is read at once, and that it makes no difference."""

    def watch(self, data: bytes, limits: ReadLimits | None = None) -> tuple[Watched, Message | None]:
        """Read a message behind L{KNOWN}, whole and byte by byte: it must be the same, and so must the counts."""
        reader, slow = Watched(limits), ChunkReader(limits)
        list(reader.feed(KNOWN))
        reader.longer = reader.smallChunks = 0
        reader.add(data)
        message = reader.read()
        bytewise = read(cutInto(KNOWN + data, [1] * (len(KNOWN) + len(data))), slow)[1:]
        self.assertEqual(message, bytewise[0] if bytewise else None)
        while reader.read() is not None:
            pass
        for name in ("offset", "held", "whereabouts", "emptyMessages", "droppedParts", "isWithinMessage", "chunkSize"):
            self.assertEqual(getattr(reader, name), getattr(slow, name), name)
        self.assertEqual(reader.smallChunks + 1, slow.smallChunks)
        return reader, message

    def test_plain(self) -> None:
        """Headers of type 0, 1 and 2, one chunk or many, small and empty ones: never the longer way."""
        rows = [
            (header(fmt, 3, stamp, size) + chunked(bytes(range(200)) * 200)[: size + max(0, size - 1) // 128], size)
            for fmt in (0, 1)
            for stamp in (0, 40, 0xFFFFFE)
            for size in (0, 1, 63, 64, 127, 128, 129, 256, 257, 320, 15_000, 128 * FIRST_LOOK)
            if size > 0 or fmt == 0
        ]
        rows.append((header(2, 3, 40) + b"x" + header(0, 3, 7, 4) + b"next", 1))
        for data, size in rows:
            reader, message = self.watch(data)
            assert message is not None
            self.assertEqual((len(message.payload), type(message.payload), reader.longer), (size, bytes, 0))

    def test_timestamps(self) -> None:
        """Deltas are added modulo 2^32, and what type 3 repeats is the last of them."""
        data = header(0, 3, 5, 4, 9, 7) + b"abcd" + header(1, 3, 10, 5, 8) + b"abcde" + header(2, 3, 20) + b"fghij"
        data += b"\xc3klmno" + header(0, 3, 0, 4, 9, 0x01020304) + b"wxyz"
        self.assertEqual(
            read([KNOWN + data])[1:],
            [
                video(5, b"abcd", 3, 7),
                Message(8, 15, 7, b"abcde", 3),
                Message(8, 35, 7, b"fghij", 3),
                Message(8, 55, 7, b"klmno", 3),
                video(0, b"wxyz", 3, 0x01020304),
            ],
        )

    def test_notPlain(self) -> None:
        """Whatever is not plain goes the longer way, to the same end."""
        part = chunked(b"\xaa" * 600)
        rows = {
            "unknown chunk stream": header(0, 4, 0, 3) + b"abc",
            "an ID of two bytes": b"\x00\x05" + header(0, 3, 0, 3)[1:] + b"abc",
            "type 3": b"\xc3abc",
            "extended": header(0, 3, 0xFFFFFF, 3) + b"\1\0\0\0abc",
            "half a header": header(0, 3, 0, 3)[:9],
            "cut in the only chunk": header(1, 3, 0, 30) + b"abc",
            "cut in the second chunk": header(1, 3, 0, 600) + part[:200],
            "cut between chunks": header(1, 3, 0, 600) + part[:128],
            "another header between": header(1, 3, 0, 200)
            + b"\xaa" * 128
            + header(0, 4, 0, 3, 8)
            + b"abc\xc3"
            + b"\xaa" * 72,
            "control": header(0, 3, 0, 4, MessageType.SET_CHUNK_SIZE) + b"\0\0\1\0",
            "a large one": header(1, 3, 0, 70_000) + chunked(b"\xaa" * 70_000),
            "small chunks": sized(10) + header(1, 3, 0, 100) + chunked(b"\xaa" * 100, 10),
        }
        for name, data in rows.items():
            reader, _ = self.watch(data)
            self.assertGreater(reader.longer, 0, name)

    def test_newHeaderWithinAMessage(self) -> None:
        """One that is plain itself gives up what came before."""
        data = header(1, 3, 0, 300) + b"\xaa" * 128 + header(1, 3, 9, 3) + b"abc"
        reader = ChunkReader()
        self.assertEqual(read([KNOWN + data], reader)[1:], [video(1009, b"abc")])
        self.assertEqual((reader.droppedParts, reader.isWithinMessage), (1, False))

    def test_limits(self) -> None:
        """They are kept here as well, whatever type has the smallest; and may change between two messages."""
        limits = ReadLimits({MessageType.AUDIO: 10, MessageType.VIDEO: 100}, 50)
        for type, limit in ((8, 10), (9, 100), (18, 50)):
            reader = ChunkReader(limits)
            reader.add(
                KNOWN + header(1, 3, 0, limit, type) + bytes(limit) + header(1, 3, 0, limit + 1, type) + bytes(200)
            )
            self.assertEqual(
                [len(message.payload) for message in (reader.read(), reader.read()) if message], [1, limit]
            )
            self.assertRaises(LimitExceeded, reader.read)
        reader = ChunkReader()
        one = header(1, 3, 0, 65_537) + chunked(bytes(65_537))
        reader.add(KNOWN + one + one)
        self.assertEqual([len(message.payload) for message in (reader.read(), reader.read()) if message], [1, 65_537])
        reader.limits = STRANGER_LIMITS
        self.assertIs(reader.limits, STRANGER_LIMITS)
        self.assertRaises(LimitExceeded, reader.read)


class StepTests(SynchronousTestCase):
    """L{ChunkReader.add}, C{read} and C{finish}: what C{feed} and C{end} do, step by step."""

    def test_steps(self) -> None:
        reader = ChunkReader()
        reader.add(KNOWN + KNOWN[:5])
        reader.add(KNOWN[5:])
        self.assertEqual((reader.offset, reader.held), (0, 2 * len(KNOWN)))
        self.assertEqual([reader.read(), reader.read(), reader.read()], [video(1000, b"k")] * 2 + [None])
        self.assertEqual((reader.offset, reader.held), (2 * len(KNOWN), 0))

    def test_otherBytes(self) -> None:
        """What is fed may be any bytes-like object, and is not looked at again when it changes."""
        for data in (bytearray(KNOWN), memoryview(KNOWN)):
            [message] = ChunkReader().feed(data)
            self.assertIs(type(message.payload), bytes)

    def test_middleOfAChunk(self) -> None:
        """A large chunk in small reads, behind a rest of something else, and up to its last byte."""
        payload = bytes(range(256)) * 20
        data = sized(4096) + header(0, 3, 0, len(payload)) + chunked(payload, 4096)
        for size in (1, 7, 100, 1448):
            self.assertEqual(read(cutInto(data, [size] * (len(data) // size)))[1:], [video(0, payload)])

    def test_middleOfAChunkWithinLimits(self) -> None:
        """The bytes half sent are counted there too, and the error is the last that is heard."""
        reader = ChunkReader(ReadLimits(partialBytes=1000), offset=3073)
        list(reader.feed(sized(4096) + header(0, 3, 0, 4000) + bytes(500)))
        list(reader.feed(bytes(500)))
        error = self.assertRaises(LimitExceeded, list, reader.feed(bytes(1)))
        assert isinstance(error, LimitExceeded)
        self.assertEqual(error.reason, "more than 1000 bytes of messages half sent")
        self.assertEqual((error.offset, error.chunkStream), (3073 + 16 + 12 + 1001, 3))
        self.assertRaises(LocalProtocolError, reader.add, b"")

    def test_failed(self) -> None:
        """Nothing is read behind an error, and nothing kept."""
        reader = ChunkReader()
        reader.add(KNOWN + b"\xc7" + KNOWN)
        reader.read()
        self.assertRaises(RemoteProtocolError, reader.read)
        self.assertEqual((reader.read(), reader.held, reader.offset), (None, 0, len(KNOWN)))
        self.assertRaises(LocalProtocolError, reader.finish)
