"""Tests for L{rtmptw.record.recorder}."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import cast

from twisted.internet.defer import Deferred, succeed
from zope.interface.verify import verifyObject

from rtmptw.interfaces import IStreamObserver
from rtmptw.live.livestream import Publication
from rtmptw.record import recorder as module
from rtmptw.record.hook import Hook, Recorded
from rtmptw.record.recorder import RECOVERY_LINES, Recorder
from rtmptw.record.recording import RETRY_SECONDS
from rtmptw.record.segment import SegmentRule
from rtmptw.record.template import NameTemplate
from tests.live.doubles import inter, key, pictureHeader
from tests.record.disk import DescriptorWatch, listing, readTags
from tests.record.recordcase import RecorderTestCase


class MemoryHook:
    """
    A hook that keeps what it is told.

    @ivar done: what it was told, and whether a crash had left that.
    @ivar calls: what else was asked of it.
    """

    def __init__(self) -> None:
        self.done: list[tuple[Recorded, bool]] = []
        self.finished: Deferred[None] = Deferred()
        self.calls: list[str] = []

    def add(self, recorded: Recorded, isOld: bool = False) -> None:
        """Keep it."""
        self.done.append((recorded, isOld))

    def finish(self) -> Deferred[None]:
        """Wait."""
        return self.finished

    def stop(self) -> None:
        """The server stops."""
        self.calls.append("stop")

    def abort(self) -> None:
        """It ends."""
        self.calls.append("abort")


class RecorderTests(RecorderTestCase):
    """What all recordings have in common."""

    def test_interfaces(self) -> None:
        """It is what it says."""
        verifyObject(IStreamObserver, self.recorder)

    def test_defaults(self) -> None:
        """A directory, a clock and a thread are enough."""
        recorder = Recorder(str(self.root), self.clock, self.thread.run)
        self.patch(os, "statvfs", lambda place: SimpleNamespace(f_bavail=1 << 40, f_blocks=1 << 40, f_frsize=1))
        self.hub.observers[:] = [recorder]
        publication = self.publish()
        publication.append(key(0))
        publication.end("")
        self.thread.finish()
        (path,) = self.files()
        self.assertRegex(path.name, r"^camera-20\d{6}T\d{6}\.\d{3}Z\.flv$")

    def test_template(self) -> None:
        """Files are called what the template says; the segments of a recording are counted."""
        self.useNoThread(template=NameTemplate("{app}/%Y/{name}-{start_ms}-{segment}"), rule=SegmentRule(seconds=10))
        publication = self.publish("live/../x")
        for second in (0, 5, 10, 20, 25):
            self.clock.advance(5)
            self.send(publication, key(second * 1000))
        publication.end("")
        names = [str(path.relative_to(self.root)) for path in self.files()]
        self.assertEqual(names, [f"live/2023/%2E.%2Fx-1700000000000-{number}.flv" for number in (1, 2, 3)])

    def test_template_failures(self) -> None:
        """Tries that fail are no segments."""
        self.useNoThread(template=NameTemplate("{name}-{segment}"))
        self.root.rename(self.root.parent / "away")
        publication = self.publish()
        for second in range(0, 30, 4):
            self.send(publication, key(second * 1000))
            self.clock.advance(4)
        (self.root.parent / "away").rename(self.root)
        self.send(publication, key(30_000))
        publication.end("")
        self.assertEqual(listing(self.root), ["camera-1.flv"])
        self.assertEqual(len(self.flushLoggedErrors(FileNotFoundError)), 1)


class NumberTests(RecorderTestCase):
    """How many recordings there may be."""

    def setUp(self) -> None:
        """Three of them, and no thread."""
        super().setUp()
        self.useNoThread(limits=self.limit(recordings=3))

    def begin(self, count: int) -> list[Publication]:
        """So many publishes."""
        publications = [self.publish(f"live/{number}") for number in range(count)]
        for publication in publications:
            self.send(publication, pictureHeader(), key(0))
        return publications

    def test_recordings(self) -> None:
        """C{recordings}: one less, and as many: all are recorded. One more: it waits, which is counted and logged."""
        for count, reached in ((2, 0), (3, 0), (4, 1)):
            publications = self.begin(count)
            self.assertEqual(len(self.files()), min(count, 3))
            self.assertEqual(self.reached.counts["recordings"], reached)
            self.assertEqual(len(self.logged("not recorded yet")), reached)
            # The one that waits first: nothing is to begin.
            for publication in reversed(publications):
                publication.end("")
            self.assertEqual((len(self.files()), self.recorder._recordings), (min(count, 3), {}))
            for path in self.files():
                path.unlink()
        self.assertEqual(len(self.logged("live/3: the publish has ended; its last 2 messages or so")), 1)

    def test_turn(self) -> None:
        """When one ends, the one that waits begins: with its next keyframe, behind its headers, at 0."""
        publications = self.begin(5)
        self.send(publications[3], inter(40))
        publications[1].end("")
        self.send(publications[3], inter(80))
        self.assertEqual(len(self.files()), 3)
        self.send(publications[3], key(120), inter(160))
        self.send(publications[4], key(120))
        self.assertEqual(len(self.files()), 4)
        self.assertEqual(self.logged("begins;"), ["live/3: the recording begins; 4 messages are missing"])
        publications[3].end("")
        self.send(publications[4], key(160))
        for publication in publications:
            publication.end("")
        self.assertFinished(*[".flv"] * 5)
        by = {path.name[0]: [(t.timestamp, t.payload) for t in readTags(path)[1:]] for path in self.files()}
        expected = [(0, pictureHeader().payload), (0, key().payload), (40, inter().payload)]
        self.assertEqual((by["3"], by["4"]), (expected, expected[:2]))
        self.assertEqual(self.reached.counts["recordings"], 2)

    def test_oneTurnOnly(self) -> None:
        """Each end makes room for one."""
        publications = self.begin(6)
        publications[0].end("")
        for publication in publications[3:]:
            self.send(publication, key(40))
        self.assertEqual(len(self.files()), 4)
        # It waits, and goes without a turn.
        publications[4].end("")
        self.send(publications[5], key(80))
        self.assertEqual(len(self.files()), 4)
        publications[3].end("")
        self.send(publications[5], key(120))
        self.assertEqual(len(self.files()), 5)
        self.successResultOf(self.recorder.finish())
        self.assertEqual(self.recorder._recordings, {})

    def test_stillFinishing(self) -> None:
        """One that has ended counts until it is on the disk."""
        self.useThread(limits=self.limit(recordings=1))
        one, other = self.publish("one"), self.publish("other")
        self.send(one, key(0))
        one.end("")
        self.send(other, key(0))
        self.thread.finish()
        self.send(other, key(40))
        other.end("")
        self.thread.finish()
        self.assertEqual([len(readTags(path)) for path in self.files()], [2, 2])

    def test_noSpace(self) -> None:
        """The one that has its turn on a full disk is broken like any other, and tries again."""
        publications = self.begin(4)
        self.patch(os, "statvfs", lambda place: SimpleNamespace(f_bavail=0, f_blocks=1, f_frsize=1))
        self.recorder._space._limits = self.limit(diskFreeBytes=1)
        publications[0].end("")
        self.send(publications[3], key(40))
        self.assertEqual(len(self.logged("live/3: recording stopped: 0 bytes of the disk are free")), 1)
        self.recorder._space._limits = self.limit()
        self.patch(os, "statvfs", lambda place: SimpleNamespace(f_bavail=1 << 30, f_blocks=1, f_frsize=1))
        self.clock.advance(RETRY_SECONDS)
        self.send(publications[3], key(80))
        self.assertEqual(len(self.files()), 4)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)


class HookTests(RecorderTestCase):
    """What is told to the hook."""

    def setUp(self) -> None:
        """A hook."""
        super().setUp()
        self.hook = MemoryHook()
        self.useNoThread(hook=cast(Hook, self.hook))

    def test_done(self) -> None:
        """Each file that is finished, by its absolute name; and the stream's path, encoded."""
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        os.chdir(self.root.parent)
        self.recorder = Recorder("recordings", self.clock, succeedRun, **self.options)
        self.hub.observers[:] = [self.recorder]
        publication = self.publish("-rf/a b")
        self.send(publication, key(0), inter(1500))
        self.assertEqual(self.hook.done, [])
        publication.end("")
        (path,) = self.files()
        self.assertEqual(self.hook.done, [(Recorded(str(path), "%2Drf/a%20b", 1.5, path.stat().st_size), False)])

    def test_segments(self) -> None:
        """A segment is told of when it ends."""
        self.useNoThread(rule=SegmentRule(seconds=10))
        publication = self.publish()
        self.send(publication, key(0))
        self.clock.advance(10)
        self.send(publication, key(10_000))
        self.assertEqual(len(self.hook.done), 1)
        publication.end("")
        self.assertEqual([recorded.file for recorded, _ in self.hook.done], [str(path) for path in self.files()])

    def test_notFinished(self) -> None:
        """A file that could not be finished is not told of; one that writing stopped in is."""
        publication = self.publish()
        self.send(publication, key(0))
        self.patch(os, "link", lambda *arguments, **options: (_ for _ in ()).throw(OSError(5, "Input/output error")))
        publication.end("")
        self.assertEqual((self.hook.done, len(self.flushLoggedErrors(OSError))), ([], 1))

    def test_stopped(self) -> None:
        """A file that writing stopped in is finished, and told of."""
        publication = self.publish()
        self.send(publication, key(0))
        patch = self.patch(os, "pwrite", refuseLarge)
        self.send(publication, inter(40, bytes(1000)))
        patch.restore()
        self.assertEqual(len(self.hook.done), 1)
        publication.end("")
        self.assertEqual((len(self.hook.done), len(self.flushLoggedErrors(OSError))), (1, 1))

    def test_finish(self) -> None:
        """C{finish} waits for the hook, after everything else."""
        publication = self.publish()
        self.send(publication, key(0))
        finished = self.recorder.finish()
        self.assertEqual(len(self.hook.done), 1)
        self.assertNoResult(finished)
        self.hook.finished.callback(None)
        self.successResultOf(finished)

    def test_end(self) -> None:
        """The hook is told that the server stops, and that it ends; without one, nobody is."""
        self.publish()
        self.assertEqual(len(self.recorder), 1)
        self.recorder.stopping()
        self.recorder.abort()
        self.assertEqual(self.hook.calls, ["stop", "abort"])
        self.useNoThread(hook=None)
        self.recorder.stopping()
        self.recorder.abort()


