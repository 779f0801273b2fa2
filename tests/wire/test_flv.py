"""Tests for L{rtmptw.wire.flv}."""

from __future__ import annotations

import tracemalloc

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import LocalProtocolError, RemoteProtocolError
from rtmptw.wire.flv import MAX_DATA_OFFSET, FLVReader, FLVTag, encodeTag, fileHeader
from rtmptw.wire.message import MessageType

HEADER = bytes.fromhex("464c5601050000000900000000")

#: Type, timestamp, payload, and the bytes of the tag (annex E.4.1).
TAGS: list[tuple[int, int, bytes, str]] = [
    (8, 0, b"", "08 000000 000000 00 000000 0000000b"),
    (9, 40, b"\x17\x02\x00\x00\x00", "09 000005 000028 00 000000 1702000000 00000010"),
    (18, 0xFFFFFF, b"ab", "12 000002 ffffff 00 000000 6162 0000000d"),
    (8, 0x1000000, b"ab", "08 000002 000000 01 000000 6162 0000000d"),
    (9, 0x12345678, b"ab", "09 000002 345678 12 000000 6162 0000000d"),
    (9, 0xFFFFFFFF, b"ab", "09 000002 ffffff ff 000000 6162 0000000d"),
    (31, 1, b"z", "1f 000001 000001 00 000000 7a 0000000c"),
]

FILE = HEADER + b"".join(bytes.fromhex(text) for *_, text in TAGS)


def expectedTags() -> list[FLVTag]:
    """The tags of C{FILE}."""
    tags, offset = [], len(HEADER)
    for tagType, timestamp, payload, text in TAGS:
        tags.append(FLVTag(tagType, timestamp, payload, offset))
        offset += len(bytes.fromhex(text))
    return tags


class EncodeTests(SynchronousTestCase):
    """Making a file."""

    def test_fileHeader(self) -> None:
        """The flags tell audio and video; PreviousTagSize0 belongs to it."""
        self.assertEqual(fileHeader(), HEADER)
        for audio, video, flags in (True, False, 4), (False, True, 1), (False, False, 0):
            self.assertEqual(fileHeader(audio=audio, video=video)[4], flags)

    def test_tags(self) -> None:
        """Each tag has its bytes, the upper timestamp byte behind the lower three."""
        for tagType, timestamp, payload, text in TAGS:
            self.assertEqual(encodeTag(tagType, timestamp, payload), bytes.fromhex(text))

    def test_messageType(self) -> None:
        """A L{MessageType} is as good as its number."""
        self.assertEqual(encodeTag(MessageType.DATA, 1, b"x"), encodeTag(18, 1, b"x"))

    def test_largest(self) -> None:
        """The largest message fits."""
        encoded = encodeTag(9, 0, bytes(0xFFFFFF))
        self.assertEqual((encoded[1:4], encoded[-4:]), (b"\xff\xff\xff", b"\x01\x00\x00\x0a"))

    def test_refused(self) -> None:
        """What has no place in a tag is our own mistake."""
        for tagType, timestamp, size in (0, 0, 0), (32, 0, 0), (-1, 0, 0), (9, -1, 0), (9, 2**32, 0), (9, 0, 2**24):
            with self.assertRaises(LocalProtocolError):
                encodeTag(tagType, timestamp, bytes(size))


