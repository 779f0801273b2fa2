# -*- test-case-name: tests.cli.test_tracing -*-
"""
The sessions that pass through C{rtmptw trace --listen}: who looks at them, and when all is over.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IListeningPort,
    IReactorCore,
    IReactorTime,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
)
from zope.interface import implementer

from rtmptw.capture.saved import SavedTraceError, SavedTraceWriter
from rtmptw.capture.tracer import ITraceObserver, TracerFactory
from rtmptw.cli.output import Output
from rtmptw.show.audience import Audience
from rtmptw.show.jsonlines import jsonNote
from rtmptw.show.printer import Form, Printer
from rtmptw.trace.segment import Segment, Side

__all__ = ["Tracing"]


class Tracing:
    """
    All sessions.

    @ivar done: fires when there will be no more: after the first if it is to be only that, or when the reactor stops.
    """

    def __init__(
        self,
        reactor: Any,
        form: Form,
        write: Callable[[str], object],
        say: Callable[[str], object],
        once: bool = False,
    ) -> None:
        """
        @param form: how it is written.
        @param write: where: takes text; may wait, and raise OSError.
        @param say: takes what is not a part of the trace.
        @param once: only the first session.
        """
        self.done: Deferred[None] = Deferred()
        self._reactor = reactor
        self._clock = IReactorTime(reactor)
        self._form = form
        self._say = say
        self._once = once
        self._output = Output(write, self._cannotWrite, self._leftOut)
        self._printers: dict[int, Printer] = {}
        self._directory = self._url = ""
        self._port: IListeningPort | None = None

    def save(self, directory: str, url: str) -> None:
        """
        Save each session in a directory of its own.

        @param directory: where these are.
        @param url: where the clients go, without secrets.
        """
        self._directory, self._url = directory, url

    async def begin(self, endpoint: IStreamServerEndpoint, target: IStreamClientEndpoint) -> None:
        """
        Listen.

        @param target: where everything goes.
        """
        self._port = await endpoint.listen(TracerFactory(target, self._clock, self.observe))
        IReactorCore(self._reactor).addSystemEventTrigger("before", "shutdown", self._interrupted)

    @property
    def place(self) -> str:
        """Where it listens."""
        address: Any = None if self._port is None else self._port.getHost()
        host = getattr(address, "host", None)
        if host is None:
            return str(address)
        return f"[{host}]:{address.port}" if ":" in host else f"{host}:{address.port}"

    def observe(self, number: int) -> ITraceObserver:
        """
        Who looks at a session. See L{TracerFactory}.
        """
        if self._once and self._port is not None:
            self._port.stopListening()
        now = datetime.now(UTC)
        printer = self._printers[number] = Printer(number, self._form, self._output.write, self._clock)
        observers: list[ITraceObserver] = [printer]
        if not self._form.quiet:
            printer.remark(f"connection {number}: {now.isoformat(timespec='milliseconds')}")
        if self._directory:
            path = os.path.join(self._directory, str(number))
            try:
                # First what can't be had again.
                observers.insert(0, SavedTraceWriter(path, self._url, now))
            except (OSError, SavedTraceError) as error:
                self._say(f"connection {number} is not saved: {error}")
        return Audience([*observers, _Last(lambda: self._gone(number))])

    def _gone(self, number: int) -> None:
        """A session is over, and nothing of it is on its way any more."""
        self._printers.pop(number, None)
        if self._once:
            self._finish()

    def _interrupted(self) -> None:
        for printer in self._printers.values():
            printer.over("interrupted")
        self._finish()

    def _finish(self) -> None:
        if not self.done.called:
            self._output.close()
            self.done.callback(None)

    def _cannotWrite(self, error: OSError) -> None:
        why = "nobody reads it any more" if isinstance(error, BrokenPipeError) else str(error)
        self._say(f"{why}; the sessions go on")

    def _leftOut(self, count: int) -> str:
        words = f"{count:,} lines are left out here: whoever reads this is too slow"
        return jsonNote(words, 0) if self._form.json else f"--- {words}"


@implementer(ITraceObserver)
class _Last:
    """The observer that is told last, and waits only for the end."""

    def __init__(self, gone: Callable[[], object]) -> None:
        self._gone = gone

    def said(self, segment: Segment) -> None:
        """See L{ITraceObserver.said}."""

    def closed(self, side: Side, how: str, at: float) -> None:
        """See L{ITraceObserver.closed}."""

    def failed(self, reason: str, at: float) -> None:
        """See L{ITraceObserver.failed}."""

    def gone(self) -> None:
        """See L{ITraceObserver.gone}."""
        self._gone()
