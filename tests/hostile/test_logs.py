# -*- test-case-name: tests.hostile.test_logs -*-
"""
A log that can't be written: row F23. The server is a process of its own, as C{twistd} starts it.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any
from unittest import SkipTest, TestCase

from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.handshake import HANDSHAKE_SIZE
from tests.interop.processes import PATIENCE, freePort, waitFor
from tests.interop.server import ROOT, TWISTD
from tests.session.dialects import HANDSHAKE, audio, command, connect, told, video

FULL = "/dev/full"

#: How many lines the server wants to log, at least: more than any buffer on the way holds.
LINES = 3000


#: How a process ends that was told to: in order, by saying which signal it was, as Twisted does, or because Python
#: could not write the last of the log.
ENDS = (0, -signal.SIGTERM, 120)


class Server:
    """
    The server, and whom it logs to.

    @ivar child: the process.
    """

    def __init__(self, case: TestCase, log: int | IO[Any], *options: str) -> None:
        self.port = freePort()
        directory = case.enterContext(tempfile.TemporaryDirectory(prefix="rtmptw-logs-"))
        self.child = subprocess.Popen(
            [sys.executable, *TWISTD, *options, "rtmp", "--verbose", "--port", f"tcp:{self.port}:interface=127.0.0.1"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT if log == subprocess.PIPE else log,
            cwd=directory,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        )
        case.addCleanup(self.child.wait)
        case.addCleanup(self.child.kill)

    def connect(self) -> socket.socket | None:
        """
        A connection, if it listens.

        @raise AssertionError: if it never will.
        """
        if self.child.poll() is not None:
            raise AssertionError(f"the server has ended, with status {self.child.returncode}")
        try:
            return socket.create_connection(("127.0.0.1", self.port), 5)
        except ConnectionRefusedError:
            return None

    def stop(self) -> int:
        """Ask it to end; its exit status."""
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(PATIENCE)


class Peer:
    """A client of a few lines, which waits for its answers."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._writer, self._reader = ChunkWriter(), ChunkReader(offset=HANDSHAKE_SIZE)
        connection.sendall(HANDSHAKE)
        missing = HANDSHAKE_SIZE
        while missing:
            missing -= len(self._receive(missing))

    def _receive(self, size: int) -> bytes:
        data = self._socket.recv(size)
        if not data:
            raise AssertionError("the server has closed the connection")
        return data

    def say(self, *messages: Any, until: str) -> list[str]:
        """Say this, and listen until that is said."""
        self._socket.sendall(b"".join(map(self._writer.write, messages)))
        heard: list[str] = []
        while until not in heard:
            heard += [told(message) for message in self._reader.feed(self._receive(65536))]
        return heard


class LogTests(TestCase):
    def use(self, server: Server) -> None:
        """Publish and play, with some thousand lines in the log; for each message there should be one."""
        connection = waitFor("the server to listen", server.connect)
        with connection, server.connect() or self.fail() as other:
            for each in (connection, other):
                each.settimeout(PATIENCE)
            publisher, player = Peer(connection), Peer(other)
            for peer, what, code in ((player, "play", "Play"), (publisher, "publish", "Publish")):
                peer.say(connect(), until="_result 1")
                ask = (command("createStream", 2), command(what, 3, None, "test", id=1))
                peer.say(*ask, until=f"onStatus@1 NetStream.{code}.Start")
            for start in range(0, LINES, 100):
                last = start + 100
                publisher._socket.sendall(
                    b"".join(map(publisher._writer.write, [audio(n) for n in range(start, last)] + [video(last)]))
                )
                player.say(until=f"VIDEO@1 {last}")

    def test_F23_pipe(self) -> None:
        """C{twistd --nodaemon rtmp | head -1}: whoever read the log has gone. All goes on, and ends in order."""
        server = Server(self, subprocess.PIPE)
        assert server.child.stdout is not None
        self.assertIn(b"twistd", server.child.stdout.readline())
        server.child.stdout.close()
        self.use(server)
        self.assertIn(server.stop(), ENDS)

    def test_F23_full(self) -> None:
        """The disk of the log is full."""
        if not os.path.exists(FULL):
            raise SkipTest(f"there is no {FULL}")
        with open(FULL, "wb", buffering=0) as full:
            server = Server(self, full)
            self.use(server)
            self.assertIn(server.stop(), ENDS)

    def test_F23_memory(self) -> None:
        """What could not be written is thrown away, and not kept."""
        with open(FULL, "wb", buffering=0) as full:
            server = Server(self, full)
            self.use(server)
            before = self.resident(server)
            for _ in range(2):
                self.use(server)
            self.assertLess(self.resident(server) - before, 1024 * 1024)
            server.stop()

    def resident(self, server: Server) -> int:
        """How much memory it has, bytes."""
        pages = int(Path(f"/proc/{server.child.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize()
