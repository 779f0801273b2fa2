"""
A server that is a process of its own, as C{twistd} starts it, and peers of a few lines.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO, Any
from unittest import TestCase

from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.handshake import HANDSHAKE_SIZE
from rtmptw.wire.message import Message
from tests.interop.processes import PATIENCE, freePort, waitFor
from tests.interop.server import ROOT, TWISTD
from tests.session.dialects import HANDSHAKE, command, connect, told

__all__ = ["Peer", "Server"]


class Server:
    """
    @ivar child: the process.
    @ivar port: where it listens on 127.0.0.1.
    """

    def __init__(self, case: TestCase, directory: Path, log: int | IO[Any], *options: str) -> None:
        """
        @param directory: where it runs.
        @param log: where its log goes: a file, or C{subprocess.PIPE}.
        @param options: more options of C{twistd rtmp}.
        """
        self.port = freePort()
        self._case = case
        self.child = subprocess.Popen(
            [sys.executable, *TWISTD, "rtmp", "--port", f"tcp:{self.port}:interface=127.0.0.1", *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        )
        case.addCleanup(self.child.wait)
        case.addCleanup(self.child.kill)

    def peer(self) -> Peer:
        """Somebody who has connected, as soon as that is possible; gone at the end of the test."""
        connection = waitFor("the server to listen", self._connect)
        assert connection is not None
        self._case.addCleanup(connection.close)
        return Peer(connection)

    def _connect(self) -> socket.socket | None:
        """
        A connection, if it listens.

        @raise AssertionError: if it never will.
        """
        if self.child.poll() is not None:
            raise AssertionError(f"the server has ended, with status {self.child.returncode}")
        try:
            return socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        except ConnectionRefusedError:
            return None

    def stop(self) -> int:
        """Ask it to end; its exit status."""
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(PATIENCE)


class Peer:
    """A client that waits for its answers."""

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

    def say(self, *messages: Message) -> None:
        """Send messages in one write."""
        self._socket.sendall(b"".join(map(self._writer.write, messages)))

    def hear(self, last: str) -> list[str]:
        """Listen until that is said; everything up to it, in short words."""
        heard: list[str] = []
        while last not in heard:
            heard += [told(message) for message in self._reader.feed(self._receive(65536))]
        return heard

    def begin(self, what: str, name: str = "test") -> None:
        """Publish, or play."""
        self.say(connect())
        self.hear("_result 1")
        self.say(command("createStream", 2), command(what, 3, None, name, id=1))
        self.hear(f"onStatus@1 NetStream.{what.capitalize()}.Start")

    def close(self) -> None:
        """Say the end of what it publishes or plays, and go."""
        self.say(command("deleteStream", 0, None, 1))
        self._socket.close()
