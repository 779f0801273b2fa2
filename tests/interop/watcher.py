"""
Somebody who watches, as a program: a line for each message, saying when it came and what it was::

    python -m tests.interop.watcher rtmp://127.0.0.1/live/test

    started
    12345.678901 9 40 key
    12345.679002 8 42 frame
    12345.679100 9 80 header
    ended: REASON
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twisted.internet.task import react
from zope.interface import implementer

import rtmptw
from tests.interop.processes import Process, waitFor
from tests.interop.server import ROOT

__all__ = ["Seen", "Watcher"]


@dataclass(frozen=True)
class Seen:
    """
    One message.

    @ivar at: when it came, C{time.monotonic()}, which is the same for all processes.
    @ivar timestamp: ms.
    @ivar kind: C{"key"}, C{"frame"}, C{"header"} or C{"other"}.
    """

    at: float
    type: int
    timestamp: int
    kind: str

    @property
    def isFrame(self) -> bool:
        """Whether it is a picture or sound."""
        return self.kind in ("key", "frame")


class Watcher(Process):
    """The program as a child, to be used in a C{with}."""

    def __init__(self, url: str, log: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        super().__init__([sys.executable, "-m", "tests.interop.watcher", url], log, environment)

    def started(self) -> None:
        """Wait until the server has said yes."""
        waitFor("the watcher to start", lambda: "started" in self.output.splitlines())

    @property
    def seen(self) -> list[Seen]:
        """What has come so far."""
        lines = [line.split() for line in self.output.splitlines(keepends=True) if line.endswith("\n")]
        return [
            Seen(float(words[0]), int(words[1]), int(words[2]), words[3]) for words in lines if words[0][0].isdigit()
        ]

    @property
    def ends(self) -> list[str]:
        """Why it is over; nothing if it is not."""
        return [line.removeprefix("ended: ") for line in self.output.splitlines() if line.startswith("ended: ")]


@implementer(rtmptw.ISubscriber)
class _Notes:
    """Writes it down."""

    def messageReceived(self, message: rtmptw.Message) -> None:
        kind = rtmptw.classify(message.type, message.payload)
        if kind.isHeader:
            word = "header"
        elif kind.isKeyframe and message.type == rtmptw.MessageType.VIDEO:
            word = "key"
        else:
            word = "frame" if kind.isFrame else "other"
        print(f"{time.monotonic():.6f} {int(message.type)} {message.timestamp} {word}", flush=True)

    def streamEnded(self, reason: str) -> None:
        print(f"ended: {reason}", flush=True)


async def main(reactor: Any, url: str) -> None:
    """Watch until it is over."""
    stream = await rtmptw.play(url, _Notes(), reactor=reactor)
    print("started", flush=True)
    await stream.whenEnded()
    await stream.close()


if __name__ == "__main__":
    react(main, sys.argv[1:])
