"""
The service of C{twistd rtmp} in a process whose reactor is held up: every turn of it begins with a sleep, as it would
be with an application that blocks. It is run as C{python -m tests.interop.heldup}, with the options of C{twistd rtmp}.
"""

from __future__ import annotations

import sys
import time

from twisted.internet import reactor
from twisted.logger import globalLogBeginner, textFileLogObserver

from rtmptw.tap import Options, makeService

__all__ = ["HELD"]

#: How long the reactor is held in each turn, seconds. A turn reads at most 64 kB of a connection.
HELD = 0.05


def holdUp() -> None:
    """Do nothing, for too long, and again in the next turn."""
    time.sleep(HELD)
    reactor.callLater(0, holdUp)


def main() -> None:
    """Serve until SIGTERM."""
    globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stdout)])
    options = Options()
    options.parseOptions(sys.argv[1:])
    service = makeService(options)
    service.privilegedStartService()
    service.startService()
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
    holdUp()
    reactor.run()


if __name__ == "__main__":
    main()
