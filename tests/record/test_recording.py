"""Tests for L{rtmptw.record.recording}."""

from __future__ import annotations

import errno
import os
import shutil

from zope.interface.verify import verifyObject

from rtmptw.interfaces import ISubscriber
from rtmptw.record import recording as module
from rtmptw.record.recording import RETRY_SECONDS
from tests.live.doubles import (
    MemoryOutlet,
    MemoryPublisher,
    MemorySubscriber,
    inter,
    key,
    metadata,
    pictureHeader,
    sound,
    soundHeader,
    video,
)
from tests.record.disk import DescriptorWatch, FullDisk, listing, readTags
from tests.record.recordcase import BEGINNING, BODY, DATA, SMALL_HIGH_WATER, SMALL_LOW_WATER, RecorderTestCase

STALL_SECONDS = 5.0


class RecordingTests(RecorderTestCase):
    """From publish to file."""

    def test_interfaces(self) -> None:
        """It is what it says."""
        self.publish()
        (recording,) = self.recorder._recordings
        verifyObject(ISubscriber, recording)

    def test_atOnce(self) -> None:
        """If the work is done at once, the file has everything after every message."""
        self.useNoThread()
        publication = self.publish()
        sent = [*BEGINNING, key(0), sound(21), inter(40), video("", 50), metadata(60, other=True)]
        for count, message in enumerate(sent, 1):
            publication.append(message)
            self.assertEqual(self.tags(), [(m.type, m.timestamp, m.payload) for m in sent[1:count]])
        publication.end("")
        self.assertFinished(".flv")
        self.assertEqual(self.duration(), 0.05)

    def test_82_byThread(self) -> None:
        """
        Conformance 82: everything is recorded in order, payloads unchanged, whenever the thread gets to it; what
        gathers meanwhile is one piece of work.
        """
        sent = [make(40 * index) for index in range(100) for make in (key, sound, inter)]
        for pace in (1, 7, 1000):
            publication = self.publish(f"pace/{pace}")
            for index, message in enumerate(sent, 1):
                publication.append(message)
                self.assertEqual(len(self.thread.waiting), 1)
                if index % pace == 0:
                    self.thread.step()
                    if not self.thread.waiting:
                        continue
            publication.end("")
            self.thread.finish()
            (path,) = [path for path in self.files() if f"{pace}-" in path.name]
            tags = [(tag.type, tag.timestamp, tag.payload) for tag in readTags(path)[1:]]
            self.assertEqual(tags, [(m.type, m.timestamp, m.payload) for m in sent])
        self.assertEqual(self.recorder._recordings, {})

    def test_batches(self) -> None:
        """The first message is in work at once, all the others that come meanwhile are the next work."""
        publication = self.publish()
        for message in (key(0), inter(40), inter(80)):
            publication.append(message)
        self.thread.step()
        self.assertEqual(len(self.tags()), 1)
        publication.append(inter(120))
        self.thread.step()
        self.assertEqual(len(self.tags()), 3)
        publication.end("")
        self.thread.step()
        self.assertEqual(len(self.tags()), 4)
        self.thread.step()
        self.assertFinished(".flv")

    def test_endWhileWriting(self) -> None:
        """The publisher ends while a write is in flight: what came behind it is written too."""
        publication = self.publish()
        publication.append(key(0))
        publication.append(inter(40))
        publication.end("")
        self.assertEqual(len(self.thread.waiting), 1)
        self.thread.finish()
        self.assertFinished(".flv")
        self.assertEqual([time for _, time, _ in self.tags()], [0, 40])

    def test_endWithoutWriting(self) -> None:
        """The publisher ends when everything is written: there is still the end of the file to be written."""
        publication = self.publish()
        publication.append(key(0))
        self.thread.finish()
        publication.end("")
        self.thread.finish()
        self.assertFinished(".flv")
        self.assertEqual(
            self.logged("recorded as"), [f"live/camera: recorded as {self.files()[0].relative_to(self.root)}"]
        )

    def test_empty(self) -> None:
        """A publish that brings nothing leaves no file, and no directory."""
        self.publish().end("")
        self.thread.finish()
        self.assertFinished()
        self.assertEqual(listing(self.root), [])
        self.assertEqual(self.logged("recorded"), ["live/camera: nothing was recorded, because nothing was published"])

    def test_every(self) -> None:
        """Each publish has its own file, also of the same name."""
        self.useNoThread()
        for path in ("live/a", "live/b", "live/a", "live/a", "b"):
            publication = self.publish(path)
            publication.append(key(0))
            publication.end("")
        self.assertEqual(sorted(path.parent.name for path in self.files()), ["live"] * 4 + ["recordings"])

    def test_together(self) -> None:
        """Two publishes at a time do not mix."""
        one, other = self.publish("one"), self.publish("other")
        for number in range(10):
            one.append(key(number, b"one"))
            other.append(key(number, b"other"))
        one.end("")
        other.end("")
        self.thread.finish()
        for path, body in zip(self.files(), (b"one", b"other"), strict=True):
            self.assertEqual({tag.payload[5:] for tag in readTags(path)[1:]}, {body})
            self.assertEqual(len(readTags(path)), 11)

    def test_finish(self) -> None:
        """C{finish} waits for what is still to be written."""
        publication = self.publish()
        publication.append(key(0))
        publication.end("")
        finished = self.recorder.finish()
        self.assertNoResult(finished)
        self.thread.finish()
        self.successResultOf(finished)
        self.assertFinished(".flv")

    def test_finishEnds(self) -> None:
        """C{finish} stops recordings whose publisher goes on; what has come is in the file."""
        publication = self.publish()
        publication.append(key(0))
        publication.append(inter(40))
        finished = self.recorder.finish()
        self.assertNoResult(finished)
        publication.append(inter(80))
        self.thread.finish()
        self.successResultOf(finished)
        self.assertFinished(".flv")
        self.assertEqual([time for _, time, _ in self.tags()], [0, 40])
        publication.end("")
        self.assertFinished(".flv")

    def test_finishAtOnce(self) -> None:
        """Without a thread, C{finish} has finished."""
        self.useNoThread()
        publications = [self.publish(f"live/{number}") for number in range(3)]
        for publication in publications:
            publication.append(key(0))
        self.successResultOf(self.recorder.finish())
        self.assertEqual(self.recorder._recordings, {})

    def test_finishNothing(self) -> None:
        """With nothing to wait for, it has finished at once."""
        self.successResultOf(self.recorder.finish())

    def test_late(self) -> None:
        """A recording that begins in the middle of a stream has the headers and the newest keyframe first."""
        self.hub.observers.clear()
        publication = self.publish()
        self.send(publication, *BEGINNING, key(0), inter(40), key(5000), inter(5040))
        self.recorder.publishStarted(next(iter(self.hub)))
        self.send(publication, inter(5080))
        publication.end("")
        self.thread.finish()
        self.assertEqual(
            [(time, payload[:1].hex()) for _, time, payload in self.tags()],
            [(1000, "17"), (1000, "af"), (1000, "17"), (1040, "27"), (1080, "27")],
        )


