# -*- test-case-name: tests.capture.test_capturefile -*-
"""
A capture file, pcap or pcapng, and the RTMP connections in it.

::

    for connection in readCapture("capture.pcapng"):
        print(connection.client, connection.server, connection.notes)
        for segment in connection.segments: ...

The formats of the files are scapy's business (C{pip install rtmptw[pcap]}); what is in the frames is read by
L{rtmptw.capture.tcpframe}, because scapy's own dissection takes a hundred times as long.

The client is who has sent SYN; without that, who does not have one of the ports that are asked for; without those, who
speaks first. A connection is taken for RTMP if its client's first byte is C0, 3 (RTMP 1.0, section 5.2.2), or if it has
one of those ports.
"""

from __future__ import annotations

import contextlib
import gzip
import logging
import os
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib import import_module
from ipaddress import ip_address
from typing import Any, BinaryIO, NamedTuple, cast

from rtmptw.capture.tcpflow import PIECE_COST, TCPFlow
from rtmptw.capture.tcpframe import ACK, FIN, LINKS, RST, SYN, TCPFrame, readFrame
from rtmptw.errors import RTMPError
from rtmptw.trace.segment import Segment, Side

__all__ = [
    "DEFAULT_PORTS",
    "MAX_BYTES",
    "MAX_CONNECTIONS",
    "MAX_FRAME",
    "MAX_INTERFACES",
    "MAX_READ",
    "CaptureError",
    "CapturedConnection",
    "readCapture",
]

#: Where RTMP is expected, whatever a connection begins with.
DEFAULT_PORTS = (1935,)

#: The first byte of a client, C0.
_C0 = b"\x03"

#: How much RTMP is kept, bytes, with L{PIECE_COST} for each piece: it is held in memory as a whole.
MAX_BYTES = 1024 * 1024 * 1024

#: How many connections of any kind there may be, at the same time.
MAX_CONNECTIONS = 200_000

#: The largest frame, bytes: cards put several together, up to 64 KiB and the headers, or even more.
MAX_FRAME = 256 * 1024

#: The largest block that scapy may read at a time, and how many interfaces a file may describe.
MAX_READ = 16 * 1024 * 1024
MAX_INTERFACES = 10_000

#: Times after this are no times, seconds since 1970: the year 9999.
_END_OF_TIME = 253_000_000_000

_PCAP_HEADER_SIZE = 16
_GZIP = b"\x1f\x8b"

Endpoint = tuple[bytes, int]


class CaptureError(RTMPError):
    """
    A capture that can't be read, or not to its end; the text begins with the file, and says at which packet.

    @ivar connections: what was found before that.
    """

    connections: tuple[CapturedConnection, ...] = ()


@dataclass
class CapturedConnection:
    """
    One connection.

    @ivar client: the client's address and port, as C{192.0.2.1:54321} or C{[2001:db8::1]:54321}.
    @ivar server: the server's.
    @ivar began: when its first packet was captured, seconds since 1970; 0 if the file does not say.
    @ivar segments: what was said, in the order in which it could be read. Times are since the first packet.
    @ivar notes: what is to be known about it, in sentences: what is missing, and how it has ended.
    """

    client: str
    server: str
    began: float
    segments: list[Segment]
    notes: list[str]


def readCapture(path: str | os.PathLike[str], ports: Collection[int] | None = None) -> list[CapturedConnection]:
    """
    Find the RTMP connections in a capture, oldest first.

    @param path: pcap or pcapng; it may be compressed by gzip.
    @param ports: where RTMP is expected, whatever a connection begins with; by default L{DEFAULT_PORTS}.
    @raise CaptureError: scapy is not installed; or the file can't be read to its end, and then the error has what was
        found before (C{connections}).
    @raise OSError: the file can't be opened.
    """
    path = os.fspath(path)
    connections = _Connections(DEFAULT_PORTS if ports is None else ports)
    seen: set[int] = set()
    try:
        for packet in _packets(path):
            seen.add(packet.link)
            if packet.link in LINKS:
                frame = readFrame(packet.link, packet.data)
                if frame is not None:
                    connections.add(frame, packet.at)
        if seen and seen.isdisjoint(LINKS):
            raise CaptureError(f"nothing in it is of a kind of link that is known here, but of type {min(seen)}")
    except CaptureError as error:
        wrong = CaptureError(f"{path}: {error}")
        wrong.connections = tuple(connections.close(isAll=False))
        raise wrong from None
    return connections.close()


class _Packet(NamedTuple):
    """One frame, as the file has it; its time is L{None} if there is none."""

    link: int
    at: float | None
    data: bytes


