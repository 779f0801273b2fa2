# -*- test-case-name: tests.benchmarks.load.test_publisher -*-
"""
One publisher: its talk with the server, and then its stream, at the pace of a real one or as fast as it goes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic_ns

from benchmarks.load.line import READ_SIZE, Line
from benchmarks.load.media import Format
from benchmarks.load.reel import Reel, cutReel
from benchmarks.load.talk import Talk
from benchmarks.load.words import PUBLISHING, Words

__all__ = ["FLAT_OUT_PIECE", "FlatOutPublisher", "LivePublisher", "Publisher", "Sent"]

#: How much a publisher that never waits stamps at a time, bytes.
FLAT_OUT_PIECE = 1 << 18


@dataclass
class Sent:
    """
    What the publishers of a process have sent, and how late.

    @ivar bytes: of payload.
    @ivar messages: pictures and sounds.
    @ivar lateness: of each message, ns behind its time; L{None} where it is not measured.
    """

    bytes: int = 0
    messages: int = 0
    lateness: list[int] | None = None


class Publisher:
    """
    What both kinds have in common.

    @ivar line: the connection.
    @ivar isPublishing: whether the server has said that it may.
    """

    def __init__(self, line: Line, words: Words, stream: int, sent: Sent) -> None:
        """
        @param stream: its number.
        @param sent: where it counts what it sends.
        """
        self.line = line
        self.isPublishing = False
        self._stream = stream
        self._sent = sent
        self._words = words
        self._talk = Talk(words, (PUBLISHING,))
        self._isOpen = False
        self._rest = memoryview(b"")
        self._sequences = {True: 0, False: 0}
        self._index = 0

    @property
    def isHeld(self) -> bool:
        """Whether the server has not taken all yet."""
        return bool(self._rest)

    @property
    def isOpen(self) -> bool:
        """Whether it has begun to speak."""
        return self._isOpen

    def open(self) -> bool:
        """
        To be called when its line may be open.

        @return: whether it is.
        @raise OSError: if the connection has failed.
        """
        if self.line.opened():
            self._isOpen = True
            self.line.say(self._words.opening)
        return self._isOpen

    def read(self, format: Format, chunkSize: int) -> bool:
        """
        To be called when the server has said something.

        @return: whether it says that the stream may begin. Its headers are sent then.
        @raise OSError: if the connection is lost.
        @raise Refused: if the server does not let it publish.
        """
        data = self.line.receive(READ_SIZE)
        if data is None:
            return False
        if not data:
            raise ConnectionError(f"closed by the server, after: {self._talk.describe()}")
        if self.isPublishing:
            return False
        self.line.say(self._talk.feed(data))
        if self._talk.found is None:
            return False
        self.isPublishing = True
        self.begin(cutReel(format, chunkSize, self._talk.streamId))
        return True

    def begin(self, reel: Reel) -> None:
        """
        Send the headers; the rest follows.

        @raise OSError: if the connection is lost.
        """
        self._reel = reel
        self._send(memoryview(reel.headers))

    def describe(self) -> str:
        """How far it has come."""
        return self._talk.describe()

    def _send(self, data: memoryview) -> bool:
        """
        @return: whether the server has taken all.
        @raise OSError: if the connection is lost.
        """
        try:
            size = self.line.socket.send(data)
        except BlockingIOError:
            size = 0
        self._rest = data[size:]
        return not self._rest

    def drain(self) -> bool:
        """
        Go on with what the server did not take.

        @return: whether it has taken all now.
        @raise OSError: if the connection is lost.
        """
        return self._send(self._rest)

    def _stampNext(self, time: int) -> bytearray:
        """The next message, and a step forward."""
        shot = self._reel.shots[self._index]
        sequence = self._sequences[shot.isPicture]
        self._sequences[shot.isPicture] = sequence + 1
        shot.stamp(self._stream, sequence, time)
        self._sent.bytes += shot.size
        self._sent.messages += 1
        self._index += 1
        return shot.data


class LivePublisher(Publisher):
    """
    Sends each message when it is due.

    @ivar due: when that is for the next one, ns.
    """

    def __init__(self, line: Line, words: Words, stream: int, sent: Sent) -> None:
        super().__init__(line, words, stream, sent)
        self.due = 0
        self._start = 0
        self._heldUntil = 0

    def startAt(self, start: int) -> None:
        """
        @param start: when the first message is due, ns.
        """
        self.due = self._start = start

    def sendNext(self, now: int) -> bool:
        """
        Send what is due.

        @return: whether the server has taken all of it.
        @raise OSError: if the connection is lost.
        """
        due = self.due
        if self._sent.lateness is not None:
            self._sent.lateness.append(now - due)
        # What could not be sent in time because the server did not read is as old as it is.
        data = self._stampNext(due if due < self._heldUntil else now)
        reel = self._reel
        if self._index == len(reel.shots):
            self._index = reel.again
            self._start += reel.length
        self.due = self._start + reel.shots[self._index].due
        if self._send(memoryview(data)):
            return True
        # The bytes are shared with all the other publishers.
        self._rest = memoryview(bytes(self._rest))
        return False

    def drain(self, clock: Callable[[], int] = monotonic_ns) -> bool:
        """
        @param clock: ns.
        """
        isDone = super().drain()
        if isDone:
            self._heldUntil = clock()
        return isDone


class FlatOutPublisher(Publisher):
    """Sends as fast as the server takes it."""

    def sendMore(self, now: int) -> bool:
        """
        Send what goes; to be called when the socket takes something.

        @return: whether the server has taken all of it.
        @raise OSError: if the connection is lost.
        """
        if self._rest and not self.drain():
            return False
        shots, pieces, size = self._reel.shots, [], 0
        while size < FLAT_OUT_PIECE:
            data = self._stampNext(now)
            pieces.append(data)
            size += len(data)
            if self._index == len(shots):
                self._index = self._reel.again
                break
        return self._send(memoryview(b"".join(pieces)))
