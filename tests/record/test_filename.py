"""Tests for L{rtmptw.record.filename}."""

from __future__ import annotations

import errno
import fcntl
import os
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import StatusError
from rtmptw.record import filename as module
from rtmptw.record.filename import MAX_PART, PARTIAL, createFile, lock, safeName
from rtmptw.record.template import NameTemplate
from rtmptw.session.streampath import streamPath
from tests.record.disk import DescriptorWatch, listing, makeDirectory

BEGAN = datetime(2024, 2, 29, 23, 5, 6, 70_999, UTC)
STAMP = "20240229T230506.070Z"

#: What somebody may try (hostile row D6), and the file that it becomes.
HOSTILE = [
    ("live/camera", f"live/camera-{STAMP}.flv"),
    ("..", f"%2E.-{STAMP}.flv"),
    ("../../etc/passwd", f"%2E./%2E./etc/passwd-{STAMP}.flv"),
    ("live/..", f"live/%2E.-{STAMP}.flv"),
    (".", f"%2E-{STAMP}.flv"),
    ("live/.", f"live/%2E-{STAMP}.flv"),
    (".hidden/.htaccess", f"%2Ehidden/%2Ehtaccess-{STAMP}.flv"),
    ("a.b.", f"a.b.-{STAMP}.flv"),
    ("live/%2e%2e", f"live/%252e%252e-{STAMP}.flv"),
    ("live/..%2f..%2fx", f"live/%2E.%252f..%252fx-{STAMP}.flv"),
    ("..\\..\\windows", f"%2E.%5C..%5Cwindows-{STAMP}.flv"),
    ("C:\\x", f"C%3A%5Cx-{STAMP}.flv"),
    ("live/a\0b", f"live/a%00b-{STAMP}.flv"),
    ("live/a\nb\r\x1b[2J", f"live/a%0Ab%0D%1B%5B2J-{STAMP}.flv"),
    ("live/-rf *", f"live/-rf%20%2A-{STAMP}.flv"),
    ("live/$(id)`id`;|&'\"", f"live/%24%28id%29%60id%60%3B%7C%26%27%22-{STAMP}.flv"),
    ("live/~root", f"live/~root-{STAMP}.flv"),
    ("live/caf\xe9\u202e", f"live/caf%C3%A9%E2%80%AE-{STAMP}.flv"),
    ("live/\udcff", f"live/%FF-{STAMP}.flv"),
    ("live/con", f"live/con-{STAMP}.flv"),
]


def stem(path: str) -> str:
    """The usual name for a stream's recording."""
    return NameTemplate().name(path, BEGAN, BEGAN, 1)


class SafeNameTests(SynchronousTestCase):
    """Names for parts of paths."""

    def test_plain(self) -> None:
        """An ordinary name stays what it is."""
        for part in ("camera", "Camera_2", "a-b~c", "x.flv", "a..b"):
            self.assertEqual(safeName(part), part)

    def test_long(self) -> None:
        """A long name is cut, and still its own."""
        parts = ["x" * 179, "x" * 180, "x" * 300, "x" * 301, "x" * 299 + "y", "\u20ac" * 300]
        names = [safeName(part) for part in parts]
        self.assertEqual(names[0], parts[0])
        self.assertEqual(len(set(names)), len(parts))
        self.assertEqual({len(name) for name in names[1:]}, {MAX_PART})
        self.assertNotIn(safeName(names[2]), names)

    def test_room(self) -> None:
        """The longest name has room for all that is added: file systems take 255 bytes."""
        self.assertLess(len(f"{'x' * MAX_PART}-{STAMP}-99.flv{PARTIAL}"), 255)

    @settings(deadline=None, max_examples=200)
    @given(st.text(min_size=1, max_size=300), st.text(min_size=1, max_size=300))
    def test_every(self, one: str, other: str) -> None:
        """Whatever the part: a short name of harmless characters, not hidden, and another for another part."""
        name = safeName(one)
        self.assertRegex(name, r"\A[A-Za-z0-9_~%-][A-Za-z0-9_.~%-]*\Z")
        self.assertLessEqual(len(name), MAX_PART)
        self.assertEqual(name == safeName(other), one == other)


