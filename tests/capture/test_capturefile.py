"""Tests for L{rtmptw.capture.capturefile}."""

from __future__ import annotations

import gzip
import logging
import sys
from collections.abc import Iterable
from pathlib import Path
from random import Random
from unittest import skipIf

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.capture import capturefile
from rtmptw.capture.capturefile import CapturedConnection, CaptureError, readCapture
from rtmptw.trace.segment import Segment, Side
from tests.capture.frames import CLIENT, SERVER, block, ethernet, interface, ip, packet, pcap, pcapng, section, tcp
from tests.interop.pcap import writeCapture
from tests.interop.proxy import Conversation
from tests.interop.proxy import Segment as Passed
from tests.record.disk import makeDirectory

try:
    import scapy.utils

    noScapy = False
except ImportError:
    noScapy = True

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
CAPTURES = Path(__file__).parent.parent / "captures"
C, S = Side.CLIENT, Side.SERVER

Frame = tuple[float, bytes]


class Wire:
    """
    A conversation as frames.

    @ivar frames: what was captured.
    """

    def __init__(self, client: tuple[str, int] = CLIENT, server: tuple[str, int] = SERVER, first: int = 4_294_967_000):
        self.frames: list[Frame] = []
        self.ends = {C: client, S: server}
        self.next = {C: first, S: first + 77}
        self.at = 1_700_000_000.0

    def frame(self, side: Side, sequence: int, flags: int = ACK, data: bytes = b"", keep: bool = True) -> None:
        """One frame, a millisecond after the last."""
        source, target = self.ends[side], self.ends[side.other]
        packet = ip(tcp((source[1], target[1]), sequence, flags, data), (source[0], target[0]))
        self.at += 0.001
        if keep:
            self.frames.append((self.at, ethernet(packet)))

    def open(self) -> None:
        """SYN, SYN, and no more."""
        for side, flags in ((C, SYN), (S, SYN | ACK)):
            self.frame(side, self.next[side], flags)
            self.next[side] += 1

    def say(self, side: Side, data: bytes, keep: bool = True) -> None:
        """
        @param keep: whether it was captured.
        """
        self.frame(side, self.next[side], ACK, data, keep)
        self.next[side] += len(data)

    def end(self, side: Side) -> None:
        """FIN."""
        self.frame(side, self.next[side], FIN | ACK)


def said(connection: CapturedConnection, side: Side) -> bytes:
    """All that one side has said."""
    return b"".join(segment.data for segment in connection.segments if segment.side is side)


