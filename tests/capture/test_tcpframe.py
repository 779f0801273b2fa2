"""Tests for L{rtmptw.capture.tcpframe}."""

from __future__ import annotations

from random import Random

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.capture.tcpframe import LINKS, MAX_EXTENSIONS, MAX_TAGS, SYN, readFrame
from tests.capture.frames import CLIENT, SERVER, ethernet, ip, tcp

PORTS = (CLIENT[1], SERVER[1])
SIX = ("2001:db8::1", "2001:db8::2")


def segment(data: bytes = b"hello", options: bytes = b"") -> bytes:
    """A piece of a connection."""
    return tcp(PORTS, 7, SYN, data, options)


class ReadFrameTests(SynchronousTestCase):
    """Frames of all kinds."""

    def check(self, link: int, frame: bytes, data: bytes = b"hello", missing: int = 0) -> None:
        """It is L{segment}."""
        read = readFrame(link, frame)
        assert read is not None
        self.assertEqual((read.source[1], read.target[1]), PORTS)
        self.assertEqual((read.sequence, read.flags, read.data, read.missing), (7, SYN, data, missing))

    def test_addresses(self) -> None:
        """They are as they are in the header, for both versions of IP."""
        four = readFrame(1, ethernet(ip(segment())))
        six = readFrame(1, ethernet(ip(segment(), SIX)))
        assert four is not None and six is not None
        self.assertEqual((four.source[0], four.target[0]), (bytes((192, 0, 2, 1)), bytes((198, 51, 100, 7))))
        self.assertEqual(six.source[0], bytes.fromhex("20010db8000000000000000000000001"))
        self.assertEqual(six.target[0], bytes.fromhex("20010db8000000000000000000000002"))

    def test_links(self) -> None:
        """Every kind of link in the table, with what it puts in front."""
        for packet, kind, family in (
            (ip(segment()), b"\x08\x00", b"\2\0\0\0"),
            (ip(segment(), SIX), b"\x86\xdd", b"\x1e\0\0\0"),
        ):
            for link in LINKS:
                front = {
                    0: family,
                    1: bytes(12) + kind,
                    108: family[::-1],
                    113: bytes(14) + kind,
                    276: kind + bytes(18),
                }.get(link, b"")
                self.check(link, front + packet)

    def test_padding(self) -> None:
        """Ethernet has no frames below 60 bytes: what is behind IP is not data."""
        self.check(1, ethernet(ip(segment())) + b"padding")
        self.check(1, ethernet(ip(segment(), SIX)) + b"padding")

    def test_options(self) -> None:
        """Options of IP and of TCP are stepped over."""
        self.check(1, ethernet(ip(segment(options=bytes(12)), extensions=bytes(8))))

    def test_tags(self) -> None:
        """So are VLAN tags, as many as there may be."""
        self.check(1, ethernet(ip(segment()), b"\x81\x00\0\1"))
        self.check(1, ethernet(ip(segment()), b"\x88\xa8\0\1" + b"\x81\x00\0\1" * (MAX_TAGS - 1)))
        self.assertIsNone(readFrame(1, ethernet(ip(segment()), b"\x81\x00\0\1" * (MAX_TAGS + 1))))

    def test_extensions(self) -> None:
        """So are IPv6's extension headers, of any length, as many as there may be."""
        hop, long = b"\x3c\0" + bytes(6), b"\6\1" + bytes(14)
        self.check(1, ethernet(ip(segment(), SIX, protocol=0, extensions=hop + long)))
        many = b"\x3c\0" + bytes(6)
        self.check(
            1, ethernet(ip(segment(), SIX, protocol=60, extensions=many * (MAX_EXTENSIONS - 1) + b"\6" + bytes(7)))
        )
        self.assertIsNone(
            readFrame(1, ethernet(ip(segment(), SIX, protocol=60, extensions=many * MAX_EXTENSIONS + b"\6" + bytes(7))))
        )

    def test_larger(self) -> None:
        """A length of 0 is that of a frame which a card has put together."""
        data = bytes(70_000)
        self.check(1, ethernet(ip(segment(data), size=0)), data)
        self.check(1, ethernet(ip(segment(data), SIX, size=0)), data)

    def test_cut(self) -> None:
        """What the capture has not kept is counted."""
        self.check(1, ethernet(ip(segment(bytes(100))))[:-60], bytes(40), 60)
        self.check(1, ethernet(ip(segment(bytes(100), bytes(12))))[:-106], b"", 100)

    def test_others(self) -> None:
        """What is not TCP, or only a part of it, is nothing."""
        for frame in (
            b"",
            ethernet(ip(segment(), protocol=17)),
            ethernet(ip(segment(), SIX, protocol=17)),
            ethernet(ip(segment(), SIX, protocol=44, extensions=b"\6" + bytes(7))),
            ethernet(ip(segment(), fragment=0x2000)),
            ethernet(ip(segment(), fragment=0x0001)),
            bytes(12) + b"\x08\x06" + ip(segment()),
            bytes(12) + b"\x08\x00" + b"\x50" + ip(segment())[1:],
            bytes(12) + b"\x08\x00" + b"\x44" + ip(segment())[1:],
        ):
            self.assertIsNone(readFrame(1, frame), frame)
        self.assertIsNone(readFrame(113, bytes(14) + b"\x08\x06" + ip(segment())))
        self.assertIsNone(readFrame(276, b"\x08\x06" + bytes(18) + ip(segment())))

    def test_lies(self) -> None:
        """A TCP header that is too short, or reaches behind IP."""
        short = bytearray(segment())
        short[12] = 4 << 4
        self.assertIsNone(readFrame(101, ip(bytes(short))))
        self.assertIsNone(readFrame(101, ip(segment(), size=39)))

    def test_everyCut(self) -> None:
        """Wherever a frame is cut off, there is no exception, and no more than what is there."""
        for packet in (ip(segment()), ip(segment(), SIX, protocol=0, extensions=b"\6\0" + bytes(6))):
            for link in LINKS:
                whole = {0: bytes(4), 108: bytes(4), 113: bytes(14), 276: b""}.get(link, b"") + packet
                for size in range(len(whole)):
                    read = readFrame(link, whole[:size])
                    self.assertTrue(read is None or len(read.data) + read.missing == 5)

    def test_noise(self) -> None:
        """Nor is there one for any bytes at all."""
        random = Random(1)
        good = ethernet(ip(segment(), SIX, protocol=0, extensions=b"\6\0" + bytes(6)))
        for _ in range(20_000):
            frame = bytearray(good)
            for _ in range(random.randrange(1, 6)):
                frame[random.randrange(len(frame))] = random.randrange(256)
            for link in (1, 101):
                read = readFrame(link, bytes(frame) if link == 1 else bytes(frame[14:]))
                self.assertTrue(read is None or read.missing >= 0)
