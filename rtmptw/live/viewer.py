# -*- test-case-name: tests.live.test_viewer -*-
"""
A viewer: a position on a stream's tape, and a connection that is sent what comes after it.

How fast a viewer is served
===========================
- In each round (L{rtmptw.live.rounds}), while its outlet is ready, it is given everything up to the end of the tape, in
  blocks that it shares with all who are at the same position (L{rtmptw.live.tape}).
- What the connection takes of a block at once is sent, and the message in which it stopped to its end. Nothing else is
  queued: the tape goes on, the viewer stays where it is.
- Too far behind, by bytes or by seconds, or off the tape, it goes on at the newest keyframe; headers again first, if
  they have changed. What it jumped over is counted. The publisher never waits for a viewer, but for one that is faster
  than anything live (L{rtmptw.live.pace}).
- When the stream has ended, the tape grows no more, and what is on it is sent, within C{restSeconds}
  (L{rtmptw.limits.Limits}).

Where it starts
===============
- Before the publisher: with the publisher's first message.
- Later: with metadata, every header, and the newest keyframe that the tape still has.
- If there is none (the last one is longer ago than the tape reaches, or than joiners are to be given): at the end of
  the tape, with metadata, every header, and all but video; with video from the next keyframe on. Who wants video again
  after a while without goes on in the same way where it is.
- If there has never been one (data only; video that we do not understand): at the end of the tape, with everything.
- A relay that has lost its connection: at the first keyframe that it has not sent yet, so that time never goes back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from zope.interface import implementer

from rtmptw.interfaces import IOutlet, IViewing
from rtmptw.live.edition import PLAIN
from rtmptw.live.headers import HeaderCache
from rtmptw.live.image import encodeImage
from rtmptw.live.pace import Pace
from rtmptw.live.tape import Tape
from rtmptw.wire.message import MessageType

if TYPE_CHECKING:
    from rtmptw.live.livestream import LiveStream

__all__ = ["END_DELAY", "Viewer"]

#: Seconds between the last frame and the news of the end: rtmp2src throws the last frame away if they come together
#: (wire facts 3.3).
END_DELAY = 0.1


@implementer(IViewing)
class Viewer:
    """
    One viewer of one stream.

    @ivar position: its place on the tape; L{None} while it has none.
    @ivar skipped: how many messages it has jumped over because it was slow.
    @ivar outlet: its connection.
    @ivar isInStep: whether there is nothing special about it: it was sent all there was, as it is on the tape. Then
        L{rtmptw.live.viewers} sends it the next block without asking it.
    @ivar isPaused: whether its peer wants nothing now.
    @ivar headerChanges: the state of the headers (L{HeaderCache}) that it has been sent.
    """

    #: There are thousands of them, and each round looks at all that are awake.
    # fmt: off
    __slots__ = (
        "_after", "_edition", "_ended", "_giveUpCall", "_headers", "_headersDue", "_isNew", "_isOver", "_jumped",
        "_pace", "_stopped", "_stream", "_tape", "headerChanges", "isInStep", "isPaused", "outlet", "position",
        "skipped",
    )
    # fmt: on

    _log = Logger()

    def __init__(
        self,
        stream: LiveStream,
        outlet: IOutlet,
        streamId: int,
        ended: Callable[[], None],
        after: int = 0,
        publishes: bool = False,
    ) -> None:
        """
        @param ended: called when the publisher has ended and all of it was handed to the outlet.
        @param after: a position; nothing before the first keyframe from there on is sent.
        @param publishes: whether it is a server that is sent the stream, for others to play: C{onMetaData} then goes
            behind C{@setDataFrame}.
        """
        self.position: int | None = None
        self.skipped = 0
        self.isInStep = False
        self._stream = stream
        self.outlet = outlet
        self._ended = ended
        self._after = after
        self._edition = PLAIN.changed(streamId=streamId, publishes=publishes)
        self._tape: Tape | None = None
        self._headers = HeaderCache()
        self.headerChanges = 0
        self.isPaused = False
        self._headersDue: frozenset[int] = frozenset()
        self._jumped = 0.0
        self._isNew = True
        self._isOver = False
        self._stopped = False
        self._pace: Pace | None = None
        self._giveUpCall: IDelayedCall | None = None
        outlet.attach(self.flush)

    def begin(self, tape: Tape, headers: HeaderCache) -> None:
        """A publisher has come; what it sends will be on C{tape}, its headers in C{headers}."""
        self._tape, self._headers, self.isInStep = tape, headers, False
        # Nothing has been forgotten yet, so nothing need be left out (wire facts 10.93).
        if tape.first == 0 and tape.keyframe is None and not self._after:
            self.position, self._isNew = 0, False

    @property
    def peer(self) -> str:
        """Who it is, for the log."""
        return str(self.outlet.peer)

    @property
    def lagBytes(self) -> int:
        """How much there is that it has not been sent yet."""
        return 0 if self._tape is None or self.position is None else self._tape.behind(self.position)

    @property
    def lagMilliseconds(self) -> float:
        """For how long the oldest of that has been there."""
        tape, position = self._tape, self.position
        if tape is None or position is None or not tape.behind(position):
            return 0.0
        return (self._stream.clock.seconds() - tape.written(position)) * 1000

    @property
    def isOver(self) -> bool:
        """Whether the publisher has gone."""
        return self._isOver

    def readdress(self, streamId: int) -> None:
        """Send on another message stream from now on."""
        self._edition, self.isInStep = self._edition.changed(streamId=streamId), False

    def end(self) -> None:
        """The publisher has gone. Send what is left, then say so."""
        self._isOver = True
        self.isInStep = False
        self.flush()
        if not self._stopped:
            self._giveUpCall = self._stream.clock.callLater(self._stream.limits.restSeconds, self._giveUp)

    def flush(self) -> None:
        """Send what the outlet will take."""
        tape, outlet = self._tape, self.outlet
        if tape is None or self._stopped:
            return
        if outlet.ready:
            self._stream.wake(self)
        if not self.isPaused and not self._mustWait(tape):
            if outlet.ready:
                if self._mustJump(tape):
                    self._jump(tape)
                self._send(tape, outlet)
            if self._pace is not None or not outlet.ready:
                self._keepPace(tape)
        if self._isOver and (self.isPaused or self._mustWait(tape) or self.position == tape.end):
            self._finish()

    def _send(self, tape: Tape, outlet: IOutlet) -> None:
        """Send whole messages up to the end of the tape, in blocks."""
        position = self.position
        assert position is not None
        while position < tape.end and outlet.ready:
            if self._edition is PLAIN and not self._headersDue:
                block, after = tape.block(position, outlet.block)
                taken = outlet.offer(block)
                if taken < len(block):
                    after = self.finishMessage(tape, position, taken, tape.images(position))
            else:
                after = self._sendTailored(tape, position)
            self.position = position = after
        if position == tape.end and not self._edition.soundOnly:
            self.headerChanges = self._headers.changes
        self.isInStep = position == tape.end and self._edition is PLAIN and not self._headersDue

    def finishMessage(self, tape: Tape, position: int, taken: int, images: list[bytes]) -> int:
        """
        The connection has taken a part of a block only: write the rest of the message in which it stopped.

        @param images: what the block was made of.
        @return: the position behind that message.
        """
        rest, after = tape.rest(position, taken, images)
        self.outlet.write(rest)
        return after

    def _sendTailored(self, tape: Tape, position: int) -> int:
        """
        Send what others are not sent in this way: some types only, or on another message stream, or headers first.

        @return: the position behind what was sent.
        """
        outlet, after = self.outlet, tape.reach(position, self.outlet.block)
        if self._edition.soundOnly and tape.keyframe is not None and tape.keyframe >= position:
            if tape.keyframe == position:
                self._getPicture(tape)
            else:
                after = min(after, tape.keyframe)
        if self._headersDue:
            self._sendHeaders(tape.timestamp(position), self._headersDue)
        if not outlet.ready:
            return position
        entries = tape.entries(position, after)
        edition = self._edition
        images = [edition.image(entry.type, entry.image) if edition.has(entry.type) else b"" for entry in entries]
        block = b"".join(images)
        taken = outlet.offer(block) if block else 0
        return after if taken == len(block) else self.finishMessage(tape, position, taken, images)

    def _getPicture(self, tape: Tape) -> None:
        """The keyframe has come that this viewer has waited for; video headers before it were withheld as well."""
        self._edition = self._edition.changed(soundOnly=False)
        if self.headerChanges != self._headers.changes and self.position is not None:
            self._sendHeaders(tape.timestamp(self.position))

    def _mustWait(self, tape: Tape) -> bool:
        """Whether there is nothing yet that it has not sent before."""
        if self.position is not None or not self._after:
            return False
        return tape.hasKeyframes if tape.keyframe is None else tape.keyframe < self._after

    def _mustJump(self, tape: Tape) -> bool:
        position = self.position
        if position is None or position < tape.first:
            return True
        if tape.keyframe is None or tape.keyframe <= position or self._isOver:
            return False
        stream, limits = self._stream, self._stream.limits
        if tape.behind(position) > limits.behindBytes:
            stream.reached.add("behindBytes")
            return True
        # What was on the tape before it came, or before it jumped, is no delay of its own.
        if stream.clock.seconds() - max(tape.written(position), self._jumped) > limits.behindSeconds:
            stream.reached.add("behindSeconds")
            return True
        return False

    def _jump(self, tape: Tape) -> None:
        """Start, or start again, at the newest keyframe; without one on the tape, at its end and with sound alone."""
        position, hadPicture = self.position, not self._edition.soundOnly
        # The cache is bounded for those who come; who is here already needs a place to go on.
        keyframe = tape.start if self._isNew and not self._after else tape.keyframe
        self._isNew = False
        self._jumped = self._stream.clock.seconds()
        self.position = tape.end if keyframe is None else keyframe
        self._edition = self._edition.changed(soundOnly=keyframe is None and tape.hasKeyframes)
        if position is not None:
            self._miss(self.position - position)
        if self._edition.soundOnly and hadPicture:
            self._log.info(
                "{path}: {peer} has no picture before the next keyframe, because the last one was too long ago",
                path=self._stream.path,
                peer=self.outlet.peer,
            )
        if position is None or self.headerChanges != self._headers.changes:
            self._sendHeaders(tape.timestamp(min(self.position, tape.end - 1)))

    def _keepPace(self, tape: Tape) -> None:
        if self._isOver or self.position is None:
            self._letGo()
        else:
            if self._pace is None:
                self._pace = Pace(self._stream)
            self._pace.keep(tape, self.position)

    def _letGo(self) -> None:
        if self._pace is not None:
            self._pace.letGo()
            self._pace = None

    def _sendHeaders(self, timestamp: int, types: frozenset[int] | None = None) -> None:
        """Metadata and headers, all or of some types, with the time of the frame that will follow, ms."""
        if types is None:
            self.headerChanges = self._headers.changes
        self._headersDue = frozenset()
        messages = [
            header
            for header in self._headers.messages(timestamp)
            if header.type not in self._edition.refused and (types is None or header.type in types)
        ]
        if messages:
            self.outlet.write(
                b"".join([self._edition.image(message.type, encodeImage(message)) for message in messages])
            )

    def _miss(self, count: int) -> None:
        if not self.skipped:
            self._log.warn(
                "{path}: {peer} is too slow a viewer; {count} messages are left out",
                path=self._stream.path,
                peer=self.outlet.peer,
                count=count,
            )
        self.skipped += count

    def _finish(self) -> None:
        self._detach()
        self._stream.clock.callLater(END_DELAY, self._sayEnd)

    def _giveUp(self) -> None:
        """It has taken so little for so long that the rest is not worth the memory."""
        self._giveUpCall = None
        self._stream.reached.add("restSeconds")
        self._log.warn(
            "{path}: {peer} took too long for the rest; {size} bytes are left out",
            path=self._stream.path,
            peer=self.outlet.peer,
            size=self.lagBytes,
        )
        self._finish()

    def _sayEnd(self) -> None:
        ended, self._ended = self._ended, _nothing
        ended()

    def _detach(self) -> None:
        self._stopped, self.isInStep = True, False
        self._letGo()
        if self._giveUpCall is not None:
            self._giveUpCall.cancel()
            self._giveUpCall = None
        # It may be kept for a while, the tape need not be.
        self._tape = None
        self.outlet.detach(self.flush)
        if self.skipped:
            self._log.info(
                "{path}: {peer} was too slow a viewer; {count} messages were left out in all",
                path=self._stream.path,
                peer=self.outlet.peer,
                count=self.skipped,
            )

    # IViewing

    @property
    def isOn(self) -> bool:
        """See L{IViewing.isOn}."""
        return self._stream.isOn

    def pause(self) -> None:
        """See L{IViewing.pause}."""
        self.isPaused = True
        self.isInStep = False
        self._letGo()

    def resume(self) -> None:
        """
        See L{IViewing.resume}.

        If no keyframe has come meanwhile it goes on where it was: time never goes back.
        """
        if self.isPaused:
            self.isPaused = False
            tape = self._tape
            if tape is not None and self.position is not None and self.position < max(tape.first, tape.keyframe or 0):
                self.position = None
            self.flush()

    def receive(self, type: int, wanted: bool) -> None:
        """
        See L{IViewing.receive}.

        What is wanted again comes from where the viewer is, video from the next keyframe: time never goes back.
        """
        self.isInStep = False
        if not wanted:
            self._edition = self._edition.changed(refused=self._edition.refused | {type})
        elif type in self._edition.refused:
            self._edition = self._edition.changed(refused=self._edition.refused - {type})
            self._headersDue |= {type}
            if type == MessageType.VIDEO and self._tape is not None:
                self._edition = self._edition.changed(soundOnly=self._tape.hasKeyframes)
            self.flush()

    def stop(self) -> None:
        """See L{IViewing.stop}."""
        self._ended = _nothing
        self._stream.leave(self)
        if not self._stopped:
            self._detach()


def _nothing() -> None:
    """What is called when there is nobody left to tell."""
