# -*- test-case-name: tests.hostile.test_processes -*-
"""
What is done to the process itself: C{kill -9} while it records, and C{SIGSTOP}: rows F3 and F20.
"""

from __future__ import annotations

import signal
import subprocess
import tempfile
import time
from pathlib import Path
from unittest import TestCase

from rtmptw.wire.flv import FLVTag
from tests.hostile.process import Peer, Server
from tests.interop.compare import readFLV, readWholeFLV
from tests.interop.processes import waitFor
from tests.session.dialects import audio, video

#: A keyframe, and how many messages of sound come behind it.
KEYFRAME = b"\x17\x01\0\0\0" + bytes(300)
COUNT = 200

#: How long a process is stopped, seconds; and how long it may be silent by its own deadline.
STOPPED = 6.0
SILENCE = 3


class ProcessCase(TestCase):
    def setUp(self) -> None:
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="rtmptw-process-")))
        self.recordings = self.directory / "recordings"
        self.recordings.mkdir()

    def start(self, *options: str) -> Server:
        return Server(self, self.directory, subprocess.DEVNULL, "--record", str(self.recordings), *options)

    def files(self, ending: str) -> list[Path]:
        """The recordings that there are."""
        return sorted(self.recordings.rglob(f"*{ending}"))

    def publish(self, server: Server) -> Peer:
        """Publish a keyframe, and sound."""
        peer = server.peer()
        peer.begin("publish")
        peer.say(video(0, KEYFRAME), *[audio(number) for number in range(COUNT)])
        return peer

    def sound(self, tags: list[FLVTag]) -> int:
        """How much of the sound is in a file."""
        return len([tag for tag in tags if tag.type == 8])


class KillTests(ProcessCase):
    def test_F3_killed(self) -> None:
        """
        What was written is there: the file is whole up to its last tag. At the next start it gets its name, and its
        length; a new recording is another file.
        """
        server = self.start()
        self.publish(server)
        [part] = waitFor("the recording", lambda: self.files(".part"))
        waitFor("all of it", lambda: self.sound(readFLV(part)) == COUNT)
        server.child.kill()
        server.child.wait()
        self.assertEqual(self.sound(readFLV(part)), COUNT)
        server = self.start()
        self.publish(server).close()
        waitFor("both recordings", lambda: len(self.files(".flv")) == 2)
        self.assertEqual(self.files(".part"), [])
        self.assertEqual([self.sound(readWholeFLV(path)) for path in self.files(".flv")], [COUNT, COUNT])
        server.stop()


class StopTests(ProcessCase):
    def test_F20_SIGSTOP(self) -> None:
        """
        It is stopped for twice as long as a publisher may be silent, and goes on: nobody is closed for it, and all that
        was sent meanwhile comes, in order.
        """
        server = self.start("--limit", f"silence-seconds={SILENCE}", "--limit", f"ping-seconds={SILENCE - 1}")
        player = server.peer()
        player.begin("play")
        publisher = self.publish(server)
        player.hear(f"AUDIO@1 {COUNT - 1}")
        server.child.send_signal(signal.SIGSTOP)
        try:
            time.sleep(STOPPED / 2)
            publisher.say(*[audio(number) for number in range(COUNT, 2 * COUNT)])
            time.sleep(STOPPED / 2)
        finally:
            server.child.send_signal(signal.SIGCONT)
        heard = player.hear(f"AUDIO@1 {2 * COUNT - 1}")
        self.assertEqual([word for word in heard if "AUDIO" in word], [f"AUDIO@1 {n}" for n in range(COUNT, 2 * COUNT)])
        publisher.say(audio(2 * COUNT))
        player.hear(f"AUDIO@1 {2 * COUNT}")
        player.close()
        publisher.close()
        server.stop()
        self.assertEqual([self.sound(readWholeFLV(path)) for path in self.files(".flv")], [2 * COUNT + 1])
