# -*- test-case-name: tests.interop.test_footage -*-
"""
Real decoders, and what is published to a server under examination (L{rtmptw.dialects.footage}): they show it, and say
nothing.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.dialects.footage import GOP_FRAMES, Footage
from rtmptw.wire.flv import encodeTag, fileHeader
from rtmptw.wire.message import MessageType
from tests.interop.players import decode
from tests.interop.processes import run
from tests.interop.programs import ffmpeg5, ffmpeg9

#: Three groups of pictures, each picture with a bit of sound.
COUNT = 6 * GOP_FRAMES


class DecodingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.directory = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.directory)

    def write(self, footage: Footage, count: int = COUNT) -> str:
        """A file with all of it."""
        messages = [footage.metadata(prefix=False), *footage.headers(), *footage.frames(count)]
        tags = (encodeTag(each.type, each.timestamp, each.payload) for each in messages)
        file = self.directory / "footage.flv"
        file.write_bytes(fileHeader() + b"".join(tags))
        return str(file)

    def footage(self, pictureSize: int) -> Footage:
        streams = dict.fromkeys((MessageType.AUDIO, MessageType.VIDEO, MessageType.DATA), 4)
        return Footage(1, streams, pictureSize=pictureSize)

    def check(self, program: str, pictureSize: int) -> None:
        file, log = self.write(self.footage(pictureSize)), self.directory / "log"
        self.assertEqual(run(decode(program, file), log).strip(), "")
        command = [program, "-nostdin", "-hide_banner", "-i", file]
        said = run([*command, "-y", "-fps_mode", "passthrough", "-f", "framemd5", str(self.directory / "frames")], log)
        self.assertRegex(said, r"Video: h264 \(Constrained Baseline\).*16x16")
        self.assertRegex(said, r"Audio: aac \(LC\), 44100 Hz, stereo")
        lines = (self.directory / "frames").read_text().splitlines()
        frames = [line.split(",") for line in lines if not line.startswith("#")]
        pictures = [fields for fields in frames if fields[0] == "0"]
        self.assertEqual(len(pictures), COUNT // 2)
        # Each picture is black, and the sound is there: pieces of 1024 samples, 2 channels, 16 bits.
        self.assertEqual(len({fields[-1] for fields in pictures}), 1)
        sound = [fields for fields in frames if fields[0] == "1"]
        self.assertEqual(len(sound), COUNT // 2)
        self.assertEqual({int(fields[4]) for fields in sound}, {4096})

    def test_ffmpeg5(self) -> None:
        self.check(ffmpeg5(), 900)

    def test_ffmpeg9(self) -> None:
        self.check(ffmpeg9(), 900)

    def test_sizes(self) -> None:
        """However large, they are what they are."""
        for size in (0, 100, 900, 5000):
            self.check(ffmpeg5(), size)
