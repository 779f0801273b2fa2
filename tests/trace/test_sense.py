"""
Tests for L{rtmptw.trace.sense}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.trace.chunkwalker import UNCUT, ChunkWalker
from rtmptw.trace.entry import Chunk
from rtmptw.trace.sense import hasSeams, isDoubtful, isProof, makesSense
from rtmptw.wire.chunkwriter import encodeMessage
from rtmptw.wire.message import Message, MessageType
from tests.trace.miscut import RESULT, command
from tests.wire.chunks import video


def uncut(data: bytes) -> tuple[Message, tuple[Chunk, ...]]:
    """The message that somebody reads who thinks that it was not cut."""
    walker = ChunkWalker()
    walker.fixed = walker.chunkSize = UNCUT
    walker.add(data)
    read = walker.read()
    assert read is not None
    return read


class MakesSenseTests(SynchronousTestCase):
    def test_values(self) -> None:
        """Commands and data are values to the last byte, and begin with a name."""
        self.assertTrue(makesSense(RESULT))
        payload = RESULT.payload
        for wrong in (payload[:100], payload + b"\xc3", payload[9:], payload[:128] + b"\xc3" + payload[128:-1]):
            self.assertFalse(makesSense(Message(MessageType.COMMAND, 0, 0, wrong)), wrong)
        self.assertTrue(makesSense(Message(MessageType.DATA, 0, 1, b"")))

    def test_control(self) -> None:
        self.assertTrue(makesSense(Message(MessageType.SET_CHUNK_SIZE, 0, 0, bytes(4))))
        self.assertFalse(makesSense(Message(MessageType.SET_CHUNK_SIZE, 0, 0, bytes(5))))
        self.assertTrue(makesSense(Message(MessageType.SET_PEER_BANDWIDTH, 0, 0, bytes(5))))

    def test_anythingElse(self) -> None:
        """Media, and what is unknown, may be anything."""
        for type in (4, 8, 9, 17, 22, 255):
            self.assertTrue(makesSense(Message(type, 0, 0, b"\xc3")))

    def test_proof(self) -> None:
        self.assertTrue(isProof(RESULT))
        self.assertFalse(isProof(Message(MessageType.COMMAND, 0, 0, b"")))
        self.assertFalse(isProof(video(0, b"123")))


class SeamTests(SynchronousTestCase):
    def assertSeams(self, message: Message, size: int) -> None:
        """Cut at that size, it has seams in those distances and in no others; not cut, it has none."""
        self.assertFalse(hasSeams(*uncut(encodeMessage(message, UNCUT)), size))
        cut = uncut(encodeMessage(message, size))
        self.assertTrue(hasSeams(*cut, size))
        self.assertFalse(hasSeams(*cut, size - 1))
        self.assertFalse(hasSeams(*cut, size + 1))

    def test_headers(self) -> None:
        """Headers of one, two and three bytes, with and without an extended timestamp, that are cut off at the end."""
        for id in (2, 3, 62, 64, 319, 320, 65000):
            for timestamp in (0, 0xFFFFFE, 0xFFFFFF, 0xFFFFFFFF):
                for length in (129, 130, 131, 134, 256, 1000, 5000):
                    self.assertSeams(video(timestamp, b"\xaa" * length, id), 128)

    def test_extendedNotRepeated(self) -> None:
        """Who leaves out the extended timestamp makes smaller seams."""
        data = encodeMessage(video(0xFFFFFF, b"\xaa" * 500, 6), 128).replace(b"\xc6\0\xff\xff\xff", b"\xc6")
        self.assertTrue(hasSeams(*uncut(data), 128))

    def test_oneIsMissing(self) -> None:
        data = encodeMessage(video(0, b"\xaa" * 500, 6), 128)
        place = data.rindex(b"\xc6")
        self.assertFalse(hasSeams(*uncut(data[:place] + b"\xaa" + data[place + 1 :]), 128))

    def test_cutAnyway(self) -> None:
        """A message that was read in such chunks has no seams for them."""
        walker = ChunkWalker()
        walker.add(encodeMessage(video(0, b"\xc6" * 500, 6), 128))
        read = walker.read()
        assert read is not None
        self.assertFalse(hasSeams(*read, 128))

    def test_short(self) -> None:
        self.assertFalse(hasSeams(*uncut(encodeMessage(video(0, b"\xc6" * 128, 6), 128)), 128))


class DoubtTests(SynchronousTestCase):
    def doubtful(self, data: bytes, chunkSize: int = 4096) -> bool:
        return isDoubtful(*uncut(data), chunkSize, (128, 4096, UNCUT))

    def test_media(self) -> None:
        """Seams are enough; only smaller chunks than believed make any."""
        data = encodeMessage(video(0, b"\xaa" * 500, 6), 128)
        self.assertTrue(self.doubtful(data))
        self.assertFalse(self.doubtful(data, 128))
        self.assertFalse(self.doubtful(encodeMessage(video(0, b"\xaa" * 500, 6), UNCUT)))

    def test_values(self) -> None:
        """Values with a seam in them make no sense."""
        self.assertTrue(self.doubtful(encodeMessage(RESULT, 128)))

    def test_lastText(self) -> None:
        """Not even if it is within the last text, which only gets another end."""
        self.assertTrue(self.doubtful(encodeMessage(command("releaseStream", 2.0, None, "x" * 150), 128)))

    def test_letter(self) -> None:
        """A letter that begins with the same byte is no seam."""
        for before, doubtful in ((b"d", False), (b"\xc3", True)):
            name = (b"n" * 90 + before).decode("utf-8", "surrogateescape") + "\u00e9" + "n" * 50
            payload = command("releaseStream", 2.0, None, name)
            start = payload.payload.index(b"\xc3\xa9")
            payload = command("releaseStream", 2.0, None, "n" * (128 - start) + name)
            self.assertEqual(payload.payload[127:130], before + b"\xc3\xa9")
            self.assertEqual(self.doubtful(encodeMessage(payload, UNCUT)), doubtful)
            self.assertEqual(len(encodeMessage(payload, UNCUT)), 12 + len(payload.payload))
