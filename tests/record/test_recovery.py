"""Tests for L{rtmptw.record.recovery}."""

from __future__ import annotations

import errno
import fcntl
import math
import os
import struct
import time
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.record import recovery as module
from rtmptw.record.filename import PARTIAL
from rtmptw.record.flvfile import FLVFile, Tag, isFront
from rtmptw.record.recovery import MAX_DEPTH, PAGE, TAIL, Recovered, recover, scan
from rtmptw.wire import amf0
from rtmptw.wire.amf import ECMAArray
from rtmptw.wire.flv import encodeTag, fileHeader
from tests.record.disk import DescriptorWatch, listing, makeDirectory, readTags

AUDIO, VIDEO, DATA = 8, 9, 18
NOISE = Random(7).randbytes(200_000)


def frames(count: int, size: int = 50) -> list[Tag]:
    """Frames of 40 ms, no two alike."""
    return [(VIDEO, 40 * number, bytes([number & 0xFF]) + NOISE[number : number + size]) for number in range(count)]


class RecoveryTestCase(SynchronousTestCase):
    """Files that a crash has left, in a real directory."""

    def setUp(self) -> None:
        """There is none yet."""
        self.root = makeDirectory(self)

    def crashed(self, name: str, tags: list[Tag]) -> Path:
        """Leave a file, as a killed process does: nobody finishes it, and nobody has it locked any more."""
        file = FLVFile(str(self.root), name)
        file.write(tags)
        assert file._file is not None
        file._file.close()
        file._file = None
        return self.root / file.place

    def recover(self, booted: float | None = None) -> list[Recovered]:
        """
        Recover everything.

        @param booted: when the machine was started.
        """
        watch = DescriptorWatch(self)
        found = list(recover(str(self.root), booted))
        self.assertEqual(watch.open, [])
        return found

    def numbers(self, path: Path) -> tuple[float, float]:
        """The duration and size that a file says it has."""
        payload = readTags(path)[0].payload
        return tuple(
            struct.unpack_from(">d", payload, payload.index(key) + len(key) + 1)[0]
            for key in (b"duration", b"filesize")
        )  # type: ignore[return-value]

    def assertGood(self, path: Path, tags: list[Tag]) -> None:
        """Assert that a file is finished, and holds exactly this."""
        self.assertEqual([(tag.type, tag.timestamp, tag.payload) for tag in readTags(path)[1:]], tags)
        end = max([time for type, time, _ in tags if type != DATA], default=0)
        self.assertEqual(self.numbers(path), (end / 1000, path.stat().st_size))


