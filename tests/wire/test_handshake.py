# -*- test-case-name: tests.wire.test_handshake -*-
"""
Tests for L{rtmptw.wire.handshake}: against the captures, against itself, against FFmpeg's checks, and against enemies.

C{test_conformanceN_...} are the lines of wire facts section 10, C{test_AN_...} the rows of the list of hostile input.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import pickle
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import LocalProtocolError, RemoteProtocolError
from rtmptw.wire.digest import CLIENT_KEY, SERVER_KEY, Layout, placeDigest
from rtmptw.wire.handshake import HANDSHAKE_SIZE, ClientHandshake, ServerHandshake

CAPTURES = Path(__file__).parents[1] / "captures"
NAMES = sorted(path.name.removesuffix(".c2s.bin") for path in CAPTURES.glob("*.c2s.bin"))

#: Where a cut is most likely to hurt, and some places between.
CUTS = sorted({0, 1, 2, 1536, 1537, 1538, 3072, 3073, 3074, *range(5, 3073, 211)})

SHARED = bytes.fromhex("f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae")
SHORT_SERVER_KEY = b"Genuine Adobe Flash Media Server 001"
LONG_SERVER_KEY = SHORT_SERVER_KEY + SHARED
LONG_CLIENT_KEY = b"Genuine Adobe Flash Player 001" + SHARED


def usesDigest(name: str) -> bool:
    return name.startswith(("ffmpeg", "nginx"))


def clientBytes(name: str) -> bytes:
    return (CAPTURES / f"{name}.c2s.bin").read_bytes()


def serverBytes(name: str) -> bytes:
    return (CAPTURES / f"{name}.s2c.bin").read_bytes()


def deterministic() -> Callable[[int], bytes]:
    """A source of bytes that look random: the same bytes in each run, others in each call."""
    count = itertools.count()

    def random(size: int) -> bytes:
        start = next(count)
        return b"".join(hashlib.sha256(f"{start}/{n}".encode()).digest() for n in range(size // 32 + 1))[:size]

    return random


def recorded(*pieces: bytes) -> Callable[[int], bytes]:
    """A source of bytes that were seen before; their sizes must be what is asked for."""
    left = list(pieces)

    def random(size: int) -> bytes:
        piece = left.pop(0)
        assert len(piece) == size, (len(piece), size)
        return piece

    return random


def single(data: bytes) -> Iterator[bytes]:
    return (data[n : n + 1] for n in range(len(data)))


def feedAll(handshake: ServerHandshake | ClientHandshake, pieces: Iterable[bytes]) -> tuple[list[bytes], bytes | None]:
    """
    Feed all pieces; those that come when it is over go straight to the rest, as they would to the chunk reader.

    @return: the replies that were not empty, and the rest.
    """
    replies = []
    rest: bytes | None = None
    for piece in pieces:
        if rest is not None:
            rest += piece
            continue
        reply, rest = handshake.feed(piece)
        if reply:
            replies.append(reply)
    return replies, rest


def digestAt(block: bytes, base: int) -> tuple[int, bytes]:
    """Independent of the module: where the digest is by this layout, and what is there."""
    offset = sum(block[base : base + 4]) % 728 + base + 4
    return offset, block[offset : offset + 32]


def hasDigest(block: bytes, base: int, key: bytes) -> bool:
    offset, digest = digestAt(block, base)
    return hmac.new(key, block[:offset] + block[offset + 32 :], hashlib.sha256).digest() == digest


def hasSignature(block: bytes, key: bytes, digest: bytes) -> bool:
    inner = hmac.new(key, digest, hashlib.sha256).digest()
    return hmac.new(inner, block[:1504], hashlib.sha256).digest() == block[1504:]


def ffmpegPlays(c1: bytes, reply: bytes) -> bool:
    """What FFmpeg's player (C1 with base 8) wants of S0, S1 and S2 (wire facts 1.3)."""
    s1, s2 = reply[1:1537], reply[1537:3073]
    if s1[4] < 3:
        return True
    if not any(hasDigest(s1, base, SHORT_SERVER_KEY) for base in (772, 8)):
        return False
    return hasSignature(s2, LONG_SERVER_KEY, digestAt(c1, 8)[1])


