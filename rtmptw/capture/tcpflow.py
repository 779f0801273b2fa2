# -*- test-case-name: tests.capture.test_tcpflow -*-
"""
One direction of a TCP connection, put together again from what was captured of it.

TCP numbers every byte modulo 2^32 (RFC 9293, section 3.4). What comes twice is taken once, as it came first; what comes
too early waits until what is missing has come. But a capture may lack what the receiver had: then nothing fills the
gap, and the flow ends there. Nothing is made up, and a chunk stream can't be read behind a gap.
"""

from __future__ import annotations

from heapq import heappop, heappush

__all__ = ["MAX_AHEAD", "MAX_HELD", "PIECE_COST", "TCPFlow"]

#: How much may wait for something that is missing, bytes. More than any sender has in flight at 1 Gbit/s and 30 ms.
MAX_HELD = 4 * 1024 * 1024

#: What each piece that waits costs besides its bytes.
PIECE_COST = 128

#: The largest window of TCP (RFC 7323, section 2.3), bytes: what is further ahead is of something else.
MAX_AHEAD = 1 << 30

_MODULUS = 1 << 32
_HALF = 1 << 31


class TCPFlow:
    """
    What one side says.

    @ivar first: the sequence number of the first byte; L{None} if there was nothing yet.
    @ivar isWhole: whether it was seen how it began.
    @ivar read: how many bytes were read, in order.
    @ivar held: how much waits, with L{PIECE_COST} for each piece.
    @ivar isBroken: whether something is missing, and it was given up.
    @ivar isEnded: whether its side has closed it.
    """

    __slots__ = ("_end", "_gap", "_leftOut", "_pieces", "first", "held", "isBroken", "isWhole", "read")

    def __init__(self) -> None:
        self.first: int | None = None
        self.isWhole = False
        self.read = 0
        self.held = 0
        self.isBroken = False
        self._pieces: list[tuple[int, bytes]] = []
        self._end: int | None = None
        self._gap = 0
        self._leftOut = 0

    @property
    def isEnded(self) -> bool:
        """See L{TCPFlow}."""
        return self._end is not None

    def begin(self, sequence: int) -> None:
        """
        It was seen how it begins. Harmless when repeated.

        @param sequence: the number of the first byte, one behind SYN.
        """
        if self.first is None:
            self.first = sequence % _MODULUS
            self.isWhole = True

    def add(self, sequence: int, data: bytes) -> list[bytes]:
        """
        Bytes were captured.

        @return: what can be read now, in order.
        """
        at = self._place(sequence)
        if at is None or at + len(data) <= self.read or self.isBroken:
            self._leftOut += len(data) if self.isBroken else 0
            return []
        if at > self.read:
            self._hold(at, data)
            return []
        ready = [data[self.read - at :]]
        self.read = at + len(data)
        while self._pieces and self._pieces[0][0] <= self.read:
            at, data = heappop(self._pieces)
            self.held -= len(data) + PIECE_COST
            if at + len(data) > self.read:
                ready.append(data[self.read - at :])
                self.read = at + len(data)
        return ready

    def finish(self, sequence: int) -> None:
        """
        Its side closes it.

        @param sequence: the number behind the last byte.
        """
        at = self._place(sequence)
        if at is not None and at >= self.read and self._end is None:
            self._end = at

    def gap(self) -> str:
        """
        Nothing more comes: what is missing.

        @return: in words; empty if nothing is.
        """
        if not self.isBroken and self._pieces:
            self._break()
        if self.isBroken:
            return (
                f"{self._gap:,} bytes are missing at byte {self.read:,}, and {self._leftOut:,} behind it are left out"
            )
        if self._end is not None and self._end > self.read:
            return f"the last {self._end - self.read:,} bytes are missing, at byte {self.read:,}"
        return ""

    def _place(self, sequence: int) -> int | None:
        """How many bytes come before; L{None} if it can't be of this connection."""
        if self.first is None:
            self.first = sequence
        ahead = (sequence - self.first - self.read + _HALF) % _MODULUS - _HALF
        return self.read + ahead if ahead <= MAX_AHEAD else None

    def _hold(self, at: int, data: bytes) -> None:
        heappush(self._pieces, (at, data))
        self.held += len(data) + PIECE_COST
        if self.held > MAX_HELD:
            self._break()

    def _break(self) -> None:
        """What is missing will not come."""
        self.isBroken = True
        self._gap = self._pieces[0][0] - self.read
        self._leftOut = sum(len(data) for _, data in self._pieces)
        self._pieces.clear()
        self.held = 0
