"""
The end of C{twistd rtmp}: by SIGTERM, while somebody publishes and others watch, one of whom takes nothing; and at
once, by a second one.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from unittest import TestCase

from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.flv import FLVTag
from tests.interop.compare import isFrame, mediaOf, readWholeFLV
from tests.interop.players import decode, play
from tests.interop.processes import Process
from tests.interop.programs import ffmpeg9
from tests.interop.publishers import ffmpegPublish
from tests.interop.server import Server
from tests.interop.sources import LONG, source
from tests.session.dialects import HANDSHAKE, command, connect

PATH = "live/last"

#: How long the end may take, seconds; and how long one that must not take any.
ALL, NONE = 10.0, 1.5


@contextmanager
def deafViewer(port: int) -> Iterator[socket.socket]:
    """Somebody who plays, and reads nothing: his receive buffer is small, and soon full."""
    writer = ChunkWriter()
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", port))
        words = [connect("live"), command("createStream", 2), command("play", 3, None, "last", id=1)]
        client.sendall(HANDSHAKE + b"".join([writer.write(message) for message in words]))
        yield client


class EndTests(TestCase):
    def setUp(self) -> None:
        """FFmpeg publishes, FFmpeg plays, and so does somebody who reads nothing."""
        self.program = ffmpeg9()
        film = source("h264-aac", LONG)
        self.server = self.enterContext(Server())
        directory = self.server.directory
        publish = ffmpegPublish(self.program, film, self.server.url(PATH))
        self.publisher = self.enterContext(Process(publish, directory / "publish.log"))
        self.server.waitForLog("publishing")
        self.view = directory / "view.flv"
        self.viewer = self.enterContext(Process(play("ffmpeg9", self.server.url(PATH), self.view), directory / "log"))
        self.deaf = self.enterContext(deafViewer(self.server.port))
        self.server.waitForLog("playing", 2)

    def ask(self) -> None:
        """Ask the server to end."""
        os.kill(self.server.pid, signal.SIGTERM)

    def end(self) -> tuple[int, float]:
        """Its exit status, and how long that takes."""
        began = time.monotonic()
        status = self.server.wait()
        return status, time.monotonic() - began

    def decoded(self, name: str) -> list[FLVTag]:
        """The frames of a file that must play."""
        file = self.server.directory / name
        with Process(decode(self.program, str(file)), self.server.directory / "decode.log") as decoder:
            self.assertEqual((decoder.wait(), decoder.output), (0, ""))
        return [tag for tag in readWholeFLV(file) if isFrame(tag)]

    def test_F18_drains(self) -> None:
        """
        Nobody is let in any more; what was published is passed on and recorded to its last message; the exit status is
        0. One who takes nothing is not waited for longer than all may take.
        """
        self.ask()
        self.server.waitForLog("Port .* Closed")
        with socket.socket() as late, self.assertRaises(ConnectionRefusedError):
            late.connect(("127.0.0.1", self.server.port))
        status, seconds = self.end()
        self.assertEqual(status, 0)
        self.assertLess(seconds, ALL)
        self.assertEqual(self.viewer.wait(), 0)
        self.assertIn("closed: the server is shutting down; it was publishing", self.server.log)
        recorded = mediaOf(self.decoded(str(self.server.recording(PATH))))
        viewed = mediaOf(self.decoded(str(self.view)))
        self.assertEqual([digest for *_, digest in viewed], [digest for *_, digest in recorded][-len(viewed) :])
        self.assertGreater(len(viewed), 10)

    def test_F18_again(self) -> None:
        """
        Whoever asks twice does not wait; and the recording can be played all the same. It is one file, though the
        process may end while the directory is forced to the disk: then it has its old name as well until the next start
        (L{rtmptw.record.filename.rename}).
        """
        self.ask()
        self.server.waitForLog("stopping, within")
        with suppress(ProcessLookupError):
            self.ask()
        status, seconds = self.end()
        self.assertEqual(status, 0)
        self.assertLess(seconds, NONE)
        found = [*self.server.recordings.glob("live/*")]
        self.assertEqual(len({file.stat().st_ino for file in found}), 1, found)
        self.assertGreater(len(self.decoded(str(found[0]))), 10)