def c1With(layout: Layout, version: bytes = bytes.fromhex("80000302")) -> bytes:
    """A C1 with a digest."""
    return placeDigest(bytes(4) + version + deterministic()(1528), layout, CLIENT_KEY)


class ServerCaptureTests(SynchronousTestCase):
    """What real clients sent."""

    def checkReply(self, name: str, handshake: ServerHandshake, reply: bytes) -> None:
        c1 = clientBytes(name)[1:1537]
        s1, s2 = reply[1:1537], reply[1537:]
        self.assertEqual((reply[0], len(reply)), (3, HANDSHAKE_SIZE))
        self.assertEqual(handshake.c1Version, c1[4:8])
        self.assertEqual(handshake.peerTimestamp, int.from_bytes(c1[:4], "big"))
        self.assertEqual(s1[:4], bytes(4))
        if usesDigest(name):
            self.assertIs(handshake.layout, Layout.DIGEST_FIRST, name)
            self.assertEqual(s1[4:8].hex(), "0d0e0a0d")
            self.assertTrue(hasDigest(s1, 8, SHORT_SERVER_KEY), name)
            self.assertTrue(hasSignature(s2, LONG_SERVER_KEY, digestAt(c1, 8)[1]), name)
        else:
            self.assertIsNone(handshake.layout, name)
            self.assertEqual(s1[4:8], bytes(4))
            self.assertEqual(s2, c1)
        self.assertTrue(ffmpegPlays(c1, reply), name)

    def test_whole(self) -> None:
        """Each capture in one piece: the reply, and exactly the chunks."""
        self.assertEqual(len(NAMES), 19)
        for name in NAMES:
            data = clientBytes(name)
            handshake = ServerHandshake()
            reply, rest = handshake.feed(data)
            self.checkReply(name, handshake, reply)
            self.assertEqual(rest, data[3073:], name)

    def test_conformance2_byteByByte(self) -> None:
        """One byte at a time gives the same, and the reply comes with the last byte of C1."""
        for name in NAMES:
            data = clientBytes(name)
            handshake = ServerHandshake()
            for piece in single(data[:1536]):
                self.assertEqual(handshake.feed(piece), (b"", None))
            reply, rest = handshake.feed(data[1536:1537])
            self.assertIsNone(rest)
            self.checkReply(name, handshake, reply)
            for piece in single(data[1537:3072]):
                self.assertEqual(handshake.feed(piece), (b"", None))
            self.assertEqual(handshake.feed(data[3072:3080]), (b"", data[3073:3080]))

    def test_conformance2_anyCut(self) -> None:
        """Two pieces, cut at many places; C2 and connect may lie in one segment."""
        for name in NAMES:
            data = clientBytes(name)[:3400]
            for cut in CUTS:
                handshake = ServerHandshake()
                replies, rest = feedAll(handshake, (data[:cut], data[cut:]))
                self.assertEqual(len(replies), 1)
                self.checkReply(name, handshake, replies[0])
                self.assertEqual(rest, data[3073:], (name, cut))

    def test_conformance2_everyCut(self) -> None:
        """Two pieces, cut at every place: a plain client and one with a digest."""
        for name in ("librtmp24-publish-exttimestamp", "ffmpeg5-play"):
            data = clientBytes(name)[:3080]
            expected = ([ServerHandshake(deterministic()).feed(data)[0]], data[3073:])
            for cut in range(len(data) + 1):
                got = feedAll(ServerHandshake(deterministic()), (data[:cut], data[cut:]))
                self.assertEqual(got, expected, (name, cut))

    @settings(deadline=None, max_examples=60)
    @given(st.lists(st.integers(0, 3200), max_size=12), st.sampled_from(NAMES))
    def test_conformance2_anyPieces(self, cuts: list[int], name: str) -> None:
        """Any number of pieces, empty ones too."""
        data = clientBytes(name)[:3200]
        edges = [0, *sorted(cuts), len(data)]
        replies, rest = feedAll(ServerHandshake(), (data[a:b] for a, b in itertools.pairwise(edges)))
        self.assertEqual([len(reply) for reply in replies], [HANDSHAKE_SIZE])
        self.assertEqual(rest, data[3073:])


