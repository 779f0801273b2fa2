"""
The service of C{twistd rtmp}, which reads publishers together also if they do not send that much, and logs how many of
them it does so with, when that changes. It is run as C{python -m tests.interop.opendoor}, with the options of
C{twistd rtmp}.
"""

from __future__ import annotations

import sys

from twisted.internet.task import LoopingCall
from twisted.logger import Logger, globalLogBeginner, textFileLogObserver

import rtmptw.door
from rtmptw.tap import Options, makeService

__all__ = ["FEW", "MANY"]

#: How many messages a second are many, and how few are few. A machine that is busy with other tests gets that far.
MANY = 2000
FEW = 1600

#: How often the door is looked at, seconds.
STEP = 0.01


class Watch:
    """Somebody at the door."""

    _log = Logger()

    def __init__(self, door: rtmptw.door.Door) -> None:
        self._door = door
        self._count = 0

    def look(self) -> None:
        """Log what has changed."""
        if len(self._door) != self._count:
            self._count = len(self._door)
            self._log.info("gathered: {count}", count=self._count)


def main() -> None:
    """Serve until SIGTERM."""
    # Who only wants to know the figures needs none.
    from twisted.internet import reactor

    globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stdout)])
    rtmptw.door.MANY, rtmptw.door.FEW = MANY, FEW
    options = Options()
    options.parseOptions(sys.argv[1:])
    service = makeService(options)
    LoopingCall(Watch(service.factory._door).look).start(STEP)  # type: ignore[attr-defined]
    service.privilegedStartService()  # type: ignore[attr-defined]
    service.startService()  # type: ignore[attr-defined]
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)  # type: ignore[attr-defined]
    reactor.run()  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
