# -*- test-case-name: tests.live.test_hub -*-
"""
Names to streams. A stream exists as long as somebody publishes, plays or subscribes.

Whoever can bring streams that nobody publishes (L{rtmptw.interfaces.IStreamSource}) is told when the first one comes
who wants a stream, and when the last one has gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from rtmptw.errors import StatusError
from rtmptw.interfaces import IOutlet, IStreamHub, IStreamObserver, IStreamSource, ISubscriber
from rtmptw.live.livestream import LiveStream, Publication
from rtmptw.live.rounds import FlushTimes, Rounds
from rtmptw.live.subscription import Subscription
from rtmptw.live.tape import CacheLimits
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
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, flush: FlushTimes | None = None, cache: CacheLimits | None = None) -> None:
        """
        @param clock: the reactor, or what stands for it.
        @param flush: how long what comes may be gathered before it is sent to viewers.
        @param cache: how far back a joiner may start.
        """
        self.observers: list[IStreamObserver] = []
        self.sources: list[IStreamSource] = []
        self._wanted: set[str] = set()
        self._clock = clock
        self.rounds = Rounds(clock, flush)
        self._cache = cache
        self._streams: dict[str, LiveStream] = {}

    def __iter__(self) -> Iterator[LiveStream]:
        """The streams that there are now."""
        return iter(tuple(self._streams.values()))

    def publish(self, path: str, publisher: IPushProducer, hops: tuple[str, ...] = ()) -> Publication:
        """See L{IStreamHub.publish}."""
        stream = self._stream(path)
        if stream.publication is not None:
            raise StatusError(f"{path} is published already", BAD_NAME)
        publication = stream.publish(publisher, hops)
        for observer in tuple(self.observers):
            try:
                observer.publishStarted(stream)
            except Exception:
                self._log.failure("{path}: an observer has failed", path=path)
        return publication

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
            stream = self._streams[path] = LiveStream(path, self._clock, self._left, self.rounds, self._cache)
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
        """What goes wrong with a source costs nobody else."""
        try:
            method(*arguments)
        except Exception:
            self._log.failure("{path}: a source has failed", path=path)
