# -*- test-case-name: tests.test_inlet -*-
"""
The way in of a connection: whether it is read, and by whom.

Usually the reactor reads it as soon as there is anything. It is not read while somebody holds it. And it may be
I{gathered}: then the reactor does not watch it any more, and L{rtmptw.door} reads what has come, in rounds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from twisted.internet.interfaces import IPushProducer

from rtmptw.closereason import explain
from rtmptw.plainsocket import plainSocket

__all__ = ["READ", "READS", "Inlet"]

#: How much is read at a time, bytes: as much as Twisted does.
READ = 64 * 1024

#: How many reads it takes to get what has come since the last round, at most. A keyframe may need some.
READS = 4


class Inlet:
    """
    What comes in on one connection.

    @ivar messages: how many messages came in the last second; whoever owns the clock says so.
    @ivar filled: whether there was more at a time than L{READS} take; whoever owns the clock may reset it.
    @ivar failure: why it can't be read any more, if L{read} has found that.
    """

    __slots__ = ("_holds", "_isGathered", "_received", "_socket", "_transport", "failure", "filled", "messages")

    def __init__(self, transport: object, received: Callable[[bytes], None]) -> None:
        """
        @param transport: the connection's, an L{IPushProducer}.
        @param received: its C{dataReceived}.
        """
        self.messages = 0
        self.filled = False
        self.failure = ""
        self._transport = cast(IPushProducer, transport)
        self._socket = plainSocket(transport)
        self._received = received
        self._holds: tuple[object, ...] = ()
        self._isGathered = False

    @property
    def isHeld(self) -> bool:
        """Whether anybody holds it."""
        return bool(self._holds)

    @property
    def canGather(self) -> bool:
        """Whether it may be gathered: only plain TCP may, and who has batches already should not."""
        return self._socket is not None and not self.filled

    def hold(self, who: object) -> None:
        """Do not read until C{who} lets go, and everybody else who holds."""
        if not self._holds:
            self._transport.pauseProducing()
        if who not in self._holds:
            self._holds += (who,)

    def release(self, who: object) -> bool:
        """
        Undo L{hold}. Harmless when repeated.

        @return: whether it is read again now.
        """
        if who not in self._holds:
            return False
        self._holds = tuple(holder for holder in self._holds if holder != who)
        self._watch()
        return not self._holds

    def open(self) -> None:
        """Nobody holds it any more, and the reactor reads it."""
        if self._holds or self._isGathered:
            self._holds = ()
            self._isGathered = False
            self._watch()

    def gather(self) -> None:
        """Do not watch it: it is read by L{read}, from now on."""
        self._isGathered = True
        self._transport.pauseProducing()

    def scatter(self) -> None:
        """Undo L{gather}. Harmless when repeated."""
        if self._isGathered:
            self._isGathered = False
            self._watch()

    def _watch(self) -> None:
        if not self._holds and not self._isGathered:
            self._transport.resumeProducing()

    def read(self) -> bool:
        """
        Read what has come, if it is gathered and nobody holds it.

        @return: whether it should stay so: not at its end, which the reactor finds in its own way, and not if there is
            more than L{READS} take.
        """
        for _ in range(READS):
            if self._holds or not self._isGathered or self._socket is None:
                return self._isGathered
            try:
                data = self._socket.recv(READ)
            except BlockingIOError:
                return True
            except OSError as error:
                self.failure = explain(error)
                return False
            if data:
                self._received(data)
            if len(data) < READ:
                return bool(data) and self._isGathered
        self.filled = True
        return False

    def drain(self) -> None:
        """
        Read what has come already, as far as L{READS} go: the reactor may read only part of it in time. Not to be
        called while it is being read.
        """
        self.gather()
        self.read()
        self.scatter()
