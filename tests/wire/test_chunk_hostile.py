# -*- test-case-name: tests.wire.test_chunk_hostile -*-
"""
Hostile input to the chunk layer: C{test_BN_...} are the rows of the list of hostile input.

Only L{RemoteProtocolError} and L{LimitExceeded} may come out, and memory grows by what was received, never by what was
announced. Where the list is stricter than real clients are, the wire facts win.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import LimitExceeded, RemoteProtocolError
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.control import UserControl, UserControlType, controlValue
from rtmptw.wire.handshake import HANDSHAKE_SIZE
from rtmptw.wire.limits import STRANGER_LIMITS, ReadLimits
from rtmptw.wire.message import MAX_MESSAGE_SIZE, Message
from tests.wire.chunks import aborted, cutInto, header, read, sized, video

CAPTURES = Path(__file__).parents[1] / "captures"
KIB = 1024
ABC = b"abc"
PART = b"\xaa" * 128


def basic(fmt: int, id: int) -> bytes:
    """A basic header in three bytes, for chunk streams from 64 on."""
    return bytes((fmt << 6 | 1, (id - 64) & 0xFF, (id - 64) >> 8))


class HostileTests(SynchronousTestCase):
    def peak(self, act: Callable[[], object]) -> int:
        """The most bytes that were allocated at a time while C{act} ran."""
        tracemalloc.start()
        try:
            act()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def assertTooMuch(self, reader: ChunkReader, data: bytes, reason: str) -> None:
        """C{data} breaks a limit, and that costs little memory, although it comes in segments and goes on."""

        def feedAll() -> None:
            for piece in cutInto(data, [1448] * (len(data) // 1448)):
                for _ in reader.feed(piece):
                    pass

        def attempt() -> None:
            error = self.assertRaises(LimitExceeded, feedAll)
            self.assertIn(reason, str(error))

        self.assertTrue(self.peak(attempt) < 256 * KIB)

    def test_B1_everyChunkStreamHalfAMessage(self) -> None:
        """65,536 chunk streams, each with the first byte of a large message: by size, by number, by sum."""
        starts = [basic(0, id) + header(0, 3, 0, MAX_MESSAGE_SIZE)[1:] + b"\xaa" for id in range(64, 65600)]
        self.assertTooMuch(ChunkReader(), b"".join(starts), "a message of 16777215 bytes")
        fitting = [basic(0, id) + header(0, 3, 0, 64 * KIB)[1:] + b"\xaa" for id in range(64, 65600)]
        self.assertTooMuch(ChunkReader(), sized(1) + b"".join(fitting), "more than 16 messages half sent")
        empty = [basic(0, id) + header(0, 3)[1:] for id in range(64, 65600)]
        self.assertTooMuch(ChunkReader(), b"".join(empty), "more than 64 chunk streams in use")
        halves = [header(0, id, 0, 64 * KIB, 20) + b"\xaa" * 60 * KIB for id in range(3, 10)]
        self.assertTooMuch(
            ChunkReader(STRANGER_LIMITS),
            sized(60 * KIB) + b"".join(halves),
            "more than 131072 bytes of messages half sent",
        )

    def test_B2_announcedAndNeverSent(self) -> None:
        """The largest message that is allowed, without a body: nothing is kept but its header."""
        anything = ReadLimits({}, MAX_MESSAGE_SIZE)
        for id in range(3, 63):
            head = header(0, id, 0, MAX_MESSAGE_SIZE)
            messages = ChunkReader(anything).feed(head)
            self.assertTrue(self.peak(partial(list, messages)) < 64 * KIB)

    def test_B2_memoryIsWhatWasReceived(self) -> None:
        """100 KiB of 8 MiB, in segments: not much more than those 100 KiB."""
        data = sized(65536) + header(0, 6, 0, 8 << 20) + b"\xaa" * 65536 + b"\xc6" + b"\xaa" * 34 * KIB
        reader = ChunkReader()
        pieces = list(cutInto(data, [1448] * (len(data) // 1448)))
        self.assertTrue(self.peak(lambda: [list(reader.feed(piece)) for piece in pieces]) < 250 * KIB)

    def test_B3_newHeaderWithinAMessage(self) -> None:
        """Another length or type in mid-message starts a new message; the old part is dropped, counted, and freed."""
        half = header(0, 3, 0, 300) + PART
        for fmt in (0, 1):
            for length, type in ((300, 8), (3, 9), (3, 20)):
                reader = ChunkReader()
                body = (PART + b"\xc3" + PART + b"\xc3" + PART)[: length + 2 * (length > 128)]
                messages = read([half + header(fmt, 3, 7, length, type) + body], reader)
                self.assertEqual(messages, [Message(type, 7, 1, body.replace(b"\xc3", b""), 3)])
                self.assertEqual(reader.droppedParts, 1)
        reader = ChunkReader(STRANGER_LIMITS)
        part = header(1, 3, 0, 64 * KIB) + b"\xaa" * 60 * KIB
        list(reader.feed(sized(60 * KIB)))
        self.assertTrue(self.peak(lambda: [list(reader.feed(part)) for _ in range(100)]) < 512 * KIB)
        self.assertEqual(reader.droppedParts, 99)

    def test_B4_chunkSizeZeroOrNegative(self) -> None:
        for size in (0, 0x80000000, 0x80000080, 0xFFFFFFFF):
            error = self.assertRaises(RemoteProtocolError, list, ChunkReader().feed(sized(size)))
            self.assertEqual((error.offset, error.chunkStream, error.messageType), (16, 2, 1))
            self.assertFalse(isinstance(error, LimitExceeded))

    def test_B5_chunksOfOneByte(self) -> None:
        """8 MiB of them are read, and counted as work: the owner of the clock decides what is too much."""
        payload = Random(5).randbytes(8 << 20)
        body = bytearray(b"\xc6") * (2 * len(payload) - 1)
        body[::2] = payload
        reader = ChunkReader()
        messages = read([sized(1) + header(0, 6, 0, len(payload)) + body], reader)
        self.assertTrue(messages[1].payload == payload)
        self.assertEqual(reader.smallChunks, 1 + len(payload))

    def test_B6_hugeChunkSizes(self) -> None:
        """Larger than any message counts as the largest message, and allocates nothing."""
        for size in (134217728, 2147483647, MAX_MESSAGE_SIZE, MAX_MESSAGE_SIZE + 1):
            reader = ChunkReader()
            data = sized(size) + header(0, 3, 0, 8 << 20)
            self.assertTrue(self.peak(partial(list, reader.feed(data))) < 64 * KIB)
            self.assertEqual(reader.chunkSize, MAX_MESSAGE_SIZE)

    def test_B7_chunkSizeWhileOthersArePartial(self) -> None:
        """It holds from the next chunk on; the parts are kept."""
        data = b"".join(header(0, id, id, 400) + PART for id in (3, 4, 5)) + sized(272)
        data += b"".join(bytes((0xC0 | id,)) + b"\xbb" * 272 for id in (5, 3, 4))
        self.assertEqual(read([data])[1:], [video(id, PART + b"\xbb" * 272, id) for id in (5, 3, 4)])

    def test_B9_headersWithNothingToBuildOn(self) -> None:
        """Type 2 and 3 on a fresh chunk stream are errors; type 1 is what librtmp and OBS send."""
        for data in (header(2, 3), b"\xc3", b"\xc0\0", b"\xc1\0\0", basic(2, 65599) + b"\0\0\0"):
            error = self.assertRaises(RemoteProtocolError, list, ChunkReader().feed(header(0, 5) + data))
            self.assertEqual(error.offset, 12)
            self.assertFalse(isinstance(error, LimitExceeded))
        self.assertEqual(read([header(1, 3, 5, 3) + ABC]), [Message(9, 5, 0, ABC, 3)])

    def test_B10_emptyMessagesOfOneByte(self) -> None:
        """A message for each byte: they come lazily and are counted; nothing is kept."""
        reader = ChunkReader()
        data = header(0, 3, 0, 0, 8) + b"\xc3" * 50_000

        def count() -> None:
            self.assertEqual(sum(not message.payload for message in reader.feed(data)), 50_001)

        self.assertTrue(self.peak(count) < 64 * KIB)
        self.assertEqual((reader.emptyMessages, reader.smallChunks, reader.held), (50_001, 0, 0))

    def test_B11_abort(self) -> None:
        """Of its own chunk stream, of unknown ones, too short, too long: only a part is ever dropped."""
        half, rest = header(0, 3, 1, 130) + PART, b"\xc3\1\2"
        whole = [video(1, PART + b"\1\2")]
        for abort in (
            aborted(2),
            aborted(4),
            aborted(65599),
            aborted(0xFFFFFFFF),
            header(0, 2, 0, 0, 2, 0),
            header(0, 2, 0, 3, 2, 0) + b"\0\0\3",
        ):
            for place in range(len(abort)):
                pieces = cutInto(half + abort + rest, [len(half) + place])
                self.assertEqual(read(pieces)[1:], whole)
        reader = ChunkReader()
        self.assertEqual(len(read([half + header(0, 2, 0, 5, 2, 0) + b"\0\0\0\3\3" + aborted(3)], reader)), 2)
        self.assertEqual(reader.droppedParts, 1)
        # One that comes on the chunk stream it aborts has itself just ended.
        own = header(0, 3, 0, 4, 2, 0) + b"\0\0\0\3"
        self.assertEqual(read([own * 3 + header(1, 3, 1, 3) + ABC])[3:], [Message(9, 1, 0, ABC, 3)])
        # One that is cut in chunks, and aborts another that is cut in chunks.
        data = (
            sized(2) + header(0, 2, 0, 4, 2, 0) + b"\0\0" + header(0, 3, 0, 4) + b"ab" + b"\xc2\0\3" + b"\xc3cd\xc3ef"
        )
        self.assertEqual(read([data])[2:], [video(0, b"cdef")])

    def test_B12_extendedTimestampPresentOrNot(self) -> None:
        """Both styles at 2^24-2, 2^24-1, 2^24 and 2^32-1, on messages of one to three chunks."""
        for timestamp in (0xFFFFFE, 0xFFFFFF, 0x1000000, 0xFFFFFFFF):
            extension = timestamp.to_bytes(4, "big") if timestamp >= 0xFFFFFF else b""
            for length in (0, 1, 128, 129, 256, 257):
                for again in {extension, b""}:
                    payload = b"\xaa" * length
                    parts = [payload[start : start + 128] for start in range(0, length, 128)]
                    data = header(0, 3, min(timestamp, 0xFFFFFF), length) + extension + (b"\xc3" + again).join(parts)
                    data += header(0, 4, 0, 3, 8) + ABC
                    for size in (len(data), 1, 5):
                        messages = read(cutInto(data, [size] * (len(data) // size)))
                        self.assertEqual(messages, [video(timestamp, payload), Message(8, 0, 1, ABC, 4)])

    def test_B13_chunkStreamIds(self) -> None:
        """Any number in any form, but no more than 64 of them."""
        forms = [(bytes((id,)), id) for id in (2, 3, 63)]
        forms += [(bytes((0, id - 64)), id) for id in (64, 65, 319)]
        forms += [(basic(0, id), id) for id in (64, 65, 319, 320, 65598, 65599)]
        for form, id in forms:
            self.assertEqual(read([form + header(0, 3, 0, 3)[1:] + ABC]), [video(0, ABC, id)])
        data = b"".join(basic(0, 64 + 1000 * n) + header(0, 3, 0, 3)[1:] + ABC for n in range(64))
        reader = ChunkReader()
        self.assertEqual(len(list(reader.feed(data * 2))), 128)
        self.assertRaises(LimitExceeded, list, reader.feed(header(0, 2)))

    def test_B14_interleavedByteByByte(self) -> None:
        """16 chunk streams take turns byte for byte; every cut in two, and one byte at a time."""
        payloads = {id: bytes((id,)) * 20 for id in range(3, 19)}
        data = sized(1) + b"".join(header(0, id, 0, 20) + payload[:1] for id, payload in payloads.items())
        data += b"".join(bytes((0xC0 | id,)) + payload[:1] for _ in range(19) for id, payload in payloads.items())
        expected = [video(0, payload, id) for id, payload in payloads.items()]
        self.assertEqual(read(cutInto(data, [1] * len(data)))[1:], expected)
        for place in range(len(data)):
            self.assertEqual(read(cutInto(data, [place]))[1:], expected)
        more = header(0, 20, 0, 20) + b"\0"
        self.assertRaises(LimitExceeded, list, ChunkReader().feed(data[: 16 + 16 * 13] + more))

    def test_B15_unknownTypes(self) -> None:
        """They are messages like others, no larger than 64 KiB; what becomes of them is not the reader's business."""
        for type in (0, 7, 21, 255):
            self.assertEqual(read([header(0, 3, 0, 3, type) + ABC]), [Message(type, 0, 1, ABC, 3)])
            list(ChunkReader().feed(header(0, 3, 0, 64 * KIB, type)))
            self.assertTooMuch(ChunkReader(), header(0, 3, 0, 64 * KIB + 1, type), "where 65536 are allowed")

    def test_B19_extremeControlValues(self) -> None:
        """SetBufferLength of 2^32-1 and a PeerBandwidth that changes all the time: read as they are."""
        length = header(0, 2, 0, 10, 4, 0) + b"\0\3\0\0\0\1\xff\xff\xff\xff"
        [message] = read([length])
        self.assertEqual(
            UserControl.decode(message.payload), UserControl(UserControlType.SET_BUFFER_LENGTH, 1, 0xFFFFFFFF)
        )
        flips = b"".join(header(0, 2, 0, 5, 6, 0) + size.to_bytes(4, "big") + b"\2" for size in (0, 0xFFFFFFFF) * 100)
        self.assertEqual([controlValue(message) for message in read([flips])], [0, 0xFFFFFFFF] * 100)


