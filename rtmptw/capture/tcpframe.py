# -*- test-case-name: tests.capture.test_tcpframe -*-
"""
A frame as a network card sees it, and the piece of a TCP connection in it.

Each kind of link puts something of its own in front of IP (https://www.tcpdump.org/linktypes.html). Then come IPv4
(RFC 791) or IPv6 (RFC 8200), and TCP (RFC 9293, section 3.1). Checksums are not looked at: network cards compute them,
behind where captures are made. Fragments of IP are not put together: TCP avoids them.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import NamedTuple

__all__ = ["ACK", "FIN", "LINKS", "MAX_EXTENSIONS", "MAX_TAGS", "RST", "SYN", "TCPFrame", "readFrame"]

#: The flags of TCP that matter here.
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10

#: How many VLAN tags and how many extension headers of IPv6 there may be.
MAX_TAGS = 4
MAX_EXTENSIONS = 8

_TCP = 6
_TCP_HEADER = Struct(">HHII BB")
_TCP_HEADER_SIZE = 20
_IPV4_HEADER = Struct(">xxHxxHxB")
_IPV4_HEADER_SIZE = 20
_IPV6_HEADER = Struct(">4xHB")
_IPV6_HEADER_SIZE = 40

#: What "more fragments" and the offset of a fragment are in (RFC 791, section 3.1).
_FRAGMENT = 0x3FFF

#: The EtherTypes of IP, and of VLAN tags (IEEE 802.1Q, 802.1ad).
_IP = {b"\x08\x00", b"\x86\xdd"}
_TAGS = {b"\x81\x00", b"\x88\xa8"}

#: Extension headers of IPv6 that something follows: hop-by-hop options, routing, destination options.
_EXTENSIONS = {0, 43, 60}


class TCPFrame(NamedTuple):
    """
    What TCP says in one frame.

    @ivar source: who sends: the address, 4 or 16 bytes, and the port.
    @ivar target: who is to receive.
    @ivar sequence: the sequence number of the first byte, or of SYN.
    @ivar flags: L{SYN} and so on.
    @ivar data: the bytes, as far as they were captured.
    @ivar missing: how many more there were: the capture keeps only the beginning of each frame.
    """

    source: tuple[bytes, int]
    target: tuple[bytes, int]
    sequence: int
    flags: int
    data: bytes
    missing: int


def _ethernet(frame: bytes) -> int:
    position = 12
    for _ in range(MAX_TAGS + 1):
        kind = frame[position : position + 2]
        if kind not in _TAGS:
            return position + 2 if kind in _IP else -1
        position += 4
    return -1


def _cooked(frame: bytes) -> int:
    return 16 if frame[14:16] in _IP else -1


def _cooked2(frame: bytes) -> int:
    return 20 if frame[0:2] in _IP else -1


def _loopback(frame: bytes) -> int:
    # The family's number is another one on each system; the version of IP says as much.
    return 4


def _raw(frame: bytes) -> int:
    return 0


#: Where IP begins in a frame, or -1 if it is something else, by the type of the link: BSD loopback (NULL, LOOP),
#: Ethernet, raw IP (by all its numbers), Linux cooked (SLL, SLL2).
LINKS: dict[int, Callable[[bytes], int]] = {
    0: _loopback,
    1: _ethernet,
    12: _raw,
    14: _raw,
    101: _raw,
    108: _loopback,
    113: _cooked,
    228: _raw,
    229: _raw,
    276: _cooked2,
}


def readFrame(link: int, frame: bytes) -> TCPFrame | None:
    """
    @param link: the type of the link, one of L{LINKS}.
    @return: L{None} if it is not TCP, or can't be read.
    """
    position = LINKS[link](frame)
    if position < 0 or position >= len(frame):
        return None
    version = frame[position] >> 4
    if version == 4:
        return _readIPv4(frame, position)
    return _readIPv6(frame, position) if version == 6 else None


def _readIPv4(frame: bytes, position: int) -> TCPFrame | None:
    tcp = position + (frame[position] & 0x0F) * 4
    if tcp - position < _IPV4_HEADER_SIZE or len(frame) < tcp:
        return None
    size, fragment, protocol = _IPV4_HEADER.unpack_from(frame, position)
    if protocol != _TCP or fragment & _FRAGMENT:
        return None
    addresses = frame[position + 12 : position + 16], frame[position + 16 : position + 20]
    return _readTCP(frame, tcp, _end(frame, position, size), addresses)


def _readIPv6(frame: bytes, position: int) -> TCPFrame | None:
    tcp = position + _IPV6_HEADER_SIZE
    if len(frame) < tcp:
        return None
    size, kind = _IPV6_HEADER.unpack_from(frame, position)
    end = _end(frame, tcp, size)
    for _ in range(MAX_EXTENSIONS):
        if kind not in _EXTENSIONS or len(frame) < tcp + 2:
            break
        kind, length = frame[tcp], frame[tcp + 1]
        tcp += (length + 1) * 8
    if kind != _TCP:
        return None
    addresses = frame[position + 8 : position + 24], frame[position + 24 : position + 40]
    return _readTCP(frame, tcp, end, addresses)


def _end(frame: bytes, start: int, size: int) -> int:
    """Where IP ends. Behind it may be padding. 0 stands for more than 65,535 bytes, as cards make them of several."""
    return start + size if size else len(frame)


def _readTCP(frame: bytes, position: int, end: int, addresses: tuple[bytes, bytes]) -> TCPFrame | None:
    if len(frame) < position + _TCP_HEADER_SIZE:
        return None
    sourcePort, targetPort, sequence, _, offset, flags = _TCP_HEADER.unpack_from(frame, position)
    size = (offset >> 4) * 4
    start = position + size
    if size < _TCP_HEADER_SIZE or start > end:
        return None
    data = frame[start:end]
    return TCPFrame(
        (addresses[0], sourcePort), (addresses[1], targetPort), sequence, flags, data, end - start - len(data)
    )