class ServerTests(SynchronousTestCase):
    """The server's side, line by line."""

    def test_conformance1_repliesWithoutC2(self) -> None:
        """S0, S1 and S2 go out together as soon as C0 and C1 are there."""
        for c1 in (bytes(1536), c1With(Layout.KEY_FIRST), c1With(Layout.DIGEST_FIRST)):
            reply, rest = ServerHandshake().feed(b"\x03" + c1)
            self.assertEqual((len(reply), rest), (HANDSHAKE_SIZE, None))

    def test_conformance3_anyC2(self) -> None:
        """C2 may be a copy, another copy, a signature or nonsense."""
        for c1 in (bytes(1536), c1With(Layout.DIGEST_FIRST)):
            for c2 in (bytes(1536), b"\xff" * 1536, c1, deterministic()(1536)):
                handshake = ServerHandshake()
                self.assertEqual(len(handshake.feed(b"\x03" + c1)[0]), HANDSHAKE_SIZE)
                self.assertEqual(handshake.feed(c2 + b"next"), (b"", b"next"))

    test_A5_wrongC2Echo = test_conformance3_anyC2

    def test_conformance4_plainS1HasVersionZero(self) -> None:
        """An S1 without digest has version 0, whatever the version in C1: else FFmpeg's player leaves."""
        for version in ("00000000", "00000001", "03000001", "09007c02", "0a002d02", "80000302", "ffffffff"):
            c1 = bytes(4) + bytes.fromhex(version) + deterministic()(1528)
            handshake = ServerHandshake(lambda size: b"\xee" * size)
            reply, _ = handshake.feed(b"\x03" + c1)
            self.assertIsNone(handshake.layout)
            self.assertEqual(reply, b"\x03" + bytes(8) + b"\xee" * 1528 + c1)
            self.assertTrue(ffmpegPlays(c1, reply))

    def test_conformance5_digestIsAnswered(self) -> None:
        """A C1 with a digest gets one in the same layout, and a signed S2."""
        for layout, base in ((Layout.KEY_FIRST, 772), (Layout.DIGEST_FIRST, 8)):
            c1 = c1With(layout)
            handshake = ServerHandshake()
            reply, _ = handshake.feed(b"\x03" + c1)
            self.assertIs(handshake.layout, layout)
            self.assertEqual(handshake.c1Version.hex(), "80000302")
            self.assertEqual(reply[5:9].hex(), "0d0e0a0d")
            self.assertTrue(hasDigest(reply[1:1537], base, SHORT_SERVER_KEY))
            self.assertFalse(hasDigest(reply[1:1537], 780 - base, SHORT_SERVER_KEY))
            self.assertTrue(hasSignature(reply[1537:], LONG_SERVER_KEY, digestAt(c1, base)[1]))

    def test_conformance5_versionZeroIsPlain(self) -> None:
        """Version bytes of zero mean plain, even over a digest that is right (wire facts 1.3)."""
        for layout in Layout:
            c1 = c1With(layout, version=bytes(4))
            handshake = ServerHandshake()
            reply, _ = handshake.feed(b"\x03" + c1)
            self.assertIsNone(handshake.layout)
            self.assertEqual((reply[5:9], reply[1537:]), (bytes(4), c1))

    def test_conformance5_ffmpegPlays(self) -> None:
        """FFmpeg's player accepts what we answer to its C1; and the check we do here is one that can fail."""
        c1 = clientBytes("ffmpeg5-play")[1:1537]
        reply, _ = ServerHandshake().feed(b"\x03" + c1)
        self.assertGreaterEqual(reply[5], 3)
        self.assertTrue(ffmpegPlays(c1, reply))
        self.assertFalse(ffmpegPlays(c1, reply[:-1] + bytes([reply[-1] ^ 1])))
        self.assertFalse(ffmpegPlays(c1, reply[:1400] + bytes([reply[1400] ^ 1]) + reply[1401:]))

    def test_conformance6_s2CopiesC1(self) -> None:
        """A C1 without digest comes back as S2, time and all."""
        for c1 in (b"\xff" * 1536, bytes(range(256)) * 6):
            reply, _ = ServerHandshake().feed(b"\x03" + c1)
            self.assertEqual(reply[1537:], c1)

    def test_conformance7_refusedVersions(self) -> None:
        """Every C0 but 3 is refused, with a reason, at byte 0."""
        for first in set(range(256)) - {3}:
            error = self.assertRaises(RemoteProtocolError, ServerHandshake().feed, bytes([first]))
            self.assertEqual(error.offset, 0)
            self.assertIn(f"C0 is 0x{first:02x}: ", error.reason)
            if first >= 32 and first not in b"CDGHOPT":
                self.assertIn("not RTMP", error.reason)

    def test_A3_firstByte(self) -> None:
        """The reason tells the operator what came instead of RTMP."""
        for data, words in (
            (b"\x00", "RTMP version 0 is not supported"),
            (b"\x04", "RTMP version 4 is not supported"),
            (b"\x1f", "RTMP version 31 is not supported"),
            (b"\x06", "encrypted RTMP (RTMPE)"),
            (b"\x08", "encrypted RTMP (RTMPE)"),
            (b"\x09", "encrypted RTMP (RTMPE)"),
            (b"\x16\x03\x01", "TLS ClientHello on a plain port: give the port a TLS endpoint"),
            (b"GET / HTTP/1.1\r\n", "HTTP request"),
            (b"HEAD / HTTP/1.1\r\n", "HTTP request"),
            (b"POST /open/1 HTTP/1.1\r\n", "RTMPT"),
            (b"PROXY TCP4 ", "PROXY protocol"),
            (b"\r\n\r\n\0\r\nQUIT\n", "PROXY protocol"),
            (b"\x20", "not RTMP"),
            (b"\xff" * 5000, "not RTMP"),
        ):
            handshake = ServerHandshake()
            self.assertEqual(handshake.feed(b""), (b"", None))
            error = self.assertRaises(RemoteProtocolError, handshake.feed, data)
            self.assertIn(words, error.reason)
            self.assertEqual(error.offset, 0)
            self.assertRaises(LocalProtocolError, handshake.feed, b"\x03")

    def test_A4_hostileDigestOffsets(self) -> None:
        """Place bytes at all their extremes, in both layouts: at most 4 HMACs, and the plain handshake."""
        calls: list[bytes] = []
        original = hmac.digest

        def counting(key: bytes, msg: bytes, digest: str) -> bytes:
            calls.append(key)
            return original(key, msg, digest)

        self.patch(hmac, "digest", counting)
        template = bytes(4) + b"\xff" * 4 + deterministic()(1528)
        extremes = list(itertools.product((0, 1, 254, 255), repeat=4))
        for bases in ((8,), (772,), (8, 772)):
            for place in extremes:
                c1 = bytearray(template)
                for base in bases:
                    c1[base : base + 4] = bytes(place)
                calls.clear()
                handshake = ServerHandshake()
                reply, rest = handshake.feed(b"\x03" + c1)
                self.assertLessEqual(len(calls), 4)
                self.assertEqual((handshake.layout, rest), (None, None))
                self.assertEqual((reply[5:9], reply[1537:]), (bytes(4), bytes(c1)))

    def test_A4_extremesWithDigest(self) -> None:
        """The same place bytes over a digest that is right: it is found."""
        for layout in Layout:
            for place in itertools.product((0, 255), repeat=4):
                block = bytearray(bytes(4) + b"\xff" * 4 + deterministic()(1528))
                block[layout.value : layout.value + 4] = bytes(place)
                c1 = placeDigest(bytes(block), layout, CLIENT_KEY)
                handshake = ServerHandshake()
                reply, _ = handshake.feed(b"\x03" + c1)
                self.assertIs(handshake.layout, layout)
                self.assertTrue(hasSignature(reply[1537:], LONG_SERVER_KEY, digestAt(c1, layout.value)[1]))

    def test_A4_extremeRandom(self) -> None:
        """Our own S1 is right for any random bytes of ours."""
        for value in range(256):
            c1 = c1With(Layout.KEY_FIRST)
            reply, _ = ServerHandshake(bytes([value]).__mul__).feed(b"\x03" + c1)
            self.assertEqual(len(reply), HANDSHAKE_SIZE)
            self.assertTrue(hasDigest(reply[1:1537], 772, SHORT_SERVER_KEY))

    def test_A6_everythingInOneWrite(self) -> None:
        """C0, C1, C2 and 1 MB of chunks in one write: one reply, and every byte behind C2."""
        chunks = bytes(range(256)) * 4096
        reply, rest = ServerHandshake().feed(b"\x03" + bytes(3072) + chunks)
        self.assertEqual(len(reply), HANDSHAKE_SIZE)
        self.assertEqual(rest, chunks)

    def test_restMayBeEmpty(self) -> None:
        """Complete but with nothing behind is not the same as incomplete."""
        handshake = ServerHandshake()
        self.assertEqual(handshake.feed(b"\x03" + bytes(1536))[1], None)
        self.assertEqual(handshake.feed(bytes(1535)), (b"", None))
        self.assertEqual(handshake.feed(b""), (b"", None))
        self.assertEqual(handshake.feed(b"\0"), (b"", b""))

    def test_over(self) -> None:
        """Once over, it takes nothing: the chunks belong elsewhere."""
        handshake = ServerHandshake()
        handshake.feed(b"\x03" + bytes(3072))
        self.assertRaises(LocalProtocolError, handshake.feed, b"x")
        self.assertRaises(LocalProtocolError, handshake.feed, b"")

    def test_A6_holdsNoMoreThanNeeded(self) -> None:
        """What is kept, measured as a pickle: C0 and C1 at most, nothing of C2, nothing of the chunks."""
        handshake = ServerHandshake()
        sizes = []
        for data in (b"\x03" + bytes(1535), bytes(1), bytes(1535), bytes(1 << 20)):
            handshake.feed(data)
            sizes.append(len(pickle.dumps(handshake)))
        self.assertLess(sizes[0], 1536 + 500)
        self.assertLess(max(sizes[1:]), 500)

    def test_beforeC1(self) -> None:
        """What is not known yet has a value that a log line can show."""
        handshake = ServerHandshake()
        handshake.feed(b"\x03" + b"\xff" * 1535)
        self.assertEqual((handshake.layout, handshake.c1Version, handshake.peerTimestamp), (None, b"", 0))
        handshake.feed(b"\xff")
        self.assertEqual((handshake.c1Version, handshake.peerTimestamp), (b"\xff" * 4, 0xFFFFFFFF))

    def test_randomByDefault(self) -> None:
        """Two connections get different bytes."""
        data = b"\x03" + c1With(Layout.DIGEST_FIRST)
        replies = [ServerHandshake().feed(data)[0] for _ in range(2)]
        self.assertNotEqual(replies[0][9:1537], replies[1][9:1537])
        self.assertNotEqual(replies[0][1537:3041], replies[1][1537:3041])

    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.binary(max_size=1600), max_size=6))
    def test_anyBytes(self, pieces: list[bytes]) -> None:
        """Nothing but RemoteProtocolError comes out, and only for a wrong first byte."""
        data = b"".join(pieces)
        if data and data[0] != 3:
            self.assertRaises(RemoteProtocolError, feedAll, ServerHandshake(), pieces)
            return
        replies, rest = feedAll(ServerHandshake(), pieces)
        self.assertEqual(len(replies), 1 if len(data) >= 1537 else 0)
        self.assertEqual(rest, data[3073:] if len(data) >= 3073 else None)


