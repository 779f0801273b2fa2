"""Tests for L{rtmptw.record.flvfile}."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import LocalProtocolError
from rtmptw.record import flvfile
from rtmptw.record.filename import PARTIAL
from rtmptw.record.flvfile import FLVFile, Tag
from rtmptw.record.template import NameTemplate
from rtmptw.wire import amf0
from rtmptw.wire.amf import DATA_LIMITS, UNDEFINED, UNSUPPORTED, AMFValue, Date, ECMAArray, TypedObject
from rtmptw.wire.flv import encodeTag
from tests.record.disk import DescriptorWatch, FullDisk, listing, makeDirectory, readTags

AUDIO, VIDEO, DATA = 8, 9, 18
BEGAN = datetime(2024, 1, 2, 3, 4, 5, 678_000, UTC)
NAME = "live/camera-20240102T030405.678Z.flv"


def metadata(value: AMFValue) -> bytes:
    """The payload of onMetaData."""
    return amf0.encode("onMetaData", value)


def newFile(root: Path, path: str) -> FLVFile:
    """A file with the usual name."""
    return FLVFile(str(root), NameTemplate().name(path, BEGAN, BEGAN, 1))


class FLVFileTests(SynchronousTestCase):
    """Files in a real directory."""

    def setUp(self) -> None:
        """A file that is begun."""
        self.root = makeDirectory(self)
        self.file = newFile(self.root, "live/camera")
        self.addCleanup(self.file.finish)
        self.partial = self.root / (NAME + PARTIAL)

    def read(self, path: Path | None = None) -> list[Tag]:
        """The tags of a file; by default, the finished one."""
        return [(tag.type, tag.timestamp, tag.payload) for tag in readTags(path or self.root / NAME)]

    def readMetadata(self, path: Path | None = None) -> dict[str, AMFValue]:
        """The metadata in front."""
        type, timestamp, payload = self.read(path)[0]
        self.assertEqual((type, timestamp), (DATA, 0))
        name, values = amf0.decode(payload, DATA_LIMITS)
        assert isinstance(values, ECMAArray)
        self.assertEqual(name, "onMetaData")
        return values

    def test_whole(self) -> None:
        """What was written is there, in order, behind the metadata; the file has its own name at the end only."""
        tags = [(VIDEO, 0, b"\x17\0header"), (AUDIO, 20, b""), (VIDEO, 40, bytes(100_000)), (DATA, 50, b"\2\0\1x")]
        self.assertEqual(self.file.name, NAME)
        self.file.write(tags[:1])
        self.assertEqual(listing(self.root), ["live", NAME + PARTIAL])
        self.file.write(tags[1:])
        self.file.finish()
        self.assertEqual(listing(self.root), ["live", NAME])
        self.assertEqual(self.read()[1:], tags)
        self.assertEqual(self.readMetadata(), {"duration": 0.04, "filesize": float((self.root / NAME).stat().st_size)})

    def test_unfinished(self) -> None:
        """A file that was never finished is whole after every write, its numbers are 0."""
        tags: list[Tag] = []
        for number in range(20):
            tags.append((VIDEO, number * 40, bytes([number]) * number))
            self.file.write(tags[-1:])
            self.assertEqual(self.read(self.partial)[1:], tags)
            self.assertEqual(self.file.size, self.partial.stat().st_size)
        self.assertEqual(self.readMetadata(self.partial), {"duration": 0.0, "filesize": 0.0})

    def test_duration(self) -> None:
        """The duration is the latest time of audio and video, wherever in the order, in whatever writes."""
        self.file.write([(VIDEO, 5000, b"a"), (AUDIO, 5080, b"b"), (VIDEO, 5040, b"c"), (DATA, 99_999, b"\2\0\1x")])
        self.file.write([(VIDEO, 0, b"\xa2hvc1")])
        self.file.finish()
        self.assertEqual(self.readMetadata()["duration"], 5.08)

    def test_longDuration(self) -> None:
        """Times beyond 24 bits have their upper byte."""
        self.file.write([(VIDEO, 0xFFFFFF, b"a"), (VIDEO, 0x1000000, b"b"), (VIDEO, 0xFFFFFFFF, b"c")])
        self.file.finish()
        self.assertEqual(self.readMetadata()["duration"], 4294967.295)
        self.assertEqual([time for _, time, _ in self.read()[1:]], [0xFFFFFF, 0x1000000, 0xFFFFFFFF])

    def test_metadataMerged(self) -> None:
        """The publisher's values are kept, as they are, behind duration and size, which are ours."""
        values: dict[str, AMFValue] = {
            "width": 640.0,
            "duration": 12345.0,
            "encoder": "Lavf60.3",
            "stereo": True,
            "filesize": 99.0,
            "keyframes": {"times": [0.0, 2.0]},
            "creationdate": Date(1.0),
            "none": None,
        }
        self.file.write([(DATA, 7, metadata(ECMAArray(values))), (VIDEO, 1500, b"a")])
        self.file.finish()
        found = self.readMetadata()
        self.assertEqual(list(found)[:2], ["duration", "filesize"])
        self.assertEqual(found, {**values, "duration": 1.5, "filesize": float((self.root / NAME).stat().st_size)})
        self.assertEqual(self.read()[1:], [(VIDEO, 1500, b"a")])

    def test_metadataOddities(self) -> None:
        """Whatever stands behind the name, the numbers are at their places and the media behind them."""
        good: dict[str, AMFValue] = {"duration": 1.0, "filesize": 0.0}
        deep: AMFValue = "deep"
        for _ in range(10):
            deep = {"x": deep}
        values: list[tuple[bytes, dict[str, AMFValue]]] = [
            (metadata({"a": 1.0}), {"a": 1.0}),
            (metadata({"duration": "long", "a": 1.0, "filesize": None}), {"a": 1.0}),
            (
                metadata(ECMAArray({"": "empty name", "x" * 1000: "long name"})),
                {"": "empty name", "x" * 1000: "long name"},
            ),
            (metadata(TypedObject("some.Class", {"a": 1.0})), {"a": 1.0}),
            (metadata({"u": UNDEFINED, "n": UNSUPPORTED, "l": ["s" * 70_000], "d": deep}), {}),
            (metadata({"bytes": "\udcff\udc80"}), {"bytes": "\udcff\udc80"}),
            (metadata("no object"), {}),
            (metadata([{"a": 1.0}]), {}),
            (metadata(None), {}),
            (amf0.encode("onMetaData"), {}),
            (amf0.encode("onMetaData", "between", {"a": 1.0}), {}),
            (metadata({"a": 1.0})[:-4], {}),
            (metadata({"a": 1.0})[:-3], {"a": 1.0}),
            (amf0.encode("onMetaData") + b"\x0e", {}),
            (amf0.encode("onMetaData") + b"\x08\xff\xff\xff\xff\0\1a\0\x3f\xf0\0\0\0\0\0\0\0\0\x09", {"a": 1.0}),
            (amf0.encode("onMetaData") + b"\x03\0\1a\x0a\xff\xff\xff\xff", {}),
            (amf0.encode("onMetaData") + b"\x03\0\1a" * 1000, {}),
            (metadata({"onMetaData": metadata({}).decode("latin-1")}), {}),
        ]
        for number, (payload, expected) in enumerate(values):
            file = newFile(self.root, f"odd/{number}")
            file.write([(DATA, 0, payload), (VIDEO, 1000, b"media")])
            file.finish()
            path = self.root / file.name
            found = self.readMetadata(path)
            size = float(path.stat().st_size)
            self.assertEqual({name: found[name] for name in [*good, *expected]}, {**expected, **good, "filesize": size})
            self.assertEqual(self.read(path)[1:], [(VIDEO, 1000, b"media")], payload)

    def test_metadataLater(self) -> None:
        """Metadata that is not first, or comes again, stays where it is; other data in front is no metadata."""
        tags = [(DATA, 0, amf0.encode("onTextData", {"text": "x"})), (VIDEO, 0, b"a"), (DATA, 40, metadata({"a": 1.0}))]
        self.file.write(tags)
        self.file.finish()
        self.assertEqual(self.read()[1:], tags)
        self.assertEqual(list(self.readMetadata()), ["duration", "filesize"])

    def test_empty(self) -> None:
        """A file in which nothing is is removed."""
        self.file.write([])
        self.file.finish()
        self.assertEqual(listing(self.root), ["live"])

    def test_finishTwice(self) -> None:
        """To finish again is harmless, also for the file that has the same number now; nothing more can be written."""
        self.file.write([(VIDEO, 40, b"a")])
        self.file.finish()
        victim = os.open(self.root / "victim", os.O_RDWR | os.O_CREAT)
        self.addCleanup(os.close, victim)
        self.file.finish()
        self.assertEqual(os.fstat(victim).st_size, 0)
        self.assertRaises(LocalProtocolError, self.file.write, [(VIDEO, 80, b"b")])
        self.assertEqual(len(self.read()), 2)

    def test_descriptor(self) -> None:
        """To ask the disk that it is on; not if the file is gone, and not when it is finished."""
        self.file.write([(VIDEO, 40, b"a")])
        self.assertEqual(os.fstat(self.file.descriptor()).st_ino, self.partial.stat().st_ino)
        self.partial.unlink()
        error = self.assertRaises(FileNotFoundError, self.file.descriptor)
        self.assertIn("the file was removed", str(error))
        self.assertRaises(FileNotFoundError, self.file.finish)
        self.assertEqual(self.file.place, "")
        self.assertRaises(LocalProtocolError, self.file.descriptor)

    def test_count(self) -> None:
        """How many of the tags are in it; metadata that is put in front counts as the one that it was."""
        self.file.write([(DATA, 0, metadata({"a": 1.0})), (VIDEO, 0, b"a"), (AUDIO, 7, b"b")])
        self.assertEqual((self.file.count, self.file.end), (3, 7))
        other = newFile(self.root, "other")
        other.write([(VIDEO, 0, b"a")])
        other.finish()
        self.assertEqual(other.count, 1)

    def test_settled(self) -> None:
        """Its name is forced to the disk with what is in it: the one at first, the other at the end."""
        now = [100.0]
        self.patch(flvfile, "monotonic", lambda: now[0])
        synced: list[bool] = []
        self.patch(os, "fsync", lambda directory: synced.append(stat.S_ISDIR(os.fstat(directory).st_mode)))
        file = newFile(self.root, "live/settled")
        for second in (100.0, 101.0, 102.0):
            now[0] = second
            file.write([(VIDEO, 0, b"")])
        self.assertEqual(synced, [True])
        file.finish()
        # Before the old name is taken away, and after that.
        self.assertEqual(synced, [True] * 3)

    def test_finishFails(self) -> None:
        """If the end can't be written the file is closed all the same, and keeps its ending and what is in it."""
        self.file.write([(VIDEO, 40, b"a")])

        def broken(file: int) -> None:
            raise OSError(5, "Input/output error")

        self.file.finish()
        self.partial = self.root / (NAME.replace(".flv", "-1.flv") + PARTIAL)
        watch = DescriptorWatch(self)
        file = newFile(self.root, "live/camera")
        file.write([(VIDEO, 40, b"a")])
        self.assertEqual(len(watch.open), 2)
        self.patch(os, "fdatasync", broken)
        self.assertRaises(OSError, file.finish)
        self.assertEqual(watch.open, [])
        file.finish()
        self.assertEqual(file.place, str(self.partial.relative_to(self.root)))
        self.assertEqual(listing(self.root), ["live", file.place, NAME])
        self.assertEqual(self.read(self.partial)[1:], [(VIDEO, 40, b"a")])

    def test_nameTaken(self) -> None:
        """A file that has got the name meanwhile is not overwritten; ours keeps its ending."""
        self.file.write([(VIDEO, 40, b"a")])
        (self.root / NAME).write_text("precious")
        self.assertRaises(FileExistsError, self.file.finish)
        self.assertEqual((self.root / NAME).read_text(), "precious")
        self.assertEqual(self.file.place, NAME + PARTIAL)
        self.assertEqual(self.readMetadata(self.partial)["duration"], 0.04)

    def test_longPath(self) -> None:
        """A path of as many characters as is allowed, each four bytes: longer than any call takes, and finished."""
        path = "/".join(["\U0001f600" * 14] * 26)[:383]
        watch = DescriptorWatch(self)
        file = newFile(self.root, path)
        self.assertGreater(len(file.name), 4096)
        file.write([(VIDEO, 40, b"a")])
        file.finish()
        self.assertEqual(watch.open, [])
        found = [name for _, _, names, _ in os.fwalk(str(self.root)) for name in names]
        self.assertEqual(sorted(found), sorted([os.path.basename(NAME) + PARTIAL, os.path.basename(file.name)]))
        self.assertEqual(file.place, file.name)

    def test_place(self) -> None:
        """Where it is: with the ending at first, then without, and nowhere if nothing is in it."""
        for tags in ([], [(VIDEO, 0, b"a")]):
            file = newFile(self.root, "place")
            self.assertEqual(file.place, file.name + PARTIAL)
            file.write(tags)
            file.finish()
            self.assertEqual(file.place, file.name if tags else "")

    def test_fullDisk(self) -> None:
        """
        A disk that is full after any number of bytes: the file ends behind the last tag that is whole, and is finished
        with the duration of that.
        """
        batches = [[(VIDEO, 40 * number, bytes(number)) for number in range(start, start + 5)] for start in (1, 6)]
        first = newFile(self.root, "whole")
        for batch in batches:
            first.write(batch)
        whole = first.size
        first.finish()
        sizes = [len(encodeTag(*tag)) for batch in batches for tag in batch]
        starts = [whole - sum(sizes[index:]) for index in range(len(sizes) + 1)]
        for room in range(whole):
            file = newFile(self.root, f"full/{room}")
            with self.subTest(room=room):
                patch = self.patch(os, "pwrite", FullDisk(room))
                error = self.assertRaises(OSError, lambda file=file: [file.write(batch) for batch in batches])
                self.assertIn("No space left", str(error))
                expected = max([start for start in starts if start <= room], default=0)
                self.assertEqual(file.size, expected)
                self.assertEqual((self.root / (file.name + PARTIAL)).stat().st_size, expected)
                file.finish()
                if expected:
                    count = starts.index(expected)
                    tags = self.read(self.root / file.name)[1:]
                    self.assertEqual(tags, [tag for batch in batches for tag in batch][:count])
                    found = self.readMetadata(self.root / file.name)
                    self.assertEqual(found, {"duration": 0.04 * count, "filesize": float(expected)})
                patch.restore()

    def test_fullDiskNoTruncate(self) -> None:
        """If even the half tag can't be cut off, the first error is the one that is told."""

        def broken(file: int, size: int) -> None:
            raise OSError(5, "Input/output error")

        self.patch(os, "pwrite", FullDisk(500))
        self.patch(os, "ftruncate", broken)
        error = self.assertRaises(OSError, self.file.write, [(VIDEO, 0, bytes(1000))])
        self.assertIn("No space left", str(error))

    def test_sync(self) -> None:
        """What was written is forced to the disk about once a second, and at the end."""
        now = [100.0]
        synced: list[float] = []
        self.patch(flvfile, "monotonic", lambda: now[0])
        self.patch(os, "fdatasync", lambda file: synced.append(now[0]))
        file = newFile(self.root, "sync")
        for second in (100.0, 100.5, 101.0, 101.5, 101.8, 103.0):
            now[0] = second
            file.write([(VIDEO, 0, b"")])
        self.assertEqual(synced, [101.0, 103.0])
        file.finish()
        self.assertEqual(synced, [101.0, 103.0, 103.0])

    def test_syncBytes(self) -> None:
        """And earlier when much was written."""
        sizes: list[int] = []
        self.patch(flvfile, "SYNC_BYTES", 1000)
        self.patch(flvfile, "monotonic", lambda: self.file._synced)
        self.patch(os, "fdatasync", lambda file: sizes.append(self.file.size))
        for _ in range(10):
            self.file.write([(VIDEO, 0, bytes(485))])
        # Metadata and three tags, then two tags of 500 bytes each time.
        self.assertEqual([size - sizes[0] for size in sizes], [0, 1000, 2000, 3000, 4000])
        self.assertTrue(1000 <= sizes[0] < 1500, sizes)
