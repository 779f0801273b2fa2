# -*- test-case-name: tests.test_outlet -*-
"""
The one way out of a connection, over any transport. L{rtmptw.directoutlet} is the faster one for TCP.

Flow control
============
The outlet is the transport's push producer for as long as the connection is in use. What is written goes to the
transport in pieces, the next one when the transport has sent the last: so the transport is never given more than a
piece, however large a message is, and every piece that has left is a sign of life. Nobody should write much while the
outlet is not ready; those who produce are told when it is again.

What is said in answer to one read leaves together (L{Outlet.gather}), and with the first that is offered behind it, if
that is in the same turn: each sending costs more than a hundred kilobytes do, and wakes the peer.

A transport takes one producer only, so everything that is sent must go through here, and the producer must be gone
before the connection is closed: over TLS it would otherwise stay open.

TLS
===
Twisted's TLS gathers small writes until the next turn of the reactor. What comes here is gathered already, so that is
passed by: it would cost a timer for each viewer and message, and encryption, which is most of the work, would not be
in the time that a round is seen to take (L{rtmptw.live.rounds}).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

from twisted.internet.interfaces import IConsumer, IPushProducer, IReactorTime
from twisted.protocols.tls import BufferingTLSTransport, TLSMemoryBIOProtocol
from zope.interface import implementer

from rtmptw.interfaces import IOutlet

__all__ = ["PIECE", "Outlet"]

#: How much the transport is given at a time, bytes. More than the 64 KiB above which it says that it has enough.
PIECE = 128 * 1024


@implementer(IOutlet, IPushProducer)
class Outlet:
    """
    What leaves one connection.

    @ivar ready: whether the connection takes more.
    @ivar block: how many bytes are best offered at a time.
    @ivar peer: who is at the other end, for the log.
    @ivar failure: why nothing can be sent any more, if it has found that itself.
    @ivar excess: how many bytes of answers were written since it has not been ready.
    """

    #: What the transport has taken waits in this process until the system takes it: so no more than it needs.
    block = 64 * 1024

    #: What was said in this turn, if it is to leave together.
    _gathered: list[bytes | memoryview] | None = None

    def __init__(self, transport: IConsumer, clock: IReactorTime, peer: str) -> None:
        self.ready = True
        self.peer = peer
        self.failure = ""
        self.excess = 0
        self._transport = transport
        self._put = _writeOf(transport)
        self._clock = clock
        self._fullSince = 0.0
        self._waiting: list[bytes | memoryview] = []
        self._drained: tuple[Callable[[], None], ...] = ()
        self._emptied: Callable[[], None] | None = None
        self._open = True
        self._begin()

    def _begin(self) -> None:
        self._transport.registerProducer(self, True)

    def _release(self) -> None:
        """The transport is done with us."""
        self._transport.unregisterProducer()

    @property
    def stalled(self) -> float:
        """For how many seconds nothing has left that was waiting to; 0 if nothing waits."""
        return 0.0 if self.ready else self._clock.seconds() - self._fullSince

    @property
    def waiting(self) -> int:
        """How many bytes wait in this process, besides what the transport has."""
        return sum(map(len, self._waiting))

    def clockStopped(self, seconds: float) -> None:
        """This process has stood still: that is nobody's stall."""
        self._fullSince += seconds

    def offer(self, data: bytes) -> int:
        """See L{IOutlet.offer}."""
        size = len(data)
        if self._gathered is not None:
            data = self._takeGathered() + data
        if self.ready and self._open and not self._waiting and len(data) <= PIECE:
            # The hot path.
            self._put(data)
        else:
            self._append(data)
        return size

    def write(self, data: bytes | memoryview) -> None:
        """See L{IOutlet.write}."""
        gathered = self._gathered
        if gathered is not None and (self.ready or gathered):
            gathered.append(data)
        else:
            self._append(data)

    def _append(self, data: bytes | memoryview) -> None:
        if self._open and data:
            self._waiting.append(data)
            if self.ready:
                self._hand()

    def gather(self) -> None:
        """While it is ready, what is written from now on waits for L{scatter}, or for the first that is offered."""
        if self._gathered is None:
            self._gathered = []

    def scatter(self) -> None:
        """What was gathered leaves. Harmless when repeated."""
        if self._gathered is not None:
            self._append(self._takeGathered())

    def _takeGathered(self) -> bytes:
        gathered, self._gathered = self._gathered, None
        return b"".join(gathered or ())

    def answer(self, data: bytes) -> None:
        """Send what the peer has asked for. How much of that waits is counted: somebody may ask and never read."""
        if not self.ready:
            self.excess += len(data)
        self.write(data)

    def attach(self, drained: Callable[[], None]) -> None:
        """See L{IOutlet.attach}."""
        if drained not in self._drained:
            self._drained += (drained,)

    def detach(self, drained: Callable[[], None]) -> None:
        """See L{IOutlet.detach}."""
        self._drained = tuple(other for other in self._drained if other != drained)

    def finish(self, emptied: Callable[[], None]) -> None:
        """
        Take nothing more from anybody.

        @param emptied: called when the transport has been given everything, and has sent all but the last of it.
        """
        self.scatter()
        self._open = False
        self._drained = ()
        if self.ready:
            self._release()
            emptied()
        else:
            self._emptied = emptied

    def _hand(self) -> None:
        """Give the transport what waits, until it has enough."""
        while self.ready and self._waiting:
            self._handPiece(PIECE)

    def _handPiece(self, size: int) -> None:
        """Give the transport the next C{size} bytes that wait, or what there is in one block."""
        data = self._waiting.pop(0)
        if len(data) > size:
            rest = memoryview(data)
            self._waiting.insert(0, rest[size:])
            data = rest[:size]
        self._put(bytes(data))

    # IPushProducer, for the transport

    def pauseProducing(self) -> None:
        """The transport holds as much as it likes. It says so again whenever more is written."""
        if self.ready:
            self.ready = False
            self._fullSince = self._clock.seconds()

    def resumeProducing(self) -> None:
        """The transport has sent all of it."""
        self.ready = True
        self._hand()
        if self.ready:
            self._allGone()

    def _allGone(self) -> None:
        """Nothing waits any more: tell those who have to know."""
        self.excess = 0
        if self._emptied is not None:
            emptied, self._emptied = self._emptied, None
            self._release()
            emptied()
        for drained in self._drained:
            if self.ready and drained in self._drained:
                # Next time, the others first: this one may take all there is.
                self.detach(drained)
                self.attach(drained)
                drained()

    def stopProducing(self) -> None:
        """The connection is gone."""
        self.ready = self._open = False
        self._emptied = self._gathered = None
        self._waiting.clear()
        self._drained = ()


def _writeOf(transport: IConsumer) -> Callable[[bytes], object]:
    """The transport's C{write}; for TLS, the one that encrypts at once. All go by the same, so order can't break."""
    # To mypy, no consumer is one of Twisted's classes.
    tls = cast(object, transport)
    if isinstance(tls, BufferingTLSTransport):
        return partial(TLSMemoryBIOProtocol.write, tls)
    return cast(Callable[[bytes], object], transport.write)
