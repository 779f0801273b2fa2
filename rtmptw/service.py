# -*- test-case-name: tests.test_service -*-
"""
The service that C{twistd rtmp} runs: the ports, and what is behind them, from the start to the end.

The end
=======
1. Nobody is let in any more, and nothing is fetched any more. No stream waits for its publisher any more.
2. Every publisher is read once more, and closed with a status; viewers, when they have the rest.
3. What is sent on to other servers, and the recordings, are finished.

All of that has L{STOP_SECONDS}. Whoever does not want to wait sends the signal again: then, as behind that time, every
connection is cut off, and the process ends at once. Recordings that were not finished by then are playable up to where
they are, and are finished at the next start.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Iterable
from errno import EACCES, EADDRINUSE, EADDRNOTAVAIL
from typing import Any

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.error import CannotListenError
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from rtmptw.errors import PortError
from rtmptw.record.recorder import Recorder
from rtmptw.relay.pull import Pull
from rtmptw.relay.push import Push
from rtmptw.server import RTMPServerFactory

__all__ = ["STOP_SECONDS", "RTMPService", "Signals"]

#: How long the end may take, seconds.
STOP_SECONDS = 9.5

#: Why it is cut short, if somebody wants that.
_AGAIN = "that was asked for again"

#: What may be the matter with a port, and what to do about it.
_HINTS = {
    EACCES: "ports below 1024 are for root, or for who has CAP_NET_BIND_SERVICE",
    EADDRINUSE: "another program has it, perhaps another server of this kind; --port N takes another one",
    EADDRNOTAVAIL: "this machine has no such address",
}

#: How many new objects the garbage collector waits for, how often it looks at new ones before it looks at older ones,
#: and how often at those before it looks at all; the usual numbers are 700, 10, 10. It looks at all as seldom as with
#: 20,000, 10, 10, but never at 200,000 new ones at a time, which takes 20 ms while many come.
GARBAGE_THRESHOLDS = (5_000, 5, 80)

#: The signals that end a process, and that may come twice.
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Signals:
    """
    SIGTERM and SIGINT: what they do while the reactor runs. Left to itself, C{twistd} ends by the signal once it has
    shut down, so that an end in good order looks like none; and a second signal is an error in its log.
    """

    def __init__(self, reactor: Any) -> None:
        """
        @param reactor: whoever has signals.
        """
        self._reactor = reactor
        self._before: dict[int, Any] = {}

    def install(self, asked: Callable[[], None]) -> None:
        """Have them call something, in the reactor's thread, as soon as it runs."""
        self._reactor.callWhenRunning(self._install, asked)

    def _install(self, asked: Callable[[], None]) -> None:
        for number in _SIGNALS:
            handler = signal.signal(number, lambda *_: self._reactor.callFromThread(asked))
            self._before.setdefault(number, handler)

    def stop(self) -> None:
        """End the process in good order."""
        self._reactor.stop()

    def restore(self) -> None:
        """Undo L{install}."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()


def _settleMemory() -> None:
    """
    What is in memory before the first connection stays there: the garbage collector need not look at it again. And
    thousands of connections are no garbage: it looks at them less often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


def _whyNot(error: Exception) -> str:
    """Which port can't be opened, why, and what to do about it."""
    if not isinstance(error, CannotListenError):
        # Of a socket that is a file, its lock; of a number, that it is too large.
        file = getattr(error, "filename2", None)
        place = os.fsdecode(file).removesuffix(".lock") if file is not None else "a port"
        return f"can't listen on {place}: {getattr(error, 'strerror', None) or error}: see --port"
    reason, number = error.socketError, getattr(error.socketError, "errno", 0)
    if isinstance(error.port, int):
        place, hint = f"{error.interface or 'any address'}, port {error.port}", _HINTS.get(number, "see --port")
    else:
        place, hint = os.fsdecode(error.port), "another program has it, or has left it behind"
    return f"can't listen on {place}: {getattr(reason, 'strerror', None) or reason}: {hint}"


class RTMPService(MultiService):
    """
    The ports, and what is behind them.
    """

    _log = Logger()

    def __init__(
        self,
        factory: RTMPServerFactory,
        pull: Pull,
        push: Push,
        recorder: Recorder | None,
        writers: ThreadPool,
        starts: Iterable[Callable[[], None]] = (),
        signals: Signals | None = None,
    ) -> None:
        """
        @param starts: each makes something begin that is no port. They are called when the reactor is about to run, and
            in the process in which it does.
        @param signals: those that ask for the end, if they are ours to see to.
        """
        super().__init__()
        self.factory = factory
        self.pull = pull
        self.push = push
        self.recorder = recorder
        self._writers = writers
        self._starts = tuple(starts)
        self._signals = signals
        self._hurry: Callable[[str], None] | None = None
        self._isAsked = self._isAskedAgain = False

    def privilegedStartService(self) -> None:
        """
        Open the ports, with the rights that a process may have at first only.

        @raise PortError: if one can't be opened; C{twistd} then ends.
        """
        try:
            super().privilegedStartService()
        except (CannotListenError, OSError, OverflowError) as error:
            raise PortError(_whyNot(error)) from None

    def startService(self) -> None:
        """Start to listen, and whatever else is to begin."""
        _settleMemory()
        if self._signals is not None:
            self._signals.install(self.asked)
        self._writers.start()
        super().startService()
        if self.recorder is not None:
            self.recorder.start()
        for start in self._starts:
            start()

    def asked(self) -> None:
        """The end was asked for; or was once more."""
        if self._hurry is not None:
            self._hurry(_AGAIN)
        elif self._isAsked:
            self._isAskedAgain = True
        elif self._signals is not None:
            self._isAsked = True
            self._log.info("stopping, within {seconds:g} s; if that is asked for again, at once", seconds=STOP_SECONDS)
            self._signals.stop()

    def stopService(self) -> Deferred[None]:
        """
        Stop.

        @return: fires when everything is done, or was cut off.
        """
        ended: Deferred[None] = Deferred()

        def end(failure: Failure | None = None) -> None:
            if self._hurry is not None:
                self._hurry = None
                if late.active():
                    late.cancel()
                self.factory.tellLimits()
                if self._signals is not None:
                    self._signals.restore()
                ended.callback(None)
            if failure is not None:
                self._log.failure("the end has failed", failure)

        def hurry(why: str) -> None:
            self._log.warn("the end is cut short: {why}; {left}", why=why, left=self._left())
            self.factory.abortAll("the server is shutting down, at once")
            if self.recorder is not None:
                self.recorder.abort()
            # What is not done by now goes on as long as the reactor does, and nobody waits for it.
            end()

        self._hurry = hurry
        late = self.factory.clock.callLater(STOP_SECONDS, hurry, f"it has taken {STOP_SECONDS:g} s")
        if self.recorder is not None:
            self.recorder.stopping()
        Deferred.fromCoroutine(self._stop(super().stopService())).addBoth(end)
        if self._isAskedAgain and self._hurry is not None:
            hurry(_AGAIN)
        return ended

    def _left(self) -> str:
        """What is not done yet."""
        left = [f"{self.factory.connected} connections"]
        if self.recorder is not None:
            left.append(f"{len(self.recorder)} recordings, which are finished at the next start")
        return f"there are {' and '.join(left)}"

    async def _stop(self, ports: Deferred[Any]) -> None:
        await ports
        await self.pull.finish()
        await self.factory.closeAll("the server is shutting down")
        ends: list[Deferred[Any]] = [self.push.finish()]
        if self.recorder is not None:
            ends.append(self.recorder.finish())
        await DeferredList(ends)
        self._writers.stop()
