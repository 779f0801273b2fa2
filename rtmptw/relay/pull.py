# -*- test-case-name: tests.relay.test_pull -*-
"""
Pull: streams of other servers are published here.

A stream is fetched when the first one comes who wants it, and for some time after the last one has gone; or always.
Each is a L{Pulling}, which plays it there and publishes it here:

- A connection that is lost is made again (L{rtmptw.relay.retry}), and the publication goes on, so that viewers stay: at
  a keyframe, with times that never go back (L{rtmptw.relay.splice}). After L{LOST_SECONDS} without anything it ends.
- When the other server says that the stream has ended, so does the publication, at once.
- A name that somebody publishes here is left to him.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from rtmptw.client import connect
from rtmptw.discretion import Discretion
from rtmptw.errors import RTMPError, StatusError, URLError
from rtmptw.interfaces import IPublication, IStreamSource, ISubscriber
from rtmptw.live.hub import StreamHub
from rtmptw.relay.retry import Retry
from rtmptw.relay.splice import Splice
from rtmptw.session.clientconnection import ClientConnection
from rtmptw.session.clientstream import PlayedStream
from rtmptw.session.hops import hopParameters, identityOf
from rtmptw.url import RTMPURL
from rtmptw.wire.message import Message

__all__ = ["CONNECT_SECONDS", "GRACE_SECONDS", "LOST_SECONDS", "Pull", "Pulling"]

#: How long a source may take to accept a connection, seconds.
CONNECT_SECONDS = 10.0

#: How long a stream that nobody wants any more is still fetched, seconds.
GRACE_SECONDS = 10.0

#: How long viewers are kept for a source that is lost, seconds.
LOST_SECONDS = 30.0


@implementer(IStreamSource)
class Pull:
    """
    What can be fetched, and from where. Add it to L{StreamHub.sources}.
    """

    def __init__(
        self,
        hub: StreamHub,
        identity: str,
        clock: IReactorTime,
        connect: Callable[..., Deferred[ClientConnection]] = connect,
        grace: float = GRACE_SECONDS,
    ) -> None:
        """
        @param hub: where the streams are wanted, and published.
        @param identity: of this server, L{rtmptw.server.RTMPServerFactory.identity}.
        @param connect: how to reach a source: as L{rtmptw.client.connect}, maybe with options of your own.
        @param grace: see L{GRACE_SECONDS}.
        """
        self._hub = hub
        self._identity = identity
        self._clock = clock
        self._connect = connect
        self._grace = grace
        self._sources: dict[str, tuple[RTMPURL, bool]] = {}
        self._pullings: dict[str, Pulling] = {}
        self._ending: dict[Pulling, None] = {}
        self._graces: dict[str, IDelayedCall] = {}

    def __iter__(self) -> Iterator[tuple[str, RTMPURL]]:
        """The sources: path and URL."""
        return iter([(path, url) for path, (url, _) in self._sources.items()])

    def add(self, path: str, url: str | RTMPURL, always: bool = False) -> None:
        """
        Fetch a stream when it is wanted, also if that is the case already. Another source of it is forgotten.

        @param path: its identity here, as C{"live/camera"}.
        @param url: where it is; without a name in it, its name here is its name there.
        @param always: fetch it whether it is wanted or not.
        @raise URLError: if it is none.
        """
        path = path.strip("/")
        parsed = url if isinstance(url, RTMPURL) else RTMPURL.parse(url)
        if not parsed.app:
            raise URLError("the source of a pull needs an application: rtmp://host/application/name")
        if not parsed.name:
            parsed = parsed.withName(path.rpartition("/")[2])
        if path in self._sources:
            self.remove(path)
        self._sources[path] = (parsed, always)
        if always or self._hub.audience(path):
            self._start(path, ())

    def remove(self, path: str) -> Deferred[None]:
        """
        Fetch a stream no more. If it is being fetched, it ends.

        @return: fires when that is done.
        @raise KeyError: if there is no source for it.
        """
        path = path.strip("/")
        del self._sources[path]
        return self._stop(path, "this stream is not fetched any more")

    def finish(self) -> Deferred[None]:
        """
        Fetch nothing any more. Everything that is being fetched ends.

        @return: fires when that is done.
        """
        self._sources.clear()
        ends: list[Deferred[Any]] = [self._stop(path, "the server is shutting down") for path in tuple(self._pullings)]
        return DeferredList([*ends, *[pulling.whenFinished() for pulling in self._ending]]).addCallback(lambda _: None)

    # IStreamSource

    def streamWanted(self, path: str, hops: tuple[str, ...]) -> None:
        """See L{IStreamSource}."""
        self._endGrace(path)
        if path in self._sources:
            self._start(path, hops)

    def streamUnwanted(self, path: str) -> None:
        """See L{IStreamSource}."""
        if path in self._pullings and path in self._sources and not self._sources[path][1]:
            reason = "nobody has watched any more"
            self._graces[path] = self._clock.callLater(self._grace, self._stop, path, reason)

    def _start(self, path: str, hops: tuple[str, ...]) -> None:
        if path in self._pullings:
            return
        url, always = self._sources[path]
        pulling = Pulling(self._hub, path, url, (*hops, self._identity), self._clock, self._connect, always)
        self._pullings[path] = pulling
        pulling.whenFinished().addCallback(lambda _: self._finished(path, pulling))

    def _finished(self, path: str, pulling: Pulling) -> None:
        if self._pullings.get(path) is pulling:
            del self._pullings[path]
            self._endGrace(path)

    def _endGrace(self, path: str) -> None:
        grace = self._graces.pop(path, None)
        if grace is not None and grace.active():
            grace.cancel()

    def _stop(self, path: str, reason: str) -> Deferred[None]:
        self._endGrace(path)
        pulling = self._pullings.pop(path, None)
        if pulling is None:
            done: Deferred[None] = Deferred()
            done.callback(None)
            return done
        self._ending[pulling] = None
        finished = pulling.whenFinished().addCallback(lambda _: self._ending.pop(pulling))
        pulling.stop(reason)
        return finished


@implementer(ISubscriber, IPushProducer)
class Pulling:
    """
    One stream on its way to us. For the hub it is the publisher.
    """

    _log = Logger()

    def __init__(
        self,
        hub: StreamHub,
        path: str,
        url: RTMPURL,
        hops: tuple[str, ...],
        clock: IReactorTime,
        connect: Callable[..., Deferred[ClientConnection]],
        always: bool,
    ) -> None:
        """
        @param hops: the servers that it goes on to, ours the last one.
        @param always: whether to go on when the stream has ended.
        """
        self._hub = hub
        self._path = path
        self._url = url
        # The name there may be a secret key.
        self._place = str(url.withName(""))
        self._discretion = Discretion(url, path)
        self._hops = hops
        self._clock = clock
        self._connect = connect
        self._always = always
        self._retry = Retry(clock)
        self._splice = Splice()
        self._publication: IPublication | None = None
        self._connection: ClientConnection | None = None
        self._played: PlayedStream | None = None
        self._isHeld = self._isStopped = False
        self._heard = 0.0
        self._flushing: IDelayedCall | None = None
        self._lost: IDelayedCall | None = None
        self._finished: list[Deferred[None]] = []
        self._isFinished = False
        self._running = Deferred.fromCoroutine(self._run())
        self._running.addErrback(self._failed).addCallback(self._finish)

    def whenFinished(self) -> Deferred[None]:
        """
        @return: fires when it is over.
        """
        finished: Deferred[None] = Deferred()
        if self._isFinished:
            finished.callback(None)
        else:
            self._finished.append(finished)
        return finished

    def stop(self, reason: str) -> None:
        """End it. Harmless when repeated."""
        self._isStopped = True
        self._end(reason)
        self._running.cancel()

    async def _run(self) -> None:
        """Connect and play, again and again."""
        while True:
            failure: RTMPError | None = None
            try:
                reason = self._discretion.about(await self._play())
            except RTMPError as error:
                failure, reason = error, self._discretion.about(error)
            if self._isStopped:
                return
            if self._publication is not None and self._lost is None:
                self._lost = self._clock.callLater(LOST_SECONDS, self._end, f"its source is lost: {reason}")
            delay = self._retry.nextDelay(failure)
            self._log.warn(
                "{path}: pull from {place}: {reason}; again in {delay:.1f} s",
                path=self._path,
                place=self._place,
                reason=reason,
                delay=delay,
            )
            await deferLater(self._clock, delay)

    async def _play(self) -> str:
        """
        @return: why it is over.
        """
        connection = await self._connect(self._url, parameters=hopParameters(self._hops), timeout=CONNECT_SECONDS)
        self._connection = connection
        try:
            if self._heard:
                self._splice.cut(int((self._clock.seconds() - self._heard) * 1000))
            played = self._played = await connection.play(self._url.name, self)
            self._retry.connected()
            self._log.info("{path}: pulled from {place}", path=self._path, place=self._place)
            if self._isHeld:
                played.pauseProducing()
            reason = await played.whenEnded()
            if played.isAnnounced:
                self._end(self._discretion.about(reason))
            return reason
        finally:
            self._connection = self._played = None
            connection.close().addErrback(lambda _: None)

    def _failed(self, failure: Failure) -> None:
        if failure.check(CancelledError) is None:
            self._log.failure("{path}: pull from {place} has failed", failure, path=self._path, place=self._place)
            self._end("internal error")

    def _finish(self, _: object) -> None:
        self._isFinished = True
        finished, self._finished = self._finished, []
        for deferred in finished:
            deferred.callback(None)

    # The publication

    def messageReceived(self, message: Message) -> None:
        """See L{ISubscriber}."""
        self._heard = self._clock.seconds()
        try:
            for spliced in self._splice.feed(message):
                if self._publication is None and (self._isStopped or not self._publish()):
                    return
                if self._lost is not None:
                    self._lost.cancel()
                    self._lost = None
                assert self._publication is not None
                self._publication.append(spliced)
        except Exception:
            self._failed(Failure())
            self.stop("internal error")
        if self._flushing is None:
            # Everything that has come in one read is given to the viewers at once.
            self._flushing = self._clock.callLater(0, self._flush)

    def streamEnded(self, reason: str) -> None:
        """See L{ISubscriber}. Whether that is the end of the publication, L{_play} knows."""

    def _publish(self) -> bool:
        """
        @return: whether the name is ours.
        """
        assert self._connection is not None
        try:
            hops = identityOf(self._connection.properties)
            # Neither does a publisher take the name from a pull, nor a pull from him.
            publication = self._hub.publish(self._path, self, hops, "pull")
        except StatusError as error:
            self._log.warn("{path}: not pulled: {reason}", path=self._path, reason=str(error))
            # Nobody has had anything of it.
            self._splice, self._heard = Splice(), 0.0
            if self._always:
                self._connection.close().addErrback(lambda _: None)
            else:
                self.stop(str(error))
            return False
        if self._isStopped:
            # Somebody who was told of the publish did not want it.
            publication.end("nobody wants it")
            return False
        self._publication = publication
        return True

    def _flush(self) -> None:
        self._flushing = None
        if self._publication is not None:
            self._publication.flush()

    def _end(self, reason: str) -> None:
        """The publication is over."""
        lost, self._lost = self._lost, None
        if lost is not None and lost.active():
            lost.cancel()
        publication, self._publication = self._publication, None
        if publication is not None:
            # What comes later is another stream.
            self._splice, self._heard = Splice(), 0.0
            publication.end(reason)

    # IPushProducer, for the hub

    def pauseProducing(self) -> None:
        """Somebody who must not lose anything can't keep up."""
        self._isHeld = True
        if self._played is not None:
            self._played.pauseProducing()

    def resumeProducing(self) -> None:
        """He can again."""
        self._isHeld = False
        if self._played is not None:
            self._played.resumeProducing()

    def stopProducing(self) -> None:
        """Nobody wants what is published."""
        self.stop("nobody wants it")
