# -*- test-case-name: tests.live.test_viewer -*-
"""
A viewer: a position on a stream's tape, and a connection that is sent what comes after it.

How fast a viewer is served
===========================
- While its outlet is ready, it is given everything up to the end of the tape, in blocks, whole messages only.
- While its outlet is full nothing is sent, and nothing is queued: the tape goes on, the viewer stays where it is.
- Too far behind, by bytes or by seconds, or off the tape, it goes on at the newest keyframe; headers again first, if
  they have changed. What it missed is counted. The publisher never waits for a viewer.
- When the publisher has gone, the tape grows no more, and what is on it is sent however long that takes.

Where it starts
===============
- Before the publisher: with the publisher's first message.
- Later: with metadata, every header, and the newest keyframe that the tape still has. If there is none, with the next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.logger import Logger
from zope.interface import implementer

from rtmptw.interfaces import IOutlet, IViewing
from rtmptw.live.headers import HeaderCache
from rtmptw.live.image import address, encodeImage
from rtmptw.live.tape import Entry, Tape

if TYPE_CHECKING:
    from rtmptw.live.livestream import LiveStream

__all__ = ["BLOCK", "END_DELAY", "MAX_BEHIND_BYTES", "MAX_BEHIND_SECONDS", "Viewer"]

#: How much is handed to the outlet at a time, bytes.
BLOCK = 128 * 1024

#: How far a viewer may be behind before it skips.
MAX_BEHIND_BYTES = 8 * 1024 * 1024
MAX_BEHIND_SECONDS = 5.0

#: Seconds between the last frame and the news of the end: rtmp2src throws the last frame away if they come together
#: (wire facts 3.3).
END_DELAY = 0.1


@implementer(IViewing)
class Viewer:
    """
    One viewer of one stream.

    @ivar position: its place on the tape; L{None} while it waits for a place to start. If the tape has forgotten that
        place, it waits for a keyframe.
    @ivar skipped: how many messages it has missed because it was slow.
    """

    _log = Logger()

    def __init__(self, stream: LiveStream, outlet: IOutlet, streamId: int, ended: Callable[[], None]) -> None:
        self.position: int | None = None
        self.skipped = 0
        self._stream = stream
        self._outlet = outlet
        self._streamId = streamId.to_bytes(4, "little")
        self._ended = ended
        self._tape: Tape | None = None
        self._headers = HeaderCache()
        self._headerChanges = 0
        self._paused = False
        self._unwanted: frozenset[int] = frozenset()
        self._isOver = False
        self._stopped = False
        outlet.attach(self.flush)

    def begin(self, tape: Tape, headers: HeaderCache) -> None:
        """A publisher has come; what it sends will be on C{tape}, its headers in C{headers}."""
        self._tape, self._headers = tape, headers
        # Nothing has been forgotten yet, so nothing need be left out (wire facts 10.93).
        if tape.first == 0 and tape.keyframe is None:
            self.position = 0

    def end(self) -> None:
        """The publisher has gone. Send what is left, then say so."""
        self._isOver = True
        self.flush()

    def flush(self) -> None:
        """Send what the outlet will take."""
        tape, outlet = self._tape, self._outlet
        if tape is None or self._stopped:
            return
        if not self._paused:
            if outlet.ready and self._mustJump(tape):
                self._goToKeyframe(tape)
            position = self.position
            if position is not None and position >= tape.first:
                while outlet.ready and position < tape.end:
                    entries = tape.entries(position, BLOCK)
                    self.position = position = position + len(entries)
                    self._send(entries)
                if position == tape.end:
                    self._headerChanges = self._headers.changes
        if self._isOver and (self._paused or self._hasAll(tape)):
            self._finish()

    def _send(self, entries: list[Entry]) -> None:
        if self._unwanted:
            entries = [entry for entry in entries if entry.type not in self._unwanted]
        block = b"".join([address(entry.image, self._streamId) for entry in entries])
        if block:
            self._outlet.write(block)

    def _hasAll(self, tape: Tape) -> bool:
        """Whether there is nothing more to send; for one that waits, nothing to start with."""
        if self.position is None or self.position < tape.first:
            return tape.keyframe is None
        return self.position == tape.end

    def _mustJump(self, tape: Tape) -> bool:
        position = self.position
        if position is None or position < tape.first:
            return True
        if self._isOver or tape.keyframe is None or tape.keyframe <= position:
            return False
        if tape.behind(position) > MAX_BEHIND_BYTES:
            return True
        return self._stream.clock.seconds() - tape.entry(position).written > MAX_BEHIND_SECONDS

    def _goToKeyframe(self, tape: Tape) -> None:
        """Start, or start again, at the newest keyframe. Without one on the tape, wait for the next."""
        keyframe, position = tape.keyframe, self.position
        if keyframe is None:
            return
        if position is not None:
            self._miss(keyframe - position)
        self.position = keyframe
        if position is None or self._headerChanges != self._headers.changes:
            self._headerChanges = self._headers.changes
            headers = [
                address(encodeImage(header), self._streamId)
                for header in self._headers.messages(tape.entry(keyframe).timestamp)
                if header.type not in self._unwanted
            ]
            if headers:
                self._outlet.write(b"".join(headers))

    def _miss(self, count: int) -> None:
        if not self.skipped:
            self._log.warn(
                "{path}: a viewer is too slow; {count} messages are left out", path=self._stream.path, count=count
            )
        self.skipped += count

    def _finish(self) -> None:
        self._detach()
        self._stream.clock.callLater(END_DELAY, self._sayEnd)

    def _sayEnd(self) -> None:
        ended, self._ended = self._ended, _nothing
        ended()

    def _detach(self) -> None:
        self._stopped = True
        self._outlet.detach(self.flush)

    # IViewing

    def pause(self) -> None:
        """See L{IViewing.pause}."""
        self._paused = True

    def resume(self) -> None:
        """
        See L{IViewing.resume}.

        If no keyframe has come meanwhile it goes on where it was: time never goes back.
        """
        if self._paused:
            self._paused = False
            tape = self._tape
            if tape is not None and self.position is not None and self.position < max(tape.first, tape.keyframe or 0):
                self.position = None
            self.flush()

    def receive(self, type: int, wanted: bool) -> None:
        """See L{IViewing.receive}."""
        if wanted and type in self._unwanted:
            self._unwanted -= {type}
            self.position = None
            self.flush()
        elif not wanted:
            self._unwanted |= {type}

    def stop(self) -> None:
        """See L{IViewing.stop}."""
        self._ended = _nothing
        if not self._stopped:
            self._detach()
        self._stream.leave(self)


def _nothing() -> None:
    """What is called when there is nobody left to tell."""
