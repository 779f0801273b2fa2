# -*- test-case-name: tests.benchmarks.load.test_viewer -*-
"""
One viewer, from its connection to its first picture, and, if somebody looks at what it gets, to the end.

A viewer that only counts is given up here with its first picture: L{benchmarks.load.players} then counts its bytes,
without copying them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic_ns

from benchmarks.load.line import READ_SIZE, Line
from benchmarks.load.talk import Talk
from benchmarks.load.witness import Follower
from benchmarks.load.words import PICTURES, PLAYING, Words
from rtmptw.wire.chunkwriter import encodeMessage
from rtmptw.wire.control import acknowledgement
from rtmptw.wire.handshake import HANDSHAKE_SIZE

__all__ = ["JOIN_SIZE", "Joined", "Viewer"]

#: How much is read at a time until the first picture, bytes.
JOIN_SIZE = 8192

#: The chunk size of what is sent, bytes; none of it is longer.
_OUR_CHUNK = 128


@dataclass(frozen=True)
class Joined:
    """
    How one viewer has joined.

    @ivar ms: from the TCP connect to its first picture (or, if it need not see any, to the word that it will).
    @ivar onKeyframe: whether that was a keyframe.
    """

    ms: float
    onKeyframe: bool


class Viewer:
    """
    @ivar line: its connection.
    @ivar received: bytes, as long as it reads them here.
    @ivar joined: how it has joined; L{None} until then.
    @ivar isOpen: whether it has begun to speak.
    """

    def __init__(
        self,
        line: Line,
        words: Words,
        follower: Follower | None = None,
        isIdle: bool = False,
        clock: Callable[[], int] = monotonic_ns,
    ) -> None:
        """
        @param follower: who looks at what it gets; L{None} if bytes are to be counted only.
        @param isIdle: whether it is content without a picture.
        @param clock: ns.
        """
        self.line = line
        self.received = 0
        self.joined: Joined | None = None
        self.isOpen = False
        self._acknowledged = 0
        self._talk: Talk | None = Talk(words, (PLAYING,) if isIdle else PICTURES)
        self._words = words
        self._clock = clock
        self._began = clock()
        self._follower = follower
        self._skip = HANDSHAKE_SIZE

    @property
    def counts(self) -> bool:
        """Whether it only counts what comes."""
        return self._follower is None

    def open(self) -> bool:
        """
        To be called when its line may be open.

        @return: whether it is.
        @raise OSError: if the connection has failed.
        """
        if self.line.opened():
            self.isOpen = True
            self.line.say(self._words.opening)
        return self.isOpen

    def read(self) -> bool:
        """
        To be called when something has come.

        @return: whether it has just joined.
        @raise OSError: if the connection is lost.
        @raise Refused: if the server does not let it play.
        @raise RTMPError: if what it says can't be read.
        """
        # Only the begin of a large first picture is of interest to those who count.
        data = self.line.receive(JOIN_SIZE if self._follower is None else READ_SIZE)
        if data is None:
            return False
        if not data:
            raise ConnectionError(self._lastWords())
        self.received += len(data)
        joins = False
        if self._talk is not None:
            self.line.say(self._talk.feed(data))
            joins = self._talk.found is not None
        if self._follower is not None:
            if self._skip:
                data, self._skip = data[self._skip :], max(self._skip - len(data), 0)
            self._follower.feed(data)
        if joins:
            self._join()
        return joins

    def _join(self) -> None:
        assert self._talk is not None
        self.joined = Joined((self._clock() - self._began) / 1e6, self._talk.found == PICTURES[0])
        if self._words.window is None:
            self._words.window = self._talk.window
        self._talk = None

    def _lastWords(self) -> str:
        if self._talk is None:
            return "closed by the server"
        return f"closed by the server while joining, after: {self._talk.describe()}"

    def describe(self) -> str:
        """How far it has come."""
        if not self.isOpen:
            return "no connection in time"
        return f"no picture in time, after: {self._talk.describe()}" if self._talk is not None else "joined"

    def acknowledge(self, received: int) -> None:
        """
        Say how much has come, as viewers do for each half of the server's window.

        @param received: all bytes so far.
        @raise OSError: if the connection is lost.
        """
        window = self._words.window
        if window and received - self._acknowledged >= window // 2:
            self._acknowledged = received
            self.line.say(encodeMessage(acknowledgement(received), _OUR_CHUNK))
