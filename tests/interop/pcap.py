"""
A recorded conversation as a capture file, so that tshark can read it without having been allowed to listen.

The format is pcap (draft-ietf-opsawg-pcap): a header, then a header and a frame for each frame. A frame here is
Ethernet, IPv4 and TCP with as little in them as tshark needs; checksums are 0, which it does not look at.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

from tests.interop.proxy import Conversation

__all__ = ["SERVER_PORT", "writeCapture"]

SERVER_PORT = 1935

_SEGMENT = 1448
_SYN, _FIN, _ACK = 0x02, 0x01, 0x10
_LOOPBACK = bytes((127, 0, 0, 1))


class _Capture:
    """One file that grows."""

    def __init__(self) -> None:
        self.blocks = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 0x40000, 1)]

    def add(self, at: float, ports: tuple[int, int], numbers: tuple[int, int], flags: int, data: bytes = b"") -> None:
        """
        @param ports: the sender's, the receiver's.
        @param numbers: sequence and acknowledgement.
        """
        tcp = struct.pack(">HHIIBBHHH", *ports, *numbers, 5 << 4, flags, 0xFFFF, 0, 0)
        size = 20 + len(tcp) + len(data)
        ip = struct.pack(">BBHHHBBH", 0x45, 0, size, 0, 0x4000, 64, 6, 0) + _LOOPBACK + _LOOPBACK
        frame = bytes(12) + b"\x08\x00" + ip + tcp + data
        self.blocks.append(struct.pack("<IIII", int(at), int(at % 1 * 1e6), len(frame), len(frame)) + frame)


def writeCapture(path: Path, conversations: Iterable[Conversation]) -> None:
    """
    Write whole connections, each with a client's port of its own, to the server's port L{SERVER_PORT}.
    """
    capture = _Capture()
    for clientPort, conversation in enumerate(conversations, 40001):
        ports = {True: (clientPort, SERVER_PORT), False: (SERVER_PORT, clientPort)}
        # How much each has sent, by whether it is the client; a SYN counts as a byte.
        sent = {True: 1, False: 1}
        at = conversation.segments[0].at
        capture.add(at, ports[True], (0, 0), _SYN)
        capture.add(at, ports[False], (0, 1), _SYN | _ACK)
        capture.add(at, ports[True], (1, 1), _ACK)
        for segment in conversation.segments:
            side, at = segment.fromClient, segment.at
            for start in range(0, len(segment.data), _SEGMENT):
                data = segment.data[start : start + _SEGMENT]
                capture.add(at, ports[side], (sent[side], sent[not side]), _ACK, data)
                sent[side] += len(data)
        for side in (True, False):
            capture.add(at, ports[side], (sent[side], sent[not side]), _FIN | _ACK)
            sent[side] += 1
    path.write_bytes(b"".join(capture.blocks))