class ClientTests(SynchronousTestCase):
    """The client's side."""

    def test_conformance8_plainC1(self) -> None:
        """C1 is version 0 with random bytes, unless a digest is asked for."""
        self.assertEqual(ClientHandshake(lambda size: b"\xab" * size).start(), b"\x03" + bytes(8) + b"\xab" * 1528)
        self.assertNotEqual(ClientHandshake().start(), ClientHandshake().start())

    def test_conformance8_digestC1(self) -> None:
        """With a digest, it lies where the layout tells, and the version is not zero."""
        for layout, base in ((Layout.KEY_FIRST, 772), (Layout.DIGEST_FIRST, 8)):
            started = ClientHandshake(digest=True, layout=layout).start()
            self.assertEqual((started[:5], len(started)), (b"\x03" + bytes(4), 1537))
            self.assertNotEqual(started[5:9], bytes(4))
            self.assertTrue(hasDigest(started[1:], base, CLIENT_KEY))

    def test_conformance8_anyS1S2(self) -> None:
        """Whatever S1 and S2 hold, C2 is a copy of S1: for a plain client, and for one that finds no digest."""
        random = deterministic()
        for digest in (False, True):
            for s1 in (bytes(1536), b"\xff" * 1536, random(1536)):
                for s2 in (bytes(1536), s1, random(1536)):
                    handshake = ClientHandshake(digest=digest)
                    handshake.start()
                    self.assertEqual(handshake.feed(b"\x03" + s1 + s2 + b"next"), (s1, b"next"))
                    self.assertEqual((handshake.s2Echoes, handshake.layout), (False, None))
                    self.assertEqual(handshake.s1Version, s1[4:8])
                    self.assertEqual(handshake.peerTimestamp, int.from_bytes(s1[:4], "big"))

    def test_conformance8_versionZeroS1IsPlain(self) -> None:
        """An S1 of version 0 gets a copy, even if it carries a digest that is right."""
        for version in (bytes(4), b"\0\0\0\1"):
            s1 = placeDigest(bytes(4) + version + deterministic()(1528), Layout.KEY_FIRST, SERVER_KEY)
            handshake = ClientHandshake(digest=True)
            handshake.start()
            reply, _ = handshake.feed(b"\x03" + s1 + bytes(1536))
            self.assertEqual(reply == s1, version == bytes(4))
            self.assertIs(handshake.layout, None if version == bytes(4) else Layout.KEY_FIRST)

    def test_conformance8_wrongS0(self) -> None:
        """Only S0 is checked, at the first byte."""
        for first, words in (
            (0, "RTMP version 0"),
            (6, "RTMPE"),
            (0x15, "TLS"),
            (0x48, "HTTP"),
            (0x47, "not RTMP"),
            (255, "not RTMP"),
        ):
            handshake = ClientHandshake()
            handshake.start()
            error = self.assertRaises(RemoteProtocolError, handshake.feed, bytes([first]))
            self.assertEqual(error.offset, 0)
            self.assertIn(f"S0 is 0x{first:02x}", error.reason)
            self.assertIn(words, error.reason)
            self.assertRaises(LocalProtocolError, handshake.feed, b"\x03")

    def test_conformance9_waitsForS2(self) -> None:
        """C2 comes with the last byte of S2, and not before; so nobody can send connect too early."""
        handshake = ClientHandshake()
        handshake.start()
        self.assertEqual(handshake.feed(b""), (b"", None))
        data = b"\x03" + deterministic()(3072)
        for piece in single(data[:-1]):
            self.assertEqual(handshake.feed(piece), (b"", None))
            self.assertIsNone(handshake.s2Echoes)
        self.assertEqual(handshake.feed(data[-1:]), (data[1:1537], b""))

    def test_order(self) -> None:
        """start() once, then feed() until it is over."""
        handshake = ClientHandshake()
        self.assertRaises(LocalProtocolError, handshake.feed, b"\x03")
        handshake.start()
        self.assertRaises(LocalProtocolError, handshake.start)
        handshake.feed(b"\x03" + bytes(3072))
        self.assertRaises(LocalProtocolError, handshake.feed, b"x")
        self.assertRaises(LocalProtocolError, handshake.start)

    def test_s2EchoIgnoresItsTime(self) -> None:
        """Bytes 4 to 7 of S2 may be the server's own time; all others must be C1's to count as a copy."""
        for position, echoes in ((0, False), (3, False), (4, True), (7, True), (8, False), (1535, False)):
            handshake = ClientHandshake()
            s2 = bytearray(handshake.start()[1:])
            s2[position] ^= 1
            handshake.feed(b"\x03" + bytes(1536) + s2)
            self.assertIs(handshake.s2Echoes, echoes, position)

    def test_captures(self) -> None:
        """Each recorded server is accepted, at every sampled cut, by both kinds of client."""
        for name in NAMES:
            data = serverBytes(name)[:3400]
            for digest in (False, True):
                for cut in CUTS:
                    handshake = ClientHandshake(digest=digest)
                    handshake.start()
                    replies, rest = feedAll(handshake, (data[:cut], data[cut:]))
                    self.assertEqual([len(reply) for reply in replies], [1536])
                    self.assertEqual(rest, data[3073:], (name, cut))
                signed = digest and data[5:9].hex() == "0d0e0a0d"
                self.assertIs(handshake.layout, Layout.DIGEST_FIRST if signed else None, name)
                if signed:
                    self.assertTrue(hasSignature(replies[0], LONG_CLIENT_KEY, digestAt(data[1:1537], 8)[1]))
                else:
                    self.assertEqual(replies[0], data[1:1537])

    def test_ffmpegByteForByte(self) -> None:
        """With FFmpeg's random bytes we send FFmpeg's C0, C1 and C2, and nginx-rtmp's S2 is signed for us."""
        for name in ("ffmpeg5-play", "ffmpeg5-play-exttimestamp"):
            data = clientBytes(name)
            handshake = ClientHandshake(recorded(data[9:1537], data[1537:3041]), digest=True)
            self.assertEqual(handshake.start(), data[:1537])
            reply, _ = handshake.feed(serverBytes(name))
            self.assertEqual(reply, data[1537:3073])
            self.assertIs(handshake.s2Echoes, True)

    def test_digestToPlainServer(self) -> None:
        """FFmpeg as a server answers a digest with version 0 and a copy of C1."""
        name = "ffmpeg5-publish-to-ffmpeg9-listen"
        data = clientBytes(name)
        handshake = ClientHandshake(recorded(data[9:1537]), digest=True)
        self.assertEqual(handshake.start(), data[:1537])
        reply, rest = handshake.feed(serverBytes(name))
        self.assertEqual(reply, data[1537:3073])
        self.assertEqual(rest, serverBytes(name)[3073:])
        self.assertEqual((handshake.layout, handshake.s2Echoes), (None, True))


