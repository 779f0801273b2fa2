# -*- test-case-name: tests.interop.test_benchmarks -*-
"""
The bench: what a case measures with. A server on one processor, publishers and viewers on the other, and a window of
time in which everything counts.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.case import Values
from benchmarks.errors import BenchmarkError
from benchmarks.load.audience import Audience
from benchmarks.load.child import Child
from benchmarks.load.media import Format
from benchmarks.load.orders import Answer
from benchmarks.load.players import COUNT, PARSE, PlayersSettings
from benchmarks.load.publishers import PublishersSettings
from benchmarks.runningserver import RunningServer
from benchmarks.servers import Places, ServerKind
from benchmarks.usage import kernelMemory

__all__ = ["PARSED", "RAMP", "Bench", "Window", "integrity", "megabytes"]

#: How many viewers check everything, where most of them only count.
PARSED = 10

#: How many viewers come per second, where they do not come at once.
RAMP = 1000.0

#: How long a stream runs before anybody comes, and how long all have come before it is measured, s.
_WARM_UP = 1.0
_SETTLE = 2.0
_QUICK = 0.1

_MEGA = 1e6


@dataclass
class Window:
    """
    What was measured in one window of time.

    @ivar seconds: how long it was, at the server.
    @ivar cpu: what the server spent, s.
    @ivar userShare: how much of that was not in the kernel, 0 to 1.
    @ivar players: what the viewers say.
    @ivar publishers: what the publishers say.
    @ivar resident: the server's memory, bytes, each time that it was looked at.
    @ivar kernel: the memory of all TCP buffers, bytes, the same.
    """

    seconds: float
    cpu: float
    userShare: float
    players: Answer = field(default_factory=dict)
    publishers: Answer = field(default_factory=dict)
    resident: list[int] = field(default_factory=list)
    kernel: list[int] = field(default_factory=list)

    def common(self) -> Values:
        """What every case has: processor shares, %, and the publishers' lateness, ms."""
        load = sum(part["cpu"] / part["seconds"] for part in (self.players, self.publishers) if part)
        return {
            "seconds": self.seconds,
            "cpuShare": self.cpu / self.seconds * 100,
            "userShare": self.userShare * 100,
            "loadShare": load * 100,
            "lateP99": self.publishers.get("lateP99"),
            "lateWorst": self.publishers.get("lateWorst"),
        }


def integrity(players: Answer, joined: Answer, sent: Answer | None = None) -> Values:
    """
    What the viewers say: whether all came, stayed and got all.

    @param joined: the answer to their joining.
    @param sent: what the publishers say of the same time, to tell whether the slowest viewer got it all.
    """
    keys = ("messages", "lost", "reordered", "duplicated", "damaged", "p50", "p99", "worst")
    values: Values = {key: players[key] for key in keys}
    values["reordered"] += values["duplicated"]
    values["missing"] = joined["failed"] + players["closed"]
    values["reasons"] = joined["reasons"] + players["reasons"]
    if sent is not None:
        slowest, rate = players["slowest"], sent["bytes"] / sent["seconds"] / max(sent["publishers"], 1)
        values["slowest"] = slowest / rate * 100 if slowest is not None and rate else None
    return values


class Bench:
    """
    @ivar seconds: how long a measurement is.
    @ivar isQuick: whether it is only to be seen that everything runs.
    """

    def __init__(self, places: Places, serverProcessor: int | None, seconds: float, isQuick: bool) -> None:
        """
        @param serverProcessor: where servers run; the load stays where this process is.
        """
        self.seconds = seconds
        self.isQuick = isQuick
        self._places = places
        self._processor = serverProcessor

    def server(self, kind: ServerKind) -> RunningServer:
        """A server, to be used in a C{with}."""
        return RunningServer(kind, self._places, self._processor)

    def wait(self, seconds: float) -> None:
        """Let things go on; but a moment is enough if nobody wants to know how they go."""
        time.sleep(min(seconds, _QUICK) if self.isQuick else seconds)

    def settle(self) -> None:
        """Let everything come to rest that has just begun."""
        self.wait(_SETTLE)

    @contextmanager
    def publishers(
        self,
        server: RunningServer,
        count: int = 1,
        bitrate: float = Format.bitrate,
        chunk: int = 4096,
        isFlatOut: bool = False,
        spread: float | None = None,
    ) -> Iterator[Child]:
        """
        Publishers, and the time that their streams need to be there.

        @raise BenchmarkError: if the server does not take all.
        """
        settings = PublishersSettings(
            server.port, count=count, bitrate=bitrate, chunk=chunk, isFlatOut=isFlatOut, spread=spread
        )
        with Child("benchmarks.load.publishers", settings) as child:
            answer = child.ask("start")
            if answer["publishing"] != count:
                reasons = "; ".join(answer["reasons"])
                raise BenchmarkError(f"only {answer['publishing']} of {count} may publish: {reasons}")
            self.wait(_WARM_UP)
            yield child

    def players(self, server: RunningServer, does: str, streams: int = 1) -> Child:
        """
        A process for viewers, to be used in a C{with}; nobody has joined.

        @param does: what they do, as in L{benchmarks.load.players}.
        """
        settings = PlayersSettings(server.viewersPort, does, streams=streams, isSecure=server.kind.isSecure)
        return Child("benchmarks.load.players", settings)

    def audience(self, server: RunningServer, streams: int = 1) -> Audience:
        """A crowd that counts, and some among it who check everything; to be used in a C{with}."""
        return Audience(self.players(server, COUNT, streams), self.players(server, PARSE, streams))

    def window(
        self,
        server: RunningServer,
        players: Audience | Child | None = None,
        publishers: Child | None = None,
        seconds: float | None = None,
        look: float | None = None,
    ) -> Window:
        """
        Measure.

        @param seconds: how long; as long as always, if it is not said.
        @param look: how often to look at the server's memory, s.
        @raise BenchmarkError: if the server has ended.
        """
        children = {"players": players, "publishers": publishers}
        present = {name: child for name, child in children.items() if child is not None}
        for child in present.values():
            child.ask("begin")
        user, system = server.systemShare()
        cpu, began = server.processorTime(), time.monotonic()
        end = began + (self.seconds if seconds is None else seconds)
        resident, kernel = [], []
        while (left := end - time.monotonic()) > 0:
            if look is not None:
                resident.append(server.memory().resident)
                kernel.append(kernelMemory())
            time.sleep(max(min(left, look or left), 0))
        cpu, lasted = server.processorTime() - cpu, time.monotonic() - began
        userAfter, systemAfter = server.systemShare()
        if not server.isRunning:
            raise BenchmarkError(f"{server.kind.name} has ended while it was measured")
        spent = (userAfter - user) + (systemAfter - system)
        answers = {name: child.ask("end") for name, child in present.items()}
        userShare = (userAfter - user) / spent if spent else 0.0
        return Window(lasted, cpu, userShare, resident=resident, kernel=kernel, **answers)


def megabytes(size: float) -> float:
    """Bytes as MB."""
    return size / _MEGA
