# -*- test-case-name: tests.wire.test_chunkwriter -*-
"""
Tests for L{rtmptw.wire.chunkwriter}.

What is written is looked at in two ways: by L{walk}, which knows no more than the specification and reports headers,
and by our own reader. C{test_conformanceN_...} are the lines of wire facts section 10.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import LocalProtocolError
from rtmptw.wire.chunkreader import DEFAULT_CHUNK_SIZE, ChunkReader
from rtmptw.wire.chunkwriter import ChunkWriter, encodeMessage
from rtmptw.wire.control import setChunkSize
from rtmptw.wire.limits import ReadLimits
from rtmptw.wire.message import MAX_MESSAGE_SIZE, Message, MessageType
from tests.wire.chunks import header, read, video

#: A reader for whatever a writer may write.
ANYTHING = ReadLimits(messageSize={}, otherMessageSize=MAX_MESSAGE_SIZE, chunkStreams=100_000)

#: Around every place where the form of a timestamp changes.
STAMPS = st.one_of(
    st.sampled_from((0, 1, 0xFFFFFE, 0xFFFFFF, 0x1000000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 5000),
)
IDS = st.one_of(st.integers(2, 8), st.sampled_from((2, 63, 64, 319, 320, 65599)), st.integers(2, 65599))


@dataclass
class Chunk:
    """What L{walk} sees of a chunk. C{stamp} is the field as it stands, C{extended} the bytes behind the header."""

    fmt: int
    id: int
    stamp: int
    streamId: int
    extended: bytes
    body: bytes
    first: bool


def walk(data: bytes, chunkSize: int, known: dict[int, tuple[int, int]] | None = None) -> Iterator[Chunk]:
    """
    The chunks of messages that are written whole, with the extension in every chunk of a message that has it.

    @param known: length and type by chunk stream, from an earlier walk; it is kept up to date.
    """
    known = {} if known is None else known
    left, extended, place = 0, b"", 0
    while place < len(data):
        fmt, id, place = data[place] >> 6, data[place] & 63, place + 1
        if id < 2:
            size = id + 1
            id, place = 64 + int.from_bytes(data[place : place + size], "little"), place + size
        first = not left
        stamp, streamId = -1, -1
        length, type = known.get(id, (-1, -1))
        if fmt < 3:
            stamp, place = int.from_bytes(data[place : place + 3], "big"), place + 3
        if fmt < 2:
            length, type = int.from_bytes(data[place : place + 3], "big"), data[place + 3]
            place += 4
        if fmt == 0:
            streamId, place = int.from_bytes(data[place : place + 4], "little"), place + 4
        if fmt < 3:
            extended = b"\0" * 4 if stamp == 0xFFFFFF else b""
        extended, place = data[place : place + len(extended)], place + len(extended)
        known[id] = (length, type)
        left = left or length
        body = data[place : place + min(left, chunkSize)]
        left, place = left - len(body), place + len(body)
        yield Chunk(fmt, id, stamp, streamId, extended, body, first)
    assert (left, place) == (0, len(data)), "cut short"


class ConformanceTests(SynchronousTestCase):
    """The lines of wire facts section 10 that the chunk writer keeps."""

    def test_conformance29_everyMessageIsCut(self) -> None:
        """A connect reply of 190 bytes with our chunk size still 128: FFmpeg waits for ever if it is not cut."""
        reply = Message(MessageType.COMMAND, 0, 0, Random(29).randbytes(190), 3)
        data = ChunkWriter().write(reply)
        self.assertEqual(
            data, bytes.fromhex("03 000000 0000be 14 00000000") + reply.payload[:128] + b"\xc3" + reply.payload[128:]
        )
        self.assertEqual(encodeMessage(reply, 128), data)

    def test_conformance29_everyType(self) -> None:
        """Whatever the type, and whatever the length of the basic header."""
        for type in (3, 4, 5, 6, 8, 9, 15, 18, 20, 22, 255):
            for id, separator in (
                (2, "c2"),
                (63, "ff"),
                (64, "c000"),
                (319, "c0ff"),
                (320, "c10001"),
                (65599, "c1ffff"),
            ):
                body = b"\xaa" * 128 + bytes.fromhex(separator) + b"\xaa" * 128 + bytes.fromhex(separator) + b"\xaa"
                self.assertTrue(ChunkWriter().write(Message(type, 0, 0, b"\xaa" * 257, id)).endswith(b"\0\0" + body))

    def test_conformance29_exactMultiples(self) -> None:
        """A message that fills its chunks has no empty chunk behind."""
        for length, chunks in ((0, 1), (1, 1), (127, 1), (128, 1), (129, 2), (256, 2), (257, 3)):
            data = ChunkWriter().write(video(0, b"\xaa" * length))
            self.assertEqual(len(data), 12 + length + chunks - 1)
            self.assertEqual(len(list(walk(data, 128))), chunks)

    def test_conformance30_ownChunkSize(self) -> None:
        """It holds for everything behind our own Set Chunk Size, which is itself cut at the old one."""
        writer = ChunkWriter()
        reply = Message(MessageType.COMMAND, 0, 0, b"\xaa" * 190, 3)
        self.assertEqual(writer.write(setChunkSize(4096)), bytes.fromhex("02 000000 000004 01 00000000 00001000"))
        self.assertEqual(writer.chunkSize, 4096)
        self.assertEqual(len(writer.write(reply)), 12 + 190)
        self.assertEqual(writer.write(setChunkSize(1))[-4:], b"\0\0\0\1")
        self.assertEqual(writer.write(setChunkSize(128)), bytes.fromhex("82 000000 00 c200 c200 c280"))
        self.assertEqual(writer.chunkSize, 128)

    def test_conformance30_notThePeersChunkSize(self) -> None:
        """What the peer announces is the reader's business: writing goes on as before."""
        writer, reader = ChunkWriter(), ChunkReader()
        list(reader.feed(ChunkWriter().write(setChunkSize(65536))))
        self.assertEqual((reader.chunkSize, writer.chunkSize), (65536, DEFAULT_CHUNK_SIZE))
        self.assertEqual(len(writer.write(video(0, b"\xaa" * 190))), 12 + 190 + 1)

    def test_conformance31_type0(self) -> None:
        """On first use, when time goes back, when the delta needs an extension, on another message stream."""
        for second, fmt in (
            (replace(video(1000, b"ab"), chunkStreamId=4), 0),
            (video(999, b"ab"), 0),
            (video(0, b"ab"), 0),
            (video(1000 + 0xFFFFFF, b"ab"), 0),
            (video(1000, b"ab", streamId=2), 0),
            (video(1000 + 0xFFFFFE, b"abc"), 1),
            (video(1000, b"abc"), 1),
            (replace(video(1000, b"ab"), type=8), 1),
            (video(1000 + 0xFFFFFE, b"ab"), 2),
            (video(1000, b"ab"), 2),
        ):
            writer = ChunkWriter()
            self.assertEqual(writer.write(video(1000, b"ab"))[0] >> 6, 0)
            self.assertEqual(writer.write(second)[0] >> 6, fmt, second)

    def test_conformance31_timeWraps(self) -> None:
        """From 2^32-1 to 0 is backward."""
        writer = ChunkWriter()
        writer.write(video(0xFFFFFFFF, b"ab"))
        self.assertEqual(writer.write(video(3, b"ab")), header(0, 3, 3, 2) + b"ab")

    def test_conformance32_neverType3ToStart(self) -> None:
        """Not even where it would be the shortest: same delta, or a delta of 0 behind type 0."""
        writer = ChunkWriter()
        formats = [writer.write(video(timestamp, b"a"))[0] >> 6 for timestamp in (40, 40, 80, 120, 120, 240)]
        self.assertEqual(formats, [0, 2, 2, 2, 2, 2])

    def test_conformance33_extensionInEveryChunk(self) -> None:
        """From exactly 0xFFFFFF on, and in chunks of one byte too."""
        for timestamp in (0xFFFFFF, 0x1000000, 0xFFFFFFFF):
            stamp = timestamp.to_bytes(4, "big")
            a, b, c = b"\xaa" * 128, b"\xbb" * 128, b"\xcc"
            self.assertEqual(
                ChunkWriter().write(video(timestamp, a + b + c)),
                header(0, 3, 0xFFFFFF, 257) + stamp + a + b"\xc3" + stamp + b + b"\xc3" + stamp + c,
            )
        self.assertEqual(ChunkWriter().write(video(0xFFFFFE, b"abc")), header(0, 3, 0xFFFFFE, 3) + b"abc")

    def test_conformance33_notBehindAPlainDelta(self) -> None:
        """A delta that fits its field has no extension, however late it is."""
        writer = ChunkWriter()
        writer.write(video(0x1000000, b"a"))
        a = b"\xaa" * 128
        self.assertEqual(writer.write(video(0x1000005, a + a)), header(1, 3, 5, 256) + a + b"\xc3" + a)

    def test_conformance34_whole(self) -> None:
        """Each message is written to its end; control messages of ours go to chunk stream 2, message stream 0."""
        writer = ChunkWriter()
        data = writer.write(video(0, b"\xaa" * 300, 6)) + writer.write(setChunkSize(256))
        data += writer.write(Message(MessageType.AUDIO, 0, 1, b"\xbb" * 200, 4))
        self.assertEqual([chunk.id for chunk in walk(data[:-212], 128)], [6, 6, 6, 2])

    def test_conformance35_whatIsNeverWritten(self) -> None:
        """An Abort, or a chunk size out of range: refused, and as if it had never been tried."""
        writer = ChunkWriter()
        writer.write(setChunkSize(4096))
        for type, body in (
            (MessageType.ABORT, b"\0\0\0\3"),
            (MessageType.SET_CHUNK_SIZE, b"\0\0\0\0"),
            (MessageType.SET_CHUNK_SIZE, b"\x80\0\0\0"),
            (MessageType.SET_CHUNK_SIZE, b"\xff\xff\xff\xff"),
            (MessageType.SET_CHUNK_SIZE, b"\1\0\0\0"),
            (MessageType.SET_CHUNK_SIZE, b""),
            (MessageType.SET_CHUNK_SIZE, b"\0\1\0"),
            (MessageType.SET_CHUNK_SIZE, b"\0\0\1\0\0"),
        ):
            self.assertRaises(LocalProtocolError, writer.write, Message(type, 77, 0, body, 2))
        self.assertEqual(writer.chunkSize, 4096)
        self.assertEqual(writer.write(setChunkSize(MAX_MESSAGE_SIZE)), bytes.fromhex("82 000000 00ffffff"))


