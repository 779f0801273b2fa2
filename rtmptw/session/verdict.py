# -*- test-case-name: tests.session.test_verdict -*-
"""
A question to the application, and its answer (L{rtmptw.interfaces.IApplication}).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rtmptw.errors import StatusError
from rtmptw.interfaces import IApplication
from rtmptw.requests import ConnectRequest, Granted, StreamRequest
from rtmptw.session import status
from rtmptw.session.streampath import streamPath

__all__ = ["Verdict"]


class Verdict:
    """
    One question. It is answered once: by the application, or by the end of its time.

    @ivar request: what was asked for; behind a yes, what that is for.
    """

    _log = Logger()

    def __init__(
        self,
        application: IApplication,
        command: str,
        request: ConnectRequest | StreamRequest,
        seconds: float,
        then: Callable[[StreamRequest], Deferred[None]] | None = None,
    ) -> None:
        """
        @param command: "connect", "publish" or "play".
        @param seconds: how long the application may take: what waits behind it is kept so long, and no longer.
        @param then: what is to be waited for behind a yes; it may fail with a L{StatusError}.
        """
        self._command = command
        self._peer = request.peer if isinstance(request, ConnectRequest) else request.connect.peer
        self._seconds = seconds
        self._waited = 0
        self._cancelled = False
        self.request = request
        self._then = then
        self._decided: Callable[[StatusError | None], None] | None = None
        method = getattr(application, f"{command}Requested")
        self._answer: Deferred[object] = maybeDeferred(method, request)

    def whenDecided(self, decided: Callable[[StatusError | None], None]) -> None:
        """
        @param decided: called with the refusal, or L{None}; at once, if the application has answered already.
        """
        self._decided = decided
        self._answer.addCallback(self._granted).addCallbacks(lambda _: None, self._refused).addCallback(self._decide)

    def second(self) -> bool:
        """
        A second has passed; the last one is the end of the application's time.

        @return: whether it was the last one.
        """
        self._waited += 1
        isLast = self._waited - 1 < self._seconds <= self._waited
        if isLast:
            self.cancel()
        return isLast

    def cancel(self) -> None:
        """It is not waited for any more: that is a refusal, whatever the application makes of it."""
        self._cancelled = True
        self._answer.cancel()
        self._decide(self._failed(f"no decision within {self._seconds:g} s"))

    def _decide(self, refusal: StatusError | None) -> None:
        decided, self._decided = self._decided, None
        if decided is not None:
            decided(refusal)

    def _granted(self, result: object) -> Deferred[None] | None:
        if result is False:
            # Who writes "return False" does not mean yes.
            raise StatusError("not allowed")
        if isinstance(self.request, ConnectRequest):
            return None
        if isinstance(result, Granted):
            self.request = replace(self.request, path=streamPath("", result.path), principal=result.principal)
        return None if self._then is None else self._then(self.request)

    def _refused(self, failure: Failure) -> StatusError:
        if isinstance(failure.value, StatusError):
            return failure.value
        if self._cancelled and failure.check(CancelledError):
            return self._failed(f"no decision within {self._seconds:g} s")
        self._log.failure(
            "{peer}: the application failed to decide about a {command}",
            failure,
            peer=self._peer,
            command=self._command,
        )
        return self._failed("internal error")

    def _failed(self, reason: str) -> StatusError:
        return StatusError(reason, "" if self._command == "connect" else status.FAILED)