class FaceToFaceTests(SynchronousTestCase):
    """Our client and our server."""

    def converse(self, client: ClientHandshake, pieces: Callable[[bytes], Iterable[bytes]]) -> ServerHandshake:
        server = ServerHandshake()
        replies, rest = feedAll(server, pieces(client.start()))
        self.assertEqual((len(replies), rest), (1, None))
        answers, rest = feedAll(client, pieces(replies[0] + b"from server"))
        self.assertEqual((len(answers), rest), (1, b"from server"))
        self.assertEqual(feedAll(server, pieces(answers[0] + b"connect")), ([], b"connect"))
        if client.layout is None:
            self.assertEqual(answers[0], replies[0][1:1537])
        else:
            digest = digestAt(replies[0][1:1537], client.layout.value)[1]
            self.assertTrue(hasSignature(answers[0], LONG_CLIENT_KEY, digest))
        return server

    def test_eachMode(self) -> None:
        """Plain, base 8 and base 772, whole and in single bytes: both sides agree on the layout, and S2 is right."""
        for cut in (lambda data: [data], single):
            for layout in (None, *Layout):
                client = ClientHandshake(digest=layout is not None, layout=layout or Layout.KEY_FIRST)
                server = self.converse(client, cut)
                self.assertEqual((client.layout, server.layout), (layout, layout))
                self.assertIs(client.s2Echoes, True)
                self.assertEqual(any(client.s1Version), layout is not None)
                self.assertEqual(any(server.c1Version), layout is not None)
