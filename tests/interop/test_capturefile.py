"""
Captures of real conversations: what is read from a file of Wireshark's is what went over the network.
"""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import TestCase

from rtmptw.capture.capturefile import CapturedConnection, CaptureError, readCapture
from rtmptw.trace.segment import Side
from tests.interop.pcap import SERVER_PORT, writeCapture
from tests.interop.processes import run
from tests.interop.programs import ffmpeg9, tshark
from tests.interop.proxy import Conversation, Proxy
from tests.interop.publishers import ffmpegPublish
from tests.interop.server import Server
from tests.interop.sources import source

PATH = "live/captured"


def editcap() -> str:
    """The program that comes with tshark."""
    return str(Path(tshark()).with_name("editcap"))


@cache
def publish() -> tuple[list[Conversation], bytes]:
    """
    FFmpeg publishes twice, the second time a moment later.

    @return: what was said, and a capture of it.
    """
    publisher = ffmpeg9()
    with Server() as server, Proxy(server.port) as proxy:
        for number in range(2):
            command = ffmpegPublish(publisher, source(), proxy.url(f"{PATH}{number}"), realTime=False)
            run(command, server.directory / "publish.log")
        conversations = [proxy.finished(number) for number in range(2)]
        capture = server.directory / "capture.pcap"
        writeCapture(capture, conversations)
        return conversations, capture.read_bytes()


class CaptureTests(TestCase):
    """Files as Wireshark's programs write them."""

    def setUp(self) -> None:
        self.conversations, content = publish()
        directory = TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        self.capture = self.directory / "capture.pcap"
        self.capture.write_bytes(content)

    def edit(self, *options: str, without: tuple[str, ...] = ()) -> Path:
        """
        What editcap makes of the capture.

        @param without: the numbers of packets to leave out.
        """
        edited = self.directory / "edited"
        run([editcap(), *options, str(self.capture), str(edited), *without], self.directory / "editcap.log")
        return edited

    def check(self, found: list[CapturedConnection], notes: int = 0) -> None:
        """Everything that was said is there, byte for byte, in its order."""
        self.assertEqual(len(found), 2)
        for connection, conversation in zip(found, self.conversations, strict=True):
            for side, byClient in ((Side.CLIENT, True), (Side.SERVER, False)):
                said = b"".join(segment.data for segment in connection.segments if segment.side is side)
                self.assertEqual(said, conversation.said(byClient))
            self.assertTrue(connection.server.endswith(f":{SERVER_PORT}"))
            self.assertEqual(len(connection.notes), notes, connection.notes)
            took = conversation.segments[-1].at - conversation.segments[0].at
            self.assertAlmostEqual(connection.segments[-1].at, took, 3)

    def test_formats(self) -> None:
        """pcap, also with nanoseconds and compressed, and pcapng."""
        self.check(readCapture(self.capture))
        for format in ("pcapng", "nsecpcap"):
            edited = self.edit("-F", format)
            self.check(readCapture(edited))
            compressed = self.directory / "edited.gz"
            compressed.write_bytes(gzip.compress(edited.read_bytes()))
            self.check(readCapture(compressed))

    def test_doubled(self) -> None:
        """Every packet twice, as captures of several interfaces have it."""
        doubled = self.directory / "doubled.pcapng"
        mergecap = Path(tshark()).with_name("mergecap")
        command = [str(mergecap), "-F", "pcapng", "-w", str(doubled), str(self.capture), str(self.capture)]
        run(command, self.directory / "mergecap.log")
        self.check(readCapture(doubled))

    def test_lost(self) -> None:
        """A packet of the publisher's that was not captured: everything before it is there, and the other side."""
        # Behind the handshake, and what the server says to it.
        edited = self.edit("-F", "pcapng", without=("60",))
        first, second = readCapture(edited)
        said = b"".join(segment.data for segment in first.segments if segment.side is Side.CLIENT)
        whole = self.conversations[0].said(True)
        self.assertTrue(whole.startswith(said))
        self.assertTrue(3073 < len(said) < len(whole))
        (note,) = first.notes
        self.assertRegex(note, rf"^the client's side: [\d,]+ bytes are missing at byte {len(said):,}, ")
        self.assertEqual(second.notes, [])

    def test_short(self) -> None:
        """A capture with only the beginning of each packet says so."""
        for connection in readCapture(self.edit("-s", "200")):
            self.assertIn("captured were only the first bytes of each packet", " ".join(connection.notes))

    def test_cutOff(self) -> None:
        """A program that was killed while it wrote: all before is there."""
        for format in ("pcap", "pcapng"):
            edited = self.edit("-F", format)
            edited.write_bytes(edited.read_bytes()[:-7])
            with self.assertRaisesRegex(
                CaptureError, rf"^{edited}: packet \d+: the file is cut off or damaged"
            ) as caught:
                readCapture(edited)
            # It ends within the last FIN.
            self.check(list(caught.exception.connections), 1)