class CreateFileTests(SynchronousTestCase):
    """Files, in real directories."""

    def setUp(self) -> None:
        """A directory for recordings, in an empty one."""
        self.root = makeDirectory(self)

    def create(self, path: str) -> str:
        """Create a file, and write its name into it."""
        return self.createNamed(stem(path))

    def createNamed(self, name: str) -> str:
        """The same, by its name."""
        new = createFile(str(self.root), name, ".flv")
        try:
            os.write(new.file, new.name.encode())
        finally:
            new.close()
        return new.name

    def assertNothingOutside(self) -> None:
        """Assert that there is nothing beside the directory of recordings."""
        self.assertEqual(os.listdir(self.root.parent), ["recordings"])

    def test_D6_hostile(self) -> None:
        """Hostile row D6: whatever the path, exactly the file that it should be, and none outside."""
        for path, expected in HOSTILE:
            self.assertEqual(self.create(path), expected)
            self.assertEqual((self.root / (expected + PARTIAL)).read_text(), expected)
        directories = {os.path.dirname(name) for _, name in HOSTILE} - {""} | {"%2E.", "%2E./%2E."}
        self.assertEqual(listing(self.root), sorted(directories | {name + PARTIAL for _, name in HOSTILE}))
        self.assertNothingOutside()

    def test_D6_absolute(self) -> None:
        """
        A path that begins with a slash, or has nothing between two, is no stream's path, and no name; the template
        makes one of it all the same.
        """
        for path in ("/etc/passwd", "live//x"):
            self.assertRaises(OSError, self.createNamed, path)
            self.assertNotIn(path, (streamPath("", path), streamPath("live", path)))
        self.assertEqual(self.create("/etc/passwd"), f"etc/passwd-{STAMP}.flv")
        for name in ("..", "a/../b", ".", "a/", ""):
            error = self.assertRaises(OSError, self.createNamed, name)
            self.assertEqual(error.errno, errno.EINVAL)
        self.assertNothingOutside()

    def test_D6_refusedBefore(self) -> None:
        """Dots alone and NUL do not get this far."""
        for name in ("..", ".", "a/../b", "a\0b"):
            self.assertRaises(StatusError, streamPath, "live", name)

    def test_D6_long(self) -> None:
        """300 characters, and 300 that take three bytes each, and many parts."""
        names = [self.create(path) for path in ("x" * 300, "live/" + "\u20ac" * 300, "/".join(["y" * 100] * 10))]
        self.assertEqual(len(names[2].split("/")), 10)
        for name in names:
            self.assertTrue((self.root / (name + PARTIAL)).is_file())
        self.assertNothingOutside()

    def test_D6_linkedDirectory(self) -> None:
        """A link in the place of a directory is not followed, wherever it leads."""
        inside = self.root / "inside"
        inside.mkdir()
        for target in (self.root.parent, inside, self.root / "nowhere"):
            (self.root / "live").symlink_to(target)
            self.assertRaises(OSError, self.create, "live/camera")
            (self.root / "live").unlink()
        self.assertEqual(listing(self.root), ["inside"])
        self.assertNothingOutside()

    def test_D6_linkedInnerDirectory(self) -> None:
        """Nor is one further down."""
        (self.root / "live").mkdir()
        (self.root / "live" / "deep").symlink_to(self.root.parent)
        self.assertRaises(OSError, self.create, "live/deep/camera")
        self.assertNothingOutside()

    def test_D6_linkedFile(self) -> None:
        """A link in the place of the file, or of the finished file, is neither followed nor replaced."""
        outside = self.root.parent / "precious"
        outside.write_text("precious")
        expected = f"camera-{STAMP}.flv"
        (self.root / (expected + PARTIAL)).symlink_to(outside)
        (self.root / f"camera-{STAMP}-1.flv").symlink_to(self.root.parent / "nowhere")
        self.assertEqual(self.create("camera"), f"camera-{STAMP}-2.flv")
        self.assertEqual(outside.read_text(), "precious")
        self.assertEqual(sorted(os.listdir(self.root.parent)), ["precious", "recordings"])

    def test_fileAsDirectory(self) -> None:
        """A file in the place of a directory is refused, and stays."""
        (self.root / "live").write_text("precious")
        self.assertRaises(OSError, self.create, "live/camera")
        self.assertEqual((self.root / "live").read_text(), "precious")

    def test_collisions(self) -> None:
        """The same stream at the same millisecond: a hundred names, then random ones; nothing is overwritten."""
        names = [self.create("camera") for _ in range(50)]
        for name in names:
            os.rename(self.root / (name + PARTIAL), self.root / name)
        names += [self.create("camera") for _ in range(50)]
        self.assertEqual(names, [f"camera-{STAMP}.flv", *(f"camera-{STAMP}-{number}.flv" for number in range(1, 100))])
        for number, name in enumerate(names):
            self.assertEqual((self.root / (name if number < 50 else name + PARTIAL)).read_text(), name)
        last = {self.create("camera") for _ in range(3)}
        self.assertEqual(len(last), 3)
        for name in last:
            self.assertRegex(name, rf"^camera-{STAMP}-[0-9a-f]{{16}}\.flv$")

    def test_allTaken(self) -> None:
        """Even the random name is taken: that is an error, and nothing is overwritten."""
        self.patch(module, "MAX_NUMBER", 2)
        self.patch(module.secrets, "token_hex", lambda size: "0" * 2 * size)
        names = [self.create("camera") for _ in range(3)]
        self.assertRaises(FileExistsError, self.create, "camera")
        self.assertEqual(listing(self.root), sorted(name + PARTIAL for name in names))

    def test_race(self) -> None:
        """Another process that creates the file in the last moment keeps it."""
        stat = os.stat

        def slowStat(name: str, **options: object) -> os.stat_result:
            try:
                return stat(name, **options)  # type: ignore[arg-type]
            finally:
                (self.root / f"camera-{STAMP}.flv{PARTIAL}").write_text("precious")

        self.patch(os, "stat", slowStat)
        self.assertEqual(self.create("camera"), f"camera-{STAMP}-1.flv")
        self.assertEqual((self.root / f"camera-{STAMP}.flv{PARTIAL}").read_text(), "precious")

    def test_locked(self) -> None:
        """A file is locked as long as it is written."""
        new = createFile(str(self.root), "camera", ".flv")
        with (self.root / "camera.flv.part").open() as other:
            self.assertIs(lock(other.fileno()), False)
            new.close()
            self.assertIs(lock(other.fileno()), True)

    def test_cleanedUp(self) -> None:
        """Who cleans up may have locked or removed the file in the moment when it was made: then it is another one."""
        for remove in (False, True):
            held: list[int] = []
            flock = fcntl.flock

            def late(file: int, mode: int, remove: bool = remove, held: list[int] = held, flock: Any = flock) -> None:
                if not held:
                    (name,) = [name for name in os.listdir(self.root) if name.startswith(f"x{remove}")]
                    held.append(os.open(self.root / name, os.O_RDONLY))
                    flock(held[0], mode)
                    if remove:
                        os.unlink(self.root / name)
                        flock(held[0], fcntl.LOCK_UN)
                flock(file, mode)

            watch = DescriptorWatch(self)
            patch = self.patch(fcntl, "flock", late)
            self.assertEqual(self.createNamed(f"x{remove}"), f"x{remove}-1.flv")
            patch.restore()
            self.assertEqual(watch.open, held)
            os.close(held[0])

    def test_lockErrors(self) -> None:
        """A file system without locks does without; any other error is one, and nothing stays open."""
        for number, works in ((errno.ENOLCK, True), (errno.EOPNOTSUPP, True), (errno.EIO, False)):

            def fail(file: int, mode: int, number: int = number) -> None:
                raise OSError(number, os.strerror(number))

            patch = self.patch(fcntl, "flock", fail)
            watch = DescriptorWatch(self)
            if works:
                self.createNamed(f"x{number}")
            else:
                self.assertRaises(OSError, self.createNamed, f"x{number}")
            self.assertEqual(watch.open, [])
            patch.restore()

    def test_syncErrors(self) -> None:
        """A file system whose directories can't be forced to the disk does without; any other error is one."""
        for number, works in ((errno.EINVAL, True), (errno.EIO, False)):

            def fail(directory: int, number: int = number) -> None:
                raise OSError(number, os.strerror(number))

            patch = self.patch(os, "fsync", fail)
            if works:
                self.createNamed(f"new{number}/x")
            else:
                self.assertRaises(OSError, self.createNamed, f"new{number}/x")
            patch.restore()

    def test_noRoot(self) -> None:
        """The directory of all recordings is not made."""
        self.root.rmdir()
        self.assertRaises(FileNotFoundError, self.create, "live/camera")
        self.assertEqual(os.listdir(self.root.parent), [])

    def test_descriptors(self) -> None:
        """No directory stays open, whether it went well or not."""
        watch = DescriptorWatch(self)
        self.create("a/b/c")
        (self.root / "link").symlink_to(self.root)
        for path in ("link/x", "a/b//c"):
            self.assertRaises(OSError, self.createNamed, path)
        self.patch(module, "MAX_NUMBER", 3)
        self.patch(module.secrets, "token_hex", lambda size: "0" * 2 * size)
        for _ in range(4):
            self.create("d")
        self.assertRaises(FileExistsError, self.create, "d")
        self.assertEqual(watch.open, [])

    def test_closeFails(self) -> None:
        """Both descriptors are closed if closing the first one fails."""
        watch = DescriptorWatch(self)
        new = createFile(str(self.root), stem("live/camera"), ".flv")
        self.assertEqual(len(watch.open), 2)
        watch.failing = new.file
        self.assertRaises(OSError, new.close)
        self.assertEqual(watch.open, [])

    def test_modes(self) -> None:
        """Recordings are not for everybody."""
        name = self.create("live/camera")
        self.assertEqual((self.root / (name + PARTIAL)).stat().st_mode & 0o007, 0)
        self.assertEqual((self.root / "live").stat().st_mode & 0o007, 0)


