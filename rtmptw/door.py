# -*- test-case-name: tests.test_door -*-
"""
The door: many publishers are read together.

An encoder sends some seventy messages a second, each for itself. For each the reactor wakes up, asks the socket, and
runs the whole way to the tape, and that costs as much as what is in the message. So when there is much of it, the
publishers are I{gathered}: the reactor does not watch them any more, and at the beginning of each round
(L{rtmptw.live.rounds}) each of them is read once: some messages at a time, and what they bring leaves in that round.

Who is gathered is decided once a second, by load:

- all publishers over plain TCP who do nothing else, as soon as L{MANY} messages come in a second from all of them;
- but for those who send so much that one round's reads do not take it all: they have their batches already;
- nobody any more, when no more than L{FEW} come. With few publishers everything leaves at once.

The price is time: a message waits up to a round, L{LEAST} at least. Where rounds may not be that far apart
(L{rtmptw.live.rounds.FlushTimes}), nobody is gathered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from twisted.logger import Logger

from rtmptw.inlet import Inlet
from rtmptw.live.rounds import Rounds

__all__ = ["FEW", "LEAST", "MANY", "MOST_EACH", "Door"]

#: How many messages a second are many, and how few are few.
MANY = 3000
FEW = 2000

#: How many of them count of one publisher: a file that is sent at full speed is not many encoders.
MOST_EACH = 200

#: The time between two rounds, seconds, at least, while publishers are gathered.
LEAST = 0.02


class Door:
    """
    The publishers of one process that are read in rounds.
    """

    _log = Logger()

    def __init__(self, rounds: Rounds) -> None:
        self._rounds = rounds
        self._inside: dict[Inlet, None] = {}

    def __len__(self) -> int:
        return len(self._inside)

    def second(self, publishers: Iterable[Inlet]) -> None:
        """
        A second has passed: decide who is gathered.

        @param publishers: all that there are.
        """
        load, candidates = 0, []
        for inlet in publishers:
            if inlet.canGather:
                candidates.append(inlet)
                load += min(inlet.messages, MOST_EACH)
            inlet.filled = False
        for inlet in self._inside.keys() - candidates:
            self._dismiss(inlet)
        if load <= FEW or self._rounds.times.most < LEAST:
            self.close()
        elif self._inside or load >= MANY:
            for inlet in candidates:
                if inlet not in self._inside:
                    self._inside[inlet] = None
                    inlet.gather()
            self._rounds.gather(self._read, LEAST)

    def close(self) -> None:
        """Let the reactor read them all."""
        self._rounds.scatter(self._read)
        for inlet in tuple(self._inside):
            self._dismiss(inlet)

    def _dismiss(self, inlet: Inlet) -> None:
        del self._inside[inlet]
        inlet.scatter()

    def _read(self) -> Iterator[None]:
        """Read each of them once."""
        for inlet in tuple(self._inside):
            try:
                stays = inlet.read()
            except Exception:
                # The others are to be read all the same.
                self._log.failure("a publisher could not be read")
                stays = False
            if not stays and inlet in self._inside:
                self._dismiss(inlet)
            yield