class ReadTests(SynchronousTestCase):
    """Taking a file apart."""

    def test_atOnce(self) -> None:
        """All tags of a file, with their places."""
        reader = FLVReader()
        self.assertEqual(reader.feed(FILE), expectedTags())
        self.assertEqual((reader.pending, reader.goodEnd), (0, len(FILE)))

    def test_everyCut(self) -> None:
        """Wherever a file is cut in two, the same tags come, and the cut part tells how much of it is good."""
        ends = [0, len(HEADER), *(tag.offset for tag in expectedTags()[1:]), len(FILE)]
        for cut in range(len(FILE) + 1):
            reader = FLVReader()
            tags = reader.feed(FILE[:cut])
            good = max(end for end in ends if end <= cut)
            self.assertEqual((reader.goodEnd, reader.pending), (good, cut - good))
            self.assertEqual(tags, [tag for tag in expectedTags() if tag.offset < good])
            self.assertEqual(tags + reader.feed(FILE[cut:]), expectedTags())
            self.assertEqual((reader.pending, reader.goodEnd), (0, len(FILE)))

    @given(st.integers(1, 20))
    @settings(deadline=None, max_examples=20)
    def test_pieces(self, size: int) -> None:
        """Pieces of any size give the same tags."""
        reader = FLVReader()
        pieces = [FILE[start : start + size] for start in range(0, len(FILE), size)]
        self.assertEqual([tag for piece in pieces for tag in reader.feed(piece)], expectedTags())

    @given(st.lists(st.tuples(st.integers(1, 31), st.integers(0, 2**32 - 1), st.binary(max_size=40), st.booleans())))
    @settings(deadline=None, max_examples=100)
    def test_roundTrip(self, values: list[tuple[int, int, bytes, bool]]) -> None:
        """What is written is read, and what is read and written again is the same file."""
        encoded = fileHeader() + b"".join(encodeTag(*value) for value in values)
        tags = FLVReader().feed(encoded)
        self.assertEqual([(tag.type, tag.timestamp, tag.payload, tag.isFiltered) for tag in tags], values)
        again = b"".join(encodeTag(tag.type, tag.timestamp, tag.payload, tag.isFiltered) for tag in tags)
        self.assertEqual(fileHeader() + again, encoded)

    def test_lenient(self) -> None:
        """Version, flags, reserved bits, stream ID and PreviousTagSize may be anything."""
        odd = bytes.fromhex("464c56 ff ff 00000009 12345678" + "c8 000001 000007 00 abcdef 41 00000000")
        self.assertEqual(FLVReader().feed(odd), [FLVTag(8, 7, b"A", 13)])

    def test_dataOffset(self) -> None:
        """A longer header is skipped; one that claims to be shorter than it is has its nine bytes."""
        tag = bytes.fromhex(TAGS[0][3])
        for dataOffset, filler in (9, 0), (0, 0), (8, 0), (10, 1), (MAX_DATA_OFFSET, MAX_DATA_OFFSET - 9):
            reader = FLVReader()
            start = b"FLV\x01\x05" + dataOffset.to_bytes(4) + b"\x55" * filler + bytes(4)
            self.assertEqual(reader.feed(start[:-1]), [])
            self.assertEqual((reader.goodEnd, reader.pending), (0, len(start) - 1))
            self.assertEqual(reader.feed(start[-1:] + tag), [FLVTag(8, 0, b"", len(start))])

    def test_notFLV(self) -> None:
        """The first byte that tells is named, as soon as it is there."""
        for data, offset in (b"\x00", 0), (b"fLV", 0), (b"FL0", 2), (b"FX", 1), (b"FLV\x01\x05\x00\x01\x00\x00", 5):
            with self.assertRaises(RemoteProtocolError) as caught:
                FLVReader().feed(data)
            self.assertEqual(caught.exception.offset, offset)
            self.assertIn("not an FLV file", str(caught.exception))

    def test_filtered(self) -> None:
        """An encrypted tag has its type without the filter bit, and says so."""
        encoded = encodeTag(9, 5, b"secret", isFiltered=True)
        self.assertEqual(encoded[0], 0x29)
        self.assertEqual(FLVReader().feed(HEADER + encoded), [FLVTag(9, 5, b"secret", 13, isFiltered=True)])

    def test_zerosAfterCrash(self) -> None:
        """Zeros at the end are neither tags nor good; a tag behind whole zero tags still counts."""
        reader = FLVReader()
        self.assertEqual(reader.feed(FILE + bytes(4096)), expectedTags())
        self.assertEqual(reader.goodEnd, len(FILE))
        reader = FLVReader()
        reader.feed(HEADER + bytes(30))
        self.assertEqual((reader.goodEnd, reader.pending), (13, 0))
        self.assertEqual(reader.feed(encodeTag(8, 1, b"x")), [FLVTag(8, 1, b"x", 43)])
        self.assertEqual(reader.goodEnd, 43 + 16)

    def test_recovery(self) -> None:
        """A recording that was cut, shortened to its good end, can be continued."""
        cut = FILE[:-3]
        reader = FLVReader()
        before = reader.feed(cut)
        repaired = cut[: reader.goodEnd] + encodeTag(8, 99, b"more")
        reader = FLVReader()
        self.assertEqual(reader.feed(repaired)[:-1], before)
        self.assertEqual(reader.pending, 0)

    def test_announcedIsNotAllocated(self) -> None:
        """A tag that claims 16 MB costs nothing until its bytes come."""
        readers = [FLVReader() for _ in range(20)]
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        before = tracemalloc.get_traced_memory()[0]
        for reader in readers:
            self.assertEqual(reader.feed(HEADER + b"\x09\xff\xff\xff" + bytes(7)), [])
        self.assertLess(tracemalloc.get_traced_memory()[1] - before, 100_000)

    def test_largeTagInPieces(self) -> None:
        """A large tag in many pieces is looked at once per piece, not joined anew for each."""
        payload = bytes(range(256)) * 0x4000
        encoded = HEADER + encodeTag(9, 1, payload) + encodeTag(8, 2, b"x")
        reader = FLVReader()
        tags = [tag for start in range(0, len(encoded), 64) for tag in reader.feed(encoded[start : start + 64])]
        self.assertEqual([(tag.type, tag.offset) for tag in tags], [(9, 13), (8, 13 + 15 + len(payload))])
        self.assertTrue(tags[0].payload == payload)

    @given(st.binary(max_size=200), st.integers(1, 50))
    @settings(deadline=None, max_examples=100)
    def test_anyBytes(self, data: bytes, size: int) -> None:
        """Any bytes behind a header: no exception, nothing lost or counted twice."""
        whole, pieces = FLVReader(), FLVReader()
        tags = whole.feed(HEADER + data)
        cut = [tag for at in range(0, len(HEADER + data), size) for tag in pieces.feed((HEADER + data)[at : at + size])]
        self.assertEqual(cut, tags)
        self.assertEqual((pieces.pending, pieces.goodEnd), (whole.pending, whole.goodEnd))
        self.assertLessEqual(whole.goodEnd + whole.pending, len(HEADER + data))
