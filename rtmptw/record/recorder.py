# -*- test-case-name: tests.record.test_recorder -*-
"""
The recorder: every publish becomes an FLV file, or several one after another.

How a recording gets to the disk is told in L{rtmptw.record.recording}, where one file ends and the next begins in
L{rtmptw.record.segment}, what a crash leaves in L{rtmptw.record.recovery}. Here is what all recordings have in common:
the directory, how many there may be at a time, and the hook for what is finished.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from time import monotonic
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from rtmptw.interfaces import IStreamObserver
from rtmptw.limits import Limits, Reached
from rtmptw.live.livestream import LiveStream
from rtmptw.record.flvfile import FLVFile
from rtmptw.record.hook import Hook, Recorded
from rtmptw.record.recording import Recording, Run
from rtmptw.record.recovery import Recovered, recover
from rtmptw.record.reel import Finished, Reel
from rtmptw.record.segment import Beginning, SegmentRule, Segments
from rtmptw.record.space import NoSpace, Space
from rtmptw.record.template import NameTemplate, encodePath

__all__ = ["RECOVERY_LINES", "RECOVERY_SECONDS", "Recorder"]

#: How long what a crash has left is worked on before others have the thread, seconds; and how many files at most.
RECOVERY_SECONDS, RECOVERY_FILES = 0.5, 256

#: How many of them have a line in the log.
RECOVERY_LINES = 20


def _utc() -> datetime:
    return datetime.now(UTC)


@implementer(IStreamObserver)
class Recorder:
    """
    Records every publish of a hub; add it to L{rtmptw.live.hub.StreamHub.observers}.

    @ivar recovered: how many files that a crash had left are finished.
    """

    _log = Logger()

    def __init__(
        self,
        directory: str,
        clock: IReactorTime,
        run: Run[Any],
        *,
        limits: Limits | None = None,
        reached: Reached | None = None,
        rule: SegmentRule | None = None,
        template: NameTemplate | None = None,
        hook: Hook | None = None,
        now: Callable[[], datetime] = _utc,
    ) -> None:
        """
        @param directory: where the files go; it must exist.
        @param run: runs a blocking function in a thread.
        @param limits: how many recordings there may be, and how much of the disk is to be left; by default, the
            defaults.
        @param reached: what counts how often these were reached.
        @param rule: when one file ends and the next begins.
        @param template: what the files are called.
        @param hook: what is run for every file that is finished.
        @param now: tells the time of day, in UTC.
        """
        self._directory = directory
        self._clock = clock
        self._run = run
        self._limits = limits if limits is not None else Limits()
        self._reached = reached if reached is not None else Reached()
        self._rule = rule if rule is not None else SegmentRule()
        self._template = template if template is not None else NameTemplate()
        self._hook = hook
        self._now = now
        self._space = Space(self._limits)
        self._recordings: dict[Recording, None] = {}
        # Those of them that wait for their turn, the first one first.
        self._waiting: dict[Recording, None] = {}
        self._recovery: Deferred[None] | None = None
        self._stops = False
        self.recovered = 0

    def start(self) -> None:
        """Say if the disk is too full to record, and finish what a crash has left. Both is done in the thread."""
        self._run(lambda: self._space.require(self._directory)).addErrback(self._sayNoSpace)
        self._recovery = Deferred.fromCoroutine(self._recover())

    def _sayNoSpace(self, failure: Failure) -> None:
        options = "; --limit disk-free-bytes=N and --limit disk-free-percent=N say how much is to be left"
        self._log.error(
            "{directory}: nothing can be recorded now: {error}{options}",
            directory=self._directory,
            error=failure.getErrorMessage(),
            options=options if isinstance(failure.value, NoSpace) else "",
        )

    def publishStarted(self, stream: LiveStream) -> None:
        """Record a stream until its publisher has ended."""
        began = self._now()

        def create(beginning: Beginning, number: int) -> FLVFile:
            return FLVFile(self._directory, self._template.name(stream.path, beginning.began, began, number))

        def done(finished: Finished) -> None:
            self._done(finished.file, encodePath(stream.path), finished.seconds, finished.bytes)

        waits = len(self._recordings) - len(self._waiting) >= self._limits.recordings
        recording = Recording(
            stream,
            Segments(stream, self._rule, self._clock, self._now),
            Reel(self._directory, create, self._space),
            self._clock,
            self._run,
            self._limits,
            self._reached,
            done,
            waits,
        )
        self._recordings[recording] = None
        if waits:
            self._reached.add("recordings")
            self._waiting[recording] = None
            self._log.error(
                "{path}: not recorded yet: there are {count} recordings, the most that there may be; "
                "it begins when another one ends",
                path=stream.path,
                count=self._limits.recordings,
            )
        recording.finished.addCallback(lambda _: self._ended(recording))
        recording.start(stream.subscribe(recording))

    def _ended(self, recording: Recording) -> None:
        """There may be room for one more."""
        del self._recordings[recording]
        if recording in self._waiting:
            del self._waiting[recording]
        elif self._waiting:
            first = next(iter(self._waiting))
            del self._waiting[first]
            first.admit()

    def _done(self, file: str, path: str, seconds: float, size: int, isOld: bool = False) -> None:
        if self._hook is not None:
            recorded = Recorded(os.path.join(os.path.abspath(self._directory), file), path, seconds, size)
            self._hook.add(recorded, isOld)

    async def _recover(self) -> None:
        """Finish what a crash has left, some of it at a time."""
        results = recover(self._directory)
        lines = 0
        while not self._stops:
            try:
                some: list[Recovered] = await self._run(lambda: _some(results))
            except Exception:
                self._log.failure("{directory}: what a crash has left can't be finished", directory=self._directory)
                return
            if not some:
                break
            for one in some:
                lines += 1
                if one.file:
                    self.recovered += 1
                    path = self._template.path(one.file)
                    self._done(one.file, path, one.seconds, one.bytes, isOld=True)
                if lines <= RECOVERY_LINES:
                    self._log.info("{file}: {text}", file=ascii(one.found)[1:-1], text=_recoveryText(one))
        results.close()
        if lines > RECOVERY_LINES:
            self._log.info("and {count} more such files", count=lines - RECOVERY_LINES)

    def __len__(self) -> int:
        """How many recordings there are that are not finished."""
        return len(self._recordings)

    def stopping(self) -> None:
        """The server stops: hooks have some time left, from now on."""
        if self._hook is not None:
            self._hook.stop()

    def abort(self) -> None:
        """The process ends now: no hook survives that."""
        if self._hook is not None:
            self._hook.abort()

    def finish(self) -> Deferred[Any]:
        """
        Stop every recording whose publisher has not ended.

        @return: fires when all are complete on the disk, and the hook was run for them.
        """
        return Deferred.fromCoroutine(self._finish())

    async def _finish(self) -> None:
        self._stops = True
        waiting: list[Deferred[None]] = []
        for recording in tuple(self._recordings):
            done: Deferred[None] = Deferred()
            recording.finished.chainDeferred(done)
            waiting.append(done)
            recording.stop()
        await DeferredList(waiting)
        await (self._recovery if self._recovery is not None else succeed(None))
        if self._hook is not None:
            await self._hook.finish()


def _some(results: Iterator[Recovered]) -> list[Recovered]:
    """What can be done in a while."""
    end = monotonic() + RECOVERY_SECONDS
    some: list[Recovered] = []
    for one in islice(results, RECOVERY_FILES):
        some.append(one)
        if monotonic() >= end:
            break
    return some


def _recoveryText(recovered: Recovered) -> str:
    if recovered.problem:
        return f"left alone: {recovered.problem}"
    if not recovered.file:
        return "removed: there was nothing in it"
    return f"finished as {ascii(recovered.file)[1:-1]}, {recovered.seconds:.3f} s"
