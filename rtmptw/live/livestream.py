# -*- test-case-name: tests.live.test_livestream -*-
"""
A live stream: a name, at most one publisher, a tape, and everybody who watches.

The path of a message: L{Publication.append} classifies it, keeps it if it is a header, encodes it once onto the tape,
and gives it to the subscribers. At the end of a read, L{Publication.flush} lets every viewer catch up with the tape.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IPushProducer, IReactorTime
from zope.interface import implementer

from rtmptw.errors import LocalProtocolError
from rtmptw.interfaces import IOutlet, IPublication, ISubscriber
from rtmptw.live.headers import HeaderCache
from rtmptw.live.image import decodeImages, encodeImage
from rtmptw.live.subscription import Subscription
from rtmptw.live.tape import Tape
from rtmptw.live.viewer import Viewer
from rtmptw.wire.media import classify, describe
from rtmptw.wire.message import Message, MessageType

__all__ = ["LiveStream", "Publication"]

#: How many messages may be on the tape that nobody needs, before they are forgotten.
_SURPLUS = 64


class LiveStream:
    """
    One stream.

    @ivar path: its identity, as L{rtmptw.requests.StreamRequest.path}.
    @ivar clock: what tells the time.
    @ivar publication: the publisher's hold on it, or L{None}.
    @ivar headers: what a late joiner must know.
    @ivar hasVideo: whether this publisher has sent a picture, or a header for pictures.
    """

    def __init__(self, path: str, clock: IReactorTime, unused: Callable[[LiveStream], None]) -> None:
        """
        @param unused: called when nobody publishes, plays or subscribes any more.
        """
        self.path = path
        self.clock = clock
        self.publication: Publication | None = None
        self.headers = HeaderCache()
        self._tape = Tape()
        self.hasVideo = False
        self._unused = unused
        self._viewers: dict[Viewer, None] = {}
        self._subscriptions: dict[Subscription, None] = {}
        self._holds: set[Subscription] = set()

    @property
    def viewers(self) -> int:
        """How many viewers there are."""
        return len(self._viewers)

    @property
    def isAtKeyframe(self) -> bool:
        """Whether the newest message is a place to start."""
        return self._tape.keyframe == self._tape.end - 1

    def publish(self, publisher: IPushProducer) -> Publication:
        """
        Give the name to a publisher.

        @param publisher: whom to hold when a subscriber must.
        @raise LocalProtocolError: if it has one; L{rtmptw.live.hub.StreamHub} asks before.
        """
        if self.publication is not None:
            raise LocalProtocolError(f"{self.path} is published already")
        self.publication = Publication(self, publisher)
        self.headers = HeaderCache()
        self._tape = Tape()
        self.hasVideo = False
        for viewer in self._viewers:
            viewer.begin(self._tape, self.headers)
        if self._holds:
            publisher.pauseProducing()
        return self.publication

    def play(self, outlet: IOutlet, streamId: int, ended: Callable[[], None]) -> Viewer:
        """See L{rtmptw.interfaces.IStreamHub.play}."""
        viewer = Viewer(self, outlet, streamId, ended)
        self._viewers[viewer] = None
        if self.publication is not None:
            viewer.begin(self._tape, self.headers)
            viewer.flush()
        return viewer

    def subscribe(self, subscriber: ISubscriber) -> Subscription:
        """See L{rtmptw.interfaces.IStreamHub.subscribe}."""
        subscription = Subscription(self, subscriber)
        self._subscriptions[subscription] = None
        if self.publication is not None:
            for message in self._past():
                subscription.give(message)
        return subscription

    def leave(self, viewer: Viewer) -> None:
        """A viewer goes."""
        self._viewers.pop(viewer, None)
        self._checkUse()

    def unsubscribe(self, subscription: Subscription) -> None:
        """A subscriber goes."""
        self._subscriptions.pop(subscription, None)
        self._checkUse()

    def hold(self, subscription: Subscription) -> None:
        """Do not read the publisher until this subscription is released."""
        if self.publication is not None and not self._holds:
            self.publication.publisher.pauseProducing()
        self._holds.add(subscription)

    def release(self, subscription: Subscription) -> None:
        """Undo L{hold}. Harmless when repeated."""
        if subscription in self._holds:
            self._holds.remove(subscription)
            if self.publication is not None and not self._holds:
                self.publication.publisher.resumeProducing()

    def _append(self, message: Message) -> None:
        """The hot path: once for each message, however many there are who want it."""
        image = encodeImage(message)
        tape = self._tape
        if not tape.hasRoom(len(image)):
            # One read may hold more than the tape: nobody who keeps up shall miss any of it.
            self._flush()
        isKeyframe = False
        if message.type == MessageType.DATA:
            self.headers.seeData(message)
        else:
            kind = classify(message.type, message.payload)
            if message.type == MessageType.VIDEO and not self.hasVideo and (kind.isHeader or kind.isFrame):
                # What came before counted as a place to start; it is none without a picture.
                self.hasVideo = True
                tape.keyframe = None
            if kind.isHeader:
                if self.headers.see(message):
                    # What is on the tape is not for the new headers.
                    tape.keyframe = None
            elif self.hasVideo:
                isKeyframe = kind.isKeyframe and _startsTrackZero(message)
            else:
                isKeyframe = kind.isFrame
        tape.append(image, message.type, message.timestamp, self.clock.seconds(), isKeyframe)
        for subscription in tuple(self._subscriptions):
            subscription.give(message)

    def _flush(self) -> None:
        for viewer in tuple(self._viewers):
            viewer.flush()
        tape = self._tape
        if tape.keyframe is not None and tape.keyframe - tape.first >= _SURPLUS:
            positions = [viewer.position for viewer in self._viewers if viewer.position is not None]
            tape.forget(min([tape.keyframe, *positions]))

    def _end(self, publisher: IPushProducer, reason: str) -> None:
        """The publisher has gone: subscribers first, then viewers, each after everything that came."""
        self.publication = None
        # Whoever is told may come back at once: for the next publisher.
        subscriptions, self._subscriptions = self._subscriptions, {}
        viewers, self._viewers = self._viewers, {}
        holds, self._holds = self._holds, set()
        for subscription in subscriptions:
            subscription.end(reason)
        for viewer in viewers:
            viewer.end()
        if holds:
            # It may have more to say, to another stream or for a proper farewell.
            publisher.resumeProducing()
        self._checkUse()

    def _past(self) -> list[Message]:
        """What a late subscriber is given first: as a late viewer is, but it need not wait for a keyframe."""
        tape = self._tape
        start = tape.keyframe
        if start is None and tape.first == 0:
            return decodeImages(tape.images(0))
        if start is None:
            start = tape.end
        timestamp = tape.entry(min(start, tape.end - 1)).timestamp
        return self.headers.messages(timestamp) + decodeImages(tape.images(start))

    def _checkUse(self) -> None:
        if self.publication is None and not self._viewers and not self._subscriptions:
            self._unused(self)


@implementer(IPublication)
class Publication:
    """
    A publisher's hold on a stream.

    @ivar path: the stream's identity.
    @ivar publisher: whom to hold when a subscriber must.
    """

    def __init__(self, stream: LiveStream, publisher: IPushProducer) -> None:
        self.path = stream.path
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


def _startsTrackZero(keyframe: Message) -> bool:
    """Whether a keyframe is the main track's: another track's is no place to start (wire facts 7.1)."""
    if keyframe.payload[0] & 0x8F not in (0x86, 0x87):
        return True
    return any(track.id == 0 for track in describe(keyframe.type, keyframe.payload).tracks)
