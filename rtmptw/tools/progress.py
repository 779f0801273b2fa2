# -*- test-case-name: tests.tools.test_progress -*-
"""
How far a transfer is: a line on a terminal, and a summary at the end.

The line is drawn by tqdm, if that is installed (C{pip install rtmptw[cli]}); without it there is the summary alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, TextIO

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

from rtmptw.tools.transfer import Transfer

__all__ = ["INTERVAL", "Progress", "clockTime", "summary"]

#: How often the line is drawn, seconds.
INTERVAL = 0.5

#: With a bar, if it is known how much there is; and without one.
_BAR = "{desc} |{bar}| {percentage:3.0f} %"
_NO_BAR = "{desc}"


class Progress:
    """The line."""

    def __init__(self, transfer: Transfer, clock: IReactorTime, stream: TextIO, total: int | None = None) -> None:
        """
        @param stream: where it is drawn: nowhere, unless that is a terminal.
        @param total: how many bytes there will be, if that is known.
        """
        self._transfer = transfer
        self._clock = clock
        self._total = total
        self._lastBytes = 0
        self._bar: Any = _openBar(stream, total) if stream.isatty() else None
        self._drawing = LoopingCall(self._draw)
        self._drawing.clock = clock
        if self._bar is not None:
            self._drawing.start(INTERVAL, now=True)

    def close(self) -> None:
        """Draw it for the last time. Harmless when repeated."""
        if self._bar is not None:
            self._drawing.stop()
            self._draw()
            self._bar.close()
            self._bar = None

    def _draw(self) -> None:
        transfer = self._transfer
        rate = (transfer.bytes - self._lastBytes) * 8 / INTERVAL
        self._lastBytes = transfer.bytes
        words = f"{clockTime(transfer.position)}  {rate / 1e6:6.2f} Mbit/s"
        if transfer.lag is not None:
            words += f"  lag {transfer.lag / 1000:.1f} s"
        if self._total is not None:
            self._bar.n = min(transfer.bytes, self._total)
        self._bar.set_description_str(words)


def _openBar(stream: TextIO, total: int | None) -> Any:
    try:
        tqdm = import_module("tqdm")
    except ImportError:
        return None
    return tqdm.tqdm(total=total, file=stream, bar_format=_NO_BAR if total is None else _BAR, dynamic_ncols=True)


def clockTime(ms: int) -> str:
    """A time as people read it: C{"1:02:03.4"}."""
    tenths = ms // 100
    minutes, hours = tenths // 600 % 60, tenths // 36000
    return f"{hours}:{minutes:02}:{tenths % 600 // 10:02}.{tenths % 10}"


def summary(transfer: Transfer, seconds: float, reason: str) -> dict[str, Any]:
    """
    What has become of it, for people and programs.

    @param seconds: how long it took.
    @return: C{seconds} of media, C{bytes}, C{elapsed} seconds, C{reason}.
    """
    return {
        "seconds": transfer.position / 1000,
        "bytes": transfer.bytes,
        "elapsed": round(seconds, 3),
        "reason": reason,
    }