class FuzzTests(SynchronousTestCase):
    """Whatever comes: messages or a L{RemoteProtocolError}, the same however it is cut."""

    #: What is half sent depends on the cuts, so it is given room.
    LIMITS = ReadLimits({}, 5000, partialBytes=6 * 5000, partialMessages=6, chunkStreams=6)

    def outcome(self, data: bytes, sizes: list[int]) -> tuple[list[Message], str, str]:
        reader = ChunkReader(self.LIMITS)
        messages: list[Message] = []
        try:
            for piece in cutInto(data, sizes):
                messages.extend(reader.feed(piece))
                self.assertTrue(0 <= reader.held < 18)
            messages.extend(reader.end())
        except RemoteProtocolError as error:
            return messages, str(error), reader.whereabouts
        return messages, "", reader.whereabouts

    @settings(deadline=None, max_examples=150)
    @given(st.binary(max_size=400), st.lists(st.integers(1, 40), max_size=20))
    def test_anyBytes(self, data: bytes, sizes: list[int]) -> None:
        for start in (b"", sized(3)):
            expected = self.outcome(start + data, [])
            self.assertEqual(self.outcome(start + data, sizes), expected)
            self.assertEqual(self.outcome(start + data, [1] * len(data)), expected)

    @settings(deadline=None, max_examples=60)
    @given(seed=st.integers(0, 2**32 - 1))
    def test_spoiledCaptures(self, seed: int) -> None:
        """A capture in which bytes were changed, lost and doubled."""
        random = Random(seed)
        path = random.choice(sorted(CAPTURES.glob("*.bin")))
        data = bytearray(path.read_bytes()[HANDSHAKE_SIZE : HANDSHAKE_SIZE + 6000])
        for _ in range(random.randrange(1, 6)):
            place, size = random.randrange(len(data) - 10), random.randrange(4)
            data[place : place + size] = random.choice(
                (b"", random.randbytes(size), bytes(data[place : place + size]) * 2)
            )
        expected = self.outcome(bytes(data), [])
        self.assertEqual(self.outcome(bytes(data), random.choices((1, 5, 129, 1448), k=len(data))), expected)
