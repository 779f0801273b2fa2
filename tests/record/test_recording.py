"""Tests for L{rtmptw.record.recording}."""

from __future__ import annotations

import errno
import os
import shutil
from functools import partial
from itertools import pairwise
from threading import Event
from time import monotonic
from types import SimpleNamespace

from twisted.internet import reactor
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool
from twisted.trial.unittest import TestCase
from zope.interface.verify import verifyObject

from rtmptw.interfaces import ISubscriber
from rtmptw.limits import Limits, Reached
from rtmptw.live.hub import StreamHub
from rtmptw.live.publication import Publication
from rtmptw.live.rounds import FlushTimes
from rtmptw.record import recording as module
from rtmptw.record import reel
from rtmptw.record.recorder import Recorder
from rtmptw.record.recording import RETRY_SECONDS
from rtmptw.record.segment import SegmentRule
from rtmptw.record.space import SPARE
from rtmptw.wire.message import Message
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
from tests.record.disk import DescriptorWatch, FullDisk, listing, makeDirectory, readTags
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
            [(0, "17"), (0, "af"), (1000, "17"), (1040, "27"), (1080, "27")],
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

    def slowly(self, publication: Publication, step: int, seconds: float) -> list[Message]:
        """
        A camera, for a while, before a disk that gets on: each piece takes the same time, and it can't keep up.

        @param step: how much time its frames stand for, ms each.
        @param seconds: how long a piece takes.
        @return: what was sent.
        """
        self.patch(module, "PIECE", SMALL_HIGH_WATER // 16)
        sent = [key(0)]
        self.send(publication, sent[0])
        while len(sent) < 100 and not self.logged("gap"):
            while not self.publisher.paused and len(sent) < 100:
                sent.append(inter(len(sent) * step, BODY))
                self.send(publication, sent[-1])
            self.clock.advance(seconds)
            self.thread.step()
        return sent

    def test_F6_slowButSteady(self) -> None:
        """The same, and somebody watches: he does not fall behind by more than that, then the recording has a gap."""
        outlet = MemoryOutlet()
        self.play(outlet)
        publication = self.publish()
        sent = self.slowly(publication, 40, 0.5)
        self.assertEqual((len(self.logged("gap")), self.publisher.paused), (1, False))
        self.assertEqual(self.reached.counts["diskStallSeconds"], 1)
        # He was held when the queue was full, and since then the stream has moved on by less than the clock.
        held = (SMALL_HIGH_WATER // (len(BODY) + module.MESSAGE_COST)) * 0.04
        lag = self.clock.seconds() - (sent[-1].timestamp / 1000 - held)
        self.assertLess(abs(lag - STALL_SECONDS), 1.0)
        self.thread.finish()
        self.send(publication, key(9000))
        publication.end("")
        self.thread.finish()
        self.assertContent(outlet.take(), *sent, key(9000))
        self.assertEqual(self.tags()[-1], (9, 9000, key().payload))

    def test_F6_allTheTime(self) -> None:
        """A disk that is never quick enough: after the first gap, nobody who watches waits for it again for a while."""
        self.play(MemoryOutlet())
        publication = self.publish()
        self.slowly(publication, 40, 0.5)
        self.thread.finish()
        self.send(publication, key(9000))
        calls = len(self.publisher.calls)
        self.fill(publication, start=9040)
        self.clock.advance(0)
        self.assertEqual((self.publisher.calls[calls:], len(self.logged("gap"))), (["pause", "resume"], 2))
        # It keeps up for a while.
        self.thread.finish()
        self.send(publication, key(20_000))
        self.clock.advance(module.PROBATION)
        self.fill(publication, start=20_040)
        self.clock.advance(STALL_SECONDS - 0.1)
        self.assertEqual(len(self.logged("gap")), 2)
        self.clock.advance(0.1)
        self.assertEqual(len(self.logged("gap")), 3)

    def test_F6_justCame(self) -> None:
        """A slow disk, and nobody has watched so far: who comes for a look is no reason for a gap."""
        publication = self.publish()
        self.slowly(publication, 40, 0.5)
        self.play(MemoryOutlet())
        while self.publisher.paused:
            self.clock.advance(0.5)
            self.thread.step()
        self.assertEqual(self.logged("gap"), [])

    def test_F6_brokenWhileHeld(self) -> None:
        """What was held for a disk that has failed does not count against the next one."""
        self.play(MemoryOutlet())
        publication = self.publish()
        self.send(publication, key(0))
        self.fill(publication)
        self.clock.advance(STALL_SECONDS - 1)
        (recording,) = self.recorder._recordings
        recording._reel.write = lambda entries: 1 // 0  # type: ignore[method-assign]
        self.thread.step()
        self.thread.finish()
        self.assertEqual(recording._lag.seconds, 0)
        self.assertEqual(len(self.logged("recording stopped")), 1)
        self.flushLoggedErrors(ZeroDivisionError)

    def test_F6_piecesInOneHold(self) -> None:
        """Pieces that are finished while somebody waits give the disk no more time than all of them have together."""
        self.patch(module, "PIECE", SMALL_HIGH_WATER // 16)
        self.play(MemoryOutlet())
        publication = self.publish()
        self.fill(publication)
        for _ in range(2):
            self.clock.advance(2)
            self.thread.step()
        self.clock.advance(STALL_SECONDS - 4.1)
        self.assertEqual((self.publisher.paused, self.logged("gap")), (True, []))
        self.clock.advance(0.2)
        self.assertEqual((self.publisher.paused, len(self.logged("gap"))), (False, 1))

    def test_F6_noPatienceLeft(self) -> None:
        """Held for long in all, and then the stream itself is late: it can't be held for less than no time."""
        self.patch(module, "PIECE", SMALL_HIGH_WATER // 16)
        self.play(MemoryOutlet())
        publication = self.publish()
        delays: list[float] = []
        callLater = self.clock.callLater
        self.patch(self.clock, "callLater", lambda delay, *rest: delays.append(delay) or callLater(delay, *rest))
        for _ in range(8):
            while not self.publisher.paused:
                self.send(publication, inter(int(self.clock.seconds() * 1000), BODY))
            while self.publisher.paused:
                self.clock.advance(0.25)
                self.thread.step()
        self.assertEqual(self.logged("gap"), [])
        last = int(self.clock.seconds() * 1000)
        self.clock.advance(STALL_SECONDS + 1)
        while not self.publisher.paused:
            self.send(publication, inter(last, BODY))
        self.clock.advance(0)
        self.assertEqual((min(delays), len(self.logged("gap"))), (0, 1))

    def test_F6_fasterThanLive(self) -> None:
        """A file that is sent faster than it plays waits for the disk, whoever watches: nobody sees any of that."""
        self.play(MemoryOutlet())
        publication = self.publish()
        sent = self.slowly(publication, 1000, 0.5)
        publication.end("")
        self.thread.finish()
        self.assertEqual((len(sent), self.logged("gap")), (100, []))
        self.assertGreater(self.publisher.calls.count("resume"), 3)
        self.assertEqual([tag[1:] for tag in self.tags()], [(m.timestamp, m.payload) for m in sent])

    def test_F6_unwatched(self) -> None:
        """A camera that nobody watches waits as well: it is the recording that counts."""
        publication = self.publish()
        sent = self.slowly(publication, 40, 0.5)
        publication.end("")
        self.thread.finish()
        self.assertEqual((len(sent), self.logged("gap")), (100, []))

    def test_F6_caughtUp(self) -> None:
        """A disk that is too slow now and then, and takes everything in between, is not too slow."""
        self.play(MemoryOutlet())
        publication = self.publish()
        self.send(publication, key(0))
        for number in range(5):
            self.fill(publication, start=1 + 100 * number)
            self.clock.advance(STALL_SECONDS - 1)
            self.thread.finish()
            self.assertFalse(self.publisher.paused)
        self.assertEqual(self.logged("gap"), [])

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


class AgainTests(RecorderTestCase):
    """After a failure."""

    def setUp(self) -> None:
        """Work is done at once."""
        super().setUp()
        self.useNoThread()
        self.room: int | None = None
        self.open = os.open
        self.real = os.pwrite
        self.patch(os, "pwrite", self.pwrite)

    def pwrite(self, file: int, data: bytes, position: int) -> int:
        """A disk that has so much room, or any."""
        if self.room is None or (position < 100 and len(data) == 8):
            return self.real(file, data, position)
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self.real(file, data[: self.room], position)
        self.room -= written
        return written

    def test_F5_resumes(self) -> None:
        """
        Fault F5: the disk is full, for minutes: one line in the log, and the stream goes on; then there is room again,
        and within 5 s a new file begins with the next keyframe, headers first.
        """
        outlet = MemoryOutlet()
        self.play(outlet)
        publication = self.publish()
        self.send(publication, *BEGINNING, key(0), inter(500))
        self.room = 100
        sent = []
        for second in range(1, 120):
            if second == 100:
                self.room = None
            sent += [key(second * 1000, str(second).encode() * 10), inter(second * 1000 + 500)]
            self.send(publication, *sent[-2:])
            self.clock.advance(1)
        publication.end("")
        self.assertFinished(".flv", ".flv")
        first, second_ = (self.tagsOf(path) for path in self.files())
        fitted = [m.payload for m in [key(0), inter(500), *sent]]
        self.assertEqual([payload for _, _, payload in first[2:]], fitted[: len(first) - 2])
        self.assertTrue(4 < len(first) < 10, first)
        frames = [payload for _, _, payload in second_[2:]]
        self.assertEqual(frames, [m.payload for m in sent][-len(frames) :])
        self.assertEqual([time for _, time, _ in second_[:4]], [0, 0, 0, 500])
        # From second 100 on there was room.
        self.assertGreaterEqual(len(frames), 2 * (120 - 100 - 5))
        self.assertEqual(len(self.logged("recording stopped")), 1)
        (line,) = self.logged("goes on as")
        self.assertRegex(line, r"camera-.*\.flv; about 2\d\d messages are missing$")
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.assertContent(outlet.take()[-len(sent) :], *sent)
        self.assertEqual([call for call in self.clock.getDelayedCalls() if "Recording" in str(call)], [])

    def test_tries(self) -> None:
        """It is tried every few seconds, not for every keyframe."""
        tries: list[float] = []
        publication = self.publish()
        self.send(publication, *BEGINNING, key(0))
        self.room = 0
        create = os.open

        def counted(path: str, flags: int, *arguments: int, **options: int) -> int:
            if flags & os.O_CREAT:
                tries.append(self.clock.seconds())
            return create(path, flags, *arguments, **options)

        self.patch(os, "open", counted)
        for number in range(1, 300):
            self.send(publication, key(number * 100))
            self.clock.advance(0.1)
        publication.end("")
        self.assertEqual(len(tries), 9)
        gaps = [after - before for before, after in pairwise(tries)]
        self.assertTrue(all(2 <= gap <= 5 for gap in gaps), gaps)
        self.assertEqual((len(self.logged("recording stopped")), len(self.files())), (1, 1))
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)

    def test_afterTheEnd(self) -> None:
        """What somebody gives it when it is over changes nothing."""
        publication = self.publish()
        self.send(publication, key(0))
        (recording,) = self.recorder._recordings
        publication.end("")
        recording.messageReceived(key(40))
        self.assertFinished(".flv")
        self.assertEqual(len(self.tags()), 1)

    def test_twice(self) -> None:
        """Each outage has its line."""
        publication = self.publish()
        for second in range(0, 40, 4):
            self.room = 0 if second in (12, 28) else None
            self.send(publication, key(second * 1000), inter(second * 1000 + 40))
            self.clock.advance(4)
        publication.end("")
        self.assertFinished(*[".flv"] * 3)
        self.assertEqual((len(self.logged("recording stopped")), len(self.logged("goes on as"))), (2, 2))
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 2)

    def test_whileTrying(self) -> None:
        """The publisher ends while a try is under way, and while it waits for the next."""
        for steps in (0, 1):
            self.useThread()
            publication = self.publish(f"live/{steps}")
            self.send(publication, key(0))
            self.room = 0
            self.thread.finish()
            self.clock.advance(RETRY_SECONDS)
            self.send(publication, key(3000), inter(3040))
            for _ in range(steps):
                self.thread.step()
            publication.end("")
            finished = self.recorder.finish()
            self.thread.finish()
            self.successResultOf(finished)
            self.assertFinished()
            self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 2)

    def test_tryOfOneMessage(self) -> None:
        """What was tried is all that came, and it is in a file of its own."""
        publication = self.publish()
        self.room = 0
        self.send(publication, key(0))
        self.room = None
        self.clock.advance(RETRY_SECONDS)
        self.send(publication, key(3000))
        publication.end("")
        self.assertFinished(".flv")
        self.assertEqual([time for _, time, _ in self.tags()], [0])
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)

    def test_F7_removed(self) -> None:
        """Fault F7: the directory is removed: that is logged, and when it is back, a new file begins."""
        now = [0.0]
        self.patch(reel, "monotonic", lambda: now[0])
        publication = self.publish()
        self.send(publication, *BEGINNING, key(0))
        shutil.rmtree(self.root)
        for second in range(1, 20):
            now[0] += 1
            self.clock.advance(1)
            if second == 10:
                self.root.mkdir()
            self.send(publication, key(second * 1000))
        publication.end("")
        self.assertFinished(".flv")
        (line,) = self.logged("recording stopped")
        self.assertIn("the file was removed", line)
        self.assertIn("; there is no file any more; ", line)
        self.assertNotIn(".part: ", line.partition("; ")[2])
        self.assertGreaterEqual(len(self.tags()), 2 + 5)
        self.assertEqual(len(self.flushLoggedErrors(FileNotFoundError)), 1)

    def test_F7_removedAtTheEnd(self) -> None:
        """Fault F7: the file is removed, and the publisher ends before that is noticed: it is not called recorded."""
        publication = self.publish()
        self.send(publication, key(0))
        self.files()[0].unlink()
        publication.end("")
        self.assertEqual(len(self.logged("can't be finished: [Errno 2] the file was removed")), 1)
        self.assertEqual(self.logged("recorded as"), [])
        self.assertEqual(len(self.flushLoggedErrors(FileNotFoundError)), 1)

    def refuse(self, path: str, flags: int, *arguments: int, **options: int) -> int:
        """Make no new files."""
        if flags & os.O_CREAT:
            raise OSError(self.number, os.strerror(self.number))
        return self.open(path, flags, *arguments, **options)

    def test_F7_longName(self) -> None:
        """Fault F7: a name that is too long for the disk, or no inodes: as on a full disk, and live goes on."""
        for number in (errno.ENAMETOOLONG, errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EMFILE):
            publication = self.publish()
            self.number = number
            patch = self.patch(os, "open", self.refuse)
            self.send(publication, key(0), inter(40))
            patch.restore()
            self.clock.advance(RETRY_SECONDS)
            self.send(publication, key(3000))
            publication.end("")
            self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.assertFinished(*[".flv"] * 5)

    def test_cutFails(self) -> None:
        """A file that can't be finished where the next one begins is logged, and the recording goes on."""
        self.useNoThread(rule=SegmentRule(seconds=10))
        publication = self.publish()
        self.send(publication, key(0))
        (path,) = self.files()
        path.with_suffix("").write_text("precious")
        self.clock.advance(10)
        self.send(publication, key(9_000))
        publication.end("")
        self.assertEqual(len(self.logged("a recording can't be finished")), 1)
        self.assertEqual([p.suffix for p in self.files()], [".flv", ".part", ".flv"])
        self.assertEqual(len(self.flushLoggedErrors(FileExistsError)), 1)