@skipIf(noScapy, "scapy is not installed: pip install rtmptw[pcap]")
class ReadCaptureTests(SynchronousTestCase):
    """Captures of all kinds."""

    def setUp(self) -> None:
        self.directory = makeDirectory(self)

    def file(self, content: bytes) -> Path:
        """A file."""
        path = self.directory / "capture"
        path.write_bytes(content)
        return path

    def read(self, frames: Iterable[Frame], ports: Iterable[int] | None = None) -> list[CapturedConnection]:
        """What is found in a capture."""
        return readCapture(self.file(pcap(frames)), None if ports is None else tuple(ports))

    def conversation(self) -> Wire:
        """One that lacks nothing."""
        wire = Wire()
        wire.open()
        wire.say(C, b"\3abc")
        wire.say(S, b"\3ABC")
        wire.say(C, b"def")
        wire.end(C)
        wire.end(S)
        return wire

    def fails(self, content: bytes) -> str:
        """
        It can't be read.

        @return: why not, without the name of the file.
        """
        path = self.file(content)
        text = str(self.assertRaises(CaptureError, readCapture, path))
        self.assertTrue(text.startswith(f"{path}: "), text)
        return text.removeprefix(f"{path}: ")

    def test_conversation(self) -> None:
        """Who said what when, and who they are."""
        (connection,) = self.read(self.conversation().frames)
        self.assertEqual((connection.client, connection.server), ("192.0.2.1:40001", "198.51.100.7:1935"))
        self.assertAlmostEqual(connection.began, 1_700_000_000.001, 5)
        self.assertEqual(
            [(each.side, each.data) for each in connection.segments], [(C, b"\3abc"), (S, b"\3ABC"), (C, b"def")]
        )
        for segment, at in zip(connection.segments, (0.002, 0.003, 0.004), strict=True):
            self.assertAlmostEqual(segment.at, at, 5)
        self.assertEqual(connection.notes, [])

    def test_formats(self) -> None:
        """pcap in both orders and units, pcapng, each also compressed: all the same."""
        frames = self.conversation().frames
        for content in (
            pcap(frames),
            pcap(frames, order=">"),
            pcap(frames, nano=True),
            pcap(frames, nano=True, order=">"),
            pcapng(frames),
        ):
            for file in (content, gzip.compress(content)):
                (connection,) = readCapture(self.file(file))
                self.assertEqual((said(connection, C), said(connection, S)), (b"\3abcdef", b"\3ABC"))
                self.assertAlmostEqual(connection.segments[-1].at, 0.004, 5)

    def test_realConversations(self) -> None:
        """Real streams, written as frames, come back byte for byte."""
        conversations = []
        for name in ("ffmpeg9-publish", "ffmpeg5-play", "rtmpdump24-play-live"):
            client, server = ((CAPTURES / f"{name}.{end}.bin").read_bytes() for end in ("c2s", "s2c"))
            conversation = Conversation(over=True)
            for at in range(0, max(len(client), len(server)), 5000):
                for byClient, data in ((True, client), (False, server)):
                    if data[at : at + 5000]:
                        conversation.segments.append(Passed(at / 1e6, byClient, data[at : at + 5000]))
            conversations.append(conversation)
        path = self.directory / "real.pcap"
        writeCapture(path, conversations)
        found = readCapture(path)
        self.assertEqual(len(found), 3)
        for connection, conversation in zip(found, conversations, strict=True):
            self.assertEqual(said(connection, C), conversation.said(True))
            self.assertEqual(said(connection, S), conversation.said(False))
            self.assertEqual(connection.notes, [])

    def test_anyOrder(self) -> None:
        """Frames of a real stream, mixed and doubled, within what a network does: the stream is the same."""
        random = Random(3)
        client, server = ((CAPTURES / f"ffmpeg9-publish.{end}.bin").read_bytes() for end in ("c2s", "s2c"))
        wire = Wire()
        wire.open()
        for at in range(0, len(client), 1448):
            wire.say(C, client[at : at + 1448])
            wire.say(S, server[at : at + 1448])
        start = wire.frames[:2]
        rest = [(number + random.random() * 12, frame) for number, (_, frame) in enumerate(wire.frames[2:])]
        rest += [(number + random.random() * 12, frame) for number, frame in random.sample(rest, 20)]
        # The client's first is first: it decides.
        rest[0] = (-1.0, rest[0][1])
        frames = start + [(1_700_000_001 + at / 1000, frame) for at, frame in sorted(rest)]
        (connection,) = self.read(frames)
        self.assertEqual((said(connection, C), said(connection, S)), (client, server))
        times = [segment.at for segment in connection.segments]
        self.assertEqual(times, sorted(times))
        self.assertEqual(connection.notes, ["the capture ends before the connection does"])

    def test_gap(self) -> None:
        """A side of which something is missing ends there, and says so; the other one goes on."""
        wire = Wire()
        wire.open()
        wire.say(C, b"\3abc")
        wire.say(S, b"\3ABC", keep=False)
        wire.say(S, b"DEFGH")
        wire.say(C, b"def")
        wire.end(C)
        wire.end(S)
        (connection,) = self.read(wire.frames)
        self.assertEqual((said(connection, C), said(connection, S)), (b"\3abcdef", b""))
        self.assertEqual(
            connection.notes,
            ["the server's side: 4 bytes are missing at byte 0, and 5 behind it are left out; it was not captured"],
        )

    def test_lastBytesMissing(self) -> None:
        """The end was captured, but not what is in front of it."""
        wire = Wire()
        wire.open()
        wire.say(C, b"\3abc")
        wire.say(C, b"def", keep=False)
        wire.end(C)
        wire.end(S)
        (connection,) = self.read(wire.frames)
        self.assertEqual(
            connection.notes, ["the client's side: the last 3 bytes are missing, at byte 4; it was not captured"]
        )

    def test_cutFrames(self) -> None:
        """A capture that keeps only the beginning of each frame."""
        wire = Wire()
        wire.open()
        wire.say(C, b"\3" + bytes(99))
        wire.say(C, bytes(10))
        (connection,) = readCapture(self.file(pcap(wire.frames, snap=94)))
        self.assertEqual(said(connection, C), b"\3" + bytes(39))
        self.assertIn("60 bytes are missing at byte 40", connection.notes[0])
        self.assertIn("captured were only the first bytes of each packet", connection.notes[0])

    def test_cutAtTheEnd(self) -> None:
        """Then the end is known to be further away, too."""
        wire = Wire()
        wire.open()
        source, target = CLIENT, SERVER
        segment = tcp((source[1], target[1]), wire.next[C], FIN | ACK, b"\3" + bytes(99))
        wire.frames.append((wire.at, ethernet(ip(segment, (source[0], target[0])))))
        (connection,) = readCapture(self.file(pcap(wire.frames, snap=94)))
        self.assertIn("the last 60 bytes are missing, at byte 40", connection.notes[0])

    def test_resets(self) -> None:
        """Who has broken off is told, and nothing else about the end."""
        for side in (C, S):
            wire = Wire()
            wire.open()
            wire.say(C, b"\3")
            wire.frame(side, wire.next[side], RST)
            wire.frame(side.other, 0, RST)
            (connection,) = self.read(wire.frames)
            self.assertEqual(connection.notes, [f"the {side.value} has reset the connection"])

    def test_refused(self) -> None:
        """A connection that a port refuses is seen where RTMP is expected, and only there."""
        wire = Wire()
        wire.frame(C, 0, SYN)
        wire.frame(S, 0, RST | ACK)
        (connection,) = self.read(wire.frames)
        self.assertEqual((connection.segments, connection.notes), ([], ["the server has reset the connection"]))
        self.assertEqual(self.read(wire.frames, []), [])

    def test_others(self) -> None:
        """Connections that are not RTMP, whoever speaks first, are left out; unless they have the port."""
        frames: list[Frame] = []
        for port, order in ((80, (C, S)), (22, (S, C)), (8080, (C, S))):
            wire = Wire(server=(SERVER[0], port))
            if port != 8080:
                wire.open()
            for side in order:
                wire.say(side, b"hello")
            wire.end(C)
            frames += wire.frames
        self.assertEqual(self.read(frames), [])
        found = self.read(frames, [80, 22, 8080])
        self.assertEqual([each.server for each in found], [f"198.51.100.7:{port}" for port in (80, 22, 8080)])
        self.assertEqual([each.segments[0].side for each in found], [C, S, C])

    def test_anyPort(self) -> None:
        """RTMP is known by its first byte, wherever it is."""
        for first in (C, S):
            wire = Wire(server=(SERVER[0], 19350))
            if first is C:
                wire.open()
            wire.say(C, b"\3abc")
            wire.say(S, b"\3ABC")
            (connection,) = self.read(wire.frames)
            self.assertEqual(connection.server, "198.51.100.7:19350")
            self.assertEqual((said(connection, C), said(connection, S)), (b"\3abc", b"\3ABC"))

    def test_portOfTheClient(self) -> None:
        """A SYN says more than a port."""
        wire = Wire(client=(CLIENT[0], 1935), server=(SERVER[0], 1936))
        wire.open()
        wire.say(C, b"\3abc")
        (connection,) = self.read(wire.frames)
        self.assertEqual((connection.server, said(connection, C)), ("198.51.100.7:1936", b"\3abc"))

    def test_withoutBeginning(self) -> None:
        """A capture that was begun later: who has the port is the server, and the beginning is missing."""
        wire = Wire()
        wire.say(S, b"ABC")
        wire.say(C, b"abc")
        (connection,) = self.read(wire.frames)
        self.assertEqual((said(connection, C), said(connection, S)), (b"abc", b"ABC"))
        self.assertEqual(
            connection.notes,
            [
                "the beginning of the client's side is missing",
                "the beginning of the server's side is missing",
                "the capture ends before the connection does",
            ],
        )

    def test_withoutOneSYN(self) -> None:
        """The server's SYN is enough to know who is who."""
        wire = Wire(server=(SERVER[0], 19350))
        wire.open()
        wire.say(C, b"\3abc")
        (connection,) = self.read(wire.frames[1:])
        self.assertEqual((connection.server, said(connection, C)), ("198.51.100.7:19350", b"\3abc"))

    def test_SYNsInTheWrongOrder(self) -> None:
        """The server's SYN may be captured before the client's, and either several times."""
        wire = Wire()
        wire.open()
        wire.frames = [wire.frames[number] for number in (1, 0, 0, 1)]
        wire.say(C, b"\3abc")
        wire.frames += wire.frames[:2]
        wire.say(S, b"\3ABC")
        (connection,) = self.read(wire.frames)
        self.assertEqual((said(connection, C), said(connection, S)), (b"\3abc", b"\3ABC"))

    def test_samePortsAgain(self) -> None:
        """A new SYN on the same ports is a new connection, whoever connects, and whatever was there before."""
        frames: list[Frame] = []
        for first in (100, 5000):
            wire = Wire(first=first)
            wire.open()
            wire.say(C, b"\3" + str(first).encode())
            frames += wire.frames
        back = Wire(client=SERVER, server=CLIENT)
        back.open()
        back.say(C, b"\3back")
        found = self.read(frames + back.frames)
        self.assertEqual([said(each, C) for each in found], [b"\x03100", b"\x035000", b"\3back"])
        self.assertEqual(found[2].server, "192.0.2.1:40001")
        other = Wire(server=(SERVER[0], 80))
        other.open()
        other.say(C, b"GET")
        rtmp = Wire(server=(SERVER[0], 80), first=1)
        rtmp.open()
        rtmp.say(C, b"\3abc")
        (connection,) = self.read(other.frames + rtmp.frames)
        self.assertEqual(said(connection, C), b"\3abc")

    def test_IPv6(self) -> None:
        """Addresses of IPv6 stand in brackets."""
        wire = Wire(("2001:db8::1", 40001), ("2001:db8::2", 1935))
        wire.open()
        wire.say(C, b"\3abc")
        (connection,) = self.read(wire.frames)
        self.assertEqual((connection.client, connection.server), ("[2001:db8::1]:40001", "[2001:db8::2]:1935"))

    def test_fastOpen(self) -> None:
        """SYN may bring bytes (RFC 7413)."""
        wire = Wire()
        wire.frame(C, wire.next[C], SYN, b"\3abc")
        wire.next[C] += 5
        wire.say(C, b"def")
        (connection,) = self.read(wire.frames)
        self.assertEqual(said(connection, C), b"\3abcdef")

    def test_timeGoesBack(self) -> None:
        """A clock that was set does not make times that go back."""
        frames = [(1000.0 - number, frame) for number, (_, frame) in enumerate(self.conversation().frames)]
        (connection,) = self.read(frames)
        self.assertEqual([segment.at for segment in connection.segments], [0.0, 0.0, 0.0])

    def test_withItself(self) -> None:
        """A packet to its own sender, as some attacks are, is harmless."""
        wire = Wire(CLIENT, CLIENT)
        wire.say(C, b"\3abc")
        wire.say(S, b"\3ABC")
        self.assertEqual(len(self.read(wire.frames)), 1)

    def test_severalInterfaces(self) -> None:
        """Each interface of a pcapng file has its own link and unit of time; unknown blocks are stepped over."""
        frames = self.conversation().frames
        nanoseconds = interface(101, b"\x09\0\1\0\x09\0\0\0" + bytes(4))
        content = section() + interface(1) + nanoseconds + interface(249) + block(5, bytes(20))
        for number, (at, frame) in enumerate(frames):
            content += packet(at, frame[14:], 1, 10**9) if number % 2 else packet(at, frame)
            content += packet(at, b"USB", 2)
        (connection,) = readCapture(self.file(content + block(5, bytes(20))))
        self.assertEqual((said(connection, C), said(connection, S)), (b"\3abcdef", b"\3ABC"))
        self.assertAlmostEqual(connection.segments[-1].at, 0.004, 5)

    def test_withoutTimes(self) -> None:
        """pcapng has packets without a time."""
        content = section() + interface()
        for _, frame in self.conversation().frames:
            content += block(3, len(frame).to_bytes(4, "little") + frame)
        # Its interface keeps nothing of a packet: a limit of 0 is none, but scapy takes it as it is.
        content = content.replace(interface(), block(1, b"\1\0\0\0\0\0\4\0"))
        (connection,) = readCapture(self.file(content))
        self.assertEqual((connection.began, said(connection, C)), (0.0, b"\3abcdef"))
        self.assertEqual([segment.at for segment in connection.segments], [0.0, 0.0, 0.0])

    def test_endOfTime(self) -> None:
        """A time that no calendar knows is none."""
        seconds = interface(1, b"\x09\0\1\0\0\0\0\0" + bytes(4))
        content = section() + seconds
        for _, frame in self.conversation().frames:
            content += packet(2.0**60, frame, 0, 1)
        (connection,) = readCapture(self.file(content))
        self.assertEqual(connection.began, 0.0)

    # What can't be read

    def test_notCaptures(self) -> None:
        """Other files."""
        for content in (b"", b"\3" + bytes(3072), b"GET / HTTP/1.1\r\n\r\n", gzip.compress(b"hello"), section()[:20]):
            self.assertIn("this is no capture that scapy can read", self.fails(content))
        self.assertRaises(FileNotFoundError, readCapture, self.directory / "nothing")
        self.assertRaises(IsADirectoryError, readCapture, self.directory)

    def test_unknownLink(self) -> None:
        """A capture of something else."""
        self.assertEqual(
            self.fails(pcap([(1.0, b"USB")], 249)),
            "nothing in it is of a kind of link that is known here, but of type 249",
        )

    def test_nothing(self) -> None:
        """A capture with nothing in it is no error."""
        self.assertEqual(self.read([]), [])

    def test_cutOff(self) -> None:
        """A file that is cut off, wherever: which packet, where; and all before it was found."""
        frames = self.conversation().frames
        for whole, header, lengths in (
            (pcap(frames), 24, [16 + len(frame) for _, frame in frames]),
            (pcapng(frames), len(section() + interface()), [len(packet(at, frame)) for at, frame in frames]),
        ):
            starts = [header]
            for length in lengths:
                starts.append(starts[-1] + length)
            for size in range(header, len(whole)):
                path = self.file(whole[:size])
                if size in starts:
                    readCapture(path)
                    continue
                number = sum(start < size for start in starts)
                error = self.assertRaises(CaptureError, readCapture, path)
                self.assertEqual(
                    str(error),
                    f"{path}: packet {number}: the file is cut off or damaged, behind its byte {starts[number - 1]:,}",
                )
                found = b"".join(said(each, C) for each in error.connections)
                self.assertTrue(b"\3abcdef".startswith(found))
                for each in error.connections:
                    self.assertIn("the capture was not read to its end", each.notes)
            self.assertEqual(found, b"\3abcdef")

    def test_cutOffCompressed(self) -> None:
        """The same, compressed."""
        whole = gzip.compress(pcap((float(number), Random(number).randbytes(1000)) for number in range(100)))
        text = self.fails(whole[:-50_000])
        self.assertRegex(text, r"^packet \d+: Compressed file ended before the end-of-stream marker was reached$")
        damaged = bytearray(whole)
        damaged[50_000:50_100] = bytes(100)
        self.assertRegex(self.fails(bytes(damaged)), r"^packet \d+: ")

    def test_lies(self) -> None:
        """Sizes that are more than there is; nothing is allocated by them."""
        frames = self.conversation().frames
        lie = bytearray(pcap(frames))
        lie[24 + 8 : 24 + 12] = b"\xff\xff\xff\xff"
        self.assertIn("packet 1: the file is cut off or damaged", self.fails(bytes(lie)))
        lie = bytearray(pcapng(frames))
        at = len(section() + interface())
        lie[at + 4 : at + 8] = b"\xfc\xff\xff\xff"
        self.assertIn("packet 1: the file is cut off or damaged", self.fails(bytes(lie)))

    def test_noise(self) -> None:
        """Whatever is in a file, it is either read, or there is our error."""
        random = Random(4)
        frames = self.conversation().frames
        wrong = 0
        for whole in (
            pcap(frames),
            pcapng(frames),
            section() + interface(1, b"\2\0\4\0eth0" + bytes(4)) + packet(1, b""),
        ):
            for _ in range(400):
                content = bytearray(whole)
                for _ in range(random.randrange(1, 8)):
                    content[random.randrange(len(content))] = random.choice((0, 1, 0x7F, 0xFF, random.randrange(256)))
                try:
                    readCapture(self.file(bytes(content)))
                except CaptureError:
                    wrong += 1
        self.assertGreater(wrong, 100)

    def test_scapyRaises(self) -> None:
        """A mistake of scapy's is our error, at the packet."""
        # Options that end within a section's header.
        content = pcapng(self.conversation().frames) + b"\x0a\x0d\x0d\x0a\xff\0\0\0" + section()[8:20]
        self.assertIn("packet 8: ", self.fails(content))

    def test_scapyIsQuiet(self) -> None:
        """scapy's own warnings are not shown, and shown again behind that."""
        log = logging.getLogger("scapy.runtime")
        seen: list[logging.LogRecord] = []
        log.addFilter(seen.append)  # type: ignore[arg-type]
        self.addCleanup(log.removeFilter, seen.append)
        level = log.level
        self.fails(pcapng(self.conversation().frames)[:-5])
        self.assertEqual((seen, log.level), ([], level))

    def test_noScapy(self) -> None:
        """Without scapy there is a hint."""
        self.patch(sys, "modules", sys.modules | {"scapy.utils": None})
        self.assertEqual(
            self.fails(pcap([])), "captures are read by scapy, which is not installed: pip install rtmptw[pcap]"
        )

    def test_noMemory(self) -> None:
        """A machine that has no memory left is no damaged file."""

        def fail(source: object) -> None:
            raise MemoryError

        self.patch(scapy.utils, "RawPcapReader", fail)
        self.assertRaises(MemoryError, readCapture, self.file(pcap([])))

    # Bounds

    def test_tooMuch(self) -> None:
        """There is a bound to how much RTMP is kept, counted with what each piece costs; the rest is not read."""
        self.patch(capturefile, "MAX_BYTES", 3 * 128 + 12)
        path = self.file(pcap(self.conversation().frames))
        (connection,) = readCapture(path)
        self.assertEqual(said(connection, C), b"\3abcdef")
        self.patch(capturefile, "MAX_BYTES", 3 * 128 + 10)
        error = self.assertRaises(CaptureError, readCapture, path)
        self.assertIn("there is more RTMP in it than 394 bytes", str(error))
        self.assertEqual(said(error.connections[0], S), b"\3ABC")

    def test_heldCounts(self) -> None:
        """So is what waits for something that is missing."""
        wire = Wire()
        wire.open()
        wire.say(C, b"\3")
        wire.say(C, b"abc", keep=False)
        for _ in range(10):
            wire.say(C, bytes(1000))
        self.patch(capturefile, "MAX_BYTES", 10_000)
        self.assertIn("there is more RTMP in it", self.fails(pcap(wire.frames)))

    def test_tooManyConnections(self) -> None:
        """There is a bound to how many connections there are, of any kind, also if all are of the same two."""
        self.patch(capturefile, "MAX_CONNECTIONS", 20)
        for port in (80, 1935):
            frames = []
            for number in range(21):
                wire = Wire((CLIENT[0], 40000 + number), (SERVER[0], port))
                wire.open()
                wire.say(C, b"hello")
                frames += wire.frames
            self.read(frames[: 20 * 3])
            self.assertIn("there are more than 20 connections in it", self.fails(pcap(frames)))
        frames = []
        for number in range(21):
            wire = Wire(first=number * 100)
            wire.frame(C, number * 100, SYN)
            frames += wire.frames
        self.assertIn("there are more than 20 connections in it", self.fails(pcap(frames)))

    def test_tooManyInterfaces(self) -> None:
        """There is a bound to what a file describes."""
        self.patch(capturefile, "MAX_INTERFACES", 10)
        readCapture(self.file(section() + interface() * 10))
        self.assertIn("more than 10 interfaces", self.fails(section() + interface() * 11))

    def test_segmentsAreWhole(self) -> None:
        """What is found is what other parts take."""
        (connection,) = self.read(self.conversation().frames)
        self.assertIsInstance(connection.segments[0], Segment)
