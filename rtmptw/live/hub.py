# -*- test-case-name: tests.live.test_hub -*-
"""
Names to streams. A stream exists as long as somebody publishes, plays or subscribes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from rtmptw.errors import StatusError
from rtmptw.interfaces import IOutlet, IStreamHub, IStreamObserver, ISubscriber
from rtmptw.live.livestream import LiveStream, Publication
from rtmptw.live.subscription import Subscription
from rtmptw.live.viewer import Viewer
from rtmptw.session.status import BAD_NAME

__all__ = ["StreamHub"]


@implementer(IStreamHub)
class StreamHub:
    """
    The streams of one process.

    @ivar observers: the L{IStreamObserver}s that are told of every publish.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        """
        @param clock: the reactor, or what stands for it.
        """
        self.observers: list[IStreamObserver] = []
        self._clock = clock
        self._streams: dict[str, LiveStream] = {}

    def __iter__(self) -> Iterator[LiveStream]:
        """The streams that there are now."""
        return iter(tuple(self._streams.values()))

    def publish(self, path: str, publisher: IPushProducer) -> Publication:
        """See L{IStreamHub.publish}."""
        stream = self._stream(path)
        if stream.publication is not None:
            raise StatusError(f"{path} is published already", BAD_NAME)
        publication = stream.publish(publisher)
        for observer in tuple(self.observers):
            try:
                observer.publishStarted(stream)
            except Exception:
                self._log.failure("{path}: an observer has failed", path=path)
        return publication

    def play(self, path: str, outlet: IOutlet, streamId: int, ended: Callable[[], None]) -> Viewer:
        """See L{IStreamHub.play}."""
        return self._stream(path).play(outlet, streamId, ended)

    def subscribe(self, path: str, subscriber: ISubscriber) -> Subscription:
        """See L{IStreamHub.subscribe}."""
        return self._stream(path).subscribe(subscriber)

    def _stream(self, path: str) -> LiveStream:
        stream = self._streams.get(path)
        if stream is None:
            stream = self._streams[path] = LiveStream(path, self._clock, self._forget)
        return stream

    def _forget(self, stream: LiveStream) -> None:
        if self._streams.get(stream.path) is stream:
            del self._streams[stream.path]