class LimitTests(RecorderTestCase):
    """Limits, each at one less, as many, and one more."""

    def test_recordingQueueBytes(self) -> None:
        """C{recordingQueueBytes}: that many may wait; one more, and the publisher is held, which is counted."""
        size = len(inter(0, BODY).payload) + module.MESSAGE_COST
        for extra, held in ((1, False), (0, False), (-1, True)):
            self.useThread(limits=self.limit(recordingQueueBytes=10 * size + extra))
            publication = self.publish()
            self.send(publication, *(inter(number, BODY) for number in range(10)))
            self.assertEqual(self.publisher.paused, held)
            self.assertEqual(self.reached.counts["recordingQueueBytes"], int(held))
            publication.end("")
            self.thread.finish()

    def test_diskStallSeconds(self) -> None:
        """C{diskStallSeconds}: for so long the publisher waits for a disk that finishes nothing."""
        for seconds, gaps in ((STALL_SECONDS - 0.01, 0), (STALL_SECONDS, 1), (STALL_SECONDS + 0.01, 2)):
            self.useThread(limits=self.limit(recordingQueueBytes=SMALL_HIGH_WATER, diskStallSeconds=STALL_SECONDS))
            publication = self.publish()
            self.send(publication, key(0))
            self.fill(publication)
            self.clock.advance(seconds)
            self.assertEqual(self.publisher.paused, seconds < STALL_SECONDS)
            self.assertEqual(self.reached.counts["diskStallSeconds"], gaps)
            publication.end("")
            self.thread.finish()

    def space(self, free: int) -> int:
        """Record on a disk with so much free space, and give how many files that makes."""
        self.free = free
        self.patch(os, "statvfs", lambda place: SimpleNamespace(f_bavail=self.free, f_blocks=1000, f_frsize=1))
        publication = self.publish()
        self.send(publication, key(0))
        publication.end("")
        files = self.files()
        for path in files:
            path.unlink()
        return len(files)

    def test_diskFreeBytes(self) -> None:
        """C{diskFreeBytes}: so much must be free; less, and nothing is recorded, which is counted."""
        self.useNoThread(limits=self.limit(diskFreeBytes=100))
        self.assertEqual([self.space(free) for free in (101, 100, 99)], [1, 1, 0])
        self.assertEqual(self.reached.counts, {"diskFreeBytes": 1})
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)

    def test_diskFreePercent(self) -> None:
        """C{diskFreePercent}: the same."""
        self.useNoThread(limits=self.limit(diskFreePercent=10))
        self.assertEqual([self.space(free) for free in (101, 100, 99)], [1, 1, 0])
        self.assertEqual(self.reached.counts, {"diskFreePercent": 1})
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)

    def test_fills(self) -> None:
        """The disk fills up while it is recorded: the file ends within a second, and is counted once."""
        now = [0.0]
        self.patch(reel, "monotonic", lambda: now[0])
        self.useNoThread(limits=self.limit(diskFreeBytes=100))
        self.patch(os, "statvfs", lambda place: SimpleNamespace(f_bavail=self.free, f_blocks=1000, f_frsize=1))
        self.free = 100
        publication = self.publish()
        for second in range(30):
            if second == 10:
                self.free = 99
            if second == 20:
                self.free = 100 + SPARE
            self.send(publication, key(second * 1000))
            now[0] += 1
            self.clock.advance(1)
        publication.end("")
        self.assertFinished(".flv", ".flv")
        first, second_ = (len(self.tagsOf(path)) for path in self.files())
        self.assertEqual(first, 10)
        self.assertGreaterEqual(second_, 30 - 20 - 5)
        self.assertEqual(self.reached.counts, {"diskFreeBytes": 1})
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)