class RecoverTests(RecoveryTestCase):
    """What is done about each file."""

    def test_finished(self) -> None:
        """What a killed process has left is finished."""
        tags = frames(100)
        path = self.crashed("live/camera", tags)
        size = path.stat().st_size
        self.assertEqual(self.recover(), [Recovered("live/camera.flv.part", "live/camera.flv", 3.96, size)])
        self.assertEqual(listing(self.root), ["live", "live/camera.flv"])
        self.assertGood(self.root / "live/camera.flv", tags)
        self.assertEqual(self.recover(), [])

    def test_metadata(self) -> None:
        """With all that the publisher has said."""
        values = ECMAArray({"encoder": "x" * 5000, "width": 640.0})
        self.crashed("camera", [(DATA, 0, amf0.encode("onMetaData", values)), *frames(3)])
        self.recover()
        self.assertGood(self.root / "camera.flv", frames(3))
        self.assertIn(b"x" * 5000, (self.root / "camera.flv").read_bytes())

    @settings(deadline=None, max_examples=60)
    @given(st.data())
    def test_everyCut(self, data: st.DataObject) -> None:
        """However a good file is cut off: the recording is what was whole."""
        tags = [
            (VIDEO if number % 2 else AUDIO, number * 20, NOISE[number * 7 :][:size])
            for number, size in enumerate(data.draw(st.lists(st.integers(0, 9000), max_size=12)))
        ]
        for path in self.root.iterdir():
            path.unlink()
        path = self.crashed("camera", tags) if tags else self.crashed("camera", [(DATA, 0, b"\2\0\1x")])
        whole = path.read_bytes()
        cut = data.draw(st.integers(0, len(whole)))
        os.truncate(path, cut)
        (found,) = self.recover()
        ends = [len(whole) - sum(len(p) + 15 for _, _, p in tags[index:]) for index in range(len(tags) + 1)]
        count = sum(end <= cut for end in ends) - 1 if tags else 0
        first = (
            len(fileHeader())
            + len(encodeTag(DATA, 0, amf0.encode("onMetaData", {"duration": 0.0, "filesize": 0.0})))
            + 1
        )
        if cut < (ends[0] if tags else first):
            self.assertEqual((found.file, listing(self.root)), ("", []))
        elif tags:
            self.assertGood(self.root / "camera.flv", tags[:count])

    @settings(deadline=None, max_examples=60)
    @given(st.binary(max_size=3000), st.integers(0, 400))
    def test_everyEnd(self, rest: bytes, cut: int) -> None:
        """Whatever stands behind what is whole: no exception, and nothing of what is whole is lost."""
        for path in self.root.iterdir():
            path.unlink()
        tags = frames(3)
        path = self.crashed("camera", tags)
        with path.open("ab") as file:
            file.write(rest)
        (found,) = self.recover()
        kept = [(tag.type, tag.timestamp, tag.payload) for tag in readTags(self.root / found.file)[1:]]
        self.assertEqual(kept[:3], tags)

    def test_empty(self) -> None:
        """What has nothing in it is removed: no byte, or not so much as the metadata."""
        whole = self.crashed("whole", frames(1)).read_bytes()
        for number, size in enumerate((0, 1, 9, 13, 30, 80)):
            (self.root / f"{number}.flv.part").write_bytes(whole[:size])
        (self.root / "whole.flv.part").unlink()
        found = self.recover()
        self.assertEqual(sorted(found), [Recovered(f"{number}.flv.part") for number in range(6)])
        self.assertEqual(listing(self.root), [])

    def test_foreign(self) -> None:
        """What is no file of ours is left alone, and so are all other names."""
        whole = self.crashed("whole", frames(1)).read_bytes()
        (self.root / "whole.flv.part").unlink()
        contents = {
            "film.mp4.part": b"\0\0\0\x18ftypisom" + bytes(1000),
            "download.part": b"x",
            "other.flv.part": fileHeader() + encodeTag(VIDEO, 0, b"frame"),
            "zeros.flv.part": bytes(5000),
            "audio.flv.part": fileHeader(video=False) + whole[13:],
            "name.flv.part": whole.replace(b"duration", b"Duration"),
            "plain.flv": whole,
            "part": whole,
            "x.part.flv": whole,
        }
        for name, content in contents.items():
            (self.root / name).write_bytes(content)
        found = self.recover()
        self.assertEqual({one.problem for one in found}, {"it is no recording of ours"})
        self.assertEqual(
            sorted(one.found for one in found), sorted(name for name in contents if name.endswith(".part"))
        )
        self.assertEqual({name: (self.root / name).read_bytes() for name in listing(self.root)}, contents)

    def test_otherEnding(self) -> None:
        """A file of ours that somebody has called something else gets that name."""
        self.crashed("camera", frames(1)).rename(self.root / "x.part")
        self.recover()
        self.assertEqual(listing(self.root), ["x"])

    def test_links(self) -> None:
        """Links are not followed: not for files, not for directories."""
        outside = self.root.parent / "outside"
        outside.mkdir()
        self.crashed("camera", frames(1)).rename(outside / "camera.flv.part")
        (self.root / "link.flv.part").symlink_to(outside / "camera.flv.part")
        (self.root / "directory").symlink_to(outside)
        (self.root / "directory.part").symlink_to(outside)
        self.assertEqual(self.recover(), [])
        self.assertEqual(os.listdir(outside), ["camera.flv.part"])

    def test_noFiles(self) -> None:
        """What is no file at all is passed over."""
        os.mkfifo(self.root / "pipe.flv.part")
        (self.root / "directory.flv.part").mkdir()
        self.assertEqual(self.recover(), [])

    def test_written(self) -> None:
        """A file that somebody writes is left to him."""
        file = FLVFile(str(self.root), "camera")
        self.addCleanup(file.finish)
        self.assertEqual((list(recover(str(self.root))), listing(self.root)), ([], ["camera.flv.part"]))
        file.write(frames(1))
        self.assertEqual(list(recover(str(self.root))), [])
        file.finish()
        self.assertGood(self.root / "camera.flv", frames(1))

    def test_notOverwritten(self) -> None:
        """A name that is taken is not taken away: the recording is numbered."""
        for number in range(2):
            self.crashed("camera", frames(number + 1)).rename(self.root / f"{number}")
        (self.root / "camera.flv").write_text("precious")
        (self.root / "camera-1.flv").symlink_to("nowhere")
        (self.root / "1").rename(self.root / "camera.flv.part")
        (self.root / "0").unlink()
        (found,) = self.recover()
        self.assertEqual(found.file, "camera-2.flv")
        self.assertEqual((self.root / "camera.flv").read_text(), "precious")
        self.assertGood(self.root / "camera-2.flv", frames(2))

    def test_everyNameTaken(self) -> None:
        """If there is no name at all, the file is left."""
        self.crashed("camera", frames(1))
        self.patch(module, "freeNames", lambda stem, ending: iter([f"{stem}{ending}"]))
        (self.root / "camera.flv").write_text("precious")
        (found,) = self.recover()
        self.assertEqual((found.file, found.problem), ("", os.strerror(errno.EEXIST)))
        self.assertEqual(listing(self.root), ["camera.flv", "camera.flv.part"])

    def test_crashedWithBothNames(self) -> None:
        """The process was killed between giving the one name and taking the other: the file is the same."""
        path = self.crashed("camera", frames(4))
        os.link(path, self.root / "camera.flv")
        (found,) = self.recover()
        self.assertEqual((found.file, listing(self.root)), ("camera.flv", ["camera.flv"]))
        self.assertGood(self.root / "camera.flv", frames(4))

    def test_tree(self) -> None:
        """However deep, and in whatever order; what is too deep is not ours."""
        names = ["a", "b/a", "b/c/d/e", "z/" + "/".join("abcdefghij" * 18)]
        for name in names:
            self.crashed(name, frames(2))
        self.assertEqual(sorted(one.file for one in self.recover()), sorted(f"{name}.flv" for name in names))
        self.patch(module, "MAX_DEPTH", 3)
        for name in ("1/2/x", "1/2/3/x"):
            self.crashed(name, frames(1))
        self.assertEqual([one.file for one in self.recover()], ["1/2/x.flv"])
        self.assertGreater(MAX_DEPTH, 192)

    def test_manyFiles(self) -> None:
        """Ten thousand files."""
        content = self.crashed("whole", frames(20)).read_bytes()
        (self.root / "whole.flv.part").unlink()
        # What takes its time is the disk, and it is not asked here.
        self.patch(os, "fdatasync", lambda file: None)
        self.patch(os, "fsync", lambda file: None)
        for number in range(10_000):
            directory = self.root / str(number % 100)
            directory.mkdir(exist_ok=True)
            (directory / f"{number}.flv.part").write_bytes(content[: -(number % 50) or None])
        began = time.process_time()
        count = sum(one.file != "" for one in recover(str(self.root)))
        self.assertEqual(count, 10_000)
        self.assertLess(time.process_time() - began, 60)
        self.assertEqual(len([name for name in listing(self.root) if name.endswith(PARTIAL)]), 0)

    def test_hugeFile(self) -> None:
        """A file of 5 GB, of which little is read."""
        path = self.crashed("camera", frames(1))
        size = 1_000_000
        header = encodeTag(VIDEO, 0, NOISE[:1])[:11]
        with path.open("r+b") as file:
            position = path.stat().st_size
            for number in range(5200):
                file.seek(position)
                file.write(header[:1] + size.to_bytes(3) + (number * 40).to_bytes(3) + bytes(4))
                # The frame itself is a hole in the file, but for the end, where no page may be of zeros.
                if number > 5170:
                    file.write(NOISE * 5)
                file.seek(position + 11 + size)
                file.write((11 + size).to_bytes(4))
                position += 11 + size + 4
            file.write(b"\x09\x00\x10")
        self.assertGreater(position, 5_000_000_000)
        self.patch(os, "fdatasync", lambda file: None)
        read = [0]
        pread = os.pread

        def counted(file: int, length: int, position: int) -> bytes:
            data = pread(file, length, position)
            read[0] += len(data)
            return data

        self.patch(os, "pread", counted)
        (found,) = self.recover(math.inf)
        self.assertEqual(found, Recovered("camera.flv.part", "camera.flv", 5199 * 40 / 1000, position))
        self.assertGreater(read[0], TAIL)
        self.assertLess(read[0], TAIL + 3 * 1024 * 1024 + 2 * 5200 * PAGE)


