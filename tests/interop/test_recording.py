"""
Recordings in several files, on disks that fail, and with a hook: with the real server, real publishers, real disks.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest import SkipTest, TestCase

from rtmptw.wire.flv import FLVTag
from rtmptw.wire.message import MessageType
from tests.interop.compare import isFrame, readFLV, readWholeFLV
from tests.interop.players import decode, play
from tests.interop.processes import Process, run, waitFor
from tests.interop.programs import ffmpeg5, ffmpeg9
from tests.interop.publishers import ffmpegPublish
from tests.interop.sender import Sender
from tests.interop.server import Server
from tests.interop.sources import LONG, remux, source

#: However full the disk is that the tests run on.

#: Seconds of a film that is still on when a disk has failed and is good again.
VERY_LONG = 40

#: How soon recording goes on when the disk is good again: it is tried so often, and the next keyframe is so near,
#: seconds; and how much more a busy machine may take.
AGAIN, BUSY = 3 + 1, 3

HOOK = """#!/bin/sh
{
    printf '%s\\n' "$#" "$@"
    printf '%s\\n' "$RTMPTW_FILE" "$RTMPTW_PATH" "$RTMPTW_SECONDS" "$RTMPTW_BYTES"
} > "$(mktemp "$OUT/XXXXXX")"
echo 'said the hook' >&2
exit 3
"""


def framesOf(path: Path) -> list[tuple[int, bytes]]:
    """The frames of a file: no headers, no data, no marks of the end."""
    return [(tag.type, tag.payload) for tag in readWholeFLV(path) if isFrame(tag)]


def filmOf(path: Path, later: int = 0) -> list[FLVTag]:
    """
    Audio and video of a file.

    @param later: by how much, ms.
    """
    media = [tag for tag in readWholeFLV(path) if tag.type in (MessageType.AUDIO, MessageType.VIDEO)]
    return [replace(tag, timestamp=tag.timestamp + later) for tag in media]


@contextmanager
def tmpfs(options: str) -> Iterator[Path]:
    """
    A small disk.

    @raise SkipTest: if we may not mount one.
    """
    directory = Path(tempfile.mkdtemp(prefix="rtmptw-disk-"))
    try:
        if os.geteuid():
            raise SkipTest("only root may mount a small disk")
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "rtmptw", str(directory)], capture_output=True, text=True
        )
        if done.returncode:
            raise SkipTest(f"a small disk can't be mounted: {done.stderr.strip()}")
        try:
            yield directory
        finally:
            subprocess.run(["umount", "-l", str(directory)], check=True)
    finally:
        directory.rmdir()


class SegmentTests(TestCase):
    """One publish in several files."""

    def test_segments(self) -> None:
        """Every file plays by itself, and all together are what was published: no frame is lost or there twice."""
        options = ("--record-segment", "2s", "--record-name", "{app}/{name}-{segment}")
        film = source(seconds=LONG)
        with Server(*options) as server:
            command = ffmpegPublish(ffmpeg9(), film, server.url("live/cut"))
            with Process(command, server.directory / "ffmpeg.log") as publisher:
                publisher.succeed()
            server.waitForLog("live/cut: recorded as", 4)
            files = [server.recordings / f"live/cut-{number}.flv" for number in range(1, 5)]
            frames = [frame for file in files for frame in framesOf(file)]
            self.assertEqual(frames, framesOf(remux(ffmpeg9(), film)))
            for file in files:
                tags = readWholeFLV(file)
                self.assertEqual([tag.timestamp for tag in tags[:3]], [0] * 3)
                self.assertLess(tags[-1].timestamp, 3500)
                for program in (ffmpeg5(), ffmpeg9()):
                    self.assertEqual(run(decode(program, str(file)), server.directory / "decode.log"), "")

    def test_F25_parameters(self) -> None:
        """Fault F25: the picture changes its size within one publish: two files, each of one size, and both play."""
        small = source()
        with Server() as server:
            large = server.directory / "large.flv"
            convert = [ffmpeg9(), "-nostdin", "-v", "error", "-i", str(small), "-vf", "scale=640:360"]
            encode = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", "copy", str(large)]
            run([*convert, *encode], large.with_suffix(".log"))
            Sender(server.port, "change", [*filmOf(small), *filmOf(large, 3200)], realTime=False).finish()
            server.waitForLog("live/change: recorded as", 2)
            files = sorted(server.recordings.glob("live/*.flv"))
            self.assertEqual(len(files), 2)
            sizes = []
            for file in files:
                text = run([ffmpeg9(), "-nostdin", "-i", str(file), "-f", "null", "-"], server.directory / "decode.log")
                sizes.append([size for size in ("320x180", "640x360") if f", {size}" in text.partition("Output")[0]])
                self.assertEqual(run(decode(ffmpeg9(), str(file)), server.directory / "decode.log"), "")
            self.assertEqual(sizes, [["320x180"], ["640x360"]])


class HookTests(TestCase):
    """A shell script as hook."""

    def setUp(self) -> None:
        """It writes what it is told into files."""
        self.directory = Path(tempfile.mkdtemp(prefix="rtmptw-hook-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.out = self.directory / "out"
        self.out.mkdir()

    def script(self, text: str = HOOK) -> Path:
        """The script."""
        path = self.directory / "hook"
        path.write_text(text.replace("$OUT", str(self.out)))
        path.chmod(0o755)
        return path

    def test_D7_names(self) -> None:
        """Hostile row D7: whatever the name of a stream: the hook has its words as they should be, no more."""
        names = {
            "$(touch pwned)`touch pwned`;touch pwned|touch pwned&touch pwned": "live/%24%28touch%20pwned%29%60touch%20"
            "pwned%60%3Btouch%20pwned%7Ctouch%20pwned%26touch%20pwned",
            "-rf *'\"": "live/-rf%20%2A%27%22",
            "{file}{bytes}": "live/%7Bfile%7D%7Bbytes%7D",
        }
        command = f"{self.script()} --size={{bytes}} -- {{file}} '{{path}} {{seconds}}'"
        with Server("--record-done", command) as server:
            for name in names:
                Sender(server.port, name, filmOf(source()), realTime=False).finish()
            server.waitForLog("exit status 3: said the hook", len(names))
            found = [path.read_text().splitlines() for path in sorted(self.out.iterdir())]
            self.assertEqual({lines[-3] for lines in found}, set(names.values()))
            for lines in found:
                file = Path(lines[-4])
                self.assertTrue(file.is_absolute() and file.parent == server.recordings / "live", file)
                size, path, seconds = str(file.stat().st_size), lines[-3], lines[-2]
                self.assertEqual(lines[:5], ["4", f"--size={size}", "--", str(file), f"{path} {seconds}"])
                self.assertEqual(lines[5:], [str(file), path, seconds, size])
                self.assertTrue(2 < float(seconds) < 5, seconds)
            for place in (server.directory, server.recordings, self.directory, Path.cwd()):
                self.assertEqual([*place.rglob("*pwned")] if place != Path.cwd() else [*place.glob("pwned*")], [])

    def test_killed(self) -> None:
        """A hook that does not end is killed, and everything that it has started."""
        script = self.script(
            "#!/bin/sh\nsleep 300 & echo $! $$ > $OUT/children.part; mv $OUT/children.part $OUT/children\nwait\n"
        )
        with Server("--record-done", str(script), "--record-done-timeout", "1") as server:
            command = ffmpegPublish(ffmpeg9(), source(), server.url("live/x"), realTime=False)
            with Process(command, server.directory / "ffmpeg.log") as publisher:
                publisher.succeed()
            server.waitForLog("killed, because it has not ended after 1 s")
            for child in (self.out / "children").read_text().split():
                waitFor("the end of the hook's children", lambda child=child: _isGone(int(child)))  # type: ignore[misc]

    def test_shutdown(self) -> None:
        """The server waits for the hooks of what it has finished at its end."""
        script = self.script("#!/bin/sh\nsleep 1\necho done > $OUT/$$\n")
        with Server("--record-done", str(script)) as server:
            command = ffmpegPublish(ffmpeg9(), source(seconds=LONG), server.url("live/x"))
            with Process(command, server.directory / "ffmpeg.log"):
                server.partial("live/x")
                os.kill(server._process._child.pid, signal.SIGTERM)
                waitFor("the end of the server", lambda: server._process.status is not None)
        self.assertEqual([path.read_text() for path in self.out.iterdir()], ["done\n"])

    def test_recovered(self) -> None:
        """A file that a killed server has left is finished at the next start, and has its hook."""
        recordings = self.directory / "recordings"
        recordings.mkdir()
        with Server("--record", str(recordings)) as server:
            command = ffmpegPublish(ffmpeg9(), source(), server.url("live/a$b"))
            with Process(command, server.directory / "ffmpeg.log"):
                part = waitFor("a recording", lambda: [*recordings.glob("live/*.part")])[0]
                waitFor(
                    "a second of it",
                    lambda: (readFLV(part) or [source])[-1].timestamp >= 1000 if part.stat().st_size else 0,
                )  # type: ignore[union-attr]
                server.kill()
        tags = readFLV(part)
        options = ("--record", str(recordings), "--record-done", f"{self.script()} -- {{file}}")
        with Server(*options) as server:
            server.waitForLog("exit status 3: said the hook")
            file = part.with_suffix("")
            (found,) = [path.read_text().splitlines() for path in self.out.iterdir()]
            self.assertEqual(found[1:5], ["--", str(file), str(file), "live/a%24b"])
            self.assertEqual([tag.payload for tag in readWholeFLV(file)[1:]], [tag.payload for tag in tags[1:]])
            self.assertEqual(run(decode(ffmpeg9(), str(file)), server.directory / "decode.log"), "")


class DiskTests(TestCase):
    """Disks that fail while a stream is recorded and watched."""

    def check(self, disk: Path, fail: str, spoil: object, mend: object) -> None:
        """
        Record until the disk fails, and until it is good again.

        @param fail: what the log says then.
        @param spoil: called when it is recorded; makes the disk fail.
        @param mend: called when it has failed.
        """
        film = source(seconds=VERY_LONG)
        with Server("--record", str(disk)) as server:
            server.recordings = disk
            seen = server.directory / "seen.flv"
            command = ffmpegPublish(ffmpeg9(), film, server.url("live/x"))
            with Process(command, server.directory / "ffmpeg.log"):
                server.partial("live/x")
                player = play("ffmpeg9", server.url("live/x"), seen)
                # It would keep much in its buffer.
                player[-1:-1] = ["-flush_packets", "1"]
                with Process(player, server.directory / "player.log"):
                    waitFor("the player", lambda: seen.exists() and len(readFLV(seen)) > 50)
                    spoil()  # type: ignore[operator]
                    server.waitForLog(f"live/x: recording stopped: .*{fail}")
                    before = len(readFLV(seen))
                    # It is tried in vain.
                    time.sleep(AGAIN)
                    self.assertGreater(len(readFLV(seen)), before + 50)
                    mend()  # type: ignore[operator]
                    mended = time.monotonic()
                    server.waitForLog("live/x: the recording goes on as")
                    self.assertLess(time.monotonic() - mended, AGAIN + BUSY)
                    time.sleep(1)
            server.waitForLog("live/x: recorded as", 1)
            self.assertEqual(server.log.count("recording stopped"), 1, server.log)
            self.assertEqual(server.log.count("goes on as"), 1, server.log)
            expected = framesOf(remux(ffmpeg9(), film))
            # Pictures alone: a player's FFmpeg may put sound elsewhere between them.
            pictures = [frame for frame in expected if frame[0] == MessageType.VIDEO]
            watched = [
                (tag.type, tag.payload) for tag in readFLV(seen) if isFrame(tag) and tag.type == MessageType.VIDEO
            ]
            start = pictures.index(watched[0])
            self.assertEqual(watched, pictures[start : start + len(watched)])
            for file in disk.glob("live/*.flv"):
                self.assertEqual(run(decode(ffmpeg9(), str(file)), server.directory / "decode.log"), "")
                frames = framesOf(file)
                start = expected.index(frames[0])
                self.assertEqual(frames, expected[start : start + len(frames)])

    def test_F5_full(self) -> None:
        """Fault F5: the disk is full, and then it is not any more."""
        with tmpfs("size=3m") as disk:
            ballast = disk / "ballast"

            def spoil() -> None:
                with ballast.open("wb", buffering=0) as file:
                    try:
                        while file.write(bytes(4096)):
                            pass
                    except OSError:
                        return

            self.check(disk, "No space left on device", spoil, ballast.unlink)
            self.assertEqual(len([*disk.glob("live/*.flv")]), 2)

    def test_F7_removed(self) -> None:
        """Fault F7: the directory is removed, and made again."""
        directory = Path(tempfile.mkdtemp(prefix="rtmptw-removed-"))
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        self.check(directory, "the file was removed", lambda: shutil.rmtree(directory), directory.mkdir)
        self.assertEqual(len([*directory.glob("live/*.flv")]), 1)

    def test_F7_noInodes(self) -> None:
        """Fault F7: there is room, but no inode for one more file."""
        with tmpfs("size=30m,nr_inodes=8") as disk:
            for number in range(100):
                try:
                    (disk / str(number)).touch()
                except OSError:
                    break
            with Server("--record", str(disk)) as server:
                command = ffmpegPublish(ffmpeg9(), source(seconds=VERY_LONG), server.url("live/x"))
                with Process(command, server.directory / "ffmpeg.log"):
                    server.waitForLog("live/x: recording stopped: .*No space left on device.*; there is no file")
                    for file in disk.iterdir():
                        file.unlink()
                    mended = time.monotonic()
                    server.waitForLog("live/x: the recording goes on as")
                    self.assertLess(time.monotonic() - mended, AGAIN + BUSY)
                server.waitForLog("live/x: recorded as")

    def test_F7_readOnly(self) -> None:
        """Fault F7: the disk may be read only."""
        with tmpfs("size=30m") as disk:

            def remount(how: str) -> None:
                subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)

            remount("ro")
            with Server() as server:
                # The option checks that the directory can be written to.
                server.recordings.rmdir()
                server.recordings.symlink_to(disk)
                command = ffmpegPublish(ffmpeg9(), source(seconds=VERY_LONG), server.url("live/x"))
                with Process(command, server.directory / "ffmpeg.log"):
                    server.waitForLog("live/x: recording stopped: .*Read-only file system")
                    remount("rw")
                    server.waitForLog("live/x: the recording goes on as")
                server.waitForLog("live/x: recorded as")

    def test_tooLittle(self) -> None:
        """A disk with less space than is to be left: that is told at the start, and nothing is recorded."""
        with tmpfs("size=3m") as disk, Server("--record", str(disk), "--limit", "disk-free-bytes=1000000000") as server:
            server.waitForLog(
                r"nothing can be recorded now: 3\.0 MiB of the disk are free, and 953\.7 MiB are to be left"
            )
            command = ffmpegPublish(ffmpeg9(), source(), server.url("live/x"), realTime=False)
            with Process(command, server.directory / "ffmpeg.log") as publisher:
                publisher.succeed()
            server.waitForLog("live/x: the publish has ended; its last .* not recorded")
            self.assertEqual([*disk.iterdir()], [])


def _isGone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True
    # Whose parent has not asked yet how it ended.
    return text.rpartition(")")[2].split()[0] == "Z"
