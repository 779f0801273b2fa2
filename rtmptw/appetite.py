# -*- test-case-name: tests.test_protocol -*-
"""
The appetite for one connection: how much of what comes is read, in a turn of the reactor and in a second.

Bytes say little about the work that they make: a message may have none, and a chunk one. So these are counted, and
after each read is looked at what there was:

- more small chunks, empty messages or commands in a second than the limits say: no more is read in this second;
- as many as L{TURN} at a time: the others have their turn first, and then it goes on with what is here already;
- more than the limits say while the application decides: no more is read until it has.

A peer that sends ordinary media meets none of them.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

from rtmptw.inlet import Inlet
from rtmptw.limits import Limits, Reached
from rtmptw.session.netconnection import NetConnection
from rtmptw.wire.chunkreader import ChunkReader

__all__ = ["TURN", "Appetite"]

#: How many chunks with less than 64 bytes, and messages without a body, are read of one connection before others have
#: their turn: two milliseconds of work.
TURN = 128


class Appetite:
    """
    What holds the inlet of one connection, and lets it go.
    """

    __slots__ = (
        "_clock",
        "_commands",
        "_emptyMessages",
        "_goOn",
        "_heldBytes",
        "_holds",
        "_inlet",
        "_reached",
        "_reader",
        "_smallChunks",
    )

    def __init__(
        self,
        inlet: Inlet,
        reader: ChunkReader,
        clock: IReactorTime,
        limits: Limits,
        reached: Reached,
        goOn: Callable[[], None],
    ) -> None:
        """
        @param goOn: called when what was left in the reader is to be read.
        """
        self._inlet = inlet
        self._reader = reader
        self._clock = clock
        self._reached = reached
        self._goOn = goOn
        self._holds: tuple[str, ...] = ()
        self._heldBytes, self._smallChunks = limits.heldBytes, limits.smallChunks
        self._emptyMessages, self._commands = limits.emptyMessages, limits.commands

    @property
    def isSated(self) -> bool:
        """Whether no more is read in this second."""
        return "budget" in self._holds

    @property
    def isTurning(self) -> bool:
        """Whether the others have their turn."""
        return "turn" in self._holds

    def look(self, session: NetConnection) -> None:
        """Something was read, and taken as far as it may be."""
        reader = self._reader
        if session.waiting and reader.held > self._heldBytes:
            self._hold("verdict", "heldBytes")
        if reader.smallChunks > self._smallChunks:
            self._hold("budget", "smallChunks")
        elif reader.emptyMessages > self._emptyMessages:
            self._hold("budget", "emptyMessages")
        elif session.commands > self._commands:
            self._hold("budget", "commands")
        elif reader.isTurnOver and not session.waiting and "turn" not in self._holds:
            # While the application decides there is nothing to do in a turn: it would be over at once, again and again.
            self._hold("turn")
            self._clock.callLater(0, self._turn)

    def _hold(self, who: str, limit: str = "") -> None:
        """Something may still come, from TLS, which counts as the same occurrence."""
        if who not in self._holds:
            self._holds += (who,)
            self._inlet.hold(who)
            if limit:
                self._reached.add(limit)

    def _release(self, who: str) -> None:
        self._holds = tuple(other for other in self._holds if other != who)
        self._inlet.release(who)

    def _turn(self) -> None:
        """The others have had their turn."""
        self._release("turn")
        if not self.isSated:
            self._goOn()

    def second(self) -> bool:
        """
        A second has passed.

        @return: whether nothing was read in the rest of it, so that nothing could be heard; what is left is to be read.
        """
        self._reader.smallChunks = self._reader.emptyMessages = 0
        wasSated = self.isSated
        if wasSated:
            self._release("budget")
        return wasSated

    def decided(self) -> None:
        """The application has answered."""
        self._release("verdict")
