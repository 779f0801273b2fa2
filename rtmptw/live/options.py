# -*- test-case-name: tests.live.test_options -*-
"""
What C{twistd rtmp} is told about streams, at its command line: what becomes of a busy name, for how long a publisher is
waited for, how often viewers are sent something, and how far back they start.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf

from twisted.internet.interfaces import IReactorTime
from twisted.python.usage import Options, UsageError

from rtmptw.limits import Limits, Reached
from rtmptw.live.busy import Busy
from rtmptw.live.hub import StreamHub
from rtmptw.live.livestream import GRACE_SECONDS
from rtmptw.live.rounds import FlushTimes
from rtmptw.live.tape import CacheLimits

__all__ = ["StreamOptions", "makeHub"]

#: The longest that media may be gathered, ms.
MAX_FLUSH = 10_000

#: The longest that a publisher may be waited for, seconds.
MAX_GRACE = 86400


class StreamOptions(Options):
    """The options. They are a part of L{rtmptw.tap.Options}."""

    def __init__(self) -> None:
        super().__init__()
        self.update(flush=FlushTimes(), cache=CacheLimits(), busy=Busy.REPLACE_SILENT, grace=GRACE_SECONDS)

    # One line, because the help shows line breaks as they are here.
    def opt_busy(self, rule: str) -> None:
        """For a name in use: refuse, replace, or replace-silent (one silent for 2 s). [default: replace-silent]"""
        try:
            self["busy"] = Busy(rule)
        except ValueError:
            rules = ", ".join([each.value for each in Busy])
            raise UsageError(f"--busy {rule}: there is no such rule; there are {rules}") from None

    def opt_grace(self, seconds: str) -> None:
        """How long viewers and recordings wait for a publisher that is lost, seconds; 0: not at all. [default: 10]"""
        try:
            number = float(seconds)
            if not 0 <= number <= MAX_GRACE:
                raise ValueError
        except ValueError:
            raise UsageError(f"--grace {seconds}: a number of seconds, {MAX_GRACE} at most") from None
        self["grace"] = number

    def opt_flush(self, times: str) -> None:
        """MIN:MAX: how long media is gathered before it is sent to viewers, ms; 0:0: not at all. [default: 0:45]"""
        least, colon, most = times.partition(":")
        try:
            flush = FlushTimes(_seconds(least), _seconds(most))
            if not colon:
                raise ValueError
        except ValueError:
            raise UsageError(
                f"--flush {times}: two times in ms, the lesser one first, neither more than 10 seconds: 0:45"
            ) from None
        self["flush"] = flush

    def opt_cache_seconds(self, seconds: str) -> None:
        """Who joins starts at the newest keyframe, unless it is more than so many seconds ago. [default: any age]"""
        try:
            number = float(seconds)
            if not 0 <= number < inf:
                raise ValueError
        except ValueError:
            raise UsageError(f"--cache-seconds {seconds}: a number of seconds, as 4 or 2.5") from None
        self["cache"] = replace(self["cache"], seconds=number)

    def opt_cache_frames(self, frames: str) -> None:
        """Who joins starts at the newest keyframe, unless it is more than so many frames ago. [default: 4096]"""
        self["cache"] = replace(self["cache"], frames=_count("cache-frames", frames))

    def opt_cache_bytes(self, size: str) -> None:
        """Who joins starts at the newest keyframe, unless it is more than so many bytes ago. [default: 16777216]"""
        self["cache"] = replace(self["cache"], bytes=_count("cache-bytes", size))


def _seconds(milliseconds: str) -> float:
    """
    @raise ValueError: if it is no time between rounds.
    """
    number = float(milliseconds)
    if not 0 <= number <= MAX_FLUSH:
        raise ValueError(f"{milliseconds} is not within 0 and {MAX_FLUSH}")
    return number / 1000


def _count(option: str, text: str) -> int:
    """
    @raise UsageError: if it is no positive number.
    """
    if not (text.isascii() and text.isdigit() and int(text)):
        raise UsageError(f"--{option} {text}: a number, 1 or more")
    return int(text)


def makeHub(options: StreamOptions, clock: IReactorTime, limits: Limits, reached: Reached) -> StreamHub:
    """The hub that the options ask for."""
    return StreamHub(clock, options["flush"], options["cache"], options["busy"], options["grace"], limits, reached)
