# -*- test-case-name: tests.benchmarks.test_usage -*-
"""
What a server uses: processor time and memory of its whole process tree, from Linux.

The processor time of a process is read from its own clock (C{clock_getcpuclockid(3)}), which counts nanoseconds, and
threads that have ended as well; C{/proc/PID/stat} counts hundredths of a second, which is enough to tell user time from
system time.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Memory", "kernelMemory", "processTree", "processorTime", "readMemory", "systemShare"]

#: The lowest bits of a process's clock: scheduled time, of all threads (Linux, posix-timers.h).
_SCHEDULED = 2

_KIB = 1024


@dataclass(frozen=True)
class Memory:
    """
    @ivar resident: bytes in memory, shared pages counted by each process.
    @ivar proportional: the same, shared pages divided by those who share them.
    """

    resident: int
    proportional: int


def kernelMemory(text: str | None = None) -> int:
    """
    What the kernel holds in the buffers of all TCP connections, bytes: those of servers and of the load.

    @param text: C{/proc/net/sockstat}, if not that of this machine.
    """
    found = re.search(r"^TCP:.* mem (\d+)", text or Path("/proc/net/sockstat").read_text(), re.MULTILINE)
    return int(found[1]) * os.sysconf("SC_PAGESIZE") if found else 0


def processTree(pid: int) -> list[int]:
    """A process and all that it has started, and they."""
    pids = [pid]
    for parent in pids:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                pids += map(int, children.read_text().split())
            except OSError:  # This thread has just ended.
                continue
    return pids


def processorTime(pids: list[int]) -> float:
    """User and system time of processes, s; of those that are there."""
    total = 0.0
    for pid in pids:
        try:
            total += time.clock_gettime(~pid << 3 | _SCHEDULED)
        except OSError:  # It has just ended.
            continue
    return total


def systemShare(pids: list[int]) -> tuple[float, float]:
    """User time and system time of processes, s."""
    user = system = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        user += int(fields[11])
        system += int(fields[12])
    tick = os.sysconf("SC_CLK_TCK")
    return user / tick, system / tick


def readMemory(pids: list[int]) -> Memory:
    """The memory of processes, of those that are there."""
    found = {"Rss": 0, "Pss": 0}
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            name, _, value = line.partition(":")
            if name in found:
                found[name] += int(value.split()[0]) * _KIB
    return Memory(found["Rss"], found["Pss"])