class _Source:
    """
    A file, of which nobody reads too much at a time: a size in it may be a lie. It can't be moved in.

    @ivar position: how many bytes were read.
    @ivar packet: the number of the packet that is read, from 1 on; 0 in front of them.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.position = 0
        self.packet = 0

    def read(self, size: int) -> bytes:
        """As files do."""
        try:
            data = self._file.read(min(size, MAX_READ))
        except (OSError, EOFError, zlib.error) as error:
            # scapy would take it for the end.
            raise self.wrong(str(error)) from None
        self.position += len(data)
        return data

    def wrong(self, reason: str) -> CaptureError:
        """What to raise."""
        return CaptureError(f"packet {self.packet}: {reason}" if self.packet else reason)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What scapy has to say is in our errors; it would write it to stderr as well."""
    log = logging.getLogger("scapy.runtime")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        log.setLevel(level)


def _packets(path: str) -> Iterator[_Packet]:
    """
    The packets of a file.

    @raise CaptureError: it is not a capture, or cut off, or damaged.
    """
    try:
        scapy: Any = import_module("scapy.utils")
    except ImportError:
        raise CaptureError("captures are read by scapy, which is not installed: pip install rtmptw[pcap]") from None
    with open(path, "rb") as plain, _quiet():
        isCompressed = plain.peek(2)[:2] == _GZIP
        source = _Source(cast(BinaryIO, gzip.GzipFile(fileobj=plain)) if isCompressed else plain)
        try:
            reader = scapy.RawPcapReader(source)
            source.packet = 1
            yield from _pcapng(reader, source) if hasattr(reader, "interfaces") else _pcap(reader, source)
        except (CaptureError, MemoryError):
            raise
        except Exception as error:
            # Whatever a file makes scapy do.
            raise source.wrong(f"this is no capture that scapy can read ({error or type(error).__name__})") from None


def _pcap(reader: Any, source: _Source) -> Iterator[_Packet]:
    """pcap: a header, and packets."""
    # Above are flags (https://www.tcpdump.org/linktypes.html).
    link = reader.linktype & 0xFFFF
    fraction = 1e-9 if reader.nano else 1e-6
    start = source.position
    with contextlib.suppress(EOFError):
        while True:
            data, about = reader._read_packet(MAX_FRAME)
            if source.position - start < _PCAP_HEADER_SIZE + about.caplen:
                break
            yield _Packet(link, about.sec + about.usec * fraction, data)
            source.packet += 1
            start = source.position
    _checkEnd(start, source)


def _pcapng(reader: Any, source: _Source) -> Iterator[_Packet]:
    """pcapng: blocks, some of which are packets."""
    start = source.position
    with contextlib.suppress(EOFError):
        while True:
            found = reader._read_block(MAX_FRAME)
            start = source.position
            if len(reader.interfaces) + len(reader.process_information) > MAX_INTERFACES:
                raise source.wrong(f"more than {MAX_INTERFACES:,} interfaces and processes are described")
            if found is not None:
                data, about = found
                at = None if about.tshigh is None else ((about.tshigh << 32) + about.tslow) / about.tsresol
                yield _Packet(about.linktype, at, data)
                source.packet += 1
    _checkEnd(start, source)


def _checkEnd(start: int, source: _Source) -> None:
    """
    @param start: where the last record begins.
    @raise CaptureError: the file does not end there.
    """
    if source.position != start:
        raise source.wrong(f"the file is cut off or damaged, behind its byte {start:,}")


