"""
What somebody else's parser says: tshark dissects a publish and a play, and finds nothing that it does not know.
"""

from __future__ import annotations

import re
from unittest import TestCase

from tests.interop.pcap import SERVER_PORT, writeCapture
from tests.interop.players import play
from tests.interop.processes import Process, once, run
from tests.interop.programs import ffmpeg9, rtmpdump, tshark
from tests.interop.proxy import Proxy
from tests.interop.publishers import ffmpegPublish
from tests.interop.server import Server
from tests.interop.sources import source
from tests.interop.test_players import PLAY

PATH = "live/dissected"


@once
def dissect() -> tuple[str, list[str]]:
    """
    Publish with FFmpeg, play with rtmpdump, and show tshark all that was said.

    @return: the details, and a summary of what the server said: one line for each frame.
    """
    program, publisher = tshark(), ffmpeg9()
    rtmpdump()
    with Server("--verbose") as server, Proxy(server.port) as publishing, Proxy(server.port) as playing:
        with Process(
            play("rtmpdumpLive", playing.url(PATH), server.directory / "played.flv"), server.directory / "play.log"
        ) as player:
            server.waitForLog(PLAY)
            command = ffmpegPublish(publisher, source(), publishing.url(PATH), realTime=False)
            run(command, server.directory / "publish.log")
            player.succeed()
        capture = server.directory / "capture.pcap"
        writeCapture(capture, [publishing.finished(), playing.finished()])
        dissector = [program, "-n", "-r", str(capture), "-d", f"tcp.port=={SERVER_PORT},rtmpt"]
        details = run([*dissector, "-V"], server.directory / "details.txt")
        ours = ["-Y", f"rtmpt && tcp.srcport == {SERVER_PORT}"]
        summary = run([*dissector, *ours, "-T", "fields", "-e", "_ws.col.Info"], server.directory / "summary.txt")
    return details, summary.splitlines()


class DissectorTests(TestCase):
    """tshark, with its preferences as they come."""

    def test_nothingMalformed(self) -> None:
        """Every message can be read."""
        details, _ = dissect()
        self.assertIn("Real Time Messaging Protocol", details)
        self.assertEqual(re.findall(r"(?im)^.*malformed.*$", details), [])

    def test_nothingUnknown(self) -> None:
        """Every message, event and value is one that it knows."""
        details, _ = dissect()
        self.assertEqual(re.findall(r"(?im)^.*(?:unknown|unhandled|expert info \((?:warn|error)).*$", details), [])

    def test_conversation(self) -> None:
        """It sees what we have said, in the order in which we have said it."""
        _, summary = dissect()
        said = "|".join(summary)
        places = []
        for phrase in (
            "Handshake S0+S1+S2",
            "Set Chunk Size",
            "_result('NetConnection.Connect.Success')",
            "onStatus('NetStream.Publish.Start')",
        ):
            self.assertIn(phrase, said)
            places.append(said.index(phrase))
        self.assertEqual(places, sorted(places))
        for phrase in ("onStatus('NetStream.Play.Start')", "onMetaData()", "Video Data", "Audio Data", "Stream EOF 1"):
            self.assertIn(phrase, said)
        self.assertGreater(said.count("Video Data"), 70)
        self.assertGreater(said.count("Audio Data"), 140)