class DiskTests(RecorderTestCase):
    """Slow disks and full ones."""

    def setUp(self) -> None:
        """Little is much."""
        super().setUp()
        self.assertEqual(SMALL_LOW_WATER, SMALL_HIGH_WATER * module.LOW_WATER)
        self.useThread(limits=self.limit(recordingQueueBytes=SMALL_HIGH_WATER, diskStallSeconds=STALL_SECONDS))

    def test_water(self) -> None:
        """Above the high water mark the publisher is held, below the low one it is read again, and nothing is lost."""
        publication = self.publish()
        publication.append(key(0))
        sent = self.fill(publication, SMALL_HIGH_WATER - 3 * len(BODY))
        self.assertEqual(self.publisher.calls, [])
        sent += self.fill(publication, 2 * len(BODY), start=len(sent) + 1)
        self.assertEqual(self.publisher.calls, ["pause"])
        self.thread.step()
        self.assertEqual(self.publisher.calls, ["pause"])
        self.thread.step()
        self.assertEqual(self.publisher.calls, ["pause", "resume"])
        publication.end("")
        self.thread.finish()
        self.assertEqual([tag[1:] for tag in self.tags()], [(m.timestamp, m.payload) for m in [key(0), *sent]])
        self.clock.advance(60)
        self.assertEqual(self.logged("gap"), [])

    def test_lowWater(self) -> None:
        """What is in flight counts: it is not on the disk yet."""
        publication = self.publish()
        self.fill(publication, SMALL_LOW_WATER)
        self.fill(publication, SMALL_HIGH_WATER - SMALL_LOW_WATER)
        self.assertTrue(self.publisher.paused)
        self.thread.step()
        self.assertTrue(self.publisher.paused)
        self.thread.step()
        self.assertFalse(self.publisher.paused)

    def test_pieces(self) -> None:
        """The thread is given no more than a piece at a time; a larger message is a piece by itself."""
        self.patch(module, "PIECE", 3 * (len(BODY) + module.MESSAGE_COST + 5))
        publication = self.publish()
        self.send(publication, key(0), *(inter(index, BODY) for index in range(1, 8)))
        self.send(publication, inter(8, bytes(5 * len(BODY))), inter(9))
        publication.end("")
        counts = []
        while self.thread.waiting:
            self.thread.step()
            counts.append(len(self.tags()))
        self.assertEqual(counts, [1, 4, 7, 8, 9, 10])
        self.assertFinished(".flv")

    def test_slowButSteady(self) -> None:
        """
        A disk that is slow but gets on loses nothing, however long it takes: the publisher is held and released again
        and again.
        """
        self.patch(module, "PIECE", SMALL_HIGH_WATER // 16)
        publication = self.publish()
        sent = [key(0)]
        publication.append(sent[0])
        began = self.clock.seconds()
        while len(sent) < 100:
            while not self.publisher.paused and len(sent) < 100:
                sent.append(inter(len(sent), BODY))
                publication.append(sent[-1])
            self.clock.advance(STALL_SECONDS - 0.1)
            self.thread.step()
        publication.end("")
        self.thread.finish()
        self.assertFinished(".flv")
        self.assertGreater(self.clock.seconds() - began, 20 * STALL_SECONDS)
        self.assertGreater(self.publisher.calls.count("resume"), 3)
        self.assertEqual([tag[1:] for tag in self.tags()], [(m.timestamp, m.payload) for m in sent])
        self.assertEqual((self.logged("gap"), self.clock.getDelayedCalls()), ([], []))

    def test_stallAfterProgress(self) -> None:
        """A disk that gets on for a while, and then stands still: the time counts from the last finished piece."""
        self.patch(module, "PIECE", SMALL_HIGH_WATER // 16)
        publication = self.publish()
        self.send(publication, key(0))
        self.fill(publication)
        for _ in range(4):
            self.clock.advance(STALL_SECONDS - 1)
            self.thread.step()
        self.clock.advance(STALL_SECONDS - 0.1)
        self.assertEqual((self.publisher.paused, self.logged("gap")), (True, []))
        self.clock.advance(0.1)
        self.assertEqual((self.publisher.paused, len(self.logged("gap"))), (False, 1))
        self.thread.finish()
        self.send(publication, key(9000))
        publication.end("")
        self.thread.finish()
        self.assertEqual(self.tags()[-1], (9, 9000, key().payload))

    def test_waitingAfterGap(self) -> None:
        """What a gap ends with counts as waiting, and no more than that is taken off when it is written."""
        publication = self.publish()
        (recording,) = self.recorder._recordings
        self.send(publication, *BEGINNING, key(0))
        self.fill(publication)
        self.clock.advance(STALL_SECONDS)
        self.thread.finish()
        self.send(publication, key(9000))
        self.assertGreater(recording._waiting, 4 * module.MESSAGE_COST)
        self.thread.finish()
        self.assertEqual(recording._waiting, 0)

    def test_manyEmptyMessages(self) -> None:
        """Messages without a body fill the water as well: what they cost here is not nothing."""
        self.useThread(limits=self.limit(recordingQueueBytes=1000 * module.MESSAGE_COST))
        publication = self.publish()
        for _ in range(1000):
            publication.append(video(""))
        self.assertEqual(self.publisher.calls, [])
        publication.append(video(""))
        self.assertEqual(self.publisher.calls, ["pause"])

    def test_stall(self) -> None:
        """
        A disk that takes nothing for seconds: the publisher goes on, what comes is left out, and when the disk is back,
        the file goes on at a keyframe, headers first.
        """
        outlet = MemoryOutlet()
        self.play(outlet)
        publication = self.publish()
        self.send(publication, *BEGINNING, key(1))
        before = self.fill(publication, start=2)
        self.clock.advance(STALL_SECONDS - 0.1)
        self.assertTrue(self.publisher.paused)
        self.assertEqual(self.logged("gap"), [])
        self.clock.advance(0.1)
        self.assertFalse(self.publisher.paused)
        self.assertEqual(self.logged("gap"), ["live/camera: the disk is too slow; the recording has a gap"])
        outlet.take()
        missed = [key(6000), inter(6040), sound(6041)]
        self.send(publication, *missed)
        self.assertContent(outlet.take(), *missed)
        self.thread.finish()
        self.send(publication, inter(6080), sound(6081))
        self.assertEqual(self.thread.waiting, [])
        self.send(publication, key(7000), inter(7040))
        publication.end("")
        self.thread.finish()
        self.assertFinished(".flv")
        self.assertEqual(
            [(time, payload) for type, time, payload in self.tags() if type != DATA],
            [
                *((m.timestamp, m.payload) for m in [*BEGINNING[1:], key(1), *before]),
                *((7000, m.payload) for m in [*BEGINNING[1:], key()]),
                (7040, inter().payload),
            ],
        )
        self.assertEqual(self.logged("goes on"), ["live/camera: the recording goes on; 5 messages are missing"])
        self.assertEqual(self.duration(), 7.04)

    def test_stallTwice(self) -> None:
        """A disk may stall again: the publisher is held again, and there is another gap."""
        publication = self.publish()
        for start in (0, 5_000):
            self.send(publication, *BEGINNING, key(start))
            self.fill(publication, start=start + 1)
            self.clock.advance(STALL_SECONDS)
            self.send(publication, inter(start + 2_000))
            self.thread.finish()
        self.send(publication, key(9_000))
        publication.end("")
        self.thread.finish()
        self.assertEqual(self.publisher.calls, ["pause", "resume"] * 2)
        self.assertEqual(len(self.logged("gap")), 2)
        self.assertEqual(len(self.logged("goes on; 1 messages")), 1)
        self.assertEqual(self.tags()[-1], (9, 9_000, key().payload))

    def test_stallOtherTrack(self) -> None:
        """Another track's keyframe is no place to go on."""
        publication = self.publish()
        self.send(publication, pictureHeader(), key(0))
        self.fill(publication)
        self.clock.advance(STALL_SECONDS)
        self.thread.finish()
        count = len(self.tags())
        self.send(publication, video("96016876633101000000", 6000), video("9601687663310100000000", 6001))
        self.thread.finish()
        self.assertEqual(len(self.tags()), count)

    def test_stallAudioOnly(self) -> None:
        """Without video, the file goes on with any audio."""
        publication = self.publish()
        self.send(publication, soundHeader(), sound(0))
        self.send(publication, *(sound(index, BODY) for index in range(1, 20)))
        self.clock.advance(STALL_SECONDS)
        self.send(publication, sound(5000))
        self.thread.finish()
        self.send(publication, sound(6000))
        publication.end("")
        self.thread.finish()
        self.assertEqual(self.tags()[-2:], [(8, 6000, soundHeader().payload), (8, 6000, sound().payload)])

    def test_endInGap(self) -> None:
        """The publisher ends in a gap: the file is finished with what it has."""
        publication = self.publish()
        self.send(publication, key(0))
        before = self.fill(publication)
        self.clock.advance(STALL_SECONDS)
        self.send(publication, inter(6000))
        publication.end("")
        self.thread.finish()
        self.assertFinished(".flv")
        self.assertEqual(len(self.tags()), 1 + len(before))

    def test_endWhileHeld(self) -> None:
        """The publisher ends while it is held: all that came is written, and there is no gap later."""
        publication = self.publish()
        sent = self.fill(publication)
        publication.end("FCUnpublish")
        self.assertFalse(self.publisher.paused)
        self.clock.advance(60)
        self.thread.finish()
        self.assertFinished(".flv")
        self.assertEqual((len(self.tags()), self.logged("gap"), self.clock.getDelayedCalls()), (len(sent), [], []))

    def test_resumeBringsMore(self) -> None:
        """A transport that brings more in the moment it is resumed: never two threads for one file."""

        class Eager(MemoryPublisher):
            """Has more in its buffer."""

            def resumeProducing(self) -> None:
                """Bring it."""
                super().resumeProducing()
                publication.append(inter(5_000))
                publication.append(inter(5_001))

        self.publisher = Eager()
        publication = self.publish()
        self.fill(publication)
        while self.thread.waiting:
            self.assertEqual(len(self.thread.waiting), 1)
            self.thread.step()
        self.assertEqual([time for _, time, _ in self.tags()[-2:]], [5_000, 5_001])

    def test_createFails(self) -> None:
        """No file can be made: that is logged, and the stream goes on; the next publish is recorded."""
        self.root.rename(self.root.parent / "away")
        outlet, subscriber = MemoryOutlet(), MemorySubscriber()
        self.play(outlet)
        self.hub.subscribe("live/camera", subscriber)
        publication = self.publish()
        publication.append(key(0))
        publication.append(inter(40))
        self.thread.finish()
        self.assertEqual(len(self.flushLoggedErrors(FileNotFoundError)), 1)
        (line,) = self.logged("recording stopped: ")
        self.assertTrue(line.endswith("; there is no file; it is tried again every 3 s"), line)
        publication.append(inter(80))
        publication.end("gone")
        self.assertContent(subscriber.messages, key(0), inter(40), inter(80))
        self.assertContent(outlet.take(), key(0), inter(40), inter(80))
        self.thread.finish()
        self.assertEqual((subscriber.reasons, self.recorder._recordings), (["gone"], {}))
        self.assertEqual(len(self.logged("; its last 3 messages or so are not recorded")), 1)
        (self.root.parent / "away").rename(self.root)
        publication = self.publish()
        publication.append(key(0))
        publication.end("")
        self.thread.finish()
        self.assertFinished(".flv")

    def test_createFailsWithoutPermission(self) -> None:
        """A directory that can't be written to, and no thread."""
        self.useNoThread()

        def refuse(*arguments: object, **options: object) -> int:
            raise PermissionError(errno.EACCES, "Permission denied")

        publication = self.publish()
        patch = self.patch(os, "open", refuse)
        for number in range(10):
            publication.append(key(number))
        patch.restore()
        publication.end("")
        self.assertEqual(len(self.flushLoggedErrors(PermissionError)), 1)
        self.assertEqual((self.recorder._recordings, self.files()), ({}, []))

    def test_createFailsWhileHeld(self) -> None:
        """Making the file fails while the publisher is held: it is read again."""
        shutil.rmtree(self.root)
        publication = self.publish()
        self.fill(publication)
        self.assertTrue(self.publisher.paused)
        self.thread.step()
        self.assertFalse(self.publisher.paused)
        self.clock.advance(60)
        publication.end("")
        self.thread.finish()
        self.assertEqual((self.logged("gap"), self.recorder._recordings), ([], {}))
        self.assertEqual(len(self.flushLoggedErrors(FileNotFoundError)), 1)

    def test_createFailsAtTheEnd(self) -> None:
        """Making the file fails when the publisher has ended already."""
        shutil.rmtree(self.root)
        publication = self.publish()
        publication.append(key(0))
        publication.append(key(40))
        publication.end("")
        finished = self.recorder.finish()
        self.thread.finish()
        self.successResultOf(finished)
        self.assertEqual(len(self.flushLoggedErrors(FileNotFoundError)), 1)
        self.assertEqual(self.recorder._recordings, {})

    def test_createFailsLate(self) -> None:
        """A recording that begins in the middle of a stream, and fails with what it is given at once, tries again."""
        self.hub.observers.clear()
        self.useNoThread()
        self.hub.observers.clear()
        publication = self.publish()
        self.send(publication, key(0), inter(40), inter(80))
        shutil.rmtree(self.root)
        stream = next(iter(self.hub))
        self.recorder.publishStarted(stream)
        self.assertEqual(len(self.flushLoggedErrors(FileNotFoundError)), 1)
        self.root.mkdir()
        self.clock.advance(RETRY_SECONDS)
        self.send(publication, inter(120), key(160), inter(200))
        publication.end("")
        self.assertFinished(".flv")
        self.assertEqual([time for _, time, _ in self.tags()], [0, 40])
        self.assertEqual(stream._subscriptions, {})

    def test_nothingKeptAfterFailure(self) -> None:
        """While it is broken, a recording keeps nothing of what it is given."""
        publication = self.publish()
        (recording,) = self.recorder._recordings
        shutil.rmtree(self.root)
        publication.append(key(0))
        self.thread.finish()
        recording.messageReceived(inter(40))
        self.clock.advance(60)
        self.send(publication, inter(80))
        self.assertEqual((list(recording._entries), self.thread.waiting), ([], []))
        self.assertEqual(len(self.flushLoggedErrors(FileNotFoundError)), 1)

    def test_fullDisk(self) -> None:
        """The disk is full: the file has every tag that fitted, is finished, and the stream goes on."""
        outlet = MemoryOutlet()
        self.play(outlet)
        publication = self.publish()
        sent = [key(0), *(inter(40 * index, bytes(1000)) for index in range(1, 10))]
        patch = self.patch(os, "pwrite", FullDisk(5000))
        self.send(publication, *sent)
        self.thread.finish()
        patch.restore()
        self.send(publication, inter(400))
        publication.end("")
        self.thread.finish()
        self.assertFinished(".flv")
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        (path,) = self.files()
        self.assertEqual(
            self.logged("recording stopped"),
            [
                "live/camera: recording stopped: [Errno 28] No space left on device; "
                f"{path.relative_to(self.root)} has what came before; it is tried again every 3 s"
            ],
        )
        tags = self.tags()
        self.assertEqual(tags, [(m.type, m.timestamp, m.payload) for m in sent[: len(tags)]])
        self.assertEqual((len(tags), self.duration()), (5, 0.16))
        self.assertContent(outlet.take(), *sent, inter(400))

    def test_fullFromTheStart(self) -> None:
        """Nothing fits: no file is left."""
        self.patch(os, "pwrite", FullDisk(50))
        publication = self.publish()
        publication.append(key(0))
        self.thread.finish()
        self.assertEqual(self.files(), [])
        publication.end("")
        self.thread.finish()
        self.assertFinished()
        self.assertEqual(len(self.logged("; there is no file")), 1)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)

    def test_lastWriteFails(self) -> None:
        """The last write of all fails: what is before it is finished, and nobody waits for ever."""
        publication = self.publish()
        publication.append(key(0))
        self.thread.finish()
        publication.append(inter(40, bytes(1000)))
        publication.append(inter(80))
        publication.end("")
        patch = self.patch(os, "pwrite", FullDisk(100))
        finished = self.recorder.finish()
        self.thread.finish()
        patch.restore()
        self.successResultOf(finished)
        self.assertFinished(".flv")
        self.assertEqual([time for _, time, _ in self.tags()], [0])
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)

    def test_finishFails(self) -> None:
        """The end can't be written: the file keeps its ending, and no other file is touched."""
        publication = self.publish()
        publication.append(key(0))
        publication.append(inter(40))
        publication.end("")

        def fail(*arguments: object, **options: object) -> None:
            raise OSError(errno.EIO, "Input/output error")

        self.patch(os, "link", fail)
        watch = DescriptorWatch(self)
        self.thread.step()
        self.assertEqual(len(watch.open), 2)
        self.thread.finish()
        self.assertEqual(watch.open, [])
        self.assertFinished(".part")
        (path,) = self.files()
        self.assertEqual(len(self.logged(f"; {path.relative_to(self.root)} has what came before")), 1)
        self.assertEqual(len(self.tags()), 2)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)

    def test_finishFailsToo(self) -> None:
        """Writing fails, and then the end as well: both are in the log."""
        publication = self.publish()
        publication.append(key(0))
        self.thread.finish()

        def fail(*arguments: object) -> int:
            raise OSError(errno.EIO, "Input/output error")

        publication.append(inter(40))
        patches = [self.patch(os, "pwrite", fail)]
        self.thread.finish()
        for patch in patches:
            patch.restore()
        publication.end("")
        self.thread.finish()
        self.assertFinished(".part")
        self.assertEqual(len(self.logged(".flv.part has what came before")), 1)
        self.assertEqual(len(self.logged("keeps the ending .part: ")), 1)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)

    def test_failsInGap(self) -> None:
        """Writing fails while there is a gap."""
        publication = self.publish()
        self.fill(publication)
        self.clock.advance(STALL_SECONDS)
        patch = self.patch(os, "pwrite", FullDisk(1000))
        self.thread.finish()
        patch.restore()
        self.send(publication, key(9000))
        publication.end("")
        self.thread.finish()
        self.assertFinished(".flv")
        self.assertEqual(self.tags(), [])
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
