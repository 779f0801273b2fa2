# -*- test-case-name: tests.interop.test_benchmarks -*-
"""
The viewers, thousands of them in one process: C{python -m benchmarks.load.players SETTINGS}, with orders on standard
input.

Why one Python process can be so many viewers
=============================================
It shares a processor with nothing but the publisher, yet whatever it spends is time in which the server's sockets fill.
So a viewer that has seen its first picture costs one call for each wake-up, C{recv_into} with C{MSG_TRUNC}: the kernel
then throws the bytes away without copying them, however many there are, and Python adds a number to another one. The
more there is to do, the more has come until it is a viewer's turn, so it is one call for more bytes, and what is
measured of the server changes little.

Those who look at what they get (L{benchmarks.load.witness}) are a few, in a process of their own with a higher
priority, so that their latencies are the server's and not those of the crowd beside them.

What it can't do is in the results: when these processes and the publisher's together take nearly all of their
processor, it is the load that is measured, not the server. Three quarters of that are the kernel's, in whatever
language: a viewer of nginx-rtmp as most have it, which sends 4 KB at a time, costs the load nearly four times as much
as one of a server that gathers, and some 3,000 of them fill a processor.
"""

from __future__ import annotations

import json
import mmap
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from select import EPOLLET, EPOLLIN, EPOLLOUT, EPOLLRDHUP, epoll
from time import monotonic, process_time
from typing import Any

from benchmarks.load.joining import Crowd, Joining
from benchmarks.load.line import LOOPBACK, openLine
from benchmarks.load.media import Format
from benchmarks.load.orders import Answer, Orders, raiseFileLimit
from benchmarks.load.talk import Refused
from benchmarks.load.tally import Tally
from benchmarks.load.viewer import Viewer
from benchmarks.load.witness import Follower, Scanner, Witness
from benchmarks.load.words import Words
from rtmptw.errors import RTMPError

__all__ = ["COUNT", "PARSE", "SCAN", "Players", "PlayersSettings"]

#: What the viewers of a process do with what they get: count it, check everything, or look what is missing.
COUNT, PARSE, SCAN = "count", "parse", "scan"

#: How nice a process is that looks at what it gets.
PRIORITY = -5

#: How many wake-ups are looked after at a time.
_BATCH = 256

#: How much is thrown away at a time, bytes. Nothing is written there, so it is no memory.
_ROOM = 1 << 23

#: How often the loop looks at the time, and how often bytes are acknowledged, s.
_TICK = 0.005
_ACKNOWLEDGE = 0.5


@dataclass(frozen=True)
class PlayersSettings:
    """
    @ivar port: of the server, on this machine.
    @ivar does: L{COUNT}, L{PARSE} or L{SCAN}.
    @ivar app: the application.
    @ivar streams: the viewers are spread over so many streams, C{bench0}, C{bench1} ...
    @ivar isSecure: whether they come over TLS.
    @ivar patience: how long joining may take, s.
    """

    port: int
    does: str = COUNT
    app: str = "live"
    streams: int = 1
    isSecure: bool = False
    patience: float = 40.0


