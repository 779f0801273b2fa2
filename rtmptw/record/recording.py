# -*- test-case-name: tests.record.test_recording -*-
"""
A recording: what one publish brings, on its way to the disk.

The reactor never waits for the disk
====================================
A recording collects messages. A thread takes a piece of them, up to about L{PIECE} bytes, writes it, and comes back for
the next: so a quick disk gets every message at once, a slow one gets larger pieces, and each piece that is done shows
that the disk gets on.

- When more than C{recordingQueueBytes} are waiting, the publisher is not read any more, until less than three quarters
  of that are. Where nobody watches, a disk that is slow but gets on thus loses nothing: it makes the publisher wait,
  however often and long.
- But live goes before the recording. A disk that finishes no piece for C{diskStallSeconds} while the publisher waits is
  out of order; and one that makes a stream that somebody watches fall so far behind the clock (L{rtmptw.record.lag}) is
  too slow. Then the publisher is read again, what comes is left out of the file, and when the disk has taken all that
  was waiting, the file goes on at a keyframe. The gap is logged. For L{PROBATION} behind it nobody who is watched is
  held again: should the disk be too slow all the time, there are gaps, but those who watch do not notice.
- When writing fails (a full disk, say, or a directory that is gone) the file is finished with what it has, and the log
  says why, and which file that is. The stream goes on. Every L{RETRY_SECONDS} it is tried again: with the next keyframe
  a new file begins. Tries that fail as well are not logged.
- A recording that is one too many waits for its turn, and begins at a keyframe then.

::

                        the disk is too slow                  writing fails
              STALLED <----------------------- [ AT WORK ] ------------------> BROKEN
                 |                                ^  ^  ^                         |
                 +--- all written, keyframe ------+  |  +-- RETRY_SECONDS, keyframe
                                                     |
                             WAITING --- its turn, keyframe

A publish that brings nothing leaves no file, but a line in the log.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from rtmptw.interfaces import ISubscriber, ISubscription
from rtmptw.limits import Limits, Reached
from rtmptw.live.livestream import LiveStream
from rtmptw.record.lag import Lag
from rtmptw.record.reel import Finished, Reel
from rtmptw.record.segment import Beginning, Entry, Segments
from rtmptw.record.space import NoSpace
from rtmptw.wire.message import Message

__all__ = ["MESSAGE_COST", "PIECE", "PROBATION", "RETRY_SECONDS", "Recording", "Run"]

#: How much the thread is given at a time, bytes; more only if a single message is larger.
PIECE = 1024 * 1024

#: What a waiting message costs beside its payload, bytes: many empty ones are much as well.
MESSAGE_COST = 256

#: How long after a failure it is tried again, seconds.
RETRY_SECONDS = 3.0

#: How long a disk must have kept up with a stream, behind a gap, before the stream waits for it again, seconds.
PROBATION = 60.0

#: A publisher that was held is read again when so much of what it was held for is left.
LOW_WATER = 0.75

_T = TypeVar("_T")
#: What runs a function somewhere else, such as C{partial(deferToThreadPool, reactor, pool)}.
Run = Callable[[Callable[[], _T]], "Deferred[_T]"]


class Away(Enum):
    """Why what comes is not recorded."""

    WAITING = "it is not its turn"
    ADMITTED = "it is its turn"
    STALLED = "the disk is too slow"
    BROKEN = "writing has failed"


@implementer(ISubscriber)
class Recording:
    """
    One recording.

    @ivar finished: fires when everything is done and on the disk, or never will be.
    """

    _log = Logger()

    def __init__(
        self,
        stream: LiveStream,
        segments: Segments,
        reel: Reel,
        clock: IReactorTime,
        run: Run[None],
        limits: Limits,
        reached: Reached,
        done: Callable[[Finished], None],
        waits: bool = False,
    ) -> None:
        """
        @param run: runs a blocking function in a thread.
        @param done: told of each file that is finished.
        @param waits: whether it is to wait until L{admit}.
        """
        self.finished: Deferred[None] = Deferred()
        self._stream = stream
        self._path = stream.path
        self._segments = segments
        self._reel = reel
        self._clock = clock
        self._run = run
        self._limits = limits
        self._reached = reached
        self._done = done
        self._away = Away.WAITING if waits else None
        self._subscription: ISubscription | None = None
        self._entries: deque[Entry] = deque()
        self._waiting = 0
        self._busy = False
        self._ended = False
        self._stall: IDelayedCall | None = None
        self._lag = Lag(clock, stream)
        self._keepsUpSince = float("-inf")
        self._retry: IDelayedCall | None = None
        self._isTrial = False
        self._missed = 0

    def start(self, subscription: ISubscription) -> None:
        """Use this subscription to hold the publisher. What the stream had before, it has given already."""
        self._subscription = subscription
        self._segments.isLive = True

    def admit(self) -> None:
        """It is its turn."""
        if self._away is Away.WAITING:
            self._away = Away.ADMITTED

    def stop(self) -> None:
        """Take no more. What has come is still written."""
        if self._subscription is not None:
            self._subscription.stopProducing()
            self.streamEnded("the recording is stopped")

    def messageReceived(self, message: Message) -> None:
        """One message for the file."""
        if self._ended:
            return
        self._lag.take(message)
        if self._away is None:
            self._add(self._segments.take(message))
        elif self._canReturn():
            self._return(message)
        else:
            self._missed += 1
            return
        if self._waiting > self._limits.recordingQueueBytes and self._stall is None and self._subscription is not None:
            self._reached.add("recordingQueueBytes")
            self._subscription.pauseProducing()
            self._lag.hold()
            self._stall = self._clock.callLater(self._patience(), self._beginGap)
        if self._entries and not self._busy:
            self._work()

    def streamEnded(self, reason: str) -> None:
        """Everything has come."""
        self._ended = True
        self._subscription = None
        self._endStall()
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if self._away is None:
            self._add(self._segments.end())
        if not self._busy:
            self._work()

    # At work

    def _add(self, entries: list[Entry]) -> None:
        self._entries.extend(entries)
        self._waiting += sum(map(_cost, entries))

    def _work(self) -> None:
        """Write a piece of what there is, in the thread; then the next; at the end, finish."""
        piece, size = self._takePiece()
        last = self._ended and not self._entries
        reel, before = self._reel, self._reel.written

        def work() -> None:
            if piece:
                reel.write(piece)
            if last:
                reel.finish()

        self._busy = True
        expected = before + sum(not isinstance(entry, Beginning) for entry in piece)
        self._run(work).addCallbacks(self._worked, self._failed, callbackArgs=(size, last), errbackArgs=(expected,))

    def _takePiece(self) -> tuple[list[Entry], int]:
        """What is to be written next, all into one file, and how much of what is waiting that is."""
        piece: list[Entry] = []
        size = 0
        while self._entries:
            cost = _cost(self._entries[0])
            if piece and (size + cost > PIECE or isinstance(self._entries[0], Beginning)):
                break
            piece.append(self._entries.popleft())
            size += cost
        return piece, size

    def _worked(self, _: None, size: int, last: bool) -> None:
        self._busy = False
        self._waiting -= size
        if not self._waiting:
            self._lag.end()
        self._report()
        if self._isTrial:
            self._isTrial = False
            self._log.info(
                "{path}: the recording goes on as {file}; about {count} messages are missing",
                path=self._path,
                file=self._reel.name or "a file of its own",
                count=self._missed,
            )
            self._missed = 0
        if last:
            self._close()
            return
        if self._stall is not None:
            if self._waiting < self._limits.recordingQueueBytes * LOW_WATER:
                self._release()
            else:
                self._stall.reset(self._patience())
        # To resume may have brought more at once, and set the thread to work on it.
        if (self._entries or self._ended) and not self._busy:
            self._work()

    def _close(self) -> None:
        """Say how it ended."""
        if self._missed:
            self._log.info(
                "{path}: the publish has ended; its last {count} messages or so are not recorded",
                path=self._path,
                count=self._missed,
            )
        elif not self._reel.written:
            self._log.info("{path}: nothing was recorded, because nothing was published", path=self._path)
        self.finished.callback(None)

    def _report(self) -> None:
        """Say what is finished, and tell who wants to know."""
        for finished in self._reel.takeFinished():
            if finished.failure is None:
                self._log.info("{path}: recorded as {file}", path=self._path, file=finished.file)
                self._done(finished)
            else:
                self._log.error(
                    "{path}: a recording can't be finished: {error}; {place}",
                    path=self._path,
                    error=finished.failure.getErrorMessage(),
                    place=_place(finished),
                    failure=finished.failure,
                )

    # A disk that is too slow

    def _patience(self) -> float:
        """How long the disk may take for its next piece, seconds. Who watches does not wait longer than that in all."""
        self._lag.look()
        if not self._lag.isFelt:
            return self._limits.diskStallSeconds
        if self._clock.seconds() - self._keepsUpSince < PROBATION:
            return 0.0
        return max(0.0, self._limits.diskStallSeconds - self._lag.seconds)

    def _release(self) -> None:
        """Let the publisher go on, if it is held."""
        held = self._stall is not None
        self._endStall()
        if held and self._subscription is not None:
            self._subscription.resumeProducing()

    def _endStall(self) -> None:
        if self._stall is not None and self._stall.active():
            self._stall.cancel()
        self._stall = None
        self._lag.release()

    def _beginGap(self) -> None:
        self._reached.add("diskStallSeconds")
        self._away = Away.STALLED
        self._segments.leave()
        self._log.error("{path}: the disk is too slow; the recording has a gap", path=self._path)
        self._release()

    def _canReturn(self) -> bool:
        """Whether what comes can be recorded again, beginning with the message that has just come."""
        isReady = self._away is not Away.WAITING and self._retry is None and not self._busy and not self._waiting
        return isReady and self._stream.isAtKeyframe

    def _return(self, message: Message) -> None:
        """Record again, from this message on."""
        away, self._away = self._away, None
        if away is Away.BROKEN:
            self._isTrial = True
            self._add(self._segments.begin(message, isAgain=True))
            return
        self._log.info(
            "{path}: the recording {verb}; {count} messages are missing",
            path=self._path,
            verb="goes on" if away is Away.STALLED else "begins",
            count=self._missed,
        )
        self._missed = 0
        if away is Away.STALLED:
            self._keepsUpSince = self._clock.seconds()
        self._add(self._segments.resume(message) if away is Away.STALLED else self._segments.begin(message))

    # A disk that takes nothing

    def _failed(self, failure: Failure, expected: int) -> None:
        """
        Keep what is on the disk.

        @param expected: how many tags there would be, if all were well.
        """
        self._away = Away.BROKEN
        self._missed += expected - self._reel.written + len(self._entries)
        self._entries.clear()
        self._lag.end()
        self._segments.leave()
        self._release()
        self._run(self._reel.finish).addBoth(lambda _: self._broken(failure))

    def _broken(self, failure: Failure) -> None:
        """The file is finished: say where it is, and why there is no more, once until it goes on."""
        self._busy = False
        self._waiting = 0
        wasTrial, self._isTrial = self._isTrial, False
        finished = self._reel.takeFinished()
        if not wasTrial:
            if isinstance(failure.value, NoSpace):
                self._reached.add(failure.value.limit)
            places = [_place(each) for each in finished] or ["there is no file"]
            unfinished = [each.failure.getErrorMessage() for each in finished if each.failure is not None and each.file]
            self._log.error(
                "{path}: recording stopped: {error}; {place}{again}",
                path=self._path,
                error=failure.getErrorMessage(),
                place="; ".join([*places, *[f"it keeps the ending .part: {error}" for error in unfinished]]),
                again="" if self._ended else f"; it is tried again every {RETRY_SECONDS:g} s",
                failure=failure,
            )
        for each in finished:
            if each.failure is None:
                self._done(each)
        if self._ended:
            self._close()
        else:
            self._retry = self._clock.callLater(RETRY_SECONDS, self._tryAgain)

    def _tryAgain(self) -> None:
        """With the next keyframe."""
        self._retry = None


def _place(finished: Finished) -> str:
    if not finished.file:
        return "there is no file any more"
    return f"{finished.file} has what came before"


def _cost(entry: Entry) -> int:
    """What something counts for while it waits, bytes."""
    return 0 if isinstance(entry, Beginning) else len(entry[2]) + MESSAGE_COST