class NewFileTests(SynchronousTestCase):
    """How a file gets its name."""

    def setUp(self) -> None:
        """A file with a few bytes in it."""
        self.root = makeDirectory(self)
        self.watch = DescriptorWatch(self)
        self.new = createFile(str(self.root), stem("live/camera"), ".flv")
        os.write(self.new.file, b"ours")
        self.path = self.root / f"live/camera-{STAMP}.flv"
        self.partial = self.root / f"live/camera-{STAMP}.flv{PARTIAL}"
        self.addCleanup(self.closeOnce)

    def closeOnce(self) -> None:
        """Close its descriptors; nobody has done so before."""
        self.assertEqual(len(self.watch.open), 2)
        self.new.close()
        self.assertEqual(self.watch.open, [])

    def useNoLinks(self, number: int) -> None:
        """Have a file system without links."""

        def refuse(*arguments: object, **options: object) -> None:
            raise OSError(number, os.strerror(number))

        self.patch(os, "link", refuse)

    def test_keep(self) -> None:
        """It has the name, and no other."""
        self.new.keep()
        self.assertEqual(listing(self.root), ["live", self.new.name])
        self.assertEqual(self.path.read_text(), "ours")

    def test_remove(self) -> None:
        """It is gone."""
        self.new.remove()
        self.assertEqual(listing(self.root), ["live"])

    def test_noLinks(self) -> None:
        """A file system without links: the same."""
        for number in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
            with self.subTest(number=number):
                self.useNoLinks(number)
                self.new.keep()
                self.assertEqual(listing(self.root), ["live", self.new.name])
                self.path.rename(self.partial)

    def test_nothingOverwritten(self) -> None:
        """A file or a link that has got the name meanwhile stays as it is, and so does ours, also without links."""
        precious = self.root.parent / "precious"
        precious.write_text("precious")
        for make in (lambda: self.path.write_text("theirs"), lambda: self.path.symlink_to(precious)):
            make()
            before = self.path.read_text()
            for number in (0, errno.EPERM):
                with self.subTest(before=before, number=number):
                    if number:
                        self.useNoLinks(number)
                    self.assertRaises(FileExistsError, self.new.keep)
                    self.assertEqual((self.path.read_text(), self.partial.read_text()), (before, "ours"))
            self.path.unlink()
        self.assertEqual(precious.read_text(), "precious")

    def test_otherErrors(self) -> None:
        """An error that has nothing to do with links is raised."""
        self.useNoLinks(errno.EIO)
        error = self.assertRaises(OSError, self.new.keep)
        self.assertEqual(error.errno, errno.EIO)
        self.assertEqual(self.partial.read_text(), "ours")

    def test_D6_directorySwapped(self) -> None:
        """A link that was put in the place of the directory meanwhile is not followed."""
        outside = self.root.parent / "outside"
        outside.mkdir()
        for method, left in ((self.new.keep, [self.path.name]), (self.new.remove, [])):
            (self.root / "live").rename(self.root / "moved")
            (self.root / "live").symlink_to(outside)
            victim = outside / self.partial.name
            victim.write_text("precious")
            method()
            self.assertEqual((os.listdir(outside), victim.read_text()), ([victim.name], "precious"))
            self.assertEqual(os.listdir(self.root / "moved"), left)
            (self.root / "live").unlink()
            (self.root / "moved").rename(self.root / "live")
            if left:
                self.path.rename(self.partial)
