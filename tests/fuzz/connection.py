"""
A TCP connection in memory, as the reactor has it: what is not read waits, what is closed is lost a turn later.

And the log, as far as a fuzzer minds it: a failure in it is a mistake of ours, whoever has sent what.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol, IPullProducer, IPushProducer
from twisted.internet.task import Clock
from twisted.logger import Logger, formatEvent
from twisted.python.failure import Failure

from rtmptw.protocol import RTMPProtocol
from tests.session.dialects import TCPTransport

__all__ = ["LOSSES", "Connection", "Log", "passTime", "watchedLog"]

#: How a connection may be lost.
LOSSES: tuple[type[Exception], ...] = (ConnectionDone, ConnectionResetError, ConnectionAborted)


class _Transport(TCPTransport):
    """As a socket's: to pause one that is closed does nothing."""

    @property
    def isClosed(self) -> bool:
        """Whether nothing is read any more."""
        return bool({"abortConnection", "loseConnection"} & set(self.calls))

    def pauseProducing(self) -> None:
        self.producerState = "paused"

    def resumeProducing(self) -> None:
        if not self.isClosed:
            self.producerState = "producing"


class Connection:
    """
    One of our connections, and whoever is at the other end.

    @ivar protocol: ours.
    @ivar transport: ours.
    @ivar isOver: whether it is lost.
    @ivar isFull: whether the peer takes nothing.
    """

    def __init__(self, protocol: RTMPProtocol, host: str = "192.168.1.1") -> None:
        self.protocol = protocol
        self.transport = _Transport(host)
        self.isOver = self.isFull = False
        self._unread = bytearray()
        self._isHalfClosed = False
        protocol.makeConnection(self.transport)

    def receive(self, data: bytes) -> None:
        """The peer sends bytes. While they are not read, they wait."""
        if not self.isOver:
            self._unread += data
            self._read()

    def settle(self) -> None:
        """The reactor has its turn."""
        self._read()
        calls = self.transport.calls
        if "abortConnection" in calls:
            self.lose(ConnectionAborted)
        elif "loseConnection" in calls and not self.isFull:
            self.lose(ConnectionDone)
        elif "loseWriteConnection" in calls and not self.isFull and not self._isHalfClosed:
            self._isHalfClosed = True
            half = IHalfCloseableProtocol(self.protocol, None)
            if half is not None and not self.isOver:
                half.writeConnectionLost()

    def lose(self, error: type[Exception]) -> None:
        """It is lost; what was not read with it."""
        if not self.isOver:
            self.isOver = True
            self._unread.clear()
            self.protocol.connectionLost(Failure(error("gone")))

    def fill(self) -> None:
        """The peer takes nothing for a while."""
        producer = self.transport.producer
        if not self.isOver and not self.isFull and self.transport.streaming and IPushProducer.providedBy(producer):
            self.isFull = True
            producer.pauseProducing()

    def drain(self) -> None:
        """The peer has taken everything."""
        if self.isFull:
            self.isFull = False
            producer = self.transport.producer
            if not self.isOver and (IPushProducer.providedBy(producer) or IPullProducer.providedBy(producer)):
                producer.resumeProducing()

    def _read(self) -> None:
        while self._unread and not self.isOver and self.transport.producerState == "producing":
            if self.transport.isClosed:
                self._unread.clear()
                return
            data = bytes(self._unread)
            self._unread.clear()
            self.protocol.dataReceived(data)


class Log:
    """
    What was logged, as far as it matters. It takes the place of the log, which takes more time than all the rest.

    @ivar failures: the failures, each with what was said about it.
    @ivar ends: how many connections were logged as closed.
    """

    def __init__(self, reads: bool) -> None:
        """
        @param reads: whether each line is put together, and must be one.
        """
        self.failures: list[tuple[str, Failure]] = []
        self.ends = 0
        self._reads = reads

    def emit(self, level: object, format: str | None = None, **values: object) -> None:
        """In the place of C{Logger.emit}."""
        failure = values.get("log_failure")
        if isinstance(failure, Failure):
            self.failures.append((str(format), failure))
        elif str(format).startswith("{peer}: closed: "):
            self.ends += 1
        if self._reads:
            line = formatEvent({"log_format": format, **values})
            assert not line.startswith("Unable to format event"), line

    def check(self) -> None:
        """
        @raise AssertionError: if there was a failure, with its traceback.
        """
        for words, failure in self.failures:
            raise AssertionError(f"{words}: {failure.getTraceback()}") from failure.value


@contextmanager
def watchedLog(reads: bool) -> Iterator[Log]:
    """
    See what is logged meanwhile; nobody else does.

    @param reads: see L{Log}.
    """
    log = Log(reads)
    emit = Logger.emit
    Logger.emit = lambda logger, level, format=None, **values: log.emit(level, format, **values)  # type: ignore
    try:
        yield log
    finally:
        Logger.emit = emit  # type: ignore[method-assign]


def passTime(clock: Clock, seconds: float) -> None:
    """Time passes, a second at a time, as for a process that is never stopped."""
    while seconds >= 1:
        clock.advance(1)
        seconds -= 1
    clock.advance(seconds)