class BoundsTests(SynchronousTestCase):
    """Fields that do not fit are the caller's mistake, and leave no trace."""

    def test_whatDoesNotFit(self) -> None:
        good = video(5, b"abc")
        for bad in (
            replace(good, timestamp=-1),
            replace(good, timestamp=1 << 32),
            replace(good, streamId=-1),
            replace(good, streamId=1 << 32),
            replace(good, type=-1),
            replace(good, type=256),
            replace(good, chunkStreamId=1),
            replace(good, chunkStreamId=0),
            replace(good, chunkStreamId=-5),
            replace(good, chunkStreamId=65600),
            replace(good, payload=bytes(MAX_MESSAGE_SIZE + 1)),
        ):
            writer = ChunkWriter()
            writer.write(good)
            self.assertRaises(LocalProtocolError, encodeMessage, bad, 128)
            self.assertRaises(LocalProtocolError, writer.write, bad)
            self.assertEqual(writer.write(good), header(2, 3, 0) + b"abc")

    def test_chunkSizes(self) -> None:
        """C{encodeMessage} can't cut to nothing, not even an empty message."""
        for size in (0, -1, -128):
            for payload in (b"", b"abc"):
                self.assertRaises(LocalProtocolError, encodeMessage, video(0, payload), size)

    def test_largest(self) -> None:
        """Every field at its end, and a message of 16777215 bytes."""
        message = Message(255, 0xFFFFFFFF, 0xFFFFFFFF, bytes(MAX_MESSAGE_SIZE), 65599)
        data = encodeMessage(message, 0x7FFFFFFF)
        self.assertEqual(data[:18], bytes.fromhex("01ffff ffffff ffffff ff ffffffff ffffffff"))
        self.assertEqual(len(data), 18 + MAX_MESSAGE_SIZE)
        self.assertEqual(read([ChunkWriter().write(message)], ChunkReader(ANYTHING)), [message])


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """Any message that may be written; also Set Chunk Size."""
    id = draw(IDS)
    if draw(st.integers(0, 5)) == 0:
        size = draw(st.one_of(st.integers(1, 300), st.sampled_from((128, 4096, 65536, MAX_MESSAGE_SIZE))))
        return Message(MessageType.SET_CHUNK_SIZE, draw(STAMPS), 0, size.to_bytes(4, "big"), id)
    type = draw(st.one_of(st.sampled_from((8, 9, 18, 20)), st.integers(0, 255).filter(lambda type: type not in (1, 2))))
    payload = draw(st.binary(max_size=20)) * draw(st.sampled_from((1, 1, 30)))
    return Message(type, draw(STAMPS), draw(st.sampled_from((0, 1, 1, 0xFFFFFFFF))), payload, id)


