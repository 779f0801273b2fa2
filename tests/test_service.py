# -*- test-case-name: tests.test_service -*-
"""
Tests for L{rtmptw.service}.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from errno import EACCES, EADDRINUSE, ENOBUFS, ENOENT
from socket import gaierror
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.task import Clock
from twisted.internet.testing import EventLoggingObserver
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import PortError
from rtmptw.service import STOP_SECONDS, RTMPService, Signals


class Part:
    """
    A part of the server that says what is done to it, and takes its time.
    """

    def __init__(self, name: str, steps: Steps) -> None:
        self._name = name
        self._steps = steps
        self.clock = steps.clock

    #: How many connections there are.
    connected = 3

    def __len__(self) -> int:
        return 2

    def tellLimits(self) -> None:
        """Limits are told."""
        self._steps.done.append("tell limits")

    def stopping(self) -> None:
        """It is told that the end has begun."""
        self._steps.done.append(f"stopping {self._name}")

    def abort(self) -> None:
        """It is cut short."""
        self._steps.done.append(f"abort {self._name}")

    def start(self) -> None:
        """It starts."""
        self._steps.done.append(f"start {self._name}")

    def stop(self) -> None:
        """It stops."""
        self._steps.done.append(f"stop {self._name}")

    def finish(self) -> Deferred[None]:
        """It comes to its end."""
        return self._steps.begin(f"finish {self._name}")

    def closeAll(self, reason: str) -> Deferred[None]:
        """Connections close."""
        return self._steps.begin(f"close {reason}")

    def abortAll(self, reason: str) -> None:
        """Connections are cut off."""
        self._steps.done.append(f"abort {reason}")


class Steps:
    """
    @ivar done: what has begun, in order.
    @ivar waiting: what is not done, by its name.
    """

    def __init__(self) -> None:
        self.clock = Clock()
        self.done: list[str] = []
        self.waiting: dict[str, Deferred[None]] = {}

    def begin(self, step: str) -> Deferred[None]:
        self.done.append(step)
        self.waiting[step] = Deferred()
        return self.waiting[step]

    def service(self, recorder: bool = True, signals: MemorySignals | None = None) -> RTMPService:
        parts: dict[str, Any] = {name: Part(name, self) for name in ("factory", "pull", "push", "recorder", "writers")}
        if not recorder:
            parts["recorder"] = None
        service = RTMPService(
            **parts,
            starts=[lambda: self.done.append("relay")],
            signals=signals,  # type: ignore[arg-type]
        )
        _Port(self).setServiceParent(service)
        return service


class _Port(Service):
    """A port."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def startService(self) -> None:
        """Listen."""
        super().startService()
        self._steps.done.append("listen")

    def stopService(self) -> Deferred[None]:
        """Do not."""
        super().stopService()
        return self._steps.begin("stop listening")


class MemorySignals:
    """Signals that are sent by hand."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.asked: Callable[[], None] | None = None

    def install(self, asked: Callable[[], None]) -> None:
        self.asked = asked

    def stop(self) -> None:
        self.calls.append("stop")

    def restore(self) -> None:
        self.calls.append("restore")


class OrderTests(SynchronousTestCase):
    """The order of things."""

    def test_start(self) -> None:
        """Threads, ports, what a crash has left, relays."""
        steps = Steps()
        service = steps.service()
        service.startService()
        self.assertEqual((steps.done, service.running), (["start writers", "listen", "start recorder", "relay"], 1))

    def test_F18_stop(self) -> None:
        """
        Ports, what is fetched, connections; then what is sent on and the recordings, neither after the other; threads.
        """
        steps = Steps()
        service = steps.service()
        service.startService()
        steps.done.clear()
        stopped = service.stopService()
        self.assertEqual(steps.done.pop(0), "stopping recorder")
        expected = ["stop listening", "finish pull", "close the server is shutting down"]
        for count, step in enumerate(expected, 1):
            self.assertEqual(steps.done, expected[:count])
            steps.waiting[step].callback(None)
        self.assertEqual(steps.done[3:], ["finish push", "finish recorder"])
        steps.waiting["finish recorder"].callback(None)
        self.assertNoResult(stopped)
        steps.waiting["finish push"].callback(None)
        self.successResultOf(stopped)
        self.assertEqual((steps.done[5:], steps.clock.getDelayedCalls()), (["stop writers", "tell limits"], []))

    def test_withoutRecorder(self) -> None:
        """The same without recordings."""
        steps = Steps()
        steps.begin = lambda step: succeed(None)  # type: ignore[method-assign]
        service = steps.service(recorder=False)
        service.startService()
        self.successResultOf(service.stopService())
        self.assertEqual(steps.done, ["start writers", "listen", "relay", "stop writers", "tell limits"])
        self.assertEqual(steps.clock.getDelayedCalls(), [])


class _NoPort(Service):
    """A port that can't be opened."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def privilegedStartService(self) -> None:
        """It is tried."""
        raise self._error


