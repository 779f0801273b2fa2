# -*- test-case-name: tests.benchmarks.load.test_witness -*-
"""
The witnesses: who look at what a viewer gets, behind the handshake.

L{Witness} reads every message and checks every byte of it. L{Scanner} only looks for the stamps, and jumps from one to
the next: that is enough to see what is missing, at a gigabyte per second.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic_ns
from typing import Protocol

from benchmarks.load.media import AUDIO_STAMP, VIDEO_STAMP, Format, groupOfPictures
from benchmarks.load.stamp import MARK, STAMP_SIZE, Kind, readStamp
from benchmarks.load.tally import Order, Tally
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.message import Message, MessageType

__all__ = ["Follower", "Scanner", "Witness"]

#: Where the stamp is, by the type of the message.
_STAMPS: dict[int, int] = {MessageType.VIDEO: VIDEO_STAMP, MessageType.AUDIO: AUDIO_STAMP}

#: The second byte of a codec's header (in the tag headers of H.264 and AAC), and of an end of sequence.
_NO_FRAMES = (0, 2)


class Follower(Protocol):
    """What both have in common."""

    def feed(self, data: bytes) -> None:
        """
        Look at what has come.

        @raise RTMPError: if it can't be read.
        """


class Witness:
    """Reads and checks everything."""

    def __init__(self, tally: Tally, stream: int, clock: Callable[[], int] = monotonic_ns) -> None:
        """
        @param stream: the number of the stream that it should be.
        @param clock: ns, as in the stamps.
        """
        self._tally = tally
        self._stream = stream
        self._clock = clock
        self._order = Order(tally)
        self._reader = ChunkReader()

    def feed(self, data: bytes) -> None:
        """
        @raise RTMPError: if it can't be read.
        """
        for message in self._reader.feed(data):
            stampAt = _STAMPS.get(message.type)
            if stampAt is not None and message.payload[1:2] and message.payload[1] not in _NO_FRAMES:
                self._look(message, stampAt)

    def _look(self, message: Message, stampAt: int) -> None:
        tally = self._tally
        stamp = readStamp(message.payload, stampAt)
        if stamp is None or not stamp.isWhole or stamp.stream != self._stream:
            tally.damaged += tally.isMeasuring
            return
        self._order.take(message.type, stamp.sequence)
        if tally.isMeasuring:
            tally.latencies.append(self._clock() - stamp.time)


class Scanner:
    """Looks for stamps."""

    def __init__(self, tally: Tally, format: Format) -> None:
        """
        @param format: of the stream; it says how far it is from one stamp to the next at least.
        """
        self._tally = tally
        self._order = Order(tally)
        sizes = {frame.kind: len(frame.message.payload) - frame.stampAt for frame in groupOfPictures(format, 1)}
        #: By the letter of what is stamped: what is numbered, and how far to jump.
        self._jumps = {kind.value[0]: (kind is Kind.SOUND, size) for kind, size in sizes.items()}
        self._jump = 0
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Never fails: what is not a stamp is not looked at, and one that can't be read is damage."""
        if self._jump >= len(data):
            self._jump -= len(data)
            return
        data, start, self._rest = self._rest + data, self._jump, b""
        self._jump = 0
        while True:
            at = data.find(MARK, start)
            if at < 0:
                # A stamp may have begun at the very end.
                self._rest = data[max(len(data) - len(MARK) + 1, start) :]
                return
            if at + STAMP_SIZE > len(data):
                self._rest = data[at:]
                return
            start = at + self._look(data[at : at + STAMP_SIZE])
            if start >= len(data):
                self._jump = start - len(data)
                return

    def _look(self, stamp: bytes) -> int:
        """
        @return: how far it is to where the next one may begin.
        """
        try:
            kind, size = self._jumps[stamp[15]]
            sequence = int(stamp[24:32], 16)
        except (KeyError, ValueError):
            self._tally.damaged += self._tally.isMeasuring
            return len(MARK)
        self._order.take(kind, sequence)
        return size
