# -*- test-case-name: tests.dialects.test_contact -*-
"""
One connection to a server under examination: bytes out, entries in, and waiting with a limit.

A contact says exactly what it is told to say, reads with the tolerance of L{rtmptw.trace.conversation}, and never acts
by itself: how a client behaves is the business of its dialect.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress, IReactorTime, ITCPTransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from rtmptw.trace.conversation import Conversation
from rtmptw.trace.entry import Entry, ReadMessage
from rtmptw.trace.reading import SILENCE
from rtmptw.trace.segment import Segment, Side
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.message import Message

__all__ = ["MOST_BYTES", "MOST_ENTRIES", "OVERRUN", "Contact", "ContactFactory"]

#: How much a server may say before that is enough: bytes, and entries, of both sides. No examination needs more, and
#: all of it is kept.
MOST_BYTES = 64 * 1024 * 1024
MOST_ENTRIES = 100_000

#: How a connection has ended that was cut because there was more.
OVERRUN = "overrun"

#: The shortest pause, seconds: a shorter one may be lost in the rounding of a clock.
_INSTANT = 0.001

_T = TypeVar("_T")


class Contact(Protocol):
    """
    One connection.

    @ivar conversation: what was said, read.
    @ivar entries: all of it in order, of both sides.
    @ivar closed: how the connection has ended: C{"closed"} or C{"reset"} by whomever, L{OVERRUN} by us; empty while it
        has not.
    @ivar closedAt: when, seconds since the connection began.
    @ivar overrun: what was too much, in words.
    @ivar writer: what cuts messages into chunks.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.conversation = Conversation()
        self.entries: list[Entry] = []
        self.closed = ""
        self.closedAt = 0.0
        self.overrun = ""
        self.writer = ChunkWriter()
        self._clock = clock
        self._began = clock.seconds()
        self._lastData = 0.0
        self._waiting: list[Callable[[], None]] = []

    @property
    def now(self) -> float:
        """Seconds since the connection began."""
        return self._clock.seconds() - self._began

    def connectionMade(self) -> None:
        """As real clients do (wire facts 1.4)."""
        transport = self.transport
        if ITCPTransport.providedBy(transport):
            transport.setTcpNoDelay(True)

    def dataReceived(self, data: bytes) -> None:
        """The server says something."""
        if self.closed:
            return
        self._lastData = self.now
        entries = self.conversation.feed(Segment(Side.SERVER, self.now, data))
        received = self.conversation.readings[Side.SERVER].received
        if received <= MOST_BYTES and len(self.entries) + len(entries) <= MOST_ENTRIES:
            self._heard(entries)
            return
        self.overrun = f"the server has sent {received} bytes, and the connection was cut because that is too much"
        self._end(OVERRUN, entries[: max(0, MOST_ENTRIES - len(self.entries))])
        self.abort()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is over, by whomever."""
        if not self.closed:
            self._end("closed" if reason.check(ConnectionDone) else "reset", [])

    def _end(self, how: str, entries: list[Entry]) -> None:
        self.closed, self.closedAt = how, self.now
        self._heard(entries + self.conversation.finish(Side.SERVER, self.now, how))

    def say(self, data: bytes) -> list[Entry]:
        """
        Send bytes as they are, in one write.

        @return: what they mean.
        """
        if self.closed:
            return []
        assert self.transport is not None
        self.transport.write(data)
        entries = self.conversation.feed(Segment(Side.CLIENT, self.now, data))
        self.entries += entries
        return entries

    def send(self, *messages: Message) -> list[Entry]:
        """
        Send messages in one write.

        @return: their entries.
        """
        return self.say(b"".join(map(self.writer.write, messages)))

    def received(self, start: int = 0) -> list[ReadMessage]:
        """
        The server's messages.

        @param start: how many entries to leave out.
        """
        return [entry for entry in self.entries[start:] if isinstance(entry, ReadMessage) and entry.side is Side.SERVER]

    async def until(self, condition: Callable[[], _T | None], seconds: float) -> _T | None:
        """
        Wait for something that the server does. Half-said messages are looked at again when it is silent
        (L{rtmptw.trace.reading.SILENCE}), and at the end of the time.

        @param condition: asked now, whenever something has come, and at the end; what it returns, if that is not
            C{None}, is the result.
        @param seconds: how long.
        @return: L{None} if it did not come about, or the connection has ended without it.
        """
        deadline = self.now + seconds
        while (found := condition()) is None:
            left = deadline - self.now
            if left <= 0 or self.closed:
                self._heard(self.conversation.settle(self.now))
                return condition()
            quiet = self._lastData + SILENCE - self.now
            await self._pause(max(min(left, quiet) if quiet > 0 else left, _INSTANT))
            if self.now >= self._lastData + SILENCE:
                self._heard(self.conversation.settle(self.now))
        return found

    async def rest(self, seconds: float) -> None:
        """Let time pass."""
        await self.until(lambda: None, seconds)

    async def ended(self, seconds: float) -> bool:
        """
        Wait for the end of the connection; it is cut when it does not end.

        @param seconds: how long.
        @return: whether it has ended by itself.
        """
        await self.rest(seconds)
        if self.closed:
            return True
        self.abort()
        return False

    def close(self) -> None:
        """Leave, as a program does that calls close(): what is still to be sent is sent."""
        if self.transport is not None:
            self.transport.loseConnection()

    def abort(self) -> None:
        """Leave at once. TLS can't be left twice."""
        if self.transport is not None and self.closed in ("", OVERRUN):
            cast(ITCPTransport, self.transport).abortConnection()

    def _heard(self, entries: list[Entry]) -> None:
        self.entries += entries
        waiting, self._waiting = self._waiting, []
        for wake in waiting:
            wake()

    def _pause(self, seconds: float) -> Deferred[None]:
        """Until something comes, or for that long."""
        paused: Deferred[None] = Deferred()

        def wake() -> None:
            if timer.active():
                timer.cancel()
            if not paused.called:
                paused.callback(None)

        timer = self._clock.callLater(seconds, wake)
        self._waiting.append(wake)
        return paused


class ContactFactory(Factory):
    """
    Makes contacts.
    """

    noisy = False

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock

    def buildProtocol(self, addr: IAddress | None) -> Contact:
        """One connection."""
        return Contact(self._clock)
