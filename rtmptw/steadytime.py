# -*- test-case-name: tests.test_steadytime -*-
"""
Time that only goes forward, one second in each second (hostile row F20).

Twisted's reactors tell the time of the wall clock, which an operator or a time server may set. If that is set back by a
day, nothing that was to happen later happens for a day: no deadline ends anybody, and viewers are given nothing. If it
is set forward, every deadline is over at once. So a server's reactor is to go by the system's monotonic clock. It
counts on while the process is stopped; L{rtmptw.connections} sees to that.

The names of recordings, the log, certificates and signed URLs have to do with the time of the day, and ask for that
themselves.
"""

from __future__ import annotations

import time
from typing import Any, cast

from twisted.internet.interfaces import IReactorTime

__all__ = ["keepSteadyTime"]


def keepSteadyTime(reactor: IReactorTime) -> None:
    """
    Have a reactor tell monotonic time from now on. What is to happen later will happen as much later. Harmless when
    repeated.
    """
    before = reactor.seconds()
    # All that a reactor of Twisted knows about time it asks itself for, by this name.
    cast(Any, reactor).seconds = time.monotonic
    difference = reactor.seconds() - before
    for call in reactor.getDelayedCalls():
        cast(Any, call).seconds = reactor.seconds
        call.delay(difference)
