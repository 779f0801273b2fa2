# -*- test-case-name: tests.hostile.test_logs -*-
"""
A log that can't be written: row F23.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import IO, Any
from unittest import SkipTest, TestCase

from tests.hostile.process import Server
from tests.session.dialects import audio, video

FULL = "/dev/full"

#: How many lines the server wants to log, at least: more than any buffer on the way holds.
LINES = 3000

#: How a process ends that was told to: in order, by saying which signal it was, as Twisted does, or because Python
#: could not write the last of the log.
ENDS = (0, -signal.SIGTERM, 120)


class LogTests(TestCase):
    def start(self, log: int | IO[Any]) -> Server:
        """A server that logs every message."""
        directory = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="rtmptw-logs-")))
        return Server(self, directory, log, "--verbose")

    def startFull(self) -> Server:
        """One whose log goes to a disk that is full."""
        if not os.path.exists(FULL):
            raise SkipTest(f"there is no {FULL}")
        return self.start(self.enterContext(open(FULL, "wb", buffering=0)))

    def use(self, server: Server) -> None:
        """Publish and play, with some thousand lines in the log; for each message there should be one."""
        player, publisher = server.peer(), server.peer()
        player.begin("play")
        publisher.begin("publish")
        for start in range(0, LINES, 100):
            publisher.say(*[audio(n) for n in range(start, start + 100)], video(start + 100))
            player.hear(f"VIDEO@1 {start + 100}")
        player.close()
        publisher.close()

    def test_F23_pipe(self) -> None:
        """C{twistd --nodaemon rtmp | head -1}: whoever read the log has gone. All goes on, and ends in order."""
        server = self.start(subprocess.PIPE)
        assert server.child.stdout is not None
        self.assertTrue(server.child.stdout.readline())
        server.child.stdout.close()
        self.use(server)
        self.assertIn(server.stop(), ENDS)

    def test_F23_full(self) -> None:
        """The disk of the log is full."""
        server = self.startFull()
        self.use(server)
        self.assertIn(server.stop(), ENDS)

    def test_F23_memory(self) -> None:
        """What could not be written is thrown away, and not kept."""
        server = self.startFull()
        self.use(server)
        before = self.resident(server)
        for _ in range(2):
            self.use(server)
        self.assertLess(self.resident(server) - before, 1024 * 1024)

    def resident(self, server: Server) -> int:
        """How much memory it has, bytes."""
        pages = int(Path(f"/proc/{server.child.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize()