class ThreadTests(TestCase):
    """Real threads, and a disk that stands still."""

    def setUp(self) -> None:
        """A recorder on the reactor, and a disk that can be stopped."""
        self.root = makeDirectory(self)
        self.pool = ThreadPool(0, 8)
        self.pool.start()
        self.addCleanup(self.pool.stop)
        self.mayWrite = Event()
        self.addCleanup(self.mayWrite.set)
        self.real = os.pwrite
        self.patch(os, "pwrite", self.pwrite)

    def pwrite(self, file: int, data: bytes, position: int) -> int:
        """Wait, if the disk stands still."""
        self.mayWrite.wait(30)
        return self.real(file, data, position)

    async def test_F6_stalls(self) -> None:
        """
        Fault F6: the disk stands still while 16 MiB and more come: the reactor waits for it never, what is waiting is
        bounded, the publisher goes on, and the file has a gap that is told.
        """
        limits = Limits(diskFreeBytes=0, diskFreePercent=0, diskStallSeconds=0.2)
        reached = Reached()
        run = partial(deferToThreadPool, IReactorFromThreads(reactor), self.pool)
        recorder = Recorder(str(self.root), IReactorTime(reactor), run, limits=limits, reached=reached)
        hub, publisher = StreamHub(IReactorTime(reactor), FlushTimes(0, 0)), MemoryPublisher()
        hub.observers.append(recorder)
        publication = hub.publish("live/camera", publisher)
        body, worst, number = bytes(64 * 1024), 0.0, 0

        async def send(count: int) -> None:
            nonlocal worst, number
            for _ in range(count):
                # A publisher that is held sends nothing.
                while publisher.paused:
                    await deferLater(IReactorTime(reactor), 0.01)
                began = monotonic()
                publication.append((key if number % 10 == 0 else inter)(number * 10, body))
                publication.flush()
                worst = max(worst, monotonic() - began)
                number += 1

        await send(400)
        self.assertEqual(reached.counts, {"recordingQueueBytes": 1, "diskStallSeconds": 1})
        (recording,) = recorder._recordings
        self.assertLess(recording._waiting, limits.recordingQueueBytes + len(body) + 1000)
        self.mayWrite.set()
        while recording._busy:
            await deferLater(IReactorTime(reactor), 0.01)
        await send(20)
        publication.end("")
        await recorder.finish()
        (path,) = [path for path in self.root.rglob("*") if path.is_file()]
        times = [tag.timestamp for tag in readTags(path)[1:]]
        self.assertEqual(times[0], 0)
        self.assertEqual(times[-1], (number - 1) * 10)
        gaps = [after - before for before, after in pairwise(times) if after - before > 10]
        self.assertEqual(len(gaps), 1)
        self.assertLess(worst, 0.1)