class TroubleTests(RecoveryTestCase):
    """What may go wrong."""

    def patchError(self, name: str, number: int) -> None:
        """Have a call that fails."""

        def fail(*arguments: object, **options: object) -> None:
            raise OSError(number, os.strerror(number))

        self.patch(os, name, fail)

    def test_noDirectory(self) -> None:
        """Without the directory there is nothing to begin with."""
        self.assertRaises(FileNotFoundError, list, recover(str(self.root / "nowhere")))
        self.patchError("scandir", errno.EIO)
        watch = DescriptorWatch(self)
        self.assertRaises(OSError, list, recover(str(self.root)))
        self.assertEqual(watch.open, [])

    def test_readOnly(self) -> None:
        """A disk that can't be written to: every file is left, and the others are tried."""
        for name in ("a", "b"):
            self.crashed(name, frames(2))
        self.patchError("ftruncate", errno.EROFS)
        self.assertEqual([one.problem for one in self.recover()], [os.strerror(errno.EROFS)] * 2)
        self.assertEqual(listing(self.root), ["a.flv.part", "b.flv.part"])

    def test_noPermission(self) -> None:
        """A file or directory that may not be opened is named."""
        self.crashed("camera", frames(2))
        (self.root / "closed").mkdir()
        real = os.open

        def refuse(path: str, *arguments: int, **options: int) -> int:
            if path in ("closed", "camera.flv.part"):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return real(path, *arguments, **options)

        self.patch(os, "open", refuse)
        found = self.recover()
        self.assertEqual(sorted(one.found for one in found), ["camera.flv.part", "closed"])
        self.assertEqual({one.problem for one in found}, {os.strerror(errno.EACCES)})

    def test_brokenListing(self) -> None:
        """A directory that can't be read to its end is named, and is not tried for ever."""
        self.crashed("a/x", frames(1))

        class Broken:
            """Entries that end with an error."""

            def __init__(self, directory: int) -> None:
                pass

            def __iter__(self) -> Broken:
                return self

            def __next__(self) -> os.DirEntry[str]:
                raise OSError(errno.EIO, os.strerror(errno.EIO))

        self.patch(os, "scandir", Broken)
        found = self.recover()
        self.assertEqual([(one.found, one.problem) for one in found], [("", "Input/output error")])

    def test_noLocks(self) -> None:
        """Without locks nobody knows whether somebody writes: nothing is touched."""
        self.crashed("camera", frames(2))
        self.patch(fcntl, "flock", lambda file, mode: (_ for _ in ()).throw(OSError(errno.ENOLCK, "no locks")))
        (found,) = self.recover()
        self.assertIn("no locks", found.problem)
        self.assertEqual(listing(self.root), ["camera.flv.part"])

    def test_goneBefore(self) -> None:
        """A file that is gone when it is looked at is nobody's business any more."""
        self.crashed("camera", frames(2))
        real = os.open

        def late(path: str, *arguments: int, **options: int) -> int:
            if path.endswith(PARTIAL):
                os.unlink(self.root / path)
            return real(path, *arguments, **options)

        self.patch(os, "open", late)
        self.assertEqual(self.recover(), [])

    def test_goneMeanwhile(self) -> None:
        """Nor is one that another process has finished in the last moment, or replaced."""
        for replace in (False, True):
            path = self.crashed("camera", frames(2))
            real = fcntl.flock

            def late(file: int, mode: int, path: Path = path, replace: bool = replace, real: object = real) -> None:
                path.rename(self.root / "elsewhere")
                if replace:
                    path.write_text("another one")

            patch = self.patch(fcntl, "flock", late)
            self.assertEqual(self.recover(), [])
            patch.restore()
            self.assertEqual(len(readTags(self.root / "elsewhere")), 3)
            (self.root / "elsewhere").unlink()

    def test_shorterMeanwhile(self) -> None:
        """A file that somebody makes shorter while it is read ends where it ends."""
        path = self.crashed("camera", frames(50, 3000))
        pread, end = os.pread, readTags(path)[6].offset + 5

        def cutting(file: int, length: int, position: int) -> bytes:
            # As if there were no more than that any longer.
            return pread(file, length, position)[: max(0, end - position)]

        with path.open("rb") as file:
            self.patch(os, "pread", cutting)
            found = scan(file.fileno())
        self.assertEqual((found.size, found.tags), (end - 5, 6))


