# -*- test-case-name: tests.record.test_recorder -*-
"""
The recorder: every publish becomes an FLV file.

The reactor never waits for the disk
====================================
A recording collects messages. A thread takes a piece of them, up to about L{PIECE} bytes, writes it, and comes back for
the next: so a quick disk gets every message at once, a slow one gets larger pieces, and each piece that is done shows
that the disk gets on.

- When more than L{HIGH_WATER} bytes are waiting, the publisher is not read any more, until less than L{LOW_WATER} are.
  A disk that is slow but gets on thus loses nothing: it makes the publisher wait, however often and long.
- A disk that finishes no piece for L{STALL_SECONDS} while the publisher waits is out of order. Live goes before the
  recording: the publisher is read again, what comes is left out of the file, and when the disk has taken all that was
  waiting, the file goes on at a keyframe. The gap is logged.
- When writing fails (a full disk, say) the recording is over: the file is finished with what it has, and the log says
  why, and which file that is. The stream goes on.

A publish that brings nothing leaves no file, but a line in the log.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from rtmptw.interfaces import IStreamObserver, ISubscriber, ISubscription
from rtmptw.live.livestream import LiveStream
from rtmptw.record.flvfile import FLVFile, Tag
from rtmptw.wire.fileclock import REORDER_MARGIN, FileClock
from rtmptw.wire.message import Message

__all__ = [
    "HIGH_WATER",
    "LOW_WATER",
    "MESSAGE_COST",
    "PIECE",
    "REORDER_MARGIN",
    "STALL_SECONDS",
    "Recorder",
    "Recording",
]

#: Bytes waiting for the disk: when the publisher is held, and when it is read again.
HIGH_WATER = 16 * 1024 * 1024
LOW_WATER = 12 * 1024 * 1024

#: How much the thread is given at a time, bytes; more only if a single message is larger.
PIECE = 1024 * 1024

#: What a waiting message costs beside its payload, bytes: many empty ones are much as well.
MESSAGE_COST = 256

#: How long a publisher is held for a disk that finishes nothing, seconds.
STALL_SECONDS = 5.0

_T = TypeVar("_T")
#: What runs a function somewhere else, such as C{partial(deferToThreadPool, reactor, pool)}.
Run = Callable[[Callable[[], _T]], "Deferred[_T]"]


@implementer(IStreamObserver)
class Recorder:
    """Records every publish of a hub; add it to L{rtmptw.live.hub.StreamHub.observers}."""

    def __init__(self, directory: str, clock: IReactorTime, run: Run[None]) -> None:
        """
        @param directory: where the files go; it must exist.
        @param run: runs a blocking function in a thread.
        """
        self._directory = directory
        self._clock = clock
        self._run = run
        self._recordings: dict[Recording, None] = {}

    def publishStarted(self, stream: LiveStream) -> None:
        """Record a stream until its publisher has ended."""
        began = datetime.now(UTC)

        def create() -> FLVFile:
            return FLVFile(self._directory, stream.path, began)

        recording = Recording(stream, create, self._clock, self._run)
        self._recordings[recording] = None
        recording.finished.addCallback(lambda _: self._recordings.pop(recording))
        recording.start(stream.subscribe(recording))

    def finish(self) -> Deferred[Any]:
        """
        Stop every recording whose publisher has not ended.

        @return: fires when all are complete on the disk.
        """
        waiting: list[Deferred[None]] = []
        for recording in tuple(self._recordings):
            done: Deferred[None] = Deferred()
            recording.finished.chainDeferred(done)
            waiting.append(done)
            recording.stop()
        return DeferredList(waiting)


@implementer(ISubscriber)
class Recording:
    """
    One publish, on its way to the disk.

    @ivar finished: fires when nothing more will be written.
    """

    _log = Logger()

    def __init__(self, stream: LiveStream, create: Callable[[], FLVFile], clock: IReactorTime, run: Run[None]) -> None:
        self.finished: Deferred[None] = Deferred()
        self._stream = stream
        self._path = stream.path
        self._create = create
        self._clock = clock
        self._run = run
        self._file: FLVFile | None = None
        self._subscription: ISubscription | None = None
        self._tags: deque[Tag] = deque()
        self._waiting = 0
        self._busy = False
        self._ended = False
        self._stall: IDelayedCall | None = None
        self._missed = 0
        self._fileClock = FileClock()

    def start(self, subscription: ISubscription) -> None:
        """Use this subscription to hold the publisher."""
        if self._ended:
            # Writing what the stream gave at once has failed already.
            subscription.stopProducing()
        else:
            self._subscription = subscription

    def stop(self) -> None:
        """Take no more. What has come is still written."""
        if self._subscription is not None:
            self._subscription.stopProducing()
            self.streamEnded("the recording is stopped")

    def messageReceived(self, message: Message) -> None:
        """One message for the file."""
        if self._ended or (self._missed and not self._endGap(message)):
            return
        self._add(message)
        if self._waiting > HIGH_WATER and self._stall is None and self._subscription is not None:
            self._subscription.pauseProducing()
            self._stall = self._clock.callLater(STALL_SECONDS, self._beginGap)
        if not self._busy:
            self._work()

    def streamEnded(self, reason: str) -> None:
        """Everything has come."""
        self._ended = True
        self._subscription = None
        self._endStall()
        if not self._busy:
            self._work()

    def _work(self) -> None:
        """Write a piece of what there is, in the thread; then the next; at the end, finish."""
        tags, size = self._takePiece()
        last = self._ended and not self._tags

        def work() -> None:
            if tags:
                if self._file is None:
                    self._file = self._create()
                self._file.write(tags)
            if last and self._file is not None:
                self._file.finish()

        self._busy = True
        self._run(work).addCallbacks(self._worked, self._failed, callbackArgs=(size, last))

    def _takePiece(self) -> tuple[list[Tag], int]:
        """What is to be written next, and how much of what is waiting that is."""
        piece: list[Tag] = []
        size = 0
        while self._tags:
            cost = _cost(self._tags[0][2])
            if piece and size + cost > PIECE:
                break
            piece.append(self._tags.popleft())
            size += cost
        return piece, size

    def _worked(self, _: None, size: int, last: bool) -> None:
        self._busy = False
        self._waiting -= size
        if last:
            if self._file is not None:
                self._log.info("{path}: recorded as {file}", path=self._path, file=self._file.name)
            else:
                self._log.info("{path}: nothing was recorded, because nothing was published", path=self._path)
            self.finished.callback(None)
            return
        if self._stall is not None:
            if self._waiting < LOW_WATER:
                self._endStall()
                if self._subscription is not None:
                    self._subscription.resumeProducing()
            else:
                self._stall.reset(STALL_SECONDS)
        # To resume may have brought more at once, and set the thread to work on it.
        if (self._tags or self._ended) and not self._busy:
            self._work()

    def _failed(self, failure: Failure) -> None:
        """Keep what is on the disk, and say where that is, and why there is no more."""
        self._ended = True
        self._tags.clear()
        self._endStall()
        if self._subscription is not None:
            self._subscription.stopProducing()
            self._subscription = None
        file, self._file = self._file, None
        done = self._run(file.finish) if file is not None else succeed(None)
        done.addBoth(lambda result: self._logStop(failure, file, result))
        done.addCallback(self.finished.callback)

    def _logStop(self, failure: Failure, file: FLVFile | None, result: Failure | None) -> None:
        place = file.place if file is not None else ""
        self._log.error(
            "{path}: recording stopped: {error}; {place}",
            path=self._path,
            error=failure.getErrorMessage(),
            place=f"{place} has what came before" if place else "there is no file",
            failure=failure,
        )
        if result is not None:
            self._log.error(
                "{path}: the recording keeps the ending .part: {error}",
                path=self._path,
                error=result.getErrorMessage(),
            )

    # A disk that is too slow

    def _endStall(self) -> None:
        if self._stall is not None and self._stall.active():
            self._stall.cancel()
        self._stall = None

    def _beginGap(self) -> None:
        assert self._subscription is not None
        self._stall = None
        self._missed = 1
        self._log.error("{path}: the disk is too slow; the recording has a gap", path=self._path)
        self._subscription.resumeProducing()

    def _endGap(self, message: Message) -> bool:
        """
        @return: whether the file can go on with this message.
        """
        if self._waiting or self._busy or not self._stream.isAtKeyframe:
            self._missed += 1
            return False
        self._log.info(
            "{path}: the recording goes on; {count} messages are missing", path=self._path, count=self._missed - 1
        )
        self._missed = 0
        for header in self._stream.headers.messages(message.timestamp):
            self._add(header)
        return True

    def _add(self, message: Message) -> None:
        self._tags.append((message.type, self._fileClock.time(message), message.payload))
        self._waiting += _cost(message.payload)


def _cost(payload: bytes) -> int:
    """What a message counts for while it waits, bytes."""
    return len(payload) + MESSAGE_COST
