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
import signal
from collections.abc import Callable, Iterable
from typing import Any

from twisted.application.service import MultiService
from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.internet.interfaces import IReactorFromThreads
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from rtmptw.record.recorder import Recorder
from rtmptw.relay.pull import Pull
from rtmptw.relay.push import Push
from rtmptw.server import RTMPServerFactory

__all__ = ["STOP_SECONDS", "RTMPService", "onSignals"]

#: How long the end may take, seconds.
STOP_SECONDS = 9.5

#: How many new objects the garbage collector waits for; the usual numbers are 700, 10, 10.
GARBAGE_THRESHOLDS = (20_000, 10, 10)

#: The signals that end a process, and that may come twice.
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def onSignals(reactor: IReactorFromThreads, hurry: Callable[[], None]) -> Callable[[], None]:
    """
    Have SIGTERM and SIGINT call something, in the reactor's thread, in place of what they do.

    @return: undoes that.
    """
    before = [(number, signal.getsignal(number)) for number in _SIGNALS]
    for number in _SIGNALS:
        signal.signal(number, lambda *_: reactor.callFromThread(hurry))

    def undo() -> None:
        for number, handler in before:
            signal.signal(number, handler)

    return undo


def _settleMemory() -> None:
    """
    What is in memory before the first connection stays there: the garbage collector need not look at it again. And
    thousands of connections are no garbage: it looks at them less often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


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
        relays: Iterable[Callable[[], None]] = (),
        onAgain: Callable[[Callable[[], None]], Callable[[], None]] | None = None,
    ) -> None:
        """
        @param relays: each makes something be relayed. They are called when the reactor is about to run, and in the
            process in which it does.
        @param onAgain: arranges that something is called when the end is asked for once more, and gives what undoes
            that: L{onSignals}.
        """
        super().__init__()
        self.factory = factory
        self.pull = pull
        self.push = push
        self.recorder = recorder
        self._writers = writers
        self._relays = tuple(relays)
        self._onAgain = onAgain

    def startService(self) -> None:
        """Start to listen, and to relay."""
        _settleMemory()
        self._writers.start()
        super().startService()
        if self.recorder is not None:
            self.recorder.recover()
        for relay in self._relays:
            relay()

    def stopService(self) -> Deferred[None]:
        """
        Stop.

        @return: fires when everything is done, or was cut off.
        """
        stopping = Deferred.fromCoroutine(self._stop(super().stopService()))
        if stopping.called:
            return stopping

        def hurry(why: str) -> None:
            self._log.warn("the end is cut short: {why}", why=why)
            self.factory.abortAll("the server is shutting down, at once")
            stopping.cancel()

        late = self.factory.clock.callLater(STOP_SECONDS, hurry, f"it has taken {STOP_SECONDS:g} s")
        undo = self._onAgain(lambda: hurry("it was asked for again")) if self._onAgain is not None else _nothing

        def stopped(result: Failure | None) -> None:
            undo()
            if late.active():
                late.cancel()
            if result is not None and result.check(CancelledError) is None:
                self._log.failure("the end has failed", result)

        return stopping.addBoth(stopped)

    async def _stop(self, ports: Deferred[Any]) -> None:
        await ports
        await self.pull.finish()
        await self.factory.closeAll("the server is shutting down")
        ends: list[Deferred[Any]] = [self.push.finish()]
        if self.recorder is not None:
            ends.append(self.recorder.finish())
        await DeferredList(ends)
        self._writers.stop()


def _nothing() -> None:
    """There is nothing to undo."""
