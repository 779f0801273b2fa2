# -*- test-case-name: tests.relay.test_push -*-
"""
Push: every stream of an application is sent on to other servers.

For each publish and each target there is a L{Pushing}. It is a viewer of the stream, and its outlet is a connection on
which we publish: so the publisher never waits for it, a target that is too slow goes on at the newest keyframe, and
the bytes are those that every viewer gets.

- It takes its place on the tape when the publish begins; what comes before it is connected is kept for it, as long as
  the tape can.
- A connection that is lost is made again (L{rtmptw.relay.retry}). Headers and metadata come first, then the newest
  keyframe, if it was not sent before, or else the next one: time never goes back.
- When the publisher has ended, what is left is sent, and then the end is said. A target that can't be reached by then
  is tried once more, if there is anything left for it. If we must go ourselves, a connection that there is has
  L{FAREWELL_SECONDS} for what is left, and as long again for the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, DeferredList, race
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from rtmptw.client import publish
from rtmptw.discretion import Discretion
from rtmptw.errors import RTMPError, URLError
from rtmptw.interfaces import IStreamObserver
from rtmptw.live.hub import StreamHub
from rtmptw.live.livestream import LiveStream
from rtmptw.live.viewer import Viewer
from rtmptw.relay.outlet import RelayOutlet
from rtmptw.relay.retry import Retry
from rtmptw.session.clientstream import PublishedStream
from rtmptw.session.hops import hopParameters
from rtmptw.url import RTMPURL

__all__ = ["CONNECT_SECONDS", "FAREWELL_SECONDS", "Push", "Pushing"]

#: How long a target may take to accept a connection, seconds.
CONNECT_SECONDS = 10.0

#: How long a target has to take what is left for it, if we must go, and then to read what it was sent, seconds.
FAREWELL_SECONDS = 5.0


@implementer(IStreamObserver)
class Push:
    """
    What is sent on, and to where. Add it to L{StreamHub.observers}.
    """

    def __init__(
        self,
        hub: StreamHub,
        identity: str,
        clock: IReactorTime,
        publish: Callable[..., Deferred[PublishedStream]] = publish,
    ) -> None:
        """
        @param hub: the streams.
        @param identity: of this server, L{rtmptw.server.RTMPServerFactory.identity}.
        @param publish: how to reach a target: as L{rtmptw.client.publish}, maybe with options of your own.
        """
        self._hub = hub
        self._identity = identity
        self._clock = clock
        self._publish = publish
        self._targets: dict[tuple[str, RTMPURL], None] = {}
        self._pushings: dict[Pushing, None] = {}

    def __iter__(self) -> Iterator[tuple[str, RTMPURL]]:
        """The targets: application and URL."""
        return iter(tuple(self._targets))

    def add(self, app: str, url: str | RTMPURL) -> None:
        """
        Send every stream of an application to a target from now on, also those that are being published.

        @param app: the application: C{"live"} for C{"live/camera"}, and for C{"live/a/b"}.
        @param url: of an application, as C{rtmp://host/app}: each stream has its own name there too. Or of a stream, as
            C{rtmp://host/app/key}: whatever stream there is goes by this name. Adding one twice changes nothing.
        @raise URLError: if it is none.
        """
        target = (app.strip("/"), url if isinstance(url, RTMPURL) else RTMPURL.parse(url))
        if not target[1].app:
            raise URLError("the target of a push needs an application: rtmp://host/application")
        if target in self._targets:
            return
        self._targets[target] = None
        for stream in self._hub:
            self._start(stream, target)

    def remove(self, app: str, url: str | RTMPURL) -> Deferred[None]:
        """
        Send nothing more to a target.

        @return: fires when the connections to it are closed.
        @raise KeyError: if it is none.
        """
        target = (app.strip("/"), url if isinstance(url, RTMPURL) else RTMPURL.parse(url))
        del self._targets[target]
        return self._stop([pushing for pushing in self._pushings if pushing.target == target])

    def finish(self) -> Deferred[None]:
        """
        Send nothing more to anybody.

        @return: fires when all connections are closed, each after what had come.
        """
        self._targets.clear()
        return self._stop(list(self._pushings))

    def publishStarted(self, stream: LiveStream) -> None:
        """See L{IStreamObserver}."""
        for target in tuple(self._targets):
            self._start(stream, target)

    def _start(self, stream: LiveStream, target: tuple[str, RTMPURL]) -> None:
        app, url = target
        name = stream.path.removeprefix(f"{app}/")
        # Whoever was told before us may have ended it already.
        if name == stream.path or not stream.isOn:
            return
        hops = (*stream.hops, self._identity)
        place = url if url.name else url.withName(name)
        pushing = Pushing(stream, target, place, hops, self._clock, self._publish, self._isEnding)
        self._pushings[pushing] = None
        pushing.finished.addCallback(lambda _: self._pushings.pop(pushing))

    def _isEnding(self, url: RTMPURL) -> bool:
        """Whether a publish that is over has not yet said its end there."""
        return any(pushing.url == url and pushing.isOver for pushing in self._pushings)

    def _stop(self, pushings: list[Pushing]) -> Deferred[None]:
        waiting: list[Deferred[Any]] = []
        for pushing in pushings:
            done: Deferred[None] = Deferred()
            pushing.finished.chainDeferred(done)
            waiting.append(done)
            pushing.stop()
        return DeferredList(waiting).addCallback(lambda _: None)


class Pushing:
    """
    One publish on its way to one target.

    @ivar target: application and URL, as they were added.
    @ivar url: where it goes, with the stream's name there.
    @ivar finished: fires when it is over.
    """

    _log = Logger()

    def __init__(
        self,
        stream: LiveStream,
        target: tuple[str, RTMPURL],
        url: RTMPURL,
        hops: tuple[str, ...],
        clock: IReactorTime,
        publish: Callable[..., Deferred[PublishedStream]],
        isEnding: Callable[[RTMPURL], bool],
    ) -> None:
        """
        @param url: where it goes, with the stream's name there.
        @param hops: the servers that it has been at, ours the last one.
        @param isEnding: whether an earlier publish, which is over, may still have the name there.
        """
        self.target = target
        self._stream = stream
        self.url = url
        self._hops = hops
        self._clock = clock
        self._publish = publish
        self._isEnding = isEnding
        # The name at the target may be a secret key.
        self._place = str(url.withName(""))
        self._discretion = Discretion(url, stream.path)
        self._outlet = RelayOutlet(self._place)
        self._retry = Retry(clock)
        self._published: PublishedStream | None = None
        self._isComplete = self._isStopped = False
        self._after = 0
        self._complete: Deferred[None] = Deferred()
        self._viewer = self._watch(0)
        self.finished: Deferred[None] = Deferred()
        self._running = Deferred.fromCoroutine(self._run())
        self._running.addErrback(self._failed).addCallback(lambda _: self.finished.callback(None))

    @property
    def isOver(self) -> bool:
        """Whether the publisher has gone."""
        return self._viewer.isOver

    def stop(self) -> None:
        """
        Send what a publisher who has gone has left, and nothing more; then say the end. Each may take
        L{FAREWELL_SECONDS}. Harmless when repeated.
        """
        if self._isStopped:
            return
        self._isStopped = True
        if self._published is None or self._isComplete or not self._viewer.isOver:
            self._leave()
        else:
            self._limit(self._restOver)

    def _restOver(self) -> None:
        """The time for what is left is over."""
        if self._isComplete:
            assert self._published is not None
            self._published.connection.abort()
            return
        self._log.warn(
            "{path}: push to {place}: it took too long for the rest; {size} bytes are left out",
            **self._words(size=self._viewer.lagBytes),
        )
        self._leave()

    def _leave(self) -> None:
        """Send nothing more, and say the end."""
        self._viewer.stop()
        self._outlet.shut()
        self._streamComplete()
        if self._published is None:
            self._running.cancel()
        else:
            self._limit(self._published.connection.abort)

    def _limit(self, over: Callable[[], None]) -> None:
        """What must happen if it is not finished within L{FAREWELL_SECONDS}."""
        call = self._clock.callLater(FAREWELL_SECONDS, over)
        self.finished.addCallback(lambda _: call.cancel() if call.active() else None)

    def _watch(self, after: int) -> Viewer:
        return self._stream.play(self._outlet, 1, self._streamComplete, after=after, publishes=True)

    def _streamComplete(self) -> None:
        """The publisher has gone, and everything was handed on."""
        self._isComplete = True
        if not self._complete.called:
            self._complete.callback(None)

    async def _run(self) -> None:
        """Connect and send, again and again, until the publisher has gone; then once more, if nothing was sent yet."""
        isLast = False
        while True:
            failure: RTMPError | None = None
            # Then that the name is taken is our own doing, and soon over.
            isEnding = not self.isOver and self._isEnding(self.url)
            try:
                published = await self._connect()
            except RTMPError as error:
                if self._isStopped:
                    return
                failure, reason, hasMore = error, str(error), not self._isComplete
            else:
                reason = await self._send(published)
                if self._isComplete:
                    return
                hasMore = self._watchAgain()
            hasMore = hasMore and not isLast
            if hasMore:
                isLast = self._viewer.isOver
                delay = self._retry.nextDelay(failure, isEnding)
                self._log.warn(
                    "{path}: push to {place}: {reason}; again in {delay:.1f} s",
                    **self._words(reason=reason, delay=delay),
                )
                await deferLater(self._clock, delay)
                # If it is complete by now, there is nothing that could still be sent.
                hasMore = not self._isComplete
            if not hasMore:
                self._log.warn("{path}: the end was not pushed to {place}: {reason}", **self._words(reason=reason))
                self._viewer.stop()
                return

    async def _connect(self) -> PublishedStream:
        parameters = hopParameters(self._hops)
        published = await self._publish(self.url, parameters=parameters, timeout=CONNECT_SECONDS)
        self._log.info("{path}: pushed to {place}", **self._words())
        self._retry.connected()
        return published

    async def _send(self, published: PublishedStream) -> str:
        """
        Send until the stream is complete or the connection is gone.

        @return: why it is over.
        """
        self._published = published
        self._complete = Deferred()
        if self._isComplete:
            self._complete.callback(None)
        self._viewer.readdress(published.id)
        self._outlet.open(published.outlet)
        ends: list[Deferred[Any]] = [published.whenEnded(), self._complete]
        await race(ends)
        self._outlet.shut()
        if self._isComplete:
            try:
                await published.close()
                self._log.info("{path}: pushed to {place}, to the end", **self._words())
            except RTMPError as error:
                self._log.warn("{path}: push to {place}: {reason}", **self._words(reason=error))
        else:
            # Maybe the stream alone is over.
            published.connection.close().addErrback(lambda _: None)
        self._published = None
        return await published.whenEnded()

    def _watchAgain(self) -> bool:
        """
        After a connection: take a new place on the tape, behind what was sent.

        @return: whether there is one: a publisher that has gone will not bring another keyframe.
        """
        viewer = self._viewer
        if viewer.isOver:
            return False
        self._after = viewer.position or self._after
        # A stream that waits for its publisher does so only as long as somebody watches.
        self._viewer = self._watch(self._after)
        viewer.stop()
        return True

    def _failed(self, failure: Failure) -> None:
        if failure.check(CancelledError) is None:
            self._log.failure("{path}: push to {place} has failed", failure, path=self._stream.path, place=self._place)
        self._viewer.stop()
        self._outlet.shut()
        if self._published is not None:
            self._published.connection.abort("internal error")

    def _words(self, reason: object = "", **more: object) -> dict[str, object]:
        reason = self._discretion.about(reason)
        return {"path": self._stream.path, "place": self._place, "reason": reason, **more}