class PortTests(SynchronousTestCase):
    """Ports that can't be opened."""

    def test_said(self) -> None:
        """Which one, why, and what to do about it."""
        for error, words in (
            (CannotListenError("", 1935, OSError(EADDRINUSE, "in use")), "any address, port 1935: in use: another pro"),
            (CannotListenError("::1", 80, OSError(EACCES, "no")), "::1, port 80: no: ports below 1024 are for root"),
            (CannotListenError("", 1935, OSError(ENOBUFS, "no buffers")), "port 1935: no buffers: see --port"),
            (CannotListenError("x.example", 1, gaierror(-2, "not known")), "x.example, port 1: not known: see --port"),
            (CannotListenError("", b"a/socket", OSError(EADDRINUSE, "in use")), "a/socket: in use: another program"),
            (CannotListenError("", "a/socket", "somebody has it"), "a/socket: somebody has it: another program"),
            (FileNotFoundError(ENOENT, "no file", "1", None, b"a/socket.lock"), "on a/socket: no file: see --port"),
            (OverflowError("it must be 0-65535."), "can't listen on a port: it must be 0-65535.: see --port"),
        ):
            service = Steps().service()
            _NoPort(error).setServiceParent(service)
            raised = self.assertRaises(PortError, service.privilegedStartService)
            self.assertIn(words, str(raised))

    def test_end(self) -> None:
        """It ends the process with its text alone; and is told to who has started it in the background."""
        script = "from rtmptw.errors import PortError\ntry: raise PortError('words')\nexcept Exception: raise"
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout, done.stderr.split()), (1, b"", [b"words"]))


class HurryTests(SynchronousTestCase):
    """An end that is cut short."""

    def setUp(self) -> None:
        """A service that has begun to stop, and waits for its recordings."""
        self.log = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)
        self.steps, self.signals = Steps(), MemorySignals()
        self.service = self.steps.service(signals=self.signals)
        self.service.startService()

    def stop(self, last: str = "finish push") -> Deferred[None]:
        """Stop, as far as this step."""
        stopped = self.service.stopService()
        for step in ("stop listening", "finish pull", "close the server is shutting down", "finish push"):
            if step == last:
                break
            self.steps.waiting[step].callback(None)
        return stopped

    def lines(self) -> list[str]:
        return [formatEvent(event) for event in self.log if event.get("log_namespace") == "rtmptw.service.RTMPService"]

    def test_F18_asked(self) -> None:
        """A signal stops the reactor, once."""
        assert self.signals.asked is not None
        self.signals.asked()
        self.signals.asked()
        self.assertEqual(self.signals.calls, ["stop"])
        self.assertEqual(self.lines(), ["stopping, within 9.5 s; if that is asked for again, at once"])

    def test_F18_again(self) -> None:
        """Another one while it ends cuts everything off, wherever it is."""
        assert self.signals.asked is not None
        stopped = self.stop()
        self.signals.asked()
        self.successResultOf(stopped)
        ends = ["abort the server is shutting down, at once", "abort recorder", "tell limits"]
        self.assertEqual(self.steps.done[-3:], ends)
        self.assertEqual(self.signals.calls, ["restore"])
        left = "there are 3 connections and 2 recordings, which are finished at the next start"
        self.assertEqual(self.lines(), [f"the end is cut short: that was asked for again; {left}"])
        self.assertEqual(self.steps.clock.getDelayedCalls(), [])
        # Whatever ends now, nobody waits for it.
        for step in ("finish push", "finish recorder"):
            self.steps.waiting[step].callback(None)
        self.assertEqual(self.signals.calls, ["restore"])

    def test_F18_againAtOnce(self) -> None:
        """Another one before it has begun to end."""
        assert self.signals.asked is not None
        self.signals.asked()
        self.signals.asked()
        self.successResultOf(self.service.stopService())
        self.assertIn("abort the server is shutting down, at once", self.steps.done)
        self.assertEqual(self.steps.clock.getDelayedCalls(), [])

    def test_F18_late(self) -> None:
        """So does the time."""
        for last in ("stop listening", "finish pull", "close the server is shutting down", "finish push"):
            self.setUp()
            stopped = self.stop(last)
            self.steps.clock.advance(STOP_SECONDS - 0.1)
            self.assertNoResult(stopped)
            self.steps.clock.advance(0.1)
            self.successResultOf(stopped)
            [line] = self.lines()
            self.assertTrue(line.startswith("the end is cut short: it has taken 9.5 s; there are 3 conn"), line)

    def test_fails(self) -> None:
        """What goes wrong at the end is logged, and is the end all the same."""
        stopped = self.stop()
        self.steps.waiting["finish push"].callback(None)
        self.patch(self.service._writers, "stop", lambda: 1 / 0)
        self.steps.waiting["finish recorder"].callback(None)
        self.successResultOf(stopped)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class MemoryReactor:
    """As much of a reactor as signals need."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def callWhenRunning(self, method: Callable[..., None], *arguments: Any) -> None:
        method(*arguments)

    def callFromThread(self, method: Callable[[], None]) -> None:
        self.calls.append(method)

    def stop(self) -> None:
        self.calls.append("stop")


class SignalTests(SynchronousTestCase):
    """Real signals, to this process."""

    def test_signals(self) -> None:
        """Both kinds call the method in the reactor's thread, each time; afterwards all is as before."""
        before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
        reactor = MemoryReactor()
        signals = Signals(reactor)

        def asked() -> None:
            """What is called."""

        signals.install(asked)
        try:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
                os.kill(os.getpid(), number)
        finally:
            signals.restore()
        self.assertEqual(reactor.calls, [asked, asked, asked])
        self.assertEqual([signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)], before)
        signals.stop()
        self.assertEqual(reactor.calls[3:], ["stop"])