class _Connection:
    """
    One connection.

    @ivar client: who is the client, if that is known.
    """

    __slots__ = ("_began", "_broke", "_flows", "_last", "_pair", "_segments", "_wasCut", "client", "isExpected")

    def __init__(self, pair: tuple[Endpoint, Endpoint], at: float, isExpected: bool) -> None:
        """
        @param isExpected: whether it is RTMP, whatever it begins with.
        """
        self.client: Endpoint | None = None
        self.isExpected = isExpected
        self._pair = pair
        self._flows = {each: TCPFlow() for each in pair}
        self._began = self._last = at
        self._segments: list[Segment] = []
        self._broke: Endpoint | None = None
        self._wasCut = False

    def isAnother(self, frame: TCPFrame) -> bool:
        """Whether it begins a new connection of the same two: a SYN, and not the one that was here before."""
        if frame.flags & (SYN | ACK) != SYN:
            return False
        if self.client not in (None, frame.source):
            return True
        first = self._flows[frame.source].first
        return first is not None and first != (frame.sequence + 1) % (1 << 32)

    def add(self, frame: TCPFrame, at: float | None, ports: Collection[int]) -> tuple[bool, int]:
        """
        @return: whether it may be RTMP; and how much more is kept of it than before.
        """
        if at is not None:
            self._last = max(self._last, at)
        flow, sequence = self._flows[frame.source], frame.sequence
        if frame.flags & SYN:
            sequence += 1
            flow.begin(sequence)
            self.client = self.client or (frame.target if frame.flags & ACK else frame.source)
        if frame.flags & RST:
            self._broke = self._broke or frame.source
        cost = -flow.held
        if frame.data:
            self._wasCut |= frame.missing > 0
            ready = flow.add(sequence, frame.data)
            if ready and not self._segments and not self._identify(frame, ready[0], ports):
                return False, 0
            side = Side.CLIENT if frame.source == self.client else Side.SERVER
            self._segments += [Segment(side, self._last - self._began, data) for data in ready]
            cost += sum(len(data) + PIECE_COST for data in ready)
        if frame.flags & FIN:
            flow.finish(sequence + len(frame.data) + frame.missing)
        return True, cost + flow.held

    def _identify(self, frame: TCPFrame, data: bytes, ports: Collection[int]) -> bool:
        """
        The first bytes have come: who is the client?

        @return: whether it may be RTMP.
        """
        if self.client is None:
            isServer = frame.source[1] in ports and frame.target[1] not in ports
            self.client = frame.target if isServer else frame.source
        # S0 is the same.
        return self.isExpected or data[:1] == _C0

    def close(self, isAll: bool) -> CapturedConnection:
        """
        @param isAll: whether the capture was read to its end.
        """
        client = self.client or self._pair[0]
        server = self._pair[self._pair[0] == client]
        notes = []
        begun = {segment.side: segment.data[:1] for segment in reversed(self._segments)}
        for side, endpoint in ((Side.CLIENT, client), (Side.SERVER, server)):
            flow = self._flows[endpoint]
            # Without a SYN, it is the beginning if it looks like that.
            if not flow.isWhole and begun.get(side, _C0) != _C0:
                notes.append(f"the beginning of the {side.value}'s side is missing")
            gap = flow.gap()
            if gap:
                reason = "captured were only the first bytes of each packet" if self._wasCut else "it was not captured"
                notes.append(f"the {side.value}'s side: {gap}; {reason}")
            if self._broke == endpoint:
                notes.append(f"the {side.value} has reset the connection")
        if not isAll:
            notes.append("the capture was not read to its end")
        elif self._broke is None and not all(flow.isEnded for flow in self._flows.values()):
            notes.append("the capture ends before the connection does")
        began = self._began if self._began < _END_OF_TIME else 0.0
        return CapturedConnection(_text(client), _text(server), began, self._segments, notes)


class _Connections:
    """All connections of a capture."""

    def __init__(self, ports: Collection[int]) -> None:
        self._ports = ports
        # None is for one that is not RTMP.
        self._open: dict[frozenset[Endpoint], _Connection | None] = {}
        self._all: dict[_Connection, None] = {}
        self._kept = 0
        self._time = 0.0

    def add(self, frame: TCPFrame, at: float | None) -> None:
        """
        @raise CaptureError: there are too many, or there is too much.
        """
        key = frozenset((frame.source, frame.target))
        self._time = self._time if at is None else at
        connection = self._open.get(key)
        if connection is None:
            # The rest of what is not RTMP is passed by.
            if key in self._open and not frame.flags & SYN:
                return
            connection = self._begin(key, frame)
        elif connection.isAnother(frame):
            connection = self._begin(key, frame)
        mayBe, cost = connection.add(frame, at, self._ports)
        if not mayBe:
            self._open[key] = None
            del self._all[connection]
        self._kept += cost
        if self._kept > MAX_BYTES:
            raise CaptureError(f"there is more RTMP in it than {MAX_BYTES:,} bytes; cut it with editcap, or filter it")

    def _begin(self, key: frozenset[Endpoint], frame: TCPFrame) -> _Connection:
        if max(len(self._open), len(self._all)) >= MAX_CONNECTIONS:
            raise CaptureError(f"there are more than {MAX_CONNECTIONS:,} connections in it; filter it")
        isExpected = frame.source[1] in self._ports or frame.target[1] in self._ports
        connection = _Connection((frame.source, frame.target), self._time, isExpected)
        self._open[key] = connection
        self._all[connection] = None
        return connection

    def close(self, isAll: bool = True) -> list[CapturedConnection]:
        """What was found."""
        closed = [(each, each.close(isAll)) for each in self._all]
        return [found for each, found in closed if found.segments or each.isExpected]


def _text(endpoint: Endpoint) -> str:
    address, port = ip_address(endpoint[0]), endpoint[1]
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
