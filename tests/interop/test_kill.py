"""
The server is killed while it records: what is on the disk plays, and is complete but for the last moment.

It is killed C{RTMPTW_KILLS} times, if that is in the environment, and a few times otherwise.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import time
from pathlib import Path
from unittest import TestCase

from rtmptw.wire.flv import FLVTag
from rtmptw.wire.message import MessageType
from tests.interop.compare import assertSameMedia, mediaOf, readFLV, readRTMP, readWholeFLV
from tests.interop.players import decode
from tests.interop.processes import Process, alone, run, siege, waitFor
from tests.interop.programs import ffmpeg5, ffmpeg9
from tests.interop.proxy import Proxy
from tests.interop.publishers import ffmpegPublish
from tests.interop.sender import Sender
from tests.interop.server import Server
from tests.interop.sources import source

#: How much of the end may be missing, seconds.
LOSS = 0.2

#: When it is killed, ms of the stream.
MIDDLE = 1500

#: How often it is killed in a row, how many streams are recorded then, and for how long, seconds.
KILLS = int(os.environ.get("RTMPTW_KILLS", "3"))
STREAMS = 5
SHORTEST, LONGEST = 0.2, 1.5

#: How many files one FFmpeg decodes.
BATCH = 25


class KillTests(TestCase):
    """kill -9."""

    def check(self, decoder: str) -> None:
        """
        @param decoder: the FFmpeg that plays what is left.
        """
        with alone("measuring"), Server() as server, Proxy(server.port) as proxy:
            command = ffmpegPublish(ffmpeg9(), source(), proxy.url("live/killed"))
            with Process(command, server.directory / "ffmpeg.log"):
                file = server.partial("live/killed")
                waitFor("the middle of the stream", lambda: (mediaOf(readFLV(file)) or [(0, 0, "")])[-1][1] >= MIDDLE)
                killed = time.monotonic()
                server.kill()
            left = mediaOf(readFLV(file))
            output = run(decode(decoder, str(file)), server.directory / "decode.log")
            segments = [s for s in proxy.conversations[0].segments if s.fromClient]
        self.assertEqual(output, "")
        sent = mediaOf(readRTMP(b"".join(segment.data for segment in segments)))
        safe = mediaOf(readRTMP(b"".join(segment.data for segment in segments if segment.at < killed - LOSS)))
        self.assertGreater(safe[-1][1], MIDDLE // 2)
        assertSameMedia(self, left, sent[: len(left)])
        self.assertGreaterEqual(len(left), len(safe))

    def test_ffmpeg9(self) -> None:
        """FFmpeg 9 plays what is left."""
        self.check(ffmpeg9())

    def test_ffmpeg5(self) -> None:
        """FFmpeg 5.1 plays what is left."""
        self.check(ffmpeg5())


@siege
class KillAgainTests(TestCase):
    """kill -9, again and again, while several streams are recorded."""

    def test_F3_again(self) -> None:
        """
        Fault F3: every file plays, and no more than the last 200 ms is missing; the next start finishes them all, and
        they play again.
        """
        film = [tag for tag in readWholeFLV(source()) if tag.type in (MessageType.AUDIO, MessageType.VIDEO)]
        media = mediaOf(film)
        directory = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, directory)
        recordings, left = directory / "recordings", directory / "left"
        recordings.mkdir()
        left.mkdir()
        worst, count = 0.0, 0
        with alone("measuring"):
            for round in range(KILLS):
                worst = max(worst, self.kill(recordings, left, round, film))
                count += STREAMS
            self.recover(recordings)
        self.assertLessEqual(worst, LOSS)
        copies = sorted(left.iterdir())
        finished = sorted((recordings / "live").iterdir())
        self.assertEqual((len(copies), len(finished)), (count, count))
        for copy, file in zip(copies, finished, strict=True):
            self.assertTrue(copy.name.startswith(file.name), (copy, file))
            found = mediaOf(readWholeFLV(file))
            self.assertEqual(found, mediaOf(readFLV(copy)))
            assertSameMedia(self, found, media[: len(found)])
        for files in (copies, finished):
            for start in range(0, count, BATCH):
                self.assertEqual(run(_decodeAll(files[start : start + BATCH]), directory / "decode.log"), "")
        print(f"killed {KILLS} times, {count} files, at most {worst * 1000:.0f} ms lost")

    def kill(self, recordings: Path, left: Path, round: int, film: list[FLVTag]) -> float:
        """
        Kill a server that records, and copy what it has left.

        @return: how much is missing at most, seconds.
        """
        names = [f"{round:03d}-{number}" for number in range(STREAMS)]
        with Server("--record", str(recordings)) as server:
            senders = [Sender(server.port, name, film) for name in names]
            waitFor("the publishers", lambda: all(sender.account for sender in senders))
            time.sleep(random.uniform(SHORTEST, LONGEST))
            killed = time.monotonic()
            server.kill()
        worst = 0.0
        for name, sender in zip(names, senders, strict=True):
            sender.stop()
            (part,) = recordings.glob(f"live/{name}-*.flv.part")
            shutil.copy(part, left)
            found = len(mediaOf(readFLV(part)))
            self.assertGreater(found, 0)
            if found < len(sender.account):
                worst = max(worst, killed - sender.account[found])
        return worst

    def recover(self, recordings: Path) -> None:
        """Start a server once more, until everything is finished."""
        with Server("--record", str(recordings)):
            waitFor("the recovery", lambda: not [*recordings.glob("live/*.part")])


def _decodeAll(files: list[Path]) -> list[str]:
    """FFmpeg, which decodes many files."""
    command = decode(ffmpeg9(), str(files[0]))
    place = command.index("-i")
    inputs = [part for file in files for part in ("-i", str(file))]
    maps = [part for number in range(len(files)) for part in ("-map", str(number))]
    return [*command[:place], *inputs, *maps, *command[place + 2 :]]