class Players:
    """All viewers of this process."""

    def __init__(self, settings: PlayersSettings, poll: epoll, files: int) -> None:
        """
        @param files: file descriptors are below that.
        """
        self._settings = settings
        self._poll = poll
        url = f"{'rtmps' if settings.isSecure else 'rtmp'}://{LOOPBACK}:{settings.port}/{settings.app}"
        self._words = [Words(url, settings.app, f"bench{stream}") for stream in range(settings.streams)]
        self._tally = Tally()
        self._viewers: dict[int, Viewer] = {}
        self._stalled: dict[int, Viewer] = {}
        self._gone = 0
        self._number = 0
        self._joining: Joining | None = None
        #: By file descriptor: how a viewer that only counts throws away what has come, and how much that was.
        self._throw: list[Callable[[memoryview, int, int], int] | None] = [None] * files
        self._received = [0] * files
        self._room = memoryview(mmap.mmap(-1, _ROOM))
        self._lost: list[str] = []
        self._before: dict[int, int] = {}
        self._began = self._cpu = self._acknowledged = 0.0

    # Orders

    def join(self, order: Answer) -> None:
        """Let viewers join; answered when all have, or it has taken too long."""
        self._joining = Joining(Crowd(**{key: order[key] for key in order if key != "do"}), monotonic())

    def begin(self, order: Answer) -> Answer:
        """From here on it is measured."""
        self._tally.clear()
        self._lost.clear()
        self._before = self._counts()
        self._tally.isMeasuring = True
        self._began, self._cpu = monotonic(), process_time()
        return {}

    def end(self, order: Answer) -> Answer:
        """The results since L{begin}."""
        seconds, cpu = monotonic() - self._began, process_time() - self._cpu
        self._tally.isMeasuring = False
        counts = self._counts()
        gains = [counts[fd] - self._before.get(fd, 0) for fd in counts]
        return {
            "seconds": seconds,
            "cpu": cpu,
            "bytes": sum(gains),
            "slowest": min(gains) / seconds if gains else None,
            "closed": len(self._lost),
            "reasons": sorted(set(self._lost))[:3],
            "stalled": len(self._stalled),
            **self._tally.results(),
        }

    # The loop

    def run(self, orders: Orders) -> None:
        """Until there are no more orders."""
        throw, received, room = self._throw, self._received, self._room
        truncate = socket.MSG_TRUNC
        while not orders.isOver:
            for fd, _ in self._poll.poll(_TICK, _BATCH):
                receive = throw[fd]
                if receive is not None:
                    try:
                        size = receive(room, _ROOM, truncate)
                    except BlockingIOError:
                        continue
                    except OSError as error:
                        self._lose(fd, str(error))
                        continue
                    received[fd] += size
                    if not size:
                        self._lose(fd, "closed by the server")
                elif fd == orders.fileno():
                    orders.read()
                elif fd in self._viewers:
                    self._attempt(fd, self._advance)
                elif fd in self._stalled:
                    self._replace(fd)
            self._tick(monotonic(), orders)

    def _tick(self, now: float, orders: Orders) -> None:
        if self._joining is None and self._gone:
            self._joining = Joining(Crowd(self._gone, stalls=True, isReplacement=True), now)
            self._gone = 0
        joining = self._joining
        if joining is not None:
            self._open(joining, now)
            if joining.isOver(now, self._settings.patience):
                for fd in list(joining.waiting):
                    joining.failed(fd, self._viewers[fd].describe())
                    self._forget(fd)
                self._joining = None
                if not joining.crowd.isReplacement:
                    orders.answer(joining.result(now))
        if now - self._acknowledged > _ACKNOWLEDGE:
            self._acknowledged = now
            for fd, received in self._counts().items():
                self._attempt(fd, partial(Viewer.acknowledge, received=received))

    # Joining

    def _open(self, joining: Joining, now: float) -> None:
        due = joining.due(now)
        while joining.opened < due:
            joining.opened += 1
            stream = self._number % self._settings.streams
            self._number += 1
            try:
                line = openLine(self._settings.port, self._settings.isSecure)
            except OSError as error:
                joining.reasons.append(str(error))
                continue
            fd = line.socket.fileno()
            self._viewers[fd] = Viewer(line, self._words[stream], self._follower(stream), joining.crowd.isIdle)
            joining.waiting.add(fd)
            self._poll.register(fd, EPOLLIN | EPOLLOUT)

    def _follower(self, stream: int) -> Follower | None:
        if self._settings.does == PARSE:
            return Witness(self._tally, stream)
        return Scanner(self._tally, Format()) if self._settings.does == SCAN else None

    def _advance(self, viewer: Viewer) -> None:
        """
        Something has come, or a line is open.

        @raise OSError: if the connection is lost.
        @raise Refused: if the server refuses.
        @raise RTMPError: if what it says can't be read.
        """
        fd = viewer.line.socket.fileno()
        if not viewer.isOpen:
            if viewer.open():
                self._poll.modify(fd, EPOLLIN)
        elif viewer.read():
            self._joined(fd, viewer)

    def _joined(self, fd: int, viewer: Viewer) -> None:
        joining, joined = self._joining, viewer.joined
        assert joining is not None and joined is not None
        joining.joined(fd, joined)
        if joining.crowd.stalls:
            # What comes is not of interest; that the server has closed is.
            self._poll.modify(fd, EPOLLRDHUP)
            self._stalled[fd] = self._viewers.pop(fd)
        elif viewer.counts:
            self._received[fd] = viewer.received
            self._throw[fd] = viewer.line.receiveRaw
            # All that is there is taken at once, so the kernel need not look for more.
            self._poll.modify(fd, EPOLLIN | EPOLLET)

    # Losing

    def _attempt(self, fd: int, action: Callable[[Viewer], Any]) -> None:
        try:
            action(self._viewers[fd])
        except (OSError, Refused, RTMPError) as error:
            self._lose(fd, str(error))

    def _lose(self, fd: int, reason: str) -> None:
        joining = self._joining
        if joining is not None and fd in joining.waiting:
            joining.failed(fd, reason)
        else:
            self._lost.append(reason)
        self._forget(fd)

    def _forget(self, fd: int) -> None:
        self._throw[fd] = None
        self._viewers.pop(fd).line.close()

    def _replace(self, fd: int) -> None:
        """The server has closed one that stalled: let another one come."""
        self._stalled.pop(fd).line.close()
        self._gone += 1

    def _counts(self) -> dict[int, int]:
        """By file descriptor: bytes so far of all who have joined."""
        return dict(self._eachCount())

    def _eachCount(self) -> Iterator[tuple[int, int]]:
        for fd, viewer in self._viewers.items():
            if viewer.joined is not None:
                yield fd, self._received[fd] if self._throw[fd] is not None else viewer.received


def main() -> None:
    """The process."""
    settings = PlayersSettings(**json.loads(sys.argv[1]))
    if settings.does != COUNT:
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
    poll = epoll()
    players = Players(settings, poll, raiseFileLimit())
    players.run(Orders.standard({"join": players.join, "begin": players.begin, "end": players.end}, poll))


if __name__ == "__main__":
    main()