class ScanTests(RecoveryTestCase):
    """Where the last whole tag ends."""

    def scan(self, content: bytes, limit: int | None = None) -> tuple[int, int, int]:
        """Scan a file with this in it."""
        path = self.root / "file"
        path.write_bytes(content)
        with path.open("rb") as file:
            return scan(file.fileno(), limit)

    def test_times(self) -> None:
        """The end is the latest time of audio and video."""
        tags = [(VIDEO, 0x1000001, b"a"), (AUDIO, 0x1000005, b""), (DATA, 0x7000000, b"x"), (VIDEO, 3, b"b")]
        content = fileHeader() + b"".join(encodeTag(*tag) for tag in tags)
        self.assertEqual(self.scan(content), (len(content), 4, 0x1000005))

    def test_wrong(self) -> None:
        """What is no tag of ours ends the file: no type, a stream ID, another size behind it."""
        good = fileHeader() + encodeTag(VIDEO, 40, b"frame")
        tag = encodeTag(VIDEO, 80, b"frame")
        for bad in (
            b"\0" + tag[1:],
            tag[:8] + b"\1" + tag[9:],
            tag[:10] + b"\1" + tag[11:],
            tag[:-1] + b"\0",
            tag[:-4] + bytes(4),
            tag[:-1],
            tag[:11],
            b"",
            bytes(5000),
        ):
            self.assertEqual(
                self.scan(good + bad + tag * 3), (len(good), 1, 40) if bad else (len(good + tag * 3), 4, 80)
            )
        self.assertEqual(self.scan(good + tag, len(good) + 3), (len(good), 1, 40))
        self.assertEqual(self.scan(b"FLV"), (0, 0, 0))

    def test_largeAndSmall(self) -> None:
        """Tags of every size, also those that end at the end of what is read at a time."""
        for sizes in (
            [0] * 2000,
            [PAGE - 15 - 13, PAGE - 15, PAGE - 16, PAGE - 14, 3 * PAGE],
            list(range(3 * PAGE, 0, -97)),
        ):
            content = fileHeader() + b"".join(encodeTag(AUDIO, 7, NOISE[:size]) for size in sizes)
            self.assertEqual(self.scan(content), (len(content), len(sizes), 7))

    def test_zeros(self) -> None:
        """A page of zeros near the end is one that never came to the disk: the file ends before it."""
        tags = frames(30, 6000)
        path = self.crashed("camera", tags)
        whole = path.read_bytes()
        for number in range(1, len(whole) // PAGE - 1):
            path.write_bytes(whole[: number * PAGE] + bytes(PAGE) + whole[(number + 1) * PAGE :])
            self.recover(math.inf)
            finished = self.root / "camera.flv"
            count = len(readTags(finished)) - 1
            self.assertGood(finished, tags[:count])
            self.assertLessEqual(finished.stat().st_size, number * PAGE)
            self.assertGreater(finished.stat().st_size, number * PAGE - 6100 - PAGE)
            finished.unlink()

    def test_zerosEarlier(self) -> None:
        """Far from the end it was forced to the disk, and is the publisher's own."""
        self.patch(module, "TAIL", 20_000)
        tags = [(VIDEO, 0, bytes(9000)), *frames(20, 3000)]
        self.crashed("camera", tags)
        self.recover(math.inf)
        self.assertGood(self.root / "camera.flv", tags)

    def test_zerosAreTheirs(self) -> None:
        """What was written since the machine was started has lost nothing: its zeros are the publisher's."""
        tags = [*frames(2), (VIDEO, 80, bytes(9000)), (VIDEO, 120, NOISE[:50])]
        now = time.time()
        # Without a time that can be right, nobody knows.
        cases = ((0, now, 4), (now, now, 4), (now, now - 1, 2), (0, now + 1000, 2))
        for booted, written, count in cases:
            path = self.crashed("camera", tags)
            os.utime(path, (written, written))
            (found,) = self.recover(int(booted))
            self.assertEqual(found.file, "camera.flv")
            self.assertGood(self.root / "camera.flv", tags[:count])
            (self.root / "camera.flv").unlink()

    def test_bootTime(self) -> None:
        """If nothing is given, the machine knows when it was started: before this file, and after an old one."""
        tags = [*frames(2), (VIDEO, 80, bytes(9000))]
        self.crashed("new", tags)
        os.utime(self.crashed("old", tags), (0, 0))
        self.recover()
        self.assertGood(self.root / "new.flv", tags)
        self.assertGood(self.root / "old.flv", tags[:2])

    def test_silence(self) -> None:
        """Silent PCM is pages of zeros: also after a power cut it is what it was, if its tags are whole."""
        for first in (0x3F, 0x3E, 0x0F, 0x02):
            tags = [(AUDIO, number * 100, bytes([first]) + bytes(17_640)) for number in range(100)]
            self.crashed("camera", tags)
            self.recover(math.inf)
            self.assertGood(self.root / "camera.flv", tags)
            (self.root / "camera.flv").unlink()

    def test_noSilence(self) -> None:
        """What is no PCM of 16 bits, or no sound at all, has no such pages."""
        for type, first in ((AUDIO, 0x3D), (AUDIO, 0x2F), (AUDIO, 0xAF), (AUDIO, 0x00), (VIDEO, 0x3F)):
            self.crashed("camera", [*frames(2), (type, 100, bytes([first]) + bytes(17_640)), *frames(2)])
            self.recover(math.inf)
            self.assertGood(self.root / "camera.flv", frames(2))
            (self.root / "camera.flv").unlink()

    def test_holeBehindSilence(self) -> None:
        """Silence hides no page that was lost behind it: not of pictures, and not one with a tag's beginning."""
        silence = [(AUDIO, number * 100, b"\x3f" + bytes(9_000)) for number in range(20)]
        tags = [*silence, *frames(10, 6000)]
        path = self.crashed("camera", tags)
        whole = path.read_bytes()
        for number in range(1, len(whole) // PAGE - 1):
            page = slice(number * PAGE, (number + 1) * PAGE)
            path.write_bytes(whole[: page.start] + bytes(PAGE) + whole[page.stop :])
            self.recover(math.inf)
            finished = self.root / "camera.flv"
            count = len(readTags(finished)) - 1
            self.assertGood(finished, tags[:count])
            if any(whole[page]):
                self.assertLessEqual(finished.stat().st_size, page.start)
            else:
                self.assertEqual(count, len(tags))
            finished.unlink()

    def test_silenceIsReadOnce(self) -> None:
        """Much silence costs little more than its bytes: nothing is scanned from the beginning for each tag."""
        tags = [(AUDIO, number * 23, b"\x3f" + bytes(8_192)) for number in range(2_000)]
        size = self.crashed("camera", tags).stat().st_size
        read = [0]
        pread = os.pread

        def counted(file: int, length: int, position: int) -> bytes:
            data = pread(file, length, position)
            read[0] += len(data)
            return data

        self.patch(os, "pread", counted)
        (found,) = self.recover(math.inf)
        self.assertEqual(found.bytes, size)
        self.assertLess(read[0], 12 * size)

    def test_front(self) -> None:
        """What tells a file of ours."""
        whole = self.crashed("camera", frames(1)).read_bytes()
        self.assertTrue(all(isFront(whole[:size]) for size in range(len(whole))))
        self.assertFalse(isFront(b"FLW"))
