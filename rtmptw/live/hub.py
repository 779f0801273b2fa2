# -*- test-case-name: tests.live.test_hub -*-
"""
Names to streams. A stream exists as long as somebody publishes, plays or subscribes.

Whoever wants to publish a name that is busy has to do with L{Busy}, a rule for the whole hub. Whatever it is, a name is
never taken from one principal for another: that of a publisher, and that of one who is awaited
(L{rtmptw.live.publication}).

Whoever can bring streams that nobody publishes (L{rtmptw.interfaces.IStreamSource}) is told when the first one comes
who wants a stream, and when the last one has gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from weakref import WeakSet

from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from zope.interface import implementer

from rtmptw.errors import StatusError
from rtmptw.interfaces import IOutlet, IPublisher, IStreamHub, IStreamObserver, IStreamSource, ISubscriber
from rtmptw.limits import Limits, Reached
from rtmptw.live.busy import LEAST_SECONDS, LOOK_SECONDS, Busy, originOf, patience, quietOf
from rtmptw.live.livestream import GRACE_SECONDS, LiveStream
from rtmptw.live.publication import Publication
from rtmptw.live.rounds import FlushTimes, Rounds
from rtmptw.live.subscription import Subscription
from rtmptw.live.tape import CacheLimits, Tape
from rtmptw.live.viewer import Viewer
from rtmptw.session.status import BAD_NAME

__all__ = ["StreamHub"]


@implementer(IStreamHub)
class StreamHub:
    """
    The streams of one process.

    @ivar observers: the L{IStreamObserver}s that are told of every publish.
    @ivar sources: the L{IStreamSource}s that are told what is wanted.
    @ivar rounds: when viewers are given what has come.
    @ivar busy: what to do about a publish of a name that has a publisher.
    @ivar reached: how often limits were reached.
    @ivar grace: how long the streams that begin now wait for a publisher that has gone, seconds.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        flush: FlushTimes | None = None,
        cache: CacheLimits | None = None,
        busy: Busy = Busy.REPLACE_SILENT,
        grace: float = GRACE_SECONDS,
        limits: Limits | None = None,
        reached: Reached | None = None,
    ) -> None:
        """
        @param clock: the reactor, or what stands for it.
        @param flush: how long what comes may be gathered before it is sent to viewers.
        @param cache: how far back a joiner may start.
        @param busy: what to do about a publish of a name that has a publisher.
        @param grace: how long a publisher that has gone is waited for, seconds; 0: streams end with their publishers.
        @param limits: how far viewers may be behind, and the like.
        @param reached: how often these were reached.
        """
        self.busy = busy
        self.grace = grace
        self._limits = limits or Limits()
        self.reached = reached or Reached()
        self.observers: list[IStreamObserver] = []
        self.sources: list[IStreamSource] = []
        self._wanted: set[str] = set()
        self._clock = clock
        self.rounds = Rounds(clock, flush)
        self._cache = cache
        # Those of streams that have ended as well, as long as somebody is still sent the rest. Names that nobody has
        # published yet have nothing on theirs.
        self._tapes: WeakSet[Tape] = WeakSet()
        self._streams: dict[str, LiveStream] = {}

    def __iter__(self) -> Iterator[LiveStream]:
        """The streams that there are now."""
        return iter(tuple(self._streams.values()))

    async def whenFree(self, path: str, principal: str = "", origin: str = "") -> None:
        """See L{IStreamHub.whenFree}."""
        holder, began, isSure = None, 0.0, False
        while True:
            now, stream = self._clock.seconds(), self._streams.get(path)
            if stream is None or stream.publication is not holder:
                # Another one has it now, and has not been waited for yet.
                holder, began, isSure = None if stream is None else stream.publication, now, False
            wait = self._wait(path, principal, origin, now - began)
            if wait > 0:
                isSure = False
                # What is left of a sum may be less than any clock can tell.
                await deferLater(self._clock, min(max(wait, LEAST_SECONDS), LOOK_SECONDS))
            elif holder is None or isSure or self.busy is Busy.REPLACE:
                break
            else:
                # Something else may have taken all that time, and what he has sent is still to be read. Between two
                # turns from now, everybody is.
                for _ in range(2):
                    await deferLater(self._clock, 0)
                isSure = True

    def _wait(self, path: str, principal: str, origin: str, waited: float) -> float:
        """
        How long to wait for a name, seconds; 0: it can be published.

        @param waited: how long its publisher was waited for already.
        @raise StatusError: if it can't be had.
        """
        stream = self._streams.get(path)
        holder = None if stream is None else stream.publication or stream.awaited
        if stream is None or holder is None:
            return 0.0
        if holder.principal != principal:
            state = "published already" if stream.awaited is None else "kept for its publisher"
            raise StatusError(f"{path} is {state}, and that is somebody else", BAD_NAME)
        if stream.publication is None or self.busy is Busy.REPLACE:
            return 0.0
        quiet = quietOf(stream)
        if self.busy is Busy.REFUSE or quiet < waited:
            raise StatusError(f"{path} is published already", BAD_NAME)
        return max(0.0, patience(stream.publication, origin) - quiet)

    def publish(
        self, path: str, publisher: IPushProducer, hops: tuple[str, ...] = (), principal: str = ""
    ) -> Publication:
        """See L{IStreamHub.publish}."""
        if self._wait(path, principal, originOf(publisher), 0.0):
            raise StatusError(f"{path} is published already", BAD_NAME)
        before = self._stream(path).publication
        if before is not None:
            self._stream(path).vacate("another connection publishes it")
        # If it has ended by that, this is another one.
        stream = self._stream(path)
        isNew = not stream.isOn
        publication = stream.publish(publisher, hops, principal)
        self._tapes.add(stream.tape)
        if before is not None:
            self._displace(before)
        for observer in tuple(self.observers) if isNew else ():
            try:
                observer.publishStarted(stream)
            except Exception:
                self._log.failure("{path}: an observer has failed", path=path)
        return publication

    def _displace(self, before: Publication) -> None:
        """Tell a publisher that it has lost the name."""
        self._log.info("{path}: taken over by another connection", path=before.path)
        publisher = before.publisher
        self._tell(before.path, publisher.displaced if IPublisher.providedBy(publisher) else publisher.stopProducing)

    def finish(self) -> None:
        """From now on, streams end with their publishers; those that wait for one end at once."""
        self.grace = 0.0
        for stream in self:
            stream.grace = 0.0
            if stream.awaited is not None:
                stream.awaited.end("the server is shutting down")

    def trim(self) -> None:
        """Keep no more for viewers, of all streams together, than C{allTapeBytes}; the largest forget first."""
        tapes = sorted(self._tapes, key=lambda tape: tape.held)
        excess = sum([tape.held for tape in tapes]) - self._limits.allTapeBytes
        if excess > 0:
            self.reached.add("allTapeBytes")
        while excess > 0:
            tape = tapes.pop()
            excess -= tape.held
            tape.forget(tape.end)

    def play(
        self, path: str, outlet: IOutlet, streamId: int, ended: Callable[[], None], hops: tuple[str, ...] = ()
    ) -> Viewer:
        """See L{IStreamHub.play}."""
        viewer = self._stream(path).play(outlet, streamId, ended, isAudience=True)
        self._want(path, hops)
        return viewer

    def subscribe(self, path: str, subscriber: ISubscriber) -> Subscription:
        """See L{IStreamHub.subscribe}."""
        subscription = self._stream(path).subscribe(subscriber, isAudience=True)
        self._want(path, ())
        return subscription

    def audience(self, path: str) -> int:
        """How many want this stream now."""
        stream = self._streams.get(path)
        return 0 if stream is None else stream.audience

    def _stream(self, path: str) -> LiveStream:
        stream = self._streams.get(path)
        if stream is None:
            stream = self._streams[path] = LiveStream(
                path, self._clock, self._left, self.rounds, self._cache, self.grace, self._limits, self.reached
            )
        return stream

    def _left(self, stream: LiveStream) -> None:
        """Somebody has gone."""
        path = stream.path
        if self._streams.get(path) is not stream:
            return
        if stream.isUnused:
            del self._streams[path]
        if path in self._wanted and not stream.audience:
            self._wanted.remove(path)
            for source in tuple(self.sources):
                self._tell(path, source.streamUnwanted, path)

    def _want(self, path: str, hops: tuple[str, ...]) -> None:
        """Somebody has come."""
        if path not in self._wanted and self.audience(path):
            self._wanted.add(path)
            for source in tuple(self.sources):
                self._tell(path, source.streamWanted, path, hops)

    def _tell(self, path: str, method: Callable[..., None], *arguments: object) -> None:
        """What goes wrong with one who is told costs nobody else."""
        try:
            method(*arguments)
        except Exception:
            self._log.failure("{path}: whom it was told has failed", path=path)
