"""
Frames and capture files, made by hand.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from ipaddress import ip_address

__all__ = ["CLIENT", "SERVER", "ethernet", "ip", "pcap", "pcapng", "tcp"]

#: The two that speak, by default: address and port.
CLIENT = ("192.0.2.1", 40001)
SERVER = ("198.51.100.7", 1935)


def tcp(ports: tuple[int, int], sequence: int, flags: int = 0x10, data: bytes = b"", options: bytes = b"") -> bytes:
    """A TCP header (RFC 9293, section 3.1), and what is behind it."""
    offset = (20 + len(options)) // 4 << 4
    return struct.pack(">HHIIBBHHH", *ports, sequence % (1 << 32), 0, offset, flags, 0xFFFF, 0, 0) + options + data


def ip(
    payload: bytes,
    addresses: tuple[str, str] = (CLIENT[0], SERVER[0]),
    *,
    protocol: int = 6,
    fragment: int = 0x4000,
    size: int | None = None,
    extensions: bytes = b"",
) -> bytes:
    """
    An IPv4 or IPv6 header, by the addresses, and what is behind it.

    @param fragment: flags and offset of a fragment, for IPv4.
    @param size: the length that it says it has; by default, the true one.
    @param extensions: IPv6's headers or IPv4's options in between; C{protocol} is what is in front of them.
    """
    source, target = map(ip_address, addresses)
    if source.version == 6:
        length = len(extensions) + len(payload) if size is None else size
        return (
            struct.pack(">IHBB", 6 << 28, length, protocol, 64) + source.packed + target.packed + extensions + payload
        )
    header = 20 + len(extensions)
    length = header + len(payload) if size is None else size
    first = struct.pack(">BBHHHBBH", 0x40 | header // 4, 0, length, 0, fragment, 64, protocol, 0)
    return first + source.packed + target.packed + extensions + payload


def ethernet(packet: bytes, tags: bytes = b"") -> bytes:
    """An Ethernet frame."""
    return bytes(12) + tags + (b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00") + packet


def pcap(
    frames: Iterable[tuple[float, bytes]], link: int = 1, *, nano: bool = False, order: str = "<", snap: int = 1 << 18
) -> bytes:
    """
    A file (draft-ietf-opsawg-pcap).

    @param frames: their times, and their bytes.
    @param snap: how much of each is kept.
    """
    magic, unit = (0xA1B23C4D, 10**9) if nano else (0xA1B2C3D4, 10**6)
    file = [struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, snap, link)]
    for at, frame in frames:
        seconds, kept = int(at), frame[:snap]
        file.append(struct.pack(f"{order}IIII", seconds, round((at - seconds) * unit), len(kept), len(frame)) + kept)
    return b"".join(file)


def block(type: int, body: bytes) -> bytes:
    """A block of pcapng (draft-ietf-opsawg-pcapng)."""
    body += bytes(-len(body) % 4)
    return struct.pack("<II", type, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def section() -> bytes:
    """The header of a section."""
    return block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(link: int = 1, options: bytes = b"") -> bytes:
    """The description of an interface."""
    return block(1, struct.pack("<HHI", link, 0, 0) + options)


def packet(at: float, frame: bytes, interface: int = 0, unit: int = 10**6) -> bytes:
    """An enhanced packet block."""
    time = round(at * unit)
    return block(6, struct.pack("<5I", interface, time >> 32, time & 0xFFFFFFFF, len(frame), len(frame)) + frame)


def pcapng(frames: Iterable[tuple[float, bytes]], link: int = 1) -> bytes:
    """A file with one section and one interface."""
    return section() + interface(link) + b"".join(packet(at, frame) for at, frame in frames)
