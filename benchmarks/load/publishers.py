# -*- test-case-name: tests.interop.test_benchmarks -*-
"""
The publishers of one process: C{python -m benchmarks.load.publishers SETTINGS}, with orders on standard input.

A message is sent when it is due, to the millisecond that C{epoll} allows, in one C{send}; when the process is late, it
says by how much. Where it may, it has a higher priority than the viewers, with whom it shares a processor: a stream
that stutters at its source would be everybody's latency.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from heapq import heappop, heappush
from select import EPOLLIN, EPOLLOUT, epoll
from time import monotonic, monotonic_ns, process_time

from benchmarks.load.line import LOOPBACK, openLine
from benchmarks.load.media import Format
from benchmarks.load.orders import Answer, Orders
from benchmarks.load.publisher import FlatOutPublisher, LivePublisher, Sent
from benchmarks.load.talk import Refused
from benchmarks.load.tally import percentile
from benchmarks.load.words import Words

__all__ = ["PRIORITY", "Publishers", "PublishersSettings"]

#: How nice the process is: nobody may delay a stream at its source, but one that never ends must let its viewer read.
PRIORITY = -10
FLAT_OUT_PRIORITY = 5

#: How long the loop waits at most, s.
_TICK = 0.01


@dataclass(frozen=True)
class PublishersSettings:
    """
    @ivar port: of the server, on this machine.
    @ivar app: the application.
    @ivar count: how many streams, C{bench0}, C{bench1} ...
    @ivar bitrate: of the pictures of each, bit/s.
    @ivar chunk: the chunk size, bytes.
    @ivar isFlatOut: whether they send as fast as it goes.
    @ivar spread: over how much time their keyframes are spread, s; by default the time of one picture, so that all
        keyframes come together.
    @ivar patience: how long it may take until all publish, s.
    """

    port: int
    app: str = "live"
    count: int = 1
    bitrate: float = 4e6
    chunk: int = 4096
    isFlatOut: bool = False
    spread: float | None = None
    patience: float = 30.0


@dataclass
class _Starting:
    """Publishers that do not publish yet."""

    began: float
    waiting: set[int] = field(default_factory=set)
    reasons: list[str] = field(default_factory=list)


class Publishers:
    """All of them."""

    def __init__(self, settings: PublishersSettings, poll: epoll) -> None:
        self._settings = settings
        self._poll = poll
        self._format = Format(settings.bitrate)
        self._sent = Sent()
        self._publishers: dict[int, LivePublisher | FlatOutPublisher] = {}
        #: When the next message of each is due, ns, and its file descriptor.
        self._due: list[tuple[int, int]] = []
        self._starting: _Starting | None = None
        self._lost: list[str] = []
        self._isStopped = False
        self._began = self._cpu = 0.0
        self._before = Sent()
        self.orders: Orders

    # Orders

    def start(self, order: Answer) -> None:
        """Publish; answered when all do, or it has taken too long."""
        settings = self._settings
        self._starting = starting = _Starting(monotonic())
        url = f"rtmp://{LOOPBACK}:{settings.port}/{settings.app}"
        kind = FlatOutPublisher if settings.isFlatOut else LivePublisher
        for number in range(settings.count):
            try:
                line = openLine(settings.port, False)
            except OSError as error:
                starting.reasons.append(str(error))
                continue
            fd = line.socket.fileno()
            words = Words(url, settings.app, f"bench{number}", settings.chunk)
            self._publishers[fd] = kind(line, words, number, self._sent)
            starting.waiting.add(fd)
            self._poll.register(fd, EPOLLIN | EPOLLOUT)

    def begin(self, order: Answer) -> Answer:
        """From here on it is measured."""
        self._sent.lateness = []
        self._before = Sent(self._sent.bytes, self._sent.messages)
        self._lost.clear()
        self._began, self._cpu = monotonic(), process_time()
        return {}

    def end(self, order: Answer) -> Answer:
        """The results since L{begin}."""
        seconds, cpu = monotonic() - self._began, process_time() - self._cpu
        late = sorted(self._sent.lateness or ())
        self._sent.lateness = None
        p99, worst = percentile(late, 99), percentile(late, 100)
        return {
            "seconds": seconds,
            "cpu": cpu,
            "bytes": self._sent.bytes - self._before.bytes,
            "messages": self._sent.messages - self._before.messages,
            "publishers": len(self._publishers),
            "closed": len(self._lost),
            "reasons": sorted(set(self._lost))[:3],
            "lateP99": None if p99 is None else p99 / 1e6,
            "lateWorst": None if worst is None else worst / 1e6,
        }

    def stop(self, order: Answer) -> Answer:
        """Send no more; the connections stay."""
        self._isStopped = True
        return {"messages": self._sent.messages}

    # The loop

    def run(self, orders: Orders) -> None:
        """Until there are no more orders."""
        self.orders = orders
        while not orders.isOver:
            wait = min(max((self._due[0][0] - monotonic_ns()) / 1e9, 0), _TICK) if self._due else _TICK
            for fd, event in self._poll.poll(wait):
                if fd == orders.fileno():
                    orders.read()
                elif fd in self._publishers:
                    self._attempt(fd, event)
            self._sendDue()
            self._answerStarting()

    def _sendDue(self) -> None:
        due = self._due
        while due and not self._isStopped and due[0][0] <= (now := monotonic_ns()):
            fd = heappop(due)[1]
            publisher = self._publishers.get(fd)
            if isinstance(publisher, LivePublisher):
                try:
                    if publisher.sendNext(now):
                        heappush(due, (publisher.due, fd))
                    else:
                        self._poll.modify(fd, EPOLLIN | EPOLLOUT)
                except OSError as error:
                    self._lose(fd, str(error))

    def _answerStarting(self) -> None:
        starting = self._starting
        if starting is None:
            return
        isLate = monotonic() - starting.began > self._settings.patience
        if starting.waiting and not isLate:
            return
        for fd in list(starting.waiting):
            starting.reasons.append(f"does not publish in time, after: {self._publishers[fd].describe()}")
            self._publishers.pop(fd).line.close()
        self._starting = None
        self.orders.answer({"publishing": len(self._publishers), "reasons": sorted(set(starting.reasons))[:3]})

    def _attempt(self, fd: int, event: int) -> None:
        publisher = self._publishers[fd]
        try:
            if not publisher.isOpen:
                if publisher.open():
                    self._poll.modify(fd, EPOLLIN)
                return
            if event & ~EPOLLOUT and publisher.read(self._format, self._settings.chunk):
                self._begun(fd, publisher)
            if event & EPOLLOUT:
                self._writable(fd, publisher)
        except (OSError, Refused) as error:
            self._lose(fd, str(error))

    def _begun(self, fd: int, publisher: LivePublisher | FlatOutPublisher) -> None:
        if self._starting is not None:
            self._starting.waiting.discard(fd)
        if isinstance(publisher, FlatOutPublisher):
            self._poll.modify(fd, EPOLLIN | EPOLLOUT)
            return
        spread = 1 / self._format.rate if self._settings.spread is None else self._settings.spread
        apart = 1e9 * spread / self._settings.count
        publisher.startAt(monotonic_ns() + int(apart * len(self._due)))
        heappush(self._due, (publisher.due, fd))

    def _writable(self, fd: int, publisher: LivePublisher | FlatOutPublisher) -> None:
        """
        @raise OSError: if the connection is lost.
        """
        if isinstance(publisher, FlatOutPublisher):
            if self._isStopped and (not publisher.isHeld or publisher.drain()):
                self._poll.modify(fd, EPOLLIN)
            elif not self._isStopped:
                publisher.sendMore(monotonic_ns())
        elif publisher.drain():
            self._poll.modify(fd, EPOLLIN)
            heappush(self._due, (publisher.due, fd))

    def _lose(self, fd: int, reason: str) -> None:
        if self._starting is not None and fd in self._starting.waiting:
            self._starting.waiting.discard(fd)
            self._starting.reasons.append(reason)
        self._lost.append(reason)
        self._publishers.pop(fd).line.close()


def main() -> None:
    """The process."""
    settings = PublishersSettings(**json.loads(sys.argv[1]))
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, FLAT_OUT_PRIORITY if settings.isFlatOut else PRIORITY)
    poll = epoll()
    publishers = Publishers(settings, poll)
    actions = {"start": publishers.start, "begin": publishers.begin, "end": publishers.end, "stop": publishers.stop}
    publishers.run(Orders.standard(actions, poll))


if __name__ == "__main__":
    main()
