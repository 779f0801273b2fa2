# -*- test-case-name: tests.wire.test_chunkreader -*-
"""
Tests for L{rtmptw.wire.chunkreader} and L{rtmptw.wire.limits}.

C{test_conformanceN_...} are the lines of wire facts section 10, each from literal bytes and cut at every place. That
the strokes change nothing but the speed is tested in L{tests.wire.test_chunkstrokes}.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import LimitExceeded, LocalProtocolError, RemoteProtocolError
from rtmptw.wire.chunkreader import DEFAULT_CHUNK_SIZE, ChunkReader
from rtmptw.wire.limits import STRANGER_LIMITS, ReadLimits
from rtmptw.wire.message import MAX_MESSAGE_SIZE, Message, MessageType
from tests.wire.chunks import aborted, cutInto, first, header, read, sized, video

ABC = b"abc"
EXT = "ffffff"


class ConformanceTests(SynchronousTestCase):
    """The lines of wire facts section 10 that the chunk reader keeps."""

    def assertReads(self, data: bytes | str, expected: list[Message]) -> None:
        """These chunks (or their hex digits) give these messages: whole, byte by byte, and cut in two anywhere."""
        if isinstance(data, str):
            data = bytes.fromhex(data)
        self.assertEqual(read([data]), expected)
        self.assertEqual(read(cutInto(data, [1] * len(data))), expected)
        for place in range(1, len(data)):
            self.assertEqual(read(cutInto(data, [place])), expected, f"cut at {place}")

    def test_conformance11_stateForEachChunkStream(self) -> None:
        """Two chunk streams, each with its own timestamp, length, type and message stream."""
        self.assertReads(
            """
            03 000064 000003 14 00000000 616263
            04 0000c8 000001 08 01000000 aa
            43 00000a 000002 14 6162
            84 000005 bb
            c3 6364
            """,
            [
                Message(20, 100, 0, ABC, 3),
                Message(8, 200, 1, b"\xaa", 4),
                Message(20, 110, 0, b"ab", 3),
                Message(8, 205, 1, b"\xbb", 4),
                Message(20, 120, 0, b"cd", 3),
            ],
        )

    def test_conformance12_chunkStreamIdsAndLittleEndianStreamId(self) -> None:
        """Chunk stream IDs in one, two and three bytes, from 2 to 65599; the message stream ID is little endian."""
        for basic, id in (
            ("02", 2),
            ("3f", 63),
            ("0000", 64),
            ("00ff", 319),
            ("010000", 64),
            ("01ff00", 319),
            ("010001", 320),
            ("01ffff", 65599),
        ):
            again = f"{int(basic[:2], 16) | 0xC0:02x}{basic[2:]}"
            self.assertReads(
                f"{basic} 000007 000003 09 0a0b0c0d 616263 {again} 646566",
                [video(7, ABC, id, 0x0D0C0B0A), video(14, b"def", id, 0x0D0C0B0A)],
            )

    def test_conformance12_twoFormsOfOneChunkStream(self) -> None:
        """The two and three byte forms of the same ID mean the same chunk stream."""
        self.assertReads("0005 000007 000003 09 01000000 616263 c10500 616263", [video(7, ABC, 69), video(14, ABC, 69)])

    def test_conformance13_type1FirstOnAChunkStream(self) -> None:
        """A ping reply of librtmp: type 1 on a fresh chunk stream counts from 0, on message stream 0."""
        self.assertReads("42 000005 000006 04 0007 00000009", [Message(4, 5, 0, b"\0\x07\0\0\0\x09", 2)])

    def test_conformance14_type3StartsAMessage(self) -> None:
        """Behind type 1 and 2 the delta is repeated, with length, type and message stream."""
        self.assertReads(
            """
            04 000064 000001 08 01000000 aa
            44 000015 000003 08 616263
            c4 646566
            84 000020 676869
            c4 6a6b6c
            c4 6d6e6f
            """,
            [
                Message(8, 100, 1, b"\xaa", 4),
                Message(8, 121, 1, ABC, 4),
                Message(8, 142, 1, b"def", 4),
                Message(8, 174, 1, b"ghi", 4),
                Message(8, 206, 1, b"jkl", 4),
                Message(8, 238, 1, b"mno", 4),
            ],
        )

    def test_conformance15_type3StraightBehindType0(self) -> None:
        """The absolute timestamp counts as the delta: 26, then 52, then 78."""
        self.assertReads(
            "03 00001a 000001 09 01000000 aa c3 bb c3 cc", [video(26, b"\xaa"), video(52, b"\xbb"), video(78, b"\xcc")]
        )

    def test_conformance16_deltasModulo32Bits(self) -> None:
        """An extended delta of 0xFFFFFFFD is -3; and time wraps upward as well."""
        self.assertReads(
            """
            03 000064 000001 09 01000000 aa
            43 ffffff 000001 08 fffffffd bb
            83 ffffff fffffffe cc
            03 ffffff 000001 09 01000000 fffffff0 dd
            83 000020 ee
            """,
            [
                video(100, b"\xaa"),
                Message(8, 97, 1, b"\xbb", 3),
                Message(8, 95, 1, b"\xcc", 3),
                video(0xFFFFFFF0, b"\xdd"),
                video(0x10, b"\xee"),
            ],
        )

    def test_conformance17_extendedTimestamps(self) -> None:
        """Absolute with type 0, a delta with type 1 and 2 (FFmpeg's -copyts sends such)."""
        self.assertReads(
            """
            03 ffffff 000001 09 01000000 01000000 aa
            43 ffffff 000002 09 01000ae0 bbbb
            83 ffffff 02000000 cccc
            """,
            [video(0x1000000, b"\xaa"), video(0x2000AE0, b"\xbb\xbb"), video(0x4000AE0, b"\xcc\xcc")],
        )

    def test_conformance18_repeatedExtendedTimestamp(self) -> None:
        """In the chunks that continue a message the four bytes may stand again, or not, or only sometimes."""
        first, second, third = bytes(range(1, 129)), bytes(range(129, 0, -1))[:128], b"\x77" * 5
        for fmt, timestamp in ((0, 0x01000000), (1, 0x01000064)):
            before = "" if fmt == 0 else "03 000064 000000 09 01000000"
            head = header(fmt, 3, 0xFFFFFF, 261).hex() + "01000000"
            expected = [] if fmt == 0 else [video(100, b"")]
            for again in (("01000000", "01000000"), ("", ""), ("01000000", ""), ("", "01000000")):
                chunks = f"{before} {head} {first.hex()} c3{again[0]} {second.hex()} c3{again[1]} {third.hex()}"
                self.assertReads(chunks, [*expected, video(timestamp, first + second + third)])

    def test_conformance18_bodyThatLooksAlmostAlike(self) -> None:
        """A body that shares its first three bytes with the extended timestamp is body."""
        first = b"\xaa" * 128
        self.assertReads(
            header(0, 3, 0xFFFFFF, 132) + b"\1\2\3\4" + first + b"\xc3\1\2\3\5",
            [video(0x01020304, first + b"\1\2\3\5")],
        )

    def test_conformance18_onlyTheLastHeaderCounts(self) -> None:
        """Once a header without extension has come, a body that begins like the old one is body."""
        for fmt in (0, 1, 2):
            data = header(0, 3, 0xFFFFFF, 132) + b"\1\2\3\4" + b"\xaa" * 128 + b"\xc3" + ABC + b"d"
            data += header(fmt, 3, 5, 132) + b"\xaa" * 128 + b"\xc3\1\2\3\4"
            timestamp = 5 if fmt == 0 else 0x01020309
            self.assertReads(
                data, [video(0x01020304, b"\xaa" * 128 + b"abcd"), video(timestamp, b"\xaa" * 128 + b"\1\2\3\4")]
            )

    def test_conformance19_type3StartsAMessageWithTheExtension(self) -> None:
        """The same holds where a type 3 chunk starts a message: 0xFFFFFF counts as delta, repeated or not."""
        for again in (EXT.rjust(8, "0"), ""):
            self.assertReads(
                f"""
                03 000001 000001 09 01000000 aa
                83 ffffff 00ffffff bb
                c3 {again} cc
                03 ffffff 000001 09 01000000 00ffffff dd
                c3 {again} ee
                """,
                [
                    video(1, b"\xaa"),
                    video(0x1000000, b"\xbb"),
                    video(0x1FFFFFF, b"\xcc"),
                    video(0xFFFFFF, b"\xdd"),
                    video(0x1FFFFFE, b"\xee"),
                ],
            )

    def test_conformance19_justBelowTheExtension(self) -> None:
        """0xFFFFFE has no extension, and what follows is the body."""
        self.assertReads("03 fffffe 000004 09 01000000 00fffffe", [video(0xFFFFFE, b"\0\xff\xff\xfe")])

    def test_conformance20_chunkSizeChangesAtTheNextHeader(self) -> None:
        """A Set Chunk Size between two chunks of another message counts for the chunks behind it."""
        a, b, c = b"\xaa" * 128, b"\xbb" * 200, b"\xcc" * 3
        data = header(0, 3, 7, 331) + a + sized(200) + b"\xc3" + b + b"\xc3" + c
        self.assertReads(data, [Message(1, 0, 0, (200).to_bytes(4, "big"), 2), video(7, a + b + c)])

    def test_conformance21_anyChunkSizeAnyTime(self) -> None:
        """Sizes from 1 to 0x7FFFFFFF, one after the other; what is too large counts as the largest message."""
        payload = bytes(range(250))
        for size in (1, 2, 127, 128, 249, 250, 4096, 60000, MAX_MESSAGE_SIZE, 134217728, 0x7FFFFFFF):
            body = b"\xc3".join(payload[start : start + size] for start in range(0, len(payload), size))
            reader = ChunkReader()
            data = sized(size) + header(0, 3, 9, 250) + body
            self.assertEqual(read([data], reader)[1:], [video(9, payload)])
            self.assertEqual(reader.chunkSize, min(size, MAX_MESSAGE_SIZE))
            self.assertEqual(read(cutInto(data, [1] * len(data)))[1:], [video(9, payload)])

    def test_conformance21_smallerThanItsOwnBody(self) -> None:
        """With chunks of one byte the next Set Chunk Size is itself cut in four."""
        self.assertReads(
            "02 000000 000004 01 00000000 00000001  02 000000 000004 01 00000000 00 c2 00 c2 10 c2 00"
            "03 000009 000003 09 01000000 616263",
            [Message(1, 0, 0, b"\0\0\0\1", 2), Message(1, 0, 0, b"\0\0\x10\0", 2), video(9, ABC)],
        )

    def test_conformance22_interleaved(self) -> None:
        """Chunks of three messages in turn; they come out in the order of their completion."""
        a, b = b"\xaa" * 300, b"\xbb" * 260
        data = b"".join(
            (
                header(0, 6, 5, 300) + a[:128],
                header(0, 4, 6, 260, 8) + b[:128],
                b"\xc6" + a[128:256],
                header(0, 3, 0, 3, 20, 0) + ABC,
                b"\xc4" + b[128:256],
                b"\xc4" + b[256:],
                b"\xc6" + a[256:],
            )
        )
        self.assertReads(data, [Message(20, 0, 0, ABC, 3), Message(8, 6, 1, b, 4), video(5, a, 6)])

    def test_conformance23_chunksOf128ForEver(self) -> None:
        """More than 1 MB in chunks of 128 bytes, whole, in segments, and behind a start in pieces."""
        payload = Random(23).randbytes(1_200_007)
        body = b"\xc4".join(payload[start : start + 128] for start in range(0, len(payload), 128))
        data = header(0, 4, 1, len(payload)) + body + header(1, 4, 2, 3, 8) + ABC
        expected = [video(1, payload, 4), Message(8, 3, 1, ABC, 4)]
        for size in (len(data), 1448, 65536, 129, 128, 100_003):
            self.assertEqual(read(cutInto(data, [size] * (len(data) // size))), expected)
        self.assertEqual(read(cutInto(data, [1, 11, 1, 127, 1, 1, 500])), expected)

    def test_conformance24_abort(self) -> None:
        """The part is dropped, and the chunk stream goes on with its next message; others are not touched."""
        a, b = b"\xaa" * 128, b"\xbb" * 128
        data = b"".join(
            (
                header(0, 6, 5, 300) + a,
                header(0, 4, 6, 130, 8) + b,
                aborted(6),
                header(2, 6, 10) + a + b"\xc6" + a + b"\xc6" + a[:44],
                b"\xc4\1\2",
            )
        )
        self.assertReads(
            data,
            [Message(2, 0, 0, b"\0\0\0\6", 2), video(15, a + a + a[:44], 6), Message(8, 6, 1, b + b"\1\2", 4)],
        )

    def test_conformance24_type3BehindAbort(self) -> None:
        """With nothing left to continue, type 3 starts a message."""
        a = b"\xaa" * 128
        data = header(0, 6, 5, 130) + a + aborted(6) + b"\xc6" + a + b"\xc6\1\2"
        self.assertReads(data, [Message(2, 0, 0, b"\0\0\0\6", 2), video(10, a + b"\1\2", 6)])

    def test_conformance25_unknownTypesAndShortControlBodies(self) -> None:
        """Unknown types are messages like others; a Set Chunk Size or Abort without four bytes changes nothing."""
        a = b"\xaa" * 128
        for type in (0, 7, 21, 99, 255):
            self.assertReads(header(0, 3, 0, 3, type) + ABC, [Message(type, 0, 1, ABC, 3)])
        for type in (MessageType.SET_CHUNK_SIZE, MessageType.ABORT):
            for body in (b"", b"\0", b"\0\0\0"):
                short = header(0, 2, 0, len(body), type, 0) + body
                self.assertReads(
                    header(0, 3, 1, 130) + a + short + b"\xc3\1\2",
                    [Message(type, 0, 0, body, 2), video(1, a + b"\1\2")],
                )

    def test_conformance25_longControlBodies(self) -> None:
        """More than four bytes: the first four count."""
        data = "02 000000 000006 01 00000000 000010000000" + header(0, 3, 1, 130).hex() + "ab" * 130
        self.assertReads(data, [Message(1, 0, 0, b"\0\0\x10\0\0\0", 2), video(1, b"\xab" * 130)])

    def test_conformance26_bounds(self) -> None:
        """Message size, the sum and the number of messages half sent, and chunk streams: all have a bound."""
        small = ReadLimits({MessageType.VIDEO: 300}, 200, partialBytes=350, partialMessages=2, chunkStreams=3)
        part = b"\xaa" * 128
        cases = (
            ("videoBytes", header(0, 3, 0, 300) + part, header(0, 3, 0, 301)),
            ("commandBytes", header(0, 3, 0, 200, 20) + part, header(0, 3, 0, 201, 20)),
            ("audioBytes", header(0, 3, 0, 200, 8) + part, header(0, 3, 0, 201, 8)),
            ("dataBytes", header(0, 3, 0, 200, 18) + part, header(0, 3, 0, 201, 18)),
            ("dataBytes", header(0, 3, 0, 200, 15) + part, header(0, 3, 0, 201, 15)),
            ("aggregateBytes", header(0, 3, 0, 200, 22) + part, header(0, 3, 0, 201, 22)),
            ("videoBytes", header(0, 3, 0, 300) + part, header(1, 3, 0, 301)),
            ("partialBytes", header(0, 3, 0, 300) + part, b"\xc3" + part + header(0, 4, 0, 300) + part),
            (
                "partialMessages",
                header(0, 3, 0, 129) + b"\1" * 128 + header(0, 4, 0, 129, 8) + b"\1" * 90,
                b"\1" * 38 + header(0, 5, 0, 129, 8) + b"\1",
            ),
            ("chunkStreams", header(0, 3) + header(0, 4) + header(0, 63), header(0, 2)),
        )
        theirs = {"partialBytes": "strangerPartialBytes", "partialMessages": "partialMessages"}
        theirs["chunkStreams"] = "chunkStreams"
        for limit, allowed, excess in cases:
            for isStranger in (False, True):
                reader = ChunkReader(replace(small, isStranger=isStranger))
                list(reader.feed(allowed))
                with self.assertRaises(LimitExceeded, msg=limit) as raised:
                    list(reader.feed(excess))
                name = theirs.get(limit, "strangerMessageBytes") if isStranger else limit
                self.assertEqual(raised.exception.limit, name)

    def test_conformance27_emptyMessages(self) -> None:
        """Audio, video, data and commands without a body are messages."""
        self.assertReads(
            "03 000001 000000 14 00000000  04 000002 000000 08 01000000  44 000001 000000 09  44 000001 000000 12 c4",
            [
                Message(20, 1, 0, b"", 3),
                Message(8, 2, 1, b"", 4),
                Message(9, 3, 1, b"", 4),
                Message(18, 4, 1, b"", 4),
                Message(18, 5, 1, b"", 4),
            ],
        )


class ReaderTests(SynchronousTestCase):
    """What else a L{ChunkReader} tells and does."""

    def test_fresh(self) -> None:
        reader = ChunkReader(offset=3073)
        self.assertEqual((reader.chunkSize, reader.offset, reader.held), (DEFAULT_CHUNK_SIZE, 3073, 0))
        self.assertEqual((reader.smallChunks, reader.emptyMessages, reader.droppedParts), (0, 0, 0))
        self.assertEqual(reader.limits, ReadLimits())
        self.assertEqual(reader.whereabouts, "byte 3073")

    def test_whereabouts(self) -> None:
        """The place, and the last header that was read."""
        reader = ChunkReader(offset=3073)
        list(reader.feed(header(0, 5, 0, 300, 18) + b"\xaa" * 100))
        self.assertEqual(reader.whereabouts, f"byte {3073 + 112}, chunk stream 5, message type 18")
        list(reader.feed(b"\xaa" * 28 + header(0, 4, 0, 0, 8)[:-1]))
        self.assertEqual(reader.whereabouts, f"byte {3073 + 140}, chunk stream 5, message type 18")
        self.assertEqual(reader.held, 11)

    def test_lazy(self) -> None:
        """Messages are read when they are asked for; what was fed waits."""
        reader = ChunkReader()
        data = header(0, 3, 0, 3) + ABC
        messages = reader.feed(data * 3)
        self.assertEqual((reader.offset, reader.held), (0, 3 * len(data)))
        next(messages)
        self.assertEqual((reader.offset, reader.held), (len(data), 2 * len(data)))
        self.assertEqual(len(list(reader.feed(data))), 3)
        self.assertEqual((reader.offset, reader.held), (4 * len(data), 0))

    def test_payloadsAreBytes(self) -> None:
        """On every way through the reader, and not slices that keep something larger alive."""
        data = header(0, 3, 0, 300) + b"\xaa" * 128 + b"\xc3" + b"\xaa" * 128 + b"\xc3" + b"\xaa" * 44
        data += header(0, 3, 0, 3) + ABC
        for message in [*read([data]), *read(cutInto(data, [1] * len(data)))]:
            self.assertIs(type(message.payload), bytes)
            self.assertIn(message.payload, (b"\xaa" * 300, ABC))

    def test_limitsHoldFromTheNextByte(self) -> None:
        """Whoever is allowed to publish in the middle of a loop may send a large message straight behind."""
        large = header(0, 6, 0, 100_000) + b"\xc6".join([b"\xaa" * 128] * 781 + [b"\xaa" * 32])
        data = header(0, 3, 0, 3, 20, 0) + ABC + large
        self.assertRaises(LimitExceeded, list, ChunkReader(STRANGER_LIMITS).feed(data))
        reader = ChunkReader(STRANGER_LIMITS)
        sizes = []
        for message in reader.feed(data):
            sizes.append(len(message.payload))
            reader.limits = ReadLimits()
        self.assertEqual(sizes, [3, 100_000])
        for message in reader.feed(data):
            reader.limits = STRANGER_LIMITS
            self.assertEqual(message.payload, ABC)
            break
        self.assertRaises(LimitExceeded, list, reader.feed(b""))

    def test_strangersLimits(self) -> None:
        """Before somebody may publish: 64 KiB of any type, 128 KiB in all."""
        for type in (8, 9, 15, 18, 20, 22):
            list(ChunkReader(STRANGER_LIMITS).feed(header(0, 3, 0, 64 * 1024, type)))
            self.assertRaises(
                LimitExceeded, list, ChunkReader(STRANGER_LIMITS).feed(header(0, 3, 0, 64 * 1024 + 1, type))
            )
        self.assertEqual(STRANGER_LIMITS.partialBytes, 128 * 1024)

    def test_defaultLimits(self) -> None:
        """A publisher's: by type, and 64 KiB for what has no limit of its own."""
        for type, limit in ((8, 512 << 10), (9, 8 << 20), (15, 256 << 10), (18, 256 << 10), (22, 2 << 20), (20, 65536)):
            list(ChunkReader().feed(header(0, 3, 0, limit, type)))
            self.assertRaises(LimitExceeded, list, ChunkReader().feed(header(0, 3, 0, limit + 1, type)))

    def test_droppedParts(self) -> None:
        """A new header within a message, and an Abort, give up one each; an Abort of nothing does not count."""
        part = b"\xaa" * 128
        for count, data in (
            (0, header(0, 3, 0, 3) + ABC),
            (1, header(0, 3, 0, 300) + part + header(0, 3, 9, 3) + ABC),
            (1, header(0, 3, 0, 300) + part + header(1, 3, 9, 3) + ABC),
            (1, header(0, 3, 0, 300) + part + header(2, 3, 9) + part + b"\xc3" + part + b"\xc3" + part[:44]),
            (1, header(0, 3, 0, 300) + part + aborted(3)),
            (1, header(0, 3, 0, 300) + part + aborted(3) + aborted(3)),
            (0, header(0, 3, 0, 300) + part + aborted(4) + aborted(2) + aborted(0xFFFFFFFF)),
        ):
            for pieces in ([data], cutInto(data, [1] * len(data))):
                reader = ChunkReader()
                read(pieces, reader)
                self.assertEqual(reader.droppedParts, count, data.hex())

    def test_droppedPartsAreForgotten(self) -> None:
        """Their bytes do not count against the limits any more."""
        limits = ReadLimits(partialBytes=400, partialMessages=1)
        part = header(0, 3, 0, 300) + b"\xaa" * 128 + b"\xc3" + b"\xaa" * 128
        reader = ChunkReader(limits)
        list(reader.feed((part + aborted(3)) * 5 + part * 5))
        list(reader.feed(b"\xc3" + b"\xaa" * 44 + header(0, 4, 0, 300) + b"\xaa" * 128))
        self.assertEqual(reader.droppedParts, 9)

    def test_smallChunksAndEmptyMessages(self) -> None:
        """Chunks of 1 to 63 bytes count, in one stroke or one by one; those of none count apart."""
        cases: list[tuple[bytes, int, int]] = [
            (header(0, 3, 0, 64) + b"\xaa" * 64, 0, 0),
            (header(0, 3, 0, 63) + b"\xaa" * 63, 1, 0),
            (header(0, 3) + b"\xc3" * 9, 0, 10),
            (header(0, 3, 0, 191) + b"\xaa" * 128 + b"\xc3" + b"\xaa" * 63, 1, 0),
            (header(0, 3, 0, 192) + b"\xaa" * 128 + b"\xc3" + b"\xaa" * 64, 0, 0),
            (header(0, 3, 0, 257) + (b"\xaa" * 128 + b"\xc3") * 2 + b"\xaa", 1, 0),
            (sized(10) + header(0, 3, 0, 95) + b"\xc3".join([b"\xaa" * 10] * 9 + [b"\xaa" * 5]), 1 + 10, 0),
            (sized(63) + header(0, 3, 0, 630) + b"\xc3".join([b"\xaa" * 63] * 10), 1 + 10, 0),
            (sized(64) + header(0, 3, 0, 640) + b"\xc3".join([b"\xaa" * 64] * 10), 1, 0),
        ]
        for data, small, empty in cases:
            for place in (0, 1, 12, 13, len(data) - 1, len(data) - 2, len(data) // 2):
                reader = ChunkReader()
                read(cutInto(data, [place]), reader)
                self.assertEqual((reader.smallChunks, reader.emptyMessages), (small, empty), (data.hex(), place))

    def test_countersMayBeReset(self) -> None:
        reader = ChunkReader()
        list(reader.feed(header(0, 3, 0, 1) + b"\xaa" + header(0, 4)))
        reader.smallChunks = reader.emptyMessages = 0
        list(reader.feed(b"\xc3\xbb"))
        self.assertEqual((reader.smallChunks, reader.emptyMessages), (1, 0))


class EndTests(SynchronousTestCase):
    """L{ChunkReader.end}, and waiting for the four bytes behind an ambiguous header."""

    START = header(0, 3, 0xFFFFFF, 130) + b"\1\2\3\4" + b"\xaa" * 128

    def test_nothingToGive(self) -> None:
        """Half a header and half a body give nothing."""
        for data in (b"", b"\x03", b"\x03\0\0", header(0, 3, 0, 3), header(0, 3, 0, 3) + b"ab"):
            self.assertEqual(read([data]), [])

    def test_ambiguous(self) -> None:
        """A last chunk that begins like the extended timestamp waits for the end, and then is body."""
        reader = ChunkReader()
        self.assertEqual(list(reader.feed(self.START + b"\xc3\1\2")), [])
        self.assertEqual(reader.held, 3)
        self.assertEqual(list(reader.end()), [video(0x01020304, b"\xaa" * 128 + b"\1\2")])

    def test_ambiguousUntilMoreComes(self) -> None:
        """The same chunk is decided as soon as four bytes are there, either way."""
        other = header(0, 4, 0, 0, 8)
        for more, payload in ((b"\3\4\1\2", b"\1\2"), (other, b"\1\2"), (b"\3\4\7\7", b"\7\7")):
            reader = ChunkReader()
            list(reader.feed(self.START + b"\xc3\1\2"))
            self.assertEqual(first(reader.feed(more)), [video(0x01020304, b"\xaa" * 128 + payload)])

    def test_notAmbiguous(self) -> None:
        """A first byte that differs is body at once."""
        reader = ChunkReader()
        self.assertEqual(list(reader.feed(self.START + b"\xc3\2\2")), [video(0x01020304, b"\xaa" * 128 + b"\2\2")])

    def test_emptyMessageAtTheEnd(self) -> None:
        """A type 3 header alone, behind an empty message with the extension."""
        data = header(0, 3, 0xFFFFFF) + b"\1\0\0\0" + b"\xc3"
        self.assertEqual(len(list(ChunkReader().feed(data))), 1)
        self.assertEqual(read([data]), [video(0x01000000, b""), video(0x02000000, b"")])

    def test_endTwice(self) -> None:
        reader = ChunkReader()
        list(reader.feed(self.START + b"\xc3\1\2"))
        self.assertEqual((len(list(reader.end())), len(list(reader.end()))), (1, 0))


class ErrorTests(SynchronousTestCase):
    """Errors name their place, and are the last that is heard of a reader."""

    GOOD = header(0, 3, 0, 3) + ABC

    def assertFails(self, data: bytes, pieces: Callable[[bytes], Iterable[bytes]]) -> RemoteProtocolError:
        reader = ChunkReader(offset=3073)
        error = self.assertRaises(RemoteProtocolError, lambda: [list(reader.feed(piece)) for piece in pieces(data)])
        self.assertRaises(LocalProtocolError, reader.feed, b"")
        self.assertRaises(LocalProtocolError, reader.feed, self.GOOD)
        self.assertRaises(LocalProtocolError, reader.end)
        assert isinstance(error, RemoteProtocolError)
        return error

    def test_places(self) -> None:
        """Header errors name the header's first byte, the others the byte behind what is wrong; however cut."""
        start, good = 3073, len(self.GOOD)
        many = b"".join(header(0, id) for id in range(3, 64)) + b"".join(
            bytes((0, n)) + header(0, 3)[1:] for n in range(3)
        )
        behind = len(sized(0))
        cases = (
            (header(2, 5), 0, 5, None, "a type 2 header on a chunk stream that has had none to build on"),
            (b"\xc5", 0, 5, None, "a type 3 header on a chunk stream that has had none to repeat"),
            (b"\xc1\xff\xff", 0, 65599, None, "a type 3 header on a chunk stream that has had none to repeat"),
            (b"\x80\0\0\0\0", 0, 64, None, "a type 2 header on a chunk stream that has had none to build on"),
            (sized(0), behind, 2, 1, "a chunk size of 0"),
            (sized(0x80000000), behind, 2, 1, "a chunk size of 2147483648"),
            (header(0, 6, 0, 0x800001), 0, 6, 9, "a message of 8388609 bytes, where 8388608 are allowed"),
            (header(0, 6, 0, 65537, 20), 0, 6, 20, "a message of 65537 bytes, where 65536 are allowed"),
            (many + header(0, 2), len(many), 2, None, "more than 64 chunk streams in use"),
        )
        for data, offset, chunkStream, messageType, reason in cases:
            before = 0 if data.startswith(many) else good
            whole = self.GOOD[:before] + data + b"\0" * 20
            for pieces in (lambda d: [d], lambda d: cutInto(d, [1] * len(d)), lambda d: cutInto(d, [7] * len(d))):
                error = self.assertFails(whole, pieces)
                self.assertEqual(
                    (error.reason, error.offset, error.chunkStream, error.messageType),
                    (reason, start + before + offset, chunkStream, messageType),
                )
                self.assertEqual(isinstance(error, LimitExceeded), "more than" in reason or "allowed" in reason)

    def test_placesOfWhatIsHalfSent(self) -> None:
        """Too many messages or bytes half sent: the chunk stream and the type that crossed the line are named."""
        part = b"\xaa" * 128
        reader = ChunkReader(ReadLimits(partialMessages=1, partialBytes=300))
        list(reader.feed(header(0, 3, 0, 129) + part))
        error = self.assertRaises(LimitExceeded, list, reader.feed(header(0, 4, 0, 129, 8) + b"\xaa"))
        self.assertEqual((error.offset, error.chunkStream, error.messageType), (140 + 13, 4, 8))
        self.assertEqual(error.reason, "more than 1 messages half sent")
        reader = ChunkReader(ReadLimits(partialBytes=300))
        error = self.assertRaises(LimitExceeded, list, reader.feed(header(0, 3, 0, 600) + (part + b"\xc3") * 3))
        self.assertEqual((error.chunkStream, error.messageType), (3, 9))
        self.assertEqual(error.reason, "more than 300 bytes of messages half sent")

    def test_messagesBeforeTheErrorComeOut(self) -> None:
        """What was whole before the bad byte is not lost."""
        reader = ChunkReader()
        messages = reader.feed(self.GOOD * 2 + b"\xc7")
        self.assertEqual([next(messages), next(messages)], [video(0, ABC)] * 2)
        self.assertRaises(RemoteProtocolError, next, messages)
        self.assertEqual(reader.offset, 2 * len(self.GOOD))
        self.assertEqual(reader.whereabouts, f"byte {2 * len(self.GOOD)}, chunk stream 3, message type 9")
