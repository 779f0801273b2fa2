# -*- test-case-name: tests.tools.test_flvsource -*-
"""
An FLV file that is played to whoever takes messages: a stream that is published.

::

    playback = FLVPlayback("film.flv", reactor)
    stream.registerProducer(playback, True)
    await playback.start(stream.send)

At the pace of real time, each message is due as long after the first frame as its timestamp says. Who can't keep up
pauses it, and is sent what is late as soon as it can take more; L{FLVPlayback.lag} tells how late that is. Otherwise it
goes as fast as the file can be read and the receiver takes it.

A file is read a piece at a time, and the next one only when all of the last was sent: what is held is never more than a
piece and the tag that it ends in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorFDSet, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from rtmptw.errors import LocalProtocolError, RemoteProtocolError, RTMPError
from rtmptw.tools.flvrounds import FLVRounds, Item
from rtmptw.tools.pieces import FilePieces, openPieces
from rtmptw.wire.flv import FLVReader
from rtmptw.wire.message import Message

__all__ = ["FLVPlayback", "PlaybackError"]


class PlaybackError(RTMPError):
    """What was to be played can't be: names the file, and the place in it."""


@implementer(IPushProducer)
class FLVPlayback:
    """
    Plays a file once, or for ever.

    @ivar name: what is played, for people.
    @ivar finished: fires when everything was sent, or after L{stopProducing}. Fails with L{PlaybackError}, with
        L{OSError} if the file can't be read, or with what the receiver has raised.
    @ivar position: how much of the media was sent, ms since the first frame.
    @ivar bytes: how much was sent, bytes of payload.
    """

    _log = Logger()

    def __init__(self, file: str | int, reactor: IReactorTime, *, fast: bool = False, loop: bool = False) -> None:
        """
        Open the file.

        @param file: its path, or a descriptor, such as 0 for standard input; what is behind it may be a pipe.
        @param reactor: tells the time, and when there is something in a pipe.
        @param fast: do not wait for anything but the receiver.
        @param loop: begin again at the end.
        @raise OSError: if it can't be opened.
        @raise PlaybackError: if it is to be played for ever, and can be read only once.
        """
        self.finished: Deferred[None] = Deferred()
        self.position = 0
        self.bytes = 0
        self._pieces = openPieces(file, IReactorFDSet(reactor))
        self.name = self._pieces.name
        if loop and not isinstance(self._pieces, FilePieces):
            self._pieces.close()
            raise PlaybackError(f"{self.name}: it can be read only once, and not be looped")
        self._clock = reactor
        self._fast = fast
        self._loop = loop
        self._send: Callable[[Message], None] | None = None
        self._reader = FLVReader()
        self._rounds = FLVRounds(loop)
        self._items: deque[Item] = deque()
        self._isEmpty = True
        self._isCut = False
        self._cutAt = 0
        self._began: float | None = None
        self._next: IDelayedCall | None = None
        self._reading = self._paused = self._over = False

    @property
    def lag(self) -> int:
        """How late the next message is (the last one, while the next is not known), ms; 0 if there is no hurry."""
        if self._fast or self._over or self._began is None:
            return 0
        due = self._items[0].due if self._items else None
        return max(0, self._elapsed() - (self.position if due is None else due))

    @property
    def fault(self) -> str:
        """What was wrong with the end of the file: it was cut off, or damaged; empty if nothing was."""
        return (
            f"{self.name}: it is cut off or damaged at byte {self._cutAt}; all before was sent" if self._isCut else ""
        )

    def start(self, send: Callable[[Message], None]) -> Deferred[None]:
        """
        Begin.

        @param send: takes each message, such as L{rtmptw.session.clientstream.PublishedStream.send}.
        @return: L{finished}.
        @raise LocalProtocolError: if it was begun before.
        """
        if self._send is not None:
            raise LocalProtocolError(f"{self.name} is played already")
        self._send = send
        self._goOn()
        return self.finished

    # IPushProducer

    def pauseProducing(self) -> None:
        """Send nothing."""
        self._paused = True
        self._wait()

    def resumeProducing(self) -> None:
        """Go on. What has become due meanwhile is sent at once."""
        self._paused = False
        self._goOn()

    def stopProducing(self) -> None:
        """It is enough. Harmless when repeated."""
        self._end(None)

    # The way of a message

    def _goOn(self) -> None:
        """Send what is due, in a turn of the reactor of its own."""
        if self._send is not None and not (self._paused or self._over or self._reading) and self._next is None:
            self._next = self._clock.callLater(0, self._run)

    def _wait(self) -> None:
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _run(self) -> None:
        """Send what is due, then see to what comes next."""
        self._next = None
        while self._items and not (self._paused or self._over):
            message, due = self._items[0]
            if due is not None and not self._fast:
                if self._began is None:
                    self._began = self._clock.seconds() - due / 1000
                early = due - self._elapsed()
                if early > 0:
                    self._next = self._clock.callLater(early / 1000, self._run)
                    return
            self._items.popleft()
            self.position = max(self.position, due or 0)
            self.bytes += len(message.payload)
            assert self._send is not None
            try:
                self._send(message)
            except Exception:
                self._end(Failure())
        if not (self._items or self._paused or self._over):
            self._reading = True
            self._pieces.read().addCallbacks(self._take, self._end)

    def _elapsed(self) -> int:
        """Since the first frame was sent, ms."""
        assert self._began is not None
        return round((self._clock.seconds() - self._began) * 1000)

    # The file

    def _take(self, piece: bytes) -> None:
        """The next piece has been read."""
        self._reading = False
        if self._over:
            return
        try:
            if piece:
                self._items += self._rounds.feed(self._reader.feed(piece))
                self._isEmpty = self._isEmpty and not self._items
            else:
                self._endOfFile()
        except RemoteProtocolError as error:
            self._end(Failure(PlaybackError(f"{self.name}: {error}")))
        except PlaybackError:
            self._end(Failure())
        self._goOn()

    def _endOfFile(self) -> None:
        """
        Begin again, or end.

        @raise PlaybackError: if there was nothing.
        """
        end = self._reader.goodEnd
        if self._isEmpty:
            if not end:
                size = self._reader.pending
                raise PlaybackError(
                    f"{self.name}: it ends within its header (at byte {size})" if size else f"{self.name}: it is empty"
                )
            raise PlaybackError(f"{self.name}: there is nothing in it that could be sent (it ends at byte {end})")
        if self._reader.pending and not self._isCut:
            self._isCut, self._cutAt = True, end
            self._log.warn(
                "{name}: it is cut off: the tag at byte {end} is not whole; all before it was sent",
                name=self.name,
                end=end,
            )
        if self._loop and self._rounds.hasFrames and isinstance(self._pieces, FilePieces):
            self._pieces.rewind()
            self._reader = FLVReader()
            self._rounds.nextRound()
        else:
            self._end(None)

    def _end(self, failure: Failure | None) -> None:
        """Everything is over. Harmless when repeated."""
        if self._over:
            return
        self._over = True
        self._wait()
        self._items.clear()
        self._pieces.close()
        if self._rounds.passedOver:
            self._log.warn(
                "{name}: {count} tags were passed over: neither audio nor video nor data, or encrypted",
                name=self.name,
                count=self._rounds.passedOver,
            )
        if failure is not None:
            self.finished.errback(failure)
        else:
            self.finished.callback(None)
