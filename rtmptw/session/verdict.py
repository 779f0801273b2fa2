# -*- test-case-name: tests.session.test_verdict -*-
"""
A question to the application, and its answer (L{rtmptw.interfaces.IApplication}).
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rtmptw.errors import StatusError
from rtmptw.interfaces import IApplication
from rtmptw.requests import ConnectRequest, Granted, StreamRequest
from rtmptw.session import status
from rtmptw.session.streampath import streamPath

__all__ = ["VERDICT_SECONDS", "Verdict"]

#: How long an application may take, seconds: what waits behind it is kept so long, and no longer.
VERDICT_SECONDS = 30


class Verdict:
    """
    One question. It is answered once: by the application, or by the end of its time.

    @ivar path: the stream that a yes is for, if that is another one than was asked for; else C{""}.
    """

    _log = Logger()

    def __init__(self, application: IApplication, command: str, request: ConnectRequest | StreamRequest) -> None:
        """
        @param command: "connect", "publish" or "play".
        """
        self._command = command
        self._peer = request.peer if isinstance(request, ConnectRequest) else request.connect.peer
        self._waited = 0
        self._cancelled = False
        self.path = ""
        self._decided: Callable[[StatusError | None], None] | None = None
        method = getattr(application, f"{command}Requested")
        self._answer: Deferred[object] = maybeDeferred(method, request)

    def whenDecided(self, decided: Callable[[StatusError | None], None]) -> None:
        """
        @param decided: called with the refusal, or L{None}; at once, if the application has answered already.
        """
        self._decided = decided
        self._answer.addCallbacks(self._granted, self._refused).addCallback(self._decide)

    def second(self) -> None:
        """A second has passed; the last one is the end of the application's time."""
        self._waited += 1
        if self._waited == VERDICT_SECONDS:
            self.cancel()

    def cancel(self) -> None:
        """It is not waited for any more: that is a refusal, whatever the application makes of it."""
        self._cancelled = True
        self._answer.cancel()
        self._decide(self._failed(f"no decision within {VERDICT_SECONDS} s"))

    def _decide(self, refusal: StatusError | None) -> None:
        decided, self._decided = self._decided, None
        if decided is not None:
            decided(refusal)

    def _granted(self, result: object) -> StatusError | None:
        if isinstance(result, Granted):
            try:
                self.path = streamPath("", result.path)
            except StatusError as error:
                return error
        # Who writes "return False" does not mean yes.
        return StatusError("not allowed") if result is False else None

    def _refused(self, failure: Failure) -> StatusError:
        if isinstance(failure.value, StatusError):
            return failure.value
        if self._cancelled and failure.check(CancelledError):
            return self._failed(f"no decision within {VERDICT_SECONDS} s")
        self._log.failure(
            "{peer}: the application failed to decide about a {command}",
            failure,
            peer=self._peer,
            command=self._command,
        )
        return self._failed("internal error")

    def _failed(self, reason: str) -> StatusError:
        return StatusError(reason, "" if self._command == "connect" else status.FAILED)