class StartTests(RecorderTestCase):
    """What is done at the start."""

    def leave(self, *names: str) -> None:
        """Leave files, as a killed process does."""
        publication = self.publish()
        self.send(publication, key(0), inter(1500))
        self.thread.finish()
        (path,) = self.files()
        content = path.read_bytes()
        publication.end("")
        self.thread.finish()
        for finished in self.files():
            finished.unlink()
        for name in names:
            (self.root / name).write_bytes(content)

    def test_recovery(self) -> None:
        """What a crash has left is finished in the thread, each with a line, and the hook is told."""
        hook = MemoryHook()
        self.useThread(hook=cast(Hook, hook))
        name = "live/camera-20240102T030405.678Z.flv"
        self.leave(f"{name}.part", "x.flv.part")
        hook.done.clear()
        (self.root / "strange\x1b.part").write_text("x")
        (self.root / "empty.part").write_text("")
        self.recorder.start()
        self.assertEqual(len(self.thread.waiting), 2)
        self.thread.finish()
        self.assertEqual(self.recorder.recovered, 2)
        self.assertEqual(
            sorted(hook.done),
            [
                (Recorded(str(self.root / name), "live/camera", 1.5, (self.root / name).stat().st_size), True),
                (Recorded(str(self.root / "x.flv"), "", 1.5, (self.root / name).stat().st_size), True),
            ],
        )
        lines = self.logged(".part: ")
        self.assertEqual(
            sorted(lines),
            [
                "empty.part: removed: there was nothing in it",
                f"{name}.part: finished as {name}, 1.500 s",
                "strange\\x1b.part: left alone: it is no recording of ours",
                "x.flv.part: finished as x.flv, 1.500 s",
            ],
        )

    def test_many(self) -> None:
        """Many files: not all in one go, and not all with a line of their own."""
        self.patch(module, "RECOVERY_FILES", 7)
        self.leave(*[f"{number}.flv.part" for number in range(RECOVERY_LINES + 10)])
        self.recorder.start()
        self.thread.step()
        done = []
        while self.thread.waiting:
            self.thread.step()
            done.append(self.recorder.recovered)
        self.assertEqual(done, [7, 14, 21, 28, 30, 30])
        self.assertEqual(len(self.logged(": finished as ")), RECOVERY_LINES)
        self.assertEqual(self.logged("more such"), ["and 10 more such files"])

    def test_slow(self) -> None:
        """When files take their time, others have the thread in between."""
        self.patch(module, "RECOVERY_SECONDS", 0.0)
        self.leave("a.part", "b.part")
        self.recorder.start()
        self.thread.step()
        self.thread.step()
        self.assertEqual(self.recorder.recovered, 1)
        self.thread.finish()
        self.assertEqual(self.recorder.recovered, 2)

    def test_stop(self) -> None:
        """If the server stops meanwhile, the rest is left for the next time, and nothing stays open."""
        self.patch(module, "RECOVERY_FILES", 1)
        self.leave("a.part", "b.part", "c.part")
        watch = DescriptorWatch(self)
        self.recorder.start()
        self.thread.step()
        self.thread.step()
        finished = self.recorder.finish()
        self.assertNoResult(finished)
        self.thread.finish()
        self.successResultOf(finished)
        self.assertEqual((self.recorder.recovered, watch.open), (2, []))
        self.assertEqual(len([name for name in listing(self.root) if name.endswith(".part")]), 1)

    def test_running(self) -> None:
        """A recording that has begun already is left alone."""
        publication = self.publish()
        self.send(publication, key(0))
        self.thread.finish()
        self.recorder.start()
        self.thread.finish()
        self.send(publication, key(40))
        publication.end("")
        self.thread.finish()
        self.assertFinished(".flv")
        self.assertEqual((len(self.tags()), self.recorder.recovered), (2, 0))

    def test_noDirectory(self) -> None:
        """A directory that is gone is logged, and nothing else happens."""
        self.root.rmdir()
        self.recorder.start()
        self.thread.finish()
        self.assertEqual(len(self.logged("what a crash has left can't be finished")), 1)
        (line,) = self.logged("nothing can be recorded now")
        self.assertIn("No such file", line)
        self.assertNotIn("--limit", line)
        self.assertEqual(len(self.flushLoggedErrors(FileNotFoundError)), 1)
        self.successResultOf(self.recorder.finish())

    def test_full(self) -> None:
        """A disk that is too full already is told at once, with what can be done about it."""
        self.patch(os, "statvfs", lambda place: SimpleNamespace(f_bavail=300, f_blocks=1000, f_frsize=1 << 20))
        self.useThread(limits=self.limit(diskFreeBytes=1 << 30))
        self.recorder.start()
        self.thread.finish()
        self.assertEqual(
            self.logged("nothing can be recorded now"),
            [
                f"{self.root}: nothing can be recorded now: "
                "300.0 MiB of the disk are free, and 1.0 GiB are to be left; "
                "--limit disk-free-bytes=N and --limit disk-free-percent=N say how much is to be left"
            ],
        )


def succeedRun(work):  # type: ignore[no-untyped-def]
    """Do it at once."""
    return succeed(work())


def refuseLarge(file: int, data: bytes, position: int) -> int:
    """A disk that is full but for the numbers in the front."""
    if len(data) > 100:
        raise OSError(28, "No space left on device")
    return len(data)
