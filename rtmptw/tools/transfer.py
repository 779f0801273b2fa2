# -*- test-case-name: tests.tools.test_transfer -*-
"""
A stream on its way: from an FLV file to a server, or from a server into an FLV file.

Either goes on until the file, or the stream, has ended, or somebody interrupts it. Nothing is lost at the end: what was
read is sent, what has come is written.
"""

from __future__ import annotations

import contextlib
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from rtmptw.client import play, publish
from rtmptw.errors import ConnectionClosed, RTMPError
from rtmptw.session.clientstream import PlayedStream, PublishedStream, State
from rtmptw.tools.flvsink import FLVSink
from rtmptw.tools.flvsource import FLVPlayback, PlaybackError
from rtmptw.url import RTMPURL

__all__ = ["FAREWELL_SECONDS", "Playing", "Publishing", "Transfer"]

#: How long a server may take, when we are interrupted, until it has what was sent, seconds.
FAREWELL_SECONDS = 5.0


class Transfer:
    """
    What both directions have in common.
    """

    def __init__(self, url: RTMPURL, reactor: IReactorTime, options: dict[str, Any]) -> None:
        """
        @param options: those of L{rtmptw.client.connect}.
        """
        self._url = url
        self._reactor = reactor
        self._options = {"reactor": reactor, **options}
        self._running: Deferred[str] | None = None
        self._isInterrupted = False

    @property
    def position(self) -> int:
        """How much of the stream has passed, ms."""
        raise NotImplementedError

    @property
    def bytes(self) -> int:
        """How much of it has passed, bytes."""
        raise NotImplementedError

    @property
    def lag(self) -> int | None:
        """How late it is, ms; L{None} if it can't be late."""
        return None

    def run(self) -> Deferred[str]:
        """
        Begin.

        @return: fires with why it is over; fails with L{RTMPError} or L{OSError}, or with
            L{twisted.internet.defer.CancelledError} if it was interrupted before there was a connection.
        """
        self._running = Deferred.fromCoroutine(self._run())
        return self._running

    def interrupt(self) -> None:
        """Come to an end, in order: L{run} fires then. Harmless when repeated."""
        if not self._isInterrupted and self._running is not None:
            self._isInterrupted = True
            if not self._stop():
                self._running.cancel()

    async def _run(self) -> str:
        raise NotImplementedError

    def _stop(self) -> bool:
        """
        Stop what goes on.

        @return: whether there is anything.
        """
        raise NotImplementedError


class Publishing(Transfer):
    """An FLV file that is published."""

    def __init__(self, url: RTMPURL, playback: FLVPlayback, reactor: IReactorTime, **options: Any) -> None:
        """See L{Transfer}."""
        super().__init__(url, reactor, options)
        self._playback = playback
        self._stream: PublishedStream | None = None

    @property
    def position(self) -> int:
        """See L{Transfer}."""
        return self._playback.position

    @property
    def bytes(self) -> int:
        """See L{Transfer}."""
        return self._playback.bytes

    @property
    def lag(self) -> int:
        """See L{Transfer}."""
        return self._playback.lag

    def _stop(self) -> bool:
        if self._stream is None:
            return False
        self._reactor.callLater(FAREWELL_SECONDS, self._stream.connection.abort)
        self._playback.stopProducing()
        return True

    async def _run(self) -> str:
        try:
            stream = self._stream = await publish(self._url, **self._options)
        except BaseException:
            self._playback.finished.addErrback(lambda _: None)
            self._playback.stopProducing()
            raise
        stream.registerProducer(self._playback, True)
        ended = stream.whenEnded()
        try:
            await self._playback.start(stream.send)
            if stream.state is State.ENDED:
                raise ConnectionClosed("publish", await ended)
            stream.unregisterProducer()
            await stream.close()
        except BaseException:
            stream.connection.abort()
            raise
        if self._playback.fault:
            raise PlaybackError(self._playback.fault)
        return "interrupted" if self._isInterrupted else "the file has ended"


class Playing(Transfer):
    """A stream that is played into an FLV file."""

    def __init__(self, url: RTMPURL, sink: FLVSink, reactor: IReactorTime, start: float = -2.0, **options: Any) -> None:
        """
        See L{Transfer}.

        @param start: see L{rtmptw.session.clientconnection.ClientConnection.play}.
        """
        super().__init__(url, reactor, {"start": start, **options})
        self._sink = sink
        self._stream: PlayedStream | None = None

    @property
    def position(self) -> int:
        """See L{Transfer}."""
        return self._sink.position

    @property
    def bytes(self) -> int:
        """See L{Transfer}."""
        return self._sink.bytes

    def _stop(self) -> bool:
        """What is on its way is not waited for."""
        if self._stream is None:
            return False
        self._reactor.callLater(FAREWELL_SECONDS, self._stream.connection.abort)
        self._sink.finish("interrupted")
        return True

    async def _run(self) -> str:
        try:
            stream = self._stream = await play(self._url, self._sink, **self._options)
        except BaseException:
            # A disk that is full as well is no more than the second thing to go wrong.
            self._sink.finished.addErrback(lambda _: None)
            self._sink.finish()
            raise
        try:
            reason = await self._sink.finished
        finally:
            closed = stream.connection.close()
            closed.addErrback(lambda _: None)
        if not (stream.isAnnounced or self._isInterrupted):
            raise ConnectionClosed("play", reason)
        with contextlib.suppress(RTMPError):
            await closed
        return reason
