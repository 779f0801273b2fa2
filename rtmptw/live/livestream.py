# -*- test-case-name: tests.live.test_livestream -*-
"""
A live stream: a name, at most one publisher, a tape, and everybody who watches.

The path of a message: L{LiveStream.append} sees to its time, classifies it, keeps it if it is a header, encodes it once
onto the tape, and gives it to the subscribers. At the end of a read, L{LiveStream.flush} asks for a round, in which
every viewer that takes anything catches up with the tape (L{rtmptw.live.rounds}, L{rtmptw.live.viewers}).

A stream outlives its publisher
===============================
When a publisher has gone (L{rtmptw.live.publication}), those who watch are kept for a while, on the same tape. If he
comes back, by whatever connection, it goes on: from his first keyframe, with the headers that have changed, and with
times that go on (L{rtmptw.live.continuity}). If he does not, or if nobody watches, the stream is over. For those who
watch there is one stream with a gap.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.logger import Logger

from rtmptw.errors import LocalProtocolError
from rtmptw.interfaces import IOutlet, ISubscriber
from rtmptw.limits import Limits, Reached
from rtmptw.live.brake import Brake
from rtmptw.live.continuity import Continuity
from rtmptw.live.headers import HeaderCache
from rtmptw.live.image import encodeImage
from rtmptw.live.picture import Picture
from rtmptw.live.publication import Publication
from rtmptw.live.rounds import Rounds
from rtmptw.live.streamclock import FORWARD
from rtmptw.live.subscription import Subscription
from rtmptw.live.tape import FULL, CacheLimits, Tape
from rtmptw.live.viewer import Viewer
from rtmptw.live.viewers import Viewers
from rtmptw.wire.media import MediaKind, classify
from rtmptw.wire.message import Message

__all__ = ["GRACE_SECONDS", "LiveStream"]

#: How many messages may be on the tape that nobody needs, before they are forgotten.
_SURPLUS = 64

#: How long a stream waits for a publisher that has gone, seconds.
GRACE_SECONDS = 10.0


class LiveStream:
    """
    One stream.

    @ivar path: its identity, as L{rtmptw.requests.StreamRequest.path}.
    @ivar clock: what tells the time.
    @ivar publication: the publisher's hold on it, or L{None}.
    @ivar awaited: the hold of a publisher that has gone and may come back, or L{None}.
    @ivar grace: how long such a one is waited for, seconds; 0: not at all.
    @ivar hops: the servers that it comes through, or came through last.
    @ivar limits: how far viewers may be behind, and the like.
    @ivar reached: how often these were reached.
    @ivar headers: what a late joiner must know.
    @ivar tape: what has come, as far as it is kept.
    @ivar continuity: what makes one stream of it; it counts the times that were repaired.
    @ivar audience: how many watch or subscribe because they want this stream by its name; relays and recorders, which
        take what there is, do not count.
    """

    _log = Logger()

    def __init__(
        self,
        path: str,
        clock: IReactorTime,
        left: Callable[[LiveStream], None],
        rounds: Rounds,
        cache: CacheLimits | None = None,
        grace: float = 0.0,
        limits: Limits | None = None,
        reached: Reached | None = None,
    ) -> None:
        """
        @param left: called when somebody has gone.
        @param rounds: those of the process.
        @param cache: how far back a joiner may start.
        """
        self.path = path
        self.clock = clock
        self.publication: Publication | None = None
        self.awaited: Publication | None = None
        self.grace = grace
        self.limits = limits or Limits()
        self.reached = reached or Reached()
        self.hops: tuple[str, ...] = ()
        self._left = left
        self._rounds = rounds
        self._cache = cache
        # The time of the messages of one read, asked once for all of them; and of the last one that brought any.
        self._now = self._heard = 0.0
        self._waiting: IDelayedCall | None = None
        self._reason = ""
        self._begin()
        self._audience: set[Viewer | Subscription] = set()
        self._viewers = Viewers(path)
        self._subscriptions: dict[Subscription, None] = {}
        self._brake = Brake()

    @property
    def audience(self) -> int:
        """See the class."""
        return len(self._audience)

    @property
    def viewers(self) -> tuple[Viewer, ...]:
        """Those who watch now."""
        return tuple(self._viewers)

    @property
    def isOn(self) -> bool:
        """Whether somebody publishes it, or may come back to do so."""
        return self.publication is not None or self.awaited is not None

    @property
    def isWatched(self) -> bool:
        """Whether anybody plays or subscribes."""
        return bool(self._viewers or self._subscriptions)

    @property
    def isUnused(self) -> bool:
        """Whether nobody publishes, plays or subscribes."""
        return not self.isOn and not self.isWatched

    @property
    def quiet(self) -> float:
        """For how long no message has come, seconds. Who is held can't be heard: that is no silence."""
        return 0.0 if self._brake.isOn else self.clock.seconds() - self._heard

    @property
    def isAtKeyframe(self) -> bool:
        """Whether the newest message is a place to start."""
        return self.tape.keyframe == self.tape.end - 1

    def _begin(self) -> None:
        """Nothing has come yet."""
        self.headers = HeaderCache()
        self.tape = Tape(cache=self._cache)
        self.continuity = Continuity(self.path)
        self._picture = Picture()
        self._served = 0
        self._keyframe: int | None = None

    def publish(self, publisher: IPushProducer, hops: tuple[str, ...] = (), principal: str = "") -> Publication:
        """
        Give the name to a publisher. If one is awaited, this one goes on with the stream.

        @param publisher: whom to hold when a subscriber must.
        @param hops: the servers that it comes through.
        @param principal: who that is, as far as proven.
        @raise LocalProtocolError: if it has one; L{rtmptw.live.hub.StreamHub} asks before.
        """
        if self.publication is not None:
            raise LocalProtocolError(f"{self.path} is published already")
        now = self.clock.seconds()
        if self.awaited is not None:
            self._resume(now)
        else:
            for viewer in self._viewers:
                viewer.begin(self.tape, self.headers)
        self.publication, self.hops = Publication(self, publisher, hops, principal), hops
        self._heard = now
        self._brake.change(publisher)
        return self.publication

    def lose(self, reason: str, isSaid: bool = False) -> None:
        """See L{rtmptw.interfaces.IPublication.suspend}. The publisher is waited for, if anybody watches."""
        self.vacate(reason)
        if self.awaited is not None:
            self._waiting = self.clock.callLater(self.grace, self._giveUp)
            if not isSaid:
                words = "{path}: its publisher is lost ({reason}), and is waited for, {grace:g} s at most"
                self._log.info(words, path=self.path, reason=reason, grace=self.grace)

    def _giveUp(self) -> None:
        self._log.info("{path}: nobody has come back in {grace:g} s", path=self.path, grace=self.grace)
        self.end(self._reason)

    def vacate(self, reason: str) -> None:
        """
        The publisher loses the name. Those who watch stay for the next one, who is to come at once; without any, or if
        streams end with their publishers, this one ends.
        """
        if self.publication is None or not (self.grace and self.isWatched):
            self.end(reason)
        else:
            # What is left for them leaves now.
            self.flush()
            self.awaited, self.publication, self._reason = self.publication, None, reason
            self._brake.change(None)

    def _resume(self, now: float) -> None:
        """Another connection goes on with this stream."""
        self._stopWaiting()
        outage = max(0.0, now - self._heard)
        self._log.info("{path}: it goes on, after {outage:.1f} s", path=self.path, outage=outage)
        self.continuity.resume(outage, self._picture.isThere)
        self._picture = Picture()

    def _stopWaiting(self) -> None:
        self.awaited = None
        waiting, self._waiting = self._waiting, None
        if waiting is not None and waiting.active():
            waiting.cancel()

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
        self._viewers.add(viewer)
        if isAudience:
            self._audience.add(viewer)
        if self.isOn:
            viewer.begin(self.tape, self.headers)
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
        if self.isOn:
            subscription.begin(self.tape, self.headers)
        return subscription

    def leave(self, viewer: Viewer) -> None:
        """A viewer goes."""
        self._viewers.remove(viewer)
        self._audience.discard(viewer)
        self._goneFrom()

    def wake(self, viewer: Viewer) -> None:
        """A viewer takes something again."""
        self._viewers.wake(viewer)

    def unsubscribe(self, subscription: Subscription) -> None:
        """A subscriber goes."""
        self._subscriptions.pop(subscription, None)
        self._audience.discard(subscription)
        self._goneFrom()

    def _goneFrom(self) -> None:
        """Somebody has gone. Without anybody, nobody is waited for."""
        if self.awaited is not None and not self.isWatched:
            self.end(self._reason)
        else:
            self._left(self)

    def hold(self, reader: object) -> None:
        """Do not read the publisher until this subscription or viewer is released."""
        self._brake.hold(reader)

    def release(self, reader: object) -> None:
        """Undo L{hold}. Harmless when repeated. Who was held could not be heard: his silence begins now."""
        self._heard = self.clock.seconds() if self._brake.isOn else self._heard
        self._brake.release(reader)

    def append(self, message: Message) -> None:
        """See L{rtmptw.interfaces.IPublication.append}. The hot path: once for each message, however many want it."""
        continuity, kind = self.continuity, classify(message.type, message.payload)
        track = continuity.times.tracks.get(message.type)
        if (
            track is not None
            and track.isPlain
            and 0 <= message.timestamp - track.last <= FORWARD
            and kind.isFrame
            and not continuity.isBeginning
        ):
            track.last = message.timestamp
            self._put(message, kind)
        else:
            self._now = self._now or self.clock.seconds()
            for each in continuity.take(message, kind, self._now - self._heard, self.headers):
                self._put(each, kind if each.payload is message.payload else classify(each.type, each.payload))

    def _put(self, message: Message, kind: MediaKind) -> None:
        """Put a message onto the tape, and give it to the subscribers."""
        image = encodeImage(message)
        tape, type = self.tape, message.type
        if not tape.hasRoom(len(image)):
            # One read may hold more than the tape: nobody who keeps up shall miss any of it.
            deque(self.round(), maxlen=0)
        isKeyframe = False
        if type == 18:  # MessageType.DATA, whose name costs more than all the rest
            self.headers.seeData(message)
        elif kind.isHeader or kind.isKeyframe or not self._picture.isThere:
            isKeyframe = self._picture.look(message, kind, tape, self.headers)
        if not self._now:
            self._now = self.clock.seconds()
        tape.append(image, type, message.timestamp, self._now, isKeyframe)
        if self._subscriptions:
            for subscription in tuple(self._subscriptions):
                subscription.give(message)

    def flush(self) -> None:
        """See L{rtmptw.interfaces.IPublication.flush}."""
        if self._now:
            self._heard, self._now = self._now, 0.0
        if self._viewers:
            self._rounds.due(self, self.tape.bytes - self._served >= FULL)
        else:
            self.served()

    def round(self) -> Iterator[None]:
        """Give each viewer all there is for it, one at each step."""
        yield from self._viewers.round(self.tape, self.headers, self.clock.seconds())
        self.served()

    def served(self) -> None:
        """Every viewer has been given what there is. Forget what nobody needs any more, once for each keyframe."""
        tape = self.tape
        self._served = tape.bytes
        if tape.keyframe != self._keyframe and tape.keyframe is not None and tape.keyframe - tape.first >= _SURPLUS:
            self._keyframe = tape.keyframe
            positions = [viewer.position for viewer in self._viewers if viewer.position is not None]
            tape.forget(min([tape.keyframe, *positions]))

    def end(self, reason: str) -> None:
        """The stream is over: subscribers are told first, then viewers, each after everything that came."""
        self.publication = None
        self._stopWaiting()
        self._begin()
        # Whoever is told may come back at once: for the next publisher.
        subscriptions, self._subscriptions = self._subscriptions, {}
        viewers, self._viewers = self._viewers, Viewers(self.path)
        brake, self._brake = self._brake, Brake()
        self._audience.clear()
        for subscription in subscriptions:
            subscription.end(reason)
        viewers.end()
        # It may have more to say, to another stream or for a proper farewell.
        brake.change(None)
        self._left(self)
