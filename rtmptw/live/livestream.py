# -*- test-case-name: tests.live.test_livestream -*-
"""
A live stream: a name, at most one publisher, a tape, and everybody who watches.

The path of a message: L{Publication.append} classifies it, keeps it if it is a header, encodes it once onto the tape,
and gives it to the subscribers. At the end of a read, L{Publication.flush} asks for a round, in which every viewer
catches up with the tape (L{rtmptw.live.rounds}).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from rtmptw.errors import LocalProtocolError
from rtmptw.interfaces import IOutlet, IPublication, ISubscriber
from rtmptw.live.headers import HeaderCache
from rtmptw.live.image import decodeImages, encodeImage
from rtmptw.live.rounds import Rounds
from rtmptw.live.subscription import Subscription
from rtmptw.live.tape import CacheLimits, Tape
from rtmptw.live.viewer import Viewer
from rtmptw.wire.media import MediaKind, classify, describe
from rtmptw.wire.message import Message, MessageType

__all__ = ["FULL", "LiveStream", "Publication"]

#: How many messages may be on the tape that nobody needs, before they are forgotten.
_SURPLUS = 64

#: How many bytes make a block that is sent at once: to gather more would make no send any larger.
FULL = 256 * 1024

#: Greater than every track ID, which is one byte.
_NO_TRACK = 256


class LiveStream:
    """
    One stream.

    @ivar path: its identity, as L{rtmptw.requests.StreamRequest.path}.
    @ivar clock: what tells the time.
    @ivar publication: the publisher's hold on it, or L{None}.
    @ivar headers: what a late joiner must know.
    @ivar audience: how many watch or subscribe because they want this stream by its name; relays and recorders, which
        take what there is, do not count.
    @ivar hasVideo: whether this publisher has sent a picture, or a header for pictures.
    """

    _log = Logger()

    def __init__(
        self,
        path: str,
        clock: IReactorTime,
        left: Callable[[LiveStream], None],
        rounds: Rounds,
        cache: CacheLimits | None = None,
    ) -> None:
        """
        @param left: called when somebody has gone.
        @param rounds: those of the process.
        @param cache: how far back a joiner may start.
        """
        self.path = path
        self.clock = clock
        self.publication: Publication | None = None
        self.headers = HeaderCache()
        self._rounds = rounds
        self._cache = cache
        self._tape = Tape(cache=cache)
        self._served = 0
        # The time of the messages of one read; asked once for all of them.
        self._now = 0.0
        self._keyframe: int | None = None
        self.hasVideo = False
        self._mainTrack = _NO_TRACK
        self._left = left
        self._audience: set[Viewer | Subscription] = set()
        self._viewers: dict[Viewer, None] = {}
        self._subscriptions: dict[Subscription, None] = {}
        self._holds: set[object] = set()

    @property
    def audience(self) -> int:
        """See the class."""
        return len(self._audience)

    @property
    def viewers(self) -> tuple[Viewer, ...]:
        """Those who watch now."""
        return tuple(self._viewers)

    @property
    def isUnused(self) -> bool:
        """Whether nobody publishes, plays or subscribes."""
        return self.publication is None and not self._viewers and not self._subscriptions

    @property
    def isAtKeyframe(self) -> bool:
        """Whether the newest message is a place to start."""
        return self._tape.keyframe == self._tape.end - 1

    def publish(self, publisher: IPushProducer, hops: tuple[str, ...] = ()) -> Publication:
        """
        Give the name to a publisher.

        @param publisher: whom to hold when a subscriber must.
        @param hops: the servers that it comes through.
        @raise LocalProtocolError: if it has one; L{rtmptw.live.hub.StreamHub} asks before.
        """
        if self.publication is not None:
            raise LocalProtocolError(f"{self.path} is published already")
        self.publication = Publication(self, publisher, hops)
        self.headers = HeaderCache()
        self._served = 0
        self._keyframe = None
        self.hasVideo = False
        self._mainTrack = _NO_TRACK
        for viewer in self._viewers:
            viewer.begin(self._tape, self.headers)
        if self._holds:
            publisher.pauseProducing()
        return self.publication

    def play(
        self,
        outlet: IOutlet,
        streamId: int,
        ended: Callable[[], None],
        *,
        after: int = 0,
        publishes: bool = False,
        isAudience: bool = False,
    ) -> Viewer:
        """
        See L{rtmptw.interfaces.IStreamHub.play} and L{Viewer}.

        @param isAudience: whether it counts for L{audience}.
        """
        viewer = Viewer(self, outlet, streamId, ended, after, publishes)
        self._viewers[viewer] = None
        if isAudience:
            self._audience.add(viewer)
        if self.publication is not None:
            viewer.begin(self._tape, self.headers)
            viewer.flush()
        return viewer

    def subscribe(self, subscriber: ISubscriber, *, isAudience: bool = False) -> Subscription:
        """
        See L{rtmptw.interfaces.IStreamHub.subscribe}.

        @param isAudience: whether it counts for L{audience}.
        """
        subscription = Subscription(self, subscriber)
        self._subscriptions[subscription] = None
        if isAudience:
            self._audience.add(subscription)
        if self.publication is not None:
            for message in self._past():
                subscription.give(message)
        return subscription

    def leave(self, viewer: Viewer) -> None:
        """A viewer goes."""
        self._viewers.pop(viewer, None)
        self._audience.discard(viewer)
        self._left(self)

    def unsubscribe(self, subscription: Subscription) -> None:
        """A subscriber goes."""
        self._subscriptions.pop(subscription, None)
        self._audience.discard(subscription)
        self._left(self)

    def hold(self, reader: object) -> None:
        """Do not read the publisher until this subscription or viewer is released."""
        if self.publication is not None and not self._holds:
            self.publication.publisher.pauseProducing()
        self._holds.add(reader)

    def release(self, reader: object) -> None:
        """Undo L{hold}. Harmless when repeated."""
        if reader in self._holds:
            self._holds.remove(reader)
            if self.publication is not None and not self._holds:
                self.publication.publisher.resumeProducing()

    def _append(self, message: Message) -> None:
        """The hot path: once for each message, however many there are who want it."""
        image = encodeImage(message)
        tape, type = self._tape, message.type
        if not tape.hasRoom(len(image)):
            # One read may hold more than the tape: nobody who keeps up shall miss any of it.
            self._serveAll()
        isKeyframe = False
        if type == 18:  # MessageType.DATA, whose name costs more than all the rest
            self.headers.seeData(message)
        else:
            kind = classify(type, message.payload)
            if kind.isHeader or kind.isKeyframe or not self.hasVideo:
                isKeyframe = self._look(message, kind)
        if not self._now:
            self._now = self.clock.seconds()
        tape.append(image, type, message.timestamp, self._now, isKeyframe)
        if self._subscriptions:
            for subscription in tuple(self._subscriptions):
                subscription.give(message)

    def _look(self, message: Message, kind: MediaKind) -> bool:
        """
        Look at a message that is more than one of many frames.

        @return: whether it is a place to start.
        """
        tape = self._tape
        if message.type == MessageType.VIDEO and not self.hasVideo and (kind.isHeader or kind.isFrame):
            # What came before counted as a place to start; it is none without a picture.
            self.hasVideo = True
            tape.keyframe = None
        if kind.isHeader:
            if message.type == MessageType.VIDEO and kind is MediaKind.SEQUENCE_HEADER:
                self._seeTrack(message)
            if self.headers.see(message):
                # What is on the tape is not for the new headers.
                tape.keyframe = None
            return False
        return kind.isKeyframe and self._seeTrack(message) if self.hasVideo else kind.isFrame

    def _seeTrack(self, message: Message) -> bool:
        """
        Look at the track of a video header or keyframe. The main track is the one with the lowest ID so far.

        Colour metadata must not be asked: FFmpeg sends every track's as if it were track 0's.

        @return: whether it is the main track's: another track's keyframe is no place to start (wire facts 7.1).
        """
        track = _lowestTrack(message)
        self._mainTrack = min(self._mainTrack, track)
        return track == self._mainTrack

    def _flush(self) -> None:
        self._now = 0.0
        if self._viewers:
            self._rounds.due(self, self._tape.bytes - self._served >= FULL)
        else:
            self.served()

    def _serveAll(self) -> None:
        """Do not wait for the next round."""
        for _ in self.round():
            pass

    def round(self) -> Iterator[None]:
        """
        Give each viewer all there is for it, one at each step.

        This is the hot loop of a server with many viewers. Nearly all of them are in step: they are at the same place,
        and are sent the same block. Whatever is called for each of them costs more than it seems, since behind every
        send the processor has forgotten all but the bytes that were sent.
        """
        tape, changes = self._tape, self.headers.changes
        block, size, start, end, room = b"", 0, -1, -1, 0
        for viewer in self.viewers:
            position, outlet = viewer.position, viewer.outlet
            if position == tape.end:
                continue
            try:
                if viewer.isInStep and position is not None and outlet.ready and position >= tape.first:
                    if position != start or end != tape.end or room != outlet.block:
                        start, room = position, outlet.block
                        block, end = tape.block(start, room)
                        size = len(block)
                    taken = outlet.offer(block)
                    if taken == size:
                        viewer.position = end
                        if end == tape.end:
                            viewer.headerChanges = changes
                    else:
                        viewer.position = viewer.finishMessage(tape, start, taken, tape.images(start))
                if viewer.position != tape.end:
                    viewer.flush()
            except Exception:
                self._fail(viewer)
            yield
        self.served()

    def served(self) -> None:
        """Every viewer has been given what there is. Forget what nobody needs any more, once for each keyframe."""
        tape = self._tape
        self._served = tape.bytes
        if tape.keyframe != self._keyframe and tape.keyframe is not None and tape.keyframe - tape.first >= _SURPLUS:
            self._keyframe = tape.keyframe
            positions = [viewer.position for viewer in self._viewers if viewer.position is not None]
            tape.forget(min([tape.keyframe, *positions]))

    def _end(self, publisher: IPushProducer, reason: str) -> None:
        """The publisher has gone: subscribers first, then viewers, each after everything that came."""
        self.publication = None
        # Whoever is still to be given the rest of the last tape has it; nobody else shall keep it.
        self._tape = Tape(cache=self._cache)
        # Whoever is told may come back at once: for the next publisher.
        subscriptions, self._subscriptions = self._subscriptions, {}
        viewers, self._viewers = self._viewers, {}
        holds, self._holds = self._holds, set()
        self._audience.clear()
        for subscription in subscriptions:
            subscription.end(reason)
        for viewer in viewers:
            try:
                viewer.end()
            except Exception:
                self._fail(viewer)
        if holds:
            # It may have more to say, to another stream or for a proper farewell.
            publisher.resumeProducing()
        self._left(self)

    def _fail(self, viewer: Viewer) -> None:
        """What goes wrong with one viewer costs that viewer alone. To be called while the exception is handled."""
        self._log.failure("{path}: a viewer has failed and is dropped", path=self.path)
        viewer.stop()

    def _past(self) -> list[Message]:
        """What a late subscriber is given first: as a late viewer is, but no video is kept from it."""
        tape = self._tape
        start = tape.start
        if start is None and tape.keyframe is None and tape.first == 0:
            return decodeImages(tape.images(0))
        if start is None:
            start = tape.end
        timestamp = tape.entry(min(start, tape.end - 1)).timestamp
        return self.headers.messages(timestamp) + decodeImages(tape.images(start))


@implementer(IPublication)
class Publication:
    """
    A publisher's hold on a stream.

    @ivar path: the stream's identity.
    @ivar publisher: whom to hold when a subscriber must.
    @ivar hops: the servers that it comes through, the first one first; none, if it comes from an encoder.
    """

    def __init__(self, stream: LiveStream, publisher: IPushProducer, hops: tuple[str, ...] = ()) -> None:
        self.path = stream.path
        self.hops = hops
        self.publisher = publisher
        self._stream: LiveStream | None = stream

    def append(self, message: Message) -> None:
        """
        See L{IPublication.append}.

        @raise LocalProtocolError: after L{end}, or if it is no message for a stream.
        """
        if self._stream is None:
            raise LocalProtocolError(f"{self.path}: this publication has ended")
        self._stream._append(message)

    def clearMetadata(self, name: str) -> None:
        """See L{IPublication.clearMetadata}."""
        if self._stream is not None:
            self._stream.headers.forgetData(name)

    def flush(self) -> None:
        """See L{IPublication.flush}."""
        if self._stream is not None:
            self._stream._flush()

    def end(self, reason: str) -> None:
        """See L{IPublication.end}."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream._end(self.publisher, reason)


def _lowestTrack(message: Message) -> int:
    """The lowest ID among the tracks of a video header or keyframe; 0 if it is not multitrack."""
    if message.payload[0] & 0x8F not in (0x86, 0x87):
        return 0
    return min(track.id for track in describe(message.type, message.payload).tracks)