class RoundTripTests(SynchronousTestCase):
    """What is written can be read, by ourselves and by a plain walk along the headers."""

    @settings(deadline=None, max_examples=100)
    @given(st.lists(messages(), max_size=12))
    def test_throughTheReader(self, sent: list[Message]) -> None:
        """Any messages, any chunk sizes, any chunk streams."""
        writer, reader = ChunkWriter(), ChunkReader(ANYTHING)
        data = b"".join(map(writer.write, sent))
        self.assertEqual(read([data], reader), sent)
        self.assertEqual((reader.chunkSize, reader.droppedParts, reader.held), (writer.chunkSize, 0, 0))

    @settings(deadline=None, max_examples=100)
    @given(st.lists(messages(), max_size=8))
    def test_alongTheHeaders(self, sent: list[Message]) -> None:
        """No message starts with type 3, no continuation is of another type, and no delta has an extension."""
        writer = ChunkWriter()
        last: dict[int, Message] = {}
        known: dict[int, tuple[int, int]] = {}
        for message in sent:
            size, id = writer.chunkSize, message.chunkStreamId
            data = writer.write(message)
            chunks = list(walk(data, size, known))
            self.assertEqual(b"".join(chunk.body for chunk in chunks), message.payload)
            self.assertEqual([chunk.id for chunk in chunks], [id] * max(1, -(-len(message.payload) // size)))
            self.assertTrue(chunks[0].first and chunks[0].fmt < 3)
            self.assertTrue(all(chunk.fmt == 3 and not chunk.first for chunk in chunks[1:]))
            if chunks[0].fmt == 0:
                stamp = message.timestamp
                self.assertEqual((chunks[0].stamp, chunks[0].streamId), (min(stamp, 0xFFFFFF), message.streamId))
                extension = stamp.to_bytes(4, "big") if stamp >= 0xFFFFFF else b""
            else:
                self.assertEqual(chunks[0].stamp, message.timestamp - last[id].timestamp)
                self.assertEqual(message.streamId, last[id].streamId)
                extension = b""
            self.assertEqual({chunk.extended for chunk in chunks}, {extension})
            last[id] = message

    @settings(deadline=None, max_examples=50)
    @given(messages(), st.integers(1, 300), st.lists(messages(), max_size=3))
    def test_encodeMessageIsStateless(self, message: Message, size: int, others: list[Message]) -> None:
        """The same bytes whatever was written before, and readable behind whatever came before."""
        data = encodeMessage(message, size)
        for other in others:
            encodeMessage(other, size)
        self.assertEqual(encodeMessage(message, size), data)
        self.assertEqual(data[0] >> 6, 0)
        writer, reader = ChunkWriter(), ChunkReader(ANYTHING)
        before = [*others, Message(MessageType.SET_CHUNK_SIZE, 0, 0, size.to_bytes(4, "big"), 2)]
        # The second copy starts anew after a Set Chunk Size as well.
        again = data if message.type != MessageType.SET_CHUNK_SIZE else b""
        found = read([b"".join(map(writer.write, before)), data, again], reader)
        self.assertEqual(found, [*before, message, *([message] if again else [])])
