# -*- test-case-name: tests.wire.test_digest -*-
"""
Tests for L{rtmptw.wire.digest}.

What the module makes is checked against an arithmetic of its own, written here from wire facts 1.2, and against the
blocks that FFmpeg and nginx-rtmp sent in the captures.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import LocalProtocolError
from rtmptw.wire.digest import (
    BLOCK_SIZE,
    CLIENT_KEY,
    CLIENT_SIGNING_KEY,
    SERVER_KEY,
    SERVER_SIGNING_KEY,
    Layout,
    findDigest,
    isSigned,
    placeDigest,
    readDigest,
    sign,
    signature,
)

CAPTURES = Path(__file__).parents[1] / "captures"

#: Captures where both sides used digests: the client signed C2, or only copied S1.
SIGNED_C2 = ["ffmpeg5-play", "ffmpeg5-play-exttimestamp", "nginxrtmp-relay-push"]
COPIED_C2 = ["ffmpeg5-publish", "ffmpeg9-publish", "ffmpeg9-publish-av1-flac", "ffmpeg8lib-publish-hevc-opus"]
PLAIN = ["librtmp24-publish-exttimestamp", "rtmpdump24-play-any", "gst122-rtmp2sink-publish"]

BOTH_LAYOUTS = [(Layout.DIGEST_FIRST, 8), (Layout.KEY_FIRST, 772)]


def filler(size: int, seed: int = 0) -> bytes:
    """Bytes that look random and are the same in every run."""
    blocks = (hashlib.sha256(f"{seed}/{n}".encode()).digest() for n in itertools.count())
    return b"".join(itertools.islice(blocks, size // 32 + 1))[:size]


def withPlaceBytes(base: int, place: bytes, seed: int = 0) -> bytes:
    block = bytearray(filler(BLOCK_SIZE, seed))
    block[base : base + 4] = place
    return bytes(block)


def placeBytes(total: int) -> bytes:
    """Four bytes with this sum."""
    values = []
    for _ in range(4):
        values.append(min(total, 255))
        total -= values[-1]
    return bytes(values)


def expectedOffset(block: bytes, base: int) -> int:
    a, b, c, d = block[base : base + 4]
    return (a + b + c + d) % 728 + {8: 12, 772: 776}[base]


def expectedDigest(block: bytes, base: int, key: bytes) -> bytes:
    offset = expectedOffset(block, base)
    mac = hmac.new(key, digestmod=hashlib.sha256)
    mac.update(block[:offset])
    mac.update(block[offset + 32 :])
    return mac.digest()


def expectedSignature(block: bytes, key: bytes, digest: bytes) -> bytes:
    inner = hmac.new(key, digest, hashlib.sha256).digest()
    return hmac.new(inner, block[:1504], hashlib.sha256).digest()


def readBlocks(name: str) -> tuple[bytes, bytes, bytes, bytes]:
    """C1, C2, S1 and S2 of a capture."""
    client = (CAPTURES / f"{name}.c2s.bin").read_bytes()
    server = (CAPTURES / f"{name}.s2c.bin").read_bytes()
    return client[1:1537], client[1537:3073], server[1:1537], server[1537:3073]


class KeyTests(SynchronousTestCase):
    def test_sizes(self) -> None:
        """Wire facts 1.2 tells the size of each key."""
        keys = (CLIENT_KEY, SERVER_KEY, CLIENT_SIGNING_KEY, SERVER_SIGNING_KEY)
        self.assertEqual([len(key) for key in keys], [30, 36, 62, 68])
        self.assertEqual(CLIENT_SIGNING_KEY[-32:], SERVER_SIGNING_KEY[-32:])


class LayoutTests(SynchronousTestCase):
    def test_everySum(self) -> None:
        """Every sum of place bytes gives a digest inside the block, where the formula says, that is found again."""
        for layout, base in BOTH_LAYOUTS:
            for total in range(4 * 255 + 1):
                block = withPlaceBytes(base, placeBytes(total))
                made = placeDigest(block, layout, CLIENT_KEY)
                offset = layout.digestOffset(made)
                self.assertEqual(offset, expectedOffset(block, base))
                self.assertGreaterEqual(offset, base + 4)
                self.assertLessEqual(offset + 32, 772 if layout is Layout.DIGEST_FIRST else BLOCK_SIZE)
                self.assertEqual(len(made), BLOCK_SIZE)
                self.assertEqual((made[:offset], made[offset + 32 :]), (block[:offset], block[offset + 32 :]))
                self.assertEqual(readDigest(made, layout), expectedDigest(block, base, CLIENT_KEY))
                self.assertIs(findDigest(made, CLIENT_KEY), layout)

    def test_A4_hostileOffsets(self) -> None:
        """No place bytes lead outside the block or to a false find, in both layouts at once, for two HMACs each."""
        calls = self.countHMACs()
        for place in itertools.product((0, 1, 127, 128, 254, 255), repeat=4):
            block = bytearray(withPlaceBytes(8, bytes(place)))
            block[772:776] = bytes(reversed(place))
            calls.clear()
            self.assertIsNone(findDigest(bytes(block), CLIENT_KEY))
            self.assertEqual(len(calls), 2)

    def test_searchOrder(self) -> None:
        """772 is looked at first: such a digest costs one HMAC, the other layout two (wire facts 1.3)."""
        calls = self.countHMACs()
        for layout, cost in ((Layout.KEY_FIRST, 1), (Layout.DIGEST_FIRST, 2)):
            block = placeDigest(filler(BLOCK_SIZE), layout, SERVER_KEY)
            calls.clear()
            self.assertIs(findDigest(block, SERVER_KEY), layout)
            self.assertEqual(len(calls), cost)

    def countHMACs(self) -> list[bytes]:
        """Have each HMAC that the module computes add its key to the list."""
        calls: list[bytes] = []
        original = hmac.digest

        def counting(key: bytes, msg: bytes, digest: str) -> bytes:
            calls.append(key)
            return original(key, msg, digest)

        self.patch(hmac, "digest", counting)
        return calls

    def test_otherKey(self) -> None:
        """The digest of a C1 is none for an S1, and the reverse."""
        for layout in Layout:
            self.assertIsNone(findDigest(placeDigest(filler(BLOCK_SIZE), layout, CLIENT_KEY), SERVER_KEY))
            self.assertIsNone(findDigest(placeDigest(filler(BLOCK_SIZE), layout, SERVER_KEY), CLIENT_KEY))

    def test_anyChangedByte(self) -> None:
        """A change of any byte breaks the digest."""
        for layout in Layout:
            made = placeDigest(filler(BLOCK_SIZE), layout, CLIENT_KEY)
            for position in range(BLOCK_SIZE):
                changed = bytearray(made)
                changed[position] ^= 0x10
                self.assertIsNone(findDigest(bytes(changed), CLIENT_KEY), position)

    def test_wrongSize(self) -> None:
        """Another size than 1536 is a mistake of the caller, not an IndexError."""
        for size in (0, 11, 1535, 1537):
            block = bytes(size)
            self.assertRaises(LocalProtocolError, findDigest, block, CLIENT_KEY)
            self.assertRaises(LocalProtocolError, readDigest, block, Layout.KEY_FIRST)
            self.assertRaises(LocalProtocolError, placeDigest, block, Layout.DIGEST_FIRST, CLIENT_KEY)

    @settings(deadline=None, max_examples=50)
    @given(st.binary(min_size=BLOCK_SIZE, max_size=BLOCK_SIZE), st.sampled_from(BOTH_LAYOUTS))
    def test_anyBlock(self, block: bytes, layoutAndBase: tuple[Layout, int]) -> None:
        """Whatever the block, its digest can be placed and found; placing it twice changes nothing."""
        layout, base = layoutAndBase
        made = placeDigest(block, layout, SERVER_KEY)
        self.assertIs(findDigest(made, SERVER_KEY), layout)
        self.assertEqual(readDigest(made, layout), expectedDigest(made, base, SERVER_KEY))
        self.assertEqual(placeDigest(made, layout, SERVER_KEY), made)


class SignatureTests(SynchronousTestCase):
    def test_signature(self) -> None:
        """A signed block is its content and the signature of wire facts 1.2."""
        content, digest = filler(1504), filler(32, 1)
        for key in (CLIENT_SIGNING_KEY, SERVER_SIGNING_KEY):
            block = sign(content, key, digest)
            self.assertEqual(len(block), BLOCK_SIZE)
            self.assertEqual(block[:1504], content)
            self.assertEqual(block[1504:], expectedSignature(block, key, digest))
            self.assertEqual(block[1504:], signature(content, key, digest))
            self.assertTrue(isSigned(block, key, digest))

    def test_wrong(self) -> None:
        """Another key, digest, content or signature is not accepted."""
        digest = filler(32, 1)
        block = sign(filler(1504), SERVER_SIGNING_KEY, digest)
        self.assertFalse(isSigned(block, CLIENT_SIGNING_KEY, digest))
        self.assertFalse(isSigned(block, SERVER_SIGNING_KEY, filler(32, 2)))
        self.assertFalse(isSigned(b"\0" + block[1:], SERVER_SIGNING_KEY, digest))
        self.assertFalse(isSigned(block[:-1] + bytes([block[-1] ^ 1]), SERVER_SIGNING_KEY, digest))


class CaptureTests(SynchronousTestCase):
    """FFmpeg and nginx-rtmp made these blocks."""

    def test_digests(self) -> None:
        """Their C1 and S1 carry a digest in the layout with base 8, and we would have made the same."""
        for name in SIGNED_C2 + COPIED_C2:
            c1, _, s1, _ = readBlocks(name)
            for block, key in ((c1, CLIENT_KEY), (s1, SERVER_KEY)):
                self.assertIs(findDigest(block, key), Layout.DIGEST_FIRST, name)
                offset = Layout.DIGEST_FIRST.digestOffset(block)
                emptied = block[:offset] + bytes(32) + block[offset + 32 :]
                self.assertEqual(placeDigest(emptied, Layout.DIGEST_FIRST, key), block, name)

    def test_s2(self) -> None:
        """nginx-rtmp's S2 is signed with the digest of C1."""
        for name in SIGNED_C2 + COPIED_C2:
            c1, _, _, s2 = readBlocks(name)
            digest = readDigest(c1, Layout.DIGEST_FIRST)
            self.assertTrue(isSigned(s2, SERVER_SIGNING_KEY, digest), name)
            self.assertEqual(sign(s2[:1504], SERVER_SIGNING_KEY, digest), s2, name)

    def test_c2(self) -> None:
        """The C2 of FFmpeg's player and of nginx-rtmp's relay is signed; that of FFmpeg's publisher is a copy of S1."""
        for name in SIGNED_C2:
            _, c2, s1, _ = readBlocks(name)
            self.assertTrue(isSigned(c2, CLIENT_SIGNING_KEY, readDigest(s1, Layout.DIGEST_FIRST)), name)
        for name in COPIED_C2:
            _, c2, s1, _ = readBlocks(name)
            self.assertFalse(isSigned(c2, CLIENT_SIGNING_KEY, readDigest(s1, Layout.DIGEST_FIRST)), name)
            self.assertEqual(c2, s1, name)

    def test_plain(self) -> None:
        """librtmp and GStreamer send no digest, and get none."""
        for name in PLAIN:
            c1, _, s1, _ = readBlocks(name)
            self.assertIsNone(findDigest(c1, CLIENT_KEY), name)
            self.assertIsNone(findDigest(s1, SERVER_KEY), name)
